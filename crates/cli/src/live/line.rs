//! Between sessions of a textbook protocol and a UDP socket: who writes down, and who spoils.
//!
//! Datagrams of both directions go in ([`leaves`](Line::leaves), [`comes`](Line::comes)) and come out
//! ([`poll`](Line::poll)) when the channel lets them. For the channel and for recordings each stands
//! in an IP packet of its own, as it does on the wire.
//!
//! A line may be sealed ([`Sealing`]): then the channel spoils what is sealed, as the network would, and
//! recordings show what is inside. What comes sealed has no kind that picks could name.

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
use super::sealed::{self, Opened, Sealing, Told};
use super::spoil::Spoiler;

/// How many peers have a place in the order of their DATA packets.
const PEERS: usize = 1_024;
/// How many datagrams wait for keys.
const MOST_HELD: usize = 64;

/// See the module's text.
pub(crate) struct Line {
    scribe: Option<SharedScribe>,
    spoiler: Spoiler,
    local: SocketAddr,
    /// How far the DATA of each peer has come.
    peers: BTreeMap<SocketAddr, Peer>,
    sealing: Option<Sealing>,
    /// What waits for keys.
    held: Vec<(SocketAddr, Datagram)>,
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
        Self { scribe, spoiler, local, peers: BTreeMap::new(), sealing: None, held: Vec::new() }
    }

    /// From here on everything is sealed.
    pub(crate) fn seal_with(&mut self, sealing: Sealing) {
        self.sealing = Some(sealing);
    }

    /// What the sealing did so far, if there is one.
    pub(crate) const fn sealing(&self) -> Option<&Sealing> {
        self.sealing.as_ref()
    }

    /// What the sealing has to tell next.
    pub(crate) fn poll_told(&mut self) -> Option<(SocketAddr, Told)> {
        self.sealing.as_mut()?.poll_told()
    }

    /// A peer's key is the right one.
    pub(crate) fn approve(&mut self, now: Instant, peer: SocketAddr) {
        if let Some(sealing) = &mut self.sealing {
            sealing.approve(peer);
        }
        for (peer, datagram) in std::mem::take(&mut self.held) {
            self.leaves(now, peer, &datagram);
        }
    }

    /// A peer's session is over: whoever comes from there next is somebody else.
    pub(crate) fn retire(&mut self, peer: SocketAddr) {
        if let Some(sealing) = &mut self.sealing {
            sealing.retire(peer);
        }
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

    /// A datagram leaves its session, or waits for keys.
    pub(crate) fn leaves(&mut self, now: Instant, peer: SocketAddr, datagram: &Datagram) {
        if self.sealing.as_mut().is_some_and(|sealing| !sealing.is_ready(now, peer)) {
            let is_held = |held: &(SocketAddr, Datagram)| held.0 == peer && held.1.octets == datagram.octets;
            // A repetition needs no place of its own.
            if self.held.len() < MOST_HELD && !self.held.iter().any(is_held) {
                self.held.push((peer, datagram.clone()));
            }
            return self.say_what_seals(now);
        }
        let Some(frame) = packet_of(self.endpoints(peer), &datagram.octets) else { return };
        if let Some(scribe) = &self.scribe {
            let meaning = match &datagram.what {
                What::Packet(outgoing) => Meaning::Arq(outgoing),
                What::Hello(..) | What::Control(..) => Meaning::Plain,
            };
            scribe.lock().datagram_left(now, &frame, meaning);
        }
        let what = leaving(&datagram.what);
        let Some(sealing) = &mut self.sealing else {
            return self.spoiler.textbook_passes(now, Way::Out, what, &frame);
        };
        if let Some(sealed) = sealing.seal(now, peer, &datagram.octets)
            && let Some(frame) = packet_of(self.endpoints(peer), &sealed)
        {
            self.spoiler.textbook_passes(now, Way::Out, what, &frame);
        }
        self.say_what_seals(now);
    }

    /// Sends what the sealing sends by itself: handshakes.
    fn say_what_seals(&mut self, now: Instant) {
        while let Some((peer, datagram)) = self.sealing.as_mut().and_then(Sealing::poll_datagram) {
            let Some(frame) = packet_of(self.endpoints(peer), &datagram) else { continue };
            // A packet of a session was written down when it left that.
            if let (Some(scribe), false) = (&self.scribe, sealed::is_packet(&datagram)) {
                scribe.lock().datagram_left(now, &frame, Meaning::Plain);
            }
            let what = Textbook { kind: Kind::Other, place: 0, transmission: Transmission::First };
            self.spoiler.textbook_passes(now, Way::Out, what, &frame);
        }
    }

    /// Opens what came sealed: the packet as it was; nothing if it is no session's.
    fn open(&mut self, now: Instant, peer: SocketAddr, frame: Vec<u8>) -> Option<Vec<u8>> {
        let Some(sealing) = &mut self.sealing else { return Some(frame) };
        let opened = sealing.open(now, peer, payload_of(&frame).unwrap_or_default());
        self.say_what_seals(now);
        let scribe = self.scribe.as_ref();
        match opened {
            Opened::Packet(packet) => packet_of(self.endpoints(peer).reversed(), &packet),
            Opened::Handshake => {
                if let Some(scribe) = scribe {
                    scribe.lock().arrived(now, 0, &frame);
                }
                None
            }
            Opened::Refused(refusal) => {
                if let Some(scribe) = scribe {
                    scribe.lock().refused(now, &frame, refusal.code());
                }
                None
            }
        }
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
        if let Some(sealing) = &mut self.sealing {
            sealing.deadline_passed(now);
            self.say_what_seals(now);
        }
        loop {
            let (way, mut frame) = self.spoiler.poll_packet(now)?;
            let Some((source, destination)) = ends_of(&frame) else { continue };
            let peer = if way == Way::Out { destination } else { source };
            if way == Way::In {
                let Some(opened) = self.open(now, peer, frame) else { continue };
                frame = opened;
                if let Some(scribe) = &self.scribe {
                    scribe.lock().arrived(now, 0, &frame);
                }
            }
            return Some((way, peer, payload_of(&frame).unwrap_or_default().to_vec()));
        }
    }

    /// When the channel lets the next one through, or a handshake has something to repeat.
    pub(crate) fn poll_deadline(&self) -> Option<Instant> {
        let sealing = self.sealing.as_ref().and_then(Sealing::poll_deadline);
        [self.spoiler.poll_deadline(), sealing].into_iter().flatten().min()
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
