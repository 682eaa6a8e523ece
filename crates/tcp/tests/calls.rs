//! Each call in each of the eleven states.
//!
//! RFC 9293 §3.10.1 to §3.10.6.

mod talk;

use aperto_tcp::{CloseError, Config, End, Push, Reason, ReceiveError, ResetCause, SendError, State, Urgent};
use aperto_wire::tcp::Control;
use talk::{Talk, conversation, syn, text};

use State as S;

/// RFC 9293 §3.10.1: OPEN on a listener asks actively; a connection that exists is left alone.
#[test]
fn open_turns_a_listener_active_and_disturbs_no_other_connection() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.connection.open_listening(talk.now);
            if state == S::Listen {
                talk.we_are_in(S::SynSent);
                assert_eq!(talk.we_send(syn()).reason, Reason::ActiveOpen);
            } else {
                talk.we_are_in(state);
                talk.we_send_nothing();
            }
        }
    });
}

/// RFC 9293 §3.10.2: what SEND answers in each state, and where it leads.
#[test]
fn send_in_each_state() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            let taken = talk.connection.send(talk.now, b"text", Push::Yes, Urgent::No);
            let (expected, to) = match state {
                S::Closed => (Err(SendError::Ended(End::Closed)), state),
                S::Listen => (Ok(4), S::SynSent),
                S::SynSent | S::SynReceived | S::Established | S::CloseWait => (Ok(4), state),
                S::FinWait1 | S::FinWait2 | S::Closing | S::LastAck | S::TimeWait => {
                    (Err(SendError::Closing), state)
                }
            };
            assert_eq!(taken, expected, "{state}");
            talk.we_are_in(to);
            match state {
                S::Listen => drop(talk.we_send(syn())),
                S::Established => drop(talk.we_send(text(1, b"text"))),
                S::CloseWait => drop(talk.we_send(text(1, b"text").ack(2))),
                _ => talk.we_send_nothing(),
            }
        }
    });
}

/// RFC 9293 §3.10.2, SYN-SENT and SYN-RECEIVED STATE: what was queued is sent once the connection is open.
#[test]
fn what_was_queued_before_is_sent_once_open() {
    conversation(|talk| {
        let mut active = talk(Config::classroom()).syn_sent();
        active.we_write(b"early");
        active.peer_sends(talk::syn_ack());
        let sent: Vec<Vec<u8>> = active.all().into_iter().map(|l| l.paper.text).collect();
        assert_eq!(sent.concat(), b"early");
        let mut passive = talk(Config::classroom()).syn_received();
        passive.we_write(b"early");
        passive.peer_sends(talk::ack(1));
        passive.we_send(text(1, b"early"));
    });
}

/// RFC 9293 §3.10.3: what RECEIVE answers in each state with nothing to read.
#[test]
fn receive_in_each_state_with_nothing_to_read() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            let expected = match state {
                S::Listen | S::SynSent | S::SynReceived | S::Established | S::FinWait1 | S::FinWait2 => Ok(0),
                S::Closed | S::CloseWait | S::Closing | S::LastAck | S::TimeWait => {
                    Err(ReceiveError::Finished)
                }
            };
            assert_eq!(talk.connection.receive(talk.now, &mut [0; 9]), expected, "{state}");
            talk.we_are_in(state);
            talk.we_send_nothing();
        }
    });
}

/// RFC 9293 §3.10.3: what arrived before the peer's FIN is delivered in each of the later states.
#[test]
fn receive_delivers_what_arrived_before_the_peers_fin() {
    conversation(|talk| {
        for state in [S::CloseWait, S::Closing, S::LastAck, S::TimeWait] {
            let mut talk = if state == S::CloseWait || state == S::LastAck {
                talk(Config::classroom()).established()
            } else {
                talk(Config::classroom()).in_state(S::FinWait1)
            };
            let covers = if state == S::TimeWait { 2 } else { 1 };
            talk.peer_sends(text(1, b"abc").ack(covers).with(Control::FIN));
            if state == S::LastAck {
                talk.we_close();
                talk.all();
            }
            talk.we_are_in(state);
            assert_eq!(talk.we_read(), b"abc");
            assert_eq!(talk.connection.receive(talk.now, &mut [0]), Err(ReceiveError::Finished));
        }
    });
}

