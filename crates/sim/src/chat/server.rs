//! The server's host, its room, and the disk that the journal is on.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use aperto_app::Want;
use aperto_app::chat::room::{Config, Keeping, MemberId, Room};
use aperto_host::{ConnectionId, Event, Host};
use aperto_tcp::Event as TcpEvent;
use aperto_time::Instant;

use super::node::{SERVER, address, host, is_finished};
use super::plot::{Kill, Plot};
use crate::channel::luck::Stream;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) host: Box<Host>,
    pub(super) room: Option<Room>,
    connections: BTreeMap<ConnectionId, MemberId>,
    /// Whose peer will send no more, as the room knows.
    finished: BTreeSet<ConnectionId>,
    pub(super) disk: Vec<u8>,
    /// So many octets of it survive whatever happens.
    synced: usize,
    /// When the disk will have said so of all octets, and up to which message.
    syncs: Option<(Instant, u64)>,
    luck: Stream,
    boots: u64,
    /// Whether its host is silent because it is not there.
    pub(super) is_off: bool,
}

fn config(plot: &Plot) -> Config {
    let mut token = [0; 16];
    token.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&(plot.seed ^ 0x726f_6f6d).to_le_bytes()));
    Config { window: plot.window, ..Config::new(token, Keeping::Journal, "servidor") }
}

fn peers(plot: &Plot) -> Vec<IpAddr> {
    (0..plot.parts.len()).map(address).collect()
}

impl Server {
    pub(super) fn new(plot: &Plot) -> Self {
        let mut host = host(plot, SERVER.ip(), &peers(plot), 200, 0);
        let listens = host.listen(SERVER, 16);
        debug_assert!(listens.is_ok(), "the address is its own");
        Self {
            host,
            room: Some(Room::new(config(plot))),
            connections: BTreeMap::new(),
            finished: BTreeSet::new(),
            disk: Vec::new(),
            synced: 0,
            syncs: None,
            luck: Stream::new(plot.seed ^ 0x6469_736b_0000),
            boots: 0,
            is_off: false,
        }
    }

    /// The process is killed: its connections, and what the disk had not confirmed, are at risk.
    pub(super) fn killed(&mut self, plot: &Plot, kill: &Kill) {
        self.boots += 1;
        self.room = None;
        self.connections.clear();
        self.finished.clear();
        self.syncs = None;
        let open = self.disk.len() - self.synced;
        let kept = open as u64 * kill.keeps / 1_000;
        self.disk.truncate(self.synced + usize::try_from(kept).unwrap_or(open));
        self.host = host(plot, SERVER.ip(), &peers(plot), 200, self.boots);
        self.is_off = !kill.refuses;
    }

    /// The process starts again. Says whether a record was torn.
    pub(super) fn starts(&mut self, plot: &Plot) -> Result<bool, aperto_app::chat::journal::JournalError> {
        self.is_off = false;
        let listens = self.host.listen(SERVER, 16);
        debug_assert!(listens.is_ok(), "nobody else listens");
        let (room, end) = Room::replay(config(plot), self.disk.chunks(4_096))?;
        self.disk.truncate(usize::try_from(end.whole).unwrap_or(usize::MAX));
        // What is read is written, and a server waits for its disk before it goes on.
        self.synced = self.disk.len();
        self.room = Some(room);
        Ok(end.torn > 0)
    }

    /// Whether everything is on the disk.
    pub(super) const fn rests(&self) -> bool {
        self.syncs.is_none()
    }

