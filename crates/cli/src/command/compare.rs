//! `aperto compare`: one message over one channel, through several protocols.

use std::time::Duration;

use aperto_explain::ladder::Extent;
use aperto_explain::program::saying::{Impaired, Recovered, Saying, comparison_heads, recovered, some_of};
use aperto_explain::program::{Exit, Fault};
use aperto_explain::wording::{pad, width};
use aperto_explain::{Ladder, Summary, quantity};
use aperto_sim::channel::picks::{Action, Selector};
use aperto_sim::channel::{Kind, Preset};
use aperto_sim::compare::{Comparison, Recovery, Row};
use aperto_sim::recipe::{Protocol, Recipe};
use aperto_trace::Trace;

use super::demo;
use super::present::{self, Page};
use crate::arguments::read::Compare;
use crate::looks::{Looks, View};
use crate::output::Output;

/// Runs each protocol and shows what came of it.
pub(crate) fn run(job: &Compare, looks: &Looks) -> Result<Exit, Fault> {
    let message = job.message.clone().unwrap_or_else(|| demo::usual_message(looks).into());
    let mut comparison = Comparison::new(message.as_bytes());
    comparison.payload = u16::try_from(job.payload).unwrap_or(u16::MAX);
    comparison.window = u16::try_from(job.window).unwrap_or(u16::MAX);
    (comparison.longest, comparison.group, comparison.nack) = (job.longest, job.group, job.nack);
    let mut channel = Recipe::new(Protocol::Tcp);
    channel.seed = job.channel.seed;
    (channel.up, channel.down) = job.channel.impairments(Preset::Perfect.impairments());
    channel.picks = job.channel.picks.clone();
    comparison.channel = channel;
    let mut runs = Vec::new();
    for protocol in order(&job.protocols) {
        let (row, world) = comparison.run(protocol).map_err(|error| demo::refused(&error))?;
        let mut trace = world.into_trace();
        trace.header.command.clone_from(&job.repeat);
        runs.push((row, trace));
    }
    // A table needs no terminal: it is what was asked for, unless something else was.
    let lines = match looks.asked_view {
        Some(View::Ladder) => ladders(&runs, looks),
        Some(View::Json) => json(&runs),
        Some(View::Lines | View::Nothing) | None => table(job, &comparison, &runs, looks),
    };
    let mut output = Output::paged(looks, lines.len());
    for line in lines {
        output.line(&line);
    }
    output.finish();
    Ok(Exit::Done)
}

/// As asked, but for TCP, whose row needs a remark below.
fn order(protocols: &[Protocol]) -> Vec<Protocol> {
    let (tcp, mut others): (Vec<Protocol>, Vec<Protocol>) =
        protocols.iter().partition(|protocol| **protocol == Protocol::Tcp);
    others.extend(tcp);
    others
}

/// How many packets the textbook protocols make of it: a message begins a packet of its own.
fn packets(comparison: &Comparison) -> u64 {
    let longest = comparison.longest.map_or(usize::MAX, |octets| octets.max(1) as usize);
    let payload = usize::from(comparison.payload.max(1));
    comparison.message.chunks(longest).map(|message| message.len().div_ceil(payload) as u64).sum()
}

fn table(job: &Compare, comparison: &Comparison, runs: &[(Row, Trace)], looks: &Looks) -> Vec<String> {
    let language = looks.language;
    let octets = comparison.message.len() as u64;
    let compared = Saying::Compared {
        octets,
        packets: packets(comparison),
        rtt: comparison.channel.up.delay.saturating_add(comparison.channel.down.delay),
        timer: comparison.timer,
        lost: impaired(&comparison.channel),
    };
    let mut lines = compared.lines(language);
    lines.push(String::new());
    let heads = comparison_heads(language);
    lines.push(heads.join("  "));
    lines.extend(runs.iter().map(|(row, _)| table_row(row, &heads, looks)));
    lines.push(String::new());
    if let Some((row, _)) = runs.iter().find(|(row, _)| row.protocol == Protocol::Tcp) {
        let config = aperto_tcp::Config::classroom();
        let saying = Saying::TcpBesides {
            opening: row.opening,
            initial_window: config.initial_window_segments.unwrap_or(2),
            window: job.window,
        };
        lines.extend(saying.lines(language));
    }
    let udp = runs.iter().find(|(row, _)| row.protocol == Protocol::Udp && row.delivered < row.of);
    let last = match udp {
        Some((row, _)) => Saying::UdpRead { text: shown(&row.read) },
        None => Saying::Diagrams,
    };
    if !looks.quiet {
        lines.extend(last.lines(language));
    }
    lines
}

