//! An initiator in Python, written from the documents alone, agrees with our responder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::common::{Dice, identity, packets, sealed};
use aperto_seal::{Config, Peer, Role, Trust};
use aperto_time::Instant;

const NOW: Instant = Instant::ZERO;

#[test]
fn an_initiator_in_python_written_from_the_rfcs_is_understood() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sealed/noise.py");
    let mut command = Command::new("python3");
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut python) = command.spawn() else { return skip("no python3") };
    let mut to = python.stdin.take().unwrap();
    let mut from = BufReader::new(python.stdout.take().unwrap());
    let mut hear = || {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        let digits: Vec<u8> = line.trim().bytes().collect();
        assert!(!digits.is_empty(), "python gave up");
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    };
    let mut say = |datagram: &[u8]| {
        let line: String = datagram.iter().map(|octet| format!("{octet:02x}")).collect();
        writeln!(to, "{line}").unwrap();
    };
    let config = Config { context: b"python".to_vec(), ..Config::new(identity(2), Trust::Anyone) };
    let mut server = Peer::new(Role::Responder, config, Dice(2));
    let (hello, proof, packet): (Vec<u8>, Vec<u8>, Vec<u8>);
    hello = hear();
    server.datagram_arrives(NOW, &hello);
    say(&server.poll_datagram().unwrap());
    proof = hear();
    server.datagram_arrives(NOW, &proof);
    assert!(server.is_open());
    say(&server.poll_datagram().unwrap());
    packet = hear();
    server.datagram_arrives(NOW, &packet);
    assert_eq!(packets(&mut server), ["olá do Python".as_bytes()]);
    say(&sealed(NOW, &mut server, b"and back"));
    // What it read, and whom it takes us for.
    assert_eq!(hear(), [b"and back".as_slice(), &identity(2).public().0].concat());
    assert!(python.wait().unwrap().success());
}

/// A test that cannot do its work says so, see CONTRIBUTING.
fn skip(why: &str) {
    if let Some(file) = std::env::var_os("APERTO_TEST_SKIPS") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        writeln!(file, "an_initiator_in_python_written_from_the_rfcs_is_understood: {why}").unwrap();
    }
}
