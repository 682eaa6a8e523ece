//! `--wire tun`: the program against the running kernel's TCP.
//!
//! Each test runs itself again under `unshare --net`, so that nothing of the machine's network is
//! touched. Without the rights, or without `/dev/net/tun`, it says so by name and passes.

use std::net::{TcpStream, UdpSocket};
use std::process::Command;

use serde_json::Value;

use crate::support::{
    Finished, LONG_PATIENCE, MEBIBYTE, Program, Scratch, has, peer, run, server, skip, start,
};

const INSIDE: &str = "APERTO_TEST_INSIDE_NAMESPACE";
/// The addresses that the device gives to the kernel and to us.
const KERNEL: &str = "10.9.0.1";
const OURS: &str = "10.9.0.2";
/// In the device's network, and nobody's.
const NOBODY: &str = "10.9.0.77";

/// Runs a test in a network namespace of its own, or says why it cannot.
pub(crate) fn in_namespace(module: &str, name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        return body();
    }
    if !has(name, &["unshare", "ip", "python3"]) {
        return;
    }
    let possible = Command::new("unshare").args(["--net", "ip", "link"]).output().unwrap();
    if !possible.status.success() {
        return skip(name, &String::from_utf8_lossy(&possible.stderr));
    }
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        return skip(name, &format!("/dev/net/tun: {error}"));
    }
    let mut command = Command::new("unshare");
    command.arg("--net").arg(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("{module}::{name}"), "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1");
    let output = Program::start(command).finish_within(LONG_PATIENCE).ended(0);
    print!("{}", output.out);
    assert!(output.out.contains("1 passed"), "the test did not run inside:\n{}", output.out);
}

/// The kernel's end of a transfer, in Python.
struct Kernel(Program);

impl Kernel {
    fn listens(octets: usize, closes: &str) -> (Self, String) {
        // Everywhere: the device with the kernel's address is not there yet.
        let arguments = ["listen", "0.0.0.0", &octets.to_string(), closes];
        let mut kernel = Program::start(peer("transfer.py", &arguments));
        let port = kernel.first_line();
        (Self(kernel), port)
    }

    fn connects(octets: usize, closes: &str) -> Self {
        let to = format!("{OURS}:80");
        Self(Program::start(peer("transfer.py", &["connect", &to, &octets.to_string(), closes])))
    }

    #[track_caller]
    fn said(self) -> Value {
        let kernel = self.0.finish_within(LONG_PATIENCE).ended(0);
        let said: Value = serde_json::from_str(kernel.out.lines().last().unwrap()).unwrap();
        let megabytes = (said["sent"].as_f64().unwrap() + said["read"].as_f64().unwrap()) / 1e6;
        println!(
            "{megabytes:.1} MB in {} s: {:.1} MB/s",
            said["seconds"],
            megabytes / said["seconds"].as_f64().unwrap()
        );
        said
    }
}

/// A server of ours that sends all back, the kernel as its client. The kernel closes first.
fn kernel_asks(octets: usize, flags: &[&str]) {
    let server = server(80, &[&["--wire", "tun", "--echo", "--once", "--view", "none"], flags].concat());
    let said = Kernel::connects(octets, "first").said();
    assert_eq!(said["read"], octets);
    assert_eq!(said["read_sha256"], said["sent_sha256"]);
    let server = server.finish_within(LONG_PATIENCE).ended(0);
    assert!(server.out.contains(&format!("c1 closed · {octets} bytes in, {octets} out")), "{}", server.out);
}

/// A client of ours that sends a file while the kernel sends as much. We close first.
fn we_ask(octets: usize, flags: &[&str]) {
    let scratch = Scratch::new();
    let (file, hash) = scratch.large("file", octets);
    let (kernel, port) = Kernel::listens(octets, "last");
    let all = ["client", KERNEL, &port, "--wire", "tun", "--file", &file, "--view", "none"];
    let client = start(&[&all, flags].concat());
    let said = kernel.said();
    let client = client.finish_within(LONG_PATIENCE).ended(0);
    assert_eq!((&said["read"], &said["read_sha256"]), (&octets.into(), &hash.as_str().into()));
    assert_eq!(client.hashes(), [&hash, said["sent_sha256"].as_str().unwrap()], "{}", client.out);
}

#[test]
fn the_kernel_connects_and_64_mebibytes_go_each_way() {
    in_namespace("tun", "the_kernel_connects_and_64_mebibytes_go_each_way", || {
        kernel_asks(64 * MEBIBYTE, &[]);
    });
}

#[test]
fn we_connect_and_64_mebibytes_go_each_way() {
    in_namespace("tun", "we_connect_and_64_mebibytes_go_each_way", || we_ask(64 * MEBIBYTE, &[]));
}

