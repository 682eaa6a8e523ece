//! What the room has taken, as octets for a file that only grows, and back.
//!
//! ```text
//!  the file     "aperto chat journal 1\n", the room's token (16)
//!  a record     length of the body (4), its complement (4), body, 16 octets of BLAKE3 over all
//!  the body     place in the order (8), member (16), id (8), name (1 + n), text
//! ```
//!
//! Whoever writes it makes sure that a record is on the disk before
//! [`Room::journaled`](super::Room::journaled) is told. A record at the end that is not whole was
//! never confirmed to anybody: it is cut off. One in the middle is damage, and is told.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::frame::{DIGEST, Token};
use super::octets::{Reader, put_name};
use super::{MOST_MESSAGE, MOST_NAME};

/// How a journal begins.
const BEGINS: &[u8] = b"aperto chat journal 1\n";
/// Octets before the first record.
pub const HEAD: usize = BEGINS.len() + 16;
/// Octets before the body of a record.
const RECORD_HEAD: usize = 8;
/// The longest body.
const MOST_BODY: usize = 8 + 16 + 8 + 1 + MOST_NAME + MOST_MESSAGE;

/// A message that the room has taken.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// Its place in the room's order, from 1.
    pub seq: u64,
    /// Who said it.
    pub member: Token,
    /// The id that the member gave it.
    pub id: u64,
    /// The name under which it was said.
    pub name: String,
    /// What was said.
    pub text: String,
}

impl Entry {
    /// How much it counts towards limits.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        (self.text.len() + self.name.len() + 48) as u64
    }
}

/// The beginning of a journal of this room.
#[must_use]
pub fn head(room: &Token) -> Vec<u8> {
    [BEGINS, room].concat()
}

/// Writes the record of an entry behind what is there.
pub fn put(entry: &Entry, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&[0; RECORD_HEAD]);
    into.extend_from_slice(&entry.seq.to_be_bytes());
    into.extend_from_slice(&entry.member);
    into.extend_from_slice(&entry.id.to_be_bytes());
    put_name(into, &entry.name, MOST_NAME);
    into.extend_from_slice(entry.text.as_bytes());
    let length = u32::try_from(into.len() - start - RECORD_HEAD).unwrap_or(u32::MAX);
    if let Some(place) = into.get_mut(start..start + RECORD_HEAD) {
        place.copy_from_slice(&(u64::from(length) << 32 | u64::from(!length)).to_be_bytes());
    }
    let digest = digest(into.get(start..).unwrap_or_default());
    into.extend_from_slice(&digest);
}

fn digest(octets: &[u8]) -> [u8; DIGEST] {
    blake3::hash(octets).as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Why a journal cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JournalError {
    /// It is something else, or of a later version.
    NotAJournal,
    /// A record in the middle is damaged.
    Damaged {
        /// Where it begins, in octets.
        at: u64,
    },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAJournal => f.write_str("not a journal of a chat"),
            Self::Damaged { at } => write!(f, "damaged at octet {at}"),
        }
    }
}

impl core::error::Error for JournalError {}

/// Reads a journal piece by piece.
#[derive(Clone, Debug, Default)]
pub struct JournalReader {
    pending: Vec<u8>,
    room: Option<Token>,
    /// Octets up to which everything is whole.
    whole: u64,
    /// Octets that were read in all.
    read: u64,
    /// Whether the record at `whole` is no record.
    broken: bool,
    last: u64,
}

/// How a journal ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct JournalEnd {
    /// The room that it is of; none where the file is empty, or ends within its head.
    pub room: Option<Token>,
    /// Up to here it is whole; whoever goes on writing cuts it here first.
    pub whole: u64,
    /// So many octets behind that are the rest of a record that was never whole.
    pub torn: u64,
}

impl JournalReader {
    /// Reads on, and hands out each entry.
    ///
    /// # Errors
    ///
    /// It is no journal, or is damaged before its end.
    pub fn feed(&mut self, octets: &[u8], mut entry: impl FnMut(Entry)) -> Result<(), JournalError> {
        self.read += octets.len() as u64;
        if self.broken {
            // A file that grew, whose new octets were never written, has zeros there.
            return if octets.iter().all(|octet| *octet == 0) { Ok(()) } else { Err(self.damaged()) };
        }
        self.pending.extend_from_slice(octets);
        let mut taken = 0;
        if self.room.is_none() {
            let begins = self.pending.get(..self.pending.len().min(BEGINS.len())).unwrap_or_default();
            if !BEGINS.starts_with(begins) {
                return Err(JournalError::NotAJournal);
            }
            let Some(room) = self.pending.get(BEGINS.len()..HEAD).and_then(|room| room.try_into().ok())
            else {
                return Ok(());
            };
            self.room = Some(room);
            self.whole = HEAD as u64;
            taken = HEAD;
        }
        loop {
            let rest = self.pending.get(taken..).unwrap_or_default();
            match record(rest, self.last) {
                Record::Entry(one, length) => {
                    self.last = one.seq;
                    entry(one);
                    taken += length;
                    self.whole += length as u64;
                }
                Record::NotYet => break,
                Record::Broken(length) => {
                    let behind = rest.get(length..).unwrap_or_default();
                    self.broken = true;
                    if behind.iter().any(|octet| *octet != 0) {
                        return Err(self.damaged());
                    }
                    taken = self.pending.len();
                    break;
                }
            }
        }
        self.pending.drain(..taken);
        Ok(())
    }

