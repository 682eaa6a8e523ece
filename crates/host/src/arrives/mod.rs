//! What arrives at a host, layer by layer: the link, IP, fragments, and what IP carries.
//!
//! RFC 1122 §3.2 and §3.3, RFC 8200. Whatever is wrong with a frame, it is dropped with a
//! [`DropReason`] in a note, and at most one packet answers it.

mod icmp;
mod ipv4;
mod ipv6;
mod link;
mod tcp;
mod udp;

use core::net::IpAddr;

use aperto_time::Instant;
use aperto_wire::error::{Error, Format, What};
use aperto_wire::ip::{Protocol, Version};

use crate::config::{Checksums, Medium};
use crate::fragments::{Expired, Outcome, Piece, Whole};
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::note::DropReason;
use crate::routes::{Cast, cast, is_martian, is_subnet_broadcast};

/// Where an IP packet comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// From a frame to us alone.
    Frame,
    /// From a frame to a group of cards. RFC 1122 §3.3.6: no single host is meant, whatever IP says.
    GroupFrame,
    /// From fragments.
    Fragments,
}

/// An IP packet for us.
#[derive(Clone, Copy, Debug)]
struct Packet<'a> {
    interface: InterfaceId,
    source: IpAddr,
    destination: IpAddr,
    cast: Cast,
    protocol: Protocol,
    hop_limit: u8,
    /// What it carries, header of the transport included.
    payload: &'a [u8],
    /// All of it, from its IP header on, for quotations.
    octets: &'a [u8],
    checksums: Checksums,
}

impl Host {
    /// A frame arrived. What is wrong with it, if anything is, a note says.
    pub fn frame_arrives(&mut self, now: Instant, interface: InterfaceId, frame: &[u8]) {
        match self.interface(interface).map(|interface| interface.medium) {
            Some(Medium::Ip) => self.packet_arrives(now, interface, frame, Origin::Frame),
            Some(Medium::Ethernet(card)) => self.ethernet_arrives(now, interface, card, frame),
            None => {}
        }
    }

    fn packet_arrives(&mut self, now: Instant, interface: InterfaceId, octets: &[u8], origin: Origin) {
        match Version::of(octets) {
            Some(Version::V4) => self.ipv4_arrives(now, interface, octets, origin),
            Some(Version::V6) => self.ipv6_arrives(now, interface, octets, origin),
            None => {
                let what = match octets.first() {
                    Some(first) => What::Version { found: first >> 4 },
                    None => What::Truncated { needed: 1 },
                };
                let error = Error { format: Format::Ipv4, what, at: 0 };
                self.dropped(interface, DropReason::Malformed(error));
            }
        }
    }

    /// Whether a packet between two addresses is one that we take, and as whom.
    ///
    /// RFC 9293 §3.9.2.3 [MUST-63], RFC 1122 §3.2.1.3. What was found is kept for the packet after,
    /// which mostly goes between the same two.
    #[inline]
    fn admit(
        &mut self,
        interface: InterfaceId,
        source: IpAddr,
        destination: IpAddr,
    ) -> Result<Cast, DropReason> {
        if self.admitted == Some((interface, source, destination)) {
            return Ok(Cast::Us);
        }
        let cast = self.judge(interface, source, destination)?;
        if cast == Cast::Us {
            self.admitted = Some((interface, source, destination));
        }
        Ok(cast)
    }

    fn judge(&self, interface: InterfaceId, source: IpAddr, destination: IpAddr) -> Result<Cast, DropReason> {
        let there = self.interface(interface).ok_or(DropReason::NotForUs(destination))?;
        let is_broadcast = match source {
            IpAddr::V4(source) => is_subnet_broadcast(there, source),
            IpAddr::V6(_) => false,
        };
        if is_martian(source) || is_broadcast || self.owns(source) {
            return Err(DropReason::InvalidSource(source));
        }
        match cast(there, self.owns(destination), destination) {
            Cast::Others => Err(DropReason::NotForUs(destination)),
            cast => Ok(cast),
        }
    }

    /// A whole packet for us arrived: to the protocol that it carries.
    fn payload_arrives(&mut self, now: Instant, packet: &Packet<'_>) {
        match (packet.protocol, packet.source) {
            (Protocol::TCP, _) => self.tcp_arrives(now, packet),
            (Protocol::UDP, _) => self.udp_arrives(now, packet),
            (Protocol::ICMP, IpAddr::V4(_)) => self.icmpv4_arrives(now, packet),
            (Protocol::ICMPV6, IpAddr::V6(_)) => self.icmpv6_arrives(now, packet),
            (Protocol::NO_NEXT_HEADER, IpAddr::V6(_)) => {}
            (protocol, _) => {
                self.dropped(packet.interface, DropReason::UnknownProtocol(protocol));
                self.answer_unknown_protocol(now, packet);
            }
        }
    }

    /// A fragment arrived. Gives the datagram if it is whole now.
    fn fragment_arrives(&mut self, now: Instant, piece: &Piece<'_>) -> Option<Whole> {
        let outcome = self.fragments.arrives(now, &self.config.fragments, piece);
        self.arm_fragments();
        match outcome {
            Outcome::Waiting => None,
            Outcome::Whole(whole) => Some(whole),
            Outcome::Dropped(reason) => {
                self.dropped(piece.interface, reason);
                None
            }
        }
    }

    /// The time of some datagrams is over.
    ///
    /// RFC 1122 §3.3.2, RFC 8200 §4.5: whoever sent the first fragment is told.
    pub(crate) fn fragments_expire(&mut self, now: Instant) {
        while let Some(Expired { interface, first }) = self.fragments.expire(now) {
            self.dropped(interface, DropReason::FragmentTimeout);
            if let Some(first) = first {
                self.answer_reassembly_timeout(now, interface, &first);
            }
        }
        self.arm_fragments();
    }
}
