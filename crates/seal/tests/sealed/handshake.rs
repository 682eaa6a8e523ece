//! Handshakes: who is who, what goes over the wire, and what damage, loss and strangers can do.

use crate::common::{Dice, events, identity, opened, packets, pair, peer, sealed, settle};
use aperto_seal::{Config, Event, Failure, Kind, Peer, Refusal, Role, Trust};
use aperto_time::{Duration, Instant};

const NOW: Instant = Instant::ZERO;

#[test]
fn both_learn_who_the_other_is_and_packets_pass_both_ways() {
    let (mut client, mut server) = pair(7);
    client.begin(NOW);
    let passed = settle(NOW, &mut client, &mut server);
    let lengths: Vec<usize> = passed.iter().map(|(_, datagram)| datagram.len()).collect();
    // Hello, answer, proof, and the first datagram under the new keys, which is empty.
    assert_eq!(lengths, [128, 108, 72, 32]);
    let kinds: Vec<Option<Kind>> = passed.iter().map(|(_, datagram)| Kind::of(datagram)).collect();
    assert_eq!(kinds, [Kind::Hello, Kind::Answer, Kind::Proof, Kind::Confirmation].map(Some));
    assert_eq!(events(&mut client), [Event::Opened { peer: identity(2).public() }]);
    assert_eq!(events(&mut server), [Event::Opened { peer: identity(1).public() }]);
    client.begin(NOW);
    assert_eq!(client.poll_datagram(), None, "who has keys begins nothing");
    for (from_client, text) in [(true, "oi"), (false, "olá, mundo")] {
        let (from, to) = if from_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        from.packet_departs(NOW, text.as_bytes()).unwrap();
        let datagram = from.poll_datagram().unwrap();
        assert_eq!(datagram.len(), text.len() + aperto_seal::OVERHEAD);
        assert!(!datagram.windows(2).any(|two| two == &text.as_bytes()[..2]), "nothing of it can be read");
        to.datagram_arrives(NOW, &datagram);
        assert_eq!(packets(to), [text.as_bytes()]);
    }
    assert_eq!((client.counters().sealed, client.counters().opened), (1, 1));
}

#[test]
fn nobody_who_has_proven_nothing_is_sent_more_than_it_sent() {
    let (mut client, mut server) = pair(3);
    client.begin(NOW);
    let hello = client.poll_datagram().unwrap();
    let (mut sent, mut got) = (0, 0);
    for second in 0..10 {
        for _ in 0..50 {
            let (mut other, _) = pair(second * 100 + sent as u64);
            other.begin(NOW);
            for datagram in [hello.clone(), other.poll_datagram().unwrap()] {
                sent += datagram.len();
                server.datagram_arrives(Instant::from_millis(second * 1_000), &datagram);
                got += std::iter::from_fn(|| server.poll_datagram()).map(|d| d.len()).sum::<usize>();
                assert!(got <= sent);
            }
        }
    }
    assert!(got > 0);
    let refusals = events(&mut server);
    assert!(refusals.contains(&Event::Refused(Refusal::TooMany)), "and not more than 32 in a second");
    let later = server.poll_deadline();
    assert_eq!(later, None, "and it repeats nothing by itself");
}

#[test]
fn each_flipped_bit_and_each_cut_of_each_datagram_is_refused() {
    let (mut client, mut server) = pair(11);
    client.begin(NOW);
    let mut kinds = 0;
    // Each message in turn: every damage is tried on the very machine that then gets it whole.
    for turn in 0..4 {
        let from_client = turn % 2 == 0;
        let (from, to) = if from_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        let whole = from.poll_datagram().unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            refused(to, &flipped, &format!("message {turn}, bit {bit}"));
        }
        for length in 0..whole.len() {
            refused(to, &whole[..length], &format!("message {turn} cut to {length}"));
        }
        refused(to, &[whole.clone(), vec![0]].concat(), "one octet more");
        to.datagram_arrives(NOW, &whole);
        kinds |= 1 << whole[0];
    }
    assert_eq!(kinds, 0b11110, "hello, answer, proof, transport");
    assert!(client.is_open() && server.is_open());
    events(&mut client);
    events(&mut server);
    for (text, from_client) in [("to the server", true), ("to the client", false)] {
        let (from, to) = if from_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        let whole = sealed(NOW, from, text.as_bytes());
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            refused(to, &flipped, &format!("{text}, bit {bit}"));
        }
        for length in 0..whole.len() {
            refused(to, &whole[..length], &format!("{text} cut to {length}"));
        }
        to.datagram_arrives(NOW, &whole);
        assert_eq!(packets(to), [text.as_bytes()]);
    }
}

