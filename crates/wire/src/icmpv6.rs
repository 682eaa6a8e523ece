//! ICMP for IPv6.
//!
//! RFC 4443; RFC 4861 for Neighbor Discovery, whose messages `ndp.rs` reads. What an error quotes is
//! read with [`ipv6::parse_quoted`](crate::ipv6::parse_quoted).
//!
//! Left out: multicast listeners (RFC 3810) and the rest, which come out as [`Message::Unknown`] with
//! nothing lost; the extensions behind a quotation (RFC 4884).

use crate::checksum::{PseudoHeader, Sum, copy_and_sum};
use crate::error::{Error, Format};
use crate::icmpv4::{Echo, TimeExceeded};
use crate::ndp;

/// How many octets stand before an echo's data or an error's quotation.
pub const HEADER_OCTETS: usize = 8;

/// An ICMPv6 message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// Type 1: a packet did not arrive.
    DestinationUnreachable {
        /// Why.
        code: Unreachable,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
    },
    /// Type 2: a packet was too large for the next link.
    PacketTooBig {
        /// The MTU of that link.
        mtu: u32,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
    },
    /// Type 3: a packet took too long.
    TimeExceeded {
        /// Where.
        code: TimeExceeded,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
    },
    /// Type 4: a header makes no sense.
    ParameterProblem {
        /// 0: a field; 1: a Next Header; 2: an option (RFC 4443 §3.4).
        code: u8,
        /// At which octet of that packet.
        pointer: u32,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
    },
    /// Type 128: send this back.
    EchoRequest(Echo<'a>),
    /// Type 129: here it is.
    EchoReply(Echo<'a>),
    /// Types 133 to 137: Neighbor Discovery. Only counts with a hop limit of 255.
    NeighborDiscovery {
        /// The message.
        message: ndp::Message,
        /// Its options.
        options: ndp::Options<'a>,
    },
    /// Any other type.
    Unknown {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
        /// The four octets behind the checksum.
        rest_of_header: [u8; 4],
        /// What follows.
        body: &'a [u8],
    },
}

/// Why a packet did not arrive: the code of type 1.
///
/// RFC 4443 §3.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// 0: no route.
    NoRoute,
    /// 1: someone forbids it.
    Prohibited,
    /// 2: beyond the scope of the source address.
    BeyondScope,
    /// 3: the address.
    Address,
    /// 4: nothing there listens on that port.
    Port,
    /// Any other code.
    Other(u8),
}

impl Unreachable {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NoRoute => 0,
            Self::Prohibited => 1,
            Self::BeyondScope => 2,
            Self::Address => 3,
            Self::Port => 4,
            Self::Other(code) => code,
        }
    }

    /// Reads the number on the wire.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::NoRoute,
            1 => Self::Prohibited,
            2 => Self::BeyondScope,
            3 => Self::Address,
            4 => Self::Port,
            _ => Self::Other(code),
        }
    }
}

