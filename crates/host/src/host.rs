//! The host: what it is made of, its polls and its timers.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_tcp::{State, Watch, isn};
use aperto_time::wheel::{Token, Wheel};
use aperto_time::{Deadline, Duration, Instant};

use crate::budget::Budget;
use crate::config::{Config, Interface};
use crate::connections::{Body, Connections, Record, Stage};
use crate::departure::{About, IcmpKind};
use crate::event::Event;
use crate::fragments::Fragments;
use crate::identifications::Identifications;
use crate::ids::{ConnectionId, InterfaceId};
use crate::keys::isn_secret;
use crate::neighbors::{Neighbors, Question, RETRY_AFTER, Silence, Waiting};
use crate::note::{DropReason, Note, Notes};
use crate::outbox::{LinkMessage, Outbox};
use crate::path_mtu::PathMtus;
use crate::ports::Ports;
use crate::routes::{Route, Routes};
use crate::slab::Id;
use crate::sockets::Sockets;
use crate::telling::Telling;

/// An Internet host. See the [crate] for how to drive it.
///
/// A clone is an independent host in the same state: a snapshot.
#[derive(Clone, Debug)]
pub struct Host {
    pub(crate) config: Config,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) routes: Routes,
    /// From whom to whom the last packet for us alone went, and through which interface.
    pub(crate) admitted: Option<(InterfaceId, IpAddr, IpAddr)>,
    pub(crate) isn: isn::Secret,
    pub(crate) tcp: Connections,
    pub(crate) udp: Sockets,
    pub(crate) ports: Ports,
    pub(crate) wheel: Wheel<Due>,
    pub(crate) fragments: Fragments,
    fragments_timer: Option<Token>,
    /// Connections whose buffers keep memory after a long transfer.
    keep_memory: Vec<Id>,
    pub(crate) neighbors: Neighbors,
    pub(crate) path_mtus: PathMtus,
    pub(crate) budget: Budget,
    pub(crate) outbox: Outbox,
    pub(crate) identifications: Identifications,
    /// How many frames the connection at the head of the list has sent in a row.
    pub(crate) in_a_row: u32,
    pub(crate) telling: VecDeque<Telling>,
    /// Events about pings that wait.
    pub(crate) echoes: VecDeque<Event>,
    pub(crate) notes: Notes,
}

/// What a timer of the wheel is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    Connection(Id),
    Neighbor(Id),
    Fragments,
    Memory,
}

/// What a host waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// A timer of a connection.
    Tcp {
        /// Which connection.
        connection: ConnectionId,
        /// Which of its timers.
        timer: aperto_tcp::Timer,
    },
    /// A neighbor is asked again, or given up. RFC 4861 §7.2.2, RFC 1122 §2.3.2.
    Neighbor,
    /// Fragments are given up. RFC 1122 §3.3.2.
    Reassembly,
    /// Memory is given back that buffers kept after long transfers.
    Memory,
}

/// How long buffers may keep memory that they do not use.
const MEMORY_KEPT: Duration = Duration::from_secs(1);