fn shown(octets: &[u8]) -> String {
    aperto_explain::context::label_text(octets, 40)
}

/// What the channel does, in a few words.
fn impaired(channel: &Recipe) -> Impaired {
    let flags = channel.flags();
    if flags.is_empty() {
        return Impaired::Nothing;
    }
    let mut picks = channel.picks.iter();
    match (picks.next(), picks.next()) {
        (Some(pick), None) if flags == format!("--drop {pick}") && pick.action == Action::Drop => {
            match pick.selector {
                Selector::Kind { kind: Kind::Data, first, last } if first == last => {
                    Impaired::OnePacket(first + 1)
                }
                _ => Impaired::Flags(flags),
            }
        }
        _ => Impaired::Flags(flags),
    }
}

fn table_row(row: &Row, heads: &[&str; 7], looks: &Looks) -> String {
    let language = looks.language;
    let time = match row.complete_after {
        Some(after) => format!("{:>10}{}", quantity::milliseconds(language, rounded(after)), star(row)),
        None => format!("{:>8}", "--"),
    };
    let middle = |number: u64, head: &str| format!("{number:>digits$}", digits = (width(head) / 2).max(3));
    let cells = [
        row.protocol.name().to_owned(),
        middle(row.sends, heads[1]),
        middle(row.resends, heads[2]),
        middle(row.acks, heads[3]),
        some_of(language, row.delivered, row.of),
        time,
        recovered(language, how(row)).to_owned(),
    ];
    let mut line = String::new();
    let mut column = 0;
    for (cell, head) in cells.iter().zip(heads) {
        pad(&mut line, column);
        line.push_str(cell);
        column += width(head).max(if *head == heads[4] { 8 } else { 0 }) + 2;
    }
    line
}

/// Milliseconds are what a table can be compared by.
fn rounded(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from((time.as_micros() + 500) / 1_000).unwrap_or(u64::MAX))
}

const fn star(row: &Row) -> &'static str {
    if matches!(row.protocol, Protocol::Tcp) { " *" } else { "" }
}

const fn how(row: &Row) -> Recovered {
    match (row.recovery, row.protocol) {
        (Recovery::NotNeeded, _) => Recovered::NotNeeded,
        (Recovery::None, _) => Recovered::Never,
        (Recovery::Timer, Protocol::SelectiveRepeat) => Recovered::TimerOnlyTheLost,
        (Recovery::Timer, _) => Recovered::Timer,
        (Recovery::TimerWholeWindow, _) => Recovered::TimerWholeWindow,
        (Recovery::Nack, _) => Recovered::Nack,
        (Recovery::DuplicateAcks, _) => Recovered::DuplicateAcks,
    }
}

fn ladders(runs: &[(Row, Trace)], looks: &Looks) -> Vec<String> {
    let selective = runs.iter().find(|(row, _)| row.protocol == Protocol::SelectiveRepeat);
    let mut lines = Vec::new();
    for (row, trace) in runs {
        let mut view = present::ladder_view(looks, &Page::default());
        if !looks.all && row.protocol != Protocol::Udp && row.recovery != Recovery::NotNeeded {
            view.extent = Extent::Recovery;
        }
        if let (Protocol::GoBackN, Some((other, other_trace))) = (row.protocol, selective) {
            let lasted = Summary::of(other_trace, None).lasted;
            let saying = Saying::SelectiveRepeatWould { sends: other.sends, lasted };
            view.remark = Some(saying.text(looks.language));
        }
        for flow in trace.flows() {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            let drawn = Ladder::new(trace, flow.id, &view).lines(&view);
            lines.extend(drawn.into_iter().map(|line| if looks.color { line.ansi() } else { line.plain() }));
        }
    }
    lines
}

/// One object a protocol, and an end.
fn json(runs: &[(Row, Trace)]) -> Vec<String> {
    let mut lines = vec![r#"{"v":1,"type":"start","command":"compare"}"#.to_owned()];
    for (row, _) in runs {
        let complete = row.complete_after.map_or_else(|| "null".into(), |after| after.as_nanos().to_string());
        lines.push(format!(
            r#"{{"type":"comparison","protocol":"{}","sends":{},"resends":{},"acks":{},"delivered":{},"of":{},"complete_after_ns":{complete},"opening_ns":{}}}"#,
            row.protocol.name(),
            row.sends,
            row.resends,
            row.acks,
            row.delivered,
            row.of,
            row.opening.as_nanos(),
        ));
    }
    lines.push(r#"{"type":"end","exit_code":0}"#.to_owned());
    lines
}
