//! A member of a room: what is typed is said, what others say is shown, one connection after the
//! other until it leaves.

use std::io;

use aperto_app::chat::client::{CannotSay, Client, Config, Event, Over, TRIES, Want};
use aperto_explain::program::chat::{CannotSay as NotSent, ChatFault, ChatSaying};
use aperto_explain::program::saying::Saying;
use aperto_explain::program::{Exit, Fault};
use aperto_tcp::End;
use aperto_tokio::{Conversation, Stack};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use super::super::client::{Talk, connect, ends};
use super::super::why;
use super::{Pushed, now, push, token, until};
use crate::arguments::chat::Chat;
use crate::arguments::read::Source;
use crate::live::net::Net;
use crate::live::prompt::{Input, Prompt};
use crate::live::slash::Typed;
use crate::live::spoil::Wishes;
use crate::live::talk::{CHUNK, Tally};
use crate::looks::View;

/// So many messages may wait before no more is taken from a file or a pipe.
const WAITING: u64 = 500;

/// A member and its connection.
struct Session<'a, 'b> {
    talk: &'a Talk<'b>,
    client: Client,
    asked: aperto_app::hello::Ask,
    link: Option<(ReadHalf<Conversation>, WriteHalf<Conversation>)>,
    pending: Vec<u8>,
    /// What was written may wait below for its record to be full.
    unflushed: bool,
    tally: Tally,
    refused: u64,
    over: Option<Over>,
    interrupted: bool,
    /// Nothing more will be typed.
    typed_all: bool,
    /// What commands with a slash speak of.
    channel: Option<(Stack, Wishes)>,
}

/// What happened at the connection.
enum Moved {
    Read(usize),
    Wrote(usize),
    Flushed,
    Broke,
    Typed(Input),
    Due,
}

impl Talk<'_> {
    /// Joins the room on the connection that is open, and on others after it.
    pub(in super::super) async fn converse(
        &self,
        first: Conversation,
        mut net: Option<&mut Net>,
        prompt: Option<&mut Prompt>,
        wish: &Chat,
    ) -> Result<Exit, Fault> {
        let asked = wish.ask();
        let config =
            Config { token: token()?, name: wish.wanted_name(), ask: asked.clone(), tries_strangers: false };
        let mut own = Prompt::nobody();
        let types = prompt.is_some();
        let prompt = match (prompt, &self.job.source) {
            (Some(prompt), _) => prompt,
            (None, Source::Input) => {
                own = Prompt::from_stdin();
                &mut own
            }
            (None, _) => &mut own,
        };
        let endpoints = ends(&first, net.as_deref());
        self.endpoints.set(endpoints);
        self.greet(&first, endpoints);
        let first = self.secured(first).await?;
        if types && self.looks.live_view() != View::Json {
            self.say(&Saying::Type);
        }
        let mut session = Session {
            talk: self,
            client: Client::new(config),
            asked,
            link: None,
            pending: Vec::new(),
            unflushed: false,
            tally: Tally::default(),
            refused: 0,
            over: None,
            interrupted: false,
            typed_all: false,
            channel: net.as_deref().map(|net| (net.stack.clone(), net.wishes.clone())),
        };
        session.begin(first);
        prompt.ask();
        session.run(&mut net, prompt).await
    }
}

impl Session<'_, '_> {
    /// The first connection is open already.
    fn begin(&mut self, first: Conversation) {
        if self.client.poll_want(now()) == Some(Want::Connect) {
            self.link = Some(tokio::io::split(first));
            self.client.opened(now());
        }
        if let Source::Message(text) = &self.talk.job.source {
            self.say(text);
            self.leaves();
        }
    }

    async fn run(&mut self, net: &mut Option<&mut Net>, prompt: &mut Prompt) -> Result<Exit, Fault> {
        let mut room = vec![0; CHUNK];
        loop {
            self.tell();
            if self.pending.is_empty() && self.does_what_it_wants(net, prompt).await {
                continue;
            }
            if self.interrupted {
                return Ok(Exit::Interrupted);
            }
            if let Some(over) = self.over {
                return self.ends(over).await;
            }
            match self.moved(&mut room, prompt).await {
                Moved::Read(octets) => {
                    let read = room.get(..octets).unwrap_or_default();
                    self.tally.read(read);
                    self.talk.text(false, read);
                    self.client.readable(now(), read);
                }
                Moved::Wrote(octets) => {
                    self.tally.sent += octets as u64;
                    self.pending.drain(..octets);
                    self.unflushed = true;
                }
                Moved::Flushed => self.unflushed = false,
                Moved::Broke => self.breaks().await,
                Moved::Typed(input) => self.typed(input),
                Moved::Due => self.client.deadline_passed(now()),
            }
        }
    }

