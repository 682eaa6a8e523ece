//! What IPv4 and IPv6 share: protocol numbers, networks, congestion marks.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What follows an IP header: IPv4's Protocol and IPv6's Next Header share one list.
///
/// RFC 791 §3.1, RFC 8200 §3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Protocol(pub u8);

impl Protocol {
    /// IPv6 Hop-by-Hop Options.
    pub const HOP_BY_HOP: Self = Self(0);
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// IPv6 Routing header.
    pub const ROUTING: Self = Self(43);
    /// IPv6 Fragment header.
    pub const FRAGMENT: Self = Self(44);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// IPv6: nothing follows.
    pub const NO_NEXT_HEADER: Self = Self(59);
    /// IPv6 Destination Options.
    pub const DESTINATION_OPTIONS: Self = Self(60);
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ICMP => f.write_str("ICMP"),
            Self::TCP => f.write_str("TCP"),
            Self::UDP => f.write_str("UDP"),
            Self::ICMPV6 => f.write_str("ICMPv6"),
            Self(number) => write!(f, "protocol {number}"),
        }
    }
}

/// The two congestion bits of IPv4's type of service and IPv6's traffic class.
///
/// RFC 3168 §5.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ecn {
    /// 00: the transport does not take part.
    #[default]
    NotCapable,
    /// 01: takes part, ECT(1).
    CapableOne,
    /// 10: takes part, ECT(0).
    CapableZero,
    /// 11: a router met congestion.
    CongestionExperienced,
}

impl Ecn {
    /// Reads the lower two bits of a traffic class.
    #[must_use]
    pub const fn of(traffic_class: u8) -> Self {
        match traffic_class & 0b11 {
            0b01 => Self::CapableOne,
            0b10 => Self::CapableZero,
            0b11 => Self::CongestionExperienced,
            _ => Self::NotCapable,
        }
    }

    /// The two bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::NotCapable => 0b00,
            Self::CapableOne => 0b01,
            Self::CapableZero => 0b10,
            Self::CongestionExperienced => 0b11,
        }
    }
}

/// Which IP this is, by the first four bits of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Version {
    /// The version of a packet; none where it is empty or neither.
    #[must_use]
    pub fn of(octets: &[u8]) -> Option<Self> {
        match octets.first()? >> 4 {
            4 => Some(Self::V4),
            6 => Some(Self::V6),
            _ => None,
        }
    }
}

/// A network, or an address in it, with the length of the prefix: `192.0.2.7/24`.
///
/// RFC 4632 §3.1, RFC 4291 §2.3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cidr {
    address: IpAddr,
    prefix_length: u8,
}

impl Cidr {
    /// The address with this many bits of prefix; none beyond 32 or 128.
    #[must_use]
    pub const fn new(address: IpAddr, prefix_length: u8) -> Option<Self> {
        let most = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        if prefix_length <= most { Some(Self { address, prefix_length }) } else { None }
    }

    /// The address as given, its host part kept.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// How many leading bits name the network.
    #[must_use]
    pub const fn prefix_length(&self) -> u8 {
        self.prefix_length
    }

    /// Whether an address lies in the network. One of the other version never does.
    #[must_use]
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                (ours.to_bits() ^ other.to_bits()) & mask_v4(self.prefix_length) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                (ours.to_bits() ^ other.to_bits()) & mask_v6(self.prefix_length) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// The network's own address: the host part zero.
    #[must_use]
    pub const fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask_v4(self.prefix_length)))
            }
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask_v6(self.prefix_length)))
            }
        }
    }

    /// The address that means every host of the network; none in IPv6, nor where the prefix
    /// leaves fewer than two bits (RFC 3021).
    #[must_use]
    pub const fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(address) if self.prefix_length <= 30 => {
                Some(Ipv4Addr::from_bits(address.to_bits() | !mask_v4(self.prefix_length)))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        }
    }
}

const fn mask_v4(prefix_length: u8) -> u32 {
    match u32::MAX.checked_shl(32 - prefix_length as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

const fn mask_v6(prefix_length: u8) -> u128 {
    match u128::MAX.checked_shl(128 - prefix_length as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_length)
    }
}

/// A text is not an address, a slash and a prefix length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CidrError;

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address, a slash and a prefix length")
    }
}

impl core::error::Error for CidrError {}

impl core::str::FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix_length) = text.split_once('/').ok_or(CidrError)?;
        let address = address.parse().map_err(|_| CidrError)?;
        if prefix_length.starts_with('+') {
            return Err(CidrError);
        }
        let prefix_length = prefix_length.parse().map_err(|_| CidrError)?;
        Self::new(address, prefix_length).ok_or(CidrError)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_other() {
        let network = cidr("192.0.2.7/24");
        assert!(network.contains(address("192.0.2.0")) && network.contains(address("192.0.2.255")));
        assert!(!network.contains(address("192.0.3.0")) && !network.contains(address("::ffff:192.0.2.7")));
        assert_eq!(network.network(), address("192.0.2.0"));
        assert_eq!(network.broadcast(), Some(Ipv4Addr::new(192, 0, 2, 255)));
        assert_eq!(network.to_string(), "192.0.2.7/24");
    }

    #[test]
    fn the_shortest_and_the_longest_prefix_work() {
        assert!(cidr("0.0.0.0/0").contains(address("255.1.2.3")));
        assert!(cidr("::/0").contains(address("ffff::1")));
        assert!(!cidr("10.0.0.1/32").contains(address("10.0.0.0")));
        assert!(cidr("2001:db8::1/128").contains(address("2001:db8::1")));
        assert!(!cidr("2001:db8::/33").contains(address("2001:db8:8000::")));
        assert_eq!(cidr("10.0.0.0/31").broadcast(), None);
        assert_eq!(cidr("2001:db8::/64").broadcast(), None);
    }

    #[test]
    fn a_text_that_is_not_a_network_is_refused() {
        for text in ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0/8", "/", ""] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrError), "{text}");
        }
    }
}
