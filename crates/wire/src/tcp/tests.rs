extern crate std;

use std::vec;
use std::vec::Vec;

use core::net::Ipv4Addr;
use proptest::prelude::*;

use super::*;
use crate::checksum::PseudoHeader;
use crate::error::{Error, Format, What};
use crate::ip::Protocol;

fn pseudo() -> PseudoHeader {
    PseudoHeader::ipv4(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), Protocol::TCP)
}

const PORTS: Ports = Ports { source: 0x1234, destination: 80 };

fn written(header: &Header, payload: &[&[u8]]) -> Vec<u8> {
    let mut buffer = vec![0xaa; 2000];
    let length = emit(&mut buffer, PORTS, header, payload.iter().copied(), pseudo()).unwrap();
    buffer.truncate(length);
    buffer
}

fn options_of(options: Options) -> Vec<u8> {
    written(&Header { options, ..Header::default() }, &[])[20..].to_vec()
}

/// A header without text whose options are these octets, padded to a multiple of four.
fn with_options(options: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 20];
    octets.extend(options);
    octets.resize(octets.len().next_multiple_of(4), 0);
    octets[12] = u8::try_from(octets.len() * 4).unwrap();
    octets
}

fn read_options(options: &[u8]) -> (Options, Option<(OptionsFaultKind, usize)>) {
    let octets = with_options(options);
    let parsed = parse(&octets).unwrap();
    (parsed.segment.header.options, parsed.options_fault.map(|fault| (fault.what, fault.at)))
}

/// RFC 9293 §3.1 [MUST-2]. Checksum by hand: pseudo-header 141d for 20 octets (see `checksum`), and
/// 1234 + 0050 + 0102 + 0304 + 0000 + 0000 + 5002 + 2000 = 868c: sum 9aa9, checksum 6556.
#[test]
fn a_syn_without_options_has_the_octets_computed_by_hand() {
    let header = Header {
        seq: SeqNumber::new(0x0102_0304),
        control: Control::SYN,
        window: 0x2000,
        ..Header::default()
    };
    let expected = [
        0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, 0x50, 0x02, 0x20, 0x00, 0x65,
        0x56, 0x00, 0x00,
    ];
    assert_eq!(written(&header, &[]), expected);
    let parsed = parse(&expected).unwrap();
    assert_eq!((parsed.ports, parsed.segment.header, parsed.checksum), (PORTS, header, 0x6556));
    assert!(verify(pseudo(), &expected));
}

/// The order and padding of Linux: MSS, SACK permitted, timestamps, NOP, window scale.
#[test]
fn the_options_of_a_syn_stand_where_linux_puts_them() {
    let options = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 0x0a0b_0c0d, echo: 0 }),
        ..Options::NONE
    };
    let expected = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0x0a, 0x0b, 0x0c, 0x0d, 0, 0, 0, 0, 1, 3, 3, 7];
    assert_eq!(options_of(options), expected);
    assert_eq!(read_options(&expected), (options, None));
}

/// RFC 7323 appendix A: two No-Operations align the numbers.
#[test]
fn timestamps_alone_follow_two_no_operations() {
    let timestamps = Some(Timestamps { value: 1, echo: 2 });
    let expected = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(options_of(Options { timestamps, ..Options::NONE }), expected);
    assert_eq!(read_options(&expected), (Options { timestamps, ..Options::NONE }, None));
}

/// RFC 2018 §3: with timestamps three blocks are all that fit into 40 octets; without, four.
#[test]
fn a_fourth_sack_block_gives_way_to_timestamps() {
    let sack: SackBlocks = (0..4)
        .map(|n| SackBlock { start: SeqNumber::new(n * 16), end: SeqNumber::new(n * 16 + 8) })
        .collect();
    let alone = Options { sack, ..Options::NONE };
    assert_eq!(options_of(alone).len(), 36);
    assert_eq!(options_of(alone)[..8], [1, 1, 5, 34, 0, 0, 0, 0]);
    assert_eq!(read_options(&options_of(alone)), (alone, None));
    let timestamps = Some(Timestamps { value: 1, echo: 2 });
    let beside = options_of(Options { timestamps, ..alone });
    assert_eq!(beside.len(), 40);
    assert_eq!(beside[12..16], [1, 1, 5, 26]);
    assert_eq!(read_options(&beside).0.sack.as_slice(), &sack.as_slice()[..3]);
}

