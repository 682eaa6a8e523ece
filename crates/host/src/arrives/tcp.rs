//! TCP segments that arrive: whose they are.
//!
//! RFC 9293 §3.10.7. A segment goes to the connection between its two sockets, else to a listener,
//! else it is answered by a reset. What it means is decided by the connection; here a record is
//! unfolded for it (`connections.rs`), a SYN to a listener makes a half-open connection, and one
//! to a connection in TIME-WAIT may begin it anew.

use core::net::IpAddr;

use aperto_tcp::{Connection, DropReason as TcpDrop, Reason, ResetCause, State, answer_to_stray};
use aperto_time::Instant;
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::error::Format;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::{Segment, parse, verify};

use super::Packet;
use crate::calls::Side;
use crate::config::Checksums;
use crate::connections::{Body, Entry, Stage};
use crate::demux::Tuple;
use crate::host::Host;
use crate::ids::{ConnectionId, InterfaceId, ListenerId};
use crate::note::{DropReason, Note};
use crate::outbox::Stray;
use crate::routes::Cast;
use crate::slab::Id;

impl Host {
    pub(super) fn tcp_arrives(&mut self, now: Instant, packet: &Packet<'_>) {
        // RFC 9293 §3.9.2.3 [MUST-57]: nobody opens a connection with a group.
        if packet.cast == Cast::Group {
            return self.dropped(packet.interface, DropReason::ToGroup(Protocol::TCP));
        }
        // Looked at where it lies: to copy what was just written would have to wait for it.
        let parsed = parse(packet.payload);
        let parsed = match &parsed {
            Ok(parsed) => parsed,
            Err(error) => return self.dropped(packet.interface, DropReason::Malformed(*error)),
        };
        if packet.checksums == Checksums::Verify && !checksum_is_right(packet) {
            return self.dropped(packet.interface, DropReason::BadChecksum(Format::Tcp));
        }
        let ports = parsed.ports;
        if ports.source == 0 || ports.destination == 0 {
            return self.dropped(packet.interface, DropReason::PortZero);
        }
        let tuple = Tuple::new(packet.destination, ports.destination, packet.source, ports.source);
        let found = self.tcp.find(&tuple);
        let segment = &parsed.segment;
        self.note(|| Note::TcpArrived {
            connection: found.map(ConnectionId),
            endpoints: tuple.endpoints(),
            header: segment.header,
            payload_length: u32::try_from(segment.payload.len()).unwrap_or(u32::MAX),
        });
        match found {
            Some(id) => self.segment_arrives(now, packet.interface, id, segment),
            None => self.segment_without_connection(now, packet.interface, &tuple, segment),
        }
    }

    #[inline]
    fn segment_arrives(&mut self, now: Instant, interface: InterfaceId, id: Id, segment: &Segment<'_>) {
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        if let (Body::Live(connection), Stage::Held | Stage::Orphan) = (&mut entry.body, entry.stage)
            && connection.state() != State::TimeWait
        {
            connection.segment_arrives(now, segment);
            self.drain_notes(id);
            return self.tcp.stir(id);
        }
        if entry.state() == State::TimeWait && segment.header.control.syn() {
            return self.syn_in_time_wait(now, interface, id, segment);
        }
        if let Stage::HalfOpen(listener) = entry.stage
            && completes(segment)
            && self.is_full(listener)
        {
            // Neither taken nor refused: the peer will send it again.
            return self.dropped(interface, DropReason::AcceptQueueFull(listener));
        }
        self.with_connection(now, id, |connection| connection.segment_arrives(now, segment));
    }

    /// A SYN on a connection in TIME-WAIT may begin a new one.
    ///
    /// RFC 9293 §3.6.1 [MAY-2], §3.10.7.4; RFC 6191 §2.
    fn syn_in_time_wait(&mut self, now: Instant, interface: InterfaceId, id: Id, segment: &Segment<'_>) {
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        let tuple = entry.tuple;
        let last = entry.record().filter(|folded| folded.may_be_reopened_by(segment));
        let listener = self.tcp.listener(tuple.local(), tuple.local_port());
        let (Some(last), Some(listener)) = (last.map(|folded| folded.last_sequence()), listener) else {
            self.with_connection(now, id, |connection| connection.segment_arrives(now, segment));
            return;
        };
        if entry_is_held(self, id) {
            // The application still looks at the old one: its sockets go to the new.
            self.tcp.unlink(id);
        } else {
            self.forget(id);
        }
        self.syn_arrives(now, interface, &tuple, listener, segment, Some(last));
    }

