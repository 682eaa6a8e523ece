//! `aperto client`: connects, says what it has to say, and listens.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use aperto_explain::Summary;
use aperto_explain::program::chat::ChatSaying;
use aperto_explain::program::saying::{Saying, prompt};
use aperto_explain::program::secure::SecureFault;
use aperto_explain::program::{Exit, Fault, FileTrouble};
use aperto_explain::sockets::SocketCall;
use aperto_sim::recipe::Protocol;
use aperto_tokio::{Conversation, WireNote};
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc::{Receiver, channel};

use super::server::{os_text, sends_or_receives, until};
use super::{datagrams, modes};
use crate::arguments::read::{Client, Source, WireKind};
use crate::environment::Environment;
use crate::live::net::{self, End, Net, Pace};
use crate::live::printer::{Printer, Printing};
use crate::live::prompt::{Input, Prompt, Terminal};
use crate::live::scribe::SharedScribe;
use crate::live::secure::{self, ClientSide, Speaks};
use crate::live::slash::Typed;
use crate::live::talk::{self, Read, Tally};
use crate::live::{self, signal};
use crate::looks::{Looks, View};
use crate::record::trouble;

/// How long a peer that speaks something else may still answer with a segment.
const FOREIGN_PATIENCE: Duration = Duration::from_secs(1);
/// How long the end of a spoilt conversation waits for a lost last acknowledgment.
const LINGER: Duration = Duration::from_secs(2);

/// Connects and talks until both sides have closed.
pub(crate) fn run(job: Client, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    let remote = resolve(&job.host, job.port)?;
    let file = match &job.source {
        Source::File(name) => Some(open_file(name)?),
        Source::Input | Source::Message(_) | Source::Text(_) => None,
    };
    let port = job.port;
    let recording = job.live.record.file.as_deref();
    let speaks = match job.source {
        _ if job.live.chat.is_some() => Speaks::Chat,
        Source::Text(_) => Speaks::Text,
        Source::Input | Source::Message(_) | Source::File(_) => Speaks::Octets,
    };
    let prepare = |asked| ClientSide::prepare(asked, &job.host, port, speaks, recording, looks);
    let ready = Ready { file, secure: job.live.secure.as_ref().map(prepare).transpose()? };
    let terminal = Terminal::remember();
    let runtime = live::runtime()?;
    let types = job.source == Source::Input && environment.stdin_is_terminal;
    let opened = types.then(|| Prompt::open(prompt(looks.language, false))).flatten();
    let (prompt, above) = opened.map_or((None, None), |(prompt, above)| (Some(prompt), Some(above)));
    let (printer, printing) = live::printer(looks, job.live.record.file.as_deref(), above);
    let done = if job.live.protocol == Protocol::Udp {
        runtime.block_on(datagrams::ask(&job, remote, looks, prompt, printer, printing))
    } else if job.live.protocol.textbook().is_some() {
        runtime.block_on(modes::client::talk(&job, remote, looks, prompt, ready.file, printer, printing))
    } else {
        runtime.block_on(over_tcp(job, remote, looks, prompt, ready, printer, printing))
    };
    terminal.restore();
    runtime.shutdown_background();
    done
}

/// What is there before anything is sent.
struct Ready {
    file: Option<File>,
    secure: Option<ClientSide>,
}

pub(super) fn resolve(host: &str, port: u16) -> Result<SocketAddr, Fault> {
    let unknown = || Fault::UnknownHost { name: host.into() };
    let mut found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|_| unknown())?.collect();
    // The server listens on IPv4 unless it is told otherwise.
    found.sort_by_key(SocketAddr::is_ipv6);
    found.into_iter().next().ok_or_else(unknown)
}

fn open_file(name: &str) -> Result<File, Fault> {
    let unreadable = |why| Fault::CannotRead { file: name.into(), why };
    let file = File::open(name).map_err(|error| unreadable(trouble(&error)))?;
    let is_folder = file.metadata().is_ok_and(|about| about.is_dir());
    if is_folder { Err(unreadable(FileTrouble::Folder)) } else { Ok(file) }
}

