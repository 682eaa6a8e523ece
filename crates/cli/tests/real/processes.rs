//! `aperto server` and `aperto client`, each a process, over the tunnel on this machine.

use std::time::Instant;

use crate::support::{
    LONG_PATIENCE, MEBIBYTE, Program, Scratch, command, free_port, has, in_order, peer, run, server, start,
};

/// Sends a file from a client to a server that only reads it, each with these flags as well.
fn file_transfer(octets: usize, server_flags: &[&str], client_flags: &[&str]) {
    let scratch = Scratch::new();
    let (file, hash) = scratch.large("file", octets);
    let port = free_port();
    let server = server(port, &[&["--sink", "--once", "--view", "none"], server_flags].concat());
    let port = port.to_string();
    let began = Instant::now();
    let all = ["client", "127.0.0.1", &port, "--file", &file, "--view", "none"];
    let client = start(&[&all, client_flags].concat()).finish_within(LONG_PATIENCE).ended(0);
    let took = began.elapsed();
    let server = server.finish_within(LONG_PATIENCE).ended(0);
    assert_eq!(client.hashes(), [hash.as_str()], "{}", client.out);
    assert_eq!(server.hashes(), [hash.as_str()], "{}", server.out);
    assert!(server.out.contains(&format!("c1 closed · {octets} bytes in, 0 out")), "{}", server.out);
    let speed = octets as f64 / 1e6 / took.as_secs_f64();
    println!("{octets} octets in {took:.2?}: {speed:.1} MB/s");
}

#[test]
fn a_file_of_100_mebibytes_arrives_with_an_equal_hash_and_both_sides_close() {
    file_transfer(100 * MEBIBYTE, &[], &[]);
}

const FAULTS: [&str; 8] = ["--loss", "5%", "--reorder", "5%", "--dup", "2%", "--corrupt", "1%"];

#[test]
fn a_file_arrives_though_the_channel_loses_reorders_doubles_and_damages() {
    file_transfer(FAULTY, &[], &FAULTS);
}

#[test]
fn a_file_arrives_though_both_sides_have_a_bad_channel() {
    file_transfer(MEBIBYTE / 8, &FAULTS, &FAULTS);
}

/// As much as fits into the time of a test; by hand it is 100 MiB.
const FAULTY: usize = 4 * MEBIBYTE;

#[test]
fn a_file_goes_there_and_back() {
    let scratch = Scratch::new();
    let (file, hash) = scratch.large("file", 4 * MEBIBYTE);
    let port = free_port();
    let server = server(port, &["--echo", "--once", "--view", "none"]);
    let client = start(&["client", "127.0.0.1", &port.to_string(), "--file", &file, "--view", "none"])
        .finish()
        .ended(0);
    server.finish().ended(0);
    assert_eq!(client.hashes(), [hash.as_str(), hash.as_str()], "{}", client.out);
}

#[test]
fn a_server_writes_what_it_gets_into_a_file() {
    let scratch = Scratch::new();
    let (file, hash) = scratch.large("file", MEBIBYTE);
    let copy = scratch.file("copy");
    let port = free_port();
    let server = server(port, &["--out", &copy, "--once"]);
    run(&["client", "127.0.0.1", &port.to_string(), "--file", &file]).ended(0);
    let server = server.finish().ended(0);
    assert_eq!(server.hashes(), [hash.as_str()], "{}", server.out);
    assert!(std::fs::read(file).unwrap() == std::fs::read(copy).unwrap());
}

#[test]
fn three_clients_at_once_have_a_label_each_and_their_own_answers() {
    let port = free_port();
    let mut server = server(port, &["--upper"]);
    let port = port.to_string();
    let mut clients: Vec<Program> = Vec::new();
    for label in ["c1", "c2", "c3"] {
        let mut client = start(&["client", "127.0.0.1", &port, "--view", "none"]);
        client.is_told(&format!("from {label}"));
        server.sees(&format!("{label} open with 127.0.0.1:"));
        clients.push(client);
    }
    assert!(server.printed().contains("3 connections"), "{}", server.printed());
    for (client, label) in clients.into_iter().zip(["C1", "C2", "C3"]) {
        let client = client.finish().ended(0);
        assert_eq!(client.out, format!("FROM {label}"));
    }
    server.sees("0 connections");
    server.signal("INT");
    let server = server.finish().ended(130);
    for line in server.out.lines().skip_while(|line| !line.is_empty()).filter(|line| line.contains('[')) {
        assert!(["c1 ", "c2 ", "c3 "].iter().any(|label| line.starts_with(label)), "no label: {line}");
    }
    for label in ["c1", "c2", "c3"] {
        assert!(server.out.contains(&format!("{label} closed · 7 bytes in, 7 out")), "{}", server.out);
    }
}

