//! Writes pcapng: both vantage points as interfaces, the reason of each packet as its comment.
//!
//! PCAP Now Generic, draft-ietf-opsawg-pcapng §4. Written: Section Header, Interface Description,
//! Enhanced Packet and Decryption Secrets blocks, little-endian, times in nanoseconds. The section's
//! comment holds version, command, seed, tag and recipe as `name: value` lines, from which
//! [`rebuild`](crate::rebuild()) takes them again. A packet has the same `epb_packetid` at both
//! interfaces: its number. A lost packet is on its sender's interface only.
//!
//! Left out: name resolution and statistics blocks, which nothing here would fill.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::header::{LinkType, TraceHeader};
use crate::packet::Packet;
use crate::record::{Fact, HostId, Record, Vantage};
use crate::sink::Sink;
use crate::trace::Trace;

pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(crate) const INTERFACE_DESCRIPTION: u32 = 1;
pub(crate) const ENHANCED_PACKET: u32 = 6;
pub(crate) const DECRYPTION_SECRETS: u32 = 0x0a;
pub(crate) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
pub(crate) const OPTION_END: u16 = 0;
pub(crate) const OPTION_COMMENT: u16 = 1;
pub(crate) const SECTION_HARDWARE: u16 = 2;
pub(crate) const SECTION_OS: u16 = 3;
pub(crate) const SECTION_APPLICATION: u16 = 4;
pub(crate) const INTERFACE_NAME: u16 = 2;
pub(crate) const INTERFACE_RESOLUTION: u16 = 9;
pub(crate) const INTERFACE_OFFSET: u16 = 14;
pub(crate) const PACKET_FLAGS: u16 = 2;
pub(crate) const PACKET_ID: u16 = 5;
/// "TLSK": an NSS key log.
pub(crate) const SECRETS_TLS: u32 = 0x544c_534b;
/// The most octets of a frame that a reader should expect.
pub(crate) const SNAP_LENGTH: u32 = 262_144;

/// Which way a frame went, as seen by the interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FrameDirection {
    /// It arrived.
    Inbound,
    /// It left.
    Outbound,
}

/// What a section says about itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    /// The machine that recorded.
    pub hardware: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// The program that recorded.
    pub application: Option<String>,
    /// Comments.
    pub comments: Vec<String>,
}

impl Section {
    /// What a trace's header says, as a section says it; the machine is for the driver to add.
    #[must_use]
    pub fn of(header: &TraceHeader) -> Self {
        // A value is one line: whoever reads it back splits at the line ends.
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        let mut comment = format!("aperto {}", one_line(&header.version));
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                comment.push_str(&format!("\n{name}: {}", one_line(&value)));
            }
        };
        add("command", Some(header.command.clone()));
        add("seed", header.seed.map(|seed| format!("{seed}")));
        add("tag", header.tag.clone());
        add("recipe", header.recipe.clone());
        add("wire", Some(header.wire.clone()));
        add("protocol", Some(header.protocol.clone()));
        add("epoch_ns", header.epoch_ns.map(|epoch| format!("{epoch}")));
        if let Some(link) = &header.link {
            add("rtt_ns", Some(format!("{}", link.rtt().as_nanos())));
            add("impairments", Some(link.impairments.clone()));
        }
        Self {
            hardware: None,
            os: None,
            application: Some(format!("aperto {}", header.version)),
            comments: Vec::from([comment]),
        }
    }
}

/// A frame to be written.
#[derive(Clone, Copy, Debug)]
pub struct CapturedFrame<'a> {
    /// Which interface, from 0.
    pub interface: u32,
    /// When, in nanoseconds since 1970-01-01 UTC.
    pub at_ns: u64,
    /// Which way.
    pub direction: Option<FrameDirection>,
    /// The same number for the same packet at several interfaces.
    pub packet_id: Option<u64>,
    /// The octets, as many as are kept.
    pub octets: &'a [u8],
    /// How many there were.
    pub original_length: u32,
    /// Why it left, in words.
    pub comment: Option<&'a str>,
}

/// Whether a record was written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Written {
    /// It was.
    Yes,
    /// It is not about a frame that a host saw.
    NoPacket,
    /// It is about a frame whose octets were not kept.
    NoOctets,
    /// Its interface is none of the header's, or has frames of another kind than the file.
    NoInterface,
}

