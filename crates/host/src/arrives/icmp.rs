//! ICMP messages that arrive, and errors that we send.
//!
//! RFC 792, RFC 1122 §3.2.2, RFC 4443; RFC 5927 for what to believe: an error counts only if it quotes
//! something that we can have sent, a connection's segment that is still in flight or a socket's
//! datagram. RFC 6633: source quench is ignored, like everything else that is not known here
//! (RFC 9293 §3.9.2.2 [MUST-55]).
//!
//! An error leaves only about a packet that was sent to us alone, by somebody, and was no ICMP error
//! itself (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)), and within a budget. The quotation makes a packet no
//! larger than 576 octets over IPv4 and 1280 over IPv6, and no more than 48 larger than the cause.

use core::net::{IpAddr, SocketAddr};

use aperto_tcp::Icmp;
use aperto_time::Instant;
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::error::Format;
use aperto_wire::icmpv4::{self, Echo};
use aperto_wire::ip::{Protocol, Version};
use aperto_wire::{SeqNumber, icmpv6, ipv4, ipv6, tcp, udp};

use super::Packet;
use crate::calls::icmp_octets;
use crate::config::Checksums;
use crate::demux::Tuple;
use crate::departure::{About, IcmpAbout, IcmpKind, IcmpMessage};
use crate::event::Event;
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::note::{DropReason, Note};
use crate::outbox::Datagram;
use crate::routes::{Cast, is_martian};

/// What an ICMP error shows of the packet that it is about.
#[derive(Clone, Copy, Debug)]
struct Quoted<'a> {
    source: IpAddr,
    destination: IpAddr,
    protocol: Protocol,
    /// What is there of what it carried.
    payload: &'a [u8],
    /// How long the whole packet was.
    length: u32,
}

impl Host {
    pub(super) fn icmpv4_arrives(&mut self, now: Instant, packet: &Packet<'_>) {
        if packet.checksums == Checksums::Verify && !icmpv4::verify(packet.payload) {
            return self.dropped(packet.interface, DropReason::BadChecksum(Format::Icmpv4));
        }
        let message = match icmpv4::parse(packet.payload) {
            Ok(message) => message,
            Err(error) => return self.dropped(packet.interface, DropReason::Malformed(error)),
        };
        let error = IcmpKind::of_v4(&message);
        self.note_icmp(packet, || match message {
            icmpv4::Message::EchoRequest(echo) => echo_request(&echo),
            icmpv4::Message::EchoReply(echo) => echo_reply(&echo),
            _ => other(error, packet.payload),
        });
        match (message, error) {
            (_, Some((kind, quoted))) => {
                self.icmp_error_arrives(now, packet.interface, kind, quote_v4(quoted));
            }
            (icmpv4::Message::EchoRequest(echo), None) => self.answer_echo(packet, &echo),
            (icmpv4::Message::EchoReply(echo), None) => self.echo_arrives(packet, &echo),
            (_, None) => self.dropped(packet.interface, DropReason::UnusedIcmp),
        }
    }

    pub(super) fn icmpv6_arrives(&mut self, now: Instant, packet: &Packet<'_>) {
        if packet.checksums == Checksums::Verify {
            let pseudo = PseudoHeader::new(packet.source, packet.destination, Protocol::ICMPV6);
            if !pseudo.is_some_and(|pseudo| icmpv6::verify(pseudo, packet.payload)) {
                return self.dropped(packet.interface, DropReason::BadChecksum(Format::Icmpv6));
            }
        }
        let message = match icmpv6::parse(packet.payload) {
            Ok(message) => message,
            Err(error) => return self.dropped(packet.interface, DropReason::Malformed(error)),
        };
        let error = IcmpKind::of_v6(&message);
        self.note_icmp(packet, || match message {
            icmpv6::Message::EchoRequest(echo) => echo_request(&echo),
            icmpv6::Message::EchoReply(echo) => echo_reply(&echo),
            _ => other(error, packet.payload),
        });
        match (message, error) {
            (_, Some((kind, quoted))) => {
                self.icmp_error_arrives(now, packet.interface, kind, quote_v6(quoted));
            }
            (icmpv6::Message::EchoRequest(echo), None) => self.answer_echo(packet, &echo),
            (icmpv6::Message::EchoReply(echo), None) => self.echo_arrives(packet, &echo),
            (icmpv6::Message::NeighborDiscovery { message, options }, None) => {
                self.neighbor_message_arrives(now, packet, message, options);
            }
            (_, None) => self.dropped(packet.interface, DropReason::UnusedIcmp),
        }
    }

