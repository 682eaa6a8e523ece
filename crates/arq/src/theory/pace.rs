//! How long a packet takes on average where packets and acknowledgements are lost.
//!
//! A packet leaves every `d`, its acknowledgement is back `c` later, a timer of `T >= c` notices a loss;
//! `p` of the packets and `q` of the acknowledgements are lost. Let `s = (1-p)(1-q)` and `f = 1/s - 1`:
//! how often an attempt succeeds, and how many fail before one does. The time for a packet is, in
//!
//! * stop-and-wait, `c + f T`, exactly: an attempt that fails costs a timer.
//! * Go-Back-N, `d + p (c-d) + p/(1-p) T` where the window fills the line (`W d >= c`): a lost packet's
//!   timer starts when the one before is acknowledged, `c - d` after it left; what was sent meanwhile is
//!   sent again; a lost ACK is made good by the next. Else packets leave in rounds of `W`: all arrive, after
//!   `c`; or the `k` before the first that is lost, after `c + T + (k-1) d` (`T`, if k is 0).
//! * Selective Repeat, `max(d/s, (c + f T)/W)`, **at least**: a place in the window is held for `c + f T`,
//!   and longer if it is behind a missing packet, which this leaves out.
//!
//! With `T = c`, `q = 0`, `a = (c-d)/2d` these are `(1-p)/(1+2a)`, `(1-p)/(1+2ap)` but for `p (c-d)`, and
//! `W(1-p)/(1+2a)`, at most `1-p`, of Stallings, Data and Computer Communications.
//! Left out: packets that overtake each other, the start and the end of a transfer.

use core::time::Duration;

use crate::Protocol;

/// A share: so many of so many.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Share {
    /// How many.
    pub of: u32,
    /// Of how many; more than 0.
    pub all: u32,
}

impl Share {
    /// None.
    pub const NONE: Self = Self { of: 0, all: 1 };

    /// What is not lost; nothing where everything is, or more.
    fn rest(self) -> Option<u128> {
        self.all.checked_sub(self.of).filter(|rest| *rest > 0).map(u128::from)
    }
}

/// What a sender has to do with; the letters are those of the module's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Conditions {
    /// `W`: packets that may be unacknowledged, at least 1; stop-and-wait has 1 whatever this says.
    pub window_packets: u16,
    /// `d`: the time between two packets that leave.
    pub spacing: Duration,
    /// `c`: the time from when a packet leaves until its acknowledgement is there, at least `d`.
    pub cycle: Duration,
    /// `T`: the timer.
    pub timer: Duration,
    /// `p`: packets that are lost.
    pub lost_packets: Share,
    /// `q`: acknowledgements that are lost.
    pub lost_acknowledgements: Share,
}

