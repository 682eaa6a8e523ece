//! The eleven states of a connection.
//!
//! RFC 9293 §3.3.2. The arcs between them are in [`diagram`](crate::diagram).

use core::fmt;

/// A state of the connection.
///
/// RFC 9293 §3.3.2. CLOSED is fictional there: it is the absence of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum State {
    /// No connection.
    #[default]
    Closed,
    /// Waits for a request from any remote peer.
    Listen,
    /// Has sent a request and waits for the matching one.
    SynSent,
    /// Has received and sent a request and waits for the acknowledgment of its own.
    SynReceived,
    /// Open: data flows both ways.
    Established,
    /// Has sent a FIN and waits for its acknowledgment, or for the peer's FIN.
    FinWait1,
    /// Its FIN was acknowledged; waits for the peer's.
    FinWait2,
    /// The peer has closed; waits for its own user to close.
    CloseWait,
    /// Both have closed at once; waits for the acknowledgment of its FIN.
    Closing,
    /// Has closed after the peer; waits for the acknowledgment of its FIN.
    LastAck,
    /// Waits long enough to be sure that the peer received the last acknowledgment.
    TimeWait,
}

impl State {
    /// All states, in the RFC's order.
    pub const ALL: [Self; 11] = [
        Self::Closed,
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
    ];

    /// Whether both sides know each other's sequence numbers: ESTABLISHED and what follows it.
    ///
    /// RFC 9293 §3.5.1.
    #[must_use]
    pub const fn is_synchronized(self) -> bool {
        match self {
            Self::Closed | Self::Listen | Self::SynSent | Self::SynReceived => false,
            Self::Established
            | Self::FinWait1
            | Self::FinWait2
            | Self::CloseWait
            | Self::Closing
            | Self::LastAck
            | Self::TimeWait => true,
        }
    }

    /// Whether the peer may still send text: no FIN of its has been received.
    #[must_use]
    pub const fn can_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// The RFC's name, as in `SYN-RECEIVED`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