#[track_caller]
fn refused(to: &mut Peer<Dice>, datagram: &[u8], what: &str) {
    let open = to.is_open();
    to.datagram_arrives(NOW, datagram);
    let told = events(to);
    assert!(matches!(told.as_slice(), [Event::Refused(_)]), "{what}: {told:?}");
    assert_eq!(to.poll_datagram(), None, "{what}: answered");
    assert_eq!(to.poll_packet(), None, "{what}: taken");
    assert_eq!(to.is_open(), open, "{what}");
}

#[test]
fn a_handshake_survives_loss_copies_disorder_and_damage() {
    for seed in 0..400 {
        let (mut client, mut server) = pair(seed);
        let mut dice = Dice(seed);
        let mut now = NOW;
        let mut flying: Vec<(bool, Vec<u8>)> = Vec::new();
        client.begin(now);
        for _ in 0..400 {
            flying.extend(std::iter::from_fn(|| client.poll_datagram()).map(|d| (true, d)));
            flying.extend(std::iter::from_fn(|| server.poll_datagram()).map(|d| (false, d)));
            if flying.is_empty() || dice.percent(20) {
                let Some(deadline) = client.poll_deadline() else { break };
                now = now.max(deadline.at);
                client.deadline_passed(now);
                continue;
            }
            let place = dice.below(flying.len());
            let (up, mut datagram) =
                if dice.percent(25) { flying[place].clone() } else { flying.swap_remove(place) };
            if dice.percent(30) {
                continue;
            }
            if dice.percent(20) {
                let at = dice.below(datagram.len());
                datagram[at] ^= 1 << dice.below(8);
            }
            let to = if up { &mut server } else { &mut client };
            to.datagram_arrives(now, &datagram);
        }
        assert!(client.is_open() && server.is_open(), "seed {seed}: {:?}", events(&mut client));
        settle(now, &mut client, &mut server);
        let datagram = sealed(now, &mut client, b"hello");
        packets(&mut server);
        server.datagram_arrives(now, &datagram);
        assert_eq!(packets(&mut server), [b"hello"], "seed {seed}: both have the same keys");
    }
}

#[test]
fn a_lost_proof_and_a_lost_confirmation_are_repeated() {
    let (mut client, mut server) = pair(5);
    client.begin(NOW);
    server.datagram_arrives(NOW, &client.poll_datagram().unwrap());
    let answer = server.poll_datagram().unwrap();
    client.datagram_arrives(NOW, &answer);
    let proof = client.poll_datagram().unwrap();
    assert!(!client.is_open(), "the responder may not have the keys yet");
    // The proof is lost; a copy of the answer brings it again, and so does the timer.
    client.datagram_arrives(NOW, &answer);
    assert_eq!(client.poll_datagram().as_ref(), Some(&proof));
    let at = client.poll_deadline().unwrap().at;
    assert_eq!(at, Instant::from_millis(250));
    client.deadline_passed(at);
    assert_eq!(client.poll_datagram().as_ref(), Some(&proof));
    server.datagram_arrives(at, &proof);
    assert!(server.is_open());
    let lost = server.poll_datagram();
    assert!(lost.is_some());
    // The confirmation is lost: a copy of the proof brings another, and no second opening.
    server.datagram_arrives(at, &proof);
    client.datagram_arrives(at, &server.poll_datagram().unwrap());
    assert!(client.is_open());
    assert_eq!(events(&mut server).len(), 1);
    assert_eq!(server.counters().handshakes, 1);
    // A damaged copy brings nothing, whichever bit it is.
    for bit in 0..proof.len() * 8 {
        let mut flipped = proof.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(&mut server, &flipped, "a damaged copy of the proof");
    }
}

