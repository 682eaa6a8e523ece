//! `aperto compare --integrity`: its flags, and what was asked of it.

use aperto_explain::program::Fault;
use aperto_explain::program::integrity::Layer;
use aperto_sim::quantity::parse_size;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};

use super::channel::{self, Channel, bad_quantity};
use super::flags::Say;
use super::{read, repeat};

/// One file through several layers.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) layers: Vec<Layer>,
    pub(crate) octets: u64,
    pub(crate) channel: Channel,
    pub(crate) repeat: String,
}

/// How large the file is where nothing is said.
const SIZE: u64 = 1 << 20;
/// The largest one: a simulated run keeps its virtual time, but takes real time, too.
const LARGEST: u64 = 1 << 30;

/// The flags.
pub(crate) fn args(say: Say) -> [Arg; 2] {
    let heading = say.one("Compare", "Comparar");
    [
        Arg::new("integrity")
            .long("integrity")
            .value_name("LAYERS")
            .help(say.one(
                "a file instead: none, digest, tls, aead",
                "em vez disso um arquivo: none, digest, tls, aead",
            ))
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(PossibleValuesParser::new(Layer::ALL.map(Layer::name)))
            .hide_possible_values(true)
            .conflicts_with_all(["protocols", "message", "payload", "window"])
            .help_heading(heading),
        Arg::new("size")
            .long("size")
            .value_name("SIZE")
            .help(say.one("how large that file is (1M)", "o tamanho desse arquivo (1M)"))
            .action(ArgAction::Set)
            .requires("integrity")
            .help_heading(heading),
    ]
}

/// What was asked, if it was.
pub(crate) fn read(matches: &ArgMatches) -> Result<Option<Job>, Fault> {
    let mut layers = Vec::new();
    for name in matches.get_many::<String>("integrity").into_iter().flatten() {
        if let Some(layer) = Layer::from_name(name).filter(|layer| !layers.contains(layer)) {
            layers.push(layer);
        }
    }
    if layers.is_empty() {
        return Ok(None);
    }
    let octets = match matches.get_one::<String>("size") {
        None => SIZE,
        Some(text) => {
            let octets = parse_size(text).map_err(|error| bad_quantity("--size", text, error))?;
            read::within("--size", text, octets, 1, LARGEST)?
        }
    };
    let channel = channel::read(matches)?;
    let repeat = repeat::command("compare", matches, Some(channel.seed));
    Ok(Some(Job { layers, octets, channel, repeat }))
}
