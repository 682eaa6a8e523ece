//! Files and folders between real processes: killed in the middle, resumed, refused, in both languages.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::support::{
    LONG_PATIENCE, MEBIBYTE, PATIENCE, Program, Scratch, command, free_port, has, peer, run, server, skip,
    start,
};

/// A folder of three files, one of them large, in a scratch folder.
fn lesson(scratch: &Scratch, large: usize) -> String {
    let folder = scratch.file("aula");
    fs::create_dir_all(format!("{folder}/fotos/vazia")).unwrap();
    fs::write(format!("{folder}/nota.txt"), "olá\n").unwrap();
    fs::write(format!("{folder}/nada"), "").unwrap();
    scratch.large("aula/fotos/mar.jpg", large);
    folder
}

/// A folder that files go to.
fn target(scratch: &Scratch) -> String {
    let folder = scratch.file("chegada");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What `sha256sum` says of the files below a folder: a tool that shares nothing with the program.
fn sums(folder: &str) -> String {
    let line = "find . -type f | sort | xargs sha256sum";
    let output = Command::new("sh").args(["-c", line]).current_dir(folder).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn same(source: &str, copy: &str) {
    assert_eq!(sums(source), sums(copy));
    assert!(Path::new(copy).join("fotos/vazia").is_dir(), "an empty folder arrives, too");
}

/// Waits until an unfinished file has so many octets.
fn waits_for_part(part: &Path, octets: u64) {
    let deadline = Instant::now() + PATIENCE;
    while fs::metadata(part).map_or(0, |about| about.len()) < octets {
        assert!(Instant::now() < deadline, "{} never grew", part.display());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

fn part(target: &str) -> PathBuf {
    Path::new(target).join("aula/fotos/.mar.jpg.aperto-part")
}

#[test]
fn a_folder_over_a_lossy_channel_survives_kill_9_and_goes_on_where_it_was() {
    let name = "a_folder_over_a_lossy_channel_survives_kill_9_and_goes_on_where_it_was";
    if !has(name, &["sha256sum"]) {
        return;
    }
    let scratch = Scratch::new();
    let (source, target) = (lesson(&scratch, 20 * MEBIBYTE), target(&scratch));
    let port = free_port();
    let mut server = server(port, &["--receive", &target, "--view", "lines"]);
    let to = port.to_string();
    let all = ["client", "127.0.0.1", &to, "--send", &source, "--loss", "2%", "--seed", "7"];
    // Slow enough to be caught in the middle.
    let client = start(&[&all[..], &["--rate", "60mbit"]].concat());
    waits_for_part(&part(&target), 3 * MEBIBYTE as u64);
    client.signal("KILL");
    drop(client);
    assert!(!Path::new(&target).join("aula/fotos/mar.jpg").exists(), "half a file has no name");
    let client = start(&all).finish_within(LONG_PATIENCE).ended(0);
    assert!(client.out.contains("3 files, 20.0 MiB: arrived whole"), "{}", client.out);
    server.sees(" of 20.0 MiB were there");
    server.sees("3 files, 20.0 MiB: whole, every hash right");
    same(&source, &format!("{target}/aula"));
    // Once more: nothing is sent, and nothing changes.
    let client = start(&["client", "127.0.0.1", &to, "--send", &source]).finish().ended(0);
    assert!(client.out.contains("3 files"), "{}", client.out);
    server.sees("was there aula/fotos/mar.jpg");
}

#[test]
fn a_client_goes_on_by_itself_when_the_server_was_killed_and_started_again() {
    let name = "a_client_goes_on_by_itself_when_the_server_was_killed_and_started_again";
    if !has(name, &["sha256sum"]) {
        return;
    }
    for wire in ["udp", "os"] {
        let scratch = Scratch::new();
        let (source, target) = (lesson(&scratch, 20 * MEBIBYTE), target(&scratch));
        let port = free_port();
        let arguments = ["--receive", &target, "--wire", wire, "--view", "none"];
        let first = server(port, &arguments);
        let to = port.to_string();
        let rate: &[&str] = if wire == "udp" { &["--rate", "60mbit"] } else { &[] };
        let all = ["client", "127.0.0.1", &to, "--send", &source, "--wire", wire, "--view", "lines"];
        let client = start(&[&all[..], rate].concat());
        waits_for_part(&part(&target), MEBIBYTE as u64 / 4);
        first.signal("KILL");
        drop(first);
        let second = server(port, &arguments);
        let client = client.finish_within(LONG_PATIENCE).ended(0);
        // On a machine that is quick enough, all is over before the kill.
        if !client.out.contains("connection broken; attempt 1 of 20") {
            println!("{wire}: it was over before the kill");
        }
        same(&source, &format!("{target}/aula"));
        drop(second);
    }
}

#[test]
fn a_newer_connection_takes_over_from_one_that_hangs_and_ctrl_c_keeps_what_came() {
    let scratch = Scratch::new();
    let target = target(&scratch);
    let (file, _) = scratch.large("a", 6 * MEBIBYTE);
    let port = free_port();
    let mut server = server(port, &["--receive", &target, "--view", "none"]);
    let to = port.to_string();
    let all = ["client", "127.0.0.1", &to, "--send", &file, "--view", "none"];
    let slow = [&all[..], &["--rate", "20mbit"]].concat();
    let part = Path::new(&target).join(".a.aperto-part");
    let interrupted = start(&slow);
    waits_for_part(&part, MEBIBYTE as u64 / 2);
    interrupted.signal("INT");
    let interrupted = interrupted.finish().ended(130);
    assert!(interrupted.out.contains("the same command again goes on from there"), "{}", interrupted.out);
    server.sees("refused: somebody ended it there");
    // The next one is stopped in the middle, and its connection stays open.
    let hangs = start(&slow);
    waits_for_part(&part, 2 * MEBIBYTE as u64);
    hangs.signal("STOP");
    let newer = start(&all).finish_within(LONG_PATIENCE).ended(0);
    assert!(newer.out.contains("1 file, 6.0 MiB: arrived whole"), "{}", newer.out);
    server.sees("goes on over a newer connection");
    assert!(fs::read(&file).unwrap() == fs::read(format!("{target}/a")).unwrap());
}

#[test]
fn damage_that_no_checksum_shows_is_found_and_asked_again() {
    let scratch = Scratch::new();
    let (source, target) = (lesson(&scratch, 20 * MEBIBYTE), target(&scratch));
    let port = free_port();
    let server = server(port, &["--receive", &target, "--once", "--view", "lines"]);
    let to = port.to_string();
    let corrupt = ["--corrupt", "0.1%", "--fix-checksum", "--seed", "3"];
    let all = ["client", "127.0.0.1", &to, "--send", &source];
    start(&[&all[..], &corrupt].concat()).finish_within(LONG_PATIENCE).ended(0);
    let server = server.finish_within(LONG_PATIENCE).ended(0);
    assert!(server.out.contains("of aula/fotos/mar.jpg damaged, asked again"), "{}", server.out);
    assert!(server.out.contains("whole, every hash right"), "{}", server.out);
    same(&source, &format!("{target}/aula"));
}

#[test]
fn a_file_of_the_same_name_is_refused_in_both_languages_and_replaced_when_asked() {
    let scratch = Scratch::new();
    let target = target(&scratch);
    let file = scratch.holding("nota.txt", b"new");
    fs::write(format!("{target}/nota.txt"), "mine").unwrap();
    for (flags, code, who) in [(&["--once"][..], 5, 3), (&["--once", "--overwrite"], 0, 0)] {
        let port = free_port();
        let server = server(port, &[&["--receive", &target, "--wire", "os"], flags].concat());
        let port = port.to_string();
        let mut client = command(&["client", "127.0.0.1", &port, "--send", &file, "--wire", "os"]);
        client.env("APERTO_LANG", "pt-BR");
        let client = Program::start(client).finish().ended(who);
        let server = server.finish().ended(code);
        if code == 0 {
            assert_eq!(fs::read(format!("{target}/nota.txt")).unwrap(), b"new");
        } else {
            assert_eq!(fs::read(format!("{target}/nota.txt")).unwrap(), b"mine");
            assert!(server.error.contains("nota.txt exists, and is another file"), "{}", server.error);
            assert!(client.error.contains("recusou: nota.txt já existe lá"), "{}", client.error);
            assert!(client.error.contains("(saída 3)"), "{}", client.error);
        }
    }
}

#[test]
fn a_server_gives_a_folder_to_whoever_fetches_it() {
    let scratch = Scratch::new();
    let (source, target) = (lesson(&scratch, MEBIBYTE), target(&scratch));
    let port = free_port();
    let mut server = server(port, &["--offer", &source]);
    server.sees("offers aula: 3 files, 1.0 MiB");
    server.sees("--fetch .");
    let port = port.to_string();
    let client = run(&["client", "127.0.0.1", &port, "--fetch", &target]).ended(0);
    assert!(client.out.contains("received aula/fotos/mar.jpg  1048576 bytes"), "{}", client.out);
    same(&source, &format!("{target}/aula"));
    // The hash that both print is what the independent tool of the same name would say.
    let printed = |text: &str| {
        text.lines().filter(|line| line.contains("blake3 ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(printed(&client.out).len(), 3);
    for line in printed(&client.out) {
        server.sees(line.trim());
    }
}

#[test]
fn several_clients_send_at_the_same_time() {
    let scratch = Scratch::new();
    let target = target(&scratch);
    let port = free_port();
    let mut server = server(port, &["--receive", &target, "--view", "none"]);
    let port = port.to_string();
    let clients: Vec<(String, Program)> = (0..4)
        .map(|place| {
            let (file, hash) = scratch.large(&format!("file-{place}"), 3 * MEBIBYTE);
            (hash, start(&["client", "127.0.0.1", &port, "--send", &file, "--view", "none"]))
        })
        .collect();
    for (place, (_, client)) in clients.into_iter().enumerate() {
        client.finish_within(LONG_PATIENCE).ended(0);
        let (sent, arrived) = (scratch.file(&format!("file-{place}")), format!("{target}/file-{place}"));
        assert!(fs::read(sent).unwrap() == fs::read(arrived).unwrap(), "file {place}");
    }
    for _ in 0..4 {
        server.sees("received file-");
    }
}

#[test]
fn whoever_speaks_something_else_is_told_so_at_once() {
    let scratch = Scratch::new();
    let target = target(&scratch);
    let port = free_port();
    let mut receiving = server(port, &["--receive", &target, "--wire", "os"]);
    let mut browser = TcpStream::connect(("127.0.0.1", port)).unwrap();
    browser.write_all(b"GET / HT").unwrap();
    let mut answer = Vec::new();
    // It ends, which a server that waits for more would not let it.
    let _ = browser.read_to_end(&mut answer);
    receiving.sees("does not speak file transfer: it speaks HTTP");
    // The other way round: an echo, and a server that receives, too.
    let file = scratch.holding("a", b"a");
    let echo_port = free_port();
    let echo = server(echo_port, &["--echo", "--wire", "os"]);
    let to = echo_port.to_string();
    let client = run(&["client", "127.0.0.1", &to, "--send", &file, "--wire", "os"]).ended(7);
    assert!(client.error.contains("sends files, too; nobody receives"), "{}", client.error);
    drop(echo);
    let to = port.to_string();
    let client = run(&["client", "127.0.0.1", &to, "--fetch", &target, "--wire", "os"]).ended(7);
    assert!(client.error.contains("receives files, too; nobody sends"), "{}", client.error);
}

#[test]
fn two_servers_do_not_write_one_file_at_the_same_time() {
    let scratch = Scratch::new();
    let target = target(&scratch);
    fs::create_dir_all(scratch.file("one")).unwrap();
    fs::create_dir_all(scratch.file("other")).unwrap();
    let (one, _) = scratch.large("one/a", 8 * MEBIBYTE);
    let (other, _) = scratch.large("other/a", 7 * MEBIBYTE);
    let ports = [free_port(), free_port()];
    let servers = ports.map(|port| server(port, &["--receive", &target, "--view", "none"]));
    let [first, second] = ports.map(|port| port.to_string());
    let slow = start(&["client", "127.0.0.1", &first, "--send", &one, "--view", "none", "--rate", "10mbit"]);
    waits_for_part(&Path::new(&target).join(".a.aperto-part"), 1);
    let refused = run(&["client", "127.0.0.1", &second, "--send", &other, "--view", "none"]).ended(3);
    assert!(refused.error.contains("somebody else is writing a there"), "{}", refused.error);
    slow.finish_within(LONG_PATIENCE).ended(0);
    assert!(fs::read(&one).unwrap() == fs::read(format!("{target}/a")).unwrap());
    drop(servers);
}

#[test]
fn what_cannot_be_sent_or_received_is_said_before_anybody_connects() {
    let scratch = Scratch::new();
    let hidden = scratch.holding(".hidden", b"a");
    for (arguments, code, words) in [
        (["client", "127.0.0.1", "--send", "/nowhere/at/all"], 6, "it does not exist"),
        (["client", "127.0.0.1", "--send", &hidden], 2, "cannot be sent: it begins with"),
        (["client", "127.0.0.1", "--fetch", "/nowhere/at/all"], 5, "there is no such folder"),
        (["client", "127.0.0.1", "--file=a", "--send=a"], 2, "exclude each other"),
        (["client", "127.0.0.1", "--wire=os", "--overwrite"], 2, "would do nothing here"),
    ] {
        let finished = run(&arguments).ended(code);
        assert!(finished.error.contains(words), "{arguments:?}: {}", finished.error);
    }
}

#[test]
fn without_a_terminal_there_is_no_bar_and_nothing_on_stderr() {
    let scratch = Scratch::new();
    let target = target(&scratch);
    let (file, _) = scratch.large("file", MEBIBYTE);
    let port = free_port();
    let server = server(port, &["--receive", &target, "--once", "--view", "none"]);
    let client =
        run(&["client", "127.0.0.1", &port.to_string(), "--send", &file, "--quiet", "--view", "none"]);
    let (client, server) = (client.ended(0), server.finish().ended(0));
    assert_eq!((client.error.as_str(), server.error.as_str()), ("", ""));
    assert!(!client.out.contains('\r'), "{}", client.out);
}

#[test]
fn on_a_terminal_there_is_a_bar_unless_somebody_wants_none() {
    if !has("on_a_terminal_there_is_a_bar_unless_somebody_wants_none", &["python3"]) {
        return;
    }
    let scratch = Scratch::new();
    let (file, _) = scratch.large("file", 6 * MEBIBYTE);
    for (variable, flag, has_bar) in [
        ("APERTO_NOTHING", "--", true),
        ("NO_COLOR", "--", false),
        ("CI", "--", false),
        ("APERTO_NOTHING", "-q", false),
    ] {
        let target = target(&scratch);
        let port = free_port();
        let server = server(port, &["--receive", &target, "--once", "--view", "none"]);
        let to = port.to_string();
        let program = env!("CARGO_BIN_EXE_aperto");
        let mut all = vec!["--", program, "client", "127.0.0.1", &to, "--send", &file, "--view", "none"];
        all.extend(["--rate", "60mbit"]);
        all.extend(Some(flag).filter(|flag| *flag != "--"));
        let mut terminal = peer("terminal.py", &all);
        for name in ["NO_COLOR", "CI"] {
            terminal.env_remove(name);
        }
        terminal.env(variable, "1").env("APERTO_LANG", "en").env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        let shown = Program::start(terminal).finish().ended(0).out;
        server.finish().ended(0);
        assert_eq!(shown.contains("/6.00 MiB "), has_bar, "{variable} {flag}: {shown:?}");
        assert!(shown.contains("sent file  6291456 bytes"), "{shown}");
        fs::remove_dir_all(&target).unwrap();
    }
}

/// A file system of 8 MiB in a namespace of the test's own.
fn in_small_disk(name: &str, script: &str) -> Option<Program> {
    if !has(name, &["unshare", "mount"]) {
        return None;
    }
    let namespaces = ["--user", "--map-root-user", "--mount"];
    let possible = "mkdir -p /tmp/aperto-probe && mount -t tmpfs -o size=1m none /tmp/aperto-probe";
    let possible = Command::new("unshare").args(namespaces).args(["sh", "-c", possible]).output().unwrap();
    if !possible.status.success() {
        skip(name, &String::from_utf8_lossy(&possible.stderr));
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(namespaces).args(["sh", "-c", script]);
    command.env("APERTO", env!("CARGO_BIN_EXE_aperto")).env("APERTO_LANG", "en").env("LC_ALL", "C.UTF-8");
    Some(Program::start(command))
}

#[test]
fn a_disk_that_is_too_small_or_fills_up_is_named_and_what_came_is_kept() {
    let name = "a_disk_that_is_too_small_or_fills_up_is_named_and_what_came_is_kept";
    let scratch = Scratch::new();
    let target = target(&scratch);
    let (large, _) = scratch.large("large", 20 * MEBIBYTE);
    let (file, _) = scratch.large("file", 6 * MEBIBYTE);
    let mount = format!("mount -t tmpfs -o size=8m none {target} && cd {target} && ");
    let receive = |port: u16, then: &str| {
        let serve = format!("$APERTO server {port} --receive . --once --keep-free 0 --view none");
        format!("{mount} {{ {then} {serve}; code=$?; ls -A; exit $code; }}")
    };
    let port = free_port();
    let Some(mut server) = in_small_disk(name, &receive(port, "")) else { return };
    server.sees("LISTEN");
    let port = port.to_string();
    let client = start(&["client", "127.0.0.1", &port, "--send", &large, "--view", "none"]).finish().ended(3);
    assert!(client.error.contains("refused: there is no room"), "{}", client.error);
    let server = server.finish().ended(5);
    assert!(server.error.contains("no room: 20.0 MiB are needed, 8.0 MiB are free"), "{}", server.error);
    assert!(!server.out.contains("aperto-part"), "{}", server.out);

    // There is room at first, and then somebody else takes it.
    let port = free_port();
    let filler = "{ until [ -s .file.aperto-part ]; do sleep 0.01; done; head -c 5m /dev/zero > filler; } &";
    let Some(mut server) = in_small_disk(name, &receive(port, filler)) else { return };
    server.sees("LISTEN");
    let port = port.to_string();
    let all = ["client", "127.0.0.1", &port, "--send", &file, "--view", "none", "--rate", "10mbit"];
    let client = start(&all).finish_within(LONG_PATIENCE).ended(3);
    assert!(client.error.contains("refused: "), "{}", client.error);
    let server = server.finish().ended(5);
    let named = server.error.contains("file cannot be written: the disk is full")
        || server.error.contains("no room: ");
    assert!(named, "{}", server.error);
    assert!(server.out.contains(".file.aperto-part"), "what came is kept:\n{}", server.out);
}

#[test]
fn files_arrive_inside_tls_and_no_octet_of_them_stands_in_the_recording() {
    let scratch = Scratch::new();
    let (source, target) = (lesson(&scratch, MEBIBYTE), target(&scratch));
    let canary = b"canary that must not be seen in plain";
    fs::write(format!("{source}/segredo.txt"), canary).unwrap();
    let (home, recording) = (scratch.file("home"), scratch.file("r.pcapng"));
    let port = free_port().to_string();
    let mut server =
        command(&["server", &port, "--receive", &target, "--secure", "--once", "-w", &recording]);
    server.env("APERTO_HOME", &home);
    let mut server = Program::start(server);
    server.sees("LISTEN");
    let mut client = command(&["client", "127.0.0.1", &port, "--send", &source, "--secure"]);
    client.env("APERTO_HOME", &home);
    let client = Program::start(client).finish().ended(0);
    assert!(client.out.contains("aperto-transfer/1"), "{}", client.out);
    assert!(client.out.contains("4 files, 1.0 MiB: arrived whole"), "{}", client.out);
    server.finish().ended(0);
    same(&source, &format!("{target}/aula"));
    let recorded = fs::read(recording).unwrap();
    assert!(recorded.len() > MEBIBYTE, "the whole conversation is recorded");
    assert!(!recorded.windows(canary.len()).any(|octets| octets == canary));
}
