//! Which port an active open gets.
//!
//! RFC 6056 §3.3.4 (algorithm 4, double hash), with the random increments of §3.3.5 (algorithm 5):
//! where ports begin depends on the two addresses and the remote port, under a key; how far they
//! have gone is counted in one of 1,024 cells, by the same under another key; and each step is long
//! and unknown. So what one destination sees says nothing about the ports that another gets, and
//! little about the next it gets itself.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

use crate::demux::Tuple;
use crate::keys::Key;

const CELLS: usize = 1024;

/// Gives out ports.
#[derive(Clone, Debug)]
pub(crate) struct Ports {
    begin: Key,
    cell: Key,
    step: Key,
    /// How far each cell has gone. Taken when first needed.
    cells: Vec<u32>,
    /// How many were given out in sequence.
    sequence: u32,
}

impl Ports {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self {
            begin: Key::new(secret, 10),
            cell: Key::new(secret, 11),
            step: Key::new(secret, 12),
            cells: Vec::new(),
            sequence: 0,
        }
    }

    /// A free port for connections from `local` to `remote`; none where all are taken.
    pub(crate) fn choose(
        &mut self,
        range: &RangeInclusive<u16>,
        local: IpAddr,
        remote: SocketAddr,
        is_free: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let name = Tuple::new(local, 0, remote.ip(), remote.port());
        let count = count(range)?;
        self.cells.resize(CELLS, 0);
        let cell = (self.cell.hash(&name.octets()) % CELLS as u64) as usize;
        let gone = self.cells[cell];
        let mut place = [0; 12];
        place[..8].copy_from_slice(&(cell as u64).to_be_bytes());
        place[8..].copy_from_slice(&gone.to_be_bytes());
        let step = 1 + (self.step.hash(&place) % u64::from((count / 2).max(1))) as u32;
        let gone = gone.wrapping_add(step);
        self.cells[cell] = gone;
        let begin = (self.begin.hash(&name.octets()) % u64::from(count)) as u32;
        first_free(range, begin.wrapping_add(gone) % count, is_free)
    }

    /// The next free port in sequence, from the first of the range on.
    pub(crate) fn next_in_sequence(
        &mut self,
        range: &RangeInclusive<u16>,
        is_free: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let port = first_free(range, self.sequence % count(range)?, is_free)?;
        self.sequence = u32::from(port - range.start()) + 1;
        Some(port)
    }
}

/// How many ports a range has; none where it is empty.
fn count(range: &RangeInclusive<u16>) -> Option<u32> {
    (!range.is_empty()).then(|| u32::from(range.end() - range.start()) + 1)
}

fn first_free(range: &RangeInclusive<u16>, begin: u32, mut is_free: impl FnMut(u16) -> bool) -> Option<u16> {
    let count = count(range)?;
    let ports = (begin..count).chain(0..begin);
    ports.map(|offset| range.start() + offset as u16).find(|port| *port != 0 && is_free(*port))
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use core::net::Ipv4Addr;

    use super::*;

    const RANGE: RangeInclusive<u16> = 49152..=65535;
    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    fn remote(last: u8) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), 80)
    }

    /// RFC 6056 §3.1: ports must not be guessed from their predecessors. Two ports at random lie
    /// within eight of each other once in 16,384 / 17 times: about 10 in 10,000.
    #[test]
    fn a_port_is_rarely_near_the_one_before_it() {
        let mut ports = Ports::new(&[5; 32]);
        let chosen: Vec<_> =
            (0..10_000).filter_map(|_| ports.choose(&RANGE, LOCAL, remote(1), |_| true)).collect();
        let near = chosen.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 8).count();
        assert!(chosen.len() == 10_000 && near <= 21, "{near}");
        assert!(chosen.iter().all(|port| RANGE.contains(port)));
    }

    #[test]
    fn another_key_or_another_destination_begins_elsewhere() {
        let first = |secret, last| Ports::new(&[secret; 32]).choose(&RANGE, LOCAL, remote(last), |_| true);
        assert_ne!(first(1, 1), first(2, 1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_eq!(first(1, 1), first(1, 1));
    }

    #[test]
    fn every_port_is_found_before_there_is_none() {
        let mut ports = Ports::new(&[5; 32]);
        let mut taken = BTreeSet::new();
        let range = 50_000..=50_099;
        for _ in 0..100 {
            let port = ports.choose(&range, LOCAL, remote(1), |port| !taken.contains(&port)).unwrap();
            assert!(taken.insert(port));
        }
        assert_eq!(ports.choose(&range, LOCAL, remote(1), |port| !taken.contains(&port)), None);
    }

    #[test]
    fn in_sequence_the_first_port_is_the_first_of_the_range() {
        let mut ports = Ports::new(&[5; 32]);
        let mut next = |taken: u16| ports.next_in_sequence(&(49152..=49154), |port| port != taken);
        assert_eq!([next(0), next(49153), next(0)], [Some(49152), Some(49154), Some(49152)]);
        assert_eq!(ports.next_in_sequence(&(49152..=49154), |_| false), None);
    }

    #[test]
    fn port_0_is_never_given_out() {
        let mut ports = Ports::new(&[5; 32]);
        for _ in 0..50 {
            assert_ne!(ports.choose(&(0..=3), LOCAL, remote(1), |_| true), Some(0));
        }
    }
}