/// RFC 9293 §3.1 [MUST-68]: each has a length; RFC 7413 §4.1.1 and RFC 5482 §3: kind 34 with the cookie, kind 28 with the granularity bit.
#[test]
fn fast_open_and_user_timeout_have_their_octets() {
    let options = Options {
        fast_open: FastOpenCookie::new(&[1, 2, 3, 4, 5, 6, 7, 8]),
        user_timeout: Some(UserTimeout { amount: 5, minutes: true }),
        ..Options::NONE
    };
    let expected = [1, 1, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 28, 4, 0x80, 5];
    assert_eq!(options_of(options), expected);
    assert_eq!(read_options(&expected), (options, None));
    let request = Options { fast_open: Some(FastOpenCookie::REQUEST), ..Options::NONE };
    assert_eq!(options_of(request), [1, 1, 34, 2]);
    assert_eq!(read_options(&[34, 2]), (request, None));
}

#[test]
fn options_beyond_forty_octets_are_left_out_in_the_documented_order() {
    let options = Options {
        mss: Some(1),
        window_scale: Some(2),
        sack_permitted: true,
        sack: [SackBlock::default(); 4].into_iter().collect(),
        timestamps: Some(Timestamps { value: 3, echo: 4 }),
        user_timeout: Some(UserTimeout { amount: 5, minutes: false }),
        fast_open: FastOpenCookie::new(&[9; 16]),
    };
    let read = read_options(&options_of(options)).0;
    assert_eq!(read, Options { sack: SackBlocks::NONE, user_timeout: None, ..options });
}

/// An option that breaks the list: what stood before it counts, the segment too, and nothing loops.
#[test]
fn an_option_whose_length_breaks_the_list_ends_the_reading() {
    use OptionsFaultKind::{LengthTooShort, NoLength, PastTheEnd};
    let mss = Options { mss: Some(1460), ..Options::NONE };
    for (octets, fault) in [
        (&[2, 4, 0x05, 0xb4, 3, 0, 3, 7][..], (LengthTooShort, 24)),
        (&[2, 4, 0x05, 0xb4, 3, 1, 3, 7], (LengthTooShort, 24)),
        (&[2, 4, 0x05, 0xb4, 8, 10, 0, 0], (PastTheEnd, 24)),
        (&[2, 4, 0x05, 0xb4, 1, 1, 1, 99], (NoLength, 27)),
        (&[2, 4, 0x05, 0xb4, 253, 255, 0, 0], (PastTheEnd, 24)),
    ] {
        assert_eq!(read_options(octets), (mss, Some(fault)), "{octets:?}");
    }
}

/// RFC 9293 §3.2 [MUST-64]: the options behind it stand at odd places.
#[test]
fn a_known_option_of_a_wrong_length_is_skipped_alone() {
    use OptionsFaultKind::WrongLength;
    let scale = Options { window_scale: Some(7), ..Options::NONE };
    for octets in [
        &[2, 3, 5, 3, 3, 7][..],
        &[2, 2, 3, 3, 7],
        &[4, 3, 0, 3, 3, 7],
        &[5, 2, 3, 3, 7],
        &[5, 9, 0, 0, 0, 0, 0, 0, 0, 3, 3, 7],
        &[8, 9, 0, 0, 0, 0, 0, 0, 0, 3, 3, 7],
        &[28, 3, 0, 3, 3, 7],
        &[34, 5, 0, 0, 0, 3, 3, 7],
    ] {
        assert_eq!(read_options(octets), (scale, Some((WrongLength, 20))), "{octets:?}");
    }
}

#[test]
fn of_an_option_that_comes_twice_the_first_counts() {
    let (options, fault) = read_options(&[2, 4, 0, 1, 2, 4, 0, 2]);
    assert_eq!((options.mss, fault), (Some(1), Some((OptionsFaultKind::Repeated, 24))));
}

/// RFC 9293 §3.1 [MUST-4], §3.2: End of Option List ends the list, No-Operation fills it.
#[test]
fn nothing_counts_after_the_end_of_the_list() {
    assert_eq!(read_options(&[1, 0, 2, 4, 0, 1]), (Options::NONE, None));
    assert_eq!(read_options(&[1; 40]), (Options::NONE, None));
}

/// RFC 9293 §3.1 [MUST-6]: options that we do not know are passed over; and none of them is lost.
/// [MUST-69]: behind the last of them the header is filled with zeros.
#[test]
fn an_unknown_option_is_kept_and_can_be_sent_again() {
    let raw = [253, 4, 0xab, 0xcd, 254, 2];
    let mut buffer = [0xaa; 60];
    let header = Header { options: Options { mss: Some(9), ..Options::NONE }, ..Header::default() };
    let length = emit_with_raw_options(&mut buffer, PORTS, &header, &raw, [&b"text"[..]], pseudo()).unwrap();
    assert_eq!(length, 20 + 4 + 8 + 4);
    assert_eq!(buffer[20..32], [2, 4, 0, 9, 253, 4, 0xab, 0xcd, 254, 2, 0, 0]);
    assert!(verify(pseudo(), &buffer[..length]));
    let parsed = parse(&buffer[..length]).unwrap();
    assert_eq!(
        (parsed.segment.header, parsed.segment.payload, parsed.options_fault),
        (header, &b"text"[..], None)
    );
    let unknown: Vec<_> =
        parsed.unknown_options().map(|option| (option.kind, option.octets, option.at)).collect();
    assert_eq!(unknown, [(253, &[0xab, 0xcd][..], 24), (254, &[][..], 28)]);
}

