//! The driver: gives a host its frames, its time and its wires, and its handles their events.
//!
//! One future that does all input and output of one host. In each turn it takes in what the wires
//! have, tells the host what time it is, lets out what the host wants to send, and wakes whoever
//! waits for what came of it; then it sleeps until a wire is ready, a handle calls or a deadline
//! passes. It never spins: a failing wire is asked again after a pause that grows, and a full one
//! holds the host back, whose segments then wait in the send buffers.
//!
//! Frames may be spoilt between host and wire ([`Impair`]) and everything is shown to whoever
//! watches ([`Observer`]). Timers are tokio's: up to a millisecond late, never early.
//!
//! Left out: several threads for one host; batches of frames in one system call on the way out.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use aperto_host::{Departure, InterfaceId};
use aperto_time::Instant;
use tokio::time::Sleep;

use crate::clock;
use crate::core::{Core, Shared};
use crate::observer::{Impair, Observer, Way};
use crate::wire::{Wire, WireNote};

/// How many frames are taken from one wire before others have a turn.
const BATCH: usize = 64;
/// How many turns there are before other tasks of the runtime have one.
const TURNS: usize = 16;
/// How many frames wait for a full wire before the host is held back.
const BACKLOG: usize = 64;
/// How many frames wait for a full wire at most, those that an impairment let go included.
const MOST_BACKLOG: usize = 1024;
/// The pause after the first failure; it doubles with each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// After so many failures to receive, one after the other, a wire is given up: 3 s of pauses.
const FAILURES_UNTIL_DEAD: u32 = 12;
/// How often in one turn a wire may be full right after it said that it has room.
const MOST_FULL: u32 = 64;
/// How long the last frames may take to leave when the driver was asked to end.
const GRACE: Duration = Duration::from_secs(2);
/// Room for the largest IP packet and whatever a link puts before it.
const ROOM: usize = (1 << 16) + 64;

/// What went through and what did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets that a wire took.
    pub packets_out: u64,
    /// Octets in them.
    pub octets_out: u64,
    /// Packets that came from a wire.
    pub packets_in: u64,
    /// Octets in them.
    pub octets_in: u64,
    /// Datagrams that were not ours.
    pub foreign: u64,
    /// Answers kept back from strangers.
    pub withheld: u64,
    /// Packets that a wire does not carry.
    pub not_carried: u64,
    /// Packets lost because sending failed.
    pub send_failures: u64,
    /// Failures to receive.
    pub receive_failures: u64,
    /// Packets lost because a wire was full for too long.
    pub overruns: u64,
    /// How often a wire was full and had to be waited for.
    pub waits: u64,
}

/// How a driver ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// What went through.
    pub counters: Counters,
    /// Why, if it was no wish of ours: what the last wire to die said last.
    pub failed: Option<io::ErrorKind>,
}

/// One wire and what belongs to it.
pub(crate) struct Line {
    wire: Box<dyn Wire>,
    interface: InterfaceId,
    impair: Option<Box<dyn Impair>>,
    /// Frames that the wire had no room for.
    backlog: VecDeque<Vec<u8>>,
    /// Failures to receive, one after the other.
    failures: u32,
    receive_again: Option<Instant>,
    send_again: Option<Instant>,
    send_pause: Duration,
    dead: Option<io::ErrorKind>,
}

impl Line {
    pub(crate) fn new(wire: Box<dyn Wire>, interface: InterfaceId, impair: Option<Box<dyn Impair>>) -> Self {
        Self {
            wire,
            interface,
            impair,
            backlog: VecDeque::new(),
            failures: 0,
            receive_again: None,
            send_again: None,
            send_pause: FIRST_PAUSE,
            dead: None,
        }
    }
}

/// Drives one host. A future: spawn it, or poll it beside the application.
///
/// It ends when it is asked to ([`Stack::stop`](crate::Stack::stop)), when all handles are gone
/// and every connection has closed, or when all its wires have failed for good.
#[must_use = "a driver does nothing unless it is spawned or awaited"]
pub struct Driver {
    shared: Arc<Shared>,
    lines: Vec<Line>,
    watch: Watched,
    buffer: Vec<u8>,
    sleep: Pin<Box<Sleep>>,
    ending_since: Option<Instant>,
}

/// The observer, if there is one.
struct Watched(Option<Box<dyn Observer>>);

