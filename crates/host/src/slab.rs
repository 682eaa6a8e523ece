//! Places for things that come and go, with ids that never name another's thing.
//!
//! An id is a place and the generation of its tenant. A place is let again, with the next
//! generation; an old id then finds nothing. Things lie in chunks, so that growth moves none of
//! them and the last chunk is all that may be wasted.

use alloc::vec::Vec;

/// How many things lie in one chunk.
const CHUNK: usize = 64;
/// No place: the end of the list of free ones.
const NONE: u32 = u32::MAX;

/// A place and the generation of its tenant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Id {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

#[derive(Clone, Debug)]
struct Place<T> {
    generation: u32,
    tenant: Tenant<T>,
}

#[derive(Clone, Debug)]
enum Tenant<T> {
    Free { next: u32 },
    Here(T),
}

/// Places for things of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Place<T>>>,
    free: u32,
    tenants: usize,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), free: NONE, tenants: 0 }
    }

    /// How many things there are.
    pub(crate) const fn len(&self) -> usize {
        self.tenants
    }

    fn place(&self, index: u32) -> Option<&Place<T>> {
        let index = index as usize;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    fn place_mut(&mut self, index: u32) -> Option<&mut Place<T>> {
        let index = index as usize;
        self.chunks.get_mut(index / CHUNK)?.get_mut(index % CHUNK)
    }

    /// Lets a place.
    pub(crate) fn insert(&mut self, thing: T) -> Id {
        self.tenants += 1;
        let index = self.free;
        if let Some(place) = self.place_mut(index) {
            let Tenant::Free { next } = place.tenant else {
                unreachable!("the list of free places holds free places")
            };
            place.tenant = Tenant::Here(thing);
            let id = Id { index, generation: place.generation };
            self.free = next;
            return id;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let chunk = self.chunks.last_mut().expect("a chunk with room was just pushed");
        chunk.push(Place { generation: 0, tenant: Tenant::Here(thing) });
        let index = u32::try_from(before + chunk.len() - 1).expect("fewer than 2^32 things fit into memory");
        Id { index, generation: 0 }
    }

    /// Takes a thing out; its id is dead from now on.
    pub(crate) fn remove(&mut self, id: Id) -> Option<T> {
        let free = self.free;
        let place = self.place_mut(id.index).filter(|place| place.generation == id.generation)?;
        if matches!(place.tenant, Tenant::Free { .. }) {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        let Tenant::Here(thing) = core::mem::replace(&mut place.tenant, Tenant::Free { next: free }) else {
            return None;
        };
        self.free = id.index;
        self.tenants -= 1;
        Some(thing)
    }

    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        match self.place(id.index) {
            Some(Place { generation, tenant: Tenant::Here(thing) }) if *generation == id.generation => {
                Some(thing)
            }
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        match self.place_mut(id.index) {
            Some(Place { generation, tenant: Tenant::Here(thing) }) if *generation == id.generation => {
                Some(thing)
            }
            _ => None,
        }
    }

    /// The tenant of a place, whoever it is, with its id: for tables that hold only live places.
    pub(crate) fn at(&self, index: u32) -> Option<(Id, &T)> {
        match self.place(index) {
            Some(Place { generation, tenant: Tenant::Here(thing) }) => {
                Some((Id { index, generation: *generation }, thing))
            }
            _ => None,
        }
    }

    /// Everything, in the order of places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        let places = self.chunks.iter().flatten().zip(0_u32..);
        places.filter_map(|(place, index)| match &place.tenant {
            Tenant::Here(thing) => Some((Id { index, generation: place.generation }, thing)),
            Tenant::Free { .. } => None,
        })
    }

    /// Everything, in the order of places.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Id, &mut T)> {
        let places = self.chunks.iter_mut().flatten().zip(0_u32..);
        places.filter_map(|(place, index)| match &mut place.tenant {
            Tenant::Here(thing) => Some((Id { index, generation: place.generation }, thing)),
            Tenant::Free { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_id_finds_nothing_even_when_its_place_is_let_again() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some('a'));
        assert_eq!(slab.remove(first), None);
        let second = slab.insert('b');
        assert_eq!((first.index, slab.len()), (second.index, 1));
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        assert!(slab.get_mut(first).is_none());
    }

    #[test]
    fn things_beyond_a_chunk_keep_their_places() {
        let mut slab = Slab::new();
        let ids: Vec<_> = (0..200).map(|thing| slab.insert(thing)).collect();
        for id in ids.iter().step_by(2) {
            slab.remove(*id);
        }
        let left: Vec<_> = slab.iter().map(|(_, thing)| *thing).collect();
        assert_eq!(left, (0..200).filter(|thing| thing % 2 == 1).collect::<Vec<_>>());
        assert_eq!(slab.at(3).map(|(id, thing)| (id, *thing)), Some((ids[3], 3)));
        assert!(slab.at(4).is_none() && slab.at(100_000).is_none());
    }
}
