//! What a bad or hostile channel can do with sealed datagrams: random schedules by the thousand.

use std::collections::BTreeMap;

use crate::common::{Dice, events, opened, packets, sealed};
use aperto_seal::{Event, Refusal};
use aperto_time::Instant;

const NOW: Instant = Instant::ZERO;

/// How many schedules: `APERTO_SCHEDULES=1000000 cargo test -p aperto-seal`.
fn schedules() -> u64 {
    std::env::var("APERTO_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000)
}

/// Each schedule seals a few packets and lets the channel lose, copy, reorder, damage and forge.
#[test]
fn each_datagram_is_taken_at_most_once_and_nothing_else_is() {
    let (mut client, mut server) = opened(1);
    let mut dice = Dice(2026);
    let mut taken: BTreeMap<u64, u32> = BTreeMap::new();
    let mut older: Vec<Vec<u8>> = Vec::new();
    let (mut number, mut forged, mut refused) = (0_u64, 0_u64, 0_u64);
    for schedule in 0..schedules() {
        let mut flying: Vec<Vec<u8>> = Vec::new();
        for _ in 0..1 + dice.below(4) {
            number += 1;
            flying.push(sealed(NOW, &mut client, &number.to_le_bytes()));
        }
        older.push(flying[0].clone());
        if older.len() > 64 {
            older.remove(dice.below(64));
        }
        while !flying.is_empty() {
            let place = dice.below(flying.len());
            let mut datagram = match dice.below(10) {
                0..5 => flying.swap_remove(place),
                5 => {
                    flying.swap_remove(place);
                    continue;
                }
                6 => flying[place].clone(),
                7 => older[dice.below(older.len())].clone(),
                _ => {
                    forged += 1;
                    forgery(&mut dice, &flying[place])
                }
            };
            if dice.percent(3) {
                let at = dice.below(datagram.len());
                datagram[at] ^= 1 << dice.below(8);
            }
            server.datagram_arrives(NOW, &datagram);
            refused += events(&mut server).len() as u64;
            for packet in packets(&mut server) {
                let id = u64::from_le_bytes(packet.as_slice().try_into().unwrap());
                assert!((1..=number).contains(&id), "schedule {schedule}: nobody sent {id}");
                assert!(id + 10_000 > number, "schedule {schedule}: {id} is far too old");
                let times = taken.entry(id).or_default();
                *times += 1;
                assert_eq!(*times, 1, "schedule {schedule}: {id} again");
            }
        }
        // Whatever was forged: an honest datagram still comes through.
        number += 1;
        let honest = sealed(NOW, &mut client, &number.to_le_bytes());
        server.datagram_arrives(NOW, &honest);
        assert_eq!(packets(&mut server), [number.to_le_bytes()], "schedule {schedule}");
        taken.insert(number, 1);
        if taken.len() > 20_000 {
            // Older ones are out of every reach but a copy's; those are in `older`.
            taken = taken.split_off(&(number - 10_000));
        }
        while let Some(datagram) = client.poll_datagram() {
            server.datagram_arrives(NOW, &datagram);
        }
        while let Some(datagram) = server.poll_datagram() {
            client.datagram_arrives(NOW, &datagram);
        }
        events(&mut client);
    }
    let counters = server.counters();
    assert!(forged > 0 && counters.damaged_or_forged > forged / 2 && counters.replayed > 0);
    assert_eq!(refused, counters.damaged_or_forged + counters.replayed + counters.other);
}

/// Another counter, another index, another kind, or noise.
fn forgery(dice: &mut Dice, like: &[u8]) -> Vec<u8> {
    let mut datagram = like.to_vec();
    match dice.below(5) {
        0 => datagram[8..16].copy_from_slice(&(dice.next() % (1 << 23)).to_le_bytes()),
        1 => datagram[8..16].copy_from_slice(&dice.next().to_le_bytes()),
        2 => datagram[4..8].copy_from_slice(&(dice.next() as u32).to_le_bytes()),
        3 => datagram[0] = dice.next() as u8,
        _ => datagram.iter_mut().for_each(|octet| *octet = dice.next() as u8),
    }
    if datagram == like {
        datagram[16] ^= 1;
    }
    datagram
}

/// RFC 6479: only what has proven itself moves the window.
#[test]
fn a_forged_counter_far_ahead_moves_nothing() {
    let (mut client, mut server) = opened(2);
    let first = sealed(NOW, &mut client, b"first");
    for far in [1_u64, 2_048, 5_000, 1 << 22, (1 << 23) - 1, 1 << 23, u64::MAX - 1, u64::MAX] {
        let mut forged = first.clone();
        forged[8..16].copy_from_slice(&far.to_le_bytes());
        server.datagram_arrives(NOW, &forged);
        assert_eq!(events(&mut server), [Event::Refused(Refusal::TagDoesNotFit)]);
    }
    server.datagram_arrives(NOW, &first);
    assert_eq!(packets(&mut server), [b"first"]);
}

#[test]
fn a_datagram_two_thousand_late_is_taken_and_one_beyond_the_window_is_not() {
    let (mut client, mut server) = opened(3);
    let mut all: Vec<Vec<u8>> = (0..6_000_u32).map(|n| sealed(NOW, &mut client, &n.to_le_bytes())).collect();
    let last = all.pop().unwrap();
    server.datagram_arrives(NOW, &last);
    server.datagram_arrives(NOW, &all[6_000 - 1 - 2_048]);
    assert_eq!(packets(&mut server).len(), 2);
    server.datagram_arrives(NOW, &all[100]);
    assert_eq!(events(&mut server), [Event::Refused(Refusal::TooOld)]);
    server.datagram_arrives(NOW, &last);
    assert_eq!(events(&mut server), [Event::Refused(Refusal::Replayed)]);
    assert_eq!((packets(&mut server).len(), server.counters().replayed), (0, 2));
}
