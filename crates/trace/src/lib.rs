//! Facts about connections, and their encodings: JSON lines and pcapng

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
