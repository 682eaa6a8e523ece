//! The client of the textbook protocols: asks, says what it has to say, and listens.

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use aperto_app::hello::{MAGIC, Terms};
use aperto_app::session::{CannotSend, Ending, Event, Session};
use aperto_explain::program::modes::{ModeFault, ModeSaying};
use aperto_explain::program::saying::Saying;
use aperto_explain::program::seal::SealSaying;
use aperto_explain::program::{Exit, Fault, RefusedBy};
use aperto_seal::Failure;
use aperto_time::Instant;
use aperto_tokio::{Datagrams, Way, clock};
use tokio::sync::mpsc::Receiver;

use super::{LARGEST, Post, is_loopback, quoted, sealed, settings, sleep_until};
use crate::arguments::read::{Client, Source};
use crate::command::server::until;
use crate::live::net::{self, End};
use crate::live::printer::{Printer, Printing};
use crate::live::prompt::{Input, Prompt};
use crate::live::sealed::Told;
use crate::live::slash::Typed;
use crate::live::talk::Tally;
use crate::live::{self, signal};
use crate::looks::{Looks, View};

/// How long a peer that speaks something else may still answer the ASK.
const FOREIGN_PATIENCE: Duration = Duration::from_secs(1);
/// So many packets may wait before more of a file is read.
const WAITING: usize = 4_096;

/// Asks, talks and closes.
pub(crate) async fn talk(
    job: &Client,
    remote: SocketAddr,
    looks: &Looks,
    prompt: Option<Prompt>,
    file: Option<File>,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let ending = signal::asked_to_end();
    let opened = match Datagrams::connect_os(remote).await {
        Ok(socket) => Post::around(socket, &job.live, End::Client { remote }, looks, &printer),
        Err(error) => Err(net::refused_here(&error, &job.live.command)),
    };
    let post = match opened {
        Ok(post) => post,
        Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
    };
    let scribe = post.scribe.clone();
    let outcome = match Caller::new(job, remote, post, prompt, file) {
        Ok(mut caller) => caller.run(ending).await,
        Err(fault) => Err(fault),
    };
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// What is still to be said.
enum Feed {
    Nothing,
    Message(Vec<u8>),
    File(File),
    Pipe(Receiver<Vec<u8>>),
    Typed(Prompt),
}

struct Caller<'a> {
    job: &'a Client,
    remote: SocketAddr,
    post: Post<'a>,
    session: Session,
    feed: Feed,
    /// Read and not yet sent.
    held: Vec<u8>,
    sent: Tally,
    received: u64,
    /// Octets of datagrams that are nothing of ours, before anything was agreed.
    foreign: u64,
    asked_at: Instant,
    ended: Option<Ending>,
}

impl<'a> Caller<'a> {
    fn new(
        job: &'a Client,
        remote: SocketAddr,
        post: Post<'a>,
        prompt: Option<Prompt>,
        file: Option<File>,
    ) -> Result<Self, Fault> {
        let now = clock::now();
        let ask = job.live.modes.ask(job.live.protocol);
        let feed = match (&job.source, prompt, file) {
            (Source::Message(text), ..) => {
                let octets = text.len() as u64;
                if octets > u64::from(ask.max_message) {
                    let longest = ask.max_message;
                    return Err(Fault::Mode(ModeFault::MessageTooLong { octets, longest }));
                }
                Feed::Message(text.as_bytes().to_vec())
            }
            (_, _, Some(file)) => Feed::File(file),
            (_, Some(prompt), None) => Feed::Typed(prompt),
            (_, None, None) => Feed::Pipe(Prompt::raw_stdin()),
        };
        let secret = aperto_tokio::secret().map_err(|error| net::refused_here(&error, &job.live.command))?;
        let [a, b, c, d, ..] = secret;
        let id = u32::from_be_bytes([a, b, c, d]);
        let mut session = Session::ask(now, ask, id, settings(&job.live));
        session.observe(post.observe());
        Ok(Self {
            job,
            remote,
            post,
            session,
            feed,
            held: Vec::new(),
            sent: Tally::default(),
            received: 0,
            foreign: 0,
            asked_at: now,
            ended: None,
        })
    }

    async fn run(&mut self, ending: impl Future<Output = ()>) -> Result<Exit, Fault> {
        let mut ending = std::pin::pin!(ending);
        let deadline = self.job.live.timeout.map(|after| tokio::time::Instant::now() + after);
        let mut room = vec![0; LARGEST + 1];
        loop {
            self.settle().await?;
            if self.session.is_over() {
                return self.conclusion();
            }
            if self.foreign > 0
                && self.session.terms().is_none()
                && clock::now().since(self.asked_at) > FOREIGN_PATIENCE
            {
                return Err(Fault::ForeignPeer { from: self.remote, octets: self.foreign });
            }
            if self.post.printer.is_gone() {
                self.abort().await;
                return Ok(Exit::Done);
            }
            let next =
                [self.session.poll_deadline(), self.post.line.poll_deadline()].into_iter().flatten().min();
            let hungry = self.hungry();
            tokio::select! {
                received = self.post.socket.recv_from(&mut room) => match received {
                    Ok((octets, peer)) => {
                        self.post.line.comes(clock::now(), peer, room.get(..octets).unwrap_or_default());
                    }
                    Err(error) => self.unreachable(&error)?,
                },
                () = sleep_until(next) => self.session.deadline_passed(clock::now()),
                piece = piece(&mut self.feed), if hungry => self.fed(piece),
                () = &mut ending => {
                    self.abort().await;
                    return Ok(Exit::Interrupted);
                }
                () = until(deadline) => {
                    self.abort().await;
                    return Err(Fault::TimeIsUp { after: self.job.live.timeout.unwrap_or_default() });
                }
            }
        }
    }

