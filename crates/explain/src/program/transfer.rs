//! What file transfer says: what arrived, what was damaged and asked for again, and why it failed.
//!
//! Each language is an exhaustive `match` in a file of its own. Names of files come from the other end:
//! those that reach a sentence keep the rule of [`aperto_app::transfer::name`], or were escaped.

mod en;
mod pt;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_app::transfer::{BadManifest, BadName, Failure, Refusal};
use aperto_time::Duration;

use super::{Exit, FileTrouble, Notice};
use crate::Language;
use crate::wording::wrap;

/// Which end of a transfer we are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Ours are the files.
    Sends,
    /// We write them.
    Receives,
}

/// Why a transfer could not be, or was not, done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TransferFault {
    /// A name of ours that no receiver would take.
    Name {
        /// What is called so.
        path: String,
        /// What is wrong with it.
        why: BadName,
    },
    /// All together cannot be sent.
    Unsendable {
        /// What was to be sent.
        path: String,
        /// Why not.
        why: BadManifest,
    },
    /// The folder to receive into cannot be used.
    Folder {
        /// The folder.
        folder: String,
        /// Why not.
        why: FileTrouble,
    },
    /// It began, and failed.
    Failed {
        /// Which end we are.
        side: Side,
        /// Who is at the other.
        remote: SocketAddr,
        /// Why.
        why: Failure,
    },
    /// The connection broke again and again.
    GaveUp {
        /// How often it was tried.
        tries: u32,
        /// Who is at the other end.
        remote: SocketAddr,
    },
}

impl TransferFault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Name { .. } | Self::Unsendable { .. } => Exit::Usage,
            Self::Folder { .. } => Exit::NotHere,
            Self::GaveUp { .. } => Exit::TimedOut,
            Self::Failed { why, .. } => match why {
                Failure::Stranger(_)
                | Failure::Version(_)
                | Failure::Protocol
                | Failure::SameRole
                | Failure::Manifest(_) => Exit::Foreign,
                Failure::Exists(_) | Failure::NoRoom { .. } | Failure::Busy(_) | Failure::Disk(..) => {
                    Exit::NotHere
                }
                Failure::Unreadable(_) => Exit::Unreadable,
                Failure::Changed(_) | Failure::Superseded => Exit::Failed,
                Failure::TooSlow | Failure::Silent => Exit::TimedOut,
                Failure::Broken | Failure::Refused(..) => Exit::Refused,
                Failure::Cancelled => Exit::Interrupted,
            },
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "transfer-name",
            Self::Unsendable { .. } => "transfer-unsendable",
            Self::Folder { .. } => "transfer-folder",
            Self::GaveUp { .. } => "transfer-gave-up",
            Self::Failed { why, .. } => match why {
                Failure::Stranger(_) => "transfer-stranger",
                Failure::Version(_) => "transfer-version",
                Failure::Protocol => "transfer-protocol",
                Failure::SameRole => "transfer-same-role",
                Failure::Manifest(BadManifest::Name { .. }) => "transfer-hostile-name",
                Failure::Manifest(BadManifest::Collision { .. }) => "transfer-collision",
                Failure::Manifest(_) => "transfer-manifest",
                Failure::Exists(_) => "transfer-exists",
                Failure::NoRoom { .. } => "transfer-no-room",
                Failure::Busy(_) => "transfer-busy",
                Failure::Disk(..) => "transfer-disk",
                Failure::Changed(_) => "transfer-changed",
                Failure::Unreadable(_) => "transfer-unreadable",
                Failure::TooSlow => "transfer-too-slow",
                Failure::Silent => "transfer-silent",
                Failure::Broken => "transfer-broken",
                Failure::Refused(..) => "transfer-refused",
                Failure::Superseded => "transfer-superseded",
                Failure::Cancelled => "transfer-cancelled",
            },
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        match language {
            Language::English => en::fault(self),
            Language::Portuguese => pt::fault(self),
        }
    }
}

/// What is said while it goes on, and at its end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum TransferSaying {
    /// A server waits for files, and where they will be.
    Receiving { folder: String },
    /// A server has files, for whoever comes.
    Offering { name: String, files: u64, octets: u64 },
    /// What stays here: hidden files; links and the like; one of them.
    LeftOut { hidden: u64, links: u64, first: String },
    /// Both ends know what is to come. A server says of which client.
    Begun { label: String, side: Side, name: String, files: u64, octets: u64 },
    /// So much of a file was there from last time.
    Resumed { label: String, path: String, octets: u64, of: u64 },
    /// A chunk was damaged.
    Again { label: String, path: String, chunk: u64 },
    /// A file is whole and under its name.
    File { label: String, side: Side, path: String, octets: u64, blake3: String, was_there: bool },
    /// So many more files, which are not listed.
    MoreFiles { label: String, files: u64 },
    /// All of it is.
    Finished { label: String, side: Side, files: u64, octets: u64, again: u64, after: Duration },
    /// A server's client failed.
    Failed { label: String, headline: String },
    /// The connection broke; it is tried again.
    Reconnecting { after: Duration, attempt: u32, of: u32 },
    /// What came is kept.
    Kept { side: Side },
}

impl TransferSaying {
    /// In words: one line, or several.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        let text = match language {
            Language::English => en::saying(self),
            Language::Portuguese => pt::saying(self),
        };
        text.into_iter().flat_map(|line| wrap_hanging(&line)).collect()
    }

    /// Whether it is what was asked for, and not talk about it.
    #[must_use]
    pub const fn is_result(&self) -> bool {
        matches!(self, Self::File { .. } | Self::MoreFiles { .. })
    }
}

/// The words for refusals of the other end, shared by sentences of both ends.
const fn is_about_a_name(why: Refusal) -> bool {
    matches!(why, Refusal::Name | Refusal::Collision)
}

/// A line of at most 80 columns, or several, the later ones set back.
fn wrap_hanging(line: &str) -> Vec<String> {
    if crate::wording::width(line) <= 80 {
        return alloc::vec![line.into()];
    }
    let mut lines = wrap(line, 78);
    for later in lines.iter_mut().skip(1) {
        *later = format!("  {later}");
    }
    lines
}

/// `12 files`, `1 file`.
fn files(language: Language, count: u64) -> String {
    match (language, count) {
        (Language::English, 1) => "1 file".into(),
        (Language::English, _) => format!("{count} files"),
        (Language::Portuguese, 1) => "1 arquivo".into(),
        (Language::Portuguese, _) => format!("{count} arquivos"),
    }
}

/// Octets as people compare them with what their file manager says: `20.0 MiB`.
fn size(language: Language, octets: u64) -> String {
    let mark = crate::quantity::decimal_sign(language);
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if octets >> shift > 0 {
            let whole = octets >> shift;
            let tenth = ((octets & ((1 << shift) - 1)) * 10) >> shift;
            return format!("{whole}{mark}{tenth} {unit}");
        }
    }
    format!("{octets} bytes")
}

#[cfg(test)]
mod tests;
