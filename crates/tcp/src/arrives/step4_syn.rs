//! Step 4 of a segment's arrival: the SYN bit.
//!
//! RFC 9293 §3.10.7.4 (fourth) and RFC 5961 §4: on a synchronized connection a SYN gets a
//! challenge ACK wherever it stands. A SYN that may open a new connection over one in TIME-WAIT is
//! for the host to see, before it comes here (`Folded::may_be_reopened_by`).

use aperto_time::Instant;

use super::{Arrival, Step};
use crate::connection::{Connection, Fin, Origin};
use crate::drop_reason::DropReason;
use crate::reason::ChallengeCause;
use crate::state::State;

impl Connection {
    pub(super) fn fourth_check_syn(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        if !arrival.control.syn() {
            return Step::Continue(());
        }
        match (self.state, self.origin) {
            (State::SynReceived, Origin::Passive) if self.send.fin == Fin::No => {
                self.listen_again();
                Step::Break(())
            }
            _ => {
                self.challenge(now, ChallengeCause::Syn);
                self.dropped(DropReason::SynOnOpenConnection)
            }
        }
    }
}
