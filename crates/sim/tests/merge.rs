//! A simulated run, cut into what each end saw of it by a clock of its own, and merged again: the
//! simulator knows what really happened.

#![cfg(test)]

use std::collections::BTreeMap;

use aperto_sim::channel::{Impairments, Preset};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::Recipe;
use aperto_sim::scenes;
use aperto_sim::world::World;
use std::time::Duration;

use aperto_time::Instant;
use aperto_trace::merge::{Clocks, MergeError, Report, Which, merge};
use aperto_trace::{Endpoints, Fact, HostId, LossCause, Number, Packet, Record, Trace, Vantage};

fn run(recipe: &Recipe) -> Trace {
    let mut world = World::new(recipe).unwrap();
    world.run();
    world.into_trace()
}

/// What one host saw, by a clock that began at another time.
fn half(whole: &Trace, host: u8, epoch_ns: u64) -> Trace {
    let mut header = whole.header.clone();
    header.epoch_ns = Some(epoch_ns);
    header.hosts = vec![whole.header.hosts[usize::from(host)].clone()];
    header.link = None;
    let mut trace = Trace::new(header);
    let mut numbers: BTreeMap<Number, Number> = BTreeMap::new();
    let mut next = 1;
    let mut fresh = || {
        next += 1;
        Number(next - 1)
    };
    let mine = |id: Option<HostId>| id.filter(|id| id.0 == host).map(|_| HostId(0));
    let mut begun = Vec::new();
    for record in whole.records() {
        if record.vantage.host_id() != Some(HostId(host)) {
            continue;
        }
        if let Some(flow) = record.flow.and_then(|id| whole.flow(id)).filter(|flow| !begun.contains(&flow.id))
        {
            begun.push(flow.id);
            let (client, server) = (mine(flow.client), mine(flow.server));
            let began = aperto_trace::FlowBegan {
                protocol: flow.protocol,
                endpoints: flow.endpoints,
                client,
                server,
            };
            let vantage = Vantage::host(HostId(0));
            trace.push(Record { at: record.at, vantage, flow: Some(flow.id), fact: Fact::FlowBegan(began) });
        }
        let fact = match &record.fact {
            Fact::FlowBegan(_) => continue,
            Fact::Left(packet) => {
                let number = fresh();
                numbers.insert(packet.number, number);
                Fact::Left(Box::new(Packet { number, ..(**packet).clone() }))
            }
            Fact::Arrived { number, packet, .. } => {
                let new = fresh();
                numbers.insert(*number, new);
                let mut seen = packet.as_deref().or_else(|| whole.packet(*number)).unwrap().clone();
                seen.number = new;
                if let aperto_trace::Transport::Tcp(segment) = &mut seen.transport {
                    // Nobody knows why a stranger sends.
                    segment.reason = None;
                }
                Fact::Arrived { number: new, copy: 0, packet: Some(Box::new(seen)) }
            }
            Fact::State { from, to, cause, segment } => {
                let segment = segment.and_then(|old| numbers.get(&old).copied());
                Fact::State { from: *from, to: *to, cause: *cause, segment }
            }
            Fact::Dropped { number, reason } => {
                let number = number.and_then(|old| numbers.get(&old).copied());
                Fact::Dropped { number, reason: reason.clone() }
            }
            other => other.clone(),
        };
        trace.push(Record { at: record.at, vantage: Vantage::host(HostId(0)), flow: record.flow, fact });
    }
    trace.ending = whole.ending.clone();
    trace
}

/// What became of each packet: where from, what, when it left, when it arrived.
type Fate = (Instant, Endpoints, String, bool, Vec<Instant>);

/// What is the same of a segment at both ends.
fn short(header: &aperto_wire::tcp::Header, length: u32) -> String {
    let sack: Vec<u32> = header
        .options
        .sack
        .as_slice()
        .iter()
        .flat_map(|block| [block.start.value(), block.end.value()])
        .collect();
    format!(
        "{} seq {} ack {} len {length} win {} ts {:?} sack {sack:?}",
        header.control,
        header.seq.value(),
        header.ack.value(),
        header.window,
        header.options.timestamps.map(|one| one.value)
    )
}

