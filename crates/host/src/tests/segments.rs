//! Packets made by hand, for testers.

use std::vec;
use std::vec::Vec;

use core::net::{IpAddr, SocketAddr};

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::{self, Control, Header, Options};
use aperto_wire::{Ports, SeqNumber, icmpv4, icmpv6, ipv4, ipv6, udp};

/// An IP packet around what it carries.
pub(super) fn packet(source: IpAddr, destination: IpAddr, protocol: Protocol, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 40 + payload.len()];
    let length = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            ipv4::emit(&mut octets, &ipv4::Header::new(source, destination, protocol), payload.len()).unwrap()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            ipv6::emit(&mut octets, &ipv6::Header::new(source, destination, protocol), payload.len()).unwrap()
        }
        _ => panic!("two versions"),
    };
    octets.truncate(length);
    octets.extend_from_slice(payload);
    octets
}

/// An IPv4 packet with another header.
pub(super) fn packet_with(header: &ipv4::Header, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 20];
    ipv4::emit(&mut octets, header, payload.len()).unwrap();
    octets.extend_from_slice(payload);
    octets
}

pub(super) fn segment(from: SocketAddr, to: SocketAddr, header: &Header, text: &[u8]) -> Vec<u8> {
    let ports = Ports { source: from.port(), destination: to.port() };
    let pseudo = PseudoHeader::new(from.ip(), to.ip(), Protocol::TCP).unwrap();
    let mut octets = vec![0; 60 + text.len()];
    let length = tcp::emit(&mut octets, ports, header, [text], pseudo).unwrap();
    packet(from.ip(), to.ip(), Protocol::TCP, &octets[..length])
}

pub(super) fn syn(seq: u32) -> Header {
    Header {
        seq: SeqNumber::new(seq),
        control: Control::SYN,
        window: 65535,
        options: Options { mss: Some(1460), ..Options::NONE },
        ..Header::default()
    }
}

pub(super) fn ack(seq: SeqNumber, ack: SeqNumber) -> Header {
    Header { seq, ack, control: Control::ACK, window: 65535, ..Header::default() }
}

pub(super) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    packet(from.ip(), to.ip(), Protocol::UDP, &udp_octets(from, to, payload))
}

pub(super) fn udp_octets(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let ports = Ports { source: from.port(), destination: to.port() };
    let pseudo = PseudoHeader::new(from.ip(), to.ip(), Protocol::UDP).unwrap();
    let mut octets = vec![0; 8 + payload.len()];
    udp::emit(&mut octets, ports, [payload], pseudo).unwrap();
    octets
}

pub(super) fn icmp(source: IpAddr, destination: IpAddr, message: &icmpv4::Message<'_>) -> Vec<u8> {
    let mut octets = vec![0; message.length()];
    icmpv4::emit(&mut octets, message).unwrap();
    packet(source, destination, Protocol::ICMP, &octets)
}

pub(super) fn icmp6(source: IpAddr, destination: IpAddr, message: &icmpv6::Message<'_>) -> Vec<u8> {
    let pseudo = PseudoHeader::new(source, destination, Protocol::ICMPV6).unwrap();
    let mut octets = vec![0; message.length()];
    icmpv6::emit(&mut octets, message, pseudo).unwrap();
    packet(source, destination, Protocol::ICMPV6, &octets)
}
