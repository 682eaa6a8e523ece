//! IP and ICMP: who is heard, what is answered, how large a packet may be.

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use aperto_tcp::{End, Event as Tcp, State};
use aperto_time::Duration;
use aperto_wire::ip::Protocol;
use aperto_wire::{SeqNumber, icmpv4, icmpv6, ipv4, ipv6};

use super::segments::{datagram, icmp, icmp6, packet, packet_with, segment, syn, udp_octets};
use super::talk::{Side, Talk, Tester, cidr, config, host, ip, socket};
use crate::{About, Checksums, DropReason, Event, IcmpAbout, IcmpKind, IcmpMessage, Interface};

/// RFC 1122 §3.2.2.6, RFC 4443 §4.2: a ping comes back as it went, in fragments if need be.
#[test]
fn a_ping_is_answered_with_its_data() {
    for to in ["10.0.0.2", "2001:db8::2", "fe80::2"] {
        for length in [0, 56, 5000] {
            let mut talk = Talk::new();
            talk.a.ping(talk.now, ip(to), 7, 1, &vec![9; length]).unwrap();
            talk.run_ms(50);
            let from = ip(to);
            assert_eq!(talk.events_a, [Event::Echo { from, identifier: 7, sequence: 1, octets: length }]);
        }
    }
}

/// RFC 9293 §3.9.2.3 [MUST-63], RFC 1122 §3.2.1.3: silence for senders that cannot be, our own
/// address (LAND) and the broadcast of our network among them.
#[test]
fn a_sender_that_cannot_be_gets_no_answer() {
    for source in [
        "10.0.0.1",
        "0.0.0.0",
        "0.0.0.1",
        "127.0.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "10.0.0.255",
        "10.0.0.0",
    ] {
        let mut tester = Tester::new();
        tester.host.listen(socket("10.0.0.1:80"), 4).unwrap();
        let from = core::net::SocketAddr::new(ip(source), 80);
        assert!(tester.sends(&segment(from, socket("10.0.0.1:80"), &syn(1), b"")).is_empty(), "{source}");
        assert_eq!(tester.drops(), [DropReason::InvalidSource(ip(source))]);
        assert!(tester.sends(&datagram(from, socket("10.0.0.1:9"), b"x")).is_empty());
        assert_eq!(tester.host.connections().count(), 0);
    }
    for source in ["2001:db8::1", "::", "::1", "ff02::1", "::ffff:10.0.0.2"] {
        let mut tester = Tester::new();
        let from = core::net::SocketAddr::new(ip(source), 80);
        assert!(
            tester.sends(&segment(from, socket("[2001:db8::1]:80"), &syn(1), b"")).is_empty(),
            "{source}"
        );
        assert_eq!(tester.drops(), [DropReason::InvalidSource(ip(source))]);
    }
}

/// RFC 9293 §3.9.2.3 [MUST-57]: a SYN to a group is ignored; and nothing is answered that went to one.
#[test]
fn what_goes_to_a_group_opens_nothing_and_is_not_answered() {
    for to in ["10.0.0.255", "255.255.255.255", "224.0.0.1"] {
        let mut tester = Tester::new();
        tester.host.listen(socket("0.0.0.0:80"), 4).unwrap();
        let local = core::net::SocketAddr::new(ip(to), 80);
        assert!(tester.sends(&segment(socket("10.0.0.2:5555"), local, &syn(1), b"")).is_empty());
        assert_eq!(tester.drops(), [DropReason::ToGroup(Protocol::TCP)]);
        assert!(tester.sends(&datagram(socket("10.0.0.2:5555"), local, b"x")).is_empty());
        let ping = icmpv4::Message::EchoRequest(icmpv4::Echo { identifier: 1, sequence: 1, data: b"" });
        assert!(tester.sends(&icmp(ip("10.0.0.2"), ip(to), &ping)).is_empty());
    }
}

#[test]
fn what_goes_to_others_is_none_of_our_business() {
    let mut tester = Tester::new();
    for to in ["10.0.0.7", "192.0.2.1", "127.0.0.1", "224.0.0.251"] {
        let local = core::net::SocketAddr::new(ip(to), 80);
        assert!(tester.sends(&segment(socket("10.0.0.2:5555"), local, &syn(1), b"")).is_empty());
        assert_eq!(tester.drops(), [DropReason::NotForUs(ip(to))]);
    }
}

