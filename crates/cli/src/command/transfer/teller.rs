//! Tells what a transfer does, on one connection: lines, the bar, and what an application passed.

use std::sync::Arc;
use std::time::Duration;

use aperto_app::transfer::{Event, Manifest};
use aperto_explain::program::saying::Saying;
use aperto_explain::program::transfer::{Side, TransferSaying};
use aperto_host::Endpoints;
use tokio::time::Instant;

use crate::live::bar::Bar;
use crate::live::carry::Watcher;
use crate::live::printer::Printer;
use crate::live::scribe::SharedScribe;
use crate::live::talk::hexadecimal;
use crate::looks::{Looks, View};

/// How many files and damaged chunks are told one by one.
const MOST_FILES: u64 = 40;
const MOST_DAMAGED: u64 = 20;

/// Where things are said: what a whole run shares.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) looks: Looks,
    pub(super) printer: Printer,
    pub(super) scribe: Option<SharedScribe>,
    /// What TLS carries is not told: it would stand in plain in a recording.
    pub(super) is_secret: bool,
}

impl Stage {
    pub(super) fn say(&self, saying: &Saying) {
        let is_result = matches!(saying, Saying::Transfer(saying) if saying.is_result());
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
}

/// Who wants to know what is sent.
type Hears = Box<dyn FnOnce(&Manifest)>;

/// Tells one connection.
pub(super) struct Teller {
    stage: Stage,
    bar: Bar,
    /// How its lines begin.
    label: String,
    side: Side,
    endpoints: Option<Endpoints>,
    begun_at: Option<Instant>,
    /// Hears the manifest once, when it is known.
    on_begun: Option<Hears>,
    damaged: u64,
    told: u64,
    untold: u64,
    progress: u64,
    known: u64,
}

impl Teller {
    pub(super) fn new(
        stage: Stage,
        bar: Bar,
        label: String,
        side: Side,
        endpoints: Option<Endpoints>,
    ) -> Self {
        Self {
            stage,
            bar,
            label,
            side,
            endpoints,
            begun_at: None,
            on_begun: None,
            damaged: 0,
            told: 0,
            untold: 0,
            progress: 0,
            known: 0,
        }
    }

    /// Lets somebody know what is sent, once that is known.
    pub(super) fn when_begun(mut self, hears: impl FnOnce(&Manifest) + 'static) -> Self {
        self.on_begun = Some(Box::new(hears));
        self
    }

    /// Whether both ends came to know what is sent.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun_at.is_some()
    }

    /// How many octets went over this connection that had not before.
    pub(super) const fn fresh(&self) -> u64 {
        self.progress.saturating_sub(self.known)
    }

    fn say(&self, saying: TransferSaying) {
        self.stage.say(&Saying::Transfer(saying));
    }

    fn begun(&mut self, manifest: &Manifest) {
        self.begun_at = Some(Instant::now());
        if let Some(hears) = self.on_begun.take() {
            hears(manifest);
        }
        self.bar.of(manifest.total());
        let first = manifest.entries().first().map(|entry| entry.path.names().next().unwrap_or_default());
        self.say(TransferSaying::Begun {
            label: self.label.clone(),
            side: self.side,
            name: first.unwrap_or_default().into(),
            files: manifest.files() as u64,
            octets: manifest.total(),
        });
    }

    fn file_done(&mut self, manifest: &Manifest, file: u32, was_there: bool) {
        let Some(entry) = manifest.entry(file) else { return };
        let aperto_app::transfer::Kind::File { size, digest } = entry.kind else { return };
        if was_there {
            self.known += size;
        }
        if self.told >= MOST_FILES {
            self.untold += 1;
            return;
        }
        self.told += 1;
        self.say(TransferSaying::File {
            label: self.label.clone(),
            side: self.side,
            path: entry.path.to_string(),
            octets: size,
            blake3: hexadecimal(&digest),
            was_there,
        });
    }

    fn again(&mut self, manifest: &Manifest, file: u32, chunk: u64) {
        self.damaged += 1;
        let path = manifest.entry(file).map(|entry| entry.path.to_string());
        if let (Some(path), true) = (path, self.damaged <= MOST_DAMAGED) {
            self.say(TransferSaying::Again { label: self.label.clone(), path, chunk });
        }
    }

    fn resumed(&mut self, manifest: &Manifest, file: u32, octets: u64) {
        self.known += octets;
        let Some(entry) = manifest.entry(file) else { return };
        let (path, of) = (entry.path.to_string(), entry.size().unwrap_or(0));
        self.say(TransferSaying::Resumed { label: self.label.clone(), path, octets, of });
    }

    fn finished(&self, manifest: &Manifest) {
        let label = || self.label.clone();
        if self.untold > 0 {
            self.say(TransferSaying::MoreFiles { label: label(), files: self.untold });
        }
        self.say(TransferSaying::Finished {
            label: label(),
            side: self.side,
            files: manifest.files() as u64,
            octets: manifest.total(),
            again: self.damaged,
            after: self.begun_at.map_or(Duration::ZERO, |at| at.elapsed()),
        });
    }
}

impl Watcher for Teller {
    fn happened(&mut self, event: &Event, manifest: Option<&Arc<Manifest>>) {
        let Some(manifest) = manifest else { return };
        match *event {
            Event::Begun => self.begun(manifest),
            Event::Resumed { file, octets } => self.resumed(manifest, file, octets),
            Event::Progress { octets } => {
                self.progress += octets;
                self.bar.add(octets);
            }
            Event::Again { file, chunk } => self.again(manifest, file, chunk),
            Event::FileDone { file, was_there } => self.file_done(manifest, file, was_there),
            Event::Finished => {
                self.bar.clear();
                self.finished(manifest);
            }
            Event::Failed(_) => self.bar.clear(),
        }
    }

    fn passed(&mut self, sent: bool, octets: &[u8]) {
        if let (Some(scribe), Some(endpoints), false) =
            (&self.stage.scribe, self.endpoints, self.stage.is_secret)
        {
            scribe.lock().text(endpoints, sent, octets);
        }
    }
}
