//! UDP datagrams that arrive.
//!
//! RFC 768, RFC 1122 §4.1.3, RFC 8200 §8.1 (over IPv6 a checksum is a must).

use core::net::SocketAddr;

use aperto_time::Instant;
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::error::Format;
use aperto_wire::ip::Protocol;
use aperto_wire::udp::{self, Verdict};

use super::Packet;
use crate::config::Checksums;
use crate::departure::Endpoints;
use crate::host::Host;
use crate::note::{DropReason, Note};

impl Host {
    pub(super) fn udp_arrives(&mut self, now: Instant, packet: &Packet<'_>) {
        let datagram = match udp::parse(packet.payload) {
            Ok(datagram) => datagram,
            Err(error) => return self.dropped(packet.interface, DropReason::Malformed(error)),
        };
        if let Some(reason) = fault_of_checksum(packet) {
            return self.dropped(packet.interface, reason);
        }
        let ports = datagram.ports;
        if ports.source == 0 || ports.destination == 0 {
            return self.dropped(packet.interface, DropReason::PortZero);
        }
        let local = SocketAddr::new(packet.destination, ports.destination);
        let remote = SocketAddr::new(packet.source, ports.source);
        let Some(id) = self.udp.find(local.ip(), local.port()) else {
            self.dropped(packet.interface, DropReason::NobodyThere(Protocol::UDP));
            return self.answer_port_unreachable(now, packet);
        };
        let most = self.config.udp_receive_queue;
        let Some(socket) = self.udp.sockets.get_mut(id.0) else { return };
        if socket.remote.is_some_and(|only| only != remote) {
            return self.dropped(packet.interface, DropReason::OtherRemote(remote));
        }
        if !socket.push(most, remote, local, datagram.payload) {
            return self.dropped(packet.interface, DropReason::QueueFull);
        }
        self.note(|| Note::UdpArrived {
            socket: id,
            endpoints: Endpoints { local, remote },
            payload_length: u32::try_from(datagram.payload.len()).unwrap_or(u32::MAX),
        });
        self.tell_of_datagram(id);
    }
}

/// What is wrong with the checksum, if anything is.
fn fault_of_checksum(packet: &Packet<'_>) -> Option<DropReason> {
    if packet.checksums == Checksums::Trust {
        return None;
    }
    let wrong = Some(DropReason::BadChecksum(Format::Udp));
    let Some(pseudo) = PseudoHeader::new(packet.source, packet.destination, Protocol::UDP) else {
        return wrong;
    };
    match udp::verify(pseudo, packet.payload) {
        Verdict::Right => None,
        Verdict::Absent if packet.source.is_ipv4() => None,
        Verdict::Absent => Some(DropReason::NoChecksum),
        Verdict::Wrong => wrong,
    }
}
