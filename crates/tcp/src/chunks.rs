//! Octets of a stream in chunks that are taken when needed and given back when empty.
//!
//! Both buffers of a connection are one of these. A position is an octet's place in the stream,
//! counted in 64 bits so that it never wraps. Chunks double in size while the queue grows, so that a
//! short message costs little (one allocation) and a long transfer few. The largest chunks, which
//! only long transfers use, are kept for the next octets until `give_back` is called; apart from
//! these an empty queue owns no memory at all.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The first chunk of an empty queue, in octets: a cache line.
const SMALLEST: usize = 64;
/// No chunk is larger.
const LARGEST: usize = 1 << 16;
/// Most chunks that are kept for the next octets.
const MOST_SPARE: usize = 16;

/// A queue of octets with positions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    /// The first chunk, which is all that a short message needs.
    first: Option<Chunk>,
    /// What only a longer queue has.
    long: Option<Box<Long>>,
    /// The position of the first octet that is kept.
    start: u64,
}

/// What a queue has that does not fit into one small chunk.
#[derive(Clone, Debug, Default)]
struct Long {
    /// The chunks after the first.
    rest: VecDeque<Chunk>,
    /// Chunks of the largest size that wait for octets; not cloned.
    spare: Spare,
}

/// Memory that waits for octets. A copy of a queue has none.
#[derive(Debug, Default)]
struct Spare(Vec<Vec<u8>>);

impl Clone for Spare {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Octets from `start` on, as many as fit into the capacity.
#[derive(Debug)]
struct Chunk {
    start: u64,
    octets: Vec<u8>,
}

impl Clone for Chunk {
    /// Keeps the room: a plain copy of the vector would have no spare capacity.
    fn clone(&self) -> Self {
        let mut octets = Vec::with_capacity(self.room());
        octets.extend_from_slice(&self.octets);
        Self { start: self.start, octets }
    }
}

impl Chunk {
    /// How many octets fit.
    const fn room(&self) -> usize {
        self.octets.capacity()
    }

    /// The position after the last that fits here.
    fn limit(&self) -> u64 {
        self.start + self.room() as u64
    }

    /// Writes what fits at `position`, which lies in this chunk; says how many octets.
    fn write(&mut self, position: u64, octets: &[u8]) -> usize {
        let at = offset(self.start, position);
        let count = octets.len().min(self.room() - at);
        let octets = &octets[..count];
        let held = self.octets.len();
        if at == held {
            self.octets.extend_from_slice(octets);
        } else if at > held {
            self.octets.resize(at, 0);
            self.octets.extend_from_slice(octets);
        } else {
            let over = count.min(held - at);
            self.octets[at..at + over].copy_from_slice(&octets[..over]);
            self.octets.extend_from_slice(&octets[over..]);
        }
        count
    }
}

/// The distance between two positions of which the second is not before the first.
fn offset(from: u64, to: u64) -> usize {
    usize::try_from(to - from).expect("a queue is no longer than the memory")
}

impl Chunks {
    /// The position of the first octet that is kept.
    pub(crate) const fn start(&self) -> u64 {
        self.start
    }

    /// Writes `octets` at `position`, which must not be before the start of the queue.
    ///
    /// What lies between the end of what was written and `position` is undefined until written.
    pub(crate) fn write(&mut self, mut position: u64, mut octets: &[u8]) {
        debug_assert!(position >= self.start);
        while !octets.is_empty() {
            let taken = self.chunk_for(position, octets.len()).write(position, octets);
            octets = &octets[taken..];
            position += taken as u64;
        }
    }

    /// The chunk that holds `position`; chunks are added until one does.
    fn chunk_for(&mut self, position: u64, wanted: usize) -> &mut Chunk {
        loop {
            let (limit, previous) = self.last().map_or((self.start, 0), |last| (last.limit(), last.room()));
            if position < limit {
                break;
            }
            let spare = self.long.as_mut().and_then(|long| long.spare.0.pop());
            let chunk = match spare {
                Some(octets) => Chunk { start: limit, octets },
                None => {
                    let room = wanted.next_power_of_two().max(2 * previous).clamp(SMALLEST, LARGEST);
                    Chunk { start: limit, octets: Vec::with_capacity(room) }
                }
            };
            if self.first.is_none() {
                self.first = Some(chunk);
            } else {
                self.long.get_or_insert_default().rest.push_back(chunk);
            }
        }
        let in_first = self.first.as_ref().is_some_and(|first| position < first.limit());
        let rest = self.long.as_mut().filter(|_| !in_first).map(|long| &mut long.rest);
        match rest {
            Some(rest) => {
                let last = rest.len() - 1;
                let index = if rest[last].start <= position { last } else { place_in(rest, position) };
                &mut rest[index]
            }
            None => self.first.as_mut().expect("a chunk was just added"),
        }
    }

    fn last(&self) -> Option<&Chunk> {
        self.long.as_ref().and_then(|long| long.rest.back()).or(self.first.as_ref())
    }

    /// Gives back everything before `position`.
    pub(crate) fn discard_before(&mut self, position: u64) {
        debug_assert!(position >= self.start);
        self.start = position;
        while self.first.as_ref().is_some_and(|first| first.limit() <= position) {
            self.drop_first();
        }
        self.shrink();
    }

