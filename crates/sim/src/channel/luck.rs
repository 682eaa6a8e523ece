//! Luck that belongs to a segment, not to a stream of dice.
//!
//! A draw is a hash of the seed, the direction, the kind of draw and the identity of what it is
//! about. It never depends on how many draws came before, so dropping one segment leaves the luck
//! of all others as it was. (SplitMix64's finalizer, chained; nobody attacks a simulation, so no
//! stronger hash is needed.)

use core::time::Duration;

use super::{Direction, Identity};
use crate::quantity::Probability;

/// What is being decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Draw {
    /// Whether it is lost.
    Loss,
    /// Whether it is lost in a burst.
    Burst,
    /// How long a burst or the calm between two lasts.
    Sojourn,
    /// Whether it is damaged.
    Corruption,
    /// Which bits are flipped.
    Flip,
    /// Whether it is duplicated.
    Duplication,
    /// Whether it is held back.
    Reordering,
    /// How far its delay is from the mean.
    Jitter,
    /// Anything else that a user of this crate draws.
    Other(u32),
}

impl Draw {
    const fn code(self) -> u64 {
        match self {
            Self::Loss => 1,
            Self::Burst => 2,
            Self::Sojourn => 3,
            Self::Corruption => 4,
            Self::Flip => 5,
            Self::Duplication => 6,
            Self::Reordering => 7,
            Self::Jitter => 8,
            Self::Other(code) => 0x100 + code as u64,
        }
    }
}

/// The luck of one seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Luck {
    seed: u64,
}

impl Luck {
    /// The luck of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0x6170_6572_746f_0001) }
    }

    /// 64 bits for one decision about one thing.
    #[must_use]
    pub const fn bits(self, direction: Direction, draw: Draw, identity: Identity) -> u64 {
        let mut state = absorb(self.seed, direction as u64);
        state = absorb(state, draw.code());
        state = absorb(state, identity.flow);
        state = absorb(state, (identity.kind as u64) << 32 | identity.attempt as u64);
        absorb(state, identity.place)
    }

    /// Whether something of this probability happens.
    #[must_use]
    pub const fn happens(
        self,
        probability: Probability,
        direction: Direction,
        draw: Draw,
        identity: Identity,
    ) -> bool {
        let millionths = probability.millionths() as u64;
        if millionths == 0 {
            return false;
        }
        below(self.bits(direction, draw, identity), Probability::ONE.millionths() as u64) < millionths
    }
}

/// One step of the hash.
const fn absorb(state: u64, word: u64) -> u64 {
    mix(state.rotate_left(23) ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// SplitMix64's finalizer: every bit of the input reaches every bit of the output.
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A number below `limit` from 64 bits of luck, evenly.
pub(crate) const fn below(bits: u64, limit: u64) -> u64 {
    ((bits as u128 * limit as u128) >> 64) as u64
}

/// A stream of numbers from a seed, for what has no identity: making random worlds.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// The next number from `least` to `most`, both included.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        let span = most.saturating_sub(least);
        let bits = self.bits();
        if span == u64::MAX { bits } else { least + below(bits, span + 1) }
    }

    /// Whether something that happens once in `n` times happens.
    pub const fn one_in(&mut self, n: u64) -> bool {
        below(self.bits(), n) == 0
    }

    /// One of these.
    pub const fn one_of<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        let index = below(self.bits(), N as u64) as usize;
        choices[index]
    }
}

/// An exponentially distributed time of this mean: how long until something without memory ends.
///
/// All in integers, so that every machine agrees: -ln(u) = (64 - log2(x + 1)) * ln 2 where u is
/// (x + 1) / 2^64, and the logarithm's binary digits come by repeated squaring.
pub(crate) fn exponential(mean: Duration, bits: u64) -> Duration {
    /// ln 2 in units of 2^-32.
    const LN_2: u128 = 2_977_044_471;
    let x = u128::from(bits) + 1;
    let whole = 127 - x.leading_zeros();
    // The mantissa, from 1 to 2, in units of 2^-63.
    let mut mantissa = (x << (127 - whole) >> 64) as u64;
    let mut log2 = u64::from(whole) << 32;
    for digit in (0..32).rev() {
        let square = u128::from(mantissa) * u128::from(mantissa);
        if square >> 127 == 1 {
            log2 |= 1 << digit;
            mantissa = (square >> 64) as u64;
        } else {
            mantissa = (square >> 63) as u64;
        }
    }
    let minus_log2 = u128::from((64_u64 << 32) - log2);
    let minus_ln = (minus_log2 * LN_2) >> 32;
    let mean = mean.as_nanos().min(u128::from(u64::MAX));
    Duration::from_nanos(u64::try_from((mean * minus_ln) >> 32).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Kind;

    const fn identity(place: u64) -> Identity {
        Identity { flow: 7, kind: Kind::Data, place, attempt: 0 }
    }

    #[test]
    fn a_draw_depends_on_nothing_but_its_own_names() {
        let luck = Luck::new(1);
        let one = luck.bits(Direction::Up, Draw::Loss, identity(3));
        let _ = luck.bits(Direction::Up, Draw::Loss, identity(4));
        assert_eq!(one, Luck::new(1).bits(Direction::Up, Draw::Loss, identity(3)));
        for other in [
            Luck::new(2).bits(Direction::Up, Draw::Loss, identity(3)),
            luck.bits(Direction::Down, Draw::Loss, identity(3)),
            luck.bits(Direction::Up, Draw::Jitter, identity(3)),
            luck.bits(Direction::Up, Draw::Loss, identity(4)),
            luck.bits(Direction::Up, Draw::Loss, Identity { attempt: 1, ..identity(3) }),
            luck.bits(Direction::Up, Draw::Loss, Identity { flow: 8, ..identity(3) }),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn ten_percent_happens_about_ten_times_in_a_hundred() {
        let luck = Luck::new(5);
        let ten_percent = Probability::from_percent(10);
        let times = (0..100_000)
            .filter(|&place| luck.happens(ten_percent, Direction::Up, Draw::Loss, identity(place)))
            .count();
        // Mean 10,000, standard deviation 95: five of them.
        assert!((9_525..=10_475).contains(&times), "{times}");
        assert!(!luck.happens(Probability::ZERO, Direction::Up, Draw::Loss, identity(1)));
        assert!(luck.happens(Probability::ONE, Direction::Up, Draw::Loss, identity(1)));
    }

    #[test]
    fn an_exponential_time_has_its_mean_and_known_values() {
        let mean = Duration::from_secs(1);
        // u = 1/2: ln 2 = 0.693147 s.
        let half = exponential(mean, (1 << 63) - 1);
        assert_eq!(half.as_micros(), 693_147);
        // u = 1: 0. u = 2^-64: 64 ln 2 = 44.361419 s.
        assert_eq!(exponential(mean, u64::MAX), Duration::ZERO);
        assert_eq!(exponential(mean, 0).as_millis(), 44_361);
        // u = 1/e: 1 s. 2^64 / e = 6786177901268885274.
        assert_eq!((exponential(mean, 6_786_177_901_268_885_273).as_nanos() + 500) / 1_000, 1_000_000);
        let mut stream = Stream::new(9);
        let total: Duration = (0..10_000).map(|_| exponential(mean, stream.bits())).sum();
        assert!((9_500..=10_500).contains(&total.as_secs()), "{total:?}");
    }
}
