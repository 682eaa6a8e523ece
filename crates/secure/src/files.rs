//! Files that only their owner may read, whole or not at all.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A file of keys is never longer.
const MOST_OCTETS: u64 = 1 << 20;

/// What is the matter with a file of ours.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileError {
    /// The system says so.
    Io {
        /// Which file.
        file: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// Others than its owner can read it.
    Open {
        /// Which file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It does not hold what it should.
    Damaged {
        /// Which file.
        file: PathBuf,
        /// In which line, from 1.
        line: usize,
    },
}

impl FileError {
    pub(crate) fn io(file: &Path, error: io::Error) -> Self {
        Self::Io { file: file.into(), error }
    }

    pub(crate) fn damaged(file: &Path, line: usize) -> Self {
        Self::Damaged { file: file.into(), line }
    }

    /// Whether there is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, error } => write!(f, "{}: {error}", file.display()),
            Self::Open { file, mode } => write!(f, "{}: others can read it ({mode:o})", file.display()),
            Self::Damaged { file, line } => write!(f, "{}: damaged in line {line}", file.display()),
        }
    }
}

impl std::error::Error for FileError {}

/// Makes a folder for them, for its owner only.
pub(crate) fn make_folder(folder: &Path) -> Result<(), FileError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| FileError::io(folder, error))
}

/// How a file for its owner only is opened.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Refuses a file that others than its owner can read or write. RELIABILITY SC-11.
pub(crate) fn only_its_owners(file: &Path, opened: &File) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let about = opened.metadata().map_err(|error| FileError::io(file, error))?;
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(FileError::Open { file: file.into(), mode });
        }
    }
    #[cfg(not(unix))]
    let _ = (file, opened);
    Ok(())
}

/// The text of a file; `secret` if nobody else may be able to read it.
pub(crate) fn read(file: &Path, secret: Secret) -> Result<String, FileError> {
    let failed = |error| FileError::io(file, error);
    let opened = File::open(file).map_err(failed)?;
    if secret == Secret::Yes {
        only_its_owners(file, &opened)?;
    }
    let mut octets = Vec::new();
    opened.take(MOST_OCTETS + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() as u64 > MOST_OCTETS {
        return Err(FileError::damaged(file, 1));
    }
    String::from_utf8(octets).map_err(|_| FileError::damaged(file, 1))
}

/// Whether a file holds a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Secret {
    Yes,
    No,
}

/// What to do where the file is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Existing {
    /// It stays as it is, and the call says so.
    Keep,
    /// It is replaced.
    Replace,
}

/// Writes a file whole: under another name first, then it gets its own. A crash leaves the old
/// file, or none. Says whether the file is this one now.
pub(crate) fn write(file: &Path, text: &str, existing: Existing) -> Result<bool, FileError> {
    let failed = |error| FileError::io(file, error);
    let mut salt = [0_u8; 8];
    getrandom::fill(&mut salt).map_err(|error| failed(io::Error::other(error.to_string())))?;
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{:016x}.tmp", u64::from_be_bytes(salt)));
    let temporary = file.with_file_name(name);
    let written = (|| {
        let mut opened = private().write(true).create_new(true).open(&temporary)?;
        opened.write_all(text.as_bytes())?;
        opened.sync_all()?;
        match existing {
            Existing::Replace => std::fs::rename(&temporary, file).map(|()| true),
            // A second name, unlike a new name, is refused where there is such a file.
            Existing::Keep => match std::fs::hard_link(&temporary, file) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error),
            },
        }
    })();
    // After a rename it is gone already.
    let _ = std::fs::remove_file(&temporary);
    let written = written.map_err(failed)?;
    // A name is safe when its folder is.
    #[cfg(unix)]
    if let Some(folder) = file.parent().and_then(|folder| File::open(folder).ok()) {
        folder.sync_all().map_err(failed)?;
    }
    Ok(written)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder that is gone when the test is over.
    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new() -> Self {
            let mut salt = [0; 8];
            getrandom::fill(&mut salt).unwrap();
            let folder =
                std::env::temp_dir().join(format!("aperto-secure-{:016x}", u64::from_ne_bytes(salt)));
            std::fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_that_is_there_is_kept_or_replaced_as_asked() {
        let folder = Folder::new();
        let file = folder.path().join("file");
        assert!(write(&file, "one", Existing::Keep).unwrap());
        assert!(!write(&file, "two", Existing::Keep).unwrap());
        assert_eq!(read(&file, Secret::Yes).unwrap(), "one");
        assert!(write(&file, "three", Existing::Replace).unwrap());
        assert_eq!(read(&file, Secret::Yes).unwrap(), "three");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files stay");
        assert!(write(&folder.path().join("no/such"), "x", Existing::Keep).unwrap_err().is_missing());
    }
}