    /// A room made of what is on the disk.
    pub(super) fn copy(&self, plot: &Plot) -> Option<Room> {
        Room::replay(config(plot), [self.disk.as_slice()]).ok().map(|(room, _)| room)
    }

    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let room = self.room.as_ref().and_then(Room::poll_deadline);
        let room = room.filter(|at| *at < Duration::MAX).map(|at| Instant::ZERO + at);
        let host = if self.is_off { None } else { self.host.poll_deadline().map(|deadline| deadline.at) };
        [host, room, self.syncs.map(|(at, _)| at)].into_iter().flatten().min()
    }

    pub(super) fn time_passes(&mut self, now: Instant) {
        if !self.is_off {
            self.host.deadline_passed(now);
        }
        let elapsed = now.since(Instant::ZERO);
        let Some(room) = &mut self.room else { return };
        if let Some((_, upto)) = self.syncs.take_if(|(at, _)| *at <= now) {
            self.synced = self.disk.len();
            room.journaled(elapsed, upto);
        }
        room.deadline_passed(elapsed);
    }

    /// Does what follows at this instant. Says whether anything did.
    pub(super) fn acts(&mut self, plot: &Plot, now: Instant) -> bool {
        let mut moved = self.hears(now);
        moved |= self.writes(plot, now);
        while let Some(member) = self.room.as_mut().and_then(Room::poll_ready) {
            moved |= self.serves(now, member);
        }
        let all: Vec<(ConnectionId, MemberId)> =
            self.connections.iter().map(|(id, who)| (*id, *who)).collect();
        for (id, member) in all {
            moved |= self.reads(now, id, member);
        }
        moved
    }

    fn hears(&mut self, now: Instant) -> bool {
        let elapsed = now.since(Instant::ZERO);
        let mut moved = false;
        while let Some(event) = self.host.poll_event() {
            moved = true;
            match event {
                Event::Incoming(listener) => {
                    while let Ok(Some(id)) = self.host.accept(listener) {
                        if let Some(room) = &mut self.room {
                            self.connections.insert(id, room.opened(elapsed));
                        }
                    }
                }
                Event::Tcp(id, TcpEvent::Ended(_)) => {
                    if let Some(member) = self.connections.get(&id).copied() {
                        self.reads(now, id, member);
                        self.lets_go(now, id);
                    }
                }
                _ => {}
            }
        }
        moved
    }

    fn lets_go(&mut self, now: Instant, id: ConnectionId) {
        self.finished.remove(&id);
        if let (Some(member), Some(room)) = (self.connections.remove(&id), &mut self.room) {
            room.closed(now.since(Instant::ZERO), member);
        }
        let _ = self.host.release(now, id);
    }

    /// One write at a time, of everything that waits for it.
    fn writes(&mut self, plot: &Plot, now: Instant) -> bool {
        if self.syncs.is_some() {
            return false;
        }
        let Some(batch) = self.room.as_mut().and_then(Room::take_journal) else { return false };
        self.disk.extend_from_slice(&batch.octets);
        let most = u64::try_from(plot.disk.as_micros()).unwrap_or(u64::MAX);
        let takes = Duration::from_micros(self.luck.between(0, most));
        self.syncs = Some((now + takes, batch.upto));
        true
    }

    fn serves(&mut self, now: Instant, member: MemberId) -> bool {
        let elapsed = now.since(Instant::ZERO);
        let Some(id) = self.connections.iter().find(|(_, who)| **who == member).map(|(id, _)| *id) else {
            return false;
        };
        let mut moved = false;
        loop {
            let Some(room) = &mut self.room else { return moved };
            match room.poll_want(elapsed, member) {
                None | Some(Want::Release) => return moved,
                Some(Want::Write(octets)) => {
                    let sent = self.host.send(now, id, octets).unwrap_or(0);
                    if sent == 0 {
                        return moved;
                    }
                    room.wrote(member, sent);
                }
                Some(Want::Close) => {
                    let _ = self.host.close(now, id);
                }
                Some(Want::Abort) => {
                    let _ = self.host.abort(now, id);
                    self.lets_go(now, id);
                    return true;
                }
            }
            moved = true;
        }
    }

    fn reads(&mut self, now: Instant, id: ConnectionId, member: MemberId) -> bool {
        let elapsed = now.since(Instant::ZERO);
        let Some(room) = &mut self.room else { return false };
        let mut moved = false;
        let mut buffer = vec![0; self.host.readable(id).min(room.appetite(member))];
        if !buffer.is_empty() {
            let read = self.host.receive(now, id, &mut buffer).unwrap_or(0);
            room.readable(elapsed, member, buffer.get(..read).unwrap_or_default());
            moved = read > 0;
        }
        let is_new = !self.finished.contains(&id);
        if is_new && self.host.readable(id) == 0 && is_finished(&mut self.host, now, id) {
            self.finished.insert(id);
            room.peer_closed(elapsed, member);
            moved = true;
        }
        // What could not be written may be now.
        self.serves(now, member) || moved
    }
}
