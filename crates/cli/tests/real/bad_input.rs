//! What a user gets wrong: each fault has its code and its words, in both languages, and as JSON.

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Finished, Program, Scratch, free_port, has, peer, run, server, start};

/// A fault in English, in Portuguese and as JSON: the same code, one last line.
#[track_caller]
fn fault(arguments: &[&str], code: i32, english: &[&str], portuguese: &[&str]) {
    let all = |more: &[&str]| run(&[arguments, more].concat()).ended(code);
    told(&all(&[]), "error: ", &format!("(exit {code})"), english);
    told(&all(&["--lang", "pt-BR"]), "erro: ", &format!("(saída {code})"), portuguese);
    let json = all(&["--view", "json"]);
    let lines: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let is_end = |line: &&Value| line["type"] == "end" || line["type"] == "error";
    assert_eq!(lines.iter().filter(is_end).count(), 1, "{arguments:?}: {}", json.out);
    let last = lines.last().unwrap();
    assert_eq!((&last["type"], &last["exit_code"]), (&"error".into(), &code.into()), "{arguments:?}");
    assert!(last["code"].is_string() && last["message"].is_string(), "{last}");
}

#[track_caller]
fn told(finished: &Finished, begins: &str, code: &str, wanted: &[&str]) {
    let error = &finished.error;
    assert!(error.starts_with(begins) && error.contains(code), "{error}");
    for wanted in wanted {
        assert!(error.contains(wanted), "no {wanted:?} in\n{error}");
    }
    assert!(!error.contains("panicked"), "{error}");
    assert!(error.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{error}");
}

#[test]
fn wrong_usage_is_2_and_says_what_to_type() {
    fault(
        &["--los", "10%"],
        2,
        &["--los", "did you mean", "--loss"],
        &["--los", "você quis dizer", "--loss"],
    );
    fault(&["sever"], 2, &["sever", "server"], &["sever", "server"]);
    fault(&["demo", "handshak"], 2, &["handshak", "handshake"], &["handshak", "handshake"]);
    fault(&["server", "99999"], 2, &["99999", "65535"], &["99999", "65535"]);
    fault(&["server", "seven"], 2, &["seven"], &["seven"]);
    fault(&["client"], 2, &["HOST"], &["HOST"]);
    fault(&["--seed", "x"], 2, &["--seed", "x"], &["--seed", "x"]);
    fault(&["server", "7000", "--echo", "--sink"], 2, &["--echo", "--sink"], &["--echo", "--sink"]);
    fault(&["--drop", "nothing"], 2, &["--drop nothing"], &["--drop nothing"]);
    fault(&["-w", "notes.txt"], 2, &["notes.txt", ".pcapng"], &["notes.txt", ".pcapng"]);
    fault(&["--isn", "12"], 2, &["--isn"], &["--isn"]);
    fault(&["server", "7000", "--wire", "os", "--loss", "1%"], 2, &["--loss"], &["--loss"]);
    fault(&["show"], 2, &["FILE"], &["ARQUIVO"]);
}

#[test]
fn ambiguous_units_are_2_and_are_not_guessed() {
    fault(&["--loss", "0.1"], 2, &["--loss 0.1", "10% or 0.1%?"], &["--loss 0.1", "10% ou 0.1%?"]);
    fault(&["--delay", "20"], 2, &["--delay 20", "20ms", "20s"], &["--delay 20", "20ms", "20s"]);
    fault(&["--rate", "1"], 2, &["--rate 1", "1mbit"], &["--rate 1", "1mbit"]);
    fault(&["client", "127.0.0.1", "--timeout", "3"], 2, &["--timeout 3", "3s"], &["--timeout 3", "3s"]);
    fault(&["--delay", "-20ms"], 2, &["--delay -20ms"], &["--delay -20ms"]);
    fault(&["--loss", "110%"], 2, &["--loss 110%"], &["--loss 110%"]);
}

#[test]
fn a_taken_port_is_5_and_names_the_holder() {
    // By one of ours.
    let port = free_port();
    let holder = server(port, &["--echo"]);
    let port_text = port.to_string();
    let taken = [&port_text, "aperto", "(pid "];
    fault(&["server", &port_text], 5, &[&taken[..], &["already in use"]].concat(), &taken);
    drop(holder);
    // By the system's sockets, of another program.
    let name = "a_taken_port_is_5_and_names_the_holder";
    if !has(name, &["python3"]) {
        return;
    }
    let mut python = Program::start(peer("echo_udp.py", &["127.0.0.1", "1"]));
    let port = python.first_line();
    fault(&["server", &port], 5, &[&port, "python"], &[&port, "python"]);
    let mut python = Program::start(peer("echo_tcp.py", &["127.0.0.1", "1"]));
    let port = python.first_line();
    fault(&["server", &port, "--wire", "os"], 5, &[&port, "python"], &[&port, "python"]);
}

#[test]
fn nobody_listening_is_3_and_says_what_to_start() {
    let port = free_port().to_string();
    let client = ["client", "127.0.0.1", &port, "-m", "x"];
    let english = format!("connection refused by 127.0.0.1:{port}");
    let portuguese = format!("conexão recusada por 127.0.0.1:{port}");
    let start = format!("aperto server {port}");
    let comece = format!("aperto servidor {port}");
    fault(&client, 3, &[&english, &start], &[&portuguese, &comece]);
    fault(&[&client[..], &["--wire", "os"]].concat(), 3, &[&english, &start], &[&portuguese, &comece]);
}

#[test]
fn a_peer_that_never_answers_is_4() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    fault(&["client", "127.0.0.1", &port, "-m", "x", "--timeout", "300ms"], 4, &["300 ms"], &["300 ms"]);
}

