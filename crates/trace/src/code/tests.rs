use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Debug;

use aperto_arq::reason::{Came, DeliveredFrom, GroupEnd};
use aperto_arq::{Discard, Kind, ParseError, Sequence, Window};
use aperto_tcp::diagram::{ARCS, Cause};
use aperto_tcp::{
    AckCause, ChallengeCause, DataCause, DropReason, End, Event, Note, Reason, ResetCause,
    RetransmissionCause, State, Timer, WindowChange,
};
use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::SackBlock;

use super::Coded;
use crate::json::{Codec, Fields, Object};

const fn seq(number: u32) -> SeqNumber {
    SeqNumber::new(number)
}

const MS: Duration = Duration::from_millis(1);

/// Writes each as an object, reads it again, and looks at the codes.
fn travel<T: Codec + Coded + PartialEq + Debug>(all: &[T]) {
    let mut codes = BTreeSet::new();
    for one in all {
        let code = one.code();
        assert!(codes.insert(code), "{code} stands for two variants");
        let is_kebab = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        assert!(code.chars().all(is_kebab) && !code.starts_with('-') && !code.ends_with('-'), "{code}");
        let mut object = Object::with_code(code);
        one.put(&mut object);
        let line = object.finish();
        let value: serde_json::Value = serde_json::from_str(&line).expect("what we write is JSON");
        let fields = Fields::new(value.as_object().expect("an object"));
        assert_eq!(T::take(code, &fields).expect("it is whole").as_ref(), Some(one), "{line}");
        assert!(T::take("no-such-code", &fields).expect("nothing is read").is_none());
        for key in value.as_object().expect("an object").keys().filter(|key| *key != "code") {
            let mut poorer = value.as_object().expect("an object").clone();
            poorer.remove(key);
            let without = T::take(code, &Fields::new(&poorer));
            let optional = matches!(key.as_str(), "srtt_ns" | "overtaken_by");
            assert!(without.is_err() || optional, "{code} can be read without {key}");
        }
    }
}

fn data_causes() -> Vec<DataCause> {
    Vec::from([
        DataCause::Written,
        DataCause::CongestionWindowOpened { cwnd: 1 },
        DataCause::WindowOpened { window: 2 },
        DataCause::NagleReleased,
        DataCause::Filled,
        DataCause::OverrideTimeout,
        DataCause::LimitedTransmit { duplicate_acks: 2 },
        DataCause::Recovery { pipe: 3, cwnd: 4 },
    ])
}

fn retransmission_causes() -> Vec<RetransmissionCause> {
    Vec::from([
        RetransmissionCause::Timeout { attempt: 1, rto: MS, next_rto: MS * 2, cwnd: 1460 },
        RetransmissionCause::AfterTimeout { cwnd: 1460 },
        RetransmissionCause::FastRetransmit { duplicate_acks: 3, cwnd: 5, ssthresh: 6 },
        RetransmissionCause::SackHole { pipe: 7, cwnd: 8 },
        RetransmissionCause::PartialAck { recover: seq(u32::MAX) },
        RetransmissionCause::PathTooNarrow { mss: u32::MAX },
        RetransmissionCause::SynAgain,
    ])
}

fn ack_causes() -> Vec<AckCause> {
    Vec::from([
        AckCause::SecondSegment { octets: 1 },
        AckCause::Delayed { waited: MS, octets: 2 },
        AckCause::NotDelayed { octets: 3 },
        AckCause::OutOfOrder { expected: seq(4), arrived: seq(5) },
        AckCause::HoleFilled { octets: 6 },
        AckCause::Duplicate { arrived: seq(7) },
        AckCause::Unacceptable { arrived: seq(8), expected: seq(9), window: 10 },
        AckCause::OldTimestamp { value: 11, recent: 12 },
        AckCause::AckOfUnsent { ack: seq(13), next: seq(14) },
        AckCause::FinArrived { half_closed: true },
        AckCause::WindowUpdate { from: 0, to: 15 },
        AckCause::Challenge(ChallengeCause::Reset { arrived: seq(16), expected: seq(17) }),
        AckCause::Challenge(ChallengeCause::Syn),
        AckCause::Challenge(ChallengeCause::OldAck { ack: seq(18), una: seq(19) }),
        AckCause::ProbeAnswered,
    ])
}

