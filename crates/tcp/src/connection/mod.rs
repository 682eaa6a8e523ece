//! One TCP connection: the state of RFC 9293 §3.3.1 and the doors in and out.
//!
//! A driver feeds a connection with calls, segments and the time, and after each of these empties
//! it, in this order:
//!
//! 1. [`poll_segment`](Connection::poll_segment) until there is none,
//! 2. [`poll_event`](Connection::poll_event) for the application,
//! 3. [`poll_note`](Connection::poll_note) for an observer, if one asked for notes,
//! 4. [`poll_deadline`](Connection::poll_deadline): when to call
//!    [`deadline_passed`](Connection::deadline_passed).
//!
//! An input changes state and marks what is needed; only a poll turns a need into a segment. So
//! all segments that have arrived are processed before an acknowledgment leaves, and one
//! acknowledgment answers them all: RFC 9293 §3.10.7.4 [MUST-58] [MUST-59] hold by construction.
//!
//! Each variable has one writer: sequence variables of the sending side are written in `output`,
//! `arrives/step5_ack` and here, those of the receiving side in `arrives` and `receive_window`.

mod acknowledge;
mod calls;
mod deadlines;
mod folded;
mod icmp;
mod output;
mod receive_window;
mod sides;
mod status;

pub use calls::{Nagle, Push, Urgent};
pub use folded::Folded;
pub use icmp::Icmp;
pub use output::{Outgoing, Payload};
pub use status::Status;

pub(crate) use acknowledge::Acknowledgments;
pub(crate) use sides::{Fin, Hold, ReceiveSide, SendSide};

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use aperto_time::{Deadline, Instant};
use aperto_wire::SeqNumber;

use crate::config::{Config, KeepAlive};
use crate::congestion::Congestion;
use crate::diagram::{self, Cause};
use crate::event::{End, Event};
use crate::note::{Note, Timer};
use crate::reason::{Reason, ResetCause};
use crate::recovery::Recovery;
use crate::rtt::RttEstimator;
use crate::state::State;
use crate::timers::Timers;
use crate::timestamps::TimestampState;

/// What a connection is given at its birth by whoever knows the addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opening {
    /// ISS: the initial send sequence number (see [`isn`](crate::isn)).
    pub iss: SeqNumber,
    /// What the timestamp clock shows at the driver's zero (RFC 7323 §5.4).
    pub timestamp_offset: u32,
    /// The largest segment that we can receive, in octets: the MTU less the IP header without
    /// options and 20 octets of TCP header (RFC 9293 §3.7.1 \[MUST-67\]).
    pub mss: u16,
}

/// Whether notes are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watch {
    /// Every change is noted.
    On,
    /// Nothing is noted.
    Off,
}

/// One TCP connection. See the [module](self) for how to drive it.
///
/// A clone is an independent connection in the same state: a snapshot.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(crate) config: Arc<Config>,
    pub(crate) state: State,
    pub(crate) origin: Origin,
    pub(crate) holder: Holder,
    pub(crate) nagle: Nagle,
    pub(crate) opening: Opening,
    pub(crate) send: SendSide,
    pub(crate) receive: ReceiveSide,
    pub(crate) recovery: Recovery,
    pub(crate) congestion: Congestion,
    pub(crate) rtt: RttEstimator,
    pub(crate) timestamps: Option<TimestampState>,
    /// Whether both sides permit selective acknowledgments.
    pub(crate) sack: bool,
    pub(crate) timers: Timers,
    pub(crate) acknowledgments: Acknowledgments,
    pub(crate) needs: Needs,
    pub(crate) keep_alive: Option<Box<KeepAliveState>>,
    /// When the peer was last heard.
    pub(crate) heard: Instant,
    /// Since when something has been out without any progress.
    pub(crate) waiting_since: Instant,
    /// When the next challenge acknowledgment may leave.
    pub(crate) challenge_from: Instant,
    pub(crate) end: Option<End>,
    events: u8,
    notes: Option<Box<Notes>>,
}

/// Notes that wait for an observer.
#[derive(Clone, Debug, Default)]
struct Notes {
    queue: VecDeque<Note>,
}

/// An observer that asks for notes and never takes them loses the latest.
const MOST_NOTES: usize = 1 << 16;

