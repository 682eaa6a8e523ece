//! Holds a ledger against the sources.

use std::collections::BTreeSet;

use super::cite::{Citation, Place, is_label};
use super::entry::{Entry, Ledger, Status};
use crate::fault::Fault;
use crate::tree::Tree;

/// The RFC whose labels must all be there.
pub(crate) const WHOLE_RFC: u32 = 9293;

/// How many labels of each kind RFC 9293 Appendix B has: 119 in all.
const COUNTS: [(&str, u32); 4] = [("MUST", 69), ("SHLD", 31), ("MAY", 18), ("REC", 1)];

/// The faults of one ledger.
pub(crate) fn ledger(tree: &Tree, ledger: &Ledger, citations: &[Citation]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in &ledger.entries {
        let mut say = |advice: String| {
            faults.push(Fault::at(&ledger.path, entry.line, format!("{}: {advice}", entry.id)));
        };
        if !is_label(&entry.id) {
            say("not a label; write MUST-n, SHLD-n, MAY-n or REC-n".to_owned());
        }
        if !seen.insert(entry.id.as_str()) {
            say("stands twice; keep one entry".to_owned());
        }
        if entry.summary.trim().is_empty() {
            say("say in our words what it asks for, as `summary`".to_owned());
        }
        what_status_asks(entry, &mut say);
        place(tree, ledger.rfc, entry, citations, &mut say);
        tests(tree, entry, &mut say);
    }
    if ledger.rfc == WHOLE_RFC {
        let ids: Vec<String> = labels().collect();
        for id in ids.iter().filter(|id| !seen.contains(id.as_str())) {
            faults.push(Fault::of(&ledger.path, format!("{id}: no entry; write one")));
        }
        for entry in ledger.entries.iter().filter(|e| is_label(&e.id) && !ids.contains(&e.id)) {
            faults.push(Fault::at(
                &ledger.path,
                entry.line,
                format!("{}: RFC 9293 has no such label", entry.id),
            ));
        }
    }
    faults
}

/// The labels of RFC 9293.
fn labels() -> impl Iterator<Item = String> {
    COUNTS.into_iter().flat_map(|(kind, count)| (1..=count).map(move |n| format!("{kind}-{n}")))
}

/// How many labels RFC 9293 has.
pub(crate) fn label_count() -> usize {
    labels().count()
}

fn what_status_asks(entry: &Entry, say: &mut impl FnMut(String)) {
    let binding = ["MUST", "SHLD"].contains(&entry.kind());
    match entry.status {
        Status::Done => {
            if entry.place.is_empty() {
                say("done, and no place; set `place`, or run `cargo xtask ledger --fill`".to_owned());
            }
            if binding && entry.test.is_empty() && entry.reason.trim().is_empty() {
                say("done, and neither test nor reason; cite it above a test and run --fill, or write why not"
                    .to_owned());
            }
        }
        Status::Declined | Status::Caller | Status::Later => {
            if entry.reason.trim().is_empty() {
                say(format!("{}, and no reason; write it as `reason`", entry.status.word()));
            }
        }
    }
}

fn place(tree: &Tree, rfc: u32, entry: &Entry, citations: &[Citation], say: &mut impl FnMut(String)) {
    if entry.place.is_empty() {
        return;
    }
    let (path, item) = entry.place.split_once('#').unwrap_or((&entry.place, ""));
    let Some(source) = tree.sources.get(path) else {
        say(format!("place {path}: no such Rust file"));
        return;
    };
    if !item.is_empty() && !source.defines(item) {
        say(format!("place {path}: defines no `{item}`"));
    }
    let cited = citations
        .iter()
        .any(|c| c.rfc == rfc && c.label == entry.id && c.path == path && c.place == Place::Code);
    if entry.status == Status::Done && !cited {
        say(format!("place {path}: cite it there as RFC {rfc} §{} [{}]", entry.section, entry.id));
    }
}

fn tests(tree: &Tree, entry: &Entry, say: &mut impl FnMut(String)) {
    for test in &entry.test {
        let Some((path, name)) = test.split_once('#') else {
            say(format!("test {test}: write path#function"));
            continue;
        };
        let Some(source) = tree.sources.get(path) else {
            say(format!("test {path}: no such Rust file"));
            continue;
        };
        let found: Vec<_> = source.functions().into_iter().filter(|f| f.name == name).collect();
        if found.is_empty() {
            say(format!("test {path}: has no `fn {name}(`"));
        } else if !found.iter().any(|f| source.is_test(f.lines.start)) {
            say(format!("test {path}: `{name}` is no test"));
        }
    }
}

