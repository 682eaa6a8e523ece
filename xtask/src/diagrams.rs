//! Figures drawn from the engine's own tables.
//!
//! RFC 9293 §3.3.2, Figure 5: the states and the arcs between them stand once, in
//! `crates/tcp/src/diagram.rs`, from which the engine moves, the tests check, and this draws.

use core::fmt::Write;

use aperto_tcp::State;
use aperto_tcp::diagram::{ARCS, Arc};

use crate::fault::{Fault, Outcome};
use crate::tree::Tree;

/// The page with the figure.
const STATES: &str = "docs/figures/states.md";

/// What `cargo xtask diagrams` was asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Write the figures.
    Write,
    /// Check that they are current.
    Check,
}

const HEAD: &str = "\
# The states of a connection

Drawn by `cargo xtask diagrams` from the table in [diagram.rs](../../crates/tcp/src/diagram.rs), by which the
engine itself moves: an arc that is not there cannot be taken. RFC 9293 §3.3.2, Figure 5.

The way of a connection, without resets, aborts and timeouts:
";

/// Runs the command.
pub(crate) fn run(tree: &Tree, mode: Mode) -> Result<Outcome, String> {
    let page = states(&ARCS);
    let mut faults = Vec::new();
    match mode {
        Mode::Write => tree.write(STATES, &page)?,
        Mode::Check if tree.texts.get(STATES) == Some(&page) => {}
        Mode::Check => faults.push(Fault::of(STATES, "not current; run `cargo xtask diagrams`")),
    }
    let end = if faults.is_empty() { "current" } else { "1 fault" };
    let summary = format!("diagrams: {} states, {} arcs: {end}", State::ALL.len(), ARCS.len());
    Ok(Outcome { lines: Vec::new(), faults, summary })
}

/// The page: the figure as Mermaid, then every arc in a table.
fn states(arcs: &[Arc]) -> String {
    let mut out = format!("{HEAD}\n```mermaid\nstateDiagram-v2\n    [*] --> CLOSED\n");
    for arc in arcs.iter().filter(|arc| !is_breakdown(arc)) {
        line(&mut out, format_args!("    {} --> {}: {}", id(arc.from), id(arc.to), cause(arc)));
    }
    out.push_str("```\n\nAll arcs, by the state that they leave:\n\n");
    out.push_str("| from | cause | to |\n| --- | --- | --- |\n");
    for from in State::ALL {
        for arc in arcs.iter().filter(|arc| arc.from == from) {
            line(&mut out, format_args!("| {} | {} | {} |", from.name(), cause(arc), arc.to.name()));
        }
    }
    out
}

fn line(out: &mut String, text: core::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}

/// Whether the arc is a connection's end by force; there is one from nearly every state.
fn is_breakdown(arc: &Arc) -> bool {
    let cause = format!("{:?}", arc.cause);
    ["Reset", "Abort", "Unreachable", "UserTimeout", "Orphan"].iter().any(|word| cause.starts_with(word))
}

/// A state's name as Mermaid takes it: hyphens are operators there.
fn id(state: State) -> String {
    state.name().replace('-', "_")
}

/// The cause in words: `FinArrived` is "fin arrived", with the control bits in capitals.
fn cause(arc: &Arc) -> String {
    let mut words = String::new();
    for letter in format!("{:?}", arc.cause).chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    let upper = |word: &str| match word {
        "syn" | "ack" | "fin" => word.to_ascii_uppercase(),
        "listen" => "LISTEN".to_owned(),
        "time" | "wait" => word.to_ascii_uppercase(),
        other => other.to_owned(),
    };
    words.split(' ').map(upper).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use aperto_tcp::diagram::Cause;

    use super::*;

    #[test]
    fn an_arc_is_a_line_of_the_figure_and_a_row_of_the_table() {
        let arc = Arc { from: State::SynSent, cause: Cause::SynAckArrived, to: State::Established };
        let page = states(&[arc]);
        assert!(page.contains("    SYN_SENT --> ESTABLISHED: SYN ACK arrived\n"), "{page}");
        assert!(page.ends_with("| SYN-SENT | SYN ACK arrived | ESTABLISHED |\n"), "{page}");
    }

    #[test]
    fn resets_are_rows_and_no_lines() {
        let arc = Arc { from: State::LastAck, cause: Cause::ResetArrived, to: State::Closed };
        let page = states(&[arc]);
        assert!(!page.contains("LAST_ACK"), "{page}");
        assert!(page.contains("| LAST-ACK | reset arrived | CLOSED |\n"), "{page}");
    }
}
