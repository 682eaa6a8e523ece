//! Facts about connections, and their encodings: JSON lines and pcapng.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod arq;
pub mod code;
pub mod dissect;
pub mod flow;
pub mod header;
pub mod json;
pub mod packet;
pub mod record;
pub mod recorder;
pub mod trace;

pub use arq::ArqPacket;
pub use code::Coded;
pub use flow::{Direction, Flow};
pub use header::{HostInfo, InterfaceInfo, Link, LinkType, Role, Source, TraceHeader};
pub use packet::{Endpoints, Icmp, Octets, Packet, Protocol, Segment, Transport, WindowMark};
pub use record::{
    Call, ChannelEvent, ChecksumAfter, DropReason, Fact, Finding, FlowBegan, FlowId, HostId, LossCause,
    Number, Origin, Record, Vantage,
};
