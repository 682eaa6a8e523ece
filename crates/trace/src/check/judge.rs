//! Whether claims hold, and by which packets one sees it.

use alloc::vec::Vec;

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header};

use super::stream::{Found, Said, Stream};
use super::{Bounds, Claim, Counted, Side, What};
use crate::flow::{Direction, Flow};
use crate::packet::Packet;
use crate::record::{ChannelEvent, Fact, Number};
use crate::trace::{Journey, Trace};

/// How many packets are named at most.
const MOST_NAMED: usize = 4;

/// What became of a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// The packets that show it.
    pub packets: Vec<Number>,
    /// What was found.
    pub evidence: Evidence,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// There is no such connection; how many there are.
    NoStream(u64),
    /// It is about TCP, and this is not.
    NotTcp,
    /// Nothing of the kind.
    Nothing,
    /// The packets say it.
    Packets,
    /// What was said, and what was answered so much later.
    Answered(Duration),
    /// What was said, and never answered.
    Unanswered,
    /// What should have been answered was never said.
    NeverSaid,
    /// Who closed first, with which flags, from which port.
    Closed(Side, Control, u16),
    /// How many segments closed it; whose acknowledgment shared the segment of its FIN.
    CloseSegments(u64, Option<(Side, Number)>),
    /// Packets of this connection, of all.
    Traffic(u64, u64),
    /// So many.
    Count(u64),
    /// The port.
    Port(u16),
    /// The initial sequence numbers, as far as they were seen.
    Isn(Option<u32>, Option<u32>),
    /// So long.
    Lasted(Duration),
}

/// A packet of the connection.
struct Row<'a> {
    number: Number,
    at: Instant,
    direction: Direction,
    packet: &'a Packet,
    journey: &'a Journey,
    lost: bool,
}

/// One connection, looked at once for all claims about it.
struct View<'a> {
    trace: &'a Trace,
    flow: &'a Flow,
    rows: Vec<Row<'a>>,
}

