//! Passive opens, their queues and what a stranger can do to them.

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header};

use super::segments::{ack, segment, syn};
use super::talk::{Side, Talk, Tester, config, ip, socket};
use crate::{About, Config, DropReason, Event, ListenError};

/// RFC 9293 §3.9.1.1 [MUST-41]: a second passive open is an error and harms nobody.
#[test]
fn a_port_that_somebody_listens_on_is_not_given_twice() {
    let mut talk = Talk::new();
    let first = talk.b.listen(socket("10.0.0.2:80"), 4).unwrap();
    for local in ["10.0.0.2:80", "0.0.0.0:80", "[::]:80"] {
        assert_eq!(talk.b.listen(socket(local), 4), Err(ListenError::InUse), "{local}");
    }
    assert!(talk.b.listen(socket("[2001:db8::2]:80"), 4).is_ok());
    assert_eq!(talk.b.listen(socket("10.0.0.2:0"), 4), Err(ListenError::NoPort));
    assert_eq!(talk.b.listen(socket("10.0.0.9:81"), 4), Err(ListenError::NotOurAddress(ip("10.0.0.9"))));
    talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    talk.run_ms(100);
    assert!(talk.b.accept(first).unwrap().is_some());
}

/// RFC 9293 §3.9.1.1 [MUST-42]: one may listen on a port while connections of it are being opened.
#[test]
fn a_port_can_be_listened_on_while_a_connection_of_it_opens() {
    let mut talk = Talk::new();
    talk.a.connect(talk.now, Some(socket("10.0.0.1:80")), socket("10.0.0.2:80")).unwrap();
    assert!(talk.a.listen(socket("10.0.0.1:80"), 1).is_ok());
}

#[test]
fn one_event_tells_of_all_that_wait_until_it_is_looked_at() {
    let mut talk = Talk::new();
    let listener = talk.listen(8);
    for _ in 0..3 {
        talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    }
    talk.run_ms(100);
    assert_eq!(talk.events_b.iter().filter(|event| **event == Event::Incoming(listener)).count(), 1);
    assert_eq!(core::iter::from_fn(|| talk.b.accept(listener).unwrap()).count(), 3);
    assert_eq!(talk.b.accept(listener), Ok(None));
}

/// Nobody accepts: what is beyond the backlog is neither answered nor refused, and served later.
#[test]
fn connections_beyond_the_backlog_wait_and_are_served_when_there_is_room() {
    let mut talk = Talk::new();
    let listener = talk.listen(5);
    let clients: std::vec::Vec<_> =
        (0..20).map(|_| talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap()).collect();
    talk.run(Duration::from_secs(5));
    let waiting =
        |talk: &Talk| talk.b.connections().filter(|(_, _, state)| *state == State::Established).count();
    assert_eq!(waiting(&talk), 5);
    assert_eq!(
        talk.count(|side, about| side == Side::B
            && matches!(about, About::Tcp { header, .. } if header.control.rst())),
        0
    );
    let mut served = 0;
    for _ in 0..200 {
        while talk.b.accept(listener).unwrap().is_some() {
            served += 1;
        }
        talk.run_ms(500);
    }
    let established =
        clients.iter().filter(|client| talk.a.status(**client).unwrap().state == State::Established);
    assert_eq!((served, established.count()), (20, 20));
}

#[test]
fn a_closed_listener_refuses_and_resets_those_who_wait() {
    let mut talk = Talk::new();
    let listener = talk.listen(5);
    let waiting = talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    talk.run_ms(100);
    talk.b.close_listener(talk.now, listener).unwrap();
    let late = talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
    talk.run_ms(100);
    assert_eq!(talk.a.status(waiting).unwrap().state, State::Closed);
    assert_eq!(talk.a.status(late).unwrap().state, State::Closed);
    assert!(talk.b.accept(listener).is_err() && talk.b.close_listener(talk.now, listener).is_err());
    assert_eq!(talk.b.connections().count(), 0);
}

#[test]
fn a_connection_that_is_reset_before_it_is_accepted_leaves_its_place() {
    let mut talk = Talk::new();
    let listener = talk.listen(2);
    for _ in 0..50 {
        let client = talk.a.connect(talk.now, None, socket("10.0.0.2:80")).unwrap();
        talk.run_ms(100);
        talk.a.abort(talk.now, client).unwrap();
        talk.run_ms(100);
    }
    assert_eq!((talk.b.connections().count(), talk.b.accept(listener)), (0, Ok(None)));
}

const FROM: &str = "10.0.0.2:5555";
const TO: &str = "10.0.0.1:80";

