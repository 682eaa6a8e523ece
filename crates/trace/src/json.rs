//! JSON Lines: the recording that loses nothing, and what `--view json` prints.
//!
//! One object a line. The first has `"v":1,"type":"start"` and the recipe, the last is the only
//! `end` or `error`; between them `flow`, `segment`, `channel`, `state`, `timer`, `note`, `app` and
//! `finding`. Times are integer nanoseconds, octets are hexadecimal, names are English.
//! `docs/schema/trace-v1.json` is the schema. What a newer writer adds to a line is ignored.
//!
//! A reader says which line is wrong and what is wrong with it, and gives what came before.

pub mod diff;
mod read;
mod write;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::net::SocketAddr;

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::SackBlock;
use serde_json::{Map, Value};

use crate::packet::Octets;
use crate::record::Number;

pub use write::{ending_line, record_line, record_line_with, start_line};

/// The version that is written, and the only one that is read.
pub const VERSION: u64 = 1;

/// A line longer than this is not read.
pub const MAX_LINE_OCTETS: usize = 16 << 20;

/// What is wrong with a recording, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: Fault,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl core::error::Error for Error {}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It is not JSON.
    NotJson {
        /// Where in the line, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// It is JSON, but not an object.
    NotAnObject,
    /// It is longer than [`MAX_LINE_OCTETS`].
    TooLong {
        /// How long.
        octets: usize,
    },
    /// A field is missing.
    Missing {
        /// Its name.
        key: &'static str,
    },
    /// A field has a value that it cannot have.
    Wrong {
        /// Its name.
        key: &'static str,
    },
    /// The recording is of a version that this program does not know.
    Version {
        /// Which.
        found: u64,
    },
    /// The first line does not start a recording.
    NoStart,
    /// Another start.
    SecondStart,
    /// Something after the end.
    AfterEnd,
    /// There is no such type of line.
    UnknownType {
        /// The type.
        found: String,
    },
    /// There is no such code.
    UnknownCode {
        /// The field in which it stands.
        key: &'static str,
        /// The code.
        found: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { column, what } => write!(f, "not JSON at column {column}: {what}"),
            Self::NotAnObject => f.write_str("not an object"),
            Self::TooLong { octets } => {
                write!(f, "{octets} octets long, more than {MAX_LINE_OCTETS}")
            }
            Self::Missing { key } => write!(f, "\"{key}\" is missing"),
            Self::Wrong { key } => write!(f, "\"{key}\" has a value that it cannot have"),
            Self::Version { found } => write!(f, "version {found}, and only {VERSION} is known"),
            Self::NoStart => f.write_str("does not start a recording (\"type\":\"start\")"),
            Self::SecondStart => f.write_str("a second start"),
            Self::AfterEnd => f.write_str("comes after the end"),
            Self::UnknownType { found } => write!(f, "unknown type \"{}\"", found.escape_debug()),
            Self::UnknownCode { key, found } => {
                write!(f, "unknown code \"{}\" in \"{key}\"", found.escape_debug())
            }
        }
    }
}

/// The numbers of an enum with codes, to and from the fields of an object.
pub(crate) trait Codec: Sized {
    /// Adds the numbers.
    fn put(&self, out: &mut Object);
    /// The variant with this code; none if there is no such code.
    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault>;
}

/// A value of a field.
pub(crate) trait Field: Sized {
    /// Writes it as JSON.
    fn write(&self, out: &mut String);
    /// Reads it.
    fn read(value: &Value) -> Option<Self>;
    /// What a missing field means, if it may be missing.
    fn missing() -> Option<Self> {
        None
    }
    /// Whether the field is left out.
    fn is_left_out(&self) -> bool {
        false
    }
}

