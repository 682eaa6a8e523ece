//! `aperto bench`: a matrix of protocols, windows and channels, from the command line or a file.
//!
//! A list shares its unit: `--loss 0,1,5,10,25%`, `--delay 0,50,100,150ms`. An experiment is a file
//! `name.aperto.toml` with the same words under `[bench]`; what is typed goes before what is there.

use std::time::Duration;

use aperto_explain::program::modes::ModeFault;
use aperto_explain::program::{BadConfig, Fault};
use aperto_sim::bench::{Cell, Load};
use aperto_sim::quantity::{Probability, parse_duration, parse_probability};
use aperto_sim::recipe::Protocol;
use clap::{Arg, ArgMatches, Command};
use toml::{Table, Value};

use super::channel::bad_quantity;
use super::flags::{self, Say, value};
use super::modes::{self, Modes};
use super::read::{given, number};
use super::repeat;
use crate::record::trouble;

/// More cells than this are a mistake.
const MOST_CELLS: usize = 20_000;
/// More packets than this in a cell, times runs, are one too.
const MOST_PACKETS: u64 = 1_000_000;

/// The words that an experiment may have, each a flag.
const WORDS: [&str; 13] = [
    "proto",
    "window",
    "delay",
    "loss",
    "reorder",
    "packets",
    "payload",
    "timer",
    "seed",
    "runs",
    "ack",
    "nack",
    "integrity",
];

/// What is to be measured, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) cells: Vec<Cell>,
    pub(crate) load: Load,
    pub(crate) seed: u64,
    pub(crate) runs: u32,
    pub(crate) csv: Option<String>,
    pub(crate) json: Option<String>,
    pub(crate) svg: Option<String>,
    pub(crate) tag: Option<String>,
    /// The command that would do it again.
    pub(crate) repeat: String,
}

/// The command.
pub(crate) fn command(say: Say) -> Command {
    let list = |name: &'static str, shown: &'static str, help: &'static str| {
        value(name, shown, help).help_heading(say.one("Matrix", "Matriz"))
    };
    let heading = say.one("Each cell", "Cada célula");
    let cell = |arg: Arg| arg.help_heading(heading);
    let results = say.one("Results", "Resultados");
    let output = |name: &'static str, shown: &'static str, help: &'static str| {
        value(name, shown, help).help_heading(results)
    };
    let file = say.one("FILE", "ARQUIVO");
    Command::new("bench")
        .alias("medir")
        .about(say.one(
            "measure a matrix of protocols and channels beside theory [medir]",
            "mede uma matriz de protocolos e canais ao lado da teoria [medir]",
        ))
        .override_usage(
            say.one("aperto bench [NAME.aperto.toml] [FLAGS]", "aperto medir [NOME.aperto.toml] [OPÇÕES]"),
        )
        .arg(
            Arg::new("experiment")
                .value_name(say.one("NAME.aperto.toml", "NOME.aperto.toml"))
                .help(say.one("flags in a file, under [bench]", "opções num arquivo, sob [bench]"))
                .help_heading(say.one("Arguments", "Argumentos")),
        )
        .arg(list("proto", "saw,gbn,sr", say.one("saw, gbn, sr, tcp, udp", "saw, gbn, sr, tcp, udp")))
        .arg(list("window", "4,16", say.one("packets at once", "pacotes por vez")))
        .arg(list("delay", "0,50,100,150ms", say.one("one way", "só ida")))
        .arg(list("loss", "0,1,5,10,25%", say.one("lost, each way", "perdidos, em cada sentido")))
        .arg(list("reorder", "0,10,25%", say.one("held back, each way", "retidos, em cada sentido")))
        .arg(cell(value("packets", "N", say.one("how many packets (1000)", "quantos pacotes (1000)"))))
        .arg(cell(value("payload", "N", say.one("bytes in each (512)", "bytes em cada um (512)"))))
        .arg(cell(value(
            "timer",
            "120ms",
            say.one("the timer (a round trip and 20 ms)", "o timer (uma ida e volta e 20 ms)"),
        )))
        .arg(cell(value(
            "runs",
            "N",
            say.one("runs with other luck, averaged (1)", "execuções com outra sorte, em média (1)"),
        )))
        .arg(cell(value("seed", "N", say.one("what luck is drawn from (1)", "de onde vem a sorte (1)"))))
        .args(modes::measured(say).into_iter().map(|arg| arg.help_heading(heading)))
        .arg(output(
            "csv",
            file,
            say.one("a table for a spreadsheet; - is stdout", "tabela para planilha; - é a saída padrão"),
        ))
        .arg(output(
            "json",
            file,
            say.one("the same as JSON; - is stdout", "o mesmo em JSON; - é a saída padrão"),
        ))
        .arg(output(
            "svg",
            say.one("DIR|FILE.svg", "PASTA|ARQUIVO.svg"),
            say.one("figures with the theoretical line", "figuras com a linha teórica"),
        ))
        .arg(output(
            "tag",
            say.one("TEXT", "TEXTO"),
            say.one("name and class, for the results", "nome e turma, para os resultados"),
        ))
        .args(
            flags::view(say).into_iter().filter(|arg| ["ascii", "no-pager"].contains(&arg.get_id().as_str())),
        )
}

