extern crate std;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::ip::Protocol;

const TARGET: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);
const CARD: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);

fn pseudo() -> PseudoHeader {
    PseudoHeader::ipv6(TARGET, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), Protocol::ICMPV6)
}

fn error(octets: &[u8]) -> (What, usize) {
    let error = parse(octets).unwrap_err();
    assert_eq!(error.format, Format::Ndp);
    (error.what, error.at)
}

/// RFC 4861 §4.3 and §4.6.1. Checksum by hand: pseudo-header fe80 + 7 + ff02 + 1 + 3a + 20 = 1_fde4,
/// folded fde5; 8700 + fe80 + 7 + 101 + 200 + 0 + 1 = 1_8889, folded 888a; sum 1_866f = 8670,
/// complement 798f.
#[test]
fn a_neighbor_solicitation_has_the_octets_computed_by_hand() {
    let message = Message::NeighborSolicitation { target: TARGET };
    let mut octets = [0xff; 40];
    let options = [NeighborOption::SourceLinkLayerAddress(CARD)];
    assert_eq!(emit(&mut octets, &message, &options, pseudo()), Ok(32));
    assert_eq!(octets[..8], [135, 0, 0x79, 0x8f, 0, 0, 0, 0]);
    assert_eq!(octets[8..24], TARGET.octets());
    assert_eq!(octets[24..32], [1, 1, 2, 0, 0, 0, 0, 1]);
    assert!(icmpv6::verify(pseudo(), &octets[..32]));
    let (read, options) = parse(&octets[..32]).unwrap();
    assert_eq!((read, options.source_link_layer_address()), (message, Some(CARD)));
    assert_eq!((options.target_link_layer_address(), options.mtu()), (None, None));
}

/// RFC 4861 §4.4: R, S, O are the upper three bits of octet 4.
#[test]
fn the_flags_of_an_advertisement_are_its_upper_bits() {
    let mut octets = [0; 24];
    for (bits, (router, solicited, overrides)) in
        [(0x80, (true, false, false)), (0x40, (false, true, false)), (0x20, (false, false, true))]
    {
        let message = Message::NeighborAdvertisement { target: TARGET, router, solicited, overrides };
        emit(&mut octets, &message, &[], pseudo()).unwrap();
        assert_eq!(octets[4], bits);
        assert_eq!(parse(&octets), Ok((message, Options::NONE)));
    }
}

/// RFC 4861 §4.2, §4.6.2 and §4.6.4.
#[test]
fn a_router_advertisement_carries_prefix_and_mtu() {
    let message = Message::RouterAdvertisement(RouterAdvertisement {
        hop_limit: 64,
        managed: false,
        other: true,
        lifetime_seconds: 1800,
        reachable_time_milliseconds: 30_000,
        retransmission_milliseconds: 1000,
    });
    let prefix = Prefix {
        prefix: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
        prefix_length: 64,
        on_link: true,
        autonomous: true,
        valid_seconds: 0x0102_0304,
        preferred_seconds: u32::MAX,
    };
    let mut octets = [0xff; 56];
    let options = [NeighborOption::Mtu(1480), NeighborOption::Prefix(prefix)];
    assert_eq!(emit(&mut octets, &message, &options, pseudo()), Ok(56));
    assert_eq!(octets[4..16], [64, 0x40, 0x07, 0x08, 0, 0, 0x75, 0x30, 0, 0, 0x03, 0xe8]);
    assert_eq!(octets[16..24], [5, 1, 0, 0, 0, 0, 0x05, 0xc8]);
    assert_eq!(octets[24..40], [3, 4, 64, 0xc0, 1, 2, 3, 4, 255, 255, 255, 255, 0, 0, 0, 0]);
    let (read, read_options) = parse(&octets).unwrap();
    assert_eq!((read, read_options.mtu()), (message, Some(1480)));
    assert_eq!(read_options.iter().collect::<Vec<_>>(), options);
}

/// RFC 4861 §4.6: nodes ignore a packet with an option of length zero.
#[test]
fn an_option_of_length_zero_or_past_the_end_is_an_error_that_names_the_octet() {
    let mut octets = vec![0; 24];
    Message::NeighborSolicitation { target: TARGET }.write(&mut octets);
    octets.extend([1, 1, 2, 0, 0, 0, 0, 1]);
    octets.extend([9, 1, 0, 0, 0, 0, 0, 0]);
    let (_, options) = parse(&octets).unwrap();
    let unknown = NeighborOption::Unknown { kind: 9, octets: &[9, 1, 0, 0, 0, 0, 0, 0] };
    assert_eq!(options.iter().last(), Some(unknown));
    for length in [0, 2, 255] {
        octets[33] = length;
        assert_eq!(error(&octets), (What::OptionLength, 32));
    }
    octets[25] = 0;
    assert_eq!(error(&octets), (What::OptionLength, 24));
}

