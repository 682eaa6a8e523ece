//! The textbook protocols between two processes, over real UDP.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Program, Scratch, free_port, run, server, start};
use crate::tshark;

/// A file through a bad channel arrives with an equal hash, and both sides know the end.
fn a_file_arrives(protocol: &str, flags: &[&str]) {
    let scratch = Scratch::new();
    let (file, hash) = scratch.large("file", 40_000);
    let copy = scratch.file("copy");
    let port = free_port();
    let server = server(port, &["--proto", protocol, "--out", &copy, "--once", "--view", "none"]);
    let port = port.to_string();
    let all = [
        "client",
        "127.0.0.1",
        &port,
        "--proto",
        protocol,
        "--file",
        &file,
        "--max",
        "4000",
        "--payload",
        "500",
        "--integrity",
        "crc32",
        "--view",
        "none",
        "--loss",
        "5%",
        "--reorder",
        "5%",
        "--dup",
        "2%",
        "--corrupt",
        "2%",
    ];
    let client = start(&[&all, flags].concat()).finish().ended(0);
    let server = server.finish().ended(0);
    assert_eq!(client.hashes(), [hash.as_str()], "{}", client.out);
    assert_eq!(server.hashes(), [hash.as_str()], "{}", server.out);
    assert!(std::fs::read(file).unwrap() == std::fs::read(copy).unwrap());
}

#[test]
fn a_file_arrives_by_stop_and_wait_though_the_channel_is_bad() {
    a_file_arrives("saw", &["--nack"]);
}

#[test]
fn a_file_arrives_by_go_back_n_though_the_channel_is_bad() {
    a_file_arrives("gbn", &["--window", "5"]);
}

#[test]
fn a_file_arrives_by_selective_repeat_though_the_channel_is_bad() {
    a_file_arrives("sr", &["--window", "5", "--ack", "group"]);
}

/// The lines of a program that contain this.
fn lines<'a>(all: &'a str, what: &str) -> Vec<&'a str> {
    all.lines().filter(|line| line.contains(what)).collect()
}

