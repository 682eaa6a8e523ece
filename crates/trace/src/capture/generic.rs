//! pcapng: blocks, each with its length before and after.
//!
//! draft-ietf-opsawg-pcapng §3 and §4. Options that do not fit their block end the list of options;
//! what stands before them counts.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, What};
use super::{CaptureInterface, Clock, Format, Frame, MAX_BLOCK_OCTETS, MAX_INTERFACES, Order, Parser, Step};
use crate::pcapng::{
    BYTE_ORDER_MAGIC, ENHANCED_PACKET, FrameDirection, INTERFACE_DESCRIPTION, INTERFACE_NAME,
    INTERFACE_OFFSET, INTERFACE_RESOLUTION, OPTION_COMMENT, OPTION_END, PACKET_FLAGS, PACKET_ID,
    SECTION_APPLICATION, SECTION_HARDWARE, SECTION_HEADER, SECTION_OS, Section, link_type_of,
};

const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
/// Type, length before, length after.
const BLOCK_OVERHEAD: u32 = 12;
/// The body of a block begins here.
const BODY_AT: usize = 8;

impl Parser {
    /// Reads a block.
    pub(super) fn generic_block(&mut self, rest: &[u8]) -> Result<Step, Error> {
        let Some(head) = rest.first_chunk::<12>() else { return Ok(Step::Needs(12)) };
        let is_section = head[..4] == SECTION_HEADER.to_le_bytes();
        let order = match (is_section, self.format) {
            (true, _) => self.byte_order([head[8], head[9], head[10], head[11]])?,
            (false, Some(Format::Generic { order, .. })) => order,
            (false, _) => return Err(self.error(0, What::BlockTooShort { kind: 0 })),
        };
        let kind = order.u32([head[0], head[1], head[2], head[3]]);
        let length = order.u32([head[4], head[5], head[6], head[7]]);
        if length < BLOCK_OVERHEAD || !length.is_multiple_of(4) {
            return Err(self.error(4, What::BlockLength { says: length }));
        }
        if length > MAX_BLOCK_OCTETS {
            return Err(self.error(4, What::TooLong { says: length }));
        }
        let used = length as usize;
        let Some(block) = rest.get(..used) else { return Ok(Step::Needs(used)) };
        let ends = order.u32_at(block, used - 4).unwrap_or(0);
        if ends != length {
            return Err(self.error(used - 4, What::TrailerMismatch { begins: length, ends }));
        }
        let body = block.get(BODY_AT..used - 4).unwrap_or(&[]);
        let too_short = self.error(0, What::BlockTooShort { kind });
        let frame = match kind {
            SECTION_HEADER => {
                self.section_header(order, body)?;
                None
            }
            INTERFACE_DESCRIPTION => {
                self.interface_description(order, body)?;
                None
            }
            ENHANCED_PACKET => Some(self.enhanced_packet(order, body, too_short)?),
            OBSOLETE_PACKET => Some(self.obsolete_packet(order, body, too_short)?),
            SIMPLE_PACKET => Some(self.simple_packet(order, body, too_short)?),
            _ => None,
        };
        Ok(Step::Done { used, frame })
    }

    fn byte_order(&self, magic: [u8; 4]) -> Result<Order, Error> {
        if magic == BYTE_ORDER_MAGIC.to_le_bytes() {
            Ok(Order::Little)
        } else if magic == BYTE_ORDER_MAGIC.to_be_bytes() {
            Ok(Order::Big)
        } else {
            Err(self.error(8, What::ByteOrder { magic: u32::from_be_bytes(magic) }))
        }
    }

    fn section_header(&mut self, order: Order, body: &[u8]) -> Result<(), Error> {
        let version = (order.u16_at(body, 4), order.u16_at(body, 6));
        let (Some(major), Some(minor)) = version else {
            return Err(self.error(0, What::BlockTooShort { kind: SECTION_HEADER }));
        };
        // 1.2 is what some programs wrote for the same format.
        if major != 1 || !matches!(minor, 0 | 2) {
            return Err(self.error(12, What::Version { major, minor }));
        }
        if self.sections == 0 {
            self.section = read_section(order, body.get(16..).unwrap_or(&[]));
        }
        self.sections = self.sections.saturating_add(1);
        self.format = Some(Format::Generic { order, first_interface: self.interfaces.len() });
        Ok(())
    }

