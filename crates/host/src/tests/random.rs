//! Whatever arrives, in whatever order: nothing panics, and what is bounded stays bounded.

use std::vec::Vec;

use aperto_time::{Duration, Instant};
use proptest::prelude::*;

use super::segments::{datagram, segment, syn};
use super::talk::{LINE, Talk, addresses, card, config, host, socket};
use crate::{ConnectionId, Host, Interface, Watch};

/// Everything that the host says, to the end.
fn drain(host: &mut Host, now: Instant) -> usize {
    let mut buffer = [0; 1600];
    let mut count = 0;
    while host.poll_frame(now, &mut buffer).is_some() {
        count += 1;
    }
    while host.poll_event().is_some() {}
    while host.poll_note().is_some() {}
    host.poll_deadline();
    count
}

fn busy_host(medium: u8) -> Host {
    let interface = match medium {
        0 => Interface::ip("line", 1500, &addresses(1)),
        _ => Interface::ethernet("eth", card(1), 1500, &addresses(1)),
    };
    let mut host = host(config(1), interface);
    host.watch(Watch::On);
    host.listen(socket("[::]:80"), 2).unwrap();
    host.bind_udp(socket("[::]:9")).unwrap();
    host.connect(Instant::ZERO, None, socket("10.0.0.2:80")).unwrap();
    host
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_frames_never_panic(
        medium in 0_u8..2,
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..40),
    ) {
        let mut host = busy_host(medium);
        let mut now = Instant::ZERO;
        for frame in frames {
            host.frame_arrives(now, LINE, &frame);
            prop_assert!(drain(&mut host, now) <= 4);
            now += Duration::from_millis(700);
            host.deadline_passed(now);
        }
    }

    /// Frames that were good before some octets were changed and the checksums made right again.
    #[test]
    fn damaged_frames_never_panic_and_cause_few_others(
        changes in proptest::collection::vec((0_usize..5, 0_usize..100, any::<u8>(), 0_usize..100), 0..60),
    ) {
        let frames = [
            segment(socket("10.0.0.2:80"), socket("10.0.0.1:50000"), &syn(1), b"text"),
            segment(socket("10.0.0.2:4000"), socket("10.0.0.1:80"), &syn(1), b""),
            segment(socket("[2001:db8::2]:4000"), socket("[2001:db8::1]:80"), &syn(1), b""),
            datagram(socket("10.0.0.2:5"), socket("10.0.0.1:9"), b"payload"),
            datagram(socket("[2001:db8::2]:5"), socket("[2001:db8::1]:9"), b"payload"),
        ];
        let trusting = Interface { checksums: crate::Checksums::Trust, ..Interface::ip("line", 1500, &addresses(1)) };
        let mut host = host(config(1), trusting);
        host.watch(Watch::On);
        host.listen(socket("[::]:80"), 2).unwrap();
        host.bind_udp(socket("[::]:9")).unwrap();
        for (which, at, value, cut) in changes {
            let mut frame = frames[which].clone();
            let at = at % frame.len();
            frame[at] = value;
            frame.truncate(frame.len() - cut % frame.len());
            host.frame_arrives(Instant::ZERO, LINE, &frame);
            prop_assert!(drain(&mut host, Instant::ZERO) <= 3);
        }
    }

    /// Calls in any order with any id: errors at most.
    #[test]
    fn calls_in_any_order_never_panic(
        calls in proptest::collection::vec((0_u8..12, 0_usize..8, 0_usize..3000), 0..200),
    ) {
        let mut talk = Talk::new();
        let listener = talk.listen(3);
        let mut ids: Vec<ConnectionId> = Vec::new();
        for (call, which, number) in calls {
            let now = talk.now;
            let id = ids.get(which).copied();
            match (call, id) {
                (0, _) if ids.len() < 8 => ids.extend(talk.a.connect(now, None, socket("10.0.0.2:80"))),
                (1, Some(id)) => drop(talk.a.send(now, id, &[7; 3000][..number])),
                (2, Some(id)) => drop(talk.a.receive(now, id, &mut [0; 3000][..number])),
                (3, Some(id)) => drop(talk.a.close(now, id)),
                (4, Some(id)) => drop(talk.a.release(now, id)),
                (5, Some(id)) => drop(talk.a.abort(now, id)),
                (6, Some(id)) => talk.a.consume(now, id, number),
                (7, _) => drop(talk.b.accept(listener)),
                (8, _) => {
                    let all: Vec<_> = talk.b.connections().map(|(id, ..)| id).collect();
                    for id in all {
                        let _ = talk.b.send(now, id, &[9; 100]);
                        let _ = talk.b.close(now, id);
                    }
                }
                (9, _) => talk.run(Duration::from_secs(number as u64 / 10)),
                (10, Some(id)) => drop(talk.a.status(id)),
                _ => talk.run_ms(number as u64),
            }
        }
        // Everything ends: nobody holds anything for ever.
        let now = talk.now;
        for id in ids {
            let _ = talk.a.release(now, id);
        }
        talk.b.close_listener(now, listener).unwrap();
        let all: Vec<_> = talk.b.connections().map(|(id, ..)| id).collect();
        for id in all {
            let _ = talk.b.release(now, id);
        }
        talk.run(Duration::from_secs(1000));
        prop_assert_eq!((talk.a.connections().count(), talk.b.connections().count()), (0, 0));
        prop_assert!(talk.a.wheel.is_empty() && talk.b.wheel.is_empty());
    }
}
