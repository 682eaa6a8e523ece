//! Citations of labels in the comments of the sources.
//!
//! One spelling: the RFC, then the section, then the label in square brackets. Several labels of one
//! section may stand in one pair of brackets or in several; a citation may be broken over the
//! lines of one comment.

use crate::fault::Fault;
use crate::source::Source;
use crate::tree::Tree;

/// A label that a comment names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Citation {
    /// The RFC that the comment named before the label.
    pub rfc: u32,
    /// The section that it named before the label.
    pub section: String,
    /// The label.
    pub label: String,
    /// The file.
    pub path: String,
    /// The line of the label.
    pub line: usize,
    /// The item that the comment speaks of, if it stands above or inside one.
    pub item: Option<String>,
    /// Whether it stands in a test.
    pub place: Place,
}

/// Where a citation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// In code that ships.
    Code,
    /// In a test.
    Test,
}

/// All citations of all crates; a label without RFC and section before it is a fault.
pub(crate) fn all(tree: &Tree, faults: &mut Vec<Fault>) -> Vec<Citation> {
    let ours = tree.sources.values().filter(|s| s.path.starts_with("crates/"));
    ours.flat_map(|source| of_source(source, faults)).collect()
}

/// A comment block as one text, with the line of each of its lines.
struct Block {
    text: String,
    /// (place in `text`, line in the file)
    lines: Vec<(usize, usize)>,
    last: usize,
}

fn of_source(source: &Source, faults: &mut Vec<Fault>) -> Vec<Citation> {
    blocks(source).iter().flat_map(|block| of_block(source, block, faults)).collect()
}

/// Comments on lines that follow each other, without their slashes.
fn blocks(source: &Source) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (line, text) in (1..).zip(source.comments.lines()) {
        let text = text.trim().trim_start_matches(['/', '!', '*']).trim();
        if source.comments.lines().nth(line - 1).is_none_or(|l| l.trim().is_empty()) {
            continue;
        }
        match blocks.last_mut() {
            Some(block) if block.last + 1 == line => {
                block.text.push(' ');
                block.lines.push((block.text.len(), line));
                block.text.push_str(text);
                block.last = line;
            }
            _ => blocks.push(Block { text: text.to_owned(), lines: vec![(0, line)], last: line }),
        }
    }
    blocks
}

fn of_block(source: &Source, block: &Block, faults: &mut Vec<Fault>) -> Vec<Citation> {
    let mut found = Vec::new();
    for (at, _) in block.text.match_indices('[') {
        let inside = block.text.get(at + 1..).and_then(|rest| rest.split_once(']')).map_or("", |(i, _)| i);
        // rustdoc wants `\[MUST-1\]`, lest it be a link.
        let labels: Vec<&str> = inside.split(',').map(|l| l.trim().trim_end_matches('\\')).collect();
        if !labels.iter().all(|label| is_label(label)) {
            continue;
        }
        let known = block.lines.iter().rev().find(|(start, _)| *start <= at);
        let line = known.map_or(block.last, |(_, line)| *line);
        let before = block.text.get(..at).unwrap_or_default();
        let Some((rfc, section)) = last_reference(before) else {
            let advice = format!("[{inside}] without its place; write RFC <number> §<section> [{inside}]");
            faults.push(Fault::at(&source.path, line, advice));
            continue;
        };
        let item = source.function_around(line).or_else(|| attached_item(source, block));
        let place =
            if source.is_test(line) || is_test_item(source, block) { Place::Test } else { Place::Code };
        for label in labels {
            found.push(Citation {
                rfc,
                section: section.clone(),
                label: label.to_owned(),
                path: source.path.clone(),
                line,
                item: item.clone(),
                place,
            });
        }
    }
    found
}

/// The item below the block, where nothing but attributes stands between.
fn attached_item(source: &Source, block: &Block) -> Option<String> {
    let next = source.text.lines().nth(block.last)?.trim();
    if next.is_empty() { None } else { source.item_below(block.last) }
}

/// Whether the item below the block is a test: its attributes come after its comment.
fn is_test_item(source: &Source, block: &Block) -> bool {
    source.is_test(block.last + 1)
}

