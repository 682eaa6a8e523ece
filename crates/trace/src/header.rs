//! What a trace says about itself: the recipe, the hosts, the link.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_time::Duration;

use crate::record::HostId;

/// Where the reasons come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Source {
    /// The engine said them where it took the decision.
    #[default]
    Known,
    /// Somebody guessed them from the packets.
    Inferred,
}

/// What a trace says about itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TraceHeader {
    /// The version of aperto that recorded it.
    pub version: String,
    /// What luck was drawn from.
    pub seed: Option<u64>,
    /// The command line, as it was typed.
    pub command: String,
    /// Who recorded it, in the user's words: name, class.
    pub tag: Option<String>,
    /// What carried the packets: `sim`, `udp`, `tun`, `os`, or `capture`.
    pub wire: String,
    /// What was spoken: `tcp`, `udp`, `saw`, `gbn`, `sr`; empty where a trace has several.
    pub protocol: String,
    /// Everything that is needed to run it again, where it can be: one line, which begins with its
    /// kind and version. The program writes `flags/1` and the flags of a simulated run.
    pub recipe: Option<String>,
    /// Nanoseconds since 1970-01-01 UTC at the trace's instant zero; none in virtual time.
    pub epoch_ns: Option<u64>,
    /// The hosts; a [`HostId`] is the place here.
    pub hosts: Vec<HostInfo>,
    /// The channel, where it is ours.
    pub link: Option<Link>,
}

impl TraceHeader {
    /// One of the hosts.
    #[must_use]
    pub fn host(&self, id: HostId) -> Option<&HostInfo> {
        self.hosts.get(usize::from(id.0))
    }

    /// The first host with this role.
    #[must_use]
    pub fn host_with_role(&self, role: Role) -> Option<HostId> {
        let place = self.hosts.iter().position(|host| host.role == role)?;
        u8::try_from(place).ok().map(HostId)
    }

    /// Whether it is of a textbook protocol: stop-and-wait, Go-Back-N, Selective Repeat.
    #[must_use]
    pub fn is_arq(&self) -> bool {
        matches!(self.protocol.as_str(), "saw" | "gbn" | "sr")
    }

    /// Whether all reasons are known, or some are guessed.
    #[must_use]
    pub fn source(&self) -> Source {
        if self.hosts.iter().any(|host| host.source == Source::Inferred) {
            Source::Inferred
        } else {
            Source::Known
        }
    }
}

/// A host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostInfo {
    /// Its name: `client`, `server`.
    pub name: String,
    /// On which side of a ladder it stands.
    pub role: Role,
    /// Where its reasons come from.
    pub source: Source,
    /// Its interfaces, in order.
    pub interfaces: Vec<InterfaceInfo>,
}

impl HostInfo {
    /// Whether the address is one of its own.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.interfaces.iter().any(|interface| interface.addresses.contains(&address))
    }
}

/// On which side of a ladder a host stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Role {
    /// Left: it opens.
    Client,
    /// Right: it waits.
    Server,
    /// Neither.
    #[default]
    Other,
}

/// An interface of a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceInfo {
    /// Its name: the host's, if there is one only.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// What its frames begin with.
    pub link_type: LinkType,
    /// The most octets of an IP packet that it carries.
    pub mtu: u32,
}

/// What the frames of an interface begin with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum LinkType {
    /// An IPv4 or IPv6 header.
    #[default]
    Ip,
    /// An Ethernet header.
    Ethernet,
    /// The four octets of a BSD loopback, then IP; read only.
    Null,
    /// Linux "cooked" capture, 16 octets, then IP; read only.
    LinuxCooked,
    /// Linux "cooked" capture, version 2, 20 octets, then IP; read only.
    LinuxCooked2,
    /// Something that we cannot read, by its number in pcap.
    Unknown(u16),
}

/// The channel between client and server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Link {
    /// One-way delay from client to server.
    pub delay_up: Duration,
    /// One-way delay from server to client.
    pub delay_down: Duration,
    /// Bits per second; none where it is not limited.
    pub rate_bits_per_second: Option<u64>,
    /// What it does to packets, as flags that say so: `--loss 10% --drop 4`; empty if nothing.
    pub impairments: String,
}

impl Link {
    /// Both delays together.
    #[must_use]
    pub fn rtt(&self) -> Duration {
        self.delay_up.saturating_add(self.delay_down)
    }
}
