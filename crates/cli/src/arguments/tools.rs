//! The commands that work on recordings and on this machine: their help, and what was asked of them.

use clap::{Arg, ArgMatches, Command};

use super::flags::{self, Say};
use super::read::{self, Record};

/// Run a recording again.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) file: String,
}

/// The recordings of two ends as one.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) one: String,
    pub(crate) other: String,
    pub(crate) record: Record,
}

/// The commands.
pub(crate) fn commands(say: Say) -> [Command; 2] {
    [merge(say), replay(say)]
}

fn replay(say: Say) -> Command {
    Command::new("replay")
        .alias("repetir")
        .about(say.one(
            "run a .aperto recording again; is it the same? [repetir]",
            "roda de novo uma gravação .aperto; é igual? [repetir]",
        ))
        .override_usage(say.one("aperto replay FILE.aperto", "aperto repetir ARQUIVO.aperto"))
        .arg(file(
            say,
            "file",
            say.one("a recording of a simulated run", "gravação de uma execução simulada"),
        ))
        .args(view_only(say))
}

/// What was asked of `replay`.
pub(crate) fn read_replay(matches: &ArgMatches) -> Replay {
    Replay { file: word(matches, "file") }
}

fn merge(say: Say) -> Command {
    Command::new("merge")
        .alias("juntar")
        .about(say.one(
            "the client's and the server's recording as one [juntar]",
            "a gravação do cliente e a do servidor numa só [juntar]",
        ))
        .override_usage(say.one("aperto merge A B [FLAGS]", "aperto juntar A B [OPÇÕES]"))
        .arg(file(say, "one", say.one("what one end recorded", "o que uma ponta gravou")))
        .arg(file(say, "other", say.one("what the other end recorded", "o que a outra ponta gravou")))
        .args(flags::view(say))
        .args(flags::record(say))
}

/// What was asked of `merge`.
pub(crate) fn read_merge(matches: &ArgMatches) -> Merge {
    Merge { one: word(matches, "one"), other: word(matches, "other"), record: read::record(matches) }
}

fn file(say: Say, name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .value_name(say.one("FILE", "ARQUIVO"))
        .help(help)
        .help_heading(say.one("Arguments", "Argumentos"))
        .required(true)
}

/// `--view` and `--ascii`, where there is nothing else to see.
fn view_only(say: Say) -> Vec<Arg> {
    flags::view(say).into_iter().filter(|arg| ["view", "ascii"].contains(&arg.get_id().as_str())).collect()
}

fn word(matches: &ArgMatches, name: &str) -> String {
    matches.get_one::<String>(name).cloned().unwrap_or_default()
}
