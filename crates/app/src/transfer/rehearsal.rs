//! Either end of a transfer on a disk in memory, as an [`Application`]: for the simulator and tests.
//!
//! Orders are carried out at once. What happened is kept, and so is the disk, which goes on to the
//! next connection with what was there when this one ended.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::disk::Replace;
use super::manifest::{BadManifest, Entry, Kind, Manifest};
use super::memory::MemoryDisk;
use super::name::Path;
use super::{CHUNK, Event, Failure, Order, Outcome, Party, Patience, Receiver, Sender, Vault};
use crate::{Application, Ending, Tally, Want};

/// Files in memory, for a sender.
#[derive(Clone, Debug)]
pub struct Shelf {
    manifest: Arc<Manifest>,
    /// What is in each entry; nothing in a folder.
    contents: Arc<Vec<Vec<u8>>>,
}

impl Shelf {
    /// Files by their paths; one without contents is a folder.
    ///
    /// # Errors
    ///
    /// Why a receiver would refuse them.
    pub fn new(files: Vec<(Path, Option<Vec<u8>>)>) -> Result<Self, BadManifest> {
        let mut entries = Vec::new();
        let mut contents = Vec::new();
        for (path, octets) in files {
            let kind = match &octets {
                None => Kind::Folder,
                Some(octets) => {
                    let digest = *blake3::hash(octets).as_bytes();
                    Kind::File { size: octets.len() as u64, digest }
                }
            };
            entries.push(Entry { path, kind });
            contents.push(octets.unwrap_or_default());
        }
        Ok(Self { manifest: Arc::new(Manifest::new(entries)?), contents: Arc::new(contents) })
    }

    /// What is said of them.
    #[must_use]
    pub const fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// What is in each.
    #[must_use]
    pub fn contents(&self) -> &[Vec<u8>] {
        &self.contents
    }

    /// Does what a sender orders.
    #[must_use]
    pub fn perform(&self, order: &Order) -> Outcome {
        let chunk_of = |file: u32, chunk: u64| {
            let from = usize::try_from(chunk).unwrap_or(usize::MAX).saturating_mul(CHUNK);
            let whole = self.contents.get(file as usize).map_or(&[][..], Vec::as_slice);
            let to = whole.len().min(from.saturating_add(CHUNK));
            whole.get(from..to).unwrap_or_default()
        };
        match *order {
            Order::Read { file, chunk, .. } => Outcome::Octets(chunk_of(file, chunk).to_vec()),
            Order::Hash { file, first, count } => {
                let chunks = first..first + u64::from(count);
                Outcome::Hashes(chunks.map(|chunk| *blake3::hash(chunk_of(file, chunk)).as_bytes()).collect())
            }
            _ => Outcome::Failed(super::Trouble::Other),
        }
    }
}

/// Which end it is.
#[derive(Clone, Debug)]
enum End {
    Sender(Box<Sender>, Shelf),
    Receiver(Box<Receiver>, Keeper),
}

/// A receiver's disk, before and after its manifest is known.
#[derive(Clone, Debug)]
enum Keeper {
    Waits(MemoryDisk),
    Works(Vault<MemoryDisk>),
}

/// One end of a transfer, on a disk in memory.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    end: End,
    replace: Replace,
    floor: u64,
    events: Vec<Event>,
    /// What the last want was about, for the tally.
    offered: Vec<u8>,
    received: Tally,
    sent: Tally,
    ending: Option<Ending>,
}

/// How many events are kept.
const MOST_EVENTS: usize = 100_000;

impl Rehearsal {
    /// The end that has these files.
    #[must_use]
    pub fn sender(shelf: Shelf, patience: Patience) -> Self {
        let sender = Box::new(Sender::new(Arc::clone(shelf.manifest()), patience));
        Self::of(End::Sender(sender, shelf), Replace::Never, 0)
    }

    /// The end that writes them to this disk.
    #[must_use]
    pub fn receiver(disk: MemoryDisk, replace: Replace, floor: u64, patience: Patience) -> Self {
        let end = End::Receiver(Box::new(Receiver::new(patience)), Keeper::Waits(disk));
        Self::of(end, replace, floor)
    }

