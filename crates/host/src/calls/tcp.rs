//! The TCP calls: OPEN, SEND, RECEIVE, CLOSE, STATUS, ABORT, for many connections.
//!
//! RFC 9293 §3.9.1. What a call means is decided by the connection; here it is found, and an OPEN
//! gets its addresses, ports and initial sequence number.
//!
//! Left out: an OPEN that is passive and names its peer; a SEND that makes a passive OPEN active.

use alloc::sync::Arc;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use aperto_tcp::{Config, Connection, KeepAlive, Nagle, Opening, Push, State, Status, Urgent, isn};
use aperto_time::Instant;
use aperto_wire::{Cidr, SeqNumber};

use crate::config::Interface;
use crate::connections::{Aging, Body, Entry, Listener, Stage};
use crate::demux::{Binding, Tuple};
use crate::departure::Endpoints;
use crate::error::{CallError, CloseError, ConnectError, ListenError, NoSuch, ReceiveError, SendError};
use crate::host::Host;
use crate::ids::{ConnectionId, InterfaceId, ListenerId};
use crate::note::Note;
use crate::routes::{is_martian, is_subnet_broadcast, source};
use crate::slab::Id;

/// Who begins a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Active,
    Passive,
}

impl Host {
    /// OPEN, passive: waits for connections on a port, at one address or at any (`0.0.0.0`: any of
    /// IPv4; `::`: any of both versions).
    ///
    /// `backlog` is how many may wait to be accepted, at least one; while they do, more are neither
    /// answered nor refused. RFC 9293 §3.9.1.1 [MUST-42] [MUST-43].
    ///
    /// # Errors
    ///
    /// [`ListenError`]; whoever listened before is not affected [MUST-41].
    pub fn listen(&mut self, local: SocketAddr, backlog: usize) -> Result<ListenerId, ListenError> {
        self.listen_with(local, backlog, self.config.tcp.clone())
    }

    /// [`listen`](Self::listen) with settings of its own.
    ///
    /// # Errors
    ///
    /// As [`listen`](Self::listen).
    pub fn listen_with(
        &mut self,
        local: SocketAddr,
        backlog: usize,
        config: Arc<Config>,
    ) -> Result<ListenerId, ListenError> {
        if local.port() == 0 {
            return Err(ListenError::NoPort);
        }
        self.check_local(local.ip())?;
        if overlapping(&self.interfaces, local).any(|binding| self.tcp.is_bound(&binding)) {
            return Err(ListenError::InUse);
        }
        Ok(self.tcp.insert_listener(Listener {
            binding: Binding::of(local),
            local,
            config,
            backlog: backlog.max(1),
            queue: Aging::default(),
            waiting: 0,
            half_open: Aging::default(),
            half_open_count: 0,
            telling: false,
        }))
    }

    /// Whether something can be bound to a local address: unspecified, or one of ours.
    pub(crate) fn check_local(&self, local: IpAddr) -> Result<(), ListenError> {
        let fits = local.is_unspecified() || self.owns(local);
        if fits { Ok(()) } else { Err(ListenError::NotOurAddress(local)) }
    }

