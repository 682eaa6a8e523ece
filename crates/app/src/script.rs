//! Does a list of things, one after the other.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{Application, Ending, Pace, Reader, Tally, Want};

/// One thing to do, or to wait for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Waits until so long after the connection opened.
    At(Duration),
    /// Waits so long after the step before.
    Wait(Duration),
    /// Waits until so many octets have been read in all.
    UntilReceived(u64),
    /// Waits until the peer has closed and everything has been read.
    UntilPeerClosed,
    /// Writes octets.
    Write(Vec<u8>),
    /// Reads at this pace from now on; at the start it reads at once.
    Read(Pace),
    /// Closes: writes nothing more, goes on reading.
    Close,
    /// Aborts.
    Abort,
    /// Is gone, as a program that was killed.
    Release,
}

/// How many octets that were read are kept to be looked at.
const KEPT: usize = 1 << 16;

/// An application that follows a script.
#[derive(Clone, Debug)]
pub struct Script {
    steps: Vec<Step>,
    /// The step it is at.
    at: usize,
    /// Octets of the current [`Step::Write`] that are written.
    written: usize,
    opened_at: Option<Duration>,
    /// When the step before was done.
    done_at: Duration,
    reader: Reader,
    now: Duration,
    peer_closed: bool,
    text: Vec<u8>,
    received: Tally,
    sent: Tally,
    ending: Option<Ending>,
}

impl Script {
    /// A script that has not begun. A writer of one text is `[Write(..), Close]`.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self {
            steps,
            at: 0,
            written: 0,
            opened_at: None,
            done_at: Duration::ZERO,
            reader: Reader::new(Pace::Full, Duration::ZERO),
            now: Duration::ZERO,
            peer_closed: false,
            text: Vec::new(),
            received: Tally::ZERO,
            sent: Tally::ZERO,
            ending: None,
        }
    }

    /// The first octets that it read, 64 KiB at most.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether every step has been done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.at >= self.steps.len()
    }

    fn next(&mut self, now: Duration) {
        self.at += 1;
        self.written = 0;
        self.done_at = now;
    }

    /// When a step that waits for a time is over; none for the others.
    fn due(&self) -> Option<Duration> {
        let opened_at = self.opened_at?;
        match self.steps.get(self.at)? {
            Step::At(after) => Some(opened_at.saturating_add(*after)),
            Step::Wait(pause) => Some(self.done_at.saturating_add(*pause)),
            Step::UntilReceived(_)
            | Step::UntilPeerClosed
            | Step::Write(_)
            | Step::Read(_)
            | Step::Close
            | Step::Abort
            | Step::Release => None,
        }
    }

    /// Goes past all steps that only wait and need not any more.
    fn advance(&mut self, now: Duration) {
        loop {
            let over = match self.steps.get(self.at) {
                Some(Step::At(_) | Step::Wait(_)) => self.due().is_some_and(|due| due <= now),
                Some(Step::UntilReceived(octets)) => self.received.octets >= *octets,
                Some(Step::UntilPeerClosed) => self.peer_closed,
                Some(Step::Write(octets)) => self.written >= octets.len(),
                Some(&Step::Read(pace)) => {
                    self.reader = Reader::new(pace, now);
                    true
                }
                Some(Step::Close | Step::Abort | Step::Release) | None => false,
            };
            if !over {
                return;
            }
            // A time that was waited for counts as the time of the next step, however late the call.
            let done_at = self.due().map_or(now, |due| due.max(self.done_at));
            self.next(done_at);
        }
    }
}

impl Application for Script {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.opened_at = Some(now);
        self.done_at = now;
    }

    fn appetite(&self, now: Duration) -> usize {
        self.reader.allowance(now)
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        self.reader.pass(now, octets.len());
        self.received.add(octets);
        let room = KEPT.saturating_sub(self.text.len());
        self.text.extend_from_slice(octets.get(..octets.len().min(room)).unwrap_or_default());
    }

    fn peer_closed(&mut self, now: Duration) {
        self.now = now;
        self.peer_closed = true;
    }

    fn ended(&mut self, now: Duration, ending: Ending) {
        self.now = now;
        self.ending = Some(ending);
        self.at = self.steps.len();
    }

    fn deadline_passed(&mut self, now: Duration) {
        self.now = now;
    }

    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        self.now = now;
        self.opened_at?;
        self.advance(now);
        let ending = match self.steps.get(self.at)? {
            Step::Close => Want::Close,
            Step::Abort => Want::Abort,
            Step::Release => Want::Release,
            Step::Write(_)
            | Step::At(_)
            | Step::Wait(_)
            | Step::UntilReceived(_)
            | Step::UntilPeerClosed
            | Step::Read(_) => {
                let Some(Step::Write(octets)) = self.steps.get(self.at) else { return None };
                return octets.get(self.written..).map(Want::Write);
            }
        };
        self.next(now);
        Some(ending)
    }

    fn wrote(&mut self, octets: usize) {
        let Some(Step::Write(text)) = self.steps.get(self.at) else { return };
        let taken = text.get(self.written..).unwrap_or_default();
        let taken = taken.get(..octets.min(taken.len())).unwrap_or_default();
        self.sent.add(taken);
        self.written += taken.len();
    }

    fn poll_deadline(&self) -> Option<Duration> {
        if self.ending.is_some() {
            return None;
        }
        let reading = if self.peer_closed { None } else { self.reader.poll_deadline(self.now) };
        [self.due(), reading].into_iter().flatten().min()
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
    use alloc::vec;

    use super::*;
    use crate::harness::said;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn steps_are_done_in_order_and_each_waits_for_what_it_says() {
        let mut script = Script::new(vec![
            Step::Write(b"hello".to_vec()),
            Step::UntilReceived(5),
            Step::Wait(ms(10)),
            Step::Write(b"bye".to_vec()),
            Step::At(ms(100)),
            Step::Close,
            Step::UntilPeerClosed,
            Step::Abort,
        ]);
        assert_eq!(script.poll_want(ms(0)), None, "it is not open");
        script.opened(ms(1_000));
        assert_eq!(said(&mut script), b"hello");
        assert_eq!(script.poll_want(ms(1_001)), None);
        script.readable(ms(1_040), b"HELLO");
        assert_eq!(script.poll_want(ms(1_040)), None);
        assert_eq!(script.poll_deadline(), Some(ms(1_050)));
        assert_eq!(script.poll_want(ms(1_050)), Some(Want::Write(b"bye")));
        script.wrote(2);
        assert_eq!(script.poll_want(ms(1_050)), Some(Want::Write(b"e")));
        script.wrote(1);
        assert_eq!(script.poll_want(ms(1_050)), None);
        assert_eq!(script.poll_deadline(), Some(ms(1_100)));
        assert_eq!(script.poll_want(ms(1_100)), Some(Want::Close));
        assert_eq!(script.poll_want(ms(1_100)), None);
        script.peer_closed(ms(1_200));
        assert_eq!(script.poll_want(ms(1_200)), Some(Want::Abort));
        assert!(script.is_done());
        assert_eq!((script.text(), script.sent().octets), (&b"HELLO"[..], 8));
    }

    #[test]
    fn a_script_can_stop_reading_for_a_while() {
        let mut script =
            Script::new(vec![Step::Read(Pace::Stopped), Step::At(ms(50)), Step::Read(Pace::Full)]);
        script.opened(ms(0));
        assert_eq!(script.poll_want(ms(0)), None);
        assert_eq!(script.appetite(ms(0)), 0);
        assert_eq!(script.poll_want(ms(50)), None);
        assert_eq!(script.appetite(ms(50)), usize::MAX);
    }
}
