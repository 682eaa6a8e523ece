//! `--secure` with the textbook protocols: sealed datagrams between two processes, and somebody
//! between them.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::secure::User;
use crate::support::{Scratch, free_port};

/// A packet that was damaged, in the words of both sides.
#[test]
fn a_damaged_packet_is_dropped_by_its_tag_and_sent_again_by_the_timer() {
    let (theirs, ours) = (User::new(), User::new());
    let port = free_port();
    let (server, _) = theirs.serves(port, &["--proto", "gbn", "--once"]);
    let port = port.to_string();
    let words = ["client", "127.0.0.1", &port, "--proto", "gbn", "--secure", "-m", "reliable and sealed"];
    let client = ours.run(&[&words[..], &["--corrupt", "data:1"]].concat()).ended(0);
    let server = server.finish().ended(0);
    assert!(client.out.contains("[seal]      what does not open is dropped, and the timer sends it again"));
    assert!(client.out.contains("[RESENT]"), "{}", client.out);
    assert!(server.out.contains("damaged or forged: the tag does not fit"), "{}", server.out);
    assert!(
        server.out.contains("[seal]      1 damaged or forged packet dropped: the tag does not fit"),
        "{}",
        server.out
    );
    assert!(server.out.contains("arrived whole: reliable and sealed"), "{}", server.out);
}

#[test]
fn a_server_s_key_is_believed_at_first_known_then_and_a_changed_one_stops_hard() {
    let (theirs, ours) = (User::new(), User::new());
    let port = free_port();
    let said = port.to_string();
    let words = ["client", "127.0.0.1", &said, "--proto", "sr", "--secure", "-m", "oi"];
    let (server, pinned) = theirs.serves(port, &["--proto", "sr"]);
    let first = ours.run(&words).ended(0);
    assert!(first.out.contains("seen for the first time"), "{}", first.out);
    let second = ours.run(&words).ended(0);
    assert!(!second.out.contains("seen for the first time"), "{}", second.out);
    // The address names the key.
    ours.run(&["client", &pinned, "--proto", "sr", "-m", "oi"]).ended(0);
    drop(server);
    let others = User::new();
    let (_server, _) = others.serves(port, &["--proto", "sr"]);
    for words in [&words[..], &["client", &pinned, "--proto", "sr", "-m", "oi"]] {
        let stopped = ours.run(words).ended(3);
        let error: Vec<&str> = stopped.error.split_whitespace().collect();
        assert!(error.join(" ").contains("nothing was sent"), "{}", stopped.error);
        assert!(!stopped.out.contains("ASK"), "{}", stopped.out);
    }
    ours.run(&["key", "forget", &format!("udp/127.0.0.1:{said}")]).ended(0);
    ours.run(&words).ended(0);
}

/// What each was sent, flipped, repeated and invented by somebody between client and server.
struct Between {
    at: u16,
    ended: Arc<AtomicBool>,
    damaged: Arc<AtomicU32>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Between {
    fn new(server: u16) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let at = socket.local_addr().unwrap().port();
        let (ended, damaged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (over, hurt) = (ended.clone(), damaged.clone());
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
        let thread = std::thread::spawn(move || {
            let (mut client, mut all, mut room) = (None, Vec::new(), [0; 65_536]);
            let mut count = 0_u32;
            while !over.load(Ordering::Relaxed) {
                let Ok((octets, from)) = socket.recv_from(&mut room) else { continue };
                let to = if from == server { client.unwrap_or(server) } else { server };
                if from != server {
                    client = Some(from);
                }
                let datagram = &room[..octets];
                all.extend_from_slice(datagram);
                count += 1;
                let mut forged = datagram.to_vec();
                let at = count as usize * 7 % octets;
                forged[at] ^= 1 << (count % 8);
                match count % 8 {
                    // Instead of it, beside it, twice, or as it is.
                    0 => drop(socket.send_to(&forged, to)),
                    1 | 2 => [&forged[..], datagram].iter().for_each(|one| drop(socket.send_to(one, to))),
                    3 => [datagram, datagram].iter().for_each(|one| drop(socket.send_to(one, to))),
                    _ => drop(socket.send_to(datagram, to)),
                }
                hurt.fetch_add(u32::from(count % 8 < 3), Ordering::Relaxed);
            }
            all
        });
        Self { at, ended, damaged, thread: Some(thread) }
    }

    /// All that it saw.
    fn end(mut self) -> (u32, Vec<u8>) {
        self.ended.store(true, Ordering::Relaxed);
        let all = self.thread.take().unwrap().join().unwrap();
        (self.damaged.load(Ordering::Relaxed), all)
    }
}

#[test]
fn somebody_between_who_flips_repeats_and_listens_neither_changes_nor_reads_a_file() {
    for protocol in ["saw", "gbn", "sr"] {
        let (theirs, ours) = (User::new(), User::new());
        let scratch = Scratch::new();
        let secret = "what the teacher must not read before the deadline; ".repeat(24);
        let file = scratch.holding("file", secret.as_bytes());
        let copy = scratch.file("copy");
        let port = free_port();
        let flags = ["--proto", protocol, "--out", &copy, "--once", "--view", "lines"];
        let (server, _) = theirs.serves(port, &flags);
        let between = Between::new(port);
        let at = between.at.to_string();
        let words = ["client", "127.0.0.1", &at, "--proto", protocol, "--secure", "--file", &file];
        ours.run(&[&words[..], &["--payload", "200", "--max", "2000"]].concat()).ended(0);
        let server = server.finish().ended(0);
        let (damaged, seen) = between.end();
        assert_eq!(std::fs::read(&copy).unwrap(), secret.as_bytes(), "{protocol}");
        assert!(damaged > 3 && server.out.contains("damaged or forged"), "{protocol}: {}", server.out);
        let seen = String::from_utf8_lossy(&seen).into_owned();
        for word in ["teacher", "deadline", "read before"] {
            assert!(!seen.contains(word), "{protocol}: somebody read {word}");
        }
    }
}

/// Nothing falls back: a plain client gets no session from a server that seals.
#[test]
fn a_client_in_plain_gets_nothing_from_a_server_that_seals() {
    let (theirs, ours) = (User::new(), User::new());
    let port = free_port();
    let (_server, _) = theirs.serves(port, &["--proto", "gbn"]);
    let port = port.to_string();
    let plain =
        ours.run(&["client", "127.0.0.1", &port, "--proto", "gbn", "-m", "oi", "--timeout", "2s"]).ended(4);
    assert!(!plain.out.contains("GRANT"), "{}", plain.out);
}

#[test]
fn what_does_not_belong_to_sealed_packets_is_refused() {
    let home = User::new();
    for flags in [&["--proto", "udp", "--wire", "os"][..], &["--proto", "gbn", "--keylog", "keys.txt"]] {
        home.run(&[&["client", "127.0.0.1", "7000", "--secure", "-m", "x"], flags].concat()).ended(2);
    }
}
