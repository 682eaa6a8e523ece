//! What a segment is: its number, its kind, its place among its kind, and the identity its luck
//! hangs on.
//!
//! A [`Classifier`] sees every frame in order of departure, before anything happens to it. The
//! identity is made of what the segment *is* (the place of its first octet, how often it was sent)
//! and not of how many came before it, so that it stays the same when another segment is dropped.
//!
//! Left out: IPv4 options and IPv6 extension headers are skipped, not understood; fragments other
//! than the first have no kind.

use alloc::collections::BTreeMap;
use core::net::IpAddr;

use aperto_wire::ip::{Protocol, Version};
use aperto_wire::{Ports, SeqNumber, ipv4, ipv6, tcp};

use super::{Counting, Direction, Framing};

/// What a segment is for, as far as its header tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A SYN without ACK.
    Syn,
    /// A SYN with ACK.
    SynAck,
    /// TCP: an acknowledgment and nothing else. Textbook protocols: ACK and group ACK.
    Ack,
    /// Carries text: a TCP segment, a UDP datagram, a DATA packet.
    Data,
    /// A FIN.
    Fin,
    /// A RST.
    Rst,
    /// Textbook protocols: a NACK.
    Nack,
    /// A probe of a closed window.
    Probe,
    /// Anything else: ICMP, ARP, fragments.
    Other,
}

impl Kind {
    const NAMED: [Self; 8] =
        [Self::Syn, Self::SynAck, Self::Ack, Self::Data, Self::Fin, Self::Rst, Self::Nack, Self::Probe];

    /// Its name in a pick.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syn => "syn",
            Self::SynAck => "synack",
            Self::Ack => "ack",
            Self::Data => "data",
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Nack => "nack",
            Self::Probe => "probe",
            Self::Other => "other",
        }
    }

    /// The kind with this name, if there is one that can be picked.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether there is usually one of it, so that its name alone will do.
    #[must_use]
    pub const fn needs_no_number(self) -> bool {
        matches!(self, Self::Syn | Self::SynAck | Self::Fin | Self::Rst)
    }
}

/// A kind and a place among the first transmissions of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Role {
    /// The kind.
    pub kind: Kind,
    /// Its place; none for what was sent before.
    pub ordinal: Option<u64>,
}

/// Whether something leaves for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transmission {
    /// For the first time.
    First,
    /// It was sent before.
    Again,
}

/// What the luck of a segment hangs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identity {
    /// Which conversation: a hash of addresses and ports in this direction.
    pub flow: u64,
    /// What it is.
    pub kind: Kind,
    /// Where its first octet stands in the stream, or what it acknowledges, or its number.
    pub place: u64,
    /// How often the same was sent before.
    pub attempt: u32,
}

/// What a channel is told about a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Its number in the ladder: departures are counted from 1.
    pub number: u64,
    /// What it is.
    pub role: Role,
    /// What it is as well: text can come with a FIN.
    pub also: Option<Role>,
    /// Whether it leaves for the first time.
    pub transmission: Transmission,
    /// What its luck hangs on.
    pub identity: Identity,
}

impl Meta {
    /// One or two roles.
    pub fn roles(&self) -> impl Iterator<Item = Role> + use<> {
        [Some(self.role), self.also].into_iter().flatten()
    }
}

/// What the sender knows of a frame that its octets do not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hint {
    /// Nothing.
    #[default]
    None,
    /// It probes a closed window.
    Probe,
}

/// A packet of a textbook protocol, as a classifier wants to know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Textbook {
    /// Data, Ack or Nack.
    pub kind: Kind,
    /// The number that never wraps of a DATA packet; what an answer answers.
    pub place: u64,
    /// Whether it was sent before.
    pub transmission: Transmission,
}

/// How many identities of one flow are remembered: beyond that the oldest places are forgotten.
const REMEMBERED: usize = 1 << 15;
/// How many flows are remembered.
const FLOWS: usize = 1 << 14;

/// Tells what frames are. Sees all of them, in order of departure.
#[derive(Clone, Debug, Default)]
pub struct Classifier {
    counting: Counting,
    departed: u64,
    /// First transmissions of each kind so far.
    firsts: BTreeMap<Kind, u64>,
    flows: BTreeMap<u64, Flow>,
}

/// One direction of one conversation.
#[derive(Clone, Debug, Default)]
struct Flow {
    /// The first sequence number seen.
    first_seq: Option<SeqNumber>,
    /// The first acknowledgment seen.
    first_ack: Option<SeqNumber>,
    /// The end of what was sent, counted from `first_seq`.
    sent_to: u32,
    /// How many incarnations this conversation had before.
    incarnation: u64,
    /// How often each thing was sent, and what was sent before those became too many.
    attempts: BTreeMap<(Kind, u64), u32>,
    attempts_before: BTreeMap<(Kind, u64), u32>,
    /// Datagrams so far.
    datagrams: u64,
}

