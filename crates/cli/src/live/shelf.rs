//! What a transfer sends: a file, or a folder with all that is in it.
//!
//! Each file is hashed before anything is said, so that its hash stands in the manifest. Links, hidden
//! files and what is neither file nor folder stay here, and are counted. Files are opened again when
//! they are asked for, name by name from the folder's own handle, and never through a link.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use aperto_app::transfer::manifest::{BadManifest, MAX_ENTRIES};
use aperto_app::transfer::name::BadName;
use aperto_app::transfer::{CHUNK, Entry, Kind, Manifest, Order, Outcome, Path, Trouble};
use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use super::disk::{open_plain, read_at, trouble};

/// Files that can be sent.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// The folder that the first name of each path is in.
    root: Dir,
    manifest: Arc<Manifest>,
    /// The file that was read last.
    open: Option<(u32, File)>,
    left_out: LeftOut,
}

/// What stays here.
#[derive(Clone, Default, Debug)]
pub(crate) struct LeftOut {
    pub(crate) hidden: u64,
    pub(crate) links: u64,
    /// One of them, to be named.
    pub(crate) first: Option<String>,
}

/// Why something cannot be sent.
#[derive(Debug)]
pub(crate) enum CannotSend {
    /// The system does not let us read it.
    Read(String, io::Error),
    /// A name that no receiver would take.
    Name(String, BadName),
    /// The receiver would refuse the whole.
    Manifest(BadManifest),
}

impl Shelf {
    /// Reads all of it once. `seen` hears how many octets were read, now and then.
    pub(crate) fn open(path: &str, mut seen: impl FnMut(u64)) -> Result<Self, CannotSend> {
        let unreadable = |error| CannotSend::Read(path.into(), error);
        // So that `.`, `..` and `folder/` have a name; the user may name what a link leads to.
        let whole = std::fs::canonicalize(path).map_err(unreadable)?;
        let (Some(above), Some(name)) = (whole.parent(), whole.file_name()) else {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        };
        let root = Dir::open_ambient_dir(above, ambient_authority()).map_err(unreadable)?;
        let mut walk = Walk { entries: Vec::new(), left_out: LeftOut::default(), seen: &mut seen };
        let shown = name.to_string_lossy().into_owned();
        let name = name.to_str().ok_or(CannotSend::Name(shown, BadName::NotUnicode))?;
        let entry = Path::new(name).map_err(|why| CannotSend::Name(path.into(), why))?;
        if whole.is_dir() {
            let folder = root.open_dir_nofollow(name).map_err(unreadable)?;
            walk.folder(&folder, &entry)?;
        } else {
            walk.file(&root, &entry)?;
        }
        let manifest = Manifest::new(walk.entries).map_err(CannotSend::Manifest)?;
        Ok(Self { root, manifest: Arc::new(manifest), open: None, left_out: walk.left_out })
    }

    /// What is said of them.
    pub(crate) const fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// What stays here.
    pub(crate) const fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// The same files, for another connection.
    pub(crate) fn again(&self) -> io::Result<Self> {
        let (root, manifest) = (self.root.try_clone()?, Arc::clone(&self.manifest));
        Ok(Self { root, manifest, open: None, left_out: self.left_out.clone() })
    }

    /// Does what a sender orders.
    pub(crate) fn perform(&mut self, order: &Order) -> Outcome {
        let done = match *order {
            Order::Read { file, chunk, octets } => self.read(file, chunk, octets).map(Outcome::Octets),
            Order::Hash { file, first, count } => (first..first + u64::from(count))
                .map(|chunk| self.read(file, chunk, CHUNK).map(|octets| *blake3::hash(&octets).as_bytes()))
                .collect::<Result<_, _>>()
                .map(Outcome::Hashes),
            // A vault's.
            _ => Err(Trouble::Other),
        };
        done.unwrap_or_else(Outcome::Failed)
    }

