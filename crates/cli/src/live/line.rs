//! Between sessions of a textbook protocol and a UDP socket: who writes down, and who spoils.
//!
//! Datagrams of both directions go in ([`leaves`](Line::leaves), [`comes`](Line::comes)) and come out
//! ([`poll`](Line::poll)) when the channel lets them. For the channel and for recordings each stands
//! in an IP packet of its own, as it does on the wire. Whatever seals datagrams has its place above:
//! what it makes of them goes in here, and what comes out for a session is opened first.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use aperto_app::hello::Hello;
use aperto_app::session::{Control, Datagram, What};
use aperto_arq::{Kind as PacketKind, Packet};
use aperto_sim::channel::{Kind, Textbook, Transmission};
use aperto_sim::datagram::{packet_of, payload_of};
use aperto_time::Instant;
use aperto_tokio::{Impair, Way};
use aperto_trace::{Endpoints, Meaning};

use super::scribe::SharedScribe;
use super::spoil::Spoiler;

/// How many peers have a place in the order of their DATA packets.
const PEERS: usize = 1_024;

/// See the module's text.
pub(crate) struct Line {
    scribe: Option<SharedScribe>,
    spoiler: Spoiler,
    local: SocketAddr,
    /// How far the DATA of each peer has come.
    peers: BTreeMap<SocketAddr, Peer>,
}

/// What is known of a peer.
#[derive(Default)]
struct Peer {
    /// The newest DATA packet that came, and its place from 0.
    newest: Option<(u16, u64)>,
}

impl Line {
    /// A line from this address.
    pub(crate) fn new(local: SocketAddr, spoiler: Spoiler, scribe: Option<SharedScribe>) -> Self {
        Self { scribe, spoiler, local, peers: BTreeMap::new() }
    }

    /// Our end and a peer's, as its packets name them.
    pub(crate) fn endpoints(&self, peer: SocketAddr) -> Endpoints {
        Endpoints { source: self.seen_by(peer), destination: peer }
    }

    /// A server that listens everywhere has the address at which a peer of this machine reached it;
    /// for others nobody says which, and the unspecified one stands.
    fn seen_by(&self, peer: SocketAddr) -> SocketAddr {
        let (ours, theirs) = (self.local.ip(), peer.ip());
        let ip = if ours.is_unspecified() && theirs.is_loopback() { theirs } else { ours };
        SocketAddr::new(ip, self.local.port())
    }

    /// A datagram leaves its session.
    pub(crate) fn leaves(&mut self, now: Instant, peer: SocketAddr, datagram: &Datagram) {
        let Some(frame) = packet_of(self.endpoints(peer), &datagram.octets) else { return };
        if let Some(scribe) = &self.scribe {
            let meaning = match &datagram.what {
                What::Packet(outgoing) => Meaning::Arq(outgoing),
                What::Hello(..) | What::Control(..) => Meaning::Plain,
            };
            scribe.lock().datagram_left(now, &frame, meaning);
        }
        self.spoiler.textbook_passes(now, Way::Out, leaving(&datagram.what), &frame);
    }

    /// A datagram comes from the socket.
    pub(crate) fn comes(&mut self, now: Instant, peer: SocketAddr, octets: &[u8]) {
        let Some(frame) = packet_of(self.endpoints(peer).reversed(), octets) else { return };
        let what = self.coming(peer, octets);
        self.spoiler.textbook_passes(now, Way::In, what, &frame);
    }

