//! Connections between two hosts.

use std::vec::Vec;

use aperto_tcp::{End, Event as Tcp, State};
use aperto_time::Duration;
use aperto_wire::SeqNumber;

use super::talk::{Side, Talk, config, socket};
use crate::{About, CallError, Config, ConnectError, Event, FixedIsn, Note, Watch};

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// RFC 9293 §3.5, §3.6, over both versions: open, text both ways, close in good order.
#[test]
fn a_connection_opens_carries_text_both_ways_and_closes() {
    for remote in ["10.0.0.2:80", "[2001:db8::2]:80", "[fe80::2]:80"] {
        let mut talk = Talk::new();
        let (client, server) = talk.connected(remote);
        assert_eq!(talk.a.send(talk.now, client, b"hello"), Ok(5));
        assert_eq!(talk.b.send(talk.now, server, b"welcome"), Ok(7));
        talk.run_ms(100);
        assert_eq!(talk.read(Side::B, server), b"hello");
        assert_eq!(talk.read(Side::A, client), b"welcome");
        talk.a.close(talk.now, client).unwrap();
        talk.run_ms(100);
        assert!(talk.events_b.contains(&Event::Tcp(server, Tcp::PeerClosed)));
        talk.b.close(talk.now, server).unwrap();
        talk.run_ms(100);
        let states = |host: &crate::Host| host.connections().map(|(_, _, state)| state).collect::<Vec<_>>();
        assert_eq!(
            (states(&talk.a), states(&talk.b)),
            (std::vec![State::TimeWait], std::vec![State::Closed])
        );
        assert!(talk.events_b.contains(&Event::Tcp(server, Tcp::Ended(End::Closed))));
        talk.b.release(talk.now, server).unwrap();
        talk.run(Duration::from_secs(120));
        assert!(talk.events_a.contains(&Event::Tcp(client, Tcp::Ended(End::Closed))), "{:?}", talk.events_a);
        talk.a.release(talk.now, client).unwrap();
        talk.pump();
        assert_eq!((talk.a.connections().count(), talk.b.connections().count()), (0, 0));
        assert!(talk.a.wheel.is_empty() && talk.b.wheel.is_empty());
    }
}

#[test]
fn a_megabyte_arrives_whole_in_both_directions_at_once() {
    for remote in ["10.0.0.2:80", "[2001:db8::2]:80"] {
        let mut talk = Talk::new();
        let (client, server) = talk.connected(remote);
        let (up, down) = (text(1_000_000), text(900_000));
        let (mut sent, mut received) = ([0, 0], [Vec::new(), Vec::new()]);
        for _ in 0..1000 {
            sent[0] += talk.a.send(talk.now, client, &up[sent[0]..]).unwrap();
            sent[1] += talk.b.send(talk.now, server, &down[sent[1]..]).unwrap();
            talk.run_ms(10);
            let octets = talk.read(Side::B, server);
            received[0].extend(octets);
            let octets = talk.read(Side::A, client);
            received[1].extend(octets);
        }
        assert!(received[0] == up && received[1] == down);
        let too_large =
            |_, about: &About| matches!(about, About::Tcp { payload_length, .. } if *payload_length > 1460);
        assert_eq!(talk.count(too_large), 0);
    }
}

#[test]
fn text_arrives_whole_over_a_line_that_loses_every_seventh_frame() {
    let mut talk = Talk::new();
    let (client, server) = talk.connected("10.0.0.2:80");
    let mut number = 0;
    talk.fate = Some(std::boxed::Box::new(move |_, _, _| {
        number += 1;
        number % 7 != 0
    }));
    let octets = text(300_000);
    let (mut sent, mut received) = (0, Vec::new());
    for _ in 0..3000 {
        sent += talk.a.send(talk.now, client, &octets[sent..]).unwrap();
        talk.run_ms(50);
        let more = talk.read(Side::B, server);
        received.extend(more);
        if received.len() == octets.len() {
            break;
        }
    }
    assert!(received == octets, "{} of {}", received.len(), octets.len());
}

/// Loss both ways brings SACK blocks beside text: no segment gets larger than its packet may be.
#[test]
fn text_both_ways_over_a_lossy_line_arrives_whole_and_never_too_large() {
    let mut talk = Talk::new();
    let (client, server) = talk.connected("[2001:db8::2]:80");
    talk.a.watch(Watch::On);
    talk.b.watch(Watch::On);
    let mut number = 0_u32;
    talk.fate = Some(std::boxed::Box::new(move |_, _, _| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number >> 24 > 20
    }));
    let octets = text(200_000);
    let (mut sent, mut received) = ([0, 0], [Vec::new(), Vec::new()]);
    for _ in 0..3000 {
        sent[0] += talk.a.send(talk.now, client, &octets[sent[0]..]).unwrap();
        sent[1] += talk.b.send(talk.now, server, &octets[sent[1]..]).unwrap();
        talk.run_ms(50);
        let more = [talk.read(Side::B, server), talk.read(Side::A, client)];
        for (received, more) in received.iter_mut().zip(more) {
            received.extend(more);
        }
        if received.iter().all(|received| received.len() == octets.len()) {
            break;
        }
    }
    assert!(received[0] == octets && received[1] == octets);
    for host in [&mut talk.a, &mut talk.b] {
        let too_large =
            |note: &Note| matches!(note, Note::Dropped { reason: crate::DropReason::TooLarge, .. });
        assert!(!super::talk::notes(host).iter().any(too_large));
    }
}

