//! What the order of packets alone says of each: sent again, duplicate acknowledgment, new window.
//!
//! Bounded: of each direction the last 4,096 segments with text, SYN or FIN are remembered; a
//! retransmission of something older is not named.

use alloc::collections::VecDeque;

use aperto_tcp::Reason;
use aperto_time::Instant;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Control;

use crate::flow::Direction;
use crate::packet::{Packet, Segment, Transport, WindowMark};
use crate::record::Number;

/// How many carriers of sequence numbers are remembered in each direction.
const CARRIERS: usize = 4096;

/// What is remembered of a flow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    sides: [Side; 2],
}

/// What is remembered of the segments of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    /// Whether its active open has been noted.
    pub(crate) opened: bool,
    /// Octets that its application has written.
    pub(crate) written: u64,
    /// Octets that its application has been given.
    pub(crate) read: u64,
    /// Who carried which numbers for the first time; in order, without overlap.
    carriers: VecDeque<Carrier>,
    /// The number after the highest that was sent.
    next: Option<SeqNumber>,
    last_ack: Option<SeqNumber>,
    last_window: Option<u16>,
    duplicate_acks: u32,
    /// The last SYN, FIN or RST, and when it left.
    control: Option<(Instant, Number)>,
    /// The first carriers of ARQ packets, by their ordinal.
    ordinals: VecDeque<(u64, Number)>,
}

#[derive(Clone, Copy, Debug)]
struct Carrier {
    start: SeqNumber,
    end: SeqNumber,
    number: Number,
}

impl Side {
    /// The SYN, FIN or RST that left at this very instant.
    pub(crate) fn control_at(&self, now: Instant) -> Option<Number> {
        self.control.filter(|(at, _)| *at == now).map(|(_, number)| number)
    }

    /// Who carried this number first.
    fn carrier_of(&self, seq: SeqNumber) -> Option<Number> {
        let holds = |carrier: &&Carrier| carrier.start.at_or_before(seq) && seq.before(carrier.end);
        self.carriers.iter().rev().find(holds).map(|carrier| carrier.number)
    }

    /// Remembers the part of a segment that was never sent before; says who sent the rest.
    fn carry(&mut self, seq: SeqNumber, length: u32, number: Number) -> Option<Number> {
        if length == 0 {
            return None;
        }
        let end = seq + length;
        let sent_before = self.next.filter(|next| seq.before(*next));
        let of = sent_before.and_then(|_| self.carrier_of(seq));
        let start = sent_before.unwrap_or(seq);
        if start.before(end) {
            self.carriers.push_back(Carrier { start, end, number });
            self.next = Some(end);
            if self.carriers.len() > CARRIERS {
                self.carriers.pop_front();
            }
        }
        of
    }
}

impl Marks {
    pub(crate) fn side(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.place()]
    }

    pub(crate) fn side_of(&self, direction: Direction) -> &Side {
        &self.sides[direction.place()]
    }

    /// Marks a packet that leaves, or that comes from a stranger.
    pub(crate) fn mark(&mut self, now: Instant, direction: Direction, packet: &mut Packet) {
        let (number, text) = (packet.number, packet.payload_length);
        match &mut packet.transport {
            Transport::Tcp(segment) => self.mark_segment(now, direction, number, text, segment),
            Transport::Arq(arq) => {
                let Some(ordinal) = arq.ordinal else { return };
                let side = self.side(direction);
                let first = side.ordinals.iter().rev().find(|(known, _)| *known == ordinal);
                arq.of = first.map(|(_, first)| *first);
                if arq.of.is_none() {
                    side.ordinals.push_back((ordinal, number));
                    if side.ordinals.len() > CARRIERS {
                        side.ordinals.pop_front();
                    }
                }
            }
            _ => {}
        }
    }

    fn mark_segment(
        &mut self,
        now: Instant,
        direction: Direction,
        number: Number,
        text: u32,
        segment: &mut Segment,
    ) {
        let header = segment.header;
        let control = header.control;
        segment.duplicate_ack = self.duplicate_ack(direction, text, segment);
        let side = self.side(direction);
        let is_probe = matches!(segment.reason, Some(Reason::KeepAlive { .. } | Reason::WindowProbe { .. }));
        let of = side.carry(header.seq, text.saturating_add(control.sequence_length()), number);
        // A probe asks for an answer; that its octet was sent before is not what it is about.
        segment.of = if is_probe { None } else { of };
        segment.window = match side.last_window.replace(header.window) {
            Some(window) if window == header.window => WindowMark::Same,
            _ => WindowMark::Changed,
        };
        if control.has(Control::SYN) || control.has(Control::FIN) || control.has(Control::RST) {
            side.control = Some((now, number));
        }
    }

    /// RFC 5681 §2: outstanding data, no text, neither SYN nor FIN, the acknowledgment number of
    /// before, and the window of before.
    fn duplicate_ack(&mut self, direction: Direction, text: u32, segment: &Segment) -> Option<u32> {
        let header = &segment.header;
        let control = header.control;
        if !control.ack() || control.rst() {
            return None;
        }
        let other_next = self.side_of(direction.reversed()).next;
        let outstanding = other_next.is_some_and(|next| header.ack.before(next));
        let keeps_alive = matches!(segment.reason, Some(Reason::KeepAlive { .. }));
        let side = self.side(direction);
        let same_ack = side.last_ack.replace(header.ack) == Some(header.ack);
        let same_window = side.last_window == Some(header.window);
        if !same_ack {
            side.duplicate_acks = 0;
            return None;
        }
        if text > 0 || control.syn() || control.fin() || !outstanding || !same_window || keeps_alive {
            return None;
        }
        side.duplicate_acks += 1;
        Some(side.duplicate_acks)
    }
}
