#![no_main]
//! ICMPv6: what parses is emitted, verifies and parses to the same; what it quotes is read.

use core::net::Ipv6Addr;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::icmpv6::{Message, emit, parse, verify};
use aperto_wire::ip::Protocol;
use aperto_wire::{ipv6, tcp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let pseudo = PseudoHeader::ipv6(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, Protocol::ICMPV6);
    let _ = verify(pseudo, octets);
    let Ok(message) = parse(octets) else { return };
    let mut again = vec![0; message.length()];
    assert_eq!(again.len(), octets.len());
    assert_eq!(emit(&mut again, &message, pseudo), Ok(again.len()));
    assert!(verify(pseudo, &again));
    assert_eq!(parse(&again), Ok(message));
    if let Message::DestinationUnreachable { quoted, .. }
    | Message::PacketTooBig { quoted, .. }
    | Message::TimeExceeded { quoted, .. }
    | Message::ParameterProblem { quoted, .. } = message
    {
        assert!(message.is_error());
        let upper = ipv6::parse_quoted(quoted).and_then(|packet| packet.upper_layer());
        let _ = upper.and_then(|upper| tcp::parse_quoted(upper.payload));
    }
});
