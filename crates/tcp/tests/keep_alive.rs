//! Probing an idle peer, and being probed.
//!
//! RFC 9293 §3.8.4.

mod talk;

use aperto_tcp::{AckCause, Config, End, KeepAlive, Reason, ResetCause, State};
use aperto_time::Duration;
use talk::{Talk, ack, conversation, rst, text};

const SETTINGS: KeepAlive =
    KeepAlive { idle: Duration::from_secs(60), interval: Duration::from_secs(10), probes: 3 };

fn probing(talk: Talk) -> Talk {
    let mut talk = talk.established();
    talk.connection.set_keep_alive(talk.now, Some(SETTINGS));
    talk
}

/// RFC 9293 §3.8.4 \[MUST-25\]: off, unless somebody asks for it.
#[test]
fn nobody_is_probed_who_was_not_asked_to_be() {
    conversation(|talk| {
        for config in [Config::modern(), Config::rfc1122(), Config::classroom()] {
            let mut talk = talk(config).established();
            talk.pass(30 * 86_400_000);
            talk.we_send_nothing();
            talk.we_are_in(State::Established);
            talk.no_timer_runs();
        }
    });
}

/// RFC 9293 §3.8.4 \[MUST-24\] \[MAY-5\]: on and off for each connection.
#[test]
fn keep_alive_is_switched_on_and_off() {
    conversation(|talk| {
        let mut talk = probing(talk(Config::classroom()));
        assert_eq!(talk.until_timer(), 60_000);
        assert_eq!(talk.all().len(), 1);
        talk.peer_sends(ack(1));
        talk.connection.set_keep_alive(talk.now, None);
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.8.4 \[MUST-27\] \[MUST-28\]: the interval is configurable, two hours or more by default.
#[test]
fn the_idle_time_is_two_hours_unless_set() {
    conversation(|talk| {
        let config = Config { keep_alive: Some(KeepAlive::default()), ..Config::classroom() };
        let mut talk = talk(config).established();
        assert!(talk.until_timer() >= 7_200_000);
        assert!(matches!(talk.all()[0].reason, Reason::KeepAlive { attempt: 1, .. }));
    });
}

/// RFC 9293 §3.8.4 \[SHLD-12\]: a probe is an empty segment at SND.NXT - 1.
#[test]
fn a_probe_is_empty_and_stands_before_what_is_next() {
    conversation(|talk| {
        let mut talk = probing(talk(Config::classroom()));
        talk.we_write(b"text");
        talk.we_send(text(1, b"text"));
        talk.peer_sends(ack(5));
        talk.pass(60_000);
        talk.we_send(ack(1).seq(4));
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.8.4 \[MUST-26\]: only when nothing has come for the whole time, and nothing is out.
#[test]
fn only_an_idle_connection_is_probed() {
    conversation(|talk| {
        let mut heard = probing(talk(Config::classroom()));
        for n in 0..10 {
            heard.pass(50_000);
            heard.peer_sends(text(1 + n, b"x"));
            heard.pass(1000);
            assert!(heard.all().iter().all(|l| !matches!(l.reason, Reason::KeepAlive { .. })));
        }
        let mut waiting = probing(talk(Config::classroom()));
        waiting.pass(50_000);
        waiting.we_write(b"text");
        for _ in 0..30 {
            waiting.pass(1000);
            assert!(waiting.all().iter().all(|l| !matches!(l.reason, Reason::KeepAlive { .. })));
        }
    });
}

/// RFC 9293 §3.8.4 \[MUST-29\]: one unanswered probe, or two, prove nothing; an answer begins anew.
#[test]
fn an_unanswered_probe_is_not_the_end() {
    conversation(|talk| {
        let mut talk = probing(talk(Config::classroom()));
        for expected in [60_000, 10_000] {
            assert_eq!(talk.until_timer(), expected);
            talk.we_send(ack(1).seq(0));
        }
        talk.pass(5000);
        talk.peer_sends(ack(1));
        talk.we_are_in(State::Established);
        let begun = talk.now;
        while talk.all().is_empty() {
            talk.until_timer();
        }
        assert_eq!(talk.now.since(begun).as_secs(), 60);
    });
}

/// RFC 9293 §3.8.4 and §3.8.3: a peer that answers none of them is gone.
#[test]
fn a_peer_that_answers_no_probe_is_given_up() {
    conversation(|talk| {
        let mut talk = probing(talk(Config::classroom()));
        talk.pass(60_000 + 2 * 10_000);
        assert!(!talk.all().is_empty());
        talk.we_are_in(State::Established);
        talk.pass(10_000);
        assert_eq!(talk.we_send(rst(1)).reason, Reason::Reset(ResetCause::GaveUp));
        assert_eq!(talk.connection.end(), Some(End::TimedOut));
    });
}

/// RFC 9293 §3.8.4: a probe is answered; an octet of garbage in it is not delivered.
#[test]
fn a_probe_is_answered_and_its_garbage_is_not_delivered() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"text"));
        talk.pass(300);
        talk.we_send(ack(5));
        talk.we_read();
        for probe in [ack(1).seq(4), text(4, b"?"), ack(1).seq(4)] {
            talk.peer_sends(probe);
            assert_eq!(talk.we_send(ack(5)).reason, Reason::Ack(AckCause::ProbeAnswered));
            assert_eq!(talk.connection.readable(), 0);
        }
    });
}

/// RFC 9293 §3.8.4: a half-closed connection is probed as well, one in TIME-WAIT is not.
#[test]
fn half_closed_connections_are_probed() {
    conversation(|talk| {
        let config = Config { keep_alive: Some(SETTINGS), ..Config::classroom() };
        for state in [State::FinWait2, State::CloseWait] {
            let mut talk = talk(config.clone()).in_state(state);
            talk.pass(60_000);
            let left = talk.all();
            assert!(matches!(left[..], [talk::Left { reason: Reason::KeepAlive { .. }, .. }]), "{state}");
        }
        let mut waiting = talk(Config { msl: Duration::from_secs(600), ..config }).in_state(State::TimeWait);
        waiting.pass(600_000);
        waiting.we_send_nothing();
    });
}
