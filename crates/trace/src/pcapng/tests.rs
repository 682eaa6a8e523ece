use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::testing::*;
use crate::{Limits, Meaning, Recorder, TraceHeader};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    crate::json::read_hex(&digits).expect("digits in pairs")
}

fn written<T>(result: Result<T, core::convert::Infallible>) -> T {
    match result {
        Ok(value) => value,
    }
}

/// Counted by hand from draft-ietf-opsawg-pcapng §4.1: 28 octets without options.
#[test]
fn a_section_header_is_what_the_draft_draws() {
    let section = Section { application: Some("aperto 0.1.0".to_string()), ..Section::default() };
    let expected = "
        0a0d0d0a 30000000 4d3c2b1a 0100 0000 ffffffffffffffff
        0400 0c00 61706572746f20302e312e30
        0000 0000
        30000000";
    assert_eq!(section_header(&section), hex(expected));
}

/// §4.2: link type 101, 262,144 octets, a name of six octets padded to eight, 10^-9 s.
#[test]
fn an_interface_description_is_what_the_draft_draws() {
    let expected = "
        01000000 2c000000 6500 0000 00000400
        0200 0600 636c69656e74 0000
        0900 0100 09 000000
        0000 0000
        2c000000";
    assert_eq!(interface_description("client", LinkType::Ip), hex(expected));
}

/// §4.3: the time 0x0000000100000002 high word first, both lengths, padding, the three options.
#[test]
fn an_enhanced_packet_is_what_the_draft_draws() {
    let frame = CapturedFrame {
        interface: 1,
        at_ns: 0x1_0000_0002,
        direction: Some(FrameDirection::Outbound),
        packet_id: Some(4),
        octets: b"abcde",
        original_length: 7,
        comment: Some("why"),
    };
    let expected = "
        06000000 48000000 01000000 01000000 02000000 05000000 07000000
        6162636465 000000
        0200 0400 02000000
        0500 0800 0400000000000000
        0100 0300 776879 00
        0000 0000
        48000000";
    assert_eq!(enhanced_packet(&frame), hex(expected));
    let plain = CapturedFrame {
        direction: None,
        packet_id: None,
        comment: None,
        octets: b"abcd",
        original_length: 4,
        ..frame
    };
    let expected = "06000000 24000000 01000000 01000000 02000000 04000000 04000000 61626364 24000000";
    assert_eq!(enhanced_packet(&plain), hex(expected));
}

/// §4.7: type "TLSK", the length without padding.
#[test]
fn tls_secrets_go_into_a_block_of_their_own() {
    let mut writer = written(Writer::new(Vec::new(), &TraceHeader::default()));
    let before = writer.sink_mut().len();
    written(writer.tls_secrets("CLIENT_RANDOM x y\n"));
    let expected = "
        0a000000 28000000 4b534c54 12000000
        434c49454e545f52414e444f4d2078207920 0000
        28000000";
    let expected = hex(&expected.replace("2078207920", "20782079 0a"));
    assert_eq!(writer.into_sink()[before..], expected);
}

#[test]
fn a_comment_too_long_for_its_option_is_cut_between_two_letters() {
    let comment = "é".repeat(40_000);
    let frame = CapturedFrame {
        interface: 0,
        at_ns: 0,
        direction: None,
        packet_id: None,
        octets: b"",
        original_length: 0,
        comment: Some(&comment),
    };
    let block = enhanced_packet(&frame);
    assert_eq!(block[28..32], [1, 0, 0xfe, 0xff], "65,534 octets are 32,767 letters");
    assert!(core::str::from_utf8(&block[32..32 + 65_534]).is_ok());
}

#[test]
fn the_section_comment_has_one_line_for_each_value() {
    let mut header = trace_header();
    header.tag = Some("two\nlines: of it".to_string());
    let section = Section::of(&header);
    let expected = "aperto 0.1.0\ncommand: aperto --drop 4\nseed: 1\ntag: two lines: of it\nwire: sim\n\
                    protocol: tcp\nrtt_ns: 40000000\nimpairments: --drop 4";
    assert_eq!(section.comments, [expected]);
    assert_eq!(section.application.as_deref(), Some("aperto 0.1.0"));
}

#[test]
fn a_lost_packet_is_on_its_senders_interface_only() {
    let trace = conversation().into_trace();
    let mut writer = written(Writer::new(Vec::new(), &trace.header));
    let mut results = Vec::new();
    for record in trace.records() {
        let result = written(writer.record(&trace, record, None));
        if result != Written::NoPacket {
            results.push((record.number().map(|number| number.0), record.vantage.host_id(), result));
        }
    }
    let yes = Written::Yes;
    let expected = [(1, C), (1, S), (2, S), (2, C), (3, C), (4, C), (3, S), (5, C), (5, S)];
    let expected: Vec<_> = expected.iter().map(|(number, host)| (Some(*number), Some(*host), yes)).collect();
    assert_eq!(results, expected);
}

#[test]
fn a_frame_that_was_not_kept_cannot_be_written() {
    let mut r = Recorder::new(trace_header(), Limits { frame_octets: 0, ..Limits::default() });
    r.left(ms(0), at(C), &from_client(SYN, 0, 0, b""), Meaning::Plain);
    let trace = r.into_trace();
    let mut writer = written(Writer::new(Vec::new(), &trace.header));
    let last = trace.records().last().expect("it left");
    assert_eq!(written(writer.record(&trace, last, None)), Written::NoOctets);
}