#[test]
fn waits_double_up_to_five_seconds_and_then_it_gives_up() {
    let (mut client, _) = pair(1);
    client.begin(NOW);
    let mut waits = Vec::new();
    let mut last = NOW;
    while let Some(deadline) = client.poll_deadline() {
        waits.push(deadline.at.since(last).as_millis());
        last = deadline.at;
        client.deadline_passed(last);
    }
    assert_eq!(waits[..7], [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    assert_eq!(waits.len(), 21);
    assert_eq!(events(&mut client), [Event::Failed(Failure::NoAnswer)]);
    assert_eq!(std::iter::from_fn(|| client.poll_datagram()).count(), 21);
}

#[test]
fn a_pinned_key_opens_and_another_one_stops_hard() {
    let right = identity(2).public();
    let mut client = peer(Role::Initiator, 1, Trust::Pinned(right));
    let mut server = peer(Role::Responder, 1, Trust::Anyone);
    client.begin(NOW);
    settle(NOW, &mut client, &mut server);
    assert!(client.is_open());
    let expected = identity(99).public();
    let mut client = peer(Role::Initiator, 1, Trust::Pinned(expected));
    client.begin(NOW);
    let passed = settle(NOW, &mut client, &mut server);
    assert_eq!(passed.len(), 2, "the initiator does not say who it is to a stranger");
    let failed = Event::Failed(Failure::OtherKey { shown: right, expected });
    assert_eq!(events(&mut client), [failed, Event::Refused(Refusal::OtherKey)]);
    client.begin(NOW);
    assert_eq!(client.poll_datagram(), None, "and does not try again");
}

#[test]
fn a_responder_that_expects_one_key_gives_no_other_a_session() {
    let mut server = peer(Role::Responder, 1, Trust::Pinned(identity(1).public()));
    let mut stranger = Peer::new(Role::Initiator, Config::new(identity(3), Trust::Anyone), Dice(3));
    stranger.begin(NOW);
    settle(NOW, &mut stranger, &mut server);
    assert!(!server.is_open() && !stranger.is_open());
    assert_eq!(events(&mut server), [Event::Refused(Refusal::OtherKey)]);
    let mut client = peer(Role::Initiator, 1, Trust::Anyone);
    client.begin(NOW);
    settle(NOW, &mut client, &mut server);
    assert!(server.is_open(), "and the right one still comes through");
}

/// The reflection of "Selfie" (Drucker and Gueron, 2019).
#[test]
fn ones_own_identity_is_no_peer_and_ones_own_words_open_nothing() {
    let mut client = Peer::new(Role::Initiator, Config::new(identity(1), Trust::Anyone), Dice(1));
    let mut mirror = Peer::new(Role::Responder, Config::new(identity(1), Trust::Anyone), Dice(2));
    client.begin(NOW);
    settle(NOW, &mut client, &mut mirror);
    assert!(!client.is_open() && !mirror.is_open());
    assert_eq!(events(&mut client)[0], Event::Failed(Failure::OwnKey));
    // What a peer sent, sent back to it: no message of a handshake, no packet.
    let (mut client, mut server) = pair(4);
    client.begin(NOW);
    for _ in 0..2 {
        let hers = client.poll_datagram().unwrap();
        refused(&mut client, &hers, "reflected to the client");
        server.datagram_arrives(NOW, &hers);
        let his = server.poll_datagram().unwrap();
        events(&mut server);
        server.datagram_arrives(NOW, &his);
        assert!(matches!(events(&mut server).as_slice(), [Event::Refused(_)]), "reflected to the server");
        client.datagram_arrives(NOW, &his);
        events(&mut client);
    }
}

/// Keys differ by direction: even under the index that the sender itself listens to.
#[test]
fn a_packet_does_not_open_in_the_direction_that_it_came_from() {
    let (mut client, mut server) = opened(8);
    // Counters that neither side has seen yet.
    for _ in 0..3 {
        sealed(NOW, &mut client, b"before");
        sealed(NOW, &mut server, b"before");
    }
    let up = sealed(NOW, &mut client, b"up");
    let down = sealed(NOW, &mut server, b"down");
    let mut forged = up.clone();
    forged[4..8].copy_from_slice(&down[4..8]);
    client.datagram_arrives(NOW, &forged);
    assert_eq!(events(&mut client), [Event::Refused(Refusal::TagDoesNotFit)]);
    let mut forged = down;
    forged[4..8].copy_from_slice(&up[4..8]);
    server.datagram_arrives(NOW, &forged);
    assert_eq!(events(&mut server), [Event::Refused(Refusal::TagDoesNotFit)]);
}

#[test]
fn who_means_another_application_does_not_get_through() {
    let config = |number, context: &[u8]| Config {
        context: context.to_vec(),
        ..Config::new(identity(number), Trust::Anyone)
    };
    let mut client = Peer::new(Role::Initiator, config(1, b"gbn"), Dice(1));
    let mut server = Peer::new(Role::Responder, config(2, b"sr"), Dice(2));
    client.begin(NOW);
    settle(NOW, &mut client, &mut server);
    assert!(!client.is_open() && !server.is_open());
    assert_eq!(events(&mut client), [Event::Refused(Refusal::TagDoesNotFit)]);
}

#[test]
fn new_keys_come_while_old_ones_work_and_late_packets_still_open() {
    let config =
        |number| Config { rekey_after_datagrams: 10, ..Config::new(identity(number), Trust::Anyone) };
    let mut client = Peer::new(Role::Initiator, config(1), Dice(1));
    let mut server = Peer::new(Role::Responder, config(2), Dice(2));
    client.begin(NOW);
    settle(NOW, &mut client, &mut server);
    let late = sealed(NOW, &mut client, b"late");
    for number in 0..100_u8 {
        client.packet_departs(NOW, &[number]).unwrap();
        settle(NOW, &mut client, &mut server);
    }
    let said: Vec<u8> = packets(&mut server).concat();
    assert_eq!(said, (0..100).collect::<Vec<u8>>(), "nothing is lost when keys change");
    assert!(client.counters().handshakes >= 8, "{:?}", client.counters());
    assert!(events(&mut server).contains(&Event::Rekeyed));
    server.datagram_arrives(NOW, &late);
    assert_eq!(packets(&mut server).len(), 0, "two sessions later the keys are gone");
    let late = sealed(NOW, &mut client, b"late");
    let handshakes = client.counters().handshakes;
    while client.counters().handshakes == handshakes {
        client.packet_departs(NOW, b"-").unwrap();
        settle(NOW, &mut client, &mut server);
    }
    packets(&mut server);
    server.datagram_arrives(NOW, &late);
    assert_eq!(packets(&mut server), [b"late"], "one session later they are not");
}

#[test]
fn keys_age_and_end() {
    let (mut client, mut server) = opened(6);
    let due = NOW + Duration::from_secs(120);
    client.packet_departs(due, b"x").unwrap();
    settle(due, &mut client, &mut server);
    assert_eq!(events(&mut client), [Event::Rekeyed]);
    let late = sealed(due, &mut client, b"late");
    let end = due + Duration::from_secs(360);
    server.datagram_arrives(end, &late);
    assert_eq!(events(&mut server)[1..], [Event::Refused(Refusal::UnknownSession)]);
    assert!(client.packet_departs(end, b"y").is_err(), "nothing is sealed with keys that ended");
    settle(end, &mut client, &mut server);
    client.packet_departs(end, b"y").unwrap();
    settle(end, &mut client, &mut server);
    assert_eq!(packets(&mut server), [b"x", b"y"]);
}

#[test]
fn a_clone_goes_on_where_the_original_is() {
    let (mut client, mut server) = pair(9);
    client.begin(NOW);
    server.datagram_arrives(NOW, &client.poll_datagram().unwrap());
    let (mut client_too, mut server_too) = (client.clone(), server.clone());
    settle(NOW, &mut client, &mut server);
    settle(NOW, &mut client_too, &mut server_too);
    let (one, other) = (sealed(NOW, &mut client, b"same"), sealed(NOW, &mut client_too, b"same"));
    assert_eq!(one, other, "and with the same luck does the same, octet for octet");
}
