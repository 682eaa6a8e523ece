//! The lines of the manual, and that none is too wide or without words.

use alloc::string::ToString;

use aperto_trace::check::{Bounds, Evidence, Side, parse};
use aperto_wire::tcp::Control;

use super::*;

fn claim(text: &str) -> Claim {
    parse(text).unwrap().remove(0)
}

fn told(text: &str, holds: bool, packets: &[u32], evidence: Evidence) -> Vec<String> {
    let packets = packets.iter().copied().map(Number).collect();
    verdict(Language::English, &claim(text), &Verdict { holds, packets, evidence })
}

#[test]
fn the_manual_is_kept_to() {
    assert_eq!(
        told(
            "echo \"Hello, world\" by server within 10ms",
            true,
            &[4, 6],
            Evidence::Answered(Duration::from_micros(100))
        ),
        ["ok    echo \"Hello, world\" by server within 10ms      #4 -> #6, 0.10 ms"]
    );
    let closed = Evidence::Closed(Side::Client, Control::FIN | Control::ACK, 43116);
    assert_eq!(
        told("closed-first-by client", true, &[8], closed),
        ["ok    closed-first-by client                         #8 FIN,ACK from port 43116"]
    );
    assert_eq!(
        told(
            "close-segments 4",
            false,
            &[8, 9, 10],
            Evidence::CloseSegments(3, Some((Side::Server, Number(9))))
        ),
        [
            "FAIL  close-segments 4          found 3: #8, #9, #10. The server's ACK and FIN",
            "                                share #9 · RFC 9293 §3.6",
        ]
    );
    assert_eq!(
        told("no other-traffic", true, &[], Evidence::Traffic(10, 10)),
        ["ok    no other-traffic                               10 of 10 packets"]
    );
    assert_eq!(
        summary(Language::English, 1, 5),
        "1 of 5 failed                                                           (exit 1)"
    );
}

fn faults() -> Vec<Fault> {
    let x = || Some("x".to_string());
    Vec::from([
        Fault::UnknownClaim { found: "x".into() },
        Fault::Expected { words: &["client", "server"], found: x() },
        Fault::NotANumber { found: None },
        Fault::NotATime { found: x() },
        Fault::NotAText { found: x() },
        Fault::OpenQuote,
        Fault::EmptyRange { found: "5..3".into() },
        Fault::TooMuch { found: "x".into() },
        Fault::TooLong,
        Fault::TooMany,
        Fault::Nothing,
    ])
}

#[test]
fn each_evidence_and_each_fault_has_words_in_both_languages() {
    for what in faults() {
        let wrong_claim = WrongClaim { line: 3, what, nearest: None };
        let (english, portuguese) =
            (wrong(Language::English, &wrong_claim), wrong(Language::Portuguese, &wrong_claim));
        assert_ne!(english.split_once(": ").unwrap().1, portuguese.split_once(": ").unwrap().1);
    }
    let all = [
        Evidence::NoStream(2),
        Evidence::NotTcp,
        Evidence::Nothing,
        Evidence::Unanswered,
        Evidence::NeverSaid,
        Evidence::Closed(Side::Server, Control::FIN, 7),
        Evidence::CloseSegments(3, Some((Side::Client, Number(4)))),
        Evidence::CloseSegments(0, None),
        Evidence::Traffic(3, 5),
        Evidence::Count(0),
        Evidence::Count(70),
        Evidence::Port(7),
        Evidence::Isn(None, Some(7)),
        Evidence::Lasted(Duration::from_millis(7)),
    ];
    let long = "echo \"a text that is so long that nothing else fits beside it at all\" by server within 1ms";
    for text in ["resets", "handshake in 1..3", "delivered \"x\" to client", "closed-first-by client", long] {
        for evidence in all {
            for holds in [true, false] {
                let became = Verdict { holds, packets: Vec::from([Number(4_000_000_000); 4]), evidence };
                let claim = claim(text);
                let english = verdict(Language::English, &claim, &became);
                let portuguese = verdict(Language::Portuguese, &claim, &became);
                for line in english.iter().chain(&portuguese) {
                    assert!(width(line) <= COLUMNS, "{line}");
                }
                let same = matches!(evidence, Evidence::CloseSegments(..)) && holds;
                assert!(
                    same || english != portuguese || matches!(evidence, Evidence::Lasted(_)),
                    "{english:?}"
                );
            }
        }
    }
    assert!(Bounds { from: 1, to: 3 }.hold(3));
}
