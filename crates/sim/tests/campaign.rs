//! Random worlds: everything holds, the same twice, and a watcher that is lied to notices.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use aperto_app::{Machine, Tally};
use aperto_sim::campaign::{self, Dimension, Dimensions};
use aperto_sim::channel::picks::{Action, Picks};
use aperto_sim::channel::{Corruption, Impairments};
use aperto_sim::invariants::{Broken, Watcher};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::{Recipe, Side, says_and_closes};
use aperto_sim::scenes;
use aperto_sim::world::{Ended, World};
use aperto_trace::{Fact, HostId, pcapng};

#[test]
fn two_hundred_random_worlds_hold_every_invariant() {
    for seed in 1..=200 {
        let report = campaign::run(seed).unwrap();
        assert_eq!(report.failure, None, "seed {seed}: {}", report.dimensions);
        assert!(report.steps > 0);
    }
}

#[test]
fn every_dimension_occurs_in_some_world_and_some_world_has_many() {
    let worlds: Vec<Dimensions> = (1..=500).map(Dimensions::of).collect();
    for dimension in Dimension::ALL {
        assert!(worlds.iter().any(|world| world.has(dimension)), "{dimension:?}");
        assert!(worlds.iter().any(|world| !world.has(dimension)), "{dimension:?}");
    }
    let most = worlds.iter().map(|world| Dimension::ALL.into_iter().filter(|one| world.has(*one)).count());
    assert!(most.max() >= Some(12));
}

#[test]
fn the_same_seed_gives_the_same_recording_octet_for_octet() {
    let recording = |seed| {
        let (_, world) = campaign::run_plot(&campaign::plot(seed)).unwrap();
        pcapng::write_trace(world.trace(), Vec::new(), |_, _| None).unwrap()
    };
    let mut hashes = BTreeSet::new();
    for seed in 1..=30 {
        let first = recording(seed);
        assert_eq!(first, recording(seed), "seed {seed}");
        hashes.insert(Tally::of(&first).hash);
    }
    assert_eq!(hashes.len(), 30, "other seeds, other recordings");
}

/// UX §7.5, for whole worlds: a pick changes nothing that left before what it picked.
#[test]
fn a_pick_changes_nothing_that_left_before_it() {
    let run = |recipe: &Recipe| {
        let mut world = World::new(recipe).unwrap();
        world.run_until(aperto_time::Instant::from_millis(20_000));
        world.into_trace()
    };
    let mut compared = 0;
    for seed in 1..=60 {
        let mut recipe = campaign::plot(seed).recipe;
        recipe.picks = Picks::new();
        let plain = run(&recipe);
        let last = plain.journeys().last().map_or(0, |(number, _)| number.0);
        for number in [last / 3, last / 2, last].into_iter().filter(|number| *number > 0) {
            recipe.picks = Picks::parse(Action::Drop, &number.to_string()).unwrap();
            let picked = run(&recipe);
            let before = |trace: &aperto_trace::Trace| {
                let leaves = |fact: &Fact| matches!(fact, Fact::Left(packet) if packet.number.0 == number);
                let place = trace.records().iter().position(|record| leaves(&record.fact)).unwrap();
                trace.records()[..=place].to_vec()
            };
            assert_eq!(before(&plain), before(&picked), "seed {seed}, --drop {number}");
            compared += 1;
        }
    }
    assert!(compared > 100);
}

/// Runs a world under a watcher who believes in another recipe.
fn watched(recipe: &Recipe, believed: &Recipe) -> Result<(), Broken> {
    let mut world = World::new(recipe).unwrap();
    let mut watcher = Watcher::new(believed);
    while world.step().is_some() {
        watcher.look(&world)?;
    }
    Ok(())
}

fn breaks(recipe: &Recipe, believe: impl FnOnce(&mut Recipe)) -> String {
    let mut believed = recipe.clone();
    believe(&mut believed);
    assert_eq!(watched(recipe, recipe), Ok(()), "the truth holds");
    watched(recipe, &believed).expect_err("the lie does not").invariant.to_string()
}

