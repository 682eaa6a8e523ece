//! `check`: claims about recordings of ours and about what another program captured.

use std::process::Command;

use super::support::{Program, Scratch, free_port, has, peer, run, server, skip, start};

const INSIDE: &str = "APERTO_TEST_INSIDE_NAMESPACE";

/// Of a live run, in every format that is written.
#[test]
fn claims_about_a_live_recording_hold_or_are_shown_to_fail() {
    let scratch = Scratch::new();
    for ending in ["aperto", "pcapng", "pcap"] {
        let port = free_port();
        let file = scratch.file(&format!("live.{ending}"));
        let server = server(port, &["--upper", "--once"]);
        let client = start(&["client", "127.0.0.1", &port.to_string(), "-m", "hello", "-w", &file]);
        client.finish().ended(0);
        server.finish().ended(0);
        let rules = format!(
            "handshake in 1..3\nanswer \"hello\" with \"HELLO\" by server\nclosed-first-by client\n\
             no other-traffic\nport {port}\nstreams 1\nretransmissions 0\noctets by client 5\n"
        );
        let rules = scratch.holding("true.rules", rules.as_bytes());
        let told = run(&["check", &file, &rules]).ended(0).out;
        assert!(told.ends_with("8 of 8 ok\n"), "{ending}: {told}");
        let rules = scratch.holding("false.rules", b"handshake\ncount RST >= 1\n");
        let told = run(&["check", &file, &rules, "-q"]).ended(1).out;
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.starts_with("FAIL  count RST >= 1"), "{told}");
        assert!(told.contains("1 of 2 failed"), "{told}");
    }
}

/// What dumpcap saw of two Python programs on a loopback of their own: a TCP echo, and a datagram.
#[test]
fn claims_about_what_somebody_else_captured() {
    let name = "claims_about_what_somebody_else_captured";
    if std::env::var_os(INSIDE).is_none() {
        if !has(name, &["unshare", "ip", "python3", "dumpcap"]) {
            return;
        }
        let possible = Command::new("unshare").args(["--net", "ip", "link"]).output().unwrap();
        if !possible.status.success() {
            return skip(name, &String::from_utf8_lossy(&possible.stderr));
        }
        let mut command = Command::new("unshare");
        command.arg("--net").arg(std::env::current_exe().unwrap());
        command
            .args(["--exact", &format!("check::{name}"), "--nocapture", "--test-threads=1"])
            .env(INSIDE, "1");
        let output = Program::start(command).finish().ended(0);
        print!("{}", output.out);
        assert!(output.out.contains("1 passed") || output.out.contains("SKIPPED"), "{}", output.out);
        return;
    }
    assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
    let scratch = Scratch::new();
    let file = scratch.file("lo.pcapng");
    let mut echo = Program::start(peer("echo_tcp.py", &["127.0.0.1"]));
    let port = echo.first_line();
    let mut command = Command::new("dumpcap");
    command.args(["-q", "-i", "lo", "-w", &file]);
    let capture = Program::start(command);
    // It says where the file is when it captures.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !capture.complained().contains("File:") {
        if std::time::Instant::now() > deadline {
            return skip(name, &format!("dumpcap does not capture: {}", capture.complained()));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let script = "import socket, sys\n\
        s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
        s.sendall(b'Hello, world')\n\
        got = b''\n\
        while len(got) < 12: got += s.recv(100)\n\
        s.shutdown(socket.SHUT_WR)\n\
        assert s.recv(100) == b''\n\
        s.close()\n\
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
        u.sendto(b'a datagram', ('127.0.0.1', 9))\n";
    let mut client = Command::new("python3");
    client.args(["-c", script, &port]);
    Program::start(client).finish().ended(0);
    echo.finish().ended(0);
    // The last packet is in the file when dumpcap says so; it ends when it is told to.
    std::thread::sleep(std::time::Duration::from_millis(500));
    capture.signal("INT");
    capture.finish();
    let rules = format!(
        "handshake in 1..3\necho \"Hello, world\" by server within 10s\nclosed-first-by client\n\
         close-segments 3..4\nother-traffic\nstate reached TIME-WAIT by client\nport {port}\n\
         octets by server 12\nno retransmissions\nstream 1\ndelivered \"a datagram\" to server\n"
    );
    let rules = scratch.holding("report.rules", rules.as_bytes());
    let told = run(&["check", &file, &rules]).ended(0).out;
    assert!(told.ends_with("10 of 10 ok\n"), "{told}");
    let rules = scratch.holding("wrong.rules", b"no other-traffic\n");
    let told = run(&["check", &file, &rules]).ended(1).out;
    assert!(told.contains("packets; others: #"), "{told}");
}

#[test]
fn what_cannot_be_judged_says_so() {
    let scratch = Scratch::new();
    let file = scratch.file("run.pcapng");
    run(&["-w", &file, "--view", "none", "-q"]).ended(0);
    let rules = scratch.holding("ok.rules", b"handshake\n");
    let whole = std::fs::read(&file).unwrap();
    let cut = scratch.holding("cut.pcapng", &whole[..whole.len() - 30]);
    let finished = run(&["check", &cut, &rules]).ended(6);
    assert!(finished.out.contains("ok    handshake"), "{}", finished.out);
    assert!(finished.error.contains("the claims were judged by the"), "{}", finished.error);
    let told = run(&["check", &cut, &rules, "--view", "json"]).ended(6).out;
    assert!(told.trim_end().lines().last().unwrap().contains("\"code\":\"check-cut-off\""), "{told}");
    run(&["check", &rules, &rules]).ended(6);
    run(&["check", &file, &scratch.file("missing.rules")]).ended(6);
    run(&["check", &file, &scratch.holding("empty.rules", b"")]).ended(2);
    run(&["check", &file, &scratch.holding("binary.rules", b"\xff\xfe\x00\x01handshake")]).ended(2);
    run(&["check", &file, &scratch.holding("giant.rules", &vec![b'x'; 2 << 20])]).ended(6);
    run(&["check", &file, &scratch.holding("many.rules", "lost 0\n".repeat(5_000).as_bytes())]).ended(2);
    let told = run(&["check", &file, &scratch.holding("esc.rules", b"\x1b[2J\n")]).ended(2).error;
    assert!(!told.contains('\u{1b}'), "{told:?}");
    run(&["check", &file]).ended(2);
}
