//! What has arrived: text in order that waits for the application, and pieces beyond holes.
//!
//! RFC 9293 §3.10.7.4 (seventh) and RFC 2018 §4. Octets lie at their final place from the moment
//! they arrive, so filling a hole copies nothing. Where two segments disagree about an octet, the
//! first that arrived wins: what was acknowledged, or reported by SACK, never changes.
//!
//! Left out: throwing away out-of-order pieces under memory pressure (RFC 2018 §8 allows it).

use alloc::boxed::Box;
use alloc::vec::Vec;

use aperto_wire::SeqNumber;
use aperto_wire::tcp::{SackBlock, SackBlocks};

use crate::chunks::{Chunks, Slices};

/// The receive queue of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceiveQueue {
    chunks: Chunks,
    /// The position of RCV.NXT: everything before it has arrived.
    next: u64,
    /// What has arrived beyond it, while there is a hole.
    beyond: Option<Box<Beyond>>,
}

/// Pieces that have arrived beyond a hole; at least one.
#[derive(Clone, Debug, Default)]
struct Beyond {
    /// Sorted, disjoint, not touching.
    pieces: Vec<Piece>,
    /// A position inside each of the pieces that changed last, the latest first (RFC 2018 §4).
    recent: [u64; SackBlocks::MAX],
}

/// Octets that have arrived beyond a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Piece {
    start: u64,
    end: u64,
}

/// What an arrival did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Inserted {
    /// Octets that were not there before.
    pub(crate) new: usize,
    /// By how many octets the in-order part grew.
    pub(crate) in_order: usize,
    /// Whether something was refused because there are too many pieces.
    pub(crate) refused: bool,
}

impl Beyond {
    /// Puts the piece around `position` first in the list of the latest.
    fn remember(&mut self, position: u64) {
        let same = |one: u64, other: u64| {
            self.piece_around(one).is_some_and(|piece| self.piece_around(other) == Some(piece))
        };
        let place = self.recent.iter().position(|&known| same(known, position));
        let place = place.unwrap_or(self.recent.len() - 1);
        self.recent.copy_within(0..place, 1);
        self.recent[0] = position;
    }

    fn piece_around(&self, position: u64) -> Option<Piece> {
        let index = self.pieces.partition_point(|piece| piece.end <= position);
        self.pieces.get(index).copied().filter(|piece| piece.start <= position)
    }
}

impl ReceiveQueue {
    /// Octets that the application can read.
    pub(crate) fn readable(&self) -> usize {
        usize::try_from(self.next - self.chunks.start()).expect("the window bounds the queue")
    }

    /// Octets that have arrived beyond a hole.
    pub(crate) fn out_of_order(&self) -> usize {
        self.pieces().iter().map(|p| usize::try_from(p.end - p.start).unwrap_or(usize::MAX)).sum()
    }

    /// How far what has arrived reaches beyond the in-order part, holes included.
    pub(crate) fn reach(&self) -> usize {
        self.pieces().last().map_or(0, |last| usize::try_from(last.end - self.next).unwrap_or(usize::MAX))
    }

    /// Whether there is a hole.
    pub(crate) const fn has_hole(&self) -> bool {
        self.beyond.is_some()
    }

    fn pieces(&self) -> &[Piece] {
        self.beyond.as_ref().map_or(&[], |beyond| &beyond.pieces)
    }

    /// Takes `octets` that begin `ahead` octets after the in-order part.
    pub(crate) fn insert(&mut self, ahead: usize, octets: &[u8], max_pieces: usize) -> Inserted {
        if ahead == 0 && !self.has_hole() {
            self.chunks.write(self.next, octets);
            self.next += octets.len() as u64;
            return Inserted { new: octets.len(), in_order: octets.len(), refused: false };
        }
        self.insert_beside_pieces(self.next + ahead as u64, octets, max_pieces)
    }

    fn insert_beside_pieces(&mut self, start: u64, octets: &[u8], max_pieces: usize) -> Inserted {
        let end = start + octets.len() as u64;
        if octets.is_empty() {
            return Inserted::default();
        }
        // The pieces that overlap or touch what arrived.
        let pieces = self.pieces();
        let first = pieces.partition_point(|piece| piece.end < start);
        let last = pieces.partition_point(|piece| piece.start <= end);
        let in_order = start == self.next;
        if first == last && !in_order && pieces.len() >= max_pieces {
            return Inserted { refused: true, ..Inserted::default() };
        }
        let new = self.write_gaps(start, octets, first, last);
        let beyond = self.beyond.get_or_insert_default();
        let merged = beyond.pieces[first..last].iter().fold(Piece { start, end }, |all, piece| Piece {
            start: all.start.min(piece.start),
            end: all.end.max(piece.end),
        });
        if merged.start == self.next {
            beyond.pieces.drain(first..last);
            if beyond.pieces.is_empty() {
                self.beyond = None;
            }
            let grown = merged.end - self.next;
            self.next = merged.end;
            let in_order = usize::try_from(grown).expect("the window bounds the queue");
            return Inserted { new, in_order, refused: false };
        }
        beyond.pieces.splice(first..last, [merged]);
        beyond.remember(start);
        Inserted { new, in_order: 0, refused: false }
    }

