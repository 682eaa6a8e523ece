//! The figures of `bench`: goodput and sends over each dimension of which there are several values.
//!
//! A figure has a panel for each value of another dimension and of a third; what is left stays at its
//! first value, which the caption says. Theory is drawn as a line, also between the points.

use std::time::Duration;

use aperto_explain::Language;
use aperto_explain::program::bench::{self as words, Axis};
use aperto_explain::quantity;
use aperto_sim::bench::{bits_per_second, theory};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::Protocol;

use super::Row;
use crate::arguments::bench::Bench;
use crate::plot::{Figure, Kind, Panel, Scale, Series, draw};

/// Panels side by side.
const COLUMNS: usize = 4;
/// Points of a line of theory.
const FINE: u32 = 48;

/// What one cell has in a dimension, as a number for an axis.
fn coordinate(row: &Row, axis: Axis) -> f64 {
    match axis {
        Axis::Delay => row.cell.delay.as_secs_f64() * 1e3,
        Axis::Loss => f64::from(row.cell.loss.millionths()) / 1e4,
        Axis::Reordering => f64::from(row.cell.reordering.millionths()) / 1e4,
        Axis::Window | Axis::Goodput | Axis::Sends => f64::from(row.cell.window),
    }
}

/// The same as a word: `50 ms`, `5%`, `16`.
fn named(language: Language, row: &Row, axis: Axis) -> String {
    let value = match axis {
        Axis::Delay => quantity::duration(language, row.cell.delay),
        Axis::Loss => row.cell.loss.to_string(),
        Axis::Reordering => row.cell.reordering.to_string(),
        Axis::Window | Axis::Goodput | Axis::Sends => row.cell.window.to_string(),
    };
    words::fixed(language, axis, &value)
}

/// The different values of a dimension, as the first row that has each.
fn values(rows: &[Row], axis: Axis) -> Vec<&Row> {
    let mut found: Vec<&Row> = Vec::new();
    for row in rows {
        if !found.iter().any(|known| same(known, row, axis)) {
            found.push(row);
        }
    }
    found
}

fn same(one: &Row, other: &Row, axis: Axis) -> bool {
    match axis {
        Axis::Delay => one.cell.delay == other.cell.delay,
        Axis::Loss => one.cell.loss == other.cell.loss,
        Axis::Reordering => one.cell.reordering == other.cell.reordering,
        Axis::Window | Axis::Goodput | Axis::Sends => one.cell.window == other.cell.window,
    }
}

/// All figures that the matrix has, with their names.
pub(super) fn all(job: &Bench, rows: &[Row], language: Language) -> Vec<(&'static str, String)> {
    let mut figures = Vec::new();
    for (name, of, over, beside) in [
        ("goodput-by-loss", Axis::Goodput, Axis::Loss, Axis::Delay),
        ("goodput-by-delay", Axis::Goodput, Axis::Delay, Axis::Loss),
        ("goodput-by-reordering", Axis::Goodput, Axis::Reordering, Axis::Delay),
        ("goodput-by-window", Axis::Goodput, Axis::Window, Axis::Delay),
        ("sends-by-loss", Axis::Sends, Axis::Loss, Axis::Reordering),
    ] {
        if values(rows, over).len() > 1 {
            figures.push((name, draw(&figure(job, rows, language, [of, over, beside]))));
        }
    }
    if figures.is_empty() {
        // One channel alone: its protocols side by side.
        let axes = [Axis::Goodput, Axis::Loss, Axis::Delay];
        figures.push(("goodput", draw(&figure(job, rows, language, axes))));
    }
    figures
}

fn figure(job: &Bench, rows: &[Row], language: Language, [of, over, beside]: [Axis; 3]) -> Figure {
    let down = if over == Axis::Window { Axis::Loss } else { Axis::Window };
    let fixed: Vec<(Axis, &Row)> = [Axis::Delay, Axis::Loss, Axis::Reordering, Axis::Window]
        .into_iter()
        .filter(|axis| ![over, beside, down].contains(axis))
        .filter_map(|axis| Some((axis, *values(rows, axis).first()?)))
        .collect();
    let kept = |row: &&Row| fixed.iter().all(|(axis, first)| same(row, first, *axis));
    let (besides, downs) = (values(rows, beside), values(rows, down));
    let mut panels = Vec::new();
    for below in &downs {
        for value in &besides {
            let here: Vec<&Row> = rows
                .iter()
                .filter(kept)
                .filter(|row| same(row, value, beside) && same(row, below, down))
                .collect();
            let mut title = named(language, value, beside);
            if downs.len() > 1 {
                title = format!("{title} · {}", named(language, below, down));
            }
            panels.push(Panel { title, series: series(job, &here, language, of, over) });
        }
    }
    let mut caption = words::caption(language, job.load.packets, job.load.payload, job.runs, job.seed);
    for (axis, first) in &fixed {
        if values(rows, *axis).len() > 1 {
            caption.insert(0, format!("{}.", named(language, first, *axis)));
        }
    }
    caption.extend(job.tag.clone());
    Figure {
        title: words::title(language, of, over),
        x_label: words::axis(language, over).to_owned(),
        y_label: words::axis(language, of).to_owned(),
        scale: if of == Axis::Goodput { Scale::Logarithmic } else { Scale::Linear },
        columns: COLUMNS.min(besides.len().max(1)),
        panels,
        caption,
    }
}

