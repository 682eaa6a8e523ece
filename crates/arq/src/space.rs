//! Sequence numbers modulo 2^k.
//!
//! Kurose and Ross §3.4.3: with k bits the numbers run from 0 to 2^k - 1 and then start again, so
//! "before" and "after" have no meaning of their own. What has one is the distance going upwards
//! from one number to another, and that is what the protocols compare with their windows.

use core::fmt;

/// A packet's number as it is on the wire.
///
/// It has no `<`: see [`Space::distance`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sequence(u16);

impl Sequence {
    /// This number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The plain number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The numbers from 0 to 2^k - 1, with k from 1 to 16.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Space {
    bits: u8,
}

impl Space {
    /// One bit, 0 and 1: the alternating-bit protocol of Kurose and Ross §3.4.1.
    ///
    /// Safe for stop-and-wait as long as no packet overtakes another.
    pub const ALTERNATING_BIT: Self = Self { bits: 1 };
    /// Fourteen bits, 16 384 numbers.
    pub const BITS_14: Self = Self { bits: 14 };

    /// The space of k bits; none unless k is 1 to 16.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1..=16 => Some(Self { bits }),
            _ => None,
        }
    }

    /// k.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// How many numbers there are: 2^k.
    #[must_use]
    pub const fn size(self) -> u32 {
        1 << self.bits
    }

    /// Whether the number is one of these.
    #[must_use]
    pub const fn contains(self, number: Sequence) -> bool {
        (number.0 as u32) < self.size()
    }

    /// The number so many steps after another.
    #[must_use]
    pub const fn after(self, number: Sequence, steps: u32) -> Sequence {
        self.wrap((number.0 as u32).wrapping_add(steps))
    }

    /// The number so many steps before another.
    #[must_use]
    pub const fn before(self, number: Sequence, steps: u32) -> Sequence {
        self.wrap((number.0 as u32).wrapping_sub(steps))
    }

    /// How many steps upwards lead from one number to the other: 0 to 2^k - 1.
    #[must_use]
    pub const fn distance(self, from: Sequence, to: Sequence) -> u32 {
        (to.0 as u32).wrapping_sub(from.0 as u32) & (self.size() - 1)
    }

    /// The remainder modulo 2^k, which is at most 2^16.
    const fn wrap(self, number: u32) -> Sequence {
        Sequence((number & (self.size() - 1)) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_and_distances_go_upwards() {
        let space = Space::BITS_14;
        let last = Sequence::new(16_383);
        assert_eq!(space.after(last, 1), Sequence::new(0));
        assert_eq!(space.before(Sequence::new(0), 2), Sequence::new(16_382));
        assert_eq!(space.distance(Sequence::new(16_380), Sequence::new(3)), 7);
        assert_eq!(space.distance(Sequence::new(3), Sequence::new(2)), 16_383);
        assert!(space.contains(last) && !space.contains(Sequence::new(16_384)));
    }

    #[test]
    fn one_bit_alternates_and_sixteen_bits_are_the_most() {
        let one = Space::ALTERNATING_BIT;
        assert_eq!(one.after(Sequence::new(1), 1), Sequence::new(0));
        assert_eq!(one.size(), 2);
        let most = Space::from_bits(16).expect("16 is allowed");
        assert_eq!(most.distance(Sequence::new(1), Sequence::new(0)), 65_535);
        assert_eq!(Space::from_bits(0), None);
        assert_eq!(Space::from_bits(17), None);
    }
}
