//! Why a segment leaves: a value with the numbers that led to it.
//!
//! The engine attaches a [`Reason`] to each segment at the place where the decision is taken.
//! Nothing here is text: sentences, in each language, are made elsewhere from these values by an
//! exhaustive `match`, so the enums are deliberately not `#[non_exhaustive]`.

use aperto_time::Duration;
use aperto_wire::SeqNumber;

/// Why a segment leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// SYN of an active open. RFC 9293 §3.5.
    ActiveOpen,
    /// SYN,ACK in answer to a SYN that reached a listener. RFC 9293 §3.5.
    PassiveOpen {
        /// The peer's initial sequence number; the segment acknowledges the one after it.
        irs: SeqNumber,
    },
    /// SYN,ACK in answer to a SYN that crossed our own. RFC 9293 §3.5 (Figure 8).
    SimultaneousOpen {
        /// The peer's initial sequence number.
        irs: SeqNumber,
    },
    /// The ACK that completes the three-way handshake. RFC 9293 §3.5.
    HandshakeAck {
        /// The peer's initial sequence number.
        irs: SeqNumber,
    },
    /// Text that leaves for the first time. RFC 9293 §3.8.
    Data {
        /// Octets of text.
        octets: u32,
        /// What let it go now.
        because: DataCause,
        /// How many octets of new data it acknowledges by the way; 0 if none.
        acknowledges: u32,
    },
    /// A FIN, with the last text if `octets` is not 0. RFC 9293 §3.6.
    Fin {
        /// Octets of text before the FIN.
        octets: u32,
        /// Whether the peer had closed first.
        peer_closed_first: bool,
    },
    /// Something that was sent before is sent again.
    Retransmission {
        /// What made us send it again.
        because: RetransmissionCause,
        /// Octets of text.
        octets: u32,
    },
    /// An acknowledgment without text.
    Ack(AckCause),
    /// A zero-window probe. RFC 9293 §3.8.6.1.
    WindowProbe {
        /// Which probe since the window closed, from 1.
        attempt: u32,
        /// How long we waited before this one.
        waited: Duration,
        /// How long we will wait before the next.
        next: Duration,
    },
    /// A keep-alive probe. RFC 9293 §3.8.4.
    KeepAlive {
        /// Which probe since the peer was last heard, from 1.
        attempt: u32,
        /// How long the connection was idle.
        idle: Duration,
    },
    /// A reset. RFC 9293 §3.5.2.
    Reset(ResetCause),
}

/// What let new text go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataCause {
    /// The application wrote it and nothing held it back.
    Written,
    /// It was queued behind the congestion window, and an ACK made room. RFC 5681 §3.
    CongestionWindowOpened {
        /// The congestion window now, in octets.
        cwnd: u32,
    },
    /// It was queued behind the peer's window, which has opened. RFC 9293 §3.8.6.
    WindowOpened {
        /// SND.WND now, in octets.
        window: u32,
    },
    /// Nagle's algorithm held it until everything before it was acknowledged. RFC 9293 §3.7.4.
    NagleReleased,
    /// Nagle's algorithm or silly-window avoidance held it until a full segment was there.
    Filled,
    /// The override timer of silly-window avoidance fired. RFC 9293 §3.8.6.2.1.
    OverrideTimeout,
    /// Limited transmit: a duplicate ACK lets one new segment go. RFC 3042.
    LimitedTransmit {
        /// How many duplicate ACKs have come, 1 or 2.
        duplicate_acks: u32,
    },
    /// In loss recovery: a segment has left the network, one may enter. RFC 6675 §5, RFC 6582.
    Recovery {
        /// Octets that are estimated to be in the network.
        pipe: u32,
        /// The congestion window, in octets.
        cwnd: u32,
    },
}

/// What made us send something again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetransmissionCause {
    /// The retransmission timer fired. RFC 6298 §5.4 to §5.6.
    Timeout {
        /// How often this has been sent again by the timer, from 1.
        attempt: u32,
        /// The timeout that ran out.
        rto: Duration,
        /// The timeout from now on: doubled, up to the limit.
        next_rto: Duration,
        /// The congestion window from now on, in octets.
        cwnd: u32,
    },
    /// Goes on with what the timer found missing, as acknowledgments come. RFC 5681 §3.1.
    AfterTimeout {
        /// The congestion window, in octets.
        cwnd: u32,
    },
    /// Duplicate ACKs or SACK say that it was lost. RFC 5681 §3.2, RFC 6675 §5.
    FastRetransmit {
        /// Duplicate ACKs so far.
        duplicate_acks: u32,
        /// The congestion window from now on, in octets.
        cwnd: u32,
        /// The slow start threshold from now on, in octets.
        ssthresh: u32,
    },
    /// The next hole that SACK shows. RFC 6675 §5, NextSeg rules 1 and 3.
    SackHole {
        /// Octets that are estimated to be in the network.
        pipe: u32,
        /// The congestion window, in octets.
        cwnd: u32,
    },
    /// An ACK in recovery uncovered the next hole. RFC 6582 §3.2.
    PartialAck {
        /// How far recovery goes: the highest number sent when it began.
        recover: SeqNumber,
    },
    /// The peer sent its SYN again, so our SYN,ACK was lost. RFC 9293 §3.8.1.
    SynAgain,
    /// A router said that it was too big for the path: it leaves in smaller pieces. RFC 1191 §6.4.
    PathTooNarrow {
        /// The segment size from now on, in octets.
        mss: u32,
    },
}

