#![no_main]
//! TCP: raw options lose nothing; what parses is emitted, verifies and parses to the same, as far as
//! the options fit; emitting what was emitted gives the same octets.

use core::net::Ipv4Addr;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::{Header, Options, Parsed, RawOption};
use aperto_wire::tcp::{
    emit, emit_header, emit_with_raw_options, header_length, parse, parse_quoted, verify,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let pseudo = PseudoHeader::ipv4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, Protocol::TCP);
    let _ = verify(pseudo, octets);
    let quoted = parse_quoted(octets);
    let Ok(parsed) = parse(octets) else { return };
    assert_eq!(quoted.map(|quoted| (quoted.ports, quoted.seq)), Ok((parsed.ports, parsed.segment.header.seq)));
    assert_eq!(&octets[parsed.header_length()..], parsed.segment.payload);
    raw_options_lose_nothing(&parsed);

    let (first, second) = parsed.segment.payload.split_at(parsed.segment.payload.len() / 3);
    let mut again = vec![0; header_length(&parsed.segment.header) + parsed.segment.payload.len()];
    let length = emit(&mut again, parsed.ports, &parsed.segment.header, [first, second], pseudo);
    assert_eq!(length, Ok(again.len()));
    assert!(verify(pseudo, &again));
    let read = parse(&again).expect("what was emitted parses");
    assert_eq!((read.ports, read.segment.payload, read.options_fault), (parsed.ports, parsed.segment.payload, None));
    let without_options = |header| Header { options: Options::NONE, ..header };
    assert_eq!(without_options(read.segment.header), without_options(parsed.segment.header));
    options_are_same_or_left_out(&read.segment.header.options, &parsed.segment.header.options);

    let mut once_more = vec![0; again.len()];
    assert_eq!(emit(&mut once_more, read.ports, &read.segment.header, [read.segment.payload], pseudo), Ok(again.len()));
    assert_eq!(once_more, again);

    // The options as they stood, behind none of ours: the segment as it was, but for the checksum.
    let plain = without_options(parsed.segment.header);
    let mut same = vec![0; octets.len()];
    let raw = parsed.options_octets;
    let length = emit_with_raw_options(&mut same, parsed.ports, &plain, raw, [parsed.segment.payload], pseudo);
    assert_eq!(length, Ok(octets.len()));
    assert!(verify(pseudo, &same));
    assert_eq!(parse(&same).map(|same| same.segment.header), Ok(parsed.segment.header));

    // A buffer of any size: no panic.
    let mut small = vec![0; usize::from(parsed.ports.source) % 70];
    let _ = emit_header(&mut small, parsed.ports, &parsed.segment.header);
    let _ = emit(&mut small, parsed.ports, &parsed.segment.header, [parsed.segment.payload], pseudo);
});

fn raw_options_lose_nothing(parsed: &Parsed<'_>) {
    let mut octets = Vec::new();
    for option in parsed.raw_options().map_while(Result::ok) {
        let RawOption { kind, octets: data, at } = option;
        assert_eq!(at, 20 + octets.len());
        octets.push(kind);
        if kind > 1 {
            octets.push(u8::try_from(data.len() + 2).expect("an option has 40 octets at most"));
            octets.extend(data);
        }
    }
    assert!(parsed.options_octets.starts_with(&octets));
}

fn options_are_same_or_left_out(read: &Options, sent: &Options) {
    assert!(read.mss == sent.mss && read.timestamps == sent.timestamps);
    assert_eq!(read.sack_permitted, sent.sack_permitted);
    assert!(read.window_scale.is_none() || read.window_scale == sent.window_scale);
    assert!(read.fast_open.is_none() || read.fast_open == sent.fast_open);
    assert!(read.user_timeout.is_none() || read.user_timeout == sent.user_timeout);
    assert!(sent.sack.as_slice().starts_with(read.sack.as_slice()));
}
