//! Probabilities, durations, rates and sizes as people write them, with exact errors.
//!
//! A number without a unit is refused, never guessed: is `--delay 20` milliseconds or seconds, is
//! `--loss 0.1` a tenth or a tenth of a percent? The errors are values; whoever shows them to a
//! user makes sentences, in the user's language, with an example.

use core::fmt;
use core::time::Duration;

/// A probability, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Probability(u32);

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(1_000_000);

    /// This many percent, at most 100.
    #[must_use]
    pub const fn from_percent(percent: u32) -> Self {
        if percent > 100 { Self::ONE } else { Self(percent * 10_000) }
    }

    /// This many millionths, at most one million.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        if millionths > Self::ONE.0 { Self::ONE } else { Self(millionths) }
    }

    /// In millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Probability {
    /// As it is written: `10%`, `0.1%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 10_000)?;
        write_fraction(f, u64::from(self.0 % 10_000), 4)?;
        f.write_str("%")
    }
}

/// How fast a link puts bits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate {
    bits_per_second: u64,
}

impl Rate {
    /// A rate of this many bits a second; none where that is zero.
    #[must_use]
    pub const fn from_bits_per_second(bits_per_second: u64) -> Option<Self> {
        if bits_per_second == 0 { None } else { Some(Self { bits_per_second }) }
    }

    /// A rate of this many kilobits (1,000 bits) a second, at least one.
    #[must_use]
    pub const fn from_kilobits(kilobits: u32) -> Self {
        let kilobits = if kilobits == 0 { 1 } else { kilobits };
        Self { bits_per_second: kilobits as u64 * 1_000 }
    }

    /// Bits a second.
    #[must_use]
    pub const fn bits_per_second(self) -> u64 {
        self.bits_per_second
    }

    /// How long these octets take.
    #[must_use]
    pub fn time_of(self, octets: usize) -> Duration {
        let nanoseconds = octets as u128 * 8 * 1_000_000_000 / u128::from(self.bits_per_second);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Rate {
    /// As it is written: `1mbit`, `56kbit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name, digits) = match self.bits_per_second {
            bits if bits >= 1_000_000_000 => (1_000_000_000, "gbit", 9),
            bits if bits >= 1_000_000 => (1_000_000, "mbit", 6),
            bits if bits >= 1_000 => (1_000, "kbit", 3),
            _ => (1, "bit", 0),
        };
        write!(f, "{}", self.bits_per_second / unit)?;
        write_fraction(f, self.bits_per_second % unit, digits)?;
        f.write_str(name)
    }
}

/// A duration as it is written: `20ms`, `1.5s`, `300us`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AsWritten(pub Duration);

impl fmt::Display for AsWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.as_nanos();
        let (unit, name, digits) = match nanoseconds {
            n if n >= 1_000_000_000 => (1_000_000_000, "s", 9),
            0 => return f.write_str("0ms"),
            n if n >= 1_000_000 => (1_000_000, "ms", 6),
            n if n >= 1_000 => (1_000, "us", 3),
            _ => (1, "ns", 0),
        };
        write!(f, "{}", nanoseconds / unit)?;
        write_fraction(f, u64::try_from(nanoseconds % unit).unwrap_or(0), digits)?;
        f.write_str(name)
    }
}

/// Writes `.` and the digits of a fraction without trailing zeros, or nothing.
fn write_fraction(f: &mut fmt::Formatter<'_>, mut fraction: u64, mut digits: usize) -> fmt::Result {
    if fraction == 0 {
        return Ok(());
    }
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    write!(f, ".{fraction:0digits$}")
}

/// Which quantity was meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// A time: `20ms`.
    Duration,
    /// A speed: `1mbit`.
    Rate,
    /// A share: `10%`.
    Probability,
    /// A number of octets: `20k`.
    Size,
}

