//! The stack as an application sees it: build it, listen, connect, ping, stop.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use aperto_host::{ConnectionId, Endpoints, Host, Interface, Route};
use aperto_tcp::State;
use aperto_wire::ip::Cidr;
use tokio::sync::oneshot;

use crate::clock;
use crate::core::{Core, Hold, Ping, Shared};
use crate::datagram::UdpSocket;
use crate::driver::{Counters, Driver, Line};
use crate::error::{ConnectError, OpenError};
use crate::listener::TcpListener;
use crate::observer::{Impair, Observer};
use crate::stream::TcpStream;
use crate::wire::Wire;

/// Thirty-two octets that nobody else can know, from the operating system: for
/// [`aperto_host::Config::secret`]. The simulator has its own, from the seed.
///
/// # Errors
///
/// What the system says where it has no randomness to give.
pub fn secret() -> Result<[u8; 32], OpenError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| OpenError::Io(std::io::Error::other(error)))?;
    Ok(secret)
}

/// Puts a host, its wires and its watchers together.
pub struct Builder {
    host: Host,
    lines: Vec<Line>,
    observer: Option<Box<dyn Observer>>,
    names: Vec<(SocketAddr, SocketAddr)>,
}

impl Builder {
    /// Begins with a host of this configuration. Its secret should be [`secret`]'s.
    #[must_use]
    pub fn new(config: aperto_host::Config) -> Self {
        Self { host: Host::new(config), lines: Vec::new(), observer: None, names: Vec::new() }
    }

    /// Adds a wire. The first one of each version of IP is the way to everywhere.
    #[must_use]
    pub fn wire(self, wire: Box<dyn Wire>) -> Self {
        self.add(wire, None)
    }

    /// Adds a wire with something between it and the host that loses, delays, doubles or damages.
    #[must_use]
    pub fn impaired_wire(self, wire: Box<dyn Wire>, impair: Box<dyn Impair>) -> Self {
        self.add(wire, Some(impair))
    }

    fn add(mut self, wire: Box<dyn Wire>, impair: Option<Box<dyn Impair>>) -> Self {
        let addresses = wire.addresses().to_vec();
        let interface = self.host.add_interface(Interface::ip(wire.name(), wire.mtu(), &addresses));
        self.names.extend(wire.names());
        for everywhere in ["0.0.0.0/0", "::/0"].into_iter().filter_map(|text| text.parse::<Cidr>().ok()) {
            let speaks =
                addresses.iter().any(|own| own.address().is_ipv4() == everywhere.address().is_ipv4());
            if speaks {
                self.host.add_route(Route { to: everywhere, via: None, interface });
            }
        }
        self.lines.push(Line::new(wire, interface, impair));
        self
    }

    /// Sets who watches.
    #[must_use]
    pub fn observer(mut self, observer: Box<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The stack's handle, and the driver, which does nothing until it is spawned. Call it inside
    /// a runtime.
    #[must_use = "the stack does nothing unless its driver is spawned"]
    pub fn build(mut self) -> (Stack, Driver) {
        if self.observer.is_some() {
            self.host.watch(aperto_tcp::Watch::On);
        }
        let shared = Shared::new(Core::new(self.host, self.names));
        let driver = Driver::new(Arc::clone(&shared), self.lines, self.observer);
        (Stack { hold: Hold::new(shared) }, driver)
    }

    /// Builds the stack and spawns its driver on the current runtime.
    #[must_use]
    pub fn spawn(self) -> (Stack, tokio::task::JoinHandle<crate::Stopped>) {
        let (stack, driver) = self.build();
        (stack, tokio::spawn(driver))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("wires", &self.lines.len()).finish_non_exhaustive()
    }
}

/// A handle to a stack. Clone it freely; when the last handle of any kind is gone and the last
/// connection has closed, the driver ends.
#[derive(Clone)]
pub struct Stack {
    hold: Hold,
}

impl Stack {
    /// Listens on a port; the address may be unspecified. `backlog` connections wait for
    /// [`TcpListener::accept`] at most.
    ///
    /// # Errors
    ///
    /// The port is taken on this stack, or the address is not one of its own.
    pub fn listen(&self, local: SocketAddr, backlog: usize) -> Result<TcpListener, OpenError> {
        TcpListener::open(self.hold.clone(), local, backlog, None)
    }

    /// Listens with settings for the connections that come.
    ///
    /// # Errors
    ///
    /// As [`listen`](Self::listen).
    pub fn listen_with(
        &self,
        local: SocketAddr,
        backlog: usize,
        config: Arc<aperto_tcp::Config>,
    ) -> Result<TcpListener, OpenError> {
        TcpListener::open(self.hold.clone(), local, backlog, Some(config))
    }

