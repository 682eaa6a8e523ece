//! Finds a message in what has come so far: whole, cut, or wrong.
//!
//! Nothing ends a message, so the end of its last number is the question. A number is whole where
//! something else follows it: a blank, or the first letter of the next message. At the end of what
//! has come, a number that is known beforehand is whole when it is the right one, and waits for the
//! rest while it may still become that; only a number that nobody can know is taken as whole after
//! a short silence, because nothing else can end it.

use alloc::string::String;

use super::message::{Dialect, Piece, What};
use super::mistake::COMPLAINTS;

/// What a reader may still expect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Still {
    /// More may come at any moment.
    More,
    /// Nothing came for a while.
    Quiet,
    /// The time is over, or the other side has closed.
    Over,
}

/// How long a reader waits for more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// For a short silence.
    Quiet,
    /// As long as the turn lasts.
    Patience,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// A message of so many octets, with these numbers.
    Whole { numbers: [u32; 2], used: usize },
    /// Not enough.
    More(Until),
    /// Something else.
    Wrong(Flaw),
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Flaw {
    /// The other side says that we are wrong.
    Complaint { text: String },
    /// It does not begin, or go on, as it should.
    Word { got: String },
    /// Something else where a number should be.
    NotANumber { got: String },
    /// More than 32 bits.
    TooLarge { got: String },
    /// A number that is not the right one: the first or the second of its message.
    Number { place: usize, got: u32 },
}

/// Whether an octet only separates.
pub(super) const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | 0)
}

/// Text that came from outside, fit to be shown: one line, 40 characters at most.
pub(super) fn shown(octets: &[u8]) -> String {
    let line = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line);
    let mut shown = String::new();
    for (place, letter) in text.trim().chars().enumerate() {
        if place == 40 {
            shown.push_str("...");
            break;
        }
        shown.push(if letter.is_control() { '?' } else { letter });
    }
    shown
}

/// Ten digits hold every number of 32 bits.
const MOST_DIGITS: usize = 10;

/// Reads the message at this place of the conversation; blanks before it are gone.
pub(super) fn read(
    text: &[u8],
    dialect: Dialect,
    at: usize,
    what: What,
    known: [Option<u32>; 2],
    still: Still,
) -> Reading {
    if let Some(complaint) = complaint(text, still) {
        return complaint;
    }
    let pieces = dialect.pieces(at, what);
    let mut numbers = [0; 2];
    let mut place = 0;
    for (index, piece) in pieces.iter().flatten().enumerate() {
        let last = pieces.get(index + 1).copied().flatten().is_none();
        let rest = text.get(place..).unwrap_or_default();
        let step = match *piece {
            Piece::Tag(tag) => read_tag(rest, tag),
            Piece::Word(word) => read_word(rest, word),
            Piece::Number(which) => {
                let known = known.get(which).copied().flatten();
                match read_number(rest, known, last, still) {
                    Ok((number, used)) => {
                        if let Some(room) = numbers.get_mut(which) {
                            *room = number;
                        }
                        Ok(used)
                    }
                    Err(Stop::Flaw(Flaw::Number { got, .. })) => {
                        Err(Stop::Flaw(Flaw::Number { place: which, got }))
                    }
                    Err(stop) => Err(stop),
                }
            }
        };
        match step {
            Ok(used) => place += used,
            Err(Stop::More(until)) => return Reading::More(until),
            Err(Stop::Flaw(flaw)) => return Reading::Wrong(flaw),
            Err(Stop::Unlike) => return unlike(text, still),
        }
    }
    Reading::Whole { numbers, used: place }
}

/// Why reading stops.
enum Stop {
    More(Until),
    /// Not what should stand here.
    Unlike,
    Flaw(Flaw),
}

/// What does not begin as it should is shown whole, once all of it is there.
fn unlike(text: &[u8], still: Still) -> Reading {
    let whole = text.contains(&b'\n') || still > Still::More || text.len() > super::LONGEST;
    if whole { Reading::Wrong(Flaw::Word { got: shown(text) }) } else { Reading::More(Until::Quiet) }
}

