//! How fast somebody reads or writes.

use core::time::Duration;

/// How fast somebody reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Pace {
    /// As fast as it goes.
    #[default]
    Full,
    /// Not at all.
    Stopped,
    /// Nothing until so long after the start, then as fast as it goes.
    From(Duration),
    /// At most so many octets in each interval from the start on; the interval is not zero.
    Steady {
        /// Octets.
        octets: usize,
        /// Interval.
        every: Duration,
    },
}

/// Keeps a pace: says how many octets may pass now, and when more may.
#[derive(Clone, Debug)]
pub struct Reader {
    pace: Pace,
    start: Duration,
    /// Which interval from `start` on `passed` is about.
    interval: u128,
    passed: usize,
}

impl Reader {
    /// Keeps this pace from `start` on.
    #[must_use]
    pub const fn new(pace: Pace, start: Duration) -> Self {
        Self { pace, start, interval: 0, passed: 0 }
    }

    fn interval_at(&self, now: Duration, every: Duration) -> u128 {
        now.saturating_sub(self.start).as_nanos() / every.as_nanos().max(1)
    }

    /// How many octets may pass now.
    #[must_use]
    pub fn allowance(&self, now: Duration) -> usize {
        match self.pace {
            Pace::Full => usize::MAX,
            Pace::Stopped => 0,
            Pace::From(after) => {
                if now >= self.start.saturating_add(after) {
                    usize::MAX
                } else {
                    0
                }
            }
            Pace::Steady { octets, every } => {
                if self.interval_at(now, every) == self.interval {
                    octets.saturating_sub(self.passed)
                } else {
                    octets
                }
            }
        }
    }

    /// So many have passed.
    pub fn pass(&mut self, now: Duration, octets: usize) {
        if let Pace::Steady { every, .. } = self.pace {
            let interval = self.interval_at(now, every);
            if interval != self.interval {
                self.interval = interval;
                self.passed = 0;
            }
            self.passed = self.passed.saturating_add(octets);
        }
    }

    /// When more may pass, if it may not now.
    #[must_use]
    pub fn poll_deadline(&self, now: Duration) -> Option<Duration> {
        if self.allowance(now) > 0 {
            return None;
        }
        match self.pace {
            Pace::Full | Pace::Stopped => None,
            Pace::From(after) => Some(self.start.saturating_add(after)),
            Pace::Steady { octets, every } => {
                let next = self.interval_at(now, every) + 1;
                let nanoseconds = u64::try_from(next * every.as_nanos().max(1)).ok()?;
                (octets > 0).then(|| self.start.saturating_add(Duration::from_nanos(nanoseconds)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_steady_pace_lets_so_much_pass_in_each_interval() {
        let mut reader = Reader::new(Pace::Steady { octets: 10, every: ms(100) }, ms(50));
        assert_eq!(reader.allowance(ms(50)), 10);
        reader.pass(ms(60), 7);
        assert_eq!((reader.allowance(ms(149)), reader.poll_deadline(ms(149))), (3, None));
        reader.pass(ms(149), 3);
        assert_eq!((reader.allowance(ms(149)), reader.poll_deadline(ms(149))), (0, Some(ms(150))));
        assert_eq!(reader.allowance(ms(150)), 10);
        // What was not used is not saved up.
        assert_eq!(reader.allowance(ms(1_050)), 10);
    }

    #[test]
    fn a_late_reader_starts_when_it_said() {
        let reader = Reader::new(Pace::From(ms(500)), ms(100));
        assert_eq!((reader.allowance(ms(599)), reader.poll_deadline(ms(100))), (0, Some(ms(600))));
        assert_eq!(reader.allowance(ms(600)), usize::MAX);
        assert_eq!(Reader::new(Pace::Stopped, ms(0)).poll_deadline(ms(5)), None);
    }
}
