//! `aperto doctor`: what to look at.

use aperto_explain::program::Fault;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::flags::{self, Say};
use super::read;

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doctor {
    pub(crate) port: u16,
    pub(crate) lan: bool,
}

/// The command.
pub(crate) fn command(say: Say) -> Command {
    Command::new("doctor")
        .alias("diagnostico")
        .alias("diagnóstico")
        .about(say.one(
            "is this machine ready? addresses, port, firewall, rights [diagnostico]",
            "este computador está pronto? endereços, porta, firewall, direitos [diagnostico]",
        ))
        .override_usage(say.one("aperto doctor [PORT] [--lan]", "aperto diagnostico [PORTA] [--lan]"))
        .arg(
            Arg::new("port")
                .value_name(say.one("PORT", "PORTA"))
                .help(say.one("the port of the server to be (7000)", "a porta do futuro servidor (7000)"))
                .help_heading(say.one("Arguments", "Argumentos")),
        )
        .arg(
            Arg::new("lan")
                .long("lan")
                .action(ArgAction::SetTrue)
                .help(say.one("for another machine in the network", "para outro computador na rede"))
                .help_heading(say.one("Arguments", "Argumentos")),
        )
        .args(flags::view(say).into_iter().filter(|arg| arg.get_id() == "ascii"))
}

/// What was asked.
pub(crate) fn read(matches: &ArgMatches) -> Result<Doctor, Fault> {
    let port = match matches.get_one::<String>("port") {
        None => read::DEFAULT_PORT,
        Some(text) => match text.parse() {
            Ok(port) if port != 0 => port,
            _ => return Err(Fault::BadAddress { value: text.clone() }),
        },
    };
    Ok(Doctor { port, lan: matches.get_flag("lan") })
}
