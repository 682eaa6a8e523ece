//! What leaves a host: one frame at a time, into the driver's buffer.
//!
//! First what others wait for and what is small (questions to neighbors, resets to strangers), then
//! datagrams and connections by turns. Text goes from the send buffer into the frame in one pass
//! that also takes the checksum; nothing is allocated for a frame, unless its neighbor's card is not
//! known yet.

mod datagram;
mod link;
mod tcp;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use aperto_time::Instant;
use aperto_wire::MacAddress;
use aperto_wire::ethernet::{self, EtherType};

use crate::config::{Interface, Medium};
use crate::departure::{About, Departure};
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::neighbors::{Lookup, Waiting};
use crate::note::{DropReason, Note};
use crate::routes::{Way, is_subnet_broadcast};

/// Where the IP packet begins in a frame.
const fn link_octets(medium: Medium) -> usize {
    match medium {
        Medium::Ip => 0,
        Medium::Ethernet(_) => ethernet::Header::UNTAGGED_OCTETS,
    }
}

/// After so many frames in a row of one connection, the next has its turn.
const MOST_IN_A_ROW: u32 = 16;

impl Host {
    /// Writes the next frame that leaves into the buffer, which should hold the largest MTU and 14
    /// octets for Ethernet. To be called until there is none.
    pub fn poll_frame(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Departure> {
        if self.outbox.has_small() {
            let departure = self.poll_link(buffer).or_else(|| self.poll_released(buffer));
            if let Some(departure) = departure.or_else(|| self.poll_stray(now, buffer)) {
                return Some(departure);
            }
        }
        // A connection may go on for a while, then a datagram may leave, and so on.
        if self.in_a_row >= MOST_IN_A_ROW || self.tcp.ready.is_empty() {
            self.in_a_row = 0;
            self.tcp.ready.rotate_left(usize::from(self.tcp.ready.len() > 1));
            if let Some(departure) = self.poll_datagram(now, buffer) {
                return Some(departure);
            }
        }
        match self.poll_tcp(now, buffer) {
            // What waits for a neighbor's card has left a question behind.
            None => self.poll_datagram(now, buffer).or_else(|| self.poll_link(buffer)),
            departure => departure,
        }
    }

    /// The way to a destination. What goes to all of a link, and no route says which, goes out where
    /// `from` is, or through the first interface that has an address of that version.
    pub(crate) fn way(&self, from: Option<IpAddr>, to: IpAddr) -> Option<Way> {
        if let Some(way) = self.routes.way(to) {
            return Some(way);
        }
        let is_for_all = to.is_multicast() || to == Ipv4Addr::BROADCAST;
        let fits = |interface: &&Interface| {
            interface.addresses.iter().any(|ours| match from {
                Some(from) => ours.address() == from,
                None => ours.address().is_ipv4() == to.is_ipv4(),
            })
        };
        let interface =
            self.interfaces.iter().position(|interface| fits(&interface)).filter(|_| is_for_all)?;
        Some(Way { interface: InterfaceId(u32::try_from(interface).ok()?), next_hop: to })
    }

    /// Puts the link's header before an IP packet that lies in the buffer behind the place for it.
    /// Gives the length of the frame; none where the neighbor's card is not known: the packet waits.
    #[inline]
    fn depart(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        way: Way,
        packet_octets: usize,
        about: impl FnOnce() -> About,
    ) -> Option<usize> {
        match self.interfaces.get(way.interface.index())?.medium {
            Medium::Ip => Some(packet_octets),
            Medium::Ethernet(card) => self.depart_in_frame(now, buffer, way, card, packet_octets, about),
        }
    }

    fn depart_in_frame(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        way: Way,
        card: MacAddress,
        packet_octets: usize,
        about: impl FnOnce() -> About,
    ) -> Option<usize> {
        let at = ethernet::Header::UNTAGGED_OCTETS;
        let length = at + packet_octets;
        let neighbor = match self.group_card(way) {
            Some(card) => card,
            None => match self.card_of(now, way) {
                Lookup::Card(card) => card,
                Lookup::Unknown(id) => {
                    let octets = Vec::from(buffer.get(at..length)?);
                    if self.neighbors.wait(id, Waiting { octets, about: about() }).is_some() {
                        let reason = DropReason::QueueFull;
                        self.note(|| Note::Dropped { interface: None, reason });
                    }
                    return None;
                }
            },
        };
        let kind = if way.next_hop.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
        ethernet::emit(buffer, &ethernet::Header::new(card, neighbor, kind)).ok()?;
        Some(length)
    }

    /// The card of a destination that is many hosts.
    fn group_card(&self, way: Way) -> Option<MacAddress> {
        if let IpAddr::V4(address) = way.next_hop {
            let interface = self.interfaces.get(way.interface.index())?;
            if address == Ipv4Addr::BROADCAST || is_subnet_broadcast(interface, address) {
                return Some(MacAddress::BROADCAST);
            }
        }
        MacAddress::of_multicast(way.next_hop)
    }

    fn card_of(&mut self, now: Instant, way: Way) -> Lookup {
        let (lookup, question, freed) = self.neighbors.find(now, way.interface, way.next_hop);
        if let Some(token) = freed {
            self.wheel.cancel(token);
        }
        if let Some((id, question)) = question {
            self.arm_neighbor(now, id, question);
        }
        lookup
    }

    /// The largest packet to a destination through an interface.
    #[inline]
    fn mtu_to(&self, now: Instant, interface: usize, destination: IpAddr) -> usize {
        let most = self.interfaces.get(interface).map_or(0, |interface| interface.mtu);
        match self.path_mtus.get(now, destination) {
            Some(path) => most.min(path as usize),
            None => most,
        }
    }
}
