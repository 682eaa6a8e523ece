//! `doctor`: looks at this very machine, without rights, and changes nothing.

use std::net::{TcpListener, UdpSocket};

use super::support::{Program, command, free_port, run};

#[test]
fn a_machine_that_is_ready_says_what_a_colleague_types() {
    let port = free_port().to_string();
    let told = run(&["doctor", &port]).ended(0).out;
    assert!(told.contains(&format!("port               {port} is free\n")), "{told}");
    assert!(told.contains("127.0.0.1 (lo)") || cfg!(not(target_os = "linux")), "{told}");
    for name in ["this machine", "firewall", "loopback capture", "--wire tun", "terminal", "programs"] {
        assert!(told.lines().any(|line| line.starts_with(name)), "{name}: {told}");
    }
    assert!(told.contains("stdout is none; UTF-8, no colours"), "{told}");
    assert!(told.contains("English, because of APERTO_LANG"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let told = run(&["doctor", &port, "--lan"]).ended(0).out;
    let host = told.lines().find(|line| line.starts_with("colleague")).unwrap();
    assert!(host.contains("aperto client ") || host.contains("no address that others reach"), "{told}");
    let told = run(&["diagnostico", &port, "--lang", "pt-BR"]).ended(0).out;
    assert!(told.contains("português, por causa de --lang"), "{told}");
    assert!(told.contains(&format!("porta              {port} livre\n")), "{told}");
    let mut ascii = command(&["doctor", &port, "--lang", "pt-BR", "--ascii"]);
    ascii.env("LC_ALL", "C");
    assert!(Program::start(ascii).finish().ended(0).out.is_ascii());
}

/// Whoever has it is named: this very process.
#[cfg(target_os = "linux")]
#[test]
fn a_taken_port_ends_with_five_and_names_its_holder() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    for port in [udp.local_addr().unwrap().port(), tcp.local_addr().unwrap().port()] {
        let finished = run(&["doctor", &port.to_string()]).ended(5);
        let me = format!("(pid {})", std::process::id());
        assert!(finished.out.contains(&me) && finished.error.contains(&me), "{finished:?}");
        assert!(finished.error.contains("is already in use by"), "{finished:?}");
    }
}

#[test]
fn a_port_that_is_none_is_refused() {
    for port in ["0", "65536", "-1", "http", "7000x"] {
        run(&["doctor", port]).ended(2);
    }
    run(&["doctor", "7000", "7001"]).ended(2);
}
