//! Handshakes told in text over an open connection, as many courses have them written.
//!
//! Two dialects ([`Dialect`]): `SYN:2389` and so on to four steps that close, and the three messages
//! `[1] SYN/seq=1234`. They look like TCP and are not: each message is data inside a segment of a
//! connection that TCP itself opened before. [`TextHandshake`] plays either side of either dialect.
//!
//! Programs that speak so read one message for each `recv` and end it with nothing. So a message
//! leaves alone, what comes may be glued together or cut anywhere (`read.rs` says when a number is
//! whole), and a line feed is written only to who writes one: a person with `nc`, perhaps.
//!
//! Every number is checked, and what is wrong is named ([`Mistake`]), to the other side as well, in
//! the words that the driver brings. Bounded: a message has 128 octets at most, a turn a time.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

mod message;
mod mistake;
mod read;
#[cfg(test)]
mod tests;

pub use message::{Counts, Dialect, Message, Role};
pub use mistake::{AckSlip, COMPLAINTS, Mistake, SeqSlip};

use crate::{Application, Ending, Tally, Want};
use message::What;
use read::{Flaw, Reading, Still, Until};

/// How long each turn may take, where nothing is said: as the programs of the courses have it.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// After so long a silence a number that nothing ends is taken as whole.
const QUIET: Duration = Duration::from_millis(300);
/// Between two messages in a row from the same side, so that the peer reads them one by one.
const APART: Duration = Duration::from_millis(100);
/// The longest message, in octets; the longest of the dialects has 41.
pub const LONGEST: usize = 128;
/// What both sides show once the three messages are through.
pub const BANNER: &str = "CONNECTION ESTABLISHED!";
/// How much is read ahead.
const ROOM: usize = 2 * LONGEST;

/// Says what is wrong, to the other side: one line, without its end.
pub type Words = fn(&Mistake) -> String;

/// How a side plays.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which dialect.
    pub dialect: Dialect,
    /// Which side.
    pub role: Role,
    /// The number that this side counts from.
    pub first: u32,
    /// How long each turn of the other side may take.
    pub patience: Duration,
    /// Who puts mistakes into words.
    pub words: Words,
}

/// A message that went one way or the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Whether this side sent it.
    pub sent: bool,
    /// Its place in the conversation, from 1.
    pub place: usize,
    /// The message.
    pub message: Message,
    /// As it is written.
    pub text: String,
}

/// What has come of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict<'a> {
    /// It goes on.
    Going,
    /// Everything was said, and right.
    Complete,
    /// It ended with this.
    Wrong(&'a Mistake),
}

/// What ends a line, as the other side does it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineEnd {
    Nothing,
    LineFeed,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    NotOpen,
    Talking,
    /// What is still to be written is the last.
    Closing,
    Closed(Duration),
    Gone,
}

/// One side of a handshake in text.
#[derive(Clone, Debug)]
pub struct TextHandshake {
    settings: Settings,
    /// The number that the other side counts from.
    other: Option<u32>,
    /// Which message is next, from 0.
    at: usize,
    phase: Phase,
    now: Duration,
    turn_began: Duration,
    heard_at: Duration,
    /// What the last reading waits for.
    waits: Until,
    heard: Vec<u8>,
    out: Vec<u8>,
    written: usize,
    not_before: Duration,
    line_end: LineEnd,
    progress: VecDeque<Progress>,
    mistake: Option<Mistake>,
    peer_closed: bool,
    received: Tally,
    sent: Tally,
    ending: Option<Ending>,
}