    fn interface_description(&mut self, order: Order, body: &[u8]) -> Result<(), Error> {
        let Some(link_type) = order.u16_at(body, 0) else {
            return Err(self.error(0, What::BlockTooShort { kind: INTERFACE_DESCRIPTION }));
        };
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(self.error(0, What::TooManyInterfaces));
        }
        let mut clock = Clock::MICROSECONDS;
        let mut name = None;
        for (code, value) in options(order, body.get(8..).unwrap_or(&[])) {
            match (code, value) {
                (INTERFACE_NAME, _) => name = Some(text(value)),
                (INTERFACE_RESOLUTION, [resolution, ..]) => {
                    clock.ticks_per_second = ticks_per_second(*resolution);
                }
                (INTERFACE_OFFSET, _) => {
                    if let Some(octets) = value.first_chunk::<8>() {
                        clock.offset_seconds = match order {
                            Order::Little => i64::from_le_bytes(*octets),
                            Order::Big => i64::from_be_bytes(*octets),
                        };
                    }
                }
                _ => {}
            }
        }
        self.interfaces.push(CaptureInterface { name, link_type: link_type_of(link_type) });
        self.clocks.push(clock);
        Ok(())
    }

    fn enhanced_packet(&self, order: Order, body: &[u8], too_short: Error) -> Result<Frame, Error> {
        let number = |at| order.u32_at(body, at).ok_or(too_short);
        number(16)?;
        let (interface, clock) = self.interface(number(0)?)?;
        let ticks = u64::from(number(4)?) << 32 | u64::from(number(8)?);
        let (octets, rest) = self.captured(body, 20, number(12)?)?;
        let mut frame = Frame {
            interface,
            at_ns: clock.nanoseconds(ticks),
            direction: None,
            packet_id: None,
            octets: Vec::from(octets),
            original_length: number(16)?.max(number(12)?),
            comment: None,
        };
        packet_options(order, rest, &mut frame);
        Ok(frame)
    }

    fn obsolete_packet(&self, order: Order, body: &[u8], too_short: Error) -> Result<Frame, Error> {
        let number = |at| order.u32_at(body, at).ok_or(too_short);
        number(16)?;
        let id = order.u16_at(body, 0).ok_or(too_short)?;
        let (interface, clock) = self.interface(u32::from(id))?;
        let ticks = u64::from(number(4)?) << 32 | u64::from(number(8)?);
        let (octets, rest) = self.captured(body, 20, number(12)?)?;
        let mut frame = Frame {
            interface,
            at_ns: clock.nanoseconds(ticks),
            direction: None,
            packet_id: None,
            octets: Vec::from(octets),
            original_length: number(16)?.max(number(12)?),
            comment: None,
        };
        packet_options(order, rest, &mut frame);
        Ok(frame)
    }

    /// A packet of the first interface, without a time; how much was kept is for its block to say.
    fn simple_packet(&self, order: Order, body: &[u8], too_short: Error) -> Result<Frame, Error> {
        let original = order.u32_at(body, 0).ok_or(too_short)?;
        let (interface, _) = self.interface(0)?;
        let kept = body.get(4..).unwrap_or(&[]);
        let octets = kept.get(..original as usize).unwrap_or(kept);
        Ok(Frame {
            interface,
            at_ns: 0,
            direction: None,
            packet_id: None,
            octets: Vec::from(octets),
            original_length: original,
            comment: None,
        })
    }

    /// The place and the clock of an interface of this section.
    fn interface(&self, id: u32) -> Result<(usize, Clock), Error> {
        let first = match self.format {
            Some(Format::Generic { first_interface, .. }) => first_interface,
            _ => 0,
        };
        let place = first.saturating_add(id as usize);
        match self.clocks.get(place) {
            Some(clock) => Ok((place, *clock)),
            None => Err(self.error(BODY_AT, What::UnknownInterface { interface: id })),
        }
    }

    /// The octets of a packet, and what follows them and their padding.
    fn captured<'a>(&self, body: &'a [u8], at: usize, says: u32) -> Result<(&'a [u8], &'a [u8]), Error> {
        let rest = body.get(at..).unwrap_or(&[]);
        let length = says as usize;
        let Some(octets) = rest.get(..length) else {
            return Err(self.error(BODY_AT + 12, What::CapturedTooLong { says, has: rest.len() }));
        };
        Ok((octets, rest.get(length.next_multiple_of(4)..).unwrap_or(&[])))
    }
}

fn read_section(order: Order, octets: &[u8]) -> Section {
    let mut section = Section::default();
    for (code, value) in options(order, octets) {
        match code {
            OPTION_COMMENT => section.comments.push(text(value)),
            SECTION_HARDWARE => section.hardware = Some(text(value)),
            SECTION_OS => section.os = Some(text(value)),
            SECTION_APPLICATION => section.application = Some(text(value)),
            _ => {}
        }
    }
    section
}

fn packet_options(order: Order, octets: &[u8], frame: &mut Frame) {
    for (code, value) in options(order, octets) {
        match code {
            OPTION_COMMENT => match &mut frame.comment {
                Some(comment) => {
                    comment.push('\n');
                    comment.push_str(&text(value));
                }
                None => frame.comment = Some(text(value)),
            },
            PACKET_FLAGS => {
                frame.direction = match order.u32_at(value, 0).unwrap_or(0) & 0b11 {
                    0b01 => Some(FrameDirection::Inbound),
                    0b10 => Some(FrameDirection::Outbound),
                    _ => None,
                };
            }
            PACKET_ID => {
                frame.packet_id = value.first_chunk::<8>().map(|octets| match order {
                    Order::Little => u64::from_le_bytes(*octets),
                    Order::Big => u64::from_be_bytes(*octets),
                });
            }
            _ => {}
        }
    }
}

/// The options of a list, up to its end or to the first that does not fit.
fn options(order: Order, octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = octets;
    core::iter::from_fn(move || {
        let code = order.u16_at(rest, 0)?;
        let length = usize::from(order.u16_at(rest, 2)?);
        if code == OPTION_END {
            return None;
        }
        let value = rest.get(4..4 + length)?;
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((code, value))
    })
}

/// Text as it stands; some programs end it with zeros.
fn text(octets: &[u8]) -> String {
    String::from(String::from_utf8_lossy(octets).trim_end_matches('\0'))
}

/// Ten or, with the highest bit, two to the power of the rest; none beyond what can be counted.
const fn ticks_per_second(resolution: u8) -> Option<u128> {
    let exponent = (resolution & 0x7f) as u32;
    if resolution & 0x80 == 0 { 10u128.checked_pow(exponent) } else { 2u128.checked_pow(exponent) }
}
