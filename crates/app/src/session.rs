//! A session of stop-and-wait, Go-Back-N or Selective Repeat: opened, used in both directions, closed.
//!
//! A machine with datagrams in and datagrams out, whatever carries them: a UDP socket, a world of
//! the simulator, a tunnel that seals each datagram first.
//!
//! ```text
//!   ASK      ─▶             what is wanted; again until it is answered
//!            ◀─  GRANT      or REFUSE; only ever in answer to an ASK, and never longer
//!   DATA     ─▶             the first of them proves that whoever asked is there
//!            ◀─  ACK, DATA
//!   FIN      ─▶             all that was said is acknowledged; again until it is answered
//!            ◀─  FIN-ACK    the same for the other side, which stays a while in case this is lost
//! ```
//!
//! Messages keep their bounds. A message longer than was agreed, or a FIN that counts packets which
//! never came, ends the session: the peer does not keep to the terms.
//!
//! Left out: moving to another address, and telling a peer that lives and is silent from one that
//! is gone; after [`Settings::idle`] without a word both are.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use aperto_arq::{
    Acknowledgements, Checksum, Config, EndOfMessage, Endpoint, Group, NegativeAcknowledgements, Note,
    Observe, Protocol, SendError,
};
use aperto_time::Instant;

use crate::hello::{self, Acknowledgement, Ask, Hello, Integrity, Mode, Negative, Terms};

mod control;
mod door;
#[cfg(test)]
mod tests;
mod words;

pub use control::Control;
pub use door::{Answer, Door};
pub use words::{CannotSend, Datagram, Ending, Event, Settings, What};

/// The longest wait between two repetitions.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The longest timer that a round trip leads to.
const LONGEST_TIMER: Duration = Duration::from_secs(3);
/// The longest round trip that who grants believes in.
const LONGEST_BELIEVED: Duration = Duration::from_millis(500);
/// DATA packets that wait to be sent; the longest message must fit, whatever its payload.
const QUEUE: usize = 1 << 17;

#[derive(Clone, Debug)]
enum Stage {
    /// An ASK is on its way.
    Asking {
        ask: Box<Ask>,
        first_at: Option<Instant>,
    },
    /// The ASK was granted; nothing has proved yet that who asked is there.
    Unproven,
    Open,
    /// A FIN is on its way.
    Finishing,
    /// The FIN was answered with this; it may have to be answered again.
    Lingering,
    Over,
}

/// One side of a session.
#[derive(Clone, Debug)]
pub struct Session {
    id: u32,
    settings: Settings,
    stage: Stage,
    terms: Option<Terms>,
    endpoint: Option<Box<Endpoint>>,
    /// What leaves before anything of the protocol does.
    urgent: VecDeque<(Vec<u8>, What)>,
    /// How often the ASK or FIN has left, and when it leaves again.
    tries: u32,
    again_at: Option<Instant>,
    /// When silence, or lingering, is over.
    over_at: Option<Instant>,
    granted_at: Option<Instant>,
    wants_end: bool,
    peer_finished: Option<u32>,
    packets_sent: u32,
    packets_read: u32,
    message: Vec<u8>,
    events: VecDeque<Event>,
    observe: Observe,
}

impl Session {
    /// The side that asks. The number should be hard to guess: who knows it can answer.
    #[must_use]
    pub fn ask(now: Instant, ask: Ask, id: u32, settings: Settings) -> Self {
        let mut session = Self::new(id, settings, Stage::Asking { ask: Box::new(ask), first_at: None });
        session.again_at = Some(now);
        session
    }

    fn new(id: u32, settings: Settings, stage: Stage) -> Self {
        Self {
            id,
            settings,
            stage,
            terms: None,
            endpoint: None,
            urgent: VecDeque::new(),
            tries: 0,
            again_at: None,
            over_at: None,
            granted_at: None,
            wants_end: false,
            peer_finished: None,
            packets_sent: 0,
            packets_read: 0,
            message: Vec::new(),
            events: VecDeque::new(),
            observe: Observe::No,
        }
    }

