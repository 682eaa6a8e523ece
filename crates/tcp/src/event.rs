//! What a connection tells its application.

use core::fmt;

/// Something that the application should know.
///
/// Events say that something is worth looking at; how much there is to read or room to write is
/// asked of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The connection is open. RFC 9293 §3.10.7.
    Established,
    /// There is text to read that was not there before.
    Readable,
    /// There is room to write after [`send`](crate::Connection::send) had to refuse some octets.
    Writable,
    /// Urgent text was announced, or its end has moved. RFC 9293 §3.8.5 \[MUST-32\].
    Urgent,
    /// The peer will send no more text. RFC 9293 §3.6.
    PeerClosed,
    /// The peer has not answered for a while; we keep trying. RFC 9293 §3.8.3 \[SHLD-9\].
    DeliveryTrouble,
    /// The connection is over; nothing follows.
    Ended(End),
}

/// How a connection ended: in good order, or not. RFC 9293 §3.6 \[MUST-12\].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// Both sides closed and everything arrived.
    Closed,
    /// The peer refused the connection. RFC 9293 §3.10.7.3.
    Refused,
    /// The peer reset the connection. RFC 9293 §3.10.7.4, second.
    Reset,
    /// The peer did not answer for too long. RFC 9293 §3.8.3.
    TimedOut,
    /// The network said that the peer cannot be reached. RFC 9293 §3.9.2.2.
    Unreachable,
    /// Our own user aborted it. RFC 9293 §3.10.5.
    Aborted,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "connection closed",
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::TimedOut => "connection timed out",
            Self::Unreachable => "destination unreachable",
            Self::Aborted => "connection aborted",
        })
    }
}
