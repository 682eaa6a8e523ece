//! Windows: closed, shrunk, silly and scaled.
//!
//! RFC 9293 §3.8.6, RFC 7323 §2.

mod talk;

use aperto_tcp::{Config, DataCause, End, Reason, State};
use aperto_time::Duration;
use aperto_wire::tcp::Options;
use talk::{MSS, Talk, ack, conversation, fin, syn, syn_ack, text};

fn with_scale(shift: u8) -> Options {
    Options { mss: Some(MSS), window_scale: Some(shift), ..Options::NONE }
}

/// No timestamps, no SACK, but window scaling.
fn scaling() -> Config {
    Config { window_scaling: true, receive_buffer: 1 << 20, ..Config::classroom() }
}

/// Open; the peer's window is closed and text waits.
fn closed(talk: Talk) -> Talk {
    let mut talk = talk.established();
    talk.peer_sends(ack(1).window(0));
    talk.we_write(b"text");
    talk.we_send_nothing();
    talk
}

/// RFC 9293 §3.8.6.1 \[MUST-36\] \[SHLD-29\] \[SHLD-30\]: the first probe after one timeout, each next
/// after twice the time; one octet each.
#[test]
fn a_closed_window_is_probed_twice_as_late_each_time() {
    conversation(|talk| {
        let mut talk = closed(talk(Config::classroom()));
        for (attempt, expected) in (1..).zip([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
            assert_eq!(talk.until_timer(), expected);
            let left = talk.we_send(text(1, b"t"));
            assert!(matches!(left.reason, Reason::WindowProbe { attempt: n, .. } if n == attempt));
            talk.we_send_nothing();
        }
    });
}

/// RFC 9293 §3.8.6.1 \[MUST-37\]: while the peer answers, the connection stays open, for a day if need be.
#[test]
fn a_peer_that_answers_probes_keeps_the_connection() {
    conversation(|talk| {
        let mut talk = closed(talk(Config::classroom()));
        let begun = talk.now;
        while talk.now.since(begun) < Duration::from_secs(86_400) {
            assert!(talk.until_timer() <= 60_000);
            talk.we_send(text(1, b"t"));
            talk.peer_sends(ack(1).window(0));
            talk.we_send_nothing();
        }
        talk.we_are_in(State::Established);
        talk.peer_sends(ack(1));
        talk.we_send(text(1, b"text"));
        talk.peer_sends(ack(5));
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.8.3 \[MUST-20\]: a peer that does not answer probes is given up.
#[test]
fn a_peer_that_answers_no_probe_is_given_up() {
    conversation(|talk| {
        let mut talk = closed(talk(Config::classroom()));
        let begun = talk.now;
        while talk.connection.state() == State::Established {
            talk.until_timer();
            talk.all();
        }
        assert_eq!(talk.connection.end(), Some(End::TimedOut));
        let waited = talk.now.since(begun).as_secs();
        assert!((300..=360).contains(&waited), "{waited} s");
    });
}

/// RFC 9293 §3.8.6.1: the octet of a probe that the peer took is not sent again.
#[test]
fn an_octet_that_a_probe_brought_is_not_sent_again() {
    conversation(|talk| {
        let mut talk = closed(talk(Config::classroom()));
        talk.until_timer();
        talk.we_send(text(1, b"t"));
        talk.peer_sends(ack(2).window(0));
        talk.until_timer();
        talk.we_send(text(2, b"e"));
        talk.peer_sends(ack(3));
        let left = talk.we_send(text(3, b"xt"));
        assert!(matches!(left.reason, Reason::Data { because: DataCause::WindowOpened { .. }, .. }));
    });
}

/// RFC 9293 §3.8.6.1: an octet of a probe that the peer had no room for is not sent yet as far as
/// acknowledgments are concerned: they keep the number that the peer accepts.
#[test]
fn acknowledgments_between_probes_lie_in_the_peers_closed_window() {
    conversation(|talk| {
        let mut talk = closed(talk(Config::classroom()));
        talk.until_timer();
        talk.we_send(text(1, b"t"));
        talk.peer_sends(ack(1).window(0));
        talk.peer_sends(text(1, &[7; 1000]).window(0));
        talk.peer_sends(text(1001, &[7; 1000]).window(0));
        talk.we_send(ack(2001).seq(1));
    });
}

/// RFC 9293 §3.8.6.1: a FIN behind a closed window is probed with as well.
#[test]
fn a_fin_behind_a_closed_window_is_a_probe() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1).window(0));
        talk.we_close();
        talk.we_send_nothing();
        talk.until_timer();
        talk.we_send(fin(1));
        talk.peer_sends(ack(1).window(0));
        talk.we_are_in(State::FinWait1);
        talk.peer_sends(ack(1).window(1000));
        talk.we_send(fin(1));
        talk.peer_sends(ack(2));
        talk.we_are_in(State::FinWait2);
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.8.6 \[MUST-34\] \[SHLD-15\]: behind a right edge that moved left nothing new is sent until
/// it is passed again.
#[test]
fn nothing_new_is_sent_into_a_window_that_shrank() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1).window(4000));
        talk.we_write(&[7; 6000]);
        assert_eq!(talk.all().len(), 4);
        talk.peer_sends(ack(1001).window(1000));
        talk.we_send_nothing();
        talk.peer_sends(ack(2001).window(2000));
        talk.we_send_nothing();
        talk.peer_sends(ack(2001).window(3000));
        talk.we_send(text(4001, &[7; 1000]));
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.8.6 \[SHLD-16\]: what still lies in a window that shrank is retransmitted; what lies
/// beyond (MAY-7, declined) waits.
#[test]
fn only_what_lies_in_a_window_that_shrank_is_sent_again() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1).window(4000));
        talk.we_write(&[7; 4000]);
        talk.all();
        talk.peer_sends(ack(1).window(1500));
        talk.until_timer();
        talk.we_send(text(1, &[7; 1000]));
        talk.we_send_nothing();
        talk.peer_sends(ack(1001).window(500));
        talk.we_send(text(1001, &[7; 500]));
        talk.we_send_nothing();
        talk.peer_sends(ack(1501).window(2500));
        let sent: Vec<u32> = talk.all().iter().map(|l| l.paper.seq).collect();
        assert_eq!(sent, [1501, 2501]);
    });
}

