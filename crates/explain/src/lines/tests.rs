//! The stream of UX 2.6 (b) and (c), line by line.

use alloc::string::String;
use alloc::vec::Vec;

use aperto_tcp::{AckCause, DataCause, RetransmissionCause};
use aperto_time::Duration;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Control;

use super::*;
use crate::story::{self, ACK, C, S, SYN, Sketch, Story, for_ms, sketch};
use crate::wording::width;

const PUSH: Control = Control::PSH;

fn data(octets: u32) -> Reason {
    Reason::Data { octets, because: DataCause::Written, acknowledges: 0 }
}

/// The chat of the transcript, as the client sees it; the client's port is 52814.
fn chat() -> Trace {
    let mut story = Story::new(Protocol::Tcp);
    let mut at = story::open(&mut story);
    let mut say = |story: &mut Story, from, seq, ack, text: &'static str, reason: Option<Reason>| {
        at += 10;
        let control = if text.is_empty() { ACK } else { PUSH | ACK };
        let number = story.leaves(at, Sketch { reason, ..sketch(from, control, seq, ack).text(text) });
        (at, number)
    };
    say(&mut story, C, 1, 1, "oi, tudo bem?", Some(data(13)));
    let (now, five) = say(&mut story, S, 1, 14, "recebi 13 bytes", None);
    story.arrives(now + 1, C, five);
    let delayed = AckCause::Delayed { waited: for_ms(200), octets: 15 };
    say(&mut story, C, 14, 16, "", Some(Reason::Ack(delayed)));
    let (now, seven) = say(&mut story, C, 14, 16, "ainda ai?", Some(data(9)));
    story.lost(now, seven, "/perder");
    at += 1_000;
    let second = Duration::from_secs(1);
    let because = RetransmissionCause::Timeout { attempt: 1, rto: second, next_rto: 2 * second, cwnd: 1_460 };
    let again = Sketch {
        of: Some(7),
        reason: Some(Reason::Retransmission { because, octets: 9 }),
        ..sketch(C, PUSH | ACK, 14, 16).text("ainda ai?")
    };
    story.leaves(at, again);
    let note = Note::RetransmissionTimeout {
        una: SeqNumber::new(1234 + 14),
        rto: second,
        srtt: Some(for_ms(1)),
        rttvar: for_ms(1),
        minimum: second,
        attempt: 1,
    };
    story.host(at, C, Fact::Note(note));
    let nine = story.leaves(at + 1, sketch(S, PUSH | ACK, 16, 23).text("recebi 9 bytes"));
    story.arrives(at + 2, C, nine);
    let delayed = AckCause::Delayed { waited: for_ms(200), octets: 14 };
    story.leaves(at + 200, sketch(C, ACK, 23, 30).why(Reason::Ack(delayed)));
    story::close_at_once(&mut story, at + 300, [23, 30]);
    story.trace
}

fn drawn(trace: &Trace, view: &LineView) -> Vec<String> {
    Lines::of(trace, view)
}

#[test]
fn a_client_is_told_as_in_the_transcript() {
    let view = LineView { host: Some(C), ..LineView::new(Language::Portuguese) };
    let expected = "\
[ENVIADO]   #1 SYN      seq=1234              CLOSED -> SYN_SENT
            por quê: abertura ativa; o cliente conta a partir de 1234  9293 §3.5
[RECEBIDO]  #2 SYN,ACK  seq=1567 ack=1235     SYN_SENT -> ESTABLISHED
[ENVIADO]   #3 ACK      seq=1235 ack=1568
            por quê: confirma o SYN do servidor: 1567 + 1 = 1568       9293 §3.5
[HANDSHAKE COMPLETO] 3 segmentos · sua porta 52814 · porta do servidor 7000
[ENVIADO]   #4 PSH,ACK  seq=1235 ack=1568 len=13
[RECEBIDO]  #5 PSH,ACK  seq=1568 ack=1248 len=15   servidor: recebi 13 bytes
[ENVIADO]   #6 ACK      seq=1248 ack=1583          200 ms depois, nada a enviar
[PERDIDO]   #7 PSH,ACK  seq=1248 ack=1583 len=9    descartado porque você pediu
[TIMER]     1000 ms sem ACK do #7
[REENVIO]   #8 PSH,ACK  seq=1248 ack=1583 len=9    = #7
[RECEBIDO]  #9 PSH,ACK  seq=1583 ack=1257 len=14   servidor: recebi 9 bytes
[ENVIADO]  #10 ACK      seq=1257 ack=1597
[ENVIADO]  #11 FIN,ACK  seq=1257 ack=1597          ESTABLISHED -> FIN_WAIT_1
[RECEBIDO] #12 ACK      seq=1597 ack=1258          FIN_WAIT_1 -> FIN_WAIT_2
[RECEBIDO] #13 FIN,ACK  seq=1597 ack=1258          FIN_WAIT_2 -> TIME_WAIT
[ENVIADO]  #14 ACK      seq=1258 ack=1598
[CONEXÃO ENCERRADA] 14 segmentos, 1 perdido, 1 reenvio · 22 bytes enviados";
    assert_eq!(drawn(&chat(), &view).join("\n"), expected);
}

