//! Every value of every enum has its sentence, in both languages, and none is too wide.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use aperto_arq as arq;
use aperto_tcp::{AckCause, ChallengeCause, DataCause, ResetCause, RetransmissionCause};
use aperto_tcp::{Reason, State};
use aperto_time::Duration;
use aperto_wire::SeqNumber;

use super::*;
use crate::context::{Counting, Numbers, Side, Written};
use crate::wording::width;
use crate::{Citation, Rule};

/// Numbers that are as wide as they can be.
const N: u32 = u32::MAX;
const SEQ: SeqNumber = SeqNumber::new(u32::MAX);
const LONG: Duration = Duration::MAX;

/// All reasons, with the widest numbers. The match makes the compiler ask for new ones.
pub(crate) fn reasons() -> Vec<Reason> {
    let listed = |reason: &Reason| match reason {
        Reason::ActiveOpen
        | Reason::PassiveOpen { .. }
        | Reason::SimultaneousOpen { .. }
        | Reason::HandshakeAck { .. }
        | Reason::Data { .. }
        | Reason::Fin { .. }
        | Reason::Retransmission { .. }
        | Reason::Ack(_)
        | Reason::WindowProbe { .. }
        | Reason::KeepAlive { .. }
        | Reason::Reset(_) => {}
    };
    let mut all = vec![
        Reason::ActiveOpen,
        Reason::PassiveOpen { irs: SEQ },
        Reason::SimultaneousOpen { irs: SEQ },
        Reason::HandshakeAck { irs: SEQ },
        Reason::WindowProbe { attempt: N, waited: LONG, next: LONG },
        Reason::KeepAlive { attempt: N, idle: LONG },
    ];
    for octets in [0, N] {
        for peer_closed_first in [false, true] {
            all.push(Reason::Fin { octets, peer_closed_first });
        }
    }
    let data = [
        DataCause::Written,
        DataCause::CongestionWindowOpened { cwnd: N },
        DataCause::WindowOpened { window: N },
        DataCause::NagleReleased,
        DataCause::Filled,
        DataCause::OverrideTimeout,
        DataCause::LimitedTransmit { duplicate_acks: N },
        DataCause::Recovery { pipe: N, cwnd: N },
    ];
    for because in data {
        for acknowledges in [0, N] {
            all.push(Reason::Data { octets: N, because, acknowledges });
        }
    }
    let again = [
        RetransmissionCause::Timeout { attempt: N, rto: LONG, next_rto: LONG, cwnd: N },
        RetransmissionCause::Timeout { attempt: 1, rto: Duration::ZERO, next_rto: LONG, cwnd: N },
        RetransmissionCause::AfterTimeout { cwnd: N },
        RetransmissionCause::FastRetransmit { duplicate_acks: N, cwnd: N, ssthresh: N },
        RetransmissionCause::FastRetransmit { duplicate_acks: 3, cwnd: N, ssthresh: N },
        RetransmissionCause::FastRetransmit { duplicate_acks: 0, cwnd: N, ssthresh: N },
        RetransmissionCause::SackHole { pipe: N, cwnd: N },
        RetransmissionCause::PartialAck { recover: SEQ },
        RetransmissionCause::PathTooNarrow { mss: u32::MAX },
        RetransmissionCause::SynAgain,
    ];
    all.extend(again.map(|because| Reason::Retransmission { because, octets: N }));
    all.extend(acks().into_iter().map(Reason::Ack));
    all.extend(
        [
            ResetCause::NoConnection,
            ResetCause::UnacceptableAck { ack: SEQ },
            ResetCause::Abort,
            ResetCause::UnreadData { octets: 0 },
            ResetCause::UnreadData { octets: N },
            ResetCause::GaveUp,
        ]
        .map(Reason::Reset),
    );
    all.iter().for_each(listed);
    all
}

fn acks() -> Vec<AckCause> {
    vec![
        AckCause::SecondSegment { octets: N },
        AckCause::Delayed { waited: LONG, octets: N },
        AckCause::NotDelayed { octets: N },
        AckCause::OutOfOrder { expected: SEQ, arrived: SEQ },
        AckCause::HoleFilled { octets: N },
        AckCause::Duplicate { arrived: SEQ },
        AckCause::Unacceptable { arrived: SEQ, expected: SEQ, window: N },
        AckCause::OldTimestamp { value: N, recent: N },
        AckCause::AckOfUnsent { ack: SEQ, next: SEQ },
        AckCause::FinArrived { half_closed: true },
        AckCause::FinArrived { half_closed: false },
        AckCause::WindowUpdate { from: 0, to: N },
        AckCause::WindowUpdate { from: N, to: N },
        AckCause::Challenge(ChallengeCause::Reset { arrived: SEQ, expected: SEQ }),
        AckCause::Challenge(ChallengeCause::Syn),
        AckCause::Challenge(ChallengeCause::OldAck { ack: SEQ, una: SEQ }),
        AckCause::ProbeAnswered,
    ]
}

