//! The initiator's half of a handshake: hello, proof, and both again until the responder is heard.

use alloc::vec::Vec;

use aperto_time::{Duration, Instant};

use super::{Failure, Peer, Refusal, Role};
use crate::format::{self, Index};
use crate::identity::{Luck, NoRandomness};
use crate::noise::Side;
use crate::session::Session;

/// The longest time between two repetitions.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A handshake that is under way.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    ours: Index,
    once: [u8; 32],
    hello: Vec<u8>,
    proven: Option<Proven>,
    wait: Duration,
    repeated: u32,
    pub(super) again_at: Instant,
}

/// The answer has come; the responder may not have heard our proof yet.
#[derive(Clone, Debug)]
struct Proven {
    /// The answer, to know its copies by.
    answer: Vec<u8>,
    proof: Vec<u8>,
    session: Session,
}

impl Attempt {
    /// Opens the first datagram under the new keys: it says that the responder has them. Nothing
    /// if it is not for them.
    pub(super) fn open(
        &mut self,
        to: Index,
        counter: u64,
        sealed: &[u8],
    ) -> Result<Option<(Vec<u8>, Session)>, Refusal> {
        let Some(proven) = self.proven.as_mut().filter(|_| self.ours == to) else { return Ok(None) };
        let packet = proven.session.open(counter, sealed)?;
        Ok(Some((packet, proven.session.clone())))
    }
}

impl<L: Luck> Peer<L> {
    /// Begins a handshake.
    pub(super) fn say_hello(&mut self, now: Instant) {
        match self.new_attempt(now) {
            Ok(attempt) => {
                self.send_handshake(attempt.hello.clone());
                self.attempt = Some(attempt);
            }
            Err(NoRandomness) => self.fail(Failure::NoRandomness),
        }
    }

    fn new_attempt(&mut self, now: Instant) -> Result<Attempt, NoRandomness> {
        let (ours, once) = (self.draw_index()?, self.draw()?);
        let side = Side { identity: &self.config.identity, once, context: &self.config.context };
        // The crate's primitives are there, so that this cannot fail but for randomness.
        let noise = side.hello(ours).map_err(|_| NoRandomness)?;
        let wait = self.config.first_retry;
        let hello = format::hello(&noise);
        Ok(Attempt { ours, once, hello, proven: None, wait, repeated: 0, again_at: now + wait })
    }

    /// An answer arrives: who is it, and may it be?
    pub(super) fn answer_arrives(&mut self, now: Instant, to: Index, noise: &[u8]) -> Result<(), Refusal> {
        let attempt = self.attempt.as_ref().filter(|attempt| attempt.ours == to);
        let attempt = attempt.ok_or(Refusal::UnknownSession)?;
        if let Some(proven) = &attempt.proven {
            if proven.answer != noise {
                return Err(Refusal::TagDoesNotFit);
            }
            // A copy: perhaps our proof was lost.
            let proof = proven.proof.clone();
            self.send_handshake(proof);
            return Ok(());
        }
        let side =
            Side { identity: &self.config.identity, once: attempt.once, context: &self.config.context };
        let (agreed, theirs, message) = side.prove(to, noise).map_err(|_| Refusal::TagDoesNotFit)?;
        if let Err(failure) = self.check_peer(agreed.peer) {
            // Where the right one has been heard before, a stranger does not end it.
            if self.current.is_none() {
                self.fail(failure);
            }
            return Err(if failure == Failure::OwnKey { Refusal::OwnKey } else { Refusal::OtherKey });
        }
        let session = Session::new(agreed.keys, to, theirs, now);
        let proof = format::proof(theirs, &message);
        self.send_handshake(proof.clone());
        let wait = self.config.first_retry;
        if let Some(attempt) = &mut self.attempt {
            attempt.proven = Some(Proven { answer: noise.to_vec(), proof, session });
            (attempt.wait, attempt.repeated, attempt.again_at) = (wait, 0, now + wait);
        }
        Ok(())
    }

    /// Repeats what was not answered, later each time, and gives up in the end.
    pub(super) fn repeat_if_due(&mut self, now: Instant) {
        let retries = self.config.retries;
        let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.again_at <= now) else { return };
        if attempt.repeated >= retries {
            if self.current.is_some() {
                // The old keys may still do; the next packet tries again.
                self.attempt = None;
            } else {
                self.fail(Failure::NoAnswer);
            }
            return;
        }
        attempt.repeated += 1;
        attempt.wait = attempt.wait.saturating_mul(2).min(LONGEST_WAIT);
        attempt.again_at = now + attempt.wait;
        let again = attempt.proven.as_ref().map_or(&attempt.hello, |proven| &proven.proof).clone();
        self.send_handshake(again);
    }

    /// Begins another handshake when the keys are worn, or gone.
    pub(super) fn rekey_if_due(&mut self, now: Instant) {
        if self.role != Role::Initiator || self.attempt.is_some() || self.failed {
            return;
        }
        let due = match &self.current {
            Some(session) => {
                session.uses() >= self.config.rekey_after_datagrams
                    || now.since(session.since) >= self.config.rekey_after
            }
            None => self.counters.handshakes > 0,
        };
        if due {
            self.say_hello(now);
        }
    }
}
