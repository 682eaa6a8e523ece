//! The command line: what it may say (`tree.rs`, `flags.rs`), what it says as typed values
//! (`read.rs`, `channel.rs`), and what is wrong with it (`refuse.rs`).

pub(crate) mod bench;
pub(crate) mod channel;
pub(crate) mod chat;
pub(crate) mod doctor;
pub(crate) mod flags;
pub(crate) mod integrity;
pub(crate) mod modes;
pub(crate) mod read;
pub(crate) mod recipe;
pub(crate) mod refuse;
pub(crate) mod repeat;
pub(crate) mod secure;
pub(crate) mod states;
pub(crate) mod told;
pub(crate) mod tools;
pub(crate) mod transfer;
pub(crate) mod tree;

#[cfg(test)]
mod tests;
