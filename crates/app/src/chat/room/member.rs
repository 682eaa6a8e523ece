//! One connection of a room: who is on it, what waits to be written, what it has and confirmed.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::bucket::Bucket;
use super::super::decoder::{Decoder, is_typed};
use super::super::frame::{Bye, Frame, OVERHEAD, Part, Refused, Said, Seal, Token};
use super::super::journal::Entry;
use super::super::outbox::Outbox;
use super::super::text::visible;
use super::super::{BURST, FRAME_TIME, HANDSHAKE, IDLE, PING_AFTER};
use crate::Want;
use crate::hello::{Acknowledgement, Ask, Integrity, Refusal, Terms};

/// How many octets may wait to be written before messages wait in the room, and before nothing
/// more is read.
const MOST_OUT: usize = 1 << 16;
/// A connection that says nothing for so long is a person who listens.
pub(super) const SILENCE: Duration = Duration::from_secs(2);
/// What is typed without an end of line is a line after such a pause.
pub(super) const PAUSE: Duration = Duration::from_millis(300);
/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// An acknowledgement of a group waits so long for company.
const GROUP_WAIT: Duration = Duration::from_millis(100);
/// How many messages in a row may be refused for being too many.
const PATIENCE: u32 = 100;

/// What is known of who is there.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// These octets came, and do not tell yet.
    Undecided(Vec<u8>),
    /// Nothing came for a while: somebody who only listens, perhaps.
    Silent,
    /// Somebody who wants something else.
    Stranger,
    /// The octets of a HELLO, so far.
    Hello(Vec<u8>),
    /// HELLO is over; who it is comes next.
    Joining(Terms),
    /// A program is in.
    Program(Program),
    /// A person is in.
    Person(Person),
    /// It was told why, and is closed.
    Leaving,
}

/// A program of ours.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) token: Token,
    pub(super) name: String,
    pub(super) terms: Terms,
    /// The last message that was sent to it, and the last that it confirmed.
    pub(super) sent: u64,
    pub(super) confirmed: u64,
    /// The message whose pieces are arriving: its id, its text, and whether it is too long.
    pub(super) partial: Option<(u64, Vec<u8>, bool)>,
    /// A frame was damaged; nothing counts before it has resumed.
    pub(super) deaf: bool,
    /// An acknowledgement of a group: up to which id, for how many, and when it leaves.
    group: Option<(u64, u16, Duration)>,
}

impl Program {
    /// A program that has shown all messages up to this one.
    pub(super) const fn new(token: Token, name: String, terms: Terms, after: u64) -> Self {
        Self { token, name, terms, sent: after, confirmed: after, partial: None, deaf: false, group: None }
    }
}

/// A person without a program of ours.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) sent: u64,
    pub(super) line: Vec<u8>,
    /// The line is longer than any message: the rest of it is dropped.
    pub(super) too_long: bool,
    /// When the last of the line came.
    pub(super) at: Duration,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) phase: Phase,
    pub(super) decoder: Decoder,
    pub(super) seal: Seal,
    pub(super) out: Outbox,
    pub(super) bucket: Bucket,
    opened_at: Duration,
    pub(super) heard_at: Duration,
    /// When the frame that is not whole began.
    pub(super) frame_at: Option<Duration>,
    pinged_at: Duration,
    /// How many messages in a row were refused for being too many.
    refused: u32,
    left_at: Duration,
    /// What it asked for in HELLO.
    pub(super) asked: Option<Ask>,
    /// Why it will not be let in, if so.
    pub(super) unwelcome: Option<Refusal>,
    /// The last message, and the octets of all, when it came.
    pub(super) since: u64,
    total_at: u64,
    /// The octets of what was said since, as far as it has them.
    got: u64,
    close_wanted: bool,
    abort_wanted: bool,
    aborted: bool,
}

impl Member {
    /// A connection that opens after this message, and so many octets of messages.
    pub(super) const fn new(now: Duration, since: u64, total: u64) -> Self {
        Self {
            phase: Phase::Undecided(Vec::new()),
            decoder: Decoder::new(super::super::MOST_GREETING, Seal::None),
            seal: Seal::None,
            out: Outbox::new(),
            bucket: Bucket::new(BURST),
            opened_at: now,
            heard_at: now,
            frame_at: None,
            pinged_at: now,
            refused: 0,
            left_at: now,
            asked: None,
            unwelcome: None,
            since,
            total_at: total,
            got: 0,
            close_wanted: false,
            abort_wanted: false,
            aborted: false,
        }
    }

    pub(super) const fn has_left(&self) -> bool {
        matches!(self.phase, Phase::Leaving)
    }

    /// Whether it is a program that is in.
    pub(super) const fn is_in(&self) -> bool {
        matches!(self.phase, Phase::Program(_))
    }