/// RFC 9293 §3.10.7.1: nobody listens.
#[test]
fn a_connection_to_nobody_is_refused() {
    let mut talk = Talk::new();
    let client = talk.a.connect(talk.now, None, socket("10.0.0.2:81")).unwrap();
    talk.run_ms(100);
    assert_eq!(talk.events_a, [Event::Tcp(client, Tcp::Ended(End::Refused))]);
    assert_eq!(talk.a.status(client).unwrap().state, State::Closed);
    talk.a.release(talk.now, client).unwrap();
    talk.pump();
    assert_eq!(talk.a.connections().count(), 0);
}

#[test]
fn a_hundred_connections_at_once_keep_their_text_apart() {
    let mut talk = Talk::new();
    let listener = talk.listen(128);
    let clients: Vec<_> =
        (0..100).map(|_| talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap()).collect();
    for (number, client) in clients.iter().enumerate() {
        talk.a.send(talk.now, *client, std::format!("I am {number}").as_bytes()).unwrap();
    }
    talk.run_ms(200);
    let mut servers = Vec::new();
    while let Some(server) = talk.b.accept(listener).unwrap() {
        servers.push(server);
    }
    assert_eq!(servers.len(), 100);
    for server in servers {
        let octets = talk.read(Side::B, server);
        talk.b.send(talk.now, server, &octets).unwrap();
    }
    talk.run_ms(200);
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(talk.read(Side::A, *client), std::format!("I am {number}").as_bytes());
    }
}

#[test]
fn a_stale_id_is_an_error_and_never_another_connection() {
    let mut talk = Talk::new();
    let (client, _) = talk.connected("10.0.0.2:80");
    talk.a.abort(talk.now, client).unwrap();
    talk.run_ms(100);
    let (again, _) = talk.connected("10.0.0.2:80");
    assert_eq!((again.index(), again.generation()), (client.index(), client.generation() + 1));
    assert_eq!(talk.a.send(talk.now, client, b"x"), Err(CallError::NoSuchConnection));
    assert_eq!(talk.a.receive(talk.now, client, &mut [0; 8]), Err(CallError::NoSuchConnection));
    assert_eq!(talk.a.close(talk.now, client), Err(CallError::NoSuchConnection));
    assert!(talk.a.release(talk.now, client).is_err() && talk.a.abort(talk.now, client).is_err());
    assert!(talk.a.status(client).is_err() && talk.a.endpoints(client).is_none());
    assert_eq!(talk.a.send(talk.now, again, b"x"), Ok(1));
}

#[test]
fn a_released_connection_is_gone_for_the_application_at_once_and_still_closes_well() {
    let mut talk = Talk::new();
    let (client, server) = talk.connected("10.0.0.2:80");
    talk.a.send(talk.now, client, b"last words").unwrap();
    talk.a.release(talk.now, client).unwrap();
    assert_eq!(talk.a.send(talk.now, client, b"x"), Err(CallError::NoSuchConnection));
    talk.run_ms(100);
    assert_eq!(talk.read(Side::B, server), b"last words");
    talk.b.release(talk.now, server).unwrap();
    talk.run(Duration::from_secs(100));
    assert_eq!((talk.a.connections().count(), talk.b.connections().count()), (0, 0));
    assert!(talk.count(|_, about| matches!(about, About::Tcp { header, .. } if header.control.rst())) == 0);
}

/// RFC 9293 §3.9.1.1 [MUST-46]: nobody can be there. §3.5: and nobody is his own peer.
#[test]
fn an_open_to_an_impossible_peer_is_an_error() {
    let mut talk = Talk::new();
    for remote in [
        "0.0.0.0:80",
        "255.255.255.255:80",
        "224.0.0.1:80",
        "10.0.0.255:80",
        "127.0.0.1:80",
        "240.0.0.1:80",
        "10.0.0.2:0",
        "[::]:80",
        "[ff02::1]:80",
        "[::1]:80",
    ] {
        let error = talk.a.connect(talk.now, None, socket(remote)).unwrap_err();
        assert!(matches!(error, ConnectError::InvalidRemote(_)), "{remote} {error:?}");
    }
    for remote in ["10.0.0.1:80", "[2001:db8::1]:80"] {
        let error = talk.a.connect(talk.now, None, socket(remote)).unwrap_err();
        assert!(matches!(error, ConnectError::ToItself(_)), "{remote} {error:?}");
    }
    let error = talk.a.connect(talk.now, None, socket("192.0.2.1:80")).unwrap_err();
    assert!(matches!(error, ConnectError::NoRoute(_)));
    let error = talk.a.connect(talk.now, Some(socket("10.0.0.9:0")), socket("10.0.0.2:80")).unwrap_err();
    assert!(matches!(error, ConnectError::NotOurAddress(_)));
    assert_eq!(talk.a.connections().count(), 0);
}

