//! Neighbor Discovery for IPv6.
//!
//! RFC 4861 §4 (formats) and §6.1, §7.1, §8.1 (what a receiver checks); RFC 4191 is left out. The
//! messages are ICMPv6's, types 133 to 137; octets are counted from the first of the ICMPv6 header.
//! Each option must have a length that is not zero and ends inside the message, or the whole
//! message is an error, as RFC 4861 wants it.
//!
//! For the host to check, because it knows the IP header: a hop limit of 255, the checksum, and what
//! the sections above say about source and destination addresses.

use core::net::Ipv6Addr;

use crate::MacAddress;
use crate::checksum::PseudoHeader;
use crate::error::{Error, Format, What};
use crate::icmpv6;

/// Router Solicitation, the first of the five types.
pub const FIRST_KIND: u8 = 133;
/// Redirect, the last of the five types.
pub const LAST_KIND: u8 = 137;

/// A message of Neighbor Discovery without its options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// Type 133: is there a router?
    RouterSolicitation,
    /// Type 134: here is one.
    RouterAdvertisement(RouterAdvertisement),
    /// Type 135: who has this address?
    NeighborSolicitation {
        /// The address; never a multicast one.
        target: Ipv6Addr,
    },
    /// Type 136: I have.
    NeighborAdvertisement {
        /// The address; never a multicast one.
        target: Ipv6Addr,
        /// R: the sender is a router.
        router: bool,
        /// S: it answers a solicitation.
        solicited: bool,
        /// O: it replaces what a cache holds.
        overrides: bool,
    },
    /// Type 137: there is a better way.
    Redirect {
        /// The better first hop.
        target: Ipv6Addr,
        /// To which destination.
        destination: Ipv6Addr,
    },
}

/// What a router says of itself and its link.
///
/// RFC 4861 §4.2. Zero means "not said" where it cannot mean itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouterAdvertisement {
    /// The hop limit to put into packets; 0: not said.
    pub hop_limit: u8,
    /// M: addresses are to be had by DHCPv6.
    pub managed: bool,
    /// O: other things are to be had by DHCPv6.
    pub other: bool,
    /// How long it serves as default router; 0: not at all.
    pub lifetime_seconds: u16,
    /// How long a neighbor counts as reachable; 0: not said.
    pub reachable_time_milliseconds: u32,
    /// The time between solicitations; 0: not said.
    pub retransmission_milliseconds: u32,
}

impl Message {
    /// The ICMPv6 type.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::RouterSolicitation => 133,
            Self::RouterAdvertisement(_) => 134,
            Self::NeighborSolicitation { .. } => 135,
            Self::NeighborAdvertisement { .. } => 136,
            Self::Redirect { .. } => 137,
        }
    }

    /// How many octets come before the options.
    #[must_use]
    pub const fn fixed_octets(&self) -> usize {
        match fixed_octets(self.kind()) {
            Some(octets) => octets,
            None => 0,
        }
    }

    /// Writes the fixed part with a checksum of zero into as many octets as it needs.
    pub(crate) fn write(&self, place: &mut [u8]) {
        debug_assert_eq!(place.len(), self.fixed_octets());
        place.fill(0);
        place[0] = self.kind();
        match self {
            Self::RouterSolicitation => {}
            Self::RouterAdvertisement(router) => {
                place[4] = router.hop_limit;
                place[5] = flag(router.managed, 0x80) | flag(router.other, 0x40);
                place[6..8].copy_from_slice(&router.lifetime_seconds.to_be_bytes());
                place[8..12].copy_from_slice(&router.reachable_time_milliseconds.to_be_bytes());
                place[12..].copy_from_slice(&router.retransmission_milliseconds.to_be_bytes());
            }
            Self::NeighborSolicitation { target } => place[8..].copy_from_slice(&target.octets()),
            Self::NeighborAdvertisement { target, router, solicited, overrides } => {
                place[4] = flag(*router, 0x80) | flag(*solicited, 0x40) | flag(*overrides, 0x20);
                place[8..].copy_from_slice(&target.octets());
            }
            Self::Redirect { target, destination } => {
                place[8..24].copy_from_slice(&target.octets());
                place[24..].copy_from_slice(&destination.octets());
            }
        }
    }
}

const fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

/// How many octets a message of this type has before its options.
const fn fixed_octets(kind: u8) -> Option<usize> {
    match kind {
        133 => Some(8),
        134 => Some(16),
        135 | 136 => Some(24),
        137 => Some(40),
        _ => None,
    }
}

/// The options of a message, each known to end inside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options<'a> {
    octets: &'a [u8],
}

impl<'a> Options<'a> {
    /// No option.
    pub const NONE: Self = Self { octets: &[] };

    /// The options as they stand.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The options one by one.
    pub fn iter(&self) -> impl Iterator<Item = NeighborOption<'a>> + use<'a> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            let (option, after) = split_option(rest)?;
            rest = after;
            Some(NeighborOption::read(option))
        })
    }

    /// The sender's card, if an option names it.
    #[must_use]
    pub fn source_link_layer_address(&self) -> Option<MacAddress> {
        self.iter().find_map(|option| match option {
            NeighborOption::SourceLinkLayerAddress(address) => Some(address),
            _ => None,
        })
    }

    /// The target's card, if an option names it.
    #[must_use]
    pub fn target_link_layer_address(&self) -> Option<MacAddress> {
        self.iter().find_map(|option| match option {
            NeighborOption::TargetLinkLayerAddress(address) => Some(address),
            _ => None,
        })
    }

    /// The MTU of the link, if an option says it.
    #[must_use]
    pub fn mtu(&self) -> Option<u32> {
        self.iter().find_map(|option| match option {
            NeighborOption::Mtu(mtu) => Some(mtu),
            _ => None,
        })
    }
}

/// Takes the first option off; none at the end, or where its length is zero or past the end.
fn split_option(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(*octets.get(1)?) * 8;
    if length == 0 { None } else { octets.split_at_checked(length) }
}

/// One option.
///
/// RFC 4861 §4.6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NeighborOption<'a> {
    /// Type 1: the sender's card.
    SourceLinkLayerAddress(MacAddress),
    /// Type 2: the target's card.
    TargetLinkLayerAddress(MacAddress),
    /// Type 3: addresses that lie on the link.
    Prefix(Prefix),
    /// Type 4: the beginning of the packet that is redirected.
    RedirectedHeader(&'a [u8]),
    /// Type 5: the MTU of the link.
    Mtu(u32),
    /// Any other type, or one of these with another length.
    Unknown {
        /// Its type.
        kind: u8,
        /// All its octets, type and length among them.
        octets: &'a [u8],
    },
}

/// Addresses that lie on the link.
///
/// RFC 4861 §4.6.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// An address that begins with the prefix.
    pub prefix: Ipv6Addr,
    /// How many of its bits count. Beyond 128 the option makes no sense.
    pub prefix_length: u8,
    /// L: such addresses lie on the link.
    pub on_link: bool,
    /// A: hosts may make addresses of it (RFC 4862).
    pub autonomous: bool,
    /// How long the prefix counts; all ones: for ever.
    pub valid_seconds: u32,
    /// How long addresses made of it are preferred; all ones: for ever.
    pub preferred_seconds: u32,
}

const PREFIX_OCTETS: usize = 32;

impl<'a> NeighborOption<'a> {
    fn read(octets: &'a [u8]) -> Self {
        let unknown = |kind| Self::Unknown { kind, octets };
        match *octets {
            [1, 1, a, b, c, d, e, f] => Self::SourceLinkLayerAddress(MacAddress([a, b, c, d, e, f])),
            [2, 1, a, b, c, d, e, f] => Self::TargetLinkLayerAddress(MacAddress([a, b, c, d, e, f])),
            [3, 4, ..] => match octets.first_chunk::<PREFIX_OCTETS>() {
                Some(octets) => Self::Prefix(Prefix::read(octets)),
                None => unknown(3),
            },
            [4, _, _, _, _, _, _, _, ref quoted @ ..] => Self::RedirectedHeader(quoted),
            [5, 1, _, _, a, b, c, d] => Self::Mtu(u32::from_be_bytes([a, b, c, d])),
            [kind, ..] => unknown(kind),
            [] => unknown(0),
        }
    }

