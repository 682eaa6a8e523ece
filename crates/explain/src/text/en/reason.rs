//! Why a segment leaves: for a row and for a packet comment, in English.

use alloc::format;
use alloc::string::{String, ToString};

use aperto_tcp::{AckCause, ChallengeCause, DataCause, ResetCause, RetransmissionCause};
use aperto_tcp::{Reason, State};
use aperto_time::Duration;

use super::words::side;
use crate::context::{Context, Counting, Fate, Sample, Side};
use crate::quantity::{self, bytes};
use crate::{Language, Wording};

fn time(duration: Duration) -> String {
    quantity::duration(Language::English, duration)
}

pub(crate) fn short(reason: &Reason, context: &Context) -> Wording {
    match reason {
        Reason::ActiveOpen => active_open(context),
        Reason::PassiveOpen { irs } => match context.numbers.counting {
            Counting::Relative => Wording::one("accepts; a SYN uses up one number, so it expects 1 next"),
            Counting::Absolute => {
                let (used, next) = (context.numbers.other(*irs), context.numbers.other(*irs + 1));
                Wording::one(format!("accepts; the SYN used number {used}, so {next} is next"))
            }
        },
        Reason::SimultaneousOpen { .. } => {
            Wording::one("both asked at the same time: their SYN is accepted too")
        }
        Reason::HandshakeAck { irs } => match context.numbers.counting {
            Counting::Relative => Wording::one("now each side knows the other can hear it"),
            Counting::Absolute => {
                let (used, next) = (context.numbers.other(*irs), context.numbers.other(*irs + 1));
                Wording::one(format!("confirms the server's SYN: {used} + 1 = {next}"))
            }
        },
        Reason::Data { octets, because, acknowledges } => data(*octets, because, *acknowledges, context),
        Reason::Fin { octets, peer_closed_first } => fin(*octets, *peer_closed_first, context),
        Reason::Retransmission { because, octets } => retransmission(because, *octets, context),
        Reason::Ack(cause) => ack(cause, context),
        Reason::WindowProbe { attempt, waited, next } => Wording::one(format!(
            "window still closed after {}: probe {attempt}; next in {}",
            time(*waited),
            time(*next)
        ))
        .or(format!("window closed for {}: probe {attempt}", time(*waited))),
        Reason::KeepAlive { attempt, idle } => {
            Wording::one(format!("idle for {}: keep-alive {attempt} asks if anyone is there", time(*idle)))
        }
        Reason::Reset(cause) => reset(cause, context),
    }
}

/// For a packet comment: the arithmetic of the numbers on the wire.
pub(crate) fn brief(reason: &Reason, context: &Context) -> String {
    match reason {
        Reason::ActiveOpen => "active open".to_string(),
        Reason::PassiveOpen { irs } => format!("accepts; {}+1={}", irs.value(), (*irs + 1).value()),
        Reason::HandshakeAck { irs } => format!("confirms; {}+1={}", irs.value(), (*irs + 1).value()),
        Reason::SimultaneousOpen { .. }
        | Reason::Data { .. }
        | Reason::Fin { .. }
        | Reason::Retransmission { .. }
        | Reason::Ack(_)
        | Reason::WindowProbe { .. }
        | Reason::KeepAlive { .. }
        | Reason::Reset(_) => short(reason, context).full().to_string(),
    }
}

fn active_open(context: &Context) -> Wording {
    match (context.numbers.counting, context.numbers.own) {
        (Counting::Absolute, Some(first)) => {
            Wording::one(format!("active open; the client counts from {}", first.value()))
        }
        _ => Wording::one("active open: asks to connect, says where its byte count starts"),
    }
}

/// What the application wrote, with letters and bytes where they differ.
fn wrote(text: &str, octets: u32) -> Wording {
    let letters = text.chars().count();
    let plain = format!("app wrote {}", bytes(u64::from(octets)));
    if letters == octets as usize {
        return Wording::one(format!("app wrote \"{text}\": {}", bytes(u64::from(octets)))).or(plain);
    }
    let both = format!("app wrote \"{text}\": {letters} letters, {}", bytes(u64::from(octets)));
    let mut long = text.chars().filter(|letter| letter.len_utf8() > 1);
    match (long.next(), long.next()) {
        (Some(letter), None) => {
            let takes = ["", "", "two", "three", "four"].get(letter.len_utf8()).copied().unwrap_or("more");
            Wording::one(format!("{both} ({letter} takes {takes})")).or(both).or(plain)
        }
        _ => Wording::one(both).or(plain),
    }
}