/// Judges claims, each by itself.
#[must_use]
pub fn judge(trace: &Trace, claims: &[Claim]) -> Vec<Verdict> {
    let mut view: Option<(u32, Option<View<'_>>)> = None;
    claims
        .iter()
        .map(|claim| {
            if view.as_ref().is_none_or(|(stream, _)| *stream != claim.stream) {
                view = Some((claim.stream, View::of(trace, claim.stream)));
            }
            let streams = || trace.flows().count() as u64;
            let verdict = match view.as_ref().and_then(|(_, view)| view.as_ref()) {
                _ if matches!(claim.what, What::Count(Counted::Streams, _)) => {
                    let What::Count(_, bounds) = claim.what else { return nothing() };
                    counted(streams(), bounds, Vec::new())
                }
                Some(view) => view.judge(&claim.what),
                None => Verdict { evidence: Evidence::NoStream(streams()), ..nothing() },
            };
            // Of what is not there nothing is true, and neither is the opposite.
            let there = !matches!(verdict.evidence, Evidence::NoStream(_) | Evidence::NotTcp);
            Verdict { holds: there && verdict.holds != claim.not, ..verdict }
        })
        .collect()
}

fn nothing() -> Verdict {
    Verdict { holds: false, packets: Vec::new(), evidence: Evidence::Nothing }
}

fn counted(number: u64, bounds: Bounds, mut packets: Vec<Number>) -> Verdict {
    packets.truncate(MOST_NAMED);
    Verdict { holds: bounds.hold(number), packets, evidence: Evidence::Count(number) }
}

impl<'a> View<'a> {
    fn of(trace: &'a Trace, stream: u32) -> Option<Self> {
        let flow = trace.flows().nth(usize::try_from(stream).ok()?)?;
        let rows = trace.journeys().filter_map(|(number, journey)| {
            let record = trace.records().get(journey.packet?)?;
            if record.flow != Some(flow.id) {
                return None;
            }
            let packet = record.packet()?;
            let direction = flow.direction(packet.endpoints)?;
            let lost = journey.arrivals.is_empty() && is_lost(trace, journey);
            Some(Row { number, at: record.at, direction, packet, journey, lost })
        });
        Some(Self { trace, flow, rows: rows.collect() })
    }

    fn judge(&self, what: &What) -> Verdict {
        let tcp_only = matches!(
            what,
            What::Handshake(_)
                | What::ClosedFirst(_)
                | What::CloseSegments(_)
                | What::State(..)
                | What::Isn { .. }
                | What::Count(
                    Counted::Retransmissions | Counted::ZeroWindows | Counted::Resets | Counted::Flags(_),
                    _
                )
        );
        if tcp_only && self.flow.protocol != crate::Protocol::Tcp {
            return Verdict { evidence: Evidence::NotTcp, ..nothing() };
        }
        match what {
            What::Handshake(within) => self.handshake(*within),
            What::Answer { asked, answered, by, within } => self.answer(asked, answered, *by, *within),
            What::Delivered { text, to } => self.delivered(text, *to),
            What::ClosedFirst(side) => self.closed_first(*side),
            What::CloseSegments(bounds) => self.close_segments(*bounds),
            What::OtherTraffic => self.other_traffic(),
            What::Count(what, bounds) => self.count(*what, *bounds),
            What::Port(side, bounds) => {
                let ends = self.flow.endpoints;
                let port = if *side == Side::Client { ends.source } else { ends.destination }.port();
                let evidence = Evidence::Port(port);
                Verdict { holds: bounds.hold(u64::from(port)), evidence, ..nothing() }
            }
            What::Isn { client, server } => {
                let seen =
                    |way| self.flow.initial(way).filter(|_| self.flow.syn_seen(way)).map(SeqNumber::value);
                let (up, down) = (seen(Direction::Up), seen(Direction::Down));
                let holds = up == Some(*client) && down == Some(*server);
                Verdict { holds, evidence: Evidence::Isn(up, down), ..nothing() }
            }
            What::State(state, side) => self.state(*state, *side),
            What::Duration(bounds) => {
                let ends = self.rows.first().zip(self.rows.last());
                let lasted = ends.map_or(Duration::ZERO, |(first, last)| last.at.since(first.at));
                let nanoseconds = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
                let packets =
                    ends.map(|(first, last)| Vec::from([first.number, last.number])).unwrap_or_default();
                Verdict { holds: bounds.hold(nanoseconds), packets, evidence: Evidence::Lasted(lasted) }
            }
        }
    }

    fn segments(&self) -> impl Iterator<Item = (&Row<'a>, &Header)> {
        self.rows.iter().filter_map(|row| Some((row, &row.packet.tcp()?.header)))
    }

    fn handshake(&self, within: Option<Bounds>) -> Verdict {
        let opens = |header: &Header, ack: bool| header.control.syn() && header.control.ack() == ack;
        let find = |from: Number, is: &dyn Fn(&Row<'_>, &Header) -> bool| {
            self.segments().find(|(row, header)| row.number >= from && !row.lost && is(row, header))
        };
        let syn = find(Number(1), &|row, header| row.direction == Direction::Up && opens(header, false));
        let Some((syn, its)) = syn else { return nothing() };
        let next = its.seq + 1;
        let answer = find(syn.number, &|row, header| {
            row.direction == Direction::Down && opens(header, true) && header.ack == next
        });
        let Some((answer, its)) = answer else {
            return Verdict { packets: Vec::from([syn.number]), ..nothing() };
        };
        let next = its.seq + 1;
        let ack = find(answer.number, &|row, header| {
            row.direction == Direction::Up
                && !header.control.syn()
                && header.control.ack()
                && header.ack == next
        });
        let mut packets = Vec::from([syn.number, answer.number]);
        let Some((ack, _)) = ack else { return Verdict { packets, ..nothing() } };
        packets.push(ack.number);
        let inside = |number: &Number| within.is_none_or(|bounds| bounds.hold(u64::from(number.0)));
        Verdict { holds: packets.iter().all(inside), packets, evidence: Evidence::Packets }
    }

    /// What a side said; only what arrived, where that is asked for.
    fn stream(&self, side: Side, arrived: bool) -> Stream {
        let of_side = self.rows.iter().filter(|row| row.direction == side.sends() && !(arrived && row.lost));
        Stream::of(
            of_side
                .map(|row| Said {
                    number: row.number,
                    at: row.at,
                    offset: row
                        .packet
                        .tcp()
                        .and_then(|segment| self.flow.relative_seq(row.direction, segment.header.seq)),
                    packet: row.packet,
                })
                .collect(),
        )
    }

    fn answer(&self, asked: &[u8], answered: &[u8], by: Side, within: Option<Duration>) -> Verdict {
        let other = if by == Side::Client { Side::Server } else { Side::Client };
        let Some(question) = self.stream(other, true).find(asked, None) else {
            return Verdict { evidence: Evidence::NeverSaid, ..nothing() };
        };
        let answer: Option<Found> = self.stream(by, false).find(answered, Some(question.at));
        let Some(answer) = answer else {
            let packets = Vec::from([question.number]);
            return Verdict { packets, evidence: Evidence::Unanswered, ..nothing() };
        };
        let took = answer.at.since(question.at);
        Verdict {
            holds: within.is_none_or(|within| took <= within),
            packets: Vec::from([question.number, answer.number]),
            evidence: Evidence::Answered(took),
        }
    }

    fn delivered(&self, text: &[u8], to: Side) -> Verdict {
        let from = if to == Side::Client { Side::Server } else { Side::Client };
        match self.stream(from, true).find(text, None) {
            Some(found) => {
                Verdict { holds: true, packets: Vec::from([found.number]), evidence: Evidence::Packets }
            }
            None => nothing(),
        }
    }

    fn fin(&self, direction: Direction) -> Option<(&Row<'a>, &Header)> {
        self.segments().find(|(row, header)| row.direction == direction && header.control.fin())
    }

    fn closed_first(&self, side: Side) -> Verdict {
        let Some((row, header)) = self.segments().find(|(_, header)| header.control.fin()) else {
            return nothing();
        };
        let by = if row.direction == Direction::Up { Side::Client } else { Side::Server };
        Verdict {
            holds: by == side,
            packets: Vec::from([row.number]),
            evidence: Evidence::Closed(by, header.control, row.packet.endpoints.source.port()),
        }
    }

    /// The two FINs and the first acknowledgment of each; some of the four may be one segment.
    fn close_segments(&self, bounds: Bounds) -> Verdict {
        let mut packets = Vec::new();
        let mut shared = None;
        for direction in [Direction::Up, Direction::Down] {
            let Some((fin, its)) = self.fin(direction) else { continue };
            packets.push(fin.number);
            let end = its.seq + fin.packet.payload_length + 1;
            let acknowledges = |row: &Row<'_>, header: &Header| {
                row.direction == direction.reversed()
                    && row.number > fin.number
                    && header.control.ack()
                    && !header.ack.before(end)
            };
            let ack = self.segments().find(|(row, header)| acknowledges(row, header));
            if let Some((ack, its)) = ack {
                if its.control.fin() {
                    let side = if ack.direction == Direction::Up { Side::Client } else { Side::Server };
                    shared = Some((side, ack.number));
                }
                packets.push(ack.number);
            }
        }
        packets.sort();
        packets.dedup();
        let found = packets.len() as u64;
        Verdict { holds: bounds.hold(found), packets, evidence: Evidence::CloseSegments(found, shared) }
    }

    fn other_traffic(&self) -> Verdict {
        let all = self.trace.journeys().count() as u64;
        let mine: alloc::collections::BTreeSet<Number> = self.rows.iter().map(|row| row.number).collect();
        let others = self.trace.journeys().map(|(number, _)| number).filter(|number| !mine.contains(number));
        let packets: Vec<Number> = others.take(MOST_NAMED).collect();
        let own = mine.len() as u64;
        Verdict { holds: own < all, packets, evidence: Evidence::Traffic(own, all) }
    }

    fn count(&self, what: Counted, bounds: Bounds) -> Verdict {
        if let Counted::Octets(side) = what {
            return counted(self.stream(side, false).octets(), bounds, Vec::new());
        }
        let mut number = 0;
        let mut packets = Vec::new();
        for row in &self.rows {
            let times = match what {
                Counted::Retransmissions => {
                    u64::from(row.packet.tcp().is_some_and(|segment| segment.of.is_some()))
                }
                Counted::Lost => u64::from(row.lost),
                Counted::Copies => row.journey.arrivals.len().saturating_sub(1) as u64,
                Counted::Packets => 1,
                Counted::ZeroWindows => u64::from(
                    row.packet
                        .tcp()
                        .is_some_and(|segment| segment.header.window == 0 && !segment.header.control.rst()),
                ),
                Counted::Resets => u64::from(has(row.packet, Control::RST)),
                Counted::Flags(flags) => u64::from(has(row.packet, flags)),
                Counted::Streams | Counted::Octets(_) => 0,
            };
            if times > 0 && what != Counted::Packets && packets.len() < MOST_NAMED {
                packets.push(row.number);
            }
            number += times;
        }
        counted(number, bounds, packets)
    }

    fn state(&self, wanted: aperto_tcp::State, side: Side) -> Verdict {
        let host = self.flow.sender(side.sends());
        let found = self.trace.records().iter().find_map(|record| match &record.fact {
            Fact::State { to, segment, .. }
                if *to == wanted && record.flow == Some(self.flow.id) && record.vantage.host_id() == host =>
            {
                Some(*segment)
            }
            _ => None,
        });
        match found {
            Some(segment) => {
                let packets = segment.into_iter().collect();
                Verdict { holds: host.is_some(), packets, evidence: Evidence::Packets }
            }
            None => nothing(),
        }
    }
}

fn has(packet: &Packet, flags: Control) -> bool {
    packet.tcp().is_some_and(|segment| segment.header.control.has(flags))
}

fn is_lost(trace: &Trace, journey: &Journey) -> bool {
    journey
        .channel
        .iter()
        .filter_map(|place| trace.records().get(*place))
        .any(|record| matches!(record.fact, Fact::Channel { what: ChannelEvent::Lost(_), .. }))
}
