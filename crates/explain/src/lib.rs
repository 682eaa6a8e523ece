//! What the facts mean, in English and Portuguese, and how they are drawn.
//!
//! A trace holds facts as values: this segment left, for this reason, with these numbers. Here they
//! become sentences, and rows of a ladder. Nothing here computes a truth of its own: a sentence is
//! chosen from the engine's reason and from facts of the same trace beside it.
//!
//! | module | |
//! | --- | --- |
//! | [`text`] | sentences: each language an exhaustive `match` on the engine's enums |
//! | [`rule`] | the section behind a sentence |
//! | [`context`] | the facts around a reason that decide how it is told |
//! | [`facts`] | where those facts are found in a trace |
//! | [`hello`] | what opens and ends a session, in words |
//! | [`ladder`] | client left, server right, time down: as data, then as text |
//! | [`lines`] | one event a line, for streams and for screen readers |
//! | [`sentence`] | a row read aloud |
//! | [`carried`] | what a segment of a chat carries |
//! | [`comment`] | the comment of a packet in a capture file |
//! | [`summary`] | counts |
//! | [`program`] | what the program itself says: faults, exit codes |
//!
//! Left out: plots and pages, which take the same data elsewhere.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(test)]
mod story;

pub mod carried;
pub mod comment;
pub mod context;
pub mod facts;
pub mod hello;
pub mod ladder;
pub mod language;
pub mod lines;
pub mod program;
pub mod quantity;
pub mod rule;
pub mod sentence;
pub mod sockets;
pub mod states;
pub mod summary;
pub mod text;
pub mod wording;

pub use comment::Comments;
pub use context::Context;
pub use ladder::{Ladder, View};
pub use language::Language;
pub use lines::{LineView, Lines};
pub use rule::{Citation, Rule};
pub use summary::Summary;
pub use wording::Wording;
