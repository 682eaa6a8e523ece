//! The end that has the files: it says what there is, and answers what it is asked, in order.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::time::Duration;

use super::frame::{Announcement, Frame, HEADER, Incoming, Role, Unreadable};
use super::line::Line;
use super::manifest::{BadManifest, Manifest, PAGE};
use super::{CHUNK, Event, Failure, HASHES, Order, Outcome, Party, Patience, Refusal, WINDOW};
use crate::Want;

/// How many questions wait for their answers before a receiver has asked too much.
const MOST_QUESTIONS: usize = 8 * WINDOW;

/// A question that is not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    Page(u64),
    Hashes { file: u32, first: u64, count: u16 },
    Chunks { file: u32, first: u64, count: u16 },
}

/// The machine of the end that sends.
#[derive(Clone, Debug)]
pub struct Sender {
    manifest: Arc<Manifest>,
    line: Line,
    questions: VecDeque<Question>,
    order: Option<Order>,
    /// The order that the disk works on.
    working: Option<Order>,
    events: VecDeque<Event>,
    begun: bool,
    over: bool,
    now: Duration,
}

impl Sender {
    /// Sends what a manifest says.
    #[must_use]
    pub fn new(manifest: Arc<Manifest>, patience: Patience) -> Self {
        Self {
            manifest,
            line: Line::new(patience),
            questions: VecDeque::new(),
            order: None,
            working: None,
            events: VecDeque::new(),
            begun: false,
            over: false,
            now: Duration::ZERO,
        }
    }

    fn fail(&mut self, failure: Failure, file: u32) {
        if self.over {
            return;
        }
        if let Some(why) = failure.refusal() {
            self.line.say(&Frame::Refuse { why, file });
        }
        self.finish(Event::Failed(failure));
    }

    fn finish(&mut self, event: Event) {
        self.over = true;
        self.questions.clear();
        self.order = None;
        self.events.push_back(event);
        self.line.close();
    }

    fn read(&mut self, now: Duration) {
        while !self.over
            && let Some(found) = self.line.poll(now)
        {
            match found {
                Ok(Incoming::Preface) => {}
                Ok(Incoming::Frame(frame)) => self.frame(&frame),
                // What was asked will be asked again.
                Ok(Incoming::Damaged(_) | Incoming::Skipped(_)) => {}
                Err(Unreadable::Stranger(who)) => self.fail(Failure::Stranger(who), 0),
                Err(Unreadable::Version(version)) => self.fail(Failure::Version(version), 0),
                Err(Unreadable::Malformed | Unreadable::Noise) => self.fail(Failure::Protocol, 0),
            }
        }
        self.pump();
    }

    fn frame(&mut self, frame: &Frame) {
        match *frame {
            Frame::Hello(Role::Sender(_)) => self.fail(Failure::SameRole, 0),
            Frame::Hello(Role::Receiver) => {
                if !self.begun {
                    self.begun = true;
                    self.events.push_back(Event::Begun);
                }
            }
            Frame::AskPage { page } => {
                let pages = self.manifest.octets().len().div_ceil(PAGE) as u64;
                self.ask(Question::Page(page), page < pages);
            }
            Frame::AskHashes { file, first, count } => {
                let allowed = usize::from(count) <= HASHES && self.has(file, first, count);
                self.ask(Question::Hashes { file, first, count }, allowed);
            }
            Frame::Ask { file, first, count } => {
                let allowed = usize::from(count) <= WINDOW && self.has(file, first, count);
                self.ask(Question::Chunks { file, first, count }, allowed);
            }
            Frame::AskAgain { file, chunk } => {
                let allowed = self.has(file, chunk, 1);
                if allowed {
                    self.events.push_back(Event::Again { file, chunk });
                }
                self.ask(Question::Chunks { file, first: chunk, count: 1 }, allowed);
            }
            Frame::FileDone { file } => match self.manifest.entry(file) {
                Some(_) => self.events.push_back(Event::FileDone { file, was_there: false }),
                None => self.fail(Failure::Protocol, 0),
            },
            Frame::Done { octets } if octets == self.manifest.total() => {
                self.line.say(&Frame::Bye);
                self.finish(Event::Finished);
            }
            Frame::Busy => {}
            Frame::Refuse { why, file } => {
                let about = self.manifest.entry(file).map(|entry| entry.path.clone());
                let names = matches!(
                    why,
                    Refusal::Name
                        | Refusal::Collision
                        | Refusal::Exists
                        | Refusal::Busy
                        | Refusal::Disk
                        | Refusal::Changed
                );
                self.fail(Failure::Refused(why, about.filter(|_| names)), file);
            }
            Frame::Page { .. }
            | Frame::Hashes { .. }
            | Frame::Chunk { .. }
            | Frame::Done { .. }
            | Frame::Bye => self.fail(Failure::Protocol, 0),
        }
    }

