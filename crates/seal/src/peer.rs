//! One peer: agrees on keys with one other, seals what leaves, opens what arrives.
//!
//! Inputs are [`begin`](Peer::begin), [`packet_departs`](Peer::packet_departs),
//! [`datagram_arrives`](Peer::datagram_arrives) and [`deadline_passed`](Peer::deadline_passed); after
//! each, everything is polled. The initiator repeats its hello and its proof, later each time, until
//! the responder is heard; the responder has no timer, and answers each copy with the same octets. New
//! keys are agreed on by another handshake while the old ones still work.
//!
//! The handshakes of both roles are in `initiator.rs` and `responder.rs`.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use aperto_time::{Deadline, Duration, Instant};

use crate::format::{self, Index, LONGEST, ParseError, Parsed};
use crate::identity::{Identity, Luck, NoRandomness, PublicKey, Trust};
use crate::session::Session;

mod initiator;
mod responder;

use initiator::Attempt;
use responder::Pending;

/// Who begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// The client.
    Initiator,
    /// The server.
    Responder,
}

/// What a peer is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its own lasting key.
    pub identity: Identity,
    /// Whom it talks to.
    pub trust: Trust,
    /// What the application binds the handshake to, such as the name of its protocol: who says
    /// something else does not get through. Empty by default.
    pub context: Vec<u8>,
    /// After how long a hello or a proof is repeated for the first time; doubled each time, up to
    /// 5 s. Default 250 ms.
    pub first_retry: Duration,
    /// How often a message is repeated before the initiator gives up. Default 20.
    pub retries: u32,
    /// After how many datagrams of the busier direction new keys are agreed on. Default 2^22; the
    /// old ones end at 2^23.
    pub rekey_after_datagrams: u64,
    /// After how long. Default 120 s; the old ones end after three times that.
    pub rekey_after: Duration,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub const fn new(identity: Identity, trust: Trust) -> Self {
        Self {
            identity,
            trust,
            context: Vec::new(),
            first_retry: Duration::from_millis(250),
            retries: 20,
            rekey_after_datagrams: 1 << 22,
            rekey_after: Duration::from_secs(120),
        }
    }
}

/// Why a datagram was dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// It is none of the four kinds, or has the wrong length.
    Malformed,
    /// It is of another version.
    Version,
    /// It is for no session and no handshake that there is.
    UnknownSession,
    /// Its tag does not fit: damaged on the way, or forged.
    TagDoesNotFit,
    /// It was opened before.
    Replayed,
    /// It is so old that nobody knows whether it was opened before.
    TooOld,
    /// The peer proved our own key: somebody sent us back what we said, or the key was copied.
    OwnKey,
    /// The peer proved another key than the one that was expected.
    OtherKey,
    /// Too many handshakes were begun in this second.
    TooMany,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::Version,
        Self::UnknownSession,
        Self::TagDoesNotFit,
        Self::Replayed,
        Self::TooOld,
        Self::OwnKey,
        Self::OtherKey,
        Self::TooMany,
    ];

    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "seal-malformed",
            Self::Version => "seal-version",
            Self::UnknownSession => "seal-unknown-session",
            Self::TagDoesNotFit => "seal-tag",
            Self::Replayed => "seal-replayed",
            Self::TooOld => "seal-too-old",
            Self::OwnKey => "seal-own-key",
            Self::OtherKey => "seal-other-key",
            Self::TooMany => "seal-too-many",
        }
    }
}

/// Why nothing more will come of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The responder did not answer, however often it was asked.
    NoAnswer,
    /// It proved another key than the one that was expected.
    OtherKey {
        /// The one that it has.
        shown: PublicKey,
        /// The one that was expected.
        expected: PublicKey,
    },
    /// It proved our own key.
    OwnKey,
    /// There is no randomness to make keys from.
    NoRandomness,
}

/// What the driver should know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Packets can be sealed and opened; this is who the other one is.
    Opened {
        /// Its key.
        peer: PublicKey,
    },
    /// New keys are in use.
    Rekeyed,
    /// A datagram was dropped.
    Refused(Refusal),
    /// Nothing more will come of it.
    Failed(Failure),
}

/// What happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets that were sealed.
    pub sealed: u64,
    /// Packets that were opened.
    pub opened: u64,
    /// Handshakes that were completed.
    pub handshakes: u64,
    /// Octets of datagrams of handshakes that left.
    pub handshake_octets: u64,
    /// Datagrams that were dropped because they are damaged or forged.
    pub damaged_or_forged: u64,
    /// Datagrams that were dropped because they came twice or too late.
    pub replayed: u64,
    /// Datagrams that were dropped for another reason.
    pub other: u64,
}

