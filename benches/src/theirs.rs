//! Two smoltcp interfaces in one thread, joined by queues of packets.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use crate::work::{Clock, Pair, RING};

/// Packets on their way, and buffers to use again.
#[derive(Default)]
struct Queue {
    packets: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
}

type Shared = Rc<RefCell<Queue>>;

/// One end of the wire.
struct Wire {
    inbound: Shared,
    outbound: Shared,
    mtu: usize,
}

struct Arrived {
    packet: Vec<u8>,
    queue: Shared,
}

struct Leaves {
    queue: Shared,
}

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        let result = read(&self.packet);
        self.queue.borrow_mut().spare.push(self.packet);
        result
    }
}

impl TxToken for Leaves {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut packet = self.queue.borrow_mut().spare.pop().unwrap_or_default();
        packet.resize(length, 0);
        let result = write(&mut packet);
        self.queue.borrow_mut().packets.push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Leaves;

    fn receive(&mut self, _now: Instant) -> Option<(Arrived, Leaves)> {
        let packet = self.inbound.borrow_mut().packets.pop_front()?;
        let arrived = Arrived { packet, queue: Rc::clone(&self.inbound) };
        Some((arrived, Leaves { queue: Rc::clone(&self.outbound) }))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Leaves> {
        let room = self.outbound.borrow().packets.len() < RING;
        room.then(|| Leaves { queue: Rc::clone(&self.outbound) })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

/// One host: an interface and its sockets.
struct End {
    interface: Interface,
    wire: Wire,
    sockets: SocketSet<'static>,
    handles: Vec<SocketHandle>,
}

impl End {
    fn new(address: IpAddress, inbound: Shared, outbound: Shared, mtu: usize) -> Self {
        let mut wire = Wire { inbound, outbound, mtu };
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(address, 24)).expect("there is room for one address");
        });
        Self { interface, wire, sockets: SocketSet::new(Vec::new()), handles: Vec::new() }
    }

    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.wire, &mut self.sockets);
    }

    fn add(&mut self, buffer: usize) -> SocketHandle {
        let new = || SocketBuffer::new(vec![0; buffer]);
        let handle = self.sockets.add(Socket::new(new(), new()));
        self.handles.push(handle);
        handle
    }
}

/// A client and a server, both smoltcp's.
pub(crate) struct Smoltcp {
    client: End,
    server: End,
    clock: Clock,
    now: Instant,
}

/// What the clock shows, in smoltcp's words.
fn at(clock: &Clock) -> Instant {
    let micros = i64::try_from(clock.read().as_micros()).expect("fewer than 292,000 years");
    Instant::from_micros(micros)
}

const CLIENT: IpAddress = IpAddress::v4(10, 0, 0, 1);
const SERVER: IpAddress = IpAddress::v4(10, 0, 0, 2);

impl Smoltcp {
    fn poll(&mut self) {
        self.now = at(&self.clock);
        self.client.poll(self.now);
        self.server.poll(self.now);
    }

    fn client_socket(&mut self, n: usize) -> &mut Socket<'static> {
        let handle = self.client.handles[n];
        self.client.sockets.get_mut(handle)
    }

    fn server_socket(&mut self, n: usize) -> &mut Socket<'static> {
        let handle = self.server.handles[n];
        self.server.sockets.get_mut(handle)
    }
}

impl Pair for Smoltcp {
    const NAME: &'static str = "smoltcp 0.14";

    fn new(mtu: usize) -> Self {
        let (up, down) = (Shared::default(), Shared::default());
        let client = End::new(CLIENT, Rc::clone(&down), Rc::clone(&up), mtu);
        let server = End::new(SERVER, up, down, mtu);
        Self { client, server, clock: Clock::new(), now: Instant::from_millis(1) }
    }

    /// Each connection has a port of its own at the server: smoltcp has no listener that hands out
    /// sockets, and so the n-th client meets the n-th server socket.
    fn open(&mut self, count: usize, buffer: usize) {
        for n in 0..count {
            let port = 1000 + u16::try_from(n).expect("few enough connections");
            let handle = self.server.add(buffer);
            self.server.sockets.get_mut::<Socket<'_>>(handle).listen(port).expect("a fresh socket listens");
            let handle = self.client.add(buffer);
            let socket = self.client.sockets.get_mut::<Socket<'_>>(handle);
            let local = 20_000 + u16::try_from(n).expect("few enough connections");
            socket
                .connect(self.client.interface.context(), (SERVER, port), local)
                .expect("a fresh socket connects");
        }
        while !(0..count).all(|n| self.client_socket(n).may_send()) {
            self.poll();
        }
        for _ in 0..4 {
            self.clock.skip(core::time::Duration::from_millis(50));
            self.poll();
        }
    }

    fn bulk(&mut self, octets: u64, block: &[u8], into: &mut [u8]) {
        let mut arrived = 0;
        while arrived < octets {
            let client = self.client_socket(0);
            while client.send_slice(block).is_ok_and(|taken| taken > 0) {}
            self.poll();
            let server = self.server_socket(0);
            while let Ok(count @ 1..) = server.recv_slice(into) {
                arrived += count as u64;
            }
        }
    }

    fn request(&mut self, n: usize, request: &[u8], into: &mut [u8]) {
        self.client_socket(n).send_slice(request).expect("open");
        let mut asked = 0;
        while asked < request.len() {
            self.poll();
            asked += self.server_socket(n).recv_slice(&mut into[asked..]).expect("open");
        }
        self.server_socket(n).send_slice(&into[..asked]).expect("open");
        let mut answered = 0;
        while answered < request.len() {
            self.poll();
            answered += self.client_socket(n).recv_slice(&mut into[answered..]).expect("open");
        }
    }

    fn round(&mut self, count: usize, request: &[u8], into: &mut [u8]) {
        for n in 0..count {
            self.client_socket(n).send_slice(request).expect("open");
        }
        let (mut asked, mut answered) = (0, 0);
        while answered < count {
            self.poll();
            while asked < count && self.server_socket(asked).recv_queue() >= request.len() {
                self.server_socket(asked).recv_slice(into).expect("open");
                self.server_socket(asked).send_slice(into).expect("open");
                asked += 1;
            }
            while answered < count && self.client_socket(answered).recv_queue() >= request.len() {
                self.client_socket(answered).recv_slice(into).expect("open");
                answered += 1;
            }
        }
    }
}
