extern crate std;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const HERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const THERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

fn packet(next_header: Protocol, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 40];
    emit(&mut octets, &Header::new(HERE, THERE, next_header), payload.len()).unwrap();
    octets.extend(payload);
    octets
}

/// What is wrong behind the fixed header, and where.
fn upper_error(next_header: Protocol, payload: &[u8]) -> (What, usize) {
    let octets = packet(next_header, payload);
    let error = parse(&octets).unwrap().upper_layer().unwrap_err();
    assert_eq!(error.format, Format::Ipv6);
    (error.what, error.at)
}

#[test]
fn a_header_has_the_octets_computed_by_hand() {
    let header =
        Header { traffic_class: 0xb8, flow_label: 0x12345, ..Header::new(HERE, THERE, Protocol::TCP) };
    let mut octets = [0; 60];
    assert_eq!(emit(&mut octets, &header, 20), Ok(40));
    assert_eq!(octets[..8], [0x6b, 0x81, 0x23, 0x45, 0, 20, 6, 64]);
    assert_eq!(octets[8..24], [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(octets[24..40], [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    let packet = parse(&octets).unwrap();
    assert_eq!((packet.header, packet.payload), (header, &[0; 20][..]));
    let upper = packet.upper_layer().unwrap();
    assert_eq!((upper.protocol, upper.at, upper.next_header_at), (Protocol::TCP, 40, 6));
}

#[test]
fn a_packet_cut_anywhere_is_an_error_that_names_the_octet() {
    let octets = packet(Protocol::UDP, &[0; 20]);
    for length in 0..60 {
        let error = parse(&octets[..length]).unwrap_err();
        assert_eq!(error.at, if length < 40 { length } else { 4 }, "{length}");
        let quoted = parse_quoted(&octets[..length]).ok().map(|packet| packet.payload.len());
        assert_eq!(quoted, length.checked_sub(40));
    }
    let mut longer = octets.clone();
    longer.push(9);
    assert_eq!(parse(&longer).unwrap().payload, [0; 20]);
    longer[0] = 0x45;
    assert_eq!(parse(&longer).unwrap_err().what, What::Version { found: 4 });
}

/// RFC 8200 §4.1: Hop-by-Hop, Destination, Routing, Fragment, Destination, upper layer.
#[test]
fn all_extension_headers_lead_to_the_upper_layer() {
    let payload: [&[u8]; 6] = [
        &[60, 0, 5, 2, 0, 0, 1, 0], // Hop-by-Hop: Router Alert, empty PadN
        &[43, 0, 1, 4, 0, 0, 0, 0], // Destination Options: PadN
        &[44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // Routing, no segments left
        &[60, 9, 0, 6, 1, 2, 3, 4], // an atomic fragment, reserved bits set
        &[6, 0, 0, 0, 0, 0, 0, 0],  // Destination Options: Pad1
        b"tcp here",
    ];
    let payload = payload.concat();
    let octets = packet(Protocol::HOP_BY_HOP, &payload);
    let packet = parse(&octets).unwrap();
    let expected = Upper {
        protocol: Protocol::TCP,
        payload: b"tcp here",
        at: 88,
        next_header_at: 80,
        fragment: None,
        routing: None,
        refused_option: None,
    };
    assert_eq!(packet.upper_layer(), Ok(expected));
    let kinds: Vec<_> = packet.extensions().map(|extension| extension.map(|e| (e.kind.0, e.at))).collect();
    assert_eq!(kinds, [Ok((0, 40)), Ok((60, 48)), Ok((43, 56)), Ok((44, 72)), Ok((60, 80))]);
}

#[test]
fn a_fragment_ends_the_walk_with_its_piece() {
    let fragment = Fragment { identification: 0x0102_0304, offset: 16, more: true };
    let mut payload = [0; 16];
    assert_eq!(emit_fragment(&mut payload, Protocol::HOP_BY_HOP, &fragment), Ok(8));
    assert_eq!(payload[..8], [0, 0, 0, 17, 1, 2, 3, 4]);
    let octets = packet(Protocol::FRAGMENT, &payload);
    let upper = parse(&octets).unwrap().upper_layer().unwrap();
    assert_eq!((upper.fragment, upper.protocol, upper.at), (Some(fragment), Protocol(0), 48));
    assert_eq!(upper.payload, [0; 8]);
    assert_eq!(upper_error(Protocol::FRAGMENT, &payload[..15]), (What::FragmentUnaligned { octets: 7 }, 42));
    payload[2..4].copy_from_slice(&[0xff, 0xf8]);
    let past_end = What::FragmentPastEnd { end: 65536 };
    assert_eq!(upper_error(Protocol::FRAGMENT, &payload), (past_end, 42));
}

/// RFC 8200 §4.4 and §4.2.
#[test]
fn a_routing_header_with_segments_left_and_an_unknown_option_are_reported() {
    let octets = packet(Protocol::ROUTING, &[59, 0, 4, 1, 0, 0, 0, 0]);
    let upper = parse(&octets).unwrap().upper_layer().unwrap();
    assert_eq!(upper.routing, Some(Routing { kind: 4, segments_left: 1, at: 40 }));
    assert_eq!((upper.protocol, upper.payload), (Protocol::NO_NEXT_HEADER, &[][..]));
    for (kind, action) in [
        (0x3e, None),
        (0x7e, Some(OptionAction::Discard)),
        (0xbe, Some(OptionAction::DiscardAndAnswer)),
        (0xfe, Some(OptionAction::DiscardAndAnswerUnicast)),
    ] {
        let octets = packet(Protocol::DESTINATION_OPTIONS, &[59, 0, 0, kind, 3, 0, 0, 0]);
        let upper = parse(&octets).unwrap().upper_layer().unwrap();
        assert_eq!(upper.refused_option, action.map(|action| RefusedOption { kind, at: 43, action }));
    }
}

#[test]
fn extension_headers_that_lie_are_errors_that_name_the_octet() {
    let options = Protocol::DESTINATION_OPTIONS;
    assert_eq!(upper_error(options, &[6, 0, 0]), (What::Truncated { needed: 48 }, 43));
    assert_eq!(
        upper_error(options, &[6, 1, 0, 0, 0, 0, 0, 0]),
        (What::HeaderTooLong { octets: 16, present: 8 }, 41)
    );
    assert_eq!(upper_error(options, &[6, 0, 1, 5, 0, 0, 0, 0]), (What::OptionLength, 42));
    assert_eq!(upper_error(options, &[6, 0, 0, 0, 0, 0, 0, 1]), (What::OptionLength, 47));
    let twice = [[0, 0, 1, 4, 0, 0, 0, 0]; 2].concat();
    assert_eq!(upper_error(Protocol::HOP_BY_HOP, &twice), (What::HopByHopNotFirst, 48));
}

#[test]
fn nine_extension_headers_are_too_many_and_eight_are_not() {
    let mut payload = [[60, 0, 1, 4, 0, 0, 0, 0]; 8];
    assert_eq!(
        upper_error(Protocol::DESTINATION_OPTIONS, &payload.concat()),
        (What::TooManyExtensions { most: 8 }, 104)
    );
    payload[7][0] = 59;
    let octets = packet(Protocol::DESTINATION_OPTIONS, &payload.concat());
    assert_eq!(parse(&octets).unwrap().upper_layer().unwrap().at, 104);
}

#[test]
fn what_cannot_be_said_or_has_no_room_is_an_error() {
    let header = Header::new(HERE, THERE, Protocol::TCP);
    let mut buffer = [0; 40];
    assert!(emit(&mut buffer[..39], &header, 0).is_err());
    assert!(emit(&mut buffer, &header, 65536).is_err());
    assert!(emit(&mut buffer, &Header { flow_label: 1 << 20, ..header }, 0).is_err());
    let fragment = Fragment { identification: 0, offset: 4, more: false };
    assert!(emit_fragment(&mut buffer, Protocol::TCP, &fragment).is_err());
    assert!(emit_fragment(&mut buffer[..7], Protocol::TCP, &Fragment { offset: 8, ..fragment }).is_err());
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same(
        source in any::<u128>(), destination in any::<u128>(), next_header in any::<u8>(),
        hop_limit in any::<u8>(), traffic_class in any::<u8>(), flow_label in 0_u32..1 << 20,
        payload in proptest::collection::vec(any::<u8>(), 0..100), more in 0_usize..20,
    ) {
        let header = Header {
            source: Ipv6Addr::from_bits(source), destination: Ipv6Addr::from_bits(destination),
            next_header: Protocol(next_header), hop_limit, traffic_class, flow_label,
        };
        let mut octets = vec![0; 40];
        emit(&mut octets, &header, payload.len()).unwrap();
        octets.extend(&payload);
        octets.resize(octets.len() + more, 0xee);
        prop_assert_eq!(parse(&octets), Ok(Packet { header, payload: &payload }));
    }

    #[test]
    fn random_octets_never_panic_and_never_loop(
        octets in proptest::collection::vec(any::<u8>(), 40..200),
        kinds in proptest::collection::vec(prop::sample::select(vec![0_u8, 43, 44, 60, 6]), 20),
    ) {
        let mut octets = octets;
        let _ = parse(&octets);
        octets[0] = 0x60;
        let length = octets.len() - 40;
        octets[4..6].copy_from_slice(&(length as u16).to_be_bytes());
        octets[6] = kinds[0];
        for (header, kind) in octets[40..].chunks_mut(8).zip(&kinds) {
            header[0] = *kind;
            if let Some(length) = header.get_mut(1) { *length &= 1; }
        }
        let packet = parse(&octets).unwrap();
        prop_assert!(packet.extensions().count() <= 9);
        if let Ok(upper) = packet.upper_layer() {
            prop_assert_eq!(upper.payload, &octets[upper.at..]);
            prop_assert_eq!(octets[upper.next_header_at], upper.protocol.0);
        }
        for length in 0..octets.len() {
            let _ = parse_quoted(&octets[..length]).map(|packet| packet.upper_layer());
        }
    }
}
