//! From what a driver sees to a trace: names packets, finds their flows, links what belongs together.
//!
//! A driver tells it, at each instant and in this order: the call or the arrival, then what the host
//! made of it (frames that leave, events, notes). The headers of a packet are read from its frame, so
//! the trace says what was on the wire and not what somebody meant to put there; the reason alone
//! comes from the engine.
//!
//! Bounded: the trace keeps as many records and flows as [`Limits`] says and counts the rest.

mod again;
mod host;
mod marks;
mod matching;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use aperto_tcp as tcp;
use aperto_time::Instant;

use crate::arq;
use crate::dissect::dissect;
use crate::header::{LinkType, TraceHeader};
use crate::packet::{Endpoints, Octets, Packet, Protocol, Transport};
use crate::record::{
    Call, ChannelEvent, DropReason, Fact, Finding, FlowBegan, FlowId, HostId, Number, Record, Vantage,
};
use crate::trace::{Ending, Trace};

use marks::Marks;
use matching::InFlight;

/// How much a recorder keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Records; what comes after them is counted. Default 1,000,000.
    pub records: usize,
    /// Octets of each frame; 0 keeps none, and then nothing can be written as pcapng. Default
    /// 65,575: the largest IP packet, its Ethernet header and a VLAN tag.
    pub frame_octets: usize,
    /// Octets of each call and each delivery. Default 65,536.
    pub text_octets: usize,
    /// Flows that are known at the same time; the oldest is forgotten first. Default 65,536.
    pub flows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { records: 1_000_000, frame_octets: 65_575, text_octets: 65_536, flows: 65_536 }
    }
}

/// Why a packet leaves, as far as its sender says so.
#[derive(Clone, Copy, Debug)]
pub enum Meaning<'a> {
    /// Nothing is said.
    Plain,
    /// A TCP segment and its reason.
    Tcp(tcp::Reason),
    /// A packet of a textbook protocol, which is the payload of the UDP datagram in the frame.
    Arq(&'a aperto_arq::Outgoing),
}

/// What a pair of endpoints is looked up by: the smaller one first.
type Pair = (Protocol, core::net::SocketAddr, core::net::SocketAddr);

/// What happened last at a host: what a note may belong to.
#[derive(Clone, Copy, Debug, Default)]
struct LastArrival {
    at: Instant,
    number: Option<Number>,
    flow: Option<FlowId>,
}

/// Writes a trace.
#[derive(Clone, Debug)]
pub struct Recorder {
    trace: Trace,
    limits: Limits,
    next_number: u32,
    next_flow: u32,
    by_pair: BTreeMap<Pair, FlowId>,
    marks: BTreeMap<FlowId, Marks>,
    in_flight: InFlight,
    last_arrivals: BTreeMap<HostId, LastArrival>,
    drained: u64,
}

impl Recorder {
    /// A recorder without records.
    #[must_use]
    pub fn new(header: TraceHeader, limits: Limits) -> Self {
        Self {
            trace: Trace::new(header),
            limits,
            next_number: 1,
            next_flow: 1,
            by_pair: BTreeMap::new(),
            marks: BTreeMap::new(),
            in_flight: InFlight::default(),
            last_arrivals: BTreeMap::new(),
            drained: 0,
        }
    }

    /// What has been recorded.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the trace says about itself, for a driver that learns it on the way.
    pub const fn header_mut(&mut self) -> &mut TraceHeader {
        &mut self.trace.header
    }

    /// What has been recorded, for good.
    #[must_use]
    pub fn into_trace(self) -> Trace {
        self.trace
    }

    /// Hands out the records since the last time and forgets them; flows stay known.
    ///
    /// For a driver that writes as it goes and runs for ever. Packets that were handed out cannot
    /// be found by their number any more.
    pub fn drain(&mut self) -> Vec<Record> {
        let records = self.trace.take_records();
        self.drained += records.len() as u64;
        records
    }

    /// How many records [`drain`](Self::drain) has handed out.
    #[must_use]
    pub const fn drained(&self) -> u64 {
        self.drained
    }

    /// The name that the next packet will get.
    #[must_use]
    pub const fn next_number(&self) -> Number {
        Number(self.next_number)
    }

    // Packets.

    /// A frame leaves a host.
    pub fn left(&mut self, now: Instant, vantage: Vantage, frame: &[u8], meaning: Meaning<'_>) -> Number {
        let packet = dissect(self.next_number(), self.link_type(vantage), frame, clamp(frame.len()));
        self.packet_left(now, vantage, None, packet, meaning)
    }

