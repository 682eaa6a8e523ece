//! The IPv4 header.
//!
//! RFC 791 §3.1, RFC 1122 §3.2.1, RFC 6864 (identification), RFC 3168 §5 (the ECN bits).
//! A packet may be followed by octets that are not its own (Ethernet pads short frames): they are
//! trimmed. A header that claims more than there is, or less than itself, is an error. Options are
//! kept as they stand; [`Packet::options`] goes through them and [`Packet::is_source_routed`]
//! finds those that no one should follow any more (RFC 7126 §4.3 and §4.4).
//!
//! Left out: putting fragments together, which needs memory and time (`aperto-host` has both).

use core::net::Ipv4Addr;

use crate::checksum::{Sum, checksum};
use crate::error::{Error, Format, What};
use crate::ip::{Ecn, Protocol};
use crate::tcp::RawOptions;

/// What a host reads and writes of an IPv4 header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Where the packet comes from.
    pub source: Ipv4Addr,
    /// Where it goes.
    pub destination: Ipv4Addr,
    /// What follows the header.
    pub protocol: Protocol,
    /// How many routers it may still pass.
    pub time_to_live: u8,
    /// Type of service: six bits of DSCP and two of ECN.
    pub type_of_service: u8,
    /// Tells fragments of one datagram from those of another.
    pub identification: u16,
    /// DF: routers must not fragment.
    pub dont_fragment: bool,
    /// MF: more fragments of this datagram follow this one.
    pub more_fragments: bool,
    /// Where in its datagram this fragment begins, in octets: a multiple of 8.
    pub fragment_offset: u16,
}

impl Header {
    /// How many octets a header takes without options.
    pub const FIXED_OCTETS: usize = 20;
    /// How many octets a header can take at most.
    pub const MAX_OCTETS: usize = 60;

    /// A header for a whole datagram that routers must not fragment, time to live 64.
    #[must_use]
    pub const fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol) -> Self {
        Self {
            source,
            destination,
            protocol,
            time_to_live: 64,
            type_of_service: 0,
            identification: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
        }
    }

    /// Whether this is a piece of a datagram and not all of it.
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// The congestion bits.
    #[must_use]
    pub const fn ecn(&self) -> Ecn {
        Ecn::of(self.type_of_service)
    }
}

/// An IPv4 packet as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// What a host reads.
    pub header: Header,
    /// The whole header as it stands, options included.
    pub header_octets: &'a [u8],
    /// What the packet carries; of a fragment, its part.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The octets of the options, paddings and all.
    #[must_use]
    pub fn options_octets(&self) -> &'a [u8] {
        self.header_octets.get(Header::FIXED_OCTETS..).unwrap_or_default()
    }

    /// The options one by one; paddings (kinds 0 and 1) come out too.
    pub fn options(&self) -> impl Iterator<Item = Result<PacketOption<'a>, Error>> + use<'a> {
        // The list has TCP's form: kind, length of the whole option, octets; 0 ends, 1 fills.
        RawOptions::new(self.options_octets()).map(|option| match option {
            Ok(option) => Ok(PacketOption { kind: option.kind, octets: option.octets, at: option.at }),
            Err(fault) => Err(Error::new(Format::Ipv4, What::OptionLength, fault.at)),
        })
    }

    /// Whether the packet tells routers which way to take: Loose or Strict Source Route.
    #[must_use]
    pub fn is_source_routed(&self) -> bool {
        const LOOSE: u8 = 131;
        const STRICT: u8 = 137;
        self.options().filter_map(Result::ok).any(|option| matches!(option.kind, LOOSE | STRICT))
    }

    /// Whether the header's checksum is right.
    ///
    /// RFC 1122 §3.2.1.2: a host MUST verify it.
    #[must_use]
    pub fn checksum_is_right(&self) -> bool {
        Sum::of(self.header_octets).is_right()
    }
}

