//! Lengths, as a ratchet: what is long may wait, nothing grows.
//!
//! A file has at most 600 lines without its tests, a function at most 70. What is longer stands in
//! `xtask/ratchet.toml` with its length, and a length there only ever falls.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::fault::Fault;
use crate::tree::Tree;

/// The file with what is too long.
pub(crate) const RATCHET: &str = "xtask/ratchet.toml";

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

const HEAD: &str = "\
# What is longer than a file (600 lines without tests) or a function (70 lines) should be, and how long.
# A number here only falls: `cargo xtask tidy --lower` writes the present lengths down.
";

/// The lengths that are let be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Limits {
    files: BTreeMap<String, usize>,
    functions: BTreeMap<String, usize>,
}

impl Limits {
    /// Reads the ratchet; an absent file is an empty one.
    pub(crate) fn parse(tree: &Tree) -> Result<Self, String> {
        let text = tree.texts.get(RATCHET).map_or("", String::as_str);
        let table: Table =
            text.parse().map_err(|e: toml::de::Error| format!("{RATCHET}: {}", e.message()))?;
        let part = |name: &str| -> BTreeMap<String, usize> {
            let rows = table.get(name).and_then(Value::as_table).into_iter().flatten();
            let number =
                |value: &Value| value.as_integer().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            rows.map(|(place, length)| (place.clone(), number(length))).collect()
        };
        Ok(Self { files: part("files"), functions: part("functions") })
    }

    /// The present lengths where they are lower; what fits again is left out, nothing is added.
    pub(crate) fn lowered(&self, tree: &Tree) -> Self {
        let now = present(tree);
        let lower = |old: &BTreeMap<String, usize>, now: &BTreeMap<String, usize>, most: usize| {
            let kept = old.iter().filter_map(|(place, length)| {
                now.get(place).filter(|here| **here > most).map(|here| (place.clone(), *here.min(length)))
            });
            kept.collect()
        };
        Self {
            files: lower(&self.files, &now.files, FILE_LINES),
            functions: lower(&self.functions, &now.functions, FUNCTION_LINES),
        }
    }

    /// The file in its one form.
    pub(crate) fn print(&self) -> String {
        let mut out = HEAD.to_owned();
        for (name, rows) in [("files", &self.files), ("functions", &self.functions)] {
            out.push_str(&format!("\n[{name}]\n"));
            for (place, length) in rows {
                out.push_str(&format!("\"{place}\" = {length}\n"));
            }
        }
        out
    }
}

pub(crate) fn check(tree: &Tree, limits: &Limits, faults: &mut Vec<Fault>) {
    let now = present(tree);
    part(&now.files, &limits.files, FILE_LINES, "file", faults);
    part(&now.functions, &limits.functions, FUNCTION_LINES, "function", faults);
}

fn part(
    now: &BTreeMap<String, usize>,
    limits: &BTreeMap<String, usize>,
    most: usize,
    what: &str,
    faults: &mut Vec<Fault>,
) {
    for (place, length) in now {
        match limits.get(place) {
            None if *length > most => {
                faults.push(Fault::of(place, format!("{what} of {length} lines, at most {most}; divide it")));
            }
            Some(limit) if length > limit => {
                faults
                    .push(Fault::of(place, format!("{what} grew from {limit} to {length} lines; divide it")));
            }
            Some(limit) if length < limit => {
                faults.push(Fault::of(
                    place,
                    format!("{what} fell from {limit} to {length} lines; run tidy --lower"),
                ));
            }
            None | Some(_) => {}
        }
    }
    for place in limits.keys().filter(|place| !now.contains_key(*place)) {
        faults.push(Fault::of(RATCHET, format!("{place} is no more; run tidy --lower")));
    }
}

/// The length of each file and each function that is no test; the longest of those that share a name.
fn present(tree: &Tree) -> Limits {
    let mut now = Limits::default();
    for source in tree.sources.values() {
        now.files.insert(source.path.clone(), source.length_without_tests());
        for function in source.functions() {
            if !source.is_test(function.lines.start) {
                let longest = now.functions.entry(format!("{}#{}", source.path, function.name)).or_default();
                *longest = function.length().max(*longest);
            }
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(lines: usize, ratchet: &str) -> Vec<String> {
        let text = format!("//! Long.\nfn long() {{\n{}}}\n", "    f();\n".repeat(lines - 2));
        let tree = Tree::of(&[("crates/x/src/lib.rs", &text), (RATCHET, ratchet)]);
        let mut faults = Vec::new();
        check(&tree, &Limits::parse(&tree).expect("the row is TOML"), &mut faults);
        faults.into_iter().map(|f| f.advice).collect()
    }

    #[test]
    fn what_is_long_may_wait_and_nothing_grows() {
        let listed = "[functions]\n\"crates/x/src/lib.rs#long\" = 80\n";
        for (lines, ratchet, expected) in [
            (70, "", None),
            (71, "", Some("71 lines, at most 70")),
            (80, listed, None),
            (81, listed, Some("grew from 80 to 81")),
            (79, listed, Some("fell from 80 to 79")),
        ] {
            let advice = advice(lines, ratchet);
            assert_eq!(advice.len(), usize::from(expected.is_some()), "{lines}: {advice:?}");
            assert!(advice.iter().all(|a| a.contains(expected.unwrap_or_default())), "{advice:?}");
        }
    }

    #[test]
    fn a_file_counts_without_its_tests() {
        assert_eq!(
            advice(600, "[functions]\n\"crates/x/src/lib.rs#long\" = 600\n").len(),
            1,
            "601 with its header"
        );
        let text = format!(
            "//! Long.\n{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "//\n".repeat(598),
            "//\n".repeat(500)
        );
        let tree = Tree::of(&[("crates/x/src/lib.rs", &text)]);
        let mut faults = Vec::new();
        check(&tree, &Limits::default(), &mut faults);
        assert_eq!(faults, []);
    }

    #[test]
    fn lowering_never_raises_and_drops_what_fits_again() {
        let text = format!("//! Long.\nfn long() {{\n{}}}\nfn short() {{}}\n", "    f();\n".repeat(80));
        let tree = Tree::of(&[("a.rs", &text)]);
        let mut limits = Limits::default();
        for (name, length) in [("a.rs#long", 90), ("a.rs#short", 75), ("a.rs#gone", 99)] {
            limits.functions.insert(name.to_owned(), length);
        }
        let lowered = limits.lowered(&tree);
        assert_eq!(lowered.functions, BTreeMap::from([("a.rs#long".to_owned(), 82)]));
        limits.functions.insert("a.rs#long".to_owned(), 75);
        assert_eq!(limits.lowered(&tree).functions, BTreeMap::from([("a.rs#long".to_owned(), 75)]));
    }
}
