//! The transcripts, compared as text, and the widths of everything else.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::story;
use crate::wording::width;

fn drawn(trace: &Trace, view: &View) -> String {
    Ladder::new(trace, story::FLOW, view).text(view)
}

fn portuguese() -> View {
    View::new(Language::Portuguese)
}

const ENGLISH_A: &str = "\
aperto 0.1 · simulated wire · seed 1 · RTT 40 ms · nothing lost · seq relative
client 10.0.0.1:49152 (ISN 1234)            server 10.0.0.2:7000 (ISN 1567)
  #       ms CLIENT                                                 SERVER
           0 CLOSED                                                 LISTEN
  1        0 SYN_SENT     ── SYN seq=0 win=64240 ─────────────────▶ SYN_RECEIVED
    why: active open: asks to connect, says where its byte count starts     §3.5
  2       20 ESTABLISHED  ◀─────── SYN,ACK seq=0 ack=1 win=64240 ──
    why: accepts; a SYN uses up one number, so it expects 1 next            §3.5
  3       40              ── ACK seq=1 ack=1 ─────────────────────▶ ESTABLISHED
    why: now each side knows the other can hear it                          §3.5
  4       40              ── PSH,ACK seq=1 ack=1 len=11 ──────────▶
    why: app wrote \"Olá, mundo\": 10 letters, 11 bytes (á takes two)         §3.8
  5       60              ◀───────── PSH,ACK seq=1 ack=12 len=11 ──
    why: reply \"OLÁ, MUNDO\" carries the ACK with it: next byte is 12    §3.8.6.3
  6       80 FIN_WAIT_1   ── FIN,ACK seq=12 ack=12 ───────────────▶ CLOSE_WAIT
    why: client app closed: no more bytes; a FIN uses one number too        §3.6
  7      100 FIN_WAIT_2   ◀─────────────────── ACK seq=12 ack=13 ──
    why: FIN received; this side may still send (half-closed)             §3.6.1
  8      130 TIME_WAIT    ◀─────────────── FIN,ACK seq=12 ack=13 ── LAST_ACK
    why: server app closed 30 ms later: that is why there are 2 FINs        §3.6
  9      150              ── ACK seq=13 ack=13 ───────────────────▶ CLOSED
    why: last ACK; TIME_WAIT 2×MSL in case this ACK is lost                 §3.6
9 segments · 22 bytes delivered · § = RFC 9293 · next: aperto --drop 4
";

const PORTUGUESE_A: &str = "\
aperto 0.1 · rede simulada · semente 1 · RTT 40 ms · sem perdas · seq relativo
cliente 10.0.0.1:49152 (ISN 1234)         servidor 10.0.0.2:7000 (ISN 1567)
  #       ms CLIENTE                                                SERVIDOR
           0 CLOSED                                                 LISTEN
  1        0 SYN_SENT     ── SYN seq=0 win=64240 ─────────────────▶ SYN_RECEIVED
    por quê: abertura ativa: pede conexão e diz onde começa a contar        §3.5
  2       20 ESTABLISHED  ◀─────── SYN,ACK seq=0 ack=1 win=64240 ──
    por quê: aceita; o SYN gasta um número, então espera o 1                §3.5
  3       40              ── ACK seq=1 ack=1 ─────────────────────▶ ESTABLISHED
    por quê: agora cada lado sabe que o outro o ouve                        §3.5
  4       40              ── PSH,ACK seq=1 ack=1 len=11 ──────────▶
    por quê: a aplicação escreveu \"Olá, mundo\": 10 letras, 11 bytes         §3.8
  5       60              ◀───────── PSH,ACK seq=1 ack=12 len=11 ──
    por quê: a resposta \"OLÁ, MUNDO\" leva o ACK de carona: espera o 12  §3.8.6.3
  6       80 FIN_WAIT_1   ── FIN,ACK seq=12 ack=12 ───────────────▶ CLOSE_WAIT
    por quê: o cliente fechou: sem mais bytes; o FIN também gasta um        §3.6
  7      100 FIN_WAIT_2   ◀─────────────────── ACK seq=12 ack=13 ──
    por quê: FIN recebido; este lado ainda pode enviar (meio-fechada)     §3.6.1
  8      130 TIME_WAIT    ◀─────────────── FIN,ACK seq=12 ack=13 ── LAST_ACK
    por quê: o servidor fechou 30 ms depois: por isso há dois FINs          §3.6
  9      150              ── ACK seq=13 ack=13 ───────────────────▶ CLOSED
    por quê: último ACK; TIME_WAIT 2×MSL caso este ACK se perca             §3.6
