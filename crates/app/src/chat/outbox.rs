//! Octets that wait to be written, oldest first.

use alloc::vec::Vec;

/// A queue of octets that hands out one slice.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    written: usize,
}

impl Outbox {
    /// Nothing waits.
    pub(super) const fn new() -> Self {
        Self { octets: Vec::new(), written: 0 }
    }

    /// What waits.
    pub(super) fn waiting(&self) -> &[u8] {
        self.octets.get(self.written..).unwrap_or_default()
    }

    /// How much waits.
    pub(super) const fn len(&self) -> usize {
        self.octets.len() - self.written
    }

    /// Whether nothing waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where to put more.
    pub(super) const fn end(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// So much was written.
    pub(super) fn wrote(&mut self, octets: usize) {
        self.written = self.written.saturating_add(octets).min(self.octets.len());
        if self.written == self.octets.len() {
            self.octets.clear();
            self.written = 0;
        } else if self.written > 1 << 15 {
            self.octets.drain(..self.written);
            self.written = 0;
        }
    }

    /// Nothing waits any more; the memory is given back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
