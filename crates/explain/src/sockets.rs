//! The calls of an application on its sockets, and the segments that each of them makes, or does not.
//!
//! A trace has the calls of RFC 9293 §3.9.1 (OPEN, SEND, CLOSE); students write `socket`, `bind`,
//! `connect`. [`Sockets`] takes the records of one flow and says which of those calls stand behind
//! them ([`Seen`]); a view finds the segment that a call makes ([`Makes::fits`]) and puts both into a
//! sentence ([`sentence`](crate::text::socket)). What a record does not tell is not made up: where the
//! system's own sockets are used, segments are likely at best ([`Effect::Likely`]).
//!
//! A close before the peer has closed is told as `shutdown(SHUT_WR)`, because the side goes on
//! hearing; whoever closes second needs no more than `close()`.

use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_tcp::State;
use aperto_trace::{Call, Fact, Number, Packet, Protocol, Record, Transport};

use crate::facts::{FlowFacts, place};

/// A call as a program writes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SocketCall {
    /// `socket()`.
    Socket,
    /// `bind()`.
    Bind(SocketAddr),
    /// `listen()`.
    Listen,
    /// `accept()` returns.
    Accept,
    /// `connect()`.
    Connect(SocketAddr),
    /// `send()` of so many octets.
    Send(u64),
    /// `recv()` returns so many octets.
    Recv(u64),
    /// `recv()` returns nothing: the peer has closed.
    RecvEnd,
    /// `shutdown(SHUT_WR)`.
    Shutdown,
    /// `close()`.
    Close,
    /// `close()` that resets.
    Abort,
    /// `sendto()` of so many octets.
    SendTo(u64),
    /// `recvfrom()` returns so many octets.
    RecvFrom(u64),
}

/// What a call has to do with segments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// The first segment that it makes, and the last; of `connect()`, the one with which it returns.
    Leaves(Number, Number),
    /// The first and the last segment that brought what it returns.
    Brought(Number, Number),
    /// The first of the segments that it makes; the others leave later.
    Begins(Number),
    /// A segment will leave, but not now.
    Later,
    /// The segments are the operating system's, and not seen.
    Likely,
}

/// What a call makes leave.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Makes {
    /// Nothing, and what it has to do with segments is known already.
    Known(Effect),
    /// The SYN.
    Syn,
    /// Text of the stream, from an octet up to another.
    Text {
        /// The first.
        from: u64,
        /// The one after the last.
        to: u64,
    },
    /// A datagram.
    Datagram,
    /// The FIN.
    Fin,
    /// The RST.
    Reset,
    /// FIN or RST, if either did not leave before.
    End,
}

/// A call that stands behind a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seen {
    /// Which.
    pub call: SocketCall,
    /// What it makes.
    pub makes: Makes,
}

const fn seen(call: SocketCall, makes: Makes) -> Seen {
    Seen { call, makes }
}

const NOTHING: Makes = Makes::Known(Effect::Nothing);

impl Makes {
    /// Whether a packet that the caller sends is made by the call.
    #[must_use]
    pub fn fits(self, packet: &Packet, facts: &FlowFacts) -> bool {
        let Some(segment) = packet.tcp() else {
            return self == Self::Datagram && matches!(packet.transport, Transport::Udp);
        };
        let control = segment.header.control;
        match self {
            Self::Known(_) | Self::Datagram => false,
            Self::Syn => control.syn(),
            Self::Text { from, to } => {
                let begins = text_begins(packet, facts);
                let ends = begins.map(|begins| begins + u64::from(packet.payload_length));
                segment.of.is_none()
                    && packet.payload_length > 0
                    && begins.is_some_and(|begins| begins < to)
                    && ends.is_some_and(|ends| ends > from)
            }
            Self::Fin => control.fin(),
            Self::Reset => control.rst(),
            Self::End => control.fin() || control.rst(),
        }
    }

    /// Whether nothing is left to look for once this packet was found.
    #[must_use]
    pub fn ends_with(self, packet: &Packet, facts: &FlowFacts) -> bool {
        match self {
            Self::Text { to, .. } => text_begins(packet, facts)
                .is_some_and(|begins| begins + u64::from(packet.payload_length) >= to),
            _ => true,
        }
    }
}

/// Which octet of its stream a segment begins with.
fn text_begins(packet: &Packet, facts: &FlowFacts) -> Option<u64> {
    let direction = facts.flow().direction(packet.endpoints)?;
    let seq = facts.flow().relative_seq(direction, packet.tcp()?.header.seq)?;
    Some(u64::from(seq.checked_sub(1)?))
}

/// What a server does before anybody comes.
#[must_use]
pub fn listening(local: SocketAddr) -> [Seen; 3] {
    [
        seen(SocketCall::Socket, NOTHING),
        seen(SocketCall::Bind(local), NOTHING),
        seen(SocketCall::Listen, NOTHING),
    ]
}

/// Reads the calls of both sides from the records of a flow.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    sides: [SideCalls; 2],
}

