//! What happened inside a connection, for an observer.
//!
//! Notes are off unless [`Connection::watch`](crate::Connection::watch) asks for them. They are
//! facts with their numbers; nothing in the engine reads them.

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::SackBlock;

use crate::diagram::Cause;
use crate::drop_reason::DropReason;
use crate::state::State;

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// The state moved.
    State {
        /// From here.
        from: State,
        /// To here.
        to: State,
        /// Because of this.
        cause: Cause,
    },
    /// A segment, or part of it, was not used.
    Dropped {
        /// Why.
        reason: DropReason,
    },
    /// A timer was started, or moved.
    TimerStarted {
        /// Which.
        timer: Timer,
        /// When it will fire.
        at: Instant,
    },
    /// A timer was stopped.
    TimerStopped {
        /// Which.
        timer: Timer,
    },
    /// A timer fired.
    TimerFired {
        /// Which.
        timer: Timer,
        /// How long it ran.
        after: Duration,
    },
    /// The retransmission timer fired: the numbers of its formula. RFC 6298 §2.
    RetransmissionTimeout {
        /// The first octet that is not acknowledged.
        una: SeqNumber,
        /// The timeout that ran out.
        rto: Duration,
        /// The smoothed round-trip time, if there was a sample.
        srtt: Option<Duration>,
        /// The variation of the round-trip time.
        rttvar: Duration,
        /// The least timeout that is configured.
        minimum: Duration,
        /// How often it has fired in a row, from 1.
        attempt: u32,
    },
    /// A round-trip time was measured. RFC 6298 §2.
    RttSample {
        /// The sample.
        rtt: Duration,
        /// The smoothed round-trip time after it.
        srtt: Duration,
        /// The variation after it.
        rttvar: Duration,
        /// The retransmission timeout after it.
        rto: Duration,
    },
    /// An acknowledgment gave no sample, because what it covers was sent twice. RFC 6298 §3 (Karn).
    RttAmbiguous,
    /// The congestion window moved.
    CongestionWindow {
        /// In octets.
        cwnd: u32,
        /// The slow start threshold in octets; `u32::MAX` at the start.
        ssthresh: u32,
        /// Octets in flight: SND.NXT - SND.UNA.
        flight: u32,
        /// Why.
        because: WindowChange,
    },
    /// The peer's window moved.
    SendWindow {
        /// SND.WND in octets.
        window: u32,
    },
    /// A duplicate acknowledgment arrived. RFC 5681 §2.
    DuplicateAck {
        /// How many in a row.
        count: u32,
        /// What they ask for: SEG.ACK.
        ack: SeqNumber,
    },
    /// New octets were acknowledged.
    Acknowledged {
        /// How many octets of text.
        octets: u32,
        /// SND.UNA after it.
        una: SeqNumber,
    },
    /// Octets were received in order and wait for the application.
    Received {
        /// How many.
        octets: u32,
    },
    /// A segment was kept although something before it is missing.
    OutOfOrder {
        /// RCV.NXT.
        expected: SeqNumber,
        /// SEG.SEQ.
        arrived: SeqNumber,
        /// How many octets of it were new.
        octets: u32,
    },
    /// A SACK block was ignored. RFC 2018 §5, RFC 2883 §4.
    SackIgnored {
        /// The block.
        block: SackBlock,
    },
    /// The peer says that it received something twice. RFC 2883.
    DuplicateSack {
        /// What it received twice.
        block: SackBlock,
    },
    /// Retransmissions have reached the first threshold, R1. RFC 9293 §3.8.3 \[MUST-20\].
    DeliveryTrouble {
        /// How many times in a row.
        attempt: u32,
    },
    /// The network reported an error that does not end the connection. RFC 9293 §3.9.2.2 \[MUST-56\].
    SoftError,
    /// An option of the segment was malformed; it and what followed it were ignored.
    MalformedOption,
    /// A challenge acknowledgment was withheld: one was sent a moment ago. RFC 5961 §7.
    ChallengeWithheld,
}

/// The timers of a connection.
///
/// RFC 9293 §3.8, §3.10.8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Sends again what is not acknowledged. RFC 6298.
    Retransmission,
    /// Probes a closed window. RFC 9293 §3.8.6.1.
    Persist,
    /// Sends small text that silly-window avoidance holds back. RFC 9293 §3.8.6.2.1.
    Override,
    /// Ends the wait of a delayed acknowledgment. RFC 9293 §3.8.6.3.
    DelayedAck,
    /// Probes an idle connection. RFC 9293 §3.8.4.
    KeepAlive,
    /// Gives up on a silent peer. RFC 9293 §3.8.3.
    User,
    /// Ends TIME-WAIT, or a closed connection that nobody waits for. RFC 9293 §3.6.
    TimeWait,
}

/// Why the congestion window moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowChange {
    /// The initial window. RFC 6928 §2 or RFC 5681 §3.1.
    Initial,
    /// Slow start: as much as was acknowledged. RFC 5681 §3.1, RFC 3465.
    SlowStart,
    /// Congestion avoidance: one segment for each window. RFC 5681 §3.1.
    CongestionAvoidance,
    /// Loss was detected by duplicate ACKs or SACK. RFC 5681 §3.2, RFC 6675 §5.
    FastRetransmit,
    /// Recovery ended: everything sent before the loss was detected has been acknowledged.
    RecoveryEnded,
    /// The retransmission timer fired. RFC 5681 §3.1.
    Timeout,
    /// The connection was idle for longer than a timeout. RFC 5681 §4.1.
    IdleRestart,
}
