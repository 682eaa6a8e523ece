//! Ethernet frames.
//!
//! IEEE 802.3 clause 3 and RFC 894 (Ethernet II), IEEE 802.1Q clause 9 (VLAN tags, one or two).
//! A type field of 1,500 or less is the length of an IEEE 802.3 frame and trims its padding.
//!
//! Left out: the frame check sequence, which devices keep to themselves; LLC and SNAP, which come
//! out as payload of [`Content::Length`].

use core::fmt;
use core::net::IpAddr;

use crate::error::{Error, Format, What};

/// The address of a network card, or of several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// The address of all cards on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// No address: what an ARP request says of the target.
    pub const UNSPECIFIED: Self = Self([0; 6]);

    /// Whether it names one card: the lowest bit of the first octet is zero, and not all are.
    #[must_use]
    pub fn is_unicast(self) -> bool {
        self.0[0] & 1 == 0 && self != Self::UNSPECIFIED
    }

    /// Whether it names a group of cards; the broadcast address does too.
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// The address to which packets for an IP multicast address go; none for other IP addresses.
    ///
    /// RFC 1112 §6.4, RFC 2464 §7.
    #[must_use]
    pub fn of_multicast(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) if address.is_multicast() => {
                let [_, b, c, d] = address.octets();
                Some(Self([0x01, 0x00, 0x5e, b & 0x7f, c, d]))
            }
            IpAddr::V6(address) if address.is_multicast() => {
                let [.., a, b, c, d] = address.octets();
                Some(Self([0x33, 0x33, a, b, c, d]))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        }
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not six octets in hexadecimal with colons between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MacAddressError;

impl fmt::Display for MacAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not six pairs of hexadecimal digits with colons between them")
    }
}

impl core::error::Error for MacAddressError {}

impl core::str::FromStr for MacAddress {
    type Err = MacAddressError;

    fn from_str(text: &str) -> Result<Self, MacAddressError> {
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().ok_or(MacAddressError)?;
            if part.len() != 2 || !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(MacAddressError);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| MacAddressError)?;
        }
        if parts.next().is_some() { Err(MacAddressError) } else { Ok(Self(octets)) }
    }
}

/// What a frame carries, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// A VLAN tag follows: the customer's.
    pub const VLAN: Self = Self(0x8100);
    /// A VLAN tag follows: the provider's, before the customer's.
    pub const PROVIDER_VLAN: Self = Self(0x88a8);
}

/// A VLAN tag.
///
/// IEEE 802.1Q §9.6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VlanTag {
    /// Which of the two kinds of tag.
    pub kind: EtherType,
    /// Priority code point, 0 to 7.
    pub priority: u8,
    /// Drop eligible indicator.
    pub drop_eligible: bool,
    /// VLAN identifier, 0 to 4,095; 0 means that only the priority counts.
    pub id: u16,
}

impl VlanTag {
    const NONE: Self = Self { kind: EtherType::VLAN, priority: 0, drop_eligible: false, id: 0 };
}

/// The VLAN tags of a frame, outermost first: none, one or two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VlanTags {
    tags: [VlanTag; Self::MAX],
    count: u8,
}

impl VlanTags {
    /// How many tags of one frame we follow.
    pub const MAX: usize = 2;
    /// No tag.
    pub const NONE: Self = Self { tags: [VlanTag::NONE; Self::MAX], count: 0 };

    /// Adds a tag inside those there are; says whether there was room.
    pub fn push(&mut self, tag: VlanTag) -> bool {
        let Some(place) = self.tags.get_mut(usize::from(self.count)) else { return false };
        *place = tag;
        self.count += 1;
        true
    }

    /// The tags, outermost first.
    #[must_use]
    pub fn as_slice(&self) -> &[VlanTag] {
        self.tags.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// What the type field of a frame says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// Ethernet II: what the payload is.
    Type(EtherType),
    /// IEEE 802.3: how many octets of payload are not padding.
    Length(u16),
}

/// Addresses, tags and type of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// To which card the frame goes.
    pub destination: MacAddress,
    /// From which card it comes.
    pub source: MacAddress,
    /// The VLAN tags.
    pub tags: VlanTags,
    /// What the type field says.
    pub content: Content,
}

impl Header {
    /// How many octets the header takes without tags.
    pub const UNTAGGED_OCTETS: usize = 14;

    /// The header of an Ethernet II frame without tags.
    #[must_use]
    pub const fn new(source: MacAddress, destination: MacAddress, kind: EtherType) -> Self {
        Self { destination, source, tags: VlanTags::NONE, content: Content::Type(kind) }
    }

    /// How many octets the header takes.
    #[must_use]
    pub const fn length(&self) -> usize {
        Self::UNTAGGED_OCTETS + TAG_OCTETS * self.tags.count as usize
    }
}

/// A frame as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Addresses, tags and type.
    pub header: Header,
    /// What follows. Short Ethernet II frames are padded here, and only their content knows.
    pub payload: &'a [u8],
}