    pub(super) fn name(&self) -> Option<&str> {
        match &self.phase {
            Phase::Program(program) => Some(&program.name),
            Phase::Person(person) => Some(&person.name),
            _ => None,
        }
    }

    pub(super) const fn token(&self) -> Option<Token> {
        match &self.phase {
            Phase::Program(program) => Some(program.token),
            _ => None,
        }
    }

    pub(super) const fn has_room(&self) -> bool {
        self.out.len() < MOST_OUT
    }

    /// Who does not read is not read from.
    pub(super) const fn appetite(&self) -> usize {
        let listens = !matches!(self.phase, Phase::Stranger | Phase::Leaving);
        if listens && self.has_room() { MOST_OUT } else { 0 }
    }

    pub(super) fn put(&mut self, frame: &Frame) {
        frame.put(self.out.end(), self.seal);
    }

    /// A line for a person, or for a stranger; a program gets none.
    pub(super) fn line(&mut self, line: &[u8]) {
        let is_bare = matches!(self.phase, Phase::Stranger | Phase::Person(_));
        if is_bare && self.has_room() && !line.is_empty() {
            self.out.end().extend_from_slice(line);
        }
    }

    /// It is in from now on; what it missed does not count as being slow.
    pub(super) const fn begins(&mut self, since: u64, total: u64) {
        self.since = since;
        self.total_at = total;
        self.got = 0;
    }

    /// It has this message.
    pub(super) const fn has_got(&mut self, entry: &Entry) {
        if entry.seq > self.since {
            self.got += entry.octets();
        }
    }

    /// How many octets it is behind, of what was said since it came.
    pub(super) const fn lag(&self, total: u64) -> u64 {
        match &self.phase {
            Phase::Program(_) | Phase::Person(_) => {
                total.saturating_sub(self.total_at).saturating_sub(self.got)
            }
            _ => 0,
        }
    }

    /// The message that it should get next, if it may get one now.
    pub(super) fn next_wanted(&self) -> Option<u64> {
        if !self.has_room() {
            return None;
        }
        match &self.phase {
            Phase::Program(program) => {
                let open = program.sent.saturating_sub(program.confirmed);
                (open < u64::from(program.terms.window)).then_some(program.sent + 1)
            }
            Phase::Person(person) => Some(person.sent + 1),
            _ => None,
        }
    }

    /// Gets a message.
    pub(super) fn hears(&mut self, entry: &Entry) {
        let seal = self.seal;
        match &mut self.phase {
            Phase::Program(program) => {
                program.sent = entry.seq;
                let own = if entry.member == program.token { entry.id } else { 0 };
                let payload = usize::from(program.terms.payload).max(1);
                let pieces = entry.text.len().div_ceil(payload).max(1);
                for (place, piece) in entry.text.as_bytes().chunks(payload).enumerate() {
                    let said = Said {
                        seq: entry.seq,
                        own,
                        part: Part { first: place == 0, last: place + 1 == pieces },
                        name: entry.name.clone(),
                        piece: piece.to_vec(),
                    };
                    Frame::Said(said).put(self.out.end(), seal);
                }
            }
            Phase::Person(person) => {
                person.sent = entry.seq;
                if entry.seq > self.since {
                    self.got += entry.octets();
                }
                let text = visible(&entry.text);
                // The operator is who the person called: its lines need no name.
                if entry.member == super::OPERATOR {
                    self.out.end().extend_from_slice(text.as_bytes());
                } else if entry.name != person.name {
                    let line = [entry.name.as_str(), ": ", &text].concat();
                    self.out.end().extend_from_slice(line.as_bytes());
                } else {
                    return;
                }
                self.out.end().push(b'\n');
            }
            _ => {}
        }
    }

    /// Messages before this one are not kept any more.
    pub(super) const fn skip(&mut self, first: u64) {
        match &mut self.phase {
            Phase::Program(program) => {
                program.sent = first.saturating_sub(1);
                program.confirmed = program.sent;
            }
            Phase::Person(person) => person.sent = first.saturating_sub(1),
            _ => {}
        }
    }

    /// A message of its own is kept for good.
    pub(super) fn acknowledge(&mut self, now: Duration, id: u64) {
        let Phase::Program(program) = &mut self.phase else { return };
        if program.terms.acknowledgement == Acknowledgement::Individual {
            self.put(&Frame::Ack { id });
            return;
        }
        let (upto, count, at) = program.group.unwrap_or((id, 0, now.saturating_add(GROUP_WAIT)));
        let (upto, count) = (upto.max(id), count + 1);
        program.group = Some((upto, count, at));
        // Half a window at once: the other half is on its way meanwhile.
        if count >= program.terms.window.div_ceil(2) {
            self.acknowledge_group();
        }
    }

