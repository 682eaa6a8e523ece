//! Whole networks in virtual time: impaired links, worlds, invariants

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
