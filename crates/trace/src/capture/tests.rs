use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::testing::*;

/// Builds blocks in either byte order, right or wrong.
struct Blocks {
    order: Order,
    octets: Vec<u8>,
}

impl Blocks {
    fn new(order: Order) -> Self {
        Self { order, octets: Vec::new() }.section()
    }

    fn number(&self, number: u32) -> [u8; 4] {
        match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        }
    }

    fn short(&self, number: u16) -> [u8; 2] {
        match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        }
    }

    fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let length = self.number(u32::try_from(body.len() + 12).expect("it is short"));
        let kind = self.number(kind);
        for part in [&kind[..], &length, body, &length] {
            self.octets.extend_from_slice(part);
        }
        self
    }

    fn section(self) -> Self {
        let body = [&self.number(0x1a2b_3c4d)[..], &self.short(1), &self.short(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link_type: u16, options: &[u8]) -> Self {
        let body = [&self.short(link_type)[..], &[0; 2], &self.number(65_535), options].concat();
        self.block(1, &body)
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("it is short");
        let mut option = [&self.short(code)[..], &self.short(length), value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn packet(self, interface: u32, ticks: u64, octets: &[u8], options: &[u8]) -> Self {
        let length = u32::try_from(octets.len()).expect("it is short");
        self.packet_claiming(interface, ticks, (length, length), octets, options)
    }

    fn packet_claiming(
        self,
        interface: u32,
        ticks: u64,
        (captured, original): (u32, u32),
        octets: &[u8],
        options: &[u8],
    ) -> Self {
        let mut padded = octets.to_vec();
        padded.resize(octets.len().next_multiple_of(4), 0);
        let numbers = [interface, (ticks >> 32) as u32, ticks as u32, captured, original];
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| self.number(*number)).collect();
        let body = [numbers, padded, options.to_vec()].concat();
        self.block(6, &body)
    }
}

fn fault(octets: &[u8]) -> Error {
    read(octets).expect("it begins well").fault.expect("it goes on badly")
}

#[test]
fn both_byte_orders_say_the_same() {
    for order in [Order::Little, Order::Big] {
        let b = Blocks::new(order);
        let options = [b.option(2, b"eth0"), b.option(9, &[9]), b.option(0, b"")].concat();
        let b = b.interface(1, &options);
        let flags = b.number(1);
        let options = [b.option(1, b"why"), b.option(2, &flags), b.option(0, b"")].concat();
        let capture = read(&b.packet(0, 0x1_0000_0002, b"abcde", &options).octets).expect("it is sound");
        assert_eq!(capture.fault, None);
        let interface = CaptureInterface { name: Some("eth0".to_string()), link_type: LinkType::Ethernet };
        assert_eq!(capture.interfaces, [interface]);
        let frame = Frame {
            interface: 0,
            at_ns: 0x1_0000_0002,
            direction: Some(FrameDirection::Inbound),
            packet_id: None,
            octets: b"abcde".to_vec(),
            original_length: 5,
            comment: Some("why".to_string()),
        };
        assert_eq!(capture.frames, [frame]);
    }
}

#[test]
fn what_we_write_we_read() {
    let trace = conversation().into_trace();
    let octets = crate::pcapng::write_trace(&trace, Vec::new(), words).expect("memory is never full");
    let capture = read(&octets).expect("it is ours");
    assert_eq!(capture.fault, None);
    assert_eq!(capture.section, Section::of(&trace.header));
    assert_eq!(capture.frames.len(), 9);
    assert_eq!(capture.frames[5].comment.as_deref(), Some("data-written"));
    assert_eq!(capture.frames[8].at_ns, 1_060_000_000);
    assert_eq!(capture.frames[8].packet_id, Some(5));
    let classic = crate::pcap::write_trace(&trace, Vec::new()).expect("memory is never full");
    let capture = read(&classic).expect("it is ours");
    assert_eq!((capture.fault, capture.frames.len()), (None, 5));
    assert_eq!(capture.frames[4].at_ns, 1_040_000_000);
    assert_eq!(capture.interfaces[0].link_type, LinkType::Ip);
}

#[test]
fn a_reader_in_pieces_finds_the_same_frames() {
    let trace = conversation().into_trace();
    let octets = crate::pcapng::write_trace(&trace, Vec::new(), words).expect("memory is never full");
    let whole = read(&octets).expect("it is ours");
    for size in [1, 7, 64, 1000] {
        let mut reader = Reader::new();
        let mut frames = Vec::new();
        for piece in octets.chunks(size) {
            reader.push(piece);
            while let Some(frame) = reader.next_frame().expect("it is sound") {
                frames.push(frame);
            }
        }
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(frames, whole.frames);
        assert_eq!(reader.section(), &whole.section);
        assert_eq!(reader.interfaces(), whole.interfaces);
    }
}

#[test]
fn times_have_the_resolution_and_the_offset_of_their_interface() {
    let time = |resolution: Option<u8>, offset: i64, ticks: u64| {
        let b = Blocks::new(Order::Little);
        let mut options = b.option(14, &offset.to_le_bytes());
        if let Some(resolution) = resolution {
            options.extend(b.option(9, &[resolution]));
        }
        let b = b.interface(101, &options).packet(0, ticks, b"", b"");
        read(&b.octets).expect("it is sound").frames[0].at_ns
    };
    assert_eq!(time(None, 0, 1_500_000), 1_500_000_000, "microseconds where nothing is said");
    assert_eq!(time(Some(3), 0, 1_500), 1_500_000_000);
    assert_eq!(time(Some(9), 0, 7), 7);
    assert_eq!(time(Some(12), 0, 7_999), 7);
    assert_eq!(time(Some(0x80 | 10), 0, 512), 500_000_000, "half a second of 1,024 ticks");
    assert_eq!(time(Some(9), 2, 7), 2_000_000_007);
    assert_eq!(time(Some(9), -3, 7), 0, "before 1970");
    assert_eq!(time(Some(0), i64::MAX, u64::MAX), 0, "after the year 2554");
    assert_eq!(time(Some(0x7f), 0, 7), 0, "nobody counts in 10^-127 s");
    assert_eq!(time(Some(0xff), 0, u64::MAX), 0, "2^127 ticks a second");
}

#[test]
fn a_section_of_the_other_byte_order_has_interfaces_of_its_own() {
    let little = Blocks::new(Order::Little).interface(1, b"").packet(0, 1, b"one", b"");
    let big = Blocks::new(Order::Big).interface(101, b"").packet(0, 2, b"two", b"");
    let capture = read(&[little.octets, big.octets].concat()).expect("it is sound");
    assert_eq!(capture.fault, None);
    let places: Vec<usize> = capture.frames.iter().map(|frame| frame.interface).collect();
    assert_eq!(places, [0, 1]);
    assert_eq!(capture.interfaces[1].link_type, LinkType::Ip);
}

#[test]
fn simple_and_obsolete_packets_are_read_and_unknown_blocks_stepped_over() {
    let b = Blocks::new(Order::Big).interface(1, b"").block(0x0bad, b"whatever");
    let simple = [&b.number(3)[..], b"abc\0"].concat();
    let old =
        [&b.short(0)[..], &b.short(9), &b.number(0), &b.number(5), &b.number(2), &b.number(2), b"xy\0\0"]
            .concat();
    let b = b.block(3, &simple).block(2, &old);
    let capture = read(&b.octets).expect("it is sound");
    assert_eq!(capture.fault, None);
    assert_eq!(capture.frames[0].octets, b"abc");
    assert_eq!((&capture.frames[1].octets[..], capture.frames[1].at_ns), (&b"xy"[..], 5_000));
}

#[test]
fn several_comments_are_lines_and_options_past_the_end_are_not_read() {
    let b = Blocks::new(Order::Little).interface(101, b"");
    let mut options = [b.option(1, b"one"), b.option(1, b"two")].concat();
    options.extend([1, 0, 0xff, 0xff]);
    let capture = read(&b.packet(0, 0, b"", &options).octets).expect("it is sound");
    assert_eq!(capture.fault, None);
    assert_eq!(capture.frames[0].comment.as_deref(), Some("one\ntwo"));
}

#[test]
fn a_packet_longer_than_the_wire_says_is_as_long_as_it_is() {
    let b = Blocks::new(Order::Little).interface(101, b"").packet_claiming(0, 0, (4, 2), b"abcd", b"");
    assert_eq!(read(&b.octets).expect("it is sound").frames[0].original_length, 4);
}

/// RELIABILITY UI-6, one by one. `at` counts from the first octet of the file.
#[test]
fn bombs_are_named_with_their_place_and_the_head_is_kept() {
    let good = || Blocks::new(Order::Little).interface(101, b"").packet(0, 0, b"good", b"");
    let start = good().octets.len();
    let after = |tail: &[u8]| [&good().octets[..], tail].concat();
    let cases: Vec<(Vec<u8>, usize, What)> = vec![
        (after(&[[6, 0, 0, 0], [0; 4], [0; 4]].concat()), 4, What::BlockLength { says: 0 }),
        (after(&[[6, 0, 0, 0], [8, 0, 0, 0], [0; 4]].concat()), 4, What::BlockLength { says: 8 }),
        (after(&[[6, 0, 0, 0], [33, 0, 0, 0], [0; 4]].concat()), 4, What::BlockLength { says: 33 }),
        (
            after(&[[6, 0, 0, 0], [0xfc, 0xff, 0xff, 0xff], [0; 4]].concat()),
            4,
            What::TooLong { says: 0xffff_fffc },
        ),
        (
            after(&[[9, 0, 0, 0], [16, 0, 0, 0], [0; 4], [20, 0, 0, 0]].concat()),
            12,
            What::TrailerMismatch { begins: 16, ends: 20 },
        ),
        (after(&[6, 0, 0]), 0, What::Truncated { needs: 12, has: 3 }),
        (
            after(&[[6, 0, 0, 0], [0, 0, 255, 0], [0; 4]].concat()),
            0,
            What::Truncated { needs: 0xff_0000, has: 12 },
        ),
        (good().packet(7, 0, b"", b"").octets, 8, What::UnknownInterface { interface: 7 }),
        (
            good().packet_claiming(0, 0, (u32::MAX, u32::MAX), b"abcd", b"").octets,
            20,
            What::CapturedTooLong { says: u32::MAX, has: 4 },
        ),
        (good().block(6, b"abcd").octets, 0, What::BlockTooShort { kind: 6 }),
        (good().block(1, b"").octets, 0, What::BlockTooShort { kind: 1 }),
        (
            after(&[[0x0a, 0x0d, 0x0d, 0x0a], [28, 0, 0, 0], [1, 2, 3, 4]].concat()),
            8,
            What::ByteOrder { magic: 0x0102_0304 },
        ),
    ];
    for (octets, offset, what) in cases {
        let capture = read(&octets).expect("the head is good");
        assert_eq!(capture.frames.len(), 1, "{what:?}");
        assert_eq!(capture.frames[0].octets, b"good");
        assert_eq!(capture.fault, Some(Error { at: (start + offset) as u64, what }));
        let mut reader = Reader::new();
        reader.push(&octets);
        assert!(reader.next_frame().expect("the head is good").is_some());
        let error = reader.next_frame().err().or_else(|| reader.finish().err()).expect("the tail is bad");
        assert_eq!(error.at, (start + offset) as u64);
    }
}

#[test]
fn interfaces_without_end_stop_at_the_limit() {
    let mut b = Blocks::new(Order::Little);
    for _ in 0..=MAX_INTERFACES {
        b = b.interface(101, b"");
    }
    assert_eq!(fault(&b.octets).what, What::TooManyInterfaces);
}

#[test]
fn an_unknown_version_is_no_capture_that_can_be_read() {
    let mut octets = Blocks::new(Order::Little).octets;
    octets[12] = 9;
    let error = read(&octets).expect_err("version 9");
    assert_eq!(error, Error { at: 12, what: What::Version { major: 9, minor: 0 } });
    let mut classic = crate::pcap::write_trace(&conversation().into_trace(), Vec::new()).expect("it fits");
    classic[4] = 3;
    assert_eq!(read(&classic).expect_err("version 3").to_string(), "unknown version 3.4 at octet 4");
}

#[test]
fn what_is_no_capture_is_said_to_look_like_what_it_is() {
    let looks = |octets: &[u8]| match read(octets) {
        Err(Error { at: 0, what: What::NotACapture(looks) }) => looks,
        other => panic!("{other:?}"),
    };
    assert_eq!(looks(b""), Looks::Empty);
    assert_eq!(looks(b"PK\x03\x04rest"), Looks::Zip);
    assert_eq!(looks(b"\x1f\x8b\x08"), Looks::Gzip);
    assert_eq!(looks(b"%PDF-1.7"), Looks::Pdf);
    assert_eq!(looks(b"{\"v\":1}"), Looks::Json);
    assert_eq!(looks("Olá, mundo\n".as_bytes()), Looks::Text);
    assert_eq!(looks(&[0, 1, 2, 3, 4]), Looks::Unknown);
    let error = read(b"PK\x03\x04").expect_err("a zip");
    assert_eq!(error.to_string(), "not a capture: it starts like a zip file at octet 0");
    let mut reader = Reader::new();
    assert!(reader.finish().is_err());
    reader.push(b"PK\x03\x04");
    assert!(reader.next_frame().is_err());
}

#[test]
fn a_classic_file_is_read_in_all_four_kinds_and_cut_anywhere() {
    for (magic, unit) in [(0xa1b2_c3d4_u32, 1_000), (0xa1b2_3c4d, 1)] {
        for big in [false, true] {
            let number = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let short = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let mut octets = [number(magic), [0; 4]].concat();
            octets[4..6].copy_from_slice(&short(2));
            octets[6..8].copy_from_slice(&short(4));
            for n in [0, 0, 65_535, 1, 3, 7, 2, 60] {
                octets.extend(number(n));
            }
            octets.extend(b"ab");
            let capture = read(&octets).expect("it is sound");
            assert_eq!(capture.fault, None);
            assert_eq!(capture.interfaces[0].link_type, LinkType::Ethernet);
            assert_eq!(capture.frames[0].at_ns, 3_000_000_000 + 7 * unit);
            assert_eq!((&capture.frames[0].octets[..], capture.frames[0].original_length), (&b"ab"[..], 60));
            for cut in 25..octets.len() {
                assert_eq!(fault(&octets[..cut]).at, 24);
            }
            octets.truncate(24);
            octets.extend([number(0), number(0), number(u32::MAX), number(u32::MAX)].concat());
            assert_eq!(fault(&octets), Error { at: 32, what: What::TooLong { says: u32::MAX } });
        }
    }
}

#[test]
fn a_capture_cut_anywhere_gives_what_was_before_the_cut() {
    let trace = conversation().into_trace();
    let octets = crate::pcapng::write_trace(&trace, Vec::new(), words).expect("memory is never full");
    let whole = read(&octets).expect("it is ours");
    let mut most = 0;
    for cut in 0..octets.len() {
        let Ok(capture) = read(&octets[..cut]) else { continue };
        assert!(whole.frames.starts_with(&capture.frames));
        most = most.max(capture.frames.len());
        if let Some(error) = capture.fault {
            assert!(error.at < cut as u64 && matches!(error.what, What::Truncated { .. }));
        }
    }
    assert_eq!(most, whole.frames.len() - 1);
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&octets);
        for start in [Blocks::new(Order::Little), Blocks::new(Order::Big).interface(1, b"")] {
            let _ = read(&[&start.octets[..], &octets].concat()).map(|capture| crate::rebuild(&capture));
        }
    }

    #[test]
    fn any_octet_of_a_capture_may_be_another(place in 0usize..2000, octet: u8, classic: bool, pieces in 1usize..200) {
        let trace = conversation().into_trace();
        let mut octets = if classic {
            crate::pcap::write_trace(&trace, Vec::new()).expect("memory is never full")
        } else {
            crate::pcapng::write_trace(&trace, Vec::new(), words).expect("memory is never full")
        };
        let place = place % octets.len();
        octets[place] = octet;
        let whole = read(&octets);
        let mut reader = Reader::new();
        let mut frames = Vec::new();
        'all: for piece in octets.chunks(pieces) {
            reader.push(piece);
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(_) => break 'all,
                }
            }
        }
        if let Ok(capture) = whole {
            prop_assert_eq!(&capture.frames, &frames, "in pieces as in whole");
            let rebuilt = crate::rebuild(&capture);
            let lines = rebuilt.to_json_lines();
            prop_assert_eq!(crate::Trace::from_json_lines(&lines), Ok(rebuilt));
        }
    }
}
