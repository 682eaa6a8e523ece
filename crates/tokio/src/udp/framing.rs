//! From an IP packet to a datagram's payload and back.
//!
//! The payload of each datagram is one TCP segment, header and text, with no IP header: the outer
//! IP and UDP headers say the same, and analysers that are told "this UDP port is TCP" read it.
//! On the way out the host's IP header is taken off, on the way in one is made of the outer
//! addresses. A segment's ports must be the outer ports, so that nobody can speak in the name of
//! a port that is not his.
//!
//! **The checksum** inside the tunnel is TCP's own with a pseudo-header of zero addresses:
//! 0.0.0.0 and 0.0.0.0, protocol 6, and the length (for IPv6 the same octets sum to the same, as
//! zeros add nothing). So neither network address translation nor a choice of local addresses
//! changes it. Both ways it is *adjusted* (RFC 1624 §3), never computed anew: an octet that is
//! damaged between the two hosts stays a wrong checksum, and the host that receives it says so.
//!
//! Left out: fragments and everything that is not TCP; congestion marks (RFC 6040).

use std::net::{IpAddr, SocketAddr};

use aperto_wire::checksum::{update, update_u32};
use aperto_wire::ip::{Protocol, Version};
use aperto_wire::{ipv4, ipv6};

use crate::wire::{NotCarried, NotOurs};

/// The shortest TCP header. RFC 9293 §3.1.
const TCP_HEADER_OCTETS: usize = 20;
/// Where the checksum stands in a TCP header. RFC 9293 §3.1.
const CHECKSUM: usize = 16;
/// The bits of octet 13 that we look at. RFC 9293 §3.1.
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What kind of segment passes, as far as a stranger's credit is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// SYN without ACK: a request, perhaps from somebody who is not where he says.
    Request,
    /// SYN and ACK: our answer to a request.
    Answer,
    /// RST.
    Reset,
    /// Everything else: one who sends it has proved to be there, or believes that we have.
    Other,
}

impl Kind {
    /// The kind of a segment of 20 octets or more.
    pub(super) fn of(segment: &[u8]) -> Self {
        let control = segment.get(13).copied().unwrap_or(0);
        match (control & RST != 0, control & SYN != 0, control & ACK != 0) {
            (true, ..) => Self::Reset,
            (false, true, false) => Self::Request,
            (false, true, true) => Self::Answer,
            (false, false, _) => Self::Other,
        }
    }
}

/// A segment on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outward {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) kind: Kind,
    /// How many octets the segment has.
    pub(super) length: usize,
}

/// Takes the IP header off a packet and writes the segment to `into`.
pub(super) fn outward(packet: &[u8], into: &mut Vec<u8>) -> Result<Outward, NotCarried> {
    let (source, destination, segment) = segment_of(packet).ok_or(NotCarried::NotTcp)?;
    let ports = ports(segment).ok_or(NotCarried::NotTcp)?;
    into.clear();
    into.extend_from_slice(segment);
    adjust(into, without, [source, destination]);
    Ok(Outward {
        source: SocketAddr::new(source, ports.0),
        destination: SocketAddr::new(destination, ports.1),
        kind: Kind::of(segment),
        length: segment.len(),
    })
}

fn segment_of(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    match Version::of(packet)? {
        Version::V4 => {
            let packet = ipv4::parse(packet).ok()?;
            let header = packet.header;
            let carried = header.protocol == Protocol::TCP && !header.is_fragment();
            carried.then_some((header.source.into(), header.destination.into(), packet.payload))
        }
        Version::V6 => {
            let packet = ipv6::parse(packet).ok()?;
            let upper = packet.upper_layer().ok()?;
            let carried = upper.protocol == Protocol::TCP && upper.fragment.is_none();
            carried.then_some((packet.header.source.into(), packet.header.destination.into(), upper.payload))
        }
    }
    .filter(|(_, _, segment)| segment.len() >= TCP_HEADER_OCTETS)
}