#[test]
fn raw_options_that_do_not_fit_are_left_out_whole() {
    let mut buffer = [0; 80];
    for (raw, expected) in [(40, 60), (41, 20), (37, 60), (100, 20)] {
        let header = Header::default();
        let length = emit_with_raw_options(&mut buffer, PORTS, &header, &vec![1; raw], [], pseudo());
        assert_eq!(length, Ok(expected), "{raw}");
    }
}

/// RFC 9293 §3.1: a data offset below 5 or past the end leaves no segment.
#[test]
fn a_data_offset_that_lies_is_an_error_at_octet_12() {
    let mut octets = [0; 24];
    for (offset, what) in [
        (0_u8, What::HeaderTooShort { octets: 0, least: 20 }),
        (4, What::HeaderTooShort { octets: 16, least: 20 }),
        (7, What::HeaderTooLong { octets: 28, present: 24 }),
        (15, What::HeaderTooLong { octets: 60, present: 24 }),
    ] {
        octets[12] = offset << 4;
        assert_eq!(parse(&octets), Err(Error { format: Format::Tcp, what, at: 12 }));
    }
    octets[12] = 0x60;
    assert!(parse(&octets).is_ok());
}

#[test]
fn a_segment_cut_anywhere_in_its_header_is_an_error_that_names_the_octet() {
    let options = Options { mss: Some(1460), sack_permitted: true, ..Options::NONE };
    let octets = written(&Header { options, ..Header::default() }, &[b"text"]);
    for length in 0..28 {
        let error = parse(&octets[..length]).unwrap_err();
        let at = if length < 20 { length } else { 12 };
        assert_eq!((error.format, error.at), (Format::Tcp, at), "{length}");
    }
    assert_eq!(parse(&octets[..28]).unwrap().segment.payload, b"");
}

#[test]
fn a_buffer_too_small_is_an_error_and_no_panic() {
    let header = Header {
        options: Options { timestamps: Some(Timestamps { value: 1, echo: 2 }), ..Options::NONE },
        ..Header::default()
    };
    for header in
        [Header::default(), header, Header { options: Options { mss: Some(1), ..header.options }, ..header }]
    {
        let needed = header_length(&header) + 5;
        for present in 0..needed {
            let mut buffer = vec![0; present];
            let error = emit(&mut buffer, PORTS, &header, [&b"12"[..], b"345"], pseudo()).unwrap_err();
            assert!(matches!(error.what, What::NoRoom { present: p, .. } if p == present));
        }
        let mut buffer = vec![0; needed];
        assert_eq!(emit(&mut buffer, PORTS, &header, [&b"12"[..], b"345"], pseudo()), Ok(needed));
    }
}

#[test]
fn a_quoted_segment_shows_ports_and_sequence_number() {
    let octets = [0x12, 0x34, 0, 80, 1, 2, 3, 4];
    assert_eq!(parse_quoted(&octets), Ok(Quoted { ports: PORTS, seq: SeqNumber::new(0x0102_0304) }));
    assert_eq!(parse_quoted(&octets[..7]).unwrap_err().at, 7);
}

prop_compose! {
    fn any_options()(
        mss in any::<Option<u16>>(),
        window_scale in any::<Option<u8>>(),
        sack_permitted in any::<bool>(),
        blocks in proptest::collection::vec(any::<(u32, u32)>(), 0..=4),
        timestamps in any::<Option<(u32, u32)>>(),
        user_timeout in proptest::option::of((0_u16..0x8000, any::<bool>())),
        cookie in proptest::option::of((prop_oneof![Just(0_usize), (2_usize..=8).prop_map(|n| n * 2)], any::<[u8; 16]>())),
    ) -> Options {
        Options {
            mss,
            window_scale,
            sack_permitted,
            sack: blocks.iter().map(|(start, end)| SackBlock { start: SeqNumber::new(*start), end: SeqNumber::new(*end) }).collect(),
            timestamps: timestamps.map(|(value, echo)| Timestamps { value, echo }),
            user_timeout: user_timeout.map(|(amount, minutes)| UserTimeout { amount, minutes }),
            fast_open: cookie.map(|(length, octets)| FastOpenCookie::new(&octets[..length]).unwrap()),
        }
    }
}