    /// Gives up everything: the queue goes on at `position`.
    pub(crate) fn clear(&mut self, position: u64) {
        self.start = position;
        while self.first.is_some() {
            self.drop_first();
        }
        self.shrink();
    }

    /// Takes the first chunk out of use.
    fn drop_first(&mut self) {
        let Some(mut chunk) = self.first.take() else { return };
        if chunk.room() == LARGEST {
            let long = self.long.get_or_insert_default();
            if long.spare.0.len() < MOST_SPARE {
                chunk.octets.clear();
                long.spare.0.push(chunk.octets);
            }
        }
        self.first = self.long.as_mut().and_then(|long| long.rest.pop_front());
    }

    /// An empty queue of short messages owns nothing.
    fn shrink(&mut self) {
        if self.first.is_none() && self.long.as_ref().is_some_and(|long| long.spare.0.is_empty()) {
            self.long = None;
        }
    }

    /// Whether memory is kept for the next octets.
    pub(crate) fn has_spare(&self) -> bool {
        self.long.as_ref().is_some_and(|long| !long.spare.0.is_empty())
    }

    /// Gives back the memory that is kept for the next octets.
    pub(crate) fn give_back(&mut self) {
        if let Some(long) = &mut self.long {
            long.spare = Spare::default();
            self.shrink();
        }
    }

    /// The octets from `position` on, at most `length` of them, as the slices in which they lie.
    pub(crate) fn slices(&self, position: u64, length: usize) -> Slices<'_> {
        let index = match (&self.first, &self.long) {
            (Some(first), Some(long)) if first.limit() <= position => 1 + place_in(&long.rest, position),
            _ => 0,
        };
        Slices { chunks: self, index, position, left: length }
    }

    /// Octets of memory that the chunks take.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let long = self.long.as_ref().map_or(0, |long| {
            long.rest.iter().map(Chunk::room).sum::<usize>()
                + long.rest.capacity() * size_of::<Chunk>()
                + long.spare.0.iter().map(Vec::capacity).sum::<usize>()
                + size_of::<Long>()
        });
        self.first.as_ref().map_or(0, Chunk::room) + long
    }

    /// The chunk at an index, the first having 0.
    #[inline]
    fn at(&self, index: usize) -> Option<&Chunk> {
        match index.checked_sub(1) {
            None => self.first.as_ref(),
            Some(index) => self.long.as_ref()?.rest.get(index),
        }
    }
}

/// Where among these chunks the one is that holds `position`.
fn place_in(chunks: &VecDeque<Chunk>, position: u64) -> usize {
    chunks.partition_point(|chunk| chunk.limit() <= position)
}

/// Slices of a queue, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Slices<'a> {
    chunks: &'a Chunks,
    index: usize,
    position: u64,
    left: usize,
}

impl<'a> Iterator for Slices<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let chunk = self.chunks.at(self.index)?;
        let rest = chunk.octets.get(offset(chunk.start, self.position)..)?;
        let slice = &rest[..rest.len().min(self.left)];
        if slice.is_empty() {
            return None;
        }
        self.index += 1;
        self.position += slice.len() as u64;
        self.left -= slice.len();
        Some(slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn read(chunks: &Chunks, position: u64, length: usize) -> Vec<u8> {
        chunks.slices(position, length).flatten().copied().collect()
    }

    #[test]
    fn an_empty_queue_owns_no_memory() {
        let mut chunks = Chunks::default();
        assert_eq!(chunks.memory(), 0);
        chunks.write(0, b"message");
        assert!(chunks.memory() > 0);
        chunks.discard_before(SMALLEST as u64);
        assert_eq!(chunks.memory(), 0);
    }

    #[test]
    fn a_long_transfer_keeps_memory_until_it_is_asked_to_give_it_back() {
        let mut chunks = Chunks::default();
        chunks.write(0, &vec![0; 3 * LARGEST]);
        chunks.clear(3 * LARGEST as u64);
        assert!(chunks.has_spare());
        chunks.give_back();
        assert!(!chunks.has_spare());
        assert_eq!(chunks.memory(), 0);
    }

    proptest! {
        /// Whatever is written, in whatever order, reads back as from one flat array.
        #[test]
        fn writes_in_any_order_read_back_as_from_a_flat_array(
            writes in prop::collection::vec((0usize..100_000, 1usize..5_000), 1..40),
            discard in 0usize..50_000,
        ) {
            let mut flat = vec![0u8; 110_000];
            let mut known = vec![false; 110_000];
            let mut chunks = Chunks::default();
            for (n, (at, length)) in writes.into_iter().enumerate() {
                let octets: Vec<u8> = (0..length).map(|i| (i * 7 + n) as u8).collect();
                flat[at..at + length].copy_from_slice(&octets);
                known[at..at + length].fill(true);
                chunks.write(at as u64, &octets);
            }
            chunks.discard_before(discard as u64);
            let mut at = discard;
            while at < known.len() {
                if known[at] {
                    let run = known[at..].iter().take_while(|&&k| k).count();
                    prop_assert_eq!(&read(&chunks, at as u64, run)[..], &flat[at..at + run]);
                    at += run;
                } else {
                    at += 1;
                }
            }
        }
    }
}
