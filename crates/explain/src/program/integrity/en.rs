//! What `compare --integrity` says, in English.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Integrity, Layer};
use crate::Language;
use crate::quantity::{bytes, duration};

pub(super) fn lines(saying: &Integrity) -> Vec<String> {
    match saying {
        Integrity::Compared { octets, layers, rtt, seed, flags, default } => {
            let times = if *layers == 1 { "once".into() } else { format!("{layers} times") };
            let flags = if flags.is_empty() { "nothing damages it" } else { flags };
            let chosen = if *default { " (the default here)" } else { "" };
            let rtt = duration(Language::English, *rtt);
            vec![
                format!("{} from server to client, {times} over one channel, seed {seed}:", bytes(*octets)),
                format!("{flags}{chosen}; {rtt} there and back."),
            ]
        }
        Integrity::NotRepaired => vec![
            "The channel leaves the checksum wrong, so TCP itself drops what is damaged.".into(),
            "Add --fix-checksum, and only what stands above or below TCP can notice.".into(),
        ],
        Integrity::Believed { wrong, spots, first } => vec![
            format!("none    Wrong and delivered as if it were right: {}, in", bytes(*wrong)),
            format!("        {}, the first at byte {first}. Nobody noticed.", count(*spots, "place")),
        ],
        Integrity::BelievedRight => vec!["none    Everything that was delivered was right.".into()],
        Integrity::AskedAgain { times: 0 } => vec!["digest  Every chunk fitted its BLAKE3.".into()],
        Integrity::AskedAgain { times } => vec![
            format!("digest  Asked for again, because a BLAKE3 did not fit: {}.", count(*times, "chunk")),
            "        No connection ended. It is no protection against an attacker, who can".into(),
            "        compute a digest that has no key.".into(),
        ],
        Integrity::Reconnected { records: 0, handshakes: 0, cut_off: 0 } => {
            vec!["tls     Every record opened.".into()]
        }
        Integrity::Reconnected { records, handshakes, cut_off } => {
            reconnected(*records, *handshakes, *cut_off)
        }
        Integrity::Dropped { packets: 0, .. } => vec!["aead    Every packet opened.".into()],
        Integrity::Dropped { packets, handshake_octets } => vec![
            format!("aead    Packets that did not open, damaged or forged: {packets}. They were"),
            "        dropped; to TCP they were lost, and it sent them again. No connection".into(),
            format!(
                "        ended. (Keys by a Noise handshake of {handshake_octets} bytes before the start.)"
            ),
        ],
        Integrity::Unfinished { layer, delivered, of, tries } => {
            let why = match layer {
                Layer::Tls => format!("gave up after {tries} connections without progress"),
                Layer::Digest => "gave up: chunk after chunk did not fit".into(),
                Layer::None | Layer::Aead => "the connection ended before".into(),
            };
            vec![
                format!("{:<7} NOT COMPLETE: {delivered} of {}", layer.name(), bytes(*of)),
                format!("        {why}"),
            ]
        }
        Integrity::Checksums { octets } => {
            vec![format!("What checksums miss, tried here on a text of {octets} bytes:")]
        }
        Integrity::Lesson => vec![
            "A checksum finds accidents of certain kinds. A digest finds all of them. Only a".into(),
            "key keeps out somebody who wants to change the text.".into(),
        ],
        Integrity::Next => vec!["see every packet: add  --size 8k --view ladder".into()],
    }
}

fn reconnected(records: u64, handshakes: u64, cut_off: u64) -> Vec<String> {
    let mut lines = vec![
        format!("tls     Records that did not open (bad_record_mac): {records}. Each ended its"),
        "        connection, as RFC 8446 5.2 demands: over TCP it means an attacker, or".into(),
        "        damage that no checksum saw. The next connection went on where the last".into(),
        "        had stopped; nothing was taken twice.".into(),
    ];
    if handshakes > 0 {
        lines.push(format!("        Connections that ended before there were keys: {handshakes}."));
    }
    if cut_off > 0 {
        lines.push(format!("        Connections that TCP cut off: {cut_off}."));
    }
    lines
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
