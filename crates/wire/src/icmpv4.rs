//! ICMP for IPv4.
//!
//! RFC 792; RFC 1191 §4 (the MTU of the next hop); RFC 1122 §3.2.2 and RFC 1812 §4.3. What an error
//! quotes is read with [`ipv4::parse_quoted`](crate::ipv4::parse_quoted) and then
//! [`tcp::parse_quoted`](crate::tcp::parse_quoted) or [`udp::parse_quoted`](crate::udp::parse_quoted).
//!
//! Left out: the meaning of source quench (RFC 6633), redirects, timestamps and the rest, which come
//! out as [`Message::Unknown`] with nothing lost; the extensions behind a quotation (RFC 4884).

use crate::checksum::{Sum, checksum, copy_and_sum};
use crate::error::{Error, Format};

/// How many octets stand before an echo's data or an error's quotation.
pub const HEADER_OCTETS: usize = 8;

/// An ICMP message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// Type 8: send this back.
    EchoRequest(Echo<'a>),
    /// Type 0: here it is.
    EchoReply(Echo<'a>),
    /// Type 3: a packet did not arrive.
    DestinationUnreachable {
        /// Why.
        code: Unreachable,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
    },
    /// Type 11: a packet took too long.
    TimeExceeded {
        /// Where.
        code: TimeExceeded,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
    },
    /// Type 12: a header makes no sense.
    ParameterProblem {
        /// 0: the octet at `pointer`; 1: a required option is missing (RFC 1122 §3.2.2.5).
        code: u8,
        /// At which octet of that packet.
        pointer: u8,
        /// The beginning of that packet, from its IP header on.
        quoted: &'a [u8],
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

/// An echo, either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Echo<'a> {
    /// Tells one asker from another.
    pub identifier: u16,
    /// Tells one request from another.
    pub sequence: u16,
    /// What comes back as it went.
    pub data: &'a [u8],
}

/// Why a packet did not arrive: the code of type 3.
///
/// RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// 0.
    Network,
    /// 1.
    Host,
    /// 2: nothing there speaks that protocol.
    Protocol,
    /// 3: nothing there listens on that port.
    Port,
    /// 4: too large for the next link, and DF was set.
    FragmentationNeeded {
        /// The MTU of that link; 0 from routers older than RFC 1191.
        next_hop_mtu: u16,
    },
    /// 5.
    SourceRouteFailed,
    /// 13: someone forbids it.
    Prohibited,
    /// Any other code.
    Other(u8),
}

impl Unreachable {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Network => 0,
            Self::Host => 1,
            Self::Protocol => 2,
            Self::Port => 3,
            Self::FragmentationNeeded { .. } => 4,
            Self::SourceRouteFailed => 5,
            Self::Prohibited => 13,
            Self::Other(code) => code,
        }
    }

    const fn from_code(code: u8, next_hop_mtu: u16) -> Self {
        match code {
            0 => Self::Network,
            1 => Self::Host,
            2 => Self::Protocol,
            3 => Self::Port,
            4 => Self::FragmentationNeeded { next_hop_mtu },
            5 => Self::SourceRouteFailed,
            13 => Self::Prohibited,
            _ => Self::Other(code),
        }
    }
}

/// Where a packet took too long: the code of type 11.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeExceeded {
    /// 0: it passed too many routers.
    InTransit,
    /// 1: its other fragments did not come.
    Reassembly,
    /// Any other code.
    Other(u8),
}

impl TimeExceeded {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::InTransit => 0,
            Self::Reassembly => 1,
            Self::Other(code) => code,
        }
    }

    /// Reads the number on the wire.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::InTransit,
            1 => Self::Reassembly,
            _ => Self::Other(code),
        }
    }
}

