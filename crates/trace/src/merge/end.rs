//! One end's recording: what left there, what arrived there, and what was lost just before it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::{MergeError, Which};
use crate::dissect::identity;
use crate::packet::Packet;
use crate::record::{ChannelEvent, Fact, FlowId, HostId, Number, Record, Vantage};
use crate::trace::Trace;

/// One end's recording.
pub(super) struct End<'a> {
    pub(super) trace: &'a Trace,
    /// The host whose recording it is.
    pub(super) host: HostId,
    /// Packets that left, as places among the records.
    pub(super) departures: Vec<Sight>,
    /// Packets that arrived, or that the channel before this end lost.
    pub(super) arrivals: Vec<Sight>,
    /// Of each flow, what this end calls itself in the first of its packets.
    own: BTreeMap<FlowId, SocketAddr>,
}

/// A packet that was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Its place among the records.
    pub(super) place: usize,
    /// When, in nanoseconds by the clock of this end.
    pub(super) at_ns: i128,
    /// What is the same of it at both ends.
    pub(super) identity: u64,
    /// What the channel at this end did to it.
    pub(super) fate: Fate,
}

/// What the channel at an end did to a packet, as far as that matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Nothing that is known.
    Unknown,
    /// It was lost there.
    Lost,
    /// It has other octets since.
    Damaged,
}

impl<'a> End<'a> {
    /// Looks through a recording.
    pub(super) fn of(trace: &'a Trace, which: Which) -> Result<Self, MergeError> {
        let mut hosts = BTreeSet::new();
        let mut end = Self {
            trace,
            host: HostId(0),
            departures: Vec::new(),
            arrivals: Vec::new(),
            own: BTreeMap::new(),
        };
        for (place, record) in trace.records().iter().enumerate() {
            match (&record.fact, record.vantage) {
                (Fact::Left(packet), Vantage::Host { host, .. }) => {
                    hosts.insert(host);
                    end.owns(record, packet.endpoints.source);
                    end.departures.push(end.sight(place, record, packet));
                }
                (Fact::Left(packet), Vantage::Channel) => end.arrivals.push(end.sight(place, record, packet)),
                (Fact::Arrived { packet: Some(packet), .. }, Vantage::Host { host, .. }) => {
                    hosts.insert(host);
                    end.owns(record, packet.endpoints.destination);
                    end.arrivals.push(end.sight(place, record, packet));
                }
                (Fact::Arrived { packet: None, .. }, Vantage::Host { host, .. }) => drop(hosts.insert(host)),
                _ => {}
            }
        }
        match hosts.iter().collect::<Vec<_>>().as_slice() {
            [] => Err(MergeError::Nothing(which)),
            [only] => Ok(Self { host: **only, ..end }),
            _ => Err(MergeError::BothEnds(which)),
        }
    }

    fn sight(&self, place: usize, record: &Record, packet: &Packet) -> Sight {
        Sight { place, at_ns: self.time(record), identity: identity(packet), fate: self.fate(packet.number) }
    }

    /// When a record was made, by the clock of this end.
    pub(super) fn time(&self, record: &Record) -> i128 {
        i128::from(self.trace.header.epoch_ns.unwrap_or(0)) + i128::from(record.at.as_nanos())
    }

    /// When the recording was over.
    pub(super) fn over(&self) -> i128 {
        use crate::trace::Ending;
        let epoch = i128::from(self.trace.header.epoch_ns.unwrap_or(0));
        let ended = match self.trace.ending {
            Some(Ending::End { at, .. } | Ending::Error { at, .. }) => epoch + i128::from(at.as_nanos()),
            None => epoch,
        };
        ended.max(self.trace.records().last().map_or(epoch, |record| self.time(record)))
    }

    fn fate(&self, number: Number) -> Fate {
        let Some(journey) = self.trace.journey(number) else { return Fate::Unknown };
        let events = journey.channel.iter().filter_map(|place| self.trace.records().get(*place));
        let mut fate = Fate::Unknown;
        for record in events {
            match &record.fact {
                Fact::Channel { copy: 0, what: ChannelEvent::Lost(_), .. } => return Fate::Lost,
                Fact::Channel { what: ChannelEvent::Damaged { .. }, .. } => fate = Fate::Damaged,
                _ => {}
            }
        }
        fate
    }

    /// Whether this end opened the flow, by the first of its packets that was seen here.
    pub(super) fn opened(&self, flow: FlowId) -> Option<bool> {
        let opener = self.trace.flow(flow)?.endpoints.source;
        Some(*self.own.get(&flow)? == opener)
    }

    fn owns(&mut self, record: &Record, own: SocketAddr) {
        if let Some(flow) = record.flow {
            self.own.entry(flow).or_insert(own);
        }
    }

    /// What was seen to leave at this place among the records.
    pub(super) fn departure(&self, place: usize) -> Option<&Sight> {
        let found = self.departures.binary_search_by_key(&place, |sight| sight.place).ok()?;
        self.departures.get(found)
    }
}
