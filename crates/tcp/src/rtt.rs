//! Round-trip time and retransmission timeout.
//!
//! RFC 6298 §2 and §3. Samples come from one timed segment a round trip, or from the timestamps
//! option where the segment was sent more than once (RFC 7323 §4); a segment that was sent twice
//! gives none by itself (Karn).

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;

use crate::config::Config;

/// The estimator of RFC 6298 §2 and the backed-off timeout. RFC 9293 §3.8.1 \[MUST-18\].
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    srtt: Option<Duration>,
    rttvar: Duration,
    /// RTO, as computed from the samples, before any backing off.
    base: Duration,
    /// How often the timeout is doubled: since the last sample. RFC 6298 §5.5, §5.7 (Karn).
    backoff: u32,
    /// How often the timer has fired since something new was acknowledged.
    attempts: u32,
    /// The timeout that ran out last.
    last_rto: Duration,
    /// Whether something was sent again since the last sample.
    ambiguous: bool,
    /// The segment that is being timed: its last number + 1, and when it left.
    timed: Option<(SeqNumber, Instant)>,
}

/// G, the clock's granularity: the least that the timeout lies above the round-trip time, so that it
/// is never nothing. RFC 6298 §2.2.
const TICK: Duration = Duration::from_millis(1);

impl RttEstimator {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            srtt: None,
            rttvar: Duration::ZERO,
            base: config.rto_initial,
            backoff: 0,
            attempts: 0,
            last_rto: Duration::ZERO,
            ambiguous: false,
            timed: None,
        }
    }

    /// Sets how often the timer has fired.
    pub(crate) fn unfold(&mut self, attempts: u32) {
        self.attempts = attempts;
        self.backoff = attempts;
    }

    pub(crate) const fn srtt(&self) -> Option<Duration> {
        self.srtt
    }

    pub(crate) const fn rttvar(&self) -> Duration {
        self.rttvar
    }

    /// How often the timer has fired since something new was acknowledged.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The timeout that ran out last.
    pub(crate) const fn last_rto(&self) -> Duration {
        self.last_rto
    }

    /// Whether the next acknowledgment could be of a segment that was sent twice.
    pub(crate) const fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// The timeout in force: doubled for each time that it has fired. RFC 6298 §5.5.
    pub(crate) fn rto(&self, config: &Config) -> Duration {
        let doubled = self.base.saturating_mul(1 << self.backoff.min(20));
        doubled.min(config.rto_max).max(config.rto_min.min(config.rto_max))
    }

    /// The timer has fired: wait twice as long next time. RFC 6298 §5.5.
    pub(crate) fn back_off(&mut self, config: &Config) {
        self.last_rto = self.rto(config);
        self.backoff = self.backoff.saturating_add(1);
        self.attempts = self.attempts.saturating_add(1);
        self.timed = None;
    }

    /// The SYN was answered only after its timer had fired: be careful. RFC 6298 §5.7.
    pub(crate) fn syn_was_lost(&mut self) {
        self.base = self.base.max(Duration::from_secs(3));
        self.backoff = 0;
        self.ambiguous = false;
    }

    /// Something new was acknowledged: the count of attempts begins anew. The doubling ends only
    /// with a sample (RFC 6298 §5.7).
    pub(crate) fn progress(&mut self) {
        self.attempts = 0;
    }

    /// The peer answers probes of its closed window: they may go on without being counted.
    pub(crate) fn answered(&mut self) {
        self.attempts = 0;
        self.backoff = 0;
    }

    /// A segment that ends before `end` leaves for the first time: time it, unless one is timed.
    pub(crate) fn sent(&mut self, end: SeqNumber, now: Instant) {
        if self.timed.is_none() {
            self.timed = Some((end, now));
        }
    }

    /// Something is sent again: an acknowledgment could mean either. RFC 6298 §3 (Karn).
    pub(crate) fn sent_again(&mut self) {
        self.timed = None;
        self.ambiguous = true;
    }

    /// The sample that an acknowledgment gives, if the timed segment is covered.
    pub(crate) fn sample(&mut self, ack: SeqNumber, now: Instant) -> Option<Duration> {
        let (end, sent) = self.timed?;
        if ack.before(end) {
            return None;
        }
        self.timed = None;
        self.ambiguous = false;
        Some(now.since(sent))
    }

    /// Takes a sample. RFC 6298 §2.2 and §2.3.
    pub(crate) fn update(&mut self, rtt: Duration, config: &Config) {
        self.backoff = 0;
        self.ambiguous = false;
        match self.srtt {
            None => {
                self.srtt = Some(rtt);
                self.rttvar = rtt / 2;
            }
            Some(srtt) => {
                self.rttvar = (self.rttvar * 3 + srtt.abs_diff(rtt)) / 4;
                self.srtt = Some((srtt * 7 + rtt) / 8);
            }
        }
        let srtt = self.srtt.unwrap_or(rtt);
        self.base = (srtt + (self.rttvar * 4).max(TICK)).max(config.rto_min).min(config.rto_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// RFC 6298 §2.2: SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + 4 * RTTVAR; §2.4: at least one second.
    #[test]
    fn the_first_sample_sets_the_timeout_and_one_second_is_the_floor() {
        let config = Config::rfc1122();
        let mut rtt = RttEstimator::new(&config);
        assert_eq!(rtt.rto(&config), milliseconds(1000));
        rtt.update(milliseconds(40), &config);
        assert_eq!((rtt.srtt(), rtt.rttvar()), (Some(milliseconds(40)), milliseconds(20)));
        assert_eq!(rtt.rto(&config), milliseconds(1000));
        let mut slow = RttEstimator::new(&config);
        slow.update(milliseconds(1000), &config);
        assert_eq!(slow.rto(&config), milliseconds(3000));
    }

    /// RFC 6298 §2.3, by hand: R' = 80 after 40: RTTVAR = 3/4*20 + 1/4*40 = 25, SRTT = 7/8*40 + 1/8*80 = 45.
    #[test]
    fn later_samples_are_smoothed() {
        let config = Config { rto_min: milliseconds(1), ..Config::modern() };
        let mut rtt = RttEstimator::new(&config);
        rtt.update(milliseconds(40), &config);
        rtt.update(milliseconds(80), &config);
        assert_eq!((rtt.srtt(), rtt.rttvar()), (Some(milliseconds(45)), milliseconds(25)));
        assert_eq!(rtt.rto(&config), milliseconds(145));
    }

    /// RFC 6298 §5.5 and §2.5: the timeout doubles up to its limit.
    #[test]
    fn the_timeout_doubles_up_to_its_limit() {
        let config = Config::rfc1122();
        let mut rtt = RttEstimator::new(&config);
        let mut seen = alloc::vec::Vec::new();
        for _ in 0..8 {
            seen.push(rtt.rto(&config).as_secs());
            rtt.back_off(&config);
        }
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 60, 60]);
        rtt.progress();
        assert_eq!(rtt.rto(&config).as_secs(), 60);
        rtt.update(Duration::from_millis(100), &config);
        assert_eq!(rtt.rto(&config).as_secs(), 1);
    }

    /// RFC 6298 §3: no sample from a segment that was sent twice.
    #[test]
    fn a_segment_that_was_sent_again_gives_no_sample() {
        let config = Config::rfc1122();
        let mut rtt = RttEstimator::new(&config);
        rtt.sent(SeqNumber::new(11), Instant::ZERO);
        rtt.sent_again();
        assert_eq!(rtt.sample(SeqNumber::new(11), Instant::from_millis(40)), None);
        rtt.sent(SeqNumber::new(21), Instant::from_millis(50));
        assert_eq!(rtt.sample(SeqNumber::new(20), Instant::from_millis(80)), None);
        assert_eq!(rtt.sample(SeqNumber::new(21), Instant::from_millis(90)), Some(milliseconds(40)));
    }
}
