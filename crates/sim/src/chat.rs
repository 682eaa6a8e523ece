//! Chats in random worlds by the thousand, each from one number: a room, its members, and trouble.
//!
//! Each member is a host with a line of its own to the server's; between them are all impairments of
//! a [`campaign`](crate::campaign). Connections are reset, or forgotten by one end; members come,
//! speak, leave; the server is killed and starts again from what its disk has kept, with any part of
//! the octets that it had not waited for. Then everything becomes calm, and must come to rest.
//!
//! What must hold (RELIABILITY G18, I-25, I-28), and is checked as it happens:
//!
//! * each member shows all messages from its first connection on, each once, in one order for all;
//! * what is shown was said, by whom it is said to be;
//! * what was confirmed is in that order, and was on the disk before;
//! * a journal that is read again gives the state that the room had;
//! * in the end everything that was said is confirmed.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `plot.rs` | from a seed to a plan |
//! | `world.rs`, `node.rs` | hosts, lines, machines, and a clock that only events move |
//! | `oracle.rs` | what must hold |

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use aperto_time::Instant;

mod node;
mod oracle;
mod plot;
mod server;
mod world;

pub use plot::{Plot, plot};

use crate::campaign::Dimensions;
use world::World;

/// Something that should have held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Its name in the catalogue of invariants.
    pub invariant: &'static str,
    /// When.
    pub at: Instant,
    /// What, in words.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.invariant, self.at, self.what)
    }
}

/// How much happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Messages that were said.
    pub said: u64,
    /// Of which were confirmed.
    pub confirmed: u64,
    /// Times that a message was shown to a member.
    pub shown: u64,
    /// Connections that broke, as members noticed.
    pub broken: u64,
    /// Times that the server was killed and started again.
    pub restarts: u64,
    /// Of which left a record torn.
    pub torn: u64,
    /// Frames that a digest found damaged.
    pub damaged: u64,
    /// Frames of the network.
    pub frames: u64,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What the network did.
    pub dimensions: Dimensions,
    /// How much happened.
    pub counts: Counts,
    /// How long it took, in its own time.
    pub virtual_time: Duration,
    /// A hash of everything that was told, with its times: equal runs have equal hashes.
    pub hash: u64,
    /// What was wrong, if anything was.
    pub failure: Option<Broken>,
}

/// Runs the chat of a seed.
#[must_use]
pub fn run(seed: u64) -> Report {
    run_plot(&plot(seed), &mut |_, _, _| {})
}

/// Who listens to a run: when, who (`server`, or a member's name), and what it was told, in words.
pub type Listener<'a> = &'a mut dyn FnMut(Instant, &str, &str);

/// Runs a plot, and tells what happens.
pub fn run_plot(plot: &Plot, listener: Listener<'_>) -> Report {
    let mut world = World::new(plot, listener);
    let failure = world.run().err();
    let (counts, hash) = world.counted();
    Report {
        seed: plot.seed,
        dimensions: plot.dimensions,
        counts,
        virtual_time: world.now().since(Instant::ZERO),
        hash,
        failure,
    }
}
