//! Puts fragments together.
//!
//! RFC 791 §3.2, RFC 815 (here a sorted list of pieces, because there are never many), RFC 8200
//! §4.5, RFC 5722 and RFC 8900: a fragment that overlaps another gives its whole datagram up,
//! with all fragments of it still to come; an exact duplicate is nothing. Memory, time and the number
//! of pieces are bounded by [`FragmentLimits`]: beyond them the oldest datagram gives way, so that
//! one which arrives at a stretch gets through while somebody fills the memory with beginnings.
//!
//! What comes out is a whole packet, header included, ready to be read like any other.
//!
//! Left out: the least fragment size (RFC 1858 is for filters); congestion marks of the pieces
//! (RFC 3168 §5.3), because no transport here reads them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_time::Instant;
use aperto_wire::ip::Protocol;

use crate::config::FragmentLimits;
use crate::ids::InterfaceId;
use crate::note::DropReason;

/// What tells the fragments of one datagram from those of another. RFC 791 §3.2, RFC 8200 §4.5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// Of IPv4; IPv6 does not compare it.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) identification: u32,
}

/// A fragment as it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) key: Key,
    pub(crate) interface: InterfaceId,
    /// Where in the datagram it begins.
    pub(crate) offset: usize,
    pub(crate) more: bool,
    pub(crate) payload: &'a [u8],
    /// What comes before the payload in the whole packet; that of the first fragment counts.
    pub(crate) header: &'a [u8],
    /// What the first fragment says that the payload is.
    pub(crate) protocol: Protocol,
}

/// What became of a fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Others are missing.
    Waiting,
    /// The datagram is whole.
    Whole(Whole),
    /// It was of no use.
    Dropped(DropReason),
}

/// A datagram put together: the first fragment's header and all of the payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Whole {
    pub(crate) header_length: usize,
    pub(crate) octets: Vec<u8>,
    pub(crate) protocol: Protocol,
}

/// A datagram that was given up because its time was over.
#[derive(Clone, Debug)]
pub(crate) struct Expired {
    pub(crate) interface: InterfaceId,
    /// The beginning of its first fragment, if that had come, for the error that its sender gets.
    pub(crate) first: Option<Vec<u8>>,
}

/// What a datagram costs beside its octets, and a piece beside its own: what the allocator and the
/// map take, roughly.
const DATAGRAM_COST: usize = 256;
const PIECE_COST: usize = 64;

#[derive(Clone, Debug)]
struct Partial {
    interface: InterfaceId,
    serial: u64,
    /// None: given up; what still comes of it is dropped until its time is over.
    pieces: Option<Vec<(usize, Vec<u8>)>>,
    header: Vec<u8>,
    protocol: Protocol,
    /// The length of the whole, once the last fragment has come.
    length: Option<usize>,
    held: usize,
    cost: usize,
}

/// Datagrams of which fragments are missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fragments {
    partials: BTreeMap<Key, Partial>,
    /// The oldest first; all live equally long.
    order: VecDeque<(Instant, Key, u64)>,
    serial: u64,
    cost: usize,
}

