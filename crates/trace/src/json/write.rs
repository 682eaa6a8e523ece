//! From records to lines.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::Note;
use aperto_wire::tcp::Options;

use super::{Codec, Object, VERSION, write_text};
use crate::code::Coded;
use crate::header::{HostInfo, InterfaceInfo, Link, LinkType, TraceHeader};
use crate::packet::{Octets, Packet, Protocol, Segment, Transport};
use crate::record::{Call, Fact, FlowBegan, Record, Vantage};
use crate::trace::{Ending, Trace};

impl Trace {
    /// The whole trace as JSON lines.
    #[must_use]
    pub fn to_json_lines(&self) -> String {
        let mut lines = start_line(&self.header);
        lines.push('\n');
        for record in self.records() {
            lines.push_str(&record_line(record));
            lines.push('\n');
        }
        if let Some(ending) = &self.ending {
            lines.push_str(&ending_line(ending, self.not_kept()));
            lines.push('\n');
        }
        lines
    }
}

/// The first line, without its end.
#[must_use]
pub fn start_line(header: &TraceHeader) -> String {
    let mut line = Object::new();
    line.field("v", &VERSION);
    line.text("type", "start");
    line.text("version", &header.version);
    line.field("seed", &header.seed);
    line.text("command", &header.command);
    line.field("tag", &header.tag);
    line.text("wire", &header.wire);
    line.text("protocol", &header.protocol);
    line.field("epoch_ns", &header.epoch_ns);
    let hosts: Vec<String> = header.hosts.iter().map(host).collect();
    line.raw("hosts", &format!("[{}]", hosts.join(",")));
    if let Some(known) = &header.link {
        line.raw("link", &link(known));
    }
    line.field("recipe", &header.recipe);
    line.finish()
}

fn host(host: &HostInfo) -> String {
    let mut object = Object::new();
    object.text("name", &host.name);
    object.field("role", &host.role);
    object.field("source", &host.source);
    let interfaces: Vec<String> = host.interfaces.iter().map(interface).collect();
    object.raw("interfaces", &format!("[{}]", interfaces.join(",")));
    object.finish()
}

fn interface(interface: &InterfaceInfo) -> String {
    let mut object = Object::new();
    object.text("name", &interface.name);
    let addresses: Vec<String> = interface.addresses.iter().map(ToString::to_string).collect();
    object.field("addresses", &addresses);
    object.text("link_type", &link_type_name(interface.link_type));
    object.field("mtu", &interface.mtu);
    object.finish()
}

/// A word for what frames begin with; `linktype-N` where there is none.
fn link_type_name(link_type: LinkType) -> String {
    String::from(match link_type {
        LinkType::Ip => "ip",
        LinkType::Ethernet => "ethernet",
        LinkType::Null => "null",
        LinkType::LinuxCooked => "linux-cooked",
        LinkType::LinuxCooked2 => "linux-cooked-2",
        LinkType::Unknown(number) => return format!("linktype-{number}"),
    })
}

fn link(link: &Link) -> String {
    let mut object = Object::new();
    object.field("delay_up_ns", &link.delay_up);
    object.field("delay_down_ns", &link.delay_down);
    object.field("rate_bits_per_second", &link.rate_bits_per_second);
    object.text("impairments", &link.impairments);
    object.finish()
}

/// The last line, without its end.
#[must_use]
pub fn ending_line(ending: &Ending, not_kept: u64) -> String {
    let mut line = Object::new();
    match ending {
        Ending::End { at, exit_code } => {
            line.text("type", "end");
            line.field("t_ns", at);
            line.field("exit_code", exit_code);
        }
        Ending::Error { at, code, message, exit_code } => {
            line.text("type", "error");
            line.field("t_ns", at);
            line.field("exit_code", exit_code);
            line.text("code", code);
            line.text("message", message);
        }
    }
    line.field("not_kept", &not_kept);
    line.finish()
}

/// The line of a record, without its end.
#[must_use]
pub fn record_line(record: &Record) -> String {
    record_line_with(record, &[])
}

