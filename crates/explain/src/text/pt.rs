//! Portuguese, as it is written in Brazil.

pub(super) mod arq;
pub(super) mod counts;
pub(super) mod engine;
pub(super) mod long;
pub(super) mod note;
pub(super) mod reason;
pub(super) mod sockets;
pub(super) mod spoken;
pub(super) mod words;
pub(super) mod world;