    const fn of(end: End, replace: Replace, floor: u64) -> Self {
        Self {
            end,
            replace,
            floor,
            events: Vec::new(),
            offered: Vec::new(),
            received: Tally::ZERO,
            sent: Tally::ZERO,
            ending: None,
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether it finished, or why it failed; nothing while it goes on.
    #[must_use]
    pub fn result(&self) -> Option<Result<(), &Failure>> {
        self.events.iter().find_map(|event| match event {
            Event::Finished => Some(Ok(())),
            Event::Failed(failure) => Some(Err(failure)),
            _ => None,
        })
    }

    /// A receiver's disk.
    #[must_use]
    pub fn disk(&self) -> Option<&MemoryDisk> {
        match &self.end {
            End::Sender(..) => None,
            End::Receiver(_, Keeper::Waits(disk)) => Some(disk),
            End::Receiver(_, Keeper::Works(vault)) => Some(vault.disk()),
        }
    }

    /// The machine itself.
    pub fn party(&mut self) -> &mut dyn Party {
        match &mut self.end {
            End::Sender(sender, _) => &mut **sender,
            End::Receiver(receiver, _) => &mut **receiver,
        }
    }

    const fn seen(&self) -> &dyn Party {
        match &self.end {
            End::Sender(sender, _) => &**sender,
            End::Receiver(receiver, _) => &**receiver,
        }
    }

    /// Carries out orders, and keeps what happened.
    pub fn work(&mut self, now: Duration) {
        while let Some(order) = self.party().poll_order() {
            let outcome = match &mut self.end {
                End::Sender(_, shelf) => shelf.perform(&order),
                End::Receiver(receiver, keeper) => {
                    if let (Keeper::Waits(disk), Some(manifest)) = (&mut *keeper, receiver.manifest()) {
                        let (disk, manifest) = (core::mem::take(disk), Arc::clone(manifest));
                        *keeper = Keeper::Works(Vault::new(disk, manifest, self.replace, self.floor));
                    }
                    match keeper {
                        Keeper::Works(vault) => vault.perform(&order),
                        Keeper::Waits(_) => Outcome::Failed(super::Trouble::Other),
                    }
                }
            };
            self.party().order_done(now, outcome);
        }
        while let Some(event) = self.party().poll_event() {
            if self.events.len() < MOST_EVENTS || matches!(event, Event::Finished | Event::Failed(_)) {
                self.events.push(event);
            }
        }
    }
}

impl Application for Rehearsal {
    fn opened(&mut self, now: Duration) {
        self.party().opened(now);
        self.work(now);
    }

    fn appetite(&self, _now: Duration) -> usize {
        self.seen().room()
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.received.add(octets);
        self.party().arrive(now, octets);
        self.work(now);
    }

    fn peer_closed(&mut self, now: Duration) {
        self.party().peer_closed(now);
        self.work(now);
    }

    fn ended(&mut self, now: Duration, ending: Ending) {
        self.ending = Some(ending);
        self.party().ended(now);
        self.work(now);
    }

    fn deadline_passed(&mut self, now: Duration) {
        self.party().deadline_passed(now);
        self.work(now);
    }

    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        self.work(now);
        let mut offered = vec![];
        match self.party().poll_want()? {
            Want::Write(octets) => offered.extend_from_slice(octets),
            Want::Close => return Some(Want::Close),
            Want::Abort => return Some(Want::Abort),
            Want::Release => return Some(Want::Release),
        }
        self.offered = offered;
        Some(Want::Write(&self.offered))
    }

    fn wrote(&mut self, octets: usize) {
        let taken = self.offered.get(..octets.min(self.offered.len())).unwrap_or_default();
        self.sent.add(taken);
        self.party().wrote(octets);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        if self.ending.is_some() { None } else { self.seen().poll_deadline() }
    }

    fn received(&self) -> Tally {
        self.received
    }

    fn sent(&self) -> Tally {
        self.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.ending
    }
}
