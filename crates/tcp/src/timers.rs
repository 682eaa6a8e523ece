//! When the connection wants to be called again, and for what.
//!
//! One instant for each timer of RFC 9293 §3.8 and §3.10.8; the far future means "not running".

use aperto_time::{Deadline, Instant};

use crate::note::Timer;

/// The timers of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    at: [Instant; COUNT],
}

const ORDER: [Timer; COUNT] = [
    Timer::Retransmission,
    Timer::Persist,
    Timer::Override,
    Timer::DelayedAck,
    Timer::KeepAlive,
    Timer::TimeWait,
];
const COUNT: usize = 6;

/// The place of a timer. The user timeout has none: it shortens the retransmission timer.
const fn place(timer: Timer) -> usize {
    match timer {
        Timer::Retransmission | Timer::User => 0,
        Timer::Persist => 1,
        Timer::Override => 2,
        Timer::DelayedAck => 3,
        Timer::KeepAlive => 4,
        Timer::TimeWait => 5,
    }
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { at: [Instant::FAR_FUTURE; COUNT] }
    }

    pub(crate) fn start(&mut self, timer: Timer, at: Instant) {
        self.at[place(timer)] = at;
    }

    /// Stops a timer; says whether it was running.
    pub(crate) fn stop(&mut self, timer: Timer) -> bool {
        let place = &mut self.at[place(timer)];
        core::mem::replace(place, Instant::FAR_FUTURE) != Instant::FAR_FUTURE
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn runs(&self, timer: Timer) -> bool {
        self.at[place(timer)] != Instant::FAR_FUTURE
    }

    pub(crate) fn at(&self, timer: Timer) -> Option<Instant> {
        self.runs(timer).then(|| self.at[place(timer)])
    }

    /// The timer that fires next.
    pub(crate) fn next(&self) -> Option<Deadline<Timer>> {
        // Read in place: a copy of what was just written would have to wait for it.
        let [mut at, ref others @ ..] = self.at;
        let mut what = ORDER[0];
        for (other, timer) in others.iter().zip(&ORDER[1..]) {
            if *other < at {
                (at, what) = (*other, *timer);
            }
        }
        (at != Instant::FAR_FUTURE).then_some(Deadline::new(at, what))
    }

    /// Takes out a timer that is due at `now`, the earliest first.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = self.next().filter(|deadline| deadline.at <= now)?;
        self.stop(due.what);
        Some(due.what)
    }
}
