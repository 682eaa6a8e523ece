//! `--text`: handshakes told in text, with programs of other authors and with persons.
//!
//! The Python peers know nothing of ours: one message for each `recv`, no line feeds, as their
//! description says. What a person types goes over a plain socket.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Program, free_port, has, in_order, peer, run, server, start};

const HANDSHAKE: [&str; 7] =
    ["SYN:2389", "SYN-ACK:4404:ACK:2390", "ACK:4405", "FIN:4405", "ACK:4406", "FIN:2390", "ACK:2391"];

/// A server of ours for one client: how it ends is how the conversation ended.
fn one_client(port: u16, dialect: &str, flags: &[&str]) -> Program {
    server(port, &[&["--wire", "os", "--text", dialect, "--once", "--timeout", "20s"], flags].concat())
}

/// Writes all this at once to a server of ours, and reads until it closes.
fn types(port: u16, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_client_in_python_tells_a_handshake_to_our_server_and_the_other_way_round() {
    let name = "a_client_in_python_tells_a_handshake_to_our_server_and_the_other_way_round";
    if !has(name, &["python3"]) {
        return;
    }
    let port = free_port();
    let ours = one_client(port, "handshake", &[]);
    let theirs = Program::start(peer("text_handshake.py", &["client", &port.to_string(), "20"]));
    in_order(&theirs.finish().ended(0).out, &["handshake complete", "received FIN:4405", "closed"]);
    in_order(&ours.finish().ended(0).out, &HANDSHAKE);

    let mut theirs = Program::start(peer("text_handshake.py", &["server", "1", "20"]));
    let port = theirs.first_line();
    let client = ["client", "127.0.0.1", &port, "--wire", "os", "--text", "handshake", "--lang", "pt-BR"];
    let ours = run(&client).ended(0);
    in_order(&ours.out, &["[ENVIADO]  SYN:2389", "[RECEBIDO] SYN-ACK:4404:ACK:2390", "[HANDSHAKE COMPLETO]"]);
    in_order(&ours.out, &["FIN:2390", "ACK:2391", "[CONEXÃO ENCERRADA] 7 mensagens"]);
    in_order(&theirs.finish().ended(0).out, &["received SYN", "handshake complete", "closed"][1..]);
}

#[test]
fn the_three_messages_go_either_way_round_and_both_sides_show_the_banner() {
    let name = "the_three_messages_go_either_way_round_and_both_sides_show_the_banner";
    if !has(name, &["python3"]) {
        return;
    }
    // Numbers that nobody can know: one that a silence ends, one that a blank ends.
    let port = free_port();
    let ours = one_client(port, "three-way", &["--isn", "1,1999"]);
    let theirs = Program::start(peer("three_way.py", &["client", &port.to_string(), "1822"]));
    let told = ["[2] SYN/seq=1999 ACK/seq=1823", "CONNECTION ESTABLISHED!"];
    in_order(&theirs.finish().ended(0).out, &told);
    let told = ["[1] SYN/seq=1822", told[0], "[3] ACK/seq=2000", "CONNECTION ESTABLISHED!"];
    in_order(&ours.finish().ended(0).out, &told);

    let mut theirs = Program::start(peer("three_way.py", &["server", "907"]));
    let port = theirs.first_line();
    let ours = run(&["client", "127.0.0.1", &port, "--wire", "os", "--text", "three-way"]).ended(0);
    let told =
        ["[1] SYN/seq=1234", "[2] SYN/seq=907 ACK/seq=1235", "[3] ACK/seq=908", "CONNECTION ESTABLISHED!"];
    in_order(&ours.out, &told);
    in_order(&theirs.finish().ended(0).out, &[told[0], told[2], told[3]]);
}

#[test]
fn several_clients_are_told_apart_and_served_at_the_same_time() {
    let name = "several_clients_are_told_apart_and_served_at_the_same_time";
    if !has(name, &["python3"]) {
        return;
    }
    let port = free_port();
    let mut ours = server(port, &["--wire", "os", "--text", "handshake", "--timeout", "20s"]);
    let mut typing = TcpStream::connect(("127.0.0.1", port)).unwrap();
    typing.write_all(b"SYN:1\n").unwrap();
    ours.sees("c1 [SENT]     SYN-ACK:4404:ACK:2");
    // Others come and go while the first one thinks.
    let clients: Vec<Program> = (0..3)
        .map(|_| Program::start(peer("text_handshake.py", &["client", &port.to_string(), "20"])))
        .collect();
    clients.into_iter().for_each(|client| drop(client.finish().ended(0)));
    typing.write_all(b"ACK:4405\nACK:4406\nFIN:2\n").unwrap();
    let mut answer = String::new();
    typing.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "SYN-ACK:4404:ACK:2\nFIN:4405\nACK:3\n");
    ours.sees("c1 [CONNECTION CLOSED] 7 messages");
    let printed = ours.printed();
    for label in ["c2", "c3", "c4"] {
        in_order(
            &printed,
            &[&format!("{label} [HANDSHAKE COMPLETE]"), &format!("{label} [CONNECTION CLOSED]")],
        );
    }
    // And our own, several at a time, to a server in Python.
    let mut theirs = Program::start(peer("text_handshake.py", &["server", "3", "20"]));
    let port = theirs.first_line();
    let client = ["client", "127.0.0.1", port.as_str(), "--wire", "os", "--text", "handshake"];
    let clients: Vec<Program> = (0..3).map(|_| start(&client)).collect();
    clients.into_iter().for_each(|client| drop(client.finish().ended(0)));
    theirs.finish().ended(0);
}

