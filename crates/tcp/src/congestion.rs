//! The congestion window.
//!
//! RFC 5681 §3.1 and §4.1, with byte counting (RFC 3465) and the initial window of RFC 6928.
//! The algorithm is the Reno family's; what else decides a window (CUBIC, BBR) is to stand beside
//! it as a type of its own with the same five questions.

use aperto_time::Instant;

use crate::config::Config;
use crate::note::WindowChange;
use crate::rtt::RttEstimator;

/// cwnd and ssthresh. Sizes in octets. RFC 9293 §3.8.2 \[MUST-19\].
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    cwnd: u32,
    ssthresh: u32,
    /// Octets acknowledged since cwnd last grew in congestion avoidance.
    counted: u32,
    /// When text last left, for the restart after idleness.
    last_sent: Instant,
}

/// The initial window. RFC 6928 §2, or RFC 5681 §3.1.
fn initial_window(config: &Config, mss: u32) -> u32 {
    match config.initial_window_segments {
        Some(segments) => segments.max(1).saturating_mul(mss),
        None if mss > 2190 => 2 * mss,
        None if mss > 1095 => 3 * mss,
        None => 4 * mss,
    }
}

impl Congestion {
    pub(crate) fn new(config: &Config, mss: u32) -> Self {
        Self { cwnd: initial_window(config, mss), ssthresh: u32::MAX, counted: 0, last_sent: Instant::ZERO }
    }

    pub(crate) const fn cwnd(&self) -> u32 {
        self.cwnd
    }

    pub(crate) const fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    /// The handshake is over and the segment size is known. After a lost SYN the window is one
    /// segment (RFC 5681 §3.1).
    pub(crate) fn opened(&mut self, config: &Config, mss: u32, syn_was_lost: bool) {
        self.cwnd = if syn_was_lost { mss } else { initial_window(config, mss) };
    }

    /// New octets were acknowledged outside of recovery. `limit` is how far one acknowledgment may
    /// open the window in slow start (RFC 3465 §2.2, §2.3); `limited` whether the window was in use.
    pub(crate) fn acknowledged(
        &mut self,
        octets: u32,
        mss: u32,
        limit: u32,
        limited: bool,
    ) -> Option<WindowChange> {
        if !limited {
            return None;
        }
        if self.cwnd < self.ssthresh {
            self.cwnd = self.cwnd.saturating_add(octets.min(limit)).min(MOST);
            return Some(WindowChange::SlowStart);
        }
        self.counted = self.counted.saturating_add(octets);
        if self.counted < self.cwnd {
            return None;
        }
        self.counted -= self.cwnd;
        self.counted = self.counted.min(self.cwnd);
        self.cwnd = self.cwnd.saturating_add(mss).min(MOST);
        Some(WindowChange::CongestionAvoidance)
    }

    /// A loss was detected while `flight` octets were out. RFC 5681 §3.2 (2), RFC 6675 §5 (4.2).
    pub(crate) fn lost(&mut self, flight: u32, mss: u32) {
        self.ssthresh = (flight / 2).max(2 * mss);
        self.cwnd = self.ssthresh;
        self.counted = 0;
    }

    /// Recovery is over. RFC 6582 §3.2 (3, option 1): no burst when little is in flight.
    pub(crate) fn recovered(&mut self, flight: u32, mss: u32) {
        self.cwnd = self.ssthresh.min(flight.max(mss) + mss);
    }

    /// The retransmission timer fired; `first` for the first time on the same octets. RFC 5681 §3.1.
    pub(crate) fn timed_out(&mut self, flight: u32, mss: u32, first: bool) {
        if first {
            self.ssthresh = (flight / 2).max(2 * mss);
        }
        self.cwnd = mss;
        self.counted = 0;
    }

    /// Text leaves; says whether the connection was idle so long that the window began anew.
    ///
    /// RFC 5681 §4.1.
    pub(crate) fn sending(
        &mut self,
        now: Instant,
        flight: u32,
        rtt: &RttEstimator,
        config: &Config,
        mss: u32,
    ) -> bool {
        let idle = flight == 0 && now > rtt.due(self.last_sent, config);
        self.last_sent = now;
        let restart = initial_window(config, mss);
        let begin_anew = idle && self.cwnd > restart;
        if begin_anew {
            self.cwnd = restart;
        }
        begin_anew
    }
}

/// No window that can be advertised is larger (RFC 7323 §2.3), so no cwnd need be.
const MOST: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1000;

    /// RFC 6928 §2: ten segments; RFC 5681 §3.1: 2, 3 or 4 by the segment size.
    #[test]
    fn the_initial_window_is_ten_segments_or_two_to_four() {
        let window = |config: &Config, mss| Congestion::new(config, mss).cwnd();
        assert_eq!(window(&Config::modern(), 1460), 14_600);
        let config = Config::rfc1122();
        assert_eq!(window(&config, 2191), 2 * 2191);
        assert_eq!(window(&config, 1460), 3 * 1460);
        assert_eq!(window(&config, 536), 4 * 536);
    }

    /// RFC 5681 §3.1: in slow start by what was acknowledged, one segment a window after it.
    #[test]
    fn the_window_opens_fast_and_then_slowly() {
        let mut window =
            Congestion::new(&Config { initial_window_segments: Some(2), ..Config::modern() }, MSS);
        window.acknowledged(MSS, MSS, MSS, true);
        assert_eq!(window.cwnd(), 3 * MSS);
        window.lost(8 * MSS, MSS);
        assert_eq!((window.cwnd(), window.ssthresh()), (4 * MSS, 4 * MSS));
        for _ in 0..4 {
            window.acknowledged(MSS, MSS, MSS, true);
        }
        assert_eq!(window.cwnd(), 5 * MSS);
    }

    /// RFC 5681 §3.1 (4): half of the flight, at least two segments; a timeout leaves one segment.
    #[test]
    fn a_loss_halves_the_flight_and_a_timeout_leaves_one_segment() {
        let mut window = Congestion::new(&Config::modern(), MSS);
        window.timed_out(3 * MSS, MSS, true);
        assert_eq!((window.cwnd(), window.ssthresh()), (MSS, 2 * MSS));
        window.timed_out(MSS, MSS, false);
        assert_eq!(window.ssthresh(), 2 * MSS);
    }
}
