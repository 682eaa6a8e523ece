//! The IPv6 header and its extension headers.
//!
//! RFC 8200 §3 and §4, RFC 5722 and RFC 6946 (fragments). Octets behind the payload length are
//! trimmed, a payload length past the end is an error. [`Packet::upper_layer`] goes through
//! Hop-by-Hop Options, Routing, Fragment and Destination Options, at most
//! [`MAX_EXTENSIONS`] of them and each a step forward, so that no chain of headers holds us up.
//!
//! Left out: jumbograms (RFC 2675), whose packets are cut to nothing by their payload length of zero;
//! following a Routing header, which only routers do (and none should, RFC 5095); Authentication and
//! Encapsulating Security Payload, which come out as the upper layer; putting fragments together,
//! which `aperto-host` does.

use core::net::Ipv6Addr;

use crate::error::{Error, Format, What};
use crate::ip::{Ecn, Protocol};

/// How many extension headers of one packet we follow.
pub const MAX_EXTENSIONS: usize = 8;

/// What a host reads and writes of an IPv6 header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Where the packet comes from.
    pub source: Ipv6Addr,
    /// Where it goes.
    pub destination: Ipv6Addr,
    /// What follows this header: an extension header or the upper layer.
    pub next_header: Protocol,
    /// How many routers it may still pass.
    pub hop_limit: u8,
    /// Six bits of DSCP and two of ECN.
    pub traffic_class: u8,
    /// Twenty bits that packets of one flow share (RFC 6437).
    pub flow_label: u32,
}

impl Header {
    /// How many octets the header takes.
    pub const OCTETS: usize = 40;

    /// A header with hop limit 64.
    #[must_use]
    pub const fn new(source: Ipv6Addr, destination: Ipv6Addr, next_header: Protocol) -> Self {
        Self { source, destination, next_header, hop_limit: 64, traffic_class: 0, flow_label: 0 }
    }

    /// The congestion bits.
    #[must_use]
    pub const fn ecn(&self) -> Ecn {
        Ecn::of(self.traffic_class)
    }
}

/// An IPv6 packet as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// What a host reads.
    pub header: Header,
    /// All that follows the fixed header: extension headers and the upper layer.
    pub payload: &'a [u8],
}

/// What stands behind the extension headers, and what they said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upper<'a> {
    /// The upper layer. Of a fragment, what its Fragment header names.
    pub protocol: Protocol,
    /// Its octets. Of a fragment, its part.
    pub payload: &'a [u8],
    /// Where it begins, counted from the first octet of the IPv6 header.
    pub at: usize,
    /// Where the Next Header field stands that names it: what Parameter Problem code 1 points at.
    pub next_header_at: usize,
    /// The Fragment header, where this is a piece and not the whole (RFC 6946). Nothing behind it
    /// was looked at.
    pub fragment: Option<Fragment>,
    /// A Routing header that is not done yet. RFC 8200 §4.4: a host that is not its kind of router
    /// discards the packet and answers Parameter Problem code 0 pointing at octet `at` + 2.
    pub routing: Option<Routing>,
    /// The first option that we do not know and may not skip.
    pub refused_option: Option<RefusedOption>,
}

/// A Fragment header of a piece of a packet.
///
/// RFC 8200 §4.5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Tells fragments of one packet from those of another.
    pub identification: u32,
    /// Where in the fragmentable part this piece begins, in octets: a multiple of 8.
    pub offset: u16,
    /// M: more fragments follow this one.
    pub more: bool,
}

impl Fragment {
    /// How many octets a Fragment header takes.
    pub const OCTETS: usize = 8;
}

/// A Routing header with segments left.
///
/// RFC 8200 §4.4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Routing {
    /// Routing Type.
    pub kind: u8,
    /// How many stops are still to come; not zero.
    pub segments_left: u8,
    /// Where the header begins, counted from the first octet of the IPv6 header.
    pub at: usize,
}

