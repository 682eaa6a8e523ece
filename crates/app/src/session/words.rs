//! What a session is told and what it says: times, datagrams, events, endings.

use alloc::vec::Vec;
use core::time::Duration;

use aperto_arq::Outgoing;

use super::Control;
use crate::hello::{Hello, Refusal, Terms};

/// Times and patience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// How long the first ASK or FIN waits for its answer; each repetition waits twice as long, up
    /// to 2 s. Default 300 ms.
    pub first_wait: Duration,
    /// How often an ASK or a FIN is sent before the peer is given up. Default 8.
    pub tries: u32,
    /// The least timer of the protocol. It becomes twice the round trip of the HELLO if that is
    /// more. Default 100 ms.
    pub timer: Duration,
    /// How often in a row a packet is sent again. Default 15.
    pub max_retries: u32,
    /// How long a peer may be silent before the session is given up. Default 10 minutes.
    pub idle: Duration,
    /// How long a session that was granted may stay without a first packet. Default 10 s.
    pub unproven: Duration,
    /// How long after the last FIN the side that answered it stays to answer it again. Default 5 s.
    pub linger: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(300),
            tries: 8,
            timer: Duration::from_millis(100),
            max_retries: 15,
            idle: Duration::from_secs(600),
            unproven: Duration::from_secs(10),
            linger: Duration::from_secs(5),
        }
    }
}

/// Something that leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram {
    /// The octets to send.
    pub octets: Vec<u8>,
    /// What they are.
    pub what: What,
}

/// What a datagram is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A part of the negotiation; the how-manieth time, from 1.
    Hello(Hello, u32),
    /// A packet of the protocol, with its reason.
    Packet(Outgoing),
    /// A part of the end; the how-manieth time, from 1.
    Control(Control, u32),
}

/// What the application hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Both sides agreed.
    Opened(Terms),
    /// A message arrived.
    Message(Vec<u8>),
    /// Everything that was sent has been acknowledged.
    AllAcknowledged,
    /// The peer will say no more.
    PeerFinished,
    /// It is over, and how.
    Ended(Ending),
}

/// How a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// Both sides said FIN, and everything arrived.
    Closed,
    /// The other side granted nothing.
    Refused(Refusal),
    /// What came in answer to the ASK is nothing that was asked for.
    Foreign,
    /// The other side never answered the ASK.
    NoAnswer,
    /// It stopped answering.
    Silent,
    /// Everything that was said has been acknowledged, but the FIN never was answered: whether the
    /// peer knows that this is the end cannot be known.
    FinUnanswered,
    /// It ended the session.
    Reset,
    /// It does not keep to what was agreed.
    Broken,
    /// This side ended it.
    Aborted,
}

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CannotSend {
    /// The session is not open, or closing.
    NotOpen,
    /// Longer than was agreed.
    TooLong {
        /// The longest, in octets.
        longest: u32,
    },
    /// The queue is full; try again when something was acknowledged.
    Full,
}
