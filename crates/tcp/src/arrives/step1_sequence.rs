//! Step 1 of a segment's arrival: the sequence number.
//!
//! RFC 9293 §3.10.7.4 (first), RFC 7323 §5.3 (PAWS). What lies outside of the window is cut off on
//! both sides, so that the steps that follow see a segment which fits.
//!
//! Deviation: a segment that begins before the window and ends beyond it is trimmed and kept,
//! where Table 6 of RFC 9293 rejects it. With a closed window, a segment at RCV.NXT is kept for
//! its acknowledgment, as the RFC allows, and its text is cut off and answered; a FIN there needs no
//! room and is taken. An empty segment at the right edge is taken, since a sender with a full window
//! acknowledges from there. The acknowledgment of an old segment counts if the segment begins less
//! than a window before RCV.NXT: ours may have been lost, and a stranger must still guess both
//! numbers. Its timestamp counts as well: the echo then tells when the copy left, and not when the first
//! did (RFC 7323 §5.3 has R2 before R3). Answers to empty segments are rationed as challenges are (RFC
//! 5961 §7).

use aperto_time::Instant;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Control;

use super::{Arrival, Step, text_length};
use crate::connection::Connection;
use crate::drop_reason::DropReason;
use crate::note::Note;
use crate::reason::{AckCause, Reason};
use crate::state::State;

impl Connection {
    /// What is left of the segment lies in the window.
    #[inline]
    pub(super) fn first_check_sequence_number(&mut self, now: Instant, arrival: &mut Arrival<'_>) -> Step {
        self.check_timestamp(now, arrival)?;
        self.check_crossing_syn(now, arrival)?;
        if !self.is_acceptable(arrival) {
            return self.unacceptable(now, arrival);
        }
        self.take_timestamp(now, arrival);
        self.trim(arrival);
        Step::Continue(())
    }

    /// RFC 7323 §5.3, R3.
    #[inline]
    fn take_timestamp(&mut self, now: Instant, arrival: &Arrival<'_>) {
        if let (Some(state), Some(arrived)) = (&mut self.timestamps, arrival.options.timestamps) {
            state.take(arrived, arrival.seq, self.receive.last_ack, now);
        }
    }

    /// PAWS: a timestamp before the last is a segment from the past. Resets are exempt.
    ///
    /// RFC 7323 §5.3, R1.
    #[inline]
    fn check_timestamp(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        let (Some(state), Some(arrived)) = (&self.timestamps, arrival.options.timestamps) else {
            return Step::Continue(());
        };
        if arrival.control.rst() || !state.is_old(arrived, now) {
            return Step::Continue(());
        }
        let (value, recent) = (arrived.value, state.recent);
        let cause = AckCause::OldTimestamp { value, recent };
        if arrival.length() == 0 {
            self.acknowledge_rarely(now, cause);
        } else {
            self.acknowledge_now(cause);
        }
        self.dropped(DropReason::OldTimestamp)
    }

    /// A SYN that crosses or repeats the one we have: in SYN-RECEIVED it is not out of order.
    ///
    /// RFC 9293 §3.5 \[MUST-10\], Figures 8 and 10: with an acknowledgment of our SYN it opens the connection;
    /// without, our SYN,ACK was lost and is sent again.
    #[inline]
    fn check_crossing_syn(&mut self, now: Instant, arrival: &mut Arrival<'_>) -> Step {
        let repeated = self.state == State::SynReceived
            && arrival.control.syn()
            && !arrival.control.rst()
            && arrival.seq == self.receive.irs;
        if !repeated {
            return Step::Continue(());
        }
        if arrival.control.ack() {
            arrival.seq += 1;
            arrival.control = arrival.control - Control::SYN;
            return Step::Continue(());
        }
        self.hear(now);
        let because = crate::reason::RetransmissionCause::SynAgain;
        self.needs.seldom().syn = Some(Reason::Retransmission { because, octets: 0 });
        self.dropped(DropReason::OldData)
    }

    /// Whether any part of the segment lies in the window. RFC 9293 §3.10.7.4, Table 6; §3.4
    /// \[MUST-66\]: with a closed window what stands at RCV.NXT is looked at, for ACK, RST and URG.
    fn is_acceptable(&self, arrival: &Arrival<'_>) -> bool {
        let (next, window) = (self.receive.next, self.receive.window());
        let length = arrival.length();
        if arrival.seq == next {
            return true;
        }
        if length == 0 {
            // A pure acknowledgment at the right edge is what a sender with a full window emits.
            return arrival.seq.in_window(next, window)
                || (arrival.seq == next + window && !arrival.control.rst());
        }
        let last = arrival.end() - 1;
        arrival.seq.in_window(next, window)
            || last.in_window(next, window)
            || (window > 0 && arrival.seq.before(next) && last.at_or_after(next + window))
    }

