//! Step 5 of a segment's arrival: the ACK field.
//!
//! RFC 9293 §3.10.7.4 (fifth), RFC 5961 §5, RFC 5681 §3, RFC 6298 §5, RFC 6675 §5, RFC 6582 §3.2.

use aperto_time::Instant;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::SackBlock;

use super::{Arrival, Step, text_length};
use crate::connection::{Connection, Fin, Holder};
use crate::diagram::Cause;
use crate::drop_reason::DropReason;
use crate::event::{End, Event};
use crate::note::{Note, Timer, WindowChange};
use crate::reason::{AckCause, ChallengeCause};
use crate::recovery::Phase;
use crate::state::State;

impl Connection {
    pub(super) fn fifth_check_ack(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        if !arrival.control.ack() {
            return self.dropped(DropReason::NoAck);
        }
        if self.state == State::SynReceived {
            self.ack_in_syn_received(now, arrival)?;
        }
        self.check_ack_range(now, arrival)?;
        if self.send.una == self.send.iss {
            // Closed in SYN-RECEIVED: the acknowledgment of the SYN is still to come.
            if !arrival.ack.after(self.send.una) {
                return self.dropped(DropReason::UnacceptableAck);
            }
            self.syn_acknowledged(now, arrival.ack);
        }
        let news = self.learn_sack(arrival);
        if arrival.ack.after(self.send.una) {
            self.newly_acknowledged(now, arrival);
        } else {
            self.perhaps_duplicate(now, arrival, news);
        }
        self.update_send_window(now, arrival);
        match self.state {
            State::FinWait1 if self.send.fin_acknowledged() => {
                if self.fin_completes(arrival) {
                    return Step::Continue(());
                }
                self.enter(State::FinWait2, Cause::FinAcknowledged);
                if self.holder == Holder::Nobody {
                    self.limit_orphan(now);
                }
            }
            State::Closing if self.send.fin_acknowledged() => {
                self.enter(State::TimeWait, Cause::FinAcknowledged);
                self.begin_time_wait(now);
            }
            State::LastAck if self.send.fin_acknowledged() => {
                self.finish(Cause::FinAcknowledged, End::Closed);
                return Step::Break(());
            }
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {}
        }
        Step::Continue(())
    }

    /// Whether the segment, beside acknowledging our FIN, brings the peer's at RCV.NXT: step 8 then
    /// goes to TIME-WAIT at once (Figure 5, note 2).
    fn fin_completes(&self, arrival: &Arrival<'_>) -> bool {
        let place = arrival.seq + text_length(arrival.text);
        let known = self.receive.fin.is_none_or(|fin| fin == place);
        let next = arrival.seq == self.receive.next && !self.receive.queue.has_hole();
        arrival.control.fin() && known && next
    }

    /// RFC 9293 §3.10.7.4, fifth, SYN-RECEIVED STATE.
    fn ack_in_syn_received(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        let ours = arrival.ack.after(self.send.una) && arrival.ack.at_or_before(self.send.max);
        if !ours {
            self.needs.seldom().reply = Some(arrival.ack);
            return self.dropped(DropReason::UnacceptableAck);
        }
        self.enter(State::Established, Cause::SynAcknowledged);
        self.send.window = arrival.window;
        self.send.wl1 = arrival.seq;
        self.send.wl2 = arrival.ack;
        self.needs.take(|it| &mut it.syn);
        self.syn_acknowledged(now, arrival.ack);
        self.rearm_keep_alive(now);
        if self.send.fin == Fin::Queued {
            // The close that was queued until now. RFC 9293 §3.10.4, SYN-RECEIVED STATE.
            self.enter(State::FinWait1, Cause::CloseCalled);
            if self.holder == Holder::Nobody {
                self.limit_orphan(now);
            }
        }
        Step::Continue(())
    }

