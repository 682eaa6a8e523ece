//! Which segments are acceptable, and what becomes of the others.
//!
//! RFC 9293 §3.10.7.4, first check: Table 6 and what follows it.

mod talk;

use aperto_tcp::{AckCause, Config, DropReason, Event, Reason, State};
use aperto_wire::tcp::Control;
use proptest::prelude::*;
use talk::{MSS, Talk, ack, conversation, rst, text};

/// The window of these conversations.
const OURS: u32 = 2000;

/// A listener with a window of 2,000 octets that never grows.
fn small() -> Config {
    Config { receive_buffer: OURS as usize, initial_receive_window: OURS, ..Config::classroom() }
}

/// Open, with the window closed: 2,000 octets wait to be read.
fn closed_window(talk: Talk) -> Talk {
    let mut talk = talk.established();
    talk.peer_sends(text(1, &[7; 1000]));
    talk.peer_sends(text(1001, &[7; 1000]));
    assert_eq!(talk.we_send(ack(2001)).paper.window, 0);
    talk.we_send_nothing();
    talk
}

fn before(number: u32) -> u32 {
    1u32.wrapping_sub(number)
}

/// RFC 9293 §3.10.7.4, Table 6, row 2: no text, open window. The ACK of an acceptable segment counts.
#[test]
fn without_text_the_number_must_lie_in_the_window() {
    conversation(|talk| {
        for (seq, acceptable) in
            [(1, true), (2, true), (OURS, true), (OURS + 2, false), (before(OURS + 2), false)]
        {
            let mut talk = talk(small()).established();
            talk.we_write(b"x");
            talk.we_send(text(1, b"x"));
            talk.peer_sends(ack(2).seq(seq));
            assert_eq!(talk.connection.status().send_queued, usize::from(!acceptable), "{seq}");
            if acceptable {
                talk.we_send_nothing();
            } else {
                let left = talk.we_send(ack(1).seq(2));
                assert!(matches!(left.reason, Reason::Ack(AckCause::Unacceptable { .. })));
            }
        }
    });
}

/// RFC 9293 §3.10.7.4, Table 6, row 4: text, open window. What lies outside of it is cut off; what
/// spans the whole window is cut on both sides (Table 6 would reject it: a deviation).
#[test]
fn of_text_the_part_in_the_window_is_kept() {
    // SEG.SEQ, SEG.LEN, octets that can be read, octets beyond a hole.
    let table = [
        (before(5), 5, 0, 0),
        (before(5), 6, 1, 0),
        (1, 5, 5, 0),
        (1, OURS, OURS, 0),
        (1, OURS + 1, OURS, 0),
        (before(5), OURS + 10, OURS, 0),
        (2, 5, 0, 5),
        (OURS, 1, 0, 1),
        (OURS, 5, 0, 1),
        (OURS + 1, 1, 0, 0),
        (OURS + 1, 5, 0, 0),
        (before(70_000), 5, 0, 0),
    ];
    conversation(|talk| {
        for (seq, length, readable, beyond) in table {
            let mut talk = talk(small()).established();
            talk.peer_sends(text(seq, &vec![1; length as usize]));
            let status = talk.connection.status();
            let kept = (status.receive_queued as u32, status.out_of_order as u32);
            assert_eq!(kept, (readable, beyond), "{seq} {length}");
            if readable == 0 {
                talk.we_send(ack(1));
            }
        }
    });
}

/// RFC 9293 §3.10.7.4, Table 6, rows 1 and 3: a closed window takes no text; the number of a segment
/// without text must be RCV.NXT.
#[test]
fn a_closed_window_takes_only_what_is_next_and_empty() {
    conversation(|talk| {
        for (seq, acceptable) in [(2001, true), (2003, false), (2001 + 70_000, false)] {
            let mut talk = closed_window(talk(small()));
            talk.we_write(b"x");
            talk.we_send(text(1, b"x").ack(2001));
            talk.peer_sends(ack(2).seq(seq));
            assert_eq!(talk.connection.status().send_queued, usize::from(!acceptable), "{seq}");
        }
        for seq in [2001, 2002, 4000] {
            let mut talk = closed_window(talk(small()));
            talk.peer_sends(text(seq, b"text"));
            talk.we_send(ack(2001));
            let status = talk.connection.status();
            assert_eq!((status.receive_queued, status.out_of_order), (2000, 0), "{seq}");
        }
    });
}

