//! What stands above and below the rows.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_time::Instant;
use aperto_trace::{Direction, Fact, Flow, Source, Trace, Transport};

use super::{Extent, Glyphs, Kind, Ladder, Row, Seq, View, fold, textbook, times};
use crate::context::label_text;
use crate::summary::Summary;
use crate::text::{self, Counted, Word};
use crate::wording::{pad, width};
use crate::{Citation, quantity};

/// What the parts of a header or footer are joined by.
const DOT: &str = " · ";
/// A message that was read is shown up to so many columns.
const READ_COLUMNS: usize = 40;

/// Puts header, heads and footer around the rows.
pub(super) fn ladder(trace: &Trace, flow: &Flow, view: &View, kind: Kind, rows: Vec<Row>) -> Ladder {
    let summary = Summary::of(trace, Some(flow.id));
    let citation = citation(&rows, view);
    let sent = rows.iter().filter_map(fold::time_of);
    let received = rows.iter().filter_map(|row| match row {
        Row::Packet(row) if view.is_wide() => row.received,
        _ => None,
    });
    let instants: Vec<Instant> = sent.chain(received).collect();
    let rtt = trace.header.link.as_ref().map(aperto_trace::Link::rtt);
    let least = u32::from(view.is_wide());
    let mut times = times::Times::new(view.time, view.language, rtt, trace.header.epoch_ns, least, &instants);
    if view.extent == Extent::Recovery {
        times.set_zero(first_instant(trace, flow));
    }
    let header = header(trace, flow, view, kind, &summary);
    let heads = heads(trace, flow, view, kind);
    let footer = footer(trace, flow, view, kind, &summary, citation);
    Ladder { kind, header, heads, rows, footer, times, citation }
}

fn first_instant(trace: &Trace, flow: &Flow) -> Instant {
    let mut of_flow = trace.records().iter().filter(|record| record.flow == Some(flow.id));
    let shows = |fact: &Fact| matches!(fact, Fact::Left(_) | Fact::Arrived { .. });
    of_flow.find(|record| shows(&record.fact)).map_or(Instant::ZERO, |record| record.at)
}

/// `§3.5` alone where every rule shown is of RFC 9293 and the footer can say so.
fn citation(rows: &[Row], view: &View) -> Citation {
    if view.is_wide() {
        return Citation::Whole;
    }
    let mut rules = rows
        .iter()
        .filter_map(|row| match row {
            Row::Packet(row) => Some(&row.asides),
            Row::Repeated(row) => Some(&row.first.asides),
            _ => None,
        })
        .flatten()
        .filter_map(|aside| aside.rule)
        .peekable();
    let any = rules.peek().is_some();
    if any && view.glyphs == Glyphs::Unicode && rules.all(crate::Rule::is_tcp) {
        Citation::Section
    } else {
        Citation::Number
    }
}

fn heads(trace: &Trace, flow: &Flow, view: &View, kind: Kind) -> [String; 2] {
    let words = match kind {
        Kind::Textbook => [Word::Sender, Word::Receiver],
        Kind::Tcp | Kind::Udp | Kind::Other => [Word::Client, Word::Server],
    };
    let mut heads = words.map(|which| text::word(view.language, which).to_uppercase());
    if trace.header.source() == Source::Inferred {
        let ports = [flow.endpoints.source.port(), flow.endpoints.destination.port()];
        for (head, port) in heads.iter_mut().zip(ports) {
            let with_port = format!("{head} :{port}");
            if width(&with_port) <= 14 {
                *head = with_port;
            }
        }
    }
    heads
}

