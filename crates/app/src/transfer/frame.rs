//! The frames of a transfer, and how they are found again in a stream with damage.
//!
//! A stream begins with the eight octets of [`PREFACE`]; what does not is another protocol, and is
//! refused then and there. After them come frames:
//!
//! ```text
//!  0  "aptF"                      24  BLAKE3 of the body, 32 octets
//!  4  kind, version               56  the first 8 octets of the BLAKE3 of those before
//!  6  count     (2 octets)        64  body, as long as was said
//!  8  length of the body (4)
//! 12  file (4)  16 place (8)      all numbers big endian
//! ```
//!
//! TCP's checksum has 16 bits and misses what it misses. A frame whose body does not fit its hash is
//! reported as damaged, and its header says what to ask for again. Where the header itself is
//! damaged, the next one is looked for: no damage costs more than the frames that it touched.

use alloc::vec::Vec;

use super::manifest::{Digest, PAGE};
use super::{CHUNK, HASHES, Refusal};

/// How a stream begins, from both sides.
pub const PREFACE: [u8; 8] = *b"apertoF1";
/// The length of a header.
pub const HEADER: usize = 64;
/// The longest body.
pub const MAX_BODY: usize = CHUNK;
/// How many octets are searched for a header before the stream is given up.
const MAX_SEARCH: usize = 8 * (HEADER + MAX_BODY);

const MAGIC: [u8; 4] = *b"aptF";
const VERSION: u8 = 1;

const _: () =
    assert!(PAGE <= MAX_BODY && HASHES * 32 <= MAX_BODY, "a body holds a page, and a list of hashes");

/// Who somebody is in a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Has the files, and answers.
    Sender(Announcement),
    /// Wants them, and asks.
    Receiver,
}

/// What a sender says of its manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// How many entries it has.
    pub entries: u32,
    /// How many octets it has.
    pub octets: u32,
    /// The size of all files together.
    pub total: u64,
    /// Its BLAKE3.
    pub digest: Digest,
}

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Frame {
    /// Who I am.
    Hello(Role),
    /// Send this page of the manifest.
    AskPage { page: u64 },
    /// A page of the manifest.
    Page { page: u64, octets: Vec<u8> },
    /// Send the hashes of so many chunks from this one on.
    AskHashes { file: u32, first: u64, count: u16 },
    /// The hashes of chunks.
    Hashes { file: u32, first: u64, hashes: Vec<Digest> },
    /// Send so many chunks from this one on.
    Ask { file: u32, first: u64, count: u16 },
    /// This chunk came damaged, or not at all: send it again.
    AskAgain { file: u32, chunk: u64 },
    /// A chunk.
    Chunk { file: u32, chunk: u64, octets: Vec<u8> },
    /// This file is whole, verified and under its name.
    FileDone { file: u32 },
    /// Everything is; so many octets.
    Done { octets: u64 },
    /// I know; nothing more will be said.
    Bye,
    /// I am still there, reading or writing a disk.
    Busy,
    /// I end this, and why; about which file, where it is about one.
    Refuse { why: Refusal, file: u32 },
}

/// What a damaged frame says of itself, as far as its header is sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// Whether it was a chunk.
    pub is_chunk: bool,
    /// Of which file.
    pub file: u32,
    /// Which chunk, or page.
    pub place: u64,
}

/// What comes out of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// The peer speaks what we speak.
    Preface,
    /// A frame.
    Frame(Frame),
    /// One whose body does not fit its hash.
    Damaged(Damaged),
    /// So many octets were no frame: a header was damaged.
    Skipped(u64),
}

/// What the peer speaks instead, by its first octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stranger {
    /// HTTP.
    Http,
    /// TLS.
    Tls,
    /// SSH.
    Ssh,
    /// Another protocol, or version, of this program's.
    Aperto,
    /// Plain text.
    Text,
    /// None of these.
    Unknown,
}

/// Why a stream cannot be read any further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// It is another protocol.
    Stranger(Stranger),
    /// A sound frame of a version, or a kind, that is not known here.
    Version(u8),
    /// A sound header that says what may not be: a length, or a body that is none.
    Malformed,
    /// No frame to be found.
    Noise,
}

