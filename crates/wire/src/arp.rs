//! ARP for IPv4 over Ethernet.
//!
//! RFC 826; RFC 5227 for probes and announcements. Octets behind the 28 are padding.
//!
//! Left out: other hardware and other protocols, which are errors here.

use core::net::Ipv4Addr;

use crate::MacAddress;
use crate::error::{Error, Format, What};

/// How many octets a packet takes.
pub const OCTETS: usize = 28;

/// What a packet wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// 1: who has the target address?
    Request,
    /// 2: the sender has its address.
    Reply,
    /// Any other number.
    Other(u16),
}

impl Operation {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Request => 1,
            Self::Reply => 2,
            Self::Other(number) => number,
        }
    }

    /// Reads the number on the wire.
    #[must_use]
    pub const fn from_number(number: u16) -> Self {
        match number {
            1 => Self::Request,
            2 => Self::Reply,
            _ => Self::Other(number),
        }
    }
}

/// An ARP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// What it wants.
    pub operation: Operation,
    /// The sender's card.
    pub sender_hardware: MacAddress,
    /// The sender's address; unspecified in a probe (RFC 5227 §1.1).
    pub sender: Ipv4Addr,
    /// The target's card; unspecified in a request.
    pub target_hardware: MacAddress,
    /// The target's address.
    pub target: Ipv4Addr,
}

impl Packet {
    /// Whether it announces the sender's own address to all.
    ///
    /// RFC 5227 §1.1.
    #[must_use]
    pub fn is_announcement(&self) -> bool {
        self.sender == self.target
    }
}

/// Hardware type 1, protocol type 0800, address lengths 6 and 4.
const ETHERNET_AND_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// Reads a packet.
///
/// # Errors
///
/// Fewer than 28 octets; hardware (octet 0), protocol (2) or lengths of addresses (4, 5) other than
/// those of Ethernet and IPv4.
pub fn parse(octets: &[u8]) -> Result<Packet, Error> {
    let Some(packet) = octets.first_chunk::<OCTETS>() else {
        return Err(Error::truncated(Format::Arp, OCTETS, octets.len()));
    };
    let (start, _) = packet.split_at(ETHERNET_AND_IPV4.len());
    if start != ETHERNET_AND_IPV4 {
        return Err(unsupported(packet));
    }
    let [_, _, _, _, _, _, o0, o1, rest @ ..] = *packet;
    let [a0, a1, a2, a3, a4, a5, s0, s1, s2, s3, rest @ ..] = rest;
    let [b0, b1, b2, b3, b4, b5, t0, t1, t2, t3] = rest;
    Ok(Packet {
        operation: Operation::from_number(u16::from_be_bytes([o0, o1])),
        sender_hardware: MacAddress([a0, a1, a2, a3, a4, a5]),
        sender: Ipv4Addr::new(s0, s1, s2, s3),
        target_hardware: MacAddress([b0, b1, b2, b3, b4, b5]),
        target: Ipv4Addr::new(t0, t1, t2, t3),
    })
}

/// Says which of the first six octets is not that of Ethernet and IPv4.
fn unsupported(packet: &[u8; OCTETS]) -> Error {
    let field = |at: usize| u32::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    let (found, at) = if field(0) != 1 {
        (field(0), 0)
    } else if field(2) != 0x0800 {
        (field(2), 2)
    } else if packet[4] != 6 {
        (packet[4].into(), 4)
    } else {
        (packet[5].into(), 5)
    };
    Error::new(Format::Arp, What::Value { found }, at)
}

/// Writes a packet and gives its length.
///
/// # Errors
///
/// The buffer is too small.
pub fn emit(buffer: &mut [u8], packet: &Packet) -> Result<usize, Error> {
    let present = buffer.len();
    let Some(place) = buffer.first_chunk_mut::<OCTETS>() else {
        return Err(Error::no_room(Format::Arp, OCTETS, present));
    };
    place[..6].copy_from_slice(&ETHERNET_AND_IPV4);
    place[6..8].copy_from_slice(&packet.operation.number().to_be_bytes());
    place[8..14].copy_from_slice(&packet.sender_hardware.0);
    place[14..18].copy_from_slice(&packet.sender.octets());
    place[18..24].copy_from_slice(&packet.target_hardware.0);
    place[24..].copy_from_slice(&packet.target.octets());
    Ok(OCTETS)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;

    use super::*;

    const OCTETS_OF_REQUEST: [u8; 28] =
        [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2];

    fn request() -> Packet {
        Packet {
            operation: Operation::Request,
            sender_hardware: MacAddress([2, 0, 0, 0, 0, 1]),
            sender: Ipv4Addr::new(192, 0, 2, 1),
            target_hardware: MacAddress::UNSPECIFIED,
            target: Ipv4Addr::new(192, 0, 2, 2),
        }
    }

    /// RFC 826, packet format.
    #[test]
    fn a_request_has_the_octets_of_the_rfc() {
        let mut octets = [0; 28];
        assert_eq!(emit(&mut octets, &request()), Ok(28));
        assert_eq!(octets, OCTETS_OF_REQUEST);
        assert_eq!(parse(&octets), Ok(request()));
        assert!(!request().is_announcement());
    }

    #[test]
    fn what_is_not_ethernet_and_ipv4_is_an_error_that_names_the_octet() {
        for (at, value, found, place) in
            [(1, 6, 6, 0), (0, 1, 0x101, 0), (3, 6, 0x806, 2), (4, 8, 8, 4), (5, 16, 16, 5)]
        {
            let mut octets = OCTETS_OF_REQUEST;
            octets[at] = value;
            assert_eq!(parse(&octets), Err(Error::new(Format::Arp, What::Value { found }, place)));
        }
    }

    #[test]
    fn a_packet_cut_anywhere_is_an_error_that_names_the_octet() {
        for length in 0..28 {
            let error = Error::truncated(Format::Arp, 28, length);
            assert_eq!(parse(&OCTETS_OF_REQUEST[..length]), Err(error));
            assert!(emit(&mut [0; 28][..length], &request()).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_emitted_parses_to_the_same(
            operation in any::<u16>(), sender_hardware in any::<[u8; 6]>(), sender in any::<u32>(),
            target_hardware in any::<[u8; 6]>(), target in any::<u32>(),
        ) {
            let packet = Packet {
                operation: Operation::from_number(operation),
                sender_hardware: MacAddress(sender_hardware), sender: Ipv4Addr::from_bits(sender),
                target_hardware: MacAddress(target_hardware), target: Ipv4Addr::from_bits(target),
            };
            let mut octets = [0xee; 46];
            prop_assert_eq!(emit(&mut octets, &packet), Ok(28));
            prop_assert_eq!(parse(&octets), Ok(packet));
        }

        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&octets);
        }
    }
}
