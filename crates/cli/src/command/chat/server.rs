//! A room on real wires: each connection a task, the journal written and waited for beside them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::rc::Rc;

use aperto_app::Want;
use aperto_app::chat::frame::Bye;
use aperto_app::chat::room::{Config, Event, Keeping, MemberId, Room as Machine};
use aperto_explain::Language;
use aperto_explain::program::chat::{ChatSaying, not_taken, wrong_port};
use aperto_explain::program::saying::Saying;
use aperto_explain::program::{Exit, Fault};
use aperto_tcp::End;
use aperto_tokio::Conversation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::super::server::Room;
use super::{Pushed, journal, now, push, token, until};
use crate::arguments::chat::Chat;
use crate::arguments::read::{Server, Service};
use crate::live::talk::{CHUNK, Tally};
use crate::record::cannot_write;

/// A room and what belongs to it.
pub(in super::super) struct Hall {
    machine: RefCell<Machine>,
    members: RefCell<BTreeMap<MemberId, Line>>,
    /// Something may be due earlier, or is to be written.
    clock: Notify,
    keeper: Notify,
    file: RefCell<Option<File>>,
    file_name: Option<String>,
    /// Why it cannot go on.
    trouble: RefCell<Option<Fault>>,
    troubled: Notify,
    at_the_start: ChatSaying,
    language: Language,
    /// How many connections are programs or persons that are in.
    present: Cell<u64>,
}

/// The room of a server that has one.
pub(in super::super) fn open(job: &Server, language: Language) -> Result<Option<Hall>, Fault> {
    match (&job.service, &job.live.chat) {
        (Service::Chat, Some(wish)) => Hall::for_wish(wish, job.max_conns, language).map(Some),
        _ => Ok(None),
    }
}

/// Why a room cannot go on; never, where there is none.
pub(in super::super) async fn trouble(hall: Option<&Hall>) -> Fault {
    match hall {
        Some(hall) => hall.trouble().await,
        None => std::future::pending().await,
    }
}

/// A connection of the room.
struct Line {
    /// Its name everywhere, and a space.
    label: String,
    wakes: Rc<Notify>,
}

impl Hall {
    /// Opens the room, and its journal if there is one.
    fn for_wish(wish: &Chat, members: Option<u64>, language: Language) -> Result<Self, Fault> {
        let operator = match language {
            Language::English => "server",
            Language::Portuguese => "servidor",
        };
        let keeping = if wish.journal.is_some() { Keeping::Journal } else { Keeping::Memory };
        let mut config = Config::new(token()?, keeping, operator);
        config.max_message = wish.max.unwrap_or(config.max_message);
        config.payload = wish.payload.unwrap_or(config.payload);
        config.window = wish.window.unwrap_or(config.window);
        config.acknowledgement = wish.acknowledgement.unwrap_or(config.acknowledgement);
        if let Some(integrity) = wish.integrity {
            config.integrities = vec![integrity];
        }
        let members = members.and_then(|most| usize::try_from(most).ok());
        config.members = members.map_or(config.members, |most| most.min(config.members));
        let (file, machine, at_the_start) = match &wish.journal {
            Some(name) => {
                let (file, machine, saying) = journal::open(name, config)?;
                (Some(file), machine, saying)
            }
            None => (None, Machine::new(config), ChatSaying::NoJournal),
        };
        Ok(Self {
            machine: RefCell::new(machine),
            members: RefCell::default(),
            clock: Notify::new(),
            keeper: Notify::new(),
            file: RefCell::new(file),
            file_name: wish.journal.clone(),
            trouble: RefCell::default(),
            troubled: Notify::new(),
            at_the_start,
            language,
            present: Cell::new(0),
        })
    }

    /// What is said of it before anybody comes.
    fn at_the_start(&self) -> Saying {
        Saying::Chat(self.at_the_start.clone())
    }

