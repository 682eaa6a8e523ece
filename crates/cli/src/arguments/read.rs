//! What was asked, as typed values.
//!
//! Numbers have bounds here; what a flag means to a scene or a wire is decided where that is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use aperto_explain::program::{Fault, NoEffect};
use aperto_secure::Address;
use aperto_sim::quantity::{parse_duration, parse_size};
use aperto_sim::recipe::Protocol;
use clap::ArgMatches;
use clap::parser::ValueSource;

use super::bench;
use super::channel::{self, Channel, bad_quantity};
use super::chat::{self, Chat};
use super::modes::{self, Modes};
use super::secure::{self, Secure};
use super::told::{self, Telling};
use super::{doctor, states, tools};
use super::{integrity, repeat, transfer};

/// The port of everybody's server.
pub(crate) const DEFAULT_PORT: u16 = 7000;

/// What the user wants done.
#[derive(Debug)]
pub(crate) enum Job {
    /// A simulated run.
    Demo(Demo),
    /// The list of scenes.
    Scenes,
    /// Wait for clients.
    Server(Server),
    /// Connect to a server.
    Client(Client),
    /// Receive files from clients, or give them to them.
    FileServer(transfer::FileServer),
    /// Send files to a server, or fetch them.
    FileClient(transfer::FileClient),
    /// One message through several protocols.
    Compare(Compare),
    /// One file through several layers that protect it.
    Integrity(integrity::Job),
    /// A matrix of protocols and channels.
    Bench(bench::Bench),
    /// Draw a recording.
    Show(Show),
    /// Is this machine ready?
    Doctor(doctor::Doctor),
    /// The state diagram, or the system's sockets.
    States(states::States),
    /// Claims about a recording.
    Check(tools::Check),
    /// The recordings of two ends as one.
    Merge(tools::Merge),
    /// Run a recording again.
    Replay(tools::Replay),
    /// Keys.
    Key(secure::Key),
    /// Completions for a shell.
    Completions { shell: String },
    /// The manual page.
    Man,
    /// Help of a command, or of all.
    Help { command: Option<String>, all: bool },
    /// The version.
    Version,
}

/// Where to record, and who did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The file; `-` is stdout.
    pub(crate) file: Option<String>,
    /// For the header.
    pub(crate) tag: Option<String>,
}

/// Initial sequence numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Isn {
    /// The client's and the server's.
    Fixed(u32, u32),
    /// RFC 6528.
    Random,
}

/// When the server of `teardown` closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ServerClose {
    /// So long after the client's FIN.
    After(Duration),
    /// At the same moment as the client.
    Same,
}

/// TCP's own settings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tcp {
    pub(crate) isn: Option<Isn>,
    pub(crate) mss: Option<u16>,
    pub(crate) window: Option<u32>,
    pub(crate) nodelay: bool,
}

/// A simulated run.
#[derive(Debug)]
pub(crate) struct Demo {
    /// The scene; the demonstration without one.
    pub(crate) scene: Option<String>,
    pub(crate) protocol: Protocol,
    pub(crate) message: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) by: Option<u32>,
    pub(crate) server_close: Option<ServerClose>,
    pub(crate) clients: Option<u32>,
    pub(crate) payload: Option<u32>,
    pub(crate) modes: Modes,
    /// Each packet is sealed by itself.
    pub(crate) sealed: bool,
    pub(crate) tcp: Tcp,
    pub(crate) channel: Channel,
    pub(crate) record: Record,
    /// The command that would do it again.
    pub(crate) repeat_with_seed: String,
}

/// What carries packets in the real world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WireKind {
    Udp,
    Tun,
    Os,
}

impl WireKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tun => "tun",
            Self::Os => "os",
        }
    }
}

/// What client and server have in common.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) wire: WireKind,
    pub(crate) protocol: Protocol,
    /// TUN: our own address.
    pub(crate) address: Option<IpAddr>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) modes: Modes,
    /// A chat over TCP.
    pub(crate) chat: Option<Chat>,
    pub(crate) tcp: Tcp,
    pub(crate) channel: Channel,
    pub(crate) record: Record,
    /// To be secret, and how.
    pub(crate) secure: Option<Secure>,
    pub(crate) command: String,
}