async fn over_tcp(
    job: Client,
    remote: SocketAddr,
    looks: &Looks,
    mut prompt: Option<Prompt>,
    ready: Ready,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let ending = signal::asked_to_end();
    let talks = matches!(job.source, Source::Input | Source::Text(_));
    let pace = if talks { Pace::Talk } else { Pace::Transfer };
    let mut net = match job.live.wire {
        WireKind::Os => None,
        WireKind::Udp | WireKind::Tun => {
            match Net::open(&job.live, End::Client { remote }, pace, looks, &printer) {
                Ok(net) => Some(net),
                Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
            }
        }
    };
    let scribe = net.as_ref().and_then(|net| net.scribe.clone());
    let Ready { file, secure } = ready;
    if let Some(side) = &secure {
        side.record(scribe.as_ref());
    }
    let deadline = job.live.timeout.map(|after| tokio::time::Instant::now() + after);
    let talking = async {
        let conversation = connect(&job, remote, net.as_mut()).await?;
        let talk = Talk {
            job: &job,
            looks,
            printer: &printer,
            remote,
            scribe: scribe.clone(),
            endpoints: Cell::new(None),
            secure: secure.as_ref(),
            received: Cell::new(0),
            wants_tls: Cell::new(false),
        };
        if let Some(wish) = &job.live.chat {
            return talk.converse(conversation, net.as_mut(), prompt.as_mut(), wish).await;
        }
        match &job.source {
            Source::Text(telling) => talk.tell(conversation, net.as_ref(), telling).await,
            _ => talk.whole(conversation, net.as_mut(), prompt.as_mut(), file).await,
        }
    };
    let outcome = tokio::select! {
        outcome = talking => outcome,
        () = ending => Ok(Exit::Interrupted),
        () = until(deadline) => Err(Fault::TimeIsUp { after: job.live.timeout.unwrap_or_default() }),
    };
    if let Some(net) = net {
        if outcome == Ok(Exit::Done) {
            if net.impaired {
                tokio::time::sleep(LINGER).await;
            }
        } else {
            net.stack.abort_all();
        }
        net.close().await;
    }
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// Opens the connection.
pub(super) async fn connect(
    job: &Client,
    remote: SocketAddr,
    net: Option<&mut Net>,
) -> Result<Conversation, Fault> {
    let failed = |error| net::not_connected(&error, &job.live.command);
    let Some(net) = net else { return Conversation::connect_os(remote).await.map_err(failed) };
    let stack = net.stack.clone();
    let local = net.local;
    let connecting = async {
        match job.live.wire {
            WireKind::Tun => stack.connect(remote).await,
            WireKind::Udp | WireKind::Os => stack.connect_from(local, remote).await,
        }
    };
    let mut connecting = std::pin::pin!(connecting);
    let mut patience = None;
    let mut stranger = None;
    loop {
        tokio::select! {
            opened = &mut connecting => return opened.map(Conversation::Aperto).map_err(failed),
            Some(note) = net.noticed.recv() => {
                if let WireNote::Foreign { from, octets, .. } = note
                    && from == remote
                {
                    patience.get_or_insert_with(|| tokio::time::Instant::now() + FOREIGN_PATIENCE);
                    stranger = Some(Fault::ForeignPeer { from, octets: octets as u64 });
                }
            }
            () = until(patience) => {
                if let Some(fault) = stranger {
                    return Err(fault);
                }
            }
        }
    }
}

/// One conversation.
pub(super) struct Talk<'a> {
    pub(super) job: &'a Client,
    pub(super) looks: &'a Looks,
    pub(super) printer: &'a Printer,
    pub(super) remote: SocketAddr,
    pub(super) scribe: Option<SharedScribe>,
    /// The connection's two ends, as packets name them, once it is open.
    pub(super) endpoints: Cell<Option<aperto_host::Endpoints>>,
    /// TLS, if it is to be secret.
    secure: Option<&'a ClientSide>,
    /// How much was read so far.
    received: Cell<u64>,
    /// We speak in plain, and the server says that it wants TLS.
    wants_tls: Cell<bool>,
}

