//! Datagrams sealed one by one, as a machine without I/O.
//!
//! [`Peer`] stands below something that sends datagrams and sends lost ones again (Go-Back-N, TCP).
//! It agrees on keys with the peer by a Noise handshake (`Noise_XX_25519_ChaChaPoly_BLAKE2s`, through
//! the crate snow), then seals each datagram with an AEAD under a counter. What was damaged, forged
//! or replayed on the way does not open: it is dropped and counted, and whoever is above sends again.
//!
//! | module       | what it is |
//! | ------------ | ---------- |
//! | [`peer`]     | the machine: handshake, timers, new keys before the old ones wear out |
//! | [`identity`] | a peer's lasting key, and whom it trusts |
//! | `format`     | the four kinds of datagram on the wire |
//! | `noise`      | the one place that calls snow |
//! | `session`    | the keys of one handshake, counters, and the replay window (RFC 6479) |
//!
//! Left out: cookies against floods of handshakes (there is a limit instead), roaming (the driver
//! says which peer a datagram came from), wiping keys from memory (snow does not either), and
//! WireGuard's own format, which is for a tunnel and not for these packets.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod format;
pub mod identity;
mod noise;
pub mod peer;
mod session;
mod window;

pub use format::{Kind, OVERHEAD, TAG};
pub use identity::{Identity, Luck, NoRandomness, PublicKey, Trust};
pub use noise::PATTERN;
pub use peer::{Config, Counters, Event, Failure, Peer, Refusal, Role, SealError, Timer};
pub use window::WINDOW;