    /// The side that grants; see [`Door`].
    pub(crate) fn granted(now: Instant, id: u32, terms: Terms, settings: Settings) -> Option<Self> {
        let mut session = Self::new(id, settings, Stage::Unproven);
        session.agree(terms, settings.timer).then_some(())?;
        session.granted_at = Some(now);
        session.over_at = Some(now + settings.unproven);
        Some(session)
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What was agreed on, once it was.
    #[must_use]
    pub const fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// The protocol's two machines, once there are any: for who shows windows.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_deref()
    }

    /// Whether the peer has proved that it is there and nothing has ended yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Finishing)
    }

    /// Whether nothing will happen any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Whether another session may take the place of this one.
    pub(crate) const fn gives_way(&self) -> bool {
        matches!(self.stage, Stage::Unproven | Stage::Lingering | Stage::Over)
    }

    /// Whether notes are taken.
    pub fn observe(&mut self, observe: Observe) {
        self.observe = observe;
        if let Some(endpoint) = &mut self.endpoint {
            endpoint.observe(observe);
        }
    }

    // The application.

    /// Takes a message to be sent.
    ///
    /// # Errors
    ///
    /// It is not open, the message is longer than was agreed, or the queue is full.
    pub fn send(&mut self, message: &[u8]) -> Result<(), CannotSend> {
        let (Some(terms), Some(endpoint)) = (&self.terms, &mut self.endpoint) else {
            return Err(CannotSend::NotOpen);
        };
        if !matches!(self.stage, Stage::Open) || self.wants_end {
            return Err(CannotSend::NotOpen);
        }
        let longest = terms.max_message;
        if u32::try_from(message.len()).is_ok_and(|octets| octets <= longest) {
            endpoint.send(message).map_err(|error| match error {
                SendError::QueueFull { .. } => CannotSend::Full,
                _ => CannotSend::NotOpen,
            })
        } else {
            Err(CannotSend::TooLong { longest })
        }
    }

    /// How many packets wait to be sent or acknowledged.
    #[must_use]
    pub fn unacknowledged_packets(&self) -> usize {
        self.endpoint.as_ref().map_or(0, |endpoint| endpoint.sender.unacknowledged_packets())
    }

    /// Nothing more will be said: the session ends when all is acknowledged and the peer has
    /// finished, too.
    pub fn finish(&mut self) {
        self.wants_end = true;
    }

    /// Ends it at once, and tells the peer once.
    pub fn abort(&mut self) {
        if self.is_over() {
            return;
        }
        if matches!(self.stage, Stage::Open | Stage::Finishing) {
            self.reset();
        }
        self.end(Ending::Aborted);
    }

    fn reset(&mut self) {
        let what = What::Control(Control::Reset, 1);
        self.urgent.push_back((Control::Reset.encode(self.id), what));
    }

    fn end(&mut self, ending: Ending) {
        if self.is_over() {
            return;
        }
        self.leave();
        self.events.push_back(Event::Ended(ending));
    }

    fn leave(&mut self) {
        self.stage = Stage::Over;
        self.again_at = None;
        self.over_at = None;
        self.message = Vec::new();
    }

    // The wire.

    /// A datagram of the peer arrived.
    pub fn datagram_arrives(&mut self, now: Instant, octets: &[u8]) {
        if self.is_over() {
            return;
        }
        if octets.first() == hello::MAGIC.first() {
            if let Ok(hello) = Hello::decode_datagram(octets) {
                self.hello_arrives(now, hello, octets.len());
            } else if let Ok((session, control)) = Control::decode_datagram(octets)
                && session == self.id
            {
                self.control_arrives(now, control);
            }
        } else if self.endpoint.is_some() && !matches!(self.stage, Stage::Lingering) {
            self.packet_arrives(now, octets);
        }
        self.settle(now);
    }

    fn hello_arrives(&mut self, now: Instant, hello: Hello, octets: usize) {
        if hello.session() != self.id {
            return;
        }
        match (hello, &self.stage) {
            (Hello::Grant { terms, .. }, Stage::Asking { ask, first_at }) => {
                if !ask.allows(&terms) {
                    self.end(Ending::Foreign);
                    return;
                }
                // Karn's rule: what was asked twice says nothing about the round trip.
                let round_trip = first_at.filter(|_| self.tries == 1).map(|at| now.since(at));
                let timer = self.timer_for(round_trip.unwrap_or_default());
                if self.agree(terms, timer) {
                    self.open(now);
                } else {
                    self.end(Ending::Foreign);
                }
            }
            (Hello::Refuse { why, .. }, Stage::Asking { .. }) => self.end(Ending::Refused(why)),
            (Hello::Ask { .. }, Stage::Unproven | Stage::Open) => self.grant_again(octets),
            _ => {}
        }
    }

    /// The GRANT, in answer to an ASK of so many octets.
    pub(crate) fn grant_again(&mut self, asked: usize) {
        let Some(terms) = self.terms else { return };
        let hello = Hello::Grant { session: self.id, terms };
        let octets = hello.encode();
        if octets.len() <= asked && self.urgent.is_empty() {
            self.tries = self.tries.saturating_add(1);
            self.urgent.push_back((octets, What::Hello(hello, self.tries)));
        }
    }

    fn timer_for(&self, round_trip: Duration) -> Duration {
        self.settings.timer.max(round_trip.saturating_mul(2).min(LONGEST_TIMER))
    }

    /// Makes the machines that were agreed on; says whether there are any for these terms.
    fn agree(&mut self, terms: Terms, timer: Duration) -> bool {
        let Some((protocol, mut config)) = machine(&terms) else { return false };
        config.timer = timer;
        config.max_retries = self.settings.max_retries;
        let Ok(mut endpoint) = Endpoint::new(protocol, config) else { return false };
        endpoint.observe(self.observe);
        self.endpoint = Some(Box::new(endpoint));
        self.terms = Some(terms);
        true
    }

    fn open(&mut self, now: Instant) {
        self.stage = Stage::Open;
        self.tries = 0;
        self.again_at = None;
        self.over_at = Some(now + self.settings.idle);
        self.events.extend(self.terms.map(Event::Opened));
    }

    /// The first sound packet after the GRANT: its sender is where it says.
    fn prove(&mut self, now: Instant) {
        // Nothing was sent yet, so the timer can still be chosen. Somebody who types makes the
        // round trip look long: half a second is as much as is believed.
        let since_grant = self.granted_at.map_or(Duration::ZERO, |at| now.since(at));
        let timer = self.timer_for(since_grant.min(LONGEST_BELIEVED));
        if let Some(terms) = self.terms {
            self.agree(terms, timer);
        }
        self.open(now);
    }

    fn packet_arrives(&mut self, now: Instant, octets: &[u8]) {
        let Some(endpoint) = &mut self.endpoint else { return };
        let sound = aperto_arq::Packet::parse(octets, endpoint.sender.config().format()).is_ok();
        if matches!(self.stage, Stage::Unproven) {
            // A damaged packet proves nothing, and is not answered.
            if !sound {
                return;
            }
            self.prove(now);
        }
        if sound {
            self.heard(now);
        }
        if let Some(endpoint) = &mut self.endpoint {
            endpoint.packet_arrives(now, octets);
        }
    }

    /// Something sound came: the peer is there.
    fn heard(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Open | Stage::Finishing) {
            self.over_at = Some(now + self.settings.idle);
        }
        if matches!(self.stage, Stage::Finishing) {
            self.tries = self.tries.min(1);
        }
    }

    fn control_arrives(&mut self, now: Instant, control: Control) {
        match (control, &self.stage) {
            (_, Stage::Asking { .. } | Stage::Over) => {}
            // The FIN-ACK was lost.
            (Control::Fin { .. }, Stage::Lingering) => {
                self.over_at = Some(now + self.settings.linger);
                self.answer_fin();
            }
            // Both had said FIN, and both were answered.
            (Control::FinAck { .. }, Stage::Lingering) => self.leave(),
            (Control::Reset, Stage::Lingering) => self.leave(),
            (Control::Reset, _) => self.end(Ending::Reset),
            (Control::Fin { packets }, _) => {
                if matches!(self.stage, Stage::Unproven) {
                    self.prove(now);
                }
                self.heard(now);
                self.peer_says_no_more(packets);
            }
            (Control::FinAck { packets }, Stage::Finishing) => {
                self.peer_says_no_more(packets);
                if !self.is_over() {
                    self.end(Ending::Closed);
                }
            }
            (Control::FinAck { .. }, _) => {}
        }
    }

    fn peer_says_no_more(&mut self, packets: u32) {
        self.take_deliveries();
        if packets != self.packets_read {
            self.reset();
            self.end(Ending::Broken);
        } else if self.peer_finished.replace(packets).is_none() {
            self.events.push_back(Event::PeerFinished);
        }
    }

    fn answer_fin(&mut self) {
        if self.urgent.len() < 2 {
            let control = Control::FinAck { packets: self.packets_sent };
            self.tries = self.tries.saturating_add(1);
            self.urgent.push_back((control.encode(self.id), What::Control(control, self.tries)));
        }
    }

    /// Time has passed.
    pub fn deadline_passed(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        if self.over_at.is_some_and(|at| at <= now) {
            if matches!(self.stage, Stage::Lingering) {
                self.leave();
            } else {
                self.end(Ending::Silent);
            }
            return;
        }
        if let Some(endpoint) = &mut self.endpoint
            && endpoint.poll_deadline().is_some_and(|deadline| deadline.at <= now)
        {
            endpoint.deadline_passed(now);
        }
        self.settle(now);
    }

    /// What follows from what happened: deliveries, and the end when both sides want it.
    fn settle(&mut self, now: Instant) {
        self.take_deliveries();
        let idle = self.unacknowledged_packets() == 0;
        if !matches!(self.stage, Stage::Open | Stage::Finishing) || !self.wants_end || !idle {
            return;
        }
        match (self.peer_finished, &self.stage) {
            // It has finished and so have we: the answer ends it for both.
            (Some(_), _) => {
                self.stage = Stage::Lingering;
                self.tries = 0;
                self.again_at = None;
                self.over_at = Some(now + self.settings.linger);
                self.events.push_back(Event::Ended(Ending::Closed));
                self.answer_fin();
            }
            (None, Stage::Open) => {
                self.stage = Stage::Finishing;
                self.tries = 0;
                self.again_at = Some(now);
            }
            (None, _) => {}
        }
    }

    fn take_deliveries(&mut self) {
        if self.is_over() {
            return;
        }
        while let Some(event) = self.endpoint.as_mut().and_then(|endpoint| endpoint.poll_event()) {
            match event {
                aperto_arq::Event::Delivered { octets, end, .. } => {
                    self.packets_read = self.packets_read.wrapping_add(1);
                    self.message.extend_from_slice(&octets);
                    let longest = self.terms.map_or(0, |terms| terms.max_message) as usize;
                    if self.message.len() > longest {
                        self.reset();
                        self.end(Ending::Broken);
                        return;
                    }
                    if end == EndOfMessage::Yes {
                        self.events.push_back(Event::Message(core::mem::take(&mut self.message)));
                    }
                }
                aperto_arq::Event::AllAcknowledged => self.events.push_back(Event::AllAcknowledged),
                aperto_arq::Event::GaveUp { .. } => return self.end(Ending::Silent),
            }
        }
    }

    // What it wants.

    /// A datagram that leaves now; ask until there is none.
    pub fn poll_datagram(&mut self, now: Instant) -> Option<Datagram> {
        self.settle(now);
        if let Some((octets, what)) = self.urgent.pop_front() {
            return Some(Datagram { octets, what });
        }
        match self.stage {
            Stage::Over | Stage::Lingering | Stage::Unproven => None,
            Stage::Asking { .. } => self.poll_ask(now),
            Stage::Open | Stage::Finishing => {
                if let Some(outgoing) = self.endpoint.as_mut().and_then(|endpoint| endpoint.poll_packet(now))
                {
                    if !outgoing.reason.is_retransmission() && outgoing.ordinal.is_some() {
                        self.packets_sent = self.packets_sent.wrapping_add(1);
                    }
                    return Some(Datagram { octets: outgoing.octets(), what: What::Packet(outgoing) });
                }
                self.poll_fin(now)
            }
        }
    }

    /// Whether something is due again; the next time waits longer.
    fn due(&mut self, now: Instant, too_often: Ending) -> bool {
        if self.again_at.is_none_or(|at| now < at) {
            return false;
        }
        if self.tries >= self.settings.tries {
            self.end(too_often);
            return false;
        }
        let wait = self.settings.first_wait.saturating_mul(1 << self.tries.min(8)).min(LONGEST_WAIT);
        self.again_at = Some(now + wait);
        self.tries += 1;
        true
    }

    fn poll_ask(&mut self, now: Instant) -> Option<Datagram> {
        if !self.due(now, Ending::NoAnswer) {
            return None;
        }
        let Stage::Asking { ask, first_at } = &mut self.stage else { return None };
        first_at.get_or_insert(now);
        let hello = Hello::Ask { session: self.id, ask: (**ask).clone() };
        Some(Datagram { octets: hello.encode(), what: What::Hello(hello, self.tries) })
    }

    fn poll_fin(&mut self, now: Instant) -> Option<Datagram> {
        if !matches!(self.stage, Stage::Finishing) || !self.due(now, Ending::FinUnanswered) {
            return None;
        }
        let control = Control::Fin { packets: self.packets_sent };
        Some(Datagram { octets: control.encode(self.id), what: What::Control(control, self.tries) })
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.endpoint.as_mut()?.poll_note()
    }

    /// When to call [`deadline_passed`](Self::deadline_passed).
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Instant> {
        let timer = self.endpoint.as_ref().and_then(|endpoint| endpoint.poll_deadline()).map(|due| due.at);
        let timer = timer.filter(|_| self.is_open());
        [timer, self.again_at, self.over_at].into_iter().flatten().min()
    }
}

