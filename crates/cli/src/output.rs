//! stdout, stderr and the pager.
//!
//! A reader that goes away (`| head`) ends the output quietly and is no failure. What was printed
//! is flushed line by line where somebody waits for lines.

use std::io::{self, BufWriter, Write};
use std::process::{Child, Command, Stdio};

use aperto_explain::program::{Exit, Fault};
use aperto_explain::wording::to_ascii;

use crate::environment::Environment;
use crate::looks::Looks;

/// Where results go.
pub(crate) struct Output {
    sink: Sink,
    ascii: bool,
    gone: bool,
}

enum Sink {
    Stdout(BufWriter<io::Stdout>),
    Stderr(io::Stderr),
    Pager(Child),
}

impl Output {
    /// stdout, as it comes.
    pub(crate) fn new(looks: &Looks) -> Self {
        Self { sink: Sink::Stdout(BufWriter::new(io::stdout())), ascii: looks.ascii, gone: false }
    }

    /// stderr, where stdout belongs to a recording.
    pub(crate) fn stderr(looks: &Looks) -> Self {
        Self { sink: Sink::Stderr(io::stderr()), ascii: looks.ascii, gone: false }
    }

    /// A pager, where somebody reads on a terminal and so many lines do not fit there.
    pub(crate) fn paged(looks: &Looks, lines: usize) -> Self {
        let fits = looks.rows.is_none_or(|rows| lines < rows);
        if looks.pager
            && !fits
            && let Some(pager) = start_pager()
        {
            return Self { sink: Sink::Pager(pager), ascii: looks.ascii, gone: false };
        }
        Self::new(looks)
    }

    /// One line.
    pub(crate) fn line(&mut self, text: &str) {
        if self.ascii && !text.is_ascii() {
            self.octets(to_ascii(text).as_bytes());
        } else {
            self.octets(text.as_bytes());
        }
        self.octets(b"\n");
    }

    /// These octets as they are.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        if self.gone {
            return;
        }
        let written = match &mut self.sink {
            Sink::Stdout(stdout) => stdout.write_all(octets),
            Sink::Stderr(stderr) => stderr.write_all(octets),
            Sink::Pager(child) => child.stdin.as_mut().map_or(Ok(()), |pipe| pipe.write_all(octets)),
        };
        self.gone = written.is_err();
    }

    /// Lets the reader see what there is.
    pub(crate) fn flush(&mut self) {
        if let Sink::Stdout(stdout) = &mut self.sink {
            self.gone |= stdout.flush().is_err();
        }
    }

    /// Whether the reader has gone away.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Everything is said; waits for a reader with a pager.
    pub(crate) fn finish(mut self) {
        self.flush();
        if let Sink::Pager(child) = &mut self.sink {
            drop(child.stdin.take());
            // Whether the pager liked it is no concern of the result's.
            let _ = child.wait();
        }
    }
}

/// The user's pager, or `less`, told to show colours and to leave what is shown on the screen.
fn start_pager() -> Option<Child> {
    let chosen = Environment::variable("APERTO_PAGER").or_else(|| Environment::variable("PAGER"));
    let line = chosen.unwrap_or_else(|| "less".into());
    let mut words = line.split_ascii_whitespace();
    let program = words.next()?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    command.spawn().ok()
}

/// A line for who watches and not for who reads the result: progress and hints.
pub(crate) fn hint(looks: &Looks, text: &str) {
    if !looks.quiet {
        to_stderr(looks.ascii, text);
    }
}

/// A line that must be seen, on stderr, in red where there are colours, asked for quiet or not.
pub(crate) fn banner(looks: &Looks, text: &str) {
    if looks.error_color {
        to_stderr(looks.ascii, &format!("\u{1b}[1;31m{text}\u{1b}[0m"));
    } else {
        to_stderr(looks.ascii, text);
    }
}

/// Tells a fault, and gives the code to end with.
pub(crate) fn tell(fault: &Fault, looks: &Looks) -> Exit {
    for (place, line) in fault.lines(looks.language).into_iter().enumerate() {
        if place == 0 && looks.error_color {
            let (word, rest) = line.split_once(':').unwrap_or((line.as_str(), ""));
            to_stderr(looks.ascii, &format!("\u{1b}[1;33m{word}:\u{1b}[0m{rest}"));
        } else {
            to_stderr(looks.ascii, &line);
        }
    }
    fault.exit()
}

fn to_stderr(ascii: bool, text: &str) {
    let mut stderr = io::stderr().lock();
    let text = if ascii && !text.is_ascii() { to_ascii(text) } else { text.to_owned() };
    // Nobody is left to be told that stderr is gone.
    let _ = writeln!(stderr, "{text}");
}