/// Writes a section, block by block; each block is written whole, so a driver may flush after it.
#[derive(Debug)]
pub struct Writer<S> {
    sink: S,
    /// The interfaces, in the order of their blocks.
    interfaces: Vec<(HostId, u8)>,
    epoch_ns: u64,
}

impl<S: Sink> Writer<S> {
    /// Begins a section for a trace: its header and one interface for each of its hosts'.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn new(sink: S, header: &TraceHeader) -> Result<Self, S::Error> {
        Self::with_section(sink, header, &Section::of(header))
    }

    /// The same, with what a driver adds to the section: the machine, its operating system.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn with_section(mut sink: S, header: &TraceHeader, section: &Section) -> Result<Self, S::Error> {
        sink.write(&section_header(section))?;
        let mut interfaces = Vec::new();
        for (host, info) in (0u8..=u8::MAX).zip(&header.hosts) {
            for (place, interface) in (0u8..=u8::MAX).zip(&info.interfaces) {
                sink.write(&interface_description(&interface.name, interface.link_type))?;
                interfaces.push((HostId(host), place));
            }
        }
        Ok(Self { sink, interfaces, epoch_ns: header.epoch_ns.unwrap_or(0) })
    }

    /// Writes a frame.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn packet(&mut self, frame: &CapturedFrame<'_>) -> Result<(), S::Error> {
        self.sink.write(&enhanced_packet(frame))
    }

    /// Writes what a record says of a frame: a departure as outbound, an arrival as inbound.
    ///
    /// `trace` is where the packet of an arrival is looked up.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn record(
        &mut self,
        trace: &Trace,
        record: &Record,
        comment: Option<&str>,
    ) -> Result<Written, S::Error> {
        let Some((direction, packet)) = frame_of(trace, record) else { return Ok(Written::NoPacket) };
        let Vantage::Host { host, interface } = record.vantage else { return Ok(Written::NoInterface) };
        let Some(place) = self.interfaces.iter().position(|known| *known == (host, interface)) else {
            return Ok(Written::NoInterface);
        };
        if packet.frame.is_empty() {
            return Ok(Written::NoOctets);
        }
        self.packet(&CapturedFrame {
            interface: u32::try_from(place).unwrap_or(u32::MAX),
            at_ns: self.epoch_ns.saturating_add(record.at.as_nanos()),
            direction: Some(direction),
            packet_id: Some(u64::from(packet.number.0)),
            octets: &packet.frame,
            original_length: packet.frame_length,
            comment,
        })?;
        Ok(Written::Yes)
    }

    /// Writes TLS secrets in the NSS key log format, for the packets that follow.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn tls_secrets(&mut self, key_log: &str) -> Result<(), S::Error> {
        let mut body = Vec::new();
        body.extend_from_slice(&SECRETS_TLS.to_le_bytes());
        body.extend_from_slice(&clamp(key_log.len()).to_le_bytes());
        body.extend_from_slice(key_log.as_bytes());
        pad(&mut body);
        self.sink.write(&block(DECRYPTION_SECRETS, &body))
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

/// Writes a whole trace; `comment` says in words why a packet left.
///
/// # Errors
///
/// What the sink says.
pub fn write_trace<S: Sink>(
    trace: &Trace,
    sink: S,
    mut comment: impl FnMut(&Record, &Packet) -> Option<String>,
) -> Result<S, S::Error> {
    let mut writer = Writer::new(sink, &trace.header)?;
    for record in trace.records() {
        let text = frame_of(trace, record).and_then(|(_, packet)| comment(record, packet));
        writer.record(trace, record, text.as_deref())?;
    }
    Ok(writer.into_sink())
}

/// The frame that a record is about, and which way it went.
pub(crate) fn frame_of<'a>(trace: &'a Trace, record: &'a Record) -> Option<(FrameDirection, &'a Packet)> {
    match &record.fact {
        Fact::Left(packet) => Some((FrameDirection::Outbound, packet)),
        Fact::Arrived { packet: Some(packet), .. } => Some((FrameDirection::Inbound, packet)),
        Fact::Arrived { number, packet: None, .. } => Some((FrameDirection::Inbound, trace.packet(*number)?)),
        _ => None,
    }
}