fn header(trace: &Trace, flow: &Flow, view: &View, kind: Kind, summary: &Summary) -> Vec<String> {
    if let Some(title) = &view.title {
        return alloc::vec![title.clone()];
    }
    match kind {
        Kind::Tcp if view.extent == Extent::Recovery => Vec::new(),
        Kind::Tcp => tcp_header(trace, flow, view, summary),
        Kind::Udp | Kind::Other => {
            let mut parts = alloc::vec!["UDP".to_string()];
            parts.extend(link_parts(trace, view));
            parts.push(text::word(view.language, Word::NoConnection).to_string());
            joined(&parts, view.width)
        }
        Kind::Textbook => joined(&textbook_parts(trace, flow, view), view.width),
    }
}

fn link_parts(trace: &Trace, view: &View) -> Vec<String> {
    let Some(link) = &trace.header.link else { return Vec::new() };
    let mut parts = alloc::vec![format!("RTT {}", quantity::duration(view.language, link.rtt()))];
    if !link.impairments.is_empty() {
        parts.push(link.impairments.clone());
    }
    parts
}

fn textbook_parts(trace: &Trace, flow: &Flow, view: &View) -> Vec<String> {
    let say = |which| text::word(view.language, which);
    let mut parts = alloc::vec![textbook::short_name(textbook::protocol(trace)).to_string()];
    let mut window = None;
    let mut payload = 0;
    for record in trace.records().iter().filter(|record| record.flow == Some(flow.id)) {
        if let Fact::Left(packet) = &record.fact
            && let Transport::Arq(arq) = &packet.transport
        {
            if let Some(aperto_arq::Reason::FirstTransmission { window: now }) = arq.reason {
                window.get_or_insert(textbook::window_size(now, arq.space.size()));
            }
            payload = payload.max(packet.payload_length);
        }
    }
    if let Some(window) = window {
        parts.push(format!("{} {window}", say(Word::Window)));
    }
    if payload > 0 {
        parts.push(format!("{} {payload}", say(Word::Payload)));
    }
    if let Some(timer) = textbook::timer_length(trace.records()) {
        parts.push(format!("{} {}", say(Word::Timer), quantity::duration(view.language, timer)));
    }
    parts.extend(link_parts(trace, view));
    parts
}

fn tcp_header(trace: &Trace, flow: &Flow, view: &View, summary: &Summary) -> Vec<String> {
    let say = |which| text::word(view.language, which);
    let header = &trace.header;
    let mut version = header.version.split('.');
    let mut parts = Vec::new();
    if let (Some(major), Some(minor)) = (version.next(), version.next()) {
        parts.push(format!("aperto {major}.{minor}"));
    }
    let wire = match header.wire.as_str() {
        "sim" => Some(Word::SimulatedWire),
        "udp" => Some(Word::UdpWire),
        "tun" => Some(Word::TunWire),
        "os" => Some(Word::OsWire),
        "capture" => Some(Word::CaptureFile),
        _ => None,
    };
    parts.extend(wire.map(|wire| say(wire).to_string()));
    parts.extend(header.seed.map(|seed| format!("{} {seed}", say(Word::Seed))));
    if let Some(link) = &header.link {
        parts.push(format!("RTT {}", quantity::duration(view.language, link.rtt())));
    }
    if header.source() == Source::Inferred {
        parts.push(say(Word::Inferred).to_string());
    } else if summary.lost == 0 {
        parts.push(say(Word::NothingLost).to_string());
    } else {
        parts.push(text::counted(view.language, &Counted::Lost(summary.lost)));
    }
    if view.is_wide() {
        parts.extend(options_of(trace, flow));
    }
    parts.push(
        say(match view.seq {
            Seq::Relative => Word::Relative,
            Seq::Absolute => Word::Absolute,
            Seq::Both => Word::Both,
        })
        .to_string(),
    );
    let mut lines = joined(&parts, view.width);
    let side = |which, direction, at: core::net::SocketAddr| match flow.initial(direction) {
        Some(initial) if flow.syn_seen(direction) => format!("{} {at} (ISN {initial})", say(which)),
        _ => format!("{} {at}", say(which)),
    };
    let client = side(Word::Client, Direction::Up, flow.endpoints.source);
    let server = side(Word::Server, Direction::Down, flow.endpoints.destination);
    let room = width(&client) + 2 + width(&server);
    let end = room.max(view.width.saturating_sub(5));
    if end > view.width {
        lines.extend([client, server]);
    } else {
        let mut line = client;
        pad(&mut line, end - width(&server));
        line.push_str(&server);
        lines.push(line);
    }
    lines
}

