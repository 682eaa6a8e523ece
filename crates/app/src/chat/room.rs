//! The room: the server of a chat, for all its members.
//!
//! Inputs: [`opened`](Room::opened), [`readable`](Room::readable), [`closed`](Room::closed) of a
//! connection, [`say`](Room::say) of the operator, [`journaled`](Room::journaled) of whoever writes
//! the journal, [`deadline_passed`](Room::deadline_passed). Then the driver asks, in this order:
//! [`take_journal`](Room::take_journal), [`poll_event`](Room::poll_event),
//! [`poll_ready`](Room::poll_ready) and, for each connection that it names,
//! [`poll_want`](Room::poll_want) until it wants nothing; and [`poll_deadline`](Room::poll_deadline).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `member.rs` | one connection: what waits to be written, what it has, what it confirmed |
//! | `arrives.rs` | what arrives in frames |
//! | `person.rs` | what a person types without a program of ours |
//! | `sessions.rs` | who is who across connections, and which messages were taken |

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::decoder::Stranger;
use super::frame::{Bye, Frame, Refused, Token};
use super::journal::{self, Entry, JournalEnd, JournalError, JournalReader};
use super::{MEMBER_CAP, MOST_MESSAGE, MOST_WINDOW};
use crate::Want;
use crate::hello::{Acknowledgement, Ask, Integrity, Mode, Negative, Offer, Refusal, Terms};

mod arrives;
mod member;
mod person;
mod sessions;
#[cfg(test)]
mod tests;

use member::{Member, Phase};
use sessions::Sessions;

/// A connection of the room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberId(pub u64);

/// Whether messages are kept before they are confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keeping {
    /// In a journal: nothing is confirmed before [`Room::journaled`] says so.
    Journal,
    /// In memory only: a room that is started again is another room.
    Memory,
}

/// What a room is told at its beginning.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which room it is; drawn anew for each, but for one that goes on from a journal.
    pub token: Token,
    /// Whether there is a journal.
    pub keeping: Keeping,
    /// Under which name the operator speaks.
    pub operator: String,
    /// The longest message that is granted, at most [`MOST_MESSAGE`].
    pub max_message: u32,
    /// The longest piece of a message that is granted.
    pub payload: u16,
    /// The largest window that is granted, at most [`MOST_WINDOW`].
    pub window: u16,
    /// Whether groups of messages may be acknowledged together.
    pub acknowledgement: Acknowledgement,
    /// Ways to notice damage that are granted.
    pub integrities: Vec<Integrity>,
    /// The most connections.
    pub members: usize,
    /// How many octets of messages are kept for members who are away.
    pub history: u64,
}

impl Config {
    /// A room with the widest limits.
    #[must_use]
    pub fn new(token: Token, keeping: Keeping, operator: &str) -> Self {
        Self {
            token,
            keeping,
            operator: super::text::name(operator),
            max_message: MOST_MESSAGE as u32,
            payload: MOST_MESSAGE as u16,
            window: MOST_WINDOW,
            acknowledgement: Acknowledgement::Group,
            integrities: Vec::from([Integrity::Digest, Integrity::None]),
            members: 256,
            history: 8 << 20,
        }
    }

    fn offer(&self) -> Offer {
        Offer {
            modes: Vec::from([Mode::Tcp]),
            integrities: self.integrities.clone(),
            max_message: self.max_message.min(MOST_MESSAGE as u32),
            payload: self.payload,
            window: self.window.min(MOST_WINDOW),
            acknowledgement: self.acknowledgement,
            negative: Negative::On,
        }
    }
}

