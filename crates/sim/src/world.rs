//! A world: hosts, the lines between them, applications, and a clock that only events move.
//!
//! [`World::step`] lets exactly one thing happen: one frame arrives, or one host's time comes. What
//! follows from it at that instant follows before it returns. At one instant, arrivals come first
//! (in the order in which the frames were sent), then the hosts' timers, in the order of the hosts.
//!
//! A world is `Clone`: a clone is a snapshot, and [`Timeline`] uses such to step back.

use alloc::boxed::Box;
use alloc::vec::Vec;

use aperto_arq::Event as TextbookEvent;
use aperto_host::Host;
use aperto_tcp::State;
use aperto_time::Instant;
use aperto_trace::HostId;
use aperto_trace::recorder::{Limits, Recorder};
use aperto_trace::trace::Trace;

mod build;
mod internet;
mod sealed;
mod stage;
mod textbook;
mod timeline;

use build::{header, host_id, internet_nodes, line, place_of_client, textbook_nodes};
pub use internet::Attached;
use internet::Internet;
use stage::{Arrived, Stage};
use textbook::TextbookHost;
pub use timeline::Timeline;

use crate::channel::{Channel, Classifier, Direction};
use crate::recipe::{Opening, Recipe, RecipeError, Stop};

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// A frame arrived at a host.
    Arrival {
        /// Where.
        host: HostId,
        /// Its number in the ladder.
        number: u64,
    },
    /// A host's time came: a timer, an application, an opening.
    Deadline {
        /// Whose.
        host: HostId,
    },
    /// The handshake of a line's sealing had something to repeat.
    Handshake {
        /// Which line: its client, from 0.
        line: usize,
    },
}

/// What can happen next. At one instant, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Delivery,
    Sealing,
    Host,
}

/// Why a run is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Nothing is left to happen, or only the end of TIME-WAIT.
    Quiet,
    /// The time that the recipe gives is over.
    TimeIsUp,
    /// More happened than is allowed.
    TooMuch,
    /// A host wants to be called at once, again and again, and nothing comes of it.
    Stuck,
}

/// A host of a world.
#[derive(Clone, Debug)]
enum Node {
    Internet(Box<Internet>),
    Textbook(Box<TextbookHost>),
}

/// How often in a row a host may want to be called without time or frames moving. RELIABILITY I-20
/// allows eight polls.
const MOST_CALLS_AT_ONCE: u32 = 8;
/// How many steps a run may take.
const MOST_STEPS: u64 = 20_000_000;

/// Hosts, lines, applications and a clock. See the module's text.
#[derive(Clone, Debug)]
pub struct World {
    stage: Stage,
    nodes: Vec<Node>,
    stop: Stop,
    message: Vec<u8>,
    begun: bool,
    steps: u64,
    /// Steps of one host in a row at one instant in which nothing left and nothing arrived.
    calls_at_once: u32,
    last_call: Option<(Instant, usize)>,
}

impl World {
    /// A world in which nothing has happened yet.
    ///
    /// # Errors
    ///
    /// The recipe cannot be run, and why.
    pub fn new(recipe: &Recipe) -> Result<Self, RecipeError> {
        Self::with_limits(recipe, Limits::default())
    }

    /// The same, with other limits on what is recorded.
    ///
    /// # Errors
    ///
    /// The recipe cannot be run, and why.
    pub fn with_limits(recipe: &Recipe, limits: Limits) -> Result<Self, RecipeError> {
        recipe.check()?;
        let lines = (0..recipe.clients.len()).map(|client| line(recipe, client)).collect();
        let mut stage = Stage {
            now: Instant::ZERO,
            lines,
            classifier: Classifier::new(recipe.counting()),
            recorder: Recorder::new(header(recipe), limits),
        };
        let nodes = match recipe.protocol.textbook() {
            Some(protocol) => textbook_nodes(recipe, protocol)?,
            None => internet_nodes(recipe, &mut stage)?,
        };
        Ok(Self {
            stage,
            nodes,
            stop: recipe.stop,
            message: recipe.message.clone(),
            begun: false,
            steps: 0,
            calls_at_once: 0,
            last_call: None,
        })
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.stage.now
    }

