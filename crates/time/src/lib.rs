//! Instants, deadlines and timers for machines without a clock.
//!
//! A pure crate never asks what time it is: whoever drives it says so, and asks in return when
//! it wants to be called again. [`Instant`] is a point on the driver's time line, [`Deadline`]
//! such a point with the name of what is due then.
//!
//! Left out: calendars and time zones. A recording that needs the date is given it by its driver.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod wheel;

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

pub use core::time::Duration;

/// A point in time, in nanoseconds since the driver's zero.
///
/// Zero may be the start of a simulation or of a process: an instant has a meaning only beside
/// others of the same driver. Arithmetic saturates at both ends, so that a clock which jumps
/// cannot panic anybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Instant(u64);

impl Instant {
    /// The driver's zero.
    pub const ZERO: Self = Self(0);
    /// The last instant that can be told: 584 years after zero.
    pub const FAR_FUTURE: Self = Self(u64::MAX);

    /// The instant this many nanoseconds after zero.
    #[must_use]
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// The instant this many microseconds after zero.
    #[must_use]
    pub const fn from_micros(microseconds: u64) -> Self {
        Self(microseconds.saturating_mul(1_000))
    }

    /// The instant this many milliseconds after zero.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// Nanoseconds since zero.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole microseconds since zero.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Whole milliseconds since zero.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long after `earlier` this is; nothing if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The nanoseconds of a duration, as far as 64 bits reach.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(later)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, later: Duration) {
        *self = *self + later;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(before)))
    }
}

impl fmt::Display for Instant {
    /// Milliseconds with six decimals, as in `1040.000000 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} ms", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// When something is due, and what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Deadline<T> {
    /// When it is due.
    pub at: Instant,
    /// What is due.
    pub what: T,
}

impl<T> Deadline<T> {
    /// A deadline.
    pub const fn new(at: Instant, what: T) -> Self {
        Self { at, what }
    }

    /// The earlier of two deadlines; the first where both are due at once.
    #[must_use]
    pub fn earliest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    /// The same instant under another name.
    pub fn map<U>(self, name: impl FnOnce(T) -> U) -> Deadline<U> {
        Deadline { at: self.at, what: name(self.what) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_counts_from_zero_and_saturates_at_both_ends() {
        let later = Instant::from_millis(2) + Duration::from_micros(5);
        assert_eq!(later.as_nanos(), 2_005_000);
        assert_eq!(later.since(Instant::from_millis(1)), Duration::from_micros(1_005));
        assert_eq!(Instant::ZERO.since(later), Duration::ZERO);
        assert_eq!(Instant::ZERO - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Instant::FAR_FUTURE + Duration::MAX, Instant::FAR_FUTURE);
    }

    #[test]
    fn the_earliest_deadline_wins_and_the_first_of_equals() {
        let at = |ms| Instant::from_millis(ms);
        let early = Deadline::new(at(1), 'a');
        let late = Deadline::new(at(2), 'b');
        assert_eq!(Deadline::earliest(Some(late), Some(early)), Some(early));
        assert_eq!(Deadline::earliest(Some(early), Some(Deadline::new(at(1), 'c'))), Some(early));
        assert_eq!(Deadline::earliest(None, Some(late)), Some(late));
        assert_eq!(Deadline::<char>::earliest(None, None), None);
    }
}
