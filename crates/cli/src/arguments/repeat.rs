//! The command that would do the same again: what decides the run, without looks and recordings.

use std::fmt::Write as _;

use clap::ArgMatches;
use clap::parser::ValueSource;

/// What decides how something looks or is recorded, and not what happens.
const LOOKS: [&str; 20] = [
    "lang",
    "color",
    "quiet",
    "help",
    "view",
    "seq",
    "time",
    "why",
    "ascii",
    "verbose",
    "width",
    "all",
    "split",
    "no-pager",
    "write",
    "tag",
    "keylog",
    "with-keys",
    "seed",
    "version",
];

/// Flags with a letter, as they are usually typed.
const LETTERS: [(&str, &str); 1] = [("message", "-m")];

/// The command, in the order in which it was typed; `seed` is appended where it matters.
pub(crate) fn command(name: &str, matches: &ArgMatches, seed: Option<u64>) -> String {
    let mut words: Vec<(usize, String)> = Vec::new();
    for id in matches.ids().map(clap::Id::as_str).filter(|id| !LOOKS.contains(id)) {
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        collect(matches, id, &mut words);
    }
    words.sort();
    let mut line = String::from("aperto");
    if !name.is_empty() {
        let _ = write!(line, " {name}");
    }
    for (_, word) in words {
        let _ = write!(line, " {word}");
    }
    if let Some(seed) = seed {
        let _ = write!(line, " --seed {seed}");
    }
    line
}

/// The command without what is said in it: what is secret on the wire should not stand in plain in
/// the header of a recording.
pub(crate) fn without_text(name: &str, matches: &ArgMatches, seed: Option<u64>) -> String {
    let whole = command(name, matches, seed);
    match matches.try_get_one::<String>("message") {
        Ok(Some(text)) => whole.replacen(&format!("-m {}", quoted(text)), "-m ...", 1),
        _ => whole,
    }
}

/// What was typed for one flag, each with its place.
fn collect(matches: &ArgMatches, id: &str, words: &mut Vec<(usize, String)>) {
    let places: Vec<usize> = matches.indices_of(id).into_iter().flatten().collect();
    let Ok(Some(values)) = matches.try_get_many::<String>(id) else {
        if let (Ok(Some(true)), Some(place)) =
            (matches.try_get_one::<bool>(id).map(Option::<&bool>::copied), places.first())
        {
            words.push((*place, format!("--{id}")));
        }
        return;
    };
    for (place, value) in places.into_iter().zip(values) {
        let letter = LETTERS.iter().find(|(flag, _)| *flag == id).map(|(_, letter)| *letter);
        let word = match letter {
            _ if POSITIONAL.contains(&id) => quoted(value),
            Some(letter) => format!("{letter} {}", quoted(value)),
            None => format!("--{id} {}", quoted(value)),
        };
        words.push((place, word));
    }
}

/// What is typed without a flag.
const POSITIONAL: [&str; 6] = ["scene", "listen", "host", "port", "protocols", "file"];

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut out = String::from("\"");
    for letter in word.chars() {
        if matches!(letter, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
    out
}
