//! The user's calls: OPEN, SEND, RECEIVE, CLOSE, ABORT.
//!
//! RFC 9293 §3.9.1 and §3.10.1 to §3.10.5. STATUS (§3.10.6) is in `status.rs`. A call changes
//! state and marks needs; what it makes leave, leaves by a poll.

use alloc::boxed::Box;
use alloc::sync::Arc;

use aperto_time::Instant;

use super::{Connection, Fin, Holder, KeepAliveState, Opening, Origin};
use crate::config::{Config, KeepAlive};
use crate::diagram::Cause;
use crate::error::{CloseError, ReceiveError, SendError};
use crate::event::End;
use crate::note::Timer;
use crate::reason::{Reason, ResetCause};
use crate::state::State;

/// Whether text is to be sent and delivered without waiting for more. RFC 9293 §3.9.1.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Push {
    /// It is complete: send it.
    Yes,
    /// More follows soon: a full segment may be awaited.
    No,
}

/// Whether the end of the text is to be marked as urgent. RFC 9293 §3.8.5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgent {
    /// The urgent pointer will point behind the last octet.
    Yes,
    /// Plain text.
    No,
}

/// Whether small text waits until earlier text is acknowledged. RFC 9293 §3.7.4 \[MUST-17\].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nagle {
    /// It waits: Nagle's algorithm.
    On,
    /// It is sent at once.
    Off,
}

impl Connection {
    /// OPEN, active: asks a peer for a connection.
    ///
    /// RFC 9293 §3.10.1. SYN-SENT is entered at once; the SYN leaves by the next poll.
    #[must_use]
    pub fn open_active(now: Instant, config: Arc<Config>, opening: Opening) -> Self {
        let mut connection = Self::new(config, opening, Origin::Active);
        connection.begin_active(now);
        connection
    }

    /// OPEN, passive: waits for a peer. RFC 9293 §3.10.1.
    #[must_use]
    pub fn open_passive(config: Arc<Config>, opening: Opening) -> Self {
        let mut connection = Self::new(config, opening, Origin::Passive);
        connection.enter(State::Listen, Cause::PassiveOpen);
        connection
    }

    /// OPEN, active, on a connection that listens; in any other state nothing happens.
    ///
    /// RFC 9293 §3.10.1, LISTEN STATE.
    pub fn open_listening(&mut self, now: Instant) {
        if self.state == State::Listen {
            self.origin = Origin::Active;
            self.begin_active(now);
        }
    }

    fn begin_active(&mut self, now: Instant) {
        self.enter(State::SynSent, Cause::ActiveOpen);
        self.needs.seldom().syn = Some(Reason::ActiveOpen);
        self.waiting_since = now;
        self.heard = now;
    }

    /// SEND: queues text. Returns how many octets were taken: none if the buffer is full, and then
    /// [`Event::Writable`](crate::Event::Writable) tells when there is room.
    ///
    /// RFC 9293 §3.10.2.
    ///
    /// # Errors
    ///
    /// [`SendError`] where nothing can be sent in this state.
    pub fn send(
        &mut self,
        now: Instant,
        octets: &[u8],
        push: Push,
        urgent: Urgent,
    ) -> Result<usize, SendError> {
        match self.state {
            State::Closed => return Err(self.end.map_or(SendError::NotOpen, SendError::Ended)),
            State::Listen => self.open_listening(now),
            State::SynSent | State::SynReceived | State::Established | State::CloseWait => {}
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck | State::TimeWait => {
                return Err(SendError::Closing);
            }
        }
        if self.send.fin == Fin::Queued {
            return Err(SendError::Closing);
        }
        let taken = octets.len().min(self.send_capacity());
        self.send.write(&octets[..taken]);
        self.send.refused |= taken < octets.len();
        if taken > 0 && push == Push::Yes {
            self.send.push = self.send.text_end();
        }
        if taken > 0 && urgent == Urgent::Yes {
            self.send.urgent = Some(self.send.text_end());
        }
        Ok(taken)
    }

    /// How many octets [`send`](Self::send) would take now.
    #[must_use]
    pub fn send_capacity(&self) -> usize {
        self.config.send_buffer.max(1).saturating_sub(self.send.queued())
    }

    /// RECEIVE: copies text that has arrived in order; returns how many octets, 0 if there is none yet.
    ///
    /// RFC 9293 §3.10.3.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`] where nothing will come any more.
    pub fn receive(&mut self, now: Instant, into: &mut [u8]) -> Result<usize, ReceiveError> {
        let mut copied = 0;
        for slice in self.receive.queue.slices() {
            let count = slice.len().min(into.len() - copied);
            into[copied..copied + count].copy_from_slice(&slice[..count]);
            copied += count;
            if copied == into.len() {
                break;
            }
        }
        if copied > 0 {
            self.consume(now, copied);
            return Ok(copied);
        }
        match self.state {
            State::Closed => match self.end {
                None => Err(ReceiveError::NotOpen),
                Some(End::Closed) => Err(ReceiveError::Finished),
                Some(end) => Err(ReceiveError::Ended(end)),
            },
            State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2 => Ok(0),
            State::CloseWait | State::Closing | State::LastAck | State::TimeWait
                if self.receive.queue.readable() == 0 =>
            {
                Err(ReceiveError::Finished)
            }
            State::CloseWait | State::Closing | State::LastAck | State::TimeWait => Ok(0),
        }
    }

