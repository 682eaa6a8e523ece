use core::net::Ipv4Addr;

use aperto_time::Duration;
use proptest::prelude::*;

use super::*;

const LIMITS: FragmentLimits =
    FragmentLimits { octets: 4 << 20, lifetime: Duration::from_secs(30), pieces: 64 };

fn key(identification: u32) -> Key {
    Key {
        source: Ipv4Addr::new(10, 0, 0, 2).into(),
        destination: Ipv4Addr::new(10, 0, 0, 1).into(),
        protocol: Some(Protocol::UDP),
        identification,
    }
}

fn piece(identification: u32, offset: usize, payload: &[u8], more: bool) -> Piece<'_> {
    let (key, interface) = (key(identification), InterfaceId(0));
    Piece { key, interface, offset, more, payload, header: b"HEAD", protocol: Protocol::UDP }
}

struct Talk {
    fragments: Fragments,
    now: Instant,
}

impl Talk {
    fn new() -> Self {
        Self { fragments: Fragments::default(), now: Instant::ZERO }
    }

    fn arrives(&mut self, offset: usize, payload: &[u8], more: bool) -> Outcome {
        self.fragments.arrives(self.now, &LIMITS, &piece(1, offset, payload, more))
    }
}

fn is_whole(outcome: &Outcome, payload: &[u8]) {
    let Outcome::Whole(whole) = outcome else { panic!("{outcome:?}") };
    assert_eq!((&whole.octets[..4], &whole.octets[whole.header_length..]), (&b"HEAD"[..], payload));
}

const OVERLAP: Outcome = Outcome::Dropped(DropReason::FragmentOverlap);
const OF_NOTHING: Outcome = Outcome::Dropped(DropReason::FragmentOfNothing);

/// RFC 791 §3.2: any order.
#[test]
fn fragments_in_any_order_make_a_whole() {
    let parts = [(0, &b"abcdefgh"[..], true), (8, b"ijklmnop", true), (16, b"qr", false)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1]] {
        let mut talk = Talk::new();
        let (first, second, third) = (parts[order[0]], parts[order[1]], parts[order[2]]);
        assert_eq!(talk.arrives(first.0, first.1, first.2), Outcome::Waiting);
        assert_eq!(talk.arrives(second.0, second.1, second.2), Outcome::Waiting);
        is_whole(&talk.arrives(third.0, third.1, third.2), b"abcdefghijklmnopqr");
        assert_eq!((talk.fragments.cost, talk.fragments.partials.len()), (0, 0));
    }
}

/// RFC 5722 §4, RFC 1858: the eight ways to overlap, and what comes after is dropped too.
#[test]
fn an_overlap_gives_the_whole_datagram_up() {
    for (offset, payload, more) in [
        (0, &b"abcdefghijklmnop"[..], true),    // covers the first and more
        (8, b"xxxxxxxxyyyyyyyy", true),         // begins inside
        (0, b"xxxxxxxxxxxxxxxxyyyyyyyy", true), // reaches into it from before, and beyond
        (16, b"zz", false),                     // the end inside it
        (8, b"zz", false),                      // an end before what has come
        (8, b"xxxxxxxx", true),                 // lies inside
        (8, b"XXXXXXXXxxxxxxxx", true),         // same place, other octets
    ] {
        let mut talk = Talk::new();
        assert_eq!(talk.arrives(8, b"ijklmnopqrstuvwx", true), Outcome::Waiting);
        assert_eq!(talk.arrives(offset, payload, more), OVERLAP, "{offset} {payload:?}");
        assert_eq!(talk.arrives(24, b"end", false), OF_NOTHING);
        assert_eq!(talk.arrives(0, b"abcdefgh", true), OF_NOTHING);
    }
}

#[test]
fn two_different_ends_are_an_overlap() {
    let mut talk = Talk::new();
    assert_eq!(talk.arrives(16, b"end", false), Outcome::Waiting);
    assert_eq!(talk.arrives(24, b"other", false), OVERLAP);
}

#[test]
fn an_exact_duplicate_is_nothing() {
    let mut talk = Talk::new();
    assert_eq!(talk.arrives(0, b"abcdefgh", true), Outcome::Waiting);
    assert_eq!(talk.arrives(0, b"abcdefgh", true), Outcome::Waiting);
    is_whole(&talk.arrives(8, b"ij", false), b"abcdefghij");
}