    /// Waits until something happens.
    async fn moved(&mut self, room: &mut [u8], prompt: &mut Prompt) -> Moved {
        let deadline = self.client.poll_deadline();
        let listens = !self.typed_all && self.client.was_in() && self.client.unconfirmed() < WAITING;
        let has_link = self.link.is_some();
        let (pending, unflushed) = (&self.pending, self.unflushed);
        let io = async {
            let Some((reader, writer)) = &mut self.link else { return std::future::pending().await };
            let read = |read: io::Result<usize>| match read {
                Ok(0) | Err(_) => Moved::Broke,
                Ok(octets) => Moved::Read(octets),
            };
            tokio::select! {
                octets = reader.read(room) => read(octets),
                pushed = push(writer, pending), if !pending.is_empty() || unflushed => match pushed {
                    Ok(Pushed::Wrote(octets)) => Moved::Wrote(octets),
                    Ok(Pushed::Flushed) => Moved::Flushed,
                    Err(_) => Moved::Broke,
                },
            }
        };
        tokio::select! {
            moved = io, if has_link => moved,
            input = prompt.typed.recv(), if listens => Moved::Typed(input.unwrap_or(Input::Typed(Typed::Quit))),
            () = until(deadline) => Moved::Due,
        }
    }

    /// One thing that the member wants; whether there was one.
    async fn does_what_it_wants(&mut self, net: &mut Option<&mut Net>, prompt: &mut Prompt) -> bool {
        match self.client.poll_want(now()) {
            None => false,
            Some(Want::Write(octets)) => {
                self.pending.extend_from_slice(octets);
                let taken = self.pending.len();
                self.client.wrote(taken);
                self.talk.text(true, &self.pending);
                false
            }
            Some(Want::Close) => {
                if let Some((_, writer)) = &mut self.link {
                    // The peer may have reset meanwhile; reading will say so.
                    let _ = writer.shutdown().await;
                }
                true
            }
            Some(Want::Abort) => {
                self.pending.clear();
                if let Some((reader, writer)) = self.link.take() {
                    reader.unsplit(writer).abort();
                }
                true
            }
            Some(Want::Connect) => {
                match self.connects(net.as_deref_mut(), prompt).await {
                    Some((conversation, endpoints)) => {
                        self.talk.endpoints.set(endpoints);
                        self.link = Some(tokio::io::split(conversation));
                        self.client.opened(now());
                    }
                    None => self.client.broke(now()),
                }
                true
            }
        }
    }

    /// Another connection, while what is typed is heard.
    async fn connects(
        &mut self,
        mut net: Option<&mut Net>,
        prompt: &mut Prompt,
    ) -> Option<(Conversation, Option<aperto_host::Endpoints>)> {
        let (job, remote) = (self.talk.job, self.talk.remote);
        let talk = self.talk;
        let connecting = async {
            let conversation = connect(job, remote, net.as_deref_mut()).await.ok()?;
            let endpoints = ends(&conversation, net.as_deref());
            Some((talk.secured(conversation).await.ok()?, endpoints))
        };
        let mut connecting = std::pin::pin!(connecting);
        loop {
            let listens = !self.typed_all && self.client.unconfirmed() < WAITING;
            tokio::select! {
                opened = &mut connecting => return opened,
                input = prompt.typed.recv(), if listens => {
                    self.typed(input.unwrap_or(Input::Typed(Typed::Quit)));
                }
                () = until(self.client.poll_deadline()) => self.client.deadline_passed(now()),
            }
            self.tell();
            if self.interrupted || self.over.is_some() || !self.client.is_connecting() {
                return None;
            }
        }
    }

    /// The connection is over. What was acknowledged of a close is still to be waited for.
    async fn breaks(&mut self) {
        self.pending.clear();
        self.client.broke(now());
        self.tell();
        if self.over.is_none()
            && let Some((reader, mut writer)) = self.link.take()
        {
            let _ = writer.shutdown().await;
            drop(reader.unsplit(writer));
        }
    }

