//! Selective Repeat: up to a window of packets on their way; after a loss, only the lost one again.
//!
//! Kurose and Ross §3.4.4. Each packet on its way has a timer of its own. ACK n means that packet n
//! arrived and nothing else; the window moves when its oldest packet is acknowledged. The receiver
//! has a window too: it acknowledges and keeps what comes ahead of its turn, delivers a run as soon
//! as it has no gap, and acknowledges again what lies in the window before, without which the sender
//! could wait for ever.
//!
//! For that last rule the numbers must be twice as many as the window, which
//! [`Config::check`] enforces.
//!
//! Added to the book: cumulative acknowledgements for groups (what comes ahead of its turn is still
//! acknowledged by itself), a NACK for each packet that is missing, giving up.

use alloc::collections::VecDeque;

use aperto_time::{Deadline, Instant};

use crate::packet::{EndOfMessage, Kind, Packet};
use crate::queues::{Answers, Notes, Piece, SendError, SendQueue, Unread};
use crate::reason::{
    DeliveredFrom, Discard, Event, GroupEnd, Note, Observe, Outgoing, Reason, Timer, Window,
};
use crate::{Acknowledgements, Config, ConfigError, NegativeAcknowledgements, Protocol, Sequence};

/// The side that has something to say.
#[derive(Clone, Debug)]
pub struct Sender {
    config: Config,
    queue: SendQueue,
    /// The oldest packet without acknowledgement.
    base: Sequence,
    base_ordinal: u64,
    /// What has been sent, from `base`; the first is never acknowledged.
    sent: VecDeque<Sent>,
    event: Option<Event>,
    notes: Notes,
}

/// A packet that was sent.
#[derive(Clone, Debug)]
struct Sent {
    piece: Piece,
    state: State,
    retries: u32,
    /// A NACK was followed since the timer last expired.
    nack_heard: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// On its way until the timer expires.
    OnItsWay { due: Instant },
    /// To leave again; the timer does not run.
    Again(Reason),
    /// Acknowledged before those in front of it.
    Acknowledged,
}