impl Watched {
    fn arrived(&mut self, now: Instant, interface: InterfaceId, packet: &[u8]) {
        if let Some(observer) = &mut self.0 {
            observer.arrived(now, interface, packet);
        }
    }

    fn departed(&mut self, now: Instant, departure: &Departure, packet: &[u8]) {
        if let Some(observer) = &mut self.0 {
            observer.departed(now, departure, packet);
        }
    }

    /// The host's notes so far.
    fn notes(&mut self, now: Instant, core: &mut Core) {
        if let Some(observer) = &mut self.0 {
            while let Some(note) = core.host.poll_note() {
                observer.noted(now, &note);
            }
        }
    }

    fn wire_noted(&mut self, now: Instant, interface: InterfaceId, note: &WireNote, core: &mut Core) {
        let counters = &mut core.counters;
        match note {
            WireNote::Foreign { .. } => counters.foreign += 1,
            WireNote::Withheld { .. } => counters.withheld += 1,
            WireNote::NotCarried { .. } => counters.not_carried += 1,
            WireNote::SendFailed { .. } => counters.send_failures += 1,
            WireNote::ReceiveFailed { .. } => counters.receive_failures += 1,
            WireNote::Named { inner, outer } => core.name(*inner, *outer),
            WireNote::PeerRefuses { peer } => core.refused_by_system = Some(*peer),
            WireNote::NoWayToPeer { .. } | WireNote::TooBig { .. } | WireNote::Dead { .. } => {}
        }
        if let Some(observer) = &mut self.0 {
            observer.wire_noted(now, interface, note);
        }
    }
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, lines: Vec<Line>, observer: Option<Box<dyn Observer>>) -> Self {
        Self {
            shared,
            lines,
            watch: Watched(observer),
            buffer: vec![0; ROOM],
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
            ending_since: None,
        }
    }

    /// One turn. Says whether anything happened.
    fn turn(&mut self, context: &mut Context<'_>, core: &mut Core) -> bool {
        let Self { lines, watch, buffer, .. } = self;
        let mut happened = false;
        for line in lines.iter_mut() {
            happened |= take_in(line, context, core, watch, buffer);
        }
        let now = clock::now();
        if core.host.poll_deadline().is_some_and(|deadline| deadline.at <= now) {
            core.host.deadline_passed(now);
            happened = true;
        }
        watch.notes(now, core);
        for line in lines.iter_mut() {
            happened |= let_go(line, core, watch);
            happened |= flush(line, context, core, watch);
        }
        happened |= send_out(lines, core, watch, buffer);
        happened |= core.deliver_events();
        watch.notes(clock::now(), core);
        core.deliver_ends();
        happened
    }

    /// Whether the driver's work is over, and how.
    fn over(&mut self, core: &Core) -> Option<Stopped> {
        let counters = core.counters;
        if !self.lines.is_empty() && self.lines.iter().all(|line| line.dead.is_some()) {
            let failed = self.lines.last().and_then(|line| line.dead);
            return Some(Stopped { counters, failed });
        }
        let abandoned = core.is_abandoned() && core.is_settled();
        if !core.stop && !abandoned {
            return None;
        }
        let now = clock::now();
        let since = *self.ending_since.get_or_insert(now);
        let empty = |line: &Line| {
            let flying = line.impair.as_ref().is_some_and(|impair| impair.poll_deadline().is_some());
            line.backlog.is_empty() && !flying
        };
        let over = self.lines.iter().all(empty) || now.since(since) >= GRACE;
        over.then_some(Stopped { counters, failed: None })
    }

    /// Sleeps until an instant, if there is one; ready when it has come.
    fn poll_sleep(&mut self, context: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        // A deadline that stays in the past would be somebody's mistake; it must not cost a processor.
        let soonest = clock::now() + Duration::from_micros(100);
        let Some(at) = at.and_then(|at| clock::for_tokio(at.max(soonest))) else { return Poll::Pending };
        self.sleep.as_mut().reset(at);
        self.sleep.as_mut().poll(context)
    }

    /// When to look again, if nothing happens before.
    fn deadline(&self, core: &mut Core) -> Option<Instant> {
        let host = core.host.poll_deadline().map(|deadline| deadline.at);
        let lines = self.lines.iter().filter(|line| line.dead.is_none()).flat_map(|line| {
            let impaired = line.impair.as_ref().and_then(|impair| impair.poll_deadline());
            [impaired, line.receive_again, line.send_again]
        });
        let grace = self.ending_since.map(|since| since + GRACE);
        lines.chain([host, grace]).flatten().min()
    }
}

