//! A ledger file: reading it strictly, and printing it in its one form.

use core::fmt::Write;

use toml::{Table, Value};

use crate::fault::Fault;

/// What became of a requirement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Status {
    /// The code does it.
    Done,
    /// The code does not do it, for a written reason.
    Declined,
    /// It is the duty of the application or of the host around the engine.
    Caller,
    /// It will be done.
    Later,
}

impl Status {
    /// All of them, in the order of the summary.
    pub(crate) const ALL: [Self; 4] = [Self::Done, Self::Declined, Self::Caller, Self::Later];

    /// The word in the file.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Caller => "caller",
            Self::Later => "later",
        }
    }
}

/// One requirement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// Its label, such as `MUST-35`.
    pub id: String,
    /// The section that states it.
    pub section: String,
    /// Other sections that name it.
    pub also: Vec<String>,
    /// What it asks for, in our words.
    pub summary: String,
    /// What became of it.
    pub status: Status,
    /// `path` or `path#item`; empty while nobody knows.
    pub place: String,
    /// `path#function`, one for each test.
    pub test: Vec<String>,
    /// Why not, or why otherwise.
    pub reason: String,
    /// The line of the entry in its file.
    pub line: usize,
}

impl Entry {
    /// The kind of label: `MUST`, `SHLD`, `MAY`, `REC`.
    pub(crate) fn kind(&self) -> &str {
        self.id.split_once('-').map_or(self.id.as_str(), |(kind, _)| kind)
    }
}

/// The entries of one RFC.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ledger {
    /// The file.
    pub path: String,
    /// The comment at its top.
    pub header: String,
    /// The number of the RFC.
    pub rfc: u32,
    /// The title of the RFC.
    pub title: String,
    /// The requirements, in the order of the file.
    pub entries: Vec<Entry>,
}

impl Ledger {
    /// Reads a file.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, Fault> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            Fault::at(path, before.matches('\n').count() + 1, format!("not TOML: {}", e.message()))
        })?;
        only_known(path, 1, &table, &["rfc", "title", "label"])?;
        let rfc = table.get("rfc").and_then(Value::as_integer).and_then(|n| u32::try_from(n).ok());
        let rfc = rfc.ok_or_else(|| Fault::at(path, 1, "write `rfc = <number>`"))?;
        let starts: Vec<usize> =
            (1..).zip(text.lines()).filter(|(_, l)| *l == "[[label]]").map(|(n, _)| n).collect();
        let rows = table.get("label").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut entries = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let line = starts.get(at).copied().unwrap_or(1);
            let row = row.as_table().ok_or_else(|| Fault::at(path, line, "write each entry as [[label]]"))?;
            entries.push(entry(path, line, row)?);
        }
        let header =
            text.lines().take_while(|l| l.starts_with('#')).fold(String::new(), |all, l| all + l + "\n");
        let first = starts.first().copied().unwrap_or(usize::MAX);
        if let Some((n, _)) = (1..).zip(text.lines()).find(|(n, l)| *n > first && l.starts_with('#')) {
            return Err(Fault::at(path, n, "a comment between entries would be lost; write it as `reason`"));
        }
        Ok(Self { path: path.to_owned(), header, rfc, title: string(path, 1, &table, "title")?, entries })
    }

    /// The file in its one form.
    pub(crate) fn print(&self) -> String {
        let mut out = format!("{}\nrfc = {}\ntitle = {}\n", self.header, self.rfc, quoted(&self.title));
        for entry in &self.entries {
            out.push_str("\n[[label]]\n");
            let mut row = |key: &str, value: String| {
                writeln!(out, "{key} = {value}").expect("writing to a string cannot fail");
            };
            row("id", quoted(&entry.id));
            row("section", quoted(&entry.section));
            if !entry.also.is_empty() {
                row("also", list(&entry.also));
            }
            row("summary", quoted(&entry.summary));
            row("status", quoted(entry.status.word()));
            if entry.status == Status::Done || !entry.place.is_empty() {
                row("place", quoted(&entry.place));
            }
            if entry.status == Status::Done || !entry.test.is_empty() {
                row("test", list(&entry.test));
            }
            if !entry.reason.is_empty() {
                row("reason", quoted(&entry.reason));
            }
        }
        out
    }
}

