//! TCP segments on their way out.
//!
//! RFC 9293 §3.9.2 (time to live [MUST-49]) and §3.1 [MUST-2]. Segments are never fragmented here:
//! IPv4's go with DF (RFC 1191), and one that is larger than its path makes its connection divide
//! the text anew.

use core::net::IpAddr;

use aperto_tcp::{Icmp, Outgoing, Payload};
use aperto_time::Instant;
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::{Header, emit, header_length};
use aperto_wire::{Ports, ipv4, ipv6};

use super::link_octets;
use crate::connections::Body;
use crate::demux::Tuple;
use crate::departure::{About, Departure};
use crate::host::Host;
use crate::ids::ConnectionId;
use crate::note::{DropReason, Note};

impl Host {
    /// The next segment of the connections that may have something to send.
    pub(super) fn poll_tcp(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Departure> {
        loop {
            let id = *self.tcp.ready.front()?;
            let Some(entry) = self.tcp.entries.get_mut(id) else {
                self.tcp.ready.pop_front();
                continue;
            };
            let (tuple, diffserv) = (entry.tuple, entry.diffserv);
            let Body::Live(connection) = &mut entry.body else {
                entry.ready = false;
                self.tcp.ready.pop_front();
                continue;
            };
            // Looked at where it lies: to copy what was just written would have to wait for it.
            let outgoing = connection.poll_segment(now);
            let Some(Outgoing { header, payload, reason }) = &outgoing else {
                entry.ready = false;
                self.tcp.ready.pop_front();
                self.in_a_row = 0;
                self.limit_memory(now, id);
                self.settle(id);
                continue;
            };
            let (local, remote) = (tuple.local(), tuple.remote());
            let Some(way) = self.routes.way(remote) else {
                self.note(|| Note::Dropped { interface: None, reason: DropReason::NoRoute(remote) });
                continue;
            };
            let Some(interface) = self.interfaces.get(way.interface.index()) else { continue };
            let (medium, mut mtu) = (interface.medium, interface.mtu);
            if let Some(path) = self.path_mtus.get(now, remote) {
                mtu = mtu.min(path as usize);
            }
            let text = payload.len();
            let ip_octets = ip_octets(local);
            if ip_octets + header_length(header) + text > mtu {
                let seq = header.seq;
                let mss =
                    u16::try_from(mtu.saturating_sub(ip_octets + Header::FIXED_OCTETS)).unwrap_or(u16::MAX);
                connection.icmp_arrives(now, seq, Icmp::PathMtu { mss });
                self.drain_notes(id);
                self.note(|| Note::Dropped { interface: None, reason: DropReason::TooLarge });
                continue;
            }
            let place = buffer.get_mut(link_octets(medium)..).unwrap_or_default();
            let ip = Ip { hops: self.config.time_to_live, diffserv };
            let written = write_packet(place, &tuple, ip, header, Some(payload));
            let about = About::Tcp {
                connection: Some(ConnectionId(id)),
                endpoints: tuple.endpoints(),
                header: *header,
                payload_length: u32::try_from(text).unwrap_or(u32::MAX),
                reason: *reason,
            };
            self.drain_notes(id);
            let Some(packet_octets) = written else {
                self.note(|| Note::Dropped { interface: None, reason: DropReason::TooLarge });
                continue;
            };
            if let Some(length) = self.depart(now, buffer, way, packet_octets, || about) {
                self.in_a_row += 1;
                return Some(Departure { interface: way.interface, length, about });
            }
        }
    }

    /// The next reset in answer to a segment that belongs to nobody.
    pub(super) fn poll_stray(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Departure> {
        while let Some(stray) = self.outbox.strays.pop_front() {
            let endpoints = stray.endpoints;
            let Some(way) = self.routes.way(endpoints.remote.ip()) else { continue };
            let Some(interface) = self.interfaces.get(way.interface.index()) else { continue };
            let tuple = Tuple::of(endpoints.local, endpoints.remote);
            let place = buffer.get_mut(link_octets(interface.medium)..).unwrap_or_default();
            let ip = Ip { hops: self.config.time_to_live, diffserv: 0 };
            let Some(packet_octets) = write_packet(place, &tuple, ip, &stray.header, None) else {
                continue;
            };
            let about = || About::Tcp {
                connection: None,
                endpoints,
                header: stray.header,
                payload_length: 0,
                reason: stray.reason,
            };
            if let Some(length) = self.depart(now, buffer, way, packet_octets, about) {
                return Some(Departure { interface: way.interface, length, about: about() });
            }
        }
        None
    }
}

const fn ip_octets(local: IpAddr) -> usize {
    match local {
        IpAddr::V4(_) => ipv4::Header::FIXED_OCTETS,
        IpAddr::V6(_) => ipv6::Header::OCTETS,
    }
}

/// What an IP header says beside addresses and lengths.
#[derive(Clone, Copy)]
struct Ip {
    hops: u8,
    diffserv: u8,
}

/// Writes an IP packet with a segment, and gives its length; none where it does not fit.
#[inline]
fn write_packet(
    place: &mut [u8],
    tuple: &Tuple,
    says: Ip,
    header: &Header,
    payload: Option<&Payload<'_>>,
) -> Option<usize> {
    let ports = Ports { source: tuple.local_port(), destination: tuple.remote_port() };
    let (local, remote) = (tuple.local(), tuple.remote());
    let (ip, above) = place.split_at_mut_checked(ip_octets(local))?;
    let pseudo = PseudoHeader::new(local, remote, Protocol::TCP)?;
    let text = payload.into_iter().flat_map(Payload::iter);
    let octets = emit(above, ports, header, text, pseudo).ok()?;
    let ip_octets = match (local, remote) {
        (IpAddr::V4(local), IpAddr::V4(remote)) => {
            let header = ipv4::Header {
                time_to_live: says.hops,
                type_of_service: says.diffserv,
                ..ipv4::Header::new(local, remote, Protocol::TCP)
            };
            ipv4::emit(ip, &header, octets).ok()?
        }
        (IpAddr::V6(local), IpAddr::V6(remote)) => {
            let header = ipv6::Header {
                hop_limit: says.hops,
                traffic_class: says.diffserv,
                ..ipv6::Header::new(local, remote, Protocol::TCP)
            };
            ipv6::emit(ip, &header, octets).ok()?
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
    };
    Some(ip_octets + octets)
}
