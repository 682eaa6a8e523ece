//! One TCP connection after RFC 9293, without I/O, that says why it sends each segment.
//!
//! [`Connection`] is the whole of it. It has no clock, knows no address and touches no wire:
//! calls and arrivals are inputs that change its state, and everything leaves by a poll.
//! The files follow the RFC: [`diagram`] is Figure 5, `connection/calls.rs` is §3.10.1 to
//! §3.10.6, `arrives/` is §3.10.7 with one file for each step, `connection/deadlines.rs` is
//! §3.10.8.
//!
//! Left out: the security/compartment checks of RFC 9293 (see `docs/rfc/9293.toml`), and what
//! has a place of its own to come to: RACK-TLP, PRR, CUBIC, BBR, ECN, SYN cookies, Fast Open.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod diagram;
pub mod isn;

mod arrives;
mod chunks;
mod config;
mod congestion;
mod connection;
mod drop_reason;
mod error;
mod event;
mod note;
mod reason;
mod receive_queue;
mod recovery;
mod rtt;
mod state;
mod timers;
mod timestamps;

pub use arrives::answer_to_stray;
pub use config::{Config, KeepAlive};
pub use connection::{
    Connection, Folded, Icmp, Nagle, Opening, Outgoing, Payload, Push, Status, Urgent, Watch,
};
pub use drop_reason::DropReason;
pub use error::{CloseError, ReceiveError, SendError};
pub use event::{End, Event};
pub use note::{Note, Timer, WindowChange};
pub use reason::{AckCause, ChallengeCause, DataCause, Reason, ResetCause, RetransmissionCause};
pub use state::State;
