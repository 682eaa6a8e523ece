//! Packet formats of the Internet: parse without allocation, emit, checksum.
//!
//! A parser borrows the octets and returns either a view of them or an [`Error`](error::Error)
//! that says what was wrong and at which octet. An emitter writes into octets that the caller
//! owns. Neither keeps state.

#![no_std]
#![forbid(unsafe_code)]

pub mod checksum;
pub mod error;
pub mod ip;
pub mod ipv4;
pub mod ipv6;
pub mod seq;
pub mod tcp;

pub use error::Error;
pub use seq::SeqNumber;
pub use tcp::Ports;