prop_compose! {
    /// Few options at a time, so that most sets fit whole.
    fn few_options()(all in any_options(), keep in any::<[bool; 7]>()) -> Options {
        Options {
            mss: all.mss.filter(|_| keep[0]),
            window_scale: all.window_scale.filter(|_| keep[1]),
            sack_permitted: all.sack_permitted && keep[2],
            sack: if keep[3] { all.sack } else { SackBlocks::NONE },
            timestamps: all.timestamps.filter(|_| keep[4]),
            user_timeout: all.user_timeout.filter(|_| keep[5]),
            fast_open: all.fast_open.filter(|_| keep[6]),
        }
    }
}

/// How many octets the options take if nothing is left out, by the rules of `emit`'s header.
fn octets_needed(options: &Options) -> usize {
    let mut octets = 0;
    octets += if options.mss.is_some() { 4 } else { 0 };
    octets += match (options.timestamps, options.sack_permitted) {
        (Some(_), _) => 12,
        (None, true) => 4,
        (None, false) => 0,
    };
    octets += if options.window_scale.is_some() { 4 } else { 0 };
    octets += options.fast_open.map_or(0, |cookie| (cookie.as_slice().len() + 2).div_ceil(4) * 4);
    octets += if options.user_timeout.is_some() { 4 } else { 0 };
    octets + if options.sack.is_empty() { 0 } else { 4 + 8 * options.sack.as_slice().len() }
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same(
        options in few_options(),
        seq in any::<u32>(), ack in any::<u32>(), control in any::<u8>(),
        window in any::<u16>(), urgent_pointer in any::<u16>(),
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..4),
    ) {
        let header = Header {
            seq: SeqNumber::new(seq), ack: SeqNumber::new(ack), control: Control::from_bits(control),
            window, urgent_pointer, options,
        };
        let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let octets = written(&header, &slices);
        prop_assert!(verify(pseudo(), &octets));
        let parsed = parse(&octets).unwrap();
        prop_assert_eq!(parsed.ports, PORTS);
        prop_assert_eq!(parsed.segment.payload, pieces.concat());
        prop_assert_eq!(parsed.options_fault, None);
        prop_assert_eq!(parsed.header_length(), header_length(&header));
        if octets_needed(&options) <= 40 {
            prop_assert_eq!(parsed.header_length(), 20 + octets_needed(&options));
            prop_assert_eq!(parsed.segment.header, header);
        }
        let mut alone = [0; 60];
        let (length, sum) = emit_header(&mut alone, PORTS, &header).unwrap();
        let whole = pseudo().with_length(octets.len()).then(sum).and(&pieces.concat());
        prop_assert_eq!(whole.finish(), parsed.checksum);
        prop_assert_eq!(&alone[..16], &octets[..16]);
        prop_assert_eq!(&alone[18..length], &octets[18..length]);
    }

    #[test]
    fn any_options_at_all_fit_into_forty_octets(options in any_options(), raw in proptest::collection::vec(any::<u8>(), 0..50)) {
        let header = Header { options, ..Header::default() };
        let mut buffer = [0; 60];
        let length = emit_with_raw_options(&mut buffer, PORTS, &header, &raw, [], pseudo()).unwrap();
        prop_assert!(length >= header_length(&header));
        prop_assert!(verify(pseudo(), &buffer[..length]));
    }

    #[test]
    fn a_flipped_bit_never_verifies(octets in proptest::collection::vec(any::<u8>(), 0..100), bit in any::<prop::sample::Index>()) {
        let mut octets = written(&Header::default(), &[&octets]);
        let bit = bit.index(octets.len() * 8);
        octets[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify(pseudo(), &octets));
    }

    #[test]
    fn random_octets_never_panic_and_raw_options_lose_nothing(
        octets in proptest::collection::vec(any::<u8>(), 0..120), offset in 5_u8..16,
    ) {
        let mut octets = octets;
        let _ = parse(&octets);
        if let Some(place) = octets.get_mut(12) {
            *place = offset << 4;
        }
        if let Ok(parsed) = parse(&octets) {
            let mut again = Vec::new();
            let mut whole = true;
            for option in parsed.raw_options() {
                let Ok(option) = option else { whole = false; break };
                prop_assert_eq!(option.at, 20 + again.len());
                again.push(option.kind);
                if option.kind > 1 {
                    again.push(option.octets.len() as u8 + 2);
                    again.extend(option.octets);
                }
            }
            prop_assert!(parsed.options_octets.starts_with(&again));
            let ended = again.last() == Some(&0) || again.len() == parsed.options_octets.len();
            prop_assert!(!whole || ended);
        }
    }
}