    /// Waits until it cannot go on, and says why.
    async fn trouble(&self) -> Fault {
        loop {
            if let Some(fault) = self.trouble.borrow_mut().take() {
                return fault;
            }
            self.troubled.notified().await;
        }
    }

    /// How it stands.
    pub(in super::super) fn standing(&self) -> Saying {
        let messages = self.machine.borrow().confirmed();
        Saying::Chat(ChatSaying::RoomStands { messages, members: self.present.get() })
    }

    /// What a connection wants; octets that it wants written are put into `pending`.
    fn wanted(&self, member: MemberId, pending: &mut Vec<u8>) -> Wanted {
        let mut machine = self.machine.borrow_mut();
        match machine.poll_want(now(), member) {
            Some(Want::Write(octets)) => {
                pending.extend_from_slice(octets);
                machine.wrote(member, pending.len());
                Wanted::Nothing
            }
            Some(Want::Close) => Wanted::Close,
            Some(Want::Abort) => Wanted::Abort,
            Some(Want::Release) | None => Wanted::Nothing,
        }
    }

    /// What a connection sent; nothing where it will send no more.
    fn reads(&self, member: MemberId, octets: &[u8]) {
        let mut machine = self.machine.borrow_mut();
        if octets.is_empty() {
            machine.peer_closed(now(), member);
        } else {
            machine.readable(now(), member, octets);
        }
    }

    fn label(&self, member: MemberId) -> String {
        self.members.borrow().get(&member).map_or_else(String::new, |line| line.label.clone())
    }

    /// Lets everything happen that follows from an input; gives what is to be said.
    fn settle(&self) -> Vec<ChatSaying> {
        let mut machine = self.machine.borrow_mut();
        let mut sayings = Vec::new();
        while let Some(event) = machine.poll_event() {
            self.happened(&mut machine, event, &mut sayings);
        }
        while let Some(member) = machine.poll_ready() {
            if let Some(line) = self.members.borrow().get(&member) {
                line.wakes.notify_one();
            }
        }
        self.keeper.notify_one();
        self.clock.notify_one();
        sayings
    }

    fn happened(&self, machine: &mut Machine, event: Event, sayings: &mut Vec<ChatSaying>) {
        match event {
            Event::Said { name, text, operator: false, .. } => sayings.push(ChatSaying::Said { name, text }),
            // The operator knows what it said.
            Event::Said { .. } => {}
            Event::Agreed { member, name, ask, terms, back, missed } => {
                self.present.set(self.present.get() + 1);
                let label = self.label(member);
                sayings.push(ChatSaying::Agreed { label: label.clone(), name, ask, terms, back });
                if missed > 0 && back {
                    sayings.push(ChatSaying::Missed { label, messages: missed });
                }
            }
            Event::Person { member, name } => {
                self.present.set(self.present.get() + 1);
                sayings.push(ChatSaying::Person { label: self.label(member), name });
            }
            Event::Refused { member, name, id, why } => {
                if id == 0 {
                    machine.tell(member, not_taken(self.language, why).as_bytes());
                }
                sayings.push(ChatSaying::Refused { label: self.label(member), name, id, why });
            }
            Event::Damaged { member, .. } => {
                sayings.push(ChatSaying::Damaged { label: self.label(member) });
            }
            Event::NotAgreed { member, why } => {
                sayings.push(ChatSaying::NotAgreed { label: self.label(member), why });
            }
            Event::Stranger { member, what } => {
                machine.dismiss(now(), member, wrong_port(what).as_bytes());
                sayings.push(ChatSaying::Stranger { label: self.label(member), what });
            }
            Event::Gone { member, name, why } => {
                if name.is_some() {
                    self.present.set(self.present.get().saturating_sub(1));
                }
                match (why, name) {
                    (Some(Bye::Leaving), Some(name)) => sayings.push(ChatSaying::Left { name }),
                    (Some(why), Some(_)) | (Some(why @ Bye::Unfinished), None) => {
                        sayings.push(ChatSaying::LetGo { label: self.label(member), why });
                    }
                    // Strangers were told of; a connection that broke is reported as such.
                    (Some(_) | None, _) => {}
                }
            }
        }
    }
}