/// What comes after a turn.
enum Next {
    Another,
    Wait(Option<Instant>),
    End(Stopped),
}

impl Future for Driver {
    type Output = Stopped;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Stopped> {
        let this = &mut *self;
        let shared = Arc::clone(&this.shared);
        for _ in 0..TURNS {
            let mut core = shared.lock();
            core.register_driver(context);
            let happened = this.turn(context, &mut core);
            let next = match this.over(&core) {
                Some(stopped) => {
                    core.end();
                    Next::End(stopped)
                }
                None if happened => Next::Another,
                None => Next::Wait(this.deadline(&mut core)),
            };
            let due = std::mem::take(&mut core.due);
            drop(core);
            due.into_iter().for_each(Waker::wake);
            match next {
                Next::Another => {}
                Next::Wait(at) => ready!(this.poll_sleep(context, at)),
                Next::End(stopped) => {
                    if let Some(observer) = &mut this.watch.0 {
                        observer.stopped(clock::now(), &stopped.counters);
                    }
                    return Poll::Ready(stopped);
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    /// Nobody waits for a driver that was thrown away.
    fn drop(&mut self) {
        let due = {
            let mut core = self.shared.lock();
            core.end();
            std::mem::take(&mut core.due)
        };
        due.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wires: Vec<&str> = self.lines.iter().map(|line| line.wire.name()).collect();
        f.debug_struct("Driver").field("wires", &wires).finish_non_exhaustive()
    }
}

/// Takes in what a wire has, at most a batch.
fn take_in(
    line: &mut Line,
    context: &mut Context<'_>,
    core: &mut Core,
    watch: &mut Watched,
    buffer: &mut [u8],
) -> bool {
    if line.dead.is_some() || line.receive_again.is_some_and(|again| again > clock::now()) {
        return false;
    }
    line.receive_again = None;
    for turn in 0..BATCH {
        let received = line.wire.poll_receive(context, buffer);
        let now = clock::now();
        while let Some(note) = line.wire.poll_note() {
            watch.wire_noted(now, line.interface, &note, core);
        }
        match received {
            Poll::Pending => return turn > 0,
            Poll::Ready(Ok(None)) => line.failures = 0,
            Poll::Ready(Ok(Some(octets))) => {
                line.failures = 0;
                let packet = buffer.get(..octets).unwrap_or_default();
                core.counters.packets_in += 1;
                core.counters.octets_in += octets as u64;
                match &mut line.impair {
                    Some(impair) => impair.packet_passes(now, Way::In, None, packet),
                    None => arrive(line.interface, now, packet, core, watch),
                }
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => {
                receiving_failed(line, error.kind(), core, watch);
                return true;
            }
        }
    }
    true
}

fn receiving_failed(line: &mut Line, kind: io::ErrorKind, core: &mut Core, watch: &mut Watched) {
    let now = clock::now();
    watch.wire_noted(now, line.interface, &WireNote::ReceiveFailed { kind }, core);
    line.failures += 1;
    if line.failures >= FAILURES_UNTIL_DEAD {
        line.dead = Some(kind);
        line.backlog.clear();
        watch.wire_noted(now, line.interface, &WireNote::Dead { kind }, core);
    }
    let pause = FIRST_PAUSE.saturating_mul(1 << line.failures.min(10)).min(LONGEST_PAUSE);
    line.receive_again = Some(now + pause);
}

fn arrive(interface: InterfaceId, now: Instant, packet: &[u8], core: &mut Core, watch: &mut Watched) {
    // What calls have caused meanwhile came before.
    watch.notes(now, core);
    watch.arrived(now, interface, packet);
    core.host.frame_arrives(now, interface, packet);
    watch.notes(now, core);
}

/// Hands on what an impairment lets go.
fn let_go(line: &mut Line, core: &mut Core, watch: &mut Watched) -> bool {
    let mut happened = false;
    let now = clock::now();
    while let Some((way, packet)) = line.impair.as_mut().and_then(|impair| impair.poll_packet(now)) {
        happened = true;
        match way {
            Way::In => arrive(line.interface, now, &packet, core, watch),
            Way::Out if line.backlog.len() >= MOST_BACKLOG || line.dead.is_some() => {
                core.counters.overruns += 1;
            }
            Way::Out => line.backlog.push_back(packet),
        }
    }
    happened
}

/// Sends what waits for a wire, as far as there is room.
fn flush(line: &mut Line, context: &mut Context<'_>, core: &mut Core, watch: &mut Watched) -> bool {
    let mut happened = false;
    let mut full = 0;
    while let Some(packet) = line.backlog.pop_front() {
        if line.send_again.is_some_and(|again| again > clock::now()) {
            line.backlog.push_front(packet);
            return happened;
        }
        line.send_again = None;
        match offer(line, &packet, core, watch) {
            Offer::Done => happened = true,
            Offer::Later => {
                line.backlog.push_front(packet);
                return happened;
            }
            Offer::Full => {
                line.backlog.push_front(packet);
                full += 1;
                match line.wire.poll_writable(context) {
                    Poll::Pending => return happened,
                    Poll::Ready(Ok(())) if full < MOST_FULL => {}
                    // A wire that says it has room and has none would be asked for ever.
                    Poll::Ready(_) => {
                        pause_sending(line);
                        return happened;
                    }
                }
            }
        }
    }
    happened
}

/// What became of a packet that was offered to a wire.
enum Offer {
    /// It is gone, or lost.
    Done,
    /// The wire will say when there is room.
    Full,
    /// The system is out of memory for it and will not say when it has some.
    Later,
}

fn offer(line: &mut Line, packet: &[u8], core: &mut Core, watch: &mut Watched) -> Offer {
    if line.dead.is_some() {
        core.counters.send_failures += 1;
        return Offer::Done;
    }
    let mut outcome = line.wire.try_send(packet);
    while outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        outcome = line.wire.try_send(packet);
    }
    let now = clock::now();
    while let Some(note) = line.wire.poll_note() {
        watch.wire_noted(now, line.interface, &note, core);
    }
    match outcome {
        Ok(()) => {
            core.counters.packets_out += 1;
            core.counters.octets_out += packet.len() as u64;
            line.send_pause = FIRST_PAUSE;
            Offer::Done
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            core.counters.waits += 1;
            Offer::Full
        }
        Err(error) if is_out_of_memory(&error) => {
            core.counters.waits += 1;
            pause_sending(line);
            Offer::Later
        }
        Err(error) => {
            watch.wire_noted(now, line.interface, &WireNote::SendFailed { kind: error.kind() }, core);
            Offer::Done
        }
    }
}

fn pause_sending(line: &mut Line) {
    line.send_again = Some(clock::now() + line.send_pause);
    line.send_pause = line.send_pause.saturating_mul(2).min(LONGEST_PAUSE);
}

/// ENOMEM has a kind of its own, ENOBUFS has not: 105 on Linux, 55 on macOS and the BSDs, 10055 on
/// Windows.
fn is_out_of_memory(error: &io::Error) -> bool {
    const NO_BUFFERS: i32 = if cfg!(windows) {
        10_055
    } else if cfg!(target_os = "linux") {
        105
    } else {
        55
    };
    error.kind() == io::ErrorKind::OutOfMemory || error.raw_os_error() == Some(NO_BUFFERS)
}

/// Lets out what the host wants to send, while no wire is full.
fn send_out(lines: &mut [Line], core: &mut Core, watch: &mut Watched, buffer: &mut [u8]) -> bool {
    let mut happened = false;
    while lines.iter().all(|line| line.backlog.len() < BACKLOG) {
        let now = clock::now();
        let Some(departure) = core.host.poll_frame(now, buffer) else { break };
        happened = true;
        watch.notes(now, core);
        let packet = buffer.get(..departure.length).unwrap_or_default();
        watch.departed(now, &departure, packet);
        let Some(line) = lines.iter_mut().find(|line| line.interface == departure.interface) else {
            continue;
        };
        if let Some(impair) = &mut line.impair {
            impair.packet_passes(now, Way::Out, Some(&departure), packet);
        } else if !line.backlog.is_empty() || !matches!(offer(line, packet, core, watch), Offer::Done) {
            line.backlog.push_back(packet.to_vec());
        }
    }
    happened
}
