#![no_main]
//! Ethernet: what parses is emitted and parses to the same.

use aperto_wire::ethernet::{emit, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(frame) = parse(octets) else { return };
    let mut again = [0; 22];
    let length = emit(&mut again, &frame.header).expect("what was read can be said");
    assert_eq!(again[..length], octets[..length]);
    assert!(octets[length..].starts_with(frame.payload));
});
