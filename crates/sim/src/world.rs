//! A world: hosts, the lines between them, applications, and a clock that only events move.
//!
//! [`World::step`] lets exactly one thing happen: one frame arrives, or one host's time comes. What
//! follows from it at that instant follows before it returns. At one instant, arrivals come first
//! (in the order in which the frames were sent), then the hosts' timers, in the order of the hosts.
//!
//! A world is `Clone`: a clone is a snapshot, and [`Timeline`] uses such to step back.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use aperto_arq::{Event as TextbookEvent, Receiver, Sender};
use aperto_host::{Config as HostConfig, FixedIsn, Host, Interface, Route};
use aperto_tcp::State;
use aperto_time::Instant;
use aperto_trace::recorder::{Limits, Recorder};
use aperto_trace::trace::Trace;
use aperto_trace::{Endpoints, HostId, HostInfo, InterfaceInfo, Link, LinkType, Role, Source, TraceHeader};
use aperto_wire::Cidr;

mod internet;
mod stage;
mod textbook;
mod timeline;

pub use internet::Attached;
use internet::Internet;
use stage::{End, Line, Stage};
use textbook::{TextbookHost, socket};
pub use timeline::Timeline;

use crate::channel::luck::Stream;
use crate::channel::{Channel, Classifier};
use crate::recipe::{CLIENT_PORT, Isn, Opening, Protocol, Recipe, RecipeError, SERVER_PORT, Side, Stop};

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

    /// The channel between one of the clients, from 0, and the server.
    #[must_use]
    pub fn channel(&self, client: usize) -> Option<&Channel> {
        self.stage.lines.get(client).map(|line| &line.channel)
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
        if !self.begun {
            return Some(self.stage.now);
        }
        self.next_event().map(|(at, _, _)| at)
    }

    /// The next event: when, whether it is a host's deadline, and which line or host.
    fn next_event(&self) -> Option<(Instant, bool, usize)> {
        let delivery = self.stage.next_delivery().map(|(at, line)| (at, false, line));
        let deadline = |(place, node): (usize, &Node)| {
            let at = match node {
                Node::Internet(internet) => internet.poll_deadline(),
                Node::Textbook(textbook) => textbook.poll_deadline(self.stage.now),
            };
            at.map(|at| (at.max(self.stage.now), true, place))
        };
        let deadlines = self.nodes.iter().enumerate().filter_map(deadline);
        deadlines.chain(delivery).min()
    }

    /// Lets the next thing happen; says what it was, or nothing if nothing is left.
    pub fn step(&mut self) -> Option<Happened> {
        self.begin();
        let (at, is_deadline, place) = self.next_event()?;
        self.stage.now = at;
        self.steps += 1;
        if is_deadline {
            let before = self.stage.recorder.trace().records().len();
            self.call(place);
            let idle = self.stage.recorder.trace().records().len() == before;
            let again = self.last_call == Some((at, place));
            self.calls_at_once = if idle && again { self.calls_at_once + 1 } else { 0 };
            self.last_call = Some((at, place));
            return Some(Happened::Deadline { host: host_id(place) });
        }
        self.last_call = None;
        let (end, delivery) = self.stage.arrive(place)?;
        match self.nodes.get_mut(usize::from(end.host.0)) {
            Some(Node::Internet(internet)) => {
                internet.frame_arrives(&mut self.stage, usize::from(end.interface), &delivery.octets);
            }
            Some(Node::Textbook(textbook)) => textbook.frame_arrives(&mut self.stage, &delivery.octets),
            None => {}
        }
        Some(Happened::Arrival { host: end.host, number: delivery.number })
    }

    fn call(&mut self, place: usize) {
        match self.nodes.get_mut(place) {
            Some(Node::Internet(internet)) => internet.deadline_passed(&mut self.stage),
            Some(Node::Textbook(textbook)) => textbook.deadline_passed(&mut self.stage),
            None => {}
        }
    }

    /// Textbook protocols begin by themselves; the others by their openings' deadlines.
    fn begin(&mut self) {
        if self.begun {
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

fn host_id(place: usize) -> HostId {
    HostId(u8::try_from(place).unwrap_or(u8::MAX))
}

/// The place of a client among the hosts: the server is the second.
const fn place_of_client(client: usize) -> usize {
    if client == 0 { 0 } else { client + 1 }
}

/// The place of the server among the hosts.
const SERVER: usize = 1;

fn line(recipe: &Recipe, client: usize) -> Line {
    Line {
        channel: Channel::new(recipe.channel(client)),
        ends: [
            End { host: host_id(place_of_client(client)), interface: 0 },
            End { host: host_id(SERVER), interface: u8::try_from(client).unwrap_or(u8::MAX) },
        ],
    }
}

/// What a trace of this recipe says about itself.
fn header(recipe: &Recipe) -> TraceHeader {
    let info = |side: &Side, role: Role, interfaces: usize| HostInfo {
        name: side.name.clone(),
        role,
        source: Source::Known,
        interfaces: (0..interfaces)
            .map(|place| InterfaceInfo {
                name: if place == 0 { side.name.clone() } else { numbered(&side.name, place) },
                addresses: vec![side.address],
                link_type: LinkType::Ip,
                mtu: u32::try_from(side.mtu).unwrap_or(u32::MAX),
            })
            .collect(),
    };
    let mut hosts: Vec<HostInfo> = recipe.clients.iter().map(|side| info(side, Role::Client, 1)).collect();
    hosts.insert(SERVER.min(hosts.len()), info(&recipe.server, Role::Server, recipe.clients.len()));
    TraceHeader {
        version: env!("CARGO_PKG_VERSION").to_string(),
        seed: Some(recipe.seed),
        command: String::new(),
        tag: None,
        wire: "sim".to_string(),
        protocol: recipe.protocol.name().to_string(),
        recipe: None,
        epoch_ns: None,
        hosts,
        link: Some(Link {
            delay_up: recipe.up.delay,
            delay_down: recipe.down.delay,
            rate_bits_per_second: recipe.up.rate.map(crate::quantity::Rate::bits_per_second),
            impairments: recipe.flags(),
        }),
    }
}

fn numbered(name: &str, place: usize) -> String {
    let mut text = name.to_string();
    text.push('-');
    text.push_str(&(place + 1).to_string());
    text
}

fn textbook_nodes(recipe: &Recipe, protocol: aperto_arq::Protocol) -> Result<Vec<Node>, RecipeError> {
    let client = recipe.clients.first().ok_or(RecipeError::NoClient)?;
    let endpoints = Endpoints {
        source: socket(client.address, CLIENT_PORT),
        destination: socket(recipe.server.address, SERVER_PORT),
    };
    let sender = Sender::new(protocol, recipe.textbook.clone()).map_err(RecipeError::Textbook)?;
    let receiver = Receiver::new(protocol, recipe.textbook.clone()).map_err(RecipeError::Textbook)?;
    let end = |place| End { host: host_id(place), interface: 0 };
    let client = TextbookHost::sender(end(0), endpoints, sender, &recipe.message, recipe.spacing)?;
    let server = TextbookHost::receiver(end(SERVER), endpoints.reversed(), receiver);
    Ok(vec![Node::Textbook(Box::new(client)), Node::Textbook(Box::new(server))])
}

fn internet_nodes(recipe: &Recipe, stage: &mut Stage) -> Result<Vec<Node>, RecipeError> {
    let mut nodes = Vec::new();
    for (place, side) in recipe.clients.iter().enumerate() {
        let peers = [recipe.server.address];
        let mut internet = internet(recipe, side, place_of_client(place), &peers);
        equip(recipe, side, &mut internet, recipe.server.address, stage)?;
        if recipe.protocol == Protocol::Udp && place == 0 {
            let (payload, spacing) = (usize::from(recipe.textbook.payload_octets), recipe.spacing);
            let remote = socket(recipe.server.address, SERVER_PORT);
            internet.talk(CLIENT_PORT, remote, &recipe.message, payload, spacing, None, stage.now)?;
        }
        nodes.push(Node::Internet(Box::new(internet)));
    }
    let peers: Vec<IpAddr> = recipe.clients.iter().map(|side| side.address).collect();
    let mut server = internet(recipe, &recipe.server, SERVER, &peers);
    let first = peers.first().copied().ok_or(RecipeError::NoClient)?;
    equip(recipe, &recipe.server, &mut server, first, stage)?;
    if recipe.protocol == Protocol::Udp {
        let application = recipe.server.services.first().map(|service| service.application.clone());
        let (remote, payload) = (socket(first, CLIENT_PORT), usize::from(recipe.textbook.payload_octets));
        server.talk(SERVER_PORT, remote, &[], payload, Duration::ZERO, application, stage.now)?;
    }
    nodes.insert(SERVER.min(nodes.len()), Node::Internet(Box::new(server)));
    Ok(nodes)
}

/// Opens what a side opens and offers what it offers.
fn equip(
    recipe: &Recipe,
    side: &Side,
    internet: &mut Internet,
    peer: IpAddr,
    stage: &mut Stage,
) -> Result<(), RecipeError> {
    if recipe.protocol == Protocol::Tcp {
        for service in &side.services {
            internet.offer(stage, service)?;
        }
        for opening in &side.openings {
            internet.plan(opening.clone(), peer);
        }
    }
    Ok(())
}

/// A host with an interface for each peer.
fn internet(recipe: &Recipe, side: &Side, place: usize, peers: &[IpAddr]) -> Internet {
    let mut secret = [0; 32];
    let mut stream = Stream::new(recipe.seed ^ (place as u64) << 56);
    for chunk in secret.chunks_mut(8) {
        let bits = stream.bits().to_le_bytes();
        chunk.copy_from_slice(bits.get(..chunk.len()).unwrap_or_default());
    }
    let is_server = place == SERVER;
    let fixed_isn = match recipe.isn {
        Isn::Fixed { client, server } => {
            let own = if is_server { server } else { client };
            Some(FixedIsn { active: own, passive: own })
        }
        Isn::FromSeed => None,
    };
    let config = HostConfig {
        tcp: Arc::new(side.tcp.clone()),
        secret,
        sequential_ports: true,
        fixed_isn,
        ..HostConfig::default()
    };
    let mut host = Host::new(config);
    let whole = if side.address.is_ipv4() { 32 } else { 128 };
    for (number, peer) in peers.iter().enumerate() {
        let addresses: Vec<Cidr> = Cidr::new(side.address, whole).into_iter().collect();
        let name = if number == 0 { side.name.clone() } else { numbered(&side.name, number) };
        let interface = host.add_interface(Interface::ip(&name, side.mtu, &addresses));
        if let Some(to) = Cidr::new(*peer, whole) {
            host.add_route(Route { to, via: None, interface });
        }
    }
    host.watch(aperto_tcp::Watch::On);
    Internet::new(host, End { host: host_id(place), interface: 0 }, side.address, side.mtu)
}
