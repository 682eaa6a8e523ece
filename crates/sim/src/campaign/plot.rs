//! From a seed to a world: hosts, channel and applications, each dimension drawn for itself.

use alloc::format;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use aperto_app::bulk::{Finish, Plan};
use aperto_app::{Bulk, Machine, Pace};
use aperto_tcp::KeepAlive;
use aperto_time::Instant;
use aperto_wire::SeqNumber;

use super::{Dimension, Dimensions};
use crate::channel::luck::Stream;
use crate::channel::picks::{Action, Picks};
use crate::channel::{Burst, Corruption, Direction, Impairments, Outage};
use crate::quantity::{Probability, Rate};
use crate::recipe::{Isn, Opening, Protocol, Recipe, Service, Side, Stop};

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What goes wrong.
    pub dimensions: Dimensions,
    /// The world.
    pub recipe: Recipe,
    /// How long things go wrong.
    pub trouble: Duration,
    /// How long everything may take after that.
    pub patience: Duration,
}

/// Draws numbers for one dimension.
fn stream(seed: u64, dimension: Dimension) -> Stream {
    Stream::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (dimension as u64 + 1) << 40)
}

/// A number between two, evenly among its orders of magnitude.
pub(crate) fn magnitude(stream: &mut Stream, least: u64, most: u64) -> u64 {
    let (low, high) = (u64::from(least.max(1).ilog2()), u64::from(most.max(1).ilog2()));
    let order = stream.between(low, high);
    let from = (1_u64 << order).max(least);
    let to = ((1_u64 << order) * 2 - 1).clamp(from, most.max(from));
    stream.between(from, to)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The world of a seed.
#[must_use]
pub fn plot(seed: u64) -> Plot {
    plot_with(seed, Dimensions::of(seed))
}

/// The world of a seed, with these dimensions.
#[must_use]
pub fn plot_with(seed: u64, dimensions: Dimensions) -> Plot {
    let mut recipe = Recipe::new(Protocol::Tcp);
    recipe.seed = seed;
    recipe.stop = Stop::Empty;
    recipe.isn = Isn::FromSeed;
    if dimensions.has(Dimension::Wrap) {
        let mut draw = stream(seed, Dimension::Wrap);
        let near = |draw: &mut Stream| {
            SeqNumber::new(u32::MAX - u32::try_from(magnitude(draw, 1, 1 << 16)).unwrap_or(0))
        };
        recipe.isn = Isn::Fixed { client: near(&mut draw), server: near(&mut draw) };
    }
    if dimensions.has(Dimension::Ipv6) {
        recipe.clients[0].address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).into();
        recipe.server.address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2).into();
    } else {
        recipe.clients[0].address = Ipv4Addr::new(10, 0, 0, 1).into();
    }
    sides(seed, dimensions, &mut recipe);
    let mut end = Stream::new(seed ^ 0x7472_6f75_626c_6500);
    let trouble = ms(magnitude(&mut end, 50, 60_000));
    for direction in Direction::ALL {
        let impairments = impairments(seed, dimensions, direction, trouble);
        recipe.impair(Some(direction), |one| one.clone_from(&impairments));
    }
    if dimensions.has(Dimension::Picks) {
        recipe.picks = picks(seed);
    }
    let patience = applications(seed, dimensions, &mut recipe);
    Plot { dimensions, recipe, trouble, patience }
}

