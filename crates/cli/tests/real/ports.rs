//! The table of a live server's connections: at its end, and whenever somebody asks.

use super::support::{Program, free_port, has, peer, run, server};

/// Three clients of one server, on our wire and on the system's: one port stays, three differ.
#[test]
fn a_server_that_ends_tells_its_connections_by_their_four_numbers() {
    for wire in [&["--wire", "udp"][..], &["--wire", "os"]] {
        let port = free_port();
        let to = port.to_string();
        let mut server = server(port, &[&["--echo"], wire].concat());
        for text in ["a", "bb", "ccc"] {
            run(&[&["client", "127.0.0.1", &to, "-m", text, "--view", "none"], wire].concat()).ended(0);
            server.sees("closed");
        }
        server.signal("INT");
        let told = server.finish().ended(130).out;
        let here = format!("127.0.0.1:{port}");
        let rows: Vec<Vec<&str>> = told
            .lines()
            .filter(|line| line.starts_with('c') && line.contains(&format!(" {here} ")))
            .map(|line| line.split_whitespace().collect())
            .filter(|cells: &Vec<&str>| cells.len() == 6 && cells[1] == here)
            .collect();
        assert_eq!(rows.len(), 3, "{told}");
        for (row, octets) in rows.iter().zip(["1", "2", "3"]) {
            assert_eq!((row[3], row[4], row[5]), ("CLOSED", octets, octets), "{told}");
        }
        let mut ports: Vec<&str> = rows.iter().map(|row| row[2]).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 3, "{told}");
        assert!(told.contains(&format!("the server's port stays {port}")), "{told}");
        assert!(told.contains("the client's port changes"), "{told}");
    }
}

/// On a terminal one asks with `/estado` or `/state`, whatever the server does, and ends with `quit`.
#[test]
fn the_table_is_told_when_somebody_asks_at_the_server() {
    if !has("the_table_is_told_when_somebody_asks_at_the_server", &["python3"]) {
        return;
    }
    let port = free_port();
    let to = port.to_string();
    let aperto = env!("CARGO_BIN_EXE_aperto");
    let steps =
        ["LISTEN", "/state", "no connection yet", "nobody hears this", "bytes", "/estado", "3.4.1", "quit"];
    let mut arguments = steps.to_vec();
    arguments.extend(["--", aperto, "server", &to, "--upper", "--lang", "en", "--view", "lines"]);
    let mut command = peer("terminal.py", &arguments);
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    let mut server = Program::start(command);
    // Nobody comes before it was asked for the first time.
    server.sees("no connection yet");
    run(&["client", "127.0.0.1", &to, "-m", "hello"]).ended(0);
    let told = server.finish().ended(0).out;
    let row =
        told.lines().find(|line| line.starts_with("c1   127.0.0.1:")).unwrap_or_else(|| panic!("{told}"));
    assert!(row.contains(&format!(":{port} ")), "{row}");
    assert!(told.contains("the client's port changes"), "{told}");
}