#[test]
fn an_empty_fragment_and_one_beyond_the_largest_datagram_are_dropped() {
    let mut talk = Talk::new();
    let limit = Outcome::Dropped(DropReason::FragmentLimit);
    assert_eq!(talk.arrives(0, b"", true), limit);
    // Header of 4, offset 65,528: the fourth octet of payload would be number 65,536.
    assert_eq!(talk.arrives(65_528, b"0123", false), limit);
    assert_eq!(talk.arrives(65_528, b"012", false), Outcome::Waiting);
}

#[test]
fn more_pieces_than_allowed_give_the_datagram_up() {
    let mut talk = Talk::new();
    for number in 0..64 {
        assert_eq!(talk.arrives(number * 16, b"abcdefgh", true), Outcome::Waiting);
    }
    assert_eq!(talk.arrives(64 * 16, b"abcdefgh", true), Outcome::Dropped(DropReason::FragmentLimit));
    assert_eq!(talk.arrives(8, b"abcdefgh", true), OF_NOTHING);
}

#[test]
fn after_thirty_seconds_the_rest_comes_too_late() {
    let mut talk = Talk::new();
    talk.arrives(0, b"abcdefgh", true);
    assert_eq!(talk.fragments.deadline(), Some(Instant::from_millis(30_000)));
    assert!(talk.fragments.expire(Instant::from_millis(29_999)).is_none());
    let expired = talk.fragments.expire(Instant::from_millis(30_000)).unwrap();
    assert_eq!(expired.first.as_deref(), Some(&b"HEADabcdefgh"[..]));
    assert_eq!(talk.arrives(8, b"ij", false), Outcome::Waiting);
    let expired = talk.fragments.expire(Instant::from_millis(60_000)).unwrap();
    assert_eq!(expired.first, None);
    assert_eq!((talk.fragments.deadline(), talk.fragments.cost), (None, 0));
}

/// 100,000 beginnings without an end: memory stays bounded, and whoever comes whole gets through.
#[test]
fn a_flood_of_beginnings_does_not_keep_an_honest_datagram_out() {
    let mut fragments = Fragments::default();
    for number in 0..100_000_u32 {
        fragments.arrives(Instant::ZERO, &LIMITS, &piece(number, 0, &[7; 1480], true));
        assert!(fragments.cost <= LIMITS.octets);
        if number % 1000 == 0 {
            let honest = 1_000_000 + number;
            fragments.arrives(Instant::ZERO, &LIMITS, &piece(honest, 0, &[1; 1480], true));
            let outcome = fragments.arrives(Instant::ZERO, &LIMITS, &piece(honest, 1480, &[1; 20], false));
            assert!(matches!(outcome, Outcome::Whole(_)));
        }
    }
    assert!(fragments.order.len() <= 2 * fragments.partials.len() + 16);
}

proptest! {
    /// The naive model: a map from octet to value, given up on the first conflict.
    #[test]
    fn what_comes_out_whole_is_what_went_in(
        length in 1_usize..2000, cuts in proptest::collection::btree_set(1_usize..250, 0..20),
        seed in any::<u64>(),
    ) {
        let payload: Vec<u8> = (0..length).map(|at| (at * 7 + at / 256) as u8).collect();
        let mut edges: Vec<usize> = cuts.iter().map(|cut| cut * 8).filter(|cut| *cut < length).collect();
        edges.insert(0, 0);
        edges.push(length);
        let mut order: Vec<usize> = (0..edges.len() - 1).collect();
        order.sort_by_key(|at| (*at as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut talk = Talk::new();
        for (count, at) in order.iter().enumerate() {
            let (start, end) = (edges[*at], edges[at + 1]);
            let outcome = talk.arrives(start, &payload[start..end], end != length);
            if count + 1 == order.len() {
                is_whole(&outcome, &payload);
            } else {
                prop_assert_eq!(outcome, Outcome::Waiting);
            }
        }
    }

    #[test]
    fn whatever_arrives_memory_stays_bounded(
        pieces in proptest::collection::vec((0_u32..4, 0_usize..9000, 0_usize..300, any::<bool>()), 0..300),
    ) {
        let limits = FragmentLimits { octets: 20_000, ..LIMITS };
        let mut fragments = Fragments::default();
        for (identification, offset, length, more) in pieces {
            let octets = std::vec![0; length];
            let piece = piece(identification, offset * 8, &octets, more);
            fragments.arrives(Instant::ZERO, &limits, &piece);
            prop_assert!(fragments.cost <= limits.octets);
            prop_assert_eq!(fragments.cost, fragments.partials.values().map(|partial| partial.cost).sum::<usize>());
        }
    }
}
