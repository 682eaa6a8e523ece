//! `aperto server`: waits for clients, over our own TCP or the system's.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use aperto_explain::program::chat::ChatSaying;
use aperto_explain::program::saying::{Saying, prompt};
use aperto_explain::program::secure::SecureSaying;
use aperto_explain::program::{Exit, Fault};
use aperto_explain::sockets::SocketCall;
use aperto_sim::recipe::Protocol;
use aperto_tokio::{Conversation, Listening, Stack, WireNote};
use aperto_trace::Call;
use tokio::task::LocalSet;

use super::chat::server::{self as chat, Hall};
use super::{datagrams, modes};
use crate::arguments::read::{Server, Service, WireKind};
use crate::environment::Environment;
use crate::live::net::{self, End, Net};
use crate::live::printer::{Printer, Printing};
use crate::live::prompt::{Input, Prompt, Terminal};
use crate::live::roll::Roll;
use crate::live::scribe::SharedScribe;
use crate::live::secure::{self, ServerSide};
use crate::live::slash::Typed;
use crate::live::spoil::Wishes;
use crate::live::{self, signal, talk};
use crate::looks::{Looks, View};

/// How many connections wait to be accepted.
const BACKLOG: usize = 128;

/// Waits for clients until it is told to end.
pub(crate) fn run(job: Server, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    let recording = job.live.record.file.as_deref();
    let prepare = |asked| ServerSide::prepare(asked, &job.service, recording, looks);
    let secure = job.live.secure.as_ref().map(prepare).transpose()?;
    let terminal = Terminal::remember();
    let runtime = live::runtime()?;
    let operator = job.service == Service::Chat && environment.stdin_is_terminal;
    let opened = operator.then(|| Prompt::open(prompt(looks.language, true))).flatten();
    let (prompt, above) = opened.map_or((None, None), |(prompt, above)| (Some(prompt), Some(above)));
    let (printer, printing) = live::printer(looks, job.live.record.file.as_deref(), above);
    let local = LocalSet::new();
    let done = if job.live.protocol == Protocol::Udp {
        local.block_on(&runtime, datagrams::serve(&job, looks, printer, printing))
    } else if job.live.protocol.textbook().is_some() {
        local.block_on(&runtime, modes::server::serve(&job, looks, prompt, printer, printing))
    } else {
        local.block_on(&runtime, over_tcp(job, looks.clone(), prompt, secure, printer, printing))
    };
    terminal.restore();
    // A prompt still waits in its thread; nobody waits for it.
    runtime.shutdown_background();
    done
}

/// What all connections of a server share.
pub(super) struct Room {
    pub(super) looks: Looks,
    printer: Printer,
    service: Service,
    port: u16,
    wire: WireKind,
    pub(super) scribe: Option<SharedScribe>,
    stack: Option<Stack>,
    wishes: Option<Wishes>,
    pub(super) connections: Cell<u64>,
    /// Who has been here.
    pub(super) roll: Roll,
    local: SocketAddr,
    accepted: Cell<u64>,
    /// TLS, if it is to be secret.
    pub(super) secure: Option<ServerSide>,
    /// The room of a chat.
    pub(super) chat: Option<Hall>,
}

