//! Netlink's `sock_diag`: the kernel's own list of sockets. sock_diag(7).

use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket as Netlink, SocketAddr as NetlinkAddress};

use super::{Socket, Transport, remote, state};

/// What one answer holds at most; the kernel fills 32 KiB.
const ROOM: usize = 1 << 16;
/// More answers than this are not read: a million sockets.
const MOST_ANSWERS: usize = 1 << 14;

/// All TCP and UDP sockets of both versions of IP.
pub(super) fn all() -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for transport in [Transport::Tcp, Transport::Udp] {
        for family in [AF_INET, AF_INET6] {
            dump(transport, family, &mut sockets)?;
        }
    }
    Ok(sockets)
}

fn dump(transport: Transport, family: u8, sockets: &mut Vec<Socket>) -> io::Result<()> {
    let mut netlink = Netlink::new(NETLINK_SOCK_DIAG)?;
    netlink.bind_auto()?;
    netlink.connect(&NetlinkAddress::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = InetRequest {
        family,
        protocol: if transport == Transport::Tcp { IPPROTO_TCP } else { IPPROTO_UDP },
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() },
    };
    let mut message =
        NetlinkMessage::new(header, NetlinkPayload::from(SockDiagMessage::InetRequest(request)));
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    netlink.send(&octets, 0)?;
    let mut room = vec![0_u8; ROOM];
    for _ in 0..MOST_ANSWERS {
        let length = netlink.recv(&mut room.as_mut_slice(), 0)?;
        let mut rest = room.get(..length).unwrap_or(&[]);
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            match message.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                    sockets.push(socket(transport, &response));
                }
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            // Messages are aligned to four octets. A length of nothing would go on for ever.
            let used = (message.header.length as usize).next_multiple_of(4);
            rest = if used == 0 { &[] } else { rest.get(used..).unwrap_or(&[]) };
        }
    }
    Ok(())
}

fn socket(transport: Transport, response: &InetResponse) -> Socket {
    let header = &response.header;
    let id = &header.socket_id;
    Socket {
        transport,
        local: SocketAddr::new(id.source_address, id.source_port),
        remote: remote(SocketAddr::new(id.destination_address, id.destination_port)),
        state: state(transport, header.state),
        inode: u64::from(header.inode),
        process: None,
    }
}