/// RFC 1122 §3.2.2.1: protocol unreachable; RFC 8200 §4: Parameter Problem at the Next Header.
#[test]
fn an_unknown_protocol_is_said_to_be_unknown() {
    let mut tester = Tester::new();
    let answers = tester.sends(&packet(ip("10.0.0.2"), ip("10.0.0.1"), Protocol(132), b"whatever"));
    let parsed = ipv4::parse(&answers[0].0).unwrap();
    let message = icmpv4::parse(parsed.payload).unwrap();
    let icmpv4::Message::DestinationUnreachable { code, quoted } = message else { panic!("{message:?}") };
    assert_eq!((code, quoted.len()), (icmpv4::Unreachable::Protocol, 28));
    assert!(icmpv4::verify(parsed.payload));
    let answers = tester.sends(&packet(ip("2001:db8::2"), ip("2001:db8::1"), Protocol(132), b"whatever"));
    let parsed = ipv6::parse(&answers[0].0).unwrap();
    let message = icmpv6::parse(parsed.payload).unwrap();
    let icmpv6::Message::ParameterProblem { code: 1, pointer: 6, quoted } = message else {
        panic!("{message:?}")
    };
    assert_eq!(quoted.len(), 48);
    assert!(
        tester.sends(&packet(ip("2001:db8::2"), ip("2001:db8::1"), Protocol::NO_NEXT_HEADER, b"")).is_empty()
    );
}