#[test]
fn addresses_that_are_not_ours_or_need_a_flag_are_told() {
    fault(&["server", "192.0.2.7:7000", "--lan"], 5, &["192.0.2.7"], &["192.0.2.7"]);
    fault(&["server", "0.0.0.0:7000"], 2, &["--lan"], &["--lan"]);
    fault(
        &["client", "no-such-host.invalid", "7000", "-m", "x"],
        5,
        &["no-such-host.invalid"],
        &["no-such-host.invalid"],
    );
}

#[test]
fn datagrams_that_are_not_ours_do_not_disturb_a_server() {
    let port = free_port();
    let mut server = server(port, &["--echo"]);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut nonsense: Vec<Vec<u8>> =
        vec![vec![], b"hello".to_vec(), vec![0xff; 20], vec![0; 1400], vec![0x50; 65_000]];
    nonsense
        .extend((1..60).map(|length| (0..length).map(|place: u32| (place * 37 + length) as u8).collect()));
    for octets in &nonsense {
        stranger.send_to(octets, ("127.0.0.1", port)).unwrap();
    }
    assert!(stranger.recv(&mut [0; 2000]).is_err(), "a stranger was answered");
    server.sees("[IGNORED]");
    let answer = run(&["client", "127.0.0.1", &port.to_string(), "-m", "hi", "--view", "none"]).ended(0);
    assert_eq!(answer.out, "hi");
}

#[test]
fn a_peer_that_speaks_something_else_is_7() {
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = stranger.local_addr().unwrap().port().to_string();
    let answering = std::thread::spawn(move || {
        stranger.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
        let mut room = [0; 2000];
        while let Ok((_, from)) = stranger.recv_from(&mut room) {
            stranger.send_to(b"HTTP/1.1 400 Bad Request\r\n\r\n", from).unwrap();
        }
    });
    let address = format!("127.0.0.1:{port}");
    fault(&["client", "127.0.0.1", &port, "-m", "x"], 7, &[&address, "28 bytes"], &[&address, "28 bytes"]);
    drop(answering);
}

