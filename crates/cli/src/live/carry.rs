//! Carries a transfer over any stream: octets in and out, orders to a disk in a thread of its own,
//! the clock, and whoever wants to end it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aperto_app::Want;
use aperto_app::transfer::disk::Replace;
use aperto_app::transfer::{Event, Failure, Manifest, Order, Outcome, Party, Trouble, Vault};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until};

use super::disk::FolderDisk;
use super::shelf::Shelf;

/// How long the peer may take to close after both have said all, and after a failure.
const LEAVING: Duration = Duration::from_secs(5);
const BREAKING: Duration = Duration::from_millis(700);
/// How much is read at once.
const READ: usize = 1 << 16;

/// Who carries out orders.
pub(crate) enum Worker {
    /// A sender's files.
    Shelf(Shelf),
    /// A receiver's disk, before its manifest is known.
    Disk { disk: FolderDisk, replace: Replace, floor: u64 },
    /// And after.
    Vault(Box<Vault<FolderDisk>>),
}

impl Worker {
    /// Knows the manifest from here on.
    fn learn(self, manifest: Option<&Arc<Manifest>>) -> Self {
        match (self, manifest) {
            (Self::Disk { disk, replace, floor }, Some(manifest)) => {
                Self::Vault(Box::new(Vault::new(disk, Arc::clone(manifest), replace, floor)))
            }
            (other, _) => other,
        }
    }

    fn perform(&mut self, order: &Order) -> Outcome {
        match self {
            Self::Shelf(shelf) => shelf.perform(order),
            Self::Vault(vault) => vault.perform(order),
            Self::Disk { .. } => Outcome::Failed(Trouble::Other),
        }
    }
}

/// Who hears what happens.
pub(crate) trait Watcher {
    /// Something happened.
    fn happened(&mut self, event: &Event, manifest: Option<&Arc<Manifest>>);

    /// The application wrote these octets, or read them.
    fn passed(&mut self, sent: bool, octets: &[u8]);
}

/// What happens next to a transfer.
enum Step {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Flushed(io::Result<()>),
    Worked(Option<(Worker, Outcome)>),
    TimePassed,
    Ends(Failure),
}

/// Carries a transfer from the open connection to its end. Says how it failed, if it did.
///
/// `ends` is done when somebody ends it, and says why.
pub(crate) async fn carry(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    party: &mut dyn Party,
    worker: Worker,
    watcher: &mut dyn Watcher,
    ends: impl Future<Output = Failure>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut ends = std::pin::pin!(ends);
    let mut asked = false;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut room = vec![0; READ];
    let mut at = At {
        worker: Some(worker),
        work: None,
        unflushed: false,
        hears: true,
        closed: false,
        left_at: None,
        result: None,
    };
    party.opened(Duration::ZERO);
    loop {
        at.tell(party, watcher);
        if at.is_over() {
            return at.result.unwrap_or(Err(Failure::Broken));
        }
        at.order(party);
        let takes = party.room().min(READ);
        let leaves = at.left_at.filter(|_| at.work.is_none());
        let due = [party.poll_deadline().map(|due| begun + due), leaves].into_iter().flatten().min();
        let want = party.poll_want();
        if matches!(want, Some(Want::Close | Want::Abort | Want::Release)) {
            at.closed = true;
            // The peer may have reset meanwhile; reading will say so.
            let _ = tokio::time::timeout(LEAVING, writer.shutdown()).await;
            continue;
        }
        let step = tokio::select! {
            failure = &mut ends, if !asked => Step::Ends(failure),
            worked = worked(&mut at.work) => Step::Worked(worked),
            step = push(&mut writer, want, at.unflushed) => step,
            read = reader.read(room.get_mut(..takes).unwrap_or_default()), if takes > 0 && at.hears => {
                Step::Read(read)
            }
            () = until(due) => Step::TimePassed,
        };
        if matches!(step, Step::Ends(_)) {
            asked = true;
        }
        at.step(party, watcher, begun.elapsed(), step, &room);
    }
}

