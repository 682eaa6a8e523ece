//! Why a segment was not used: what the peer, or somebody in its name, did wrong.

/// Why a segment, or part of one, was dropped.
///
/// A peer's fault is never an `Err` and never a panic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DropReason {
    /// No part of it lies in the receive window. RFC 9293 §3.10.7.4, first.
    OutsideWindow,
    /// It carries nothing that we do not have already.
    OldData,
    /// Its timestamp is older than the last one. RFC 7323 §5.3.
    OldTimestamp,
    /// It has neither ACK nor RST nor SYN. RFC 9293 §3.10.7.4, fifth.
    NoAck,
    /// It acknowledges what was never sent. RFC 9293 §3.10.7.4, fifth.
    AckOfUnsent,
    /// Its acknowledgment is too old to be true. RFC 5961 §5.2.
    AckTooOld,
    /// A reset that is not exactly where it should be. RFC 5961 §3.2.
    InexactReset,
    /// A SYN on an open connection. RFC 5961 §4.2.
    SynOnOpenConnection,
    /// An acknowledgment that a connection request cannot have. RFC 9293 §3.10.7.2, §3.10.7.3.
    UnacceptableAck,
    /// A reset without, or with the wrong, acknowledgment in SYN-SENT. RFC 9293 §3.10.7.3.
    UnprovenReset,
    /// A reset that arrived in TIME-WAIT. RFC 1337.
    ResetInTimeWait,
    /// Neither SYN nor RST in SYN-SENT. RFC 9293 §3.10.7.3, fifth.
    NeitherSynNorReset,
    /// SYN and FIN together on a listener.
    SynWithFin,
    /// A segment for a listener that is no request. RFC 9293 §3.10.7.2, fourth.
    NotASyn,
    /// Text in a SYN, which nobody may believe before the handshake is over.
    DataInSyn,
    /// Text where the peer has sent its FIN already. RFC 9293 §3.10.7.4, seventh.
    DataAfterFin,
    /// Text beyond the window; the part inside it was kept. RFC 9293 §3.10.7.4, first.
    BeyondWindow,
    /// The list of out-of-order pieces is full.
    TooManyPieces,
    /// There is no connection.
    Closed,
    /// A FIN where another FIN, or text, was before.
    FinMoved,
}