    /// What a datagram is that comes: whether it came before is known of the newest DATA only.
    fn coming(&mut self, peer: SocketAddr, octets: &[u8]) -> Textbook {
        let first = |kind| Textbook { kind, place: 0, transmission: Transmission::First };
        if let Ok(hello) = Hello::decode_datagram(octets) {
            return first(hello_kind(&hello));
        }
        if let Ok((_, control)) = Control::decode_datagram(octets) {
            return first(control_kind(control));
        }
        let Ok((packet, format)) = Packet::parse_alone(octets) else { return first(Kind::Other) };
        let number = packet.sequence;
        if packet.kind != PacketKind::Data {
            return Textbook { place: u64::from(number.value()), ..first(packet_kind(packet.kind)) };
        }
        if self.peers.len() >= PEERS && !self.peers.contains_key(&peer) {
            self.peers.pop_first();
        }
        let known = self.peers.entry(peer).or_default();
        let Some((newest, place)) = known.newest else {
            known.newest = Some((number.value(), 0));
            return first(Kind::Data);
        };
        let ahead = format.space.distance(aperto_arq::Sequence::new(newest), number);
        if ahead == 0 || ahead > format.space.size() / 2 {
            let back = format.space.distance(number, aperto_arq::Sequence::new(newest));
            let place = place.saturating_sub(u64::from(back));
            return Textbook { kind: Kind::Data, place, transmission: Transmission::Again };
        }
        let place = place + u64::from(ahead);
        known.newest = Some((number.value(), place));
        Textbook { kind: Kind::Data, place, transmission: Transmission::First }
    }

    /// What the channel lets through now: out to a peer, or in from one.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(Way, SocketAddr, Vec<u8>)> {
        loop {
            let (way, frame) = self.spoiler.poll_packet(now)?;
            let Some((source, destination)) = ends_of(&frame) else { continue };
            let peer = if way == Way::Out { destination } else { source };
            if way == Way::In
                && let Some(scribe) = &self.scribe
            {
                scribe.lock().arrived(now, 0, &frame);
            }
            return Some((way, peer, payload_of(&frame).unwrap_or_default().to_vec()));
        }
    }

    /// When the channel lets the next one through.
    pub(crate) fn poll_deadline(&self) -> Option<Instant> {
        self.spoiler.poll_deadline()
    }
}

/// From where to where a packet goes. The channel damages what UDP carries, and nothing of this.
fn ends_of(frame: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    use aperto_wire::ip::Version;
    let (source, destination, udp): (IpAddr, IpAddr, &[u8]) = match Version::of(frame)? {
        Version::V4 => {
            let parsed = aperto_wire::ipv4::parse(frame).ok()?;
            (parsed.header.source.into(), parsed.header.destination.into(), parsed.payload)
        }
        Version::V6 => {
            let parsed = aperto_wire::ipv6::parse(frame).ok()?;
            (parsed.header.source.into(), parsed.header.destination.into(), parsed.payload)
        }
    };
    let [a, b, c, d] = *udp.first_chunk::<4>()?;
    let (from, to) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    Some((SocketAddr::new(source, from), SocketAddr::new(destination, to)))
}

/// What leaves, as picks know it: an ASK is a SYN to them, a GRANT a SYN,ACK.
fn leaving(what: &What) -> Textbook {
    let transmission = |times: u32| if times > 1 { Transmission::Again } else { Transmission::First };
    match what {
        What::Hello(hello, times) => {
            Textbook { kind: hello_kind(hello), place: 0, transmission: transmission(*times) }
        }
        What::Control(control, times) => {
            Textbook { kind: control_kind(*control), place: 0, transmission: transmission(*times) }
        }
        What::Packet(outgoing) => Textbook {
            kind: packet_kind(outgoing.packet.kind),
            place: outgoing.ordinal.unwrap_or_else(|| u64::from(outgoing.packet.sequence.value())),
            transmission: if outgoing.reason.is_retransmission() {
                Transmission::Again
            } else {
                Transmission::First
            },
        },
    }
}

const fn hello_kind(hello: &Hello) -> Kind {
    match hello {
        Hello::Ask { .. } => Kind::Syn,
        Hello::Grant { .. } => Kind::SynAck,
        Hello::Refuse { .. } => Kind::Rst,
    }
}

const fn control_kind(control: Control) -> Kind {
    match control {
        Control::Fin { .. } | Control::FinAck { .. } => Kind::Fin,
        Control::Reset => Kind::Rst,
    }
}

const fn packet_kind(kind: PacketKind) -> Kind {
    match kind {
        PacketKind::Data => Kind::Data,
        PacketKind::Ack | PacketKind::GroupAck => Kind::Ack,
        PacketKind::Nack => Kind::Nack,
    }
}
