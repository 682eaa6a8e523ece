//! What a connection costs, and that a million cost no more each than ten.

use core::mem::size_of;

use super::talk::{Talk, config, socket};
use crate::Config;
use crate::connections::{Entry, Record};

/// An entry, its place, its share of a table and a timer.
#[test]
fn what_a_host_keeps_beside_a_connection_is_small() {
    let beside = size_of::<Entry>() + 8 + 12 + 32;
    assert!(beside <= 150, "{beside}");
    assert!(size_of::<Record>() + beside <= 256, "{} {beside}", size_of::<Record>());
}

#[test]
fn an_idle_connection_takes_less_than_a_kibibyte() {
    let all = size_of::<Entry>() + 8 + 12 + 32 + size_of::<aperto_tcp::Connection>();
    assert!(all < 1024, "{all} of which {}", size_of::<aperto_tcp::Connection>());
}

/// An idle connection has no timer and is in no list.
#[test]
fn ten_thousand_idle_connections_need_no_attention() {
    let mut talk = Talk::with(Config { max_connections: 1 << 20, ..config(1) }, config(2));
    let listener = talk.listen(20_000);
    for _ in 0..10_000 {
        talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    }
    talk.run_ms(1000);
    let mut accepted = 0;
    while talk.b.accept(listener).unwrap().is_some() {
        accepted += 1;
    }
    talk.run_ms(1000);
    // One listener has at most 2,048 half-open connections at once; the others' SYNs come again.
    assert!(accepted >= 2048, "{accepted}");
    talk.run(aperto_time::Duration::from_secs(30));
    while talk.b.accept(listener).unwrap().is_some() {
        accepted += 1;
    }
    talk.run_ms(1000);
    assert_eq!(accepted, 10_000);
    assert!(talk.a.tcp.ready.is_empty() && talk.b.tcp.ready.is_empty());
    assert!(talk.a.poll_deadline().is_none() && talk.b.poll_deadline().is_none());
    assert!(talk.a.wheel.is_empty() && talk.b.wheel.is_empty());
}

/// Peers that never close their side: beyond the limit a released connection is reset.
#[test]
fn no_more_released_connections_linger_than_allowed() {
    let mut talk = Talk::with(Config { max_orphans: 10, ..config(1) }, config(2));
    for _ in 0..25 {
        let (client, _) = talk.connected("10.0.0.2:80");
        talk.a.release(talk.now, client).unwrap();
        talk.run_ms(100);
        assert!(talk.a.connections().count() <= 10 && talk.a.tcp.orphans <= 10);
    }
    assert_eq!((talk.a.connections().count(), talk.a.tcp.orphans), (10, 10));
    talk.run(aperto_time::Duration::from_secs(120));
    assert_eq!((talk.a.connections().count(), talk.a.tcp.orphans), (0, 0));
}
