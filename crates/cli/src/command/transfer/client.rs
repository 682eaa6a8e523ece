//! `aperto client --send`, `--fetch`: files to or from a server, over as many connections as it takes.

use std::net::SocketAddr;
use std::time::Duration;

use aperto_app::transfer::Failure;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::transfer::{TransferFault, TransferSaying};
use aperto_explain::program::{Exit, Fault};
use aperto_tokio::Conversation;
use tokio::sync::watch;

use super::teller::{Stage, Teller};
use super::{Stock, failed};
use crate::arguments::read::{Client, WireKind};
use crate::arguments::transfer::FileClient;
use crate::command::client::{connect, ends, resolve};
use crate::command::server::until;
use crate::environment::Environment;
use crate::live::bar::Bar;
use crate::live::carry::carry;
use crate::live::net::{End, Net, Pace};
use crate::live::printer::{Printer, Printing};
use crate::live::secure::{ClientSide, Speaks};
use crate::live::{self, signal};
use crate::looks::Looks;

/// How often a connection that broke is tried again, and how long is waited before, doubled each time.
const TRIES: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// How long the end of a connection may take.
const LINGER: Duration = Duration::from_secs(2);

/// Sends or fetches, and goes on over a new connection when one breaks.
pub(crate) fn run(job: &FileClient, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    let bar = Bar::begin(looks, environment);
    let stock = Stock::open(&job.transfer, |octets| bar.add(octets))?;
    let remote = resolve(&job.client.host, job.client.port)?;
    let Client { host, port, live, .. } = &job.client;
    let recording = live.record.file.as_deref();
    let prepare = |asked| ClientSide::prepare(asked, host, *port, Speaks::Files, recording, looks);
    let secure = live.secure.as_ref().map(prepare).transpose()?;
    let ready = Ready { stock, secure };
    let runtime = live::runtime()?;
    let (printer, printing) = live::printer(looks, job.client.live.record.file.as_deref(), bar.above());
    let done = runtime.block_on(over_tcp(&job.client, &ready, remote, looks, bar, printer, printing));
    runtime.shutdown_background();
    done
}

/// What is there before anybody is connected to.
struct Ready {
    stock: Stock,
    secure: Option<ClientSide>,
}

async fn over_tcp(
    job: &Client,
    ready: &Ready,
    remote: SocketAddr,
    looks: &Looks,
    bar: Bar,
    printer: Printer,
    printing: Printing,
) -> Result<Exit, Fault> {
    let interrupted = interrupted();
    let mut net = match job.live.wire {
        WireKind::Os => None,
        WireKind::Udp | WireKind::Tun => {
            match Net::open(&job.live, End::Client { remote }, Pace::Transfer, looks, &printer) {
                Ok(net) => Some(net),
                Err(fault) => return live::conclude(None, printer, printing, Err(fault), looks),
            }
        }
    };
    let scribe = net.as_ref().and_then(|net| net.scribe.clone());
    let stage = Stage {
        looks: looks.clone(),
        printer: printer.clone(),
        scribe: scribe.clone(),
        is_secret: ready.secure.is_some(),
    };
    if let Some(side) = &ready.secure {
        side.record(scribe.as_ref());
    }
    ready.stock.left_out().iter().for_each(|saying| stage.say(saying));
    let deadline = job.live.timeout.map(|after| tokio::time::Instant::now() + after);
    let outcome = {
        let mut attempts =
            Attempts { job, ready, remote, stage: &stage, bar: &bar, interrupted, net: net.as_mut() };
        tokio::select! {
            outcome = attempts.all() => outcome,
            () = until(deadline) => Err(Fault::TimeIsUp { after: job.live.timeout.unwrap_or_default() }),
        }
    };
    bar.clear();
    if outcome == Ok(Exit::Interrupted) {
        stage.say(&Saying::Transfer(TransferSaying::Kept { side: ready.stock.side() }));
    }
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
    drop(stage);
    live::conclude(scribe.as_ref(), printer, printing, outcome, looks)
}

