//! Detecting and repairing losses before the timer does.
//!
//! RFC 5681 §3.2, RFC 3042, RFC 6582, RFC 6675, RFC 2018 §8.

mod talk;

use aperto_tcp::{AckCause, Config, DataCause, DropReason, Reason, RetransmissionCause};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Options, SackBlock};
use talk::{Left, MSS, Paper, Talk, ack, conversation, syn_ack, text};

fn sacking() -> Config {
    Config { sack: true, ..Config::classroom() }
}

/// Open, with selective acknowledgments.
fn with_sack(talk: Talk) -> Talk {
    talk.established_with(Options { mss: Some(MSS), sack_permitted: true, ..Options::NONE })
}

/// An acknowledgment that reports these blocks.
fn sack(number: u32, blocks: &[(u32, u32)]) -> Paper {
    let block = |&(start, end)| SackBlock { start: SeqNumber::new(start), end: SeqNumber::new(end) };
    ack(number).options(Options { sack: blocks.iter().map(block).collect(), ..Options::NONE })
}

/// Where the segments begin that leave now.
fn sent(talk: &mut Talk) -> Vec<u32> {
    talk.all().iter().map(|left| left.paper.seq).collect()
}

fn because(left: &Left) -> RetransmissionCause {
    match left.reason {
        Reason::Retransmission { because, .. } => because,
        other => panic!("{other:?}"),
    }
}

/// Ten segments are out, and as many more wait.
fn ten_out(talk: Talk, waiting: usize) -> Talk {
    let mut talk = talk;
    talk.we_write(&vec![7; 10_000 + waiting]);
    assert_eq!(talk.all().len(), 10);
    talk
}

/// RFC 5681 §3.2 (1), RFC 3042 §2: the first two duplicates let a new segment go each.
#[test]
fn limited_transmit_lets_two_new_segments_go() {
    conversation(|talk| {
        let mut talk = ten_out(talk(Config::classroom()).established(), 10_000);
        for (n, seq) in [(1, 10_001), (2, 11_001)] {
            talk.peer_sends(ack(1));
            let left = talk.we_send(text(seq, &[7; 1000]));
            let because = DataCause::LimitedTransmit { duplicate_acks: n };
            assert_eq!(left.reason, Reason::Data { octets: 1000, because, acknowledges: 0 });
            talk.we_send_nothing();
        }
    });
}

/// RFC 5681 §3.2 (2) to (6): the third duplicate has the segment sent again; the threshold is half of
/// what was in flight, without what limited transmit sent; each further duplicate counts a segment.
#[test]
fn the_third_duplicate_has_the_segment_sent_again() {
    conversation(|talk| {
        let mut talk = ten_out(talk(Config::classroom()).established(), 10_000);
        talk.peer_sends(ack(1));
        talk.peer_sends(ack(1));
        assert_eq!(sent(&mut talk), [10_001, 11_001]);
        talk.peer_sends(ack(1));
        let left = talk.we_send(text(1, &[7; 1000]));
        assert!(matches!(because(&left), RetransmissionCause::FastRetransmit { duplicate_acks: 3, .. }));
        talk.we_send_nothing();
        assert_eq!(talk.connection.status().ssthresh, 5000);
        // Twelve are out. 5 + n segments may be: from the eighth duplicate on one goes for each.
        for _ in 4..8 {
            talk.peer_sends(ack(1));
            talk.we_send_nothing();
        }
        for seq in [12_001, 13_001, 14_001, 15_001] {
            talk.peer_sends(ack(1));
            let left = talk.we_send(text(seq, &[7; 1000]));
            assert!(matches!(left.reason, Reason::Data { because: DataCause::Recovery { .. }, .. }));
        }
        // All that was out at the third duplicate is acknowledged: the window deflates.
        talk.peer_sends(ack(12_001));
        assert_eq!(talk.connection.status().cwnd, 5000);
        assert_eq!(sent(&mut talk), [16_001]);
    });
}

