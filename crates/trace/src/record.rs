//! One fact: when, seen by whom, of which connection, what.
//!
//! The vocabulary of every view. What the engine knows comes as the engine's own enums
//! ([`aperto_tcp::Reason`], [`aperto_tcp::Note`]); what only the driver or the channel knows has its
//! enum here. Nothing here is text for a reader: sentences are made by `aperto-explain`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use aperto_tcp as tcp;
use aperto_time::{Duration, Instant};

use crate::packet::{Endpoints, Octets, Packet, Protocol};

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// Who saw it.
    pub vantage: Vantage,
    /// Of which connection, where it belongs to one.
    pub flow: Option<FlowId>,
    /// What.
    pub fact: Fact,
}

/// Who saw a fact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Vantage {
    /// A host, at one of its interfaces.
    Host {
        /// Which host.
        host: HostId,
        /// Which of its interfaces, from 0.
        interface: u8,
    },
    /// The channel between them.
    Channel,
}

impl Vantage {
    /// A host, at its first interface.
    #[must_use]
    pub const fn host(host: HostId) -> Self {
        Self::Host { host, interface: 0 }
    }

    /// The host, if it is one.
    #[must_use]
    pub const fn host_id(self) -> Option<HostId> {
        match self {
            Self::Host { host, .. } => Some(host),
            Self::Channel => None,
        }
    }
}

/// A host: its place in [`TraceHeader::hosts`](crate::TraceHeader::hosts), from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct HostId(pub u8);

/// A connection, or another conversation between two endpoints; prints as `c1`, `c2`.
///
/// From 1, in the order of the first packet or call. A pair of endpoints that is used again after
/// its connection was closed is another flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlowId(pub u32);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// The name of a packet everywhere: its place in the order of departure, from 1; prints as `#4`.
///
/// A packet whose departure nobody here saw (it came from a peer on a real wire) takes its number
/// when it arrives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Number(pub u32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A conversation was seen for the first time; the record carries its id.
    FlowBegan(FlowBegan),
    /// A packet left a host.
    Left(Box<Packet>),
    /// A packet reached a host, sound or damaged.
    Arrived {
        /// Which packet.
        number: Number,
        /// 0 for the packet itself, 1 for the first copy that the channel made, and so on.
        copy: u32,
        /// The packet, where this trace has no departure of it, or where it arrived damaged.
        packet: Option<Box<Packet>>,
    },
    /// The channel did something to a packet, or to a copy of it.
    Channel {
        /// Which packet.
        number: Number,
        /// 0 for the packet itself, 1 for the first copy that the channel made, and so on.
        copy: u32,
        /// What it did.
        what: ChannelEvent,
    },
    /// A host did not use a packet, or a part of it.
    Dropped {
        /// Which packet: the last one that arrived there.
        number: Option<Number>,
        /// Why.
        reason: DropReason,
    },
    /// The state of a connection moved.
    State {
        /// From here.
        from: tcp::State,
        /// To here.
        to: tcp::State,
        /// Because of this.
        cause: tcp::diagram::Cause,
        /// The segment on whose row the move belongs: the one whose arrival caused it, or the SYN or
        /// FIN with which the side tells it.
        segment: Option<Number>,
    },
    /// Anything else that the engine noted: timers, windows, round-trip times, acknowledgments.
    Note(tcp::Note),
    /// What a textbook protocol noted.
    ArqNote(aperto_arq::Note),
    /// The application called.
    Call(Call),
    /// The application was told something.
    Event(tcp::Event),
    /// Octets reached the application.
    Delivered {
        /// How many octets of the flow it had received before.
        offset: u64,
        /// How many now.
        length: u32,
        /// They, or as many of them as are kept.
        octets: Octets,
    },
    /// An echo reply came to a ping. RFC 792.
    EchoReplied {
        /// Identifier of the ping.
        ident: u16,
        /// Its sequence number.
        sequence: u16,
        /// The packet that brought it.
        number: Option<Number>,
    },
    /// Something worth telling about several facts, found by whoever looked at them.
    Finding(Finding),
}

