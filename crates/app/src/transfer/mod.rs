//! Files and folders over a stream: verified piece by piece, resumable, written only when whole.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`name`] | which names are taken, the same on every system |
//! | [`manifest`] | what a transfer consists of |
//! | [`frame`] | what crosses the wire, and finding it again behind damage |
//! | [`sender`], [`receiver`] | the two ends, as machines |
//! | [`vault`] | where files are kept, in an order that survives a crash |
//! | [`disk`] | what the vault needs of a file system |
//! | [`memory`] | a file system in memory that can be crashed at any operation |
//! | [`rehearsal`] | both ends on disks in memory, as an [`Application`](crate::Application) |
//!
//! The receiver asks and the sender answers, in the order of the asking. So whatever was damaged, lost
//! with a connection, or already there from last time, is asked for again or not at all, by the one
//! who knows; a sender keeps nothing in memory but the answer that is leaving.
//!
//! Left out: permissions, times, links and hidden files; several files at once on one connection.

pub mod disk;
pub mod frame;
mod line;
pub mod manifest;
pub mod memory;
pub mod name;
pub mod receiver;
pub mod rehearsal;
pub mod sender;
pub mod vault;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::Want;
pub use disk::{Disk, Trouble};
pub use frame::{Stranger, Unreadable};
pub use manifest::{BadManifest, Digest, Entry, Kind, Manifest};
pub use name::{BadName, Path};
pub use receiver::Receiver;
pub use sender::Sender;
pub use vault::Vault;

/// How many octets are verified, acknowledged and asked for at once.
pub const CHUNK: usize = 1 << 16;
/// How many hashes of chunks travel in one frame.
pub const HASHES: usize = 1024;
/// How many chunks are asked for and have not come, at most: 2 MiB, a second at 16 Mbit/s.
pub const WINDOW: usize = 32;

/// How long things may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// From the opening to the peer's first frame.
    pub greeting: Duration,
    /// From a frame's first octet to its last.
    pub frame: Duration,
    /// From one frame of the peer's to the next.
    pub silence: Duration,
    /// How long nothing may come before what is missing is asked for again; doubled each time.
    pub again: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(10),
            frame: Duration::from_secs(30),
            silence: Duration::from_secs(120),
            again: Duration::from_secs(2),
        }
    }
}

/// Why one end ends a transfer; the other is told this number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// It said what may not be said: a malformed frame, an answer that nobody asked for.
    Protocol,
    /// Both ends send, or both receive.
    SameRole,
    /// The manifest is too long, too short, or is not what its hash says.
    Manifest,
    /// A name that is not taken.
    Name,
    /// Two names that are one.
    Collision,
    /// Another file has the name.
    Exists,
    /// There is no room for it.
    NoRoom,
    /// Somebody else is writing this file.
    Busy,
    /// The disk does not do it.
    Disk,
    /// The sender's file is not what it was when the transfer began.
    Changed,
    /// The sender cannot read the file.
    Unreadable,
    /// It took too long.
    TooSlow,
    /// The same transfer goes on over a newer connection.
    Superseded,
    /// A person ended it.
    Cancelled,
}

impl Refusal {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Protocol,
        Self::SameRole,
        Self::Manifest,
        Self::Name,
        Self::Collision,
        Self::Exists,
        Self::NoRoom,
        Self::Busy,
        Self::Disk,
        Self::Changed,
        Self::Unreadable,
        Self::TooSlow,
        Self::Superseded,
        Self::Cancelled,
    ];

    /// Its number on the wire, from 1.
    #[must_use]
    pub fn code(self) -> u16 {
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        u16::try_from(place + 1).unwrap_or(u16::MAX)
    }

    /// The one with this number; a number of a later version is a protocol that is not known here.
    #[must_use]
    pub fn from_code(code: u16) -> Self {
        let place = usize::from(code).checked_sub(1);
        place.and_then(|place| Self::ALL.get(place)).copied().unwrap_or(Self::Protocol)
    }
}

/// Why a transfer failed, as the end knows it that found out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// The peer speaks something else.
    Stranger(Stranger),
    /// The peer speaks a later version.
    Version(u8),
    /// The peer broke the protocol.
    Protocol,
    /// Both ends send, or both receive.
    SameRole,
    /// What the sender wants to send is refused.
    Manifest(BadManifest),
    /// Another file has this name.
    Exists(Path),
    /// There is no room.
    NoRoom {
        /// How many octets are still to be written.
        needs: u64,
        /// How many there are.
        free: u64,
        /// How many of them must stay free.
        floor: u64,
    },
    /// Somebody else is writing this file.
    Busy(Path),
    /// The disk does not do it.
    Disk(Path, Trouble),
    /// The file is not what the sender's manifest says, twice in a row.
    Changed(Path),
    /// The sender cannot read the file.
    Unreadable(Path),
    /// A frame, or the greeting, took too long.
    TooSlow,
    /// The peer said nothing for too long.
    Silent,
    /// The connection ended before the transfer.
    Broken,
    /// The peer ended it, for this reason, because of this file.
    Refused(Refusal, Option<Path>),
    /// It goes on over a newer connection.
    Superseded,
    /// A person ended it.
    Cancelled,
}

impl Failure {
    /// Whether the same again, over a new connection, may go on from here.
    #[must_use]
    pub const fn may_resume(&self) -> bool {
        matches!(self, Self::Silent | Self::Broken | Self::TooSlow)
    }