/// Becomes true when somebody asks the program to end.
pub(super) fn interrupted() -> watch::Receiver<bool> {
    let ending = signal::asked_to_end();
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        ending.await;
        // Nobody is left to be told where all is over.
        let _ = tell.send(true);
        // Dropping it would say the same twice.
        std::future::pending::<()>().await;
    });
    told
}

/// Waits until it is true.
pub(super) async fn is_true(mut told: watch::Receiver<bool>) {
    if told.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One connection after the other.
struct Attempts<'a> {
    job: &'a Client,
    ready: &'a Ready,
    remote: SocketAddr,
    stage: &'a Stage,
    bar: &'a Bar,
    interrupted: watch::Receiver<bool>,
    net: Option<&'a mut Net>,
}

/// How one connection ended.
struct Attempt {
    begun: bool,
    fresh: u64,
    result: Result<(), Failure>,
}

impl Attempts<'_> {
    async fn all(&mut self) -> Result<Exit, Fault> {
        let (mut tries, mut pause, mut has_begun) = (0, FIRST_PAUSE, false);
        loop {
            let fault = match self.one().await {
                Ok(attempt) => {
                    has_begun |= attempt.begun;
                    if attempt.fresh > 0 {
                        (tries, pause) = (0, FIRST_PAUSE);
                    }
                    match attempt.result {
                        Ok(()) => return Ok(Exit::Done),
                        Err(Failure::Cancelled) => return Ok(Exit::Interrupted),
                        Err(why) if why.may_resume() => failed(self.ready.stock.side(), self.remote, why),
                        Err(why) => return Err(failed(self.ready.stock.side(), self.remote, why)),
                    }
                }
                Err(fault) => fault,
            };
            // What never began is not a connection that broke.
            if !has_begun {
                return if *self.interrupted.borrow() { Ok(Exit::Interrupted) } else { Err(fault) };
            }
            if tries == TRIES {
                return Err(Fault::Transfer(TransferFault::GaveUp { tries, remote: self.remote }));
            }
            tries += 1;
            let attempt = TransferSaying::Reconnecting { after: pause, attempt: tries, of: TRIES };
            self.stage.say(&Saying::Transfer(attempt));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = is_true(self.interrupted.clone()) => return Ok(Exit::Interrupted),
            }
            pause = LAST_PAUSE.min(pause * 2);
        }
    }

    async fn one(&mut self) -> Result<Attempt, Fault> {
        let mut conversation = tokio::select! {
            opened = connect(self.job, self.remote, self.net.as_deref_mut()) => opened?,
            () = is_true(self.interrupted.clone()) => {
                return Ok(Attempt { begun: false, fresh: 0, result: Err(Failure::Cancelled) });
            }
        };
        let endpoints = ends(&conversation, self.net.as_deref());
        if let Some(side) = &self.ready.secure {
            let said = |saying| self.stage.say(&Saying::Secure(saying));
            conversation = side.protect(conversation, self.remote, said).await?;
        }
        let side = self.ready.stock.side();
        let mut teller = Teller::new(self.stage.clone(), self.bar.clone(), String::new(), side, endpoints);
        let (mut party, worker) = self.ready.stock.party()?;
        let interrupted = is_true(self.interrupted.clone());
        let ends = async {
            interrupted.await;
            Failure::Cancelled
        };
        let result = carry(&mut conversation, &mut *party, worker, &mut teller, ends).await;
        leave(conversation, result.is_ok()).await;
        Ok(Attempt { begun: teller.has_begun(), fresh: teller.fresh(), result })
    }
}

/// The end of a connection: in peace where all went well, or at once.
pub(super) async fn leave(conversation: Conversation, in_peace: bool) {
    if !in_peace {
        // The peer was told why, or is gone.
        let _ = tokio::time::timeout(Duration::from_millis(100), closed(&conversation)).await;
        conversation.abort();
        return;
    }
    // What is on its way after that is nothing that anybody waits for.
    let _ = tokio::time::timeout(LINGER, closed(&conversation)).await;
}

async fn closed(conversation: &Conversation) {
    if let Some(stream) = conversation.ours() {
        stream.closed().await;
    }
}
