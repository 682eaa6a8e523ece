//! Stop-and-wait: send one packet, wait for its acknowledgement, send the next.
//!
//! Kurose and Ross §3.4.1, rdt3.0. The sender is the machine of its sender figure: one packet on its
//! way, one timer, and an answer that is not the one waited for changes nothing. The receiver is
//! that of rdt2.2: it delivers the expected packet and acknowledges it, and acknowledges again what
//! it already has, because that first acknowledgement may have been lost.
//!
//! With [`Space::ALTERNATING_BIT`](crate::Space::ALTERNATING_BIT) the numbers are the book's 0 and
//! 1, which needs a channel that keeps packets in order.
//!
//! Added to the book: numbers of more than one bit, a NACK after damage (rdt2.0) where it is asked
//! for, and giving up. Left out: group acknowledgements, since a group here is one packet.

use aperto_time::{Deadline, Instant};

use crate::packet::{Kind, Packet};
use crate::queues::{Answers, Notes, Piece, SendError, SendQueue, Unread};
use crate::reason::{Came, DeliveredFrom, Discard, Event, Note, Observe, Outgoing, Reason, Timer, Window};
use crate::{Config, ConfigError, NegativeAcknowledgements, Protocol, Sequence};

/// The side that has something to say.
#[derive(Clone, Debug)]
pub struct Sender {
    config: Config,
    queue: SendQueue,
    /// The number of the packet on its way or, if there is none, of the next one.
    sequence: Sequence,
    ordinal: u64,
    on_its_way: Option<OnItsWay>,
    event: Option<Event>,
    notes: Notes,
}

/// The packet that waits for its acknowledgement.
#[derive(Clone, Debug)]
struct OnItsWay {
    piece: Piece,
    /// When the timer expires; it does not run while the packet is about to leave again.
    timer: Option<Instant>,
    /// Why the packet must leave again.
    again: Option<Reason>,
    retries: u32,
    /// A NACK was followed since the timer last expired.
    nack_heard: bool,
}

