//! What the process was given: words, variables, terminals. Read once, at the start.

use std::env;
use std::io::IsTerminal;

/// What the process was given.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// The command line without the program's name.
    pub(crate) words: Vec<String>,
    /// The first word that is not Unicode, if there is one.
    pub(crate) not_unicode: Option<String>,
    /// Whether somebody types.
    pub(crate) stdin_is_terminal: bool,
    /// Whether somebody reads the result as it comes.
    pub(crate) stdout_is_terminal: bool,
    /// Whether somebody reads the errors as they come.
    pub(crate) stderr_is_terminal: bool,
    /// How large that terminal is: columns and rows.
    pub(crate) size: Option<(usize, usize)>,
}

impl Environment {
    /// Reads it.
    pub(crate) fn from_process() -> Self {
        let mut words = Vec::new();
        let mut not_unicode = None;
        for word in env::args_os().skip(1) {
            match word.into_string() {
                Ok(word) => words.push(word),
                Err(word) => {
                    not_unicode.get_or_insert_with(|| word.to_string_lossy().into_owned());
                }
            }
        }
        let size = terminal_size::terminal_size()
            .map(|(columns, rows)| (usize::from(columns.0), usize::from(rows.0)));
        Self {
            words,
            not_unicode,
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            size,
        }
    }

    /// A variable that is set to something.
    pub(crate) fn variable(name: &str) -> Option<String> {
        env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// The value of a flag, looked for before the command line is understood: for what decides in
    /// which language and shape its errors are told.
    pub(crate) fn early_flag(&self, name: &str) -> Option<&str> {
        let mut words = self.words.iter().take_while(|word| *word != "--");
        while let Some(word) = words.next() {
            let Some(rest) = word.strip_prefix("--").and_then(|rest| rest.strip_prefix(name)) else {
                continue;
            };
            if rest.is_empty() {
                return words.next().map(String::as_str);
            }
            if let Some(value) = rest.strip_prefix('=') {
                return Some(value);
            }
        }
        None
    }

    /// Whether what is printed may contain more than ASCII: a locale says otherwise only if it
    /// names an encoding that is not UTF-8, or none at all (`C`, `POSIX`). Without any locale, and
    /// on systems that have none, terminals of today do UTF-8.
    pub(crate) fn speaks_utf8() -> bool {
        if cfg!(windows) {
            return true;
        }
        let Some(locale) = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(Self::variable) else {
            return true;
        };
        let upper = locale.to_ascii_uppercase();
        upper.contains("UTF-8") || upper.contains("UTF8")
    }
}
