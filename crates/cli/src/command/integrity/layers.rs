//! One file through one layer, in a simulated world, and what came of it.

use std::time::Duration;

use aperto_app::{Bulk, Guest, Machine, bulk::Plan};
use aperto_explain::program::integrity::Layer;
use aperto_sim::channel::Direction;
use aperto_sim::channel::picks::{Action, Picks};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::{Opening, Protocol, Recipe, RecipeError, Sealing, Side};
use aperto_sim::scenes::BULK_PORT;
use aperto_sim::world::World;
use aperto_time::Instant;
use aperto_trace::recorder::Limits;
use aperto_trace::{ChannelEvent, Fact, HostId, Trace};

use super::dice;
use super::digest::{Answering, Asking};
use super::judge::Judge;
use super::plain::Plain;
use super::tls::{Reading, Sending, Settings, Trouble};

/// The client waits so long before it connects again, twice as long each time that nothing came of
/// it, up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// After so many connections in a row without progress it gives up.
const MOST_TRIES: u64 = 20;
/// No run takes longer than this, in virtual time.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 3_600);

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) layer: Layer,
    /// Packets that the channel damaged.
    pub(super) damaged: u64,
    /// How often somebody noticed.
    pub(super) noticed: u64,
    pub(super) delivered: u64,
    pub(super) of: u64,
    pub(super) wrong: u64,
    pub(super) spots: u64,
    pub(super) first_wrong: Option<u64>,
    /// TLS: connections that ended because a record did not open.
    pub(super) records: u64,
    /// TLS: those that ended before there were keys.
    pub(super) handshakes: u64,
    /// TLS: those that TCP cut off.
    pub(super) cut_off: u64,
    /// Connections beyond the first.
    pub(super) reconnects: u64,
    /// Octets of the datagrams that agreed on keys below TCP.
    pub(super) handshake_octets: u64,
    /// Octets that were put on the wire, both ways, with all headers.
    pub(super) wire_octets: u64,
    pub(super) complete_after: Option<Duration>,
}

impl Row {
    /// Octets of the file in a second, if it became whole.
    pub(super) fn goodput(&self) -> Option<u64> {
        let took = self.complete_after?.as_micros().max(1);
        u64::try_from(u128::from(self.of) * 1_000_000 / took).ok()
    }
}

/// Whether the whole trace is kept, to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keep {
    Trace,
    Nothing,
}

/// A file over a channel, of which seed, impairments and picks count.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) octets: u64,
    pub(super) channel: Recipe,
}

impl File {
    /// The same over a channel that damages nothing.
    pub(super) fn clean(&self) -> Self {
        let mut clean = self.clone();
        clean.channel.impair(None, |one| one.corruption = Probability::ZERO);
        let mut picks = Picks::new();
        self.channel
            .picks
            .iter()
            .filter(|pick| pick.action != Action::Corrupt)
            .for_each(|pick| picks.push(*pick));
        clean.channel.picks = picks;
        clean
    }

    /// The octets of the file.
    const fn seed(&self) -> u64 {
        self.channel.seed ^ 0xf11e
    }

    fn recipe(&self, layer: Layer, client: Machine, server: Machine) -> Recipe {
        let mut recipe = Recipe::new(Protocol::Tcp);
        recipe.seed = self.channel.seed;
        recipe.up = self.channel.up.clone();
        recipe.down = self.channel.down.clone();
        recipe.picks = self.channel.picks.clone();
        let mut one = Side::client().opening(client);
        one.openings.iter_mut().for_each(|opening| opening.remote_port = BULK_PORT);
        let mut other = Side::server().offering(server);
        other.services.iter_mut().for_each(|service| service.port = BULK_PORT);
        one.tcp = aperto_tcp::Config::modern();
        other.tcp = aperto_tcp::Config::modern();
        recipe.clients = vec![one];
        recipe.server = other;
        recipe.sealing = if layer == Layer::Aead { Sealing::Aead } else { Sealing::None };
        recipe
    }

    /// Sends it through a layer.
    pub(super) fn run(&self, layer: Layer, keep: Keep) -> Result<(Row, Trace), RecipeError> {
        let judge = Judge::new(self.seed(), self.octets);
        let source = || Machine::Bulk(Bulk::new(Plan::source(self.octets, self.seed())));
        let (client, server) = match layer {
            Layer::None | Layer::Aead => (guest(Plain::new(judge)), source()),
            Layer::Digest => (guest(Asking::new(judge)), guest(Answering::new(self.seed(), self.octets))),
            Layer::Tls => {
                dice::deal(self.channel.seed);
                let settings = Settings::new().map_err(|error| RecipeError::Host(error.to_string()))?;
                let sending = Sending::new(settings.clone(), self.seed(), self.octets);
                (guest(Reading::new(settings, judge, 1)), guest(sending))
            }
        };
        let limits = match keep {
            Keep::Trace => Limits::default(),
            Keep::Nothing => Limits { frame_octets: 0, text_octets: 0, ..Limits::default() },
        };
        let world = World::with_limits(&self.recipe(layer, client, server), limits)?;
        let mut run = Run { world, keep, damaged: 0, tries: Tries::default() };
        run.go();
        Ok(run.measure(layer, self.octets))
    }
}