fn sends(tester: &mut Tester, header: &Header, text: &[u8]) -> std::vec::Vec<Header> {
    let answers = tester.sends(&segment(socket(FROM), socket(TO), header, text));
    let of = |about| match about {
        About::Tcp { header, payload_length: 0, .. } => header,
        _ => panic!("an answer with text: {about:?}"),
    };
    answers.into_iter().map(|(_, about)| of(about)).collect()
}

/// RFC 9293 §3.10.7.2: what a listener does with everything that is no request.
#[test]
fn a_listener_answers_only_what_it_must() {
    let mut tester = Tester::new();
    tester.host.listen(socket(TO), 4).unwrap();
    let bits =
        |bits| Header { seq: SeqNumber::new(7), ack: SeqNumber::new(9), control: bits, ..Header::default() };
    for silent in [
        Control::NONE,
        Control::FIN,
        Control::FIN | Control::PSH | Control::URG,
        Control::SYN | Control::FIN,
        Control::SYN | Control::RST,
        Control::RST,
        Control::RST | Control::ACK,
        Control::from_bits(0xff),
    ] {
        assert_eq!(sends(&mut tester, &bits(silent), b""), [], "{silent}");
    }
    // An acknowledgment of nothing: <SEQ=SEG.ACK><CTL=RST>.
    let answers = sends(&mut tester, &bits(Control::ACK), b"");
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].seq.value(), answers[0].control), (9, Control::RST));
    let answers = sends(&mut tester, &bits(Control::SYN | Control::ACK), b"");
    assert_eq!((answers[0].seq.value(), answers[0].control), (9, Control::RST));
    assert_eq!(tester.host.connections().count(), 0);
}

/// RFC 9293 §3.10.7.1: what is answered where nobody listens.
#[test]
fn a_stranger_gets_the_reset_that_he_will_believe() {
    let mut tester = Tester::new();
    let answers = sends(&mut tester, &Header { control: Control::SYN, ..syn(100) }, b"");
    // No ACK: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>.
    assert_eq!((answers[0].seq.value(), answers[0].ack.value()), (0, 101));
    assert_eq!(answers[0].control, Control::RST | Control::ACK);
    let answers = sends(&mut tester, &ack(SeqNumber::new(5), SeqNumber::new(77)), b"text");
    assert_eq!((answers[0].seq.value(), answers[0].control), (77, Control::RST));
    assert_eq!(sends(&mut tester, &Header { control: Control::RST, ..syn(100) }, b""), []);
}

/// RFC 9293 §3.5.2 and §3.10.7.4: all 32 combinations of bits that we do not know get a SYN,ACK.
#[test]
fn bits_that_we_do_not_know_keep_nobody_out() {
    for bits in 0..32_u8 {
        let mut tester = Tester::new();
        tester.host.listen(socket(TO), 4).unwrap();
        let mut frame = segment(socket(FROM), socket(TO), &syn(100), b"");
        // Four reserved bits beside the data offset; ECE and CWR go together with the fifth.
        frame[20 + 12] |= bits & 0x0f;
        frame[20 + 13] |= if bits & 0x10 == 0 { 0 } else { 0xc0 };
        fix_checksum(&mut frame);
        let answers = tester.sends(&frame);
        let is_syn_ack = |about: &About| matches!(about, About::Tcp { header, .. } if header.control == Control::SYN | Control::ACK);
        assert!(answers.len() == 1 && is_syn_ack(&answers[0].1), "{bits}");
    }
}

fn fix_checksum(frame: &mut [u8]) {
    use aperto_wire::checksum::PseudoHeader;
    use aperto_wire::ip::Protocol;
    frame[36..38].fill(0);
    let pseudo = PseudoHeader::new(ip("10.0.0.2"), ip("10.0.0.1"), Protocol::TCP).unwrap();
    let checksum = pseudo.with_length(frame.len() - 20).and(&frame[20..]).finish();
    frame[36..38].copy_from_slice(&checksum.to_be_bytes());
}

/// Text with a SYN is not believed before the handshake is over, and never answered with text.
#[test]
fn text_in_a_syn_waits_for_the_handshake() {
    let mut tester = Tester::new();
    let listener = tester.host.listen(socket(TO), 4).unwrap();
    let answers = sends(&mut tester, &syn(100), b"GET /");
    assert_eq!((answers.len(), answers[0].ack.value()), (1, 101));
    assert_eq!(tester.host.accept(listener), Ok(None));
    sends(&mut tester, &ack(SeqNumber::new(101), answers[0].seq + 1), b"GET /");
    let server = tester.host.accept(listener).unwrap().unwrap();
    let mut octets = [0; 16];
    assert_eq!(tester.host.receive(tester.now, server, &mut octets), Ok(5));
}

