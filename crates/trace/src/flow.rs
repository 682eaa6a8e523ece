//! A conversation between two endpoints, and the numbers that are relative to its beginning.
//!
//! RFC 9293 §3.4 for the initial sequence numbers, RFC 7323 §2 for the scale of windows. Where a
//! trace begins in the middle of a connection, the first number seen of a side counts as its 1.

use aperto_wire::SeqNumber;
use aperto_wire::tcp::Header;

use crate::packet::{Endpoints, Protocol};
use crate::record::{FlowBegan, FlowId, HostId};

/// Which way along a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// From the client, who opened it, to the server.
    Up,
    /// From the server to the client.
    Down,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    pub(crate) const fn place(self) -> usize {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

/// What is known of one side's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Side {
    /// Its initial sequence number.
    initial: Option<SeqNumber>,
    /// Whether a SYN said so; otherwise it is the number before the first one seen.
    syn_seen: bool,
    /// The window scale of its SYN.
    scale: Option<u8>,
}

/// A conversation between two endpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Its name.
    pub id: FlowId,
    /// What it speaks.
    pub protocol: Protocol,
    /// From the client, who opened it, to the server.
    pub endpoints: Endpoints,
    /// The client, where it is one of the trace's hosts.
    pub client: Option<HostId>,
    /// The server, where it is one of the trace's hosts.
    pub server: Option<HostId>,
    sides: [Side; 2],
}

impl Flow {
    /// The largest scale. RFC 7323 §2.3.
    const MAX_SCALE: u8 = 14;

    /// A flow of which no packet has been seen.
    #[must_use]
    pub fn new(id: FlowId, began: FlowBegan) -> Self {
        Self {
            id,
            protocol: began.protocol,
            endpoints: began.endpoints,
            client: began.client,
            server: began.server,
            sides: [Side::default(); 2],
        }
    }

    /// Which way a packet goes; none if it is not of this flow.
    #[must_use]
    pub fn direction(&self, endpoints: Endpoints) -> Option<Direction> {
        if endpoints == self.endpoints {
            Some(Direction::Up)
        } else if endpoints == self.endpoints.reversed() {
            Some(Direction::Down)
        } else {
            None
        }
    }

    /// The host that sends in this direction, where it is one of the trace's.
    #[must_use]
    pub const fn sender(&self, direction: Direction) -> Option<HostId> {
        match direction {
            Direction::Up => self.client,
            Direction::Down => self.server,
        }
    }

    /// The initial sequence number of the side that sends in this direction. RFC 9293 §3.4.1.
    #[must_use]
    pub fn initial(&self, direction: Direction) -> Option<SeqNumber> {
        self.sides[direction.place()].initial
    }

    /// Whether the side that sends in this direction was seen to send a SYN.
    #[must_use]
    pub fn syn_seen(&self, direction: Direction) -> bool {
        self.sides[direction.place()].syn_seen
    }

    /// A sequence number of the side that sends in this direction, counted from its SYN.
    #[must_use]
    pub fn relative_seq(&self, direction: Direction, seq: SeqNumber) -> Option<u32> {
        self.initial(direction).map(|initial| seq.since(initial))
    }

    /// The acknowledgment number of a segment that goes in this direction, counted from the SYN of
    /// the other side.
    #[must_use]
    pub fn relative_ack(&self, direction: Direction, ack: SeqNumber) -> Option<u32> {
        self.relative_seq(direction.reversed(), ack)
    }

    /// The window of a segment that goes in this direction, in octets.
    ///
    /// RFC 7323 §2.2: the window of a SYN is never scaled, and the others only if both SYNs had the
    /// option.
    #[must_use]
    pub fn window_octets(&self, direction: Direction, header: &Header) -> u32 {
        let window = u32::from(header.window);
        if header.control.syn() || self.sides.iter().any(|side| side.scale.is_none()) {
            return window;
        }
        let scale = self.sides[direction.place()].scale.unwrap_or(0);
        window << scale.min(Self::MAX_SCALE)
    }

    /// Learns from a segment, for whoever sees the records as they are made.
    pub fn observe(&mut self, direction: Direction, header: &Header) {
        let one_before = |number: SeqNumber| SeqNumber::new(number.value().wrapping_sub(1));
        let side = &mut self.sides[direction.place()];
        if header.control.syn() {
            side.initial = Some(header.seq);
            side.syn_seen = true;
            side.scale = header.options.window_scale;
        } else if side.initial.is_none() && !header.control.rst() {
            side.initial = Some(one_before(header.seq));
        }
        let other = &mut self.sides[direction.reversed().place()];
        if other.initial.is_none() && header.control.ack() {
            other.initial = Some(one_before(header.ack));
        }
    }
}
