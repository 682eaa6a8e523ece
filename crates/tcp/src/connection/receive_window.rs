//! The window that we offer.
//!
//! RFC 9293 §3.8.6.2.2: the right edge moves only by steps worth telling (silly window avoidance)
//! and never moves left (§3.8.6 \[SHLD-14\]).

use aperto_time::Instant;

use super::Connection;
use crate::reason::AckCause;

impl Connection {
    /// How far the right edge could move now, in octets: nowhere while nobody reads (RFC 9293 §3.8.6.1
    /// \[MAY-8\]).
    fn growth(&self) -> u32 {
        let queued = u32::try_from(self.receive.queue.readable()).unwrap_or(u32::MAX);
        let edge = self.receive.next + self.receive.limit.saturating_sub(queued);
        if edge.after(self.receive.edge) { edge.since(self.receive.edge) } else { 0 }
    }

    /// Whether a growth is worth telling: half the buffer or a full segment.
    ///
    /// RFC 9293 §3.8.6.2.2 \[MUST-39\].
    fn is_worth_telling(&self, growth: u32) -> bool {
        growth >= (self.receive.limit / 2).min(u32::from(self.opening.mss)) && growth > 0
    }

    /// The window field of a segment that leaves now; the right edge moves with it.
    ///
    /// RFC 7323 §2.3: a SYN's window is never scaled. A window that is not a multiple of the unit
    /// is rounded up, so that rounding never takes back what was offered, but never by a whole unit
    /// beyond the buffer: there it is rounded down, by less than a unit (RFC 7323 §2.4), and what was
    /// offered before is still taken.
    pub(crate) fn advertise(&mut self, scale: u8) -> u16 {
        let growth = self.growth();
        if self.is_worth_telling(growth) {
            self.receive.edge += growth;
        }
        let window = self.receive.window();
        let queued = u32::try_from(self.receive.queue.readable()).unwrap_or(u32::MAX);
        let buffer_end = self.receive.next - queued + self.receive.limit;
        let up = window.div_ceil(1 << scale);
        let told = self.receive.next + (up << scale);
        if told.at_or_before(buffer_end + ((1 << scale) - 1)) {
            self.receive.edge = self.receive.edge.later(told);
            u16::try_from(up).unwrap_or(u16::MAX)
        } else {
            u16::try_from(window >> scale).unwrap_or(u16::MAX)
        }
    }

    /// The application has read: tells the peer if its window had become small and has opened.
    ///
    /// RFC 9293 §3.8.6.2.2. While half of the window is left, the next acknowledgment tells it.
    pub(crate) fn window_may_open(&mut self, now: Instant) {
        let _ = now;
        if !self.state.can_receive() || self.acknowledgments.pending().is_some() {
            return;
        }
        let growth = self.growth();
        let from = self.receive.window();
        if self.is_worth_telling(growth) && from < self.receive.limit / 2 {
            self.acknowledge_now(AckCause::WindowUpdate { from, to: from + growth });
        }
    }

    /// Text arrives and is read: the window may grow towards the size of the buffer.
    pub(crate) fn grow_window(&mut self, octets: u32) {
        let capacity = u32::try_from(self.config.receive_buffer).unwrap_or(u32::MAX).clamp(1, 1 << 30);
        let most = if self.receive.scale == 0 { capacity.min(0xffff) } else { capacity };
        if self.receive.limit < most {
            self.receive.limit = self.receive.limit.saturating_add(octets.saturating_mul(2)).min(most);
        }
    }
}