#[test]
fn the_kernel_connects_and_text_goes_each_way_though_a_fiftieth_is_lost() {
    in_namespace("tun", "the_kernel_connects_and_text_goes_each_way_though_a_fiftieth_is_lost", || {
        kernel_asks(64 * MEBIBYTE, &["--loss", "2%"]);
    });
}

#[test]
fn we_connect_and_text_goes_each_way_though_a_fiftieth_is_lost() {
    in_namespace("tun", "we_connect_and_text_goes_each_way_though_a_fiftieth_is_lost", || {
        we_ask(64 * MEBIBYTE, &["--loss", "2%"]);
    });
}

#[test]
fn either_side_may_close_first() {
    in_namespace("tun", "either_side_may_close_first", || {
        // The kernel's client, before it said anything.
        let server_side = server(80, &["--wire", "tun", "--echo", "--once"]);
        assert_eq!(Kernel::connects(0, "first").said()["read"], 0);
        let server_side = server_side.finish().ended(0);
        assert!(
            server_side.out.contains("CLOSE_WAIT") && server_side.out.contains("LAST_ACK"),
            "{}",
            server_side.out
        );

        // Our server, because whoever types says so; the kernel's text comes after our FIN.
        let mut server_side = server(80, &["--wire", "tun", "--chat"]);
        let kernel = Kernel::connects(0, "last");
        server_side.sees("c1 open");
        server_side.is_told("hello\nsair\n");
        let said = kernel.said();
        // A person hears whole lines: the word and its end.
        assert_eq!(said["read"], 6);
        let server_side = server_side.finish().ended(0);
        assert!(server_side.out.contains("FIN_WAIT_1"), "{}", server_side.out);

        // The kernel's server; then once more, while our client still sends.
        let (kernel, port) = Kernel::listens(0, "first");
        let mut client = start(&["client", KERNEL, &port, "--wire", "tun"]);
        client.sees("LAST_ACK");
        assert_eq!(kernel.said()["read"], 0);
        let client = client.finish().ended(0);
        assert!(client.out.contains("CLOSE_WAIT"), "{}", client.out);
        let scratch = Scratch::new();
        let (file, hash) = scratch.large("file", 8 * MEBIBYTE);
        let (kernel, port) = Kernel::listens(0, "first");
        run(&["client", KERNEL, &port, "--wire", "tun", "--file", &file]).ended(0);
        assert_eq!(kernel.said()["read_sha256"], hash);

        // Our client.
        let (kernel, port) = Kernel::listens(0, "last");
        let client = run(&["client", KERNEL, &port, "--wire", "tun", "-m", "hello"]).ended(0);
        assert_eq!(kernel.said()["read"], 5);
        assert!(client.out.contains("FIN_WAIT_1"), "{}", client.out);
    });
}

/// A tool of the kernel's side, run to its end with this on its stdin.
fn tool(program: &str, arguments: &[&str], input: &str) -> Finished {
    let mut command = Command::new(program);
    command.args(arguments);
    let mut tool = Program::start(command);
    if !input.is_empty() {
        tool.is_told(input);
    }
    tool.finish()
}

#[test]
fn ping_nc_and_curl_are_answered() {
    let name = "ping_nc_and_curl_are_answered";
    in_namespace("tun", name, || {
        let mut server = server(80, &["--wire", "tun", "--upper"]);
        if has(name, &["ping"]) {
            let ping = tool("ping", &["-c", "2", "-i", "0.2", "-W", "5", OURS], "").ended(0);
            assert!(ping.out.contains("2 received"), "{}", ping.out);
            // Larger than the device's MTU: it comes and goes in fragments.
            let ping = tool("ping", &["-c", "1", "-s", "4000", "-W", "5", OURS], "").ended(0);
            assert!(ping.out.contains("1 received"), "{}", ping.out);
        }
        if has(name, &["nc"]) {
            assert_eq!(tool("nc", &["-N", OURS, "80"], "olá\n").ended(0).out, "OLÁ\n");
            server.sees("c1 closed · 5 bytes in, 5 out");
            // Nobody of ours listens there.
            tool("nc", &["-z", "-w", "5", OURS, "81"], "").ended(1);
        }
        if has(name, &["curl"]) {
            let at = format!("http://{OURS}/");
            let curl = tool("curl", &["-s", "--http0.9", "--max-time", "1", &at], "");
            // The capitals of its own request, until its patience (28) ends: that is no web server.
            assert_eq!(curl.code, 28, "{curl:?}");
            assert!(curl.out.starts_with("GET / HTTP/1.1\r\nHOST: 10.9.0.2"), "{}", curl.out);
        }
        let refused = TcpStream::connect((OURS, 81)).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        server.signal("INT");
        server.finish().ended(130);
    });
}

