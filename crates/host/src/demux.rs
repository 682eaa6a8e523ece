//! Who gets what arrives: tables by keyed hash.
//!
//! RFC 9293 §3.4 (a connection is named by its two sockets). The hash is keyed, so that nobody can
//! choose addresses and ports that all land in one place; nothing ever depends on the order of a
//! table. The tables hold only places in a slab, and the slab's things know their own names: a
//! connection's share of its table is about six octets.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hashbrown::HashTable;

use crate::departure::Endpoints;
use crate::keys::Key;

/// An address as two numbers. One of IPv4 is written as one of IPv6 (RFC 4291 §2.5.5.2), which never
/// stands in a packet itself, so one form serves both.
type Wide = [u64; 2];

/// What stands above the 32 bits of an IPv4 address in the lower number; the upper is 0.
const MAPPED: u64 = 0xffff;

#[inline]
const fn wide(address: IpAddr) -> Wide {
    match address {
        IpAddr::V4(address) => [0, MAPPED << 32 | address.to_bits() as u64],
        IpAddr::V6(address) => [(address.to_bits() >> 64) as u64, address.to_bits() as u64],
    }
}

#[inline]
const fn is_v4(wide: Wide) -> bool {
    wide[0] == 0 && wide[1] >> 32 == MAPPED
}

#[inline]
const fn narrow(wide: Wide) -> IpAddr {
    if is_v4(wide) {
        return IpAddr::V4(Ipv4Addr::from_bits(wide[1] as u32));
    }
    IpAddr::V6(Ipv6Addr::from_bits((wide[0] as u128) << 64 | wide[1] as u128))
}

/// The two sockets that name a connection, in 40 octets that compare fast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tuple {
    local: Wide,
    remote: Wide,
    /// Ours above, the other's below.
    ports: u32,
}

impl Tuple {
    const OCTETS: usize = 36;

    #[inline]
    pub(crate) const fn new(local: IpAddr, local_port: u16, remote: IpAddr, remote_port: u16) -> Self {
        let ports = (local_port as u32) << 16 | remote_port as u32;
        Self { local: wide(local), remote: wide(remote), ports }
    }

    pub(crate) fn of(local: SocketAddr, remote: SocketAddr) -> Self {
        Self::new(local.ip(), local.port(), remote.ip(), remote.port())
    }

    /// All of it, ours first: what an initial sequence number is a hash of.
    pub(crate) fn octets(&self) -> [u8; Self::OCTETS] {
        let mut octets = [0; Self::OCTETS];
        let words = self.local.iter().chain(&self.remote);
        for (place, word) in octets.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        octets[32..].copy_from_slice(&self.ports.to_be_bytes());
        octets
    }

    #[inline]
    pub(crate) const fn local(&self) -> IpAddr {
        narrow(self.local)
    }

    #[inline]
    pub(crate) const fn remote(&self) -> IpAddr {
        narrow(self.remote)
    }

    #[inline]
    pub(crate) const fn local_port(&self) -> u16 {
        (self.ports >> 16) as u16
    }

    #[inline]
    pub(crate) const fn remote_port(&self) -> u16 {
        self.ports as u16
    }

    #[inline]
    pub(crate) const fn endpoints(&self) -> Endpoints {
        Endpoints {
            local: SocketAddr::new(self.local(), self.local_port()),
            remote: SocketAddr::new(self.remote(), self.remote_port()),
        }
    }

    /// Of IPv4, the twelve octets that differ; of IPv6, all.
    pub(crate) fn hash(&self, key: &Key) -> u64 {
        if is_v4(self.local) && is_v4(self.remote) {
            let addresses = u128::from(self.local[1]) << 64 | u128::from(self.remote[1] as u32) << 32;
            return key.hash(&(addresses | u128::from(self.ports)).to_be_bytes());
        }
        key.hash(&self.octets())
    }
}

/// A port with an address, or with any address: what a listener or a UDP socket is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Binding {
    /// None: any of ours, of both versions.
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