/// What one direction of the channel does.
pub(crate) fn impairments(
    seed: u64,
    dimensions: Dimensions,
    direction: Direction,
    trouble: Duration,
) -> Impairments {
    let mut one = Impairments::only_delay(ms(20));
    let draw = |dimension| {
        let mut draw = stream(seed, dimension);
        // The first draws are for the way up, the next for the way down.
        for _ in 0..8 * direction as u32 {
            draw.bits();
        }
        draw
    };
    if dimensions.has(Dimension::Loss) {
        let millionths = draw(Dimension::Loss).one_of([0, 1_000, 10_000, 50_000, 100_000, 300_000]);
        one.loss = Probability::from_millionths(millionths);
    }
    if dimensions.has(Dimension::Bursts) {
        let mut draw = draw(Dimension::Bursts);
        one.burst = Some(Burst {
            calm: ms(magnitude(&mut draw, 10, 20_000)),
            bad: ms(magnitude(&mut draw, 1, 2_000)),
            loss: Probability::from_percent(draw.one_of([20, 50, 100])),
        });
    }
    if dimensions.has(Dimension::Duplication) {
        let mut draw = draw(Dimension::Duplication);
        one.duplication = Probability::from_percent(draw.one_of([1, 5, 20, 50]));
        one.copies = draw.one_of([1, 1, 2, 5]);
        one.copy_delay = ms(draw.one_of([0, 1, 50, 500, 5_000]));
    }
    if dimensions.has(Dimension::Reordering) {
        let mut draw = draw(Dimension::Reordering);
        one.reordering = Probability::from_percent(draw.one_of([1, 5, 20]));
        one.hold = ms(magnitude(&mut draw, 1, 2_000));
    }
    if dimensions.has(Dimension::Corruption) {
        let mut draw = draw(Dimension::Corruption);
        one.corruption = Probability::from_millionths(draw.one_of([1_000, 10_000, 50_000]));
        one.flips = draw.one_of([1, 2, 8, 64]);
    } else if dimensions.has(Dimension::Repaired) {
        one.corruption = Probability::from_percent(draw(Dimension::Repaired).one_of([1, 5]));
        one.checksum = Corruption::RepairsChecksum;
    }
    if dimensions.has(Dimension::Delay) {
        one.delay = Duration::from_micros(magnitude(&mut draw(Dimension::Delay), 10, 2_000_000));
    }
    if dimensions.has(Dimension::Jitter) {
        one.jitter = one.delay / draw(Dimension::Jitter).one_of([1, 2, 4, 10]);
    }
    if dimensions.has(Dimension::Rate) {
        let mut draw = draw(Dimension::Rate);
        one.rate =
            Some(Rate::from_kilobits(u32::try_from(magnitude(&mut draw, 64, 1_000_000)).unwrap_or(u32::MAX)));
        one.queue = usize::try_from(magnitude(&mut draw, 1, 1_000)).unwrap_or(1);
    }
    if dimensions.has(Dimension::Outages) {
        let mut draw = draw(Dimension::Outages);
        let mut from = Duration::ZERO;
        for _ in 0..draw.between(1, 3) {
            from += ms(magnitude(&mut draw, 1, 20_000));
            let to = from + ms(magnitude(&mut draw, 100, 60_000));
            one.outages.push(Outage { from: Instant::ZERO + from, to: Instant::ZERO + to.min(trouble) });
            from = to;
        }
    }
    one
}

/// A few certain segments.
pub(crate) fn picks(seed: u64) -> Picks {
    let mut draw = stream(seed, Dimension::Picks);
    let mut picks = Picks::new();
    for _ in 0..draw.between(1, 6) {
        let kind = draw.one_of(["syn", "synack", "fin", "ack", "data", "rst", "probe"]);
        let ordinal = magnitude(&mut draw, 1, 30);
        let direction = draw.one_of(["", "up:", "down:"]);
        let first = if matches!(kind, "syn" | "synack" | "fin") { 1 } else { ordinal };
        let text = format!("{direction}{kind}:{first}");
        let more = match draw.between(0, 3) {
            0 => Picks::parse(Action::Corrupt, &text),
            1 => Picks::parse(Action::Duplicate, &text),
            2 => Picks::parse_delays(&format!("{text}={}ms", magnitude(&mut draw, 1, 5_000))),
            _ => Picks::parse(Action::Drop, &text),
        };
        picks.extend(&more.unwrap_or_default());
    }
    picks
}

