//! `aperto replay`: runs a recording again from the recipe inside, and compares record by record.

use std::sync::atomic::Ordering;

use aperto_explain::Language;
use aperto_explain::program::tools::{NotReplayable, ToolFault, replay_same};
use aperto_explain::program::{Exit, Fault};
use aperto_time::Instant;
use aperto_trace::json::{self, diff};
use aperto_trace::trace::Ending;
use aperto_trace::{Fact, Finding, Record, Trace, Vantage};

use super::{demo, show};
use crate::arguments::read::{self, Demo, Job};
use crate::arguments::recipe::{self, Unreadable};
use crate::arguments::refuse::{self, Refusal};
use crate::arguments::tools::Replay;
use crate::arguments::tree;
use crate::looks::{Looks, View};
use crate::output::Output;

/// Runs it again and says whether it is the same.
pub(crate) fn run(job: &Replay, looks: &Looks) -> Result<Exit, Fault> {
    let file = job.file.as_str();
    let octets = show::octets_of(file)?;
    let (recorded, broken) = show::understand(file, &octets)?;
    if octets.first() != Some(&b'{') {
        let why = NotReplayable::Capture;
        return Err(Fault::Tool(ToolFault::NotReplayable { file: file.into(), why }));
    }
    let demo = asked(file, &recorded)?;
    let now = demo::simulate(&demo, looks)?.trace;
    compare(file, &recorded, &now, broken.is_some())?;
    if let Some(Fault::Broken { at, .. }) = broken {
        let records = recorded.records().len() as u64;
        return Err(Fault::Tool(ToolFault::ReplayCutOff { file: file.into(), at, records }));
    }
    say_same(&recorded, looks);
    Ok(Exit::Done)
}

/// The command that the recipe in a recording is.
fn asked(file: &str, trace: &Trace) -> Result<Demo, Fault> {
    let not = |why| Fault::Tool(ToolFault::NotReplayable { file: file.into(), why });
    let header = &trace.header;
    let Some(line) = &header.recipe else {
        return Err(not(match header.wire.as_str() {
            "udp" | "tun" | "os" => NotReplayable::Live(header.wire.clone()),
            "capture" => NotReplayable::Capture,
            _ => NotReplayable::NoRecipe,
        }));
    };
    let shown = || line.chars().filter(|letter| !letter.is_control()).take(200).collect::<String>();
    let not_understood =
        |what: &str| not(NotReplayable::NotUnderstood { recipe: shown(), what: what.into() });
    let words = recipe::read(line).map_err(|unreadable| match unreadable {
        Unreadable::Kind(kind) => not(NotReplayable::UnknownRecipe(kind)),
        Unreadable::Words => not_understood("bad-quotes"),
    })?;
    let words = std::iter::once("aperto").chain(words.iter().map(String::as_str));
    let matches = tree::command(Language::English).try_get_matches_from(words).map_err(|error| {
        not_understood(match refuse::sort(&error, "aperto") {
            Refusal::Fault(fault) => fault.code(),
            Refusal::Help(_) => "help",
        })
    })?;
    match read::job(&matches) {
        Ok(Job::Demo(demo)) => Ok(demo),
        // No other command is simulated; and no recording can make us do anything else.
        Ok(_) => Err(not_understood("no-simulated-run")),
        Err(fault) => Err(not_understood(fault.code())),
    }
}

/// Compares; a recording that is cut off is compared as far as it goes.
fn compare(file: &str, recorded: &Trace, now: &Trace, cut_off: bool) -> Result<(), Fault> {
    let version = recorded.header.version.clone();
    let differs = |record: usize, recorded, now: Option<String>| {
        Err(Fault::Tool(ToolFault::ReplayDiffers {
            file: file.into(),
            record: record as u64,
            recorded,
            now,
            version: (version != env!("CARGO_PKG_VERSION"))
                .then(|| version.chars().filter(|letter| !letter.is_control()).take(20).collect()),
        }))
    };
    if let Some((one, other)) = diff::headers(&recorded.header, &now.header) {
        return differs(0, Some(one), Some(other));
    }
    let (before, after) = (recorded.records(), now.records());
    let place = before.iter().zip(after).position(|(one, other)| one != other);
    let (before, after, place) = match place {
        Some(place) => (before.get(place), after.get(place), place),
        None if before.len() == after.len() || (cut_off && before.len() < after.len()) => return Ok(()),
        None => {
            let place = before.len().min(after.len());
            (before.get(place), after.get(place), place)
        }
    };
    let (recorded_line, now_line) = match (before, after) {
        (Some(before), Some(after)) => {
            let (one, other) = diff::differences(before, after);
            (Some(one), Some(other))
        }
        (before, after) => (before.map(diff::name), after.map(diff::name)),
    };
    differs(place + 1, recorded_line, now_line)
}

fn say_same(trace: &Trace, looks: &Looks) {
    let records = trace.records().len() as u64;
    let mut output = Output::new(looks);
    if looks.view() == View::Json {
        let at = trace.records().last().map_or(Instant::ZERO, |record| record.at);
        let values = vec![("records".into(), records)];
        let fact = Fact::Finding(Finding { code: "replay-same".into(), packets: Vec::new(), values });
        let finding = Record { at, vantage: Vantage::Channel, flow: None, fact };
        let ending = json::ending_line(&Ending::End { at, exit_code: 0 }, trace.not_kept());
        for line in [json::start_line(&trace.header), json::record_line(&finding), ending] {
            output.octets(line.as_bytes());
            output.octets(b"\n");
        }
        looks.json_ended.store(true, Ordering::Relaxed);
    } else {
        output.line(&replay_same(looks.language, records));
    }
    output.finish();
}
