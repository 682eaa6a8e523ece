//! A person in the room without a program of ours: `nc`, telnet, a bare TCP connection.
//!
//! Each line is a message; what is typed without an end of line is one after a pause. What others
//! say reaches it as lines, `name: text`, made harmless for its terminal. `sair`, `quit` or `exit`
//! alone on a line leaves. A person has no ids: what was on its way when the connection broke is
//! nobody's promise.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::decoder::{Who, who};
use super::super::frame::{Bye, Refused};
use super::super::text::skeleton;
use super::member::{PAUSE, Person, Phase};
use super::sessions::unlike;
use super::{Event, MemberId, PERSON, Room};

/// The words that leave.
const LEAVES: [&str; 3] = ["sair", "quit", "exit"];

impl Room {
    /// A name that nobody has who is here without a program.
    pub(super) fn free_name(&self, asked: &str) -> String {
        let mut taken: Vec<String> = self
            .members
            .values()
            .filter(|member| matches!(member.phase, Phase::Person(_)))
            .filter_map(|member| member.name().map(skeleton))
            .collect();
        taken.push(skeleton(&self.config.operator));
        unlike(asked, &taken)
    }

    pub(super) fn person_comes(&mut self, now: Duration, id: MemberId) {
        let taken: Vec<String> = self
            .sessions
            .names()
            .map(skeleton)
            .chain(core::iter::once(skeleton(&self.config.operator)))
            .collect();
        let name = unlike(&alloc::format!("c{}", id.0), &taken);
        let Some(member) = self.members.get_mut(&id) else { return };
        let person =
            Person { name: name.clone(), sent: member.since, line: Vec::new(), too_long: false, at: now };
        member.phase = Phase::Person(person);
        self.event(Event::Person { member: id, name });
    }

    /// A person typed something.
    pub(super) fn typed(&mut self, now: Duration, id: MemberId, octets: &[u8]) {
        if who(octets) == Who::Program {
            // A program whose first words were late: it has heard a person's lines, and comes again.
            return self.let_go(now, id, Bye::Unfinished);
        }
        for piece in octets.split_inclusive(|octet| *octet == b'\n') {
            let most = usize::try_from(self.config.max_message).unwrap_or(usize::MAX);
            let Some(member) = self.members.get_mut(&id) else { return };
            let Phase::Person(person) = &mut member.phase else { return };
            person.at = now;
            if person.line.len() + piece.len() > most {
                person.too_long = true;
                // Something of it is kept, so that the line has an end.
                person.line.truncate(1);
            } else {
                person.line.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                self.line_ends(now, id);
            }
        }
    }

    /// What was typed without an end of line is a line after a pause.
    pub(super) fn line_pauses(&mut self, now: Duration, id: MemberId) {
        if let Some(Phase::Person(person)) = self.members.get(&id).map(|member| &member.phase)
            && person.at.saturating_add(PAUSE) <= now
        {
            self.line_ends(now, id);
        }
    }

    /// A line is whole.
    pub(super) fn line_ends(&mut self, now: Duration, id: MemberId) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Phase::Person(person) = &mut member.phase else { return };
        let line = core::mem::take(&mut person.line);
        let too_long = core::mem::take(&mut person.too_long);
        let name = person.name.clone();
        if line.is_empty() && !too_long {
            return;
        }
        let most = self.config.max_message;
        let text = String::from_utf8(line).map(|text| String::from(text.trim_end_matches(['\r', '\n'])));
        let taken = match text {
            _ if too_long => Err(Refused::TooLarge { most }),
            Ok(text) if text.is_empty() => return,
            Ok(text) if LEAVES.contains(&text.trim().to_lowercase().as_str()) => {
                return self.let_go(now, id, Bye::Leaving);
            }
            Ok(text) if text.chars().any(|letter| letter.is_control() && letter != '\t') => {
                Err(Refused::NotText)
            }
            Ok(text) => match member.bucket.take(now) {
                Ok(()) => Ok(text),
                Err(wait) => Err(Refused::TooFast { wait }),
            },
            Err(_) => Err(Refused::NotText),
        };
        match taken {
            Ok(text) => {
                member.took();
                self.append(now, PERSON, self.next_seq, name, text);
            }
            Err(why) => {
                let (enough, is_news) = member.refuse(0, why);
                if is_news {
                    self.event(Event::Refused { member: id, name, id: 0, why });
                }
                if let Some(why) = enough {
                    self.let_go(now, id, why);
                }
            }
        }
    }
}
