//! Keys for the tables and numbers that strangers must not guess, all made from one secret.
//!
//! SipHash, as RFC 6528 and RFC 6056 leave the keyed hash to us: 1-3 where only our own tables would
//! suffer, 2-4 (in `aperto-tcp`) for what leaves in packets as an initial sequence number. Numbers
//! that look random are hashes of a counter, so a host with the same secret and the same inputs
//! gives the same octets.

use core::fmt;
use core::hash::Hasher;

use aperto_tcp::isn;
use siphasher::sip::SipHasher13;

/// A keyed hash with one purpose.
#[derive(Clone, Copy)]
pub(crate) struct Key(SipHasher13);

impl Key {
    pub(crate) fn new(secret: &[u8; 32], purpose: u8) -> Self {
        Self(SipHasher13::new_with_key(&derived(secret, purpose)))
    }

    /// The hash of some octets.
    #[inline]
    pub(crate) fn hash(&self, octets: &[u8]) -> u64 {
        self.0.hash(octets)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The key of initial sequence numbers.
pub(crate) fn isn_secret(secret: &[u8; 32]) -> isn::Secret {
    isn::Secret::new(derived(secret, 0))
}

/// 128 bits for one purpose: two hashes of the secret's halves under each other.
fn derived(secret: &[u8; 32], purpose: u8) -> [u8; 16] {
    let (key, rest) = secret.split_at(16);
    let key = key.try_into().unwrap_or([0; 16]);
    let mut derived = [0; 16];
    for (part, half) in derived.chunks_exact_mut(8).zip(0_u8..) {
        let mut hasher = siphasher::sip::SipHasher24::new_with_key(&key);
        hasher.write(rest);
        hasher.write(&[purpose, half]);
        part.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    derived
}

/// Numbers that nobody outside can tell from random ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Luck {
    key: Key,
    drawn: u64,
}

impl Luck {
    pub(crate) fn new(secret: &[u8; 32], purpose: u8) -> Self {
        Self { key: Key::new(secret, purpose), drawn: 0 }
    }

    /// The next number below a bound, which is not 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.drawn += 1;
        let drawn = self.key.hash(&self.drawn.to_be_bytes());
        // The upper half, scaled: 32 bits below the bound, without a division.
        u32::try_from(((drawn >> 32) * u64::from(bound)) >> 32).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {

    use std::format;

    use super::*;

    #[test]
    fn every_purpose_has_its_own_key_and_none_is_ever_printed() {
        let secret = [7; 32];
        assert_ne!(Key::new(&secret, 1).hash(b"same"), Key::new(&secret, 2).hash(b"same"));
        assert_ne!(Key::new(&secret, 1).hash(b"same"), Key::new(&[8; 32], 1).hash(b"same"));
        let mut other_half = secret;
        other_half[31] = 8;
        assert_ne!(Key::new(&secret, 1).hash(b"same"), Key::new(&other_half, 1).hash(b"same"));
        assert_eq!(format!("{:?}", Key::new(&secret, 1)), "Key(..)");
    }

    #[test]
    fn luck_stays_below_its_bound_and_reaches_all_of_it() {
        let mut luck = Luck::new(&[1; 32], 0);
        let mut seen = [0; 10];
        for _ in 0..1000 {
            seen[luck.below(10) as usize] += 1;
        }
        // One hundred each, give or take five standard deviations of 9.5.
        assert!(seen.iter().all(|count| (50..150).contains(count)), "{seen:?}");
    }
}