    /// Stops to listen. Connections that wait to be accepted are reset; those that were accepted
    /// stay. RFC 9293 §3.10.4, LISTEN STATE.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn close_listener(&mut self, now: Instant, id: ListenerId) -> Result<(), NoSuch> {
        let mut listener = self.tcp.remove_listener(id).ok_or(NoSuch)?;
        while let Some(waiting) = listener.queue.pop() {
            let stage = self.tcp.entries.get(waiting).map(|entry| entry.stage);
            if stage == Some(Stage::Waiting(id)) {
                self.tcp.orphan(waiting);
                self.with_connection(now, waiting, |connection| connection.abort(now));
            }
        }
        while let Some(half_open) = listener.half_open.pop() {
            let stage = self.tcp.entries.get(half_open).map(|entry| entry.stage);
            if stage == Some(Stage::HalfOpen(id)) {
                self.forget(half_open);
            }
        }
        Ok(())
    }

    /// The next connection that is open and waits for somebody.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn accept(&mut self, id: ListenerId) -> Result<Option<ConnectionId>, NoSuch> {
        let listener = self.tcp.listeners.get_mut(id.0).ok_or(NoSuch)?;
        while let Some(next) = listener.queue.pop() {
            if let Some(entry) = self.tcp.entries.get_mut(next)
                && entry.stage == Stage::Waiting(id)
            {
                entry.stage = Stage::Held;
                listener.waiting = listener.waiting.saturating_sub(1);
                self.note(|| Note::Accepted { connection: ConnectionId(next), listener: id });
                self.tell_of(next);
                return Ok(Some(ConnectionId(next)));
            }
        }
        Ok(None)
    }

    /// OPEN, active: asks a peer for a connection. Without `local` the host chooses the address
    /// and a port; with port 0 the port.
    ///
    /// RFC 9293 §3.9.1.1 [MUST-44].
    ///
    /// # Errors
    ///
    /// [`ConnectError`]; among others for a peer that cannot be one [MUST-46].
    pub fn connect(
        &mut self,
        now: Instant,
        local: Option<SocketAddr>,
        remote: SocketAddr,
    ) -> Result<ConnectionId, ConnectError> {
        self.connect_with(now, local, remote, self.config.tcp.clone())
    }

    /// [`connect`](Self::connect) with settings of its own.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_with(
        &mut self,
        now: Instant,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        config: Arc<Config>,
    ) -> Result<ConnectionId, ConnectError> {
        if self.is_invalid_remote(remote) {
            return Err(ConnectError::InvalidRemote(remote.ip()));
        }
        if self.owns(remote.ip()) {
            return Err(ConnectError::ToItself(remote.ip()));
        }
        let way = self.routes.way(remote.ip()).ok_or(ConnectError::NoRoute(remote.ip()))?;
        let interface =
            self.interfaces.get(way.interface.index()).ok_or(ConnectError::NoRoute(remote.ip()))?;
        let local_address = match local.map(|local| local.ip()).filter(|local| !local.is_unspecified()) {
            Some(local) if !self.owns(local) || local.is_ipv4() != remote.is_ipv4() => {
                return Err(ConnectError::NotOurAddress(local));
            }
            Some(local) => local,
            None => source(interface, remote.ip(), way.next_hop).ok_or(ConnectError::NoRoute(remote.ip()))?,
        };
        if self.tcp.in_use() >= self.config.max_connections {
            return Err(ConnectError::TooMany);
        }
        let tuple = self.tuple_for(local_address, local.map_or(0, |local| local.port()), remote)?;
        let opening = self.opening(now, way.interface, &tuple, Side::Active);
        let mut connection = Connection::open_active(now, config, opening);
        connection.watch(self.watching());
        let id = self.tcp.insert(Entry::new(tuple, Stage::Held, connection));
        let endpoints = tuple.endpoints();
        self.note(|| Note::Opened { connection: ConnectionId(id), endpoints, listener: None });
        self.drain_notes(id);
        self.tcp.stir(id);
        Ok(ConnectionId(id))
    }

    /// The two sockets of an active open: its port as wanted, or one that is free.
    fn tuple_for(&mut self, local: IpAddr, port: u16, remote: SocketAddr) -> Result<Tuple, ConnectError> {
        if port != 0 {
            let tuple = Tuple::new(local, port, remote.ip(), remote.port());
            return if self.tcp.has(&tuple) { Err(ConnectError::AlreadyExists) } else { Ok(tuple) };
        }
        let tcp = &self.tcp;
        let tuple = |port| Tuple::new(local, port, remote.ip(), remote.port());
        let is_free = |port| !tcp.has(&tuple(port)) && tcp.listener(local, port).is_none();
        let range = &self.config.ports;
        let port = if self.config.sequential_ports {
            self.ports.next_in_sequence(range, is_free)
        } else {
            self.ports.choose(range, local, remote, is_free)
        };
        port.map(tuple).ok_or(ConnectError::NoFreePort)
    }

    /// Whether nobody can be at a remote socket.
    ///
    /// RFC 9293 §3.9.1.1 [MUST-46].
    pub(crate) fn is_invalid_remote(&self, remote: SocketAddr) -> bool {
        remote.port() == 0
            || is_martian(remote.ip())
            || match remote.ip() {
                IpAddr::V4(address) => {
                    self.interfaces.iter().any(|interface| is_subnet_broadcast(interface, address))
                }
                IpAddr::V6(_) => false,
            }
    }

    /// What a connection between two sockets is given at its birth.
    ///
    /// RFC 9293 §3.4.1 [MUST-8] [SHLD-1], §3.7.1 [MUST-67], §3.7.3 [SHLD-6].
    pub(crate) fn opening(&self, now: Instant, interface: InterfaceId, tuple: &Tuple, side: Side) -> Opening {
        let headers = if tuple.local().is_ipv4() { 40 } else { 60 };
        let mtu = self.interface(interface).map_or(576, |interface| interface.mtu);
        let iss = match (self.config.fixed_isn, side) {
            (Some(fixed), Side::Active) => fixed.active,
            (Some(fixed), Side::Passive) => fixed.passive,
            (None, Side::Active | Side::Passive) => {
                isn::initial_sequence_number(&self.isn, &tuple.octets(), now)
            }
        };
        Opening {
            iss,
            timestamp_offset: isn::timestamp_offset(&self.isn, &tuple.octets()),
            mss: u16::try_from(mtu.saturating_sub(headers)).unwrap_or(u16::MAX),
        }
    }

    /// An initial sequence number beyond an earlier connection's last one.
    ///
    /// RFC 9293 §3.6.1 [MAY-2]: larger than the largest number used before. The distance is that of
    /// the largest window without scaling, and one.
    pub(crate) fn beyond(iss: SeqNumber, last: SeqNumber) -> SeqNumber {
        if iss.after(last) { iss } else { last + (1 << 16) + 1 }
    }

    /// The connection that an application may do something with.
    fn held(&self, id: ConnectionId) -> Option<Id> {
        self.tcp.entries.get(id.0).filter(|entry| entry.stage == Stage::Held).map(|_| id.0)
    }

    /// The connection as a whole, where it is one and no record.
    fn held_live(&self, id: ConnectionId) -> Option<&Connection> {
        match &self.tcp.entries.get(self.held(id)?)?.body {
            Body::Live(connection) => Some(connection),
            Body::Record(_) => None,
        }
    }

    /// SEND: queues text and pushes it. Gives how many octets were taken; none if the buffer is full.
    ///
    /// RFC 9293 §3.10.2.
    ///
    /// # Errors
    ///
    /// [`SendError`].
    pub fn send(&mut self, now: Instant, id: ConnectionId, octets: &[u8]) -> Result<usize, SendError> {
        self.send_with(now, id, octets, Push::Yes, Urgent::No)
    }

    /// SEND with a say about PUSH and URGENT.
    ///
    /// # Errors
    ///
    /// [`SendError`].
    pub fn send_with(
        &mut self,
        now: Instant,
        id: ConnectionId,
        octets: &[u8],
        push: Push,
        urgent: Urgent,
    ) -> Result<usize, SendError> {
        let held = self.held(id).ok_or(CallError::NoSuchConnection)?;
        let result = self.with_connection(now, held, |connection| connection.send(now, octets, push, urgent));
        result.ok_or(CallError::NoSuchConnection)?.map_err(CallError::Connection)
    }

    /// How many octets [`send`](Self::send) would take now.
    #[must_use]
    pub fn send_capacity(&self, id: ConnectionId) -> usize {
        self.held_live(id).map_or(0, Connection::send_capacity)
    }

    /// RECEIVE: copies text that has arrived in order. Gives how many octets, 0 if there is none yet.
    ///
    /// RFC 9293 §3.10.3.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`], also where nothing will come any more.
    pub fn receive(
        &mut self,
        now: Instant,
        id: ConnectionId,
        into: &mut [u8],
    ) -> Result<usize, ReceiveError> {
        let held = self.held(id).ok_or(CallError::NoSuchConnection)?;
        let result = self.with_connection(now, held, |connection| connection.receive(now, into));
        result.ok_or(CallError::NoSuchConnection)?.map_err(CallError::Connection)
    }

    /// The first octets that can be read, as far as they lie together; empty if there are none.
    #[must_use]
    pub fn peek(&self, id: ConnectionId) -> &[u8] {
        self.held_live(id).map_or(&[], Connection::peek)
    }

    /// How many octets can be read.
    #[must_use]
    pub fn readable(&self, id: ConnectionId) -> usize {
        self.held_live(id).map_or(0, Connection::readable)
    }

    /// Gives up the first octets that could be read: the window may open.
    pub fn consume(&mut self, now: Instant, id: ConnectionId, octets: usize) {
        if let Some(held) = self.held(id) {
            self.with_connection(now, held, |connection| connection.consume(now, octets));
        }
    }

    /// CLOSE: nothing more will be sent; what is queued still is, and text may still be received.
    ///
    /// RFC 9293 §3.10.4.
    ///
    /// # Errors
    ///
    /// [`CloseError`].
    pub fn close(&mut self, now: Instant, id: ConnectionId) -> Result<(), CloseError> {
        let held = self.held(id).ok_or(CallError::NoSuchConnection)?;
        let result = self.with_connection(now, held, |connection| connection.close(now));
        result.ok_or(CallError::NoSuchConnection)?.map_err(CallError::Connection)
    }

    /// The application is gone: closes what is open, in good order, and the id is dead at once.
    ///
    /// RFC 9293 §3.6.1 [SHLD-3]: text that nobody will read makes it a reset.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn release(&mut self, now: Instant, id: ConnectionId) -> Result<(), NoSuch> {
        let held = self.held(id).ok_or(NoSuch)?;
        let is_one_too_many = self.tcp.orphans >= self.config.max_orphans;
        self.with_connection(now, held, |connection| {
            connection.release(now);
            if is_one_too_many {
                connection.abort(now);
            }
        });
        self.tcp.orphan(held);
        Ok(())
    }

    /// ABORT: throws everything away and resets the connection, and the id is dead at once.
    ///
    /// RFC 9293 §3.10.5.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn abort(&mut self, now: Instant, id: ConnectionId) -> Result<(), NoSuch> {
        let held = self.held(id).ok_or(NoSuch)?;
        self.with_connection(now, held, |connection| connection.abort(now));
        self.tcp.orphan(held);
        Ok(())
    }

    /// STATUS. RFC 9293 §3.10.6. Also of half-open connections and of those in TIME-WAIT.
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn status(&self, id: ConnectionId) -> Result<Status, NoSuch> {
        match &self.tcp.entries.get(id.0).ok_or(NoSuch)?.body {
            Body::Live(connection) => Ok(connection.status()),
            Body::Record(record) => Ok(Connection::unfold(record.config.clone(), &record.folded).status()),
        }
    }

    /// A connection, to look at; none where it is kept as a record (half-open, TIME-WAIT).
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        match &self.tcp.entries.get(id.0)?.body {
            Body::Live(connection) => Some(connection),
            Body::Record(_) => None,
        }
    }

    /// The two sockets of a connection.
    #[must_use]
    pub fn endpoints(&self, id: ConnectionId) -> Option<Endpoints> {
        self.tcp.entries.get(id.0).map(|entry| entry.tuple.endpoints())
    }

    /// All connections, half-open ones and those in TIME-WAIT too, in the order of their places.
    pub fn connections(&self) -> impl Iterator<Item = (ConnectionId, Endpoints, State)> {
        self.tcp.entries.iter().map(|(id, entry)| (ConnectionId(id), entry.tuple.endpoints(), entry.state()))
    }

    /// All passive opens, with what they listen on.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, SocketAddr)> {
        self.tcp.listeners.iter().map(|(id, listener)| (ListenerId(id), listener.local))
    }

    /// Switches Nagle's algorithm. RFC 9293 §3.7.4 [MUST-17].
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn set_nagle(&mut self, now: Instant, id: ConnectionId, nagle: Nagle) -> Result<(), NoSuch> {
        let held = self.held(id).ok_or(NoSuch)?;
        self.with_connection(now, held, |connection| connection.set_nagle(nagle)).ok_or(NoSuch)
    }

    /// Sets the Differentiated Services field of all segments to come: 0 to 63, of which the upper
    /// bits of a larger number are ignored.
    ///
    /// RFC 9293 §3.9.1.9 [MUST-48] [SHLD-21] [SHLD-22].
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn set_diffserv(&mut self, id: ConnectionId, code_point: u8) -> Result<(), NoSuch> {
        let held = self.held(id).ok_or(NoSuch)?;
        self.tcp.entries.get_mut(held).ok_or(NoSuch)?.diffserv = code_point << 2;
        Ok(())
    }

    /// Switches keep-alive. RFC 9293 §3.8.4 [MUST-24].
    ///
    /// # Errors
    ///
    /// The id names nothing.
    pub fn set_keep_alive(
        &mut self,
        now: Instant,
        id: ConnectionId,
        keep_alive: Option<KeepAlive>,
    ) -> Result<(), NoSuch> {
        let held = self.held(id).ok_or(NoSuch)?;
        let set = |connection: &mut Connection| connection.set_keep_alive(now, keep_alive);
        self.with_connection(now, held, set).ok_or(NoSuch)
    }
}

/// All bindings that would get some of the same packets.
pub(crate) fn overlapping(interfaces: &[Interface], local: SocketAddr) -> impl Iterator<Item = Binding> {
    let port = local.port();
    let (wanted, both) = (local.ip(), Binding::of(local).address.is_none());
    let ours = interfaces.iter().flat_map(|interface| &interface.addresses).map(Cidr::address);
    let specific = ours.filter(move |ours| {
        both || *ours == wanted || (wanted.is_unspecified() && ours.is_ipv4() == wanted.is_ipv4())
    });
    let any_v4 = Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).filter(|_| both || wanted.is_ipv4());
    let addresses = specific.chain(any_v4).map(Some).chain(core::iter::once(None));
    addresses.map(move |address| Binding { address, port })
}