    /// Opens a connection from an address and port that the stack chooses.
    ///
    /// # Errors
    ///
    /// Refused, timed out, unreachable; or there is no port or way left.
    pub async fn connect(&self, remote: SocketAddr) -> Result<TcpStream, ConnectError> {
        TcpStream::open(self.hold.clone(), None, remote, None).await
    }

    /// Opens a connection from a chosen address, and a chosen port unless that is 0. Through the
    /// UDP tunnel it must be the tunnel's own ([`UdpTunnel::local_addr`](crate::UdpTunnel::local_addr)).
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_from(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<TcpStream, ConnectError> {
        TcpStream::open(self.hold.clone(), Some(local), remote, None).await
    }

    /// Opens a connection with settings of its own.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with(
        &self,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        config: Arc<aperto_tcp::Config>,
    ) -> Result<TcpStream, ConnectError> {
        TcpStream::open(self.hold.clone(), local, remote, Some(config)).await
    }

    /// Binds a UDP socket of the stack's own. The UDP tunnel does not carry what it sends.
    ///
    /// # Errors
    ///
    /// The port is taken on this stack, or the address is not one of its own.
    pub fn bind_udp(&self, local: SocketAddr) -> Result<UdpSocket, OpenError> {
        UdpSocket::open(self.hold.clone(), local)
    }

    /// Sends an ICMP echo request with so many octets and waits for the answer. Says how long that
    /// took; `None` where none came in time.
    ///
    /// # Errors
    ///
    /// There is no way to that address.
    pub async fn ping(
        &self,
        to: IpAddr,
        octets: usize,
        patience: Duration,
    ) -> Result<Option<Duration>, OpenError> {
        let (answered, answer) = oneshot::channel();
        let sent = {
            let mut core = self.hold.lock();
            let seq = core.next_ping;
            core.next_ping = seq.wrapping_add(1);
            let ident = u16::try_from(std::process::id() & 0xffff).unwrap_or(0);
            let now = clock::now();
            let payload = vec![0x61; octets.min(65_000)];
            core.host
                .ping(now, to, ident, seq, &payload)
                .map_err(|error| OpenError::Stack(error.to_string()))?;
            core.pings.retain(|ping| !ping.answered.is_closed());
            core.pings.push(Ping { ident, seq, to, answered });
            core.wake_driver();
            now
        };
        let answer = tokio::time::timeout(patience, answer).await;
        Ok(answer.ok().and_then(Result::ok).map(|at| at.since(sent)))
    }

    /// Looks at the host under the lock: for tables of connections and the like. The driver waits
    /// meanwhile.
    pub fn with_host<T>(&self, look: impl FnOnce(&mut Host) -> T) -> T {
        let mut core = self.hold.lock();
        let seen = look(&mut core.host);
        core.wake_driver();
        seen
    }

    /// The name of an inner address outside, where a wire has given it another one: what users
    /// know it by. Observers, notes and recordings have the inner ones.
    #[must_use]
    pub fn outer(&self, inner: SocketAddr) -> SocketAddr {
        self.hold.lock().outer(inner)
    }

    /// All connections, half-open ones and those in TIME-WAIT included.
    #[must_use]
    pub fn connections(&self) -> Vec<(ConnectionId, Endpoints, State)> {
        self.hold.lock().host.connections().collect()
    }

    /// What went through so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.hold.lock().counters
    }

    /// Whether the driver has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.hold.lock().stopped
    }

    /// Waits until no connection has anything left to do: all have closed, or only stay in
    /// TIME-WAIT. Also over when the driver ends.
    pub async fn settled(&self) {
        std::future::poll_fn(|context| {
            let mut core = self.hold.lock();
            if core.stopped || core.is_settled() {
                return Poll::Ready(());
            }
            core.settling.register(context);
            Poll::Pending
        })
        .await;
    }

    /// Aborts all connections: each peer is sent a reset. RFC 9293 §3.10.5.
    pub fn abort_all(&self) {
        let now = clock::now();
        let mut core = self.hold.lock();
        let all: Vec<ConnectionId> = core.host.connections().map(|(id, ..)| id).collect();
        for id in all {
            core.abort(now, id);
        }
    }

    /// Asks the driver to end, as soon as what is on its way has left (two seconds at most).
    pub fn stop(&self) {
        let mut core = self.hold.lock();
        core.stop = true;
        core.wake_driver();
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}
