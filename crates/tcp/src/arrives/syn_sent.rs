//! A segment arrives in SYN-SENT.
//!
//! RFC 9293 §3.10.7.3.

use aperto_time::Instant;
use aperto_wire::tcp::{Control, Segment};

use crate::connection::Connection;
use crate::diagram::Cause;
use crate::drop_reason::DropReason;
use crate::event::End;
use crate::note::Timer;
use crate::reason::Reason;
use crate::state::State;

impl Connection {
    pub(super) fn arrives_in_syn_sent(&mut self, now: Instant, segment: &Segment<'_>) {
        let header = &segment.header;
        let control = header.control;
        // First, ACK.
        let acceptable = header.ack.after(self.send.iss) && header.ack.at_or_before(self.send.nxt);
        if control.ack() && !acceptable {
            if !control.rst() {
                self.needs.seldom().reply = Some(header.ack);
            }
            self.drop_segment(DropReason::UnacceptableAck);
            return;
        }
        // Second, RST: believed only with an acknowledgment of our SYN.
        if control.rst() {
            if control.ack() {
                self.finish(Cause::ResetArrived, End::Refused);
            } else {
                self.drop_segment(DropReason::UnprovenReset);
            }
            return;
        }
        // Third, security: declined, see docs/rfc/9293.toml.
        // Fourth, SYN.
        if !control.syn() {
            // Fifth, neither SYN nor RST.
            self.drop_segment(DropReason::NeitherSynNorReset);
            return;
        }
        self.receive.begin(header.seq);
        self.agree_on_options(now, &header.options);
        self.take_first_window(header.window, header.seq);
        self.heard = now;
        if control.ack() {
            self.synchronized_by_peer(now, segment);
        } else {
            self.send.nxt = self.send.iss;
            self.stop(Timer::Retransmission);
            self.waiting_since = now;
            self.enter(State::SynReceived, Cause::SynArrived);
            self.needs.seldom().syn = Some(Reason::SimultaneousOpen { irs: header.seq });
            self.send.nxt = self.send.iss + 1;
        }
    }

    /// Our SYN was acknowledged by the peer's: open. Text and FIN that came along are processed.
    fn synchronized_by_peer(&mut self, now: Instant, segment: &Segment<'_>) {
        let header = &segment.header;
        self.send.wl2 = header.ack;
        self.syn_acknowledged(now, header.ack);
        self.enter(State::Established, Cause::SynAckArrived);
        self.rearm_keep_alive(now);
        self.needs.handshake_ack = true;
        // The window that our SYN offered begins behind the peer's SYN.
        self.advertise(0);
        let mut arrival = self.arrival(segment);
        arrival.seq += 1;
        arrival.control = arrival.control - Control::SYN;
        self.trim(&mut arrival);
        self.remember_fin(&arrival);
        self.sixth_check_urg(&arrival);
        if self.seventh_process_text(now, &mut arrival).is_continue() {
            self.eighth_check_fin(now);
        }
    }
}
