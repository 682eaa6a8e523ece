//! Numbers that tell the fragments of one packet from those of another.
//!
//! RFC 7739 §5.2 with RFC 6864: each pair of addresses begins somewhere under a key and counts on,
//! in one of many cells, by steps that are not to be foreseen, so that nobody can count what another
//! was sent. A packet that nobody may fragment needs none (RFC 6864 §4.1).

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::demux::Tuple;
use crate::keys::Key;

/// Gives out identifications.
#[derive(Clone, Debug)]
pub(crate) struct Identifications {
    begin: Key,
    step: Key,
    cells: Vec<u32>,
}

impl Identifications {
    const CELLS: usize = 256;

    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self { begin: Key::new(secret, 30), step: Key::new(secret, 31), cells: Vec::new() }
    }

    pub(crate) fn next(&mut self, source: IpAddr, destination: IpAddr) -> u32 {
        let name = Tuple::new(source, 0, destination, 0);
        let hash = self.begin.hash(&name.octets());
        self.cells.resize(Self::CELLS, 0);
        let cell = &mut self.cells[(hash >> 32) as usize % Self::CELLS];
        let place = hash >> 32 << 32 | u64::from(*cell);
        *cell = cell.wrapping_add(1 + (self.step.hash(&place.to_be_bytes()) % 8) as u32);
        (hash as u32).wrapping_add(*cell)
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_next_packets_between_two_hosts_get_other_numbers() {
        let mut identifications = Identifications::new(&[1; 32]);
        let (source, destination) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let numbers: BTreeSet<u16> =
            (0..8000).map(|_| identifications.next(source, destination) as u16).collect();
        // Steps of 1 to 8 come round to 65,536 after 14,500 packets on average.
        assert_eq!(numbers.len(), 8000);
        let other = Identifications::new(&[2; 32]).next(source, destination);
        assert_ne!(Identifications::new(&[1; 32]).next(source, destination), other);
    }
}