/// Another program like this one says what we did wrong.
fn complaint(text: &[u8], still: Still) -> Option<Reading> {
    let begins = COMPLAINTS.iter().find_map(|begin| text.strip_prefix(begin.as_bytes()))?;
    let line = begins.split(|octet| *octet == b'\n').next().unwrap_or_default();
    if line.len() == begins.len() && still == Still::More && text.len() <= super::LONGEST {
        return Some(Reading::More(Until::Quiet));
    }
    let letters = String::from_utf8_lossy(line);
    let text = letters.trim().chars().take(super::LONGEST).filter(|letter| !letter.is_control()).collect();
    Some(Reading::Wrong(Flaw::Complaint { text }))
}

fn read_tag(text: &[u8], tag: u8) -> Result<usize, Stop> {
    if text.is_empty() {
        return Err(Stop::More(Until::Patience));
    }
    if text.first() != Some(&b'[') {
        return Ok(0);
    }
    let digit = b'0'.saturating_add(tag);
    let mut used = 0;
    for wanted in [b'[', digit, b']'] {
        match text.get(used) {
            None => return Err(Stop::More(Until::Patience)),
            Some(octet) if *octet == wanted => used += 1,
            Some(_) => return Err(Stop::Unlike),
        }
    }
    let blanks = text.get(used..).unwrap_or_default().iter().take_while(|octet| **octet == b' ').count();
    Ok(used + blanks)
}

fn read_word(text: &[u8], word: &str) -> Result<usize, Stop> {
    let word = word.as_bytes();
    if text.starts_with(word) {
        Ok(word.len())
    } else if word.starts_with(text) {
        Err(Stop::More(Until::Patience))
    } else {
        Err(Stop::Unlike)
    }
}

fn read_number(text: &[u8], known: Option<u32>, last: bool, still: Still) -> Result<(u32, usize), Stop> {
    let length = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let digits = text.get(..length).unwrap_or_default();
    let next = text.get(length).copied();
    let at_end = next.is_none();
    if text.is_empty() {
        return Err(Stop::More(Until::Patience));
    }
    // What follows a number without a blank is the next message, or no number after all.
    let ends = match next {
        None => true,
        Some(octet) if last => is_blank(octet) || matches!(octet, b'S' | b'A' | b'F' | b'['),
        Some(octet) => matches!(octet, b':' | b' '),
    };
    if !ends || (digits.is_empty() && !at_end) {
        let token = text.iter().take_while(|octet| !is_blank(**octet)).count();
        if token == text.len() && still == Still::More && token <= super::LONGEST {
            return Err(Stop::More(Until::Quiet));
        }
        let token = if token == 0 { text.len() } else { token };
        return Err(Stop::Flaw(Flaw::NotANumber { got: shown(text.get(..token).unwrap_or_default()) }));
    }
    let zeros = digits.iter().take_while(|octet| **octet == b'0').count().min(length.saturating_sub(1));
    let digits = digits.get(zeros..).unwrap_or_default();
    let value = core::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok());
    let Some(value) = value else {
        if at_end && still == Still::More && length <= super::LONGEST {
            return Err(Stop::More(Until::Quiet));
        }
        return Err(Stop::Flaw(Flaw::TooLarge { got: shown(text.get(..length).unwrap_or_default()) }));
    };
    match known {
        Some(known) if known == value => Ok((value, length)),
        Some(known) => {
            let wrong = Stop::Flaw(Flaw::Number { place: 0, got: value });
            if !at_end {
                return Err(wrong);
            }
            let mut room = [0; MOST_DIGITS];
            let may_become_right = written(known, &mut room).starts_with(digits);
            match still {
                Still::Over => Err(wrong),
                Still::More | Still::Quiet if may_become_right => Err(Stop::More(Until::Patience)),
                Still::Quiet => Err(wrong),
                Still::More => Err(Stop::More(Until::Quiet)),
            }
        }
        None if at_end && still == Still::More => Err(Stop::More(Until::Quiet)),
        None => Ok((value, length)),
    }
}

/// The digits of a number.
fn written(mut number: u32, room: &mut [u8; MOST_DIGITS]) -> &[u8] {
    let mut from = MOST_DIGITS;
    loop {
        from -= 1;
        room[from] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 || from == 0 {
            return &room[from..];
        }
    }
}
