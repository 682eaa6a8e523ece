#![no_main]
//! UDP: what parses is emitted, verifies and parses to the same.

use core::net::Ipv4Addr;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::udp::{HEADER_OCTETS, Verdict, emit, parse, parse_quoted, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let pseudo = PseudoHeader::ipv4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, Protocol::UDP);
    let verdict = verify(pseudo, octets);
    let quoted = parse_quoted(octets);
    let Ok(datagram) = parse(octets) else {
        assert_eq!(verdict, Verdict::Wrong);
        return;
    };
    assert_eq!(quoted, Ok(datagram.ports));
    let mut again = vec![0; HEADER_OCTETS + datagram.payload.len()];
    let (first, second) = datagram.payload.split_at(datagram.payload.len() / 2);
    assert_eq!(emit(&mut again, datagram.ports, [first, second], pseudo), Ok(again.len()));
    assert_eq!(verify(pseudo, &again), Verdict::Right);
    let read = parse(&again).expect("what was emitted parses");
    assert_eq!((read.ports, read.payload), (datagram.ports, datagram.payload));
});
