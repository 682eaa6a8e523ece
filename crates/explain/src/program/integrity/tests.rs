use alloc::string::ToString;

use super::*;
use crate::wording::width;

fn all() -> Vec<Integrity> {
    let mut all = Vec::new();
    for default in [true, false] {
        all.push(Integrity::Compared {
            octets: 104_857_600,
            layers: 4,
            rtt: Duration::from_millis(560),
            seed: 123_456,
            flags: "--corrupt 0.01% --fix-checksum".to_string(),
            default,
        });
    }
    for number in [0, 1, 99_999] {
        all.push(Integrity::AskedAgain { times: number });
        all.push(Integrity::Reconnected { records: number, handshakes: number, cut_off: number });
        all.push(Integrity::Dropped { packets: number, handshake_octets: 340 });
    }
    all.push(Integrity::NotRepaired);
    all.push(Integrity::Believed { wrong: 99_999, spots: 99_999, first: 104_857_599 });
    all.push(Integrity::BelievedRight);
    for layer in Layer::ALL {
        all.push(Integrity::Unfinished { layer, delivered: 104_857_599, of: 104_857_600, tries: 20 });
    }
    all.push(Integrity::Checksums { octets: 64 });
    all.push(Integrity::Lesson);
    all.push(Integrity::Next);
    all
}

#[test]
fn each_line_fits_eighty_columns_and_differs_by_language() {
    for saying in all() {
        let (english, portuguese) = (saying.lines(Language::English), saying.lines(Language::Portuguese));
        assert_ne!(english, portuguese);
        for line in english.iter().chain(&portuguese) {
            assert!(width(line) <= 80, "{} columns: {line}", width(line));
        }
    }
}

#[test]
fn names_lead_back_to_layers() {
    for layer in Layer::ALL {
        assert_eq!(Layer::from_name(layer.name()), Some(layer));
    }
    assert_eq!(Layer::from_name("rot13"), None);
}
