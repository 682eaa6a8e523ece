//! The end that wants the files: it asks, verifies, orders them written, and asks again.
//!
//! First the manifest, in pages; then whether anything stands in the way, and whether there is room,
//! before a single octet is written; then file by file: what is there from last time is compared by
//! hash, what is missing is asked for, some chunks ahead, and the whole is verified once more.
//!
//! Answers come in the order of the questions. So an answer that is missing before another one was
//! damaged on its way, and is asked for again; so is everything, after a silence.

mod current;
mod question;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::frame::{Announcement, Damaged, Frame, Incoming, Role, Unreadable};
use current::{Current, Next};
use question::{Again, Question};

use super::line::Line;
use super::manifest::{BadManifest, Kind, MAX_ENTRIES, MAX_OCTETS, Manifest, PAGE};
use super::{Digest, Entry, Event, Failure, Found, Order, Outcome, Party, Path, Patience, Trouble, WINDOW};
use crate::Want;

/// How many chunks may wait to be written before no more are read.
const MOST_WAITING: usize = 4;

/// How far a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing is known of the peer.
    Greeting,
    /// The manifest is coming.
    Pages,
    /// Each entry is looked for on the disk.
    Looking,
    /// Folders are made and files received, up to this entry.
    Receiving,
    /// Everything is there; the peer has been told.
    Done,
    /// It is over.
    Over,
}

/// The machine of the end that receives.
#[derive(Clone, Debug)]
pub struct Receiver {
    line: Line,
    phase: Phase,
    announced: Option<Announcement>,
    pages: Vec<Option<Vec<u8>>>,
    next_page: u64,
    manifest: Option<Arc<Manifest>>,
    /// Which entries are there already.
    there: Vec<bool>,
    /// The entry that is looked for, made or received.
    entry: u32,
    /// How many octets are still to be written.
    missing: u64,
    current: Option<Current>,
    /// How many octets of that file were there from last time.
    resumed: u64,
    questions: VecDeque<Question>,
    orders: VecDeque<Order>,
    /// The order that the disk works on.
    working: Option<Order>,
    events: VecDeque<Event>,
    /// How often in a row everything was asked again after a silence.
    silences: u32,
    asked_at: Duration,
    now: Duration,
}

