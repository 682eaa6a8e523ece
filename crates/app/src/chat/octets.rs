//! Numbers and texts in a frame's body: big-endian, each text with its length before it.

use alloc::string::String;
use alloc::vec::Vec;

/// Reads a body from its beginning to its end; none where it is too short.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn octet(&mut self) -> Option<u8> {
        self.array::<1>().map(|[octet]| octet)
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A text of at most `most` octets behind an octet with its length.
    pub(super) fn name(&mut self, most: usize) -> Option<String> {
        let length = usize::from(self.octet()?);
        if length > most {
            return None;
        }
        core::str::from_utf8(self.take(length)?).ok().map(String::from)
    }

    /// Everything that is left.
    pub(super) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// What was read, if nothing is left.
    pub(super) fn all<T>(self, read: T) -> Option<T> {
        self.rest.is_empty().then_some(read)
    }
}

/// Writes a name behind an octet with its length; what is longer is cut between letters.
pub(super) fn put_name(into: &mut Vec<u8>, name: &str, most: usize) {
    let mut end = name.len().min(most).min(255);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    into.push(u8::try_from(end).unwrap_or(0));
    into.extend_from_slice(name.get(..end).unwrap_or_default().as_bytes());
}
