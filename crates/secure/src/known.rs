//! The servers whose keys were seen before: trust on first use.
//!
//! A file of lines, `HOST:PORT FINGERPRINT`, with `#` for comments; people may edit it. The first key
//! is believed and kept, another one is not: nobody asks "are you sure?" (RELIABILITY SC-5).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Fingerprint;
use crate::files::{self, Existing, FileError, Secret};

const FILE: &str = "known_servers";
const HEAD: &str =
    "# Keys of servers, as they were first seen. `aperto key forget HOST:PORT` takes one out.\n";

/// The list of known servers.
#[derive(Clone, Debug)]
pub struct Known {
    file: PathBuf,
}

/// A server that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its key.
    pub fingerprint: Fingerprint,
    /// In which line of the file, from 1.
    pub line: usize,
}

impl Known {
    /// The list in this folder. Nothing is read yet.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join(FILE) }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is known of a server.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a line that is none: then nothing in it is believed.
    pub fn of(&self, host: &str, port: u16) -> Result<Option<Entry>, FileError> {
        let name = name(host, port);
        let mut found = None;
        for (line, text) in (1..).zip(self.text()?.lines()) {
            let Some((known, fingerprint)) = entry(text) else { continue };
            let fingerprint = fingerprint.map_err(|()| FileError::damaged(&self.file, line))?;
            if known == name && found.is_none() {
                found = Some(Entry { fingerprint, line });
            }
        }
        Ok(found)
    }

    /// Keeps a server's key. Call it for one that is not known.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn add(&self, host: &str, port: u16, fingerprint: Fingerprint) -> Result<(), FileError> {
        let failed = |error| FileError::io(&self.file, error);
        if let Some(folder) = self.file.parent() {
            files::make_folder(folder)?;
        }
        let mut file = files::private().append(true).create(true).open(&self.file).map_err(failed)?;
        let is_new = file.metadata().map_err(failed)?.len() == 0;
        let head = if is_new { HEAD } else { "" };
        // One write, so that two clients at once do not mix.
        let line = format!("{head}{} {fingerprint}\n", name(host, port));
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Takes a server out; says whether it was there.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn forget(&self, host: &str, port: u16) -> Result<bool, FileError> {
        let name = name(host, port);
        let text = self.text()?;
        let is_other = |line: &&str| entry(line).is_none_or(|(known, _)| known != name);
        let kept: String = text.lines().filter(is_other).flat_map(|line| [line, "\n"]).collect();
        if kept.lines().count() == text.lines().count() {
            return Ok(false);
        }
        files::write(&self.file, &kept, Existing::Replace).map(|_| true)
    }

    fn text(&self) -> Result<String, FileError> {
        match files::read(&self.file, Secret::No) {
            Err(error) if error.is_missing() => Ok(String::new()),
            other => other,
        }
    }
}

/// A line's name and key; none where it says nothing.
fn entry(line: &str) -> Option<(&str, Result<Fingerprint, ()>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    match line.split_once(char::is_whitespace) {
        Some((name, fingerprint)) => Some((name, fingerprint.trim().parse().map_err(drop))),
        None => Some((line, Err(()))),
    }
}

/// How a server is called in the file.
#[must_use]
pub fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests;
