//! Closing a connection: every way out of ESTABLISHED.
//!
//! RFC 9293 §3.6, §3.10.4, §3.10.7.4 (fifth and eighth), Figure 5, Figures 12 and 13; RFC 1337.

mod talk;

use aperto_tcp::{Config, DropReason, End, Event, Reason, ReceiveError, ResetCause, SendError, State};
use aperto_tcp::{Push, Urgent};
use aperto_time::Duration;
use talk::{ack, conversation, fin, rst, syn, syn_ack, text};

/// RFC 9293 §3.6, Figure 12, our side A: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED.
#[test]
fn closing_first_leads_through_fin_wait_to_time_wait() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_close();
        talk.we_are_in(State::FinWait1);
        assert_eq!(talk.we_send(fin(1)).reason, Reason::Fin { octets: 0, peer_closed_first: false });
        talk.peer_sends(ack(2));
        talk.we_are_in(State::FinWait2);
        talk.we_send_nothing();
        talk.peer_sends(fin(1).ack(2));
        talk.we_are_in(State::TimeWait);
        talk.we_send(ack(2).seq(2));
        assert_eq!(talk.events(), [Event::PeerClosed]);
        talk.until_timer();
        talk.we_are_in(State::Closed);
        assert_eq!(talk.events(), [Event::Ended(End::Closed)]);
        talk.no_timer_runs();
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.6, Figure 12, our side B: CLOSE-WAIT, LAST-ACK, CLOSED \[MUST-12\].
#[test]
fn closing_second_leads_through_close_wait_and_last_ack() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(fin(1));
        talk.we_are_in(State::CloseWait);
        talk.we_send(ack(2));
        assert_eq!(talk.events(), [Event::PeerClosed]);
        talk.we_close();
        assert_eq!(talk.we_send(fin(1).ack(2)).reason, Reason::Fin { octets: 0, peer_closed_first: true });
        talk.we_are_in(State::LastAck);
        talk.peer_sends(ack(2).seq(2));
        talk.we_are_in(State::Closed);
        assert_eq!(talk.events(), [Event::Ended(End::Closed)]);
        talk.we_send_nothing();
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.6, Figure 13: both sides close at once.
#[test]
fn a_simultaneous_close_leads_through_closing() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::FinWait1);
        talk.peer_sends(fin(1));
        talk.we_are_in(State::Closing);
        talk.we_send(ack(2).seq(2));
        talk.peer_sends(ack(2).seq(2));
        talk.we_are_in(State::TimeWait);
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.3.2, Figure 5, note 2: a FIN that acknowledges ours leads to TIME-WAIT at once.
#[test]
fn a_fin_that_acknowledges_ours_leads_to_time_wait() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::FinWait1);
        talk.peer_sends(fin(1).ack(2));
        talk.we_are_in(State::TimeWait);
        talk.we_send(ack(2).seq(2));
    });
}

/// RFC 9293 §3.6.1 \[MUST-13\]: TIME-WAIT lasts twice the maximum segment lifetime.
#[test]
fn time_wait_lasts_two_segment_lifetimes() {
    conversation(|talk| {
        for seconds in [30, 120] {
            let config = Config { msl: Duration::from_secs(seconds), ..Config::classroom() };
            let mut talk = talk(config).in_state(State::TimeWait);
            assert_eq!(talk.until_timer(), 2 * seconds * 1000);
            talk.we_are_in(State::Closed);
        }
    });
}

/// RFC 9293 §3.10.7.4, eighth: the peer's FIN again is acknowledged again, and the wait begins anew.
#[test]
fn a_fin_again_in_time_wait_restarts_the_wait() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::TimeWait);
        talk.pass(50_000);
        talk.peer_sends(fin(1).ack(2));
        talk.we_send(ack(2).seq(2));
        assert_eq!(talk.until_timer(), 60_000);
        talk.we_are_in(State::Closed);
    });
}

/// RFC 1337 §3: neither a reset nor old text ends TIME-WAIT early.
#[test]
fn nothing_ends_time_wait_early() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::TimeWait);
        for segment in [rst(2), rst(2).ack(2), rst(1), ack(2).seq(2), text(1, b"old").ack(2), syn().seq(9000)]
        {
            talk.peer_sends(segment);
            talk.pass(1000);
            talk.all();
            talk.we_are_in(State::TimeWait);
        }
        assert_eq!(talk.until_timer(), 54_000);
    });
}

