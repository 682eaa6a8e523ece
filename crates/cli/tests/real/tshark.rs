//! Recordings as Wireshark's terminal twin reads them: whole, sound, and with a reason each.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::{Program, Scratch, free_port, has, run, server, start};

/// What tshark says of one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) interface: String,
    /// `1` came in, `2` went out.
    pub(crate) direction: String,
    pub(crate) stream: Option<u32>,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) length: u32,
    pub(crate) comment: String,
    /// The checksums of IP and what is inside are right.
    pub(crate) sums: bool,
    /// Why tshark cannot read it; empty where it can.
    pub(crate) malformed: String,
    /// What tshark's experts warn of: the group and the text.
    pub(crate) warnings: Vec<String>,
}

const FIELDS: [&str; 15] = [
    "frame.interface_name",
    "frame.packet_flags_direction",
    "icmp.type",
    "tcp.stream",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "ip.checksum.status",
    "tcp.checksum.status",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.group",
    "_ws.expert.message",
    "frame.comment",
];
/// Checksums are checked only where they are asked for.
const CHECKS: [&str; 6] =
    ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];
/// tshark's numbers for the severity of a warning, and for the group of what follows from losses.
const WARN: u64 = 0x0060_0000;
const SEQUENCE: u64 = 0x0200_0000;

fn tshark(arguments: &[&str]) -> Command {
    let mut command = Command::new("tshark");
    command.args(arguments).env("LC_ALL", "C.UTF-8").env("HOME", std::env::temp_dir());
    command
}

/// The frames of a recording; none where there is no tshark, which is said in the test's name.
/// Fails if tshark complains about the file.
pub(crate) fn frames(name: &str, file: &str, more: &[&str]) -> Option<Vec<Frame>> {
    if !has(name, &["tshark"]) {
        return None;
    }
    let mut command = tshark(&["-r", file, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"]);
    command.args(CHECKS).args(more);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.lines().find(|line| !line.is_empty() && !line.starts_with("Running as user"));
    assert_eq!(complaint, None, "{file}");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| frame(file, line)).collect())
}

fn frame(file: &str, line: &str) -> Frame {
    let columns: Vec<&str> = line.split('\t').collect();
    assert_eq!(columns.len(), FIELDS.len(), "{file}: {line}");
    let of = |field: &str| columns[FIELDS.iter().position(|name| *name == field).unwrap()];
    // What an ICMP message quotes is not there once more.
    let is_segment = of("icmp.type").is_empty();
    let number = |field: &str| of(field).split('|').next().unwrap().parse::<u32>().ok();
    let flags = of("tcp.flags").split('|').next().unwrap().trim_start_matches("0x");
    let severities = of("_ws.expert.severity").split('|');
    let groups = of("_ws.expert.group").split('|');
    let messages = of("_ws.expert.message").split('|');
    let warnings = severities.zip(groups).zip(messages).filter_map(|((severity, group), message)| {
        let is_warning = severity.parse::<u64>().is_ok_and(|severity| severity >= WARN);
        let group = if group.parse() == Ok(SEQUENCE) { "sequence" } else { group };
        is_warning.then(|| format!("{group}: {message}"))
    });
    Frame {
        interface: of("frame.interface_name").into(),
        direction: of("frame.packet_flags_direction").trim_start_matches("0x0000000").into(),
        stream: number("tcp.stream").filter(|_| is_segment),
        flags: u16::from_str_radix(flags, 16).unwrap_or(0),
        sequence: number("tcp.seq_raw").unwrap_or(0),
        acknowledgment: number("tcp.ack_raw").unwrap_or(0),
        length: number("tcp.len").unwrap_or(0),
        comment: of("frame.comment").into(),
        // 0 is bad, 1 good; 2 and 3 are none.
        sums: !format!("{}|{}", of("ip.checksum.status"), of("tcp.checksum.status"))
            .split('|')
            .any(|sum| sum == "0"),
        malformed: of("_ws.malformed").into(),
        warnings: warnings.collect(),
    }
}

/// Fails unless each frame has a comment and right checksums, and nothing is odd about it but what
/// losses and resets cause.
fn assert_sound(file: &str, frames: &[Frame]) {
    assert!(!frames.is_empty(), "{file} is empty");
    for (place, frame) in frames.iter().enumerate() {
        let place = place + 1;
        assert!(!frame.comment.is_empty(), "{file}: frame {place} has no comment: {frame:?}");
        assert!(frame.sums, "{file}: frame {place} has a wrong checksum: {frame:?}");
        assert_eq!(frame.malformed, "", "{file}: frame {place} is malformed: {frame:?}");
        let odd = frame.warnings.iter().find(|warning| !warning.starts_with("sequence: "));
        assert_eq!(odd, None, "{file}: frame {place}");
    }
}

