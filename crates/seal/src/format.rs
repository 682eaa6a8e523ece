//! The four kinds of datagram on the wire.
//!
//! ```text
//! hello      1 1 0 0 | Noise message 1: e, payload (our index, zeros) | digest      128 octets
//! answer     2 1 0 0 | receiver's index | Noise message 2: e, s, payload (our index) 108 octets
//! proof      3 1 0 0 | receiver's index | Noise message 3: s, empty payload           72 octets
//! transport  4 1 0 0 | receiver's index | counter (8) | sealed packet, tag   packet + 32 octets
//! ```
//!
//! Numbers are little-endian, as in Noise. The second octet is the version. An index names one
//! handshake and its session at who receives; it is luck, not secret. The zeros make the hello longer
//! than its answer, so that who has proven nothing is never sent more than it sent. The digest is no
//! proof: it finds a damaged hello at once, where Noise would find it one round trip later.

use alloc::vec::Vec;

use crate::noise;

/// What a datagram is longer than what it carries: header, index, counter, tag.
pub const OVERHEAD: usize = 16 + TAG;
/// Octets of a tag.
pub const TAG: usize = 16;
/// The longest packet that can be sealed: 65,535 octets are Noise's longest message.
pub(crate) const LONGEST: usize = 65_535 - TAG;

const VERSION: u8 = 1;
const HELLO: usize = 128;
const ANSWER: usize = 108;
const PROOF: usize = 72;
/// Octets of zeros in the payload of a hello.
pub(crate) const HELLO_ZEROS: usize = HELLO - 4 - 32 - 4 - DIGEST;
const DIGEST: usize = 16;

// Nobody who has proven nothing is sent more than it sent.
const _: () = assert!(ANSWER <= HELLO);

/// The number of a handshake, and of the session that came of it, at who receives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Index(pub(crate) u32);

/// Which of the four kinds a datagram claims to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// The initiator's first message.
    Hello,
    /// The responder's answer to it.
    Answer,
    /// The initiator's proof.
    Proof,
    /// A sealed packet.
    Sealed,
    /// A sealed packet with nothing in it: it says that the keys are there.
    Confirmation,
}

impl Kind {
    /// By first octets and length alone: for who watches, and has no keys.
    #[must_use]
    pub fn of(datagram: &[u8]) -> Option<Self> {
        let (head, _) = datagram.split_first_chunk::<4>()?;
        match (head, datagram.len()) {
            ([1, VERSION, 0, 0], HELLO) => Some(Self::Hello),
            ([2, VERSION, 0, 0], ANSWER) => Some(Self::Answer),
            ([3, VERSION, 0, 0], PROOF) => Some(Self::Proof),
            ([4, VERSION, 0, 0], OVERHEAD) => Some(Self::Confirmation),
            ([4, VERSION, 0, 0], OVERHEAD..) => Some(Self::Sealed),
            _ => None,
        }
    }
}

/// What a datagram says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Parsed<'a> {
    Hello { noise: &'a [u8] },
    Answer { to: Index, noise: &'a [u8] },
    Proof { to: Index, noise: &'a [u8] },
    Transport { to: Index, counter: u64, sealed: &'a [u8] },
}

/// Why a datagram is none of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ParseError {
    /// Not one of the four kinds, or not of the length of its kind.
    Malformed,
    /// Another version.
    Version,
    /// A hello whose digest does not fit.
    Damaged,
}

/// Reads a datagram.
pub(crate) fn parse(datagram: &[u8]) -> Result<Parsed<'_>, ParseError> {
    let ([kind, version, zero, zero_too], rest) =
        datagram.split_first_chunk().ok_or(ParseError::Malformed)?;
    if !matches!(kind, 1..=4) || *zero != 0 || *zero_too != 0 {
        return Err(ParseError::Malformed);
    }
    if *version != VERSION {
        return Err(ParseError::Version);
    }
    if *kind == 1 {
        return hello_of(datagram);
    }
    let (to, rest) = rest.split_first_chunk().ok_or(ParseError::Malformed)?;
    let to = Index(u32::from_le_bytes(*to));
    match (kind, datagram.len()) {
        (2, ANSWER) => Ok(Parsed::Answer { to, noise: rest }),
        (3, PROOF) => Ok(Parsed::Proof { to, noise: rest }),
        (4, OVERHEAD..) => {
            let (counter, sealed) = rest.split_first_chunk().ok_or(ParseError::Malformed)?;
            Ok(Parsed::Transport { to, counter: u64::from_le_bytes(*counter), sealed })
        }
        _ => Err(ParseError::Malformed),
    }
}

fn hello_of(datagram: &[u8]) -> Result<Parsed<'_>, ParseError> {
    let Some((told, digest)) = datagram.split_last_chunk::<DIGEST>().filter(|_| datagram.len() == HELLO)
    else {
        return Err(ParseError::Malformed);
    };
    if digest_of(told) != *digest {
        return Err(ParseError::Damaged);
    }
    Ok(Parsed::Hello { noise: told.get(4..).unwrap_or_default() })
}

fn digest_of(told: &[u8]) -> [u8; DIGEST] {
    let hash = noise::hash(&[b"aperto seal hello", told]);
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(hash.get(..DIGEST).unwrap_or(&[0; DIGEST]));
    digest
}

/// A hello around Noise's first message.
pub(crate) fn hello(noise: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(HELLO);
    datagram.extend_from_slice(&[1, VERSION, 0, 0]);
    datagram.extend_from_slice(noise);
    let digest = digest_of(&datagram);
    datagram.extend_from_slice(&digest);
    datagram
}

/// An answer around Noise's second message.
pub(crate) fn answer(to: Index, noise: &[u8]) -> Vec<u8> {
    addressed(2, to, noise)
}

/// A proof around Noise's third message.
pub(crate) fn proof(to: Index, noise: &[u8]) -> Vec<u8> {
    addressed(3, to, noise)
}

fn addressed(kind: u8, to: Index, noise: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + noise.len());
    datagram.extend_from_slice(&[kind, VERSION, 0, 0]);
    datagram.extend_from_slice(&to.0.to_le_bytes());
    datagram.extend_from_slice(noise);
    datagram
}

/// What stands before a sealed packet.
pub(crate) fn transport(to: Index, counter: u64) -> [u8; 16] {
    let mut header = [0; 16];
    header[0] = 4;
    header[1] = VERSION;
    header[4..8].copy_from_slice(&to.0.to_le_bytes());
    header[8..].copy_from_slice(&counter.to_le_bytes());
    header
}
