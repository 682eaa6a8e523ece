//! The `aperto` program: run a connection, see every segment and why it was sent.
//!
//! | module | |
//! | --- | --- |
//! | [`arguments`] | the command line in two languages, as typed values |
//! | [`environment`], [`settings`], [`language`], [`looks`] | what decides how things look |
//! | [`output`], [`record`] | stdout, stderr, pager; recordings |
//! | [`live`] | real wires |
//! | [`system`] | what this machine says of itself |
//! | [`command`] | what each command does, one file each |
//!
//! Only what talks to a user is here. What a segment means is said by `aperto-explain`, what
//! happens is decided by the other crates.

#![forbid(unsafe_code)]

mod arguments;
mod command;
mod environment;
mod json_texts;
mod language;
mod live;
mod looks;
mod output;
mod plot;
mod record;
mod settings;
mod system;

use std::process::ExitCode;

use aperto_explain::Language;
use aperto_explain::program::{Exit, Fault};

use arguments::read::{self, Job};
use arguments::refuse::{self, Refusal};
use command::{
    bench, check, client, compare, demo, doctor, integrity, key, merge, papers, replay, server, show, states,
    transfer,
};
use environment::Environment;
use looks::Looks;
use settings::Settings;

fn main() -> ExitCode {
    let environment = Environment::from_process();
    let (settings, trouble) = match Settings::read() {
        Ok(settings) => (settings, None),
        Err(fault) => (Settings::default(), Some(fault)),
    };
    let language = language::choose(&environment, &settings);
    let outcome = match trouble {
        Some(fault) => Err(Failure::early(fault)),
        None => run(&environment, &settings, language),
    };
    let exit = match outcome {
        Ok(exit) => exit,
        Err(failure) => {
            let early = || early_looks(&environment, &settings, language);
            command::fail(&failure.fault, &failure.looks.unwrap_or_else(early))
        }
    };
    ExitCode::from(exit.code())
}

/// A fault, and the looks to tell it in, as soon as they are known.
struct Failure {
    fault: Fault,
    looks: Option<Looks>,
}

impl Failure {
    fn early(fault: Fault) -> Box<Self> {
        Box::new(Self { fault, looks: None })
    }
}

/// Understands the command line and does what it says.
fn run(environment: &Environment, settings: &Settings, language: Language) -> Result<Exit, Box<Failure>> {
    if let Some(value) = &environment.not_unicode {
        return Err(Failure::early(Fault::NotUnicode { value: value.clone() }));
    }
    let words = std::iter::once("aperto").chain(environment.words.iter().map(String::as_str));
    let matches = match tree_of(language).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => match refuse::sort(&error, &program(environment)) {
            Refusal::Help(text) => {
                papers::print(&early_looks(environment, settings, language), &text);
                return Ok(Exit::Done);
            }
            Refusal::Fault(fault) => return Err(Failure::early(fault)),
        },
    };
    let looks = Looks::new(&matches, language, settings, environment).map_err(Failure::early)?;
    let done = read::job(&matches).and_then(|job| perform(job, &looks, environment));
    done.map_err(|fault| Box::new(Failure { fault, looks: Some(looks) }))
}

fn perform(job: Job, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    match job {
        Job::Demo(job) => demo::run(&job, looks),
        Job::Scenes => Ok(demo::list(looks)),
        Job::Completions { shell } => Ok(papers::completions(looks, &shell)),
        Job::Man => papers::man(looks),
        Job::Help { command, all } => papers::help(looks, command.as_deref(), all),
        Job::Version => Ok(papers::version(looks)),
        Job::Server(job) => server::run(job, looks, environment),
        Job::Client(job) => client::run(job, looks, environment),
        Job::Bench(job) => bench::run(&job, looks, environment),
        Job::FileServer(job) => transfer::server(&job, looks, environment),
        Job::FileClient(job) => transfer::client(&job, looks, environment),
        Job::Compare(job) => compare::run(&job, looks),
        Job::Integrity(job) => integrity::run(&job, looks),
        Job::Show(job) => show::run(&job, looks),
        Job::Doctor(job) => doctor::run(job, looks, environment),
        Job::States(job) => states::run(&job, looks),
        Job::Check(job) => check::run(&job, looks),
        Job::Merge(job) => merge::run(&job, looks),
        Job::Replay(job) => replay::run(&job, looks),
        Job::Key(job) => key::run(&job, looks),
    }
}

fn tree_of(language: Language) -> clap::Command {
    arguments::tree::command(language)
}

/// The command as far as its help is named: `aperto server`.
fn program(environment: &Environment) -> String {
    let tree = tree_of(Language::English);
    let first = environment.words.iter().find(|word| tree.find_subcommand(word).is_some());
    first.map_or_else(|| "aperto".into(), |word| format!("aperto {word}"))
}

/// How to tell a fault of a command line that was not understood.
fn early_looks(environment: &Environment, settings: &Settings, language: Language) -> Looks {
    let nothing =
        tree_of(language).try_get_matches_from(["aperto"]).expect("the bare command is always understood");
    let mut looks = Looks::new(&nothing, language, settings, environment)
        .expect("settings are checked when they are read");
    if let Some(view) = environment.early_flag("view").and_then(looks::view) {
        looks.asked_view = Some(view);
    }
    looks
}