/// The settings of both hosts.
fn sides(seed: u64, dimensions: Dimensions, recipe: &mut Recipe) {
    let modern = Stream::new(seed ^ 0x7072_6573_6574).one_of([0, 0, 1, 2]);
    for (place, side) in [&mut recipe.clients[0], &mut recipe.server].into_iter().enumerate() {
        let draw = |dimension| {
            let mut draw = stream(seed, dimension);
            for _ in 0..16 * place {
                draw.bits();
            }
            draw
        };
        side.tcp = match modern {
            0 => aperto_tcp::Config::modern(),
            1 => aperto_tcp::Config::rfc1122(),
            _ => aperto_tcp::Config::classroom(),
        };
        side.tcp.msl = Duration::from_secs(5);
        // Without it, a connection whose peer is gone, and whose reset was lost, waits for ever.
        side.tcp.keep_alive =
            Some(KeepAlive { idle: Duration::from_secs(60), interval: Duration::from_secs(10), probes: 5 });
        if dimensions.has(Dimension::Mtu) {
            let least = if side.address.is_ipv4() { 576 } else { 1_280 };
            side.mtu =
                usize::try_from(draw(Dimension::Mtu).one_of([least, 1_280, 1_500, 9_000])).unwrap_or(1_500);
        }
        if dimensions.has(Dimension::Options) {
            let mut draw = draw(Dimension::Options);
            side.tcp.sack = !draw.one_in(2);
            side.tcp.timestamps = !draw.one_in(2);
            side.tcp.window_scaling = !draw.one_in(2);
        }
        if dimensions.has(Dimension::Buffers) {
            let mut draw = draw(Dimension::Buffers);
            let sizes = [100, 600, 1_460, 4_096, 16_384, 65_535, 300_000, 1 << 20];
            side.tcp.send_buffer = draw.one_of(sizes);
            side.tcp.receive_buffer = draw.one_of(sizes);
            let window = u32::try_from(side.tcp.receive_buffer).unwrap_or(u32::MAX);
            side.tcp.initial_receive_window = side.tcp.initial_receive_window.min(window);
        }
        if dimensions.has(Dimension::Settings) {
            let mut draw = draw(Dimension::Settings);
            side.tcp.nagle = !draw.one_in(2);
            side.tcp.delayed_ack = ms(draw.one_of([0, 40, 200, 499]));
            side.tcp.initial_window_segments = draw.one_of([None, Some(1), Some(10)]);
            side.tcp.limited_transmit = !draw.one_in(2);
            side.tcp.rto_min = ms(draw.one_of([200, 1_000]));
            side.tcp.max_pieces = draw.one_of([1, 4, 1_024]);
        }
    }
}

/// How fast somebody reads or writes, and how long that makes it take.
fn pace(draw: &mut Stream, octets: u64) -> (Pace, Duration) {
    let pieces = magnitude(draw, 1, 200);
    let size = usize::try_from(octets.div_ceil(pieces).max(1)).unwrap_or(usize::MAX);
    let every = ms(magnitude(draw, 1, 500));
    match draw.between(0, 3) {
        0 | 1 => (Pace::Full, Duration::ZERO),
        2 => {
            let after = ms(magnitude(draw, 1, 10_000));
            (Pace::From(after), after)
        }
        _ => {
            let pieces = u32::try_from(octets.div_ceil(size as u64) + 1).unwrap_or(u32::MAX);
            (Pace::Steady { octets: size, every }, every * pieces)
        }
    }
}

/// One side's plan, and how long its paces make it take.
fn side_plan(
    draw: &mut Stream,
    dimensions: Dimensions,
    octets: u64,
    peer_octets: u64,
    seeds: (u64, u64),
) -> (Plan, Duration) {
    let write = usize::try_from(magnitude(draw, 1, 1 << 16)).unwrap_or(1);
    // A writer of single octets makes a segment of each.
    let write = write.max(usize::try_from(octets / 2_000).unwrap_or(1)).max(1);
    let mut plan = Plan { write, expects: Some(seeds.1), ..Plan::source(octets, seeds.0) };
    let mut takes = Duration::ZERO;
    if dimensions.has(Dimension::Paces) {
        let (write_pace, writing) = pace(draw, octets);
        let (read_pace, reading) = pace(draw, peer_octets);
        plan.write_pace = write_pace;
        plan.read_pace = read_pace;
        takes = writing + reading;
    }
    (plan, takes)
}

/// When the two sides of a connection stop: at least one of them without waiting for the other.
fn finishes(draw: &mut Stream, dimensions: Dimensions) -> (Finish, Finish) {
    if !dimensions.has(Dimension::Closers) {
        return draw.one_of([
            (Finish::CloseWhenWritten, Finish::CloseAfterPeer),
            (Finish::CloseAfterPeer, Finish::CloseWhenWritten),
            (Finish::CloseWhenWritten, Finish::CloseWhenWritten),
        ]);
    }
    let at = ms(magnitude(draw, 1, 30_000));
    let active = draw.one_of([
        Finish::CloseAt(at),
        Finish::CloseAt(at),
        Finish::AbortAt(at),
        Finish::ReleaseAt(at),
        Finish::CloseWhenWritten,
    ]);
    let at = ms(magnitude(draw, 1, 30_000));
    let passive = draw.one_of([
        Finish::CloseAt(at),
        Finish::AbortAt(at),
        Finish::ReleaseAt(at),
        Finish::CloseWhenWritten,
        Finish::CloseAfterPeer,
    ]);
    if draw.one_in(2) { (active, passive) } else { (passive, active) }
}