#[test]
fn a_watcher_who_believes_something_else_finds_each_invariant_broken() {
    let bulk = scenes::bulk(100_000);
    assert_eq!(breaks(&bulk, |recipe| recipe.server.tcp.receive_buffer = 20_000), "I-05");
    assert_eq!(breaks(&bulk, |recipe| recipe.clients[0].tcp.send_buffer = 1_000), "I-19");
    assert_eq!(breaks(&bulk, |recipe| recipe.clients[0].mtu = 1_000), "I-12");
    let loss = scenes::loss();
    assert_eq!(
        breaks(&loss, |recipe| recipe.clients[0].tcp.rto_max = aperto_time::Duration::from_millis(900)),
        "I-10"
    );
    let mut damaged = scenes::bulk(100_000);
    damaged.up = Impairments {
        corruption: Probability::from_percent(10),
        checksum: Corruption::RepairsChecksum,
        ..damaged.up
    };
    // What was damaged should not have been taken, let alone acknowledged.
    assert_eq!(breaks(&damaged, |recipe| recipe.up.checksum = Corruption::BreaksChecksum), "I-03");
}

#[test]
fn several_clients_each_have_a_line_of_their_own() {
    let mut recipe = scenes::demonstration();
    for number in 3..=5_u8 {
        let address = std::net::Ipv4Addr::new(10, 0, 0, number).into();
        let text = format!("client {number}");
        let side = Side::new(&text, address).opening(says_and_closes(&text, text.len() as u64));
        recipe.clients.push(side);
    }
    let mut world = World::new(&recipe).unwrap();
    assert_eq!(world.run(), Ended::Quiet);
    assert_eq!((world.hosts(), world.trace().flows().count()), (5, 4));
    for host in [0, 2, 3, 4] {
        let attached = world.applications(HostId(host)).next().unwrap();
        let Machine::Script(script) = &attached.application else { panic!("a script") };
        let answer = std::str::from_utf8(script.text()).unwrap();
        assert!(answer == "OLÁ, MUNDO" || answer == format!("CLIENT {}", host + 1), "{answer}");
    }
}

#[test]
fn a_link_that_goes_down_and_comes_back_loses_nothing() {
    let mut recipe = scenes::bulk(500_000);
    let from = aperto_time::Instant::from_millis(70);
    let to = aperto_time::Instant::from_millis(9_000);
    let outage = aperto_sim::channel::Outage { from, to };
    recipe.impair(None, |one| one.outages = vec![outage]);
    let mut world = World::new(&recipe).unwrap();
    assert_eq!(world.run(), Ended::Quiet);
    let attached = world.applications(HostId(1)).next().unwrap();
    let Machine::Bulk(bulk) = &attached.application else { panic!("a sink") };
    use aperto_app::Application as _;
    assert_eq!((bulk.received().octets, bulk.wrong_at()), (500_000, None));
    assert!(world.now() > to);
}

/// What a client does who was cut off: it opens another connection, which nobody had planned.
#[test]
fn a_client_may_open_something_more_in_the_middle_of_a_run() {
    use aperto_app::Application as _;
    let mut world = World::new(&scenes::demonstration()).unwrap();
    assert_eq!(world.run(), Ended::Quiet);
    let at = world.now().since(aperto_time::Instant::ZERO) + aperto_time::Duration::from_millis(200);
    let machine = Machine::Guest(Box::new(aperto_app::Script::new(vec![
        aperto_app::script::Step::Write(b"again".to_vec()),
        aperto_app::script::Step::UntilReceived(5),
        aperto_app::script::Step::Close,
    ])));
    let opening = aperto_sim::recipe::Opening { at, local_port: 0, remote_port: 7000, application: machine };
    assert!(!world.open(1, opening.clone()), "there is one client");
    assert!(world.open(0, opening));
    assert_eq!(world.run(), Ended::Quiet);
    let second = world.applications(HostId(0)).nth(1).unwrap();
    assert_eq!(second.application.received().octets, 5);
    assert_eq!(world.trace().flows().count(), 2);
}
