//! `aperto compare --integrity`: one file over one lying channel, through four layers.
//!
//! The layers are applications over simulated TCP (`layers.rs`): a client that believes what it
//! reads, one that judges chunks by their digests, one over TLS; and below TCP, packets that are
//! sealed one by one. An oracle that knows the file counts what was wrong.

mod checksums;
mod dice;
mod digest;
mod judge;
mod layers;
mod plain;
#[cfg(test)]
mod tests;
mod tls;

use aperto_explain::Ladder;
use aperto_explain::Language;
use aperto_explain::program::integrity::{self, Change, Integrity, Layer};
use aperto_explain::program::{Exit, Fault};
use aperto_explain::quantity::decimal_sign;
use aperto_explain::wording::width;
use aperto_sim::channel::{Corruption, Preset};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::{Protocol, Recipe};
use aperto_trace::Trace;

use super::demo;
use super::present::{self, Page};
use crate::arguments::integrity::Job;
use crate::looks::{Looks, View};
use crate::output::Output;
use layers::{File, Keep, Row};

/// Of a run over the channel as it is, and over one that damages nothing.
struct Pair {
    row: Row,
    clean: Row,
    trace: Trace,
}

/// Runs each layer and shows what came of it.
pub(crate) fn run(job: &Job, looks: &Looks) -> Result<Exit, Fault> {
    let mut channel = Recipe::new(Protocol::Tcp);
    channel.seed = job.channel.seed;
    (channel.up, channel.down) = job.channel.impairments(Preset::Perfect.impairments());
    channel.picks = job.channel.picks.clone();
    let default = job.channel.first_flag.is_none();
    if default {
        channel.impair(None, |one| {
            one.corruption = Probability::from_millionths(5_000);
            one.checksum = Corruption::RepairsChecksum;
        });
    }
    let file = File { octets: job.octets, channel };
    let keep = if looks.asked_view == Some(View::Ladder) { Keep::Trace } else { Keep::Nothing };
    let mut pairs = Vec::new();
    for &layer in &job.layers {
        let refused = |error| demo::refused(&error);
        let (clean, _) = file.clean().run(layer, Keep::Nothing).map_err(refused)?;
        let (row, mut trace) = file.run(layer, keep).map_err(refused)?;
        trace.header.command.clone_from(&job.repeat);
        pairs.push(Pair { row, clean, trace });
    }
    // What plain TCP needs for the file where nothing is damaged: all else is extra.
    let (plain, _) = file.clean().run(Layer::None, Keep::Nothing).map_err(|error| demo::refused(&error))?;
    let lines = match looks.asked_view {
        Some(View::Ladder) => ladders(&pairs, looks),
        Some(View::Json) => json(&pairs, &plain),
        Some(View::Lines | View::Nothing) | None => page(job, &file, &pairs, &plain, default, looks),
    };
    let mut output = Output::paged(looks, lines.len());
    for line in lines {
        output.line(&line);
    }
    output.finish();
    let whole = pairs.iter().all(|pair| pair.row.complete_after.is_some());
    Ok(if whole { Exit::Done } else { Exit::Failed })
}

fn page(job: &Job, file: &File, pairs: &[Pair], plain: &Row, default: bool, looks: &Looks) -> Vec<String> {
    let language = looks.language;
    let channel = &file.channel;
    let compared = Integrity::Compared {
        octets: file.octets,
        layers: job.layers.len(),
        rtt: channel.up.delay.saturating_add(channel.down.delay),
        seed: channel.seed,
        flags: channel.flags(),
        default,
    };
    let mut lines = compared.lines(language);
    if channel.up.checksum == Corruption::BreaksChecksum && pairs.iter().any(|pair| pair.row.damaged > 0) {
        lines.extend(Integrity::NotRepaired.lines(language));
    }
    lines.push(String::new());
    let heads = integrity::heads(language);
    lines.push(joined(&heads.map(String::from), &heads));
    lines.extend(pairs.iter().map(|pair| joined(&cells(pair, plain, language), &heads)));
    lines.push(String::new());
    for pair in pairs {
        lines.extend(told(&pair.row).lines(language));
        if pair.row.complete_after.is_none() {
            lines.extend(unfinished(&pair.row).lines(language));
        }
    }
    lines.push(String::new());
    lines.extend(Integrity::Checksums { octets: checksums::TEXT.len() }.lines(language));
    lines.extend(missed(language));
    lines.extend(Integrity::Lesson.lines(language));
    if !looks.quiet {
        lines.push(String::new());
        lines.extend(Integrity::Next.lines(language));
    }
    lines
}

/// The narrowest columns: what stands below the heads may be wider than they are.
const COLUMNS: [usize; 8] = [6, 6, 6, 6, 6, 7, 9, 4];

/// The first column begins at the left, the others end at the right of their heads.
fn joined(cells: &[String; 8], heads: &[&str; 8]) -> String {
    let mut line = String::new();
    for ((cell, head), least) in cells.iter().zip(heads).zip(COLUMNS) {
        let fill = " ".repeat(width(head).max(least).saturating_sub(width(cell)));
        if line.is_empty() {
            line = format!("{cell}{fill}");
        } else {
            line.push_str(&format!("  {fill}{cell}"));
        }
    }
    line
}