/// Why a packet was not sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum SealError {
    /// There are no keys yet, or they are worn and there are no new ones yet.
    NotOpen,
    /// It is too long.
    TooLong,
    /// What was sealed before has not been polled.
    Full,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "there are no keys yet",
            Self::TooLong => "the packet is longer than 65,519 octets",
            Self::Full => "what was sealed before has not been sent",
        })
    }
}

impl core::error::Error for SealError {}

/// Which timer a deadline is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// A hello or a proof is to be repeated.
    Handshake,
}

/// How many datagrams, packets or events wait to be polled at most.
const MOST_WAITING: usize = 256;

/// One end of a sealed line. See the module's text.
#[derive(Clone, Debug)]
pub struct Peer<L> {
    config: Config,
    luck: L,
    role: Role,
    /// Who the other one is, once it has proven so, or must be.
    expected: Option<PublicKey>,
    current: Option<Session>,
    /// The session before, for what is still on its way.
    previous: Option<Session>,
    /// The initiator's handshake.
    attempt: Option<Attempt>,
    /// The responder's handshakes that wait for their proof.
    pending: VecDeque<Pending>,
    /// The responder's proof of the current session: a copy of it is answered again.
    last_proof: Vec<u8>,
    /// How many handshakes the responder began in which second.
    hellos: (u64, u32),
    failed: bool,
    datagrams: VecDeque<Vec<u8>>,
    packets: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    counters: Counters,
}

impl<L: Luck> Peer<L> {
    /// A peer that has not begun.
    #[must_use]
    pub const fn new(role: Role, config: Config, luck: L) -> Self {
        let expected = match config.trust {
            Trust::Anyone => None,
            Trust::Pinned(key) => Some(key),
        };
        Self {
            config,
            luck,
            role,
            expected,
            current: None,
            previous: None,
            attempt: None,
            pending: VecDeque::new(),
            last_proof: Vec::new(),
            hellos: (0, 0),
            failed: false,
            datagrams: VecDeque::new(),
            packets: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters {
                sealed: 0,
                opened: 0,
                handshakes: 0,
                handshake_octets: 0,
                damaged_or_forged: 0,
                replayed: 0,
                other: 0,
            },
        }
    }

