use alloc::string::ToString;
use alloc::vec;

use aperto_app::text::{AckSlip, Counts, SeqSlip};

use super::*;
use crate::program::Fault;

fn ack(got: u32, of: Counts, used: u32, slip: AckSlip) -> Mistake {
    Mistake::Ack { got, of, used, right: used.wrapping_add(1), slip }
}

fn every() -> Vec<Mistake> {
    let (got, expected) = ("a".repeat(40), "[2] SYN/seq=4294967295 ACK/seq=4294967295".to_string());
    let after = Duration::from_secs(5);
    let mut all = vec![
        Mistake::WrongWord { got: got.clone(), expected: expected.clone() },
        Mistake::OutOfOrder { got: got.clone(), expected: expected.clone() },
        Mistake::NotANumber { got: got.clone(), expected: expected.clone() },
        Mistake::NotANumber { got: String::new(), expected: expected.clone() },
        Mistake::TooLarge { got: got.clone() },
        Mistake::TooLong { most: 128 },
        Mistake::ClosedEarly { expected: expected.clone(), got: got.clone() },
        Mistake::Silent { after, expected, got: got.clone() },
        Mistake::TheyComplain { text: got },
    ];
    for slip in [AckSlip::ForgotPlusOne, AckSlip::OwnNumber, AckSlip::OneTooMany, AckSlip::Other] {
        all.extend([ack(7, Counts::Syn, u32::MAX, slip), ack(7, Counts::Fin, u32::MAX, slip)]);
    }
    for slip in [SeqSlip::ForgotPlusOne, SeqSlip::OtherSides, SeqSlip::Other] {
        all.push(Mistake::Seq { got: 7, used: u32::MAX, right: 0, slip });
    }
    all
}

#[test]
fn a_mistake_is_named_as_a_teacher_would_in_both_languages() {
    let forgot = ack(1234, Counts::Syn, 1234, AckSlip::ForgotPlusOne);
    assert_eq!(
        complaint_in_english(&forgot),
        "error: you acknowledged 1234; the SYN used that number, so it is 1235"
    );
    assert_eq!(
        complaint_in_portuguese(&forgot),
        "erro: você reconheceu 1234; o SYN gastou esse número, então é 1235"
    );
}

#[test]
fn every_mistake_differs_in_both_languages_and_fits_into_eighty_columns() {
    let remote = "127.0.0.1:52814".parse().unwrap();
    for mistake in every() {
        assert_ne!(complaint_in_english(&mistake), complaint_in_portuguese(&mistake));
        assert!(complaint_in_english(&mistake).starts_with("error: you "), "{mistake:?}");
        let wrong = ToldWrong { remote, mistake };
        let label = "c12 ".to_string();
        let told = Told::Wrong { label, wrong: wrong.clone() };
        let fault = Fault::Told(wrong);
        for language in [Language::English, Language::Portuguese] {
            let lines = [fault.lines(language), told.lines(language)].concat();
            assert!(lines.iter().all(|line| width(line) <= COLUMNS), "{lines:#?}");
            assert!(lines[0].contains("127.0.0.1:52814"), "{lines:#?}");
        }
    }
}

#[test]
fn each_message_stands_with_its_arithmetic() {
    let told = |sent, by, text: &str, message| {
        let label = "c1 ".to_string();
        Told::Message { label, sent, by, text: text.to_string(), message }.lines(Language::English)
    };
    let syn_ack = Message::SynAck { seq: 4404, ack: 2390 };
    assert_eq!(
        told(true, Role::Server, "SYN-ACK:4404:ACK:2390", syn_ack),
        ["c1 [SENT]     SYN-ACK:4404:ACK:2390   2389 + 1 = 2390; server counts from 4404"]
    );
    let ack = Message::Ack { ack: 0, of: Counts::Fin };
    let said = told(false, Role::Client, "ACK:0", ack);
    assert!(said.concat().ends_with("the FIN used 4294967295: 4294967295 + 1 = 0"), "{said:?}");
    let long = Message::SynAck { seq: 4_294_967_295, ack: 4_294_967_295 };
    let said = told(true, Role::Server, "[2] SYN/seq=4294967295 ACK/seq=4294967295", long);
    assert!(said.len() == 2 && said.iter().all(|line| width(line) <= COLUMNS), "{said:#?}");
}

#[test]
fn the_banner_belongs_to_the_three_messages() {
    let complete = |dialect| {
        let label = String::new();
        Told::Complete { label, dialect, messages: 3, firsts: [u32::MAX, u32::MAX] }
            .lines(Language::Portuguese)
    };
    assert!(complete(Dialect::ThreeWay).contains(&"CONNECTION ESTABLISHED!".to_string()));
    assert!(complete(Dialect::Handshake)[0].starts_with("[HANDSHAKE COMPLETO] 3 mensagens"));
    let at = "127.0.0.1:5000".parse().unwrap();
    let (dialect, patience) = (Dialect::Handshake, Duration::from_secs(5));
    for language in [Language::English, Language::Portuguese] {
        let lines = Told::ByHand { at, dialect, first: 2389, patience }.lines(language);
        assert!(lines.iter().all(|line| width(line) <= COLUMNS && !line.is_empty()), "{lines:#?}");
        assert!(lines[0].contains("nc 127.0.0.1 5000") && lines[0].contains("SYN:2389"));
    }
}
