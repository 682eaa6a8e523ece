//! Opens what packets go through: a wire, our host behind it, who watches, who spoils.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aperto_explain::program::{Fault, RefusedBy};
use aperto_host::FixedIsn;
use aperto_sim::channel::{Direction, Framing, Impairments, Settings};
use aperto_sim::quantity::Rate;
use aperto_time::Instant;
use aperto_tokio::{
    Builder, ConnectError, OpenError, Refusal, Right, Stack, Stopped, TunConfig, TunWire, TunnelConfig,
    UdpTunnel, Wire, WireNote, clock,
};
use aperto_trace::{HostId, HostInfo, InterfaceInfo, Link, LinkType, Role, Source, TraceHeader};
use aperto_wire::{Cidr, SeqNumber};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::printer::Printer;
use super::scribe::{Scribe, SharedScribe};
use super::spoil::{Spoiler, Wishes};
use super::watch::Watcher;
use crate::arguments::read::{Isn, Live, Service, WireKind};
use crate::looks::{Looks, View};
use crate::record::Recording;

/// A stack of ours and what belongs to it.
pub(crate) struct Net {
    pub(crate) stack: Stack,
    driver: JoinHandle<Stopped>,
    /// What the wire noticed.
    pub(crate) noticed: UnboundedReceiver<WireNote>,
    /// Who writes it all down, where anybody wants to know.
    pub(crate) scribe: Option<SharedScribe>,
    /// What the prompt asks of the channel.
    pub(crate) wishes: Wishes,
    /// Where we are, as others call it.
    pub(crate) local: SocketAddr,
    /// The device's name.
    pub(crate) device: String,
    /// Whether packets are spoilt on purpose.
    pub(crate) impaired: bool,
}

/// Which end we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Client { remote: SocketAddr },
    Server { listen: SocketAddr },
}

/// How the host's connections behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// For reading along: acknowledgments wait 200 ms for company, timers a second.
    Talk,
    /// For moving much: as a Linux host.
    Transfer,
}

/// The wire that a device makes has the first address of the network that ours is in.
fn kernel_address(ours: IpAddr) -> Option<Cidr> {
    match ours {
        IpAddr::V4(ours) => {
            let [a, b, c, d] = ours.octets();
            Cidr::new(Ipv4Addr::new(a, b, c, if d == 1 { 2 } else { 1 }).into(), 24)
        }
        IpAddr::V6(ours) => {
            let mut octets = ours.octets();
            octets[15] = if octets[15] == 1 { 2 } else { 1 };
            Cidr::new(IpAddr::from(octets), 64)
        }
    }
}

fn open_wire(live: &Live, end: End) -> Result<(Box<dyn Wire>, SocketAddr), Fault> {
    if live.wire == WireKind::Tun {
        let mut config = TunConfig::default();
        if let Some(ours) = live.address {
            config.ours = ours;
            config.kernel = kernel_address(ours).unwrap_or(config.kernel);
        }
        let wire = TunWire::open(&config).map_err(|error| refused_here(&error, &live.command))?;
        let port = match end {
            End::Server { listen } => listen.port(),
            End::Client { .. } => 0,
        };
        return Ok((Box::new(wire), SocketAddr::new(config.ours, port)));
    }
    let wire = match end {
        End::Client { remote } => UdpTunnel::to(remote, TunnelConfig::default()),
        End::Server { listen } => UdpTunnel::on(listen, TunnelConfig::default()),
    };
    let wire = wire.map_err(|error| refused_here(&error, &live.command))?;
    let local = wire.local_addr();
    Ok((Box::new(wire), local))
}

/// The settings of connections.
pub(crate) fn tcp_config(live: &Live, pace: Pace) -> aperto_tcp::Config {
    let mut config = aperto_tcp::Config::modern();
    if pace == Pace::Talk {
        config.delayed_ack = Duration::from_millis(200);
        config.rto_min = Duration::from_secs(1);
    }
    if let Some(window) = live.tcp.window {
        config.receive_buffer = usize::try_from(window).unwrap_or(usize::MAX);
        config.initial_receive_window = config.initial_receive_window.min(window);
    }
    config.nagle = !live.tcp.nodelay;
    config
}

/// How fast a server's connections should be.
pub(crate) const fn pace_of(service: &Service) -> Pace {
    match service {
        Service::Receipt | Service::Chat | Service::Text(_) => Pace::Talk,
        Service::Echo | Service::Upper | Service::Sink | Service::Out(_) | Service::Files => Pace::Transfer,
    }
}