fn guest(application: impl Guest) -> Machine {
    Machine::Guest(Box::new(application))
}

/// The client's connections over TLS, one after the other.
#[derive(Clone, Debug, Default)]
struct Tries {
    opened: u64,
    without_progress: u64,
    got: u64,
    wait: Duration,
    records: u64,
    handshakes: u64,
    cut_off: u64,
}

struct Run {
    world: World,
    keep: Keep,
    damaged: u64,
    tries: Tries,
}

impl Run {
    fn go(&mut self) {
        self.tries = Tries { opened: 1, wait: FIRST_WAIT, ..Tries::default() };
        let mut steps = 0_u32;
        loop {
            let ended = self.world.step_of_run().is_some();
            let opens_again = self.reconnect();
            steps = steps.wrapping_add(1);
            if self.keep == Keep::Nothing && steps.is_multiple_of(4_096) {
                self.forget();
            }
            let too_long = self.world.now().since(Instant::ZERO) > LONGEST_RUN;
            if (ended && !opens_again) || too_long {
                return self.forget();
            }
        }
    }

    /// Counts what the channel damaged, and lets go of the records if nobody wants to see them.
    fn forget(&mut self) {
        let damaged = |fact: &Fact| matches!(fact, Fact::Channel { what: ChannelEvent::Damaged { .. }, .. });
        let count = |records: &[aperto_trace::Record]| {
            records.iter().filter(|record| damaged(&record.fact)).count() as u64
        };
        match self.keep {
            Keep::Trace => self.damaged = count(self.world.trace().records()),
            Keep::Nothing => self.damaged += count(&self.world.recorder_mut().drain()),
        }
    }

    /// Opens another connection if the last one of TLS is of no more use; says whether it did.
    fn reconnect(&mut self) -> bool {
        let last = self.tries.opened;
        let reading = clients::<Reading>(&self.world).find(|reading| reading.number == last);
        let Some((trouble, reading)) =
            reading.and_then(|reading| Some((reading.trouble()?, reading.clone())))
        else {
            return false;
        };
        match trouble {
            Trouble::BadRecord | Trouble::BadRecordThere => self.tries.records += 1,
            Trouble::Handshake => self.tries.handshakes += 1,
            Trouble::CutOff => self.tries.cut_off += 1,
        }
        let got = reading.judge.taken();
        if got > self.tries.got {
            (self.tries.without_progress, self.tries.wait) = (0, FIRST_WAIT);
        } else {
            self.tries.without_progress += 1;
        }
        self.tries.got = got;
        if self.tries.without_progress >= MOST_TRIES {
            self.tries.opened += 1;
            return false;
        }
        let at = self.world.now().since(Instant::ZERO) + self.tries.wait;
        self.tries.wait = (self.tries.wait * 2).min(LONGEST_WAIT);
        self.tries.opened += 1;
        let next = reading.again(self.tries.opened);
        let opening = Opening { at, local_port: 0, remote_port: BULK_PORT, application: guest(next) };
        self.world.open(0, opening)
    }

    fn measure(self, layer: Layer, of: u64) -> (Row, Trace) {
        let world = &self.world;
        let (mut judge, mut complete_at, mut noticed) = (Judge::new(0, of), None, 0);
        match layer {
            Layer::None | Layer::Aead => {
                if let Some(plain) = clients::<Plain>(world).next() {
                    (judge, complete_at) = (plain.judge.clone(), plain.complete_at);
                }
            }
            Layer::Digest => {
                if let Some(asking) = clients::<Asking>(world).next() {
                    (judge, complete_at, noticed) =
                        (asking.judge.clone(), asking.complete_at, asking.asked_again);
                }
            }
            Layer::Tls => {
                if let Some(reading) = clients::<Reading>(world).max_by_key(|reading| reading.judge.taken()) {
                    (judge, complete_at) = (reading.judge.clone(), reading.complete_at);
                }
                noticed = self.tries.records + self.tries.handshakes;
            }
        }
        let sealing = Direction::ALL.map(|way| world.sealing(0, way).unwrap_or_default());
        let wire =
            Direction::ALL.map(|way| world.channel(0).map_or(0, |line| line.ledger(way).offered.octets));
        let row = Row {
            layer,
            damaged: self.damaged,
            noticed: noticed + sealing.iter().map(|counters| counters.damaged_or_forged).sum::<u64>(),
            delivered: judge.taken(),
            of,
            wrong: judge.wrong(),
            spots: judge.spots(),
            first_wrong: judge.first_wrong(),
            records: self.tries.records,
            handshakes: self.tries.handshakes,
            cut_off: self.tries.cut_off,
            reconnects: self.tries.opened.saturating_sub(1),
            handshake_octets: sealing.iter().map(|counters| counters.handshake_octets).sum(),
            wire_octets: wire.iter().sum(),
            complete_after: complete_at,
        };
        (row, self.world.into_trace())
    }
}

/// The client's applications of one kind.
fn clients<T: Guest>(world: &World) -> impl Iterator<Item = &T> {
    world.applications(HostId(0)).filter_map(|attached| match &attached.application {
        Machine::Guest(guest) => (**guest).as_any().downcast_ref::<T>(),
        _ => None,
    })
}
