use std::future::poll_fn;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol as IpProtocol;
use aperto_wire::ipv4;

use super::*;
use crate::error::Transport;

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A client on this machine, inside.
fn at_client(port: u16) -> SocketAddr {
    SocketAddr::new(here::client(true), port)
}

/// The server on this machine, inside.
fn at_server(port: u16) -> SocketAddr {
    SocketAddr::new(here::server(true), port)
}

/// An IPv4 packet with a TCP header of 20 octets: these ports, these control bits, sequence number 100.
fn packet(from: SocketAddr, to: SocketAddr, control: u8, text: &[u8]) -> Vec<u8> {
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (from.ip(), to.ip()) else { panic!("IPv4 only") };
    let mut segment = Vec::new();
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend([0, 0, 0, 100, 0, 0, 0, 0, 0x50, control, 0xfa, 0xf0, 0, 0, 0, 0]);
    segment.extend(text);
    let pseudo = PseudoHeader::ipv4(source, destination, IpProtocol::TCP);
    let sum = pseudo.with_length(segment.len()).and(&segment).finish();
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    let mut packet = vec![0; 20 + segment.len()];
    ipv4::emit(&mut packet, &ipv4::Header::new(source, destination, IpProtocol::TCP), segment.len()).unwrap();
    packet[20..].copy_from_slice(&segment);
    packet
}

/// Sends a packet, when there is room.
async fn send(packet: impl AsRef<[u8]>, wire: &mut UdpTunnel) {
    loop {
        poll_fn(|context| wire.poll_writable(context)).await.unwrap();
        match wire.try_send(packet.as_ref()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome.unwrap(),
        }
    }
}

/// Waits until the wire gives a packet or a note.
async fn next(wire: &mut UdpTunnel) -> Result<Vec<u8>, WireNote> {
    let mut buffer = vec![0; 1 << 16];
    let step = poll_fn(|context| match wire.poll_receive(context, &mut buffer) {
        Poll::Ready(outcome) => Poll::Ready(outcome.unwrap()),
        Poll::Pending => Poll::Pending,
    });
    let outcome =
        tokio::time::timeout(std::time::Duration::from_secs(5), step).await.expect("something arrives");
    match outcome {
        Some(octets) => Ok(buffer[..octets].to_vec()),
        None => Err(wire.poll_note().expect("what is no packet is a note")),
    }
}

#[tokio::test]
async fn a_segment_crosses_unchanged_and_the_datagram_holds_nothing_else() {
    let mut server = UdpTunnel::on(loopback(0), TunnelConfig::default()).unwrap();
    let mut client = UdpTunnel::to(server.local_addr(), TunnelConfig::default()).unwrap();
    let (at_client, at_server) =
        (at_client(client.local_addr().port()), at_server(server.local_addr().port()));
    let syn = packet(at_client, at_server, 0x02, b"");
    send(&syn, &mut client).await;
    let arrived = next(&mut server).await.unwrap();
    assert_eq!(&arrived[20..], &syn[20..]);
    assert_eq!(server.poll_note(), Some(WireNote::Named { inner: at_client, outer: client.local_addr() }));
    let answer = packet(at_server, at_client, 0x12, b"text of an odd length");
    send(&answer, &mut server).await;
    assert_eq!(&next(&mut client).await.unwrap()[20..], &answer[20..]);

    // What is on the outer wire: the segment, with the checksum of a pseudo-header of zeros.
    let plain = std::net::UdpSocket::bind(loopback(0)).unwrap();
    let mut to_plain = UdpTunnel::to(plain.local_addr().unwrap(), TunnelConfig::default()).unwrap();
    let (from, to) = (to_plain.local_addr().port(), plain.local_addr().unwrap().port());
    let plain_packet = packet(self::at_client(from), self::at_server(to), 0x02, b"abc");
    send(plain_packet, &mut to_plain).await;
    let mut datagram = [0; 100];
    let octets = plain.recv(&mut datagram).unwrap();
    assert_eq!(octets, 23);
    let zeros = PseudoHeader::ipv4(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED, IpProtocol::TCP);
    assert!(zeros.covers(&datagram[..octets]));
}

#[tokio::test]
async fn a_datagram_that_is_not_ours_is_noted_and_not_answered() {
    let mut server = UdpTunnel::on(loopback(0), TunnelConfig::default()).unwrap();
    let stranger = std::net::UdpSocket::bind(loopback(0)).unwrap();
    stranger.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    let from = stranger.local_addr().unwrap();
    for (datagram, why) in [
        (b"hello\n".to_vec(), NotOurs::TooShort),
        (Vec::new(), NotOurs::TooShort),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), NotOurs::BadDataOffset),
        (
            packet(loopback(1), server.local_addr(), 0x02, b"")[20..].to_vec(),
            NotOurs::SourcePort { inner: 1 },
        ),
        (packet(from, loopback(2), 0x02, b"")[20..].to_vec(), NotOurs::DestinationPort { inner: 2 }),
    ] {
        stranger.send_to(&datagram, server.local_addr()).unwrap();
        let octets = datagram.len();
        assert_eq!(next(&mut server).await, Err(WireNote::Foreign { from, octets, why }));
    }
    assert!(stranger.recv(&mut [0; 10]).is_err());
}