    /// Our SYN was acknowledged: SND.UNA moves over it, and the congestion window begins.
    pub(super) fn syn_acknowledged(&mut self, now: Instant, ack: SeqNumber) {
        let lost = self.rtt.attempts() > 0;
        self.send.una = self.send.iss + 1;
        self.recovery = crate::recovery::Recovery::new(self.send.una);
        self.congestion.opened(&self.config, self.effective_mss(), lost);
        if let Some(rtt) = self.rtt.sample(ack, now) {
            self.take_sample(rtt);
        } else if lost {
            self.rtt.syn_was_lost();
        }
        self.rtt.progress();
        self.note_congestion(WindowChange::Initial);
        self.stop(Timer::Retransmission);
        self.waiting_since = now;
    }

    /// An acknowledgment of what was never sent, or one too old to be true, is no acknowledgment.
    ///
    /// RFC 9293 §3.10.7.4, fifth \[MAY-12\]; RFC 5961 §5.2, with the tighter bound that no more can
    /// be acknowledged than was ever sent.
    fn check_ack_range(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        let ack = arrival.ack;
        if ack.after(self.send.max) {
            let next = self.send.nxt;
            self.acknowledge_rarely(now, AckCause::AckOfUnsent { ack, next });
            return self.dropped(DropReason::AckOfUnsent);
        }
        if ack.before(self.send.una - self.send.reach()) {
            let una = self.send.una;
            self.challenge(now, ChallengeCause::OldAck { ack, una });
            return self.dropped(DropReason::AckTooOld);
        }
        Step::Continue(())
    }

    /// Reads the SACK blocks; says whether they held news. RFC 6675 §4 (Update).
    fn learn_sack(&mut self, arrival: &Arrival<'_>) -> bool {
        let blocks = &arrival.options.sack;
        if !self.sack || blocks.is_empty() {
            return false;
        }
        let una = self.send.una.later(arrival.ack.earlier(self.send.max));
        let (nxt, most) = (self.send.nxt, self.config.max_pieces);
        self.recovery.advance(una);
        let mut ignored = aperto_wire::tcp::SackBlocks::NONE;
        let news = self.recovery.take_sack(blocks.as_slice(), una, nxt, most, |block| {
            ignored.push(block);
        });
        for &block in ignored.as_slice() {
            let received_twice = block.start.before(block.end) && block.end.at_or_before(arrival.ack);
            self.note(|| {
                if received_twice { Note::DuplicateSack { block } } else { Note::SackIgnored { block } }
            });
        }
        news
    }

    /// SND.UNA moves. RFC 5681 §3.1, RFC 6298 §5.2 and §5.3.
    fn newly_acknowledged(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let ack = arrival.ack;
        let flight = self.flight();
        let octets = ack.since(self.send.una);
        let text = self.send.acknowledged(ack);
        self.send.una = ack;
        self.send.nxt = self.send.nxt.later(ack);
        self.recovery.advance(ack);
        self.note(|| Note::Acknowledged { octets: text, una: ack });
        self.sample_round_trip(now, arrival);
        self.rtt.progress();
        self.waiting_since = now;
        self.open_congestion_window(octets, flight);
        if self.flight() == 0 {
            self.stop(Timer::Retransmission);
        } else if !self.timers.runs(Timer::Persist) {
            let at = self.rtt.due(now, &self.config);
            self.start(Timer::Retransmission, at);
        }
        if self.holder == Holder::Nobody && self.timers.runs(Timer::TimeWait) {
            self.limit_orphan(now);
        }
        if self.send.refused && text > 0 {
            self.send.refused = false;
            self.tell(Event::Writable);
        }
        if self.send.urgent.is_some_and(|urgent| urgent.at_or_before(ack)) {
            self.send.urgent = None;
        }
    }

    /// A sample from the timed segment, or from the echoed timestamp where something was sent
    /// twice. RFC 6298 §3, RFC 7323 §4.1.
    fn sample_round_trip(&mut self, now: Instant, arrival: &Arrival<'_>) {
        if let Some(rtt) = self.rtt.sample(arrival.ack, now) {
            self.take_sample(rtt);
            return;
        }
        if !self.rtt.is_ambiguous() {
            return;
        }
        let echoed = self.timestamps.zip(arrival.options.timestamps);
        match echoed.and_then(|(state, arrived)| state.round_trip(arrived.echo, now)) {
            Some(rtt) if !self.answers_a_copy(now, arrival, rtt) => self.take_sample(rtt),
            Some(_) | None => self.note(|| Note::RttAmbiguous),
        }
    }

