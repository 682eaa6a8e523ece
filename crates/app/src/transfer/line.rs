//! What both ends do with their stream: greet, keep what leaves, find frames, and watch the time.

use alloc::vec::Vec;
use core::time::Duration;

use super::frame::{self, Decoder, Frame, Incoming, PREFACE, Role, Unreadable};
use super::{Failure, Patience};
use crate::Want;

/// How often an end that is at its disk says that it is still there.
const BUSY_EVERY: Duration = Duration::from_secs(5);

/// How far an end is with closing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closing {
    NotYet,
    WhenSent,
    Done,
}

/// One end of a stream.
#[derive(Clone, Debug)]
pub(super) struct Line {
    patience: Patience,
    decoder: Decoder,
    out: Vec<u8>,
    taken: usize,
    opened_at: Option<Duration>,
    /// When the peer last said a whole frame, or took something of ours.
    alive_at: Duration,
    /// When any octets last came.
    octets_at: Duration,
    /// Since when a frame is not whole.
    inside_since: Option<Duration>,
    greeted: bool,
    closing: Closing,
    /// Since when the disk works, or when we last said so.
    busy_since: Option<Duration>,
}

impl Line {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            decoder: Decoder::default(),
            out: Vec::new(),
            taken: 0,
            opened_at: None,
            alive_at: Duration::ZERO,
            octets_at: Duration::ZERO,
            inside_since: None,
            greeted: false,
            closing: Closing::NotYet,
            busy_since: None,
        }
    }

    pub(super) const fn patience(&self) -> &Patience {
        &self.patience
    }

    pub(super) const fn octets_at(&self) -> Duration {
        self.octets_at
    }

    pub(super) const fn is_open(&self) -> bool {
        self.opened_at.is_some() && matches!(self.closing, Closing::NotYet)
    }

    pub(super) fn opened(&mut self, now: Duration, role: Role) {
        self.opened_at = Some(now);
        self.alive_at = now;
        self.octets_at = now;
        self.out.extend(PREFACE);
        frame::emit(&Frame::Hello(role), &mut self.out);
    }

    pub(super) const fn room(&self) -> usize {
        // What comes after the end is read and forgotten, so that the peer's close is heard.
        if matches!(self.closing, Closing::NotYet) { self.decoder.room() } else { 1 << 16 }
    }

    pub(super) fn push(&mut self, now: Duration, octets: &[u8]) {
        if self.closing != Closing::NotYet {
            return;
        }
        self.octets_at = now;
        self.decoder.push(octets);
    }

    /// The next thing in the stream.
    pub(super) fn poll(&mut self, now: Duration) -> Option<Result<Incoming, Unreadable>> {
        let found = self.decoder.poll();
        match &found {
            Some(Ok(Incoming::Frame(_))) => {
                self.greeted = true;
                self.alive_at = now;
                self.inside_since = None;
            }
            Some(_) => self.inside_since = None,
            None if !self.decoder.is_inside() => self.inside_since = None,
            None => {
                self.inside_since.get_or_insert(now);
            }
        }
        found
    }

    /// Why nothing more can be read, once the peer has closed.
    pub(super) fn closed_by_peer(&self) -> Failure {
        self.decoder.stranger().map_or(Failure::Broken, Failure::Stranger)
    }

    pub(super) fn say(&mut self, frame: &Frame) {
        if self.closing == Closing::NotYet {
            frame::emit(frame, &mut self.out);
        }
    }

    /// How many octets wait to leave.
    pub(super) const fn waiting(&self) -> usize {
        self.out.len() - self.taken
    }

    /// Nothing more is said; what was said still leaves.
    pub(super) fn close(&mut self) {
        if self.closing == Closing::NotYet {
            self.closing = Closing::WhenSent;
        }
        self.busy_since = None;
    }

    /// The connection is gone.
    pub(super) fn gone(&mut self) {
        self.closing = Closing::Done;
        self.out = Vec::new();
        self.taken = 0;
        self.busy_since = None;
    }

    pub(super) fn poll_want(&mut self) -> Option<Want<'_>> {
        self.opened_at?;
        if self.waiting() > 0 {
            return self.out.get(self.taken..).map(Want::Write);
        }
        if self.closing == Closing::WhenSent {
            self.closing = Closing::Done;
            return Some(Want::Close);
        }
        None
    }

    pub(super) fn wrote(&mut self, now: Duration, octets: usize) {
        self.taken += octets.min(self.waiting());
        if octets > 0 {
            self.alive_at = self.alive_at.max(now);
        }
        if self.taken == self.out.len() {
            self.out.clear();
            self.taken = 0;
        }
    }

    /// The disk begins to work, or has done its work.
    pub(super) const fn disk_works(&mut self, since: Option<Duration>) {
        self.busy_since = since;
    }

    pub(super) fn poll_deadline(&self) -> Option<Duration> {
        let opened_at = self.opened_at?;
        // How long the end may take is the connection's business.
        if self.closing != Closing::NotYet {
            return None;
        }
        let patience = &self.patience;
        let greeting = (!self.greeted).then(|| opened_at + patience.greeting);
        let frame = self.inside_since.map(|since| since + patience.frame);
        let silence = Some(self.alive_at + patience.silence);
        let busy = self.busy_since.map(|since| since + BUSY_EVERY);
        [greeting, frame, silence, busy].into_iter().flatten().min()
    }

    /// Time has passed: the disk's work is said, and what took too long.
    pub(super) fn deadline_passed(&mut self, now: Duration) -> Option<Failure> {
        let opened_at = self.opened_at?;
        // How long the end may take is the connection's business.
        if self.closing != Closing::NotYet {
            return None;
        }
        if self.busy_since.is_some_and(|since| since + BUSY_EVERY <= now) {
            self.busy_since = Some(now);
            self.say(&Frame::Busy);
        }
        let slow = (!self.greeted && opened_at + self.patience.greeting <= now)
            || self.inside_since.is_some_and(|since| since + self.patience.frame <= now);
        if slow {
            return Some(Failure::TooSlow);
        }
        (self.alive_at + self.patience.silence <= now).then_some(Failure::Silent)
    }
}
