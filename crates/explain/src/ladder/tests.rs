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