/// The lines of `--view json`.
fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The bits of a segment's flags in the order of the header. RFC 9293 §3.1.
fn bits(flags: &str) -> u16 {
    const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    flags.split(',').filter(|flag| !flag.is_empty()).fold(0, |bits, flag| {
        bits | 1 << NAMES.iter().position(|name| *name == flag).unwrap_or_else(|| panic!("flag {flag}"))
    })
}

/// What the JSON view says of TCP segments that left and arrived, as tshark's columns: the
/// interface, the direction, flags, numbers, length.
fn told(lines: &[Value]) -> Vec<(String, String, u16, u32, u32, u32)> {
    let hosts = &lines[0]["hosts"];
    let mut departed: BTreeMap<u64, &Value> = BTreeMap::new();
    let mut told = Vec::new();
    for line in lines.iter().filter(|line| line["type"] == "segment") {
        let (direction, segment) = match line["event"].as_str().unwrap() {
            "left" => ("2", line),
            "arrived" if line.get("flags").is_some() => ("1", line),
            "arrived" => match departed.get(&line["number"].as_u64().unwrap()) {
                Some(segment) => ("1", *segment),
                None => continue,
            },
            _ => continue,
        };
        if direction == "2" {
            departed.insert(line["number"].as_u64().unwrap(), line);
        }
        // What the channel sees has no interface; what is no TCP, no flags.
        let (Some(host), Some(flags)) = (line["host"].as_u64(), segment["flags"].as_str()) else { continue };
        let interface = &hosts[usize::try_from(host).unwrap()]["interfaces"][0]["name"];
        let number = |field: &str| u32::try_from(segment[field].as_u64().unwrap_or(0)).unwrap();
        told.push((
            interface.as_str().unwrap().to_owned(),
            direction.to_owned(),
            bits(flags),
            number("seq"),
            number("ack"),
            number("length"),
        ));
    }
    told
}

/// Fails unless tshark and the JSON view agree on streams, flags and numbers.
fn assert_agree(file: &str, frames: &[Frame], lines: &[Value]) {
    let seen: Vec<_> = frames
        .iter()
        .filter(|frame| frame.stream.is_some() && frame.flags != 0)
        .map(|frame| {
            let Frame { interface, direction, flags, sequence, acknowledgment, length, .. } = frame.clone();
            (interface, direction, flags, sequence, acknowledgment, length)
        })
        .collect();
    let told = told(lines);
    for (place, (seen, told)) in seen.iter().zip(&told).enumerate() {
        assert_eq!(seen, told, "{file}: segment {}", place + 1);
    }
    assert_eq!(seen.len(), told.len(), "{file}");
    let streams: BTreeSet<u32> = frames.iter().filter_map(|frame| frame.stream).collect();
    let flows = lines.iter().filter(|line| line["type"] == "flow" && line["protocol"] == "tcp").count();
    assert_eq!(streams.len(), flows, "{file}: streams");
}

/// Fails unless a lost segment is on its sender's interface only.
fn assert_lost_are_seen_once(file: &str, frames: &[Frame], lines: &[Value]) -> usize {
    let number = |line: &Value| line["number"].as_u64().unwrap();
    let of = |event: &str| -> BTreeSet<u64> {
        lines
            .iter()
            .filter(|line| line["event"] == event && line.get("number").is_some())
            .map(number)
            .collect()
    };
    let (left, arrived) = (of("left"), of("arrived"));
    let lost = left.difference(&arrived).count();
    let out = frames.iter().filter(|frame| frame.direction == "2").count();
    let copies = lines.iter().filter(|line| line["event"] == "arrived" && line["copy"] != 0).count();
    let came = frames.iter().filter(|frame| frame.direction == "1").count();
    assert_eq!(out, left.len(), "{file}");
    assert_eq!(came, arrived.len() + copies, "{file}");
    assert_eq!(out + copies - came, lost, "{file}");
    lost
}

/// A simulated run with both views of it.
fn simulated(name: &str, arguments: &[&str]) -> Option<(String, Vec<Frame>, Vec<Value>)> {
    let scratch = Scratch::new();
    let file = scratch.file("run.pcapng");
    let out = run(&[arguments, &["--view", "json", "-w", &file]].concat());
    assert!([0, 1, 3, 4].contains(&out.code), "{arguments:?}: {out:?}");
    let frames = frames(name, &file, &[])?;
    Some((format!("{arguments:?}"), frames, json(&out.out)))
}

