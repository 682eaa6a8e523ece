//! Flipping bits in a frame, with a checksum that tells or one that lies.
//!
//! Bits are flipped in what IP carries (of a textbook protocol: in what UDP carries), never in IP's
//! own header: a packet for somebody else teaches nothing. A damaged frame either fails its
//! checksum for certain, or has it repaired: one flip in 65,536 that the Internet checksum would
//! miss must not happen by luck, only when asked for (RFC 1071 §1, Stone and Partridge 2000).

use aperto_wire::checksum::{PseudoHeader, Sum};
use aperto_wire::ip::Protocol;

use super::classify::transport_of;
use super::luck::below;
use super::{Corruption, Framing};

/// Octets of a UDP header. RFC 768.
const UDP_HEADER: usize = 8;

/// What became of a frame's octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Damage {
    /// Its checksum tells.
    Detectable {
        /// How many bits were flipped.
        bits: u32,
    },
    /// Its checksum was made right again.
    Repaired {
        /// How many bits were flipped.
        bits: u32,
    },
}

/// Where bits may be flipped, and where the checksum stands.
struct Target {
    from: usize,
    to: usize,
    checksum_at: Option<usize>,
    pseudo: Option<PseudoHeader>,
}

/// Flips some bits. Says what that did; nothing where there is nothing to flip.
///
/// `luck` gives 64 fresh bits for each ordinal.
pub(super) fn damage(
    framing: Framing,
    corruption: Corruption,
    flips: u32,
    octets: &mut [u8],
    luck: impl Fn(u32) -> u64,
) -> Option<Damage> {
    let target = target(framing, octets);
    let text = match corruption {
        // What is not noticed must still be taken for what it was: only text changes. A segment
        // without text stays whole.
        Corruption::RepairsChecksum => text_start(framing, octets, &target),
        Corruption::BreaksChecksum => target.from,
    };
    let flips = flips.max(1);
    let mut flipped = 0;
    for ordinal in 0..flips {
        flipped += u32::from(flip(octets, text, target.to, luck(ordinal)));
    }
    if flipped == 0 {
        return None;
    }
    match (corruption, target.checksum_at.zip(target.pseudo)) {
        (Corruption::RepairsChecksum, Some((at, pseudo))) => {
            repair(octets, &target, at, pseudo);
            Some(Damage::Repaired { bits: flipped })
        }
        (Corruption::RepairsChecksum, None) if framing == Framing::Textbook => {
            Some(repair_textbook(octets.get_mut(target.from..target.to).unwrap_or_default(), flipped))
        }
        (Corruption::RepairsChecksum, None) => Some(Damage::Detectable { bits: flipped }),
        (Corruption::BreaksChecksum, Some((_, pseudo))) => {
            if octets.get(target.from..target.to).is_some_and(|octets| pseudo.covers(octets)) {
                // The flips cancelled out. One flipped bit never does: it changes the sum by a
                // power of two, which is no multiple of 65,535.
                flipped += u32::from(flip(octets, text, target.to, luck(flips)));
            }
            Some(Damage::Detectable { bits: flipped })
        }
        (Corruption::BreaksChecksum, None) => Some(Damage::Detectable { bits: flipped }),
    }
}

/// Flips one bit from `from` on, before `to`.
fn flip(octets: &mut [u8], from: usize, to: usize, bits: u64) -> bool {
    let Some(octets) = octets.get_mut(from..to).filter(|octets| !octets.is_empty()) else { return false };
    let place = below(bits, octets.len() as u64 * 8);
    let Some(octet) = usize::try_from(place / 8).ok().and_then(|at| octets.get_mut(at)) else {
        return false;
    };
    *octet ^= 1 << (place % 8);
    true
}

fn target(framing: Framing, octets: &[u8]) -> Target {
    let whole = Target { from: 0, to: octets.len(), checksum_at: None, pseudo: None };
    let Some(transport) = transport_of(framing, octets) else { return whole };
    if framing == Framing::Textbook {
        let from = (transport.at + UDP_HEADER).min(transport.end);
        return Target { from, to: transport.end, checksum_at: None, pseudo: None };
    }
    let checksum_at = match transport.protocol {
        Protocol::TCP => Some(transport.at + 16),
        Protocol::UDP => Some(transport.at + 6),
        _ => None,
    };
    Target {
        from: transport.at,
        to: transport.end,
        checksum_at,
        pseudo: PseudoHeader::new(transport.source, transport.destination, transport.protocol),
    }
}

/// Where the text begins; the end if there is none.
fn text_start(framing: Framing, octets: &[u8], target: &Target) -> usize {
    let header = match (framing, target.checksum_at) {
        // TCP's data offset is in the upper half of octet 12, in words.
        (_, Some(at)) if at == target.from + 16 => {
            octets.get(target.from + 12).map_or(20, |octet| usize::from(octet >> 4) * 4)
        }
        (_, Some(_)) => UDP_HEADER,
        (Framing::Textbook, None) => textbook_header(octets.get(target.from..).unwrap_or_default()),
        (_, None) => 0,
    };
    (target.from + header).min(target.to)
}

/// Puts the right checksum where the wrong one is.
fn repair(octets: &mut [u8], target: &Target, at: usize, pseudo: PseudoHeader) {
    if let Some(field) = octets.get_mut(at..at + 2) {
        field.fill(0);
    }
    let Some(covered) = octets.get(target.from..target.to) else { return };
    let mut sum = pseudo.with_length(covered.len()).and(covered).finish();
    if sum == 0 && at == target.from + 6 {
        // RFC 768: a UDP checksum of zero means that there is none.
        sum = 0xffff;
    }
    if let Some(field) = octets.get_mut(at..at + 2) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}

/// Octets before the payload of a textbook packet: bit 5 of octet 0 says which checksum it has.
fn textbook_header(octets: &[u8]) -> usize {
    if octets.first().is_some_and(|flags| flags & 0x20 != 0) { 10 } else { 8 }
}

/// Repairs the Internet checksum of a textbook packet; a CRC-32 stays broken.
fn repair_textbook(octets: &mut [u8], bits: u32) -> Damage {
    if textbook_header(octets) != 8 || octets.len() < 8 {
        return Damage::Detectable { bits };
    }
    if let Some(field) = octets.get_mut(6..8) {
        field.fill(0);
    }
    let sum = Sum::of(octets).finish();
    if let Some(field) = octets.get_mut(6..8) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    Damage::Repaired { bits }
}