/// Why a text is not a quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuantityError {
    /// What it should have been.
    pub quantity: Quantity,
    /// What is wrong.
    pub what: QuantityFault,
    /// At which octet of the text, counted from 0.
    pub at: usize,
}

/// What is wrong with a quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuantityFault {
    /// There is nothing.
    Empty,
    /// It does not begin with a number.
    NotANumber,
    /// It is negative.
    Negative,
    /// It has no unit, and could mean more than one thing.
    MissingUnit,
    /// The unit is none of ours.
    UnknownUnit,
    /// More digits after the point than can be told apart.
    TooFine,
    /// It is larger than it can be: more than 100 %, than 584 years, than 2^64.
    TooLarge,
    /// A rate of nothing would never send anything.
    Zero,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = match self.quantity {
            Quantity::Duration => "a duration such as 20ms, 1.5s or 300us",
            Quantity::Rate => "a rate such as 1mbit, 56kbit or 1.5gbit",
            Quantity::Probability => "a share such as 10% or 0.1%",
            Quantity::Size => "a number of octets such as 1000, 20k or 1m",
        };
        let what = match self.what {
            QuantityFault::Empty => "nothing",
            QuantityFault::NotANumber => "not a number",
            QuantityFault::Negative => "a negative number",
            QuantityFault::MissingUnit => "no unit",
            QuantityFault::UnknownUnit => "an unknown unit",
            QuantityFault::TooFine => "too many digits",
            QuantityFault::TooLarge => "too large a number",
            QuantityFault::Zero => "zero",
        };
        write!(f, "{what} at octet {}, expected {example}", self.at)
    }
}

impl core::error::Error for QuantityError {}

/// Reads a duration: a decimal number and one of `ns us µs ms s min h`. Zero needs no unit.
///
/// # Errors
///
/// What is wrong, and where.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let read = Reader { quantity: Quantity::Duration, text };
    let (number, unit) = read.number()?;
    let nanoseconds = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" if number.digits == 0 => 1,
        _ => return Err(read.unit_fault(unit)),
    };
    Ok(Duration::from_nanos(read.times(number, nanoseconds)?))
}

/// Reads a rate: a decimal number and one of `bit kbit mbit gbit`, also with `/s`, also `bps kbps
/// mbps gbps`, in any case. Prefixes are powers of 1,000; octets are not a unit of rates here.
///
/// # Errors
///
/// What is wrong, and where.
pub fn parse_rate(text: &str) -> Result<Rate, QuantityError> {
    let read = Reader { quantity: Quantity::Rate, text };
    let (number, unit) = read.number()?;
    let name = unit.strip_suffix("/s").or_else(|| unit.strip_suffix("/S")).unwrap_or(unit);
    let is = |one: &str, other: &str| name.eq_ignore_ascii_case(one) || unit.eq_ignore_ascii_case(other);
    let bits = match () {
        () if is("bit", "bps") => 1,
        () if is("kbit", "kbps") => 1_000,
        () if is("mbit", "mbps") => 1_000_000,
        () if is("gbit", "gbps") => 1_000_000_000,
        () => return Err(read.unit_fault(unit)),
    };
    let bits_per_second = read.times(number, bits)?;
    Rate::from_bits_per_second(bits_per_second).ok_or(read.fault(QuantityFault::Zero, 0))
}

/// Reads a share: a decimal number and `%`. Zero needs no sign.
///
/// # Errors
///
/// What is wrong, and where. `0.1` is refused: it could be 10 % or 0.1 %.
pub fn parse_probability(text: &str) -> Result<Probability, QuantityError> {
    let read = Reader { quantity: Quantity::Probability, text };
    let (number, unit) = read.number()?;
    match unit {
        "%" => {}
        "" if number.digits == 0 => {}
        _ => return Err(read.unit_fault(unit)),
    }
    let millionths = read.times(number, 10_000)?;
    if millionths > 1_000_000 {
        return Err(read.fault(QuantityFault::TooLarge, 0));
    }
    Ok(Probability(u32::try_from(millionths).unwrap_or(1_000_000)))
}

