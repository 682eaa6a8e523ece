//! Packet formats of the Internet: parse without allocation, emit, checksum.
//!
//! A parser borrows the octets and returns either a view of them or an [`Error`]
//! that says what was wrong and at which octet. An emitter writes into octets that the caller
//! owns. Neither keeps state.

#![no_std]
#![forbid(unsafe_code)]

pub mod arp;
pub mod checksum;
pub mod error;
pub mod ethernet;
pub mod icmpv4;
pub mod icmpv6;
pub mod ip;
pub mod ipv4;
pub mod ipv6;
pub mod ndp;
pub mod seq;
pub mod tcp;
pub mod udp;

pub use error::Error;
pub use ethernet::MacAddress;
pub use ip::Cidr;
pub use seq::SeqNumber;
pub use tcp::Ports;
