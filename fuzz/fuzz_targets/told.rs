#![no_main]
//! A handshake told in text: whatever comes, in whatever pieces and however late, it ends, and
//! keeps no more than it said.

use core::time::Duration;

use aperto_app::text::{Dialect, LONGEST, PATIENCE, Role, Settings, Verdict, bare_words};
use aperto_app::{Application, TextHandshake, Want};
use libfuzzer_sys::fuzz_target;

fn says(side: &mut TextHandshake, now: Duration) {
    while let Some(Want::Write(octets)) = side.clone().poll_want(now) {
        assert!(!octets.is_empty());
        side.poll_want(now);
        side.wrote(octets.len());
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((&choice, mut rest)) = octets.split_first() else { return };
    let dialect = if choice & 1 == 0 { Dialect::Handshake } else { Dialect::ThreeWay };
    let (role, first) = if choice & 2 == 0 { (Role::Client, 2389) } else { (Role::Server, 4404) };
    let settings = Settings { dialect, role, first, patience: PATIENCE, words: bare_words };
    let mut side = TextHandshake::new(settings);
    let mut now = Duration::ZERO;
    side.opened(now);
    // Each piece: its length, how long it takes, its octets.
    while let [length, pause, more @ ..] = rest {
        let (piece, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        now += Duration::from_millis(u64::from(*pause) * 25);
        side.deadline_passed(now);
        let room = side.appetite(now);
        assert!(room <= 2 * LONGEST);
        side.readable(now, piece.get(..piece.len().min(room)).unwrap_or_default());
        says(&mut side, now);
    }
    for _ in 0..64 {
        says(&mut side, now);
        side.poll_want(now);
        let Some(at) = side.poll_deadline() else { break };
        now = at.max(now);
        side.deadline_passed(now);
    }
    assert_eq!(side.poll_deadline(), None, "it ends");
    let messages = core::iter::from_fn(|| side.poll_progress()).count();
    assert_eq!(messages == dialect.messages(), side.verdict() == Verdict::Complete);
    assert_ne!(side.verdict(), Verdict::Going);
});
