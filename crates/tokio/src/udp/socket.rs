//! Opening a UDP socket, and the addresses of this machine.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use aperto_wire::ip::Cidr;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::{OpenError, Transport};

/// A socket that does not block, bound to an address of one version of IP only.
pub(super) fn bound(local: SocketAddr) -> Result<Socket, OpenError> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&local.into()).map_err(|error| OpenError::from_bind(error, local, Transport::Udp))?;
    Ok(socket)
}

/// The same address without the number of an interface, as packets name it.
pub(super) const fn without_scope(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), 0, 0)),
    }
}

/// The network that has this address alone.
pub(super) fn host_network(address: IpAddr) -> Option<Cidr> {
    Cidr::new(address, if address.is_ipv4() { 32 } else { 128 })
}

/// All addresses of one version, those of the loopback interface last.
pub(super) fn addresses_of_this_machine(v4: bool) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = getifaddrs::getifaddrs()?
        .filter_map(|interface| interface.address.ip_addr())
        .filter(|address| address.is_ipv4() == v4)
        .collect();
    addresses.sort_by_key(IpAddr::is_loopback);
    addresses.dedup();
    Ok(addresses)
}
