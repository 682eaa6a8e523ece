//! Who means a chat harm, or has the wrong port: told in a line, let go, and nobody else notices.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;

use aperto_app::chat::frame::{Frame, Join, Part, Say, Seal};
use aperto_app::hello::{Ask, Hello, Mode, Negative};

use crate::support::{PATIENCE, Program, Scratch, free_port, run, server, start};

fn dial(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that comes until the other side closes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    // A reset ends it, too.
    let _ = stream.read_to_end(&mut octets);
    octets
}

fn greeting(name: &str) -> Vec<u8> {
    let ask = Ask { max_message: 1_000, payload: 1_000, negative: Negative::On, ..Ask::new(Mode::Tcp) };
    let mut octets = Hello::Ask { session: 1, ask }.encode();
    let token = [name.len() as u8; 16];
    let join = Join { token, connection: 1, room: [0; 16], seen: 0, name: name.into() };
    Frame::Join(join).put(&mut octets, Seal::None);
    octets
}

fn say(id: u64, text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    Frame::Say(Say { id, part: Part::WHOLE, piece: text.to_vec() }).put(&mut octets, Seal::None);
    octets
}

/// A server over the system's sockets, and a member that stays well.
fn room() -> (u16, Program, Program) {
    let port = free_port();
    let server = server(port, &["--chat", "--wire", "os"]);
    let all = ["client", "127.0.0.1", &port.to_string(), "--chat", "--wire", "os", "--name", "ana"];
    let mut ana = start(&all);
    ana.sees("ana is in");
    (port, server, ana)
}

fn still_well(mut ana: Program, server: Program) {
    ana.is_told("ainda aqui\n");
    ana.sees("is confirmed");
    ana.finish().ended(0);
    drop(server);
}

/// RELIABILITY AP-10.
#[test]
fn another_protocol_is_told_in_one_line_within_a_second() {
    let (port, mut server, ana) = room();
    for (octets, word) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], "HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", "something else"),
    ] {
        let mut stream = dial(port);
        let began = Instant::now();
        stream.write_all(octets).unwrap();
        let answer = String::from_utf8(rest(&mut stream)).unwrap();
        let took = began.elapsed();
        assert!(answer.starts_with(&format!("this port speaks aperto chat; you sent {word} / ")), "{answer}");
        assert!(answer.contains("esta porta fala aperto chat") && answer.lines().count() == 1, "{answer}");
        // The room says it at once; whether this machine is busy decides no test.
        assert!(took < PATIENCE);
        println!("{word}: closed after {took:.2?}");
        server.sees("[IGNORED]");
    }
    still_well(ana, server);
}

/// RELIABILITY AP-1.
#[test]
fn lying_lengths_and_unknown_kinds_are_let_go() {
    let (port, mut server, ana) = room();
    for bad in [&[3, 0xff, 0xff, 0xff][..], &[3, 0, 0, 0], &[99, 0, 0, 1, 0]] {
        let mut stream = dial(port);
        stream.write_all(&greeting("rui")).unwrap();
        stream.write_all(bad).unwrap();
        let answer = rest(&mut stream);
        // Kind 14, one octet: the protocol was not kept to.
        assert!(answer.ends_with(&[14, 0, 0, 1, 7]), "{answer:?}");
        server.sees("[LET GO]");
    }
    still_well(ana, server);
}

#[test]
fn a_later_version_is_told_which_one_is_spoken() {
    let (port, mut server, ana) = room();
    let mut hello = Hello::Ask { session: 7, ask: Ask::new(Mode::Tcp) }.encode();
    hello[4] = 9;
    let length = hello.len() - 4;
    // CRC-32 of IEEE 802.3, a bit at a time.
    let crc = !hello[..length].iter().fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    hello[length..].copy_from_slice(&crc.to_be_bytes());
    let mut stream = dial(port);
    stream.write_all(&hello).unwrap();
    let answer = rest(&mut stream);
    let why = aperto_app::hello::Refusal::Version { spoken: 1 };
    assert_eq!(Hello::decode_datagram(&answer), Ok(Hello::Refuse { session: 7, why }));
    server.sees("[REFUSED]");
    still_well(ana, server);
}

/// RELIABILITY AP-3.
#[test]
fn a_flood_is_refused_told_why_and_ended_and_others_are_not_disturbed() {
    let (port, mut server, ana) = room();
    let mut stream = dial(port);
    stream.write_all(&greeting("flood")).unwrap();
    let mut all = Vec::new();
    for id in 1..=3_000 {
        all.extend(say(id, b"x"));
    }
    // The room may close before it has taken all.
    let _ = stream.write_all(&all);
    let answer = rest(&mut stream);
    assert!(answer.windows(5).any(|octets| octets == [14, 0, 0, 1, 4]), "it is told that it goes on and on");
    server.sees("too many in a row, 20 a second");
    server.sees("went on and on after being told to wait");
    still_well(ana, server);
}

