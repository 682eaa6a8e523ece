//! What an application can ask of a host.

mod tcp;
mod udp;

pub use udp::Datagram;

pub(crate) use tcp::Side;
pub(crate) use udp::icmp_octets;