/// Where a transfer is.
struct At {
    worker: Option<Worker>,
    work: Option<tokio::task::JoinHandle<(Worker, Outcome)>>,
    unflushed: bool,
    hears: bool,
    /// We have closed, or cannot any more.
    closed: bool,
    /// Until when the peer's close is waited for.
    left_at: Option<Instant>,
    result: Option<Result<(), Failure>>,
}

impl At {
    fn tell(&mut self, party: &mut dyn Party, watcher: &mut dyn Watcher) {
        while let Some(event) = party.poll_event() {
            watcher.happened(&event, party.manifest());
            match event {
                Event::Finished => self.result = Some(Ok(())),
                Event::Failed(failure) => self.result = Some(Err(failure)),
                _ => {}
            }
        }
        if let Some(result) = &self.result {
            // Files are closed, and locks given back, though the peer is still waited for.
            self.worker = None;
            let patience = if result.is_ok() { LEAVING } else { BREAKING };
            self.left_at.get_or_insert_with(|| Instant::now() + patience);
        }
    }

    /// Gives the disk its next order.
    fn order(&mut self, party: &mut dyn Party) {
        if let Some(worker) = self.worker.take() {
            let Some(order) = party.poll_order() else {
                self.worker = Some(worker);
                return;
            };
            let mut worker = worker.learn(party.manifest());
            self.work = Some(tokio::task::spawn_blocking(move || {
                let outcome = worker.perform(&order);
                (worker, outcome)
            }));
        }
    }

    /// Something happened: the machine is told.
    fn step(
        &mut self,
        party: &mut dyn Party,
        watcher: &mut dyn Watcher,
        now: Duration,
        step: Step,
        room: &[u8],
    ) {
        match step {
            Step::Ends(failure) => party.cancel(now, failure),
            Step::Worked(done) => self.worked(party, now, done),
            Step::Wrote(Ok(octets)) => {
                if let Some(Want::Write(said)) = party.poll_want() {
                    watcher.passed(true, said.get(..octets).unwrap_or_default());
                }
                party.wrote(octets);
                self.unflushed = true;
            }
            Step::Flushed(Ok(())) => self.unflushed = false,
            Step::Read(Ok(0)) => {
                self.hears = false;
                party.peer_closed(now);
            }
            Step::Read(Ok(octets)) => {
                let read = room.get(..octets).unwrap_or_default();
                watcher.passed(false, read);
                party.arrive(now, read);
            }
            Step::Read(Err(_)) | Step::Wrote(Err(_)) | Step::Flushed(Err(_)) => {
                self.hears = false;
                self.closed = true;
                party.ended(now);
            }
            Step::TimePassed => party.deadline_passed(now),
        }
    }

    fn worked(&mut self, party: &mut dyn Party, now: Duration, done: Option<(Worker, Outcome)>) {
        self.work = None;
        // A disk whose thread panicked has said so, and does nothing more.
        let Some((worker, outcome)) = done else {
            return party.order_done(now, Outcome::Failed(Trouble::Other));
        };
        self.worker = self.result.is_none().then_some(worker);
        party.order_done(now, outcome);
    }

    /// Whether all is said and done, and the disk at rest.
    fn is_over(&self) -> bool {
        let in_vain = self.left_at.is_some_and(|at| at <= Instant::now());
        self.result.is_some() && self.work.is_none() && (in_vain || (self.closed && !self.hears))
    }
}

async fn worked(work: &mut Option<tokio::task::JoinHandle<(Worker, Outcome)>>) -> Option<(Worker, Outcome)> {
    match work {
        Some(work) => work.await.ok(),
        None => std::future::pending().await,
    }
}

/// Writes what the machine wants to say, as far as the connection takes it, and lets it leave.
async fn push(writer: &mut (impl AsyncWrite + Unpin), want: Option<Want<'_>>, flushes: bool) -> Step {
    match want {
        Some(Want::Write(octets)) => Step::Wrote(writer.write(octets).await),
        // Inside TLS octets may wait for room below.
        _ if flushes => Step::Flushed(writer.flush().await),
        _ => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
