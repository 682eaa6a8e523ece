//! The transcripts of the manual: what the program prints, compared with a text, literally.
//!
//! A file in `transcripts/` holds commands (`$ aperto ...`) and what each prints: stdout, then stderr,
//! then `(rc N)` where the code is not 0. `#` begins a remark. Ports are free ones of four digits, and
//! stand in the texts as 7000; the client's port stands there as 52814.

#![cfg(test)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_aperto");

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aperto-transcripts-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text_of(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(name)).unwrap()
}

/// A port of four digits that nobody uses, another one each time.
fn free_port() -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(7100);
    let mut next = NEXT.lock().unwrap();
    loop {
        *next += 1;
        let at = (Ipv4Addr::LOCALHOST, *next);
        if TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok() {
            return *next;
        }
        assert!(*next < 9_900, "no port is free");
    }
}

fn aperto(folder: &Folder, words: &[String]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words).current_dir(&folder.0).env_clear().env("LC_ALL", "C.UTF-8").env("HOME", &folder.0);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

/// Words as a shell takes them, with double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut any) = (String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '"' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => word.push(other),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// What was printed, as a file of transcripts has it.
fn told(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    text.push_str(&String::from_utf8(output.stderr.clone()).unwrap());
    match output.status.code() {
        Some(0) => {}
        code => text.push_str(&format!("(rc {})\n", code.unwrap_or(-1))),
    }
    text
}

/// Runs each command of a file and compares.
fn check(name: &str) {
    check_with(name, 7000, |text| text);
}

fn check_with(name: &str, port: u16, adapt: impl Fn(String) -> String) {
    let folder = Folder::new(name);
    // What `show` is given that is no capture: a zip file, as a document of an office program is.
    fs::write(folder.0.join("relatorio.docx"), b"PK\x03\x04 and so on").unwrap();
    for (file, text) in [
        (
            "report.rules",
            "handshake in 1..3\nanswer \"Olá\" with \"OLÁ\" by server within 30ms\n\
             closed-first-by client # and not the server\nclose-segments 4\nno other-traffic\n",
        ),
        ("close.rules", "handshake in 1..3\nclose-segments 3\n"),
        ("wrong.rules", "handshke in 1..3\nclosed-first-by clinet\nduration < 5\n"),
        ("relatorio.regras", "Aperto-de-mão em 1..3\nreenvios = 0\nfechou-primeiro cliente\nduração < 1s\n"),
    ] {
        fs::write(folder.0.join(file), text).unwrap();
    }
    let text = text_of(name);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in lines {
        match line.strip_prefix("$ aperto") {
            Some(command) => blocks.push((command, String::new())),
            None => {
                let (_, expected) = blocks.last_mut().expect("a file begins with a command");
                expected.push_str(line);
                expected.push('\n');
            }
        }
    }
    assert!(!blocks.is_empty());
    for (command, expected) in blocks {
        let typed: Vec<String> =
            words(command).iter().map(|word| word.replace("7000", &port.to_string())).collect();
        let output = aperto(&folder, &typed).output().unwrap();
        let printed =
            told(&output).replace(&port.to_string(), "7000").replace(&(port + 1).to_string(), "7001");
        let printed = adapt(printed);
        // An empty line ends a block and belongs to the file.
        assert_eq!(printed.trim_end(), expected.trim_end(), "$ aperto{command}");
    }
}

#[test]
fn the_default_run() {
    check("a-default-run.txt");
    check("a-default-run.pt.txt");
}

#[test]
fn the_default_run_fits_a_small_terminal() {
    for language in ["en", "pt-BR"] {
        let folder = Folder::new(language);
        let typed = words(&format!("--lang {language} --view ladder"));
        let output = aperto(&folder, &typed).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 23);
        // Every character of it takes one column.
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }
}

/// Into a file, too, a run that is over is drawn; where there is no room it is told in lines.
#[test]
fn what_decides_how_a_finished_run_looks() {
    let folder = Folder::new("looks");
    let plain = |variables: &[(&str, &str)], line: &str| {
        let output = aperto(&folder, &words(line)).envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let drawn = text_of("a-default-run.txt").lines().skip(2).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(plain(&[], ""), drawn);
    assert_eq!(plain(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], ""), drawn);
    assert_eq!(plain(&[("LC_ALL", ""), ("LANG", "")], ""), drawn);
    assert!(plain(&[("CLICOLOR_FORCE", "1")], "").contains("\u{1b}["));
    assert!(plain(&[("LC_ALL", "C")], "").is_ascii());
    assert!(plain(&[("COLUMNS", "60")], "").contains("[SENT]"));
    assert!(plain(&[("APERTO_VIEW", "lines")], "").contains("[SENT]"));
    assert_eq!(plain(&[("APERTO_VIEW", "lines")], "--view ladder"), drawn);
    assert!(plain(&[("LC_ALL", "pt_BR.UTF-8")], "").contains("por quê"));
    assert!(plain(&[("LC_ALL", "pt_BR.UTF-8"), ("APERTO_LANG", "en")], "").contains("why:"));
    fs::write(folder.0.join("aperto.toml"), "view = \"lines\"\nlang = \"pt-BR\"\n").unwrap();
    assert!(plain(&[], "").contains("[ENVIADO]"));
}

