//! What one side said, put together from its segments, and which of them said it.

use alloc::vec::Vec;

use aperto_time::Instant;

use crate::packet::Packet;
use crate::record::Number;

/// A segment with text.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) number: Number,
    pub(super) at: Instant,
    /// The place of its first octet; none where each datagram stands for itself.
    pub(super) offset: Option<u32>,
    pub(super) packet: &'a Packet,
}

/// What was said, without holes; a hole begins another of these.
#[derive(Default)]
struct Piece {
    octets: Vec<u8>,
    /// From which octet on it is which segment's.
    from: Vec<(usize, Number, Instant)>,
    /// The number after its last octet.
    next: Option<u32>,
}

/// All that one side said.
pub(super) struct Stream(Vec<Piece>);

/// Where a text was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// The segment with which it is complete, and when that was.
    pub(super) number: Number,
    pub(super) at: Instant,
}

impl Stream {
    /// Puts it together. Of what was sent twice the first is taken.
    pub(super) fn of(mut said: Vec<Said<'_>>) -> Self {
        // Numbers are relative to the first; a stream of more than 2 GiB is told in two pieces.
        said.sort_by_key(|one| (one.offset, one.number));
        let mut pieces: Vec<Piece> = Vec::new();
        for one in said {
            let payload = one.packet.payload();
            if payload.is_empty() {
                continue;
            }
            let last = pieces.last_mut().filter(|piece| match (piece.next, one.offset) {
                (Some(next), Some(offset)) => offset <= next,
                _ => false,
            });
            let known = last.as_ref().and_then(|piece| Some(piece.next?.saturating_sub(one.offset?)));
            let fresh = payload.get(known.unwrap_or(0) as usize..).unwrap_or(&[]);
            if fresh.is_empty() {
                continue;
            }
            let next = one
                .offset
                .map(|offset| offset.saturating_add(u32::try_from(payload.len()).unwrap_or(u32::MAX)));
            match last {
                Some(piece) => piece.add(fresh, &one, next),
                None => {
                    let mut piece = Piece::default();
                    piece.add(fresh, &one, next);
                    pieces.push(piece);
                }
            }
        }
        Self(pieces)
    }

    /// How many octets there are.
    pub(super) fn octets(&self) -> u64 {
        self.0.iter().map(|piece| piece.octets.len() as u64).sum()
    }

    /// The first place of a text that is complete no earlier than this.
    pub(super) fn find(&self, text: &[u8], since: Option<Instant>) -> Option<Found> {
        self.0.iter().find_map(|piece| piece.find(text, since))
    }
}

impl Piece {
    fn add(&mut self, fresh: &[u8], one: &Said<'_>, next: Option<u32>) {
        self.from.push((self.octets.len(), one.number, one.at));
        self.octets.extend_from_slice(fresh);
        self.next = next;
    }

    fn find(&self, text: &[u8], since: Option<Instant>) -> Option<Found> {
        let first = *text.first()?;
        for (place, octet) in self.octets.iter().enumerate() {
            if *octet != first || !self.octets.get(place..).is_some_and(|rest| rest.starts_with(text)) {
                continue;
            }
            let last = place + text.len() - 1;
            let behind = self.from.partition_point(|(from, ..)| *from <= last);
            let (_, number, at) = *self.from.get(behind.checked_sub(1)?)?;
            if since.is_none_or(|since| at >= since) {
                return Some(Found { number, at });
            }
        }
        None
    }
}