impl Net {
    /// Opens it all. Call it inside a runtime.
    pub(crate) fn open(
        live: &Live,
        end: End,
        pace: Pace,
        looks: &Looks,
        printer: &Printer,
    ) -> Result<Self, Fault> {
        let (wire, local) = open_wire(live, end)?;
        let device = wire.name().to_owned();
        let perfect = Impairments::only_delay(Duration::ZERO);
        let (up, down) = live.channel.impairments((perfect.clone(), perfect));
        let impaired = live.channel.first_flag.is_some();
        let header = header(live, end, &*wire, &up, &down);
        let watched = looks.live_view() != View::Nothing || live.record.file.is_some();
        let scribe = if watched {
            let file = live.record.file.as_deref();
            let recording = file.map(|file| Recording::create(file, &header, looks.language)).transpose()?;
            let mut scribe = Scribe::new(header, HostId(0), looks, printer.clone(), recording);
            if let End::Client { remote } = end {
                scribe.goes_to(remote);
            }
            let scribe = SharedScribe::new(scribe);
            tokio::spawn(super::scribe::keep_telling(scribe.clone()));
            Some(scribe)
        } else {
            None
        };
        let (told, noticed) = unbounded_channel();
        let wishes = Wishes::default();
        let settings = Settings {
            seed: live.channel.seed,
            framing: Framing::Ip,
            up,
            down,
            picks: live.channel.picks.clone(),
        };
        let out = if matches!(end, End::Client { .. }) { Direction::Up } else { Direction::Down };
        let secret = aperto_tokio::secret().map_err(|error| refused_here(&error, &live.command))?;
        let fixed_isn = match live.tcp.isn {
            Some(Isn::Fixed(client, server)) => {
                Some(FixedIsn { active: SeqNumber::new(client), passive: SeqNumber::new(server) })
            }
            Some(Isn::Random) | None => None,
        };
        let config = aperto_host::Config {
            tcp: Arc::new(tcp_config(live, pace)),
            secret,
            fixed_isn,
            ..aperto_host::Config::default()
        };
        let builder = Builder::new(config).observer(Box::new(Watcher::new(scribe.clone(), told)));
        // Who types may ask for losses at any time; so may flags. Nobody else pays for the detour.
        let builder = if impaired || pace == Pace::Talk {
            let spoiler = Spoiler::new(settings, out, wishes.clone(), scribe.clone());
            builder.impaired_wire(wire, Box::new(spoiler))
        } else {
            builder.wire(wire)
        };
        let (stack, driver) = builder.spawn();
        Ok(Self { stack, driver, noticed, scribe, wishes, local, device, impaired })
    }

    /// Lets what is on its way leave, and ends the driver.
    pub(crate) async fn close(self) -> Option<SharedScribe> {
        self.stack.stop();
        // A driver that panicked has said so.
        let _ = self.driver.await;
        self.scribe
    }
}

/// What a recording says about itself.
fn header(live: &Live, end: End, wire: &dyn Wire, up: &Impairments, down: &Impairments) -> TraceHeader {
    let addresses = wire.addresses().iter().map(Cidr::address).collect();
    header_of(live, end, addresses, u32::try_from(wire.mtu()).unwrap_or(u32::MAX), up, down)
}

/// The same, where there is no wire of ours.
pub(crate) fn header_of(
    live: &Live,
    end: End,
    addresses: Vec<IpAddr>,
    mtu: u32,
    up: &Impairments,
    down: &Impairments,
) -> TraceHeader {
    let (name, role) = match end {
        End::Client { .. } => ("client", Role::Client),
        End::Server { .. } => ("server", Role::Server),
    };
    let interface = InterfaceInfo { name: name.into(), addresses, link_type: LinkType::Ip, mtu };
    let host = HostInfo { name: name.into(), role, source: Source::Known, interfaces: vec![interface] };
    let mut flags = aperto_sim::recipe::Recipe::new(live.protocol);
    flags.up = up.clone();
    flags.down = down.clone();
    flags.picks = live.channel.picks.clone();
    let link = live.channel.first_flag.map(|_| Link {
        delay_up: up.delay,
        delay_down: down.delay,
        rate_bits_per_second: up.rate.map(Rate::bits_per_second),
        impairments: flags.flags(),
    });
    TraceHeader {
        version: env!("CARGO_PKG_VERSION").into(),
        seed: live.channel.first_flag.map(|_| live.channel.seed),
        command: live.command.clone(),
        tag: live.record.tag.clone(),
        wire: live.wire.name().into(),
        protocol: live.protocol.name().into(),
        recipe: None,
        epoch_ns: Some(clock::unix_nanos(Instant::ZERO)),
        hosts: vec![host],
        link,
    }
}

/// What cannot be done here, as a fault.
pub(crate) fn refused_here(error: &OpenError, command: &str) -> Fault {
    match error {
        OpenError::PortTaken { port, by, .. } => {
            let holder = by.as_ref().map(|holder| (holder.name.clone(), holder.pid));
            Fault::PortTaken { port: *port, holder }
        }
        OpenError::AddressNotOurs { address } => Fault::AddressNotOurs { address: *address },
        OpenError::NeedsRights(Right::LowPort { port }) => Fault::NeedsPortRights { port: *port },
        OpenError::NeedsRights(Right::TunDevice) => Fault::NeedsTunRights { command: command.into() },
        OpenError::NoTunDevice => Fault::NoTunDevice,
        OpenError::KernelOwnsAddress { address, interface } => {
            Fault::KernelOwnsAddress { address: *address, interface: interface.clone() }
        }
        other => Fault::System { what: other.to_string() },
    }
}

/// Why a connection was not opened, as a fault.
pub(crate) fn not_connected(error: &ConnectError, command: &str) -> Fault {
    match error {
        ConnectError::Refused { remote, by } => {
            let by = match by {
                Refusal::Reset => RefusedBy::Reset,
                Refusal::PortUnreachable => RefusedBy::PortUnreachable,
                Refusal::System => RefusedBy::System,
            };
            Fault::Refused { remote: *remote, by, same_machine: remote.ip().is_loopback() }
        }
        ConnectError::TimedOut { remote, after } => Fault::NoAnswer { remote: *remote, after: *after },
        ConnectError::Unreachable { remote } => Fault::Unreachable { remote: *remote },
        ConnectError::Open(error) => refused_here(error, command),
        other => Fault::System { what: other.to_string() },
    }
}

/// The IP addresses of this machine that others can reach.
pub(crate) fn addresses_for_others() -> Vec<String> {
    // A datagram socket that is connected sends nothing, and knows which address it would use.
    let Ok(socket) = std::net::UdpSocket::bind("0.0.0.0:0") else { return Vec::new() };
    if socket.connect("192.0.2.1:9").is_err() {
        return Vec::new();
    }
    let address = socket.local_addr().ok().map(|address| address.ip());
    address
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
        .map(|ip| ip.to_string())
        .into_iter()
        .collect()
}