impl Room {
    /// Tells what follows from an input of the room.
    fn chat_moves(&self, hall: &Hall) {
        for saying in hall.settle() {
            self.say(&Saying::Chat(saying));
        }
    }

    /// Starts what runs beside the connections of a chat; it ends when what is given back is dropped.
    pub(in super::super) fn run_chat(self: &Rc<Self>) -> tokio::task::JoinSet<()> {
        let mut beside = tokio::task::JoinSet::new();
        if let Some(hall) = &self.chat {
            self.say(&hall.at_the_start());
            // A new journal has a beginning to write.
            hall.keeper.notify_one();
            beside.spawn_local(Rc::clone(self).chat_clock());
            beside.spawn_local(Rc::clone(self).chat_keeper());
        }
        beside
    }

    /// The operator says something.
    pub(in super::super) fn operator_says(&self, hall: &Hall, text: &str) {
        let said = hall.machine.borrow_mut().say(now(), text);
        if let Err(why) = said {
            self.say(&Saying::Chat(ChatSaying::Refused {
                label: String::new(),
                name: String::new(),
                id: 0,
                why,
            }));
        }
        self.chat_moves(hall);
    }

    /// The room closes; its connections end by themselves.
    pub(in super::super) fn chat_closes(&self, hall: &Hall) {
        hall.machine.borrow_mut().close(now());
        self.chat_moves(hall);
    }

    /// Calls the room when its time comes.
    async fn chat_clock(self: Rc<Self>) {
        let Some(hall) = &self.chat else { return };
        loop {
            let at = hall.machine.borrow().poll_deadline();
            tokio::select! {
                () = until(at) => {
                    hall.machine.borrow_mut().deadline_passed(now());
                    self.chat_moves(hall);
                }
                () = hall.clock.notified() => {}
            }
        }
    }

    /// Writes the journal, and says so to the room once it is on the disk.
    async fn chat_keeper(self: Rc<Self>) {
        let Some(hall) = &self.chat else { return };
        loop {
            hall.keeper.notified().await;
            let Some(batch) = hall.machine.borrow_mut().take_journal() else { continue };
            let Some(mut file) = hall.file.borrow_mut().take() else { continue };
            let octets = batch.octets;
            let written = tokio::task::spawn_blocking(move || {
                let written = journal::write(&mut file, &octets);
                (file, written)
            })
            .await;
            match written {
                Ok((file, Ok(()))) => {
                    *hall.file.borrow_mut() = Some(file);
                    hall.machine.borrow_mut().journaled(now(), batch.upto);
                    self.chat_moves(hall);
                }
                Ok((_, Err(error))) => {
                    // Nothing more is confirmed: what was not is said again to whoever comes next.
                    let name = hall.file_name.as_deref().unwrap_or_default();
                    *hall.trouble.borrow_mut() = Some(cannot_write(name, &error));
                    hall.troubled.notify_one();
                    return;
                }
                Err(_) => return,
            }
        }
    }