impl<'a> Message<'a> {
    /// The type on the wire.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::DestinationUnreachable { .. } => kind::DESTINATION_UNREACHABLE,
            Self::PacketTooBig { .. } => kind::PACKET_TOO_BIG,
            Self::TimeExceeded { .. } => kind::TIME_EXCEEDED,
            Self::ParameterProblem { .. } => kind::PARAMETER_PROBLEM,
            Self::EchoRequest(_) => kind::ECHO_REQUEST,
            Self::EchoReply(_) => kind::ECHO_REPLY,
            Self::NeighborDiscovery { message, .. } => message.kind(),
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// Whether it is an error about another packet; no error may answer one.
    ///
    /// RFC 4443 §2.1: the highest bit of the type is zero.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        self.kind() < 128
    }

    /// How many octets [`emit`] needs for it.
    #[must_use]
    pub const fn length(&self) -> usize {
        match self {
            Self::NeighborDiscovery { message, options } => {
                message.fixed_octets().saturating_add(options.octets().len())
            }
            _ => HEADER_OCTETS.saturating_add(self.body().len()),
        }
    }

    /// What follows the first eight octets, or the fixed part of Neighbor Discovery.
    const fn body(&self) -> &'a [u8] {
        match self {
            Self::EchoRequest(echo) | Self::EchoReply(echo) => echo.data,
            Self::DestinationUnreachable { quoted, .. }
            | Self::PacketTooBig { quoted, .. }
            | Self::TimeExceeded { quoted, .. }
            | Self::ParameterProblem { quoted, .. } => quoted,
            Self::NeighborDiscovery { options, .. } => options.octets(),
            Self::Unknown { body, .. } => body,
        }
    }

    /// The code and the four octets behind the checksum; not of Neighbor Discovery.
    const fn code_and_rest(&self) -> (u8, [u8; 4]) {
        match *self {
            Self::DestinationUnreachable { code, .. } => (code.code(), [0; 4]),
            Self::PacketTooBig { mtu, .. } => (0, mtu.to_be_bytes()),
            Self::TimeExceeded { code, .. } => (code.code(), [0; 4]),
            Self::ParameterProblem { code, pointer, .. } => (code, pointer.to_be_bytes()),
            Self::EchoRequest(echo) | Self::EchoReply(echo) => (0, echo.rest_of_header()),
            Self::NeighborDiscovery { .. } => (0, [0; 4]),
            Self::Unknown { code, rest_of_header, .. } => (code, rest_of_header),
        }
    }
}

/// Types that we know, but for those of Neighbor Discovery.
mod kind {
    pub(super) const DESTINATION_UNREACHABLE: u8 = 1;
    pub(super) const PACKET_TOO_BIG: u8 = 2;
    pub(super) const TIME_EXCEEDED: u8 = 3;
    pub(super) const PARAMETER_PROBLEM: u8 = 4;
    pub(super) const ECHO_REQUEST: u8 = 128;
    pub(super) const ECHO_REPLY: u8 = 129;
}

/// Reads a message. The octets are all that IP carries. The checksum is apart ([`verify`]).
///
/// # Errors
///
/// Fewer than 8 octets; what [`ndp::parse`] finds in types 133 to 137.
pub fn parse(octets: &[u8]) -> Result<Message<'_>, Error> {
    let Some((start, body)) = octets.split_first_chunk::<HEADER_OCTETS>() else {
        return Err(Error::truncated(Format::Icmpv6, HEADER_OCTETS, octets.len()));
    };
    let [kind, code, _, _, a, b, c, d] = *start;
    let rest_of_header = [a, b, c, d];
    Ok(match kind {
        kind::DESTINATION_UNREACHABLE => {
            Message::DestinationUnreachable { code: Unreachable::from_code(code), quoted: body }
        }
        // RFC 4443 §3.2: the receiver ignores the code.
        kind::PACKET_TOO_BIG => {
            Message::PacketTooBig { mtu: u32::from_be_bytes(rest_of_header), quoted: body }
        }
        kind::TIME_EXCEEDED => Message::TimeExceeded { code: TimeExceeded::from_code(code), quoted: body },
        kind::PARAMETER_PROBLEM => {
            Message::ParameterProblem { code, pointer: u32::from_be_bytes(rest_of_header), quoted: body }
        }
        kind::ECHO_REQUEST if code == 0 => Message::EchoRequest(Echo::read(rest_of_header, body)),
        kind::ECHO_REPLY if code == 0 => Message::EchoReply(Echo::read(rest_of_header, body)),
        ndp::FIRST_KIND..=ndp::LAST_KIND => {
            let (message, options) = ndp::parse(octets)?;
            Message::NeighborDiscovery { message, options }
        }
        _ => Message::Unknown { kind, code, rest_of_header, body },
    })
}

/// Whether the checksum of a message is right: message and pseudo-header.
///
/// RFC 4443 §2.3.
#[must_use]
pub fn verify(pseudo: PseudoHeader, octets: &[u8]) -> bool {
    pseudo.covers(octets)
}