    /// How many octets the option takes, a multiple of eight.
    #[must_use]
    pub const fn length(&self) -> usize {
        match self {
            Self::SourceLinkLayerAddress(_) | Self::TargetLinkLayerAddress(_) | Self::Mtu(_) => 8,
            Self::Prefix(_) => PREFIX_OCTETS,
            Self::RedirectedHeader(quoted) => quoted.len().saturating_add(8).next_multiple_of(8),
            Self::Unknown { octets, .. } => octets.len(),
        }
    }
}

impl Prefix {
    fn read(octets: &[u8; PREFIX_OCTETS]) -> Self {
        let (words, _) = octets.as_chunks::<4>();
        let mut prefix = [0; 16];
        prefix.copy_from_slice(&octets[16..]);
        Self {
            prefix: Ipv6Addr::from(prefix),
            prefix_length: octets[2],
            on_link: octets[3] & 0x80 != 0,
            autonomous: octets[3] & 0x40 != 0,
            valid_seconds: u32::from_be_bytes(words[1]),
            preferred_seconds: u32::from_be_bytes(words[2]),
        }
    }

    fn write(&self, place: &mut [u8]) {
        place[..2].copy_from_slice(&[3, 4]);
        place[2] = self.prefix_length;
        place[3] = flag(self.on_link, 0x80) | flag(self.autonomous, 0x40);
        place[4..8].copy_from_slice(&self.valid_seconds.to_be_bytes());
        place[8..12].copy_from_slice(&self.preferred_seconds.to_be_bytes());
        place[16..].copy_from_slice(&self.prefix.octets());
    }
}

/// Reads a message from its ICMPv6 header on.
///
/// # Errors
///
/// Fewer octets than its type needs; a type that is none of the five (octet 0); a code other than 0
/// (octet 1); a multicast target (octet 8); an option whose length is zero or past the end.
pub fn parse(octets: &[u8]) -> Result<(Message, Options<'_>), Error> {
    let truncated = |needed| Error::truncated(Format::Ndp, needed, octets.len());
    let [kind, code, ..] = *octets else { return Err(truncated(icmpv6::HEADER_OCTETS)) };
    let Some(length) = fixed_octets(kind) else {
        return Err(Error::new(Format::Ndp, What::Value { found: kind.into() }, 0));
    };
    let Some((fixed, options)) = octets.split_at_checked(length) else { return Err(truncated(length)) };
    if code != 0 {
        return Err(Error::new(Format::Ndp, What::Value { found: code.into() }, 1));
    }
    let message = read_message(fixed).ok_or(truncated(length))?;
    if let Message::NeighborSolicitation { target } | Message::NeighborAdvertisement { target, .. } = message
        && target.is_multicast()
    {
        let found = u32::from(target.segments()[0]);
        return Err(Error::new(Format::Ndp, What::Value { found }, 8));
    }
    let mut rest = options;
    while !rest.is_empty() {
        let at = octets.len() - rest.len();
        let Some((_, after)) = split_option(rest) else {
            return Err(Error::new(Format::Ndp, What::OptionLength, at));
        };
        rest = after;
    }
    Ok((message, Options { octets: options }))
}