#[test]
fn a_text_comes_back_as_it_was_and_in_capitals() {
    for (service, answer) in [("--echo", "Olá, mundo"), ("--upper", "OLÁ, MUNDO")] {
        let port = free_port();
        let server = server(port, &[service, "--once"]);
        let client = ["client", "127.0.0.1", &port.to_string(), "-m", "Olá, mundo", "--view", "none"];
        assert_eq!(run(&client).ended(0).out, answer);
        // á takes two octets.
        assert!(server.finish().ended(0).out.contains("11 bytes in, 11 out"));
    }
}

#[test]
fn standard_input_is_sent_and_the_answer_is_the_output() {
    let port = free_port();
    let server = server(port, &["--echo", "--once"]);
    let mut client = start(&["client", "127.0.0.1", &port.to_string(), "--view", "none"]);
    client.is_told("line one\nline two\n");
    assert_eq!(client.finish().ended(0).out, "line one\nline two\n");
    server.finish().ended(0);
}

#[test]
fn the_lines_of_a_conversation_name_flags_states_and_reasons() {
    let port = free_port();
    let server = server(port, &["--isn", "1234,1567", "--once"]);
    let port = port.to_string();
    let all = ["client", "127.0.0.1", &port, "--isn", "1234,1567", "-m", "hello", "--lang", "pt-BR"];
    let client = run(&all).ended(0);
    for wanted in [
        "[ENVIADO]   #1 SYN      seq=1234              CLOSED -> SYN_SENT",
        "[RECEBIDO]  #2 SYN,ACK  seq=1567 ack=1235     SYN_SENT -> ESTABLISHED",
        "[ENVIADO]   #3 ACK      seq=1235 ack=1568",
        "[HANDSHAKE COMPLETO] 3 segmentos · sua porta",
        "PSH,ACK seq=1235 ack=1568 len=5",
        "[CONEXÃO ENCERRADA]",
    ] {
        assert!(client.out.contains(wanted), "no {wanted:?} in\n{}", client.out);
    }
    let server = server.finish().ended(0);
    for wanted in [
        "c1 [RECEIVED] #1 SYN      seq=1234            LISTEN -> SYN_RECEIVED",
        "c1 [SENT]     #2 SYN,ACK  seq=1567 ack=1235",
        "c1 [RECEIVED] #3 ACK      seq=1235 ack=1568   SYN_RECEIVED -> ESTABLISHED",
        "c1 open with 127.0.0.1:",
        &format!("1 connection · the server port stays {port}"),
    ] {
        assert!(server.out.contains(wanted), "no {wanted:?} in\n{}", server.out);
    }
}

#[test]
fn a_chat_at_a_terminal_ends_with_sair() {
    let name = "a_chat_at_a_terminal_ends_with_sair";
    if !has(name, &["python3"]) {
        return;
    }
    let port = free_port();
    let mut server = server(port, &["--chat", "--once"]);
    let port = port.to_string();
    let script = [
        "voce>",
        "oi, tudo bem?",
        "servidor: recebi",
        "/perder proximo",
        "será descartado pelo canal",
        "ainda ai?",
        "[REENVIO]",
        "\\sair",
        "len=4",
        "sair",
        "--",
    ];
    let mut terminal = peer("terminal.py", &script);
    terminal.arg(env!("CARGO_BIN_EXE_aperto")).args(["cliente", "127.0.0.1", &port, "--lang", "pt-BR"]);
    terminal.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    let terminal = Program::start(terminal);
    server.sees("oi, tudo bem?");
    server.is_told("recebi\n");
    let client = terminal.finish().ended(0);
    assert!(client.out.contains("#4 PSH,ACK  seq="), "{}", client.out);
    assert!(client.out.contains("[PERDIDO]"), "{}", client.out);
    assert!(client.out.contains("[CONEXÃO ENCERRADA]"), "{}", client.out);
    let server = server.finish().ended(0);
    // 13 octets, 9, and the word itself: 4.
    assert!(server.out.contains("26 bytes in"), "{}", server.out);
}