/// RFC 9293 §3.10.4: what CLOSE answers in each state, where it leads and what leaves.
#[test]
fn close_in_each_state() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            let answer = talk.connection.close(talk.now);
            let fins = talk.all().iter().filter(|l| l.paper.control.fin()).count();
            let (expected, to, leaves) = match state {
                S::Listen | S::SynSent => (Ok(()), S::Closed, 0),
                // The FIN follows the SYN when that is acknowledged.
                S::SynReceived => (Ok(()), S::FinWait1, 0),
                S::Established => (Ok(()), S::FinWait1, 1),
                S::CloseWait => (Ok(()), S::LastAck, 1),
                S::Closed | S::FinWait1 | S::FinWait2 | S::Closing | S::LastAck | S::TimeWait => {
                    (Err(CloseError::Closing), state, 0)
                }
            };
            assert_eq!((answer, talk.connection.state(), fins), (expected, to, leaves), "{state}");
        }
    });
}

/// RFC 9293 §3.10.5: where ABORT sends a reset, `<SEQ=SND.NXT><CTL=RST>`, and where it need not.
#[test]
fn abort_in_each_state() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            let next = talk.connection.status();
            let next = next.send_next.since(next.iss);
            talk.connection.abort(talk.now);
            talk.we_are_in(S::Closed);
            match state {
                S::SynReceived | S::Established | S::FinWait1 | S::FinWait2 | S::CloseWait => {
                    let left = talk.we_send(talk::rst(next));
                    assert_eq!(left.reason, Reason::Reset(ResetCause::Abort), "{state}");
                }
                S::Closed | S::Listen | S::SynSent | S::Closing | S::LastAck | S::TimeWait => {}
            }
            talk.we_send_nothing();
            talk.no_timer_runs();
            let end = if state == S::Closed { End::Closed } else { End::Aborted };
            assert_eq!(talk.connection.end(), Some(end), "{state}");
        }
    });
}

/// RFC 9293 §3.10.6: STATUS tells the state and changes nothing.
#[test]
fn status_in_each_state() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            let status = talk.connection.status();
            assert_eq!(status.state, state);
            assert_eq!(status, talk.connection.status());
            talk.we_send_nothing();
        }
    });
}

/// RFC 9293 §3.10: after the end every call says that there is no connection, whatever ended it.
#[test]
fn after_the_end_every_call_says_so() {
    conversation(|talk| {
        let check = |mut talk: Talk, end: End| {
            assert_eq!(talk.connection.end(), Some(end));
            let sent = talk.connection.send(talk.now, b"x", Push::Yes, Urgent::No);
            assert_eq!(sent, Err(SendError::Ended(end)));
            assert_eq!(talk.connection.receive(talk.now, &mut [0]), Err(ReceiveError::Ended(end)));
            assert_eq!(talk.connection.close(talk.now), Err(CloseError::Closing));
            talk.connection.abort(talk.now);
            talk.connection.release(talk.now);
            talk.all();
            talk.no_timer_runs();
        };
        let mut aborted = talk(Config::classroom()).established();
        aborted.connection.abort(aborted.now);
        check(aborted, End::Aborted);
        let mut reset = talk(Config::classroom()).established();
        reset.peer_sends(talk::rst(1));
        check(reset, End::Reset);
        let mut refused = talk(Config::classroom()).syn_sent();
        refused.peer_sends(talk::rst(0).ack(1));
        check(refused, End::Refused);
        let mut silent = talk(Config::classroom()).syn_sent();
        silent.pass(3_600_000);
        check(silent, End::TimedOut);
    });
}
