//! Sends so many octets of a known pattern and checks those that come: source and sink in one.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::pattern::Pattern;
use crate::{Application, Ending, Pace, Reader, Tally, Want};

/// When it stops.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Finish {
    /// It closes when everything has been written.
    #[default]
    CloseWhenWritten,
    /// It closes when everything has been written and the peer has closed.
    CloseAfterPeer,
    /// It closes so long after the connection opened, whether or not everything has been written.
    CloseAt(Duration),
    /// It aborts so long after the connection opened.
    AbortAt(Duration),
    /// It is gone so long after the connection opened, as a program that was killed.
    ReleaseAt(Duration),
    /// It never closes.
    Never,
}

/// What a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// How many octets it sends.
    pub octets: u64,
    /// The seed of what it sends.
    pub seed: u64,
    /// The most octets that it writes at once; at least 1.
    pub write: usize,
    /// How fast it writes.
    pub write_pace: Pace,
    /// The most octets that it reads at once; at least 1.
    pub read: usize,
    /// How fast it reads.
    pub read_pace: Pace,
    /// The seed of what it expects, if it expects something certain.
    pub expects: Option<u64>,
    /// When it stops.
    pub finish: Finish,
}

impl Plan {
    /// Sends this many octets and closes; reads whatever comes.
    #[must_use]
    pub const fn source(octets: u64, seed: u64) -> Self {
        Self {
            octets,
            seed,
            write: 1 << 16,
            write_pace: Pace::Full,
            read: usize::MAX,
            read_pace: Pace::Full,
            expects: None,
            finish: Finish::CloseWhenWritten,
        }
    }

    /// Sends nothing, reads what comes, closes after its peer.
    #[must_use]
    pub const fn sink(expects: Option<u64>) -> Self {
        Self { expects, finish: Finish::CloseAfterPeer, ..Self::source(0, 0) }
    }
}

/// A transfer in one or both directions.
#[derive(Clone, Debug)]
pub struct Bulk {
    plan: Plan,
    opened_at: Option<Duration>,
    reader: Reader,
    writer: Reader,
    /// Octets of the pattern that are ready to be written.
    chunk: Vec<u8>,
    chunk_sent: usize,
    /// When the last call told us the time.
    now: Duration,
    peer_closed: bool,
    finished: bool,
    received: Tally,
    sent: Tally,
    wrong_at: Option<u64>,
    ending: Option<Ending>,
}

impl Bulk {
    /// A transfer that has not begun.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            opened_at: None,
            reader: Reader::new(plan.read_pace, Duration::ZERO),
            writer: Reader::new(plan.write_pace, Duration::ZERO),
            chunk: Vec::new(),
            chunk_sent: 0,
            now: Duration::ZERO,
            peer_closed: false,
            finished: false,
            received: Tally::ZERO,
            sent: Tally::ZERO,
            wrong_at: None,
            ending: None,
        }
    }

    /// What it does.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The place of the first octet that was not the expected one.
    #[must_use]
    pub const fn wrong_at(&self) -> Option<u64> {
        self.wrong_at
    }

    /// Whether the peer has closed and everything that it sent was read.
    #[must_use]
    pub const fn has_read_everything(&self) -> bool {
        self.peer_closed
    }

    fn all_written(&self) -> bool {
        self.sent.octets >= self.plan.octets
    }

    /// Whether it is time to close or abort.
    fn finish_now(&self, now: Duration) -> Option<Want<'static>> {
        let opened_at = self.opened_at?;
        match self.plan.finish {
            Finish::CloseWhenWritten => self.all_written().then_some(Want::Close),
            Finish::CloseAfterPeer => (self.all_written() && self.peer_closed).then_some(Want::Close),
            Finish::CloseAt(after) => (now >= opened_at.saturating_add(after)).then_some(Want::Close),
            Finish::AbortAt(after) => (now >= opened_at.saturating_add(after)).then_some(Want::Abort),
            Finish::ReleaseAt(after) => (now >= opened_at.saturating_add(after)).then_some(Want::Release),
            Finish::Never => None,
        }
    }

    /// Makes the next octets ready; says whether there are any.
    fn prepare(&mut self, now: Duration) -> bool {
        if self.chunk_sent < self.chunk.len() {
            return true;
        }
        let left = usize::try_from(self.plan.octets - self.sent.octets.min(self.plan.octets));
        let length = left.unwrap_or(usize::MAX).min(self.plan.write.max(1)).min(self.writer.allowance(now));
        if length == 0 {
            return false;
        }
        self.chunk = vec![0; length.min(1 << 16)];
        self.chunk_sent = 0;
        Pattern::new(self.plan.seed).fill(self.sent.octets, &mut self.chunk);
        true
    }
}

