//! Picks: what happens to exactly this segment.
//!
//! `4` is the segment numbered 4 in the ladder (order of departure), `5-7` several, `data:3` the
//! third data segment, `syn` the first SYN. A kind counts first transmissions only, so a segment
//! that was dropped gets through when it is sent again. Where a text numbers its packets from 0
//! ([`Counting::FromZero`]), `data:2` is the packet with the number 2.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{Direction, Kind, Meta, Role};
use crate::quantity::{AsWritten, QuantityError, parse_duration};

/// What happens to a segment that was picked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// The channel loses it.
    Drop,
    /// The channel damages it.
    Corrupt,
    /// The channel delivers it twice.
    Duplicate,
    /// The channel holds it back for this long.
    Delay(Duration),
}

impl Action {
    /// The flag of the command line that asks for it: `--drop`.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Drop => "--drop",
            Self::Corrupt => "--corrupt",
            Self::Duplicate => "--dup",
            Self::Delay(_) => "--delay",
        }
    }
}

/// Which segments are picked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Selector {
    /// Those with these numbers in the ladder, both included.
    Number {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// Those of a kind, by their place among the first transmissions of it, both included.
    Kind {
        /// The kind.
        kind: Kind,
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
}

/// One pick: what happens to which segments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pick {
    /// What happens.
    pub action: Action,
    /// Only in this direction, if said.
    pub direction: Option<Direction>,
    /// To which.
    pub selector: Selector,
}

impl Pick {
    /// Whether it picks this segment.
    #[must_use]
    pub fn picks(&self, direction: Direction, meta: &Meta) -> bool {
        if self.direction.is_some_and(|only| only != direction) {
            return false;
        }
        match self.selector {
            Selector::Number { first, last } => (first..=last).contains(&meta.number),
            Selector::Kind { kind, first, last } => meta.roles().any(|role: Role| {
                role.kind == kind && role.ordinal.is_some_and(|ordinal| (first..=last).contains(&ordinal))
            }),
        }
    }
}

impl fmt::Display for Pick {
    /// As it was written behind its flag: `4`, `up:data:3`, `data:2=300ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(direction) = self.direction {
            write!(f, "{direction}:")?;
        }
        let (first, last) = match self.selector {
            Selector::Number { first, last } => (first, last),
            Selector::Kind { kind, first, last } => {
                f.write_str(kind.name())?;
                if kind.needs_no_number() && (first, last) == (1, 1) {
                    return self.write_delay(f);
                }
                f.write_str(":")?;
                (first, last)
            }
        };
        write!(f, "{first}")?;
        if last != first {
            write!(f, "-{last}")?;
        }
        self.write_delay(f)
    }
}

impl Pick {
    fn write_delay(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.action {
            Action::Delay(by) => write!(f, "={}", AsWritten(by)),
            Action::Drop | Action::Corrupt | Action::Duplicate => Ok(()),
        }
    }
}

/// From which number a kind counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Counting {
    /// The first is 1: TCP segments, which have no number of their own.
    #[default]
    FromOne,
    /// The first is 0: packets of the textbook protocols, whose own numbers start there.
    FromZero,
}

/// All picks of a run.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Picks {
    picks: Vec<Pick>,
}

/// What the picks make of one segment; the first pick of each action counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// It is dropped.
    pub dropped: Option<Pick>,
    /// It is damaged.
    pub corrupted: Option<Pick>,
    /// It is duplicated.
    pub duplicated: Option<Pick>,
    /// It is held back.
    pub delayed: Option<(Pick, Duration)>,
}

impl Picks {
    /// No pick.
    #[must_use]
    pub const fn new() -> Self {
        Self { picks: Vec::new() }
    }

    /// Adds one.
    pub fn push(&mut self, pick: Pick) {
        self.picks.push(pick);
    }

    /// Adds those of another list.
    pub fn extend(&mut self, other: &Self) {
        self.picks.extend_from_slice(&other.picks);
    }

