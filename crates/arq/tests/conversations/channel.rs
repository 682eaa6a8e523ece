//! A sender, a receiver, and the channel between them, in virtual time.
//!
//! The model, which all numbers in these tests follow:
//!
//! * A packet **leaves** at the instant at which it is polled from its machine. Its timer starts
//!   then, and this is the time by which it is known.
//! * The sender's line takes one packet in each `spacing`: after a packet left, the next leaves
//!   `spacing` later or, if there is none then, when there is one. Nothing queues outside the
//!   sender: while the line is busy, it is not polled.
//! * The receiver's answers leave at the instant at which their cause arrived, all of them: answers
//!   are so short that they take no time.
//! * A packet **arrives** `forward` after it left, an answer `back` after it left, plus what its
//!   [`Fate`] adds. `forward` counts from when the first bit leaves to when the last one arrives:
//!   in the book's terms it is `L/R` (the spacing) plus the propagation.
//! * What happens at one instant happens in this order: arrivals (in the order of departure), then
//!   expired timers, then departures.
//!
//! In the classroom's channel, spacing is 1 ms and both ways take 20 ms, so that an acknowledgement
//! comes 40 ms after its packet left. As a formula of the book that is L/R = 1 ms and RTT = 39 ms.

use std::collections::BTreeMap;

use aperto_arq::{
    Config, EndOfMessage, Event, Kind, Note, Observe, Outgoing, Packet, Protocol, Reason, Receiver, Sender,
};
use aperto_time::{Duration, Instant};

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) spacing: Duration,
    pub(crate) forward: Duration,
    pub(crate) back: Duration,
}

impl Line {
    /// A packet each millisecond, 20 ms each way.
    pub(crate) const CLASSROOM: Self = Self {
        spacing: Duration::from_millis(1),
        forward: Duration::from_millis(20),
        back: Duration::from_millis(20),
    };
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Forward,
    Back,
}

/// A packet about to leave, as the one who decides its fate sees it.
#[derive(Debug)]
pub(crate) struct Departure<'a> {
    pub(crate) way: Way,
    /// How many left this way before it.
    pub(crate) index: usize,
    pub(crate) outgoing: &'a Outgoing,
}

impl Departure<'_> {
    /// Whether it is the first transmission of DATA with this ordinal: what `--drop data:N` names.
    pub(crate) fn is_first_of(&self, ordinal: u64) -> bool {
        self.outgoing.ordinal == Some(ordinal) && !self.outgoing.reason.is_retransmission()
    }
}

/// What the channel does to a packet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) lost: bool,
    /// Later than usual by this much.
    pub(crate) late: Duration,
    /// A copy arrives too, this much later than the packet usually would.
    pub(crate) copy: Option<Duration>,
    /// This bit arrives inverted, counted from the start and modulo the length.
    pub(crate) damaged_bit: Option<usize>,
}

impl Fate {
    pub(crate) const LOST: Self = Self { lost: true, late: Duration::ZERO, copy: None, damaged_bit: None };
}

/// One line of the ladder, numbered from 1 in the order of departure.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) left: Instant,
    pub(crate) way: Way,
    pub(crate) packet: Packet,
    pub(crate) ordinal: Option<u64>,
    pub(crate) reason: Reason,
    pub(crate) lost: bool,
    /// What the other side noted when it arrived.
    pub(crate) notes: Vec<Note>,
}

/// Both machines and what is between them.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    line: Line,
    line_free: Instant,
    in_flight: BTreeMap<(Instant, usize), (usize, Vec<u8>)>,
    flights: usize,
    departed: [usize; 2],
    pub(crate) rows: Vec<Row>,
    sent: Vec<u8>,
    pub(crate) delivered: Vec<u8>,
    pub(crate) messages_ended: usize,
    pub(crate) last_delivery: Instant,
    pub(crate) last_arrival: Instant,
    pub(crate) sender_events: Vec<(Instant, Event)>,
    pub(crate) sender_notes: Vec<(Instant, Note)>,
}

