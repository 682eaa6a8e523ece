//! What handles and driver share: the host behind a lock, and who waits for what.
//!
//! A handle takes the lock, asks the host, and where there is nothing leaves its waker behind,
//! all under the one lock: an event that comes afterwards finds the waker. The driver is woken
//! by every call that may have something to send.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use aperto_host::{ConnectionId, Event, Host, ListenerId, UdpId};
use aperto_tcp::{End, State};
use aperto_time::Instant;
use tokio::sync::oneshot;

use crate::clock;
use crate::driver::Counters;

/// The wakers of those who wait for one thing. Each task is in it once.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Vec<Waker>);

impl Waiters {
    pub(crate) fn register(&mut self, context: &Context<'_>) {
        if !self.0.iter().any(|waiting| waiting.will_wake(context.waker())) {
            self.0.push(context.waker().clone());
        }
    }

    /// Everybody is due to be woken, when the lock is let go.
    pub(crate) fn wake(&mut self, due: &mut Vec<Waker>) {
        due.append(&mut self.0);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is known of a connection that a handle holds.
#[derive(Debug, Default)]
pub(crate) struct StreamState {
    pub(crate) readers: Waiters,
    pub(crate) writers: Waiters,
    /// Who waits for it to open or to end.
    pub(crate) watchers: Waiters,
    pub(crate) established: bool,
    pub(crate) trouble: bool,
    pub(crate) ended: Option<End>,
}

impl StreamState {
    fn wake_all(&mut self, due: &mut Vec<Waker>) {
        self.readers.wake(due);
        self.writers.wake(due);
        self.watchers.wake(due);
    }
}

/// What is known of a UDP socket.
#[derive(Debug, Default)]
pub(crate) struct DatagramState {
    pub(crate) readers: Waiters,
    /// The remote end that refused last; told once.
    pub(crate) refused_by: Option<SocketAddr>,
}

/// A ping that waits for its answer.
#[derive(Debug)]
pub(crate) struct Ping {
    pub(crate) ident: u16,
    pub(crate) seq: u16,
    pub(crate) to: IpAddr,
    pub(crate) answered: oneshot::Sender<Instant>,
}

pub(crate) struct Core {
    pub(crate) host: Host,
    /// What the wires call addresses outside, by their names inside, and the other way round.
    outer_names: BTreeMap<SocketAddr, SocketAddr>,
    inner_names: BTreeMap<SocketAddr, SocketAddr>,
    pub(crate) streams: BTreeMap<ConnectionId, StreamState>,
    pub(crate) listeners: BTreeMap<ListenerId, Waiters>,
    pub(crate) datagrams: BTreeMap<UdpId, DatagramState>,
    pub(crate) pings: Vec<Ping>,
    pub(crate) next_ping: u16,
    /// Connections that somebody waits for to be over: the way into TIME-WAIT is no event.
    pub(crate) closing: BTreeSet<ConnectionId>,
    /// Who waits until no connection has anything left to do.
    pub(crate) settling: Waiters,
    /// Whom the system said to refuse us last: no TCP said so.
    pub(crate) refused_by_system: Option<SocketAddr>,
    pub(crate) counters: Counters,
    /// Whether the driver was asked to end.
    pub(crate) stop: bool,
    /// Whether it has ended.
    pub(crate) stopped: bool,
    /// Who is to be woken when the lock is let go: a waker may run code of others, which may want
    /// the lock.
    pub(crate) due: Vec<Waker>,
    /// How many handles there are.
    handles: usize,
    driver: Option<Waker>,
}

impl Core {
    pub(crate) fn new(host: Host, names: Vec<(SocketAddr, SocketAddr)>) -> Self {
        let outer_names = names.iter().copied().collect();
        // Of several inner names of one address the first counts.
        let inner_names = names.into_iter().rev().map(|(inner, outer)| (outer, inner)).collect();
        Self {
            host,
            outer_names,
            inner_names,
            streams: BTreeMap::new(),
            listeners: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            pings: Vec::new(),
            next_ping: 0,
            closing: BTreeSet::new(),
            settling: Waiters::default(),
            refused_by_system: None,
            counters: Counters::default(),
            stop: false,
            stopped: false,
            due: Vec::new(),
            handles: 0,
            driver: None,
        }
    }

    pub(crate) fn register_driver(&mut self, context: &Context<'_>) {
        if !self.driver.as_ref().is_some_and(|driver| driver.will_wake(context.waker())) {
            self.driver = Some(context.waker().clone());
        }
    }

    pub(crate) fn wake_driver(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }

    /// A wire has given a peer another name. One for each port of this machine at most.
    pub(crate) fn name(&mut self, inner: SocketAddr, outer: SocketAddr) {
        self.outer_names.insert(inner, outer);
    }

    /// The name that users know an address by.
    pub(crate) fn outer(&self, inner: SocketAddr) -> SocketAddr {
        self.outer_names.get(&inner).copied().unwrap_or(inner)
    }

    /// The name that the host knows an address by.
    pub(crate) fn inner(&self, outer: SocketAddr) -> SocketAddr {
        self.inner_names.get(&outer).copied().unwrap_or(outer)
    }

    /// Hands the host's events to those who wait for them. Says whether there were any.
    pub(crate) fn deliver_events(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.host.poll_event() {
            any = true;
            match event {
                Event::Incoming(listener) => {
                    if let Some(waiters) = self.listeners.get_mut(&listener) {
                        waiters.wake(&mut self.due);
                    }
                }
                Event::Tcp(id, event) => self.deliver_to_stream(id, event),
                Event::Udp(id) => {
                    if let Some(state) = self.datagrams.get_mut(&id) {
                        state.readers.wake(&mut self.due);
                    }
                }
                Event::UdpError { socket, remote, .. } => {
                    if let Some(state) = self.datagrams.get_mut(&socket) {
                        state.refused_by = Some(remote);
                        state.readers.wake(&mut self.due);
                    }
                }
                Event::Echo { from, identifier, sequence, .. } => {
                    self.deliver_echo(from, identifier, sequence);
                }
                // Whoever pings waits for an answer, and is out of patience at some time.
                Event::EchoError { .. } => {}
            }
        }
        any
    }

    fn deliver_to_stream(&mut self, id: ConnectionId, event: aperto_tcp::Event) {
        use aperto_tcp::Event as Tcp;
        let Self { streams, due, .. } = self;
        let Some(state) = streams.get_mut(&id) else { return };
        match event {
            Tcp::Established => {
                state.established = true;
                state.wake_all(due);
            }
            Tcp::Readable | Tcp::PeerClosed | Tcp::Urgent => state.readers.wake(due),
            Tcp::Writable => state.writers.wake(due),
            Tcp::DeliveryTrouble => {
                state.trouble = true;
                state.watchers.wake(due);
            }
            Tcp::Ended(end) => {
                state.ended = Some(end);
                state.wake_all(due);
            }
        }
    }

    fn deliver_echo(&mut self, from: IpAddr, ident: u16, seq: u16) {
        let ours = |ping: &Ping| ping.ident == ident && ping.seq == seq && ping.to == from;
        if let Some(place) = self.pings.iter().position(ours) {
            // Whoever asked may have gone away meanwhile; then nobody minds.
            let _ = self.pings.swap_remove(place).answered.send(clock::now());
        }
    }

    /// Aborts a connection: the host forgets its name at once, so its end is noted here.
    pub(crate) fn abort(&mut self, now: Instant, id: ConnectionId) {
        if self.host.abort(now, id).is_ok()
            && let Some(state) = self.streams.get_mut(&id)
        {
            state.ended = state.ended.or(Some(End::Aborted));
            state.wake_all(&mut self.due);
        }
        self.wake_driver();
    }

    /// Whether a connection has nothing left to do.
    pub(crate) fn is_over(&self, id: ConnectionId) -> bool {
        match self.host.status(id) {
            Ok(status) => matches!(status.state, State::TimeWait | State::Closed),
            Err(_) => true,
        }
    }

    /// Wakes those who wait for a connection that has come to its end, or for all to have.
    pub(crate) fn deliver_ends(&mut self) {
        let over: Vec<ConnectionId> = self.closing.iter().copied().filter(|id| self.is_over(*id)).collect();
        for id in over {
            self.closing.remove(&id);
            if let Some(state) = self.streams.get_mut(&id) {
                state.watchers.wake(&mut self.due);
            }
        }
        if !self.settling.is_empty() && self.is_settled() {
            self.settling.wake(&mut self.due);
        }
    }

    /// Whether no handle is left.
    pub(crate) const fn is_abandoned(&self) -> bool {
        self.handles == 0
    }

    /// Whether every connection has done what it had to do, but for staying in TIME-WAIT.
    pub(crate) fn is_settled(&self) -> bool {
        self.host.connections().all(|(_, _, state)| matches!(state, State::TimeWait | State::Closed))
    }

    /// The driver is gone: nobody waits for it any more.
    pub(crate) fn end(&mut self) {
        self.stopped = true;
        self.driver = None;
        self.pings.clear();
        let due = &mut self.due;
        self.settling.wake(due);
        for state in self.streams.values_mut() {
            state.wake_all(due);
        }
        for waiters in self.listeners.values_mut() {
            waiters.wake(due);
        }
        for state in self.datagrams.values_mut() {
            state.readers.wake(due);
        }
    }
}

/// What the driver has of it all.
pub(crate) struct Shared(Mutex<Core>);

impl Shared {
    pub(crate) fn new(core: Core) -> Arc<Self> {
        Arc::new(Self(Mutex::new(core)))
    }

    /// The lock. A task that panicked in it was wrong about itself; the others go on.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a handle has of it all. When the last one goes, the driver may go, too.
pub(crate) struct Hold(Arc<Shared>);

impl Hold {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.lock().handles += 1;
        Self(shared)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.lock()
    }
}

impl Clone for Hold {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut core = self.lock();
        core.handles -= 1;
        if core.handles == 0 {
            core.wake_driver();
        }
    }
}