impl Application for Bulk {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.opened_at = Some(now);
        self.reader = Reader::new(self.plan.read_pace, now);
        self.writer = Reader::new(self.plan.write_pace, now);
    }

    fn appetite(&self, now: Duration) -> usize {
        self.reader.allowance(now).min(self.plan.read.max(1))
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        if let Some(seed) = self.plan.expects {
            let wrong = Pattern::new(seed).first_difference(self.received.octets, octets);
            self.wrong_at = self.wrong_at.or(wrong);
        }
        self.reader.pass(now, octets.len());
        self.received.add(octets);
    }

    fn peer_closed(&mut self, now: Duration) {
        self.now = now;
        self.peer_closed = true;
    }

    fn ended(&mut self, now: Duration, ending: Ending) {
        self.now = now;
        self.ending = Some(ending);
        self.finished = true;
        self.chunk = Vec::new();
    }

    fn deadline_passed(&mut self, now: Duration) {
        self.now = now;
    }

    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        self.now = now;
        if self.finished || self.opened_at.is_none() {
            return None;
        }
        if let Some(want) = self.finish_now(now) {
            self.finished = true;
            self.chunk = Vec::new();
            return Some(want);
        }
        if self.prepare(now) { self.chunk.get(self.chunk_sent..).map(Want::Write) } else { None }
    }

    fn wrote(&mut self, octets: usize) {
        let taken = self.chunk.get(self.chunk_sent..).unwrap_or_default();
        let taken = taken.get(..octets.min(taken.len())).unwrap_or_default();
        self.sent.add(taken);
        let length = taken.len();
        self.chunk_sent += length;
        self.writer.pass(self.now, length);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        let opened_at = self.opened_at?;
        if self.ending.is_some() {
            return None;
        }
        let reading = if self.peer_closed { None } else { self.reader.poll_deadline(self.now) };
        if self.finished {
            return reading;
        }
        let finish = match self.plan.finish {
            Finish::CloseAt(after) | Finish::AbortAt(after) | Finish::ReleaseAt(after) => {
                Some(opened_at.saturating_add(after))
            }
            Finish::CloseWhenWritten | Finish::CloseAfterPeer | Finish::Never => None,
        };
        let writing = if self.all_written() || self.chunk_sent < self.chunk.len() {
            None
        } else {
            self.writer.poll_deadline(self.now)
        };
        [reading, finish, writing].into_iter().flatten().min()
    }

    fn received(&self) -> Tally {
        self.received
    }

    fn sent(&self) -> Tally {
        self.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::wants_close;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn what_one_sends_the_other_expects() {
        let mut source = Bulk::new(Plan { write: 7, ..Plan::source(1_000, 42) });
        let mut sink = Bulk::new(Plan::sink(Some(42)));
        source.opened(ms(0));
        sink.opened(ms(0));
        let mut turns = 0;
        while let Some(want) = source.poll_want(ms(0)) {
            let Want::Write(octets) = want else { break };
            let take = octets.len().min(3 + turns % 4);
            let octets = octets[..take].to_vec();
            source.wrote(take);
            sink.readable(ms(0), &octets);
            turns += 1;
        }
        assert_eq!(sink.received(), source.sent());
        assert_eq!((sink.received().octets, sink.wrong_at()), (1_000, None));
        sink.peer_closed(ms(0));
        assert!(wants_close(&mut sink, ms(0)));
        let mut strict = Bulk::new(Plan::sink(Some(42)));
        strict.opened(ms(0));
        strict.readable(ms(0), &[0; 64]);
        assert!(strict.wrong_at().is_some());
    }

    #[test]
    fn a_slow_reader_has_no_appetite_between_its_meals() {
        let pace = Pace::Steady { octets: 2, every: ms(10) };
        let mut sink = Bulk::new(Plan { read_pace: pace, ..Plan::sink(None) });
        sink.opened(ms(5));
        assert_eq!(sink.appetite(ms(5)), 2);
        sink.readable(ms(5), &[0; 2]);
        assert_eq!((sink.appetite(ms(5)), sink.poll_deadline()), (0, Some(ms(15))));
        assert_eq!(sink.appetite(ms(15)), 2);
    }

    #[test]
    fn it_closes_or_aborts_when_it_said() {
        let mut closing = Bulk::new(Plan { finish: Finish::CloseAt(ms(20)), ..Plan::source(1 << 40, 1) });
        closing.opened(ms(100));
        assert_eq!(closing.poll_deadline(), Some(ms(120)));
        assert!(matches!(closing.poll_want(ms(119)), Some(Want::Write(_))));
        assert_eq!(closing.poll_want(ms(120)), Some(Want::Close));
        assert_eq!(closing.poll_want(ms(121)), None);
        let mut aborting = Bulk::new(Plan { finish: Finish::AbortAt(ms(20)), ..Plan::sink(None) });
        aborting.opened(ms(0));
        assert_eq!(aborting.poll_want(ms(20)), Some(Want::Abort));
        assert_eq!(aborting.poll_deadline(), None);
    }
}
