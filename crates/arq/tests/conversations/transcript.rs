//! One message, one loss, three protocols: the table and the ladder of the manual, by hand.
//!
//! 30 octets in 8 packets of 4, window 4, timer 100 ms, a packet a millisecond, 20 ms each way, and
//! the third data packet is lost.

use aperto_arq::reason::{Came, GroupEnd};
use aperto_arq::{
    Acknowledgements, Checksum, Config, Discard, Event, Group, Kind, NegativeAcknowledgements, Note,
    Protocol, Reason, Sequence, Timer, Window,
};
use aperto_time::{Duration, Instant};

use crate::channel::{Departure, Fate, Line, World};

const MESSAGE: &str = "transporte confiável de dados";

fn drop_data_2(departure: &Departure<'_>) -> Fate {
    if departure.is_first_of(2) { Fate::LOST } else { Fate::default() }
}

/// The manual's conversation, whatever of the configuration is changed.
fn conversation(protocol: Protocol, change: impl FnOnce(&mut Config)) -> World {
    let mut config = Config::new(protocol);
    change(&mut config);
    let mut world = World::new(protocol, config, Line::CLASSROOM);
    world.send(MESSAGE.as_bytes());
    world.run(drop_data_2);
    assert_eq!(String::from_utf8_lossy(&world.delivered), MESSAGE);
    assert_eq!(world.messages_ended, 1);
    assert_eq!(world.sender_events, [(world.last_arrival, Event::AllAcknowledged)]);
    world
}

fn seq(number: u16) -> Sequence {
    Sequence::new(number)
}

/// Packet n leaves at 40 n ms. The third, at 80, is lost; its timer expires at 180, and everything
/// after it is 100 ms late: the eighth leaves at 280 + 100 and arrives at 400.
#[test]
fn stop_and_wait_sends_nine_and_takes_400_ms() {
    let world = conversation(Protocol::StopAndWait, |_| ());
    assert_eq!(world.totals(), (9, 1, 8, 400, 420));
    assert_eq!(world.rows.len(), 17);
}

#[test]
fn go_back_n_sends_twelve_and_takes_202_ms() {
    let world = conversation(Protocol::GoBackN, |_| ());
    assert_eq!(world.totals(), (12, 4, 11, 202, 222));
}

/// Packet 2 left at 2 ms, so its timer expires at 102. It arrives at 122 and its ACK at 142, which
/// lets packets 6 and 7 leave at 142 and 143; they arrive 20 ms, their ACKs 40 ms later.
#[test]
fn selective_repeat_sends_nine_and_takes_163_ms() {
    let world = conversation(Protocol::SelectiveRepeat, |_| ());
    assert_eq!(world.totals(), (9, 1, 8, 163, 183));
}

#[test]
fn go_back_n_s_ladder_has_these_23_rows() {
    let ladder = "
 1   0 DATA 0 \"tran\" delivered 0
 2   1 DATA 1 \"spor\" delivered 1
 3   2 DATA 2 \"te c\" LOST
 4   3 DATA 3 \"onfi\" discarded
 5  20 ACK 0 [1..4]
 6  21 ACK 1 [2..5]
 7  23 ACK 1 DUP 1
 8  40 DATA 4 \"áve\" discarded
 9  41 DATA 5 \"l de\" discarded
10  60 ACK 1 DUP 2
11  61 ACK 1 DUP 3
12 141 DATA 2 \"te c\" AGAIN(#3) delivered 2
13 142 DATA 3 \"onfi\" AGAIN(#4) delivered 3
14 143 DATA 4 \"áve\" AGAIN(#8) delivered 4
15 144 DATA 5 \"l de\" AGAIN(#9) delivered 5
16 161 ACK 2 [3..6]
17 162 ACK 3 [4..7]
18 163 ACK 4 [5..8]
19 164 ACK 5 [6..9]
20 181 DATA 6 \" dad\" delivered 6
21 182 DATA 7 \"os\" delivered 7
22 201 ACK 6 [7..10]
23 202 ACK 7 [8..11]
";
    assert_eq!(conversation(Protocol::GoBackN, |_| ()).ladder(), ladder.trim_start_matches('\n'));
}

