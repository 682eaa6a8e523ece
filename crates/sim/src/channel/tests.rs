//! What a channel does to frames, one impairment at a time, and that luck stays with its segment.

use alloc::vec;

use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use aperto_wire::tcp::{Control, Header, verify};
use aperto_wire::{Ports, SeqNumber, ipv4, tcp};
use core::net::Ipv4Addr;
use proptest::prelude::*;

use super::*;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

/// An IPv4 packet with a TCP segment from client to server.
fn segment(control: Control, seq: u32, ack: u32, text: &[u8]) -> Vec<u8> {
    let header = Header {
        seq: SeqNumber::new(seq),
        ack: SeqNumber::new(ack),
        control,
        window: 1000,
        ..Header::default()
    };
    let mut packet = vec![0; 20 + 20 + text.len()];
    ipv4::emit(&mut packet, &ipv4::Header::new(CLIENT, SERVER, Protocol::TCP), 20 + text.len()).unwrap();
    let pseudo = PseudoHeader::ipv4(CLIENT, SERVER, Protocol::TCP);
    let ports = Ports { source: 49152, destination: 7000 };
    tcp::emit(&mut packet[20..], ports, &header, [text], pseudo).unwrap();
    packet
}

fn is_sound(packet: &[u8]) -> bool {
    verify(PseudoHeader::ipv4(CLIENT, SERVER, Protocol::TCP), &packet[20..])
}

/// The metas of data segments of 100 octets each, from a classifier that saw a SYN first.
fn classifier() -> Classifier {
    let mut classifier = Classifier::new(Counting::FromOne);
    classifier.frame_departs(Framing::Ip, Direction::Up, &segment(Control::SYN, 1234, 0, b""), Hint::None);
    classifier
}

fn data(classifier: &mut Classifier, ordinal: u32) -> (Meta, Vec<u8>) {
    let packet = segment(Control::ACK | Control::PSH, 1235 + 100 * ordinal, 9, &[7; 100]);
    (classifier.frame_departs(Framing::Ip, Direction::Up, &packet, Hint::None), packet)
}

fn settings(up: Impairments) -> Settings {
    Settings { seed: 1, framing: Framing::Ip, up, down: Impairments::default(), picks: Picks::new() }
}

/// Sends segments one millisecond apart and gives what came out and what the channel said.
fn send(settings: Settings, count: u32) -> (Vec<Delivery>, Vec<Fact>, Channel) {
    let mut channel = Channel::new(settings);
    let mut classifier = classifier();
    let (mut deliveries, mut facts) = (Vec::new(), Vec::new());
    for ordinal in 0..count {
        let (meta, packet) = data(&mut classifier, ordinal);
        channel.frame_arrives(at(u64::from(ordinal)), Direction::Up, &meta, &packet);
    }
    while let Some(due) = channel.poll_deadline() {
        deliveries.push(channel.poll_delivery(due).expect("it is due"));
    }
    while let Some(fact) = channel.poll_fact() {
        facts.push(fact);
    }
    (deliveries, facts, channel)
}

fn picks(action: Action, text: &str) -> Picks {
    Picks::parse(action, text).unwrap()
}

#[test]
fn a_perfect_channel_only_delays() {
    let (deliveries, facts, _) = send(settings(Impairments::only_delay(ms(20))), 3);
    let times: Vec<_> = deliveries.iter().map(|d| (d.number, d.at.as_millis())).collect();
    assert_eq!(times, [(2, 20), (3, 21), (4, 22)]);
    assert!(facts.is_empty());
    assert!(deliveries.iter().all(|d| is_sound(&d.octets)));
}

#[test]
fn a_picked_segment_is_lost_and_the_channel_says_who_wanted_it() {
    let mut settings = settings(Impairments::only_delay(ms(20)));
    settings.picks = picks(Action::Drop, "data:2");
    let (deliveries, facts, _) = send(settings, 3);
    assert_eq!(deliveries.iter().map(|d| d.number).collect::<Vec<_>>(), [2, 4]);
    let pick = *picks(Action::Drop, "data:2").iter().next().unwrap();
    assert_eq!(
        facts,
        [Fact { at: at(1), direction: Direction::Up, number: 3, fate: Fate::Lost(Loss::Picked(pick)) }]
    );
}

