//! Who is who across connections, and which messages were taken from whom.
//!
//! Of each member the last [`super::super::MOST_WINDOW`] ids are kept that were taken:
//! more than those cannot be without an answer, so a repeated id is always known as what it is.
//! Members that are not here and have said nothing are forgotten; of the others the longest silent
//! go first, once there are more than [`MOST_SESSIONS`].

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::super::MOST_WINDOW;
use super::super::frame::Token;
use super::super::text::skeleton;
use super::MemberId;

/// How many members are remembered.
const MOST_SESSIONS: usize = 4_096;

/// What is known of an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Id {
    /// It was never taken, and none after it.
    New,
    /// It was taken, and is confirmed.
    Confirmed,
    /// It was taken, and will be confirmed.
    Taken,
    /// It was refused, or is older than what is remembered.
    Passed,
}

/// A member, across connections.
#[derive(Clone, Debug, Default)]
struct Session {
    /// The ids that were taken, the last ones, in order.
    taken: VecDeque<u64>,
    /// How many of them, at the end, are not confirmed.
    open: usize,
    /// The place of its last message in the order.
    last_seq: u64,
    connection: Option<MemberId>,
    /// Which of the member's connections that is, as the member counts them.
    number: u32,
    name: String,
}

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    all: BTreeMap<Token, Session>,
}

impl Sessions {
    /// A message is taken from the journal: it is confirmed.
    pub(super) fn take(&mut self, token: Token, id: u64, seq: u64) {
        self.open(token, id, seq);
        self.confirm(&token, id);
        self.forget();
    }

    /// A message is taken.
    pub(super) fn open(&mut self, token: Token, id: u64, seq: u64) {
        let session = self.all.entry(token).or_default();
        session.taken.push_back(id);
        session.open += 1;
        session.last_seq = seq;
        while session.taken.len() > usize::from(MOST_WINDOW) {
            session.taken.pop_front();
        }
    }

    /// How many messages of a member are taken and not confirmed.
    pub(super) fn open_of(&self, token: &Token) -> usize {
        self.all.get(token).map_or(0, |session| session.open)
    }

    /// A message is confirmed. Gives the connection on which to say so.
    pub(super) fn confirm(&mut self, token: &Token, id: u64) -> Option<MemberId> {
        let session = self.all.get_mut(token)?;
        debug_assert_eq!(session.taken.iter().rev().nth(session.open.saturating_sub(1)), Some(&id));
        session.open = session.open.saturating_sub(1);
        session.connection
    }

    /// What is known of an id.
    pub(super) fn state(&self, token: &Token, id: u64) -> Id {
        let Some(session) = self.all.get(token) else { return Id::New };
        let Some(last) = session.taken.back() else { return Id::New };
        if id > *last {
            return Id::New;
        }
        match session.taken.iter().rev().position(|taken| *taken == id) {
            Some(place) if place < session.open => Id::Taken,
            Some(_) => Id::Confirmed,
            None => Id::Passed,
        }
    }

    /// A member is on this connection from now on, under the name that it asked for or one that
    /// nobody here has. Gives the name, the connection that it was on, and whether it is known; none
    /// where it is on a newer one already.
    pub(super) fn join(
        &mut self,
        token: Token,
        (connection, number): (MemberId, u32),
        asked: &str,
    ) -> Option<(String, Option<MemberId>, bool)> {
        let taken: Vec<String> = self
            .all
            .iter()
            .filter(|(other, session)| **other != token && session.connection.is_some())
            .map(|(_, session)| skeleton(&session.name))
            .collect();
        let name = unlike(asked, &taken);
        let known = self.all.contains_key(&token);
        let session = self.all.entry(token).or_default();
        if session.number > number {
            return None;
        }
        session.number = number;
        session.name.clone_from(&name);
        let before = session.connection.replace(connection);
        self.forget();
        Some((name, before, known))
    }

    /// The names of who is here.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.values().filter(|session| session.connection.is_some()).map(|session| session.name.as_str())
    }

    /// A connection of a member is over.
    pub(super) fn away(&mut self, token: Token, connection: MemberId) {
        let Some(session) = self.all.get_mut(&token) else { return };
        if session.connection == Some(connection) {
            session.connection = None;
        }
        if session.connection.is_none() && session.taken.is_empty() {
            self.all.remove(&token);
        }
    }

    fn forget(&mut self) {
        while self.all.len() > MOST_SESSIONS {
            let away =
                self.all.iter().filter(|(_, session)| session.connection.is_none() && session.open == 0);
            let Some(oldest) = away.min_by_key(|(_, session)| session.last_seq).map(|(token, _)| *token)
            else {
                return;
            };
            self.all.remove(&oldest);
        }
    }

    /// What a restart must not change, as octets: the ids that are confirmed.
    pub(super) fn put(&self, into: &mut Vec<u8>) {
        for (token, session) in &self.all {
            let confirmed = session.taken.len() - session.open.min(session.taken.len());
            if confirmed == 0 {
                continue;
            }
            into.extend_from_slice(token);
            for id in session.taken.iter().take(confirmed) {
                into.extend_from_slice(&id.to_be_bytes());
            }
        }
    }
}

/// A name that looks like none of these.
pub(super) fn unlike(asked: &str, taken: &[String]) -> String {
    let mut name = String::from(asked);
    let mut number = 2_u32;
    while taken.contains(&skeleton(&name)) {
        name = alloc::format!("{asked}-{number}");
        number += 1;
    }
    name
}