fn data(octets: u32, because: &DataCause, acknowledges: u32, context: &Context) -> Wording {
    let n = bytes(u64::from(octets));
    match because {
        DataCause::Written if acknowledges > 0 => data_with_ack(&n, context),
        DataCause::Written => match (&context.written, context.initial_window_segments) {
            (_, Some(1)) => Wording::one("data: the initial window allows one segment"),
            (_, Some(segments)) => {
                Wording::one(format!("data: the initial window allows {segments} segments at once"))
            }
            (Some(written), None) => match &written.text {
                Some(text) if context.fate == Fate::Arrives => wrote(text, octets),
                _ if written.octets > u64::from(octets) => Wording::one(format!(
                    "data: {octets} of the {} that the app wrote",
                    bytes(written.octets)
                )),
                _ => Wording::one(format!("app wrote {n}")),
            },
            (None, None) => Wording::one(format!("app wrote {n}")),
        },
        DataCause::CongestionWindowOpened { cwnd } => {
            Wording::one(format!("an ACK made room: cwnd is {cwnd} bytes, {octets} more may go"))
        }
        DataCause::WindowOpened { window } => {
            Wording::one(format!("the other side has room again: {window} bytes; {octets} go now"))
        }
        DataCause::NagleReleased => Wording::one("Nagle held it back until all before it was acknowledged"),
        DataCause::Filled => Wording::one(format!("it waited to be a full segment: {n} now")),
        DataCause::OverrideTimeout => {
            Wording::one(format!("{n}: waited in vain to be a full segment, goes as it is"))
                .or(format!("{n}: waited in vain for a full segment"))
        }
        DataCause::LimitedTransmit { duplicate_acks } => {
            Wording::one(format!("duplicate ACK {duplicate_acks} = one segment has left: one new may enter"))
        }
        DataCause::Recovery { pipe, cwnd } => {
            Wording::one(format!("recovery: {pipe} bytes in flight, cwnd {cwnd}: room for new ones"))
                .or(format!("recovery: {pipe} in flight, cwnd {cwnd}"))
        }
    }
}

fn data_with_ack(n: &str, context: &Context) -> Wording {
    let reply = context.sender == Some(Side::Server);
    if context.sample == Sample::Ambiguous {
        let who = if reply { "reply carries the ACK" } else { "data carries the ACK" };
        return Wording::one(format!("{who}; not used as an RTT sample (Karn)"));
    }
    let what = if reply { "reply" } else { "data" };
    let next = context.ack.map(|ack| context.numbers.other(ack));
    let tail = match next {
        Some(next) => format!("carries the ACK with it: next byte is {next}"),
        None => "carries the ACK with it".to_string(),
    };
    let plain = format!("{what} of {n} {tail}");
    match context.written.as_ref().and_then(|written| written.text.as_ref()) {
        Some(text) => Wording::one(format!("{what} \"{text}\" {tail}")).or(plain),
        None => Wording::one(plain),
    }
    .or(match next {
        Some(next) => format!("{what} with the ACK in it: next byte is {next}"),
        None => format!("{what} with the ACK in it"),
    })
}

fn fin(octets: u32, peer_closed_first: bool, context: &Context) -> Wording {
    let app = match context.sender {
        Some(sender) => format!("{} app", side(sender)),
        None => "app".to_string(),
    };
    let wording = if peer_closed_first {
        match context.since_fin {
            Some(since) if !since.is_zero() => {
                Wording::one(format!("{app} closed {} later: that is why there are 2 FINs", time(since)))
            }
            _ => Wording::one(format!("{app} closed too: each direction has its own FIN")),
        }
    } else {
        Wording::one(format!("{app} closed: no more bytes; a FIN uses one number too"))
    };
    if octets == 0 {
        return wording;
    }
    Wording::one(format!("last {}, and the FIN with them: {app} closed", bytes(u64::from(octets))))
}

fn retransmission(because: &RetransmissionCause, octets: u32, context: &Context) -> Wording {
    match because {
        // Without text, the congestion window has no say.
        RetransmissionCause::Timeout { rto, next_rto, cwnd, .. } => {
            let backoff = if next_rto > rto {
                format!("RTO doubles to {}", time(*next_rto))
            } else {
                format!("RTO stays at {}", time(*next_rto))
            };
            if octets == 0 {
                return Wording::one(format!("retransmission timeout; {backoff}"));
            }
            let window = match context.mss {
                Some(mss) if *cwnd <= mss => "1 MSS".to_string(),
                _ => cwnd.to_string(),
            };
            Wording::one(format!("retransmission timeout; {backoff}; cwnd = {window}"))
        }
        RetransmissionCause::AfterTimeout { cwnd } => {
            Wording::one(format!("lost in the same timeout; slow start: cwnd is {cwnd} bytes"))
        }
        RetransmissionCause::FastRetransmit { duplicate_acks, .. } => match duplicate_acks {
            3 => Wording::one("3rd duplicate ACK: resend the hole now, no timer"),
            0 => Wording::one("SACK shows a loss: resend the hole now, no timer"),
            n => Wording::one(format!("{n} duplicate ACKs: resend the hole now, no timer")),
        },
        RetransmissionCause::SackHole { pipe, cwnd } => {
            Wording::one(format!("next hole that SACK shows; {pipe} in flight, cwnd {cwnd}"))
        }
        RetransmissionCause::PartialAck { recover } => {
            let until = context.numbers.own(*recover);
            Wording::one(format!("partial ACK: the next hole is lost too; recovery until {until}"))
        }
        RetransmissionCause::SynAgain => {
            Wording::one("their SYN came again, so our SYN,ACK was lost: resend it")
        }
        RetransmissionCause::PathTooNarrow { mss } => {
            Wording::one(format!("a router said it was too big: again, at most {mss} bytes each"))
        }
    }
}

