//! The timestamps option: our clock, the peer's, and protection against wrapped numbers.
//!
//! RFC 7323 §3 to §5. The clock ticks each millisecond and begins at a number of its own for each
//! connection, so that it tells nobody how long the host has been up (§5.4).

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Timestamps;

/// TS.Recent older than this proves nothing any more: the clock may have wrapped. RFC 7323 §5.5.
const OUTDATED: Duration = Duration::from_secs(24 * 24 * 3600);

/// The state of the option on a connection that has agreed to use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimestampState {
    /// What our clock showed at the driver's zero.
    pub(crate) offset: u32,
    /// TS.Recent: the value to echo.
    pub(crate) recent: u32,
    /// When TS.Recent was taken.
    pub(crate) recent_at: Instant,
}

/// TSval at `now`. RFC 7323 §5.4: between 1 ms and 1 s a tick.
pub(crate) fn clock(offset: u32, now: Instant) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the timestamp clock wraps at 32 bits by definition")]
    let ticks = now.as_millis() as u32;
    offset.wrapping_add(ticks)
}

impl TimestampState {
    /// The option for a segment that leaves.
    pub(crate) fn option(&self, now: Instant) -> Timestamps {
        Timestamps { value: clock(self.offset, now), echo: self.recent }
    }

    /// Whether a segment is too old: its TSval is before TS.Recent. RFC 7323 §5.3, R1.
    pub(crate) fn is_old(&self, arrived: Timestamps, now: Instant) -> bool {
        let before = arrived.value.wrapping_sub(self.recent).cast_signed() < 0;
        before && now.since(self.recent_at) < OUTDATED
    }

    /// Takes TSval of an acceptable segment, if it covers what we acknowledged last. RFC 7323 §4.3.
    pub(crate) fn take(
        &mut self,
        arrived: Timestamps,
        seq: SeqNumber,
        last_ack_sent: SeqNumber,
        now: Instant,
    ) {
        if !self.is_old(arrived, now) && seq.at_or_before(last_ack_sent) {
            self.recent = arrived.value;
            self.recent_at = now;
        }
    }

    /// The round-trip time that TSecr tells, unless it is a number that we have not sent.
    ///
    /// RFC 7323 §4.1.
    pub(crate) fn round_trip(&self, echo: u32, now: Instant) -> Option<Duration> {
        let ticks = clock(self.offset, now).wrapping_sub(echo);
        // Older than ten minutes, or from our own future: not ours.
        (echo != 0 && ticks < 600_000).then(|| Duration::from_millis(u64::from(ticks).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(recent: u32, at: Instant) -> TimestampState {
        TimestampState { offset: 0, recent, recent_at: at }
    }

    /// RFC 7323 §5.3: "before" is modulo 2^32; §5.5: after 24 days it proves nothing.
    #[test]
    fn a_timestamp_before_the_last_is_old_for_24_days() {
        let recent = state(u32::MAX, Instant::ZERO);
        let arrived = |value| Timestamps { value, echo: 0 };
        assert!(!recent.is_old(arrived(0), Instant::ZERO));
        assert!(!recent.is_old(arrived(u32::MAX), Instant::ZERO));
        assert!(recent.is_old(arrived(u32::MAX - 1), Instant::ZERO));
        assert!(!recent.is_old(arrived(u32::MAX - 1), Instant::ZERO + OUTDATED));
    }

    /// RFC 7323 §4.3: only a segment that begins at or before Last.ACK.sent moves TS.Recent.
    #[test]
    fn a_segment_beyond_a_hole_does_not_move_ts_recent() {
        let mut recent = state(10, Instant::ZERO);
        let acknowledged = SeqNumber::new(100);
        recent.take(Timestamps { value: 20, echo: 0 }, acknowledged + 1, acknowledged, Instant::ZERO);
        assert_eq!(recent.recent, 10);
        recent.take(Timestamps { value: 20, echo: 0 }, acknowledged, acknowledged, Instant::ZERO);
        assert_eq!(recent.recent, 20);
    }

    #[test]
    fn an_echo_that_was_never_sent_gives_no_round_trip() {
        let recent = state(0, Instant::ZERO);
        let now = Instant::from_millis(1_000);
        assert_eq!(recent.round_trip(960, now), Some(Duration::from_millis(40)));
        assert_eq!(recent.round_trip(1_001, now), None);
    }
}
