//! The facts around a reason that decide how it is told.
//!
//! The reason is the engine's; nothing here adds a truth to it. The same ACK of a FIN is told as
//! "the last one" where the sender's state says so, the same first text is told with its letters
//! where the application's call is known. A context of which nothing is known gives a sentence too.

use alloc::string::String;

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_wire::SeqNumber;

/// The facts around a segment.
#[derive(Clone, Default, Debug)]
pub struct Context {
    /// How its numbers are told.
    pub numbers: Numbers,
    /// Which side sends it.
    pub sender: Option<Side>,
    /// Its acknowledgment number.
    pub ack: Option<SeqNumber>,
    /// What the application wrote in the call whose octets begin the segment.
    pub written: Option<Written>,
    /// The state of the sender as the segment leaves.
    pub state: Option<State>,
    /// How long before it the sender received the other side's FIN.
    pub since_fin: Option<Duration>,
    /// Whether the other side may take a round-trip time from it.
    pub sample: Sample,
    /// The largest segment of the connection, from both SYNs.
    pub mss: Option<u32>,
    /// The initial congestion window in segments, where this is the first text of a longer one.
    pub initial_window_segments: Option<u32>,
    /// Whether it arrives.
    pub fate: Fate,
}

/// A side of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// It opened.
    Client,
    /// It waited.
    Server,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What an application wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// All octets of the call.
    pub octets: u64,
    /// They as text, where the segment carries all of them and they are text.
    pub text: Option<String>,
}

/// What an acknowledgment says about the round trip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sample {
    /// Nothing is known that speaks against it.
    #[default]
    Usable,
    /// What it covers was sent twice: it could answer either. RFC 6298 §3 (Karn).
    Ambiguous,
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Fate {
    /// It arrives, or nothing is known yet.
    #[default]
    Arrives,
    /// The channel loses it.
    Lost,
}

/// How sequence numbers are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Numbers {
    /// From which number they are counted.
    pub counting: Counting,
    /// The initial sequence number of the side that sends.
    pub own: Option<SeqNumber>,
    /// The initial sequence number of the other side.
    pub other: Option<SeqNumber>,
}

/// From which number sequence numbers are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Counting {
    /// From the SYN of the side, which is 0.
    #[default]
    Relative,
    /// As on the wire.
    Absolute,
}

impl Numbers {
    /// A number of the side that sends.
    #[must_use]
    pub fn own(&self, number: SeqNumber) -> u32 {
        self.told(number, self.own)
    }

    /// A number of the other side.
    #[must_use]
    pub fn other(&self, number: SeqNumber) -> u32 {
        self.told(number, self.other)
    }

    fn told(&self, number: SeqNumber, initial: Option<SeqNumber>) -> u32 {
        match (self.counting, initial) {
            (Counting::Relative, Some(initial)) => number.since(initial),
            _ => number.value(),
        }
    }
}

/// The octets of a payload as text, if they are printable UTF-8 and not empty.
#[must_use]
pub fn printable(octets: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(octets).ok()?;
    let text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
    let shows = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    (!text.is_empty() && text.chars().all(shows)).then_some(text)
}

/// The octets of a payload for a label: as text where they are, else with `\xc3` for the others.
///
/// At most `columns` columns, without quotation marks.
#[must_use]
pub fn label_text(octets: &[u8], columns: usize) -> String {
    use core::fmt::Write as _;
    let mut out = String::new();
    // A label shows a few dozen columns: there is no need to look at more octets than that.
    let start = octets.get(..octets.len().min(4 * columns + 4)).unwrap_or(octets);
    for chunk in start.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '"' => out.push_str("\\\""),
                letter if printable(letter.encode_utf8(&mut [0; 4]).as_bytes()).is_some() => out.push(letter),
                letter => {
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
                }
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(out, "\\x{octet:02x}");
        }
    }
    crate::wording::cut(&out, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_show_as_text_where_they_are_text() {
        assert_eq!(printable("Olá\n".as_bytes()), Some("Olá"));
        assert_eq!(printable(b"a\x1b[31m"), None);
        assert_eq!(printable(b"\xff"), None);
        assert_eq!(printable(b""), None);
        assert_eq!(label_text("áve".as_bytes(), 20), "áve");
        assert_eq!(label_text(b"a\xc3", 20), "a\\xc3");
        assert_eq!(label_text(b"\x1b[31m", 20), "\\u{1b}[31m");
        assert_eq!(label_text(b"abcdef", 4), "abc…");
    }

    #[test]
    fn numbers_are_counted_from_the_syn_of_their_side() {
        let numbers = Numbers {
            counting: Counting::Relative,
            own: Some(SeqNumber::new(u32::MAX)),
            other: Some(SeqNumber::new(100)),
        };
        assert_eq!(numbers.own(SeqNumber::new(1)), 2);
        assert_eq!(numbers.other(SeqNumber::new(112)), 12);
        let wire = Numbers { counting: Counting::Absolute, ..numbers };
        assert_eq!(wire.other(SeqNumber::new(112)), 112);
    }
}
