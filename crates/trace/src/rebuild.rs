//! A trace from packets alone: what a capture shows of flows, losses and retransmissions.
//!
//! Our own captures have both vantage points: a packet that went out of one interface and came in at
//! another arrived, and one that never came in was lost. They tell the two apart by `epb_packetid`;
//! in others' captures the headers and octets must do. A capture from one place has each packet once,
//! and what it shows as sent is taken to have arrived at the same moment.
//!
//! Comments are kept as the reasons in words. Nothing is known for sure: all hosts are
//! [`Source::Inferred`].
//!
//! States are those that a side must be in after such packets. Left out: reasons where there is no
//! comment; guessing them is not for whoever only reads.

mod one_end;
mod states;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_tcp::{Note, State};
use aperto_time::{Duration, Instant};

use crate::capture::{Capture, Frame};
use crate::dissect::{dissect, identity};
use crate::header::{HostInfo, InterfaceInfo, Link, LinkType, Role, Source, TraceHeader};
use crate::packet::{Endpoints, Packet, Transport};
use crate::pcapng::FrameDirection;
use crate::record::{ChannelEvent, FlowId, HostId, LossCause, Number, Vantage};
use crate::recorder::{Limits, Meaning, Recorder};
use crate::trace::Trace;
use states::Side;

pub use one_end::rebuild_one_end;

/// Of one interface no more is learnt than this many addresses.
const MOST_ADDRESSES: usize = 64;
/// Packets that look the same are looked for on this many interfaces.
const MOST_SENDERS: usize = 16;
/// More hosts than this have no place in a [`HostId`].
const MOST_HOSTS: usize = 255;

/// Makes a trace of a capture.
#[must_use]
pub fn rebuild(capture: &Capture) -> Trace {
    build(capture, false)
}

/// Makes a trace; where it is of one end, only what was seen there happened.
fn build(capture: &Capture, one_end: bool) -> Trace {
    let mut header = header_of(capture);
    let mut frames: Vec<Seen<'_>> = capture.frames.iter().map(|frame| Seen::new(capture, frame)).collect();
    frames.sort_by_key(|seen| seen.frame.at_ns);
    let is_ours = !header.version.is_empty();
    if !is_ours {
        header.epoch_ns = frames.first().map(|seen| seen.frame.at_ns);
    }
    // Virtual time begins at zero, and so do the times of our own file.
    let epoch_ns = header.epoch_ns.unwrap_or(0);
    let both_ends = one_end || has_both_ends(&frames);
    if both_ends {
        header.hosts = hosts_of_interfaces(capture, &frames);
        pair_up(&mut frames);
    } else {
        header.hosts = two_hosts(capture, &frames);
    }
    let limits = Limits { records: usize::MAX, flows: usize::MAX, ..Limits::default() };
    let mut builder = Builder {
        recorder: Recorder::new(header, limits),
        epoch_ns,
        numbers: BTreeMap::new(),
        sides: BTreeMap::new(),
        answers: answers(&frames),
    };
    for place in 0..frames.len() {
        if both_ends {
            builder.seen_at_an_end(&frames, place);
        } else {
            builder.seen_on_the_way(&frames, place);
        }
    }
    builder.recorder.into_trace()
}

/// A frame and what its headers say.
struct Seen<'a> {
    frame: &'a Frame,
    packet: Packet,
    /// The departure of an arrival: a place among the frames.
    departure: Option<usize>,
    /// Whether this departure arrived somewhere.
    arrives: bool,
    /// How many arrivals of the same departure came before this one.
    copy: u32,
}

impl<'a> Seen<'a> {
    fn new(capture: &Capture, frame: &'a Frame) -> Self {
        let link_type = capture.interfaces.get(frame.interface).map_or(LinkType::Ip, |known| known.link_type);
        let mut packet = dissect(Number(1), link_type, &frame.octets, frame.original_length);
        packet.comment = frame.comment.as_deref().map(Into::into);
        Self { frame, packet, departure: None, arrives: false, copy: 0 }
    }

    /// What is the same at both ends.
    fn name(&self) -> Name {
        match self.frame.packet_id {
            Some(id) => (Some(id), 0),
            None => (None, identity(&self.packet)),
        }
    }
}

