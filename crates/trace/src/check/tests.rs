//! Each claim, about a conversation whose packets can be counted on paper.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::judge::judge;
use super::*;
use crate::record::{LossCause, Number};
use crate::testing::*;
use crate::{ChannelEvent, Meaning, Trace};
use aperto_wire::tcp::Control as Flags;

/// #1-#3 open, #4 says "hello", #5 (lost) says " wor" and "ld", #6 says it again, #7 answers "HELLO",
/// #8 and #9 close from the client, with one segment for the server's ACK and FIN; #10 ends it.
fn paper() -> Trace {
    let mut r = recorder();
    let fin = Flags::FIN | ACK;
    let mut send = |at_ms, host, frame: Vec<u8>, arrives: bool| {
        let number = r.left(ms(at_ms), at(host), &frame, Meaning::Plain);
        if arrives {
            let other = if host == C { S } else { C };
            r.arrived(ms(at_ms + 20), at(other), number, 0);
        } else {
            r.channel(ms(at_ms), number, 0, ChannelEvent::Lost(LossCause::Random));
        }
    };
    send(0, C, from_client(SYN, 0, 0, b""), true);
    send(20, S, from_server(syn_ack(), 0, 1, b""), true);
    send(40, C, from_client(ACK, 1, 1, b""), true);
    send(50, C, from_client(psh_ack(), 1, 1, b"hello"), true);
    send(60, C, from_client(psh_ack(), 6, 1, b" world"), false);
    send(260, C, from_client(psh_ack(), 6, 1, b" world"), true);
    send(300, S, from_server(psh_ack(), 1, 12, b"HELLO WORLD"), true);
    send(400, C, from_client(fin, 12, 12, b""), true);
    send(430, S, from_server(fin, 12, 13, b""), true);
    send(460, C, from_client(ACK, 13, 13, b""), true);
    r.into_trace()
}

fn one(trace: &Trace, text: &str) -> Verdict {
    let claims = parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    judge(trace, &claims).remove(0)
}

#[test]
fn claims_about_a_conversation_on_paper() {
    let trace = paper();
    let holds = [
        "handshake",
        "handshake in 1..3",
        "not handshake in 2..9",
        "delivered \"hello world\" to server",
        "not delivered \"hello world!\" to server",
        "answer \"world\" with \"WORLD\" by server within 40ms",
        "not answer \"world\" with \"WORLD\" by server within 39.9ms",
        "not echo \"hello\" by server",
        "closed-first-by client",
        "not closed-first-by server",
        "close-segments 3",
        "close-segments 2..3",
        "not close-segments 4",
        "no other-traffic",
        "retransmissions 1",
        "not retransmissions < 1",
        "lost = 1",
        "lost <= 1",
        "copies 0",
        "packets 10",
        "streams 1",
        "zero-windows 0",
        "not zero-windows",
        "no resets",
        "count SYN 2",
        "count SYN,ACK 1",
        "count fin,ack >= 2",
        "octets by client = 11",
        "octets by server 11",
        "port 7000",
        "client-port 49152",
        "isn 1234,1567",
        "not isn 0,0",
        "duration < 1s",
        "duration 460ms..461ms",
        "duration > 459999us",
    ];
    for text in holds {
        let verdict = one(&trace, text);
        assert!(verdict.holds, "{text}: {verdict:?}");
    }
    let named = |text| one(&trace, text).packets.into_iter().map(|number| number.0).collect::<Vec<_>>();
    assert_eq!(named("handshake"), [1, 2, 3]);
    assert_eq!(named("answer \"world\" with \"WORLD\" by server"), [6, 7]);
    assert_eq!(named("close-segments 4"), [8, 9, 10]);
    assert_eq!(named("retransmissions 0"), [6]);
    assert_eq!(named("lost 0"), [5]);
    let shared = one(&trace, "close-segments 4").evidence;
    assert_eq!(shared, Evidence::CloseSegments(3, Some((Side::Server, Number(9)))));
    assert_eq!(one(&trace, "answer \"world\" with \"x\" by server").evidence, Evidence::Unanswered);
    assert_eq!(one(&trace, "answer \"bye\" with \"x\" by server").evidence, Evidence::NeverSaid);
}

/// Of a connection that is not there nothing is true, and neither is the opposite.
#[test]
fn what_is_not_there_cannot_be_claimed() {
    let trace = paper();
    for text in ["stream 1\nhandshake", "stream 7\nnot handshake", "stream 1\nresets = 0"] {
        let verdict = one(&trace, text);
        assert_eq!((verdict.holds, verdict.evidence), (false, Evidence::NoStream(1)), "{text}");
    }
    let empty = Trace::default();
    assert!(!one(&empty, "no other-traffic").holds);
    assert!(one(&empty, "streams = 0").holds);
    let mut r = recorder();
    let number = r.left(ms(0), at(C), &datagram(up(), b"hi"), Meaning::Plain);
    r.arrived(ms(1), at(S), number, 0);
    let udp = r.into_trace();
    assert!(one(&udp, "delivered \"hi\" to server").holds);
    assert_eq!(one(&udp, "not handshake").evidence, Evidence::NotTcp);
    assert!(!one(&udp, "not handshake").holds);
}

