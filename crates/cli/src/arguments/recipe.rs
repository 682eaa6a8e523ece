//! The recipe in a recording's header: the flags of a simulated run, as one line that can be read.
//!
//! `flags/1 demo bulk --size 20k --seed 7`: kind and version, then the words behind the program's
//! name. A word with anything unusual stands in double quotes; in it `\n` and `\r` are line ends and a
//! backslash goes before `"`, `\`, `$` and a backtick. `docs/schema/trace-v1.json` says the same.
//!
//! Left out: what decides only how something looks, and recordings.

use super::repeat::quoted;

/// The kind and version that are written, and the only ones that are read.
const KIND: &str = "flags/1";
/// A recipe with more words than this was not written by us.
const MOST_WORDS: usize = 4_096;

/// The recipe of a command, as `repeat` tells it, and of flags that it leaves to the language.
pub(crate) fn write(command: &str, besides: &[(&str, &str)]) -> String {
    let words = command.strip_prefix("aperto").unwrap_or(command).trim();
    let mut recipe = format!("{KIND} {words}");
    for (flag, value) in besides {
        recipe.push_str(&format!(" {flag} {}", quoted(value)));
    }
    recipe.replace('\n', "\\n").replace('\r', "\\r")
}

/// Why a recipe cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    /// It is of this kind or version.
    Kind(String),
    /// A quote that is not closed, or more words than anybody types.
    Words,
}

/// The words of a recipe.
pub(crate) fn read(recipe: &str) -> Result<Vec<String>, Unreadable> {
    let (kind, line) = recipe.split_once(' ').unwrap_or((recipe, ""));
    if kind != KIND {
        return Err(Unreadable::Kind(kind.chars().filter(|letter| !letter.is_control()).take(40).collect()));
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().push(match letters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => return Err(Unreadable::Words),
            }),
            ' ' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
        if words.len() > MOST_WORDS {
            return Err(Unreadable::Words);
        }
    }
    words.extend(word);
    if is_quoted { Err(Unreadable::Words) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read_as_it_was_written() {
        let message = "a \"b\" \\n c\n$d `e`\r é";
        let command = format!("aperto demo bulk --size 20k -m {} --seed 7", quoted(message));
        let recipe = write(&command, &[("-m", "x y")]);
        assert_eq!(recipe.lines().count(), 1);
        assert!(recipe.starts_with("flags/1 demo bulk --size 20k -m \""));
        let expected = ["demo", "bulk", "--size", "20k", "-m", message, "--seed", "7", "-m", "x y"];
        assert_eq!(read(&recipe).unwrap(), expected);
        assert_eq!(read("flags/1").unwrap(), Vec::<String>::new());
        assert_eq!(read("flags/1 -m \"\"").unwrap(), ["-m", ""]);
    }

    #[test]
    fn what_is_no_recipe_of_ours_is_refused() {
        assert_eq!(read("flags/2 --seed 1"), Err(Unreadable::Kind("flags/2".into())));
        assert_eq!(read(""), Err(Unreadable::Kind(String::new())));
        assert_eq!(read("flags/1 -m \"open"), Err(Unreadable::Words));
        assert_eq!(read("flags/1 -m \"a\\"), Err(Unreadable::Words));
        assert_eq!(read(&format!("flags/1 {}", "a ".repeat(5_000))), Err(Unreadable::Words));
    }
}
