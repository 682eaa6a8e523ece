//! The octets of HELLO: parse and emit.
//!
//! ```text
//!  octets 0-3    "APTO"
//!  octet  4      version, 1
//!  octet  5      kind: 1 ASK, 2 GRANT, 3 REFUSE
//!  octets 6-7    length of the fields in octets, at most 512
//!  octets 8-11   session: drawn by who asks, repeated by who answers
//!  then          fields: type (1), length (1), value
//!  then          CRC-32 over everything before it
//! ```
//!
//! All but the fields is so in every version, so that any version can be refused in order. Types:
//! 1 modes, 2 integrities (one octet each, the best first), 3 largest message (4), 4 payload (2), 5
//! window (2), 6 acknowledgement (1), 7 negative acknowledgements (1), 8 reason (1, then its
//! numbers). A type that is not known is skipped: later versions can add. An unknown mode
//! or integrity in an ASK is skipped too: it is one more that is not common. A type that comes
//! twice is an error. The first octet is 0x41, which no packet of the textbook protocols starts with.

use alloc::vec::Vec;
use core::fmt;

use super::{
    Acknowledgement, Ask, Integrity, LARGEST_MAX_MESSAGE, LARGEST_PAYLOAD, LARGEST_WINDOW, Mode, Negative,
    Refusal, Terms,
};

/// How every HELLO starts.
pub const MAGIC: [u8; 4] = *b"APTO";
/// The version that is spoken here.
pub const VERSION: u8 = 1;

/// Octets before the fields.
const HEAD: usize = 12;
/// Octets of the CRC-32 after them.
const TAIL: usize = 4;
/// The most octets of fields.
const MOST_FIELDS: usize = 512;
/// The longest HELLO.
pub const LONGEST: usize = HEAD + MOST_FIELDS + TAIL;

/// A message of the negotiation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Hello {
    /// What one side would like.
    Ask {
        /// Tells this ask from others, also from an older one of the same peer.
        session: u32,
        /// Its wishes.
        ask: Ask,
    },
    /// What the other side grants.
    Grant {
        /// The session of the ask.
        session: u32,
        /// What both do from now on.
        terms: Terms,
    },
    /// It grants nothing.
    Refuse {
        /// The session of the ask.
        session: u32,
        /// Why not.
        why: Refusal,
    },
}

/// Why octets are not a HELLO, and where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DecodeError {
    /// The first octet that is wrong, counted from 0.
    pub at: usize,
    /// What is wrong there.
    pub what: Fault,
}

/// What is wrong with octets that should be a HELLO.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// So far it may be one: it has this many octets at least.
    Incomplete {
        /// Octets from its start.
        needs: usize,
    },
    /// It starts with something else.
    Magic,
    /// Its fields are longer than any HELLO's.
    TooLong {
        /// What its length says.
        says: usize,
    },
    /// Damaged: the CRC-32 does not fit.
    Checksum,
    /// Sound, but of another version.
    Version {
        /// Which.
        version: u8,
        /// The session to answer.
        session: u32,
    },
    /// A kind that is not known.
    Kind {
        /// Which.
        kind: u8,
    },
    /// A field that goes past the end of all fields.
    FieldLength {
        /// Its type.
        field: u8,
    },
    /// A field that comes twice.
    Repeated {
        /// Its type.
        field: u8,
    },
    /// A field that must be there is not.
    Missing {
        /// Its type.
        field: u8,
    },
    /// A value that cannot be.
    Value {
        /// The type of its field.
        field: u8,
    },
    /// A datagram goes on after the HELLO.
    Trailing,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Fault::Incomplete { needs } => write!(f, "ends before its {needs} octets"),
            Fault::Magic => f.write_str("does not start with APTO"),
            Fault::TooLong { says } => write!(f, "says {says} octets of fields, {MOST_FIELDS} are the most"),
            Fault::Checksum => f.write_str("damaged: the CRC-32 does not fit"),
            Fault::Version { version, .. } => write!(f, "version {version}, {VERSION} is spoken here"),
            Fault::Kind { kind } => write!(f, "unknown kind {kind}"),
            Fault::FieldLength { field } => write!(f, "field {field} has an impossible length"),
            Fault::Repeated { field } => write!(f, "field {field} comes twice"),
            Fault::Missing { field } => write!(f, "field {field} is missing"),
            Fault::Value { field } => write!(f, "field {field} has an impossible value"),
            Fault::Trailing => f.write_str("goes on after its end"),
        }?;
        write!(f, " at octet {}", self.at)
    }
}

impl core::error::Error for DecodeError {}

