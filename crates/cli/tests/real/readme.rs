//! The commands of both READMEs, as they stand there, each typed into a shell.
//!
//! A page is gone through from top to bottom in one folder. What listens does so until the next block
//! of commands, and has its visitor. A port of the page stands for one that is free. A command that is
//! not known here is a fault: whoever writes one into a README says here what it does.
//!
//! Left out: what builds or needs an administrator or a screen (`ELSEWHERE`); `docs/claims.toml` says
//! who shows that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;

use super::support::{Program, Scratch, free_port, has, peer};

const PORTS: [&str; 4] = ["7000", "5000", "1337", "65432"];

/// Shown by `test.sh`, by the tests over TUN, and by those that read recordings with tshark.
const ELSEWHERE: [&str; 6] = [
    "cargo run --release",
    "./test.sh",
    "wireshark lost.pcapng",
    "wireshark perda.pcapng",
    "sudo aperto server 80 --wire tun",
    "sudo aperto servidor 80 --wire tun",
];

/// What a command does.
enum Does {
    /// It listens, and this is who comes.
    Listens(fn(&Page, u16)),
    /// It ends with 0 and says this, in English and in Portuguese.
    Ends(&'static [&'static str], &'static [&'static str]),
    /// So does it, after those that listened have ended.
    EndsAfterwards(&'static [&'static str], &'static [&'static str]),
}
use Does::{Ends, EndsAfterwards, Listens};

