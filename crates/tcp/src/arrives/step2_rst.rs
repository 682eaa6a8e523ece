//! Step 2 of a segment's arrival: the RST bit.
//!
//! RFC 9293 §3.10.7.4 (second) and RFC 5961 §3. Only a RST at exactly RCV.NXT ends the connection;
//! one elsewhere in the window gets a challenge ACK, one outside of it did not pass step 1.
//!
//! Deviation: a RST in TIME-WAIT is ignored (RFC 1337 §3), so that nobody can end the wait early.

use aperto_time::Instant;

use super::{Arrival, Step};
use crate::connection::{Connection, Fin, Origin};
use crate::diagram::Cause;
use crate::drop_reason::DropReason;
use crate::event::End;
use crate::reason::ChallengeCause;
use crate::state::State;

impl Connection {
    /// Text that comes with a reset does not count against it. RFC 9293 §3.5.3 \[SHLD-2\].
    pub(super) fn second_check_rst(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        if !arrival.control.rst() {
            return Step::Continue(());
        }
        if self.state == State::TimeWait {
            return self.dropped(DropReason::ResetInTimeWait);
        }
        if arrival.seq != self.receive.next {
            let (arrived, expected) = (arrival.seq, self.receive.next);
            self.challenge(now, ChallengeCause::Reset { arrived, expected });
            return self.dropped(DropReason::InexactReset);
        }
        match self.state {
            State::SynReceived => self.reset_in_syn_received(),
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => self.finish(Cause::ResetArrived, End::Reset),
            State::Closed | State::Listen | State::SynSent | State::TimeWait => {}
        }
        Step::Break(())
    }

    /// A passive open returns to LISTEN and its user need not know, unless the user has closed; an
    /// active one was refused.
    fn reset_in_syn_received(&mut self) {
        match (self.origin, self.send.fin) {
            (Origin::Passive, Fin::No) => self.listen_again(),
            (Origin::Passive, Fin::Queued) | (Origin::Active, _) => {
                self.finish(Cause::ResetArrived, End::Refused);
            }
        }
    }

    /// Back to LISTEN: everything that was learnt of the peer is forgotten.
    ///
    /// RFC 9293 §3.10.7.4, second; Figure 5, note 1.
    pub(super) fn listen_again(&mut self) {
        self.enter(State::Listen, Cause::BackToListen);
        let fresh = Self::new(self.config.clone(), self.opening, Origin::Passive);
        self.send.restart();
        self.receive = fresh.receive;
        self.recovery = fresh.recovery;
        self.rtt = fresh.rtt;
        self.timestamps = None;
        self.sack = false;
        self.timers.stop_all();
        self.needs = fresh.needs;
        self.acknowledgments = fresh.acknowledgments;
        self.challenge_from = Instant::ZERO;
    }
}
