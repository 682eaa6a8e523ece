//! From octets to a TCP header and its text.
//!
//! RFC 9293 §3.1 and §3.2. The checksum is apart ([`verify`]), because whoever receives from a
//! device or from its own memory may know it to be right.
//!
//! What is wrong with the fixed header is an [`Error`]: there is no segment. What is wrong with
//! options is a note beside the segment, which counts all the same. An option whose length breaks
//! the list (0, 1, past the end) ends the reading there; one that we know with a length that its
//! kind cannot have is skipped alone; of one that comes twice the first counts.
//! Deviation: RFC 9293 §3.1 [MUST-7] suggests to reset the connection on an illegal option length.
//! That would let anyone who guesses the ports kill it; like Linux we ignore what makes no sense.
//!
//! MSS, window scale, SACK permitted and Fast Open are read from any segment, also where there is
//! no SYN: whether they count there (they do not) is for the connection to say.

use super::raw::{OptionsFault, OptionsFaultKind, RawOption, RawOptions, kind};
use super::{Control, FastOpenCookie, Header, Options, Ports, SackBlock, SackBlocks, Segment, Timestamps};
use super::{NOP_NOP_TIMESTAMPS, UserTimeout};
use crate::SeqNumber;
use crate::checksum::PseudoHeader;
use crate::error::{Error, Format, What};

/// A segment as it was read, with all that stood in its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parsed<'a> {
    /// From which port to which.
    pub ports: Ports,
    /// The segment as a connection sees it.
    pub segment: Segment<'a>,
    /// The checksum field, not verified.
    pub checksum: u16,
    /// The four bits between data offset and control bits, AE among them. No one need look.
    pub reserved: u8,
    /// The octets of the options, paddings and all.
    pub options_octets: &'a [u8],
    /// The first thing that was wrong with the options, if anything was.
    pub options_fault: Option<OptionsFault>,
}

impl<'a> Parsed<'a> {
    /// All options as they stand on the wire, known or not.
    #[must_use]
    pub const fn raw_options(&self) -> RawOptions<'a> {
        RawOptions::new(self.options_octets)
    }

    /// The options that [`Options`] has no place for.
    pub fn unknown_options(&self) -> impl Iterator<Item = RawOption<'a>> + use<'a> {
        self.raw_options().filter_map(Result::ok).filter(|option| !option.is_known())
    }

    /// How many octets the header takes, options included.
    #[must_use]
    pub const fn header_length(&self) -> usize {
        Header::FIXED_OCTETS + self.options_octets.len()
    }
}

/// Reads a segment. The octets are all that IP carries: header, options and text.
///
/// RFC 9293 §3.1 [MUST-5]: options are read in any segment; what does not belong there, the connection
/// ignores.
///
/// # Errors
///
/// Fewer than 20 octets; a data offset below 5 or past the end (both at octet 12).
pub fn parse(octets: &[u8]) -> Result<Parsed<'_>, Error> {
    let Some((fixed, after_fixed)) = octets.split_first_chunk::<{ Header::FIXED_OCTETS }>() else {
        return Err(Error::truncated(Format::Tcp, Header::FIXED_OCTETS, octets.len()));
    };
    let header_length = usize::from(fixed[12] >> 4) * 4;
    if header_length < Header::FIXED_OCTETS {
        let what = What::HeaderTooShort { octets: header_length, least: Header::FIXED_OCTETS };
        return Err(Error::new(Format::Tcp, what, 12));
    }
    let Some((options_octets, payload)) = after_fixed.split_at_checked(header_length - Header::FIXED_OCTETS)
    else {
        let what = What::HeaderTooLong { octets: header_length, present: octets.len() };
        return Err(Error::new(Format::Tcp, what, 12));
    };
    let checked = Checked { fixed, options_octets, payload };
    // The two shapes that nearly all segments have need no reading one by one.
    let timestamps = only_timestamps(options_octets);
    if timestamps.is_none() && !options_octets.is_empty() {
        return Ok(parse_any(&checked));
    }
    Ok(checked.with(Options { timestamps, ..Options::NONE }, None))
}

/// Reads a segment whose options have to be read one by one.
#[inline(never)]
fn parse_any<'a>(checked: &Checked<'a>) -> Parsed<'a> {
    let mut reading = Reading { options: Options::NONE, fault: None, seen: 0 };
    reading.take_all(checked.options_octets);
    checked.with(reading.options, reading.fault)
}

/// The parts of a segment whose lengths are known to be right.
struct Checked<'a> {
    fixed: &'a [u8; Header::FIXED_OCTETS],
    options_octets: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Checked<'a> {
    /// Reads the fixed header. Inlined, so that each shape of options is written once, where the
    /// caller wants it: copying the whole would cost more than reading it.
    #[inline(always)]
    fn with(&self, options: Options, options_fault: Option<OptionsFault>) -> Parsed<'a> {
        let fixed = self.fixed;
        Parsed {
            ports: Ports {
                source: u16::from_be_bytes([fixed[0], fixed[1]]),
                destination: u16::from_be_bytes([fixed[2], fixed[3]]),
            },
            segment: Segment {
                header: Header {
                    seq: seq_number([fixed[4], fixed[5], fixed[6], fixed[7]]),
                    ack: seq_number([fixed[8], fixed[9], fixed[10], fixed[11]]),
                    control: Control::from_bits(fixed[13]),
                    window: u16::from_be_bytes([fixed[14], fixed[15]]),
                    urgent_pointer: u16::from_be_bytes([fixed[18], fixed[19]]),
                    options,
                },
                payload: self.payload,
            },
            checksum: u16::from_be_bytes([fixed[16], fixed[17]]),
            reserved: fixed[12] & 0x0f,
            options_octets: self.options_octets,
            options_fault,
        }
    }
}