/// RFC 9293 §3.9.1.1 [MUST-43]: the local address, and here the port, can be said; [MUST-44]: else
/// the host chooses; [MUST-45]: and it stays.
#[test]
fn an_open_leaves_from_the_socket_that_was_asked_for() {
    let mut talk = Talk::new();
    let remote = socket("10.0.0.2:80");
    let client = talk.a.connect(talk.now, Some(socket("10.0.0.1:7777")), remote).unwrap();
    assert_eq!(talk.a.endpoints(client).unwrap().local, socket("10.0.0.1:7777"));
    let again = talk.a.connect(talk.now, Some(socket("10.0.0.1:7777")), remote);
    assert_eq!(again, Err(ConnectError::AlreadyExists));
    let other = talk.a.connect(talk.now, None, socket("[2001:db8::2]:80")).unwrap();
    let local = talk.a.endpoints(other).unwrap().local;
    assert_eq!(local.ip(), socket("[2001:db8::1]:1").ip());
    assert!((49152..=65535).contains(&local.port()));
}

#[test]
fn when_all_ports_to_one_peer_are_used_another_peer_still_gets_one() {
    let ports = 50_000..=50_009;
    let mut talk = Talk::with(Config { ports, ..config(1) }, config(2));
    for _ in 0..10 {
        talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    }
    let one_more = talk.a.connect(talk.now, None, socket("10.0.0.2:80"));
    assert_eq!(one_more, Err(ConnectError::NoFreePort));
    assert!(talk.a.connect(talk.now, None, socket("10.0.0.2:81")).is_ok());
    let mut locals: Vec<_> =
        talk.a.connections().map(|(_, endpoints, _)| (endpoints.local, endpoints.remote)).collect();
    locals.sort_unstable();
    locals.dedup();
    assert_eq!(locals.len(), 11);
}

#[test]
fn no_more_connections_are_opened_than_allowed() {
    let mut talk = Talk::with(Config { max_connections: 3, ..config(1) }, config(2));
    for _ in 0..3 {
        talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    }
    assert_eq!(talk.a.connect(talk.now, None, socket("10.0.0.2:80")), Err(ConnectError::TooMany));
}

/// A lesson shows the same numbers each time.
#[test]
fn a_lesson_may_fix_ports_and_initial_sequence_numbers() {
    let fixed_isn = Some(FixedIsn { active: SeqNumber::new(1000), passive: SeqNumber::new(5000) });
    let lesson = |secret| Config { fixed_isn, sequential_ports: true, ..config(secret) };
    let mut talk = Talk::with(lesson(1), lesson(2));
    let (client, server) = talk.connected("10.0.0.2:80");
    assert_eq!(talk.a.endpoints(client).unwrap().local.port(), 49152);
    let (client, server) = (talk.a.status(client).unwrap(), talk.b.status(server).unwrap());
    assert_eq!((client.iss.value(), client.irs.value()), (1000, 5000));
    assert_eq!((server.iss.value(), server.irs.value()), (5000, 1000));
}

/// RFC 6528, RFC 9293 §3.4.1 [SHLD-1]: without fixing them, nobody sees a pattern.
#[test]
fn initial_sequence_numbers_differ_between_connections_and_between_secrets() {
    let iss = |secret, port: u16| {
        let mut talk = Talk::with(config(secret), config(2));
        let local = core::net::SocketAddr::new(super::talk::ip("10.0.0.1"), port);
        let client = talk.a.connect(talk.now, Some(local), socket("10.0.0.2:80")).unwrap();
        talk.a.status(client).unwrap().iss
    };
    assert_eq!(iss(1, 7000), iss(1, 7000));
    assert_ne!(iss(1, 7000), iss(1, 7001));
    assert_ne!(iss(1, 7000), iss(3, 7000));
}

