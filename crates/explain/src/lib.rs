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
//! | [`ladder`] | client left, server right, time down: as data, then as text |
//! | [`lines`] | one event a line, for streams and for screen readers |
//! | [`sentence`] | a row read aloud |
//! | [`comment`] | the comment of a packet in a capture file |
//! | [`summary`] | counts |
//!
//! Left out: plots and pages, which take the same data elsewhere.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod context;
pub mod language;
pub mod quantity;
pub mod rule;
pub mod text;
pub mod wording;

pub use context::Context;
pub use language::Language;
pub use rule::{Citation, Rule};
pub use wording::Wording;
