//! What happened inside a host, for an observer; and why something was dropped.
//!
//! Notes are off unless [`Host::watch`](crate::Host::watch) asks for them, and cost one branch then.

use alloc::collections::VecDeque;
use core::net::{IpAddr, SocketAddr};

use aperto_wire::error::{Error, Format};
use aperto_wire::ethernet::EtherType;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::Header;

use crate::departure::{Endpoints, IcmpAbout};
use crate::ids::{ConnectionId, InterfaceId, ListenerId, UdpId};

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// Inside a connection.
    Tcp {
        /// Which; none where it happened in LISTEN, before there was one.
        connection: Option<ConnectionId>,
        /// Its two ends.
        endpoints: Endpoints,
        /// What.
        note: aperto_tcp::Note,
    },
    /// A segment arrived whole and was given to a connection, to a listener, or to nobody. What it
    /// causes follows.
    TcpArrived {
        /// To whom; none for a listener and for nobody.
        connection: Option<ConnectionId>,
        /// The two ends.
        endpoints: Endpoints,
        /// Its header, with absolute numbers.
        header: Header,
        /// Octets of text.
        payload_length: u32,
    },
    /// A datagram arrived whole and was given to a socket.
    UdpArrived {
        /// To whom.
        socket: UdpId,
        /// The two ends.
        endpoints: Endpoints,
        /// Octets of payload.
        payload_length: u32,
    },
    /// An ICMP message arrived whole.
    IcmpArrived(IcmpAbout),
    /// A connection exists from now on: our own call, or a SYN that reached a listener.
    Opened {
        /// Which.
        connection: ConnectionId,
        /// Its two ends.
        endpoints: Endpoints,
        /// Through which listener; none if we opened it.
        listener: Option<ListenerId>,
    },
    /// A connection is open and waits for the application to accept it.
    Queued {
        /// Which.
        connection: ConnectionId,
        /// Through which listener.
        listener: ListenerId,
    },
    /// The application accepted a connection.
    Accepted {
        /// Which.
        connection: ConnectionId,
        /// Through which listener.
        listener: ListenerId,
    },
    /// A connection's id names nothing any more.
    Forgotten {
        /// Which.
        connection: ConnectionId,
        /// Its two ends.
        endpoints: Endpoints,
    },
    /// Something was not used.
    Dropped {
        /// Where it came in; none if it was to leave.
        interface: Option<InterfaceId>,
        /// Why.
        reason: DropReason,
    },
    /// The largest packet to a destination is smaller than was thought. RFC 1191, RFC 8201.
    PathMtu {
        /// The destination.
        to: IpAddr,
        /// The MTU from now on, in octets.
        mtu: u32,
    },
    /// A neighbor's card became known.
    NeighborFound {
        /// Its address.
        address: IpAddr,
        /// Its card.
        card: aperto_wire::MacAddress,
    },
    /// Notes were lost, because nobody took them.
    Lost {
        /// How many.
        count: u64,
    },
}

/// Why something was not used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DropReason {
    /// It is no packet of its format.
    Malformed(Error),
    /// Its checksum is wrong.
    BadChecksum(Format),
    /// A UDP datagram over IPv6 without a checksum. RFC 8200 §8.1.
    NoChecksum,
    /// It goes to another card.
    OtherCard,
    /// It carries something that we do not speak.
    UnknownEtherType(EtherType),
    /// It goes to another host. We are no router.
    NotForUs(IpAddr),
    /// Nobody can have sent it: its source address is unspecified, a group's, or our own.
    /// RFC 9293 §3.9.2.3 \[MUST-63\], RFC 1122 §3.2.1.3.
    InvalidSource(IpAddr),
    /// It goes to a group, where only a single host can be meant. RFC 9293 §3.9.2.3 \[MUST-57\].
    ToGroup(Protocol),
    /// One of its ports is 0.
    PortZero,
    /// It names its own way. RFC 7126 §4.3.
    SourceRoute,
    /// An IPv6 option that we do not know forbids to go on. RFC 8200 §4.2.
    RefusedOption,
    /// Its protocol has nobody here.
    UnknownProtocol(Protocol),
    /// Nobody has that port.
    NobodyThere(Protocol),
    /// No route leads there.
    NoRoute(IpAddr),
    /// No neighbor answers at that address.
    NeighborSilent(IpAddr),
    /// A fragment overlaps another: the whole datagram is given up. RFC 5722.
    FragmentOverlap,
    /// A fragment of a datagram that was given up.
    FragmentOfNothing,
    /// The other fragments did not come in time.
    FragmentTimeout,
    /// Too many fragments, or too many octets in them.
    FragmentLimit,
    /// What is to be sent does not fit.
    TooLarge,
    /// Too much waits already.
    QueueFull,
    /// As many connections wait to be accepted as the application allows.
    AcceptQueueFull(ListenerId),
    /// The oldest half-open connection gave way to a newer.
    HalfOpenGaveWay,
    /// The oldest connection in TIME-WAIT gave way to a newer.
    TimeWaitGaveWay,
    /// There are as many connections as are allowed.
    TooManyConnections,
    /// An ICMP error about nothing that we have sent. RFC 5927 §4.
    UnrelatedIcmp,
    /// An ICMP message that is for nobody here.
    UnusedIcmp,
    /// No ICMP error was sent: enough were, a moment ago. RFC 1812 §4.3.2.8.
    RateLimited,
    /// ARP or Neighbor Discovery that is not what it should be, or about others.
    UnusedNeighbor,
    /// A segment that a listener has no use for. RFC 9293 §3.10.7.2.
    Tcp(aperto_tcp::DropReason),
    /// The datagram is not from the one whom the socket is connected with.
    OtherRemote(SocketAddr),
}

/// Notes that wait for an observer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    queue: VecDeque<Note>,
    lost: u64,
    watching: bool,
}

impl Notes {
    pub(crate) fn watch(&mut self, watching: bool) {
        self.watching = watching;
        if !watching {
            *self = Self::default();
        }
    }

    #[inline]
    pub(crate) const fn watching(&self) -> bool {
        self.watching
    }

    #[inline]
    pub(crate) fn take(&mut self, most: usize, note: impl FnOnce() -> Note) {
        if self.watching {
            self.push(most, note());
        }
    }

    #[inline(never)]
    fn push(&mut self, most: usize, note: Note) {
        if self.queue.len() >= most {
            self.queue.pop_front();
            self.lost += 1;
        }
        self.queue.push_back(note);
    }

    pub(crate) fn poll(&mut self) -> Option<Note> {
        if self.lost > 0 {
            return Some(Note::Lost { count: core::mem::take(&mut self.lost) });
        }
        self.queue.pop_front()
    }
}