/// RFC 9293 §3.4 \[MUST-66\] and §3.10.7.4: ACK, URG and RST count also while our window is closed.
#[test]
fn behind_a_closed_window_ack_urg_and_rst_still_count() {
    conversation(|talk| {
        let mut acknowledged = closed_window(talk(small()));
        acknowledged.we_write(b"x");
        acknowledged.we_send(text(1, b"x").ack(2001));
        acknowledged.peer_sends(text(2001, b"no room").ack(2));
        assert_eq!(acknowledged.connection.status().send_queued, 0);
        acknowledged.we_send(ack(2001).seq(2));

        let mut urgent = closed_window(talk(small()));
        urgent.events();
        urgent.peer_sends(text(2001, b"no room").urgent(3));
        assert_eq!(urgent.events(), [Event::Urgent]);
        assert_eq!(urgent.connection.urgent_octets(), 2003);

        let mut reset = closed_window(talk(small()));
        reset.peer_sends(rst(2001));
        reset.we_are_in(State::Closed);
    });
}

/// RFC 9293 §3.10.7.4, first: an unacceptable segment is answered with `<SEQ=SND.NXT><ACK=RCV.NXT>`
/// and dropped, unless it is a reset.
#[test]
fn an_unacceptable_segment_is_answered_and_an_unacceptable_reset_is_not() {
    conversation(|talk| {
        for state in [
            State::Established,
            State::FinWait1,
            State::FinWait2,
            State::CloseWait,
            State::Closing,
            State::LastAck,
            State::TimeWait,
        ] {
            let mut talk = talk(small()).in_state(state);
            let status = talk.connection.status();
            let next = status.receive_next.since(status.irs);
            let ours = status.send_next.since(status.iss);
            talk.peer_sends(rst(next + 100_000));
            talk.we_send_nothing();
            talk.peer_sends(text(next + 100_000, b"far"));
            talk.we_send(ack(next).seq(ours));
            talk.we_are_in(state);
            assert_eq!(talk.drops().last(), Some(&DropReason::OutsideWindow), "{state}");
        }
    });
}

/// RFC 9293 §3.10.7.4 \[SHLD-31\] \[MAY-13\]: what comes ahead of its turn is kept and acknowledged at
/// once; when the hole is filled, all of it is delivered.
#[test]
fn text_beyond_a_hole_is_kept_until_the_hole_is_filled() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(7, b"world"));
        let left = talk.we_send(ack(1));
        assert!(matches!(left.reason, Reason::Ack(AckCause::OutOfOrder { .. })));
        assert_eq!(talk.events(), []);
        talk.peer_sends(text(1, b"hello "));
        assert!(matches!(talk.we_send(ack(12)).reason, Reason::Ack(AckCause::HoleFilled { octets: 11 })));
        assert_eq!(talk.we_read(), b"hello world");
    });
}

/// RFC 9293 §3.10.7.4, first: an old segment is answered and dropped. Its acknowledgment counts if it
/// comes from the last window (a deviation, for acknowledgments of ours that were lost), else not: who
/// knows neither number must guess both.
#[test]
fn the_acknowledgment_of_an_old_segment_counts_only_if_it_is_of_the_last_window() {
    conversation(|talk| {
        for (back, counts) in
            [(1, true), (1000, true), (OURS + 1000, false), (1 << 20, false), (1 << 30, false)]
        {
            let mut talk = talk(small()).established();
            for n in 0..4 {
                talk.peer_sends(text(1 + 1000 * n, &[7; 1000]));
                talk.we_read();
                talk.all();
            }
            talk.we_write(b"x");
            talk.we_send(text(1, b"x").ack(4001));
            talk.peer_sends(ack(2).seq(4001u32.wrapping_sub(back)));
            assert_eq!(talk.connection.status().send_queued, usize::from(!counts), "{back}");
        }
    });
}

