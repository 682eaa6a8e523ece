//! What travels after HELLO: frames of a kind, a length and a body.
//!
//! ```text
//!  octet  0      kind
//!  octets 1-3    length of the body in octets, digest included
//!  then          the body, numbers big-endian
//!  then          16 octets of BLAKE3 over everything before, where a digest was agreed
//! ```
//!
//! JOIN and WELCOME bear a digest always. A length beyond the limit is refused before anything is
//! kept for it; a kind that is not known ends the connection. A longer message than the payload
//! that was agreed travels in pieces, one frame each.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::MOST_NAME;
use super::octets::{Reader, put_name};

/// Octets of kind and length.
pub const HEAD: usize = 4;
/// Octets of a digest.
pub const DIGEST: usize = 16;
/// What a frame with a message has beside the piece of text: kind, numbers, flags, a name, a digest.
pub const OVERHEAD: usize = 64 + MOST_NAME + DIGEST;

/// Whether frames bear a digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Seal {
    /// They do not.
    None,
    /// They do.
    Digest,
}

/// Who a member is, across connections.
pub type Token = [u8; 16];

/// Who connects, and what it has seen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Join {
    /// Drawn once by the member; whoever knows it is the member.
    pub token: Token,
    /// The how-manyeth connection of the member this is: what an older one sent may arrive later.
    pub connection: u32,
    /// The room that it was in, or zeros.
    pub room: Token,
    /// The last message of that room that it has shown.
    pub seen: u64,
    /// The name that it would like.
    pub name: String,
}

/// What the room says to who joins.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Welcome {
    /// The room.
    pub room: Token,
    /// The message after which the member's messages begin.
    pub after: u64,
    /// The name that it has here.
    pub name: String,
}

/// A piece of a message, from a member to the room.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Say {
    /// The message's id: the member counts from 1.
    pub id: u64,
    /// Which piece it is.
    pub part: Part,
    /// Octets of text.
    pub piece: Vec<u8>,
}

/// A piece of a message, from the room to a member.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Said {
    /// The message's place in the room's order, from 1.
    pub seq: u64,
    /// The id that the member gave it, where it is its own; else 0.
    pub own: u64,
    /// Which piece it is.
    pub part: Part,
    /// Who said it.
    pub name: String,
    /// Octets of text.
    pub piece: Vec<u8>,
}

/// Which piece of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part {
    /// The message begins here.
    pub first: bool,
    /// The message ends here.
    pub last: bool,
}

impl Part {
    /// A message in one piece.
    pub const WHOLE: Self = Self { first: true, last: true };
}

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refused {
    /// It is longer than was agreed.
    TooLarge {
        /// The most octets.
        most: u32,
    },
    /// The member said too much in too little time.
    TooFast {
        /// How long it should wait.
        wait: Duration,
    },
    /// It is empty.
    Empty,
    /// It is no UTF-8.
    NotText,
    /// It was refused before, when the answer was lost.
    Before,
    /// Something that a later version says.
    Other(u8),
}

/// Why a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bye {
    /// The member leaves.
    Leaving,
    /// The room closes.
    Closing,
    /// The member is too far behind.
    TooSlow,
    /// The member was told to wait and went on.
    Flood,
    /// Nothing was heard for too long.
    Idle,
    /// A frame was begun and not ended.
    Unfinished,
    /// The other side did what the protocol does not allow.
    Protocol,
    /// The same member has come back on another connection.
    Replaced,
    /// There are too many already.
    Full,
    /// Something that a later version says.
    Other(u8),
}

impl Bye {
    const fn code(self) -> u8 {
        match self {
            Self::Leaving => 1,
            Self::Closing => 2,
            Self::TooSlow => 3,
            Self::Flood => 4,
            Self::Idle => 5,
            Self::Unfinished => 6,
            Self::Protocol => 7,
            Self::Replaced => 8,
            Self::Full => 9,
            Self::Other(code) => code,
        }
    }

    const fn of(code: u8) -> Self {
        match code {
            1 => Self::Leaving,
            2 => Self::Closing,
            3 => Self::TooSlow,
            4 => Self::Flood,
            5 => Self::Idle,
            6 => Self::Unfinished,
            7 => Self::Protocol,
            8 => Self::Replaced,
            9 => Self::Full,
            code => Self::Other(code),
        }
    }
}