/// The command in English, in Portuguese, and what it does.
const COMMANDS: &[(&str, &str, Does)] = &[
    ("aperto help", "aperto help", Ends(&["Commands"], &["Comandos"])),
    (
        "aperto --drop 4",
        "aperto --drop 4",
        Ends(&["10 segments, 1 lost", "why:"], &["10 segmentos, 1 perdido", "por quê:"]),
    ),
    (
        "aperto --drop data:1 --delay synack=300ms",
        "aperto --drop data:1 --delay synack=300ms",
        Ends(&["+300 ms", "1 lost"], &["+300 ms", "1 perdido"]),
    ),
    (
        "aperto demo bulk --size 20k --loss 10% --seed 7",
        "aperto demonstracao bulk --size 20k --loss 10% --seed 7",
        Ends(&["why:", "20480 bytes delivered"], &["por quê:", "20480 bytes entregues"]),
    ),
    (
        "aperto demo teardown --why full",
        "aperto demonstracao teardown --why full",
        Ends(&["socket(): no segment", "close()"], &["socket(): nenhum segmento", "close()"]),
    ),
    (
        "aperto demo",
        "aperto demonstracao",
        Ends(
            &["handshake", "zero-window", "half-close", "simultaneous-open", "time-wait"],
            &["handshake", "zero-window", "half-close", "simultaneous-open", "time-wait"],
        ),
    ),
    ("aperto server 7000", "aperto servidor 7000", Listens(nobody)),
    (
        "aperto client 127.0.0.1 7000",
        "aperto cliente 127.0.0.1 7000",
        Ends(&["got 5 bytes", "[CONNECTION CLOSED]"], &["recebi 5 bytes", "[CONEXÃO ENCERRADA]"]),
    ),
    (
        "aperto client 127.0.0.1 7000 --file photo.jpg --loss 5% --dup 2%",
        "aperto cliente 127.0.0.1 7000 --file foto.jpg --loss 5% --dup 2%",
        Ends(&["sha256"], &["sha256"]),
    ),
    (
        "aperto server 5000 --chat --journal room.journal",
        "aperto servidor 5000 --chat --journal sala.journal",
        Listens(nobody),
    ),
    (
        "aperto client 127.0.0.1 5000 --chat --name ana --max 400 --window 2 --ack group",
        "aperto cliente 127.0.0.1 5000 --chat --name ana --max 400 --window 2 --ack group",
        Ends(&["ana is in", "granted the same"], &["ana entrou", "concedido  o mesmo"]),
    ),
    ("mkdir inbox", "mkdir entrada", Ends(&[], &[])),
    ("aperto server 7000 --receive inbox", "aperto servidor 7000 --receive entrada", Listens(nobody)),
    (
        "aperto client 127.0.0.1 7000 --send lesson --loss 2%",
        "aperto cliente 127.0.0.1 7000 --send aula --loss 2%",
        Ends(&["arrived whole"], &["chegou inteiro"]),
    ),
    ("aperto server 7000 --offer lesson", "aperto servidor 7000 --offer aula", Listens(nobody)),
    (
        "aperto client 127.0.0.1 7000 --fetch inbox",
        "aperto cliente 127.0.0.1 7000 --fetch entrada",
        Ends(&["1 file"], &["aula/slides.pdf"]),
    ),
    ("aperto server 7000 --echo --secure", "aperto servidor 7000 --echo --secure", Listens(nobody)),
    (
        "aperto client 127.0.0.1 7000 --secure -m \"nobody else reads this\"",
        "aperto cliente 127.0.0.1 7000 --secure -m \"ninguém mais lê isto\"",
        Ends(&["TLS 1.3", "nobody else reads this"], &["TLS 1.3", "ninguém mais lê isto"]),
    ),
    ("aperto key show", "aperto chave mostrar", Ends(&["openssl s_client"], &["openssl s_client"])),
    (
        "aperto server 7000 --echo --secure --with-keys -w secret.pcapng",
        "aperto servidor 7000 --echo --secure --with-keys -w segredo.pcapng",
        Listens(somebody_in_secret),
    ),
    (
        "tshark -r secret.pcapng -d tcp.port==7000,tls -o tcp.reassemble_out_of_order:TRUE",
        "tshark -r segredo.pcapng -d tcp.port==7000,tls -o tcp.reassemble_out_of_order:TRUE",
        EndsAfterwards(&["Client Hello"], &["Client Hello"]),
    ),
    (
        "aperto server 5000 --wire os --text handshake",
        "aperto servidor 5000 --wire os --text handshake",
        Listens(a_program_in_python),
    ),
    (
        "aperto client 127.0.0.1 1337 --wire os --text three-way",
        "aperto cliente 127.0.0.1 1337 --wire os --text three-way",
        Ends(&["[3] ACK/seq=908"], &["[3] ACK/seq=908"]),
    ),
    (
        "aperto demo text-handshake",
        "aperto demonstracao text-handshake",
        Ends(&["SYN:2389", "why:"], &["SYN:2389", "por quê:"]),
    ),
    (
        "aperto --drop 4 -w lost.pcapng --tag \"class B\"",
        "aperto --drop 4 -w perda.pcapng --tag \"turma B\"",
        Ends(&["lost.pcapng"], &["perda.pcapng"]),
    ),
    ("aperto show lost.pcapng", "aperto mostrar perda.pcapng", Ends(&["why:"], &["por quê:"])),
    (
        "aperto --drop 4 -w lost.aperto",
        "aperto --drop 4 -w perda.aperto",
        Ends(&["lost.aperto"], &["perda.aperto"]),
    ),
    ("aperto replay lost.aperto", "aperto repetir perda.aperto", Ends(&["same, "], &["igual, "])),
    (
        "aperto server 7000 -w server.aperto --once",
        "aperto servidor 7000 -w servidor.aperto --once",
        Listens(nobody),
    ),
    (
        "aperto client 127.0.0.1 7000 -m hello --drop data:1 -w client.aperto",
        "aperto cliente 127.0.0.1 7000 -m oi --drop data:1 -w cliente.aperto",
        Ends(&["[LOST]", "[RESENT]"], &["[PERDIDO]", "[REENVIO]"]),
    ),
    (
        "aperto merge client.aperto server.aperto -w both.pcapng",
        "aperto juntar cliente.aperto servidor.aperto -w ambos.pcapng",
        EndsAfterwards(&["1 lost between", "both.pcapng"], &["ambos.pcapng"]),
    ),
    (
        "printf 'handshake in 1..3\\nretransmissions 1\\nclosed-first-by client\\n' > report.rules",
        "printf 'aperto-de-mao em 1..3\\nreenvios = 1\\nfechou-primeiro cliente\\n' > relatorio.regras",
        Ends(&[], &[]),
    ),
    (
        "aperto check lost.pcapng report.rules",
        "aperto conferir perda.pcapng relatorio.regras",
        Ends(&["3 of 3 ok"], &["3 de 3 ok"]),
    ),
    ("aperto check --help", "aperto conferir --help", Ends(&["closed-first-by"], &["fechou-primeiro"])),
    (
        "aperto compare udp tcp saw gbn sr -m \"reliable transport of data\" --payload 4 --window 4 --drop data:2",
        "aperto comparar udp tcp saw gbn sr -m \"transporte confiável de dados\" --payload 4 --window 4 --drop data:2",
        Ends(&["(does not recover)", "3 duplicate ACKs"], &["saw", "gbn", "sr"]),
    ),
    ("aperto server 7000 --proto gbn", "aperto servidor 7000 --proto gbn", Listens(nobody)),
    (
        "aperto client 127.0.0.1 7000 --proto gbn --payload 3 --window 5 --ack individual -m \"oi, voce\" --drop data:1",
        "aperto cliente 127.0.0.1 7000 --proto gbn --payload 3 --window 5 --ack individual -m \"oi, voce\" --drop data:1",
        Ends(&["win=5 ack=individual", "[LOST]"], &["win=5 ack=individual", "[PERDIDO]"]),
    ),
    ("aperto server 7000 --proto gbn --secure", "aperto servidor 7000 --proto gbn --secure", Listens(nobody)),
    (
        "aperto client 127.0.0.1 7000 --proto gbn --secure -m \"reliable and sealed\" --corrupt data:1",
        "aperto cliente 127.0.0.1 7000 --proto gbn --secure -m \"confiável e selado\" --corrupt data:1",
        Ends(&["[seal]", "[RESENT]"], &["[selo]", "[REENVIO]"]),
    ),
    (
        "aperto --proto gbn --secure --corrupt data:1 -m \"reliable text\"",
        "aperto --proto gbn --secure --corrupt data:1 -m \"reliable text\"",
        Ends(&["Noise XX", "RTX"], &["Noise XX", "REENVIO"]),
    ),
    (
        "aperto compare --integrity none,digest,tls,aead",
        "aperto comparar --integrity none,digest,tls,aead",
        Ends(&["none", "digest", "tls", "aead"], &["none", "digest", "tls", "aead"]),
    ),
    (
        "aperto bench --csv results.csv --svg figures",
        "aperto medir --csv resultados.csv --svg figuras",
        Ends(&["360 cells", "wrote results.csv"], &["360 células", "resultados.csv"]),
    ),
    (
        "aperto bench --proto gbn,sr --delay 50ms --loss 0,5,10% --reorder 0% --window 4,16 --packets 500 \
         --json results.json",
        "aperto medir --proto gbn,sr --delay 50ms --loss 0,5,10% --reorder 0% --window 4,16 --packets 500 \
         --json resultados.json",
        Ends(&["12 cells"], &["12 células"]),
    ),
    ("aperto states --drop 4", "aperto estados --drop 4", Ends(&["ESTABLISHED"], &["ESTABLISHED"])),
    ("aperto states lost.pcapng", "aperto estados perda.pcapng", Ends(&["ESTABLISHED"], &["ESTABLISHED"])),
    (
        "aperto states --os --port 7000 --why full",
        "aperto estados --os --port 7000 --why full",
        Ends(&["proto local"], &["proto local"]),
    ),
    (
        "aperto demo ports --clients 3",
        "aperto demonstracao ports --clients 3",
        Ends(
            &["port stays 7000", "port changes"],
            &["porta do servidor continua 7000", "porta do cliente muda"],
        ),
    ),
    (
        "aperto doctor 7000 --lan",
        "aperto diagnostico 7000 --lan",
        Ends(&["this machine", "firewall", "colleague"], &["firewall", "porta", "colega"]),
    ),
    (
        "aperto server 65432 --echo --wire os",
        "aperto servidor 65432 --echo --wire os",
        Listens(somebody_who_shouts),
    ),
];