/// How the connection began. RFC 9293 §3.5 \[MUST-11\].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Active,
    Passive,
}

/// Whether an application still holds the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    Application,
    Nobody,
}

/// The settings of keep-alive and how many probes are unanswered.
#[derive(Clone, Debug)]
pub(crate) struct KeepAliveState {
    pub(crate) settings: KeepAlive,
    pub(crate) unanswered: u32,
}

/// What the next polls have to send beside text and acknowledgments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    /// What is seldom needed; no memory while nothing of it is.
    seldom: Option<Box<Seldom>>,
    /// The ACK of the peer's SYN, which completes the handshake.
    pub(crate) handshake_ack: bool,
    /// The override timer has fired.
    pub(crate) override_due: bool,
}

/// What a connection needs at its ends, and when its peer is silent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seldom {
    /// A SYN or SYN,ACK, and why.
    pub(crate) syn: Option<Reason>,
    /// A reset that ends this connection.
    pub(crate) reset: Option<ResetCause>,
    /// A reset in answer to a segment that is not of this connection: `<SEQ=SEG.ACK><CTL=RST>`.
    pub(crate) reply: Option<SeqNumber>,
    /// A probe of a closed window or of an idle peer.
    pub(crate) probe: Option<Reason>,
}

impl Needs {
    /// What is seldom needed, to be added to.
    pub(crate) fn seldom(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }

    /// Takes one of the things that are seldom needed, if it is.
    pub(crate) fn take<T>(&mut self, which: impl FnOnce(&mut Seldom) -> &mut Option<T>) -> Option<T> {
        let seldom = self.seldom.as_mut()?;
        let taken = which(seldom).take();
        if matches!(**seldom, Seldom { syn: None, reset: None, reply: None, probe: None }) {
            self.seldom = None;
        }
        taken
    }

    /// Whether nothing is needed but an acknowledgment of the handshake or text.
    pub(crate) const fn nothing_seldom(&self) -> bool {
        self.seldom.is_none()
    }
}

/// Events in the order in which they are told, one bit each.
const EVENTS: [Event; 6] = [
    Event::Established,
    Event::Urgent,
    Event::Readable,
    Event::Writable,
    Event::PeerClosed,
    Event::DeliveryTrouble,
];
/// The bit of [`Event::Ended`].
const ENDED: u8 = 1 << EVENTS.len();

impl Connection {
    pub(crate) fn new(config: Arc<Config>, opening: Opening, origin: Origin) -> Self {
        let keep_alive =
            config.keep_alive.map(|settings| Box::new(KeepAliveState { settings, unanswered: 0 }));
        let nagle = if config.nagle { Nagle::On } else { Nagle::Off };
        let send = SendSide::new(opening.iss);
        Self {
            state: State::Closed,
            origin,
            holder: Holder::Application,
            nagle,
            opening,
            receive: ReceiveSide::new(&config, opening.mss),
            recovery: Recovery::new(opening.iss),
            congestion: Congestion::new(&config, u32::from(send.mss)),
            send,
            rtt: RttEstimator::new(&config),
            timestamps: None,
            sack: false,
            timers: Timers::new(),
            acknowledgments: Acknowledgments::default(),
            needs: Needs::default(),
            keep_alive,
            heard: Instant::ZERO,
            waiting_since: Instant::ZERO,
            challenge_from: Instant::ZERO,
            end: None,
            events: 0,
            notes: None,
            config,
        }
    }

    /// The state of the connection.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// The settings of the connection.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Begins or stops to take notes. An active open that has sent nothing yet is noted too.
    pub fn watch(&mut self, watch: Watch) {
        match watch {
            Watch::On if self.notes.is_some() => {}
            Watch::On => {
                self.notes = Some(Box::default());
                if self.state == State::SynSent && self.send.nxt == self.send.iss {
                    // Nothing has left yet: how it came here is not too late to tell.
                    let cause = Cause::ActiveOpen;
                    self.note(|| Note::State { from: State::Closed, to: State::SynSent, cause });
                }
            }
            Watch::Off => self.notes = None,
        }
    }

