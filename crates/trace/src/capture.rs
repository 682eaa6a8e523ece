//! Reads pcapng and classic pcap, ours and those of others.
//!
//! draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap. Both byte orders, several sections, any
//! resolution of time. Nothing is believed: a length that a file claims is compared with what is
//! there before anything is kept, a block has at most [`MAX_BLOCK_OCTETS`], a file at most
//! [`MAX_INTERFACES`]. What is wrong at the end of a file does not spoil its beginning: the frames
//! before it are given, with the fault and the octet at which it stands.
//!
//! Left out: name resolution, statistics, custom blocks (stepped over).

mod classic;
mod error;
mod generic;

use alloc::string::String;
use alloc::vec::Vec;

pub use error::{Error, Looks, What};

use crate::header::LinkType;
use crate::pcapng::{FrameDirection, Section};

/// A block, or a packet of a classic file, that claims more than this is not read.
pub const MAX_BLOCK_OCTETS: u32 = 16 << 20;

/// A file with more interfaces than this is read up to there.
pub const MAX_INTERFACES: usize = 65_536;

/// A capture, read whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capture {
    /// What its first section says about itself.
    pub section: Section,
    /// The interfaces of all sections.
    pub interfaces: Vec<CaptureInterface>,
    /// The frames, in the order of the file.
    pub frames: Vec<Frame>,
    /// What is wrong after the last of the frames, if anything is.
    pub fault: Option<Error>,
}

/// An interface on which frames were captured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaptureInterface {
    /// Its name, if the file has one.
    pub name: Option<String>,
    /// What its frames begin with.
    pub link_type: LinkType,
}

/// A frame, as it was captured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// On which interface: a place in [`Capture::interfaces`].
    pub interface: usize,
    /// When, in nanoseconds since 1970-01-01 UTC; 0 where the file does not say.
    pub at_ns: u64,
    /// Which way, where the file says so.
    pub direction: Option<FrameDirection>,
    /// The same number for the same packet at several interfaces, where the file has one.
    pub packet_id: Option<u64>,
    /// The octets that were kept.
    pub octets: Vec<u8>,
    /// How many there were on the wire.
    pub original_length: u32,
    /// Its comments, one a line.
    pub comment: Option<String>,
}

/// Reads a whole file.
///
/// # Errors
///
/// It is not a capture at all, or not one that can be read. What is wrong further on is
/// [`Capture::fault`].
pub fn read(octets: &[u8]) -> Result<Capture, Error> {
    let mut parser = Parser::default();
    let mut frames = Vec::new();
    let mut rest = octets;
    let mut fault = None;
    while !rest.is_empty() {
        match parser.step(rest) {
            Ok(Step::Done { used, frame }) => {
                frames.extend(frame);
                rest = rest.get(used..).unwrap_or(&[]);
            }
            Ok(Step::Needs(needs)) => {
                fault = Some(parser.truncated(rest, needs));
                break;
            }
            Err(error) => {
                fault = Some(error);
                break;
            }
        }
    }
    if parser.format.is_none() {
        return Err(fault.unwrap_or(Error { at: 0, what: What::NotACapture(Looks::Empty) }));
    }
    Ok(Capture { section: parser.section, interfaces: parser.interfaces, frames, fault })
}

/// Reads a file in pieces, as they come.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    parser: Parser,
    waiting: Vec<u8>,
    /// How many of the waiting octets have been read.
    used: usize,
}

impl Reader {
    /// A reader of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next octets of the file; to be followed by [`next_frame`](Self::next_frame) until it
    /// gives none.
    pub fn push(&mut self, octets: &[u8]) {
        self.waiting.drain(..self.used);
        self.used = 0;
        self.waiting.extend_from_slice(octets);
    }

    /// The next frame; none if more octets are needed for it.
    ///
    /// # Errors
    ///
    /// What is wrong, and where. Nothing after it can be read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            let rest = self.waiting.get(self.used..).unwrap_or(&[]);
            if rest.is_empty() {
                return Ok(None);
            }
            match self.parser.step(rest)? {
                Step::Needs(_) => return Ok(None),
                Step::Done { used, frame } => {
                    self.used += used;
                    if frame.is_some() {
                        return Ok(frame);
                    }
                }
            }
        }
    }

    /// No more octets will come.
    ///
    /// # Errors
    ///
    /// The file ends in the middle of something.
    pub fn finish(&self) -> Result<(), Error> {
        match self.waiting.get(self.used..).unwrap_or(&[]) {
            [] if self.parser.format.is_none() => Err(Error { at: 0, what: What::NotACapture(Looks::Empty) }),
            [] => Ok(()),
            rest => Err(self.parser.truncated(rest, 0)),
        }
    }

    /// What the first section says about itself.
    #[must_use]
    pub const fn section(&self) -> &Section {
        &self.parser.section
    }

    /// The interfaces so far.
    #[must_use]
    pub fn interfaces(&self) -> &[CaptureInterface] {
        &self.parser.interfaces
    }
}