/// A SYN that is never followed up: six answers at most, then nothing is left of it.
#[test]
fn a_half_open_connection_ends_by_itself() {
    let mut tester = Tester::new();
    tester.host.listen(socket(TO), 4).unwrap();
    let first = sends(&mut tester, &syn(100), b"").len();
    assert!(matches!(tester.host.connections().next(), Some((_, _, State::SynReceived))));
    let more = tester.wait(Duration::from_secs(600)).len();
    assert!(first == 1 && (3..=5).contains(&more), "{more}");
    assert_eq!(tester.host.connections().count(), 0);
    assert!(tester.host.wheel.is_empty());
}

/// RFC 9293 §3.5.3 and Figure 5, note 1: the SYN's sender takes it back.
#[test]
fn a_reset_ends_a_half_open_connection_at_once() {
    let mut tester = Tester::new();
    tester.host.listen(socket(TO), 4).unwrap();
    sends(&mut tester, &syn(100), b"");
    assert_eq!(
        sends(
            &mut tester,
            &Header { seq: SeqNumber::new(101), control: Control::RST, ..Header::default() },
            b""
        ),
        []
    );
    assert_eq!(tester.host.connections().count(), 0);
}

/// RFC 4987: 20,000 SYNs from everywhere. Memory stays bounded, the newest are kept, and an honest
/// client that answers gets in.
#[test]
fn a_flood_of_syns_keeps_nobody_out_and_takes_no_more_memory_than_allowed() {
    let mut tester = Tester::with(Config { max_half_open: 1000, ..config(1) });
    let listener = tester.host.listen(socket(TO), 4).unwrap();
    tester.host.watch(crate::Watch::Off);
    for number in 0..20_000_u32 {
        let from = core::net::Ipv4Addr::from_bits(0xc000_0200 + number).into();
        let from = core::net::SocketAddr::new(from, 1024 + (number % 60_000) as u16);
        tester.sends(&segment(from, socket(TO), &syn(number), b""));
        assert!(tester.host.tcp.entries.len() <= 500, "a listener has half of what is allowed");
    }
    assert!(tester.host.wheel.len() <= 500);
    let answers = sends(&mut tester, &syn(100), b"");
    let answers = if answers.is_empty() { std::vec![syn_ack_of(&mut tester)] } else { answers };
    sends(&mut tester, &ack(SeqNumber::new(101), answers[0].seq + 1), b"");
    assert!(tester.host.accept(listener).unwrap().is_some());
}

fn syn_ack_of(tester: &mut Tester) -> Header {
    let answers = sends(tester, &syn(100), b"");
    answers[0]
}

/// A flood at one listener leaves room for another's clients.
#[test]
fn a_flooded_listener_does_not_push_out_anothers_clients() {
    let mut tester = Tester::with(Config { max_half_open: 100, ..config(1) });
    tester.host.add_route(crate::Route {
        to: super::talk::cidr("0.0.0.0/0"),
        via: None,
        interface: super::talk::LINE,
    });
    tester.host.listen(socket(TO), 4).unwrap();
    let quiet = tester.host.listen(socket("10.0.0.1:81"), 4).unwrap();
    let answers = tester.sends(&segment(socket(FROM), socket("10.0.0.1:81"), &syn(100), b""));
    for number in 0..1000_u32 {
        let from =
            core::net::SocketAddr::new(core::net::Ipv4Addr::from_bits(0xc000_0200 + number).into(), 1024);
        tester.sends(&segment(from, socket(TO), &syn(number), b""));
    }
    assert!(tester.drops().contains(&DropReason::HalfOpenGaveWay));
    let About::Tcp { header, .. } = answers[0].1 else { panic!("a SYN,ACK") };
    let completes = ack(SeqNumber::new(101), header.seq + 1);
    tester.sends(&segment(socket(FROM), socket("10.0.0.1:81"), &completes, b""));
    assert!(tester.host.accept(quiet).unwrap().is_some());
}

/// 20,000 acknowledgments at random complete no handshake.
#[test]
fn a_guessed_acknowledgment_opens_nothing() {
    let mut tester = Tester::new();
    let listener = tester.host.listen(socket(TO), 4).unwrap();
    sends(&mut tester, &syn(100), b"");
    for number in 0..20_000_u32 {
        let guess = SeqNumber::new(number.wrapping_mul(2_654_435_761));
        sends(&mut tester, &ack(SeqNumber::new(101), guess), b"");
    }
    assert_eq!(tester.host.accept(listener), Ok(None));
}
