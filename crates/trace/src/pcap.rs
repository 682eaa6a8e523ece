//! Writes classic pcap, for programs that read nothing else.
//!
//! The format of draft-ietf-opsawg-pcap §4 and §5, little-endian, times in nanoseconds. It has one
//! interface, no directions and no comments: each packet is written once, where it left, or where it
//! arrived if a stranger sent it.

use alloc::vec::Vec;

use crate::header::{LinkType, TraceHeader};
use crate::pcapng::{CapturedFrame, SNAP_LENGTH, Written, link_type_number};
use crate::record::{Fact, Record, Vantage};
use crate::sink::Sink;
use crate::trace::Trace;

pub(crate) const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
pub(crate) const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;

/// Writes a file, packet by packet.
#[derive(Debug)]
pub struct Writer<S> {
    sink: S,
    link_type: LinkType,
    epoch_ns: u64,
}

impl<S: Sink> Writer<S> {
    /// Begins a file; its link type is that of the first interface.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn new(mut sink: S, header: &TraceHeader) -> Result<Self, S::Error> {
        let mut interfaces = header.hosts.iter().flat_map(|host| &host.interfaces);
        let link_type = interfaces.next().map_or(LinkType::Ip, |interface| interface.link_type);
        let mut octets = Vec::with_capacity(24);
        octets.extend_from_slice(&MAGIC_NANOSECONDS.to_le_bytes());
        octets.extend_from_slice(&2u16.to_le_bytes());
        octets.extend_from_slice(&4u16.to_le_bytes());
        octets.extend_from_slice(&[0; 8]);
        octets.extend_from_slice(&SNAP_LENGTH.to_le_bytes());
        octets.extend_from_slice(&u32::from(link_type_number(link_type)).to_le_bytes());
        sink.write(&octets)?;
        Ok(Self { sink, link_type, epoch_ns: header.epoch_ns.unwrap_or(0) })
    }

    /// Writes a frame; its interface, direction and comment have no place here.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn packet(&mut self, frame: &CapturedFrame<'_>) -> Result<(), S::Error> {
        let kept = frame.octets.get(..SNAP_LENGTH as usize).unwrap_or(frame.octets);
        // Seconds are 32 bits: until the year 2106.
        let seconds = u32::try_from(frame.at_ns / 1_000_000_000).unwrap_or(u32::MAX);
        let nanoseconds = u32::try_from(frame.at_ns % 1_000_000_000).unwrap_or(0);
        let captured = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        let mut octets = Vec::with_capacity(16 + kept.len());
        for number in [seconds, nanoseconds, captured, frame.original_length] {
            octets.extend_from_slice(&number.to_le_bytes());
        }
        octets.extend_from_slice(kept);
        self.sink.write(&octets)
    }

    /// Writes what a record says of a packet that is seen for the first time.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn record(&mut self, trace: &Trace, record: &Record) -> Result<Written, S::Error> {
        let packet = match &record.fact {
            Fact::Left(packet) => packet,
            Fact::Arrived { number, copy: 0, packet: Some(packet) }
                if trace.journey(*number).is_none_or(|journey| journey.departure.is_none()) =>
            {
                packet
            }
            _ => return Ok(Written::NoPacket),
        };
        if packet.frame.is_empty() {
            return Ok(Written::NoOctets);
        }
        let interface = match record.vantage {
            Vantage::Host { host, interface } => {
                trace.header.host(host).and_then(|info| info.interfaces.get(usize::from(interface)))
            }
            Vantage::Channel => None,
        };
        if interface.is_some_and(|interface| interface.link_type != self.link_type) {
            return Ok(Written::NoInterface);
        }
        self.packet(&CapturedFrame {
            interface: 0,
            at_ns: self.epoch_ns.saturating_add(record.at.as_nanos()),
            direction: None,
            packet_id: None,
            octets: &packet.frame,
            original_length: packet.frame_length,
            comment: None,
        })?;
        Ok(Written::Yes)
    }

    /// Where the octets went, to be flushed.
    pub const fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Where the octets went.
    pub fn into_sink(self) -> S {
        self.sink
    }
}

/// Writes a whole trace.
///
/// # Errors
///
/// What the sink says.
pub fn write_trace<S: Sink>(trace: &Trace, sink: S) -> Result<S, S::Error> {
    let mut writer = Writer::new(sink, &trace.header)?;
    for record in trace.records() {
        writer.record(trace, record)?;
    }
    Ok(writer.into_sink())
}