#[test]
fn a_lossy_channel() {
    check("d-lossy-channel.txt");
    check("d-lossy-channel.pt.txt");
    check("d-ascii.txt");
    check("d-bulk.txt");
}

/// What was sent arrived: 0. Some of it did not, or could not even be said: 1. Scenes that are about
/// just that do what they are asked to.
#[test]
fn the_code_of_a_run_says_whether_everything_arrived() {
    let folder = Folder::new("codes");
    let code = |line: &str| aperto(&folder, &words(line)).output().unwrap().status.code();
    assert_eq!(code(""), Some(0));
    assert_eq!(code("--drop 4"), Some(0));
    assert_eq!(code("--loss 100%"), Some(1));
    assert_eq!(code("--proto udp --drop data:2"), Some(1));
    assert_eq!(code("--proto sr --drop data:2"), Some(0));
    for scene in
        ["refuse", "reset", "blackhole", "half-close", "simultaneous-open", "time-wait", "bulk", "ports"]
    {
        assert_eq!(code(&format!("demo {scene}")), Some(0), "{scene}");
    }
}

#[test]
fn the_calls_of_the_application_beside_the_segments() {
    check("calls.txt");
    check("calls.pt.txt");
}

#[test]
fn a_recording() {
    check("e-recording.txt");
}

#[test]
fn a_recording_is_run_again() {
    check("replay.txt");
    check("replay.pt.txt");
}

#[test]
fn the_state_diagram_with_the_way_that_was_walked() {
    check("states.txt");
    check("states.pt.txt");
}

#[test]
fn why_the_port_changes() {
    check("ports.txt");
    check("ports.pt.txt");
}

#[test]
fn claims_about_a_recording() {
    check("check.txt");
    check("check.pt.txt");
}

#[test]
fn protocols_compared() {
    check("f-compare.txt");
    check("f-compare.pt.txt");
    check("f-gbn.pt.txt");
    check("f-sr-lines.pt.txt");
    check("f-udp.txt");
}

#[test]
fn layers_of_integrity_compared() {
    check("integrity.txt");
    check("integrity.pt.txt");
    check("sealed.txt");
}

#[test]
fn errors_say_what_happened_why_and_what_to_type() {
    let port = free_port();
    check_with("h-errors.txt", port, |text| text);
    check_with("h-errors.pt.txt", port, |text| text);
}

/// The holder's name and number are those of a process of ours; the line keeps its 80 columns.
#[test]
fn a_taken_port_names_who_holds_it() {
    let port = free_port();
    let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let pid = std::process::id();
    let name = fs::read_to_string("/proc/self/comm").unwrap_or_default();
    let mine = format!("\"{}\" (pid {pid})", name.trim_end());
    for file in ["h-port-taken.txt", "h-port-taken.pt.txt"] {
        check_with(file, port, |text| {
            let shown = text.replace(&mine, "\"python3\" (pid 4121)");
            assert_ne!(shown, text, "it does not say {mine}");
            let (head, tail) = shown.split_once("  (").expect("a code at the right");
            let head = head.trim_end();
            let line = tail.lines().next().unwrap_or_default();
            let room = 80 - head.chars().count() - 1 - line.chars().count();
            format!("{head}{}({tail}", " ".repeat(room))
        });
    }
    drop(held);
}

/// Starts a server and waits until it listens.
fn server(folder: &Folder, flags: &str, port: u16) -> (Running, PathBuf) {
    let file = folder.0.join(format!("server-{port}.txt"));
    let typed = words(&format!("server {port} {flags}"));
    let child = aperto(folder, &typed).stdout(fs::File::create(&file).unwrap()).spawn().unwrap();
    let running = Running(child);
    wait_for(&file, "LISTEN");
    (running, file)
}

fn wait_for(file: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test that waits for a process has a clock")]
    let began = Instant::now();
    while !fs::read_to_string(file).is_ok_and(|shown| shown.contains(text)) {
        assert!(began.elapsed() < Duration::from_secs(20), "{text} was never shown in {}", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says that a test cannot do its work here, where people and `test.sh` look for it.
fn skip(name: &str, reason: &str) {
    println!("SKIPPED {name}: {reason}");
    if let Some(file) = std::env::var_os("APERTO_TEST_SKIPS") {
        use std::io::Write as _;
        let mut skips = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(skips, "{name}: {reason}").unwrap();
    }
}

/// Types into a client on a terminal of its own; gives what was shown, line by line, as a person sees
/// it. None where there is no python3 to make a terminal.
fn on_a_terminal(
    folder: &Folder,
    steps: &[(&str, &str)],
    prompt: &str,
    command: &[String],
) -> Option<(Vec<String>, i32)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/terminal.py");
    let mut typed = Command::new("python3");
    typed.arg(script);
    for (expected, text) in steps {
        typed.args([expected, text]);
    }
    typed.arg("--").arg(PROGRAM).args(command).current_dir(&folder.0);
    typed.env("LC_ALL", "C.UTF-8").env("TERM", "xterm").env("NO_COLOR", "1").env("HOME", &folder.0);
    let output = typed.output().ok()?;
    let raw = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<String> = without_escapes(&raw)
        .replace("\r\n", "\n")
        .lines()
        .filter_map(|line| {
            // The editor draws its line anew, from its start, as often as it likes.
            let last = line.split('\r').rfind(|part| !part.is_empty())?;
            let is_typed = steps.iter().any(|(_, text)| *text == last);
            Some(if is_typed { format!("{prompt}{last}") } else { last.to_owned() })
        })
        .filter(|line| line != prompt)
        .collect();
    // What is typed before the editor is ready is shown twice, as on any terminal.
    lines.dedup_by(|this, before| this == before && this.starts_with(prompt));
    Some((lines, output.status.code().unwrap_or(-1)))
}

/// Takes out what moves a cursor.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            if letters.next_if_eq(&'[').is_some() {
                while letters.next().is_some_and(|letter| !letter.is_ascii_alphabetic()) {}
            }
        } else {
            out.push(letter);
        }
    }
    out
}