    fn note_icmp(&mut self, packet: &Packet<'_>, message: impl FnOnce() -> IcmpMessage) {
        let (from, to) = (packet.source, packet.destination);
        self.note(|| Note::IcmpArrived(IcmpAbout { from, to, message: message() }));
    }

    /// RFC 1122 §3.2.2.6: the data comes back whole. A ping to a group is ignored.
    fn answer_echo(&mut self, packet: &Packet<'_>, echo: &Echo<'_>) {
        if packet.cast != Cast::Us {
            return self.dropped(packet.interface, DropReason::ToGroup(packet.protocol));
        }
        let IcmpMessage::EchoRequest { identifier, sequence, octets } = echo_request(echo) else { return };
        let message = IcmpMessage::EchoReply { identifier, sequence, octets };
        let (v4, v6) = (icmpv4::Message::EchoReply(*echo), icmpv6::Message::EchoReply(*echo));
        self.send_icmp(packet, message, &v4, &v6);
    }

    fn echo_arrives(&mut self, packet: &Packet<'_>, echo: &Echo<'_>) {
        self.tell_of_echo(Event::Echo {
            from: packet.source,
            identifier: echo.identifier,
            sequence: echo.sequence,
            octets: echo.data.len(),
        });
    }

    /// Sends a message back to where a packet came from.
    fn send_icmp(
        &mut self,
        packet: &Packet<'_>,
        message: IcmpMessage,
        v4: &icmpv4::Message<'_>,
        v6: &icmpv6::Message<'_>,
    ) {
        let (source, destination) = (packet.destination, packet.source);
        let Some((protocol, octets)) = icmp_octets(source, destination, v4, v6) else { return };
        let about = About::Icmp(IcmpAbout { from: source, to: destination, message });
        let identification = self.identifications.next(source, destination);
        let datagram = Datagram { source, destination, protocol, octets, sent: 0, identification, about };
        if !self.outbox.push_datagram(self.config.datagram_queue, datagram) {
            self.dropped(packet.interface, DropReason::QueueFull);
        }
    }

    // Errors that arrive.

    fn icmp_error_arrives(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        kind: IcmpKind,
        quoted: Option<Quoted<'_>>,
    ) {
        let is_used =
            quoted.filter(|quoted| self.owns(quoted.source)).is_some_and(|quoted| match quoted.protocol {
                Protocol::TCP => self.icmp_for_tcp(now, kind, &quoted),
                Protocol::UDP => self.icmp_for_udp(now, kind, &quoted),
                Protocol::ICMP | Protocol::ICMPV6 => self.icmp_for_echo(kind, &quoted),
                _ => false,
            });
        if !is_used {
            self.dropped(interface, DropReason::UnrelatedIcmp);
        }
    }

    /// RFC 9293 §3.9.2.2 [MUST-54], RFC 5927 §4: only a live connection whose segment in flight it
    /// quotes.
    fn icmp_for_tcp(&mut self, now: Instant, kind: IcmpKind, quoted: &Quoted<'_>) -> bool {
        let Ok(start) = tcp::parse_quoted(quoted.payload) else { return false };
        let ports = start.ports;
        let tuple = Tuple::new(quoted.source, ports.source, quoted.destination, ports.destination);
        let Some(id) = self.tcp.find(&tuple) else { return false };
        let Ok(status) = self.status(crate::ids::ConnectionId(id)) else { return false };
        if !is_in_flight(start.seq, status.send_unacknowledged, status.send_next) {
            return false;
        }
        let what = match kind {
            IcmpKind::PacketTooBig { mtu } => {
                let Some(mtu) = self.shrink_path(now, quoted, mtu) else { return false };
                let headers = if quoted.destination.is_ipv4() { 40 } else { 60 };
                Icmp::PathMtu { mss: u16::try_from(mtu.saturating_sub(headers)).unwrap_or(u16::MAX) }
            }
            IcmpKind::ProtocolUnreachable | IcmpKind::PortUnreachable => Icmp::Hard,
            IcmpKind::NetworkUnreachable
            | IcmpKind::HostUnreachable
            | IcmpKind::SourceRouteFailed
            | IcmpKind::Prohibited
            | IcmpKind::TimeExceeded
            | IcmpKind::ReassemblyTimeExceeded
            | IcmpKind::ParameterProblem { .. }
            | IcmpKind::Other { .. } => Icmp::Soft,
        };
        self.with_connection(now, id, |connection| connection.icmp_arrives(now, start.seq, what));
        true
    }