/// RFC 5681 §3.2 (3): the three duplicates inflate the window by three segments also without RFC 3042.
#[test]
fn without_limited_transmit_the_first_two_duplicates_send_nothing() {
    conversation(|talk| {
        let config = Config { limited_transmit: false, ..Config::classroom() };
        let mut talk = ten_out(talk(config).established(), 10_000);
        talk.peer_sends(ack(1));
        talk.peer_sends(ack(1));
        talk.we_send_nothing();
        talk.peer_sends(ack(1));
        talk.we_send(text(1, &[7; 1000]));
        // Ten are out, 5 + n may be: the sixth duplicate lets one go.
        for n in 4..=6 {
            talk.we_send_nothing();
            talk.peer_sends(ack(1));
            if n == 6 {
                talk.we_send(text(10_001, &[7; 1000]));
            }
        }
    });
}

/// RFC 6582 §3.2 (3): an acknowledgment of a part has the next hole sent again at once.
#[test]
fn a_partial_acknowledgment_has_the_next_hole_sent_again() {
    conversation(|talk| {
        let mut talk = ten_out(talk(Config::classroom()).established(), 0);
        for _ in 0..3 {
            talk.peer_sends(ack(1));
        }
        talk.we_send(text(1, &[7; 1000]));
        talk.peer_sends(ack(3001));
        let left = talk.we_send(text(3001, &[7; 1000]));
        assert_eq!(because(&left), RetransmissionCause::PartialAck { recover: recover_of(&talk, 10_001) });
        talk.we_send_nothing();
        talk.peer_sends(ack(7001));
        talk.we_send(text(7001, &[7; 1000]));
        talk.peer_sends(ack(10_001));
        talk.we_send_nothing();
        talk.no_timer_runs();
    });
}

/// A number on paper as it stands in the connection.
fn recover_of(talk: &Talk, number: u32) -> SeqNumber {
    talk.connection.status().iss + number
}

/// RFC 6582 §3.2 (3): the first partial acknowledgment restarts the timer.
#[test]
fn a_partial_acknowledgment_restarts_the_timer() {
    conversation(|talk| {
        let mut talk = ten_out(talk(Config::classroom()).established(), 0);
        talk.pass(500);
        for _ in 0..3 {
            talk.peer_sends(ack(1));
        }
        talk.all();
        talk.pass(300);
        talk.peer_sends(ack(3001));
        talk.all();
        assert_eq!(talk.until_timer(), 1000);
    });
}

/// RFC 6582 §3.2 (2): duplicates of the very end of the last recovery, or of what a timeout sent again,
/// are no new loss: they come from segments that were sent twice.
#[test]
fn duplicates_at_the_end_of_a_recovery_are_no_new_loss() {
    conversation(|talk| {
        let mut timed_out = talk(Config::classroom()).established();
        timed_out.we_write(&[7; 5000]);
        timed_out.all();
        timed_out.until_timer();
        timed_out.we_send(text(1, &[7; 1000]));
        timed_out.peer_sends(ack(5001));
        timed_out.we_write(&[8; 10_000]);
        assert!(!timed_out.all().is_empty());
        for _ in 0..5 {
            timed_out.peer_sends(ack(5001));
        }
        let left = timed_out.all();
        assert!(left.iter().all(|l| matches!(l.reason, Reason::Data { .. })), "{left:?}");
        // Beyond it, three duplicates are a loss again.
        timed_out.peer_sends(ack(6001));
        timed_out.all();
        for _ in 0..3 {
            timed_out.peer_sends(ack(6001));
        }
        assert!(timed_out.all().iter().any(|l| l.paper.seq == 6001));
    });
}

