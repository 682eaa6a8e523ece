//! Which way a packet goes, and from which address.
//!
//! RFC 1122 §3.3.1 (next hop), §3.3.4 (multihoming), RFC 6724 §5 (source addresses, of which rules
//! 1, 2 and 8 are enough for addresses that somebody configured). The longest prefix wins; of equal
//! ones the first that was added.
//!
//! Left out: redirects (RFC 1122 §3.2.2.2 lets a host ignore them), zones of link-local addresses
//! (the first interface with such a network is used), routers that advertise themselves.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aperto_wire::Cidr;

use crate::config::Interface;
use crate::ids::InterfaceId;

/// A way to a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// The network; `0.0.0.0/0` or `::/0` is all of them.
    pub to: Cidr,
    /// The router that leads there; none if the network lies on the link.
    pub via: Option<IpAddr>,
    /// Through which interface.
    pub interface: InterfaceId,
}

/// Where a packet goes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Way {
    pub(crate) interface: InterfaceId,
    /// The neighbor that takes it: a router or the destination itself.
    pub(crate) next_hop: IpAddr,
}

/// Routes, the longest prefix first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    routes: Vec<Route>,
}

impl Routes {
    pub(crate) fn add(&mut self, route: Route) {
        let length = route.to.prefix_length();
        let at = self.routes.partition_point(|other| other.to.prefix_length() >= length);
        self.routes.insert(at, route);
    }

    #[inline]
    pub(crate) fn way(&self, destination: IpAddr) -> Option<Way> {
        let route = self.routes.iter().find(|route| route.to.contains(destination))?;
        Some(Way { interface: route.interface, next_hop: route.via.unwrap_or(destination) })
    }
}

/// From which of an interface's addresses a packet goes to a destination, by way of a neighbor.
pub(crate) fn source(interface: &Interface, destination: IpAddr, next_hop: IpAddr) -> Option<IpAddr> {
    let ours = interface.addresses.iter().filter(|ours| ours.address().is_ipv4() == destination.is_ipv4());
    match destination {
        // The address that shares a network with the next hop; else the first.
        IpAddr::V4(_) => {
            let mut ours = ours.clone().filter(|ours| ours.contains(next_hop)).chain(ours);
            ours.next().map(Cidr::address)
        }
        // RFC 6724 §5, rule 2 (scope) and rule 8 (longest matching prefix).
        IpAddr::V6(destination) => {
            let fits = |ours: &&Cidr| is_link_local(ours.address()) == is_link_local(destination.into());
            let common = |ours: &&Cidr| match ours.address() {
                IpAddr::V6(ours) => (ours.to_bits() ^ destination.to_bits()).leading_zeros(),
                IpAddr::V4(_) => 0,
            };
            // Of equal ones the first: `max_by_key` would take the last.
            let best = ours.clone().filter(fits).rev().max_by_key(common);
            best.or_else(|| ours.clone().next()).map(Cidr::address)
        }
    }
}

/// Whether an address is good on one link only. RFC 3927, RFC 4291 §2.5.6; ff02::/16 is too.
pub(crate) const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.segments()[0] & 0xffc0 == 0xfe80 || address.segments()[0] & 0xff0f == 0xff02
        }
    }
}

/// To whom a packet is addressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cast {
    /// To us alone.
    Us,
    /// To a group that we are in: broadcast, all hosts of the link.
    Group,
    /// To others.
    Others,
}

/// To whom a packet is addressed that came in through an interface.
pub(crate) fn cast(interface: &Interface, is_ours: bool, destination: IpAddr) -> Cast {
    if is_ours {
        return Cast::Us;
    }
    let is_group = match destination {
        IpAddr::V4(address) => {
            // 224.0.0.1, all hosts: RFC 1112 §4.
            address == Ipv4Addr::BROADCAST
                || address == Ipv4Addr::new(224, 0, 0, 1)
                || is_subnet_broadcast(interface, address)
        }
        IpAddr::V6(address) => is_joined(interface, address),
    };
    if is_group { Cast::Group } else { Cast::Others }
}

/// All nodes of the node or the link, or the solicited-node group of one of our addresses.
///
/// RFC 4291 §2.7.1 and §2.8.
fn is_joined(interface: &Interface, group: Ipv6Addr) -> bool {
    const ALL_NODES: [Ipv6Addr; 2] =
        [Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)];
    ALL_NODES.contains(&group)
        || interface.addresses.iter().any(|ours| match ours.address() {
            IpAddr::V6(ours) => solicited_node(ours) == group,
            IpAddr::V4(_) => false,
        })
}

