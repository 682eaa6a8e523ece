//! TCP options as they stand on the wire: a kind, perhaps a length, octets.
//!
//! RFC 9293 §3.1. Nothing is lost here: options that we do not know, paddings and the octets of an
//! option that makes no sense all come out as they went in.

use core::fmt;

/// The kinds of option with a name here; those of RFC 9293 §3.1 \[MUST-4\] are the first three.
pub mod kind {
    /// End of Option List (RFC 9293 §3.2).
    pub const END: u8 = 0;
    /// No-Operation (RFC 9293 §3.2).
    pub const NO_OPERATION: u8 = 1;
    /// Maximum Segment Size (RFC 9293 §3.2).
    pub const MSS: u8 = 2;
    /// Window Scale (RFC 7323 §2.2).
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK Permitted (RFC 2018 §2).
    pub const SACK_PERMITTED: u8 = 4;
    /// SACK (RFC 2018 §3).
    pub const SACK: u8 = 5;
    /// Timestamps (RFC 7323 §3.2).
    pub const TIMESTAMPS: u8 = 8;
    /// User Timeout (RFC 5482 §3.3).
    pub const USER_TIMEOUT: u8 = 28;
    /// Fast Open Cookie (RFC 7413 §4.1.1).
    pub const FAST_OPEN: u8 = 34;
}

/// One option as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawOption<'a> {
    /// Its kind.
    pub kind: u8,
    /// What follows kind and length; empty for the two kinds that have no length.
    pub octets: &'a [u8],
    /// Where its kind stands, counted from the first octet of the TCP header.
    pub at: usize,
}

impl RawOption<'_> {
    /// Whether [`Options`](super::Options) has a place for this kind, or it is padding.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(
            self.kind,
            kind::END
                | kind::NO_OPERATION
                | kind::MSS
                | kind::WINDOW_SCALE
                | kind::SACK_PERMITTED
                | kind::SACK
                | kind::TIMESTAMPS
                | kind::USER_TIMEOUT
                | kind::FAST_OPEN
        )
    }
}

/// The options of a segment, one by one, in the order of the wire.
///
/// No-Operation comes out as an option; End of Option List too, and is the last. An option whose
/// length makes no sense comes out as `Err`, and is the last.
#[derive(Clone, Debug)]
pub struct RawOptions<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> RawOptions<'a> {
    /// Reads the octets between the fixed header and the text.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets, at: super::Header::FIXED_OCTETS }
    }

    fn stop(&mut self, what: OptionsFaultKind) -> Option<Result<RawOption<'a>, OptionsFault>> {
        self.rest = &[];
        Some(Err(OptionsFault { what, at: self.at }))
    }
}

impl<'a> Iterator for RawOptions<'a> {
    type Item = Result<RawOption<'a>, OptionsFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, after_kind) = self.rest.split_first()?;
        let at = self.at;
        if matches!(*kind, kind::END | kind::NO_OPERATION) {
            self.rest = if *kind == kind::END { &[] } else { after_kind };
            self.at += 1;
            return Some(Ok(RawOption { kind: *kind, octets: &[], at }));
        }
        let Some(length) = after_kind.first() else { return self.stop(OptionsFaultKind::NoLength) };
        let length = usize::from(*length);
        if length < 2 {
            return self.stop(OptionsFaultKind::LengthTooShort);
        }
        let Some((option, rest)) = self.rest.split_at_checked(length) else {
            return self.stop(OptionsFaultKind::PastTheEnd);
        };
        self.rest = rest;
        self.at += length;
        Some(Ok(RawOption { kind: *kind, octets: &option[2..], at }))
    }
}

/// What was wrong with the options of a segment. The segment counts all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptionsFault {
    /// What was wrong.
    pub what: OptionsFaultKind,
    /// At which octet the option at fault begins, counted from the first of the TCP header.
    pub at: usize,
}

/// The ways in which options can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OptionsFaultKind {
    /// The header ends after the kind. This option and what follows was not read.
    NoLength,
    /// A length of 0 or 1, which does not even cover kind and length. What follows was not read.
    LengthTooShort,
    /// The option reaches past the end of the header. It was not read.
    PastTheEnd,
    /// A kind that we know, with a length that this kind cannot have. Only it was ignored.
    WrongLength,
    /// A kind that came before in the same segment. The first one counts.
    Repeated,
}

impl fmt::Display for OptionsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            OptionsFaultKind::NoLength => "option without a length",
            OptionsFaultKind::LengthTooShort => "option with a length below 2",
            OptionsFaultKind::PastTheEnd => "option past the end of the header",
            OptionsFaultKind::WrongLength => "option with a length that its kind cannot have",
            OptionsFaultKind::Repeated => "option that came before",
        };
        write!(f, "{what}, at octet {}", self.at)
    }
}