    /// RFC 1122 §4.1.3.3: the application is told.
    fn icmp_for_udp(&mut self, now: Instant, kind: IcmpKind, quoted: &Quoted<'_>) -> bool {
        let Ok(ports) = udp::parse_quoted(quoted.payload) else { return false };
        let remote = SocketAddr::new(quoted.destination, ports.destination);
        let Some(id) = self.udp.find(quoted.source, ports.source) else { return false };
        let socket = self.udp.sockets.get(id.0);
        if socket.is_none_or(|socket| socket.remote.is_some_and(|only| only != remote)) {
            return false;
        }
        if let IcmpKind::PacketTooBig { mtu } = kind {
            self.shrink_path(now, quoted, mtu);
        }
        self.tell_of_error(id, remote, kind);
        true
    }

    fn icmp_for_echo(&mut self, kind: IcmpKind, quoted: &Quoted<'_>) -> bool {
        // Type and code of an echo request of either version, then checksum, identifier, sequence.
        let [8 | 128, 0, _, _, a, b, c, d, ..] = *quoted.payload else { return false };
        self.tell_of_echo(Event::EchoError {
            to: quoted.destination,
            identifier: u16::from_be_bytes([a, b]),
            sequence: u16::from_be_bytes([c, d]),
            what: kind,
        });
        true
    }

    fn shrink_path(&mut self, now: Instant, quoted: &Quoted<'_>, mtu: u32) -> Option<u32> {
        let to = quoted.destination;
        let way = self.routes.way(to)?;
        let most = u32::try_from(self.interface(way.interface)?.mtu).unwrap_or(u32::MAX);
        match self.path_mtus.shrink(now, to, mtu, quoted.length, most) {
            Some(mtu) => {
                self.note(|| Note::PathMtu { to, mtu });
                Some(mtu)
            }
            // Another connection may have been told before this one.
            None => self.path_mtus.get(now, to),
        }
    }

    // Errors that leave.

    /// RFC 1122 §4.1.3.1, RFC 4443 §3.1 code 4.
    pub(super) fn answer_port_unreachable(&mut self, now: Instant, packet: &Packet<'_>) {
        self.answer_error(now, packet, IcmpKind::PortUnreachable, |quoted| {
            let v4 = icmpv4::Unreachable::Port;
            let v6 = icmpv6::Unreachable::Port;
            (
                icmpv4::Message::DestinationUnreachable { code: v4, quoted },
                icmpv6::Message::DestinationUnreachable { code: v6, quoted },
            )
        });
    }

    /// RFC 1122 §3.2.2.1 code 2; RFC 8200 §4: Parameter Problem code 1.
    pub(super) fn answer_unknown_protocol(&mut self, now: Instant, packet: &Packet<'_>) {
        let pointer = next_header_at(packet);
        self.answer_error(now, packet, IcmpKind::ProtocolUnreachable, |quoted| {
            (
                icmpv4::Message::DestinationUnreachable { code: icmpv4::Unreachable::Protocol, quoted },
                icmpv6::Message::ParameterProblem { code: 1, pointer, quoted },
            )
        });
    }

    /// RFC 4443 §3.4.
    pub(super) fn answer_parameter_problem(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        code: u8,
        at: usize,
    ) {
        let pointer = u32::try_from(at).unwrap_or(u32::MAX);
        self.answer_error(now, packet, IcmpKind::ParameterProblem { pointer }, |quoted| {
            let v4 = icmpv4::Message::ParameterProblem { code: 0, pointer: pointer as u8, quoted };
            (v4, icmpv6::Message::ParameterProblem { code, pointer, quoted })
        });
    }

    /// RFC 1122 §3.3.2, RFC 4443 §3.3 code 1. `first` is the first fragment.
    pub(super) fn answer_reassembly_timeout(&mut self, now: Instant, interface: InterfaceId, first: &[u8]) {
        let quoted = match Version::of(first) {
            Some(Version::V4) => quote_v4(first),
            Some(Version::V6) => quote_v6(first),
            None => None,
        };
        let Some(quoted) = quoted.filter(|quoted| self.owns(quoted.destination)) else { return };
        let packet = Packet {
            interface,
            source: quoted.source,
            destination: quoted.destination,
            cast: Cast::Us,
            protocol: quoted.protocol,
            hop_limit: 0,
            payload: quoted.payload,
            octets: first,
            checksums: Checksums::Trust,
        };
        self.answer_error(now, &packet, IcmpKind::ReassemblyTimeExceeded, |quoted| {
            let code = icmpv4::TimeExceeded::Reassembly;
            (icmpv4::Message::TimeExceeded { code, quoted }, icmpv6::Message::TimeExceeded { code, quoted })
        });
    }