/// The average time for a packet, after the formulas in the module's text; none if nothing arrives.
#[must_use]
pub fn time_per_packet(protocol: Protocol, conditions: &Conditions) -> Option<Duration> {
    let Conditions { spacing, cycle, timer, lost_packets, lost_acknowledgements, .. } = *conditions;
    let window = u128::from(conditions.window_packets.max(1));
    let (d, timer) = (spacing.as_nanos(), timer.as_nanos());
    let c = cycle.as_nanos().max(d);
    let (arrive, packets) = (lost_packets.rest()?, u128::from(lost_packets.all));
    let (heard, acknowledgements) = (lost_acknowledgements.rest()?, u128::from(lost_acknowledgements.all));
    // s as a fraction, and f = (1 - s)/s.
    let (good, tried) = (arrive * heard, packets * acknowledgements);
    let failing = (tried - good) * timer / good;
    let alone = c + failing;
    let nanos = match protocol {
        Protocol::StopAndWait => alone,
        Protocol::GoBackN | Protocol::SelectiveRepeat if window == 1 => alone,
        Protocol::GoBackN if window * d >= c => {
            let lost = packets - arrive;
            d + lost * (c - d) / packets + lost * timer / arrive
        }
        Protocol::GoBackN => rounds(conditions.window_packets, [d, c, timer], arrive, packets),
        Protocol::SelectiveRepeat => (d * tried / good).max(alone / window),
    };
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

/// One, in the fixed point of [`rounds`].
const ONE: u128 = 1 << 60;

/// Go-Back-N in rounds: the mean time of a round over the mean of what it delivers.
fn rounds(window: u16, [d, c, timer]: [u128; 3], arrive: u128, packets: u128) -> u128 {
    let succeeds = ONE * arrive / packets;
    let fails = ONE - succeeds;
    // The probability that the first k arrive.
    let mut all = ONE;
    let (mut time, mut delivered) = (0, 0);
    for k in 0..u128::from(window) {
        let stops_here = all * fails / ONE;
        let lasts = if k == 0 { timer } else { c + timer + (k - 1) * d };
        // Times of a day in nanoseconds have 47 bits: far from 128 with the 60 of the fixed point.
        time += stops_here * lasts.min(1 << 50);
        delivered += stops_here * k;
        all = all * succeeds / ONE;
    }
    time += all * c.min(1 << 50);
    delivered += all * u128::from(window);
    time.checked_div(delivered).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn conditions(window_packets: u16, lost: u32) -> Conditions {
        Conditions {
            window_packets,
            spacing: ms(1),
            cycle: ms(100),
            timer: ms(100),
            lost_packets: Share { of: lost, all: 100 },
            lost_acknowledgements: Share::NONE,
        }
    }

    /// On paper, with d = 1 ms and c = 100 ms, so 1 + 2a = 100.
    #[test]
    fn without_loss_a_window_shares_the_round_trip() {
        let time = |protocol, window| time_per_packet(protocol, &conditions(window, 0)).unwrap();
        assert_eq!(time(Protocol::StopAndWait, 1), ms(100));
        assert_eq!(time(Protocol::GoBackN, 4), ms(25));
        assert_eq!(time(Protocol::SelectiveRepeat, 4), ms(25));
        assert_eq!(time(Protocol::SelectiveRepeat, 100), ms(1));
        assert_eq!(time(Protocol::GoBackN, 1_000), ms(1));
    }

    /// U = d/time: (1-p)/(1+2a) is 0.8/100 at p = 1/5, so 125 ms; W(1-p)/(1+2a) four times that.
    #[test]
    fn with_an_ideal_timer_it_is_the_textbook_s_formula() {
        let time = |protocol, window, lost| time_per_packet(protocol, &conditions(window, lost)).unwrap();
        assert_eq!(time(Protocol::StopAndWait, 1, 20), ms(125));
        assert_eq!(time(Protocol::SelectiveRepeat, 4, 20), Duration::from_micros(31_250));
        // 1-p is the most: 1 ms / 0.8.
        assert_eq!(time(Protocol::SelectiveRepeat, 1_000, 20), Duration::from_micros(1_250));
        // Rounds of four: 0.4096 x 100 + 0.2 x 100 + 0.16 x 200 + 0.128 x 201 + 0.1024 x 202 = 139.3728 ms
        // for 0.4096 x 4 + 0.16 + 0.128 x 2 + 0.1024 x 3 = 2.3616 packets.
        assert_eq!(time(Protocol::GoBackN, 4, 20).as_micros(), 59_016);
        // (1-p)/(1+2ap) = 0.8/20.8 with W = 1 000, which is 26 ms.
        assert_eq!(time(Protocol::GoBackN, 1_000, 20), ms(26) + Duration::from_micros(19_800));
    }

    /// p = q = 1/2: one attempt in four succeeds, three timers of 300 ms are waited for.
    #[test]
    fn lost_acknowledgements_cost_stop_and_wait_a_timer_too() {
        let half = Share { of: 1, all: 2 };
        let both = Conditions {
            timer: ms(300),
            lost_packets: half,
            lost_acknowledgements: half,
            ..conditions(1, 0)
        };
        assert_eq!(time_per_packet(Protocol::StopAndWait, &both), Some(ms(1_000)));
        assert_eq!(time_per_packet(Protocol::GoBackN, &both), Some(ms(1_000)), "a window of 1");
        let all = Conditions { lost_packets: Share { of: 1, all: 1 }, ..both };
        assert_eq!(time_per_packet(Protocol::StopAndWait, &all), None);
    }
}
