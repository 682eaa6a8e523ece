//! Textbook protocols in a world: the table and ladders of the manual, worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use aperto_sim::channel::picks::{Action, Picks};
use aperto_sim::compare::{Comparison, Recovery, Row};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::{Protocol, Recipe};
use aperto_sim::world::{Ended, World};
use aperto_trace::HostId;

const MESSAGE: &str = "transporte confiável de dados";

fn compared(protocol: Protocol) -> Row {
    let mut comparison = Comparison::new(MESSAGE.as_bytes());
    comparison.channel.picks = Picks::parse(Action::Drop, "data:2").unwrap();
    comparison.run(protocol).unwrap().0
}

fn row(protocol: Protocol, numbers: (u64, u64, u64, u64, Option<u64>), recovery: Recovery) {
    let (sends, resends, acks, delivered, complete_after) = numbers;
    let row = compared(protocol);
    assert_eq!((row.sends, row.resends, row.acks), (sends, resends, acks), "{row:?}");
    assert_eq!((row.delivered, row.of), (delivered, 30), "{row:?}");
    assert_eq!(row.complete_after, complete_after.map(Duration::from_millis), "{row:?}");
    assert_eq!(row.recovery, recovery);
}

/// Packet n leaves at 40 n ms; the third, at 80, is lost, its timer expires at 180, and all that
/// follow are 100 ms late: the eighth leaves at 380 and arrives at 400.
#[test]
fn stop_and_wait_sends_nine_and_delivers_all_in_400_ms() {
    row(Protocol::StopAndWait, (9, 1, 8, 30, Some(400)), Recovery::Timer);
}

/// The ladder of the manual: 2 to 5 are sent again from 141 on, 7 leaves at 182.
#[test]
fn go_back_n_sends_twelve_and_delivers_all_in_202_ms() {
    row(Protocol::GoBackN, (12, 4, 11, 30, Some(202)), Recovery::TimerWholeWindow);
}

/// Packet 2 is sent again at 102, its ACK comes at 142, packet 7 leaves at 143.
#[test]
fn selective_repeat_sends_nine_and_delivers_all_in_163_ms() {
    row(Protocol::SelectiveRepeat, (9, 1, 8, 30, Some(163)), Recovery::Timer);
}

#[test]
fn a_textbook_protocol_delivers_everything_over_a_bad_channel_and_the_same_twice() {
    for protocol in [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat] {
        for seed in 1..=20 {
            let mut recipe = Recipe::new(protocol);
            recipe.seed = seed;
            recipe.message = MESSAGE.repeat(5).into_bytes();
            recipe.impair(None, |one| {
                one.loss = Probability::from_percent(10);
                one.duplication = Probability::from_percent(5);
                one.corruption = Probability::from_percent(5);
                // In order: what overtakes may be taken for new once the numbers have wrapped.
                one.jitter = Duration::from_millis(5);
            });
            let run = || {
                let mut world = World::new(&recipe).unwrap();
                assert_eq!(world.run(), Ended::Quiet);
                world
            };
            let world = run();
            assert_eq!(world.heard(HostId(1)), recipe.message, "{protocol:?} seed {seed}");
            assert_eq!(world.trace().records(), run().trace().records());
        }
    }
}

/// Four packets leave at 0 to 3; one GROUP ACK for them leaves at 23 and is there at 43, so the last
/// of eight leaves at 46 and arrives at 66. With an ACK for each it leaves at 43.
#[test]
fn a_group_acknowledgement_saves_acks_and_costs_time() {
    for (group, acks, last) in [(false, 8, 63), (true, 2, 66)] {
        let mut comparison = Comparison::new(MESSAGE.as_bytes());
        comparison.group = group;
        for protocol in [Protocol::GoBackN, Protocol::SelectiveRepeat] {
            let row = comparison.run(protocol).unwrap().0;
            assert_eq!((row.sends, row.acks), (8, acks), "{row:?}");
            assert_eq!(row.complete_after, Some(Duration::from_millis(last)), "{row:?}");
        }
    }
}

/// 30 octets in messages of at most 10 are three times 4, 4 and 2 octets.
#[test]
fn a_longest_message_cuts_what_is_said_and_a_message_begins_a_packet() {
    let mut comparison = Comparison::new(MESSAGE.as_bytes());
    comparison.longest = Some(10);
    let row = comparison.run(Protocol::GoBackN).unwrap().0;
    assert_eq!((row.sends, row.delivered), (9, 30), "{row:?}");
}

/// The NACK for packet 2 leaves when 3 arrives at 23 and is there at 43, long before the timer.
#[test]
fn a_nack_is_faster_than_a_timer() {
    let mut comparison = Comparison::new(MESSAGE.as_bytes());
    comparison.channel.picks = Picks::parse(Action::Drop, "data:2").unwrap();
    comparison.nack = true;
    for protocol in [Protocol::GoBackN, Protocol::SelectiveRepeat] {
        let row = comparison.run(protocol).unwrap().0;
        assert_eq!(row.recovery, Recovery::Nack, "{row:?}");
        assert!(row.complete_after < Some(Duration::from_millis(163)), "{row:?}");
    }
}