    /// The next event for the application.
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.events == 0 {
            return None;
        }
        for (bit, event) in EVENTS.into_iter().enumerate() {
            if self.events & (1 << bit) != 0 {
                self.events &= !(1 << bit);
                return Some(event);
            }
        }
        self.events = 0;
        self.end.map(Event::Ended)
    }

    /// The next note for an observer; none unless [`watch`](Self::watch) asked for them.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.notes.as_mut()?.queue.pop_front()
    }

    /// When [`deadline_passed`](Self::deadline_passed) is to be called, and for which timer.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline<Timer>> {
        self.timers.next()
    }

    /// Whether nothing waits to be polled but segments and deadlines.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.events == 0 && self.notes.as_ref().is_none_or(|notes| notes.queue.is_empty())
    }

    /// Whether the buffers keep memory for octets to come, as they do after a long transfer.
    #[must_use]
    pub fn has_spare_memory(&self) -> bool {
        self.send.has_spare() || self.receive.queue.has_spare()
    }

    /// Gives back what the buffers keep for octets to come. To be called once in a while for a
    /// connection that [has some](Self::has_spare_memory): what is in use is not touched.
    pub fn give_back_memory(&mut self) {
        self.send.give_back();
        self.receive.queue.give_back();
    }

    /// Moves the state. Nothing else writes it.
    pub(crate) fn enter(&mut self, to: State, cause: Cause) {
        let from = self.state;
        debug_assert!(diagram::has(from, cause, to), "{from} to {to} because of {cause:?}");
        self.state = to;
        self.note(|| Note::State { from, to, cause });
        match to {
            State::Established => self.tell(Event::Established),
            State::CloseWait | State::Closing | State::TimeWait if from != State::Closing => {
                self.tell(Event::PeerClosed);
            }
            _ => {}
        }
    }

    /// Ends the connection: CLOSED, nothing queued, no timer.
    pub(crate) fn finish(&mut self, cause: Cause, end: End) {
        self.enter(State::Closed, cause);
        self.end = Some(end);
        self.events |= ENDED;
        self.timers.stop_all();
        let (reset, reply) = (self.needs.take(|it| &mut it.reset), self.needs.take(|it| &mut it.reply));
        self.needs = Needs::default();
        if reset.is_some() || reply.is_some() {
            *self.needs.seldom() = Seldom { reset, reply, ..Seldom::default() };
        }
        self.acknowledgments = Acknowledgments::default();
        self.send.clear();
        if end != End::Closed {
            self.receive.queue.clear();
        }
        self.give_back_memory();
    }

    /// Has an event told at the next poll.
    pub(crate) fn tell(&mut self, event: Event) {
        if let Some(bit) = EVENTS.iter().position(|&known| known == event) {
            self.events |= 1 << bit;
        }
    }

    /// Whether anybody wants notes: for those whose numbers take some computing.
    pub(crate) const fn is_watched(&self) -> bool {
        self.notes.is_some()
    }

    /// Takes a note, if anybody wants notes.
    #[inline]
    pub(crate) fn note(&mut self, note: impl FnOnce() -> Note) {
        if let Some(notes) = &mut self.notes
            && notes.queue.len() < MOST_NOTES
        {
            notes.queue.push_back(note());
        }
    }

    /// Starts a timer, or moves it.
    pub(crate) fn start(&mut self, timer: Timer, at: Instant) {
        self.timers.start(timer, at);
        self.note(|| Note::TimerStarted { timer, at });
    }

    /// Stops a timer.
    pub(crate) fn stop(&mut self, timer: Timer) {
        if self.timers.stop(timer) {
            self.note(|| Note::TimerStopped { timer });
        }
    }

    /// Octets of text that a segment may carry: the peer's MSS less the options of every segment.
    ///
    /// RFC 9293 §3.7.1 \[MUST-16\]: Eff.snd.MSS.
    pub(crate) fn effective_mss(&self) -> u32 {
        let options: u16 = if self.timestamps.is_some() { 12 } else { 0 };
        u32::from(self.send.mss.saturating_sub(options).max(1))
    }

    /// Octets in flight, SYN and FIN included: SND.NXT - SND.UNA.
    pub(crate) fn flight(&self) -> u32 {
        self.send.nxt.since(self.send.una)
    }
}