    /// The first octets that can be read, as far as they lie together; empty if there are none.
    #[must_use]
    pub fn peek(&self) -> &[u8] {
        self.receive.queue.peek()
    }

    /// How many octets can be read.
    #[must_use]
    pub fn readable(&self) -> usize {
        self.receive.queue.readable()
    }

    /// Whether the peer has closed and everything before its FIN has been read.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let fin_passed = self.receive.fin.is_some_and(|fin| self.receive.next.after(fin));
        fin_passed && self.readable() == 0
    }

    /// Gives up the first `octets` that could be read: the window may open.
    pub fn consume(&mut self, now: Instant, octets: usize) {
        self.receive.queue.consume(octets);
        self.window_may_open(now);
    }

    /// CLOSE: nothing more will be sent; what is queued still is, and then a FIN. Text may still be
    /// received: a half-close.
    ///
    /// RFC 9293 §3.10.4, §3.6.1.
    ///
    /// # Errors
    ///
    /// [`CloseError`] if there is no connection or it was closed before.
    pub fn close(&mut self, now: Instant) -> Result<(), CloseError> {
        match self.state {
            State::Closed => {
                return Err(if self.end.is_some() { CloseError::Closing } else { CloseError::NotOpen });
            }
            State::Listen | State::SynSent => {
                self.finish(Cause::CloseCalled, End::Closed);
            }
            State::SynReceived => {
                // With nothing to send and no segment out but the SYN: FIN-WAIT-1. Else the close is
                // queued until ESTABLISHED, which is the same, since the FIN waits for the text.
                self.send.fin = Fin::Queued;
                if self.send.unsent() == 0 {
                    self.enter(State::FinWait1, Cause::CloseCalled);
                }
            }
            State::Established => {
                self.send.fin = Fin::Queued;
                self.enter(State::FinWait1, Cause::CloseCalled);
            }
            State::CloseWait if self.send.fin == Fin::No => self.send.fin = Fin::Queued,
            State::CloseWait
            | State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => return Err(CloseError::Closing),
        }
        self.send.push = self.send.text_end();
        let _ = now;
        Ok(())
    }

    /// The application is gone: it will neither read nor write. Closes what is open; if text waits
    /// that nobody will read, the peer is told by a reset.
    ///
    /// RFC 9293 §3.6.1 \[SHLD-3\] \[MAY-1\].
    pub fn release(&mut self, now: Instant) {
        if self.holder == Holder::Nobody {
            return;
        }
        self.holder = Holder::Nobody;
        let unread = self.receive.queue.readable() + self.receive.queue.out_of_order();
        if unread > 0 && self.state.is_synchronized() {
            let octets = u32::try_from(unread).unwrap_or(u32::MAX);
            self.abort_because(ResetCause::UnreadData { octets });
            return;
        }
        if self.close(now).is_ok() || self.state != State::Closed {
            self.limit_orphan(now);
        }
    }

    /// A closed connection that nobody holds does not wait for ever.
    pub(crate) fn limit_orphan(&mut self, now: Instant) {
        let wait = match self.state {
            State::FinWait2 => self.config.orphan_timeout,
            State::FinWait1 | State::Closing | State::LastAck | State::CloseWait => {
                self.config.orphan_timeout.saturating_mul(2)
            }
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::TimeWait => return,
        };
        self.start(Timer::TimeWait, now + wait);
    }

    /// ABORT: everything queued is thrown away and the peer is told by a reset.
    ///
    /// RFC 9293 §3.10.5.
    pub fn abort(&mut self, now: Instant) {
        let _ = now;
        self.abort_because(ResetCause::Abort);
    }

    pub(crate) fn abort_because(&mut self, cause: ResetCause) {
        match self.state {
            State::Closed => {}
            State::Listen | State::SynSent => self.finish(Cause::AbortCalled, End::Aborted),
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait => {
                self.needs.seldom().reset = Some(cause);
                self.finish(Cause::AbortCalled, End::Aborted);
            }
            State::Closing | State::LastAck | State::TimeWait => {
                self.finish(Cause::AbortCalled, End::Aborted);
            }
        }
    }

    /// Switches Nagle's algorithm. RFC 9293 §3.7.4 \[MUST-17\].
    pub fn set_nagle(&mut self, nagle: Nagle) {
        self.nagle = nagle;
    }

    /// Switches keep-alive. RFC 9293 §3.8.4 \[MUST-24\].
    pub fn set_keep_alive(&mut self, now: Instant, settings: Option<KeepAlive>) {
        self.keep_alive = settings.map(|settings| Box::new(KeepAliveState { settings, unanswered: 0 }));
        self.stop(Timer::KeepAlive);
        self.rearm_keep_alive(now);
    }

    /// The mark of urgent text: how many octets of what can be read, or will be, are urgent.
    ///
    /// RFC 9293 §3.8.5 \[MUST-33\]; the octets themselves stay in line (RFC 6093 §3).
    #[must_use]
    pub fn urgent_octets(&self) -> u32 {
        let consumed = self.receive.next - u32::try_from(self.readable()).unwrap_or(0);
        match self.receive.urgent {
            Some(end) if end.after(consumed) => end.since(consumed),
            _ => 0,
        }
    }
}