    /// What the peer is told, where it is told anything.
    pub(crate) const fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::Version(_) | Self::Protocol => Refusal::Protocol,
            Self::SameRole => Refusal::SameRole,
            Self::Manifest(BadManifest::Name { .. }) => Refusal::Name,
            Self::Manifest(BadManifest::Collision { .. }) => Refusal::Collision,
            Self::Manifest(_) => Refusal::Manifest,
            Self::Exists(_) => Refusal::Exists,
            Self::NoRoom { .. } => Refusal::NoRoom,
            Self::Busy(_) => Refusal::Busy,
            Self::Disk(..) => Refusal::Disk,
            Self::Changed(_) => Refusal::Changed,
            Self::Unreadable(_) => Refusal::Unreadable,
            Self::TooSlow | Self::Silent => Refusal::TooSlow,
            Self::Superseded => Refusal::Superseded,
            Self::Cancelled => Refusal::Cancelled,
            Self::Stranger(_) | Self::Broken | Self::Refused(..) => return None,
        })
    }
}

/// What whoever watches a transfer should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Sender and receiver know each other, and what is to be sent.
    Begun,
    /// So many octets of this file were there from last time, and are sound.
    Resumed {
        /// Which entry.
        file: u32,
        /// How many octets.
        octets: u64,
    },
    /// So many more octets were written, or found to be there, or left.
    Progress {
        /// How many.
        octets: u64,
    },
    /// A chunk came damaged, or not at all, and is asked for again.
    Again {
        /// Which entry.
        file: u32,
        /// Which chunk, from 0.
        chunk: u64,
    },
    /// A file is whole, verified and under its name.
    FileDone {
        /// Which entry.
        file: u32,
        /// Whether it was there before.
        was_there: bool,
    },
    /// Everything is, and both ends know.
    Finished,
    /// It failed.
    Failed(Failure),
}

/// What a machine wants of a disk. One at a time; the answer comes back as an [`Outcome`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Order {
    /// Sender: read a chunk.
    Read { file: u32, chunk: u64, octets: usize },
    /// Sender: hash so many chunks.
    Hash { file: u32, first: u64, count: u16 },
    /// Receiver: is this entry there already, and how much of it from last time?
    Look { file: u32 },
    /// Receiver: is there room for so many octets more?
    Room { octets: u64 },
    /// Receiver: make this folder, if it is not there.
    Folder { file: u32 },
    /// Receiver: open the unfinished file, or begin it.
    Begin { file: u32 },
    /// Receiver: which of these chunks of the unfinished file are sound?
    Compare { file: u32, first: u64, hashes: Vec<Digest> },
    /// Receiver: write a chunk.
    Write { file: u32, chunk: u64, octets: Vec<u8> },
    /// Receiver: verify the whole file, make it durable, give it its name.
    Finish { file: u32 },
}

impl Order {
    /// Which order it was, for who waits for what comes of it.
    pub(crate) fn without_octets(&self) -> Self {
        match *self {
            Self::Write { file, chunk, .. } => Self::Write { file, chunk, octets: Vec::new() },
            Self::Compare { file, first, .. } => Self::Compare { file, first, hashes: Vec::new() },
            Self::Read { .. }
            | Self::Hash { .. }
            | Self::Look { .. }
            | Self::Room { .. }
            | Self::Folder { .. }
            | Self::Begin { .. }
            | Self::Finish { .. } => self.clone(),
        }
    }
}

/// What came of an [`Order`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Outcome {
    /// It is done.
    Done,
    /// Read: the octets; fewer than asked for where the file is shorter now.
    Octets(Vec<u8>),
    /// Hash: the hashes; fewer than asked for where the file is shorter now.
    Hashes(Vec<Digest>),
    /// Look: what is there.
    Found(Found),
    /// Begin: how many octets the unfinished file has.
    Held(u64),
    /// Compare: which of them are sound, in order.
    Sound(Vec<bool>),
    /// Finish: whether the whole has the right hash. If not, it has not got its name.
    Verified(bool),
    /// There is less room than that: so many octets are free, and so many must stay so.
    NoRoom { free: u64, floor: u64 },
    /// It cannot be done.
    Failed(Trouble),
}

/// One end of a transfer, as who drives it sees it: a connection on one side, a disk on the other.
///
/// After each input the driver carries out [`poll_want`](Self::poll_want) and
/// [`poll_order`](Self::poll_order) until both say nothing.
pub trait Party {
    /// The connection is open.
    fn opened(&mut self, now: Duration);

    /// How many octets it takes now.
    fn room(&self) -> usize;

    /// Octets came: no more than it takes.
    fn arrive(&mut self, now: Duration, octets: &[u8]);

    /// The peer will send no more.
    fn peer_closed(&mut self, now: Duration);

    /// The connection is over.
    fn ended(&mut self, now: Duration);

    /// Somebody ends it, for this reason.
    fn cancel(&mut self, now: Duration, failure: Failure);

    /// Time has passed.
    fn deadline_passed(&mut self, now: Duration);

    /// When to call [`deadline_passed`](Self::deadline_passed).
    fn poll_deadline(&self) -> Option<Duration>;

    /// What it wants of the connection.
    fn poll_want(&mut self) -> Option<Want<'_>>;

    /// The connection took this many octets of the last [`Want::Write`].
    fn wrote(&mut self, octets: usize);

    /// What it wants of the disk; the next only after the [`Outcome`] of this one.
    fn poll_order(&mut self) -> Option<Order>;

    /// What came of it.
    fn order_done(&mut self, now: Duration, outcome: Outcome);

    /// What whoever watches should know.
    fn poll_event(&mut self) -> Option<Event>;

    /// What is sent, once it is known.
    fn manifest(&self) -> Option<&Arc<Manifest>>;
}

/// What is there under a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing; so many octets of it from last time.
    Nothing {
        /// In the unfinished file.
        held: u64,
    },
    /// What is wanted.
    Same,
    /// Something else, which may not be replaced.
    Other,
}

#[cfg(test)]
mod tests;
