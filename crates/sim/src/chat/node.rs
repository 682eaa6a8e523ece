//! A host in a chat's world, and a member on it.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use aperto_app::chat::client::{self, Client, Want};
use aperto_host::{Config, ConnectionId, Event, Host, Interface, Route};
use aperto_tcp::{Event as TcpEvent, ReceiveError};
use aperto_time::Instant;
use aperto_wire::Cidr;

use super::plot::Plot;
use crate::channel::luck::Stream;

/// Where the server is, and its port.
pub(super) const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5000);

/// Where a member is.
pub(super) fn address(member: usize) -> IpAddr {
    Ipv4Addr::new(10, 0, 1, u8::try_from(member + 1).unwrap_or(u8::MAX)).into()
}

/// A host with an interface for each peer, after its so-manyeth start.
pub(super) fn host(plot: &Plot, own: IpAddr, peers: &[IpAddr], place: usize, boots: u64) -> Box<Host> {
    let mut secret = [0; 32];
    let mut stream = Stream::new(plot.seed ^ (place as u64) << 56 ^ boots << 40);
    for chunk in secret.chunks_mut(8) {
        chunk.copy_from_slice(&stream.bits().to_le_bytes());
    }
    let mut tcp = aperto_tcp::Config::modern();
    tcp.msl = Duration::from_secs(5);
    tcp.send_buffer = plot.buffer;
    tcp.receive_buffer = plot.buffer;
    let window = u32::try_from(plot.buffer).unwrap_or(u32::MAX);
    tcp.initial_receive_window = tcp.initial_receive_window.min(window);
    let config = Config {
        tcp: Arc::new(tcp),
        secret,
        // Half of all hosts give out the port that they gave out before they were started again.
        sequential_ports: plot.seed.is_multiple_of(2),
        ..Config::default()
    };
    let mut host = Box::new(Host::new(config));
    for peer in peers {
        let addresses: Vec<Cidr> = Cidr::new(own, 32).into_iter().collect();
        let interface = host.add_interface(Interface::ip("line", plot.mtu, &addresses));
        if let Some(to) = Cidr::new(*peer, 32) {
            host.add_route(Route { to, via: None, interface });
        }
    }
    host
}

/// Whether the peer has closed and everything was read.
pub(super) fn is_finished(host: &mut Host, now: Instant, id: ConnectionId) -> bool {
    let read = host.receive(now, id, &mut [0]);
    matches!(read, Err(aperto_host::CallError::Connection(ReceiveError::Finished)))
}

/// A member and its host.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) host: Box<Host>,
    pub(super) client: Client,
    connection: Option<ConnectionId>,
    /// How often its host was started.
    boots: u64,
    place: usize,
    pub(super) came: bool,
    pub(super) leaving: bool,
    /// How far its plan is.
    pub(super) said: usize,
    pub(super) broken: usize,
}