impl Sender {
    /// A sender with nothing to say yet.
    ///
    /// # Errors
    ///
    /// Stop-and-wait cannot work with this configuration.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check(Protocol::StopAndWait)?;
        Ok(Self {
            queue: SendQueue::default(),
            sequence: config.first_sequence,
            ordinal: 0,
            on_its_way: None,
            event: None,
            notes: Notes::default(),
            config,
        })
    }

    /// Takes a message to be sent.
    ///
    /// # Errors
    ///
    /// The queue has no room for it, or the sender has given up.
    pub fn send(&mut self, message: &[u8]) -> Result<(), SendError> {
        self.queue.send(&self.config, message)?;
        self.event = None;
        Ok(())
    }

    /// Octets arrived from the channel.
    pub fn packet_arrives(&mut self, _now: Instant, octets: &[u8]) {
        match Packet::parse(octets, self.config.format()) {
            Err(error) => self.notes.take(Note::Discarded(Discard::Damaged(error))),
            Ok(packet) => match packet.kind {
                Kind::Ack | Kind::GroupAck => self.ack_arrives(packet.sequence),
                Kind::Nack => self.nack_arrives(packet.sequence),
                Kind::Data => self.notes.take(Note::Discarded(Discard::WrongKind(packet.kind))),
            },
        }
    }

    /// The acknowledgement waited for ends the wait; any other is ignored.
    fn ack_arrives(&mut self, sequence: Sequence) {
        if self.on_its_way.is_none() || sequence != self.sequence {
            self.notes.take(Note::AcknowledgementIgnored { sequence, base: self.sequence });
            return;
        }
        self.on_its_way = None;
        self.notes.take(Note::TimerStopped { timer: Timer::Packet { sequence } });
        self.sequence = self.config.space.after(self.sequence, 1);
        self.ordinal += 1;
        self.notes.take(Note::WindowMoved { window: self.window(), by: 1 });
        if self.queue.len() == 0 {
            self.event = Some(Event::AllAcknowledged);
        }
    }

    /// A NACK for the packet on its way sends it again at once, but once only for each timer, so
    /// that a NACK which the channel duplicated is not followed twice.
    fn nack_arrives(&mut self, sequence: Sequence) {
        match &mut self.on_its_way {
            Some(waiting) if sequence == self.sequence && !waiting.nack_heard => {
                waiting.nack_heard = true;
                waiting.again = Some(Reason::AskedForAgain);
                waiting.timer = None;
                self.notes.take(Note::NackHeard { sequence });
            }
            _ => self.notes.take(Note::NackIgnored { sequence, base: self.sequence }),
        }
    }

    /// Time has passed: if the timer has expired, the packet must leave again.
    pub fn deadline_passed(&mut self, now: Instant) {
        let (sequence, config) = (self.sequence, &self.config);
        let Some(waiting) = &mut self.on_its_way else { return };
        if waiting.timer.is_none_or(|due| now < due) {
            return;
        }
        waiting.timer = None;
        waiting.nack_heard = false;
        if waiting.retries >= config.max_retries {
            let retries = waiting.retries;
            self.notes.take(Note::GaveUp { sequence, retries });
            self.event = Some(Event::GaveUp { sequence, retries });
            self.on_its_way = None;
            self.queue.give_up();
            return;
        }
        waiting.retries += 1;
        let retry = waiting.retries;
        let (waited, max_retries) = (config.timer, config.max_retries);
        waiting.again = Some(Reason::TimerExpired { waited, retry, max_retries });
        self.notes.take(Note::TimerExpired { timer: Timer::Packet { sequence }, retry });
    }

    /// The packet that leaves now, if one may.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Outgoing> {
        let due = now + self.config.timer;
        let (packet, reason) = match &mut self.on_its_way {
            Some(waiting) => {
                let reason = waiting.again.take()?;
                waiting.timer = Some(due);
                (waiting.piece.packet(self.sequence), reason)
            }
            None => {
                let piece = self.queue.next()?;
                let packet = piece.packet(self.sequence);
                let timer = Some(due);
                self.on_its_way = Some(OnItsWay { piece, timer, again: None, retries: 0, nack_heard: false });
                (packet, Reason::FirstTransmission { window: self.window() })
            }
        };
        self.notes.take(Note::TimerStarted { timer: Timer::Packet { sequence: self.sequence }, due });
        Some(Outgoing { packet, ordinal: Some(self.ordinal), reason, format: self.config.format() })
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.notes.poll()
    }

    /// When to call [`deadline_passed`](Self::deadline_passed), and for which timer.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline<Timer>> {
        let due = self.on_its_way.as_ref()?.timer?;
        Some(Deadline::new(due, Timer::Packet { sequence: self.sequence }))
    }

    /// Whether notes are taken from now on; those not polled are forgotten.
    pub fn observe(&mut self, observe: Observe) {
        self.notes.observe(observe);
    }

    /// What it was configured with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The window, of one packet.
    #[must_use]
    pub fn window(&self) -> Window {
        let on_its_way = u32::from(self.on_its_way.is_some());
        let next = self.config.space.after(self.sequence, on_its_way);
        Window { base: self.sequence, next, last: self.sequence }
    }

    /// Packets that the queue still has room for.
    #[must_use]
    pub fn free_packets(&self) -> usize {
        self.queue.free(&self.config)
    }

    /// Packets queued or on their way; none once everything was acknowledged or given up.
    #[must_use]
    pub fn unacknowledged_packets(&self) -> usize {
        self.queue.len() + usize::from(self.on_its_way.is_some())
    }
}

/// The side that listens.
#[derive(Clone, Debug)]
pub struct Receiver {
    config: Config,
    /// The number of the packet that would be delivered.
    expected: Sequence,
    /// It has been asked for by NACK.
    nack_sent: bool,
    /// How often in a row the last acknowledgement was repeated because of damage.
    repeats: u32,
    answers: Answers,
    unread: Unread,
    notes: Notes,
}

