//! Durations and numbers as a reader of a language writes them.
//!
//! A unit stands beside every number; the decimal sign is a point in English and a comma in
//! Portuguese. (Commands and JSON always have a point, and are not made here.)

use alloc::format;
use alloc::string::{String, ToString};

use aperto_time::Duration;

use crate::Language;

/// The longest time that is written out, so that a forged number cannot make a line long.
const LONGEST_SECONDS: u64 = 99_999 * 86_400;

/// A duration in the unit in which it is a short number: `40 ms`, `1.5 s`, `2 h`.
#[must_use]
pub fn duration(language: Language, duration: Duration) -> String {
    let seconds = duration.as_secs();
    let nanoseconds = duration.subsec_nanos();
    if seconds > LONGEST_SECONDS {
        return "> 99999 d".to_string();
    }
    if seconds >= 120 {
        let (value, unit) = match seconds {
            s if s >= 172_800 => (s / 86_400, "d"),
            s if s >= 7_200 => (s / 3_600, "h"),
            s => (s / 60, "min"),
        };
        let unit_seconds = match unit {
            "d" => 86_400,
            "h" => 3_600,
            _ => 60,
        };
        if seconds.is_multiple_of(unit_seconds) || seconds > 9_999 {
            return format!("{value} {unit}");
        }
        return format!("{seconds} s");
    }
    let all = duration.as_nanos();
    if seconds >= 1 {
        decimal(language, all, 1_000_000_000, "s")
    } else if nanoseconds >= 1_000_000 {
        decimal(language, all, 1_000_000, "ms")
    } else if nanoseconds >= 1_000 {
        decimal(language, all, 1_000, "µs")
    } else if nanoseconds == 0 {
        "0 ms".to_string()
    } else {
        format!("{nanoseconds} ns")
    }
}

/// A duration in milliseconds, whatever it is: `1000 ms`, `43.5 ms`.
#[must_use]
pub fn milliseconds(language: Language, duration: Duration) -> String {
    format!("{} ms", bare_milliseconds(language, duration))
}

/// The number of [`milliseconds`] without its unit, for `SRTT 40 + 4 × 20 ms`.
#[must_use]
pub fn bare_milliseconds(language: Language, duration: Duration) -> String {
    let bounded = duration.min(Duration::from_secs(LONGEST_SECONDS));
    number(language, bounded.as_nanos(), 1_000_000)
}

fn decimal(language: Language, value: u128, unit: u128, name: &str) -> String {
    format!("{} {name}", number(language, value, unit))
}

/// `value / unit` with at most three decimals (one from 100 on), rounded half up, no zeros at the end.
fn number(language: Language, value: u128, unit: u128) -> String {
    let scale: u128 = if value >= 100 * unit { 10 } else { 1_000 };
    let scaled = (value * scale + unit / 2) / unit;
    let whole = scaled / scale;
    let rest = scaled % scale;
    if rest == 0 {
        return whole.to_string();
    }
    let digits = if scale == 10 { format!("{rest}") } else { format!("{rest:03}") };
    format!("{whole}{}{}", decimal_sign(language), digits.trim_end_matches('0'))
}

/// What stands before the decimals.
#[must_use]
pub const fn decimal_sign(language: Language) -> char {
    match language {
        Language::English => '.',
        Language::Portuguese => ',',
    }
}

/// `1 byte`, `2 bytes`: the same words in both languages.
#[must_use]
pub fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_string() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn en(duration_ns: u64) -> String {
        duration(Language::English, Duration::from_nanos(duration_ns))
    }

    #[test]
    fn a_duration_takes_the_unit_in_which_it_is_short() {
        assert_eq!(en(0), "0 ms");
        assert_eq!(en(7), "7 ns");
        assert_eq!(en(1_500), "1.5 µs");
        assert_eq!(en(40_000_000), "40 ms");
        assert_eq!(en(1_500_000_000), "1.5 s");
        assert_eq!(duration(Language::Portuguese, Duration::from_millis(1_500)), "1,5 s");
        assert_eq!(en(2_000_000_000), "2 s");
        assert_eq!(duration(Language::English, Duration::from_secs(7_200)), "2 h");
        assert_eq!(duration(Language::English, Duration::from_secs(240)), "4 min");
        assert_eq!(duration(Language::English, Duration::from_secs(241)), "241 s");
        assert_eq!(duration(Language::English, Duration::MAX), "> 99999 d");
    }

    #[test]
    fn milliseconds_stay_milliseconds() {
        let ms = |n| milliseconds(Language::Portuguese, Duration::from_nanos(n));
        assert_eq!(ms(1_000_000_000), "1000 ms");
        assert_eq!(ms(43_540_000), "43,54 ms");
        assert_eq!(ms(200_540_000), "200,5 ms");
        assert_eq!(ms(199_960_000), "200 ms");
        assert!(milliseconds(Language::English, Duration::MAX).len() < 20);
    }
}
