//! What arrives in a room: first who it is, then frames.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::decoder::{Found, Who, is_typed, who};
use super::super::frame::{Bye, Frame, Join, Refused, Say, Seal, Welcome};
use super::super::{MOST_WINDOW, text};
use super::member::{Phase, Program};
use super::sessions::Id;
use super::{Event, MemberId, Room, entry_of};
use crate::hello::{self, Hello, Negative, Refusal, Terms};

impl Room {
    /// Octets of a connection were read: the next in the stream.
    pub fn readable(&mut self, now: Duration, id: MemberId, octets: &[u8]) {
        let Some(member) = self.members.get_mut(&id) else { return };
        member.heard_at = now;
        self.awake.insert(id);
        let mut rest = octets;
        while !rest.is_empty() {
            let Some(member) = self.members.get_mut(&id) else { return };
            match &mut member.phase {
                Phase::Undecided(before) => {
                    // Eight octets decide: they come one after the other.
                    let (first, after) = rest.split_at(1);
                    before.extend_from_slice(first);
                    rest = after;
                    let before = core::mem::take(before);
                    self.decide(now, id, before);
                }
                Phase::Silent => member.phase = Phase::Undecided(Vec::new()),
                Phase::Stranger | Phase::Leaving => return,
                Phase::Hello(_) => self.hello(now, id, &mut rest),
                Phase::Joining(_) | Phase::Program(_) => self.frames(now, id, &mut rest),
                Phase::Person(_) => {
                    self.typed(now, id, rest);
                    rest = &[];
                }
            }
        }
    }

    /// The peer of a connection will send no more, and everything was read.
    pub fn peer_closed(&mut self, now: Duration, id: MemberId) {
        self.line_ends(now, id);
        self.let_go(now, id, Bye::Leaving);
    }

    /// Nothing more comes for a while behind the first octets.
    pub(super) fn decide_anyway(&mut self, now: Duration, id: MemberId) {
        let Some(Phase::Undecided(octets)) = self.members.get(&id).map(|member| &member.phase) else {
            return;
        };
        if is_typed(octets) {
            let octets = octets.clone();
            self.person_comes(now, id);
            self.typed(now, id, &octets);
        }
    }

    /// Looks at the first octets.
    fn decide(&mut self, now: Duration, id: MemberId, octets: Vec<u8>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        match who(&octets) {
            Who::NotYet => member.phase = Phase::Undecided(octets),
            Who::Program => member.phase = Phase::Hello(octets),
            Who::Person => {
                self.person_comes(now, id);
                self.typed(now, id, &octets);
            }
            Who::Stranger(what) => {
                // Who drives the room may still say a line to it.
                member.phase = Phase::Stranger;
                self.event(Event::Stranger { member: id, what });
            }
        }
    }

