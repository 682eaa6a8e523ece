//! The Internet checksum: the ones' complement sum of 16-bit words.
//!
//! RFC 1071; RFC 1624 for the incremental update; RFC 9293 §3.1 and RFC 8200 §8.1 for the
//! pseudo-headers. A [`Sum`] is taken piece by piece, where pieces may start and end at odd octets.
//!
//! Fast by RFC 1071 §2: the sum does not depend on byte order (B), so words are added as they lie
//! in memory and swapped once at the end; and carries may be collected and added late (A and C), so
//! sixteen 32-bit lanes add at once, which compilers turn into vector instructions by themselves.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ip::Protocol;

/// How many octets one turn of the main loop takes.
const TURN: usize = 64;
/// How many 32-bit lanes add side by side.
const LANES: usize = TURN / 4;
/// Below this many octets the lanes cost more to set up and to gather than they win.
const LANES_PAY_FROM: usize = 2 * TURN;
/// How many octets may be added before the lanes are gathered: each lane's sum of upper halves
/// must stay below 2^32, and 1,024 turns of at most 65,535 do.
const BLOCK: usize = 1024 * TURN;

/// A sum that is still being taken: of some octets, and whether their number is odd so far.
///
/// There is no `==`: one sum has several spellings (0 and 0xffff among them). Compare [`Sum::folded`]
/// or [`Sum::finish`].
#[derive(Clone, Copy, Default, Debug)]
pub struct Sum {
    /// Ones' complement sum of words in memory order, carries not yet folded; at most 2^33.
    words: u64,
    /// Whether the next octet is the second half of a word.
    odd: bool,
}

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self { words: 0, odd: false };

    /// The sum of these octets.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        Self { words: sum_words(octets), odd: octets.len() % 2 == 1 }
    }

    /// Goes on with these octets, which follow those summed so far.
    #[must_use]
    pub fn and(self, octets: &[u8]) -> Self {
        self.then(Self::of(octets))
    }

    /// Goes on with a sum taken of the octets that follow, as [`copy_and_sum`] gives it.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        // RFC 1071 §2 (B): octets that stand one further right count swapped.
        let words = if self.odd { fold(next.words).swap_bytes() as u64 } else { next.words };
        Self { words: carry(self.words + words), odd: self.odd != next.odd }
    }

    /// Goes on with a number of 16 bits in network order.
    #[must_use]
    pub const fn and_u16(self, number: u16) -> Self {
        self.then(Self { words: number.to_be() as u64, odd: false })
    }

    /// Goes on with a number of 32 bits in network order.
    #[must_use]
    pub const fn and_u32(self, number: u32) -> Self {
        self.then(Self { words: number.to_be() as u64, odd: false })
    }

    /// Goes on with numbers of 32 bits in network order, whose plain sum this is.
    ///
    /// For headers: adding eight numbers while they are in registers is cheaper than reading back
    /// the octets they were just written to.
    #[must_use]
    pub(crate) const fn and_numbers(self, sum_of_numbers: u64) -> Self {
        self.and_u16(fold(carry(sum_of_numbers)))
    }

    /// The sum in 16 bits, as a number, not complemented: 0xffff where the octets summed contained
    /// their right checksum.
    ///
    /// What a device wants in the checksum field of a packet whose sum it completes itself.
    #[must_use]
    pub const fn folded(self) -> u16 {
        u16::from_be(fold(self.words))
    }

    /// The checksum: the complement of the sum, as a number.
    #[must_use]
    pub const fn finish(self) -> u16 {
        !self.folded()
    }

    /// Whether the octets summed contained their right checksum.
    ///
    /// RFC 1071 §1 (3): all ones.
    #[must_use]
    pub const fn is_right(self) -> bool {
        self.folded() == 0xffff
    }
}

/// Copies octets and sums them on the way: one pass over memory instead of two.
///
/// Copies as many as both slices hold; the sum is of those.
#[must_use]
pub fn copy_and_sum(into: &mut [u8], from: &[u8]) -> Sum {
    let length = into.len().min(from.len());
    let (into, from) = (&mut into[..length], &from[..length]);
    if length < LANES_PAY_FROM {
        into.copy_from_slice(from);
        return Sum::of(from);
    }
    let mut words = 0;
    for (into, from) in into.chunks_mut(BLOCK).zip(from.chunks(BLOCK)) {
        let (turns, rest) = from.as_chunks::<TURN>();
        let (places, rest_place) = into.as_chunks_mut::<TURN>();
        let mut lanes = Lanes::ZERO;
        for (place, turn) in places.iter_mut().zip(turns) {
            let turn = *turn;
            *place = turn;
            lanes.add(&turn);
        }
        rest_place.copy_from_slice(rest);
        words = carry(words + lanes.gather() + sum_short(rest));
    }
    Sum { words, odd: length % 2 == 1 }
}

/// The checksum of octets that stand alone, such as an ICMP message or an IPv4 header.
#[must_use]
pub fn checksum(octets: &[u8]) -> u16 {
    Sum::of(octets).finish()
}

/// The checksum after one 16-bit word that it covers has changed.
///
/// RFC 1624 §3, equation 3: HC' = ~(~HC + ~m + m').
#[must_use]
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let mut sum = !checksum as u32 + !old as u32 + new as u32;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

