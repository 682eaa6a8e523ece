//! One TCP connection after RFC 9293, without I/O, that says why it sends each segment

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
