//! ARP and Neighbor Discovery on their way out, and packets that waited for their answers.
//!
//! RFC 826, RFC 5227 §2.1.1 (form of a request); RFC 4861 §4.3, §4.4, §7.2.2 and §7.2.4.

use core::net::{IpAddr, Ipv6Addr};

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ethernet::{EtherType, Header};
use aperto_wire::ip::Protocol;
use aperto_wire::ndp::{self, NeighborOption};
use aperto_wire::{MacAddress, arp, ethernet, ipv6};

use crate::config::{Interface, Medium};
use crate::departure::{About, Departure, NeighborAbout};
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::outbox::{Answer, LinkMessage};
use crate::routes::{solicited_node, source};

/// All nodes of the link. RFC 4291 §2.7.1.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

impl Host {
    /// The next question to a neighbor, or answer to one.
    pub(super) fn poll_link(&mut self, buffer: &mut [u8]) -> Option<Departure> {
        while let Some(message) = self.outbox.link.pop_front() {
            let id = match message {
                LinkMessage::Question(question) => question.interface,
                LinkMessage::Answer(answer) => answer.interface,
            };
            let Some(interface) = self.interfaces.get(id.index()) else { continue };
            let Medium::Ethernet(card) = interface.medium else { continue };
            let (length, about) = match message {
                LinkMessage::Question(question) => {
                    let (target, attempt) = (question.target, question.attempt);
                    let length = write_question(buffer, interface, card, target, question.card);
                    (length, NeighborAbout::Solicitation { target, attempt })
                }
                LinkMessage::Answer(answer) => {
                    let about = NeighborAbout::Advertisement { target: answer.target, to: answer.to };
                    (write_answer(buffer, card, &answer), about)
                }
            };
            if let Some(length) = length {
                return Some(Departure { interface: id, length, about: About::Neighbor(about) });
            }
        }
        None
    }

    /// The next packet whose neighbor has answered.
    pub(super) fn poll_released(&mut self, buffer: &mut [u8]) -> Option<Departure> {
        while let Some(released) = self.outbox.released.pop_front() {
            if let Some(length) =
                self.write_released(buffer, released.interface, released.card, &released.octets)
            {
                return Some(Departure { interface: released.interface, length, about: released.about });
            }
        }
        None
    }

    fn write_released(
        &self,
        buffer: &mut [u8],
        interface: InterfaceId,
        neighbor: MacAddress,
        packet: &[u8],
    ) -> Option<usize> {
        let Medium::Ethernet(card) = self.interfaces.get(interface.index())?.medium else { return None };
        let is_v4 = packet.first()? >> 4 == 4;
        let kind = if is_v4 { EtherType::IPV4 } else { EtherType::IPV6 };
        let at = ethernet::emit(buffer, &Header::new(card, neighbor, kind)).ok()?;
        let length = at + packet.len();
        buffer.get_mut(at..length)?.copy_from_slice(packet);
        Some(length)
    }
}

/// Who has the target? Asked of its card if one had it, else of all.
fn write_question(
    buffer: &mut [u8],
    interface: &Interface,
    card: MacAddress,
    target: IpAddr,
    known: Option<MacAddress>,
) -> Option<usize> {
    let sender = source(interface, target, target)?;
    match (sender, target) {
        (IpAddr::V4(sender), IpAddr::V4(target)) => {
            let packet = arp::Packet {
                operation: arp::Operation::Request,
                sender_hardware: card,
                sender,
                target_hardware: MacAddress::UNSPECIFIED,
                target,
            };
            write_arp(buffer, card, known.unwrap_or(MacAddress::BROADCAST), &packet)
        }
        (IpAddr::V6(sender), IpAddr::V6(target)) => {
            let to = if known.is_some() { target } else { solicited_node(target) };
            let neighbor = known.or_else(|| MacAddress::of_multicast(to.into()))?;
            let message = ndp::Message::NeighborSolicitation { target };
            let option = NeighborOption::SourceLinkLayerAddress(card);
            write_ndp(buffer, (card, neighbor), (sender, to), &message, option)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

/// We have the target.
fn write_answer(buffer: &mut [u8], card: MacAddress, answer: &Answer) -> Option<usize> {
    match (answer.target, answer.to) {
        (IpAddr::V4(sender), IpAddr::V4(target)) => {
            let packet = arp::Packet {
                operation: arp::Operation::Reply,
                sender_hardware: card,
                sender,
                target_hardware: answer.card,
                target,
            };
            write_arp(buffer, card, answer.card, &packet)
        }
        (IpAddr::V6(target), IpAddr::V6(to)) => {
            // RFC 4861 §7.2.4: who asks without an address is answered before all.
            let (to, neighbor, solicited) = if to.is_unspecified() {
                (ALL_NODES, MacAddress::of_multicast(ALL_NODES.into())?, false)
            } else {
                (to, answer.card, true)
            };
            let message =
                ndp::Message::NeighborAdvertisement { target, router: false, solicited, overrides: true };
            let option = NeighborOption::TargetLinkLayerAddress(card);
            write_ndp(buffer, (card, neighbor), (target, to), &message, option)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

fn write_arp(
    buffer: &mut [u8],
    card: MacAddress,
    neighbor: MacAddress,
    packet: &arp::Packet,
) -> Option<usize> {
    let at = ethernet::emit(buffer, &Header::new(card, neighbor, EtherType::ARP)).ok()?;
    Some(at + arp::emit(buffer.get_mut(at..)?, packet).ok()?)
}

fn write_ndp(
    buffer: &mut [u8],
    (card, neighbor): (MacAddress, MacAddress),
    (source, destination): (Ipv6Addr, Ipv6Addr),
    message: &ndp::Message,
    option: NeighborOption<'_>,
) -> Option<usize> {
    let at = ethernet::emit(buffer, &Header::new(card, neighbor, EtherType::IPV6)).ok()?;
    let pseudo = PseudoHeader::ipv6(source, destination, Protocol::ICMPV6);
    let (ip, above) = buffer.get_mut(at..)?.split_at_mut_checked(ipv6::Header::OCTETS)?;
    let octets = ndp::emit(above, message, &[option], pseudo).ok()?;
    // RFC 4861 §7.1: 255 proves that no router passed it on.
    let header = ipv6::Header { hop_limit: 255, ..ipv6::Header::new(source, destination, Protocol::ICMPV6) };
    Some(at + ipv6::emit(ip, &header, octets).ok()? + octets)
}
