//! What must hold after every event of a world, whatever the channel does.
//!
//! A [`Watcher`] reads the records that a step has added, keeps a shadow of each connection in
//! 64-bit numbers ([`shadow`]), and looks at the connections' STATUS. What it knows it knows from the
//! wire, the calls and the deliveries, not from the engine, so it can contradict it.
//!
//! | | checked here |
//! | --- | --- |
//! | I-01 | octets delivered are a prefix of octets written, octet by octet |
//! | I-02 | SND.UNA ≤ SND.NXT, RCV.NXT never back |
//! | I-03 | acknowledgments never go back, and never beyond what arrived without a hole |
//! | I-04 | nothing beyond the highest right edge ever offered, but a probe of one octet |
//! | I-05 | the right edge never moves left, the window fits the buffer |
//! | I-06 | octets buffered are octets written less acknowledged, received less read |
//! | I-07 | sent + copied = delivered + lost + in flight, by frame and by octet |
//! | I-08 | each move of the state is an arc of the diagram |
//! | I-09 | whatever waits for the peer has a timer |
//! | I-10 | the timeout stays in its bounds and doubles |
//! | I-11 | the congestion window is one segment at least |
//! | I-12 | no segment beyond the peer's MSS or the MTU; every frame is read again as sound |
//! | I-13 | SACK blocks name only octets that have arrived, inside the window |
//! | I-14 | a reset is never answered by a reset |
//! | I-15 | challenge acknowledgments keep their interval; acknowledgments need a cause each |
//! | I-17 | a side's timestamps never run backwards |
//! | I-18 | an ending is told once |
//! | I-19 | buffers keep their bounds; nothing is left after all is closed |
//! | I-20 | time never runs backwards, nobody is called again and again for nothing |
//! | I-21 | once faults stop, every transfer ends whole or says why (`campaign`) |
//! | I-22 | one connection for one pair of endpoints |
//!
//! Left out, for want of attackers in these worlds: I-16, I-23, I-24.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use core::fmt;

use aperto_tcp::State;
use aperto_time::Instant;
use aperto_trace::{Fact, FlowId, HostId, Vantage};

mod shadow;
mod wire_checks;

use shadow::Shadow;

use crate::channel::{Corruption, Direction};
use crate::recipe::{Isn, Recipe};
use crate::world::World;

/// The invariants, by their numbers in the list above.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Invariant(pub u8);

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I-{:02}", self.0)
    }
}

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which.
    pub invariant: Invariant,
    /// When.
    pub at: Instant,
    /// After which step.
    pub step: u64,
    /// What was seen, in English, for developers.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}, step {}: {}", self.invariant, self.at, self.step, self.what)
    }
}

/// What one check says.
type Check = Result<(), (u8, String)>;

/// Says no.
fn broken<T>(number: u8, what: String) -> Result<T, (u8, String)> {
    Err((number, what))
}

/// What the settings of a host allow.
#[derive(Clone, Debug)]
struct Limits {
    mtu: usize,
    tcp: aperto_tcp::Config,
}

/// Watches a world.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// Records that have been looked at.
    seen: usize,
    shadows: BTreeMap<FlowId, Shadow>,
    limits: BTreeMap<HostId, Limits>,
    /// Whether each connection begins with the same numbers.
    fixed_isn: bool,
    /// Whether damaged octets may reach an application.
    repairs: bool,
    last_at: Instant,
    /// When a reset arrived at a host, where nothing else of its connection has arrived since.
    reset_at: BTreeMap<(HostId, FlowId), Instant>,
    checks: u64,
}

impl Watcher {
    /// Watches a world of this recipe, from its beginning.
    #[must_use]
    pub fn new(recipe: &Recipe) -> Self {
        let sides =
            recipe.clients.iter().take(1).chain([&recipe.server]).chain(recipe.clients.iter().skip(1));
        let limits = sides.enumerate().map(|(place, side)| {
            let host = HostId(u8::try_from(place).unwrap_or(u8::MAX));
            (host, Limits { mtu: side.mtu, tcp: side.tcp.clone() })
        });
        let repairs = [&recipe.up, &recipe.down]
            .iter()
            .any(|impairments| impairments.checksum == Corruption::RepairsChecksum);
        Self {
            seen: 0,
            shadows: BTreeMap::new(),
            limits: limits.collect(),
            repairs,
            fixed_isn: matches!(recipe.isn, Isn::Fixed { .. }),
            last_at: Instant::ZERO,
            reset_at: BTreeMap::new(),
            checks: 0,
        }
    }

    /// Whether an old connection between these endpoints may have been played again from its
    /// duplicates: only where initial sequence numbers are fixed, for lessons.
    ///
    /// RFC 9293 §3.4.1 has clocks and secrets against it.
    #[must_use]
    pub fn is_replayed(&self, world: &World, endpoints: aperto_trace::Endpoints) -> bool {
        self.fixed_isn
            && world.trace().flows().any(|flow| {
                flow.endpoints.is_same_pair(endpoints)
                    && self.shadows.get(&flow.id).is_some_and(|shadow| shadow.haunted)
            })
    }

    /// How many records and connections have been checked.
    #[must_use]
    pub const fn checks(&self) -> u64 {
        self.checks
    }