impl Talk<'_> {
    async fn whole(
        &self,
        conversation: Conversation,
        net: Option<&mut Net>,
        mut prompt: Option<&mut Prompt>,
        mut file: Option<File>,
    ) -> Result<Exit, Fault> {
        let endpoints = ends(&conversation, net.as_deref());
        self.endpoints.set(endpoints);
        self.greet(&conversation, endpoints);
        let conversation = self.secured(conversation).await?;
        if prompt.is_some() && self.looks.live_view() != View::Json {
            self.say(&Saying::Type);
        }
        let (reader, mut writer) = tokio::io::split(conversation);
        let (told, mut heard) = channel(16);
        let reading = tokio::spawn(talk::read_all(reader, told));
        let mut tally = Tally::default();
        if let Some(prompt) = prompt.as_deref_mut() {
            prompt.ask();
        }
        let spoken = match (&self.job.source, prompt, &mut file) {
            (Source::File(name), _, Some(file)) => {
                let sending = talk::send_file(&mut writer, file, |piece| self.text(true, piece));
                let (sent, sha256) = self.while_hearing(sending, &mut heard, &mut tally).await?;
                tally.sent = sent;
                self.say(&Saying::SentFile { file: name.clone(), octets: sent, sha256 });
                Spoken::All
            }
            (Source::Message(text), ..) => {
                self.text(true, text.as_bytes());
                let sending = talk::say(&mut writer, text.as_bytes());
                self.while_hearing(sending, &mut heard, &mut tally).await?;
                self.sent(text.as_bytes(), &mut tally);
                Spoken::All
            }
            (_, Some(prompt), _) => {
                self.interactively(&mut writer, &mut heard, &mut tally, prompt, net).await?
            }
            (_, None, _) => self.say_stdin(&mut writer, &mut heard, &mut tally).await?,
        };
        if spoken == Spoken::Interrupted {
            return Ok(Exit::Interrupted);
        }
        // The peer may have reset meanwhile; reading will say so.
        let _ = writer.shutdown().await;
        let second = spoken == Spoken::PeerClosed;
        self.os_call(if second { SocketCall::Close } else { SocketCall::Shutdown });
        if spoken != Spoken::PeerClosed {
            self.hear_out(&mut heard, &mut tally).await?;
            self.os_call(SocketCall::RecvEnd);
            self.os_call(SocketCall::Close);
        }
        drop(heard);
        let end = match reading.await {
            Ok(reader) => match reader.unsplit(writer).ours() {
                Some(stream) => stream.closed().await,
                None => aperto_tcp::End::Closed,
            },
            Err(_) => aperto_tcp::End::Aborted,
        };
        self.report(&tally, end, endpoints);
        self.judge(end)
    }

    /// Puts TLS around the conversation, where that was asked for.
    pub(super) async fn secured(&self, conversation: Conversation) -> Result<Conversation, Fault> {
        let Some(side) = self.secure else { return Ok(conversation) };
        let said = |saying| self.say(&Saying::Secure(saying));
        side.protect(conversation, self.remote, said).await
    }

    /// What is known of how many segments it took.
    fn counts(&self, endpoints: Option<aperto_host::Endpoints>) -> Option<Summary> {
        Some(self.scribe.as_ref()?.lock().connection_between(endpoints?).1)
    }

    pub(super) fn greet(&self, conversation: &Conversation, endpoints: Option<aperto_host::Endpoints>) {
        if self.looks.live_view() == View::Json {
            return;
        }
        let own_port = conversation.local_addr().map_or(0, |local| local.port());
        let server_port = self.remote.port();
        if endpoints.is_some() {
            let segments = self.counts(endpoints).map_or(3, |counts| counts.packets);
            self.say(&Saying::HandshakeComplete { segments, own_port, server_port });
        } else {
            self.os_call(SocketCall::Socket);
            self.os_call(SocketCall::Connect(self.remote));
            self.say(&Saying::Connected { own_port, server_port });
            self.say(&Saying::LikelyOpened);
        }
    }

    pub(super) fn judge(&self, end: aperto_tcp::End) -> Result<Exit, Fault> {
        let remote = self.remote;
        if self.wants_tls.get() {
            return Err(Fault::Secure(SecureFault::SpeaksTls { remote }));
        }
        match end {
            aperto_tcp::End::Closed => Ok(Exit::Done),
            aperto_tcp::End::Reset | aperto_tcp::End::Refused => Err(Fault::ResetByPeer { remote }),
            aperto_tcp::End::TimedOut => Err(Fault::SilentPeer { remote }),
            aperto_tcp::End::Unreachable => Err(Fault::Unreachable { remote }),
            aperto_tcp::End::Aborted => Ok(Exit::Interrupted),
        }
    }

    pub(super) fn report(
        &self,
        tally: &Tally,
        end: aperto_tcp::End,
        endpoints: Option<aperto_host::Endpoints>,
    ) {
        let os = self.job.live.wire == WireKind::Os;
        if os && end == aperto_tcp::End::Closed {
            self.say(&Saying::LikelyClosed);
        }
        if tally.received > 0 && matches!(self.job.source, Source::File(_)) {
            let (label, octets) = (String::new(), tally.received);
            self.say(&Saying::Hash { label, octets, sha256: tally.sha256() });
        }
        match self.counts(endpoints) {
            Some(counts) if end == aperto_tcp::End::Closed => self.say(&Saying::ConnectionClosed {
                segments: counts.packets,
                lost: counts.lost,
                resent: counts.resent,
                sent: tally.sent,
            }),
            _ => self.say(&Saying::Closed {
                how: live::ended(end),
                received: tally.received,
                sent: tally.sent,
            }),
        }
        if self.job.source == Source::Input && self.job.live.record.file.is_none() && !os {
            self.say(&Saying::Keep { client: true });
        }
    }

    /// Does something while the peer is heard, so that neither waits for the other for ever.
    async fn while_hearing<T>(
        &self,
        doing: impl Future<Output = io::Result<T>>,
        heard: &mut Receiver<Read>,
        tally: &mut Tally,
    ) -> Result<T, Fault> {
        let mut doing = std::pin::pin!(doing);
        let mut open = true;
        loop {
            tokio::select! {
                done = &mut doing => return done.map_err(|error| self.failed(&error)),
                read = heard.recv(), if open => match read {
                    Some(Read::Text(octets)) => self.received(&octets, tally),
                    Some(Read::Failed(error)) => return Err(self.failed(&error)),
                    Some(Read::PeerClosed) | None => open = false,
                },
            }
        }
    }

    /// Hears the peer until it has closed.
    async fn hear_out(&self, heard: &mut Receiver<Read>, tally: &mut Tally) -> Result<(), Fault> {
        loop {
            match heard.recv().await {
                Some(Read::Text(octets)) => self.received(&octets, tally),
                Some(Read::Failed(error)) => return Err(self.failed(&error)),
                Some(Read::PeerClosed) | None => return Ok(()),
            }
        }
    }

    async fn say_stdin(
        &self,
        writer: &mut WriteHalf<Conversation>,
        heard: &mut Receiver<Read>,
        tally: &mut Tally,
    ) -> Result<Spoken, Fault> {
        let mut stdin = Prompt::raw_stdin();
        loop {
            tokio::select! {
                octets = stdin.recv() => match octets {
                    Some(octets) => {
                        self.text(true, &octets);
                        self.while_hearing(talk::say(writer, &octets), heard, tally).await?;
                        self.sent(&octets, tally);
                    }
                    None => return Ok(Spoken::All),
                },
                read = heard.recv() => match read {
                    Some(Read::Text(octets)) => self.received(&octets, tally),
                    Some(Read::Failed(error)) => return Err(self.failed(&error)),
                    Some(Read::PeerClosed) | None => return Ok(Spoken::PeerClosed),
                },
            }
        }
    }

    async fn interactively(
        &self,
        writer: &mut WriteHalf<Conversation>,
        heard: &mut Receiver<Read>,
        tally: &mut Tally,
        prompt: &mut Prompt,
        net: Option<&mut Net>,
    ) -> Result<Spoken, Fault> {
        loop {
            tokio::select! {
                input = prompt.typed.recv() => match input {
                    Some(Input::Typed(Typed::Say(text))) => {
                        let line = text + self.job.line_end;
                        self.text(true, line.as_bytes());
                        self.while_hearing(talk::say(writer, line.as_bytes()), heard, tally).await?;
                        self.sent(line.as_bytes(), tally);
                    }
                    Some(Input::Typed(Typed::Quit)) | None => return Ok(Spoken::All),
                    Some(Input::Interrupted) => return Ok(Spoken::Interrupted),
                    Some(Input::Typed(typed)) => self.slash(&typed, net.as_deref()),
                },
                read = heard.recv() => match read {
                    Some(Read::Text(octets)) => self.received(&octets, tally),
                    Some(Read::Failed(error)) => return Err(self.failed(&error)),
                    Some(Read::PeerClosed) | None => return Ok(Spoken::PeerClosed),
                },
            }
        }
    }

    /// Commands with a slash.
    fn slash(&self, typed: &Typed, net: Option<&Net>) {
        let over = net.map(|net| (&net.stack, &net.wishes));
        for line in super::why::answer(typed, over, self.scribe.as_ref(), self.looks.language) {
            self.printer.line(line);
        }
    }

    /// A call on a socket of the system's, where the calls are shown.
    pub(super) fn os_call(&self, call: SocketCall) {
        let os = self.job.live.wire == WireKind::Os;
        if os && self.looks.shows_calls() && self.looks.live_view() == View::Lines {
            self.say(&Saying::Socket { label: String::new(), call });
        }
    }

    /// The application writes, or has read.
    ///
    /// What TLS carries is not told: it would stand in plain in a recording.
    pub(super) fn text(&self, sent: bool, octets: &[u8]) {
        if self.secure.is_some() {
            return;
        }
        if let (Some(scribe), Some(endpoints)) = (&self.scribe, self.endpoints.get()) {
            scribe.lock().text(endpoints, sent, octets);
        }
    }

    fn received(&self, octets: &[u8], tally: &mut Tally) {
        if self.secure.is_none() && tally.received == 0 && secure::wants_tls(octets) {
            self.wants_tls.set(true);
            return;
        }
        tally.read(octets);
        self.received.set(tally.received);
        self.text(false, octets);
        let view = self.looks.live_view();
        let is_text = !matches!(self.job.source, Source::File(_));
        match view {
            View::Nothing if is_text => self.printer.octets(octets),
            View::Lines if self.shows_text() => {
                self.say(&os_text("", false, octets));
                self.os_call(sends_or_receives(false, octets));
            }
            _ => {}
        }
    }

    fn sent(&self, octets: &[u8], tally: &mut Tally) {
        tally.sent += octets.len() as u64;
        if self.looks.live_view() == View::Lines && self.shows_text() {
            self.say(&os_text("", true, octets));
            self.os_call(sends_or_receives(true, octets));
        }
    }

    /// Whether texts stand on lines of their own: segments do not show them.
    pub(super) fn shows_text(&self) -> bool {
        self.job.live.wire == WireKind::Os || self.secure.is_some()
    }

    pub(super) fn say(&self, saying: &Saying) {
        // What others say in a chat is what it is for.
        let is_said = matches!(saying, Saying::Chat(ChatSaying::Said { .. }));
        let is_result = is_said || matches!(saying, Saying::SentFile { .. } | Saying::Hash { .. });
        match self.looks.live_view() {
            View::Json => {}
            View::Nothing if !is_result => {}
            _ if self.looks.quiet && !is_result => {}
            _ => {
                if let Some(scribe) = &self.scribe {
                    scribe.lock().tell();
                }
                for line in saying.lines(self.looks.language) {
                    self.printer.line(line);
                }
            }
        }
    }

    pub(super) fn failed(&self, error: &io::Error) -> Fault {
        let remote = self.remote;
        if self.wants_tls.get() {
            return Fault::Secure(SecureFault::SpeaksTls { remote });
        }
        let broken = self.secure.and_then(|_| secure::broken(error, remote, self.received.get()));
        if let Some(fault) = broken {
            return fault;
        }
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Fault::ResetByPeer { remote }
            }
            io::ErrorKind::TimedOut => Fault::SilentPeer { remote },
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Fault::Unreachable { remote }
            }
            _ => Fault::System { what: error.to_string() },
        }
    }
}

/// The connection's two ends, as packets name them.
pub(super) fn ends(conversation: &Conversation, net: Option<&Net>) -> Option<aperto_host::Endpoints> {
    let stream = conversation.ours()?;
    net?.stack.with_host(|host| host.endpoints(stream.id()))
}

/// Why the client stopped speaking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spoken {
    All,
    PeerClosed,
    Interrupted,
}
