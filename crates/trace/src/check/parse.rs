//! From lines to claims; what is wrong is told with its line.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_wire::tcp::Control;

use super::words::{Word, plain, word};
use super::{Bounds, Claim, Counted, MOST_CLAIMS, MOST_LETTERS, Side, What};

/// What is wrong with a line of claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: Fault,
}

/// What is wrong with a claim.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// A word that begins no claim.
    UnknownClaim {
        /// The word.
        found: String,
    },
    /// One of these words should stand here.
    Expected {
        /// Which, in English.
        words: &'static [&'static str],
        /// What does; none at the end of the line.
        found: Option<String>,
    },
    /// A number, a comparison or a range should.
    NotANumber {
        /// What does.
        found: Option<String>,
    },
    /// A time with its unit should.
    NotATime {
        /// What does.
        found: Option<String>,
    },
    /// A text in double quotes should, with at least one letter.
    NotAText {
        /// What does.
        found: Option<String>,
    },
    /// A text whose quotes are not closed.
    OpenQuote,
    /// A range that holds nothing, such as `5..3`.
    EmptyRange {
        /// As it was written.
        found: String,
    },
    /// A word behind the end of the claim.
    TooMuch {
        /// The word.
        found: String,
    },
    /// More than [`MOST_LETTERS`] in a line.
    TooLong,
    /// More than [`MOST_CLAIMS`].
    TooMany,
    /// No claim at all.
    Nothing,
}

/// Reads claims; all that is wrong with them, if anything is.
///
/// # Errors
///
/// Each line that is wrong; at most a hundred of them.
pub fn parse(text: &str) -> Result<Vec<Claim>, Vec<Error>> {
    let (mut claims, mut errors) = (Vec::new(), Vec::new());
    let mut stream = 0;
    for (place, line) in text.lines().enumerate() {
        let line_number = place + 1;
        let mut add = |what| errors.push(Error { line: line_number, what });
        if line.len() > MOST_LETTERS {
            add(Fault::TooLong);
        } else if claims.len() >= MOST_CLAIMS {
            add(Fault::TooMany);
            break;
        } else {
            match claim(line, line_number, &mut stream) {
                Ok(found) => claims.extend(found),
                Err(what) => add(what),
            }
        }
        if errors.len() >= 100 {
            break;
        }
    }
    if claims.is_empty() && errors.is_empty() {
        errors.push(Error { line: text.lines().count().max(1), what: Fault::Nothing });
    }
    if errors.is_empty() { Ok(claims) } else { Err(errors) }
}

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Word(String),
    Text(Vec<u8>),
}

/// The pieces of a line that have not been read.
struct Pieces(alloc::vec::IntoIter<Piece>, Option<Piece>);

fn claim(line: &str, number: usize, stream: &mut u32) -> Result<Option<Claim>, Fault> {
    let (pieces, length) = cut(line)?;
    let mut pieces = Pieces(pieces.into_iter(), None);
    if pieces.peek().is_none() {
        return Ok(None);
    }
    let mut not = false;
    while pieces.takes(Word::Not) {
        not = !not;
    }
    let begins = pieces.next();
    let Some(Piece::Word(begins)) = begins else { return Err(Fault::UnknownClaim { found: shown(begins) }) };
    let Some(known) = word(&begins) else { return Err(Fault::UnknownClaim { found: begins }) };
    if known == Word::Stream && !not {
        let bounds = pieces.bounds()?;
        pieces.end()?;
        *stream = u32::try_from(bounds.from).unwrap_or(u32::MAX);
        return Ok(None);
    }
    let what = what(known, &begins, &mut pieces)?;
    pieces.end()?;
    let text = line.get(..length).unwrap_or(line).trim().to_string();
    Ok(Some(Claim { line: number, text, not, stream: *stream, what }))
}