9 segmentos · 22 bytes entregues · § = RFC 9293 · a seguir: aperto --drop 4
";

const PORTUGUESE_D: &str = "  #       ms CLIENTE                                                SERVIDOR
  3       40              ── ACK seq=1 ack=1 ─────────────────────▶ ESTABLISHED
  4       40              ── PSH,ACK seq=1 ack=1 len=11 ─✗ PERDIDO
    por quê: a aplicação escreveu 11 bytes                             9293 §3.8
    canal: descartado porque você pediu (--drop 4)
         1040 ◷ timer   1000 ms sem ACK: RTO = máx(1 s, SRTT 40 + 4 × 20 ms)
  5     1040              ── PSH,ACK seq=1 ack=1 len=11 REENVIO(#4) ▶
    por quê: estouro do temporizador; RTO dobra p/ 2 s; cwnd = 1 MSS   6298 §5.4
  6     1060              ◀───────── PSH,ACK seq=1 ack=12 len=11 ──
    por quê: a resposta traz o ACK; não serve de amostra de RTT (Karn)   6298 §3
  …
10 segmentos, 1 perdido · 22 bytes entregues · repetir: aperto --drop 4 --seed 1
";

const ASCII_D: &str = "  #       ms CLIENT                                                 SERVER
  3       40              -- ACK seq=1 ack=1 ---------------------> ESTABLISHED
  4       40              -- PSH,ACK seq=1 ack=1 len=11 -X LOST
    why: app wrote 11 bytes                                             9293 3.8
    channel: dropped because you asked (--drop 4)
         1040 * timer   no ACK for 1000 ms: RTO = max(1 s, SRTT 40 + 4 x 20)
  5     1040              -- PSH,ACK seq=1 ack=1 len=11 RTX(#4) -->
    why: retransmission timeout; RTO doubles to 2 s; cwnd = 1 MSS       6298 5.4
  6     1060              <--------- PSH,ACK seq=1 ack=12 len=11 --
    why: reply carries the ACK; not used as an RTT sample (Karn)          6298 3
  ...
10 segments, 1 lost - 22 bytes delivered - repeat: aperto --drop 4 --seed 1
";

const UDP_F: &str = "UDP · RTT 40 ms · --drop data:2 · no connection, so no state column
  #       ms CLIENT                                                 SERVER
  1        0              ── UDP len=4 \"tran\" ────────────────────▶ delivered
  2        1              ── UDP len=4 \"spor\" ────────────────────▶ delivered
  3        2              ── UDP len=4 \"te c\" ─────────✗ LOST
    why: nobody will resend it: UDP keeps no copy and expects no answer  RFC 768
  4        3              ── UDP len=4 \"onfi\" ────────────────────▶ delivered
    why: delivered at once; UDP does not know that #3 is missing         RFC 768
server app read: \"transporonfiável de dados\"   7 of 8 datagrams, 26 of 30 bytes
";

#[test]
fn the_default_run_is_drawn_as_in_the_transcript() {
    let view = View { next: Some("aperto --drop 4".to_string()), ..View::new(Language::English) };
    assert_eq!(drawn(&story::nine_segments(), &view), ENGLISH_A);
    assert_eq!(ENGLISH_A.lines().count(), 23);
}

#[test]
fn the_default_run_is_drawn_in_portuguese_as_in_the_transcript() {
    let view = View { next: Some("aperto --drop 4".to_string()), ..portuguese() };
    assert_eq!(drawn(&story::nine_segments(), &view), PORTUGUESE_A);
}

#[test]
fn a_chosen_loss_is_drawn_as_in_the_transcript() {
    let repeat = Some("aperto --drop 4 --seed 1".to_string());
    let view = View { extent: Extent::Recovery, repeat, ..portuguese() };
    assert_eq!(drawn(&story::fourth_lost(), &view), PORTUGUESE_D);
    let view = View { language: Language::English, glyphs: Glyphs::Ascii, ..view };
    assert_eq!(drawn(&story::fourth_lost(), &view), ASCII_D);
}

#[test]
fn udp_is_drawn_without_states_as_in_the_transcript() {
    let view = View { extent: Extent::Recovery, ..View::new(Language::English) };
    assert_eq!(drawn(&story::datagrams(), &view), UDP_F);
}

const GO_BACK_N_F: &str = "\
GBN · janela 4 · carga 4 · timer 100 ms · RTT 40 ms · --drop data:2
  #       ms REMETENTE                                              DESTINATÁRIO
  1        0 [0 1 2 3]    ── DATA 0 \"tran\" ───────────────────────▶ entrega 0
  2        1              ── DATA 1 \"spor\" ───────────────────────▶ entrega 1
  3        2              ── DATA 2 \"te c\" ─────────✗ PERDIDO
  4        3              ── DATA 3 \"onfi\" ───────────────────────▶ descarta 3
    por quê: chegou o 3, esperava o 2: GBN não guarda fora de ordem
                                                                    Kurose 3.4.3
  5       20 [1 2 3 4]    ◀─────────────────────────────── ACK 0 ──
  6       21 [2 3 4 5]    ◀─────────────────────────────── ACK 1 ──
  7       23              ◀─────────────────────────── ACK 1 DUP ──
    por quê: repete o último em ordem: é só isso que o ACK do GBN diz
                                                                    Kurose 3.4.3
  8       40              ── DATA 4 \"áve\" ────────────────────────▶ descarta 4
  9       41              ── DATA 5 \"l de\" ───────────────────────▶ descarta 5
          141 ◷ timer   base 2 sem ACK há 100 ms: volta ao 2 e reenvia a janela
 12      141 [2 3 4 5]    ── DATA 2 \"te c\" REENVIO(#3) ───────────▶ entrega 2
 13      142              ── DATA 3 \"onfi\" REENVIO(#4) ───────────▶ entrega 3
  …   (--all mostra as 23 linhas)
12 envios de dados para 8 pacotes (4 reenvios) · 222 ms · SR faria 9 em 183 ms
";

#[test]
fn go_back_n_is_drawn_with_its_window_as_in_the_transcript() {
    let remark = Some("SR faria 9 em 183 ms".to_string());
    let view = View { extent: Extent::Recovery, remark, ..portuguese() };
    assert_eq!(drawn(&story::go_back_n(), &view), GO_BACK_N_F);
}

/// A trace in which every reason appears, with numbers as wide as they can be.
fn extremes() -> Trace {
    use crate::story::{C, S, Sketch, sketch};
    use aperto_wire::tcp::{Control, SackBlock};
    let mut story = story::Story::new(aperto_trace::Protocol::Tcp);
    story.isn = [u32::MAX, u32::MAX];
    story::handshake(&mut story);
    let edge = aperto_wire::SeqNumber::new(u32::MAX);
    let block = SackBlock { start: edge, end: edge };
    for (place, reason) in crate::text::tests::reasons().into_iter().enumerate() {
        let from = if place % 2 == 0 { C } else { S };
        let at = 100 + 100_000 * place as u64;
        let mut with = Sketch {
            of: Some(u32::MAX),
            duplicate: Some(u32::MAX),
            window: if place % 3 == 0 { 0 } else { u16::MAX },
            ..sketch(from, Control::from_bits(u8::MAX), u32::MAX - 1, u32::MAX - 1).text("a quite long text")
        };
        with.options.sack = core::iter::repeat_n(block, 4).collect();
        let number = story.leaves(at, with.why(reason));
        if place % 5 == 0 {
            story.lost(at, number, "--drop data:4294967295,4294967295-4294967295");
        } else {
            let to = if from == C { S } else { C };
            story.arrives(at + 20, to, number);
            let state = aperto_tcp::State::SynReceived;
            story.state(at + 20, C, state, state, number);
            story.state(at + 20, S, state, state, number);
        }
    }
    story.trace
}

#[test]
fn no_row_is_too_wide_whatever_its_reason_and_its_numbers() {
    let trace = extremes();
    for view in views() {
        for line in drawn(&trace, &view).lines() {
            assert!(width(line) <= view.width, "{} columns of {}: {line}", width(line), view.width);
        }
    }
}

#[test]
fn names_from_a_file_cannot_command_the_terminal() {
    let mut trace = story::datagrams();
    if let Some(link) = &mut trace.header.link {
        link.impairments = "\u{1b}[2J".to_string();
    }
    assert!(!drawn(&trace, &portuguese()).contains('\u{1b}'));
}

#[test]
fn repetitions_and_silences_are_folded_unless_all_is_asked_for() {
    use crate::story::{ACK, C, S, sketch};
    use aperto_tcp::{DataCause, Reason};
    let mut story = story::Story::new(aperto_trace::Protocol::Tcp);
    story::handshake(&mut story);
    for place in 0..5_u32 {
        let reason = Reason::Data { octets: 4, because: DataCause::Written, acknowledges: 0 };
        let number = story.leaves(41, sketch(C, ACK, 1 + 4 * place, 1).text("abcd").why(reason));
        story.arrives(61, S, number);
    }
    let late = story.leaves(2_041, sketch(C, ACK, 21, 1).text("late"));
    story.arrives(2_061, S, late);
    let view = View::new(Language::English);
    let text = drawn(&story.trace, &view);
    let folded = text.lines().find(|line| line.starts_with("4-8 ")).unwrap();
    assert!(folded.starts_with("4-8       41              ── 5 × ACK seq=1 … 17 ack=1 len=4 ──"), "{folded}");
    assert_eq!(width(folded), 67);
    assert!(text.contains("\n  ~  2000 ms  ~\n"), "{text}");
    let all = drawn(&story.trace, &View { extent: Extent::All, ..view.clone() });
    assert!(!all.contains('×') && !all.contains('~'), "{all}");
    assert_eq!(Ladder::new(&story.trace, story::FLOW, &view).packets(), 9);
}

/// UX 3.1, rule 2: SYNs that cross are drawn where they leave and where they arrive.
#[test]
fn arrows_that_cross_in_an_opening_are_split() {
    use crate::story::{C, S, SYN, sketch};
    let mut story = story::Story::new(aperto_trace::Protocol::Tcp);
    let one = story.leaves(0, sketch(C, SYN, 0, 0));
    let two = story.leaves(0, sketch(S, SYN, 0, 0));
    story.arrives(20, S, one);
    story.arrives(20, C, two);
    let text = drawn(&story.trace, &View::new(Language::English));
    let rows: Vec<&str> = text.lines().skip(3).take(4).collect();
    assert_eq!(
        rows,
        [
            "  1        0              ── SYN seq=0 win=64240 ──(1)╌╌",
            "  2        0                         ╌╌(2)── SYN seq=0 win=64240 ──",
            "          20                                                ╌╌(1)─▶",
            "          20              ◀─(2)╌╌",
        ]
    );
    let whole = drawn(&story.trace, &View { split: Split::Never, ..View::new(Language::English) });
    assert!(!whole.contains('╌'));
}

#[test]
fn what_the_channel_does_shows_in_the_arrow_and_in_a_word() {
    use crate::story::{ACK, C, S, sketch};
    use aperto_trace::{ChannelEvent, ChecksumAfter, DropReason, Fact, Origin, Vantage};
    let mut story = story::Story::new(aperto_trace::Protocol::Tcp);
    story::handshake(&mut story);
    let picked = || Origin::Picked { flag: "--dup 4".to_string() };
    let four = story.leaves(50, sketch(C, ACK, 1, 1).text("abcd"));
    let copied = ChannelEvent::Duplicated { by: picked() };
    story.push(50, Vantage::Channel, Fact::Channel { number: four, copy: 1, what: copied });
    story.arrives(70, S, four);
    story.host(70, S, Fact::Arrived { number: four, copy: 1, packet: None });
    let old = DropReason::Tcp(aperto_tcp::DropReason::OldData);
    story.host(70, S, Fact::Dropped { number: Some(four), reason: old });
    let five = story.leaves(80, sketch(C, ACK, 5, 1).text("efgh"));
    let checksum = ChecksumAfter::Broken;
    let damaged = ChannelEvent::Damaged { by: picked(), octets: alloc::vec![40], checksum };
    story.push(80, Vantage::Channel, Fact::Channel { number: five, copy: 0, what: damaged });
    story.arrives(100, S, five);
    let wrong = DropReason::BadChecksum { format: "tcp".to_string() };
    story.host(100, S, Fact::Dropped { number: Some(five), reason: wrong });
    let text = drawn(&story.trace, &portuguese());
    for row in [
        "          50              ══ ACK seq=1 ack=1 len=4 CÓPIA DO #4 IGNORADO ▶",
        "    canal: duplicado porque você pediu (--dup 4)",
        "    ignorado: tudo o que ele traz já tinha chegado                     §3.10.7.4",
        "  5       80              ── ACK seq=5 ack=1 len=4 CORROMPIDO ──≈≈▶",
        "    canal: 1 byte corrompido porque você pediu (--dup 4)",
    ] {
        assert!(text.lines().any(|line| line == row), "{row}\n{text}");
    }
}

fn views() -> Vec<View> {
    let mut views = Vec::new();
    for language in Language::ALL {
        for width in [76, 80, 100, 120, 160] {
            for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
                for seq in [Seq::Relative, Seq::Absolute, Seq::Both] {
                    for why in [Why::Full, Why::Short, Why::None] {
                        for (split, time) in
                            [(Split::Auto, Time::Milliseconds), (Split::Always, Time::Seconds)]
                        {
                            views.push(View {
                                width,
                                glyphs,
                                seq,
                                why,
                                split,
                                time,
                                extent: Extent::All,
                                calls: Calls::Shown,
                                ..View::new(language)
                            });
                        }
                    }
                }
            }
        }
    }
    views
}

#[test]
fn no_line_is_wider_than_its_page_and_ascii_is_ascii() {
    for trace in [story::nine_segments(), story::fourth_lost(), story::datagrams()] {
        for view in views() {
            let text = drawn(&trace, &view);
            for line in text.lines() {
                assert!(width(line) <= view.width, "{} columns of {}: {line}", width(line), view.width);
                assert_eq!(line, line.trim_end());
            }
            if view.glyphs == Glyphs::Ascii {
                assert!(text.is_ascii(), "{text}");
            }
        }
    }
}

#[test]
fn colours_add_nothing_to_the_text() {
    let view = View::new(Language::English);
    let lines = Ladder::new(&story::fourth_lost(), story::FLOW, &view).lines(&view);
    assert!(lines.iter().any(|line| line.ansi() != line.plain()));
    for line in &lines {
        let mut plain = String::new();
        for part in line.ansi().split("\u{1b}[") {
            plain.push_str(
                part.split_once('m').filter(|(n, _)| n.parse::<u8>().is_ok()).map_or(part, |(_, rest)| rest),
            );
        }
        assert_eq!(plain, line.plain());
    }
}
