//! The UDP tunnel: TCP segments inside UDP datagrams, between two programs like this one.
//!
//! It needs no rights, works between any two machines, and reads as TCP in an analyser that is
//! told to (`tshark -d udp.port==7000,tcp`). [`framing`] says how a segment lies in a datagram.
//! A server's tunnel has one UDP port, which is also the port of its TCP; a client's has the port
//! that the system gave it, and one peer. So a server tells clients apart by address and port.
//!
//! Two programs on one machine have the same outer address; [`here`] says what they are inside.
//! What arrives and is not ours is noted, counted and never answered; strangers from outside are
//! never answered with more than they sent ([`credit`]); what the system learns about the way (a
//! closed port, a datagram too large) reaches the host as the ICMP message it was ([`told`]).
//!
//! Left out: UDP inside UDP (`--proto udp` uses plain datagrams); several segments in one
//! datagram or one system call, because a live capture would then show them as one; authentication
//! (RELIABILITY UD-6: anyone who can forge addresses on the path can forge segments, as in TCP).

mod credit;
mod framing;
mod here;
mod socket;
mod told;

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aperto_wire::ip::Cidr;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::Socket;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use self::credit::Credit;
use self::here::Here;
use self::socket::{addresses_of_this_machine, bound, host_network, without_scope};
use self::told::Told;
use crate::error::OpenError;
use crate::wire::{NotCarried, NotOurs, Notes, Wire, WireNote};

/// How many datagrams one system call takes in at most.
const BATCH: usize = 8;
/// Room for the largest datagram, or for as many merged ones as a kernel merges.
const ROOM: usize = 1 << 16;
/// How large the system's buffers should be, in octets; it may give less.
const SYSTEM_BUFFER: usize = 4 << 20;
/// How many interface numbers of link-local peers are remembered.
const MOST_SCOPES: usize = 1024;
/// How many packets made here wait at most.
const MOST_MADE: usize = 64;

/// What can be set about a tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TunnelConfig {
    /// The largest outer packet, IP header included, in octets: 1500, as on Ethernet and Wi-Fi.
    /// 576 to 65,535 (RFC 1122 §3.3.3 for the least).
    pub outer_mtu: usize,
}

impl Default for TunnelConfig {
    fn default() -> Self {
        Self { outer_mtu: 1500 }
    }
}

/// Which side of a conversation the tunnel is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// One peer, who was chosen here.
    Client { peer: SocketAddr, same_machine: bool },
    /// Anybody may come; `wildcard` if the socket takes datagrams for every address of ours.
    Server { wildcard: bool },
}

/// A UDP socket that carries TCP segments.
pub struct UdpTunnel {
    socket: Arc<UdpSocket>,
    state: UdpSocketState,
    role: Role,
    local: SocketAddr,
    /// The host's addresses.
    addresses: Vec<Cidr>,
    /// This machine's addresses, loopback included.
    machine: Vec<IpAddr>,
    here: Here,
    mtu: usize,
    buffers: Vec<u8>,
    metas: [RecvMeta; BATCH],
    /// Datagrams taken in and not yet handed on: where in `buffers`, and the number of their meta.
    arrived: VecDeque<(Range<usize>, usize)>,
    /// Packets made here out of what the system told us.
    made: VecDeque<Vec<u8>>,
    notes: Notes,
    credit: Credit,
    scopes: BTreeMap<SocketAddr, u32>,
    /// The beginning of the last packet that left, for the system's errors to quote.
    last_sent: Vec<u8>,
    datagram: Vec<u8>,
    error_wait: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
}

impl UdpTunnel {
    /// A client's tunnel to a peer, from a port that the system chooses. Call it inside a runtime.
    ///
    /// # Errors
    ///
    /// What the system says to binding or connecting.
    pub fn to(peer: SocketAddr, config: TunnelConfig) -> Result<Self, OpenError> {
        let any = match peer.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_loopback() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self::from_to(SocketAddr::new(any, 0), peer, config)
    }