/// The timestamps of options that hold nothing else, in the usual twelve octets.
#[inline]
fn only_timestamps(octets: &[u8]) -> Option<Timestamps> {
    let (start, numbers) = octets.split_first_chunk::<4>()?;
    let numbers: [u8; 8] = numbers.try_into().ok()?;
    (u32::from_be_bytes(*start) == NOP_NOP_TIMESTAMPS).then_some(timestamps(numbers))
}

/// Whether the checksum of a segment is right: header, options, text and pseudo-header.
///
/// RFC 9293 §3.1 [MUST-3].
#[must_use]
pub fn verify(pseudo: PseudoHeader, octets: &[u8]) -> bool {
    pseudo.covers(octets)
}

/// What an ICMP error shows of the segment that it is about: eight octets at least.
///
/// RFC 792, RFC 5927 §4.1: the sequence number tells whether we really sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// The ports, ours first.
    pub ports: Ports,
    /// The sequence number of the segment that we sent.
    pub seq: SeqNumber,
}

/// Reads the beginning of a segment that an ICMP error quotes.
///
/// # Errors
///
/// Fewer than 8 octets.
pub fn parse_quoted(octets: &[u8]) -> Result<Quoted, Error> {
    let Some(start) = octets.first_chunk::<8>() else {
        return Err(Error::truncated(Format::Tcp, 8, octets.len()));
    };
    Ok(Quoted {
        ports: Ports {
            source: u16::from_be_bytes([start[0], start[1]]),
            destination: u16::from_be_bytes([start[2], start[3]]),
        },
        seq: seq_number([start[4], start[5], start[6], start[7]]),
    })
}

const fn seq_number(octets: [u8; 4]) -> SeqNumber {
    SeqNumber::new(u32::from_be_bytes(octets))
}

/// Options while they are being read. RFC 9293 §3.1 [MUST-6]: one that we do not know is passed over;
/// §3.2 [MUST-64]: wherever it begins.
struct Reading {
    options: Options,
    fault: Option<OptionsFault>,
    /// One bit for each kind that has come.
    seen: u64,
}

impl Reading {
    #[inline(never)]
    fn take_all(&mut self, octets: &[u8]) {
        for option in RawOptions::new(octets) {
            match option {
                Ok(option) => self.take(&option),
                Err(fault) => self.note(fault),
            }
        }
    }

    fn note(&mut self, fault: OptionsFault) {
        self.fault.get_or_insert(fault);
    }

    fn take(&mut self, option: &RawOption<'_>) {
        let is_padding = matches!(option.kind, kind::END | kind::NO_OPERATION);
        if is_padding || !option.is_known() {
            return;
        }
        if self.seen & (1 << option.kind) != 0 {
            return self.note(OptionsFault { what: OptionsFaultKind::Repeated, at: option.at });
        }
        if self.read(option).is_some() {
            self.seen |= 1 << option.kind;
        } else {
            self.note(OptionsFault { what: OptionsFaultKind::WrongLength, at: option.at });
        }
    }

    /// Takes the meaning of an option of a known kind; none where its length is not of that kind.
    fn read(&mut self, option: &RawOption<'_>) -> Option<()> {
        let octets = option.octets;
        match option.kind {
            kind::MSS => self.options.mss = Some(u16::from_be_bytes(octets.try_into().ok()?)),
            kind::WINDOW_SCALE => {
                let [shift] = octets else { return None };
                self.options.window_scale = Some(*shift);
            }
            kind::SACK_PERMITTED => {
                self.options.sack_permitted = octets.is_empty().then_some(true)?;
            }
            kind::SACK => self.options.sack = sack_blocks(octets)?,
            kind::TIMESTAMPS => self.options.timestamps = Some(timestamps(octets.try_into().ok()?)),
            kind::USER_TIMEOUT => {
                let field = u16::from_be_bytes(octets.try_into().ok()?);
                let timeout = UserTimeout { amount: field & 0x7fff, minutes: field & 0x8000 != 0 };
                self.options.user_timeout = Some(timeout);
            }
            kind::FAST_OPEN => self.options.fast_open = Some(FastOpenCookie::new(octets)?),
            _ => debug_assert!(false, "only kinds that we know are read"),
        }
        Some(())
    }
}

const fn timestamps(octets: [u8; 8]) -> Timestamps {
    let [a, b, c, d, e, f, g, h] = octets;
    Timestamps { value: u32::from_be_bytes([a, b, c, d]), echo: u32::from_be_bytes([e, f, g, h]) }
}

/// One to four blocks; none where the length is not that of whole blocks.
fn sack_blocks(octets: &[u8]) -> Option<SackBlocks> {
    let (blocks, rest) = octets.as_chunks::<8>();
    if !rest.is_empty() || blocks.is_empty() || blocks.len() > SackBlocks::MAX {
        return None;
    }
    Some(
        blocks
            .iter()
            .map(|&[a, b, c, d, e, f, g, h]| SackBlock {
                start: seq_number([a, b, c, d]),
                end: seq_number([e, f, g, h]),
            })
            .collect(),
    )
}