/// A conversation, as it is first seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowBegan {
    /// What it speaks.
    pub protocol: Protocol,
    /// From whoever opened it (source) to whoever was there (destination).
    pub endpoints: Endpoints,
    /// The host that opened it, where it is one of the trace's.
    pub client: Option<HostId>,
    /// The other host, where it is one of the trace's.
    pub server: Option<HostId>,
}

/// What a channel does to a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelEvent {
    /// It never arrives.
    Lost(LossCause),
    /// Bits of it are turned over; it may arrive all the same.
    Damaged {
        /// Who wanted it.
        by: Origin,
        /// Octets of the frame that are different now, from 0.
        octets: Vec<u32>,
        /// Whether the receiver can notice.
        checksum: ChecksumAfter,
    },
    /// A copy of it was made; `copy` is the number of the copy.
    Duplicated {
        /// Who wanted it.
        by: Origin,
    },
    /// It arrives later than the channel alone would have it.
    Delayed {
        /// Who wanted it.
        by: Origin,
        /// By how much.
        extra: Duration,
    },
    /// It arrives after a packet that left later.
    Reordered {
        /// Who wanted it.
        by: Origin,
        /// The packet that overtakes it, where that is known.
        overtaken_by: Option<Number>,
    },
    /// It waits for others to go before it.
    Queued {
        /// How long.
        wait: Duration,
        /// How many packets are before it.
        ahead: u32,
    },
}

/// Who wanted something to happen to a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The user picked the packet.
    Picked {
        /// With this flag, as it was given: `--drop data:3`.
        flag: String,
    },
    /// Luck, drawn from the seed.
    Random,
}

/// Why a packet was lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LossCause {
    /// The user picked it.
    Picked {
        /// With this flag, as it was given: `--drop 4`.
        flag: String,
    },
    /// Luck: each packet is lost with the same probability.
    Random,
    /// Luck: the channel was in its bad state, in which losses come together.
    Burst,
    /// The queue before the channel was full.
    QueueFull {
        /// How many packets it holds.
        packets: u32,
    },
    /// The packet is larger than the channel carries.
    TooBig {
        /// The most that it carries, in octets.
        mtu: u32,
    },
    /// The channel was switched off.
    LinkDown,
    /// Nobody says why: a capture shows that it left, and never that it arrived.
    Unknown,
}

/// Whether damage shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ChecksumAfter {
    /// The checksum does not fit any more: the receiver will notice.
    Broken,
    /// The checksum was repaired, or still fits by chance: only the application can notice.
    Repaired,
}

/// Why a packet, or a part of it, was not used by a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DropReason {
    /// The connection said why. RFC 9293 §3.10.7.
    Tcp(tcp::DropReason),
    /// A checksum is wrong: damage on the way. RFC 9293 §3.1 \[MUST-3\], RFC 1122 §3.2.1.2.
    BadChecksum {
        /// Of which format: `ipv4`, `tcp`, `udp`, `icmp`.
        format: String,
    },
    /// It cannot be read.
    Malformed {
        /// What is wrong, in English.
        what: String,
        /// At which octet of the frame, or of the header that is wrong.
        at: u32,
    },
    /// The host's reason, by its code, where there is nothing to add.
    Host {
        /// Stable kebab-case code, such as `not-for-us`.
        code: String,
    },
}

/// What the application called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// LISTEN: a passive open. RFC 9293 §3.10.1.
    Listen {
        /// Where.
        local: core::net::SocketAddr,
    },
    /// OPEN, active. RFC 9293 §3.10.1.
    Connect {
        /// To whom.
        remote: core::net::SocketAddr,
    },
    /// A connection that a listener had was taken.
    Accept,
    /// SEND. RFC 9293 §3.10.2.
    Send {
        /// How many octets of the flow the application had sent before.
        offset: u64,
        /// How many now.
        length: u32,
        /// They, or as many of them as are kept.
        octets: Octets,
    },
    /// CLOSE: no more text from this side. RFC 9293 §3.10.4.
    Close,
    /// The application is gone. RFC 9293 §3.6.1.
    Release,
    /// ABORT. RFC 9293 §3.10.5.
    Abort,
}

/// Something that whoever looked at the facts found worth telling.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Stable kebab-case code.
    pub code: String,
    /// The packets it is about.
    pub packets: Vec<Number>,
    /// Its numbers, by name.
    pub values: Vec<(String, u64)>,
}
