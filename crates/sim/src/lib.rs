//! Whole networks in virtual time: impaired channels, worlds, invariants, campaigns.
//!
//! [`channel`] is one impaired link, a machine without I/O that also serves real wires.
//! [`recipe`] says everything about a run; [`world`] runs it event by event; [`scenes`] are the
//! recipes with a name. [`invariants`] watch a world, [`campaign`] makes random worlds by the
//! thousand, [`chat`] chats in such worlds; [`compare`] and [`mod@bench`] measure. [`datagram`] is how a
//! packet of a textbook protocol stands in a frame.
//!
//! Nothing here reads a clock or rolls dice: the same recipe gives the same octets on every
//! machine, in debug and in release.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod bench;
pub mod campaign;
pub mod channel;
pub mod chat;
pub mod compare;
pub mod datagram;
pub mod invariants;
pub mod quantity;
pub mod recipe;
pub mod scenes;
pub mod world;
