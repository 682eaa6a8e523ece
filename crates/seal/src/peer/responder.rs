//! The responder's half of a handshake: an answer to each hello, keys for each proof.
//!
//! It keeps a few handshakes that wait for their proof, forgets the oldest first, and begins no more
//! than so many in a second. Until a proof has come, one shorter datagram leaves for each hello.

use alloc::vec::Vec;

use aperto_time::Instant;

use super::{Failure, Peer, Refusal, Role};
use crate::format::{self, Index};
use crate::identity::Luck;
use crate::noise::Side;
use crate::session::Session;

/// How many handshakes wait for their proof at most.
const MOST_PENDING: usize = 4;
/// How many handshakes are begun in a second at most: each costs two multiplications on the curve.
const MOST_HELLOS: u32 = 32;

/// A handshake that waits for its proof.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    hello: Vec<u8>,
    pub(super) ours: Index,
    theirs: Index,
    once: [u8; 32],
    answer: Vec<u8>,
}

impl<L: Luck> Peer<L> {
    /// A hello arrives: anybody can say it.
    pub(super) fn hello_arrives(&mut self, now: Instant, noise: &[u8]) -> Result<(), Refusal> {
        if self.role != Role::Responder || self.failed {
            return Err(Refusal::UnknownSession);
        }
        if let Some(pending) = self.pending.iter().find(|pending| pending.hello == noise) {
            // A copy gets the same answer, octet for octet.
            let answer = pending.answer.clone();
            self.send_handshake(answer);
            return Ok(());
        }
        self.count_hello(now)?;
        let drawn = self.draw_index().and_then(|index| Ok((index, self.draw()?)));
        let Ok((ours, once)) = drawn else {
            self.fail(Failure::NoRandomness);
            return Ok(());
        };
        let side = Side { identity: &self.config.identity, once, context: &self.config.context };
        let (theirs, message) = side.answer(noise, ours).map_err(|_| Refusal::TagDoesNotFit)?;
        let answer = format::answer(theirs, &message);
        if self.pending.len() >= MOST_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { hello: noise.to_vec(), ours, theirs, once, answer: answer.clone() });
        self.send_handshake(answer);
        Ok(())
    }

    fn count_hello(&mut self, now: Instant) -> Result<(), Refusal> {
        let second = now.as_millis() / 1_000;
        if self.hellos.0 != second {
            self.hellos = (second, 0);
        }
        if self.hellos.1 >= MOST_HELLOS {
            return Err(Refusal::TooMany);
        }
        self.hellos.1 += 1;
        Ok(())
    }

    /// A proof arrives: now it is known who the initiator is.
    pub(super) fn proof_arrives(&mut self, now: Instant, to: Index, noise: &[u8]) -> Result<(), Refusal> {
        if self.current.as_ref().is_some_and(|session| session.ours == to) {
            if self.last_proof != noise {
                return Err(Refusal::TagDoesNotFit);
            }
            // A copy: perhaps our confirmation was lost.
            self.confirm();
            return Ok(());
        }
        let place = self.pending.iter().position(|pending| pending.ours == to);
        let pending = place.and_then(|place| self.pending.get(place)).ok_or(Refusal::UnknownSession)?;
        let (theirs, once) = (pending.theirs, pending.once);
        let side = Side { identity: &self.config.identity, once, context: &self.config.context };
        let agreed = side.accept(&pending.hello, to, noise).map_err(|_| Refusal::TagDoesNotFit)?;
        self.pending.retain(|pending| pending.ours != to);
        // A stranger costs only its own handshake: whoever is expected may still come.
        self.check_peer(agreed.peer).map_err(|failure| match failure {
            Failure::OwnKey => Refusal::OwnKey,
            _ => Refusal::OtherKey,
        })?;
        self.last_proof = noise.to_vec();
        self.take_session(Session::new(agreed.keys, to, theirs, now));
        self.confirm();
        Ok(())
    }

    /// Says under the new keys that they are there.
    fn confirm(&mut self) {
        if let Some(datagram) = self.current.as_mut().and_then(|session| session.seal(&[])) {
            self.send_handshake(datagram);
        }
    }
}
