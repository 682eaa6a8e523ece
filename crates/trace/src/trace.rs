//! A whole trace: its header, its records, and what became of each packet.
//!
//! The tables beside the records (flows, journeys) follow from the records alone: whoever reads a
//! trace back has the same ones.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use aperto_time::Instant;

use crate::flow::{Direction, Flow};
use crate::header::TraceHeader;
use crate::packet::Packet;
use crate::record::{Call, Fact, FlowId, Number, Record};

/// What was recorded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// What it says about itself.
    pub header: TraceHeader,
    /// How it ended; none if it was cut off, or goes on.
    pub ending: Option<Ending>,
    records: Vec<Record>,
    flows: BTreeMap<FlowId, Flow>,
    journeys: BTreeMap<Number, Journey>,
    not_kept: u64,
}

/// All that became of one packet, as places in [`Trace::records`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Journey {
    /// The record that holds the packet: its departure, or its arrival from a stranger.
    pub packet: Option<usize>,
    /// Its departure.
    pub departure: Option<usize>,
    /// Its arrivals: none if it was lost, several if it was duplicated.
    pub arrivals: Vec<usize>,
    /// What the channel did to it.
    pub channel: Vec<usize>,
    /// Where it, or a part of it, was not used.
    pub drops: Vec<usize>,
    /// The moves of states that belong to its row.
    pub states: Vec<usize>,
}

/// How a trace ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It ran to its end.
    End {
        /// When.
        at: Instant,
        /// The exit code of the program.
        exit_code: u8,
    },
    /// It had to stop.
    Error {
        /// When.
        at: Instant,
        /// Stable kebab-case code.
        code: String,
        /// What happened, for a reader.
        message: String,
        /// The exit code of the program.
        exit_code: u8,
    },
}

impl Trace {
    /// A trace without records.
    #[must_use]
    pub fn new(header: TraceHeader) -> Self {
        Self { header, ..Self::default() }
    }

    /// Adds a record at the end.
    pub fn push(&mut self, record: Record) {
        self.learn(&record);
        self.index(&record);
        self.records.push(record);
    }

    /// Takes note of a record that is not kept: of its flow and its numbers, and that it was there.
    pub(crate) fn skip(&mut self, record: &Record) {
        self.learn(record);
        self.not_kept += 1;
    }

    /// The records, in the order in which they were made.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many records there were beyond those that are kept.
    #[must_use]
    pub const fn not_kept(&self) -> u64 {
        self.not_kept
    }

    pub(crate) const fn set_not_kept(&mut self, count: u64) {
        self.not_kept = count;
    }

    /// The flows, in the order in which they began.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> + '_ {
        self.flows.values()
    }

    /// One flow.
    #[must_use]
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(&id)
    }

    /// A packet by its name.
    #[must_use]
    pub fn packet(&self, number: Number) -> Option<&Packet> {
        self.records.get(self.journeys.get(&number)?.packet?).and_then(Record::packet)
    }

    /// What became of a packet.
    #[must_use]
    pub fn journey(&self, number: Number) -> Option<&Journey> {
        self.journeys.get(&number)
    }

    /// All packets and what became of them, in order of departure: the rows of a ladder.
    pub fn journeys(&self) -> impl Iterator<Item = (Number, &Journey)> + '_ {
        self.journeys.iter().map(|(&number, journey)| (number, journey))
    }

    /// The flow of a packet, and which way it goes along it.
    #[must_use]
    pub fn flow_of(&self, number: Number) -> Option<(&Flow, Direction)> {
        let record = self.records.get(self.journeys.get(&number)?.packet?)?;
        let flow = self.flow(record.flow?)?;
        Some((flow, flow.direction(record.packet()?.endpoints)?))
    }

    /// The SEND call of the application with whose octets a segment begins.
    #[must_use]
    pub fn written_by(&self, number: Number) -> Option<(&Record, &Call)> {
        let (flow, direction) = self.flow_of(number)?;
        let packet = self.packet(number)?;
        let first = packet.tcp()?.header.seq;
        if packet.payload_length == 0 {
            return None;
        }
        // The SYN took the number before the first octet.
        let wanted = u64::from(flow.relative_seq(direction, first)?).checked_sub(1)?;
        let sender = flow.sender(direction);
        self.records.iter().find_map(|record| match &record.fact {
            Fact::Call(call @ Call::Send { offset, length, .. })
                if record.flow == Some(flow.id)
                    && record.vantage.host_id() == sender
                    && (*offset..offset + u64::from(*length)).contains(&wanted) =>
            {
                Some((record, call))
            }
            _ => None,
        })
    }

    /// Takes the records out, for whoever has written them elsewhere; the flows stay known.
    pub(crate) fn take_records(&mut self) -> Vec<Record> {
        self.journeys.clear();
        mem::take(&mut self.records)
    }

    /// Forgets a flow.
    pub(crate) fn forget_flow(&mut self, id: FlowId) {
        self.flows.remove(&id);
    }

    /// Learns flows and their first numbers.
    fn learn(&mut self, record: &Record) {
        let Some(id) = record.flow else { return };
        if let Fact::FlowBegan(began) = &record.fact {
            self.flows.insert(id, Flow::new(id, *began));
            return;
        }
        // What arrives otherwise than it left was changed by the channel: that teaches nothing about
        // whoever sent it.
        if let Fact::Arrived { number, .. } = &record.fact
            && self.journeys.get(number).is_some_and(|journey| journey.departure.is_some())
        {
            return;
        }
        let Some(packet) = record.packet() else { return };
        let (Some(flow), Some(segment)) = (self.flows.get_mut(&id), packet.tcp()) else { return };
        if let Some(direction) = flow.direction(packet.endpoints) {
            flow.observe(direction, &segment.header);
        }
    }

    /// Enters a record, which will be the next, into the journey of its packet.
    fn index(&mut self, record: &Record) {
        let place = self.records.len();
        let Some(number) = record.number() else { return };
        let journey = self.journeys.entry(number).or_default();
        match &record.fact {
            Fact::Left(_) => {
                journey.packet = Some(place);
                journey.departure = Some(place);
            }
            Fact::Arrived { packet, .. } => {
                if packet.is_some() && journey.packet.is_none() {
                    journey.packet = Some(place);
                }
                journey.arrivals.push(place);
            }
            Fact::Channel { .. } => journey.channel.push(place),
            Fact::Dropped { .. } => journey.drops.push(place),
            Fact::State { .. } => journey.states.push(place),
            _ => {}
        }
    }
}

impl Record {
    /// The packet that the record holds.
    #[must_use]
    pub fn packet(&self) -> Option<&Packet> {
        match &self.fact {
            Fact::Left(packet) | Fact::Arrived { packet: Some(packet), .. } => Some(packet),
            _ => None,
        }
    }

    /// The packet that the record is about.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        match &self.fact {
            Fact::Left(packet) => Some(packet.number),
            Fact::Arrived { number, .. } | Fact::Channel { number, .. } => Some(*number),
            Fact::Dropped { number, .. } | Fact::EchoReplied { number, .. } => *number,
            Fact::State { segment, .. } => *segment,
            _ => None,
        }
    }
}