#[test]
fn the_operator_of_a_chat_may_end_it_too() {
    let port = free_port();
    let mut server = server(port, &["--chat"]);
    let client = start(&["client", "127.0.0.1", &port.to_string(), "--view", "none"]);
    server.sees("open with");
    server.is_told("see you\n");
    server.sees("[SENT]");
    server.is_told("sair\n");
    server.finish().ended(0);
    assert_eq!(client.finish().ended(0).out.trim_end(), "see you");
}

#[test]
fn json_of_both_sides_is_one_object_a_line_with_one_end() {
    let port = free_port();
    let server = start(&["server", &port.to_string(), "--once", "--echo", "--view", "json"]);
    let mut server = server;
    server.sees("\"type\":\"start\"");
    let client = run(&["client", "127.0.0.1", &port.to_string(), "-m", "hi", "--view", "json"]).ended(0);
    let server = server.finish().ended(0);
    for side in [client, server] {
        let lines: Vec<serde_json::Value> =
            side.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let kind = |line: &serde_json::Value| line["type"].as_str().unwrap().to_owned();
        assert_eq!(kind(&lines[0]), "start");
        assert_eq!(lines[0]["v"], 1);
        let ends = lines.iter().filter(|line| ["end", "error"].contains(&kind(line).as_str())).count();
        assert_eq!(ends, 1);
        let last = lines.last().unwrap();
        assert_eq!((kind(last).as_str(), &last["exit_code"]), ("end", &serde_json::json!(0)));
        assert!(lines.iter().any(|line| kind(line) == "segment" && line["flags"] == "SYN,ACK"));
        assert!(lines.iter().any(|line| kind(line) == "state" && line["to"] == "ESTABLISHED"));
    }
}

#[test]
fn the_server_outlives_its_clients_and_honours_the_limit() {
    let port = free_port();
    let mut server = server(port, &["--echo", "--max-conns", "1"]);
    let port = port.to_string();
    let mut first = start(&["client", "127.0.0.1", &port, "--view", "none"]);
    first.is_told("one");
    server.sees("c1 open");
    run(&["client", "127.0.0.1", &port, "-m", "two", "--view", "none"]).ended(3);
    server.sees("--max-conns");
    assert_eq!(first.finish().ended(0).out, "one");
    server.sees("0 connections");
    let third = run(&["client", "127.0.0.1", &port, "-m", "three", "--view", "none"]).ended(0);
    assert_eq!(third.out, "three");
}

#[test]
fn over_ipv6_it_is_the_same() {
    let port = free_port();
    let mut command = command(&["server", &format!("[::1]:{port}"), "--upper", "--once"]);
    command.env("LC_ALL", "C.UTF-8");
    let mut server = Program::start(command);
    server.sees("LISTEN");
    let client = run(&["client", "::1", &port.to_string(), "-m", "six", "--view", "none"]).ended(0);
    assert_eq!(client.out, "SIX");
    server.finish().ended(0);
}

/// The numbers of the calls are those of the segments, on either side, and by default there are none.
#[test]
fn each_call_is_told_before_the_segment_that_it_makes() {
    let port = free_port();
    let mut server = server(port, &["--upper", "--once", "--why", "full"]);
    let port = port.to_string();
    let client = run(&["client", "127.0.0.1", &port, "-m", "abc", "--why", "full"]).ended(0).out;
    let connect = format!("[APP]       connect(127.0.0.1:{port}): #1 SYN leaves");
    in_order(
        &client,
        &[
            "[APP]       socket(): no segment",
            &connect,
            "#1 SYN ",
            "#3 ACK ",
            "send(3 bytes): #4 carries them",
            "#4 ",
        ],
    );
    in_order(
        &client,
        &["shutdown(SHUT_WR): #", " FIN; it may still recv()", "FIN,", "recv(): 3 bytes, which #"],
    );
    in_order(
        &client,
        &["recv(): 3 bytes", "recv(): 0 bytes, #", "close(): no segment, both FINs are through"],
    );
    server.sees("c1 closed");
    let server = server.finish().ended(0).out;
    let bind = format!("bind(127.0.0.1:{port}): no segment");
    in_order(&server, &["socket(): no segment", &bind, "listen(): no segment", "LISTEN  127.0.0.1"]);
    in_order(&server, &["#3 ACK ", "c1 [APP]       accept(): no segment, #3 made the connection ready"]);
    in_order(&server, &["recv(): 3 bytes, which #4 brought", "send(3 bytes): #", " carries them", "PSH,ACK"]);
    in_order(&server, &["recv(): 0 bytes", "close(): #"]);
}
