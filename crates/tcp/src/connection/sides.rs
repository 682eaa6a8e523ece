//! The two halves of the state: what we send and what we receive.
//!
//! RFC 9293 §3.3.1, Tables 2 and 3.

use aperto_wire::SeqNumber;
use aperto_wire::tcp::SackBlock;

use crate::chunks::{Chunks, Slices};
use crate::config::Config;
use crate::receive_queue::ReceiveQueue;
use crate::state::State;

/// The segment size to assume of a peer that names none. RFC 9293 §3.7.1 \[MUST-15\].
pub(crate) const DEFAULT_SEND_MSS: u16 = 536;

/// The sending half. RFC 9293 §3.3.1, Table 2.
#[derive(Clone, Debug)]
pub(crate) struct SendSide {
    /// ISS.
    pub(crate) iss: SeqNumber,
    /// SND.UNA.
    pub(crate) una: SeqNumber,
    /// SND.NXT.
    pub(crate) nxt: SeqNumber,
    /// The number after the highest that was ever sent.
    pub(crate) max: SeqNumber,
    /// SND.WND in octets, scaled. RFC 9293 §3.1 \[MUST-1\] \[REC-1\]: unsigned, 32 bits.
    pub(crate) window: u32,
    /// MAX.SND.WND: the largest window that the peer ever offered.
    pub(crate) max_window: u32,
    /// SND.WL1.
    pub(crate) wl1: SeqNumber,
    /// SND.WL2.
    pub(crate) wl2: SeqNumber,
    /// How far the peer's windows are shifted.
    pub(crate) scale: u8,
    /// The peer's MSS, bounded by ours and by the path.
    pub(crate) mss: u16,
    /// Octets that wait to be sent or acknowledged.
    queue: Chunks,
    /// The position after the last octet that the application wrote.
    written: u64,
    /// Whether the application has closed.
    pub(crate) fin: Fin,
    /// The number after the last octet that the application pushed.
    pub(crate) push: SeqNumber,
    /// SND.UP: the number after the last urgent octet. RFC 9293 §3.8.5 \[MUST-62\].
    pub(crate) urgent: Option<SeqNumber>,
    /// What holds text back.
    pub(crate) hold: Hold,
    /// Whether the application was refused room.
    pub(crate) refused: bool,
}

/// Whether a FIN follows the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fin {
    /// The application may write more.
    No,
    /// The application has closed: a FIN follows the last octet.
    Queued,
}

/// What held back text that is not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    Nothing,
    CongestionWindow,
    PeersWindow,
    Nagle,
}

impl SendSide {
    pub(crate) fn new(iss: SeqNumber) -> Self {
        Self {
            iss,
            una: iss,
            nxt: iss,
            max: iss,
            window: 0,
            max_window: 0,
            wl1: SeqNumber::default(),
            wl2: SeqNumber::default(),
            scale: 0,
            mss: DEFAULT_SEND_MSS,
            queue: Chunks::default(),
            written: 0,
            fin: Fin::No,
            push: iss,
            urgent: None,
            hold: Hold::Nothing,
            refused: false,
        }
    }

    /// Sets the numbers of a side whose queue is empty.
    pub(crate) fn unfold(&mut self, una: SeqNumber, nxt: SeqNumber, text_end: SeqNumber, state: State) {
        self.una = una;
        self.nxt = nxt;
        self.max = nxt;
        self.written = u64::from(text_end.since(self.iss + 1));
        self.queue.clear(self.written);
        self.push = text_end;
        if state == State::TimeWait {
            self.fin = Fin::Queued;
        }
    }

    /// The sequence number of a position: the first octet of text follows the SYN.
    fn number(&self, position: u64) -> SeqNumber {
        #[expect(clippy::cast_possible_truncation, reason = "sequence space is modulo 2^32")]
        let distance = position as u32;
        self.iss + 1 + distance
    }

    /// The position of an octet that is still in the queue.
    pub(crate) fn position(&self, seq: SeqNumber) -> u64 {
        self.queue.start() + u64::from(seq.since(self.number(self.queue.start())))
    }

    /// The number after the last octet of text: the FIN's.
    pub(crate) fn text_end(&self) -> SeqNumber {
        self.number(self.written)
    }

    /// Octets of text that were never sent, or are to be sent anew.
    pub(crate) fn unsent(&self) -> u32 {
        let end = self.text_end();
        if self.nxt.before(end) { end.since(self.nxt.later(self.iss + 1)) } else { 0 }
    }

    /// Whether a FIN is queued that has not left.
    pub(crate) fn fin_waits(&self) -> bool {
        self.fin == Fin::Queued && self.nxt.at_or_before(self.text_end())
    }

    /// Whether our FIN was sent and acknowledged.
    pub(crate) fn fin_acknowledged(&self) -> bool {
        self.fin == Fin::Queued && self.una.after(self.text_end())
    }

    /// Octets that wait to be sent or acknowledged.
    pub(crate) fn queued(&self) -> usize {
        usize::try_from(self.written - self.queue.start()).expect("the buffer's limit bounds it")
    }

    /// Adds text.
    pub(crate) fn write(&mut self, octets: &[u8]) {
        self.queue.write(self.written, octets);
        self.written += octets.len() as u64;
    }

    /// Gives back what was acknowledged up to `ack`; says how many octets of text.
    pub(crate) fn acknowledged(&mut self, ack: SeqNumber) -> u32 {
        let first = self.number(self.queue.start());
        let end = ack.earlier(self.text_end());
        if !end.after(first) {
            return 0;
        }
        let octets = end.since(first);
        let position = self.queue.start() + u64::from(octets);
        if position == self.written {
            self.queue.clear(position);
        } else {
            self.queue.discard_before(position);
        }
        octets
    }

