//! Prints while the network goes on: a thread of its own, so that a slow terminal holds up only
//! what waits to be shown.
//!
//! Lines of several connections never mix, because only this thread writes. At a prompt they are
//! printed above it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use aperto_explain::wording::to_ascii;
use rustyline::ExternalPrinter;

use crate::looks::{Looks, View};
use crate::output::Output;

/// How many lines may wait before the network waits, too.
const WAITING: usize = 1 << 14;

/// What prints above a prompt.
pub(crate) type AbovePrompt = Box<dyn ExternalPrinter + Send>;

enum Item {
    Line(String),
    Octets(Vec<u8>),
    End,
}

/// Where lines go; clone it freely.
#[derive(Clone)]
pub(crate) struct Printer {
    items: SyncSender<Item>,
    gone: Arc<AtomicBool>,
}

/// The thread that prints.
pub(crate) struct Printing {
    items: SyncSender<Item>,
    thread: JoinHandle<()>,
}

impl Printer {
    /// Starts the thread. `to_stderr` where stdout belongs to a recording.
    pub(crate) fn start(looks: &Looks, above: Option<AbovePrompt>, target: Target) -> (Self, Printing) {
        let (items, waiting) = sync_channel(WAITING);
        let gone = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&gone);
        let mut looks = looks.clone();
        // JSON has its own ways to stay ASCII.
        looks.ascii &= looks.asked_view != Some(View::Json);
        let thread = std::thread::spawn(move || print(&waiting, &looks, above, target, &seen));
        (Self { items: items.clone(), gone }, Printing { items, thread })
    }

    /// One line.
    pub(crate) fn line(&self, text: impl Into<String>) {
        // The thread is gone only when all is over.
        let _ = self.items.send(Item::Line(text.into()));
    }

    /// Octets as they are.
    pub(crate) fn octets(&self, octets: &[u8]) {
        let _ = self.items.send(Item::Octets(octets.to_vec()));
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

impl Printing {
    /// Waits until everything is printed.
    pub(crate) fn finish(self) {
        let _ = self.items.send(Item::End);
        // A thread that panicked has said so itself.
        let _ = self.thread.join();
    }
}

/// Where the printer's lines go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Stdout,
    Stderr,
}

fn print(
    waiting: &Receiver<Item>,
    looks: &Looks,
    mut above: Option<AbovePrompt>,
    target: Target,
    gone: &AtomicBool,
) {
    let mut output = match target {
        Target::Stdout => Output::new(looks),
        Target::Stderr => Output::stderr(looks),
    };
    while let Ok(item) = waiting.recv() {
        match (item, &mut above) {
            (Item::End, _) => break,
            (Item::Line(line), Some(above)) => {
                let text = if looks.ascii { to_ascii(&line) } else { line };
                if above.print(format!("{text}\n")).is_err() {
                    output.line(&text);
                }
            }
            (Item::Line(line), None) => output.line(&line),
            (Item::Octets(octets), _) => output.octets(&octets),
        }
        output.flush();
        if output.is_gone() {
            gone.store(true, Ordering::Relaxed);
        }
    }
    output.finish();
}

/// Whether an error means that the reader went away.
pub(crate) fn is_reader_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
