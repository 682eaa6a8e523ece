#![no_main]
//! pcap and pcapng: read whole and in pieces alike; what is rebuilt is written and read to the same.

use aperto_trace::capture::{Reader, read};
use aperto_trace::{Trace, pcapng, rebuild};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let whole = read(octets);
    let mut reader = Reader::new();
    let mut frames = Vec::new();
    let mut wrong = None;
    'all: for piece in octets.chunks(61) {
        reader.push(piece);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    wrong = Some(error);
                    break 'all;
                }
            }
        }
    }
    let wrong = wrong.or_else(|| reader.finish().err());
    let capture = match whole {
        Ok(capture) => capture,
        Err(error) => return assert_eq!(wrong.map(|wrong| wrong.at), Some(error.at)),
    };
    assert_eq!(capture.frames, frames);
    assert_eq!(capture.fault.map(|fault| fault.at), wrong.map(|wrong| wrong.at));
    let trace = rebuild(&capture);
    assert_eq!(Trace::from_json_lines(&trace.to_json_lines()).as_ref(), Ok(&trace));
    let comment = |_: &_, packet: &aperto_trace::Packet| packet.comment.as_deref().map(String::from);
    let written = pcapng::write_trace(&trace, Vec::new(), comment).expect("memory is never full");
    assert_eq!(read(&written).expect("we wrote it").fault, None);
});