    /// Whether an acknowledgment answers what was sent again, but echoes when it was sent first: its
    /// own was lost, and the time between is the timer's and not the network's.
    ///
    /// RFC 7323 §5.3 has the peer reject such a copy (R2) before it would take its timestamp (R3). It
    /// tells by RFC 2883 §4 that it has it twice. Taken as samples, such times make the timeout grow
    /// from one lost acknowledgment to the next, without an end.
    fn answers_a_copy(&self, now: Instant, arrival: &Arrival<'_>, rtt: aperto_time::Duration) -> bool {
        let twice = |block: &SackBlock| block.start.before(arrival.ack);
        self.sack
            && arrival.options.sack.as_slice().first().is_some_and(twice)
            && self.rtt.began_before_sending_again(rtt, now)
    }

    fn take_sample(&mut self, rtt: aperto_time::Duration) {
        self.rtt.update(rtt, &self.config);
        if self.is_watched() {
            let (srtt, rttvar) = (self.rtt.srtt().unwrap_or(rtt), self.rtt.rttvar());
            let rto = self.rtt.rto(&self.config);
            self.note(|| Note::RttSample { rtt, srtt, rttvar, rto });
        }
    }

    /// The phases of loss recovery, and the congestion window outside of them.
    ///
    /// RFC 5681 §3.1 and §3.2, RFC 6582 §3.2, RFC 6675 §5.
    fn open_congestion_window(&mut self, octets: u32, flight_before: u32) {
        let (una, nxt) = (self.send.una, self.send.nxt);
        let mss = self.effective_mss();
        let cwnd = self.congestion.cwnd();
        match self.recovery.phase() {
            Phase::Fast { recover } if una.at_or_after(recover) => {
                self.recovery.end(una);
                self.congestion.recovered(self.flight(), mss);
                self.note_congestion(WindowChange::RecoveryEnded);
            }
            Phase::Fast { .. } if self.sack => {
                self.recovery.mark_lost(mss, self.config.duplicate_ack_threshold);
            }
            Phase::Fast { .. } => self.recovery.partial_ack(octets, una, nxt, mss),
            Phase::Timeout { recover } if una.at_or_after(recover) => {
                self.recovery.end(una);
                self.grow_congestion_window(octets, mss, mss, true);
            }
            Phase::Timeout { .. } => {
                self.recovery.forget_duplicates();
                self.grow_congestion_window(octets, mss, mss, true);
            }
            Phase::Open => {
                self.recovery.forget_duplicates();
                // The window was in use if it was nearly full, or in slow start half full.
                let used = flight_before.saturating_add(mss);
                let limited = if cwnd < self.congestion.ssthresh() { cwnd / 2 < used } else { cwnd <= used };
                self.grow_congestion_window(octets, mss, 2 * mss, limited);
            }
        }
    }

    fn grow_congestion_window(&mut self, octets: u32, mss: u32, limit: u32, limited: bool) {
        let before = self.congestion.cwnd();
        if let Some(change) = self.congestion.acknowledged(octets, mss, limit, limited)
            && self.congestion.cwnd() != before
        {
            self.note_congestion(change);
        }
    }