/// What was asked.
pub(crate) fn read(matches: &ArgMatches) -> Result<Bench, Fault> {
    let experiment = match matches.get_one::<String>("experiment") {
        Some(file) => Experiment::read(file)?,
        None => Experiment::default(),
    };
    let word = |name: &str, usual: &str| -> String {
        let typed = matches.get_one::<String>(name).cloned();
        typed.or_else(|| experiment.word(name)).unwrap_or_else(|| usual.to_owned())
    };
    let protocols = protocols(&word("proto", "saw,gbn,sr"))?;
    let windows = list(&word("window", "4,16"))
        .iter()
        .map(|text| number("--window", text, 1, 8_192).map(|n| u16::try_from(n).unwrap_or(u16::MAX)))
        .collect::<Result<Vec<_>, _>>()?;
    let delays = list(&word("delay", "0,50,100,150ms"))
        .iter()
        .map(|text| parse_duration(text).map_err(|error| bad_quantity("--delay", text, error)))
        .collect::<Result<Vec<_>, _>>()?;
    let share = |flag: &'static str, text: &str| {
        list(text)
            .iter()
            .map(|text| parse_probability(text).map_err(|error| bad_quantity(flag, text, error)))
            .collect::<Result<Vec<_>, _>>()
    };
    let losses = share("--loss", &word("loss", "0,1,5,10,25%"))?;
    let reorders = share("--reorder", &word("reorder", "0,10,25%"))?;
    let whole =
        |name: &str, usual: &str, most: u64| number(&format!("--{name}"), &word(name, usual), 1, most);
    let timer = match word("timer", "").as_str() {
        "" => None,
        text => {
            Some(positive(parse_duration(text).map_err(|error| bad_quantity("--timer", text, error))?, text)?)
        }
    };
    let runs = whole("runs", "1", 1_000)?;
    let packets = whole("packets", "1000", MOST_PACKETS / runs)?;
    let modes = acknowledging(matches, &experiment)?;
    let cells = cells(&protocols, &windows, &delays, &losses, &reorders);
    if cells.is_empty() || cells.len() > MOST_CELLS {
        let value = format!("{} cells", cells.len());
        return Err(Fault::BadNumber { flag: "bench".into(), value, from: 1, to: MOST_CELLS as u64 });
    }
    let seed = number("--seed", &word("seed", "1"), 0, u64::MAX - 1_000)?;
    Ok(Bench {
        cells,
        load: Load {
            packets: u32::try_from(packets).unwrap_or(u32::MAX),
            payload: u16::try_from(whole("payload", "512", 1_400)?).unwrap_or(u16::MAX),
            timer,
            group: modes.acknowledgement == Some(aperto_app::hello::Acknowledgement::Group),
            nack: modes.negative,
            checksum: match modes.integrity {
                Some(aperto_app::hello::Integrity::Crc32) => aperto_arq::Checksum::Crc32,
                _ => aperto_arq::Checksum::Internet,
            },
        },
        seed,
        runs: u32::try_from(runs).unwrap_or(u32::MAX),
        csv: matches.get_one::<String>("csv").cloned(),
        json: matches.get_one::<String>("json").cloned(),
        svg: matches.get_one::<String>("svg").cloned(),
        tag: matches.get_one::<String>("tag").cloned(),
        repeat: repeat::command("bench", matches, Some(seed)),
    })
}

fn positive(timer: Duration, text: &str) -> Result<Duration, Fault> {
    if timer.is_zero() {
        return Err(Fault::BadNumber { flag: "--timer".into(), value: text.into(), from: 1, to: u64::MAX });
    }
    Ok(timer)
}

fn protocols(text: &str) -> Result<Vec<Protocol>, Fault> {
    let mut protocols = Vec::new();
    for name in text.split(',').map(str::trim) {
        let unknown = || Fault::NotAChoice {
            flag: "--proto".into(),
            value: name.into(),
            choices: flags::PROTOCOLS.map(String::from).to_vec(),
            nearest: None,
        };
        let protocol = Protocol::from_name(name).ok_or_else(unknown)?;
        if !protocols.contains(&protocol) {
            protocols.push(protocol);
        }
    }
    Ok(protocols)
}

