//! Whole sessions without I/O: every bit of what the server says changed, every place cut.

use std::io::{ErrorKind, Read as _, Write as _};

use rustls::server::Acceptor;
use rustls::{CipherSuite, ClientConnection, NamedGroup, NoKeyLog, ProtocolVersion, ServerConnection};

use super::*;
use crate::alpn;
use crate::files::tests::Folder;
use crate::guard::{Guard, Peer};
use crate::trouble::Trouble;

/// What the server says, one record each.
const SAID: [&str; 3] = ["olá, turma", "segundo registro", "fim"];

fn identity() -> (Folder, Identity) {
    let folder = Folder::new();
    let identity = Identity::open(folder.path()).unwrap();
    (folder, identity)
}

fn pair(identity: &Identity) -> (ClientConnection, ServerConnection) {
    speaking(identity, &[alpn::ECHO], alpn::ECHO, Some(identity.fingerprint()))
}

fn speaking(
    identity: &Identity,
    client_says: &[&str],
    server_says: &str,
    pin: Option<Fingerprint>,
) -> (ClientConnection, ServerConnection) {
    let config = client(client_says, &KeyCheck::new(pin), Arc::new(NoKeyLog {})).unwrap();
    let server = server(identity, &[server_says], Arc::new(NoKeyLog {})).unwrap();
    (ClientConnection::new(config, server_name()).unwrap(), ServerConnection::new(server).unwrap())
}

/// What one side has to send.
fn sent(side: &mut rustls::Connection) -> Vec<u8> {
    let mut octets = Vec::new();
    while side.wants_write() {
        side.write_tls(&mut octets).unwrap();
    }
    octets
}

/// Reads as tokio-rustls does: what was decrypted, and why there is no more. `None` is a clean end.
#[derive(Debug)]
struct Heard {
    guard: Guard,
    text: Vec<u8>,
    trouble: Option<Trouble>,
    answer: Vec<u8>,
    clean: bool,
}

impl Heard {
    fn of(peer: Peer) -> Self {
        let (text, trouble, answer, clean) = (Vec::new(), None, Vec::new(), false);
        Self { guard: Guard::new(peer), text, trouble, answer, clean }
    }

    fn hear(&mut self, side: &mut rustls::Connection, octets: &[u8]) {
        let passed = self.guard.pass(octets);
        let mut octets = &octets[..passed];
        while !octets.is_empty() && self.trouble.is_none() && !self.clean {
            side.read_tls(&mut octets).unwrap();
            if let Err(error) = side.process_new_packets() {
                self.trouble = Some(Trouble::of_tls(&error));
            }
            self.drain(side);
        }
        self.trouble = self.trouble.take().or_else(|| self.guard.trouble().cloned());
        self.answer.extend(sent(side));
    }

    /// The stream below is over.
    fn hear_the_end(&mut self, side: &mut rustls::Connection) {
        if self.trouble.is_some() || self.clean {
            return;
        }
        side.read_tls(&mut [].as_slice()).unwrap();
        match side.process_new_packets() {
            Err(error) => self.trouble = Some(Trouble::of_tls(&error)),
            Ok(_) if side.is_handshaking() => self.trouble = Some(Trouble::CutOff),
            Ok(_) => self.drain(side),
        }
    }

    fn drain(&mut self, side: &mut rustls::Connection) {
        let mut room = [0; 256];
        loop {
            match side.reader().read(&mut room) {
                Ok(0) => {
                    self.clean = true;
                    return;
                }
                Ok(octets) => self.text.extend_from_slice(&room[..octets]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    self.trouble = Some(Trouble::of(&error));
                    return;
                }
            }
        }
    }
}

/// A conversation whose server half goes through `spoil` on its way: (which octet of the whole
/// stream comes first, the octets).
fn session(
    identity: &Identity,
    records: &[&str],
    mut spoil: impl FnMut(usize, &mut Vec<u8>),
) -> (Heard, usize) {
    let (client, server) = pair(identity);
    let (mut client, mut server) = (rustls::Connection::from(client), rustls::Connection::from(server));
    let (mut heard, mut at_server, mut length) = (Heard::of(Peer::Server), Heard::of(Peer::Client), 0);
    at_server.hear(&mut server, &sent(&mut client));
    let mut pass = |octets: Vec<u8>, heard: &mut Heard, client: &mut rustls::Connection| {
        let mut octets = octets;
        let from = length;
        length += octets.len();
        spoil(from, &mut octets);
        heard.hear(client, &octets);
    };
    let flight = std::mem::take(&mut at_server.answer);
    pass(flight, &mut heard, &mut client);
    let answer = std::mem::take(&mut heard.answer);
    at_server.hear(&mut server, &answer);
    if at_server.trouble.is_none() && !server.is_handshaking() {
        for record in records {
            server.writer().write_all(record.as_bytes()).unwrap();
            pass(sent(&mut server), &mut heard, &mut client);
        }
        server.send_close_notify();
        pass(sent(&mut server), &mut heard, &mut client);
    }
    heard.hear_the_end(&mut client);
    (heard, length)
}

