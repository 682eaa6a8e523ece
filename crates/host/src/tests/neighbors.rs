//! ARP and Neighbor Discovery between two hosts on an Ethernet link.

use aperto_tcp::{End, Event as Tcp, State};
use aperto_time::{Duration, Instant};
use aperto_wire::ethernet::{self, EtherType};
use aperto_wire::{MacAddress, arp};

use super::talk::{LINE, Side, Talk, addresses, card, config, host, ip, socket};
use crate::{About, Event, Host, IcmpKind, Interface, NeighborAbout};

fn questions(talk: &Talk, side: Side) -> usize {
    talk.count(|from, about| {
        from == side && matches!(about, About::Neighbor(NeighborAbout::Solicitation { .. }))
    })
}

/// RFC 826, RFC 4861 §7.2: one question, one answer, and the SYN that waited leaves.
#[test]
fn a_neighbor_is_asked_once_and_the_connection_opens() {
    for remote in ["10.0.0.2:80", "[2001:db8::2]:80", "[fe80::2]:80"] {
        let mut talk = Talk::over_ethernet();
        let (client, server) = talk.connected(remote);
        talk.a.send(talk.now, client, b"hello").unwrap();
        talk.run_ms(100);
        assert_eq!(talk.read(Side::B, server), b"hello");
        // Who was asked knows the asker.
        assert_eq!(
            (questions(&talk, Side::A), questions(&talk, Side::B)),
            (1, usize::from(false)),
            "{remote}"
        );
        let syns = |side, about: &About| {
            side == Side::A && matches!(about, About::Tcp { header, .. } if header.control.syn())
        };
        assert_eq!(talk.count(syns), 1);
    }
}

/// RFC 1122 §2.4: nobody answers three questions, and the connection hears that nobody is there.
#[test]
fn a_silent_neighbor_ends_an_open_and_is_told_to_a_socket() {
    let mut talk = Talk::over_ethernet();
    let client = talk.a.connect(talk.now, None, socket("10.0.0.9:80")).unwrap();
    let udp = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    let remote = socket("10.0.0.8:7");
    talk.a.send_to(talk.now, udp, b"anybody?", remote).unwrap();
    talk.run(Duration::from_secs(4));
    assert!(talk.events_a.contains(&Event::Tcp(client, Tcp::Ended(End::Unreachable))), "{:?}", talk.events_a);
    let what = IcmpKind::HostUnreachable;
    assert!(talk.events_a.contains(&Event::UdpError { socket: udp, remote, what }));
    assert_eq!(questions(&talk, Side::A), 6);
}

#[test]
fn an_open_connection_outlives_a_neighbor_that_is_silent_for_a_while() {
    let mut talk = Talk::over_ethernet();
    let (client, server) = talk.connected("10.0.0.2:80");
    talk.run(Duration::from_secs(60));
    talk.fate = Some(std::boxed::Box::new(|_, _, _| false));
    talk.a.send(talk.now, client, b"later").unwrap();
    talk.run(Duration::from_secs(20));
    assert_eq!(talk.a.status(client).unwrap().state, State::Established);
    talk.fate = None;
    talk.run(Duration::from_secs(60));
    assert_eq!(talk.read(Side::B, server), b"later");
}

#[test]
fn datagrams_that_wait_for_a_card_leave_in_order() {
    let mut talk = Talk::over_ethernet();
    let server = talk.b.bind_udp(socket("10.0.0.2:7")).unwrap();
    let client = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    for number in 0..20_u8 {
        talk.a.send_to(talk.now, client, &[number], socket("10.0.0.2:7")).unwrap();
    }
    talk.run_ms(100);
    let read = core::iter::from_fn(|| talk.b.receive_datagram(server).unwrap());
    // Sixteen wait for one card; the oldest four gave way.
    assert!(read.map(|datagram| datagram.octets[0]).eq(4..20));
}