    /// The text from `position` on.
    pub(crate) fn slices(&self, position: u64, length: u32) -> Slices<'_> {
        self.queue.slices(position, usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Begins anew at ISS, as a listener that goes back to LISTEN.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.iss);
    }

    /// Whether memory is kept for the next octets.
    pub(crate) fn has_spare(&self) -> bool {
        self.queue.has_spare()
    }

    /// Gives back the memory that is kept for the next octets.
    pub(crate) fn give_back(&mut self) {
        self.queue.give_back();
    }

    /// Throws all text away.
    pub(crate) fn clear(&mut self) {
        self.queue.clear(self.written);
    }

    /// How far before SND.UNA an acknowledgment may still lie: the largest window that the peer ever
    /// offered, but no more than it has ever acknowledged. RFC 5961 §5.2.
    pub(crate) fn reach(&self) -> u32 {
        // Counted in 64 bits, since SND.UNA - ISS begins anew each 2^32 octets; with SYN and FIN.
        let text = self.queue.start();
        let syn = u64::from(text > 0 || self.una != self.iss);
        let acknowledged = text + syn + u64::from(self.fin_acknowledged());
        u32::try_from(acknowledged).unwrap_or(u32::MAX).min(self.max_window)
    }

    /// How far the peer's window lets us go from SND.NXT; nothing if it shrank behind it.
    ///
    /// RFC 9293 §3.8.6.2.1: U = SND.UNA + SND.WND - SND.NXT; §3.8.6 \[MUST-34\] \[SHLD-15\].
    pub(crate) fn usable(&self) -> u32 {
        let edge = self.una + self.window;
        if edge.after(self.nxt) { edge.since(self.nxt) } else { 0 }
    }
}

/// The receiving half. RFC 9293 §3.3.1, Table 3.
#[derive(Clone, Debug)]
pub(crate) struct ReceiveSide {
    /// IRS.
    pub(crate) irs: SeqNumber,
    /// RCV.NXT.
    pub(crate) next: SeqNumber,
    /// RCV.NXT + RCV.WND: the right edge that the peer knows. It never moves left.
    pub(crate) edge: SeqNumber,
    /// How far our windows are shifted.
    pub(crate) scale: u8,
    /// Whether both sides scale their windows.
    pub(crate) scaling_agreed: bool,
    /// The window that we offer when nothing is queued, in octets; it grows while text arrives.
    pub(crate) limit: u32,
    /// Last.ACK.sent.
    pub(crate) last_ack: SeqNumber,
    /// The largest text that a segment carried, in octets: what "full-sized" means.
    pub(crate) largest: u32,
    /// Where the peer's FIN stands, once one has arrived.
    pub(crate) fin: Option<SeqNumber>,
    /// RCV.UP: the number after the last urgent octet.
    pub(crate) urgent: Option<SeqNumber>,
    /// What arrived twice and was not reported yet. RFC 2883.
    pub(crate) duplicate: Option<SackBlock>,
    /// What has arrived.
    pub(crate) queue: ReceiveQueue,
}

impl ReceiveSide {
    pub(crate) fn new(config: &Config, mss: u16) -> Self {
        let capacity = u32::try_from(config.receive_buffer).unwrap_or(u32::MAX).clamp(1, 1 << 30);
        let scale = if config.window_scaling { scale_for(capacity) } else { 0 };
        Self {
            irs: SeqNumber::default(),
            next: SeqNumber::default(),
            edge: SeqNumber::default(),
            scale,
            scaling_agreed: false,
            limit: config.initial_receive_window.clamp(1, capacity),
            last_ack: SeqNumber::default(),
            largest: u32::from(mss.min(DEFAULT_SEND_MSS)),
            fin: None,
            urgent: None,
            duplicate: None,
            queue: ReceiveQueue::default(),
        }
    }

    /// The peer's SYN told where it begins.
    pub(crate) fn begin(&mut self, irs: SeqNumber) {
        self.irs = irs;
        self.next = irs + 1;
        self.edge = self.next;
        self.last_ack = self.next;
    }

    /// RCV.WND as the peer knows it, in octets.
    pub(crate) fn window(&self) -> u32 {
        if self.edge.after(self.next) { self.edge.since(self.next) } else { 0 }
    }
}

/// The least shift with which 16 bits can tell a window of `capacity`. RFC 7323 §2.3: at most 14.
fn scale_for(capacity: u32) -> u8 {
    (0..14).find(|&shift| capacity >> shift <= 0xffff).unwrap_or(14)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5961 §5.2: the largest window, or all that was acknowledged, also where numbers begin anew.
    #[test]
    fn acknowledgments_reach_back_a_window_or_to_the_beginning() {
        let mut side = SendSide::new(SeqNumber::new(7));
        side.max_window = 1000;
        assert_eq!(side.reach(), 0);
        side.una = side.iss + 1;
        assert_eq!(side.reach(), 1);
        for (position, expected) in [(500, 501), (5000, 1000), (u64::from(u32::MAX), 1000), (1 << 40, 1000)] {
            side.queue.clear(position);
            side.una = side.number(position);
            assert_eq!(side.reach(), expected, "{position}");
        }
    }

    /// RFC 7323 §2.3: 2^16 - 1 octets need no shift, 2^30 the largest, 14.
    #[test]
    fn the_shift_is_the_least_that_can_tell_the_buffer() {
        assert_eq!([65_535, 65_536, 1 << 20, 1 << 30].map(scale_for), [0, 1, 5, 14]);
    }
}
