//! How the times of a ladder are written: one unit and one number of decimals for all rows.

use alloc::format;
use alloc::string::String;

use aperto_time::{Duration, Instant};

use super::Time;
use crate::Language;
use crate::quantity::decimal_sign;

/// How the times of one ladder are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Times {
    unit: Unit,
    zero: Instant,
    decimals: u32,
    language: Language,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    Milliseconds,
    Seconds,
    RoundTrips(u64),
    Clock { epoch_ns: u64 },
}

impl Times {
    /// Chooses the decimals that the times of all rows need, at least `least` and at most two.
    pub(super) fn new(
        asked: Time,
        language: Language,
        rtt: Option<Duration>,
        epoch_ns: Option<u64>,
        least: u32,
        all: &[Instant],
    ) -> Self {
        let zero = all.iter().min().copied().unwrap_or(Instant::ZERO);
        let rtt_ns = rtt.and_then(|rtt| u64::try_from(rtt.as_nanos()).ok()).filter(|&ns| ns > 0);
        let unit = match (asked, rtt_ns, epoch_ns) {
            (Time::Seconds, _, _) => Unit::Seconds,
            (Time::RoundTrips, Some(ns), _) => Unit::RoundTrips(ns),
            (Time::Clock, _, Some(epoch_ns)) => Unit::Clock { epoch_ns },
            _ => Unit::Milliseconds,
        };
        let decimals = match unit {
            Unit::Milliseconds => {
                let rest = |instant: Instant| instant.since(zero).as_nanos() % 1_000_000;
                let needed = if all.iter().all(|&instant| rest(instant) == 0) {
                    0
                } else if all.iter().all(|&instant| rest(instant) % 100_000 == 0) {
                    1
                } else {
                    2
                };
                needed.max(least)
            }
            Unit::Seconds | Unit::Clock { .. } => 3,
            Unit::RoundTrips(_) => 2,
        };
        Self { unit, zero, decimals, language }
    }

    /// Counts from another instant than the first row's, where rows before it are not shown.
    pub(super) const fn set_zero(&mut self, zero: Instant) {
        self.zero = zero;
    }

    /// What stands above the column.
    pub(super) const fn head(&self) -> &'static str {
        match self.unit {
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::RoundTrips(_) => "RTT",
            Unit::Clock { .. } => "UTC",
        }
    }

    /// An instant.
    pub(super) fn told(&self, at: Instant) -> String {
        let since = at.since(self.zero).as_nanos();
        match self.unit {
            Unit::Milliseconds => self.number(since, 1_000_000),
            Unit::Seconds => self.number(since, 1_000_000_000),
            Unit::RoundTrips(rtt) => self.number(since, u128::from(rtt)),
            Unit::Clock { epoch_ns } => {
                let ms = epoch_ns.saturating_add(at.as_nanos()) / 1_000_000;
                let (seconds, ms) = (ms / 1_000, ms % 1_000);
                let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
                format!("{hours:02}:{minutes:02}:{:02}{}{ms:03}", seconds % 60, decimal_sign(self.language))
            }
        }
    }

    fn number(&self, value: u128, unit: u128) -> String {
        let scale = 10_u128.pow(self.decimals);
        let scaled = (value * scale + unit / 2) / unit;
        if self.decimals == 0 {
            return format!("{scaled}");
        }
        let width = self.decimals as usize;
        format!("{}{}{:0width$}", scaled / scale, decimal_sign(self.language), scaled % scale)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn times(asked: Time, language: Language, micros: &[u64]) -> vec::Vec<String> {
        let all: vec::Vec<_> = micros.iter().map(|&us| Instant::from_micros(us)).collect();
        let rtt = Some(Duration::from_millis(40));
        // 2026-01-01 00:00:00 UTC is 1,767,225,600 s after the epoch.
        let epoch = Some(1_767_225_600_000_000_000);
        let times = Times::new(asked, language, rtt, epoch, 0, &all);
        all.iter().map(|&at| times.told(at)).collect()
    }

    #[test]
    fn all_times_of_a_ladder_have_the_same_decimals() {
        let en = Language::English;
        assert_eq!(times(Time::Milliseconds, en, &[0, 20_000]), ["0", "20"]);
        assert_eq!(times(Time::Milliseconds, en, &[0, 100]), ["0.0", "0.1"]);
        assert_eq!(times(Time::Milliseconds, en, &[10, 300]), ["0.00", "0.29"]);
        assert_eq!(times(Time::Milliseconds, Language::Portuguese, &[0, 290]), ["0,00", "0,29"]);
        assert_eq!(times(Time::Seconds, en, &[0, 1_040_000]), ["0.000", "1.040"]);
        assert_eq!(times(Time::RoundTrips, en, &[0, 60_000]), ["0.00", "1.50"]);
        assert_eq!(times(Time::Clock, en, &[0, 61_002_000]), ["00:00:00.000", "00:01:01.002"]);
    }
}
