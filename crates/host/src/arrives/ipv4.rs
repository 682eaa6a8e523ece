//! IPv4 packets that arrive.
//!
//! RFC 1122 §3.2.1 and §3.3. Options are passed over, but a packet that names its own way is
//! dropped (RFC 7126 §4.3, RFC 6274 §3.13.2.3). The time to live does not matter to a host.
//!
//! RFC 9293 §3.9.2 [MUST-50]: options that we do not know change nothing.
//! Deviation: RFC 9293 §3.9.2.1 [MUST-51] [MUST-52] [MUST-53] would have TCP name source routes and
//! follow those that arrive. Whoever names the way can have the answers for himself; nobody
//! forwards such packets any more.

use core::net::IpAddr;

use aperto_time::Instant;
use aperto_wire::error::Format;
use aperto_wire::ipv4::{self, Header};

use super::{Origin, Packet};
use crate::config::Checksums;
use crate::fragments::{Key, Piece, Whole};
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::note::DropReason;
use crate::routes::Cast;

impl Host {
    pub(super) fn ipv4_arrives(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        octets: &[u8],
        origin: Origin,
    ) {
        let parsed = match ipv4::parse(octets) {
            Ok(parsed) => parsed,
            Err(error) => return self.dropped(interface, DropReason::Malformed(error)),
        };
        let Some(there) = self.interface(interface) else { return };
        let checksums = there.checksums;
        if checksums == Checksums::Verify && origin != Origin::Fragments && !parsed.checksum_is_right() {
            return self.dropped(interface, DropReason::BadChecksum(Format::Ipv4));
        }
        let header = parsed.header;
        let (source, destination) = (IpAddr::V4(header.source), IpAddr::V4(header.destination));
        let cast = match self.admit(interface, source, destination) {
            Ok(_) if origin == Origin::GroupFrame => Cast::Group,
            Ok(cast) => cast,
            Err(reason) => return self.dropped(interface, reason),
        };
        if parsed.header_octets.len() > Header::FIXED_OCTETS && parsed.is_source_routed() {
            return self.dropped(interface, DropReason::SourceRoute);
        }
        if header.is_fragment() {
            return self.ipv4_fragment_arrives(now, interface, &parsed, origin);
        }
        let packet = Packet {
            interface,
            source,
            destination,
            cast,
            protocol: header.protocol,
            hop_limit: header.time_to_live,
            payload: parsed.payload,
            octets: octets.get(..parsed.header_octets.len() + parsed.payload.len()).unwrap_or(octets),
            checksums,
        };
        self.payload_arrives(now, &packet);
    }

    fn ipv4_fragment_arrives(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        parsed: &ipv4::Packet<'_>,
        origin: Origin,
    ) {
        let header = parsed.header;
        let key = Key {
            source: header.source.into(),
            destination: header.destination.into(),
            protocol: Some(header.protocol),
            identification: header.identification.into(),
        };
        let piece = Piece {
            key,
            interface,
            offset: header.fragment_offset.into(),
            more: header.more_fragments,
            payload: parsed.payload,
            header: parsed.header_octets,
            protocol: header.protocol,
        };
        if let Some(mut whole) = self.fragment_arrives(now, &piece)
            && make_whole(&mut whole).is_some()
        {
            // A group's stays a group's: what came as such keeps its destination, or its frame.
            let origin = if origin == Origin::GroupFrame { origin } else { Origin::Fragments };
            self.packet_arrives(now, interface, &whole.octets, origin);
        }
    }
}

/// Has the header of the first fragment say that it is that of the whole.
fn make_whole(whole: &mut Whole) -> Option<()> {
    let total = u16::try_from(whole.octets.len()).ok()?;
    let header = whole.octets.get_mut(..whole.header_length)?;
    header.get_mut(2..4)?.copy_from_slice(&total.to_be_bytes());
    header.get_mut(6..8)?.fill(0);
    header.get_mut(10..12)?.fill(0);
    let checksum = aperto_wire::checksum::checksum(header);
    header.get_mut(10..12)?.copy_from_slice(&checksum.to_be_bytes());
    Some(())
}
