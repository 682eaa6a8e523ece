//! Opening a connection: the handshake and everything that can answer a SYN.
//!
//! RFC 9293 §3.5, §3.10.7.2 and §3.10.7.3.

mod talk;

use aperto_tcp::{AckCause, Config, DropReason, End, Event, Reason, ResetCause, RetransmissionCause, State};
use aperto_wire::tcp::Control;
use talk::{ack, conversation, fin, rst, syn, syn_ack, text};

/// RFC 9293 §3.5, Figure 6, our side active.
#[test]
fn an_active_open_sends_syn_and_acknowledges_the_answer() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).listening();
        talk.connection.open_listening(talk.now);
        assert_eq!(talk.we_send(syn()).reason, Reason::ActiveOpen);
        talk.we_are_in(State::SynSent);
        talk.peer_sends(syn_ack());
        talk.we_are_in(State::Established);
        assert!(matches!(talk.we_send(ack(1)).reason, Reason::HandshakeAck { .. }));
        talk.we_send_nothing();
        talk.no_timer_runs();
        assert_eq!(talk.events(), [Event::Established]);
    });
}

/// RFC 9293 §3.5, Figure 6, our side passive.
#[test]
fn a_passive_open_answers_a_syn_and_is_open_when_that_is_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).listening();
        talk.peer_sends(syn());
        talk.we_are_in(State::SynReceived);
        assert!(matches!(talk.we_send(syn_ack()).reason, Reason::PassiveOpen { .. }));
        talk.peer_sends(ack(1));
        talk.we_are_in(State::Established);
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.5, Figure 8 \[MUST-10\]: both sides ask at once.
#[test]
fn a_simultaneous_open_ends_in_one_connection() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.peer_sends(syn());
        talk.we_are_in(State::SynReceived);
        assert!(matches!(talk.we_send(syn_ack()).reason, Reason::SimultaneousOpen { .. }));
        talk.peer_sends(syn_ack());
        talk.we_are_in(State::Established);
        talk.we_write(b"hello");
        talk.we_send(text(1, b"hello"));
    });
}

/// RFC 9293 §3.10.7.3, first: an ACK of something never sent is answered by a reset, and ignored.
#[test]
fn in_syn_sent_a_wrong_acknowledgment_is_reset_and_ignored() {
    conversation(|talk| {
        for wrong in [0, 2, 1000] {
            let mut talk = talk(Config::classroom()).syn_sent();
            talk.peer_sends(syn_ack().ack(wrong));
            let left = talk.we_send(rst(wrong));
            assert!(matches!(left.reason, Reason::Reset(ResetCause::UnacceptableAck { .. })));
            talk.we_send_nothing();
            talk.we_are_in(State::SynSent);
        }
    });
}

/// RFC 9293 §3.10.7.3, second: only a RST that acknowledges our SYN refuses.
#[test]
fn in_syn_sent_only_a_reset_with_the_right_acknowledgment_refuses() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.peer_sends(rst(0));
        talk.peer_sends(rst(0).ack(2));
        talk.we_are_in(State::SynSent);
        talk.peer_sends(rst(0).ack(1));
        talk.we_are_in(State::Closed);
        assert_eq!(talk.events(), [Event::Ended(End::Refused)]);
        talk.we_send_nothing();
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.10.7.3, fifth: neither SYN nor RST.
#[test]
fn in_syn_sent_an_acknowledgment_or_a_fin_without_syn_is_dropped() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.peer_sends(ack(1));
        talk.peer_sends(fin(0).ack(1));
        talk.we_send_nothing();
        talk.we_are_in(State::SynSent);
        assert_eq!(talk.drops().last(), Some(&DropReason::NeitherSynNorReset));
    });
}

/// RFC 9293 §3.10.7.2: RST is ignored, ACK is reset, what is no SYN is dropped; SYN with FIN is no request.
#[test]
fn a_listener_takes_only_a_plain_syn() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).listening();
        talk.peer_sends(rst(0));
        talk.peer_sends(rst(0).ack(77));
        talk.peer_sends(fin(0).without(Control::ACK));
        talk.peer_sends(syn().with(Control::FIN));
        talk.we_send_nothing();
        talk.peer_sends(ack(99));
        talk.we_send(rst(99));
        talk.we_are_in(State::Listen);
    });
}

/// RFC 9293 §3.10.7.4, fifth: in SYN-RECEIVED a wrong ACK is answered by a reset.
#[test]
fn in_syn_received_a_wrong_acknowledgment_is_reset() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        talk.peer_sends(ack(5));
        talk.we_send(rst(5));
        talk.we_are_in(State::SynReceived);
    });
}