    /// Whether as many connections wait to be accepted as may, or there are as many as may be.
    fn is_full(&self, listener: ListenerId) -> bool {
        let waiting = self.tcp.listeners.get(listener.0).map(|there| there.waiting >= there.backlog);
        waiting.unwrap_or(false) || self.tcp.in_use() >= self.config.max_connections
    }

    fn segment_without_connection(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        tuple: &Tuple,
        segment: &Segment<'_>,
    ) {
        match self.tcp.listener(tuple.local(), tuple.local_port()) {
            Some(listener) => self.segment_for_listener(now, interface, tuple, listener, segment),
            None => {
                self.dropped(interface, DropReason::NobodyThere(Protocol::TCP));
                self.answer_stray(interface, tuple, segment, None);
            }
        }
    }

    /// A segment arrives at a listener. RFC 9293 §3.10.7.2.
    fn segment_for_listener(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        tuple: &Tuple,
        listener: ListenerId,
        segment: &Segment<'_>,
    ) {
        let control = segment.header.control;
        let reason = if control.rst() {
            TcpDrop::UnprovenReset
        } else if control.ack() {
            let because = Reason::Reset(ResetCause::UnacceptableAck { ack: segment.header.ack });
            self.answer_stray(interface, tuple, segment, Some(because));
            TcpDrop::UnacceptableAck
        } else if control.syn() && control.fin() {
            TcpDrop::SynWithFin
        } else if control.syn() {
            return self.syn_arrives(now, interface, tuple, listener, segment, None);
        } else {
            TcpDrop::NotASyn
        };
        self.dropped(interface, DropReason::Tcp(reason));
    }

    /// A SYN arrives at a listener: a half-open connection, whose number begins beyond `last` if an
    /// earlier connection ended there.
    fn syn_arrives(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        tuple: &Tuple,
        listener: ListenerId,
        segment: &Segment<'_>,
        last: Option<aperto_wire::SeqNumber>,
    ) {
        if self.is_full(listener) {
            return self.dropped(interface, DropReason::AcceptQueueFull(listener));
        }
        let Some(there) = self.tcp.listeners.get(listener.0) else { return };
        let config = there.config.clone();
        let mut opening = self.opening(now, interface, tuple, Side::Passive);
        if let Some(last) = last {
            opening.iss = Self::beyond(opening.iss, last);
        }
        let mut connection = Connection::open_passive(config, opening);
        connection.watch(self.watching());
        connection.segment_arrives(now, segment);
        if connection.state() != State::SynReceived {
            return;
        }
        let id = self.tcp.insert(Entry::new(*tuple, Stage::HalfOpen(listener), connection));
        let endpoints = tuple.endpoints();
        self.note(|| Note::Opened { connection: ConnectionId(id), endpoints, listener: Some(listener) });
        self.drain_notes(id);
        self.tcp.stir(id);
        let most = self.config.max_half_open;
        if let Some(oldest) = self.tcp.count_half_open(id, listener, most) {
            self.give_way(oldest, DropReason::HalfOpenGaveWay);
        }
    }

    /// Answers a segment that belongs to nobody. RFC 9293 §3.10.7.1, §3.5.2.
    fn answer_stray(
        &mut self,
        interface: InterfaceId,
        tuple: &Tuple,
        segment: &Segment<'_>,
        because: Option<Reason>,
    ) {
        let Some((header, reason)) = answer_to_stray(segment) else { return };
        let stray = Stray { endpoints: tuple.endpoints(), header, reason: because.unwrap_or(reason) };
        if !self.outbox.push_stray(stray) {
            self.dropped(interface, DropReason::QueueFull);
        }
    }
}

/// Whether a segment could complete a handshake.
const fn completes(segment: &Segment<'_>) -> bool {
    let control = segment.header.control;
    control.ack() && !control.syn() && !control.rst()
}

fn entry_is_held(host: &Host, id: Id) -> bool {
    host.tcp.entries.get(id).is_some_and(|entry| entry.stage == Stage::Held)
}

/// RFC 9293 §3.1 [MUST-3].
fn checksum_is_right(packet: &Packet<'_>) -> bool {
    let pseudo = match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            PseudoHeader::ipv4(source, destination, Protocol::TCP)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            PseudoHeader::ipv6(source, destination, Protocol::TCP)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    verify(pseudo, packet.payload)
}
