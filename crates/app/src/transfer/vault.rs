//! Where a receiver keeps files: in an order of operations that survives a crash at any of them.
//!
//! A file grows under a name that no manifest can hold (`.NAME.aperto-part`), is verified as a whole,
//! made durable, renamed, and the folder made durable: so a file that has its name is whole. Nothing
//! is remembered beside the unfinished file: what of it is sound is found out by hashing it again, so
//! a crash that loses or tears what was written last costs only that.
//!
//! Somebody's file is replaced only where the user said so, and never a folder or a link.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::disk::{Disk, Replace, Standing, Trouble};
use super::manifest::{Digest, Entry, Kind, Manifest};
use super::name::Path;
use super::{CHUNK, Found, Order, Outcome};

/// What must stay free on the disk where nothing else is said: 64 MiB.
pub const FLOOR: u64 = 64 << 20;

/// The name of a file that is not finished.
#[must_use]
pub fn part_name(name: &str) -> String {
    format!(".{name}.aperto-part")
}

/// Carries out what a receiver orders, on any disk.
pub struct Vault<D: Disk> {
    disk: D,
    manifest: Arc<Manifest>,
    replace: Replace,
    floor: u64,
    open: Option<Open<D>>,
}

/// The unfinished file.
struct Open<D: Disk> {
    file: u32,
    folder: D::Folder,
    part: D::File,
}

impl<D: Disk> Vault<D> {
    /// A vault for the files of this manifest.
    pub const fn new(disk: D, manifest: Arc<Manifest>, replace: Replace, floor: u64) -> Self {
        Self { disk, manifest, replace, floor, open: None }
    }

    /// Its disk.
    pub const fn disk(&self) -> &D {
        &self.disk
    }

    /// Its disk again, and everything closed.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// Does what is ordered. Orders of a sender's are not for a vault.
    pub fn perform(&mut self, order: &Order) -> Outcome {
        let done = match order {
            Order::Look { file } => self.look(*file).map(Outcome::Found),
            Order::Room { octets } => self.room(*octets),
            Order::Folder { file } => self.folder_of(*file).map(|()| Outcome::Done),
            Order::Begin { file } => self.begin(*file).map(Outcome::Held),
            Order::Compare { file, first, hashes } => self.compare(*file, *first, hashes).map(Outcome::Sound),
            Order::Write { file, chunk, octets } => self.write(*file, *chunk, octets),
            Order::Finish { file } => self.finish(*file).map(Outcome::Verified),
            Order::Read { .. } | Order::Hash { .. } => Err(Trouble::Other),
        };
        done.unwrap_or_else(Outcome::Failed)
    }

    fn entry(&self, file: u32) -> Result<Entry, Trouble> {
        self.manifest.entry(file).cloned().ok_or(Trouble::Missing)
    }

    /// The folder that a path is in, if all of it is there.
    fn find(&mut self, path: &Path) -> Result<Option<D::Folder>, Trouble> {
        let mut folder = self.disk.root()?;
        let Some(above) = path.folder() else { return Ok(Some(folder)) };
        for name in above.names() {
            folder = match self.disk.enter(&folder, name) {
                Ok(below) => below,
                Err(Trouble::Missing) => return Ok(None),
                Err(trouble) => return Err(trouble),
            };
        }
        Ok(Some(folder))
    }

    /// The same, made where it is missing.
    fn make(&mut self, path: Option<&Path>) -> Result<D::Folder, Trouble> {
        let mut folder = self.disk.root()?;
        for name in path.into_iter().flat_map(Path::names) {
            folder = match self.disk.enter(&folder, name) {
                Err(Trouble::Missing) => {
                    match self.disk.make_folder(&folder, name) {
                        // Another client was quicker.
                        Ok(()) | Err(Trouble::Exists) => {}
                        Err(trouble) => return Err(trouble),
                    }
                    self.disk.sync_folder(&folder)?;
                    self.disk.enter(&folder, name)?
                }
                other => other?,
            };
        }
        Ok(folder)
    }

    fn folder_of(&mut self, file: u32) -> Result<(), Trouble> {
        let entry = self.entry(file)?;
        self.make(Some(&entry.path)).map(|_| ())
    }

    fn room(&mut self, octets: u64) -> Result<Outcome, Trouble> {
        Ok(match self.disk.free()? {
            Some(free) if octets.saturating_add(self.floor) > free => {
                Outcome::NoRoom { free, floor: self.floor }
            }
            _ => Outcome::Done,
        })
    }