impl Classifier {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(counting: Counting) -> Self {
        Self { counting, ..Self::default() }
    }

    /// How many frames have departed.
    #[must_use]
    pub const fn departed(&self) -> u64 {
        self.departed
    }

    /// A frame departs: what is it?
    pub fn frame_departs(
        &mut self,
        framing: Framing,
        direction: Direction,
        octets: &[u8],
        hint: Hint,
    ) -> Meta {
        let Some((upper, flow)) = upper_layer(framing, direction, octets) else {
            return self.other(direction, octets.len());
        };
        match upper {
            Upper::Tcp(parsed) => self.segment_departs(flow, &parsed, hint),
            Upper::Datagram => self.datagram_departs(flow),
        }
    }

    /// A packet of a textbook protocol departs: what is it?
    pub fn packet_departs(&mut self, direction: Direction, packet: Textbook) -> Meta {
        let flow = direction as u64;
        let again = packet.transmission == Transmission::Again;
        let role = self.role(packet.kind, packet.transmission);
        let attempt = self.attempt(flow, packet.kind, packet.place);
        debug_assert!(!again || attempt > 0 || self.departed > 0, "something is sent again that never left");
        let identity = Identity { flow, kind: packet.kind, place: packet.place, attempt };
        self.depart(role, None, packet.transmission, identity)
    }

    fn segment_departs(&mut self, flow_key: u64, parsed: &tcp::Parsed<'_>, hint: Hint) -> Meta {
        let control = parsed.segment.header.control;
        let length = parsed.segment.len();
        if self.flows.len() >= FLOWS && !self.flows.contains_key(&flow_key) {
            self.flows.pop_first();
        }
        let flow = self.flows.entry(flow_key).or_default();
        if control.syn() && flow.first_seq.is_some_and(|first| first != parsed.segment.header.seq) {
            let incarnation = flow.incarnation + 1;
            *flow = Flow { incarnation, ..Flow::default() };
        }
        let first_seq = *flow.first_seq.get_or_insert(parsed.segment.header.seq);
        let ack = parsed.segment.header.ack;
        let first_ack = if control.ack() { *flow.first_ack.get_or_insert(ack) } else { ack };
        let place = parsed.segment.header.seq.since(first_seq);
        let transmission = if hint == Hint::None && length > 0 && place < flow.sent_to {
            Transmission::Again
        } else {
            Transmission::First
        };
        if hint == Hint::None && length > 0 && !control.rst() {
            flow.sent_to = flow.sent_to.max(place.saturating_add(length));
        }
        let flow_identity = flow_key ^ flow.incarnation.rotate_left(48);
        let text = !parsed.segment.payload.is_empty();
        let kind = match () {
            () if control.rst() => Kind::Rst,
            () if control.syn() && control.ack() => Kind::SynAck,
            () if control.syn() => Kind::Syn,
            () if hint == Hint::Probe => Kind::Probe,
            () if text => Kind::Data,
            () if control.fin() => Kind::Fin,
            () => Kind::Ack,
        };
        let also = match kind {
            Kind::Data | Kind::Probe if control.fin() => Some(Kind::Fin),
            Kind::Syn | Kind::SynAck if text => Some(Kind::Data),
            _ => None,
        };
        let place = match kind {
            Kind::Ack => u64::from(parsed.segment.header.ack.since(first_ack)),
            _ => u64::from(place),
        };
        let attempt = self.attempt(flow_key, kind, place);
        let role = self.role(kind, transmission);
        let also = also.map(|kind| self.role(kind, transmission));
        self.depart(role, also, transmission, Identity { flow: flow_identity, kind, place, attempt })
    }

    fn datagram_departs(&mut self, flow_key: u64) -> Meta {
        if self.flows.len() >= FLOWS && !self.flows.contains_key(&flow_key) {
            self.flows.pop_first();
        }
        let flow = self.flows.entry(flow_key).or_default();
        let place = flow.datagrams;
        flow.datagrams += 1;
        let identity = Identity { flow: flow_key, kind: Kind::Data, place, attempt: 0 };
        let role = self.role(Kind::Data, Transmission::First);
        self.depart(role, None, Transmission::First, identity)
    }

    /// What we cannot read: known by its length and how many of that length came before.
    fn other(&mut self, direction: Direction, octets: usize) -> Meta {
        let place = octets as u64;
        let flow = direction as u64;
        let attempt = self.attempt(flow, Kind::Other, place);
        let role = self.role(Kind::Other, Transmission::First);
        let identity = Identity { flow, kind: Kind::Other, place, attempt };
        self.depart(role, None, Transmission::First, identity)
    }