/// What happened in the room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something was said, and is confirmed.
    Said {
        /// Its place in the order.
        seq: u64,
        /// The name under which it was said.
        name: String,
        /// What.
        text: String,
        /// Whether the operator said it.
        operator: bool,
    },
    /// A program asked, and this was granted.
    Agreed {
        /// On which connection.
        member: MemberId,
        /// The name that it has here.
        name: String,
        /// What it asked for.
        ask: Ask,
        /// What was granted.
        terms: Terms,
        /// Whether it was here before.
        back: bool,
        /// How many messages it had missed.
        missed: u64,
    },
    /// A person came, without a program of ours.
    Person {
        /// On which connection.
        member: MemberId,
        /// The name that it has here.
        name: String,
    },
    /// A message was not taken.
    Refused {
        /// On which connection.
        member: MemberId,
        /// The name of who said it.
        name: String,
        /// Its id; 0 for a person's line.
        id: u64,
        /// Why.
        why: Refused,
    },
    /// A frame was damaged and is asked for again.
    Damaged {
        /// On which connection.
        member: MemberId,
        /// The name of who sent it.
        name: String,
    },
    /// There was no agreement.
    NotAgreed {
        /// On which connection.
        member: MemberId,
        /// Why not.
        why: Refusal,
    },
    /// Somebody wants something else; [`Room::dismiss`] says a line to it.
    Stranger {
        /// On which connection.
        member: MemberId,
        /// What it wants.
        what: Stranger,
    },
    /// A connection is over, or will be at once.
    Gone {
        /// Which.
        member: MemberId,
        /// The name of who was there, if it had one.
        name: Option<String>,
        /// Why, if somebody said so; else the connection broke.
        why: Option<Bye>,
    },
}

/// Octets for the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// To be written behind what was written before.
    pub octets: Vec<u8>,
    /// What to say to [`Room::journaled`] once they are on the disk.
    pub upto: u64,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Room {
    config: Config,
    /// The messages that are kept, oldest first.
    log: VecDeque<Entry>,
    /// The place that the next message gets.
    next_seq: u64,
    /// Up to where messages are confirmed.
    durable: u64,
    /// All octets of confirmed messages ever, and those that are kept.
    total: u64,
    kept: u64,
    sessions: Sessions,
    members: BTreeMap<MemberId, Member>,
    next_member: u64,
    awake: BTreeSet<MemberId>,
    journal: Vec<u8>,
    events: VecDeque<Event>,
    operator_id: u64,
    closing: bool,
}

/// The operator, among the members.
const OPERATOR: Token = [0; 16];
/// All who are here without a program: nobody can come back as one of them.
const PERSON: Token = *b"\0without program";
/// So many connections more than members are told that there are too many; others are cut off.
const UNWELCOME: usize = 16;
/// How many messages are kept at most, however short they are.
const MOST_KEPT: usize = 100_000;
/// How many events wait at most; a driver asks for them after each input.
const MOST_EVENTS: usize = 10_000;

