//! The retransmission timer, giving up, and what a timeout does to the congestion window.
//!
//! RFC 6298, RFC 9293 §3.8.1 to §3.8.3, RFC 5681 §3.1 and §4.1.

mod talk;

use aperto_tcp::{Config, End, Event, Note, Reason, ResetCause, RetransmissionCause, State};
use aperto_time::Duration;
use talk::{Talk, ack, conversation, fin, rst, syn, syn_ack, text};

/// Floors out of the way, so that the formula shows.
fn exact() -> Config {
    Config { rto_min: Duration::from_millis(1), ..Config::classroom() }
}

/// Open after a handshake that took `milliseconds`.
fn opened_in(talk: Talk, milliseconds: u64) -> Talk {
    let mut talk = talk.syn_sent();
    talk.pass(milliseconds);
    talk.peer_sends(syn_ack());
    talk.we_send(ack(1));
    talk.notes();
    talk
}

fn rto(talk: &Talk) -> u64 {
    u64::try_from(talk.connection.status().rto.as_millis()).expect("short")
}

/// RFC 6298 §2.1: one second before the first sample.
#[test]
fn before_the_first_sample_the_timeout_is_one_second() {
    conversation(|talk| {
        let mut talk = talk(exact()).syn_sent();
        assert_eq!(talk.until_timer(), 1000);
        talk.we_send(syn());
    });
}

/// RFC 6298 §2.2: SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + 4 * RTTVAR: three times R.
#[test]
fn the_first_sample_gives_three_times_itself() {
    conversation(|talk| {
        for (sample, expected) in [(100, 300), (400, 1200), (20, 60)] {
            assert_eq!(rto(&opened_in(talk(exact()), sample)), expected);
        }
    });
}

/// RFC 6298 §2.3, by hand: after 100 ms, a sample of 200 ms. RTTVAR = 3/4 * 50 + 1/4 * 100 = 62.5,
/// SRTT = 7/8 * 100 + 1/8 * 200 = 112.5, RTO = 112.5 + 4 * 62.5 = 362.5 ms. RFC 9293 §3.8.1 \[MUST-18\].
#[test]
fn later_samples_are_smoothed() {
    conversation(|talk| {
        let mut talk = opened_in(talk(exact()), 100);
        talk.we_write(b"text");
        talk.we_send(text(1, b"text"));
        talk.pass(200);
        talk.peer_sends(ack(5));
        let status = talk.connection.status();
        assert_eq!(status.srtt, Some(Duration::from_micros(112_500)));
        assert_eq!(status.rttvar, Duration::from_micros(62_500));
        assert_eq!(status.rto, Duration::from_micros(362_500));
    });
}

/// RFC 6298 §2.4 and §2.5: at least a second, at most the limit.
#[test]
fn the_timeout_has_a_floor_and_a_ceiling() {
    conversation(|talk| {
        assert_eq!(rto(&opened_in(talk(Config::rfc1122()), 10)), 1000);
        let mut slow = opened_in(talk(Config::rfc1122()), 900);
        slow.we_write(b"text");
        slow.we_send(text(1, b"text"));
        let mut last = 0;
        for _ in 0..7 {
            last = slow.until_timer();
            slow.all();
        }
        assert_eq!(last, 60_000);
    });
}

/// RFC 6298 §2.3: variation counts at least one tick of the clock, so the timeout is never the
/// round-trip time itself, and never nothing.
#[test]
fn a_constant_round_trip_leaves_room_above_it() {
    conversation(|talk| {
        for round_trip in [0, 50] {
            let config = Config { rto_min: Duration::ZERO, ..exact() };
            let mut talk = opened_in(talk(config), round_trip);
            for n in 0..100 {
                talk.we_write(b"x");
                talk.we_send(text(1 + n, b"x"));
                talk.pass(round_trip);
                talk.peer_sends(ack(2 + n));
            }
            assert!(talk.connection.status().rto > Duration::from_millis(round_trip));
        }
    });
}

/// RFC 6298 §5.1: a timer that runs is not moved by more text.
#[test]
fn more_text_does_not_move_the_timer() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 1000]);
        talk.all();
        talk.pass(400);
        talk.we_write(&[7; 1000]);
        talk.all();
        assert_eq!(talk.until_timer(), 600);
    });
}

/// RFC 6298 §5.2 and §5.3: when everything is acknowledged the timer stops; when something new is,
/// it starts again.
#[test]
fn an_acknowledgment_restarts_the_timer_or_stops_it() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 2000]);
        talk.all();
        talk.pass(400);
        talk.peer_sends(ack(1001));
        let at = talk.connection.status().retransmission_at.expect("it runs");
        assert_eq!(at.since(talk.now), talk.connection.status().rto);
        talk.peer_sends(ack(2001));
        talk.no_timer_runs();
    });
}

