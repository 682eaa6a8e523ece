//! The timestamps option and protection against wrapped numbers.
//!
//! RFC 7323 §3, §4.3, §5.

mod talk;

use aperto_tcp::{AckCause, Config, DropReason, Reason, State};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Options, SackBlock, Timestamps};
use talk::{Paper, Talk, ack, conversation, fin, rst, syn, syn_ack, text};

fn stamping() -> Config {
    Config { timestamps: true, ..Config::classroom() }
}

/// Open, with timestamps; the peer's clock showed 100.
fn open(talk: Talk) -> Talk {
    let mut talk = talk.syn_sent();
    talk.peer_sends(syn_ack().stamps(100, 1000));
    talk.we_send(ack(1));
    talk.events();
    talk.notes();
    talk
}

fn echo(paper: &Paper) -> u32 {
    paper.options.timestamps.expect("agreed").echo
}

/// RFC 7323 §3.2: offered in a SYN, used where both offered, then in every segment but resets.
#[test]
fn timestamps_are_used_where_both_sides_offer_them() {
    conversation(|talk| {
        let mut both = talk(stamping()).listening();
        both.connection.open_listening(both.now);
        let offer = both.we_send(syn()).paper.options.timestamps;
        assert_eq!(offer.map(|stamps| stamps.echo), Some(0));
        both.peer_sends(syn_ack().stamps(100, 1000));
        assert_eq!(echo(&both.we_send(ack(1)).paper), 100);
        both.we_write(b"text");
        assert_eq!(echo(&both.we_send(text(1, b"text")).paper), 100);
        let mut one = talk(stamping()).syn_sent();
        one.peer_sends(syn_ack());
        assert_eq!(one.we_send(ack(1)).paper.options.timestamps, None);
        let mut other = talk(Config::classroom()).listening();
        other.peer_sends(syn().stamps(100, 0));
        assert_eq!(other.we_send(syn_ack()).paper.options.timestamps, None);
    });
}

/// RFC 7323 §3.2: a SYN,ACK echoes the SYN's value.
#[test]
fn a_syn_ack_echoes_the_syn() {
    conversation(|talk| {
        let mut talk = talk(stamping()).listening();
        talk.peer_sends(syn().stamps(777, 0));
        assert_eq!(echo(&talk.we_send(syn_ack()).paper), 777);
    });
}

/// RFC 7323 §5.4: the clock ticks between once a millisecond and once a second, and never backwards.
#[test]
fn the_clock_ticks_each_millisecond() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        let value = |talk: &mut Talk, seq| {
            talk.we_write(b"x");
            let left = talk.we_send(text(seq, b"x"));
            talk.peer_sends(ack(seq + 1).stamps(100, 1000));
            left.paper.options.timestamps.expect("agreed").value
        };
        let first = value(&mut talk, 1);
        talk.pass(250);
        assert_eq!(value(&mut talk, 2), first + 250);
    });
}

/// RFC 7323 §4.3 (A): a delayed acknowledgment echoes the earliest of what it acknowledges.
#[test]
fn a_delayed_acknowledgment_echoes_the_earliest_segment() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(text(1, b"a").stamps(101, 1000));
        talk.peer_sends(text(2, b"b").stamps(102, 1000));
        talk.peer_sends(text(3, b"c").stamps(103, 1000));
        talk.pass(300);
        assert_eq!(echo(&talk.we_send(ack(4)).paper), 101);
    });
}

/// RFC 7323 §4.3 (B) and (C): beyond a hole the last segment in order is echoed; the segment that fills
/// the hole is echoed when it does.
#[test]
fn beyond_a_hole_the_last_segment_in_order_is_echoed() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(text(1, b"a").stamps(101, 1000));
        talk.pass(300);
        assert_eq!(echo(&talk.we_send(ack(2)).paper), 101);
        for (seq, stamp) in [(3, 103), (5, 105)] {
            talk.peer_sends(text(seq, b"x").stamps(stamp, 1000));
            assert_eq!(echo(&talk.we_send(ack(2)).paper), 101);
        }
        talk.peer_sends(text(2, b"b").stamps(102, 1000));
        assert_eq!(echo(&talk.we_send(ack(4)).paper), 102);
        talk.peer_sends(text(4, b"d").stamps(104, 1000));
        assert_eq!(echo(&talk.we_send(ack(6)).paper), 104);
    });
}

