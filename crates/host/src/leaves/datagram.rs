//! Datagrams of UDP and ICMP on their way out, in fragments where they are too large for one packet.
//!
//! RFC 791 §2.3 and §3.2, RFC 8200 §4.5, RFC 6864. IPv4's go without DF, so that routers may divide
//! them further; IPv6's are divided only here.

use core::net::IpAddr;

use aperto_time::Instant;
use aperto_wire::ip::Protocol;
use aperto_wire::{ipv4, ipv6};

use super::link_octets;
use crate::departure::{About, Departure};
use crate::host::Host;
use crate::note::{DropReason, Note};
use crate::outbox::Datagram;

/// A piece of a datagram that was written.
struct Written {
    packet_octets: usize,
    payload_octets: usize,
}

impl Host {
    /// The next packet of the datagrams that wait.
    pub(super) fn poll_datagram(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Departure> {
        loop {
            let datagram = self.outbox.datagram()?;
            let (source, destination) = (datagram.source, datagram.destination);
            let Some(way) = self.way(Some(source), destination) else {
                self.lose_datagram(DropReason::NoRoute(destination));
                continue;
            };
            let mtu = self.mtu_to(now, way.interface.index(), destination);
            let Some(interface) = self.interfaces.get(way.interface.index()) else {
                self.outbox.pop_datagram();
                continue;
            };
            let place = buffer.get_mut(link_octets(interface.medium)..).unwrap_or_default();
            let hops = self.config.time_to_live;
            let datagram = self.outbox.datagram()?;
            let Some(written) = write(place, mtu, hops, datagram) else {
                self.lose_datagram(DropReason::TooLarge);
                continue;
            };
            let offset = datagram.sent;
            datagram.sent += written.payload_octets;
            let more = datagram.sent < datagram.octets.len();
            let about = if offset == 0 {
                datagram.about
            } else {
                About::Fragment {
                    source,
                    destination,
                    protocol: datagram.protocol,
                    offset: u16::try_from(offset).unwrap_or(u16::MAX),
                    length: u16::try_from(written.payload_octets).unwrap_or(u16::MAX),
                    more,
                }
            };
            if !more {
                self.outbox.pop_datagram();
            }
            if let Some(length) = self.depart(now, buffer, way, written.packet_octets, || about) {
                return Some(Departure { interface: way.interface, length, about });
            }
        }
    }

    fn lose_datagram(&mut self, reason: DropReason) {
        self.outbox.pop_datagram();
        self.note(|| Note::Dropped { interface: None, reason });
    }
}

/// Writes what is next of a datagram as a packet of at most `mtu` octets.
fn write(place: &mut [u8], mtu: usize, hops: u8, datagram: &Datagram) -> Option<Written> {
    let rest = datagram.octets.get(datagram.sent..)?;
    match (datagram.source, datagram.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let room = mtu.checked_sub(ipv4::Header::FIXED_OCTETS)?;
            let piece = piece(rest, room)?;
            let header = ipv4::Header {
                time_to_live: hops,
                identification: (datagram.identification & 0xffff) as u16,
                dont_fragment: false,
                more_fragments: piece.len() < rest.len(),
                fragment_offset: u16::try_from(datagram.sent).ok()?,
                ..ipv4::Header::new(source, destination, datagram.protocol)
            };
            let at = ipv4::emit(place, &header, piece.len()).ok()?;
            finish(place, at, piece)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let room = mtu.checked_sub(ipv6::Header::OCTETS)?;
            let is_whole = datagram.sent == 0 && rest.len() <= room;
            let next_header = if is_whole { datagram.protocol } else { Protocol::FRAGMENT };
            let header =
                ipv6::Header { hop_limit: hops, ..ipv6::Header::new(source, destination, next_header) };
            if is_whole {
                let at = ipv6::emit(place, &header, rest.len()).ok()?;
                return finish(place, at, rest);
            }
            let piece = piece(rest, room.checked_sub(ipv6::Fragment::OCTETS)?)?;
            let at = ipv6::emit(place, &header, ipv6::Fragment::OCTETS + piece.len()).ok()?;
            let fragment = ipv6::Fragment {
                identification: datagram.identification,
                offset: u16::try_from(datagram.sent).ok()?,
                more: piece.len() < rest.len(),
            };
            let after = place.get_mut(at..)?;
            let at = at + ipv6::emit_fragment(after, datagram.protocol, &fragment).ok()?;
            finish(place, at, piece)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

/// All of the rest, or as many multiples of eight octets as fit.
fn piece(rest: &[u8], room: usize) -> Option<&[u8]> {
    if rest.len() <= room {
        return Some(rest);
    }
    let length = room & !0b111;
    rest.get(..length).filter(|piece| !piece.is_empty())
}

fn finish(place: &mut [u8], at: usize, payload: &[u8]) -> Option<Written> {
    let packet_octets = at + payload.len();
    place.get_mut(at..packet_octets)?.copy_from_slice(payload);
    Some(Written { packet_octets, payload_octets: payload.len() })
}
