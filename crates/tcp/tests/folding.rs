//! A connection that was folded and unfolded does what it would have done.

mod talk;

use aperto_tcp::{Config, Connection, Nagle, State, Watch};
use talk::stimuli::Kind;
use talk::{Talk, ack, conversation, fin, syn, syn_ack, text};

/// Folds and unfolds.
fn folded(talk: &mut Talk) {
    talk.notes();
    let record = talk.connection.fold().expect("nothing waits");
    let config = talk.connection.config().clone();
    talk.connection = Connection::unfold(config, &record);
    talk.connection.watch(Watch::On);
}

/// What can be seen from outside.
fn seen(talk: &mut Talk) -> String {
    let left = talk.all();
    let deadline = talk.connection.poll_deadline();
    let (events, drops) = (talk.events(), talk.drops());
    let state = talk.connection.state();
    let status = talk.connection.status();
    let numbers = (status.send_next, status.receive_next, status.receive_window, status.send_window);
    // After TIME-WAIT has begun nothing is timed or sent in a window any more.
    let over = matches!(state, State::TimeWait | State::Closed);
    let clock = (!over).then_some((status.srtt, status.rto, status.cwnd, status.send_mss));
    format!("{state} {left:?} {deadline:?} {events:?} {drops:?} {numbers:?} {clock:?}")
}

fn configs() -> [Config; 2] {
    let plain = Config::classroom();
    [
        Config {
            timestamps: true,
            sack: true,
            window_scaling: true,
            receive_buffer: 1 << 20,
            ..plain.clone()
        },
        plain,
    ]
}

/// In SYN-RECEIVED, after a passive open with all options that the settings allow.
fn syn_received(make: &mut dyn FnMut(Config) -> Talk, config: &Config) -> Talk {
    let mut talk = make(config.clone()).listening();
    let mut request = syn();
    request.options.sack_permitted = true;
    request.options.window_scale = Some(3);
    talk.peer_sends(request.stamps(500, 0));
    talk.we_send(syn_ack());
    talk
}

/// RFC 9293 §3.10.7.4: each kind of segment, in both states that fold, with a moment in between.
#[test]
fn folded_or_not_each_segment_does_the_same() {
    conversation(|talk| {
        for config in configs() {
            for kind in Kind::ALL {
                for state in [State::SynReceived, State::TimeWait] {
                    let mut plain = if state == State::SynReceived {
                        syn_received(talk, &config)
                    } else {
                        talk(config.clone()).in_state(state)
                    };
                    let mut twin = plain.fork();
                    for again in 0..2 {
                        plain.pass(70);
                        twin.pass(70);
                        plain.notes();
                        if twin.connection.fold().is_some() || again == 0 {
                            folded(&mut twin);
                        }
                        let segment = kind.segment(&plain);
                        plain.peer_sends(segment.clone());
                        twin.peer_sends(segment);
                        assert_eq!(seen(&mut plain), seen(&mut twin), "{state} {kind:?} {again}");
                    }
                }
            }
        }
    });
}

/// RFC 6298 §2.2: the handshake gives the first sample also where it was folded in between, and none
/// where the SYN,ACK was sent twice.
#[test]
fn the_handshake_gives_a_sample_though_it_was_folded() {
    conversation(|talk| {
        for lost in [false, true] {
            let mut plain = talk(Config::classroom()).syn_received();
            if lost {
                plain.peer_sends(syn());
                plain.we_send(syn_ack());
            }
            let mut twin = plain.fork();
            folded(&mut twin);
            for talk in [&mut plain, &mut twin] {
                talk.pass(400);
                talk.notes();
                talk.peer_sends(ack(1));
            }
            assert_eq!(plain.connection.status().srtt.is_some(), !lost);
            assert_eq!(seen(&mut plain), seen(&mut twin));
        }
    });
}

/// RFC 6298 §5.5: the SYN,ACK is repeated at the same times, and given up at the same time.
#[test]
fn folded_or_not_the_syn_ack_is_repeated_at_the_same_times() {
    conversation(|talk| {
        let mut plain = talk(Config::classroom()).syn_received();
        let mut twin = plain.fork();
        let mut rounds = 0;
        while plain.connection.poll_deadline().is_some() {
            folded(&mut twin);
            assert_eq!(plain.until_timer(), twin.until_timer());
            plain.notes();
            assert_eq!(seen(&mut plain), seen(&mut twin));
            rounds += 1;
        }
        assert_eq!(rounds, 6);
    });
}

/// The connection goes on as any other after the handshake.
#[test]
fn an_unfolded_connection_transfers_text() {
    conversation(|talk| {
        for config in configs() {
            let mut talk = syn_received(talk, &config);
            folded(&mut talk);
            talk.peer_sends(text(1, b"request").stamps(501, 1000));
            talk.we_are_in(State::Established);
            assert_eq!(talk.we_read(), b"request");
            talk.we_write(b"answer");
            talk.we_send(text(1, b"answer").ack(8));
            talk.peer_sends(fin(8).ack(7).stamps(502, 1000));
            talk.we_send(ack(9).seq(7));
            talk.we_are_in(State::CloseWait);
        }
    });
}

/// RFC 9293 §3.6.1: TIME-WAIT ends at the same time.
#[test]
fn folded_or_not_time_wait_ends_at_the_same_time() {
    conversation(|talk| {
        let mut plain = talk(Config::classroom()).in_state(State::TimeWait);
        plain.pass(10_000);
        let mut twin = plain.fork();
        folded(&mut twin);
        assert_eq!((plain.until_timer(), twin.until_timer()), (50_000, 50_000));
        plain.notes();
        assert_eq!(seen(&mut plain), seen(&mut twin));
    });
}

/// Nothing that would be lost is folded away.
#[test]
fn what_would_be_lost_is_not_folded() {
    conversation(|talk| {
        for state in State::ALL {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.notes();
            let folds = matches!(state, State::SynReceived | State::TimeWait);
            assert_eq!(talk.connection.fold().is_some(), folds, "{state}");
        }
        let mut writing = talk(Config::classroom()).syn_received();
        writing.notes();
        writing.we_write(b"text");
        assert!(writing.connection.fold().is_none());
        let mut answering = talk(Config::classroom()).in_state(State::TimeWait);
        answering.peer_sends(fin(1).ack(2));
        answering.notes();
        assert!(answering.connection.fold().is_none());
        let mut unread = talk(Config::classroom()).in_state(State::FinWait2);
        unread.peer_sends(fin(1).ack(2).carrying(b"unread"));
        unread.all();
        unread.events();
        unread.notes();
        assert!(unread.connection.fold().is_none());
        unread.we_read();
        assert!(unread.connection.fold().is_some());
        let mut hasty = talk(Config::classroom()).syn_received();
        hasty.connection.set_nagle(Nagle::Off);
        hasty.notes();
        folded(&mut hasty);
        hasty.peer_sends(ack(1));
        hasty.we_write(b"a");
        hasty.we_send(text(1, b"a"));
        hasty.we_write(b"b");
        hasty.we_send(text(2, b"b"));
    });
}
