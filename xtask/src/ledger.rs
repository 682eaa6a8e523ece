//! The ledger: for each requirement of an RFC, what became of it, where, and which test shows it.
//!
//! `docs/rfc/<number>.toml` holds the entries (`entry.rs`), the sources hold citations such as
//! `RFC 9293` `§3.8.6` `[MUST-35]` in their comments (`cite.rs`). The check (`check.rs`) holds the two
//! against each other; `fill.rs` and `report.rs` write what can be derived.
//!
//! Left out: whether a test truly shows what it cites. That is for the reader.

mod check;
mod cite;
mod entry;
mod fill;
mod report;

use crate::fault::{Fault, Outcome};
use crate::tree::Tree;

use entry::Ledger;

/// The table that is made from all ledgers.
const REPORT: &str = "docs/rfc/README.md";

/// What `cargo xtask ledger` was asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Check, and write nothing.
    Check,
    /// List what each unfinished label lacks, and where it is cited.
    Missing,
    /// Set places and tests from the citations.
    Fill,
    /// Write the table.
    Report,
}

/// Runs the command.
pub(crate) fn run(tree: &Tree, mode: Mode) -> Result<Outcome, String> {
    let mut faults = Vec::new();
    let mut ledgers = load(tree, &mut faults);
    let citations = cite::all(tree, &mut faults);
    let mut lines = Vec::new();
    match mode {
        Mode::Check => {}
        Mode::Missing => lines = ledgers.iter().flat_map(|l| fill::missing(tree, l, &citations)).collect(),
        Mode::Fill => {
            for ledger in &mut ledgers {
                lines.extend(fill::fill(tree, ledger, &citations));
                tree.write(&ledger.path, &ledger.print())?;
            }
        }
        Mode::Report => tree.write(REPORT, &report::table(&ledgers))?,
    }
    if mode == Mode::Check && tree.texts.get(REPORT) != Some(&report::table(&ledgers)) {
        faults.push(Fault::of(REPORT, "not current; run `cargo xtask ledger --report`"));
    }
    for ledger in &ledgers {
        faults.extend(check::ledger(tree, ledger, &citations));
    }
    faults.extend(check::citations(&ledgers, &citations));
    faults.sort();
    faults.dedup();
    if mode == Mode::Missing {
        // A list to work from, not a verdict.
        faults.clear();
    }
    Ok(Outcome { lines, summary: summary(&ledgers, faults.len()), faults })
}

fn load(tree: &Tree, faults: &mut Vec<Fault>) -> Vec<Ledger> {
    let mut ledgers = Vec::new();
    for (path, text) in &tree.texts {
        if path.starts_with("docs/rfc/") && path.ends_with(".toml") {
            match Ledger::parse(path, text) {
                Ok(ledger) => ledgers.push(ledger),
                Err(fault) => faults.push(fault),
            }
        }
    }
    if !ledgers.iter().any(|ledger| ledger.rfc == check::WHOLE_RFC) {
        faults.push(Fault::of("docs/rfc/9293.toml", "missing or unreadable: write one entry for each label"));
    }
    ledgers
}

fn summary(ledgers: &[Ledger], faults: usize) -> String {
    let mut parts: Vec<String> = ledgers.iter().map(report::counts).collect();
    parts.push(format!(
        "ledger: {}",
        if faults == 0 { "in order".to_owned() } else { format!("{faults} faults") }
    ));
    parts.join("\n")
}
