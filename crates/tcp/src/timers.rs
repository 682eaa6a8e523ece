//! When the connection wants to be called again, and for what.
//!
//! One instant for each timer of RFC 9293 §3.8 and §3.10.8; the far future means "not running".

use alloc::boxed::Box;

use aperto_time::{Deadline, Instant};

use crate::note::Timer;

/// The timers of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    /// Those that run again and again while text moves.
    often: [Instant; OFTEN],
    /// Those that most connections never start; no memory where none of them runs.
    rarely: Option<Box<[Instant; RARELY]>>,
}

const ORDER: [Timer; OFTEN + RARELY] = [
    Timer::Retransmission,
    Timer::DelayedAck,
    Timer::Persist,
    Timer::Override,
    Timer::KeepAlive,
    Timer::TimeWait,
];
const OFTEN: usize = 2;
const RARELY: usize = 4;

/// The place of a timer. The user timeout has none: it shortens the retransmission timer.
const fn place(timer: Timer) -> usize {
    match timer {
        Timer::Retransmission | Timer::User => 0,
        Timer::DelayedAck => 1,
        Timer::Persist => 2,
        Timer::Override => 3,
        Timer::KeepAlive => 4,
        Timer::TimeWait => 5,
    }
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { often: [Instant::FAR_FUTURE; OFTEN], rarely: None }
    }

    pub(crate) fn start(&mut self, timer: Timer, at: Instant) {
        let place = place(timer);
        match place.checked_sub(OFTEN) {
            None => self.often[place] = at,
            Some(place) => {
                self.rarely.get_or_insert_with(|| Box::new([Instant::FAR_FUTURE; RARELY]))[place] = at;
            }
        }
    }

    /// Stops a timer; says whether it was running.
    pub(crate) fn stop(&mut self, timer: Timer) -> bool {
        let place = place(timer);
        let Some(rare) = place.checked_sub(OFTEN) else {
            return core::mem::replace(&mut self.often[place], Instant::FAR_FUTURE) != Instant::FAR_FUTURE;
        };
        let Some(rarely) = &mut self.rarely else { return false };
        let ran = core::mem::replace(&mut rarely[rare], Instant::FAR_FUTURE) != Instant::FAR_FUTURE;
        if rarely.iter().all(|at| *at == Instant::FAR_FUTURE) {
            self.rarely = None;
        }
        ran
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn runs(&self, timer: Timer) -> bool {
        self.at(timer).is_some()
    }

    pub(crate) fn at(&self, timer: Timer) -> Option<Instant> {
        let place = place(timer);
        let at = match place.checked_sub(OFTEN) {
            None => self.often[place],
            Some(place) => self.rarely.as_ref()?[place],
        };
        (at != Instant::FAR_FUTURE).then_some(at)
    }

    /// The timer that fires next; of those that fire at once the first of the list.
    pub(crate) fn next(&self) -> Option<Deadline<Timer>> {
        // Read in place: a copy of what was just written would have to wait for it.
        let [mut at, acknowledgment] = self.often;
        let mut what = ORDER[0];
        if acknowledgment < at {
            (at, what) = (acknowledgment, ORDER[1]);
        }
        if let Some(rarely) = &self.rarely {
            for (other, timer) in rarely.iter().zip(&ORDER[OFTEN..]) {
                if *other < at {
                    (at, what) = (*other, *timer);
                }
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