/// Whether frames were seen to leave on one interface and to arrive on another.
fn has_both_ends(frames: &[Seen<'_>]) -> bool {
    let interfaces = |direction| -> BTreeSet<usize> {
        let going = frames.iter().filter(|seen| seen.frame.direction == Some(direction));
        going.map(|seen| seen.frame.interface).collect()
    };
    let out = interfaces(FrameDirection::Outbound);
    let into = interfaces(FrameDirection::Inbound);
    out.iter().any(|one| into.iter().any(|other| one != other)) || out.len() > 1
}

/// What is the same of a packet at both ends: its id, or what it looks like.
type Name = (Option<u64>, u64);

/// Departures of one name.
#[derive(Default)]
struct Departures {
    /// Those that have not arrived, by interface, as places among the frames in order of time.
    open: BTreeMap<usize, Vec<usize>>,
    /// The last one that has arrived, and how many times.
    arrived: Option<(usize, u32)>,
}

impl Departures {
    /// The last departure from another interface that has not arrived, or the last that has.
    fn take(&mut self, arrives_at: usize) -> Option<(usize, u32)> {
        let others = self.open.iter_mut().filter(|(interface, _)| **interface != arrives_at);
        let latest = others.take(MOST_SENDERS).max_by_key(|(_, places)| places.last().copied());
        if let Some(place) = latest.and_then(|(_, places)| places.pop()) {
            self.arrived = Some((place, 1));
            return Some((place, 0));
        }
        // A second arrival of the same departure is a copy that the channel made.
        let (place, times) = self.arrived.as_mut()?;
        let copy = *times;
        *times = times.saturating_add(1);
        Some((*place, copy))
    }
}

/// Finds the departure of each arrival: of several that look the same, the last one before it.
fn pair_up(frames: &mut [Seen<'_>]) {
    let mut left: BTreeMap<Name, Departures> = BTreeMap::new();
    for place in 0..frames.len() {
        let Some(seen) = frames.get_mut(place) else { return };
        let (name, interface) = (seen.name(), seen.frame.interface);
        if seen.frame.direction == Some(FrameDirection::Outbound) {
            left.entry(name).or_default().open.entry(interface).or_default().push(place);
            continue;
        }
        let Some((departure, copy)) = left.get_mut(&name).and_then(|all| all.take(interface)) else {
            continue;
        };
        seen.departure = Some(departure);
        seen.copy = copy;
        if let Some(departure) = frames.get_mut(departure) {
            departure.arrives = true;
        }
    }
}

/// Writes the records.
struct Builder {
    recorder: Recorder,
    epoch_ns: u64,
    /// The number of a departure, by its place among the frames.
    numbers: BTreeMap<usize, Number>,
    /// The two sides of connections whose beginning was seen, the client first.
    sides: BTreeMap<FlowId, [Side; 2]>,
    /// Where SYNs and resets stand, and whether it is a reset, by the endpoints they have.
    answers: BTreeMap<Endpoints, Vec<(usize, bool)>>,
}

/// Finds SYNs and resets.
fn answers(frames: &[Seen<'_>]) -> BTreeMap<Endpoints, Vec<(usize, bool)>> {
    let mut answers: BTreeMap<Endpoints, Vec<(usize, bool)>> = BTreeMap::new();
    for (place, seen) in frames.iter().enumerate() {
        let Some(control) = seen.packet.tcp().map(|segment| segment.header.control) else { continue };
        if control.syn() || control.rst() {
            answers.entry(seen.packet.endpoints).or_default().push((place, control.rst()));
        }
    }
    answers
}

impl Builder {
    fn at(&self, frame: &Frame) -> Instant {
        Instant::from_nanos(frame.at_ns.saturating_sub(self.epoch_ns))
    }

    fn named(&self, packet: &Packet) -> Packet {
        Packet { number: self.recorder.next_number(), ..packet.clone() }
    }

    /// A frame of a capture with both ends.
    fn seen_at_an_end(&mut self, frames: &[Seen<'_>], place: usize) {
        let Some(seen) = frames.get(place) else { return };
        let at = self.at(seen.frame);
        let vantage = vantage_of_interface(seen.frame.interface);
        let packet = self.named(&seen.packet);
        if seen.frame.direction == Some(FrameDirection::Outbound) {
            let to = packet.endpoints.destination.ip();
            let number = self.recorder.packet_left(at, vantage, None, packet, Meaning::Plain);
            self.numbers.insert(place, number);
            self.state_of_sender(at, vantage, &seen.packet);
            if !seen.arrives && self.is_elsewhere(vantage, to) {
                self.recorder.channel(at, number, 0, ChannelEvent::Lost(LossCause::Unknown));
            }
            return;
        }
        match seen.departure.and_then(|departure| self.numbers.get(&departure)).copied() {
            Some(number) => {
                if seen.copy > 0 {
                    let by = crate::record::Origin::Random;
                    self.recorder.channel(at, number, seen.copy, ChannelEvent::Duplicated { by });
                }
                let same = self.recorder.trace().packet(number).is_none_or(|left| left.frame == packet.frame);
                if same {
                    self.recorder.arrived(at, vantage, number, seen.copy);
                    self.state_of_receiver(at, vantage, place, &seen.packet);
                } else {
                    self.recorder.arrived_damaged(at, vantage, number, seen.copy, &packet.frame);
                }
            }
            None => {
                self.recorder.packet_arrived(at, vantage, packet);
                self.state_of_receiver(at, vantage, place, &seen.packet);
            }
        }
    }

    /// Whether the address is that of another host whose interface was captured.
    fn is_elsewhere(&self, sender: Vantage, address: IpAddr) -> bool {
        let hosts = &self.recorder.trace().header.hosts;
        let other = |(place, host): (usize, &HostInfo)| {
            u8::try_from(place).ok().map(HostId) != sender.host_id() && host.has_address(address)
        };
        hosts.iter().enumerate().any(other)
    }

    /// A frame of a capture from one place: it left one side and reached the other.
    fn seen_on_the_way(&mut self, frames: &[Seen<'_>], place: usize) {
        let Some(seen) = frames.get(place) else { return };
        let at = self.at(seen.frame);
        let from_client = self.is_from_client(&seen.packet);
        let (sender, receiver) = if from_client { (HostId(0), HostId(1)) } else { (HostId(1), HostId(0)) };
        let packet = self.named(&seen.packet);
        let number =
            self.recorder.packet_left(at, Vantage::host(sender), Some(receiver), packet, Meaning::Plain);
        self.state_of_sender(at, Vantage::host(sender), &seen.packet);
        self.recorder.arrived(at, Vantage::host(receiver), number, 0);
        self.state_of_receiver(at, Vantage::host(receiver), place, &seen.packet);
    }

    fn state_of_sender(&mut self, at: Instant, vantage: Vantage, packet: &Packet) {
        let Transport::Tcp(segment) = &packet.transport else { return };
        let Some((side, host)) = self.side(vantage, packet, packet.endpoints) else { return };
        if let Some(moved) = side.leaves(&segment.header, packet.payload_length) {
            self.moved(at, host, packet.endpoints, moved);
        }
    }

    fn state_of_receiver(&mut self, at: Instant, vantage: Vantage, place: usize, packet: &Packet) {
        let Transport::Tcp(segment) = &packet.transport else { return };
        let own = packet.endpoints.reversed();
        if segment.header.control.syn() && self.refuses(own, place) {
            return;
        }
        let Some((side, host)) = self.side(vantage, packet, own) else { return };
        for moved in side.arrives(&segment.header, packet.payload_length).into_iter().flatten() {
            self.moved(at, host, own, moved);
        }
    }

    /// Whether these endpoints answer what came at this place with a reset: nobody was listening.
    fn refuses(&self, own: Endpoints, place: usize) -> bool {
        let Some(answers) = self.answers.get(&own) else { return false };
        let next = answers.partition_point(|(at, _)| *at <= place);
        let opened = answers.get(..next).unwrap_or(&[]).iter().rev().take(1).any(|(_, is_reset)| !is_reset);
        !opened && answers.get(next).is_some_and(|(_, is_reset)| *is_reset)
    }

    /// The side whose endpoints, as it sends, are these; none where the beginning was not seen.
    fn side(&mut self, vantage: Vantage, packet: &Packet, own: Endpoints) -> Option<(&mut Side, HostId)> {
        let flow = self.recorder.known_flow(packet)?;
        let direction = flow.direction(own)?;
        let begins = packet.tcp().is_some_and(|segment| segment.header.control.syn());
        let id = flow.id;
        if begins {
            let new = || [Side::new(State::Closed), Side::new(State::Listen)];
            self.sides.entry(id).or_insert_with(new);
        }
        let side = self.sides.get_mut(&id)?.get_mut(direction.place())?;
        Some((side, vantage.host_id()?))
    }

    fn moved(&mut self, at: Instant, host: HostId, own: Endpoints, (from, to, cause): states::Move) {
        self.recorder.note(at, host, own, Note::State { from, to, cause });
    }

    /// Whether it goes in the direction of the one who opened.
    fn is_from_client(&self, packet: &Packet) -> bool {
        if let Transport::Tcp(segment) = &packet.transport
            && segment.header.control.syn()
        {
            return !segment.header.control.ack();
        }
        let flow = self.recorder.known_flow(packet);
        flow.and_then(|flow| flow.direction(packet.endpoints)).is_none_or(|way| way == crate::Direction::Up)
    }
}

fn vantage_of_interface(interface: usize) -> Vantage {
    u8::try_from(interface).map_or(Vantage::Channel, |host| Vantage::host(HostId(host)))
}

/// Each interface is a host; its addresses are those from which it sends and to which it is sent.
fn hosts_of_interfaces(capture: &Capture, frames: &[Seen<'_>]) -> Vec<HostInfo> {
    let mut addresses: Vec<BTreeSet<IpAddr>> = Vec::new();
    addresses.resize_with(capture.interfaces.len().min(MOST_HOSTS), BTreeSet::new);
    let mut opener = None;
    for seen in frames {
        let endpoints = seen.packet.endpoints;
        let (own, leaves) = match seen.frame.direction {
            Some(FrameDirection::Outbound) => (endpoints.source.ip(), true),
            Some(FrameDirection::Inbound) => (endpoints.destination.ip(), false),
            None => continue,
        };
        if let Some(known) = addresses.get_mut(seen.frame.interface)
            && known.len() < MOST_ADDRESSES
            && !own.is_unspecified()
        {
            known.insert(own);
        }
        // Who sends the first packet that has a flow is the client.
        let has_flow = !matches!(seen.packet.transport, Transport::Arp | Transport::Other { .. });
        if opener.is_none() && leaves && has_flow {
            opener = Some(seen.frame.interface);
        }
    }
    let interfaces = capture.interfaces.iter().zip(addresses).enumerate();
    interfaces
        .map(|(place, (interface, addresses))| {
            let name = interface.name.clone().unwrap_or_else(|| format!("interface {place}"));
            let role = match name.as_str() {
                "client" => Role::Client,
                "server" => Role::Server,
                _ if opener == Some(place) => Role::Client,
                _ if capture.interfaces.len() == 2 => Role::Server,
                _ => Role::Other,
            };
            host(name, role, addresses.into_iter().collect(), interface.link_type)
        })
        .collect()
}

/// The two sides of a capture from one place: whoever opens, and whoever is there.
fn two_hosts(capture: &Capture, frames: &[Seen<'_>]) -> Vec<HostInfo> {
    let link_type = capture.interfaces.first().map_or(LinkType::Ip, |interface| interface.link_type);
    let first =
        frames.iter().find(|seen| !matches!(seen.packet.transport, Transport::Arp | Transport::Other { .. }));
    let endpoints = first.map(|seen| seen.packet.endpoints);
    // Both ends of a loopback have the same address, which then tells nothing.
    let tells = endpoints.filter(|pair| pair.source.ip() != pair.destination.ip());
    let of = |address: Option<IpAddr>| address.into_iter().collect::<Vec<_>>();
    Vec::from([
        host(String::from("client"), Role::Client, of(tells.map(|pair| pair.source.ip())), link_type),
        host(String::from("server"), Role::Server, of(tells.map(|pair| pair.destination.ip())), link_type),
    ])
}

fn host(name: String, role: Role, addresses: Vec<IpAddr>, link_type: LinkType) -> HostInfo {
    let interface = InterfaceInfo { name: name.clone(), addresses, link_type, mtu: 0 };
    HostInfo { name, role, source: Source::Inferred, interfaces: Vec::from([interface]) }
}

/// What our own section comment says; of others' captures only the program's name.
fn header_of(capture: &Capture) -> TraceHeader {
    let mut header = TraceHeader { wire: "capture".to_string(), ..TraceHeader::default() };
    let ours = capture.section.comments.iter().find_map(|comment| comment.strip_prefix("aperto "));
    let Some(comment) = ours else { return header };
    let mut lines = comment.lines();
    header.version = lines.next().unwrap_or("").to_string();
    let mut link = Link::default();
    for line in lines {
        let Some((name, value)) = line.split_once(": ") else { continue };
        match name {
            "command" => header.command = value.to_string(),
            "seed" => header.seed = value.parse().ok(),
            "tag" => header.tag = Some(value.to_string()),
            "wire" => header.wire = value.to_string(),
            "protocol" => header.protocol = value.to_string(),
            "epoch_ns" => header.epoch_ns = value.parse().ok(),
            "rtt_ns" => {
                // Which part of it is which way is not in the file.
                let rtt = Duration::from_nanos(value.parse().unwrap_or(0));
                link.delay_up = rtt / 2;
                link.delay_down = rtt - rtt / 2;
            }
            "impairments" => link.impairments = value.to_string(),
            _ => {}
        }
    }
    header.link = (link != Link::default()).then_some(link);
    header
}

#[cfg(test)]
mod tests;
