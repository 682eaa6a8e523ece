//! The prompt: a thread that reads lines with an editor, above which received lines are printed.
//!
//! The editor switches the terminal to its own mode while it waits; whoever ends the program
//! meanwhile gives the terminal back as it was ([`Terminal::restore`]).

use std::io::Read;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};

use super::printer::AbovePrompt;
use super::slash::{Typed, understand};

/// What comes from the prompt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Input {
    Typed(Typed),
    /// Ctrl-C at the prompt.
    Interrupted,
}

/// A prompt that is waited at.
pub(crate) struct Prompt {
    /// What was typed.
    pub(crate) typed: UnboundedReceiver<Input>,
    start: Option<std::sync::mpsc::Sender<()>>,
}

impl Prompt {
    /// Opens the editor; it does not ask before [`ask`](Self::ask). None where there is no terminal
    /// that an editor could work on.
    pub(crate) fn open(text: &'static str) -> Option<(Self, AbovePrompt)> {
        let mut editor = DefaultEditor::new().ok()?;
        let above: AbovePrompt = Box::new(editor.create_external_printer().ok()?);
        let (told, typed) = unbounded_channel();
        let (start, may_ask) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Nobody starts a prompt whose connection never opened.
            if may_ask.recv().is_ok() {
                ask_on(&mut editor, text, &told);
            }
        });
        Some((Self { typed, start: Some(start) }, above))
    }

    /// Lines of a stdin that is no terminal, understood as if they were typed.
    pub(crate) fn from_stdin() -> Self {
        let (told, typed) = unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lines() {
                let Ok(line) = line else { break };
                if told.send(Input::Typed(understand(&line))).is_err() {
                    return;
                }
            }
            // Whoever waited for more may have gone.
            let _ = told.send(Input::Typed(Typed::Quit));
        });
        Self { typed, start: None }
    }

    /// Lines that somebody types where nobody is asked to: commands alone. None where stdin is no
    /// terminal, or belongs to another program: whoever reads it in the background is stopped.
    pub(crate) fn from_terminal() -> Option<Self> {
        if !is_in_the_foreground() {
            return None;
        }
        let (told, typed) = unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lines() {
                let Ok(line) = line else { return };
                let typed = understand(&line);
                if !matches!(typed, Typed::Say(_)) && told.send(Input::Typed(typed)).is_err() {
                    return;
                }
            }
        });
        Some(Self { typed, start: None })
    }

    /// Nobody types.
    pub(crate) fn nobody() -> Self {
        Self { typed: unbounded_channel().1, start: None }
    }

    /// stdin as it comes, piece by piece, until its end.
    pub(crate) fn raw_stdin() -> Receiver<Vec<u8>> {
        let (told, octets) = channel(4);
        std::thread::spawn(move || {
            let mut room = vec![0; 1 << 16];
            let mut stdin = std::io::stdin().lock();
            while let Ok(read) = stdin.read(&mut room) {
                let piece = room.get(..read).unwrap_or_default().to_vec();
                if piece.is_empty() || told.blocking_send(piece).is_err() {
                    return;
                }
            }
        });
        octets
    }

    /// Shows the prompt.
    pub(crate) fn ask(&mut self) {
        if let Some(start) = self.start.take() {
            // The thread waits for nothing else.
            let _ = start.send(());
        }
    }
}

fn ask_on(editor: &mut DefaultEditor, text: &str, told: &UnboundedSender<Input>) {
    loop {
        let input = match editor.readline(text) {
            Ok(line) if line.is_empty() => continue,
            Ok(line) => {
                // The history is a comfort; without it the conversation goes on.
                let _ = editor.add_history_entry(line.as_str());
                Input::Typed(understand(&line))
            }
            Err(ReadlineError::Interrupted) => Input::Interrupted,
            Err(_) => Input::Typed(Typed::Quit),
        };
        let last = matches!(input, Input::Interrupted | Input::Typed(Typed::Quit));
        if told.send(input).is_err() || last {
            return;
        }
    }
}

/// Whether stdin is a terminal from which this process may read.
#[cfg(unix)]
fn is_in_the_foreground() -> bool {
    let stdin = std::io::stdin();
    rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_the_foreground() -> bool {
    use std::io::IsTerminal;
    std::io::stdin().is_terminal()
}

/// How the terminal was before any editor touched it.
#[cfg(unix)]
pub(crate) struct Terminal(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Terminal {
    /// Remembers it.
    pub(crate) fn remember() -> Self {
        Self(rustix::termios::tcgetattr(std::io::stdin()).ok())
    }

    /// Puts it back.
    pub(crate) fn restore(&self) {
        if let Some(mode) = &self.0 {
            use rustix::termios::{OptionalActions, tcsetattr};
            // A terminal that is gone needs no mode.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, mode);
        }
    }
}

/// Windows gives each program a console mode of its own.
#[cfg(not(unix))]
pub(crate) struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    pub(crate) fn remember() -> Self {
        Self
    }

    pub(crate) fn restore(&self) {
        let _ = self;
    }
}
