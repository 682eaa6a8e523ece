//! Counts, in English.

use alloc::format;
use alloc::string::String;

use crate::quantity::bytes;
use crate::text::{Counted, Told};

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(crate) fn counted(counted: &Counted<'_>) -> String {
    match *counted {
        Counted::Segments(n) => plural(n, "segment", "segments"),
        Counted::Lost(n) => format!("{n} lost"),
        Counted::Resent(n) => format!("{n} resent"),
        Counted::Delivered(n) => format!("{} delivered", bytes(n)),
        Counted::Sent(n) => format!("{} sent", bytes(n)),
        Counted::Datagrams { arrived, sent, octets, of } => {
            format!("{arrived} of {}, {octets} of {}", plural(sent, "datagram", "datagrams"), bytes(of))
        }
        Counted::Textbook { sends, packets, resent } => {
            format!("{} sent for {packets} ({resent} resent)", plural(sends, "data packet", "data packets"))
        }
        Counted::ServerRead(text) => format!("server app read: \"{text}\""),
        Counted::ShowsAll(rows) => format!("(--all shows the {rows})"),
        Counted::DataSegments(n) => plural(n, "data segment", "data segments"),
        Counted::ByTimer(n) => format!("{n} by timer (RTO)"),
        Counted::ByDuplicateAcks(n) => format!("{n} by three duplicate ACKs"),
        Counted::Connections(n) => plural(n, "connection", "connections"),
    }
}

pub(crate) fn told(told: &Told<'_>) -> String {
    match *told {
        Told::Open { segments, own_port, server_port } => {
            let segments = plural(segments, "segment", "segments");
            format!("{segments} · your port {own_port} · server port {server_port}")
        }
        Told::OpenWith { remote, connections, own_port } => {
            let connections = plural(connections, "connection", "connections");
            format!("open with {remote} · {connections} · the server port stays {own_port}")
        }
        Told::Later(waited) => format!("{waited} later, nothing to send"),
    }
}
