//! Octets into frames, however they were cut, and what begins a connection.
//!
//! A [`Decoder`] takes no more than the next frame needs, so that it never holds more than one, and
//! grows only by what has arrived, whatever a length claims. [`Who`] tells from the first
//! octets who is there: a program that says HELLO, a person who types, or somebody who has the
//! wrong port, who is known after eight octets at most (RELIABILITY AP-1, AP-10).

use alloc::vec::Vec;

use super::frame::{Frame, HEAD, Seal, Unreadable};
use crate::hello;

/// What a decoder found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// A frame.
    Frame(Frame),
    /// A frame whose digest does not fit.
    Damaged,
}

/// Why a connection cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BadFrame {
    /// A length beyond what was agreed.
    TooLong {
        /// What it claims.
        claims: u32,
        /// The most.
        most: u32,
    },
    /// Nothing that is known.
    Unreadable(Unreadable),
}

/// Takes frames from a stream.
#[derive(Clone, Debug)]
pub struct Decoder {
    frame: Vec<u8>,
    most: usize,
    seal: Seal,
}

impl Decoder {
    /// A decoder of frames whose body has at most so many octets.
    #[must_use]
    pub const fn new(most: usize, seal: Seal) -> Self {
        Self { frame: Vec::new(), most, seal }
    }

    /// From the next frame on, something else was agreed.
    pub const fn agree(&mut self, most: usize, seal: Seal) {
        self.most = most;
        self.seal = seal;
    }

    /// Whether a frame has begun and is not whole.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        !self.frame.is_empty()
    }

    /// Takes from the beginning of `octets` what the next frame needs, and gives it once it is whole.
    ///
    /// # Errors
    ///
    /// What the connection cannot go on after.
    pub fn take(&mut self, octets: &mut &[u8]) -> Result<Option<Found>, BadFrame> {
        self.fill(octets, HEAD);
        let Some([_, length @ ..]) = self.frame.first_chunk::<HEAD>().copied() else { return Ok(None) };
        let [high, middle, low] = length;
        let claims = u32::from_be_bytes([0, high, middle, low]);
        let most = u32::try_from(self.most).unwrap_or(u32::MAX);
        if claims > most {
            return Err(BadFrame::TooLong { claims, most });
        }
        let whole = HEAD + usize::try_from(claims).unwrap_or(usize::MAX - HEAD);
        self.fill(octets, whole);
        if self.frame.len() < whole {
            return Ok(None);
        }
        let read = Frame::read(&self.frame, self.seal).map_err(BadFrame::Unreadable);
        self.frame.clear();
        // A long message does not keep its room for ever.
        self.frame.shrink_to(1 << 12);
        Ok(Some(read?.map_or(Found::Damaged, Found::Frame)))
    }

    fn fill(&mut self, octets: &mut &[u8], upto: usize) {
        let missing = upto.saturating_sub(self.frame.len()).min(octets.len());
        let (taken, rest) = octets.split_at(missing);
        self.frame.extend_from_slice(taken);
        *octets = rest;
    }
}

/// Who has the wrong port, as far as the first octets tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stranger {
    /// A browser, or another client of HTTP.
    Http,
    /// A TLS handshake.
    Tls,
    /// A client of SSH.
    Ssh,
    /// Nothing that is known here.
    Unknown,
}

/// Who is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Nothing can be said yet.
    NotYet,
    /// A program that says HELLO.
    Program,
    /// A person who types.
    Person,
    /// Somebody who wants something else.
    Stranger(Stranger),
}

/// How requests of other protocols begin. A person may write `GET me a coffee`: the slash decides.
const OTHERS: [(&[u8], Stranger); 12] = [
    (b"GET /", Stranger::Http),
    (b"POST /", Stranger::Http),
    (b"HEAD /", Stranger::Http),
    (b"PUT /", Stranger::Http),
    (b"PATCH /", Stranger::Http),
    (b"DELETE /", Stranger::Http),
    (b"OPTIONS ", Stranger::Http),
    (b"CONNECT ", Stranger::Http),
    (b"PRI * HT", Stranger::Http),
    (b"HTTP/1.", Stranger::Http),
    (b"SSH-2.0", Stranger::Ssh),
    (b"SSH-1.", Stranger::Ssh),
];
/// How a TLS record with a handshake begins; the minor version follows.
const TLS: [u8; 2] = [0x16, 3];

/// Tells from the first octets of a connection who is there: after eight octets at most, and for a
/// person after the first line. What begins as HELLO does and goes on as a text is a text.
#[must_use]
pub fn who(octets: &[u8]) -> Who {
    match who_perhaps(octets) {
        // A person's first line may be short; a program's damaged HELLO may begin as a text does.
        Who::Person if octets.len() < 8 && !octets.contains(&b'\n') => Who::NotYet,
        who => who,
    }
}

/// Whether these first octets, behind which nothing comes for a while, are a person's.
#[must_use]
pub fn is_typed(octets: &[u8]) -> bool {
    let is_text = |octet: &u8| !is_control(*octet) || matches!(octet, b'\t' | b'\r' | b'\n');
    let is_utf8 = core::str::from_utf8(octets).is_ok_and(|text| !text.is_empty());
    is_utf8 && octets.iter().all(is_text) && !matches!(who_perhaps(octets), Who::Stranger(_))
}

/// The same as [`who`], of which the first letter is enough for a person.
fn who_perhaps(octets: &[u8]) -> Who {
    let Some(&first) = octets.first() else { return Who::NotYet };
    if octets.starts_with(&hello::MAGIC) {
        return match octets.get(hello::MAGIC.len()) {
            // The version: a small number, which no text has there.
            Some(version) if is_control(*version) => Who::Program,
            Some(_) => Who::Person,
            None => Who::NotYet,
        };
    }
    if octets.starts_with(&TLS) {
        return Who::Stranger(Stranger::Tls);
    }
    if let Some((_, stranger)) = OTHERS.iter().find(|(begins, _)| octets.starts_with(begins)) {
        return Who::Stranger(*stranger);
    }
    let may_become = |begins: &[u8]| begins.starts_with(octets);
    if may_become(&hello::MAGIC) || may_become(&TLS) || OTHERS.iter().any(|(begins, _)| may_become(begins)) {
        return Who::NotYet;
    }
    let start = octets.get(..octets.len().min(8)).unwrap_or(octets);
    let is_text = match core::str::from_utf8(start) {
        Ok(_) => true,
        // A letter that is cut is none yet.
        Err(error) => {
            error.error_len().is_none() && error.valid_up_to() > 0 || first >= 0xc2 && start.len() < 4
        }
    };
    let has_controls =
        start.iter().any(|octet| is_control(*octet) && !matches!(octet, b'\t' | b'\r' | b'\n'));
    if !is_text || has_controls {
        return Who::Stranger(Stranger::Unknown);
    }
    Who::Person
}

const fn is_control(octet: u8) -> bool {
    octet < 0x20 || octet == 0x7f
}

#[cfg(test)]
mod tests;
