//! Names for interfaces, listeners, connections and sockets.
//!
//! RFC 9293 §3.9.1.1 calls them "local connection names". All but the interface's are checked: once
//! what they named is gone they name nothing, and never something newer.

use core::fmt;

use crate::slab::Id;

/// An interface of a host. Interfaces are never taken away, so this is a plain number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterfaceId(pub(crate) u32);

impl InterfaceId {
    /// Its number: 0 for the first that was added.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

macro_rules! checked_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub(crate) Id);

        impl $name {
            /// The number of its place: small, and let again when what it names is gone.
            #[must_use]
            pub const fn index(self) -> u32 {
                self.0.index
            }

            /// How many tenants its place had before.
            #[must_use]
            pub const fn generation(self) -> u32 {
                self.0.generation
            }
        }

        impl fmt::Display for $name {
            /// The place and, from the second tenant on, which one: `7`, `7.2`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0.generation {
                    0 => write!(f, "{}", self.0.index),
                    generation => write!(f, "{}.{generation}", self.0.index),
                }
            }
        }
    };
}

checked_id! {
    /// A TCP connection, the same from its first SYN to the end of TIME-WAIT.
    ConnectionId
}
checked_id! {
    /// A passive open.
    ListenerId
}
checked_id! {
    /// A UDP socket.
    UdpId
}