impl Binding {
    /// An unspecified address means any of ours of its version; `::` means both.
    pub(crate) fn of(local: SocketAddr) -> Self {
        Self {
            address: Some(local.ip()).filter(|address| *address != Ipv6Addr::UNSPECIFIED),
            port: local.port(),
        }
    }

    pub(crate) fn hash(&self, key: &Key) -> u64 {
        let [upper, lower] = self.address.map_or([0; 2], wide);
        let mut octets = [0; 18];
        octets[..8].copy_from_slice(&upper.to_be_bytes());
        octets[8..16].copy_from_slice(&lower.to_be_bytes());
        octets[16..].copy_from_slice(&self.port.to_be_bytes());
        key.hash(&octets)
    }

    /// Whose packets to `local` are, in this order: those bound to that address, to any of its
    /// version, to any.
    pub(crate) fn candidates(local: IpAddr, port: u16) -> [Self; 3] {
        let any = match local {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            // A listener on `::` is in the table as bound to any; nothing has this binding.
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        [Some(local), Some(any), None].map(|address| Self { address, port })
    }
}

/// Places in a slab, found by hash.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) key: Key,
    places: HashTable<u32>,
}

impl Table {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, places: HashTable::new() }
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.places.find(hash, |place| is_it(*place)).copied()
    }

    /// Adds a place that is not there; `hash_of` gives the hash of any place that is.
    pub(crate) fn insert(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> u64) {
        self.places.insert_unique(hash, place, |place| hash_of(*place));
    }

    pub(crate) fn remove(&mut self, hash: u64, place: u32) {
        if let Ok(entry) = self.places.find_entry(hash, |there| *there == place) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {

    use std::vec::Vec;

    use super::*;

    #[test]
    fn a_tuple_gives_back_the_endpoints_that_it_was_made_of() {
        for (local, remote) in [("10.0.0.1:80", "192.0.2.7:49152"), ("[fe80::1]:80", "[2001:db8::7]:1")] {
            let endpoints = Endpoints { local: local.parse().unwrap(), remote: remote.parse().unwrap() };
            assert_eq!(Tuple::of(endpoints.local, endpoints.remote).endpoints(), endpoints);
        }
    }

    /// Tuples that collide under FNV-1a with its well-known basis, as an attacker would choose them
    /// for an unkeyed table, spread under a key: no bucket of 4,096 gets more than a fair share.
    #[test]
    fn tuples_chosen_for_an_unkeyed_hash_spread_under_the_key() {
        let unkeyed = |octets: &[u8]| {
            octets.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
                (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        };
        let key = Key::new(&[3; 32], 1);
        let mut buckets = std::vec![0_u32; 4096];
        let mut found = 0;
        for number in 0..4_000_000_u32 {
            let remote = IpAddr::V4(Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)));
            let tuple = Tuple::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 80, remote, (number >> 8) as u16);
            if unkeyed(&tuple.octets()) % 4096 == 0 {
                buckets[(tuple.hash(&key) % 4096) as usize] += 1;
                found += 1;
            }
        }
        // About 977 tuples that share one bucket of the unkeyed table. In 4,096 buckets at random
        // the fullest of them has 5 or so; 9 or more has a chance below one in a million.
        assert!(found > 800 && buckets.iter().max() < Some(&9), "{found} {:?}", buckets.iter().max());
    }

    #[test]
    fn a_table_finds_what_was_added_until_it_is_removed() {
        let names: Vec<u64> = (0..1000).map(|name| name * 7).collect();
        let key = Key::new(&[3; 32], 1);
        let hash = |place: u32| key.hash(&names[place as usize].to_be_bytes());
        let mut table = Table::new(key);
        for place in 0..1000 {
            table.insert(hash(place), place, hash);
        }
        table.remove(hash(5), 5);
        table.remove(hash(5), 5);
        for place in 0..1000 {
            let found = table.find(hash(place), |there| names[there as usize] == names[place as usize]);
            assert_eq!(found, (place != 5).then_some(place));
        }
    }
}
