//! The fifth: the three-way handshake as three messages, with a banner at the end of both sides.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::port_of_story;
use crate::support::{Program, has, in_order, peer, run, server};

const BANNER: &str = "CONNECTION ESTABLISHED!";
const TOLD: [&str; 3] = ["[1] SYN/seq=1234", "[2] SYN/seq=1567 ACK/seq=1235", "[3] ACK/seq=1568"];

#[test]
fn three_messages_and_a_banner_on_both_sides_either_way_round_and_by_hand() {
    let name = "three_messages_and_a_banner_on_both_sides_either_way_round_and_by_hand";
    if !has(name, &["python3"]) {
        return;
    }
    let port = port_of_story(1337);
    let mut ours = server(port, &["--wire", "os", "--text", "three-way", "--timeout", "20s"]);
    let theirs = Program::start(peer("three_way.py", &["client", &port.to_string()]));
    in_order(&theirs.finish().ended(0).out, &[TOLD[1], BANNER]);
    ours.sees(&format!("c1 {BANNER}"));
    let printed = ours.printed();
    in_order(&printed, &[TOLD[0], TOLD[1], TOLD[2], "[HANDSHAKE COMPLETE] 3 messages", BANNER]);
    // By hand, with and without the mistake that everybody makes once.
    for (typed, answer) in [
        ("ACK/seq=1568\n", "CONNECTION ESTABLISHED!\n"),
        ("ACK/seq=1567\n", "error: you acknowledged 1567; the SYN used that number, so it is 1568\n"),
    ] {
        let mut hand = TcpStream::connect(("127.0.0.1", port)).unwrap();
        hand.write_all(b"SYN/seq=1234\n").unwrap();
        let mut line = [0; 30];
        hand.read_exact(&mut line).unwrap();
        assert_eq!(String::from_utf8(line.to_vec()).unwrap(), format!("{}\n", TOLD[1]));
        hand.write_all(typed.as_bytes()).unwrap();
        let mut rest = String::new();
        hand.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, answer);
    }
    ours.sees("c3 [WRONG] 127.0.0.1:");

    let mut theirs = Program::start(peer("three_way.py", &["server"]));
    let at = theirs.first_line();
    let client = ["cliente", "127.0.0.1", &at, "--wire", "os", "--text", "three-way", "--lang", "pt-BR"];
    let told = run(&client).ended(0).out;
    in_order(&told, &["[ENVIADO]", TOLD[0], "[RECEBIDO]", TOLD[1], TOLD[2], "[HANDSHAKE COMPLETO]", BANNER]);
    in_order(&theirs.finish().ended(0).out, &[TOLD[0], TOLD[2], BANNER]);
}

/// Three messages are told, and TCP's own three segments were there before.
#[test]
fn the_real_handshake_came_before_the_told_one_and_has_other_numbers() {
    let ladder = run(&["demo", "text-three-way", "--view", "ladder"]).ended(0).out;
    in_order(
        &ladder,
        &[
            "  1        0 SYN_SENT     ── SYN seq=0",
            "  3       40              ── ACK seq=1 ack=1",
            "app wrote \"[1] SYN/seq=1234\": 16 bytes",
            "app wrote \"[2] SYN/seq=1567 ACK/seq=1235\": 29 bytes",
            "last 16 bytes, and the FIN with them",
            "3 messages told in text",
        ],
    );
    assert!(!ladder.contains("ISN 1234"), "{ladder}");
}
