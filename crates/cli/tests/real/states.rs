//! `states`: of recordings, and of the system's own sockets while other programs use them.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use super::support::{Scratch, free_port, run, server};

/// A recording of one's own knows the states; a capture's are those that its packets must lead to.
#[test]
fn the_way_of_a_recording_is_that_of_the_run() {
    let scratch = Scratch::new();
    let list = |arguments: &[&str]| {
        let told = run(&[arguments, &["--view", "lines"]].concat()).ended(0).out;
        told.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
    };
    let run_itself = list(&["states", "--drop", "4"]);
    assert_eq!(run_itself.len(), 2 + 10, "{run_itself:?}");
    for ending in ["aperto", "pcapng"] {
        let file = scratch.file(&format!("run.{ending}"));
        run(&["--drop", "4", "-w", &file, "--view", "none", "-q"]).ended(0);
        assert_eq!(list(&["states", &file]), run_itself, "{ending}");
    }
    let json = run(&["states", "--drop", "4", "--view", "json"]).ended(0).out;
    let states = json.lines().filter(|line| line.contains("\"type\":\"state\"")).count();
    assert_eq!((states, json.lines().count()), (10, 12), "{json}");
}

/// The system's sockets as they are at this moment, and who holds them.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_sockets_are_shown_with_their_states_and_holders() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut accepted, _) = listener.accept().unwrap();
    let wanted = port.to_string();
    let sockets = || -> Vec<(String, String, u64)> {
        let told = run(&["states", "--os", "--port", &wanted, "--view", "json"]).ended(0).out;
        let lines = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let sockets = lines.filter(|line| line["type"] == "socket");
        let mut all: Vec<_> = sockets
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap().to_owned();
                (text("state"), text("local"), one["pid"].as_u64().unwrap_or(0))
            })
            .collect();
        all.sort();
        all
    };
    let me = u64::from(std::process::id());
    let (here, there) = (format!("127.0.0.1:{port}"), client.local_addr().unwrap().to_string());
    let mut expected = vec![
        ("ESTABLISHED".to_owned(), here.clone(), me),
        ("ESTABLISHED".to_owned(), there.clone(), me),
        ("LISTEN".to_owned(), here.clone(), me),
    ];
    expected.sort();
    assert_eq!(sockets(), expected);
    // The client closes first and reads on: it is half-closed, and the other side has not closed.
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(accepted.read(&mut [0; 1]).unwrap(), 0);
    // FIN-WAIT-1 until the kernel has acknowledged the FIN, which it may do late.
    let deadline = std::time::Instant::now() + super::support::PATIENCE;
    loop {
        let states: Vec<String> = sockets().into_iter().map(|(state, ..)| state).collect();
        if states == ["CLOSE-WAIT", "FIN-WAIT-2", "LISTEN"] {
            break;
        }
        assert_eq!(states, ["CLOSE-WAIT", "FIN-WAIT-1", "LISTEN"]);
        assert!(std::time::Instant::now() < deadline, "the FIN was never acknowledged");
    }
    let told = run(&["states", "--os", "--port", &wanted, "--why", "full"]).ended(0).out;
    assert!(told.starts_with("proto local"), "{told}");
    assert!(told.contains("the other side closed; the application here has not yet"), "{told}");
    let told = run(&["estados", "--os", "--port", &wanted, "--why", "full", "--lang", "pt-BR"]).ended(0).out;
    assert!(told.contains("o outro lado fechou; a aplicação daqui ainda não"), "{told}");
    // Not a terminal: once, whatever was asked.
    run(&["states", "--os", "--port", &wanted, "--watch", "1s"]).ended(0);
}

/// Our own tunnel is a UDP socket to the system, and says where its connections are shown.
#[cfg(target_os = "linux")]
#[test]
fn a_tunnel_is_a_udp_socket_to_the_system() {
    let port = free_port();
    let server = server(port, &[]);
    let told = run(&["states", "--os", "--port", &port.to_string()]).ended(0).out;
    assert!(told.contains(&format!("udp 127.0.0.1:{port}")), "{told}");
    assert!(told.contains("aperto ("), "{told}");
    assert!(told.contains("carry its own TCP inside"), "{told}");
    drop(server);
}

#[test]
fn what_has_no_states_is_refused() {
    let scratch = Scratch::new();
    run(&["states", &scratch.file("missing.pcapng")]).ended(6);
    run(&["states", &scratch.holding("empty.pcapng", b"")]).ended(6);
    run(&["states", &scratch.holding("text", b"hello")]).ended(6);
    run(&["states", "--proto", "sr"]).ended(2);
    run(&["states", "--port", "7000"]).ended(2);
    run(&["states", "--os", "--port", "0"]).ended(2);
    run(&["states", "--os", "--port", "70000"]).ended(2);
    run(&["states", "--os", "--watch", "5"]).ended(2);
    run(&["states", "--os", "handshake"]).ended(2);
    run(&["states", "handshake", "--stream", "0"]).ended(2);
    let file = scratch.file("run.pcapng");
    run(&["-w", &file, "--view", "none", "-q"]).ended(0);
    run(&["states", &file, "--stream", "7"]).ended(2);
    run(&["states", &file, "--drop", "4"]).ended(2);
    let whole = std::fs::read(&file).unwrap();
    let told = run(&["states", &scratch.holding("cut.pcapng", &whole[..whole.len() - 30])]).ended(6);
    assert!(told.out.contains("ESTABLISHED"), "{}", told.out);
}
