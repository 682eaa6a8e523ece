//! The server of the textbook protocols: many peers, one socket.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;

use aperto_app::session::{Answer, CannotSend, Door, Ending, Event};
use aperto_explain::program::modes::ModeSaying;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::{Exit, Fault};
use aperto_time::Instant;
use aperto_tokio::{Datagrams, Way, clock};

use super::{LARGEST, Post, broke, quoted, sealed, settings, sleep_until};
use crate::arguments::read::{Server, Service};
use crate::command::server::until;
use crate::live::net::{self, End};
use crate::live::printer::{Printer, Printing};
use crate::live::prompt::{Input, Prompt};
use crate::live::slash::Typed;
use crate::live::talk::{self, Tally};
use crate::live::{self, signal};
use crate::looks::{Looks, View};
use crate::record::cannot_write;

/// How many sessions there may be at once where nobody says.
const MOST: u64 = 1_000;
/// How many datagrams of strangers are told.
const STRANGERS_TOLD: u32 = 20;

/// Serves until it is told to end.
pub(crate) async fn serve(
    job: &Server,
    looks: &Looks,
    mut prompt: Option<Prompt>,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let ending = signal::asked_to_end();
    let opened = Datagrams::open_os(job.listen)
        .map_err(|error| net::refused_here(&error, &job.live.command))
        .and_then(|socket| {
            Post::around(socket, &job.live, End::Server { listen: job.listen }, looks, &printer)
        });
    let post = match opened {
        Ok(post) => post,
        Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
    };
    let scribe = post.scribe.clone();
    if job.service == Service::Chat && prompt.is_none() {
        prompt = Some(Prompt::from_stdin());
    }
    let mut hall = Hall::new(job, post);
    hall.greet();
    if let Some(prompt) = &mut prompt {
        prompt.ask();
    }
    let outcome = hall.run(prompt.as_mut(), ending).await;
    hall.post.say_totals();
    drop(hall);
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// Everybody who came.
struct Hall<'a> {
    job: &'a Server,
    post: Post<'a>,
    door: Door<SocketAddr>,
    guests: BTreeMap<SocketAddr, Guest>,
    came: u64,
    strangers: u32,
    /// How the first session ended, for `--once`.
    first: Option<Result<Exit, Fault>>,
}

/// One peer.
struct Guest {
    label: String,
    tally: Tally,
    file: Option<(String, BufWriter<File>)>,
}

impl<'a> Hall<'a> {
    fn new(job: &'a Server, post: Post<'a>) -> Self {
        let most = usize::try_from(job.max_conns.unwrap_or(MOST)).unwrap_or(usize::MAX);
        let mut door = Door::new(job.live.modes.offer(job.live.protocol), settings(&job.live), most);
        door.observe(post.observe());
        Self { job, post, door, guests: BTreeMap::new(), came: 0, strangers: 0, first: None }
    }

    fn greet(&self) {
        let offer = self.job.live.modes.offer(self.job.live.protocol);
        let (at, printer) = (self.post.local, self.post.printer);
        if self.post.looks.quiet || self.post.looks.live_view() == View::Json {
            return;
        }
        let addresses = if self.job.lan { net::addresses_for_others() } else { Vec::new() };
        let host = addresses.first().cloned().unwrap_or_else(|| at.ip().to_string());
        let first =
            if self.job.lan { Saying::ListeningLan { at, addresses } } else { Saying::Listening { at } };
        let offers = Saying::Mode(ModeSaying::Offers {
            modes: offer.modes.iter().map(|mode| mode.name()).collect(),
            max_message: offer.max_message,
            payload: offer.payload,
            window: offer.window,
        });
        let flags = format!(" --proto {}", self.job.live.protocol.name());
        let mut sayings = vec![first, offers];
        match self.post.key {
            Some(key) => sayings.extend(sealed::greeting(key, &host, at.port(), &flags)),
            None => sayings.push(Saying::NextClient { host, port: at.port(), flags }),
        }
        for line in sayings.iter().flat_map(|saying| saying.lines(self.post.looks.language)) {
            printer.line(line);
        }
        printer.line("");
    }

