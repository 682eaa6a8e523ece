//! What the READMEs say that no other test shows.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::support::{Program, Scratch, command, free_port, has, run, server};

/// Two processes of a user who may do nothing, with no other program to be found.
#[test]
fn a_conversation_needs_no_rights_and_nothing_installed() {
    let scratch = Scratch::new();
    let program = scratch.file("aperto");
    std::fs::copy(env!("CARGO_BIN_EXE_aperto"), &program).unwrap();
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(scratch.file(""), everybody.clone()).unwrap();
    std::fs::set_permissions(&program, everybody).unwrap();
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let start = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir("/").env_clear().env("APERTO_LANG", "en");
        if is_root {
            command.uid(65_534).gid(65_534);
        }
        Program::start(command)
    };
    for wire in ["udp", "os"] {
        let port = free_port().to_string();
        let mut server = start(&["server", &port, "--upper", "--once", "--wire", wire]);
        server.sees("LISTEN");
        let client = start(&["client", "127.0.0.1", &port, "-m", "hello", "--view", "none", "--wire", wire]);
        assert_eq!(client.finish().ended(0).out, "HELLO");
        server.finish().ended(0);
    }
}

#[test]
fn a_server_for_the_local_network_is_found_at_each_address() {
    for wire in ["udp", "os"] {
        let port = free_port();
        let _server = server(port, &["--lan", "--echo", "--wire", wire]);
        for host in ["127.0.0.1", "127.0.0.2"] {
            let client = ["client", host, &port.to_string(), "--wire", wire, "-m", "hi", "--view", "none"];
            assert_eq!(run(&client).ended(0).out, "hi", "{host}");
        }
    }
}

#[test]
fn a_handshake_typed_into_nc_is_answered_and_its_mistake_named() {
    if !has("a_handshake_typed_into_nc_is_answered_and_its_mistake_named", &["nc"]) {
        return;
    }
    for (language, mistake) in [
        ("en", "error: you acknowledged 4404; the SYN used that number, so it is 4405\n"),
        ("pt-BR", "erro: você reconheceu 4404; o SYN gastou esse número, então é 4405\n"),
    ] {
        let port = free_port();
        let server = server(port, &["--wire", "os", "--text", "handshake", "--once", "--lang", language]);
        let mut nc = Command::new("nc");
        nc.args(["127.0.0.1", &port.to_string()]);
        let mut nc = Program::start(nc);
        nc.is_told("SYN:2389\n");
        nc.sees("SYN-ACK:4404:ACK:2390");
        nc.is_told("ACK:4404\n");
        nc.sees(mistake.trim_end());
        assert_eq!(nc.printed(), format!("SYN-ACK:4404:ACK:2390\n{mistake}"));
        drop(nc);
        server.finish().ended(7);
    }
}

#[test]
fn wireshark_takes_port_7000_for_a_protocol_of_cars_unless_it_is_told() {
    if !has("wireshark_takes_port_7000_for_a_protocol_of_cars_unless_it_is_told", &["tshark"]) {
        return;
    }
    let scratch = Scratch::new();
    let protocols = |message: &str, more: &[&str]| {
        let file = scratch.file("run.pcapng");
        run(&["-m", message, "-w", &file, "--view", "none", "-q"]).ended(0);
        let mut command = Command::new("tshark");
        command.args(["-r", &file, "-T", "fields", "-e", "frame.protocols"]).args(more);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    // A unit of Gryphon says its length in octets 4 and 5: 257 here, which is there.
    let not_readable = "\u{1}".repeat(300);
    assert!(protocols(&not_readable, &[]).contains("gryphon"));
    assert!(!protocols(&"a".repeat(300), &[]).contains("gryphon"));
    let told = protocols(&not_readable, &["-d", "tcp.port==7000,data"]);
    assert!(!told.contains("gryphon") && told.contains("tcp:data"), "{told}");
}

#[test]
fn a_payload_of_bytes_may_hold_fewer_letters() {
    let port = free_port();
    let server = server(port, &["--proto", "gbn", "--once"]);
    let client = ["client", "127.0.0.1", &port.to_string(), "--proto", "gbn", "--payload", "3"];
    // ç and ã take two octets each.
    let client = run(&[&client[..], &["-m", "coração"]].concat()).ended(0);
    assert!(client.out.contains("7 letters, 9 bytes in 3 packets of up to 3"), "{}", client.out);
    let server = server.finish().ended(0);
    assert_eq!(server.out.matches("in order, delivered").count(), 3, "{}", server.out);
}

/// Our own engine took the decision, or the system did and tells nobody.
#[test]
fn reasons_are_said_where_they_are_known_and_not_where_they_are_not() {
    for (wire, are_known) in [("udp", true), ("os", false)] {
        let port = free_port();
        let server = server(port, &["--echo", "--once", "--wire", wire]);
        let client = command(&["client", "127.0.0.1", &port.to_string(), "-m", "hello", "--wire", wire]);
        let (client, server) = (Program::start(client).finish().ended(0), server.finish().ended(0));
        for side in [client, server] {
            assert_eq!(side.out.contains("why: "), are_known, "{}", side.out);
            assert_eq!(side.out.contains("seq="), are_known, "{}", side.out);
        }
    }
}