    /// A client's tunnel to a peer, from a chosen address and port; both may be left open.
    ///
    /// # Errors
    ///
    /// What the system says to binding or connecting.
    pub fn from_to(local: SocketAddr, peer: SocketAddr, config: TunnelConfig) -> Result<Self, OpenError> {
        let socket = bound(local)?;
        socket.connect(&peer.into())?;
        let from = socket.local_addr()?.as_socket().map(|from| from.ip());
        let same_machine = peer.ip().is_loopback() || from == Some(peer.ip());
        let tunnel = Self::over(socket, Role::Client { peer: without_scope(peer), same_machine }, config)?;
        #[cfg(target_os = "linux")]
        tunnel.state.enable_transport_errors(UdpSockRef::from(&*tunnel.socket))?;
        Ok(tunnel)
    }

    /// A server's tunnel on a port; an unspecified address takes in from every network, of its own
    /// family only. Call it inside a runtime.
    ///
    /// # Errors
    ///
    /// [`OpenError::PortTaken`], [`OpenError::AddressNotOurs`], or what else the system says.
    pub fn on(local: SocketAddr, config: TunnelConfig) -> Result<Self, OpenError> {
        let socket = bound(local)?;
        Self::over(socket, Role::Server { wildcard: local.ip().is_unspecified() }, config)
    }

    fn over(socket: Socket, role: Role, config: TunnelConfig) -> Result<Self, OpenError> {
        // Less is what we get where the system's limit is lower; nothing depends on it.
        let _ = socket.set_recv_buffer_size(SYSTEM_BUFFER);
        let _ = socket.set_send_buffer_size(SYSTEM_BUFFER);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let socket = UdpSocket::from_std(socket.into())?;
        let local = without_scope(socket.local_addr()?);
        let v4 = local.is_ipv4();
        let machine = addresses_of_this_machine(v4)?;
        let own: Vec<IpAddr> = match role {
            Role::Client { same_machine: true, .. } => vec![here::client(v4)],
            Role::Client { same_machine: false, .. } => vec![local.ip()],
            // The first is the one that others know us by.
            Role::Server { wildcard: true } => machine.iter().copied().chain([here::server(v4)]).collect(),
            Role::Server { wildcard: false } => vec![local.ip(), here::server(v4)],
        };
        let addresses = own.into_iter().filter(|own| !own.is_loopback()).filter_map(host_network).collect();
        // IP and UDP around the segment outside, IP inside: the difference is UDP's eight octets.
        let mtu = config.outer_mtu.clamp(576, 65_535) - 8;
        Ok(Self {
            socket: Arc::new(socket),
            state,
            role,
            local,
            addresses,
            machine,
            here: Here::default(),
            mtu,
            buffers: vec![0; BATCH * ROOM],
            metas: [RecvMeta::default(); BATCH],
            arrived: VecDeque::new(),
            made: VecDeque::new(),
            notes: Notes::default(),
            credit: Credit::default(),
            scopes: BTreeMap::new(),
            last_sent: Vec::with_capacity(told::QUOTED),
            datagram: Vec::with_capacity(mtu),
            error_wait: None,
        })
    }