/// RFC 7323 §5.3, R1: a segment whose timestamp is before the last is dropped and answered.
#[test]
fn a_segment_from_the_past_is_dropped_and_answered() {
    conversation(|talk| {
        for past in [99, 0, 100u32.wrapping_sub(1 << 30)] {
            let mut talk = open(talk(stamping()));
            talk.peer_sends(text(1, b"old").stamps(past, 1000));
            let left = talk.we_send(ack(1));
            assert_eq!(left.reason, Reason::Ack(AckCause::OldTimestamp { value: past, recent: 100 }));
            assert_eq!(talk.drops(), [DropReason::OldTimestamp]);
            assert_eq!(talk.connection.readable(), 0);
            talk.peer_sends(fin(1).stamps(past, 1000));
            talk.we_are_in(State::Established);
            talk.peer_sends(text(1, b"new").stamps(100, 1000));
            assert_eq!(talk.we_read(), b"new");
        }
    });
}

/// RFC 7323 §5.2: a reset is not subject to the check; the exact number still is asked for.
#[test]
fn a_reset_is_believed_whatever_its_timestamp() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(rst(2).stamps(1, 0));
        talk.we_are_in(State::Established);
        talk.peer_sends(rst(1).stamps(1, 0));
        talk.we_are_in(State::Closed);
    });
}

/// RFC 7323 §5.5: after 24 days the last timestamp proves nothing any more.
#[test]
fn after_24_days_the_last_timestamp_proves_nothing() {
    conversation(|talk| {
        for (days, believed) in [(23, false), (25, true)] {
            let mut talk = open(talk(stamping()));
            talk.pass(days * 86_400_000);
            talk.peer_sends(text(1, b"text").stamps(99, 1000));
            assert_eq!(talk.connection.readable() > 0, believed, "{days} days");
        }
    });
}

/// RFC 7323 §4.3 (2): neither a segment beyond a hole nor one outside the window moves TS.Recent, so
/// nobody can poison it from there.
#[test]
fn a_timestamp_from_beyond_does_not_freeze_the_connection() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(text(50, b"forged").stamps(100 + (1 << 30), 1000));
        talk.peer_sends(text(1_000_000, b"forged").stamps(100 + (1 << 30), 1000));
        talk.all();
        talk.peer_sends(text(1, b"honest").stamps(101, 1000));
        assert_eq!(talk.we_read(), b"honest");
    });
}

/// RFC 7323 §3.2 would drop a segment without the option; some hosts omit it now and then, and it is
/// taken (a deviation).
#[test]
fn a_segment_without_the_option_is_taken() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(text(1, b"plain"));
        assert_eq!(talk.we_read(), b"plain");
    });
}

/// RFC 7323 §4.1: an echo of what was never sent gives no sample, and the timeout keeps within bounds.
#[test]
fn a_forged_echo_gives_no_sample() {
    conversation(|talk| {
        for forged in [0, 5_000_000, 1 << 31] {
            let mut talk = open(talk(stamping()));
            talk.we_write(b"text");
            talk.all();
            talk.until_timer();
            talk.all();
            let before = talk.connection.status().srtt;
            talk.peer_sends(ack(5).stamps(101, forged));
            assert_eq!(talk.connection.status().srtt, before, "{forged}");
            let rto = talk.connection.status().rto.as_millis();
            assert!((1000..=60_000).contains(&rto), "{rto}");
        }
    });
}

/// RFC 7323 §2: timestamps that were not agreed on mean nothing.
#[test]
fn timestamps_that_were_not_agreed_on_mean_nothing() {
    conversation(|talk| {
        let mut talk = talk(stamping()).established();
        talk.peer_sends(text(1, b"a").stamps(500, 0));
        talk.peer_sends(text(2, b"b").stamps(1, 0));
        assert_eq!(talk.we_read(), b"ab");
        talk.pass(300);
        let left = talk.we_send(ack(3));
        assert_eq!(left.paper.options.timestamps, None::<Timestamps>);
    });
}

