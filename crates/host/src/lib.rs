//! An Internet host without I/O: interfaces, IP, ICMP, UDP, and many TCP connections

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