    async fn run(
        &mut self,
        mut prompt: Option<&mut Prompt>,
        ending: impl Future<Output = ()>,
    ) -> Result<Exit, Fault> {
        let mut ending = std::pin::pin!(ending);
        let deadline = self.job.live.timeout.map(|after| tokio::time::Instant::now() + after);
        let mut room = vec![0; LARGEST + 1];
        loop {
            self.settle().await?;
            if self.post.printer.is_gone() {
                return Ok(Exit::Done);
            }
            if self.job.once
                && self.door.is_empty()
                && let Some(first) = self.first.take()
            {
                return first;
            }
            let next =
                [self.door.poll_deadline(), self.post.line.poll_deadline()].into_iter().flatten().min();
            tokio::select! {
                received = self.post.socket.recv_from(&mut room) => {
                    // An ICMP error about an answer of ours is no reason to stop (RFC 8085 §5.2).
                    let Ok((octets, peer)) = received else { continue };
                    self.post.line.comes(clock::now(), peer, room.get(..octets).unwrap_or_default());
                }
                () = sleep_until(next) => self.door.deadline_passed(clock::now()),
                input = typed(prompt.as_deref_mut()) => match input {
                    Input::Typed(Typed::Say(text)) => self.tell_all(text.as_bytes()),
                    Input::Typed(Typed::Quit) => {
                        self.door.close();
                        self.door.sessions().for_each(|(_, session)| session.finish());
                        if self.door.is_empty() {
                            return Ok(Exit::Done);
                        }
                        self.first.get_or_insert(Ok(Exit::Done));
                        prompt = None;
                    }
                    Input::Interrupted => return self.leave().await,
                    Input::Typed(command) => self.slash(&command),
                },
                () = &mut ending => return self.leave().await,
                () = until(deadline) => {
                    self.leave().await?;
                    return Err(Fault::TimeIsUp { after: self.job.live.timeout.unwrap_or_default() });
                }
            }
            if prompt.is_none()
                && self.job.service == Service::Chat
                && self.door.is_empty()
                && self.first.is_some()
            {
                return Ok(Exit::Done);
            }
        }
    }

    /// Interrupted: everybody is told once.
    async fn leave(&mut self) -> Result<Exit, Fault> {
        self.door.sessions().for_each(|(_, session)| session.abort());
        self.settle().await?;
        Ok(Exit::Interrupted)
    }