/// A frame.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Frame {
    /// Who connects.
    Join(Join),
    /// It is in.
    Welcome(Welcome),
    /// A piece of a message for the room.
    Say(Say),
    /// A piece of a message for a member.
    Said(Said),
    /// This message arrived; to a member: it is kept for good.
    Ack {
        /// Which.
        id: u64,
    },
    /// This message and all before it arrived, but for those that were refused.
    AckUpTo {
        /// Which.
        id: u64,
    },
    /// This message was not taken.
    Nack {
        /// Which.
        id: u64,
        /// Why.
        why: Refused,
    },
    /// A frame was damaged: say [`Resumed`](Self::Resumed), and again whatever has no answer yet.
    Damaged {
        /// The last message that arrived whole.
        after: u64,
    },
    /// What follows begins again after what arrived whole.
    Resumed,
    /// Are you there?
    Ping(u64),
    /// I am.
    Pong(u64),
    /// Somebody came.
    Came(String),
    /// Somebody left.
    Left(String),
    /// Nothing follows.
    Bye(Bye),
}

/// The digest of a frame.
fn digest(octets: &[u8]) -> [u8; DIGEST] {
    let whole = *blake3::hash(octets).as_bytes();
    whole.first_chunk().copied().unwrap_or_default()
}

impl Frame {
    const fn kind(&self) -> u8 {
        match self {
            Self::Join(_) => 1,
            Self::Welcome(_) => 2,
            Self::Say(_) => 3,
            Self::Said(_) => 4,
            Self::Ack { .. } => 5,
            Self::AckUpTo { .. } => 6,
            Self::Nack { .. } => 7,
            Self::Damaged { .. } => 8,
            Self::Resumed => 9,
            Self::Ping(_) => 10,
            Self::Pong(_) => 11,
            Self::Came(_) => 12,
            Self::Left(_) => 13,
            Self::Bye(_) => 14,
        }
    }

    /// Writes it behind what is there.
    pub fn put(&self, into: &mut Vec<u8>, seal: Seal) {
        let start = into.len();
        into.extend_from_slice(&[self.kind(), 0, 0, 0]);
        self.put_body(into);
        let sealed = seals(self.kind(), seal);
        let body = into.len() - start - HEAD + if sealed { DIGEST } else { 0 };
        // A piece is at most the longest message: three octets are enough.
        let [_, length @ ..] = u32::try_from(body).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(place) = into.get_mut(start + 1..start + HEAD) {
            place.copy_from_slice(&length);
        }
        if sealed {
            let digest = digest(into.get(start..).unwrap_or_default());
            into.extend_from_slice(&digest);
        }
    }

    fn put_body(&self, into: &mut Vec<u8>) {
        match self {
            Self::Join(join) => {
                into.extend_from_slice(&join.token);
                into.extend_from_slice(&join.connection.to_be_bytes());
                into.extend_from_slice(&join.room);
                into.extend_from_slice(&join.seen.to_be_bytes());
                put_name(into, &join.name, MOST_NAME);
            }
            Self::Welcome(welcome) => {
                into.extend_from_slice(&welcome.room);
                into.extend_from_slice(&welcome.after.to_be_bytes());
                put_name(into, &welcome.name, MOST_NAME);
            }
            Self::Say(say) => {
                into.extend_from_slice(&say.id.to_be_bytes());
                into.push(part_code(say.part));
                into.extend_from_slice(&say.piece);
            }
            Self::Said(said) => {
                into.extend_from_slice(&said.seq.to_be_bytes());
                into.extend_from_slice(&said.own.to_be_bytes());
                into.push(part_code(said.part));
                put_name(into, &said.name, MOST_NAME);
                into.extend_from_slice(&said.piece);
            }
            Self::Ack { id } | Self::AckUpTo { id } | Self::Damaged { after: id } => {
                into.extend_from_slice(&id.to_be_bytes());
            }
            Self::Nack { id, why } => {
                into.extend_from_slice(&id.to_be_bytes());
                let (code, number) = refused_code(*why);
                into.push(code);
                into.extend_from_slice(&number.to_be_bytes());
            }
            Self::Resumed => {}
            Self::Ping(number) | Self::Pong(number) => into.extend_from_slice(&number.to_be_bytes()),
            Self::Came(name) | Self::Left(name) => put_name(into, name, MOST_NAME),
            Self::Bye(why) => into.push(why.code()),
        }
    }

