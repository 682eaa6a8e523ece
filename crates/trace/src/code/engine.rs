//! Codes of what `aperto-tcp` says.

use aperto_tcp::diagram::Cause;
use aperto_tcp::{
    AckCause, ChallengeCause, DataCause, DropReason, End, Event, Note, Reason, ResetCause,
    RetransmissionCause, State, Timer, WindowChange,
};

use super::{Coded, codes, fields_of_codes};
use crate::json::{Codec, Fault, Field, Fields, Object};

impl Coded for Reason {
    fn code(&self) -> &'static str {
        match self {
            Self::ActiveOpen => "active-open",
            Self::PassiveOpen { .. } => "passive-open",
            Self::SimultaneousOpen { .. } => "simultaneous-open",
            Self::HandshakeAck { .. } => "handshake-ack",
            Self::Data { because, .. } => because.code(),
            Self::Fin { .. } => "fin",
            Self::Retransmission { because, .. } => because.code(),
            Self::Ack(cause) => cause.code(),
            Self::WindowProbe { .. } => "window-probe",
            Self::KeepAlive { .. } => "keep-alive",
            Self::Reset(cause) => cause.code(),
        }
    }
}

impl Codec for Reason {
    fn put(&self, out: &mut Object) {
        match self {
            Self::ActiveOpen => {}
            Self::PassiveOpen { irs } | Self::SimultaneousOpen { irs } | Self::HandshakeAck { irs } => {
                out.field("irs", irs);
            }
            Self::Data { octets, because, acknowledges } => {
                out.field("octets", octets);
                out.field("acknowledges", acknowledges);
                because.put(out);
            }
            Self::Fin { octets, peer_closed_first } => {
                out.field("octets", octets);
                out.field("peer_closed_first", peer_closed_first);
            }
            Self::Retransmission { because, octets } => {
                out.field("octets", octets);
                because.put(out);
            }
            Self::Ack(cause) => cause.put(out),
            Self::WindowProbe { attempt, waited, next } => {
                out.field("attempt", attempt);
                out.field("waited_ns", waited);
                out.field("next_ns", next);
            }
            Self::KeepAlive { attempt, idle } => {
                out.field("attempt", attempt);
                out.field("idle_ns", idle);
            }
            Self::Reset(cause) => cause.put(out),
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        if let Some(because) = DataCause::take(code, from)? {
            let (octets, acknowledges) = (from.get("octets")?, from.get("acknowledges")?);
            return Ok(Some(Self::Data { octets, because, acknowledges }));
        }
        if let Some(because) = RetransmissionCause::take(code, from)? {
            return Ok(Some(Self::Retransmission { because, octets: from.get("octets")? }));
        }
        if let Some(cause) = AckCause::take(code, from)? {
            return Ok(Some(Self::Ack(cause)));
        }
        if let Some(cause) = ResetCause::take(code, from)? {
            return Ok(Some(Self::Reset(cause)));
        }
        Ok(Some(match code {
            "active-open" => Self::ActiveOpen,
            "passive-open" => Self::PassiveOpen { irs: from.get("irs")? },
            "simultaneous-open" => Self::SimultaneousOpen { irs: from.get("irs")? },
            "handshake-ack" => Self::HandshakeAck { irs: from.get("irs")? },
            "fin" => {
                Self::Fin { octets: from.get("octets")?, peer_closed_first: from.get("peer_closed_first")? }
            }
            "window-probe" => Self::WindowProbe {
                attempt: from.get("attempt")?,
                waited: from.get("waited_ns")?,
                next: from.get("next_ns")?,
            },
            "keep-alive" => Self::KeepAlive { attempt: from.get("attempt")?, idle: from.get("idle_ns")? },
            _ => return Ok(None),
        }))
    }
}

codes!(DataCause {
    Written => "data-written",
    CongestionWindowOpened { cwnd: "cwnd" } => "data-congestion-window-opened",
    WindowOpened { window: "window" } => "data-window-opened",
    NagleReleased => "data-nagle-released",
    Filled => "data-filled",
    OverrideTimeout => "data-override-timeout",
    LimitedTransmit { duplicate_acks: "duplicate_acks" } => "data-limited-transmit",
    Recovery { pipe: "pipe", cwnd: "cwnd" } => "data-recovery",
});

codes!(RetransmissionCause {
    Timeout { attempt: "attempt", rto: "rto_ns", next_rto: "next_rto_ns", cwnd: "cwnd" }
        => "retransmission-timeout",
    AfterTimeout { cwnd: "cwnd" } => "retransmission-after-timeout",
    FastRetransmit { duplicate_acks: "duplicate_acks", cwnd: "cwnd", ssthresh: "ssthresh" }
        => "retransmission-fast",
    SackHole { pipe: "pipe", cwnd: "cwnd" } => "retransmission-sack-hole",
    PartialAck { recover: "recover" } => "retransmission-partial-ack",
    SynAgain => "retransmission-syn-again",
    PathTooNarrow { mss: "mss" } => "retransmission-path-too-narrow",
});

impl Coded for AckCause {
    fn code(&self) -> &'static str {
        match self {
            Self::SecondSegment { .. } => "ack-second-segment",
            Self::Delayed { .. } => "ack-delayed",
            Self::NotDelayed { .. } => "ack-not-delayed",
            Self::OutOfOrder { .. } => "ack-out-of-order",
            Self::HoleFilled { .. } => "ack-hole-filled",
            Self::Duplicate { .. } => "ack-duplicate",
            Self::Unacceptable { .. } => "ack-unacceptable",
            Self::OldTimestamp { .. } => "ack-old-timestamp",
            Self::AckOfUnsent { .. } => "ack-of-unsent",
            Self::FinArrived { .. } => "ack-fin-arrived",
            Self::WindowUpdate { .. } => "ack-window-update",
            Self::Challenge(cause) => cause.code(),
            Self::ProbeAnswered => "ack-probe-answered",
        }
    }
}