#[test]
fn kinds_count_first_transmissions_and_numbers_count_departures() {
    let mut classifier = classifier();
    let first = data(&mut classifier, 0).0;
    let again = data(&mut classifier, 0).0;
    let second = data(&mut classifier, 1).0;
    let bare = segment(Control::ACK, 1435, 9, b"");
    let ack = classifier.frame_departs(Framing::Ip, Direction::Up, &bare, Hint::None);
    let last = segment(Control::ACK | Control::FIN, 1435, 9, b"bye");
    let fin = classifier.frame_departs(Framing::Ip, Direction::Up, &last, Hint::None);
    let role = |kind, ordinal| Role { kind, ordinal };
    assert_eq!((first.number, first.role), (2, role(Kind::Data, Some(1))));
    assert_eq!((again.number, again.role), (3, role(Kind::Data, None)));
    assert_eq!(again.transmission, Transmission::Again);
    assert_eq!((first.identity.attempt, again.identity.attempt), (0, 1));
    assert_eq!((second.number, second.role), (4, role(Kind::Data, Some(2))));
    assert_eq!((ack.number, ack.role), (5, role(Kind::Ack, Some(1))));
    assert_eq!((fin.role, fin.also), (role(Kind::Data, Some(3)), Some(role(Kind::Fin, Some(1)))));
    for (text, meta, expected) in
        [("4", second, true), ("data:2", second, true), ("data:2", again, false), ("fin", fin, true)]
    {
        let pick = *picks(Action::Drop, text).iter().next().unwrap();
        assert_eq!(pick.picks(Direction::Up, &meta), expected, "{text}");
    }
    assert!(!picks(Action::Drop, "down:4").iter().next().unwrap().picks(Direction::Up, &second));
}

/// Else a lost one would be lost each time it is sent, and a conversation would stand still.
#[test]
fn luck_is_fresh_for_each_attempt_however_much_was_sent_before() {
    let mut classifier = classifier();
    for ordinal in 0..100_000 {
        data(&mut classifier, ordinal);
    }
    let bare = segment(Control::ACK, 1435, 9, b"");
    let attempts: Vec<u32> = (0..4)
        .map(|_| classifier.frame_departs(Framing::Ip, Direction::Up, &bare, Hint::None).identity.attempt)
        .collect();
    assert_eq!(attempts, [0, 1, 2, 3]);
    assert_eq!(data(&mut classifier, 99_999).0.identity.attempt, 1);
}

#[test]
fn a_segment_without_luck_fails_its_checksum_or_has_it_repaired() {
    for (checksum, sound) in [(Corruption::BreaksChecksum, false), (Corruption::RepairsChecksum, true)] {
        let all = Impairments { corruption: Probability::ONE, checksum, flips: 64, ..Impairments::default() };
        let (deliveries, facts, _) = send(settings(all), 50);
        assert_eq!((deliveries.len(), facts.len()), (50, 50));
        for delivery in &deliveries {
            assert_eq!(is_sound(&delivery.octets), sound);
            assert_ne!(
                &delivery.octets[20..],
                &segment(Control::ACK | Control::PSH, 1235, 9, &[7; 100])[20..]
            );
            assert!(ipv4::parse(&delivery.octets).is_ok(), "the IP header is left alone");
            assert_eq!(delivery.octets.len(), 140);
        }
    }
}

#[test]
fn a_duplicated_segment_arrives_as_often_as_said_and_a_held_one_is_overtaken() {
    let mut settings = settings(Impairments { copies: 2, copy_delay: ms(5), ..Impairments::default() });
    settings.picks = picks(Action::Duplicate, "data:1");
    settings.picks.extend(&Picks::parse_delays("data:2=10ms").unwrap());
    let (deliveries, facts, channel) = send(settings, 3);
    let seen: Vec<_> = deliveries.iter().map(|d| (d.number, d.copy, d.at.as_millis())).collect();
    assert_eq!(seen, [(2, 0, 0), (4, 0, 2), (2, 1, 5), (2, 2, 10), (3, 0, 11)]);
    assert_eq!(facts.len(), 2);
    assert!(matches!(facts[1].fate, Fate::Delayed { by, .. } if by == ms(10)));
    assert_eq!(channel.ledger(Direction::Up).copied.frames, 2);
}

#[test]
fn a_rate_queues_and_a_full_queue_loses() {
    // 140 octets are 1,120 bits: 11.2 ms at 100 kbit/s, and one comes every ms.
    let up = Impairments { rate: Some(Rate::from_kilobits(100)), queue: 2, ..Impairments::default() };
    let (deliveries, facts, _) = send(settings(up), 4);
    let times: Vec<_> = deliveries.iter().map(|d| d.at.as_micros()).collect();
    assert_eq!(times, [11_200, 22_400, 33_600]);
    assert_eq!(facts[0].fate, Fate::Lost(Loss::QueueFull { frames: 2 }));
}