/// RFC 9293 §3.6 \[MUST-12\]: after our FIN the peer may go on: a half-close.
#[test]
fn after_our_fin_text_is_still_received() {
    conversation(|talk| {
        for state in [State::FinWait1, State::FinWait2] {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.peer_sends(text(1, b"still").ack(1));
            assert_eq!(talk.we_read(), b"still");
            talk.peer_sends(text(6, b"here").ack(2).with(aperto_wire::tcp::Control::FIN));
            assert_eq!(talk.we_read(), b"here");
            talk.we_are_in(State::TimeWait);
            assert_eq!(talk.connection.receive(talk.now, &mut [0]), Err(ReceiveError::Finished));
        }
    });
}

/// RFC 9293 §3.6: after the peer's FIN we may go on, and nothing can be written after our own.
#[test]
fn after_the_peers_fin_we_may_still_write() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::CloseWait);
        talk.we_write(b"more");
        talk.we_send(text(1, b"more").ack(2));
        talk.we_close();
        talk.we_send(fin(5).ack(2));
        let refused = talk.connection.send(talk.now, b"late", Push::Yes, Urgent::No);
        assert_eq!(refused, Err(SendError::Closing));
    });
}

/// RFC 9293 §3.10.4: what is queued is sent before the FIN.
#[test]
fn the_fin_follows_everything_that_was_written() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 2500]);
        talk.we_close();
        talk.we_send(text(1, &[7; 1000]));
        talk.we_send(text(1001, &[7; 1000]));
        talk.we_send(fin(2001).carrying(&[7; 500]));
        talk.we_send_nothing();
        talk.peer_sends(ack(2502));
        talk.we_are_in(State::FinWait2);
    });
}

/// RFC 9293 §3.10.4, SYN-RECEIVED STATE: with nothing to send, FIN-WAIT-1; the FIN follows the SYN.
#[test]
fn closing_in_syn_received_leads_to_fin_wait_1() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        talk.we_close();
        talk.we_are_in(State::FinWait1);
        talk.all();
        talk.peer_sends(ack(1));
        talk.we_send(fin(1));
        talk.peer_sends(ack(2));
        talk.we_are_in(State::FinWait2);
    });
}

/// RFC 9293 §3.10.4, SYN-RECEIVED STATE: with text to send, the close is queued until ESTABLISHED.
#[test]
fn closing_in_syn_received_with_text_waits_for_the_handshake() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        talk.we_write(b"text");
        talk.we_close();
        talk.we_send_nothing();
        talk.peer_sends(ack(1));
        talk.we_are_in(State::FinWait1);
        talk.we_send(fin(1).carrying(b"text"));
        talk.peer_sends(ack(6));
        talk.we_are_in(State::FinWait2);
        talk.peer_sends(fin(1).ack(6));
        talk.we_are_in(State::TimeWait);
    });
}

/// RFC 9293 §3.10.7.4, fifth: closed in SYN-RECEIVED, an acknowledgment that does not cover our SYN
/// does not open the way for the FIN.
#[test]
fn after_closing_in_syn_received_the_syn_must_still_be_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        talk.we_close();
        talk.all();
        talk.peer_sends(ack(0));
        talk.we_send_nothing();
        talk.until_timer();
        talk.we_send(syn_ack());
        talk.peer_sends(ack(1));
        talk.we_send(fin(1));
    });
}

/// RFC 9293 §3.10.7.4, second: closed with text in SYN-RECEIVED, a reset leaves no listener behind.
#[test]
fn a_reset_after_closing_in_syn_received_does_not_listen_again() {
    conversation(|talk| {
        for write in [true, false] {
            let mut talk = talk(Config::classroom()).syn_received();
            if write {
                talk.we_write(b"text");
            }
            talk.we_close();
            talk.all();
            talk.peer_sends(rst(1));
            talk.we_are_in(State::Closed);
            talk.no_timer_runs();
        }
    });
}