    /// Reads a whole frame, head included. None where it is damaged: where its digest does not fit,
    /// or, without one, where its body is not what its kind has.
    ///
    /// # Errors
    ///
    /// Its kind is not known, or its body is not what its kind has though nothing was damaged.
    pub(super) fn read(octets: &[u8], seal: Seal) -> Result<Option<Self>, Unreadable> {
        let kind = octets.first().copied().unwrap_or(0);
        let mut whole = octets;
        if seals(kind, seal) {
            let Some((covered, sum)) = octets.split_last_chunk::<DIGEST>() else { return Ok(None) };
            if digest(covered) != *sum {
                return Ok(None);
            }
            whole = covered;
        }
        let body = whole.get(HEAD..).unwrap_or_default();
        Self::read_body(kind, Reader::new(body)).map(Some).ok_or(Unreadable { kind })
    }

    fn read_body(kind: u8, mut body: Reader<'_>) -> Option<Self> {
        match kind {
            1 => {
                let (token, connection) = (body.array()?, body.word()?);
                let (room, seen) = (body.array()?, body.number()?);
                let name = body.name(MOST_NAME)?;
                body.all(Self::Join(Join { token, connection, room, seen, name }))
            }
            2 => {
                let (room, after) = (body.array()?, body.number()?);
                let name = body.name(MOST_NAME)?;
                body.all(Self::Welcome(Welcome { room, after, name }))
            }
            3 => {
                let (id, part) = (body.number()?, part_of(body.octet()?)?);
                Some(Self::Say(Say { id, part, piece: body.rest().to_vec() }))
            }
            4 => {
                let (seq, own) = (body.number()?, body.number()?);
                let part = part_of(body.octet()?)?;
                let name = body.name(MOST_NAME)?;
                Some(Self::Said(Said { seq, own, part, name, piece: body.rest().to_vec() }))
            }
            5 => body.number().and_then(|id| body.all(Self::Ack { id })),
            6 => body.number().and_then(|id| body.all(Self::AckUpTo { id })),
            7 => {
                let (id, code, number) = (body.number()?, body.octet()?, body.word()?);
                body.all(Self::Nack { id, why: refused_of(code, number) })
            }
            8 => body.number().and_then(|after| body.all(Self::Damaged { after })),
            9 => body.all(Self::Resumed),
            10 => body.number().and_then(|number| body.all(Self::Ping(number))),
            11 => body.number().and_then(|number| body.all(Self::Pong(number))),
            12 => body.name(MOST_NAME).and_then(|name| body.all(Self::Came(name))),
            13 => body.name(MOST_NAME).and_then(|name| body.all(Self::Left(name))),
            14 => body.octet().and_then(|code| body.all(Self::Bye(Bye::of(code)))),
            _ => None,
        }
    }
}

/// A frame that nobody damaged, as far as can be told, and that still says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Unreadable {
    /// Its kind.
    pub kind: u8,
}

/// Whether a frame of this kind bears a digest.
const fn seals(kind: u8, seal: Seal) -> bool {
    kind <= 2 || matches!(seal, Seal::Digest)
}

const fn part_code(part: Part) -> u8 {
    part.first as u8 | (part.last as u8) << 1
}

fn part_of(code: u8) -> Option<Part> {
    (code < 4).then_some(Part { first: code & 1 != 0, last: code & 2 != 0 })
}

fn refused_code(why: Refused) -> (u8, u32) {
    match why {
        Refused::TooLarge { most } => (1, most),
        Refused::TooFast { wait } => (2, u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
        Refused::Empty => (3, 0),
        Refused::NotText => (4, 0),
        Refused::Before => (5, 0),
        Refused::Other(code) => (code, 0),
    }
}

fn refused_of(code: u8, number: u32) -> Refused {
    match code {
        1 => Refused::TooLarge { most: number },
        2 => Refused::TooFast { wait: Duration::from_millis(u64::from(number)) },
        3 => Refused::Empty,
        4 => Refused::NotText,
        5 => Refused::Before,
        code => Refused::Other(code),
    }
}

#[cfg(test)]
pub(super) mod tests;