/// The group in which the owner of an address is asked for its card. RFC 4291 §2.7.1.
pub(crate) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let prefix = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).to_bits();
    Ipv6Addr::from_bits(prefix | (address.to_bits() & 0x00ff_ffff))
}

/// Whether an address means all hosts of one of the interface's networks: the host part all ones,
/// or all zero as of old (RFC 1122 §3.3.6).
pub(crate) fn is_subnet_broadcast(interface: &Interface, address: Ipv4Addr) -> bool {
    interface.addresses.iter().any(|ours| {
        ours.broadcast().is_some_and(|broadcast| broadcast == address || ours.network() == address)
    })
}

/// Whether nobody can have sent a packet from this address, whoever we are.
///
/// RFC 1122 §3.2.1.3, RFC 4291 §2.5, RFC 9293 §3.9.2.3 [MUST-63]: unspecified, loopback, multicast,
/// broadcast, and what no one may use (240.0.0.0/4, IPv4 written as IPv6).
pub(crate) const fn is_martian(source: IpAddr) -> bool {
    match source {
        IpAddr::V4(source) => matches!(source.octets()[0], 0 | 127 | 224..),
        IpAddr::V6(source) => {
            source.is_unspecified()
                || source.is_loopback()
                || source.is_multicast()
                || source.to_ipv4_mapped().is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_wins_and_then_the_first() {
        let mut routes = Routes::default();
        for (to, via, interface) in [
            ("0.0.0.0/0", Some("10.0.0.254"), 0),
            ("10.0.0.0/8", None, 1),
            ("10.1.0.0/16", None, 2),
            ("10.1.0.0/16", None, 3),
        ] {
            routes.add(Route { to: cidr(to), via: via.map(ip), interface: InterfaceId(interface) });
        }
        let way = |to: &str| routes.way(ip(to)).map(|way| (way.interface.0, way.next_hop));
        assert_eq!(way("10.1.2.3"), Some((2, ip("10.1.2.3"))));
        assert_eq!(way("10.2.2.3"), Some((1, ip("10.2.2.3"))));
        assert_eq!(way("192.0.2.1"), Some((0, ip("10.0.0.254"))));
        assert_eq!(way("2001:db8::1"), None);
    }

    #[test]
    fn a_packet_leaves_from_the_address_that_fits_its_way() {
        let addresses =
            ["10.0.0.1/24", "172.16.0.1/16", "fe80::1/64", "2001:db8:1::1/64", "2001:db8:2::1/64"];
        let interface = Interface::ip("x", 1500, &addresses.map(cidr));
        let from = |to: &str, hop: &str| source(&interface, ip(to), ip(hop));
        assert_eq!(from("192.0.2.1", "172.16.0.254"), Some(ip("172.16.0.1")));
        assert_eq!(from("192.0.2.1", "192.0.2.1"), Some(ip("10.0.0.1")));
        assert_eq!(from("fe80::2", "fe80::2"), Some(ip("fe80::1")));
        assert_eq!(from("2001:db8:2::9", "fe80::2"), Some(ip("2001:db8:2::1")));
        assert_eq!(from("2001:db9::9", "fe80::2"), Some(ip("2001:db8:1::1")));
    }

    /// RFC 9293 §3.9.2.3 [MUST-63], RFC 1122 §3.2.1.3.
    #[test]
    fn sources_that_nobody_can_have_are_martians() {
        for source in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "ff02::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_martian(ip(source)), "{source}");
        }
        for source in ["1.0.0.0", "10.0.0.1", "223.255.255.255", "fe80::1", "2001:db8::1"] {
            assert!(!is_martian(ip(source)), "{source}");
        }
    }

    #[test]
    fn groups_are_told_from_us_and_from_others() {
        let interface = Interface::ip("x", 1500, &[cidr("192.0.2.7/24"), cidr("2001:db8::12:3456/64")]);
        let to = |text: &str| cast(&interface, false, ip(text));
        for group in
            ["255.255.255.255", "192.0.2.255", "192.0.2.0", "224.0.0.1", "ff02::1", "ff02::1:ff12:3456"]
        {
            assert_eq!(to(group), Cast::Group, "{group}");
        }
        for other in ["192.0.2.8", "224.0.0.251", "198.51.100.255", "ff02::1:ff12:3457", "ff02::2"] {
            assert_eq!(to(other), Cast::Others, "{other}");
        }
    }
}
