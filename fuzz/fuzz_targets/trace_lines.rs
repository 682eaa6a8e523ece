#![no_main]
//! JSON lines: what is read is written, and read to the same.

use aperto_trace::Trace;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = core::str::from_utf8(octets) else { return };
    let (trace, error) = Trace::read_json_lines(text);
    let _ = error.map(|error| error.to_string());
    // A head without its end has no count of what was not kept.
    assert_eq!(Trace::from_json_lines(&trace.to_json_lines()).as_ref(), Ok(&trace));
});
