//! Two peers that talk, over channels that are bad or hostile, and one peer in Python.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;
mod handshake;
mod independent;
mod schedules;
