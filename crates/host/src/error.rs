//! Errors: what our own caller asked that cannot be done.
//!
//! What others did wrong is a [`DropReason`](crate::DropReason) in a note.

use core::fmt;
use core::net::IpAddr;

/// Why [`Host::listen`](crate::Host::listen) or [`Host::bind_udp`](crate::Host::bind_udp) did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// Somebody has this address and port already. RFC 9293 §3.9.1.1 \[MUST-41\]: it keeps them.
    InUse,
    /// No interface has this address.
    NotOurAddress(IpAddr),
    /// A passive open needs a port.
    NoPort,
    /// All ports that may be given out are in use.
    NoFreePort,
}

/// Why [`Host::connect`](crate::Host::connect) did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The remote address is unspecified, multicast or broadcast, or the port is 0.
    /// RFC 9293 §3.9.1.1 \[MUST-46\].
    InvalidRemote(IpAddr),
    /// The remote address is one of our own. A host has no wire to itself on which anything could be
    /// seen.
    ToItself(IpAddr),
    /// No interface has the local address.
    NotOurAddress(IpAddr),
    /// No route leads there, or no interface on the way has an address of that version.
    NoRoute(IpAddr),
    /// A connection between the two sockets exists already, maybe in TIME-WAIT.
    /// RFC 9293 §3.10.1: `connection already exists`.
    AlreadyExists,
    /// All ports that may be given out are in use with this remote socket.
    NoFreePort,
    /// There are as many connections as are allowed. RFC 9293 §3.10.1: `insufficient resources`.
    TooMany,
}

/// Why a call on a connection did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The id names nothing: it was released. RFC 9293 §3.10: `connection does not exist`.
    NoSuchConnection,
    /// The connection says no.
    Connection(E),
}

/// Why [`Host::send`](crate::Host::send) took nothing.
pub type SendError = CallError<aperto_tcp::SendError>;
/// Why [`Host::receive`](crate::Host::receive) gave nothing.
pub type ReceiveError = CallError<aperto_tcp::ReceiveError>;
/// Why [`Host::close`](crate::Host::close) did nothing.
pub type CloseError = CallError<aperto_tcp::CloseError>;

/// The id names nothing (any more).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuch;

/// Why a datagram was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DatagramError {
    /// The id names no socket.
    NoSuchSocket,
    /// The remote address is unspecified, of another version than ours, or the port is 0.
    InvalidRemote(IpAddr),
    /// The remote address is one of our own.
    ToItself(IpAddr),
    /// No route leads there, or no interface on the way has an address of that version.
    NoRoute(IpAddr),
    /// It is larger than IP can carry, in fragments or whole.
    TooLarge {
        /// How many octets are the most.
        most: usize,
    },
    /// Too many octets wait to leave already; later there will be room.
    QueueFull,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("address and port are in use"),
            Self::NotOurAddress(address) => write!(f, "no interface has the address {address}"),
            Self::NoPort => f.write_str("a passive open needs a port"),
            Self::NoFreePort => f.write_str("all ports are in use"),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRemote(address) => write!(f, "nobody can be reached at {address} and this port"),
            Self::ToItself(address) => write!(f, "{address} is our own address"),
            Self::NotOurAddress(address) => write!(f, "no interface has the address {address}"),
            Self::NoRoute(address) => write!(f, "no route to {address}"),
            Self::AlreadyExists => f.write_str("connection already exists"),
            Self::NoFreePort => f.write_str("all ports are in use with this peer"),
            Self::TooMany => f.write_str("insufficient resources: too many connections"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchConnection => f.write_str("connection does not exist"),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for NoSuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("does not exist any more")
    }
}

impl fmt::Display for DatagramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchSocket => f.write_str("socket does not exist"),
            Self::InvalidRemote(address) => write!(f, "nobody can be reached at {address} and this port"),
            Self::ToItself(address) => write!(f, "{address} is our own address"),
            Self::NoRoute(address) => write!(f, "no route to {address}"),
            Self::TooLarge { most } => write!(f, "datagram too large, {most} octets are the most"),
            Self::QueueFull => f.write_str("too much waits to be sent"),
        }
    }
}

impl core::error::Error for ListenError {}
impl core::error::Error for ConnectError {}
impl<E: core::error::Error> core::error::Error for CallError<E> {}
impl core::error::Error for NoSuch {}
impl core::error::Error for DatagramError {}