/// The types of fields.
mod field {
    pub(super) const MODES: u8 = 1;
    pub(super) const INTEGRITIES: u8 = 2;
    pub(super) const MAX_MESSAGE: u8 = 3;
    pub(super) const PAYLOAD: u8 = 4;
    pub(super) const WINDOW: u8 = 5;
    pub(super) const ACKNOWLEDGEMENT: u8 = 6;
    pub(super) const NEGATIVE: u8 = 7;
    pub(super) const REASON: u8 = 8;
    /// One more than the last that is known.
    pub(super) const KNOWN: u8 = 9;
}

impl Hello {
    /// The session that it belongs to.
    #[must_use]
    pub const fn session(&self) -> u32 {
        match self {
            Self::Ask { session, .. } | Self::Grant { session, .. } | Self::Refuse { session, .. } => {
                *session
            }
        }
    }

    /// The octets on the wire. Of modes and integrities, what would not fit is left out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        let kind = match self {
            Self::Ask { ask, .. } => {
                let modes: Vec<u8> = ask.modes.iter().map(|mode| mode_code(*mode)).collect();
                let integrities: Vec<u8> = ask.integrities.iter().map(|way| integrity_code(*way)).collect();
                put_terms(&mut fields, &modes, &integrities, &Numbers::of_ask(ask));
                1
            }
            Self::Grant { terms, .. } => {
                let (modes, ways) = ([mode_code(terms.mode)], [integrity_code(terms.integrity)]);
                put_terms(&mut fields, &modes, &ways, &Numbers::of_terms(terms));
                2
            }
            Self::Refuse { why, .. } => {
                put(&mut fields, field::REASON, &reason_octets(*why));
                3
            }
        };
        seal(kind, self.session(), &fields)
    }

    /// Reads the HELLO at the start of a stream, and says how many octets it takes.
    ///
    /// # Errors
    ///
    /// [`Fault::Incomplete`] while it may still become one; everything else is final.
    pub fn decode(octets: &[u8]) -> Result<(Self, usize), DecodeError> {
        let (sealed, whole) = unseal(octets)?;
        let session = sealed.session;
        let fields = Fields::read(sealed.fields)?;
        let hello = match sealed.kind {
            1 => Self::Ask { session, ask: fields.ask()? },
            2 => Self::Grant { session, terms: fields.terms()? },
            3 => Self::Refuse { session, why: fields.reason()? },
            kind => return Err(DecodeError { at: 5, what: Fault::Kind { kind } }),
        };
        Ok((hello, whole))
    }

    /// Reads a datagram that is one HELLO and nothing else.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which octet.
    pub fn decode_datagram(octets: &[u8]) -> Result<Self, DecodeError> {
        let (hello, taken) = Self::decode(octets)?;
        if taken < octets.len() {
            return Err(DecodeError { at: taken, what: Fault::Trailing });
        }
        Ok(hello)
    }
}

/// What every message that starts with the magic has, whatever its kind.
pub(crate) struct Sealed<'a> {
    pub(crate) kind: u8,
    pub(crate) session: u32,
    pub(crate) fields: &'a [u8],
}

/// Puts a head before fields, and their checksum behind. There are at most 512 octets of fields.
pub(crate) fn seal(kind: u8, session: u32, fields: &[u8]) -> Vec<u8> {
    debug_assert!(fields.len() <= MOST_FIELDS, "seven fields of at most 18 octets each");
    let mut octets = Vec::with_capacity(HEAD + fields.len() + TAIL);
    octets.extend_from_slice(&MAGIC);
    octets.extend_from_slice(&[VERSION, kind]);
    octets.extend_from_slice(&(fields.len() as u16).to_be_bytes());
    octets.extend_from_slice(&session.to_be_bytes());
    octets.extend_from_slice(fields);
    let sum = crc32(&octets);
    octets.extend_from_slice(&sum.to_be_bytes());
    octets
}

/// Takes the head off, and says how many octets the whole takes; checks all but kind and fields.
pub(crate) fn unseal(octets: &[u8]) -> Result<(Sealed<'_>, usize), DecodeError> {
    let wrong = |at, what| Err(DecodeError { at, what });
    let differs = octets.iter().zip(MAGIC).position(|(is, should)| *is != should);
    if let Some(at) = differs {
        return wrong(at, Fault::Magic);
    }
    let incomplete = |needs| DecodeError { at: octets.len(), what: Fault::Incomplete { needs } };
    let (head, rest) = octets.split_first_chunk::<HEAD>().ok_or(incomplete(HEAD + TAIL))?;
    let [_, _, _, _, version, kind, high, low, session @ ..] = *head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MOST_FIELDS {
        return wrong(6, Fault::TooLong { says: length });
    }
    let whole = HEAD + length + TAIL;
    let (fields, rest) = rest.split_at_checked(length).ok_or(incomplete(whole))?;
    let sum = *rest.first_chunk::<TAIL>().ok_or(incomplete(whole))?;
    let summed = octets.get(..HEAD + length).unwrap_or_default();
    if u32::from_be_bytes(sum) != crc32(summed) {
        return wrong(HEAD + length, Fault::Checksum);
    }
    let session = u32::from_be_bytes(session);
    if version != VERSION {
        return wrong(4, Fault::Version { version, session });
    }
    Ok((Sealed { kind, session, fields }, whole))
}

