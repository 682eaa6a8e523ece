//! The STATUS call: a picture of the connection.
//!
//! RFC 9293 §3.10.6.

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;

use super::Connection;
use crate::note::Timer;
use crate::state::State;

/// What a connection looks like from inside. RFC 9293 §3.10.6 and §3.3.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// The state.
    pub state: State,
    /// ISS.
    pub iss: SeqNumber,
    /// IRS.
    pub irs: SeqNumber,
    /// SND.UNA.
    pub send_unacknowledged: SeqNumber,
    /// SND.NXT.
    pub send_next: SeqNumber,
    /// SND.WND in octets.
    pub send_window: u32,
    /// RCV.NXT.
    pub receive_next: SeqNumber,
    /// RCV.WND in octets.
    pub receive_window: u32,
    /// Octets that wait to be sent or acknowledged.
    pub send_queued: usize,
    /// Octets that wait to be read.
    pub receive_queued: usize,
    /// Octets that have arrived beyond a hole.
    pub out_of_order: usize,
    /// The congestion window in octets.
    pub cwnd: u32,
    /// The slow start threshold in octets; `u32::MAX` before the first loss.
    pub ssthresh: u32,
    /// Octets that are estimated to be in the network.
    pub pipe: u32,
    /// Eff.snd.MSS in octets.
    pub send_mss: u32,
    /// The smoothed round-trip time, once there was a sample.
    pub srtt: Option<Duration>,
    /// Its variation.
    pub rttvar: Duration,
    /// The retransmission timeout, doubled as often as it has fired.
    pub rto: Duration,
    /// How far the peer's windows are shifted.
    pub send_window_scale: u8,
    /// How far ours are.
    pub receive_window_scale: u8,
    /// Whether timestamps are in use.
    pub timestamps: bool,
    /// Whether selective acknowledgments are in use.
    pub sack: bool,
    /// When the retransmission timer fires.
    pub retransmission_at: Option<Instant>,
    /// When the persist timer fires.
    pub persist_at: Option<Instant>,
    /// When the delayed acknowledgment leaves.
    pub delayed_ack_at: Option<Instant>,
    /// When keep-alive probes.
    pub keep_alive_at: Option<Instant>,
    /// When TIME-WAIT, or the wait of an orphan, is over.
    pub time_wait_at: Option<Instant>,
}

impl Connection {
    /// STATUS. RFC 9293 §3.10.6.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            state: self.state,
            iss: self.send.iss,
            irs: self.receive.irs,
            send_unacknowledged: self.send.una,
            send_next: self.send.nxt,
            send_window: self.send.window,
            receive_next: self.receive.next,
            receive_window: self.receive.window(),
            send_queued: self.send.queued(),
            receive_queued: self.receive.queue.readable(),
            out_of_order: self.receive.queue.out_of_order(),
            cwnd: self.congestion.cwnd(),
            ssthresh: self.congestion.ssthresh(),
            pipe: self.recovery.pipe(self.send.una, self.send.nxt),
            send_mss: self.effective_mss(),
            srtt: self.rtt.srtt(),
            rttvar: self.rtt.rttvar(),
            rto: self.rtt.rto(&self.config),
            send_window_scale: self.send.scale,
            receive_window_scale: self.receive.scale,
            timestamps: self.timestamps.is_some(),
            sack: self.sack,
            retransmission_at: self.timers.at(Timer::Retransmission),
            persist_at: self.timers.at(Timer::Persist),
            delayed_ack_at: self.timers.at(Timer::DelayedAck),
            keep_alive_at: self.timers.at(Timer::KeepAlive),
            time_wait_at: self.timers.at(Timer::TimeWait),
        }
    }
}