/// Writes a frame.
pub fn emit(frame: &Frame, out: &mut Vec<u8>) {
    let mut head = Head::default();
    let mut scratch = Vec::new();
    let body: &[u8] = match frame {
        Frame::Hello(role) => {
            head.kind = 1;
            hello_body(role, &mut scratch);
            &scratch
        }
        Frame::AskPage { page } => head.about(2, 0, *page, 0),
        Frame::Page { page, octets } => {
            head.about(3, 0, *page, 0);
            octets
        }
        Frame::AskHashes { file, first, count } => head.about(4, *file, *first, *count),
        Frame::Hashes { file, first, hashes } => {
            head.about(5, *file, *first, 0);
            scratch.extend(hashes.iter().flatten());
            &scratch
        }
        Frame::Ask { file, first, count } => head.about(6, *file, *first, *count),
        Frame::AskAgain { file, chunk } => head.about(7, *file, *chunk, 0),
        Frame::Chunk { file, chunk, octets } => {
            head.about(8, *file, *chunk, 0);
            octets
        }
        Frame::FileDone { file } => head.about(9, *file, 0, 0),
        Frame::Done { octets } => head.about(10, 0, *octets, 0),
        Frame::Bye => head.about(11, 0, 0, 0),
        Frame::Busy => head.about(12, 0, 0, 0),
        Frame::Refuse { why, file } => head.about(13, *file, 0, why.code()),
    };
    debug_assert!(body.len() <= MAX_BODY, "a body is never longer than a chunk");
    let start = out.len();
    out.extend(MAGIC);
    out.extend([head.kind, VERSION]);
    out.extend(head.count.to_be_bytes());
    out.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(head.file.to_be_bytes());
    out.extend(head.place.to_be_bytes());
    out.extend(blake3::hash(body).as_bytes());
    let check = blake3::hash(out.get(start..).unwrap_or_default());
    out.extend(&check.as_bytes()[..8]);
    out.extend(body);
}

fn hello_body(role: &Role, body: &mut Vec<u8>) {
    match role {
        Role::Sender(announcement) => {
            body.push(1);
            body.extend(announcement.entries.to_be_bytes());
            body.extend(announcement.octets.to_be_bytes());
            body.extend(announcement.total.to_be_bytes());
            body.extend(announcement.digest);
        }
        Role::Receiver => body.push(2),
    }
}

/// The numbers of a header.
#[derive(Clone, Copy, Default)]
struct Head {
    kind: u8,
    count: u16,
    length: usize,
    file: u32,
    place: u64,
    digest: Digest,
}

impl Head {
    /// Says what it is about; the body is empty unless something else is.
    const fn about(&mut self, kind: u8, file: u32, place: u64, count: u16) -> &'static [u8] {
        self.kind = kind;
        self.file = file;
        self.place = place;
        self.count = count;
        &[]
    }

    fn read(octets: &[u8]) -> Option<(Self, u8)> {
        let (head, check) = octets.get(..HEADER)?.split_at(HEADER - 8);
        if !head.starts_with(&MAGIC) || blake3::hash(head).as_bytes().get(..8) != Some(check) {
            return None;
        }
        let number = |from: usize, octets: usize| {
            head.get(from..from + octets)?
                .iter()
                .try_fold(0_u64, |all, octet| Some(all << 8 | u64::from(*octet)))
        };
        let read = Self {
            kind: *head.get(4)?,
            count: u16::try_from(number(6, 2)?).ok()?,
            length: usize::try_from(number(8, 4)?).ok()?,
            file: u32::try_from(number(12, 4)?).ok()?,
            place: number(16, 8)?,
            digest: head.get(24..56)?.try_into().ok()?,
        };
        Some((read, *head.get(5)?))
    }

    fn frame(self, body: &[u8]) -> Option<Frame> {
        let Self { kind, count, file, place, .. } = self;
        // Only these have a body.
        if !matches!(kind, 1 | 3 | 5 | 8) && !body.is_empty() {
            return None;
        }
        Some(match kind {
            1 => Frame::Hello(read_role(body)?),
            2 => Frame::AskPage { page: place },
            3 => Frame::Page { page: place, octets: body.to_vec() },
            4 => Frame::AskHashes { file, first: place, count },
            5 => {
                let (hashes, rest) = body.as_chunks::<32>();
                if !rest.is_empty() || hashes.len() > HASHES {
                    return None;
                }
                Frame::Hashes { file, first: place, hashes: hashes.to_vec() }
            }
            6 => Frame::Ask { file, first: place, count },
            7 => Frame::AskAgain { file, chunk: place },
            8 => Frame::Chunk { file, chunk: place, octets: body.to_vec() },
            9 => Frame::FileDone { file },
            10 => Frame::Done { octets: place },
            11 => Frame::Bye,
            12 => Frame::Busy,
            13 => Frame::Refuse { why: Refusal::from_code(count), file },
            _ => return None,
        })
    }
}

fn read_role(body: &[u8]) -> Option<Role> {
    let (role, rest) = body.split_first()?;
    match (role, rest.len()) {
        (1, 48) => Some(Role::Sender(Announcement {
            entries: u32::from_be_bytes(rest.get(..4)?.try_into().ok()?),
            octets: u32::from_be_bytes(rest.get(4..8)?.try_into().ok()?),
            total: u64::from_be_bytes(rest.get(8..16)?.try_into().ok()?),
            digest: rest.get(16..48)?.try_into().ok()?,
        })),
        (2, 0) => Some(Role::Receiver),
        _ => None,
    }
}