#[test]
fn a_link_that_is_down_and_a_frame_that_is_too_long_lose() {
    let outage = Outage { from: at(1), to: at(2) };
    let up = Impairments { outages: vec![outage], ..Impairments::default() };
    let (deliveries, facts, _) = send(settings(up), 3);
    assert_eq!(deliveries.iter().map(|d| d.number).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(facts[0].fate, Fate::Lost(Loss::LinkDown));
    let (deliveries, facts, _) = send(settings(Impairments { mtu: Some(139), ..Impairments::default() }), 1);
    assert!(deliveries.is_empty());
    assert_eq!(facts[0].fate, Fate::Lost(Loss::TooLong { octets: 140, mtu: 139 }));
}

#[test]
fn jitter_stays_in_its_bounds_and_keeps_the_order() {
    let up = Impairments { jitter: ms(5), ..Impairments::only_delay(ms(20)) };
    let (deliveries, _, _) = send(settings(up), 200);
    assert!(deliveries.windows(2).all(|pair| pair[0].number < pair[1].number));
    let distinct = deliveries.iter().enumerate().any(|(place, d)| d.at != at(place as u64 + 20));
    assert!(distinct);
    for (place, delivery) in deliveries.iter().enumerate() {
        let sent = place as u64;
        assert!(delivery.at >= at(sent + 15) && delivery.at <= at(sent + 25), "{delivery:?}");
    }
}

/// Impairments of every kind at once, from a few numbers.
fn any_impairments() -> impl Strategy<Value = Impairments> {
    (0..30_u32, 0..30_u32, 0..30_u32, 0..30_u32, 0..10_u64, any::<bool>()).prop_map(
        |(loss, duplication, reordering, corruption, jitter, burst)| Impairments {
            loss: Probability::from_percent(loss),
            duplication: Probability::from_percent(duplication),
            reordering: Probability::from_percent(reordering),
            corruption: Probability::from_percent(corruption),
            jitter: ms(jitter),
            rate: Some(Rate::from_kilobits(2_000)),
            queue: 1_000,
            burst: burst.then_some(Burst { calm: ms(20), bad: ms(5), loss: Probability::from_percent(80) }),
            ..Impairments::only_delay(ms(20))
        },
    )
}

use crate::quantity::{Probability, Rate};

proptest! {
    /// UX §7.5: removing one pick changes only what concerns the segment that it picked.
    #[test]
    fn dropping_one_segment_leaves_the_fate_of_all_others(
        impairments in any_impairments(),
        seed in any::<u64>(),
        dropped in 1..60_u64,
    ) {
        let plain = Settings { seed, ..settings(impairments) };
        let mut picked = plain.clone();
        picked.picks.push(Pick {
            action: Action::Drop,
            direction: None,
            selector: Selector::Kind { kind: Kind::Data, first: dropped, last: dropped },
        });
        let number = dropped + 1;
        let (deliveries, facts, _) = send(plain, 60);
        let (deliveries_picked, facts_picked, _) = send(picked, 60);
        let others = |list: Vec<Delivery>| {
            list.into_iter().filter(|d| d.number != number).collect::<Vec<_>>()
        };
        let other_facts = |list: Vec<Fact>| {
            list.into_iter().filter(|f| f.number != number).collect::<Vec<_>>()
        };
        prop_assert_eq!(others(deliveries), others(deliveries_picked));
        prop_assert_eq!(other_facts(facts), other_facts(facts_picked));
    }

    /// I-07: sent + duplicated = delivered + dropped + in flight, by frame and by octet.
    #[test]
    fn nothing_appears_or_vanishes_unseen(impairments in any_impairments(), seed in any::<u64>()) {
        let mut channel = Channel::new(Settings { seed, ..settings(impairments) });
        let mut classifier = classifier();
        let mut out = Count::default();
        for ordinal in 0..80 {
            let now = at(u64::from(ordinal));
            let (meta, packet) = data(&mut classifier, ordinal);
            channel.frame_arrives(now, Direction::Up, &meta, &packet);
            while let Some(delivery) = channel.poll_delivery(now) {
                out.add(delivery.octets.len());
            }
            let ledger = channel.ledger(Direction::Up);
            let flying = channel.in_flight(Direction::Up);
            prop_assert_eq!(ledger.delivered, out);
            prop_assert_eq!(
                ledger.offered.frames + ledger.copied.frames,
                ledger.delivered.frames + ledger.lost.frames + flying.frames
            );
            prop_assert_eq!(
                ledger.offered.octets + ledger.copied.octets,
                ledger.delivered.octets + ledger.lost.octets + flying.octets
            );
        }
    }

    /// Nothing that arrives as a frame can stop a channel.
    #[test]
    fn any_octets_pass(octets in prop::collection::vec(any::<u8>(), 0..200), ethernet in any::<bool>()) {
        let framing = if ethernet { Framing::Ethernet } else { Framing::Ip };
        for framing in [framing, Framing::Textbook, Framing::Opaque] {
            for checksum in [Corruption::BreaksChecksum, Corruption::RepairsChecksum] {
                let up = Impairments { corruption: Probability::ONE, flips: 9, checksum, ..Impairments::default() };
                let mut channel = Channel::new(Settings { framing, ..settings(up) });
                let mut classifier = Classifier::default();
                let meta = classifier.frame_departs(framing, Direction::Up, &octets, Hint::None);
                channel.frame_arrives(Instant::ZERO, Direction::Up, &meta, &octets);
                prop_assert!(channel.poll_delivery(Instant::ZERO).is_some());
            }
        }
    }
}