impl Codec for AckCause {
    fn put(&self, out: &mut Object) {
        match self {
            Self::SecondSegment { octets } | Self::NotDelayed { octets } | Self::HoleFilled { octets } => {
                out.field("octets", octets);
            }
            Self::Delayed { waited, octets } => {
                out.field("waited_ns", waited);
                out.field("octets", octets);
            }
            Self::OutOfOrder { expected, arrived } => {
                out.field("expected", expected);
                out.field("arrived", arrived);
            }
            Self::Duplicate { arrived } => out.field("arrived", arrived),
            Self::Unacceptable { arrived, expected, window } => {
                out.field("arrived", arrived);
                out.field("expected", expected);
                out.field("window", window);
            }
            Self::OldTimestamp { value, recent } => {
                out.field("value", value);
                out.field("recent", recent);
            }
            Self::AckOfUnsent { ack, next } => {
                out.field("ack", ack);
                out.field("next", next);
            }
            Self::FinArrived { half_closed } => out.field("half_closed", half_closed),
            Self::WindowUpdate { from, to } => {
                out.field("from", from);
                out.field("to", to);
            }
            Self::Challenge(cause) => cause.put(out),
            Self::ProbeAnswered => {}
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        if let Some(cause) = ChallengeCause::take(code, from)? {
            return Ok(Some(Self::Challenge(cause)));
        }
        Ok(Some(match code {
            "ack-second-segment" => Self::SecondSegment { octets: from.get("octets")? },
            "ack-delayed" => Self::Delayed { waited: from.get("waited_ns")?, octets: from.get("octets")? },
            "ack-not-delayed" => Self::NotDelayed { octets: from.get("octets")? },
            "ack-out-of-order" => {
                Self::OutOfOrder { expected: from.get("expected")?, arrived: from.get("arrived")? }
            }
            "ack-hole-filled" => Self::HoleFilled { octets: from.get("octets")? },
            "ack-duplicate" => Self::Duplicate { arrived: from.get("arrived")? },
            "ack-unacceptable" => Self::Unacceptable {
                arrived: from.get("arrived")?,
                expected: from.get("expected")?,
                window: from.get("window")?,
            },
            "ack-old-timestamp" => {
                Self::OldTimestamp { value: from.get("value")?, recent: from.get("recent")? }
            }
            "ack-of-unsent" => Self::AckOfUnsent { ack: from.get("ack")?, next: from.get("next")? },
            "ack-fin-arrived" => Self::FinArrived { half_closed: from.get("half_closed")? },
            "ack-window-update" => Self::WindowUpdate { from: from.get("from")?, to: from.get("to")? },
            "ack-probe-answered" => Self::ProbeAnswered,
            _ => return Ok(None),
        }))
    }
}

codes!(ChallengeCause {
    Reset { arrived: "arrived", expected: "expected" } => "challenge-reset",
    Syn => "challenge-syn",
    OldAck { ack: "ack", una: "una" } => "challenge-old-ack",
});

codes!(ResetCause {
    NoConnection => "reset-no-connection",
    UnacceptableAck { ack: "ack" } => "reset-unacceptable-ack",
    Abort => "reset-abort",
    UnreadData { octets: "octets" } => "reset-unread-data",
    GaveUp => "reset-gave-up",
});

codes!(DropReason {
    OutsideWindow => "outside-window",
    OldData => "old-data",
    OldTimestamp => "old-timestamp",
    NoAck => "no-ack",
    AckOfUnsent => "ack-of-unsent",
    AckTooOld => "ack-too-old",
    InexactReset => "inexact-reset",
    SynOnOpenConnection => "syn-on-open-connection",
    UnacceptableAck => "unacceptable-ack",
    UnprovenReset => "unproven-reset",
    ResetInTimeWait => "reset-in-time-wait",
    NeitherSynNorReset => "neither-syn-nor-reset",
    SynWithFin => "syn-with-fin",
    NotASyn => "not-a-syn",
    DataInSyn => "data-in-syn",
    DataAfterFin => "data-after-fin",
    BeyondWindow => "beyond-window",
    TooManyPieces => "too-many-pieces",
    Closed => "closed",
    FinMoved => "fin-moved",
});

codes!(Cause {
    ActiveOpen => "active-open",
    PassiveOpen => "passive-open",
    SynArrived => "syn-arrived",
    SynAckArrived => "syn-ack-arrived",
    SynAcknowledged => "syn-acknowledged",
    CloseCalled => "close-called",
    FinSent => "fin-sent",
    FinArrived => "fin-arrived",
    FinAcknowledged => "fin-acknowledged",
    FinArrivedAndOursAcknowledged => "fin-arrived-and-ours-acknowledged",
    ResetArrived => "reset-arrived",
    AbortCalled => "abort-called",
    TimeWaitOver => "time-wait-over",
    UserTimeout => "user-timeout",
    OrphanTimeout => "orphan-timeout",
    Unreachable => "unreachable",
    BackToListen => "back-to-listen",
});

codes!(Timer {
    Retransmission => "retransmission",
    Persist => "persist",
    Override => "override",
    DelayedAck => "delayed-ack",
    KeepAlive => "keep-alive",
    User => "user",
    TimeWait => "time-wait",
});

codes!(WindowChange {
    Initial => "initial",
    SlowStart => "slow-start",
    CongestionAvoidance => "congestion-avoidance",
    FastRetransmit => "fast-retransmit",
    RecoveryEnded => "recovery-ended",
    Timeout => "timeout",
    IdleRestart => "idle-restart",
});

codes!(End {
    Closed => "closed",
    Refused => "refused",
    Reset => "reset",
    TimedOut => "timed-out",
    Unreachable => "unreachable",
    Aborted => "aborted",
});

codes!(Note {
    State { from: "from", to: "to", cause: "cause" } => "state",
    Dropped { reason: "reason" } => "dropped",
    TimerStarted { timer: "timer", at: "due_ns" } => "timer-started",
    TimerStopped { timer: "timer" } => "timer-stopped",
    TimerFired { timer: "timer", after: "after_ns" } => "timer-fired",
    RetransmissionTimeout {
        una: "una", rto: "rto_ns", srtt: "srtt_ns", rttvar: "rttvar_ns", minimum: "minimum_ns",
        attempt: "attempt",
    } => "retransmission-timeout",
    RttSample { rtt: "rtt_ns", srtt: "srtt_ns", rttvar: "rttvar_ns", rto: "rto_ns" } => "rtt-sample",
    RttAmbiguous => "rtt-ambiguous",
    CongestionWindow { cwnd: "cwnd", ssthresh: "ssthresh", flight: "flight", because: "because" }
        => "congestion-window",
    SendWindow { window: "window" } => "send-window",
    DuplicateAck { count: "count", ack: "ack" } => "duplicate-ack",
    Acknowledged { octets: "octets", una: "una" } => "acknowledged",
    Received { octets: "octets" } => "received",
    OutOfOrder { expected: "expected", arrived: "arrived", octets: "octets" } => "out-of-order",
    SackIgnored { block: "block" } => "sack-ignored",
    DuplicateSack { block: "block" } => "duplicate-sack",
    DeliveryTrouble { attempt: "attempt" } => "delivery-trouble",
    SoftError => "soft-error",
    MalformedOption => "malformed-option",
    ChallengeWithheld => "challenge-withheld",
});

impl Coded for Event {
    fn code(&self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::Readable => "readable",
            Self::Writable => "writable",
            Self::Urgent => "urgent",
            Self::PeerClosed => "peer-closed",
            Self::DeliveryTrouble => "delivery-trouble",
            Self::Ended(_) => "ended",
        }
    }
}

impl Codec for Event {
    fn put(&self, out: &mut Object) {
        if let Self::Ended(end) = self {
            out.field("how", end);
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        Ok(Some(match code {
            "established" => Self::Established,
            "readable" => Self::Readable,
            "writable" => Self::Writable,
            "urgent" => Self::Urgent,
            "peer-closed" => Self::PeerClosed,
            "delivery-trouble" => Self::DeliveryTrouble,
            "ended" => Self::Ended(from.get("how")?),
            _ => return Ok(None),
        }))
    }
}

impl Field for State {
    fn write(&self, out: &mut alloc::string::String) {
        crate::json::write_text(self.name(), out);
    }

    fn read(value: &serde_json::Value) -> Option<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

fields_of_codes!(alone: Cause, Timer, WindowChange, End, DropReason);
fields_of_codes!(object: Reason);
