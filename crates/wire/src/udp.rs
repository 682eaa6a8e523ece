//! UDP datagrams.
//!
//! RFC 768; RFC 1122 §4.1.3.4 and RFC 8200 §8.1 for the checksum. A length field that says less than
//! IP carries trims the datagram; one that says more, or less than the header, is an error.
//!
//! Left out: a length field of zero for jumbograms (RFC 2675).

use crate::Ports;
use crate::checksum::{PseudoHeader, Sum, copy_and_sum};
use crate::error::{Error, Format, What};

/// How many octets the header takes.
pub const HEADER_OCTETS: usize = 8;

/// A datagram as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// From which port to which.
    pub ports: Ports,
    /// What it carries.
    pub payload: &'a [u8],
    /// The checksum field, not verified; zero where the sender took none.
    pub checksum: u16,
}

/// What the checksum of a datagram says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong, or the length field lies.
    Wrong,
    /// The sender took none: all right over IPv4, to be discarded over IPv6 (RFC 8200 §8.1).
    Absent,
}

/// Reads a datagram. The octets are all that IP carries.
///
/// # Errors
///
/// Fewer than 8 octets; a length below 8 or past the end (both at octet 4).
pub fn parse(octets: &[u8]) -> Result<Datagram<'_>, Error> {
    let Some(start) = octets.first_chunk::<HEADER_OCTETS>() else {
        return Err(Error::truncated(Format::Udp, HEADER_OCTETS, octets.len()));
    };
    let length = usize::from(u16::from_be_bytes([start[4], start[5]]));
    if length < HEADER_OCTETS {
        let what = What::LengthTooShort { octets: length, least: HEADER_OCTETS };
        return Err(Error::new(Format::Udp, what, 4));
    }
    let Some(payload) = octets.get(HEADER_OCTETS..length) else {
        let what = What::LengthTooLong { octets: length, present: octets.len() };
        return Err(Error::new(Format::Udp, what, 4));
    };
    Ok(Datagram { ports: ports(start), payload, checksum: u16::from_be_bytes([start[6], start[7]]) })
}

/// Reads the beginning of a datagram that an ICMP error quotes: its ports, ours first.
///
/// # Errors
///
/// Fewer than 8 octets.
pub fn parse_quoted(octets: &[u8]) -> Result<Ports, Error> {
    match octets.first_chunk::<HEADER_OCTETS>() {
        Some(start) => Ok(ports(start)),
        None => Err(Error::truncated(Format::Udp, HEADER_OCTETS, octets.len())),
    }
}

fn ports(start: &[u8; HEADER_OCTETS]) -> Ports {
    Ports {
        source: u16::from_be_bytes([start[0], start[1]]),
        destination: u16::from_be_bytes([start[2], start[3]]),
    }
}

/// What the checksum of a datagram says. The octets are all that IP carries; those beyond the
/// length field do not count.
#[must_use]
pub fn verify(pseudo: PseudoHeader, octets: &[u8]) -> Verdict {
    let Ok(datagram) = parse(octets) else { return Verdict::Wrong };
    if datagram.checksum == 0 {
        return Verdict::Absent;
    }
    let covered = octets.get(..HEADER_OCTETS + datagram.payload.len()).unwrap_or_default();
    if pseudo.covers(covered) { Verdict::Right } else { Verdict::Wrong }
}