/// RFC 6298 §5.4 to §5.6, RFC 9293 §3.8.2 \[MUST-19\]: the earliest segment is sent again, alone, and
/// the timeout doubles.
#[test]
fn a_timeout_sends_the_first_segment_again_and_doubles() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 3000]);
        talk.all();
        for (attempt, expected) in (1..).zip([1000, 2000, 4000]) {
            assert_eq!(talk.until_timer(), expected);
            let left = talk.we_send(text(1, &[7; 1000]));
            let Reason::Retransmission { because, octets: 1000 } = left.reason else { panic!("{left:?}") };
            let RetransmissionCause::Timeout { attempt: n, rto, next_rto, .. } = because else { panic!() };
            assert_eq!(
                (n, rto.as_millis(), next_rto.as_millis()),
                (attempt, expected.into(), 2 * u128::from(expected))
            );
            talk.we_send_nothing();
        }
    });
}

/// RFC 5681 §3.1, RFC 9293 §3.8.2 \[MUST-19\]: after a timeout one segment, then slow start up to half of
/// what was in flight, then congestion avoidance: one more segment for each window.
#[test]
fn a_timeout_begins_slow_start_anew() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 40_000]);
        assert_eq!(talk.all().len(), 10);
        talk.until_timer();
        assert_eq!(talk.all().len(), 1);
        let status = talk.connection.status();
        assert_eq!((status.cwnd, status.ssthresh), (1000, 5000));
        talk.peer_sends(ack(1001));
        assert_eq!(talk.all().len(), 2);
        let mut windows = vec![talk.connection.status().cwnd];
        for n in 2..=12 {
            talk.peer_sends(ack(1 + 1000 * n));
            talk.all();
            windows.push(talk.connection.status().cwnd);
        }
        assert_eq!(windows[..4], [2000, 3000, 4000, 5000]);
        // From 5,000 on: 5 acknowledged segments for the next, then 6.
        assert_eq!(windows[4..], [5000, 5000, 5000, 5000, 6000, 6000, 6000, 6000]);
    });
}

/// RFC 5681 §3.1: a second timeout of the same segment does not halve the threshold again.
#[test]
fn the_threshold_is_halved_once_for_one_loss() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 10_000]);
        talk.all();
        for _ in 0..3 {
            talk.until_timer();
            talk.all();
            assert_eq!(talk.connection.status().ssthresh, 5000);
        }
    });
}

/// RFC 5681 §4.1: after idling longer than a timeout no more leaves at once than at the beginning.
#[test]
fn after_idling_the_window_begins_anew() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 60_000]);
        for n in (0..=60).step_by(2) {
            talk.peer_sends(ack(1 + 1000 * n));
            talk.all();
        }
        assert!(talk.connection.status().cwnd > 10_000);
        talk.pass(5000);
        talk.we_write(&[7; 60_000]);
        assert_eq!(talk.all().len(), 10);
    });
}

/// RFC 6298 §3 (Karn), RFC 9293 §3.8.1 \[MUST-18\]: what was sent twice gives no sample, and the doubled
/// timeout stays until something sent once is acknowledged.
#[test]
fn what_was_sent_twice_gives_no_sample() {
    conversation(|talk| {
        let mut talk = opened_in(talk(exact()), 100);
        talk.we_write(b"text");
        talk.all();
        talk.until_timer();
        talk.we_send(text(1, b"text"));
        talk.pass(5);
        talk.peer_sends(ack(5));
        assert!(talk.notes().contains(&Note::RttAmbiguous));
        assert_eq!(talk.connection.status().srtt, Some(Duration::from_millis(100)));
        assert_eq!(rto(&talk), 600);
        talk.we_write(b"more");
        talk.all();
        talk.pass(100);
        talk.peer_sends(ack(9));
        // RTTVAR = 3/4 * 50 = 37.5; RTO = 100 + 150.
        assert_eq!(rto(&talk), 250);
    });
}

/// RFC 7323 §4.1: the echoed timestamp tells which of the two was acknowledged.
#[test]
fn an_echoed_timestamp_gives_a_sample_of_what_was_sent_twice() {
    conversation(|talk| {
        let mut talk = talk(Config { timestamps: true, ..exact() }).syn_sent();
        talk.pass(100);
        talk.peer_sends(syn_ack().stamps(1, 1000));
        talk.we_send(ack(1));
        talk.we_write(b"text");
        talk.all();
        talk.until_timer();
        let again = talk.we_send(text(1, b"text"));
        let stamp = again.paper.options.timestamps.expect("agreed").value;
        talk.pass(100);
        talk.peer_sends(ack(5).stamps(2, stamp));
        // A second sample of 100 ms: SRTT 100, RTTVAR 37.5.
        assert_eq!(rto(&talk), 250);
    });
}

