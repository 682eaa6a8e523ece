//! UDP sockets.

use std::vec;

use super::segments::{datagram, packet, udp_octets};
use super::talk::{Side, Talk, Tester, config, ip, socket};
use crate::{About, Config, DatagramError, DropReason, Event, IcmpKind, ListenError};
use aperto_wire::ip::Protocol;

/// RFC 768, both versions, and one datagram that needs fragments (RFC 791 §2.3, RFC 8200 §4.5).
#[test]
fn datagrams_are_echoed_whole() {
    for (remote, fragments) in [("10.0.0.2:7", 3), ("[2001:db8::2]:7", 3)] {
        for length in [0, 5, 1400, 4000] {
            let mut talk = Talk::new();
            let server = talk.b.bind_udp(socket("[::]:7")).unwrap();
            let local = if remote.starts_with('[') { "[2001:db8::1]:5000" } else { "10.0.0.1:5000" };
            let client = talk.a.bind_udp(socket(local)).unwrap();
            let octets: vec::Vec<u8> = (0..length).map(|at| at as u8).collect();
            talk.a.send_to(talk.now, client, &octets, socket(remote)).unwrap();
            talk.run_ms(50);
            assert_eq!(talk.events_b, [Event::Udp(server)]);
            let datagram = talk.b.receive_datagram(server).unwrap().unwrap();
            assert_eq!((datagram.from, datagram.to), (socket(local), socket(remote)));
            talk.b.send_to(talk.now, server, &datagram.octets, datagram.from).unwrap();
            talk.run_ms(50);
            let mut buffer = [0; 5000];
            assert_eq!(talk.a.receive_from(client, &mut buffer), Ok(Some((length, socket(remote)))));
            assert_eq!(buffer[..length], octets);
            assert_eq!(talk.a.receive_from(client, &mut buffer), Ok(None));
            let frames = talk.count(|side, _| side == Side::A);
            assert_eq!(frames, if length == 4000 { fragments } else { 1 });
        }
    }
}

/// RFC 1122 §4.1.3.1: nobody is there, and the application hears of it.
#[test]
fn a_datagram_to_nobody_comes_back_as_an_error() {
    for (local, remote) in [("10.0.0.1:5000", "10.0.0.2:9"), ("[2001:db8::1]:5000", "[2001:db8::2]:9")] {
        let mut talk = Talk::new();
        let client = talk.a.bind_udp(socket(local)).unwrap();
        talk.a.send_to(talk.now, client, b"anybody?", socket(remote)).unwrap();
        talk.run_ms(50);
        let remote = socket(remote);
        let what = IcmpKind::PortUnreachable;
        assert_eq!(talk.events_a, [Event::UdpError { socket: client, remote, what }]);
    }
}

#[test]
fn a_connected_socket_hears_only_its_peer() {
    let mut tester = Tester::new();
    let id = tester.host.bind_udp(socket("10.0.0.1:5000")).unwrap();
    tester.host.connect_udp(id, Some(socket("10.0.0.2:7"))).unwrap();
    let (peer, other) = (socket("10.0.0.2:7"), socket("10.0.0.2:8"));
    tester.sends(&datagram(other, socket("10.0.0.1:5000"), b"no"));
    assert_eq!(tester.drops(), [DropReason::OtherRemote(other)]);
    tester.sends(&datagram(peer, socket("10.0.0.1:5000"), b"yes"));
    assert_eq!(tester.host.receive_datagram(id).unwrap().unwrap().octets, b"yes");
    assert_eq!(tester.host.receive_datagram(id), Ok(None));
}

#[test]
fn a_socket_is_bound_once_and_given_back_whole() {
    let mut talk = Talk::with(Config { sequential_ports: true, ..config(1) }, config(2));
    let first = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    assert_eq!(talk.a.bind_udp(socket("0.0.0.0:5000")), Err(ListenError::InUse));
    assert_eq!(talk.a.bind_udp(socket("10.0.0.7:5000")), Err(ListenError::NotOurAddress(ip("10.0.0.7"))));
    let any = talk.a.bind_udp(socket("0.0.0.0:0")).unwrap();
    assert_eq!(talk.a.udp_local(any), Some(socket("0.0.0.0:49152")));
    talk.a.close_udp(first).unwrap();
    assert!(talk.a.close_udp(first).is_err() && talk.a.receive_datagram(first).is_err());
    assert_eq!(talk.a.send_to(talk.now, first, b"", socket("10.0.0.2:7")), Err(DatagramError::NoSuchSocket));
    assert!(talk.a.bind_udp(socket("0.0.0.0:5000")).is_ok());
}

#[test]
fn a_datagram_that_cannot_go_is_an_error() {
    let mut talk = Talk::new();
    let id = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    let mut send = |to: &str, length: usize| talk.a.send_to(talk.now, id, &vec![0; length], socket(to));
    assert_eq!(send("10.0.0.2:0", 1), Err(DatagramError::InvalidRemote(ip("10.0.0.2"))));
    assert_eq!(send("[2001:db8::2]:7", 1), Err(DatagramError::InvalidRemote(ip("2001:db8::2"))));
    assert_eq!(send("10.0.0.1:7", 1), Err(DatagramError::ToItself(ip("10.0.0.1"))));
    assert_eq!(send("192.0.2.1:7", 1), Err(DatagramError::NoRoute(ip("192.0.2.1"))));
    // 65,535 less 20 less 8.
    assert_eq!(send("10.0.0.2:7", 65_508), Err(DatagramError::TooLarge { most: 65_507 }));
    assert_eq!(send("10.0.0.2:7", 65_507), Ok(()));
    assert_eq!(send("10.0.0.255:7", 1), Ok(()));
    assert_eq!(send("255.255.255.255:7", 1), Ok(()));
}

