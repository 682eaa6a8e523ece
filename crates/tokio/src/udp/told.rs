//! What the operating system tells us about the way to a peer, put into words the host understands.
//!
//! A closed UDP port answers with an ICMP port unreachable, not with a TCP reset; the system keeps
//! the message and gives us an error number. So that the host's TCP learns it as it would have
//! learned it on a real network, the message is made again here around the last packet that we
//! sent: an ICMP error that quotes it.
//!
//! RFC 792; RFC 4443 §3.1, §3.2; RFC 1191 §4 for the size.

use std::net::IpAddr;

use aperto_wire::checksum::{PseudoHeader, checksum};
use aperto_wire::ip::{Protocol, Version};
use aperto_wire::{ipv4, ipv6};

/// What the system told us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// Nobody has the port open. RFC 792: type 3, code 3; RFC 4443: type 1, code 4.
    PortUnreachable,
    /// No way to the host. RFC 792: type 3, code 1; RFC 4443: type 1, code 3.
    HostUnreachable,
    /// Packets of more than so many octets do not pass. RFC 1191 §4: type 3, code 4;
    /// RFC 4443 §3.2: type 2.
    TooBig {
        /// The largest inner packet that passes.
        mtu: usize,
    },
}

/// How many octets of the packet are quoted at most: IP and TCP headers with all their options.
pub(super) const QUOTED: usize = 100;
/// Type, code, checksum and one word. RFC 792, RFC 4443 §2.1.
const ICMP_HEADER_OCTETS: usize = 8;

/// Makes the ICMP error that quotes the beginning of a packet of ours. None where that is no
/// packet of IP.
pub(super) fn message(told: Told, packet: &[u8]) -> Option<Vec<u8>> {
    let quoted = packet.get(..packet.len().min(QUOTED))?;
    let length = ICMP_HEADER_OCTETS + quoted.len();
    match Version::of(quoted)? {
        Version::V4 => {
            let ours = ipv4::parse_quoted(quoted).ok()?.header;
            let mut message = vec![0; ipv4::Header::FIXED_OCTETS + length];
            // From the peer to us: the other way round.
            let header = ipv4::Header::new(ours.destination, ours.source, Protocol::ICMP);
            let start = ipv4::emit(&mut message, &header, length).ok()?;
            let icmp = message.get_mut(start..)?;
            let (code, word) = match told {
                Told::PortUnreachable => (3, 0),
                Told::HostUnreachable => (1, 0),
                Told::TooBig { mtu } => (4, u32::try_from(mtu).ok()?.min(0xffff)),
            };
            fill(icmp, 3, code, word, quoted)?;
            let sum = checksum(icmp);
            icmp.get_mut(2..4)?.copy_from_slice(&sum.to_be_bytes());
            Some(message)
        }
        Version::V6 => {
            let ours = ipv6::parse_quoted(quoted).ok()?.header;
            let mut message = vec![0; ipv6::Header::OCTETS + length];
            let header = ipv6::Header::new(ours.destination, ours.source, Protocol::ICMPV6);
            let start = ipv6::emit(&mut message, &header, length).ok()?;
            let icmp = message.get_mut(start..)?;
            let (kind, code, word) = match told {
                Told::PortUnreachable => (1, 4, 0),
                Told::HostUnreachable => (1, 3, 0),
                Told::TooBig { mtu } => (2, 0, u32::try_from(mtu).ok()?),
            };
            fill(icmp, kind, code, word, quoted)?;
            let pseudo = PseudoHeader::ipv6(ours.destination, ours.source, Protocol::ICMPV6);
            let sum = pseudo.with_length(icmp.len()).and(icmp).finish();
            icmp.get_mut(2..4)?.copy_from_slice(&sum.to_be_bytes());
            Some(message)
        }
    }
}

fn fill(icmp: &mut [u8], kind: u8, code: u8, word: u32, quoted: &[u8]) -> Option<()> {
    let (header, rest) = icmp.split_first_chunk_mut::<ICMP_HEADER_OCTETS>()?;
    header[0] = kind;
    header[1] = code;
    header[4..].copy_from_slice(&word.to_be_bytes());
    rest.get_mut(..quoted.len())?.copy_from_slice(quoted);
    Some(())
}

/// The next smaller size of path that is common, where the system does not say which it met.
///
/// RFC 1191 §7.1 and the sizes of today's tunnels, as outer sizes.
pub(super) fn next_plateau(outer: usize) -> usize {
    [1492, 1480, 1420, 1280, 1006, 576].into_iter().find(|size| *size < outer).unwrap_or(576)
}

/// How many octets IP and UDP put around a segment, by family.
pub(super) const fn outer_overhead(address: &IpAddr) -> usize {
    match address {
        IpAddr::V4(_) => 20 + 8,
        IpAddr::V6(_) => 40 + 8,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_refusal_comes_from_the_peer_and_quotes_what_we_sent() {
        let mut syn = vec![0; 44];
        let header =
            ipv4::Header::new(Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(192, 0, 2, 9), Protocol::TCP);
        ipv4::emit(&mut syn, &header, 24).unwrap();
        let message = message(Told::PortUnreachable, &syn).unwrap();
        let packet = ipv4::parse(&message).unwrap();
        assert_eq!(packet.header.source, Ipv4Addr::new(192, 0, 2, 9));
        assert_eq!(packet.header.destination, Ipv4Addr::new(192, 0, 2, 7));
        assert!(packet.checksum_is_right());
        assert_eq!(&packet.payload[..2], [3, 3]);
        assert_eq!(checksum(packet.payload), 0);
        assert_eq!(&packet.payload[8..], syn);
    }

    #[test]
    fn a_refusal_over_ipv6_has_icmp_v6s_numbers_and_checksum() {
        let (ours, peer) = (Ipv6Addr::LOCALHOST, "2001:db8::9".parse().unwrap());
        let mut segment = vec![0; 1400];
        ipv6::emit(&mut segment, &ipv6::Header::new(ours, peer, Protocol::TCP), 1360).unwrap();
        for (told, start) in [
            (Told::PortUnreachable, [1, 4, 0, 0, 0, 0]),
            (Told::HostUnreachable, [1, 3, 0, 0, 0, 0]),
            // 1280 = 0x500.
            (Told::TooBig { mtu: 1280 }, [2, 0, 0, 0, 5, 0]),
        ] {
            let message = message(told, &segment).unwrap();
            let packet = ipv6::parse(&message).unwrap();
            assert_eq!((packet.header.source, packet.header.destination), (peer, ours));
            assert!(PseudoHeader::ipv6(peer, ours, Protocol::ICMPV6).covers(packet.payload));
            let icmp = packet.payload;
            assert_eq!([icmp[0], icmp[1], icmp[4], icmp[5], icmp[6], icmp[7]], start);
            assert_eq!(&icmp[8..], &segment[..QUOTED]);
        }
    }

    #[test]
    fn plateaus_go_down_and_end() {
        assert_eq!(next_plateau(1500), 1492);
        assert_eq!(next_plateau(1420), 1280);
        assert_eq!(next_plateau(100), 576);
        assert_eq!(message(Told::PortUnreachable, &[]), None);
    }
}
