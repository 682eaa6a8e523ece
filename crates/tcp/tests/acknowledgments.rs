//! When and what we acknowledge.
//!
//! RFC 9293 §3.8.6.3, RFC 5681 §4.2, RFC 2018 §4, RFC 2883 §4.

mod talk;

use aperto_tcp::{AckCause, Config, Reason};
use aperto_time::Duration;
use aperto_wire::tcp::{Options, SackBlock};
use talk::{MSS, Paper, Talk, ack, conversation, text};

/// Open, with selective acknowledgments and no timestamps.
fn with_sack(talk: Talk) -> Talk {
    talk.established_with(Options { mss: Some(MSS), sack_permitted: true, ..Options::NONE })
}

fn sacking() -> Config {
    Config { sack: true, ..Config::classroom() }
}

/// The blocks of what left, as numbers on paper.
fn blocks(paper: &Paper) -> Vec<(u32, u32)> {
    let number = |block: &SackBlock| (block.start.value(), block.end.value());
    paper.options.sack.as_slice().iter().map(number).collect()
}

/// RFC 9293 §3.8.6.3 \[SHLD-18\] \[MUST-40\]: an acknowledgment waits a moment, but less than half a second.
#[test]
fn an_acknowledgment_waits_less_than_half_a_second() {
    conversation(|talk| {
        for config in [Config::classroom(), Config::rfc1122(), Config::modern()] {
            let mut talk = talk(config).established();
            talk.peer_sends(text(1, b"text"));
            talk.we_send_nothing();
            assert!(talk.until_timer() < 500);
            assert!(matches!(talk.we_send(ack(5)).reason, Reason::Ack(AckCause::Delayed { octets: 4, .. })));
            talk.no_timer_runs();
        }
    });
}

/// RFC 9293 §3.8.6.3 \[SHLD-19\]: at least every second full-sized segment is acknowledged.
#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        for pair in 0..5 {
            let seq = 1 + 2000 * pair;
            talk.peer_sends(text(seq, &[7; 1000]));
            talk.we_send_nothing();
            talk.peer_sends(text(seq + 1000, &[7; 1000]));
            let left = talk.we_send(ack(seq + 2000));
            assert_eq!(left.reason, Reason::Ack(AckCause::SecondSegment { octets: 2000 }));
        }
    });
}

/// RFC 9293 §3.8.6.3: a timer that runs is not moved by what comes next.
#[test]
fn the_wait_begins_with_the_first_text_that_is_not_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"a"));
        talk.pass(150);
        talk.peer_sends(text(2, b"b"));
        assert_eq!(talk.until_timer(), 50);
        talk.we_send(ack(3));
    });
}

/// RFC 9293 §3.8.6.3: with the delay switched off, each segment is acknowledged.
#[test]
fn without_delay_each_segment_is_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config { delayed_ack: Duration::ZERO, ..Config::classroom() }).established();
        for seq in 1..4 {
            talk.peer_sends(text(seq, b"x"));
            assert_eq!(talk.we_send(ack(seq + 1)).reason, Reason::Ack(AckCause::NotDelayed { octets: 1 }));
        }
    });
}

/// RFC 9293 §3.10.7.4 \[MUST-58\] \[MUST-59\]: everything that has arrived is processed before one
/// acknowledgment answers it all.
#[test]
fn one_acknowledgment_answers_all_that_has_arrived() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        for n in 0..8 {
            talk.peer_sends(text(1 + 1000 * n, &[7; 1000]));
        }
        talk.we_send(ack(8001));
        talk.we_send_nothing();
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.8.6.3: an acknowledgment that may wait travels with text.
#[test]
fn text_carries_the_acknowledgment() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"request"));
        talk.pass(10);
        talk.we_write(b"answer");
        talk.we_send(text(1, b"answer").ack(8));
        talk.pass(500);
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.10.7.4: an acknowledgment is never answered by one.
#[test]
fn an_acknowledgment_is_not_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1));
        talk.peer_sends(ack(1).window(5));
        talk.pass(1000);
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.10.7.4, first: text that came twice is acknowledged at once.
#[test]
fn text_that_came_twice_is_acknowledged_at_once() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"text"));
        talk.pass(300);
        talk.we_send(ack(5));
        talk.peer_sends(text(1, b"text"));
        assert!(matches!(talk.we_send(ack(5)).reason, Reason::Ack(AckCause::Duplicate { .. })));
        assert_eq!(talk.we_read(), b"text");
    });
}

/// RFC 5681 §4.2: a FIN beyond a hole asks for what is missing, as text would.
#[test]
fn a_fin_beyond_a_hole_is_answered_at_once() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(talk::fin(5));
        assert!(matches!(talk.we_send(ack(1)).reason, Reason::Ack(AckCause::OutOfOrder { .. })));
    });
}

/// Eight segments of 500 octets from 5001 on, as in the examples of RFC 2018 §8.
fn eight(talk: Talk) -> Talk {
    let mut talk = with_sack(talk);
    talk.peer_sends(text(1, &[0; 1000]));
    for n in 0..4 {
        talk.peer_sends(text(1001 + 1000 * n, &[0; 1000]));
    }
    talk.all();
    talk
}

fn segment(number: u32) -> Paper {
    text(5001 + 500 * number, &[1; 500])
}

