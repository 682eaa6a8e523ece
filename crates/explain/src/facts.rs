//! Facts around a segment, collected while the records go by.
//!
//! [`FlowFacts`] is fed each record of one flow and answers with the [`Context`] of a segment that
//! leaves. It knows the past only and is bounded, so that a view of a connection that never ends can
//! use it; a view of a whole trace adds what came later (whether the segment arrived).

use alloc::collections::VecDeque;
use alloc::string::String;

use aperto_tcp::WindowChange;
use aperto_tcp::{Note, State};
use aperto_time::Instant;
use aperto_trace::{
    Call, Direction, Endpoints, Fact, Flow, FlowBegan, FlowId, HostId, Number, Octets, Packet, Record,
    Segment, Vantage,
};
use aperto_wire::SeqNumber;

use crate::Context;
use crate::context::{Counting, Numbers, Side, Written, printable};

/// Calls and segments of each side that are remembered.
const REMEMBERED: usize = 1_024;

/// A text longer than this is not quoted in a sentence.
const LONGEST_QUOTATION_OCTETS: u32 = 120;

/// What is known of one flow.
#[derive(Clone, Debug)]
pub struct FlowFacts {
    flow: Flow,
    sides: [SideFacts; 2],
}

/// The congestion window and what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Congestion {
    /// The congestion window, in octets.
    pub cwnd: u32,
    /// The slow start threshold, in octets; `u32::MAX` at the start.
    pub ssthresh: u32,
    /// Octets in flight.
    pub flight: u32,
}

#[derive(Clone, Debug, Default)]
struct SideFacts {
    /// The state before the first move that was seen.
    before: Option<State>,
    state: Option<State>,
    fin_received: Option<Instant>,
    mss: Option<u32>,
    initial_window: Option<u32>,
    congestion: Option<Congestion>,
    last_arrival: Option<(Instant, Number)>,
    /// The number after the last that was sent.
    sent_until: Option<SeqNumber>,
    /// The highest acknowledgment that reached the side.
    acknowledged: Option<SeqNumber>,
    calls: VecDeque<Sent>,
    sent: VecDeque<(SeqNumber, Number, Instant)>,
}

#[derive(Clone, Debug)]
struct Sent {
    offset: u64,
    length: u32,
    octets: Octets,
}

