//! The claims of the two READMEs, each with the tests that show it.
//!
//! `docs/claims.toml` has one `[[claim]]` for each thing that the READMEs say: `en` and `pt` are words
//! that stand in the English and in the Portuguese page (`pt` may be left out where they are the same,
//! as in a command), `test` the tests that show it, as `path#function`; a step of `test.sh` counts as
//! one. What claims nothing (where to read on, the licence) has a `reason` instead.
//!
//! Every sentence, list item, table row and command of both pages must be covered, so nobody can write
//! into a README what nobody has run.
//!
//! Left out: whether a test truly shows what it stands for. That is for the reader.

use toml::{Table, Value};

use crate::fault::{Fault, Outcome};
use crate::tree::Tree;

const CLAIMS: &str = "docs/claims.toml";
const PAGES: [&str; 2] = ["README.md", "README.pt-BR.md"];

/// One entry of the file.
#[derive(Debug)]
struct Claim {
    line: usize,
    /// Its words on each of the pages.
    words: [String; 2],
    /// Empty where nothing is claimed.
    tests: Vec<String>,
}

/// Something that a page says, and the line where it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Unit {
    line: usize,
    text: String,
}

/// Runs the command.
pub(crate) fn run(tree: &Tree) -> Result<Outcome, String> {
    let text = tree.texts.get(CLAIMS).ok_or_else(|| format!("{CLAIMS}: missing"))?;
    let mut faults = Vec::new();
    let claims = read(text, &mut faults);
    for claim in &claims {
        check_tests(tree, claim, &mut faults);
    }
    let mut units = 0;
    for (language, page) in PAGES.into_iter().enumerate() {
        let text = tree.texts.get(page).ok_or_else(|| format!("{page}: missing"))?;
        let said = units_of(text);
        units += said.len();
        check_page(page, language, &said, &claims, &mut faults);
    }
    faults.sort();
    let shown = claims.iter().filter(|claim| !claim.tests.is_empty()).count();
    let summary = format!(
        "claims: {units} things said on {} pages, {} entries, {shown} of them shown by tests: {}",
        PAGES.len(),
        claims.len(),
        if faults.is_empty() { "in order".to_owned() } else { format!("{} faults", faults.len()) }
    );
    Ok(Outcome { lines: Vec::new(), faults, summary })
}

fn read(text: &str, faults: &mut Vec<Fault>) -> Vec<Claim> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            faults.push(Fault::of(CLAIMS, format!("not TOML: {}", error.message())));
            return Vec::new();
        }
    };
    let starts = (1..).zip(text.lines()).filter(|(_, line)| *line == "[[claim]]").map(|(at, _)| at);
    let rows = table.get("claim").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut claims = Vec::new();
    for (line, row) in starts.zip(rows) {
        match claim(line, row) {
            Ok(claim) => claims.push(claim),
            Err(advice) => faults.push(Fault::at(CLAIMS, line, advice)),
        }
    }
    claims
}

fn claim(line: usize, row: &Value) -> Result<Claim, String> {
    let row = row.as_table().ok_or("write each entry as [[claim]]")?;
    let known = ["en", "pt", "test", "reason"];
    if let Some(key) = row.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown key `{key}`; known: {}", known.join(", ")));
    }
    let word = |key: &str| row.get(key).and_then(Value::as_str).map(flat);
    let en = word("en").filter(|en| !en.is_empty()).ok_or("write `en = \"...\"`: words of README.md")?;
    let pt = word("pt").unwrap_or_else(|| en.clone());
    let tests = row.get("test").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tests: Vec<String> = tests.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let reason = word("reason").unwrap_or_default();
    if tests.is_empty() == reason.is_empty() {
        return Err(
            "write either `test = [\"path#function\"]`, or a `reason` where nothing is claimed".to_owned()
        );
    }
    Ok(Claim { line, words: [en, pt], tests })
}