#[test]
fn a_ping_and_a_broadcast_find_their_way_over_ethernet() {
    let mut talk = Talk::over_ethernet();
    let server = talk.b.bind_udp(socket("0.0.0.0:7")).unwrap();
    let client = talk.a.bind_udp(socket("10.0.0.1:5000")).unwrap();
    talk.a.send_to(talk.now, client, b"all", socket("10.0.0.255:7")).unwrap();
    talk.a.ping(talk.now, ip("2001:db8::2"), 1, 1, b"x").unwrap();
    talk.run_ms(100);
    assert!(talk.b.receive_datagram(server).unwrap().is_some());
    assert!(talk.events_a.iter().any(|event| matches!(event, Event::Echo { .. })));
    assert_eq!(questions(&talk, Side::A), 1);
}

fn ethernet_host() -> Host {
    host(config(1), Interface::ethernet("eth", card(1), 1500, &addresses(1)))
}

fn arp_frame(to: MacAddress, packet: &arp::Packet) -> [u8; 42] {
    let mut frame = [0; 42];
    let header = ethernet::Header::new(packet.sender_hardware, to, EtherType::ARP);
    ethernet::emit(&mut frame, &header).unwrap();
    arp::emit(&mut frame[14..], packet).unwrap();
    frame
}

/// RFC 826, RFC 5227 §2.1.1: a request for our address is answered to the asker, and only that; a
/// probe, whose sender has no address yet, too.
#[test]
fn only_questions_about_our_own_address_are_answered() {
    let request = |sender: &str, target: &str| arp::Packet {
        operation: arp::Operation::Request,
        sender_hardware: card(9),
        sender: sender.parse().unwrap(),
        target_hardware: MacAddress::UNSPECIFIED,
        target: target.parse().unwrap(),
    };
    let mut buffer = [0; 1600];
    for (sender, target, answered) in [
        ("10.0.0.9", "10.0.0.1", true),
        ("0.0.0.0", "10.0.0.1", true),
        ("10.0.0.9", "10.0.0.2", false),
        ("10.0.0.1", "10.0.0.1", false),
        ("192.0.2.9", "10.0.0.1", false),
    ] {
        let mut host = ethernet_host();
        host.frame_arrives(Instant::ZERO, LINE, &arp_frame(MacAddress::BROADCAST, &request(sender, target)));
        let departure = host.poll_frame(Instant::ZERO, &mut buffer);
        assert_eq!(departure.is_some(), answered, "{sender} {target}");
        let Some(departure) = departure else { continue };
        let frame = ethernet::parse(&buffer[..departure.length]).unwrap();
        let answer = arp::parse(frame.payload).unwrap();
        assert_eq!((frame.header.destination, frame.header.source), (card(9), card(1)));
        assert_eq!((answer.operation, answer.sender_hardware), (arp::Operation::Reply, card(1)));
        assert_eq!((ip(target), ip(sender)), (answer.sender.into(), answer.target.into()));
    }
}

/// Answers that nobody asked for put nobody into the cache.
#[test]
fn an_answer_without_a_question_is_not_remembered() {
    let mut host = ethernet_host();
    let reply = arp::Packet {
        operation: arp::Operation::Reply,
        sender_hardware: card(9),
        sender: "10.0.0.2".parse().unwrap(),
        target_hardware: card(1),
        target: "10.0.0.1".parse().unwrap(),
    };
    host.frame_arrives(Instant::ZERO, LINE, &arp_frame(card(1), &reply));
    assert_eq!(host.neighbors.card(LINE, ip("10.0.0.2")), None);
}

#[test]
fn frames_for_other_cards_are_dropped() {
    let mut talk = Talk::over_ethernet();
    talk.fate = Some(std::boxed::Box::new(|side, frame, about| {
        if side == Side::A && matches!(about, About::Tcp { .. }) {
            frame[5] ^= 0x40;
        }
        true
    }));
    talk.listen(1);
    talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    talk.run_ms(500);
    assert_eq!(talk.b.connections().count(), 0);
}
