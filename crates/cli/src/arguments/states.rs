//! `aperto states`: a scene, a recording, or the system's own sockets.

use std::time::Duration;

use aperto_explain::program::{Fault, NoEffect};
use aperto_sim::quantity::parse_duration;
use aperto_sim::scenes::Scene;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::channel::bad_quantity;
use super::flags::{self, Say};
use super::read::{self, Demo};

/// What to draw.
#[derive(Debug)]
pub(crate) enum States {
    /// The way of a simulated run.
    Run(Box<Demo>),
    /// The way of a recorded connection.
    File { file: String, stream: u32 },
    /// The system's own sockets.
    Os { port: Option<u16>, watch: Option<Duration> },
}

/// The command.
pub(crate) fn command(say: Say) -> Command {
    let own = |arg: Arg| arg.help_heading(say.one("States", "Estados"));
    let simulated: Vec<Arg> =
        [flags::scene(say), flags::tcp(say), flags::channel(say), flags::picks(say)].concat();
    let names: Vec<clap::Id> = simulated.iter().map(|arg| arg.get_id().clone()).collect();
    Command::new("states")
        .alias("estados")
        .about(say.one(
            "the state diagram with the way that was walked; --os: the system's sockets [estados]",
            "o diagrama de estados com o caminho percorrido; --os: os sockets do sistema [estados]",
        ))
        .override_usage(say.one(
            "aperto states [SCENE|FILE] [FLAGS]\n  aperto states --os [--port N] [--watch 2s]",
            "aperto estados [CENA|ARQUIVO] [OPÇÕES]\n  aperto estados --os [--port N] [--watch 2s]",
        ))
        .arg(
            Arg::new("what")
                .value_name(say.one("SCENE|FILE", "CENA|ARQUIVO"))
                .help(say.one("a scene of demo, or a recording", "uma cena do demo, ou uma gravação"))
                .help_heading(say.one("Arguments", "Argumentos")),
        )
        .arg(own(Arg::new("stream").long("stream").value_name("N").help(
            say.one("of a recording: which connection, from 0", "da gravação: qual conexão, a partir de 0"),
        )))
        .arg(own(Arg::new("os")
            .long("os")
            .action(ArgAction::SetTrue)
            .conflicts_with("what")
            .conflicts_with("stream")
            .conflicts_with_all(names)
            .help(say.one("the TCP and UDP sockets of this system", "os sockets TCP e UDP deste sistema"))))
        .arg(own(Arg::new("port")
            .long("port")
            .value_name("N")
            .requires("os")
            .help(say.one("--os: only this port", "--os: só esta porta"))))
        .arg(own(Arg::new("watch")
            .long("watch")
            .value_name("2s")
            .requires("os")
            .num_args(0..=1)
            .default_missing_value("2s")
            .help(say.one("--os: look again so often", "--os: olha de novo a cada tanto"))))
        .args(simulated)
        .args(
            flags::view(say)
                .into_iter()
                .filter(|arg| ["view", "ascii", "why", "no-pager"].contains(&arg.get_id().as_str())),
        )
}

/// What a simulated run can be told.
fn simulated(say: Say) -> Vec<Arg> {
    [flags::scene(say), flags::tcp(say), flags::channel(say), flags::picks(say)].concat()
}

/// What was asked.
pub(crate) fn read(matches: &ArgMatches) -> Result<States, Fault> {
    if matches.get_flag("os") {
        let port = read::number_of(matches, "port", 1, 65_535)?.and_then(|port| u16::try_from(port).ok());
        let watch = match matches.get_one::<String>("watch") {
            None => None,
            Some(text) => {
                let every = parse_duration(text).map_err(|error| bad_quantity("--watch", text, error))?;
                // Faster than this nobody reads.
                Some(every.max(Duration::from_millis(100)))
            }
        };
        return Ok(States::Os { port, watch });
    }
    let stream = read::number_of(matches, "stream", 0, u64::from(u32::MAX))?;
    let stream = stream.and_then(|stream| u32::try_from(stream).ok());
    let what = matches.get_one::<String>("what").cloned();
    let scene = what.as_deref().and_then(Scene::from_name);
    match (what, scene) {
        (Some(file), None) => {
            let all = simulated(Say(aperto_explain::Language::English));
            let mut names = all.iter().map(|arg| arg.get_id().to_string());
            let typed = names.find(|name| read::given(matches, name));
            if let Some(flag) = typed {
                let flag = if flag == "message" { "-m".into() } else { format!("--{flag}") };
                return Err(Fault::NoEffect { flag, because: NoEffect::OnlySimulated });
            }
            Ok(States::File { file, stream: stream.unwrap_or(0) })
        }
        (what, _) => {
            // Nothing else has states that RFC 9293 draws.
            if matches.get_one::<String>("proto").is_some_and(|protocol| protocol != "tcp") {
                return Err(Fault::NoEffect { flag: "--proto".into(), because: NoEffect::OnlyTcp });
            }
            let mut demo = read::demo(matches, what.clone(), "states")?;
            demo.repeat_with_seed =
                demo.repeat_with_seed.replacen("states", "demo", usize::from(what.is_some()));
            if stream.is_some() {
                return Err(Fault::NoEffect { flag: "--stream".into(), because: NoEffect::OnlyRecorded });
            }
            Ok(States::Run(Box::new(demo)))
        }
    }
}