/// RFC 9293 §3.5 (Figure 8): both ask each other at once, and it is one connection.
#[test]
fn two_opens_that_cross_make_one_connection() {
    let mut talk = Talk::new();
    let (a, b) = (socket("10.0.0.1:7000"), socket("10.0.0.2:7000"));
    let one = talk.a.connect(talk.now, Some(a), b).unwrap();
    let other = talk.b.connect(talk.now, Some(b), a).unwrap();
    talk.run_ms(200);
    assert_eq!(talk.a.status(one).unwrap().state, State::Established);
    assert_eq!(talk.b.status(other).unwrap().state, State::Established);
    talk.a.send(talk.now, one, b"both").unwrap();
    talk.run_ms(100);
    assert_eq!(talk.read(Side::B, other), b"both");
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut talk = Talk::new();
    let (client, _) = talk.connected("10.0.0.2:80");
    let mut snapshot = talk.a.clone();
    talk.a.abort(talk.now, client).unwrap();
    assert!(talk.a.status(client).is_ok_and(|status| status.state == State::Closed));
    assert_eq!(snapshot.status(client).unwrap().state, State::Established);
    assert_eq!(snapshot.send(talk.now, client, b"x"), Ok(1));
}

/// Nobody watches: no notes. Somebody does: the arrival before what it causes, and every reason.
#[test]
fn an_observer_sees_arrivals_before_their_effects() {
    let mut talk = Talk::new();
    let listener = talk.listen(1);
    talk.b.watch(Watch::On);
    talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    talk.run_ms(100);
    assert_eq!(talk.a.poll_note(), None);
    let notes = super::talk::notes(&mut talk.b);
    let place = |like: &dyn Fn(&Note) -> bool| notes.iter().position(like);
    let arrived = place(&|note| matches!(note, Note::TcpArrived { .. })).unwrap();
    let opened =
        place(&|note| matches!(note, Note::Opened { listener: Some(there), .. } if *there == listener))
            .unwrap();
    let state = |to| {
        place(
            &|note| matches!(note, Note::Tcp { note: aperto_tcp::Note::State { to: there, .. }, .. } if *there == to),
        )
    };
    let received = state(State::SynReceived).unwrap();
    let established = state(State::Established).unwrap();
    let queued = place(&|note| matches!(note, Note::Queued { .. })).unwrap();
    assert!(
        arrived < opened && opened < received && received < established && established < queued,
        "{notes:?}"
    );
}

/// The wheel may hold an instant from before a timer moved on; what is told is the next that counts.
#[test]
fn the_deadline_is_that_of_the_timer_which_is_due_first() {
    let mut talk = Talk::new();
    let (early, _) = talk.connected("10.0.0.2:80");
    let (other, _) = talk.connected("10.0.0.2:80");
    // One word arrives and is acknowledged 60 ms later, which starts the timer anew; meanwhile the
    // other connection's word and the next of this one are lost.
    talk.a.send(talk.now, early, b"arrives").unwrap();
    talk.run_ms(20);
    talk.fate = Some(std::boxed::Box::new(|side, _, _| side == Side::B));
    let begun = talk.now;
    talk.a.send(talk.now, other, b"lost").unwrap();
    talk.run_ms(20);
    talk.a.set_nagle(talk.now, early, aperto_tcp::Nagle::Off).unwrap();
    talk.a.send(talk.now, early, b"lost too").unwrap();
    talk.run_ms(60);
    let deadline = talk.a.poll_deadline().unwrap();
    let timer = aperto_tcp::Timer::Retransmission;
    assert_eq!(deadline.what, crate::Timer::Tcp { connection: other, timer });
    assert_eq!(deadline.at, begun + talk.a.status(other).unwrap().rto);
}

/// Fairness: one that has much to send does not keep another from sending a little.
#[test]
fn connections_and_datagrams_leave_by_turns() {
    // Windows so large that all of it may leave at once.
    let tcp = aperto_tcp::Config {
        initial_window_segments: Some(500),
        initial_receive_window: 1 << 20,
        ..aperto_tcp::Config::modern()
    };
    let with = |secret| Config { tcp: tcp.clone().into(), ..config(secret) };
    let mut talk = Talk::with(with(1), with(2));
    let (bulk, _) = talk.connected("10.0.0.2:80");
    let (small, _) = talk.connected("10.0.0.2:80");
    let udp = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    talk.left.clear();
    talk.a.send(talk.now, bulk, &text(200_000)).unwrap();
    talk.a.send(talk.now, small, b"a word").unwrap();
    talk.a.send_to(talk.now, udp, b"a word", socket("10.0.0.2:9")).unwrap();
    talk.pump();
    let place = |like: &dyn Fn(&About) -> bool| talk.left.iter().position(|(_, about)| like(about)).unwrap();
    let word = place(&|about| matches!(about, About::Tcp { connection: Some(there), .. } if *there == small));
    let datagram = place(&|about| matches!(about, About::Udp { .. }));
    assert!(word <= 20 && datagram <= 20, "{word} {datagram} of {}", talk.left.len());
    assert!(talk.left.len() > 40, "{}", talk.left.len());
}