#[tokio::test]
async fn a_closed_port_becomes_an_icmp_port_unreachable_about_our_segment() {
    let nobody = std::net::UdpSocket::bind(loopback(0)).unwrap().local_addr().unwrap();
    let mut client = UdpTunnel::to(nobody, TunnelConfig::default()).unwrap();
    let syn = packet(at_client(client.local_addr().port()), at_server(nobody.port()), 0x02, b"");
    send(&syn, &mut client).await;
    let told = next(&mut client).await.unwrap();
    let told = ipv4::parse(&told).unwrap();
    assert_eq!(told.header.protocol, IpProtocol::ICMP);
    assert_eq!(&told.payload[..2], [3, 3]);
    assert_eq!(&told.payload[8..], syn);
    assert_eq!(client.poll_note(), Some(WireNote::PeerRefuses { peer: nobody }));
    // Once more: one refusal for one datagram, none besides.
    send(&syn, &mut client).await;
    assert_eq!(ipv4::parse(&next(&mut client).await.unwrap()).unwrap().header.protocol, IpProtocol::ICMP);
    assert_eq!(client.poll_note(), Some(WireNote::PeerRefuses { peer: nobody }));
    assert_eq!(client.poll_note(), None);
}

#[tokio::test]
async fn a_taken_port_says_who_has_it_and_a_foreign_address_that_it_is_foreign() {
    let other = std::net::UdpSocket::bind(loopback(0)).unwrap();
    let address = other.local_addr().unwrap();
    let error = UdpTunnel::on(address, TunnelConfig::default()).unwrap_err();
    let OpenError::PortTaken { port, transport: Transport::Udp, by } = error else { panic!("{error}") };
    assert_eq!(port, address.port());
    if cfg!(target_os = "linux") {
        assert_eq!(by.map(|holder| holder.pid), Some(std::process::id()));
    }
    // 192.0.2.0/24 is for documentation: nobody has it (RFC 5737).
    let error = UdpTunnel::on("192.0.2.1:0".parse().unwrap(), TunnelConfig::default()).unwrap_err();
    assert!(matches!(error, OpenError::AddressNotOurs { .. }), "{error}");
}

#[tokio::test]
async fn a_server_on_every_address_answers_from_the_one_it_was_asked_at() {
    let mut server = UdpTunnel::on("0.0.0.0:0".parse().unwrap(), TunnelConfig::default()).unwrap();
    assert!(server.addresses().iter().all(|own| !own.address().is_loopback()));
    let port = server.local_addr().port();
    let mut client = UdpTunnel::to(loopback(port), TunnelConfig::default()).unwrap();
    let (from, to) = (at_client(client.local_addr().port()), at_server(port));
    send(packet(from, to, 0x02, b""), &mut client).await;
    let arrived = next(&mut server).await.unwrap();
    assert_eq!(ipv4::parse(&arrived).unwrap().header.destination, to.ip());
    send(packet(to, from, 0x12, b""), &mut server).await;
    assert!(next(&mut client).await.is_ok());
}

#[tokio::test]
async fn what_the_tunnel_does_not_carry_is_noted() {
    let mut server = UdpTunnel::on(loopback(0), TunnelConfig::default()).unwrap();
    let mut client = UdpTunnel::to(server.local_addr(), TunnelConfig::default()).unwrap();
    send(packet(loopback(1), server.local_addr(), 0x02, b""), &mut client).await;
    let why = NotCarried::SourcePort { inner: 1 };
    assert_eq!(client.poll_note(), Some(WireNote::NotCarried { why }));
    send(packet(at_client(client.local_addr().port()), loopback(9), 0x02, b""), &mut client).await;
    let why = NotCarried::AnotherPeer { to: loopback(9) };
    assert_eq!(client.poll_note(), Some(WireNote::NotCarried { why }));
    // A stranger from outside (a documentation address, RFC 5737) is owed nothing.
    let to = "198.51.100.1:5".parse().unwrap();
    send(packet(at_server(server.local_addr().port()), to, 0x12, b""), &mut server).await;
    assert_eq!(server.poll_note(), Some(WireNote::Withheld { to, octets: 20, credit: 0 }));
}

#[test]
fn the_outer_packet_of_a_full_segment_fits_the_path() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let tunnel = UdpTunnel::on(loopback(0), TunnelConfig::default()).unwrap();
    // Inside: IP 20 and a segment; outside: IP 20, UDP 8 and the same segment: 1500.
    assert_eq!(tunnel.mtu() - 20 + 20 + 8, 1500);
}