impl Receiver {
    /// Receives what a sender has.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self {
            line: Line::new(patience),
            phase: Phase::Greeting,
            announced: None,
            pages: Vec::new(),
            next_page: 0,
            manifest: None,
            there: Vec::new(),
            entry: 0,
            missing: 0,
            current: None,
            resumed: 0,
            questions: VecDeque::new(),
            orders: VecDeque::new(),
            working: None,
            events: VecDeque::new(),
            silences: 0,
            asked_at: Duration::ZERO,
            now: Duration::ZERO,
        }
    }

    fn fail(&mut self, failure: Failure, file: u32) {
        if matches!(self.phase, Phase::Done | Phase::Over) {
            return;
        }
        if let Some(why) = failure.refusal() {
            self.line.say(&Frame::Refuse { why, file });
        }
        self.finish(Event::Failed(failure));
    }

    fn finish(&mut self, event: Event) {
        self.phase = Phase::Over;
        self.questions.clear();
        self.orders.clear();
        self.current = None;
        self.events.push_back(event);
        self.line.close();
    }

    /// The peer is gone.
    fn peer_left(&mut self, failure: Failure) {
        if self.phase == Phase::Done {
            self.finish(Event::Finished);
        } else {
            self.fail(failure, 0);
        }
    }

    fn entry_of(&self, file: u32) -> Option<&Entry> {
        self.manifest.as_ref()?.entry(file)
    }

    fn path_of(&self, file: u32) -> Option<Path> {
        self.entry_of(file).map(|entry| entry.path.clone())
    }

    fn read(&mut self, now: Duration) {
        while self.phase != Phase::Over
            && let Some(found) = self.line.poll(now)
        {
            match found {
                Ok(Incoming::Preface) => {}
                Ok(Incoming::Frame(frame)) => self.frame(frame),
                Ok(Incoming::Damaged(damaged)) => self.damaged(damaged),
                // Which one it was, the next answer will show.
                Ok(Incoming::Skipped(_)) => {}
                Err(Unreadable::Stranger(who)) => self.peer_left(Failure::Stranger(who)),
                Err(Unreadable::Version(version)) => self.peer_left(Failure::Version(version)),
                Err(Unreadable::Malformed | Unreadable::Noise) => self.peer_left(Failure::Protocol),
            }
        }
        self.pump();
    }

    fn frame(&mut self, frame: Frame) {
        match frame {
            Frame::Hello(Role::Receiver) => self.fail(Failure::SameRole, 0),
            Frame::Hello(Role::Sender(announced)) => self.greeted(announced),
            Frame::Page { page, octets } => self.page(page, octets),
            Frame::Hashes { file, first, hashes } => self.hashes(file, first, hashes),
            Frame::Chunk { file, chunk, octets } => self.chunk(file, chunk, octets),
            Frame::Busy => {}
            Frame::Bye if self.phase == Phase::Done => self.finish(Event::Finished),
            Frame::Refuse { why, file } => {
                let path = self.path_of(file);
                self.fail(Failure::Refused(why, path), file);
            }
            Frame::AskPage { .. }
            | Frame::AskHashes { .. }
            | Frame::Ask { .. }
            | Frame::AskAgain { .. }
            | Frame::FileDone { .. }
            | Frame::Done { .. }
            | Frame::Bye => self.fail(Failure::Protocol, 0),
        }
    }

    fn greeted(&mut self, announced: Announcement) {
        if self.phase != Phase::Greeting {
            // Twice the same does no harm.
            if self.announced != Some(announced) {
                self.fail(Failure::Protocol, 0);
            }
            return;
        }
        let octets = usize::try_from(announced.octets).unwrap_or(usize::MAX);
        let entries = usize::try_from(announced.entries).unwrap_or(usize::MAX);
        if octets == 0 || octets > MAX_OCTETS || entries == 0 || entries > MAX_ENTRIES {
            return self.fail(Failure::Manifest(BadManifest::Count), 0);
        }
        self.pages = vec![None; octets.div_ceil(PAGE)];
        self.announced = Some(announced);
        self.phase = Phase::Pages;
    }

    /// An answer has come: it is no longer waited for, and those before it that have not come were
    /// damaged. Says whether it was waited for at all.
    fn answered(&mut self, question: Question) -> bool {
        let Some(place) = self.questions.iter().position(|one| *one == question) else { return false };
        self.silences = 0;
        for _ in 0..place {
            if let Some(lost) = self.questions.pop_front() {
                self.ask_again(lost);
            }
        }
        self.questions.pop_front();
        true
    }

    fn damaged(&mut self, damaged: Damaged) {
        let found = self.questions.iter().position(|one| one.is_answered_by(damaged));
        for _ in 0..found.map_or(0, |place| place + 1) {
            if let Some(lost) = self.questions.pop_front() {
                self.ask_again(lost);
            }
        }
    }

    fn ask_again(&mut self, question: Question) {
        if let Question::Chunk { file, chunk } = question {
            self.events.push_back(Event::Again { file, chunk });
        }
        self.ask(question, Again::Yes);
    }

    fn ask(&mut self, question: Question, again: Again) {
        self.line.say(&question.frame(again));
        self.questions.push_back(question);
        self.asked_at = self.now;
    }

    fn page(&mut self, page: u64, octets: Vec<u8>) {
        if !self.answered(Question::Page(page)) {
            return;
        }
        let place = usize::try_from(page).unwrap_or(usize::MAX);
        let whole = self.announced.map_or(0, |announced| announced.octets as usize);
        let expected = whole.saturating_sub(place.saturating_mul(PAGE)).min(PAGE);
        match self.pages.get_mut(place) {
            Some(kept) if octets.len() == expected => *kept = Some(octets),
            _ => return self.fail(Failure::Protocol, 0),
        }
        if self.pages.iter().all(Option::is_some) {
            self.manifest_came();
        }
    }

    fn manifest_came(&mut self) {
        let octets: Vec<u8> = core::mem::take(&mut self.pages).into_iter().flatten().flatten().collect();
        let manifest = match Manifest::from_wire(octets) {
            Ok(manifest) => manifest,
            Err(bad) => {
                let file = match &bad {
                    BadManifest::Name { entry, .. }
                    | BadManifest::Collision { entry, .. }
                    | BadManifest::TooLarge { entry } => *entry,
                    BadManifest::Malformed | BadManifest::Count => 0,
                };
                return self.fail(Failure::Manifest(bad), u32::try_from(file).unwrap_or(u32::MAX));
            }
        };
        let is_as_announced = self.announced.is_some_and(|announced| {
            announced.digest == *manifest.digest()
                && announced.total == manifest.total()
                && announced.entries as usize == manifest.entries().len()
        });
        if !is_as_announced {
            return self.fail(Failure::Manifest(BadManifest::Malformed), 0);
        }
        self.there = vec![false; manifest.entries().len()];
        self.manifest = Some(Arc::new(manifest));
        self.events.push_back(Event::Begun);
        self.phase = Phase::Looking;
        self.orders.push_back(Order::Look { file: 0 });
    }

    fn hashes(&mut self, file: u32, first: u64, hashes: Vec<Digest>) {
        let asked = self.questions.iter().find_map(|one| match *one {
            Question::Hashes { file: of, first: from, count } if of == file && from == first => Some(count),
            _ => None,
        });
        let Some(count) = asked else { return };
        if hashes.len() != usize::from(count) {
            return self.fail(Failure::Protocol, 0);
        }
        self.answered(Question::Hashes { file, first, count });
        self.orders.push_back(Order::Compare { file, first, hashes });
    }

    fn chunk(&mut self, file: u32, chunk: u64, octets: Vec<u8>) {
        // One that nobody asked for, or that came twice, is not written: not where it does not belong,
        // and not beyond the end.
        if !self.answered(Question::Chunk { file, chunk }) {
            return;
        }
        if self.entry_of(file).map(|entry| entry.chunk_length(chunk)) != Some(octets.len()) {
            return self.fail(Failure::Protocol, file);
        }
        self.orders.push_back(Order::Write { file, chunk, octets });
    }

    /// Asks and orders what can be now.
    fn pump(&mut self) {
        match self.phase {
            Phase::Pages => {
                while self.questions.len() < WINDOW && self.next_page < self.pages.len() as u64 {
                    self.ask(Question::Page(self.next_page), Again::No);
                    self.next_page += 1;
                }
            }
            Phase::Receiving => self.pump_file(),
            Phase::Greeting | Phase::Looking | Phase::Done | Phase::Over => {}
        }
    }

    fn pump_file(&mut self) {
        while self.orders.len() < MOST_WAITING {
            let Some(current) = &mut self.current else { return };
            let file = current.file;
            match current.next() {
                Next::Chunk(chunk) => self.ask(Question::Chunk { file, chunk }, Again::No),
                Next::Hashes { first, count } => {
                    self.ask(Question::Hashes { file, first, count }, Again::No);
                }
                Next::Finish => self.orders.push_back(Order::Finish { file }),
                Next::Nothing => return,
            }
        }
    }

    /// Goes on to the next entry that is not there.
    fn next_entry(&mut self) {
        self.current = None;
        while let Some(entry) = self.entry_of(self.entry) {
            let file = self.entry;
            if self.there.get(usize::try_from(file).unwrap_or(usize::MAX)) == Some(&true) {
                self.entry += 1;
                continue;
            }
            let order = match entry.kind {
                Kind::Folder => Order::Folder { file },
                Kind::File { .. } => Order::Begin { file },
            };
            self.orders.push_back(order);
            return;
        }
        self.phase = Phase::Done;
        self.tell_done();
    }

    fn tell_done(&mut self) {
        self.line.say(&Frame::Done { octets: self.manifest.as_ref().map_or(0, |all| all.total()) });
        self.asked_at = self.now;
    }

    fn file_done(&mut self, file: u32, was_there: bool) {
        self.line.say(&Frame::FileDone { file });
        self.events.push_back(Event::FileDone { file, was_there });
    }

    fn order_came(&mut self, order: Order, outcome: Outcome) {
        match (order, outcome) {
            (Order::Look { file }, Outcome::Found(found)) => self.looked(file, found),
            (Order::Room { .. }, Outcome::Done) => {
                self.phase = Phase::Receiving;
                self.entry = 0;
                self.next_entry();
            }
            (Order::Folder { .. }, Outcome::Done) => {
                self.entry += 1;
                self.next_entry();
            }
            (Order::Begin { file }, Outcome::Held(octets)) => self.began(file, octets),
            (Order::Compare { file, first, .. }, Outcome::Sound(sound)) => {
                self.compared(file, first, &sound);
            }
            (Order::Write { file, chunk, .. }, Outcome::Done) => {
                let octets = self.entry_of(file).map_or(0, |entry| entry.chunk_length(chunk) as u64);
                self.missing = self.missing.saturating_sub(octets);
                self.events.push_back(Event::Progress { octets });
                if let Some(current) = &mut self.current {
                    current.written();
                }
            }
            (Order::Finish { file }, Outcome::Verified(verified)) => self.verified(file, verified),
            (order, outcome) => self.disk_failed(&order, &outcome),
        }
    }

    fn looked(&mut self, file: u32, found: Found) {
        let Some(entry) = self.entry_of(file) else { return };
        let size = entry.size().unwrap_or(0);
        match found {
            Found::Other => {
                let Some(path) = self.path_of(file) else { return };
                return self.fail(Failure::Exists(path), file);
            }
            Found::Same => {
                if let Some(there) = self.there.get_mut(file as usize) {
                    *there = true;
                }
                self.events.push_back(Event::Progress { octets: size });
                self.file_done(file, true);
            }
            Found::Nothing { held } => self.missing += size - held.min(size),
        }
        self.entry += 1;
        let order = match self.entry_of(self.entry) {
            Some(_) => Order::Look { file: self.entry },
            None => Order::Room { octets: self.missing },
        };
        self.orders.push_back(order);
    }

    fn began(&mut self, file: u32, held: u64) {
        let Some(entry) = self.entry_of(file) else { return };
        self.current = Some(Current::new(file, entry.chunks(), held));
        self.resumed = 0;
    }

    fn compared(&mut self, file: u32, first: u64, sound: &[bool]) {
        let length = |chunk| self.entry_of(file).map_or(0, |entry| entry.chunk_length(chunk) as u64);
        let octets: u64 =
            (first..).zip(sound).filter(|(_, is_sound)| **is_sound).map(|(chunk, _)| length(chunk)).sum();
        let Some(current) = &mut self.current else { return };
        current.compared((first..).zip(sound).filter(|(_, is_sound)| !**is_sound).map(|(chunk, _)| chunk));
        if current.second_try {
            return;
        }
        self.resumed += octets;
        self.events.push_back(Event::Progress { octets });
        if current.is_compared() && self.resumed > 0 {
            self.events.push_back(Event::Resumed { file, octets: self.resumed });
        }
    }

    fn verified(&mut self, file: u32, verified: bool) {
        if verified {
            self.file_done(file, false);
            self.entry += 1;
            return self.next_entry();
        }
        let second_try = self.current.as_ref().is_some_and(|current| current.second_try);
        let path = self.path_of(file);
        match (&mut self.current, path) {
            (Some(current), _) if !second_try => current.compare_all(),
            (_, Some(path)) => self.fail(Failure::Changed(path), file),
            _ => {}
        }
    }

    fn disk_failed(&mut self, order: &Order, outcome: &Outcome) {
        let file = match *order {
            Order::Look { file }
            | Order::Folder { file }
            | Order::Begin { file }
            | Order::Compare { file, .. }
            | Order::Write { file, .. }
            | Order::Finish { file }
            | Order::Read { file, .. }
            | Order::Hash { file, .. } => file,
            Order::Room { .. } => self.entry.saturating_sub(1),
        };
        let Some(path) = self.path_of(file) else { return };
        let failure = match *outcome {
            Outcome::NoRoom { free, floor } => Failure::NoRoom { needs: self.missing, free, floor },
            Outcome::Failed(Trouble::Busy) => Failure::Busy(path),
            Outcome::Failed(Trouble::Exists) => Failure::Exists(path),
            Outcome::Failed(trouble) => Failure::Disk(path, trouble),
            _ => Failure::Disk(path, Trouble::Other),
        };
        self.fail(failure, file);
    }

    /// When to ask again for what has not come.
    fn again_at(&self) -> Option<Duration> {
        let waits = !self.questions.is_empty() || self.phase == Phase::Done;
        let pause = self.line.patience().again.saturating_mul(1 << self.silences.min(5));
        (waits && self.line.is_open()).then(|| self.line.octets_at().max(self.asked_at) + pause)
    }
}