/// The fields that are numbers, the same in an ASK and in a GRANT.
struct Numbers {
    max_message: u32,
    payload: u16,
    window: u16,
    acknowledgement: Acknowledgement,
    negative: Negative,
}

impl Numbers {
    const fn of_ask(ask: &Ask) -> Self {
        let Ask { max_message, payload, window, acknowledgement, negative, .. } = *ask;
        Self { max_message, payload, window, acknowledgement, negative }
    }

    const fn of_terms(terms: &Terms) -> Self {
        let Terms { max_message, payload, window, acknowledgement, negative, .. } = *terms;
        Self { max_message, payload, window, acknowledgement, negative }
    }
}

/// A list may name each thing once, so this is as long as one gets.
const LONGEST_LIST: usize = 16;

fn put(fields: &mut Vec<u8>, kind: u8, value: &[u8]) {
    let value = value.get(..LONGEST_LIST).unwrap_or(value);
    fields.extend_from_slice(&[kind, value.len() as u8]);
    fields.extend_from_slice(value);
}

fn put_terms(fields: &mut Vec<u8>, modes: &[u8], integrities: &[u8], numbers: &Numbers) {
    put(fields, field::MODES, modes);
    put(fields, field::INTEGRITIES, integrities);
    put(fields, field::MAX_MESSAGE, &numbers.max_message.to_be_bytes());
    put(fields, field::PAYLOAD, &numbers.payload.to_be_bytes());
    put(fields, field::WINDOW, &numbers.window.to_be_bytes());
    let group = u8::from(numbers.acknowledgement == Acknowledgement::Group);
    put(fields, field::ACKNOWLEDGEMENT, &[group]);
    put(fields, field::NEGATIVE, &[u8::from(numbers.negative == Negative::On)]);
}

const fn mode_code(mode: Mode) -> u8 {
    match mode {
        Mode::Tcp => 1,
        Mode::StopAndWait => 2,
        Mode::GoBackN => 3,
        Mode::SelectiveRepeat => 4,
    }
}

const fn integrity_code(integrity: Integrity) -> u8 {
    match integrity {
        Integrity::None => 0,
        Integrity::InternetChecksum => 1,
        Integrity::Crc32 => 2,
        Integrity::Digest => 3,
        Integrity::Aead => 4,
    }
}

fn mode_of(code: u8) -> Option<Mode> {
    Mode::ALL.into_iter().find(|mode| mode_code(*mode) == code)
}

fn integrity_of(code: u8) -> Option<Integrity> {
    Integrity::ALL.into_iter().find(|integrity| integrity_code(*integrity) == code)
}

/// A reason's code, then its number where it has one.
fn reason_octets(why: Refusal) -> Vec<u8> {
    match why {
        Refusal::Version { spoken } => Vec::from([1, spoken]),
        Refusal::NoCommonMode => Vec::from([2]),
        Refusal::NoCommonIntegrity => Vec::from([3]),
        Refusal::MessageTooSmall { least } => {
            let mut octets = Vec::from([4]);
            octets.extend_from_slice(&least.to_be_bytes());
            octets
        }
        Refusal::Full => Vec::from([5]),
        Refusal::Closing => Vec::from([6]),
        Refusal::Other(code) => Vec::from([code]),
    }
}

