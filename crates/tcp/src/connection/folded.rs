//! A connection folded small: half-open and TIME-WAIT connections as records.
//!
//! A host keeps thousands of connections that have nothing queued: those of which it has seen only
//! a SYN, and those that linger in TIME-WAIT. Folded, such a connection is a record without
//! buffers; when a segment arrives for it, it is unfolded, takes the segment as any connection
//! does, and is folded again. So there is one engine, and no second set of rules for records.

use alloc::sync::Arc;

use aperto_time::{Deadline, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Segment;

use super::{Connection, Holder, Nagle, Opening, Origin};
use crate::config::Config;
use crate::note::Timer;
use crate::state::State;
use crate::timestamps::TimestampState;

/// A connection in SYN-RECEIVED or TIME-WAIT, as a record.
#[derive(Clone, Debug)]
pub struct Folded {
    state: State,
    origin: Origin,
    held: bool,
    nagle: Nagle,
    sent_twice: bool,
    sack: bool,
    scaling_agreed: bool,
    send_scale: u8,
    receive_scale: u8,
    attempts: u8,
    send_mss: u16,
    opening: Opening,
    irs: SeqNumber,
    next: SeqNumber,
    edge: SeqNumber,
    una: SeqNumber,
    nxt: SeqNumber,
    text_end: SeqNumber,
    window: u32,
    timestamps: Option<TimestampState>,
    timer: Timer,
    at: Instant,
    since: Instant,
    challenge_from: Instant,
}

impl Connection {
    /// The connection as a record, if nothing of it would be lost: in SYN-RECEIVED or TIME-WAIT,
    /// with nothing queued and nothing to be polled.
    #[must_use]
    pub fn fold(&self) -> Option<Folded> {
        let foldable = match self.state {
            State::SynReceived => self.send.queued() == 0 && self.send.fin == super::Fin::No,
            State::TimeWait => self.receive.queue.readable() == 0,
            State::Closed
            | State::Listen
            | State::SynSent
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => false,
        };
        let nothing_waits =
            self.needs.nothing_seldom() && self.acknowledgments.pending().is_none() && self.is_quiet();
        let deadline = self.timers.next()?;
        if !foldable || !nothing_waits {
            return None;
        }
        Some(Folded {
            state: self.state,
            origin: self.origin,
            held: self.holder == Holder::Application,
            nagle: self.nagle,
            sent_twice: self.rtt.is_ambiguous(),
            sack: self.sack,
            scaling_agreed: self.receive.scaling_agreed,
            send_scale: self.send.scale,
            receive_scale: self.receive.scale,
            attempts: u8::try_from(self.rtt.attempts()).unwrap_or(u8::MAX),
            send_mss: self.send.mss,
            opening: self.opening,
            irs: self.receive.irs,
            next: self.receive.next,
            edge: self.receive.edge,
            una: self.send.una,
            nxt: self.send.nxt,
            text_end: self.send.text_end(),
            window: self.send.window,
            timestamps: self.timestamps,
            timer: deadline.what,
            at: deadline.at,
            since: self.waiting_since,
            challenge_from: self.challenge_from,
        })
    }

    /// The connection that was folded.
    #[must_use]
    pub fn unfold(config: Arc<Config>, folded: &Folded) -> Self {
        let mut connection = Self::new(config, folded.opening, folded.origin);
        connection.state = folded.state;
        connection.holder = if folded.held { Holder::Application } else { Holder::Nobody };
        connection.nagle = folded.nagle;
        connection.sack = folded.sack;
        connection.timestamps = folded.timestamps;
        connection.send.unfold(folded.una, folded.nxt, folded.text_end, folded.state);
        connection.send.mss = folded.send_mss;
        connection.send.scale = folded.send_scale;
        connection.send.window = folded.window;
        connection.send.max_window = folded.window;
        connection.receive.begin(folded.irs);
        connection.receive.next = folded.next;
        connection.receive.last_ack = folded.next;
        connection.receive.edge = folded.edge;
        connection.receive.scale = folded.receive_scale;
        connection.receive.scaling_agreed = folded.scaling_agreed;
        if folded.state == State::TimeWait {
            connection.receive.fin = Some(folded.next - 1);
        }
        connection.recovery = crate::recovery::Recovery::new(folded.una);
        connection.rtt.unfold(u32::from(folded.attempts));
        if folded.sent_twice {
            connection.rtt.sent_again(Instant::ZERO);
        } else if folded.state == State::SynReceived && folded.attempts == 0 {
            connection.rtt.sent(folded.nxt, folded.since);
        }
        connection.congestion.opened(&connection.config, connection.effective_mss(), folded.attempts > 0);
        connection.waiting_since = folded.since;
        connection.challenge_from = folded.challenge_from;
        connection.timers.start(folded.timer, folded.at);
        connection
    }
}

impl Folded {
    /// SYN-RECEIVED or TIME-WAIT.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// When the record wants to be unfolded for its timer.
    #[must_use]
    pub const fn deadline(&self) -> Deadline<Timer> {
        Deadline { at: self.at, what: self.timer }
    }

    /// ISS.
    #[must_use]
    pub const fn iss(&self) -> SeqNumber {
        self.opening.iss
    }

    /// IRS.
    #[must_use]
    pub const fn irs(&self) -> SeqNumber {
        self.irs
    }

    /// SND.NXT: a new connection of the same ports must begin beyond it.
    #[must_use]
    pub const fn last_sequence(&self) -> SeqNumber {
        self.nxt
    }

    /// Whether a SYN that arrives in TIME-WAIT may begin a new connection: a newer timestamp, or
    /// without timestamps a sequence number beyond the last.
    ///
    /// RFC 9293 §3.6.1 \[MAY-2\] \[SHLD-4\], RFC 6191 §2, but for this: where the old connection had no
    /// timestamps, those of the SYN prove nothing, since old segments without any would be believed.
    #[must_use]
    pub fn may_be_reopened_by(&self, segment: &Segment<'_>) -> bool {
        let control = segment.header.control;
        let request = control.syn() && !control.ack() && !control.rst() && !control.fin();
        if self.state != State::TimeWait || !request {
            return false;
        }
        let beyond = segment.header.seq.at_or_after(self.next);
        match (self.timestamps, segment.header.options.timestamps) {
            (Some(state), Some(arrived)) => {
                let ahead = arrived.value.wrapping_sub(state.recent).cast_signed();
                ahead > 0 || (ahead == 0 && beyond)
            }
            _ => beyond,
        }
    }
}