/// RFC 9293 §3.6.1 \[MAY-2\] \[SHLD-4\], RFC 6191 §2: which SYN may begin a new connection in TIME-WAIT.
#[test]
fn a_syn_that_is_proven_new_may_begin_again_in_time_wait() {
    conversation(|talk| {
        let mut stamped = open(talk(stamping()));
        stamped.we_close();
        stamped.we_send(fin(1));
        stamped.peer_sends(fin(1).ack(2).stamps(200, 1000));
        stamped.we_send(ack(2).seq(2));
        stamped.events();
        while stamped.connection.poll_note().is_some() {}
        let folded = stamped.connection.fold().expect("TIME-WAIT");
        // SEG.SEQ, TSval, and whether it may: RCV.NXT is 2, the last timestamp 200.
        for (seq, stamp, expected) in [
            (1_000_000, Some(201), true),
            (0, Some(201), true),
            (2, Some(200), true),
            (1, Some(200), false),
            (1_000_000, Some(199), false),
            (2, None, true),
            (1, None, false),
        ] {
            let request = stamp.map_or(syn().seq(seq), |value| syn().seq(seq).stamps(value, 0));
            assert_eq!(
                stamped.with_segment(&request, |s| folded.may_be_reopened_by(s)),
                expected,
                "{seq} {stamp:?}"
            );
            for bit in [
                aperto_wire::tcp::Control::ACK,
                aperto_wire::tcp::Control::RST,
                aperto_wire::tcp::Control::FIN,
            ] {
                let wrong = request.clone().with(bit);
                assert!(!stamped.with_segment(&wrong, |s| folded.may_be_reopened_by(s)));
            }
        }
        // Without timestamps before, only a number beyond the last proves anything: old segments without
        // timestamps would be believed by the new connection (stricter than RFC 6191).
        let mut plain = talk(Config::classroom()).in_state(State::TimeWait);
        plain.notes();
        let folded = plain.connection.fold().expect("TIME-WAIT");
        for (seq, stamp, expected) in
            [(2, None, true), (1, None, false), (2, Some(5), true), (1, Some(5), false)]
        {
            let request = stamp.map_or(syn().seq(seq), |value| syn().seq(seq).stamps(value, 0));
            assert_eq!(
                plain.with_segment(&request, |s| folded.may_be_reopened_by(s)),
                expected,
                "{seq} {stamp:?}"
            );
        }
    });
}

/// RFC 5961 §7: answers to empty segments from the past are rationed, so that a channel which repeats them
/// does not make two ends answer each other for ever.
#[test]
fn empty_segments_from_the_past_are_answered_twice_a_second_at_most() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        let mut answers = 0;
        for _ in 0..100 {
            talk.peer_sends(ack(1).stamps(99, 1000));
            answers += talk.all().len();
            talk.pass(10);
        }
        assert_eq!(answers, 2);
    });
}

/// RFC 7323 §4: what was sent again is answered with the echo of the copy, so that its sender learns
/// the round trip, and not how long its timer waited. The first acknowledgment was lost.
#[test]
fn the_answer_to_a_copy_echoes_the_copy() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(text(1, b"once").ack(1).stamps(110, 1000));
        talk.pass(500);
        assert_eq!(echo(&talk.we_send(ack(5)).paper), 110);
        talk.peer_sends(text(1, b"once").ack(1).stamps(3110, 1000));
        assert_eq!(echo(&talk.we_send(ack(5)).paper), 3110);
    });
}

/// A copy with an acknowledgment of what was never sent could be a stranger's: its timestamp is not taken.
#[test]
fn a_copy_that_acknowledges_what_was_never_sent_moves_no_timestamp() {
    conversation(|talk| {
        let mut talk = open(talk(stamping()));
        talk.peer_sends(text(1, b"once").ack(1).stamps(110, 1000));
        talk.pass(500);
        talk.we_send(ack(5));
        talk.peer_sends(text(1, b"once").ack(77).stamps(3110, 1000));
        for left in talk.all() {
            assert!(left.paper.options.timestamps.is_none_or(|stamps| stamps.echo == 110));
        }
    });
}

/// Our text arrived and its acknowledgment was lost; the answer to the copy reports it as received
/// twice (RFC 2883 §4) and echoes the first transmission, as RFC 7323 §5.3 has a receiver do. That time
/// is our timer's: no sample (RFC 6298 §3), and the timeout in force stays.
#[test]
fn an_answer_to_a_copy_that_echoes_the_first_transmission_is_no_sample() {
    conversation(|talk| {
        let mut talk = talk(Config { sack: true, ..stamping() }).syn_sent();
        let mut answer = syn_ack().stamps(100, 1000);
        answer.options.sack_permitted = true;
        talk.peer_sends(answer);
        talk.we_send(ack(1));
        talk.we_write(b"text");
        let first = talk.we_send(text(1, b"text")).paper.options.timestamps.expect("agreed").value;
        let before = talk.connection.status();
        assert_eq!(talk.until_timer(), 1000);
        let again = talk.we_send(text(1, b"text")).paper.options.timestamps.expect("agreed").value;
        assert_eq!(again, first + 1000);
        talk.pass(40);
        let twice = SackBlock { start: SeqNumber::new(1), end: SeqNumber::new(5) };
        let options = Options { sack: [twice].into_iter().collect(), ..Options::NONE };
        let (mut of_the_first, mut of_the_copy) = (talk.fork(), talk);
        of_the_first.peer_sends(ack(5).options(options).stamps(110, first));
        let after = of_the_first.connection.status();
        assert_eq!((after.srtt, after.rto), (before.srtt, 2 * before.rto));
        of_the_copy.peer_sends(ack(5).options(options).stamps(110, again));
        assert!(of_the_copy.connection.status().srtt > before.srtt, "40 ms after nothing");
    });
}
