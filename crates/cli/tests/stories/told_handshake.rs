//! The first: SYN:2389, its answer, its confirmation, and four messages that close, the server first.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::port_of_story;
use crate::support::{Program, Scratch, free_port, has, in_order, peer, run, server};

/// All seven, as the server tells them.
const TOLD: [&str; 9] = [
    "[RECEIVED] SYN:2389",
    "[SENT]     SYN-ACK:4404:ACK:2390",
    "[RECEIVED] ACK:4405",
    "[HANDSHAKE COMPLETE] 3 messages",
    "[SENT]     FIN:4405",
    "[RECEIVED] ACK:4406",
    "[RECEIVED] FIN:2390",
    "[SENT]     ACK:2391",
    "[CONNECTION CLOSED] 7 messages",
];

#[test]
fn a_server_for_many_clients_tells_the_handshake_and_the_close_step_by_step() {
    let name = "a_server_for_many_clients_tells_the_handshake_and_the_close_step_by_step";
    if !has(name, &["python3"]) {
        return;
    }
    let port = port_of_story(5000);
    let mut ours = server(port, &["--wire", "os", "--text", "handshake"]);
    ours.sees("5 s a message");
    let at = port.to_string();
    // One that says nothing is there the whole time, and three that speak, at once.
    let mut silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    ours.sees("c1 open with 127.0.0.1:");
    let clients: Vec<Program> =
        (0..3).map(|_| Program::start(peer("text_handshake.py", &["client", &at, "20"]))).collect();
    for client in clients {
        let said = client.finish().ended(0).out;
        in_order(
            &said,
            &["sent SYN:2389", "handshake complete", "received FIN:4405", "sent FIN:2390", "closed"],
        );
    }
    // One that acknowledges the wrong number.
    let wrong = Program::start(peer("text_handshake.py", &["client", &at, "20", "number"])).finish().ended(1);
    assert!(wrong.out.contains("it is 4405"), "{}", wrong.out);
    // The silent one is told after five seconds, and the server is still there for one by hand.
    let mut told = String::new();
    silent.read_to_string(&mut told).unwrap();
    assert_eq!(told, "error: you did not write SYN:... within 5 s\n");
    drop(silent);
    ours.sees("c1 [TIMEOUT] 127.0.0.1:");
    let mut by_hand = TcpStream::connect(("127.0.0.1", port)).unwrap();
    by_hand.write_all(b"SYN:7\nACK:4405\nACK:4406\nFIN:8\n").unwrap();
    let mut told = String::new();
    by_hand.read_to_string(&mut told).unwrap();
    assert_eq!(told, "SYN-ACK:4404:ACK:8\nFIN:4405\nACK:9\n");
    ours.sees("c6 [CONNECTION CLOSED] 7 messages");
    let all = ours.printed();
    for label in ["c2", "c3", "c4"] {
        let lines: String = all
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{label} ")))
            .flat_map(|line| [line, "\n"])
            .collect();
        in_order(&lines, &TOLD);
    }
    in_order(&all, &["c5 [WRONG] 127.0.0.1:", "acknowledged 4404; the SYN used that number"]);
}

#[test]
fn a_client_tells_it_to_a_server_of_others_in_portuguese() {
    let name = "a_client_tells_it_to_a_server_of_others_in_portuguese";
    if !has(name, &["python3"]) {
        return;
    }
    let mut theirs = Program::start(peer("text_handshake.py", &["server", "1", "20"]));
    let port = theirs.first_line();
    let flags = ["--wire", "os", "--text", "handshake", "--lang", "pt-BR"];
    let ours = run(&[&["cliente", "127.0.0.1", port.as_str()], &flags[..]].concat()).ended(0);
    in_order(
        &ours.out,
        &[
            "[ENVIADO]  SYN:2389",
            "[RECEBIDO] SYN-ACK:4404:ACK:2390",
            "[ENVIADO]  ACK:4405",
            "[HANDSHAKE COMPLETO] 3 mensagens",
            "[RECEBIDO] FIN:4405",
            "[ENVIADO]  ACK:4406",
            "[ENVIADO]  FIN:2390",
            "[RECEBIDO] ACK:2391",
            "[CONEXÃO ENCERRADA] 7 mensagens",
        ],
    );
    theirs.finish().ended(0);
}

/// Seven messages are told; what TCP sends meanwhile is another story, and a recording has both.
#[test]
fn what_is_told_is_data_of_a_connection_that_was_open_before() {
    let ladder = run(&["demo", "text-handshake", "--view", "ladder"]).ended(0).out;
    in_order(
        &ladder,
        &[
            "SYN_SENT     ── SYN seq=0",
            "ESTABLISHED  ◀─────── SYN,ACK seq=0 ack=1",
            "── PSH,ACK seq=1 ack=1 len=8",
            "app wrote \"SYN:2389\": 8 bytes",
            "app wrote \"SYN-ACK:4404:ACK:2390\": 21 bytes",
            "FIN,PSH,ACK",
            "server app closed",
            "7 messages told in text",
        ],
    );
    let scratch = Scratch::new();
    let file = scratch.file("told.pcapng");
    let port = free_port();
    let ours = server(port, &["--text", "handshake", "--once", "-w", &file]);
    run(&["client", "127.0.0.1", &port.to_string(), "--text", "handshake"]).ended(0);
    ours.finish().ended(0);
    let shown = run(&["show", &file, "--view", "lines"]).ended(0).out;
    in_order(&shown, &["#1 SYN ", "#2 SYN,ACK", "#3 ACK", "PSH,ACK", "SYN:2389", "SYN-ACK:4404:ACK:2390"]);
    in_order(&shown, &["FIN:4405", "ACK:4406", "FIN:2390", "ACK:2391"]);
}