/// The first of each in which two lists differ.
fn first_difference<T: PartialEq + Clone>(one: &[T], other: &[T]) -> Option<(Option<T>, Option<T>)> {
    let place = (0..one.len().max(other.len())).find(|place| one.get(*place) != other.get(*place))?;
    Some((one.get(place).cloned(), other.get(place).cloned()))
}

/// Why segments left, without their order.
fn reasons(trace: &Trace) -> Vec<String> {
    let left = trace.records().iter().filter(|record| matches!(record.fact, Fact::Left(_)));
    let reason = |record: &Record| format!("{:?}", record.packet().unwrap().tcp().unwrap().reason);
    let mut all: Vec<String> = left.map(reason).collect();
    all.sort();
    all
}

fn fates(trace: &Trace) -> Vec<Fate> {
    let mut fates: Vec<Fate> = trace
        .journeys()
        .filter_map(|(number, journey)| {
            let packet = trace.packet(number)?;
            let at = |place: &usize| trace.records()[*place].at;
            let left = at(&journey.departure?);
            let what = match packet.tcp() {
                Some(segment) => short(&segment.header, packet.payload_length),
                None => String::new(),
            };
            let lost = journey.channel.iter().any(|place| {
                matches!(
                    &trace.records()[*place].fact,
                    Fact::Channel { what: aperto_trace::ChannelEvent::Lost(_), .. }
                )
            });
            Some((left, packet.endpoints, what, lost, journey.arrivals.iter().map(at).collect()))
        })
        .collect();
    fates.sort();
    fates
}

fn lossy(seed: u64, up: Impairments, down: Impairments) -> Recipe {
    let mut recipe = scenes::bulk(30_000);
    recipe.seed = seed;
    (recipe.up, recipe.down) = (up, down);
    recipe
}

/// Half an hour apart, and equally long both ways: nothing is left to guess.
#[test]
fn two_halves_of_a_run_are_the_whole_again() {
    for seed in 1..=60 {
        let (mut up, mut down) = Preset::Perfect.impairments();
        up.loss = Probability::from_percent(10);
        down.loss = Probability::from_percent(10);
        up.duplication = Probability::from_percent(5);
        let whole = run(&lossy(seed, up, down));
        let hour = 1_800_000_000_000;
        let (client, server) = (half(&whole, 0, 7 * hour), half(&whole, 1, 8 * hour));
        let (merged, report) = merge(&client, &server).unwrap();
        assert_eq!(
            report.clocks,
            Clocks { server_ahead_ns: i64::try_from(hour).unwrap(), one_way_ns: Some(20_000_000) },
            "seed {seed}"
        );
        assert_eq!(first_difference(&fates(&merged), &fates(&whole)), None, "seed {seed}");
        assert_eq!(first_difference(&reasons(&merged), &reasons(&whole)), None, "seed {seed}");
        assert_eq!((report.client, report.flows, report.left_out, report.unseen), (Which::One, 1, 0, 0));
        assert_eq!(report.left, report.arrived + report.lost, "seed {seed}");
        // The order in which they are given is of no account.
        let (again, other) = merge(&server, &client).unwrap();
        assert_eq!((again.records(), other.client), (merged.records(), Which::Other));
        let expected = Report { client: Which::Other, ..report };
        assert_eq!(other, expected);
    }
}