    /// Writes those octets that are not there yet; says how many.
    fn write_gaps(&mut self, start: u64, octets: &[u8], first: usize, last: usize) -> usize {
        let end = start + octets.len() as u64;
        let part = |from: u64, to: u64| -> &[u8] {
            let at = |position: u64| usize::try_from(position - start).unwrap_or(usize::MAX);
            octets.get(at(from)..at(to)).unwrap_or(&[])
        };
        let mut from = start;
        let mut new = 0;
        let overlapped = self.beyond.as_ref().map_or(&[][..], |beyond| &beyond.pieces[first..last]);
        for piece in overlapped {
            if piece.start > from {
                let gap = part(from, piece.start.min(end));
                self.chunks.write(from, gap);
                new += gap.len();
            }
            from = from.max(piece.end);
        }
        if from < end {
            let gap = part(from, end);
            self.chunks.write(from, gap);
            new += gap.len();
        }
        new
    }

    /// The pieces as SACK blocks, the latest first, at most `most` of them. RFC 2018 §4.
    pub(crate) fn sack_blocks(
        &self,
        receive_next: SeqNumber,
        most: usize,
    ) -> impl Iterator<Item = SackBlock> {
        let mut seen = 0;
        let number =
            move |position: u64, next: u64| receive_next + u32::try_from(position - next).unwrap_or(u32::MAX);
        let latest = move |beyond: &Beyond, n: usize| {
            let piece = beyond.piece_around(beyond.recent[n])?;
            let listed = beyond.recent[..n].iter().any(|&p| beyond.piece_around(p) == Some(piece));
            (!listed).then_some(piece)
        };
        let beyond = self.beyond.as_deref();
        (0..SackBlocks::MAX)
            .filter_map(move |n| latest(beyond?, n))
            .take_while(move |_| {
                seen += 1;
                seen <= most
            })
            .map(move |piece| SackBlock {
                start: number(piece.start, self.next),
                end: number(piece.end, self.next),
            })
    }

    /// The first octets that the application can read, as far as they lie together.
    pub(crate) fn peek(&self) -> &[u8] {
        self.slices().next().unwrap_or(&[])
    }

    /// All octets that the application can read.
    pub(crate) fn slices(&self) -> Slices<'_> {
        self.chunks.slices(self.chunks.start(), self.readable())
    }

    /// Gives up the first `count` octets that the application could read.
    pub(crate) fn consume(&mut self, count: usize) {
        let position = self.chunks.start() + count.min(self.readable()) as u64;
        if position == self.next && !self.has_hole() {
            self.chunks.clear(position);
        } else {
            self.chunks.discard_before(position);
        }
    }

    /// Whether memory is kept for the next octets.
    pub(crate) fn has_spare(&self) -> bool {
        self.chunks.has_spare()
    }

    /// Gives back the memory that is kept for the next octets.
    pub(crate) fn give_back(&mut self) {
        self.chunks.give_back();
    }

    /// Throws everything away.
    pub(crate) fn clear(&mut self) {
        self.beyond = None;
        self.chunks.clear(self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn drain(queue: &mut ReceiveQueue) -> Vec<u8> {
        let all = queue.slices().flatten().copied().collect::<Vec<_>>();
        queue.consume(all.len());
        all
    }

    /// RFC 2018 §4: the first block is the one that holds what arrived last.
    #[test]
    fn the_latest_piece_is_reported_first() {
        let mut queue = ReceiveQueue::default();
        let nxt = SeqNumber::new(5000);
        queue.insert(500, &[1; 500], 1024);
        queue.insert(1500, &[2; 500], 1024);
        queue.insert(2500, &[3; 500], 1024);
        let starts: Vec<u32> = queue.sack_blocks(nxt, 3).map(|b| b.start.since(nxt)).collect();
        assert_eq!(starts, [2500, 1500, 500]);
        queue.insert(1000, &[4; 100], 1024);
        let blocks: Vec<(u32, u32)> =
            queue.sack_blocks(nxt, 3).map(|b| (b.start.since(nxt), b.end.since(nxt))).collect();
        assert_eq!(blocks, [(500, 1100), (2500, 3000), (1500, 2000)]);
    }

    #[test]
    fn a_piece_too_many_is_refused_and_nothing_else_is_lost() {
        let mut queue = ReceiveQueue::default();
        assert_eq!(queue.insert(2, b"c", 1).new, 1);
        assert!(queue.insert(4, b"e", 1).refused);
        assert_eq!(queue.insert(0, b"ab", 1).in_order, 3);
        assert_eq!(drain(&mut queue), b"abc");
    }

    proptest! {
        /// Any arrivals equal a naive model in which the first to arrive wins.
        #[test]
        fn arrivals_in_any_order_equal_a_naive_model(
            arrivals in prop::collection::vec((0usize..300, prop::collection::vec(any::<u8>(), 1..60)), 1..60),
        ) {
            let mut queue = ReceiveQueue::default();
            let mut model: Vec<Option<u8>> = vec![None; 400];
            let mut in_order = 0;
            for (at, octets) in arrivals {
                let skip = in_order - in_order.min(at);
                if skip < octets.len() {
                    queue.insert(at.max(in_order) - in_order, &octets[skip..], 1024);
                }
                for (i, &octet) in octets.iter().enumerate() {
                    model[at + i].get_or_insert(octet);
                }
                in_order = model.iter().take_while(|o| o.is_some()).count();
                prop_assert_eq!(queue.readable(), in_order);
                prop_assert_eq!(queue.out_of_order(), model[in_order..].iter().flatten().count());
            }
            let expected: Vec<u8> = model[..in_order].iter().copied().flatten().collect();
            prop_assert_eq!(drain(&mut queue), expected);
        }
    }
}
