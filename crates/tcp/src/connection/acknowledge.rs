//! When to acknowledge: at once, with the next data, or after a moment.
//!
//! RFC 9293 §3.8.6.3 and RFC 5681 §4.2. Challenge acknowledgments are rationed for each connection
//! by itself (RFC 5961 §7), so that no stranger learns anything from another's ration.

use aperto_time::{Duration, Instant};

use super::Connection;
use crate::note::{Note, Timer};
use crate::reason::{AckCause, ChallengeCause};

/// Acknowledgments that have to leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acknowledgments {
    /// Why one must leave now.
    now: Option<AckCause>,
    /// How many more must: each segment beyond a hole is answered by one of its own.
    more: u8,
}

/// Duplicate acknowledgments that one arrival after another may pile up before a poll.
const MOST_PILED_UP: u8 = 64;

impl Acknowledgments {
    /// Why the next must leave, if one must.
    pub(crate) const fn pending(&self) -> Option<AckCause> {
        self.now
    }

    /// One has left by itself, without text.
    pub(crate) fn one_left(&mut self) {
        if self.more == 0 {
            self.now = None;
        } else {
            self.more -= 1;
        }
    }

    /// One has left with text.
    pub(crate) fn left_with_text(&mut self) {
        self.one_left();
    }

    fn need(&mut self, cause: AckCause) {
        let repeated = matches!(cause, AckCause::OutOfOrder { .. } | AckCause::Duplicate { .. });
        if repeated && matches!(self.now, Some(AckCause::OutOfOrder { .. } | AckCause::Duplicate { .. })) {
            self.more = (self.more + 1).min(MOST_PILED_UP);
        } else {
            self.more = 0;
        }
        self.now = Some(cause);
    }
}

impl Connection {
    /// An acknowledgment must leave at the next poll.
    pub(crate) fn acknowledge_now(&mut self, cause: AckCause) {
        self.acknowledgments.need(cause);
    }

    /// Text arrived in order: every second full-sized segment is acknowledged at once, the others
    /// wait for data to travel with.
    ///
    /// RFC 9293 §3.8.6.3 \[SHLD-18\] \[SHLD-19\] \[MUST-40\].
    pub(crate) fn acknowledge_text(&mut self, now: Instant) {
        let octets = self.receive.next.since(self.receive.last_ack);
        if self.config.delayed_ack == Duration::ZERO {
            self.acknowledge_now(AckCause::NotDelayed { octets });
        } else if octets >= 2 * self.receive.largest {
            self.acknowledge_now(AckCause::SecondSegment { octets });
        } else if !self.timers.runs(Timer::DelayedAck) {
            self.start(Timer::DelayedAck, now + self.config.delayed_ack);
        }
    }

    /// A segment arrived that a stranger could have sent: let the peer prove itself, unless it was
    /// asked a moment ago. RFC 5961 §7.
    pub(crate) fn challenge(&mut self, now: Instant, cause: ChallengeCause) {
        self.acknowledge_rarely(now, AckCause::Challenge(cause));
    }

    /// An acknowledgment must leave, unless one of its kind left a moment ago: two ends that disagree
    /// about a number would answer each other for ever. RFC 5961 §7.
    pub(crate) fn acknowledge_rarely(&mut self, now: Instant, cause: AckCause) {
        if now < self.challenge_from {
            self.note(|| Note::ChallengeWithheld);
            return;
        }
        self.challenge_from = now + self.config.challenge_interval;
        self.acknowledge_now(cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aperto_wire::SeqNumber;

    /// RFC 5681 §4.2: each segment beyond a hole is answered by an acknowledgment of its own.
    #[test]
    fn segments_beyond_a_hole_are_answered_one_by_one() {
        let beyond = AckCause::OutOfOrder { expected: SeqNumber::new(1), arrived: SeqNumber::new(2) };
        let mut acks = Acknowledgments::default();
        for _ in 0..3 {
            acks.need(beyond);
        }
        let mut left = 0;
        while acks.pending().is_some() {
            acks.one_left();
            left += 1;
        }
        assert_eq!(left, 3);
    }
}
