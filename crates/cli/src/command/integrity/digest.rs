//! A file in chunks, each with its BLAKE3: what does not fit is asked for again.
//!
//! Requests and answers have lengths that both sides know beforehand. So a damaged octet may spoil a
//! chunk or a request, but never makes one side lose its place in the stream: a length that arrives
//! is one that can arrive wrong. A request that does not fit its digest is answered with a refusal of
//! the same length as a chunk.
//!
//! A digest without a key finds damage. Whoever can change octets on purpose can compute it, too.

use std::collections::VecDeque;
use std::time::Duration;

use aperto_app::pattern::Pattern;
use aperto_app::{Application, Ending, Tally, Want};

use super::judge::Judge;

/// The most octets of a chunk.
const CHUNK: u64 = 64 << 10;
/// Octets of an index and a digest.
const HEADER: usize = 4 + 32;
/// How many requests are under way.
const AT_ONCE: usize = 16;
/// After so many answers in a row that do not fit it gives up: ten times all that are under way.
const MOST_IN_VAIN: usize = 10 * AT_ONCE;
/// What stands in place of the index where a request was refused.
const REFUSED: u32 = u32::MAX;

/// How a file is cut: chunks of one length, the last one filled up with zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    octets: u64,
    chunks: u32,
    chunk: usize,
}

impl Cut {
    /// As few chunks as possible, and no longer than they must be.
    pub(super) fn new(octets: u64) -> Self {
        let chunks = octets.div_ceil(CHUNK).max(1);
        let chunk = octets.div_ceil(chunks);
        Self {
            octets,
            chunks: u32::try_from(chunks).unwrap_or(u32::MAX - 1),
            chunk: usize::try_from(chunk).unwrap_or(usize::MAX),
        }
    }

    fn start(self, index: u32) -> u64 {
        u64::from(index) * self.chunk as u64
    }

    /// How many octets of a chunk are the file's.
    fn length(self, index: u32) -> usize {
        let left = self.octets.saturating_sub(self.start(index));
        usize::try_from(left).unwrap_or(usize::MAX).min(self.chunk)
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

fn request(index: u32) -> Vec<u8> {
    let index = index.to_le_bytes();
    [index.as_slice(), &digest(&[b"request", &index])].concat()
}

/// Takes a whole message off the front of what has arrived.
fn message(inbox: &mut Vec<u8>, length: usize) -> Option<Vec<u8>> {
    let rest = (inbox.len() >= length).then(|| inbox.split_off(length))?;
    Some(std::mem::replace(inbox, rest))
}

fn index_of(octets: &[u8]) -> u32 {
    octets.first_chunk().copied().map_or(REFUSED, u32::from_le_bytes)
}

/// What the client and the server do alike.
#[derive(Clone, Debug)]
struct Line {
    inbox: Vec<u8>,
    outbox: VecDeque<u8>,
    received: Tally,
    sent: Tally,
    peer_closed: bool,
    closed: bool,
    ending: Option<Ending>,
}

impl Line {
    const fn new() -> Self {
        Self {
            inbox: Vec::new(),
            outbox: VecDeque::new(),
            received: Tally::ZERO,
            sent: Tally::ZERO,
            peer_closed: false,
            closed: false,
            ending: None,
        }
    }

    fn readable(&mut self, octets: &[u8]) {
        self.received.add(octets);
        self.inbox.extend_from_slice(octets);
    }

    fn wrote(&mut self, octets: usize) {
        let taken: Vec<u8> = self.outbox.drain(..octets.min(self.outbox.len())).collect();
        self.sent.add(&taken);
    }

    /// Writes what there is; closes after it when that is asked for.
    fn want(&mut self, done: bool) -> Option<Want<'_>> {
        if !self.outbox.is_empty() {
            return Some(Want::Write(self.outbox.as_slices().0));
        }
        if done && !self.closed {
            self.closed = true;
            return Some(Want::Close);
        }
        None
    }
}

/// The client: asks for chunks and judges them by their digests.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) judge: Judge,
    pub(super) complete_at: Option<Duration>,
    /// Chunks, and refusals, that did not fit, or said that a request had not.
    pub(super) asked_again: u64,
    cut: Cut,
    line: Line,
    /// Chunks that have not been asked for, or must be again.
    to_ask: VecDeque<u32>,
    asked: VecDeque<u32>,
    in_vain: usize,
}

impl Asking {
    pub(super) fn new(judge: Judge) -> Self {
        let cut = Cut::new(judge.of());
        Self {
            judge,
            complete_at: None,
            asked_again: 0,
            cut,
            line: Line::new(),
            to_ask: (0..cut.chunks).collect(),
            asked: VecDeque::new(),
            in_vain: 0,
        }
    }

    fn ask(&mut self) {
        while self.in_vain < MOST_IN_VAIN
            && self.asked.len() < AT_ONCE
            && let Some(index) = self.to_ask.pop_front()
        {
            self.line.outbox.extend(request(index));
            self.asked.push_back(index);
        }
    }

    fn answered(&mut self, now: Duration, answer: &[u8]) {
        let Some(index) = self.asked.pop_front() else { return };
        let Some((told, rest)) = answer.split_at_checked(4) else { return };
        let Some((hash, chunk)) = rest.split_at_checked(32) else { return };
        if index_of(told) != index || hash != digest(&[b"chunk", told, chunk]) {
            self.asked_again += 1;
            self.in_vain += 1;
            self.to_ask.push_front(index);
            return;
        }
        self.in_vain = 0;
        let chunk = chunk.get(..self.cut.length(index)).unwrap_or_default();
        self.judge.takes_at(self.cut.start(index), chunk);
        if self.judge.has_all() {
            self.complete_at = self.complete_at.or(Some(now));
        }
    }
}