/// The line of a record with more fields behind its own: sentences, for example, by language.
#[must_use]
pub fn record_line_with(record: &Record, texts: &[(&str, &str)]) -> String {
    let mut line = Object::new();
    line.text("type", type_of(&record.fact));
    line.field("t_ns", &record.at);
    if let Vantage::Host { host, interface } = record.vantage {
        line.field("host", &host.0);
        line.field("interface", &interface);
    }
    line.field("flow", &record.flow.map(|flow| flow.0));
    fact(&mut line, &record.fact);
    for (key, text) in texts {
        line.text(key, text);
    }
    line.finish()
}

fn type_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::FlowBegan(_) => "flow",
        Fact::Left(_) | Fact::Arrived { .. } | Fact::Dropped { .. } => "segment",
        Fact::Channel { .. } => "channel",
        Fact::State { .. } => "state",
        Fact::Note(note) => match note {
            Note::TimerStarted { .. }
            | Note::TimerStopped { .. }
            | Note::TimerFired { .. }
            | Note::RetransmissionTimeout { .. } => "timer",
            _ => "note",
        },
        Fact::ArqNote(_) => "note",
        Fact::Call(_) | Fact::Event(_) | Fact::Delivered { .. } | Fact::EchoReplied { .. } => "app",
        Fact::Finding(_) => "finding",
    }
}

fn fact(line: &mut Object, fact: &Fact) {
    match fact {
        Fact::FlowBegan(began) => flow(line, began),
        Fact::Left(left) => {
            line.text("event", "left");
            packet(line, left);
        }
        Fact::Arrived { number, copy, packet: carried } => {
            line.text("event", "arrived");
            line.field("copy", copy);
            match carried {
                Some(carried) => packet(line, carried),
                None => line.field("number", number),
            }
        }
        Fact::Channel { number, copy, what } => {
            line.text("event", what.code());
            line.field("number", number);
            line.field("copy", copy);
            what.put(line);
        }
        Fact::Dropped { number, reason } => {
            line.text("event", "dropped");
            line.field("number", number);
            line.field("reason", reason);
        }
        Fact::State { from, to, cause, segment } => {
            line.field("from", from);
            line.field("to", to);
            line.field("cause", cause);
            line.field("segment", segment);
        }
        Fact::Note(note) => {
            line.text("event", note.code());
            note.put(line);
        }
        Fact::ArqNote(note) => {
            line.text("arq", note.code());
            note.put(line);
        }
        Fact::Call(_) | Fact::Event(_) | Fact::Delivered { .. } | Fact::EchoReplied { .. } => app(line, fact),
        Fact::Finding(finding) => {
            line.text("code", &finding.code);
            line.field("packets", &finding.packets);
            let mut values = Object::new();
            for (name, value) in &finding.values {
                values.field(name, value);
            }
            line.raw("values", &values.finish());
        }
    }
}

/// What passes between a host and its application.
fn app(line: &mut Object, fact: &Fact) {
    match fact {
        Fact::Call(call) => {
            line.text("call", call.code());
            call.put(line);
            if let Call::Send { octets, .. } = call {
                readable(line, octets);
            }
        }
        Fact::Event(event) => {
            line.text("event", event.code());
            event.put(line);
        }
        Fact::Delivered { offset, length, octets } => {
            line.text("event", "delivered");
            line.field("offset", offset);
            line.field("length", length);
            line.field("octets", octets);
            readable(line, octets);
        }
        Fact::EchoReplied { ident, sequence, number } => {
            line.text("event", "echo-replied");
            line.field("ident", ident);
            line.field("sequence", sequence);
            line.field("number", number);
        }
        _ => {}
    }
}

/// The same octets as text, for whoever reads the line; not read back.
fn readable(line: &mut Object, octets: &Octets) {
    if let Ok(text) = core::str::from_utf8(octets) {
        line.text("text", text);
    }
}

fn flow(line: &mut Object, began: &FlowBegan) {
    let (name, number) = protocol(began.protocol);
    line.text("protocol", name);
    line.field("ip_protocol", &number);
    line.field("from", &began.endpoints.source);
    line.field("to", &began.endpoints.destination);
    line.field("client", &began.client.map(|host| host.0));
    line.field("server", &began.server.map(|host| host.0));
}

