//! A Rust file taken apart: code, comments and literals, test parts, functions.
//!
//! A small lexer instead of a parser: it needs to know what is a comment, what is a string and
//! where a brace closes, no more, and so it builds in a moment and reads files that do not
//! compile. Left out: macros that hide unbalanced braces in their arguments (nobody writes them
//! here), and `cfg(test)` behind another macro.

mod lexer;

use std::ops::Range;

/// A Rust file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// From the root of the tree, with `/`.
    pub path: String,
    /// As it stands on disk.
    pub text: String,
    /// The same, with everything but code turned into spaces; places agree with `text`.
    pub code: String,
    /// The same, with everything but comments turned into spaces.
    pub comments: String,
    /// Whether the file is a test as a whole.
    pub whole_is_test: bool,
    starts: Vec<usize>,
    tests: Vec<Range<usize>>,
}

/// A function with its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Function {
    /// Its name, without the type it belongs to.
    pub name: String,
    /// From the line of `fn` to the line of the closing brace, counted from 1, both included.
    pub lines: Range<usize>,
}

impl Function {
    /// How many lines it has.
    pub(crate) fn length(&self) -> usize {
        self.lines.end - self.lines.start + 1
    }
}

impl Source {
    /// Takes a file apart.
    pub(crate) fn new(path: &str, text: String) -> Self {
        let kinds = lexer::kinds(&text);
        let code = lexer::only(&text, &kinds, lexer::Kind::Code);
        let comments = lexer::only(&text, &kinds, lexer::Kind::Comment);
        let starts = core::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let whole_is_test = path.ends_with("/tests.rs")
            || path.contains("/tests/")
            || path.starts_with("tests/")
            || path.starts_with("fuzz/");
        let mut source =
            Self { path: path.to_owned(), text, code, comments, whole_is_test, starts, tests: Vec::new() };
        source.tests = source.find_tests();
        source
    }

