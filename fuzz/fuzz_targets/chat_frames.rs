#![no_main]
//! The chat: frames are the same however they are cut, and a room survives whoever talks to it.

use std::time::Duration;

use aperto_app::Want;
use aperto_app::chat::decoder::{Decoder, Found, who};
use aperto_app::chat::frame::Seal;
use aperto_app::chat::room::{Config, Keeping, Room};
use aperto_app::chat::{annotation, journal::JournalReader};
use libfuzzer_sys::fuzz_target;

/// All frames, and whether the connection could go on.
fn frames(octets: &[u8], piece: usize, seal: Seal) -> (Vec<Found>, bool) {
    let mut decoder = Decoder::new(600, seal);
    let mut all = Vec::new();
    for mut piece in octets.chunks(piece) {
        loop {
            match decoder.take(&mut piece) {
                Ok(Some(found)) => all.push(found),
                Ok(None) => break,
                Err(_) => return (all, false),
            }
        }
    }
    (all, true)
}

fuzz_target!(|octets: &[u8]| {
    let (&first, rest) = octets.split_first().unwrap_or((&0, &[]));
    let _ = who(rest);
    let _ = annotation::carried(rest, true);
    for seal in [Seal::None, Seal::Digest] {
        let (all, sound) = frames(rest, rest.len().max(1), seal);
        assert_eq!(frames(rest, 1, seal), (all.clone(), sound));
        assert_eq!(frames(rest, usize::from(first) + 1, seal), (all.clone(), sound));
        // What was read is what would be written.
        for found in all {
            let Found::Frame(frame) = found else { continue };
            let mut again = Vec::new();
            frame.put(&mut again, seal);
            assert_eq!(frames(&again, again.len(), seal).0, [Found::Frame(frame)]);
        }
    }
    let _ = JournalReader::default().feed(rest, |_| {});
    let mut room = Room::new(Config::new([1; 16], Keeping::Memory, "server"));
    let mut now = Duration::from_secs(1);
    let member = room.opened(now);
    for piece in rest.chunks(usize::from(first) + 1) {
        room.readable(now, member, piece);
        now += Duration::from_millis(u64::from(first));
        room.deadline_passed(now);
        while let Some(want) = room.poll_want(now, member) {
            match want {
                Want::Write(octets) => {
                    let all = octets.len();
                    room.wrote(member, all);
                }
                Want::Abort => room.closed(now, member),
                Want::Close | Want::Release => {}
            }
        }
        while room.poll_event().is_some() {}
    }
});