/// Writes a message, checksum included, and gives its length.
///
/// # Errors
///
/// The buffer is too small.
pub fn emit(buffer: &mut [u8], message: &Message<'_>, pseudo: PseudoHeader) -> Result<usize, Error> {
    let present = buffer.len();
    let length = message.length();
    let Some(place) = buffer.get_mut(..length) else {
        return Err(Error::no_room(Format::Icmpv6, length, present));
    };
    let body = message.body();
    let (start, place) = place.split_at_mut(length - body.len());
    if let Message::NeighborDiscovery { message, .. } = message {
        message.write(start);
    } else {
        let (code, [a, b, c, d]) = message.code_and_rest();
        start.copy_from_slice(&[message.kind(), code, 0, 0, a, b, c, d]);
    }
    let sum = Sum::of(start).then(copy_and_sum(place, body));
    start[2..4].copy_from_slice(&pseudo.with_length(length).then(sum).finish().to_be_bytes());
    Ok(length)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;

    use core::net::Ipv6Addr;
    use proptest::prelude::*;

    use super::*;
    use crate::ip::Protocol;

    fn pseudo() -> PseudoHeader {
        let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        let destination = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
        PseudoHeader::ipv6(source, destination, Protocol::ICMPV6)
    }

    /// By hand: pseudo-header 2001 + 0db8 + 0001 + 2001 + 0db8 + 0002 + 003a + 000a = 5bb9;
    /// 8000 + 1234 + 0001 + 6162 = f397; sum 1_4f50 = 4f51, complement b0ae.
    #[test]
    fn an_echo_request_has_the_octets_computed_by_hand() {
        let echo = Echo { identifier: 0x1234, sequence: 1, data: b"ab" };
        let mut octets = [0; 10];
        assert_eq!(emit(&mut octets, &Message::EchoRequest(echo), pseudo()), Ok(10));
        assert_eq!(octets, [128, 0, 0xb0, 0xae, 0x12, 0x34, 0, 1, b'a', b'b']);
        assert!(verify(pseudo(), &octets));
        assert_eq!(parse(&octets), Ok(Message::EchoRequest(echo)));
    }

    /// RFC 4443 §3.2 and §3.4: a whole word each.
    #[test]
    fn mtu_and_pointer_take_a_whole_word() {
        let quoted = &[0x60; 48];
        for (message, start) in [
            (Message::PacketTooBig { mtu: 0x0001_0500, quoted }, [2, 0, 0, 1, 5, 0]),
            (Message::ParameterProblem { code: 1, pointer: 40, quoted }, [4, 1, 0, 0, 0, 40]),
            (Message::DestinationUnreachable { code: Unreachable::Port, quoted }, [1, 4, 0, 0, 0, 0]),
            (Message::TimeExceeded { code: TimeExceeded::Reassembly, quoted }, [3, 1, 0, 0, 0, 0]),
        ] {
            let mut octets = [0xff; 56];
            assert_eq!(emit(&mut octets, &message, pseudo()), Ok(56));
            assert_eq!([&octets[..2], &octets[4..8]].concat(), start);
            assert!(verify(pseudo(), &octets) && message.is_error());
            assert_eq!(parse(&octets), Ok(message));
        }
    }

    #[test]
    fn a_message_cut_in_its_header_is_an_error_that_names_the_octet() {
        for length in 0..8 {
            assert_eq!(parse(&[128; 8][..length]), Err(Error::truncated(Format::Icmpv6, 8, length)));
            let echo = Echo { identifier: 0, sequence: 0, data: &[] };
            assert!(emit(&mut [0; 8][..length], &Message::EchoReply(echo), pseudo()).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_emitted_the_same(
            octets in proptest::collection::vec(any::<u8>(), 0..100),
            kind in prop::sample::select(vec![0_u8, 1, 2, 3, 4, 127, 128, 129, 133, 134, 135, 136, 137, 143]),
        ) {
            let mut octets = octets;
            let _ = parse(&octets);
            if let Some(place) = octets.first_mut() { *place = kind; }
            if let Some(place) = octets.get_mut(1) { *place &= 7; }
            if let Ok(message) = parse(&octets) {
                let mut again = vec![0; octets.len()];
                prop_assert_eq!(emit(&mut again, &message, pseudo()), Ok(octets.len()));
                prop_assert!(verify(pseudo(), &again));
                prop_assert_eq!(parse(&again), Ok(message));
                prop_assert_eq!(message.kind(), kind);
            }
        }
    }
}