fn contexts() -> Vec<Context> {
    let text =
        String::from("Olá, mundo, uma frase bem mais longa do que uma linha comporta, sem dúvida nenhuma");
    let mut all = vec![Context::default()];
    for sender in [Side::Client, Side::Server] {
        for state in [State::Closing, State::TimeWait] {
            all.push(Context {
                numbers: Numbers { counting: Counting::Absolute, own: Some(SEQ), other: Some(SEQ) },
                sender: Some(sender),
                ack: Some(SEQ),
                written: Some(Written { octets: u64::MAX, text: Some(text.clone()) }),
                state: Some(state),
                since_fin: Some(LONG),
                mss: Some(1_460),
                ..Context::default()
            });
        }
    }
    all.push(Context { initial_window_segments: Some(N), ..Context::default() });
    all.push(Context { sample: crate::context::Sample::Ambiguous, ..Context::default() });
    all
}

/// UX: under 70 characters in both languages at 80 columns. What is left of 80 after
/// `    por quê: ` is 67.
#[test]
fn no_sentence_of_a_reason_is_wider_than_its_row() {
    let mut too_wide = Vec::new();
    for language in Language::ALL {
        let columns = match language {
            Language::English => 70,
            Language::Portuguese => 67,
        };
        for reason in reasons() {
            for context in contexts() {
                let wording = short(language, &reason, &context);
                if wording.that_fits(columns).is_none_or(str::is_empty) {
                    too_wide.push(format!("{language} {reason:?}: {:?}", wording.variants()));
                }
            }
        }
    }
    assert!(too_wide.is_empty(), "{}", too_wide.join("\n"));
}

#[test]
fn every_reason_has_a_rule_and_a_long_and_a_brief_text_in_both_languages() {
    for reason in reasons() {
        for context in contexts() {
            let rule = rules::of(&reason, &context);
            assert!(width(&rule.cite(Citation::Number)) <= 15, "{rule:?}");
            match rule {
                Rule::Rfc(number, section) => {
                    assert!(
                        [9293, 6298, 5681, 6675, 6582, 3042, 5961, 7323, 6928, 1191].contains(&number),
                        "{rule:?}"
                    );
                    assert!(section.split('.').all(|part| part.parse::<u8>().is_ok()), "{rule:?}");
                }
                Rule::Kurose(_) => panic!("a TCP reason stands in an RFC"),
            }
            for language in Language::ALL {
                assert!(!brief(language, &reason, &context).contains('\n'));
                let text = long(language, &reason, &context);
                assert!(width(&text) > 80 && width(&text) < 420, "{language} {reason:?}: {text}");
            }
        }
    }
}

#[test]
fn the_languages_differ_wherever_they_speak() {
    for reason in reasons() {
        let context = Context::default();
        let (en, pt) = (Language::English, Language::Portuguese);
        assert_ne!(short(en, &reason, &context), short(pt, &reason, &context), "{reason:?}");
        assert_ne!(long(en, &reason, &context), long(pt, &reason, &context), "{reason:?}");
    }
}

/// Every word, and every sentence without numbers, fits the column it stands in.
#[test]
fn marks_fit_a_ladder_and_tags_fit_their_column() {
    use Word as W;
    for language in Language::ALL {
        for each in Word::ALL {
            assert!(!word(language, each).is_empty());
        }
        for tag in [W::TagSent, W::TagReceived, W::TagLost, W::TagTimer, W::TagResent] {
            assert!(width(word(language, tag)) <= 10, "{tag:?}");
        }
        for arc in aperto_tcp::diagram::ARCS {
            assert!(width(cause(language, arc.cause)) <= 50);
        }
    }
}