/// Each test is there, and is one.
fn check_tests(tree: &Tree, claim: &Claim, faults: &mut Vec<Fault>) {
    for test in &claim.tests {
        let advice = match test.split_once('#') {
            None => Some(format!("test {test}: write path#function")),
            Some((path, name)) => match (tree.sources.get(path), tree.texts.get(path)) {
                (Some(source), _) => {
                    let found: Vec<_> = source.functions().into_iter().filter(|f| f.name == name).collect();
                    match found.iter().any(|function| source.is_test(function.lines.start)) {
                        true => None,
                        false if found.is_empty() => Some(format!("test {path}: has no `fn {name}(`")),
                        false => Some(format!("test {path}: `{name}` is no test")),
                    }
                }
                (None, Some(script)) if script.contains(&format!("\n{name}() {{")) => None,
                (None, _) => Some(format!("test {path}: no such file, or no `{name}` in it")),
            },
        };
        if let Some(advice) = advice {
            faults.push(Fault::at(CLAIMS, claim.line, advice));
        }
    }
}

/// Every claim stands on the page, and everything on the page is claimed.
fn check_page(page: &str, language: usize, said: &[Unit], claims: &[Claim], faults: &mut Vec<Fault>) {
    let words = |claim: &Claim| claim.words.get(language).cloned().unwrap_or_default();
    for claim in claims {
        let words = words(claim);
        if !said.iter().any(|unit| unit.text.contains(&words)) {
            faults.push(Fault::at(CLAIMS, claim.line, format!("{page} does not say: {words}")));
        }
    }
    for unit in said {
        if !claims.iter().any(|claim| unit.text.contains(&words(claim))) {
            let start: String = unit.text.chars().take(70).collect();
            let advice = format!("in {CLAIMS} no entry covers: {start}");
            faults.push(Fault::at(page, unit.line, advice));
        }
    }
}

/// What a page says: sentences, list items, rows of tables, commands, and the first line of an output.
fn units_of(page: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut paragraph: Option<Unit> = None;
    let mut fence: Option<&str> = None;
    let mut shown = false;
    let lines: Vec<&str> = page.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let number = at + 1;
        let trimmed = line.trim();
        if let Some(kind) = trimmed.strip_prefix("```") {
            end(&mut paragraph, &mut units);
            fence = if fence.is_none() { Some(kind) } else { None };
            shown = false;
            continue;
        }
        if let Some(kind) = fence {
            let first = !core::mem::replace(&mut shown, true);
            if !trimmed.is_empty() && (kind != "text" || first) {
                units.push(Unit { line: number, text: flat(trimmed) });
            }
            continue;
        }
        let is_rule = |line: Option<&&str>| line.is_some_and(|line| line.trim().starts_with("| ---"));
        if trimmed.is_empty() || trimmed.starts_with('#') {
            end(&mut paragraph, &mut units);
        } else if trimmed.starts_with('|') {
            end(&mut paragraph, &mut units);
            if !is_rule(lines.get(at)) && !is_rule(lines.get(at + 1)) {
                units.push(Unit { line: number, text: flat(trimmed) });
            }
        } else {
            if trimmed.starts_with("* ") || trimmed.starts_with("- ") {
                end(&mut paragraph, &mut units);
            }
            let unit = paragraph.get_or_insert_with(|| Unit { line: number, text: String::new() });
            unit.text.push(' ');
            unit.text.push_str(trimmed);
        }
    }
    end(&mut paragraph, &mut units);
    units
}

/// A paragraph is over: its sentences.
fn end(paragraph: &mut Option<Unit>, units: &mut Vec<Unit>) {
    let Some(Unit { line, text }) = paragraph.take() else { return };
    let text = flat(&text);
    let mut from = 0;
    for (at, _) in text.match_indices(". ") {
        let begins_anew = text.get(at + 2..).and_then(|rest| rest.chars().next());
        if begins_anew.is_some_and(|c| c.is_uppercase() || "`*[\"".contains(c)) {
            units.push(Unit { line, text: text.get(from..=at).unwrap_or_default().to_owned() });
            from = at + 2;
        }
    }
    units.push(Unit { line, text: text.get(from..).unwrap_or_default().to_owned() });
}

