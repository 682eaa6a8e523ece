//! What is said of a packet that is read aloud.

use alloc::string::String;
use alloc::vec::Vec;

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_trace::{ChannelEvent, Number};
use aperto_wire::tcp::Control;

use crate::context::Side;

/// A packet as it is read aloud; what is none is not said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spoken<'a> {
    /// What it is.
    pub noun: Noun,
    /// Its name.
    pub number: Number,
    /// Who sends it.
    pub from: Side,
    /// When, counted from the beginning.
    pub at: Duration,
    /// The flags of a segment.
    pub control: Option<Control>,
    /// What it is, where it has no flags: `DATA 2`.
    pub label: Option<String>,
    /// Its sequence number, counted from the SYN.
    pub seq: Option<u32>,
    /// What it acknowledges, where that is new.
    pub ack: Option<u32>,
    /// Octets of payload.
    pub octets: u32,
    /// The packet that it repeats.
    pub of: Option<Number>,
    /// How many times in a row it acknowledges the same.
    pub duplicate: Option<u32>,
    /// What the channel did to it.
    pub events: Vec<&'a ChannelEvent>,
    /// Why it was not used.
    pub ignored: Option<String>,
    /// States that it moved.
    pub states: Vec<(Side, State)>,
}

/// What is read aloud.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Noun {
    /// Of TCP.
    Segment,
    /// Of UDP.
    Datagram,
    /// Anything else.
    Packet,
}