impl Party for Receiver {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.line.opened(now, Role::Receiver);
    }

    fn room(&self) -> usize {
        if self.orders.len() < MOST_WAITING { self.line.room() } else { 0 }
    }

    fn arrive(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        self.line.push(now, octets);
        self.read(now);
    }

    fn peer_closed(&mut self, now: Duration) {
        self.now = now;
        let failure = self.line.closed_by_peer();
        self.peer_left(failure);
    }

    fn ended(&mut self, now: Duration) {
        self.now = now;
        self.peer_left(Failure::Broken);
        self.line.gone();
    }

    fn cancel(&mut self, now: Duration, failure: Failure) {
        self.now = now;
        self.fail(failure, 0);
    }

    fn deadline_passed(&mut self, now: Duration) {
        self.now = now;
        if let Some(failure) = self.line.deadline_passed(now) {
            return self.peer_left(failure);
        }
        if self.again_at().is_some_and(|at| at <= now) {
            self.silences = self.silences.saturating_add(1);
            for _ in 0..self.questions.len() {
                if let Some(lost) = self.questions.pop_front() {
                    self.ask_again(lost);
                }
            }
            if self.phase == Phase::Done {
                self.tell_done();
            }
        }
    }

    fn poll_deadline(&self) -> Option<Duration> {
        [self.line.poll_deadline(), self.again_at()].into_iter().flatten().min()
    }

    fn poll_want(&mut self) -> Option<Want<'_>> {
        self.line.poll_want()
    }

    fn wrote(&mut self, octets: usize) {
        self.line.wrote(self.now, octets);
    }

    fn poll_order(&mut self) -> Option<Order> {
        if self.working.is_some() {
            return None;
        }
        let order = self.orders.pop_front()?;
        self.working = Some(order.without_octets());
        self.line.disk_works(Some(self.now));
        Some(order)
    }

    fn order_done(&mut self, now: Duration, outcome: Outcome) {
        self.now = now;
        self.line.disk_works(None);
        if let (Some(order), true) = (self.working.take(), self.phase != Phase::Over) {
            self.order_came(order, outcome);
        }
        self.read(now);
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn manifest(&self) -> Option<&Arc<Manifest>> {
        self.manifest.as_ref()
    }
}
