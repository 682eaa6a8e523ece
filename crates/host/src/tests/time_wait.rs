//! Connections in TIME-WAIT and what may follow them.

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header};

use super::segments::{ack, segment, syn};
use super::talk::{Talk, Tester, config, socket};
use crate::{About, Config, ConnectError, ConnectionId, ListenerId};

const FROM: &str = "10.0.0.2:5555";
const TO: &str = "10.0.0.1:80";

fn sends(tester: &mut Tester, header: &Header) -> std::vec::Vec<Header> {
    let of = |about| match about {
        About::Tcp { header, .. } => header,
        _ => panic!("a segment"),
    };
    let answers = tester.sends(&segment(socket(FROM), socket(TO), header, b""));
    answers.into_iter().map(|(_, about)| of(about)).collect()
}

/// A connection that the tester opened and the host closed first: TIME-WAIT. The tester's next
/// number is 102.
fn in_time_wait(tester: &mut Tester) -> (ListenerId, ConnectionId, Header) {
    let listener = tester.host.listen(socket(TO), 4).unwrap();
    let syn_ack = sends(tester, &syn(100))[0];
    sends(tester, &ack(SeqNumber::new(101), syn_ack.seq + 1));
    let server = tester.host.accept(listener).unwrap().unwrap();
    tester.host.close(tester.now, server).unwrap();
    let fin = tester.answers().pop().map(|(_, about)| about);
    assert!(matches!(fin, Some(About::Tcp { header, .. }) if header.control.fin()));
    let fin = Header { control: Control::FIN | Control::ACK, ..ack(SeqNumber::new(101), syn_ack.seq + 2) };
    assert_eq!(sends(tester, &fin).len(), 1);
    tester.events();
    assert_eq!(tester.host.status(server).unwrap().state, State::TimeWait);
    (listener, server, syn_ack)
}

#[test]
fn a_connection_in_time_wait_is_a_record_that_still_answers() {
    let mut tester = Tester::new();
    let (_, server, syn_ack) = in_time_wait(&mut tester);
    assert!(tester.host.connection(server).is_none());
    // The peer has not seen our last acknowledgment and sends its FIN again.
    let fin = Header { control: Control::FIN | Control::ACK, ..ack(SeqNumber::new(101), syn_ack.seq + 2) };
    let answers = sends(&mut tester, &fin);
    assert_eq!((answers.len(), answers[0].ack.value()), (1, 102));
    // RFC 1337: a reset does not end it.
    sends(&mut tester, &Header { control: Control::RST, seq: SeqNumber::new(102), ..Header::default() });
    assert_eq!(tester.host.status(server).unwrap().state, State::TimeWait);
    tester.wait(Duration::from_secs(61));
    assert_eq!(tester.host.status(server).unwrap().state, State::Closed);
    tester.host.release(tester.now, server).unwrap();
    tester.answers();
    assert_eq!(tester.host.connections().count(), 0);
}

/// RFC 9293 §3.6.1 [MAY-2], RFC 6191 §2: a SYN beyond the last number begins a new connection, whose
/// own number is beyond the old one's; an older SYN is only acknowledged.
#[test]
fn a_newer_syn_begins_anew_and_an_older_one_does_not() {
    let mut tester = Tester::new();
    let (listener, old, syn_ack) = in_time_wait(&mut tester);
    let answers = sends(&mut tester, &syn(50));
    assert_eq!((answers.len(), answers[0].control, answers[0].ack.value()), (1, Control::ACK, 102));
    let answers = sends(&mut tester, &syn(102));
    assert_eq!((answers.len(), answers[0].control), (1, Control::SYN | Control::ACK));
    assert!(answers[0].seq.after(syn_ack.seq + 1) && answers[0].ack.value() == 103);
    sends(&mut tester, &ack(SeqNumber::new(103), answers[0].seq + 1));
    let new = tester.host.accept(listener).unwrap().unwrap();
    assert_ne!(new, old);
    // The application may still hold the old one; it is in nobody's way.
    assert_eq!(tester.host.status(old).unwrap().state, State::TimeWait);
    assert_eq!(tester.host.status(new).unwrap().state, State::Established);
}

#[test]
fn a_fixed_initial_number_still_goes_beyond_the_old_connection() {
    let fixed = crate::FixedIsn { active: SeqNumber::new(1), passive: SeqNumber::new(9000) };
    let mut tester = Tester::with(Config { fixed_isn: Some(fixed), ..config(1) });
    in_time_wait(&mut tester);
    let answers = sends(&mut tester, &syn(102));
    // The old one ended at 9002: SYN, FIN, and the next.
    assert_eq!(answers[0].seq.value(), 9002 + 65_536 + 1);
}

#[test]
fn the_sockets_of_a_connection_in_time_wait_are_not_free_for_an_open() {
    let mut talk = Talk::new();
    let (client, server) = talk.connected("10.0.0.2:80");
    let local = talk.a.endpoints(client).unwrap().local;
    talk.a.release(talk.now, client).unwrap();
    talk.run_ms(100);
    talk.b.release(talk.now, server).unwrap();
    talk.run_ms(100);
    let again = talk.a.connect(talk.now, Some(local), socket("10.0.0.2:80"));
    assert_eq!(again, Err(ConnectError::AlreadyExists));
    talk.run(Duration::from_secs(61));
    assert!(talk.a.connect(talk.now, Some(local), socket("10.0.0.2:80")).is_ok());
}

#[test]
fn no_more_connections_wait_than_allowed_and_the_oldest_gives_way() {
    let mut talk = Talk::with(Config { max_time_wait: 10, ..config(1) }, config(2));
    for _ in 0..30 {
        let (client, server) = talk.connected("10.0.0.2:80");
        talk.a.release(talk.now, client).unwrap();
        talk.run_ms(100);
        talk.b.release(talk.now, server).unwrap();
        talk.run_ms(100);
        assert!(talk.a.connections().count() <= 10);
    }
    assert_eq!(talk.a.connections().count(), 10);
    assert_eq!((talk.a.tcp.lingering_count, talk.a.tcp.orphans), (10, 0));
}
