//! Sentences, in each language: each file an exhaustive `match` on the engine's own enums.
//!
//! A reason has a `short` sentence (for a row of a ladder: cause, arithmetic, and beside it the
//! rule), a `brief` one (for a packet comment) and a `long` one (for whoever asks again). None of
//! the matches has a `_` arm: a value without a sentence does not compile, in either language.

mod en;
mod pt;
pub mod rules;
pub mod spoken;
pub mod words;

use alloc::string::String;

use aperto_tcp::diagram::Cause;
use aperto_tcp::{DropReason, End, Reason, Timer};

use crate::context::Context;
use crate::{Language, Wording};

pub use words::Word;

/// Calls a function of the language's module.
macro_rules! in_language {
    ($language:expr, $($path:ident)::+ ( $($argument:expr),* )) => {
        match $language {
            Language::English => en::$($path)::+($($argument),*),
            Language::Portuguese => pt::$($path)::+($($argument),*),
        }
    };
}

/// Why a segment leaves, for a row of a ladder: under 70 columns, whatever the numbers.
#[must_use]
pub fn short(language: Language, reason: &Reason, context: &Context) -> Wording {
    in_language!(language, reason::short(reason, context))
}

/// Why a segment leaves, for a packet comment.
#[must_use]
pub fn brief(language: Language, reason: &Reason, context: &Context) -> String {
    in_language!(language, reason::brief(reason, context))
}

/// Why a segment leaves, in two or three sentences.
#[must_use]
pub fn long(language: Language, reason: &Reason, context: &Context) -> String {
    in_language!(language, long::long(reason, context))
}

/// Why a segment, or part of one, was not used.
#[must_use]
pub fn dropped(language: Language, reason: &DropReason) -> &'static str {
    in_language!(language, engine::dropped(reason))
}

/// What moved the state.
#[must_use]
pub fn cause(language: Language, cause: Cause) -> &'static str {
    in_language!(language, engine::cause(cause))
}

/// What a timer is for.
#[must_use]
pub fn timer(language: Language, timer: Timer) -> &'static str {
    in_language!(language, engine::timer(timer))
}

/// How a connection ended.
#[must_use]
pub fn end(language: Language, end: End) -> &'static str {
    in_language!(language, engine::end(end))
}

/// What an event tells the application.
#[must_use]
pub fn event(language: Language, event: &aperto_tcp::Event) -> &'static str {
    in_language!(language, engine::event(event))
}

/// What a note says, in one sentence.
#[must_use]
pub fn note(language: Language, note: &aperto_tcp::Note, context: &Context) -> Wording {
    in_language!(language, note::note(note, context))
}

/// What the row of a timer says.
#[must_use]
pub fn timer_row(language: Language, row: &TimerFacts) -> Wording {
    in_language!(language, note::timer_row(row))
}

/// What the channel did to a packet, with the flag that asked for it.
#[must_use]
pub fn channel(language: Language, event: &aperto_trace::ChannelEvent) -> Wording {
    in_language!(language, world::channel(event))
}

/// Why a host did not use a packet.
#[must_use]
pub fn not_used(language: Language, reason: &aperto_trace::DropReason) -> Wording {
    in_language!(language, world::not_used(reason))
}

/// A packet read aloud.
#[must_use]
pub fn sentence(language: Language, spoken: &spoken::Spoken<'_>) -> String {
    in_language!(language, spoken::sentence(spoken))
}

/// A timer that fired, for a line of its own: with the segment that it stands for.
#[must_use]
pub fn timer_line(language: Language, facts: &TimerFacts) -> String {
    in_language!(language, note::timer_line(facts))
}

/// A remark or an announcement of a stream of lines.
#[must_use]
pub fn told(language: Language, told: &Told<'_>) -> String {
    in_language!(language, counts::told(told))
}

/// A count, with the word that it needs.
#[must_use]
pub fn counted(language: Language, counted: &Counted<'_>) -> String {
    in_language!(language, counts::counted(counted))
}

/// What there is to say about a UDP datagram.
#[must_use]
pub fn datagram(language: Language, says: Datagram) -> Wording {
    in_language!(language, world::datagram(says))
}

/// What the application called.
#[must_use]
pub fn call(language: Language, call: &aperto_trace::Call) -> Wording {
    in_language!(language, world::call(call))
}

/// A call on a socket, and the segments that it makes.
#[must_use]
pub fn socket(
    language: Language,
    call: crate::sockets::SocketCall,
    effect: crate::sockets::Effect,
) -> Wording {
    in_language!(language, sockets::socket(call, effect))
}