    /// The line of a place in the text, counted from 1.
    pub(crate) fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Whether a line, counted from 1, belongs to a test.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.whole_is_test || self.tests.iter().any(|lines| (lines.start..=lines.end).contains(&line))
    }

    /// How many lines are no tests.
    pub(crate) fn length_without_tests(&self) -> usize {
        if self.whole_is_test {
            return 0;
        }
        (1..=self.text.lines().count()).filter(|line| !self.is_test(*line)).count()
    }

    /// The functions that have a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in words(&self.code, "fn") {
            let Some(name) = word_after(&self.code, at + 2) else { continue };
            let Some(body) = self.body_after(at) else { continue };
            let lines = self.line_of(at)..self.line_of(body.end);
            found.push(Function { name: name.to_owned(), lines });
        }
        found
    }

    /// Whether the file defines an item of this name.
    pub(crate) fn defines(&self, name: &str) -> bool {
        const KEYWORDS: [&str; 9] =
            ["fn", "struct", "enum", "const", "static", "trait", "type", "mod", "macro_rules!"];
        words(&self.code, name).any(|at| {
            let before = self.code.get(..at).unwrap_or_default().trim_end();
            KEYWORDS.iter().any(|keyword| before.ends_with(keyword))
        })
    }

    /// The innermost function that holds the line.
    pub(crate) fn function_around(&self, line: usize) -> Option<String> {
        let holds = |f: &Function| (f.lines.start..=f.lines.end).contains(&line);
        let functions = self.functions().into_iter();
        functions.filter(holds).min_by_key(Function::length).map(|f| f.name)
    }

    /// The item that a comment above it speaks of: the first code line below, attributes skipped.
    pub(crate) fn item_below(&self, line: usize) -> Option<String> {
        const ITEMS: [&str; 7] = ["fn", "struct", "enum", "const", "static", "trait", "type"];
        let rest = self.code.get(*self.starts.get(line)?..)?;
        let at = skip_attributes(rest, 0);
        let head = rest.get(at..)?;
        let line_end = head.find('\n').unwrap_or(head.len());
        let mut tokens = head.get(..line_end)?.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let mut previous = "";
        tokens.find_map(|token| {
            let named = ITEMS.contains(&previous) && !token.is_empty() && !ITEMS.contains(&token);
            if !token.is_empty() {
                previous = token;
            }
            named.then(|| token.to_owned())
        })
    }

    /// The places of the modules that this file declares under `#[cfg(test)]`, without ending.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let folder = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => self.path.trim_end_matches(".rs").to_owned(),
        };
        let declares = |lines: &Range<usize>| -> Option<String> {
            let from = *self.starts.get(lines.start - 1)?;
            let to = self.starts.get(lines.end).copied().unwrap_or(self.code.len());
            let code = self.code.get(from..to)?;
            let at = words(code, "mod").next()?;
            let module = word_after(code, at + 3)?;
            code.trim_end().ends_with(';').then(|| format!("{folder}/{module}"))
        };
        self.tests.iter().filter_map(declares).collect()
    }

    /// Lines of items under `#[cfg(test)]`, of functions under `#[test]` and the like.
    fn find_tests(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("#[") {
            let end = attribute_end(&self.code, at);
            let attribute = self.code.get(at + 2..end).unwrap_or_default();
            if !is_test_attribute(attribute) {
                continue;
            }
            let item = skip_attributes(&self.code, end);
            let last = match self.body_after(item) {
                Some(body) => body.end,
                None => self.code.get(item..).and_then(|rest| rest.find(';')).map_or(item, |n| item + n),
            };
            found.push(self.line_of(at)..self.line_of(last));
        }
        found
    }

    /// The body in braces of the item that begins at `at`; none where a semicolon comes first.
    fn body_after(&self, at: usize) -> Option<Range<usize>> {
        let octets = self.code.as_bytes();
        let mut depth = 0_i32;
        let mut open = None;
        for (here, octet) in octets.iter().enumerate().skip(at) {
            match octet {
                b'(' | b'[' => depth += 1,
                b')' | b']' => depth -= 1,
                b';' if depth == 0 && open.is_none() => return None,
                b'{' => {
                    open = open.or(Some((here, depth)));
                    depth += 1;
                }
                b'}' => {
                    depth -= 1;
                    if let Some((start, level)) = open
                        && depth <= level
                    {
                        return Some(start..here);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether the inside of `#[...]` marks what follows as a test.
fn is_test_attribute(attribute: &str) -> bool {
    let attribute = attribute.trim_end_matches(']').trim();
    match attribute.strip_prefix("cfg(") {
        Some(condition) => words(condition, "test").next().is_some() && !condition.contains("not(test"),
        None => attribute == "test" || attribute.ends_with("::test") || attribute.contains("::test("),
    }
}

/// The place after the `]` of an attribute that begins at `at`.
fn attribute_end(code: &str, at: usize) -> usize {
    let mut depth = 0_i32;
    for (here, octet) in code.bytes().enumerate().skip(at) {
        match octet {
            b'[' => depth += 1,
            b']' => {
                depth -= 1;
                if depth == 0 {
                    return here + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The place of the first code from `at` on that is neither space nor attribute.
fn skip_attributes(code: &str, mut at: usize) -> usize {
    loop {
        let rest = code.get(at..).unwrap_or_default();
        at += rest.len() - rest.trim_start().len();
        if !code.get(at..).is_some_and(|rest| rest.starts_with("#[")) {
            return at;
        }
        at = attribute_end(code, at);
    }
}

/// The places where `word` stands as a whole word.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text.get(..*at).and_then(|s| s.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|s| s.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The identifier that follows after spaces, if one does.
fn word_after(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    rest.get(..end).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
//! Header.

/// RFC 9293 §3.4 [MUST-66].
#[must_use]
pub const fn short(a: [u8; 2]) -> u8 {
    // } in a comment
    let brace = '}';
    a[0]
}

trait Speaks {
    fn nothing(&self);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_row_holds() {
        assert!(\"}\".len() == 1);
    }
}

fn last() {}
";

    fn file() -> Source {
        Source::new("crates/x/src/lib.rs", FILE.to_owned())
    }

    #[test]
    fn functions_are_found_with_their_lines_and_not_by_braces_in_text() {
        let found: Vec<_> = file().functions().into_iter().map(|f| (f.name, f.lines)).collect();
        let expected = [("short", 5..9), ("a_row_holds", 18..20), ("last", 23..23)];
        assert_eq!(found, expected.map(|(name, lines)| (name.to_owned(), lines)));
    }

    #[test]
    fn the_lines_under_cfg_test_are_tests_and_no_others() {
        let source = file();
        let tests: Vec<_> = (1..=23).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, (15..=21).collect::<Vec<_>>());
        assert_eq!(source.length_without_tests(), 23 - 7);
    }

    #[test]
    fn a_comment_belongs_to_the_item_below_it() {
        assert_eq!(file().item_below(3).as_deref(), Some("short"));
        assert_eq!(file().function_around(7).as_deref(), Some("short"));
        assert_eq!(file().function_around(12), None);
    }

    #[test]
    fn items_are_defined_and_not_merely_named() {
        assert!(file().defines("short"));
        assert!(file().defines("Speaks"));
        assert!(!file().defines("brace"));
    }

    #[test]
    fn test_attributes_are_told_from_others() {
        for (attribute, expected) in [
            ("test", true),
            ("tokio::test", true),
            ("tokio::test(flavor = x)", true),
            ("cfg(test)", true),
            ("cfg(all(test, unix))", true),
            ("cfg(not(test))", false),
            ("cfg(feature)", false),
            ("must_use", false),
        ] {
            assert_eq!(is_test_attribute(attribute), expected, "{attribute}");
        }
    }

    #[test]
    fn a_module_declared_under_cfg_test_is_named_by_its_place() {
        let text = "#[cfg(test)]\npub(crate) mod talk;\nmod other;\n".to_owned();
        let names = Source::new("crates/tcp/src/connection.rs", text).test_modules();
        assert_eq!(names, ["crates/tcp/src/connection/talk"]);
    }
}
