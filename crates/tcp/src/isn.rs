//! Initial sequence numbers and timestamp offsets that nobody can guess.
//!
//! RFC 6528 §3 and RFC 9293 §3.4.1 \[MUST-8\] \[SHLD-1\]: ISN = M + F(tuple, secret), where M ticks
//! every four microseconds and F is a keyed hash, here SipHash-2-4. The caller turns addresses and
//! ports into octets, in an order that both directions of a tuple do not share.

use core::fmt;
use core::hash::Hasher;

use aperto_time::Instant;
use aperto_wire::SeqNumber;
use siphasher::sip::SipHasher24;

/// The key of the hash. It is never printed: RFC 9293 §3.4.1 \[MUST-9\].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 16]);

impl Secret {
    /// A secret of these 128 bits, which must come from a good source of randomness wherever
    /// strangers can reach the host.
    #[must_use]
    pub const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    fn hash(&self, purpose: u8, tuple: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(purpose);
        hasher.write(tuple);
        hasher.finish()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The initial sequence number of a connection that begins now.
///
/// RFC 6528 §3; the clock ticks every four microseconds (RFC 9293 §3.4.1).
#[must_use]
pub fn initial_sequence_number(secret: &Secret, tuple: &[u8], now: Instant) -> SeqNumber {
    let clock = now.as_micros() / 4;
    SeqNumber::new(low(clock.wrapping_add(secret.hash(0, tuple))))
}

/// Where the timestamp clock of a connection begins. RFC 7323 §5.4.
#[must_use]
pub fn timestamp_offset(secret: &Secret, tuple: &[u8]) -> u32 {
    low(secret.hash(1, tuple))
}

#[expect(clippy::cast_possible_truncation, reason = "sequence space is modulo 2^32")]
const fn low(bits: u64) -> u32 {
    bits as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: Secret = Secret::new([7; 16]);

    /// RFC 9293 §3.4.1 \[MUST-8\]: the clock moves on, about once in four microseconds.
    #[test]
    fn the_same_tuple_moves_on_with_the_clock() {
        let first = initial_sequence_number(&SECRET, b"tuple", Instant::ZERO);
        let later = initial_sequence_number(&SECRET, b"tuple", Instant::from_micros(400));
        assert_eq!(later.since(first), 100);
    }

    /// RFC 9293 §3.4.1 \[SHLD-1\] \[MUST-9\]: another tuple, or another key, has another space.
    #[test]
    fn another_tuple_or_another_key_begins_elsewhere() {
        let here = initial_sequence_number(&SECRET, b"tuple", Instant::ZERO);
        let there = initial_sequence_number(&SECRET, b"other", Instant::ZERO);
        let stranger = initial_sequence_number(&Secret::new([8; 16]), b"tuple", Instant::ZERO);
        assert_ne!(here, there);
        assert_ne!(here, stranger);
    }

    /// RFC 9293 §3.4.1 \[MUST-9\].
    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(alloc::format!("{SECRET:?}"), "Secret(..)");
    }
}
