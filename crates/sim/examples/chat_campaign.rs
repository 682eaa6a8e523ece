//! Chats in random worlds by the thousand: every confirmed message shown once, in one order, to all.
//!
//! ```text
//! cargo run --release -p aperto-sim --example chat_campaign -- --seeds 10000
//! cargo run --release -p aperto-sim --example chat_campaign -- --seed 4711
//! ```

#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aperto_sim::chat::{Counts, plot, run, run_plot};

const USAGE: &str = "chat_campaign [--seeds N] [--from N] [--seed N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut seeds, mut from, mut one) = (10_000, 1, None);
    let (pairs, rest) = arguments.as_chunks::<2>();
    for [flag, value] in pairs {
        let Ok(value) = value.parse() else {
            println!("{USAGE}");
            return ExitCode::from(2);
        };
        match flag.as_str() {
            "--seeds" => seeds = value,
            "--from" => from = value,
            "--seed" => one = Some(value),
            _ => {
                println!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    match (one, rest) {
        (Some(seed), []) => replay(seed),
        (None, []) => campaign(from, seeds),
        _ => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// What all runs together did.
#[derive(Default)]
struct Total {
    counts: Counts,
    virtual_time: Duration,
    failed: Vec<u64>,
}

fn campaign(from: u64, seeds: u64) -> ExitCode {
    let (next, end) = (AtomicU64::new(from), from.saturating_add(seeds));
    let total = Mutex::new(Total::default());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    one_seed(seed, &total);
                }
            });
        }
    });
    let mut total = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    total.failed.sort_unstable();
    let counts = &total.counts;
    println!(
        "{seeds} chats · {:.1} virtual days · {} frames · {} connections broke · {} restarts, {} with a torn record",
        total.virtual_time.as_secs_f64() / 86_400.0,
        counts.frames,
        counts.broken,
        counts.restarts,
        counts.torn
    );
    println!(
        "{} messages said, {} confirmed, shown {} times · {} damaged frames noticed · {} ok · {} failed",
        counts.said,
        counts.confirmed,
        counts.shown,
        counts.damaged,
        seeds - total.failed.len() as u64,
        total.failed.len()
    );
    for seed in total.failed.iter().take(10) {
        println!("replay: cargo run --release -p aperto-sim --example chat_campaign -- --seed {seed}");
    }
    if total.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one_seed(seed: u64, total: &Mutex<Total>) {
    // A panic is a failure with the seed beside it.
    let report = catch_unwind(AssertUnwindSafe(|| run(seed)));
    let mut total = total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match report {
        Ok(report) => {
            let (all, one) = (&mut total.counts, report.counts);
            all.said += one.said;
            all.confirmed += one.confirmed;
            all.shown += one.shown;
            all.broken += one.broken;
            all.restarts += one.restarts;
            all.torn += one.torn;
            all.damaged += one.damaged;
            all.frames += one.frames;
            total.virtual_time += report.virtual_time;
            if let Some(broken) = report.failure {
                println!("  FAIL  seed {seed}  {broken}");
                println!("        network: {}", report.dimensions);
                total.failed.push(seed);
            }
        }
        Err(_) => {
            println!("  FAIL  seed {seed}: panicked (see above)");
            total.failed.push(seed);
        }
    }
}

fn replay(seed: u64) -> ExitCode {
    let plot = plot(seed);
    println!("seed {seed}  network: {}", plot.dimensions);
    println!("{plot:#?}");
    let report = run_plot(&plot, &mut |at, who, what| println!("{at:>18}  {who:<8} {what}"));
    println!("{:?}", report.counts);
    println!("hash {:016x}", report.hash);
    match report.failure {
        None => ExitCode::SUCCESS,
        Some(broken) => {
            println!("FAIL {broken}");
            ExitCode::FAILURE
        }
    }
}
