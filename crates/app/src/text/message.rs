//! The messages, their order, and how each dialect writes them.

use alloc::format;
use alloc::string::String;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// `SYN:2389`, `SYN-ACK:4404:ACK:2390`, `ACK:4405`, and four messages that close, the server first.
    Handshake,
    /// `[1] SYN/seq=1234`, `[2] SYN/seq=1567 ACK/seq=1235`, `[3] ACK/seq=1568`.
    ThreeWay,
}

/// Which side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Who begins.
    Client,
    /// Who answers.
    Server,
}

/// What uses up a number, as the first octet of a text would. RFC 9293 §3.4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Counts {
    /// The beginning.
    Syn,
    /// The end.
    Fin,
}

/// A message, with its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// Asks to begin.
    Syn {
        /// Where its sender counts from.
        seq: u32,
    },
    /// Accepts, and begins too.
    SynAck {
        /// Where its sender counts from.
        seq: u32,
        /// The number after the other side's SYN.
        ack: u32,
    },
    /// Acknowledges.
    Ack {
        /// The next number that is expected.
        ack: u32,
        /// What is acknowledged.
        of: Counts,
    },
    /// Its sender has nothing more to say.
    Fin {
        /// Its number.
        seq: u32,
    },
}

impl Message {
    /// Its numbers, in the order in which they are written.
    pub(super) const fn numbers(self) -> [Option<u32>; 2] {
        match self {
            Self::Syn { seq } | Self::Fin { seq } => [Some(seq), None],
            Self::SynAck { seq, ack } => [Some(seq), Some(ack)],
            Self::Ack { ack, .. } => [Some(ack), None],
        }
    }
}

/// What a message is for, before its numbers are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Syn,
    SynAck,
    AckOfSyn,
    Fin,
    AckOfFin,
}

impl What {
    /// The message of a side that counts from `first`, to one that counts from `other`: SYN and FIN
    /// take one number each, and nothing is said between them.
    pub(super) const fn message(self, first: u32, other: u32) -> Message {
        match self {
            Self::Syn => Message::Syn { seq: first },
            Self::SynAck => Message::SynAck { seq: first, ack: other.wrapping_add(1) },
            Self::AckOfSyn => Message::Ack { ack: other.wrapping_add(1), of: Counts::Syn },
            Self::Fin => Message::Fin { seq: first.wrapping_add(1) },
            Self::AckOfFin => Message::Ack { ack: other.wrapping_add(2), of: Counts::Fin },
        }
    }
}

const HANDSHAKE: [(Role, What); 7] = [
    (Role::Client, What::Syn),
    (Role::Server, What::SynAck),
    (Role::Client, What::AckOfSyn),
    (Role::Server, What::Fin),
    (Role::Client, What::AckOfFin),
    (Role::Client, What::Fin),
    (Role::Server, What::AckOfFin),
];

const THREE_WAY: [(Role, What); 3] =
    [(Role::Client, What::Syn), (Role::Server, What::SynAck), (Role::Client, What::AckOfSyn)];

/// A part of a message as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// `[2] `, which may be missing.
    Tag(u8),
    /// A word.
    Word(&'static str),
    /// The first or the second number.
    Number(usize),
}

impl Dialect {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::ThreeWay => "three-way",
        }
    }

    /// The port that the programs of the courses use.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Handshake => 5000,
            Self::ThreeWay => 1337,
        }
    }

    /// The numbers that client and server count from, where nothing is said.
    #[must_use]
    pub const fn firsts(self) -> (u32, u32) {
        match self {
            Self::Handshake => (2389, 4404),
            Self::ThreeWay => (1234, 1567),
        }
    }

    /// After how many messages both sides know that the other one hears them.
    #[must_use]
    pub const fn opening(self) -> usize {
        3
    }

    /// How many messages there are in all.
    #[must_use]
    pub const fn messages(self) -> usize {
        self.script().len()
    }

    pub(super) const fn script(self) -> &'static [(Role, What)] {
        match self {
            Self::Handshake => &HANDSHAKE,
            Self::ThreeWay => &THREE_WAY,
        }
    }

    /// What the message at this place (from 0) is made of.
    pub(super) fn pieces(self, at: usize, what: What) -> [Option<Piece>; 5] {
        let number = |place| Some(Piece::Number(place));
        let word = |text| Some(Piece::Word(text));
        match (self, what) {
            (Self::Handshake, What::Syn) => [word("SYN:"), number(0), None, None, None],
            (Self::Handshake, What::SynAck) => [word("SYN-ACK:"), number(0), word(":ACK:"), number(1), None],
            (Self::Handshake, What::AckOfSyn | What::AckOfFin) => [word("ACK:"), number(0), None, None, None],
            (Self::Handshake, What::Fin) => [word("FIN:"), number(0), None, None, None],
            (Self::ThreeWay, what) => {
                let tag = Some(Piece::Tag(u8::try_from(at + 1).unwrap_or(u8::MAX)));
                match what {
                    What::Syn => [tag, word("SYN/seq="), number(0), None, None],
                    What::SynAck => [tag, word("SYN/seq="), number(0), word(" ACK/seq="), number(1)],
                    What::AckOfSyn | What::AckOfFin => [tag, word("ACK/seq="), number(0), None, None],
                    What::Fin => [tag, word("FIN/seq="), number(0), None, None],
                }
            }
        }
    }

    /// A message as it is written.
    pub(super) fn write(self, at: usize, message: &Message) -> String {
        let what = match message {
            Message::Syn { .. } => What::Syn,
            Message::SynAck { .. } => What::SynAck,
            Message::Ack { of: Counts::Syn, .. } => What::AckOfSyn,
            Message::Ack { of: Counts::Fin, .. } => What::AckOfFin,
            Message::Fin { .. } => What::Fin,
        };
        self.example(at, what, message.numbers())
    }

    /// A message with the numbers that are known, and dots for the others.
    pub(super) fn example(self, at: usize, what: What, numbers: [Option<u32>; 2]) -> String {
        self.pieces(at, what).into_iter().flatten().fold(String::new(), |mut text, piece| {
            match piece {
                Piece::Tag(tag) => text.push_str(&format!("[{tag}] ")),
                Piece::Word(word) => text.push_str(word),
                Piece::Number(place) => match numbers.get(place).copied().flatten() {
                    Some(number) => text.push_str(&format!("{number}")),
                    None => text.push_str("..."),
                },
            }
            text
        })
    }
}
