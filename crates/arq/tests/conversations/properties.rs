//! Whatever the channel does, what is delivered is a prefix of what was sent, and finally all of it.
//!
//! The channel follows a script for a while and is perfect afterwards. In order: nothing overtakes,
//! and the numbers are as few as the window allows. Out of order: packets and copies are up to
//! [`LATEST`] late, and during the life of a packet (that and the way, less than 100 ms, which is at
//! most 100 packets at one a millisecond) fewer numbers are used than the space has, so that an old
//! packet is never taken for a new one. Prefixes, timers and windows are checked after every instant,
//! in `channel.rs`.

use aperto_arq::{
    Acknowledgements, Checksum, Config, Group, Kind, NegativeAcknowledgements, Packet, Protocol, Receiver,
    Sender, Sequence, Space,
};
use aperto_time::{Duration, Instant};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::channel::{Fate, Line, Way, World};

const LATEST: u64 = 70;

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::StopAndWait), Just(Protocol::GoBackN), Just(Protocol::SelectiveRepeat)]
}

fn fates(latest: u64) -> impl Strategy<Value = Vec<Fate>> {
    let late = move || (0..=latest).prop_map(Duration::from_millis);
    let fate = prop_oneof![
        5 => Just(Fate::default()),
        2 => Just(Fate::LOST),
        1 => any::<u16>().prop_map(|bit| Fate { damaged_bit: Some(bit.into()), ..Fate::default() }),
        1 => late().prop_map(|late| Fate { copy: Some(late), ..Fate::default() }),
        1 => late().prop_map(|late| Fate { late, ..Fate::default() }),
        1 => (any::<bool>(), late(), option::of(late()), option::of(any::<u8>())).prop_map(
            |(lost, late, copy, bit)| Fate { lost, late, copy, damaged_bit: bit.map(Into::into) },
        ),
    ];
    vec(fate, 0..120)
}

/// Everything that may differ except the window and the space.
fn config(protocol: Protocol, window: u16, space: Space) -> impl Strategy<Value = Config> {
    let group = prop_oneof![
        Just(Acknowledgements::Individual),
        Just(Acknowledgements::Group(Group::Window)),
        (1..=window).prop_map(|packets| Acknowledgements::Group(Group::Every(packets))),
    ];
    let negative = prop_oneof![Just(NegativeAcknowledgements::Off), Just(NegativeAcknowledgements::On)];
    let checksum = prop_oneof![Just(Checksum::Internet), Just(Checksum::Crc32)];
    // From far too short to longer than anything takes.
    let timer = prop_oneof![Just(5_u64), Just(39), Just(40), Just(100), Just(500)];
    (group, negative, checksum, timer, 1..9_u16, 0..space.size()).prop_map(
        move |(acknowledgements, negative_acknowledgements, checksum, timer, payload_octets, first)| Config {
            window_packets: window,
            payload_octets,
            acknowledgements,
            negative_acknowledgements,
            timer: Duration::from_millis(timer),
            max_retries: u32::MAX,
            space,
            first_sequence: space.after(Sequence::new(0), first),
            checksum,
            ..Config::new(protocol)
        },
    )
}

/// The fewest numbers and the largest window that goes with them.
fn tight() -> impl Strategy<Value = (Protocol, Config)> {
    (protocol(), 1..6_u8).prop_flat_map(|(protocol, bits)| {
        let space = Space::from_bits(bits).expect("1 to 5");
        let window = Config::largest_window(protocol, space) as u16;
        (Just(protocol), config(protocol, window, space))
    })
}

/// Enough numbers for a channel that does not keep the order; most conversations wrap in 8 bits.
fn roomy() -> impl Strategy<Value = (Protocol, Config)> {
    (protocol(), 1..20_u16, prop_oneof![Just(8_u8), Just(14)]).prop_flat_map(|(protocol, window, bits)| {
        let space = Space::from_bits(bits).expect("8 or 14");
        let window = if protocol == Protocol::StopAndWait { 1 } else { window };
        (Just(protocol), config(protocol, window, space))
    })
}

/// The conversation to its end; the world checks it on the way.
fn converse(protocol: Protocol, config: Config, messages: &[Vec<u8>], forward: &[Fate], back: &[Fate]) {
    let mut world = World::new(protocol, config, Line::CLASSROOM);
    for message in messages {
        world.send(message);
    }
    world.run(|departure| {
        let script = if departure.way == Way::Forward { forward } else { back };
        script.get(departure.index).copied().unwrap_or_default()
    });
    assert_eq!(world.delivered, messages.concat());
    assert_eq!(world.messages_ended, messages.len());
    assert_eq!(world.sender.unacknowledged_packets(), 0);
}