impl Application for Asking {
    fn opened(&mut self, _now: Duration) {
        self.ask();
    }

    fn appetite(&self, _now: Duration) -> usize {
        usize::MAX
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.line.readable(octets);
        while let Some(answer) = message(&mut self.line.inbox, HEADER + self.cut.chunk) {
            self.answered(now, &answer);
        }
        self.ask();
    }

    fn peer_closed(&mut self, _now: Duration) {
        self.line.peer_closed = true;
    }

    fn ended(&mut self, _now: Duration, ending: Ending) {
        self.line.ending = Some(ending);
    }

    fn deadline_passed(&mut self, _now: Duration) {}

    fn poll_want(&mut self, _now: Duration) -> Option<Want<'_>> {
        let done = self.judge.has_all() || self.line.peer_closed || self.in_vain >= MOST_IN_VAIN;
        self.line.want(done)
    }

    fn wrote(&mut self, octets: usize) {
        self.line.wrote(octets);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        None
    }

    fn received(&self) -> Tally {
        self.line.received
    }

    fn sent(&self) -> Tally {
        self.line.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.line.ending
    }
}

/// The server: answers requests in their order.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    file: Pattern,
    cut: Cut,
    line: Line,
}

impl Answering {
    pub(super) fn new(seed: u64, octets: u64) -> Self {
        Self { file: Pattern::new(seed), cut: Cut::new(octets), line: Line::new() }
    }

    fn answer(&mut self, asked: &[u8]) {
        let index = index_of(asked);
        let mut chunk = vec![0; self.cut.chunk];
        let told = if asked == request(index) && index < self.cut.chunks {
            let length = self.cut.length(index);
            self.file.fill(self.cut.start(index), chunk.get_mut(..length).unwrap_or_default());
            index
        } else {
            REFUSED
        };
        let told = told.to_le_bytes();
        self.line.outbox.extend(told);
        self.line.outbox.extend(digest(&[b"chunk", &told, &chunk]));
        self.line.outbox.extend(chunk);
    }
}

impl Application for Answering {
    fn opened(&mut self, _now: Duration) {}

    fn appetite(&self, _now: Duration) -> usize {
        // No more chunks wait than are asked for at once.
        if self.line.outbox.len() > AT_ONCE * (HEADER + self.cut.chunk) { 0 } else { HEADER * AT_ONCE }
    }

    fn readable(&mut self, _now: Duration, octets: &[u8]) {
        self.line.readable(octets);
        while let Some(asked) = message(&mut self.line.inbox, HEADER) {
            self.answer(&asked);
        }
    }

    fn peer_closed(&mut self, _now: Duration) {
        self.line.peer_closed = true;
    }

    fn ended(&mut self, _now: Duration, ending: Ending) {
        self.line.ending = Some(ending);
        self.line.outbox.clear();
    }

    fn deadline_passed(&mut self, _now: Duration) {}

    fn poll_want(&mut self, _now: Duration) -> Option<Want<'_>> {
        let done = self.line.peer_closed;
        self.line.want(done)
    }

    fn wrote(&mut self, octets: usize) {
        self.line.wrote(octets);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        None
    }

    fn received(&self) -> Tally {
        self.line.received
    }

    fn sent(&self) -> Tally {
        self.line.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.line.ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn take(from: &mut impl Application, most: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(Want::Write(octets)) = from.poll_want(NOW) {
            let length = octets.len().min(most - all.len());
            all.extend_from_slice(&octets[..length]);
            from.wrote(length);
            if all.len() == most {
                break;
            }
        }
        all
    }

    /// Flips a bit in each `every`th octet, both ways, until the file is whole.
    fn carry(octets: u64, every: usize) -> (Asking, u64) {
        let (mut client, mut server) = (Asking::new(Judge::new(3, octets)), Answering::new(3, octets));
        client.opened(NOW);
        let mut place = 0;
        let mut damaged = 0;
        let mut spoil = |octets: &mut Vec<u8>| {
            for octet in octets {
                place += 1;
                if place % every == 0 {
                    *octet ^= 4;
                    damaged += 1;
                }
            }
        };
        for _ in 0..10_000 {
            let mut up = take(&mut client, usize::MAX);
            spoil(&mut up);
            server.readable(NOW, &up);
            let mut down = take(&mut server, 1_000);
            spoil(&mut down);
            client.readable(NOW, &down);
            if client.judge.has_all() {
                break;
            }
        }
        (client, damaged)
    }

    #[test]
    fn what_does_not_fit_its_digest_is_asked_for_again_until_the_file_is_right() {
        for (octets, every) in [(1, usize::MAX), (1_000_000, usize::MAX), (1_000_000, 400_000), (500, 700)] {
            let (client, damaged) = carry(octets, every);
            assert!(client.judge.has_all(), "{octets} octets");
            assert_eq!(
                (client.judge.wrong(), client.judge.taken()),
                (0, octets),
                "nothing wrong, nothing twice"
            );
            assert!(client.asked_again <= damaged && (damaged == 0) == (client.asked_again == 0));
        }
    }

    #[test]
    fn a_damaged_request_is_refused_in_a_message_of_the_usual_length() {
        let mut server = Answering::new(3, 100);
        for bit in 0..HEADER * 8 {
            let mut asked = request(0);
            asked[bit / 8] ^= 1 << (bit % 8);
            server.readable(NOW, &asked);
            let answer = take(&mut server, usize::MAX);
            assert_eq!((answer.len(), index_of(&answer)), (HEADER + 100, REFUSED), "bit {bit}");
        }
    }
}