/// An object that is being written; fields stay in the order in which they are put.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(crate) fn with_code(code: &str) -> Self {
        let mut object = Self::new();
        object.text("code", code);
        object
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        write_text(key, &mut self.0);
        self.0.push(':');
    }

    pub(crate) fn field<T: Field>(&mut self, key: &str, value: &T) {
        if !value.is_left_out() {
            self.key(key);
            value.write(&mut self.0);
        }
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_text(text, &mut self.0);
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.push_str(json);
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// The fields of an object that is being read.
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) const fn new(map: &'a Map<String, Value>) -> Self {
        Self(map)
    }

    pub(crate) fn get<T: Field>(&self, key: &'static str) -> Result<T, Fault> {
        match self.0.get(key) {
            Some(value) => T::read(value).ok_or(Fault::Wrong { key }),
            None => T::missing().ok_or(Fault::Missing { key }),
        }
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<&'a str, Fault> {
        self.0.get(key).ok_or(Fault::Missing { key })?.as_str().ok_or(Fault::Wrong { key })
    }

    pub(crate) fn object(&self, key: &'static str) -> Result<Fields<'a>, Fault> {
        let value = self.0.get(key).ok_or(Fault::Missing { key })?;
        value.as_object().map(Fields::new).ok_or(Fault::Wrong { key })
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The variant whose code stands in this field, its numbers beside it.
    pub(crate) fn coded<T: Codec>(&self, key: &'static str) -> Result<T, Fault> {
        let code = self.text(key)?;
        T::take(code, self)?.ok_or_else(|| Fault::UnknownCode { key, found: code.to_string() })
    }
}

/// Writes a string with its quotes, escaped.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // The rest of the controls must be escaped (RFC 8259 §7); DEL, the C1 controls and the
            // line separators may, and are, because a terminal or a page might obey them.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

macro_rules! unsigned_fields {
    ($($type:ty),*) => { $(
        impl Field for $type {
            fn write(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }

            fn read(value: &Value) -> Option<Self> {
                Self::try_from(value.as_u64()?).ok()
            }
        }
    )* };
}

unsigned_fields!(u8, u16, u32, u64, usize);

impl Field for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Field for String {
    fn write(&self, out: &mut String) {
        write_text(self, out);
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(ToString::to_string)
    }
}

impl Field for Duration {
    fn write(&self, out: &mut String) {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX).write(out);
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_u64().map(Self::from_nanos)
    }
}

impl Field for Instant {
    fn write(&self, out: &mut String) {
        self.as_nanos().write(out);
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_u64().map(Self::from_nanos)
    }
}

impl Field for SeqNumber {
    fn write(&self, out: &mut String) {
        self.value().write(out);
    }

    fn read(value: &Value) -> Option<Self> {
        u32::read(value).map(Self::new)
    }
}

impl Field for Number {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }

    fn read(value: &Value) -> Option<Self> {
        u32::read(value).filter(|number| *number > 0).map(Self)
    }
}

impl Field for SocketAddr {
    fn write(&self, out: &mut String) {
        write_text(&format!("{self}"), out);
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}

impl Field for SackBlock {
    fn write(&self, out: &mut String) {
        let _ = write!(out, "[{},{}]", self.start.value(), self.end.value());
    }

    fn read(value: &Value) -> Option<Self> {
        let (start, end) = read_pair(value)?;
        Some(Self { start: SeqNumber::new(start), end: SeqNumber::new(end) })
    }
}

impl Field for Octets {
    fn write(&self, out: &mut String) {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let digit = |value: u8| char::from(DIGITS[usize::from(value & 0x0f)]);
        out.reserve(self.len() * 2 + 2);
        out.push('"');
        for octet in self.iter() {
            out.push(digit(octet >> 4));
            out.push(digit(*octet));
        }
        out.push('"');
    }

    fn read(value: &Value) -> Option<Self> {
        read_hex(value.as_str()?).map(|octets| Self::copy(&octets))
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }

    fn missing() -> Option<Self> {
        Some(None)
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

impl<T: Field> Field for Vec<T> {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (place, value) in self.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            value.write(out);
        }
        out.push(']');
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }
}

/// An array of two numbers.
pub(crate) fn read_pair<T: Field>(value: &Value) -> Option<(T, T)> {
    let [one, other] = value.as_array()?.as_slice() else { return None };
    Some((T::read(one)?, T::read(other)?))
}

/// Two hexadecimal digits for each octet.
pub(crate) fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests;