impl<'a> Message<'a> {
    /// The type on the wire.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::EchoReply(_) => kind::ECHO_REPLY,
            Self::DestinationUnreachable { .. } => kind::DESTINATION_UNREACHABLE,
            Self::EchoRequest(_) => kind::ECHO_REQUEST,
            Self::TimeExceeded { .. } => kind::TIME_EXCEEDED,
            Self::ParameterProblem { .. } => kind::PARAMETER_PROBLEM,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// Whether it is an error about another packet; no error may answer one.
    ///
    /// RFC 1122 §3.2.2: types 3, 4, 5, 11 and 12.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.kind(), 3 | 4 | 5 | 11 | 12)
    }

    /// How many octets [`emit`] needs for it.
    #[must_use]
    pub const fn length(&self) -> usize {
        HEADER_OCTETS.saturating_add(self.body().len())
    }

    const fn body(&self) -> &'a [u8] {
        match self {
            Self::EchoRequest(echo) | Self::EchoReply(echo) => echo.data,
            Self::DestinationUnreachable { quoted, .. }
            | Self::TimeExceeded { quoted, .. }
            | Self::ParameterProblem { quoted, .. } => quoted,
            Self::Unknown { body, .. } => body,
        }
    }

    /// The code and the four octets behind the checksum.
    const fn code_and_rest(&self) -> (u8, [u8; 4]) {
        match *self {
            Self::EchoRequest(echo) | Self::EchoReply(echo) => (0, echo.rest_of_header()),
            Self::DestinationUnreachable { code, .. } => {
                let next_hop_mtu = match code {
                    Unreachable::FragmentationNeeded { next_hop_mtu } => next_hop_mtu,
                    _ => 0,
                };
                (code.code(), (next_hop_mtu as u32).to_be_bytes())
            }
            Self::TimeExceeded { code, .. } => (code.code(), [0; 4]),
            Self::ParameterProblem { code, pointer, .. } => (code, [pointer, 0, 0, 0]),
            Self::Unknown { code, rest_of_header, .. } => (code, rest_of_header),
        }
    }
}

impl<'a> Echo<'a> {
    pub(crate) const fn read(rest: [u8; 4], data: &'a [u8]) -> Self {
        let [a, b, c, d] = rest;
        Self { identifier: u16::from_be_bytes([a, b]), sequence: u16::from_be_bytes([c, d]), data }
    }

    pub(crate) const fn rest_of_header(&self) -> [u8; 4] {
        let [a, b] = self.identifier.to_be_bytes();
        let [c, d] = self.sequence.to_be_bytes();
        [a, b, c, d]
    }
}

/// Types that we know.
mod kind {
    pub(super) const ECHO_REPLY: u8 = 0;
    pub(super) const DESTINATION_UNREACHABLE: u8 = 3;
    pub(super) const ECHO_REQUEST: u8 = 8;
    pub(super) const TIME_EXCEEDED: u8 = 11;
    pub(super) const PARAMETER_PROBLEM: u8 = 12;
}

/// Reads a message. The octets are all that IP carries. The checksum is apart ([`verify`]).
///
/// # Errors
///
/// Fewer than 8 octets.
pub fn parse(octets: &[u8]) -> Result<Message<'_>, Error> {
    let Some((start, body)) = octets.split_first_chunk::<HEADER_OCTETS>() else {
        return Err(Error::truncated(Format::Icmpv4, HEADER_OCTETS, octets.len()));
    };
    let [kind, code, _, _, a, b, c, d] = *start;
    let rest_of_header = [a, b, c, d];
    Ok(match kind {
        // An echo has code 0; another code is a message that we do not know.
        kind::ECHO_REPLY if code == 0 => Message::EchoReply(Echo::read(rest_of_header, body)),
        kind::DESTINATION_UNREACHABLE => {
            let code = Unreachable::from_code(code, u16::from_be_bytes([c, d]));
            Message::DestinationUnreachable { code, quoted: body }
        }
        kind::ECHO_REQUEST if code == 0 => Message::EchoRequest(Echo::read(rest_of_header, body)),
        kind::TIME_EXCEEDED => Message::TimeExceeded { code: TimeExceeded::from_code(code), quoted: body },
        kind::PARAMETER_PROBLEM => Message::ParameterProblem { code, pointer: a, quoted: body },
        _ => Message::Unknown { kind, code, rest_of_header, body },
    })
}

/// Whether the checksum of a message is right.
#[must_use]
pub fn verify(octets: &[u8]) -> bool {
    Sum::of(octets).is_right()
}

/// Writes a message, checksum included, and gives its length.
///
/// # Errors
///
/// The buffer is too small.
pub fn emit(buffer: &mut [u8], message: &Message<'_>) -> Result<usize, Error> {
    let present = buffer.len();
    let length = message.length();
    let Some((start, place)) =
        buffer.get_mut(..length).and_then(<[u8]>::split_first_chunk_mut::<HEADER_OCTETS>)
    else {
        return Err(Error::no_room(Format::Icmpv4, length, present));
    };
    let (code, [a, b, c, d]) = message.code_and_rest();
    *start = [message.kind(), code, 0, 0, a, b, c, d];
    let sum = Sum::of(start).then(copy_and_sum(place, message.body()));
    start[2..4].copy_from_slice(&sum.finish().to_be_bytes());
    Ok(length)
}