fn what(begins: Word, found: &str, pieces: &mut Pieces) -> Result<What, Fault> {
    use Counted as C;
    let count = |pieces: &mut Pieces, counted| Ok(What::Count(counted, pieces.some_bounds()?));
    match begins {
        Word::Handshake => {
            Ok(What::Handshake(if pieces.takes(Word::In) { Some(pieces.bounds()?) } else { None }))
        }
        Word::Echo => {
            let asked = pieces.text()?;
            let by = pieces.side_after(Word::By, &["by"])?;
            Ok(What::Answer { answered: asked.clone(), asked, by, within: pieces.within()? })
        }
        Word::Answer => {
            let asked = pieces.text()?;
            pieces.expect(Word::With, &["with"])?;
            let answered = pieces.text()?;
            let by = pieces.side_after(Word::By, &["by"])?;
            Ok(What::Answer { asked, answered, by, within: pieces.within()? })
        }
        Word::Delivered => {
            let text = pieces.text()?;
            Ok(What::Delivered { text, to: pieces.side_after(Word::To, &["to"])? })
        }
        Word::ClosedFirstBy => Ok(What::ClosedFirst(pieces.side()?)),
        Word::CloseSegments => Ok(What::CloseSegments(pieces.bounds()?)),
        Word::OtherTraffic => Ok(What::OtherTraffic),
        Word::Retransmissions => count(pieces, C::Retransmissions),
        Word::Lost => count(pieces, C::Lost),
        Word::Copies => count(pieces, C::Copies),
        Word::Packets => count(pieces, C::Packets),
        Word::Streams => count(pieces, C::Streams),
        Word::ZeroWindows => count(pieces, C::ZeroWindows),
        Word::Resets => count(pieces, C::Resets),
        Word::Count => {
            let flags = pieces.flags()?;
            count(pieces, C::Flags(flags))
        }
        Word::Octets => {
            let side = pieces.side_after(Word::By, &["by"])?;
            count(pieces, C::Octets(side))
        }
        Word::Port => Ok(What::Port(Side::Server, pieces.bounds()?)),
        Word::ClientPort => Ok(What::Port(Side::Client, pieces.bounds()?)),
        Word::Isn => {
            let found = pieces.word();
            let both = found.as_deref().and_then(|text| text.split_once(','));
            let both = both.and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
            let (client, server) = both.ok_or(Fault::NotANumber { found })?;
            Ok(What::Isn { client, server })
        }
        Word::State => {
            pieces.expect(Word::Reached, &["reached"])?;
            let state = pieces.state()?;
            Ok(What::State(state, pieces.side_after(Word::By, &["by"])?))
        }
        Word::Duration => Ok(What::Duration(pieces.times()?)),
        Word::In
        | Word::With
        | Word::By
        | Word::To
        | Word::Client
        | Word::Server
        | Word::Within
        | Word::Not
        | Word::Reached
        | Word::Stream => Err(Fault::UnknownClaim { found: found.to_string() }),
    }
}

/// Cuts a line into words and quoted texts; where the claim ends and a remark begins.
fn cut(line: &str) -> Result<(Vec<Piece>, usize), Fault> {
    let mut pieces = Vec::new();
    let mut letters = line.char_indices().peekable();
    let mut end = line.len();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '#' => {
                end = at;
                break;
            }
            '"' => {
                let mut text = String::new();
                loop {
                    match letters.next().map(|(_, letter)| letter) {
                        None => return Err(Fault::OpenQuote),
                        Some('"') => break,
                        Some('\\') => text.push(match letters.next().map(|(_, letter)| letter) {
                            None => return Err(Fault::OpenQuote),
                            Some('n') => '\n',
                            Some('r') => '\r',
                            Some('t') => '\t',
                            Some('0') => '\0',
                            Some(other) => other,
                        }),
                        Some(other) => text.push(other),
                    }
                }
                pieces.push(Piece::Text(text.into_bytes()));
            }
            space if space.is_whitespace() => {}
            '\u{feff}' if at == 0 => {}
            first => {
                let mut text = String::from(first);
                let more =
                    |(_, letter): &(usize, char)| !letter.is_whitespace() && !matches!(letter, '"' | '#');
                while let Some((_, letter)) = letters.next_if(more) {
                    text.push(letter);
                }
                pieces.push(Piece::Word(text));
            }
        }
    }
    Ok((pieces, end))
}

fn shown(piece: Option<Piece>) -> String {
    match piece {
        None => String::new(),
        Some(Piece::Word(word)) => word,
        Some(Piece::Text(text)) => String::from_utf8_lossy(&text).into_owned(),
    }
}

impl Pieces {
    fn next(&mut self) -> Option<Piece> {
        self.1.take().or_else(|| self.0.next())
    }

    fn peek(&mut self) -> Option<&Piece> {
        if self.1.is_none() {
            self.1 = self.0.next();
        }
        self.1.as_ref()
    }

    fn takes(&mut self, wanted: Word) -> bool {
        let is = matches!(self.peek(), Some(Piece::Word(text)) if word(text) == Some(wanted));
        if is {
            self.1 = None;
        }
        is
    }

    fn word(&mut self) -> Option<String> {
        self.next().map(|piece| shown(Some(piece)))
    }

