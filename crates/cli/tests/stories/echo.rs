//! The fourth: echo servers over TCP (65432) and UDP (65431), several clients at once, the states
//! seen as they change, a recording read by port, the port that changes, and another machine.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::Command;

use crate::port_of_story;
use crate::support::{Program, Scratch, free_port, has, in_order, run, server, skip};

/// RFC 9293 §3.3.2, figure 5: the upper half of the diagram, walked by both sides.
#[test]
fn the_states_of_an_opening_are_seen_live_on_both_sides() {
    let port = port_of_story(65_432);
    let mut ours = server(port, &["--echo", "--once"]);
    let client = run(&["client", "127.0.0.1", &port.to_string(), "-m", "hello"]).ended(0).out;
    in_order(&client, &["CLOSED -> SYN_SENT", "SYN_SENT -> ESTABLISHED", "server: hello"]);
    ours.sees("LISTEN -> SYN_RECEIVED");
    ours.sees("SYN_RECEIVED -> ESTABLISHED");
    ours.sees(&format!("the server port stays {port}"));
    ours.finish().ended(0);
}

#[test]
fn several_clients_are_served_at_once_and_their_ports_tell_them_apart() {
    let port = free_port();
    let mut echo = server(port, &["--upper", "--wire", "os"]);
    let mut clients: Vec<TcpStream> =
        (0..3).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    // The last one speaks first: nobody waits for anybody.
    for (place, client) in clients.iter_mut().enumerate().rev() {
        client.write_all(format!("olá {place}").as_bytes()).unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer.to_vec()).unwrap(), format!("OLÁ {place}"));
    }
    echo.sees("c1 [SENT]      6 bytes   OLÁ 0");
    let told = echo.printed();
    for (place, client) in clients.iter().enumerate() {
        // Named in the order in which they came, not in the one in which they are served.
        let (label, theirs) = (place + 1, client.local_addr().unwrap());
        assert!(told.contains(&format!("c{label} open with {theirs}")), "{told}");
        assert!(told.contains(&format!("c{label} [RECEIVED]  6 bytes   olá {place}")), "{told}");
    }
    // The system's own table: one port listens, and each connection has another port at the client.
    if cfg!(target_os = "linux") {
        let table = run(&["states", "--os", "--port", &port.to_string(), "--view", "json"]).ended(0).out;
        assert_eq!(table.matches("\"LISTEN\"").count(), 1, "{table}");
        assert_eq!(table.matches("\"ESTABLISHED\"").count(), 6, "three with two ends: {table}");
        for client in &clients {
            assert!(table.contains(&client.local_addr().unwrap().to_string()), "{table}");
        }
    }
    clients.clear();
    for _ in 0..3 {
        echo.sees("closed · 6 bytes in, 6 out");
    }
    // Why the port changes: it is the client's, and the server's stays.
    let ports = run(&["demo", "ports", "--clients", "3", "--view", "lines"]).ended(0).out;
    for port in ["49152", "49153", "49154"] {
        assert!(ports.contains(&format!("your port {port} · server port 7000")), "{ports}");
    }
}

#[test]
fn udp_answers_in_capitals_without_any_state() {
    let port = port_of_story(65_431);
    let ours = server(port, &["--upper", "--proto", "udp", "--wire", "os"]);
    let client =
        ["client", "127.0.0.1", &port.to_string(), "--proto", "udp", "--wire", "os", "-m", "olá, mundo"]
            .map(String::from);
    let said = run(&client.each_ref().map(String::as_str)).ended(0).out;
    assert!(said.contains("OLÁ, MUNDO"), "{said}");
    let plain = UdpSocket::bind("127.0.0.1:0").unwrap();
    plain.send_to(b"abc", ("127.0.0.1", port)).unwrap();
    let mut room = [0; 16];
    let (octets, _) = plain.recv_from(&mut room).unwrap();
    assert_eq!(&room[..octets], b"ABC");
    ours.signal("INT");
    let told = ours.finish().ended(130).out;
    assert!(!told.contains("ESTABLISHED"), "{told}");
}

/// A recording holds this run and nothing else: what a filter by port shows is all there is.
#[test]
fn wireshark_finds_the_recording_by_its_port_and_nothing_else_in_it() {
    let name = "wireshark_finds_the_recording_by_its_port_and_nothing_else_in_it";
    if !has(name, &["tshark"]) {
        return;
    }
    let scratch = Scratch::new();
    let file = scratch.file("echo.pcapng");
    let port = free_port();
    let ours = server(port, &["--echo", "--once", "-w", &file]);
    run(&["client", "127.0.0.1", &port.to_string(), "-m", "hello"]).ended(0);
    ours.finish().ended(0);
    let frames = |filter: &str| {
        let mut command = Command::new("tshark");
        command.args(["-r", &file, "-Y", filter, "-T", "fields", "-e", "_ws.col.Info"]);
        command.env("LC_ALL", "C.UTF-8").env("HOME", std::env::temp_dir());
        let output = Program::start(command).finish().ended(0).out;
        output.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (all, by_port) = (frames("frame"), frames(&format!("tcp.port == {port}")));
    assert_eq!(all, by_port);
    assert!(by_port[0].contains("[SYN]") && by_port[1].contains("[SYN, ACK]"), "{by_port:#?}");
    assert_eq!(frames("tcp.port == 8009"), Vec::<String>::new());
    assert_eq!(frames("tcp contains \"hello\"").len(), 2, "there and back");
}

/// On a network of the test's own, whose address is not the loopback's.
#[test]
fn a_colleague_reaches_the_server_only_with_lan() {
    let name = "a_colleague_reaches_the_server_only_with_lan";
    const INSIDE: &str = "APERTO_TEST_INSIDE_NAMESPACE";
    const OURS: &str = "192.168.77.5";
    if std::env::var_os(INSIDE).is_none() {
        if !has(name, &["unshare", "ip"]) {
            return;
        }
        let possible = Command::new("unshare").args(["--net", "ip", "link"]).output().unwrap();
        if !possible.status.success() {
            return skip(name, &String::from_utf8_lossy(&possible.stderr));
        }
        let mut command = Command::new("unshare");
        command.arg("--net").arg(std::env::current_exe().unwrap()).env(INSIDE, "1");
        command.args(["--exact", &format!("echo::{name}"), "--nocapture", "--test-threads=1"]);
        let output = Program::start(command).finish().ended(0);
        assert!(output.out.contains("1 passed"), "the test did not run inside:\n{}", output.out);
        return;
    }
    for line in
        ["link set lo up", "addr add 192.168.77.5/24 dev lo", "route add default dev lo src 192.168.77.5"]
    {
        assert!(Command::new("ip").args(line.split(' ')).status().unwrap().success(), "{line}");
    }
    let local = server(65_432, &["--echo", "--wire", "os"]);
    run(&["client", OURS, "65432", "--wire", "os", "-m", "x"]).ended(3);
    drop(local);
    let mut lan = server(65_432, &["--echo", "--wire", "os", "--lan", "--once"]);
    let hint = lan.sees(&format!("aperto client {OURS} 65432"));
    assert!(hint.contains("--wire os"), "{hint}");
    let said = run(&["client", OURS, "65432", "--wire", "os", "-m", "olá"]).ended(0).out;
    assert!(said.contains("[RECEIVED]  4 bytes   olá"), "{said}");
    lan.sees(&format!("c1 open with {OURS}:"));
    lan.finish().ended(0);
}
