//! What a row needs to know of the records that come after it.

use alloc::collections::{BTreeMap, BTreeSet};

use aperto_tcp::{Note, State};
use aperto_time::{Duration, Instant};
use aperto_trace::{ChannelEvent, Direction, Fact, Flow, Number, Packet, Record, Trace};

use super::was_picked;
use crate::ladder::Split;

/// What comes later.
#[derive(Clone, Debug, Default)]
pub(super) struct Later {
    /// When each packet itself arrives.
    arrivals: BTreeMap<Number, Instant>,
    /// Packets whose acknowledgment gave no round-trip time. RFC 6298 §3 (Karn).
    pub(super) ambiguous: BTreeSet<Number>,
    /// Packets that are delayed on purpose, and by how much.
    pub(super) delayed: BTreeMap<Number, Duration>,
    /// Packets whose arrow is drawn in two halves.
    pub(super) split: BTreeSet<Number>,
}

/// A packet on its way.
struct Flight {
    number: Number,
    direction: Direction,
    left: Instant,
    arrives: Instant,
    opens_or_closes: bool,
}

impl Later {
    pub(super) fn of(trace: &Trace, flow: &Flow, split: Split) -> Self {
        let mut later = Self::default();
        let mut last_arrival: BTreeMap<_, (Instant, Number)> = BTreeMap::new();
        let of_flow = || trace.records().iter().filter(|record| record.flow == Some(flow.id));
        for record in of_flow() {
            match &record.fact {
                Fact::Arrived { number, copy, .. } => {
                    if *copy == 0 {
                        later.arrivals.entry(*number).or_insert(record.at);
                    }
                    last_arrival.insert(record.vantage.host_id(), (record.at, *number));
                }
                Fact::Note(Note::RttAmbiguous) => {
                    if let Some((at, number)) = last_arrival.get(&record.vantage.host_id())
                        && *at == record.at
                    {
                        later.ambiguous.insert(*number);
                    }
                }
                Fact::Channel { number, what: ChannelEvent::Delayed { by, extra }, .. } if was_picked(by) => {
                    later.delayed.insert(*number, *extra);
                }
                _ => {}
            }
        }
        let flights: alloc::vec::Vec<Flight> = of_flow()
            .filter_map(|record| match &record.fact {
                Fact::Left(packet) => later.flight(flow, record, packet),
                _ => None,
            })
            .collect();
        later.split = match split {
            Split::Never => BTreeSet::new(),
            Split::Always => flights.iter().map(|flight| flight.number).collect(),
            Split::Auto => later.worth_splitting(trace, flow, &flights),
        };
        later
    }

    fn flight(&self, flow: &Flow, record: &Record, packet: &Packet) -> Option<Flight> {
        let control = packet.tcp().map(|segment| segment.header.control);
        Some(Flight {
            number: packet.number,
            direction: flow.direction(packet.endpoints)?,
            left: record.at,
            arrives: *self.arrivals.get(&packet.number)?,
            opens_or_closes: control.is_some_and(|control| control.syn() || control.fin()),
        })
    }

    /// Those that are overtaken, delayed on purpose, on their way while a timer fires, and SYN and FIN
    /// that cross. Data and ACKs cross all the time; that is no news.
    fn worth_splitting(&self, trace: &Trace, flow: &Flow, flights: &[Flight]) -> BTreeSet<Number> {
        let mut split: BTreeSet<Number> = self.delayed.keys().copied().collect();
        for direction in [Direction::Up, Direction::Down] {
            let mut earliest = Instant::FAR_FUTURE;
            for flight in flights.iter().rev().filter(|flight| flight.direction == direction) {
                if earliest < flight.arrives {
                    split.insert(flight.number);
                }
                earliest = earliest.min(flight.arrives);
            }
        }
        let special = || flights.iter().filter(|flight| flight.opens_or_closes);
        for up in special().filter(|flight| flight.direction == Direction::Up) {
            for down in special().filter(|flight| flight.direction == Direction::Down) {
                if up.left < down.arrives && down.left < up.arrives {
                    split.extend([up.number, down.number]);
                }
            }
        }
        let timers = trace.records().iter().filter(|record| {
            let fires = matches!(
                record.fact,
                Fact::Note(Note::RetransmissionTimeout { .. })
                    | Fact::ArqNote(aperto_arq::Note::TimerExpired { .. })
            );
            fires && record.flow == Some(flow.id)
        });
        for timer in timers {
            let after = flights.partition_point(|flight| flight.left < timer.at);
            for flight in flights.iter().take(after).rev().take(256) {
                if flight.arrives > timer.at {
                    split.insert(flight.number);
                }
            }
        }
        split
    }

    /// When a packet itself arrives.
    pub(super) fn arrival(&self, number: Number) -> Option<Instant> {
        self.arrivals.get(&number).copied()
    }

    /// When a copy that the channel made arrives.
    pub(super) fn arrival_of_copy(&self, trace: &Trace, number: Number, copy: u32) -> Option<Instant> {
        trace.journey(number)?.arrivals.iter().find_map(|&place| {
            let record = trace.records().get(place)?;
            matches!(record.fact, Fact::Arrived { copy: other, .. } if other == copy).then_some(record.at)
        })
    }
}

/// The state of whoever sends once the instant of a record is over.
pub(crate) fn state_after(trace: &Trace, record: &Record) -> Option<State> {
    let start = trace.records().partition_point(|other| other.at < record.at);
    let now = trace.records().get(start..)?.iter().take_while(|other| other.at == record.at);
    now.filter_map(|other| match other.fact {
        Fact::State { to, .. } if other.vantage == record.vantage && other.flow == record.flow => Some(to),
        _ => None,
    })
    .last()
}