/// What a server does with its clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Service {
    /// Says how many bytes it got.
    Receipt,
    Echo,
    Upper,
    Sink,
    Chat,
    /// Writes a file.
    Out(String),
    /// Receives files, or gives them.
    Files,
    /// Tells a handshake in text.
    Text(Telling),
}

/// Wait for clients.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) service: Service,
    pub(crate) lan: bool,
    pub(crate) max_conns: Option<u64>,
    pub(crate) once: bool,
    pub(crate) live: Live,
}

/// What a client says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// What is typed, or comes on stdin.
    Input,
    Message(String),
    File(String),
    /// A handshake told in text.
    Text(Telling),
}

/// Connect to a server.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) source: Source,
    pub(crate) line_end: &'static str,
    pub(crate) live: Live,
}

/// One message through several protocols.
#[derive(Debug)]
pub(crate) struct Compare {
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) message: Option<String>,
    pub(crate) payload: u32,
    pub(crate) window: u32,
    pub(crate) longest: Option<u32>,
    pub(crate) group: bool,
    pub(crate) nack: bool,
    pub(crate) channel: Channel,
    pub(crate) repeat: String,
}

/// Draw a recording.
#[derive(Debug)]
pub(crate) struct Show {
    pub(crate) file: String,
    pub(crate) stream: Option<u32>,
    pub(crate) record: Record,
}

/// What was asked, and the flags it was asked with.
pub(crate) fn job(matches: &ArgMatches) -> Result<Job, Fault> {
    match matches.subcommand() {
        None if matches.get_flag("version") => Ok(Job::Version),
        None => demo(matches, None, "").map(Job::Demo),
        Some(("demo", below)) => match below.get_one::<String>("scene") {
            None => Ok(Job::Scenes),
            Some(scene) => demo(below, Some(scene.clone()), "demo").map(Job::Demo),
        },
        Some(("server", below)) => match transfer::of_server(below)? {
            Some(asked) => transfer::file_server(server(below)?, asked).map(Job::FileServer),
            None => server(below).map(Job::Server),
        },
        Some(("client", below)) => match transfer::of_client(below)? {
            Some(asked) => transfer::file_client(client(below)?, asked).map(Job::FileClient),
            None => client(below).map(Job::Client),
        },
        Some(("bench", below)) => bench::read(below).map(Job::Bench),
        Some(("compare", below)) => match integrity::read(below)? {
            Some(job) => Ok(Job::Integrity(job)),
            None => compare(below).map(Job::Compare),
        },
        Some(("show", below)) => Ok(Job::Show(Show {
            file: below.get_one::<String>("file").cloned().unwrap_or_default(),
            stream: number_of(below, "stream", 0, u64::from(u32::MAX))?.map(truncated),
            record: record(below),
        })),
        Some(("doctor", below)) => doctor::read(below).map(Job::Doctor),
        Some(("states", below)) => states::read(below).map(Job::States),
        Some(("check", below)) => Ok(Job::Check(tools::read_check(below))),
        Some(("merge", below)) => Ok(Job::Merge(tools::read_merge(below))),
        Some(("replay", below)) => Ok(Job::Replay(tools::read_replay(below))),
        Some(("key", below)) => secure::read_key(below).map(Job::Key),
        Some(("completions", below)) => {
            Ok(Job::Completions { shell: below.get_one::<String>("shell").cloned().unwrap_or_default() })
        }
        Some(("man", _)) => Ok(Job::Man),
        Some((_, below)) => {
            Ok(Job::Help { command: below.get_one::<String>("command").cloned(), all: below.get_flag("all") })
        }
    }
}