/// Delay that jumps about, copies, and overtaking: what pairs with what is still known, for each
/// segment has a time of its own; the offset is off by no more than it says.
#[test]
fn jitter_and_reordering_do_not_confuse_the_pairs() {
    for seed in 1..=40 {
        let (mut up, mut down) = Preset::Perfect.impairments();
        for one in [&mut up, &mut down] {
            one.jitter = Duration::from_millis(15);
            one.reordering = Probability::from_percent(10);
            one.duplication = Probability::from_percent(5);
            one.loss = Probability::from_percent(5);
        }
        let mut recipe = lossy(seed, up, down);
        for side in recipe.clients.iter_mut().chain([&mut recipe.server]) {
            side.tcp.timestamps = true;
        }
        let whole = run(&recipe);
        let (merged, report) = merge(&half(&whole, 0, 0), &half(&whole, 1, 5_000)).unwrap();
        // Which of two segments that are the same in everything arrived, nobody can know.
        let pairs = |trace: &Trace| {
            let mut all: BTreeMap<_, (u32, usize)> = BTreeMap::new();
            for (_, ends, what, _, arrivals) in fates(trace) {
                let (sent, arrived) = all.entry((ends, what)).or_default();
                *sent += 1;
                *arrived += arrivals.len();
            }
            all.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(first_difference(&pairs(&merged), &pairs(&whole)), None, "seed {seed}");
        let off = report.clocks.server_ahead_ns - 5_000;
        assert!(off.abs() <= report.clocks.one_way_ns.unwrap(), "seed {seed}: {off}");
        // Nothing arrives before it left.
        for (left, .., arrivals) in fates(&merged) {
            assert!(arrivals.iter().all(|at| *at >= left), "seed {seed}");
        }
    }
}

/// The way back is 60 ms longer: both ends are told 30 ms wrong, which is what no recording can show.
#[test]
fn an_asymmetric_path_shifts_the_clocks_by_half_the_difference() {
    let (up, mut down) = Preset::Perfect.impairments();
    down.delay = Duration::from_millis(80);
    let whole = run(&lossy(1, up, down));
    let (_, report) = merge(&half(&whole, 0, 0), &half(&whole, 1, 0)).unwrap();
    assert_eq!(report.clocks, Clocks { server_ahead_ns: -30_000_000, one_way_ns: Some(50_000_000) });
}

/// What was lost is lost for no reason that anybody knows; where an end knew, it still does.
#[test]
fn a_loss_that_nobody_recorded_has_no_cause() {
    let (mut up, down) = Preset::Perfect.impairments();
    up.loss = Probability::from_percent(20);
    let whole = run(&lossy(3, up, down));
    let (merged, report) = merge(&half(&whole, 0, 0), &half(&whole, 1, 0)).unwrap();
    assert!(report.lost > 0);
    let causes = merged.records().iter().filter_map(|record| match &record.fact {
        Fact::Channel { what: aperto_trace::ChannelEvent::Lost(cause), .. } => Some(cause),
        _ => None,
    });
    assert!(
        causes.clone().count() as u64 == report.lost
            && causes.clone().all(|cause| *cause == LossCause::Unknown)
    );
}

#[test]
fn other_runs_and_the_same_end_twice_are_refused() {
    let whole = run(&scenes::conversation("one"));
    let mut other = scenes::conversation("one");
    other.isn = aperto_sim::recipe::Isn::FromSeed;
    let other = run(&other);
    assert_eq!(merge(&half(&whole, 0, 0), &half(&other, 1, 0)), Err(MergeError::NoCommonConnection));
    assert_eq!(merge(&half(&whole, 0, 0), &half(&whole, 0, 9)), Err(MergeError::SameEnd));
    assert_eq!(merge(&half(&whole, 1, 0), &half(&whole, 1, 9)), Err(MergeError::SameEnd));
    assert_eq!(merge(&whole, &half(&whole, 1, 0)), Err(MergeError::BothEnds(Which::One)));
    assert_eq!(merge(&half(&whole, 1, 0), &whole), Err(MergeError::BothEnds(Which::Other)));
    let empty = Trace::new(whole.header.clone());
    assert_eq!(merge(&empty, &half(&whole, 1, 0)), Err(MergeError::Nothing(Which::One)));
}

/// Three clients, and one of them recorded: the server's recording knows of two more.
#[test]
fn what_only_one_end_knows_of_is_counted_and_left_out() {
    let whole = run(&scenes::ports(3));
    let hosts = &whole.header.hosts;
    let place = |role| u8::try_from(hosts.iter().position(|host| host.role == role).unwrap()).unwrap();
    let (client, server) = (place(aperto_trace::Role::Client), place(aperto_trace::Role::Server));
    let all = half(&whole, client, 0);
    let first = all.flows().next().unwrap().id;
    let mut one = Trace::new(all.header.clone());
    for record in all.records().iter().filter(|record| record.flow.is_none_or(|flow| flow == first)) {
        one.push(record.clone());
    }
    let (merged, report) = merge(&one, &half(&whole, server, 0)).unwrap();
    assert_eq!((report.flows, report.left_out), (1, 2));
    assert_eq!(merged.flows().count(), 1);
    assert_eq!(report.left, report.arrived);
}
