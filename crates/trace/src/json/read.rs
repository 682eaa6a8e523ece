//! From lines to records.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_wire::tcp::{Control, FastOpenCookie, Header, Options, SackBlock, Timestamps, UserTimeout};
use serde_json::Value;

use super::{Error, Fault, Fields, MAX_LINE_OCTETS, VERSION, read_hex, read_pair};
use crate::arq::ArqPacket;
use crate::header::{HostInfo, InterfaceInfo, Link, LinkType, TraceHeader};
use crate::packet::{Endpoints, Icmp, Octets, Packet, Protocol, Segment, Transport};
use crate::record::{Fact, Finding, FlowBegan, FlowId, HostId, Number, Record, Vantage};
use crate::trace::{Ending, Trace};

impl Trace {
    /// Reads a whole recording.
    ///
    /// # Errors
    ///
    /// The first line that is wrong, and what is wrong with it.
    pub fn from_json_lines(text: &str) -> Result<Self, Error> {
        match Self::read_json_lines(text) {
            (trace, None) => Ok(trace),
            (_, Some(error)) => Err(error),
        }
    }

    /// Reads a recording as far as it is sound, and says what is wrong after that.
    #[must_use]
    pub fn read_json_lines(text: &str) -> (Self, Option<Error>) {
        let mut trace = Self::default();
        let mut started = false;
        for (place, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            if let Err(what) = read_line(&mut trace, &mut started, line) {
                return (trace, Some(Error { line: place + 1, what }));
            }
        }
        let nothing = (!started).then_some(Error { line: 1, what: Fault::NoStart });
        (trace, nothing)
    }
}

fn read_line(trace: &mut Trace, started: &mut bool, line: &str) -> Result<(), Fault> {
    if line.len() > MAX_LINE_OCTETS {
        return Err(Fault::TooLong { octets: line.len() });
    }
    let value: Value = serde_json::from_str(line)
        .map_err(|error| Fault::NotJson { column: error.column(), what: format!("{error}") })?;
    let from = Fields::new(value.as_object().ok_or(Fault::NotAnObject)?);
    let kind = from.text("type")?;
    if !*started {
        if kind != "start" {
            return Err(Fault::NoStart);
        }
        let found: u64 = from.get("v")?;
        if found != VERSION {
            return Err(Fault::Version { found });
        }
        trace.header = header(&from)?;
        *started = true;
        return Ok(());
    }
    if trace.ending.is_some() {
        return Err(Fault::AfterEnd);
    }
    match kind {
        "start" => Err(Fault::SecondStart),
        "end" | "error" => {
            let (ending, not_kept) = (ending(&from, kind)?, from.get::<Option<u64>>("not_kept")?);
            trace.ending = Some(ending);
            trace.set_not_kept(not_kept.unwrap_or(0));
            Ok(())
        }
        _ => {
            trace.push(record(&from, kind)?);
            Ok(())
        }
    }
}

