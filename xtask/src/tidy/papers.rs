//! The papers at the root: they are there, and the two READMEs have the same shape.

use crate::fault::Fault;
use crate::tree::Tree;

/// What a newcomer looks for.
const PAPERS: [&str; 6] = [
    "README.md",
    "README.pt-BR.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "crates/README.md",
];

/// Pairs that say the same in two languages.
const PAIRS: [(&str, &str); 1] = [("README.md", "README.pt-BR.md")];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for paper in PAPERS {
        if !tree.has(paper) {
            faults.push(Fault::of(paper, "missing; a newcomer looks for it"));
        }
    }
    for (path, text) in tree.texts.iter().filter(|(path, _)| path.ends_with(".md")) {
        links(tree, path, text, faults);
    }
    for (first, second) in PAIRS {
        let (Some(one), Some(other)) = (tree.texts.get(first), tree.texts.get(second)) else { continue };
        let (one, other) = (Shape::of(one), Shape::of(other));
        if one != other {
            let advice = format!("{other}, but {first} has {one}; both say the same");
            faults.push(Fault::of(second, advice));
        }
    }
}

/// The bones of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Shape {
    headings: usize,
    code_blocks: usize,
    table_rows: usize,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        let mut inside = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                inside = !inside;
                shape.code_blocks += usize::from(inside);
            } else if !inside {
                shape.headings += usize::from(line.starts_with('#'));
                shape.table_rows += usize::from(line.starts_with('|'));
            }
        }
        shape
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{} headings, {} code blocks, {} table rows",
            self.headings, self.code_blocks, self.table_rows
        )
    }
}

/// A link to a file of the project leads somewhere.
fn links(tree: &Tree, path: &str, text: &str, faults: &mut Vec<Fault>) {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (line, content) in (1..).zip(text.lines()) {
        for (at, _) in content.match_indices("](") {
            let target = content.get(at + 2..).and_then(|rest| rest.split_once(')')).map_or("", |(t, _)| t);
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let full = resolve(folder, target);
            let prefix = format!("{full}/");
            let is_folder = || tree.texts.keys().chain(tree.sources.keys()).any(|p| p.starts_with(&prefix));
            if !tree.has(&full) && !is_folder() && !tree.root.join(&full).is_file() {
                faults.push(Fault::at(path, line, format!("link to {target}: no such file")));
            }
        }
    }
}

/// The path that `target` names when it stands in `folder`.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_bones_counted_outside_of_code() {
        let text = "# A\n\n```sh\n# no heading\n| no row\n```\n\n## B\n\n| a | b |\n";
        assert_eq!(Shape::of(text), Shape { headings: 2, code_blocks: 1, table_rows: 1 });
    }

    #[test]
    fn links_lead_somewhere() {
        let tree = Tree::of(&[("docs/a.md", ""), ("crates/x/src/lib.rs", "")]);
        for (link, faults) in [
            ("[x](a.md)", 0),
            ("[x](../crates/x/src/lib.rs#here)", 0),
            ("[x](../crates/x)", 0),
            ("[x](#here) [y](https://example.org)", 0),
            ("[x](b.md)", 1),
        ] {
            let mut found = Vec::new();
            links(&tree, "docs/c.md", link, &mut found);
            assert_eq!(found.len(), faults, "{link}");
        }
    }
}