/// RFC 5681 §2: no duplicate is an acknowledgment with text, with another window, or of nothing.
#[test]
fn what_is_no_duplicate_acknowledgment_is_not_counted() {
    conversation(|talk| {
        let mut with_text = ten_out(talk(Config::classroom()).established(), 0);
        for n in 0..5 {
            with_text.peer_sends(text(1 + n, b"x"));
        }
        assert!(with_text.all().iter().all(|l| l.paper.text.is_empty()));
        let mut with_window = ten_out(talk(Config::classroom()).established(), 0);
        for n in 1..6 {
            with_window.peer_sends(ack(1).window(60_000 - n));
        }
        with_window.we_send_nothing();
        let mut of_nothing = talk(Config::classroom()).established();
        for _ in 0..5 {
            of_nothing.peer_sends(ack(1));
        }
        of_nothing.we_write(&[7; 1000]);
        of_nothing.we_send(text(1, &[7; 1000]));
        of_nothing.we_send_nothing();
    });
}

/// RFC 6675 §5: the first of ten is lost. Each report takes a segment out of the pipe; when it has
/// room, new text goes.
#[test]
fn sack_repairs_one_loss_and_counts_the_pipe() {
    conversation(|talk| {
        let mut talk = ten_out(with_sack(talk(sacking())), 10_000);
        talk.peer_sends(sack(1, &[(1001, 2001)]));
        talk.peer_sends(sack(1, &[(1001, 3001)]));
        assert_eq!(sent(&mut talk), [10_001, 11_001]);
        talk.peer_sends(sack(1, &[(1001, 4001)]));
        let left = talk.we_send(text(1, &[7; 1000]));
        assert!(matches!(because(&left), RetransmissionCause::FastRetransmit { .. }));
        talk.we_send_nothing();
        let status = talk.connection.status();
        // 12 out, 3 reported, 1 lost, 1 sent again.
        assert_eq!((status.ssthresh, status.cwnd, status.pipe), (5000, 5000, 9000));
        for n in 4..8 {
            talk.peer_sends(sack(1, &[(1001, 1001 + 1000 * n)]));
            talk.we_send_nothing();
        }
        for (n, seq) in (8..).zip([12_001, 13_001, 14_001, 15_001]) {
            talk.peer_sends(sack(1, &[(1001, 1001 + 1000 * n)]));
            talk.we_send(text(seq, &[7; 1000]));
            assert_eq!(talk.connection.status().pipe, 5000);
        }
    });
}

/// RFC 6675 §4, IsLost and NextSeg: the first and the fifth of ten are lost; the fifth is sent again
/// when more than two segments beyond it have arrived, and neither twice.
#[test]
fn sack_repairs_two_losses_in_one_recovery() {
    conversation(|talk| {
        let mut talk = ten_out(with_sack(talk(sacking())), 0);
        for end in [2001, 3001, 4001] {
            talk.peer_sends(sack(1, &[(1001, end)]));
        }
        assert_eq!(sent(&mut talk), [1]);
        talk.peer_sends(sack(1, &[(5001, 6001), (1001, 4001)]));
        talk.peer_sends(sack(1, &[(5001, 7001), (1001, 4001)]));
        talk.we_send_nothing();
        talk.peer_sends(sack(1, &[(5001, 8001), (1001, 4001)]));
        let left = talk.we_send(text(4001, &[7; 1000]));
        assert!(matches!(because(&left), RetransmissionCause::SackHole { .. }));
        talk.peer_sends(sack(1, &[(5001, 10_001), (1001, 4001)]));
        talk.we_send_nothing();
        talk.peer_sends(sack(4001, &[(5001, 10_001)]));
        talk.we_send_nothing();
        talk.peer_sends(ack(10_001));
        talk.no_timer_runs();
        assert_eq!(talk.connection.status().cwnd, 2000);
    });
}

/// RFC 6675 §5 (4): three separate reports mean a loss also where they are small.
#[test]
fn three_separate_blocks_mean_a_loss() {
    conversation(|talk| {
        let mut talk = ten_out(with_sack(talk(sacking())), 0);
        talk.peer_sends(sack(1, &[(1001, 1011), (3001, 3011), (5001, 5011)]));
        assert_eq!(sent(&mut talk), [1]);
    });
}