/// With one space wherever there was some.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart_into_what_it_says() {
        let page = "# Title\n\nOne thing.\nAnother, e.g. this. `third`\n\n| a | b |\n| --- | --- |\n| c | d |\n\n\
                    ```sh\nrun it\nrun more\n```\n\n```text\nfirst\nsecond\n```\n\n* item\n  goes on\n* next\n";
        let said: Vec<(usize, String)> = units_of(page).into_iter().map(|u| (u.line, u.text)).collect();
        let expected = [
            (3, "One thing."),
            (3, "Another, e.g. this."),
            (3, "`third`"),
            (8, "| c | d |"),
            (11, "run it"),
            (12, "run more"),
            (16, "first"),
            (20, "* item goes on"),
            (22, "* next"),
        ];
        assert_eq!(said, expected.map(|(line, text)| (line, text.to_owned())));
    }

    fn faults(claims: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("README.md", "It works. See there.\n"),
            ("README.pt-BR.md", "Funciona. Veja lá.\n"),
            ("docs/claims.toml", claims),
            ("crates/x/tests/a.rs", "#[test]\nfn it_works() {}\n"),
            ("crates/x/src/lib.rs", "fn helper() {}\n"),
            ("test.sh", "\nstep_program() {\n}\n"),
        ]);
        run(&tree).expect("all is there").faults.into_iter().map(|fault| fault.to_string()).collect()
    }

    const READ_ON: &str =
        "[[claim]]\nen = \"See there.\"\npt = \"Veja lá.\"\nreason = \"where to read on\"\n";

    #[test]
    fn what_is_said_and_shown_has_no_fault() {
        for test in ["crates/x/tests/a.rs#it_works", "test.sh#step_program"] {
            let claim = format!("[[claim]]\nen = \"It works\"\npt = \"Funciona\"\ntest = [\"{test}\"]\n");
            assert_eq!(faults(&(claim + READ_ON)), Vec::<String>::new(), "{test}");
        }
    }

    #[test]
    fn each_fault_of_a_claim_is_named() {
        for (claim, expected) in [
            (
                "en = \"It works\"\ntest = [\"crates/x/tests/a.rs#it_works\"]",
                "README.pt-BR.md does not say: It works",
            ),
            (
                "en = \"It works\"\npt = \"Funciona\"\ntest = [\"crates/x/tests/a.rs#gone\"]",
                "has no `fn gone(`",
            ),
            (
                "en = \"It works\"\npt = \"Funciona\"\ntest = [\"crates/x/src/lib.rs#helper\"]",
                "`helper` is no test",
            ),
            (
                "en = \"It works\"\npt = \"Funciona\"\ntest = [\"test.sh#gone\"]",
                "no such file, or no `gone` in it",
            ),
            ("en = \"It works\"\npt = \"Funciona\"", "write either"),
            ("en = \"It flies\"\npt = \"Funciona\"\nreason = \"r\"", "README.md does not say: It flies"),
            ("en = \"It works\"\npt = \"Funciona\"\nwhy = \"r\"", "unknown key `why`"),
        ] {
            let found = faults(&format!("[[claim]]\n{claim}\n{READ_ON}"));
            assert!(found.iter().any(|fault| fault.contains(expected)), "{claim}: {found:?}");
        }
    }

    #[test]
    fn what_nobody_claims_is_a_fault() {
        let found = faults(READ_ON);
        assert_eq!(
            found,
            [
                "README.md:1: in docs/claims.toml no entry covers: It works.",
                "README.pt-BR.md:1: in docs/claims.toml no entry covers: Funciona.",
            ]
        );
    }
}
