//! What can be wrong with a capture.

use core::fmt;

use super::{MAX_BLOCK_OCTETS, MAX_INTERFACES};

/// What is wrong with a capture, and where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Error {
    /// The octet of the file, from 0, at which the thing that is wrong begins.
    pub at: u64,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with a capture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum What {
    /// It is something else.
    NotACapture(Looks),
    /// It ends in the middle of a block or packet.
    Truncated {
        /// How many octets that needs, at least.
        needs: usize,
        /// How many there are.
        has: usize,
    },
    /// The length of a block is less than 12 or no multiple of 4.
    BlockLength {
        /// The length.
        says: u32,
    },
    /// The length of a block, or of a packet, is more than is read.
    TooLong {
        /// The length.
        says: u32,
    },
    /// The length at the end of a block is not the one at its beginning.
    TrailerMismatch {
        /// At its beginning.
        begins: u32,
        /// At its end.
        ends: u32,
    },
    /// A section says neither byte order.
    ByteOrder {
        /// What stands in the place of the magic.
        magic: u32,
    },
    /// A version that nobody knows.
    Version {
        /// Major.
        major: u16,
        /// Minor.
        minor: u16,
    },
    /// A block is too short for what it should hold.
    BlockTooShort {
        /// The type of the block.
        kind: u32,
    },
    /// A packet is of an interface that was not described.
    UnknownInterface {
        /// Its number in the section.
        interface: u32,
    },
    /// A packet claims more octets than its block has.
    CapturedTooLong {
        /// What it claims.
        says: u32,
        /// What the block has.
        has: usize,
    },
    /// There are too many interfaces.
    TooManyInterfaces,
}

/// What a file looks like that is no capture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Looks {
    /// There is nothing in it.
    Empty,
    /// A zip archive, or one of the documents that are zip archives.
    Zip,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with Zstandard.
    Zstandard,
    /// A PDF document.
    Pdf,
    /// JSON, perhaps a recording in our own lines.
    Json,
    /// Text.
    Text,
    /// Something else.
    Unknown,
}

impl Looks {
    pub(super) fn like(octets: &[u8]) -> Self {
        match octets {
            [] => Self::Empty,
            [b'P', b'K', ..] => Self::Zip,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstandard,
            [b'%', b'P', b'D', b'F', ..] => Self::Pdf,
            [b'{' | b'[', ..] => Self::Json,
            _ => {
                let head = octets.get(..512).unwrap_or(octets);
                let is_text = |octet: &u8| *octet >= 0x20 || matches!(*octet, b'\t' | b'\n' | b'\r');
                if head.iter().all(is_text) { Self::Text } else { Self::Unknown }
            }
        }
    }
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Zip => "it starts like a zip file",
            Self::Gzip => "it starts like a gzip file",
            Self::Zstandard => "it starts like a Zstandard file",
            Self::Pdf => "it starts like a PDF document",
            Self::Json => "it starts like JSON",
            Self::Text => "it starts like text",
            Self::Unknown => "it starts like nothing known",
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACapture(looks) => write!(f, "not a capture: {looks}"),
            Self::Truncated { needs, has } => {
                write!(f, "cut off: {needs} octets are needed and {has} are there")
            }
            Self::BlockLength { says } => write!(f, "a block cannot be {says} octets long"),
            Self::TooLong { says } => {
                write!(f, "{says} octets are claimed, and more than {MAX_BLOCK_OCTETS} are not read")
            }
            Self::TrailerMismatch { begins, ends } => {
                write!(f, "a block of {begins} octets says at its end that it has {ends}")
            }
            Self::ByteOrder { magic } => write!(f, "a section with the byte order {magic:#010x}"),
            Self::Version { major, minor } => write!(f, "unknown version {major}.{minor}"),
            Self::BlockTooShort { kind } => write!(f, "a block of type {kind:#x} is too short"),
            Self::UnknownInterface { interface } => {
                write!(f, "a packet of interface {interface}, which was not described")
            }
            Self::CapturedTooLong { says, has } => {
                write!(f, "a packet claims {says} octets, and its block has {has}")
            }
            Self::TooManyInterfaces => write!(f, "more than {MAX_INTERFACES} interfaces"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}", self.what, self.at)
    }
}

impl core::error::Error for Error {}