/// RELIABILITY SC-1, G20. Each bit in a session of its own, because keys differ each time; the
/// first octets of a stream say which bit.
#[test]
fn each_bit_changed_on_its_way_is_reported_and_no_wrong_octet_is_delivered() {
    let (_folder, identity) = identity();
    let whole: Vec<u8> = SAID.concat().into_bytes();
    let (clean, length) = session(&identity, &SAID, |_, _| ());
    assert!(clean.clean && clean.trouble.is_none() && clean.text == whole, "{clean:?}");
    let (mut reported, mut wrong) = (0, 0);
    // A signature may be an octet or two longer than in the first session.
    for bit in 0..(length + 8) * 8 {
        let mut hit = false;
        let (heard, _) = session(&identity, &SAID, |from, octets| {
            if let Some(octet) = (bit / 8).checked_sub(from).and_then(|place| octets.get_mut(place)) {
                *octet ^= 1 << (bit % 8);
                hit = true;
            }
        });
        wrong += usize::from(!whole.starts_with(&heard.text));
        if hit {
            assert!(heard.trouble.is_some() && !heard.clean, "bit {bit} of {length} octets: {heard:?}");
            assert!(heard.text.len() < whole.len() || bit / 8 >= length - 24 - 8, "bit {bit}: {heard:?}");
            reported += 1;
        }
    }
    println!("{reported} bits changed, one each, and each reported");
    assert_eq!(wrong, 0);
    assert!(reported > 6_000, "{reported}");
}

/// The long session of G20, at places spread over all of it.
#[test]
fn of_a_thousand_records_the_damaged_one_and_all_after_it_are_refused() {
    let (_folder, identity) = identity();
    let texts: Vec<String> = (0..1_000).map(|number| format!("record {number};")).collect();
    let said: Vec<&str> = texts.iter().map(String::as_str).collect();
    let whole = texts.concat().into_bytes();
    let (clean, length) = session(&identity, &said, |_, _| ());
    assert!(clean.clean && clean.text == whole);
    for step in 0..64 {
        let bit = 8_000 + step * (length - 1_200) / 64 * 8 + step % 8;
        let (heard, _) = session(&identity, &said, |from, octets| {
            if let Some(octet) = (bit / 8).checked_sub(from).and_then(|place| octets.get_mut(place)) {
                *octet ^= 1 << (bit % 8);
            }
        });
        assert!(whole.starts_with(&heard.text), "bit {bit}");
        assert!(heard.trouble.is_some(), "bit {bit} of {length} octets");
        assert!(heard.text.len() < whole.len());
    }
}

/// RELIABILITY SC-3.
#[test]
fn a_session_cut_off_anywhere_is_reported_as_cut_off() {
    let (_folder, identity) = identity();
    let whole = SAID.concat().into_bytes();
    let (_, length) = session(&identity, &SAID, |_, _| ());
    for cut in 0..length {
        let mut left = usize::MAX;
        let (heard, now) = session(&identity, &SAID, |from, octets| {
            octets.truncate(cut.saturating_sub(from));
            left = left.min(cut.saturating_sub(from + octets.len()));
        });
        assert!(whole.starts_with(&heard.text), "{cut}");
        // Shorter signatures make shorter sessions: what is cut there is nothing.
        if cut < now {
            assert!(!heard.clean, "cut at {cut} of {now}: {heard:?}");
            assert_eq!(heard.trouble, Some(Trouble::CutOff), "cut at {cut} of {now}");
        }
    }
}

/// RELIABILITY SC-2. The places are those of protected records after the handshake.
#[test]
fn records_replayed_swapped_left_out_or_from_another_session_are_refused() {
    let (_folder, identity) = identity();
    let whole = SAID.concat().into_bytes();
    let mut foreign = Vec::new();
    session(&identity, &SAID, |_, octets| foreign.push(octets.clone()));
    type Spoil = fn(usize, &mut Vec<u8>, &mut Vec<u8>, &[Vec<u8>]);
    let tricks: [(&str, Spoil); 4] = [
        ("replayed", |place, octets, _, _| {
            if place == 2 {
                octets.extend(octets.clone());
            }
        }),
        ("swapped", |place, octets, kept, _| match place {
            1 => *kept = std::mem::take(octets),
            2 => octets.append(kept),
            _ => {}
        }),
        ("left out", |place, octets, _, _| {
            if place == 2 {
                octets.clear();
            }
        }),
        ("spliced", |place, octets, _, foreign| {
            if place == 2 {
                *octets = foreign[2].clone();
            }
        }),
    ];
    for (name, trick) in tricks {
        let (mut place, mut kept) = (0, Vec::new());
        let (heard, _) = session(&identity, &SAID, |_, octets| {
            trick(place, octets, &mut kept, &foreign);
            place += 1;
        });
        assert_eq!(heard.trouble, Some(Trouble::Tampered), "{name}");
        assert!(whole.starts_with(&heard.text), "{name}");
    }
}

