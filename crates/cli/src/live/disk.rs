//! A transfer's disk: one folder of this machine, and nothing outside of it.
//!
//! Folders are handles (cap-std), and each name is opened in its folder, alone and without following
//! links: whoever swaps a folder for a link meanwhile finds the handle still at the folder. What is no
//! plain file is refused after it was opened, and so is a file with a second name elsewhere, which
//! would be written there too.
//!
//! An unfinished file is locked while it is written. A lock is waited for a moment: the connection
//! before this one may be ending.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use aperto_app::transfer::Trouble;
use aperto_app::transfer::disk::{Disk, Replace, Standing};
use cap_fs_ext::{
    DirExt as _, FollowSymlinks, MetadataExt as _, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _,
};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

/// How often a lock is tried, and how long is waited between.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// One folder of this machine.
#[derive(Debug)]
pub(crate) struct FolderDisk {
    root: Dir,
}

impl FolderDisk {
    /// The folder at this path, which must be there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { root: Dir::open_ambient_dir(path, ambient_authority())? })
    }
}

/// What the system says, in a transfer's words.
pub(crate) fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::Missing,
        io::ErrorKind::AlreadyExists => Trouble::Exists,
        io::ErrorKind::PermissionDenied => Trouble::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::Full,
        io::ErrorKind::FileTooLarge => Trouble::TooLarge,
        io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => Trouble::NotPlain,
        io::ErrorKind::ResourceBusy => Trouble::Busy,
        _ if is_link(error) => Trouble::NotPlain,
        _ => Trouble::Other,
    }
}

/// Whether an open that follows no links met one.
#[cfg(unix)]
fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
const fn is_link(_: &io::Error) -> bool {
    false
}

fn told<T>(result: io::Result<T>) -> Result<T, Trouble> {
    result.map_err(|error| trouble(&error))
}

/// Opens a plain file, and nothing else, in a folder.
pub(crate) fn open_plain(folder: &Dir, name: &str, options: &mut OpenOptions) -> Result<File, Trouble> {
    // A pipe would keep us waiting for its other end.
    let file = told(folder.open_with(name, options.follow(FollowSymlinks::No).nonblock(true)))?;
    let about = told(file.metadata())?;
    if !about.is_file() {
        return Err(Trouble::NotPlain);
    }
    Ok(file.into_std())
}

impl Disk for FolderDisk {
    type Folder = Dir;
    type File = File;

    fn root(&mut self) -> Result<Dir, Trouble> {
        told(self.root.try_clone())
    }

    fn enter(&mut self, folder: &Dir, name: &str) -> Result<Dir, Trouble> {
        told(folder.open_dir_nofollow(name))
    }

    fn make_folder(&mut self, folder: &Dir, name: &str) -> Result<(), Trouble> {
        told(folder.create_dir(name))
    }

    fn look(&mut self, folder: &Dir, name: &str) -> Result<Option<Standing>, Trouble> {
        match folder.symlink_metadata(name) {
            Ok(about) if about.is_file() => Ok(Some(Standing::File(about.len()))),
            Ok(about) if about.is_dir() => Ok(Some(Standing::Folder)),
            Ok(_) => Ok(Some(Standing::Else)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn open(&mut self, folder: &Dir, name: &str) -> Result<File, Trouble> {
        open_plain(folder, name, OpenOptions::new().read(true))
    }

    fn open_or_make(&mut self, folder: &Dir, name: &str) -> Result<File, Trouble> {
        for _ in 0..LOCK_TRIES {
            let mut options = OpenOptions::new();
            let file = open_plain(folder, name, options.read(true).write(true).create(true))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(LOCK_PAUSE);
                    continue;
                }
                // A file system without locks has one writer, as far as it can tell.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(trouble(&error)),
            }
            // Whoever had the lock may have given the file its name meanwhile.
            let held = cap_std::fs::File::from_std(file);
            let about = told(held.metadata())?;
            let is_still_there = folder
                .symlink_metadata(name)
                .is_ok_and(|now| now.dev() == about.dev() && now.ino() == about.ino());
            if is_still_there {
                return if about.nlink() == 1 { Ok(held.into_std()) } else { Err(Trouble::NotPlain) };
            }
        }
        Err(Trouble::Busy)
    }

    fn length(&mut self, file: &File) -> Result<u64, Trouble> {
        told(file.metadata()).map(|about| about.len())
    }

    fn set_length(&mut self, file: &mut File, octets: u64) -> Result<(), Trouble> {
        told(file.set_len(octets))
    }

    fn read_at(&mut self, file: &mut File, at: u64, buffer: &mut [u8]) -> Result<usize, Trouble> {
        told(read_at(file, at, buffer))
    }

    fn write_at(&mut self, file: &mut File, at: u64, octets: &[u8]) -> Result<(), Trouble> {
        told(file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(octets)))
    }

    fn sync(&mut self, file: &mut File) -> Result<(), Trouble> {
        told(file.sync_all())
    }

    fn sync_folder(&mut self, folder: &Dir) -> Result<(), Trouble> {
        told(sync_folder(folder))
    }

    fn rename(&mut self, folder: &Dir, from: &str, to: &str, replace: Replace) -> Result<(), Trouble> {
        if replace == Replace::Never {
            return told(rename_new(folder, from, to));
        }
        told(folder.rename(from, folder, to))
    }

    fn free(&mut self) -> Result<Option<u64>, Trouble> {
        told(free(&self.root))
    }
}

/// Reads as much as there is, up to a whole buffer.
pub(crate) fn read_at(file: &mut File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(octets) => filled += octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn sync_folder(folder: &Dir) -> io::Result<()> {
    // The handle may be one that only names are looked up in.
    let folder = folder.open(".")?;
    match rustix::fs::fsync(&folder) {
        // Some file systems cannot, and have nothing to lose.
        Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Windows has no such call; a rename is in the journal when it returns.
#[cfg(not(unix))]
const fn sync_folder(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Renames in one step that fails where the name is taken.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_new(folder: &Dir, from: &str, to: &str) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // A file system without it: what stands there was looked at, and will be once more.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_looking(folder, from, to),
        other => other.map_err(io::Error::from),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_new(folder: &Dir, from: &str, to: &str) -> io::Result<()> {
    rename_looking(folder, from, to)
}

fn rename_looking(folder: &Dir, from: &str, to: &str) -> io::Result<()> {
    match folder.symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder.rename(from, folder, to),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn free(root: &Dir) -> io::Result<Option<u64>> {
    let about = rustix::fs::fstatvfs(root)?;
    Ok(Some(about.f_bavail.saturating_mul(about.f_frsize)))
}

/// Not asked there: a disk that fills up says so itself.
#[cfg(not(unix))]
const fn free(_: &Dir) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(test)]
mod tests;
