//! The packets of all three protocols: parse and emit.
//!
//! ```text
//!  octet 0      flags and kind:  0 0 C E k k k k
//!                 kkkk  1 DATA, 2 ACK, 3 NACK, 4 GROUP ACK
//!                 E     this packet ends a message
//!                 C     the checksum is CRC-32 (else the Internet checksum)
//!  octet 1      k, the number of bits of the sequence space
//!  octets 2-3   sequence number: of this DATA, or the one that is answered
//!  octets 4-5   length of the payload in octets
//!  octets 6-7   Internet checksum over everything, or octets 6-9: CRC-32
//!  then         payload (DATA only)
//! ```
//!
//! Both ends know the space and the checksum beforehand ([`Format`]); a packet repeats them so that
//! a mistaken configuration shows as such and a recording can be read alone.

use alloc::vec::Vec;
use core::fmt;

use crate::{Checksum, Sequence, Space};

/// Where the checksum starts.
const CHECKSUM_AT: usize = 6;
/// Octet 0: a message ends here.
const END_OF_MESSAGE: u8 = 0x10;
/// Octet 0: the checksum is CRC-32.
const CRC32: u8 = 0x20;
/// Octet 0: the bits that are always zero.
const RESERVED: u8 = 0xc0;

/// What a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Carries octets of a message.
    Data,
    /// Acknowledges: in Go-Back-N everything up to its number, else exactly that packet.
    Ack,
    /// Asks for a packet again: in Go-Back-N for it and all that followed, else for it alone.
    Nack,
    /// Acknowledges a group: everything up to its number, in every protocol.
    GroupAck,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::Ack => 2,
            Self::Nack => 3,
            Self::GroupAck => 4,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Data),
            2 => Some(Self::Ack),
            3 => Some(Self::Nack),
            4 => Some(Self::GroupAck),
            _ => None,
        }
    }

    /// What a packet claims to be, before its checksum has been looked at.
    #[must_use]
    pub fn claimed(octets: &[u8]) -> Option<Self> {
        Self::from_code(octets.first()? & 0x0f)
    }
}

/// Whether a packet is the last of its message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum EndOfMessage {
    /// The message ends with this packet.
    Yes,
    /// More of the message follows.
    #[default]
    No,
}

/// What both ends must agree on to read each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Format {
    /// The sequence numbers.
    pub space: Space,
    /// How damage is noticed.
    pub checksum: Checksum,
}

impl Format {
    /// Octets before the payload: 8 with the Internet checksum, 10 with CRC-32.
    #[must_use]
    pub const fn header_octets(self) -> usize {
        CHECKSUM_AT + self.checksum.octets()
    }
}

/// One packet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Packet {
    /// What it is.
    pub kind: Kind,
    /// Its number, or the number it answers.
    pub sequence: Sequence,
    /// Whether it ends a message (DATA only).
    pub end: EndOfMessage,
    /// What it carries (DATA only).
    pub payload: Vec<u8>,
}

impl Packet {
    /// A packet that answers.
    #[must_use]
    pub const fn answer(kind: Kind, sequence: Sequence) -> Self {
        Self { kind, sequence, end: EndOfMessage::No, payload: Vec::new() }
    }

    /// The octets on the wire.
    ///
    /// # Errors
    ///
    /// The payload is longer than its length field can say, the number is not in the space, or an
    /// answer carries a payload.
    pub fn emit(&self, format: Format) -> Result<Vec<u8>, EmitError> {
        let length = u16::try_from(self.payload.len())
            .map_err(|_| EmitError::PayloadTooLong { octets: self.payload.len() })?;
        if !format.space.contains(self.sequence) {
            return Err(EmitError::OutsideSpace { sequence: self.sequence, bits: format.space.bits() });
        }
        if self.kind != Kind::Data && (length > 0 || self.end == EndOfMessage::Yes) {
            return Err(EmitError::AnswerWithPayload);
        }
        let mut flags = self.kind.code();
        if self.end == EndOfMessage::Yes {
            flags |= END_OF_MESSAGE;
        }
        if format.checksum == Checksum::Crc32 {
            flags |= CRC32;
        }
        let mut octets = Vec::with_capacity(format.header_octets() + self.payload.len());
        octets.extend_from_slice(&[flags, format.space.bits()]);
        octets.extend_from_slice(&self.sequence.value().to_be_bytes());
        octets.extend_from_slice(&length.to_be_bytes());
        let sum = checksum(format.checksum, &octets, &self.payload).to_be_bytes();
        octets.extend_from_slice(&sum[4 - format.checksum.octets()..]);
        octets.extend_from_slice(&self.payload);
        Ok(octets)
    }

