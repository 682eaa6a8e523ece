//! Many timers: a hierarchical timing wheel that still knows the exact next deadline.
//!
//! After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 7. Far timers lie
//! in lists, eight levels of 64 slots; a slot of the lowest level is 2^20 ns, about a millisecond,
//! wide, one of the next level 64 times as much. Only what falls into the slot that is next, or
//! before it, is kept in order, in a small heap. So arming, moving and cancelling cost the same at
//! ten timers and at a million, every entry is taken down a level at most eight times, and
//! [`Wheel::first`] is exact to the nanosecond: whoever sleeps until then never wakes for nothing.
//!
//! Where a timer is armed before the slot that is next (after a long silence, say), it goes to the
//! heap as well: then arming costs a logarithm of how many such there are, and stays exact.
//!
//! Nothing is ever armed twice by being moved, so the memory is that of the timers that are armed
//! at once, 32 octets each with a key of eight.
//!
//! Left out: cancelling by key. A timer is known by the [`Token`] that arming gave.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::Instant;

/// How many bits of nanoseconds a slot of the lowest level spans: 2^20 ns are 1.05 ms.
const TICK_BITS: u32 = 20;
/// How many bits each level adds: 64 slots, as many as a word has bits to mark them.
const LEVEL_BITS: u32 = 6;
const SLOTS: usize = 1 << LEVEL_BITS;
/// 20 + 8 * 6 bits are more than the 64 that an instant has.
const LEVELS: usize = 8;
/// No entry: the end of a list.
const NONE: u32 = u32::MAX;

/// An armed timer, as [`Wheel::arm`] gave it. Good until the timer is cancelled or has fired.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token(NonZeroU32);