    /// The file is over.
    #[must_use]
    pub fn finish(self) -> JournalEnd {
        JournalEnd { room: self.room, whole: self.whole, torn: self.read - self.whole }
    }

    const fn damaged(&self) -> JournalError {
        JournalError::Damaged { at: self.whole }
    }
}

enum Record {
    Entry(Entry, usize),
    NotYet,
    /// No record; so long is it at most that what is behind it is something else.
    Broken(usize),
}

fn record(octets: &[u8], last: u64) -> Record {
    let Some(head) = octets.first_chunk::<RECORD_HEAD>() else { return Record::NotYet };
    let head = u64::from_be_bytes(*head);
    // Without the complement, a damaged length would look like a record that was never whole.
    let (length, complement) = ((head >> 32) as u32, head as u32);
    let length = if length == !complement { usize::try_from(length).unwrap_or(usize::MAX) } else { 0 };
    if length == 0 || length > MOST_BODY {
        return Record::Broken(RECORD_HEAD);
    }
    let whole = RECORD_HEAD + length + DIGEST;
    let Some(octets) = octets.get(..whole) else { return Record::NotYet };
    let read = octets.split_last_chunk::<DIGEST>().and_then(|(covered, sum)| {
        if digest(covered) != *sum {
            return None;
        }
        let mut body = Reader::new(covered.get(RECORD_HEAD..)?);
        let (seq, member, id) = (body.number()?, body.array()?, body.number()?);
        let name = body.name(MOST_NAME)?;
        let text = core::str::from_utf8(body.rest()).ok()?.into();
        (seq == last + 1).then_some(Entry { seq, member, id, name, text })
    });
    read.map_or(Record::Broken(whole), |entry| Record::Entry(entry, whole))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn entries() -> Vec<Entry> {
        (1..=3)
            .map(|seq| Entry { seq, member: [7; 16], id: seq * 2, name: "ana".into(), text: seq.to_string() })
            .collect()
    }

    fn written() -> Vec<u8> {
        let mut octets = head(&[9; 16]);
        entries().iter().for_each(|entry| put(entry, &mut octets));
        octets
    }

    fn read(pieces: &[&[u8]]) -> Result<(Vec<Entry>, JournalEnd), JournalError> {
        let (mut reader, mut found) = (JournalReader::default(), Vec::new());
        for piece in pieces {
            reader.feed(piece, |entry| found.push(entry))?;
        }
        Ok((found, reader.finish()))
    }

    #[test]
    fn what_was_written_is_read_however_it_is_cut() {
        let octets = written();
        for cut in 0..=octets.len() {
            let (found, end) = read(&[&octets[..cut], &octets[cut..]]).unwrap();
            assert_eq!(found, entries());
            assert_eq!(end, JournalEnd { room: Some([9; 16]), whole: octets.len() as u64, torn: 0 });
        }
    }

    /// RELIABILITY AP-11: whatever the kill leaves of the last record is cut off, and nothing else.
    #[test]
    fn a_record_that_was_never_whole_is_cut_off() {
        let octets = written();
        let starts: Vec<usize> = [0, 1, 2, 3].map(|n| HEAD + n * (octets.len() - HEAD) / 3).to_vec();
        for cut in HEAD..octets.len() {
            let (found, end) = read(&[&octets[..cut]]).unwrap();
            let whole = starts.iter().filter(|start| **start <= cut).count() - 1;
            assert_eq!(found, entries()[..whole]);
            assert_eq!((end.whole, end.torn), (starts[whole] as u64, (cut - starts[whole]) as u64));
            // The same where the file had grown already.
            let grown = [&octets[..cut], &[0; 100]].concat();
            let (found, end) = read(&[&grown]).unwrap();
            assert_eq!((found.len(), end.whole), (whole, starts[whole] as u64), "cut at {cut}");
        }
        for cut in 0..HEAD {
            let (_, end) = read(&[&octets[..cut]]).unwrap();
            assert_eq!(end, JournalEnd { room: None, whole: 0, torn: cut as u64 });
        }
    }

    #[test]
    fn damage_in_the_middle_is_told_with_its_place() {
        let octets = written();
        let length = (octets.len() - HEAD) / 3;
        for at in HEAD..HEAD + 2 * length {
            let mut damaged = octets.clone();
            damaged[at] ^= 0x40;
            let begins = HEAD + (at - HEAD) / length * length;
            let error = read(&[&damaged]).unwrap_err();
            assert_eq!(error, JournalError::Damaged { at: begins as u64 }, "{at}");
        }
        assert_eq!(read(&[b"PK\x03\x04"]).unwrap_err(), JournalError::NotAJournal);
        assert_eq!(
            read(&[&[b"aperto chat journal 2\n", &[0; 16][..]].concat()]).unwrap_err(),
            JournalError::NotAJournal
        );
    }
}
