//! UDP sockets.
//!
//! RFC 768, RFC 1122 §4.1. A socket holds what waits to be read, up to a number of octets, and no
//! more than one error of the network at a time.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::demux::{Binding, Table};
use crate::departure::IcmpKind;
use crate::ids::UdpId;
use crate::keys::Key;
use crate::slab::Slab;

/// What a datagram that waits costs beside its octets.
const DATAGRAM_COST: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) octets: Vec<u8>,
}

/// A UDP socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) binding: Binding,
    pub(crate) local: SocketAddr,
    /// With whom it is connected: only their datagrams are taken.
    pub(crate) remote: Option<SocketAddr>,
    queue: VecDeque<Received>,
    queued: usize,
    pub(crate) dropped: u64,
    /// Whether an event waits that says that there is something to read.
    pub(crate) telling: bool,
    /// An error that waits to be told.
    pub(crate) error: Option<(SocketAddr, IcmpKind)>,
}

impl Socket {
    pub(crate) fn new(local: SocketAddr) -> Self {
        Self {
            binding: Binding::of(local),
            local,
            remote: None,
            queue: VecDeque::new(),
            queued: 0,
            dropped: 0,
            telling: false,
            error: None,
        }
    }

    /// Queues a datagram, if there is room.
    pub(crate) fn push(&mut self, most: usize, from: SocketAddr, to: SocketAddr, octets: &[u8]) -> bool {
        let cost = octets.len() + DATAGRAM_COST;
        if self.queued + cost > most {
            self.dropped += 1;
            return false;
        }
        self.queued += cost;
        self.queue.push_back(Received { from, to, octets: octets.to_vec() });
        true
    }

    pub(crate) fn pop(&mut self) -> Option<Received> {
        let received = self.queue.pop_front()?;
        self.queued -= received.octets.len() + DATAGRAM_COST;
        Some(received)
    }
}

/// All UDP sockets.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    pub(crate) sockets: Slab<Socket>,
    bindings: Table,
}

impl Sockets {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self { sockets: Slab::new(), bindings: Table::new(Key::new(secret, 3)) }
    }

    /// Whose datagrams to one of our sockets are.
    pub(crate) fn find(&self, local: IpAddr, port: u16) -> Option<UdpId> {
        Binding::candidates(local, port).into_iter().find_map(|binding| self.bound(&binding))
    }

    /// Who has exactly this binding.
    pub(crate) fn bound(&self, binding: &Binding) -> Option<UdpId> {
        let sockets = &self.sockets;
        let is_it = |place| sockets.at(place).is_some_and(|(_, there)| there.binding == *binding);
        let place = self.bindings.find(binding.hash(&self.bindings.key), is_it)?;
        sockets.at(place).map(|(id, _)| UdpId(id))
    }

    pub(crate) fn insert(&mut self, socket: Socket) -> UdpId {
        let binding = socket.binding;
        let id = self.sockets.insert(socket);
        let (sockets, key) = (&self.sockets, self.bindings.key);
        let hash_of = |place| sockets.at(place).map_or(0, |(_, there)| there.binding.hash(&key));
        self.bindings.insert(binding.hash(&key), id.index, hash_of);
        UdpId(id)
    }

    pub(crate) fn remove(&mut self, id: UdpId) -> Option<Socket> {
        let socket = self.sockets.remove(id.0)?;
        self.bindings.remove(socket.binding.hash(&self.bindings.key), id.0.index);
        Some(socket)
    }
}