pub(super) fn demo(matches: &ArgMatches, scene: Option<String>, name: &str) -> Result<Demo, Fault> {
    let channel = channel::read(matches)?;
    let seed = channel.seed;
    Ok(Demo {
        scene,
        protocol: protocol(matches),
        message: matches.get_one::<String>("message").cloned(),
        size: size(matches)?,
        by: number_of(matches, "by", 1, 1_000)?.map(truncated),
        server_close: server_close(matches)?,
        clients: number_of(matches, "clients", 1, 100)?.map(truncated),
        payload: number_of(matches, "payload", 1, 65_000)?.map(truncated),
        modes: modes::read(matches, protocol(matches))?,
        // `states` reads a run as well and has no such flag.
        sealed: matches!(matches.try_get_one("secure"), Ok(Some(true))),
        tcp: tcp(matches)?,
        channel,
        record: record(matches),
        repeat_with_seed: repeat::command(name, matches, Some(seed)),
    })
}

fn server(matches: &ArgMatches) -> Result<Server, Fault> {
    let mut live = live(matches, "server", None)?;
    let telling = told::read(matches, &mut live)?;
    live.chat = chat::read(matches, &mut live)?;
    let lan = matches.get_flag("lan");
    let usual_port = telling.map_or(DEFAULT_PORT, |telling| telling.dialect.port());
    let listen = listen_address(matches.get_one::<String>("listen").map(String::as_str), lan, usual_port)?;
    // The wire that is inside a device reaches nobody else: its own address decides.
    if live.wire != WireKind::Tun && !lan && !listen.ip().is_loopback() {
        return Err(Fault::NeedsLan { address: listen.ip(), port: listen.port() });
    }
    let mut services: Vec<(&str, Service)> = [
        ("echo", Service::Echo),
        ("upper", Service::Upper),
        ("sink", Service::Sink),
        ("chat", Service::Chat),
    ]
    .into_iter()
    .filter(|(flag, _)| matches.get_flag(flag))
    .collect();
    if let Some(file) = matches.get_one::<String>("out") {
        services.push(("out", Service::Out(file.clone())));
    }
    services.extend(telling.map(|telling| ("text", Service::Text(telling))));
    if let [(first, _), (second, _), ..] = services.as_slice() {
        return Err(Fault::Conflict { first: format!("--{first}"), second: format!("--{second}") });
    }
    Ok(Server {
        listen,
        service: services.pop().map_or(Service::Receipt, |(_, service)| service),
        lan,
        max_conns: number_of(matches, "max-conns", 1, 1_000_000)?,
        once: matches.get_flag("once"),
        live,
    })
}

fn client(matches: &ArgMatches) -> Result<Client, Fault> {
    let typed = matches.get_one::<String>("host").cloned().unwrap_or_default();
    let port = matches.get_one::<String>("port");
    let address = secure::address(&typed)?;
    let mut live = live(matches, "client", address.as_ref())?;
    let telling = told::read(matches, &mut live)?;
    live.chat = chat::read(matches, &mut live)?;
    let usual_port = telling.map_or(DEFAULT_PORT, |telling| telling.dialect.port());
    let (host, port) = match (port, address) {
        (Some(port), Some(_)) => return Err(Fault::UnexpectedWord { word: port.clone() }),
        (None, Some(address)) => (address.host, address.port.unwrap_or(usual_port)),
        (Some(port), None) => (typed, port_number(port)?),
        (None, None) => match typed.parse::<SocketAddr>() {
            Ok(both) => (both.ip().to_string(), both.port()),
            Err(_) => match typed.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host.to_owned(), port_number(port)?),
                _ => (typed, usual_port),
            },
        },
    };
    let message = matches.get_one::<String>("message").cloned();
    let file = matches.get_one::<String>("file").cloned();
    let source = match (message, file) {
        (Some(_), Some(_)) => return Err(Fault::Conflict { first: "-m".into(), second: "--file".into() }),
        (Some(message), None) => Source::Message(message),
        (None, Some(file)) => Source::File(file),
        (None, None) => telling.map_or(Source::Input, Source::Text),
    };
    let line_end = match matches.get_one::<String>("eol").map(String::as_str) {
        Some("lf") => "\n",
        Some("crlf") => "\r\n",
        _ => "",
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Client { host, port, source, line_end, live })
}

