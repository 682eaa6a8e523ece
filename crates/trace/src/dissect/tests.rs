use alloc::vec::Vec;

use aperto_wire::ip::Protocol as IpProtocol;
use proptest::prelude::*;

use super::*;
use crate::testing::*;

fn read(link_type: LinkType, frame: &[u8]) -> Packet {
    dissect(Number(1), link_type, frame, u32::try_from(frame.len()).expect("it is short"))
}

#[test]
fn a_segment_is_read_behind_every_link_header() {
    let inner = from_client(psh_ack(), 1, 1, b"abc");
    let mac = [2; 12];
    let cases = [
        (LinkType::Ip, Vec::new()),
        (LinkType::Null, [2, 0, 0, 0].to_vec()),
        (LinkType::Ethernet, [&mac[..], &[0x08, 0x00]].concat()),
        (LinkType::Ethernet, [&mac[..], &[0x81, 0x00, 0, 5, 0x08, 0x00]].concat()),
        (LinkType::LinuxCooked, [&[0; 14][..], &[0x08, 0x00]].concat()),
        (LinkType::LinuxCooked2, [&[0x08, 0x00][..], &[0; 18]].concat()),
    ];
    for (link_type, link_header) in cases {
        // Ethernet pads short frames; the padding is no text.
        let frame = [&link_header[..], &inner, &[0; 9]].concat();
        let packet = read(link_type, &frame);
        assert_eq!(packet.endpoints, up(), "{link_type:?}");
        assert_eq!((packet.payload_length, packet.payload()), (3, &b"abc"[..]), "{link_type:?}");
        assert_eq!(packet.payload_at as usize, link_header.len() + 40);
    }
}

#[test]
fn a_frame_that_was_cut_tells_how_long_it_was() {
    let whole = from_client(psh_ack(), 1, 1, &[b'x'; 100]);
    let packet = dissect(Number(1), LinkType::Ip, &whole[..60], 140);
    assert_eq!((packet.payload_length, packet.payload().len(), packet.frame_length), (100, 20, 140));
    let packet = dissect(Number(1), LinkType::Ip, &whole[..30], 140);
    assert_eq!(packet.transport, Transport::Other { protocol: 6 });
}

/// RFC 8200 §4: an extension header says what follows it, and how many times eight octets it has.
#[test]
fn ipv6_extension_headers_are_stepped_over() {
    let udp = [0x12, 0x34, 0x56, 0x78, 0, 11, 0, 0, b'a', b'b', b'c'];
    let fixed = |next: u8, length: u8| {
        let mut header = [0u8; 40];
        header[0] = 0x60;
        header[5] = length;
        header[6] = next;
        header[23] = 1;
        header[39] = 2;
        header
    };
    let hop_by_hop = [17, 0, 1, 4, 0, 0, 0, 0];
    let frame = [&fixed(0, 19)[..], &hop_by_hop, &udp].concat();
    let packet = read(LinkType::Ip, &frame);
    assert_eq!(packet.transport, Transport::Udp);
    assert_eq!(packet.endpoints.source, "[::1]:4660".parse().expect("an address"));
    assert_eq!(packet.payload(), b"abc");
    // A later fragment, at octet 1,448.
    let fragment = [17, 0, 0x05, 0xa8, 0, 0, 0, 1];
    let frame = [&fixed(44, 19)[..], &fragment, &udp].concat();
    assert_eq!(read(LinkType::Ip, &frame).transport, Transport::Fragment { protocol: 17, offset: 1448 });
}

#[test]
fn an_icmp_error_names_the_packet_that_it_is_about() {
    let quoted = &from_client(SYN, 0, 0, b"")[..28];
    let frame = ip(SERVER, CLIENT, IpProtocol::ICMP, &[&[3, 1, 0, 0, 0, 0, 0, 0], quoted].concat());
    let Transport::Icmp(icmp) = read(LinkType::Ip, &frame).transport else { panic!("not ICMP") };
    assert_eq!((icmp.kind, icmp.code, icmp.echo, icmp.quoted), (3, 1, None, Some(up())));
}

#[test]
fn what_is_not_ip_is_a_packet_without_endpoints() {
    for frame in [&b""[..], b"\x45", b"hello", &[0x60; 10]] {
        let packet = read(LinkType::Ip, frame);
        assert_eq!(packet.transport, Transport::Other { protocol: 255 });
        assert!(packet.endpoints.source.ip().is_unspecified());
    }
}

#[test]
fn the_identity_of_a_packet_is_not_in_its_link_header_and_not_in_its_checksum() {
    let frame = from_client(psh_ack(), 1, 1, b"abc");
    let mut unsummed = frame.clone();
    unsummed[36] ^= 0xff;
    let ethernet = [&[2; 12][..], &[8, 0], &unsummed].concat();
    let one = identity(&read(LinkType::Ip, &frame));
    assert_eq!(one, identity(&read(LinkType::Ethernet, &ethernet)));
    assert_ne!(one, identity(&read(LinkType::Ip, &from_client(psh_ack(), 1, 1, b"abd"))));
    assert_ne!(one, identity(&read(LinkType::Ip, &from_client(psh_ack(), 2, 1, b"abc"))));
}

proptest! {
    #[test]
    fn any_octets_are_a_packet(octets in proptest::collection::vec(any::<u8>(), 0..120), kind in 0u8..6, version in 4u8..7) {
        let link_type = [
            LinkType::Ip, LinkType::Ethernet, LinkType::Null, LinkType::LinuxCooked, LinkType::LinuxCooked2,
            LinkType::Unknown(7),
        ][usize::from(kind)];
        let mut ip = octets.clone();
        if let Some(first) = ip.first_mut() {
            *first = version << 4 | (*first & 0x0f);
        }
        for frame in [octets, ip] {
            let packet = dissect(Number(1), link_type, &frame, 7);
            prop_assert!(packet.payload().len() <= frame.len());
        }
    }
}