/// `MUST-35` and the like.
pub(crate) fn is_label(text: &str) -> bool {
    text.split_once('-').is_some_and(|(kind, number)| {
        ["MUST", "SHLD", "MAY", "REC"].contains(&kind)
            && !number.is_empty()
            && number.bytes().all(|o| o.is_ascii_digit())
    })
}

/// The last RFC named in the text, and the last section named after it.
fn last_reference(text: &str) -> Option<(u32, String)> {
    let at = text.rfind("RFC ")?;
    let rest = text.get(at + 4..)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let rfc = rest.get(..digits)?.parse().ok()?;
    let section = rest.get(rest.rfind('§')? + '§'.len_utf8()..)?;
    let end = section.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(section.len());
    let section = section.get(..end)?.trim_end_matches('.');
    (!section.is_empty()).then(|| (rfc, section.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC, section, label and line of a citation.
    type Row = (u32, String, String, usize);

    /// The citations of a file, and the lines of its faults.
    fn read(text: &str) -> (Vec<Row>, Vec<usize>) {
        let mut faults = Vec::new();
        let source = Source::new("crates/x/src/lib.rs", text.to_owned());
        let found = of_source(&source, &mut faults);
        let rows = found.into_iter().map(|c| (c.rfc, c.section, c.label, c.line)).collect();
        (rows, faults.into_iter().map(|f| f.line).collect())
    }

    #[test]
    fn citations_are_read_in_each_spelling_that_is_allowed() {
        for (text, expected) in [
            ("// RFC 9293 §3.4 [MUST-66].", vec![("3.4", "MUST-66", 1)]),
            ("/// RFC 9293 §3.4\n/// [MUST-66].\nfn f() {}", vec![("3.4", "MUST-66", 2)]),
            ("/// RFC 9293 §3.4 \\[MUST-66\\].", vec![("3.4", "MUST-66", 1)]),
            ("// RFC 9293 §3.8.6 [SHLD-15, SHLD-16]", vec![("3.8.6", "SHLD-15", 1), ("3.8.6", "SHLD-16", 1)]),
            (
                "// RFC 9293 §3.8.6 [SHLD-15] and [MAY-7]",
                vec![("3.8.6", "SHLD-15", 1), ("3.8.6", "MAY-7", 1)],
            ),
            ("// RFC 9293 §3.1 [MUST-2], §3.4 [MUST-66]", vec![("3.1", "MUST-2", 1), ("3.4", "MUST-66", 1)]),
            ("let x = \"RFC 9293 §3.4 [MUST-66]\";", vec![]),
            ("/// See [`Thing`] and [words](x).", vec![]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(s, l, n)| (9293, s.to_owned(), l.to_owned(), n)).collect();
            assert_eq!(read(text), (expected, vec![]), "{text}");
        }
    }

    #[test]
    fn a_label_without_its_rfc_and_section_is_a_fault() {
        assert_eq!(read("fn f() {}\n// [MUST-66]"), (vec![], vec![2]));
        assert_eq!(read("// RFC 9293 [MUST-66]"), (vec![], vec![1]));
        assert_eq!(read("// RFC 9293 §3.4\n\n// [MUST-66]"), (vec![], vec![3]));
    }

    #[test]
    fn a_citation_knows_its_item_and_whether_it_is_a_test() {
        let text = "\
/// RFC 9293 §3.4 [MUST-66].
pub struct Gate;

fn f() {
    // RFC 9293 §3.4 [MUST-66].
}

/// RFC 9293 §3.4 [MUST-66].
#[test]
fn a_row() {}
";
        let source = Source::new("crates/x/src/lib.rs", text.to_owned());
        let found: Vec<_> = of_source(&source, &mut Vec::new())
            .into_iter()
            .map(|c| (c.item.unwrap_or_default(), c.place))
            .collect();
        let expected = [("Gate", Place::Code), ("f", Place::Code), ("a_row", Place::Test)];
        assert_eq!(found, expected.map(|(item, place)| (item.to_owned(), place)));
    }
}
