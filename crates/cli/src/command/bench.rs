//! `aperto bench`: measures every cell of a matrix on all cores, and writes what came of it.
//!
//! A cell depends on nothing but its recipe and seed, so the same matrix gives the same numbers on
//! every machine, on however many cores. The table goes to stdout; CSV, JSON and figures to files,
//! whole or not at all.

mod figures;
mod table;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use aperto_explain::program::bench::wrote;
use aperto_explain::program::{Exit, Fault};
use aperto_sim::bench::{self, Cell, Measured};
use aperto_sim::recipe::RecipeError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::bench::Bench;
use crate::command::demo;
use crate::environment::Environment;
use crate::looks::Looks;
use crate::output::{Output, hint};
use crate::record::cannot_write;

/// A cell, what came of its runs, and what the formula says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) cell: Cell,
    pub(crate) timer: Duration,
    /// Sums over all runs.
    pub(crate) sum: Measured,
    /// How many runs delivered everything.
    pub(crate) complete: u32,
    /// Mean, least and most time of those that did.
    pub(crate) time: Option<[Duration; 3]>,
    /// Delivered bits in a second of all runs together.
    pub(crate) goodput: Option<u64>,
    /// The formula: the time for a packet.
    pub(crate) theory: Option<Duration>,
}

/// Measures, and tells.
pub(crate) fn run(job: &Bench, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    let rows = measure(job, looks, environment).map_err(|error| demo::refused(&error))?;
    let on_stdout = [&job.csv, &job.json].into_iter().any(|file| file.as_deref() == Some("-"));
    if let Some(file) = &job.csv {
        give(file, &table::csv(job, &rows), looks)?;
    }
    if let Some(file) = &job.json {
        give(file, &table::json(job, &rows), looks)?;
    }
    if let Some(place) = &job.svg {
        figures(place, job, &rows, looks)?;
    }
    if !on_stdout {
        let lines = table::lines(job, &rows, looks);
        let mut output = Output::paged(looks, lines.len());
        for line in &lines {
            output.line(line);
        }
        output.finish();
    }
    Ok(Exit::Done)
}

/// All cells, in order, on as many cores as there are.
fn measure(job: &Bench, looks: &Looks, environment: &Environment) -> Result<Vec<Row>, RecipeError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let bar = progress(job.cells.len(), looks, environment);
    let next = AtomicUsize::new(0);
    let (told, heard) = channel();
    let mut rows: Vec<Option<Row>> = vec![None; job.cells.len()];
    let mut failed = None;
    std::thread::scope(|scope| {
        for _ in 0..cores.min(job.cells.len()) {
            let (told, next) = (told.clone(), &next);
            scope.spawn(move || {
                while let Some((place, cell)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    job.cells.get(place).map(|cell| (place, cell))
                } {
                    // Nobody hears once something has failed.
                    if told.send((place, measure_one(job, cell))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(told);
        while let Ok((place, row)) = heard.recv() {
            bar.inc(1);
            match row {
                Ok(row) => rows[place] = Some(row),
                Err(error) => {
                    failed = Some(error);
                    next.store(job.cells.len(), Ordering::Relaxed);
                }
            }
        }
    });
    bar.finish_and_clear();
    match failed {
        Some(error) => Err(error),
        None => Ok(rows.into_iter().flatten().collect()),
    }
}

/// One cell, with as many lots of luck as there are runs.
fn measure_one(job: &Bench, cell: &Cell) -> Result<Row, RecipeError> {
    let timer = job.load.timer.unwrap_or_else(|| bench::usual_timer(cell.delay));
    let theory = bench::theory(cell, &job.load);
    let mut row =
        Row { cell: *cell, timer, sum: Measured::default(), complete: 0, time: None, goodput: None, theory };
    let mut total = Duration::ZERO;
    for run in 0..job.runs {
        let measured = bench::run(cell, &job.load, job.seed.wrapping_add(u64::from(run)))?;
        let sum = &mut row.sum;
        sum.sends += measured.sends;
        sum.resends += measured.resends;
        sum.acks += measured.acks;
        sum.delivered += measured.delivered;
        sum.of += measured.of;
        sum.wire_octets += measured.wire_octets;
        sum.lasted = sum.lasted.saturating_add(measured.lasted);
        if let Some(took) = measured.complete_after {
            row.complete += 1;
            total = total.saturating_add(took);
            let [_, least, most] = row.time.unwrap_or([took; 3]);
            row.time = Some([total / row.complete, least.min(took), most.max(took)]);
        }
    }
    row.goodput = row.sum.goodput_bits_per_second();
    Ok(row)
}

/// A bar where somebody watches, and nothing elsewhere.
fn progress(cells: usize, looks: &Looks, environment: &Environment) -> ProgressBar {
    if looks.quiet || !environment.stderr_is_terminal {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(cells as u64), ProgressDrawTarget::stderr());
    let shape = if looks.ascii { "=> " } else { "█▉ " };
    let template = looks
        .say("{wide_bar} {pos}/{len} cells, {eta} to go", "{wide_bar} {pos}/{len} células, faltam {eta}");
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars(shape)),
        Err(_) => bar,
    }
}

/// Writes a result into a file, whole or not at all, or on stdout.
fn give(file: &str, text: &str, looks: &Looks) -> Result<(), Fault> {
    if file == "-" {
        let mut output = Output::new(looks);
        output.octets(text.as_bytes());
        output.finish();
        return Ok(());
    }
    write_whole(Path::new(file), text).map_err(|error| cannot_write(file, &error))?;
    hint(looks, &wrote(looks.language, file));
    Ok(())
}

fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let written = fs::File::create(part).and_then(|mut into| {
        into.write_all(text.as_bytes())?;
        into.sync_all()
    });
    let done = written.and_then(|()| fs::rename(part, file));
    if done.is_err() {
        // What is half written is of no use; that it may stay is no news beside the failure.
        let _ = fs::remove_file(part);
    }
    done
}

fn figures(place: &str, job: &Bench, rows: &[Row], looks: &Looks) -> Result<(), Fault> {
    let all = figures::all(job, rows, looks.language);
    if place.to_lowercase().ends_with(".svg") {
        return match all.first() {
            Some((_, svg)) => give(place, svg, looks),
            None => Ok(()),
        };
    }
    fs::create_dir_all(place).map_err(|error| cannot_write(place, &error))?;
    for (name, svg) in &all {
        let file = Path::new(place).join(format!("{name}.svg"));
        give(&file.to_string_lossy(), svg, looks)?;
    }
    Ok(())
}