#[derive(Clone, Debug, Default)]
struct SideCalls {
    /// Packets with text that were not read yet.
    unread: Option<(Number, Number)>,
    /// The segment that made the connection ready, and the last that arrived.
    ready: Option<Number>,
    arrived: Option<Number>,
    peer_closed: bool,
    shut: bool,
    /// Calls that come once all text is read.
    after_reading: Vec<Seen>,
}

impl Sockets {
    /// The calls behind a record; the facts have learned it already. `packet` is the one it is about.
    pub fn learn(&mut self, record: &Record, facts: &FlowFacts, packet: Option<&Packet>) -> Vec<Seen> {
        let Some(side) = facts.seen_by(record.vantage) else { return Vec::new() };
        match facts.flow().protocol {
            Protocol::Tcp => self.sides[place(side)].of_tcp(record, packet),
            Protocol::Udp => self.sides[place(side)].of_udp(record),
            Protocol::Arq | Protocol::Icmp | Protocol::Arp | Protocol::Other(_) => Vec::new(),
        }
    }
}

impl SideCalls {
    fn of_tcp(&mut self, record: &Record, packet: Option<&Packet>) -> Vec<Seen> {
        match &record.fact {
            Fact::Arrived { number, packet: own, .. } => {
                let packet = own.as_deref().or(packet);
                self.arrived = Some(*number);
                if packet.is_some_and(|packet| packet.payload_length > 0) {
                    self.unread = Some(self.unread.map_or((*number, *number), |(first, _)| (first, *number)));
                }
                Vec::new()
            }
            Fact::State { from, to, segment, .. } => self.moved(*from, *to, *segment),
            Fact::Call(call) => self.called(call),
            Fact::Delivered { length, .. } => {
                let effect = match self.unread.take() {
                    Some((first, last)) => Effect::Brought(first, last),
                    None => Effect::Nothing,
                };
                let mut calls = vec![seen(SocketCall::Recv(u64::from(*length)), Makes::Known(effect))];
                calls.append(&mut self.after_reading);
                calls
            }
            _ => Vec::new(),
        }
    }

    fn moved(&mut self, from: State, to: State, segment: Option<Number>) -> Vec<Seen> {
        let mut calls = Vec::new();
        if to == State::Established {
            self.ready = segment;
        }
        // In these moves the peer's FIN has arrived. RFC 9293 §3.3.2, figure 5.
        let fin_arrived = matches!(to, State::CloseWait | State::Closing)
            || (to == State::TimeWait && matches!(from, State::FinWait1 | State::FinWait2));
        if fin_arrived {
            self.peer_closed = true;
            let effect = segment.map_or(Effect::Nothing, |segment| Effect::Brought(segment, segment));
            calls.push(seen(SocketCall::RecvEnd, Makes::Known(effect)));
        }
        if to == State::TimeWait && core::mem::take(&mut self.shut) {
            calls.push(seen(SocketCall::Close, NOTHING));
        }
        // The end of a stream is read after its text.
        if self.unread.is_some() {
            self.after_reading.append(&mut calls);
        }
        calls
    }

    fn called(&mut self, call: &Call) -> Vec<Seen> {
        match call {
            Call::Listen { local } => listening(*local).to_vec(),
            Call::Connect { remote } => {
                vec![seen(SocketCall::Socket, NOTHING), seen(SocketCall::Connect(*remote), Makes::Syn)]
            }
            Call::Accept => {
                let effect = self
                    .ready
                    .or(self.arrived)
                    .map_or(Effect::Nothing, |ready| Effect::Brought(ready, ready));
                vec![seen(SocketCall::Accept, Makes::Known(effect))]
            }
            Call::Send { offset, length, .. } => {
                let length = u64::from(*length);
                let text = Makes::Text { from: *offset, to: offset.saturating_add(length) };
                vec![seen(SocketCall::Send(length), text)]
            }
            Call::Close if self.peer_closed => vec![seen(SocketCall::Close, Makes::Fin)],
            Call::Close => {
                self.shut = true;
                vec![seen(SocketCall::Shutdown, Makes::Fin)]
            }
            Call::Release => vec![seen(SocketCall::Close, Makes::End)],
            Call::Abort => vec![seen(SocketCall::Abort, Makes::Reset)],
        }
    }

    fn of_udp(&mut self, record: &Record) -> Vec<Seen> {
        match &record.fact {
            Fact::Arrived { number, .. } => {
                self.unread = Some((*number, *number));
                Vec::new()
            }
            Fact::Call(Call::Send { length, .. }) => {
                vec![seen(SocketCall::SendTo(u64::from(*length)), Makes::Datagram)]
            }
            Fact::Delivered { length, .. } => {
                let effect = match self.unread.take() {
                    Some((first, last)) => Effect::Brought(first, last),
                    None => Effect::Nothing,
                };
                vec![seen(SocketCall::RecvFrom(u64::from(*length)), Makes::Known(effect))]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