impl Member {
    pub(super) fn new(plot: &Plot, place: usize) -> Self {
        let mut token = [0; 16];
        let mut stream = Stream::new(plot.seed ^ 0x746f_6b65_6e00 ^ (place as u64) << 32);
        token.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&stream.bits().to_le_bytes()));
        let part = plot.parts.get(place);
        let config = client::Config {
            token,
            name: part.map(|part| part.name.clone()).unwrap_or_default(),
            ask: part.map_or_else(
                || aperto_app::hello::Ask::new(aperto_app::hello::Mode::Tcp),
                |part| part.ask.clone(),
            ),
            // What looks like a stranger here is damage, or a server that has just been killed.
            tries_strangers: true,
        };
        let host = host(plot, address(place), &[SERVER.ip()], place, 0);
        Self {
            host,
            client: Client::new(config),
            connection: None,
            boots: 0,
            place,
            came: false,
            leaving: false,
            said: 0,
            broken: 0,
        }
    }

    /// Its host resets the connection.
    pub(super) fn resets(&mut self, now: Instant) {
        if let Some(id) = self.connection.take() {
            // It may be over already.
            let _ = self.host.abort(now, id);
            self.client.broke(now.since(Instant::ZERO));
        }
    }

    /// Its host forgets everything and says nothing.
    pub(super) fn forgets(&mut self, plot: &Plot, now: Instant) {
        self.boots += 1;
        self.host = host(plot, address(self.place), &[SERVER.ip()], self.place, self.boots);
        if self.connection.take().is_some() {
            self.client.broke(now.since(Instant::ZERO));
        }
    }

    /// When its host or its client want to be called.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let client = self.client.poll_deadline().filter(|_| self.came).map(|at| Instant::ZERO + at);
        [self.host.poll_deadline().map(|deadline| deadline.at), client].into_iter().flatten().min()
    }

    /// Does what follows at this instant. Says whether anything did.
    pub(super) fn acts(&mut self, now: Instant) -> bool {
        let elapsed = now.since(Instant::ZERO);
        let mut moved = false;
        while let Some(event) = self.host.poll_event() {
            moved = true;
            let Event::Tcp(id, event) = event else { continue };
            if self.connection != Some(id) {
                continue;
            }
            match event {
                TcpEvent::Established => self.client.opened(elapsed),
                TcpEvent::Ended(_) => {
                    self.reads(now, id);
                    self.drops(now);
                }
                _ => {}
            }
        }
        if !self.came {
            return moved;
        }
        while self.wants(now) {
            moved = true;
        }
        if let Some(id) = self.connection {
            moved |= self.reads(now, id);
        }
        moved
    }

    fn drops(&mut self, now: Instant) {
        if let Some(id) = self.connection.take() {
            let _ = self.host.release(now, id);
            self.client.broke(now.since(Instant::ZERO));
        }
    }

    /// One thing that the client wants. Says whether it was done.
    fn wants(&mut self, now: Instant) -> bool {
        let elapsed = now.since(Instant::ZERO);
        match self.client.poll_want(elapsed) {
            None => false,
            Some(Want::Connect) => {
                let local = SocketAddr::new(address(self.place), 0);
                match self.host.connect(now, Some(local), SERVER) {
                    Ok(id) => self.connection = Some(id),
                    Err(_) => self.client.broke(elapsed),
                }
                true
            }
            Some(Want::Write(octets)) => {
                let sent = self.connection.and_then(|id| self.host.send(now, id, octets).ok()).unwrap_or(0);
                self.client.wrote(sent);
                sent > 0
            }
            Some(Want::Close) => {
                if let Some(id) = self.connection {
                    let _ = self.host.close(now, id);
                }
                true
            }
            Some(Want::Abort) => {
                if let Some(id) = self.connection.take() {
                    let _ = self.host.abort(now, id);
                }
                true
            }
        }
    }

    fn reads(&mut self, now: Instant, id: ConnectionId) -> bool {
        let elapsed = now.since(Instant::ZERO);
        let mut moved = false;
        let mut buffer = vec![0; self.host.readable(id)];
        if !buffer.is_empty() {
            let read = self.host.receive(now, id, &mut buffer).unwrap_or(0);
            self.client.readable(elapsed, buffer.get(..read).unwrap_or_default());
            moved = read > 0;
        }
        if self.host.readable(id) == 0 && self.connection == Some(id) && is_finished(&mut self.host, now, id)
        {
            self.drops(now);
            moved = true;
        }
        moved
    }

    /// The connections that were let go, to be forgotten when they end.
    pub(super) fn forget_others(&mut self, now: Instant) {
        let all: BTreeSet<ConnectionId> = self.host.connections().map(|(id, ..)| id).collect();
        for id in all.into_iter().filter(|id| Some(*id) != self.connection) {
            // One that is over is forgotten already.
            let _ = self.host.release(now, id);
        }
    }
}
