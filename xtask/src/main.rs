//! The project's own checks, as one small program: `cargo xtask tidy | ledger | claims | diagrams`.
//!
//! Each command reads the tree, prints one line for each fault (`file:line: what to do`) and a
//! summary, and exits with 1 where there is a fault. None of them needs a network.
//!
//! * `tidy`: what CONVENTIONS asks for and no compiler checks (`tidy/`).
//! * `ledger`: one entry for each requirement of an RFC, with its place and its tests (`ledger/`).
//! * `claims`: everything that the READMEs say, with the tests that show it (`claims.rs`).
//! * `diagrams`: the figures that are drawn from the engine's own tables (`diagrams.rs`).

mod claims;
mod diagrams;
mod fault;
mod ledger;
mod source;
mod tidy;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fault::Outcome;
use tree::Tree;

const USAGE: &str = "\
usage: cargo xtask <command>

  tidy                 check style: citations, lengths, headers, crates, papers
  tidy --lower         and lower the lengths in xtask/ratchet.toml to what they are now
  ledger               check docs/rfc/*.toml against the sources and the tests
  ledger --missing     list what each unfinished label lacks, and where it is cited
  ledger --fill        set place and test from the citations found, then check
  ledger --report      write docs/rfc/README.md, then check
  claims               check docs/claims.toml against the READMEs and the tests
  diagrams             write docs/figures/
  diagrams --check     check that docs/figures/ is current
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let outcome = Tree::read(&root).and_then(|tree| match words.as_slice() {
        ["tidy"] => tidy::run(&tree, tidy::Ratchet::Check),
        ["tidy", "--lower"] => tidy::run(&tree, tidy::Ratchet::Lower),
        ["ledger"] => ledger::run(&tree, ledger::Mode::Check),
        ["ledger", "--missing"] => ledger::run(&tree, ledger::Mode::Missing),
        ["ledger", "--fill"] => ledger::run(&tree, ledger::Mode::Fill),
        ["ledger", "--report"] => ledger::run(&tree, ledger::Mode::Report),
        ["claims"] => claims::run(&tree),
        ["diagrams"] => diagrams::run(&tree, diagrams::Mode::Write),
        ["diagrams", "--check"] => diagrams::run(&tree, diagrams::Mode::Check),
        _ => Err(USAGE.to_owned()),
    });
    match outcome {
        Ok(outcome) => print(&outcome),
        Err(message) => {
            say_error(&message);
            ExitCode::from(2)
        }
    }
}

/// The workspace's folder, wherever the command was called from.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn print(outcome: &Outcome) -> ExitCode {
    for line in &outcome.lines {
        println!("{line}");
    }
    for fault in &outcome.faults {
        println!("{fault}");
    }
    println!("{}", outcome.summary);
    if outcome.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stderr, reason = "usage and unreadable files go to standard error")]
fn say_error(message: &str) {
    eprintln!("{}", message.trim_end());
}
