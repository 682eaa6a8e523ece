//! Reads the headers of a frame, as far as its octets reach.
//!
//! Tolerant where `aperto-wire` is strict: a capture may have cut the frame short, a checksum may
//! have been left to a device, and what cannot be read is still a packet with a number. Nothing here
//! is a verdict on the packet; a host that receives it gives its own.
//!
//! Left out: IPv4 options, and the contents of IPv6 extension headers, which are stepped over.

use alloc::boxed::Box;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aperto_wire::ip::Protocol as IpProtocol;
use aperto_wire::tcp;

use crate::header::LinkType;
use crate::packet::{Endpoints, Icmp, Octets, Packet, Segment, Transport, WindowMark, without_port};
use crate::record::Number;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_SERVICE_VLAN: u16 = 0x88a8;
/// A chain of IPv6 extension headers, or of VLAN tags, longer than this is no use to anybody.
const MOST_HEADERS: usize = 8;
/// What stands for the protocol where there is no IP header.
const NO_PROTOCOL: u8 = 255;

/// Reads a frame into a packet without a reason.
///
/// `original_length` is how long the frame was before it was cut.
#[must_use]
pub fn dissect(number: Number, link_type: LinkType, frame: &[u8], original_length: u32) -> Packet {
    let found = network_layer(link_type, frame).unwrap_or(Found {
        endpoints: nowhere(),
        transport: Transport::Other { protocol: NO_PROTOCOL },
        payload_at: 0,
        payload_length: frame.len(),
    });
    Packet {
        number,
        endpoints: found.endpoints,
        transport: found.transport,
        payload_length: clamp(found.payload_length),
        payload_at: clamp(found.payload_at),
        frame_length: original_length,
        frame: Octets::copy(frame),
        comment: None,
    }
}

/// What a frame says.
struct Found {
    endpoints: Endpoints,
    transport: Transport,
    payload_at: usize,
    payload_length: usize,
}

/// An IP header, read.
struct Ip {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// Where in the frame the transport's header begins.
    transport_at: usize,
    /// Where in the original frame the IP packet ends.
    end: usize,
    /// The place of a later fragment in its datagram.
    fragment_offset: Option<u32>,
}

fn nowhere() -> Endpoints {
    let nobody = without_port(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Endpoints { source: nobody, destination: nobody }
}

/// The end of the link's header, by which the network's begins.
fn network_layer(link_type: LinkType, frame: &[u8]) -> Option<Found> {
    let (ethertype_at, skip) = match link_type {
        LinkType::Ip => return internet(frame, 0),
        LinkType::Null => return internet(frame, 4),
        LinkType::Ethernet => (12, 14),
        LinkType::LinuxCooked => (14, 16),
        LinkType::LinuxCooked2 => (0, 20),
        LinkType::Unknown(_) => return None,
    };
    let mut ethertype = u16_at(frame, ethertype_at)?;
    let mut at = skip;
    for _ in 0..MOST_HEADERS {
        match ethertype {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => return internet(frame, at),
            ETHERTYPE_ARP => return Some(arp(frame, at)),
            ETHERTYPE_VLAN | ETHERTYPE_SERVICE_VLAN => {
                ethertype = u16_at(frame, at + 2)?;
                at += 4;
            }
            _ => return None,
        }
    }
    None
}

fn arp(frame: &[u8], at: usize) -> Found {
    let address = |offset: usize| {
        let octets = frame.get(at + offset..at + offset + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
        without_port(IpAddr::V4(octets.map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from)))
    };
    let endpoints = Endpoints { source: address(14), destination: address(24) };
    Found { endpoints, transport: Transport::Arp, payload_at: at, payload_length: 0 }
}

fn internet(frame: &[u8], at: usize) -> Option<Found> {
    let ip = read_ip(frame, at)?;
    let hosts = Endpoints { source: without_port(ip.source), destination: without_port(ip.destination) };
    let rest = Found {
        endpoints: hosts,
        transport: Transport::Other { protocol: ip.protocol },
        payload_at: ip.transport_at,
        payload_length: ip.end.saturating_sub(ip.transport_at),
    };
    if let Some(offset) = ip.fragment_offset {
        let transport = Transport::Fragment { protocol: ip.protocol, offset };
        return Some(Found { transport, ..rest });
    }
    let read = match IpProtocol(ip.protocol) {
        IpProtocol::TCP => read_tcp(frame, &ip),
        IpProtocol::UDP => read_udp(frame, &ip),
        IpProtocol::ICMP | IpProtocol::ICMPV6 => read_icmp(frame, &ip),
        _ => None,
    };
    Some(read.unwrap_or(rest))
}

fn read_ip(frame: &[u8], at: usize) -> Option<Ip> {
    match frame.get(at)? >> 4 {
        4 => read_ipv4(frame, at),
        6 => read_ipv6(frame, at),
        _ => None,
    }
}

/// RFC 791 §3.1.
fn read_ipv4(frame: &[u8], at: usize) -> Option<Ip> {
    let header: &[u8; 20] = frame.get(at..)?.first_chunk()?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    if header_length < 20 {
        return None;
    }
    // A device that cuts segments itself is given a length of 0.
    let total = match usize::from(u16::from_be_bytes([header[2], header[3]])) {
        0 => frame.len().saturating_sub(at),
        total => total,
    };
    let offset = u32::from(u16::from_be_bytes([header[6], header[7]]) & 0x1fff) * 8;
    Some(Ip {
        source: IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15])),
        destination: IpAddr::V4(Ipv4Addr::new(header[16], header[17], header[18], header[19])),
        protocol: header[9],
        transport_at: at + header_length,
        end: at + total,
        fragment_offset: (offset > 0).then_some(offset),
    })
}