    /// The outer address and port of our side; the inner ones are the same.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The one peer of a client's tunnel.
    #[must_use]
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        match self.role {
            Role::Client { peer, .. } => Some(peer),
            Role::Server { .. } => None,
        }
    }

    /// Takes one batch out of the socket, if there is something.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, state, buffers, metas, .. } = self;
        ready!(socket.poll_recv_ready(context))?;
        let mut rooms = buffers.chunks_exact_mut(ROOM);
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| IoSliceMut::new(rooms.next().unwrap_or_default()));
        let receive = || state.recv(UdpSockRef::from(&**socket), &mut slices, metas);
        let count = match socket.try_io(Interest::READABLE, receive) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) if self.system_told(&error) => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        for (number, meta) in self.metas.iter().enumerate().take(count) {
            let start = number * ROOM;
            let end = start + meta.len.min(ROOM);
            let mut at = start;
            // An empty datagram is one, too.
            loop {
                let next = (at + meta.stride.max(1)).min(end);
                self.arrived.push_back((at..next, number));
                at = next;
                if at >= end {
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Makes a packet of a datagram, or says why it is none of ours.
    fn take_in(
        &mut self,
        datagram: Range<usize>,
        meta: &RecvMeta,
        into: &mut [u8],
    ) -> Result<usize, NotOurs> {
        let segment = self.buffers.get(datagram).unwrap_or_default();
        let from = without_scope(meta.addr);
        let v4 = self.local.is_ipv4();
        let wildcard = match self.role {
            Role::Client { peer, .. } if peer != from => return Err(NotOurs::AnotherPeer),
            Role::Client { same_machine, .. } => {
                framing::check(segment, from, self.local)?;
                let outer = (from.ip(), self.local.ip());
                let (from, to) = if same_machine { (here::server(v4), here::client(v4)) } else { outer };
                return framing::inward(segment, from, to, into);
            }
            Role::Server { wildcard } => wildcard,
        };
        let told = if wildcard { meta.dst_ip.or(self.machine.first().copied()) } else { None };
        let address = told.unwrap_or(self.local.ip());
        if !self.is_on_this_machine(address) {
            return Err(NotOurs::UnknownAddress { address });
        }
        framing::check(segment, from, SocketAddr::new(address, self.local.port()))?;
        let kind = framing::Kind::of(segment);
        if self.is_on_this_machine(from.ip()) {
            if self.here.arrives(from, address, kind)? {
                let inner = SocketAddr::new(here::client(v4), from.port());
                self.notes.push(WireNote::Named { inner, outer: from });
            }
            return framing::inward(segment, here::client(v4), here::server(v4), into);
        }
        let length = framing::inward(segment, from.ip(), address, into)?;
        self.credit.earn(from, kind, segment.len());
        self.remember_scope(meta.addr);
        Ok(length)
    }

    fn is_on_this_machine(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.machine.contains(&address)
    }

    /// Link-local addresses mean something only beside the number of an interface (RFC 4007 §6).
    fn remember_scope(&mut self, peer: SocketAddr) {
        let SocketAddr::V6(scoped) = peer else { return };
        if scoped.scope_id() == 0 {
            return;
        }
        if self.scopes.len() >= MOST_SCOPES {
            self.scopes.pop_first();
        }
        self.scopes.insert(without_scope(peer), scoped.scope_id());
    }

    fn with_scope(&self, peer: SocketAddr) -> SocketAddr {
        match (peer, self.scopes.get(&peer)) {
            (SocketAddr::V6(plain), Some(scope)) => {
                SocketAddrV6::new(*plain.ip(), plain.port(), 0, *scope).into()
            }
            (SocketAddr::V4(_) | SocketAddr::V6(_), _) => peer,
        }
    }

    /// Hands one datagram to the system.
    fn hand_over(&self, to: SocketAddr, from: IpAddr) -> io::Result<()> {
        match self.role {
            Role::Client { .. } => {
                let sent = self.socket.try_send(&self.datagram)?;
                if sent < self.datagram.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
            }
            Role::Server { wildcard } => {
                let transmit = Transmit {
                    destination: self.with_scope(to),
                    ecn: None,
                    contents: &self.datagram,
                    segment_size: None,
                    src_ip: wildcard.then_some(from),
                };
                let send = || self.state.try_send(UdpSockRef::from(&*self.socket), &transmit);
                self.socket.try_io(Interest::WRITABLE, send)
            }
        }
    }

    /// Waits for the system to tell of errors that come without a datagram (a client's only).
    fn poll_told(&mut self, context: &mut Context<'_>) {
        if !matches!(self.role, Role::Client { .. }) {
            return;
        }
        // A waker stays registered by the turn that finds nothing.
        while let Poll::Ready(outcome) = {
            let socket = &self.socket;
            self.error_wait
                .get_or_insert_with(|| {
                    let socket = Arc::clone(socket);
                    Box::pin(async move { socket.ready(Interest::ERROR).await.map(drop) })
                })
                .as_mut()
                .poll(context)
        } {
            self.error_wait = None;
            if outcome.is_err() {
                return;
            }
            // First the readiness, then the queue: what comes in between wakes us again.
            let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.socket.try_io(Interest::ERROR, nothing);
            let heard = self.drain_told();
            if let Ok(Some(error)) = self.socket.take_error()
                && !heard
            {
                self.system_told(&error);
            }
        }
    }

    /// Only Linux keeps a list; others tell each error once, as the outcome of a call.
    #[cfg(not(target_os = "linux"))]
    const fn drain_told(&mut self) -> bool {
        false
    }

    /// Reads the system's list of errors. Says whether there was one that we understood.
    #[cfg(target_os = "linux")]
    fn drain_told(&mut self) -> bool {
        let mut heard = false;
        while let Ok(Some(error)) = self.state.recv_transport_error(UdpSockRef::from(&*self.socket)) {
            let kind = io::Error::from_raw_os_error(error.raw_errno).kind();
            let told = match error.payload {
                quinn_udp::TransportErrorPayload::TooBig { mtu } => {
                    let mtu = usize::try_from(mtu).unwrap_or(usize::MAX).clamp(576, 65_535) - 8;
                    Some(Told::TooBig { mtu })
                }
                _ => told_by(kind),
            };
            heard |= told.is_some_and(|told| self.tell(told));
        }
        heard
    }

    /// Passes an error of the socket on to the host, if it is about the way to the peer.
    fn system_told(&mut self, error: &io::Error) -> bool {
        if self.drain_told() {
            return true;
        }
        if quinn_udp::is_msg_size_err(error) {
            return true; // the queue said how large; without it the next send will
        }
        told_by(error.kind()).is_some_and(|told| self.tell(told))
    }

    /// Makes the ICMP message about the last packet that left.
    fn tell(&mut self, told: Told) -> bool {
        let last_sent = std::mem::take(&mut self.last_sent);
        let heard = self.peer_addr().is_some_and(|peer| self.tell_about(told, peer, &last_sent));
        self.last_sent = last_sent;
        heard
    }

    fn tell_about(&mut self, told: Told, peer: SocketAddr, packet: &[u8]) -> bool {
        let Some(message) = told::message(told, packet) else { return false };
        if self.made.len() < MOST_MADE {
            self.made.push_back(message);
        }
        self.notes.push(match told {
            Told::PortUnreachable => WireNote::PeerRefuses { peer },
            Told::HostUnreachable => WireNote::NoWayToPeer { peer },
            Told::TooBig { mtu } => WireNote::TooBig { peer, mtu },
        });
        true
    }

    fn remember_sent(&mut self, packet: &[u8]) {
        if matches!(self.role, Role::Client { .. }) {
            self.last_sent.clear();
            self.last_sent.extend_from_slice(packet.get(..told::QUOTED).unwrap_or(packet));
        }
    }

    /// Whether a segment may leave by this tunnel; if so, where to and from which of our addresses,
    /// outside.
    fn may_leave(&mut self, out: &framing::Outward) -> Result<(SocketAddr, IpAddr), WireNote> {
        if out.source.port() != self.local.port() {
            let why = NotCarried::SourcePort { inner: out.source.port() };
            return Err(WireNote::NotCarried { why });
        }
        let (to, octets, v4) = (out.destination, out.length, self.local.is_ipv4());
        match self.role {
            Role::Client { peer, same_machine } => {
                let expected =
                    if same_machine { SocketAddr::new(here::server(v4), peer.port()) } else { peer };
                if to == expected {
                    Ok((peer, self.local.ip()))
                } else {
                    Err(WireNote::NotCarried { why: NotCarried::AnotherPeer { to } })
                }
            }
            Role::Server { .. } if to.ip() == here::client(v4) => match self.here.outer(to.port()) {
                Some(outer) => Ok((SocketAddr::new(outer.peer, to.port()), outer.local)),
                None => Err(WireNote::NotCarried { why: NotCarried::AnotherPeer { to } }),
            },
            Role::Server { .. } => match self.credit.spend(to, out.kind, octets) {
                Ok(()) => Ok((to, out.source.ip())),
                Err(credit) => Err(WireNote::Withheld { to, octets, credit }),
            },
        }
    }
}

impl Wire for UdpTunnel {
    fn name(&self) -> &str {
        "udp"
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn addresses(&self) -> &[Cidr] {
        &self.addresses
    }

    fn names(&self) -> Vec<(SocketAddr, SocketAddr)> {
        let v4 = self.local.is_ipv4();
        match self.role {
            Role::Client { peer, same_machine: true } => vec![
                (SocketAddr::new(here::client(v4), self.local.port()), self.local),
                (SocketAddr::new(here::server(v4), peer.port()), peer),
            ],
            Role::Client { same_machine: false, .. } => Vec::new(),
            Role::Server { .. } => {
                let any = if v4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
                let port = self.local.port();
                let server = SocketAddr::new(here::server(v4), port);
                vec![(SocketAddr::new(any, port), self.local), (server, self.local)]
            }
        }
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<Option<usize>>> {
        loop {
            if let Some(packet) = self.made.pop_front() {
                let Some(place) = into.get_mut(..packet.len()) else { continue };
                place.copy_from_slice(&packet);
                return Poll::Ready(Ok(Some(packet.len())));
            }
            if let Some((datagram, number)) = self.arrived.pop_front() {
                let meta = self.metas.get(number).copied().unwrap_or_default();
                let octets = datagram.len();
                return Poll::Ready(Ok(match self.take_in(datagram, &meta, into) {
                    Ok(length) => Some(length),
                    Err(why) => {
                        self.notes.push(WireNote::Foreign { from: meta.addr, octets, why });
                        None
                    }
                }));
            }
            self.poll_told(context);
            if self.made.is_empty() {
                ready!(self.poll_batch(context))?;
            }
        }
    }

    fn try_send(&mut self, packet: &[u8]) -> io::Result<()> {
        let mut datagram = std::mem::take(&mut self.datagram);
        let out = framing::outward(packet, &mut datagram);
        self.datagram = datagram;
        let leaves = match out {
            Ok(out) => self.may_leave(&out).map(|(to, from)| (to, from, out.length)),
            Err(why) => Err(WireNote::NotCarried { why }),
        };
        let (to, from, length) = match leaves {
            Ok(leaves) => leaves,
            Err(note) => {
                self.notes.push(note);
                return Ok(());
            }
        };
        let mut outcome = self.hand_over(to, from);
        if let Err(error) = &outcome
            && error.kind() == io::ErrorKind::ConnectionRefused
            && self.system_told(error)
        {
            // The error was about an earlier packet; this one has not been tried yet.
            outcome = self.hand_over(to, from);
        }
        match outcome {
            Ok(()) => {
                self.remember_sent(packet);
                Ok(())
            }
            Err(error) if quinn_udp::is_msg_size_err(&error) => {
                let outer = length + told::outer_overhead(&to.ip());
                let told = Told::TooBig { mtu: told::next_plateau(outer) - 8 };
                self.tell_about(told, to, packet);
                Ok(())
            }
            Err(error) => match told_by(error.kind()) {
                Some(told) => {
                    self.tell_about(told, to, packet);
                    Ok(())
                }
                None => Err(error),
            },
        }
    }

    fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_send_ready(context)
    }

    fn poll_note(&mut self) -> Option<WireNote> {
        self.notes.pop()
    }
}

impl std::fmt::Debug for UdpTunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpTunnel")
            .field("local", &self.local)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What an error number of the system means about the way to a peer.
fn told_by(kind: io::ErrorKind) -> Option<Told> {
    match kind {
        // Windows says "reset" for a UDP port that nobody has.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Some(Told::PortUnreachable),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(Told::HostUnreachable),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
