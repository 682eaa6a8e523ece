#![no_main]
//! IPv6: what parses is emitted and parses to the same; the walk over extension headers ends and
//! points into the packet.

use aperto_wire::ipv6::{Header, MAX_EXTENSIONS, emit, emit_fragment, parse, parse_quoted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let quoted = parse_quoted(octets).map(|packet| packet.upper_layer());
    let Ok(packet) = parse(octets) else { return };
    assert_eq!(quoted, Ok(packet.upper_layer()));

    let mut again = octets[..Header::OCTETS + packet.payload.len()].to_vec();
    assert_eq!(emit(&mut again, &packet.header, packet.payload.len()), Ok(Header::OCTETS));
    assert!(octets.starts_with(&again));

    assert!(packet.extensions().count() <= MAX_EXTENSIONS + 1);
    let Ok(upper) = packet.upper_layer() else { return };
    assert!(octets[upper.at..].starts_with(upper.payload));
    assert_eq!(again[upper.next_header_at], upper.protocol.0);
    if let Some(routing) = upper.routing {
        assert_eq!(again[routing.at + 2..routing.at + 4], [routing.kind, routing.segments_left]);
    }
    if let Some(refused) = upper.refused_option {
        assert_eq!(again[refused.at], refused.kind);
    }
    if let Some(fragment) = upper.fragment {
        let mut header = [0; 8];
        assert_eq!(emit_fragment(&mut header, upper.protocol, &fragment), Ok(8));
        assert_eq!(header[4..], again[upper.at - 4..upper.at]);
    }
});
