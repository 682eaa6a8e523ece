#![no_main]
//! ARP: what parses is emitted and parses to the same.

use aperto_wire::arp::{OCTETS, emit, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(packet) = parse(octets) else { return };
    let mut again = [0; OCTETS];
    assert_eq!(emit(&mut again, &packet), Ok(OCTETS));
    assert_eq!(again, octets[..OCTETS]);
});