fn ack(cause: &AckCause, context: &Context) -> Wording {
    let numbers = &context.numbers;
    match cause {
        AckCause::SecondSegment { octets } => {
            Wording::one(format!("at least every second full segment: {}", bytes(u64::from(*octets))))
        }
        AckCause::Delayed { waited, octets } => {
            let n = bytes(u64::from(*octets));
            Wording::one(format!("delayed ACK: {} without data to travel with; {n}", time(*waited)))
                .or(format!("delayed ACK after {}; {n}", time(*waited)))
        }
        AckCause::NotDelayed { octets } => Wording::one(format!(
            "{} received; delayed ACK is off: answer at once",
            bytes(u64::from(*octets))
        )),
        AckCause::OutOfOrder { expected, .. } => {
            let missing = numbers.other(*expected);
            Wording::one(format!(
                "a segment arrived beyond the hole: ACK at once, still asking for byte {missing}"
            ))
            .or(format!("arrived beyond a hole: still asking for byte {missing}"))
        }
        AckCause::HoleFilled { octets } => {
            Wording::one(format!("hole filled: one ACK now covers all {}", bytes(u64::from(*octets))))
        }
        AckCause::Duplicate { arrived } => {
            let seq = numbers.other(*arrived);
            Wording::one(format!("seq {seq} came twice: tell the other side what we have"))
        }
        AckCause::Unacceptable { arrived, expected, window } => {
            let (arrived, expected) = (numbers.other(*arrived), numbers.other(*expected));
            Wording::one(format!("seq {arrived} is outside our window: from {expected}, {window} bytes"))
                .or(format!("seq {arrived} is outside {expected} + {window}"))
        }
        AckCause::OldTimestamp { value, recent } => {
            Wording::one(format!("timestamp {value} is older than {recent}: an old duplicate"))
        }
        AckCause::AckOfUnsent { ack, next } => {
            let (ack, next) = (numbers.own(*ack), numbers.own(*next));
            Wording::one(format!("it acknowledges {ack}, but only {next} is next to be sent"))
        }
        AckCause::FinArrived { half_closed: true } => {
            Wording::one("FIN received; this side may still send (half-closed)")
        }
        AckCause::FinArrived { half_closed: false } => match context.state {
            Some(State::Closing | State::FinWait1) => {
                Wording::one("FIN received while our own is on its way: both closed at once")
            }
            _ => Wording::one("last ACK; TIME_WAIT 2×MSL in case this ACK is lost"),
        },
        AckCause::WindowUpdate { from: 0, to } => {
            Wording::one(format!("the app has read: the window opens to {}", bytes(u64::from(*to))))
        }
        AckCause::WindowUpdate { from, to } => Wording::one(format!(
            "the app has read: the window grows from {from} to {}",
            bytes(u64::from(*to))
        ))
        .or(format!("the app has read: window {from} to {to}")),
        AckCause::Challenge(cause) => challenge(cause, context),
        AckCause::ProbeAnswered => Wording::one("answers a probe: we are here; this is our window"),
    }
}

fn challenge(cause: &ChallengeCause, context: &Context) -> Wording {
    let numbers = &context.numbers;
    match cause {
        ChallengeCause::Reset { arrived, expected } => {
            let (arrived, expected) = (numbers.other(*arrived), numbers.other(*expected));
            Wording::one(format!("RST at {arrived}, not exactly {expected}: prove that it is yours"))
        }
        ChallengeCause::Syn => Wording::one("a SYN on an open connection: prove that it is yours"),
        ChallengeCause::OldAck { ack, una } => {
            let (ack, una) = (numbers.own(*ack), numbers.own(*una));
            Wording::one(format!("ack {ack} is too old (we are at {una}): prove that it is yours"))
                .or(format!("ack {ack} is too old: we are at {una}"))
        }
    }
}

fn reset(cause: &ResetCause, context: &Context) -> Wording {
    match cause {
        ResetCause::NoConnection => Wording::one("nobody listens here and no connection is open: RST"),
        ResetCause::UnacceptableAck { ack } => {
            let ack = context.numbers.own(*ack);
            Wording::one(format!("it acknowledges {ack}, which we never sent: RST"))
        }
        ResetCause::Abort => Wording::one("app aborted: nothing more is sent or received"),
        ResetCause::UnreadData { octets: 0 } => Wording::one("app is gone and data still comes: RST"),
        ResetCause::UnreadData { octets } => {
            Wording::one(format!("app is gone; {} will never be read: RST", bytes(u64::from(*octets))))
        }
        ResetCause::GaveUp => Wording::one("the other side was silent for too long: gives up"),
    }
}