    /// Takes one away; says whether it was there.
    pub fn remove(&mut self, pick: &Pick) -> bool {
        let place = self.picks.iter().position(|one| one == pick);
        place.map(|place| self.picks.remove(place)).is_some()
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Pick> {
        self.picks.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// What they make of a segment.
    #[must_use]
    pub fn judge(&self, direction: Direction, meta: &Meta) -> Verdict {
        let mut verdict = Verdict::default();
        for pick in self.picks.iter().filter(|pick| pick.picks(direction, meta)) {
            match pick.action {
                Action::Drop => verdict.dropped = verdict.dropped.or(Some(*pick)),
                Action::Corrupt => verdict.corrupted = verdict.corrupted.or(Some(*pick)),
                Action::Duplicate => verdict.duplicated = verdict.duplicated.or(Some(*pick)),
                Action::Delay(by) => verdict.delayed = verdict.delayed.or(Some((*pick, by))),
            }
        }
        verdict
    }

    /// Reads what stands behind `--drop`, `--corrupt` or `--dup`: `4`, `2,5-7`, `data:3`, `syn`.
    ///
    /// # Errors
    ///
    /// What is wrong, and where. With [`Action::Delay`], each item still brings its own time.
    pub fn parse(action: Action, text: &str) -> Result<Self, PickError> {
        let mut picks = Self::new();
        let mut at = 0;
        for item in text.split(',') {
            picks.push(parse_item(action, item).map_err(|error| error.moved_by(at))?);
            at += item.len() + 1;
        }
        Ok(picks)
    }

    /// Reads what stands behind `--delay` where it is about single segments: `data:2=300ms`.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse_delays(text: &str) -> Result<Self, PickError> {
        Self::parse(Action::Delay(Duration::ZERO), text)
    }

    /// Whether a text behind `--delay` or `--corrupt` or `--dup` is about single segments at all,
    /// rather than a time or a share for all of them.
    #[must_use]
    pub fn looks_like_picks(text: &str) -> bool {
        let first = text.split([',', '=']).next().unwrap_or_default();
        let first = split_direction(first).1;
        let name = first.split(':').next().unwrap_or_default();
        text.contains('=') || Kind::from_name(name).is_some() || is_numbers(first)
    }

    /// Whether there is a number 0 where the first is 1: nothing would ever match it.
    #[must_use]
    pub fn matches_nothing(&self, counting: Counting) -> Option<Pick> {
        self.picks.iter().copied().find(|pick| match pick.selector {
            Selector::Number { last, .. } => last == 0,
            Selector::Kind { kind, last, .. } => {
                last == 0 && !(counting == Counting::FromZero && kind == Kind::Data)
            }
        })
    }
}

/// Whether a text is `4` or `5-7`.
fn is_numbers(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '-') && !text.starts_with('-')
}

/// Why a text is not a pick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PickError {
    /// What is wrong.
    pub what: PickFault,
    /// At which octet of the text, counted from 0.
    pub at: usize,
}

impl PickError {
    const fn moved_by(self, octets: usize) -> Self {
        Self { what: self.what, at: self.at + octets }
    }
}

/// What is wrong with a pick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PickFault {
    /// There is nothing between two commas, or at all.
    Empty,
    /// Neither a number nor a kind of segment.
    UnknownKind,
    /// What should be a number is none.
    NotANumber,
    /// The number is larger than any segment's.
    TooLarge,
    /// Segments are counted from 1.
    NumberZero,
    /// A range that ends before it starts.
    Backwards {
        /// Its start.
        first: u64,
        /// Its end.
        last: u64,
    },
    /// `--delay` of a segment without `=` and a time.
    MissingDelay,
    /// `=` where no time belongs.
    UnexpectedDelay,
    /// The time behind `=` is wrong.
    Delay(QuantityError),
}

impl fmt::Display for PickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            PickFault::Empty => f.write_str("nothing is picked"),
            PickFault::UnknownKind => {
                f.write_str("neither a number nor one of syn, synack, ack, data, fin, rst, nack, probe")
            }
            PickFault::NotANumber => f.write_str("not a number"),
            PickFault::TooLarge => f.write_str("too large a number"),
            PickFault::NumberZero => f.write_str("segments are counted from 1"),
            PickFault::Backwards { first, last } => write!(f, "{first}-{last} runs backwards"),
            PickFault::MissingDelay => f.write_str("no time, expected one such as data:2=300ms"),
            PickFault::UnexpectedDelay => f.write_str("a time belongs to --delay only"),
            PickFault::Delay(error) => return write!(f, "{error}, in the time of a pick"),
        }?;
        write!(f, " at octet {}", self.at)
    }
}

impl core::error::Error for PickError {}

/// `up:` or `down:` at the start, and what follows.
fn split_direction(text: &str) -> (Option<Direction>, &str) {
    Direction::ALL
        .into_iter()
        .find_map(|direction| {
            let rest = text.strip_prefix(direction.name())?.strip_prefix(':')?;
            Some((Some(direction), rest))
        })
        .unwrap_or((None, text))
}

fn parse_item(action: Action, item: &str) -> Result<Pick, PickError> {
    let fault = |what, at| Err(PickError { what, at });
    let (selector_text, delay_text) = match item.split_once('=') {
        Some((selector, delay)) => (selector, Some(delay)),
        None => (item, None),
    };
    if selector_text.is_empty() {
        return fault(PickFault::Empty, 0);
    }
    let (direction, selected) = split_direction(selector_text);
    let skipped = selector_text.len() - selected.len();
    let selector = parse_selector(selected).map_err(|error| error.moved_by(skipped))?;
    let action = match (action, delay_text) {
        (Action::Delay(_), Some(text)) => {
            let by = parse_duration(text).map_err(|error| PickError {
                what: PickFault::Delay(error),
                at: selector_text.len() + 1 + error.at,
            })?;
            Action::Delay(by)
        }
        (Action::Delay(_), None) => return fault(PickFault::MissingDelay, item.len()),
        (Action::Drop | Action::Corrupt | Action::Duplicate, Some(_)) => {
            return fault(PickFault::UnexpectedDelay, selector_text.len());
        }
        (action @ (Action::Drop | Action::Corrupt | Action::Duplicate), None) => action,
    };
    Ok(Pick { action, direction, selector })
}

