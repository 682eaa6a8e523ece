//! The largest packet that a path carries, as far as routers have said.
//!
//! RFC 1191, RFC 8201, RFC 5927 §7. Whether to believe a message is decided where it arrives; here
//! a value can only shrink, never below 552 octets (IPv4) or 1280 (IPv6), and is forgotten after
//! ten minutes (RFC 1191 §6.3), so that a path which has grown is found out.

use alloc::collections::{BTreeMap, VecDeque};
use core::net::IpAddr;

use aperto_time::{Duration, Instant};

/// Most destinations that are remembered; beyond it the oldest is forgotten.
const MOST: usize = 1024;
const LIFETIME: Duration = Duration::from_secs(600);
/// What we never go below, whatever anybody says: RFC 791 asks for 68, but a forger would too.
const FLOOR_V4: u32 = 552;
/// RFC 8200 §5.
const FLOOR_V6: u32 = 1280;
/// Where a router does not say its MTU: the next of these below the packet that did not fit.
///
/// RFC 1191 §7.1.
const PLATEAUS: [u32; 8] = [32000, 17914, 8166, 4352, 2002, 1492, 1006, 552];

#[derive(Clone, Debug, Default)]
pub(crate) struct PathMtus {
    paths: BTreeMap<IpAddr, (u32, Instant)>,
    order: VecDeque<(IpAddr, Instant)>,
}

impl PathMtus {
    /// The largest packet to a destination, if it is less than what the interface carries.
    #[inline]
    pub(crate) fn get(&self, now: Instant, destination: IpAddr) -> Option<u32> {
        if self.paths.is_empty() {
            return None;
        }
        self.paths.get(&destination).filter(|(_, until)| *until > now).map(|(mtu, _)| *mtu)
    }

    /// A router said that a packet of `length` octets did not fit into `mtu`, or (0) into something
    /// that it does not know. Gives the value from now on, if it shrinks.
    pub(crate) fn shrink(
        &mut self,
        now: Instant,
        destination: IpAddr,
        mtu: u32,
        length: u32,
        interface_mtu: u32,
    ) -> Option<u32> {
        let known = self.get(now, destination).unwrap_or(interface_mtu);
        let (floor, said) = match (destination, mtu) {
            (IpAddr::V4(_), 0) => {
                (FLOOR_V4, PLATEAUS.into_iter().find(|plateau| *plateau < length).unwrap_or(FLOOR_V4))
            }
            (IpAddr::V4(_), mtu) => (FLOOR_V4, mtu),
            (IpAddr::V6(_), mtu) => (FLOOR_V6, mtu),
        };
        let mtu = said.max(floor);
        if mtu >= known {
            return None;
        }
        if self.order.len() >= MOST
            && let Some((oldest, until)) = self.order.pop_front()
            && self.paths.get(&oldest).is_some_and(|(_, there)| *there == until)
        {
            self.paths.remove(&oldest);
        }
        let until = now + LIFETIME;
        self.paths.insert(destination, (mtu, until));
        self.order.push_back((destination, until));
        Some(mtu)
    }
}

#[cfg(test)]
mod tests {
    use core::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    #[test]
    fn a_path_only_shrinks_and_never_below_the_floor() {
        let mut paths = PathMtus::default();
        assert_eq!(paths.shrink(Instant::ZERO, V4, 1400, 1500, 1500), Some(1400));
        assert_eq!(paths.shrink(Instant::ZERO, V4, 1450, 1500, 1500), None);
        assert_eq!(paths.shrink(Instant::ZERO, V4, 68, 1400, 1500), Some(552));
        assert_eq!(paths.shrink(Instant::ZERO, V4, 68, 552, 1500), None);
        assert_eq!(paths.shrink(Instant::ZERO, V6, 68, 1500, 1500), Some(1280));
        assert_eq!(paths.shrink(Instant::ZERO, V6, 9000, 1500, 1500), None);
        assert_eq!((paths.get(Instant::ZERO, V4), paths.get(Instant::ZERO, V6)), (Some(552), Some(1280)));
    }

    /// RFC 1191 §5: the next plateau below the packet.
    #[test]
    fn a_router_that_says_no_size_means_the_next_plateau() {
        let mut paths = PathMtus::default();
        assert_eq!(paths.shrink(Instant::ZERO, V4, 0, 1500, 1500), Some(1492));
        assert_eq!(paths.shrink(Instant::ZERO, V4, 0, 1492, 1500), Some(1006));
    }

    /// RFC 1191 §6.3.
    #[test]
    fn after_ten_minutes_a_path_may_have_grown() {
        let mut paths = PathMtus::default();
        paths.shrink(Instant::ZERO, V4, 1400, 1500, 1500);
        assert_eq!(paths.get(Instant::from_millis(599_999), V4), Some(1400));
        assert_eq!(paths.get(Instant::from_millis(600_000), V4), None);
    }

    #[test]
    fn no_more_paths_are_remembered_than_fit() {
        let mut paths = PathMtus::default();
        for number in 0..10_000 {
            let destination = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number));
            paths.shrink(Instant::ZERO, destination, 1400, 1500, 1500);
        }
        assert!(paths.paths.len() <= MOST && paths.order.len() <= MOST);
    }
}