    fn depart(
        &mut self,
        role: Role,
        also: Option<Role>,
        transmission: Transmission,
        identity: Identity,
    ) -> Meta {
        self.departed += 1;
        Meta { number: self.departed, role, also, transmission, identity }
    }

    /// The place of one more of this kind, if it is a first transmission.
    fn role(&mut self, kind: Kind, transmission: Transmission) -> Role {
        if transmission == Transmission::Again {
            return Role { kind, ordinal: None };
        }
        let count = self.firsts.entry(kind).or_default();
        *count += 1;
        let from_zero = self.counting == Counting::FromZero && kind == Kind::Data;
        Role { kind, ordinal: Some(*count - u64::from(from_zero)) }
    }

    /// How often this was sent before.
    fn attempt(&mut self, flow: u64, kind: Kind, place: u64) -> u32 {
        let flow = self.flows.entry(flow).or_default();
        let key = (kind, place);
        let before = flow.attempts.get(&key).or_else(|| flow.attempts_before.get(&key)).copied().unwrap_or(0);
        if flow.attempts.len() >= REMEMBERED {
            flow.attempts_before = core::mem::take(&mut flow.attempts);
        }
        flow.attempts.insert(key, before.saturating_add(1));
        before
    }
}

/// What IP carries, as far as a channel cares.
enum Upper<'a> {
    Tcp(tcp::Parsed<'a>),
    Datagram,
}

/// Reads a frame down to TCP or UDP, and makes a key of the addresses and ports.
fn upper_layer(framing: Framing, direction: Direction, octets: &[u8]) -> Option<(Upper<'_>, u64)> {
    let transport = transport_of(framing, octets)?;
    let payload = octets.get(transport.at..transport.end)?;
    let (ports, upper) = match transport.protocol {
        Protocol::TCP => {
            let parsed = tcp::parse(payload).ok()?;
            (parsed.ports, Upper::Tcp(parsed))
        }
        Protocol::UDP => {
            let start = payload.first_chunk::<4>()?;
            let ports = Ports {
                source: u16::from_be_bytes([start[0], start[1]]),
                destination: u16::from_be_bytes([start[2], start[3]]),
            };
            (ports, Upper::Datagram)
        }
        _ => return None,
    };
    let mut key = 0xcbf2_9ce4_8422_2325_u64;
    let mut absorb = |octet: u8| key = (key ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    for address in [transport.source, transport.destination] {
        match address {
            IpAddr::V4(address) => address.octets().into_iter().for_each(&mut absorb),
            IpAddr::V6(address) => address.octets().into_iter().for_each(&mut absorb),
        }
    }
    for port in [ports.source, ports.destination] {
        port.to_be_bytes().into_iter().for_each(&mut absorb);
    }
    absorb(transport.protocol.0);
    absorb(direction as u8);
    Some((upper, key))
}

/// Where the transport's header and data stand in a frame, and between whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transport {
    /// The first octet.
    pub(super) at: usize,
    /// One after the last octet.
    pub(super) end: usize,
    pub(super) protocol: Protocol,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
}

/// Finds the transport in a frame; none in fragments and in what is not IP.
pub(super) fn transport_of(framing: Framing, octets: &[u8]) -> Option<Transport> {
    let ip_at = match framing {
        Framing::Ip | Framing::Textbook => 0,
        Framing::Ethernet => match octets.get(12..14)? {
            [0x08, 0x00] | [0x86, 0xdd] => 14,
            _ => return None,
        },
        Framing::Opaque => return None,
    };
    let packet = octets.get(ip_at..)?;
    match Version::of(packet)? {
        Version::V4 => {
            let parsed = ipv4::parse(packet).ok()?;
            if parsed.header.is_fragment() {
                return None;
            }
            let at = ip_at + parsed.header_octets.len();
            Some(Transport {
                at,
                end: at + parsed.payload.len(),
                protocol: parsed.header.protocol,
                source: parsed.header.source.into(),
                destination: parsed.header.destination.into(),
            })
        }
        Version::V6 => {
            let parsed = ipv6::parse(packet).ok()?;
            let upper = parsed.upper_layer().ok()?;
            if upper.fragment.is_some() {
                return None;
            }
            let at = ip_at + upper.at;
            Some(Transport {
                at,
                end: at + upper.payload.len(),
                protocol: upper.protocol,
                source: parsed.header.source.into(),
                destination: parsed.header.destination.into(),
            })
        }
    }
}
