//! `--with-keys`: recordings that Wireshark's terminal twin decrypts on its first pass, from either
//! end; and recordings without keys, in which nothing of the kind can be found.

use std::process::Command;

use sha2::{Digest, Sha256};

use crate::secure::User;
use crate::support::{LONG_PATIENCE, MEBIBYTE, free_port, has};

/// What tshark says of the records of a recording, read once from its beginning.
#[derive(Default, Debug)]
pub(crate) struct Records {
    /// Records that say `application_data` on the outside.
    pub(crate) protected: usize,
    /// Those of which tshark knows what is inside.
    pub(crate) opened: usize,
    /// Those that carry text.
    application: usize,
}

fn tshark(file: &str, port: u16, more: &[&str]) -> String {
    let mut command = Command::new("tshark");
    let decode = format!("tcp.port=={port},tls");
    // What was lost and sent again is put in order; a key log of the machine's is not looked at.
    let order = ["-o", "tcp.reassemble_out_of_order:TRUE", "-o", "tls.keylog_file:"];
    command.args(["-r", file, "-d", &decode]).args(order).args(more);
    command.env("LC_ALL", "C.UTF-8").env("HOME", std::env::temp_dir());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn records(file: &str, port: u16) -> Records {
    let fields = ["tls.record.opaque_type", "tls.record.content_type"];
    let mut more = vec!["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"];
    more.extend(fields.iter().flat_map(|field| ["-e", *field]));
    let text = tshark(file, port, &more);
    let mut all = Records::default();
    for line in text.lines() {
        let (opaque, content) = line.split_once('\t').unwrap_or((line, ""));
        let count = |list: &str, kinds: &[&str]| list.split(',').filter(|kind| kinds.contains(kind)).count();
        all.protected += count(opaque, &["23"]);
        // The hello, and change_cipher_spec, have no opaque type: they are counted out below.
        all.opened += count(content, &["21", "22", "23"]);
        all.application += count(content, &["23"]);
    }
    all
}

/// The text of one direction, as tshark decrypts it.
pub(crate) fn followed(file: &str, port: u16) -> (Vec<u8>, Vec<u8>) {
    let text = tshark(file, port, &["-q", "-z", "follow,tls,raw,0"]);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for line in text.lines().skip_while(|line| !line.starts_with("Node 1")).skip(1) {
        // Octets of the second node are indented.
        let (into, digits) = match line.strip_prefix('\t') {
            Some(digits) => (&mut down, digits),
            None => (&mut up, line),
        };
        if digits.len() % 2 == 0 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            into.extend(
                (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()),
            );
        }
    }
    (up, down)
}

/// A file goes to an echo and back, both ends record with keys; gives the files and the hash.
fn recorded(ana: &User, bob: &User, port: u16, octets: usize, flags: &[&str]) -> (String, String, String) {
    let (servers, clients) = (ana.0.file("server.pcapng"), bob.0.file("client.pcapng"));
    let (file, hash) = bob.0.large("file", octets);
    let flags_of = |recording| [&["-w", recording, "--with-keys", "--view", "none"], flags].concat();
    let (server, address) = ana.serves(port, &[&["--echo", "--once"], &flags_of(&servers)[..]].concat());
    let client = bob.start(&[&["client", &address, "--file", &file], &flags_of(&clients)[..]].concat());
    let client = client.finish_within(LONG_PATIENCE).ended(0);
    assert_eq!(client.hashes(), [hash.as_str(), hash.as_str()]);
    assert!(client.error.contains("[KEYS]"), "{}", client.error);
    server.finish_within(LONG_PATIENCE).ended(0);
    (servers, clients, hash)
}

fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// RELIABILITY §5.5, G21.
#[test]
fn tshark_opens_all_of_a_thousand_records_of_both_ends_recordings() {
    if !has("tshark_opens_all_of_a_thousand_records_of_both_ends_recordings", &["tshark"]) {
        return;
    }
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let (servers, clients, hash) = recorded(&ana, &bob, port, 9 * MEBIBYTE, &[]);
    for file in [servers, clients] {
        let records = records(&file, port);
        println!("{file}: {records:?}");
        assert!(records.application >= 1_000, "{records:?}");
        // Beside what is protected there are the two hellos.
        assert_eq!(records.opened, records.protected + 2, "{file}");
        let (up, down) = followed(&file, port);
        assert_eq!((up.len(), down.len()), (9 * MEBIBYTE, 9 * MEBIBYTE), "{file}");
        assert_eq!((sha256(&up), sha256(&down)), (hash.clone(), hash.clone()), "{file}");
    }
}

#[test]
fn tshark_opens_all_records_though_segments_were_lost_and_sent_again() {
    if !has("tshark_opens_all_records_though_segments_were_lost_and_sent_again", &["tshark"]) {
        return;
    }
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let (servers, clients, hash) = recorded(&ana, &bob, port, MEBIBYTE, &["--loss", "2%", "--seed", "5"]);
    for file in [servers, clients] {
        let resent = tshark(&file, port, &["-Y", "tcp.analysis.retransmission || tcp.analysis.out_of_order"]);
        assert!(!resent.is_empty(), "{file}: nothing was lost");
        let (up, down) = followed(&file, port);
        assert_eq!(
            (sha256(&up), sha256(&down)),
            (hash.clone(), hash.clone()),
            "{file}: {} {}",
            up.len(),
            down.len()
        );
    }
}

