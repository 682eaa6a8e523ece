//! Applications as machines without I/O: echo, upper, sink, bulk transfer, scripts.
//!
//! An [`Application`] is told what happened on its connection (text arrived, the peer closed) and
//! says, when asked, what it wants (write, close, abort, release). Whoever drives it owns the connection: the
//! simulator, a real wire, a test. The same machine behaves the same on all of them.
//!
//! | module      | what it is |
//! | ----------- | ---------- |
//! | [`echo`]    | sends back what it reads, as it is or in upper case |
//! | [`bulk`]    | sends so many octets of a known pattern, checks those that come |
//! | [`script`]  | does a list of things, one after the other: write, wait, close |
//! | [`text`]    | handshakes told in text, every number checked |
//! | [`guest`]   | the door for applications of other crates |
//! | [`hello`]   | what both sides agree on before the first message: mode, sizes, window, integrity |
//! | [`session`] | a session of a textbook protocol over datagrams: HELLO, both directions, FIN |
//! | [`chat`]    | a room with several members, each message confirmed and shown exactly once |
//! | [`transfer`] | files and folders: verified, resumable, whole or not at all |
//! | [`pattern`] | the octets that a seed stands for, and a running hash |
//!
//! Time is a [`Duration`] since the driver's zero; a session, which is no [`Application`], has instants.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use core::time::Duration;

pub mod bulk;
pub mod chat;
pub mod echo;
pub mod guest;
pub mod hello;
mod pace;
pub mod pattern;
pub mod script;
pub mod session;
pub mod text;
pub mod transfer;

pub use bulk::Bulk;
pub use echo::Echo;
pub use guest::Guest;
pub use pace::{Pace, Reader};
pub use pattern::Tally;
pub use script::Script;
pub use text::TextHandshake;

/// What an application wants of its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want<'a> {
    /// These octets should be sent; never empty. The driver says with
    /// [`Application::wrote`] how many it could take.
    Write(&'a [u8]),
    /// Nothing more will be written. Wanted once.
    Close,
    /// The connection should end at once. Wanted once.
    Abort,
    /// The application is gone, read or not, answered or not. Wanted once; nothing follows.
    Release,
}

/// How a connection ended, as an application hears it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// Both sides closed, and everything arrived.
    Closed,
    /// Nobody accepted it.
    Refused,
    /// The peer reset it.
    Reset,
    /// The peer was silent for too long.
    TimedOut,
    /// The peer cannot be reached.
    Unreachable,
    /// The application aborted it itself.
    Aborted,
}

/// An application on one connection.
///
/// A driver calls the inputs as things happen, and after each of them, and whenever the connection
/// has room again, asks [`poll_want`](Self::poll_want) until it says nothing or the connection
/// takes no more; then it offers text while [`appetite`](Self::appetite) lasts, and asks
/// [`poll_deadline`](Self::poll_deadline) when to come back.
pub trait Application {
    /// The connection is open.
    fn opened(&mut self, now: Duration);

    /// How many octets it would read now. It may be woken for more by its deadline.
    fn appetite(&self, now: Duration) -> usize;

    /// Octets were read: the next in the stream, no more of them than its appetite.
    fn readable(&mut self, now: Duration, octets: &[u8]);

    /// The peer will send no more, and everything that it sent has been read.
    fn peer_closed(&mut self, now: Duration);

    /// The connection is over.
    fn ended(&mut self, now: Duration, ending: Ending);

    /// Time has passed.
    fn deadline_passed(&mut self, now: Duration);

    /// What it wants now. A [`Want::Write`] that was not taken whole is wanted again.
    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>>;

    /// The connection took this many of the octets of the last [`Want::Write`].
    fn wrote(&mut self, octets: usize);

    /// When to call [`deadline_passed`](Self::deadline_passed).
    fn poll_deadline(&self) -> Option<Duration>;

    /// What it has read so far.
    fn received(&self) -> Tally;

    /// What it has written so far.
    fn sent(&self) -> Tally;

    /// How its connection ended, once it has.
    fn ending(&self) -> Option<Ending>;
}

/// Any application, so that a driver can keep and clone them: those of this crate by name.
#[derive(Clone, Debug)]
pub enum Machine {
    /// Sends back what it reads.
    Echo(Echo),
    /// Sends and receives a known pattern.
    Bulk(Bulk),
    /// Does a list of things.
    Script(Script),
    /// Tells a handshake in text.
    Text(TextHandshake),
    /// What another crate brought.
    Guest(Box<dyn Guest>),
    /// Sends files, or receives them on a disk in memory.
    Transfer(Box<transfer::rehearsal::Rehearsal>),
}

/// The same call on whichever application it is.
macro_rules! whichever {
    ($self:ident, $machine:ident => $call:expr) => {
        match $self {
            Self::Echo($machine) => $call,
            Self::Bulk($machine) => $call,
            Self::Script($machine) => $call,
            Self::Text($machine) => $call,
            Self::Guest($machine) => $call,
            Self::Transfer($machine) => $call,
        }
    };
}

impl Application for Machine {
    fn opened(&mut self, now: Duration) {
        whichever!(self, machine => machine.opened(now));
    }

    fn appetite(&self, now: Duration) -> usize {
        whichever!(self, machine => machine.appetite(now))
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        whichever!(self, machine => machine.readable(now, octets));
    }

    fn peer_closed(&mut self, now: Duration) {
        whichever!(self, machine => machine.peer_closed(now));
    }

    fn ended(&mut self, now: Duration, ending: Ending) {
        whichever!(self, machine => machine.ended(now, ending));
    }

    fn deadline_passed(&mut self, now: Duration) {
        whichever!(self, machine => machine.deadline_passed(now));
    }

    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        whichever!(self, machine => machine.poll_want(now))
    }

    fn wrote(&mut self, octets: usize) {
        whichever!(self, machine => machine.wrote(octets));
    }

    fn poll_deadline(&self) -> Option<Duration> {
        whichever!(self, machine => machine.poll_deadline())
    }

    fn received(&self) -> Tally {
        whichever!(self, machine => machine.received())
    }

    fn sent(&self) -> Tally {
        whichever!(self, machine => machine.sent())
    }

    fn ending(&self) -> Option<Ending> {
        whichever!(self, machine => machine.ending())
    }
}

#[cfg(test)]
mod harness;
