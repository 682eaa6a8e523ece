//! A file system in memory that keeps apart what was written and what would survive.
//!
//! Each operation is counted, so that a test can let the machine die at any of them. A process that
//! is killed loses nothing that was written; a loss of power loses what was not synced: of the writes
//! to a file any may be missing or torn, and of the changes to a folder the last ones.
//!
//! Locks are a name that a test takes ([`MemoryDisk::keep_busy`]); all else that goes wrong is put
//! on an operation by its number.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::disk::{Disk, Replace, Standing, Trouble};

/// What ends a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// It is killed, and the system goes on.
    Kill,
    /// The machine loses power.
    PowerLoss,
}

/// A change of a folder that may not have reached the disk.
#[derive(Clone, Debug)]
enum Change {
    Add(String, u64),
    Rename(String, String),
}

/// A change of a file that may not have reached the disk.
#[derive(Clone, Debug)]
enum Edit {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Debug)]
enum Node {
    File { now: Vec<u8>, synced: Vec<u8>, edits: Vec<Edit> },
    Folder { now: BTreeMap<String, u64>, synced: BTreeMap<String, u64>, changes: Vec<Change> },
    Link,
}

/// The file system.
#[derive(Clone, Debug)]
pub struct MemoryDisk {
    nodes: BTreeMap<u64, Node>,
    operations: u64,
    dies_at: Option<u64>,
    fails_at: Option<(u64, Trouble)>,
    capacity: Option<u64>,
    busy: BTreeSet<String>,
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::new()
    }
}

const ROOT: u64 = 0;

impl MemoryDisk {
    /// An empty one, without an end.
    #[must_use]
    pub fn new() -> Self {
        let nodes = BTreeMap::from([(ROOT, empty_folder())]);
        Self { nodes, operations: 0, dies_at: None, fails_at: None, capacity: None, busy: BTreeSet::new() }
    }

    /// Lets it have so many octets.
    pub const fn set_capacity(&mut self, octets: Option<u64>) {
        self.capacity = octets;
    }

    /// From this operation on, counted from 1, nothing is done any more.
    pub const fn die_at(&mut self, operation: Option<u64>) {
        self.dies_at = operation;
    }

    /// This operation, counted from 1, fails.
    pub const fn fail_at(&mut self, operation: u64, trouble: Trouble) {
        self.fails_at = Some((operation, trouble));
    }

    /// Somebody else has the file with this name open.
    pub fn keep_busy(&mut self, name: &str) {
        self.busy.insert(name.to_string());
    }

    /// How many operations there were.
    #[must_use]
    pub const fn operations(&self) -> u64 {
        self.operations
    }

