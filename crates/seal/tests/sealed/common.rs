//! What the tests share: luck from a seed, identities, and two peers that talk.

use aperto_seal::{Config, Event, Identity, Luck, NoRandomness, Peer, Role, Trust};
use aperto_time::Instant;

/// SplitMix64: good enough to test with, and nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
}

impl Luck for Dice {
    fn fill(&mut self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        octets.fill_with(|| self.next() as u8);
        Ok(())
    }
}

pub(crate) fn identity(seed: u64) -> Identity {
    Identity::generate(&mut Dice(seed)).unwrap()
}

pub(crate) fn peer(role: Role, seed: u64, trust: Trust) -> Peer<Dice> {
    let number = if role == Role::Initiator { 1 } else { 2 };
    Peer::new(role, Config::new(identity(number), trust), Dice(seed ^ number))
}

pub(crate) fn pair(seed: u64) -> (Peer<Dice>, Peer<Dice>) {
    (peer(Role::Initiator, seed, Trust::Anyone), peer(Role::Responder, seed, Trust::Anyone))
}

/// Lets both send until nobody has anything; what passed, and who sent it.
pub(crate) fn settle(now: Instant, client: &mut Peer<Dice>, server: &mut Peer<Dice>) -> Vec<(Role, Vec<u8>)> {
    let mut passed = Vec::new();
    loop {
        if let Some(datagram) = client.poll_datagram() {
            server.datagram_arrives(now, &datagram);
            passed.push((Role::Initiator, datagram));
        } else if let Some(datagram) = server.poll_datagram() {
            client.datagram_arrives(now, &datagram);
            passed.push((Role::Responder, datagram));
        } else {
            return passed;
        }
    }
}

/// Two peers with keys.
pub(crate) fn opened(seed: u64) -> (Peer<Dice>, Peer<Dice>) {
    let (mut client, mut server) = pair(seed);
    client.begin(Instant::ZERO);
    settle(Instant::ZERO, &mut client, &mut server);
    assert!(client.is_open() && server.is_open());
    events(&mut client);
    events(&mut server);
    (client, server)
}

pub(crate) fn events(peer: &mut Peer<Dice>) -> Vec<Event> {
    std::iter::from_fn(|| peer.poll_event()).collect()
}

pub(crate) fn packets(peer: &mut Peer<Dice>) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| peer.poll_packet()).collect()
}

pub(crate) fn sealed(now: Instant, peer: &mut Peer<Dice>, packet: &[u8]) -> Vec<u8> {
    peer.packet_departs(now, packet).unwrap();
    peer.poll_datagram().unwrap()
}
