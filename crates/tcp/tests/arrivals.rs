//! Each kind of segment in each of the eleven states: what leaves, and where the state goes.
//!
//! RFC 9293 §3.10.7, with RFC 5961 (challenges) and RFC 1337 (TIME-WAIT ignores resets).

mod talk;

use aperto_tcp::{Config, State};
use aperto_wire::tcp::Control;
use talk::conversation;
use talk::stimuli::Kind;

/// What leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Nothing,
    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`.
    Ack,
    /// `<SEQ=SEG.ACK><CTL=RST>`, with this SEG.ACK.
    Rst(u32),
    /// `<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>`.
    SynAck,
}

use Answer as A;
use Kind as K;
use State as S;

/// What the RFC asks for.
fn expected(state: State, kind: Kind) -> (Answer, State) {
    match state {
        // §3.10.7.1: there is no connection; the host answers (`answer_to_stray`).
        S::Closed => (A::Nothing, S::Closed),
        S::Listen => in_listen(kind),
        S::SynSent => in_syn_sent(kind),
        S::SynReceived => in_syn_received(kind),
        S::Established | S::FinWait1 | S::FinWait2 | S::CloseWait | S::Closing | S::LastAck | S::TimeWait => {
            otherwise(state, kind)
        }
    }
}

/// §3.10.7.2. Nothing was sent, so every acknowledgment is of something else.
fn in_listen(kind: Kind) -> (Answer, State) {
    match kind {
        K::RstExact | K::RstAck | K::RstInside | K::RstOutside => (A::Nothing, S::Listen),
        K::SynAck | K::AckCurrent | K::AckOld | K::AckOutside => (A::Rst(0), S::Listen),
        K::Text | K::TextOld | K::TextOutside => (A::Rst(0), S::Listen),
        K::Fin | K::FinWithAck | K::FinBeyondHole => (A::Rst(0), S::Listen),
        K::AckFuture => (A::Rst(1), S::Listen),
        K::Syn => (A::SynAck, S::SynReceived),
        K::TextWithoutAck | K::FinWithoutAck => (A::Nothing, S::Listen),
    }
}

/// §3.10.7.3. Only 1 is an acknowledgment of our SYN.
fn in_syn_sent(kind: Kind) -> (Answer, State) {
    match kind {
        K::RstAck => (A::Nothing, S::Closed),
        K::RstExact | K::RstInside | K::RstOutside => (A::Nothing, S::SynSent),
        K::Syn => (A::SynAck, S::SynReceived),
        K::SynAck => (A::Ack, S::Established),
        K::AckOld | K::Text | K::TextOld | K::TextOutside | K::Fin | K::FinBeyondHole => {
            (A::Rst(0), S::SynSent)
        }
        K::AckFuture => (A::Rst(2), S::SynSent),
        K::AckCurrent | K::AckOutside | K::FinWithAck => (A::Nothing, S::SynSent),
        K::TextWithoutAck | K::FinWithoutAck => (A::Nothing, S::SynSent),
    }
}

/// §3.10.7.4, SYN-RECEIVED STATE, after a passive open.
fn in_syn_received(kind: Kind) -> (Answer, State) {
    match kind {
        K::RstExact | K::RstAck | K::Syn | K::SynAck => (A::Nothing, S::Listen),
        K::RstInside | K::AckOutside | K::TextOld | K::TextOutside => (A::Ack, S::SynReceived),
        K::RstOutside | K::TextWithoutAck | K::FinWithoutAck => (A::Nothing, S::SynReceived),
        K::AckCurrent => (A::Nothing, S::Established),
        K::AckOld | K::Text | K::Fin | K::FinBeyondHole => (A::Rst(0), S::SynReceived),
        K::AckFuture => (A::Rst(2), S::SynReceived),
        K::FinWithAck => (A::Ack, S::CloseWait),
    }
}

/// §3.10.7.4, the synchronized states.
fn otherwise(state: State, kind: Kind) -> (Answer, State) {
    let acknowledged = match state {
        S::FinWait1 => S::FinWait2,
        S::Closing => S::TimeWait,
        S::LastAck => S::Closed,
        other => other,
    };
    let receives = state.can_receive();
    match kind {
        // RFC 1337: nobody ends TIME-WAIT early.
        K::RstExact | K::RstAck | K::RstInside if state == S::TimeWait => (A::Nothing, state),
        K::RstExact | K::RstAck => (A::Nothing, S::Closed),
        K::RstInside | K::Syn | K::SynAck => (A::Ack, state),
        K::RstOutside | K::TextWithoutAck | K::FinWithoutAck | K::AckOld => (A::Nothing, state),
        K::AckFuture | K::AckOutside | K::TextOld | K::TextOutside => (A::Ack, state),
        K::AckCurrent => (A::Nothing, acknowledged),
        // A delayed acknowledgment; after the peer's FIN, nothing.
        K::Text => (A::Nothing, state),
        K::FinBeyondHole if receives => (A::Ack, state),
        K::Fin if state == S::Established => (A::Ack, S::CloseWait),
        K::Fin if state == S::FinWait1 => (A::Ack, S::Closing),
        K::FinWithAck if state == S::Established => (A::Ack, S::CloseWait),
        K::FinWithAck if state == S::FinWait1 => (A::Ack, S::TimeWait),
        K::Fin | K::FinWithAck if state == S::FinWait2 => (A::Ack, S::TimeWait),
        // A FIN behind the peer's FIN is not its own.
        K::Fin | K::FinBeyondHole => (A::Nothing, state),
        K::FinWithAck => (A::Nothing, acknowledged),
    }
}

/// RFC 9293 §3.10.7: the table.
#[test]
fn each_kind_of_segment_in_each_state_does_what_the_rfc_says() {
    conversation(|talk| {
        let mut cells = 0;
        for state in State::ALL {
            for kind in Kind::ALL {
                let mut talk = talk(Config::classroom()).in_state(state);
                let (answer, to) = expected(state, kind);
                let segment = kind.segment(&talk);
                talk.peer_sends(segment);
                let left = talk.all();
                let status = talk.connection.status();
                let got = match &left[..] {
                    [] => A::Nothing,
                    [one] if one.paper.control == Control::RST => A::Rst(one.paper.seq),
                    [one] if one.paper.control == Control::SYN | Control::ACK => {
                        // The peer's SYN stood at 9.
                        assert_eq!((one.paper.seq, one.paper.ack), (0, 10));
                        A::SynAck
                    }
                    [one] if one.paper.control == Control::ACK => {
                        let numbers =
                            (status.send_next.since(status.iss), status.receive_next.since(status.irs));
                        // The harness counts from the peer's first SYN, STATUS from the one that it has.
                        let theirs =
                            if kind == K::SynAck && state == S::SynSent { numbers.1 + 9 } else { numbers.1 };
                        assert_eq!((one.paper.seq, one.paper.ack), (numbers.0, theirs), "{state} {kind:?}");
                        A::Ack
                    }
                    other => panic!("{state} {kind:?}: {other:?}"),
                };
                assert_eq!((got, talk.connection.state()), (answer, to), "{state} {kind:?}");
                cells += 1;
            }
        }
        assert_eq!(cells, 11 * 18);
    });
}

/// RFC 9293 §3.10.7: whatever arrives, a clone that sees it too does the same: nothing is hidden.
#[test]
fn the_same_segment_does_the_same_twice() {
    conversation(|talk| {
        for state in State::ALL {
            for kind in Kind::ALL {
                let mut one = talk(Config::classroom()).in_state(state);
                let mut other = one.fork();
                let segment = kind.segment(&one);
                one.peer_sends(segment.clone());
                other.peer_sends(segment);
                let shape =
                    |talk: &mut talk::Talk| format!("{:?} {:?}", talk.all(), talk.connection.status());
                assert_eq!(shape(&mut one), shape(&mut other), "{state} {kind:?}");
            }
        }
    });
}
