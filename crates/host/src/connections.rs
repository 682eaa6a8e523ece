//! All TCP connections of a host, and the lists that spare it to walk them.
//!
//! A connection in use is a box of its own. One in SYN-RECEIVED that came through a listener, or in
//! TIME-WAIT, is folded into a record (RFC 4987 §3.4 calls the first a SYN cache) and unfolded when
//! something happens to it. Either way its entry here keeps its id, its two sockets and its timer.
//!
//! What bounds a flood: half-open connections are counted, in all and for each listener, and beyond
//! the bound the oldest gives way, because the newest may be honest and the oldest has had its time;
//! so do those in TIME-WAIT.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use aperto_tcp::{Connection, Folded};
use aperto_time::wheel::Token;
use aperto_time::{Deadline, Instant};

use crate::config::Config;
use crate::demux::{Binding, Table, Tuple};
use crate::ids::ListenerId;
use crate::keys::Key;
use crate::slab::{Id, Slab};

/// Who has a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// A SYN has arrived, and nobody has proven yet to have sent it.
    HalfOpen(ListenerId),
    /// Open, and not accepted yet.
    Waiting(ListenerId),
    /// The application has it.
    Held,
    /// The application has released it.
    Orphan,
}

/// A connection or its record.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Live(Box<Connection>),
    Record(Box<Record>),
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) config: Arc<aperto_tcp::Config>,
    pub(crate) folded: Folded,
}

/// What a host knows of a connection beside the connection.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) tuple: Tuple,
    pub(crate) stage: Stage,
    pub(crate) body: Body,
    pub(crate) timer: Option<Token>,
    /// What the timer is armed for, so that nobody need look into the wheel.
    pub(crate) armed_for: Instant,
    /// The Differentiated Services field of its packets, in place: the upper six bits of an octet.
    pub(crate) diffserv: u8,
    /// Whether the table finds it: not after it has ended, so that its sockets are free.
    pub(crate) linked: bool,
    /// Whether it is in the list of those that may have something to send.
    pub(crate) ready: bool,
    /// Whether it is in the list of those that may have something to tell.
    pub(crate) telling: bool,
    /// Whether it counts as one in TIME-WAIT.
    pub(crate) lingering: bool,
    /// Whether it is in the list of those whose buffers keep memory.
    pub(crate) keeps_memory: bool,
}

impl Entry {
    pub(crate) fn new(tuple: Tuple, stage: Stage, connection: Connection) -> Self {
        Self {
            tuple,
            stage,
            body: Body::Live(Box::new(connection)),
            timer: None,
            armed_for: Instant::FAR_FUTURE,
            diffserv: 0,
            linked: true,
            ready: false,
            telling: false,
            lingering: false,
            keeps_memory: false,
        }
    }

    pub(crate) fn state(&self) -> aperto_tcp::State {
        match &self.body {
            Body::Live(connection) => connection.state(),
            Body::Record(record) => record.folded.state(),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Deadline<aperto_tcp::Timer>> {
        match &self.body {
            Body::Live(connection) => connection.poll_deadline(),
            Body::Record(record) => Some(record.folded.deadline()),
        }
    }

    /// The connection as a record, if it is one or could be one once its events are told.
    pub(crate) fn record(&self) -> Option<Folded> {
        match &self.body {
            Body::Live(connection) => {
                let mut copy = connection.clone();
                while copy.poll_event().is_some() {}
                while copy.poll_note().is_some() {}
                copy.fold()
            }
            Body::Record(record) => Some(record.folded.clone()),
        }
    }

    /// The connection, unfolded if it was a record. `watch` is whether to take notes from then on.
    pub(crate) fn live(&mut self, watch: aperto_tcp::Watch) -> &mut Connection {
        if let Body::Record(record) = &self.body {
            let mut connection = Connection::unfold(record.config.clone(), &record.folded);
            connection.watch(watch);
            self.body = Body::Live(Box::new(connection));
        }
        match &mut self.body {
            Body::Live(connection) => connection,
            Body::Record(_) => unreachable!("it was just unfolded"),
        }
    }
}

/// A passive open.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) binding: Binding,
    pub(crate) local: core::net::SocketAddr,
    pub(crate) config: Arc<aperto_tcp::Config>,
    pub(crate) backlog: usize,
    /// Connections to be accepted, some of which may have ended.
    pub(crate) queue: Aging,
    /// How many of them have not.
    pub(crate) waiting: usize,
    pub(crate) half_open: Aging,
    pub(crate) half_open_count: usize,
    /// Whether an event waits that says so.
    pub(crate) telling: bool,
}

/// Ids in the order in which they came. Those that have gone otherwise stay until they are met, or
/// until they are more than the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aging {
    ids: VecDeque<Id>,
}

