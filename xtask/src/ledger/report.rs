//! The table of all ledgers, for readers.

use core::fmt::Write;

use super::check;
use super::entry::{Entry, Ledger, Status};

const HEAD: &str = "\
# Requirements, one by one

What became of each labelled requirement of the RFCs that this project implements: done, declined for a
reason, left to the caller (the application, or the host around the engine), or later. Made by
`cargo xtask ledger --report` from the files beside this one; `cargo xtask ledger` checks that each place
and each test exists, that the code cites the label at its place, and that this page is current.

An entry of a `.toml` file:

| key | what |
| --- | --- |
| `id`, `section` | the label and the section that states it (`also`: others that name it) |
| `summary` | what it asks for, in our words |
| `status` | `done`, `declined`, `caller` or `later` |
| `place` | `path` or `path#item`: where the code does it, and cites it |
| `test` | `path#function` for each test that shows it |
| `reason` | why not, or why otherwise; asked for by every status but `done` |
";

/// The whole page.
pub(crate) fn table(ledgers: &[Ledger]) -> String {
    let mut out = HEAD.to_owned();
    for ledger in ledgers {
        let head = format!("\n## RFC {}: {}\n\n{}.\n\n", ledger.rfc, ledger.title, counts(ledger));
        out.push_str(&head);
        out.push_str("| label | section | what it asks for | status | place | tests, or the reason |\n");
        out.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for entry in &ledger.entries {
            row(&mut out, entry);
        }
    }
    out
}

/// `RFC 9293: 119 of 119 labels: 100 done, ...`.
pub(crate) fn counts(ledger: &Ledger) -> String {
    let have = ledger.entries.len();
    let whole = if ledger.rfc == check::WHOLE_RFC { check::label_count() } else { have };
    let mut parts = Vec::new();
    for status in Status::ALL {
        let count = ledger.entries.iter().filter(|e| e.status == status).count();
        parts.push(format!("{count} {}", status.word()));
    }
    format!("RFC {}: {have} of {whole} labels: {}", ledger.rfc, parts.join(", "))
}

fn row(out: &mut String, entry: &Entry) {
    let mut shown: Vec<String> = entry.test.iter().map(|test| link(test)).collect();
    if !entry.reason.is_empty() {
        shown.push(entry.reason.clone());
    }
    let place = if entry.place.is_empty() { String::new() } else { link(&entry.place) };
    writeln!(
        out,
        "| {} | §{} | {} | {} | {place} | {} |",
        entry.id,
        entry.section,
        cell(&entry.summary),
        entry.status.word(),
        cell(&shown.join("; ")),
    )
    .expect("writing to a string cannot fail");
}

/// A link from `docs/rfc/` to a file, named by the item or by the file.
fn link(place: &str) -> String {
    let (path, item) = place.split_once('#').unwrap_or((place, ""));
    let name = if item.is_empty() { path.rsplit('/').next().unwrap_or(path) } else { item };
    format!("[`{name}`](../../{path})")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_becomes_a_row_with_links() {
        let text = "rfc = 5961\ntitle = \"Blind attacks\"\n\n[[label]]\nid = \"MAY-1\"\nsection = \"3\"\nsummary = \"a | b\"\n\
                    status = \"done\"\nplace = \"crates/x/src/y.rs\"\ntest = [\"crates/x/src/y.rs#a_row\"]\n";
        let ledger = Ledger::parse("docs/rfc/5961.toml", text).expect("the row is TOML");
        let page = table(&[ledger]);
        let expected = "| MAY-1 | §3 | a \\| b | done | [`y.rs`](../../crates/x/src/y.rs) | \
                        [`a_row`](../../crates/x/src/y.rs) |\n";
        assert!(page.ends_with(expected), "{page}");
        assert!(page.contains("RFC 5961: 1 of 1 labels: 1 done, 0 declined, 0 caller, 0 later.\n"), "{page}");
    }
}
