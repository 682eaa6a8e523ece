//! Which section stands behind a reason: the same in each language.

use aperto_arq as arq;
use aperto_tcp::{AckCause, ChallengeCause, DataCause, ResetCause, RetransmissionCause};
use aperto_tcp::{DropReason, Reason, Timer};

use crate::Rule;
use crate::context::{Context, Sample};

/// The rule behind a segment.
#[must_use]
pub fn of(reason: &Reason, context: &Context) -> Rule {
    match reason {
        Reason::ActiveOpen
        | Reason::PassiveOpen { .. }
        | Reason::SimultaneousOpen { .. }
        | Reason::HandshakeAck { .. } => Rule::tcp("3.5"),
        Reason::Data { because, acknowledges, .. } => of_data(because, *acknowledges, context),
        Reason::Fin { .. } => Rule::tcp("3.6"),
        Reason::Retransmission { because, .. } => of_retransmission(because),
        Reason::Ack(cause) => of_ack(cause),
        Reason::WindowProbe { .. } => Rule::tcp("3.8.6.1"),
        Reason::KeepAlive { .. } => Rule::tcp("3.8.4"),
        Reason::Reset(cause) => of_reset(cause),
    }
}

fn of_data(because: &DataCause, acknowledges: u32, context: &Context) -> Rule {
    match because {
        DataCause::Written if acknowledges > 0 && context.sample == Sample::Ambiguous => Rule::Rfc(6298, "3"),
        DataCause::Written if acknowledges > 0 => Rule::tcp("3.8.6.3"),
        DataCause::Written if context.initial_window_segments.is_some() => Rule::Rfc(6928, "2"),
        DataCause::Written => Rule::tcp("3.8"),
        DataCause::CongestionWindowOpened { .. } => Rule::Rfc(5681, "3.1"),
        DataCause::WindowOpened { .. } => Rule::tcp("3.8.6"),
        DataCause::NagleReleased => Rule::tcp("3.7.4"),
        DataCause::Filled | DataCause::OverrideTimeout => Rule::tcp("3.8.6.2.1"),
        DataCause::LimitedTransmit { .. } => Rule::Rfc(3042, "2"),
        DataCause::Recovery { .. } => Rule::Rfc(6675, "5"),
    }
}

const fn of_retransmission(because: &RetransmissionCause) -> Rule {
    match because {
        RetransmissionCause::Timeout { .. } => Rule::Rfc(6298, "5.4"),
        RetransmissionCause::AfterTimeout { .. } => Rule::Rfc(5681, "3.1"),
        RetransmissionCause::FastRetransmit { .. } => Rule::Rfc(5681, "3.2"),
        RetransmissionCause::SackHole { .. } => Rule::Rfc(6675, "5"),
        RetransmissionCause::PartialAck { .. } => Rule::Rfc(6582, "3.2"),
        RetransmissionCause::SynAgain => Rule::tcp("3.8.1"),
        RetransmissionCause::PathTooNarrow { .. } => Rule::Rfc(1191, "6.4"),
    }
}

const fn of_ack(cause: &AckCause) -> Rule {
    match cause {
        AckCause::SecondSegment { .. } | AckCause::Delayed { .. } | AckCause::NotDelayed { .. } => {
            Rule::tcp("3.8.6.3")
        }
        AckCause::OutOfOrder { .. } | AckCause::HoleFilled { .. } => Rule::Rfc(5681, "4.2"),
        AckCause::Duplicate { .. } | AckCause::Unacceptable { .. } | AckCause::AckOfUnsent { .. } => {
            Rule::tcp("3.10.7.4")
        }
        AckCause::OldTimestamp { .. } => Rule::Rfc(7323, "5.3"),
        AckCause::FinArrived { half_closed: true } => Rule::tcp("3.6.1"),
        AckCause::FinArrived { half_closed: false } => Rule::tcp("3.6"),
        AckCause::WindowUpdate { .. } => Rule::tcp("3.8.6.2.2"),
        AckCause::Challenge(ChallengeCause::Reset { .. }) => Rule::Rfc(5961, "3.2"),
        AckCause::Challenge(ChallengeCause::Syn) => Rule::Rfc(5961, "4.2"),
        AckCause::Challenge(ChallengeCause::OldAck { .. }) => Rule::Rfc(5961, "5.2"),
        AckCause::ProbeAnswered => Rule::tcp("3.8.6.1"),
    }
}

const fn of_reset(cause: &ResetCause) -> Rule {
    match cause {
        ResetCause::NoConnection | ResetCause::UnacceptableAck { .. } => Rule::tcp("3.5.2"),
        ResetCause::Abort => Rule::tcp("3.10.5"),
        ResetCause::UnreadData { .. } => Rule::tcp("3.6.1"),
        ResetCause::GaveUp => Rule::tcp("3.8.3"),
    }
}

/// The rule behind a segment that was not used; none where it is our own limit.
#[must_use]
pub const fn of_drop(reason: &DropReason) -> Option<Rule> {
    Some(match reason {
        DropReason::OutsideWindow
        | DropReason::OldData
        | DropReason::NoAck
        | DropReason::AckOfUnsent
        | DropReason::DataAfterFin
        | DropReason::BeyondWindow
        | DropReason::FinMoved => Rule::tcp("3.10.7.4"),
        DropReason::OldTimestamp => Rule::Rfc(7323, "5.3"),
        DropReason::AckTooOld => Rule::Rfc(5961, "5.2"),
        DropReason::InexactReset => Rule::Rfc(5961, "3.2"),
        DropReason::SynOnOpenConnection => Rule::Rfc(5961, "4.2"),
        DropReason::UnacceptableAck | DropReason::UnprovenReset | DropReason::NeitherSynNorReset => {
            Rule::tcp("3.10.7.3")
        }
        DropReason::ResetInTimeWait => Rule::Rfc(1337, "3"),
        DropReason::SynWithFin | DropReason::NotASyn => Rule::tcp("3.10.7.2"),
        DropReason::DataInSyn => Rule::tcp("3.4"),
        DropReason::Closed => Rule::tcp("3.10.7.1"),
        DropReason::TooManyPieces => return None,
    })
}

/// The rule behind a timer.
#[must_use]
pub const fn of_timer(timer: Timer) -> Rule {
    match timer {
        Timer::Retransmission => Rule::Rfc(6298, "5"),
        Timer::Persist => Rule::tcp("3.8.6.1"),
        Timer::Override => Rule::tcp("3.8.6.2.1"),
        Timer::DelayedAck => Rule::tcp("3.8.6.3"),
        Timer::KeepAlive => Rule::tcp("3.8.4"),
        Timer::User => Rule::tcp("3.8.3"),
        Timer::TimeWait => Rule::tcp("3.6"),
    }
}

/// The section of the book behind a textbook protocol.
#[must_use]
pub const fn of_protocol(protocol: arq::Protocol) -> Rule {
    match protocol {
        arq::Protocol::StopAndWait => Rule::Kurose("3.4.1"),
        arq::Protocol::GoBackN => Rule::Kurose("3.4.3"),
        arq::Protocol::SelectiveRepeat => Rule::Kurose("3.4.4"),
    }
}