impl TextHandshake {
    /// A side that has not begun.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self {
            settings,
            other: None,
            at: 0,
            phase: Phase::NotOpen,
            now: Duration::ZERO,
            turn_began: Duration::ZERO,
            heard_at: Duration::ZERO,
            waits: Until::Patience,
            heard: Vec::new(),
            out: Vec::new(),
            written: 0,
            not_before: Duration::ZERO,
            line_end: LineEnd::Nothing,
            progress: VecDeque::new(),
            mistake: None,
            peer_closed: false,
            received: Tally::ZERO,
            sent: Tally::ZERO,
            ending: None,
        }
    }

    /// The next message that went one way or the other, each once.
    pub fn poll_progress(&mut self) -> Option<Progress> {
        self.progress.pop_front()
    }

    /// What has come of it.
    #[must_use]
    pub const fn verdict(&self) -> Verdict<'_> {
        match &self.mistake {
            Some(mistake) => Verdict::Wrong(mistake),
            None if self.at >= self.settings.dialect.script().len() => Verdict::Complete,
            None => Verdict::Going,
        }
    }

    /// The numbers that each side counts from: this one's, and the other's once it is known.
    #[must_use]
    pub const fn firsts(&self) -> (u32, Option<u32>) {
        (self.settings.first, self.other)
    }

    /// Goes on as far as it can.
    fn advance(&mut self, mut still: Still) {
        while self.phase == Phase::Talking && self.out.is_empty() {
            let Some(&(from, what)) = self.settings.dialect.script().get(self.at) else {
                self.complete();
                return;
            };
            if from == self.settings.role {
                self.prepare(what);
            } else if !self.read(what, still) {
                return;
            }
            // Another turn has its own time.
            still = if self.peer_closed { Still::Over } else { Still::More };
        }
    }

    /// All is said. A person at the other end, who ends lines, is told so where nothing else does.
    fn complete(&mut self) {
        self.phase = Phase::Closing;
        let answers_last =
            self.settings.dialect.script().last().map(|(from, _)| *from) == Some(self.settings.role);
        if self.line_end != LineEnd::Nothing && !answers_last {
            self.write(BANNER);
        }
    }

    /// The next message is ours.
    fn prepare(&mut self, what: What) {
        let script = self.settings.dialect.script();
        let before = self.at.checked_sub(1).and_then(|at| script.get(at));
        if before.is_some_and(|(from, _)| *from == self.settings.role) {
            self.not_before = self.now.saturating_add(APART);
        }
        let message = what.message(self.settings.first, self.other.unwrap_or_default());
        let text = self.settings.dialect.write(self.at, &message);
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        self.out = text.as_bytes().to_vec();
        self.written = 0;
        self.out.extend_from_slice(match self.line_end {
            LineEnd::Nothing => b"",
            LineEnd::LineFeed => b"\n",
            LineEnd::Both => b"\r\n",
        });
    }

    /// The next message is the other side's; says whether it was read, or is wrong.
    fn read(&mut self, what: What, still: Still) -> bool {
        self.skip_blank();
        let known = self.known(what);
        let reading = read::read(&self.heard, self.settings.dialect, self.at, what, known, still);
        match reading {
            Reading::Whole { numbers, used } => {
                self.heard.drain(..used.min(self.heard.len()));
                self.skip_blank();
                self.took(what, numbers);
                return true;
            }
            Reading::Wrong(flaw) => self.is_wrong(self.diagnose(what, flaw)),
            Reading::More(_) if self.heard.len() > LONGEST => {
                self.is_wrong(Mistake::TooLong { most: LONGEST });
            }
            Reading::More(_) if still == Still::Over => {
                let expected = self.settings.dialect.example(self.at, what, known);
                let got = read::shown(&self.heard);
                self.is_wrong(if self.peer_closed {
                    Mistake::ClosedEarly { expected, got }
                } else {
                    Mistake::Silent { after: self.settings.patience, expected, got }
                });
            }
            Reading::More(until) => {
                self.waits = until;
                return false;
            }
        }
        true
    }

    /// The numbers of the other side's next message, as far as they can be told before it comes.
    fn known(&self, what: What) -> [Option<u32>; 2] {
        let other = self.other.unwrap_or_default();
        let right = what.message(other, self.settings.first);
        let [first, second] = right.numbers();
        match what {
            What::Syn | What::SynAck => [self.other, second],
            What::AckOfSyn | What::Fin | What::AckOfFin => [first, second],
        }
    }

    fn took(&mut self, what: What, numbers: [u32; 2]) {
        if matches!(what, What::Syn | What::SynAck) {
            self.other = Some(numbers[0]);
        }
        let message = what.message(self.other.unwrap_or_default(), self.settings.first);
        self.went(false, message);
    }

    fn went(&mut self, sent: bool, message: Message) {
        let text = self.settings.dialect.write(self.at, &message);
        self.progress.push_back(Progress { sent, place: self.at + 1, message, text });
        self.at += 1;
        self.turn_began = self.now;
    }

    fn diagnose(&self, what: What, flaw: Flaw) -> Mistake {
        let expected = || self.settings.dialect.example(self.at, what, self.known(what));
        let own = self.settings.first;
        let other = self.other.unwrap_or_default();
        match flaw {
            Flaw::Complaint { text } => Mistake::TheyComplain { text },
            Flaw::Word { got } => mistake::wrong_word(self.settings.dialect, what, got, expected()),
            Flaw::NotANumber { got } => Mistake::NotANumber { got, expected: expected() },
            Flaw::TooLarge { got } => Mistake::TooLarge { got },
            Flaw::Number { place: 0, got } if what == What::Fin => mistake::wrong_seq(got, other, own),
            Flaw::Number { got, .. } => mistake::wrong_ack(got, what, own, other),
        }
    }

    /// It ends with a mistake: the other side is told, too.
    fn is_wrong(&mut self, mistake: Mistake) {
        // Two that complain of each other would never end.
        let tell = !matches!(mistake, Mistake::TheyComplain { .. });
        if tell {
            self.learn_line_end(self.heard.len());
            let mut line = (self.settings.words)(&mistake);
            if self.line_end == LineEnd::Nothing {
                self.line_end = LineEnd::LineFeed;
                if self.sent.octets > 0 {
                    line.insert(0, '\n');
                }
            }
            self.write(&line);
        }
        self.mistake = Some(mistake);
        self.phase = Phase::Closing;
    }

    /// Blanks between messages mean nothing, but that their writer ends lines.
    fn skip_blank(&mut self) {
        let blank = self.heard.iter().take_while(|octet| read::is_blank(**octet)).count();
        self.learn_line_end(blank);
        self.heard.drain(..blank);
    }

    /// Who writes a line feed among the first octets of what was heard wants one, too.
    fn learn_line_end(&mut self, octets: usize) {
        let heard = self.heard.get(..octets).unwrap_or_default();
        if heard.contains(&b'\n') {
            let both = heard.windows(2).any(|two| two == b"\r\n");
            self.line_end = if both { LineEnd::Both } else { LineEnd::LineFeed };
        }
    }

    /// Whether the other side is to speak.
    fn listens(&self) -> bool {
        let line = self.settings.dialect.script().get(self.at);
        self.phase == Phase::Talking
            && self.out.is_empty()
            && line.is_some_and(|(from, _)| *from != self.settings.role)
    }

    fn turn_ends(&self) -> Duration {
        self.turn_began.saturating_add(self.settings.patience)
    }
}