fn messages(longest: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..longest), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_order_the_fewest_numbers_are_enough(
        (protocol, config) in tight(), messages in messages(200), forward in fates(0), back in fates(0),
    ) {
        converse(protocol, config, &messages, &forward, &back);
    }

    #[test]
    fn out_of_order_enough_numbers_deliver_everything(
        (protocol, config) in roomy(), messages in messages(400), forward in fates(LATEST), back in fates(LATEST),
    ) {
        converse(protocol, config, &messages, &forward, &back);
    }

    /// A packet of any content survives emit and parse, and any octets at all survive parse.
    #[test]
    fn packets_survive_their_octets(
        kind in 0..4_usize, number in any::<u16>(), bits in 1..=16_u8, end in any::<bool>(),
        payload in vec(any::<u8>(), 0..100), crc in any::<bool>(), noise in vec(any::<u8>(), 0..40),
    ) {
        let space = Space::from_bits(bits).expect("1 to 16");
        let checksum = if crc { Checksum::Crc32 } else { Checksum::Internet };
        let format = aperto_arq::Format { space, checksum };
        let kind = [Kind::Data, Kind::Ack, Kind::Nack, Kind::GroupAck][kind];
        let sequence = space.after(Sequence::new(0), number.into());
        let packet = match kind {
            Kind::Data => {
                let end = if end { aperto_arq::EndOfMessage::Yes } else { aperto_arq::EndOfMessage::No };
                Packet { kind, sequence, end, payload }
            }
            _ => Packet::answer(kind, sequence),
        };
        let octets = packet.emit(format).expect("it fits");
        prop_assert_eq!(Packet::parse(&octets, format), Ok(packet.clone()));
        prop_assert_eq!(Packet::parse_alone(&octets), Ok((packet, format)));
        if let Ok((packet, format)) = Packet::parse_alone(&noise) {
            prop_assert_eq!(packet.emit(format), Ok(noise));
        }
    }

    /// Sound packets of any kind and number, and noise, in any order: nothing panics, and nothing
    /// grows beyond its bound.
    #[test]
    fn a_hostile_peer_can_neither_break_nor_fill_a_machine(
        (protocol, config) in tight(),
        attack in vec((0..5_usize, any::<u16>(), vec(any::<u8>(), 0..12), 0..150_u64, any::<bool>()), 0..200),
    ) {
        let config = Config { unread_packets: 20, max_retries: 3, ..config };
        let window = usize::from(config.window_packets);
        let mut sender = Sender::new(protocol, config.clone()).expect("it works");
        let mut receiver = Receiver::new(protocol, config.clone()).expect("it works");
        sender.send(&[7; 300]).expect("it fits");
        let queued = sender.unacknowledged_packets();
        let mut now = Instant::ZERO;
        for (kind, number, payload, pause, polled) in attack {
            now += Duration::from_millis(pause);
            let kinds = [Kind::Data, Kind::Ack, Kind::Nack, Kind::GroupAck];
            let sequence = config.space.after(Sequence::new(0), number.into());
            let octets = match kinds.get(kind) {
                Some(Kind::Data) => {
                    let packet = Packet { payload, ..Packet::answer(Kind::Data, sequence) };
                    packet.emit(config.format()).expect("it fits")
                }
                Some(kind) => Packet::answer(*kind, sequence).emit(config.format()).expect("it fits"),
                None => payload,
            };
            sender.packet_arrives(now, &octets);
            receiver.packet_arrives(now, &octets);
            sender.deadline_passed(now);
            let sent = std::iter::from_fn(|| if polled { sender.poll_packet(now) } else { None }).count();
            prop_assert!(sent <= window, "{} packets at once", sent);
            prop_assert!(sender.unacknowledged_packets() <= queued);
        }
        let answers = std::iter::from_fn(|| receiver.poll_packet(now)).count();
        prop_assert!(answers <= 2 * window);
        let unread = std::iter::from_fn(|| receiver.poll_event()).count();
        prop_assert!(unread <= 20 + window);
        prop_assert_eq!(receiver.poll_note(), None);
    }

    /// A machine copied in the middle of a conversation goes on as the original does.
    #[test]
    fn a_copy_of_a_machine_behaves_like_it((protocol, config) in tight(), steps in vec(0..120_u64, 0..40)) {
        let mut sender = Sender::new(protocol, config).expect("it works");
        sender.send(&[1; 60]).expect("it fits");
        let mut now = Instant::ZERO;
        for pause in steps {
            now += Duration::from_millis(pause);
            let mut copy = sender.clone();
            copy.deadline_passed(now);
            sender.deadline_passed(now);
            prop_assert_eq!(copy.poll_packet(now), sender.poll_packet(now));
            prop_assert_eq!(copy.poll_deadline(), sender.poll_deadline());
            prop_assert_eq!(copy.window(), sender.window());
        }
    }
}
