//! `--secure` with OpenSSL at the other end, both ways round: somebody who owes us nothing.

use std::process::Command;

use crate::secure::User;
use crate::support::{Program, free_port, has};

/// OpenSSL's server with a certificate of its own, listening.
pub(crate) struct Openssl {
    program: Program,
    pub(crate) port: String,
}

impl Openssl {
    pub(crate) fn serves(user: &User, port: u16, arguments: &[&str]) -> Self {
        let (key, certificate) = (user.0.file("key.pem"), user.0.file("certificate.pem"));
        if !std::path::Path::new(&key).exists() {
            Self::makes(&key, &certificate);
        }
        let port = port.to_string();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", &port, "-key", &key, "-cert", &certificate]).args(arguments);
        let mut program = Program::start(command);
        program.sees("ACCEPT");
        Self { program, port }
    }

    fn makes(key: &str, certificate: &str) {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        command.args(["-keyout", key, "-out", certificate, "-subj", "/CN=somebody", "-days", "2"]);
        Program::start(command).finish().ended(0);
    }
}

const ECHO: [&str; 2] = ["-alpn", "aperto-echo/1"];

#[test]
fn the_line_that_key_show_prints_works() {
    if !has("the_line_that_key_show_prints_works", &["openssl"]) {
        return;
    }
    let ana = User::new();
    let port = free_port();
    let (mut server, _) = ana.serves(port, &["--echo", "--wire", "os"]);
    let shown = ana.run(&["key", "show", &format!("127.0.0.1:{port}")]).ended(0).out;
    let line = shown.lines().find(|line| line.starts_with("openssl s_client")).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    let mut client = Program::start(command);
    client.sees("Verify return code: 0 (ok)");
    client.is_told("olá from openssl\n");
    client.sees("olá from openssl");
    let client = client.finish().ended(0);
    assert!(client.out.contains("ALPN protocol: aperto-echo/1"), "{}", client.out);
    assert!(client.out.contains("TLSv1.3"), "{}", client.out);
    // No tickets: OpenSSL prints each that it gets.
    assert!(!client.out.contains("Session Ticket"), "{}", client.out);
    server.sees("c1 closed · 18 bytes in, 18 out");
    // The certificate of somebody else does not do.
    let other = User::new();
    drop(other.serves(free_port(), &["--echo", "--wire", "os"]));
    let wrong = line.replace(&ana.home(), &other.home());
    assert_ne!(wrong, line);
    let mut command = Command::new("sh");
    command.args(["-c", &wrong]);
    Program::start(command).finish().ended(1);
}

/// RELIABILITY SC-4 and SC-9: alerts 70 and 120, RFC 8446 §6.2 and RFC 7301 §3.2.
#[test]
fn an_openssl_client_of_old_or_for_another_service_gets_an_alert() {
    if !has("an_openssl_client_of_old_or_for_another_service_gets_an_alert", &["openssl"]) {
        return;
    }
    let ana = User::new();
    let port = free_port();
    let (mut server, _) = ana.serves(port, &["--echo", "--wire", "os"]);
    let at = format!("127.0.0.1:{port}");
    for (arguments, alert, said) in [
        (&["-tls1_2", "-alpn", "aperto-echo/1"][..], "alert number 70", "does not speak TLS 1.3"),
        (&["-tls1_3"], "alert number 120", "does not name the service aperto-echo/1"),
        (&["-alpn", "aperto-chat/1"], "alert number 120", "does not name the service aperto-echo/1"),
        (&["-alpn", "h2,http/1.1"], "alert number 120", "does not name the service aperto-echo/1"),
    ] {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &at]).args(arguments);
        let refused = Program::start(command).finish();
        assert_ne!(refused.code, 0, "{arguments:?}");
        assert!(refused.error.contains(alert), "{arguments:?}: {}", refused.error);
        server.sees("[NOT SECURED]");
        server.sees(said);
    }
}