/// One option of an IPv4 header.
///
/// RFC 791 §3.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketOption<'a> {
    /// Copied flag, class and number in one octet.
    pub kind: u8,
    /// What follows kind and length.
    pub octets: &'a [u8],
    /// Where its kind stands, counted from the first octet of the IP header.
    pub at: usize,
}

/// Reads a packet; octets after its end are left out.
///
/// # Errors
///
/// Fewer than 20 octets; another version (octet 0); a header length below 20 or past the end
/// (octet 0); a total length below the header's or past the end (octet 2); a fragment that reaches
/// past octet 65,535 or, with more to follow, is no multiple of eight (octet 6).
pub fn parse(octets: &[u8]) -> Result<Packet<'_>, Error> {
    let fixed = Fixed::of(octets)?;
    if fixed.total_length > octets.len() {
        let what = What::LengthTooLong { octets: fixed.total_length, present: octets.len() };
        return Err(Error::new(Format::Ipv4, what, 2));
    }
    let packet = fixed.packet(octets, fixed.total_length)?;
    let header = &packet.header;
    if header.is_fragment() {
        let end = usize::from(header.fragment_offset) + packet.payload.len();
        if end > usize::from(u16::MAX) {
            return Err(Error::new(Format::Ipv4, What::FragmentPastEnd { end }, 6));
        }
        if header.more_fragments && !packet.payload.len().is_multiple_of(8) {
            let what = What::FragmentUnaligned { octets: packet.payload.len() };
            return Err(Error::new(Format::Ipv4, what, 6));
        }
    }
    Ok(packet)
}

/// Reads the beginning of a packet that an ICMP error quotes: the end may be missing.
///
/// RFC 792, RFC 1812 §4.3.2.3.
///
/// # Errors
///
/// As [`parse`], but for a total length past the end.
pub fn parse_quoted(octets: &[u8]) -> Result<Packet<'_>, Error> {
    let fixed = Fixed::of(octets)?;
    fixed.packet(octets, fixed.total_length.min(octets.len()))
}

/// The fixed header and the lengths it claims.
struct Fixed<'a> {
    octets: &'a [u8; Header::FIXED_OCTETS],
    header_length: usize,
    total_length: usize,
}

impl<'a> Fixed<'a> {
    fn of(octets: &'a [u8]) -> Result<Self, Error> {
        let Some(fixed) = octets.first_chunk::<{ Header::FIXED_OCTETS }>() else {
            return Err(Error::truncated(Format::Ipv4, Header::FIXED_OCTETS, octets.len()));
        };
        let version = fixed[0] >> 4;
        if version != 4 {
            return Err(Error::new(Format::Ipv4, What::Version { found: version }, 0));
        }
        let header_length = usize::from(fixed[0] & 0x0f) * 4;
        if header_length < Header::FIXED_OCTETS {
            let what = What::HeaderTooShort { octets: header_length, least: Header::FIXED_OCTETS };
            return Err(Error::new(Format::Ipv4, what, 0));
        }
        let total_length = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if total_length < header_length {
            let what = What::LengthTooShort { octets: total_length, least: header_length };
            return Err(Error::new(Format::Ipv4, what, 2));
        }
        Ok(Self { octets: fixed, header_length, total_length })
    }

    fn packet(&self, octets: &'a [u8], end: usize) -> Result<Packet<'a>, Error> {
        let parts = octets.get(..end).and_then(|packet| packet.split_at_checked(self.header_length));
        let Some((header_octets, payload)) = parts else {
            let what = What::HeaderTooLong { octets: self.header_length, present: octets.len() };
            return Err(Error::new(Format::Ipv4, what, 0));
        };
        let fixed = self.octets;
        let flags_and_offset = u16::from_be_bytes([fixed[6], fixed[7]]);
        let header = Header {
            source: Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]),
            destination: Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]),
            protocol: Protocol(fixed[9]),
            time_to_live: fixed[8],
            type_of_service: fixed[1],
            identification: u16::from_be_bytes([fixed[4], fixed[5]]),
            dont_fragment: flags_and_offset & DONT_FRAGMENT != 0,
            more_fragments: flags_and_offset & MORE_FRAGMENTS != 0,
            // Thirteen bits of units of eight octets: the upper three bits shift out.
            fragment_offset: flags_and_offset << 3,
        };
        Ok(Packet { header, header_octets, payload })
    }
}

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;