#[test]
fn selective_repeat_s_ladder_has_these_17_rows() {
    let ladder = "
 1   0 DATA 0 \"tran\" delivered 0
 2   1 DATA 1 \"spor\" delivered 1
 3   2 DATA 2 \"te c\" LOST
 4   3 DATA 3 \"onfi\" kept 3
 5  20 ACK 0 [1..4]
 6  21 ACK 1 [2..5]
 7  23 ACK 3
 8  40 DATA 4 \"áve\" kept 4
 9  41 DATA 5 \"l de\" kept 5
10  60 ACK 4
11  61 ACK 5
12 102 DATA 2 \"te c\" AGAIN(#3) delivered 2 delivered 3 delivered 4 delivered 5
13 122 ACK 2 [6..9]
14 142 DATA 6 \" dad\" delivered 6
15 143 DATA 7 \"os\" delivered 7
16 162 ACK 6 [7..10]
17 163 ACK 7 [8..11]
";
    assert_eq!(conversation(Protocol::SelectiveRepeat, |_| ()).ladder(), ladder.trim_start_matches('\n'));
}

/// Each reason has the numbers that led to it.
#[test]
fn go_back_n_says_why_it_sent_each_packet() {
    let world = conversation(Protocol::GoBackN, |_| ());
    let reason = |number: usize| world.rows[number - 1].reason;
    let note = |number: usize| world.rows[number - 1].notes.clone();

    let window = Window { base: seq(0), next: seq(1), last: seq(3) };
    assert_eq!(reason(1), Reason::FirstTransmission { window });
    let (expected, got) = (seq(2), seq(3));
    assert_eq!(note(4), [Note::Discarded(Discard::OutOfOrder { expected, got })]);
    assert_eq!(reason(6), Reason::Delivered);
    let came = Came::OutOfOrder(seq(3));
    assert_eq!(reason(7), Reason::RepeatsLastInOrder { expected, came, repeat: 1 });
    assert_eq!(note(7), [Note::AcknowledgementIgnored { sequence: seq(1), base: seq(2) }]);
    let came = Came::OutOfOrder(seq(5));
    assert_eq!(reason(11), Reason::RepeatsLastInOrder { expected, came, repeat: 3 });
    let back = |position| Reason::WentBackOnTimer {
        base: seq(2),
        position,
        outstanding: 4,
        waited: Duration::from_millis(100),
        retry: 1,
        max_retries: 15,
    };
    assert_eq!([reason(12), reason(13), reason(14), reason(15)], [1, 2, 3, 4].map(back));
    // At 182, when packet 7 leaves, ACK 3 has just arrived.
    let window = Window { base: seq(4), next: seq(8), last: seq(7) };
    assert_eq!(reason(21), Reason::FirstTransmission { window });
}

/// The timer starts at 0 for packet 0, at 40 for packet 1 and at 41 for packet 2, each time because
/// the base moved, and so expires at 141 and not at 100.
#[test]
fn go_back_n_s_timer_starts_again_when_the_base_moves() {
    let world = conversation(Protocol::GoBackN, |_| ());
    let started = |at: u64, base: u16| {
        let due = Instant::from_millis(at + 100);
        (Instant::from_millis(at), Note::TimerStarted { timer: Timer::Window { base: seq(base) }, due })
    };
    let starts = world.sender_notes.iter().filter(|(_, note)| matches!(note, Note::TimerStarted { .. }));
    let starts: Vec<_> = starts.copied().take(5).collect();
    assert_eq!(starts, [started(0, 0), started(40, 1), started(41, 2), started(141, 2), started(181, 3)]);
    let expired = Note::TimerExpired { timer: Timer::Window { base: seq(2) }, retry: 1 };
    assert!(world.sender_notes.contains(&(Instant::from_millis(141), expired)));
}

