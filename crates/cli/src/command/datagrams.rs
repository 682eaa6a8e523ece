//! `--proto udp`: datagrams, through the system's sockets or our own UDP behind a TUN device.
//!
//! There is no connection: a server keeps the last peers only to call them `c1`, `c2`, and a client
//! waits a while for an answer that nobody promises (RFC 768, RFC 8085 §3.1).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use aperto_explain::program::saying::Saying;
use aperto_explain::program::{Exit, Fault, RefusedBy};
use aperto_tokio::Datagrams;

use super::server::{flags, os_text, until};
use crate::arguments::read::{Client, Server, Service, Source, WireKind};
use crate::live::net::{self, End, Net, Pace};
use crate::live::printer::{Printer, Printing};
use crate::live::prompt::{Input, Prompt};
use crate::live::slash::Typed;
use crate::live::{self, signal, talk};
use crate::looks::{Looks, View};
use crate::record::trouble;

/// How many peers have a name at once.
const PEERS: usize = 1_000;
/// How long a client waits for an answer where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest datagram over IPv4.
const LARGEST: usize = 65_507;
/// Octets of a file in each datagram: fits into 1,500 with all headers.
const PIECE: usize = 1_400;

async fn open_server(job: &Server, net: Option<&Net>) -> Result<Datagrams, Fault> {
    let failed = |error| net::refused_here(&error, &job.live.command);
    match net {
        Some(net) => net.stack.bind_udp(net.local).map(Datagrams::Aperto).map_err(failed),
        None => Datagrams::open_os(job.listen).map_err(failed),
    }
}

/// Answers datagrams until it is told to end.
pub(crate) async fn serve(
    job: &Server,
    looks: &Looks,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let net = match job.live.wire {
        WireKind::Tun => {
            match Net::open(&job.live, End::Server { listen: job.listen }, Pace::Transfer, looks, &printer) {
                Ok(net) => Some(net),
                Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
            }
        }
        WireKind::Os | WireKind::Udp => None,
    };
    let scribe = net.as_ref().and_then(|net| net.scribe.clone());
    let outcome = match open_server(job, net.as_ref()).await {
        Ok(socket) => {
            let at = socket.local_addr().unwrap_or(job.listen);
            Desk { job, looks, printer: &printer, names: BTreeMap::new() }.answer_all(&socket, at).await
        }
        Err(fault) => Err(fault),
    };
    if let Some(net) = net {
        net.close().await;
    }
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// Where datagrams are answered.
struct Desk<'a> {
    job: &'a Server,
    looks: &'a Looks,
    printer: &'a Printer,
    names: BTreeMap<SocketAddr, usize>,
}

impl Desk<'_> {
    async fn answer_all(&mut self, socket: &Datagrams, at: SocketAddr) -> Result<Exit, Fault> {
        let mut ending = std::pin::pin!(signal::asked_to_end());
        self.say(&Saying::Listening { at });
        self.say(&Saying::NextClient { host: at.ip().to_string(), port: at.port(), flags: flags(self.job) });
        let deadline = self.job.live.timeout.map(|after| tokio::time::Instant::now() + after);
        let mut room = vec![0; LARGEST + 1];
        loop {
            tokio::select! {
                received = socket.recv_from(&mut room) => {
                    // An ICMP error about an answer of ours is no reason to stop (RFC 8085 §5.2).
                    let Ok((octets, peer)) = received else { continue };
                    let text = room.get(..octets).unwrap_or_default();
                    self.answer(socket, peer, text).await;
                    if self.job.once {
                        return Ok(Exit::Done);
                    }
                }
                () = &mut ending => return Ok(Exit::Interrupted),
                () = until(deadline) => {
                    return Err(Fault::TimeIsUp { after: self.job.live.timeout.unwrap_or_default() });
                }
            }
            if self.printer.is_gone() {
                return Ok(Exit::Done);
            }
        }
    }

    async fn answer(&mut self, socket: &Datagrams, peer: SocketAddr, text: &[u8]) {
        let label = format!("{} {peer} ", self.name(peer));
        self.say(&os_text(&label, false, text));
        if let Service::Out(file) = &self.job.service {
            if let Err(error) = append(file, text) {
                self.say(&os_text(&format!("{file}: {error} "), false, &[]));
            }
            return;
        }
        let answer = talk::answer(&self.job.service, self.looks.language, text);
        if matches!(self.job.service, Service::Sink | Service::Chat) {
            return;
        }
        // Whoever asked may be gone; UDP does not tell.
        if socket.send_to(&answer, peer).await.is_ok() {
            self.say(&os_text(&label, true, &answer));
        }
    }

    fn name(&mut self, peer: SocketAddr) -> String {
        if self.names.len() >= PEERS && !self.names.contains_key(&peer) {
            self.names.clear();
        }
        let next = self.names.len() + 1;
        format!("c{}", self.names.entry(peer).or_insert(next))
    }

    fn say(&self, saying: &Saying) {
        if !self.looks.quiet && self.looks.live_view() == View::Lines {
            for line in saying.lines(self.looks.language) {
                self.printer.line(line);
            }
        }
    }
}

fn append(file: &str, octets: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    std::fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(octets)
}