/// RFC 9293 §3.8.6 \[MUST-35\] \[SHLD-17\]: a window that shrank to nothing over text in flight is probed
/// like any other, and a peer that answers is not timed out for what lies beyond it.
#[test]
fn a_window_that_shrank_to_nothing_is_probed_and_does_not_time_out() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 3000]);
        talk.all();
        talk.peer_sends(ack(1).window(0));
        let begun = talk.now;
        while talk.now.since(begun) < Duration::from_secs(3600) {
            assert!(talk.until_timer() <= 60_000);
            let left = talk.we_send(text(1, &[7; 1]));
            assert!(matches!(left.reason, Reason::WindowProbe { .. }));
            talk.we_send_nothing();
            talk.peer_sends(ack(1).window(0));
        }
        talk.we_are_in(State::Established);
        talk.peer_sends(ack(1));
        let first = talk.we_send(text(1, &[7; 1000]));
        assert!(matches!(first.reason, Reason::Retransmission { .. }), "{:?}", first.reason);
        talk.peer_sends(ack(3001));
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.8.6: our acknowledgments, too, keep a number that a window which shrank accepts.
#[test]
fn acknowledgments_lie_in_a_window_that_shrank() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 3000]);
        talk.all();
        talk.peer_sends(ack(1).window(500));
        talk.peer_sends(text(1, &[7; 1000]).window(500));
        talk.peer_sends(text(1001, &[7; 1000]).window(500));
        talk.we_send(ack(2001).seq(501));
    });
}

/// RFC 9293 §3.8.6 \[SHLD-14\]: the right edge that we have offered never moves left.
#[test]
fn our_right_edge_never_moves_left() {
    conversation(|talk| {
        let config = Config { receive_buffer: 3000, initial_receive_window: 3000, ..Config::classroom() };
        let mut talk = talk(config).established();
        let mut edge = 3001;
        let mut seq = 1;
        for (length, read) in [(1000, 0), (700, 0), (1, 300), (999, 1), (200, 5000), (100, 5000)] {
            talk.peer_sends(text(seq, &vec![7; length]));
            seq += u32::try_from(length).expect("small");
            let mut into = vec![0; read];
            talk.connection.receive(talk.now, &mut into).expect("open");
            talk.pass(300);
            for left in talk.all() {
                let told = left.paper.ack + u32::from(left.paper.window);
                assert!(told >= edge, "{told} after {edge}");
                edge = told;
            }
        }
    });
}

/// RFC 9293 §3.8.6.1 \[MAY-8\]: our window stays closed for as long as nobody reads, and probes are answered.
#[test]
fn our_window_stays_closed_while_nobody_reads() {
    conversation(|talk| {
        let config = Config { receive_buffer: 1000, initial_receive_window: 1000, ..Config::classroom() };
        let mut talk = talk(config).established();
        talk.peer_sends(text(1, &[7; 1000]));
        talk.pass(300);
        assert_eq!(talk.we_send(ack(1001)).paper.window, 0);
        for _ in 0..20 {
            talk.pass(60_000);
            talk.peer_sends(text(1001, b"p"));
            assert_eq!(talk.we_send(ack(1001)).paper.window, 0);
        }
        assert_eq!(talk.we_read().len(), 1000);
        assert_eq!(talk.we_send(ack(1001)).paper.window, 1000);
    });
}

