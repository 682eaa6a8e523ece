//! Where two records differ, field by field, for whoever runs a recording again.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::{record_line, start_line};
use crate::header::TraceHeader;
use crate::record::Record;

/// What says which record it is, whether it differs or not.
const NAMES: [&str; 5] = ["type", "event", "call", "number", "t_ns"];
/// How many fields are told at most, and how many letters of each.
const FIELDS: usize = 8;
const LETTERS: usize = 32;

/// Two headers as `name value, name value`: the fields in which they differ; none if they are of the
/// same run. Who recorded it, with which version and which words (recipe), is not part of a run.
#[must_use]
pub fn headers(one: &TraceHeader, other: &TraceHeader) -> Option<(String, String)> {
    let run = |header: &TraceHeader| {
        let (version, command) = (String::new(), String::new());
        parsed(&start_line(&TraceHeader { version, command, tag: None, recipe: None, ..header.clone() }))
    };
    let (one, other) = (run(one), run(other));
    let mut keys: Vec<&String> =
        one.keys().chain(other.keys()).filter(|key| one.get(*key) != other.get(*key)).collect();
    keys.sort();
    keys.dedup();
    keys.truncate(FIELDS);
    (!keys.is_empty()).then(|| (line(&one, &keys), line(&other, &keys)))
}

/// Two records as `name value, name value`: what names them, and the fields in which they differ.
#[must_use]
pub fn differences(one: &Record, other: &Record) -> (String, String) {
    let (one, other) = (fields(one), fields(other));
    let mut keys: Vec<&String> = NAMES.iter().filter_map(|name| key(&one, &other, name)).collect();
    let differs = |key: &&String| one.get(*key) != other.get(*key);
    keys.extend(one.keys().chain(other.keys()).filter(differs));
    let mut told: Vec<&String> = Vec::new();
    for key in keys {
        if !told.contains(&key) && told.len() < FIELDS {
            told.push(key);
        }
    }
    (line(&one, &told), line(&other, &told))
}

/// One record as `name value, name value`: what names it.
#[must_use]
pub fn name(record: &Record) -> String {
    let fields = fields(record);
    let keys: Vec<&String> = NAMES.iter().filter_map(|name| key(&fields, &fields, name)).collect();
    line(&fields, &keys)
}

fn key<'a>(one: &'a Map<String, Value>, other: &'a Map<String, Value>, name: &str) -> Option<&'a String> {
    one.get_key_value(name).or_else(|| other.get_key_value(name)).map(|(key, _)| key)
}

fn fields(record: &Record) -> Map<String, Value> {
    parsed(&record_line(record))
}

fn parsed(line: &str) -> Map<String, Value> {
    // What was just written can be read.
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => flat(fields),
        _ => Map::new(),
    }
}

/// The fields with those of objects inside them as `link.delay_up_ns`: so deep do our lines go.
fn flat(fields: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in fields {
        match value {
            Value::Object(inner) => {
                all.extend(inner.into_iter().map(|(below, value)| (format!("{name}.{below}"), value)));
            }
            other => drop(all.insert(name, other)),
        }
    }
    all
}

fn line(fields: &Map<String, Value>, keys: &[&String]) -> String {
    let mut line = String::new();
    for key in keys {
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(key);
        line.push(' ');
        let value = match fields.get(*key) {
            None => "-".to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        line.extend(value.chars().filter(|letter| !letter.is_control()).take(LETTERS));
        if value.chars().count() > LETTERS {
            line.push('…');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use aperto_time::Instant;

    use super::*;
    use crate::record::{Call, Fact, Vantage};
    use crate::{HostId, Octets};

    fn send(at: u64, octets: &[u8]) -> Record {
        let length = u32::try_from(octets.len()).unwrap();
        Record {
            at: Instant::from_nanos(at),
            vantage: Vantage::host(HostId(0)),
            flow: None,
            fact: Fact::Call(Call::Send { offset: 0, length, octets: Octets::copy(octets) }),
        }
    }

    #[test]
    fn what_names_a_record_is_told_and_then_only_what_differs() {
        let (one, other) = differences(&send(7, b"abc"), &send(7, b"abd"));
        assert_eq!(one, "type app, call send, t_ns 7, octets 616263, text abc");
        assert_eq!(other, "type app, call send, t_ns 7, octets 616264, text abd");
        let (one, other) = differences(&send(7, b""), &send(8, b""));
        assert_eq!(
            (one.as_str(), other.as_str()),
            ("type app, call send, t_ns 7", "type app, call send, t_ns 8")
        );
        assert_eq!(name(&send(9, b"x")), "type app, call send, t_ns 9");
    }

    #[test]
    fn headers_of_one_run_may_have_other_tags() {
        let one = TraceHeader { seed: Some(1), version: "0.1.0".to_string(), ..TraceHeader::default() };
        let mut other =
            TraceHeader { tag: Some("x".to_string()), version: "0.2.0".to_string(), ..one.clone() };
        assert_eq!(headers(&one, &other), None);
        other.seed = Some(2);
        assert_eq!(headers(&one, &other), Some(("seed 1".to_string(), "seed 2".to_string())));
    }

    #[test]
    fn a_long_value_is_cut() {
        let (one, _) = differences(&send(7, &[0x61; 100]), &send(7, b"x"));
        assert!(one.chars().count() < 140, "{one}");
        assert!(one.contains('…'));
    }
}
