//! Claims about a trace, and whether they hold.
//!
//! One claim a line; `#` begins a remark. The words are English, each with a Portuguese one beside it
//! ([`words`]); upper and lower case and accents are of no account.
//!
//! ```text
//! handshake in 1..3            the three segments of the handshake are among #1 to #3
//! echo "hi" by server within 10ms
//! answer "hi" with "HI" by server within 10ms
//! delivered "hi" to server     the text reached it, however it was cut into segments
//! closed-first-by client       whose FIN came first
//! close-segments 4             FIN, ACK, FIN, ACK; 3 where an ACK and a FIN share one
//! no other-traffic             nothing but this connection
//! retransmissions <= 2         also: lost, copies, packets, streams, zero-windows, resets
//! count SYN,ACK = 1            segments with these flags
//! octets by client = 11        text that this side sent, each octet once
//! port 7000                    the server's; client-port: the client's
//! isn 1234,1567                initial sequence numbers
//! state reached TIME-WAIT by client
//! duration < 5s
//! stream 1                     the claims below are about the second connection
//! not CLAIM                    the opposite of any claim
//! ```
//!
//! Left out: arithmetic, and claims that hold for each packet. A claim that needs those is a program.

pub mod judge;
mod parse;
mod stream;
pub mod words;

use alloc::string::String;
use alloc::vec::Vec;

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_wire::tcp::Control;

use crate::flow::Direction;

pub use judge::{Evidence, Verdict};
pub use parse::{Error, Fault, parse};

/// More claims than this are not read.
pub const MOST_CLAIMS: usize = 1_000;
/// A line longer than this is not read.
pub const MOST_LETTERS: usize = 1_000;

/// A claim, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// In which line, from 1.
    pub line: usize,
    /// As it was written.
    pub text: String,
    /// Whether the opposite is claimed.
    pub not: bool,
    /// About which connection, from 0.
    pub stream: u32,
    /// What is claimed.
    pub what: What,
}

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Who opened.
    Client,
    /// Who was there.
    Server,
}

impl Side {
    /// The direction in which it sends.
    #[must_use]
    pub const fn sends(self) -> Direction {
        match self {
            Self::Client => Direction::Up,
            Self::Server => Direction::Down,
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Counted {
    /// Segments sent again.
    Retransmissions,
    /// Packets that never arrived, where that is known.
    Lost,
    /// Copies that the channel made.
    Copies,
    /// Packets of this connection.
    Packets,
    /// Connections and other conversations of the whole trace.
    Streams,
    /// Segments that say that no more fits.
    ZeroWindows,
    /// Segments with RST.
    Resets,
    /// Segments that have all these flags.
    Flags(Control),
    /// Octets of text of one side, each counted once.
    Octets(Side),
}

/// Which numbers are claimed: from, and to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bounds {
    /// The least.
    pub from: u64,
    /// The most.
    pub to: u64,
}

impl Bounds {
    /// Whether a number is one of them.
    #[must_use]
    pub const fn hold(self, number: u64) -> bool {
        self.from <= number && number <= self.to
    }
}

/// What is claimed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Three segments open the connection, among these packets if any are named.
    Handshake(Option<Bounds>),
    /// One side says something, and this side answers, soon enough.
    Answer {
        /// What is said.
        asked: Vec<u8>,
        /// What is answered.
        answered: Vec<u8>,
        /// Who answers.
        by: Side,
        /// How soon.
        within: Option<Duration>,
    },
    /// A text reaches this side.
    Delivered {
        /// The text.
        text: Vec<u8>,
        /// Whom it reaches.
        to: Side,
    },
    /// Whose FIN comes first.
    ClosedFirst(Side),
    /// How many segments close the connection.
    CloseSegments(Bounds),
    /// There is something else than this connection.
    OtherTraffic,
    /// So many.
    Count(Counted, Bounds),
    /// The port of a side.
    Port(Side, Bounds),
    /// The initial sequence numbers.
    Isn {
        /// The client's.
        client: u32,
        /// The server's.
        server: u32,
    },
    /// A side comes into a state.
    State(State, Side),
    /// From the first packet of the connection to the last; in nanoseconds.
    Duration(Bounds),
}

#[cfg(test)]
mod tests;
