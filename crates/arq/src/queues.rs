//! The bounded queues around the protocols: what waits to be sent, to be answered, to be read.
//!
//! None of them belongs to a protocol, and none can grow beyond its bound whatever the peer sends or
//! the driver forgets to poll.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use crate::reason::{Event, Note, Observe, Outgoing, Reason};
use crate::{Config, EndOfMessage, Kind, Packet, Sequence};

/// As many notes as are kept for an observer that does not come.
const MAX_NOTES: usize = 4_096;

/// A part of a message that fits a packet.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) octets: Vec<u8>,
    pub(crate) end: EndOfMessage,
}

impl Piece {
    /// The DATA packet that carries it.
    pub(crate) fn packet(&self, sequence: Sequence) -> Packet {
        Packet { kind: Kind::Data, sequence, end: self.end, payload: self.octets.clone() }
    }
}

/// Pieces of messages that have not been sent yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct SendQueue {
    pieces: VecDeque<Piece>,
    gave_up: bool,
}

impl SendQueue {
    /// Cuts a message into pieces; an empty one is one empty piece.
    pub(crate) fn send(&mut self, config: &Config, message: &[u8]) -> Result<(), SendError> {
        if self.gave_up {
            return Err(SendError::GaveUp);
        }
        let payload = usize::from(config.payload_octets);
        let needed = message.len().div_ceil(payload).max(1);
        let free = self.free(config);
        if needed > free {
            return Err(SendError::QueueFull { needed, free });
        }
        let (rest, last) = message.split_at((needed - 1) * payload);
        for octets in rest.chunks(payload) {
            self.pieces.push_back(Piece { octets: octets.to_vec(), end: EndOfMessage::No });
        }
        self.pieces.push_back(Piece { octets: last.to_vec(), end: EndOfMessage::Yes });
        Ok(())
    }

    /// Packets that would still fit.
    pub(crate) fn free(&self, config: &Config) -> usize {
        config.queue_packets.saturating_sub(self.pieces.len())
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(crate) fn next(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }

    /// Forgets everything and takes nothing any more.
    pub(crate) fn give_up(&mut self) {
        self.pieces.clear();
        self.gave_up = true;
    }
}

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The queue has no room for the whole message; nothing of it was taken.
    QueueFull {
        /// Packets that the message needs.
        needed: usize,
        /// Packets that still fit.
        free: usize,
    },
    /// The sender gave up earlier, after too many retries.
    GaveUp,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueueFull { needed, free } => {
                write!(f, "the message needs {needed} packets and the queue has room for {free}")
            }
            Self::GaveUp => write!(f, "the sender gave up after too many retries"),
        }
    }
}

impl core::error::Error for SendError {}

/// Answers that have not left yet.
///
/// Where a driver lets more pile up than two windows, the oldest is forgotten: to the protocols
/// that is one more lost acknowledgement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    waiting: VecDeque<(Kind, Sequence, Reason)>,
}

impl Answers {
    pub(crate) fn push(&mut self, config: &Config, kind: Kind, sequence: Sequence, reason: Reason) {
        if self.waiting.len() >= 2 * usize::from(config.window_packets) {
            self.waiting.pop_front();
        }
        self.waiting.push_back((kind, sequence, reason));
    }

    pub(crate) fn poll(&mut self, config: &Config) -> Option<Outgoing> {
        let (kind, sequence, reason) = self.waiting.pop_front()?;
        let packet = Packet::answer(kind, sequence);
        Some(Outgoing { packet, ordinal: None, reason, format: config.format() })
    }
}

/// What a receiver has delivered and the application has not read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread {
    events: VecDeque<Event>,
    delivered: u64,
}

impl Unread {
    pub(crate) fn deliver(&mut self, sequence: Sequence, piece: Piece) {
        let Piece { octets, end } = piece;
        self.events.push_back(Event::Delivered { octets, end, sequence, ordinal: self.delivered });
        self.delivered += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

/// Notes for an observer, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    observe: Observe,
    notes: VecDeque<Note>,
}

impl Notes {
    pub(crate) fn observe(&mut self, observe: Observe) {
        self.observe = observe;
        self.notes.clear();
    }

    pub(crate) fn take(&mut self, note: Note) {
        if self.observe == Observe::No {
            return;
        }
        if self.notes.len() >= MAX_NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(note);
    }

    pub(crate) fn poll(&mut self) -> Option<Note> {
        self.notes.pop_front()
    }
}
