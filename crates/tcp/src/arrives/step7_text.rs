//! Step 7 of a segment's arrival: the text.
//!
//! RFC 9293 §3.10.7.4 (seventh); RFC 5681 §4.2 for when to acknowledge it.

use aperto_time::Instant;

use super::{Arrival, Step, text_length};
use crate::connection::{Connection, Holder};
use crate::drop_reason::DropReason;
use crate::event::Event;
use crate::note::Note;
use crate::reason::{AckCause, ResetCause};

impl Connection {
    pub(super) fn seventh_process_text(&mut self, now: Instant, arrival: &mut Arrival<'_>) -> Step {
        self.remember_fin(arrival);
        self.cut_at_fin(arrival);
        if arrival.text.is_empty() {
            self.ask_for_what_is_before_fin(arrival);
            return Step::Continue(());
        }
        if !self.state.can_receive() {
            // After its FIN the peer has no more text. Ignore it.
            return self.dropped(DropReason::DataAfterFin);
        }
        if self.holder == Holder::Nobody {
            let octets = text_length(arrival.text);
            self.abort_because(ResetCause::UnreadData { octets });
            return Step::Break(());
        }
        self.take_text(now, arrival);
        Step::Continue(())
    }

    /// RFC 9293 §3.10.7.4 \[SHLD-31\]: text beyond a hole is kept, \[MAY-13\] and answered at once.
    fn take_text(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let had_hole = self.receive.queue.has_hole();
        let expected = self.receive.next;
        let ahead = usize::try_from(arrival.seq.since(expected)).unwrap_or(usize::MAX);
        let length = text_length(arrival.text);
        let inserted = self.receive.queue.insert(ahead, arrival.text, self.config.max_pieces);
        let in_order = u32::try_from(inserted.in_order).unwrap_or(u32::MAX);
        self.receive.largest = self.receive.largest.max(length.min(u32::from(self.opening.mss)));
        self.receive.next += in_order;
        if in_order > 0 {
            self.grow_window(in_order);
            self.tell(Event::Readable);
            self.note(|| Note::Received { octets: in_order });
        }
        if inserted.refused {
            self.note(|| Note::Dropped { reason: DropReason::TooManyPieces });
        }
        let arrived = arrival.seq;
        if ahead > 0 {
            let octets = u32::try_from(inserted.new).unwrap_or(u32::MAX);
            self.note(|| Note::OutOfOrder { expected, arrived, octets });
            if inserted.new == 0 && !inserted.refused {
                self.report_duplicate(arrived, arrived + length);
            }
            self.acknowledge_now(AckCause::OutOfOrder { expected, arrived });
        } else if had_hole {
            self.acknowledge_now(AckCause::HoleFilled { octets: in_order });
        } else {
            self.acknowledge_text(now);
        }
    }

    /// Notes where the peer's FIN stands. The first place that was told counts: nobody can move it, and
    /// none stands before text that has arrived.
    pub(super) fn remember_fin(&mut self, arrival: &Arrival<'_>) {
        if !arrival.control.fin() {
            return;
        }
        let place = arrival.seq + text_length(arrival.text);
        let reach = u32::try_from(self.receive.queue.reach()).unwrap_or(u32::MAX);
        match self.receive.fin {
            None if self.state.can_receive() && place.before(self.receive.next + reach) => {
                self.note(|| Note::Dropped { reason: DropReason::FinMoved });
            }
            None if self.state.can_receive() && place.at_or_after(self.receive.next) => {
                self.receive.fin = Some(place);
            }
            Some(known) if known != place => self.note(|| Note::Dropped { reason: DropReason::FinMoved }),
            None | Some(_) => {}
        }
    }

    /// A FIN alone, beyond a hole, asks for what is missing as text would. RFC 5681 §4.2.
    fn ask_for_what_is_before_fin(&mut self, arrival: &Arrival<'_>) {
        let (expected, arrived) = (self.receive.next, arrival.seq);
        if arrival.control.fin() && arrived.after(expected) && self.state.can_receive() {
            self.acknowledge_now(AckCause::OutOfOrder { expected, arrived });
        }
    }

    /// Cuts off text that stands behind the peer's FIN.
    #[inline]
    fn cut_at_fin(&mut self, arrival: &mut Arrival<'_>) {
        let Some(fin) = self.receive.fin else { return };
        if !arrival.text.is_empty() && (arrival.seq + text_length(arrival.text)).after(fin) {
            let fits = if fin.after(arrival.seq) { fin.since(arrival.seq) } else { 0 };
            arrival.text = arrival.text.get(..usize::try_from(fits).unwrap_or(0)).unwrap_or(&[]);
            self.note(|| Note::Dropped { reason: DropReason::DataAfterFin });
        }
    }
}