/// Reads the objects of an array.
fn objects<T>(
    from: &Fields<'_>,
    key: &'static str,
    read: impl Fn(&Fields<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let values = from.value(key)?.as_array().ok_or(Fault::Wrong { key })?;
    values.iter().map(|value| read(&Fields::new(value.as_object().ok_or(Fault::Wrong { key })?))).collect()
}

fn header(from: &Fields<'_>) -> Result<TraceHeader, Fault> {
    Ok(TraceHeader {
        version: from.get("version")?,
        seed: from.get("seed")?,
        command: from.get("command")?,
        tag: from.get("tag")?,
        wire: from.get("wire")?,
        protocol: from.get("protocol")?,
        recipe: from.get("recipe")?,
        epoch_ns: from.get("epoch_ns")?,
        hosts: objects(from, "hosts", host)?,
        link: if from.has("link") { Some(link(&from.object("link")?)?) } else { None },
    })
}

fn host(from: &Fields<'_>) -> Result<HostInfo, Fault> {
    Ok(HostInfo {
        name: from.get("name")?,
        role: from.get("role")?,
        source: from.get("source")?,
        interfaces: objects(from, "interfaces", interface)?,
    })
}

fn interface(from: &Fields<'_>) -> Result<InterfaceInfo, Fault> {
    let texts: Vec<String> = from.get("addresses")?;
    let addresses: Option<Vec<IpAddr>> = texts.iter().map(|text| text.parse().ok()).collect();
    Ok(InterfaceInfo {
        name: from.get("name")?,
        addresses: addresses.ok_or(Fault::Wrong { key: "addresses" })?,
        link_type: link_type(from.text("link_type")?).ok_or(Fault::Wrong { key: "link_type" })?,
        mtu: from.get("mtu")?,
    })
}

fn link_type(name: &str) -> Option<LinkType> {
    Some(match name {
        "ip" => LinkType::Ip,
        "ethernet" => LinkType::Ethernet,
        "null" => LinkType::Null,
        "linux-cooked" => LinkType::LinuxCooked,
        "linux-cooked-2" => LinkType::LinuxCooked2,
        other => LinkType::Unknown(other.strip_prefix("linktype-")?.parse().ok()?),
    })
}

fn link(from: &Fields<'_>) -> Result<Link, Fault> {
    Ok(Link {
        delay_up: from.get("delay_up_ns")?,
        delay_down: from.get("delay_down_ns")?,
        rate_bits_per_second: from.get("rate_bits_per_second")?,
        impairments: from.get("impairments")?,
    })
}

fn ending(from: &Fields<'_>, kind: &str) -> Result<Ending, Fault> {
    let (at, exit_code) = (from.get("t_ns")?, from.get("exit_code")?);
    if kind == "end" {
        return Ok(Ending::End { at, exit_code });
    }
    Ok(Ending::Error { at, code: from.get("code")?, message: from.get("message")?, exit_code })
}

fn record(from: &Fields<'_>, kind: &str) -> Result<Record, Fault> {
    let vantage = match from.get::<Option<u8>>("host")? {
        Some(host) => Vantage::Host { host: HostId(host), interface: from.get("interface")? },
        None => Vantage::Channel,
    };
    Ok(Record {
        at: from.get("t_ns")?,
        vantage,
        flow: from.get::<Option<u32>>("flow")?.map(FlowId),
        fact: fact(from, kind)?,
    })
}

fn fact(from: &Fields<'_>, kind: &str) -> Result<Fact, Fault> {
    Ok(match kind {
        "flow" => Fact::FlowBegan(flow(from)?),
        "segment" => segment_fact(from)?,
        "channel" => {
            Fact::Channel { number: from.get("number")?, copy: from.get("copy")?, what: from.coded("event")? }
        }
        "state" => Fact::State {
            from: from.get("from")?,
            to: from.get("to")?,
            cause: from.get("cause")?,
            segment: from.get("segment")?,
        },
        "timer" | "note" if from.has("arq") => Fact::ArqNote(from.coded("arq")?),
        "timer" | "note" => Fact::Note(from.coded("event")?),
        "app" => app(from)?,
        "finding" => Fact::Finding(Finding {
            code: from.get("code")?,
            packets: from.get("packets")?,
            values: values(from)?,
        }),
        found => return Err(Fault::UnknownType { found: found.to_string() }),
    })
}

fn values(from: &Fields<'_>) -> Result<Vec<(String, u64)>, Fault> {
    let wrong = Fault::Wrong { key: "values" };
    let object = from.value("values")?.as_object().ok_or(wrong.clone())?;
    let read = |(name, value): (&String, &Value)| Some((name.clone(), value.as_u64()?));
    object.iter().map(read).collect::<Option<_>>().ok_or(wrong)
}

fn app(from: &Fields<'_>) -> Result<Fact, Fault> {
    if from.has("call") {
        return Ok(Fact::Call(from.coded("call")?));
    }
    Ok(match from.text("event")? {
        "delivered" => Fact::Delivered {
            offset: from.get("offset")?,
            length: from.get("length")?,
            octets: from.get("octets")?,
        },
        "echo-replied" => Fact::EchoReplied {
            ident: from.get("ident")?,
            sequence: from.get("sequence")?,
            number: from.get("number")?,
        },
        _ => Fact::Event(from.coded("event")?),
    })
}

fn flow(from: &Fields<'_>) -> Result<FlowBegan, Fault> {
    let protocol = match from.text("protocol")? {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "arq" => Protocol::Arq,
        "icmp" => Protocol::Icmp,
        "arp" => Protocol::Arp,
        "other" => Protocol::Other(from.get("ip_protocol")?),
        _ => return Err(Fault::Wrong { key: "protocol" }),
    };
    Ok(FlowBegan {
        protocol,
        endpoints: endpoints(from)?,
        client: from.get::<Option<u8>>("client")?.map(HostId),
        server: from.get::<Option<u8>>("server")?.map(HostId),
    })
}

fn endpoints(from: &Fields<'_>) -> Result<Endpoints, Fault> {
    Ok(Endpoints { source: from.get("from")?, destination: from.get("to")? })
}

fn segment_fact(from: &Fields<'_>) -> Result<Fact, Fault> {
    match from.text("event")? {
        "left" => Ok(Fact::Left(Box::new(packet(from)?))),
        "arrived" => {
            let packet = if from.has("protocol") { Some(Box::new(packet(from)?)) } else { None };
            Ok(Fact::Arrived { number: from.get("number")?, copy: from.get("copy")?, packet })
        }
        "dropped" => Ok(Fact::Dropped { number: from.get("number")?, reason: from.get("reason")? }),
        found => Err(Fault::UnknownCode { key: "event", found: found.to_string() }),
    }
}

fn packet(from: &Fields<'_>) -> Result<Packet, Fault> {
    let transport = match from.text("protocol")? {
        "tcp" => Transport::Tcp(Box::new(segment(from)?)),
        "udp" => Transport::Udp,
        "arq" => Transport::Arq(Box::new(arq(from)?)),
        "icmp" => Transport::Icmp(icmp(from)?),
        "fragment" => {
            Transport::Fragment { protocol: from.get("ip_protocol")?, offset: from.get("fragment_offset")? }
        }
        "arp" => Transport::Arp,
        "other" => Transport::Other { protocol: from.get("ip_protocol")? },
        _ => return Err(Fault::Wrong { key: "protocol" }),
    };
    Ok(Packet {
        number: from.get("number")?,
        endpoints: endpoints(from)?,
        transport,
        payload_length: from.get("length")?,
        payload_at: from.get("payload_at")?,
        frame_length: from.get("frame_length")?,
        frame: from.get::<Option<Octets>>("frame")?.unwrap_or_default(),
        comment: from.get::<Option<String>>("comment")?.map(String::into_boxed_str),
    })
}

fn arq(from: &Fields<'_>) -> Result<ArqPacket, Fault> {
    Ok(ArqPacket {
        kind: from.get("kind")?,
        sequence: from.get("sequence")?,
        space: from.get("space_bits")?,
        checksum: from.get("checksum")?,
        end: from.get("ends_message")?,
        ordinal: from.get("ordinal")?,
        reason: from.get("reason")?,
        of: from.get("of")?,
    })
}

fn icmp(from: &Fields<'_>) -> Result<Icmp, Fault> {
    let ident: Option<u16> = from.get("echo_ident")?;
    let sequence: Option<u16> = from.get("echo_sequence")?;
    let source = from.get::<Option<_>>("quoted_from")?;
    let destination = from.get::<Option<_>>("quoted_to")?;
    Ok(Icmp {
        kind: from.get("icmp_type")?,
        code: from.get("icmp_code")?,
        echo: ident.zip(sequence),
        quoted: source.zip(destination).map(|(source, destination)| Endpoints { source, destination }),
    })
}

fn segment(from: &Fields<'_>) -> Result<Segment, Fault> {
    let header = Header {
        seq: from.get("seq")?,
        ack: from.get("ack")?,
        control: flags(from.text("flags")?).ok_or(Fault::Wrong { key: "flags" })?,
        window: from.get("window")?,
        urgent_pointer: from.get::<Option<u16>>("urgent_pointer")?.unwrap_or(0),
        options: if from.has("options") { options(&from.object("options")?)? } else { Options::NONE },
    };
    Ok(Segment {
        header,
        reason: from.get("reason")?,
        of: from.get::<Option<Number>>("of")?,
        duplicate_ack: from.get("duplicate_ack")?,
        window: from.get("window_mark")?,
    })
}

/// Reads what [`Control`]'s `Display` prints.
fn flags(text: &str) -> Option<Control> {
    const ALL: [Control; 8] = [
        Control::FIN,
        Control::SYN,
        Control::RST,
        Control::PSH,
        Control::ACK,
        Control::URG,
        Control::ECE,
        Control::CWR,
    ];
    if text == Control::NONE.to_string() {
        return Some(Control::NONE);
    }
    let mut control = Control::NONE;
    for name in text.split(',') {
        control |= *ALL.iter().find(|flag| flag.to_string() == name)?;
    }
    Some(control)
}

fn options(from: &Fields<'_>) -> Result<Options, Fault> {
    let timestamps = match from.get_value("timestamps") {
        Some(value) => {
            let (value, echo) = read_pair(value).ok_or(Fault::Wrong { key: "timestamps" })?;
            Some(Timestamps { value, echo })
        }
        None => None,
    };
    let fast_open = match from.get::<Option<String>>("fast_open")? {
        Some(hex) => {
            let cookie = read_hex(&hex).and_then(|octets| FastOpenCookie::new(&octets));
            Some(cookie.ok_or(Fault::Wrong { key: "fast_open" })?)
        }
        None => None,
    };
    let user_timeout = match from.get::<Option<u16>>("user_timeout_amount")? {
        Some(amount) => Some(UserTimeout { amount, minutes: from.get("user_timeout_in_minutes")? }),
        None => None,
    };
    let blocks: Option<Vec<SackBlock>> = from.get("sack")?;
    Ok(Options {
        mss: from.get("mss")?,
        window_scale: from.get("window_scale")?,
        sack_permitted: from.get::<Option<bool>>("sack_permitted")?.unwrap_or(false),
        sack: blocks.unwrap_or_default().into_iter().collect(),
        timestamps,
        user_timeout,
        fast_open,
    })
}

impl<'a> Fields<'a> {
    fn get_value(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    fn value(&self, key: &'static str) -> Result<&'a Value, Fault> {
        self.get_value(key).ok_or(Fault::Missing { key })
    }
}
