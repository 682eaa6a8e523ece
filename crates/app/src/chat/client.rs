//! A member of a chat: keeps what was not confirmed, connects again, shows each message once.
//!
//! Inputs: [`say`](Client::say) and [`leave`](Client::leave) of whoever types;
//! [`opened`](Client::opened), [`readable`](Client::readable), [`broke`](Client::broke) of the
//! connection; [`deadline_passed`](Client::deadline_passed). Then the driver asks
//! [`poll_event`](Client::poll_event), [`poll_want`](Client::poll_want) until it wants nothing, and
//! [`poll_deadline`](Client::poll_deadline).
//!
//! A message leaves the queue when the room has confirmed or refused it, and not before: after a
//! connection broke, what is in the queue is said again, with the ids that it had. Messages of
//! others have places in one order; what has been shown is never shown again. What arrives is in
//! `client/arrives.rs`.
//!
//! So that a network which delivers late and all at once does not make it look like a flood, a
//! member has half of the allowed burst on its way, and says half of it at once.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::bucket::Bucket;
use super::decoder::{Decoder, Stranger};
use super::frame::{Bye, Frame, Join, Part, Refused, Say, Seal, Token};
use super::outbox::Outbox;
use super::{BURST, HANDSHAKE, MOST_GREETING, PING_AFTER};
use crate::hello::{Ask, Hello, Refusal, Terms};

mod arrives;
#[cfg(test)]
mod tests;

/// The wait before the second try, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// See [`FIRST_WAIT`].
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// After so many tries without an answer it gives up.
pub const TRIES: u32 = 20;
/// How long a message may be on its way before the connection counts as broken.
const PROGRESS: Duration = Duration::from_secs(30);
/// How long nothing at all may be heard.
const DEAD: Duration = Duration::from_secs(90);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(10);
/// How many messages and octets may wait.
const MOST_WAITING: usize = 1_000;
/// See [`MOST_WAITING`].
const MOST_WAITING_OCTETS: usize = 1 << 20;
/// How many octets may wait to be written before messages wait in the queue.
const MOST_OUT: usize = 1 << 16;
/// An acknowledgement of a group waits so long for company.
const GROUP_WAIT: Duration = Duration::from_millis(100);

/// What a member is told at its beginning.
#[derive(Clone, Debug)]
pub struct Config {
    /// Drawn once, from what nobody can guess.
    pub token: Token,
    /// The name that it would like.
    pub name: String,
    /// What it asks for.
    pub ask: Ask,
    /// Whether a room that speaks something else may be damage on the way: then it is tried again.
    pub tries_strangers: bool,
}

/// Why nothing can be said now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CannotSay {
    /// It is empty.
    Empty,
    /// It is longer than what was granted, or than what is asked for.
    TooLong {
        /// The most octets.
        most: u32,
    },
    /// Too much waits for its confirmation already.
    TooMuch,
    /// It is leaving, or over.
    Over,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Over {
    /// It left, or the room closed.
    Left {
        /// Whether the room closed.
        closed: bool,
        /// So many messages were not confirmed.
        unconfirmed: u64,
    },
    /// Nobody answered, however often it tried.
    GaveUp {
        /// So many messages were not confirmed.
        unconfirmed: u64,
    },
    /// There was no agreement.
    NotAgreed(Refusal),
    /// The room granted what was not asked for.
    Unfair,
    /// The other side speaks something else.
    Stranger(Stranger),
    /// The other side speaks HELLO, and asks itself: it sends back what it gets.
    Echo,
    /// The other side said nothing.
    Silent,
    /// The room let it go, and would do so again.
    LetGo(Bye),
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is in.
    In {
        /// The name that it has.
        name: String,
        /// What was granted.
        terms: Terms,
        /// Whether it was in before, on another connection.
        back: bool,
        /// Whether the room is not the one that it was in before.
        another_room: bool,
        /// The message after which those of others are shown.
        after: u64,
        /// How many messages are on their way again.
        again: u64,
    },
    /// Somebody said something; the next in the room's order.
    Shown {
        /// Its place.
        seq: u64,
        /// Who.
        name: String,
        /// What.
        text: String,
        /// The id that it was given here, where it is an own one.
        own: Option<u64>,
    },
    /// A message of its own is kept for good.
    Confirmed {
        /// Which.
        id: u64,
    },
    /// A message of its own was not taken.
    Refused {
        /// Which.
        id: u64,
        /// Why.
        why: Refused,
    },
    /// A frame was damaged and is asked for again.
    Damaged,
    /// So many messages are not kept any more.
    Missed {
        /// How many.
        messages: u64,
    },
    /// Somebody came.
    Came(String),
    /// Somebody left.
    Left(String),
    /// The connection broke; there will be another.
    Broken {
        /// Which try the next is, from 1.
        attempt: u32,
        /// When.
        after: Duration,
        /// What the room said, if it said something.
        why: Option<Bye>,
    },
    /// It is over.
    Over(Over),
}

