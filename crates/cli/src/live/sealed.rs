//! Sealing below the sessions of the textbook protocols: one `aperto-seal` machine for each peer.
//!
//! A session's datagram is sealed on its way out and opened on its way in; what does not open is
//! dropped, and the session's timer sends it again. Nothing of a client's leaves before there are keys
//! and somebody has said that the server's is the right one ([`Sealing::approve`]). A server begins with
//! whoever says hello, bounded in number, and knows each only after a proof.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use aperto_seal::{
    Config, Counters, Event, Failure, Identity, Kind, Luck, NoRandomness, Peer, PublicKey, Refusal,
};
use aperto_seal::{Role, Trust};
use aperto_time::Instant;

/// How many peers a server knows; one that has proven nothing gives way first.
const MOST_PEERS: usize = 1_024;

/// The operating system's randomness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System;

impl Luck for System {
    fn fill(&mut self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in octets.chunks_mut(32) {
            let secret = aperto_tokio::secret().map_err(|_| NoRandomness)?;
            chunk.copy_from_slice(secret.get(..chunk.len()).ok_or(NoRandomness)?);
        }
        Ok(())
    }
}

/// What the driver should know of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// It proved this key.
    Proved(PublicKey),
    /// Nothing will come of it.
    Failed(Failure),
}

/// What came of a datagram.
#[derive(Debug)]
pub(crate) enum Opened {
    /// It is a session's.
    Packet(Vec<u8>),
    /// It belongs to the sealing.
    Handshake,
    /// It is dropped.
    Refused(Refusal),
}

struct Seal {
    peer: Peer<System>,
    approved: bool,
    retired: bool,
}

/// Whether a datagram carries a session's packet, and not something of the sealing itself.
pub(crate) fn is_packet(datagram: &[u8]) -> bool {
    Kind::of(datagram) == Some(Kind::Sealed)
}

/// See the module's text.
pub(crate) struct Sealing {
    role: Role,
    config: Config,
    peers: BTreeMap<SocketAddr, Seal>,
    told: VecDeque<(SocketAddr, Told)>,
    /// Of peers that are no more.
    before: Counters,
}

impl Sealing {
    /// Of a client or a server with this key, for sessions of this protocol.
    pub(crate) fn new(role: Role, identity: Identity, protocol: &str) -> Self {
        let mut config = Config::new(identity, Trust::Anyone);
        config.context = protocol.as_bytes().to_vec();
        // 12 s, as a session's ASK would be repeated: nobody waits longer at a prompt.
        config.retries = 5;
        let (peers, told) = (BTreeMap::new(), VecDeque::new());
        Self { role, config, peers, told, before: Counters::default() }
    }

    fn peer(&mut self, address: SocketAddr) -> &mut Seal {
        if self.peers.len() >= MOST_PEERS && !self.peers.contains_key(&address) {
            let unproven = self.peers.iter().find(|(_, seal)| !seal.peer.is_open()).map(|(peer, _)| *peer);
            if let Some(gone) = unproven.or_else(|| self.peers.keys().next().copied()) {
                self.forget(gone);
            }
        }
        let (role, config) = (self.role, &self.config);
        self.peers.entry(address).or_insert_with(|| Seal {
            peer: Peer::new(role, config.clone(), System),
            // A server serves whoever proves a key; who that is, is for its application to say.
            approved: role == Role::Responder,
            retired: false,
        })
    }

    /// Whether what leaves for a peer can be sealed: keys are there, and somebody has said that they are
    /// the right ones. A client begins a handshake where there is none.
    pub(crate) fn is_ready(&mut self, now: Instant, to: SocketAddr) -> bool {
        let seal = self.peer(to);
        seal.peer.begin(now);
        seal.peer.is_open() && seal.approved
    }

    /// A datagram leaves for a peer.
    pub(crate) fn seal(&mut self, now: Instant, to: SocketAddr, octets: &[u8]) -> Option<Vec<u8>> {
        let seal = self.peers.get_mut(&to).filter(|seal| seal.approved)?;
        // Worn keys: it is lost, and the session's timer sends it again. New keys may have to say
        // something first; whatever is to leave, leaves in its order.
        let _ = seal.peer.packet_departs(now, octets);
        seal.peer.poll_datagram()
    }

    /// The key that a peer proved is the right one.
    pub(crate) fn approve(&mut self, address: SocketAddr) {
        if let Some(seal) = self.peers.get_mut(&address) {
            seal.approved = true;
        }
    }

    /// A datagram came from a peer.
    pub(crate) fn open(&mut self, now: Instant, from: SocketAddr, octets: &[u8]) -> Opened {
        let says_hello = Kind::of(octets) == Some(Kind::Hello);
        if says_hello && self.peers.get(&from).is_some_and(|seal| seal.retired) {
            self.forget(from);
        }
        let seal = self.peer(from);
        seal.peer.datagram_arrives(now, octets);
        let packet = seal.peer.poll_packet();
        match (packet, self.news(from)) {
            (Some(packet), _) => Opened::Packet(packet),
            (None, Some(refusal)) => Opened::Refused(refusal),
            (None, None) => Opened::Handshake,
        }
    }

