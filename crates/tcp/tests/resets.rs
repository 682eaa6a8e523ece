//! Resets, and what strangers may try.
//!
//! RFC 9293 §3.5.2, §3.5.3, §3.10.7.1, §3.10.7.4 (second, fourth, fifth); RFC 5961.

mod talk;

use aperto_tcp::{
    AckCause, ChallengeCause, Config, DropReason, End, Event, Reason, ResetCause, State, answer_to_stray,
};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header, Segment};
use talk::{Talk, ack, conversation, rst, syn, text};

/// The states of §3.10.7.4 in which both sides know each other's numbers, but TIME-WAIT (RFC 1337).
const SYNCHRONIZED: [State; 6] =
    [State::Established, State::FinWait1, State::FinWait2, State::CloseWait, State::Closing, State::LastAck];

/// RCV.NXT and SND.NXT, relative.
fn next(talk: &Talk) -> (u32, u32) {
    let status = talk.connection.status();
    (status.receive_next.since(status.irs), status.send_next.since(status.iss))
}

/// RFC 9293 §3.10.7.1: the answer to each kind of segment that belongs to no connection.
#[test]
fn a_segment_of_no_connection_is_reset_with_the_numbers_of_the_rfc() {
    // Bits, SEG.SEQ, SEG.ACK, text; and the answer's SEQ, ACK and bits.
    let rst_ack = Control::RST | Control::ACK;
    let table = [
        (Control::SYN, 100, 0, 0, Some((0, 101, rst_ack))),
        (Control::SYN, u32::MAX, 0, 5, Some((0, 5, rst_ack))),
        (Control::FIN, 100, 0, 10, Some((0, 111, rst_ack))),
        (Control::NONE, 100, 0, 0, Some((0, 100, rst_ack))),
        (Control::ACK, 100, 700, 0, Some((700, 0, Control::RST))),
        (Control::SYN | Control::ACK, 100, 700, 0, Some((700, 0, Control::RST))),
        (Control::FIN | Control::ACK, 100, 700, 9, Some((700, 0, Control::RST))),
        (Control::RST, 100, 0, 0, None),
        (rst_ack, 100, 700, 0, None),
        (Control::RST | Control::SYN, 100, 0, 0, None),
    ];
    for (control, seq, ack, length, expected) in table {
        let header =
            Header { seq: SeqNumber::new(seq), ack: SeqNumber::new(ack), control, ..Header::default() };
        let answer = answer_to_stray(&Segment { header, payload: &vec![0; length] });
        let shape = answer.map(|(h, reason)| {
            assert_eq!(reason, Reason::Reset(ResetCause::NoConnection));
            (h.seq.value(), h.ack.value(), h.control)
        });
        assert_eq!(shape, expected, "{control}");
    }
}

/// RFC 9293 §3.10.7.4, second, RFC 5961 §3.2: outside the window nothing, inside a challenge, exactly at
/// RCV.NXT the end.
#[test]
fn a_reset_counts_only_at_exactly_the_next_number() {
    conversation(|talk| {
        for state in SYNCHRONIZED {
            let mut talk = talk(Config::classroom()).in_state(state);
            let (theirs, ours) = next(&talk);
            let window = talk.connection.status().receive_window;
            for seq in [theirs - 1, theirs + window, theirs + 1_000_000] {
                talk.peer_sends(rst(seq));
                talk.we_send_nothing();
            }
            talk.peer_sends(rst(theirs + window - 1));
            let left = talk.we_send(ack(theirs).seq(ours));
            assert!(matches!(left.reason, Reason::Ack(AckCause::Challenge(ChallengeCause::Reset { .. }))));
            talk.we_are_in(state);
            talk.peer_sends(rst(theirs));
            talk.we_are_in(State::Closed);
            talk.we_send_nothing();
            talk.no_timer_runs();
            assert_eq!(talk.events().last(), Some(&Event::Ended(End::Reset)), "{state}");
        }
    });
}

/// RFC 9293 §3.5.3 \[SHLD-2\]: a reset may carry text that says why.
#[test]
fn a_reset_may_carry_text() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(rst(1).carrying(b"going down"));
        talk.we_are_in(State::Closed);
        assert_eq!(talk.connection.readable(), 0);
    });
}