#[test]
fn textbook_sentences_fit_too() {
    use aperto_arq::reason::{Came, GroupEnd};
    let last = arq::Sequence::new(u16::MAX);
    let window = arq::Window { base: last, next: last, last };
    let wait = Duration::from_secs(3_600);
    let all = [
        arq::Reason::FirstTransmission { window },
        arq::Reason::TimerExpired { waited: wait, retry: N, max_retries: N },
        arq::Reason::WentBackOnTimer {
            base: last,
            position: N,
            outstanding: N,
            waited: wait,
            retry: N,
            max_retries: N,
        },
        arq::Reason::AskedForAgain,
        arq::Reason::WentBackOnNack { base: last, position: N, outstanding: N },
        arq::Reason::Delivered,
        arq::Reason::Buffered { expected: last },
        arq::Reason::AlreadyDelivered { expected: last },
        arq::Reason::RepeatsLastInOrder { expected: last, came: Came::Damaged, repeat: N },
        arq::Reason::RepeatsLastInOrder { expected: last, came: Came::Duplicate(last), repeat: N },
        arq::Reason::GroupComplete { packets: N, why: GroupEnd::Full },
        arq::Reason::GroupComplete { packets: N, why: GroupEnd::EndOfMessage },
        arq::Reason::GroupComplete { packets: N, why: GroupEnd::GapFilled },
        arq::Reason::Missing { got: last },
        arq::Reason::Damaged,
    ];
    for protocol in [arq::Protocol::StopAndWait, arq::Protocol::GoBackN, arq::Protocol::SelectiveRepeat] {
        let context = ArqContext { protocol: Some(protocol), waited: Some(wait), outstanding: Some(4) };
        for language in Language::ALL {
            for reason in &all {
                let said = arq_reason(language, reason, &context);
                assert!(said.that_fits(67).is_some(), "{language} {reason:?} {:?}", said.variants());
                assert!(width(&arq_long(language, reason)) > 70);
            }
            let discards = [
                arq::Discard::OutOfOrder { expected: last, got: last },
                arq::Discard::Duplicate { expected: last, got: last },
                arq::Discard::OutsideWindow { expected: last, got: last },
                arq::Discard::TooLong { octets: usize::MAX, largest: u16::MAX },
                arq::Discard::NoRoom { unread: usize::MAX },
                arq::Discard::WrongKind(arq::Kind::GroupAck),
            ];
            for what in discards {
                let said = arq_discard(language, &what, &context);
                assert!(said.that_fits(67).is_some(), "{language} {what:?} {:?}", said.variants());
            }
            let timer = arq::Note::TimerExpired { timer: arq::Timer::Window { base: last }, retry: 1 };
            assert!(arq_note(language, &timer, &context).that_fits(57).is_some());
        }
    }
}

/// The acceptance transcripts, sentence by sentence. The arithmetic: 1234 + 1 = 1235, "Olá, mundo" has
/// ten letters of which á takes two bytes, 1 + 11 = 12.
#[test]
fn the_sentences_of_the_transcripts_are_said_literally() {
    let numbers =
        |counting| Numbers { counting, own: Some(SeqNumber::new(1567)), other: Some(SeqNumber::new(1234)) };
    let relative = Context { numbers: numbers(Counting::Relative), ..Context::default() };
    let absolute = Context { numbers: numbers(Counting::Absolute), ..Context::default() };
    let both = |reason: &Reason, context: &Context| {
        Language::ALL.map(|language| String::from(short(language, reason, context).full()))
    };
    let accepts = Reason::PassiveOpen { irs: SeqNumber::new(1234) };
    assert_eq!(
        both(&accepts, &relative),
        [
            "accepts; a SYN uses up one number, so it expects 1 next",
            "aceita; o SYN gasta um número, então espera o 1"
        ]
    );
    assert_eq!(both(&accepts, &absolute)[0], "accepts; the SYN used number 1234, so 1235 is next");
    let client = Context {
        numbers: Numbers {
            own: Some(SeqNumber::new(1234)),
            other: Some(SeqNumber::new(1567)),
            ..absolute.numbers
        },
        ..Context::default()
    };
    assert_eq!(both(&Reason::ActiveOpen, &client)[1], "abertura ativa; o cliente conta a partir de 1234");
    let third = Reason::HandshakeAck { irs: SeqNumber::new(1567) };
    assert_eq!(both(&third, &client)[1], "confirma o SYN do servidor: 1567 + 1 = 1568");
    assert_eq!(brief(Language::English, &accepts, &absolute), "accepts; 1234+1=1235");
    let second = Duration::from_secs(1);
    let timeout = Reason::Retransmission {
        because: RetransmissionCause::Timeout { attempt: 1, rto: second, next_rto: 2 * second, cwnd: 1_460 },
        octets: 11,
    };
    let sized = Context { mss: Some(1_460), ..Context::default() };
    assert_eq!(
        both(&timeout, &sized),
        [
            "retransmission timeout; RTO doubles to 2 s; cwnd = 1 MSS",
            "estouro do temporizador; RTO dobra p/ 2 s; cwnd = 1 MSS"
        ]
    );
    let delayed = Reason::Ack(AckCause::Delayed { waited: Duration::from_millis(200), octets: 11 });
    assert_eq!(
        long(Language::English, &delayed, &relative),
        "delayed ACK: it waited 200 ms for data to travel with and none came. At most 500 ms, and at least \
         every second full segment"
    );
    let gbn = ArqContext { protocol: Some(arq::Protocol::GoBackN), ..ArqContext::default() };
    let (two, three) = (arq::Sequence::new(2), arq::Sequence::new(3));
    let out_of_order = arq::Discard::OutOfOrder { expected: two, got: three };
    assert_eq!(
        arq_discard(Language::Portuguese, &out_of_order, &gbn).full(),
        "chegou o 3, esperava o 2: GBN não guarda fora de ordem"
    );
    let fast = Reason::Retransmission {
        because: RetransmissionCause::FastRetransmit { duplicate_acks: 3, cwnd: 4_380, ssthresh: 4_380 },
        octets: 1_460,
    };
    assert_eq!(both(&fast, &relative)[0], "3rd duplicate ACK: resend the hole now, no timer");
    let _ = format!("{timeout:?}");
}
