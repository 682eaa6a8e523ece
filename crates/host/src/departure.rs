//! What leaves, and why: so that nothing above has to guess.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use aperto_tcp::Reason;
use aperto_wire::icmpv4::TimeExceeded;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::Header;
use aperto_wire::{icmpv4, icmpv6};

use crate::ids::{ConnectionId, InterfaceId, UdpId};

/// The two ends of a connection, or of a datagram's way; they never change (RFC 9293 §3.9.1.1 \[MUST-45\]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoints {
    /// Ours.
    pub local: SocketAddr,
    /// The other's.
    pub remote: SocketAddr,
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {}", self.local, self.remote)
    }
}

/// A frame that leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Departure {
    /// Through this interface.
    pub interface: InterfaceId,
    /// How many octets of the buffer it takes.
    pub length: usize,
    /// What it is, and why it leaves.
    pub about: About,
}

/// What a frame carries, and why it leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// A TCP segment.
    Tcp {
        /// Whose. None for an answer to a segment that belongs to nobody.
        connection: Option<ConnectionId>,
        /// From `local` to `remote`.
        endpoints: Endpoints,
        /// Its header, with absolute numbers.
        header: Header,
        /// Octets of text.
        payload_length: u32,
        /// Why it leaves.
        reason: Reason,
    },
    /// A UDP datagram that fits into one packet, or the first fragment of one that does not.
    Udp {
        /// Whose; none where the socket was closed after it was sent.
        socket: Option<UdpId>,
        /// From `local` to `remote`.
        endpoints: Endpoints,
        /// Octets of the whole datagram's payload.
        payload_length: u32,
    },
    /// An ICMP message, or the first fragment of one.
    Icmp(IcmpAbout),
    /// Another fragment than the first.
    Fragment {
        /// From whom.
        source: IpAddr,
        /// To whom.
        destination: IpAddr,
        /// What was divided.
        protocol: Protocol,
        /// Where in it this piece begins, in octets.
        offset: u16,
        /// Octets of this piece.
        length: u16,
        /// Whether more follow.
        more: bool,
    },
    /// ARP or Neighbor Discovery.
    Neighbor(NeighborAbout),
}

/// An ICMP message, without what it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpAbout {
    /// From whom.
    pub from: IpAddr,
    /// To whom.
    pub to: IpAddr,
    /// What it says.
    pub message: IcmpMessage,
}

/// What an ICMP message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpMessage {
    /// Send this back.
    EchoRequest {
        /// Tells one asker from another.
        identifier: u16,
        /// Tells one request from another.
        sequence: u16,
        /// Octets of data.
        octets: u32,
    },
    /// Here it is.
    EchoReply {
        /// As it was asked.
        identifier: u16,
        /// As it was asked.
        sequence: u16,
        /// Octets of data.
        octets: u32,
    },
    /// Something happened to a packet.
    Error(IcmpKind),
    /// Another message.
    Other {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
}

/// What happened to a packet, in one list for both versions of ICMP.
///
/// RFC 792, RFC 1122 §3.2.2, RFC 4443 §3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpKind {
    /// No way to its network.
    NetworkUnreachable,
    /// No way to its host.
    HostUnreachable,
    /// Nobody there speaks that protocol.
    ProtocolUnreachable,
    /// Nobody there listens on that port.
    PortUnreachable,
    /// It was too large for a link and must not be fragmented there.
    PacketTooBig {
        /// The MTU of that link; 0 from routers older than RFC 1191.
        mtu: u32,
    },
    /// The way that it named does not exist.
    SourceRouteFailed,
    /// Somebody forbids it.
    Prohibited,
    /// It passed too many routers.
    TimeExceeded,
    /// Its other fragments did not come.
    ReassemblyTimeExceeded,
    /// A header makes no sense.
    ParameterProblem {
        /// At which octet.
        pointer: u32,
    },
    /// Anything else.
    Other {
        /// The type.
        kind: u8,
        /// The code.
        code: u8,
    },
}

