//! The second: a chat with a handshake of its own that `sair` ends, told segment by segment; the same
//! with encryption and integrity; the same as reliable transfer of small packets.

use crate::support::{Program, Scratch, command, free_port, has, in_order, peer, server};

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

/// The mode of operation and the maximum size are agreed, every message is confirmed, `sair` ends it.
fn a_conversation(server: &mut Program, client: &mut Program) {
    client.sees("[HELLO]     ana is in");
    client.sees("asked   tcp max=5000");
    client.sees("granted tcp max=400");
    for (number, text) in ["oi, tudo bem?", "segunda"].iter().enumerate() {
        client.is_told(&format!("{text}\n"));
        server.sees(&format!("ana: {text}"));
        client.sees(&format!("[ACK]       message {} is confirmed", number + 1));
    }
    server.is_told("tudo, e voce?\n");
    client.sees("server: tudo, e voce?");
    client.is_told("sair\n");
}

#[test]
fn the_project_is_played_whole_plain_in_secret_and_as_reliable_transfer() {
    let home = Scratch::new();
    let start = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("APERTO_HOME", home.file("home"));
        Program::start(command)
    };
    let asks = ["--chat", "--name", "ana", "--max", "5000", "--integrity", "digest"];

    // A chat over a connection.
    let port = free_port().to_string();
    let mut plain = start(&["server", &port, "--chat", "--max", "400", "--once"]);
    plain.sees("LISTEN");
    let mut ana = start(&[&["client", "127.0.0.1", &port][..], &asks].concat());
    a_conversation(&mut plain, &mut ana);
    ana.finish().ended(0);
    plain.finish().ended(0);

    // Its second version: with encryption and an integrity check.
    let port = free_port().to_string();
    let mut secret = start(&["server", &port, "--chat", "--max", "400", "--once", "--secure"]);
    let line = secret.sees("aperto://");
    let address = line.split_whitespace().find(|word| word.starts_with("aperto://")).unwrap().to_owned();
    let mut ana = start(&[&["client", &address][..], &asks].concat());
    ana.sees("[ENCRYPTED] TLS 1.3");
    a_conversation(&mut secret, &mut ana);
    ana.finish().ended(0);
    secret.finish().ended(0);

    // What it was a base for: reliable transfer, in packets of four, one of them lost on purpose.
    let port = free_port().to_string();
    let mut gbn = start(&["server", &port, "--proto", "gbn", "--once"]);
    gbn.sees("LISTEN");
    let asks = ["--payload", "4", "--window", "5", "-m", "oi, tudo bem?", "--drop", "data:1"];
    let client =
        start(&[&["client", "127.0.0.1", &port, "--proto", "gbn"][..], &asks].concat()).finish().ended(0);
    in_order(&client.out, &["gbn max=", "len=4 win=5", "[LOST]", "[RESENT]", "[SESSION CLOSED]"]);
    let heard = gbn.finish().ended(0).out;
    in_order(&heard, &["gbn max=", "\"oi, \"", "\"tudo\"", "\" bem\"", "\"?\""]);
}