fn live(matches: &ArgMatches, name: &str, address_of_ours: Option<&Address>) -> Result<Live, Fault> {
    let protocol = protocol(matches);
    let wire = match matches.get_one::<String>("wire").map(String::as_str) {
        Some("tun") => WireKind::Tun,
        Some("os") => WireKind::Os,
        // Datagrams of the user's are the system's business, unless our own UDP was asked for.
        None if protocol == Protocol::Udp => WireKind::Os,
        _ => WireKind::Udp,
    };
    let channel = channel::read(matches)?;
    let tcp = tcp(matches)?;
    let address = match matches.get_one::<String>("address") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Fault::BadAddress { value: text.clone() })?),
    };
    if address.is_some() && wire != WireKind::Tun {
        return Err(no_effect("address", NoEffect::Needs("--wire tun")));
    }
    let speaks_os = wire == WireKind::Os;
    if let (Some(flag), true) = (channel.first_flag, speaks_os) {
        return Err(no_effect(flag, NoEffect::NoChannelOfOurs));
    }
    if speaks_os && matches.get_one::<String>("write").is_some() {
        return Err(no_effect("write", NoEffect::NoPackets));
    }
    // The numbers of a handshake told in text need no segments of ours.
    // The window of a chat counts messages.
    let of_text = |flag: &str| {
        (flag == "isn" && told::dialect(matches).is_some())
            || (flag == "window" && chat::asked(matches, protocol))
    };
    let numbers = ["isn", "mss", "window"].into_iter();
    if let Some(flag) = numbers.filter(|flag| !of_text(flag)).find(|flag| given(matches, flag)) {
        if speaks_os {
            return Err(no_effect(flag, NoEffect::NoChannelOfOurs));
        }
        if protocol != Protocol::Tcp && (flag != "window" || protocol == Protocol::Udp) {
            return Err(no_effect(flag, NoEffect::OnlyTcp));
        }
    }
    if protocol == Protocol::Udp && wire == WireKind::Udp {
        // Our segments travel inside UDP there.
        return Err(no_effect("proto udp", NoEffect::Needs("--wire os (or tun)")));
    }
    if protocol.textbook().is_some() && wire != WireKind::Udp {
        return Err(no_effect("wire", NoEffect::Needs("--proto tcp (or udp)")));
    }
    let timeout = match matches.get_one::<String>("timeout") {
        None => None,
        Some(text) => Some(parse_duration(text).map_err(|error| bad_quantity("--timeout", text, error))?),
    };
    let secure = secure::read(matches, wire, protocol, address_of_ours)?;
    let seed = channel.first_flag.map(|_| channel.seed);
    Ok(Live {
        wire,
        protocol,
        address,
        timeout,
        modes: modes::read(matches, protocol)?,
        chat: None,
        tcp,
        channel,
        record: record(matches),
        command: match secure {
            Some(_) => repeat::without_text(name, matches, seed),
            None => repeat::command(name, matches, seed),
        },
        secure,
    })
}

fn compare(matches: &ArgMatches) -> Result<Compare, Fault> {
    let mut protocols: Vec<Protocol> = Vec::new();
    for name in matches.get_many::<String>("protocols").into_iter().flatten() {
        if let Some(protocol) = Protocol::from_name(name)
            && !protocols.contains(&protocol)
        {
            protocols.push(protocol);
        }
    }
    let channel = channel::read(matches)?;
    let seed = channel.seed;
    Ok(Compare {
        protocols,
        message: matches.get_one::<String>("message").cloned(),
        payload: number_of(matches, "payload", 1, 1_000)?.map_or(4, truncated),
        window: number_of(matches, "window", 1, 1_000)?.map_or(4, truncated),
        longest: modes::read_longest(matches)?,
        group: matches.get_one::<String>("ack").is_some_and(|word| word == "group"),
        nack: matches.get_flag("nack"),
        channel,
        repeat: repeat::command("compare", matches, Some(seed)),
    })
}

pub(super) fn record(matches: &ArgMatches) -> Record {
    Record {
        // Not every command that simulates records.
        file: matches.try_get_one::<String>("write").ok().flatten().cloned(),
        tag: matches.try_get_one::<String>("tag").ok().flatten().cloned(),
    }
}

