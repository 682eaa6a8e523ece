//! A segment arrives.
//!
//! RFC 9293 §3.10.7: one file for each state before synchronization, then the eight steps of
//! §3.10.7.4 in the RFC's order, one file each. A step that ends the processing returns `Break`.

mod closed;
mod listen;
mod options;
mod step1_sequence;
mod step2_rst;
mod step4_syn;
mod step5_ack;
mod step6_urg;
mod step7_text;
mod step8_fin;
mod syn_sent;

pub use closed::answer_to_stray;

use core::ops::ControlFlow;

use aperto_time::Instant;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Options, Segment};

use crate::connection::Connection;
use crate::drop_reason::DropReason;
use crate::note::Note;
use crate::state::State;

/// What a step says: go on, or the segment is done with.
type Step<T = ()> = ControlFlow<(), T>;

/// A segment while it is processed: trimmed to what lies in the window.
#[derive(Clone, Copy, Debug)]
struct Arrival<'a> {
    /// SEG.SEQ of what is left of it.
    seq: SeqNumber,
    /// SEG.ACK.
    ack: SeqNumber,
    control: Control,
    /// SEG.WND in octets, scaled.
    window: u32,
    /// The place that the urgent pointer points to.
    urgent: SeqNumber,
    options: &'a Options,
    text: &'a [u8],
}

impl Arrival<'_> {
    /// The number after the last of the segment, SYN and FIN counted.
    fn end(&self) -> SeqNumber {
        self.seq + self.length()
    }

    /// SEG.LEN.
    fn length(&self) -> u32 {
        text_length(self.text) + self.control.sequence_length()
    }
}

/// The length of a text as a distance in sequence space.
fn text_length(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

impl Connection {
    /// A segment arrived. Its checksum was right and its addresses and ports are this connection's.
    ///
    /// RFC 9293 §3.10.7.
    pub fn segment_arrives(&mut self, now: Instant, segment: &Segment<'_>) {
        match self.state {
            State::Closed => self.drop_segment(DropReason::Closed),
            State::Listen => self.arrives_in_listen(now, segment),
            State::SynSent => self.arrives_in_syn_sent(now, segment),
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {
                let mut arrival = self.arrival(segment);
                let _ = self.arrives_otherwise(now, &mut arrival);
            }
        }
    }

    #[inline]
    fn arrival<'a>(&self, segment: &'a Segment<'_>) -> Arrival<'a> {
        let header = &segment.header;
        let scale = if header.control.syn() { 0 } else { self.send.scale };
        Arrival {
            seq: header.seq,
            ack: header.ack,
            control: header.control,
            window: u32::from(header.window) << scale,
            urgent: header.seq + u32::from(header.urgent_pointer),
            options: &header.options,
            text: segment.payload,
        }
    }

    /// RFC 9293 §3.10.7.4.
    fn arrives_otherwise(&mut self, now: Instant, arrival: &mut Arrival<'_>) -> Step {
        self.first_check_sequence_number(now, arrival)?;
        self.second_check_rst(now, arrival)?;
        // Third, security and compartment: declined, see docs/rfc/9293.toml.
        self.fourth_check_syn(now, arrival)?;
        self.hear(now);
        self.fifth_check_ack(now, arrival)?;
        self.sixth_check_urg(arrival);
        self.seventh_process_text(now, arrival)?;
        self.eighth_check_fin(now);
        Step::Continue(())
    }

    /// The peer was heard: an idle connection is idle from now on.
    fn hear(&mut self, now: Instant) {
        self.heard = now;
        if let Some(keep_alive) = &mut self.keep_alive {
            keep_alive.unanswered = 0;
        }
    }

    fn drop_segment(&mut self, reason: DropReason) {
        self.note(|| Note::Dropped { reason });
    }

    /// Drops the segment and ends its processing.
    fn dropped<T>(&mut self, reason: DropReason) -> Step<T> {
        self.drop_segment(reason);
        ControlFlow::Break(())
    }
}
