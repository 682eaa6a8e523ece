//! What happens when a timer fires.
//!
//! RFC 9293 §3.10.8 and §3.8.1, §3.8.3, §3.8.4, §3.8.6.1; RFC 6298 §5.

use aperto_time::{Duration, Instant};

use super::{Connection, Holder, Origin};
use crate::diagram::Cause;
use crate::event::{End, Event};
use crate::note::{Note, Timer, WindowChange};
use crate::reason::{AckCause, Reason, ResetCause, RetransmissionCause};
use crate::state::State;

impl Connection {
    /// The time is `now`: handles every timer that is due.
    pub fn deadline_passed(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Retransmission | Timer::User => self.retransmission_due(now),
                Timer::Persist => self.persist_due(now),
                Timer::Override => self.needs.override_due = true,
                Timer::DelayedAck => self.delayed_ack_due(),
                Timer::KeepAlive => self.keep_alive_due(now),
                Timer::TimeWait => self.time_wait_due(),
            }
        }
    }

    /// RFC 6298 §5.4 to §5.6; RFC 9293 §3.8.3 \[MUST-20\] \[MUST-21\] \[MUST-22\]: a SYN counts as text does.
    fn retransmission_due(&mut self, now: Instant) {
        let unopened = self.send.una == self.send.iss;
        if !unopened && self.send.window == 0 {
            // The window shrank to nothing over what is in flight. RFC 9293 §3.8.6 [MUST-35] [SHLD-17].
            self.persist_due(now);
            return;
        }
        let patience = if unopened { self.config.syn_timeout } else { self.config.user_timeout };
        let waited = now.since(self.waiting_since);
        self.rtt.back_off(&self.config);
        let attempt = self.rtt.attempts();
        let (rto, una) = (self.rtt.last_rto(), self.send.una);
        let (srtt, rttvar, minimum) = (self.rtt.srtt(), self.rtt.rttvar(), self.config.rto_min);
        self.note(|| Note::RetransmissionTimeout { una, rto, srtt, rttvar, minimum, attempt });
        let stranger = self.origin == Origin::Passive && unopened;
        if waited >= patience || (stranger && attempt > self.config.syn_ack_retries) {
            self.give_up();
            return;
        }
        if unopened {
            self.ask_again(attempt, rto);
        } else {
            self.congestion.timed_out(self.flight(), self.effective_mss(), attempt == 1);
            self.recovery.begin_timeout(self.send.una, self.send.nxt);
            self.note_congestion(WindowChange::Timeout);
        }
        if attempt == self.config.r1 {
            self.note(|| Note::DeliveryTrouble { attempt });
            self.tell(Event::DeliveryTrouble);
        }
        let left = patience.saturating_sub(waited);
        self.start(Timer::Retransmission, now + self.rtt.rto(&self.config).min(left));
    }

    /// The SYN, or SYN,ACK, leaves again.
    fn ask_again(&mut self, attempt: u32, rto: Duration) {
        let next_rto = self.rtt.rto(&self.config);
        // RFC 5681 §3.1: after a lost SYN the initial window is one segment.
        self.congestion.opened(&self.config, self.effective_mss(), true);
        let cwnd = self.congestion.cwnd();
        let because = RetransmissionCause::Timeout { attempt, rto, next_rto, cwnd };
        self.needs.seldom().syn = Some(Reason::Retransmission { because, octets: 0 });
    }

    /// The peer was silent for longer than the user allows. RFC 9293 §3.10.8, USER TIMEOUT.
    fn give_up(&mut self) {
        if self.state.is_synchronized() {
            self.needs.seldom().reset = Some(ResetCause::GaveUp);
        }
        self.finish(Cause::UserTimeout, End::TimedOut);
    }

    /// RFC 9293 §3.8.6.1 \[SHLD-29\] \[SHLD-30\]: the first probe after a timeout, the next twice as late.
    /// As long as the peer answers, the connection stays open \[MUST-37\].
    fn persist_due(&mut self, now: Instant) {
        if now.since(self.heard.max(self.waiting_since)) >= self.config.user_timeout {
            self.give_up();
            return;
        }
        self.rtt.back_off(&self.config);
        let (attempt, waited) = (self.rtt.attempts(), self.rtt.last_rto());
        let next = self.rtt.rto(&self.config);
        self.note(|| Note::TimerFired { timer: Timer::Persist, after: waited });
        self.needs.seldom().probe = Some(Reason::WindowProbe { attempt, waited, next });
        self.start(Timer::Persist, now + next);
    }

    /// RFC 9293 §3.8.6.3: nothing came that the acknowledgment could have travelled with.
    fn delayed_ack_due(&mut self) {
        let octets = self.receive.next.since(self.receive.last_ack);
        let waited = self.config.delayed_ack;
        self.note(|| Note::TimerFired { timer: Timer::DelayedAck, after: waited });
        self.acknowledge_now(AckCause::Delayed { waited, octets });
    }

    /// RFC 9293 §3.8.4 \[MUST-26\] \[MUST-29\]: probes only an idle connection, and one lost probe proves nothing.
    fn keep_alive_due(&mut self, now: Instant) {
        let idle = now.since(self.heard);
        let waiting = self.flight() > 0 || self.send.unsent() > 0;
        let Some(keep_alive) = &mut self.keep_alive else { return };
        let settings = keep_alive.settings;
        let due = settings.idle.saturating_add(settings.interval.saturating_mul(keep_alive.unanswered));
        if idle < due || waiting {
            self.rearm_keep_alive(now);
            return;
        }
        if keep_alive.unanswered >= settings.probes {
            self.give_up();
            return;
        }
        keep_alive.unanswered += 1;
        let attempt = keep_alive.unanswered;
        self.note(|| Note::TimerFired { timer: Timer::KeepAlive, after: idle });
        self.needs.seldom().probe = Some(Reason::KeepAlive { attempt, idle });
        self.start(Timer::KeepAlive, now + settings.interval);
    }

    /// Sets the keep-alive timer as far ahead as the peer was heard lately.
    pub(crate) fn rearm_keep_alive(&mut self, now: Instant) {
        let Some(keep_alive) = &mut self.keep_alive else { return };
        let open = self.state.is_synchronized() && self.state != State::TimeWait;
        if !open {
            return;
        }
        if now.since(self.heard) < keep_alive.settings.idle {
            keep_alive.unanswered = 0;
        }
        let settings = keep_alive.settings;
        let due = self.heard + settings.idle + settings.interval.saturating_mul(keep_alive.unanswered);
        self.start(Timer::KeepAlive, due.max(now + settings.interval.min(settings.idle)));
    }

    /// The end of TIME-WAIT (RFC 9293 §3.10.8), or of an orphan's patience.
    fn time_wait_due(&mut self) {
        if self.state == State::TimeWait {
            self.note(|| Note::TimerFired { timer: Timer::TimeWait, after: Duration::ZERO });
            self.finish(Cause::TimeWaitOver, End::Closed);
        } else if self.holder == Holder::Nobody && self.state != State::Closed {
            self.finish(Cause::OrphanTimeout, End::TimedOut);
        }
    }
}