/// What came of the next octets.
enum Step {
    /// So many were read, and made this.
    Done { used: usize, frame: Option<Frame> },
    /// At least so many are needed.
    Needs(usize),
}

/// Which order the octets of a number are in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Little,
    Big,
}

impl Order {
    const fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }

    const fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    fn u16_at(self, octets: &[u8], at: usize) -> Option<u16> {
        octets.get(at..)?.first_chunk().map(|two| self.u16(*two))
    }

    fn u32_at(self, octets: &[u8], at: usize) -> Option<u32> {
        octets.get(at..)?.first_chunk().map(|four| self.u32(*four))
    }
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Classic(classic::File),
    /// The byte order of the section, and where its interfaces begin.
    Generic {
        order: Order,
        first_interface: usize,
    },
}

/// How the times of an interface are to be read.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Ticks in a second; none if there are more than can be counted.
    ticks_per_second: Option<u128>,
    /// Seconds that are added to each time.
    offset_seconds: i64,
}

impl Clock {
    const MICROSECONDS: Self = Self { ticks_per_second: Some(1_000_000), offset_seconds: 0 };

    /// Nanoseconds since 1970; what does not fit is 0.
    fn nanoseconds(self, ticks: u64) -> u64 {
        let Some(per_second) = self.ticks_per_second else { return 0 };
        let since = u128::from(ticks) * 1_000_000_000 / per_second;
        let offset = i128::from(self.offset_seconds) * 1_000_000_000;
        let total = i128::try_from(since).unwrap_or(i128::MAX).saturating_add(offset);
        u64::try_from(total).unwrap_or(0)
    }
}

#[derive(Clone, Debug, Default)]
struct Parser {
    format: Option<Format>,
    /// How many octets of the file have been read.
    offset: u64,
    section: Section,
    sections: u32,
    interfaces: Vec<CaptureInterface>,
    clocks: Vec<Clock>,
}

impl Parser {
    /// Reads the next thing: a block, a packet, the header of a file.
    fn step(&mut self, rest: &[u8]) -> Result<Step, Error> {
        let step = match self.format {
            None => self.begin(rest),
            Some(Format::Classic(file)) => classic::packet(self, file, rest),
            Some(Format::Generic { .. }) => self.generic_block(rest),
        }?;
        if let Step::Done { used, .. } = step {
            self.offset += used as u64;
        }
        Ok(step)
    }

    fn begin(&mut self, rest: &[u8]) -> Result<Step, Error> {
        let Some(first) = rest.first_chunk::<4>() else {
            // Fewer than four octets may still be the beginning of one.
            return Ok(Step::Needs(4));
        };
        if *first == crate::pcapng::SECTION_HEADER.to_le_bytes() {
            return self.generic_block(rest);
        }
        classic::file_header(self, rest)
            .unwrap_or_else(|| Err(self.error(0, What::NotACapture(Looks::like(rest)))))
    }

    /// Something is wrong, so many octets after what has been read.
    fn error(&self, after: usize, what: What) -> Error {
        Error { at: self.offset.saturating_add(after as u64), what }
    }

    /// The file ends in the middle of something.
    fn truncated(&self, rest: &[u8], needs: usize) -> Error {
        if self.format.is_none() && !self.may_begin(rest) {
            return self.error(0, What::NotACapture(Looks::like(rest)));
        }
        let has = rest.len();
        self.error(0, What::Truncated { needs: needs.max(has + 1), has })
    }

    /// Whether these octets are how a capture begins, as far as they go.
    fn may_begin(&self, rest: &[u8]) -> bool {
        rest.len() >= 4
            || crate::pcapng::SECTION_HEADER.to_le_bytes().starts_with(rest)
            || classic::may_begin(rest)
    }
}

#[cfg(test)]
mod tests;