/// RFC 2018 §5, RFC 6675 §4: blocks that cannot be are ignored one by one, a good one beside them counts.
#[test]
fn impossible_blocks_are_ignored_one_by_one() {
    conversation(|talk| {
        let bad = [(20_001, 21_001), (5000, 4000), (3000, 3000), (0, 1), (1, 500), (9001, 10_002)];
        for block in bad {
            let mut talk = ten_out(with_sack(talk(sacking())), 0);
            for _ in 0..5 {
                talk.peer_sends(sack(1, &[block]));
            }
            talk.we_send_nothing();
            assert_eq!(talk.connection.status().pipe, 10_000, "{block:?}");
            talk.peer_sends(sack(1, &[block, (1001, 4001)]));
            assert_eq!(sent(&mut talk), [1], "{block:?}");
        }
    });
}

/// RFC 2018 §8: after a timeout reports are forgotten, since the peer may have thrown the text away.
#[test]
fn a_peer_that_throws_reported_text_away_gets_it_again() {
    conversation(|talk| {
        let mut talk = ten_out(with_sack(talk(sacking())), 0);
        talk.peer_sends(sack(1, &[(1001, 10_001)]));
        talk.all();
        talk.until_timer();
        let mut next = 1;
        let mut again = sent(&mut talk);
        while next < 10_001 {
            next += 1000;
            talk.peer_sends(ack(next));
            again.extend(sent(&mut talk));
        }
        assert_eq!(again, (0..10).map(|n| 1 + 1000 * n).collect::<Vec<_>>());
        talk.no_timer_runs();
    });
}

/// RFC 6675 §5.1: a timeout in recovery begins anew from the first octet, and duplicates then start no
/// second recovery.
#[test]
fn a_timeout_ends_fast_recovery() {
    conversation(|talk| {
        let mut talk = ten_out(with_sack(talk(sacking())), 0);
        for end in [2001, 3001, 4001] {
            talk.peer_sends(sack(1, &[(1001, end)]));
        }
        talk.all();
        talk.until_timer();
        assert_eq!(sent(&mut talk), [1]);
        assert_eq!(talk.connection.status().cwnd, 1000);
        for end in [5001, 6001, 7001] {
            talk.peer_sends(sack(1, &[(1001, end)]));
        }
        assert_eq!(talk.connection.status().cwnd, 1000);
    });
}

/// RFC 3465 §2: however many acknowledgments a segment is cut into, the window opens by what they cover.
#[test]
fn dividing_acknowledgments_opens_no_larger_window() {
    conversation(|talk| {
        let flight = |pieces: u32, talk: Talk| {
            let mut talk = ten_out(talk, 50_000);
            for piece in 1..=pieces {
                talk.peer_sends(ack(1 + 1000 * piece / pieces));
            }
            talk.all();
            let status = talk.connection.status();
            status.send_next.since(status.send_unacknowledged)
        };
        let whole = flight(1, talk(Config::classroom()).established());
        assert_eq!(whole, 11_000);
        for pieces in [2, 10, 1000] {
            assert!(flight(pieces, talk(Config::classroom()).established()) <= whole + 1000, "{pieces}");
        }
    });
}

/// Savage et al. 1999: duplicates that nobody's segment caused release no more than really is in flight.
#[test]
fn spoofed_duplicates_release_no_more_than_is_in_flight() {
    conversation(|talk| {
        let mut plain = ten_out(talk(Config::classroom()).established(), 50_000);
        let mut new = 0;
        let mut again = 0;
        for _ in 0..500 {
            plain.peer_sends(ack(1));
            for left in plain.all() {
                match left.reason {
                    Reason::Data { .. } => new += 1,
                    _ => again += 1,
                }
            }
        }
        assert_eq!(again, 1);
        let window = plain.connection.status().cwnd / 1000;
        let out = plain.connection.status();
        assert!(out.send_next.since(out.send_unacknowledged) <= 60_000);
        assert!(new <= 60 - 10, "{new} new segments, window {window}");
        let mut reporting = ten_out(with_sack(talk(sacking())), 50_000);
        for _ in 0..500 {
            reporting.peer_sends(ack(1));
        }
        assert!(reporting.all().len() <= 1);
    });
}

