//! Writes the one trace: the records of both ends in the order of the client's clock, with new numbers.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::{Duration, Instant};

use super::end::{End, Fate};
use super::pairs::Pairs;
use super::{Clocks, Report, Which};
use crate::header::{HostInfo, Link, Role, TraceHeader};
use crate::packet::Packet;
use crate::record::{
    ChannelEvent, Fact, FlowBegan, FlowId, HostId, LossCause, Number, Origin, Record, Vantage,
};
use crate::recorder::{Limits, Meaning, Recorder};
use crate::trace::{Ending, Trace};

/// Writes.
pub(super) struct Writer<'a> {
    ends: &'a [End<'a>; 2],
    pairs: &'a Pairs,
    recorder: Recorder,
    /// The clock of the client's at the trace's instant zero.
    zero_ns: i128,
    /// Which of the common flows one of an end's is.
    places: [BTreeMap<FlowId, usize>; 2],
    /// What it is called now.
    flows: BTreeMap<usize, FlowId>,
    /// What an end's packet is called now.
    numbers: [BTreeMap<Number, Number>; 2],
    /// When a departure was written, and under which number, by its place.
    written: [BTreeMap<usize, (Number, Instant)>; 2],
    /// What comes after this cannot be earlier.
    floors: [Instant; 2],
    /// The copies of which it is said that they were made.
    copies: BTreeSet<(Number, u32)>,
    counts: Report,
}

