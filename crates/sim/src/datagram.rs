//! IP packets with one UDP datagram that has no checksum of its own: how packets of the textbook
//! protocols stand in recordings and go through a channel, so that damage is theirs to find.

use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_trace::Endpoints;
use aperto_wire::ip::{Protocol, Version};
use aperto_wire::{ipv4, ipv6};

/// Octets of a UDP header.
const UDP_HEADER: usize = 8;

/// The packet that carries this payload; none where the ends are not of one IP version, or the
/// payload does not fit.
#[must_use]
pub fn packet_of(endpoints: Endpoints, payload: &[u8]) -> Option<Vec<u8>> {
    let length = UDP_HEADER + payload.len();
    let (mut frame, at) = match (endpoints.source, endpoints.destination) {
        (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
            let mut frame = vec![0; ipv4::Header::FIXED_OCTETS + length];
            let header = ipv4::Header::new(*source.ip(), *destination.ip(), Protocol::UDP);
            let at = ipv4::emit(&mut frame, &header, length).ok()?;
            (frame, at)
        }
        (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
            let mut frame = vec![0; ipv6::Header::OCTETS + length];
            let header = ipv6::Header::new(*source.ip(), *destination.ip(), Protocol::UDP);
            let at = ipv6::emit(&mut frame, &header, length).ok()?;
            (frame, at)
        }
        (SocketAddr::V4(_), SocketAddr::V6(_)) | (SocketAddr::V6(_), SocketAddr::V4(_)) => return None,
    };
    let udp = frame.get_mut(at..at + length)?;
    udp.get_mut(..2)?.copy_from_slice(&endpoints.source.port().to_be_bytes());
    udp.get_mut(2..4)?.copy_from_slice(&endpoints.destination.port().to_be_bytes());
    udp.get_mut(4..6)?.copy_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
    udp.get_mut(UDP_HEADER..)?.copy_from_slice(payload);
    Some(frame)
}

/// What the UDP datagram in a packet carries.
#[must_use]
pub fn payload_of(packet: &[u8]) -> Option<&[u8]> {
    let udp = match Version::of(packet)? {
        Version::V4 => ipv4::parse(packet).ok()?.payload,
        Version::V6 => ipv6::parse(packet).ok()?.payload,
    };
    udp.get(UDP_HEADER..)
}