/// RELIABILITY AP-4, and a peer that is gone without a word.
#[test]
fn a_peer_that_vanishes_is_forgotten_and_comes_back_as_itself() {
    let (port, mut server, mut ana) = room();
    let mut stream = dial(port);
    stream.write_all(&greeting("rui")).unwrap();
    stream.write_all(&say(1, b"primeira")).unwrap();
    ana.sees("rui: primeira");
    drop(stream);
    // It never read its answers: the same message, on another connection.
    let mut stream = dial(port);
    let mut again = greeting("rui");
    again.extend(say(1, b"primeira"));
    again.extend(say(2, b"segunda"));
    stream.write_all(&again).unwrap();
    ana.sees("rui: segunda");
    assert_eq!(ana.printed().matches("rui: primeira").count(), 1);
    server.sees("rui is in again");
    still_well(ana, server);
}

#[test]
fn a_client_knows_what_is_no_room_and_ends_with_the_code_for_it() {
    for (service, code, words) in [("--echo", 7, "sends back what it gets"), ("--upper", 7, "is no chat")] {
        let port = free_port();
        let server = server(port, &[service, "--wire", "os"]);
        let all = ["client", "127.0.0.1", &port.to_string(), "--wire", "os", "--chat", "-m", "oi"];
        let client = run(&all).ended(code);
        assert!(client.error.contains(words), "{service}: {}", client.error);
        let portuguese = run(&[&all[..], &["--lang", "pt-BR"]].concat()).ended(code);
        assert!(portuguese.error.contains("não é um chat"), "{}", portuguese.error);
        drop(server);
    }
    let port = free_port().to_string();
    run(&["client", "127.0.0.1", &port, "--wire", "os", "--chat", "-m", "oi"]).ended(3);
    let port = free_port();
    let server = server(port, &["--chat", "--wire", "os", "--integrity", "digest"]);
    let all = ["client", "127.0.0.1", &port.to_string(), "--wire", "os", "--chat", "-m", "oi"];
    let client = run(&[&all[..], &["--integrity", "none"]].concat()).ended(3);
    assert!(client.error.contains("refuses"), "{}", client.error);
    drop(server);
}

#[test]
fn a_journal_that_cannot_be_one_is_told_and_left_as_it_is() {
    let scratch = Scratch::new();
    let port = free_port().to_string();
    let list = scratch.holding("list.txt", b"milk, bread");
    let other = run(&["server", &port, "--chat", "--journal", &list]).ended(6);
    assert!(other.error.contains("is no journal of a chat"), "{}", other.error);
    assert_eq!(std::fs::read(&list).unwrap(), b"milk, bread");
    run(&["server", &port, "--chat", "--journal", "/nowhere/at/all"]).ended(5);
    let journal = scratch.file("sala.journal");
    let first_port = free_port();
    let first = server(first_port, &["--chat", "--journal", &journal]);
    run(&["client", "127.0.0.1", &first_port.to_string(), "--chat", "-m", "uma"]).ended(0);
    let second = run(&["server", &port, "--chat", "--journal", &journal]).ended(5);
    assert!(second.error.contains("another server writes"), "{}", second.error);
    drop(first);
    // Damage in the middle is told with its place, in both languages.
    let mut octets = std::fs::read(&journal).unwrap();
    octets.extend_from_slice(&[0x55; 400]);
    std::fs::write(&journal, &octets).unwrap();
    let damaged = run(&["server", &port, "--chat", "--journal", &journal]).ended(6);
    assert!(damaged.error.contains("is damaged at byte"), "{}", damaged.error);
    let damaged = run(&["server", &port, "--chat", "--journal", &journal, "--lang", "pt-BR"]).ended(6);
    assert!(damaged.error.contains("está danificado no byte"), "{}", damaged.error);
}

#[test]
fn flags_of_the_chat_mean_nothing_without_it_and_have_bounds() {
    for (flags, code) in [
        (&["client", "127.0.0.1", "7000", "--name", "ana"][..], 2),
        (&["server", "7000", "--journal", "x"], 2),
        (&["client", "127.0.0.1", "7000", "--chat", "--window", "65"], 2),
        (&["client", "127.0.0.1", "7000", "--chat", "--max", "29"], 2),
        (&["client", "127.0.0.1", "7000", "--chat", "--max", "60001"], 2),
        (&["client", "127.0.0.1", "7000", "--chat", "--integrity", "crc32"], 2),
        (&["client", "127.0.0.1", "7000", "--chat", "--nack"], 2),
        (&["client", "127.0.0.1", "7000", "--chat", "--file", "x"], 2),
        (&["client", "127.0.0.1", "7000", "--integrity", "digest", "--proto", "gbn"], 2),
    ] {
        run(flags).ended(code);
    }
}
