//! A packet as a trace keeps it: name, endpoints, what it carries, and its octets.
//!
//! Everything but the reason is read from the frame itself ([`dissect`](crate::dissect)), so what a
//! view shows is what was on the wire. Left out: IP options and extension headers, which stand in
//! the frame only.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::ops::{Deref, Range};

use aperto_tcp as tcp;
use aperto_wire::tcp::Header;

use crate::record::Number;

/// Octets that several records may share.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Octets(Option<Arc<[u8]>>);

impl Octets {
    /// No octets.
    pub const EMPTY: Self = Self(None);

    /// A copy of these.
    #[must_use]
    pub fn copy(octets: &[u8]) -> Self {
        if octets.is_empty() { Self(None) } else { Self(Some(Arc::from(octets))) }
    }
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.iter() {
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

/// A packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Its name.
    pub number: Number,
    /// From where to where; port 0 where the protocol has no ports.
    pub endpoints: Endpoints,
    /// What it is, with its headers.
    pub transport: Transport,
    /// How many octets of payload it carries: TCP text, UDP data, ICMP data, ARQ payload.
    pub payload_length: u32,
    /// Where in `frame` the payload begins.
    pub payload_at: u32,
    /// How long the whole frame is, link header included.
    pub frame_length: u32,
    /// The frame, or as many octets of it as are kept; none where the recorder keeps no frames.
    pub frame: Octets,
    /// Text that came with the packet from a capture: the reason in words, as it was recorded.
    pub comment: Option<Box<str>>,
}

impl Packet {
    /// The payload, as far as it is kept.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        let start = self.payload_at as usize;
        let range: Range<usize> = start..start.saturating_add(self.payload_length as usize);
        let kept = range.end.min(self.frame.len());
        self.frame.get(start..kept).unwrap_or(&[])
    }

    /// The TCP segment, if it is one.
    #[must_use]
    pub const fn tcp(&self) -> Option<&Segment> {
        match &self.transport {
            Transport::Tcp(segment) => Some(segment),
            _ => None,
        }
    }
}

/// From where to where.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoints {
    /// Who sends.
    pub source: SocketAddr,
    /// Who should receive.
    pub destination: SocketAddr,
}

impl Endpoints {
    /// The way back.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }

    /// Whether the other pair is the same, in either direction.
    #[must_use]
    pub fn is_same_pair(self, other: Self) -> bool {
        self == other || self == other.reversed()
    }
}

/// What a conversation speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// A textbook protocol of `aperto-arq` (inside UDP).
    Arq,
    /// ICMP, either version.
    Icmp,
    /// ARP, which has no flow.
    Arp,
    /// Anything else, by its number in IP.
    Other(u8),
}

/// What a packet is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transport {
    /// A TCP segment.
    Tcp(Box<Segment>),
    /// A UDP datagram.
    Udp,
    /// A packet of a textbook protocol.
    Arq(Box<crate::arq::ArqPacket>),
    /// An ICMP message.
    Icmp(Icmp),
    /// A fragment of a datagram other than the first. RFC 791 §3.2, RFC 8200 §4.5.
    Fragment {
        /// What it is a fragment of.
        protocol: u8,
        /// Its place in the datagram, in octets.
        offset: u32,
    },
    /// ARP.
    Arp,
    /// Something else, or something that cannot be read.
    Other {
        /// Its number in IP; 255 where there is no IP header that can be read.
        protocol: u8,
    },
}

impl Transport {
    /// What it speaks.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Tcp(_) => Protocol::Tcp,
            Self::Udp => Protocol::Udp,
            Self::Arq(_) => Protocol::Arq,
            Self::Icmp(_) => Protocol::Icmp,
            Self::Arp => Protocol::Arp,
            Self::Fragment { protocol, .. } | Self::Other { protocol } => Protocol::Other(*protocol),
        }
    }
}

/// A TCP segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The header, with absolute numbers.
    pub header: Header,
    /// Why it left, as the engine said; none where the sender is not ours.
    pub reason: Option<tcp::Reason>,
    /// The packet that carried these sequence numbers for the first time, in a retransmission.
    pub of: Option<Number>,
    /// How many times in a row it acknowledges the same: 1 for the first duplicate.
    ///
    /// RFC 5681 §2. None where it is no duplicate acknowledgment.
    pub duplicate_ack: Option<u32>,
    /// Whether the window field differs from that of the segment before it from the same side.
    pub window: WindowMark,
}

/// Whether a window is worth showing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum WindowMark {
    /// The same as in the segment before.
    #[default]
    Same,
    /// Another than in the segment before, or there was none.
    Changed,
}

/// An ICMP message, either version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Icmp {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Identifier and sequence number of an echo request or reply.
    pub echo: Option<(u16, u16)>,
    /// Source and destination of the packet it is about, where it quotes one.
    pub quoted: Option<Endpoints>,
}

/// The address without a port, where a protocol has none.
pub(crate) const fn without_port(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 0)
}
