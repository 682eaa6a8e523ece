//! `aperto server --receive`, `--offer`: files from or to any number of clients.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use aperto_app::transfer::{Digest, Failure};
use aperto_explain::Language;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::secure::SecureSaying;
use aperto_explain::program::transfer::{Side, TransferSaying};
use aperto_explain::program::{Exit, Fault};
use aperto_tokio::{Conversation, Listening, Stack};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, LocalSet};

use super::client::{interrupted, is_true, leave};
use super::teller::{Stage, Teller};
use super::{Stock, failed};
use crate::arguments::read::{Server, WireKind};
use crate::arguments::transfer::FileServer;
use crate::command::server::{flags, open, until};
use crate::environment::Environment;
use crate::live;
use crate::live::bar::Bar;
use crate::live::carry::carry;
use crate::live::net::{self, Net};
use crate::live::printer::{Printer, Printing};
use crate::live::secure::ServerSide;
use crate::looks::Looks;

/// How long clients may take to hear that the server ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// Receives or gives files until it is told to end.
pub(crate) fn run(job: &FileServer, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    let bar = if job.server.once { Bar::begin(looks, environment) } else { Bar::none() };
    let stock = Stock::open(&job.transfer, |octets| bar.add(octets))?;
    let Server { service, live, .. } = &job.server;
    let recording = live.record.file.as_deref();
    let prepare = |asked| ServerSide::prepare(asked, service, recording, looks);
    let secure = live.secure.as_ref().map(prepare).transpose()?;
    let runtime = live::runtime()?;
    let (printer, printing) = live::printer(looks, recording, bar.above());
    let local = LocalSet::new();
    let done = local
        .block_on(&runtime, over_tcp(&job.server, Ready { stock, secure }, looks, bar, printer, printing));
    runtime.shutdown_background();
    done
}

/// What is there before anybody comes.
struct Ready {
    stock: Stock,
    secure: Option<ServerSide>,
}

/// What all connections of the server share.
struct Room {
    stock: Stock,
    secure: Option<ServerSide>,
    stage: Stage,
    bar: Bar,
    port: u16,
    stack: Option<Stack>,
    interrupted: watch::Receiver<bool>,
    connections: Cell<u64>,
    accepted: Cell<u64>,
    /// Who receives what: a newer connection with the same files takes over from the one that has them.
    receiving: RefCell<BTreeMap<Digest, (u64, oneshot::Sender<()>)>>,
}

