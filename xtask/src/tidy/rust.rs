//! Rules for Rust files: a header, no `unwrap` outside tests, `unsafe` only where it is allowed and argued.

use crate::fault::Fault;
use crate::source::{Source, words};
use crate::tree::Tree;

/// The files that may hold `unsafe`: what only the operating system can do.
const UNSAFE_ALLOWED: [&str; 0] = [];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for source in tree.sources.values() {
        header(source, faults);
        unwraps(source, faults);
        unsafe_blocks(source, &UNSAFE_ALLOWED, faults);
        allows(source, faults);
    }
}

/// A module opens with what it does. A `tests.rs` belongs to the module that it tests.
fn header(source: &Source, faults: &mut Vec<Fault>) {
    if source.path.ends_with("/tests.rs") || source.text.trim().is_empty() {
        return;
    }
    // A fuzz target and a script begin with attributes.
    let first = source.text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        faults.push(Fault::at(
            &source.path,
            1,
            "open with a //! header: what it does, which sections, what is left out",
        ));
    }
}

fn unwraps(source: &Source, faults: &mut Vec<Fault>) {
    for at in words(&source.code, "unwrap") {
        let method = source.code.get(..at).is_some_and(|s| s.trim_end().ends_with('.'));
        let line = source.line_of(at);
        if method && !source.is_test(line) {
            faults.push(Fault::at(
                &source.path,
                line,
                "unwrap outside tests; handle it, or expect(\"why it holds\")",
            ));
        }
    }
}

fn unsafe_blocks(source: &Source, allowed: &[&str], faults: &mut Vec<Fault>) {
    for at in words(&source.code, "unsafe") {
        let line = source.line_of(at);
        if !allowed.contains(&source.path.as_str()) {
            faults.push(Fault::at(
                &source.path,
                line,
                "unsafe is not allowed here (see xtask/src/tidy/rust.rs)",
            ));
            continue;
        }
        let above: Vec<&str> = source.text.lines().skip(line.saturating_sub(6)).take(line.min(6)).collect();
        if !above.iter().any(|l| l.contains("SAFETY:")) {
            faults.push(Fault::at(&source.path, line, "write // SAFETY: above it, for a stranger to check"));
        }
    }
}

/// `allow` stays when its cause goes; `expect` does not.
fn allows(source: &Source, faults: &mut Vec<Fault>) {
    for at in words(&source.code, "allow") {
        let attribute = source.code.get(..at).is_some_and(|s| s.ends_with("#[") || s.ends_with("#!["));
        if attribute {
            let advice = "write #[expect(lint, reason = \"...\")] at the smallest item, not allow";
            faults.push(Fault::at(&source.path, source.line_of(at), advice));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: impl Fn(&Source, &mut Vec<Fault>), text: &str) -> Vec<usize> {
        let mut faults = Vec::new();
        rule(&Source::new("crates/x/src/lib.rs", text.to_owned()), &mut faults);
        faults.into_iter().map(|f| f.line).collect()
    }

    #[test]
    fn a_module_without_header_is_found() {
        for (text, expected) in [
            ("//! What.\n", vec![]),
            ("\n//! What.\n", vec![]),
            ("#![no_main]\n//! What.\n", vec![]),
            ("// What.\n", vec![1]),
            ("use x;\n//! What.\n", vec![1]),
        ] {
            assert_eq!(lines(header, text), expected, "{text}");
        }
    }

    #[test]
    fn unwrap_is_found_in_code_and_not_in_tests_or_words() {
        for (text, expected) in [
            ("fn f() {\n    x.unwrap();\n}\n", vec![2]),
            ("fn f() {\n    x\n        .unwrap();\n}\n", vec![3]),
            ("fn f() {\n    x.unwrap_or(0); // x.unwrap()\n}\n", vec![]),
            ("#[cfg(test)]\nmod tests {\n    fn f() { x.unwrap(); }\n}\n", vec![]),
        ] {
            assert_eq!(lines(unwraps, text), expected, "{text}");
        }
    }

    #[test]
    fn unsafe_needs_leave_and_an_argument() {
        let argued = "// SAFETY: it holds.\nunsafe { f() }\n";
        let here = ["crates/x/src/lib.rs"];
        for (text, allowed, expected) in [
            (argued, &here[..], vec![]),
            ("unsafe { f() }\n", &here[..], vec![1]),
            (argued, &[][..], vec![2]),
            ("#![forbid(unsafe_code)]\n", &[][..], vec![]),
        ] {
            assert_eq!(lines(|s, f| unsafe_blocks(s, allowed, f), text), expected, "{text}");
        }
    }

    #[test]
    fn allow_attributes_are_found_and_the_word_is_not() {
        assert_eq!(lines(allows, "#[allow(dead_code)]\nfn f() { allow(1) }\n"), [1]);
    }
}