/// The highest kind of frame that is known here.
const LAST_KIND: u8 = 13;

/// Finds frames in a stream that comes in any pieces, and holds one frame at most.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    begun: bool,
    skipped: u64,
    broken: Option<Unreadable>,
}

impl Decoder {
    /// How many octets it takes now. Never 0 after [`poll`](Self::poll) has said nothing.
    #[must_use]
    pub const fn room(&self) -> usize {
        (HEADER + MAX_BODY).saturating_sub(self.buffer.len())
    }

    /// Whether a frame has begun and is not whole.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Octets have come: no more than there is room for.
    pub fn push(&mut self, octets: &[u8]) {
        let octets = octets.get(..octets.len().min(self.room())).unwrap_or_default();
        self.buffer.extend_from_slice(octets);
    }

    /// The next thing in the stream, if it is whole.
    ///
    /// # Errors
    ///
    /// The stream cannot be read any further; said each time.
    pub fn poll(&mut self) -> Option<Result<Incoming, Unreadable>> {
        if let Some(broken) = self.broken {
            return Some(Err(broken));
        }
        let found = if self.begun { self.frame() } else { self.preface() };
        match found {
            Ok(found) => found.map(Ok),
            Err(why) => {
                self.broken = Some(why);
                self.buffer = Vec::new();
                Some(Err(why))
            }
        }
    }

    fn preface(&mut self) -> Result<Option<Incoming>, Unreadable> {
        let Some(first) = self.buffer.get(..PREFACE.len()) else { return Ok(None) };
        if *first != PREFACE {
            return Err(Unreadable::Stranger(stranger(first)));
        }
        self.buffer.drain(..PREFACE.len());
        self.begun = true;
        Ok(Some(Incoming::Preface))
    }

    /// What the first octets are, where the peer closed before there were eight.
    #[must_use]
    pub fn stranger(&self) -> Option<Stranger> {
        let differs = !self.begun && !PREFACE.starts_with(&self.buffer);
        differs.then(|| stranger(&self.buffer))
    }

    fn frame(&mut self) -> Result<Option<Incoming>, Unreadable> {
        loop {
            if self.buffer.len() < HEADER {
                return Ok(None);
            }
            let Some((head, version)) = Head::read(&self.buffer) else {
                self.search();
                if self.skipped > MAX_SEARCH as u64 {
                    return Err(Unreadable::Noise);
                }
                continue;
            };
            if self.skipped > 0 {
                return Ok(Some(Incoming::Skipped(core::mem::take(&mut self.skipped))));
            }
            if version != VERSION || head.kind == 0 || head.kind > LAST_KIND {
                return Err(Unreadable::Version(version));
            }
            if head.length > MAX_BODY {
                return Err(Unreadable::Malformed);
            }
            let Some(body) = self.buffer.get(HEADER..HEADER + head.length) else { return Ok(None) };
            let found = if *blake3::hash(body).as_bytes() == head.digest {
                head.frame(body).map(Incoming::Frame).ok_or(Unreadable::Malformed)?
            } else {
                let damaged = Damaged { is_chunk: head.kind == 8, file: head.file, place: head.place };
                Incoming::Damaged(damaged)
            };
            self.buffer.drain(..HEADER + head.length);
            return Ok(Some(found));
        }
    }

    /// Drops octets up to where a header could begin.
    fn search(&mut self) {
        let tail = self.buffer.get(1..).unwrap_or_default();
        let next = tail.windows(MAGIC.len()).position(|four| four == MAGIC);
        // The last octets may be the first of a header.
        let begins = |octets: &usize| MAGIC.get(..*octets).is_some_and(|first| self.buffer.ends_with(first));
        let kept = (1..MAGIC.len()).rev().find(begins).unwrap_or(0);
        let octets = next.map_or(self.buffer.len() - kept, |place| place + 1);
        self.skip(octets);
    }

    fn skip(&mut self, octets: usize) {
        self.skipped += octets as u64;
        self.buffer.drain(..octets);
    }
}

/// What somebody speaks, by the first octets.
fn stranger(first: &[u8]) -> Stranger {
    let begins = |words: &[&[u8]]| words.iter().any(|word| first.starts_with(word));
    if begins(&[
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"PUT ",
        b"OPTIONS ",
        b"CONNECT ",
        b"DELETE ",
        b"HTTP/",
        b"PRI * H",
    ]) {
        Stranger::Http
    } else if begins(&[b"\x16\x03"]) {
        Stranger::Tls
    } else if begins(&[b"SSH-"]) {
        Stranger::Ssh
    } else if begins(&[b"aperto"]) {
        Stranger::Aperto
    } else if first.iter().all(|octet| matches!(octet, b' '..=b'~' | b'\r' | b'\n' | b'\t')) {
        Stranger::Text
    } else {
        Stranger::Unknown
    }
}

#[cfg(test)]
mod tests;
