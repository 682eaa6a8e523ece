//! Stop-and-wait, Go-Back-N and Selective Repeat, one file each

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
