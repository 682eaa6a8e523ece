//! A segment arrives in LISTEN.
//!
//! RFC 9293 §3.10.7.2. Text and FIN that come with a SYN are not queued: nobody has proven yet
//! that the sender can receive, and the peer will send them again.

use aperto_time::Instant;
use aperto_wire::tcp::Segment;

use crate::connection::Connection;
use crate::diagram::Cause;
use crate::drop_reason::DropReason;
use crate::reason::Reason;
use crate::state::State;

impl Connection {
    pub(super) fn arrives_in_listen(&mut self, now: Instant, segment: &Segment<'_>) {
        let header = &segment.header;
        // First, RST.
        if header.control.rst() {
            self.drop_segment(DropReason::UnprovenReset);
            return;
        }
        // Second, ACK.
        if header.control.ack() {
            self.needs.seldom().reply = Some(header.ack);
            self.drop_segment(DropReason::UnacceptableAck);
            return;
        }
        // Third, SYN. One with a FIN is no request that anybody honest makes.
        if header.control.syn() && header.control.fin() {
            self.drop_segment(DropReason::SynWithFin);
            return;
        }
        if header.control.syn() {
            if !segment.payload.is_empty() {
                self.drop_segment(DropReason::DataInSyn);
            }
            self.receive.begin(header.seq);
            self.agree_on_options(now, &header.options);
            self.take_first_window(header.window, header.seq);
            self.heard = now;
            self.waiting_since = now;
            self.enter(State::SynReceived, Cause::SynArrived);
            self.needs.seldom().syn = Some(Reason::PassiveOpen { irs: header.seq });
            return;
        }
        // Fourth, other data or control.
        self.drop_segment(DropReason::NotASyn);
    }
}
