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
        for tcp in [&talk.a.tcp, &talk.b.tcp] {
            prop_assert_eq!((tcp.orphans, tcp.lingering_count, tcp.half_open_count), (0, 0, 0));
        }
    }
}

/// Twin runs: whatever a stranger sends to other sockets, what one connection sends does not change
/// by a bit.
#[test]
fn strangers_leave_no_trace_in_a_connection_that_is_not_theirs() {
    let run = |forged: u64| {
        let mut talk = Talk::new();
        let (client, server) = talk.connected("10.0.0.2:80");
        talk.b.listen(socket("10.0.0.2:81"), 4).unwrap();
        talk.left.clear();
        let mut trace = Vec::new();
        let mut luck = forged;
        for round in 0..60_usize {
            for _ in 0..if forged == 0 { 0 } else { 20 } {
                luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let from = core::net::Ipv4Addr::new(10, 0, 0, 3 + (luck >> 60) as u8).into();
                let from = core::net::SocketAddr::new(from, 1 + (luck >> 40) as u16 % 60_000);
                let to = ["10.0.0.2:81", "10.0.0.2:82", "10.0.0.2:9"][(luck >> 33) as usize % 3];
                let control = aperto_wire::tcp::Control::from_bits((luck >> 50) as u8);
                let header = aperto_wire::tcp::Header { control, ..syn((luck >> 20) as u32) };
                let frame = match luck >> 63 {
                    0 => segment(from, socket(to), &header, b"forged"),
                    _ => datagram(from, socket(to), b"forged"),
                };
                talk.b.frame_arrives(talk.now, LINE, &frame);
            }
            talk.a.send(talk.now, client, &[round as u8; 3000]).unwrap();
            talk.b.send(talk.now, server, &[round as u8; 2000]).unwrap();
            talk.run_ms(37);
            let read = talk.read(super::talk::Side::B, server);
            trace.push((talk.now, read));
        }
        let of_it = |about: &crate::About| match about {
            crate::About::Tcp { connection: Some(id), .. } => *id == client || *id == server,
            _ => false,
        };
        talk.left.retain(|(_, about)| of_it(about));
        (trace, talk.left)
    };
    let alone = run(0);
    assert!(alone.1.len() > 200);
    for forged in 1..=5 {
        assert!(run(forged) == alone, "{forged}");
    }
}