async fn over_tcp(
    job: &Server,
    ready: Ready,
    looks: &Looks,
    bar: Bar,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let interrupted = interrupted();
    let (net, listening) = match open(job, looks, &printer) {
        Ok(opened) => opened,
        Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
    };
    let scribe = net.as_ref().and_then(|net| net.scribe.clone());
    let is_secret = ready.secure.is_some();
    let stage = Stage { looks: looks.clone(), printer: printer.clone(), scribe: scribe.clone(), is_secret };
    if let Some(side) = &ready.secure {
        side.record(scribe.as_ref());
    }
    greet(job, &ready, &stage, net.as_ref(), &listening);
    let room = Rc::new(Room {
        stock: ready.stock,
        secure: ready.secure,
        stage,
        bar,
        port: job.listen.port(),
        stack: net.as_ref().map(|net| net.stack.clone()),
        interrupted,
        connections: Cell::new(0),
        accepted: Cell::new(0),
        receiving: RefCell::new(BTreeMap::new()),
    });
    let outcome = accept_all(job, &room, &listening).await;
    drop(listening);
    if let Some(net) = net {
        if outcome == Ok(Exit::Interrupted) {
            net.stack.abort_all();
        } else {
            // Whoever still talks after that is cut off.
            let _ = tokio::time::timeout(GOODBYE, net.stack.settled()).await;
        }
        net.close().await;
    }
    room.bar.clear();
    drop(room);
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// Says where it listens, what it does, and what to type next.
fn greet(job: &Server, ready: &Ready, stage: &Stage, net: Option<&Net>, listening: &Listening) {
    let at = match net {
        Some(net) => net.local,
        None => listening.local_addr().unwrap_or(job.listen),
    };
    let mut host = at.ip().to_string();
    match (job.live.wire, net) {
        (WireKind::Tun, Some(net)) => stage.say(&Saying::ListeningTun { at, device: net.device.clone() }),
        _ if job.lan => {
            let addresses = net::addresses_for_others();
            host = addresses.first().cloned().unwrap_or(host);
            stage.say(&Saying::ListeningLan { at, addresses });
        }
        _ => stage.say(&Saying::Listening { at }),
    }
    let english = stage.looks.language == Language::English;
    let (what, does) = match &ready.stock {
        Stock::Files(shelf) => {
            let manifest = shelf.manifest();
            let first = manifest.entries().first().and_then(|entry| entry.path.names().next());
            let name = first.unwrap_or_default().into();
            let (files, octets) = (manifest.files() as u64, manifest.total());
            (TransferSaying::Offering { name, files, octets }, " --fetch .")
        }
        Stock::Folder(receive) => {
            let does = if english { " --send PATH" } else { " --send CAMINHO" };
            (TransferSaying::Receiving { folder: receive.folder.clone() }, does)
        }
    };
    stage.say(&Saying::Transfer(what));
    ready.stock.left_out().iter().for_each(|saying| stage.say(saying));
    let flags = flags(job) + does;
    match &ready.secure {
        Some(side) => side.greeting(&host, at.port(), &flags).iter().for_each(|saying| stage.say(saying)),
        None => stage.say(&Saying::NextClient { host, port: at.port(), flags }),
    }
}

async fn accept_all(job: &Server, room: &Rc<Room>, listening: &Listening) -> Result<Exit, Fault> {
    let deadline = job.live.timeout.map(|after| tokio::time::Instant::now() + after);
    let mut over = JoinSet::new();
    let ended = |error: tokio::task::JoinError| Err(Fault::System { what: error.to_string() });
    loop {
        tokio::select! {
            accepted = listening.accept() => {
                let (conversation, peer) = accepted.map_err(|error| Fault::System { what: error.to_string() })?;
                let connections = room.connections.get();
                if job.max_conns.is_some_and(|limit| connections >= limit) {
                    conversation.abort();
                    room.stage.say(&Saying::TooMany { peer, limit: connections });
                    continue;
                }
                room.connections.set(connections + 1);
                room.accepted.set(room.accepted.get() + 1);
                over.spawn_local(Rc::clone(room).attend(conversation, peer));
            }
            Some(done) = over.join_next(), if !over.is_empty() => {
                if job.once {
                    return done.unwrap_or_else(ended);
                }
            }
            () = is_true(room.interrupted.clone()) => {
                // Each client is told, and what it sent is kept.
                let all = async { while over.join_next().await.is_some() {} };
                let _ = tokio::time::timeout(GOODBYE, all).await;
                return Ok(Exit::Interrupted);
            }
            () = until(deadline) => {
                return Err(Fault::TimeIsUp { after: job.live.timeout.unwrap_or_default() });
            }
        }
    }
}

impl Room {
    /// Serves one client from its first frame to its end.
    async fn attend(self: Rc<Self>, conversation: Conversation, peer: SocketAddr) -> Result<Exit, Fault> {
        let number = self.accepted.get();
        let done = Rc::clone(&self).transfer(number, conversation, peer).await;
        self.connections.set(self.connections.get().saturating_sub(1));
        done
    }

    async fn transfer(
        self: Rc<Self>,
        number: u64,
        conversation: Conversation,
        peer: SocketAddr,
    ) -> Result<Exit, Fault> {
        let endpoints = conversation
            .ours()
            .and_then(|stream| self.stack.as_ref()?.with_host(|host| host.endpoints(stream.id())));
        let label = match (endpoints, &self.stage.scribe) {
            (Some(endpoints), Some(scribe)) => scribe.lock().connection_between(endpoints).0,
            _ => format!("c{number}"),
        };
        let connections = self.connections.get();
        self.stage.say(&Saying::Opened { label: label.clone(), peer, connections, port: self.port });
        let label = label + " ";
        let mut conversation = self.secured(conversation, &label, peer).await?;
        let (tell_newer, newer) = oneshot::channel();
        let side = self.stock.side();
        let mut teller = Teller::new(self.stage.clone(), self.bar.clone(), label.clone(), side, endpoints);
        if side == Side::Receives {
            let room = Rc::clone(&self);
            teller =
                teller.when_begun(move |manifest| room.takes_over(*manifest.digest(), number, tell_newer));
        }
        let (mut party, worker) = self.stock.party()?;
        let ends = async {
            tokio::select! {
                Ok(()) = newer => Failure::Superseded,
                () = is_true(self.interrupted.clone()) => Failure::Cancelled,
            }
        };
        let result = carry(&mut conversation, &mut *party, worker, &mut teller, ends).await;
        self.receiving.borrow_mut().retain(|_, (who, _)| *who != number);
        leave(conversation, result.is_ok()).await;
        match result {
            Ok(()) => Ok(Exit::Done),
            Err(why) => {
                let interrupted = why == Failure::Cancelled;
                let fault = failed(side, peer, why);
                let headline = fault.notice(self.stage.looks.language).headline;
                self.stage.say(&Saying::Transfer(TransferSaying::Failed { label, headline }));
                if interrupted { Ok(Exit::Interrupted) } else { Err(fault) }
            }
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
        let label = label.to_owned();
        match side.protect(conversation, peer).await {
            Ok(conversation) => {
                if let Some(agreed) = conversation.agreed() {
                    let (suite, group, service) = (agreed.suite, agreed.group, agreed.protocol);
                    let saying = SecureSaying::Secured { label, suite, group, service };
                    self.stage.say(&Saying::Secure(saying));
                }
                Ok(conversation)
            }
            Err(fault) => {
                let saying = SecureSaying::NotSecured { label, fault: fault.clone() };
                self.stage.say(&Saying::Secure(saying));
                Err(Fault::Secure(fault))
            }
        }
    }

    /// A connection knows what it will receive: the older one with the same is over.
    fn takes_over(&self, digest: Digest, number: u64, tell: oneshot::Sender<()>) {
        if let Some((_, older)) = self.receiving.borrow_mut().insert(digest, (number, tell)) {
            // One that is over meanwhile has nothing to give up.
            let _ = older.send(());
        }
    }
}