fn tcp(matches: &ArgMatches) -> Result<Tcp, Fault> {
    let isn = match matches.get_one::<String>("isn").map(String::as_str) {
        None => None,
        Some("random") => Some(Isn::Random),
        Some(text) => {
            let bad = || Fault::BadIsn { value: text.into() };
            let (client, server) = text.split_once(',').ok_or_else(bad)?;
            let one = |text: &str| text.trim().parse::<u32>().map_err(|_| bad());
            Some(Isn::Fixed(one(client)?, one(server)?))
        }
    };
    Ok(Tcp {
        isn,
        // RFC 9293 §3.7.1: 65,535 is the most that fits; below 64 a segment is mostly header.
        mss: number_of(matches, "mss", 64, 65_495)?.and_then(|mss| u16::try_from(mss).ok()),
        window: number_of(matches, "window", 1, 1 << 30)?.map(truncated),
        nodelay: matches.get_flag("nodelay"),
    })
}

fn server_close(matches: &ArgMatches) -> Result<Option<ServerClose>, Fault> {
    match matches.get_one::<String>("server-close").map(String::as_str) {
        None => Ok(None),
        Some("same") => Ok(Some(ServerClose::Same)),
        Some(text) => {
            let after = parse_duration(text).map_err(|error| bad_quantity("--server-close", text, error))?;
            Ok(Some(ServerClose::After(after)))
        }
    }
}

fn size(matches: &ArgMatches) -> Result<Option<u64>, Fault> {
    let Some(text) = matches.get_one::<String>("size") else { return Ok(None) };
    parse_size(text).map(Some).map_err(|error| bad_quantity("--size", text, error))
}

fn protocol(matches: &ArgMatches) -> Protocol {
    matches.get_one::<String>("proto").and_then(|name| Protocol::from_name(name)).unwrap_or_default()
}

/// `7000`, `127.0.0.1:7000`, `[::1]:7000`.
fn listen_address(text: Option<&str>, lan: bool, usual_port: u16) -> Result<SocketAddr, Fault> {
    let everywhere = IpAddr::from(if lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST });
    let Some(text) = text else { return Ok((everywhere, usual_port).into()) };
    if let Ok(port) = text.parse::<u64>() {
        return port_number(&port.to_string()).map(|port| (everywhere, port).into());
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return Ok((Ipv4Addr::LOCALHOST, port_number(port)?).into());
    }
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(Fault::BadAddress { value: text.into() }),
    }
}

fn port_number(text: &str) -> Result<u16, Fault> {
    match text.parse::<u16>() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(Fault::BadAddress { value: text.into() }),
    }
}

/// Whether the user typed a flag.
pub(crate) fn given(matches: &ArgMatches, flag: &str) -> bool {
    matches.value_source(flag) == Some(ValueSource::CommandLine)
}

pub(super) fn no_effect(flag: &str, because: NoEffect) -> Fault {
    let flag = if flag == "write" { "-w".into() } else { format!("--{flag}") };
    Fault::NoEffect { flag, because }
}

pub(super) fn number_of(matches: &ArgMatches, flag: &str, from: u64, to: u64) -> Result<Option<u64>, Fault> {
    match matches.get_one::<String>(flag) {
        None => Ok(None),
        Some(text) => number(&format!("--{flag}"), text, from, to).map(Some),
    }
}

/// A whole number within bounds.
pub(crate) fn number(flag: &str, text: &str, from: u64, to: u64) -> Result<u64, Fault> {
    match text.parse::<u64>() {
        Ok(number) if (from..=to).contains(&number) => Ok(number),
        _ => Err(Fault::BadNumber { flag: flag.into(), value: text.into(), from, to }),
    }
}

/// A number that was read already, within its bounds.
pub(crate) fn within(flag: &str, text: &str, number: u64, from: u64, to: u64) -> Result<u64, Fault> {
    if (from..=to).contains(&number) {
        Ok(number)
    } else {
        Err(Fault::BadNumber { flag: flag.into(), value: text.into(), from, to })
    }
}

/// A number that its bounds keep within 32 bits.
fn truncated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
