//! The packets in `fuzz/seeds` were put together apart from this crate: each parses, each checksum is
//! right, and cut anywhere none of them makes a parser panic.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::{Error, arp, ethernet, icmpv4, icmpv6, ipv4, ipv6, ndp, tcp, udp};

/// Parses every seed of a format and all of its beginnings; says how many there were.
fn each_seed(format: &str, parse: impl Fn(&[u8]) -> Result<bool, Error>) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(format);
    let mut count = 0;
    for file in fs::read_dir(folder).expect("the folder of seeds is there") {
        let path = file.expect("its entries can be read").path();
        let octets = fs::read(&path).expect("a seed is a file");
        assert_eq!(parse(&octets), Ok(true), "{}", path.display());
        for length in 0..octets.len() {
            let _ = parse(&octets[..length]);
        }
        count += 1;
    }
    count
}

fn pseudo_ipv4(protocol: Protocol) -> PseudoHeader {
    PseudoHeader::ipv4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, protocol)
}

fn pseudo_ipv6(protocol: Protocol) -> PseudoHeader {
    PseudoHeader::ipv6(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST, protocol)
}

#[test]
fn tcp_seeds_parse_and_verify() {
    let pseudo = pseudo_ipv4(Protocol::TCP);
    assert!(each_seed("tcp", |octets| tcp::parse(octets).map(|_| tcp::verify(pseudo, octets))) >= 7);
}

#[test]
fn udp_seeds_parse_and_verify() {
    let pseudo = pseudo_ipv4(Protocol::UDP);
    let right = |octets: &[u8]| udp::verify(pseudo, octets) != udp::Verdict::Wrong;
    assert!(each_seed("udp", |octets| udp::parse(octets).map(|_| right(octets))) >= 4);
}

#[test]
fn ipv4_seeds_parse_and_verify() {
    assert!(each_seed("ipv4", |octets| Ok(ipv4::parse(octets)?.checksum_is_right())) >= 5);
}

#[test]
fn ipv6_seeds_parse_up_to_their_upper_layer() {
    let whole = |octets: &[u8]| ipv6::parse(octets)?.upper_layer().map(|upper| upper.at >= 40);
    assert!(each_seed("ipv6", whole) >= 5);
}

#[test]
fn icmp_seeds_parse_and_verify() {
    assert!(each_seed("icmpv4", |octets| icmpv4::parse(octets).map(|_| icmpv4::verify(octets))) >= 5);
    let pseudo = pseudo_ipv6(Protocol::ICMPV6);
    let right = |octets: &[u8]| icmpv6::verify(pseudo, octets);
    assert!(each_seed("icmpv6", |octets| icmpv6::parse(octets).map(|_| right(octets))) >= 5);
    assert!(each_seed("ndp", |octets| ndp::parse(octets).map(|_| right(octets))) >= 5);
}

#[test]
fn link_layer_seeds_parse() {
    assert!(each_seed("arp", |octets| arp::parse(octets).map(|_| true)) >= 2);
    assert!(each_seed("ethernet", |octets| ethernet::parse(octets).map(|_| true)) >= 3);
}