/// The faults of citations: a label that nobody knows, or one cited with another section than its own.
pub(crate) fn citations(ledgers: &[Ledger], citations: &[Citation]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for citation in citations {
        let Citation { rfc, section, label, path, line, .. } = citation;
        let Some(ledger) = ledgers.iter().find(|ledger| ledger.rfc == *rfc) else {
            let advice = format!("[{label}] of RFC {rfc}, which has no ledger; write docs/rfc/{rfc}.toml");
            faults.push(Fault::at(path, *line, advice));
            continue;
        };
        let Some(entry) = ledger.entries.iter().find(|entry| entry.id == *label) else {
            faults.push(Fault::at(
                path,
                *line,
                format!("[{label}]: RFC {rfc} has no such label in {}", ledger.path),
            ));
            continue;
        };
        if entry.section != *section && !entry.also.contains(section) {
            let advice =
                format!("[{label}] stands in §{}, not in §{section}: {}", entry.section, entry.summary);
            faults.push(Fault::at(path, *line, advice));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::cite;
    use super::*;

    const LEDGER: &str =
        "rfc = 5961\ntitle = \"t\"\n\n[[label]]\nid = \"MUST-1\"\nsection = \"3\"\nsummary = \"s\"\n";
    const CODE: &str = "\
/// RFC 5961 §3 [MUST-1].
fn gate() {}

/// RFC 5961 §3 [MUST-1].
#[test]
fn a_row_holds() {}
";

    /// The advice given for an entry that ends in `rest`, beside `CODE`.
    fn advice(rest: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/x/src/lib.rs", CODE)]);
        let parsed =
            Ledger::parse("docs/rfc/5961.toml", &format!("{LEDGER}{rest}")).expect("the row is TOML");
        let citations = cite::all(&tree, &mut Vec::new());
        ledger(&tree, &parsed, &citations).into_iter().map(|f| f.advice).collect()
    }

    #[test]
    fn an_entry_in_order_has_no_fault() {
        for rest in [
            "status = \"done\"\nplace = \"crates/x/src/lib.rs#gate\"\ntest = [\"crates/x/src/lib.rs#a_row_holds\"]",
            "status = \"done\"\nplace = \"crates/x/src/lib.rs\"\nreason = \"nothing to see from outside\"",
            "status = \"declined\"\nreason = \"r\"",
            "status = \"caller\"\nreason = \"r\"",
        ] {
            assert_eq!(advice(rest), Vec::<String>::new(), "{rest}");
        }
    }

    #[test]
    fn each_fault_of_an_entry_is_named() {
        for (rest, expected) in [
            ("status = \"done\"\nplace = \"crates/x/src/lib.rs\"", "neither test nor reason"),
            ("status = \"done\"\nreason = \"r\"", "no place"),
            ("status = \"declined\"\nreason = \" \"", "no reason"),
            ("status = \"later\"", "no reason"),
            ("status = \"done\"\nreason = \"r\"\nplace = \"crates/x/src/no.rs\"", "no such Rust file"),
            ("status = \"done\"\nreason = \"r\"\nplace = \"crates/x/src/lib.rs#no\"", "defines no `no`"),
            ("status = \"declined\"\nreason = \"r\"\ntest = [\"crates/x/src/lib.rs#no\"]", "has no `fn no("),
            ("status = \"declined\"\nreason = \"r\"\ntest = [\"crates/x/src/lib.rs#gate\"]", "is no test"),
            (
                "status = \"declined\"\nreason = \"r\"\ntest = [\"crates/x/src/lib.rs\"]",
                "write path#function",
            ),
        ] {
            let advice = advice(rest);
            assert_eq!(advice.len(), 1, "{rest}: {advice:?}");
            assert!(advice.iter().all(|a| a.contains(expected)), "{rest}: {advice:?}");
        }
    }

    #[test]
    fn a_done_label_is_cited_at_its_place() {
        let tree = Tree::of(&[("crates/x/src/lib.rs", CODE), ("crates/x/src/far.rs", "//! Far.\n")]);
        let text = format!("{LEDGER}status = \"done\"\nreason = \"r\"\nplace = \"crates/x/src/far.rs\"");
        let parsed = Ledger::parse("docs/rfc/5961.toml", &text).expect("the row is TOML");
        let faults = ledger(&tree, &parsed, &cite::all(&tree, &mut Vec::new()));
        assert_eq!(faults.len(), 1);
        assert!(faults.iter().all(|f| f.advice.contains("cite it there as RFC 5961 §3 [MUST-1]")));
    }

    #[test]
    fn citations_of_unknown_labels_and_wrong_sections_are_faults() {
        let known = Ledger::parse("docs/rfc/5961.toml", &format!("{LEDGER}status = \"done\"")).expect("TOML");
        for (text, expected) in [
            ("// RFC 5961 §3 [MUST-1]", None),
            ("// RFC 5961 §3 [MUST-2]", Some("no such label")),
            ("// RFC 5961 §4 [MUST-1]", Some("stands in §3, not in §4")),
            ("// RFC 6298 §3 [MUST-1]", Some("has no ledger")),
        ] {
            let tree = Tree::of(&[("crates/x/src/lib.rs", text)]);
            let found = citations(std::slice::from_ref(&known), &cite::all(&tree, &mut Vec::new()));
            let said = found.first().map(|f| f.advice.clone());
            assert_eq!(said.is_some(), expected.is_some(), "{text}: {said:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}");
        }
    }

    /// RFC 9293 Appendix B: 69 MUST, 31 SHLD, 18 MAY and 1 REC.
    #[test]
    fn the_whole_rfc_has_119_labels_and_each_missing_one_is_named() {
        assert_eq!(label_count(), 119);
        let empty = Ledger::parse("docs/rfc/9293.toml", "rfc = 9293\ntitle = \"TCP\"\n").expect("TOML");
        assert_eq!(ledger(&Tree::default(), &empty, &[]).len(), 119);
    }
}
