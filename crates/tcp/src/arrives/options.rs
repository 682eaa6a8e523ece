//! The options of a SYN: what both sides agree on.
//!
//! RFC 9293 §3.7.1; RFC 7323 §2.2, §2.3 and §3.2; RFC 2018 §2.

use aperto_time::Instant;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Options;

use crate::connection::Connection;
use crate::timestamps::TimestampState;

/// The largest shift. RFC 7323 §2.3: a larger one counts as this.
const MOST_SHIFT: u8 = 14;
/// The segment size to assume of a peer that names none. RFC 9293 §3.7.1 \[MUST-15\].
const DEFAULT_SEND_MSS: u16 = 536;

impl Connection {
    /// Takes the peer's offers, as far as we made or accept them.
    ///
    /// RFC 9293 §3.7.1 \[MUST-14\] \[MUST-15\] \[MUST-16\].
    pub(super) fn agree_on_options(&mut self, now: Instant, offered: &Options) {
        let announced = match offered.mss {
            None | Some(0) => DEFAULT_SEND_MSS,
            Some(mss) => mss.max(self.config.min_send_mss),
        };
        self.send.mss = announced.min(self.opening.mss);
        self.sack = self.config.sack && offered.sack_permitted;
        match offered.window_scale {
            Some(shift) if self.config.window_scaling => {
                self.receive.scaling_agreed = true;
                self.send.scale = shift.min(MOST_SHIFT);
            }
            _ => {
                self.send.scale = 0;
                self.receive.scale = 0;
                self.receive.scaling_agreed = false;
            }
        }
        self.timestamps = match offered.timestamps {
            Some(stamps) if self.config.timestamps => Some(TimestampState {
                offset: self.opening.timestamp_offset,
                recent: stamps.value,
                recent_at: now,
            }),
            _ => None,
        };
        // The segment size is known now, and the initial window counts in segments.
        self.congestion.opened(&self.config, self.effective_mss(), self.rtt.attempts() > 0);
    }

    /// The window of a SYN, which is never scaled. RFC 7323 §2.2.
    pub(super) fn take_first_window(&mut self, window: u16, seq: SeqNumber) {
        self.send.window = u32::from(window);
        self.send.max_window = self.send.window;
        self.send.wl1 = seq;
        self.send.wl2 = self.send.iss;
    }
}
