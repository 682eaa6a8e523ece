//! What the facts mean, in English and Portuguese, and how they are drawn

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
