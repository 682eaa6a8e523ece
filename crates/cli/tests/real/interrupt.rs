//! Ctrl-C closes the recording; a reader that goes away ends the program quietly.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{MEBIBYTE, Scratch, command, free_port, run, server, start};
use crate::tshark;

#[test]
fn an_interrupted_server_closes_its_recording() {
    let name = "an_interrupted_server_closes_its_recording";
    let scratch = Scratch::new();
    for ending in ["pcapng", "pcap", "aperto"] {
        let file = scratch.file(&format!("server.{ending}"));
        let port = free_port();
        let mut server = server(port, &["--echo", "-w", &file]);
        let mut client = start(&["client", "127.0.0.1", &port.to_string()]);
        client.is_told("hello");
        server.sees("c1 open");
        server.sees("len=5");
        server.signal("INT");
        let server = server.finish().ended(130);
        assert!(server.error.contains(&format!("wrote {file}")), "{}", server.error);
        // Our RST tells the client.
        let client = client.finish().ended(3);
        assert!(client.error.contains("reset the connection"), "{}", client.error);
        run(&["show", &file]).ended(0);
        if ending == "aperto" {
            let text = std::fs::read_to_string(&file).unwrap();
            let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((&last["type"], &last["exit_code"]), (&"end".into(), &130.into()));
        } else if let Some(frames) = tshark::frames(name, &file, &[]) {
            // SYN, SYN-ACK, ACK, hello, hello, and the reset at least.
            assert!(frames.len() >= 6, "{} frames", frames.len());
            assert!(frames.iter().any(|frame| frame.flags & 0x004 != 0), "no RST");
        }
    }
}

#[test]
fn an_interrupted_client_closes_its_recording_in_the_middle_of_a_file() {
    let name = "an_interrupted_client_closes_its_recording_in_the_middle_of_a_file";
    let scratch = Scratch::new();
    let (large, _) = scratch.large("large", 8 * MEBIBYTE);
    let file = scratch.file("client.pcapng");
    let port = free_port();
    let _server = server(port, &["--sink", "--view", "none"]);
    // 8 MiB at 10 Mbit/s take 6.7 s.
    let mut client =
        start(&["client", "127.0.0.1", &port.to_string(), "--file", &large, "-w", &file, "--rate", "10mbit"]);
    client.sees("len=");
    client.signal("INT");
    client.finish().ended(130);
    run(&["show", &file]).ended(0);
    if let Some(frames) = tshark::frames(name, &file, &[]) {
        assert!(frames.last().unwrap().flags & 0x004 != 0, "the last frame is no RST");
    }
}

#[test]
fn a_request_to_end_is_as_good_as_ctrl_c() {
    let server = server(free_port(), &[]);
    server.signal("TERM");
    server.finish().ended(130);
    let port = free_port();
    let server = crate::support::server(port, &["--wire", "os"]);
    server.signal("INT");
    server.finish().ended(130);
}

/// Reads the beginning of what a program prints, and goes away.
fn read_a_little(arguments: &[&str]) {
    let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = Vec::new();
    let mut reader = BufReader::with_capacity(64, child.stdout.take().unwrap());
    reader.read_until(b'\n', &mut line).unwrap();
    drop(reader);
    ends_quietly(child, &format!("{arguments:?}"));
}

/// Fails unless it ends soon, with code 0 and without a word.
fn ends_quietly(mut child: Child, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{name} goes on though nobody reads");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!((status.code(), error.as_str()), (Some(0), ""), "{name}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    read_a_little(&["demo", "bulk", "--size", "1m", "--view", "lines"]);
    read_a_little(&["demo", "bulk", "--size", "1m", "--view", "json"]);
    read_a_little(&["demo", "bulk", "--size", "1m", "--view", "ladder", "--all"]);
    read_a_little(&["demo", "bulk", "--size", "1m", "--view", "none", "-q", "-w", "-"]);
    read_a_little(&["help", "--all"]);
    read_a_little(&["man"]);
}

#[test]
fn a_server_ends_at_the_next_thing_that_nobody_reads() {
    let port = free_port().to_string();
    let mut child =
        command(&["server", &port]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("LISTEN"), "{line}");
    // Its reader is gone; it notices when it has something to say.
    start(&["client", "127.0.0.1", &port, "-m", "hello", "--timeout", "10s"]).finish();
    ends_quietly(child, "server");
}