#[test]
fn the_demonstration_opens_without_a_warning() {
    let name = "the_demonstration_opens_without_a_warning";
    let Some((file, frames, lines)) = simulated(name, &[]) else { return };
    assert_sound(&file, &frames);
    assert_agree(&file, &frames, &lines);
    assert_eq!(assert_lost_are_seen_once(&file, &frames, &lines), 0);
    // Nine segments, each at both ends, and nothing that an expert would frown at.
    assert_eq!(frames.len(), 18);
    assert!(frames.iter().all(|frame| frame.warnings.is_empty()), "{frames:#?}");
    assert_eq!((frames[0].flags, frames[0].sequence), (0x002, 1234));
    assert_eq!((frames[0].interface.as_str(), frames[1].interface.as_str()), ("client", "server"));
    assert!(frames[0].comment.contains("active open"), "{}", frames[0].comment);
}

#[test]
fn comments_are_in_the_users_language() {
    let name = "comments_are_in_the_users_language";
    let Some((_, frames, _)) = simulated(name, &["--lang", "pt-BR"]) else { return };
    assert!(frames[0].comment.contains("abertura ativa"), "{}", frames[0].comment);
    assert!(frames.iter().all(|frame| !frame.comment.is_empty()));
}

#[test]
fn a_dropped_segment_is_on_its_senders_interface_only() {
    let name = "a_dropped_segment_is_on_its_senders_interface_only";
    let Some((file, frames, lines)) = simulated(name, &["--drop", "4"]) else { return };
    assert_sound(&file, &frames);
    assert_agree(&file, &frames, &lines);
    assert_eq!(assert_lost_are_seen_once(&file, &frames, &lines), 1);
    // Ten segments left, nine arrived; the first text was client's, and is there twice in all
    // (lost, sent again) on its side and once on the server's.
    let texts = |interface: &str| {
        frames
            .iter()
            .filter(|frame| frame.interface == interface && frame.sequence == 1235 && frame.length == 11)
            .count()
    };
    assert_eq!((frames.len(), texts("client"), texts("server")), (19, 2, 1));
}

#[test]
fn every_scene_opens_and_agrees_with_the_json_view() {
    let name = "every_scene_opens_and_agrees_with_the_json_view";
    for scene in [
        "handshake",
        "data",
        "loss",
        "dupack",
        "reorder",
        "zero-window",
        "teardown",
        "half-close",
        "simultaneous-open",
        "refuse",
        "reset",
        "blackhole",
        "syn-retry",
        "nagle",
        "time-wait",
        "bulk",
        "ports",
    ] {
        let Some((file, frames, lines)) = simulated(name, &["demo", scene]) else { return };
        assert_sound(&file, &frames);
        assert_agree(&file, &frames, &lines);
        assert_lost_are_seen_once(&file, &frames, &lines);
    }
}

#[test]
fn a_scene_with_every_impairment_opens() {
    let name = "a_scene_with_every_impairment_opens";
    let flags = ["demo", "bulk", "--size", "200k", "--loss", "5%", "--reorder", "5%", "--dup", "2%"];
    let Some((file, frames, lines)) = simulated(name, &flags) else { return };
    assert_sound(&file, &frames);
    assert_agree(&file, &frames, &lines);
    assert!(assert_lost_are_seen_once(&file, &frames, &lines) > 0);
    let damaged = [&flags[..], &["--corrupt", "5%"]].concat();
    let Some((_, frames, lines)) = simulated(name, &damaged) else { return };
    // Damage is visible where it arrives, and only there.
    let broken = frames.iter().filter(|frame| !frame.sums).count();
    assert!(broken > 0);
    assert!(frames.iter().all(|frame| frame.sums || frame.direction == "1"));
    assert!(lines.iter().filter(|line| line["event"] == "damaged").count() >= broken);
}

/// A session of two processes, each recording: the client has these flags as well.
fn session(name: &str, client_flags: &[&str]) -> Option<[(Vec<Frame>, Vec<Value>); 2]> {
    let scratch = Scratch::new();
    let (text, _) = scratch.large("text", 300_000);
    let files = [scratch.file("client.pcapng"), scratch.file("server.pcapng")];
    let port = free_port();
    let json_lines = ["--view", "json", "-w"];
    let mut server =
        start(&[&["server", &port.to_string(), "--once", "--echo"], &json_lines[..], &[&files[1]]].concat());
    server.sees("\"type\":\"start\"");
    let port = port.to_string();
    let client = ["client", "127.0.0.1", &port, "--file", &text];
    let client = start(&[&client, &json_lines[..], &[&files[0]], client_flags].concat()).finish().ended(0);
    let server = server.finish().ended(0);
    let sides = [&client, &server].map(|side| json(&side.out));
    let [ours, theirs] = files;
    // The client's port is anybody's guess.
    let as_plain_text = ["-d", &format!("tcp.port=={port},data")];
    let frames = [frames(name, &ours, &as_plain_text)?, frames(name, &theirs, &as_plain_text)?];
    let [first, second] = frames;
    let [client, server] = sides;
    Some([(first, client), (second, server)])
}

