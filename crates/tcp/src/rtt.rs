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
    /// SRTT; [`Span::NONE`] before the first sample.
    srtt: Span,
    rttvar: Span,
    /// RTO, as computed from the samples, before any backing off.
    base: Span,
    /// The timeout that ran out last.
    last_rto: Span,
    /// When the segment that is being timed left; the far future where none is.
    timed_at: Instant,
    /// The last number + 1 of that segment.
    timed_end: SeqNumber,
    /// How often the timeout is doubled: since the last sample. RFC 6298 §5.5, §5.7 (Karn).
    backoff: u32,
    /// How often the timer has fired since something new was acknowledged.
    attempts: u32,
    /// When something was last sent again since the last sample; the far future where nothing was.
    again_at: Instant,
}

/// A duration in nanoseconds, in 8 octets instead of 16 and without a division: every idle
/// connection has four, and each acknowledgment computes with them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Span(u64);

impl Span {
    /// No duration.
    const NONE: Self = Self(u64::MAX);
    const ZERO: Self = Self(0);

    fn new(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1))
    }

    const fn get(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// G, the clock's granularity: the least that the timeout lies above the round-trip time, so that it
/// is never nothing. RFC 6298 §2.2.
const TICK: Span = Span(1_000_000);

impl RttEstimator {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            srtt: Span::NONE,
            rttvar: Span::ZERO,
            base: Span::new(config.rto_initial),
            last_rto: Span::ZERO,
            timed_at: Instant::FAR_FUTURE,
            timed_end: SeqNumber::default(),
            backoff: 0,
            attempts: 0,
            again_at: Instant::FAR_FUTURE,
        }
    }

    /// Sets how often the timer has fired.
    pub(crate) fn unfold(&mut self, attempts: u32) {
        self.attempts = attempts;
        self.backoff = attempts;
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt != Span::NONE).then(|| self.srtt.get())
    }

    pub(crate) const fn rttvar(&self) -> Duration {
        self.rttvar.get()
    }

    /// How often the timer has fired since something new was acknowledged.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The timeout that ran out last.
    pub(crate) const fn last_rto(&self) -> Duration {
        self.last_rto.get()
    }

    /// Whether the next acknowledgment could be of a segment that was sent twice.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.again_at != Instant::FAR_FUTURE
    }

    /// Whether a round trip of this length began before something was last sent again.
    pub(crate) fn began_before_sending_again(&self, round_trip: Duration, now: Instant) -> bool {
        self.is_ambiguous() && now - round_trip < self.again_at
    }

    /// The timeout in force: doubled for each time that it has fired. RFC 6298 §5.5.
    pub(crate) fn rto(&self, config: &Config) -> Duration {
        self.timeout(config).get()
    }

    /// When the timer fires that is started now. RFC 6298 §5.1.
    pub(crate) fn due(&self, now: Instant, config: &Config) -> Instant {
        Instant::from_nanos(now.as_nanos().saturating_add(self.timeout(config).0))
    }

    fn timeout(&self, config: &Config) -> Span {
        let most = Span::new(config.rto_max);
        self.base.times(1 << self.backoff.min(20)).min(most).max(Span::new(config.rto_min).min(most))
    }

    /// The timer has fired: wait twice as long next time. RFC 6298 §5.5.
    pub(crate) fn back_off(&mut self, config: &Config) {
        self.last_rto = self.timeout(config);
        self.backoff = self.backoff.saturating_add(1);
        self.attempts = self.attempts.saturating_add(1);
        self.timed_at = Instant::FAR_FUTURE;
    }

    /// The SYN was answered only after its timer had fired: be careful. RFC 6298 §5.7.
    pub(crate) fn syn_was_lost(&mut self) {
        self.base = self.base.max(Span(3_000_000_000));
        self.backoff = 0;
        self.again_at = Instant::FAR_FUTURE;
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
        if self.timed_at == Instant::FAR_FUTURE {
            (self.timed_end, self.timed_at) = (end, now);
        }
    }

    /// Something is sent again: an acknowledgment could mean either. RFC 6298 §3 (Karn).
    pub(crate) fn sent_again(&mut self, now: Instant) {
        self.timed_at = Instant::FAR_FUTURE;
        self.again_at = now;
    }

    /// The sample that an acknowledgment gives, if the timed segment is covered.
    pub(crate) fn sample(&mut self, ack: SeqNumber, now: Instant) -> Option<Duration> {
        if self.timed_at == Instant::FAR_FUTURE || ack.before(self.timed_end) {
            return None;
        }
        let sent = core::mem::replace(&mut self.timed_at, Instant::FAR_FUTURE);
        self.again_at = Instant::FAR_FUTURE;
        Some(now.since(sent))
    }

    /// Takes a sample. RFC 6298 §2.2 and §2.3.
    pub(crate) fn update(&mut self, rtt: Duration, config: &Config) {
        self.backoff = 0;
        self.again_at = Instant::FAR_FUTURE;
        let rtt = Span::new(rtt);
        if self.srtt == Span::NONE {
            (self.srtt, self.rttvar) = (rtt, Span(rtt.0 / 2));
        } else {
            let off = Span(self.srtt.0.abs_diff(rtt.0));
            self.rttvar = Span(self.rttvar.times(3).plus(off).0 / 4);
            self.srtt = Span(self.srtt.times(7).plus(rtt).0 / 8);
        }
        let (least, most) = (Span::new(config.rto_min), Span::new(config.rto_max));
        self.base = self.srtt.plus(self.rttvar.times(4).max(TICK)).max(least).min(most);
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
        rtt.sent_again(Instant::from_millis(5));
        assert_eq!(rtt.sample(SeqNumber::new(11), Instant::from_millis(40)), None);
        rtt.sent(SeqNumber::new(21), Instant::from_millis(50));
        assert_eq!(rtt.sample(SeqNumber::new(20), Instant::from_millis(80)), None);
        assert_eq!(rtt.sample(SeqNumber::new(21), Instant::from_millis(90)), Some(milliseconds(40)));
    }
}
