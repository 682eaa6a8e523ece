//! The system's own TCP and UDP sockets, as `ss -tuan` shows them.
//!
//! Linux: netlink's `sock_diag`, which gives one consistent answer; where that is not there (an old or
//! confined kernel), the tables in `/proc/net`. Who holds a socket is read from the links in
//! `/proc/<pid>/fd`; processes of other users hide theirs. Elsewhere there is nothing, and it says so.
//!
//! Left out: asking `ss`, `netstat` or `lsof`. No program is run.

#[cfg(target_os = "linux")]
mod holders;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod tables;

use std::net::SocketAddr;

use aperto_tcp::State;

/// What a socket speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Socket {
    pub(crate) transport: Transport,
    pub(crate) local: SocketAddr,
    /// The other end; none where there is no single one.
    pub(crate) remote: Option<SocketAddr>,
    /// TCP's state; UDP has none.
    pub(crate) state: Option<State>,
    /// What identifies it to `/proc`.
    pub(crate) inode: u64,
    /// The program that holds it, and its number, where one may know.
    pub(crate) process: Option<(String, u32)>,
}

impl Socket {
    /// The state's name; of UDP that it has none.
    pub(crate) fn state_name(&self) -> &'static str {
        self.state.map_or("-", State::name)
    }
}

/// All of them.
///
/// # Errors
///
/// What the system says; none where it is of a kind that cannot be asked.
#[cfg(target_os = "linux")]
pub(crate) fn all() -> Result<Vec<Socket>, Option<String>> {
    let mut sockets = netlink::all().or_else(|_| tables::all()).map_err(|error| Some(error.to_string()))?;
    holders::find(&mut sockets);
    Ok(sockets)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn all() -> Result<Vec<Socket>, Option<String>> {
    Err(None)
}

/// A state by Linux's number. `include/net/tcp_states.h`; 12 is a half-open connection without a
/// socket of its own yet.
#[cfg(target_os = "linux")]
fn state(transport: Transport, number: u8) -> Option<State> {
    if transport == Transport::Udp {
        return None;
    }
    Some(match number {
        1 => State::Established,
        2 => State::SynSent,
        3 | 12 => State::SynReceived,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::TimeWait,
        8 => State::CloseWait,
        9 => State::LastAck,
        10 => State::Listen,
        11 => State::Closing,
        _ => State::Closed,
    })
}

/// The other end, where it is one.
#[cfg(target_os = "linux")]
fn remote(address: SocketAddr) -> Option<SocketAddr> {
    (address.port() != 0 || !address.ip().is_unspecified()).then_some(address)
}