/// Reads the fixed part, whose length is that of its type.
fn read_message(fixed: &[u8]) -> Option<Message> {
    let word = |at: usize| fixed.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let address = |at: usize| {
        let octets: [u8; 16] = fixed.get(at..at + 16)?.try_into().ok()?;
        Some(Ipv6Addr::from(octets))
    };
    let [kind, _, _, _, a, b, c, d, ..] = *fixed else { return None };
    Some(match kind {
        133 => Message::RouterSolicitation,
        134 => Message::RouterAdvertisement(RouterAdvertisement {
            hop_limit: a,
            managed: b & 0x80 != 0,
            other: b & 0x40 != 0,
            lifetime_seconds: u16::from_be_bytes([c, d]),
            reachable_time_milliseconds: word(8)?,
            retransmission_milliseconds: word(12)?,
        }),
        135 => Message::NeighborSolicitation { target: address(8)? },
        136 => Message::NeighborAdvertisement {
            target: address(8)?,
            router: a & 0x80 != 0,
            solicited: a & 0x40 != 0,
            overrides: a & 0x20 != 0,
        },
        137 => Message::Redirect { target: address(8)?, destination: address(24)? },
        _ => return None,
    })
}

/// Writes options one behind the other and gives their length, to be read again by [`options`].
///
/// # Errors
///
/// The buffer is too small; an option whose length is zero, no multiple of eight or more than
/// 2,040 octets.
pub fn emit_options(buffer: &mut [u8], options: &[NeighborOption<'_>]) -> Result<usize, Error> {
    let present = buffer.len();
    let mut at = 0;
    for option in options {
        let length = option.length();
        let units = u8::try_from(length / 8).unwrap_or(0);
        if units == 0 || !length.is_multiple_of(8) {
            return Err(Error::new(Format::Ndp, What::Unsayable { octets: length }, at));
        }
        let Some(place) = buffer.get_mut(at..at + length) else {
            return Err(Error::no_room(Format::Ndp, at + length, present));
        };
        place.fill(0);
        match option {
            NeighborOption::SourceLinkLayerAddress(address) => write_address(place, 1, *address),
            NeighborOption::TargetLinkLayerAddress(address) => write_address(place, 2, *address),
            NeighborOption::Prefix(prefix) => prefix.write(place),
            NeighborOption::RedirectedHeader(quoted) => {
                place[..2].copy_from_slice(&[4, units]);
                place[8..8 + quoted.len()].copy_from_slice(quoted);
            }
            NeighborOption::Mtu(mtu) => {
                place[..2].copy_from_slice(&[5, 1]);
                place[4..].copy_from_slice(&mtu.to_be_bytes());
            }
            NeighborOption::Unknown { kind, octets } => {
                place.copy_from_slice(octets);
                place[..2].copy_from_slice(&[*kind, units]);
            }
        }
        at += length;
    }
    Ok(at)
}

fn write_address(place: &mut [u8], kind: u8, address: MacAddress) {
    place[..2].copy_from_slice(&[kind, 1]);
    place[2..].copy_from_slice(&address.0);
}

/// Reads options that stand alone, as [`emit_options`] writes them.
///
/// # Errors
///
/// An option whose length is zero or past the end.
pub fn options(octets: &[u8]) -> Result<Options<'_>, Error> {
    let mut rest = octets;
    while !rest.is_empty() {
        let at = octets.len() - rest.len();
        let Some((_, after)) = split_option(rest) else {
            return Err(Error::new(Format::Ndp, What::OptionLength, at));
        };
        rest = after;
    }
    Ok(Options { octets })
}

/// Writes a whole message, checksum included, and gives its length.
///
/// # Errors
///
/// The buffer is too small; what [`emit_options`] says.
pub fn emit(
    buffer: &mut [u8],
    message: &Message,
    options: &[NeighborOption<'_>],
    pseudo: PseudoHeader,
) -> Result<usize, Error> {
    let present = buffer.len();
    let fixed_octets = message.fixed_octets();
    let Some((fixed, rest)) = buffer.split_at_mut_checked(fixed_octets) else {
        return Err(Error::no_room(Format::Ndp, fixed_octets, present));
    };
    message.write(fixed);
    let length = fixed_octets + emit_options(rest, options)?;
    let octets = buffer.get_mut(..length).unwrap_or_default();
    let checksum = pseudo.with_length(length).and(octets).finish();
    octets[2..4].copy_from_slice(&checksum.to_be_bytes());
    Ok(length)
}

#[cfg(test)]
mod tests;
