//! `/proc/net/tcp`, `tcp6`, `udp` and `udp6`, for kernels that do not answer over netlink.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Socket, Transport, remote, state};

/// All sockets of the tables that are there.
pub(super) fn all() -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    let mut trouble = None;
    for (file, transport) in
        [("tcp", Transport::Tcp), ("tcp6", Transport::Tcp), ("udp", Transport::Udp), ("udp6", Transport::Udp)]
    {
        match fs::read_to_string(format!("/proc/net/{file}")) {
            Ok(table) => sockets.extend(table.lines().skip(1).filter_map(|line| socket(line, transport))),
            // A machine without IPv6 has no table of it.
            Err(error) if file.ends_with('6') && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or(Ok(sockets), Err)
}

/// A line such as
/// `0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 1 ...`.
fn socket(line: &str, transport: Transport) -> Option<Socket> {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let (local, other) = (address(columns.next()?)?, address(columns.next()?)?);
    let number = u8::from_str_radix(columns.next()?, 16).ok()?;
    let inode = columns.nth(5)?.parse().ok()?;
    let (state, remote) = (state(transport, number), remote(other));
    Some(Socket { transport, local, remote, state, inode, process: None })
}

/// `0100007F:1B58`: words of the host's own octet order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Option<Vec<[u8; 4]>> = (0..address.len() / 8)
        .map(|place| {
            let word = address.get(place * 8..place * 8 + 8)?;
            Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
        })
        .collect();
    let ip = match words?.as_slice() {
        [one] => IpAddr::V4(Ipv4Addr::from(*one)),
        four @ [_, _, _, _] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(four.concat()).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use aperto_tcp::State;

    use super::*;

    /// Lines as a little-endian machine has them, in proc_net_tcp(5)'s columns; what is cut off is no
    /// socket.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_the_table_is_a_socket() {
        let line = "   0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1";
        let listens = socket(line, Transport::Tcp).unwrap();
        assert_eq!(listens.local, "127.0.0.1:7000".parse().unwrap());
        assert_eq!((listens.remote, listens.state, listens.inode), (None, Some(State::Listen), 12345));
        let line = " 1: 00000000000000000000000001000000:1B58 00000000000000000000000001000000:C350 06 0:0 0:0 0 0 0 7 1";
        let waits = socket(line, Transport::Tcp).unwrap();
        assert_eq!(waits.local, "[::1]:7000".parse().unwrap());
        assert_eq!(waits.remote, Some("[::1]:50000".parse().unwrap()));
        assert_eq!(waits.state, Some(State::TimeWait));
        assert_eq!(socket(line, Transport::Udp).unwrap().state, None);
        for cut in ["", "0: 0100007F:1B58", "0: x:y z 0A", "0: 0100007F:1B58 0:0 0A a b c d e f"] {
            assert_eq!(socket(cut, Transport::Tcp), None, "{cut}");
        }
    }

    /// Both ways of asking find the same listener of this very process.
    #[test]
    fn netlink_and_the_tables_agree_about_a_listener() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let found = |all: Vec<Socket>| all.into_iter().find(|socket| socket.local == local);
        let table = found(all().unwrap()).unwrap();
        assert_eq!((table.state, table.remote), (Some(State::Listen), None));
        // A confined kernel may not answer; then the tables are what is asked.
        if let Ok(sockets) = super::super::netlink::all() {
            assert_eq!(found(sockets), Some(table));
        }
        let mine = found(super::super::all().unwrap()).unwrap();
        assert_eq!(mine.process.map(|(_, pid)| pid), Some(std::process::id()));
    }
}
