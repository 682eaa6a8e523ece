//! Which counters have been seen: a window that follows the highest one.
//!
//! RFC 6479: the bitmap is a ring of words, and moving the window clears whole words instead of
//! shifting bits. A counter is only entered once its tag has fitted, so that a forged one far ahead
//! moves nothing.

/// Counters this far behind the highest can still be told apart: 63 words of 64 bits. The 64th is
/// the one that is being filled.
pub const WINDOW: u64 = (WORDS as u64 - 1) * 64;

const WORDS: usize = 64;

/// What is known of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// It has not been seen.
    Fresh,
    /// It has.
    Before,
    /// It is so far behind that nobody knows.
    TooOld,
}

#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The highest counter that was entered, and one more; 0 if none was.
    next: u64,
    words: [u64; WORDS],
}

impl Window {
    pub(crate) const fn new() -> Self {
        Self { next: 0, words: [0; WORDS] }
    }

    /// The highest counter that was entered, and one more.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn look(&self, counter: u64) -> Seen {
        if counter >= self.next {
            return Seen::Fresh;
        }
        if self.next - 1 - counter >= WINDOW {
            return Seen::TooOld;
        }
        let word = self.words.get(place(counter)).copied().unwrap_or(u64::MAX);
        if word & bit(counter) == 0 { Seen::Fresh } else { Seen::Before }
    }

    /// Enters a counter that [`look`](Self::look) called fresh.
    pub(crate) fn enter(&mut self, counter: u64) {
        if counter >= self.next {
            let (from, to) = (self.next.wrapping_sub(1) / 64, counter / 64);
            let first = if self.next == 0 { 0 } else { from + 1 };
            // The words from the old highest to the new one stand for older counters until now.
            for word in (first..=to).rev().take(WORDS) {
                if let Some(stale) = self.words.get_mut(place(word * 64)) {
                    *stale = 0;
                }
            }
            self.next = counter + 1;
        }
        if let Some(word) = self.words.get_mut(place(counter)) {
            *word |= bit(counter);
        }
    }
}

const fn place(counter: u64) -> usize {
    (counter / 64 % WORDS as u64) as usize
}

const fn bit(counter: u64) -> u64 {
    1 << (counter % 64)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_thousand_and_forty_eight_late_datagrams_are_told_apart() {
        const { assert!(WINDOW >= 2_048) };
        let mut window = Window::new();
        window.enter(10_000);
        for counter in (10_000 - WINDOW + 1..10_000).rev() {
            assert_eq!(window.look(counter), Seen::Fresh, "{counter}");
            window.enter(counter);
            assert_eq!(window.look(counter), Seen::Before, "{counter}");
        }
        assert_eq!(window.look(10_000 - WINDOW), Seen::TooOld);
        assert_eq!(window.look(0), Seen::TooOld);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The naive model: a set of everything that was entered, and the highest of it.
        #[test]
        fn it_agrees_with_a_set(jumps in prop::collection::vec((any::<bool>(), 0_u64..5_000), 1..400)) {
            let (mut window, mut set) = (Window::new(), BTreeSet::new());
            let mut at = 0_u64;
            for (ahead, by) in jumps {
                at = if ahead { at + by } else { at.saturating_sub(by) };
                let highest = set.last().copied();
                let expected = if set.contains(&at) && highest.is_some_and(|h| h - at < WINDOW) {
                    Seen::Before
                } else if highest.is_some_and(|h| h >= at && h - at >= WINDOW) {
                    Seen::TooOld
                } else {
                    Seen::Fresh
                };
                prop_assert_eq!(window.look(at), expected);
                if expected == Seen::Fresh {
                    window.enter(at);
                    set.insert(at);
                }
            }
        }
    }
}