impl<'a> Writer<'a> {
    pub(super) fn new(ends: &'a [End<'a>; 2], common: &[(FlowId, FlowId)], pairs: &'a Pairs) -> Self {
        let beginnings = ends
            .iter()
            .enumerate()
            .filter_map(|(place, end)| Some(pairs.corrected(place, end.time(end.trace.records().first()?))));
        let zero_ns = beginnings.min().unwrap_or(0);
        let limits = Limits { records: usize::MAX, flows: usize::MAX, ..Limits::default() };
        let mut places = [BTreeMap::new(), BTreeMap::new()];
        for (place, (client, server)) in common.iter().enumerate() {
            places[0].insert(*client, place);
            places[1].insert(*server, place);
        }
        let clocks = Clocks { server_ahead_ns: 0, one_way_ns: None };
        Self {
            ends,
            pairs,
            recorder: Recorder::new(header(ends, pairs, zero_ns), limits),
            zero_ns,
            places,
            flows: BTreeMap::new(),
            numbers: [BTreeMap::new(), BTreeMap::new()],
            written: [BTreeMap::new(), BTreeMap::new()],
            floors: [Instant::ZERO; 2],
            copies: BTreeSet::new(),
            counts: Report {
                client: Which::One,
                flows: 0,
                left_out: 0,
                left: 0,
                arrived: 0,
                lost: 0,
                copies: 0,
                unseen: 0,
                clocks,
            },
        }
    }

    /// Writes all records, none before what caused it.
    pub(super) fn write(&mut self) {
        let mut at = [0_usize; 2];
        loop {
            let heads = [self.head(0, at[0]), self.head(1, at[1])];
            let end = match heads {
                [None, None] => return,
                [Some(_), None] => 0,
                [None, Some(_)] => 1,
                [Some(one), Some(other)] => {
                    let first = usize::from(other < one);
                    // An arrival waits for its departure, whatever the clocks say.
                    if self.waits(first, at[first]) && !self.waits(1 - first, at[1 - first]) {
                        1 - first
                    } else {
                        first
                    }
                }
            };
            self.record(end, at[end]);
            at[end] += 1;
        }
    }

    pub(super) fn finish(mut self) -> (Trace, Report) {
        let code = |end: &End<'_>| match end.trace.ending {
            Some(Ending::End { exit_code, .. } | Ending::Error { exit_code, .. }) => exit_code,
            None => 0,
        };
        let exit_code = self.ends.iter().map(code).max().unwrap_or(0);
        let at = self.recorder.trace().records().last().map_or(Instant::ZERO, |record| record.at);
        self.recorder.end(Ending::End { at, exit_code });
        (self.recorder.into_trace(), self.counts)
    }

    fn head(&self, end: usize, place: usize) -> Option<i128> {
        let side = self.ends.get(end)?;
        Some(self.pairs.corrected(end, side.time(side.trace.records().get(place)?)))
    }

    /// Whether the departure of this arrival has not been written.
    fn waits(&self, end: usize, place: usize) -> bool {
        self.pairs.arrivals[end]
            .get(&place)
            .is_some_and(|pair| !self.written[1 - end].contains_key(&pair.departure))
    }

    fn record(&mut self, end: usize, place: usize) {
        let side = &self.ends[end];
        let Some(record) = side.trace.records().get(place) else { return };
        let flow = match record.flow {
            None => None,
            Some(id) => match self.flow(end, id) {
                Some(flow) => Some(flow),
                // What was damaged may seem to be of another flow.
                None if self.pairs.arrivals[end].contains_key(&place) => None,
                None => return,
            },
        };
        let corrected = self.pairs.corrected(end, side.time(record)) - self.zero_ns;
        let at =
            Instant::from_nanos(u64::try_from(corrected.max(0)).unwrap_or(u64::MAX)).max(self.floors[end]);
        self.floors[end] = at;
        let vantage = match record.vantage {
            Vantage::Host { interface, .. } => Vantage::Host { host: host_id(end), interface },
            Vantage::Channel => Vantage::Channel,
        };
        self.fact(end, place, at, vantage, flow, record);
    }

    fn fact(
        &mut self,
        end: usize,
        place: usize,
        at: Instant,
        vantage: Vantage,
        flow: Option<FlowId>,
        record: &Record,
    ) {
        let named = |number: Option<Number>| number.and_then(|old| self.numbers[end].get(&old).copied());
        let fact = match &record.fact {
            Fact::FlowBegan(_) => return,
            Fact::Left(packet) if record.vantage == Vantage::Channel => {
                // Lost just before this end: the other end knows it under a number of its own.
                if let Some((number, _)) = self.departure_of(end, place) {
                    self.numbers[end].insert(packet.number, number);
                }
                return;
            }
            Fact::Left(packet) => return self.left(end, place, at, vantage, packet),
            Fact::Arrived { number, copy, packet } => {
                return self.arrived(end, place, at, vantage, (*number, *copy, packet.as_deref()));
            }
            Fact::Channel { number, copy, what } => {
                let Some(number) = named(Some(*number)) else { return };
                let what = match what {
                    ChannelEvent::Reordered { by, overtaken_by } => {
                        ChannelEvent::Reordered { by: by.clone(), overtaken_by: named(*overtaken_by) }
                    }
                    other => other.clone(),
                };
                if matches!(what, ChannelEvent::Duplicated { .. }) {
                    self.copies.insert((number, *copy));
                }
                return self.recorder.channel(at, number, *copy, what);
            }
            Fact::Dropped { number, reason } => {
                Fact::Dropped { number: named(*number), reason: reason.clone() }
            }
            Fact::State { from, to, cause, segment } => {
                Fact::State { from: *from, to: *to, cause: *cause, segment: named(*segment) }
            }
            Fact::EchoReplied { ident, sequence, number } => {
                Fact::EchoReplied { ident: *ident, sequence: *sequence, number: named(*number) }
            }
            other => other.clone(),
        };
        self.recorder.keep(at, vantage, flow, fact);
    }

    fn left(&mut self, end: usize, place: usize, at: Instant, vantage: Vantage, packet: &Packet) {
        let old = packet.number;
        let packet = Packet { number: self.recorder.next_number(), ..packet.clone() };
        let number = self.recorder.packet_left(at, vantage, Some(host_id(1 - end)), packet, Meaning::Plain);
        self.numbers[end].insert(old, number);
        self.written[end].insert(place, (number, at));
        self.counts.left += 1;
        if self.pairs.departures[end].contains_key(&place) {
            return;
        }
        let Some(sight) = self.ends[end].departure(place) else { return };
        let other = &self.ends[1 - end];
        let arrives = self.pairs.corrected(end, sight.at_ns) + self.pairs.one_way();
        if sight.fate == Fate::Lost {
            self.counts.lost += 1;
        } else if arrives <= self.pairs.corrected(1 - end, other.over()) {
            self.counts.lost += 1;
            self.recorder.channel(at, number, 0, ChannelEvent::Lost(LossCause::Unknown));
        }
    }

    fn departure_of(&self, end: usize, place: usize) -> Option<(Number, Instant)> {
        let pair = self.pairs.arrivals[end].get(&place)?;
        self.written[1 - end].get(&pair.departure).copied()
    }

    fn arrived(
        &mut self,
        end: usize,
        place: usize,
        at: Instant,
        vantage: Vantage,
        (old, copy, packet): (Number, u32, Option<&Packet>),
    ) {
        let Some(packet) = packet else {
            // A copy that the channel of this end made of what arrived before.
            if let Some(number) = self.numbers[end].get(&old).copied() {
                self.recorder.arrived(at, vantage, number, copy);
            }
            return;
        };
        let (Some(pair), Some((number, left_at))) =
            (self.pairs.arrivals[end].get(&place).copied(), self.departure_of(end, place))
        else {
            let packet = Packet { number: self.recorder.next_number(), ..packet.clone() };
            let number = self.recorder.packet_arrived(at, vantage, packet);
            self.numbers[end].insert(old, number);
            self.counts.unseen += 1;
            return;
        };
        let at = at.max(left_at);
        self.floors[end] = at;
        self.numbers[end].insert(old, number);
        if pair.copy == 0 {
            self.counts.arrived += 1;
        } else {
            self.counts.copies += 1;
            if self.copies.insert((number, pair.copy)) {
                let by = Origin::Random;
                self.recorder.channel(at, number, pair.copy, ChannelEvent::Duplicated { by });
            }
        }
        if pair.damaged {
            self.recorder.arrived_damaged(at, vantage, number, pair.copy, &packet.frame);
        } else {
            self.recorder.arrived(at, vantage, number, pair.copy);
        }
    }

    /// What a flow of an end is called now; it begins when either end has first seen it.
    fn flow(&mut self, end: usize, id: FlowId) -> Option<FlowId> {
        let place = *self.places[end].get(&id)?;
        if let Some(known) = self.flows.get(&place) {
            return Some(*known);
        }
        let flow = self.ends[end].trace.flow(id)?;
        // Who is the client of the first flow may be the server of another.
        let opened = self.ends[end].opened(id)?;
        let (client, server) = if opened { (end, 1 - end) } else { (1 - end, end) };
        let began = FlowBegan {
            protocol: flow.protocol,
            endpoints: flow.endpoints,
            client: Some(host_id(client)),
            server: Some(host_id(server)),
        };
        let at = self.floors[end];
        let id = self.recorder.begin(at, Vantage::host(host_id(end)), began);
        self.flows.insert(place, id);
        Some(id)
    }
}

