//! How many messages may be said now: a bucket of so many, filled at a steady rate.

use core::time::Duration;

use super::RATE;

/// Time is counted as debt: each message costs `1 / RATE`, and the debt may be a burst of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bucket {
    /// When all debt will be paid.
    paid_at: Duration,
    burst: u32,
}

/// What one message costs.
const COST: Duration = Duration::from_millis(1_000 / RATE as u64);

impl Bucket {
    /// A full one of so many messages.
    pub(super) const fn new(burst: u32) -> Self {
        Self { paid_at: Duration::ZERO, burst }
    }

    /// One message, if it may be said now; else how long it has to wait.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let wait = self.wait(now);
        if wait.is_zero() {
            self.paid_at = self.paid_at.max(now).saturating_add(COST);
            Ok(())
        } else {
            Err(wait)
        }
    }

    fn wait(&self, now: Duration) -> Duration {
        self.free_at().saturating_sub(now)
    }

    /// When the next message may be said; in the past, if it may be now.
    pub(super) fn free_at(&self) -> Duration {
        self.paid_at.saturating_sub(COST.saturating_mul(self.burst.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_at_once_then_twenty_a_second() {
        let mut bucket = Bucket::new(super::super::BURST);
        let start = Duration::from_secs(7);
        assert_eq!((0..60).filter(|_| bucket.take(start).is_ok()).count(), 40);
        assert_eq!(bucket.take(start), Err(Duration::from_millis(50)));
        // Ten seconds at twenty a second.
        let said = (1..=1_000_u32)
            .filter(|step| bucket.take(start + Duration::from_millis(10) * *step).is_ok())
            .count();
        assert_eq!(said, 200);
    }
}