/// Turns an echo request, where it lies, into its reply: another type, another checksum.
///
/// Says whether it was one. RFC 1122 §3.2.2.6: the data comes back whole.
pub fn turn_into_reply(octets: &mut [u8]) -> bool {
    if !matches!(parse(octets), Ok(Message::EchoRequest(_))) {
        return false;
    }
    if let Some([kind, _, upper, lower]) = octets.first_chunk_mut::<4>() {
        *kind = kind::ECHO_REPLY;
        (*upper, *lower) = (0, 0);
    }
    let checksum = checksum(octets).to_be_bytes();
    if let Some(place) = octets.get_mut(2..4) {
        place.copy_from_slice(&checksum);
    }
    true
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;

    use proptest::prelude::*;

    use super::*;

    /// By hand: 0800 + 1234 + 0001 + 6162 + 6300 = de97, complement 2168.
    #[test]
    fn an_echo_request_has_the_octets_computed_by_hand() {
        let expected = [8, 0, 0x21, 0x68, 0x12, 0x34, 0, 1, b'a', b'b', b'c'];
        let echo = Echo { identifier: 0x1234, sequence: 1, data: b"abc" };
        let mut octets = [0; 11];
        assert_eq!(emit(&mut octets, &Message::EchoRequest(echo)), Ok(11));
        assert_eq!(octets, expected);
        assert!(verify(&octets));
        assert_eq!(parse(&octets), Ok(Message::EchoRequest(echo)));
        assert!(turn_into_reply(&mut octets));
        assert!(verify(&octets));
        assert_eq!(parse(&octets), Ok(Message::EchoReply(echo)));
        assert!(!turn_into_reply(&mut octets));
    }

    /// RFC 1191 §4: the MTU stands in the lower half of the second word.
    #[test]
    fn fragmentation_needed_carries_the_mtu_of_the_next_hop() {
        let quoted = &[0x45; 28];
        let code = Unreachable::FragmentationNeeded { next_hop_mtu: 1400 };
        let message = Message::DestinationUnreachable { code, quoted };
        let mut octets = [0xff; 36];
        assert_eq!(emit(&mut octets, &message), Ok(36));
        assert_eq!((&octets[..2], &octets[4..8]), (&[3, 4][..], &[0, 0, 0x05, 0x78][..]));
        assert!(verify(&octets) && message.is_error());
        assert_eq!(parse(&octets), Ok(message));
    }

    /// RFC 792: the pointer is the first octet of the second word.
    #[test]
    fn a_parameter_problem_points_at_the_octet() {
        let message = Message::ParameterProblem { code: 0, pointer: 20, quoted: &[1, 2, 3] };
        let mut octets = [0; 11];
        emit(&mut octets, &message).unwrap();
        assert_eq!((octets[0], octets[4]), (12, 20));
        assert_eq!(parse(&octets), Ok(message));
    }

    /// RFC 792: 4 source quench, 5 redirect, 13 timestamp.
    #[test]
    fn a_message_that_we_do_not_know_is_kept() {
        for (kind, is_error) in [(4, true), (5, true), (13, false)] {
            let octets = [kind, 9, 0, 0, 1, 2, 3, 4, 5];
            let message = parse(&octets).unwrap();
            let body = &[5];
            assert_eq!(message, Message::Unknown { kind, code: 9, rest_of_header: [1, 2, 3, 4], body });
            assert_eq!(message.is_error(), is_error);
        }
    }

    #[test]
    fn a_message_cut_in_its_header_is_an_error_that_names_the_octet() {
        for length in 0..8 {
            assert_eq!(parse(&[0; 8][..length]), Err(Error::truncated(Format::Icmpv4, 8, length)));
            let echo = Echo { identifier: 0, sequence: 0, data: &[] };
            assert!(emit(&mut [0; 8][..length], &Message::EchoReply(echo)).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_emitted_the_same(octets in proptest::collection::vec(any::<u8>(), 0..100), kind in 0_u8..14) {
            let mut octets = octets;
            let _ = parse(&octets);
            if let Some(place) = octets.first_mut() { *place = kind; }
            if let Ok(message) = parse(&octets) {
                let mut again = vec![0; octets.len()];
                prop_assert_eq!(emit(&mut again, &message), Ok(octets.len()));
                prop_assert!(verify(&again));
                prop_assert_eq!(parse(&again), Ok(message));
                prop_assert_eq!(message.kind(), kind);
                prop_assert_eq!(&again[8..], &octets[8..]);
            }
        }
    }
}
