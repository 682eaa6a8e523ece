//! Lines whose packets are sealed: what a corrupting channel does to them, and to those that are not.

#![expect(clippy::unwrap_used, reason = "a test")]

use aperto_app::Machine;
use aperto_sim::channel::{Corruption, Direction};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::{Protocol, Recipe, Sealing, Stop};
use aperto_sim::scenes;
use aperto_sim::world::{Ended, World};
use aperto_trace::{ChannelEvent, ChecksumAfter, DropReason, Fact, HostId, pcapng};

/// What nobody but an application or a tag can see.
fn lying(mut recipe: Recipe, percent: u32, sealing: Sealing) -> Recipe {
    recipe.impair(None, |one| {
        one.corruption = Probability::from_percent(percent);
        one.checksum = Corruption::RepairsChecksum;
    });
    recipe.sealing = sealing;
    recipe
}

fn run(recipe: &Recipe) -> World {
    let mut world = World::new(recipe).unwrap();
    assert_eq!(world.run(), Ended::Quiet);
    world
}

fn first_wrong(world: &World) -> Option<u64> {
    let attached = world.applications(HostId(1)).next().unwrap();
    let Machine::Bulk(sink) = &attached.application else { panic!("a sink") };
    use aperto_app::Application as _;
    assert_eq!(sink.received().octets, 300_000);
    sink.wrong_at()
}

/// How many frames were damaged with a checksum that was put right.
fn damaged(world: &World) -> usize {
    let repaired = |fact: &Fact| {
        matches!(
            fact,
            Fact::Channel { what: ChannelEvent::Damaged { checksum: ChecksumAfter::Repaired, .. }, .. }
        )
    };
    world.trace().records().iter().filter(|record| repaired(&record.fact)).count()
}

fn dropped_by_the_seal(world: &World) -> usize {
    let by_seal = |fact: &Fact| matches!(fact, Fact::Dropped { reason: DropReason::Host { code }, .. } if code.starts_with("seal-"));
    world.trace().records().iter().filter(|record| by_seal(&record.fact)).count()
}

#[test]
fn plain_tcp_delivers_wrong_octets_and_below_a_seal_the_same_channel_costs_only_time() {
    let plain = run(&lying(scenes::bulk(300_000), 5, Sealing::None));
    assert!(damaged(&plain) > 3 && first_wrong(&plain).is_some(), "nobody noticed");
    let sealed = run(&lying(scenes::bulk(300_000), 5, Sealing::Aead));
    assert_eq!(first_wrong(&sealed), None);
    assert!(damaged(&sealed) > 3);
    assert_eq!(dropped_by_the_seal(&sealed), damaged(&sealed), "each one was noticed, and nothing else");
    let counters = [Direction::Up, Direction::Down].map(|way| sealed.sealing(0, way).unwrap());
    assert_eq!(counters.map(|c| c.damaged_or_forged).iter().sum::<u64>(), damaged(&sealed) as u64);
    assert_eq!(counters.map(|c| c.handshakes), [1, 1]);
}

#[test]
fn textbook_protocols_below_a_seal_send_again_what_was_damaged_and_nothing_wrong_is_heard() {
    let message: Vec<u8> = (0..2_000_u32).map(|n| (n % 251) as u8).collect();
    for protocol in [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat] {
        let mut recipe = Recipe::new(protocol);
        recipe.message.clone_from(&message);
        recipe.impair(None, |one| one.loss = Probability::from_percent(5));
        let plain = run(&lying(recipe.clone(), 10, Sealing::None));
        assert_ne!(plain.heard(HostId(1)), message, "{protocol:?}: its checksum was put right");
        let sealed = run(&lying(recipe, 10, Sealing::Aead));
        assert_eq!(sealed.heard(HostId(1)), message, "{protocol:?}");
        assert!(dropped_by_the_seal(&sealed) > 0);
    }
}

#[test]
fn a_bad_channel_delays_the_keys_and_the_hosts_begin_after_them() {
    let mut late = 0;
    for seed in 1..=30 {
        let mut recipe = lying(scenes::bulk(20_000), 10, Sealing::Aead);
        recipe.seed = seed;
        recipe.impair(None, |one| {
            one.loss = Probability::from_percent(10);
            one.duplication = Probability::from_percent(10);
        });
        let world = run(&recipe);
        let attached = world.applications(HostId(1)).next().unwrap();
        let Machine::Bulk(sink) = &attached.application else { panic!("a sink") };
        use aperto_app::Application as _;
        assert_eq!((sink.received().octets, sink.wrong_at()), (20_000, None), "seed {seed}");
        let records = world.trace().records();
        let opened = records.iter().find(|record| matches!(record.fact, Fact::State { .. }));
        // Three messages over 20 ms each, on a channel that lost none of them.
        late += u64::from(opened.unwrap().at.as_millis() > 60);
    }
    assert!(late > 5, "{late}");
}

#[test]
fn a_channel_that_lets_nothing_through_ends_in_silence() {
    let mut recipe = lying(scenes::bulk(20_000), 0, Sealing::Aead);
    recipe.impair(None, |one| one.loss = Probability::from_percent(100));
    recipe.stop = Stop::Empty;
    let world = run(&recipe);
    assert_eq!(world.applications(HostId(0)).count(), 0, "nobody was let begin");
}

#[test]
fn a_sealed_run_is_repeated_by_its_seed_and_goes_on_from_a_clone() {
    let recipe = lying(scenes::bulk(100_000), 10, Sealing::Aead);
    let octets = |world: &World| pcapng::write_trace(world.trace(), Vec::new(), |_, _| None).unwrap();
    let whole = run(&recipe);
    let mut steps = World::new(&recipe).unwrap();
    steps.run_steps(60);
    let mut clone = steps.clone();
    assert_eq!(clone.run(), Ended::Quiet);
    assert_eq!(octets(&clone), octets(&whole));
    assert_eq!(octets(&run(&recipe)), octets(&whole));
}