/// RFC 8200 §3 and §4.
fn read_ipv6(frame: &[u8], at: usize) -> Option<Ip> {
    let header: &[u8; 40] = frame.get(at..)?.first_chunk()?;
    let address = |from: usize| {
        let octets: [u8; 16] = header.get(from..from + 16)?.try_into().ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(octets)))
    };
    let end = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        0 => frame.len(),
        payload => at + 40 + payload,
    };
    let mut ip = Ip {
        source: address(8)?,
        destination: address(24)?,
        protocol: header[6],
        transport_at: at + 40,
        end,
        fragment_offset: None,
    };
    for _ in 0..MOST_HEADERS {
        let length = match IpProtocol(ip.protocol) {
            IpProtocol::HOP_BY_HOP | IpProtocol::ROUTING | IpProtocol::DESTINATION_OPTIONS => {
                (usize::from(*frame.get(ip.transport_at + 1)?) + 1) * 8
            }
            IpProtocol::FRAGMENT => {
                let offset = u32::from(u16_at(frame, ip.transport_at + 2)? & 0xfff8);
                ip.fragment_offset = (offset > 0).then_some(offset);
                8
            }
            _ => break,
        };
        ip.protocol = *frame.get(ip.transport_at)?;
        ip.transport_at += length;
        if ip.fragment_offset.is_some() {
            break;
        }
    }
    Some(ip)
}

/// The octets of the IP packet from the transport's header on, as many as there are.
fn transport_octets<'a>(frame: &'a [u8], ip: &Ip) -> Option<&'a [u8]> {
    frame.get(ip.transport_at..ip.end.min(frame.len()))
}

/// RFC 9293 §3.1.
fn read_tcp(frame: &[u8], ip: &Ip) -> Option<Found> {
    let octets = transport_octets(frame, ip)?;
    let parsed = tcp::parse(octets).ok()?;
    let header_length = octets.len() - parsed.segment.payload.len();
    let segment = Segment {
        header: parsed.segment.header,
        reason: None,
        of: None,
        duplicate_ack: None,
        window: WindowMark::Same,
    };
    Some(Found {
        endpoints: with_ports(ip, parsed.ports.source, parsed.ports.destination),
        transport: Transport::Tcp(Box::new(segment)),
        payload_at: ip.transport_at + header_length,
        payload_length: ip.end.saturating_sub(ip.transport_at + header_length),
    })
}