/// RFC 9293 §3.10.4, LISTEN and SYN-SENT STATE: nothing is sent.
#[test]
fn closing_before_anything_was_agreed_sends_nothing() {
    conversation(|talk| {
        for state in [State::Listen, State::SynSent] {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.we_close();
            talk.we_are_in(State::Closed);
            talk.we_send_nothing();
            talk.no_timer_runs();
        }
    });
}

/// RFC 6298 §5.4, RFC 9293 §3.6: a FIN that is lost is sent again.
#[test]
fn a_lost_fin_is_sent_again() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::FinWait1);
        assert_eq!(talk.until_timer(), 1000);
        talk.we_send(fin(1));
        assert_eq!(talk.until_timer(), 2000);
        talk.we_send(fin(1));
        talk.peer_sends(ack(2));
        talk.we_are_in(State::FinWait2);
    });
}

/// RFC 9293 §3.10.7.4, eighth: a FIN beyond a hole waits for the hole to be filled.
#[test]
fn a_fin_beyond_a_hole_waits() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(fin(5));
        talk.we_are_in(State::Established);
        talk.all();
        talk.peer_sends(text(1, b"last"));
        talk.we_are_in(State::CloseWait);
        talk.we_send(ack(6));
        assert_eq!(talk.we_read(), b"last");
        assert!(talk.connection.is_finished());
    });
}

/// RFC 9293 §3.10.7.4, eighth: what was told of a FIN's place first, counts; text beyond is dropped.
#[test]
fn a_fin_cannot_be_moved_and_nothing_follows_it() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(fin(5));
        talk.peer_sends(text(3, b"34567890"));
        talk.peer_sends(fin(9));
        talk.peer_sends(text(1, b"12"));
        talk.we_are_in(State::CloseWait);
        assert_eq!(talk.we_read(), b"1234");
    });
}

/// RFC 9293 §3.10.7.4, eighth: a FIN before text that has arrived contradicts it, and is dropped.
#[test]
fn a_fin_before_text_that_has_arrived_is_dropped() {
    conversation(|talk| {
        for place in [5, 7] {
            let mut talk = talk(Config::classroom()).established();
            talk.peer_sends(text(5, b"5678"));
            talk.peer_sends(fin(place));
            assert_eq!(talk.drops(), [DropReason::FinMoved], "{place}");
            talk.all();
            talk.peer_sends(text(1, b"1234"));
            talk.we_are_in(State::Established);
            assert_eq!(talk.we_read(), b"12345678");
            talk.all();
            talk.peer_sends(fin(9));
            talk.we_are_in(State::CloseWait);
            talk.we_send(ack(10));
        }
    });
}

/// RFC 9293 §3.10.7.4, seventh: after the peer's FIN, text is ignored.
#[test]
fn text_after_the_peers_fin_is_ignored() {
    conversation(|talk| {
        for state in [State::CloseWait, State::Closing, State::LastAck, State::TimeWait] {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.peer_sends(text(2, b"more").ack(1));
            talk.we_send_nothing();
            talk.we_are_in(state);
            assert_eq!(talk.connection.readable(), 0);
            assert_eq!(talk.drops(), [DropReason::DataAfterFin]);
        }
    });
}

/// RFC 9293 §3.6.1 \[SHLD-3\]: closing for good while text waits to be read resets.
#[test]
fn releasing_with_unread_text_resets() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"unread"));
        talk.connection.release(talk.now);
        let left = talk.we_send(rst(1));
        assert_eq!(left.reason, Reason::Reset(ResetCause::UnreadData { octets: 6 }));
        talk.we_are_in(State::Closed);
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.6.1 \[SHLD-3\] \[MAY-1\]: text that arrives when nobody can read any more resets.
#[test]
fn text_for_an_application_that_is_gone_resets() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.connection.release(talk.now);
        talk.we_are_in(State::FinWait1);
        talk.we_send(fin(1));
        talk.peer_sends(ack(2));
        talk.peer_sends(text(1, b"late").ack(2));
        let left = talk.we_send(rst(2));
        assert_eq!(left.reason, Reason::Reset(ResetCause::UnreadData { octets: 4 }));
        talk.we_are_in(State::Closed);
    });
}