/// Checks that a datagram's payload is a segment between these two ports.
pub(super) fn check(segment: &[u8], from: SocketAddr, to: SocketAddr) -> Result<(), NotOurs> {
    let offset = match segment.get(12) {
        Some(octet) if segment.len() >= TCP_HEADER_OCTETS => usize::from(octet >> 4) * 4,
        Some(_) | None => return Err(NotOurs::TooShort),
    };
    if offset < TCP_HEADER_OCTETS || offset > segment.len() {
        return Err(NotOurs::BadDataOffset);
    }
    let (source, destination) = ports(segment).ok_or(NotOurs::TooShort)?;
    if source != from.port() {
        return Err(NotOurs::SourcePort { inner: source });
    }
    if destination != to.port() {
        return Err(NotOurs::DestinationPort { inner: destination });
    }
    let possible = match from.ip() {
        IpAddr::V4(ip) => !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()),
        IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_multicast()),
    };
    if !possible || from.port() == 0 { Err(NotOurs::BadSource) } else { Ok(()) }
}

/// Puts an IP header before a segment that [`check`] has passed. Says how many octets it is then.
pub(super) fn inward(segment: &[u8], from: IpAddr, to: IpAddr, into: &mut [u8]) -> Result<usize, NotOurs> {
    let header = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let header = ipv4::Header::new(from, to, Protocol::TCP);
            ipv4::emit(into, &header, segment.len())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let header = ipv6::Header::new(from, to, Protocol::TCP);
            ipv6::emit(into, &header, segment.len())
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return Err(NotOurs::BadSource),
    }
    .map_err(|_| NotOurs::TooLong)?;
    let end = header + segment.len();
    let place = into.get_mut(header..end).ok_or(NotOurs::TooLong)?;
    place.copy_from_slice(segment);
    adjust(place, with, [from, to]);
    Ok(end)
}

fn ports(segment: &[u8]) -> Option<(u16, u16)> {
    let ports = segment.first_chunk::<4>()?;
    Some((u16::from_be_bytes([ports[0], ports[1]]), u16::from_be_bytes([ports[2], ports[3]])))
}

/// Moves the checksum of a segment by these addresses.
fn adjust(segment: &mut [u8], by: impl Fn(u16, IpAddr) -> u16, addresses: [IpAddr; 2]) {
    let Some(place) = segment.get_mut(CHECKSUM..).and_then(|rest| rest.first_chunk_mut::<2>()) else {
        return;
    };
    let sum = addresses.into_iter().fold(u16::from_be_bytes(*place), by);
    *place = sum.to_be_bytes();
}

/// The checksum with an address in the pseudo-header where a zero was.
fn with(sum: u16, address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(address) => update_u32(sum, 0, address.to_bits()),
        IpAddr::V6(address) => address.segments().into_iter().fold(sum, |sum, word| update(sum, 0, word)),
    }
}

