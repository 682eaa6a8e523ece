//! The chat: a room with several members, each message with an id, confirmed, shown exactly once.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`frame`] | what travels: kinds, lengths with bounds, a digest where it was agreed |
//! | [`decoder`] | octets into frames, however they were cut; what speaks something else is known early |
//! | [`client`] | a member: keeps what was not confirmed, connects again, shows each message once |
//! | [`room`] | the server: one order for all messages, limits, members who were away |
//! | [`journal`] | what the room has confirmed, as octets for a file, and back |
//! | [`text`] | names and texts of others, made harmless for a terminal |
//!
//! A message is confirmed only once it is in the journal, and shown to others only then: a server
//! that is killed and started again has lost nothing that anybody was promised (RELIABILITY AP-11,
//! I-25, I-28). Time is given, nothing here does I/O.
//!
//! A connection begins with [`hello`](crate::hello): who connects sends an ASK and, right behind
//! it, a [`Join`](frame::Join); the room answers GRANT and [`Welcome`](frame::Welcome).
//!
//! Left out: secrecy. Whoever wants it puts it below, as a stream.

use core::time::Duration;

pub mod annotation;
mod bucket;
pub mod client;
pub mod decoder;
pub mod frame;
pub mod journal;
mod octets;
mod outbox;
pub mod room;
#[cfg(test)]
mod testing;
pub mod text;

pub use client::Client;
pub use room::{MemberId, Room};

/// The longest message that a room may grant, in octets.
pub const MOST_MESSAGE: usize = 60_000;
/// The longest body of a frame before both sides have agreed on anything.
pub const MOST_GREETING: usize = 256;
/// The longest name, in octets.
pub const MOST_NAME: usize = 32;
/// The most messages that may wait for their confirmation.
pub const MOST_WINDOW: u16 = 64;

/// A connection must have said who it is within this time.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// A frame that has begun must be whole within this time.
pub const FRAME_TIME: Duration = Duration::from_secs(30);
/// A member of whom nothing is heard for so long is let go.
pub const IDLE: Duration = Duration::from_secs(300);
/// After so much silence the other side is asked whether it is there.
pub const PING_AFTER: Duration = Duration::from_secs(30);
/// How many messages a member may say in a second, in the long run, and how many at once.
pub const RATE: u32 = 20;
/// See [`RATE`].
pub const BURST: u32 = 40;
/// How far a member may be behind the room, in octets, before it is let go.
pub const MEMBER_CAP: u64 = 1 << 20;
