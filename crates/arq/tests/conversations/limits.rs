//! Where the protocols end: giving up, full queues, too few numbers, the other direction.

use aperto_arq::{
    Config, Discard, Endpoint, Event, Kind, Note, Observe, Packet, Protocol, Reason, Receiver, SendError,
    Sender, Sequence, Space,
};
use aperto_time::{Duration, Instant};

use crate::channel::{Fate, Line, Way, World};

const ALL: [Protocol; 3] = [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat];

fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

/// Sent at 0, again at 100 and 200; at 300 the sender gives up.
#[test]
fn after_the_last_retry_the_sender_gives_up_and_says_so_once() {
    for protocol in ALL {
        let mut config = Config::new(protocol);
        config.max_retries = 2;
        let mut world = World::new(protocol, config, Line::CLASSROOM);
        world.send(b"x");
        world.run(|_| Fate::LOST);
        assert_eq!(world.totals().0, 3);
        let gave_up = Event::GaveUp { sequence: Sequence::new(0), retries: 2 };
        assert_eq!(world.sender_events, [(at(300), gave_up)]);
        assert_eq!(world.sender.unacknowledged_packets(), 0);
        assert_eq!(world.sender.send(b"y"), Err(SendError::GaveUp));
        assert_eq!(world.sender.poll_packet(at(301)), None);
        assert_eq!(world.sender.poll_deadline(), None);
    }
}

/// Lost at 0, 100 and 200: the reasons count.
#[test]
fn retries_in_a_row_are_counted() {
    for protocol in ALL {
        let mut world = World::new(protocol, Config::new(protocol), Line::CLASSROOM);
        world.send(b"x");
        world.run(|departure| match (departure.way, departure.index) {
            (Way::Forward, 0..3) => Fate::LOST,
            _ => Fate::default(),
        });
        let retries: Vec<_> = world.rows.iter().filter(|row| row.way == Way::Forward).collect();
        let retries = retries.iter().map(|row| match row.reason {
            Reason::TimerExpired { retry, .. } | Reason::WentBackOnTimer { retry, .. } => {
                (row.left.as_millis(), retry)
            }
            _ => (row.left.as_millis(), 0),
        });
        assert_eq!(retries.collect::<Vec<_>>(), [(0, 0), (100, 1), (200, 2), (300, 3)], "{protocol:?}");
    }
}

/// Kurose and Ross §3.4.4: a whole window was delivered and all its ACKs were lost. The receiver's
/// window has nothing in common with the sender's, and yet it must acknowledge what comes again.
#[test]
fn a_window_whose_acknowledgements_were_all_lost_is_acknowledged_again() {
    for protocol in [Protocol::GoBackN, Protocol::SelectiveRepeat] {
        let mut config = Config::new(protocol);
        config.space = Space::from_bits(3).unwrap();
        config.payload_octets = 1;
        let mut world = World::new(protocol, config, Line::CLASSROOM);
        world.send(b"abcdefgh");
        world.run(|departure| match (departure.way, departure.index) {
            (Way::Back, 0..4) => Fate::LOST,
            _ => Fate::default(),
        });
        assert_eq!(world.delivered, b"abcdefgh");
        // Four again from 100 (103 in Selective Repeat) on, four new from 140 to 143.
        assert_eq!(world.totals(), (12, 4, 12, 163, 183), "{protocol:?}");
    }
}

#[test]
fn a_message_that_does_not_fit_the_queue_is_refused_whole() {
    for protocol in ALL {
        let mut config = Config::new(protocol);
        config.queue_packets = 3;
        let mut sender = Sender::new(protocol, config).unwrap();
        assert_eq!(sender.send(&[0; 13]), Err(SendError::QueueFull { needed: 4, free: 3 }));
        assert_eq!(sender.send(&[0; 8]), Ok(()));
        assert_eq!(sender.free_packets(), 1);
        assert_eq!(sender.send(&[0; 5]), Err(SendError::QueueFull { needed: 2, free: 1 }));
        assert_eq!(sender.send(b""), Ok(()), "an empty message is one packet");
        assert_eq!(sender.unacknowledged_packets(), 3);
    }
}

#[test]
fn an_empty_message_arrives_as_one() {
    for protocol in ALL {
        let mut world = World::new(protocol, Config::new(protocol), Line::CLASSROOM);
        world.send(b"");
        world.send(b"oi");
        world.run(|_| Fate::default());
        assert_eq!((world.delivered.as_slice(), world.messages_ended), (&b"oi"[..], 2));
    }
}

/// What the application does not read is not acknowledged, and is sent again later.
#[test]
fn a_receiver_whose_application_does_not_read_takes_no_more() {
    for protocol in ALL {
        let mut config = Config::new(protocol);
        config.unread_packets = 2;
        let format = config.format();
        let mut receiver = Receiver::new(protocol, config).unwrap();
        receiver.observe(Observe::Yes);
        let arrives = |receiver: &mut Receiver, number| {
            let packet = Packet { kind: Kind::Data, ..Packet::answer(Kind::Ack, Sequence::new(number)) };
            receiver.packet_arrives(at(0), &packet.emit(format).unwrap());
            std::iter::from_fn(|| receiver.poll_packet(at(0))).count()
        };
        assert_eq!(arrives(&mut receiver, 0), 1);
        assert_eq!(arrives(&mut receiver, 1), 1);
        assert_eq!(arrives(&mut receiver, 2), 0, "{protocol:?}");
        let last = std::iter::from_fn(|| receiver.poll_note()).last();
        assert_eq!(last, Some(Note::Discarded(Discard::NoRoom { unread: 2 })));
        assert!(receiver.poll_event().is_some());
        assert_eq!(arrives(&mut receiver, 2), 1);
    }
}