#[test]
fn selective_repeat_says_why_it_sent_each_packet() {
    let world = conversation(Protocol::SelectiveRepeat, |_| ());
    let reason = |number: usize| world.rows[number - 1].reason;
    assert_eq!(reason(7), Reason::Buffered { expected: seq(2) });
    let waited = Duration::from_millis(100);
    assert_eq!(reason(12), Reason::TimerExpired { waited, retry: 1, max_retries: 15 });
    assert_eq!(reason(13), Reason::Delivered);
    let moved = Note::WindowMoved { window: Window { base: seq(6), next: seq(6), last: seq(9) }, by: 4 };
    assert_eq!(world.rows[12].notes.last(), Some(&moved));
    let marked = Note::MarkedAcknowledged { sequence: seq(3), base: seq(2) };
    assert_eq!(world.rows[6].notes.last(), Some(&marked));
}

/// Packet 3 arrives at 23 and shows that 2 is missing; the NACK arrives at 43, and the window 2 to 5
/// leaves again from 43 to 46. The ACKs of 2 and 3 come at 83 and 84 and let 6 and 7 go.
#[test]
fn with_negative_acknowledgements_go_back_n_does_not_wait_for_its_timer() {
    let world = conversation(Protocol::GoBackN, |config| {
        config.negative_acknowledgements = NegativeAcknowledgements::On;
    });
    assert_eq!(world.totals(), (12, 4, 10, 104, 124));
    assert_eq!(world.count(|row| row.packet.kind == Kind::Nack), 1);
    let nack = &world.rows[6];
    assert_eq!((nack.packet.kind, nack.packet.sequence), (Kind::Nack, seq(2)));
    assert_eq!((nack.left, nack.reason), (Instant::from_millis(23), Reason::Missing { got: seq(3) }));
    let again = world.rows.iter().find(|row| row.reason.is_retransmission()).unwrap();
    assert_eq!(again.left, Instant::from_millis(43));
    assert_eq!(again.reason, Reason::WentBackOnNack { base: seq(2), position: 1, outstanding: 4 });
}

/// As above, but only packet 2 leaves again, at 43; its ACK comes at 83.
#[test]
fn with_negative_acknowledgements_selective_repeat_resends_one_at_once() {
    let world = conversation(Protocol::SelectiveRepeat, |config| {
        config.negative_acknowledgements = NegativeAcknowledgements::On;
    });
    assert_eq!(world.totals(), (9, 1, 8, 104, 124));
    assert_eq!(world.count(|row| row.packet.kind == Kind::Nack), 1);
    let again = world.rows.iter().find(|row| row.reason.is_retransmission()).unwrap();
    assert_eq!((again.left, again.reason), (Instant::from_millis(43), Reason::AskedForAgain));
}

/// A damaged packet is answered at once: it arrives at 20, the NACK at 40.
#[test]
fn damage_is_answered_with_a_nack_at_once() {
    for protocol in [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat] {
        for checksum in [Checksum::Internet, Checksum::Crc32] {
            let mut config = Config::new(protocol);
            config.negative_acknowledgements = NegativeAcknowledgements::On;
            config.checksum = checksum;
            let mut world = World::new(protocol, config, Line::CLASSROOM);
            world.send(b"oi!");
            let damage = Fate { damaged_bit: Some(70), ..Fate::default() };
            world.run(|departure| if departure.is_first_of(0) { damage } else { Fate::default() });
            assert_eq!(world.delivered, b"oi!");
            assert_eq!(world.totals(), (2, 1, 1, 60, 80), "{protocol:?}");
            assert_eq!(world.rows[1].reason, Reason::Damaged);
            assert!(matches!(world.rows[0].notes[0], Note::Discarded(Discard::Damaged(_))));
        }
    }
}