#[test]
fn a_person_who_forgets_the_plus_one_is_told_so() {
    let port = free_port();
    let ours = one_client(port, "three-way", &["--isn", "9,1234"]);
    let answer = types(port, "SYN/seq=77\nACK/seq=1234\n");
    assert_eq!(
        answer,
        "[2] SYN/seq=1234 ACK/seq=78\n\
         error: you acknowledged 1234; the SYN used that number, so it is 1235\n"
    );
    let ours = ours.finish().ended(7);
    in_order(&ours.out, &["[WRONG] 127.0.0.1:", "acknowledged 1234; the SYN used that number, so"]);
    assert!(ours.error.contains("(exit 7)"), "{}", ours.error);

    // As both READMEs say it.
    for (lang, says) in [
        ("en", "error: you acknowledged 4404; the SYN used that number, so it is 4405\n"),
        ("pt-BR", "erro: você reconheceu 4404; o SYN gastou esse número, então é 4405\n"),
    ] {
        let ours = one_client(port, "handshake", &["--lang", lang]);
        assert_eq!(types(port, "SYN:2389\nACK:4404\n"), format!("SYN-ACK:4404:ACK:2390\n{says}"));
        ours.finish().ended(7);
    }
    let ours = one_client(port, "handshake", &["--lang", "pt-BR"]);
    let answer = types(port, "SYN:2389\r\nACK:2390\r\n");
    let says =
        "erro: você reconheceu 2390, da própria contagem; o SYN do outro lado gastou 4404, então é 4405\r\n";
    assert_eq!(answer, format!("SYN-ACK:4404:ACK:2390\r\n{says}"));
    in_order(&ours.finish().ended(7).out, &["[ERRADO] 127.0.0.1:"]);
}

#[test]
fn a_program_with_a_wrong_number_or_word_ends_with_7_and_hears_why() {
    let name = "a_program_with_a_wrong_number_or_word_ends_with_7_and_hears_why";
    if !has(name, &["python3"]) {
        return;
    }
    for (how, why) in [
        ("number", "you acknowledged 4404; the SYN used that number, so it is 4405"),
        ("word", "you wrote \"HELLO:2389\" where SYN:... should be"),
    ] {
        let port = free_port();
        let ours = one_client(port, "handshake", &[]);
        let theirs = Program::start(peer("text_handshake.py", &["client", &port.to_string(), "20", how]));
        in_order(
            &theirs.finish().ended(1).out,
            &["fault:", why.strip_prefix("you ").unwrap().split('"').next().unwrap()],
        );
        ours.finish().ended(7);
    }
    // A server that checks as ours does, and has a client that is wrong: both say so.
    let port = free_port();
    let ours = one_client(port, "three-way", &[]);
    let theirs = Program::start(peer("three_way.py", &["client", &port.to_string(), "5", "2"]));
    in_order(&theirs.finish().ended(0).out, &["error: you acknowledged 1569; a SYN uses one number only"]);
    ours.finish().ended(7);
}

