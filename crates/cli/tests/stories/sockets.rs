//! The third: what each call does; the handshake with the numbers 101, 200, 201; four steps that
//! close; both directions at once; and UDP, which does without all that.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::sync::mpsc::channel;

use crate::support::{free_port, in_order, run, server};

/// RFC 9293 §3.5, figure 6, with the numbers of the story: 100 and 200 are chosen, the rest follows.
#[test]
fn the_handshake_has_the_numbers_101_200_and_201() {
    let lines =
        run(&["demo", "handshake", "--isn", "100,200", "--seq", "abs", "--view", "lines"]).ended(0).out;
    in_order(&lines, &["#1 SYN      seq=100 ", "#2 SYN,ACK  seq=200 ack=101", "#3 ACK      seq=101 ack=201"]);
    let port = free_port();
    let ours = server(port, &["--once", "--isn", "100,200"]);
    let client = ["client", "127.0.0.1", &port.to_string(), "-m", "x", "--isn", "100,200"].map(String::from);
    let client = run(&client.each_ref().map(String::as_str)).ended(0).out;
    in_order(
        &client,
        &[
            "[SENT]      #1 SYN      seq=100               CLOSED -> SYN_SENT",
            "[RECEIVED]  #2 SYN,ACK  seq=200 ack=101       SYN_SENT -> ESTABLISHED",
            "[SENT]      #3 ACK      seq=101 ack=201",
            "why: confirms the server's SYN: 200 + 1 = 201",
        ],
    );
    let ours = ours.finish().ended(0).out;
    in_order(
        &ours,
        &["seq=100 ", "LISTEN -> SYN_RECEIVED", "seq=200 ack=101", "SYN_RECEIVED -> ESTABLISHED"],
    );
}

/// RFC 9293 §3.6, figure 12; §3.9.1 for the calls.
#[test]
fn every_call_of_the_application_has_its_place_and_four_segments_close() {
    let ladder = run(&["demo", "teardown", "--why", "full", "--view", "ladder"]).ended(0).out;
    in_order(
        &ladder,
        &[
            "socket(): no segment",
            "bind(10.0.0.2:7000): no segment",
            "listen(): no segment; CLOSED -> LISTEN",
            "socket(): no segment",
            "connect(10.0.0.2:7000): #1 SYN; returns when #2 came",
            "SYN_SENT",
            "accept(): no segment, #3 made the connection ready",
            "shutdown(SHUT_WR): #4 FIN; it may still recv()",
            "FIN_WAIT_1   ── FIN,ACK seq=1 ack=1",
            "FIN_WAIT_2   ◀───────────────────── ACK seq=1 ack=2",
            "recv(): 0 bytes, #4 FIN says that no more comes",
            "close(): #6 leaves",
            "TIME_WAIT    ◀───────────────── FIN,ACK seq=1 ack=2",
            "── ACK seq=2 ack=2 ─────────────────────▶ CLOSED",
            "close(): no segment, both FINs are through",
        ],
    );
}

#[test]
fn both_directions_carry_at_the_same_time_and_one_may_close_first() {
    let port = free_port();
    let mut ours = server(port, &["--upper", "--wire", "os", "--once"]);
    let mut writer = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut reader = writer.try_clone().unwrap();
    let (heard, first) = channel();
    let reading = std::thread::spawn(move || {
        let mut all = vec![0];
        reader.read_exact(&mut all).unwrap();
        heard.send(()).unwrap();
        reader.read_to_end(&mut all).unwrap();
        all
    });
    writer.write_all(&[b'a'; 100_000]).unwrap();
    // The answer has begun before the question is over.
    first.recv().unwrap();
    writer.write_all(&[b'b'; 100_000]).unwrap();
    writer.shutdown(Shutdown::Write).unwrap();
    let all = reading.join().unwrap();
    assert_eq!(all.len(), 200_000);
    assert!(all[..100_000].iter().all(|letter| *letter == b'A') && all.ends_with(b"BBB"));
    ours.sees("c1 closed · 200000 bytes in, 200000 out");
    ours.finish().ended(0);
}

#[test]
fn udp_needs_no_connection_and_one_server_answers_many() {
    let ladder = run(&["--proto", "udp", "--why", "full", "--view", "ladder"]).ended(0).out;
    in_order(
        &ladder,
        &["no connection, so no state column", "sendto(4 bytes): #1 carries them", "UDP len=4"],
    );
    assert!(!ladder.contains("SYN") && !ladder.contains("connect("), "{ladder}");
    // What is lost stays lost, and nobody knows.
    let lossy = run(&["--proto", "udp", "--drop", "data:2", "--view", "ladder"]).ended(1).out;
    in_order(&lossy, &["LOST", "nobody will resend it: UDP keeps no copy and expects no answer"]);
    let port = free_port();
    let ours = server(port, &["--upper", "--proto", "udp", "--wire", "os"]);
    let clients: Vec<UdpSocket> = (0..5).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for (place, client) in clients.iter().enumerate() {
        client.send_to(format!("ola {place}").as_bytes(), ("127.0.0.1", port)).unwrap();
    }
    // Nobody was accepted, and each hears its own answer, the last one first.
    for (place, client) in clients.iter().enumerate().rev() {
        let mut room = [0; 64];
        let (octets, from) = client.recv_from(&mut room).unwrap();
        assert_eq!(&room[..octets], format!("OLA {place}").as_bytes());
        assert_eq!(from.port(), port, "one socket answers all of them");
    }
    ours.signal("INT");
    let told = ours.finish().ended(130).out;
    for client in &clients {
        assert!(told.contains(&client.local_addr().unwrap().to_string()), "{told}");
    }
}
