//! Who holds a port: the program's name and its process number, where the system lets us know.
//!
//! On Linux: the socket's inode from `/proc/net/tcp`, `udp` and their IPv6 twins, then the process
//! that has it open, from the links in `/proc/<pid>/fd`. Processes of other users hide their links
//! from us, and then nobody is found. Elsewhere nobody is ever found.
//!
//! Left out: asking `lsof` or `netstat`. No program is run, so nothing can be injected into one.

use crate::error::Transport;

/// A program that holds a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The program's name as the system tells it, without anything that could move a cursor.
    pub name: String,
    /// The number of its process.
    pub pid: u32,
}

/// Finds who holds a port.
#[must_use]
pub(crate) fn find(port: u16, transport: Transport) -> Option<Holder> {
    #[cfg(target_os = "linux")]
    return linux::find(port, transport);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (port, transport);
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::Path;

    use super::{Holder, Transport};

    /// The state column of a TCP socket that listens.
    const LISTEN: &str = "0A";

    pub(super) fn find(port: u16, transport: Transport) -> Option<Holder> {
        let tables = match transport {
            Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
            Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        };
        let inodes: Vec<u64> = tables
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| inodes(&table, port, transport))
            .collect();
        if inodes.is_empty() {
            return None;
        }
        fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            holds_one_of(&process.path(), &inodes).then(|| Holder { name: name_of(&process.path()), pid })
        })
    }

    /// The inodes of the sockets of a table that hold a port.
    pub(super) fn inodes(table: &str, port: u16, transport: Transport) -> Vec<u64> {
        table.lines().skip(1).filter_map(|line| inode(line, port, transport)).collect()
    }

    /// The inode in a line such as
    /// `0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 1 ...`.
    fn inode(line: &str, port: u16, transport: Transport) -> Option<u64> {
        let mut columns = line.split_ascii_whitespace();
        let local = columns.nth(1)?;
        let (_, local_port) = local.rsplit_once(':')?;
        if u16::from_str_radix(local_port, 16).ok()? != port {
            return None;
        }
        let state = columns.nth(1)?;
        if transport == Transport::Tcp && state != LISTEN {
            return None;
        }
        columns.nth(5)?.parse().ok()
    }

    fn holds_one_of(process: &Path, inodes: &[u64]) -> bool {
        let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
        descriptors.flatten().any(|descriptor| {
            let Ok(target) = fs::read_link(descriptor.path()) else { return false };
            let inode = target.to_str().and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']'));
            inode.and_then(|inode| inode.parse().ok()).is_some_and(|inode| inodes.contains(&inode))
        })
    }

    fn name_of(process: &Path) -> String {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        name.trim_end().chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_inode_of_a_listening_socket_is_read_and_no_others() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 1 0 100 0\n\
            1: 0100007F:1B58 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000  0 12346 1 0 20 4\n\
            2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12347 1 0 100 0\n\
            3: cut off\n";
        // 0x1B58 = 7000.
        assert_eq!(linux::inodes(table, 7000, Transport::Tcp), [12345]);
        assert_eq!(linux::inodes(table, 22, Transport::Tcp), [12347]);
        assert_eq!(linux::inodes(table, 7000, Transport::Udp), [12345, 12346]);
        assert_eq!(linux::inodes("", 7000, Transport::Udp), []);
    }

    #[test]
    fn we_find_ourselves_as_the_holder_of_our_own_ports() {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let holder = find(udp.local_addr().unwrap().port(), Transport::Udp).unwrap();
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.name.is_empty());

        let tcp =
            std::net::TcpListener::bind("[::1]:0").or_else(|_| std::net::TcpListener::bind("127.0.0.1:0"));
        let tcp = tcp.unwrap();
        let port = tcp.local_addr().unwrap().port();
        assert_eq!(find(port, Transport::Tcp).map(|holder| holder.pid), Some(std::process::id()));
        drop(tcp);
        assert_eq!(find(port, Transport::Tcp), None);
    }
}