#[test]
fn a_server_is_told_with_the_connection_before_each_line() {
    let labels = Labels::Connections;
    let view = LineView { host: Some(S), labels, ..LineView::new(Language::English) };
    let mut story = Story::new(Protocol::Tcp);
    story::open(&mut story);
    let expected = "\
c1 [RECEIVED] #1 SYN      seq=1234            LISTEN -> SYN_RECEIVED
c1 [SENT]     #2 SYN,ACK  seq=1567 ack=1235
              why: accepts; the SYN used number 1234, so 1235 is next  9293 §3.5
c1 [RECEIVED] #3 ACK      seq=1235 ack=1568   SYN_RECEIVED -> ESTABLISHED
c1 open with 127.0.0.1:52814 · 1 connection · the server port stays 7000";
    assert_eq!(drawn(&story.trace, &view).join("\n"), expected);
}

#[test]
fn the_same_lines_begin_in_english_as_the_transcript_says() {
    let view = LineView { host: Some(C), ..LineView::new(Language::English) };
    let lines = drawn(&chat(), &view);
    let has = |line: &str| assert!(lines.iter().any(|other| other == line), "{line}\n{}", lines.join("\n"));
    has("[RECEIVED]  #5 PSH,ACK  seq=1568 ack=1248 len=15   server: recebi 13 bytes");
    has("[SENT]      #6 ACK      seq=1248 ack=1583          200 ms later, nothing to send");
    has("[LOST]      #7 PSH,ACK  seq=1248 ack=1583 len=9    dropped because you asked");
    has("[TIMER]     no ACK for #7 in 1000 ms");
    has("[RESENT]    #8 PSH,ACK  seq=1248 ack=1583 len=9    = #7");
}

#[test]
fn lines_come_once_whether_records_come_one_by_one_or_all_at_once() {
    let trace = chat();
    for labels in [Labels::None, Labels::Connections, Labels::Sides] {
        let view = LineView { labels, reasons: Reasons::All, ..LineView::new(Language::Portuguese) };
        let mut lines = Lines::new(view.clone());
        let mut one_by_one = Vec::new();
        let mut before = Instant::ZERO;
        for record in trace.records() {
            // As a live driver does: flushed after each turn.
            if record.at > before {
                one_by_one.extend(lines.flush());
                before = record.at;
            }
            one_by_one.extend(lines.push(record));
        }
        one_by_one.extend(lines.flush());
        assert_eq!(one_by_one, Lines::of(&trace, &view));
        assert!(lines.flush().is_empty());
    }
}

#[test]
fn a_trace_of_both_ends_tells_who_does_what_and_no_sentence_is_too_wide() {
    let view =
        LineView { labels: Labels::Sides, reasons: Reasons::All, ..LineView::new(Language::Portuguese) };
    for trace in [story::nine_segments(), story::fourth_lost(), story::datagrams()] {
        let lines = Lines::of(&trace, &view);
        assert!(lines.iter().any(|line| line.starts_with("cliente  [ENVIADO]")), "{}", lines.join("\n"));
        assert!(lines.iter().any(|line| line.starts_with("servidor [RECEBIDO]")));
        for line in lines.iter().filter(|line| line.contains("por quê:")) {
            assert!(width(line) <= 80, "{line}");
        }
    }
}

#[test]
fn a_refused_connection_ends_with_the_reason() {
    let mut story = Story::new(Protocol::Tcp);
    let one = story.leaves(0, sketch(C, SYN, 0, 0).why(Reason::ActiveOpen));
    story.state(0, C, State::Closed, State::SynSent, one);
    let two = story.leaves(1, sketch(S, Control::RST | ACK, 0, 1));
    story.arrives(2, C, two);
    story.host(2, C, Fact::Event(Event::Ended(End::Refused)));
    story.state(2, C, State::SynSent, State::Closed, two);
    let lines = drawn(&story.trace, &LineView { host: Some(C), ..LineView::new(Language::Portuguese) });
    assert_eq!(
        lines.last().map(String::as_str),
        Some("[CONEXÃO TERMINADA] conexão recusada · 2 segmentos · 0 bytes enviados")
    );
}