/// The checksum after a 32-bit field that it covers has changed, such as an IPv4 address.
///
/// RFC 1624 §3. The field stands at an even octet, as all do in the headers of the Internet.
#[must_use]
pub const fn update_u32(checksum: u16, old: u32, new: u32) -> u16 {
    let upper = update(checksum, (old >> 16) as u16, (new >> 16) as u16);
    update(upper, old as u16, new as u16)
}

/// The part of a pseudo-header that stays the same for all packets between two addresses:
/// everything but the length.
///
/// RFC 9293 §3.1, RFC 768, RFC 8200 §8.1. Take it once for a connection.
#[derive(Clone, Copy, Debug)]
pub struct PseudoHeader(Sum);

impl PseudoHeader {
    /// The pseudo-header between two IPv4 addresses.
    #[must_use]
    pub const fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol) -> Self {
        let sum = Sum::ZERO.and_u32(source.to_bits()).and_u32(destination.to_bits());
        Self(sum.and_u16(protocol.0 as u16))
    }

    /// The pseudo-header between two IPv6 addresses.
    #[must_use]
    pub fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, protocol: Protocol) -> Self {
        let sum = Sum::ZERO.and(&source.octets()).and(&destination.octets());
        Self(sum.and_u16(u16::from(protocol.0)))
    }

    /// The pseudo-header between two addresses; none where they are not of one version.
    #[must_use]
    pub fn new(source: IpAddr, destination: IpAddr, protocol: Protocol) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Self::ipv4(source, destination, protocol)),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Some(Self::ipv6(source, destination, protocol)),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        }
    }

    /// The whole pseudo-header: this and the length, in octets, of header and data above IP.
    #[must_use]
    pub const fn with_length(self, octets: usize) -> Sum {
        // Beyond 32 bits no IP packet goes; the truncation never meets one.
        self.0.and_u32(octets as u32)
    }

    /// Whether the checksum inside `octets`, the header and data above IP, is right.
    #[must_use]
    pub fn covers(self, octets: &[u8]) -> bool {
        self.with_length(octets.len()).and(octets).is_right()
    }
}

/// Sixteen running sums side by side: of whole 32-bit words, wrapping, and of their upper halves.
struct Lanes {
    whole: [u32; LANES],
    upper: [u32; LANES],
}

impl Lanes {
    const ZERO: Self = Self { whole: [0; LANES], upper: [0; LANES] };

    #[inline(always)]
    fn add(&mut self, turn: &[u8; TURN]) {
        let (words, _) = turn.as_chunks::<4>();
        for (lane, word) in words.iter().enumerate() {
            let word = u32::from_ne_bytes(*word);
            self.whole[lane] = self.whole[lane].wrapping_add(word);
            self.upper[lane] = self.upper[lane].wrapping_add(word >> 16);
        }
    }

    /// The sum of all lanes. The lower halves are what the wrapped whole holds beyond the upper
    /// halves: they sum to less than 2^32 within a block, so the difference modulo 2^32 is exact.
    #[inline(always)]
    fn gather(&self) -> u64 {
        let mut sum = 0_u64;
        for (whole, upper) in self.whole.iter().zip(&self.upper) {
            let lower = whole.wrapping_sub(upper << 16);
            sum = sum.wrapping_add(u64::from(lower)).wrapping_add(u64::from(*upper) << 16);
        }
        sum
    }
}

/// Sums words in memory order; an odd octet at the end is the first half of a word. At most 2^33.
#[inline]
fn sum_words(octets: &[u8]) -> u64 {
    if octets.len() < LANES_PAY_FROM { carry(sum_short(octets)) } else { sum_long(octets) }
}

fn sum_long(octets: &[u8]) -> u64 {
    let mut words = 0;
    for block in octets.chunks(BLOCK) {
        let (turns, rest) = block.as_chunks::<TURN>();
        let mut lanes = Lanes::ZERO;
        for turn in turns {
            lanes.add(turn);
        }
        words = carry(words + lanes.gather() + sum_short(rest));
    }
    words
}

/// Sums fewer than 128 octets, eight at a time: at most 2^37.
#[inline]
fn sum_short(octets: &[u8]) -> u64 {
    let mut sum = 0_u64;
    let (eights, rest) = octets.as_chunks::<8>();
    for eight in eights {
        let word = u64::from_ne_bytes(*eight);
        sum = sum.wrapping_add(word & 0xffff_ffff).wrapping_add(word >> 32);
    }
    let (fours, rest) = rest.as_chunks::<4>();
    if let [four] = fours {
        sum = sum.wrapping_add(u64::from(u32::from_ne_bytes(*four)));
    }
    let (twos, rest) = rest.as_chunks::<2>();
    if let [two] = twos {
        sum = sum.wrapping_add(u64::from(u16::from_ne_bytes(*two)));
    }
    if let [one] = rest {
        sum = sum.wrapping_add(u64::from(u16::from_ne_bytes([*one, 0])));
    }
    sum
}

/// Adds the carries above 32 bits back in: the same sum, at most 2^33.
const fn carry(sum: u64) -> u64 {
    (sum & 0xffff_ffff) + (sum >> 32)
}

/// The sum in 16 bits.
const fn fold(sum: u64) -> u16 {
    // 64 bits, at most 2^33, at most 2^18, at most 2^16 + 2, at most 2^16 - 1.
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests;
