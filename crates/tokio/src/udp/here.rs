//! Conversations within one machine: other addresses inside than outside.
//!
//! Between two programs on one machine both ends have the same address, 127.0.0.1 or the machine's
//! own, and a host rightly believes nobody who claims to come from there (RFC 1122 §3.2.1.3). So
//! the tunnel names the ends as what they are: the client is 192.0.2.1 and the server 192.0.2.2
//! inside, on both sides alike (2001:db8::1 and ::2 for IPv6). These are for documentation
//! (RFC 5737, RFC 3849): no peer from outside can have them. Ports stay what they are, and tell the
//! clients apart. A recording gains by it: each end has an address of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wire::NotOurs;

use super::framing::Kind;

/// The name of a client on the same machine, of a version of IP.
pub(super) const fn client(v4: bool) -> IpAddr {
    if v4 {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 1))
    }
}

/// The name of a server on the same machine, of a version of IP.
pub(super) const fn server(v4: bool) -> IpAddr {
    if v4 {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 2))
    }
}

/// The outer addresses of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outer {
    pub(super) peer: IpAddr,
    pub(super) local: IpAddr,
}

/// A server's clients on the same machine, by their port: at most as many as there are ports, and
/// nobody outside can add one.
#[derive(Debug, Default)]
pub(super) struct Here(BTreeMap<u16, Outer>);

impl Here {
    /// A segment came from this machine: whether it may, and whether its sender is new.
    ///
    /// A request takes over the port from whoever had it at another address of the machine.
    pub(super) fn arrives(&mut self, from: SocketAddr, to: IpAddr, kind: Kind) -> Result<bool, NotOurs> {
        let outer = Outer { peer: from.ip(), local: to };
        match self.0.get(&from.port()) {
            Some(known) if *known == outer => Ok(false),
            Some(_) if kind != Kind::Request => Err(NotOurs::AnotherPeer),
            Some(_) | None => {
                self.0.insert(from.port(), outer);
                Ok(true)
            }
        }
    }

    /// Where the client of this port is outside.
    pub(super) fn outer(&self, port: u16) -> Option<Outer> {
        self.0.get(&port).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_belongs_to_one_client_until_another_one_asks_for_a_connection() {
        let mut here = Here::default();
        let first = SocketAddr::from(([127, 0, 0, 1], 5000));
        let second = SocketAddr::from(([192, 168, 0, 15], 5000));
        let (to_first, to_second) = (first.ip(), second.ip());
        assert_eq!(here.arrives(first, to_first, Kind::Request), Ok(true));
        assert_eq!(here.arrives(first, to_first, Kind::Other), Ok(false));
        assert_eq!(here.arrives(second, to_second, Kind::Other), Err(NotOurs::AnotherPeer));
        assert_eq!(here.outer(5000), Some(Outer { peer: first.ip(), local: to_first }));
        assert_eq!(here.arrives(second, to_second, Kind::Request), Ok(true));
        assert_eq!(here.outer(5000), Some(Outer { peer: second.ip(), local: to_second }));
        assert_eq!(here.outer(5001), None);
    }
}
