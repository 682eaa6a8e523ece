//! Lines with colours that may be left out.
//!
//! The colours follow Okabe and Ito's palette for colour-blind readers: client `#0072B2`, server
//! `#D55E00`, loss `#CC79A7`, resent `#E69F00`. On a terminal its own 16 colours stand for them, blue
//! and yellow but never red against green; every colour repeats a word that stands there anyway.

use alloc::string::String;
use alloc::vec::Vec;

use crate::wording::width;

/// What a colour stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hue {
    /// From the client.
    Client,
    /// From the server.
    Server,
    /// Lost or damaged.
    Loss,
    /// Sent again.
    Resent,
    /// Timers, and what is said aside.
    Aside,
}

impl Hue {
    /// The colour of the palette, for pages.
    #[must_use]
    pub const fn rgb(self) -> &'static str {
        match self {
            Self::Client => "#0072B2",
            Self::Server => "#D55E00",
            Self::Loss => "#CC79A7",
            Self::Resent => "#E69F00",
            Self::Aside => "#767676",
        }
    }

    /// The terminal's own colour, as the parameter of a CSI `m` sequence.
    #[must_use]
    pub const fn ansi(self) -> u8 {
        match self {
            Self::Client => 34,
            Self::Server => 33,
            Self::Loss => 35,
            Self::Resent => 93,
            Self::Aside => 90,
        }
    }
}

/// A part of a line in one colour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// The colour; none is the terminal's own.
    pub hue: Option<Hue>,
    /// The text.
    pub text: String,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// Its parts.
    pub spans: Vec<Span>,
}

impl Line {
    /// A line without colour.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        let mut line = Self::default();
        line.push(None, text);
        line
    }

    /// A line in one colour.
    #[must_use]
    pub fn painted(hue: Hue, text: impl Into<String>) -> Self {
        let mut line = Self::default();
        line.push(Some(hue), text);
        line
    }

    /// Adds a part.
    pub fn push(&mut self, hue: Option<Hue>, text: impl Into<String>) {
        self.spans.push(Span { hue, text: text.into() });
    }

    /// How many columns it takes.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.spans.iter().map(|span| width(&span.text)).sum()
    }

    /// Adds spaces until it ends at a column.
    pub fn pad(&mut self, column: usize) {
        let missing = column.saturating_sub(self.columns());
        if missing > 0 {
            self.push(None, " ".repeat(missing));
        }
    }

    /// Takes away the spaces at its end.
    pub(super) fn trim(&mut self) {
        while let Some(last) = self.spans.last_mut() {
            let kept = last.text.trim_end_matches(' ').len();
            last.text.truncate(kept);
            if !last.text.is_empty() {
                break;
            }
            self.spans.pop();
        }
    }

    /// Takes away what is beyond a column, of a line in ASCII.
    pub(super) fn truncate(&mut self, columns: usize) {
        let mut room = columns;
        for span in &mut self.spans {
            span.text.truncate(room.min(span.text.len()));
            room -= span.text.len();
        }
    }

    /// The text alone.
    #[must_use]
    pub fn plain(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// The text with the terminal's 16 colours.
    #[must_use]
    pub fn ansi(&self) -> String {
        use core::fmt::Write as _;
        let mut out = String::new();
        for span in &self.spans {
            match span.hue {
                None => out.push_str(&span.text),
                Some(hue) => {
                    let _ = write!(out, "\u{1b}[{}m{}\u{1b}[0m", hue.ansi(), span.text);
                }
            }
        }
        out
    }
}
