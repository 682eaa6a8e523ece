//! What cannot be done here: a port that is taken, an address that is not ours, missing rights.
//!
//! Each is a typed value with what a user needs to know to get on, and its `Display` is for
//! engineers; the sentences for users are made of the fields.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aperto_host::ListenError;

use crate::holder::Holder;

/// Which transport a port belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// Why a wire, a listener or a socket could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody else has the port.
    PortTaken {
        /// The port.
        port: u16,
        /// Whose port it is: the operating system keeps one list for each transport.
        transport: Transport,
        /// The program that holds it, where the system lets us know.
        by: Option<Holder>,
    },
    /// The address is not one of this machine's.
    AddressNotOurs {
        /// The address.
        address: IpAddr,
    },
    /// The operating system does not let this user do it.
    NeedsRights(Right),
    /// There is no TUN device on this machine: the kernel's module is not there.
    NoTunDevice,
    /// The kernel owns the address that should be ours, and would answer for it with resets.
    KernelOwnsAddress {
        /// The address.
        address: IpAddr,
        /// The interface that has it.
        interface: String,
    },
    /// An interface name that is not one to fifteen of `a` to `z` and `0` to `9`.
    BadInterfaceName {
        /// The name.
        name: String,
    },
    /// The two addresses of a point-to-point device are not of one network, or are the same.
    BadDeviceAddresses {
        /// The kernel's address.
        kernel: IpAddr,
        /// Our address.
        ours: IpAddr,
    },
    /// The stack itself has no room, or cannot be asked so.
    Stack(String),
    /// Anything else that the system says.
    Io(io::Error),
}

/// What needs rights that this process does not have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Right {
    /// Creating and configuring a TUN device: `CAP_NET_ADMIN`, or being the administrator.
    TunDevice,
    /// Listening on a port below 1024: `CAP_NET_BIND_SERVICE`.
    LowPort {
        /// The port.
        port: u16,
    },
}

impl Right {
    /// What to type to get the right, for this operating system.
    #[must_use]
    pub const fn remedies(self) -> &'static [&'static str] {
        match self {
            Self::TunDevice if cfg!(windows) => &["run the terminal as administrator"],
            Self::TunDevice if cfg!(target_os = "linux") => {
                &["sudo aperto ...", "sudo setcap cap_net_admin+ep $(command -v aperto)"]
            }
            Self::TunDevice => &["sudo aperto ..."],
            Self::LowPort { .. } => &["use a port from 1024 on"],
        }
    }
}

impl OpenError {
    /// Sorts an error of the system that came from binding to an address.
    #[must_use]
    pub fn from_bind(error: io::Error, address: SocketAddr, transport: Transport) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::PortTaken {
                port: address.port(),
                transport,
                by: crate::holder::find(address.port(), transport),
            },
            io::ErrorKind::AddrNotAvailable => Self::AddressNotOurs { address: address.ip() },
            io::ErrorKind::PermissionDenied if address.port() < 1024 => {
                Self::NeedsRights(Right::LowPort { port: address.port() })
            }
            _ => Self::Io(error),
        }
    }
}

impl OpenError {
    /// Sorts an error of our own stack that came from listening or binding.
    pub(crate) fn from_stack(error: ListenError, local: SocketAddr, transport: Transport) -> Self {
        match error {
            ListenError::InUse => Self::PortTaken { port: local.port(), transport, by: None },
            ListenError::NotOurAddress(address) => Self::AddressNotOurs { address },
            _ => Self::Stack(error.to_string()),
        }
    }
}

impl ConnectError {
    /// Sorts an error of our own stack that came from connecting.
    pub(crate) fn from_stack(error: aperto_host::ConnectError, remote: SocketAddr) -> Self {
        match error {
            aperto_host::ConnectError::NoRoute(_) => Self::Unreachable { remote },
            aperto_host::ConnectError::NotOurAddress(address) => {
                Self::Open(OpenError::AddressNotOurs { address })
            }
            _ => Self::Open(OpenError::Stack(error.to_string())),
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortTaken { port, transport, by: Some(holder) } => {
                write!(f, "{transport} port {port} is in use by {:?} (pid {})", holder.name, holder.pid)
            }
            Self::PortTaken { port, transport, by: None } => write!(f, "{transport} port {port} is in use"),
            Self::AddressNotOurs { address } => write!(f, "{address} is not an address of this machine"),
            Self::NeedsRights(Right::TunDevice) => f.write_str("no rights to make a TUN device"),
            Self::NeedsRights(Right::LowPort { port }) => write!(f, "no rights to listen on port {port}"),
            Self::NoTunDevice => f.write_str("this machine has no TUN device"),
            Self::KernelOwnsAddress { address, interface } => {
                write!(f, "the kernel owns {address} on {interface} and would answer for it")
            }
            Self::BadInterfaceName { name } => {
                write!(f, "{name:?} is not an interface name: one to fifteen of a to z and 0 to 9")
            }
            Self::BadDeviceAddresses { kernel, ours } => {
                write!(f, "{ours} is not another address in the network of {kernel}")
            }
            Self::Stack(what) => f.write_str(what),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// Who said that a connection is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The peer's TCP, with a reset. RFC 9293 §3.5.2.
    Reset,
    /// The peer's UDP, with an ICMP port unreachable: nobody has the tunnel's outer port open.
    /// RFC 1122 §4.1.3.1.
    PortUnreachable,
    /// The operating system, whose own sockets do not say how they came to know.
    System,
}

/// Why a connection was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens there.
    Refused {
        /// Where.
        remote: SocketAddr,
        /// Who said so.
        by: Refusal,
    },
    /// Nobody answered.
    TimedOut {
        /// Where.
        remote: SocketAddr,
        /// For how long we asked.
        after: Duration,
    },
    /// The network says that there is no way.
    Unreachable {
        /// Where.
        remote: SocketAddr,
    },
    /// It ended otherwise before it was open: our own side aborted it, or the stack was stopped.
    Ended {
        /// Where.
        remote: SocketAddr,
    },
    /// It could not be asked for.
    Open(OpenError),
}

impl From<OpenError> for ConnectError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { remote, .. } => write!(f, "connection refused by {remote}"),
            Self::TimedOut { remote, after } => {
                write!(f, "connection to {remote} timed out after {} s", after.as_secs())
            }
            Self::Unreachable { remote } => write!(f, "{remote} cannot be reached"),
            Self::Ended { remote } => write!(f, "connection to {remote} ended before it was open"),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        let kind = match &error {
            ConnectError::Refused { .. } => io::ErrorKind::ConnectionRefused,
            ConnectError::TimedOut { .. } => io::ErrorKind::TimedOut,
            ConnectError::Unreachable { .. } => io::ErrorKind::HostUnreachable,
            ConnectError::Ended { .. } => io::ErrorKind::ConnectionAborted,
            ConnectError::Open(OpenError::Io(error)) => error.kind(),
            ConnectError::Open(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