    /// Whether its process is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dies_at.is_some_and(|at| self.operations >= at)
    }

    /// What the next process finds, after this one is gone; a loss of power takes what luck says.
    #[must_use]
    pub fn after(mut self, crash: Crash, mut luck: u64) -> Self {
        self.dies_at = None;
        self.fails_at = None;
        self.operations = 0;
        self.busy.clear();
        let mut draw = |limit: usize| {
            // xorshift64* of Marsaglia and Vigna; a zero would stay one.
            luck ^= luck >> 12;
            luck ^= luck << 25;
            luck ^= luck >> 27;
            let drawn = (luck | 1).wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
            usize::try_from(drawn).unwrap_or(0) % limit.max(1)
        };
        for node in self.nodes.values_mut() {
            match node {
                Node::File { now, synced, edits } => {
                    if crash == Crash::PowerLoss {
                        let mut left = core::mem::take(synced);
                        for edit in edits.drain(..) {
                            match (draw(4), edit) {
                                (0, _) => {}
                                (1, Edit::Write(at, octets)) => {
                                    let torn = draw(octets.len() + 1);
                                    put(&mut left, at, octets.get(..torn).unwrap_or_default());
                                }
                                (_, Edit::Write(at, octets)) => put(&mut left, at, &octets),
                                (_, Edit::Length(octets)) => left.resize(octets, 0),
                            }
                        }
                        *now = left;
                    }
                    edits.clear();
                    synced.clone_from(now);
                }
                Node::Folder { now, synced, changes } => {
                    if crash == Crash::PowerLoss {
                        let kept = draw(changes.len() + 1);
                        let mut left = core::mem::take(synced);
                        changes.drain(..).take(kept).for_each(|change| apply(&mut left, change));
                        *now = left;
                    }
                    changes.clear();
                    synced.clone_from(now);
                }
                Node::Link => {}
            }
        }
        self
    }

    /// All files by their paths, with what is in them.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = alloc::vec![(String::new(), ROOT)];
        while let Some((path, id)) = folders.pop() {
            let Some(Node::Folder { now, .. }) = self.nodes.get(&id) else { continue };
            for (name, id) in now {
                let below = alloc::format!("{path}{name}");
                match self.nodes.get(id) {
                    Some(Node::File { now, .. }) => drop(found.insert(below, now.clone())),
                    Some(Node::Folder { .. }) => folders.push((below + "/", *id)),
                    Some(Node::Link) | None => {}
                }
            }
        }
        found
    }

    /// Puts a file into the root, durable.
    pub fn put_file(&mut self, name: &str, octets: &[u8]) {
        self.put_node(name, Node::File { now: octets.to_vec(), synced: octets.to_vec(), edits: Vec::new() });
    }

    /// Puts a link into the root, wherever it leads.
    pub fn put_link(&mut self, name: &str) {
        self.put_node(name, Node::Link);
    }

    fn put_node(&mut self, name: &str, node: Node) {
        let id = self.add(node);
        if let Some(Node::Folder { now, synced, .. }) = self.nodes.get_mut(&ROOT) {
            now.insert(name.to_string(), id);
            synced.insert(name.to_string(), id);
        }
    }

    fn add(&mut self, node: Node) -> u64 {
        let id = self.nodes.last_key_value().map_or(ROOT, |(id, _)| id + 1);
        self.nodes.insert(id, node);
        id
    }

    /// Counts an operation, which may be the one that fails, or the last.
    fn operate(&mut self) -> Result<(), Trouble> {
        if self.is_dead() {
            return Err(Trouble::Other);
        }
        self.operations += 1;
        if self.is_dead() {
            return Err(Trouble::Other);
        }
        match self.fails_at {
            Some((at, trouble)) if at == self.operations => Err(trouble),
            _ => Ok(()),
        }
    }

    fn names(&mut self, folder: u64) -> Result<(&mut BTreeMap<String, u64>, &mut Vec<Change>), Trouble> {
        match self.nodes.get_mut(&folder) {
            Some(Node::Folder { now, changes, .. }) => Ok((now, changes)),
            _ => Err(Trouble::NotPlain),
        }
    }

    fn id(&mut self, folder: u64, name: &str) -> Result<u64, Trouble> {
        self.names(folder)?.0.get(name).copied().ok_or(Trouble::Missing)
    }

    fn add_name(&mut self, folder: u64, name: &str, id: u64) -> Result<(), Trouble> {
        let (names, changes) = self.names(folder)?;
        names.insert(name.to_string(), id);
        changes.push(Change::Add(name.to_string(), id));
        Ok(())
    }

    fn contents(&mut self, file: u64) -> Result<(&mut Vec<u8>, &mut Vec<Edit>), Trouble> {
        match self.nodes.get_mut(&file) {
            Some(Node::File { now, edits, .. }) => Ok((now, edits)),
            _ => Err(Trouble::NotPlain),
        }
    }

    fn used(&self) -> u64 {
        let octets = |node: &Node| match node {
            Node::File { now, .. } => now.len() as u64,
            Node::Folder { .. } | Node::Link => 0,
        };
        self.nodes.values().map(octets).sum()
    }
}

fn empty_folder() -> Node {
    Node::Folder { now: BTreeMap::new(), synced: BTreeMap::new(), changes: Vec::new() }
}