const fn protocol(protocol: Protocol) -> (&'static str, Option<u8>) {
    match protocol {
        Protocol::Tcp => ("tcp", None),
        Protocol::Udp => ("udp", None),
        Protocol::Arq => ("arq", None),
        Protocol::Icmp => ("icmp", None),
        Protocol::Arp => ("arp", None),
        Protocol::Other(number) => ("other", Some(number)),
    }
}

fn packet(line: &mut Object, packet: &Packet) {
    line.field("number", &packet.number);
    line.field("from", &packet.endpoints.source);
    line.field("to", &packet.endpoints.destination);
    match &packet.transport {
        Transport::Tcp(carried) => {
            line.text("protocol", "tcp");
            segment(line, carried);
        }
        Transport::Udp => line.text("protocol", "udp"),
        Transport::Arq(arq) => {
            line.text("protocol", "arq");
            line.field("kind", &arq.kind);
            line.field("sequence", &arq.sequence);
            line.field("space_bits", &arq.space);
            line.field("checksum", &arq.checksum);
            line.field("ends_message", &arq.end);
            line.field("ordinal", &arq.ordinal);
            line.field("reason", &arq.reason);
            line.field("of", &arq.of);
        }
        Transport::Icmp(icmp) => {
            line.text("protocol", "icmp");
            line.field("icmp_type", &icmp.kind);
            line.field("icmp_code", &icmp.code);
            line.field("echo_ident", &icmp.echo.map(|(ident, _)| ident));
            line.field("echo_sequence", &icmp.echo.map(|(_, sequence)| sequence));
            line.field("quoted_from", &icmp.quoted.map(|quoted| quoted.source));
            line.field("quoted_to", &icmp.quoted.map(|quoted| quoted.destination));
        }
        Transport::Fragment { protocol, offset } => {
            line.text("protocol", "fragment");
            line.field("ip_protocol", protocol);
            line.field("fragment_offset", offset);
        }
        Transport::Arp => line.text("protocol", "arp"),
        Transport::Other { protocol } => {
            line.text("protocol", "other");
            line.field("ip_protocol", protocol);
        }
    }
    line.field("length", &packet.payload_length);
    line.field("comment", &packet.comment.as_deref().map(ToString::to_string));
    line.field("frame_length", &packet.frame_length);
    line.field("payload_at", &packet.payload_at);
    if !packet.frame.is_empty() {
        line.field("frame", &packet.frame);
    }
}

fn segment(line: &mut Object, segment: &Segment) {
    let header = &segment.header;
    line.text("flags", &header.control.to_string());
    line.field("seq", &header.seq);
    line.field("ack", &header.ack);
    line.field("window", &header.window);
    if header.urgent_pointer != 0 {
        line.field("urgent_pointer", &header.urgent_pointer);
    }
    if header.options != Options::NONE {
        line.raw("options", &options(&header.options));
    }
    line.field("reason", &segment.reason);
    line.field("of", &segment.of);
    line.field("duplicate_ack", &segment.duplicate_ack);
    line.field("window_mark", &segment.window);
}

fn options(options: &Options) -> String {
    let mut object = Object::new();
    object.field("mss", &options.mss);
    object.field("window_scale", &options.window_scale);
    if options.sack_permitted {
        object.field("sack_permitted", &true);
    }
    if !options.sack.is_empty() {
        object.field("sack", &options.sack.as_slice().to_vec());
    }
    if let Some(timestamps) = options.timestamps {
        object.raw("timestamps", &format!("[{},{}]", timestamps.value, timestamps.echo));
    }
    if let Some(timeout) = options.user_timeout {
        object.field("user_timeout_amount", &timeout.amount);
        object.field("user_timeout_in_minutes", &timeout.minutes);
    }
    if let Some(cookie) = options.fast_open {
        let mut hex = String::new();
        for octet in cookie.as_slice() {
            hex.push_str(&format!("{octet:02x}"));
        }
        let mut quoted = String::new();
        write_text(&hex, &mut quoted);
        object.raw("fast_open", &quoted);
    }
    object.finish()
}
