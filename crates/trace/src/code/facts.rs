//! Codes of the trace's own enums.

use super::{Coded, codes, fields_of_codes};
use crate::json::{Codec, Fault, Fields, Object};
use crate::{Call, ChannelEvent, ChecksumAfter, DropReason, LossCause, Origin, Role, Source, WindowMark};

codes!(ChecksumAfter {
    Broken => "broken",
    Repaired => "repaired",
});

codes!(Source {
    Known => "known",
    Inferred => "inferred",
});

codes!(Role {
    Client => "client",
    Server => "server",
    Other => "other",
});

codes!(WindowMark {
    Same => "same",
    Changed => "changed",
});

codes!(Origin {
    Picked { flag: "flag" } => "picked",
    Random => "random",
});

codes!(LossCause {
    Picked { flag: "flag" } => "picked",
    Random => "random",
    Burst => "burst",
    QueueFull { packets: "packets" } => "queue-full",
    TooBig { mtu: "mtu" } => "too-big",
    LinkDown => "link-down",
    Unknown => "unknown",
});

impl Coded for ChannelEvent {
    fn code(&self) -> &'static str {
        match self {
            Self::Lost(_) => "lost",
            Self::Damaged { .. } => "damaged",
            Self::Duplicated { .. } => "duplicated",
            Self::Delayed { .. } => "delayed",
            Self::Reordered { .. } => "reordered",
            Self::Queued { .. } => "queued",
        }
    }
}

impl Codec for ChannelEvent {
    fn put(&self, out: &mut Object) {
        match self {
            Self::Lost(cause) => out.field("by", cause),
            Self::Damaged { by, octets, checksum } => {
                out.field("by", by);
                out.field("octets", octets);
                out.field("checksum", checksum);
            }
            Self::Duplicated { by } => out.field("by", by),
            Self::Delayed { by, extra } => {
                out.field("by", by);
                out.field("extra_ns", extra);
            }
            Self::Reordered { by, overtaken_by } => {
                out.field("by", by);
                out.field("overtaken_by", overtaken_by);
            }
            Self::Queued { wait, ahead } => {
                out.field("wait_ns", wait);
                out.field("ahead", ahead);
            }
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        Ok(Some(match code {
            "lost" => Self::Lost(from.get("by")?),
            "damaged" => Self::Damaged {
                by: from.get("by")?,
                octets: from.get("octets")?,
                checksum: from.get("checksum")?,
            },
            "duplicated" => Self::Duplicated { by: from.get("by")? },
            "delayed" => Self::Delayed { by: from.get("by")?, extra: from.get("extra_ns")? },
            "reordered" => Self::Reordered { by: from.get("by")?, overtaken_by: from.get("overtaken_by")? },
            "queued" => Self::Queued { wait: from.get("wait_ns")?, ahead: from.get("ahead")? },
            _ => return Ok(None),
        }))
    }
}

impl Coded for DropReason {
    fn code(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::BadChecksum { .. } => "bad-checksum",
            Self::Malformed { .. } => "malformed",
            Self::Host { .. } => "host",
        }
    }
}

impl Codec for DropReason {
    fn put(&self, out: &mut Object) {
        match self {
            Self::Tcp(reason) => out.field("why", reason),
            Self::BadChecksum { format } => out.field("format", format),
            Self::Malformed { what, at } => {
                out.field("what", what);
                out.field("at", at);
            }
            Self::Host { code } => out.field("why", code),
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        Ok(Some(match code {
            "tcp" => Self::Tcp(from.get("why")?),
            "bad-checksum" => Self::BadChecksum { format: from.get("format")? },
            "malformed" => Self::Malformed { what: from.get("what")?, at: from.get("at")? },
            "host" => Self::Host { code: from.get("why")? },
            _ => return Ok(None),
        }))
    }
}

codes!(Call {
    Listen { local: "local" } => "listen",
    Connect { remote: "remote" } => "connect",
    Accept => "accept",
    Send { offset: "offset", length: "length", octets: "octets" } => "send",
    Close => "close",
    Release => "release",
    Abort => "abort",
});

fields_of_codes!(alone: ChecksumAfter, Source, Role, WindowMark);
fields_of_codes!(object: Origin, LossCause, DropReason);
