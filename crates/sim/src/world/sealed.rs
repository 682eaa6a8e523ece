//! A line whose packets are sealed one by one: `aperto-seal` between the hosts and the channel.
//!
//! Each packet travels whole inside a UDP datagram of the sealing, as through a tunnel; the channel
//! sees, damages and repairs only that. The keys are agreed on over the same channel, before the
//! hosts begin. What arrives and does not open is written down as dropped, with the seal's reason.
//!
//! Recordings show what is inside, since they are made where the hosts are; the handshake's
//! datagrams are recorded as they travel.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_seal::{Config, Counters, Event, Identity, Luck, NoRandomness, Peer, Role, Trust};
use aperto_time::Instant;
use aperto_trace::recorder::Meaning;
use aperto_trace::{DropReason, Vantage};
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::{Ports, ipv4, ipv6, udp};

use super::stage::{Class, End, Stage, Travels};
use crate::channel::luck::Stream;
use crate::channel::{Direction, Kind, Textbook, Transmission};
use crate::recipe::{CLIENT_PORT, SERVER_PORT};

/// Between which ports sealed packets travel: the client's and the server's, as those of a textbook
/// protocol, so that a handshake stands on the ladder of what it is for.
const PORTS: [u16; 2] = [CLIENT_PORT, SERVER_PORT];

/// What a sealed packet is longer than itself: IP and UDP headers, and the seal's.
pub(super) const fn overhead(address: IpAddr) -> usize {
    let ip = if address.is_ipv4() { ipv4::Header::FIXED_OCTETS } else { ipv6::Header::OCTETS };
    ip + 8 + aperto_seal::OVERHEAD
}

/// Keys from a seed: a run must be repeatable. Nobody outside of this file can name it.
#[derive(Clone, Debug)]
struct Seeded(Stream);

impl Luck for Seeded {
    fn fill(&mut self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in octets.chunks_mut(8) {
            let bits = self.0.bits().to_le_bytes();
            chunk.copy_from_slice(bits.get(..chunk.len()).unwrap_or_default());
        }
        Ok(())
    }
}

/// Both ends of the sealing of one line.
#[derive(Clone, Debug)]
pub(super) struct Sealing {
    /// The client's, then the server's.
    peers: Box<[Peer<Seeded>; 2]>,
    addresses: [IpAddr; 2],
    begun: bool,
    /// How many messages of handshakes there were, so that each has luck of its own.
    said: u64,
    /// What a handshake has to say at each end.
    waiting: [VecDeque<Vec<u8>>; 2],
}

/// What came of a datagram that arrived at one end.
enum Opened {
    Packet(Vec<u8>),
    Handshake,
    Refused(DropReason),
}

impl Sealing {
    pub(super) fn new(seed: u64, client: IpAddr, server: IpAddr) -> Self {
        let mut luck = Seeded(Stream::new(seed ^ 0x5ea1_ed00_0000_0000));
        let mut peer = |role| {
            // A seed is never out of randomness.
            let identity = Identity::generate(&mut luck).unwrap_or(Identity::from_private([1; 32]));
            Peer::new(role, Config::new(identity, Trust::Anyone), luck.clone())
        };
        let peers = Box::new([peer(Role::Initiator), peer(Role::Responder)]);
        Self { peers, addresses: [client, server], begun: false, said: 0, waiting: Default::default() }
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn is_open(&self) -> bool {
        self.peers.iter().all(Peer::is_open)
    }

    /// When its handshake has something to repeat.
    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        self.peers.iter().filter_map(Peer::poll_deadline).map(|deadline| deadline.at).min()
    }

    pub(super) fn counters(&self, at: Direction) -> Counters {
        match at {
            // What goes up arrives at the server.
            Direction::Up => self.peers[1].counters(),
            Direction::Down => self.peers[0].counters(),
        }
    }

    /// The packet as it travels; nothing if it cannot be sealed.
    pub(super) fn seal(&mut self, now: Instant, from: Direction, packet: &[u8]) -> Option<Vec<u8>> {
        let place = place_of(from);
        self.peers[place].packet_departs(now, packet).ok()?;
        self.collect(place);
        // What was sealed comes after all that a handshake had to say.
        let sealed = self.waiting[place].pop_back()?;
        self.wrap(place, &sealed)
    }

    fn collect(&mut self, place: usize) {
        let peer = &mut self.peers[place];
        self.waiting[place].extend(core::iter::from_fn(|| peer.poll_datagram()));
    }

