//! Every way from one state to another: Figure 5 of RFC 9293 as a table.
//!
//! RFC 9293 §3.3.2 (Figure 5 and its notes) and §3.10. Only `Connection::enter` moves the state,
//! and it asserts that the arc stands here. Tests, figures and explanations are made from this
//! table.

use crate::state::State;

/// What moved the state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// The user opened actively: OPEN call (§3.10.1).
    ActiveOpen,
    /// The user opened passively: OPEN call (§3.10.1).
    PassiveOpen,
    /// A SYN arrived.
    SynArrived,
    /// A SYN arrived that acknowledges ours.
    SynAckArrived,
    /// Our SYN was acknowledged.
    SynAcknowledged,
    /// The user closed: CLOSE call (§3.10.4).
    CloseCalled,
    /// Our FIN left, after all that was queued before it.
    FinSent,
    /// A FIN arrived.
    FinArrived,
    /// Our FIN was acknowledged.
    FinAcknowledged,
    /// A FIN arrived with the acknowledgment of ours (Figure 5, note 2).
    FinArrivedAndOursAcknowledged,
    /// A reset arrived.
    ResetArrived,
    /// The user aborted: ABORT call (§3.10.5).
    AbortCalled,
    /// TIME-WAIT has lasted two maximum segment lifetimes.
    TimeWaitOver,
    /// The peer was silent for longer than the user allows (§3.10.8).
    UserTimeout,
    /// Nobody waits for the rest of a closed connection and the peer sends none.
    OrphanTimeout,
    /// The network said that the peer cannot be reached.
    Unreachable,
    /// A passive open went back to listening after a reset.
    BackToListen,
}

/// One arc of the diagram.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Arc {
    /// The state that is left.
    pub from: State,
    /// Why it is left.
    pub cause: Cause,
    /// The state that is entered.
    pub to: State,
}

const fn arc(from: State, cause: Cause, to: State) -> Arc {
    Arc { from, cause, to }
}

use Cause as C;
use State as S;

/// All arcs: first those of Figure 5, then resets, aborts and timeouts.
pub const ARCS: [Arc; 57] = [
    // Figure 5, top to bottom.
    arc(S::Closed, C::PassiveOpen, S::Listen),
    arc(S::Closed, C::ActiveOpen, S::SynSent),
    arc(S::Listen, C::ActiveOpen, S::SynSent),
    arc(S::Listen, C::CloseCalled, S::Closed),
    arc(S::Listen, C::SynArrived, S::SynReceived),
    arc(S::SynSent, C::CloseCalled, S::Closed),
    arc(S::SynSent, C::SynArrived, S::SynReceived),
    arc(S::SynSent, C::SynAckArrived, S::Established),
    arc(S::SynReceived, C::SynAcknowledged, S::Established),
    arc(S::SynReceived, C::CloseCalled, S::FinWait1),
    arc(S::SynReceived, C::FinArrived, S::CloseWait),
    arc(S::Established, C::CloseCalled, S::FinWait1),
    arc(S::Established, C::FinArrived, S::CloseWait),
    arc(S::FinWait1, C::FinAcknowledged, S::FinWait2),
    arc(S::FinWait1, C::FinArrived, S::Closing),
    arc(S::FinWait1, C::FinArrivedAndOursAcknowledged, S::TimeWait),
    arc(S::FinWait2, C::FinArrived, S::TimeWait),
    arc(S::CloseWait, C::FinSent, S::LastAck),
    arc(S::Closing, C::FinAcknowledged, S::TimeWait),
    arc(S::LastAck, C::FinAcknowledged, S::Closed),
    arc(S::TimeWait, C::TimeWaitOver, S::Closed),
    // Note 1: a reset returns a passive open to LISTEN.
    arc(S::SynReceived, C::BackToListen, S::Listen),
    // Resets, §3.10.7.
    arc(S::SynSent, C::ResetArrived, S::Closed),
    arc(S::SynReceived, C::ResetArrived, S::Closed),
    arc(S::Established, C::ResetArrived, S::Closed),
    arc(S::FinWait1, C::ResetArrived, S::Closed),
    arc(S::FinWait2, C::ResetArrived, S::Closed),
    arc(S::CloseWait, C::ResetArrived, S::Closed),
    arc(S::Closing, C::ResetArrived, S::Closed),
    arc(S::LastAck, C::ResetArrived, S::Closed),
    arc(S::TimeWait, C::ResetArrived, S::Closed),
    // The ABORT call, §3.10.5.
    arc(S::Listen, C::AbortCalled, S::Closed),
    arc(S::SynSent, C::AbortCalled, S::Closed),
    arc(S::SynReceived, C::AbortCalled, S::Closed),
    arc(S::Established, C::AbortCalled, S::Closed),
    arc(S::FinWait1, C::AbortCalled, S::Closed),
    arc(S::FinWait2, C::AbortCalled, S::Closed),
    arc(S::CloseWait, C::AbortCalled, S::Closed),
    arc(S::Closing, C::AbortCalled, S::Closed),
    arc(S::LastAck, C::AbortCalled, S::Closed),
    arc(S::TimeWait, C::AbortCalled, S::Closed),
    // Timeouts, §3.10.8.
    arc(S::SynSent, C::UserTimeout, S::Closed),
    arc(S::SynReceived, C::UserTimeout, S::Closed),
    arc(S::Established, C::UserTimeout, S::Closed),
    arc(S::FinWait1, C::UserTimeout, S::Closed),
    arc(S::FinWait2, C::UserTimeout, S::Closed),
    arc(S::CloseWait, C::UserTimeout, S::Closed),
    arc(S::Closing, C::UserTimeout, S::Closed),
    arc(S::LastAck, C::UserTimeout, S::Closed),
    arc(S::FinWait1, C::OrphanTimeout, S::Closed),
    arc(S::FinWait2, C::OrphanTimeout, S::Closed),
    arc(S::Closing, C::OrphanTimeout, S::Closed),
    arc(S::LastAck, C::OrphanTimeout, S::Closed),
    // ICMP, §3.9.2.2, and a host that answers nothing.
    arc(S::SynSent, C::Unreachable, S::Closed),
    arc(S::SynReceived, C::Unreachable, S::Closed),
    arc(S::SynReceived, C::OrphanTimeout, S::Closed),
    arc(S::CloseWait, C::OrphanTimeout, S::Closed),
];

/// Whether the diagram has this arc.
#[must_use]
pub fn has(from: State, cause: Cause, to: State) -> bool {
    ARCS.contains(&Arc { from, cause, to })
}