/// RFC 9293 §3.10.7.4, fifth: an acknowledgment of what was never sent moves nothing and is answered.
#[test]
fn an_acknowledgment_of_what_was_never_sent_opens_nothing() {
    conversation(|talk| {
        let mut talk = ten_out(talk(Config::classroom()).established(), 50_000);
        talk.peer_sends(ack(10_002));
        let left = talk.we_send(ack(1).seq(10_001));
        assert!(matches!(left.reason, Reason::Ack(AckCause::AckOfUnsent { .. })));
        assert_eq!(talk.drops(), [DropReason::AckOfUnsent]);
        assert_eq!(talk.connection.status().cwnd, 10_000);
    });
}

/// RFC 2018 §8: however the peer cuts its reports, the scoreboard keeps no more pieces than it may,
/// and the text still arrives.
#[test]
fn crafted_reports_cost_no_more_than_the_scoreboard_may_hold() {
    conversation(|talk| {
        let config = Config { max_pieces: 16, ..sacking() };
        let mut talk = ten_out(with_sack(talk(config)), 0);
        for n in 0..2000 {
            talk.peer_sends(sack(1, &[(3 + 5 * n, 4 + 5 * n)]));
            talk.all();
        }
        // At most 16 octets are believed.
        assert!(talk.connection.status().pipe >= 10_000 - 16 - 1000);
        talk.peer_sends(ack(10_001));
        talk.no_timer_runs();
    });
}

/// RFC 2883 §5: a report of what came twice is no report of a loss.
#[test]
fn a_report_of_a_duplicate_is_no_loss() {
    conversation(|talk| {
        let mut talk = ten_out(with_sack(talk(sacking())), 0);
        talk.peer_sends(ack(5001));
        talk.all();
        for _ in 0..5 {
            talk.peer_sends(sack(5001, &[(1, 1001)]));
        }
        talk.we_send_nothing();
    });
}

/// RFC 6675 §4, NextSeg (3): with nothing new to send, what is perhaps lost is sent again.
#[test]
fn with_nothing_new_to_send_the_next_hole_is_tried() {
    conversation(|talk| {
        // Of ten, the first and the last but one are lost: only one segment lies beyond the second hole.
        let mut talk = ten_out(with_sack(talk(sacking())), 0);
        for end in [2001, 3001, 4001, 5001, 6001, 7001, 8001] {
            talk.peer_sends(sack(1, &[(1001, end)]));
        }
        assert_eq!(sent(&mut talk), [1]);
        talk.peer_sends(sack(1, &[(9001, 10_001), (1001, 8001)]));
        assert_eq!(sent(&mut talk), [8001]);
    });
}

/// RFC 6582 §3.2: recovery without SACK also repairs a lost FIN.
#[test]
fn a_lost_fin_is_repaired_with_the_text() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.peer_sends(syn_ack());
        talk.all();
        talk.we_write(&[7; 4500]);
        talk.we_close();
        assert_eq!(talk.all().len(), 5);
        for _ in 0..3 {
            talk.peer_sends(ack(1));
        }
        assert_eq!(sent(&mut talk), [1]);
        talk.peer_sends(ack(4001));
        let left = talk.we_send(talk::fin(4001).carrying(&[7; 500]));
        assert!(matches!(because(&left), RetransmissionCause::PartialAck { .. }));
    });
}

/// RFC 6582 §3.2 (3): a partial acknowledgment deflates the window by what it covers, and adds one
/// segment back.
#[test]
fn a_partial_acknowledgment_deflates_the_window_and_adds_a_segment_back() {
    conversation(|talk| {
        let config = Config { limited_transmit: false, ..Config::classroom() };
        let mut talk = ten_out(talk(config).established(), 10_000);
        for _ in 0..8 {
            talk.peer_sends(ack(1));
        }
        // 5 + 8 segments may be out, and ten are.
        assert_eq!(sent(&mut talk), [1, 10_001, 11_001, 12_001]);
        // 13 - 3 + 1 may be out, and ten are.
        talk.peer_sends(ack(3001));
        assert_eq!(sent(&mut talk), [3001, 13_001]);
    });
}