/// The fields of a HELLO by their type: where each value starts, and the value.
struct Fields<'a> {
    known: [Option<(usize, &'a [u8])>; field::KNOWN as usize],
    end: usize,
}

impl<'a> Fields<'a> {
    fn read(mut octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Self { known: [None; field::KNOWN as usize], end: HEAD + octets.len() };
        let mut at = HEAD;
        while let Some((&kind, rest)) = octets.split_first() {
            let past = DecodeError { at: at + 1, what: Fault::FieldLength { field: kind } };
            let (&length, rest) = rest.split_first().ok_or(past)?;
            let (value, rest) = rest.split_at_checked(usize::from(length)).ok_or(past)?;
            if let Some(place) = fields.known.get_mut(usize::from(kind)) {
                if place.is_some() {
                    return Err(DecodeError { at, what: Fault::Repeated { field: kind } });
                }
                *place = Some((at + 2, value));
            }
            at += 2 + value.len();
            octets = rest;
        }
        Ok(fields)
    }

    fn get(&self, kind: u8) -> Result<(usize, &'a [u8]), DecodeError> {
        let found = self.known.get(usize::from(kind)).copied().flatten();
        found.ok_or(DecodeError { at: self.end, what: Fault::Missing { field: kind } })
    }

    /// A value of exactly so many octets; more may be added behind it by later versions.
    fn array<const N: usize>(&self, kind: u8) -> Result<(usize, [u8; N]), DecodeError> {
        let (at, value) = self.get(kind)?;
        let array =
            value.first_chunk::<N>().ok_or(DecodeError { at, what: Fault::FieldLength { field: kind } })?;
        Ok((at, *array))
    }

    /// A list of at least one thing, each of them once; what is not known is left out.
    fn list<T: PartialEq>(&self, kind: u8, of: fn(u8) -> Option<T>) -> Result<Vec<T>, DecodeError> {
        let (at, value) = self.get(kind)?;
        if value.is_empty() || value.len() > LONGEST_LIST {
            return Err(DecodeError { at, what: Fault::FieldLength { field: kind } });
        }
        let mut list = Vec::new();
        for (place, code) in value.iter().enumerate() {
            let Some(thing) = of(*code) else { continue };
            if list.contains(&thing) {
                return Err(DecodeError { at: at + place, what: Fault::Value { field: kind } });
            }
            list.push(thing);
        }
        Ok(list)
    }

    fn numbers(&self) -> Result<Numbers, DecodeError> {
        let wrong = |at, kind| DecodeError { at, what: Fault::Value { field: kind } };
        let (at, max_message) = self.array(field::MAX_MESSAGE)?;
        let max_message = u32::from_be_bytes(max_message);
        if max_message > LARGEST_MAX_MESSAGE {
            return Err(wrong(at, field::MAX_MESSAGE));
        }
        let (at, payload) = self.array(field::PAYLOAD)?;
        let payload = u16::from_be_bytes(payload);
        if !(1..=LARGEST_PAYLOAD).contains(&payload) {
            return Err(wrong(at, field::PAYLOAD));
        }
        let (at, window) = self.array(field::WINDOW)?;
        let window = u16::from_be_bytes(window);
        if !(1..=LARGEST_WINDOW).contains(&window) {
            return Err(wrong(at, field::WINDOW));
        }
        let acknowledgement = match self.array(field::ACKNOWLEDGEMENT)? {
            (_, [0]) => Acknowledgement::Individual,
            (_, [1]) => Acknowledgement::Group,
            (at, _) => return Err(wrong(at, field::ACKNOWLEDGEMENT)),
        };
        let negative = match self.array(field::NEGATIVE)? {
            (_, [0]) => Negative::Off,
            (_, [1]) => Negative::On,
            (at, _) => return Err(wrong(at, field::NEGATIVE)),
        };
        Ok(Numbers { max_message, payload, window, acknowledgement, negative })
    }

    fn ask(&self) -> Result<Ask, DecodeError> {
        let modes = self.list(field::MODES, mode_of)?;
        let integrities = self.list(field::INTEGRITIES, integrity_of)?;
        let Numbers { max_message, payload, window, acknowledgement, negative } = self.numbers()?;
        Ok(Ask { modes, integrities, max_message, payload, window, acknowledgement, negative })
    }

    fn terms(&self) -> Result<Terms, DecodeError> {
        let (at, [mode]) = self.array(field::MODES)?;
        let mode = mode_of(mode).ok_or(DecodeError { at, what: Fault::Value { field: field::MODES } })?;
        let (at, [integrity]) = self.array(field::INTEGRITIES)?;
        let wrong = DecodeError { at, what: Fault::Value { field: field::INTEGRITIES } };
        let integrity = integrity_of(integrity).ok_or(wrong)?;
        let Numbers { max_message, payload, window, acknowledgement, negative } = self.numbers()?;
        Ok(Terms { mode, integrity, max_message, payload, window, acknowledgement, negative })
    }

    fn reason(&self) -> Result<Refusal, DecodeError> {
        let (_, [code]) = self.array(field::REASON)?;
        Ok(match code {
            1 => Refusal::Version { spoken: self.array::<2>(field::REASON)?.1[1] },
            2 => Refusal::NoCommonMode,
            3 => Refusal::NoCommonIntegrity,
            4 => {
                let (_, [_, least @ ..]) = self.array::<5>(field::REASON)?;
                Refusal::MessageTooSmall { least: u32::from_be_bytes(least) }
            }
            5 => Refusal::Full,
            6 => Refusal::Closing,
            code => Refusal::Other(code),
        })
    }
}

/// CRC-32 of IEEE 802.3, a bit at a time: a HELLO is short.
fn crc32(octets: &[u8]) -> u32 {
    let mut remainder = u32::MAX;
    for octet in octets {
        remainder ^= u32::from(*octet);
        for _ in 0..8 {
            remainder = (remainder >> 1) ^ if remainder & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !remainder
}