/// Reads a number of octets: a whole number, alone or with `k`, `m` or `g` (powers of 1,024).
///
/// # Errors
///
/// What is wrong, and where.
pub fn parse_size(text: &str) -> Result<u64, QuantityError> {
    let read = Reader { quantity: Quantity::Size, text };
    let (number, unit) = read.number()?;
    let octets = match unit {
        "" | "b" | "B" => 1,
        "k" | "K" | "kib" | "KiB" => 1 << 10,
        "m" | "M" | "mib" | "MiB" => 1 << 20,
        "g" | "G" | "gib" | "GiB" => 1 << 30,
        _ => return Err(read.unit_fault(unit)),
    };
    read.times(number, octets)
}

/// A decimal number: `digits` / 10^`decimals`.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u64,
    decimals: u32,
}

/// Reads one quantity and knows where.
#[derive(Clone, Copy)]
struct Reader<'a> {
    quantity: Quantity,
    text: &'a str,
}

impl<'a> Reader<'a> {
    const fn fault(self, what: QuantityFault, at: usize) -> QuantityError {
        QuantityError { quantity: self.quantity, what, at }
    }

    /// What to say of a unit that is not one.
    fn unit_fault(self, unit: &str) -> QuantityError {
        let what = if unit.is_empty() { QuantityFault::MissingUnit } else { QuantityFault::UnknownUnit };
        self.fault(what, self.text.len() - unit.len())
    }

    /// The number at the start, and the unit behind it.
    fn number(self) -> Result<(Decimal, &'a str), QuantityError> {
        if self.text.is_empty() {
            return Err(self.fault(QuantityFault::Empty, 0));
        }
        if self.text.starts_with('-') {
            return Err(self.fault(QuantityFault::Negative, 0));
        }
        let mut number = Decimal { digits: 0, decimals: 0 };
        let (mut any, mut after_point) = (false, false);
        let mut end = self.text.len();
        for (at, character) in self.text.char_indices() {
            match character.to_digit(10) {
                Some(digit) => {
                    any = true;
                    number.digits = number
                        .digits
                        .checked_mul(10)
                        .and_then(|digits| digits.checked_add(u64::from(digit)))
                        .ok_or(self.fault(QuantityFault::TooLarge, at))?;
                    number.decimals += u32::from(after_point);
                }
                None if character == '.' && any && !after_point => after_point = true,
                None => {
                    end = at;
                    break;
                }
            }
        }
        if !any {
            return Err(self.fault(QuantityFault::NotANumber, 0));
        }
        if after_point && number.decimals == 0 {
            return Err(self.fault(QuantityFault::NotANumber, end));
        }
        Ok((number, self.text.get(end..).unwrap_or_default()))
    }