impl Receiver {
    /// A receiver that waits for the first packet.
    ///
    /// # Errors
    ///
    /// Stop-and-wait cannot work with this configuration.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check(Protocol::StopAndWait)?;
        Ok(Self {
            expected: config.first_sequence,
            nack_sent: false,
            repeats: 0,
            answers: Answers::default(),
            unread: Unread::default(),
            notes: Notes::default(),
            config,
        })
    }

    /// Octets arrived from the channel.
    pub fn packet_arrives(&mut self, _now: Instant, octets: &[u8]) {
        match Packet::parse(octets, self.config.format()) {
            Err(error) => {
                self.notes.take(Note::Discarded(Discard::Damaged(error)));
                self.damage_arrives();
            }
            Ok(packet) if packet.kind != Kind::Data => {
                self.notes.take(Note::Discarded(Discard::WrongKind(packet.kind)));
            }
            Ok(packet) if packet.payload.len() > usize::from(self.config.payload_octets) => {
                let (octets, largest) = (packet.payload.len(), self.config.payload_octets);
                self.notes.take(Note::Discarded(Discard::TooLong { octets, largest }));
            }
            Ok(packet) if packet.sequence == self.expected => self.expected_arrives(packet),
            Ok(packet) => self.other_arrives(packet.sequence),
        }
    }

    /// What was expected: deliver it, acknowledge it, expect the next.
    fn expected_arrives(&mut self, packet: Packet) {
        let Packet { sequence, end, payload, .. } = packet;
        let unread = self.unread.len();
        if unread >= self.config.unread_packets {
            self.notes.take(Note::Discarded(Discard::NoRoom { unread }));
            return;
        }
        let octets = payload.len();
        self.notes.take(Note::Delivered { sequence, octets, from: DeliveredFrom::Channel });
        self.unread.deliver(sequence, Piece { octets: payload, end });
        self.expected = self.config.space.after(sequence, 1);
        self.nack_sent = false;
        self.repeats = 0;
        self.answers.push(&self.config, Kind::Ack, sequence, Reason::Delivered);
    }

    /// Anything else. Numbers just behind the expected one are packets that came before: say again
    /// that they did. A number ahead is not of this protocol, and must not be acknowledged.
    fn other_arrives(&mut self, got: Sequence) {
        let (space, expected) = (self.config.space, self.expected);
        if space.distance(expected, got) < space.size() / 2 {
            self.notes.take(Note::Discarded(Discard::OutOfOrder { expected, got }));
            self.repeat_last(Came::OutOfOrder(got));
        } else {
            self.notes.take(Note::Discarded(Discard::Duplicate { expected, got }));
            self.answers.push(&self.config, Kind::Ack, got, Reason::AlreadyDelivered { expected });
        }
    }

    /// rdt2.0 answers damage with a NACK, rdt2.2 with the last acknowledgement.
    fn damage_arrives(&mut self) {
        if self.config.negative_acknowledgements == NegativeAcknowledgements::On && !self.nack_sent {
            self.nack_sent = true;
            self.answers.push(&self.config, Kind::Nack, self.expected, Reason::Damaged);
        } else {
            self.repeat_last(Came::Damaged);
        }
    }

    fn repeat_last(&mut self, came: Came) {
        self.repeats = self.repeats.saturating_add(1);
        let last = self.config.space.before(self.expected, 1);
        let reason = Reason::RepeatsLastInOrder { expected: self.expected, came, repeat: self.repeats };
        self.answers.push(&self.config, Kind::Ack, last, reason);
    }

    /// The answer that leaves now, if there is one.
    pub fn poll_packet(&mut self, _now: Instant) -> Option<Outgoing> {
        self.answers.poll(&self.config)
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.unread.poll()
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.notes.poll()
    }

    /// Whether notes are taken from now on; those not polled are forgotten.
    pub fn observe(&mut self, observe: Observe) {
        self.notes.observe(observe);
    }

    /// What it was configured with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The number of the packet that would be delivered next.
    #[must_use]
    pub const fn expected(&self) -> Sequence {
        self.expected
    }
}