/// RFC 9293 §3.8.6.2.2 \[MUST-39\]: the window is not opened by less than a segment or half the buffer.
#[test]
fn a_reader_of_single_octets_opens_no_silly_window() {
    conversation(|talk| {
        let config = Config { receive_buffer: 3000, initial_receive_window: 3000, ..Config::classroom() };
        let mut talk = talk(config).established();
        for n in 0..3 {
            talk.peer_sends(text(1 + 1000 * n, &[7; 1000]));
        }
        assert_eq!(talk.we_send(ack(3001)).paper.window, 0);
        for octet in 1..=1000 {
            talk.connection.receive(talk.now, &mut [0]).expect("open");
            if octet < 1000 {
                talk.we_send_nothing();
            }
        }
        assert_eq!(talk.we_send(ack(3001)).paper.window, 1000);
    });
}

/// RFC 9293 §3.8.6.2.1 \[MUST-38\]: a window that opens by less than a segment lets nothing go while
/// more waits; one that opens by a segment lets one go.
#[test]
fn a_silly_window_is_not_used() {
    conversation(|talk| {
        for opening in [1, 2, 10, 100, 499, 999, 1000] {
            let mut talk = talk(Config::classroom()).established();
            talk.peer_sends(ack(1).window(4000));
            talk.we_write(&[7; 8000]);
            assert_eq!(talk.all().len(), 4);
            talk.peer_sends(ack(1001).window(3000 + opening));
            let sent: Vec<usize> = talk.all().iter().map(|l| l.paper.text.len()).collect();
            assert_eq!(sent, if opening < 1000 { vec![] } else { vec![1000] }, "{opening}");
        }
    });
}

/// RFC 9293 §3.8.6.2.1, condition 3: half of the largest window may be used, if nothing is in flight.
#[test]
fn half_of_the_largest_window_may_be_used() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.peer_sends(syn_ack().window(600));
        talk.we_send(ack(1));
        talk.we_write(&[7; 3000]);
        talk.we_send(text(1, &[7; 600]));
        talk.peer_sends(ack(601).window(299));
        talk.we_send_nothing();
        talk.peer_sends(ack(601).window(300));
        talk.we_send(text(601, &[7; 300]));
    });
}

/// RFC 9293 §3.8.6.2.1, condition 4: a silly window is used after 0.1 to 1 second, lest the peer never
/// opens it further.
#[test]
fn a_silly_window_is_used_after_the_override_timeout() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1).window(4000));
        talk.we_write(&[7; 5000]);
        talk.all();
        talk.peer_sends(ack(4001).window(10));
        talk.we_send_nothing();
        assert!((100..=1000).contains(&talk.until_timer()));
        talk.we_send(text(4001, &[7; 10]));
    });
}

/// RFC 9293 §3.10.7.4, fifth: an old segment does not move the window (SND.WL1, SND.WL2).
#[test]
fn an_old_segment_does_not_move_the_window() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"x");
        talk.we_send(text(1, b"x"));
        talk.peer_sends(text(1, b"abc").ack(2).window(500));
        assert_eq!(talk.connection.status().send_window, 500);
        // Sent before the text, and overtaken by it.
        talk.peer_sends(ack(1).seq(1).window(9000));
        assert_eq!(talk.connection.status().send_window, 500);
        talk.peer_sends(ack(2).seq(4).window(700));
        assert_eq!(talk.connection.status().send_window, 700);
    });
}

/// RFC 7323 §2.2 and §2.3: the window of a SYN is not scaled, each later one is; without the option
/// from both sides none is.
#[test]
fn windows_are_scaled_only_where_both_sides_say_so() {
    conversation(|talk| {
        let mut both = talk(scaling()).syn_sent();
        both.peer_sends(syn_ack().options(with_scale(3)).window(800));
        assert_eq!(both.connection.status().send_window, 800);
        let left = both.we_send(ack(1));
        // 1 MiB needs a shift of 5: 2^20 / 2^5 = 2^15 fits 16 bits, 2^20 / 2^4 = 2^16 does not.
        assert_eq!(u32::from(left.paper.window) << 5, 64_256);
        both.peer_sends(ack(1).window(800));
        assert_eq!(both.connection.status().send_window, 6400);
        let mut one = talk(scaling()).syn_sent();
        one.peer_sends(syn_ack().window(800));
        assert_eq!(one.we_send(ack(1)).paper.window, 64_240);
        one.peer_sends(ack(1).window(800));
        assert_eq!(one.connection.status().send_window, 800);
    });
}

