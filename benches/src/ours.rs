//! Two aperto hosts in one thread, joined by queues of packets.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aperto_host::{Config, ConnectionId, Host, Interface, InterfaceId, ListenerId};
use aperto_tcp::Config as TcpConfig;
use aperto_time::{Duration, Instant};
use aperto_wire::Cidr;

use crate::work::{Clock, Pair, RING};

/// One host and its only interface.
struct End {
    host: Host,
    interface: InterfaceId,
    connections: Vec<ConnectionId>,
}

/// A packet on its way: so many octets of a buffer.
struct Packet {
    buffer: Box<[u8]>,
    length: usize,
}

/// A client and a server, both ours.
pub(crate) struct Aperto {
    client: End,
    server: End,
    /// Packets on their way, upward and downward, and buffers to use again.
    up: VecDeque<Packet>,
    down: VecDeque<Packet>,
    spare: Vec<Box<[u8]>>,
    mtu: usize,
    clock: Clock,
    now: Instant,
}

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const PORT: u16 = 1000;

impl End {
    fn new(address: IpAddr, mtu: usize, secret: u8) -> Self {
        let mut host = Host::new(Config { secret: [secret; 32], ..Config::default() });
        let address = Cidr::new(address, 24).expect("24 bits are a network of IPv4");
        let interface = host.add_interface(Interface::ip("bench", mtu, &[address]));
        Self { host, interface, connections: Vec::new() }
    }

    fn leave(&mut self, now: Instant, mtu: usize, wire: &mut VecDeque<Packet>, spare: &mut Vec<Box<[u8]>>) {
        while wire.len() < RING {
            let mut buffer = spare.pop().unwrap_or_else(|| vec![0; mtu].into_boxed_slice());
            let Some(departure) = self.host.poll_frame(now, &mut buffer) else {
                spare.push(buffer);
                return;
            };
            wire.push_back(Packet { buffer, length: departure.length });
        }
    }

    fn arrive(&mut self, now: Instant, wire: &mut VecDeque<Packet>, spare: &mut Vec<Box<[u8]>>) {
        while let Some(Packet { buffer, length }) = wire.pop_front() {
            self.host.frame_arrives(now, self.interface, &buffer[..length]);
            spare.push(buffer);
        }
        while self.host.poll_event().is_some() {}
    }
}

impl Aperto {
    fn poll(&mut self) {
        self.now = Instant::ZERO + self.clock.read();
        let now = self.now;
        self.client.leave(now, self.mtu, &mut self.up, &mut self.spare);
        self.server.arrive(now, &mut self.up, &mut self.spare);
        self.server.leave(now, self.mtu, &mut self.down, &mut self.spare);
        self.client.arrive(now, &mut self.down, &mut self.spare);
        for end in [&mut self.client, &mut self.server] {
            end.host.deadline_passed(now);
        }
    }

    fn accept(&mut self, listener: ListenerId) {
        while let Ok(Some(id)) = self.server.host.accept(listener) {
            self.server.connections.push(id);
        }
    }
}

impl Pair for Aperto {
    const NAME: &'static str = "aperto";

    fn new(mtu: usize) -> Self {
        let (client, server) = (End::new(CLIENT, mtu, 1), End::new(SERVER, mtu, 2));
        Self {
            client,
            server,
            up: VecDeque::new(),
            down: VecDeque::new(),
            spare: Vec::new(),
            mtu,
            clock: Clock::new(),
            now: Instant::from_millis(1),
        }
    }

    fn open(&mut self, count: usize, buffer: usize) {
        let tcp = Arc::new(TcpConfig {
            send_buffer: buffer,
            receive_buffer: buffer,
            initial_receive_window: u32::try_from(buffer).expect("small"),
            ..TcpConfig::modern()
        });
        let local = SocketAddr::new(SERVER, PORT);
        let listener = self.server.host.listen_with(local, count, tcp.clone()).expect("a free port");
        for _ in 0..count {
            let id = self.client.host.connect_with(self.now, None, local, tcp.clone()).expect("a free port");
            self.client.connections.push(id);
            // A batch small enough for the half-open table, until all of it has passed the ring.
            if self.client.connections.len().is_multiple_of(512) {
                while self.server.connections.len() < self.client.connections.len() {
                    self.poll();
                    self.accept(listener);
                }
            }
        }
        while self.server.connections.len() < count {
            self.poll();
            self.accept(listener);
        }
        for _ in 0..4 {
            self.clock.skip(Duration::from_millis(50));
            self.poll();
        }
        // The server accepts in another order than the client asked; requests need the pairs.
        let port = |end: &End, id: ConnectionId, theirs: bool| {
            let endpoints = end.host.endpoints(id).expect("open");
            if theirs { endpoints.remote.port() } else { endpoints.local.port() }
        };
        let server = &self.server;
        let mut accepted = server.connections.clone();
        accepted.sort_by_key(|&id| port(server, id, true));
        self.server.connections = accepted;
        let client = &self.client;
        let mut opened = client.connections.clone();
        opened.sort_by_key(|&id| port(client, id, false));
        self.client.connections = opened;
    }

    fn bulk(&mut self, octets: u64, block: &[u8], into: &mut [u8]) {
        let (sender, receiver) = (self.client.connections[0], self.server.connections[0]);
        let mut arrived = 0;
        while arrived < octets {
            while self.client.host.send(self.now, sender, block).is_ok_and(|taken| taken > 0) {}
            self.poll();
            while let Ok(count @ 1..) = self.server.host.receive(self.now, receiver, into) {
                arrived += count as u64;
            }
        }
    }

    fn request(&mut self, n: usize, request: &[u8], into: &mut [u8]) {
        let (client, server) = (self.client.connections[n], self.server.connections[n]);
        self.client.host.send(self.now, client, request).expect("open");
        let mut asked = 0;
        while asked < request.len() {
            self.poll();
            asked += self.server.host.receive(self.now, server, &mut into[asked..]).expect("open");
        }
        self.server.host.send(self.now, server, &into[..asked]).expect("open");
        let mut answered = 0;
        while answered < request.len() {
            self.poll();
            answered += self.client.host.receive(self.now, client, &mut into[answered..]).expect("open");
        }
    }

    fn round(&mut self, count: usize, request: &[u8], into: &mut [u8]) {
        for n in 0..count {
            self.client.host.send(self.now, self.client.connections[n], request).expect("open");
        }
        let (mut asked, mut answered) = (0, 0);
        while answered < count {
            self.poll();
            while asked < count && self.server.host.readable(self.server.connections[asked]) >= request.len()
            {
                let id = self.server.connections[asked];
                self.server.host.receive(self.now, id, into).expect("open");
                self.server.host.send(self.now, id, into).expect("open");
                asked += 1;
            }
            while answered < count
                && self.client.host.readable(self.client.connections[answered]) >= request.len()
            {
                let id = self.client.connections[answered];
                self.client.host.receive(self.now, id, into).expect("open");
                answered += 1;
            }
        }
    }
}