/// RFC 2018 §8, case 2: the first of eight segments is lost.
#[test]
fn sack_reports_everything_beyond_the_one_hole() {
    conversation(|talk| {
        let mut talk = eight(talk(sacking()));
        for number in 1..8 {
            talk.peer_sends(segment(number));
            let left = talk.we_send(ack(5001));
            assert_eq!(blocks(&left.paper), [(5501, 6001 + 500 * (number - 1))]);
        }
    });
}

/// RFC 2018 §8, case 3: the second, fourth, sixth and eighth are lost; then the fourth and the second come.
#[test]
fn sack_reports_the_latest_block_first() {
    conversation(|talk| {
        let mut talk = eight(talk(sacking()));
        talk.peer_sends(segment(0));
        let expect = |talk: &mut Talk, number: u32, acknowledged: u32, expected: &[(u32, u32)]| {
            talk.peer_sends(segment(number));
            let left = talk.we_send(ack(acknowledged));
            assert_eq!(blocks(&left.paper), expected, "segment {number}");
        };
        expect(&mut talk, 2, 5501, &[(6001, 6501)]);
        expect(&mut talk, 4, 5501, &[(7001, 7501), (6001, 6501)]);
        expect(&mut talk, 6, 5501, &[(8001, 8501), (7001, 7501), (6001, 6501)]);
        expect(&mut talk, 3, 5501, &[(6001, 7501), (8001, 8501)]);
        expect(&mut talk, 1, 7501, &[(8001, 8501)]);
    });
}

/// RFC 2018 §2: who has not said that it understands SACK gets none, and who was not asked gives none.
#[test]
fn without_permission_nothing_is_reported() {
    conversation(|talk| {
        for mut talk in [talk(sacking()).established(), with_sack(talk(Config::classroom()))] {
            assert!(!talk.connection.status().sack);
            talk.peer_sends(text(1001, &[1; 500]));
            assert!(talk.we_send(ack(1)).paper.options.sack.is_empty());
        }
    });
}

/// RFC 2883 §4.1.1: a segment that came twice is reported.
#[test]
fn dsack_reports_a_segment_that_came_twice() {
    conversation(|talk| {
        let mut talk = with_sack(talk(sacking()));
        talk.peer_sends(text(1, &[1; 500]));
        talk.peer_sends(text(501, &[1; 500]));
        talk.pass(300);
        talk.all();
        talk.peer_sends(text(1, &[1; 500]));
        let left = talk.we_send(ack(1001));
        assert_eq!(blocks(&left.paper), [(1, 501)]);
        // It is said once.
        talk.peer_sends(text(1501, &[1; 500]));
        assert_eq!(blocks(&talk.we_send(ack(1001)).paper), [(1501, 2001)]);
    });
}

/// RFC 2883 §4.1.2: what came twice is reported first, then what lies beyond the hole.
#[test]
fn dsack_stands_before_the_blocks_beyond_the_hole() {
    conversation(|talk| {
        let mut talk = with_sack(talk(sacking()));
        talk.peer_sends(text(1, &[1; 500]));
        talk.peer_sends(text(501, &[1; 500]));
        talk.peer_sends(text(1501, &[1; 500]));
        talk.all();
        talk.peer_sends(text(1, &[1; 500]));
        assert_eq!(blocks(&talk.we_send(ack(1001)).paper), [(1, 501), (1501, 2001)]);
    });
}

/// RFC 2883 §4.2.1: of a segment that is old in part, the old part is reported.
#[test]
fn dsack_reports_the_old_part_of_a_segment() {
    conversation(|talk| {
        let mut talk = with_sack(talk(sacking()));
        talk.peer_sends(text(1, &[1; 500]));
        talk.pass(300);
        talk.all();
        talk.peer_sends(text(1, &[1; 1000]));
        talk.pass(300);
        assert_eq!(blocks(&talk.we_send(ack(1001)).paper), [(1, 501)]);
    });
}

/// RFC 2883 §4.2.2: a duplicate beyond the hole is followed by the block that contains it.
#[test]
fn dsack_of_a_duplicate_beyond_the_hole_is_followed_by_its_block() {
    conversation(|talk| {
        let mut talk = with_sack(talk(sacking()));
        talk.peer_sends(text(501, &[1; 500]));
        talk.peer_sends(text(1001, &[1; 500]));
        talk.all();
        talk.peer_sends(text(501, &[1; 500]));
        assert_eq!(blocks(&talk.we_send(ack(1)).paper), [(501, 1001), (501, 1501)]);
    });
}

/// RFC 2018 §3: beside timestamps three blocks fit, and no segment has more than 40 octets of options.
#[test]
fn beside_timestamps_three_blocks_fit() {
    conversation(|talk| {
        for (stamps, most) in [(false, 4), (true, 3)] {
            let config = Config { sack: true, timestamps: stamps, ..Config::classroom() };
            let mut talk = talk(config).syn_sent();
            let mut answer = talk::syn_ack();
            answer.options.sack_permitted = true;
            talk.peer_sends(if stamps { answer.stamps(1, 0) } else { answer });
            talk.all();
            for n in 1..6 {
                let segment = text(1 + 1000 * n, &[1; 500]);
                talk.peer_sends(if stamps { segment.stamps(1, 0) } else { segment });
            }
            let left = talk.all();
            assert_eq!(blocks(&left[0].paper).len(), most);
        }
    });
}
