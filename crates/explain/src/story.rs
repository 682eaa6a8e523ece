//! Hand-made traces for tests: each record written out, no engine involved.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_tcp::diagram::Cause;
use aperto_tcp::{AckCause, DataCause, Note, Reason, RetransmissionCause, State};
use aperto_time::{Duration, Instant};
use aperto_trace::{
    Call, ChannelEvent, Endpoints, Fact, FlowBegan, FlowId, HostId, HostInfo, InterfaceInfo, Link, LinkType,
    LossCause, Number, Octets, Packet, Protocol, Record, Role, Segment, Source, Trace, TraceHeader,
    Transport, Vantage, WindowMark,
};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header, Options};

pub(crate) const C: HostId = HostId(0);
pub(crate) const S: HostId = HostId(1);
pub(crate) const FLOW: FlowId = FlowId(1);
pub(crate) const SYN: Control = Control::SYN;
pub(crate) const ACK: Control = Control::ACK;

pub(crate) fn ms(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

pub(crate) fn for_ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A trace that is being written by hand; the link takes 20 ms each way.
pub(crate) struct Story {
    pub(crate) trace: Trace,
    pub(crate) isn: [u32; 2],
    protocol: Protocol,
    next: u32,
    windows: [Option<u16>; 2],
}

/// What a segment is made of, with numbers counted from the SYNs.
#[derive(Clone, Copy)]
pub(crate) struct Sketch<'a> {
    pub(crate) from: HostId,
    pub(crate) control: Control,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) text: &'a str,
    pub(crate) reason: Option<Reason>,
    pub(crate) of: Option<u32>,
    pub(crate) duplicate: Option<u32>,
    pub(crate) window: u16,
    pub(crate) options: Options,
}

pub(crate) fn sketch(from: HostId, control: Control, seq: u32, ack: u32) -> Sketch<'static> {
    let options = Options { mss: control.syn().then_some(1460), ..Options::NONE };
    Sketch {
        from,
        control,
        seq,
        ack,
        text: "",
        reason: None,
        of: None,
        duplicate: None,
        window: 64_240,
        options,
    }
}

impl<'a> Sketch<'a> {
    pub(crate) fn text(self, text: &'a str) -> Self {
        Self { text, ..self }
    }