    /// A packet that bears the next number leaves a host; to which one may be known.
    pub(crate) fn packet_left(
        &mut self,
        now: Instant,
        vantage: Vantage,
        receiver: Option<HostId>,
        mut packet: Packet,
        meaning: Meaning<'_>,
    ) -> Number {
        let number = packet.number;
        self.next_number = self.next_number.saturating_add(1);
        self.in_flight.left(&packet);
        match (meaning, &mut packet.transport) {
            (Meaning::Tcp(reason), Transport::Tcp(segment)) => segment.reason = Some(reason),
            (Meaning::Arq(outgoing), Transport::Udp) => {
                let header = packet.payload_length.saturating_sub(clamp(outgoing.packet.payload.len()));
                packet.payload_at += header;
                packet.payload_length -= header;
                packet.transport = Transport::Arq(arq::boxed(outgoing));
            }
            (Meaning::Plain, Transport::Udp) => self.read_arq(&mut packet),
            _ => {}
        }
        let flow = self.flow_of_packet(now, vantage.host_id(), receiver, &packet);
        self.mark(now, flow, &mut packet);
        self.keep_octets(&mut packet);
        self.record(now, vantage, flow, Fact::Left(Box::new(packet)));
        number
    }

    /// A packet whose departure was recorded arrives as it left.
    pub fn arrived(&mut self, now: Instant, vantage: Vantage, number: Number, copy: u32) {
        let flow = self.flow_of_number(number);
        self.in_flight.arrived(number);
        self.note_arrival(now, vantage, number, flow);
        self.record(now, vantage, flow, Fact::Arrived { number, copy, packet: None });
    }

    /// A packet whose departure was recorded arrives with other octets than it left with.
    pub fn arrived_damaged(
        &mut self,
        now: Instant,
        vantage: Vantage,
        number: Number,
        copy: u32,
        frame: &[u8],
    ) {
        let flow = self.flow_of_number(number);
        self.in_flight.arrived(number);
        let mut packet = dissect(number, self.link_type(vantage), frame, clamp(frame.len()));
        self.keep_octets(&mut packet);
        self.note_arrival(now, vantage, number, flow);
        self.record(now, vantage, flow, Fact::Arrived { number, copy, packet: Some(Box::new(packet)) });
    }

    /// A frame arrives from a real wire: perhaps one whose departure was recorded.
    pub fn frame_arrived(&mut self, now: Instant, vantage: Vantage, frame: &[u8]) -> Number {
        let packet = dissect(self.next_number(), self.link_type(vantage), frame, clamp(frame.len()));
        if let Some(number) = self.in_flight.take(&packet) {
            self.arrived(now, vantage, number, 0);
            return number;
        }
        self.packet_arrived(now, vantage, packet)
    }

    /// A packet that bears the next number arrives from a stranger.
    pub(crate) fn packet_arrived(&mut self, now: Instant, vantage: Vantage, mut packet: Packet) -> Number {
        let number = packet.number;
        self.next_number = self.next_number.saturating_add(1);
        self.read_arq(&mut packet);
        let flow = self.flow_of_packet(now, None, vantage.host_id(), &packet);
        self.mark(now, flow, &mut packet);
        self.keep_octets(&mut packet);
        self.note_arrival(now, vantage, number, flow);
        self.record(now, vantage, flow, Fact::Arrived { number, copy: 0, packet: Some(Box::new(packet)) });
        number
    }

    /// The channel does something to a packet.
    pub fn channel(&mut self, now: Instant, number: Number, copy: u32, what: ChannelEvent) {
        let flow = self.flow_of_number(number);
        self.record(now, Vantage::Channel, flow, Fact::Channel { number, copy, what });
    }

    /// A host does not use what arrived last, or a part of it.
    pub fn dropped(&mut self, now: Instant, vantage: Vantage, reason: DropReason) {
        let last = self.last_arrival(now, vantage);
        self.record(now, vantage, last.flow, Fact::Dropped { number: last.number, reason });
    }

    /// An echo reply reached the application that pinged.
    pub fn echo_replied(&mut self, now: Instant, host: HostId, ident: u16, sequence: u16) {
        let vantage = Vantage::host(host);
        let last = self.last_arrival(now, vantage);
        self.record(now, vantage, last.flow, Fact::EchoReplied { ident, sequence, number: last.number });
    }