/// Why an acknowledgment without text leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AckCause {
    /// At least every second full-sized segment is acknowledged at once. RFC 9293 §3.8.6.3 \[SHLD-19\].
    SecondSegment {
        /// Octets that it acknowledges.
        octets: u32,
    },
    /// The delayed acknowledgment waited for data to travel with and none came. RFC 9293 §3.8.6.3.
    Delayed {
        /// How long it waited.
        waited: Duration,
        /// Octets that it acknowledges.
        octets: u32,
    },
    /// Delaying is switched off: every segment is acknowledged at once.
    NotDelayed {
        /// Octets that it acknowledges.
        octets: u32,
    },
    /// A segment arrived beyond a hole: ask again for what is missing. RFC 5681 §4.2.
    OutOfOrder {
        /// RCV.NXT: the octet that is missing.
        expected: SeqNumber,
        /// SEG.SEQ of what arrived.
        arrived: SeqNumber,
    },
    /// A segment filled a hole, whole or in part. RFC 5681 §4.2.
    HoleFilled {
        /// By how many octets RCV.NXT moved.
        octets: u32,
    },
    /// A segment arrived whose text we have already. RFC 9293 §3.10.7.4, RFC 2883 §4.
    Duplicate {
        /// SEG.SEQ of what arrived.
        arrived: SeqNumber,
    },
    /// A segment arrived that does not fit the window. RFC 9293 §3.10.7.4, first.
    Unacceptable {
        /// SEG.SEQ of what arrived.
        arrived: SeqNumber,
        /// RCV.NXT.
        expected: SeqNumber,
        /// RCV.WND.
        window: u32,
    },
    /// A segment's timestamp is older than the last. RFC 7323 §5.3.
    OldTimestamp {
        /// SEG.TSval.
        value: u32,
        /// TS.Recent.
        recent: u32,
    },
    /// A segment acknowledges what was never sent. RFC 9293 §3.10.7.4, fifth.
    AckOfUnsent {
        /// SEG.ACK.
        ack: SeqNumber,
        /// SND.NXT.
        next: SeqNumber,
    },
    /// A FIN arrived. RFC 9293 §3.10.7.4, eighth.
    FinArrived {
        /// Whether we may still send: our own FIN has not left.
        half_closed: bool,
    },
    /// The window has opened enough to be worth telling. RFC 9293 §3.8.6.2.2.
    WindowUpdate {
        /// The window as the peer knew it, in octets.
        from: u32,
        /// The window now, in octets.
        to: u32,
    },
    /// A challenge: a segment that a stranger could have sent must prove itself. RFC 5961.
    Challenge(ChallengeCause),
    /// A probe of a closed window, or a keep-alive, is answered. RFC 9293 §3.8.4, §3.8.6.1.
    ProbeAnswered,
}

/// What is challenged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChallengeCause {
    /// A reset inside the window, but not exactly at RCV.NXT. RFC 5961 §3.2.
    Reset {
        /// SEG.SEQ.
        arrived: SeqNumber,
        /// RCV.NXT.
        expected: SeqNumber,
    },
    /// A SYN on a synchronized connection. RFC 5961 §4.2.
    Syn,
    /// An acknowledgment too old to be true. RFC 5961 §5.2.
    OldAck {
        /// SEG.ACK.
        ack: SeqNumber,
        /// SND.UNA.
        una: SeqNumber,
    },
}

/// Why a reset leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResetCause {
    /// Nobody is there: no connection and no listener. RFC 9293 §3.5.2, group 1.
    NoConnection,
    /// It acknowledges something that we never sent, before the connection is open. §3.5.2, group 2.
    UnacceptableAck {
        /// SEG.ACK.
        ack: SeqNumber,
    },
    /// The user aborted. RFC 9293 §3.10.5.
    Abort,
    /// The application is gone while text waits to be read, or text arrives after. RFC 9293 §3.6.1.
    UnreadData {
        /// Octets that nobody will read.
        octets: u32,
    },
    /// The peer was silent for too long. RFC 9293 §3.8.3.
    GaveUp,
}
