//! Step 8 of a segment's arrival: the FIN bit.
//!
//! RFC 9293 §3.10.7.4 (eighth). A FIN beyond a hole waits for the hole to be filled; where it
//! stands was noted when it arrived.

use aperto_time::Instant;

use crate::connection::Connection;
use crate::diagram::Cause;
use crate::reason::AckCause;
use crate::state::State;

impl Connection {
    pub(super) fn eighth_check_fin(&mut self, now: Instant) {
        if self.receive.fin != Some(self.receive.next) {
            return;
        }
        match self.state {
            State::SynReceived | State::Established => {
                self.pass_fin();
                self.enter(State::CloseWait, Cause::FinArrived);
            }
            State::FinWait1 if self.send.fin_acknowledged() => {
                self.pass_fin();
                self.enter(State::TimeWait, Cause::FinArrivedAndOursAcknowledged);
                self.begin_time_wait(now);
            }
            State::FinWait1 => {
                self.pass_fin();
                self.enter(State::Closing, Cause::FinArrived);
            }
            State::FinWait2 => {
                self.pass_fin();
                self.enter(State::TimeWait, Cause::FinArrived);
                self.begin_time_wait(now);
            }
            // A FIN was passed before: RCV.NXT stands behind it, so this is not reached.
            State::Closed
            | State::Listen
            | State::SynSent
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {}
        }
    }

    /// RCV.NXT moves over the FIN, which is acknowledged at once.
    fn pass_fin(&mut self) {
        self.receive.next += 1;
        let half_closed = self.send.fin == crate::connection::Fin::No;
        self.acknowledge_now(AckCause::FinArrived { half_closed });
    }
}