    /// Nothing new was acknowledged: is it a duplicate, and the sign of a loss?
    ///
    /// RFC 5681 §2 and §3.2; with SACK, what counts is that something new was reported (RFC 6675 §2).
    fn perhaps_duplicate(&mut self, now: Instant, arrival: &Arrival<'_>, news: bool) {
        let outstanding = self.flight() > 0;
        let bare = arrival.text.is_empty() && !arrival.control.fin();
        let duplicate = if self.sack {
            news
        } else {
            bare && arrival.ack == self.send.una && arrival.window == self.send.window
        };
        if !outstanding || !duplicate || self.timers.runs(Timer::Persist) {
            return;
        }
        let mss = self.effective_mss();
        let threshold = self.config.duplicate_ack_threshold;
        let recovering = self.recovery.phase() != Phase::Open;
        let limited =
            self.config.limited_transmit || recovering || self.recovery.duplicate_acks() + 1 >= threshold;
        let credit = if self.sack || !limited || matches!(self.recovery.phase(), Phase::Timeout { .. }) {
            0
        } else {
            mss
        };
        let count = self.recovery.duplicate_ack(credit, self.flight());
        let ack = arrival.ack;
        self.note(|| Note::DuplicateAck { count, ack });
        if self.sack {
            self.recovery.mark_lost(mss, threshold);
        }
        let lost =
            (count >= threshold && !self.recovery.is_held()) || self.recovery.first_is_lost(self.send.una);
        if lost && self.recovery.phase() == Phase::Open {
            // What limited transmit sent beyond the window does not count. RFC 5681 §3.2 (2).
            self.congestion.lost(self.flight().min(self.congestion.cwnd()), mss);
            let credit = if self.sack { 0 } else { mss.saturating_mul(count).min(self.flight()) };
            self.recovery.begin_fast(self.send.una, self.send.nxt, mss, credit);
            self.note_congestion(WindowChange::FastRetransmit);
            let at = self.rtt.due(now, &self.config);
            self.start(Timer::Retransmission, at);
        }
    }

    /// SND.WND moves, but not by an old segment. RFC 9293 §3.10.7.4, fifth, ESTABLISHED STATE.
    ///
    /// A segment that acknowledges more than any before is newer than all of them, also where it
    /// repeats old text and so stands before SND.WL1: its window counts. SND.WND is an offset from
    /// SND.UNA, so without it the right edge would slide along with SND.UNA, beyond any that the peer
    /// ever offered.
    fn update_send_window(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let send = &mut self.send;
        let newer = send.wl2.before(arrival.ack)
            || send.wl1.before(arrival.seq)
            || (send.wl1 == arrival.seq && send.wl2 == arrival.ack);
        if !newer || arrival.ack.before(send.una) {
            return;
        }
        send.wl1 = send.wl1.later(arrival.seq);
        send.wl2 = arrival.ack;
        let before = send.window;
        send.window = arrival.window;
        send.max_window = send.max_window.max(arrival.window);
        let window = arrival.window;
        if window != before {
            self.note(|| Note::SendWindow { window });
        }
        if self.timers.runs(Timer::Persist) {
            self.probe_was_answered(now);
        } else if window == 0 {
            // Closed over what is in flight: a peer that answers is alive (RFC 9293 §3.8.6.1 [MUST-37]).
            self.waiting_since = now;
        }
    }

    /// The peer answered while its window was closed: if it has opened, text flows again.
    ///
    /// RFC 9293 §3.8.6.1 \[MUST-37\].
    fn probe_was_answered(&mut self, now: Instant) {
        self.waiting_since = now;
        let something_waits = self.send.unsent() > 0 || self.send.fin_waits() || self.flight() > 0;
        if self.send.window == 0 && something_waits {
            return;
        }
        self.stop(Timer::Persist);
        self.rtt.answered();
        self.needs.take(|it| &mut it.probe);
        if self.flight() > 0 {
            // The window had shrunk over what was in flight, and the peer has thrown that away.
            self.recovery.begin_again(self.send.una, self.send.nxt);
            self.start(Timer::Retransmission, self.rtt.due(now, &self.config));
        }
    }

    /// TIME-WAIT begins: only its own timer runs. RFC 9293 §3.6.1 \[MUST-13\].
    pub(super) fn begin_time_wait(&mut self, now: Instant) {
        self.timers.stop_all();
        self.start(Timer::TimeWait, now + self.config.msl.saturating_mul(2));
    }
}