/// Writes a header without options, checksum included, for so many octets of payload. Gives the
/// header's length, behind which the payload belongs.
///
/// # Errors
///
/// The buffer is too small for the header; header and payload exceed 65,535 octets, or a fragment
/// offset is no multiple of eight.
pub fn emit(buffer: &mut [u8], header: &Header, payload_length: usize) -> Result<usize, Error> {
    let present = buffer.len();
    let Some(place) = buffer.first_chunk_mut::<{ Header::FIXED_OCTETS }>() else {
        return Err(Error::no_room(Format::Ipv4, Header::FIXED_OCTETS, present));
    };
    let total_length = total_length(header, Header::FIXED_OCTETS, payload_length)?;
    let sum = write_fixed(place, header, Header::FIXED_OCTETS, total_length);
    let sum = Sum::ZERO.and_numbers(sum);
    [place[10], place[11]] = sum.finish().to_be_bytes();
    Ok(Header::FIXED_OCTETS)
}

/// Writes a header like [`emit`], with these options, padded with End of Option List.
///
/// # Errors
///
/// As [`emit`]; more than 40 octets of options.
pub fn emit_with_options(
    buffer: &mut [u8],
    header: &Header,
    options: &[u8],
    payload_length: usize,
) -> Result<usize, Error> {
    let present = buffer.len();
    let header_length = Header::FIXED_OCTETS + options.len().next_multiple_of(4);
    if header_length > Header::MAX_OCTETS {
        return Err(Error::new(Format::Ipv4, What::Unsayable { octets: header_length }, 0));
    }
    let total_length = total_length(header, header_length, payload_length)?;
    let Some(place) = buffer.get_mut(..header_length) else {
        return Err(Error::no_room(Format::Ipv4, header_length, present));
    };
    place.fill(0);
    if let Some((fixed, rest)) = place.split_first_chunk_mut::<{ Header::FIXED_OCTETS }>() {
        write_fixed(fixed, header, header_length, total_length);
        rest[..options.len()].copy_from_slice(options);
    }
    let checksum = checksum(place);
    place[10..12].copy_from_slice(&checksum.to_be_bytes());
    Ok(header_length)
}

/// The total length field, if it can say it.
fn total_length(header: &Header, header_length: usize, payload_length: usize) -> Result<u16, Error> {
    if !header.fragment_offset.is_multiple_of(8) {
        let what = What::Unsayable { octets: usize::from(header.fragment_offset) };
        return Err(Error::new(Format::Ipv4, what, 6));
    }
    let total = header_length.saturating_add(payload_length);
    u16::try_from(total).map_err(|_| Error::new(Format::Ipv4, What::Unsayable { octets: total }, 2))
}