const TAG_OCTETS: usize = 4;
/// The largest length of an IEEE 802.3 frame.
const MOST_LENGTH: u16 = 1500;
/// The smallest type of an Ethernet II frame.
const LEAST_TYPE: u16 = 0x0600;

/// Reads a frame, from its destination to its last octet of payload.
///
/// # Errors
///
/// Fewer octets than the header; more than two tags; a length past the end; a type field from 1,501
/// to 1,535, which is neither length nor type. Each of the last three at the type field.
pub fn parse(octets: &[u8]) -> Result<Frame<'_>, Error> {
    let truncated = |needed| Error::truncated(Format::Ethernet, needed, octets.len());
    let Some((start, mut rest)) = octets.split_first_chunk::<12>() else {
        return Err(truncated(Header::UNTAGGED_OCTETS));
    };
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *start;
    let mut tags = VlanTags::NONE;
    let mut at = start.len();
    let field = loop {
        let Some((field, after_field)) = rest.split_first_chunk::<2>() else { return Err(truncated(at + 2)) };
        let kind = EtherType(u16::from_be_bytes(*field));
        rest = after_field;
        if !matches!(kind, EtherType::VLAN | EtherType::PROVIDER_VLAN) {
            break kind.0;
        }
        let Some((tag, after_tag)) = rest.split_first_chunk::<2>() else {
            return Err(truncated(at + TAG_OCTETS + 2));
        };
        if !tags.push(read_tag(kind, u16::from_be_bytes(*tag))) {
            return Err(Error::new(Format::Ethernet, What::TooManyTags { most: VlanTags::MAX }, at));
        }
        rest = after_tag;
        at += TAG_OCTETS;
    };
    let (content, payload) = match field {
        LEAST_TYPE.. => (Content::Type(EtherType(field)), rest),
        0..=MOST_LENGTH => {
            let length = usize::from(field);
            let what = What::LengthTooLong { octets: length, present: rest.len() };
            let payload = rest.get(..length).ok_or(Error::new(Format::Ethernet, what, at))?;
            (Content::Length(field), payload)
        }
        _ => return Err(Error::new(Format::Ethernet, What::Value { found: field.into() }, at)),
    };
    let header = Header {
        destination: MacAddress([d0, d1, d2, d3, d4, d5]),
        source: MacAddress([s0, s1, s2, s3, s4, s5]),
        tags,
        content,
    };
    Ok(Frame { header, payload })
}

const fn read_tag(kind: EtherType, field: u16) -> VlanTag {
    VlanTag { kind, priority: (field >> 13) as u8, drop_eligible: field & 0x1000 != 0, id: field & 0x0fff }
}

/// Writes a header and gives its length, behind which the payload belongs.
///
/// Padding to Ethernet's 60 octets is left to the device or the caller.
///
/// # Errors
///
/// The buffer is too small; a type that means a length or a tag; a length above 1,500; a tag's
/// kind, priority or identifier that its field cannot say.
pub fn emit(buffer: &mut [u8], header: &Header) -> Result<usize, Error> {
    let present = buffer.len();
    let length = header.length();
    let unsayable = |value: u16, at| Error::new(Format::Ethernet, What::Value { found: value.into() }, at);
    let Some(place) = buffer.get_mut(..length) else {
        return Err(Error::no_room(Format::Ethernet, length, present));
    };
    let (addresses, mut rest) = place.split_at_mut(12);
    addresses[..6].copy_from_slice(&header.destination.0);
    addresses[6..].copy_from_slice(&header.source.0);
    for tag in header.tags.as_slice() {
        let at = length - rest.len();
        if !matches!(tag.kind, EtherType::VLAN | EtherType::PROVIDER_VLAN) {
            return Err(unsayable(tag.kind.0, at));
        }
        if tag.priority > 7 || tag.id > 0x0fff {
            return Err(unsayable(if tag.priority > 7 { tag.priority.into() } else { tag.id }, at + 2));
        }
        let field = u16::from(tag.priority) << 13 | u16::from(tag.drop_eligible) << 12 | tag.id;
        let (place, after) = rest.split_at_mut(TAG_OCTETS);
        place[..2].copy_from_slice(&tag.kind.0.to_be_bytes());
        place[2..].copy_from_slice(&field.to_be_bytes());
        rest = after;
    }
    let field = match header.content {
        Content::Type(kind @ (EtherType::VLAN | EtherType::PROVIDER_VLAN | EtherType(..LEAST_TYPE))) => {
            return Err(unsayable(kind.0, length - 2));
        }
        Content::Length(octets) if octets > MOST_LENGTH => return Err(unsayable(octets, length - 2)),
        Content::Type(EtherType(field)) | Content::Length(field) => field,
    };
    rest.copy_from_slice(&field.to_be_bytes());
    Ok(length)
}

#[cfg(test)]
mod tests;
