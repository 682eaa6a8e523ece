//! How RFCs are cited: one spelling that a script can find, and the document in force.

use crate::fault::Fault;
use crate::tree::Tree;

/// Documents that were replaced, and by what.
const SUPERSEDED: [(u32, u32); 8] = [
    (793, 9293),
    (1323, 7323),
    (2001, 5681),
    (2581, 5681),
    (2988, 6298),
    (3517, 6675),
    (3782, 6582),
    (8312, 9438),
];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for source in tree.sources.values() {
        // What this rule is about would find itself.
        if source.path != "xtask/src/tidy/citations.rs" {
            file(&source.path, &source.comments, faults);
        }
    }
    for (path, text) in tree.texts.iter().filter(|(path, _)| path.ends_with(".md") || path.ends_with(".toml"))
    {
        file(path, text, faults);
    }
}

fn file(path: &str, text: &str, faults: &mut Vec<Fault>) {
    for (line, content) in (1..).zip(text.lines()) {
        for advice in advice(content) {
            faults.push(Fault::at(path, line, advice));
        }
    }
}

/// What is wrong with the citations of a line.
fn advice(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("RFC") {
        let after = line.get(at + 3..).unwrap_or_default();
        let digits_at = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (between, rest) = after.split_at(digits_at);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let is_citation =
            number.len() >= 3 && between.len() <= 2 && between.chars().all(|c| " -_#\u{a0}".contains(c));
        if !is_citation {
            continue;
        }
        if between != " " {
            found.push(format!("write `RFC {number}`, with one space"));
        }
        if let Some(section) = worded_section(tail) {
            found.push(format!("write `RFC {number} §{section}`"));
        }
        let superseded = SUPERSEDED.iter().find(|(old, _)| number.parse() == Ok(*old));
        if let Some((_, new)) = superseded
            && !line.to_lowercase().contains("obsolete")
        {
            found.push(format!(
                "RFC {number} is not in force; cite RFC {new}, or say in the line that it is obsolete"
            ));
        }
    }
    let spaced =
        |sign: &str| line.split(sign).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if spaced("§ ") || spaced("§\u{a0}") {
        found.push("write the section without a space: `§3.8`".to_owned());
    }
    found
}

/// The section number where it is written as words (`, Section 3`, ` sec. 3`) or after a comma (`, §3`).
fn worded_section(tail: &str) -> Option<&str> {
    let rest = tail.trim_start_matches([',', ' ']);
    let lower = rest.to_lowercase();
    let word = ["section ", "sec. ", "sect. ", "s. "].into_iter().find(|word| lower.starts_with(word));
    let after = match word {
        Some(word) => rest.get(word.len()..)?,
        None if tail.starts_with(',') && rest.starts_with('§') => rest.strip_prefix('§')?,
        None if tail.starts_with('§') => tail.strip_prefix('§')?,
        None => return None,
    };
    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(after.len());
    after.get(..end).map(|s| s.trim_end_matches('.')).filter(|s| s.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_spelling_passes_and_others_say_how() {
        for (line, expected) in [
            ("RFC 9293 §3.8.6.1 [MUST-59].", None),
            ("see RFC 9293, and RFC 7323 §2.", None),
            ("RFC 9293 §3.5 and §3.6", None),
            ("RFC 9293 Appendix B", None),
            ("The RFC's word; an RFC of 119 labels", None),
            ("https://www.rfc-editor.org/rfc/rfc9293", None),
            ("RFC9293 §3", Some("write `RFC 9293`, with one space")),
            ("RFC-9293", Some("write `RFC 9293`, with one space")),
            ("RFC 9293, section 3.8.6", Some("write `RFC 9293 §3.8.6`")),
            ("RFC 9293 Section 3.8.", Some("write `RFC 9293 §3.8`")),
            ("RFC 9293, §3.8", Some("write `RFC 9293 §3.8`")),
            ("RFC 9293§3.8", Some("write `RFC 9293 §3.8`")),
            ("RFC 9293 § 3.8", Some("write the section without a space: `§3.8`")),
            (
                "RFC 793 §3.1",
                Some("RFC 793 is not in force; cite RFC 9293, or say in the line that it is obsolete"),
            ),
            (
                "RFC 1323",
                Some("RFC 1323 is not in force; cite RFC 7323, or say in the line that it is obsolete"),
            ),
            ("as the obsolete RFC 2988 had it", None),
            ("RFC 6093 §3", None),
            ("22 bytes delivered · § = RFC 9293", None),
        ] {
            assert_eq!(advice(line), expected.into_iter().collect::<Vec<_>>(), "{line}");
        }
    }
}