impl IcmpKind {
    /// What an ICMP error of IPv4 says, and the packet that it quotes; none of other messages.
    pub(crate) fn of_v4<'a>(message: &icmpv4::Message<'a>) -> Option<(Self, &'a [u8])> {
        use icmpv4::{Message, Unreachable};
        Some(match *message {
            Message::DestinationUnreachable { code, quoted } => {
                let kind = match code {
                    Unreachable::Network => Self::NetworkUnreachable,
                    Unreachable::Host => Self::HostUnreachable,
                    Unreachable::Protocol => Self::ProtocolUnreachable,
                    Unreachable::Port => Self::PortUnreachable,
                    Unreachable::FragmentationNeeded { next_hop_mtu } => {
                        Self::PacketTooBig { mtu: next_hop_mtu.into() }
                    }
                    Unreachable::SourceRouteFailed => Self::SourceRouteFailed,
                    Unreachable::Prohibited => Self::Prohibited,
                    Unreachable::Other(code) => Self::Other { kind: 3, code },
                };
                (kind, quoted)
            }
            Message::TimeExceeded { code, quoted } => (Self::of_time_exceeded(code, 11), quoted),
            Message::ParameterProblem { pointer, quoted, .. } => {
                (Self::ParameterProblem { pointer: pointer.into() }, quoted)
            }
            Message::EchoRequest(_) | Message::EchoReply(_) | Message::Unknown { .. } => return None,
        })
    }

    /// What an ICMPv6 error says, and the packet that it quotes; none of other messages.
    pub(crate) fn of_v6<'a>(message: &icmpv6::Message<'a>) -> Option<(Self, &'a [u8])> {
        use icmpv6::{Message, Unreachable};
        Some(match *message {
            Message::DestinationUnreachable { code, quoted } => {
                let kind = match code {
                    Unreachable::NoRoute => Self::NetworkUnreachable,
                    Unreachable::Prohibited => Self::Prohibited,
                    Unreachable::Address => Self::HostUnreachable,
                    Unreachable::Port => Self::PortUnreachable,
                    Unreachable::BeyondScope => Self::Other { kind: 1, code: 2 },
                    Unreachable::Other(code) => Self::Other { kind: 1, code },
                };
                (kind, quoted)
            }
            Message::PacketTooBig { mtu, quoted } => (Self::PacketTooBig { mtu }, quoted),
            Message::TimeExceeded { code, quoted } => (Self::of_time_exceeded(code, 3), quoted),
            // Code 1 is an unknown Next Header: what IPv4 calls an unreachable protocol.
            Message::ParameterProblem { code: 1, quoted, .. } => (Self::ProtocolUnreachable, quoted),
            Message::ParameterProblem { pointer, quoted, .. } => (Self::ParameterProblem { pointer }, quoted),
            Message::EchoRequest(_)
            | Message::EchoReply(_)
            | Message::NeighborDiscovery { .. }
            | Message::Unknown { .. } => return None,
        })
    }

    const fn of_time_exceeded(code: TimeExceeded, kind: u8) -> Self {
        match code {
            TimeExceeded::InTransit => Self::TimeExceeded,
            TimeExceeded::Reassembly => Self::ReassemblyTimeExceeded,
            TimeExceeded::Other(code) => Self::Other { kind, code },
        }
    }
}

/// What ARP or Neighbor Discovery asks or says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NeighborAbout {
    /// Who has this address? RFC 826, or a Neighbor Solicitation of RFC 4861 §7.2.2.
    Solicitation {
        /// The address.
        target: IpAddr,
        /// Which time we ask, from 1.
        attempt: u32,
    },
    /// We have this address. RFC 826, or a Neighbor Advertisement of RFC 4861 §7.2.4.
    Advertisement {
        /// The address.
        target: IpAddr,
        /// Who asked.
        to: IpAddr,
    },
}
