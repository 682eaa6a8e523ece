//! Go-Back-N: up to a window of packets on their way; after a loss, all of them again.
//!
//! Kurose and Ross §3.4.3. The sender is the extended machine of the book's figure, with `base`,
//! `next` (the book's `nextseqnum`) and one timer, for the oldest packet without acknowledgement.
//! The timer starts when a packet leaves and none is running, starts again whenever `base` moves,
//! and stops when nothing is on its way. When it expires the sender goes back to `base` and sends
//! everything again.
//!
//! The receiver keeps nothing: it delivers the expected packet, throws away all others, and answers
//! each with the number of the last packet in order. Hence acknowledgements are cumulative: ACK n
//! means that everything up to n arrived. Before the first packet came, that is the number
//! before the first one.
//!
//! Added to the book: cumulative acknowledgements for groups; a NACK (the REJ of HDLC) that
//! acknowledges everything before its number and makes the sender go back at once; giving up.

use alloc::collections::VecDeque;

use aperto_time::{Deadline, Instant};

use crate::packet::{EndOfMessage, Kind, Packet};
use crate::queues::{Answers, Notes, Piece, SendError, SendQueue, Unread};
use crate::reason::{
    Came, DeliveredFrom, Discard, Event, GroupEnd, Note, Observe, Outgoing, Reason, Timer, Window,
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
    /// What has been sent and not acknowledged, `base` first.
    sent: VecDeque<Piece>,
    /// Which of `sent` leaves next; its length if none must leave again.
    cursor: usize,
    /// Why the sender last went back.
    went_back: WentBack,
    timer: Option<Instant>,
    /// How often in a row the timer expired while `base` did not move.
    retries: u32,
    /// `base` was asked for by a NACK that has been followed.
    nack_heard: bool,
    event: Option<Event>,
    notes: Notes,
}

/// Why the sender went back, and how things were then.
#[derive(Clone, Copy, Debug)]
struct WentBack {
    to: Sequence,
    outstanding: u32,
    why: Why,
}

#[derive(Clone, Copy, Debug)]
enum Why {
    Timer { retry: u32 },
    Nack,
}