/// A page, its folder, and what listens.
struct Page {
    name: &'static str,
    language: &'static str,
    scratch: Scratch,
    listening: Vec<Listening>,
    ports: BTreeMap<&'static str, String>,
    faults: RefCell<Vec<String>>,
}

struct Listening {
    program: Program,
    port: &'static str,
    once: bool,
}

impl Page {
    fn new(name: &'static str, language: &'static str) -> Self {
        let scratch = Scratch::new();
        for name in ["photo.jpg", "foto.jpg"] {
            scratch.large(name, 200_000);
        }
        for folder in ["lesson", "aula"] {
            std::fs::create_dir(scratch.file(folder)).unwrap();
            scratch.large(&format!("{folder}/slides.pdf"), 300_000);
        }
        Self {
            name,
            language,
            scratch,
            listening: Vec::new(),
            ports: BTreeMap::new(),
            faults: RefCell::default(),
        }
    }

    /// A line in a shell that finds the program under test.
    fn shell(&self, line: &str) -> Program {
        let mut path = vec![Path::new(env!("CARGO_BIN_EXE_aperto")).parent().unwrap().to_owned()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.scratch.file("")).env_remove("LC_MESSAGES");
        command.env("PATH", std::env::join_paths(path).unwrap()).env("HOME", self.scratch.file("home"));
        command
            .env("XDG_CONFIG_HOME", self.scratch.file("none"))
            .env("APERTO_HOME", self.scratch.file("keys"));
        command.env("APERTO_LANG", self.language).env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
        Program::start(command)
    }

    /// Other ports, and nobody at them.
    fn next_block(&mut self) {
        self.end_all();
        self.ports = PORTS.iter().map(|port| (*port, free_port().to_string())).collect();
    }

    /// What serves one client has ended; the others are told to.
    fn end_all(&mut self) {
        for Listening { program, once, .. } in self.listening.drain(..) {
            if !once {
                program.signal("INT");
            }
            let finished = program.finish();
            // In a room, the operator's input may end before the signal is heard: that is 0.
            assert!(finished.code == 0 || (!once && finished.code == 130), "{finished:?}");
        }
    }

