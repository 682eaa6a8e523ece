//! `--wire os`: the system's own sockets, with `nc` and Python at the other end.

use std::process::Command;

use crate::support::{MEBIBYTE, Program, Scratch, free_port, has, in_order, peer, run, server, start};

#[test]
fn nc_that_closes_its_half_gets_everything_back() {
    let name = "nc_that_closes_its_half_gets_everything_back";
    if !has(name, &["nc"]) {
        return;
    }
    let port = free_port();
    let mut server = server(port, &["--echo", "--wire", "os"]);
    let mut command = Command::new("nc");
    command.args(["-N", "127.0.0.1", &port.to_string()]);
    let mut nc = Program::start(command);
    nc.is_told("olá\nsecond line\n");
    assert_eq!(nc.finish().ended(0).out, "olá\nsecond line\n");
    server.sees("c1 closed · 17 bytes in, 17 out");
    server.signal("INT");
    server.finish().ended(130);
}

#[test]
fn nc_that_goes_away_ends_its_connection_only() {
    let name = "nc_that_goes_away_ends_its_connection_only";
    if !has(name, &["nc"]) {
        return;
    }
    let port = free_port();
    let mut server = server(port, &["--echo", "--wire", "os"]);
    for label in ["c1", "c2"] {
        let mut command = Command::new("nc");
        // Ends a second after its input did, without closing its half first.
        command.args(["-q", "1", "127.0.0.1", &port.to_string()]);
        let mut nc = Program::start(command);
        nc.is_told("hello\n");
        assert_eq!(nc.finish().ended(0).out, "hello\n");
        server.sees(&format!("{label} closed · 6 bytes in, 6 out"));
    }
}

#[test]
fn our_client_talks_to_an_echo_server_in_python() {
    let name = "our_client_talks_to_an_echo_server_in_python";
    if !has(name, &["python3"]) {
        return;
    }
    let scratch = Scratch::new();
    let (file, hash) = scratch.large("file", MEBIBYTE);
    let mut echo = Program::start(peer("echo_tcp.py", &["127.0.0.1", "2"]));
    let port = echo.first_line();
    let client = ["client", "127.0.0.1", &port, "--wire", "os", "-m", "olá", "--view", "none"];
    assert_eq!(run(&client).ended(0).out, "olá");
    let client = run(&["client", "127.0.0.1", &port, "--wire", "os", "--file", &file]).ended(0);
    assert_eq!(client.hashes(), [hash.as_str(), hash.as_str()], "{}", client.out);
    echo.finish().ended(0);
}

#[test]
fn datagrams_go_to_nc_and_to_python() {
    let name = "datagrams_go_to_nc_and_to_python";
    if !has(name, &["python3", "nc"]) {
        return;
    }
    let port = free_port();
    let mut server = server(port, &["--upper", "--wire", "os", "--proto", "udp"]);
    let mut command = Command::new("nc");
    command.args(["-u", "-w", "1", "127.0.0.1", &port.to_string()]);
    let mut nc = Program::start(command);
    nc.is_told("olá");
    server.sees("c1 127.0.0.1:");
    assert_eq!(nc.finish().ended(0).out, "OLÁ");

    let mut echo = Program::start(peer("echo_udp.py", &["127.0.0.1", "1"]));
    let port = echo.first_line();
    let client =
        ["client", "127.0.0.1", &port, "--wire", "os", "--proto", "udp", "-m", "olá", "--view", "none"];
    assert_eq!(run(&client).ended(0).out.trim_end(), "olá");
    echo.finish().ended(0);
}

#[test]
fn datagrams_go_between_two_of_ours_and_a_closed_port_is_told() {
    let port = free_port();
    let port = port.to_string();
    let client = ["client", "127.0.0.1", &port, "--wire", "os", "--proto", "udp", "-m", "ping"];
    let refused = run(&client).ended(3);
    assert!(refused.error.contains("connection refused"), "{}", refused.error);
    let mut server = start(&["server", &port, "--echo", "--wire", "os", "--proto", "udp", "--once"]);
    server.sees("LISTEN");
    let client = run(&client).ended(0);
    assert_eq!(client.out.matches("4 bytes").count(), 2, "{}", client.out);
    server.finish().ended(0);
}

#[test]
fn nobody_listening_is_told_by_the_system_too() {
    let port = free_port().to_string();
    let refused = run(&["client", "127.0.0.1", &port, "--wire", "os", "-m", "x"]).ended(3);
    assert!(refused.error.contains(&format!("connection refused by 127.0.0.1:{port}")), "{}", refused.error);
}

/// The calls stand in the order in which a program makes them, and their segments are likely only.
#[test]
fn each_call_on_the_systems_sockets_is_told_with_the_segments_that_are_likely() {
    let port = free_port();
    let mut server = server(port, &["--upper", "--wire", "os", "--once", "--why", "full"]);
    let port = port.to_string();
    let client =
        ["client", "127.0.0.1", &port, "--wire", "os", "-m", "abc", "--why", "full", "--lang", "pt-BR"];
    let client = run(&client).ended(0).out;
    in_order(
        &client,
        &[
            "[APLICAÇÃO] socket(): nenhum segmento",
            "connect(127.0.0.1:",
            "provável SYN; SYN,ACK; ACK",
            "send(3 bytes): provável PSH,ACK",
            "shutdown(SHUT_WR): provável FIN,ACK",
            "recv(): 3 bytes; provável",
            "recv(): 0 bytes",
            "close()",
        ],
    );
    server.sees("closed");
    in_order(
        &server.finish().ended(0).out,
        &[
            "socket(): no segment",
            "bind(127.0.0.1:",
            "listen(): no segment",
            "LISTEN  127.0.0.1:",
            "c1 [APP]       accept(): no segment; likely before: SYN; SYN,ACK; ACK",
            "recv(): 3 bytes; likely PSH,ACK came",
            "send(3 bytes): likely PSH,ACK",
            "recv(): 0 bytes; likely FIN,ACK came",
            "close(): likely FIN,ACK",
        ],
    );
}
