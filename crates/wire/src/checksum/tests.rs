extern crate std;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// The sum as RFC 1071 §1 defines it, word by word.
fn naive(octets: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap()
}

/// RFC 1071 §3: words 0001, f203, f4f5, f6f7 sum to ddf2 after the carries.
#[test]
fn the_example_of_the_rfc_sums_to_ddf2() {
    let octets = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(Sum::of(&octets).folded(), 0xddf2);
    assert_eq!(Sum::of(&octets).finish(), 0x220d);
}

/// A header known from many textbooks: 45 00 00 73 ... from 192.168.0.1 to 192.168.0.199.
#[test]
fn an_ipv4_header_has_the_checksum_computed_by_hand() {
    let mut header = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0,
        0xa8, 0x00, 0xc7,
    ];
    assert_eq!(checksum(&header), 0xb861);
    header[10..12].copy_from_slice(&[0xb8, 0x61]);
    assert!(Sum::of(&header).is_right());
    header[19] ^= 1;
    assert!(!Sum::of(&header).is_right());
}

/// RFC 1624 §4: HC = DD2F, m = 5555, m' = 3285 gives 0000, and not FFFF.
#[test]
fn the_example_of_rfc_1624_updates_to_zero() {
    assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

#[test]
fn a_sum_of_all_ones_does_not_overflow_a_lane() {
    for length in [BLOCK, 4 * BLOCK, 4 * BLOCK + 63, 40 * BLOCK + 1] {
        let octets = vec![0xff; length];
        let expected = if length % 2 == 0 { 0xffff } else { 0xff00 };
        assert_eq!(Sum::of(&octets).folded(), expected, "{length}");
        let mut copy = vec![0; length];
        assert_eq!(copy_and_sum(&mut copy, &octets).folded(), expected, "{length}");
    }
}

#[test]
fn every_length_up_to_400_sums_as_word_by_word() {
    let octets: Vec<u8> = (0..400_u32).map(|place| (place * 167 + 13) as u8).collect();
    for length in 0..octets.len() {
        assert_eq!(Sum::of(&octets[..length]).folded(), naive(&octets[..length]), "{length}");
        let mut copy = vec![0; length];
        assert_eq!(copy_and_sum(&mut copy, &octets).folded(), naive(&octets[..length]), "{length}");
        assert_eq!(copy, octets[..length]);
    }
}

/// RFC 9293 §3.1: source, destination, zero, protocol, length. By hand:
/// 0a00 + 0001 + 0a00 + 0002 + 0006 + 0014 = 141d.
#[test]
fn an_ipv4_pseudo_header_sums_as_by_hand() {
    let pseudo = PseudoHeader::ipv4(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), Protocol::TCP);
    assert_eq!(pseudo.with_length(20).folded(), 0x141d);
}

/// RFC 8200 §8.1. By hand: 2001 + 0db8 + 0001 + 2001 + 0db8 + 0002 + 0011 + 0008 = 5b8e.
#[test]
fn an_ipv6_pseudo_header_sums_as_by_hand() {
    let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let destination = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
    let pseudo = PseudoHeader::ipv6(source, destination, Protocol::UDP);
    assert_eq!(pseudo.with_length(8).folded(), 0x5b8e);
}

proptest! {
    #[test]
    fn pieces_cut_anywhere_sum_as_the_whole(
        octets in proptest::collection::vec(any::<u8>(), 0..3000),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
        cuts.push(0);
        cuts.push(octets.len());
        cuts.sort_unstable();
        let mut sum = Sum::ZERO;
        let mut copied = Sum::ZERO;
        let mut copy = vec![0; octets.len()];
        for pair in cuts.windows(2) {
            let range = pair[0]..pair[1];
            sum = sum.and(&octets[range.clone()]);
            copied = copied.then(copy_and_sum(&mut copy[range.clone()], &octets[range]));
        }
        prop_assert_eq!(sum.folded(), naive(&octets));
        prop_assert_eq!(copied.folded(), naive(&octets));
        prop_assert_eq!(copy, octets);
    }

    #[test]
    fn an_update_gives_what_a_new_sum_would(
        octets in proptest::collection::vec(any::<u8>(), 20),
        old in any::<u32>(), new in any::<u32>(),
    ) {
        let mut octets = octets;
        octets[0] |= 1; // A header of zeros only has two right checksums.
        octets[4..8].copy_from_slice(&old.to_be_bytes());
        let before = checksum(&octets);
        octets[4..8].copy_from_slice(&new.to_be_bytes());
        prop_assert_eq!(update_u32(before, old, new), checksum(&octets));
    }
}