impl Sender {
    /// A sender with nothing to say yet.
    ///
    /// # Errors
    ///
    /// Selective Repeat cannot work with this configuration.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check(Protocol::SelectiveRepeat)?;
        Ok(Self {
            queue: SendQueue::default(),
            base: config.first_sequence,
            base_ordinal: 0,
            sent: VecDeque::new(),
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
                Kind::Ack => self.ack_arrives(packet.sequence),
                Kind::GroupAck => self.group_ack_arrives(packet.sequence),
                Kind::Nack => self.nack_arrives(packet.sequence),
                Kind::Data => self.notes.take(Note::Discarded(Discard::WrongKind(packet.kind))),
            },
        }
    }

    /// ACK n: packet n arrived. If it is `base`, the window moves to the next one that did not.
    fn ack_arrives(&mut self, sequence: Sequence) {
        let place = self.config.space.distance(self.base, sequence) as usize;
        if self.mark(place) {
            self.move_base();
            if place > 0 {
                self.notes.take(Note::MarkedAcknowledged { sequence, base: self.base });
            }
        } else {
            self.notes.take(Note::AcknowledgementIgnored { sequence, base: self.base });
        }
    }

    /// GROUP ACK n: everything up to n arrived.
    fn group_ack_arrives(&mut self, sequence: Sequence) {
        let last = self.config.space.distance(self.base, sequence) as usize;
        if last >= self.sent.len() {
            self.notes.take(Note::AcknowledgementIgnored { sequence, base: self.base });
            return;
        }
        for place in 0..=last {
            self.mark(place);
        }
        self.move_base();
    }

    /// NACK n: packet n is missing and leaves again at once, but once only for each timer, so that a
    /// NACK which the channel duplicated is not followed twice.
    fn nack_arrives(&mut self, sequence: Sequence) {
        let place = self.config.space.distance(self.base, sequence) as usize;
        match self.sent.get_mut(place) {
            Some(sent) if matches!(sent.state, State::OnItsWay { .. }) && !sent.nack_heard => {
                sent.nack_heard = true;
                sent.state = State::Again(Reason::AskedForAgain);
                self.notes.take(Note::NackHeard { sequence });
                self.notes.take(Note::TimerStopped { timer: Timer::Packet { sequence } });
            }
            _ => self.notes.take(Note::NackIgnored { sequence, base: self.base }),
        }
    }

    /// Marks a packet as acknowledged; says whether that is news.
    fn mark(&mut self, place: usize) -> bool {
        let sequence = self.config.space.after(self.base, place as u32);
        match self.sent.get_mut(place) {
            None | Some(Sent { state: State::Acknowledged, .. }) => false,
            Some(sent) => {
                if let State::OnItsWay { .. } = sent.state {
                    self.notes.take(Note::TimerStopped { timer: Timer::Packet { sequence } });
                }
                sent.state = State::Acknowledged;
                true
            }
        }
    }

    /// Moves the window over what is acknowledged at its start.
    fn move_base(&mut self) {
        let mut by = 0;
        while let Some(Sent { state: State::Acknowledged, .. }) = self.sent.front() {
            self.sent.pop_front();
            by += 1;
        }
        if by == 0 {
            return;
        }
        self.base = self.config.space.after(self.base, by);
        self.base_ordinal += u64::from(by);
        self.notes.take(Note::WindowMoved { window: self.window(), by });
        if self.unacknowledged_packets() == 0 {
            self.event = Some(Event::AllAcknowledged);
        }
    }

    /// Time has passed: packets whose timers have expired must leave again.
    pub fn deadline_passed(&mut self, now: Instant) {
        let (waited, max_retries) = (self.config.timer, self.config.max_retries);
        for (place, sent) in self.sent.iter_mut().enumerate() {
            let State::OnItsWay { due } = sent.state else { continue };
            if now < due {
                continue;
            }
            let sequence = self.config.space.after(self.base, place as u32);
            if sent.retries >= max_retries {
                let retries = sent.retries;
                self.notes.take(Note::GaveUp { sequence, retries });
                self.event = Some(Event::GaveUp { sequence, retries });
                self.sent.clear();
                self.queue.give_up();
                return;
            }
            sent.retries += 1;
            sent.nack_heard = false;
            let retry = sent.retries;
            sent.state = State::Again(Reason::TimerExpired { waited, retry, max_retries });
            self.notes.take(Note::TimerExpired { timer: Timer::Packet { sequence }, retry });
        }
    }

    /// The packet that leaves now, if one may: one to be sent again first, the oldest of them, then
    /// a new one if the window has room.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Outgoing> {
        let due = now + self.config.timer;
        let again = self.sent.iter().position(|sent| matches!(sent.state, State::Again(_)));
        let place = match again {
            Some(place) => place,
            None if self.sent.len() >= usize::from(self.config.window_packets) => return None,
            None => {
                let piece = self.queue.next()?;
                let state = State::OnItsWay { due };
                self.sent.push_back(Sent { piece, state, retries: 0, nack_heard: false });
                self.sent.len() - 1
            }
        };
        let window = self.window();
        let sequence = self.config.space.after(self.base, place as u32);
        let sent = self.sent.get_mut(place)?;
        let reason = match sent.state {
            State::Again(reason) => reason,
            State::OnItsWay { .. } | State::Acknowledged => Reason::FirstTransmission { window },
        };
        sent.state = State::OnItsWay { due };
        let packet = sent.piece.packet(sequence);
        self.notes.take(Note::TimerStarted { timer: Timer::Packet { sequence }, due });
        let ordinal = Some(self.base_ordinal + place as u64);
        Some(Outgoing { packet, ordinal, reason, format: self.config.format() })
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.notes.poll()
    }

    /// When to call [`deadline_passed`](Self::deadline_passed), and for which timer: the one that
    /// expires first.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline<Timer>> {
        let mut first = None;
        for (place, sent) in self.sent.iter().enumerate() {
            if let State::OnItsWay { due } = sent.state {
                let sequence = self.config.space.after(self.base, place as u32);
                let this = Deadline::new(due, Timer::Packet { sequence });
                first = Deadline::earliest(first, Some(this));
            }
        }
        first
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

    /// The window.
    #[must_use]
    pub fn window(&self) -> Window {
        let space = self.config.space;
        Window {
            base: self.base,
            next: space.after(self.base, self.sent.len() as u32),
            last: space.after(self.base, u32::from(self.config.window_packets) - 1),
        }
    }

    /// Packets that the queue still has room for.
    #[must_use]
    pub fn free_packets(&self) -> usize {
        self.queue.free(&self.config)
    }

    /// Packets queued or not yet out of the window; none once everything was acknowledged or given
    /// up.
    #[must_use]
    pub fn unacknowledged_packets(&self) -> usize {
        self.queue.len() + self.sent.len()
    }
}

