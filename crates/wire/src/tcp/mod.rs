//! TCP segments: the header without its ports, the control bits, the options.
//!
//! RFC 9293 §3.1 and §3.2.

mod control;
mod emit;
mod options;
mod parse;
mod raw;

pub use control::Control;
pub use emit::{emit, emit_header, emit_with_raw_options, header_length};
pub use options::{FastOpenCookie, Options, SackBlock, SackBlocks, Timestamps, UserTimeout};
pub use parse::{Parsed, Quoted, parse, parse_quoted, verify};
pub use raw::{OptionsFault, OptionsFaultKind, RawOption, RawOptions, kind};

use crate::SeqNumber;

/// The four octets before the two numbers of a timestamps option that stands alone: No-Operation,
/// No-Operation, kind 8, length 10.
///
/// RFC 7323 appendix A.
const NOP_NOP_TIMESTAMPS: u32 = 0x0101_080a;

/// From which port a segment or datagram comes and to which it goes.
///
/// RFC 9293 §3.1, RFC 768.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ports {
    /// The sender's port.
    pub source: u16,
    /// The receiver's port.
    pub destination: u16,
}

impl Ports {
    /// The ports of the way back.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }
}

/// What a connection reads and writes of a TCP header.
///
/// The ports and the checksum are not here: they belong to whoever knows the addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// SEG.SEQ: the number of the first octet, or of the SYN.
    pub seq: SeqNumber,
    /// SEG.ACK: the next number that the sender expects; means nothing without the ACK bit.
    pub ack: SeqNumber,
    /// The control bits.
    pub control: Control,
    /// SEG.WND as it stands in the header, before any scaling (RFC 7323 §2).
    pub window: u16,
    /// SEG.UP: means nothing without the URG bit.
    pub urgent_pointer: u16,
    /// The options that we know.
    pub options: Options,
}

/// A segment as a connection sees it: a header and the text that it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'a> {
    /// The header, without ports.
    pub header: Header,
    /// The text: application octets.
    pub payload: &'a [u8],
}

impl Segment<'_> {
    /// SEG.LEN: how many sequence numbers the segment uses, SYN and FIN counted.
    ///
    /// RFC 9293 §3.4.
    #[must_use]
    pub fn len(&self) -> u32 {
        let text = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        text.saturating_add(self.header.control.sequence_length())
    }

    /// Whether the segment uses no sequence number at all: a pure acknowledgment or a reset.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