    fn acknowledge_group(&mut self) {
        if let Phase::Program(program) = &mut self.phase
            && let Some((id, ..)) = program.group.take()
        {
            self.put(&Frame::AckUpTo { id });
        }
    }

    /// A message of its own is not taken. Says whether that is enough, and whether it is news to
    /// whoever looks on: of a flood, the first one is.
    pub(super) fn refuse(&mut self, id: u64, why: Refused) -> (Option<Bye>, bool) {
        if self.is_in() {
            self.put(&Frame::Nack { id, why });
        }
        if !matches!(why, Refused::TooFast { .. }) {
            return (None, true);
        }
        self.refused += 1;
        ((self.refused > PATIENCE).then_some(Bye::Flood), self.refused == 1)
    }

    /// A message of its own was taken.
    pub(super) const fn took(&mut self) {
        self.refused = 0;
    }

    /// What was agreed holds from the next frame on.
    pub(super) fn agree(&mut self, terms: &Terms) {
        self.seal = if terms.integrity == Integrity::None { Seal::None } else { Seal::Digest };
        let most = usize::from(terms.payload).min(usize::try_from(terms.max_message).unwrap_or(usize::MAX));
        self.decoder.agree(most.saturating_add(OVERHEAD), self.seal);
    }

    /// It is told why, and closed once that is written.
    pub(super) fn leave(&mut self, now: Duration, why: Bye) {
        self.acknowledge_group();
        if self.is_in() || matches!(self.phase, Phase::Joining(_)) {
            self.put(&Frame::Bye(why));
        }
        self.phase = Phase::Leaving;
        self.left_at = now;
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Duration {
        let idle = self.heard_at.saturating_add(IDLE);
        match &self.phase {
            Phase::Undecided(octets) if octets.is_empty() => self.opened_at.saturating_add(SILENCE),
            Phase::Undecided(octets) if is_typed(octets) => self.heard_at.saturating_add(PAUSE),
            Phase::Silent => idle,
            Phase::Undecided(_) | Phase::Stranger | Phase::Hello(_) | Phase::Joining(_) => {
                self.opened_at.saturating_add(HANDSHAKE)
            }
            Phase::Program(program) => {
                let ping = self.heard_at.max(self.pinged_at).saturating_add(PING_AFTER);
                let frame = self.frame_at.map(|at| at.saturating_add(FRAME_TIME));
                let group = program.group.map(|(_, _, at)| at);
                [Some(idle), Some(ping), frame, group].into_iter().flatten().min().unwrap_or(idle)
            }
            Phase::Person(person) if person.line.is_empty() => idle,
            Phase::Person(person) => person.at.saturating_add(PAUSE).min(idle),
            Phase::Leaving if self.abort_wanted => Duration::MAX,
            Phase::Leaving => self.left_at.saturating_add(LAST_WORDS),
        }
    }

    /// Does what is due; says why the connection has to end, if it has.
    pub(super) fn time_passes(&mut self, now: Duration) -> Option<Bye> {
        let idle = self.heard_at.saturating_add(IDLE) <= now;
        match &self.phase {
            Phase::Undecided(octets) if octets.is_empty() => {
                self.phase = Phase::Silent;
                None
            }
            Phase::Undecided(octets) if is_typed(octets) => None,
            Phase::Undecided(_) | Phase::Stranger | Phase::Hello(_) | Phase::Joining(_) => {
                Some(Bye::Unfinished)
            }
            Phase::Silent | Phase::Program(_) if idle => Some(Bye::Idle),
            Phase::Silent => None,
            Phase::Program(_) if self.frame_at.is_some_and(|at| at.saturating_add(FRAME_TIME) <= now) => {
                Some(Bye::Unfinished)
            }
            Phase::Program(program) => {
                if program.group.is_some_and(|(_, _, at)| at <= now) {
                    self.acknowledge_group();
                }
                if self.heard_at.max(self.pinged_at).saturating_add(PING_AFTER) <= now {
                    self.pinged_at = now;
                    if self.has_room() {
                        self.put(&Frame::Ping(0));
                    }
                }
                None
            }
            Phase::Person(_) => idle.then_some(Bye::Idle),
            Phase::Leaving => {
                self.abort_wanted = true;
                None
            }
        }
    }

    pub(super) fn poll_want(&mut self) -> Option<Want<'_>> {
        if self.abort_wanted {
            self.out.clear();
            return (!core::mem::replace(&mut self.aborted, true)).then_some(Want::Abort);
        }
        if !self.out.is_empty() {
            return Some(Want::Write(self.out.waiting()));
        }
        if self.has_left() && !self.close_wanted {
            self.close_wanted = true;
            return Some(Want::Close);
        }
        None
    }
}
