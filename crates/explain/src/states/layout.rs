//! Where the states and arcs of Figure 5 are drawn: columns from 0, rows from 0.
//!
//! Which arcs there are is the engine's to say (`aperto_tcp::diagram`); the test in `tests.rs` fails if
//! one is missing here, or one too many.

use aperto_tcp::State as S;
use aperto_tcp::diagram::Cause as C;

/// How many rows there are.
pub(super) const ROWS: usize = 28;

/// CLOSED is drawn twice, as in the RFC: where connections begin, and where they end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Top,
    Bottom,
    Neither,
}

/// A state.
pub(super) struct Place {
    pub(super) state: S,
    pub(super) center: (usize, usize),
    pub(super) end: End,
}

const fn place(state: S, x: usize, y: usize) -> Place {
    Place { state, center: (x, y), end: End::Neither }
}

pub(super) const BOXES: [Place; 12] = [
    Place { state: S::Closed, center: (40, 1), end: End::Top },
    place(S::Listen, 40, 4),
    place(S::SynReceived, 13, 8),
    place(S::SynSent, 67, 8),
    place(S::Established, 40, 12),
    place(S::FinWait1, 13, 16),
    place(S::CloseWait, 67, 16),
    place(S::FinWait2, 13, 20),
    place(S::Closing, 40, 20),
    place(S::LastAck, 67, 20),
    place(S::TimeWait, 40, 24),
    Place { state: S::Closed, center: (40, 27), end: End::Bottom },
];

/// An arc: which, the corners of its way (the last is its head), and where its label begins.
pub(super) struct Drawn {
    pub(super) from: S,
    pub(super) cause: C,
    pub(super) to: S,
    pub(super) way: &'static [(usize, usize)],
    pub(super) label: (usize, usize),
}

const fn arc(from: S, cause: C, to: S, way: &'static [(usize, usize)], label: (usize, usize)) -> Drawn {
    Drawn { from, cause, to, way, label }
}

pub(super) const ARCS: [Drawn; 22] = [
    arc(S::Closed, C::PassiveOpen, S::Listen, &[(38, 2), (38, 3)], (18, 2)),
    arc(S::Closed, C::ActiveOpen, S::SynSent, &[(49, 1), (70, 1), (70, 7)], (51, 1)),
    arc(S::Listen, C::ActiveOpen, S::SynSent, &[(49, 4), (62, 4), (62, 7)], (51, 5)),
    arc(S::Listen, C::CloseCalled, S::Closed, &[(42, 3), (42, 2)], (44, 2)),
    arc(S::Listen, C::SynArrived, S::SynReceived, &[(30, 4), (14, 4), (14, 7)], (19, 4)),
    arc(S::SynSent, C::CloseCalled, S::Closed, &[(74, 7), (74, 0), (40, 0)], (56, 0)),
    arc(S::SynSent, C::SynArrived, S::SynReceived, &[(57, 8), (23, 8)], (36, 8)),
    arc(S::SynSent, C::SynAckArrived, S::Established, &[(66, 9), (66, 12), (50, 12)], (53, 12)),
    arc(S::SynReceived, C::SynAcknowledged, S::Established, &[(16, 9), (16, 12), (30, 12)], (18, 11)),
    arc(S::SynReceived, C::CloseCalled, S::FinWait1, &[(8, 9), (8, 15)], (10, 13)),
    arc(S::SynReceived, C::FinArrived, S::CloseWait, &[(20, 9), (20, 10), (72, 10), (72, 15)], (36, 10)),
    arc(S::Established, C::CloseCalled, S::FinWait1, &[(36, 13), (36, 14), (14, 14), (14, 15)], (22, 14)),
    arc(S::Established, C::FinArrived, S::CloseWait, &[(44, 13), (44, 14), (66, 14), (66, 15)], (53, 14)),
    arc(S::FinWait1, C::FinAcknowledged, S::FinWait2, &[(6, 17), (6, 19)], (8, 19)),
    arc(S::FinWait1, C::FinArrived, S::Closing, &[(23, 16), (40, 16), (40, 19)], (27, 16)),
    arc(
        S::FinWait1,
        C::FinArrivedAndOursAcknowledged,
        S::TimeWait,
        &[(20, 17), (20, 18), (28, 18), (28, 22), (36, 22), (36, 23)],
        (30, 18),
    ),
    arc(S::FinWait2, C::FinArrived, S::TimeWait, &[(12, 21), (12, 24), (30, 24)], (18, 24)),
    arc(S::CloseWait, C::FinSent, S::LastAck, &[(66, 17), (66, 19)], (68, 18)),
    arc(S::Closing, C::FinAcknowledged, S::TimeWait, &[(40, 21), (40, 23)], (42, 22)),
    arc(S::LastAck, C::FinAcknowledged, S::Closed, &[(66, 21), (66, 27), (50, 27)], (52, 27)),
    arc(S::TimeWait, C::TimeWaitOver, S::Closed, &[(40, 25), (40, 26)], (42, 25)),
    arc(S::SynReceived, C::BackToListen, S::Listen, &[(8, 7), (8, 3), (33, 3)], (13, 3)),
];
