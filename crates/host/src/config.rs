//! What can be set about a host, with units, defaults and sources.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use aperto_time::Duration;
use aperto_wire::{Cidr, MacAddress, SeqNumber};

/// The settings of a host.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The settings of connections for which none others are given.
    pub tcp: Arc<aperto_tcp::Config>,
    /// From which all keys are made: those of the tables, initial sequence numbers, ports and
    /// identifications. On real wires it must come from the operating system's random source; in a
    /// simulation it comes from the seed. It is never printed. All zero by default, which is only
    /// good for tests.
    pub secret: [u8; 32],
    /// Most connections that exist at once, half-open and TIME-WAIT ones apart.
    pub max_connections: usize,
    /// Most half-open connections, of all listeners together; beyond it the oldest gives way
    /// (RFC 4987 §3.2). One listener has at most half of them.
    pub max_half_open: usize,
    /// Most connections in TIME-WAIT; beyond it the oldest gives way.
    pub max_time_wait: usize,
    /// Most connections that the application has released and that still have something to do before
    /// TIME-WAIT; one that is released beyond it is reset.
    pub max_orphans: usize,
    /// What fragments may take.
    pub fragments: FragmentLimits,
    /// From which the port of an active open is chosen. RFC 6335 §6 names 49152 to 65535.
    pub ports: RangeInclusive<u16>,
    /// Whether ports are given out one after the other, from the first of `ports` on, so that a
    /// lesson is the same each time. Anybody can guess them then: never on a real wire.
    pub sequential_ports: bool,
    /// Initial sequence numbers to use instead of secret ones: for lessons, never on a real wire.
    pub fixed_isn: Option<FixedIsn>,
    /// How many routers our packets may pass. RFC 9293 §3.9.2 \[MUST-49\]; 64 (RFC 1700).
    pub time_to_live: u8,
    /// Most octets that wait to be read from one UDP socket; what arrives beyond them is dropped.
    pub udp_receive_queue: usize,
    /// Most octets of datagrams, of all sockets together, that wait to leave.
    pub datagram_queue: usize,
    /// Most ICMP errors in a second; the bucket that they are taken from holds a twentieth of it, and
    /// is filled with some noise, so that nobody can count what others took (RFC 1812 §4.3.2.8).
    pub icmp_errors_per_second: u32,
    /// Most neighbors of all Ethernet interfaces together whose addresses are kept.
    pub max_neighbors: usize,
    /// Most notes that wait for an observer; beyond it the oldest are lost, and counted.
    pub max_notes: usize,
}

/// What fragments that wait for others may take: an attacker's never come to an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FragmentLimits {
    /// Most octets of all together; beyond it the oldest datagram gives way.
    pub octets: usize,
    /// How long a datagram waits for its other fragments. RFC 1122 §3.3.2: 60 to 120 s, but
    /// 30 s are what Linux gives them.
    pub lifetime: Duration,
    /// Most fragments of one datagram.
    pub pieces: usize,
}

/// Initial sequence numbers for lessons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedIsn {
    /// Of connections that we open.
    pub active: SeqNumber,
    /// Of connections that others open.
    pub passive: SeqNumber,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tcp: Arc::new(aperto_tcp::Config::default()),
            secret: [0; 32],
            max_connections: 1 << 20,
            max_half_open: 4096,
            max_time_wait: 1 << 16,
            max_orphans: 8192,
            fragments: FragmentLimits::default(),
            ports: 49152..=65535,
            sequential_ports: false,
            fixed_isn: None,
            time_to_live: 64,
            udp_receive_queue: 1 << 20,
            datagram_queue: 1 << 20,
            icmp_errors_per_second: 1000,
            max_neighbors: 256,
            max_notes: 1 << 16,
        }
    }
}

impl Default for FragmentLimits {
    fn default() -> Self {
        Self { octets: 4 << 20, lifetime: Duration::from_secs(30), pieces: 64 }
    }
}

impl fmt::Debug for Config {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("tcp", &self.tcp)
            .field("max_connections", &self.max_connections)
            .field("max_half_open", &self.max_half_open)
            .field("max_time_wait", &self.max_time_wait)
            .field("max_orphans", &self.max_orphans)
            .field("fragments", &self.fragments)
            .field("ports", &self.ports)
            .field("sequential_ports", &self.sequential_ports)
            .field("fixed_isn", &self.fixed_isn)
            .field("time_to_live", &self.time_to_live)
            .field("udp_receive_queue", &self.udp_receive_queue)
            .field("datagram_queue", &self.datagram_queue)
            .field("icmp_errors_per_second", &self.icmp_errors_per_second)
            .field("max_neighbors", &self.max_neighbors)
            .field("max_notes", &self.max_notes)
            .finish_non_exhaustive()
    }
}

/// A connection of the host with a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// What a user calls it: `tun0`.
    pub name: String,
    /// What its frames are.
    pub medium: Medium,
    /// The largest IP packet that it carries, in octets. At least 576 for IPv4 and 1280 for IPv6.
    pub mtu: usize,
    /// Our addresses, with the networks that are reached without a router. IPv6 over Ethernet needs
    /// a link-local one among them.
    pub addresses: Vec<Cidr>,
    /// Whether checksums of what arrives are verified.
    pub checksums: Checksums,
}

impl Interface {
    /// An interface whose frames are IP packets.
    #[must_use]
    pub fn ip(name: &str, mtu: usize, addresses: &[Cidr]) -> Self {
        let (name, addresses) = (String::from(name), addresses.to_vec());
        Self { name, medium: Medium::Ip, mtu, addresses, checksums: Checksums::Verify }
    }

    /// An interface with a network card.
    #[must_use]
    pub fn ethernet(name: &str, card: MacAddress, mtu: usize, addresses: &[Cidr]) -> Self {
        Self { medium: Medium::Ethernet(card), ..Self::ip(name, mtu, addresses) }
    }
}

/// What the frames of an interface are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Medium {
    /// IP packets, as on a TUN device or a line between two.
    Ip,
    /// Ethernet frames, from the destination to the last octet of payload; ours is this card.
    Ethernet(MacAddress),
}

/// Whether the checksums of what arrives are verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checksums {
    /// They are, as RFC 9293 §3.1 \[MUST-3\] wants it of somebody.
    Verify,
    /// The device has done it already, or the packet never left this machine's memory.
    Trust,
}