/// An option that we do not know and whose kind forbids to skip it.
///
/// RFC 8200 §4.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefusedOption {
    /// Option Type.
    pub kind: u8,
    /// Where it stands, counted from the first octet of the IPv6 header.
    pub at: usize,
    /// What its upper two bits ask for.
    pub action: OptionAction,
}

/// What to do with a packet whose option we do not know.
///
/// RFC 8200 §4.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionAction {
    /// 01: discard the packet in silence.
    Discard,
    /// 10: discard it and answer Parameter Problem code 2, also where it went to a multicast address.
    DiscardAndAnswer,
    /// 11: the same, but for a multicast destination.
    DiscardAndAnswerUnicast,
}

/// One extension header as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension<'a> {
    /// Which one.
    pub kind: Protocol,
    /// What follows it.
    pub next_header: Protocol,
    /// The whole header.
    pub octets: &'a [u8],
    /// Where it begins, counted from the first octet of the IPv6 header.
    pub at: usize,
}

impl<'a> Packet<'a> {
    /// Goes through the extension headers to the upper layer.
    ///
    /// # Errors
    ///
    /// A header cut short or longer than the packet; Hop-by-Hop Options not in first place; more
    /// than [`MAX_EXTENSIONS`]; an option whose length makes no sense; a fragment that reaches past
    /// octet 65,535 or, with more to follow, is no multiple of eight. Each names the octet, counted
    /// from the first of the IPv6 header.
    pub fn upper_layer(&self) -> Result<Upper<'a>, Error> {
        let mut extensions = self.extensions();
        let (mut routing, mut refused_option, mut fragment) = (None, None, None);
        let mut next_header_at = 6;
        while let Some(extension) = extensions.next().transpose()? {
            next_header_at = extension.at;
            match extension.kind {
                Protocol::ROUTING => routing = routing.or(unfinished_routing(&extension)),
                Protocol::FRAGMENT => {
                    fragment = piece(&extension, extensions.rest.len())?;
                    if fragment.is_some() {
                        break;
                    }
                }
                _ => refused_option = refused_option.or(refused(&extension)?),
            }
        }
        Ok(Upper {
            protocol: extensions.next_header,
            payload: extensions.rest,
            at: extensions.at,
            next_header_at,
            fragment,
            routing,
            refused_option,
        })
    }

    /// The extension headers one by one, as they stand.
    #[must_use]
    pub const fn extensions(&self) -> Extensions<'a> {
        Extensions {
            next_header: self.header.next_header,
            rest: self.payload,
            at: Header::OCTETS,
            count: 0,
            failed: false,
        }
    }
}

/// Goes through extension headers; ends at the first header that is none, or at an error.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    next_header: Protocol,
    rest: &'a [u8],
    at: usize,
    count: usize,
    failed: bool,
}

impl<'a> Extensions<'a> {
    fn step(&mut self) -> Result<Extension<'a>, Error> {
        let (kind, at) = (self.next_header, self.at);
        if kind == Protocol::HOP_BY_HOP && self.count > 0 {
            return Err(Error::new(Format::Ipv6, What::HopByHopNotFirst, at));
        }
        if self.count == MAX_EXTENSIONS {
            return Err(Error::new(Format::Ipv6, What::TooManyExtensions { most: MAX_EXTENSIONS }, at));
        }
        let Some(start) = self.rest.first_chunk::<8>() else {
            return Err(Error::truncated(Format::Ipv6, at + 8, at + self.rest.len()));
        };
        let length = if kind == Protocol::FRAGMENT { 8 } else { 8 + 8 * usize::from(start[1]) };
        let Some((octets, rest)) = self.rest.split_at_checked(length) else {
            let what = What::HeaderTooLong { octets: length, present: self.rest.len() };
            return Err(Error::new(Format::Ipv6, what, at + 1));
        };
        self.next_header = Protocol(start[0]);
        self.rest = rest;
        self.at += length;
        self.count += 1;
        Ok(Extension { kind, next_header: self.next_header, octets, at })
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<Extension<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_extension = matches!(
            self.next_header,
            Protocol::HOP_BY_HOP | Protocol::ROUTING | Protocol::FRAGMENT | Protocol::DESTINATION_OPTIONS
        );
        if !is_extension || self.failed {
            return None;
        }
        let step = self.step();
        self.failed = step.is_err();
        Some(step)
    }
}