impl Host {
    /// A host without interfaces.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let secret = &config.secret;
        Self {
            interfaces: Vec::new(),
            routes: Routes::default(),
            admitted: None,
            isn: isn_secret(secret),
            tcp: Connections::new(&config),
            udp: Sockets::new(secret),
            ports: Ports::new(secret),
            wheel: Wheel::new(),
            fragments: Fragments::default(),
            fragments_timer: None,
            keep_memory: Vec::new(),
            neighbors: Neighbors::new(config.max_neighbors),
            path_mtus: PathMtus::default(),
            budget: Budget::new(secret, config.icmp_errors_per_second),
            outbox: Outbox::default(),
            identifications: Identifications::new(secret),
            in_a_row: 0,
            telling: VecDeque::new(),
            echoes: VecDeque::new(),
            notes: Notes::default(),
            config,
        }
    }

    /// Adds an interface. Its networks are reached through it from now on.
    pub fn add_interface(&mut self, interface: Interface) -> InterfaceId {
        let id = InterfaceId(u32::try_from(self.interfaces.len()).expect("fewer than 2^32 interfaces"));
        for ours in &interface.addresses {
            self.routes.add(Route { to: *ours, via: None, interface: id });
        }
        self.interfaces.push(interface);
        self.admitted = None;
        id
    }

    /// Adds a route. RFC 1122 §3.3.1.
    pub fn add_route(&mut self, route: Route) {
        self.routes.add(route);
    }

    /// An interface as it was added.
    #[must_use]
    pub fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.interfaces.get(id.index())
    }

    /// The interfaces as they were added.
    pub fn interfaces(&self) -> impl Iterator<Item = (InterfaceId, &Interface)> {
        (0..).map(InterfaceId).zip(&self.interfaces)
    }

    /// The settings of the host.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether an address is one of ours.
    #[must_use]
    #[inline]
    pub fn owns(&self, address: IpAddr) -> bool {
        let mut ours = self.interfaces.iter().flat_map(|interface| &interface.addresses);
        ours.any(|ours| ours.address() == address)
    }

    /// Begins or stops to take notes, here and in every connection.
    pub fn watch(&mut self, watch: Watch) {
        self.notes.watch(watch == Watch::On);
        for (_, entry) in self.tcp.entries.iter_mut() {
            if let Body::Live(connection) = &mut entry.body {
                connection.watch(watch);
            }
        }
    }

    /// The next note for an observer; none unless [`watch`](Self::watch) asked for them.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.notes.poll()
    }

    pub(crate) const fn watching(&self) -> Watch {
        if self.notes.watching() { Watch::On } else { Watch::Off }
    }

    #[inline]
    pub(crate) fn note(&mut self, note: impl FnOnce() -> Note) {
        self.notes.take(self.config.max_notes, note);
    }

    /// Notes that something was not used.
    #[inline]
    pub(crate) fn dropped(&mut self, interface: InterfaceId, reason: DropReason) {
        self.note(|| Note::Dropped { interface: Some(interface), reason });
    }

    // Timers.

    /// When [`deadline_passed`](Self::deadline_passed) is to be called, and for what.
    ///
    /// It is exact: a timer that was armed and has moved on since is moved in the wheel only here,
    /// when it is the first.
    pub fn poll_deadline(&mut self) -> Option<Deadline<Timer>> {
        loop {
            let (at, due, token) = self.wheel.first()?;
            let id = match due {
                Due::Connection(id) => id,
                Due::Neighbor(_) => return Some(Deadline::new(at, Timer::Neighbor)),
                Due::Fragments => return Some(Deadline::new(at, Timer::Reassembly)),
                Due::Memory => return Some(Deadline::new(at, Timer::Memory)),
            };
            let Some(entry) = self.tcp.entries.get_mut(id) else {
                self.wheel.cancel(token);
                continue;
            };
            match entry.deadline() {
                None => {
                    entry.timer = None;
                    self.wheel.cancel(token);
                }
                Some(deadline) if deadline.at > at => {
                    entry.armed_for = deadline.at;
                    self.wheel.move_to(token, deadline.at);
                }
                Some(deadline) => {
                    let connection = ConnectionId(id);
                    return Some(deadline.map(|timer| Timer::Tcp { connection, timer }));
                }
            }
        }
    }

    /// Time has come to some deadline, or passed it.
    pub fn deadline_passed(&mut self, now: Instant) {
        while let Some((_, due)) = self.wheel.fire(now) {
            match due {
                Due::Connection(id) => self.connection_due(now, id),
                Due::Neighbor(id) => self.neighbor_silent(now, id),
                Due::Fragments => {
                    self.fragments_timer = None;
                    self.fragments_expire(now);
                }
                Due::Memory => self.give_back_memory(),
            }
        }
    }

    /// Has the memory of a connection given back in a second, if its buffers keep some.
    pub(crate) fn limit_memory(&mut self, now: Instant, id: Id) {
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        let Body::Live(connection) = &entry.body else { return };
        if entry.keeps_memory || !connection.has_spare_memory() {
            return;
        }
        entry.keeps_memory = true;
        if self.keep_memory.is_empty() {
            self.wheel.arm(now + MEMORY_KEPT, Due::Memory);
        }
        self.keep_memory.push(id);
    }

    /// Those whose buffers keep memory give it back; whoever is in the midst of a long transfer
    /// takes it anew.
    fn give_back_memory(&mut self) {
        for id in core::mem::take(&mut self.keep_memory) {
            let Some(entry) = self.tcp.entries.get_mut(id) else { continue };
            entry.keeps_memory = false;
            if let Body::Live(connection) = &mut entry.body {
                connection.give_back_memory();
            }
        }
    }

    fn connection_due(&mut self, now: Instant, id: Id) {
        let watch = self.watching();
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        entry.timer = None;
        match entry.deadline() {
            Some(deadline) if deadline.at <= now => {
                entry.live(watch).deadline_passed(now);
                self.drain_notes(id);
                self.tcp.stir(id);
            }
            Some(_) => self.rearm(id),
            None => {}
        }
    }

    /// Arms the wheel for a connection whose deadline has come nearer. One that has gone further
    /// away waits until the wheel comes to it.
    fn rearm(&mut self, id: Id) {
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        let Some(deadline) = entry.deadline() else { return };
        match entry.timer {
            Some(_) if entry.armed_for <= deadline.at => return,
            Some(token) => self.wheel.move_to(token, deadline.at),
            None => entry.timer = Some(self.wheel.arm(deadline.at, Due::Connection(id))),
        }
        entry.armed_for = deadline.at;
    }

    pub(crate) fn arm_neighbor(&mut self, now: Instant, id: Id, question: Question) {
        self.outbox.push_link(LinkMessage::Question(question));
        if let Some(neighbor) = self.neighbors.get_mut(id) {
            neighbor.timer = Some(self.wheel.arm(now + RETRY_AFTER, Due::Neighbor(id)));
        }
    }

    fn neighbor_silent(&mut self, now: Instant, id: Id) {
        match self.neighbors.silence(id) {
            Silence::Again(question) => self.arm_neighbor(now, id, question),
            Silence::GivenUp(address, waiting) => {
                for waiting in waiting {
                    let reason = DropReason::NeighborSilent(address);
                    self.note(|| Note::Dropped { interface: None, reason });
                    self.packet_undeliverable(now, &waiting);
                }
            }
            Silence::Settled => {}
        }
    }

    /// A packet of ours found no neighbor: whoever sent it is told, as by a router.
    ///
    /// RFC 1122 §2.4: the link layer must report that a destination is unreachable.
    fn packet_undeliverable(&mut self, now: Instant, waiting: &Waiting) {
        match waiting.about {
            About::Tcp { connection: Some(id), header, .. } => {
                let hard = aperto_tcp::Icmp::Hard;
                self.with_connection(now, id.0, |connection| connection.icmp_arrives(now, header.seq, hard));
            }
            About::Udp { socket: Some(socket), endpoints, .. } => {
                self.tell_of_error(socket, endpoints.remote, IcmpKind::HostUnreachable);
            }
            _ => {}
        }
    }

    pub(crate) fn arm_fragments(&mut self) {
        if self.fragments_timer.is_none()
            && let Some(at) = self.fragments.deadline()
        {
            self.fragments_timer = Some(self.wheel.arm(at, Due::Fragments));
        }
    }

    // Connections.

    /// Does something with a connection, and sees to what it may have caused.
    pub(crate) fn with_connection<T>(
        &mut self,
        now: Instant,
        id: Id,
        input: impl FnOnce(&mut aperto_tcp::Connection) -> T,
    ) -> Option<T> {
        let watch = self.watching();
        let entry = self.tcp.entries.get_mut(id)?;
        let result = input(entry.live(watch));
        self.drain_notes(id);
        self.promote(now, id);
        self.tcp.stir(id);
        Some(result)
    }

    /// Takes the notes of a connection over, in their order among others.
    #[inline]
    pub(crate) fn drain_notes(&mut self, id: Id) {
        if self.notes.watching() {
            self.drain_notes_of_watched(id);
        }
    }

    #[inline(never)]
    fn drain_notes_of_watched(&mut self, id: Id) {
        let most = self.config.max_notes;
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        let Body::Live(connection) = &mut entry.body else { return };
        let endpoints = entry.tuple.endpoints();
        while let Some(note) = connection.poll_note() {
            self.notes.take(most, || Note::Tcp { connection: Some(ConnectionId(id)), endpoints, note });
        }
    }

    /// A connection that has just become open goes to the queue of its listener.
    ///
    /// RFC 9293 §3.9.1.1.
    #[inline]
    pub(crate) fn promote(&mut self, now: Instant, id: Id) {
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        let Stage::HalfOpen(listener) = entry.stage else { return };
        if !entry.state().is_synchronized() {
            return;
        }
        if self.tcp.listeners.get(listener.0).is_none() {
            // Nobody listens any more.
            self.tcp.uncount_half_open(listener);
            entry_orphaned(&mut self.tcp, id, now);
            return;
        }
        let tell = self.tcp.queue(id, listener);
        self.note(|| Note::Queued { connection: ConnectionId(id), listener });
        if tell {
            self.tell_of_listener(listener);
        }
    }

    /// A connection has nothing more to send: sees what has become of it.
    pub(crate) fn settle(&mut self, id: Id) {
        self.drain_notes(id);
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        match (entry.state(), entry.stage) {
            // A passive open whose SYN was reset is nobody's: note 1 of Figure 5.
            (State::Closed | State::Listen, Stage::HalfOpen(_) | Stage::Waiting(_) | Stage::Orphan) => {
                self.forget(id);
            }
            (State::Closed | State::Listen, Stage::Held) => {
                if let Some(token) = entry.timer.take() {
                    self.wheel.cancel(token);
                }
                if core::mem::take(&mut entry.lingering) {
                    self.tcp.lingering_count -= 1;
                }
                self.tcp.unlink(id);
                self.tell_of(id);
            }
            (_, stage) => {
                if stage == Stage::Held {
                    self.tell_of(id);
                }
                self.fold(id);
                self.rearm(id);
            }
        }
    }

    /// Makes a record of a connection, if it is one that can be kept so.
    pub(crate) fn fold(&mut self, id: Id) {
        let most = self.config.max_time_wait;
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        let Body::Live(connection) = &mut entry.body else { return };
        let foldable = match (connection.state(), entry.stage) {
            (State::TimeWait, _) | (State::SynReceived, Stage::HalfOpen(_)) => !entry.ready,
            _ => false,
        };
        if !foldable {
            return;
        }
        let is_time_wait = connection.state() == State::TimeWait;
        // What nobody will ever be told must not keep it large.
        if !matches!(entry.stage, Stage::Held | Stage::Waiting(_)) {
            while connection.poll_event().is_some() {}
        }
        if let Some(folded) = connection.fold() {
            let config = connection.config().clone();
            entry.body = Body::Record(Box::new(Record { config, folded }));
        }
        if is_time_wait && let Some(oldest) = self.tcp.count_lingering(id, most) {
            self.give_way(oldest, DropReason::TimeWaitGaveWay);
        }
    }

    /// A connection gives way to a newer one.
    pub(crate) fn give_way(&mut self, id: Id, reason: DropReason) {
        self.note(|| Note::Dropped { interface: None, reason });
        let watch = self.watching();
        let Some(entry) = self.tcp.entries.get_mut(id) else { return };
        if entry.stage == Stage::Held {
            // The application has not released it: it finds a closed connection.
            entry.live(watch).abort(Instant::ZERO);
            self.settle(id);
        } else {
            self.forget(id);
        }
    }

    /// Forgets a connection: its id names nothing from now on.
    pub(crate) fn forget(&mut self, id: Id) {
        let Some(entry) = self.tcp.remove(id) else { return };
        if let Some(token) = entry.timer {
            self.wheel.cancel(token);
        }
        self.note(|| Note::Forgotten { connection: ConnectionId(id), endpoints: entry.tuple.endpoints() });
    }
}

/// Takes a connection from a listener that is gone: its peer gets a reset.
fn entry_orphaned(tcp: &mut Connections, id: Id, now: Instant) {
    tcp.orphan(id);
    if let Some(entry) = tcp.entries.get_mut(id)
        && let Body::Live(connection) = &mut entry.body
    {
        connection.abort(now);
    }
    tcp.stir(id);
}