    /// Until nothing follows any more: what leaves, what comes, what is heard.
    async fn settle(&mut self) -> Result<(), Fault> {
        loop {
            let now = clock::now();
            while let Some((peer, datagram)) = self.door.poll_datagram(now) {
                self.notes(now);
                self.post.leaves(now, peer, &datagram);
            }
            self.notes(now);
            let mut moved = false;
            while let Some((peer, event)) = self.door.poll_event() {
                moved = true;
                self.heard(now, peer, event)?;
            }
            // Whoever proves a key is served; who that is, is for people to say.
            while self.post.line.poll_told().is_some() {}
            if let Some((way, peer, octets)) = self.post.line.poll(now) {
                moved = true;
                match way {
                    // Whoever it was for may be gone; silence will tell.
                    Way::Out => drop(self.post.send(&octets, peer).await),
                    Way::In => self.arrives(now, peer, &octets),
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    fn notes(&mut self, now: Instant) {
        for (peer, session) in self.door.sessions() {
            while let Some(note) = session.poll_note() {
                self.post.noted(now, *peer, note);
            }
        }
    }

    fn arrives(&mut self, now: Instant, peer: SocketAddr, octets: &[u8]) {
        match self.door.datagram_arrives(now, &peer, octets) {
            Answer::Known | Answer::Asked(_) => self.notes(now),
            Answer::Refused(why, datagram) => {
                self.post.leaves(now, peer, &datagram);
                self.post.say(ModeSaying::Refused { peer, why });
            }
            Answer::Ignored(_) => {
                self.strangers = self.strangers.saturating_add(1);
                if self.strangers <= STRANGERS_TOLD {
                    self.post.say(ModeSaying::Ignored { from: peer, octets: octets.len() as u64 });
                }
            }
        }
    }

    fn heard(&mut self, now: Instant, peer: SocketAddr, event: Event) -> Result<(), Fault> {
        match event {
            Event::Opened(_) => self.opened(peer)?,
            Event::Message(message) => self.message(now, peer, &message)?,
            Event::AllAcknowledged => {}
            Event::PeerFinished => {
                if let Some(session) = self.door.session(&peer) {
                    session.finish();
                }
            }
            Event::Ended(ending) => self.ended(peer, ending)?,
        }
        Ok(())
    }

    fn opened(&mut self, peer: SocketAddr) -> Result<(), Fault> {
        self.came += 1;
        let label = match &self.post.scribe {
            Some(scribe) => scribe.lock().session_between(self.post.line.endpoints(peer)),
            None => format!("c{}", self.came),
        };
        let file = match &self.job.service {
            Service::Out(name) => {
                let name = if self.came > 1 { format!("{name}.{label}") } else { name.clone() };
                let file = File::create(&name).map_err(|error| cannot_write(&name, &error))?;
                Some((name, BufWriter::new(file)))
            }
            _ => None,
        };
        self.guests.insert(peer, Guest { label: label.clone(), tally: Tally::default(), file });
        let connections = self.guests.len() as u64;
        self.post.say_any(&Saying::Opened { label, peer, connections, port: self.post.local.port() });
        Ok(())
    }

    fn message(&mut self, now: Instant, peer: SocketAddr, message: &[u8]) -> Result<(), Fault> {
        self.post.message(now, peer, false, message);
        let Some(guest) = self.guests.get_mut(&peer) else { return Ok(()) };
        guest.tally.read(message);
        if let Some((name, file)) = &mut guest.file {
            file.write_all(message).map_err(|error| cannot_write(name, &error))?;
        } else {
            self.post.say(ModeSaying::Received {
                label: format!("{} ", guest.label),
                octets: message.len() as u64,
                text: quoted(message),
            });
        }
        let answer = talk::answer(&self.job.service, self.post.looks.language, message);
        if !answer.is_empty() {
            self.tell(now, peer, &answer);
        }
        Ok(())
    }

    /// Sends a message to one peer. One who takes nothing of what he asked for is let go.
    fn tell(&mut self, now: Instant, peer: SocketAddr, message: &[u8]) {
        let Some(session) = self.door.session(&peer) else { return };
        match session.send(message) {
            Ok(()) => {
                self.post.message(now, peer, true, message);
                if let Some(guest) = self.guests.get_mut(&peer) {
                    guest.tally.sent += message.len() as u64;
                }
            }
            Err(CannotSend::Full) => session.abort(),
            // Capitals can be longer than what they are made of.
            Err(CannotSend::NotOpen | CannotSend::TooLong { .. }) => {}
        }
    }

    fn tell_all(&mut self, message: &[u8]) {
        let now = clock::now();
        for peer in self.guests.keys().copied().collect::<Vec<_>>() {
            self.tell(now, peer, message);
        }
    }

    fn slash(&self, command: &Typed) {
        let scribe = self.post.scribe.as_ref();
        for line in
            crate::command::why::over_datagrams(command, &self.post.wishes, scribe, self.post.looks.language)
        {
            self.post.printer.line(line);
        }
    }

    fn ended(&mut self, peer: SocketAddr, ending: Ending) -> Result<(), Fault> {
        self.post.line.retire(peer);
        // One that never proved itself is gone as it came.
        let Some(guest) = self.guests.remove(&peer) else {
            self.post.counts.remove(&peer);
            return Ok(());
        };
        let label = format!("{} ", guest.label);
        if let Some((name, mut file)) = guest.file {
            file.flush().map_err(|error| cannot_write(&name, &error))?;
            self.result(&Saying::SavedAs {
                label: label.clone(),
                file: name,
                octets: guest.tally.received,
                sha256: guest.tally.sha256(),
            });
        } else if self.job.service == Service::Sink {
            self.result(&Saying::Hash {
                label: label.clone(),
                octets: guest.tally.received,
                sha256: guest.tally.sha256(),
            });
        }
        let done = match ending {
            Ending::Closed => {
                self.post.say_closed(label, peer);
                Ok(Exit::Done)
            }
            Ending::FinUnanswered => {
                self.post.say(ModeSaying::FinUnanswered);
                Ok(Exit::Done)
            }
            other => {
                self.post.say(ModeSaying::Broke { label, how: broke(other) });
                super::client::failure(other, peer)
            }
        };
        self.post.counts.remove(&peer);
        self.first.get_or_insert(done);
        Ok(())
    }

    /// What is said even where only results are wanted.
    fn result(&self, saying: &Saying) {
        if self.post.looks.live_view() != View::Json {
            if let Some(scribe) = &self.post.scribe {
                scribe.lock().tell();
            }
            for line in saying.lines(self.post.looks.language) {
                self.post.printer.line(line);
            }
        }
    }
}

async fn typed(prompt: Option<&mut Prompt>) -> Input {
    match prompt {
        Some(prompt) => match prompt.typed.recv().await {
            Some(input) => input,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