async fn over_tcp(
    job: Server,
    looks: Looks,
    mut prompt: Option<Prompt>,
    secure: Option<ServerSide>,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let ending = signal::asked_to_end();
    let chat = match chat::open(&job, looks.language) {
        Ok(chat) => chat,
        Err(fault) => return live::conclude(None, printer, printing, Err(fault), &looks),
    };
    let (mut net, listening) = match open(&job, &looks, &printer) {
        Ok(opened) => opened,
        Err(fault) => return live::conclude(None, printer, printing, Err(fault), &looks),
    };
    greet(&job, &looks, &printer, net.as_ref(), &listening, secure.as_ref());
    if chat.is_some() && prompt.is_none() {
        prompt = Some(Prompt::from_stdin());
    } else if chat.is_none() {
        prompt = Prompt::from_terminal();
    }
    let room = Rc::new(Room {
        looks: looks.clone(),
        printer: printer.clone(),
        service: job.service.clone(),
        port: job.listen.port(),
        wire: job.live.wire,
        scribe: net.as_ref().and_then(|net| net.scribe.clone()),
        stack: net.as_ref().map(|net| net.stack.clone()),
        wishes: net.as_ref().map(|net| net.wishes.clone()),
        connections: Cell::new(0),
        roll: Roll::default(),
        local: net.as_ref().map_or_else(|| listening.local_addr().unwrap_or(job.listen), |net| net.local),
        accepted: Cell::new(0),
        secure,
        chat,
    });
    if let Some(side) = &room.secure {
        side.record(room.scribe.as_ref());
    }
    let beside = room.run_chat();
    if let Some(prompt) = &mut prompt {
        prompt.ask();
    }
    let outcome = accept_all(&job, &room, &listening, net.as_mut(), prompt.as_mut(), ending).await;
    drop(listening);
    drop(beside);
    // With one client there is nothing to tell apart.
    if room.accepted.get() > 1 && !looks.quiet {
        room.tell_roll();
    }
    let scribe = room.scribe.clone();
    if let Some(net) = net {
        if outcome == Ok(Exit::Interrupted) {
            net.stack.abort_all();
        } else {
            let patience = std::time::Duration::from_secs(5);
            // Whoever still talks after that is cut off.
            let _ = tokio::time::timeout(patience, net.stack.settled()).await;
        }
        net.close().await;
    }
    drop(room);
    live::conclude(scribe.as_ref(), printer, printing, outcome, &looks)
}

pub(super) fn open(
    job: &Server,
    looks: &Looks,
    printer: &Printer,
) -> Result<(Option<Net>, Listening), Fault> {
    let failed = |error| net::refused_here(&error, &job.live.command);
    if job.live.wire == WireKind::Os {
        let backlog = u32::try_from(BACKLOG).unwrap_or(u32::MAX);
        return Ok((None, Listening::open_os(job.listen, backlog).map_err(failed)?));
    }
    let end = End::Server { listen: job.listen };
    let net = Net::open(&job.live, end, net::pace_of(&job.service), looks, printer)?;
    let listener = net.stack.listen(net.local, BACKLOG).map_err(failed)?;
    if let Some(scribe) = &net.scribe {
        scribe.lock().call(None, Call::Listen { local: net.local });
    }
    Ok((Some(net), Listening::Aperto(listener)))
}

/// Says where it listens and what to type next.
fn greet(
    job: &Server,
    looks: &Looks,
    printer: &Printer,
    net: Option<&Net>,
    listening: &Listening,
    secure: Option<&ServerSide>,
) {
    if looks.quiet || matches!(looks.live_view(), View::Json) {
        return;
    }
    let at = match net {
        Some(net) => net.local,
        None => listening.local_addr().unwrap_or(job.listen),
    };
    let say = |saying: Saying| {
        for line in saying.lines(looks.language) {
            printer.line(line);
        }
    };
    match net {
        Some(net) => net.scribe.iter().for_each(|scribe| scribe.lock().tell()),
        None if looks.shows_calls() => {
            let calls = [SocketCall::Socket, SocketCall::Bind(at), SocketCall::Listen];
            calls.into_iter().for_each(|call| say(Saying::Socket { label: String::new(), call }));
        }
        None => {}
    }
    let mut host = at.ip().to_string();
    if let (WireKind::Tun, Some(net)) = (job.live.wire, net) {
        let listening = Saying::ListeningTun { at, device: net.device.clone() };
        // Its second line is for clients in plain.
        let lines = if secure.is_some() { 1 } else { 2 };
        for line in listening.lines(looks.language).iter().take(lines) {
            printer.line(line);
        }
    } else if job.lan {
        let addresses = net::addresses_for_others();
        host = addresses.first().cloned().unwrap_or(host);
        say(Saying::ListeningLan { at, addresses });
    } else {
        say(Saying::Listening { at });
    }
    match secure {
        Some(side) => side.greeting(&host, at.port(), &flags(job)).into_iter().for_each(say),
        None if job.live.wire == WireKind::Tun => {}
        None => say(Saying::NextClient { host, port: at.port(), flags: flags(job) }),
    }
    if let (Service::Text(telling), WireKind::Os | WireKind::Tun) = (&job.service, job.live.wire) {
        say(super::told::by_hand(telling, at));
    }
    printer.line("");
}