    /// Whether more could be sent now.
    fn hungry(&self) -> bool {
        self.session.is_open() && self.session.unacknowledged_packets() < WAITING && self.held.is_empty()
    }

    /// More to say, or the end of it.
    fn fed(&mut self, piece: Piece) {
        match piece {
            Piece::Octets(octets) => {
                self.held = octets;
                self.send_held();
            }
            Piece::Line(text) => self.say(&(text + self.job.line_end)),
            Piece::Command(command) => {
                let (wishes, scribe) = (&self.post.wishes, self.post.scribe.as_ref());
                let language = self.post.looks.language;
                for line in crate::command::why::over_datagrams(&command, wishes, scribe, language) {
                    self.post.printer.line(line);
                }
            }
            Piece::End => {
                self.feed = Feed::Nothing;
                self.session.finish();
            }
        }
    }

    /// A message, told with its letters and packets.
    fn say(&mut self, text: &str) {
        let octets = text.len() as u64;
        match self.send(text.as_bytes()) {
            Ok(()) => {
                let Some(terms) = self.session.terms() else { return };
                let payload = terms.payload;
                self.post.say(ModeSaying::Sends {
                    letters: text.chars().count() as u64,
                    octets,
                    packets: octets.div_ceil(u64::from(payload)).max(1),
                    payload,
                });
            }
            Err(CannotSend::TooLong { longest }) => self.post.say(ModeSaying::TooLong { octets, longest }),
            Err(CannotSend::Full | CannotSend::NotOpen) => {}
        }
    }

    fn send(&mut self, message: &[u8]) -> Result<(), CannotSend> {
        self.session.send(message)?;
        self.sent.read(message);
        self.post.message(clock::now(), self.remote, true, message);
        Ok(())
    }

    /// Sends what was read, in messages as long as was agreed, as far as there is room.
    fn send_held(&mut self) {
        let Some(terms) = self.session.terms() else { return };
        let longest = terms.max_message as usize;
        while !self.held.is_empty() && self.session.unacknowledged_packets() < WAITING {
            let rest = self.held.split_off(longest.min(self.held.len()));
            let message = std::mem::replace(&mut self.held, rest);
            if self.send(&message).is_err() {
                return;
            }
        }
    }

