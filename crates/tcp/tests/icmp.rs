//! What the network says about our segments.
//!
//! RFC 9293 §3.9.2.2, RFC 5927, RFC 1191.

mod talk;

use aperto_tcp::{Config, End, Event, Icmp, Note, Reason, RetransmissionCause, State};
use aperto_wire::SeqNumber;
use talk::{Talk, ack, conversation, text};

fn quoted(talk: &Talk, number: u32) -> SeqNumber {
    talk.connection.status().iss + number
}

fn told(talk: &mut Talk, number: u32, what: Icmp) {
    let quoted = quoted(talk, number);
    talk.connection.icmp_arrives(talk.now, quoted, what);
}

/// RFC 9293 §3.9.2.2 \[MUST-56\] \[SHLD-25\], §3.9.1.8 \[MUST-47\] \[SHLD-20\]: a soft error ends no
/// connection in any state; who watches is told, who does not is not.
#[test]
fn a_soft_error_ends_nothing_and_is_told() {
    conversation(|talk| {
        for state in [State::SynSent, State::SynReceived, State::FinWait1, State::Closing, State::LastAck] {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.notes();
            let number = u32::from(!matches!(state, State::SynSent | State::SynReceived));
            told(&mut talk, number, Icmp::Soft);
            talk.we_are_in(state);
            assert_eq!(talk.notes(), [Note::SoftError], "{state}");
            talk.connection.watch(aperto_tcp::Watch::Off);
            told(&mut talk, number, Icmp::Soft);
            assert_eq!(talk.notes(), []);
        }
    });
}

/// RFC 9293 §3.9.2.2 and RFC 5927 §5.2: a hard error ends a connection that is not open yet, if it quotes
/// our SYN.
#[test]
fn a_hard_error_ends_only_what_is_not_open_and_quotes_our_syn() {
    conversation(|talk| {
        for number in [1, 2, 1000, u32::MAX] {
            let mut talk = talk(Config::classroom()).syn_sent();
            told(&mut talk, number, Icmp::Hard);
            talk.we_are_in(State::SynSent);
        }
        let mut refused = talk(Config::classroom()).syn_sent();
        told(&mut refused, 0, Icmp::Hard);
        assert_eq!(refused.events(), [Event::Ended(End::Unreachable)]);
        refused.no_timer_runs();
        refused.we_send_nothing();
    });
}

/// RFC 5927 §5.2: in the synchronized states anybody could have forged it (SHLD-26 is declined).
#[test]
fn a_hard_error_ends_no_open_connection() {
    conversation(|talk| {
        for state in State::ALL.into_iter().filter(|state| state.is_synchronized()) {
            let mut talk = talk(Config::classroom()).in_state(state);
            for number in 0..5 {
                told(&mut talk, number, Icmp::Hard);
            }
            talk.we_are_in(state);
        }
    });
}

/// RFC 1191 §6.4: what was too big is sent again, smaller, at once, and that is no congestion.
#[test]
fn what_was_too_big_is_sent_again_smaller() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 3000]);
        assert_eq!(talk.all().len(), 3);
        let window = talk.connection.status().cwnd;
        told(&mut talk, 1, Icmp::PathMtu { mss: 700 });
        let left = talk.all();
        let sizes: Vec<usize> = left.iter().map(|l| l.paper.text.len()).collect();
        assert_eq!(sizes, [700, 700, 700, 700, 200]);
        let because = RetransmissionCause::PathTooNarrow { mss: 700 };
        assert_eq!(left[0].reason, Reason::Retransmission { because, octets: 700 });
        assert_eq!(talk.connection.status().cwnd, window);
        talk.peer_sends(ack(3001));
        talk.no_timer_runs();
        talk.we_write(&[7; 1400]);
        assert!(talk.all().iter().all(|l| l.paper.text.len() == 700));
    });
}

/// RFC 5927 §7: a size that is larger than ours, or quotes nothing that is out, changes nothing; there is
/// a floor.
#[test]
fn forged_sizes_are_ignored_or_bounded() {
    conversation(|talk| {
        for (number, mss, expected) in [
            (1, 1000, 1000),
            (1, u16::MAX, 1000),
            (5000, 500, 1000),
            (0, 500, 1000),
            (1, 500, 500),
            (1, 0, 48),
            (1, 20, 48),
        ] {
            let mut talk = talk(Config::classroom()).established();
            talk.we_write(&[7; 2000]);
            talk.all();
            told(&mut talk, number, Icmp::PathMtu { mss });
            assert_eq!(talk.connection.status().send_mss, expected, "{number} {mss}");
            assert_eq!(talk.all().is_empty(), expected == 1000, "{number} {mss}");
        }
    });
}

/// RFC 9293 §3.9.2.2: nothing in flight, nothing to be told about.
#[test]
fn an_idle_connection_is_told_nothing() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"text");
        talk.we_send(text(1, b"text"));
        talk.peer_sends(ack(5));
        talk.notes();
        for what in [Icmp::Soft, Icmp::Hard, Icmp::PathMtu { mss: 500 }] {
            told(&mut talk, 1, what);
        }
        assert_eq!(talk.notes(), []);
        assert_eq!(talk.connection.status().send_mss, 1000);
    });
}
