//! Real wires: what client and server share.
//!
//! | module | |
//! | --- | --- |
//! | [`net`] | opens the wire, our host behind it, who watches, who spoils |
//! | [`scribe`], [`watch`], [`fate`] | what happens, written down and told |
//! | [`spoil`] | the channel's flags on a real wire |
//! | [`sealed`] | the sealing of these datagrams, peer by peer |
//! | [`mod@line`] | datagrams of the textbook protocols between sessions and a socket |
//! | [`carry`], [`disk`], [`shelf`], [`bar`] | files: the stream, where they go, where they come from, progress |
//! | [`talk`] | what a server does with a connection |
//! | [`told`] | a handshake told in text |
//! | [`prompt`], [`slash`], [`mod@printer`] | who types, and printing meanwhile |
//! | [`secure`] | TLS around a conversation, and keys |
//! | [`signal`] | Ctrl-C |

pub(crate) mod bar;
pub(crate) mod carry;
pub(crate) mod disk;
pub(crate) mod fate;
pub(crate) mod line;
pub(crate) mod net;
pub(crate) mod printer;
pub(crate) mod prompt;
pub(crate) mod roll;
pub(crate) mod scribe;
pub(crate) mod sealed;
pub(crate) mod secure;
pub(crate) mod shelf;
pub(crate) mod signal;
pub(crate) mod slash;
pub(crate) mod spoil;
pub(crate) mod talk;
pub(crate) mod told;
pub(crate) mod watch;

use std::sync::atomic::Ordering;

use aperto_explain::program::saying::{Ended, Saying};
use aperto_explain::program::{Exit, Fault};
use aperto_tokio::clock;
use aperto_trace::trace::Ending;

use crate::command::error_ending;
use crate::looks::Looks;
use crate::output::hint;
use printer::{Printer, Printing, Target};
use scribe::SharedScribe;

/// A runtime of one thread: what happens has one order.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().map_err(|error| Fault::System { what: error.to_string() })
}

/// Starts the printer: on stderr where stdout belongs to the recording.
pub(crate) fn printer(
    looks: &Looks,
    file: Option<&str>,
    above: Option<printer::AbovePrompt>,
) -> (Printer, Printing) {
    let target = if file == Some("-") { Target::Stderr } else { Target::Stdout };
    Printer::start(looks, above, target)
}

/// Closes the views and the recording, and says what was written. Gives the code to end with.
pub(crate) fn conclude(
    scribe: Option<&SharedScribe>,
    printer: Printer,
    printing: Printing,
    outcome: Result<Exit, Fault>,
    looks: &Looks,
) -> Result<Exit, Fault> {
    let at = clock::now();
    let ending = match &outcome {
        Ok(exit) => Ending::End { at, exit_code: exit.code() },
        Err(fault) => error_ending(fault, looks, at),
    };
    let finished = scribe.map_or(Ok(None), |scribe| scribe.lock().finish(&ending));
    if scribe.is_some() {
        looks.json_ended.store(true, Ordering::Relaxed);
    }
    if let Some(scribe) = scribe
        && looks.asked_view == Some(crate::looks::View::Ladder)
    {
        for line in crate::command::present::ladder_lines(scribe.lock().trace(), looks, &Default::default()) {
            printer.line(line);
        }
    }
    drop(printer);
    printing.finish();
    match finished {
        Ok(Some((file, sent, arrived))) => wrote(&file, sent, arrived, looks),
        Ok(None) => {}
        Err(fault) => {
            // The first trouble is the one to tell.
            outcome?;
            return Err(fault);
        }
    }
    outcome
}

/// What was recorded, and how to open it.
pub(crate) fn wrote(file: &str, sent: u64, arrived: u64, looks: &Looks) {
    if file == "-" {
        return;
    }
    let comments = file.to_lowercase().ends_with(".pcapng");
    say_aside(&Saying::Wrote { file: file.into(), sent, arrived, comments }, looks);
    if comments {
        say_aside(&Saying::OpenWith { file: file.into() }, looks);
        say_aside(&Saying::Live, looks);
    }
}

/// A hint, on stderr.
pub(crate) fn say_aside(saying: &Saying, looks: &Looks) {
    for line in saying.lines(looks.language) {
        hint(looks, &line);
    }
}

/// How a connection of ours ended, in the program's words.
pub(crate) const fn ended(end: aperto_tcp::End) -> Ended {
    match end {
        aperto_tcp::End::Closed => Ended::Closed,
        aperto_tcp::End::Reset | aperto_tcp::End::Refused => Ended::Reset,
        aperto_tcp::End::TimedOut => Ended::Silent,
        aperto_tcp::End::Unreachable => Ended::Unreachable,
        aperto_tcp::End::Aborted => Ended::Aborted,
    }
}