fn entry(path: &str, line: usize, row: &Table) -> Result<Entry, Fault> {
    only_known(path, line, row, &["id", "section", "also", "summary", "status", "place", "test", "reason"])?;
    let word = string(path, line, row, "status")?;
    let status = Status::ALL.into_iter().find(|s| s.word() == word);
    let status = status.ok_or_else(|| {
        Fault::at(path, line, format!("status `{word}`: write done, declined, caller or later"))
    })?;
    Ok(Entry {
        id: string(path, line, row, "id")?,
        section: string(path, line, row, "section")?,
        also: strings(path, line, row, "also")?,
        summary: string(path, line, row, "summary")?,
        status,
        place: optional(row, "place"),
        test: strings(path, line, row, "test")?,
        reason: optional(row, "reason"),
        line,
    })
}

fn only_known(path: &str, line: usize, table: &Table, known: &[&str]) -> Result<(), Fault> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Fault::at(path, line, format!("unknown key `{key}`; known: {}", known.join(", ")))),
        None => Ok(()),
    }
}

fn string(path: &str, line: usize, table: &Table, key: &str) -> Result<String, Fault> {
    let value = table.get(key).and_then(Value::as_str).map(str::to_owned);
    value.ok_or_else(|| Fault::at(path, line, format!("write `{key} = \"...\"`")))
}

fn optional(table: &Table, key: &str) -> String {
    table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn strings(path: &str, line: usize, table: &Table, key: &str) -> Result<Vec<String>, Fault> {
    let Some(value) = table.get(key) else { return Ok(Vec::new()) };
    let words = value.as_array().and_then(|all| all.iter().map(|v| v.as_str().map(str::to_owned)).collect());
    words.ok_or_else(|| Fault::at(path, line, format!("write `{key} = [\"...\"]`")))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(words: &[String]) -> String {
    let one = format!("[{}]", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(", "));
    if one.len() <= 100 {
        return one;
    }
    words.iter().fold("[\n".to_owned(), |all, w| all + "    " + &quoted(w) + ",\n") + "]"
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# Head.

rfc = 1337
title = \"TIME-WAIT\"

[[label]]
id = \"MUST-1\"
section = \"3\"
summary = \"Say \\\"no\\\".\"
status = \"done\"
place = \"crates/x/src/lib.rs#f\"
test = [\"crates/x/src/lib.rs#a_row\"]
reason = \"r\"
";

    #[test]
    fn printing_what_was_read_gives_the_same_file() {
        assert_eq!(Ledger::parse("a.toml", FILE).map(|l| l.print()), Ok(FILE.to_owned()));
    }

    #[test]
    fn what_is_wrong_in_a_file_is_said_with_its_line() {
        for (from, to, line, word) in [
            ("status = \"done\"", "status = \"maybe\"", 6, "status `maybe`"),
            ("reason", "reasons", 6, "unknown key `reasons`"),
            ("rfc = 1337", "rfc = -1", 1, "write `rfc"),
            ("section = \"3\"", "section = 3", 6, "write `section"),
            ("test = [\"", "test = \"x\" # [\"", 6, "write `test"),
            ("summary = ", "summary ", 9, "not TOML"),
            ("status", "# lost\nstatus", 10, "would be lost"),
        ] {
            let fault = Ledger::parse("a.toml", &FILE.replacen(from, to, 1)).expect_err(from);
            assert_eq!(fault.line, line, "{fault}");
            assert!(fault.advice.contains(word), "{fault}");
        }
    }
}