/// RFC 768.
fn read_udp(frame: &[u8], ip: &Ip) -> Option<Found> {
    let octets = transport_octets(frame, ip)?;
    let (source, destination) = (u16_at(octets, 0)?, u16_at(octets, 2)?);
    let length = usize::from(u16_at(octets, 4)?);
    let payload_at = ip.transport_at + 8;
    Some(Found {
        endpoints: with_ports(ip, source, destination),
        transport: Transport::Udp,
        payload_at,
        payload_length: length.checked_sub(8)?.min(ip.end.saturating_sub(payload_at)),
    })
}

/// RFC 792, RFC 4443.
fn read_icmp(frame: &[u8], ip: &Ip) -> Option<Found> {
    let octets = transport_octets(frame, ip)?;
    let kind = *octets.first()?;
    let code = *octets.get(1)?;
    let (is_echo, is_error) = if ip.source.is_ipv4() {
        (matches!(kind, 0 | 8), matches!(kind, 3 | 4 | 5 | 11 | 12))
    } else {
        (matches!(kind, 128 | 129), matches!(kind, 1..=4))
    };
    let echo = is_echo.then(|| Some((u16_at(octets, 4)?, u16_at(octets, 6)?))).flatten();
    let quoted = is_error.then(|| quoted_endpoints(octets.get(8..)?)).flatten();
    let payload_at = ip.transport_at + 8;
    Some(Found {
        endpoints: with_ports(ip, 0, 0),
        transport: Transport::Icmp(Icmp { kind, code, echo, quoted }),
        payload_at,
        payload_length: ip.end.saturating_sub(payload_at),
    })
}

/// Source and destination of a packet of which only the beginning is quoted.
fn quoted_endpoints(quote: &[u8]) -> Option<Endpoints> {
    let ip = read_ip(quote, 0)?;
    let ports = match IpProtocol(ip.protocol) {
        IpProtocol::TCP | IpProtocol::UDP => {
            u16_at(quote, ip.transport_at).zip(u16_at(quote, ip.transport_at + 2))
        }
        _ => None,
    };
    let (source, destination) = ports.unwrap_or((0, 0));
    Some(with_ports(&ip, source, destination))
}

const fn with_ports(ip: &Ip, source: u16, destination: u16) -> Endpoints {
    Endpoints {
        source: SocketAddr::new(ip.source, source),
        destination: SocketAddr::new(ip.destination, destination),
    }
}

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

/// A length as a record keeps it; no frame is longer.
fn clamp(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// What is the same of a packet wherever it is seen: endpoints and everything that its IP packet
/// carries, but for checksums, which a device may fill in later.
pub(crate) fn identity(packet: &Packet) -> u64 {
    let mut hash = Fnv::new();
    hash.address(packet.endpoints.source);
    hash.address(packet.endpoints.destination);
    match &packet.transport {
        Transport::Tcp(segment) => {
            hash.number(6);
            hash.number(segment.header.seq.value());
            hash.number(segment.header.ack.value());
            hash.number(u32::from(segment.header.control.bits()) << 16 | u32::from(segment.header.window));
            if let Some(timestamps) = segment.header.options.timestamps {
                hash.number(timestamps.value);
                hash.number(timestamps.echo);
            }
            for block in segment.header.options.sack.as_slice() {
                hash.number(block.start.value());
                hash.number(block.end.value());
            }
        }
        Transport::Icmp(icmp) => {
            hash.number(1);
            hash.octets(&[icmp.kind, icmp.code]);
            let (ident, sequence) = icmp.echo.unwrap_or_default();
            hash.number(u32::from(ident) << 16 | u32::from(sequence));
        }
        Transport::Fragment { protocol, offset } => {
            hash.number(u32::from(*protocol));
            hash.number(*offset);
        }
        Transport::Udp | Transport::Arq(_) => hash.number(17),
        Transport::Arp => hash.number(2),
        Transport::Other { protocol } => hash.number(u32::from(*protocol)),
    }
    hash.number(packet.payload_length);
    hash.octets(packet.payload());
    hash.0
}

/// FNV-1a with 64 bits: short, the same everywhere, and not meant against an enemy.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn octets(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u32) {
        self.octets(&number.to_be_bytes());
    }

    fn address(&mut self, address: SocketAddr) {
        match address.ip() {
            IpAddr::V4(v4) => self.octets(&v4.octets()),
            IpAddr::V6(v6) => self.octets(&v6.octets()),
        }
        self.octets(&address.port().to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