    fn typed(&mut self, input: Input) {
        match input {
            Input::Typed(Typed::Say(text)) if text.is_empty() => {}
            Input::Typed(Typed::Say(text)) => self.say(&text),
            Input::Typed(Typed::Quit) => self.leaves(),
            Input::Interrupted => self.interrupted = true,
            Input::Typed(command) => {
                let looks = self.talk.looks;
                let over = self.channel.as_ref().map(|(stack, wishes)| (stack, wishes));
                // Over the system's sockets the state of the chat is all there is to say.
                if command != Typed::State || over.is_some() {
                    for line in why::answer(&command, over, self.talk.scribe.as_ref(), looks.language) {
                        self.talk.printer.line(line);
                    }
                }
                if command == Typed::State {
                    let (unconfirmed, is_in) = (self.client.unconfirmed(), self.client.is_in());
                    self.talk.say(&Saying::Chat(ChatSaying::Standing { unconfirmed, is_in }));
                }
            }
        }
    }

    fn leaves(&mut self) {
        self.typed_all = true;
        self.client.leave(now());
    }

    fn say(&mut self, text: &str) {
        let why = match self.client.say(now(), text) {
            Ok(_) | Err(CannotSay::Empty | CannotSay::Over) => return,
            Err(CannotSay::TooLong { most }) => NotSent::TooLong { most },
            Err(CannotSay::TooMuch) => NotSent::TooMuch,
        };
        self.refused += 1;
        self.talk.say(&Saying::Chat(ChatSaying::CannotSay { why }));
    }

    /// Tells what happened.
    fn tell(&mut self) {
        while let Some(event) = self.client.poll_event() {
            let saying = match event {
                Event::In { name, terms, back: false, .. } => ChatSaying::Agreed {
                    label: String::new(),
                    name,
                    ask: self.asked.clone(),
                    terms,
                    back: false,
                },
                Event::In { name, again, another_room, .. } => ChatSaying::Back { name, again, another_room },
                // One knows what one said; that it is confirmed is told.
                Event::Shown { own: Some(_), .. } => continue,
                Event::Shown { name, text, .. } => ChatSaying::Said { name, text },
                Event::Confirmed { id } => ChatSaying::Confirmed { id },
                Event::Refused { id, why } => {
                    self.refused += 1;
                    ChatSaying::Refused { label: String::new(), name: String::new(), id, why }
                }
                Event::Damaged => ChatSaying::Damaged { label: String::new() },
                Event::Missed { messages } => ChatSaying::Forgotten { messages },
                Event::Came(name) => ChatSaying::Came { name },
                Event::Left(name) => ChatSaying::Left { name },
                Event::Broken { attempt, after, why } => {
                    ChatSaying::Broken { attempt, of: TRIES, after, why }
                }
                Event::Over(over) => {
                    self.over = Some(over);
                    continue;
                }
            };
            self.talk.say(&Saying::Chat(saying));
        }
    }

    /// It is over: the connection closes, and what came of it is said.
    async fn ends(&mut self, over: Over) -> Result<Exit, Fault> {
        let remote = self.talk.remote;
        let fault = match over {
            Over::Left { unconfirmed: 0, .. }
                if self.refused > 0 && self.talk.job.source != Source::Input =>
            {
                Some(ChatFault::NotTaken { messages: self.refused })
            }
            Over::Left { unconfirmed: 0, .. } => None,
            Over::Left { unconfirmed, .. } => Some(ChatFault::Unconfirmed { messages: unconfirmed }),
            Over::GaveUp { unconfirmed } => Some(ChatFault::GaveUp { remote, tries: TRIES, unconfirmed }),
            Over::NotAgreed(why) => Some(ChatFault::NotAgreed { remote, why }),
            Over::Unfair => Some(ChatFault::Unfair { remote }),
            Over::Stranger(what) => Some(ChatFault::Stranger { remote, what }),
            Over::Echo => Some(ChatFault::Echo { remote }),
            Over::Silent => Some(ChatFault::Silent { remote }),
            Over::LetGo(why) => Some(ChatFault::LetGo { remote, why }),
        };
        if let Some((reader, mut writer)) = self.link.take() {
            let _ = writer.shutdown().await;
            let end = match reader.unsplit(writer).ours() {
                Some(stream) if fault.is_none() => stream.closed().await,
                Some(stream) => stream.ended().unwrap_or(End::Aborted),
                None => End::Closed,
            };
            self.talk.report(&self.tally, end, self.talk.endpoints.get());
        }
        fault.map_or(Ok(Exit::Done), |fault| Err(Fault::Chat(fault)))
    }
}