fn reset_causes() -> Vec<ResetCause> {
    Vec::from([
        ResetCause::NoConnection,
        ResetCause::UnacceptableAck { ack: seq(1) },
        ResetCause::Abort,
        ResetCause::UnreadData { octets: 2 },
        ResetCause::GaveUp,
    ])
}

pub(crate) fn reasons() -> Vec<Reason> {
    let irs = seq(1234);
    let mut all = Vec::from([
        Reason::ActiveOpen,
        Reason::PassiveOpen { irs },
        Reason::SimultaneousOpen { irs },
        Reason::HandshakeAck { irs },
        Reason::Fin { octets: 3, peer_closed_first: false },
        Reason::WindowProbe { attempt: 1, waited: MS, next: MS * 2 },
        Reason::KeepAlive { attempt: 2, idle: MS },
    ]);
    all.extend(data_causes().into_iter().map(|because| Reason::Data { octets: 9, because, acknowledges: 1 }));
    let again = |because| Reason::Retransmission { because, octets: 9 };
    all.extend(retransmission_causes().into_iter().map(again));
    all.extend(ack_causes().into_iter().map(Reason::Ack));
    all.extend(reset_causes().into_iter().map(Reason::Reset));
    all
}

pub(crate) fn notes() -> Vec<Note> {
    let block = SackBlock { start: seq(u32::MAX), end: seq(3) };
    Vec::from([
        Note::TimerStarted { timer: Timer::Retransmission, at: Instant::from_millis(5) },
        Note::TimerStopped { timer: Timer::Persist },
        Note::TimerFired { timer: Timer::DelayedAck, after: MS },
        Note::RetransmissionTimeout { una: seq(1), rto: MS, srtt: None, rttvar: MS, minimum: MS, attempt: 1 },
        Note::RttSample { rtt: MS, srtt: MS, rttvar: MS, rto: MS },
        Note::RttAmbiguous,
        Note::CongestionWindow { cwnd: 1, ssthresh: u32::MAX, flight: 2, because: WindowChange::Initial },
        Note::SendWindow { window: 0 },
        Note::DuplicateAck { count: 2, ack: seq(3) },
        Note::Acknowledged { octets: 4, una: seq(5) },
        Note::Received { octets: 6 },
        Note::OutOfOrder { expected: seq(7), arrived: seq(8), octets: 9 },
        Note::SackIgnored { block },
        Note::DuplicateSack { block },
        Note::DeliveryTrouble { attempt: 3 },
        Note::SoftError,
        Note::MalformedOption,
        Note::ChallengeWithheld,
    ])
}

pub(crate) fn arq_notes() -> Vec<aperto_arq::Note> {
    use aperto_arq::Note;
    let sequence = Sequence::new(3);
    let expected = Sequence::new(2);
    let window = Window { base: expected, next: sequence, last: Sequence::new(5) };
    let timer = aperto_arq::Timer::Window { base: expected };
    let fault = |what| Note::Discarded(Discard::Damaged(ParseError { at: 6, what }));
    Vec::from([
        Note::WindowMoved { window, by: 2 },
        Note::MarkedAcknowledged { sequence, base: expected },
        Note::AcknowledgementIgnored { sequence, base: expected },
        Note::NackIgnored { sequence, base: expected },
        Note::NackHeard { sequence },
        Note::TimerStarted { timer, due: Instant::from_millis(9) },
        Note::TimerStopped { timer: aperto_arq::Timer::Packet { sequence } },
        Note::TimerExpired { timer, retry: 1 },
        Note::GaveUp { sequence, retries: 7 },
        Note::Delivered { sequence, octets: 4, from: DeliveredFrom::Buffer },
        Note::Buffered { sequence, expected },
        Note::Discarded(Discard::OutOfOrder { expected, got: sequence }),
        Note::Discarded(Discard::Duplicate { expected, got: sequence }),
        Note::Discarded(Discard::OutsideWindow { expected, got: sequence }),
        fault(aperto_arq::packet::Fault::Checksum { says: 1, computed: 2 }),
        Note::Discarded(Discard::TooLong { octets: 9, largest: 4 }),
        Note::Discarded(Discard::NoRoom { unread: 4 }),
        Note::Discarded(Discard::WrongKind(Kind::Nack)),
    ])
}

