//! The chat of the second course project, on real processes: HELLO, each message confirmed, both
//! directions, `sair`; a server that is killed and started again; members without a program.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::secure::User;
use crate::support::{PATIENCE, Program, Scratch, free_port, has, peer, run, server, start};

const WIRES: [&str; 2] = ["udp", "os"];

/// A member that is in.
fn member(port: u16, wire: &str, name: &str, flags: &[&str]) -> Program {
    let port = port.to_string();
    let all = ["client", "127.0.0.1", &port, "--chat", "--wire", wire, "--name", name];
    let mut member = start(&[&all, flags].concat());
    member.sees(&format!("[HELLO]     {name} is in"));
    member
}

/// How often a whole line was printed.
fn times(printed: &str, line: &str) -> usize {
    printed.lines().filter(|printed| *printed == line).count()
}

/// Waits until it has printed this, wherever.
#[track_caller]
fn has_printed(program: &Program, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !program.printed().contains(wanted) {
        assert!(Instant::now() < deadline, "no {wanted:?} in\n{}", program.printed());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_chat_has_a_hello_a_confirmation_for_each_message_and_ends_with_sair() {
    for wire in WIRES {
        let scratch = Scratch::new();
        let port = free_port();
        let journal = scratch.file("sala.journal");
        let flags = ["--chat", "--wire", wire, "--max", "400", "--journal", &journal];
        let mut server = server(port, &flags);
        server.sees(&format!("aperto client 127.0.0.1 {port}"));
        let asks =
            ["--max", "5000", "--payload", "50", "--window", "2", "--ack", "group", "--integrity", "none"];
        let mut ana = member(port, wire, "ana", &asks);
        ana.sees("asked   tcp max=5000 len=50 win=2 ack=group nack none");
        ana.sees("granted tcp max=400 len=50 win=2 ack=group nack none");
        server.sees("granted tcp max=400 len=50 win=2 ack=group nack none");
        let mut rui = member(port, wire, "rui", &[]);
        ana.sees("rui came");
        for (number, text) in ["oi, tudo bem?", "segunda", "terceira"].iter().enumerate() {
            ana.is_told(&format!("{text}\n"));
            ana.sees(&format!("[ACK]       message {} is confirmed", number + 1));
            rui.sees(&format!("ana: {text}"));
            server.sees(&format!("ana: {text}"));
        }
        // In pieces of 50 octets, and longer than was granted.
        let long = "x".repeat(390);
        ana.is_told(&format!("{long}\n{}\n", "y".repeat(401)));
        rui.sees(&format!("ana: {long}"));
        ana.sees("not sent: a message has at most 400 bytes here");
        // Both directions, and the operator.
        rui.is_told("e aí?\n");
        ana.sees("rui: e aí?");
        server.is_told("bem-vindas\n");
        ana.sees("server: bem-vindas");
        rui.sees("server: bem-vindas");
        ana.is_told("sair\n");
        rui.sees("ana left");
        ana.finish().ended(0);
        server.is_told("/estado\nsair\n");
        server.sees("1 member · 6 messages confirmed");
        let server = server.finish().ended(0);
        assert!(server.out.contains("c1 closed"), "{}", server.out);
        let rui = rui.finish().ended(0);
        assert_eq!(times(&rui.out, "ana: segunda"), 1, "{}", rui.out);
    }
}

/// RELIABILITY AP-11: what was confirmed is there after a kill, what was not is said again.
#[test]
fn a_killed_server_goes_on_from_its_journal_and_members_come_back_by_themselves() {
    for wire in WIRES {
        let scratch = Scratch::new();
        let port = free_port();
        let journal = scratch.file("sala.journal");
        let flags = ["--chat", "--wire", wire, "--journal", &journal];
        let first = server(port, &flags);
        let (mut ana, mut rui) = (member(port, wire, "ana", &[]), member(port, wire, "rui", &[]));
        ana.is_told("antes\n");
        ana.sees("[ACK]       message 1 is confirmed");
        rui.sees("ana: antes");
        first.signal("KILL");
        assert_eq!(first.finish().code, -1);
        // Nobody hears this now.
        ana.is_told("no meio\n");
        rui.is_told("eu também\n");
        let mut second = server(port, &flags);
        second.sees("1 message kept");
        ana.sees("[BACK]      in again as ana · 1 message said again");
        ana.sees("[ACK]       message 2 is confirmed");
        // Whoever comes back first is heard first. Once something is confirmed, all who are there have
        // it before anything that is said later.
        for wanted in ["ana: no meio", "[ACK]       message 1 is confirmed"] {
            has_printed(&rui, wanted);
        }
        ana.is_told("depois\n");
        ana.sees("[ACK]       message 3 is confirmed");
        rui.sees("ana: depois");
        ana.is_told("/state\nsair\n");
        ana.sees("in the room · 0 messages not confirmed");
        let ana = ana.finish().ended(0);
        rui.is_told("sair\n");
        let rui = rui.finish().ended(0);
        for text in ["antes", "no meio", "depois"] {
            assert_eq!(times(&rui.out, &format!("ana: {text}")), 1, "{text}:\n{}", rui.out);
        }
        assert_eq!(times(&ana.out, "rui: eu também"), 1, "{}", ana.out);
        assert!(ana.out.contains("[BROKEN]"), "{}", ana.out);
        second.is_told("sair\n");
        second.finish().ended(0);
        // A third one reads the same four messages.
        let mut third = server(port, &flags);
        third.sees("4 messages kept");
    }
}

#[test]
fn a_member_that_was_away_gets_what_it_missed() {
    let scratch = Scratch::new();
    let port = free_port();
    let journal = scratch.file("sala.journal");
    let server = server(port, &["--chat", "--wire", "os", "--journal", &journal]);
    let (mut ana, mut rui) = (member(port, "os", "ana", &[]), member(port, "os", "rui", &[]));
    // Asleep, as a laptop that is closed.
    rui.signal("STOP");
    for number in 1..=5 {
        ana.is_told(&format!("mensagem {number}\n"));
        ana.sees(&format!("[ACK]       message {number} is confirmed"));
    }
    rui.signal("CONT");
    for number in 1..=5 {
        rui.sees(&format!("ana: mensagem {number}"));
    }
    server.signal("INT");
    server.finish().ended(130);
}

#[test]
fn a_person_with_nothing_but_a_connection_is_in_the_room_too() {
    let port = free_port();
    let mut server = server(port, &["--chat", "--wire", "os"]);
    let mut ana = member(port, "os", "ana", &[]);
    let mut person = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut lines = BufReader::new(person.try_clone().unwrap()).lines();
    person.write_all(b"oi do nc\n").unwrap();
    ana.sees("c2: oi do nc");
    ana.is_told("oi, pessoa \u{1b}[31m\n");
    assert_eq!(lines.next().unwrap().unwrap(), "ana: oi, pessoa \\u{1b}[31m");
    server.is_told("bem-vinda\n");
    assert_eq!(lines.next().unwrap().unwrap(), "bem-vinda");
    person.write_all(b"sair\n").unwrap();
    ana.sees("c2 left");
    assert!(lines.next().is_none(), "its connection closes");
    // A client of ours without --chat is such a person.
    let plain = run(&["client", "127.0.0.1", &port.to_string(), "--wire", "os", "-m", "sem --chat"]).ended(0);
    assert!(plain.out.contains("10 bytes sent"), "{}", plain.out);
    ana.sees("c3: sem --chat");
}

#[test]
fn standard_input_is_said_line_by_line_and_a_message_is_said_and_confirmed() {
    let port = free_port();
    let mut server = server(port, &["--chat"]);
    let text = port.to_string();
    let all = ["client", "127.0.0.1", &text, "--chat", "--name", "ana"];
    let mut client = start(&all);
    client.is_told("um\ndois\n\ntrês\n");
    let client = client.finish().ended(0);
    for id in 1..=3 {
        assert_eq!(times(&client.out, &format!("[ACK]       message {id} is confirmed")), 1);
    }
    for said in ["ana: um", "ana: dois", "ana: três"] {
        server.sees(said);
    }
    let one = run(&[&all[..], &["-m", "uma só", "--lang", "pt-BR"]].concat()).ended(0);
    assert!(one.out.contains("[ACK]       mensagem 1 confirmada"), "{}", one.out);
    assert!(one.out.contains("pediu      tcp max=1000"), "{}", one.out);
    server.sees("ana: uma só");
    let long = "x".repeat(1_001);
    run(&[&all[..], &["-m", &long]].concat()).ended(1);
}

#[test]
fn a_recording_shows_what_was_asked_and_granted_beside_the_segments_that_carried_it() {
    let scratch = Scratch::new();
    let port = free_port();
    let server = server(port, &["--chat", "--max", "200", "--once"]);
    let file = scratch.file("chat.pcapng");
    let all = ["client", "127.0.0.1", &port.to_string(), "--chat", "--name", "ana", "-m", "oi", "-w", &file];
    run(&all).ended(0);
    drop(server);
    let shown = run(&["show", &file, "--view", "ladder", "--width", "120"]).ended(0);
    for wanted in [
        "carries: ASK tcp max=1000 len=1000 win=5 ack=individual nack digest · JOIN ana",
        "carries: GRANT tcp max=200 len=1000 win=5 ack=individual nack digest · WELCOME ana",
        "SAY 1 \"oi\"",
        "ACK 1",
    ] {
        assert!(shown.out.contains(wanted), "no {wanted:?} in\n{}", shown.out);
    }
    let shown = run(&["show", &file, "--view", "ladder", "--width", "120", "--lang", "pt-BR"]).ended(0);
    assert!(shown.out.contains("leva: ASK tcp max=1000"), "{}", shown.out);
}

#[test]
fn at_a_terminal_a_message_may_be_lost_on_purpose_and_is_still_confirmed_once() {
    if !has("at_a_terminal_a_message_may_be_lost_on_purpose_and_is_still_confirmed_once", &["python3"]) {
        return;
    }
    let port = free_port();
    let mut server = server(port, &["--chat", "--once"]);
    let port = port.to_string();
    let script = [
        "voce>",
        "/perder proximo",
        "será descartado pelo canal",
        "ainda ai?",
        "[REENVIO]",
        "/ajuda",
        "mensagem 1 confirmada",
        "/corromper",
        "será danificado",
        "de novo",
        "mensagem 2 confirmada",
        "/normal",
        "canal",
        "/estado",
        "na sala",
        "sair",
        "--",
    ];
    let mut terminal = peer("terminal.py", &script);
    terminal.arg(env!("CARGO_BIN_EXE_aperto"));
    terminal.args(["cliente", "127.0.0.1", &port, "--chat", "--name", "ana", "--lang", "pt-BR"]);
    terminal.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    let client = Program::start(terminal).finish().ended(0);
    assert!(client.out.contains("[PERDIDO]") && client.out.contains("[CONEXÃO ENCERRADA]"), "{}", client.out);
    server.sees("ana: ainda ai?");
    server.sees("ana: de novo");
    let server = server.finish().ended(0);
    assert_eq!(times(&server.out, "ana: ainda ai?"), 1);
}

#[test]
fn a_chat_is_had_in_secret_and_comes_back_after_a_kill() {
    let (ana, bob) = (User::new(), User::new());
    for wire in WIRES {
        let port = free_port();
        let journal = ana.0.file(&format!("{wire}.journal"));
        let flags = ["--chat", "--wire", wire, "--journal", &journal];
        let (first, address) = ana.serves(port, &flags);
        let mut member = bob.start(&["client", &address, "--chat", "--wire", wire, "--name", "bob"]);
        member.sees("bob is in");
        member.is_told("segredo um\n");
        member.sees("[ACK]       message 1 is confirmed");
        first.signal("KILL");
        assert_eq!(first.finish().code, -1);
        member.is_told("segredo dois\n");
        let (mut second, _) = ana.serves(port, &flags);
        member.sees("[BACK]");
        member.sees("[ACK]       message 2 is confirmed");
        second.sees("bob: segredo dois");
        member.finish().ended(0);
        drop(second);
    }
}
