//! Classic pcap: a header of 24 octets, then packets with 16 each.
//!
//! draft-ietf-opsawg-pcap §4 and §5.

use alloc::vec::Vec;

use super::error::{Error, What};
use super::{CaptureInterface, Format, Frame, MAX_BLOCK_OCTETS, Order, Parser, Step};
use crate::pcap::{MAGIC_MICROSECONDS, MAGIC_NANOSECONDS};
use crate::pcapng::link_type_of;

const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    order: Order,
    /// Nanoseconds in the unit of the second number of a time.
    unit: u64,
}

/// The magic numbers, as they stand in the file.
const MAGICS: [([u8; 4], File); 4] = [
    (MAGIC_MICROSECONDS.to_le_bytes(), File { order: Order::Little, unit: 1_000 }),
    (MAGIC_NANOSECONDS.to_le_bytes(), File { order: Order::Little, unit: 1 }),
    (MAGIC_MICROSECONDS.to_be_bytes(), File { order: Order::Big, unit: 1_000 }),
    (MAGIC_NANOSECONDS.to_be_bytes(), File { order: Order::Big, unit: 1 }),
];

/// Whether so few octets may be the beginning of a file.
pub(super) fn may_begin(rest: &[u8]) -> bool {
    MAGICS.iter().any(|(magic, _)| magic.starts_with(rest))
}

/// Reads the header of a file; none if it is no such file.
pub(super) fn file_header(parser: &mut Parser, rest: &[u8]) -> Option<Result<Step, Error>> {
    let magic: &[u8; 4] = rest.first_chunk()?;
    let (_, file) = MAGICS.iter().find(|(known, _)| known == magic)?;
    let Some(header) = rest.first_chunk::<FILE_HEADER>() else {
        return Some(Ok(Step::Needs(FILE_HEADER)));
    };
    let order = file.order;
    let major = order.u16([header[4], header[5]]);
    let minor = order.u16([header[6], header[7]]);
    if major != 2 {
        return Some(Err(parser.error(4, What::Version { major, minor })));
    }
    let link_type = order.u32([header[20], header[21], header[22], header[23]]);
    // The upper half may say how long the frame check sequence is.
    let [.., high, low] = link_type.to_be_bytes();
    parser
        .interfaces
        .push(CaptureInterface { name: None, link_type: link_type_of(u16::from_be_bytes([high, low])) });
    parser.format = Some(Format::Classic(*file));
    Some(Ok(Step::Done { used: FILE_HEADER, frame: None }))
}

/// Reads a packet.
pub(super) fn packet(parser: &Parser, file: File, rest: &[u8]) -> Result<Step, Error> {
    let order = file.order;
    let number = |at| order.u32_at(rest, at);
    let (Some(seconds), Some(fraction), Some(captured), Some(original)) =
        (number(0), number(4), number(8), number(12))
    else {
        return Ok(Step::Needs(PACKET_HEADER));
    };
    if captured > MAX_BLOCK_OCTETS {
        return Err(parser.error(8, What::TooLong { says: captured }));
    }
    let used = PACKET_HEADER + captured as usize;
    let Some(octets) = rest.get(PACKET_HEADER..used) else { return Ok(Step::Needs(used)) };
    let at_ns = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * file.unit;
    let frame = Frame {
        interface: 0,
        at_ns,
        direction: None,
        packet_id: None,
        octets: Vec::from(octets),
        original_length: original.max(captured),
        comment: None,
    };
    Ok(Step::Done { used, frame: Some(frame) })
}
