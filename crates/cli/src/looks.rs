//! How things look: flags, then settings, then what the terminal can do.
//!
//! Not a terminal: no colour, no pager. A run that is over is drawn as a ladder where there are 76
//! columns; one that goes on is told line by line. `NO_COLOR` and `CLICOLOR_FORCE` are
//! honoured as <https://no-color.org> and <https://bixense.com/clicolors> say; `TERM=dumb` has no colours.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aperto_explain::Language;
use aperto_explain::program::Fault;
use clap::ArgMatches;

use crate::arguments::read::{given, number};
use crate::environment::Environment;
use crate::settings::Settings;

/// How to show what happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    /// Client left, server right, time down.
    Ladder,
    /// One event a line.
    Lines,
    /// One JSON object a line.
    Json,
    /// Results only.
    Nothing,
}

/// How numbers are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Numbers {
    Relative,
    Absolute,
    Both,
}

/// In which unit times are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimeUnit {
    Milliseconds,
    Seconds,
    RoundTrips,
    Clock,
}

/// How much is said of reasons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    Full,
    Short,
    Nothing,
}

/// Whether departures and arrivals are drawn apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Split {
    Auto,
    Always,
    Never,
}

/// A view wide enough for a ladder has this many columns at least.
pub(crate) const LADDER_COLUMNS: usize = 76;
/// How wide a ladder is where nothing says.
const USUAL_COLUMNS: usize = 80;
/// From here on a ladder has two times and more.
const WIDE_COLUMNS: usize = 120;

/// How things look.
#[derive(Clone, Debug)]
pub(crate) struct Looks {
    pub(crate) language: Language,
    /// What was asked for, if it was.
    pub(crate) asked_view: Option<View>,
    pub(crate) numbers: Option<Numbers>,
    pub(crate) time: TimeUnit,
    pub(crate) why: Option<Why>,
    pub(crate) columns: usize,
    pub(crate) split: Split,
    pub(crate) ascii: bool,
    pub(crate) color: bool,
    pub(crate) error_color: bool,
    pub(crate) pager: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) all: bool,
    /// Whether there is room for a ladder.
    draws: bool,
    /// How many rows the terminal has.
    pub(crate) rows: Option<usize>,
    /// Whether the one last line of JSON has been written.
    pub(crate) json_ended: Arc<AtomicBool>,
}

impl Looks {
    /// Gathers them.
    pub(crate) fn new(
        matches: &ArgMatches,
        language: Language,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Self, Fault> {
        let below = matches.subcommand().map_or(matches, |(_, below)| below);
        let value = |key: &str| text(below, key).or_else(|| settings.value(key));
        let switch = |key: &str| flag(below, key) || settings.value(key).as_deref() == Some("true");
        let terminal = environment.stdout_is_terminal;
        let ascii = switch("ascii") || !Environment::speaks_utf8();
        let told = Environment::variable("COLUMNS").and_then(|columns| columns.parse::<usize>().ok());
        let columns = match value("width") {
            Some(width) => usize::try_from(number("--width", &width, 20, 1_000)?).unwrap_or(USUAL_COLUMNS),
            None => match environment.size.map(|(columns, _)| columns).filter(|_| terminal).or(told) {
                Some(columns) if terminal && columns >= WIDE_COLUMNS => WIDE_COLUMNS,
                Some(columns) => columns.clamp(20, USUAL_COLUMNS),
                None => USUAL_COLUMNS,
            },
        };
        let color = value("color");
        Ok(Self {
            language,
            asked_view: value("view").as_deref().and_then(view),
            numbers: value("seq").as_deref().and_then(numbers),
            time: value("time").as_deref().map_or(TimeUnit::Milliseconds, time_unit),
            why: value("why").as_deref().and_then(why),
            columns,
            split: value("split").as_deref().map_or(Split::Auto, split),
            ascii,
            color: colors(color.as_deref(), terminal),
            error_color: colors(color.as_deref(), environment.stderr_is_terminal),
            pager: terminal
                && !flag(below, "no-pager")
                && settings.value("pager").as_deref() != Some("false"),
            quiet: flag(below, "quiet"),
            verbose: flag(below, "verbose"),
            all: flag(below, "all"),
            draws: columns >= LADDER_COLUMNS,
            rows: environment.size.map(|(_, rows)| rows),
            json_ended: Arc::default(),
        })
    }

    /// The view of a run that is over: a drawing, into a file as well, unless there is no room for it.
    pub(crate) fn view(&self) -> View {
        self.asked_view.unwrap_or(if self.draws { View::Ladder } else { View::Lines })
    }

    /// The view of a run that goes on: lines, which need no future.
    pub(crate) fn live_view(&self) -> View {
        self.asked_view.unwrap_or(View::Lines)
    }

    /// The one of two texts that is in the language.
    pub(crate) const fn say(&self, english: &'static str, portuguese: &'static str) -> &'static str {
        match self.language {
            Language::English => english,
            Language::Portuguese => portuguese,
        }
    }
}

/// Whether to colour what goes to a terminal, or not to one.
fn colors(asked: Option<&str>, terminal: bool) -> bool {
    match asked {
        Some("always") => return true,
        Some("never") => return false,
        _ => {}
    }
    if Environment::variable("NO_COLOR").is_some() {
        return false;
    }
    if Environment::variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && Environment::variable("TERM").as_deref() != Some("dumb")
}

fn text(matches: &ArgMatches, key: &str) -> Option<String> {
    matches.try_get_one::<String>(key).ok().flatten().cloned()
}

fn flag(matches: &ArgMatches, key: &str) -> bool {
    matches.try_contains_id(key).is_ok_and(|there| there)
        && given(matches, key)
        && matches.try_get_one::<bool>(key).ok().flatten().copied().unwrap_or(false)
}

pub(crate) fn view(text: &str) -> Option<View> {
    match text {
        "ladder" => Some(View::Ladder),
        "lines" => Some(View::Lines),
        "json" => Some(View::Json),
        "none" => Some(View::Nothing),
        _ => None,
    }
}

fn numbers(text: &str) -> Option<Numbers> {
    match text {
        "rel" => Some(Numbers::Relative),
        "abs" => Some(Numbers::Absolute),
        "both" => Some(Numbers::Both),
        _ => None,
    }
}

fn time_unit(text: &str) -> TimeUnit {
    match text {
        "s" => TimeUnit::Seconds,
        "rtt" => TimeUnit::RoundTrips,
        "clock" => TimeUnit::Clock,
        _ => TimeUnit::Milliseconds,
    }
}

fn why(text: &str) -> Option<Why> {
    match text {
        "full" => Some(Why::Full),
        "short" => Some(Why::Short),
        "none" => Some(Why::Nothing),
        _ => None,
    }
}

fn split(text: &str) -> Split {
    match text {
        "always" => Split::Always,
        "never" => Split::Never,
        _ => Split::Auto,
    }
}
