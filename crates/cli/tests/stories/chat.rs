//! The second: a chat that `sair` ends, told segment by segment.

use crate::support::{Program, free_port, has, in_order, peer, server};

#[test]
fn a_chat_shows_every_segment_and_sair_ends_it() {
    let name = "a_chat_shows_every_segment_and_sair_ends_it";
    if !has(name, &["python3"]) {
        return;
    }
    let port = free_port();
    let mut server = server(port, &["--chat", "--once"]);
    let port = port.to_string();
    let script = ["voce>", "oi, tudo bem?", "servidor: tudo, e voce?", "sair", "--"];
    let mut terminal = peer("terminal.py", &script);
    terminal.arg(env!("CARGO_BIN_EXE_aperto")).args(["cliente", "127.0.0.1", &port, "--lang", "pt-BR"]);
    terminal.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    let terminal = Program::start(terminal);
    server.sees("oi, tudo bem?");
    server.is_told("tudo, e voce?\n");
    let client = terminal.finish().ended(0).out;
    in_order(
        &client,
        &[
            "CLOSED -> SYN_SENT",
            "[HANDSHAKE COMPLETO] 3 segmentos",
            "[ENVIADO]   #4 PSH,ACK",
            "servidor: tudo, e voce?",
            "ESTABLISHED -> FIN_WAIT_1",
            "FIN_WAIT_2 -> TIME_WAIT",
            "[CONEXÃO ENCERRADA]",
        ],
    );
    let server = server.finish().ended(0).out;
    in_order(&server, &["client: oi, tudo bem?", "c1 closed · 13 bytes in, 14 out"]);
}
