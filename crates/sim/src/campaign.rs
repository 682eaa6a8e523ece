//! Random worlds by the thousand, each from one number.
//!
//! A seed first draws which dimensions of trouble exist at all, so that rare combinations occur, and
//! then their values; each dimension draws from a stream of its own, so one can be switched off
//! without changing the others, which is how a failure is made smaller ([`shrink`]).
//!
//! A run has two halves: first everything goes wrong that can (safety), then the channel is calmed
//! and everything must come to an end within a bound (liveness, I-21): each connection has moved
//! its octets whole, or says why not.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use aperto_app::bulk::Finish;
use aperto_app::{Application, Machine};
use aperto_tcp::End;
use aperto_time::Instant;
use aperto_trace::recorder::Limits;
use aperto_trace::{Fact, HostId};

mod dimension;
pub(crate) mod plot;

pub use dimension::{Dimension, Dimensions};
pub use plot::{Plot, plot, plot_with};

use crate::channel::picks::Picks;
use crate::invariants::{Broken, Invariant, Watcher};
use crate::recipe::RecipeError;
use crate::world::World;

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What went wrong in it.
    pub dimensions: Dimensions,
    /// How many things happened.
    pub steps: u64,
    /// How many frames left.
    pub frames: u64,
    /// How long it took, in its own time.
    pub virtual_time: Duration,
    /// How many records and connections were checked.
    pub checks: u64,
    /// Sides of connections that moved everything.
    pub whole: u32,
    /// Sides of connections that said why not.
    pub said_why: u32,
    /// A hash of all frames with their times.
    pub hash: u64,
    /// What was wrong, if anything was.
    pub failure: Option<Broken>,
}

/// Runs the world of a seed.
///
/// # Errors
///
/// The recipe cannot be run, which is a mistake of this file.
pub fn run(seed: u64) -> Result<Report, RecipeError> {
    Ok(run_plot(&plot(seed))?.0)
}

/// Runs the world of a seed with these dimensions; gives the world as it was at the end, too.
///
/// # Errors
///
/// The recipe cannot be run, which is a mistake of this file.
pub fn run_plot(plot: &Plot) -> Result<(Report, World), RecipeError> {
    let limits = Limits { records: 4_000_000, ..Limits::default() };
    let mut world = World::with_limits(&plot.recipe, limits)?;
    let mut watcher = Watcher::new(&plot.recipe);
    let failure = play(plot, &mut world, &mut watcher).err();
    let mut report = Report {
        seed: plot.recipe.seed,
        dimensions: plot.dimensions,
        steps: world.steps(),
        frames: 0,
        virtual_time: world.now().since(Instant::ZERO),
        checks: watcher.checks(),
        whole: 0,
        said_why: 0,
        hash: hash(&world),
        failure,
    };
    report.frames =
        world.trace().records().iter().filter(|record| matches!(record.fact, Fact::Left(_))).count() as u64;
    for host in [HostId(0), HostId(1)] {
        for attached in world.applications(host) {
            match attached.end {
                Some(End::Closed) => report.whole += 1,
                Some(_) | None => report.said_why += 1,
            }
        }
    }
    Ok((report, world))
}

/// Both halves of a run.
fn play(plot: &Plot, world: &mut World, watcher: &mut Watcher) -> Result<(), Broken> {
    let trouble_ends = Instant::ZERO + plot.trouble;
    while world.next_at().is_some_and(|at| at <= trouble_ends) {
        one_step(world, watcher)?;
    }
    for channel in world.channels_mut() {
        let settings = channel.settings_mut();
        settings.up = settings.up.calmed();
        settings.down = settings.down.calmed();
        settings.picks = Picks::new();
    }
    let end = trouble_ends + plot.patience;
    while world.next_at().is_some_and(|at| at <= end) {
        one_step(world, watcher)?;
    }
    if let Some(at) = world.next_at() {
        return Err(complaint(world, 21, format!("not over at {end}, the next thing is at {at}")));
    }
    watcher.nothing_is_left(world)?;
    all_is_told(plot, world, watcher)
}

