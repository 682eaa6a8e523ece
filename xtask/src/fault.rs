//! What a check found: a place, and what to do there.

use std::fmt;

/// One fault, printed as `file:line: what to do`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Fault {
    /// The file, from the root of the tree.
    pub path: String,
    /// The line, counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong and what to do.
    pub advice: String,
}

impl Fault {
    /// A fault at a line of a file.
    pub(crate) fn at(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, advice: advice.into() }
    }

    /// A fault of a whole file.
    pub(crate) fn of(path: &str, advice: impl Into<String>) -> Self {
        Self::at(path, 0, advice)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.advice),
            line => write!(f, "{}:{line}: {}", self.path, self.advice),
        }
    }
}

/// The end of a command: what it wants to say, what is wrong, and one line that sums up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    /// Lines printed first.
    pub lines: Vec<String>,
    /// The faults, in the order of files and lines.
    pub faults: Vec<Fault>,
    /// The last line.
    pub summary: String,
}