fn put(file: &mut Vec<u8>, at: usize, octets: &[u8]) {
    if octets.is_empty() {
        return;
    }
    let end = at + octets.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    if let Some(place) = file.get_mut(at..end) {
        place.copy_from_slice(octets);
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: Change) {
    match change {
        Change::Add(name, id) => drop(names.insert(name, id)),
        Change::Rename(from, to) => {
            if let Some(id) = names.remove(&from) {
                names.insert(to, id);
            }
        }
    }
}

impl Disk for MemoryDisk {
    type Folder = u64;
    type File = u64;

    fn root(&mut self) -> Result<u64, Trouble> {
        self.operate()?;
        Ok(ROOT)
    }

    fn enter(&mut self, folder: &u64, name: &str) -> Result<u64, Trouble> {
        self.operate()?;
        let id = self.id(*folder, name)?;
        match self.nodes.get(&id) {
            Some(Node::Folder { .. }) => Ok(id),
            _ => Err(Trouble::NotPlain),
        }
    }

    fn make_folder(&mut self, folder: &u64, name: &str) -> Result<(), Trouble> {
        self.operate()?;
        if self.id(*folder, name).is_ok() {
            return Err(Trouble::Exists);
        }
        let id = self.add(empty_folder());
        self.add_name(*folder, name, id)
    }

    fn look(&mut self, folder: &u64, name: &str) -> Result<Option<Standing>, Trouble> {
        self.operate()?;
        let Ok(id) = self.id(*folder, name) else { return Ok(None) };
        Ok(self.nodes.get(&id).map(|node| match node {
            Node::File { now, .. } => Standing::File(now.len() as u64),
            Node::Folder { .. } => Standing::Folder,
            Node::Link => Standing::Else,
        }))
    }

    fn open(&mut self, folder: &u64, name: &str) -> Result<u64, Trouble> {
        self.operate()?;
        let id = self.id(*folder, name)?;
        self.contents(id)?;
        Ok(id)
    }

    fn open_or_make(&mut self, folder: &u64, name: &str) -> Result<u64, Trouble> {
        self.operate()?;
        if self.busy.contains(name) {
            return Err(Trouble::Busy);
        }
        if let Ok(id) = self.id(*folder, name) {
            self.contents(id)?;
            return Ok(id);
        }
        let id = self.add(Node::File { now: Vec::new(), synced: Vec::new(), edits: Vec::new() });
        self.add_name(*folder, name, id)?;
        Ok(id)
    }

    fn length(&mut self, file: &u64) -> Result<u64, Trouble> {
        self.operate()?;
        Ok(self.contents(*file)?.0.len() as u64)
    }

    fn set_length(&mut self, file: &mut u64, octets: u64) -> Result<(), Trouble> {
        self.operate()?;
        let octets = usize::try_from(octets).map_err(|_| Trouble::TooLarge)?;
        let (now, edits) = self.contents(*file)?;
        now.resize(octets, 0);
        edits.push(Edit::Length(octets));
        Ok(())
    }

    fn read_at(&mut self, file: &mut u64, at: u64, buffer: &mut [u8]) -> Result<usize, Trouble> {
        self.operate()?;
        let from = usize::try_from(at).map_err(|_| Trouble::TooLarge)?;
        let there = self.contents(*file)?.0.get(from..).unwrap_or_default();
        let octets = there.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..octets), there.get(..octets)) {
            to.copy_from_slice(from);
        }
        Ok(octets)
    }

    fn write_at(&mut self, file: &mut u64, at: u64, octets: &[u8]) -> Result<(), Trouble> {
        let was_dead = self.is_dead();
        let done = self.operate();
        let at = usize::try_from(at).map_err(|_| Trouble::TooLarge)?;
        let full = {
            let grows = (at + octets.len()).saturating_sub(self.contents(*file)?.0.len()) as u64;
            self.capacity.is_some_and(|capacity| self.used() + grows > capacity)
        };
        // The write at which a process dies is half done, and so is one for which there is no room.
        let written = match done {
            Ok(()) if !full => octets.len(),
            Err(_) if was_dead => 0,
            Ok(()) | Err(_) => octets.len() / 2,
        };
        let written = octets.get(..if full { 0 } else { written }).unwrap_or_default();
        let (now, edits) = self.contents(*file)?;
        put(now, at, written);
        edits.push(Edit::Write(at, written.to_vec()));
        done?;
        if full { Err(Trouble::Full) } else { Ok(()) }
    }

    fn sync(&mut self, file: &mut u64) -> Result<(), Trouble> {
        self.operate()?;
        match self.nodes.get_mut(file) {
            Some(Node::File { now, synced, edits }) => {
                synced.clone_from(now);
                edits.clear();
                Ok(())
            }
            _ => Err(Trouble::NotPlain),
        }
    }

    fn sync_folder(&mut self, folder: &u64) -> Result<(), Trouble> {
        self.operate()?;
        match self.nodes.get_mut(folder) {
            Some(Node::Folder { now, synced, changes }) => {
                synced.clone_from(now);
                changes.clear();
                Ok(())
            }
            _ => Err(Trouble::NotPlain),
        }
    }

    fn rename(&mut self, folder: &u64, from: &str, to: &str, replace: Replace) -> Result<(), Trouble> {
        self.operate()?;
        let (names, changes) = self.names(*folder)?;
        if names.contains_key(to) && replace == Replace::Never {
            return Err(Trouble::Exists);
        }
        let id = names.remove(from).ok_or(Trouble::Missing)?;
        names.insert(to.to_string(), id);
        changes.push(Change::Rename(from.to_string(), to.to_string()));
        Ok(())
    }

    fn free(&mut self) -> Result<Option<u64>, Trouble> {
        self.operate()?;
        Ok(self.capacity.map(|capacity| capacity.saturating_sub(self.used())))
    }
}
