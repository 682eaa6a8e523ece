//! Secrecy in words: every value has a sentence in both languages, and errors fit their columns.

use alloc::string::ToString;
use alloc::vec;

use super::super::Fault;
use super::super::saying::Saying;
use super::*;
use crate::wording::width;

fn faults() -> Vec<SecureFault> {
    let remote = SocketAddr::from(([192, 168, 100, 200], 51_234));
    let (server, file) = ("192.168.100.200:51234".to_string(), "~/.config/aperto/x".to_string());
    let print = "xj4b-np4p-ahh6-uqkb-idpf-3lrc-eo".to_string();
    vec![
        SecureFault::PlainServer { remote, echoed: false },
        SecureFault::PlainServer { remote, echoed: true },
        SecureFault::PlainClient { remote },
        SecureFault::SpeaksTls { remote },
        SecureFault::OldTls { remote },
        SecureFault::NoHandshake { remote, after: Duration::from_secs(10) },
        SecureFault::ChangedKey {
            server: server.clone(),
            file: file.clone(),
            line: 2,
            known: print.clone(),
            seen: print.clone(),
        },
        SecureFault::WrongPin { server: server.clone(), wanted: print.clone(), seen: print },
        SecureFault::WrongService { remote },
        SecureFault::ClientNamesNoService { remote, service: "aperto-transfer/1".into() },
        SecureFault::CutOff { remote, received: 12_345 },
        SecureFault::Tampered { remote, received: 12_345 },
        SecureFault::Alert { remote, alert: "CertificateUnknown".into() },
        SecureFault::BrokenRules { remote, what: "peer misbehaved: IllegalTlsInnerPlaintext".into() },
        SecureFault::Crowded { remote, most: 256 },
        SecureFault::OpenFile { file: file.clone(), mode: 0o644 },
        SecureFault::DamagedFile { file: file.clone(), line: 3 },
        SecureFault::BadFile { file: file.clone(), why: FileTrouble::Denied },
        SecureFault::NoHome,
        SecureFault::BadAddress { value: "aperto://:1".into() },
        SecureFault::BadPin { value: "xj4b".into() },
        SecureFault::NotKnown { server, file: file.clone() },
        SecureFault::NoKey { file },
        SecureFault::System { what: "no random octets".into() },
    ]
}

#[test]
fn each_fault_says_in_both_languages_what_happened_and_fits() {
    let mut codes = Vec::new();
    for fault in faults() {
        codes.push(fault.code());
        let fault = Fault::Secure(fault);
        let (english, portuguese) = (fault.lines(Language::English), fault.lines(Language::Portuguese));
        assert_ne!(english, portuguese);
        for line in english.iter().chain(&portuguese) {
            assert!(width(line) <= 80, "{} columns: {line}", width(line));
            assert!(!line.trim().is_empty(), "{fault:?}");
        }
        assert!(!fault.notice(Language::English).headline.is_empty(), "{fault:?}");
        assert!(!fault.notice(Language::Portuguese).headline.is_empty(), "{fault:?}");
    }
    codes.dedup();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all, "two faults with one code");
}

/// UX §2.4: 3 refused, 4 timed out, 5 not here, 7 something else spoken.
#[test]
fn each_fault_ends_with_its_code() {
    let code = |name: &str| {
        let fault = faults().into_iter().find(|fault| fault.code() == name).unwrap();
        Fault::Secure(fault).exit().code()
    };
    for (name, expected) in [
        ("changed-key", 3),
        ("wrong-pin", 3),
        ("wrong-service", 3),
        ("plain-server", 7),
        ("old-tls", 7),
        ("no-handshake", 4),
        ("cut-off", 1),
        ("tampered", 1),
        ("open-file", 5),
        ("damaged-file", 6),
        ("bad-pin", 2),
    ] {
        assert_eq!(code(name), expected, "{name}");
    }
}

#[test]
fn what_is_said_is_said_in_both_languages_within_80_columns() {
    let print = || "xj4b-np4p-ahh6-uqkb-idpf-3lrc-eo".to_string();
    let words = || "sale vabe lumo vamo bafe favi".to_string();
    let file = || "~/.config/aperto/server.key".to_string();
    let key = |believed| SecureSaying::Key { fingerprint: print(), words: words(), believed };
    let all = [
        SecureSaying::Serving {
            service: "aperto-receipt/1".into(),
            fingerprint: print(),
            words: words(),
            made: Some(file()),
        },
        SecureSaying::NextClient {
            address: "aperto://127.0.0.1:7000/#xj4bnp4pahh6uqkbidpf3lrceo".into(),
            flags: String::new(),
        },
        SecureSaying::OtherMachine { file: file() },
        SecureSaying::HelloInPlain,
        SecureSaying::HelloAnswered,
        SecureSaying::Secured {
            label: "c1 ".into(),
            suite: "TLS13_CHACHA20_POLY1305_SHA256".into(),
            group: "X25519".into(),
            service: "aperto-receipt/1".into(),
        },
        key(Believed::Pinned),
        key(Believed::Known(file())),
        key(Believed::FirstSeen(file())),
        SecureSaying::Listener,
        SecureSaying::LooksLikeTls { label: "c1 ".into() },
        SecureSaying::PlainHint,
        SecureSaying::Partial { label: "c1 ".into(), file: "x.partial".into(), octets: 7 },
        SecureSaying::KeyLogOn { file: "keys.log".into() },
        SecureSaying::KeysInRecording { file: "a.pcapng".into() },
        SecureSaying::KeyMade { old: None },
        SecureSaying::KeyMade { old: Some(file()) },
        SecureSaying::Forgotten { server: "127.0.0.1:7000".into(), file: file() },
    ];
    for saying in all {
        let saying = Saying::Secure(saying);
        let (english, portuguese) = (saying.lines(Language::English), saying.lines(Language::Portuguese));
        assert_ne!(english, portuguese);
        for line in english.iter().chain(&portuguese) {
            assert!((1..=80).contains(&width(line)), "{} columns: {line}", width(line));
        }
    }
}
