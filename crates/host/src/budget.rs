//! How many ICMP errors may leave.
//!
//! RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f): a bucket of tokens. How full it is made each time is not
//! to be foreseen: a budget that strangers share and can count tells one of them what another did
//! (CVE-2020-25705 found source ports that way).

use aperto_time::{Duration, Instant};

use crate::keys::Luck;

/// How often the bucket is filled.
const INTERVAL: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub(crate) struct Budget {
    luck: Luck,
    /// A twentieth of what a second may have: what one filling adds, and what the bucket holds.
    burst: u32,
    tokens: u32,
    filled: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(secret: &[u8; 32], per_second: u32) -> Self {
        Self { luck: Luck::new(secret, 20), burst: per_second.div_ceil(20), tokens: 0, filled: None }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if self.filled.is_none_or(|filled| now.since(filled) >= INTERVAL) {
            self.filled = Some(now);
            // Up to a quarter less than full, and never nothing.
            let noise = self.luck.below(self.burst / 4 + 1);
            self.tokens = self.burst - noise;
        }
        let left = self.tokens.checked_sub(1);
        self.tokens = left.unwrap_or(0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_flood_gets_no_more_answers_than_the_budget_and_nobody_can_count_them() {
        let mut budget = Budget::new(&[1; 32], 1000);
        let mut counts = BTreeSet::new();
        let mut total = 0;
        for filling in 0..20 {
            let now = Instant::from_millis(filling * 50);
            let count = (0..1000).filter(|_| budget.take(now)).count();
            assert!((38..=50).contains(&count), "{count}");
            counts.insert(count);
            total += count;
        }
        assert!(total <= 1000 && counts.len() > 3, "{total} {counts:?}");
    }
}