/// Sends what there is to say, and waits for answers.
pub(crate) async fn ask(
    job: &Client,
    remote: SocketAddr,
    looks: &Looks,
    mut prompt: Option<Prompt>,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let net = match job.live.wire {
        WireKind::Tun => {
            match Net::open(&job.live, End::Client { remote }, Pace::Transfer, looks, &printer) {
                Ok(net) => Some(net),
                Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
            }
        }
        WireKind::Os | WireKind::Udp => None,
    };
    let scribe = net.as_ref().and_then(|net| net.scribe.clone());
    let failed = |error| net::refused_here(&error, &job.live.command);
    let opened = match &net {
        Some(net) => {
            net.stack.bind_udp(SocketAddr::new(net.local.ip(), 49_152)).map(Datagrams::Aperto).map_err(failed)
        }
        None => Datagrams::connect_os(remote).await.map_err(failed),
    };
    let outcome = match opened {
        Ok(socket) => {
            let asker = Asker { job, remote, looks, printer: &printer, socket: &socket };
            tokio::select! {
                outcome = asker.whole(prompt.as_mut()) => outcome,
                () = signal::asked_to_end() => Ok(Exit::Interrupted),
            }
        }
        Err(fault) => Err(fault),
    };
    if let Some(net) = net {
        net.close().await;
    }
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// Who asks over UDP.
struct Asker<'a> {
    job: &'a Client,
    remote: SocketAddr,
    looks: &'a Looks,
    printer: &'a Printer,
    socket: &'a Datagrams,
}

impl Asker<'_> {
    async fn whole(&self, prompt: Option<&mut Prompt>) -> Result<Exit, Fault> {
        match (&self.job.source, prompt) {
            (Source::Message(text), _) => {
                self.send(text.as_bytes()).await?;
                self.wait_for_one().await
            }
            (Source::File(name), _) => self.send_file(name).await,
            // A handshake told in text has been refused: it needs a connection.
            (Source::Input | Source::Text(_), Some(prompt)) => self.converse(prompt).await,
            (Source::Input | Source::Text(_), None) => self.converse(&mut Prompt::from_stdin()).await,
        }
    }

    async fn send(&self, text: &[u8]) -> Result<(), Fault> {
        let sent = self.socket.send_to(text, self.remote).await;
        sent.map_err(|error| self.failed(&error))?;
        self.shown(true, text);
        Ok(())
    }

    /// The first answer is enough; none is no failure that UDP would know of.
    async fn wait_for_one(&self) -> Result<Exit, Fault> {
        let mut room = vec![0; LARGEST + 1];
        let after = self.job.live.timeout.unwrap_or(PATIENCE);
        match tokio::time::timeout(after, self.socket.recv_from(&mut room)).await {
            Ok(Ok((octets, _))) => {
                self.shown(false, room.get(..octets).unwrap_or_default());
                Ok(Exit::Done)
            }
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) if self.job.live.timeout.is_some() => Err(Fault::TimeIsUp { after }),
            Err(_) => {
                live::say_aside(&Saying::NoDatagramAnswer { after }, self.looks);
                Ok(Exit::Done)
            }
        }
    }

    async fn send_file(&self, name: &str) -> Result<Exit, Fault> {
        let unreadable = |error: io::Error| Fault::CannotRead { file: name.into(), why: trouble(&error) };
        let mut file = File::open(name).map_err(unreadable)?;
        let mut room = vec![0; PIECE];
        let mut tally = talk::Tally::default();
        loop {
            let octets = file.read(&mut room).map_err(unreadable)?;
            let piece = room.get(..octets).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            tally.read(piece);
            self.send(piece).await?;
        }
        let octets = tally.received;
        for line in (Saying::SentFile { file: name.into(), octets, sha256: tally.sha256() })
            .lines(self.looks.language)
        {
            self.printer.line(line);
        }
        Ok(Exit::Done)
    }

    async fn converse(&self, prompt: &mut Prompt) -> Result<Exit, Fault> {
        prompt.ask();
        let mut room = vec![0; LARGEST + 1];
        let mut waiting = false;
        loop {
            tokio::select! {
                input = prompt.typed.recv() => match input {
                    Some(Input::Typed(Typed::Say(text))) => {
                        self.send((text + self.job.line_end).as_bytes()).await?;
                        waiting = true;
                    }
                    Some(Input::Interrupted) => return Ok(Exit::Interrupted),
                    Some(Input::Typed(Typed::Quit)) | None => {
                        // What was asked last may still be answered.
                        return if waiting { self.wait_for_one().await } else { Ok(Exit::Done) };
                    }
                    Some(Input::Typed(_)) => self.printer.line(Saying::NoChannel.text(self.looks.language)),
                },
                received = self.socket.recv_from(&mut room) => {
                    let (octets, _) = received.map_err(|error| self.failed(&error))?;
                    self.shown(false, room.get(..octets).unwrap_or_default());
                    waiting = false;
                }
            }
        }
    }

    fn shown(&self, sent: bool, text: &[u8]) {
        match self.looks.live_view() {
            View::Lines => {
                for line in os_text("", sent, text).lines(self.looks.language) {
                    self.printer.line(line);
                }
            }
            View::Nothing if !sent => self.printer.octets(text),
            View::Nothing | View::Json | View::Ladder => {}
        }
    }

    fn failed(&self, error: &io::Error) -> Fault {
        let remote = self.remote;
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Fault::Refused {
                remote,
                by: RefusedBy::PortUnreachable,
                same_machine: remote.ip().is_loopback(),
            },
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Fault::Unreachable { remote }
            }
            _ => Fault::System { what: error.to_string() },
        }
    }
}
