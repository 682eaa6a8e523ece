//! What waits to leave and belongs to no connection: datagrams, resets to strangers, questions to
//! neighbors.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_tcp::Reason;
use aperto_wire::MacAddress;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::Header;

use crate::departure::{About, Endpoints};
use crate::ids::InterfaceId;
use crate::neighbors::Question;

/// Most resets and answers of the link that wait to leave.
const MOST_SMALL: usize = 256;
/// What a datagram that waits costs beside its octets.
const DATAGRAM_COST: usize = 128;

/// A datagram of UDP or ICMP, whole, checksum included, which leaves in one packet or in fragments.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: Protocol,
    pub(crate) octets: Vec<u8>,
    /// How many octets of it have left.
    pub(crate) sent: usize,
    pub(crate) identification: u32,
    pub(crate) about: About,
}

/// A reset in answer to a segment that belongs to nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stray {
    pub(crate) endpoints: Endpoints,
    pub(crate) header: Header,
    pub(crate) reason: Reason,
}

/// ARP or Neighbor Discovery.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LinkMessage {
    Question(Question),
    Answer(Answer),
}

/// We have an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) interface: InterfaceId,
    /// The address.
    pub(crate) target: IpAddr,
    /// Who asked; all, if it is unspecified.
    pub(crate) to: IpAddr,
    pub(crate) card: MacAddress,
}

/// A packet that has waited for its neighbor's card, and the card.
#[derive(Clone, Debug)]
pub(crate) struct Released {
    pub(crate) interface: InterfaceId,
    pub(crate) card: MacAddress,
    pub(crate) octets: Vec<u8>,
    pub(crate) about: About,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) link: VecDeque<LinkMessage>,
    pub(crate) released: VecDeque<Released>,
    pub(crate) strays: VecDeque<Stray>,
    datagrams: VecDeque<Datagram>,
    cost: usize,
}

impl Outbox {
    /// Whether anything but datagrams waits.
    #[inline]
    pub(crate) fn has_small(&self) -> bool {
        !(self.link.is_empty() && self.released.is_empty() && self.strays.is_empty())
    }

    pub(crate) fn push_link(&mut self, message: LinkMessage) {
        if self.link.len() < MOST_SMALL {
            self.link.push_back(message);
        }
    }

    /// Whether there was room.
    pub(crate) fn push_stray(&mut self, stray: Stray) -> bool {
        let fits = self.strays.len() < MOST_SMALL;
        if fits {
            self.strays.push_back(stray);
        }
        fits
    }

    /// Whether there was room.
    pub(crate) fn push_datagram(&mut self, most: usize, datagram: Datagram) -> bool {
        let cost = datagram.octets.len() + DATAGRAM_COST;
        // One always fits, or the largest datagram would never leave.
        let fits = self.cost == 0 || self.cost + cost <= most;
        if fits {
            self.cost += cost;
            self.datagrams.push_back(datagram);
        }
        fits
    }

    pub(crate) fn datagram(&mut self) -> Option<&mut Datagram> {
        self.datagrams.front_mut()
    }

    pub(crate) fn pop_datagram(&mut self) {
        if let Some(datagram) = self.datagrams.pop_front() {
            self.cost -= datagram.octets.len() + DATAGRAM_COST;
        }
    }
}