/// RFC 7323 §2.2: a SYN,ACK carries the option only if the SYN did.
#[test]
fn a_syn_ack_scales_only_where_the_syn_did() {
    conversation(|talk| {
        for (offered, expected) in [(None, None), (Some(0), Some(5)), (Some(14), Some(5))] {
            let mut talk = talk(scaling()).listening();
            let mut request = syn();
            request.options.window_scale = offered;
            talk.peer_sends(request);
            assert_eq!(talk.we_send(syn_ack()).paper.options.window_scale, expected);
        }
    });
}

/// RFC 7323 §2.3: a shift above 14 counts as 14.
#[test]
fn a_shift_above_14_counts_as_14() {
    conversation(|talk| {
        for shift in 0..=255 {
            let mut talk = talk(scaling()).established_with(with_scale(shift));
            assert_eq!(talk.connection.status().send_window_scale, shift.min(14));
            talk.peer_sends(ack(1).window(u16::MAX));
            assert_eq!(talk.connection.status().send_window, 65_535 << shift.min(14));
            talk.we_write(b"works");
            talk.we_send(text(1, b"works"));
        }
    });
}

/// RFC 9293 §3.8.6, RFC 7323 §2.4: rounding a scaled window does not offer more than the buffer has,
/// less than one unit set apart; the window of a reader that sleeps closes.
#[test]
fn a_scaled_window_closes_although_it_is_rounded() {
    conversation(|talk| {
        // 300,000 needs a shift of 3: the unit is 8 octets.
        let config = Config { window_scaling: true, receive_buffer: 300_000, ..Config::classroom() };
        let mut talk = talk(config).established_with(with_scale(0));
        let mut seq = 1;
        let mut highest = 0;
        for length in [999, 1, 1, 1, 5].into_iter().cycle() {
            talk.peer_sends(text(seq, &vec![7; length]));
            talk.pass(300);
            for left in talk.all() {
                seq = left.paper.ack;
                let edge = left.paper.ack + (u32::from(left.paper.window) << 3);
                assert!(edge <= 1 + 300_000 + 7, "{edge}");
                // RFC 7323 §2.4: less than a unit may be taken back.
                assert!(edge + 7 >= highest, "{edge} after {highest}");
                highest = highest.max(edge);
            }
            if seq + 8 > highest {
                break;
            }
        }
        assert!(talk.connection.readable() > 299_000);
    });
}

/// RFC 9293 §3.8.6: what may be sent is bounded by the right edge that the peer offered; a segment
/// that repeats old text but acknowledges more brings the newest window.
#[test]
fn a_repeated_segment_that_acknowledges_more_brings_its_window() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"abc").window(4000));
        talk.we_read();
        talk.we_write(&[7; 8000]);
        let before: usize = talk.all().iter().map(|left| left.paper.text.len()).sum();
        assert_eq!(before, 4000);
        // The peer repeats its text, acknowledges everything and has closed its window.
        talk.peer_sends(text(1, b"abc").ack(4001).window(0));
        let after: usize = talk.all().iter().map(|left| left.paper.text.len()).sum();
        assert_eq!(after, 0);
    });
}

/// RFC 9293 §3.8.6.2.1, condition 3, in brackets: half of the largest window is used while something is
/// in flight only where Nagle's algorithm is off.
#[test]
fn half_of_the_window_waits_for_acknowledgments_unless_nagle_is_off() {
    conversation(|talk| {
        for nagle in [true, false] {
            let mut talk = talk(Config { nagle, ..Config::classroom() }).syn_sent();
            talk.peer_sends(syn_ack().window(600));
            talk.we_send(ack(1));
            talk.we_write(&[7; 3000]);
            talk.we_send(text(1, &[7; 600]));
            talk.peer_sends(ack(1).window(950));
            let sent: Vec<usize> = talk.all().iter().map(|left| left.paper.text.len()).collect();
            // 350 is less than half of 950, 475 is not.
            assert_eq!(sent, []);
            talk.peer_sends(ack(1).window(1500));
            let sent: Vec<usize> = talk.all().iter().map(|left| left.paper.text.len()).collect();
            assert_eq!(sent, if nagle { vec![] } else { vec![900] });
        }
    });
}

/// RFC 9293 §3.8.6.2.2: while the peer knows of half of the window, the next acknowledgment tells it of more.
#[test]
fn a_window_that_is_large_enough_needs_no_update() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        for n in 0..20 {
            talk.peer_sends(text(1 + 1000 * n, &[7; 1000]));
            talk.all();
            talk.we_read();
            talk.we_send_nothing();
        }
    });
}
