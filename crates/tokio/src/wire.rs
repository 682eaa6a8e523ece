//! What carries IP packets in and out of the process: the [`Wire`] trait and what a wire can tell.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use aperto_wire::ip::Cidr;

/// Something that carries whole IP packets.
///
/// The driver asks it in a loop; nothing here blocks, and an error never ends a wire by itself:
/// the driver counts it, backs off and goes on.
pub trait Wire: Send {
    /// A short name, as in `udp` or `tun0`.
    fn name(&self) -> &str;

    /// The largest IP packet that it carries, in octets.
    fn mtu(&self) -> usize;

    /// The addresses that the host has on it.
    fn addresses(&self) -> &[Cidr];

    /// Addresses inside that have another name outside, as far as they are known from the start:
    /// inner and outer. Others are told by [`WireNote::Named`].
    fn names(&self) -> Vec<(SocketAddr, SocketAddr)> {
        Vec::new()
    }

    /// Takes in one packet: writes it into `into` and says how many octets it has; `None` where what
    /// arrived was none, and is told by [`poll_note`](Self::poll_note).
    ///
    /// # Errors
    ///
    /// What the system says. The wire may be asked again.
    fn poll_receive(&mut self, context: &mut Context<'_>, into: &mut [u8])
    -> Poll<io::Result<Option<usize>>>;

    /// Sends one packet now or not at all.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where [`poll_writable`](Self::poll_writable) will say when; anything else that
    /// the system says. The packet has not been sent.
    fn try_send(&mut self, packet: &[u8]) -> io::Result<()>;

    /// Waits until there is room to send.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Something worth knowing that is no packet. Asked until there is none.
    fn poll_note(&mut self) -> Option<WireNote> {
        None
    }
}

/// What a wire noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WireNote {
    /// A datagram arrived that is not a segment of ours; nobody answers it.
    Foreign {
        /// Who sent it.
        from: SocketAddr,
        /// How many octets it had.
        octets: usize,
        /// What gave it away.
        why: NotOurs,
    },
    /// A peer on this machine has another address inside the tunnel than outside; its packets
    /// follow.
    Named {
        /// As the host and recordings know it.
        inner: SocketAddr,
        /// As the system and users know it.
        outer: SocketAddr,
    },
    /// A packet of the host was kept back: the wire does not carry it.
    NotCarried {
        /// Why.
        why: NotCarried,
    },
    /// An answer was kept back, because nothing proves yet that the peer is where it says and the
    /// answer would be more than it sent. RFC 9000 §8.1 has the same concern.
    Withheld {
        /// Who would have been answered.
        to: SocketAddr,
        /// How many octets the answer had.
        octets: usize,
        /// How many we owed.
        credit: usize,
    },
    /// The system told us that nobody has the peer's port open; the host is told by an ICMP port
    /// unreachable made here.
    PeerRefuses {
        /// The peer.
        peer: SocketAddr,
    },
    /// The system told us that there is no way to the peer; the host is told by an ICMP host
    /// unreachable made here.
    NoWayToPeer {
        /// The peer.
        peer: SocketAddr,
    },
    /// A datagram was larger than the path carries; the host is told by an ICMP made here.
    TooBig {
        /// The peer.
        peer: SocketAddr,
        /// The largest inner packet that fits.
        mtu: usize,
    },
    /// Sending failed and the packet was lost.
    SendFailed {
        /// What kind of failure.
        kind: io::ErrorKind,
    },
    /// Receiving failed; the wire is asked again after a pause.
    ReceiveFailed {
        /// What kind of failure.
        kind: io::ErrorKind,
    },
    /// The wire has failed for so long that it is given up.
    Dead {
        /// What kind of failure came last.
        kind: io::ErrorKind,
    },
}

/// What gives away that a datagram is not one of ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NotOurs {
    /// Shorter than a TCP header.
    TooShort,
    /// Its data offset is below 5 or points past its end.
    BadDataOffset,
    /// The port it names as its own is not the UDP port it came from.
    SourcePort {
        /// The port in the segment.
        inner: u16,
    },
    /// The port it names as ours is not the UDP port it came to.
    DestinationPort {
        /// The port in the segment.
        inner: u16,
    },
    /// It does not come from the peer that this wire was opened to.
    AnotherPeer,
    /// It was sent to an address that we did not know to be ours.
    UnknownAddress {
        /// The address.
        address: IpAddr,
    },
    /// Its source address cannot be one: port 0, unspecified, multicast or broadcast.
    BadSource,
    /// Larger than any packet of ours.
    TooLong,
}

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("shorter than a TCP header"),
            Self::BadDataOffset => f.write_str("impossible data offset"),
            Self::SourcePort { inner } => write!(f, "names source port {inner}, which it did not come from"),
            Self::DestinationPort { inner } => {
                write!(f, "names destination port {inner}, which it did not come to")
            }
            Self::AnotherPeer => f.write_str("not from our peer"),
            Self::UnknownAddress { address } => write!(f, "sent to {address}, not known to be ours"),
            Self::BadSource => f.write_str("impossible source address"),
            Self::TooLong => f.write_str("larger than any packet of ours"),
        }
    }
}

/// Why a wire does not carry a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NotCarried {
    /// Not a whole TCP segment in an IP packet: the tunnel carries nothing else.
    NotTcp,
    /// Its source port is not the tunnel's.
    SourcePort {
        /// The port in the segment.
        inner: u16,
    },
    /// Its destination is not the tunnel's peer.
    AnotherPeer {
        /// Where it should have gone.
        to: SocketAddr,
    },
}

/// A bounded list of notes: the oldest go when nobody asks.
#[derive(Debug, Default)]
pub(crate) struct Notes(VecDeque<WireNote>);

impl Notes {
    /// How many notes wait at most.
    const MOST: usize = 256;

    pub(crate) fn push(&mut self, note: WireNote) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(note);
    }

    pub(crate) fn pop(&mut self) -> Option<WireNote> {
        self.0.pop_front()
    }
}