/// Steps that a run may take.
const MOST_STEPS: u64 = 400_000;

fn one_step(world: &mut World, watcher: &mut Watcher) -> Result<(), Broken> {
    world.step();
    watcher.look(world)?;
    if world.steps() > MOST_STEPS {
        return Err(complaint(world, 21, format!("more than {MOST_STEPS} steps")));
    }
    Ok(())
}

fn complaint(world: &World, invariant: u8, what: String) -> Broken {
    Broken { invariant: Invariant(invariant), at: world.now(), step: world.steps(), what }
}

/// I-21 and I-01: every stream arrived whole, or its ends say why not.
fn all_is_told(plot: &Plot, world: &World, watcher: &Watcher) -> Result<(), Broken> {
    let sides: Vec<_> =
        [HostId(0), HostId(1)].into_iter().flat_map(|host| world.applications(host)).collect();
    for side in &sides {
        if watcher.is_replayed(world, side.endpoints) {
            continue;
        }
        let Machine::Bulk(bulk) = &side.application else { continue };
        if let Some(place) = bulk.wrong_at()
            && !plot.dimensions.has(Dimension::Repaired)
        {
            return Err(complaint(world, 1, format!("{:?} read a wrong octet at {place}", side.endpoints)));
        }
        let vanishes = matches!(bulk.plan().finish, Finish::ReleaseAt(_));
        if side.end.is_none() && !vanishes {
            let what = format!("{:?} was never told how it ended", side.endpoints);
            return Err(complaint(world, 21, what));
        }
        if side.end != Some(End::Closed) {
            continue;
        }
        let Some(peer) = sides.iter().find(|other| other.endpoints == side.endpoints.reversed()) else {
            return Err(complaint(world, 21, format!("{:?} closed with nobody", side.endpoints)));
        };
        let (received, sent) = (side.application.received(), peer.application.sent());
        let same =
            received == sent || (received.octets == sent.octets && plot.dimensions.has(Dimension::Repaired));
        if !same {
            let what = format!("{:?} closed well with {received:?}, its peer sent {sent:?}", side.endpoints);
            return Err(complaint(world, 21, what));
        }
    }
    Ok(())
}

/// A hash of all frames with their times: equal worlds have equal hashes, everywhere.
#[must_use]
pub fn hash(world: &World) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut absorb = |octets: &[u8]| {
        for &octet in octets {
            hash = (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for record in world.trace().records() {
        absorb(&record.at.as_nanos().to_le_bytes());
        match &record.fact {
            Fact::Left(packet) => absorb(&packet.frame),
            Fact::Arrived { number, copy, .. } => {
                absorb(&number.0.to_le_bytes());
                absorb(&copy.to_le_bytes());
            }
            _ => {}
        }
    }
    hash
}

/// The smallest set of a failing seed's dimensions in which the same invariant still breaks, found
/// by switching off one after the other.
///
/// # Errors
///
/// The recipe cannot be run, which is a mistake of this file.
pub fn shrink(seed: u64) -> Result<Option<(Dimensions, Broken)>, RecipeError> {
    let mut dimensions = Dimensions::of(seed);
    let Some(mut failure) = run_plot(&plot_with(seed, dimensions))?.0.failure else { return Ok(None) };
    loop {
        let mut smaller = None;
        for dimension in Dimension::ALL.into_iter().filter(|one| dimensions.has(*one)) {
            let fewer = dimensions.without(dimension);
            if let Some(broken) = run_plot(&plot_with(seed, fewer))?.0.failure
                && broken.invariant == failure.invariant
            {
                smaller = Some((fewer, broken));
                break;
            }
        }
        match smaller {
            Some((fewer, broken)) => (dimensions, failure) = (fewer, broken),
            None => return Ok(Some((dimensions, failure))),
        }
    }
}