/// The ports as the texts have them.
fn with_usual_ports(line: &str, server_port: u16) -> String {
    let line = line.replace(&server_port.to_string(), "7000");
    for mark in ["porta ", "port ", "127.0.0.1:"] {
        let Some(at) = line.find(mark).map(|at| at + mark.len()) else { continue };
        let digits: String = line[at..].chars().take_while(char::is_ascii_digit).collect();
        if digits.len() >= 4 && digits != "7000" {
            return line.replacen(&digits, "52814", 1);
        }
    }
    line
}

/// 2.6 (b): both terminals. What follows the handshake there is (c).
#[test]
fn a_server_in_one_terminal_and_a_client_in_another() {
    let (folder, port) = (Folder::new("b"), free_port());
    let (_running, file) = server(&folder, "--isn 1234,1567", port);
    let command = words(&format!("cliente 127.0.0.1 {port} --isn 1234,1567 --lang pt-BR"));
    let Some((shown, code)) = on_a_terminal(&folder, &[("mostra o resto", "sair")], "voce> ", &command)
    else {
        return skip("a_server_in_one_terminal_and_a_client_in_another", "no python3");
    };
    assert_eq!(code, 0);
    let shown: Vec<String> = shown.iter().map(|line| with_usual_ports(line, port)).collect();
    // The prompt itself is drawn anew and left out.
    let expected = text_of("b-client.pt.txt");
    let expected: Vec<&str> = expected.lines().filter(|line| *line != "voce>").collect();
    assert_eq!(shown[..expected.len()], expected);

    wait_for(&file, "closed");
    let told = fs::read_to_string(&file).unwrap();
    let told: Vec<String> = told.lines().map(|line| with_usual_ports(line, port)).collect();
    let expected = text_of("b-server.txt");
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(told[..expected.len()], expected);
}

/// 2.6 (c). The last line there has the code of the program in brackets, which is not printed.
#[test]
fn a_chat_with_a_loss_on_purpose() {
    let (folder, port) = (Folder::new("c"), free_port());
    let (_running, _) = server(&folder, "--lang pt-BR --isn 1234,1567", port);
    let command = words(&format!("cliente 127.0.0.1 {port} --isn 1234,1567 --lang pt-BR"));
    let steps = [
        ("mostra o resto", "oi, tudo bem?"),
        ("#6 ACK", "/perder proximo"),
        ("descartado pelo canal", "ainda ai?"),
        ("#10 ACK", "sair"),
    ];
    let Some((shown, code)) = on_a_terminal(&folder, &steps, "voce> ", &command) else {
        return skip("a_chat_with_a_loss_on_purpose", "no python3");
    };
    assert_eq!(code, 0);
    let from = shown.iter().position(|line| line == "voce> oi, tudo bem?").unwrap();
    let expected = text_of("c-chat.pt.txt").replace("     (rc 0)", "");
    assert_eq!(shown[from..], expected.lines().collect::<Vec<_>>());
}

/// 2.6 (c) in English. With its rule the answer's last line would have 81 columns, as it has in the
/// manual; the rule goes to a line of its own.
#[test]
fn a_reason_asked_for_at_the_prompt() {
    let (folder, port) = (Folder::new("c-en"), free_port());
    let (_running, _) = server(&folder, "--isn 1234,1567", port);
    let command = words(&format!("client 127.0.0.1 {port} --isn 1234,1567"));
    let steps = [("shows the rest", "hello"), ("#6 ACK", "/why 6"), ("3.8.6.3", "quit")];
    let Some((shown, code)) = on_a_terminal(&folder, &steps, "you> ", &command) else {
        return skip("a_reason_asked_for_at_the_prompt", "no python3");
    };
    assert_eq!(code, 0);
    let from = shown.iter().position(|line| line == "you> hello").unwrap();
    let expected = text_of("c-chat.txt");
    let expected: Vec<&str> = expected.lines().filter(|line| !line.starts_with("you> quit")).collect();
    assert_eq!(shown[from..from + expected.len()], expected);
}