/// What the client needs to speak the same.
pub(crate) fn flags(job: &Server) -> String {
    let mut flags = String::new();
    if job.live.protocol == Protocol::Udp {
        flags.push_str(" --proto udp");
    } else if job.live.wire == WireKind::Os || job.live.wire == WireKind::Tun {
        flags.push_str(" --wire os");
    }
    if job.live.chat.is_some() {
        flags.push_str(" --chat");
    }
    if let Service::Text(telling) = &job.service {
        flags.push_str(" --text ");
        flags.push_str(telling.dialect.name());
    }
    flags
}

/// Takes connections until it is told to end.
async fn accept_all(
    job: &Server,
    room: &Rc<Room>,
    listening: &Listening,
    mut net: Option<&mut Net>,
    mut prompt: Option<&mut Prompt>,
    ending: impl Future<Output = ()>,
) -> Result<Exit, Fault> {
    let deadline = job.live.timeout.map(|after| tokio::time::Instant::now() + after);
    let mut over = tokio::task::JoinSet::new();
    let mut watch_reader = tokio::time::interval(std::time::Duration::from_millis(500));
    let mut ending = std::pin::pin!(ending);
    loop {
        tokio::select! {
            accepted = listening.accept() => {
                let (conversation, peer) = accepted.map_err(|error| Fault::System { what: error.to_string() })?;
                let connections = room.connections.get();
                if job.max_conns.is_some_and(|limit| connections >= limit) {
                    conversation.abort();
                    room.say(&Saying::TooMany { peer, limit: connections });
                    continue;
                }
                room.connections.set(connections + 1);
                room.accepted.set(room.accepted.get() + 1);
                over.spawn_local(Rc::clone(room).attend(conversation, peer, room.accepted.get()));
            }
            Some(ended) = over.join_next(), if !over.is_empty() => {
                if job.once {
                    return ended.unwrap_or_else(|error| Err(Fault::System { what: error.to_string() }));
                }
            }
            note = noticed(net.as_deref_mut()) => room.wire_noticed(&note),
            typed = typed(prompt.as_deref_mut()) => match typed {
                Input::Interrupted => return Ok(Exit::Interrupted),
                Input::Typed(Typed::Quit) => {
                    let Some(hall) = &room.chat else { return Ok(Exit::Done) };
                    room.chat_closes(hall);
                    while over.join_next().await.is_some() {}
                    return Ok(Exit::Done);
                }
                Input::Typed(typed) => room.typed(typed),
            },
            () = &mut ending => return Ok(Exit::Interrupted),
            fault = chat::trouble(room.chat.as_ref()) => return Err(fault),
            () = until(deadline) => {
                return Err(Fault::TimeIsUp { after: job.live.timeout.unwrap_or_default() });
            }
            _ = watch_reader.tick() => {
                if room.printer.is_gone() {
                    return Ok(Exit::Done);
                }
            }
        }
    }
}