const fn host_id(end: usize) -> HostId {
    HostId(if end == 0 { 0 } else { 1 })
}

/// What both headers say.
fn header(ends: &[End<'_>; 2], pairs: &Pairs, zero_ns: i128) -> TraceHeader {
    let [client, server] = ends;
    let host = |end: &End<'_>, name: &str, role| {
        let found = end.trace.header.host(end.host);
        let source = found.map(|info| info.source).unwrap_or_default();
        let mut interfaces = found.map(|info| info.interfaces.clone()).unwrap_or_default();
        // Another name is what tells the two ends apart in a capture.
        for (place, interface) in interfaces.iter_mut().enumerate() {
            interface.name = if place == 0 { String::from(name) } else { format!("{name} {place}") };
        }
        HostInfo { name: String::from(name), role, source, interfaces }
    };
    let both = |of: &dyn Fn(&TraceHeader) -> String| {
        let all: Vec<String> =
            ends.iter().map(|end| of(&end.trace.header)).filter(|text| !text.is_empty()).collect();
        all.join(" | ")
    };
    let impairments = |header: &TraceHeader| header.link.as_ref().map(|link| link.impairments.clone());
    let one_way = Duration::from_nanos(u64::try_from(pairs.one_way()).unwrap_or(0));
    let (one, other) = (&client.trace.header, &server.trace.header);
    let first = |one: &str, other: &str| String::from(if one.is_empty() { other } else { one });
    TraceHeader {
        version: first(&one.version, &other.version),
        seed: None,
        command: both(&|header| header.command.clone()),
        tag: one.tag.clone().or_else(|| other.tag.clone()),
        wire: if one.wire == "capture" { other.wire.clone() } else { one.wire.clone() },
        protocol: first(&one.protocol, &other.protocol),
        recipe: None,
        epoch_ns: u64::try_from(zero_ns).ok(),
        hosts: Vec::from([host(client, "client", Role::Client), host(server, "server", Role::Server)]),
        link: Some(Link {
            delay_up: one_way,
            delay_down: one_way,
            rate_bits_per_second: None,
            impairments: both(&|header| impairments(header).unwrap_or_default()),
        }),
    }
}
