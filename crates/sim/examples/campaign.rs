//! Random worlds by the thousand: `campaign --seeds 2000 --from 1`; one again, made as small as it
//! goes: `campaign --replay 17`; or as it was: `campaign --show 17`; or the hashes of their
//! recordings: `campaign --hashes 20`.
//!
//! Exit code 0 if everything held, 1 if something did not, 2 if the command line makes no sense.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use aperto_app::Tally;
use aperto_sim::campaign::{Report, plot, plot_with, run, run_plot, shrink};
use aperto_trace::{Packet, Record, Trace, pcapng};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match command(&arguments) {
        Some(Command::Run { seeds, from }) => campaign(seeds, from),
        Some(Command::Replay { seed, shrinks, last }) => replay(seed, shrinks, last),
        Some(Command::Hashes { seeds, from }) => hashes(seeds, from),
        None => {
            eprintln!("usage: campaign [--seeds N] [--from S]");
            eprintln!("       campaign --replay S | --show S [--last N]");
            eprintln!("       campaign --hashes N [--from S]");
            ExitCode::from(2)
        }
    }
}

enum Command {
    Run { seeds: u64, from: u64 },
    Replay { seed: u64, shrinks: bool, last: u64 },
    Hashes { seeds: u64, from: u64 },
}

fn command(arguments: &[String]) -> Option<Command> {
    let (mut seeds, mut from, mut replay, mut last) = (2_000, 1, None, LAST_RECORDS);
    let mut hashes = None;
    let (pairs, rest) = arguments.as_chunks::<2>();
    for [flag, value] in pairs {
        let value = value.parse().ok()?;
        match flag.as_str() {
            "--seeds" => seeds = value,
            "--from" => from = value,
            "--replay" => replay = Some((value, true)),
            "--hashes" => hashes = Some(value),
            "--last" => last = value,
            "--show" => replay = Some((value, false)),
            _ => return None,
        }
    }
    if let (Some(seeds), [], None) = (hashes, rest, replay) {
        return Some(Command::Hashes { seeds, from });
    }
    match (rest, replay) {
        ([], Some((seed, shrinks))) => Some(Command::Replay { seed, shrinks, last }),
        ([], None) => Some(Command::Run { seeds, from }),
        _ => None,
    }
}

/// Runs one seed; a panic is a failure with the seed beside it.
fn try_run(seed: u64) -> Option<Report> {
    match catch_unwind(AssertUnwindSafe(|| run(seed))) {
        Ok(Ok(report)) => Some(report),
        Ok(Err(error)) => {
            println!("  FAIL  seed {seed}: the recipe cannot be run: {error}");
            None
        }
        Err(_) => {
            println!("  FAIL  seed {seed}: panicked (see above)");
            None
        }
    }
}