/// A sink with room for so many octets.
struct Full(usize);

impl Sink for Full {
    type Error = &'static str;

    fn write(&mut self, octets: &[u8]) -> Result<(), &'static str> {
        self.0 = self.0.checked_sub(octets.len()).ok_or("disk full")?;
        Ok(())
    }
}

#[test]
fn what_the_sink_says_reaches_the_caller() {
    let trace = conversation().into_trace();
    assert!(matches!(write_trace(&trace, Full(500), words), Err("disk full")));
    assert!(write_trace(&trace, Full(5000), words).is_ok());
}

/// draft-ietf-opsawg-pcap §4 and §5: the magic of nanoseconds, 2.4, no zone, RAW; each packet once.
#[test]
fn classic_pcap_has_each_packet_once() {
    let trace = conversation().into_trace();
    let octets = written(crate::pcap::write_trace(&trace, Vec::new()));
    assert_eq!(octets[..24], hex("4d3cb2a1 0200 0400 00000000 00000000 00000400 65000000"));
    assert_eq!(octets[24..40], hex("00000000 00000000 28000000 28000000"));
    assert_eq!(octets[40..80], from_client(SYN, 0, 0, b""));
    assert_eq!(octets.len(), 24 + 5 * 16 + 3 * 40 + 2 * 51);
    // #5 leaves after 1,040 ms.
    let last = octets.len() - 51 - 16;
    assert_eq!(octets[last..last + 8], hex("01000000 005a6202"));
}

// What tshark makes of it.

/// Runs tshark on a file of these octets; none, loudly, if there is no tshark.
fn tshark(name: &str, octets: &[u8], arguments: &[&str]) -> Option<String> {
    use std::process::Command;
    if Command::new("tshark").arg("-v").output().is_err() {
        let message = "SKIPPED: tshark is missing, so what it reads in our files was not checked\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
        return None;
    }
    let file = std::env::temp_dir().join(alloc::format!("aperto-trace-{}-{name}", std::process::id()));
    std::fs::write(&file, octets).expect("the temporary folder can be written");
    let output = Command::new("tshark").arg("-r").arg(&file).args(arguments).output().expect("it just ran");
    std::fs::remove_file(&file).expect("it was just written");
    // It warns when it runs as root, but complaints about the file name it.
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !complaints.contains("aperto-trace-"), "{complaints}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn tshark_reads_interfaces_directions_comments_and_flags() {
    let trace = conversation().into_trace();
    let octets = written(write_trace(&trace, Vec::new(), words));
    let fields = [
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-e",
        "frame.time_epoch",
        "-e",
        "frame.interface_name",
        "-e",
        "frame.packet_flags_direction",
        "-e",
        "frame.packet_id",
        "-e",
        "tcp.flags.str",
        "-e",
        "tcp.len",
        "-e",
        "frame.comment",
    ];
    let Some(text) = tshark("conversation.pcapng", &octets, &fields) else { return };
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "0.000000000|client|0x00000002|1|··········S·|0|active-open",
        "0.020000000|server|0x00000001|1|··········S·|0|active-open",
        "0.020000000|server|0x00000002|2|·······A··S·|0|passive-open",
        "0.040000000|client|0x00000001|2|·······A··S·|0|passive-open",
        "0.040000000|client|0x00000002|3|·······A····|0|handshake-ack",
        "0.040000000|client|0x00000002|4|·······AP···|11|data-written",
        "0.060000000|server|0x00000001|3|·······A····|0|handshake-ack",
        "1.040000000|client|0x00000002|5|·······AP···|11|retransmission-timeout",
        "1.060000000|server|0x00000001|5|·······AP···|11|retransmission-timeout",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn tshark_finds_the_recipe_in_the_section_and_no_wrong_checksum() {
    let trace = conversation().into_trace();
    let octets = written(write_trace(&trace, Vec::new(), words));
    let check = ["-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status == 0 || _ws.malformed"];
    if let Some(text) = tshark("checksums.pcapng", &octets, &check) {
        assert_eq!(text, "");
    }
    let Ok(output) = std::process::Command::new("capinfos").arg("-v").output() else { return };
    assert!(output.status.success());
    let file = std::env::temp_dir().join(alloc::format!("aperto-trace-{}-capinfos", std::process::id()));
    std::fs::write(&file, &octets).expect("the temporary folder can be written");
    let output = std::process::Command::new("capinfos").arg(&file).output().expect("it just ran");
    std::fs::remove_file(&file).expect("it was just written");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in
        ["aperto 0.1.0", "command: aperto --drop 4", "seed: 1", "turma B, RA 20231234", "client", "server"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn tshark_reads_classic_pcap() {
    let trace = conversation().into_trace();
    let octets = written(crate::pcap::write_trace(&trace, Vec::new()));
    let fields = ["-T", "fields", "-E", "separator=|", "-e", "frame.time_epoch", "-e", "tcp.seq_raw"];
    let Some(text) = tshark("conversation.pcap", &octets, &fields) else { return };
    let expected =
        "0.000000000|1234\n0.020000000|1567\n0.040000000|1235\n0.040000000|1235\n1.040000000|1235\n";
    assert_eq!(text, expected);
}