#[test]
fn both_sides_of_a_session_open_without_a_warning() {
    let name = "both_sides_of_a_session_open_without_a_warning";
    let Some(sides) = session(name, &[]) else { return };
    for (side, (frames, lines)) in ["client", "server"].iter().zip(&sides) {
        assert_sound(side, frames);
        assert_agree(side, frames, lines);
        assert!(frames.iter().all(|frame| frame.interface == *side));
        assert_eq!(frames.iter().filter(|frame| frame.flags & 0x002 != 0).count(), 2, "SYN and SYN-ACK");
        // 300,000 octets each way, and no hole that the recording would have.
        for direction in ["1", "2"] {
            let octets: u32 =
                frames.iter().filter(|frame| frame.direction == direction).map(|frame| frame.length).sum();
            assert!(octets >= 300_000, "{side}: {octets}");
        }
    }
}

#[test]
fn both_sides_of_a_session_on_a_bad_channel_open() {
    let name = "both_sides_of_a_session_on_a_bad_channel_open";
    let Some(sides) = session(name, &["--loss", "5%", "--reorder", "5%", "--dup", "2%"]) else { return };
    for (side, (frames, lines)) in ["client", "server"].iter().zip(&sides) {
        assert_sound(side, frames);
        assert_agree(side, frames, lines);
    }
    // The channel is on the client's side: what it lost of the client's left there and came nowhere.
    let [(client, _), (server, _)] = &sides;
    let count = |frames: &[Frame], direction: &str| {
        frames.iter().filter(|frame| frame.direction == direction).count()
    };
    assert!(count(client, "2") > count(server, "1"));
    let Some(sides) = session(name, &["--corrupt", "5%"]) else { return };
    assert!(sides.iter().any(|(frames, _)| frames.iter().any(|frame| !frame.sums)), "nothing was damaged");
}

#[test]
fn tshark_decodes_the_tunnel_while_it_is_used() {
    let name = "tshark_decodes_the_tunnel_while_it_is_used";
    if !has(name, &["tshark", "dumpcap"]) {
        return;
    }
    let port = free_port();
    let (filter, decode) = (format!("udp port {port}"), format!("udp.port=={port},tcp"));
    let fields = ["-l", "-T", "fields", "-e", "tcp.flags", "-e", "tcp.len", "-e", "_ws.malformed"];
    let mut command = tshark(&["-i", "lo", "-f", &filter, "-d", &decode]);
    command.args(fields);
    let capture = Program::start(command);
    // It says so before the first packet can be caught.
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while !capture.complained().contains("Capturing on") {
        let complaint = capture.complained();
        if complaint.contains("permission")
            || complaint.contains("not permitted")
            || complaint.contains("no interfaces")
        {
            return skip_capture(name, &complaint);
        }
        assert!(std::time::Instant::now() < deadline, "{complaint}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // It may say so a little early, and prints a little late: talk until it has seen a whole opening
    // with its text.
    let server = server(port, &["--echo", "--view", "none"]);
    let is_whole = |printed: &str| {
        let opening = printed
            .find("0x0002\t0")
            .and_then(|place| printed[place..].find("0x0012\t0").map(|next| place + next));
        opening.is_some_and(|place| printed[place..].contains("\t5\t"))
    };
    for _ in 0..10 {
        run(&["client", "127.0.0.1", &port.to_string(), "-m", "hello", "--view", "none"]).ended(0);
        std::thread::sleep(std::time::Duration::from_millis(100));
        if is_whole(&capture.printed()) {
            break;
        }
    }
    capture.signal("INT");
    let lines = capture.finish().out;
    drop(server);
    // SYN; SYN, ACK; and five octets of text.
    assert!(is_whole(&lines), "{lines}");
    let columns: Vec<Vec<&str>> = lines.lines().map(|line| line.split('\t').collect()).collect();
    assert!(columns.iter().all(|line| line.get(2).is_none_or(|malformed| malformed.is_empty())), "{lines}");
}

fn skip_capture(name: &str, complaint: &str) {
    let line = complaint.lines().find(|line| line.contains("permi") || line.contains("interfaces"));
    crate::support::skip(name, line.unwrap_or("tshark may not capture"));
}