/// The hello of the server lost, so that the client's secrets come late.
#[test]
fn a_handshake_whose_segments_are_lost_is_still_opened() {
    if !has("a_handshake_whose_segments_are_lost_is_still_opened", &["tshark"]) {
        return;
    }
    for lost in ["data:1", "syn", "synack"] {
        let (ana, bob) = (User::new(), User::new());
        let port = free_port();
        let (servers, clients, hash) = recorded(&ana, &bob, port, 100, &["--drop", lost]);
        for file in [servers, clients] {
            let (up, down) = followed(&file, port);
            assert_eq!((sha256(&up), sha256(&down)), (hash.clone(), hash.clone()), "{lost} {file}");
        }
    }
}

/// The blocks of a recording: type and body.
fn blocks(octets: &[u8]) -> Vec<(u32, &[u8])> {
    let mut blocks = Vec::new();
    let mut rest = octets;
    while let Some(head) = rest.first_chunk::<8>() {
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let length = word(4) as usize;
        blocks.push((word(0), &rest[8..length - 4]));
        rest = &rest[length..];
    }
    blocks
}

/// Where the secrets stand, and where the server's hello is: a handshake record that begins with 2.
fn order(octets: &[u8]) -> (Vec<usize>, usize) {
    let blocks = blocks(octets);
    let secrets = (0..).zip(&blocks).filter(|(_, (kind, _))| *kind == 10).map(|(place, _)| place).collect();
    let is_hello = |window: &[u8]| matches!(window, [22, 3, 3, _, _, 2, 0, ..]);
    let hello = blocks.iter().position(|(kind, body)| *kind == 6 && body.windows(9).any(is_hello));
    (secrets, hello.unwrap())
}

/// Both go to stdout, so that nothing can be put in front afterwards.
#[test]
fn secrets_stand_before_the_servers_hello_in_a_stream_too() {
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let server = ana.start(&[
        "server",
        &port.to_string(),
        "--secure",
        "--echo",
        "--once",
        "-w",
        "-",
        "--with-keys",
        "--view",
        "none",
        "-q",
    ]);
    server.complains("[KEYS]");
    let pin = ana.run(&["key", "show"]).ended(0).out;
    let pin = pin.lines().next().unwrap().split_whitespace().last().unwrap();
    let address = format!("aperto://127.0.0.1:{port}/#{pin}");
    let client = bob.start(&["client", &address, "-m", "x", "-w", "-", "--with-keys", "--view", "none"]);
    for octets in [client.finish_raw(0), server.finish_raw(0)] {
        let (secrets, hello) = order(&octets);
        assert!(!secrets.is_empty() && secrets.iter().all(|place| *place < hello), "{secrets:?} {hello}");
        let all: Vec<u8> =
            blocks(&octets).iter().filter(|(kind, _)| *kind == 10).flat_map(|(_, b)| *b).copied().collect();
        assert_eq!(String::from_utf8_lossy(&all).matches("TRAFFIC_SECRET").count(), 4);
    }
}

/// RELIABILITY SC-7.
#[test]
fn a_recording_without_keys_has_neither_secrets_nor_text() {
    let (ana, bob) = (User::new(), User::new());
    let text = "the text that is nobody's business";
    let hexadecimal = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    for ending in ["pcapng", "pcap", "aperto"] {
        let name = format!("recording.{ending}");
        let (servers, clients, log) = (ana.0.file(&name), bob.0.file(&name), bob.0.file("keys.log"));
        let (server, address) = ana.serves(free_port(), &["--echo", "--once", "-w", &servers]);
        bob.run(&["client", &address, "-m", text, "-w", &clients, "--keylog", &log]).ended(0);
        server.finish().ended(0);
        let secrets = std::fs::read_to_string(&log).unwrap();
        let secrets: Vec<&str> = secrets.split_whitespace().filter(|word| word.len() == 64).collect();
        for file in [servers, clients] {
            let octets = std::fs::read(&file).unwrap();
            let lower = String::from_utf8_lossy(&octets).to_lowercase();
            let has = |needle: &[u8]| octets.windows(needle.len()).any(|window| window == needle);
            assert!(!has(b"KSLT") && !has(b"TLSK") && !has(b"TRAFFIC_SECRET"), "{file}");
            assert!(!has(text.as_bytes()) && !lower.contains(&hexadecimal(text.as_bytes())), "{file}");
            for secret in secrets.iter().skip(1).step_by(2) {
                let raw: Vec<u8> = (0..64)
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap())
                    .collect();
                assert!(!has(&raw) && !lower.contains(*secret), "{file}");
            }
            if ending == "pcapng" {
                assert!(blocks(&octets).iter().all(|(kind, _)| *kind != 10), "{file}");
            }
        }
    }
}

#[test]
fn a_recording_with_keys_is_shown_as_any_other() {
    let (ana, bob) = (User::new(), User::new());
    let (servers, clients, _) = recorded(&ana, &bob, free_port(), 5_000, &[]);
    for file in [servers, clients] {
        let shown = bob.run(&["show", &file, "--view", "lines"]).ended(0);
        assert!(shown.out.contains("SYN,ACK") && shown.out.contains("FIN"), "{}", shown.out);
    }
}
