//! A place in TCP's sequence space.
//!
//! RFC 9293 §3.4. The space is finite, 0 to 2^32 - 1, so all arithmetic is modulo 2^32 and
//! "before" means "less than half the space behind". That relation is not transitive, so there
//! is no `<`: `PartialOrd` would promise an order that does not exist.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A sequence number: a place in sequence space. A distance along it is a `u32`.
///
/// RFC 9293 §3.4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SeqNumber(u32);

/// Half of the sequence space: from here on "ahead" turns into "behind".
const HALF: u32 = 1 << 31;

impl SeqNumber {
    /// The sequence number with this value.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The 32 bits as they stand on the wire.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether this place is before `other`: SEG < OTHER.
    #[must_use]
    pub const fn before(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) >= HALF
    }

    /// Whether this place is `other` or before it: SEG =< OTHER.
    #[must_use]
    pub const fn at_or_before(self, other: Self) -> bool {
        !self.after(other)
    }

    /// Whether this place is after `other`: SEG > OTHER.
    #[must_use]
    pub const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// Whether this place is `other` or after it: SEG >= OTHER.
    #[must_use]
    pub const fn at_or_after(self, other: Self) -> bool {
        !self.before(other)
    }

    /// Whether this place is one of the `length` numbers from `start` on.
    #[must_use]
    pub const fn in_window(self, start: Self, length: u32) -> bool {
        self.0.wrapping_sub(start.0) < length
    }

    /// The distance from `earlier` forward to this place, modulo 2^32.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// The distance from `origin`, negative where this place is before it.
    #[must_use]
    pub const fn offset_from(self, origin: Self) -> i32 {
        self.0.wrapping_sub(origin.0).cast_signed()
    }

    /// The later of two places.
    #[must_use]
    pub const fn later(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }

    /// The earlier of two places.
    #[must_use]
    pub const fn earlier(self, other: Self) -> Self {
        if other.before(self) { other } else { self }
    }
}

impl Add<u32> for SeqNumber {
    type Output = Self;

    fn add(self, distance: u32) -> Self {
        Self(self.0.wrapping_add(distance))
    }
}

impl AddAssign<u32> for SeqNumber {
    fn add_assign(&mut self, distance: u32) {
        *self = *self + distance;
    }
}

impl Sub<u32> for SeqNumber {
    type Output = Self;

    fn sub(self, distance: u32) -> Self {
        Self(self.0.wrapping_sub(distance))
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9293 §3.4: comparisons are modulo 2^32.
    #[test]
    fn order_holds_across_the_wrap() {
        let last = SeqNumber::new(u32::MAX);
        let first = last + 1;
        assert_eq!(first.value(), 0);
        assert!(last.before(first) && first.after(last));
        assert!(first.in_window(last, 2) && !first.in_window(last, 1));
        assert_eq!(first.since(last), 1);
        assert_eq!(last.offset_from(first), -1);
        assert_eq!(last.later(first), first);
        assert_eq!(first.earlier(last), last);
    }

    #[test]
    fn a_place_is_neither_before_nor_after_itself() {
        let here = SeqNumber::new(7);
        assert!(!here.before(here) && !here.after(here));
        assert!(here.at_or_before(here) && here.at_or_after(here));
    }
}