    pub(crate) fn why(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

impl Story {
    pub(crate) fn new(protocol: Protocol) -> Self {
        let client: SocketAddr = "10.0.0.1:49152".parse().unwrap();
        let server: SocketAddr = "10.0.0.2:7000".parse().unwrap();
        let host = |name: &str, role, at: SocketAddr| HostInfo {
            name: name.to_string(),
            role,
            source: Source::Known,
            interfaces: vec![InterfaceInfo {
                name: name.to_string(),
                addresses: vec![at.ip()],
                link_type: LinkType::Ip,
                mtu: 1500,
            }],
        };
        let link = Link { delay_up: for_ms(20), delay_down: for_ms(20), ..Link::default() };
        let header = TraceHeader {
            version: "0.1.0".to_string(),
            seed: Some(1),
            command: "aperto".to_string(),
            wire: "sim".to_string(),
            protocol: "tcp".to_string(),
            hosts: vec![host("client", Role::Client, client), host("server", Role::Server, server)],
            link: Some(link),
            ..TraceHeader::default()
        };
        let mut story =
            Self { trace: Trace::new(header), isn: [1234, 1567], protocol, next: 1, windows: [None, None] };
        let endpoints = Endpoints { source: client, destination: server };
        let began = FlowBegan { protocol, endpoints, client: Some(C), server: Some(S) };
        story.push(0, Vantage::host(C), Fact::FlowBegan(began));
        story
    }

    pub(crate) fn push(&mut self, at: u64, vantage: Vantage, fact: Fact) {
        self.trace.push(Record { at: ms(at), vantage, flow: Some(FLOW), fact });
    }

    pub(crate) fn host(&mut self, at: u64, host: HostId, fact: Fact) {
        self.push(at, Vantage::host(host), fact);
    }

    fn endpoints(&self, from: HostId) -> Endpoints {
        let up = self.trace.flow(FLOW).unwrap().endpoints;
        if from == C { up } else { up.reversed() }
    }

    pub(crate) fn packet(&mut self, from: HostId, transport: Transport, payload: &[u8]) -> Packet {
        let number = Number(self.next);
        self.next += 1;
        let length = u32::try_from(payload.len()).unwrap();
        Packet {
            number,
            endpoints: self.endpoints(from),
            transport,
            payload_length: length,
            payload_at: 0,
            frame_length: length,
            frame: Octets::copy(payload),
            comment: None,
        }
    }

    /// A segment leaves.
    pub(crate) fn leaves(&mut self, at: u64, sketch: Sketch<'_>) -> Number {
        let own = usize::from(sketch.from.0);
        let window = match self.windows[own].replace(sketch.window) {
            Some(before) if before == sketch.window => WindowMark::Same,
            _ => WindowMark::Changed,
        };
        let acked = if sketch.control.ack() { self.isn[1 - own].wrapping_add(sketch.ack) } else { 0 };
        let header = Header {
            seq: SeqNumber::new(self.isn[own].wrapping_add(sketch.seq)),
            ack: SeqNumber::new(acked),
            control: sketch.control,
            window: sketch.window,
            urgent_pointer: 0,
            options: sketch.options,
        };
        let segment = Segment {
            header,
            reason: sketch.reason,
            of: sketch.of.map(Number),
            duplicate_ack: sketch.duplicate,
            window,
        };
        let packet = self.packet(sketch.from, Transport::Tcp(Box::new(segment)), sketch.text.as_bytes());
        let number = packet.number;
        self.host(at, sketch.from, Fact::Left(Box::new(packet)));
        number
    }

    pub(crate) fn arrives(&mut self, at: u64, to: HostId, number: Number) {
        self.host(at, to, Fact::Arrived { number, copy: 0, packet: None });
    }

    pub(crate) fn lost(&mut self, at: u64, number: Number, flag: &str) {
        let what = ChannelEvent::Lost(LossCause::Picked { flag: flag.to_string() });
        self.push(at, Vantage::Channel, Fact::Channel { number, copy: 0, what });
    }

    pub(crate) fn state(&mut self, at: u64, host: HostId, from: State, to: State, row: Number) {
        // Views do not look at the cause of a move that belongs to a row.
        let cause = Cause::SynArrived;
        self.host(at, host, Fact::State { from, to, cause, segment: Some(row) });
    }

    pub(crate) fn writes(&mut self, at: u64, host: HostId, offset: u64, text: &str) {
        let length = u32::try_from(text.len()).unwrap();
        let octets = Octets::copy(text.as_bytes());
        self.host(at, host, Fact::Call(Call::Send { offset, length, octets }));
    }

    pub(crate) fn delivered(&mut self, at: u64, host: HostId, offset: u64, text: &[u8]) {
        let length = u32::try_from(text.len()).unwrap();
        self.host(at, host, Fact::Delivered { offset, length, octets: Octets::copy(text) });
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// The handshake: segments 1 to 3. The third leaves at 40 ms.
pub(crate) fn handshake(story: &mut Story) {
    let irs = |isn: u32| SeqNumber::new(isn);
    let [iss_c, iss_s] = story.isn;
    let one = story.leaves(0, sketch(C, SYN, 0, 0).why(Reason::ActiveOpen));
    story.state(0, C, State::Closed, State::SynSent, one);
    story.arrives(20, S, one);
    let two = story.leaves(20, sketch(S, SYN | ACK, 0, 1).why(Reason::PassiveOpen { irs: irs(iss_c) }));
    story.state(20, S, State::Listen, State::SynReceived, one);
    story.arrives(40, C, two);
    let three = story.leaves(40, sketch(C, ACK, 1, 1).why(Reason::HandshakeAck { irs: irs(iss_s) }));
    story.state(40, C, State::SynSent, State::Established, two);
    let _ = three;
}

fn text_reason(text: &str, acknowledges: u32) -> Reason {
    let octets = u32::try_from(text.len()).unwrap();
    Reason::Data { octets, because: DataCause::Written, acknowledges }
}

fn psh() -> Control {
    Control::PSH | ACK
}

fn fin() -> Control {
    Control::FIN | ACK
}

/// UX 2.6 (a): nine segments, nothing lost. The numbers are those of the transcript: RTT 40 ms, the
/// server's application closes 30 ms after the FIN came.
pub(crate) fn nine_segments() -> Trace {
    let mut story = Story::new(Protocol::Tcp);
    handshake(&mut story);
    story.writes(40, C, 0, "Olá, mundo");
    let four = story.leaves(40, sketch(C, psh(), 1, 1).text("Olá, mundo").why(text_reason("Olá, mundo", 0)));
    story.arrives(60, S, Number(3));
    story.state(60, S, State::SynReceived, State::Established, Number(3));
    story.arrives(60, S, four);
    story.delivered(60, S, 0, "Olá, mundo".as_bytes());
    story.writes(60, S, 0, "OLÁ, MUNDO");
    let five =
        story.leaves(60, sketch(S, psh(), 1, 12).text("OLÁ, MUNDO").why(text_reason("OLÁ, MUNDO", 11)));
    story.arrives(80, C, five);
    story.delivered(80, C, 0, "OLÁ, MUNDO".as_bytes());
    closing(&mut story, 80, [12, 12]);
    story.trace
}

/// Four segments: the client closes, the server 30 ms after the FIN has arrived.
fn closing(story: &mut Story, at: u64, [up, down]: [u32; 2]) {
    story.host(at, C, Fact::Call(Call::Close));
    let six =
        story.leaves(at, sketch(C, fin(), up, down).why(Reason::Fin { octets: 0, peer_closed_first: false }));
    story.state(at, C, State::Established, State::FinWait1, six);
    story.arrives(at + 20, S, six);
    let half = Reason::Ack(AckCause::FinArrived { half_closed: true });
    let seven = story.leaves(at + 20, sketch(S, ACK, down, up + 1).why(half));
    story.state(at + 20, S, State::Established, State::CloseWait, six);
    story.arrives(at + 40, C, seven);
    story.state(at + 40, C, State::FinWait1, State::FinWait2, seven);
    story.host(at + 50, S, Fact::Call(Call::Close));
    let too = Reason::Fin { octets: 0, peer_closed_first: true };
    let eight = story.leaves(at + 50, sketch(S, fin(), down, up + 1).why(too));
    story.state(at + 50, S, State::CloseWait, State::LastAck, eight);
    story.arrives(at + 70, C, eight);
    let last = Reason::Ack(AckCause::FinArrived { half_closed: false });
    let nine = story.leaves(at + 70, sketch(C, ACK, up + 1, down + 1).why(last));
    story.state(at + 70, C, State::FinWait2, State::TimeWait, eight);
    story.arrives(at + 90, S, nine);
    story.state(at + 90, S, State::LastAck, State::Closed, nine);
}

/// UX 2.6 (d): the fourth segment is lost. RFC 6298: the first sample gives SRTT = 40 ms and
/// RTTVAR = 20 ms, RTO = max(1 s, 40 + 4 × 20 ms) = 1 s.
pub(crate) fn fourth_lost() -> Trace {
    let mut story = Story::new(Protocol::Tcp);
    handshake(&mut story);
    story.writes(40, C, 0, "Olá, mundo");
    let four = story.leaves(40, sketch(C, psh(), 1, 1).text("Olá, mundo").why(text_reason("Olá, mundo", 0)));
    story.lost(40, four, "--drop 4");
    story.arrives(60, S, Number(3));
    story.state(60, S, State::SynReceived, State::Established, Number(3));
    let second = for_ms(1_000);
    let again = Reason::Retransmission {
        octets: 11,
        because: RetransmissionCause::Timeout { attempt: 1, rto: second, next_rto: 2 * second, cwnd: 1_460 },
    };
    let five =
        story.leaves(1_040, Sketch { of: Some(4), ..sketch(C, psh(), 1, 1).text("Olá, mundo").why(again) });
    let timeout = Note::RetransmissionTimeout {
        una: SeqNumber::new(1235),
        rto: second,
        srtt: Some(for_ms(40)),
        rttvar: for_ms(20),
        minimum: second,
        attempt: 1,
    };
    story.host(1_040, C, Fact::Note(timeout));
    story.arrives(1_060, S, five);
    story.delivered(1_060, S, 0, "Olá, mundo".as_bytes());
    story.writes(1_060, S, 0, "OLÁ, MUNDO");
    let six =
        story.leaves(1_060, sketch(S, psh(), 1, 12).text("OLÁ, MUNDO").why(text_reason("OLÁ, MUNDO", 11)));
    story.arrives(1_080, C, six);
    story.host(1_080, C, Fact::Note(Note::RttAmbiguous));
    story.delivered(1_080, C, 0, "OLÁ, MUNDO".as_bytes());
    closing(&mut story, 1_080, [12, 12]);
    assert_eq!(story.protocol(), Protocol::Tcp);
    story.trace
}

/// Eight UDP datagrams of four octets, one each millisecond, the third of them lost. UX 2.6 (f).
pub(crate) fn datagrams() -> Trace {
    let mut story = Story::new(Protocol::Udp);
    let message = "transporte confiável de dados".as_bytes();
    let mut arrivals: Vec<(u64, Number, Vec<u8>)> = Vec::new();
    for (place, chunk) in message.chunks(4).enumerate() {
        let at = place as u64;
        let packet = story.packet(C, Transport::Udp, chunk);
        let number = packet.number;
        story.host(at, C, Fact::Left(Box::new(packet)));
        if place == 2 {
            story.lost(at, number, "--drop data:2");
        } else {
            arrivals.push((at + 20, number, chunk.to_vec()));
        }
    }
    let mut offset = 0;
    for (at, number, octets) in arrivals {
        story.arrives(at, S, number);
        story.delivered(at, S, offset, &octets);
        offset += octets.len() as u64;
    }
    story.trace.header.protocol = "udp".to_string();
    if let Some(link) = &mut story.trace.header.link {
        link.impairments = "--drop data:2".to_string();
    }
    story.trace
}

/// A handshake as UX 2.6 (b) has it: the client's port is 52814. Gives when it was over.
pub(crate) fn open(story: &mut Story) -> u64 {
    use aperto_tcp::Event;
    let client: SocketAddr = "127.0.0.1:52814".parse().unwrap();
    let server: SocketAddr = "127.0.0.1:7000".parse().unwrap();
    let endpoints = Endpoints { source: client, destination: server };
    let began = FlowBegan { protocol: Protocol::Tcp, endpoints, client: Some(C), server: Some(S) };
    story.host(0, C, Fact::FlowBegan(began));
    let [iss_c, iss_s] = story.isn.map(SeqNumber::new);
    let one = story.leaves(0, sketch(C, SYN, 0, 0).why(Reason::ActiveOpen));
    story.state(0, C, State::Closed, State::SynSent, one);
    story.arrives(1, S, one);
    let two = story.leaves(1, sketch(S, SYN | ACK, 0, 1).why(Reason::PassiveOpen { irs: iss_c }));
    story.state(1, S, State::Listen, State::SynReceived, one);
    story.arrives(2, C, two);
    let three = story.leaves(2, sketch(C, ACK, 1, 1).why(Reason::HandshakeAck { irs: iss_s }));
    story.host(2, C, Fact::Event(Event::Established));
    story.state(2, C, State::SynSent, State::Established, two);
    story.arrives(3, S, three);
    story.host(3, S, Fact::Event(Event::Established));
    story.state(3, S, State::SynReceived, State::Established, three);
    3
}

/// Four segments that close, one millisecond between them.
pub(crate) fn close_at_once(story: &mut Story, at: u64, [up, down]: [u32; 2]) {
    let eleven =
        story.leaves(at, sketch(C, fin(), up, down).why(Reason::Fin { octets: 0, peer_closed_first: false }));
    story.state(at, C, State::Established, State::FinWait1, eleven);
    let twelve = story.leaves(at + 1, sketch(S, ACK, down, up + 1));
    story.arrives(at + 2, C, twelve);
    story.state(at + 2, C, State::FinWait1, State::FinWait2, twelve);
    let thirteen = story.leaves(at + 3, sketch(S, fin(), down, up + 1));
    story.arrives(at + 4, C, thirteen);
    let last = Reason::Ack(AckCause::FinArrived { half_closed: false });
    story.leaves(at + 4, sketch(C, ACK, up + 1, down + 1).why(last));
    story.state(at + 4, C, State::FinWait2, State::TimeWait, thirteen);
}

/// Go-Back-N of UX 2.6 (f), by hand: window 4, payload 4, timer 100 ms, RTT 40 ms, the third DATA lost,
/// one packet each millisecond. 23 packets; the last ACK arrives at 222 ms.
pub(crate) fn go_back_n() -> Trace {
    use aperto_arq::reason::Came;
    use aperto_arq::{
        Checksum, Discard, EndOfMessage, Kind, Note as N, Reason as R, Sequence, Space, Timer, Window,
    };
    use aperto_trace::ArqPacket;
    let message = "transporte confiável de dados".as_bytes();
    let number = |n: u16| Sequence::new(n);
    let window = |base: u16| Window { base: number(base), next: number(base), last: number(base + 3) };
    let first = |base| R::FirstTransmission { window: window(base) };
    let again = |position| R::WentBackOnTimer {
        base: number(2),
        position,
        outstanding: 4,
        waited: for_ms(100),
        retry: 1,
        max_retries: 15,
    };
    let repeats = |came: u16, repeat| R::RepeatsLastInOrder {
        expected: number(2),
        came: Came::OutOfOrder(number(came)),
        repeat,
    };
    // When, DATA or ACK of which number, why, a repetition of which packet.
    let data = |at, n, reason, of: Option<u32>| (at, Kind::Data, n, reason, of);
    let ack = |at, n, reason| (at, Kind::Ack, n, reason, None);
    let table = [
        data(0, 0, first(0), None),
        data(1, 1, first(0), None),
        data(2, 2, first(0), None),
        data(3, 3, first(0), None),
        ack(20, 0, R::Delivered),
        ack(21, 1, R::Delivered),
        ack(23, 1, repeats(3, 1)),
        data(40, 4, first(1), None),
        data(41, 5, first(2), None),
        ack(60, 1, repeats(4, 2)),
        ack(61, 1, repeats(5, 3)),
        data(141, 2, again(1), Some(3)),
        data(142, 3, again(2), Some(4)),
        data(143, 4, again(3), Some(8)),
        data(144, 5, again(4), Some(9)),
        ack(161, 2, R::Delivered),
        ack(162, 3, R::Delivered),
        ack(163, 4, R::Delivered),
        ack(164, 5, R::Delivered),
        data(181, 6, first(3), None),
        data(182, 7, first(4), None),
        ack(201, 6, R::Delivered),
        ack(202, 7, R::Delivered),
    ];
    let mut story = Story::new(Protocol::Udp);
    story.trace.header.protocol = "gbn".to_string();
    if let Some(link) = &mut story.trace.header.link {
        link.impairments = "--drop data:2".to_string();
    }
    let mut happens: Vec<(u64, u32, HostId, Fact)> = Vec::new();
    let mut expected = 0;
    for (order, (at, kind, sequence, reason, of)) in (0_u32..).zip(table) {
        let from = if kind == Kind::Data { C } else { S };
        let arq = ArqPacket {
            kind,
            sequence: number(sequence),
            space: Space::BITS_14,
            checksum: Checksum::Internet,
            end: EndOfMessage::No,
            ordinal: (kind == Kind::Data).then_some(u64::from(sequence)),
            reason: Some(reason),
            of: of.map(Number),
        };
        let octets = message.chunks(4).nth(usize::from(sequence)).unwrap_or_default();
        let payload = if kind == Kind::Data { octets } else { &[] };
        let packet = story.packet(from, Transport::Arq(Box::new(arq)), payload);
        let name = packet.number;
        happens.push((at, order, from, Fact::Left(Box::new(packet))));
        if name == Number(1) {
            let due = ms(at + 100);
            let note = N::TimerStarted { timer: Timer::Window { base: number(0) }, due };
            happens.push((at, order, C, Fact::ArqNote(note)));
        }
        if name == Number(3) {
            let what = ChannelEvent::Lost(LossCause::Picked { flag: "--drop data:2".to_string() });
            happens.push((at, order, from, Fact::Channel { number: name, copy: 0, what }));
            continue;
        }
        if name == Number(12) {
            let note = N::TimerExpired { timer: Timer::Window { base: number(2) }, retry: 1 };
            happens.push((at, order, C, Fact::ArqNote(note)));
        }
        // What arrives at an instant comes before what leaves.
        let to = if from == C { S } else { C };
        happens.push((at + 20, 0, to, Fact::Arrived { number: name, copy: 0, packet: None }));
        let got = number(sequence);
        let note = match kind {
            Kind::Data if sequence == expected => {
                expected += 1;
                let from = aperto_arq::reason::DeliveredFrom::Channel;
                N::Delivered { sequence: got, octets: payload.len(), from }
            }
            Kind::Data => N::Discarded(Discard::OutOfOrder { expected: number(expected), got }),
            _ if matches!(reason, R::Delivered) => N::WindowMoved { window: window(sequence + 1), by: 1 },
            _ => N::AcknowledgementIgnored { sequence: got, base: number(2) },
        };
        happens.push((at + 20, 0, to, Fact::ArqNote(note)));
    }
    happens.sort_by_key(|(at, order, ..)| (*at, *order));
    for (at, _, host, fact) in happens {
        story.host(at, host, fact);
    }
    story.trace
}