impl World {
    pub(crate) fn new(protocol: Protocol, config: Config, line: Line) -> Self {
        let mut sender = Sender::new(protocol, config.clone()).expect("the test's configuration works");
        let mut receiver = Receiver::new(protocol, config).expect("the test's configuration works");
        sender.observe(Observe::Yes);
        receiver.observe(Observe::Yes);
        Self {
            now: Instant::ZERO,
            sender,
            receiver,
            line,
            line_free: Instant::ZERO,
            in_flight: BTreeMap::new(),
            flights: 0,
            departed: [0; 2],
            rows: Vec::new(),
            sent: Vec::new(),
            delivered: Vec::new(),
            messages_ended: 0,
            last_delivery: Instant::ZERO,
            last_arrival: Instant::ZERO,
            sender_events: Vec::new(),
            sender_notes: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, message: &[u8]) {
        self.sender.send(message).expect("the queue has room");
        self.sent.extend_from_slice(message);
    }

    /// Lets everything happen until nothing more will.
    pub(crate) fn run(&mut self, mut fate: impl FnMut(&Departure<'_>) -> Fate) {
        for _ in 0..20_000 {
            self.arrivals();
            self.expiries();
            self.departures(&mut fate);
            self.check();
            let arrival = self.in_flight.first_key_value().map(|((at, _), _)| *at);
            let timer = self.sender.poll_deadline().map(|deadline| deadline.at);
            let line = Some(self.line_free).filter(|free| *free > self.now);
            let Some(next) = [arrival, timer, line].into_iter().flatten().min() else {
                return;
            };
            assert!(next > self.now, "time stands still at {}", self.now);
            self.now = next;
        }
        panic!("the conversation does not end");
    }

    fn arrivals(&mut self) {
        while let Some(entry) = self.in_flight.first_entry() {
            if entry.key().0 > self.now {
                return;
            }
            let (row, octets) = entry.remove();
            self.last_arrival = self.now;
            match self.rows[row].way {
                Way::Forward => {
                    self.receiver.packet_arrives(self.now, &octets);
                    self.read();
                    self.rows[row].notes.extend(std::iter::from_fn(|| self.receiver.poll_note()));
                }
                Way::Back => {
                    self.sender.packet_arrives(self.now, &octets);
                    let notes: Vec<_> = std::iter::from_fn(|| self.sender.poll_note()).collect();
                    self.sender_notes.extend(notes.iter().map(|note| (self.now, *note)));
                    self.rows[row].notes.extend(notes);
                }
            }
        }
    }

    fn read(&mut self) {
        while let Some(event) = self.receiver.poll_event() {
            let Event::Delivered { octets, end, .. } = event else { panic!("a receiver says {event:?}") };
            self.delivered.extend(octets);
            self.messages_ended += usize::from(end == EndOfMessage::Yes);
            self.last_delivery = self.now;
        }
    }

    fn expiries(&mut self) {
        if self.sender.poll_deadline().is_some_and(|deadline| deadline.at <= self.now) {
            self.sender.deadline_passed(self.now);
        }
        self.sender_notes.extend(std::iter::from_fn(|| self.sender.poll_note()).map(|note| (self.now, note)));
        self.sender_events.extend(std::iter::from_fn(|| self.sender.poll_event()).map(|e| (self.now, e)));
    }

    fn departures(&mut self, fate: &mut impl FnMut(&Departure<'_>) -> Fate) {
        while let Some(outgoing) = self.receiver.poll_packet(self.now) {
            self.depart(Way::Back, outgoing, fate);
        }
        while self.line_free <= self.now {
            let Some(outgoing) = self.sender.poll_packet(self.now) else { break };
            self.line_free = self.now + self.line.spacing;
            self.depart(Way::Forward, outgoing, fate);
        }
        self.sender_notes.extend(std::iter::from_fn(|| self.sender.poll_note()).map(|note| (self.now, note)));
    }

    fn depart(&mut self, way: Way, outgoing: Outgoing, fate: &mut impl FnMut(&Departure<'_>) -> Fate) {
        let (counter, delay) = match way {
            Way::Forward => (0, self.line.forward),
            Way::Back => (1, self.line.back),
        };
        let index = self.departed[counter];
        self.departed[counter] += 1;
        let fate = fate(&Departure { way, index, outgoing: &outgoing });
        let row = self.rows.len();
        let sound = outgoing.octets();
        if !fate.lost {
            let mut octets = sound.clone();
            if let Some(bit) = fate.damaged_bit.map(|bit| bit % (octets.len() * 8)) {
                octets[bit / 8] ^= 1 << (bit % 8);
            }
            self.fly(self.now + delay + fate.late, row, octets);
        }
        if let Some(later) = fate.copy {
            self.fly(self.now + delay + later, row, sound);
        }
        let Outgoing { packet, ordinal, reason, .. } = outgoing;
        let lost = fate.lost;
        self.rows.push(Row { left: self.now, way, packet, ordinal, reason, lost, notes: Vec::new() });
    }

    fn fly(&mut self, arrives: Instant, row: usize, octets: Vec<u8>) {
        self.in_flight.insert((arrives, self.flights), (row, octets));
        self.flights += 1;
    }

    /// What must hold after every instant.
    fn check(&self) {
        assert!(self.sent.starts_with(&self.delivered), "what was delivered was not sent");
        let line_is_free = self.line_free <= self.now;
        if self.sender.unacknowledged_packets() > 0 && line_is_free {
            assert!(self.sender.poll_deadline().is_some(), "nothing will ever happen");
        }
        if let Some(deadline) = self.sender.poll_deadline() {
            assert!(deadline.at > self.now, "a timer of the past");
        }
        let (window, space) = (self.sender.window(), self.sender.config().space);
        let outstanding = space.distance(window.base, window.next);
        assert!(outstanding <= u32::from(self.sender.config().window_packets), "more than a window");
    }

    pub(crate) fn count(&self, of: impl Fn(&Row) -> bool) -> usize {
        self.rows.iter().filter(|row| of(row)).count()
    }

    /// Sends, resends, ACKs, when all was delivered, when the last ACK came: in whole milliseconds.
    pub(crate) fn totals(&self) -> (usize, usize, usize, u64, u64) {
        (
            self.count(|row| row.packet.kind == Kind::Data),
            self.count(|row| row.reason.is_retransmission()),
            self.count(|row| matches!(row.packet.kind, Kind::Ack | Kind::GroupAck)),
            self.last_delivery.as_millis(),
            self.last_arrival.as_millis(),
        )
    }

    /// The ladder as text, a row a line: number, milliseconds, what left, what became of it.
    pub(crate) fn ladder(&self) -> String {
        let rows = self.rows.iter().enumerate();
        rows.map(|(index, row)| self.ladder_row(index + 1, row) + "\n").collect()
    }

    fn ladder_row(&self, number: usize, row: &Row) -> String {
        let (at, sequence) = (row.left.as_millis(), row.packet.sequence);
        let kind = match row.packet.kind {
            Kind::Data => "DATA",
            Kind::Ack => "ACK",
            Kind::Nack => "NACK",
            Kind::GroupAck => "GROUP ACK",
        };
        let mut text = format!("{number:2} {at:3} {kind} {sequence}");
        if row.packet.kind == Kind::Data {
            let payload = String::from_utf8_lossy(&row.packet.payload);
            text += &format!(" \"{payload}\"");
        }
        if row.reason.is_retransmission() {
            let first = self.rows.iter().position(|other| other.ordinal == row.ordinal);
            text += &format!(" AGAIN(#{})", first.expect("what is sent again was sent") + 1);
        }
        if let Reason::RepeatsLastInOrder { repeat, .. } = row.reason {
            text += &format!(" DUP {repeat}");
        }
        if row.lost {
            text += " LOST";
        }
        for note in &row.notes {
            match note {
                Note::Delivered { sequence, .. } => text += &format!(" delivered {sequence}"),
                Note::Buffered { sequence, .. } => text += &format!(" kept {sequence}"),
                Note::Discarded(_) => text += " discarded",
                Note::WindowMoved { window, .. } => {
                    text += &format!(" [{}..{}]", window.base, window.last);
                }
                _ => {}
            }
        }
        text
    }
}