    /// The number times the unit, which must come out whole.
    fn times(self, number: Decimal, unit: u64) -> Result<u64, QuantityError> {
        let divisor = 10_u128.checked_pow(number.decimals).ok_or(self.fault(QuantityFault::TooFine, 0))?;
        let product = u128::from(number.digits) * u128::from(unit);
        if !product.is_multiple_of(divisor) {
            return Err(self.fault(QuantityFault::TooFine, 0));
        }
        u64::try_from(product / divisor).map_err(|_| self.fault(QuantityFault::TooLarge, 0))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn fault<T>(result: Result<T, QuantityError>) -> (QuantityFault, usize) {
        let error = result.err().expect("it should have been refused");
        (error.what, error.at)
    }

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, nanoseconds) in [
            ("20ms", 20_000_000),
            ("1.5s", 1_500_000_000),
            ("300us", 300_000),
            ("300µs", 300_000),
            ("7ns", 7),
            ("2min", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn a_duration_without_a_unit_is_refused() {
        assert_eq!(fault(parse_duration("20")), (QuantityFault::MissingUnit, 2));
        assert_eq!(fault(parse_duration("20mss")), (QuantityFault::UnknownUnit, 2));
        assert_eq!(fault(parse_duration("")), (QuantityFault::Empty, 0));
        assert_eq!(fault(parse_duration("ms")), (QuantityFault::NotANumber, 0));
        assert_eq!(fault(parse_duration("-1ms")), (QuantityFault::Negative, 0));
        assert_eq!(fault(parse_duration("1.ms")), (QuantityFault::NotANumber, 2));
        assert_eq!(fault(parse_duration(".5s")), (QuantityFault::NotANumber, 0));
        assert_eq!(fault(parse_duration("0.5ns")), (QuantityFault::TooFine, 0));
        assert_eq!(fault(parse_duration("99999999999999h")), (QuantityFault::TooLarge, 0));
        assert_eq!(fault(parse_duration("99999999999999999999s")), (QuantityFault::TooLarge, 19));
    }

    #[test]
    fn a_share_needs_its_sign_because_a_tenth_could_be_either() {
        assert_eq!(parse_probability("10%"), Ok(Probability::from_percent(10)));
        assert_eq!(parse_probability("0.1%"), Ok(Probability::from_millionths(1_000)));
        assert_eq!(parse_probability("100%"), Ok(Probability::ONE));
        assert_eq!(parse_probability("0"), Ok(Probability::ZERO));
        assert_eq!(fault(parse_probability("0.1")), (QuantityFault::MissingUnit, 3));
        assert_eq!(fault(parse_probability("10")), (QuantityFault::MissingUnit, 2));
        assert_eq!(fault(parse_probability("101%")), (QuantityFault::TooLarge, 0));
        assert_eq!(fault(parse_probability("0.00001%")), (QuantityFault::TooFine, 0));
        assert_eq!(fault(parse_probability("10 %")), (QuantityFault::UnknownUnit, 2));
    }

    #[test]
    fn rates_are_bits_in_powers_of_a_thousand() {
        for (text, bits) in [
            ("1mbit", 1_000_000),
            ("56kbit", 56_000),
            ("1.5gbit", 1_500_000_000),
            ("10Mbps", 10_000_000),
            ("8kbit/s", 8_000),
            ("9bit", 9),
        ] {
            assert_eq!(parse_rate(text).map(Rate::bits_per_second), Ok(bits), "{text}");
        }
        assert_eq!(fault(parse_rate("1000")), (QuantityFault::MissingUnit, 4));
        assert_eq!(fault(parse_rate("1mb")), (QuantityFault::UnknownUnit, 1));
        assert_eq!(fault(parse_rate("0kbit")), (QuantityFault::Zero, 0));
    }

    #[test]
    fn a_rate_says_how_long_octets_take() {
        // 1500 octets are 12,000 bits: 12 ms at 1 Mbit/s.
        let rate = parse_rate("1mbit").unwrap();
        assert_eq!(rate.time_of(1500), Duration::from_millis(12));
        assert_eq!(Rate::from_kilobits(8).time_of(1), Duration::from_millis(1));
    }

    #[test]
    fn sizes_are_octets_in_powers_of_1024() {
        assert_eq!(parse_size("20k"), Ok(20_480));
        assert_eq!(parse_size("1.5m"), Ok(1_572_864));
        assert_eq!(parse_size("11680"), Ok(11_680));
        assert_eq!(fault(parse_size("5x")), (QuantityFault::UnknownUnit, 1));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["20ms", "1.5s", "300us", "90s", "0ms", "1.000001s"] {
            assert_eq!(AsWritten(parse_duration(text).unwrap()).to_string(), text);
        }
        for text in ["10%", "0.1%", "0%", "100%", "0.0001%"] {
            assert_eq!(parse_probability(text).unwrap().to_string(), text);
        }
        for text in ["1mbit", "56kbit", "1.5gbit", "9bit"] {
            assert_eq!(parse_rate(text).unwrap().to_string(), text);
        }
    }
}
