//! What a host tells its applications.

use core::net::{IpAddr, SocketAddr};

use crate::departure::IcmpKind;
use crate::ids::{ConnectionId, ListenerId, UdpId};

/// Something that an application should know.
///
/// Events say that something is worth looking at; how much there is, is asked of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Connections wait to be accepted: [`Host::accept`](crate::Host::accept) until there is none.
    Incoming(ListenerId),
    /// Something happened to a connection.
    Tcp(ConnectionId, aperto_tcp::Event),
    /// Datagrams wait to be read: [`Host::receive_from`](crate::Host::receive_from) until there is none.
    Udp(UdpId),
    /// The network said that a datagram did not arrive. RFC 1122 §4.1.3.3.
    UdpError {
        /// The socket that sent it.
        socket: UdpId,
        /// To whom it was sent.
        remote: SocketAddr,
        /// What the network said.
        what: IcmpKind,
    },
    /// A ping was answered. RFC 1122 §3.2.2.6.
    Echo {
        /// By whom.
        from: IpAddr,
        /// As it was asked.
        identifier: u16,
        /// As it was asked.
        sequence: u16,
        /// Octets of data that came back.
        octets: usize,
    },
    /// The network said that a ping did not arrive.
    EchoError {
        /// To whom it was sent.
        to: IpAddr,
        /// As it was asked.
        identifier: u16,
        /// As it was asked.
        sequence: u16,
        /// What the network said.
        what: IcmpKind,
    },
}
