//! What a transfer consists of: folders and files by name, with sizes and BLAKE3.
//!
//! On the wire a manifest is one string of octets, cut into pages. It is understood only when it is
//! whole and has the hash that the sender announced, and only as a whole: one bad entry, and nothing
//! is written at all.
//!
//! ```text
//! entry   kind (1: folder, 2: file)   1 octet
//!         length of the path          2 octets, big endian
//!         path                        names joined by '/', UTF-8
//!         size, BLAKE3                8 and 32 octets; files only
//! ```

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::CHUNK;
use super::name::{BadName, Path};

/// A BLAKE3 hash.
pub type Digest = [u8; 32];

/// How many entries a manifest has at most.
pub const MAX_ENTRIES: usize = 100_000;
/// How many octets a manifest has at most.
pub const MAX_OCTETS: usize = 16 << 20;
/// How many octets of it travel in one frame.
pub const PAGE: usize = 48 << 10;
/// The largest file: what any system can address.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// A folder or a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it belongs.
    pub path: Path,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A folder, which may stay empty.
    Folder,
    /// A file.
    File {
        /// Its size in octets.
        size: u64,
        /// The BLAKE3 of all of it.
        digest: Digest,
    },
}

impl Entry {
    /// Its size, where it is a file.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        match self.kind {
            Kind::Folder => None,
            Kind::File { size, .. } => Some(size),
        }
    }

    /// How many chunks it has.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.size().unwrap_or(0).div_ceil(CHUNK as u64)
    }

    /// How long one of its chunks is; 0 for one that it does not have.
    #[must_use]
    pub fn chunk_length(&self, chunk: u64) -> usize {
        let from = chunk.saturating_mul(CHUNK as u64);
        let left = self.size().unwrap_or(0).saturating_sub(from);
        usize::try_from(left.min(CHUNK as u64)).unwrap_or(CHUNK)
    }
}

/// Why a manifest is refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum BadManifest {
    /// It ends in the middle, or holds what is no entry.
    Malformed,
    /// More entries, or octets, than allowed; or nothing at all.
    Count,
    /// A file that is larger than any system can address.
    TooLarge {
        /// Which entry.
        entry: usize,
    },
    /// A name that breaks the rule.
    Name {
        /// Which entry.
        entry: usize,
        /// The name as it came, as far as it can be shown.
        name: String,
        /// Why.
        why: BadName,
    },
    /// Two entries that are one where capitals do not count, or a file used as a folder.
    Collision {
        /// The second of them.
        entry: usize,
        /// Its path.
        path: Path,
        /// What it collides with.
        with: Path,
    },
}

/// The folders and files of a transfer, in the sender's order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    entries: Vec<Entry>,
    octets: Vec<u8>,
    digest: Digest,
    total: u64,
}

impl Manifest {
    /// A manifest of these entries.
    ///
    /// # Errors
    ///
    /// Why a receiver would refuse it.
    pub fn new(entries: Vec<Entry>) -> Result<Self, BadManifest> {
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            return Err(BadManifest::Count);
        }
        let mut octets = Vec::new();
        for entry in &entries {
            let path = entry.path.as_str().as_bytes();
            let length = u16::try_from(path.len()).map_err(|_| BadManifest::Count)?;
            octets.push(if matches!(entry.kind, Kind::Folder) { 1 } else { 2 });
            octets.extend(length.to_be_bytes());
            octets.extend(path);
            if let Kind::File { size, digest } = entry.kind {
                octets.extend(size.to_be_bytes());
                octets.extend(digest);
            }
        }
        Self::check(entries, octets)
    }

    /// Understands what came over the wire.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn from_wire(octets: Vec<u8>) -> Result<Self, BadManifest> {
        let mut entries = Vec::new();
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            if entries.len() == MAX_ENTRIES {
                return Err(BadManifest::Count);
            }
            entries.push(read_entry(&mut rest, entries.len())?);
        }
        Self::check(entries, octets)
    }

    fn check(entries: Vec<Entry>, octets: Vec<u8>) -> Result<Self, BadManifest> {
        if octets.len() > MAX_OCTETS || entries.is_empty() {
            return Err(BadManifest::Count);
        }
        let mut total = 0_u64;
        // What is taken, with its capitals folded: by whom, and whether as a folder.
        let mut taken: BTreeMap<String, (usize, bool)> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            let size = entry.size().unwrap_or(0);
            total = total.saturating_add(size);
            if size > MAX_SIZE || total > MAX_SIZE {
                return Err(BadManifest::TooLarge { entry: place });
            }
            let collision = |with: usize| BadManifest::Collision {
                entry: place,
                path: entry.path.clone(),
                with: entries.get(with).map_or_else(|| entry.path.clone(), |other| other.path.clone()),
            };
            let mut above = entry.path.folder();
            while let Some(folder) = above {
                match taken.get(&folder.folded()) {
                    Some((with, false)) => return Err(collision(*with)),
                    // The same folder in other capitals would be two folders on some systems.
                    Some((with, true)) if !spells(&entries, *with, &folder) => return Err(collision(*with)),
                    Some(_) => {}
                    None => {
                        taken.insert(folder.folded(), (place, true));
                    }
                }
                above = folder.folder();
            }
            let is_folder = matches!(entry.kind, Kind::Folder);
            if let Some((with, was_folder)) = taken.insert(entry.path.folded(), (place, is_folder)) {
                let again = is_folder && was_folder && spells(&entries, with, &entry.path);
                // A folder may be named after something in it; but not twice.
                let named = entries.get(with).is_some_and(|other| other.path == entry.path);
                if !again || named {
                    return Err(collision(with));
                }
            }
        }
        let digest = *blake3::hash(&octets).as_bytes();
        Ok(Self { entries, octets, digest, total })
    }

    /// Its entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// One of its entries.
    #[must_use]
    pub fn entry(&self, place: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(place).ok()?)
    }

    /// What crosses the wire.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The BLAKE3 of that.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The size of all files together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many files it has.
    #[must_use]
    pub fn files(&self) -> usize {
        self.entries.iter().filter(|entry| entry.size().is_some()).count()
    }
}