/// The place of a side in an array: the client, who sends upwards, is the first.
#[must_use]
pub const fn place(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

/// Who sends in a direction.
#[must_use]
pub const fn sender(direction: Direction) -> Side {
    match direction {
        Direction::Up => Side::Client,
        Direction::Down => Side::Server,
    }
}

impl FlowFacts {
    /// A flow that begins.
    #[must_use]
    pub fn new(id: FlowId, began: FlowBegan) -> Self {
        Self { flow: Flow::new(id, began), sides: [SideFacts::default(), SideFacts::default()] }
    }

    /// The flow, with the initial sequence numbers seen so far.
    #[must_use]
    pub const fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Which side a host is on.
    #[must_use]
    pub fn side_of(&self, host: HostId) -> Option<Side> {
        if self.flow.client == Some(host) {
            Some(Side::Client)
        } else if self.flow.server == Some(host) {
            Some(Side::Server)
        } else {
            None
        }
    }

    /// Which side saw a record.
    #[must_use]
    pub fn seen_by(&self, vantage: Vantage) -> Option<Side> {
        self.side_of(vantage.host_id()?)
    }

    /// The last packet that arrived at a side, if it was at this instant.
    #[must_use]
    pub fn arrival_at(&self, side: Side, at: Instant) -> Option<Number> {
        let (when, number) = self.sides[place(side)].last_arrival?;
        (when == at).then_some(number)
    }

    /// The state of a side before the first move that was seen.
    #[must_use]
    pub fn state_before(&self, side: Side) -> Option<State> {
        self.sides[place(side)].before
    }

    /// The state of a side.
    #[must_use]
    pub fn state(&self, side: Side) -> Option<State> {
        self.sides[place(side)].state
    }

    /// What a side has noted last of its congestion window.
    #[must_use]
    pub fn congestion(&self, side: Side) -> Option<Congestion> {
        self.sides[place(side)].congestion
    }

    /// Octets that a side has sent and of which it has no acknowledgment yet.
    #[must_use]
    pub fn flight(&self, side: Side) -> Option<u32> {
        let facts = &self.sides[place(side)];
        let (sent, acknowledged) = (facts.sent_until?, facts.acknowledged?);
        Some(if sent.after(acknowledged) { sent.since(acknowledged) } else { 0 })
    }

    /// The largest segment, from both SYNs. RFC 9293 §3.7.1.
    #[must_use]
    pub fn mss(&self) -> Option<u32> {
        match (self.sides[0].mss, self.sides[1].mss) {
            (Some(one), Some(other)) => Some(one.min(other)),
            _ => None,
        }
    }

    /// The segment with which a side sent this number last, of those that left before an instant: a
    /// timer stands for what was sent when it started.
    #[must_use]
    pub fn carried_before(&self, side: Side, number: SeqNumber, at: Instant) -> Option<Number> {
        let sent = &self.sides[place(side)].sent;
        let mut before = sent.iter().rev().filter(|(_, _, left)| *left < at);
        before.find(|(seq, ..)| *seq == number).map(|(_, number, _)| *number)
    }

    /// Takes note of a record of this flow; `packet` is the one that it is about, where it is known.
    pub fn learn(&mut self, record: &Record, packet: Option<&Packet>) {
        match &record.fact {
            Fact::Left(packet) => self.leaves(packet, record.at),
            Fact::Arrived { number, packet: own, .. } => {
                self.arrives(record, *number, own.as_deref().or(packet));
            }
            Fact::State { from, to, .. } => {
                if let Some(side) = self.seen_by(record.vantage) {
                    let facts = &mut self.sides[place(side)];
                    facts.before.get_or_insert(*from);
                    facts.state = Some(*to);
                }
            }
            Fact::Note(note) => self.notes(record.vantage, note),
            Fact::Call(Call::Send { offset, length, octets }) => {
                if let Some(side) = self.seen_by(record.vantage) {
                    // A long text is not quoted, so there is no need to hold it.
                    let quoted = *length <= LONGEST_QUOTATION_OCTETS;
                    let octets = if quoted { octets.clone() } else { Octets::EMPTY };
                    let sent = Sent { offset: *offset, length: *length, octets };
                    remember(&mut self.sides[place(side)].calls, sent);
                }
            }
            _ => {}
        }
    }

    fn leaves(&mut self, packet: &Packet, at: Instant) {
        let Some(direction) = self.flow.direction(packet.endpoints) else { return };
        let Some(segment) = packet.tcp() else { return };
        self.flow.observe(direction, &segment.header);
        let control = segment.header.control;
        let facts = &mut self.sides[place(sender(direction))];
        if control.syn() {
            facts.mss = segment.header.options.mss.map(u32::from);
        }
        if packet.payload_length > 0 || control.sequence_length() > 0 {
            let until = segment.header.seq + packet.payload_length + control.sequence_length();
            facts.sent_until = Some(facts.sent_until.map_or(until, |before| before.later(until)));
            remember(&mut facts.sent, (segment.header.seq, packet.number, at));
        }
        if packet.payload_length > 0 && segment.of.is_none() {
            self.forget_calls(direction, segment.header.seq);
        }
    }

    /// Forgets the calls whose octets have all left.
    fn forget_calls(&mut self, direction: Direction, seq: SeqNumber) {
        let Some(offset) = self.flow.relative_seq(direction, seq).and_then(|seq| seq.checked_sub(1)) else {
            return;
        };
        let calls = &mut self.sides[place(sender(direction))].calls;
        while calls.front().is_some_and(|call| call.offset + u64::from(call.length) <= u64::from(offset)) {
            calls.pop_front();
        }
    }

    fn arrives(&mut self, record: &Record, number: Number, packet: Option<&Packet>) {
        if let Some(packet) = packet
            && let Some(direction) = self.flow.direction(packet.endpoints)
            && let Some(segment) = packet.tcp()
        {
            self.flow.observe(direction, &segment.header);
            if segment.header.control.ack() && self.seen_by(record.vantage) == Some(sender(direction).other())
            {
                let facts = &mut self.sides[place(sender(direction).other())];
                let ack = segment.header.ack;
                facts.acknowledged = Some(facts.acknowledged.map_or(ack, |before| before.later(ack)));
            }
            if segment.header.control.syn() {
                self.sides[place(sender(direction))].mss = segment.header.options.mss.map(u32::from);
            }
            if segment.header.control.fin() {
                let facts = &mut self.sides[place(sender(direction).other())];
                facts.fin_received.get_or_insert(record.at);
            }
        }
        if let Some(side) = self.seen_by(record.vantage) {
            self.sides[place(side)].last_arrival = Some((record.at, number));
        }
    }

    fn notes(&mut self, vantage: Vantage, note: &Note) {
        let Some(side) = self.seen_by(vantage) else { return };
        let facts = &mut self.sides[place(side)];
        if let Note::CongestionWindow { cwnd, ssthresh, flight, because } = *note {
            if because == WindowChange::Initial {
                facts.initial_window = Some(cwnd);
            }
            facts.congestion = Some(Congestion { cwnd, ssthresh, flight });
        }
    }

    /// How the numbers of a side's segments are told.
    #[must_use]
    pub fn numbers(&self, direction: Direction, counting: Counting) -> Numbers {
        Numbers {
            counting,
            own: self.flow.initial(direction),
            other: self.flow.initial(direction.reversed()),
        }
    }

    /// The facts around a segment that leaves at an instant.
    #[must_use]
    pub fn context(&self, packet: &Packet, at: Instant, counting: Counting) -> Context {
        let (Some(direction), Some(segment)) = (self.flow.direction(packet.endpoints), packet.tcp()) else {
            return Context::default();
        };
        let side = sender(direction);
        let facts = &self.sides[place(side)];
        let written = self.written(direction, packet, segment);
        let mss = self.mss();
        let first_text = self.flow.relative_seq(direction, segment.header.seq) == Some(1);
        let goes_on =
            written.as_ref().is_some_and(|written| written.octets > u64::from(packet.payload_length));
        let window = facts.initial_window.filter(|_| first_text && goes_on && packet.payload_length > 0);
        Context {
            numbers: self.numbers(direction, counting),
            sender: Some(side),
            ack: segment.header.control.ack().then_some(segment.header.ack),
            written,
            state: facts.state,
            since_fin: facts.fin_received.map(|fin| at.since(fin)),
            mss,
            initial_window_segments: window.and_then(|octets| Some(octets.checked_div(mss?)?.max(1))),
            ..Context::default()
        }
    }

    fn written(&self, direction: Direction, packet: &Packet, segment: &Segment) -> Option<Written> {
        // The SYN took the number before the first octet.
        let offset = u64::from(self.flow.relative_seq(direction, segment.header.seq)?.checked_sub(1)?);
        if packet.payload_length == 0 {
            return None;
        }
        let calls = &self.sides[place(sender(direction))].calls;
        let after = calls.partition_point(|call| call.offset <= offset);
        let call = calls.get(after.checked_sub(1)?)?;
        if offset >= call.offset + u64::from(call.length) {
            return None;
        }
        let whole = offset == call.offset
            && packet.payload_length == call.length
            && call.length <= LONGEST_QUOTATION_OCTETS
            && call.octets.len() == call.length as usize;
        let text = if whole { printable(&call.octets).map(String::from) } else { None };
        Some(Written { octets: u64::from(call.length), text })
    }
}

fn remember<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.len() == REMEMBERED {
        queue.pop_front();
    }
    queue.push_back(value);
}

/// From the flow of a trace: its beginning again.
#[must_use]
pub fn beginning(flow: &Flow) -> FlowBegan {
    let Endpoints { source, destination } = flow.endpoints;
    FlowBegan {
        protocol: flow.protocol,
        endpoints: Endpoints { source, destination },
        client: flow.client,
        server: flow.server,
    }
}
