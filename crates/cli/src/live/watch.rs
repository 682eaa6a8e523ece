//! The driver's observer: hands everything to the scribe, and what the wire noticed to the command.

use aperto_host::{Departure, InterfaceId, Note};
use aperto_time::Instant;
use aperto_tokio::{Observer, WireNote};
use tokio::sync::mpsc::UnboundedSender;

use super::scribe::SharedScribe;

/// Watches a stack.
pub(crate) struct Watcher {
    scribe: Option<SharedScribe>,
    noticed: UnboundedSender<WireNote>,
}

impl Watcher {
    pub(crate) const fn new(scribe: Option<SharedScribe>, noticed: UnboundedSender<WireNote>) -> Self {
        Self { scribe, noticed }
    }
}

impl Observer for Watcher {
    fn departed(&mut self, now: Instant, departure: &Departure, packet: &[u8]) {
        if let Some(scribe) = &self.scribe {
            scribe.lock().departed(now, departure, packet);
        }
    }

    fn arrived(&mut self, now: Instant, interface: InterfaceId, packet: &[u8]) {
        if let Some(scribe) = &self.scribe {
            let interface = u8::try_from(interface.index()).unwrap_or(u8::MAX);
            scribe.lock().arrived(now, interface, packet);
        }
    }

    fn noted(&mut self, now: Instant, note: &Note) {
        if let Some(scribe) = &self.scribe {
            scribe.lock().noted(now, note);
        }
    }

    fn wire_noted(&mut self, _: Instant, _: InterfaceId, note: &WireNote) {
        // Whoever asked may be gone already.
        let _ = self.noticed.send(*note);
    }
}
