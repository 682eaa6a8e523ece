//! The files in `fuzz/seeds`, some of them written by others, can be read.

use std::path::Path;

use aperto_trace::{Trace, capture, rebuild};

fn seeds(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(folder);
    let entries = std::fs::read_dir(folder).expect("the seeds are part of the repository");
    let mut all: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("the file can be read"))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn captures_of_several_programs_are_read_whole_and_rebuilt() {
    let mut read = Vec::new();
    for (name, octets) in seeds("capture") {
        let capture = capture::read(&octets).expect("it begins well");
        assert_eq!(capture.fault, None, "{name}");
        let packets = rebuild(&capture).journeys().count();
        read.push((name, capture.frames.len(), packets));
    }
    let expected = [
        // ARP, five octets of text, two octets of nine: none of them says where it goes.
        ("big-endian-by-hand.pcapng", 3, 3),
        // Each of five packets once.
        ("conversation.pcap", 5, 5),
        // Four packets at both ends and one that was lost.
        ("conversation.pcapng", 9, 5),
        // Both ends in one: each arrival looks like a packet of its own.
        ("editcap-microseconds.pcap", 9, 9),
        ("editcap.pcapng", 5, 5),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, f, p)| (String::from(*name), *f, *p)).collect();
    assert_eq!(read, expected);
}

#[test]
fn times_and_comments_by_hand_are_read_as_they_were_meant() {
    let (_, octets) = seeds("capture").swap_remove(0);
    let capture = capture::read(&octets).expect("it begins well");
    // Eight ticks of an eighth of a second, and five seconds of offset.
    assert_eq!(capture.frames[0].at_ns, 6_000_000_000);
    assert_eq!(capture.frames[0].comment.as_deref(), Some("an ARP packet"));
    assert_eq!(capture.frames[1].octets, b"hello");
    assert_eq!(capture.frames[2].at_ns, 7_000_000_000);
    assert_eq!(capture.section.comments, ["by hand"]);
}

#[test]
fn a_recording_of_lines_is_read_and_written_to_the_same_octets() {
    for (name, octets) in seeds("trace_lines") {
        let text = String::from_utf8(octets).expect("lines are text");
        let trace = Trace::from_json_lines(&text).expect("it is sound");
        assert_eq!(trace.to_json_lines(), text, "{name}");
    }
}
