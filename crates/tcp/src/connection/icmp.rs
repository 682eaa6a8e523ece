//! What the network says about a segment of ours.
//!
//! RFC 9293 §3.9.2.2 and RFC 5927: anybody can forge an ICMP message, so a hard error ends only a
//! connection that is not open yet, and only one that quotes what is really in flight.
//!
//! Deviation: RFC 9293 SHLD-26 would abort an open connection on a hard error.

use aperto_time::Instant;
use aperto_wire::SeqNumber;

use super::Connection;
use crate::diagram::Cause;
use crate::event::End;
use crate::note::Note;
use crate::state::State;

/// What an ICMP message said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icmp {
    /// Destination unreachable (net, host, source route), time exceeded, parameter problem.
    Soft,
    /// Destination unreachable (protocol, port) and what else means "never".
    Hard,
    /// A packet was too big: the largest text that fits, without options.
    PathMtu {
        /// Octets of text.
        mss: u16,
    },
}

impl Connection {
    /// An ICMP message arrived that quotes a segment of this connection which began at `quoted`.
    ///
    /// RFC 9293 §3.9.2.2 \[MUST-56\], RFC 5927 §4. A soft error becomes a note: RFC 9293 §3.9.2.2
    /// \[SHLD-25\], §3.9.1.8 \[MUST-47\]; who does not want it does not watch \[SHLD-20\].
    pub fn icmp_arrives(&mut self, now: Instant, quoted: SeqNumber, what: Icmp) {
        let in_flight = quoted.at_or_after(self.send.una) && quoted.before(self.send.max);
        if !in_flight {
            return;
        }
        match what {
            Icmp::Soft => self.note(|| Note::SoftError),
            Icmp::Hard => match self.state {
                State::SynSent | State::SynReceived => {
                    self.finish(Cause::Unreachable, End::Unreachable);
                }
                State::Closed
                | State::Listen
                | State::Established
                | State::FinWait1
                | State::FinWait2
                | State::CloseWait
                | State::Closing
                | State::LastAck
                | State::TimeWait => self.note(|| Note::SoftError),
            },
            Icmp::PathMtu { mss } => self.path_shrank(now, mss),
        }
    }

    /// The path carries less than we thought: what is out was dropped and is sent again, smaller.
    /// That is no sign of congestion. RFC 1191 §6.4.
    fn path_shrank(&mut self, now: Instant, mss: u16) {
        let mss = mss.max(self.config.min_send_mss);
        if mss >= self.send.mss || !self.state.is_synchronized() {
            return;
        }
        self.send.mss = mss;
        if self.flight() > 0 && self.state != State::TimeWait {
            self.recovery.begin_smaller(self.send.una, self.send.nxt);
            self.start(crate::note::Timer::Retransmission, self.rtt.due(now, &self.config));
        }
    }
}