/// The side that listens.
#[derive(Clone, Debug)]
pub struct Receiver {
    config: Config,
    /// The oldest packet that has not come; the window starts with it.
    base: Sequence,
    /// The window from `base` as far as something is known of it; never longer than the window.
    window: VecDeque<Slot>,
    /// Packets delivered since the last cumulative acknowledgement.
    group: u32,
    answers: Answers,
    unread: Unread,
    notes: Notes,
}

/// What is known of a packet in the receiver's window.
#[derive(Clone, Debug, Default)]
enum Slot {
    /// It has not come.
    #[default]
    Missing,
    /// It has not come and was asked for by NACK.
    AskedFor,
    /// It came ahead of its turn.
    Kept(Piece),
}

impl Receiver {
    /// A receiver that waits for the first packet.
    ///
    /// # Errors
    ///
    /// Selective Repeat cannot work with this configuration.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check(Protocol::SelectiveRepeat)?;
        Ok(Self {
            base: config.first_sequence,
            window: VecDeque::new(),
            group: 0,
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
            Ok(packet) => self.data_arrives(packet),
        }
    }

    /// The book's three cases: in the window, in the window before, elsewhere.
    fn data_arrives(&mut self, packet: Packet) {
        let (space, expected, got) = (self.config.space, self.base, packet.sequence);
        let window = u32::from(self.config.window_packets);
        let ahead = space.distance(expected, got);
        let behind = space.distance(got, expected);
        if ahead < window {
            self.in_window_arrives(packet, ahead as usize);
        } else if behind <= window {
            self.notes.take(Note::Discarded(Discard::Duplicate { expected, got }));
            self.acknowledge_again(got);
        } else {
            self.notes.take(Note::Discarded(Discard::OutsideWindow { expected, got }));
        }
    }

    /// A packet that the window has a place for.
    fn in_window_arrives(&mut self, packet: Packet, place: usize) {
        let (expected, sequence) = (self.base, packet.sequence);
        let unread = self.unread.len();
        if unread >= self.config.unread_packets {
            self.notes.take(Note::Discarded(Discard::NoRoom { unread }));
            return;
        }
        if self.window.len() <= place {
            self.window.resize_with(place + 1, Slot::default);
        }
        let Some(slot) = self.window.get_mut(place) else { return };
        if matches!(slot, Slot::Kept(_)) {
            self.notes.take(Note::Discarded(Discard::Duplicate { expected, got: sequence }));
            self.answers.push(&self.config, Kind::Ack, sequence, Reason::Buffered { expected });
            return;
        }
        let end = packet.end;
        *slot = Slot::Kept(Piece { octets: packet.payload, end });
        if place > 0 {
            self.notes.take(Note::Buffered { sequence, expected });
            self.answers.push(&self.config, Kind::Ack, sequence, Reason::Buffered { expected });
            self.ask_for_missing(place, sequence);
            return;
        }
        let (packets, last_end) = self.deliver_run();
        self.acknowledge_run(sequence, packets, last_end);
    }