/// Writes a whole datagram, checksum included, and says how many octets it takes.
///
/// The payload comes in any number of pieces; it is copied and summed in one pass.
///
/// # Errors
///
/// The buffer is too small; header and payload exceed 65,535 octets. What the buffer holds then is
/// of no use.
pub fn emit<'p>(
    buffer: &mut [u8],
    ports: Ports,
    payload: impl IntoIterator<Item = &'p [u8]>,
    pseudo: PseudoHeader,
) -> Result<usize, Error> {
    let present = buffer.len();
    let mut sum = Sum::ZERO;
    let mut end = HEADER_OCTETS;
    for piece in payload {
        let start = end;
        end = start.saturating_add(piece.len());
        let Some(place) = buffer.get_mut(start..end) else {
            return Err(Error::no_room(Format::Udp, end, present));
        };
        sum = sum.then(copy_and_sum(place, piece));
    }
    let Ok(length) = u16::try_from(end) else {
        return Err(Error::new(Format::Udp, What::Unsayable { octets: end }, 4));
    };
    let Some(header) = buffer.first_chunk_mut::<HEADER_OCTETS>() else {
        return Err(Error::no_room(Format::Udp, end, present));
    };
    let Ports { source, destination } = ports;
    let sum = pseudo.with_length(end).and_u16(source).and_u16(destination).and_u16(length).then(sum);
    // RFC 768: zero means that no checksum was taken, so a computed zero goes out as all ones,
    // which is the same number in ones' complement.
    let checksum = match sum.finish() {
        0 => 0xffff,
        checksum => checksum,
    };
    header[..2].copy_from_slice(&source.to_be_bytes());
    header[2..4].copy_from_slice(&destination.to_be_bytes());
    header[4..6].copy_from_slice(&length.to_be_bytes());
    header[6..].copy_from_slice(&checksum.to_be_bytes());
    Ok(end)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use core::net::Ipv4Addr;
    use proptest::prelude::*;

    use super::*;
    use crate::ip::Protocol;

    const PORTS: Ports = Ports { source: 0x1388, destination: 0x0035 };

    fn pseudo() -> PseudoHeader {
        PseudoHeader::ipv4(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), Protocol::UDP)
    }

    /// By hand: pseudo-header 0a00 + 0001 + 0a00 + 0002 + 0011 + 000b = 141f;
    /// 1388 + 0035 + 000b + 6162 + 6300 = d82a; sum ec49, checksum 13b6.
    #[test]
    fn a_datagram_has_the_octets_computed_by_hand() {
        let expected = [0x13, 0x88, 0x00, 0x35, 0x00, 0x0b, 0x13, 0xb6, b'a', b'b', b'c'];
        let mut buffer = [0xaa; 20];
        assert_eq!(emit(&mut buffer, PORTS, [&b"a"[..], b"bc"], pseudo()), Ok(11));
        assert_eq!(buffer[..11], expected);
        assert_eq!(parse(&expected), Ok(Datagram { ports: PORTS, payload: b"abc", checksum: 0x13b6 }));
        assert_eq!(verify(pseudo(), &buffer), Verdict::Right);
        buffer[10] ^= 1;
        assert_eq!(verify(pseudo(), &buffer), Verdict::Wrong);
    }

    /// RFC 768. The payload is what makes the sum of the datagram above all ones:
    /// 141e for length 10, 1388 + 0035 + 000a = 13c7, so ffff - 27e5 = d81a.
    #[test]
    fn a_checksum_of_zero_goes_out_as_all_ones_and_verifies() {
        let mut buffer = [0; 10];
        emit(&mut buffer, PORTS, [&[0xd8, 0x1a][..]], pseudo()).unwrap();
        assert_eq!(buffer[6..8], [0xff, 0xff]);
        assert_eq!(verify(pseudo(), &buffer), Verdict::Right);
        buffer[6..8].fill(0);
        assert_eq!(verify(pseudo(), &buffer), Verdict::Absent);
    }

    #[test]
    fn a_length_that_lies_is_an_error_and_a_shorter_one_trims() {
        let mut octets = [0; 12];
        for (length, expected) in [
            (0, Err(What::LengthTooShort { octets: 0, least: 8 })),
            (7, Err(What::LengthTooShort { octets: 7, least: 8 })),
            (8, Ok(0)),
            (11, Ok(3)),
            (12, Ok(4)),
            (13, Err(What::LengthTooLong { octets: 13, present: 12 })),
        ] {
            octets[5] = length;
            let found = parse(&octets).map(|datagram| datagram.payload.len());
            assert_eq!(found, expected.map_err(|what| Error::new(Format::Udp, what, 4)));
        }
    }

    #[test]
    fn a_datagram_cut_anywhere_is_an_error_that_names_the_octet() {
        let mut octets = [0; 12];
        emit(&mut octets, PORTS, [&b"abcd"[..]], pseudo()).unwrap();
        for length in 0..12 {
            assert_eq!(parse(&octets[..length]).unwrap_err().at, if length < 8 { length } else { 4 });
            assert_eq!(verify(pseudo(), &octets[..length]), Verdict::Wrong);
            assert_eq!(parse_quoted(&octets[..length]).ok(), (length >= 8).then_some(PORTS));
            let mut small = vec![0; length];
            assert!(emit(&mut small, PORTS, [&b"abcd"[..]], pseudo()).is_err());
        }
    }

    #[test]
    fn more_than_the_length_field_can_say_is_an_error() {
        let mut buffer = vec![0; 70_000];
        let payload = vec![0; 65_528];
        assert_eq!(emit(&mut buffer, PORTS, [&payload[..65_527]], pseudo()), Ok(65_535));
        assert_eq!(
            emit(&mut buffer, PORTS, [&payload[..]], pseudo()),
            Err(Error::new(Format::Udp, What::Unsayable { octets: 65_536 }, 4))
        );
    }

    proptest! {
        #[test]
        fn what_is_emitted_parses_to_the_same(
            source in any::<u16>(), destination in any::<u16>(),
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..4),
            more in 0_usize..10,
        ) {
            let ports = Ports { source, destination };
            let mut buffer = vec![0x77; 1000];
            let length = emit(&mut buffer, ports, pieces.iter().map(Vec::as_slice), pseudo()).unwrap();
            let octets = &buffer[..length + more];
            prop_assert_eq!(verify(pseudo(), octets), Verdict::Right);
            let datagram = parse(octets).unwrap();
            prop_assert_eq!((datagram.ports, datagram.payload), (ports, &pieces.concat()[..]));
        }

        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..40), length in 0_u8..50) {
            let mut octets = octets;
            for (at, value) in [(4, 0), (5, length)] {
                if let Some(place) = octets.get_mut(at) { *place = value; }
            }
            prop_assert_eq!(parse(&octets).is_ok(), octets.len() >= 8 && (8..=octets.len()).contains(&length.into()));
            let _ = verify(pseudo(), &octets);
        }
    }
}