    /// Headers around a datagram of one end.
    fn wrap(&self, place: usize, sealed: &[u8]) -> Option<Vec<u8>> {
        let (source, destination) = (self.addresses[place], self.addresses[1 - place]);
        let length = 8 + sealed.len();
        let (mut frame, at) = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let mut frame = vec![0; ipv4::Header::FIXED_OCTETS + length];
                let header = ipv4::Header::new(source, destination, Protocol::UDP);
                let at = ipv4::emit(&mut frame, &header, length).ok()?;
                (frame, at)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut frame = vec![0; ipv6::Header::OCTETS + length];
                let header = ipv6::Header::new(source, destination, Protocol::UDP);
                let at = ipv6::emit(&mut frame, &header, length).ok()?;
                (frame, at)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
        };
        let pseudo = PseudoHeader::new(source, destination, Protocol::UDP)?;
        let ports = Ports { source: PORTS[place], destination: PORTS[1 - place] };
        udp::emit(frame.get_mut(at..)?, ports, [sealed], pseudo).ok()?;
        Some(frame)
    }

    /// A frame arrives at one end.
    fn open(&mut self, now: Instant, from: Direction, frame: &[u8]) -> Opened {
        let Some((pseudo, datagram)) = unwrapped(frame) else {
            return Opened::Refused(DropReason::Malformed { what: "no sealed datagram".to_string(), at: 0 });
        };
        if !pseudo.covers(datagram) {
            return Opened::Refused(DropReason::BadChecksum { format: "udp".to_string() });
        }
        let peer = &mut self.peers[1 - place_of(from)];
        peer.datagram_arrives(now, datagram.get(8..).unwrap_or_default());
        let mut refused = None;
        while let Some(event) = peer.poll_event() {
            if let Event::Refused(refusal) = event {
                refused = Some(DropReason::Host { code: refusal.code().to_string() });
            }
        }
        match (peer.poll_packet(), refused) {
            (Some(packet), _) => Opened::Packet(packet),
            (None, Some(reason)) => Opened::Refused(reason),
            (None, None) => Opened::Handshake,
        }
    }
}

const fn place_of(from: Direction) -> usize {
    match from {
        Direction::Up => 0,
        Direction::Down => 1,
    }
}

/// The UDP datagram in a frame, and what its checksum covers beside it.
fn unwrapped(frame: &[u8]) -> Option<(PseudoHeader, &[u8])> {
    match aperto_wire::ip::Version::of(frame)? {
        aperto_wire::ip::Version::V4 => {
            let packet = ipv4::parse(frame).ok()?;
            let (source, destination) = (packet.header.source.into(), packet.header.destination.into());
            Some((PseudoHeader::new(source, destination, Protocol::UDP)?, packet.payload))
        }
        aperto_wire::ip::Version::V6 => {
            let packet = ipv6::parse(frame).ok()?;
            let (source, destination) = (packet.header.source.into(), packet.header.destination.into());
            Some((PseudoHeader::new(source, destination, Protocol::UDP)?, packet.payload))
        }
    }
}

impl Stage {
    /// Whether the hosts may begin: all lines that are sealed have their keys. Says hello where
    /// that has not been done.
    pub(super) fn lines_are_open(&mut self) -> bool {
        let now = self.now;
        let mut open = true;
        for sealing in self.lines.iter_mut().filter_map(|line| line.sealing.as_mut()) {
            if !sealing.begun {
                sealing.begun = true;
                sealing.peers[0].begin(now);
            }
            open &= sealing.is_open();
        }
        if !open {
            (0..self.lines.len()).for_each(|line| self.say_handshakes(line));
        }
        open
    }

    /// Sends what a line's handshake has to say.
    pub(super) fn say_handshakes(&mut self, line: usize) {
        for place in 0..2 {
            loop {
                let Some(Some(sealing)) = self.lines.get_mut(line).map(|line| line.sealing.as_mut()) else {
                    return;
                };
                sealing.collect(place);
                let Some(datagram) = sealing.waiting[place].pop_front() else { break };
                let Some(frame) = sealing.wrap(place, &datagram) else { continue };
                let said = sealing.said;
                sealing.said += 1;
                let Some(from) = self.lines.get(line).map(|line| line.ends[place]) else { return };
                // Picks name what hosts say: a message of the sealing is none of that.
                let (kind, transmission) = (Kind::Other, Transmission::First);
                let class = Class::Packet(Textbook { kind, place: said, transmission });
                self.depart_as(Travels::AsItIs, from, &frame, Meaning::Plain, class);
            }
        }
    }

    /// The time of a line's handshake has come.
    pub(super) fn sealing_deadline_passed(&mut self, line: usize) {
        let now = self.now;
        if let Some(Some(sealing)) = self.lines.get_mut(line).map(|line| line.sealing.as_mut()) {
            sealing.peers.iter_mut().for_each(|peer| peer.deadline_passed(now));
        }
        self.say_handshakes(line);
    }

    /// Opens what arrived over a line; nothing if it is not for the host.
    pub(super) fn unseal(
        &mut self,
        line: usize,
        from: Direction,
        end: End,
        frame: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let now = self.now;
        let Some(Some(sealing)) = self.lines.get_mut(line).map(|line| line.sealing.as_mut()) else {
            return Some(frame);
        };
        let opened = sealing.open(now, from, &frame);
        self.say_handshakes(line);
        match opened {
            Opened::Packet(packet) => Some(packet),
            Opened::Handshake => None,
            Opened::Refused(reason) => {
                let vantage = Vantage::Host { host: end.host, interface: end.interface };
                self.recorder.dropped(now, vantage, reason);
                None
            }
        }
    }
}