    // Connections. Endpoints are as the host sees them: its own as source, the peer as destination.

    /// A connection notes something.
    pub fn note(&mut self, now: Instant, host: HostId, endpoints: Endpoints, note: tcp::Note) {
        let vantage = Vantage::host(host);
        let flow = Some(self.flow_between(now, host, Protocol::Tcp, endpoints));
        let fact = match note {
            tcp::Note::State { from, to, cause } => {
                if cause == tcp::diagram::Cause::ActiveOpen && self.knows_opening(flow, endpoints) {
                    return;
                }
                let segment = self.row_of_state(now, host, flow, endpoints, cause);
                Fact::State { from, to, cause, segment }
            }
            tcp::Note::Dropped { reason } => {
                let number = self.last_arrival(now, vantage).number;
                Fact::Dropped { number, reason: DropReason::Tcp(reason) }
            }
            other => Fact::Note(other),
        };
        self.record(now, vantage, flow, fact);
    }

    /// A textbook protocol notes something.
    pub fn arq_note(&mut self, now: Instant, host: HostId, endpoints: Endpoints, note: aperto_arq::Note) {
        let flow = Some(self.flow_between(now, host, Protocol::Udp, endpoints));
        self.record(now, Vantage::host(host), flow, Fact::ArqNote(note));
    }

    /// The application is told something.
    pub fn event(&mut self, now: Instant, host: HostId, endpoints: Endpoints, event: tcp::Event) {
        let flow = Some(self.flow_between(now, host, Protocol::Tcp, endpoints));
        self.record(now, Vantage::host(host), flow, Fact::Event(event));
    }

    // The application.

    /// The application calls; a LISTEN has no endpoints.
    pub fn call(&mut self, now: Instant, host: HostId, endpoints: Option<Endpoints>, call: Call) {
        if let (Some(endpoints), Call::Connect { .. }) = (endpoints, &call) {
            self.forget_used_pair(host, endpoints);
        }
        let flow = endpoints.map(|pair| self.flow_between(now, host, Protocol::Tcp, pair));
        self.record(now, Vantage::host(host), flow, Fact::Call(call));
    }

    /// The application sends octets on a TCP connection.
    pub fn sent(&mut self, now: Instant, host: HostId, endpoints: Endpoints, octets: &[u8]) {
        self.sent_over(now, host, Protocol::Tcp, endpoints, octets);
    }

    /// The application sends octets over this protocol.
    pub fn sent_over(&mut self, now: Instant, host: HostId, over: Protocol, pair: Endpoints, octets: &[u8]) {
        let flow = Some(self.flow_between(now, host, over, pair));
        let offset = self.count(flow, pair, octets.len(), |marks, side| &mut marks.side(side).written);
        let call = Call::Send { offset, length: clamp(octets.len()), octets: self.kept_text(octets) };
        self.record(now, Vantage::host(host), flow, Fact::Call(call));
    }

    /// Octets of a TCP connection reach the application.
    pub fn delivered(&mut self, now: Instant, host: HostId, endpoints: Endpoints, octets: &[u8]) {
        self.delivered_over(now, host, Protocol::Tcp, endpoints, octets);
    }

    /// Octets that came over this protocol reach the application.
    pub fn delivered_over(
        &mut self,
        now: Instant,
        host: HostId,
        over: Protocol,
        pair: Endpoints,
        octets: &[u8],
    ) {
        let flow = Some(self.flow_between(now, host, over, pair));
        let offset = self.count(flow, pair, octets.len(), |marks, side| &mut marks.side(side).read);
        let fact = Fact::Delivered { offset, length: clamp(octets.len()), octets: self.kept_text(octets) };
        self.record(now, Vantage::host(host), flow, fact);
    }

    /// Somebody found something.
    pub fn finding(&mut self, now: Instant, flow: Option<FlowId>, finding: Finding) {
        self.record(now, Vantage::Channel, flow, Fact::Finding(finding));
    }

    /// It is over.
    pub fn end(&mut self, ending: Ending) {
        self.trace.ending = Some(ending);
    }

    // Flows.

    /// The flow of these endpoints, which may begin with this; the host is the one at the source.
    pub fn flow_between(
        &mut self,
        now: Instant,
        host: HostId,
        protocol: Protocol,
        endpoints: Endpoints,
    ) -> FlowId {
        self.flow_with(now, Some(host), None, protocol, endpoints)
    }

