#![no_main]
//! IPv4: what parses is emitted and parses to the same; options end; a quotation shows no more.

use aperto_wire::ipv4::{emit_with_options, parse, parse_quoted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let quoted = parse_quoted(octets);
    let Ok(packet) = parse(octets) else { return };
    assert_eq!(quoted, Ok(packet));
    assert!(packet.options().count() <= 40);
    let _ = (packet.is_source_routed(), packet.checksum_is_right(), packet.header.ecn());

    let mut again = packet.header_octets.to_vec();
    let length = emit_with_options(&mut again, &packet.header, packet.options_octets(), packet.payload.len());
    assert_eq!(length, Ok(packet.header_octets.len()));
    again.extend(packet.payload);
    let read = parse(&again).expect("what was emitted parses");
    assert!(read.checksum_is_right());
    assert_eq!((read.header, read.payload), (packet.header, packet.payload));
    assert_eq!(read.options_octets(), packet.options_octets());
});
