//! Style as a test: what CONVENTIONS asks for and no compiler checks.
//!
//! One file for each kind of rule: the text of every file (`text.rs`), Rust files (`rust.rs`),
//! lengths against a ratchet (`lengths.rs`), citations of RFCs (`citations.rs`), the crates and the
//! arrows between them (`crates.rs`), and the papers at the root (`papers.rs`).
//!
//! Left out: what rustfmt, clippy and rustdoc say already.

mod citations;
mod crates;
mod lengths;
mod papers;
mod rust;
mod text;

use crate::fault::{Fault, Outcome};
use crate::tree::Tree;

/// What to do with lengths that have become shorter than the ratchet says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ratchet {
    /// Say so.
    Check,
    /// Write the shorter length down.
    Lower,
}

/// Runs the command.
pub(crate) fn run(tree: &Tree, ratchet: Ratchet) -> Result<Outcome, String> {
    let mut faults: Vec<Fault> = Vec::new();
    let limits = lengths::Limits::parse(tree)?;
    if ratchet == Ratchet::Lower {
        tree.write(lengths::RATCHET, &limits.lowered(tree).print())?;
    } else {
        lengths::check(tree, &limits, &mut faults);
    }
    text::check(tree, &mut faults);
    rust::check(tree, &mut faults);
    citations::check(tree, &mut faults);
    crates::check(tree, &mut faults);
    papers::check(tree, &mut faults);
    faults.sort();
    faults.dedup();
    let summary = format!(
        "tidy: {} Rust files, {} other files, {} crates: {}",
        tree.sources.len(),
        tree.texts.len(),
        tree.crates().len(),
        if faults.is_empty() { "in order".to_owned() } else { format!("{} faults", faults.len()) }
    );
    Ok(Outcome { lines: Vec::new(), faults, summary })
}
