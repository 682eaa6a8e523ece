//! The file that is being received: what of it is there, and what to ask for next.

use alloc::collections::VecDeque;

use crate::transfer::{CHUNK, HASHES, WINDOW};

/// The file that is being received.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) file: u32,
    chunks: u64,
    /// The chunks before this one may be there from last time.
    held: u64,
    /// The next chunk that is neither compared nor asked for.
    next: u64,
    /// Chunks that were compared and are not sound.
    unsound: VecDeque<u64>,
    /// Hashes are asked for, or compared.
    comparing: bool,
    /// How many chunks are asked for, or wait to be written.
    open: usize,
    finishing: bool,
    /// It was verified as a whole before, and was wrong.
    pub(super) second_try: bool,
}

/// What to do next for a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Ask for a chunk.
    Chunk(u64),
    /// Ask for the hashes of chunks.
    Hashes { first: u64, count: u16 },
    /// Verify the whole.
    Finish,
    /// Wait.
    Nothing,
}

impl Current {
    /// A file of so many chunks, of which so many octets may be there.
    pub(super) fn new(file: u32, chunks: u64, held: u64) -> Self {
        Self {
            file,
            chunks,
            held: held.div_ceil(CHUNK as u64).min(chunks),
            next: 0,
            unsound: VecDeque::new(),
            comparing: false,
            open: 0,
            finishing: false,
            second_try: false,
        }
    }

    /// What to do next; it is taken as done.
    pub(super) fn next(&mut self) -> Next {
        if self.open >= WINDOW || self.finishing {
            return Next::Nothing;
        }
        if let Some(chunk) = self.unsound.pop_front() {
            self.open += 1;
            return Next::Chunk(chunk);
        }
        if self.comparing {
            return Next::Nothing;
        }
        if self.next < self.held {
            let (first, left) = (self.next, (self.held - self.next).min(HASHES as u64));
            let count = u16::try_from(left).unwrap_or(u16::MAX);
            self.comparing = true;
            self.next += u64::from(count);
            return Next::Hashes { first, count };
        }
        if self.next < self.chunks {
            self.next += 1;
            self.open += 1;
            return Next::Chunk(self.next - 1);
        }
        if self.open > 0 {
            return Next::Nothing;
        }
        self.finishing = true;
        Next::Finish
    }

    /// A chunk was written.
    pub(super) const fn written(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// These chunks were compared, and are not sound.
    pub(super) fn compared(&mut self, unsound: impl Iterator<Item = u64>) {
        self.comparing = false;
        self.unsound.extend(unsound);
    }

    /// Whether all that was there has been compared.
    pub(super) const fn is_compared(&self) -> bool {
        self.next >= self.held
    }

    /// The whole is wrong though each chunk was sound on its way: all are compared as they lie on the
    /// disk.
    pub(super) const fn compare_all(&mut self) {
        self.second_try = true;
        self.finishing = false;
        self.held = self.chunks;
        self.next = 0;
    }
}
