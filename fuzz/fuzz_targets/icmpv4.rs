#![no_main]
//! ICMP: what parses is emitted, verifies and parses to the same; what it quotes is read.

use aperto_wire::icmpv4::{Message, emit, parse, turn_into_reply, verify};
use aperto_wire::ip::Protocol;
use aperto_wire::{ipv4, tcp, udp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = verify(octets);
    let Ok(message) = parse(octets) else { return };
    let mut again = vec![0; message.length()];
    assert_eq!(again.len(), octets.len());
    assert_eq!(emit(&mut again, &message), Ok(again.len()));
    assert!(verify(&again));
    assert_eq!(parse(&again), Ok(message));
    match message {
        Message::EchoRequest(echo) => {
            assert!(turn_into_reply(&mut again) && verify(&again));
            assert_eq!(parse(&again), Ok(Message::EchoReply(echo)));
        }
        Message::DestinationUnreachable { quoted, .. }
        | Message::TimeExceeded { quoted, .. }
        | Message::ParameterProblem { quoted, .. } => {
            assert!(message.is_error());
            let Ok(packet) = ipv4::parse_quoted(quoted) else { return };
            if packet.header.protocol == Protocol::UDP {
                let _ = udp::parse_quoted(packet.payload);
            } else {
                let _ = tcp::parse_quoted(packet.payload);
            }
        }
        Message::EchoReply(_) | Message::Unknown { .. } => {}
    }
});
