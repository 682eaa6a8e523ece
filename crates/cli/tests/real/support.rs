//! What the tests share: programs that are killed when a test ends, ports, files, skipping.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// How long anything may take that should be quick.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a large transfer may take.
pub(crate) const LONG_PATIENCE: Duration = Duration::from_secs(180);
pub(crate) const MEBIBYTE: usize = 1 << 20;

/// Says that a test cannot do its work here, where people and `test.sh` look for it.
pub(crate) fn skip(name: &str, reason: &str) {
    let reason = reason.trim().lines().next().unwrap_or("no reason given");
    println!("SKIPPED {name}: {reason}");
    if let Some(file) = std::env::var_os("APERTO_TEST_SKIPS") {
        let mut skips = OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(skips, "{name}: {reason}").unwrap();
    }
}

/// Whether these tools can be started; says by name what is missing.
pub(crate) fn has(name: &str, tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |tool: &str| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| !is_there(tool)).collect();
    if !missing.is_empty() {
        skip(name, &format!("not installed: {}", missing.join(" ")));
    }
    missing.is_empty()
}

/// A port that neither TCP nor UDP uses now: below those that the system gives to clients, and none
/// that Wireshark takes for a protocol.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..1000 {
        let place = NEXT.fetch_add(1, Ordering::Relaxed);
        let spread = std::process::id().wrapping_mul(31).wrapping_add(place) % 1_700;
        let port = 30_300 + u16::try_from(spread).unwrap();
        let at = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// A folder that is gone when the test is over.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let place = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("aperto-test-{}-{place}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A file in it, by name.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// A file with these octets.
    pub(crate) fn holding(&self, name: &str, octets: &[u8]) -> String {
        let file = self.file(name);
        std::fs::write(&file, octets).unwrap();
        file
    }

    /// A file of so many octets that do not repeat, and its hash.
    pub(crate) fn large(&self, name: &str, octets: usize) -> (String, String) {
        let file = self.file(name);
        let mut writer = BufWriter::new(File::create(&file).unwrap());
        let mut hash = Sha256::new();
        let mut piece = vec![0_u8; 1 << 16];
        let (mut left, mut state) = (octets, octets as u64 | 1);
        while left > 0 {
            for word in piece.chunks_exact_mut(8) {
                // xorshift64, whose period is 2^64 - 1.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            let part = &piece[..left.min(1 << 16)];
            hash.update(part);
            writer.write_all(part).unwrap();
            left -= part.len();
        }
        writer.flush().unwrap();
        (file, hexadecimal(&hash.finalize()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

/// What a program has printed so far, collected by a thread.
#[derive(Clone, Default)]
struct Printed(Arc<(Mutex<Vec<u8>>, Condvar)>);

impl Printed {
    fn collect(&self, mut from: impl Read + Send + 'static) -> JoinHandle<()> {
        let printed = self.clone();
        std::thread::spawn(move || {
            let mut room = vec![0; 1 << 16];
            while let Ok(octets @ 1..) = from.read(&mut room) {
                let (text, news) = &*printed.0;
                text.lock().unwrap().extend_from_slice(&room[..octets]);
                news.notify_all();
            }
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().unwrap()).into_owned()
    }
}

/// A running program. It is killed when the test drops it.
pub(crate) struct Program {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    out: Printed,
    error: Printed,
    threads: Vec<JoinHandle<()>>,
    /// Up to where [`Program::sees`] has looked.
    seen: usize,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Finished {
    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.error);
        self
    }

    /// The hashes that it printed.
    pub(crate) fn hashes(&self) -> Vec<&str> {
        self.out.lines().filter_map(|line| line.trim().strip_prefix("sha256 ")).collect()
    }
}

/// The program under test with these arguments: in English, and as if nobody had set anything.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aperto"));
    let nowhere = std::env::temp_dir();
    command.args(arguments).current_dir(&nowhere);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "LC_MESSAGES", "LANG", "PAGER", "APERTO_PAGER"] {
        command.env_remove(name);
    }
    command
        .env("APERTO_LANG", "en")
        .env("LC_ALL", "C.UTF-8")
        .env("XDG_CONFIG_HOME", nowhere.join("aperto-none"));
    command
}

/// A program of the tests' own in `tests/peers`.
pub(crate) fn peer(script: &str, arguments: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let mut command = Command::new("python3");
    command.arg(script).args(arguments);
    command
}

/// Fails unless all of this was printed, in this order.
#[track_caller]
pub(crate) fn in_order(printed: &str, wanted: &[&str]) {
    let mut rest = printed;
    for wanted in wanted {
        let Some(place) = rest.find(wanted) else { panic!("no {wanted:?}, in this order, in\n{printed}") };
        rest = &rest[place + wanted.len()..];
    }
}

/// Starts `aperto` with these arguments.
pub(crate) fn start(arguments: &[&str]) -> Program {
    Program::start(command(arguments))
}

/// Runs `aperto` with these arguments to its end, with nothing on stdin.
pub(crate) fn run(arguments: &[&str]) -> Finished {
    start(arguments).finish()
}

/// Starts `aperto server` on this port and waits until it listens.
pub(crate) fn server(port: u16, arguments: &[&str]) -> Program {
    let port = port.to_string();
    let mut all = vec!["server", &port];
    all.extend(arguments);
    let mut server = start(&all);
    server.sees("LISTEN");
    server
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = format!("{command:?}");
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (out, error) = (Printed::default(), Printed::default());
        let threads =
            vec![out.collect(child.stdout.take().unwrap()), error.collect(child.stderr.take().unwrap())];
        Self { name, input: child.stdin.take(), child, out, error, threads, seen: 0 }
    }

    /// Waits until it prints this after what it was seen to print before; gives the whole line.
    #[track_caller]
    pub(crate) fn sees(&mut self, wanted: &str) -> String {
        let seen = self.seen;
        let found = self.until(wanted, |all| {
            let from = seen + all.get(seen..)?.find(wanted)?;
            let to = from + wanted.len();
            // Somebody may want what stands behind.
            let end = to + all[to..].find('\n')?;
            let begin = all[..from].rfind('\n').map_or(0, |place| place + 1);
            Some((to, all[begin..end].to_owned()))
        });
        self.seen = found.0;
        found.1
    }

    /// Waits until it says this on stderr.
    #[track_caller]
    pub(crate) fn complains(&self, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.error.text().contains(wanted) {
            assert!(Instant::now() < deadline, "{} never said {wanted:?} on stderr", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has ended with this code, and gives what it wrote to stdout as octets.
    #[track_caller]
    pub(crate) fn finish_raw(self, code: i32) -> Vec<u8> {
        let out = self.out.clone();
        self.finish().ended(code);
        out.0.0.lock().unwrap().clone()
    }

    /// The first line that it prints.
    #[track_caller]
    pub(crate) fn first_line(&mut self) -> String {
        self.until("a line", |all| Some(all.split_once('\n')?.0.to_owned()))
    }

    /// Waits until this finds what it looks for in what was printed.
    #[track_caller]
    fn until<T>(&mut self, wanted: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let (text, news) = &*self.out.0;
        let mut printed = text.lock().unwrap();
        loop {
            let over = self.threads[0].is_finished() || Instant::now() > deadline;
            let all = String::from_utf8_lossy(&printed);
            if let Some(found) = found(&all) {
                return found;
            }
            if over {
                let all = all.into_owned();
                drop(printed);
                panic!(
                    "{} never printed {wanted:?}; stdout:\n{all}\nstderr:\n{}",
                    self.name,
                    self.error.text()
                );
            }
            printed = news.wait_timeout(printed, Duration::from_millis(50)).unwrap().0;
        }
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.out.text()
    }

    /// What it has said on stderr so far.
    pub(crate) fn complained(&self) -> String {
        self.error.text()
    }

    /// Writes to its stdin.
    pub(crate) fn is_told(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// Its stdin ends.
    pub(crate) fn is_told_no_more(&mut self) {
        self.input = None;
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let line = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Ends its stdin and waits until it is over.
    #[track_caller]
    pub(crate) fn finish(self) -> Finished {
        self.finish_within(PATIENCE)
    }

    #[track_caller]
    pub(crate) fn finish_within(mut self, patience: Duration) -> Finished {
        self.input = None;
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let (out, error) = (self.out.text(), self.error.text());
                panic!("{} is not over after {patience:?}; stdout:\n{out}\nstderr:\n{error}", self.name);
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        let code = status.code().unwrap_or(-1);
        Finished { code, out: self.out.text(), error: self.error.text() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