/// Runs a handshake to its end at both sides.
fn handshake(
    client: ClientConnection,
    server: ServerConnection,
) -> (Heard, Heard, rustls::Connection, rustls::Connection) {
    let (mut client, mut server) = (rustls::Connection::from(client), rustls::Connection::from(server));
    let (mut at_client, mut at_server) = (Heard::of(Peer::Server), Heard::of(Peer::Client));
    at_client.answer = sent(&mut client);
    for _ in 0..4 {
        let answer = std::mem::take(&mut at_client.answer);
        at_server.hear(&mut server, &answer);
        let answer = std::mem::take(&mut at_server.answer);
        at_client.hear(&mut client, &answer);
    }
    (at_client, at_server, client, server)
}

#[test]
fn both_sides_agree_on_tls_1_3_and_nothing_that_could_be_replayed() {
    let (_folder, identity) = identity();
    let (client, server) = pair(&identity);
    let (at_client, at_server, client, server) = handshake(client, server);
    assert_eq!((at_client.trouble, at_server.trouble), (None, None));
    for side in [&client, &server] {
        assert_eq!(side.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(side.alpn_protocol(), Some(alpn::ECHO.as_bytes()));
        assert_eq!(side.negotiated_cipher_suite().unwrap().suite(), CipherSuite::TLS13_AES_128_GCM_SHA256);
        assert_eq!(side.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519);
    }
    let rustls::Connection::Client(client) = client else { panic!() };
    assert_eq!(client.tls13_tickets_received(), 0);
    assert!(!client.is_early_data_accepted());
}

#[test]
fn a_client_offers_two_suites_two_groups_and_no_older_version() {
    let (_folder, identity) = identity();
    let (client, _) = pair(&identity);
    let mut hello = sent(&mut client.into());
    let mut acceptor = Acceptor::default();
    acceptor.read_tls(&mut hello.as_slice()).unwrap();
    let accepted = acceptor.accept().unwrap().unwrap();
    let hello_seen = accepted.client_hello();
    assert_eq!(
        hello_seen.cipher_suites(),
        [CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS13_CHACHA20_POLY1305_SHA256]
    );
    assert_eq!(hello_seen.server_name(), Some("aperto"));
    // supported_versions (43) holds one version, 0x0304. RFC 8446 §4.2.1.
    let versions = [0, 43, 0, 3, 2, 3, 4];
    assert!(hello.windows(versions.len()).any(|window| window == versions));
    // No pre_shared_key (41) and no early_data (42) extension of any length below 256.
    hello.drain(..43);
    assert!(!hello.windows(3).any(|window| window == [0, 42, 0]));
}

/// RELIABILITY SC-9; RFC 7301 §3.2.
#[test]
fn a_service_that_the_client_does_not_mean_is_refused_with_an_alert() {
    let (_folder, identity) = identity();
    let (client, server) = speaking(&identity, &[alpn::CHAT], alpn::TRANSFER, Some(identity.fingerprint()));
    let (at_client, at_server, ..) = handshake(client, server);
    assert_eq!(at_server.trouble, Some(Trouble::NoService));
    assert_eq!(at_client.trouble, Some(Trouble::NoService));
    assert!(at_client.text.is_empty() && at_server.text.is_empty());
}

/// RELIABILITY SC-5.
#[test]
fn another_key_than_the_wanted_one_is_refused_before_anything_is_said() {
    let ((_one, ours), (_other, theirs)) = (identity(), identity());
    let check = KeyCheck::new(Some(ours.fingerprint()));
    let config = client(&[alpn::ECHO], &check, Arc::new(NoKeyLog {})).unwrap();
    let client = ClientConnection::new(config, server_name()).unwrap();
    let server =
        ServerConnection::new(server(&theirs, &[alpn::ECHO], Arc::new(NoKeyLog {})).unwrap()).unwrap();
    let (at_client, at_server, ..) = handshake(client, server);
    assert_eq!(at_client.trouble, Some(Trouble::WrongKey));
    assert!(matches!(at_server.trouble, Some(Trouble::Alert(_))), "{:?}", at_server.trouble);
    assert_eq!(check.mismatch(), Some((ours.fingerprint(), theirs.fingerprint())));
}

/// A server that shows a certificate whose key it does not have: the signature is somebody else's.
#[test]
fn a_copied_certificate_without_its_key_is_refused() {
    let ((_one, ours), (_other, theirs)) = (identity(), identity());
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(rustls::sign::CertifiedKey::new(
            vec![ours.certificate().clone()],
            ring::sign::any_supported_type(&theirs.key()).unwrap(),
        ))));
    config.alpn_protocols = named(&[alpn::ECHO]);
    let (client, _) = pair(&ours);
    let (at_client, ..) = handshake(client, ServerConnection::new(Arc::new(config)).unwrap());
    assert!(at_client.trouble.is_some(), "{at_client:?}");
}

