//! Timers, windows and what else the engine notes, in English.

use alloc::format;
use alloc::string::String;

use aperto_tcp::{Note, Timer, WindowChange};
use aperto_time::Duration;

use crate::context::Context;
use crate::quantity::{bare_milliseconds, bytes, duration, milliseconds};
use crate::text::TimerFacts;
use crate::{Language, Wording};

const EN: Language = Language::English;

pub(crate) fn timer_row(row: &TimerFacts) -> Wording {
    match row {
        TimerFacts::Retransmission { rto, srtt, rttvar, minimum, attempt, .. } => {
            let waited = milliseconds(EN, *rto);
            match (attempt, srtt) {
                (1, Some(srtt)) => {
                    let (srtt, rttvar) = (bare_milliseconds(EN, *srtt), bare_milliseconds(EN, *rttvar));
                    let minimum = duration(EN, *minimum);
                    Wording::one(format!(
                        "no ACK for {waited}: RTO = max({minimum}, SRTT {srtt} + 4 × {rttvar})"
                    ))
                    .or(format!("no ACK for {waited} = RTO"))
                }
                (1, None) => Wording::one(format!("no ACK for {waited}: RTO without any RTT sample yet"))
                    .or(format!("no ACK for {waited} = RTO")),
                (n, _) => Wording::one(format!("no ACK for {waited} either: timeout {n} in a row")),
            }
        }
        TimerFacts::Other { timer, after } => other(*timer, *after),
    }
}

pub(crate) fn timer_line(row: &TimerFacts) -> String {
    match row {
        TimerFacts::Retransmission { number: Some(number), rto, .. } => {
            let waited = milliseconds(EN, *rto);
            format!("no ACK for {number} in {waited}")
        }
        TimerFacts::Retransmission { number: None, .. } | TimerFacts::Other { .. } => {
            timer_row(row).full().into()
        }
    }
}

fn other(timer: Timer, after: Duration) -> Wording {
    let waited = milliseconds(EN, after);
    Wording::one(match timer {
        Timer::Retransmission => format!("no ACK for {waited}"),
        Timer::Persist => format!("window closed for {waited}: time to probe it"),
        Timer::Override => format!("{waited} without a full segment: the small one goes"),
        Timer::DelayedAck => format!("{waited} without data for the ACK to travel with"),
        Timer::KeepAlive => format!("nothing heard for {}", duration(EN, after)),
        Timer::User => format!("no answer for {}: gives up", duration(EN, after)),
        Timer::TimeWait => format!("2×MSL = {} are over: the port is free again", duration(EN, after)),
    })
}

pub(crate) fn note(note: &Note, context: &Context) -> Wording {
    match note {
        Note::State { from, to, cause } => {
            Wording::one(format!("{from} to {to}: {}", super::engine::cause(*cause)))
        }
        Note::Dropped { reason } => Wording::one(super::engine::dropped(reason)),
        Note::TimerStarted { timer, .. } => {
            Wording::one(format!("{} timer started", super::engine::timer(*timer)))
        }
        Note::TimerStopped { timer } => {
            Wording::one(format!("{} timer stopped", super::engine::timer(*timer)))
        }
        Note::TimerFired { timer, after } => other(*timer, *after),
        Note::RetransmissionTimeout { rto, srtt, rttvar, minimum, attempt, .. } => {
            timer_row(&TimerFacts::Retransmission {
                number: None,
                rto: *rto,
                srtt: *srtt,
                rttvar: *rttvar,
                minimum: *minimum,
                attempt: *attempt,
            })
        }
        Note::RttSample { rtt, srtt, rto, .. } => Wording::one(format!(
            "RTT {}: SRTT {}, RTO {}",
            duration(EN, *rtt),
            duration(EN, *srtt),
            duration(EN, *rto)
        )),
        Note::RttAmbiguous => Wording::one("no RTT sample: it was sent twice (Karn)"),
        Note::CongestionWindow { cwnd, because, .. } => {
            Wording::one(format!("cwnd {cwnd}: {}", window_change(*because)))
        }
        Note::SendWindow { window } => {
            Wording::one(format!("the other side's window: {}", bytes(u64::from(*window))))
        }
        Note::DuplicateAck { count, ack } => {
            let ack = context.numbers.own(*ack);
            Wording::one(format!("duplicate ACK {count}: asks for byte {ack}"))
        }
        Note::Acknowledged { octets, .. } => {
            Wording::one(format!("{} acknowledged", bytes(u64::from(*octets))))
        }
        Note::Received { octets } => Wording::one(format!("{} received in order", bytes(u64::from(*octets)))),
        Note::OutOfOrder { expected, octets, .. } => {
            let expected = context.numbers.other(*expected);
            let n = bytes(u64::from(*octets));
            Wording::one(format!("{n} kept beyond a hole: byte {expected} is missing"))
        }
        Note::SackIgnored { .. } => Wording::one("a SACK block that cannot be true was ignored"),
        Note::DuplicateSack { .. } => Wording::one("the other side received something twice (D-SACK)"),
        Note::DeliveryTrouble { attempt } => {
            Wording::one(format!("{attempt} timeouts in a row: the app is told"))
        }
        Note::SoftError => Wording::one("the network reported an error; the connection goes on"),
        Note::MalformedOption => Wording::one("a malformed option was ignored"),
        Note::ChallengeWithheld => Wording::one("a challenge ACK was withheld: one was sent a moment ago"),
    }
}

fn window_change(because: WindowChange) -> &'static str {
    match because {
        WindowChange::Initial => "initial window",
        WindowChange::SlowStart => "slow start",
        WindowChange::CongestionAvoidance => "congestion avoidance",
        WindowChange::FastRetransmit => "fast retransmit",
        WindowChange::RecoveryEnded => "recovery is over",
        WindowChange::Timeout => "timeout: back to one segment",
        WindowChange::IdleRestart => "restart after idling",
    }
}
