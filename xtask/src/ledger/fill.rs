//! What can be derived: places and tests from the citations in the sources.

use super::check;
use super::cite::{Citation, Place};
use super::entry::{Entry, Ledger, Status};
use crate::tree::Tree;

/// What each unfinished label lacks, and where it is cited.
pub(crate) fn missing(tree: &Tree, ledger: &Ledger, citations: &[Citation]) -> Vec<String> {
    let faults = check::ledger(tree, ledger, citations);
    let mut lines = Vec::new();
    for entry in &ledger.entries {
        let prefix = format!("{}: ", entry.id);
        let own = faults.iter().filter(|f| f.line == entry.line && f.advice.starts_with(&prefix));
        let lacks: Vec<&str> = own.filter_map(|f| f.advice.strip_prefix(&prefix)).collect();
        if lacks.is_empty() {
            continue;
        }
        lines.push(format!("RFC {} §{} {}: {}", ledger.rfc, entry.section, entry.id, entry.summary));
        lines.extend(lacks.into_iter().map(|lack| format!("    lacks  {lack}")));
        let mut cited = false;
        for citation in of(ledger.rfc, &entry.id, citations) {
            cited = true;
            let item = citation.item.as_deref().map_or(String::new(), |item| format!("#{item}"));
            let place = if citation.place == Place::Test { "test " } else { "code " };
            lines.push(format!("    cited  {place} {}:{}{item}", citation.path, citation.line));
        }
        if !cited {
            lines.push("    cited  nowhere".to_owned());
        }
    }
    lines
}

/// Sets what is empty or gone from the citations; says what it changed.
pub(crate) fn fill(tree: &Tree, ledger: &mut Ledger, citations: &[Citation]) -> Vec<String> {
    let mut lines = Vec::new();
    let rfc = ledger.rfc;
    for entry in ledger.entries.iter_mut().filter(|e| e.status == Status::Done) {
        let of_label = of(rfc, &entry.id, citations);
        if !place_stands(tree, entry, &of_label)
            && let Some(first) = best_place(&of_label)
        {
            entry.place = named(first);
            lines.push(format!("{}: place {}", entry.id, entry.place));
        }
        let before = entry.test.clone();
        entry.test.retain(|test| test_stands(tree, test));
        for citation in of_label.iter().filter(|c| c.place == Place::Test && c.item.is_some()) {
            let test = named(citation);
            if test_stands(tree, &test) && !entry.test.contains(&test) {
                entry.test.push(test);
            }
        }
        if entry.test != before {
            lines.push(format!("{}: test {}", entry.id, entry.test.join(", ")));
        }
    }
    lines
}

/// The citations of one label.
fn of<'a>(rfc: u32, id: &str, citations: &'a [Citation]) -> Vec<&'a Citation> {
    citations.iter().filter(|c| c.rfc == rfc && c.label == id).collect()
}

/// The first citation in code that names an item, else the first in code.
fn best_place<'a>(citations: &[&'a Citation]) -> Option<&'a Citation> {
    let code = || citations.iter().copied().filter(|c| c.place == Place::Code);
    code().find(|c| c.item.is_some()).or_else(|| code().next())
}

fn named(citation: &Citation) -> String {
    match &citation.item {
        Some(item) => format!("{}#{item}", citation.path),
        None => citation.path.clone(),
    }
}

fn place_stands(tree: &Tree, entry: &Entry, citations: &[&Citation]) -> bool {
    let (path, item) = entry.place.split_once('#').unwrap_or((&entry.place, ""));
    let defined = tree.sources.get(path).is_some_and(|s| item.is_empty() || s.defines(item));
    defined && citations.iter().any(|c| c.place == Place::Code && c.path == path)
}

fn test_stands(tree: &Tree, test: &str) -> bool {
    let (path, name) = test.split_once('#').unwrap_or((test, ""));
    let functions = tree.sources.get(path).map(|source| (source, source.functions()));
    functions.is_some_and(|(source, all)| all.iter().any(|f| f.name == name && source.is_test(f.lines.start)))
}

#[cfg(test)]
mod tests {
    use super::super::cite;
    use super::*;

    const LEDGER: &str = "\
rfc = 5961
title = \"t\"

[[label]]
id = \"MUST-1\"
section = \"3\"
summary = \"s\"
status = \"done\"
place = \"\"
test = [\"crates/x/src/gone.rs#a_row\"]
";

    #[test]
    fn places_and_tests_come_from_citations_and_what_is_gone_goes() {
        let tree = Tree::of(&[
            (
                "crates/x/src/lib.rs",
                "//! RFC 5961 §3 [MUST-1].\n\n/// RFC 5961 §3 [MUST-1].\npub fn gate() {}\n",
            ),
            ("crates/x/src/gate/tests.rs", "/// RFC 5961 §3 [MUST-1].\n#[test]\nfn a_row_holds() {}\n"),
        ]);
        let mut ledger = Ledger::parse("docs/rfc/5961.toml", LEDGER).expect("the row is TOML");
        let citations = cite::all(&tree, &mut Vec::new());
        assert_eq!(missing(&tree, &ledger, &citations).len(), 1 + 2 + 3);
        let changed = fill(&tree, &mut ledger, &citations);
        assert_eq!(changed.len(), 2);
        let entry = ledger.entries.first().expect("one entry");
        assert_eq!(entry.place, "crates/x/src/lib.rs#gate");
        assert_eq!(entry.test, ["crates/x/src/gate/tests.rs#a_row_holds"]);
        assert!(missing(&tree, &ledger, &citations).is_empty());
        assert!(fill(&tree, &mut ledger, &citations).is_empty(), "filling twice changes nothing");
    }
}
