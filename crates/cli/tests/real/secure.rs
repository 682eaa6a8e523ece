//! `--secure`: two programs of ours over the tunnel and the system's sockets; whom they trust, and
//! what they say when there is no secrecy to be had.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::{Finished, MEBIBYTE, Program, Scratch, command, free_port, has};

/// A user with a folder for keys of their own.
pub(crate) struct User(pub(crate) Scratch);

impl User {
    pub(crate) fn new() -> Self {
        Self(Scratch::new())
    }

    pub(crate) fn home(&self) -> String {
        self.0.file("home")
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Program {
        let mut command = command(arguments);
        command.env("APERTO_HOME", self.home());
        Program::start(command)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish()
    }

    /// A server that listens, and its address with the key in it.
    pub(crate) fn serves(&self, port: u16, arguments: &[&str]) -> (Program, String) {
        let port = port.to_string();
        let mut server = self.start(&[&["server", &port, "--secure"], arguments].concat());
        let line = server.sees("aperto://");
        let address = line.split_whitespace().find(|word| word.starts_with("aperto://")).unwrap();
        (server, address.to_owned())
    }
}

/// Each fault in both languages, within 80 columns, with its code.
#[track_caller]
fn told(finished: &Finished, wanted: &[&str]) {
    // Long names of files break lines elsewhere.
    let error: String = finished.error.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in wanted {
        assert!(error.contains(wanted), "no {wanted:?} in\n{}", finished.error);
    }
    let is_wide = |line: &&str| line.chars().count() > 80 && !line.contains('/');
    assert_eq!(finished.error.lines().find(is_wide), None);
    assert!(!finished.error.contains("panicked"));
}

#[test]
fn each_service_is_had_in_secret_over_the_tunnel_and_the_systems_sockets() {
    let (ana, bob) = (User::new(), User::new());
    for wire in ["udp", "os"] {
        for (service, answer) in
            [(&["--echo"][..], "olá"), (&["--upper"], "OLÁ"), (&["--sink"], ""), (&[], "got 4 bytes")]
        {
            let port = free_port();
            let (mut server, address) = ana.serves(port, &[service, &["--wire", wire, "--once"]].concat());
            let client = ["client", &address, "--wire", wire, "-m", "olá", "--view", "none"];
            assert_eq!(bob.run(&client).ended(0).out, answer, "{wire} {service:?}");
            server.sees("[ENCRYPTED] TLS 1.3 · X25519 · TLS13_AES_128_GCM_SHA256");
            server.finish().ended(0);
        }
    }
}

#[test]
fn a_file_arrives_whole_and_what_is_typed_is_heard() {
    let (ana, bob) = (User::new(), User::new());
    let (file, hash) = bob.0.large("file", 3 * MEBIBYTE);
    for wire in ["udp", "os"] {
        let kept = ana.0.file("kept");
        let (server, address) = ana.serves(free_port(), &["--out", &kept, "--wire", wire, "--once"]);
        bob.run(&["client", &address, "--wire", wire, "--file", &file]).ended(0);
        assert_eq!(server.finish().ended(0).hashes(), [hash.as_str()]);
        assert_eq!(std::fs::read(&kept).unwrap(), std::fs::read(&file).unwrap());

        let (mut server, address) = ana.serves(free_port(), &["--chat", "--wire", wire, "--once"]);
        let mut client = bob.start(&["client", &address, "--wire", wire]);
        client.sees("[KEY]");
        client.is_told("bom dia");
        server.sees("bom dia");
        server.is_told("boa noite\n");
        client.sees("boa noite");
        client.finish().ended(0);
    }
}

/// RELIABILITY SC-9: a client that means one service is not answered by another.
#[test]
fn a_handshake_in_text_is_told_in_secret_and_not_to_an_echo() {
    let (ana, bob) = (User::new(), User::new());
    for wire in ["udp", "os"] {
        let (server, address) = ana.serves(free_port(), &["--text", "handshake", "--wire", wire, "--once"]);
        let client = ["client", &address, "--text", "handshake", "--wire", wire];
        let client = bob.run(&client).ended(0);
        assert!(client.out.contains("aperto-text/1"), "{}", client.out);
        server.finish().ended(0);
        let (mut server, address) = ana.serves(free_port(), &["--echo", "--wire", wire]);
        let client = ["client", &address, "--text", "handshake", "--wire", wire];
        told(&bob.run(&client).ended(3), &["has another service than you mean"]);
        server.sees("does not name the service aperto-echo/1");
    }
}

/// RELIABILITY SC-4, checked on the wire: the client's octets are TLS records, the first a hello,
/// all after it protected, and the text is in none of them.
#[test]
fn a_client_that_was_told_secure_sends_no_octet_in_plain() {
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let (server, address) = ana.serves(port, &["--echo", "--wire", "os", "--once"]);
    let tap = Tap::before(port, |_, _| ());
    let address = address.replace(&port.to_string(), &tap.port);
    let secret = "this is the secret that nobody reads";
    let client = ["client", &address, "--wire", "os", "-m", secret, "--view", "none"];
    assert_eq!(bob.run(&client).ended(0).out, secret);
    server.finish().ended(0);
    let (up, down) = tap.heard();
    assert_eq!(kinds(&up)[..2], [22, 20]);
    assert!(kinds(&up)[2..].iter().all(|kind| *kind == 23), "{:?}", kinds(&up));
    assert!(kinds(&down)[2..].iter().all(|kind| *kind == 23), "{:?}", kinds(&down));
    for heard in [up, down] {
        assert!(!heard.windows(12).any(|window| secret.as_bytes().windows(12).any(|part| part == window)));
    }
}

/// The types of the records in a stream; fails where it is no whole number of records.
fn kinds(mut stream: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [kind, 3, _, high, low, rest @ ..] = stream {
        kinds.push(*kind);
        stream = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    assert!(stream.is_empty(), "no record: {stream:?}");
    kinds
}

/// Somebody on the way: hears both ways, and may change what goes to the client.
struct Tap {
    port: String,
    thread: JoinHandle<(Vec<u8>, Vec<u8>)>,
}

impl Tap {
    fn before(port: u16, mut change: impl FnMut(usize, &mut Vec<u8>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port().to_string();
        let thread = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let up = std::thread::spawn(move || {
                let mut heard = Vec::new();
                let mut room = [0; 4096];
                while let Ok(octets @ 1..) = from_client.read(&mut room) {
                    heard.extend_from_slice(&room[..octets]);
                    if to_server.write_all(&room[..octets]).is_err() {
                        break;
                    }
                }
                let _ = to_server.shutdown(std::net::Shutdown::Write);
                heard
            });
            let mut down = Vec::new();
            let mut room = [0; 4096];
            while let Ok(octets @ 1..) = server.read(&mut room) {
                let from = down.len();
                down.extend_from_slice(&room[..octets]);
                let mut passed = room[..octets].to_vec();
                change(from, &mut passed);
                if passed.is_empty() || client.write_all(&passed).is_err() {
                    break;
                }
            }
            let _ = client.shutdown(std::net::Shutdown::Write);
            (up.join().unwrap(), down)
        });
        Self { port: own, thread }
    }

    fn heard(self) -> (Vec<u8>, Vec<u8>) {
        self.thread.join().unwrap()
    }
}

/// RELIABILITY SC-1 and SC-3, as processes: a bit changed on the way, and a connection cut.
#[test]
fn a_change_and_a_cut_on_the_way_are_told_and_end_with_1() {
    let (ana, bob) = (User::new(), User::new());
    let file = bob.0.large("file", MEBIBYTE).0;
    for (language, tampered, cut) in [
        ("en", "was changed on its way, or forged", "cut off after"),
        ("pt-BR", "foi mudado no caminho", "cortado depois de"),
    ] {
        for (wanted, changes) in [(tampered, true), (cut, false)] {
            let port = free_port();
            let (_server, address) = ana.serves(port, &["--echo", "--wire", "os"]);
            let tap = Tap::before(port, move |from, octets| {
                if from > 100_000 && changes {
                    octets[0] ^= 1;
                } else if from > 100_000 {
                    octets.clear();
                }
            });
            let address = address.replace(&port.to_string(), &tap.port);
            let client = ["client", &address, "--wire", "os", "--file", &file, "--lang", language];
            told(&bob.run(&client).ended(1), &[wanted]);
        }
    }
}

#[test]
fn what_came_before_a_cut_is_not_under_the_files_name() {
    let (ana, bob) = (User::new(), User::new());
    let kept = ana.0.file("kept");
    let (mut server, address) = ana.serves(free_port(), &["--out", &kept, "--wire", "os", "--once"]);
    let mut client = bob.start(&["client", &address, "--wire", "os"]);
    client.sees("[KEY]");
    client.is_told("the beginning of it");
    server.sees("the beginning of it");
    client.signal("KILL");
    server.sees("[BROKEN OFF]");
    server.sees("kept.partial");
    told(&server.finish().ended(1), &["cut off"]);
    assert!(!std::path::Path::new(&kept).exists());
    assert_eq!(std::fs::read(kept + ".partial").unwrap(), b"the beginning of it");
}

/// RELIABILITY SC-5: first use, the same again, a changed key, a forgotten one.
#[test]
fn a_key_is_believed_at_first_and_another_one_stops_hard() {
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let ask = |more: &[&str]| {
        let port = port.to_string();
        bob.run(&[&["client", "127.0.0.1", &port, "--secure", "-m", "x"], more].concat())
    };
    let (first, _) = ana.serves(port, &["--echo"]);
    assert!(ask(&[]).ended(0).out.contains("seen for the first time"));
    assert!(ask(&[]).ended(0).out.contains("the same as before"));
    drop(first);
    let made = ana.run(&["key", "new"]).ended(0);
    assert!(made.out.contains("server.key.old") && made.out.contains("aperto key forget"), "{}", made.out);
    let (mut server, _) = ana.serves(port, &["--echo"]);
    let server_name = format!("127.0.0.1:{port}");
    let forget = format!("aperto key forget {server_name}");
    told(&ask(&[]).ended(3), &["has changed; nothing was sent", &forget, "line 2"]);
    let esquecer = format!("aperto chave esquecer {server_name}");
    told(&ask(&["--lang", "pt-BR"]).ended(3), &["mudou; nada foi enviado", &esquecer]);
    server.sees("[NOT SECURED]");
    assert!(!server.printed().contains("1 bytes in"), "{}", server.printed());
    bob.run(&["key", "forget", &server_name]).ended(0);
    bob.run(&["chave", "esquecer", &server_name]).ended(1);
    assert!(ask(&[]).ended(0).out.contains("seen for the first time"));
}

#[test]
fn an_address_with_another_key_is_refused_at_once() {
    let (ana, bob, eve) = (User::new(), User::new(), User::new());
    let port = free_port();
    let (ours, address) = ana.serves(port, &["--echo"]);
    assert!(
        bob.run(&["client", &address, "-m", "x"]).ended(0).out.contains("the key that the address names")
    );
    // Nothing had to be remembered.
    assert!(!std::path::Path::new(&bob.home()).exists());
    drop(ours);
    let (mut theirs, _) = eve.serves(port, &["--echo"]);
    told(
        &bob.run(&["client", &address, "-m", "x"]).ended(3),
        &["does not have the key", "wanted: ", "shown: "],
    );
    let portuguese = bob.run(&["client", &address, "-m", "x", "--lang", "pt-BR"]).ended(3);
    told(&portuguese, &["não tem a chave que o endereço diz"]);
    theirs.sees("[NOT SECURED]");
    told(&bob.run(&["client", &address[..address.len() - 3], "-m", "x"]).ended(2), &["26 letters"]);
    told(&bob.run(&["client", "aperto://:7/#x", "-m", "x"]).ended(2), &["not the name of a key"]);
    told(&bob.run(&["client", "aperto://a b", "-m", "x"]).ended(2), &["is not an address of ours"]);
}

/// RELIABILITY SC-4: nothing falls back, and each side says what the other one speaks.
#[test]
fn plain_and_secret_do_not_meet_and_both_sides_say_so() {
    let (ana, bob) = (User::new(), User::new());
    for wire in ["udp", "os"] {
        // A secure client at a server in plain.
        for (service, english, portuguese) in [
            ("--echo", "sent our ClientHello back", "devolveu o nosso ClientHello"),
            ("--upper", "does not speak TLS", "não fala TLS"),
            ("--chat", "does not speak TLS", "não fala TLS"),
            ("--sink", "no TLS handshake", "nenhum handshake TLS"),
        ] {
            let port = free_port().to_string();
            let mut server = ana.start(&["server", &port, service, "--wire", wire]);
            server.sees("LISTEN");
            let client = ["client", "127.0.0.1", &port, "--secure", "--wire", wire, "-m", "secret"];
            if service == "--sink" {
                // It is silent; our patience is 10 s, the user's is shorter.
                bob.run(&[&client[..], &["--timeout", "500ms"]].concat()).ended(4);
            } else {
                told(&bob.run(&client).ended(7), &[english]);
                told(&bob.run(&[&client[..], &["--lang", "pt-BR"]].concat()).ended(7), &[portuguese]);
            }
            server.sees(if service == "--chat" { "speaks TLS here" } else { "[TLS?]" });
            assert!(!server.printed().contains("secret"), "{}", server.printed());
        }
        // A client in plain at a secure server.
        let port = free_port();
        let (mut server, _) = ana.serves(port, &["--echo", "--wire", wire]);
        let port = port.to_string();
        let client = ["client", "127.0.0.1", &port, "--wire", wire, "-m", "hi", "--view", "none"];
        let refused = bob.run(&client).ended(7);
        told(&refused, &["wants TLS, and you spoke in plain", "--secure"]);
        assert_eq!(refused.out, "");
        told(&bob.run(&[&client[..], &["--lang", "pt-BR"]].concat()).ended(7), &["quer TLS"]);
        server.sees("[NOT SECURED]");
        server.sees("speaks in plain text");
    }
}

#[test]
fn nc_at_a_secure_server_reads_a_hint() {
    if !has("nc_at_a_secure_server_reads_a_hint", &["nc"]) {
        return;
    }
    let ana = User::new();
    let port = free_port();
    let (_server, _) = ana.serves(port, &["--echo", "--wire", "os"]);
    let mut nc = std::process::Command::new("nc");
    nc.args(["-N", "127.0.0.1", &port.to_string()]);
    let mut nc = Program::start(nc);
    nc.is_told("GET / HTTP/1.1\r\n\r\n");
    let heard = nc.finish().ended(0).out;
    assert_eq!(heard, "this port speaks TLS 1.3 only: use aperto client --secure, or openssl s_client\n");
}

/// RELIABILITY SC-11.
#[test]
fn a_key_that_others_can_read_is_not_used() {
    let ana = User::new();
    let port = free_port();
    drop(ana.serves(port, &["--echo"]));
    let key = format!("{}/server.key", ana.home());
    let mode = |file: &str| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&key), mode(&ana.home())), (0o600, 0o700));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let server = ["server", &port.to_string(), "--secure"];
    told(&ana.run(&server).ended(5), &["others than you can read", "mode 644", "chmod 600"]);
    told(
        &ana.run(&[&server[..], &["--lang", "pt-BR"]].concat()).ended(5),
        &["outros além de você", "chmod 600"],
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, "nothing").unwrap();
    told(&ana.run(&server).ended(6), &["is damaged"]);
}

