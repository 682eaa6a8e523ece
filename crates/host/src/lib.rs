//! An Internet host without I/O: interfaces, IP, ICMP, UDP, and many TCP connections.
//!
//! [`Host`] is the whole of it. It has no clock and touches no device: calls, frames and the time
//! are inputs that change its state, and everything leaves by a poll, in this order:
//! [`poll_frame`](Host::poll_frame) until there is none, [`poll_event`](Host::poll_event) until
//! there is none, [`poll_note`](Host::poll_note) if somebody watches, and
//! [`poll_deadline`](Host::poll_deadline).
//!
//! `arrives/` has one file for each protocol on the way in, `leaves/` on the way out, `calls/` what
//! an application can ask. Nothing here costs more at a million connections than at ten: tables are
//! hashed under a key, whoever may have something to send is in a list, and timers lie in a wheel.
//!
//! RFC 1122, RFC 8200 and RFC 8504 say what a host does. It never forwards a packet. It never talks
//! to itself either: there is no loopback interface, and a call to one of its own addresses is an
//! error, because on no wire could anybody see what happens.
//!
//! Left out: multicast but for what Neighbor Discovery needs (IGMP, MLD), autoconfiguration of
//! addresses and routers (DHCP, RFC 4862), redirects, zones of link-local addresses, the security
//! architecture of RFC 4301, SYN cookies.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod arrives;
mod budget;
mod calls;
mod config;
mod connections;
mod demux;
mod departure;
mod error;
mod event;
mod fragments;
mod host;
mod identifications;
mod ids;
mod keys;
mod leaves;
mod neighbors;
mod note;
mod outbox;
mod path_mtu;
mod ports;
mod routes;
mod slab;
mod sockets;
mod telling;

pub use aperto_tcp::Watch;
pub use calls::Datagram;
pub use config::{Checksums, Config, FixedIsn, FragmentLimits, Interface, Medium};
pub use departure::{About, Departure, Endpoints, IcmpAbout, IcmpKind, IcmpMessage, NeighborAbout};
pub use error::{
    CallError, CloseError, ConnectError, DatagramError, ListenError, NoSuch, ReceiveError, SendError,
};
pub use event::Event;
pub use host::{Host, Timer};
pub use ids::{ConnectionId, InterfaceId, ListenerId, UdpId};
pub use note::{DropReason, Note};
pub use routes::Route;

#[cfg(test)]
mod tests;