/// RFC 1122 §3.2.2: no error about an error, nor about a fragment that is not the first; and no
/// more octets than came and 28.
#[test]
fn an_error_is_never_answered_and_an_answer_is_hardly_larger_than_its_cause() {
    let mut tester = Tester::new();
    let unreachable =
        icmpv4::Message::DestinationUnreachable { code: icmpv4::Unreachable::Port, quoted: b"junk" };
    assert!(tester.sends(&icmp(ip("10.0.0.2"), ip("10.0.0.1"), &unreachable)).is_empty());
    let header = ipv4::Header {
        fragment_offset: 8,
        ..ipv4::Header::new("10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap(), Protocol::UDP)
    };
    assert!(tester.sends(&packet_with(&header, b"xxxxxxxx")).is_empty());
    for length in [0, 100, 1400] {
        let cause = datagram(socket("10.0.0.2:5"), socket("10.0.0.1:9"), &vec![0; length]);
        let answers = tester.sends(&cause);
        assert_eq!(answers.len(), 1);
        assert!(answers[0].0.len() <= (cause.len() + 28).min(576), "{}", answers[0].0.len());
        let about = IcmpAbout {
            from: ip("10.0.0.1"),
            to: ip("10.0.0.2"),
            message: IcmpMessage::Error(IcmpKind::PortUnreachable),
        };
        assert_eq!(answers[0].1, About::Icmp(about));
    }
}

/// RFC 1812 §4.3.2.8: errors are rationed, 1,000 in a second at most.
#[test]
fn a_flood_is_answered_with_a_trickle() {
    let mut tester = Tester::new();
    let cause = datagram(socket("10.0.0.2:5"), socket("10.0.0.1:9"), b"x");
    let mut answers = 0;
    for millisecond in 0..1000 {
        tester.now = aperto_time::Instant::from_millis(1000 + millisecond);
        for _ in 0..10 {
            answers += tester.sends(&cause).len();
        }
        tester.drops();
    }
    assert!((700..=1000).contains(&answers), "{answers}");
}

/// RFC 1122 §3.2.1.2, RFC 9293 §3.1 [MUST-3]: a flipped bit anywhere is noticed, unless the device is
/// trusted.
#[test]
fn a_wrong_checksum_is_dropped_unless_the_device_is_trusted() {
    let frame = segment(socket("10.0.0.2:5555"), socket("10.0.0.1:80"), &syn(1), b"text");
    for at in 0..frame.len() {
        let mut tester = Tester::new();
        let mut damaged = frame.clone();
        damaged[at] ^= 0x10;
        assert!(tester.sends(&damaged).is_empty(), "{at}");
    }
    let trusting =
        Interface { checksums: Checksums::Trust, ..Interface::ip("line", 1500, &[cidr("10.0.0.1/24")]) };
    let mut tester = Tester { host: host(config(1), trusting), ..Tester::new() };
    let mut damaged = frame;
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(tester.sends(&damaged).len(), 1);
}

/// RFC 7126 §4.3, RFC 8200 §4.2 and §4.4; RFC 9293 §3.9.2 [MUST-50]: other options change nothing.
#[test]
fn a_packet_that_names_its_own_way_is_dropped() {
    let mut tester = Tester::new();
    let udp = udp_octets(socket("10.0.0.2:5"), socket("10.0.0.1:9"), b"x");
    let header = ipv4::Header::new("10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap(), Protocol::UDP);
    for (options, reason) in [
        (&[131, 7, 4, 10, 0, 0, 9][..], DropReason::SourceRoute),
        (&[137, 3, 4], DropReason::SourceRoute),
        (&[1, 1, 1, 1], DropReason::NobodyThere(Protocol::UDP)),
    ] {
        let mut octets = vec![0; 60];
        let length = ipv4::emit_with_options(&mut octets, &header, options, udp.len()).unwrap();
        octets.truncate(length);
        octets.extend_from_slice(&udp);
        tester.sends(&octets);
        assert_eq!(tester.drops(), [reason]);
    }
    // A Routing header of type 0 with one stop to come; then an option that forbids to go on.
    let mut routing = vec![17, 2, 0, 1, 0, 0, 0, 0];
    routing.extend_from_slice(&[0; 16]);
    let answers = tester.sends(&packet(ip("2001:db8::2"), ip("2001:db8::1"), Protocol::ROUTING, &routing));
    assert_eq!(tester.drops(), [DropReason::SourceRoute]);
    let kind = IcmpKind::ParameterProblem { pointer: 42 };
    assert!(
        matches!(answers[0].1, About::Icmp(IcmpAbout { message: IcmpMessage::Error(there), .. }) if there == kind)
    );
    let option = [59, 0, 0b1000_0000, 0, 1, 0, 1, 0];
    tester.sends(&packet(ip("2001:db8::2"), ip("2001:db8::1"), Protocol::DESTINATION_OPTIONS, &option));
    assert_eq!(tester.drops(), [DropReason::RefusedOption]);
}

// Fragments.

fn fragments_of(frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    let parsed = ipv4::parse(frame).unwrap();
    let pieces = parsed.payload.chunks(size).enumerate();
    pieces
        .map(|(number, piece)| {
            let offset = number * size;
            let more_fragments = offset + piece.len() < parsed.payload.len();
            let (identification, dont_fragment) = (77, false);
            let fragment_offset = offset as u16;
            packet_with(
                &ipv4::Header {
                    identification,
                    dont_fragment,
                    more_fragments,
                    fragment_offset,
                    ..parsed.header
                },
                piece,
            )
        })
        .collect()
}

#[test]
fn a_segment_in_fragments_reaches_its_listener() {
    let mut tester = Tester::new();
    tester.host.listen(socket("10.0.0.1:80"), 4).unwrap();
    let frame = segment(socket("10.0.0.2:5555"), socket("10.0.0.1:80"), &syn(1), b"");
    let pieces = fragments_of(&frame, 8);
    assert_eq!(pieces.len(), 3);
    assert!(tester.sends(&pieces[2]).is_empty() && tester.sends(&pieces[0]).is_empty());
    assert_eq!(tester.sends(&pieces[1]).len(), 1);
}

/// RFC 1122 §3.3.2: the rest did not come within 30 s, and the sender of the first fragment hears it.
#[test]
fn a_datagram_that_stays_in_pieces_is_given_up_with_an_error() {
    let mut tester = Tester::new();
    let frame = datagram(socket("10.0.0.2:5"), socket("10.0.0.1:9"), &[7; 100]);
    let pieces = fragments_of(&frame, 64);
    tester.sends(&pieces[0]);
    assert!(tester.wait(Duration::from_millis(29_999)).is_empty());
    let answers = tester.wait(Duration::from_millis(1));
    let about = IcmpAbout {
        from: ip("10.0.0.1"),
        to: ip("10.0.0.2"),
        message: IcmpMessage::Error(IcmpKind::ReassemblyTimeExceeded),
    };
    assert_eq!(answers.iter().map(|(_, about)| *about).collect::<Vec<_>>(), [About::Icmp(about)]);
    assert_eq!(tester.drops(), [DropReason::FragmentTimeout]);
    assert!(tester.host.poll_deadline().is_none());
    // Without the first, nobody is told.
    tester.sends(&pieces[1]);
    assert!(tester.wait(Duration::from_secs(40)).is_empty());
}

/// RFC 5722: an overlap ends it all, in IPv6 too.
#[test]
fn fragments_that_overlap_never_reach_anybody() {
    let mut tester = Tester::new();
    let id = tester.host.bind_udp(socket("[2001:db8::1]:9")).unwrap();
    let udp = udp_octets(socket("[2001:db8::2]:5"), socket("[2001:db8::1]:9"), &[7; 56]);
    let piece = |offset: u16, more: bool, octets: &[u8]| {
        let mut payload = vec![0; 8];
        ipv6::emit_fragment(&mut payload, Protocol::UDP, &ipv6::Fragment { identification: 1, offset, more })
            .unwrap();
        payload.extend_from_slice(octets);
        packet(ip("2001:db8::2"), ip("2001:db8::1"), Protocol::FRAGMENT, &payload)
    };
    tester.sends(&piece(0, true, &udp[..32]));
    tester.sends(&piece(24, true, &udp[24..40]));
    assert_eq!(tester.drops(), [DropReason::FragmentOverlap]);
    tester.sends(&piece(32, false, &udp[32..]));
    assert_eq!(tester.drops(), [DropReason::FragmentOfNothing]);
    assert_eq!(tester.host.receive_datagram(id), Ok(None));
    // Another identification, in order: whole. And a fragment that is all of it (RFC 6946).
    let again = |identification: u32, offset: u16, more: bool, octets: &[u8]| {
        let mut frame = piece(offset, more, octets);
        frame[44..48].copy_from_slice(&identification.to_be_bytes());
        frame
    };
    tester.sends(&again(2, 0, true, &udp[..32]));
    tester.sends(&again(2, 32, false, &udp[32..]));
    tester.sends(&again(1, 0, false, &udp));
    let read = core::iter::from_fn(|| tester.host.receive_datagram(id).unwrap());
    assert!(read.map(|datagram| datagram.octets).eq([vec![7; 56], vec![7; 56]]));
}

// What the network says of connections.

/// A router with a smaller MTU between the two: what is larger it answers.
fn narrow(talk: &mut Talk, mtu: usize) {
    let answers = std::rc::Rc::new(core::cell::RefCell::new(Vec::new()));
    let taken = answers.clone();
    talk.fate = Some(Box::new(move |side, frame, _| {
        if side == Side::A && frame.len() > mtu {
            taken.borrow_mut().push(frame.clone());
            // The router's answer goes the way of the frame: Talk has no third party, so the frame
            // is turned into it and comes back with the next from B.
        }
        side == Side::B || frame.len() <= mtu
    }));
    for _ in 0..40 {
        talk.run_ms(25);
        for frame in answers.borrow_mut().drain(..) {
            let answer = if frame[0] >> 4 == 4 {
                let code = icmpv4::Unreachable::FragmentationNeeded { next_hop_mtu: mtu as u16 };
                icmp(
                    ip("10.0.0.254"),
                    ip("10.0.0.1"),
                    &icmpv4::Message::DestinationUnreachable { code, quoted: &frame[..28] },
                )
            } else {
                let message = icmpv6::Message::PacketTooBig { mtu: mtu as u32, quoted: &frame[..600] };
                icmp6(ip("2001:db8::fe"), ip("2001:db8::1"), &message)
            };
            talk.a.frame_arrives(talk.now, super::talk::LINE, &answer);
        }
    }
}

/// RFC 1191, RFC 8201: text gets through in smaller segments, and later connections know.
#[test]
fn a_narrow_path_makes_segments_smaller() {
    for (remote, mtu) in [("10.0.0.2:80", 1000), ("[2001:db8::2]:80", 1300)] {
        let mut talk = Talk::new();
        let (client, server) = talk.connected(remote);
        let octets: Vec<u8> = (0..20_000_u32).map(|at| (at % 251) as u8).collect();
        talk.a.send(talk.now, client, &octets).unwrap();
        narrow(&mut talk, mtu);
        assert!(talk.read(Side::B, server) == octets);
        talk.left.clear();
        let (later, other) = talk.connected(remote);
        talk.a.send(talk.now, later, &octets).unwrap();
        talk.run_ms(1000);
        assert!(talk.read(Side::B, other) == octets);
        let headers = if mtu == 1000 { 40 } else { 60 };
        let sizes = talk.left.iter().filter_map(|(side, about)| match about {
            About::Tcp { payload_length, .. } if *side == Side::A => Some(*payload_length as usize),
            _ => None,
        });
        assert!(sizes.max().unwrap() <= mtu - headers);
    }
}

/// RFC 5927 §4: an error that does not quote what is in flight changes nothing.
#[test]
fn a_forged_error_changes_nothing() {
    let mut talk = Talk::new();
    let (client, _) = talk.connected("10.0.0.2:80");
    let endpoints = talk.a.endpoints(client).unwrap();
    let next = talk.a.status(client).unwrap().send_next;
    let mss = talk.a.status(client).unwrap().send_mss;
    for forged in [next + 1, next - 2_000_000, next, next - 1] {
        let header = aperto_wire::tcp::Header { seq: forged, ..syn(0) };
        let quoted = segment(endpoints.local, endpoints.remote, &header, b"");
        for code in [
            icmpv4::Unreachable::FragmentationNeeded { next_hop_mtu: 68 },
            icmpv4::Unreachable::Port,
            icmpv4::Unreachable::Host,
        ] {
            let message = icmpv4::Message::DestinationUnreachable { code, quoted: &quoted[..28] };
            talk.a.frame_arrives(
                talk.now,
                super::talk::LINE,
                &icmp(ip("10.0.0.254"), ip("10.0.0.1"), &message),
            );
        }
    }
    talk.run_ms(100);
    let status = talk.a.status(client).unwrap();
    assert_eq!((status.state, status.send_mss), (State::Established, mss));
    assert_eq!(talk.a.path_mtus.get(talk.now, ip("10.0.0.2")), None);
}

/// RFC 9293 §3.9.2.2 [MUST-54] [MUST-56]: a hard error ends an open that has not been answered; a
/// soft one does not, and an open connection outlives both (RFC 5927 §5.2).
#[test]
fn a_hard_error_ends_only_an_open_that_nobody_has_answered() {
    for (code, ends) in [
        (icmpv4::Unreachable::Port, true),
        (icmpv4::Unreachable::Protocol, true),
        (icmpv4::Unreachable::Host, false),
        (icmpv4::Unreachable::Network, false),
    ] {
        let mut tester = Tester::new();
        let client = tester.host.connect(tester.now, None, socket("10.0.0.2:80")).unwrap();
        let sent = tester.answers();
        let message = icmpv4::Message::DestinationUnreachable { code, quoted: &sent[0].0[..28] };
        let mut wrong = sent[0].0.clone();
        wrong[24] ^= 1;
        let forged = icmpv4::Message::DestinationUnreachable { code, quoted: &wrong[..28] };
        tester.sends(&icmp(ip("10.0.0.254"), ip("10.0.0.1"), &forged));
        assert_eq!(tester.host.status(client).unwrap().state, State::SynSent);
        tester.sends(&icmp(ip("10.0.0.254"), ip("10.0.0.1"), &message));
        assert_eq!(tester.host.status(client).unwrap().state == State::Closed, ends, "{code:?}");
        let ended = tester.events().contains(&Event::Tcp(client, Tcp::Ended(End::Unreachable)));
        assert_eq!(ended, ends);
    }
}

/// RFC 9293 §3.9.2.2 [MUST-55], RFC 6633: source quench (type 4) is ignored.
#[test]
fn source_quench_is_ignored() {
    let mut tester = Tester::new();
    let client = tester.host.connect(tester.now, None, socket("10.0.0.2:80")).unwrap();
    let sent = tester.answers();
    let before = tester.host.status(client).unwrap();
    let quench =
        icmpv4::Message::Unknown { kind: 4, code: 0, rest_of_header: [0; 4], body: &sent[0].0[..28] };
    assert!(tester.sends(&icmp(ip("10.0.0.254"), ip("10.0.0.1"), &quench)).is_empty());
    assert_eq!(tester.host.status(client).unwrap(), before);
    assert_eq!(tester.drops().last(), Some(&DropReason::UnusedIcmp));
}

/// Several interfaces: the longest prefix chooses the way, and the way chooses the address, and, RFC 9293
/// §3.7.3 [SHLD-6], the segment size that is offered.
#[test]
fn a_connection_leaves_through_the_interface_that_its_route_names() {
    let mut host = crate::Host::new(config(1));
    let near = host.add_interface(Interface::ip("near", 1500, &[cidr("10.0.0.1/24")]));
    let far = host.add_interface(Interface::ip("far", 1400, &[cidr("172.16.0.1/16")]));
    host.add_route(crate::Route { to: cidr("0.0.0.0/0"), via: Some(ip("172.16.0.254")), interface: far });
    let now = aperto_time::Instant::ZERO;
    let mut buffer = [0; 1600];
    for (to, interface, local, mss) in
        [("10.0.0.9:80", near, "10.0.0.1", 1460), ("192.0.2.1:80", far, "172.16.0.1", 1360)]
    {
        let id = host.connect(now, None, socket(to)).unwrap();
        let departure = host.poll_frame(now, &mut buffer).unwrap();
        assert_eq!((departure.interface, host.endpoints(id).unwrap().local.ip()), (interface, ip(local)));
        // RFC 9293 §3.7.1 [MUST-67]: the MTU less the fixed headers.
        let About::Tcp { header, .. } = departure.about else { panic!("a SYN") };
        assert_eq!(header.options.mss, Some(mss));
    }
    // Weak hosts: an address of the other interface is ours too, RFC 1122 §3.3.4.2.
    let listener = host.listen(socket("172.16.0.1:80"), 1).unwrap();
    host.frame_arrives(now, near, &segment(socket("10.0.0.9:5555"), socket("172.16.0.1:80"), &syn(1), b""));
    let departure = host.poll_frame(now, &mut buffer).unwrap();
    assert_eq!(departure.interface, near);
    assert!(host.close_listener(now, listener).is_ok());
}

/// RFC 9293 §3.9.1.9 [MUST-48] [SHLD-21] [SHLD-22]: the Differentiated Services field, from the SYN on or later.
#[test]
fn the_differentiated_services_field_can_be_set_for_each_connection() {
    for (remote, v4) in [("10.0.0.2:80", true), ("[2001:db8::2]:80", false)] {
        let mut tester = Tester::new();
        let client = tester.host.connect(tester.now, None, socket(remote)).unwrap();
        tester.host.set_diffserv(client, 46).unwrap();
        let other = tester.host.connect(tester.now, None, socket(remote)).unwrap();
        let field = |frame: &[u8]| match v4 {
            true => ipv4::parse(frame).unwrap().header.type_of_service,
            false => ipv6::parse(frame).unwrap().header.traffic_class,
        };
        let sent: Vec<_> = tester.answers().iter().map(|(frame, _)| field(frame)).collect();
        // 46 is Expedited Forwarding, RFC 3246: 101110 and two bits of ECN.
        assert_eq!(sent, [0b1011_1000, 0]);
        tester.host.abort(tester.now, other).unwrap();
        assert!(tester.host.set_diffserv(other, 1).is_err());
    }
}

/// RFC 9293 §3.9.2 [MUST-49]: the time to live is what the settings say.
#[test]
fn the_time_to_live_can_be_set() {
    let mut tester = Tester::with(crate::Config { time_to_live: 3, ..config(1) });
    tester.host.connect(tester.now, None, socket("10.0.0.2:80")).unwrap();
    let sent = tester.answers();
    assert_eq!(ipv4::parse(&sent[0].0).unwrap().header.time_to_live, 3);
    assert!(ipv4::parse(&sent[0].0).unwrap().header.dont_fragment);
    let About::Tcp { header, .. } = sent[0].1 else { panic!("a SYN") };
    assert_ne!(header.seq, SeqNumber::new(0));
}
