//! Rules for every text file: no tab, no space at a line's end, one line end at the end, nothing that
//! exists only on somebody's machine.

use crate::fault::Fault;
use crate::tree::Tree;

/// Folders whose files are data of others and stay as they are.
const DATA: [&str; 2] = ["captures/", "fuzz/seeds/"];

/// Beginnings of paths that exist on one machine only. Written in two parts, so as not to find itself.
const MACHINES: [(&str, &str); 5] =
    [("/ho", "me/"), ("/ro", "ot/"), ("/Us", "ers/"), ("/wo", "rk/"), ("/tmp", "/b")];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for source in tree.sources.values() {
        file(&source.path, &source.text, faults);
    }
    for (path, text) in &tree.texts {
        if !DATA.iter().any(|folder| path.starts_with(folder)) {
            file(path, text, faults);
        }
    }
}

fn file(path: &str, text: &str, faults: &mut Vec<Fault>) {
    for (line, content) in (1..).zip(text.split('\n')) {
        let mut say = |advice: String| faults.push(Fault::at(path, line, advice));
        if content.contains('\t') {
            say("a tab; write spaces".to_owned());
        }
        if content.ends_with([' ', '\r']) {
            say("space at the end of the line; remove it".to_owned());
        }
        for (first, second) in MACHINES {
            let place = format!("{first}{second}");
            let found = content.match_indices(&place).any(|(at, _)| begins_a_path(content, at));
            if found {
                say(format!("`{place}` exists on one machine only; name it from the root of the project"));
            }
        }
    }
    if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
        faults.push(Fault::of(path, "end the file with exactly one line end"));
    }
}

/// Whether the slash at `at` is the root, and not the middle of a path or an address.
fn begins_a_path(line: &str, at: usize) -> bool {
    let before = line.get(..at).and_then(|s| s.chars().next_back());
    !before.is_some_and(|c| c.is_alphanumeric() || "._-~/}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_line_and_nothing_else() {
        let home = ["/ho", "me/me/x"].concat();
        for (text, expected) in [
            ("a\nb\n".to_owned(), vec![]),
            (String::new(), vec![]),
            ("a\n\tb\n".to_owned(), vec![2]),
            ("a \nb\n".to_owned(), vec![1]),
            ("a\r\n".to_owned(), vec![1]),
            ("a".to_owned(), vec![0]),
            ("a\n\n".to_owned(), vec![0]),
            (format!("see {home}\n"), vec![1]),
            (format!("see https://example.org{home}\n"), vec![]),
        ] {
            let mut faults = Vec::new();
            file("a.md", &text, &mut faults);
            assert_eq!(faults.iter().map(|f| f.line).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }
}