/// The next thing that a wire notices; never, where there is none.
async fn noticed(net: Option<&mut Net>) -> WireNote {
    match net {
        Some(net) => match net.noticed.recv().await {
            Some(note) => note,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// The next thing that is typed; never, where nobody types.
async fn typed(prompt: Option<&mut Prompt>) -> Input {
    match prompt {
        Some(prompt) => match prompt.typed.recv().await {
            Some(input) => input,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// A time that may never come.
pub(crate) async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Room {
    pub(super) fn say(&self, saying: &Saying) {
        let is_said = matches!(saying, Saying::Chat(ChatSaying::Said { .. }));
        let is_result = is_said || matches!(saying, Saying::Hash { .. } | Saying::SavedAs { .. });
        if self.looks.live_view() == View::Json || (self.looks.quiet && !is_result) {
            return;
        }
        if let Some(scribe) = &self.scribe {
            scribe.lock().tell();
        }
        for line in saying.lines(self.looks.language) {
            self.printer.line(line);
        }
    }

    fn wire_noticed(&self, note: &WireNote) {
        if let WireNote::Foreign { from, octets, .. } = note {
            self.say(&Saying::Foreign { from: *from, octets: *octets as u64 });
        }
    }

    /// The table of connections, and why the client's port changes.
    fn tell_roll(&self) {
        if self.looks.live_view() == View::Json {
            return;
        }
        if let Some(scribe) = &self.scribe {
            scribe.lock().tell();
        }
        let rows = self.roll.rows(self.stack.as_ref());
        for line in aperto_explain::program::ports::table(self.looks.language, &rows) {
            self.printer.line(line);
        }
    }

    fn typed(&self, typed: Typed) {
        match typed {
            Typed::Say(text) => {
                if let Some(hall) = &self.chat {
                    self.operator_says(hall, &text);
                }
            }
            Typed::Quit => {}
            command => {
                if let (Typed::State, Some(hall)) = (&command, &self.chat) {
                    self.say(&hall.standing());
                }
                if command == Typed::State {
                    self.tell_roll();
                }
                if command == Typed::State && self.stack.is_none() {
                    return;
                }
                let over = self.stack.as_ref().zip(self.wishes.as_ref());
                for line in super::why::answer(&command, over, self.scribe.as_ref(), self.looks.language) {
                    self.printer.line(line);
                }
            }
        }
    }

    /// A call on a socket of the system's, where the calls are shown.
    pub(super) fn os_call(&self, label: &str, call: SocketCall) {
        if self.wire == WireKind::Os && self.looks.shows_calls() && self.looks.live_view() == View::Lines {
            self.say(&Saying::Socket { label: format!("{label} "), call });
        }
    }

    /// The connection's two ends, as packets name them.
    fn endpoints(&self, conversation: &Conversation) -> Option<aperto_host::Endpoints> {
        let stream = conversation.ours()?;
        self.stack.as_ref()?.with_host(|host| host.endpoints(stream.id()))
    }

    /// How a connection is called everywhere.
    fn label(&self, endpoints: Option<aperto_host::Endpoints>, place: u64) -> String {
        match (endpoints, &self.scribe) {
            (Some(endpoints), Some(scribe)) => scribe.lock().connection_between(endpoints).0,
            _ => format!("c{place}"),
        }
    }

    /// Somebody is there, and accepted.
    fn welcome(&self, endpoints: Option<aperto_host::Endpoints>, label: &str, peer: SocketAddr) {
        if let (Some(scribe), Some(endpoints)) = (&self.scribe, endpoints) {
            scribe.lock().call(Some(endpoints), Call::Accept);
        }
        if self.wire == WireKind::Os {
            self.say(&Saying::LikelyOpened);
        }
        let (connections, port) = (self.connections.get(), self.port);
        self.say(&Saying::Opened { label: label.into(), peer, connections, port });
        self.os_call(label, SocketCall::Accept);
    }

    /// Serves one client, who came at this place, from its first text to its end.
    async fn attend(
        self: Rc<Self>,
        conversation: Conversation,
        peer: SocketAddr,
        place: u64,
    ) -> Result<Exit, Fault> {
        let endpoints = self.endpoints(&conversation);
        let label = self.label(endpoints, place);
        self.welcome(endpoints, &label, peer);
        self.roll.opened(&label, (self.local, peer), endpoints);
        let mut conversation = self.secured(conversation, &label, peer).await?;
        if self.chat.is_some() {
            return self.converse(conversation, peer, endpoints, &label).await;
        }
        let file = match &self.service {
            Service::Out(file) if place > 1 => Some(format!("{file}.{label}")),
            Service::Out(file) => Some(file.clone()),
            _ => None,
        };
        let shows_text =
            (self.wire == WireKind::Os || self.secure.is_some()) && self.looks.live_view() == View::Lines;
        let mut is_first = true;
        let shown = |sent: bool, octets: &[u8]| {
            self.roll.went(&label, sent, octets.len());
            let label_and_space = format!("{label} ");
            if std::mem::take(&mut is_first) && self.secure.is_none() && secure::is_client_hello(octets) {
                let label = label_and_space.clone();
                self.say(&Saying::Secure(SecureSaying::LooksLikeTls { label }));
            }
            if shows_text {
                self.say(&os_text(&label_and_space, sent, octets));
                self.os_call(&label, sends_or_receives(sent, octets));
            }
            // What TLS carries would stand in plain in a recording.
            if let (Some(scribe), Some(endpoints), None) = (&self.scribe, endpoints, &self.secure) {
                scribe.lock().text(endpoints, sent, octets);
            }
        };
        let language = self.looks.language;
        if let Service::Text(telling) = &self.service {
            let telling = *telling;
            return self.tell(conversation, peer, endpoints, &label, &telling).await;
        }
        let (tally, done) =
            talk::serve(&mut conversation, &self.service, language, file.as_deref(), shown).await;
        if done.is_ok() {
            self.os_call(&label, SocketCall::RecvEnd);
            self.os_call(&label, SocketCall::Close);
        }
        let end = match conversation.ours() {
            Some(stream) if done.is_ok() => stream.closed().await,
            Some(stream) => stream.ended().unwrap_or(aperto_tcp::End::Reset),
            None if done.is_ok() => aperto_tcp::End::Closed,
            None => aperto_tcp::End::Reset,
        };
        self.connections.set(self.connections.get().saturating_sub(1));
        let broken = done.as_ref().err().filter(|_| self.secure.is_some());
        if let Some(fault) = broken.and_then(|error| secure::broken(error, peer, tally.received)) {
            return Err(self.broken(&label, &tally, fault, file));
        }
        self.report(&label, &tally, end, file);
        match (end, done) {
            (aperto_tcp::End::Closed, Ok(())) => Ok(Exit::Done),
            (aperto_tcp::End::TimedOut, _) => Err(Fault::SilentPeer { remote: peer }),
            (aperto_tcp::End::Unreachable, _) => Err(Fault::Unreachable { remote: peer }),
            (aperto_tcp::End::Aborted, _) => Ok(Exit::Interrupted),
            _ => Err(Fault::ResetByPeer { remote: peer }),
        }
    }

    /// Puts TLS around a conversation, where that was asked for.
    async fn secured(
        &self,
        conversation: Conversation,
        label: &str,
        peer: SocketAddr,
    ) -> Result<Conversation, Fault> {
        let Some(side) = &self.secure else { return Ok(conversation) };
        let label = format!("{label} ");
        match side.protect(conversation, peer).await {
            Ok(conversation) => {
                if let Some(agreed) = conversation.agreed() {
                    self.say(&Saying::Secure(SecureSaying::Secured {
                        label,
                        suite: agreed.suite,
                        group: agreed.group,
                        service: agreed.protocol,
                    }));
                }
                Ok(conversation)
            }
            Err(fault) => {
                self.connections.set(self.connections.get().saturating_sub(1));
                self.say(&Saying::Secure(SecureSaying::NotSecured { label, fault: fault.clone() }));
                Err(Fault::Secure(fault))
            }
        }
    }

    /// A secure conversation broke off: what came of a file is not under its name.
    fn broken(&self, label: &str, tally: &talk::Tally, fault: Fault, file: Option<String>) -> Fault {
        let spaced = format!("{label} ");
        if let Fault::Secure(fault) = &fault {
            self.say(&Saying::Secure(SecureSaying::NotSecured {
                label: spaced.clone(),
                fault: fault.clone(),
            }));
        }
        if let Some(file) = file {
            let partial = format!("{file}.partial");
            if std::fs::rename(&file, &partial).is_ok() {
                let octets = tally.received;
                self.say(&Saying::Secure(SecureSaying::Partial { label: spaced, file: partial, octets }));
            }
        }
        self.report(label, tally, aperto_tcp::End::Reset, None);
        fault
    }

    pub(super) fn report(
        &self,
        label: &str,
        tally: &talk::Tally,
        end: aperto_tcp::End,
        file: Option<String>,
    ) {
        if self.wire == WireKind::Os && end == aperto_tcp::End::Closed {
            self.say(&Saying::LikelyClosed);
        }
        let label_and_space = format!("{label} ");
        match file {
            Some(file) => self.say(&Saying::SavedAs {
                label: label_and_space,
                file,
                octets: tally.received,
                sha256: tally.sha256(),
            }),
            None if self.service == Service::Sink => self.say(&Saying::Hash {
                label: label_and_space,
                octets: tally.received,
                sha256: tally.sha256(),
            }),
            None => {}
        }
        self.roll.ended(label, tally.received, tally.sent);
        self.say(&Saying::Ended {
            label: label.into(),
            how: live::ended(end),
            received: tally.received,
            sent: tally.sent,
            connections: self.connections.get(),
        });
    }
}

/// The call behind a text.
pub(crate) const fn sends_or_receives(sent: bool, octets: &[u8]) -> SocketCall {
    let length = octets.len() as u64;
    if sent { SocketCall::Send(length) } else { SocketCall::Recv(length) }
}

/// A text that went through the system's sockets.
pub(crate) fn os_text(label: &str, sent: bool, octets: &[u8]) -> Saying {
    let text = match aperto_explain::context::printable(octets) {
        Some(text) => format!("   {}", aperto_explain::wording::cut(text, 50)),
        None => String::new(),
    };
    Saying::OsText { label: label.into(), sent, octets: octets.len() as u64, text }
}