fn unfinished_routing(extension: &Extension<'_>) -> Option<Routing> {
    match *extension.octets {
        [_, _, kind, segments_left, ..] if segments_left > 0 => {
            Some(Routing { kind, segments_left, at: extension.at })
        }
        _ => None,
    }
}

/// The Fragment header of a piece; none where the "fragment" is all of its packet (RFC 6946).
fn piece(extension: &Extension<'_>, length: usize) -> Result<Option<Fragment>, Error> {
    let [_, _, upper, lower, a, b, c, d] = *extension.octets else {
        return Err(Error::truncated(Format::Ipv6, extension.at + 8, extension.at + extension.octets.len()));
    };
    let field = u16::from_be_bytes([upper, lower]);
    let fragment = Fragment {
        identification: u32::from_be_bytes([a, b, c, d]),
        // Thirteen bits of units of eight octets, which is what stands above the three lowest bits.
        offset: field & !0b111,
        more: field & 1 != 0,
    };
    let end = usize::from(fragment.offset) + length;
    if end > usize::from(u16::MAX) {
        return Err(Error::new(Format::Ipv6, What::FragmentPastEnd { end }, extension.at + 2));
    }
    if fragment.more && !length.is_multiple_of(8) {
        let what = What::FragmentUnaligned { octets: length };
        return Err(Error::new(Format::Ipv6, what, extension.at + 2));
    }
    Ok((fragment.more || fragment.offset != 0).then_some(fragment))
}

/// The first option in a header of options that we do not know and may not skip.
fn refused(extension: &Extension<'_>) -> Result<Option<RefusedOption>, Error> {
    const PAD1: u8 = 0;
    let mut at = 2;
    while let Some(kind) = extension.octets.get(at) {
        let in_packet = extension.at + at;
        if *kind == PAD1 {
            at += 1;
            continue;
        }
        let end = extension.octets.get(at + 1).map(|length| at + 2 + usize::from(*length));
        let Some(end) = end.filter(|end| *end <= extension.octets.len()) else {
            return Err(Error::new(Format::Ipv6, What::OptionLength, in_packet));
        };
        let action = match kind >> 6 {
            0b01 => Some(OptionAction::Discard),
            0b10 => Some(OptionAction::DiscardAndAnswer),
            0b11 => Some(OptionAction::DiscardAndAnswerUnicast),
            // 00: skip. PadN and Router Alert are of these.
            _ => None,
        };
        if let Some(action) = action {
            return Ok(Some(RefusedOption { kind: *kind, at: in_packet, action }));
        }
        at = end;
    }
    Ok(None)
}

/// Reads a packet; octets after its end are left out.
///
/// # Errors
///
/// Fewer than 40 octets; another version (octet 0); a payload length past the end (octet 4).
pub fn parse(octets: &[u8]) -> Result<Packet<'_>, Error> {
    let (header, claimed, rest) = parse_header(octets)?;
    let Some(payload) = rest.get(..claimed) else {
        let what = What::LengthTooLong { octets: claimed, present: rest.len() };
        return Err(Error::new(Format::Ipv6, what, 4));
    };
    Ok(Packet { header, payload })
}

/// Reads the beginning of a packet that an ICMPv6 error quotes: the end may be missing.
///
/// # Errors
///
/// As [`parse`], but for a payload length past the end.
pub fn parse_quoted(octets: &[u8]) -> Result<Packet<'_>, Error> {
    let (header, claimed, rest) = parse_header(octets)?;
    Ok(Packet { header, payload: rest.get(..claimed).unwrap_or(rest) })
}