#[test]
fn every_reason_of_a_segment_travels_under_a_code_of_its_own() {
    travel(&reasons());
}

#[test]
fn the_codes_of_reasons_are_those_of_the_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../../docs/schema/trace-v1.json")).expect("it is JSON");
    let listed: BTreeSet<&str> = schema["$defs"]["tcp_reason"]["properties"]["code"]["enum"]
        .as_array()
        .expect("a list of codes")
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let written: BTreeSet<&str> = reasons().iter().map(Coded::code).collect();
    assert_eq!(listed, written);
}

#[test]
fn every_note_travels_under_a_code_of_its_own() {
    travel(&notes());
    travel(&arq_notes());
    travel(&[
        Note::Dropped { reason: DropReason::FinMoved },
        Note::State { from: State::Closed, to: State::SynSent, cause: Cause::ActiveOpen },
    ]);
}

#[test]
fn every_event_and_end_travels_under_a_code_of_its_own() {
    use Event as E;
    travel(&[E::Established, E::Readable, E::Writable, E::Urgent, E::PeerClosed, E::DeliveryTrouble]);
    let ends = [End::Closed, End::Refused, End::Reset, End::TimedOut, End::Unreachable, End::Aborted];
    travel(&ends);
    for end in ends {
        travel(&[E::Ended(end)]);
    }
}

#[test]
fn every_cause_on_an_arc_of_the_diagram_travels() {
    let mut causes: Vec<Cause> = Vec::new();
    for arc in ARCS {
        if !causes.contains(&arc.cause) {
            causes.push(arc.cause);
        }
    }
    travel(&causes);
}

#[test]
fn every_reason_of_a_textbook_protocol_travels_under_a_code_of_its_own() {
    use aperto_arq::Reason as R;
    let (base, waited) = (Sequence::new(2), MS);
    let window = Window { base, next: base, last: base };
    travel(&[
        R::FirstTransmission { window },
        R::TimerExpired { waited, retry: 1, max_retries: 10 },
        R::WentBackOnTimer { base, position: 1, outstanding: 4, waited, retry: 1, max_retries: 10 },
        R::AskedForAgain,
        R::WentBackOnNack { base, position: 1, outstanding: 4 },
        R::Delivered,
        R::Buffered { expected: base },
        R::AlreadyDelivered { expected: base },
        R::RepeatsLastInOrder { expected: base, came: Came::OutOfOrder(base), repeat: 1 },
        R::GroupComplete { packets: 4, why: GroupEnd::GapFilled },
        R::Missing { got: base },
        R::Damaged,
    ]);
    travel(&[Came::OutOfOrder(base), Came::Duplicate(base), Came::Damaged]);
}

#[test]
fn every_thing_that_a_channel_does_travels() {
    use crate::{ChannelEvent as E, ChecksumAfter, LossCause as L, Origin as O};
    let flag = || String::from("--drop data:2");
    travel(&[
        E::Lost(L::Burst),
        E::Damaged { by: O::Random, octets: Vec::from([3, 40]), checksum: ChecksumAfter::Broken },
        E::Duplicated { by: O::Picked { flag: flag() } },
        E::Delayed { by: O::Random, extra: MS },
        E::Reordered { by: O::Random, overtaken_by: Some(crate::Number(4)) },
        E::Queued { wait: MS, ahead: 2 },
    ]);
    travel(&[
        L::Picked { flag: flag() },
        L::Random,
        L::Burst,
        L::QueueFull { packets: 64 },
        L::TooBig { mtu: 1500 },
        L::LinkDown,
        L::Unknown,
    ]);
    travel(&[
        crate::DropReason::Tcp(DropReason::OldData),
        crate::DropReason::BadChecksum { format: "tcp".to_string() },
        crate::DropReason::Malformed { what: "header too short".to_string(), at: 12 },
        crate::DropReason::Host { code: "not-for-us".to_string() },
    ]);
}