impl Token {
    /// One more than the place, so that an optional token takes no more room than a token.
    fn of(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

/// Where an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// In no use; `next` is the next free one.
    Free,
    /// In the heap, at the position that `previous` says.
    Heap,
    /// In the list of a slot: 64 times the level and the slot.
    Slot(u16),
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    at: Instant,
    what: T,
    next: u32,
    previous: u32,
    place: Place,
}

/// Timers, each with a key that says what it is for.
#[derive(Clone, Debug)]
pub struct Wheel<T> {
    entries: Vec<Entry<T>>,
    free: u32,
    armed: usize,
    /// The first entry of each slot's list.
    slots: Vec<u32>,
    /// Which slots of each level have entries.
    occupied: [u64; LEVELS],
    /// The tick that the slots are counted from: all that is due in it or before it is in the heap.
    tick: u64,
    /// Entries in order: a heap of four branches, the earliest first.
    heap: Vec<u32>,
}

impl<T: Copy> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy> Wheel<T> {
    /// A wheel without timers, from the driver's zero on.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: NONE,
            armed: 0,
            slots: Vec::new(),
            occupied: [0; LEVELS],
            tick: 0,
            heap: Vec::new(),
        }
    }

    /// How many timers are armed.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.armed
    }

    /// Whether no timer is armed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// Arms a timer.
    pub fn arm(&mut self, at: Instant, what: T) -> Token {
        let entry = Entry { at, what, next: NONE, previous: NONE, place: Place::Free };
        let index = if let Some(freed) = self.entries.get_mut(self.free as usize) {
            let index = self.free;
            self.free = freed.next;
            *freed = entry;
            index
        } else {
            let index = u32::try_from(self.entries.len()).expect("fewer than 2^32 timers fit into memory");
            self.entries.push(entry);
            index
        };
        self.armed += 1;
        self.put(index);
        self.refill();
        Token::of(index)
    }

    /// Moves a timer that is armed to another instant. Does nothing for one that is not.
    pub fn move_to(&mut self, token: Token, at: Instant) {
        if self.is_armed(token) {
            self.take(token.index());
            self.entries[token.index() as usize].at = at;
            self.put(token.index());
            self.refill();
        }
    }

    /// Cancels a timer. Does nothing for one that is not armed.
    pub fn cancel(&mut self, token: Token) {
        if self.is_armed(token) {
            self.take(token.index());
            self.release(token.index());
            self.refill();
        }
    }

    /// When a timer will fire, if it is armed.
    #[must_use]
    pub fn deadline(&self, token: Token) -> Option<Instant> {
        self.entries
            .get(token.index() as usize)
            .filter(|entry| entry.place != Place::Free)
            .map(|entry| entry.at)
    }

    /// The timer that is due first.
    #[must_use]
    pub fn first(&self) -> Option<(Instant, T, Token)> {
        let index = *self.heap.first()?;
        let entry = &self.entries[index as usize];
        Some((entry.at, entry.what, Token::of(index)))
    }

    /// Takes the first timer that is due now or was before; its token is no longer good.
    ///
    /// They come in the order of their instants; those of one instant in an order that is always
    /// the same for the same calls.
    pub fn fire(&mut self, now: Instant) -> Option<(Instant, T)> {
        let (at, what, token) = self.first()?;
        if at > now {
            return None;
        }
        self.take(token.index());
        self.release(token.index());
        self.refill();
        Some((at, what))
    }

    fn is_armed(&self, token: Token) -> bool {
        self.deadline(token).is_some()
    }

    fn release(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        entry.place = Place::Free;
        entry.next = self.free;
        self.free = index;
        self.armed -= 1;
    }

    /// Puts an entry into the heap or into the list of its slot.
    fn put(&mut self, index: u32) {
        let tick = self.entries[index as usize].at.as_nanos() >> TICK_BITS;
        if tick <= self.tick {
            self.put_into_heap(index);
            return;
        }
        // The highest bit in which the two ticks differ says the level.
        let level = (63 - (tick ^ self.tick).leading_zeros()) / LEVEL_BITS;
        let slot = (tick >> (level * LEVEL_BITS)) as usize % SLOTS;
        let place = level as usize * SLOTS + slot;
        if self.slots.is_empty() {
            self.slots.resize(LEVELS * SLOTS, NONE);
        }
        let head = self.slots[place];
        self.slots[place] = index;
        self.occupied[level as usize] |= 1 << slot;
        if let Some(second) = self.entries.get_mut(head as usize) {
            second.previous = index;
        }
        let entry = &mut self.entries[index as usize];
        entry.next = head;
        entry.previous = NONE;
        entry.place = Place::Slot(place as u16);
    }

    /// Takes an entry out of the heap or its list; it stays allocated.
    fn take(&mut self, index: u32) {
        let Entry { next, previous, place, .. } = self.entries[index as usize];
        match place {
            Place::Free => debug_assert!(false, "only armed timers are taken"),
            Place::Heap => self.take_from_heap(previous as usize),
            Place::Slot(place) => {
                if let Some(entry) = self.entries.get_mut(next as usize) {
                    entry.previous = previous;
                }
                if let Some(entry) = self.entries.get_mut(previous as usize) {
                    entry.next = next;
                    return;
                }
                let place = usize::from(place);
                self.slots[place] = next;
                if next == NONE {
                    self.occupied[place / SLOTS] &= !(1 << (place % SLOTS));
                }
            }
        }
    }

    /// Keeps the earliest timer in the heap: where the heap has run empty, goes on to the next slot.
    fn refill(&mut self) {
        while self.heap.is_empty() {
            let Some(level) = self.occupied.iter().position(|slots| *slots != 0) else { return };
            // All slots of a level lie ahead of the tick, and the lower levels before the higher.
            let slot = self.occupied[level].trailing_zeros() as usize;
            let shift = level as u32 * LEVEL_BITS;
            let above = (shift + LEVEL_BITS).min(63);
            self.tick = (self.tick >> above << above) | (slot as u64) << shift;
            self.occupied[level] &= !(1 << slot);
            let mut index = core::mem::replace(&mut self.slots[level * SLOTS + slot], NONE);
            while let Some(entry) = self.entries.get(index as usize) {
                let next = entry.next;
                self.put(index);
                index = next;
            }
        }
    }

    // The heap. `previous` of an entry in it is its position.

    fn put_into_heap(&mut self, index: u32) {
        self.entries[index as usize].place = Place::Heap;
        self.heap.push(index);
        self.rise(self.heap.len() - 1);
    }

    fn take_from_heap(&mut self, position: usize) {
        self.heap.swap_remove(position);
        if position < self.heap.len() {
            self.rise(position);
            self.sink(position);
        }
    }

    fn at(&self, position: usize) -> Instant {
        self.entries[self.heap[position] as usize].at
    }

    fn note_position(&mut self, position: usize) {
        self.entries[self.heap[position] as usize].previous = position as u32;
    }

    fn rise(&mut self, mut position: usize) {
        while position > 0 {
            let parent = (position - 1) / 4;
            if self.at(parent) <= self.at(position) {
                break;
            }
            self.heap.swap(parent, position);
            self.note_position(position);
            position = parent;
        }
        self.note_position(position);
    }

    fn sink(&mut self, mut position: usize) {
        loop {
            let children = (4 * position + 1).min(self.heap.len())..(4 * position + 5).min(self.heap.len());
            let Some(least) = children.min_by_key(|child| self.at(*child)) else { break };
            if self.at(position) <= self.at(least) {
                break;
            }
            self.heap.swap(least, position);
            self.note_position(position);
            position = least;
        }
        self.note_position(position);
    }
}

#[cfg(test)]
mod tests;