/// Whether an entry's path begins with, or is, this path in the same capitals.
fn spells(entries: &[Entry], place: usize, path: &Path) -> bool {
    let Some(entry) = entries.get(place) else { return false };
    let (whole, begin) = (entry.path.as_str(), path.as_str());
    whole == begin || whole.strip_prefix(begin).is_some_and(|rest| rest.starts_with('/'))
}

fn read_entry(rest: &mut &[u8], place: usize) -> Result<Entry, BadManifest> {
    let kind = take(rest, 1)?[0];
    let length = take(rest, 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let name = take(rest, length)?;
    let path = Path::from_wire(name).map_err(|why| BadManifest::Name {
        entry: place,
        name: String::from_utf8_lossy(name.get(..length.min(400)).unwrap_or_default())
            .escape_debug()
            .collect(),
        why,
    })?;
    let kind = match kind {
        1 => Kind::Folder,
        2 => {
            let size = take(rest, 8)?.try_into().map(u64::from_be_bytes);
            let digest = take(rest, 32)?.try_into();
            let (Ok(size), Ok(digest)) = (size, digest) else { return Err(BadManifest::Malformed) };
            Kind::File { size, digest }
        }
        _ => return Err(BadManifest::Malformed),
    };
    Ok(Entry { path, kind })
}

fn take<'a>(rest: &mut &'a [u8], octets: usize) -> Result<&'a [u8], BadManifest> {
    let (head, tail) = rest.split_at_checked(octets).ok_or(BadManifest::Malformed)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn path(text: &str) -> Path {
        Path::from_wire(text.as_bytes()).unwrap()
    }

    fn folder(text: &str) -> Entry {
        Entry { path: path(text), kind: Kind::Folder }
    }

    fn file(text: &str, size: u64) -> Entry {
        Entry { path: path(text), kind: Kind::File { size, digest: [7; 32] } }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let entries = vec![folder("a"), file("a/b", 0), folder("a/c"), file("a/c/é", 70_000)];
        let manifest = Manifest::new(entries.clone()).unwrap();
        let read = Manifest::from_wire(manifest.octets().to_vec()).unwrap();
        assert_eq!(read, manifest);
        assert_eq!((read.entries(), read.total(), read.files()), (entries.as_slice(), 70_000, 2));
        // 70,000 octets are one chunk of 65,536 and one of 4,464.
        let last = &read.entries()[3];
        assert_eq!((last.chunks(), last.chunk_length(0), last.chunk_length(1)), (2, 65_536, 4_464));
        assert_eq!((last.chunk_length(2), last.chunk_length(u64::MAX)), (0, 0));
        for cut in 1..manifest.octets().len() {
            let read = Manifest::from_wire(manifest.octets()[..cut].to_vec());
            assert!(read.is_err() || read.unwrap().entries().len() < entries.len(), "cut at {cut}");
        }
    }

    #[test]
    fn two_names_that_differ_in_capitals_only_are_refused() {
        let refused = |entries: Vec<Entry>| match Manifest::new(entries) {
            Err(BadManifest::Collision { entry, with, .. }) => Some((entry, with)),
            _ => None,
        };
        assert_eq!(refused(vec![file("a", 1), file("A", 1)]), Some((1, path("a"))));
        assert_eq!(refused(vec![file("a", 1), file("a", 1)]), Some((1, path("a"))));
        assert_eq!(refused(vec![file("a", 1), file("a/b", 1)]), Some((1, path("a"))));
        assert_eq!(refused(vec![file("a/b", 1), file("a", 1)]), Some((1, path("a/b"))));
        assert_eq!(refused(vec![file("d/x", 1), file("D/y", 1)]), Some((1, path("d/x"))));
        assert_eq!(refused(vec![folder("d"), folder("D")]), Some((1, path("d"))));
        assert_eq!(refused(vec![folder("d"), folder("d")]), Some((1, path("d"))));
        assert_eq!(refused(vec![folder("d"), file("d/x", 1), file("d/y", 1)]), None);
        assert_eq!(refused(vec![file("d/x", 1), folder("d"), file("d/y", 1)]), None);
    }

    #[test]
    fn sizes_that_no_system_can_address_are_refused() {
        for entries in [vec![file("a", u64::MAX)], vec![file("a", MAX_SIZE), file("b", 1)]] {
            assert!(matches!(Manifest::new(entries), Err(BadManifest::TooLarge { .. })));
        }
        assert_eq!(Manifest::from_wire(Vec::new()), Err(BadManifest::Count));
        let mut climbing = vec![2, 0, 9];
        climbing.extend(b"../escape");
        climbing.extend([0; 40]);
        let refused = Manifest::from_wire(climbing);
        let Err(BadManifest::Name { entry: 0, name, why: BadName::Climbs }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(name, "../escape");
    }
}
