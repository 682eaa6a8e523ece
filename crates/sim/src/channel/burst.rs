//! Losses that come in bursts: a line that is calm, then bad for a while.
//!
//! Gilbert (1960) and Elliott (1963), counted in time and not in packets: calm and bad times last
//! exponentially long, drawn from the seed alone. So whether a packet falls into a bad time depends
//! on when it is sent and on nothing else that was sent.

use core::time::Duration;

use aperto_time::Instant;

use super::luck::exponential;
use super::{Direction, Draw, Identity, Kind, Luck};
use crate::quantity::Probability;

/// How bursts come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Burst {
    /// How long the calm lasts on average; at least a microsecond.
    pub calm: Duration,
    /// How long a burst lasts on average; at least a microsecond.
    pub bad: Duration,
    /// What is lost in a burst.
    pub loss: Probability,
}

/// Whether the line is calm or bad now.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    bad: bool,
    until: Instant,
    changes: u64,
}

impl Weather {
    pub(super) const fn new() -> Self {
        Self { bad: true, until: Instant::ZERO, changes: 0 }
    }

    /// Whether it is bad at this time, which is never before the last that was asked about.
    pub(super) fn is_bad(&mut self, now: Instant, burst: &Burst, luck: Luck, direction: Direction) -> bool {
        while self.until <= now {
            self.bad = !self.bad;
            let identity = Identity { flow: 0, kind: Kind::Other, place: self.changes, attempt: 0 };
            let mean = if self.bad { burst.bad } else { burst.calm };
            // A floor keeps the number of changes until any instant bounded.
            let mean = mean.max(Duration::from_micros(1));
            let lasts = exponential(mean, luck.bits(direction, Draw::Sojourn, identity));
            self.until += lasts.max(Duration::from_nanos(100));
            self.changes += 1;
            if now.since(self.until) > mean * 100_000 {
                // After a very long silence the past no longer matters: start afresh from here.
                self.until = now;
            }
        }
        self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_bad_time_is_what_the_means_say() {
        let burst = Burst {
            calm: Duration::from_millis(900),
            bad: Duration::from_millis(100),
            loss: Probability::ONE,
        };
        let (mut weather, luck) = (Weather::new(), Luck::new(3));
        let samples = 100_000_u64;
        let bad = (0..samples)
            .filter(|ms| weather.is_bad(Instant::from_millis(ms * 10), &burst, luck, Direction::Up))
            .count();
        // 10 % of 1,000 s; a thousand cycles give about 4 % of deviation.
        assert!((8_500..=11_500).contains(&bad), "{bad}");
    }

    #[test]
    fn bad_times_depend_on_nothing_that_was_asked_before() {
        let burst =
            Burst { calm: Duration::from_millis(50), bad: Duration::from_millis(50), loss: Probability::ONE };
        let luck = Luck::new(4);
        let (mut often, mut seldom) = (Weather::new(), Weather::new());
        for ms in 0..2_000 {
            let now = Instant::from_millis(ms);
            let bad = often.is_bad(now, &burst, luck, Direction::Up);
            if ms % 97 == 0 {
                assert_eq!(seldom.is_bad(now, &burst, luck, Direction::Up), bad, "{ms}");
            }
        }
    }
}