/// What both SYNs agreed on.
fn options_of(trace: &Trace, flow: &Flow) -> Vec<String> {
    let of_flow = trace.records().iter().filter(|record| record.flow == Some(flow.id));
    let syns: Vec<_> = of_flow
        .filter_map(|record| Some(record.packet()?.tcp()?.header))
        .filter(|header| header.control.syn())
        .map(|header| header.options)
        .collect();
    let mut parts = Vec::new();
    if let Some(mss) = syns.iter().filter_map(|options| options.mss).min() {
        parts.push(format!("MSS {mss}"));
    }
    if syns.len() > 1 && syns.iter().all(|options| options.sack_permitted) {
        parts.push("SACK".to_string());
    }
    parts
}

fn footer(
    trace: &Trace,
    flow: &Flow,
    view: &View,
    kind: Kind,
    summary: &Summary,
    citation: Citation,
) -> Vec<String> {
    let count = |counted: Counted<'_>| text::counted(view.language, &counted);
    let mut parts = Vec::new();
    match kind {
        Kind::Tcp | Kind::Other => {
            let segments = count(Counted::Segments(summary.packets));
            parts.push(match summary.lost {
                0 => segments,
                lost => format!("{segments}, {}", count(Counted::Lost(lost))),
            });
            if summary.delivered_octets > 0 || trace.header.source() == Source::Known {
                parts.push(count(Counted::Delivered(summary.delivered_octets)));
            }
            if citation == Citation::Section && view.why != super::Why::None {
                parts.push("§ = RFC 9293".to_string());
            }
        }
        Kind::Udp => {
            let read = count(Counted::ServerRead(&read_by_server(trace, flow)));
            let arrived = count(Counted::Datagrams {
                arrived: summary.delivered_packets,
                sent: summary.data_packets,
                octets: summary.delivered_octets,
                of: summary.sent_octets,
            });
            if width(&read) + 3 + width(&arrived) <= view.width {
                parts.push(format!("{read}   {arrived}"));
            } else {
                parts.extend([read, arrived]);
            }
        }
        Kind::Textbook => {
            let resent = summary.resent;
            let sends = summary.data_packets;
            let packets = sends.saturating_sub(resent);
            parts.push(count(Counted::Textbook { sends, packets, resent }));
            let lasted = textbook::lasted(Some(first_instant(trace, flow)), trace.records());
            parts.push(quantity::milliseconds(view.language, lasted));
        }
    }
    parts.extend(view.remark.clone());
    let then = |which, command: &Option<String>| {
        command.as_ref().map(|command| format!("{}: {command}", text::word(view.language, which)))
    };
    parts.extend(then(Word::Next, &view.next));
    parts.extend(then(Word::Repeat, &view.repeat));
    joined(&parts, view.width)
}

/// What the server's application read, as a label shows it.
fn read_by_server(trace: &Trace, flow: &Flow) -> String {
    let mut octets = Vec::new();
    for record in trace.records() {
        if let Fact::Delivered { octets: more, .. } = &record.fact
            && record.flow == Some(flow.id)
            && record.vantage.host_id() == flow.server
            && octets.len() < 4 * READ_COLUMNS + 4
        {
            octets.extend_from_slice(more);
        }
    }
    label_text(&octets, READ_COLUMNS)
}

/// Parts on as few lines as hold them.
fn joined(parts: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(DOT) + width(part) <= columns => {
                line.push_str(DOT);
                line.push_str(part);
            }
            _ => lines.push(crate::wording::cut(part, columns)),
        }
    }
    lines
}