impl Application for TextHandshake {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.turn_began = now;
        self.heard_at = now;
        if self.phase == Phase::NotOpen {
            self.phase = Phase::Talking;
        }
        self.advance(Still::More);
    }

    fn appetite(&self, _now: Duration) -> usize {
        match self.phase {
            Phase::NotOpen | Phase::Talking => ROOM.saturating_sub(self.heard.len()),
            // What comes now is thrown away.
            Phase::Closing | Phase::Closed(_) | Phase::Gone => ROOM,
        }
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        self.heard_at = now;
        self.received.add(octets);
        if matches!(self.phase, Phase::NotOpen | Phase::Talking) {
            self.heard.extend_from_slice(octets);
            self.advance(Still::More);
        }
    }

    fn peer_closed(&mut self, now: Duration) {
        self.now = now;
        self.peer_closed = true;
        self.advance(Still::Over);
    }

    fn ended(&mut self, now: Duration, ending: Ending) {
        self.now = now;
        self.ending = Some(ending);
        self.phase = Phase::Gone;
        self.out = Vec::new();
        self.heard = Vec::new();
    }

    fn deadline_passed(&mut self, now: Duration) {
        self.now = now;
        if !self.listens() {
            return;
        }
        if now >= self.turn_ends() {
            self.advance(Still::Over);
        } else if self.waits == Until::Quiet && now >= self.heard_at.saturating_add(QUIET) {
            self.advance(Still::Quiet);
        }
    }

    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        self.now = now;
        if !self.out.is_empty() && self.phase != Phase::Gone {
            return (now >= self.not_before)
                .then(|| Want::Write(self.out.get(self.written..).unwrap_or_default()));
        }
        match self.phase {
            Phase::Closing => {
                self.phase = Phase::Closed(now);
                Some(Want::Close)
            }
            Phase::Closed(since) if now >= since.saturating_add(self.settings.patience) => {
                self.phase = Phase::Gone;
                Some(Want::Release)
            }
            Phase::NotOpen | Phase::Talking | Phase::Closed(_) | Phase::Gone => None,
        }
    }

    fn wrote(&mut self, octets: usize) {
        let left = self.out.get(self.written..).unwrap_or_default();
        let taken = left.get(..octets.min(left.len())).unwrap_or_default();
        self.sent.add(taken);
        self.written += taken.len();
        if self.written < self.out.len() || self.out.is_empty() {
            return;
        }
        self.out.clear();
        if self.phase == Phase::Talking
            && let Some(&(_, what)) = self.settings.dialect.script().get(self.at)
        {
            let message = what.message(self.settings.first, self.other.unwrap_or_default());
            self.went(true, message);
            self.advance(if self.peer_closed { Still::Over } else { Still::More });
        }
    }

    fn poll_deadline(&self) -> Option<Duration> {
        if !self.out.is_empty() && self.phase != Phase::Gone {
            return (self.not_before > self.now).then_some(self.not_before);
        }
        match self.phase {
            Phase::Talking if self.listens() => {
                let quiet = self.heard_at.saturating_add(QUIET);
                let ends = self.turn_ends();
                Some(if self.waits == Until::Quiet && !self.heard.is_empty() {
                    quiet.min(ends)
                } else {
                    ends
                })
            }
            Phase::Closed(since) => Some(since.saturating_add(self.settings.patience)),
            Phase::NotOpen | Phase::Talking | Phase::Closing | Phase::Gone => None,
        }
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

/// The words of who has none: the mistake's code, for tests and for runs without mistakes.
#[must_use]
pub fn bare_words(mistake: &Mistake) -> String {
    let mut line = COMPLAINTS[0].to_string();
    line.push_str(mistake.code());
    line
}