    /// How many steps have been taken.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// What has been recorded.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        self.stage.recorder.trace()
    }

    /// Who records, for a driver that has something to add.
    pub const fn recorder_mut(&mut self) -> &mut Recorder {
        &mut self.stage.recorder
    }

    /// What has been recorded, for good.
    #[must_use]
    pub fn into_trace(self) -> Trace {
        self.stage.recorder.into_trace()
    }

    /// Hands out what was recorded since the last time, and forgets it: for who measures long runs.
    pub fn drain(&mut self) -> Vec<aperto_trace::Record> {
        self.stage.recorder.drain()
    }

    /// The channel between one of the clients, from 0, and the server.
    #[must_use]
    pub fn channel(&self, client: usize) -> Option<&Channel> {
        self.stage.lines.get(client).map(|line| &line.channel)
    }

    /// What the sealing of a client's line did with what went one way, if the line is sealed.
    #[must_use]
    pub fn sealing(&self, client: usize, direction: Direction) -> Option<aperto_seal::Counters> {
        self.stage.lines.get(client)?.sealing.as_ref().map(|sealing| sealing.counters(direction))
    }

    /// All channels, to be changed: what is on its way is not touched.
    pub fn channels_mut(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.stage.lines.iter_mut().map(|line| &mut line.channel)
    }

    /// How many hosts there are: a client, the server, then the other clients.
    #[must_use]
    pub const fn hosts(&self) -> usize {
        self.nodes.len()
    }

    /// A host, where it is one that speaks TCP or UDP.
    #[must_use]
    pub fn host(&self, id: HostId) -> Option<&Host> {
        self.internet(id).map(|internet| &*internet.host)
    }

    /// The applications of a host: those whose connection is over first, in the order in which they
    /// ended.
    pub fn applications(&self, id: HostId) -> impl Iterator<Item = &Attached> {
        self.internet(id).into_iter().flat_map(Internet::applications)
    }

    /// The connections of a host that applications hold.
    pub fn attached(&self, id: HostId) -> impl Iterator<Item = (aperto_host::ConnectionId, &Attached)> {
        self.internet(id).into_iter().flat_map(Internet::attached)
    }

    /// What came in by UDP or by a textbook protocol.
    #[must_use]
    pub fn heard(&self, id: HostId) -> &[u8] {
        match self.nodes.get(usize::from(id.0)) {
            Some(Node::Internet(internet)) => internet.heard(),
            Some(Node::Textbook(textbook)) => textbook.delivered(),
            None => &[],
        }
    }

    /// What became of a textbook protocol's message, once its sender knows.
    #[must_use]
    pub fn outcome(&self, id: HostId) -> Option<&TextbookEvent> {
        match self.nodes.get(usize::from(id.0))? {
            Node::Internet(_) => None,
            Node::Textbook(textbook) => textbook.outcome(),
        }
    }

    /// Lets a client, from 0, open something more, at its time or at once if that is over: for a
    /// driver that knows only during the run what comes next, such as a connection opened again.
    /// Says whether there is such a client and it speaks TCP.
    pub fn open(&mut self, client: usize, opening: Opening) -> bool {
        let Some(server) = self.stage.lines.get(client).map(|line| usize::from(line.ends[1].host.0)) else {
            return false;
        };
        let Some(Node::Internet(peer)) = self.nodes.get(server) else { return false };
        let address = peer.address();
        match self.nodes.get_mut(place_of_client(client)) {
            Some(Node::Internet(internet)) => internet.plan(opening, address),
            Some(Node::Textbook(_)) | None => return false,
        }
        true
    }

    fn internet(&self, id: HostId) -> Option<&Internet> {
        match self.nodes.get(usize::from(id.0))? {
            Node::Internet(internet) => Some(internet),
            Node::Textbook(_) => None,
        }
    }

    /// When the next thing happens; none if nothing ever will.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        let asked = self.stage.lines.iter().filter_map(|line| line.sealing.as_ref());
        if !self.begun && asked.clone().all(|sealing| !sealing.has_begun() || sealing.is_open()) {
            return Some(self.stage.now);
        }
        self.next_event().map(|(at, _, _)| at)
    }

    /// The next event: when, what, and which line or host.
    fn next_event(&self) -> Option<(Instant, Kind, usize)> {
        let delivery = self.stage.next_delivery().map(|(at, line)| (at, Kind::Delivery, line));
        let repeats = self.stage.lines.iter().enumerate().filter_map(|(place, line)| {
            let at = line.sealing.as_ref()?.poll_deadline()?;
            Some((at.max(self.stage.now), Kind::Sealing, place))
        });
        let first = repeats.chain(delivery).min();
        if !self.begun {
            return first;
        }
        let deadline = |(place, node): (usize, &Node)| {
            let at = match node {
                Node::Internet(internet) => internet.poll_deadline(),
                Node::Textbook(textbook) => textbook.poll_deadline(self.stage.now),
            };
            at.map(|at| (at.max(self.stage.now), Kind::Host, place))
        };
        let deadlines = self.nodes.iter().enumerate().filter_map(deadline);
        deadlines.chain(first).min()
    }

    /// Lets the next thing happen; says what it was, or nothing if nothing is left.
    pub fn step(&mut self) -> Option<Happened> {
        self.begin();
        let (at, kind, place) = self.next_event()?;
        self.stage.now = at;
        self.steps += 1;
        if kind == Kind::Sealing {
            self.stage.sealing_deadline_passed(place);
            return Some(Happened::Handshake { line: place });
        }
        if kind == Kind::Host {
            let before = self.stage.recorder.trace().records().len();
            self.call(place);
            let idle = self.stage.recorder.trace().records().len() == before;
            let again = self.last_call == Some((at, place));
            self.calls_at_once = if idle && again { self.calls_at_once + 1 } else { 0 };
            self.last_call = Some((at, place));
            return Some(Happened::Deadline { host: host_id(place) });
        }
        self.last_call = None;
        let (end, number, frame) = match self.stage.arrive(place)? {
            Arrived::Frame(end, number, frame) => (end, number, frame),
            Arrived::Nothing(end, number) => return Some(Happened::Arrival { host: end.host, number }),
        };
        match self.nodes.get_mut(usize::from(end.host.0)) {
            Some(Node::Internet(internet)) => {
                internet.frame_arrives(&mut self.stage, usize::from(end.interface), &frame);
            }
            Some(Node::Textbook(textbook)) => textbook.frame_arrives(&mut self.stage, &frame),
            None => {}
        }
        Some(Happened::Arrival { host: end.host, number })
    }

    fn call(&mut self, place: usize) {
        match self.nodes.get_mut(place) {
            Some(Node::Internet(internet)) => internet.deadline_passed(&mut self.stage),
            Some(Node::Textbook(textbook)) => textbook.deadline_passed(&mut self.stage),
            None => {}
        }
    }

    /// Textbook protocols begin by themselves; the others by their openings' deadlines; and all of
    /// them only when the lines that are sealed have their keys.
    fn begin(&mut self) {
        if self.begun || !self.stage.lines_are_open() {
            return;
        }
        self.begun = true;
        for (place, node) in self.nodes.iter_mut().enumerate() {
            match node {
                Node::Internet(internet) => internet.settle(&mut self.stage),
                Node::Textbook(textbook) => {
                    let message: &[u8] = if place == 0 { &self.message } else { &[] };
                    textbook.begin(&mut self.stage, message);
                }
            }
        }
    }

    /// Whether a host wants to be called at once, again and again, and nothing comes of it.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.calls_at_once >= MOST_CALLS_AT_ONCE
    }

    /// Whether nothing is left to happen but the end of TIME-WAIT.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        if !self.begun || self.stage.next_delivery().is_some() {
            return false;
        }
        self.nodes.iter().all(|node| match node {
            Node::Internet(internet) => {
                internet.poll_own_deadline().is_none()
                    && (internet.poll_deadline().is_none()
                        || internet
                            .host
                            .connections()
                            .all(|(_, _, state)| matches!(state, State::TimeWait | State::Closed)))
            }
            Node::Textbook(textbook) => textbook.poll_deadline(self.stage.now).is_none(),
        })
    }

    /// Lets everything happen until the recipe says that it is over.
    pub fn run(&mut self) -> Ended {
        loop {
            if let Some(ended) = self.step_of_run() {
                return ended;
            }
        }
    }

    /// One step of a run, or why there is none.
    pub fn step_of_run(&mut self) -> Option<Ended> {
        self.begin();
        if self.is_stuck() {
            return Some(Ended::Stuck);
        }
        if self.steps >= MOST_STEPS {
            return Some(Ended::TooMuch);
        }
        match self.stop {
            Stop::Quiet if self.is_quiet() => return Some(Ended::Quiet),
            Stop::At(end) if self.next_at().is_none_or(|at| at > Instant::ZERO + end) => {
                self.stage.now = Instant::ZERO + end;
                return Some(Ended::TimeIsUp);
            }
            Stop::Quiet | Stop::Empty | Stop::At(_) => {}
        }
        if self.step().is_none() { Some(Ended::Quiet) } else { None }
    }

    /// Lets everything happen that is due by this time, which becomes the time.
    pub fn run_until(&mut self, end: Instant) {
        while !self.is_stuck() && self.next_at().is_some_and(|at| at <= end) {
            if self.step().is_none() {
                break;
            }
        }
        self.stage.now = self.stage.now.max(end);
    }

    /// Lets so many things happen, or as many as there are.
    pub fn run_steps(&mut self, steps: u64) {
        for _ in 0..steps {
            if self.step().is_none() {
                return;
            }
        }
    }
}