    fn look(&mut self, file: u32) -> Result<Found, Trouble> {
        let entry = self.entry(file)?;
        let Some(folder) = self.find(&entry.path)? else { return Ok(Found::Nothing { held: 0 }) };
        let standing = self.disk.look(&folder, entry.path.last())?;
        let (size, digest) = match (entry.kind, standing) {
            (Kind::Folder, None | Some(Standing::Folder)) => return Ok(Found::Nothing { held: 0 }),
            (Kind::Folder, Some(_)) => return Ok(Found::Other),
            (Kind::File { size, digest }, _) => (size, digest),
        };
        match standing {
            None => {}
            Some(Standing::File(there)) => {
                let mut same = there == size;
                if same {
                    let mut open = self.disk.open(&folder, entry.path.last())?;
                    same = self.whole(&mut open, size)? == Some(digest);
                }
                if same {
                    return Ok(Found::Same);
                }
                if self.replace == Replace::Never {
                    return Ok(Found::Other);
                }
            }
            Some(Standing::Folder | Standing::Else) => return Ok(Found::Other),
        }
        let held = match self.disk.look(&folder, &part_name(entry.path.last()))? {
            Some(Standing::File(held)) => held.min(size),
            _ => 0,
        };
        Ok(Found::Nothing { held })
    }

    fn begin(&mut self, file: u32) -> Result<u64, Trouble> {
        // What was open before is closed, and its lock given back.
        self.open = None;
        let entry = self.entry(file)?;
        let size = entry.size().ok_or(Trouble::NotPlain)?;
        let folder = self.make(entry.path.folder().as_ref())?;
        let mut part = self.disk.open_or_make(&folder, &part_name(entry.path.last()))?;
        let held = self.disk.length(&part)?;
        if held > size {
            // Of another file that had the name.
            self.disk.set_length(&mut part, size)?;
        }
        self.open = Some(Open { file, folder, part });
        Ok(held.min(size))
    }

    fn compare(&mut self, file: u32, first: u64, hashes: &[Digest]) -> Result<Vec<bool>, Trouble> {
        let entry = self.entry(file)?;
        let mut sound = Vec::new();
        let mut room = vec![0; CHUNK];
        for (chunk, expected) in (first..).zip(hashes) {
            let length = entry.chunk_length(chunk);
            let octets = self.read(file, chunk, room.get_mut(..length).unwrap_or_default())?;
            let read = room.get(..octets).unwrap_or_default();
            sound.push(octets == length && length > 0 && blake3::hash(read).as_bytes() == expected);
        }
        Ok(sound)
    }

    fn read(&mut self, file: u32, chunk: u64, room: &mut [u8]) -> Result<usize, Trouble> {
        let open = self.open.as_mut().filter(|open| open.file == file).ok_or(Trouble::Missing)?;
        self.disk.read_at(&mut open.part, chunk.saturating_mul(CHUNK as u64), room)
    }

    fn write(&mut self, file: u32, chunk: u64, octets: &[u8]) -> Result<Outcome, Trouble> {
        let entry = self.entry(file)?;
        // A chunk that the file does not have would leave a hole, or make it longer than it is.
        if octets.len() != entry.chunk_length(chunk) || octets.is_empty() {
            return Err(Trouble::TooLarge);
        }
        // What another program has taken meanwhile is not ours to use up.
        if chunk.is_multiple_of(64) {
            let room = self.room(octets.len() as u64)?;
            if room != Outcome::Done {
                return Ok(room);
            }
        }
        let open = self.open.as_mut().filter(|open| open.file == file).ok_or(Trouble::Missing)?;
        self.disk.write_at(&mut open.part, chunk.saturating_mul(CHUNK as u64), octets)?;
        Ok(Outcome::Done)
    }

    fn finish(&mut self, file: u32) -> Result<bool, Trouble> {
        let entry = self.entry(file)?;
        let Kind::File { size, digest } = entry.kind else { return Err(Trouble::NotPlain) };
        let mut open = self.open.take().filter(|open| open.file == file).ok_or(Trouble::Missing)?;
        let verified = self.whole(&mut open.part, size)? == Some(digest);
        if !verified {
            self.open = Some(open);
            return Ok(false);
        }
        self.disk.sync(&mut open.part)?;
        let name = entry.path.last();
        self.disk.rename(&open.folder, &part_name(name), name, self.replace)?;
        self.disk.sync_folder(&open.folder)?;
        Ok(true)
    }

    /// The hash of a file that has this length; none where it has another.
    fn whole(&mut self, file: &mut D::File, size: u64) -> Result<Option<Digest>, Trouble> {
        if self.disk.length(file)? != size {
            return Ok(None);
        }
        let mut hash = blake3::Hasher::new();
        let mut room = vec![0; CHUNK];
        let mut at = 0;
        while at < size {
            let octets = self.disk.read_at(file, at, &mut room)?;
            if octets == 0 {
                return Ok(None);
            }
            hash.update(room.get(..octets).unwrap_or_default());
            at += octets as u64;
        }
        Ok(Some(*hash.finalize().as_bytes()))
    }
}

impl<D: Disk + Clone> Clone for Vault<D>
where
    D::Folder: Clone,
    D::File: Clone,
{
    fn clone(&self) -> Self {
        let open = self.open.as_ref().map(|open| Open {
            file: open.file,
            folder: open.folder.clone(),
            part: open.part.clone(),
        });
        let (disk, manifest) = (self.disk.clone(), Arc::clone(&self.manifest));
        Self { disk, manifest, replace: self.replace, floor: self.floor, open }
    }
}

impl<D: Disk> fmt::Debug for Vault<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("replace", &self.replace).finish_non_exhaustive()
    }
}