    fn flow_with(
        &mut self,
        now: Instant,
        sender: Option<HostId>,
        receiver: Option<HostId>,
        protocol: Protocol,
        endpoints: Endpoints,
    ) -> FlowId {
        let pair = pair(protocol, endpoints);
        if let Some(&known) = self.by_pair.get(&pair) {
            return known;
        }
        let began = FlowBegan {
            protocol,
            endpoints,
            client: sender.or_else(|| self.host_with_address(endpoints.source.ip())),
            server: receiver.or_else(|| self.host_with_address(endpoints.destination.ip())),
        };
        let id = FlowId(self.next_flow);
        self.next_flow = self.next_flow.saturating_add(1);
        self.by_pair.insert(pair, id);
        self.marks.insert(id, Marks::default());
        let vantage = sender.or(receiver).map_or(Vantage::Channel, Vantage::host);
        self.record(now, vantage, Some(id), Fact::FlowBegan(began));
        self.forget_oldest_flow();
        id
    }

    fn forget_oldest_flow(&mut self) {
        while self.marks.len() > self.limits.flows.max(1) {
            let Some((id, _)) = self.marks.pop_first() else { return };
            if let Some(flow) = self.trace.flow(id) {
                let pair = pair(flow.protocol, flow.endpoints);
                if self.by_pair.get(&pair) == Some(&id) {
                    self.by_pair.remove(&pair);
                }
            }
            self.trace.forget_flow(id);
        }
    }

    /// A connection is opened over a pair of endpoints: if one was open there before, it is another.
    fn forget_used_pair(&mut self, host: HostId, endpoints: Endpoints) {
        let key = pair(Protocol::Tcp, endpoints);
        let Some(flow) = self.by_pair.get(&key).and_then(|id| self.trace.flow(*id)) else { return };
        let opened = flow.direction(endpoints).is_some_and(|direction| flow.syn_seen(direction));
        if opened && (flow.client == Some(host) || flow.server == Some(host)) {
            self.by_pair.remove(&key);
        }
    }

    fn flow_of_packet(
        &mut self,
        now: Instant,
        sender: Option<HostId>,
        receiver: Option<HostId>,
        packet: &Packet,
    ) -> Option<FlowId> {
        let protocol = match packet.transport.protocol() {
            Protocol::Arq => Protocol::Udp,
            Protocol::Arp | Protocol::Other(_) => return None,
            protocol => protocol,
        };
        if let Transport::Tcp(segment) = &packet.transport
            && segment.header.control.syn()
            && !segment.header.control.ack()
        {
            let key = pair(protocol, packet.endpoints);
            let known = self.by_pair.get(&key).and_then(|id| self.trace.flow(*id));
            let another = known.is_some_and(|flow| {
                flow.direction(packet.endpoints).is_some_and(|direction| {
                    flow.syn_seen(direction) && flow.initial(direction) != Some(segment.header.seq)
                })
            });
            if another {
                self.by_pair.remove(&key);
            }
        }
        Some(self.flow_with(now, sender, receiver, protocol, packet.endpoints))
    }

    /// The flow of a packet, if it has begun.
    pub(crate) fn known_flow(&self, packet: &Packet) -> Option<&crate::flow::Flow> {
        let protocol = match packet.transport.protocol() {
            Protocol::Arq => Protocol::Udp,
            protocol => protocol,
        };
        self.trace.flow(*self.by_pair.get(&pair(protocol, packet.endpoints))?)
    }

    fn flow_of_number(&self, number: Number) -> Option<FlowId> {
        let journey = self.trace.journey(number)?;
        self.trace.records().get(journey.packet?)?.flow
    }

    fn host_with_address(&self, address: core::net::IpAddr) -> Option<HostId> {
        let place = self.trace.header.hosts.iter().position(|host| host.has_address(address))?;
        u8::try_from(place).ok().map(HostId)
    }

    fn link_type(&self, vantage: Vantage) -> LinkType {
        let Vantage::Host { host, interface } = vantage else { return LinkType::Ip };
        let interfaces = self.trace.header.host(host).map(|info| info.interfaces.as_slice());
        interfaces
            .and_then(|interfaces| interfaces.get(usize::from(interface)))
            .map_or(LinkType::Ip, |interface| interface.link_type)
    }

    // Links between records.

    fn note_arrival(&mut self, at: Instant, vantage: Vantage, number: Number, flow: Option<FlowId>) {
        if let Some(host) = vantage.host_id() {
            self.last_arrivals.insert(host, LastArrival { at, number: Some(number), flow });
        }
    }