/// RFC 9293 §3.10.7.4, second: what was not read is thrown away with the connection.
#[test]
fn a_reset_throws_away_what_was_not_read() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"unread"));
        talk.peer_sends(rst(7));
        assert_eq!(talk.we_read(), b"");
        assert_eq!(talk.events().last(), Some(&Event::Ended(End::Reset)));
    });
}

/// RFC 9293 §3.10.7.4, fourth, RFC 5961 §4.2: a SYN gets a challenge wherever it stands, and nothing
/// that comes with it counts.
#[test]
fn a_syn_on_an_open_connection_is_challenged_wherever_it_stands() {
    conversation(|talk| {
        for state in SYNCHRONIZED.into_iter().chain([State::TimeWait]) {
            let (theirs, _) = next(&talk(Config::classroom()).in_state(state));
            for seq in [0, theirs, theirs + 5, theirs + 1_000_000] {
                let mut talk = talk(Config::classroom()).in_state(state);
                let (theirs, ours) = next(&talk);
                talk.peer_sends(syn().seq(seq).carrying(b"text").with(Control::FIN));
                let left = talk.we_send(ack(theirs).seq(ours));
                assert_eq!(
                    left.reason,
                    Reason::Ack(AckCause::Challenge(ChallengeCause::Syn)),
                    "{state} {seq}"
                );
                talk.we_are_in(state);
                assert_eq!(talk.connection.readable(), 0);
            }
        }
    });
}

/// RFC 5961 §7: challenges are rationed, for each connection by itself.
#[test]
fn challenges_are_rationed() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        let mut challenges = 0;
        for n in 0..1000 {
            talk.peer_sends(rst(2 + n));
            challenges += talk.all().len();
            talk.pass(1);
        }
        assert_eq!(challenges, 2, "one in half a second");
    });
}

/// RFC 5961 §5.2, RFC 9293 §3.10.7.4 \[MAY-12\]: an acknowledgment older than the largest window, or than
/// anything ever acknowledged, is challenged, and the text that came with it is not believed.
#[test]
fn text_with_an_acknowledgment_that_is_too_old_is_not_believed() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 10_000]);
        talk.all();
        talk.peer_sends(ack(10_001));
        // 10,001 numbers have been acknowledged, the SYN's among them, and the window is larger.
        for (number, believed) in
            [(10_001, true), (9000, true), (0, true), (u32::MAX, false), (1 << 31, false)]
        {
            let mut again = talk.fork();
            again.peer_sends(text(1, b"text").ack(number));
            assert_eq!(again.connection.readable() > 0, believed, "{number}");
            if !believed {
                again.we_send(ack(1).seq(10_001));
            }
        }
        // In flight, too: SND.UNA - 2^30 (the case of CVE-2023-52881).
        talk.we_write(&[7; 1000]);
        talk.all();
        talk.peer_sends(text(1, b"text").ack(10_001u32.wrapping_sub(1 << 30)));
        assert_eq!(talk.connection.readable(), 0);
        assert_eq!(talk.drops(), [DropReason::AckTooOld]);
    });
}

/// RFC 5961 §5.2: the bound is the largest window that the peer ever offered.
#[test]
fn the_oldest_acknowledgment_is_a_window_old() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_sent();
        talk.peer_sends(talk::syn_ack().window(3000));
        talk.all();
        talk.we_write(&[7; 30_000]);
        for n in 1..=30 {
            talk.all();
            talk.peer_sends(ack(1 + 1000 * n).window(3000));
        }
        talk.drops();
        talk.peer_sends(text(1, b"a").ack(27_001).window(3000));
        assert_eq!(talk.connection.readable(), 1);
        talk.peer_sends(text(2, b"b").ack(27_000).window(3000));
        assert_eq!(talk.connection.readable(), 1);
        assert_eq!(talk.drops(), [DropReason::AckTooOld]);
    });
}

/// RFC 9293 §3.5.2: no reset is ever answered by anything but a challenge, and by no reset.
#[test]
fn a_reset_is_never_answered_by_a_reset() {
    conversation(|talk| {
        for state in State::ALL {
            for seq in [0, 1, 2, 3, 50, 1_000_000] {
                for number in [None, Some(0), Some(1), Some(2), Some(9)] {
                    let mut talk = talk(Config::classroom()).in_state(state);
                    talk.peer_sends(number.map_or(rst(seq), |number| rst(seq).ack(number)));
                    assert!(talk.all().iter().all(|l| !l.paper.control.rst()), "{state} {seq} {number:?}");
                }
            }
        }
    });
}