/// RFC 9293 §3.10.7.4, first, and RFC 5961 §7: answers to empty segments are rationed, so that two
/// ends that disagree do not answer each other for ever.
#[test]
fn unacceptable_segments_without_text_are_answered_twice_a_second_at_most() {
    conversation(|talk| {
        let mut talk = talk(small()).established();
        let mut answers = 0;
        for _ in 0..100 {
            talk.peer_sends(ack(1).seq(5000));
            talk.peer_sends(ack(1000));
            answers += talk.all().len();
            talk.pass(10);
        }
        assert!((2..=4).contains(&answers), "{answers} answers in a second");
    });
}

/// RFC 5681 §4.2: segments that arrive before anything can leave are answered one by one where each
/// of them lies beyond a hole.
#[test]
fn each_segment_beyond_a_hole_is_answered_by_itself() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        for n in 1..4 {
            talk.peer_sends(text(1 + 1000 * n, &[7; 1000]));
        }
        for _ in 0..3 {
            talk.we_send(ack(1));
        }
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.10.7.4, seventh: where two segments disagree about an octet, the first to arrive wins.
#[test]
fn the_first_of_two_segments_that_disagree_wins() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(4, b"DEF"));
        talk.peer_sends(text(1, b"abcdef"));
        talk.peer_sends(text(3, b"CDEFgh"));
        assert_eq!(talk.we_read(), b"abcDEFgh");
    });
}

/// RFC 9293 §3.10.7.4, first: SYN-RECEIVED checks the number like any later state.
#[test]
fn in_syn_received_text_from_outside_the_window_is_answered() {
    conversation(|talk| {
        let mut talk = talk(small()).syn_received();
        talk.peer_sends(text(OURS + 1, b"far"));
        talk.we_send(ack(1));
        talk.we_are_in(State::SynReceived);
    });
}

/// RFC 9293 §3.10.7.4, first: a FIN behind text that does not fit lies outside the window with it.
#[test]
fn a_fin_behind_text_that_does_not_fit_is_cut_off_too() {
    conversation(|talk| {
        let mut talk = talk(small()).established();
        talk.peer_sends(text(1, &[7; 2500]).with(Control::FIN));
        assert_eq!(talk.connection.readable(), 2000);
        talk.we_are_in(State::Established);
        talk.we_read();
        talk.all();
        talk.peer_sends(text(2001, &[7; 500]).with(Control::FIN));
        talk.we_are_in(State::CloseWait);
        assert_eq!(talk.we_read().len(), 500);
    });
}

/// RFC 9293 §3.10.7.4, fifth: a segment without ACK is dropped.
#[test]
fn a_segment_without_an_acknowledgment_is_dropped() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"text").without(Control::ACK));
        talk.we_send_nothing();
        assert_eq!(talk.connection.readable(), 0);
        assert_eq!(talk.drops(), [DropReason::NoAck]);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    /// RFC 9293 §3.10.7.4: whatever overlaps whatever, the stream equals a model in which the first
    /// octet to arrive inside the window wins, and nothing beyond the window is kept.
    #[test]
    fn the_stream_equals_a_model_of_first_arrivals(
        arrivals in prop::collection::vec((0u32..3000, 1usize..800, any::<u8>()), 1..40),
    ) {
        conversation(|talk| {
            let mut talk = talk(small()).established();
            let mut model = [None; 4000];
            let mut next = 0;
            for &(at, length, octet) in &arrivals {
                talk.peer_sends(text(1 + at, &vec![octet; length]));
                let end = (at as usize + length).min(OURS as usize);
                for (place, octet_there) in model.iter_mut().enumerate().take(end).skip(at as usize) {
                    if place >= next {
                        octet_there.get_or_insert(octet);
                    }
                }
                next = model.iter().take_while(|o| o.is_some()).count();
                assert_eq!(talk.connection.readable(), next);
                talk.all();
            }
            let expected: Vec<u8> = model[..next].iter().copied().flatten().collect();
            assert_eq!(talk.we_read(), expected);
        });
    }
}

/// The segment size of the harness is half of the window used here.
const _: () = assert!(MSS as u32 * 2 == OURS);