    fn port(&self, port: &str) -> u16 {
        self.ports[port].parse().unwrap()
    }

    fn types(&mut self, line: &str) {
        if ELSEWHERE.contains(&line) {
            return;
        }
        let known = COMMANDS.iter().find(|(en, pt, _)| line == *if self.language == "en" { en } else { pt });
        let Some((.., does)) = known else {
            return self.faults.borrow_mut().push(format!("$ {line}\nno test knows what this does"));
        };
        let python = line.contains("1337").then(|| {
            let mut program = Program::start(peer("three_way.py", &["server", "907"]));
            self.ports.insert("1337", program.first_line());
            program
        });
        let typed = PORTS.iter().fold(line.to_owned(), |line, port| line.replace(port, &self.ports[port]));
        match does {
            Listens(visitor) => {
                let port = PORTS.into_iter().find(|port| line.contains(port)).unwrap();
                if self.listening.iter().any(|listening| listening.port == port) {
                    self.next_block();
                    return self.types(line);
                }
                let mut program = self.shell(&format!("exec {typed}"));
                program.sees("LISTEN");
                self.listening.push(Listening { program, port, once: line.contains("--once") });
                visitor(self, self.port(port));
            }
            Ends(en, pt) => self.ends(&typed, en, pt),
            EndsAfterwards(en, pt) => {
                self.end_all();
                if line.starts_with("aperto") || has(self.name, &["tshark"]) {
                    self.ends(&typed, en, pt);
                }
            }
        }
        if let Some(program) = python {
            program.finish().ended(0);
        }
    }

    fn ends(&self, typed: &str, en: &[&str], pt: &[&str]) {
        let mut program = self.shell(typed);
        // A client that is given nothing else to say reads what is typed.
        if typed.split(' ').count() == 4 && typed.starts_with("aperto client") {
            program.is_told("olá\n");
        }
        let finished = program.finish();
        let said = format!("{}{}", finished.out, finished.error);
        if finished.code != 0 {
            self.faults.borrow_mut().push(format!("$ {typed}\nended with {}\n{said}", finished.code));
        }
        for wanted in if self.language == "en" { en } else { pt } {
            if !said.contains(wanted) {
                self.faults.borrow_mut().push(format!("$ {typed}\nno {wanted:?} in\n{said}"));
            }
        }
    }
}

fn nobody(_: &Page, _: u16) {}

fn somebody_in_secret(page: &Page, port: u16) {
    page.ends(&format!("aperto client 127.0.0.1 {port} --secure -m secret"), &["secret"], &["secret"]);
}

fn a_program_in_python(_: &Page, port: u16) {
    Program::start(peer("text_handshake.py", &["client", &port.to_string()])).finish().ended(0);
}

fn somebody_who_shouts(_: &Page, port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all("olá!".as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "olá!");
}

/// A part of a page.
enum Part<'a> {
    Block,
    Command(&'a str),
}

/// The commands of a page, in its blocks and in its sentences, where they are whole.
fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut fence: Option<&str> = None;
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            fence = if fence.is_none() { Some(kind) } else { None };
            if fence == Some("sh") {
                parts.push(Part::Block);
            }
        } else if fence == Some("sh") {
            parts.push(Part::Command(line));
        } else if fence.is_none() {
            let spans = line.split('`').skip(1).step_by(2);
            let is_whole = |span: &&str| {
                let mut words = span.split(' ');
                let is_ours = words.next() == Some("aperto");
                let takes_more = ["client", "cliente", "server", "servidor"];
                match words.next() {
                    Some(second) => is_ours && (words.next().is_some() || !takes_more.contains(&second)),
                    None => false,
                }
            };
            parts.extend(spans.filter(is_whole).map(Part::Command));
        }
    }
    parts
}

fn goes_through(name: &'static str, file: &str, language: &'static str) {
    if !has(name, &["python3"]) {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(file).unwrap();
    let mut page = Page::new(name, language);
    let mut commands = 0;
    for part in parts(&text) {
        match part {
            Part::Block => page.next_block(),
            Part::Command(line) => {
                page.types(line);
                commands += 1;
            }
        }
    }
    page.end_all();
    let faults = page.faults.take();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(commands >= COMMANDS.len(), "{commands} commands; here stand more that no page has");
}

#[test]
fn the_commands_of_the_readme_do_what_they_say() {
    goes_through("the_commands_of_the_readme_do_what_they_say", "README.md", "en");
}

#[test]
fn the_commands_of_the_portuguese_readme_do_what_they_say() {
    goes_through("the_commands_of_the_portuguese_readme_do_what_they_say", "README.pt-BR.md", "pt-BR");
}