    fn expect(&mut self, wanted: Word, words: &'static [&'static str]) -> Result<(), Fault> {
        if self.takes(wanted) { Ok(()) } else { Err(Fault::Expected { words, found: self.word() }) }
    }

    fn side(&mut self) -> Result<Side, Fault> {
        if self.takes(Word::Client) {
            Ok(Side::Client)
        } else if self.takes(Word::Server) {
            Ok(Side::Server)
        } else {
            Err(Fault::Expected { words: &["client", "server"], found: self.word() })
        }
    }

    fn side_after(&mut self, before: Word, words: &'static [&'static str]) -> Result<Side, Fault> {
        self.expect(before, words)?;
        self.side()
    }

    fn text(&mut self) -> Result<Vec<u8>, Fault> {
        match self.next() {
            Some(Piece::Text(text)) if !text.is_empty() => Ok(text),
            other => Err(Fault::NotAText { found: other.map(|piece| shown(Some(piece))) }),
        }
    }

    fn within(&mut self) -> Result<Option<Duration>, Fault> {
        if !self.takes(Word::Within) {
            return Ok(None);
        }
        let found = self.word();
        match found.as_deref().and_then(time) {
            Some(nanoseconds) => Ok(Some(Duration::from_nanos(nanoseconds))),
            None => Err(Fault::NotATime { found }),
        }
    }

    /// Bounds; where the line ends instead, at least one.
    fn some_bounds(&mut self) -> Result<Bounds, Fault> {
        if self.peek().is_none() {
            return Ok(Bounds { from: 1, to: u64::MAX });
        }
        self.bounds()
    }

    fn bounds(&mut self) -> Result<Bounds, Fault> {
        self.range(|text| text.parse().ok())
            .map_err(|found| found.unwrap_or_else(|found| Fault::NotANumber { found }))
    }

    fn times(&mut self) -> Result<Bounds, Fault> {
        self.range(time).map_err(|found| found.unwrap_or_else(|found| Fault::NotATime { found }))
    }

    /// `3`, `= 3`, `<= 3`, `<3`, `>= 3`, `> 3`, `1..3`.
    fn range(&mut self, read: impl Fn(&str) -> Option<u64>) -> Result<Bounds, Result<Fault, Option<String>>> {
        let Some(first) = self.word() else { return Err(Err(None)) };
        if let Some((from, to)) = first.split_once("..") {
            let both = read(from).zip(read(to));
            let (from, to) = both.ok_or_else(|| Err(Some(first.clone())))?;
            return if from <= to {
                Ok(Bounds { from, to })
            } else {
                Err(Ok(Fault::EmptyRange { found: first }))
            };
        }
        let signs = ["<=", ">=", "==", "<", ">", "="];
        let sign = signs.into_iter().find(|sign| first.starts_with(sign)).unwrap_or("");
        let rest = first.strip_prefix(sign).unwrap_or(&first).to_string();
        let text = if rest.is_empty() && !sign.is_empty() { self.word() } else { Some(rest) };
        let number = text.as_deref().and_then(read).ok_or(Err(text))?;
        let empty = || Err(Ok(Fault::EmptyRange { found: first.clone() }));
        match sign {
            "<=" => Ok(Bounds { from: 0, to: number }),
            ">=" => Ok(Bounds { from: number, to: u64::MAX }),
            "<" => number.checked_sub(1).map_or_else(empty, |to| Ok(Bounds { from: 0, to })),
            ">" => number.checked_add(1).map_or_else(empty, |from| Ok(Bounds { from, to: u64::MAX })),
            _ => Ok(Bounds { from: number, to: number }),
        }
    }

    fn flags(&mut self) -> Result<Control, Fault> {
        const ALL: [Control; 8] = [
            Control::FIN,
            Control::SYN,
            Control::RST,
            Control::PSH,
            Control::ACK,
            Control::URG,
            Control::ECE,
            Control::CWR,
        ];
        let words = &["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        let found = self.word();
        let mut flags = Control::NONE;
        for name in found.as_deref().unwrap_or("").split(',') {
            let flag = ALL.into_iter().find(|flag| flag.to_string().eq_ignore_ascii_case(name));
            flags |= flag.ok_or_else(|| Fault::Expected { words, found: found.clone() })?;
        }
        Ok(flags)
    }

    fn state(&mut self) -> Result<State, Fault> {
        let found = self.word();
        let wanted = found.as_deref().map(plain).unwrap_or_default();
        let state = State::ALL.into_iter().find(|state| plain(&state.to_string()) == wanted);
        state.ok_or(Fault::Expected { words: &STATES, found })
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.word().map_or(Ok(()), |found| Err(Fault::TooMuch { found }))
    }
}

const STATES: [&str; 11] = [
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSE-WAIT",
    "CLOSING",
    "LAST-ACK",
    "TIME-WAIT",
    "CLOSED",
];

/// A time with its unit, in nanoseconds.
fn time(text: &str) -> Option<u64> {
    let at = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(at);
    let unit: u64 = match unit {
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if decimals.is_empty() || decimals.len() > 9 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part =
        decimals.parse::<u64>().ok()?.checked_mul(unit)? / 10_u64.pow(u32::try_from(decimals.len()).ok()?);
    whole.checked_mul(unit)?.checked_add(part)
}