/// Without NACKs: stop-and-wait and Go-Back-N repeat their last ACK, Selective Repeat says nothing,
/// and in all three the timer recovers, at 100.
#[test]
fn without_negative_acknowledgements_damage_waits_for_the_timer() {
    for (protocol, answers) in
        [(Protocol::StopAndWait, 2), (Protocol::GoBackN, 2), (Protocol::SelectiveRepeat, 1)]
    {
        let mut world = World::new(protocol, Config::new(protocol), Line::CLASSROOM);
        world.send(b"oi!");
        let damage = Fate { damaged_bit: Some(70), ..Fate::default() };
        world.run(|departure| if departure.is_first_of(0) { damage } else { Fate::default() });
        assert_eq!(world.totals(), (2, 1, answers, 120, 140), "{protocol:?}");
        if answers == 2 {
            let repeats = Reason::RepeatsLastInOrder { expected: seq(0), came: Came::Damaged, repeat: 1 };
            assert_eq!(world.rows[1].reason, repeats);
            assert_eq!(world.rows[1].packet.sequence, seq(16_383), "the number before the first");
        }
    }
}

/// Without losses and with a group for each window: packets 0 to 3 from 0 to 3, one ACK from 23 to
/// 43, packets 4 to 7 from 43 to 46, which arrive by 66; the last ACK at 86.
#[test]
fn a_group_acknowledgement_answers_a_whole_window() {
    for protocol in [Protocol::GoBackN, Protocol::SelectiveRepeat] {
        let mut config = Config::new(protocol);
        config.acknowledgements = Acknowledgements::Group(Group::Window);
        let mut world = World::new(protocol, config, Line::CLASSROOM);
        world.send(MESSAGE.as_bytes());
        world.run(|_| Fate::default());
        assert_eq!(world.totals(), (8, 0, 2, 66, 86));
        let full = Reason::GroupComplete { packets: 4, why: GroupEnd::Full };
        assert_eq!(world.rows[4].reason, full);
        let end = Reason::GroupComplete { packets: 4, why: GroupEnd::EndOfMessage };
        assert_eq!(world.rows[9].reason, end);
    }
}

/// Packets 0 and 1 make a group, acknowledged at 21; 3 and 5, ahead of their turn, and 4 are
/// acknowledged by themselves; 2 leaves again at 102 and closes the group by filling the gap.
#[test]
fn groups_of_two_in_selective_repeat_with_a_loss() {
    let world = conversation(Protocol::SelectiveRepeat, |config| {
        config.acknowledgements = Acknowledgements::Group(Group::Every(2));
    });
    let answers: Vec<_> = world.rows.iter().filter(|row| row.ordinal.is_none()).collect();
    let shown: Vec<_> = answers
        .iter()
        .map(|row| (row.left.as_millis(), row.packet.kind, row.packet.sequence.value()))
        .collect();
    // The group ACK of 21 comes at 41, so 4 and 5 leave at 41 and 42.
    assert_eq!(
        shown,
        [
            (21, Kind::GroupAck, 1),
            (23, Kind::Ack, 3),
            (61, Kind::Ack, 4),
            (62, Kind::Ack, 5),
            (122, Kind::GroupAck, 5),
            (163, Kind::GroupAck, 7),
        ]
    );
    let filled = Reason::GroupComplete { packets: 4, why: GroupEnd::GapFilled };
    assert_eq!(answers[4].reason, filled);
    assert_eq!(world.totals(), (9, 1, 6, 163, 183));
}

#[test]
fn the_octets_on_the_wire_carry_the_same_story_with_any_space_and_checksum() {
    for bits in [3, 14, 16] {
        for checksum in [Checksum::Internet, Checksum::Crc32] {
            let world = conversation(Protocol::GoBackN, |config| {
                config.space = aperto_arq::Space::from_bits(bits).unwrap();
                config.checksum = checksum;
                // The second packet is already beyond the wrap.
                config.first_sequence = config.space.before(seq(0), 1);
            });
            assert_eq!(world.totals(), (12, 4, 11, 202, 222));
            assert_eq!(world.rows[1].packet.sequence, seq(0));
        }
    }
}
