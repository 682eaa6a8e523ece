//! What the engine's other enums say, in English.

use aperto_tcp::diagram::Cause;
use aperto_tcp::{DropReason, End, Event, Timer};

pub(crate) fn dropped(reason: &DropReason) -> &'static str {
    match reason {
        DropReason::OutsideWindow => "no part of it lies in the receive window",
        DropReason::OldData => "everything in it had been received before",
        DropReason::OldTimestamp => "its timestamp is older than the last one",
        DropReason::NoAck => "on an open connection every segment must have ACK",
        DropReason::AckOfUnsent => "it acknowledges what was never sent",
        DropReason::AckTooOld => "its acknowledgment is too old to be true",
        DropReason::InexactReset => "a RST counts only at exactly the next expected byte",
        DropReason::SynOnOpenConnection => "a SYN on a connection that is open already",
        DropReason::UnacceptableAck => "it acknowledges something other than our SYN",
        DropReason::UnprovenReset => "a RST that does not acknowledge our SYN proves nothing",
        DropReason::ResetInTimeWait => "a RST in TIME_WAIT is ignored",
        DropReason::NeitherSynNorReset => "neither SYN nor RST while a SYN is expected",
        DropReason::SynWithFin => "SYN and FIN together make no sense",
        DropReason::NotASyn => "whoever listens expects a SYN first",
        DropReason::DataInSyn => "data in a SYN waits until the handshake is over",
        DropReason::DataAfterFin => "data beyond the FIN: the sender had said it was the end",
        DropReason::BeyondWindow => "more than the window allows: the rest was cut off",
        DropReason::TooManyPieces => "too many holes: this piece is not kept",
        DropReason::Closed => "there is no connection",
        DropReason::FinMoved => "the FIN was in another place before",
    }
}

pub(crate) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::ActiveOpen => "app: active open",
        Cause::PassiveOpen => "app: passive open",
        Cause::SynArrived => "SYN received",
        Cause::SynAckArrived => "SYN,ACK received",
        Cause::SynAcknowledged => "our SYN was acknowledged",
        Cause::CloseCalled => "app: close",
        Cause::FinSent => "our FIN left",
        Cause::FinArrived => "FIN received",
        Cause::FinAcknowledged => "our FIN was acknowledged",
        Cause::FinArrivedAndOursAcknowledged => "FIN received, and ours acknowledged with it",
        Cause::ResetArrived => "RST received",
        Cause::AbortCalled => "app: abort",
        Cause::TimeWaitOver => "2×MSL are over",
        Cause::UserTimeout => "the other side was silent for too long",
        Cause::OrphanTimeout => "nobody waits for the rest any more",
        Cause::Unreachable => "the network cannot reach the other side",
        Cause::BackToListen => "RST received: back to listening",
    }
}

pub(crate) fn timer(timer: Timer) -> &'static str {
    match timer {
        Timer::Retransmission => "retransmission",
        Timer::Persist => "window probe",
        Timer::Override => "small segment",
        Timer::DelayedAck => "delayed ACK",
        Timer::KeepAlive => "keep-alive",
        Timer::User => "user timeout",
        Timer::TimeWait => "2×MSL",
    }
}

pub(crate) fn end(end: End) -> &'static str {
    match end {
        End::Closed => "connection closed by both sides",
        End::Refused => "connection refused",
        End::Reset => "connection reset by the other side",
        End::TimedOut => "connection timed out",
        End::Unreachable => "destination unreachable",
        End::Aborted => "connection aborted",
    }
}

pub(crate) fn event(event: &Event) -> &'static str {
    match event {
        Event::Established => "connection open",
        Event::Readable => "there is data to read",
        Event::Writable => "there is room to write again",
        Event::Urgent => "urgent data announced",
        Event::PeerClosed => "the other side will send no more",
        Event::DeliveryTrouble => "no answer for a while; still trying",
        Event::Ended(how) => end(*how),
    }
}