    /// Reads a packet of this format.
    ///
    /// Lengths come first, then the checksum, and then what the octets mean: a damaged packet is
    /// told as damaged and not by what the damage looks like.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which octet.
    pub fn parse(octets: &[u8], format: Format) -> Result<Self, ParseError> {
        let wrong = |at, what| Err(ParseError { at, what });
        let header = format.header_octets();
        let too_short = ParseError { at: octets.len(), what: Fault::TooShort { needs: header } };
        let (start, rest) = octets.split_first_chunk::<CHECKSUM_AT>().ok_or(too_short)?;
        let (sum, payload) = rest.split_at_checked(format.checksum.octets()).ok_or(too_short)?;
        let [flags, bits, sequence @ .., length_high, length_low] = *start;
        let declared = if flags & CRC32 == 0 { Checksum::Internet } else { Checksum::Crc32 };

        let says = usize::from(u16::from_be_bytes([length_high, length_low]));
        if declared == format.checksum && says != payload.len() {
            return wrong(4, Fault::Length { says, has: payload.len() });
        }
        let says = sum.iter().fold(0, |sum, octet| (sum << 8) | u32::from(*octet));
        let computed = checksum(format.checksum, start, payload);
        if says != computed {
            if declared != format.checksum && Self::parse_alone(octets).is_ok() {
                return wrong(0, Fault::OtherChecksum { declared });
            }
            return wrong(CHECKSUM_AT, Fault::Checksum { says, computed });
        }
        if declared != format.checksum {
            return wrong(0, Fault::OtherChecksum { declared });
        }
        if flags & RESERVED != 0 {
            return wrong(0, Fault::ReservedBits { flags });
        }
        let Some(kind) = Kind::from_code(flags & 0x0f) else {
            return wrong(0, Fault::UnknownKind { code: flags & 0x0f });
        };
        if bits != format.space.bits() {
            return wrong(1, Fault::OtherSpace { bits });
        }
        let sequence = Sequence::new(u16::from_be_bytes(sequence));
        if !format.space.contains(sequence) {
            return wrong(2, Fault::OutsideSpace { sequence });
        }
        let end = if flags & END_OF_MESSAGE == 0 { EndOfMessage::No } else { EndOfMessage::Yes };
        if kind != Kind::Data && (!payload.is_empty() || end == EndOfMessage::Yes) {
            return wrong(header, Fault::AnswerWithPayload);
        }
        Ok(Self { kind, sequence, end, payload: payload.to_vec() })
    }

    /// Reads a packet without knowing its format beforehand, as a reader of recordings must.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which octet.
    pub fn parse_alone(octets: &[u8]) -> Result<(Self, Format), ParseError> {
        let [flags, bits, ..] = *octets else {
            return Err(ParseError { at: octets.len(), what: Fault::TooShort { needs: CHECKSUM_AT + 2 } });
        };
        let checksum = if flags & CRC32 == 0 { Checksum::Internet } else { Checksum::Crc32 };
        let space = Space::from_bits(bits).ok_or(ParseError { at: 1, what: Fault::OtherSpace { bits } })?;
        let format = Format { space, checksum };
        Self::parse(octets, format).map(|packet| (packet, format))
    }
}

/// The checksum of a packet: its first six octets, then the payload.
///
/// The checksum's own octets count as zero. For a sum that is the same as leaving them out, and
/// their number is even, so the payload's words stay where they are.
fn checksum(checksum: Checksum, start: &[u8], payload: &[u8]) -> u32 {
    checksum.of(&[start, &[0; 4][..checksum.octets()], payload])
}

/// Why octets are not a packet, and where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ParseError {
    /// The first octet that is wrong, counted from 0.
    pub at: usize,
    /// What is wrong there.
    pub what: Fault,
}

/// What is wrong with octets that should be a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// They end before the header does.
    TooShort {
        /// The header's octets.
        needs: usize,
    },
    /// The length field does not fit the octets that came.
    Length {
        /// The field.
        says: usize,
        /// Octets after the header.
        has: usize,
    },
    /// Damaged: the checksum does not fit.
    Checksum {
        /// The field.
        says: u32,
        /// What it should be for these octets.
        computed: u32,
    },
    /// Sound, but with the checksum that we were not told to use.
    OtherChecksum {
        /// The one it uses.
        declared: Checksum,
    },
    /// Bits are set which are always zero.
    ReservedBits {
        /// Octet 0.
        flags: u8,
    },
    /// Neither DATA nor one of the answers.
    UnknownKind {
        /// The kind's number.
        code: u8,
    },
    /// Sound, but counted in a space that we were not told to use.
    OtherSpace {
        /// Its k.
        bits: u8,
    },
    /// The number does not exist in the space.
    OutsideSpace {
        /// The number.
        sequence: Sequence,
    },
    /// An answer has a payload, or says that it ends a message.
    AnswerWithPayload,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Fault::TooShort { needs } => write!(f, "ends before its header of {needs} octets"),
            Fault::Length { says, has } => write!(f, "length says {says} octets, has {has}"),
            Fault::Checksum { says, computed } => {
                write!(f, "checksum says {says:#x}, computed {computed:#x}")
            }
            Fault::OtherChecksum { declared } => write!(f, "uses the checksum {declared:?}"),
            Fault::ReservedBits { flags } => write!(f, "reserved bits set in {flags:#x}"),
            Fault::UnknownKind { code } => write!(f, "unknown kind {code}"),
            Fault::OtherSpace { bits } => write!(f, "sequence space of {bits} bits"),
            Fault::OutsideSpace { sequence } => write!(f, "number {sequence} is outside the space"),
            Fault::AnswerWithPayload => write!(f, "an answer carries a payload"),
        }?;
        write!(f, " at octet {}", self.at)
    }
}

impl core::error::Error for ParseError {}

/// Why a packet cannot be put into octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum EmitError {
    /// More than 65 535 octets.
    PayloadTooLong {
        /// How many there are.
        octets: usize,
    },
    /// The number does not exist in the space.
    OutsideSpace {
        /// The number.
        sequence: Sequence,
        /// The space's k.
        bits: u8,
    },
    /// An answer has a payload, or says that it ends a message.
    AnswerWithPayload,
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PayloadTooLong { octets } => write!(f, "a payload of {octets} octets is too long"),
            Self::OutsideSpace { sequence, bits } => {
                write!(f, "number {sequence} does not exist in a space of {bits} bits")
            }
            Self::AnswerWithPayload => write!(f, "an answer carries no payload"),
        }
    }
}

impl core::error::Error for EmitError {}

#[cfg(test)]
mod tests;
