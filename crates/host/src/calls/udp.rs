//! The UDP calls, and the ping.
//!
//! RFC 768 (User Interface), RFC 1122 §4.1.4; RFC 1122 §3.2.2.6 and RFC 4443 §4 for the echo.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use aperto_time::Instant;
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::icmpv4::{self, Echo};
use aperto_wire::ip::Protocol;
use aperto_wire::{Ports, icmpv6, udp};

use super::tcp::overlapping;
use crate::departure::{About, Endpoints, IcmpAbout, IcmpMessage};
use crate::error::{DatagramError, ListenError, NoSuch};
use crate::host::Host;
use crate::ids::UdpId;
use crate::outbox;
use crate::routes::source;
use crate::sockets::Socket;

/// The largest datagram above IP: 65,535 octets less the IPv4 header; IPv6 could carry 20 more.
const MOST: usize = 65_515;

/// A datagram that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// To which of our sockets.
    pub to: SocketAddr,
    /// What it carries.
    pub octets: Vec<u8>,
}

impl Host {
    /// Takes a UDP port, at one address or at any, as [`listen`](Self::listen) does; port 0 takes a
    /// free one.
    ///
    /// # Errors
    ///
    /// [`ListenError`].
    pub fn bind_udp(&mut self, local: SocketAddr) -> Result<UdpId, ListenError> {
        self.check_local(local.ip())?;
        let (interfaces, udp) = (&self.interfaces, &self.udp);
        let is_free = |local| overlapping(interfaces, local).all(|binding| udp.bound(&binding).is_none());
        let ip = local.ip();
        let port_is_free = |port| is_free(SocketAddr::new(ip, port));
        let range = &self.config.ports;
        let port = match local.port() {
            0 if self.config.sequential_ports => range.clone().find(|port| port_is_free(*port)),
            0 => self.ports.choose(range, ip, SocketAddr::new(ip, 0), port_is_free),
            port if port_is_free(port) => Some(port),
            _ => return Err(ListenError::InUse),
        };
        let port = port.ok_or(ListenError::NoFreePort)?;
        Ok(self.udp.insert(Socket::new(SocketAddr::new(ip, port))))
    }