    /// Whether a file has so many chunks from this one on.
    fn has(&self, file: u32, first: u64, count: u16) -> bool {
        let chunks = self.manifest.entry(file).map_or(0, super::Entry::chunks);
        count > 0 && first.checked_add(u64::from(count)).is_some_and(|end| end <= chunks)
    }

    fn ask(&mut self, question: Question, allowed: bool) {
        if allowed && self.questions.len() < MOST_QUESTIONS {
            self.questions.push_back(question);
        } else {
            self.fail(Failure::Protocol, 0);
        }
    }

    /// Answers while little waits to leave: what a slow peer does not take is not prepared.
    fn pump(&mut self) {
        while !self.over
            && self.order.is_none()
            && self.working.is_none()
            && self.line.waiting() < HEADER + CHUNK
        {
            let Some(question) = self.questions.pop_front() else { break };
            match question {
                Question::Page(page) => {
                    let from = usize::try_from(page).unwrap_or(usize::MAX).saturating_mul(PAGE);
                    let whole = self.manifest.octets();
                    let to = whole.len().min(from.saturating_add(PAGE));
                    let octets = whole.get(from..to).unwrap_or_default().to_vec();
                    self.line.say(&Frame::Page { page, octets });
                }
                Question::Hashes { file, first, count } => {
                    self.order = Some(Order::Hash { file, first, count });
                }
                Question::Chunks { file, first, count } => {
                    if count > 1 {
                        let rest = Question::Chunks { file, first: first + 1, count: count - 1 };
                        self.questions.push_front(rest);
                    }
                    let octets = self.manifest.entry(file).map_or(0, |entry| entry.chunk_length(first));
                    self.order = Some(Order::Read { file, chunk: first, octets });
                }
            }
        }
    }

    fn answer(&mut self, order: Order, outcome: Outcome) {
        match (order, outcome) {
            (Order::Read { file, chunk, octets: wanted }, Outcome::Octets(octets))
                if octets.len() == wanted =>
            {
                self.events.push_back(Event::Progress { octets: wanted as u64 });
                self.line.say(&Frame::Chunk { file, chunk, octets });
            }
            (Order::Hash { file, first, count }, Outcome::Hashes(hashes))
                if hashes.len() == usize::from(count) =>
            {
                self.line.say(&Frame::Hashes { file, first, hashes });
            }
            (Order::Read { file, .. } | Order::Hash { file, .. }, outcome) => {
                let Some(path) = self.manifest.entry(file).map(|entry| entry.path.clone()) else { return };
                let failure = match outcome {
                    Outcome::Failed(_) => Failure::Unreadable(path),
                    _ => Failure::Changed(path),
                };
                self.fail(failure, file);
            }
            _ => {}
        }
    }
}

impl Party for Sender {
    fn opened(&mut self, now: Duration) {
        let announcement = Announcement {
            entries: u32::try_from(self.manifest.entries().len()).unwrap_or(u32::MAX),
            octets: u32::try_from(self.manifest.octets().len()).unwrap_or(u32::MAX),
            total: self.manifest.total(),
            digest: *self.manifest.digest(),
        };
        self.now = now;
        self.line.opened(now, Role::Sender(announcement));
    }

    fn room(&self) -> usize {
        self.line.room()
    }

    fn arrive(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        self.line.push(now, octets);
        self.read(now);
    }

    fn peer_closed(&mut self, now: Duration) {
        self.now = now;
        let failure = self.line.closed_by_peer();
        self.fail(failure, 0);
    }

    fn ended(&mut self, now: Duration) {
        self.now = now;
        self.fail(Failure::Broken, 0);
        self.line.gone();
    }

    fn cancel(&mut self, now: Duration, failure: Failure) {
        self.now = now;
        self.fail(failure, 0);
    }

    fn deadline_passed(&mut self, now: Duration) {
        self.now = now;
        if let Some(failure) = self.line.deadline_passed(now) {
            self.fail(failure, 0);
        }
    }

    fn poll_deadline(&self) -> Option<Duration> {
        self.line.poll_deadline()
    }

    fn poll_want(&mut self) -> Option<Want<'_>> {
        self.pump();
        self.line.poll_want()
    }

    fn wrote(&mut self, octets: usize) {
        self.line.wrote(self.now, octets);
    }

    fn poll_order(&mut self) -> Option<Order> {
        self.pump();
        let order = self.order.take()?;
        self.working = Some(order.clone());
        self.line.disk_works(Some(self.now));
        Some(order)
    }

    fn order_done(&mut self, now: Duration, outcome: Outcome) {
        self.now = now;
        self.line.disk_works(None);
        if let Some(order) = self.working.take()
            && !self.over
        {
            self.answer(order, outcome);
        }
        self.pump();
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn manifest(&self) -> Option<&Arc<Manifest>> {
        Some(&self.manifest)
    }
}

/// A manifest that its own sender could not make.
impl From<BadManifest> for Failure {
    fn from(bad: BadManifest) -> Self {
        Self::Manifest(bad)
    }
}