#[test]
fn files_that_are_no_captures_are_6() {
    let scratch = Scratch::new();
    let zip = scratch.holding("relatorio.docx", b"PK\x03\x04\x14\x00\x06\x00rest of a document");
    fault(&["show", &zip], 6, &["is not a capture", "zip", ".pcapng, .pcap"], &["zip", ".pcapng, .pcap"]);
    let empty = scratch.holding("empty.pcapng", b"");
    fault(&["show", &empty], 6, &["is empty"], &["vazio"]);
    let text = scratch.holding("notes.pcapng", b"these are notes\n");
    fault(&["show", &text], 6, &["is not a capture", "text"], &["texto"]);
    fault(&["show", &scratch.file(".")], 6, &["cannot read"], &[]);
    fault(&["show", &scratch.file("nobody.pcapng")], 6, &["nobody.pcapng"], &["nobody.pcapng"]);
    let random = scratch.large("random.pcapng", 100_000).0;
    fault(&["show", &random], 6, &["is not a capture"], &["random.pcapng"]);
    let json = scratch.holding("other.aperto", b"{\"v\":1,\"type\":\"start\"}\n");
    fault(&["show", &json], 6, &["other.aperto"], &["other.aperto"]);
    let later = scratch.holding("later.aperto", b"{\"v\":99,\"type\":\"start\"}\n");
    fault(&["show", &later], 6, &["later.aperto"], &["later.aperto"]);
}

#[test]
fn a_recording_cut_off_anywhere_is_shown_as_far_as_it_goes() {
    let scratch = Scratch::new();
    for ending in ["pcapng", "pcap", "aperto"] {
        let file = scratch.file(&format!("whole.{ending}"));
        run(&["-w", &file, "-q", "--view", "none"]).ended(0);
        let octets = std::fs::read(&file).unwrap();
        let cut = scratch.file(&format!("cut.{ending}"));
        let step = octets.len() / 12;
        for length in (1..octets.len()).step_by(step) {
            std::fs::write(&cut, &octets[..length]).unwrap();
            let shown = run(&["show", &cut]);
            assert!([0, 6].contains(&shown.code), "{ending} at {length}: {shown:?}");
            assert!(!shown.error.contains("panicked"), "{}", shown.error);
        }
        std::fs::write(&cut, &octets[..octets.len() - 3]).unwrap();
        fault(&["show", &cut], 6, &["cut off", "shown above"], &["cortado"]);
    }
}

#[test]
fn a_damaged_recording_neither_panics_nor_hangs() {
    let scratch = Scratch::new();
    for ending in ["pcapng", "pcap", "aperto"] {
        let file = scratch.file(&format!("whole.{ending}"));
        run(&["demo", "data", "-w", &file, "-q", "--view", "none"]).ended(0);
        let octets = std::fs::read(&file).unwrap();
        let damaged = scratch.file(&format!("damaged.{ending}"));
        for place in (0..octets.len()).step_by(octets.len() / 24 + 1) {
            let mut octets = octets.clone();
            octets[place] ^= 0xff;
            std::fs::write(&damaged, octets).unwrap();
            let shown = run(&["show", &damaged, "--all"]);
            assert!([0, 6].contains(&shown.code), "{ending} at {place}: {shown:?}");
            assert!(!shown.error.contains("panicked"), "{}", shown.error);
        }
    }
}

#[test]
fn a_file_that_cannot_be_sent_or_written_is_told_before_anything_is_sent() {
    let port = free_port();
    let _server = server(port, &["--sink"]);
    let port = port.to_string();
    let client = ["client", "127.0.0.1", &port];
    fault(
        &[&client[..], &["--file", "/nobody/nothing"]].concat(),
        6,
        &["/nobody/nothing"],
        &["/nobody/nothing"],
    );
    fault(&[&client[..], &["--file", "/"]].concat(), 6, &["cannot read /"], &[]);
    fault(
        &[&client[..], &["-m", "x", "-w", "/nobody/x.pcapng"]].concat(),
        5,
        &["/nobody/x.pcapng"],
        &["/nobody/x.pcapng"],
    );
    let mut server = start(&["server", &free_port().to_string(), "-w", "/nobody/x.pcapng"]);
    server.is_told_no_more();
    server.finish().ended(5);
}
