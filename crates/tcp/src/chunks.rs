//! Octets of a stream in chunks that are taken when needed and given back when empty.
//!
//! Both buffers of a connection are one of these. A position is an octet's place in the stream,
//! counted in 64 bits so that it never wraps. Chunks double in size while the queue grows, so that a
//! short message costs little and a long transfer few allocations. The largest chunks, which only
//! long transfers use, are kept for the next octets until `give_back` is called; apart from these
//! an empty queue owns no memory at all.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The first chunk of an empty queue, in octets.
const SMALLEST: usize = 512;
/// No chunk is larger.
const LARGEST: usize = 1 << 16;
/// Most chunks that are kept for the next octets.
const MOST_SPARE: usize = 16;

/// A queue of octets with positions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    chunks: VecDeque<Chunk>,
    /// The position of the first octet that is kept.
    start: u64,
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

/// Octets from `start` on; `octets.capacity()` of them fit at most.
#[derive(Debug)]
struct Chunk {
    start: u64,
    room: usize,
    octets: Vec<u8>,
}

impl Clone for Chunk {
    /// Keeps the room: a plain copy of the vector would have no spare capacity.
    fn clone(&self) -> Self {
        let mut octets = Vec::with_capacity(self.room);
        octets.extend_from_slice(&self.octets);
        Self { start: self.start, room: self.room, octets }
    }
}

impl Chunk {
    /// The position after the last that fits here.
    fn limit(&self) -> u64 {
        self.start + self.room as u64
    }

    /// Writes what fits at `position`, which lies in this chunk; says how many octets.
    fn write(&mut self, position: u64, octets: &[u8]) -> usize {
        let at = offset(self.start, position);
        let count = octets.len().min(self.room - at);
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
            let index = self.chunk_for(position, octets.len());
            let taken = self.chunks[index].write(position, octets);
            octets = &octets[taken..];
            position += taken as u64;
        }
    }

    /// The index of the chunk that holds `position`; chunks are added until one does.
    fn chunk_for(&mut self, position: u64, wanted: usize) -> usize {
        loop {
            let (limit, previous) =
                self.chunks.back().map_or((self.start, 0), |last| (last.limit(), last.room));
            if position < limit {
                break;
            }
            let chunk = match self.spare.0.pop() {
                Some(octets) => Chunk { start: limit, room: LARGEST, octets },
                None => {
                    let room = wanted.next_power_of_two().max(2 * previous).clamp(SMALLEST, LARGEST);
                    Chunk { start: limit, room, octets: Vec::with_capacity(room) }
                }
            };
            self.chunks.push_back(chunk);
        }
        let last = self.chunks.len() - 1;
        if self.chunks[last].start <= position {
            return last;
        }
        self.chunks.partition_point(|chunk| chunk.limit() <= position)
    }

    /// Gives back everything before `position`.
    pub(crate) fn discard_before(&mut self, position: u64) {
        debug_assert!(position >= self.start);
        self.start = position;
        while self.chunks.front().is_some_and(|first| first.limit() <= position) {
            self.drop_first();
        }
        self.shrink();
    }

    /// Gives up everything: the queue goes on at `position`.
    pub(crate) fn clear(&mut self, position: u64) {
        self.start = position;
        while !self.chunks.is_empty() {
            self.drop_first();
        }
        self.shrink();
    }

    /// Takes the first chunk out of use.
    fn drop_first(&mut self) {
        let Some(mut chunk) = self.chunks.pop_front() else { return };
        if chunk.room == LARGEST && self.spare.0.len() < MOST_SPARE {
            chunk.octets.clear();
            self.spare.0.push(chunk.octets);
        }
    }

    /// An empty queue of short messages owns nothing.
    fn shrink(&mut self) {
        if self.chunks.is_empty() && self.spare.0.is_empty() {
            self.chunks = VecDeque::new();
        }
    }

    /// Whether memory is kept for the next octets.
    pub(crate) fn has_spare(&self) -> bool {
        !self.spare.0.is_empty()
    }

    /// Gives back the memory that is kept for the next octets.
    pub(crate) fn give_back(&mut self) {
        self.spare = Spare::default();
        self.shrink();
    }

    /// The octets from `position` on, at most `length` of them, as the slices in which they lie.
    pub(crate) fn slices(&self, position: u64, length: usize) -> Slices<'_> {
        let index = match self.chunks.front() {
            Some(first) if position < first.limit() => 0,
            _ => self.chunks.partition_point(|chunk| chunk.limit() <= position),
        };
        Slices { chunks: self, index, position, left: length }
    }

    /// Octets of memory that the chunks take.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.room).sum::<usize>()
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.spare.0.iter().map(Vec::capacity).sum::<usize>()
    }
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

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let chunk = self.chunks.chunks.get(self.index)?;
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