#[test]
fn a_list_of_known_servers_that_is_damaged_is_not_believed() {
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let (_server, _) = ana.serves(port, &["--echo"]);
    let client = ["client", "127.0.0.1", &port.to_string(), "--secure", "-m", "x"];
    bob.run(&client).ended(0);
    let list = format!("{}/known_servers", bob.home());
    std::fs::write(&list, "127.0.0.1:1 what\n").unwrap();
    told(&bob.run(&client).ended(6), &["is damaged (line 1)"]);
}

/// RELIABILITY SC-7.
#[test]
fn a_key_log_is_written_only_where_it_is_asked_for_and_for_one_owner() {
    let (ana, bob) = (User::new(), User::new());
    let log = bob.0.file("keys.log");
    let (_server, address) = ana.serves(free_port(), &["--echo"]);
    let mut quiet = command(&["client", &address, "-m", "x", "-q"]);
    quiet.env("SSLKEYLOGFILE", &log);
    Program::start(quiet).finish().ended(0);
    assert!(!std::path::Path::new(&log).exists());
    let logged = bob.run(&["client", &address, "-m", "x", "-q", "--keylog", &log]).ended(0);
    assert!(logged.error.contains("[KEYS]"), "{}", logged.error);
    let text = std::fs::read_to_string(&log).unwrap();
    for label in [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
        "CLIENT_TRAFFIC_SECRET_0 ",
        "SERVER_TRAFFIC_SECRET_0 ",
        "EXPORTER_SECRET ",
    ] {
        assert_eq!(text.matches(label).count(), 1, "{text}");
    }
    let mode = || std::fs::metadata(&log).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&log, std::fs::Permissions::from_mode(0o644)).unwrap();
    told(&bob.run(&["client", &address, "-m", "x", "--keylog", &log]).ended(5), &["chmod 600"]);
}