#[test]
fn the_largest_datagram_arrives_whole() {
    let mut talk = Talk::new();
    let server = talk.b.bind_udp(socket("10.0.0.2:7")).unwrap();
    let client = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    let octets: vec::Vec<u8> = (0..65_507_u32).map(|at| (at % 253) as u8).collect();
    talk.a.send_to(talk.now, client, &octets, socket("10.0.0.2:7")).unwrap();
    talk.run_ms(50);
    assert!(talk.b.receive_datagram(server).unwrap().unwrap().octets == octets);
    // 65,515 octets above IP in pieces of 1,480.
    assert_eq!(talk.count(|_, about| matches!(about, About::Fragment { .. })), 44);
}

#[test]
fn a_broadcast_reaches_a_socket_and_is_never_answered() {
    let mut talk = Talk::new();
    let server = talk.b.bind_udp(socket("0.0.0.0:7")).unwrap();
    let client = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    for (to, port) in [("10.0.0.255", 7), ("255.255.255.255", 7), ("10.0.0.255", 9)] {
        talk.a.send_to(talk.now, client, b"all", core::net::SocketAddr::new(ip(to), port)).unwrap();
    }
    talk.run_ms(50);
    assert_eq!(core::iter::from_fn(|| talk.b.receive_datagram(server).unwrap()).count(), 2);
    assert_eq!(talk.count(|side, _| side == Side::B), 0);
}

/// A flood: at most a mebibyte waits, the rest is counted.
#[test]
fn what_nobody_reads_is_bounded() {
    let mut tester = Tester::new();
    tester.host.watch(crate::Watch::Off);
    let id = tester.host.bind_udp(socket("10.0.0.1:5000")).unwrap();
    let frame = datagram(socket("10.0.0.2:7"), socket("10.0.0.1:5000"), &[0; 1000]);
    for _ in 0..5000 {
        tester.sends(&frame);
    }
    let waiting = core::iter::from_fn(|| tester.host.receive_datagram(id).unwrap()).count();
    assert!(waiting <= (1 << 20) / 1000 && waiting > 900, "{waiting}");
    assert_eq!(waiting as u64 + tester.host.udp_dropped(id), 5000);
    assert_eq!(tester.events(), [Event::Udp(id)]);
}

#[test]
fn what_cannot_leave_is_bounded_too() {
    let mut talk = Talk::new();
    let id = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    let mut taken = 0;
    while talk.a.send_to(talk.now, id, &[0; 1000], socket("10.0.0.2:7")).is_ok() {
        taken += 1;
    }
    assert!((900..=1048).contains(&taken), "{taken}");
}

/// RFC 768, RFC 1122 §4.1.3.4, RFC 8200 §8.1: lengths and checksums that lie.
#[test]
fn a_datagram_is_believed_only_with_a_right_length_and_checksum() {
    let (from, to) = (socket("10.0.0.2:7"), socket("10.0.0.1:5000"));
    let with = |change: &dyn Fn(&mut vec::Vec<u8>)| {
        let mut octets = udp_octets(from, to, b"payload!");
        change(&mut octets);
        let mut tester = Tester::new();
        let id = tester.host.bind_udp(to).unwrap();
        tester.sends(&packet(from.ip(), to.ip(), Protocol::UDP, &octets));
        tester.host.receive_datagram(id).unwrap().map(|datagram| datagram.octets)
    };
    let whole = Some(b"payload!".to_vec());
    assert_eq!(with(&|_| {}), whole);
    assert_eq!(with(&|octets| octets[9] ^= 1), None);
    // Zero: its sender took none.
    assert_eq!(with(&|octets| octets[6..8].fill(0)), whole);
    for length in [0, 7, 17, 65_535_u16] {
        assert_eq!(with(&|octets| octets[4..6].copy_from_slice(&length.to_be_bytes())), None, "{length}");
    }
    // A shorter length trims; the octets behind it are not covered.
    assert_eq!(with(&|octets| octets.extend_from_slice(b"padding")), whole);
    let (from, to) = (socket("[2001:db8::2]:7"), socket("[2001:db8::1]:5000"));
    let mut octets = udp_octets(from, to, b"payload!");
    octets[6..8].fill(0);
    let mut tester = Tester::new();
    tester.host.bind_udp(to).unwrap();
    tester.sends(&packet(from.ip(), to.ip(), Protocol::UDP, &octets));
    assert_eq!(tester.drops(), [DropReason::NoChecksum]);
}

/// Port 0 is nobody's, in either direction.
#[test]
fn port_0_is_dropped() {
    let mut tester = Tester::new();
    tester.host.bind_udp(socket("10.0.0.1:5000")).unwrap();
    for (from, to) in [("10.0.0.2:0", "10.0.0.1:5000"), ("10.0.0.2:7", "10.0.0.1:0")] {
        assert!(tester.sends(&datagram(socket(from), socket(to), b"x")).is_empty());
        assert_eq!(tester.drops(), [DropReason::PortZero]);
        let syn = super::segments::segment(socket(from), socket(to), &super::segments::syn(1), b"");
        assert!(tester.sends(&syn).is_empty());
        assert!(tester.drops().contains(&DropReason::PortZero));
    }
}