/// What both hosts do; gives how long it may take once the channel is calm.
fn applications(seed: u64, dimensions: Dimensions, recipe: &mut Recipe) -> Duration {
    let connections =
        if dimensions.has(Dimension::Many) { stream(seed, Dimension::Many).between(2, 5) } else { 1 };
    let buffer = recipe.clients[0]
        .tcp
        .send_buffer
        .min(recipe.clients[0].tcp.receive_buffer)
        .min(recipe.server.tcp.send_buffer)
        .min(recipe.server.tcp.receive_buffer) as u64;
    // So that the transfer takes some hundreds of round trips at most.
    let most = (buffer * 100).min(1_000_000);
    let mut patience = Duration::ZERO;
    for number in 0..connections {
        let mut draw = Stream::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ number << 48);
        let size = |draw: &mut Stream| match draw.between(0, 4) {
            0 => 0,
            1 => draw.between(most / 4, most),
            _ => magnitude(draw, 1, most),
        };
        let (up, down) = (size(&mut draw), size(&mut draw));
        let seeds = (draw.bits(), draw.bits());
        let (mut client, client_takes) = side_plan(&mut draw, dimensions, up, down, seeds);
        let (mut server, server_takes) = side_plan(&mut draw, dimensions, down, up, (seeds.1, seeds.0));
        (client.finish, server.finish) = finishes(&mut draw, dimensions);
        let port = 7_000 + u16::try_from(number).unwrap_or(0);
        let at = ms(magnitude(&mut draw, 1, 5_000) - 1);
        connect(recipe, dimensions, port, at, (client, server));
        patience = patience.max(client_takes + server_takes);
    }
    patience + bound(recipe, most * connections * 2, buffer)
}

/// Adds one connection to a recipe.
fn connect(recipe: &mut Recipe, dimensions: Dimensions, port: u16, at: Duration, plans: (Plan, Plan)) {
    let machine = |plan| Machine::Bulk(Bulk::new(plan));
    if dimensions.has(Dimension::SimultaneousOpen) {
        let opening = |plan| Opening { at, local_port: port, remote_port: port, application: machine(plan) };
        recipe.clients[0].openings.push(opening(plans.0));
        recipe.server.openings.push(opening(plans.1));
        return;
    }
    let opening = Opening { at, local_port: 0, remote_port: port, application: machine(plans.0) };
    recipe.clients[0].openings.push(opening);
    if !dimensions.has(Dimension::Refused) {
        recipe.server.services.push(Service { port, backlog: 16, application: machine(plans.1) });
    }
}

/// I-21: how long everything may take on a calm channel: the timers that may be running, then the
/// octets at a window of the smallest buffer for each round trip, and at the line's rate.
fn bound(recipe: &Recipe, octets: u64, buffer: u64) -> Duration {
    let config = |side: &Side| {
        side.tcp.user_timeout.max(side.tcp.syn_timeout) + side.tcp.rto_max * 4 + side.tcp.orphan_timeout * 2
    };
    let timers = config(&recipe.clients[0]).max(config(&recipe.server));
    let round_trip = recipe.up.delay + recipe.down.delay + recipe.up.jitter + recipe.down.jitter + ms(500);
    let window = buffer.clamp(1, 1_000);
    let round_trips = u32::try_from(octets / window + 50).unwrap_or(u32::MAX);
    let rate = recipe.up.rate.into_iter().chain(recipe.down.rate).min();
    // Forty octets of header for each octet at worst is what a writer of single octets makes.
    let line = rate.map_or(Duration::ZERO, |rate| {
        rate.time_of(usize::try_from(octets * 4 + 2_000_000).unwrap_or(usize::MAX))
    });
    timers + round_trip * round_trips + line * 2
}