impl Fragments {
    /// When the oldest datagram's time is over.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.order.front().map(|(at, _, _)| *at)
    }

    /// A fragment arrived.
    pub(crate) fn arrives(&mut self, now: Instant, limits: &FragmentLimits, piece: &Piece<'_>) -> Outcome {
        let end = piece.offset + piece.payload.len();
        if piece.payload.is_empty() || piece.header.len() + end > usize::from(u16::MAX) {
            return Outcome::Dropped(DropReason::FragmentLimit);
        }
        self.begin(now, limits, piece);
        let outcome = self.take(limits, piece);
        if matches!(outcome, Outcome::Whole(_)) {
            self.forget(piece.key);
        }
        self.make_room(limits);
        outcome
    }

    fn begin(&mut self, now: Instant, limits: &FragmentLimits, piece: &Piece<'_>) {
        if self.partials.contains_key(&piece.key) {
            return;
        }
        self.serial += 1;
        let partial = Partial {
            interface: piece.interface,
            serial: self.serial,
            pieces: Some(Vec::new()),
            header: Vec::new(),
            protocol: piece.protocol,
            length: None,
            held: 0,
            cost: DATAGRAM_COST,
        };
        self.cost += partial.cost;
        self.partials.insert(piece.key, partial);
        self.order.push_back((now + limits.lifetime, piece.key, self.serial));
    }

    fn take(&mut self, limits: &FragmentLimits, piece: &Piece<'_>) -> Outcome {
        let Some(partial) = self.partials.get_mut(&piece.key) else { return Outcome::Waiting };
        let before = partial.cost;
        let outcome = partial.take(limits, piece);
        self.cost = self.cost + partial.cost - before;
        outcome
    }

    fn forget(&mut self, key: Key) {
        if let Some(partial) = self.partials.remove(&key) {
            self.cost -= partial.cost;
        }
        // The order keeps at most as many dead entries as living ones, and a few.
        if self.order.len() > 2 * self.partials.len() + 16 {
            let partials = &self.partials;
            self.order
                .retain(|(_, key, serial)| partials.get(key).is_some_and(|there| there.serial == *serial));
        }
    }

    /// The oldest datagrams give way until what is left fits.
    fn make_room(&mut self, limits: &FragmentLimits) {
        while self.cost > limits.octets {
            let Some((_, key, serial)) = self.order.pop_front() else { return };
            if self.partials.get(&key).is_some_and(|there| there.serial == serial) {
                self.forget(key);
            }
        }
    }

    /// The next datagram whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Expired> {
        while self.deadline().is_some_and(|at| at <= now) {
            let (_, key, serial) = self.order.pop_front()?;
            let Some(partial) = self.partials.get(&key).filter(|there| there.serial == serial) else {
                continue;
            };
            let first = partial.pieces.as_ref().and_then(|pieces| pieces.first());
            let first = first.filter(|(offset, _)| *offset == 0).map(|(_, octets)| {
                let mut packet = partial.header.clone();
                packet.extend_from_slice(octets);
                packet
            });
            let expired = Expired { interface: partial.interface, first };
            self.forget(key);
            return Some(expired);
        }
        None
    }
}

impl Partial {
    fn take(&mut self, limits: &FragmentLimits, piece: &Piece<'_>) -> Outcome {
        let Some(pieces) = &mut self.pieces else { return Outcome::Dropped(DropReason::FragmentOfNothing) };
        let (start, end) = (piece.offset, piece.offset + piece.payload.len());
        let at = pieces.partition_point(|(offset, _)| *offset < start);
        if let Some((offset, octets)) = pieces.get(at)
            && *offset == start
            && octets == piece.payload
        {
            return Outcome::Waiting;
        }
        let overlaps = at
            .checked_sub(1)
            .and_then(|before| pieces.get(before))
            .is_some_and(|(offset, octets)| offset + octets.len() > start)
            || pieces.get(at).is_some_and(|(offset, _)| end > *offset);
        // Two ends, or something behind the end, is an overlap with what was said.
        let length = if piece.more { self.length } else { self.length.or(Some(end)) };
        let last = pieces.last().map_or(end, |(offset, octets)| end.max(offset + octets.len()));
        let beyond_end = length.is_some_and(|length| last > length || (!piece.more && length != end));
        if overlaps || beyond_end {
            self.give_up();
            return Outcome::Dropped(DropReason::FragmentOverlap);
        }
        if pieces.len() >= limits.pieces {
            self.give_up();
            return Outcome::Dropped(DropReason::FragmentLimit);
        }
        self.length = length;
        self.held += piece.payload.len();
        self.cost += piece.payload.len() + PIECE_COST;
        pieces.insert(at, (start, piece.payload.to_vec()));
        if start == 0 {
            self.header = piece.header.to_vec();
            self.protocol = piece.protocol;
            self.cost += self.header.len();
        }
        // Nothing overlaps, so as many octets as the length leave no hole.
        if self.length == Some(self.held) { Outcome::Whole(self.join()) } else { Outcome::Waiting }
    }

    fn give_up(&mut self) {
        self.pieces = None;
        self.header = Vec::new();
        self.cost = DATAGRAM_COST;
    }

    fn join(&mut self) -> Whole {
        let mut octets = core::mem::take(&mut self.header);
        let header_length = octets.len();
        octets.reserve_exact(self.held);
        for (_, piece) in self.pieces.iter().flatten() {
            octets.extend_from_slice(piece);
        }
        Whole { header_length, octets, protocol: self.protocol }
    }
}

#[cfg(test)]
mod tests;
