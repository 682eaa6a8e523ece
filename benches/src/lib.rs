//! aperto's TCP beside smoltcp's: the same work, in one run, as ratios.
//!
//! `cargo run --release -p aperto-benches` prints one table, and with `--bin memory` what an idle
//! connection holds; that program alone counts allocations, because counting takes time. Every figure is the median of
//! several runs in which the two stacks take turns, so that a machine which becomes slower halfway
//! does so for both. Two hosts live in one thread and are joined by a queue of packets;
//! checksums are computed and verified by both; the application writes and reads every octet.
//!
//! Words after the command choose rows by what stands in their names; `--alone` runs aperto only,
//! for a profiler.
//!
//! Left out: the kernel. It is measured beside us over TUN by the program's own tests.

#![expect(clippy::print_stdout, reason = "a report is printed")]

mod ours;
mod theirs;
mod work;

use std::time::Duration;

use ours::Aperto;
use theirs::Smoltcp;
use work::Pair;

/// Runs of each stack for a figure, in turn.
const RUNS: usize = 5;

/// Prints the rows that measure time.
pub fn speed() {
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let alone = flags.iter().any(|flag| flag == "--alone");
    let row = |name: &str, ours: &mut dyn FnMut() -> f64, theirs: &mut dyn FnMut() -> f64| {
        if alone { println!("{name:44} {:>14}", figure(ours())) } else { row(name, ours, theirs) }
    };
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!(
        "{:44} {:>14} {:>14} {:>8}",
        "median of 5 runs, taking turns",
        Aperto::NAME,
        Smoltcp::NAME,
        "ratio"
    );
    for (mtu, octets) in [(1500, 2_u64 << 30), (65_535, 4 << 30)] {
        let name = format!("bulk, MTU {mtu}, 256 KiB buffers, Gbit/s");
        if wanted(&name) {
            row(&name, &mut || work::goodput::<Aperto>(mtu, 1 << 18, octets), &mut || {
                work::goodput::<Smoltcp>(mtu, 1 << 18, octets)
            });
        }
    }
    let name = "bulk, MTU 1500, segments/s of text";
    if wanted(name) {
        let segments = |gigabits: f64| gigabits * 1e9 / 8.0 / 1448.0;
        row(name, &mut || segments(work::goodput::<Aperto>(1500, 1 << 18, 1 << 30)), &mut || {
            // smoltcp sends no timestamps: 1460 octets in a segment.
            segments(work::goodput::<Smoltcp>(1500, 1 << 18, 1 << 30)) * 1448.0 / 1460.0
        });
    }
    for count in [10, 1_000, 10_000] {
        let name = format!("requests/s, 64 octets, {count} connections");
        if wanted(&name) {
            let enough = Duration::from_millis(300);
            row(&name, &mut || work::requests::<Aperto>(count, enough), &mut || {
                work::requests::<Smoltcp>(count, enough)
            });
        }
    }
    for count in [10, 1_000, 10_000] {
        let name = format!("requests/s, all of {count} at the same time");
        if wanted(&name) {
            let enough = Duration::from_millis(300);
            row(&name, &mut || work::rounds::<Aperto>(count, enough), &mut || {
                work::rounds::<Smoltcp>(count, enough)
            });
        }
    }
    let name = "opened/s, in one batch of 1000";
    if wanted(name) {
        row(name, &mut || work::opens::<Aperto>(1_000), &mut || work::opens::<Smoltcp>(1_000));
    }
}

/// Prints the row that measures memory. `held` is how many octets the heap holds.
pub fn memory(held: &dyn Fn() -> usize) {
    let name = "octets for an idle end, 10000 connections";
    let (ours, theirs) = (idle_octets::<Aperto>(1 << 20, held), idle_octets::<Smoltcp>(64, held));
    println!("{:44} {:>14} {:>14} {:>8}", "", Aperto::NAME, Smoltcp::NAME, "ratio");
    println!("{name:44} {:>14} {:>14} {:>8.2}", figure(ours), figure(theirs), ours / theirs);
    println!("    (aperto's end can grow to 1 MiB each way; smoltcp's has 64 octets each way for ever)");
}

/// Octets on the heap for each end of an idle connection.
fn idle_octets<P: Pair>(buffer: usize, held: &dyn Fn() -> usize) -> f64 {
    const COUNT: usize = 10_000;
    let before = held();
    let mut pair = P::new(1500);
    pair.open(COUNT, buffer);
    let after = held();
    drop(pair);
    after.saturating_sub(before) as f64 / (2 * COUNT) as f64
}

/// One row: both stacks in turn, their medians and the ratio of these.
fn row(name: &str, ours: &mut dyn FnMut() -> f64, theirs: &mut dyn FnMut() -> f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        a.push(ours());
        b.push(theirs());
    }
    let (a, b) = (median(a), median(b));
    println!("{name:44} {:>14} {:>14} {:>8.2}", figure(a), figure(b), a / b);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn figure(value: f64) -> String {
    if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}
