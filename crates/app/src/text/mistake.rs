//! What can be wrong with a message, named as a teacher would.

use alloc::string::String;
use core::time::Duration;

use super::message::{Counts, Dialect, What};

/// What a line begins with that says that the other side is wrong, in each language.
pub const COMPLAINTS: [&str; 2] = ["error: ", "erro: "];

/// What was wrong.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Mistake {
    /// An acknowledgment with a number that is not the next one.
    Ack {
        /// The number that came.
        got: u32,
        /// What should be acknowledged.
        of: Counts,
        /// The number that this used.
        used: u32,
        /// The right number.
        right: u32,
        /// What was probably thought.
        slip: AckSlip,
    },
    /// A FIN with a number that is not the next one of its sender.
    Seq {
        /// The number that came.
        got: u32,
        /// The number of the sender's SYN.
        used: u32,
        /// The right number.
        right: u32,
        /// What was probably thought.
        slip: SeqSlip,
    },
    /// Not the words of a message.
    WrongWord {
        /// What came.
        got: String,
        /// What should have come.
        expected: String,
    },
    /// A message of this conversation at the wrong time.
    OutOfOrder {
        /// What came.
        got: String,
        /// What should have come.
        expected: String,
    },
    /// Something else where a number should be.
    NotANumber {
        /// What came.
        got: String,
        /// What should have come.
        expected: String,
    },
    /// A number of more than 32 bits.
    TooLarge {
        /// What came.
        got: String,
    },
    /// A message that does not end.
    TooLong {
        /// The most octets that a message has.
        most: usize,
    },
    /// The other side closed before its turn was over.
    ClosedEarly {
        /// What should have come.
        expected: String,
        /// What had come of it.
        got: String,
    },
    /// The other side said nothing in time.
    Silent {
        /// How long its turn lasted.
        after: Duration,
        /// What should have come.
        expected: String,
        /// What had come of it.
        got: String,
    },
    /// The other side says that we are wrong.
    TheyComplain {
        /// Its words.
        text: String,
    },
}

/// What somebody thought who acknowledged a wrong number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AckSlip {
    /// The number itself, instead of the next.
    ForgotPlusOne,
    /// The sender's own number, which it never acknowledges.
    OwnNumber,
    /// One more than the next.
    OneTooMany,
    /// Nothing that can be guessed.
    Other,
}

/// What somebody thought whose FIN has a wrong number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SeqSlip {
    /// The number of the SYN, which is used up.
    ForgotPlusOne,
    /// The number of the other side: each side counts on its own.
    OtherSides,
    /// Nothing that can be guessed.
    Other,
}

impl Mistake {
    /// A name that does not change.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ack { slip: AckSlip::ForgotPlusOne, .. } => "ack-without-plus-one",
            Self::Ack { slip: AckSlip::OwnNumber, .. } => "ack-of-own-number",
            Self::Ack { slip: AckSlip::OneTooMany, .. } => "ack-of-one-too-many",
            Self::Ack { slip: AckSlip::Other, .. } => "wrong-ack",
            Self::Seq { slip: SeqSlip::ForgotPlusOne, .. } => "seq-without-plus-one",
            Self::Seq { slip: SeqSlip::OtherSides, .. } => "seq-of-other-side",
            Self::Seq { slip: SeqSlip::Other, .. } => "wrong-seq",
            Self::WrongWord { .. } => "wrong-word",
            Self::OutOfOrder { .. } => "out-of-order",
            Self::NotANumber { .. } => "not-a-number",
            Self::TooLarge { .. } => "number-too-large",
            Self::TooLong { .. } => "message-too-long",
            Self::ClosedEarly { .. } => "closed-early",
            Self::Silent { .. } => "silent",
            Self::TheyComplain { .. } => "they-complain",
        }
    }
}

/// The peer, who counts from `theirs`, acknowledged a wrong number of ours.
pub(super) const fn wrong_ack(got: u32, what: What, own: u32, theirs: u32) -> Mistake {
    let (of, used) = match what {
        What::AckOfFin => (Counts::Fin, own.wrapping_add(1)),
        What::Syn | What::SynAck | What::AckOfSyn | What::Fin => (Counts::Syn, own),
    };
    let right = used.wrapping_add(1);
    let slip = if got == used {
        AckSlip::ForgotPlusOne
    } else if got == theirs || got == theirs.wrapping_add(1) {
        AckSlip::OwnNumber
    } else if got == right.wrapping_add(1) {
        AckSlip::OneTooMany
    } else {
        AckSlip::Other
    };
    Mistake::Ack { got, of, used, right, slip }
}

/// The peer's FIN has a wrong number.
pub(super) const fn wrong_seq(got: u32, theirs: u32, own: u32) -> Mistake {
    let slip = if got == theirs {
        SeqSlip::ForgotPlusOne
    } else if got == own || got == own.wrapping_add(1) || got == own.wrapping_add(2) {
        SeqSlip::OtherSides
    } else {
        SeqSlip::Other
    };
    Mistake::Seq { got, used: theirs, right: theirs.wrapping_add(1), slip }
}

/// A message that does not begin as it should: one of the others, or none at all.
pub(super) fn wrong_word(dialect: Dialect, what: What, got: String, expected: String) -> Mistake {
    let untagged = match got.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest.trim_start(),
        None => &got,
    };
    let word = untagged.split([':', '/', ' ']).next().unwrap_or_default();
    let (own, others): (&str, &[&str]) = match (dialect, what) {
        (Dialect::Handshake, What::Syn) => ("SYN", &["SYN-ACK", "ACK", "FIN"]),
        (Dialect::Handshake, What::SynAck) => ("SYN-ACK", &["SYN", "ACK", "FIN"]),
        (Dialect::Handshake, What::AckOfSyn | What::AckOfFin) => ("ACK", &["SYN", "SYN-ACK", "FIN"]),
        (Dialect::Handshake, What::Fin) => ("FIN", &["SYN", "SYN-ACK", "ACK"]),
        (Dialect::ThreeWay, What::Syn) => ("SYN", &["ACK"]),
        (Dialect::ThreeWay, What::SynAck) => ("SYN", &["ACK"]),
        (Dialect::ThreeWay, What::AckOfSyn | What::AckOfFin | What::Fin) => ("ACK", &["SYN"]),
    };
    if word != own && others.contains(&word) {
        Mistake::OutOfOrder { got, expected }
    } else {
        Mistake::WrongWord { got, expected }
    }
}