/// The assignment: 3 characters a packet, window 5, what was asked and granted, the metadata of each
/// packet at the server and of each acknowledgement at the client.
#[test]
fn the_assignment_s_story_is_told_on_both_sides() {
    let port = free_port();
    let server = server(port, &["--proto", "gbn", "--max", "60", "--window", "4", "--once"]);
    let port = port.to_string();
    let client = run(&[
        "client",
        "127.0.0.1",
        &port,
        "--proto",
        "gbn",
        "--payload",
        "3",
        "--window",
        "5",
        "-m",
        "oi, voce",
        "--drop",
        "data:1",
    ])
    .ended(0);
    let server = server.finish().ended(0);
    let asked = lines(&client.out, "#1 ASK");
    assert_eq!(asked, ["[SENT]      #1 ASK      gbn max=100 len=3 win=5 ack=individual checksum"]);
    assert_eq!(
        lines(&server.out, "#2 GRANT"),
        ["c1 [SENT]     #2 GRANT    gbn max=60 len=3 win=4 ack=individual checksum"]
    );
    assert!(client.out.contains("the server grants less: max=60 win=4"), "{}", client.out);
    assert!(client.out.contains("8 letters, 8 bytes in 3 packets of up to 3"), "{}", client.out);
    // 010e + 0000 + 0003 + "oi" 6f69 + ", " + 0 2c00 = 9c7a, complement 6385.
    let first = lines(&server.out, "DATA     0 len=3");
    assert!(
        first[0].contains("sum=6385 \"oi,\"") && first[0].contains("in order, delivered"),
        "{}",
        server.out
    );
    assert_eq!(lines(&client.out, "[LOST]").len(), 1, "{}", client.out);
    assert_eq!(lines(&client.out, "[TIMER]").len(), 1, "{}", client.out);
    let out_of_order = lines(&server.out, "not in order, expects 1");
    assert_eq!(out_of_order.len(), 1, "{}", server.out);
    assert!(out_of_order[0].contains("[DROPPED]") && out_of_order[0].contains("\"ce\""), "{}", server.out);
    assert!(lines(&client.out, "ACK      0")[0].contains("window 1-4"), "{}", client.out);
    assert!(server.out.contains("8 bytes arrived whole: oi, voce"), "{}", server.out);
    assert!(client.out.contains("11 bytes arrived whole: got 8 bytes"), "{}", client.out);
    // 3 DATA, and 1 and 2 again.
    assert!(client.out.contains("[SESSION CLOSED] 5 DATA sent, 2 of them again · both sides know"));
    for line in client.out.lines().chain(server.out.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn an_error_that_was_picked_happens_there_and_nowhere_else() {
    for (flags, told) in
        [(["--corrupt", "data:1"], "damaged: not delivered"), (["--dup", "data:1"], "again, not delivered")]
    {
        let port = free_port();
        let server = server(port, &["--proto", "sr", "--once", "--sink"]);
        let port = port.to_string();
        run(&[&["client", "127.0.0.1", &port, "--proto", "sr", "-m", "0123456789ab"], &flags[..]].concat())
            .ended(0);
        let server = server.finish().ended(0);
        assert_eq!(lines(&server.out, told).len(), 1, "{}", server.out);
        assert_eq!(lines(&server.out, "[DROPPED]").len(), 1, "{}", server.out);
        assert!(server.out.contains("0123456789ab"), "{}", server.out);
    }
}

/// The handshake and the end are resent as everything else is.
#[test]
fn lost_asks_grants_and_fins_are_sent_again() {
    for (client_flags, server_flags) in [
        (&["--drop", "syn"][..], &[][..]),
        (&[][..], &["--drop", "synack"][..]),
        (&["--drop", "fin"][..], &["--drop", "fin"][..]),
    ] {
        let port = free_port();
        let server = server(port, &[&["--proto", "saw", "--once"], server_flags].concat());
        let port = port.to_string();
        let client =
            run(&[&["client", "127.0.0.1", &port, "--proto", "saw", "-m", "oi"], client_flags].concat())
                .ended(0);
        let server = server.finish().ended(0);
        let lost = lines(&client.out, "[LOST]").len() + lines(&server.out, "[LOST]").len();
        assert_eq!(lost, client_flags.len() / 2 + server_flags.len() / 2, "{}\n{}", client.out, server.out);
        assert!(client.out.contains("both sides know") && server.out.contains("both sides know"));
    }
}

#[test]
fn several_clients_speak_at_once_and_each_is_answered() {
    let port = free_port();
    let mut server = server(port, &["--proto", "gbn", "--upper"]);
    let port = port.to_string();
    let mut clients: Vec<Program> = Vec::new();
    for name in ["ana", "bia", "caio"] {
        let mut client = start(&["client", "127.0.0.1", &port, "--proto", "gbn", "--loss", "10%"]);
        client.is_told(name);
        client.sees(&name.to_uppercase());
        clients.push(client);
    }
    server.sees("3 connections");
    for client in clients {
        let client = client.finish().ended(0);
        assert!(client.out.contains("both sides know"), "{}", client.out);
    }
    server.signal("INT");
    server.finish().ended(130);
}

#[test]
fn what_the_server_does_not_take_is_refused_by_name() {
    let port = free_port();
    let server = server(port, &["--proto", "gbn", "--integrity", "crc32"]);
    let port = port.to_string();
    let refused = run(&["client", "127.0.0.1", &port, "--proto", "sr", "-m", "oi"]).ended(3);
    assert!(refused.error.contains("refuses: it does not speak this mode"), "{}", refused.error);
    let refused = run(&["client", "127.0.0.1", &port, "--proto", "gbn", "-m", "oi"]).ended(3);
    assert!(refused.error.contains("does not check integrity this way"), "{}", refused.error);
    run(&["client", "127.0.0.1", &port, "--proto", "gbn", "--integrity", "crc32", "-m", "oi"]).ended(0);
    let too_long =
        run(&["client", "127.0.0.1", &port, "--proto", "gbn", "--max", "30", "-m", &"x".repeat(31)]);
    assert!(too_long.ended(2).error.contains("a message of 31 bytes is longer than 30"));
    drop(server);
}

/// Nobody, somebody who is silent, and somebody who speaks something else.
#[test]
fn a_server_that_is_none_is_told_from_one_that_is_silent_or_foreign() {
    let port = free_port().to_string();
    let refused = run(&["client", "127.0.0.1", &port, "--proto", "gbn", "-m", "oi"]).ended(3);
    assert!(refused.error.contains("connection refused"), "{}", refused.error);

    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let began = std::time::Instant::now();
    let lonely = run(&["client", "127.0.0.1", &port, "--proto", "gbn", "-m", "oi"]).ended(4);
    assert!(lonely.error.contains("the ASK was sent again and again"), "{}", lonely.error);
    assert!(began.elapsed() >= Duration::from_secs(12), "eight ASKs take 12.1 s");
    assert_eq!(lines(&lonely.out, "ASK").len(), 8, "{}", lonely.out);

    let foreign = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port().to_string();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            foreign.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            let mut room = [0; 2_000];
            while !over.load(Ordering::Relaxed) {
                if let Ok((_, peer)) = foreign.recv_from(&mut room) {
                    foreign.send_to(b"HTTP/1.1 400 Bad Request\r\n\r\n", peer).unwrap();
                }
            }
        });
        let client = run(&["client", "127.0.0.1", &port, "--proto", "gbn", "-m", "oi"]);
        over.store(true, Ordering::Relaxed);
        assert!(client.ended(7).error.contains("does not speak this"));
    });
}

