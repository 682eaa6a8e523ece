//! Applications as machines without I/O: echo, upper, chat, transfer, sink

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