/// One bit and a channel that lets a copy of packet 0 arrive late, when the receiver waits for the
/// next 0: the alternating bit delivers it a second time. Fourteen bits know it for what it is.
#[test]
fn the_alternating_bit_is_deceived_by_a_late_copy() {
    let deliver = |space| {
        let protocol = Protocol::StopAndWait;
        let mut config = Config::new(protocol);
        config.space = space;
        config.payload_octets = 1;
        let format = config.format();
        let mut sender = Sender::new(protocol, config.clone()).unwrap();
        let mut receiver = Receiver::new(protocol, config).unwrap();
        sender.send(b"abc").unwrap();
        let old = sender.clone().poll_packet(at(0)).unwrap();
        let mut exchange = |late: Option<&[u8]>| {
            let packet = sender.poll_packet(at(0)).unwrap();
            receiver.packet_arrives(at(20), late.unwrap_or(&packet.octets()));
            let ack = receiver.poll_packet(at(20)).unwrap();
            assert_eq!(ack.format, format);
            sender.packet_arrives(at(40), &ack.octets());
        };
        exchange(None);
        exchange(None);
        exchange(Some(&old.octets()));
        let read = std::iter::from_fn(|| receiver.poll_event()).map(|event| match event {
            Event::Delivered { octets, .. } => octets,
            other => panic!("{other:?}"),
        });
        (read.collect::<Vec<_>>().concat(), sender.unacknowledged_packets())
    };
    assert_eq!(deliver(Space::ALTERNATING_BIT), (b"aba".to_vec(), 0));
    assert_eq!(deliver(Space::BITS_14), (b"ab".to_vec(), 1));
}

/// An answer that the channel doubled must not double what is sent for it.
#[test]
fn a_copied_nack_is_followed_once() {
    for protocol in ALL {
        let mut config = Config::new(protocol);
        config.negative_acknowledgements = aperto_arq::NegativeAcknowledgements::On;
        let mut world = World::new(protocol, config, Line::CLASSROOM);
        world.send(b"oi!");
        world.run(|departure| match (departure.way, departure.index) {
            (Way::Forward, 0) => Fate { damaged_bit: Some(0), ..Fate::default() },
            (Way::Back, 0) => Fate { copy: Some(Duration::from_millis(5)), ..Fate::default() },
            _ => Fate::default(),
        });
        assert_eq!(world.totals().0, 2, "{protocol:?}");
        let sequence = Sequence::new(0);
        let ignored = (at(45), Note::NackIgnored { sequence, base: sequence });
        assert!(world.sender_notes.contains(&ignored), "{protocol:?}");
    }
}

/// A lost acknowledgement: the next one says the same in Go-Back-N; the others are asked again.
#[test]
fn a_lost_acknowledgement_is_covered_by_the_next_one_only_in_go_back_n() {
    for (protocol, totals) in [
        // Packet 0 again at 100, its ACK at 140; packet 1 from 140 to 160, ACK at 180.
        (Protocol::StopAndWait, (3, 1, 3, 160, 180)),
        // ACK 1 at 41 acknowledges both.
        (Protocol::GoBackN, (2, 0, 2, 21, 41)),
        // Packet 0 again at 100, acknowledged again at 120.
        (Protocol::SelectiveRepeat, (3, 1, 3, 21, 140)),
    ] {
        let mut world = World::new(protocol, Config::new(protocol), Line::CLASSROOM);
        world.send(b"12345678");
        world.run(|departure| match (departure.way, departure.index) {
            (Way::Back, 0) => Fate::LOST,
            _ => Fate::default(),
        });
        assert_eq!(world.totals(), totals, "{protocol:?}");
        if protocol != Protocol::GoBackN {
            let again = world.rows.iter().find(|row| row.reason.is_duplicate_acknowledgement()).unwrap();
            let expected = Sequence::new(if protocol == Protocol::StopAndWait { 1 } else { 2 });
            assert_eq!(again.reason, Reason::AlreadyDelivered { expected });
        }
    }
}

#[test]
fn two_endpoints_talk_both_ways() {
    for protocol in ALL {
        let config = Config::new(protocol);
        let mut ends = [0, 1].map(|_| Endpoint::new(protocol, config.clone()).unwrap());
        ends[0].send("olá, tudo bem?".as_bytes()).unwrap();
        ends[1].send(b"tudo").unwrap();
        let mut heard = [Vec::new(), Vec::new()];
        for round in 0..100 {
            for from in [0, 1] {
                while let Some(outgoing) = ends[from].poll_packet(at(round)) {
                    ends[1 - from].packet_arrives(at(round), &outgoing.octets());
                }
                while let Some(event) = ends[from].poll_event() {
                    if let Event::Delivered { octets, .. } = event {
                        heard[from].extend(octets);
                    }
                }
            }
        }
        assert_eq!(heard, [b"tudo".to_vec(), "olá, tudo bem?".as_bytes().to_vec()]);
        assert!(ends.iter().all(|end| end.sender.unacknowledged_packets() == 0));
    }
}

#[test]
fn without_an_observer_nothing_is_noted() {
    for protocol in ALL {
        let mut sender = Sender::new(protocol, Config::new(protocol)).unwrap();
        sender.send(b"x").unwrap();
        sender.poll_packet(at(0)).unwrap();
        sender.packet_arrives(at(1), b"garbage");
        assert_eq!(sender.poll_note(), None);
    }
}