    /// Serves one connection of the room from its first octet to its end.
    pub(in super::super) async fn converse(
        self: Rc<Self>,
        mut conversation: Conversation,
        peer: SocketAddr,
        endpoints: Option<aperto_host::Endpoints>,
        label: &str,
    ) -> Result<Exit, Fault> {
        let Some(hall) = &self.chat else { return Ok(Exit::Done) };
        let wakes = Rc::new(Notify::new());
        let member = hall.machine.borrow_mut().opened(now());
        let line = Line { label: format!("{label} "), wakes: Rc::clone(&wakes) };
        hall.members.borrow_mut().insert(member, line);
        self.chat_moves(hall);
        let mut tally = Tally::default();
        let done =
            self.serve_member(hall, &mut conversation, member, (label, endpoints), &wakes, &mut tally).await;
        hall.machine.borrow_mut().closed(now(), member);
        self.chat_moves(hall);
        hall.members.borrow_mut().remove(&member);
        let end = match (done, conversation.ours()) {
            (Done::Aborted, _) => {
                conversation.abort();
                End::Aborted
            }
            (Done::Both, Some(stream)) => stream.closed().await,
            (Done::Broke, Some(stream)) => stream.ended().unwrap_or(End::Reset),
            (Done::Both, None) => End::Closed,
            (Done::Broke, None) => End::Reset,
        };
        self.connections.set(self.connections.get().saturating_sub(1));
        self.report(label, &tally, end, None);
        match end {
            End::Closed => Ok(Exit::Done),
            End::TimedOut => Err(Fault::SilentPeer { remote: peer }),
            End::Unreachable => Err(Fault::Unreachable { remote: peer }),
            End::Aborted => Ok(Exit::Done),
            _ => Err(Fault::ResetByPeer { remote: peer }),
        }
    }

    async fn serve_member(
        &self,
        hall: &Hall,
        conversation: &mut Conversation,
        member: MemberId,
        (label, endpoints): (&str, Option<aperto_host::Endpoints>),
        wakes: &Notify,
        tally: &mut Tally,
    ) -> Done {
        let text = |sent, octets: &[u8]| {
            self.roll.went(label, sent, octets.len());
            // What TLS carries would stand in plain in a recording.
            if let (Some(scribe), Some(endpoints), None, false) =
                (&self.scribe, endpoints, &self.secure, octets.is_empty())
            {
                scribe.lock().text(endpoints, sent, octets);
            }
        };
        let (mut reader, mut writer) = tokio::io::split(conversation);
        let mut room = vec![0; CHUNK];
        let (mut pending, mut unflushed) = (Vec::new(), false);
        let (mut peer_closed, mut we_closed) = (false, false);
        loop {
            if pending.is_empty() {
                let wanted = hall.wanted(member, &mut pending);
                // What a want made happen is told, too.
                self.chat_moves(hall);
                match wanted {
                    Wanted::Abort => return Done::Aborted,
                    Wanted::Close => we_closed = true,
                    Wanted::Nothing => text(true, &pending),
                }
                if we_closed && pending.is_empty() {
                    // The peer may have reset meanwhile; reading will say so.
                    let _ = writer.shutdown().await;
                }
            }
            if we_closed && peer_closed && pending.is_empty() {
                return Done::Both;
            }
            let appetite = hall.machine.borrow().appetite(member).min(CHUNK);
            // Who is being let go is read to its end, and not listened to.
            let listens = !peer_closed && (appetite > 0 || we_closed);
            let most = if we_closed { CHUNK } else { appetite };
            tokio::select! {
                read = reader.read(room.get_mut(..most).unwrap_or_default()), if listens => match read {
                    Ok(octets) => {
                        let read = room.get(..octets).unwrap_or_default();
                        peer_closed |= read.is_empty();
                        tally.read(read);
                        text(false, read);
                        hall.reads(member, read);
                        self.chat_moves(hall);
                    }
                    Err(_) => return Done::Broke,
                },
                pushed = push(&mut writer, &pending), if !pending.is_empty() || unflushed => match pushed {
                    Ok(Pushed::Wrote(octets)) => {
                        tally.sent += octets as u64;
                        pending.drain(..octets);
                        unflushed = true;
                    }
                    Ok(Pushed::Flushed) => unflushed = false,
                    Err(_) => return Done::Broke,
                },
                () = wakes.notified() => {}
            }
        }
    }
}

/// What a connection wants besides writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Nothing,
    Close,
    Abort,
}

/// How a connection of the room ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Done {
    Both,
    Broke,
    Aborted,
}