/// RELIABILITY SC-6: what pretends to be a ClientHello of up to 16 MiB is not collected.
#[test]
fn a_client_hello_without_end_is_refused_at_64_kib() {
    let mut acceptor = Acceptor::default();
    let mut collected = 0;
    // Handshake records of 16 KiB, of a message that says it is 0xffffff octets long.
    let mut record = vec![22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    record.resize(5 + 0x4000, 0xaa);
    let refused = 'fed: {
        for _ in 0..1_024 {
            let mut octets = record.as_slice();
            while !octets.is_empty() {
                match acceptor.read_tls(&mut octets) {
                    Ok(read) => collected += read,
                    Err(_) => break 'fed true,
                }
                if acceptor.accept().is_err() {
                    break 'fed true;
                }
            }
        }
        false
    };
    assert!(refused && collected <= 0x1_4000, "{collected}");
}

#[test]
fn what_is_no_tls_at_all_is_called_plain() {
    for text in ["hello\n", "GET / HTTP/1.1\r\n\r\n", "got 245 bytes", "SSH-2.0-OpenSSH_9.2\r\n"] {
        let (_folder, identity) = identity();
        let (client, server) = pair(&identity);
        for (peer, mut side) in
            [(Peer::Server, rustls::Connection::from(client)), (Peer::Client, server.into())]
        {
            let mut heard = Heard::of(peer);
            heard.hear(&mut side, text.as_bytes());
            assert_eq!(heard.trouble, Some(Trouble::PlainPeer), "{text}");
        }
    }
}

#[test]
fn our_own_hello_that_comes_back_is_called_an_echo() {
    let (_folder, identity) = identity();
    let mut client = rustls::Connection::from(pair(&identity).0);
    let hello = sent(&mut client);
    let mut heard = Heard::of(Peer::Server);
    heard.hear(&mut client, &hello);
    assert_eq!(heard.trouble, Some(Trouble::Echoed));
}

/// RELIABILITY SC-10.
#[test]
fn new_keys_are_taken_but_not_without_end() {
    let (_folder, identity) = identity();
    for (updates, sound) in [(8, true), (64, false)] {
        let (client, server) = pair(&identity);
        let (mut at_client, _, mut client, mut server) = handshake(client, server);
        for _ in 0..updates {
            server.refresh_traffic_keys().unwrap();
            let octets = sent(&mut server);
            at_client.hear(&mut client, &octets);
        }
        server.writer().write_all(b"after").unwrap();
        let octets = sent(&mut server);
        at_client.hear(&mut client, &octets);
        assert_eq!((at_client.trouble.is_none(), at_client.text == b"after"), (sound, sound), "{updates}");
    }
}

/// We have said our last word, and something damaged comes: an error as any other.
#[test]
fn damage_after_we_have_closed_our_half_is_reported() {
    let (_folder, identity) = identity();
    let (client, server) = pair(&identity);
    let (mut at_client, _, mut client, mut server) = handshake(client, server);
    client.send_close_notify();
    sent(&mut client);
    server.writer().write_all(b"late").unwrap();
    let mut octets = sent(&mut server);
    *octets.last_mut().unwrap() ^= 1;
    at_client.hear(&mut client, &octets);
    assert_eq!(at_client.trouble, Some(Trouble::Tampered));
    assert!(at_client.text.is_empty());
}

/// A mebibyte of nonsense, in many shapes: an error each time, never a panic.
#[test]
fn nonsense_is_refused_by_both_sides() {
    let (_folder, identity) = identity();
    let mut state = 1_u64;
    for round in 0..256 {
        let mut nonsense: Vec<u8> = (0..4_096)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect();
        if round % 2 == 0 {
            nonsense.splice(..5, [22, 3, 3, 2, 0]);
        }
        let (client, server) = pair(&identity);
        for (peer, mut side) in
            [(Peer::Server, rustls::Connection::from(client)), (Peer::Client, server.into())]
        {
            let mut heard = Heard::of(peer);
            heard.hear(&mut side, &nonsense);
            assert!(heard.trouble.is_some() && heard.text.is_empty());
        }
    }
}