/// `0,50,100ms`: an item without a unit has that of the next one that has.
fn list(text: &str) -> Vec<String> {
    let mut unit = "";
    let mut items: Vec<String> = text
        .rsplit(',')
        .map(str::trim)
        .map(|item| {
            let digits = item.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '%');
            let own = item.get(digits.len()..).unwrap_or_default();
            if own.is_empty() {
                format!("{item}{unit}")
            } else {
                unit = own;
                item.to_owned()
            }
        })
        .collect();
    items.reverse();
    let mut once: Vec<String> = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

/// All of them, the channel outermost. What has no window of ours is measured once for all windows.
fn cells(
    protocols: &[Protocol],
    windows: &[u16],
    delays: &[Duration],
    losses: &[Probability],
    reorders: &[Probability],
) -> Vec<Cell> {
    let mut cells = Vec::new();
    for delay in delays {
        for loss in losses {
            for reordering in reorders {
                for window in windows {
                    for protocol in protocols {
                        let (delay, loss, reordering) = (*delay, *loss, *reordering);
                        cells.push(Cell { protocol: *protocol, window: *window, delay, loss, reordering });
                    }
                }
            }
        }
    }
    cells
}

fn acknowledging(matches: &ArgMatches, experiment: &Experiment) -> Result<Modes, Fault> {
    let mut modes = modes::read_acknowledging(matches)?;
    let choice = |key: &str, choices: [&str; 2]| match experiment.word(key) {
        None => Ok(None),
        Some(word) if choices.contains(&word.as_str()) => Ok(Some(word)),
        Some(_) => Err(experiment.fault(key, BadConfig::BadValue)),
    };
    if let (false, Some(word)) = (given(matches, "ack"), choice("ack", ["individual", "group"])?) {
        modes.acknowledgement = Some(modes::acknowledgement(&word));
    }
    if let (false, Some(word)) = (given(matches, "integrity"), choice("integrity", ["checksum", "crc32"])?) {
        modes.integrity = Some(modes::integrity(&word));
    }
    if let Some(word) = choice("nack", ["true", "false"])? {
        modes.negative |= word == "true";
    }
    Ok(modes)
}

/// A file with the words of a matrix.
#[derive(Default)]
struct Experiment {
    file: String,
    text: String,
    words: Table,
}

impl Experiment {
    fn read(file: &str) -> Result<Self, Fault> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Fault::CannotRead { file: file.into(), why: trouble(&error) })?;
        let mut experiment = Self { file: file.into(), text, words: Table::new() };
        let table: Table = experiment.text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = experiment.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            experiment.fault_at(line, "", BadConfig::Syntax)
        })?;
        for (key, value) in table {
            match (key.as_str(), value) {
                ("bench", Value::Table(words)) => experiment.words = words,
                _ => return Err(experiment.fault(&key, BadConfig::UnknownKey)),
            }
        }
        for (key, value) in &experiment.words {
            if !WORDS.contains(&key.as_str()) {
                return Err(experiment.fault(key, BadConfig::UnknownKey));
            }
            if plain(value).is_none() {
                return Err(experiment.fault(key, BadConfig::BadValue));
            }
        }
        Ok(experiment)
    }

    fn word(&self, name: &str) -> Option<String> {
        self.words.get(name).and_then(plain)
    }

    fn fault(&self, key: &str, why: BadConfig) -> Fault {
        let place =
            self.text.lines().position(|line| line.trim_start().trim_start_matches('[').starts_with(key));
        let line = place.map_or(1, |line| line + 1);
        self.fault_at(line, key, why)
    }

    fn fault_at(&self, line: usize, key: &str, why: BadConfig) -> Fault {
        let words = WORDS.map(String::from).to_vec();
        Fault::Mode(ModeFault::BadExperiment { file: self.file.clone(), line, key: key.into(), why, words })
    }
}

/// A value as it would be typed: `"0,5%"`, `[4, 16]`, `200`, `true`.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(plain).collect();
            items.filter(|items| !items.is_empty()).map(|items| items.join(","))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shares_the_unit_of_its_end() {
        assert_eq!(list("0,50,100,150ms"), ["0ms", "50ms", "100ms", "150ms"]);
        assert_eq!(list("1s, 500ms"), ["1s", "500ms"]);
        assert_eq!(list("0,0.5,25%"), ["0%", "0.5%", "25%"]);
        assert_eq!(list("5"), ["5"], "refused later: 5 of what?");
        assert_eq!(list("4,16,4"), ["4", "16"]);
    }

    #[test]
    fn values_of_a_file_are_what_would_be_typed() {
        let table: Table = "a = [0, 50]\nb = \"5%\"\nc = 1.5\nd = true\ne = []".parse().unwrap();
        let word = |key: &str| plain(&table[key]);
        assert_eq!(word("a").as_deref(), Some("0,50"));
        assert_eq!(word("b").as_deref(), Some("5%"));
        assert_eq!(word("d").as_deref(), Some("true"));
        assert_eq!((word("c"), word("e")), (None, None));
    }
}
