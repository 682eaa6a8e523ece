//! The work that both stacks do, and how it is measured.

use std::time::{Duration, Instant};

/// How many packets the wire holds in each direction, like the ring of a network card.
pub(crate) const RING: usize = 64;

/// A client and a server in one thread, joined by a wire that loses nothing and takes no time.
pub(crate) trait Pair {
    /// What the stack is called in the report.
    const NAME: &'static str;

    /// Two hosts without connections; checksums are computed and verified.
    fn new(mtu: usize) -> Self;

    /// Opens `count` connections, each with room for `buffer` octets at both ends, and lets them
    /// become idle.
    fn open(&mut self, count: usize, buffer: usize);

    /// Moves `octets` from the client to the server over the first connection: `block` by block
    /// in, and read `into` a buffer. Every octet is written and read.
    fn bulk(&mut self, octets: u64, block: &[u8], into: &mut [u8]);

    /// One request and its answer of the same length, over the n-th connection.
    fn request(&mut self, n: usize, request: &[u8], into: &mut [u8]);

    /// A request over each of the first `count` connections, all sent before the first is answered.
    fn round(&mut self, count: usize, request: &[u8], into: &mut [u8]);
}

/// Gigabits of text a second.
pub(crate) fn goodput<P: Pair>(mtu: usize, buffer: usize, octets: u64) -> f64 {
    let (block, mut into) = (vec![0x5a; 1 << 16], vec![0; 1 << 16]);
    let mut pair = P::new(mtu);
    pair.open(1, buffer);
    pair.bulk(octets / 8, &block, &mut into);
    let begun = now();
    pair.bulk(octets, &block, &mut into);
    octets as f64 * 8.0 / begun.elapsed().as_secs_f64() / 1e9
}

/// Requests answered a second, one at a time, over `count` connections in turn.
pub(crate) fn requests<P: Pair>(count: usize, enough: Duration) -> f64 {
    let (request, mut into) = (vec![0x5a; 64], vec![0; 64]);
    let mut pair = P::new(1500);
    pair.open(count, 1024);
    for n in 0..count.min(100) {
        pair.request(n, &request, &mut into);
    }
    let mut answered = 0_u32;
    let begun = now();
    // A prime step visits the connections in no order that a cache could like.
    let mut n = 0;
    loop {
        for _ in 0..64 {
            n = (n + 7919) % count;
            pair.request(n, &request, &mut into);
            answered += 1;
        }
        if begun.elapsed() >= enough {
            return f64::from(answered) / begun.elapsed().as_secs_f64();
        }
    }
}

/// Requests answered a second where every connection has one on its way at the same time.
pub(crate) fn rounds<P: Pair>(count: usize, enough: Duration) -> f64 {
    let (request, mut into) = (vec![0x5a; 64], vec![0; 64]);
    let mut pair = P::new(1500);
    pair.open(count, 1024);
    let mut answered = 0.0;
    let begun = now();
    while begun.elapsed() < enough {
        pair.round(count, &request, &mut into);
        answered += count as f64;
    }
    answered / begun.elapsed().as_secs_f64()
}

/// Connections opened a second, in one batch of `count`.
pub(crate) fn opens<P: Pair>(count: usize) -> f64 {
    let mut pair = P::new(1500);
    let begun = now();
    pair.open(count, 1024);
    count as f64 / begun.elapsed().as_secs_f64()
}

/// What a stack is told of the time: how long it has lived, plus what was skipped to let a silence pass.
///
/// It is the machine's own clock. A clock that went faster than the work would have timers of a
/// fraction of a second fire between one request and the next that, in earnest, never do.
pub(crate) struct Clock {
    begun: Instant,
    skipped: Duration,
}

impl Clock {
    /// A clock that shows a millisecond.
    pub(crate) fn new() -> Self {
        Self { begun: now(), skipped: Duration::from_millis(1) }
    }

    /// What it shows.
    pub(crate) fn read(&self) -> Duration {
        self.begun.elapsed() + self.skipped
    }

    /// Lets a silence pass without waiting for it.
    pub(crate) fn skip(&mut self, silence: Duration) {
        self.skipped += silence;
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}
