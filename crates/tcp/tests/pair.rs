//! Two connections talk over a wire that loses, duplicates, reorders and delays.

use std::collections::BTreeMap;
use std::sync::Arc;

use aperto_tcp::{Config, Connection, End, Event, Opening, Push, State, Urgent};
use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Header, Segment};
use proptest::prelude::*;

/// One end: a connection, what it has to write and what it has read.
struct End1 {
    connection: Connection,
    to_write: Vec<u8>,
    read: Vec<u8>,
    ended: Option<End>,
    finished: bool,
    closed: bool,
}

fn octets(count: usize, salt: u32) -> Vec<u8> {
    (0..count).map(|i| ((i as u32).wrapping_mul(2_654_435_761).wrapping_add(salt) >> 13) as u8).collect()
}

#[derive(Clone, Debug)]
struct Faults {
    loss: u64,
    duplicate: u64,
    reorder: u64,
    seed: u64,
}

struct Luck(u64);

impl Luck {
    fn percent(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % 100
    }
}

/// Runs both ends until nothing is left to happen; panics if that takes more than two hours of theirs.
fn run(ends: &mut [End1; 2], faults: &Faults, max_payload: usize) -> Instant {
    let mut luck = Luck(faults.seed);
    let mut now = Instant::ZERO;
    let mut wire: BTreeMap<(Instant, u64), (usize, Header, Vec<u8>)> = BTreeMap::new();
    let mut ordinal = 0;
    for _ in 0..2_000_000 {
        for (side, end) in ends.iter_mut().enumerate() {
            if !end.to_write.is_empty()
                && let Ok(taken) = end.connection.send(now, &end.to_write, Push::Yes, Urgent::No)
            {
                end.to_write.drain(..taken);
            }
            if end.to_write.is_empty() && !end.closed && end.connection.state().is_synchronized() {
                end.closed = true;
                end.connection.close(now).expect("open");
            }
            let mut buffer = [0; 3000];
            while let Ok(count @ 1..) = end.connection.receive(now, &mut buffer) {
                end.read.extend_from_slice(&buffer[..count]);
            }
            while let Some(out) = end.connection.poll_segment(now) {
                let payload: Vec<u8> = out.payload.iter().flatten().copied().collect();
                assert_eq!(payload.len(), out.payload.len());
                assert!(payload.len() <= max_payload, "{} octets", payload.len());
                let copies = if luck.percent() < faults.duplicate { 2 } else { 1 };
                for _ in 0..copies {
                    if luck.percent() < faults.loss {
                        continue;
                    }
                    let late = if luck.percent() < faults.reorder { luck.percent() } else { 0 };
                    let at = now + Duration::from_millis(20 + late);
                    ordinal += 1;
                    wire.insert((at, ordinal), (1 - side, out.header, payload.clone()));
                }
            }
            while let Some(event) = end.connection.poll_event() {
                match event {
                    Event::Ended(how) => end.ended = Some(how),
                    Event::PeerClosed => end.finished = true,
                    _ => {}
                }
            }
        }
        let next = wire.first_key_value().map(|((at, _), _)| *at);
        let timers = ends.iter().filter_map(|e| e.connection.poll_deadline()).map(|d| d.at).min();
        let Some(at) = next.into_iter().chain(timers).min() else { return now };
        now = now.max(at);
        assert!(now < Instant::ZERO + Duration::from_secs(7200), "no end in two hours");
        while let Some(entry) = wire.first_entry().filter(|e| e.key().0 <= now) {
            let (side, header, payload) = entry.remove();
            ends[side].connection.segment_arrives(now, &Segment { header, payload: &payload });
        }
        for end in ends.iter_mut() {
            end.connection.deadline_passed(now);
        }
    }
    panic!(
        "no end in two million steps: {:?} {:?}",
        ends[0].connection.status(),
        ends[1].connection.status()
    );
}

fn pair(config: &Arc<Config>, sizes: [usize; 2], isn: u32, mss: u16) -> [End1; 2] {
    let opening = |iss: u32| Opening { iss: SeqNumber::new(iss), timestamp_offset: iss, mss };
    let end = |connection, to_write| End1 {
        connection,
        to_write,
        read: Vec::new(),
        ended: None,
        finished: false,
        closed: false,
    };
    [
        end(Connection::open_active(Instant::ZERO, config.clone(), opening(isn)), octets(sizes[0], 1)),
        end(Connection::open_passive(config.clone(), opening(isn.wrapping_add(77))), octets(sizes[1], 2)),
    ]
}

fn both_streams_arrive_whole(config: Config, sizes: [usize; 2], isn: u32, mss: u16, faults: &Faults) {
    let config = Arc::new(config);
    let mut ends = pair(&config, sizes, isn, mss);
    run(&mut ends, faults, usize::from(mss));
    assert_eq!(ends[0].read, octets(sizes[1], 2), "what the passive end wrote");
    assert_eq!(ends[1].read, octets(sizes[0], 1), "what the active end wrote");
    for end in &ends {
        assert_eq!(end.connection.state(), State::Closed);
        assert_eq!(end.ended, Some(End::Closed));
        assert!(end.finished);
    }
}

const PERFECT: Faults = Faults { loss: 0, duplicate: 0, reorder: 0, seed: 1 };

#[test]
fn both_streams_arrive_whole_over_a_perfect_wire() {
    for config in [Config::modern(), Config::rfc1122(), Config::classroom()] {
        both_streams_arrive_whole(config, [1_000_000, 300_000], u32::MAX - 500_000, 1460, &PERFECT);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn both_streams_arrive_whole_whatever_the_wire_does(
        sizes in (0usize..60_000, 0usize..60_000),
        isn in prop_oneof![any::<u32>(), (u32::MAX - 60_000)..=u32::MAX],
        mss in 60u16..1461,
        seed: u64,
        (loss, duplicate, reorder) in (0u64..25, 0u64..20, 0u64..30),
        (sack, timestamps, window_scaling, nagle) in any::<(bool, bool, bool, bool)>(),
        (send_buffer, receive_buffer) in (1usize..100_000, 100usize..100_000),
        classroom: bool,
    ) {
        let base = if classroom { Config::classroom() } else { Config::modern() };
        let config = Config {
            sack, timestamps, window_scaling, nagle,
            send_buffer: send_buffer.max(64),
            receive_buffer,
            user_timeout: Duration::from_secs(1800),
            syn_timeout: Duration::from_secs(1800),
            syn_ack_retries: 50,
            rto_max: Duration::from_secs(10),
            // As long as somebody may still ask for the last acknowledgment.
            msl: Duration::from_secs(900),
            ..base
        };
        let faults = Faults { loss, duplicate, reorder, seed };
        both_streams_arrive_whole(config, [sizes.0, sizes.1], isn, mss, &faults);
    }
}
