//! What was wrong with octets, and at which one.
//!
//! One type for every format, so that a drop counter, a log line and a test can all say the same:
//! `IPv4: header length of 16 octets, 20 are the least, at octet 0`. Octets are counted from the
//! first one of the format's own header, from 0.

use core::fmt;

/// Why octets are not what they should be, or do not fit where they should go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// Which format was being read or written.
    pub format: Format,
    /// What was wrong.
    pub what: What,
    /// At which octet, counted from 0 at the start of that format's header.
    pub at: usize,
}

/// The formats of this crate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Format {
    /// Ethernet II or IEEE 802.3.
    Ethernet,
    /// ARP.
    Arp,
    /// IPv4.
    Ipv4,
    /// IPv6 and its extension headers.
    Ipv6,
    /// ICMP for IPv4.
    Icmpv4,
    /// ICMP for IPv6.
    Icmpv6,
    /// Neighbor Discovery.
    Ndp,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

/// What can be wrong with octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum What {
    /// The octets end at this place.
    Truncated {
        /// How many there should be at least.
        needed: usize,
    },
    /// The version field holds another version.
    Version {
        /// The version found.
        found: u8,
    },
    /// The header length field says less than the shortest header.
    HeaderTooShort {
        /// How many octets it says.
        octets: usize,
        /// The length of the shortest header.
        least: usize,
    },
    /// The header length field points past the end.
    HeaderTooLong {
        /// How many octets it says.
        octets: usize,
        /// How many octets there are.
        present: usize,
    },
    /// A length field says less than what it must cover.
    LengthTooShort {
        /// How many octets it says.
        octets: usize,
        /// How many it must cover.
        least: usize,
    },
    /// A length field says more than there is.
    LengthTooLong {
        /// How many octets it says.
        octets: usize,
        /// How many octets there are.
        present: usize,
    },
    /// A fragment would reach past octet 65,535 of its datagram.
    FragmentPastEnd {
        /// Where the fragment would end.
        end: usize,
    },
    /// A fragment that is not the last, whose length is not a multiple of eight octets.
    FragmentUnaligned {
        /// Its length.
        octets: usize,
    },
    /// An option whose length is 0, 1 or past the end of the options.
    OptionLength,
    /// More extension headers than we follow.
    TooManyExtensions {
        /// How many we follow.
        most: usize,
    },
    /// Hop-by-Hop Options anywhere but right after the fixed header.
    HopByHopNotFirst,
    /// A field holds a value that this format does not define or we do not read.
    Value {
        /// The value found.
        found: u32,
    },
    /// More VLAN tags than we follow.
    TooManyTags {
        /// How many we follow.
        most: usize,
    },
    /// Emission: the buffer is too small. Nothing of use was written.
    NoRoom {
        /// How many octets are needed.
        needed: usize,
        /// How many octets the buffer has.
        present: usize,
    },
    /// Emission: more octets than the length field can say, or not the multiple that it needs.
    Unsayable {
        /// How many octets were given.
        octets: usize,
    },
}

impl Error {
    pub(crate) const fn new(format: Format, what: What, at: usize) -> Self {
        Self { format, what, at }
    }

    /// The octets end at `present`, but at least `needed` are needed.
    pub(crate) const fn truncated(format: Format, needed: usize, present: usize) -> Self {
        Self::new(format, What::Truncated { needed }, present)
    }

    /// The buffer is too small for what should go there.
    pub(crate) const fn no_room(format: Format, needed: usize, present: usize) -> Self {
        Self::new(format, What::NoRoom { needed, present }, present)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::Arp => "ARP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Icmpv4 => "ICMP",
            Self::Icmpv6 => "ICMPv6",
            Self::Ndp => "NDP",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { needed } => write!(f, "cut short, {needed} octets are needed"),
            Self::Version { found } => write!(f, "version {found}"),
            Self::HeaderTooShort { octets, least } => {
                write!(f, "header length of {octets} octets, {least} are the least")
            }
            Self::HeaderTooLong { octets, present } => {
                write!(f, "header length of {octets} octets, {present} are there")
            }
            Self::LengthTooShort { octets, least } => {
                write!(f, "length of {octets} octets, {least} are the least")
            }
            Self::LengthTooLong { octets, present } => {
                write!(f, "length of {octets} octets, {present} are there")
            }
            Self::FragmentPastEnd { end } => write!(f, "fragment up to octet {end}, 65535 is the last"),
            Self::FragmentUnaligned { octets } => {
                write!(f, "fragment of {octets} octets with more to follow, not a multiple of 8")
            }
            Self::OptionLength => f.write_str("option whose length makes no sense"),
            Self::TooManyExtensions { most } => write!(f, "more than {most} extension headers"),
            Self::HopByHopNotFirst => f.write_str("hop-by-hop options not in first place"),
            Self::Value { found } => write!(f, "undefined or unsupported value {found:#x}"),
            Self::TooManyTags { most } => write!(f, "more than {most} VLAN tags"),
            Self::NoRoom { needed, present } => {
                write!(f, "buffer of {present} octets, {needed} are needed")
            }
            Self::Unsayable { octets } => write!(f, "{octets} octets do not fit the length field"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, at octet {}", self.format, self.what, self.at)
    }
}

impl core::error::Error for Error {}
