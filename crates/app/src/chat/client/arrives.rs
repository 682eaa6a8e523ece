//! What arrives at a member: the answer to HELLO, then frames.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::decoder::{Found, Stranger, Who, who};
use super::super::frame::{Bye, Frame, OVERHEAD, Said, Seal, Welcome};
use super::{Client, Event, GROUP_WAIT, Over, State};
use crate::hello::{self, Acknowledgement, Hello, Integrity, Negative, Terms};

/// What the other side did that the protocol does not allow.
struct Broken;

impl Client {
    /// Octets of the connection were read: the next in the stream.
    pub fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.heard_at = now;
        let mut rest = octets;
        while !rest.is_empty() {
            match self.state {
                State::Greeting(_) => self.answer(now, &mut rest),
                State::Entering(_) | State::In(_) | State::Closing => self.frames(now, &mut rest),
                State::Idle | State::Connecting | State::Waiting(_) | State::Over => return,
            }
        }
        self.pump(now);
    }

    /// The answer to HELLO, one octet after the other.
    fn answer(&mut self, now: Duration, rest: &mut &[u8]) {
        let State::Greeting(octets) = &mut self.state else { return };
        let (first, after) = rest.split_at(1);
        octets.extend_from_slice(first);
        *rest = after;
        let octets = octets.as_slice();
        match Hello::decode(octets) {
            Ok((Hello::Grant { terms, .. }, _)) if self.config.ask.allows(&terms) => {
                self.state = State::Entering(terms);
            }
            Ok((Hello::Grant { .. }, _)) => self.ends(Over::Unfair),
            Ok((Hello::Refuse { why, .. }, _)) => match why {
                // There may be room again.
                hello::Refusal::Full if self.was_in => self.fails(now, Some(Bye::Full)),
                why => self.ends(Over::NotAgreed(why)),
            },
            Ok((Hello::Ask { .. }, _)) => self.ends(Over::Echo),
            Err(error) => match error.what {
                hello::Fault::Incomplete { .. } => {}
                hello::Fault::Magic => {
                    let what = match who(octets) {
                        Who::NotYet if octets.len() < 8 => return,
                        Who::Stranger(what) => what,
                        _ => Stranger::Unknown,
                    };
                    self.strange(now, Over::Stranger(what));
                }
                hello::Fault::Version { version, .. } => {
                    let why = hello::Refusal::Version { spoken: version };
                    self.strange(now, Over::NotAgreed(why));
                }
                _ => self.strange(now, Over::Stranger(Stranger::Unknown)),
            },
        }
    }

    /// The other side speaks something else, or what it said was damaged on its way.
    fn strange(&mut self, now: Duration, how: Over) {
        if self.insists() { self.fails(now, None) } else { self.ends(how) }
    }

    fn frames(&mut self, now: Duration, rest: &mut &[u8]) {
        let done = match self.decoder.take(rest) {
            Ok(None) => return,
            Ok(Some(Found::Frame(frame))) => self.frame(now, frame),
            Ok(Some(Found::Damaged)) => self.damaged(),
            Err(_) => Err(Broken),
        };
        if done.is_err() {
            self.fails(now, None);
        }
    }

    fn damaged(&mut self) -> Result<(), Broken> {
        let State::In(terms) = &self.state else { return Err(Broken) };
        if terms.negative == Negative::Off || self.seal == Seal::None {
            return Err(Broken);
        }
        self.deaf = true;
        self.partial = None;
        self.events.push_back(Event::Damaged);
        Frame::Damaged { after: self.seen }.put(self.out.end(), self.seal);
        Ok(())
    }

    fn frame(&mut self, now: Duration, frame: Frame) -> Result<(), Broken> {
        if let State::Entering(terms) = self.state {
            return match frame {
                Frame::Welcome(welcome) => {
                    self.enters(now, welcome, terms);
                    Ok(())
                }
                Frame::Bye(why) => {
                    self.let_go(now, why);
                    Ok(())
                }
                _ => Err(Broken),
            };
        }
        let always = matches!(frame, Frame::Damaged { .. } | Frame::Resumed | Frame::Bye(_) | Frame::Pong(_));
        if self.deaf && !always {
            return Ok(());
        }
        if !matches!(frame, Frame::Ping(_) | Frame::Pong(_)) {
            self.progress_at = now;
        }
        match frame {
            Frame::Said(said) => self.said(now, said),
            Frame::Ack { id } => self.confirmed(now, id, id),
            Frame::AckUpTo { id } => self.confirmed(now, 0, id),
            Frame::Nack { id, why } => {
                if self.resolve(now, id, id)? > 0 {
                    self.events.push_back(Event::Refused { id, why });
                }
                Ok(())
            }
            Frame::Damaged { .. } => {
                Frame::Resumed.put(self.out.end(), self.seal);
                if self.deaf {
                    // What we asked for may have been damaged, too.
                    Frame::Damaged { after: self.seen }.put(self.out.end(), self.seal);
                }
                // What was damaged may have been an acknowledgement.
                Frame::AckUpTo { id: self.seen }.put(self.out.end(), self.seal);
                self.on_their_way = 0;
                Ok(())
            }
            Frame::Resumed => {
                // An acknowledgement may have been among what was not heard: all is said again.
                self.deaf = false;
                self.partial = None;
                self.on_their_way = 0;
                Ok(())
            }
            Frame::Ping(number) => {
                Frame::Pong(number).put(self.out.end(), self.seal);
                Ok(())
            }
            Frame::Pong(_) => Ok(()),
            Frame::Came(name) => {
                self.events.push_back(Event::Came(name));
                Ok(())
            }
            Frame::Left(name) => {
                self.events.push_back(Event::Left(name));
                Ok(())
            }
            Frame::Bye(why) => {
                self.let_go(now, why);
                Ok(())
            }
            Frame::Join(_) | Frame::Welcome(_) | Frame::Say(_) => Err(Broken),
        }
    }

    /// It is in.
    fn enters(&mut self, now: Duration, welcome: Welcome, terms: Terms) {
        let another_room = self.room.is_some_and(|room| room != welcome.room);
        if self.room == Some(welcome.room) {
            let messages = welcome.after.saturating_sub(self.seen);
            if messages > 0 {
                self.events.push_back(Event::Missed { messages });
            }
            self.seen = self.seen.max(welcome.after);
        } else {
            self.seen = welcome.after;
        }
        self.room = Some(welcome.room);
        self.seal = if terms.integrity == Integrity::None { Seal::None } else { Seal::Digest };
        // Others may have been granted longer messages: the payload alone is a bound for theirs.
        self.decoder.agree(usize::from(terms.payload).saturating_add(OVERHEAD), self.seal);
        self.state = State::In(terms);
        self.attempts = 0;
        self.pinged_at = now;
        let back = core::mem::replace(&mut self.was_in, true);
        let again = self.unconfirmed();
        self.events.push_back(Event::In {
            name: welcome.name,
            terms,
            back,
            another_room,
            after: self.seen,
            again,
        });
    }

    /// A piece of a message of somebody.
    fn said(&mut self, now: Duration, said: Said) -> Result<(), Broken> {
        let State::In(terms) = self.state else { return Ok(()) };
        if said.part.first {
            self.partial = Some((said.seq, Vec::new()));
        }
        let Some((seq, text)) = &mut self.partial else { return Err(Broken) };
        let most = super::super::MOST_MESSAGE;
        if *seq != said.seq || text.len() + said.piece.len() > most {
            return Err(Broken);
        }
        text.extend_from_slice(&said.piece);
        if !said.part.last {
            return Ok(());
        }
        let text = self.partial.take().map(|(_, text)| text).unwrap_or_default();
        let text = String::from_utf8(text).map_err(|_| Broken)?;
        if said.seq > self.seen {
            let messages = said.seq - self.seen - 1;
            if messages > 0 {
                self.events.push_back(Event::Missed { messages });
            }
            self.seen = said.seq;
            let own = (said.own != 0).then_some(said.own);
            if let Some(id) = own {
                self.confirmed(now, id, id)?;
            }
            self.events.push_back(Event::Shown { seq: said.seq, name: said.name, text, own });
        }
        if terms.acknowledgement == Acknowledgement::Individual {
            Frame::Ack { id: said.seq }.put(self.out.end(), self.seal);
            return Ok(());
        }
        self.group += 1;
        self.group_at = self.group_at.or(Some(now.saturating_add(GROUP_WAIT)));
        if self.group >= terms.window.div_ceil(2) {
            self.acknowledge_group();
        }
        Ok(())
    }

    /// Own messages are kept for good.
    fn confirmed(&mut self, now: Duration, from: u64, to: u64) -> Result<(), Broken> {
        let ids: Vec<u64> =
            self.queue.iter().map(|one| one.id).filter(|id| (from..=to).contains(id)).collect();
        self.resolve(now, from, to)?;
        self.events.extend(ids.into_iter().map(|id| Event::Confirmed { id }));
        Ok(())
    }

    /// Takes messages out of the queue. Says how many.
    fn resolve(&mut self, now: Duration, from: u64, to: u64) -> Result<usize, Broken> {
        if to >= self.next_id {
            // RELIABILITY AP-4: an answer to what was never said.
            return Err(Broken);
        }
        let before = self.queue.len();
        let on_their_way = self.on_their_way;
        let mut place = 0;
        let (mut gone, mut octets) = (0, 0);
        self.queue.retain(|message| {
            let goes = (from..=to).contains(&message.id);
            if goes {
                octets += message.text.len();
                gone += usize::from(place < on_their_way);
            }
            place += 1;
            !goes
        });
        self.queued_octets -= octets;
        self.on_their_way -= gone;
        if before > self.queue.len() {
            self.progress_at = now;
        }
        Ok(before - self.queue.len())
    }

    /// The room said good-bye.
    fn let_go(&mut self, now: Duration, why: Bye) {
        match why {
            Bye::Closing | Bye::Leaving => {
                let closed = why == Bye::Closing;
                self.resets();
                self.wants_close = true;
                self.over(Over::Left { closed, unconfirmed: self.unconfirmed() });
            }
            Bye::Replaced | Bye::Flood => self.ends(Over::LetGo(why)),
            _ => self.fails(now, Some(why)),
        }
    }
}
