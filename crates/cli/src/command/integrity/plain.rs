//! A client that reads a file over its connection and believes what it reads.

use std::time::Duration;

use aperto_app::{Application, Ending, Tally, Want};

use super::judge::Judge;

/// Reads until the server closes.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) judge: Judge,
    pub(super) complete_at: Option<Duration>,
    received: Tally,
    peer_closed: bool,
    closed: bool,
    ending: Option<Ending>,
}

impl Plain {
    pub(super) const fn new(judge: Judge) -> Self {
        Self {
            judge,
            complete_at: None,
            received: Tally::ZERO,
            peer_closed: false,
            closed: false,
            ending: None,
        }
    }
}

impl Application for Plain {
    fn opened(&mut self, _now: Duration) {}

    fn appetite(&self, _now: Duration) -> usize {
        usize::MAX
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.received.add(octets);
        self.judge.takes(octets);
        if self.judge.has_all() {
            self.complete_at = self.complete_at.or(Some(now));
        }
    }

    fn peer_closed(&mut self, _now: Duration) {
        self.peer_closed = true;
    }

    fn ended(&mut self, _now: Duration, ending: Ending) {
        self.ending = Some(ending);
        self.closed = true;
    }

    fn deadline_passed(&mut self, _now: Duration) {}

    fn poll_want(&mut self, _now: Duration) -> Option<Want<'_>> {
        if self.peer_closed && !self.closed {
            self.closed = true;
            return Some(Want::Close);
        }
        None
    }

    fn wrote(&mut self, _octets: usize) {}

    fn poll_deadline(&self) -> Option<Duration> {
        None
    }

    fn received(&self) -> Tally {
        self.received
    }

    fn sent(&self) -> Tally {
        Tally::ZERO
    }

    fn ending(&self) -> Option<Ending> {
        self.ending
    }
}