    /// Delivers from `base` up to the first gap; says how many packets, and whether a message ends
    /// in them.
    fn deliver_run(&mut self) -> (u32, EndOfMessage) {
        let mut packets = 0;
        let mut ends = EndOfMessage::No;
        while let Some(Slot::Kept(_)) = self.window.front() {
            let Some(Slot::Kept(piece)) = self.window.pop_front() else { break };
            let from = if packets == 0 { DeliveredFrom::Channel } else { DeliveredFrom::Buffer };
            let sequence = self.base;
            self.notes.take(Note::Delivered { sequence, octets: piece.octets.len(), from });
            if piece.end == EndOfMessage::Yes {
                ends = EndOfMessage::Yes;
            }
            self.unread.deliver(sequence, piece);
            self.base = self.config.space.after(self.base, 1);
            packets += 1;
        }
        (packets, ends)
    }

    /// Acknowledges the packet that came in order, by itself or with its group.
    fn acknowledge_run(&mut self, sequence: Sequence, packets: u32, ends: EndOfMessage) {
        if self.config.acknowledgements == Acknowledgements::Individual {
            self.answers.push(&self.config, Kind::Ack, sequence, Reason::Delivered);
            return;
        }
        self.group += packets;
        let why = if ends == EndOfMessage::Yes {
            GroupEnd::EndOfMessage
        } else if packets > 1 {
            GroupEnd::GapFilled
        } else if self.group >= self.config.group_packets() {
            GroupEnd::Full
        } else {
            return;
        };
        let reason = Reason::GroupComplete { packets: self.group, why };
        self.acknowledge_all(reason);
    }

    /// What was delivered came again: its acknowledgement may have been lost.
    fn acknowledge_again(&mut self, got: Sequence) {
        let reason = Reason::AlreadyDelivered { expected: self.base };
        match self.config.acknowledgements {
            Acknowledgements::Individual => self.answers.push(&self.config, Kind::Ack, got, reason),
            Acknowledgements::Group(_) => self.acknowledge_all(reason),
        }
    }

    /// GROUP ACK of everything before `base`.
    fn acknowledge_all(&mut self, reason: Reason) {
        self.group = 0;
        let last = self.config.space.before(self.base, 1);
        self.answers.push(&self.config, Kind::GroupAck, last, reason);
    }

    /// Asks for each packet in front of this place that is missing and was not asked for.
    fn ask_for_missing(&mut self, place: usize, got: Sequence) {
        if self.config.negative_acknowledgements == NegativeAcknowledgements::Off {
            return;
        }
        for (steps, slot) in self.window.iter_mut().take(place).enumerate() {
            if let Slot::Missing = slot {
                *slot = Slot::AskedFor;
                let missing = self.config.space.after(self.base, steps as u32);
                self.answers.push(&self.config, Kind::Nack, missing, Reason::Missing { got });
            }
        }
    }

    /// A damaged packet is thrown away, and nothing is said. Where NACKs are wanted, the oldest
    /// missing packet that was not asked for is: on a channel that keeps the order, it is the one.
    fn damage_arrives(&mut self) {
        if self.config.negative_acknowledgements == NegativeAcknowledgements::Off {
            return;
        }
        let known = self.window.iter().position(|slot| matches!(slot, Slot::Missing));
        let place = known.unwrap_or(self.window.len());
        if place >= usize::from(self.config.window_packets) {
            return;
        }
        if self.window.len() <= place {
            self.window.resize_with(place + 1, Slot::default);
        }
        if let Some(slot) = self.window.get_mut(place) {
            *slot = Slot::AskedFor;
            let missing = self.config.space.after(self.base, place as u32);
            self.answers.push(&self.config, Kind::Nack, missing, Reason::Damaged);
        }
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
        self.base
    }

    /// The numbers of the packets that are kept until those before them have come.
    pub fn kept(&self) -> impl Iterator<Item = Sequence> {
        let (space, base) = (self.config.space, self.base);
        let kept = self.window.iter().enumerate().filter(|(_, slot)| matches!(slot, Slot::Kept(_)));
        kept.map(move |(steps, _)| space.after(base, steps as u32))
    }
}