/// Why a packet of a textbook protocol leaves.
#[must_use]
pub fn arq_reason(language: Language, reason: &aperto_arq::Reason, context: &ArqContext) -> Wording {
    in_language!(language, arq::reason(reason, context))
}

/// The same in two or three sentences.
#[must_use]
pub fn arq_long(language: Language, reason: &aperto_arq::Reason) -> String {
    in_language!(language, arq::long(reason))
}

/// Why a textbook protocol threw a packet away.
#[must_use]
pub fn arq_discard(language: Language, discard: &aperto_arq::Discard, context: &ArqContext) -> Wording {
    in_language!(language, arq::discard(discard, context))
}

/// What a note of a textbook protocol says.
#[must_use]
pub fn arq_note(language: Language, note: &aperto_arq::Note, context: &ArqContext) -> Wording {
    in_language!(language, arq::note(note, context))
}

/// A word or a fixed phrase.
#[must_use]
pub const fn word(language: Language, word: Word) -> &'static str {
    match language {
        Language::English => en::words::word(word),
        Language::Portuguese => pt::words::word(word),
    }
}

/// What is known around a packet of a textbook protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArqContext {
    /// Which protocol.
    pub protocol: Option<aperto_arq::Protocol>,
    /// How long the timer had run, for the row of a timer.
    pub waited: Option<aperto_time::Duration>,
    /// How many packets are sent again, for the row of a timer.
    pub outstanding: Option<u32>,
}

/// What is counted in headers, footers and summaries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted<'a> {
    /// Segments.
    Segments(u64),
    /// Packets that the channel lost.
    Lost(u64),
    /// Retransmissions.
    Resent(u64),
    /// Octets that reached an application.
    Delivered(u64),
    /// Octets that were sent.
    Sent(u64),
    /// Datagrams and octets that arrived, of those that were sent.
    Datagrams {
        /// How many arrived.
        arrived: u64,
        /// How many were sent.
        sent: u64,
        /// Octets that arrived.
        octets: u64,
        /// Octets that were sent.
        of: u64,
    },
    /// Packets of a textbook protocol.
    Textbook {
        /// How often DATA was sent.
        sends: u64,
        /// For how many packets.
        packets: u64,
        /// How many of the sends were repetitions.
        resent: u64,
    },
    /// What the server's application read, as text.
    ServerRead(&'a str),
    /// Rows that are not shown.
    ShowsAll(usize),
    /// Data segments.
    DataSegments(u64),
    /// Retransmissions by the timer.
    ByTimer(u64),
    /// Retransmissions by duplicate ACKs or SACK.
    ByDuplicateAcks(u64),
    /// Connections that are open.
    Connections(u64),
}

/// What a stream of lines announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told<'a> {
    /// A connection is open, as its client sees it.
    Open {
        /// Segments so far.
        segments: u64,
        /// The client's port.
        own_port: u16,
        /// The server's port.
        server_port: u16,
    },
    /// A connection is open, as its server sees it.
    OpenWith {
        /// The client.
        remote: core::net::SocketAddr,
        /// Connections that are open now.
        connections: u64,
        /// The server's port.
        own_port: u16,
    },
    /// A delayed acknowledgment leaves: how long after the data.
    Later(&'a str),
}

/// What there is to say about a UDP datagram: nothing but what UDP does not do. RFC 768.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Datagram {
    /// It was lost.
    Lost,
    /// It was delivered although an earlier one is missing.
    AfterLoss {
        /// The one that is missing.
        missing: aperto_trace::Number,
    },
}

/// What the row of a timer is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimerFacts {
    /// The retransmission timer, with the numbers of its formula. RFC 6298 §2.
    Retransmission {
        /// The segment that it stands for, where it is known.
        number: Option<aperto_trace::Number>,
        /// The timeout that ran out.
        rto: aperto_time::Duration,
        /// The smoothed round-trip time, if there was a sample.
        srtt: Option<aperto_time::Duration>,
        /// The variation of the round-trip time.
        rttvar: aperto_time::Duration,
        /// The least timeout that is configured.
        minimum: aperto_time::Duration,
        /// How often it has fired in a row, from 1.
        attempt: u32,
    },
    /// Any other.
    Other {
        /// Which.
        timer: Timer,
        /// How long it ran.
        after: aperto_time::Duration,
    },
}

#[cfg(test)]
pub(crate) mod tests;