/// What was measured in a panel, and the lines of theory beside it.
fn series(job: &Bench, rows: &[&Row], language: Language, of: Axis, over: Axis) -> Vec<Series> {
    let mut series = Vec::new();
    for (look, protocol) in
        [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat, Protocol::Tcp, Protocol::Udp]
            .into_iter()
            .enumerate()
    {
        let own: Vec<&Row> = rows.iter().copied().filter(|row| row.cell.protocol == protocol).collect();
        let points: Vec<(f64, f64)> =
            own.iter().filter_map(|row| Some((coordinate(row, over), measured(job, row, of)?))).collect();
        if !points.is_empty() {
            let name = words::series(language, protocol.name(), false);
            series.push(Series { name, look, kind: Kind::Measured, points });
        }
        let line = theory_line(job, &own, of, over);
        if !line.is_empty() {
            let name = words::series(language, protocol.name(), true);
            series.push(Series { name, look, kind: Kind::Theory, points: line });
        }
    }
    series
}

fn measured(job: &Bench, row: &Row, of: Axis) -> Option<f64> {
    match of {
        Axis::Sends => {
            let said = u64::from(job.load.packets) * u64::from(job.runs);
            (said > 0).then(|| row.sum.sends as f64 / said as f64)
        }
        _ => row.goodput.map(|bits| bits as f64),
    }
}

/// The formula's goodput.
fn theory_bits(job: &Bench, row: &Row) -> Option<f64> {
    let time = theory(&row.cell, &job.load)?;
    bits_per_second(u64::from(job.load.payload), time).map(|bits| bits as f64)
}

/// How often the formula sends a packet. Alone, a packet leaves again when its ACK is lost, too; in
/// Go-Back-N the next ACK makes that good.
fn theory_sends(row: &Row) -> Option<f64> {
    let protocol = row.cell.protocol.textbook()?;
    let lost = f64::from(row.cell.loss.millionths()) / 1e6;
    let arrives = 1.0 - lost;
    let window = f64::from(row.cell.window);
    let sends = match protocol {
        aperto_arq::Protocol::GoBackN if row.cell.window > 1 => (arrives + window * lost) / arrives,
        _ => 1.0 / (arrives * arrives),
    };
    sends.is_finite().then_some(sends)
}

/// The formula from the least to the most of a dimension. Over reordering it says nothing.
fn theory_line(job: &Bench, rows: &[&Row], of: Axis, over: Axis) -> Vec<(f64, f64)> {
    let least = rows.iter().min_by(|one, other| coordinate(one, over).total_cmp(&coordinate(other, over)));
    let most = rows.iter().max_by(|one, other| coordinate(one, over).total_cmp(&coordinate(other, over)));
    let (Some(least), Some(most)) = (least, most) else { return Vec::new() };
    if over == Axis::Reordering || !least.cell.reordering.is_zero() {
        return Vec::new();
    }
    let mut line = Vec::new();
    for step in 0..=FINE {
        let mut row = **least;
        let between = |from: u64, to: u64| from + to.saturating_sub(from) * u64::from(step) / u64::from(FINE);
        match over {
            Axis::Delay => {
                let nanos = |row: &Row| u64::try_from(row.cell.delay.as_nanos()).unwrap_or(u64::MAX);
                row.cell.delay = Duration::from_nanos(between(nanos(least), nanos(most)));
            }
            Axis::Loss => {
                let millionths = |row: &Row| u64::from(row.cell.loss.millionths());
                let loss = between(millionths(least), millionths(most));
                row.cell.loss = Probability::from_millionths(u32::try_from(loss).unwrap_or(u32::MAX));
            }
            _ => {
                let window = between(u64::from(least.cell.window), u64::from(most.cell.window));
                row.cell.window = u16::try_from(window).unwrap_or(u16::MAX);
            }
        }
        let value = if of == Axis::Sends { theory_sends(&row) } else { theory_bits(job, &row) };
        line.extend(value.map(|value| (coordinate(&row, over), value)));
    }
    line.dedup_by(|one, other| one.0 == other.0);
    line
}