#[test]
fn refused_and_timed_out_are_told_in_both_languages() {
    in_namespace("tun", "refused_and_timed_out_are_told_in_both_languages", || {
        let refused = run(&["client", KERNEL, "9", "--wire", "tun", "-m", "x"]).ended(3);
        assert!(refused.error.starts_with("error: connection refused by 10.9.0.1:9"), "{}", refused.error);
        assert!(refused.error.contains("(exit 3)") && refused.error.contains("RST"), "{}", refused.error);
        let refused = run(&["cliente", KERNEL, "9", "--wire", "tun", "-m", "x", "--lang", "pt-BR"]).ended(3);
        assert!(refused.error.starts_with("erro: "), "{}", refused.error);
        assert!(
            refused.error.contains("10.9.0.1:9") && refused.error.contains("(saída 3)"),
            "{}",
            refused.error
        );

        let client = ["client", NOBODY, "80", "--wire", "tun", "-m", "x", "--timeout", "1500ms"];
        let silent = run(&client).ended(4);
        assert!(silent.error.starts_with("error: ") && silent.error.contains("(exit 4)"), "{}", silent.error);
        assert!(silent.out.contains("SYN"), "{}", silent.out);
        let silent = run(&[&client[..], &["--lang", "pt-BR"]].concat()).ended(4);
        assert!(silent.error.starts_with("erro: ") && silent.error.contains("(saída 4)"), "{}", silent.error);
    });
}

#[test]
fn a_kernel_that_resets_is_told() {
    in_namespace("tun", "a_kernel_that_resets_is_told", || {
        let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let mut client = start(&["client", KERNEL, &port, "--wire", "tun"]);
        client.is_told("hello");
        let (peer, _) = listener.accept().unwrap();
        client.sees("len=5");
        // Closing with unread text resets. RFC 9293 §3.10.4 does not ask for it, RFC 2525 §2.17 does.
        drop(peer);
        let client = client.finish().ended(3);
        assert!(client.error.contains("reset the connection"), "{}", client.error);
    });
}

#[test]
fn datagrams_go_both_ways() {
    in_namespace("tun", "datagrams_go_both_ways", || {
        let mut server = server(7, &["--wire", "tun", "--proto", "udp", "--upper"]);
        let socket = UdpSocket::bind((KERNEL, 0)).unwrap();
        socket.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
        let mut room = [0; 5000];
        // The second is larger than the device's MTU: fragments.
        for text in ["olá".to_owned(), "a".repeat(4000)] {
            socket.send_to(text.as_bytes(), (OURS, 7)).unwrap();
            let (octets, _) = socket.recv_from(&mut room).unwrap();
            assert_eq!(&room[..octets], text.to_uppercase().as_bytes());
        }
        server.sees("c1 10.9.0.1:");
    });
}

#[test]
fn the_kernel_carries_a_handshake_told_in_text_to_our_tcp_and_back() {
    in_namespace("tun", "the_kernel_carries_a_handshake_told_in_text_to_our_tcp_and_back", || {
        let ours = server(5000, &["--wire", "tun", "--text", "handshake", "--once", "--timeout", "20s"]);
        let at = format!("{OURS}:5000");
        let theirs = Program::start(peer("text_handshake.py", &["client", &at, "20"])).finish().ended(0);
        assert!(theirs.out.ends_with("closed\n"), "{}", theirs.out);
        let said = ours.finish().ended(0).out;
        for wanted in ["SYN,ACK", "c1 [RECEIVED] SYN:2389", "c1 [CONNECTION CLOSED] 7 messages", "c1 closed"]
        {
            assert!(said.contains(wanted), "no {wanted:?} in\n{said}");
        }
    });
}

/// Files from the kernel's own TCP into ours.
#[test]
fn a_folder_arrives_over_tun_from_the_systems_own_sockets() {
    in_namespace("tun", "a_folder_arrives_over_tun_from_the_systems_own_sockets", || {
        let scratch = Scratch::new();
        std::fs::create_dir_all(scratch.file("aula")).unwrap();
        std::fs::create_dir_all(scratch.file("chegada")).unwrap();
        let (file, _) = scratch.large("aula/mar.jpg", 4 * MEBIBYTE);
        let target = scratch.file("chegada");
        let server = server(80, &["--wire", "tun", "--receive", &target, "--once", "--view", "none"]);
        let source = scratch.file("aula");
        let client = run(&["client", OURS, "80", "--wire", "os", "--send", &source]).ended(0);
        assert!(client.out.contains("1 file, 4.0 MiB: arrived whole"), "{}", client.out);
        server.finish().ended(0);
        let copy = format!("{target}/aula/mar.jpg");
        assert!(std::fs::read(file).unwrap() == std::fs::read(copy).unwrap());
    });
}