    fn read(&mut self, file: u32, chunk: u64, octets: usize) -> Result<Vec<u8>, Trouble> {
        let mut room = vec![0; octets.min(CHUNK)];
        let open = match &mut self.open {
            Some((there, open)) if *there == file => open,
            _ => {
                let path = &self.manifest.entry(file).ok_or(Trouble::Missing)?.path;
                let opened = open_below(&self.root, path)?;
                &mut self.open.insert((file, opened)).1
            }
        };
        let read = read_at(open, chunk.saturating_mul(CHUNK as u64), &mut room);
        room.truncate(read.map_err(|error| trouble(&error))?);
        Ok(room)
    }
}

fn open_below(root: &Dir, path: &Path) -> Result<File, Trouble> {
    let mut folder = root.try_clone().map_err(|error| trouble(&error))?;
    for name in path.folder().iter().flat_map(Path::names) {
        folder = folder.open_dir_nofollow(name).map_err(|error| trouble(&error))?;
    }
    open_plain(&folder, path.last(), OpenOptions::new().read(true))
}

/// A walk through a folder.
struct Walk<'a> {
    entries: Vec<Entry>,
    left_out: LeftOut,
    seen: &'a mut dyn FnMut(u64),
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Dir, path: &Path) -> Result<(), CannotSend> {
        self.add(Entry { path: path.clone(), kind: Kind::Folder })?;
        let unreadable = |error| CannotSend::Read(path.to_string(), error);
        let mut found = Vec::new();
        for entry in folder.entries().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            found.push((entry.file_name(), kind));
            if found.len() > MAX_ENTRIES {
                return Err(CannotSend::Manifest(BadManifest::Count));
            }
        }
        // The same folder gives the same manifest, whatever order the system has.
        found.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, kind) in found {
            let shown = format!("{path}/{}", name.to_string_lossy());
            let name = name.to_str().unwrap_or("\u{fffd}");
            if name.starts_with('.') {
                self.leave_out(shown, |left_out| &mut left_out.hidden);
            } else if !kind.is_dir() && !kind.is_file() {
                self.leave_out(shown, |left_out| &mut left_out.links);
            } else if shown.contains('\u{fffd}') && name == "\u{fffd}" {
                return Err(CannotSend::Name(shown, BadName::NotUnicode));
            } else {
                let below = path.join(name).map_err(|why| CannotSend::Name(shown.clone(), why))?;
                if kind.is_dir() {
                    let unreadable = |error| CannotSend::Read(shown, error);
                    let folder = folder.open_dir_nofollow(name).map_err(unreadable)?;
                    self.folder(&folder, &below)?;
                } else {
                    self.file(folder, &below)?;
                }
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, shown: String, which: impl Fn(&mut LeftOut) -> &mut u64) {
        *which(&mut self.left_out) += 1;
        self.left_out.first.get_or_insert(shown);
    }

    fn file(&mut self, folder: &Dir, path: &Path) -> Result<(), CannotSend> {
        let unreadable = |error| CannotSend::Read(path.to_string(), error);
        let refused = |trouble| {
            let kind = match trouble {
                Trouble::Missing => io::ErrorKind::NotFound,
                Trouble::Denied => io::ErrorKind::PermissionDenied,
                _ => io::ErrorKind::InvalidInput,
            };
            unreadable(kind.into())
        };
        let mut file = open_plain(folder, path.last(), OpenOptions::new().read(true)).map_err(refused)?;
        let mut hash = blake3::Hasher::new();
        let mut room = vec![0; CHUNK];
        let mut size = 0;
        loop {
            match file.read(&mut room) {
                Ok(0) => break,
                Ok(octets) => {
                    hash.update(room.get(..octets).unwrap_or_default());
                    size += octets as u64;
                    (self.seen)(octets as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        let digest = *hash.finalize().as_bytes();
        self.add(Entry { path: path.clone(), kind: Kind::File { size, digest } })
    }

    fn add(&mut self, entry: Entry) -> Result<(), CannotSend> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(CannotSend::Manifest(BadManifest::Count));
        }
        self.entries.push(entry);
        Ok(())
    }
}