    /// Reads a HELLO to its end.
    fn hello(&mut self, now: Duration, id: MemberId, rest: &mut &[u8]) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Phase::Hello(octets) = &mut member.phase else { return };
        let (first, after) = rest.split_at(1);
        octets.extend_from_slice(first);
        *rest = after;
        let (session, agreed) = match Hello::decode(octets) {
            Ok((Hello::Ask { session, ask }, _)) => {
                let granted = hello::grant(&ask, &self.config.offer());
                (session, member.unwelcome.map_or(granted, Err).map(|terms| (ask, terms)))
            }
            Err(error) => match error.what {
                hello::Fault::Incomplete { .. } => return,
                hello::Fault::Version { session, .. } => {
                    (session, Err(Refusal::Version { spoken: hello::VERSION }))
                }
                _ => return self.let_go(now, id, Bye::Protocol),
            },
            Ok(_) => return self.let_go(now, id, Bye::Protocol),
        };
        match agreed {
            Ok((ask, terms)) => {
                let grant = Hello::Grant { session, terms }.encode();
                member.out.end().extend_from_slice(&grant);
                member.phase = Phase::Joining(terms);
                member.asked = Some(ask);
            }
            Err(why) => {
                let refusal = Hello::Refuse { session, why }.encode();
                member.out.end().extend_from_slice(&refusal);
                member.leave(now, Bye::Protocol);
                self.event(Event::NotAgreed { member: id, why });
            }
        }
    }

    /// Reads one frame, or its beginning.
    fn frames(&mut self, now: Duration, id: MemberId, rest: &mut &[u8]) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let found = member.decoder.take(rest);
        member.frame_at = match (&found, member.decoder.is_within()) {
            (Ok(None), true) => member.frame_at.or(Some(now)),
            _ => None,
        };
        let arrived = match found {
            Ok(None) => return,
            Ok(Some(Found::Frame(frame))) => self.frame(now, id, frame),
            Ok(Some(Found::Damaged)) => self.damaged(id),
            Err(_) => Err(Bye::Protocol),
        };
        if let Err(why) = arrived {
            self.let_go(now, id, why);
        }
    }

    /// A frame is damaged: it is asked for again, if that was agreed.
    fn damaged(&mut self, id: MemberId) -> Result<(), Bye> {
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let Phase::Program(program) = &mut member.phase else { return Err(Bye::Protocol) };
        if program.terms.negative == Negative::Off || member.seal == Seal::None {
            return Err(Bye::Protocol);
        }
        program.deaf = true;
        program.partial = None;
        let name = program.name.clone();
        member.put(&Frame::Damaged { after: 0 });
        self.event(Event::Damaged { member: id, name });
        Ok(())
    }

    /// A whole frame. An `Err` ends the connection.
    fn frame(&mut self, now: Duration, id: MemberId, frame: Frame) -> Result<(), Bye> {
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let terms = match (&mut member.phase, &frame) {
            (Phase::Joining(terms), Frame::Join(_)) => *terms,
            (Phase::Program(program), _) => {
                let always =
                    matches!(frame, Frame::Damaged { .. } | Frame::Resumed | Frame::Bye(_) | Frame::Pong(_));
                if program.deaf && !always {
                    return Ok(());
                }
                program.terms
            }
            _ => return Err(Bye::Protocol),
        };
        match frame {
            Frame::Join(join) if !member.is_in() => self.joins(now, id, &join, terms),
            Frame::Say(say) => self.says(now, id, &say, terms),
            Frame::Ack { id: seq } | Frame::AckUpTo { id: seq } => self.has(id, seq),
            Frame::Damaged { after } => self.again(id, after),
            Frame::Resumed => {
                if let Phase::Program(program) = &mut member.phase {
                    program.deaf = false;
                    program.partial = None;
                }
                Ok(())
            }
            Frame::Ping(number) => {
                member.put(&Frame::Pong(number));
                Ok(())
            }
            Frame::Pong(_) => Ok(()),
            Frame::Bye(_) => {
                self.let_go(now, id, Bye::Leaving);
                Ok(())
            }
            Frame::Join(_)
            | Frame::Welcome(_)
            | Frame::Said(_)
            | Frame::Nack { .. }
            | Frame::Came(_)
            | Frame::Left(_) => Err(Bye::Protocol),
        }
    }

    /// Who it is.
    fn joins(&mut self, now: Duration, id: MemberId, join: &Join, terms: Terms) -> Result<(), Bye> {
        let is_same_room = join.room == self.config.token;
        // Nothing is shown before it is kept for good: who has seen more has seen another room.
        let is_taken = [super::OPERATOR, super::PERSON].contains(&join.token);
        if is_taken || (is_same_room && join.seen > self.durable) {
            return Err(Bye::Protocol);
        }
        let asked = self.free_name(&text::name(&join.name));
        let joined = self.sessions.join(join.token, (id, join.connection), &asked);
        let (name, before, known) = joined.ok_or(Bye::Replaced)?;
        if let Some(before) = before.filter(|before| *before != id) {
            self.let_go(now, before, Bye::Replaced);
        }
        let after = if is_same_room { join.seen } else { self.durable };
        let back = known || is_same_room;
        let (durable, total) = (self.durable, self.total);
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let ask = member.asked.take().ok_or(Bye::Protocol)?;
        let welcome = Welcome { room: self.config.token, after, name: name.clone() };
        member.put(&Frame::Welcome(welcome));
        member.agree(&terms);
        member.begins(durable, total);
        member.phase = Phase::Program(Program::new(join.token, name.clone(), terms, after));
        let missed = self.durable - after;
        self.event(Event::Agreed { member: id, name: name.clone(), ask, terms, back, missed });
        if !back {
            self.announce(id, &Frame::Came(name));
        }
        Ok(())
    }

    /// A piece of a message.
    fn says(&mut self, now: Duration, id: MemberId, say: &Say, terms: Terms) -> Result<(), Bye> {
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let Phase::Program(program) = &mut member.phase else { return Err(Bye::Protocol) };
        if say.part.first {
            program.partial = Some((say.id, Vec::new(), false));
        }
        let Some((number, so_far, too_long)) = &mut program.partial else { return Err(Bye::Protocol) };
        if *number != say.id || say.id == 0 {
            return Err(Bye::Protocol);
        }
        let most = usize::try_from(terms.max_message).unwrap_or(usize::MAX);
        if so_far.len() + say.piece.len() > most {
            *too_long = true;
        } else {
            so_far.extend_from_slice(&say.piece);
        }
        if !say.part.last {
            return Ok(());
        }
        let token = program.token;
        let (text, too_long) = program.partial.take().map(|(_, text, long)| (text, long)).unwrap_or_default();
        match self.sessions.state(&token, say.id) {
            Id::Taken => Ok(()),
            Id::Confirmed => {
                let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
                member.acknowledge(now, say.id);
                Ok(())
            }
            Id::Passed => self.refuses(id, say.id, Refused::Before),
            Id::New if too_long => self.refuses(id, say.id, Refused::TooLarge { most: terms.max_message }),
            Id::New => self.takes(now, id, say.id, text),
        }
    }

    /// A whole message with a new id.
    fn takes(&mut self, now: Duration, id: MemberId, number: u64, text: Vec<u8>) -> Result<(), Bye> {
        if text.is_empty() {
            return self.refuses(id, number, Refused::Empty);
        }
        let Ok(text) = String::from_utf8(text) else { return self.refuses(id, number, Refused::NotText) };
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let Phase::Program(program) = &member.phase else { return Err(Bye::Protocol) };
        let (token, name) = (program.token, program.name.clone());
        // Nobody may have more without an answer than are remembered.
        if self.sessions.open_of(&token) >= usize::from(MOST_WINDOW) {
            return Err(Bye::Protocol);
        }
        if let Err(wait) = member.bucket.take(now) {
            return self.refuses(id, number, Refused::TooFast { wait });
        }
        member.took();
        self.sessions.open(token, number, self.next_seq);
        self.append(now, token, number, name, text);
        Ok(())
    }

    fn refuses(&mut self, id: MemberId, number: u64, why: Refused) -> Result<(), Bye> {
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let name = String::from(member.name().unwrap_or_default());
        let (enough, is_news) = member.refuse(number, why);
        if is_news {
            self.event(Event::Refused { member: id, name, id: number, why });
        }
        enough.map_or(Ok(()), Err)
    }

    /// A member has shown a message, and all before it.
    fn has(&mut self, id: MemberId, seq: u64) -> Result<(), Bye> {
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let Phase::Program(program) = &mut member.phase else { return Err(Bye::Protocol) };
        if seq > program.sent {
            // RELIABILITY AP-4: nobody can have what was never sent.
            return Err(Bye::Protocol);
        }
        let from = program.confirmed;
        program.confirmed = from.max(seq);
        // A window of messages at most.
        for entry in (from + 1..=seq).filter_map(|seq| entry_of(&self.log, seq)) {
            member.has_got(entry);
        }
        Ok(())
    }

    /// A frame was damaged on its way to a member: it gets again what it has not got whole.
    fn again(&mut self, id: MemberId, after: u64) -> Result<(), Bye> {
        let member = self.members.get_mut(&id).ok_or(Bye::Protocol)?;
        let Phase::Program(program) = &mut member.phase else { return Err(Bye::Protocol) };
        if after > program.sent {
            return Err(Bye::Protocol);
        }
        program.sent = after.max(program.confirmed);
        let deaf = program.deaf;
        member.put(&Frame::Resumed);
        if deaf {
            // What we asked for may have been damaged, too.
            member.put(&Frame::Damaged { after: 0 });
        }
        Ok(())
    }
}