/// What a member wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want<'a> {
    /// A connection: [`Client::opened`] or [`Client::broke`] answers.
    Connect,
    /// These octets should be sent; never empty. [`Client::wrote`] says how many were.
    Write(&'a [u8]),
    /// Nothing more will be written.
    Close,
    /// The connection should end at once; [`Client::broke`] need not be said.
    Abort,
}

/// Where it stands.
#[derive(Clone, Debug)]
enum State {
    /// Wants a connection.
    Idle,
    Connecting,
    /// Said HELLO; so much of the answer is here.
    Greeting(Vec<u8>),
    Entering(Terms),
    In(Terms),
    /// Said good-bye.
    Closing,
    Waiting(Duration),
    Over,
}

#[derive(Clone, Debug)]
struct Message {
    id: u64,
    text: String,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Client {
    config: Config,
    state: State,
    /// What is not confirmed, in order; so many of them are on their way on this connection.
    queue: VecDeque<Message>,
    queued_octets: usize,
    on_their_way: usize,
    next_id: u64,
    room: Option<Token>,
    seen: u64,
    /// The message whose pieces arrive.
    partial: Option<(u64, Vec<u8>)>,
    decoder: Decoder,
    seal: Seal,
    out: Outbox,
    bucket: Bucket,
    deaf: bool,
    /// Messages that wait for a common acknowledgement, and when it leaves.
    group: u16,
    group_at: Option<Duration>,
    attempts: u32,
    /// How many connections there were.
    connections: u32,
    was_in: bool,
    since: Duration,
    heard_at: Duration,
    pinged_at: Duration,
    /// When something last moved that is more than a sign of life, and whether something was
    /// written since.
    progress_at: Duration,
    moved: bool,
    leave_by: Option<Duration>,
    wants_close: bool,
    wants_abort: bool,
    events: VecDeque<Event>,
}

impl Client {
    /// A member that is nowhere yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            state: State::Idle,
            queue: VecDeque::new(),
            queued_octets: 0,
            on_their_way: 0,
            next_id: 1,
            room: None,
            seen: 0,
            partial: None,
            decoder: Decoder::new(MOST_GREETING, Seal::None),
            seal: Seal::None,
            out: Outbox::new(),
            bucket: Bucket::new(BURST / 2),
            deaf: false,
            group: 0,
            group_at: None,
            attempts: 0,
            connections: 0,
            was_in: false,
            since: Duration::ZERO,
            heard_at: Duration::ZERO,
            pinged_at: Duration::ZERO,
            progress_at: Duration::ZERO,
            moved: false,
            leave_by: None,
            wants_close: false,
            wants_abort: false,
            events: VecDeque::new(),
        }
    }

    /// What it asks for.
    #[must_use]
    pub const fn asks(&self) -> &Ask {
        &self.config.ask
    }

    /// How many messages are not confirmed.
    #[must_use]
    pub fn unconfirmed(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Whether it is in.
    #[must_use]
    pub const fn is_in(&self) -> bool {
        matches!(self.state, State::In(_))
    }

    /// Whether it waits for a connection to open.
    #[must_use]
    pub const fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting)
    }

    /// Whether it ever was in.
    #[must_use]
    pub const fn was_in(&self) -> bool {
        self.was_in
    }

    // Inputs.

    /// Says something. Gives its id.
    ///
    /// # Errors
    ///
    /// Why nothing can be said now.
    pub fn say(&mut self, now: Duration, text: &str) -> Result<u64, CannotSay> {
        let most = match &self.state {
            State::In(terms) | State::Entering(terms) => terms.max_message,
            _ => self.config.ask.max_message,
        };
        if self.leave_by.is_some() || matches!(self.state, State::Over | State::Closing) {
            return Err(CannotSay::Over);
        }
        if text.is_empty() {
            return Err(CannotSay::Empty);
        }
        if text.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(CannotSay::TooLong { most });
        }
        if self.queue.len() >= MOST_WAITING || self.queued_octets + text.len() > MOST_WAITING_OCTETS {
            return Err(CannotSay::TooMuch);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.queued_octets += text.len();
        self.queue.push_back(Message { id, text: text.into() });
        self.pump(now);
        Ok(id)
    }

    /// Leaves, once everything is confirmed; after ten seconds anyway.
    pub fn leave(&mut self, now: Duration) {
        if self.leave_by.is_none() {
            self.leave_by = Some(now.saturating_add(LEAVING));
        }
        self.pump(now);
    }

    /// The connection that it wanted is open.
    pub fn opened(&mut self, now: Duration) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        self.connections = self.connections.saturating_add(1);
        let session = self.connections;
        let ask = Hello::Ask { session, ask: self.config.ask.clone() };
        self.out.end().extend_from_slice(&ask.encode());
        let join = Join {
            token: self.config.token,
            connection: self.connections,
            room: self.room.unwrap_or_default(),
            seen: self.seen,
            name: self.config.name.clone(),
        };
        Frame::Join(join).put(self.out.end(), Seal::None);
        self.state = State::Greeting(Vec::new());
        self.since = now;
        self.heard_at = now;
    }

    /// The connection did not open, broke, or was closed by the other side.
    pub fn broke(&mut self, now: Duration) {
        match self.state {
            State::Closing => self.over(Over::Left { closed: false, unconfirmed: self.unconfirmed() }),
            State::Idle | State::Waiting(_) | State::Over => {}
            _ => {
                self.fails(now, None);
                self.wants_abort = false;
            }
        }
    }

    /// Time has passed.
    pub fn deadline_passed(&mut self, now: Duration) {
        if self.leave_by.is_some_and(|by| by <= now) && !matches!(self.state, State::Over) {
            self.wants_abort = !matches!(self.state, State::Idle | State::Waiting(_));
            self.over(Over::Left { closed: false, unconfirmed: self.unconfirmed() });
            return;
        }
        match &self.state {
            State::Waiting(until) if *until <= now => self.state = State::Idle,
            State::Greeting(_) | State::Entering(_) if self.since.saturating_add(HANDSHAKE) <= now => {
                if self.insists() { self.fails(now, None) } else { self.ends(Over::Silent) }
            }
            State::Connecting if self.insists() && self.since.saturating_add(HANDSHAKE) <= now => {
                self.fails(now, None);
            }
            State::In(_) => {
                let late = self.on_their_way > 0 && self.progress_at.saturating_add(PROGRESS) <= now;
                // On a slow line a long message takes its time, and moves.
                let moved = core::mem::take(&mut self.moved) && late;
                if moved {
                    self.progress_at = now;
                }
                let stuck = late && !moved;
                if stuck || self.heard_at.saturating_add(DEAD) <= now {
                    self.fails(now, None);
                    return;
                }
                if self.group_at.is_some_and(|at| at <= now) {
                    self.acknowledge_group();
                }
                if self.heard_at.max(self.pinged_at).saturating_add(PING_AFTER) <= now {
                    self.pinged_at = now;
                    Frame::Ping(0).put(self.out.end(), self.seal);
                }
                self.pump(now);
            }
            _ => {}
        }
    }

    // Outputs.

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What it wants.
    pub fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        if core::mem::take(&mut self.wants_abort) {
            return Some(Want::Abort);
        }
        self.pump(now);
        match self.state {
            State::Idle => {
                self.state = State::Connecting;
                self.since = now;
                Some(Want::Connect)
            }
            State::Greeting(_) | State::Entering(_) | State::In(_) | State::Closing => {
                if !self.out.is_empty() {
                    return Some(Want::Write(self.out.waiting()));
                }
                core::mem::take(&mut self.wants_close).then_some(Want::Close)
            }
            State::Over => core::mem::take(&mut self.wants_close).then_some(Want::Close),
            State::Connecting | State::Waiting(_) => None,
        }
    }

    /// The connection took so many octets of the last [`Want::Write`].
    pub fn wrote(&mut self, octets: usize) {
        self.moved |= octets > 0;
        self.out.wrote(octets);
    }

    /// When to call [`deadline_passed`](Self::deadline_passed).
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Duration> {
        let own = match &self.state {
            State::Waiting(until) => Some(*until),
            State::Greeting(_) | State::Entering(_) => Some(self.since.saturating_add(HANDSHAKE)),
            State::Connecting if self.insists() => Some(self.since.saturating_add(HANDSHAKE)),
            State::In(terms) => {
                let ping = self.heard_at.max(self.pinged_at).saturating_add(PING_AFTER);
                let dead = self.heard_at.saturating_add(DEAD);
                let stuck = (self.on_their_way > 0).then(|| self.progress_at.saturating_add(PROGRESS));
                let paced = self.may_say(terms).then(|| self.bucket.free_at());
                [Some(ping), Some(dead), stuck, paced, self.group_at].into_iter().flatten().min()
            }
            State::Idle | State::Connecting | State::Closing | State::Over => None,
        };
        let leave = self.leave_by.filter(|_| !matches!(self.state, State::Over));
        [own, leave].into_iter().flatten().min()
    }

    // What follows.

    /// Whether a room that does not answer may still be one: how long the first connection may take
    /// is the driver's business.
    const fn insists(&self) -> bool {
        self.was_in || self.config.tries_strangers
    }

    /// Whether there is something to say, and room for it, were there no rate.
    fn may_say(&self, terms: &Terms) -> bool {
        let window = usize::from(terms.window).min(BURST as usize / 2);
        self.on_their_way < window.min(self.queue.len()) && self.out.len() < MOST_OUT && !self.deaf
    }

    /// Sends what may be sent now.
    fn pump(&mut self, now: Duration) {
        if let State::In(terms) = self.state {
            while self.may_say(&terms) {
                let Some(message) = self.queue.get(self.on_their_way) else { break };
                if self.bucket.take(now).is_err() {
                    break;
                }
                if self.on_their_way == 0 {
                    self.progress_at = now;
                }
                let payload = usize::from(terms.payload).max(1);
                let pieces = message.text.len().div_ceil(payload);
                for (place, piece) in message.text.as_bytes().chunks(payload).enumerate() {
                    let part = Part { first: place == 0, last: place + 1 == pieces };
                    let say = Say { id: message.id, part, piece: piece.to_vec() };
                    Frame::Say(say).put(self.out.end(), self.seal);
                }
                self.on_their_way += 1;
            }
        }
        if self.leave_by.is_some() && self.queue.is_empty() {
            match self.state {
                State::In(_) => {
                    self.acknowledge_group();
                    Frame::Bye(Bye::Leaving).put(self.out.end(), self.seal);
                    self.state = State::Closing;
                    self.wants_close = true;
                }
                State::Idle | State::Waiting(_) => self.over(Over::Left { closed: false, unconfirmed: 0 }),
                _ => {}
            }
        }
    }

    fn acknowledge_group(&mut self) {
        self.group_at = None;
        if core::mem::take(&mut self.group) > 0 {
            Frame::AckUpTo { id: self.seen }.put(self.out.end(), self.seal);
        }
    }

    /// The connection is of no use any more: there will be another.
    fn fails(&mut self, now: Duration, why: Option<Bye>) {
        self.resets();
        self.attempts += 1;
        self.wants_abort = true;
        if self.attempts > TRIES {
            return self.over(Over::GaveUp { unconfirmed: self.unconfirmed() });
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << (self.attempts - 1).min(10)).min(LONGEST_WAIT);
        // Not all members come back at the same instant.
        let after = doubled + Duration::from_millis(u64::from(self.config.token[15]));
        self.state = State::Waiting(now.saturating_add(after));
        self.events.push_back(Event::Broken { attempt: self.attempts, after, why });
    }

    /// What belonged to a connection is forgotten.
    fn resets(&mut self) {
        self.out.clear();
        self.partial = None;
        self.decoder = Decoder::new(MOST_GREETING, Seal::None);
        self.seal = Seal::None;
        self.deaf = false;
        self.on_their_way = 0;
        self.group = 0;
        self.group_at = None;
        self.wants_close = false;
    }

    /// There will be no other connection.
    fn ends(&mut self, how: Over) {
        self.resets();
        self.wants_abort = true;
        self.over(how);
    }

    fn over(&mut self, how: Over) {
        self.state = State::Over;
        self.events.push_back(Event::Over(how));
    }
}
