//! How things look by default: `APERTO_*` variables and `aperto.toml`, in this order.
//!
//! A flag goes before a variable, a variable before `./aperto.toml`, that before the user's
//! `config.toml`. Only looks are here (language, view, colours): what an experiment does stands on
//! the command line alone, so that a preference cannot change a result.

use std::path::PathBuf;

use aperto_explain::Language;
use aperto_explain::program::{BadConfig, Fault};
use toml::{Table, Value};

use crate::arguments::flags::{COLORS, NUMBERS, REASONS, TIMES, VIEWS};
use crate::environment::Environment;

/// What may be set, each key also as `APERTO_KEY`.
const KEYS: [&str; 9] = ["lang", "view", "seq", "time", "why", "width", "color", "ascii", "pager"];

/// What is set, the strongest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    layers: Vec<(String, Table)>,
}

impl Settings {
    /// Reads the files that exist. A file that cannot be understood is a fault.
    pub(crate) fn read() -> Result<Self, Fault> {
        let mut settings = Self::default();
        for path in places() {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            settings.add(path.display().to_string(), &text)?;
        }
        Ok(settings)
    }

    fn add(&mut self, file: String, text: &str) -> Result<(), Fault> {
        let fault =
            |line, key: &str, why| Fault::BadConfig { file: file.clone(), line, key: key.into(), why };
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            fault(line_at(text, at), "", BadConfig::Syntax)
        })?;
        for (key, value) in &table {
            let line = line_of_key(text, key);
            if !KEYS.contains(&key.as_str()) {
                return Err(fault(line, key, BadConfig::UnknownKey));
            }
            if !is_possible(key, &shown(value)) {
                return Err(fault(line, key, BadConfig::BadValue));
            }
        }
        self.layers.push((file, table));
        Ok(())
    }

    /// What a key is set to: by its variable, else by the first file that says.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        let variable = format!("APERTO_{}", key.to_ascii_uppercase());
        if let Some(value) = Environment::variable(&variable).filter(|value| is_possible(key, value)) {
            return Some(value);
        }
        self.layers.iter().find_map(|(_, table)| table.get(key)).map(shown)
    }
}

/// Where settings may stand, the strongest first.
fn places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("aperto.toml")];
    places.extend(home().map(|home| home.join("aperto").join("config.toml")));
    places
}

/// Where the system keeps what belongs to this user's programs.
pub(crate) fn home() -> Option<PathBuf> {
    if cfg!(windows) {
        return Environment::variable("APPDATA").map(PathBuf::from);
    }
    Environment::variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Environment::variable("HOME").map(|home| PathBuf::from(home).join(".config")))
}

fn is_possible(key: &str, value: &str) -> bool {
    match key {
        "lang" => Language::parse(value).is_some(),
        "view" => VIEWS.contains(&value),
        "seq" => NUMBERS.contains(&value),
        "time" => TIMES.contains(&value),
        "why" => REASONS.contains(&value),
        "color" => COLORS.contains(&value),
        "width" => value.parse::<usize>().is_ok_and(|width| (20..=1_000).contains(&width)),
        _ => matches!(value, "true" | "false"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        // No setting is of another kind.
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => String::new(),
    }
}

fn line_at(text: &str, octet: usize) -> usize {
    text.bytes().take(octet).filter(|byte| *byte == b'\n').count() + 1
}

fn line_of_key(text: &str, key: &str) -> usize {
    let found = text.lines().position(|line| line.trim_start().trim_start_matches('[').starts_with(key));
    found.map_or(1, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_none_is_named_with_its_line() {
        let mut settings = Settings::default();
        assert_eq!(settings.add("a.toml".into(), "lang = \"pt-BR\"\nascii = true\nwidth = 100\n"), Ok(()));
        assert_eq!(settings.layers[0].1.get("width").map(shown).as_deref(), Some("100"));
        let fault = |text: &str| match Settings::default().add("a.toml".into(), text) {
            Err(Fault::BadConfig { line, key, why, .. }) => (line, key, why),
            other => panic!("{other:?}"),
        };
        assert_eq!(fault("view = \"lines\"\nloss = \"5%\"\n"), (2, "loss".into(), BadConfig::UnknownKey));
        assert_eq!(fault("\ncolor = \"green\"\n"), (2, "color".into(), BadConfig::BadValue));
        assert_eq!(fault("a = 1\nb = \n").0, 2);
    }
}
