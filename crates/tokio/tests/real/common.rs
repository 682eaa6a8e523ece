//! What the tests share: a stack's settings, text that can be checked, and impairments.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aperto_host::Departure;
use aperto_time::{Duration, Instant};
use aperto_tokio::{Impair, Way, secret};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A host as on real wires.
pub(crate) fn config() -> aperto_host::Config {
    aperto_host::Config { secret: secret().unwrap(), ..aperto_host::Config::default() }
}

/// Octets that repeat only after a long time: those of a linear congruential generator.
pub(crate) struct Text {
    state: u64,
}

impl Text {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.state =
                self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.state >> 56) as u8;
        }
    }
}

/// Writes so many octets and closes; gives their hash.
pub(crate) async fn write_text(
    to: &mut (impl AsyncWrite + Unpin),
    seed: u64,
    octets: usize,
) -> io::Result<u64> {
    let mut text = Text::new(seed);
    let mut hash = DefaultHasher::new();
    let mut piece = vec![0; 1 << 16];
    let mut left = octets;
    while left > 0 {
        let piece = &mut piece[..left.min(1 << 16)];
        text.fill(piece);
        hash_pieces(&mut hash, piece);
        to.write_all(piece).await?;
        left -= piece.len();
    }
    to.shutdown().await?;
    Ok(hash.finish())
}

/// Reads to the end; gives how many octets there were, and their hash.
pub(crate) async fn read_text(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(usize, u64)> {
    let mut hash = DefaultHasher::new();
    let mut piece = vec![0; 1 << 16];
    let mut octets = 0;
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return Ok((octets, hash.finish()));
        }
        hash_pieces(&mut hash, &piece[..read]);
        octets += read;
    }
}

/// The hash must not depend on how the octets were cut.
fn hash_pieces(hash: &mut DefaultHasher, piece: &[u8]) {
    hash.write(piece);
}

/// Loses every nth packet that leaves, and counts.
pub(crate) struct LoseEvery {
    n: u64,
    seen: u64,
    pub(crate) lost: Arc<AtomicU64>,
    through: VecDeque<(Way, Vec<u8>)>,
}

impl LoseEvery {
    pub(crate) fn new(n: u64) -> Self {
        Self { n, seen: 0, lost: Arc::default(), through: VecDeque::new() }
    }
}

impl Impair for LoseEvery {
    fn packet_passes(&mut self, _: Instant, way: Way, departure: Option<&Departure>, packet: &[u8]) {
        assert_eq!(way == Way::Out, departure.is_some(), "the host knows what leaves");
        self.seen += 1;
        if self.seen.is_multiple_of(self.n) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            self.through.push_back((way, packet.to_vec()));
        }
    }

    fn poll_packet(&mut self, _: Instant) -> Option<(Way, Vec<u8>)> {
        self.through.pop_front()
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

/// Delays every packet by the same time.
pub(crate) struct Delay {
    by: Duration,
    waiting: VecDeque<(Instant, Way, Vec<u8>)>,
}

impl Delay {
    pub(crate) fn new(by: Duration) -> Self {
        Self { by, waiting: VecDeque::new() }
    }
}

impl Impair for Delay {
    fn packet_passes(&mut self, now: Instant, way: Way, _: Option<&Departure>, packet: &[u8]) {
        self.waiting.push_back((now + self.by, way, packet.to_vec()));
    }

    fn poll_packet(&mut self, now: Instant) -> Option<(Way, Vec<u8>)> {
        if self.waiting.front()?.0 > now {
            return None;
        }
        self.waiting.pop_front().map(|(_, way, packet)| (way, packet))
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|(at, ..)| *at)
    }
}