    /// Looks at what a step has done.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn look(&mut self, world: &World) -> Result<(), Broken> {
        self.look_inside(world).map_err(|(number, what)| Broken {
            invariant: Invariant(number),
            at: world.now(),
            step: world.steps(),
            what,
        })
    }

    fn look_inside(&mut self, world: &World) -> Check {
        let records = world.trace().records();
        let mut touched = BTreeSet::new();
        for record in records.get(self.seen..).unwrap_or_default() {
            self.checks += 1;
            if record.at < self.last_at {
                return broken(20, format!("a record of {} after one of {}", record.at, self.last_at));
            }
            self.last_at = record.at;
            let Some(flow) = record.flow else { continue };
            if let Vantage::Host { host, .. } = record.vantage {
                touched.insert(host);
                self.look_at(world, flow, host, record.at, &record.fact)?;
            }
        }
        self.seen = records.len();
        if world.is_stuck() {
            return broken(20, format!("a host wants to be called at {} again and again", world.now()));
        }
        conservation(world)?;
        for host in touched {
            self.look_at_host(world, host)?;
        }
        Ok(())
    }

    fn look_at(&mut self, world: &World, flow: FlowId, host: HostId, at: Instant, fact: &Fact) -> Check {
        let Some(info) = world.trace().flow(flow) else { return Ok(()) };
        if info.protocol != aperto_trace::Protocol::Tcp {
            return Ok(());
        }
        let Some(limits) = self.limits.get(&host) else { return Ok(()) };
        let side = if info.client == Some(host) { Direction::Up } else { Direction::Down };
        let shadow = self.shadows.entry(flow).or_default();
        if shadow.haunted && self.fixed_isn {
            return Ok(());
        }
        match fact {
            Fact::Left(packet) => {
                let reset_now = self.reset_at.get(&(host, flow)) == Some(&at);
                wire_checks::frame(packet, limits)?;
                wire_checks::segment_leaves(shadow, side, packet, limits, at, reset_now)
            }
            Fact::Arrived { number, packet: damaged, .. } => {
                let Some(packet) = world.trace().packet(*number) else { return Ok(()) };
                if packet.tcp().is_some_and(|segment| segment.header.control.rst()) {
                    self.reset_at.insert((host, flow), at);
                } else {
                    self.reset_at.remove(&(host, flow));
                }
                if damaged.is_none() || self.repairs {
                    shadow.segment_arrives(side, packet);
                }
                Ok(())
            }
            Fact::State { from, to, cause, .. } => shadow.state_moves(side, *from, *cause, *to),
            Fact::Note(note) => shadow.note(side, note, limits, at),
            Fact::Call(aperto_trace::Call::Send { octets, .. }) => {
                shadow.written(side, octets);
                Ok(())
            }
            Fact::Call(aperto_trace::Call::Release) => {
                shadow.released(side);
                Ok(())
            }
            Fact::Delivered { octets, .. } => shadow.delivered(side, octets, self.repairs),
            Fact::Event(aperto_tcp::Event::Ended(end)) => shadow.ended(side, *end),
            _ => Ok(()),
        }
    }

    /// Looks at the connections of a host from inside.
    fn look_at_host(&mut self, world: &World, host: HostId) -> Check {
        let Some(inside) = world.host(host) else { return Ok(()) };
        let Some(limits) = self.limits.get(&host) else { return Ok(()) };
        let mut pairs = BTreeSet::new();
        for (_, endpoints, state) in inside.connections() {
            if state != State::Closed && !pairs.insert(endpoints) {
                return broken(22, format!("two connections of {endpoints}"));
            }
        }
        for (id, attached) in world.attached(host) {
            let Some(connection) = inside.connection(id) else { continue };
            let flow = world.trace().flows().filter(|flow| {
                flow.protocol == aperto_trace::Protocol::Tcp && flow.direction(attached.endpoints).is_some()
            });
            let Some(flow) = flow.last() else { continue };
            let side = if flow.client == Some(host) { Direction::Up } else { Direction::Down };
            self.checks += 1;
            let Some(shadow) = self.shadows.get_mut(&flow.id) else { continue };
            shadow.look_inside(side, &connection.status(), limits)?;
        }
        Ok(())
    }

    /// What must hold when everything is over: nothing is left anywhere.
    ///
    /// # Errors
    ///
    /// What is left.
    pub fn nothing_is_left(&self, world: &World) -> Result<(), Broken> {
        for place in 0..world.hosts() {
            let host = HostId(u8::try_from(place).unwrap_or(u8::MAX));
            let Some(inside) = world.host(host) else { continue };
            if let Some((_, endpoints, state)) =
                inside.connections().find(|(_, _, state)| *state != State::Listen)
            {
                let what = format!("host {}: {endpoints} is still there, in {state}", host.0);
                return Err(Broken { invariant: Invariant(19), at: world.now(), step: world.steps(), what });
            }
        }
        Ok(())
    }
}

/// More frames on their way than are counted after every step.
const MANY_FRAMES: usize = 200;

/// I-07: what was sent into a channel is somewhere.
fn conservation(world: &World) -> Check {
    let mut client = 0;
    while let Some(channel) = world.channel(client) {
        for direction in Direction::ALL {
            // Counting takes as long as there are frames on their way: not after every step of many.
            if channel.flying().len() > MANY_FRAMES && !world.steps().is_multiple_of(256) {
                continue;
            }
            let (ledger, flying) = (channel.ledger(direction), channel.in_flight(direction));
            let came =
                (ledger.offered.frames + ledger.copied.frames, ledger.offered.octets + ledger.copied.octets);
            let went = (
                ledger.delivered.frames + ledger.lost.frames + flying.frames,
                ledger.delivered.octets + ledger.lost.octets + flying.octets,
            );
            if came != went {
                return broken(7, format!("{direction}: {came:?} came, {went:?} went"));
            }
        }
        client += 1;
    }
    Ok(())
}
