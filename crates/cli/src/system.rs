//! What this machine says of itself: its sockets, and who holds them.

pub(crate) mod sockets;