    /// Connects a socket: only datagrams from there are taken from now on. With none, from anywhere.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn connect_udp(&mut self, id: UdpId, remote: Option<SocketAddr>) -> Result<(), NoSuch> {
        self.udp.sockets.get_mut(id.0).ok_or(NoSuch)?.remote = remote;
        Ok(())
    }

    /// Gives a socket back; what waits to be read is lost, what waits to leave leaves.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn close_udp(&mut self, id: UdpId) -> Result<(), NoSuch> {
        self.udp.remove(id).map(|_| ()).ok_or(NoSuch)
    }

    /// What a socket is bound to.
    #[must_use]
    pub fn udp_local(&self, id: UdpId) -> Option<SocketAddr> {
        self.udp.sockets.get(id.0).map(|socket| socket.local)
    }

    /// How many datagrams a socket had no room for.
    #[must_use]
    pub fn udp_dropped(&self, id: UdpId) -> u64 {
        self.udp.sockets.get(id.0).map_or(0, |socket| socket.dropped)
    }

    /// All UDP sockets, with what they are bound to.
    pub fn udp_sockets(&self) -> impl Iterator<Item = (UdpId, SocketAddr)> {
        self.udp.sockets.iter().map(|(id, socket)| (UdpId(id), socket.local))
    }

    /// Sends a datagram.
    ///
    /// # Errors
    ///
    /// [`DatagramError`].
    pub fn send_to(
        &mut self,
        now: Instant,
        id: UdpId,
        octets: &[u8],
        to: SocketAddr,
    ) -> Result<(), DatagramError> {
        let _ = now;
        let local = self.udp.sockets.get(id.0).ok_or(DatagramError::NoSuchSocket)?.local;
        let both = local.ip() == Ipv6Addr::UNSPECIFIED;
        let other_version = !both && local.is_ipv4() != to.is_ipv4();
        if to.port() == 0 || to.ip().is_unspecified() || other_version {
            return Err(DatagramError::InvalidRemote(to.ip()));
        }
        let most = MOST - udp::HEADER_OCTETS;
        if octets.len() > most {
            return Err(DatagramError::TooLarge { most });
        }
        let from = Some(local.ip()).filter(|local| !local.is_unspecified());
        let from = self.source_for(from, to.ip())?;
        let ports = Ports { source: local.port(), destination: to.port() };
        let pseudo =
            PseudoHeader::new(from, to.ip(), Protocol::UDP).ok_or(DatagramError::InvalidRemote(to.ip()))?;
        let mut datagram = vec![0; udp::HEADER_OCTETS + octets.len()];
        udp::emit(&mut datagram, ports, [octets], pseudo).map_err(|_| DatagramError::TooLarge { most })?;
        let about = About::Udp {
            socket: Some(id),
            endpoints: Endpoints { local: SocketAddr::new(from, local.port()), remote: to },
            payload_length: u32::try_from(octets.len()).unwrap_or(u32::MAX),
        };
        self.queue_datagram(from, to.ip(), Protocol::UDP, datagram, about)
    }

    /// The next datagram that waits to be read: how many octets it has and who sent it. What does not
    /// fit is lost, and the length tells.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn receive_from(
        &mut self,
        id: UdpId,
        into: &mut [u8],
    ) -> Result<Option<(usize, SocketAddr)>, NoSuch> {
        Ok(self.receive_datagram(id)?.map(|datagram| {
            let fits = datagram.octets.len().min(into.len());
            into[..fits].copy_from_slice(&datagram.octets[..fits]);
            (datagram.octets.len(), datagram.from)
        }))
    }

    /// The next datagram that waits to be read, as a whole.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn receive_datagram(&mut self, id: UdpId) -> Result<Option<Datagram>, NoSuch> {
        let received = self.udp.sockets.get_mut(id.0).ok_or(NoSuch)?.pop();
        Ok(received.map(|received| Datagram {
            from: received.from,
            to: received.to,
            octets: received.octets,
        }))
    }

    /// Sends a ping; [`Event::Echo`](crate::Event::Echo) tells of the answer.
    ///
    /// # Errors
    ///
    /// [`DatagramError`].
    pub fn ping(
        &mut self,
        now: Instant,
        to: IpAddr,
        identifier: u16,
        sequence: u16,
        data: &[u8],
    ) -> Result<(), DatagramError> {
        let _ = now;
        let most = MOST - icmpv4::HEADER_OCTETS;
        if data.len() > most {
            return Err(DatagramError::TooLarge { most });
        }
        if to.is_unspecified() {
            return Err(DatagramError::InvalidRemote(to));
        }
        let from = self.source_for(None, to)?;
        let octets = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let message = IcmpMessage::EchoRequest { identifier, sequence, octets };
        let about = About::Icmp(IcmpAbout { from, to, message });
        let echo = Echo { identifier, sequence, data };
        let (protocol, datagram) =
            icmp_octets(from, to, &icmpv4::Message::EchoRequest(echo), &icmpv6::Message::EchoRequest(echo))
                .ok_or(DatagramError::TooLarge { most })?;
        self.queue_datagram(from, to, protocol, datagram, about)
    }

    /// From which address a datagram goes.
    fn source_for(&self, from: Option<IpAddr>, to: IpAddr) -> Result<IpAddr, DatagramError> {
        if self.owns(to) {
            return Err(DatagramError::ToItself(to));
        }
        let way = self.way(from, to).ok_or(DatagramError::NoRoute(to))?;
        let interface = self.interface(way.interface).ok_or(DatagramError::NoRoute(to))?;
        from.or_else(|| source(interface, to, way.next_hop)).ok_or(DatagramError::NoRoute(to))
    }

    fn queue_datagram(
        &mut self,
        source: IpAddr,
        destination: IpAddr,
        protocol: Protocol,
        octets: Vec<u8>,
        about: About,
    ) -> Result<(), DatagramError> {
        let identification = self.identifications.next(source, destination);
        let datagram =
            outbox::Datagram { source, destination, protocol, octets, sent: 0, identification, about };
        let fits = self.outbox.push_datagram(self.config.datagram_queue, datagram);
        if fits { Ok(()) } else { Err(DatagramError::QueueFull) }
    }
}

/// An ICMP message as octets, in the version of its addresses.
pub(crate) fn icmp_octets(
    source: IpAddr,
    destination: IpAddr,
    v4: &icmpv4::Message<'_>,
    v6: &icmpv6::Message<'_>,
) -> Option<(Protocol, Vec<u8>)> {
    match (source, destination) {
        (IpAddr::V4(_), IpAddr::V4(_)) => {
            let mut octets = vec![0; v4.length()];
            icmpv4::emit(&mut octets, v4).ok()?;
            Some((Protocol::ICMP, octets))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let mut octets = vec![0; v6.length()];
            let pseudo = PseudoHeader::ipv6(source, destination, Protocol::ICMPV6);
            icmpv6::emit(&mut octets, v6, pseudo).ok()?;
            Some((Protocol::ICMPV6, octets))
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}