/// RFC 6298 §5.7: when the SYN was lost, the timeout begins at three seconds; RFC 5681 §3.1: with one segment.
#[test]
fn after_a_lost_syn_everything_begins_carefully() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.until_timer();
        talk.we_send(syn());
        talk.peer_sends(syn_ack());
        talk.we_send(ack(1));
        talk.we_write(&[7; 5000]);
        assert_eq!(talk.all().len(), 1);
        assert_eq!(talk.until_timer(), 3000);
    });
}

/// RFC 9293 §3.8.3 \[MUST-20\] \[SHLD-9\] \[SHLD-10\]: at R1, not before three retransmissions, the
/// application is told that there is trouble.
#[test]
fn after_r1_the_application_is_told_of_trouble() {
    conversation(|talk| {
        for config in [Config::classroom(), Config::modern(), Config::rfc1122()] {
            let mut talk = talk(config).established();
            talk.we_write(b"text");
            talk.all();
            let mut count = 0;
            while !talk.events().contains(&Event::DeliveryTrouble) {
                talk.until_timer();
                count += 1;
                talk.all();
            }
            assert!(count >= 3, "{count}");
            talk.we_are_in(State::Established);
        }
    });
}

/// RFC 9293 §3.8.3 \[MUST-22\] \[MUST-23\]: SYNs are counted by the same thresholds, and R2 of a SYN is
/// at least three minutes.
#[test]
fn an_unanswered_syn_is_told_of_and_given_up() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        let begun = talk.now;
        let mut told = Vec::new();
        while talk.connection.state() == State::SynSent {
            talk.until_timer();
            talk.all();
            told.extend(talk.events());
        }
        assert_eq!(told, [Event::DeliveryTrouble, Event::Ended(End::TimedOut)]);
        assert!(talk.now.since(begun).as_secs() >= 180);
    });
}

/// RFC 9293 §3.8.3 \[MUST-20\] \[SHLD-11\]: at R2, not before 100 seconds, the connection is given up: the
/// application learns that it timed out, and the peer, if it is there, gets a reset.
#[test]
fn after_r2_the_connection_is_given_up() {
    conversation(|talk| {
        for config in [Config::classroom(), Config::modern(), Config::rfc1122()] {
            let limit = config.user_timeout.as_secs();
            assert!(limit >= 100);
            let mut talk = talk(config).established();
            talk.we_write(b"text");
            talk.all();
            let begun = talk.now;
            loop {
                talk.until_timer();
                if talk.connection.state() == State::Closed {
                    break;
                }
                talk.all();
            }
            assert_eq!(talk.now.since(begun).as_secs(), limit);
            assert_eq!(talk.we_send(rst(5)).reason, Reason::Reset(ResetCause::GaveUp));
            assert!(talk.events().contains(&Event::Ended(End::TimedOut)));
            talk.no_timer_runs();
        }
    });
}

/// RFC 9293 §3.8.3 \[MUST-21\]: the application chooses R2 for a connection, infinity included.
#[test]
fn the_application_chooses_how_long_to_try() {
    conversation(|talk| {
        let config = Config { user_timeout: Duration::from_secs(7), ..Config::classroom() };
        let mut short = talk(config).established();
        short.we_write(b"text");
        short.all();
        short.pass(6_999);
        short.we_are_in(State::Established);
        short.pass(1);
        short.we_are_in(State::Closed);
        let config =
            Config { user_timeout: Duration::MAX, orphan_timeout: Duration::MAX, ..Config::classroom() };
        let mut forever = talk(config).established();
        forever.we_write(b"text");
        forever.connection.release(forever.now);
        forever.all();
        forever.pass(30 * 86_400_000);
        forever.we_are_in(State::FinWait1);
        forever.peer_sends(ack(6));
        forever.we_are_in(State::FinWait2);
    });
}

/// RFC 9293 §3.10.8: every piece of progress gives the peer the whole time again.
#[test]
fn progress_gives_the_peer_the_whole_time_again() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 10_000]);
        talk.all();
        for n in 1..10 {
            talk.pass(299_000);
            talk.peer_sends(ack(1 + 1000 * n));
            talk.all();
            talk.we_are_in(State::Established);
        }
    });
}

/// RFC 9293 §3.8.1: a FIN with its text is sent again as one.
#[test]
fn text_and_fin_are_sent_again_together() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"bye");
        talk.we_close();
        talk.we_send(fin(1).carrying(b"bye"));
        talk.until_timer();
        talk.we_send(fin(1).carrying(b"bye"));
    });
}

/// RFC 9293 §3.8.1: what waited in small pieces may be sent again in larger ones.
#[test]
fn small_segments_are_sent_again_as_one() {
    conversation(|talk| {
        let mut talk = talk(Config { nagle: false, ..Config::classroom() }).established();
        for octet in b"abcdef" {
            talk.we_write(&[*octet]);
            talk.all();
        }
        talk.until_timer();
        talk.we_send(text(1, b"abcdef"));
    });
}