fn cells(pair: &Pair, plain: &Row, language: Language) -> [String; 8] {
    let Pair { row, clean, .. } = pair;
    let goodput = |row: &Row| row.goodput().map(|octets| octets / 1_000);
    let of_clean = row.goodput().zip(clean.goodput()).map(|(now, clean)| now * 100 / clean.max(1));
    [
        row.layer.name().to_owned(),
        row.damaged.to_string(),
        row.noticed.to_string(),
        row.wrong.to_string(),
        row.reconnects.to_string(),
        extra(row.wire_octets, plain.wire_octets, language),
        goodput(row).map_or_else(|| "--".into(), |kilobytes| format!("{kilobytes} kB/s")),
        of_clean.map_or_else(|| "--".into(), |percent| format!("{percent}%")),
    ]
}

/// `+3.1%`.
fn extra(now: u64, plain: u64, language: Language) -> String {
    let tenths = (i128::from(now) - i128::from(plain)) * 1_000 / i128::from(plain.max(1));
    let sign = if tenths < 0 { '-' } else { '+' };
    let tenths = tenths.unsigned_abs();
    format!("{sign}{}{}{}%", tenths / 10, decimal_sign(language), tenths % 10)
}

fn told(row: &Row) -> Integrity {
    match row.layer {
        Layer::None => row.first_wrong.map_or(Integrity::BelievedRight, |first| Integrity::Believed {
            wrong: row.wrong,
            spots: row.spots,
            first,
        }),
        Layer::Digest => Integrity::AskedAgain { times: row.noticed },
        Layer::Tls => {
            Integrity::Reconnected { records: row.records, handshakes: row.handshakes, cut_off: row.cut_off }
        }
        Layer::Aead => Integrity::Dropped { packets: row.noticed, handshake_octets: row.handshake_octets },
    }
}

fn unfinished(row: &Row) -> Integrity {
    Integrity::Unfinished { layer: row.layer, delivered: row.delivered, of: row.of, tries: row.reconnects }
}

/// The table of what checksums miss.
fn missed(language: Language) -> Vec<String> {
    let heads = integrity::checksum_heads(language);
    let line = |first: &str, others: [&str; 4]| {
        let mut line = format!("{first:<33}");
        for other in others {
            line.push_str(&format!("{other:<11}"));
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(heads[0], [heads[1], heads[2], heads[3], heads[4]])];
    for change in Change::ALL {
        if let Some(noticed) = checksums::tried(change) {
            let words = noticed.all().map(|one| integrity::noticed(language, one));
            lines.push(line(integrity::change(language, change), words));
        }
    }
    lines
}

fn ladders(pairs: &[Pair], looks: &Looks) -> Vec<String> {
    let mut lines = Vec::new();
    for pair in pairs {
        let view = present::ladder_view(looks, &Page::default());
        // The datagrams that agree on keys are no conversation of an application.
        for flow in pair.trace.flows().filter(|flow| flow.protocol == aperto_trace::Protocol::Tcp) {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(pair.row.layer.name().to_owned());
            let drawn = Ladder::new(&pair.trace, flow.id, &view).lines(&view);
            lines.extend(drawn.into_iter().map(|line| if looks.color { line.ansi() } else { line.plain() }));
        }
    }
    lines
}

/// One object a layer, one a change of the text, and an end.
fn json(pairs: &[Pair], plain: &Row) -> Vec<String> {
    let mut lines = vec![r#"{"v":1,"type":"start","command":"compare"}"#.to_owned()];
    let or_null = |number: Option<u64>| number.map_or_else(|| "null".into(), |number| number.to_string());
    for Pair { row, clean, .. } in pairs {
        let nanoseconds = |row: &Row| row.complete_after.and_then(|time| u64::try_from(time.as_nanos()).ok());
        lines.push(format!(
            r#"{{"type":"integrity","layer":"{}","damaged":{},"noticed":{},"delivered":{},"of":{},"wrong_octets":{},"wrong_spots":{},"reconnects":{},"wire_octets":{},"plain_wire_octets":{},"complete_after_ns":{},"clean_after_ns":{},"goodput_octets_per_second":{}}}"#,
            row.layer.name(),
            row.damaged,
            row.noticed,
            row.delivered,
            row.of,
            row.wrong,
            row.spots,
            row.reconnects,
            row.wire_octets,
            plain.wire_octets,
            or_null(nanoseconds(row)),
            or_null(nanoseconds(clean)),
            or_null(row.goodput()),
        ));
    }
    for change in Change::ALL {
        if let Some(checksums::Noticed { internet, crc32, blake3, aead }) = checksums::tried(change) {
            lines.push(format!(
                r#"{{"type":"checksum","change":"{}","internet":{internet},"crc32":{crc32},"blake3":{blake3},"aead":{aead}}}"#,
                change.code(),
            ));
        }
    }
    let whole = pairs.iter().all(|pair| pair.row.complete_after.is_some());
    let exit = if whole { Exit::Done } else { Exit::Failed };
    lines.push(format!(r#"{{"type":"end","exit_code":{}}}"#, exit.code()));
    lines
}