#[test]
fn flags_of_secrecy_that_would_do_nothing_are_refused() {
    let bob = User::new();
    for (arguments, wanted) in [
        (&["--keylog", "x"][..], "--secure"),
        (&["--with-keys"], "--secure"),
        (&["--secure", "--with-keys"], "-w FILE.pcapng"),
        (&["--secure", "--with-keys", "-w", "x.pcap"], "-w FILE.pcapng"),
        (&["--secure", "--with-keys", "--wire", "os"], "do not show their packets"),
        (&["--secure", "--proto", "udp"], "only TCP has it"),
    ] {
        let refused = bob.run(&[&["client", "127.0.0.1", "9"], arguments].concat()).ended(2);
        told(&refused, &[wanted]);
    }
    told(&bob.run(&["key", "show"]).ended(1), &["there is no key yet"]);
    told(&bob.run(&["key", "shwo"]).ended(2), &["show"]);
    told(&bob.run(&["key", "forget"]).ended(2), &["HOST:PORT"]);
}

/// RELIABILITY SC-6: garbage and silence at once, and honest clients among them.
#[test]
fn a_flood_of_handshakes_that_come_to_nothing_leaves_room_for_honest_ones() {
    let (ana, bob) = (User::new(), User::new());
    let port = free_port();
    let (mut server, address) = ana.serves(port, &["--echo", "--wire", "os", "--view", "none"]);
    let at = ("127.0.0.1", port);
    let flood = std::thread::spawn(move || {
        for round in 0..2_000_u32 {
            let mut one = TcpStream::connect(at).unwrap();
            let garbage: &[u8] = match round % 3 {
                0 => b"\x16\x03\x01\xff\xff",
                1 => &[0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff],
                _ => b"GET / HTTP/1.0\r\n\r\n",
            };
            let _ = one.write_all(garbage);
        }
    });
    for _ in 0..20 {
        let client = ["client", &address, "--wire", "os", "-m", "honest", "--view", "none"];
        assert_eq!(bob.run(&client).ended(0).out, "honest");
    }
    flood.join().unwrap();
    // More silent ones than there are places: those beyond are turned away at once.
    let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(at).unwrap()).collect();
    server.sees("was turned away");
    drop(silent);
    let client = ["client", &address, "--wire", "os", "-m", "after", "--view", "none"];
    let mut answer = String::new();
    for _ in 0..20 {
        let asked = bob.run(&client);
        answer = asked.out;
        if asked.code == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(answer, "after");
}

/// RELIABILITY SC-6: nothing holds a place for longer than 10 s.
#[test]
fn a_client_that_says_nothing_is_told_goodbye_after_ten_seconds() {
    let ana = User::new();
    let port = free_port();
    let (mut server, _) = ana.serves(port, &["--echo", "--wire", "os"]);
    let mut silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut heard = String::new();
    silent.read_to_string(&mut heard).unwrap();
    assert!(heard.starts_with("this port speaks TLS 1.3 only"), "{heard}");
    server.sees("no TLS handshake with");
    server.sees("10 s");
}