#[test]
fn a_peer_that_vanishes_is_noticed_by_either_side() {
    let port = free_port();
    let mut server = server(port, &["--proto", "gbn"]);
    let port = port.to_string();
    let mut client = start(&["client", "127.0.0.1", &port, "--proto", "gbn"]);
    client.is_told("oi");
    client.sees("got 2 bytes");
    server.sees("[MESSAGE]");
    server.signal("KILL");
    let _ = server.finish();
    client.is_told("alguem ai?");
    let client = client.finish().ended(4);
    assert!(client.error.contains("stopped answering"), "{}", client.error);
}

#[test]
fn an_interrupted_server_tells_its_clients() {
    let port = free_port();
    let mut server = server(port, &["--proto", "sr"]);
    let port = port.to_string();
    let mut client = start(&["client", "127.0.0.1", &port, "--proto", "sr"]);
    client.is_told("oi");
    client.sees("got 2 bytes");
    server.sees("[MESSAGE]");
    server.signal("INT");
    server.finish().ended(130);
    let client = client.finish().ended(3);
    assert!(client.error.contains("ended the session"), "{}", client.error);
}

/// Garbage, lying lengths, other versions, halves of packets: the server answers none of it with
/// more than it got, and goes on serving.
#[test]
fn a_server_outlives_garbage_and_amplifies_nothing() {
    let port = free_port();
    let server = server(port, &["--proto", "gbn", "--view", "none"]);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.connect(("127.0.0.1", port)).unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut state = 1_u64;
    let mut luck = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut sent = 0;
    for round in 0..500 {
        let mut octets: Vec<u8> = (0..luck() % 90).map(|_| luck() as u8).collect();
        if round % 2 == 0 {
            let lie = [b"APTO".as_slice(), &[1, 1, 0xff, 0xff], &octets].concat();
            octets = lie;
        }
        sent += octets.len();
        stranger.send(&octets).unwrap();
    }
    let (mut back, mut room) = (0, [0; 2_000]);
    while let Ok(octets) = stranger.recv(&mut room) {
        back += octets;
    }
    assert!(back <= sent, "{back} octets for {sent}");
    let port = port.to_string();
    let client =
        run(&["client", "127.0.0.1", &port, "--proto", "gbn", "-m", "ainda ai?", "--view", "none"]).ended(0);
    assert_eq!(client.out, "got 9 bytes");
    drop(server);
}

#[test]
fn a_recording_of_a_session_opens_in_wireshark_with_a_reason_for_each_packet() {
    let name = "a_recording_of_a_session_opens_in_wireshark_with_a_reason_for_each_packet";
    let scratch = Scratch::new();
    let file = scratch.file("session.pcapng");
    let port = free_port();
    let server = server(port, &["--proto", "gbn", "--once", "--sink"]);
    let port = port.to_string();
    run(&[
        "client",
        "127.0.0.1",
        &port,
        "--proto",
        "gbn",
        "-m",
        "0123456789ab",
        "--drop",
        "data:1",
        "-w",
        &file,
    ])
    .ended(0);
    server.finish().ended(0);
    let Some(frames) = tshark::frames(name, &file, &[]) else { return };
    assert!(frames.iter().all(|frame| frame.malformed.is_empty() && !frame.comment.is_empty()), "{frames:?}");
    assert!(frames[0].comment.starts_with("ASK gbn max=100 len=4 win=5"), "{}", frames[0].comment);
    let dropped = frames.iter().filter(|frame| frame.comment.contains("dropped because you asked"));
    assert_eq!(dropped.count(), 1);
    assert!(frames.iter().any(|frame| frame.comment.starts_with("FIN 3 DATA in all")));
}