/// RFC 9293 §3.6.1 \[MAY-1\]: an application that is gone closes both directions in good order.
#[test]
fn releasing_without_unread_text_closes_in_good_order() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"goodbye");
        talk.connection.release(talk.now);
        talk.we_send(fin(1).carrying(b"goodbye"));
        talk.peer_sends(ack(9));
        talk.peer_sends(fin(1).ack(9));
        talk.we_send(ack(2).seq(9));
        talk.we_are_in(State::TimeWait);
    });
}

/// A connection that nobody holds does not wait for ever: 60 s in FIN-WAIT-2 (as Linux), twice that
/// elsewhere, counted from the last progress. One that somebody holds may wait.
#[test]
fn an_orphan_does_not_wait_for_ever() {
    conversation(|talk| {
        let mut orphan = talk(Config::classroom()).established();
        orphan.connection.release(orphan.now);
        orphan.we_send(fin(1));
        orphan.peer_sends(ack(2));
        orphan.we_are_in(State::FinWait2);
        assert_eq!(orphan.until_timer(), 60_000);
        orphan.we_are_in(State::Closed);
        assert_eq!(orphan.connection.end(), Some(End::TimedOut));
        let mut held = talk(Config::classroom()).in_state(State::FinWait2);
        held.pass(86_400_000);
        held.we_are_in(State::FinWait2);
    });
}

/// An orphan whose peer takes what was written, however slowly, is not cut off.
#[test]
fn an_orphan_that_makes_progress_is_not_cut_off() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 10_000]);
        talk.connection.release(talk.now);
        talk.all();
        for n in 1..=10 {
            talk.pass(100_000);
            talk.peer_sends(ack(1 + 1000 * n));
            talk.all();
            assert_ne!(talk.connection.state(), State::Closed, "after {n}");
        }
        talk.peer_sends(ack(10_002));
        talk.we_are_in(State::FinWait2);
    });
}

/// RFC 9293 §3.10.7.4, fifth, LAST-ACK STATE: a FIN first sent as a probe of a closed window counts too.
#[test]
fn a_fin_that_leaves_as_a_probe_leads_to_last_ack() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::CloseWait);
        talk.peer_sends(ack(1).seq(2).window(0));
        talk.we_close();
        talk.we_send_nothing();
        talk.until_timer();
        talk.we_send(fin(1).ack(2));
        talk.we_are_in(State::LastAck);
        talk.peer_sends(ack(2).seq(2).window(0));
        talk.we_are_in(State::Closed);
        assert_eq!(talk.connection.end(), Some(End::Closed));
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.10.7.4, eighth: text before the FIN can be read after the connection has ended.
#[test]
fn text_can_be_read_after_a_good_end() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(fin(1).carrying(b"last words"));
        talk.we_close();
        talk.all();
        talk.peer_sends(ack(2).seq(12));
        talk.we_are_in(State::Closed);
        assert_eq!(talk.we_read(), b"last words");
        assert_eq!(talk.connection.receive(talk.now, &mut [0]), Err(ReceiveError::Finished));
    });
}

/// RFC 9293 §3.6 \[MUST-12\], §3.10.5: an abort tells the peer, and what was not read is gone.
#[test]
fn an_abort_resets() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"never sent");
        talk.connection.abort(talk.now);
        assert_eq!(talk.we_send(rst(1)).reason, Reason::Reset(ResetCause::Abort));
        talk.we_send_nothing();
        assert_eq!(talk.events(), [Event::Ended(End::Aborted)]);
    });
}

/// RFC 9293 §3.10.7.4, seventh: an acknowledgment after the peer's FIN carries nothing to ignore.
#[test]
fn an_acknowledgment_after_the_peers_fin_is_no_text() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::Closing);
        talk.notes();
        talk.peer_sends(ack(2).seq(2));
        assert_eq!(talk.drops(), []);
    });
}

/// RFC 9293 §3.10.7.4, fifth, FIN-WAIT-1 STATE: a FIN that contradicts the one known does not keep the
/// acknowledgment of ours from counting.
#[test]
fn a_contradicting_fin_does_not_hide_the_acknowledgment_of_ours() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).in_state(State::FinWait1);
        talk.peer_sends(fin(50));
        talk.all();
        talk.peer_sends(fin(1).ack(2));
        talk.we_are_in(State::FinWait2);
    });
}
