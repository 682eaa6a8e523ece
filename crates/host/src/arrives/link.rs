//! Ethernet frames, ARP and Neighbor Discovery that arrive.
//!
//! RFC 894, RFC 826, RFC 4861 §7.1 and §7.2. Whoever asks us is remembered, because we will answer;
//! whoever answers is believed only if we had asked. Tags of virtual networks are passed over.
//!
//! Left out: routers that advertise themselves, redirects (RFC 4861 §6 and §8).

use core::net::{IpAddr, Ipv6Addr};

use aperto_time::Instant;
use aperto_wire::arp::Operation;
use aperto_wire::ethernet::{self, Content, EtherType};
use aperto_wire::ndp::{Message, Options};
use aperto_wire::{MacAddress, arp};

use super::{Origin, Packet};
use crate::config::Medium;
use crate::host::Host;
use crate::ids::InterfaceId;
use crate::neighbors::{Proof, Unknown};
use crate::note::{DropReason, Note};
use crate::outbox::{Answer, LinkMessage, Released};

impl Host {
    pub(super) fn ethernet_arrives(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        card: MacAddress,
        frame: &[u8],
    ) {
        let frame = match ethernet::parse(frame) {
            Ok(frame) => frame,
            Err(error) => return self.dropped(interface, DropReason::Malformed(error)),
        };
        let to = frame.header.destination;
        let is_from_nobody = !frame.header.source.is_unicast() || frame.header.source == card;
        if is_from_nobody || (to != card && !to.is_multicast()) {
            return self.dropped(interface, DropReason::OtherCard);
        }
        let origin = if to == card { Origin::Frame } else { Origin::GroupFrame };
        match frame.header.content {
            Content::Type(EtherType::IPV4 | EtherType::IPV6) => {
                self.packet_arrives(now, interface, frame.payload, origin);
            }
            Content::Type(EtherType::ARP) => self.arp_arrives(now, interface, frame.payload),
            Content::Type(other) => self.dropped(interface, DropReason::UnknownEtherType(other)),
            Content::Length(length) => {
                self.dropped(interface, DropReason::UnknownEtherType(EtherType(length)));
            }
        }
    }

    /// RFC 826, "Packet Reception".
    fn arp_arrives(&mut self, now: Instant, interface: InterfaceId, octets: &[u8]) {
        let packet = match arp::parse(octets) {
            Ok(packet) => packet,
            Err(error) => return self.dropped(interface, DropReason::Malformed(error)),
        };
        let (sender, target) = (IpAddr::V4(packet.sender), IpAddr::V4(packet.target));
        let is_for_us = self.has_address(interface, target);
        let has_address = !packet.sender.is_unspecified();
        let is_nobody = !packet.sender_hardware.is_unicast() || self.owns(sender);
        if is_nobody || (has_address && !self.is_on_link(interface, sender)) {
            return self.dropped(interface, DropReason::UnusedNeighbor);
        }
        if has_address {
            let proof = match packet.operation {
                Operation::Reply if is_for_us => Proof::Answer,
                _ => Proof::Mention,
            };
            let asks_us = is_for_us && packet.operation == Operation::Request;
            let unknown = if asks_us { Unknown::Enter } else { Unknown::Ignore };
            self.learn(now, interface, sender, packet.sender_hardware, proof, unknown);
        }
        if is_for_us && packet.operation == Operation::Request {
            let card = packet.sender_hardware;
            self.outbox.push_link(LinkMessage::Answer(Answer { interface, target, to: sender, card }));
        }
    }

    /// Neighbor Discovery. RFC 4861 §7.1.1, §7.1.2.
    pub(super) fn neighbor_message_arrives(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        message: Message,
        options: Options<'_>,
    ) {
        let is_ethernet = self
            .interface(packet.interface)
            .is_some_and(|interface| matches!(interface.medium, Medium::Ethernet(_)));
        let done = is_ethernet
            && packet.hop_limit == 255
            && match message {
                Message::NeighborSolicitation { target } => {
                    self.solicitation_arrives(now, packet, target, options)
                }
                Message::NeighborAdvertisement { target, solicited, overrides, .. } => {
                    let proof = if solicited { Proof::Answer } else { Proof::Mention };
                    self.advertisement_arrives(now, packet, target, (proof, overrides), options)
                }
                Message::RouterSolicitation | Message::RouterAdvertisement(_) | Message::Redirect { .. } => {
                    false
                }
            };
        if !done {
            self.dropped(packet.interface, DropReason::UnusedNeighbor);
        }
    }

    fn solicitation_arrives(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        target: Ipv6Addr,
        options: Options<'_>,
    ) -> bool {
        let (interface, target) = (packet.interface, IpAddr::V6(target));
        if !self.has_address(interface, target) {
            return false;
        }
        let to = packet.source;
        let card = options.source_link_layer_address();
        let card = match (to.is_unspecified(), card) {
            // RFC 4861 §7.1.1: who has no address yet must not say a card.
            (true, Some(_)) => return false,
            (true, None) => MacAddress::UNSPECIFIED,
            (false, Some(card)) if card.is_unicast() => {
                self.learn(now, interface, to, card, Proof::Mention, Unknown::Enter);
                card
            }
            // Without a card there is nobody to send the answer to but whom we know already.
            (false, _) => match self.neighbors.card(interface, to) {
                Some(card) => card,
                None => return false,
            },
        };
        self.outbox.push_link(LinkMessage::Answer(Answer { interface, target, to, card }));
        true
    }

    fn advertisement_arrives(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        target: Ipv6Addr,
        (proof, overrides): (Proof, bool),
        options: Options<'_>,
    ) -> bool {
        let target = IpAddr::V6(target);
        let Some(card) = options.target_link_layer_address().filter(|card| card.is_unicast()) else {
            return false;
        };
        // RFC 4861 §7.2.5: without the override flag another card than the known one changes nothing.
        let is_allowed =
            overrides || self.neighbors.card(packet.interface, target).is_none_or(|there| there == card);
        if self.owns(target) || !is_allowed || (proof == Proof::Answer && packet.destination.is_multicast()) {
            return false;
        }
        self.learn(now, packet.interface, target, card, proof, Unknown::Ignore);
        true
    }

    /// Somebody's card became known: what waited for it leaves.
    fn learn(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddr,
        card: MacAddress,
        proof: Proof,
        unknown: Unknown,
    ) {
        let (waiting, freed) = self.neighbors.learn(now, (interface, address), card, proof, unknown);
        if let Some(token) = freed {
            self.wheel.cancel(token);
            self.note(|| Note::NeighborFound { address, card });
        }
        for waiting in waiting {
            let (octets, about) = (waiting.octets, waiting.about);
            self.outbox.released.push_back(Released { interface, card, octets, about });
        }
    }

    fn has_address(&self, interface: InterfaceId, address: IpAddr) -> bool {
        self.interface(interface)
            .is_some_and(|interface| interface.addresses.iter().any(|ours| ours.address() == address))
    }

    fn is_on_link(&self, interface: InterfaceId, address: IpAddr) -> bool {
        self.interface(interface)
            .is_some_and(|interface| interface.addresses.iter().any(|ours| ours.contains(address)))
    }
}