#[test]
fn our_client_talks_to_openssls_server_with_either_suite_and_either_group() {
    if !has("our_client_talks_to_openssls_server_with_either_suite_and_either_group", &["openssl"]) {
        return;
    }
    let (ana, bob) = (User::new(), User::new());
    for (arguments, suite, group) in [
        (&[][..], "AES_128_GCM", "X25519"),
        (&["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "CHACHA20_POLY1305", "X25519"),
        // OpenSSL asks for another hello: we guessed X25519.
        (&["-groups", "P-256"], "AES_128_GCM", "secp256r1"),
    ] {
        let arguments = [&ECHO[..], &["-tls1_3", "-rev", "-naccept", "1"], arguments].concat();
        let openssl = Openssl::serves(&ana, free_port(), &arguments);
        let client =
            bob.run(&["client", "127.0.0.1", &openssl.port, "--secure", "--wire", "os", "-m", "abc\n"]);
        let client = client.ended(0);
        assert!(client.out.contains("[RECEIVED]  4 bytes   cba"), "{}", client.out);
        assert!(client.out.contains(suite) && client.out.contains(group), "{}", client.out);
    }
}

#[test]
fn an_openssl_server_that_will_not_do_is_refused_by_name() {
    if !has("an_openssl_server_that_will_not_do_is_refused_by_name", &["openssl"]) {
        return;
    }
    let (ana, bob) = (User::new(), User::new());
    for (arguments, code, english, portuguese) in [
        (&["-tls1_2", "-alpn", "aperto-echo/1"][..], 7, "does not speak TLS 1.3", "não fala TLS 1.3"),
        (&["-tls1_3"], 3, "has another service", "tem outro serviço"),
        (&["-alpn", "h2"], 3, "has another service", "tem outro serviço"),
        (
            &["-ciphersuites", "TLS_AES_256_GCM_SHA384", "-alpn", "aperto-echo/1"],
            3,
            "HandshakeFailure",
            "HandshakeFailure",
        ),
    ] {
        let openssl = Openssl::serves(&ana, free_port(), arguments);
        let client =
            ["client", "127.0.0.1", &openssl.port, "--secure", "--wire", "os", "-m", "secret of mine"];
        for (language, wanted) in [("en", english), ("pt-BR", portuguese)] {
            let refused = bob.run(&[&client[..], &["--lang", language]].concat()).ended(code);
            assert!(refused.error.contains(wanted), "{arguments:?}: {}", refused.error);
        }
        assert!(!openssl.program.printed().contains("secret"), "{}", openssl.program.printed());
    }
}

/// RELIABILITY SC-3: the system closes for a program that was killed, and TLS says nothing.
#[test]
fn an_openssl_server_that_is_killed_has_cut_us_off() {
    if !has("an_openssl_server_that_is_killed_has_cut_us_off", &["openssl"]) {
        return;
    }
    let (ana, bob) = (User::new(), User::new());
    let openssl = Openssl::serves(&ana, free_port(), &[&ECHO[..], &["-rev"]].concat());
    let mut client = bob.start(&["client", "127.0.0.1", &openssl.port, "--secure", "--wire", "os"]);
    client.sees("[KEY]");
    client.is_told("abc\n");
    client.sees("cba");
    openssl.program.signal("KILL");
    let client = client.finish().ended(1);
    assert!(client.error.contains("cut off after 4 bytes"), "{}", client.error);
}

#[test]
fn an_openssl_server_with_another_key_stops_us() {
    if !has("an_openssl_server_with_another_key_stops_us", &["openssl"]) {
        return;
    }
    let (ana, eve, bob) = (User::new(), User::new(), User::new());
    let port = free_port();
    let client = ["client", "127.0.0.1", &port.to_string(), "--secure", "--wire", "os", "-m", "abc\n"];
    let arguments = [&ECHO[..], &["-rev"]].concat();
    let first = Openssl::serves(&ana, port, &arguments);
    bob.run(&client).ended(0);
    drop(first);
    let second = Openssl::serves(&eve, port, &arguments);
    let refused = bob.run(&client).ended(3);
    assert!(refused.error.contains("has changed; nothing was sent"), "{}", refused.error);
    drop(second);
}