#[test]
fn messages_that_are_glued_or_cut_are_read_all_the_same() {
    let port = free_port();
    let ours = one_client(port, "handshake", &[]);
    assert_eq!(
        types(port, "SYN:2389ACK:4405ACK:4406FIN:2390"),
        "SYN-ACK:4404:ACK:2390FIN:4405ACK:2391",
        "and no line feed where there was none"
    );
    ours.finish().ended(0);
    // Cut in the middle of words and of numbers that can be known: however long the pieces take.
    let port = free_port();
    let mut ours = one_client(port, "handshake", &[]);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in ["S", "YN", ":2389\nA", "CK:4", "40", "5\nACK:44", "06F", "IN:", "23", "90"] {
        stream.write_all(piece.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    ours.sees("[CONNECTION CLOSED] 7 messages");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "SYN-ACK:4404:ACK:2390\nFIN:4405\nACK:2391\n");
    drop(stream);
    ours.finish().ended(0);
}

#[test]
fn a_peer_that_says_nothing_is_left_with_4_and_is_told_what_was_missing() {
    let port = free_port();
    let ours = server(port, &["--wire", "os", "--text", "handshake", "--once", "--timeout", "200ms"]);
    assert_eq!(types(port, ""), "error: you did not write SYN:... within 200 ms\n");
    let ours = ours.finish().ended(4);
    in_order(&ours.out, &["c1 [TIMEOUT] 127.0.0.1:", "did not write SYN:... within 200 ms"]);
    assert!(ours.error.contains("--timeout"), "{}", ours.error);
    // Five seconds, if nobody says otherwise; and whoever stops in the middle is told with what came.
    let port = free_port();
    let mut ours = server(port, &["--wire", "os", "--text", "three-way", "--once"]);
    ours.sees("5 s a message");
    assert_eq!(
        types(port, "[1] SYN/seq=1234\n[3] ACK"),
        "[2] SYN/seq=1567 ACK/seq=1235\nerror: you did not write [3] ACK/seq=1568 within 5 s; only \"[3] ACK\" came\n"
    );
    ours.finish().ended(4);
    // A silent server.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let client = ["client", "127.0.0.1", &port, "--wire", "os", "--text", "handshake", "--timeout", "100ms"];
    let ours = run(&client).ended(4);
    assert!(ours.error.contains("did not write SYN-ACK:...:ACK:2390 within 100 ms"), "{}", ours.error);
}

#[test]
fn garbage_floods_and_early_ends_are_7_and_the_server_goes_on() {
    let port = free_port();
    let mut ours = server(port, &["--wire", "os", "--text", "handshake", "--timeout", "20s"]);
    for (text, why) in [
        ("GET / HTTP/1.1\r\n\r\n", "wrote \"GET / HTTP/1.1\""),
        ("SYN:99999999999\n", "the largest number is"),
        ("\u{1}\u{2}\u{fffd}\n", "wrote \"??"),
        ("SYN:2389\nFIN:2390\n", "out of order"),
    ] {
        let answer = types(port, text);
        assert!(answer.contains("error: you wrote"), "{answer}");
        ours.sees(why);
    }
    let mut flood = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // Whoever floods is cut off: the server may have gone before the flood is over.
    let _ = flood.write_all("SYN:1".repeat(100_000).as_bytes());
    ours.sees("c5 [WRONG]");
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    ours.sees("c6 [WRONG]");
    ours.sees("c6 closed");
}

#[test]
fn two_of_ours_tell_it_over_the_tunnel_with_losses_and_tcps_own_numbers_beside() {
    let port = free_port();
    let ours = server(port, &["--text", "handshake", "--once", "--isn", "100,200"]);
    let at = port.to_string();
    let client = ["client", "127.0.0.1", &at, "--text", "handshake", "--isn", "100,200", "--drop", "data:2"];
    let client = run(&client).ended(0);
    // RFC 9293's own handshake first, with numbers of its own; then the text, as data.
    in_order(&client.out, &["#1 SYN ", "#3 ACK ", "SYN:100", "SYN-ACK:200:ACK:101", "ACK:201"]);
    in_order(&client.out, &["[LOST]", "[CONNECTION CLOSED] 7 messages"]);
    assert!(!client.out.contains("seq=100 "), "the segments have numbers of their own: {}", client.out);
    in_order(&ours.finish().ended(0).out, &["ACK:201", "FIN:201", "ACK:202", "FIN:101", "ACK:102"]);
}

#[test]
fn flags_that_do_not_go_with_text_are_refused() {
    for (arguments, why) in [
        (&["server", "--text", "handshake", "--echo"][..], "--text and --echo"),
        (&["client", "127.0.0.1", "--text", "handshake", "-m", "x"], "--text and -m"),
        (&["client", "127.0.0.1", "--text", "three-way", "--eol", "lf"], "--text and --eol"),
        (&["server", "--text", "handshake", "--proto", "udp"], "--text would do nothing here"),
        (&["server", "--text", "hand"], "--text cannot be hand"),
        (&["server", "--wire", "os", "--isn", "1,2"], "--isn would do nothing here"),
    ] {
        let refused = run(arguments).ended(2);
        assert!(refused.error.contains(why), "{arguments:?}: {}", refused.error);
    }
}
