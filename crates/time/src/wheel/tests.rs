extern crate std;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::*;
use crate::Duration;

/// A generator for tests: Knuth's constants for a 64-bit linear congruence, the upper bits used.
struct Luck(u64);

impl Luck {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn the_first_deadline_is_exact_to_the_nanosecond() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.first(), None);
    let late = wheel.arm(Instant::from_nanos(7_200_000_000_001), 'b');
    assert_eq!(wheel.first(), Some((Instant::from_nanos(7_200_000_000_001), 'b', late)));
    let early = wheel.arm(Instant::from_nanos(3), 'a');
    assert_eq!(wheel.first(), Some((Instant::from_nanos(3), 'a', early)));
    assert_eq!(wheel.fire(Instant::from_nanos(2)), None);
    assert_eq!(wheel.fire(Instant::from_nanos(3)), Some((Instant::from_nanos(3), 'a')));
    assert_eq!(wheel.fire(Instant::from_nanos(7_200_000_000_000)), None);
    assert_eq!(wheel.fire(Instant::FAR_FUTURE), Some((Instant::from_nanos(7_200_000_000_001), 'b')));
    assert!(wheel.is_empty());
}

#[test]
fn a_cancelled_timer_never_fires_and_its_token_is_dead() {
    let mut wheel = Wheel::new();
    let token = wheel.arm(Instant::from_millis(200), 1);
    assert_eq!(wheel.deadline(token), Some(Instant::from_millis(200)));
    wheel.cancel(token);
    wheel.cancel(token);
    wheel.move_to(token, Instant::ZERO);
    assert_eq!((wheel.first(), wheel.deadline(token), wheel.len()), (None, None, 0));
}

#[test]
fn both_ends_of_time_can_be_armed() {
    let mut wheel = Wheel::new();
    wheel.arm(Instant::FAR_FUTURE, 'z');
    wheel.arm(Instant::ZERO, 'a');
    assert_eq!(wheel.fire(Instant::ZERO), Some((Instant::ZERO, 'a')));
    assert_eq!(wheel.fire(Instant::FAR_FUTURE), Some((Instant::FAR_FUTURE, 'z')));
}

/// The naive model: a map by instant and order of arming.
#[test]
fn a_wheel_fires_what_a_sorted_map_fires() {
    for seed in 0..200 {
        let mut luck = Luck(seed);
        let mut wheel = Wheel::new();
        let mut model: BTreeMap<u32, (Instant, Token)> = BTreeMap::new();
        let mut now = Instant::ZERO;
        for key in 0..400 {
            // From nanoseconds to days ahead, so that every level has its turn.
            let span = 1 << luck.below(47);
            let at = now + Duration::from_nanos(luck.below(span));
            match luck.below(4) {
                0 | 1 => {
                    model.insert(key, (at, wheel.arm(at, key)));
                }
                2 => {
                    let picked = luck.below(400) as u32;
                    if let Some((_, entry)) = model.range_mut(picked..).next() {
                        wheel.move_to(entry.1, at);
                        entry.0 = at;
                    } else if let Some((_, (_, token))) = model.pop_first() {
                        wheel.cancel(token);
                    }
                }
                _ => {
                    now = at;
                    let mut due: Vec<_> = model
                        .iter()
                        .filter(|(_, (at, _))| *at <= now)
                        .map(|(key, (at, _))| (*at, *key))
                        .collect();
                    due.sort_unstable();
                    let mut fired = Vec::new();
                    while let Some(timer) = wheel.fire(now) {
                        assert!(fired.last().is_none_or(|(before, _)| *before <= timer.0), "out of order");
                        fired.push(timer);
                    }
                    fired.sort_unstable();
                    assert_eq!(fired, due, "seed {seed}");
                    model.retain(|_, (at, _)| *at > now);
                }
            }
            assert_eq!(wheel.len(), model.len());
            assert_eq!(
                wheel.first().map(|first| first.0),
                model.values().map(|(at, _)| *at).min(),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn timers_of_one_instant_all_fire_in_the_same_order_each_time() {
    let order = || {
        let mut wheel = Wheel::new();
        for key in 0..100 {
            wheel.arm(Instant::from_millis(500), key);
        }
        core::iter::from_fn(|| wheel.fire(Instant::from_millis(500)).map(|timer| timer.1)).collect::<Vec<_>>()
    };
    let once = order();
    assert_eq!(once, order());
    let mut sorted = once;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<_>>());
}

/// Moving a timer again and again, as acknowledgments do, takes no memory.
#[test]
fn a_timer_that_is_moved_a_million_times_is_one_entry() {
    let mut wheel = Wheel::new();
    let token = wheel.arm(Instant::from_millis(200), ());
    wheel.arm(Instant::from_millis(1), ());
    for millisecond in 0..100_000 {
        wheel.move_to(token, Instant::from_millis(200 + millisecond));
    }
    assert_eq!((wheel.len(), wheel.entries.len()), (2, 2));
    assert!(wheel.heap.len() <= 2);
}