impl Room {
    /// A new room.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let journal = match config.keeping {
            Keeping::Journal => journal::head(&config.token),
            Keeping::Memory => Vec::new(),
        };
        Self {
            config,
            log: VecDeque::new(),
            next_seq: 1,
            durable: 0,
            total: 0,
            kept: 0,
            sessions: Sessions::default(),
            members: BTreeMap::new(),
            next_member: 1,
            awake: BTreeSet::new(),
            journal,
            events: VecDeque::new(),
            operator_id: 0,
            closing: false,
        }
    }

    /// A room that goes on from its journal, handed over in pieces. Gives where the journal ends:
    /// the driver cuts it there before it writes on.
    ///
    /// # Errors
    ///
    /// It is no journal, or is damaged.
    pub fn replay(
        config: Config,
        pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<(Self, JournalEnd), JournalError> {
        let mut room = Self::new(config);
        let mut reader = JournalReader::default();
        for piece in pieces {
            reader.feed(piece.as_ref(), |entry| room.remember(entry))?;
        }
        let end = reader.finish();
        if let Some(token) = end.room {
            room.config.token = token;
            room.journal.clear();
        }
        Ok((room, end))
    }

    /// An entry of the journal.
    fn remember(&mut self, entry: Entry) {
        self.next_seq = entry.seq + 1;
        self.durable = entry.seq;
        self.total += entry.octets();
        self.kept += entry.octets();
        if entry.member == OPERATOR {
            self.operator_id = entry.id;
        } else if entry.member != PERSON {
            self.sessions.take(entry.member, entry.id, entry.seq);
        }
        self.log.push_back(entry);
        self.forget();
    }

    /// Which room it is.
    #[must_use]
    pub const fn token(&self) -> Token {
        self.config.token
    }

    /// How many messages are confirmed.
    #[must_use]
    pub const fn confirmed(&self) -> u64 {
        self.durable
    }

    /// The messages that are confirmed and kept, in order.
    pub fn messages(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| entry.seq <= self.durable)
    }

    /// A hash of what a restart must not change: the order and texts of confirmed messages that are
    /// kept, and which messages were taken from whom (I-28).
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut octets = Vec::new();
        for entry in self.messages() {
            journal::put(entry, &mut octets);
        }
        self.sessions.put(&mut octets);
        crate::Tally::of(&octets).hash
    }

    // Inputs.

    /// A connection is open.
    pub fn opened(&mut self, now: Duration) -> MemberId {
        let id = MemberId(self.next_member);
        self.next_member += 1;
        let mut member = Member::new(now, self.durable, self.total);
        if self.closing {
            member.unwelcome = Some(Refusal::Closing);
        } else if self.members.len() >= self.config.members {
            member.unwelcome = Some(Refusal::Full);
        }
        if self.members.len() >= self.config.members + UNWELCOME {
            member.leave(now, Bye::Full);
        }
        self.members.insert(id, member);
        self.awake.insert(id);
        id
    }

    /// How many octets a connection may hand over now.
    #[must_use]
    pub fn appetite(&self, member: MemberId) -> usize {
        self.members.get(&member).map_or(0, Member::appetite)
    }

    /// A connection is over, however it ended.
    pub fn closed(&mut self, now: Duration, id: MemberId) {
        self.line_ends(now, id);
        let Some(member) = self.members.remove(&id) else { return };
        self.awake.remove(&id);
        if member.has_left() {
            return;
        }
        let name = member.name().map(String::from);
        if let Some(token) = member.token() {
            self.sessions.away(token, id);
        }
        self.event(Event::Gone { member: id, name, why: None });
    }

    /// The operator says something. Gives its place in the order.
    ///
    /// # Errors
    ///
    /// It is empty, or too long.
    pub fn say(&mut self, now: Duration, text: &str) -> Result<u64, Refused> {
        let most = self.config.offer().max_message;
        if text.is_empty() {
            return Err(Refused::Empty);
        }
        if text.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(Refused::TooLarge { most });
        }
        self.operator_id += 1;
        let (id, name) = (self.operator_id, self.config.operator.clone());
        Ok(self.append(now, OPERATOR, id, name, text.into()))
    }

    /// The journal is on the disk up to this place.
    pub fn journaled(&mut self, now: Duration, upto: u64) {
        let upto = upto.min(self.next_seq - 1);
        while self.durable < upto {
            self.durable += 1;
            self.confirm(now, self.durable);
        }
        self.forget();
    }

    /// Nobody is let in any more, and all are told that the room closes.
    pub fn close(&mut self, now: Duration) {
        self.closing = true;
        let all: Vec<MemberId> = self.members.keys().copied().collect();
        for id in all {
            let is_silent =
                |member: &Member| matches!(&member.phase, Phase::Undecided(octets) if octets.is_empty());
            if self.members.get(&id).is_some_and(is_silent) && self.durable > 0 {
                // Who only listened hears what was said before the room closes.
                self.person_comes(now, id);
            }
            self.pump(now, id);
            self.let_go(now, id, Bye::Closing);
        }
    }

    /// Says a line to whoever is on a connection without a program of ours. Empty for nothing.
    pub fn tell(&mut self, member: MemberId, line: &[u8]) {
        if let Some(member) = self.members.get_mut(&member) {
            member.line(line);
        }
        self.awake.insert(member);
    }

    /// Says a last line to a [stranger](Event::Stranger), or to nobody, and closes.
    pub fn dismiss(&mut self, now: Duration, member: MemberId, line: &[u8]) {
        self.tell(member, line);
        self.let_go(now, member, Bye::Protocol);
    }

    // Outputs.

    /// What is to be written to the journal.
    pub fn take_journal(&mut self) -> Option<Batch> {
        if self.journal.is_empty() {
            return None;
        }
        Some(Batch { octets: core::mem::take(&mut self.journal), upto: self.next_seq - 1 })
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A connection that may want something.
    pub fn poll_ready(&mut self) -> Option<MemberId> {
        self.awake.pop_first()
    }

    /// What a connection wants.
    pub fn poll_want(&mut self, now: Duration, id: MemberId) -> Option<Want<'_>> {
        self.pump(now, id);
        self.members.get_mut(&id)?.poll_want()
    }

    /// A connection took so many octets of the last [`Want::Write`].
    pub fn wrote(&mut self, member: MemberId, octets: usize) {
        if let Some(member) = self.members.get_mut(&member) {
            member.out.wrote(octets);
        }
    }

    /// When to call [`deadline_passed`](Self::deadline_passed).
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Duration> {
        self.members.values().map(Member::deadline).min()
    }

    /// Time has passed.
    pub fn deadline_passed(&mut self, now: Duration) {
        let due: Vec<MemberId> =
            self.members.iter().filter(|(_, member)| member.deadline() <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.decide_anyway(now, id);
            self.line_pauses(now, id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            let why = member.time_passes(now);
            self.awake.insert(id);
            if let Some(why) = why {
                self.let_go(now, id, why);
            }
        }
    }

    // What follows.

    fn event(&mut self, event: Event) {
        if self.events.len() < MOST_EVENTS {
            self.events.push_back(event);
        }
    }

    /// A message gets its place.
    fn append(&mut self, now: Duration, member: Token, id: u64, name: String, text: String) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        let entry = Entry { seq, member, id, name, text };
        self.kept += entry.octets();
        if self.config.keeping == Keeping::Journal {
            journal::put(&entry, &mut self.journal);
        }
        self.log.push_back(entry);
        if self.config.keeping == Keeping::Memory {
            self.journaled(now, seq);
        }
        seq
    }

    /// A message is kept for good: who said it is told, and all others hear it.
    fn confirm(&mut self, now: Duration, seq: u64) {
        let Some(entry) = entry_of(&self.log, seq).cloned() else { return };
        self.total += entry.octets();
        let operator = entry.member == OPERATOR;
        if !operator
            && let Some(member) = self.sessions.confirm(&entry.member, entry.id)
            && let Some(connection) = self.members.get_mut(&member)
        {
            connection.acknowledge(now, entry.id);
        }
        self.event(Event::Said { seq, name: entry.name, text: entry.text, operator });
        self.awake.extend(self.members.keys());
    }

    /// Forgets what is more than is to be kept.
    fn forget(&mut self) {
        while let Some(first) = self.log.front()
            && (self.kept > self.config.history || self.log.len() > MOST_KEPT)
            && first.seq <= self.durable
        {
            self.kept -= first.octets();
            self.log.pop_front();
        }
    }

    /// Hands a member the messages that it has not got, as far as its window allows.
    fn pump(&mut self, now: Duration, id: MemberId) {
        let durable = self.durable;
        let Some(member) = self.members.get_mut(&id) else { return };
        if matches!(member.phase, Phase::Silent) && member.since < durable {
            // Who listens and says nothing hears what is said.
            self.person_comes(now, id);
        }
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.lag(self.total) > MEMBER_CAP {
            self.let_go(now, id, Bye::TooSlow);
            return;
        }
        while let Some(seq) = member.next_wanted().filter(|seq| *seq <= durable) {
            match entry_of(&self.log, seq) {
                Some(entry) => member.hears(entry),
                // What was forgotten meanwhile is left out; the numbers tell the member.
                None => member.skip(self.log.front().map_or(durable + 1, |entry| entry.seq)),
            }
        }
    }

    /// Ends a connection in order, and says why.
    fn let_go(&mut self, now: Duration, id: MemberId, why: Bye) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.has_left() {
            return;
        }
        let (token, name) = (member.token(), member.name().map(String::from));
        member.leave(now, why);
        if let Some(token) = token {
            self.sessions.away(token, id);
        }
        self.awake.insert(id);
        self.event(Event::Gone { member: id, name: name.clone(), why: Some(why) });
        if why == Bye::Leaving
            && let Some(name) = name
        {
            self.announce(id, &Frame::Left(name));
        }
    }

    /// Tells all programs but one that somebody came or left.
    fn announce(&mut self, but: MemberId, frame: &Frame) {
        for (id, member) in &mut self.members {
            if *id != but && member.is_in() && member.has_room() {
                member.put(frame);
                self.awake.insert(*id);
            }
        }
    }
}

/// A message by its place, if it is kept.
fn entry_of(log: &VecDeque<Entry>, seq: u64) -> Option<&Entry> {
    let first = log.front()?.seq;
    log.get(usize::try_from(seq.checked_sub(first)?).ok()?)
}