    /// RFC 9293 §3.10.7.4, first: answered by an acknowledgment, unless it is a reset.
    #[cold]
    fn unacceptable(&mut self, now: Instant, arrival: &Arrival<'_>) -> Step {
        if arrival.control.rst() {
            let reason = if self.state == State::TimeWait {
                DropReason::ResetInTimeWait
            } else {
                DropReason::OutsideWindow
            };
            return self.dropped(reason);
        }
        if arrival.control.syn() && self.state.is_synchronized() {
            self.fourth_check_syn(now, arrival)?;
        }
        let old = arrival.end().at_or_before(self.receive.next);
        let (expected, window) = (self.receive.next, self.receive.window());
        let keep_alive = arrival.seq == expected - 1 && arrival.text.len() <= 1 && !arrival.control.fin();
        if old {
            self.answer_old(now, arrival, keep_alive);
            return self.dropped(DropReason::OldData);
        }
        let cause = AckCause::Unacceptable { arrived: arrival.seq, expected, window };
        if arrival.length() == 0 {
            self.acknowledge_rarely(now, cause);
        } else {
            self.acknowledge_now(cause);
        }
        self.dropped(DropReason::OutsideWindow)
    }

    /// Everything in the segment has been received before: say so, and that it came twice.
    ///
    /// RFC 2883 §4. Its acknowledgment may still be news, in case ours was lost.
    fn answer_old(&mut self, now: Instant, arrival: &Arrival<'_>, keep_alive: bool) {
        self.heard = now;
        let text = text_length(arrival.text);
        if keep_alive {
            self.acknowledge_now(AckCause::ProbeAnswered);
        } else if arrival.length() > 0 {
            self.report_duplicate(arrival.seq, arrival.seq + text);
            self.acknowledge_now(AckCause::Duplicate { arrived: arrival.seq });
            self.fin_again(now, arrival);
        } else {
            let (expected, window) = (self.receive.next, self.receive.window());
            self.acknowledge_rarely(now, AckCause::Unacceptable { arrived: arrival.seq, expected, window });
        }
        let of_last_window = self.receive.next.since(arrival.seq) <= self.receive.limit;
        if arrival.control.ack() && self.state.is_synchronized() && of_last_window {
            let acknowledged = self.fifth_check_ack(now, arrival);
            if acknowledged.is_continue() && arrival.length() > 0 {
                self.take_timestamp(now, arrival);
            }
        }
    }

    /// The peer's FIN came again in TIME-WAIT: the wait begins anew. RFC 9293 §3.10.7.4, fifth and eighth.
    fn fin_again(&mut self, now: Instant, arrival: &Arrival<'_>) {
        if self.state == State::TimeWait && arrival.control.fin() {
            self.start(crate::note::Timer::TimeWait, now + self.config.msl.saturating_mul(2));
        }
    }

    /// What was received twice is reported by the next acknowledgment. RFC 2883 §4.
    pub(super) fn report_duplicate(&mut self, start: SeqNumber, end: SeqNumber) {
        if self.sack && start.before(end) {
            self.receive.duplicate = Some(aperto_wire::tcp::SackBlock { start, end });
        }
    }

    /// Cuts off what lies before the window and beyond it.
    #[inline]
    pub(super) fn trim(&mut self, arrival: &mut Arrival<'_>) {
        let next = self.receive.next;
        if arrival.seq.before(next) && !arrival.control.syn() {
            let old = next.since(arrival.seq).min(text_length(arrival.text));
            self.report_duplicate(arrival.seq, arrival.seq + old);
            arrival.text = arrival.text.get(usize::try_from(old).unwrap_or(usize::MAX)..).unwrap_or(&[]);
            arrival.seq += old;
        }
        let edge = next + self.receive.window();
        let text_end = arrival.seq + text_length(arrival.text);
        if text_end.after(edge) && !arrival.text.is_empty() {
            let fits = if edge.after(arrival.seq) { edge.since(arrival.seq) } else { 0 };
            arrival.text = arrival.text.get(..usize::try_from(fits).unwrap_or(0)).unwrap_or(&[]);
            arrival.control = arrival.control - Control::FIN;
            let expected = next;
            let window = self.receive.window();
            let probe = window == 0 && arrival.seq == next;
            self.acknowledge_now(if probe {
                AckCause::ProbeAnswered
            } else {
                AckCause::Unacceptable { arrived: arrival.seq, expected, window }
            });
            self.note(|| Note::Dropped { reason: DropReason::BeyondWindow });
        }
    }
}
