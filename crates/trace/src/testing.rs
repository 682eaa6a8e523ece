//! What several tests need: frames, a recorder between a client and a server, a short conversation.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use aperto_tcp::diagram::Cause;
use aperto_tcp::{DataCause, Note, Reason, RetransmissionCause, State};
use aperto_time::{Duration, Instant};
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::{Control, Header};
use aperto_wire::{Ports, SeqNumber, ipv4, tcp, udp};

use crate::*;

pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const CLIENT_PORT: u16 = 49152;
pub(crate) const SERVER_PORT: u16 = 7000;
pub(crate) const C: HostId = HostId(0);
pub(crate) const S: HostId = HostId(1);
pub(crate) const CLIENT_ISN: u32 = 1234;
pub(crate) const SERVER_ISN: u32 = 1567;

pub(crate) fn ms(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

pub(crate) fn at(host: HostId) -> Vantage {
    Vantage::host(host)
}

/// As the client sees its connection.
pub(crate) fn up() -> Endpoints {
    Endpoints {
        source: SocketAddr::from((CLIENT, CLIENT_PORT)),
        destination: SocketAddr::from((SERVER, SERVER_PORT)),
    }
}

/// As the server sees it.
pub(crate) fn down() -> Endpoints {
    up().reversed()
}

fn v4(address: SocketAddr) -> Ipv4Addr {
    match address.ip() {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

/// An IPv4 packet around something.
pub(crate) fn ip(from: Ipv4Addr, to: Ipv4Addr, protocol: Protocol, inner: &[u8]) -> Vec<u8> {
    let header = ipv4::Header {
        source: from,
        destination: to,
        protocol,
        time_to_live: 64,
        type_of_service: 0,
        identification: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
    };
    let mut frame = [0; 60];
    let length = ipv4::emit(&mut frame, &header, inner.len()).expect("it fits");
    [&frame[..length], inner].concat()
}

/// A TCP segment in IPv4.
pub(crate) fn segment(from: Endpoints, header: &Header, text: &[u8]) -> Vec<u8> {
    let (source, destination) = (v4(from.source), v4(from.destination));
    let ports = Ports { source: from.source.port(), destination: from.destination.port() };
    let pseudo = PseudoHeader::ipv4(source, destination, Protocol::TCP);
    let mut octets = [0; 4096];
    let length = tcp::emit(&mut octets, ports, header, [text], pseudo).expect("it fits");
    ip(source, destination, Protocol::TCP, &octets[..length])
}

/// A UDP datagram in IPv4.
pub(crate) fn datagram(from: Endpoints, data: &[u8]) -> Vec<u8> {
    let (source, destination) = (v4(from.source), v4(from.destination));
    let ports = Ports { source: from.source.port(), destination: from.destination.port() };
    let pseudo = PseudoHeader::ipv4(source, destination, Protocol::UDP);
    let mut octets = [0; 4096];
    let length = udp::emit(&mut octets, ports, [data], pseudo).expect("it fits");
    ip(source, destination, Protocol::UDP, &octets[..length])
}

/// A header with numbers relative to the two initial sequence numbers.
pub(crate) fn header(from_client: bool, control: Control, seq: u32, ack: u32) -> Header {
    let (own, other) = if from_client { (CLIENT_ISN, SERVER_ISN) } else { (SERVER_ISN, CLIENT_ISN) };
    Header {
        seq: SeqNumber::new(own) + seq,
        ack: if control.ack() { SeqNumber::new(other) + ack } else { SeqNumber::new(0) },
        control,
        window: 64240,
        ..Header::default()
    }
}

pub(crate) fn from_client(control: Control, seq: u32, ack: u32, text: &[u8]) -> Vec<u8> {
    segment(up(), &header(true, control, seq, ack), text)
}

pub(crate) fn from_server(control: Control, seq: u32, ack: u32, text: &[u8]) -> Vec<u8> {
    segment(down(), &header(false, control, seq, ack), text)
}

fn host(name: &str, role: Role, address: Ipv4Addr) -> HostInfo {
    let interface = InterfaceInfo {
        name: name.to_string(),
        addresses: Vec::from([IpAddr::V4(address)]),
        link_type: LinkType::Ip,
        mtu: 1500,
    };
    let interfaces = Vec::from([interface]);
    HostInfo { name: name.to_string(), role, source: Source::Known, interfaces }
}

pub(crate) fn trace_header() -> TraceHeader {
    TraceHeader {
        version: "0.1.0".to_string(),
        seed: Some(1),
        command: "aperto --drop 4".to_string(),
        tag: Some("turma B, RA 20231234".to_string()),
        wire: "sim".to_string(),
        protocol: "tcp".to_string(),
        recipe: None,
        epoch_ns: None,
        hosts: Vec::from([host("client", Role::Client, CLIENT), host("server", Role::Server, SERVER)]),
        link: Some(Link {
            delay_up: Duration::from_millis(20),
            delay_down: Duration::from_millis(20),
            rate_bits_per_second: None,
            impairments: "--drop 4".to_string(),
        }),
    }
}

pub(crate) fn recorder() -> Recorder {
    Recorder::new(trace_header(), Limits::default())
}

pub(crate) const SYN: Control = Control::SYN;
pub(crate) const ACK: Control = Control::ACK;

pub(crate) fn syn_ack() -> Control {
    Control::SYN | Control::ACK
}

pub(crate) fn psh_ack() -> Control {
    Control::PSH | Control::ACK
}

pub(crate) const GREETING: &str = "Olá, mundo";

pub(crate) fn state(from: State, to: State, cause: Cause) -> Note {
    Note::State { from, to, cause }
}

/// The beginning of `aperto --drop 4`: a handshake, text that is lost, and the same text again.
pub(crate) fn conversation() -> Recorder {
    let mut r = recorder();
    let one = |host: HostId| at(host);
    let irs = SeqNumber::new(CLIENT_ISN);
    r.call(ms(0), S, None, Call::Listen { local: up().destination });
    r.call(ms(0), C, Some(up()), Call::Connect { remote: up().destination });
    let syn = r.left(ms(0), one(C), &from_client(SYN, 0, 0, b""), Meaning::Tcp(Reason::ActiveOpen));
    r.note(ms(0), C, up(), state(State::Closed, State::SynSent, Cause::ActiveOpen));
    r.arrived(ms(20), one(S), syn, 0);
    let reason = Meaning::Tcp(Reason::PassiveOpen { irs });
    let answer = r.left(ms(20), one(S), &from_server(syn_ack(), 0, 1, b""), reason);
    r.note(ms(20), S, down(), state(State::Listen, State::SynReceived, Cause::SynArrived));
    r.arrived(ms(40), one(C), answer, 0);
    let reason = Meaning::Tcp(Reason::HandshakeAck { irs: SeqNumber::new(SERVER_ISN) });
    let ack = r.left(ms(40), one(C), &from_client(ACK, 1, 1, b""), reason);
    r.note(ms(40), C, up(), state(State::SynSent, State::Established, Cause::SynAckArrived));
    r.sent(ms(40), C, up(), GREETING.as_bytes());
    let data = DataCause::Written;
    let reason = Meaning::Tcp(Reason::Data { octets: 11, because: data, acknowledges: 0 });
    let lost = r.left(ms(40), one(C), &from_client(psh_ack(), 1, 1, GREETING.as_bytes()), reason);
    let flag = "--drop 4".to_string();
    r.channel(ms(40), lost, 0, ChannelEvent::Lost(LossCause::Picked { flag }));
    r.arrived(ms(60), one(S), ack, 0);
    r.note(ms(60), S, down(), state(State::SynReceived, State::Established, Cause::SynAcknowledged));
    let because = RetransmissionCause::Timeout {
        attempt: 1,
        rto: Duration::from_secs(1),
        next_rto: Duration::from_secs(2),
        cwnd: 1460,
    };
    let reason = Meaning::Tcp(Reason::Retransmission { because, octets: 11 });
    let again = r.left(ms(1040), one(C), &from_client(psh_ack(), 1, 1, GREETING.as_bytes()), reason);
    r.arrived(ms(1060), one(S), again, 0);
    r.delivered(ms(1060), S, down(), GREETING.as_bytes());
    r.end(Ending::End { at: ms(1060), exit_code: 0 });
    r
}

/// The words of a reason, as `explain` would give them.
pub(crate) fn words(_: &Record, packet: &Packet) -> Option<String> {
    packet.tcp()?.reason.map(|reason| reason.code().to_string())
}