    /// What arrived at the host at this very instant.
    fn last_arrival(&self, now: Instant, vantage: Vantage) -> LastArrival {
        vantage
            .host_id()
            .and_then(|host| self.last_arrivals.get(&host))
            .filter(|last| last.at == now)
            .copied()
            .unwrap_or_default()
    }

    /// The segment on whose row a move of the state belongs.
    fn row_of_state(
        &self,
        now: Instant,
        host: HostId,
        flow: Option<FlowId>,
        endpoints: Endpoints,
        cause: tcp::diagram::Cause,
    ) -> Option<Number> {
        use tcp::diagram::Cause;
        match cause {
            Cause::SynArrived
            | Cause::SynAckArrived
            | Cause::SynAcknowledged
            | Cause::FinArrived
            | Cause::FinAcknowledged
            | Cause::FinArrivedAndOursAcknowledged
            | Cause::ResetArrived
            | Cause::Unreachable
            | Cause::BackToListen => {
                let last = self.last_arrival(now, Vantage::host(host));
                // An ICMP error is of another flow than the connection that it ends.
                last.number.filter(|_| last.flow == flow || cause == Cause::Unreachable)
            }
            Cause::ActiveOpen | Cause::CloseCalled | Cause::FinSent | Cause::AbortCalled => {
                let direction = self.trace.flow(flow?)?.direction(endpoints)?;
                self.marks.get(&flow?)?.side_of(direction).control_at(now)
            }
            Cause::PassiveOpen | Cause::TimeWaitOver | Cause::UserTimeout | Cause::OrphanTimeout => None,
        }
    }

    /// Whether the active open of this side was noted before, by the host or by the connection.
    fn knows_opening(&mut self, flow: Option<FlowId>, endpoints: Endpoints) -> bool {
        let found = flow.and_then(|id| {
            let direction = self.trace.flow(id)?.direction(endpoints)?;
            Some(self.marks.get_mut(&id)?.side(direction))
        });
        found.is_some_and(|side| core::mem::replace(&mut side.opened, true))
    }

    /// Retransmissions, duplicate acknowledgments, changed windows.
    fn mark(&mut self, now: Instant, flow: Option<FlowId>, packet: &mut Packet) {
        let Some((flow, marks)) = flow.and_then(|id| Some((self.trace.flow(id)?, self.marks.get_mut(&id)?)))
        else {
            return;
        };
        if let Some(direction) = flow.direction(packet.endpoints) {
            marks.mark(now, direction, packet);
        }
    }

    /// Adds to one of a flow's counts of octets and gives what it was before.
    fn count(
        &mut self,
        flow: Option<FlowId>,
        endpoints: Endpoints,
        octets: usize,
        which: impl Fn(&mut Marks, crate::flow::Direction) -> &mut u64,
    ) -> u64 {
        let found = flow.and_then(|id| {
            let direction = self.trace.flow(id)?.direction(endpoints)?;
            Some((self.marks.get_mut(&id)?, direction))
        });
        let Some((marks, direction)) = found else { return 0 };
        let total = which(marks, direction);
        let before = *total;
        *total = total.saturating_add(octets as u64);
        before
    }

    // Keeping.

    /// Where the trace is of a textbook protocol, its datagrams are packets of it.
    fn read_arq(&self, packet: &mut Packet) {
        if self.trace.header.is_arq() {
            arq::reread(packet);
        }
    }

    fn keep_octets(&self, packet: &mut Packet) {
        if packet.frame.len() > self.limits.frame_octets {
            packet.frame = Octets::copy(packet.frame.get(..self.limits.frame_octets).unwrap_or(&[]));
        }
    }

    fn kept_text(&self, octets: &[u8]) -> Octets {
        Octets::copy(octets.get(..self.limits.text_octets).unwrap_or(octets))
    }

    fn record(&mut self, at: Instant, vantage: Vantage, flow: Option<FlowId>, fact: Fact) {
        let record = Record { at, vantage, flow, fact };
        if self.trace.records().len() < self.limits.records {
            self.trace.push(record);
        } else {
            self.trace.skip(&record);
        }
    }
}

fn pair(protocol: Protocol, endpoints: Endpoints) -> Pair {
    let (one, other) = (endpoints.source, endpoints.destination);
    if one <= other { (protocol, one, other) } else { (protocol, other, one) }
}

/// A length as a record keeps it.
fn clamp(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
