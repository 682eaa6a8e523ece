//! Facts about connections, and their encodings: JSON lines and pcapng.
//!
//! | module | what |
//! | --- | --- |
//! | [`record`], [`packet`], [`header`] | the vocabulary: who saw what when, and what a trace says of itself |
//! | [`recorder`] | what drivers feed: names packets, finds flows, links what belongs together |
//! | [`trace`], [`flow`] | the records and what follows from them: journeys, relative numbers |
//! | [`code`] | a stable code for each reason, note and cause |
//! | [`json`] | JSON lines, the recording that loses nothing |
//! | [`pcapng`], [`pcap`], [`sink`] | writing for Wireshark |
//! | [`check`] | claims about a trace, and whether they hold |
//! | [`merge`] | the recordings of two ends as one |
//! | [`capture`], [`rebuild`](mod@rebuild), [`dissect`] | reading what others, or we, recorded |
//!
//! ```
//! use aperto_trace::{Limits, Recorder, Trace, TraceHeader};
//!
//! let recorder = Recorder::new(TraceHeader::default(), Limits::default());
//! // ... a driver feeds it ...
//! let lines = recorder.into_trace().to_json_lines();
//! assert!(lines.starts_with("{\"v\":1,\"type\":\"start\""));
//! assert!(Trace::from_json_lines(&lines).is_ok());
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arq;
pub mod capture;
pub mod check;
pub mod code;
pub mod dissect;
pub mod flow;
pub mod header;
pub mod json;
pub mod merge;
pub mod packet;
pub mod pcap;
pub mod pcapng;
pub mod rebuild;
pub mod record;
pub mod recorder;
pub mod sink;
#[cfg(test)]
mod testing;
pub mod trace;

pub use arq::ArqPacket;
pub use capture::Capture;
pub use code::Coded;
pub use flow::{Direction, Flow};
pub use header::{HostInfo, InterfaceInfo, Link, LinkType, Role, Source, TraceHeader};
pub use packet::{Endpoints, Icmp, Octets, Packet, Protocol, Segment, Transport, WindowMark};
pub use rebuild::{rebuild, rebuild_one_end};
pub use record::{
    Call, ChannelEvent, ChecksumAfter, DropReason, Fact, Finding, FlowBegan, FlowId, HostId, LossCause,
    Number, Origin, Record, Vantage,
};
pub use recorder::{Limits, Meaning, Recorder};
pub use sink::Sink;
pub use trace::{Ending, Journey, Trace};