/// The protocol and its settings for terms; none where they are not a textbook protocol's.
fn machine(terms: &Terms) -> Option<(Protocol, Config)> {
    let protocol = match terms.mode {
        Mode::Tcp => return None,
        Mode::StopAndWait => Protocol::StopAndWait,
        Mode::GoBackN => Protocol::GoBackN,
        Mode::SelectiveRepeat => Protocol::SelectiveRepeat,
    };
    let config = Config {
        window_packets: terms.window,
        payload_octets: terms.payload,
        acknowledgements: match terms.acknowledgement {
            Acknowledgement::Individual => Acknowledgements::Individual,
            Acknowledgement::Group => Acknowledgements::Group(Group::Window),
        },
        negative_acknowledgements: match terms.negative {
            Negative::Off => NegativeAcknowledgements::Off,
            Negative::On => NegativeAcknowledgements::On,
        },
        checksum: match terms.integrity {
            Integrity::Crc32 => Checksum::Crc32,
            // Below an AEAD, or a digest above, the smallest will do.
            Integrity::None | Integrity::InternetChecksum | Integrity::Digest | Integrity::Aead => {
                Checksum::Internet
            }
        },
        queue_packets: QUEUE,
        unread_packets: usize::from(terms.window) * 2,
        ..Config::new(protocol)
    };
    config.check(protocol).ok()?;
    Some((protocol, config))
}