/// RFC 9293 §3.5 \[MUST-11\], §3.10.7.4, second: a passive open returns to LISTEN, an active one was refused.
#[test]
fn a_reset_in_syn_received_returns_to_listen_or_refuses() {
    conversation(|talk| {
        let mut passive = talk(Config::classroom()).syn_received();
        passive.peer_sends(rst(1));
        passive.we_are_in(State::Listen);
        passive.no_timer_runs();
        passive.peer_sends(syn());
        passive.we_send(syn_ack());
        let mut active = talk(Config::classroom()).syn_sent();
        active.peer_sends(syn());
        active.we_send(syn_ack());
        active.peer_sends(rst(1));
        assert_eq!(active.connection.end(), Some(End::Refused));
    });
}

/// RFC 9293 §3.8.1: the peer's SYN again means that our SYN,ACK was lost.
#[test]
fn a_repeated_syn_has_the_syn_ack_sent_again() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        talk.peer_sends(syn());
        let left = talk.we_send(syn_ack());
        let again = Reason::Retransmission { because: RetransmissionCause::SynAgain, octets: 0 };
        assert_eq!(left.reason, again);
        talk.peer_sends(ack(1));
        talk.we_are_in(State::Established);
    });
}

/// RFC 6298 §5.5 and RFC 9293 §3.8.3 \[MUST-23\]: SYNs at 1, 3, 7, ... s, and 3 minutes of patience.
#[test]
fn an_unanswered_syn_is_repeated_twice_as_late_each_time_for_three_minutes() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        let begun = talk.now;
        let mut seconds = Vec::new();
        loop {
            talk.until_timer();
            if talk.connection.state() == State::Closed {
                break;
            }
            talk.we_send(syn());
            seconds.push(talk.now.since(begun).as_secs());
        }
        assert_eq!(&seconds[..5], [1, 3, 7, 15, 31]);
        assert_eq!(talk.now.since(begun).as_secs(), 180);
        assert_eq!(talk.connection.end(), Some(End::TimedOut));
    });
}

/// RFC 4987 §3: a SYN that nobody follows up costs six SYN,ACKs at most.
#[test]
fn a_stranger_gets_six_syn_acks_at_most() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        let mut count = 1;
        while talk.connection.poll_deadline().is_some() {
            talk.until_timer();
            count += talk.all().len();
        }
        assert_eq!(count, 6);
        talk.we_are_in(State::Closed);
    });
}

/// RFC 9293 §3.10.7.2, third: text in a SYN waits for the handshake; only the SYN is acknowledged.
#[test]
fn text_in_a_syn_is_not_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).listening();
        talk.peer_sends(syn().carrying(b"early"));
        talk.we_send(syn_ack());
        assert_eq!(talk.drops(), [DropReason::DataInSyn]);
        talk.peer_sends(text(1, b"early"));
        assert_eq!(talk.we_read(), b"early");
    });
}

/// RFC 9293 §3.5.1, Figure 9: a half-open connection is found out by the answer to the new SYN.
#[test]
fn a_syn_on_an_open_connection_is_challenged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(syn().seq(5000));
        let left = talk.we_send(ack(1));
        assert!(matches!(left.reason, Reason::Ack(AckCause::Challenge(_))));
        talk.we_are_in(State::Established);
    });
}

/// RFC 5961 §3: only a RST at exactly RCV.NXT resets; inside the window it is challenged, outside
/// it is dropped without an answer.
#[test]
fn only_an_exact_reset_ends_the_connection() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(rst(0));
        talk.peer_sends(rst(1 + 64_240));
        talk.we_send_nothing();
        talk.peer_sends(rst(2));
        talk.we_send(ack(1));
        talk.we_are_in(State::Established);
        talk.peer_sends(rst(1));
        assert_eq!(talk.events(), [Event::Ended(End::Reset)]);
        talk.we_send_nothing();
    });
}

/// RFC 5681 §3.1: the first window is counted in segments of the size that was agreed on, from the
/// moment that it is known.
#[test]
fn the_first_window_is_counted_in_segments_of_the_agreed_size() {
    conversation(|talk| {
        let config = Config { initial_window_segments: Some(1), ..Config::classroom() };
        let mut passive = talk(config.clone()).syn_received();
        assert_eq!(passive.connection.status().cwnd, 1000);
        passive.peer_sends(ack(1));
        assert_eq!(passive.connection.status().cwnd, 1000);
        let mut crossing = talk(config).syn_sent();
        crossing.peer_sends(syn());
        assert_eq!(crossing.connection.status().cwnd, 1000);
    });
}
