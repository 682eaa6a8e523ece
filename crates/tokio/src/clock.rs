//! The clock: the one place of the workspace's libraries that reads one.
//!
//! Time is an argument everywhere else. [`now`] is monotonic and counts from the first time that
//! anything here was asked, which is the start of the process as far as anybody can tell;
//! [`unix_nanos`] says what the wall showed at an instant, for recordings that need the date.
//! The wall is read once, so that it never jumps inside a recording.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aperto_time::Instant;

/// What both clocks showed at our zero.
struct Zero {
    monotonic: std::time::Instant,
    wall: Duration,
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that drives the crates without one")]
fn zero() -> &'static Zero {
    static ZERO: OnceLock<Zero> = OnceLock::new();
    ZERO.get_or_init(|| Zero {
        monotonic: std::time::Instant::now(),
        // A wall clock before 1970 is a broken one: the recording then starts in 1970.
        wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO),
    })
}

/// The time since the process began, as far as it concerns us. Never goes back.
#[must_use]
pub fn now() -> Instant {
    Instant::ZERO + zero().monotonic.elapsed()
}

/// Nanoseconds since 1970 that the wall clock would have shown at an instant of ours.
#[must_use]
pub fn unix_nanos(at: Instant) -> u64 {
    let zero = u64::try_from(zero().wall.as_nanos()).unwrap_or(u64::MAX);
    zero.saturating_add(at.as_nanos())
}

/// An instant of ours as tokio's timers want it; none beyond what they can tell.
pub(crate) fn for_tokio(at: Instant) -> Option<tokio::time::Instant> {
    let since_zero = Duration::from_nanos(at.as_nanos());
    zero().monotonic.checked_add(since_zero).map(tokio::time::Instant::from_std)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back_and_the_wall_moves_with_it() {
        let before = now();
        let after = now();
        assert!(after >= before);
        assert_eq!(unix_nanos(before + Duration::from_nanos(7)), unix_nanos(before) + 7);
        // 2020-01-01, which this machine's wall must have passed: 1,577,836,800 s after 1970.
        assert!(unix_nanos(before) > 1_577_836_800_000_000_000);
    }
}