/// A word of each language, in any case, with and without accents, means the same.
#[test]
fn both_languages_say_the_same() {
    for (english, portuguese) in [
        ("handshake in 1..3", "Aperto-de-mão em 1..3"),
        ("echo \"x\" by server within 10ms", "eco \"x\" pelo servidor dentro-de 10ms"),
        ("answer \"x\" with \"y\" by client", "resposta \"x\" com \"y\" por cliente"),
        ("delivered \"x\" to server", "entregue \"x\" ao servidor"),
        ("closed-first-by client", "fechou-primeiro cliente"),
        ("close-segments 4", "segmentos-do-fechamento 4"),
        ("no other-traffic", "sem outro-tráfego"),
        ("retransmissions <= 2", "reenvios <= 2"),
        ("lost 0", "perdidos 0"),
        ("copies 0", "cópias 0"),
        ("packets >= 3", "PACOTES >= 3"),
        ("streams 2", "fluxos 2"),
        ("not zero-windows", "não janelas-zero"),
        ("resets = 0", "reinícios = 0"),
        ("count SYN,ACK 1", "conta syn,ack 1"),
        ("octets by client 3", "octetos por cliente 3"),
        ("port 7000", "porta 7000"),
        ("client-port 1", "porta-do-cliente 1"),
        ("state reached TIME-WAIT by client", "estado alcançado TIME_WAIT por cliente"),
        ("duration < 5s", "duração < 5s"),
        ("stream 1\nlost 0", "fluxo 1\nperdidos 0"),
    ] {
        let whats = |text: &str| {
            let claims = parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            claims.into_iter().map(|claim| (claim.not, claim.stream, claim.what)).collect::<Vec<_>>()
        };
        assert_eq!(whats(english), whats(portuguese), "{english}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = |text: &str| {
        parse(text).unwrap_err().into_iter().map(|error| (error.line, error.what)).collect::<Vec<_>>()
    };
    let found = |text: &str| Some(text.to_string());
    assert_eq!(
        wrong("# nothing\n\nhandshke\nlost 1 2\nisn 1\n"),
        [
            (3, Fault::UnknownClaim { found: "handshke".into() }),
            (4, Fault::TooMuch { found: "2".into() }),
            (5, Fault::NotANumber { found: found("1") }),
        ]
    );
    assert_eq!(
        wrong("closed-first-by\n"),
        [(1, Fault::Expected { words: &["client", "server"], found: None })]
    );
    assert_eq!(wrong("close-segments 5..3"), [(1, Fault::EmptyRange { found: "5..3".into() })]);
    assert_eq!(wrong("lost < 0"), [(1, Fault::EmptyRange { found: "<".into() })]);
    assert_eq!(wrong("echo \"x by server"), [(1, Fault::OpenQuote)]);
    assert_eq!(wrong("echo x by server"), [(1, Fault::NotAText { found: found("x") })]);
    assert_eq!(wrong("echo \"\" by server"), [(1, Fault::NotAText { found: Some(String::new()) })]);
    assert_eq!(wrong("duration < 5"), [(1, Fault::NotATime { found: found("5") })]);
    assert_eq!(
        wrong("duration < 99999999999999999999s"),
        [(1, Fault::NotATime { found: found("99999999999999999999s") })]
    );
    assert!(
        matches!(&wrong("state reached DONE by client")[0].1, Fault::Expected { words, .. } if words.len() == 11)
    );
    assert_eq!(wrong("\"handshake\""), [(1, Fault::UnknownClaim { found: "handshake".into() })]);
    assert_eq!(wrong("by client"), [(1, Fault::UnknownClaim { found: "by".into() })]);
    assert_eq!(wrong(""), [(1, Fault::Nothing)]);
    assert_eq!(wrong("# only a remark"), [(1, Fault::Nothing)]);
    assert_eq!(wrong(&"x".repeat(2_000)), [(1, Fault::TooLong)]);
    assert_eq!(wrong(&"lost 0\n".repeat(1_001)), [(1_001, Fault::TooMany)]);
    assert_eq!(wrong(&"?\n".repeat(500)).len(), 100);
}

#[test]
fn remarks_and_quotes_are_told_apart() {
    let claims = parse("delivered \"# \\\"x\\\" \\n\" to client # a remark").unwrap();
    assert_eq!(claims[0].what, What::Delivered { text: b"# \"x\" \n".to_vec(), to: Side::Client });
    assert_eq!(claims[0].text, "delivered \"# \\\"x\\\" \\n\" to client");
    assert!(parse("not not lost 0").unwrap().iter().all(|claim| !claim.not));
}