#[test]
fn a_message_cut_anywhere_is_an_error_that_names_the_octet() {
    let redirect = Message::Redirect { target: TARGET, destination: TARGET };
    let mut octets = [0; 56];
    emit(&mut octets, &redirect, &[NeighborOption::RedirectedHeader(b"12345678")], pseudo()).unwrap();
    for length in 0..56 {
        let at = if length <= 40 { length } else { 40 };
        let found = parse(&octets[..length]);
        assert_eq!(found.map(|_| ()).map_err(|error| error.at), if length == 40 { Ok(()) } else { Err(at) });
        let mut small = vec![0; length];
        let options = [NeighborOption::RedirectedHeader(b"12345678")];
        assert!(emit(&mut small, &redirect, &options, pseudo()).is_err());
    }
}

/// RFC 4861 §7.1.1: code 0, a target that is no multicast address.
#[test]
fn a_code_or_a_multicast_target_is_an_error() {
    let mut octets = [0; 24];
    Message::NeighborSolicitation { target: TARGET }.write(&mut octets);
    octets[1] = 3;
    assert_eq!(error(&octets), (What::Value { found: 3 }, 1));
    octets[1] = 0;
    octets[8..10].copy_from_slice(&[0xff, 0x02]);
    assert_eq!(error(&octets), (What::Value { found: 0xff02 }, 8));
    octets[0] = 138;
    assert_eq!(error(&octets), (What::Value { found: 138 }, 0));
}

#[test]
fn options_that_cannot_be_said_are_errors() {
    let mut buffer = [0; 4000];
    for octets in [&[0; 0][..], &[0; 7], &[0; 12], &[0; 2048]] {
        assert!(emit_options(&mut buffer, &[NeighborOption::Unknown { kind: 9, octets }]).is_err());
    }
    let quoted = [1; 2033];
    assert!(emit_options(&mut buffer, &[NeighborOption::RedirectedHeader(&quoted)]).is_err());
    assert_eq!(emit_options(&mut buffer, &[NeighborOption::RedirectedHeader(&quoted[..2032])]), Ok(2040));
    assert_eq!(options(&buffer[..2040]).unwrap().iter().count(), 1);
    assert!(options(&buffer[..2039]).is_err());
}

fn any_option() -> impl Strategy<Value = NeighborOption<'static>> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(|octets| NeighborOption::SourceLinkLayerAddress(MacAddress(octets))),
        any::<[u8; 6]>().prop_map(|octets| NeighborOption::TargetLinkLayerAddress(MacAddress(octets))),
        any::<u32>().prop_map(NeighborOption::Mtu),
        (any::<u128>(), any::<u8>(), any::<bool>(), any::<bool>(), any::<u32>(), any::<u32>()).prop_map(
            |(prefix, prefix_length, on_link, autonomous, valid_seconds, preferred_seconds)| {
                let prefix = Ipv6Addr::from_bits(prefix);
                NeighborOption::Prefix(Prefix {
                    prefix,
                    prefix_length,
                    on_link,
                    autonomous,
                    valid_seconds,
                    preferred_seconds,
                })
            }
        ),
        Just(NeighborOption::RedirectedHeader(b"eight or sixteen")),
        Just(NeighborOption::Unknown { kind: 14, octets: &[14, 1, 1, 2, 3, 4, 5, 6] }),
    ]
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same(
        target in any::<u128>(), destination in any::<u128>(), which in 0..5,
        bits in any::<[bool; 3]>(), numbers in any::<(u8, u16, u32, u32)>(),
        options in proptest::collection::vec(any_option(), 0..5),
    ) {
        // A target must not be a multicast address.
        let target = Ipv6Addr::from_bits(target >> 1);
        let message = match which {
            0 => Message::RouterSolicitation,
            1 => Message::RouterAdvertisement(RouterAdvertisement {
                hop_limit: numbers.0, managed: bits[0], other: bits[1], lifetime_seconds: numbers.1,
                reachable_time_milliseconds: numbers.2, retransmission_milliseconds: numbers.3,
            }),
            2 => Message::NeighborSolicitation { target },
            3 => Message::NeighborAdvertisement { target, router: bits[0], solicited: bits[1], overrides: bits[2] },
            _ => Message::Redirect { target, destination: Ipv6Addr::from_bits(destination) },
        };
        let mut buffer = [0xee; 300];
        let length = emit(&mut buffer, &message, &options, pseudo()).unwrap();
        prop_assert!(icmpv6::verify(pseudo(), &buffer[..length]));
        let (read, read_options) = parse(&buffer[..length]).unwrap();
        prop_assert_eq!(read, message);
        prop_assert_eq!(read_options.iter().collect::<Vec<_>>(), options);
    }

    #[test]
    fn random_octets_never_panic(
        octets in proptest::collection::vec(any::<u8>(), 0..120), kind in 132_u8..139, units in 0_u8..4,
    ) {
        let mut octets = octets;
        let _ = parse(&octets);
        let fixed = fixed_octets(kind).unwrap_or(8);
        for (at, value) in [(0, kind), (1, 0), (8, 0), (fixed + 1, units), (fixed + 9, units)] {
            if let Some(place) = octets.get_mut(at) { *place = value; }
        }
        if let Ok((_, options)) = parse(&octets) {
            let length: usize = options.iter().map(|option| option.length()).sum();
            prop_assert_eq!(length, options.octets().len());
        }
    }
}