    async fn abort(&mut self) {
        self.session.abort();
        // What could not be said any more is not said.
        let _ = self.settle().await;
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        loop {
            let now = clock::now();
            self.send_held();
            while let Some(datagram) = self.session.poll_datagram(now) {
                self.notes(now);
                self.post.leaves(now, self.remote, &datagram);
            }
            self.notes(now);
            let mut moved = false;
            while let Some(event) = self.session.poll_event() {
                moved = true;
                self.heard(now, event);
            }
            while let Some((_, told)) = self.post.line.poll_told() {
                moved = true;
                self.keys(now, told)?;
            }
            if let Some((way, peer, octets)) = self.post.line.poll(now) {
                moved = true;
                match way {
                    Way::Out => {
                        if let Err(error) = self.post.send(&octets, peer).await {
                            self.unreachable(&error)?;
                        }
                    }
                    Way::In => self.arrives(now, &octets),
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    /// The server's key, or none: nothing has been sent but the handshake.
    fn keys(&mut self, now: Instant, told: Told) -> Result<(), Fault> {
        let saying = sealed::heard(self.job, told, self.remote, self.asked_at, now)?;
        self.post.say_any(&Saying::Seal(SealSaying::Sealed));
        self.post.say_any(&saying);
        self.post.line.approve(now, self.remote);
        Ok(())
    }

    fn notes(&mut self, now: Instant) {
        while let Some(note) = self.session.poll_note() {
            self.post.noted(now, self.remote, note);
        }
    }

    fn arrives(&mut self, now: Instant, octets: &[u8]) {
        if self.session.terms().is_none() && !octets.starts_with(&MAGIC) {
            self.foreign += octets.len() as u64;
        }
        self.session.datagram_arrives(now, octets);
        self.notes(now);
    }

    fn heard(&mut self, now: Instant, event: Event) {
        match event {
            Event::Opened(terms) => self.opened(terms),
            Event::Message(message) => {
                self.received += message.len() as u64;
                self.post.message(now, self.remote, false, &message);
                if self.post.looks.live_view() == View::Nothing {
                    self.post.printer.octets(&message);
                } else {
                    let octets = message.len() as u64;
                    self.post.say(ModeSaying::Received {
                        label: String::new(),
                        octets,
                        text: quoted(&message),
                    });
                }
            }
            Event::AllAcknowledged => {}
            // Whoever waits for us to finish shall not wait.
            Event::PeerFinished => self.session.finish(),
            Event::Ended(ending) => self.ended(ending),
        }
    }

    fn opened(&mut self, terms: Terms) {
        let timer = self.session.endpoint().map_or(Duration::ZERO, |both| both.sender.config().timer);
        let (own_port, server_port) = (self.post.local.port(), self.remote.port());
        self.post.say(ModeSaying::Agreed { terms, own_port, server_port, timer });
        let changes: Vec<_> = terms.changes(&self.job.live.modes.ask(self.job.live.protocol)).collect();
        if !changes.is_empty() {
            self.post.say(ModeSaying::GrantsLess { changes, terms });
        }
        if let Feed::Message(message) = &mut self.feed {
            let message = std::mem::take(message);
            self.feed = Feed::Nothing;
            self.say(&String::from_utf8_lossy(&message));
            self.session.finish();
        }
        if let Feed::Typed(prompt) = &mut self.feed {
            self.post.say_any(&Saying::Type);
            prompt.ask();
        }
    }

    fn ended(&mut self, ending: Ending) {
        self.ended = Some(ending);
        match ending {
            Ending::Closed => self.post.say_closed(String::new(), self.remote),
            Ending::FinUnanswered => self.post.say(ModeSaying::FinUnanswered),
            _ => {}
        }
        self.post.say_totals();
    }

    /// What the whole comes to.
    fn conclusion(&self) -> Result<Exit, Fault> {
        let ending = self.ended.unwrap_or(Ending::Silent);
        let remote = self.remote;
        if ending == Ending::NoAnswer {
            let after = clock::now().since(self.asked_at);
            if self.post.line.sealing().is_some_and(|sealing| sealing.counters().handshakes == 0) {
                return Err(sealed::failed(Failure::NoAnswer, remote, after));
            }
            return Err(if self.foreign > 0 {
                Fault::ForeignPeer { from: remote, octets: self.foreign }
            } else {
                Fault::Mode(ModeFault::NoGrant { remote, after })
            });
        }
        let done = failure(ending, remote)?;
        if let Source::File(file) = &self.job.source
            && self.post.looks.live_view() != View::Json
        {
            let (octets, sha256) = (self.sent.received, self.sent.sha256());
            for line in
                (Saying::SentFile { file: file.clone(), octets, sha256 }).lines(self.post.looks.language)
            {
                self.post.printer.line(line);
            }
        }
        Ok(done)
    }

    /// The system says that nobody is there. Who was there before may come back; a server that
    /// never was shall not be waited for.
    fn unreachable(&self, error: &io::Error) -> Result<(), Fault> {
        let remote = self.remote;
        match error.kind() {
            io::ErrorKind::ConnectionRefused if self.session.terms().is_none() => Err(Fault::Refused {
                remote,
                by: RefusedBy::PortUnreachable,
                same_machine: is_loopback(remote.ip()),
            }),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
                if self.session.terms().is_none() =>
            {
                Err(Fault::Unreachable { remote })
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Ok(()),
            _ => Err(Fault::System { what: error.to_string() }),
        }
    }
}

/// What an ending means to whoever called the program.
pub(super) fn failure(ending: Ending, remote: SocketAddr) -> Result<Exit, Fault> {
    Err(Fault::Mode(match ending {
        Ending::Closed | Ending::FinUnanswered => return Ok(Exit::Done),
        Ending::Aborted => return Ok(Exit::Interrupted),
        Ending::Refused(why) => ModeFault::NotGranted { remote, why },
        Ending::Foreign => ModeFault::GrantedOtherwise { remote },
        Ending::NoAnswer | Ending::Silent => ModeFault::Silent { remote },
        Ending::Reset => ModeFault::Reset { remote },
        Ending::Broken => ModeFault::BrokeTerms { remote },
    }))
}

/// What a feed gives.
enum Piece {
    Octets(Vec<u8>),
    Line(String),
    Command(Typed),
    End,
}

/// The next piece of what is to be said; never, where there is nothing more.
async fn piece(feed: &mut Feed) -> Piece {
    match feed {
        Feed::Nothing | Feed::Message(_) => std::future::pending().await,
        Feed::File(file) => {
            let mut room = vec![0; 1 << 14];
            match file.read(&mut room) {
                Ok(0) | Err(_) => Piece::End,
                Ok(octets) => {
                    room.truncate(octets);
                    Piece::Octets(room)
                }
            }
        }
        Feed::Pipe(octets) => octets.recv().await.map_or(Piece::End, Piece::Octets),
        Feed::Typed(prompt) => match prompt.typed.recv().await {
            Some(Input::Typed(Typed::Say(text))) => Piece::Line(text),
            Some(Input::Typed(Typed::Quit) | Input::Interrupted) | None => Piece::End,
            Some(Input::Typed(command)) => Piece::Command(command),
        },
    }
}