/// Writes the fixed header with a checksum of zero and gives the plain sum of its 32-bit words.
#[inline]
fn write_fixed(
    place: &mut [u8; Header::FIXED_OCTETS],
    header: &Header,
    header_length: usize,
    total_length: u16,
) -> u64 {
    debug_assert!(header_length.is_multiple_of(4) && header_length <= Header::MAX_OCTETS);
    let flags = if header.dont_fragment { DONT_FRAGMENT } else { 0 }
        | if header.more_fragments { MORE_FRAGMENTS } else { 0 };
    let version_and_length = 0x40 | (header_length / 4) as u32;
    let words = [
        version_and_length << 24 | u32::from(header.type_of_service) << 16 | u32::from(total_length),
        u32::from(header.identification) << 16 | u32::from(flags | header.fragment_offset >> 3),
        u32::from(header.time_to_live) << 24 | u32::from(header.protocol.0) << 16,
        header.source.to_bits(),
        header.destination.to_bits(),
    ];
    let mut sum = 0_u64;
    let (places, _) = place.as_chunks_mut::<4>();
    for (place, word) in places.iter_mut().zip(words) {
        *place = word.to_be_bytes();
        sum += u64::from(word);
    }
    sum
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// The header of `checksum`'s example: 115 octets of UDP, DF, 192.168.0.1 to 192.168.0.199.
    const HEADER: [u8; 20] = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0,
        0xa8, 0x00, 0xc7,
    ];

    fn example() -> Header {
        Header::new(Ipv4Addr::new(192, 168, 0, 1), Ipv4Addr::new(192, 168, 0, 199), Protocol::UDP)
    }

    fn error(octets: &[u8]) -> (What, usize) {
        let error = parse(octets).unwrap_err();
        assert_eq!(error.format, Format::Ipv4);
        (error.what, error.at)
    }

    #[test]
    fn a_header_has_the_octets_computed_by_hand() {
        let mut buffer = [0xaa; 20];
        assert_eq!(emit(&mut buffer, &example(), 95), Ok(20));
        assert_eq!(buffer, HEADER);
        let mut octets = HEADER.to_vec();
        octets.resize(115, 7);
        let packet = parse(&octets).unwrap();
        assert_eq!((packet.header, packet.payload), (example(), &[7; 95][..]));
        assert!(packet.checksum_is_right());
    }

    #[test]
    fn octets_after_the_total_length_are_trimmed() {
        let mut octets = [0; 46];
        emit(&mut octets, &example(), 4).unwrap();
        octets[24..].fill(0xee);
        assert_eq!(parse(&octets).unwrap().payload, [0; 4]);
    }

    #[test]
    fn lengths_that_lie_are_errors_that_name_the_octet() {
        let mut octets = HEADER.to_vec();
        octets.resize(115, 0);
        let with = |at: usize, value: u8| {
            let mut octets = octets.clone();
            octets[at] = value;
            error(&octets)
        };
        assert_eq!(with(0, 0x65), (What::Version { found: 6 }, 0));
        assert_eq!(with(0, 0x44), (What::HeaderTooShort { octets: 16, least: 20 }, 0));
        assert_eq!(with(3, 19), (What::LengthTooShort { octets: 19, least: 20 }, 2));
        assert_eq!(with(3, 116), (What::LengthTooLong { octets: 116, present: 115 }, 2));
        let mut short = HEADER;
        short[0] = 0x4f;
        assert_eq!(error(&short), (What::LengthTooLong { octets: 115, present: 20 }, 2));
        short[3] = 20;
        assert_eq!(error(&short), (What::LengthTooShort { octets: 20, least: 60 }, 2));
    }

    #[test]
    fn a_packet_cut_anywhere_is_an_error_that_names_the_octet() {
        let mut octets = HEADER.to_vec();
        octets.resize(115, 0);
        for length in 0..115 {
            let at = if length < 20 { length } else { 2 };
            assert_eq!(error(&octets[..length]).1, at, "{length}");
            let quoted = parse_quoted(&octets[..length]);
            assert_eq!(quoted.map(|packet| packet.payload.len()).ok(), length.checked_sub(20));
        }
    }

    /// RFC 791 §3.2; the "ping of death" is a last fragment that ends past 65,535.
    #[test]
    fn fragments_that_cannot_be_are_errors() {
        let fragment = |header: Header, length: usize| {
            let mut octets = vec![0; 20 + length];
            emit(&mut octets, &header, length).unwrap();
            parse(&octets).map(|packet| packet.header).map_err(|error| (error.what, error.at))
        };
        let last = Header { fragment_offset: 65528, ..example() };
        assert_eq!(fragment(last, 7), Ok(last));
        assert_eq!(fragment(last, 8), Err((What::FragmentPastEnd { end: 65536 }, 6)));
        let first = Header { more_fragments: true, ..example() };
        assert_eq!(fragment(first, 16), Ok(first));
        assert_eq!(fragment(first, 15), Err((What::FragmentUnaligned { octets: 15 }, 6)));
    }

    /// RFC 791 §3.1: record route is kind 7, loose source route 131, strict 137.
    #[test]
    fn options_are_kept_and_source_routes_found() {
        let mut octets = [0; 28];
        let options = [1, 7, 3, 4, 131, 3, 4];
        assert_eq!(emit_with_options(&mut octets, &example(), &options, 0), Ok(28));
        let packet = parse(&octets).unwrap();
        assert!(packet.checksum_is_right() && packet.is_source_routed());
        assert_eq!(packet.options_octets(), [1, 7, 3, 4, 131, 3, 4, 0]);
        let kinds: Vec<_> = packet.options().map(|option| option.map(|o| (o.kind, o.at))).collect();
        assert_eq!(kinds, [Ok((1, 20)), Ok((7, 21)), Ok((131, 24)), Ok((0, 27))]);
        octets[25] = 1;
        let packet = parse(&octets).unwrap();
        assert_eq!(packet.options().last(), Some(Err(Error::new(Format::Ipv4, What::OptionLength, 24))));
        assert!(!packet.is_source_routed());
    }

    #[test]
    fn what_cannot_be_said_or_has_no_room_is_an_error() {
        let mut buffer = [0; 80];
        assert!(emit(&mut buffer[..19], &example(), 0).is_err());
        assert!(emit(&mut buffer, &example(), 65516).is_err());
        assert!(emit(&mut buffer, &example(), usize::MAX).is_err());
        assert!(emit(&mut buffer, &Header { fragment_offset: 4, ..example() }, 0).is_err());
        assert!(emit_with_options(&mut buffer, &example(), &[1; 41], 0).is_err());
        assert!(emit_with_options(&mut buffer[..59], &example(), &[1; 40], 0).is_err());
        assert_eq!(emit(&mut buffer, &example(), 65515), Ok(20));
    }

    proptest! {
        #[test]
        fn what_is_emitted_parses_to_the_same(
            source in any::<u32>(), destination in any::<u32>(), protocol in any::<u8>(),
            time_to_live in any::<u8>(), type_of_service in any::<u8>(), identification in any::<u16>(),
            dont_fragment in any::<bool>(), more_fragments in any::<bool>(), offset in 0_u16..8000,
            options in proptest::collection::vec(any::<u8>(), 0..=40), eights in 0_usize..30,
        ) {
            let header = Header {
                source: Ipv4Addr::from_bits(source), destination: Ipv4Addr::from_bits(destination),
                protocol: Protocol(protocol), time_to_live, type_of_service, identification, dont_fragment,
                more_fragments, fragment_offset: offset * 8,
            };
            let mut octets = vec![0x55; 60 + eights * 8];
            let length = emit_with_options(&mut octets, &header, &options, eights * 8).unwrap();
            let packet = parse(&octets).unwrap();
            prop_assert_eq!(packet.header, header);
            prop_assert!(packet.checksum_is_right());
            prop_assert!(packet.options_octets().starts_with(&options));
            prop_assert_eq!(packet.payload, &vec![0x55; eights * 8]);
            if options.is_empty() {
                let mut same = [0; 20];
                prop_assert_eq!(emit(&mut same, &header, eights * 8), Ok(length));
                prop_assert_eq!(&same[..], &octets[..20]);
            }
        }

        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..120), length in 5_u8..16) {
            let mut octets = octets;
            let total = octets.len() as u8;
            for (at, value) in [(0, 0x40 | length), (2, 0), (3, total), (6, 0), (7, 0)] {
                if let Some(place) = octets.get_mut(at) { *place = value; }
            }
            for octets in [&octets[..], octets.get(1..).unwrap_or_default()] {
                let _ = parse_quoted(octets);
                if let Ok(packet) = parse(octets) {
                    prop_assert!(packet.options().count() <= 40);
                    let _ = (packet.checksum_is_right(), packet.is_source_routed());
                }
            }
        }
    }
}