/// The checksum with a zero in the pseudo-header where an address was.
fn without(sum: u16, address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(address) => update_u32(sum, address.to_bits(), 0),
        IpAddr::V6(address) => address.segments().into_iter().fold(sum, |sum, word| update(sum, word, 0)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use aperto_wire::checksum::PseudoHeader;

    use super::*;

    const CLIENT: &str = "192.0.2.7:52814";
    const SERVER: &str = "192.0.2.9:7000";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A SYN from 52814 to 7000 with MSS 1452, checksum for a pseudo-header of zero addresses.
    fn syn() -> Vec<u8> {
        let mut segment = vec![
            0xce, 0x4e, 0x1b, 0x58, 0, 0, 0x04, 0xd2, 0, 0, 0, 0, 0x60, 0x02, 0xfa, 0xf0, 0, 0, 0, 0, 2, 4,
            0x05, 0xac,
        ];
        // By hand: ce4e + 1b58 + 04d2 + 6002 + faf0 + 0204 + 05ac = 2511a; + 6 + 18 (24 octets) of
        // the pseudo-header = 25138; folded 513a; inverted aec5.
        segment[16] = 0xae;
        segment[17] = 0xc5;
        segment
    }

    #[test]
    fn a_segment_that_comes_in_has_the_outer_addresses_and_a_right_checksum() {
        for (from, to) in [(CLIENT, SERVER), ("[2001:db8::7]:52814", "[2001:db8::9]:7000")] {
            let (from, to) = (address(from), address(to));
            let mut packet = [0; 100];
            check(&syn(), from, to).unwrap();
            let length = inward(&syn(), from.ip(), to.ip(), &mut packet).unwrap();
            let (source, destination, segment) = segment_of(&packet[..length]).unwrap();
            assert_eq!((source, destination), (from.ip(), to.ip()));
            assert!(PseudoHeader::new(source, destination, Protocol::TCP).unwrap().covers(segment));
        }
    }

    #[test]
    fn a_segment_that_goes_out_is_what_came_in() {
        for (from, to) in [(CLIENT, SERVER), ("[2001:db8::7]:52814", "[2001:db8::9]:7000")] {
            let (from, to) = (address(from), address(to));
            let mut packet = [0; 100];
            let length = inward(&syn(), from.ip(), to.ip(), &mut packet).unwrap();
            let mut datagram = Vec::new();
            let out = outward(&packet[..length], &mut datagram).unwrap();
            assert_eq!(datagram, syn());
            assert_eq!((out.source, out.destination, out.kind), (from, to, Kind::Request));
        }
    }

    #[test]
    fn damage_on_the_way_stays_a_wrong_checksum() {
        let (from, to) = (address(CLIENT), address(SERVER));
        let mut damaged = syn();
        damaged[7] ^= 0x40;
        let mut packet = [0; 100];
        let length = inward(&damaged, from.ip(), to.ip(), &mut packet).unwrap();
        let (source, destination, segment) = segment_of(&packet[..length]).unwrap();
        assert!(!PseudoHeader::new(source, destination, Protocol::TCP).unwrap().covers(segment));
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        let (from, to) = (address(CLIENT), address(SERVER));
        let wrong = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut segment = syn();
            change(&mut segment);
            check(&segment, from, to)
        };
        assert_eq!(check(b"hello\n", from, to), Err(NotOurs::TooShort));
        assert_eq!(check(b"", from, to), Err(NotOurs::TooShort));
        assert_eq!(wrong(&|s| s.truncate(19)), Err(NotOurs::TooShort));
        assert_eq!(wrong(&|s| s[12] = 0x40), Err(NotOurs::BadDataOffset));
        assert_eq!(wrong(&|s| s[12] = 0x70), Err(NotOurs::BadDataOffset));
        assert_eq!(wrong(&|s| s[1] = 0), Err(NotOurs::SourcePort { inner: 0xce00 }));
        assert_eq!(wrong(&|s| s[3] = 0), Err(NotOurs::DestinationPort { inner: 0x1b00 }));
        let mut from_nowhere = syn();
        from_nowhere[..2].fill(0);
        assert_eq!(check(&from_nowhere, address("192.0.2.7:0"), to), Err(NotOurs::BadSource));
        assert_eq!(check(&syn(), address("255.255.255.255:52814"), to), Err(NotOurs::BadSource));
        assert_eq!(check(&syn(), from, to), Ok(()));
    }

    #[test]
    fn a_packet_that_is_not_a_whole_segment_is_not_carried() {
        let mut datagram = Vec::new();
        let mut ping = [0; 28];
        let header = ipv4::Header::new(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, Protocol::ICMP);
        ipv4::emit(&mut ping, &header, 8).unwrap();
        assert_eq!(outward(&ping, &mut datagram), Err(NotCarried::NotTcp));
        assert_eq!(outward(&[], &mut datagram), Err(NotCarried::NotTcp));
        let mut packet = [0; 100];
        let from = address(CLIENT).ip();
        let length = inward(&syn(), from, from, &mut packet).unwrap();
        packet[6] = 0x20; // more fragments
        assert_eq!(outward(&packet[..length], &mut datagram), Err(NotCarried::NotTcp));
    }

    #[test]
    fn a_buffer_that_is_too_small_is_said_and_not_overrun() {
        let (from, to) = (address(CLIENT), address(SERVER));
        for room in 0..44 {
            assert_eq!(
                inward(&syn(), from.ip(), to.ip(), &mut vec![0; room]),
                Err(NotOurs::TooLong),
                "{room}"
            );
        }
    }
}