/// The header, the payload length that it claims, and all that follows it.
fn parse_header(octets: &[u8]) -> Result<(Header, usize, &[u8]), Error> {
    let Some((fixed, rest)) = octets.split_first_chunk::<{ Header::OCTETS }>() else {
        return Err(Error::truncated(Format::Ipv6, Header::OCTETS, octets.len()));
    };
    let (words, _) = fixed.as_chunks::<4>();
    let first = u32::from_be_bytes(words[0]);
    let version = fixed[0] >> 4;
    if version != 6 {
        return Err(Error::new(Format::Ipv6, What::Version { found: version }, 0));
    }
    let header = Header {
        source: address(fixed, 8),
        destination: address(fixed, 24),
        next_header: Protocol(fixed[6]),
        hop_limit: fixed[7],
        traffic_class: (first >> 20) as u8,
        flow_label: first & 0x000f_ffff,
    };
    Ok((header, usize::from(u16::from_be_bytes([fixed[4], fixed[5]])), rest))
}

/// The sixteen octets from here on. Both places of a header lie inside it.
fn address(fixed: &[u8; Header::OCTETS], at: usize) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&fixed[at..at + 16]);
    Ipv6Addr::from(octets)
}

/// Writes the fixed header for so many octets of payload, extension headers counted. Gives the
/// header's length, behind which the payload belongs.
///
/// # Errors
///
/// The buffer is too small for the header; the payload exceeds 65,535 octets, or the flow label
/// 20 bits.
pub fn emit(buffer: &mut [u8], header: &Header, payload_length: usize) -> Result<usize, Error> {
    let present = buffer.len();
    let Some(place) = buffer.first_chunk_mut::<{ Header::OCTETS }>() else {
        return Err(Error::no_room(Format::Ipv6, Header::OCTETS, present));
    };
    let Ok(length) = u16::try_from(payload_length) else {
        return Err(Error::new(Format::Ipv6, What::Unsayable { octets: payload_length }, 4));
    };
    if header.flow_label > 0x000f_ffff {
        return Err(Error::new(Format::Ipv6, What::Value { found: header.flow_label }, 1));
    }
    let first = 6 << 28 | u32::from(header.traffic_class) << 20 | header.flow_label;
    place[..4].copy_from_slice(&first.to_be_bytes());
    place[4..6].copy_from_slice(&length.to_be_bytes());
    place[6] = header.next_header.0;
    place[7] = header.hop_limit;
    place[8..24].copy_from_slice(&header.source.octets());
    place[24..].copy_from_slice(&header.destination.octets());
    Ok(Header::OCTETS)
}

/// Writes a Fragment header, which goes between the fixed header and the piece. Gives its length.
///
/// RFC 8200 §4.5. The header before it names [`Protocol::FRAGMENT`].
///
/// # Errors
///
/// The buffer is too small; the offset is no multiple of eight.
pub fn emit_fragment(buffer: &mut [u8], next_header: Protocol, fragment: &Fragment) -> Result<usize, Error> {
    let present = buffer.len();
    let Some(place) = buffer.first_chunk_mut::<{ Fragment::OCTETS }>() else {
        return Err(Error::no_room(Format::Ipv6, Fragment::OCTETS, present));
    };
    if !fragment.offset.is_multiple_of(8) {
        let what = What::Unsayable { octets: usize::from(fragment.offset) };
        return Err(Error::new(Format::Ipv6, what, 2));
    }
    let [upper, lower] = (fragment.offset | u16::from(fragment.more)).to_be_bytes();
    let [a, b, c, d] = fragment.identification.to_be_bytes();
    *place = [next_header.0, 0, upper, lower, a, b, c, d];
    Ok(Fragment::OCTETS)
}

#[cfg(test)]
mod tests;
