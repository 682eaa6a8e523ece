#![no_main]
//! Neighbor Discovery: options cover the message without a gap, and are emitted and parse to the same.

use core::net::Ipv6Addr;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::icmpv6;
use aperto_wire::ip::Protocol;
use aperto_wire::ndp::{emit, emit_options, options, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = options(octets);
    let Ok((message, read_options)) = parse(octets) else { return };
    assert_eq!(message.fixed_octets() + read_options.octets().len(), octets.len());
    let each: Vec<_> = read_options.iter().collect();
    assert_eq!(each.iter().map(|option| option.length()).sum::<usize>(), read_options.octets().len());
    let _ = (read_options.mtu(), read_options.source_link_layer_address());

    let mut alone = vec![0; read_options.octets().len()];
    assert_eq!(emit_options(&mut alone, &each), Ok(alone.len()));
    assert!(options(&alone).expect("what was emitted parses").iter().eq(each.iter().copied()));

    let pseudo = PseudoHeader::ipv6(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, Protocol::ICMPV6);
    let mut again = vec![0; octets.len()];
    assert_eq!(emit(&mut again, &message, &each, pseudo), Ok(again.len()));
    assert!(icmpv6::verify(pseudo, &again));
    let (message_again, options_again) = parse(&again).expect("what was emitted parses");
    assert_eq!(message_again, message);
    assert!(options_again.iter().eq(each));
});