    /// Whether packets can be sealed.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Who the other one is, once it has proven so.
    #[must_use]
    pub const fn peer(&self) -> Option<PublicKey> {
        if self.current.is_some() { self.expected } else { None }
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Says hello, if this is the initiator and has no keys; a responder waits.
    pub fn begin(&mut self, now: Instant) {
        let has_begun = self.attempt.is_some() || self.current.is_some();
        if self.role == Role::Initiator && !has_begun && !self.failed {
            self.say_hello(now);
        }
    }

    /// A packet is to be sealed and sent.
    ///
    /// # Errors
    ///
    /// It was not, and why; who sends lost packets again need not care.
    pub fn packet_departs(&mut self, now: Instant, packet: &[u8]) -> Result<(), SealError> {
        if packet.len() > LONGEST {
            return Err(SealError::TooLong);
        }
        if self.datagrams.len() >= MOST_WAITING {
            return Err(SealError::Full);
        }
        self.forget_what_is_worn(now);
        self.rekey_if_due(now);
        let sealed = self.current.as_mut().and_then(|session| session.seal(packet));
        self.datagrams.push_back(sealed.ok_or(SealError::NotOpen)?);
        self.counters.sealed += 1;
        Ok(())
    }

    /// A datagram arrives that claims to be from the peer.
    pub fn datagram_arrives(&mut self, now: Instant, datagram: &[u8]) {
        self.forget_what_is_worn(now);
        let done = match format::parse(datagram) {
            Err(ParseError::Malformed) => Err(Refusal::Malformed),
            Err(ParseError::Version) => Err(Refusal::Version),
            Err(ParseError::Damaged) => Err(Refusal::TagDoesNotFit),
            Ok(Parsed::Transport { to, counter, sealed }) => self.open(now, to, counter, sealed),
            Ok(Parsed::Hello { noise }) => self.hello_arrives(now, noise),
            Ok(Parsed::Answer { to, noise }) => self.answer_arrives(now, to, noise),
            Ok(Parsed::Proof { to, noise }) => self.proof_arrives(now, to, noise),
        };
        if let Err(refusal) = done {
            self.refuse(refusal);
        }
    }

    fn open(&mut self, now: Instant, to: Index, counter: u64, sealed: &[u8]) -> Result<(), Refusal> {
        let confirmed = match &mut self.attempt {
            Some(attempt) => attempt.open(to, counter, sealed)?,
            None => None,
        };
        let packet = match confirmed {
            Some((packet, session)) => {
                self.attempt = None;
                self.take_session(session);
                packet
            }
            None => {
                let sessions = [&mut self.current, &mut self.previous];
                let session = sessions.into_iter().flatten().find(|session| session.ours == to);
                session.ok_or(Refusal::UnknownSession)?.open(counter, sealed)?
            }
        };
        // An empty one says that the keys are there, and nothing else.
        if !packet.is_empty() {
            self.counters.opened += 1;
            if self.packets.len() < MOST_WAITING {
                self.packets.push_back(packet);
            }
        }
        self.rekey_if_due(now);
        Ok(())
    }

    /// A handshake is complete: its keys are in use from now on.
    fn take_session(&mut self, session: Session) {
        let first = self.counters.handshakes == 0;
        self.previous = self.current.take();
        self.current = Some(session);
        self.counters.handshakes += 1;
        match self.expected {
            Some(peer) if first => self.say(Event::Opened { peer }),
            _ => self.say(Event::Rekeyed),
        }
    }

    /// Whether this may be the other one. Remembers who it is.
    fn check_peer(&mut self, shown: PublicKey) -> Result<(), Failure> {
        if shown == self.config.identity.public() {
            return Err(Failure::OwnKey);
        }
        match self.expected {
            Some(expected) if expected != shown => Err(Failure::OtherKey { shown, expected }),
            _ => {
                self.expected = Some(shown);
                Ok(())
            }
        }
    }

    /// Keys end for good three times as late as new ones are due.
    fn forget_what_is_worn(&mut self, now: Instant) {
        let most = self.config.rekey_after.saturating_mul(3);
        for kept in [&mut self.previous, &mut self.current] {
            kept.take_if(|session| now.since(session.since) >= most);
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Replayed | Refusal::TooOld => self.counters.replayed += 1,
            Refusal::TooMany | Refusal::OwnKey | Refusal::OtherKey | Refusal::Version => {
                self.counters.other += 1;
            }
            Refusal::Malformed | Refusal::UnknownSession | Refusal::TagDoesNotFit => {
                self.counters.damaged_or_forged += 1;
            }
        }
        self.say(Event::Refused(refusal));
    }

    fn fail(&mut self, failure: Failure) {
        self.failed = true;
        self.attempt = None;
        self.say(Event::Failed(failure));
    }

    fn say(&mut self, event: Event) {
        if self.events.len() < MOST_WAITING {
            self.events.push_back(event);
        }
    }

    fn send_handshake(&mut self, datagram: Vec<u8>) {
        self.counters.handshake_octets += datagram.len() as u64;
        if self.datagrams.len() < MOST_WAITING {
            self.datagrams.push_back(datagram);
        }
    }

    fn draw<const N: usize>(&mut self) -> Result<[u8; N], NoRandomness> {
        let mut octets = [0; N];
        self.luck.fill(&mut octets)?;
        Ok(octets)
    }

    /// An index that names nothing else here.
    fn draw_index(&mut self) -> Result<Index, NoRandomness> {
        loop {
            let index = Index(u32::from_le_bytes(self.draw()?));
            let sessions = [&self.current, &self.previous];
            let taken = sessions.into_iter().flatten().any(|session| session.ours == index)
                || self.pending.iter().any(|pending| pending.ours == index);
            if !taken {
                return Ok(index);
            }
        }
    }

    /// Time has passed.
    pub fn deadline_passed(&mut self, now: Instant) {
        self.repeat_if_due(now);
    }

    /// The next datagram to be sent to the peer.
    pub fn poll_datagram(&mut self) -> Option<Vec<u8>> {
        self.datagrams.pop_front()
    }

    /// The next packet that was opened.
    pub fn poll_packet(&mut self) -> Option<Vec<u8>> {
        self.packets.pop_front()
    }

    /// What the driver should know next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to come back.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline<Timer>> {
        self.attempt.as_ref().map(|attempt| Deadline::new(attempt.again_at, Timer::Handshake))
    }
}
