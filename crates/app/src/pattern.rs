//! The octets that a seed stands for, and a running hash of octets.
//!
//! Both ends of a transfer can make the pattern for themselves, so a receiver knows at once which
//! octet is the first that is wrong.

/// A running count and hash of octets: FNV-1a with 64 bits. It finds accidents, not attackers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tally {
    /// How many octets.
    pub octets: u64,
    /// Their hash.
    pub hash: u64,
}

impl Tally {
    /// Of nothing.
    pub const ZERO: Self = Self { octets: 0, hash: 0xcbf2_9ce4_8422_2325 };

    /// Goes on with these octets.
    pub fn add(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        for &octet in octets {
            self.hash = (self.hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Of these octets alone.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        let mut tally = Self::ZERO;
        tally.add(octets);
        tally
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::ZERO
    }
}

/// An endless stream of octets made from a seed, which can be read at any place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pattern {
    seed: u64,
}

impl Pattern {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Eight octets, those from place 8 × `word` on.
    const fn word(self, word: u64) -> [u8; 8] {
        let mut mixed = self.seed ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    }

    /// Writes the octets from this place on.
    pub fn fill(self, offset: u64, into: &mut [u8]) {
        let mut place = offset;
        let mut rest = into;
        while !rest.is_empty() {
            let word = self.word(place / 8);
            let from = word.get((place % 8) as usize..).unwrap_or_default();
            let length = from.len().min(rest.len());
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(from.get(..length).unwrap_or_default());
            place += length as u64;
            rest = later;
        }
    }

    /// The place of the first octet that is not the pattern's, where the octets begin at `offset`.
    #[must_use]
    pub fn first_difference(self, offset: u64, octets: &[u8]) -> Option<u64> {
        let mut place = offset;
        let mut rest = octets;
        while !rest.is_empty() {
            let word = self.word(place / 8);
            let from = word.get((place % 8) as usize..).unwrap_or_default();
            let length = from.len().min(rest.len());
            let (now, later) = rest.split_at(length);
            if let Some(at) = now.iter().zip(from).position(|(octet, right)| octet != right) {
                return Some(place + at as u64);
            }
            place += length as u64;
            rest = later;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_pattern_is_the_same_however_it_is_cut() {
        let pattern = Pattern::new(7);
        let mut whole = vec![0; 100];
        pattern.fill(0, &mut whole);
        let mut pieces = Vec::new();
        for size in [1, 2, 3, 5, 8, 13, 21, 34, 13] {
            let mut piece = vec![0; size];
            pattern.fill(pieces.len() as u64, &mut piece);
            pieces.extend(piece);
        }
        assert_eq!(whole, pieces);
        assert_ne!(whole[..8], whole[8..16]);
    }

    #[test]
    fn the_first_wrong_octet_is_found() {
        let pattern = Pattern::new(9);
        let mut octets = vec![0; 50];
        pattern.fill(1_000, &mut octets);
        assert_eq!(pattern.first_difference(1_000, &octets), None);
        assert!(pattern.first_difference(1_001, &octets).is_some());
        octets[33] ^= 1;
        assert_eq!(pattern.first_difference(1_000, &octets), Some(1_033));
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The published value for "foobar".
        assert_eq!(Tally::of(b"foobar"), Tally { octets: 6, hash: 0x8594_4171_f739_67e8 });
        let mut pieces = Tally::ZERO;
        pieces.add(b"foo");
        pieces.add(b"bar");
        assert_eq!(pieces, Tally::of(b"foobar"));
    }
}
