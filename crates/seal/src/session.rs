//! The keys of one handshake: what they seal, what they open, and when they have done enough.
//!
//! ChaCha20-Poly1305 (RFC 8439 §2.8) under a counter as nonce, each direction with a key of its own.
//! The counter travels with the datagram, so that losing one loses no other.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use aperto_time::Instant;
use snow::StatelessTransportState;

use crate::format::{self, Index, TAG};
use crate::peer::Refusal;
use crate::window::{Seen, Window};

/// How many datagrams one key may seal: the bound of RFC 9147 §4.5.3 for the strictest of TLS's
/// ciphers, far below what ChaCha20-Poly1305 could take.
pub(crate) const MOST: u64 = 1 << 23;

#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Shared by clones: it never changes.
    keys: Arc<StatelessTransportState>,
    /// Under which index datagrams come to us.
    pub(crate) ours: Index,
    /// Under which they go to the peer.
    theirs: Index,
    pub(crate) since: Instant,
    sent: u64,
    window: Window,
}

impl Session {
    pub(crate) fn new(keys: StatelessTransportState, ours: Index, theirs: Index, since: Instant) -> Self {
        Self { keys: Arc::new(keys), ours, theirs, since, sent: 0, window: Window::new() }
    }

    /// How worn the keys are: the datagrams of the busier direction.
    pub(crate) fn uses(&self) -> u64 {
        self.sent.max(self.window.next())
    }

    /// Seals a packet; nothing if these keys may not be used any more.
    pub(crate) fn seal(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let counter = self.sent;
        if counter >= MOST {
            return None;
        }
        let header = format::transport(self.theirs, counter);
        let mut datagram = vec![0; header.len() + packet.len() + TAG];
        let (head, body) = datagram.split_at_mut_checked(header.len())?;
        head.copy_from_slice(&header);
        self.keys.write_message(counter, packet, body).ok()?;
        self.sent += 1;
        Some(datagram)
    }

    /// Opens a sealed packet that was not opened before.
    pub(crate) fn open(&mut self, counter: u64, sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        if counter >= MOST {
            return Err(Refusal::TagDoesNotFit);
        }
        match self.window.look(counter) {
            Seen::Fresh => {}
            Seen::Before => return Err(Refusal::Replayed),
            Seen::TooOld => return Err(Refusal::TooOld),
        }
        let mut packet = vec![0; sealed.len().saturating_sub(TAG)];
        self.keys.read_message(counter, sealed, &mut packet).map_err(|_| Refusal::TagDoesNotFit)?;
        self.window.enter(counter);
        Ok(packet)
    }
}