/// The number of a link type in pcap files.
pub(crate) const fn link_type_number(link_type: LinkType) -> u16 {
    match link_type {
        LinkType::Ip => 101,
        LinkType::Ethernet => 1,
        LinkType::Null => 0,
        LinkType::LinuxCooked => 113,
        LinkType::LinuxCooked2 => 276,
        LinkType::Unknown(number) => number,
    }
}

/// The link type of a number in pcap files.
pub(crate) const fn link_type_of(number: u16) -> LinkType {
    match number {
        // 101 is the number in files; 12 and 14 are what some systems write, 228 and 229 are
        // IPv4 and IPv6 alone.
        12 | 14 | 101 | 228 | 229 => LinkType::Ip,
        1 => LinkType::Ethernet,
        // 108 differs from 0 in the byte order of the four octets, which are not looked at.
        0 | 108 => LinkType::Null,
        113 => LinkType::LinuxCooked,
        276 => LinkType::LinuxCooked2,
        other => LinkType::Unknown(other),
    }
}

fn section_header(section: &Section) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
    body.extend_from_slice(&1u16.to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
    // The section's length is not known: it is written as it happens.
    body.extend_from_slice(&u64::MAX.to_le_bytes());
    for comment in &section.comments {
        text_option(&mut body, OPTION_COMMENT, comment);
    }
    let texts = [
        (SECTION_HARDWARE, &section.hardware),
        (SECTION_OS, &section.os),
        (SECTION_APPLICATION, &section.application),
    ];
    for (code, text) in texts {
        if let Some(text) = text {
            text_option(&mut body, code, text);
        }
    }
    end_of_options(&mut body);
    block(SECTION_HEADER, &body)
}

fn interface_description(name: &str, link_type: LinkType) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&link_type_number(link_type).to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
    body.extend_from_slice(&SNAP_LENGTH.to_le_bytes());
    text_option(&mut body, INTERFACE_NAME, name);
    // Ten to the minus nine.
    option(&mut body, INTERFACE_RESOLUTION, &[9]);
    end_of_options(&mut body);
    block(INTERFACE_DESCRIPTION, &body)
}

fn enhanced_packet(frame: &CapturedFrame<'_>) -> Vec<u8> {
    let kept = frame.octets.get(..SNAP_LENGTH as usize).unwrap_or(frame.octets);
    let [.., a, b, c, d] = (frame.at_ns >> 32).to_be_bytes();
    let high = u32::from_be_bytes([a, b, c, d]);
    let [.., a, b, c, d] = frame.at_ns.to_be_bytes();
    let low = u32::from_be_bytes([a, b, c, d]);
    let mut body = Vec::with_capacity(64 + kept.len());
    for number in [frame.interface, high, low, clamp(kept.len()), frame.original_length] {
        body.extend_from_slice(&number.to_le_bytes());
    }
    body.extend_from_slice(kept);
    pad(&mut body);
    if let Some(direction) = frame.direction {
        let flags: u32 = match direction {
            FrameDirection::Inbound => 0b01,
            FrameDirection::Outbound => 0b10,
        };
        option(&mut body, PACKET_FLAGS, &flags.to_le_bytes());
    }
    if let Some(id) = frame.packet_id {
        option(&mut body, PACKET_ID, &id.to_le_bytes());
    }
    if let Some(comment) = frame.comment {
        text_option(&mut body, OPTION_COMMENT, comment);
    }
    if frame.direction.is_some() || frame.packet_id.is_some() || frame.comment.is_some() {
        end_of_options(&mut body);
    }
    block(ENHANCED_PACKET, &body)
}

/// A block: type, length, body, length again.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = clamp(body.len() + 12);
    let mut block = Vec::with_capacity(body.len() + 12);
    block.extend_from_slice(&kind.to_le_bytes());
    block.extend_from_slice(&length.to_le_bytes());
    block.extend_from_slice(body);
    block.extend_from_slice(&length.to_le_bytes());
    block
}

/// Text of at most 65,535 octets, cut between two letters if need be.
fn text_option(body: &mut Vec<u8>, code: u16, text: &str) {
    let end = text.floor_char_boundary(usize::from(u16::MAX));
    option(body, code, text.get(..end).unwrap_or("").as_bytes());
}

/// An option: code, length, value, zeros up to a multiple of four.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).expect("text_option cuts, and the others are short");
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend_from_slice(&OPTION_END.to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn clamp(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