fn parse_selector(text: &str) -> Result<Selector, PickError> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let (first, last) = parse_range(text)?;
        if first == 0 {
            return Err(PickError { what: PickFault::NumberZero, at: 0 });
        }
        return Ok(Selector::Number { first, last });
    }
    let (name, numbers) = match text.split_once(':') {
        Some((name, numbers)) => (name, Some(numbers)),
        None => (text, None),
    };
    let Some(kind) = Kind::from_name(name) else {
        let what = if text.is_empty() { PickFault::Empty } else { PickFault::UnknownKind };
        return Err(PickError { what, at: 0 });
    };
    let (first, last) = match numbers {
        None => (1, 1),
        Some(numbers) => parse_range(numbers).map_err(|error| error.moved_by(name.len() + 1))?,
    };
    if first == 0 && kind != Kind::Data {
        return Err(PickError { what: PickFault::NumberZero, at: name.len() + 1 });
    }
    Ok(Selector::Kind { kind, first, last })
}

/// `4` or `5-7`.
fn parse_range(text: &str) -> Result<(u64, u64), PickError> {
    let number = |text: &str, at| {
        if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(PickError { what: PickFault::NotANumber, at });
        }
        text.parse().map_err(|_| PickError { what: PickFault::TooLarge, at })
    };
    let Some((first_text, last_text)) = text.split_once('-') else {
        let only = number(text, 0)?;
        return Ok((only, only));
    };
    let (first, last) = (number(first_text, 0)?, number(last_text, first_text.len() + 1)?);
    if last < first {
        return Err(PickError { what: PickFault::Backwards { first, last }, at: 0 });
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn written(picks: &Picks) -> String {
        let items: Vec<String> = picks.iter().map(ToString::to_string).collect();
        items.join(",")
    }

    fn fault(text: &str) -> (PickFault, usize) {
        let error = Picks::parse(Action::Drop, text).expect_err("it should have been refused");
        (error.what, error.at)
    }

    #[test]
    fn what_the_manual_shows_is_read_and_written_again() {
        for text in
            ["4", "2,5-7", "data:3", "syn", "synack", "ack:2", "fin", "up:data:3-4", "down:2,rst", "data:0"]
        {
            assert_eq!(written(&Picks::parse(Action::Drop, text).unwrap()), text);
        }
        assert_eq!(written(&Picks::parse(Action::Drop, "syn:1").unwrap()), "syn");
        assert_eq!(written(&Picks::parse(Action::Drop, "data").unwrap()), "data:1");
        for text in ["data:2=300ms", "4=1.5s,fin=20us"] {
            assert_eq!(written(&Picks::parse_delays(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_pick_is_refused_where_it_goes_wrong() {
        assert_eq!(fault(""), (PickFault::Empty, 0));
        assert_eq!(fault("4,,5"), (PickFault::Empty, 2));
        assert_eq!(fault("4,dta:3"), (PickFault::UnknownKind, 2));
        assert_eq!(fault("data:x"), (PickFault::NotANumber, 5));
        assert_eq!(fault("7-5"), (PickFault::Backwards { first: 7, last: 5 }, 0));
        assert_eq!(fault("0"), (PickFault::NumberZero, 0));
        assert_eq!(fault("syn:0"), (PickFault::NumberZero, 4));
        assert_eq!(fault("4-"), (PickFault::NotANumber, 2));
        assert_eq!(fault("99999999999999999999"), (PickFault::TooLarge, 0));
        assert_eq!(fault("4=3ms"), (PickFault::UnexpectedDelay, 1));
        assert_eq!(fault("up:"), (PickFault::Empty, 3));
        let error = Picks::parse_delays("data:2").unwrap_err();
        assert_eq!((error.what, error.at), (PickFault::MissingDelay, 6));
        let error = Picks::parse_delays("4,data:2=300").unwrap_err();
        assert_eq!(error.what, PickFault::MissingDelay);
        let error = Picks::parse_delays("data:2=300").unwrap_err();
        assert!(matches!(error.what, PickFault::Delay(_)));
        assert_eq!(error.at, 10);
    }

    #[test]
    fn a_time_or_a_share_is_told_from_a_pick() {
        for text in ["data:2", "4", "2,5-7", "fin", "up:4", "data:2=300ms", "4=1s"] {
            assert!(Picks::looks_like_picks(text), "{text}");
        }
        for text in ["20ms", "10%", "0.1", "up:20ms", "down:1%", "-5ms", ""] {
            assert!(!Picks::looks_like_picks(text), "{text}");
        }
    }

    #[test]
    fn a_zero_is_found_where_counting_starts_at_one() {
        let picks = Picks::parse(Action::Drop, "4,data:0").unwrap();
        assert!(picks.matches_nothing(Counting::FromOne).is_some());
        assert_eq!(picks.matches_nothing(Counting::FromZero), None);
    }
}