impl Aging {
    /// Adds an id. `count` is how many are alive with it, `is_alive` says which.
    pub(crate) fn push(&mut self, id: Id, count: usize, is_alive: impl Fn(Id) -> bool) {
        self.ids.push_back(id);
        if self.ids.len() > 2 * count + 16 {
            self.ids.retain(|id| is_alive(*id));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Id> {
        self.ids.pop_front()
    }
}

/// All connections and listeners.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pub(crate) entries: Slab<Entry>,
    table: Table,
    /// The place that was found last: bulk transfers look for it again and again.
    last: u32,
    pub(crate) listeners: Slab<Listener>,
    bindings: Table,
    /// Those that may have something to send.
    pub(crate) ready: VecDeque<Id>,
    pub(crate) half_open: Aging,
    pub(crate) half_open_count: usize,
    pub(crate) lingering: Aging,
    pub(crate) lingering_count: usize,
    /// How many nobody has that are not in TIME-WAIT.
    pub(crate) orphans: usize,
}

impl Connections {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            entries: Slab::new(),
            table: Table::new(Key::new(&config.secret, 1)),
            last: 0,
            listeners: Slab::new(),
            bindings: Table::new(Key::new(&config.secret, 2)),
            ready: VecDeque::new(),
            half_open: Aging::default(),
            half_open_count: 0,
            lingering: Aging::default(),
            lingering_count: 0,
            orphans: 0,
        }
    }

    /// How many there are that are neither half-open nor in TIME-WAIT.
    pub(crate) const fn in_use(&self) -> usize {
        self.entries.len().saturating_sub(self.half_open_count + self.lingering_count)
    }

    /// The connection between two sockets.
    #[inline]
    pub(crate) fn find(&mut self, tuple: &Tuple) -> Option<Id> {
        if let Some((id, entry)) = self.entries.at(self.last)
            && entry.tuple == *tuple
            && entry.linked
        {
            return Some(id);
        }
        let place = self.search(tuple)?;
        self.last = place;
        self.entries.at(place).map(|(id, _)| id)
    }

    /// Whether there is a connection between two sockets.
    pub(crate) fn has(&self, tuple: &Tuple) -> bool {
        self.search(tuple).is_some()
    }

    fn search(&self, tuple: &Tuple) -> Option<u32> {
        let entries = &self.entries;
        let is_it = |place| entries.at(place).is_some_and(|(_, entry)| entry.tuple == *tuple);
        self.table.find(tuple.hash(&self.table.key), is_it)
    }

    pub(crate) fn insert(&mut self, entry: Entry) -> Id {
        let tuple = entry.tuple;
        let id = self.entries.insert(entry);
        let (entries, key) = (&self.entries, self.table.key);
        let hash_of = |place| entries.at(place).map_or(0, |(_, entry)| entry.tuple.hash(&key));
        self.table.insert(tuple.hash(&key), id.index, hash_of);
        id
    }

    /// Takes a connection out of the table, so that its sockets are free.
    pub(crate) fn unlink(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id)
            && core::mem::take(&mut entry.linked)
        {
            let hash = entry.tuple.hash(&self.table.key);
            self.table.remove(hash, id.index);
        }
    }

    /// Has a connection asked for what it may send.
    #[inline]
    pub(crate) fn stir(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id)
            && !core::mem::replace(&mut entry.ready, true)
        {
            self.ready.push_back(id);
        }
    }

    /// Counts a half-open connection. Gives the one that must give way, if there are too many: the
    /// oldest of the listener, or of all.
    pub(crate) fn count_half_open(&mut self, id: Id, listener: ListenerId, most: usize) -> Option<Id> {
        let entries = &self.entries;
        let is_half_open =
            |id: Id| entries.get(id).is_some_and(|entry| matches!(entry.stage, Stage::HalfOpen(_)));
        self.half_open_count += 1;
        self.half_open.push(id, self.half_open_count, is_half_open);
        let listener = self.listeners.get_mut(listener.0)?;
        listener.half_open_count += 1;
        listener.half_open.push(id, listener.half_open_count, is_half_open);
        let order = if listener.half_open_count > (most / 2).max(1) {
            &mut listener.half_open
        } else if self.half_open_count > most.max(1) {
            &mut self.half_open
        } else {
            return None;
        };
        while let Some(oldest) = order.pop() {
            if is_half_open(oldest) {
                return Some(oldest);
            }
        }
        None
    }

    /// A half-open connection is none any more.
    pub(crate) fn uncount_half_open(&mut self, listener: ListenerId) {
        self.half_open_count = self.half_open_count.saturating_sub(1);
        if let Some(listener) = self.listeners.get_mut(listener.0) {
            listener.half_open_count = listener.half_open_count.saturating_sub(1);
        }
    }

    /// Counts a connection in TIME-WAIT. Gives the oldest, if there are too many.
    pub(crate) fn count_lingering(&mut self, id: Id, most: usize) -> Option<Id> {
        let entry = self.entries.get_mut(id)?;
        if core::mem::replace(&mut entry.lingering, true) {
            return None;
        }
        if entry.stage == Stage::Orphan {
            self.orphans = self.orphans.saturating_sub(1);
        }
        let entries = &self.entries;
        let is_lingering = |id: Id| entries.get(id).is_some_and(|entry| entry.lingering);
        self.lingering_count += 1;
        self.lingering.push(id, self.lingering_count, is_lingering);
        if self.lingering_count <= most.max(1) {
            return None;
        }
        while let Some(oldest) = self.lingering.pop() {
            if is_lingering(oldest) {
                return Some(oldest);
            }
        }
        None
    }

    /// Forgets a connection altogether. Its timer is the caller's to cancel.
    pub(crate) fn remove(&mut self, id: Id) -> Option<Entry> {
        self.unlink(id);
        let entry = self.entries.remove(id)?;
        if entry.lingering {
            self.lingering_count -= 1;
        }
        match entry.stage {
            Stage::HalfOpen(listener) => self.uncount_half_open(listener),
            Stage::Waiting(listener) => {
                if let Some(listener) = self.listeners.get_mut(listener.0) {
                    listener.waiting = listener.waiting.saturating_sub(1);
                }
            }
            Stage::Orphan if !entry.lingering => self.orphans = self.orphans.saturating_sub(1),
            Stage::Held | Stage::Orphan => {}
        }
        Some(entry)
    }

    /// Nobody has a connection any more.
    pub(crate) fn orphan(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id)
            && entry.stage != Stage::Orphan
        {
            entry.stage = Stage::Orphan;
            self.orphans += usize::from(!entry.lingering);
        }
    }

    /// Who listens on one of our sockets.
    pub(crate) fn listener(&self, local: core::net::IpAddr, port: u16) -> Option<ListenerId> {
        let listeners = &self.listeners;
        Binding::candidates(local, port).into_iter().find_map(|binding| {
            let is_it = |place| listeners.at(place).is_some_and(|(_, there)| there.binding == binding);
            let place = self.bindings.find(binding.hash(&self.bindings.key), is_it)?;
            listeners.at(place).map(|(id, _)| ListenerId(id))
        })
    }

    /// Whether a listener has exactly this binding.
    pub(crate) fn is_bound(&self, binding: &Binding) -> bool {
        let listeners = &self.listeners;
        let is_it = |place| listeners.at(place).is_some_and(|(_, there)| there.binding == *binding);
        self.bindings.find(binding.hash(&self.bindings.key), is_it).is_some()
    }

    pub(crate) fn insert_listener(&mut self, listener: Listener) -> ListenerId {
        let binding = listener.binding;
        let id = self.listeners.insert(listener);
        let (listeners, key) = (&self.listeners, self.bindings.key);
        let hash_of = |place| listeners.at(place).map_or(0, |(_, there)| there.binding.hash(&key));
        self.bindings.insert(binding.hash(&key), id.index, hash_of);
        ListenerId(id)
    }

    pub(crate) fn remove_listener(&mut self, id: ListenerId) -> Option<Listener> {
        let listener = self.listeners.remove(id.0)?;
        self.bindings.remove(listener.binding.hash(&self.bindings.key), id.0.index);
        Some(listener)
    }

    /// Has a listener's connection wait to be accepted. Whether the application must be told.
    pub(crate) fn queue(&mut self, id: Id, listener: ListenerId) -> bool {
        let Some(entry) = self.entries.get_mut(id) else { return false };
        entry.stage = Stage::Waiting(listener);
        self.uncount_half_open(listener);
        let entries = &self.entries;
        let Some(there) = self.listeners.get_mut(listener.0) else { return false };
        there.waiting += 1;
        there.queue.push(id, there.waiting, |id| {
            entries.get(id).is_some_and(|entry| matches!(entry.stage, Stage::Waiting(_)))
        });
        !core::mem::replace(&mut there.telling, true)
    }
}
