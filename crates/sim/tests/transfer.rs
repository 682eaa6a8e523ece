//! File transfers over our own TCP in bad worlds: connections break, processes die, segments are
//! damaged so that no checksum tells; and in the end each file is whole under its name, or absent.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, which prints what it counted")]

use std::collections::BTreeMap;

use aperto_app::Machine;
use aperto_app::pattern::Pattern;
use aperto_app::transfer::disk::Replace;
use aperto_app::transfer::memory::{Crash, MemoryDisk};
use aperto_app::transfer::rehearsal::{Rehearsal, Shelf};
use aperto_app::transfer::{CHUNK, Event, Failure, Path, Patience};
use aperto_sim::channel::luck::Stream;
use aperto_sim::channel::{Corruption, Impairments};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::{Protocol, Recipe, Side, Stop};
use aperto_sim::world::{Attached, World};
use aperto_trace::HostId;
use core::time::Duration;

/// How often a transfer is begun again at most.
const MOST_ROUNDS: u64 = 12;

fn shelf(luck: &mut Stream) -> Shelf {
    let mut files = vec![(Path::new("pasta").unwrap(), None)];
    for (place, name) in ["pasta/a", "pasta/b/c/d", "pasta/b/vazio", "pasta/e"].into_iter().enumerate() {
        let length = match place {
            2 => 0,
            0 => usize::try_from(luck.between(1, 16 * CHUNK as u64)).unwrap(),
            _ => usize::try_from(luck.between(0, CHUNK as u64 + 10)).unwrap(),
        };
        let mut octets = vec![0; length];
        Pattern::new(luck.between(1, u64::MAX / 2)).fill(0, &mut octets);
        files.push((Path::from_wire(name.as_bytes()).unwrap(), Some(octets)));
    }
    Shelf::new(files).unwrap()
}

fn share(luck: &mut Stream, most_in_ten_thousand: u64) -> Probability {
    if luck.between(0, 1) == 0 {
        return Probability::ZERO;
    }
    Probability::from_millionths(u32::try_from(luck.between(0, most_in_ten_thousand)).unwrap() * 100)
}

fn impairments(luck: &mut Stream) -> Impairments {
    let mut way = Impairments::only_delay(Duration::from_millis(luck.between(0, 40)));
    way.jitter = Duration::from_millis(luck.between(0, 5));
    way.loss = share(luck, 300);
    way.duplication = share(luck, 300);
    way.reordering = share(luck, 500);
    way.corruption = share(luck, 150);
    way.flips = 3;
    way.checksum =
        if luck.between(0, 2) == 0 { Corruption::BreaksChecksum } else { Corruption::RepairsChecksum };
    way
}

fn expected(shelf: &Shelf) -> BTreeMap<String, Vec<u8>> {
    let entries = shelf.manifest().entries().iter().zip(shelf.contents());
    let files = entries.filter(|(entry, _)| entry.size().is_some());
    files.map(|(entry, octets)| (entry.path.to_string(), octets.clone())).collect()
}

fn rehearsals(world: &World, host: u8) -> Vec<&Rehearsal> {
    fn of(attached: &Attached) -> Option<&Rehearsal> {
        match &attached.application {
            Machine::Transfer(transfer) => Some(transfer),
            // Whatever else there may be.
            _ => None,
        }
    }
    world.applications(HostId(host)).filter_map(of).collect()
}

#[derive(Default, Debug)]
struct Counts {
    worlds: u64,
    again: u64,
    resumed: u64,
    killed: u64,
}

/// One transfer, begun again until it is over. Says nothing unless something is wrong.
fn transfer(seed: u64, counts: &mut Counts) {
    let mut luck = Stream::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x7472_616e);
    let shelf = shelf(&mut luck);
    let wanted = expected(&shelf);
    let uploads = luck.between(0, 1) == 0;
    let breaks = luck.between(0, 3);
    let mut disk = MemoryDisk::new();
    for round in 0..MOST_ROUNDS {
        counts.worlds += 1;
        let patience = Patience::default();
        let sends = Machine::Transfer(Box::new(Rehearsal::sender(shelf.clone(), patience)));
        let keeps =
            Machine::Transfer(Box::new(Rehearsal::receiver(disk.clone(), Replace::Never, 0, patience)));
        let (client, server) = if uploads { (sends, keeps) } else { (keeps, sends) };
        let mut recipe = Recipe::new(Protocol::Tcp);
        recipe.seed = seed * 100 + round;
        (recipe.up, recipe.down) = (impairments(&mut luck), impairments(&mut luck));
        recipe.clients = vec![Side::client().opening(client)];
        recipe.server = Side::server().offering(server);
        recipe.clients[0].tcp = aperto_tcp::Config::modern();
        recipe.server.tcp = aperto_tcp::Config::modern();
        recipe.stop = Stop::At(Duration::from_secs(3_000));
        let mut world = World::new(&recipe).unwrap();
        if round < breaks {
            world.run_steps(luck.between(10, 1_500));
            counts.killed += 1;
        } else {
            world.run();
        }
        let receives = if uploads { 1 } else { 0 };
        // The one that got furthest: a damaged SYN may have opened another that nobody used.
        let receiver =
            rehearsals(&world, receives).into_iter().max_by_key(|one| one.disk().unwrap().operations());
        let Some(receiver) = receiver else { continue };
        counts.again +=
            receiver.events().iter().filter(|one| matches!(one, Event::Again { .. })).count() as u64;
        counts.resumed +=
            receiver.events().iter().filter(|one| matches!(one, Event::Resumed { .. })).count() as u64;
        let crash = if luck.between(0, 1) == 0 { Crash::Kill } else { Crash::PowerLoss };
        disk = receiver.disk().unwrap().clone().after(crash, luck.between(1, 1 << 40));
        for (name, octets) in disk.files() {
            if !name.ends_with(".aperto-part") {
                assert_eq!(
                    wanted.get(&name),
                    Some(&octets),
                    "seed {seed}, round {round}: {name} is half-written"
                );
            }
        }
        let sender = rehearsals(&world, 1 - receives).into_iter().find_map(Rehearsal::result);
        match receiver.result() {
            Some(Ok(())) => {
                assert!(disk.files() == wanted, "seed {seed}: not everything is there");
                return;
            }
            // A damaged greeting is another protocol's; what else damage makes of a peer is broken.
            Some(Err(failure)) => {
                let by_damage =
                    matches!(failure, Failure::Stranger(_) | Failure::Protocol | Failure::Refused(..));
                assert!(failure.may_resume() || by_damage, "seed {seed}, round {round}: {failure:?}");
            }
            None => {}
        }
        // A sender that thinks so is right, whatever became of the receiver since.
        assert!(
            sender != Some(Ok(())) || disk.files() == wanted,
            "seed {seed}, round {round}: told too early"
        );
    }
    panic!("seed {seed}: not over after {MOST_ROUNDS} rounds");
}

fn seeds(from: u64, to: u64) {
    let mut counts = Counts::default();
    (from..=to).for_each(|seed| transfer(seed, &mut counts));
    println!("seeds {from} to {to}: {counts:?}");
    assert!(counts.again > 50 && counts.resumed > 50 && counts.killed > 100, "{counts:?}");
}

#[test]
fn transfers_of_seeds_1_to_500_end_whole_through_damage_and_broken_connections() {
    seeds(1, 500);
}

#[test]
fn transfers_of_seeds_501_to_1000_end_whole_through_damage_and_broken_connections() {
    seeds(501, 1_000);
}