fn campaign(seeds: u64, from: u64) -> ExitCode {
    let (mut ok, mut failed, mut total) = (0_u64, Vec::new(), Total::default());
    for seed in from..from.saturating_add(seeds) {
        let began = started();
        let report = try_run(seed);
        let took = began.elapsed();
        if took > SLOW {
            println!("  slow  seed {seed} took {:.1} s", took.as_secs_f64());
        }
        match report {
            Some(report) => {
                total.add(&report);
                match &report.failure {
                    None => ok += 1,
                    Some(broken) => {
                        println!("  FAIL  seed {seed}  {broken}");
                        println!("        world: {}", report.dimensions);
                        failed.push(seed);
                    }
                }
            }
            None => failed.push(seed),
        }
    }
    println!(
        "{seeds} seeds · {:.1} virtual days · {} segments · {} steps · {} checks",
        total.virtual_time.as_secs_f64() / 86_400.0,
        total.frames,
        total.steps,
        total.checks
    );
    println!(
        "{} ends whole, {} said why not · {ok} ok · {} failed",
        total.whole,
        total.said_why,
        failed.len()
    );
    for seed in failed.iter().take(10) {
        println!("replay: cargo run --release -p aperto-sim --example campaign -- --replay {seed}");
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is said to be slow.
const SLOW: Duration = Duration::from_secs(3);

#[expect(clippy::disallowed_methods, reason = "how long a seed takes is no part of its world")]
fn started() -> std::time::Instant {
    std::time::Instant::now()
}

/// Prints a hash of each seed's recording: the same on every machine, in debug and in release.
fn hashes(seeds: u64, from: u64) -> ExitCode {
    for seed in from..from.saturating_add(seeds) {
        match run_plot(&plot(seed)) {
            Ok((report, world)) => {
                println!("{seed} {:016x} {:016x}", report.hash, recording_hash(world.trace()));
            }
            Err(error) => {
                println!("the recipe cannot be run: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// A hash of the whole recording as pcapng.
fn recording_hash(trace: &Trace) -> u64 {
    let comment = |_: &Record, _: &Packet| None;
    let octets = pcapng::write_trace(trace, Vec::new(), comment).unwrap_or_else(|never| match never {});
    Tally::of(&octets).hash
}

#[derive(Default)]
struct Total {
    virtual_time: Duration,
    frames: u64,
    steps: u64,
    checks: u64,
    whole: u32,
    said_why: u32,
}

impl Total {
    fn add(&mut self, report: &Report) {
        self.virtual_time += report.virtual_time;
        self.frames += report.frames;
        self.steps += report.steps;
        self.checks += report.checks;
        self.whole += report.whole;
        self.said_why += report.said_why;
    }
}

fn replay(seed: u64, shrinks: bool, last: u64) -> ExitCode {
    let whole = plot(seed);
    println!("seed {seed}  world: {}", whole.dimensions);
    println!("recipe: {:#?}", whole.recipe);
    let smaller = if shrinks { shrink(seed) } else { Ok(None) };
    let plot = match smaller {
        Ok(Some((fewer, broken))) => {
            println!("shrunk: {fewer}\n        {broken}");
            plot_with(seed, fewer)
        }
        Ok(None) => whole,
        Err(error) => {
            println!("the recipe cannot be run: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run_plot(&plot) {
        Ok((report, world)) => {
            let records = world.trace().records();
            for record in
                records.iter().skip(records.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX)))
            {
                println!("{}", line(record));
            }
            println!("{} steps, {} frames, hash {:016x}", report.steps, report.frames, report.hash);
            match report.failure {
                None => ExitCode::SUCCESS,
                Some(broken) => {
                    println!("FAIL {broken}");
                    ExitCode::FAILURE
                }
            }
        }
        Err(error) => {
            println!("the recipe cannot be run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many of the last records a replay shows, unless `--last` says otherwise.
const LAST_RECORDS: u64 = 120;

/// A record in one line, without the octets.
fn line(record: &Record) -> String {
    use aperto_trace::{Fact, Transport};
    let what = match &record.fact {
        Fact::Left(packet) => match &packet.transport {
            Transport::Tcp(segment) => format!(
                "{} {} > {} {} seq={} ack={} len={} win={} {:?} because {:?}",
                packet.number,
                packet.endpoints.source,
                packet.endpoints.destination,
                segment.header.control,
                segment.header.seq,
                segment.header.ack,
                packet.payload_length,
                segment.header.window,
                segment.header.options.sack.as_slice(),
                segment.reason
            ),
            _ => format!("{} left", packet.number),
        },
        Fact::Arrived { number, copy, packet } => {
            format!("  {number} arrives, copy {copy}{}", if packet.is_some() { ", damaged" } else { "" })
        }
        Fact::Call(aperto_trace::Call::Send { offset, length, .. }) => {
            format!("  writes {length} at {offset}")
        }
        Fact::Delivered { offset, length, .. } => format!("  reads {length} at {offset}"),
        other => format!("  {other:?}"),
    };
    format!("{} {:?} {:?} {what}", record.at, record.vantage, record.flow.map(|flow| flow.0))
}
