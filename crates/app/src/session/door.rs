//! Where sessions begin: many peers, one socket.
//!
//! A datagram goes to the session of who sent it. One that belongs to none may be an ASK, which is
//! granted or refused with no more octets than it had; everything else of strangers is not answered
//! at all. So nobody can be made to flood another, and what strangers can take up is bounded: so many
//! sessions, those that never proved themselves giving way first.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use aperto_arq::Observe;
use aperto_time::Instant;

use super::{Datagram, Event, Session, Settings, What};
use crate::hello::{DecodeError, Fault, Hello, Offer, Refusal, VERSION, grant};

/// Many sessions by their peers.
#[derive(Clone, Debug)]
pub struct Door<Peer> {
    offer: Offer,
    settings: Settings,
    most: usize,
    observe: Observe,
    sessions: BTreeMap<Peer, Session>,
    closing: bool,
}

/// What a datagram led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It belongs to a session that there is.
    Known,
    /// It began a session: this was asked for.
    Asked(Hello),
    /// It was an ASK that is refused, with this.
    Refused(Refusal, Datagram),
    /// It is nothing of ours, or of no session, and is not answered; with what was wrong, where it
    /// should have been a HELLO.
    Ignored(Option<DecodeError>),
}

impl<Peer: Ord + Clone> Door<Peer> {
    /// A door that grants up to this many sessions at once.
    #[must_use]
    pub const fn new(offer: Offer, settings: Settings, most: usize) -> Self {
        Self { offer, settings, most, observe: Observe::No, sessions: BTreeMap::new(), closing: false }
    }

    /// Whether sessions that begin from now on take notes.
    pub const fn observe(&mut self, observe: Observe) {
        self.observe = observe;
    }

    /// A datagram arrived.
    pub fn datagram_arrives(&mut self, now: Instant, peer: &Peer, octets: &[u8]) -> Answer {
        let hello = Hello::decode_datagram(octets);
        let another = matches!(&hello, Ok(Hello::Ask { session, .. })
            if self.sessions.get(peer).is_some_and(|known| known.gives_way() && known.id() != *session));
        if another {
            self.sessions.remove(peer);
        }
        if let Some(session) = self.sessions.get_mut(peer) {
            session.datagram_arrives(now, octets);
            return Answer::Known;
        }
        match hello {
            Ok(hello @ Hello::Ask { .. }) => self.asked(now, peer, hello, octets.len()),
            Ok(_) => Answer::Ignored(None),
            Err(error) => match error.what {
                Fault::Version { session, .. } => {
                    let why = Refusal::Version { spoken: VERSION };
                    refuse(session, why, octets.len()).unwrap_or(Answer::Ignored(Some(error)))
                }
                _ => Answer::Ignored(Some(error)),
            },
        }
    }

    fn asked(&mut self, now: Instant, peer: &Peer, hello: Hello, octets: usize) -> Answer {
        let Hello::Ask { session, ask } = &hello else { return Answer::Ignored(None) };
        let full = self.sessions.len() >= self.most && !self.make_room();
        let granted = match (self.closing, full) {
            (true, _) => Err(Refusal::Closing),
            (_, true) => Err(Refusal::Full),
            _ => grant(ask, &self.offer),
        };
        let begun = granted.and_then(|terms| {
            // Terms that no textbook protocol can work with.
            Session::granted(now, *session, terms, self.settings).ok_or(Refusal::NoCommonMode)
        });
        match begun {
            Ok(mut begun) => {
                begun.observe(self.observe);
                begun.grant_again(octets);
                self.sessions.insert(peer.clone(), begun);
                Answer::Asked(hello)
            }
            Err(why) => refuse(*session, why, octets).unwrap_or(Answer::Ignored(None)),
        }
    }

    /// Forgets one that never proved itself; says whether there was one.
    fn make_room(&mut self) -> bool {
        let found = self.sessions.iter().find(|(_, session)| session.gives_way());
        let Some(peer) = found.map(|(peer, _)| peer.clone()) else { return false };
        self.sessions.remove(&peer).is_some()
    }

    /// From now on nobody new is let in.
    pub const fn close(&mut self) {
        self.closing = true;
    }

    /// The session of a peer.
    pub fn session(&mut self, peer: &Peer) -> Option<&mut Session> {
        self.sessions.get_mut(peer)
    }

    /// All sessions, for who polls them or ends them.
    pub fn sessions(&mut self) -> impl Iterator<Item = (&Peer, &mut Session)> {
        self.sessions.iter_mut()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Time has passed, for all of them.
    pub fn deadline_passed(&mut self, now: Instant) {
        for session in self.sessions.values_mut() {
            session.deadline_passed(now);
        }
    }

    /// The next datagram that leaves, and to whom.
    pub fn poll_datagram(&mut self, now: Instant) -> Option<(Peer, Datagram)> {
        self.sessions.iter_mut().find_map(|(peer, session)| Some((peer.clone(), session.poll_datagram(now)?)))
    }

    /// What the application of a peer should hear. A session that has ended is forgotten when its
    /// ending was heard and what it still had to send has left.
    pub fn poll_event(&mut self) -> Option<(Peer, Event)> {
        let heard =
            self.sessions.iter_mut().find_map(|(peer, session)| Some((peer.clone(), session.poll_event()?)));
        if heard.is_none() {
            self.sessions.retain(|_, session| !session.is_over() || session.has_urgent());
        }
        heard
    }

    /// When to call [`deadline_passed`](Self::deadline_passed).
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.sessions.values().filter_map(Session::poll_deadline).min()
    }
}

/// A refusal, if it is no longer than what it answers.
fn refuse(session: u32, why: Refusal, asked: usize) -> Option<Answer> {
    let hello = Hello::Refuse { session, why };
    let octets = hello.encode();
    let fits = octets.len() <= asked;
    fits.then_some(Answer::Refused(why, Datagram { octets, what: What::Hello(hello, 1) }))
}

impl Session {
    /// Whether something that was said once still has to leave.
    fn has_urgent(&self) -> bool {
        !self.urgent.is_empty()
    }

    /// What still has to leave of a session that is over.
    #[must_use]
    pub fn last_words(&mut self) -> Vec<Datagram> {
        self.urgent.drain(..).map(|(octets, what)| Datagram { octets, what }).collect()
    }
}
