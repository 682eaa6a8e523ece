//! IPv6 packets that arrive.
//!
//! RFC 8200 §3 and §4: extension headers are followed, options that forbid it end the packet, a
//! Routing header with stops to come is answered (§4.4, RFC 5095). Unlike IPv4's, a fragment's
//! extension headers before the Fragment header are not kept: nothing here needs them.

use core::net::IpAddr;

use aperto_time::Instant;
use aperto_wire::ip::Protocol;
use aperto_wire::ipv6::{self, Header, OptionAction, Upper};

use super::{Origin, Packet};
use crate::fragments::{Key, Piece, Whole};
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::note::DropReason;
use crate::routes::Cast;

impl Host {
    pub(super) fn ipv6_arrives(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        octets: &[u8],
        origin: Origin,
    ) {
        let read = ipv6::parse(octets).and_then(|parsed| Ok((parsed, parsed.upper_layer()?)));
        let (parsed, upper) = match read {
            Ok(read) => read,
            Err(error) => return self.dropped(interface, DropReason::Malformed(error)),
        };
        let Some(checksums) = self.interface(interface).map(|there| there.checksums) else { return };
        let header = parsed.header;
        let (source, destination) = (IpAddr::V6(header.source), IpAddr::V6(header.destination));
        // Neighbor Discovery is spoken in groups; all else that comes in a group's frame is a group's.
        let is_group_frame = origin == Origin::GroupFrame && upper.protocol != Protocol::ICMPV6;
        let cast = match self.admit(interface, source, destination) {
            Ok(_) if is_group_frame => Cast::Group,
            Ok(cast) => cast,
            Err(DropReason::InvalidSource(_)) if asks_without_address(&header, &upper) => Cast::Group,
            Err(reason) => return self.dropped(interface, reason),
        };
        let packet = Packet {
            interface,
            source,
            destination,
            cast,
            protocol: upper.protocol,
            hop_limit: header.hop_limit,
            payload: upper.payload,
            octets: octets.get(..Header::OCTETS + parsed.payload.len()).unwrap_or(octets),
            checksums,
        };
        if let Some(refused) = upper.refused_option {
            self.dropped(interface, DropReason::RefusedOption);
            if refused.action != OptionAction::Discard {
                self.answer_parameter_problem(now, &packet, 2, refused.at);
            }
            return;
        }
        if let Some(routing) = upper.routing {
            self.dropped(interface, DropReason::SourceRoute);
            return self.answer_parameter_problem(now, &packet, 0, routing.at + 2);
        }
        match upper.fragment {
            None => self.payload_arrives(now, &packet),
            // A fragment of fragments: nobody honest sends that.
            Some(_) if origin == Origin::Fragments => self.dropped(interface, DropReason::FragmentOverlap),
            Some(fragment) => self.ipv6_fragment_arrives(now, &packet, &fragment, origin),
        }
    }

    fn ipv6_fragment_arrives(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        fragment: &ipv6::Fragment,
        origin: Origin,
    ) {
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: None,
            identification: fragment.identification,
        };
        let piece = Piece {
            key,
            interface: packet.interface,
            offset: fragment.offset.into(),
            more: fragment.more,
            payload: packet.payload,
            header: packet.octets.get(..Header::OCTETS).unwrap_or_default(),
            protocol: packet.protocol,
        };
        if let Some(mut whole) = self.fragment_arrives(now, &piece)
            && make_whole(&mut whole).is_some()
        {
            let origin = if origin == Origin::GroupFrame { origin } else { Origin::Fragments };
            self.packet_arrives(now, packet.interface, &whole.octets, origin);
        }
    }
}

/// Whether a packet asks who has an address before its sender has one: the only use of an
/// unspecified source. RFC 4861 §7.1.1, RFC 4862 §5.4.
fn asks_without_address(header: &Header, upper: &Upper<'_>) -> bool {
    const NEIGHBOR_SOLICITATION: u8 = 135;
    header.source.is_unspecified()
        && upper.protocol == Protocol::ICMPV6
        && upper.payload.first() == Some(&NEIGHBOR_SOLICITATION)
}

/// Has the header of the first fragment say that it is that of the whole.
fn make_whole(whole: &mut Whole) -> Option<()> {
    let length = u16::try_from(whole.octets.len().checked_sub(whole.header_length)?).ok()?;
    whole.octets.get_mut(4..6)?.copy_from_slice(&length.to_be_bytes());
    *whole.octets.get_mut(6)? = whole.protocol.0;
    Some(())
}