    /// Keeps what a peer's machine has to tell; gives the refusal, if one is among it.
    fn news(&mut self, of: SocketAddr) -> Option<Refusal> {
        let seal = self.peers.get_mut(&of)?;
        let mut refused = None;
        while let Some(event) = seal.peer.poll_event() {
            match event {
                Event::Opened { peer } => self.told.push_back((of, Told::Proved(peer))),
                Event::Failed(failure) => self.told.push_back((of, Told::Failed(failure))),
                Event::Refused(refusal) => refused = Some(refusal),
                _ => {}
            }
        }
        refused
    }

    /// Time has passed: a hello or a proof is due again.
    pub(crate) fn deadline_passed(&mut self, now: Instant) {
        let due = |seal: &Seal| seal.peer.poll_deadline().is_some_and(|deadline| deadline.at <= now);
        let all: Vec<SocketAddr> =
            self.peers.iter().filter(|(_, seal)| due(seal)).map(|(address, _)| *address).collect();
        for address in all {
            if let Some(seal) = self.peers.get_mut(&address) {
                seal.peer.deadline_passed(now);
            }
            self.news(address);
        }
    }

    /// When to come back.
    pub(crate) fn poll_deadline(&self) -> Option<Instant> {
        self.peers.values().filter_map(|seal| seal.peer.poll_deadline()).map(|deadline| deadline.at).min()
    }

    /// The next datagram that is to leave by itself: a handshake's.
    pub(crate) fn poll_datagram(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.peers.iter_mut().find_map(|(address, seal)| Some((*address, seal.peer.poll_datagram()?)))
    }

    /// What the driver should know next.
    pub(crate) fn poll_told(&mut self) -> Option<(SocketAddr, Told)> {
        self.told.pop_front()
    }

    /// A peer's session is over: it may still hear and say what belongs to that, until somebody says
    /// hello from the same address.
    pub(crate) fn retire(&mut self, address: SocketAddr) {
        if let Some(seal) = self.peers.get_mut(&address) {
            seal.retired = true;
        }
    }

    fn forget(&mut self, address: SocketAddr) {
        if let Some(gone) = self.peers.remove(&address) {
            self.before = sum(self.before, gone.peer.counters());
        }
    }

    /// What happened so far, with all peers.
    pub(crate) fn counters(&self) -> Counters {
        self.peers.values().fold(self.before, |all, seal| sum(all, seal.peer.counters()))
    }
}

const fn sum(one: Counters, other: Counters) -> Counters {
    Counters {
        sealed: one.sealed + other.sealed,
        opened: one.opened + other.opened,
        handshakes: one.handshakes + other.handshakes,
        handshake_octets: one.handshake_octets + other.handshake_octets,
        damaged_or_forged: one.damaged_or_forged + other.damaged_or_forged,
        replayed: one.replayed + other.replayed,
        other: one.other + other.other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::ZERO;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn sealing(role: Role) -> Sealing {
        Sealing::new(role, Identity::generate(&mut System).unwrap(), "gbn")
    }

    /// Carries what there is between a client at port 1 and a server at port 2.
    fn carry(client: &mut Sealing, server: &mut Sealing) {
        loop {
            if let Some((_, datagram)) = client.poll_datagram() {
                server.open(NOW, address(1), &datagram);
            } else if let Some((_, datagram)) = server.poll_datagram() {
                client.open(NOW, address(2), &datagram);
            } else {
                return;
            }
        }
    }

    #[test]
    fn nothing_leaves_before_somebody_has_said_that_the_key_is_the_right_one() {
        let (mut client, mut server) = (sealing(Role::Initiator), sealing(Role::Responder));
        assert!(!client.is_ready(NOW, address(2)));
        carry(&mut client, &mut server);
        assert!(!client.is_ready(NOW, address(2)), "the keys are there, the approval is not");
        assert_eq!(client.seal(NOW, address(2), b"ASK"), None);
        let told = client.poll_told();
        assert!(matches!(told, Some((from, Told::Proved(_))) if from == address(2)), "{told:?}");
        client.approve(address(2));
        assert!(client.is_ready(NOW, address(2)));
        let sealed = client.seal(NOW, address(2), b"ASK").unwrap();
        assert!(matches!(server.open(NOW, address(1), &sealed), Opened::Packet(packet) if packet == b"ASK"));
        assert_eq!(client.counters().handshakes, 1);
    }

    #[test]
    fn a_flood_of_strangers_is_bounded_and_does_not_push_out_who_has_proven_itself() {
        let (mut client, mut server) = (sealing(Role::Initiator), sealing(Role::Responder));
        client.is_ready(NOW, address(2));
        carry(&mut client, &mut server);
        client.approve(address(2));
        for port in 10..5_000 {
            server.open(NOW, address(port), b"GET / HTTP/1.1\r\n");
        }
        assert!(server.peers.len() <= MOST_PEERS);
        let sealed = client.seal(NOW, address(2), b"ASK").unwrap();
        assert!(matches!(server.open(NOW, address(1), &sealed), Opened::Packet(packet) if packet == b"ASK"));
        assert!(server.counters().damaged_or_forged >= 4_990);
    }
}