    /// Sends an error about a packet, if one may be sent.
    fn answer_error<'a>(
        &mut self,
        now: Instant,
        packet: &Packet<'a>,
        kind: IcmpKind,
        message: impl FnOnce(&'a [u8]) -> (icmpv4::Message<'a>, icmpv6::Message<'a>),
    ) {
        if packet.cast != Cast::Us || is_martian(packet.source) || is_icmp_error(packet) {
            return;
        }
        if !self.budget.take(now) {
            return self.dropped(packet.interface, DropReason::RateLimited);
        }
        let most = match packet.source {
            IpAddr::V4(_) => 576 - ipv4::Header::FIXED_OCTETS - icmpv4::HEADER_OCTETS,
            IpAddr::V6(_) => 1280 - ipv6::Header::OCTETS - icmpv6::HEADER_OCTETS,
        };
        let quoted = packet.octets.get(..most).unwrap_or(packet.octets);
        let (v4, v6) = message(quoted);
        self.send_icmp(packet, IcmpMessage::Error(kind), &v4, &v6);
    }
}

/// Whether a packet is an ICMP error, or what nobody can tell from one.
fn is_icmp_error(packet: &Packet<'_>) -> bool {
    match packet.protocol {
        Protocol::ICMP => matches!(packet.payload.first(), None | Some(3 | 4 | 5 | 11 | 12)),
        Protocol::ICMPV6 => packet.payload.first().is_none_or(|kind| *kind < 128 || *kind == 137),
        _ => false,
    }
}

/// Where the Next Header field stands that names what we do not know.
fn next_header_at(packet: &Packet<'_>) -> u32 {
    let upper = ipv6::parse(packet.octets).and_then(|parsed| parsed.upper_layer());
    upper.ok().and_then(|upper| u32::try_from(upper.next_header_at).ok()).unwrap_or(6)
}

/// Whether a sequence number is one of those that are out: SND.UNA =< SEQ < SND.NXT.
const fn is_in_flight(seq: SeqNumber, una: SeqNumber, nxt: SeqNumber) -> bool {
    seq.in_window(una, nxt.since(una))
}

fn quote_v4(octets: &[u8]) -> Option<Quoted<'_>> {
    let parsed = ipv4::parse_quoted(octets).ok()?;
    let header = parsed.header;
    // Only the first fragment has ports.
    if header.fragment_offset != 0 {
        return None;
    }
    let length = octets.get(2..4).map_or(0, |length| u32::from(length[0]) << 8 | u32::from(length[1]));
    Some(Quoted {
        source: header.source.into(),
        destination: header.destination.into(),
        protocol: header.protocol,
        payload: parsed.payload,
        length,
    })
}

fn quote_v6(octets: &[u8]) -> Option<Quoted<'_>> {
    let parsed = ipv6::parse_quoted(octets).ok()?;
    let upper = parsed.upper_layer().ok()?;
    if upper.fragment.is_some_and(|fragment| fragment.offset != 0) {
        return None;
    }
    Some(Quoted {
        source: parsed.header.source.into(),
        destination: parsed.header.destination.into(),
        protocol: upper.protocol,
        payload: upper.payload,
        length: 0,
    })
}

fn echo_request(echo: &Echo<'_>) -> IcmpMessage {
    let octets = u32::try_from(echo.data.len()).unwrap_or(u32::MAX);
    IcmpMessage::EchoRequest { identifier: echo.identifier, sequence: echo.sequence, octets }
}

fn echo_reply(echo: &Echo<'_>) -> IcmpMessage {
    let octets = u32::try_from(echo.data.len()).unwrap_or(u32::MAX);
    IcmpMessage::EchoReply { identifier: echo.identifier, sequence: echo.sequence, octets }
}

fn other(error: Option<(IcmpKind, &[u8])>, octets: &[u8]) -> IcmpMessage {
    match (error, octets) {
        (Some((kind, _)), _) => IcmpMessage::Error(kind),
        (None, [kind, code, ..]) => IcmpMessage::Other { kind: *kind, code: *code },
        (None, _) => IcmpMessage::Other { kind: 0, code: 0 },
    }
}