impl Sender {
    /// A sender with nothing to say yet.
    ///
    /// # Errors
    ///
    /// Go-Back-N cannot work with this configuration.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check(Protocol::GoBackN)?;
        Ok(Self {
            queue: SendQueue::default(),
            base: config.first_sequence,
            base_ordinal: 0,
            sent: VecDeque::new(),
            cursor: 0,
            went_back: WentBack { to: config.first_sequence, outstanding: 0, why: Why::Nack },
            timer: None,
            retries: 0,
            nack_heard: false,
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
    pub fn packet_arrives(&mut self, now: Instant, octets: &[u8]) {
        match Packet::parse(octets, self.config.format()) {
            Err(error) => self.notes.take(Note::Discarded(Discard::Damaged(error))),
            Ok(packet) => match packet.kind {
                Kind::Ack | Kind::GroupAck => self.ack_arrives(now, packet.sequence),
                Kind::Nack => self.nack_arrives(packet.sequence),
                Kind::Data => self.notes.take(Note::Discarded(Discard::WrongKind(packet.kind))),
            },
        }
    }

    /// ACK n: `base` = n + 1, and the timer starts again or stops. One that moves nothing is ignored.
    fn ack_arrives(&mut self, now: Instant, sequence: Sequence) {
        let steps = self.config.space.distance(self.base, sequence) as usize;
        if steps >= self.sent.len() {
            self.notes.take(Note::AcknowledgementIgnored { sequence, base: self.base });
            return;
        }
        self.stop_timer();
        self.move_base(steps + 1);
        if !self.sent.is_empty() {
            self.start_timer(now);
        }
    }

    /// NACK n: everything before n arrived, n did not. Go back to it, but once only, so that a
    /// NACK which the channel duplicated does not repeat the window twice.
    fn nack_arrives(&mut self, sequence: Sequence) {
        let steps = self.config.space.distance(self.base, sequence) as usize;
        if steps >= self.sent.len() || (steps == 0 && self.nack_heard) {
            self.notes.take(Note::NackIgnored { sequence, base: self.base });
            return;
        }
        self.notes.take(Note::NackHeard { sequence });
        self.stop_timer();
        if steps > 0 {
            self.move_base(steps);
        }
        self.nack_heard = true;
        self.go_back(Why::Nack);
    }

    /// The first packets of `sent` were acknowledged.
    fn move_base(&mut self, packets: usize) {
        self.sent.drain(..packets);
        self.cursor = self.cursor.saturating_sub(packets);
        let by = packets as u32;
        self.base = self.config.space.after(self.base, by);
        self.base_ordinal += u64::from(by);
        self.retries = 0;
        self.nack_heard = false;
        self.notes.take(Note::WindowMoved { window: self.window(), by });
        if self.unacknowledged_packets() == 0 {
            self.event = Some(Event::AllAcknowledged);
        }
    }

    /// Everything from `base` must leave again; the timer starts when `base` does.
    fn go_back(&mut self, why: Why) {
        self.went_back = WentBack { to: self.base, outstanding: self.sent.len() as u32, why };
        self.cursor = 0;
    }

    /// Time has passed: if the timer has expired, go back.
    pub fn deadline_passed(&mut self, now: Instant) {
        if self.timer.is_none_or(|due| now < due) {
            return;
        }
        self.timer = None;
        self.nack_heard = false;
        if self.retries >= self.config.max_retries {
            let (sequence, retries) = (self.base, self.retries);
            self.notes.take(Note::GaveUp { sequence, retries });
            self.event = Some(Event::GaveUp { sequence, retries });
            self.sent.clear();
            self.cursor = 0;
            self.queue.give_up();
            return;
        }
        self.retries += 1;
        let retry = self.retries;
        self.notes.take(Note::TimerExpired { timer: Timer::Window { base: self.base }, retry });
        self.go_back(Why::Timer { retry });
    }

    /// The packet that leaves now, if one may: those to be sent again first, then a new one if the
    /// window has room.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Outgoing> {
        let place = self.cursor;
        let sequence = self.config.space.after(self.base, place as u32);
        let (packet, reason) = if let Some(piece) = self.sent.get(place) {
            (piece.packet(sequence), self.reason_to_repeat(sequence))
        } else {
            if self.sent.len() >= usize::from(self.config.window_packets) {
                return None;
            }
            let piece = self.queue.next()?;
            let packet = piece.packet(sequence);
            self.sent.push_back(piece);
            (packet, Reason::FirstTransmission { window: self.window() })
        };
        self.cursor += 1;
        if self.timer.is_none() {
            self.start_timer(now);
        }
        let ordinal = Some(self.base_ordinal + place as u64);
        Some(Outgoing { packet, ordinal, reason, format: self.config.format() })
    }

    fn reason_to_repeat(&self, sequence: Sequence) -> Reason {
        let WentBack { to: base, outstanding, why } = self.went_back;
        let position = self.config.space.distance(base, sequence) + 1;
        match why {
            Why::Nack => Reason::WentBackOnNack { base, position, outstanding },
            Why::Timer { retry } => Reason::WentBackOnTimer {
                base,
                position,
                outstanding,
                waited: self.config.timer,
                retry,
                max_retries: self.config.max_retries,
            },
        }
    }

    fn start_timer(&mut self, now: Instant) {
        let due = now + self.config.timer;
        self.timer = Some(due);
        self.notes.take(Note::TimerStarted { timer: Timer::Window { base: self.base }, due });
    }

    fn stop_timer(&mut self) {
        if self.timer.take().is_some() {
            self.notes.take(Note::TimerStopped { timer: Timer::Window { base: self.base } });
        }
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
        Some(Deadline::new(self.timer?, Timer::Window { base: self.base }))
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

    /// Packets queued or on their way; none once everything was acknowledged or given up.
    #[must_use]
    pub fn unacknowledged_packets(&self) -> usize {
        self.queue.len() + self.sent.len()
    }
}

/// The side that listens.
#[derive(Clone, Debug)]
pub struct Receiver {
    config: Config,
    /// The number of the packet that would be delivered.
    expected: Sequence,
    /// Packets delivered since the last acknowledgement.
    group: u32,
    /// `expected` has been asked for by NACK.
    nack_sent: bool,
    /// How often in a row the last acknowledgement was repeated.
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
    /// Go-Back-N cannot work with this configuration.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check(Protocol::GoBackN)?;
        Ok(Self {
            expected: config.first_sequence,
            group: 0,
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
                self.ask_or_repeat(Came::Damaged, Reason::Damaged);
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

    /// What was expected: deliver it, expect the next, acknowledge it or wait for more of its group.
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
        self.group += 1;
        match self.config.acknowledgements {
            Acknowledgements::Individual => self.acknowledge(Kind::Ack, Reason::Delivered),
            Acknowledgements::Group(_) => {
                let packets = self.group;
                if end == EndOfMessage::Yes {
                    let why = GroupEnd::EndOfMessage;
                    self.acknowledge(Kind::GroupAck, Reason::GroupComplete { packets, why });
                } else if packets >= self.config.group_packets() {
                    let why = GroupEnd::Full;
                    self.acknowledge(Kind::GroupAck, Reason::GroupComplete { packets, why });
                }
            }
        }
    }

    /// Anything else is thrown away. Numbers in the window ahead came before their turn; all others
    /// were delivered before.
    fn other_arrives(&mut self, got: Sequence) {
        let expected = self.expected;
        if self.config.space.distance(expected, got) < u32::from(self.config.window_packets) {
            self.notes.take(Note::Discarded(Discard::OutOfOrder { expected, got }));
            self.ask_or_repeat(Came::OutOfOrder(got), Reason::Missing { got });
        } else {
            self.notes.take(Note::Discarded(Discard::Duplicate { expected, got }));
            self.repeat_last(Came::Duplicate(got));
        }
    }

    /// Asks for the expected packet, once and if that is wanted; else repeats what came in order.
    fn ask_or_repeat(&mut self, came: Came, because: Reason) {
        if self.config.negative_acknowledgements == NegativeAcknowledgements::On && !self.nack_sent {
            self.nack_sent = true;
            self.group = 0;
            self.answers.push(&self.config, Kind::Nack, self.expected, because);
        } else {
            self.repeat_last(came);
        }
    }

    fn repeat_last(&mut self, came: Came) {
        self.repeats = self.repeats.saturating_add(1);
        let reason = Reason::RepeatsLastInOrder { expected: self.expected, came, repeat: self.repeats };
        let kind = match self.config.acknowledgements {
            Acknowledgements::Individual => Kind::Ack,
            Acknowledgements::Group(_) => Kind::GroupAck,
        };
        self.acknowledge(kind, reason);
    }

    /// Acknowledges everything before `expected`.
    fn acknowledge(&mut self, kind: Kind, reason: Reason) {
        self.group = 0;
        let last = self.config.space.before(self.expected, 1);
        self.answers.push(&self.config, kind, last, reason);
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
