//! TCP options: what they mean once they are parsed.
//!
//! RFC 9293 §3.2; RFC 7323 (window scale, timestamps); RFC 2018 (SACK); RFC 7413 (Fast Open);
//! RFC 5482 (user timeout).

use crate::SeqNumber;

/// The options of one segment that we know, each at most once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Maximum segment size, in octets: what the sender can receive. Only on a SYN.
    pub mss: Option<u16>,
    /// Window scale: by how many bits the sender's windows are shifted, as it stood on the wire. Only on a SYN.
    pub window_scale: Option<u8>,
    /// SACK permitted. Only on a SYN.
    pub sack_permitted: bool,
    /// Selective acknowledgments: what lies beyond the hole.
    pub sack: SackBlocks,
    /// Timestamps.
    pub timestamps: Option<Timestamps>,
    /// User timeout.
    pub user_timeout: Option<UserTimeout>,
    /// Fast Open cookie, or the request for one.
    pub fast_open: Option<FastOpenCookie>,
}

impl Options {
    /// No option at all.
    pub const NONE: Self = Self {
        mss: None,
        window_scale: None,
        sack_permitted: false,
        sack: SackBlocks::NONE,
        timestamps: None,
        user_timeout: None,
        fast_open: None,
    };
}

/// The two numbers of a timestamps option.
///
/// RFC 7323 §3.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timestamps {
    /// TSval: the sender's clock when the segment left.
    pub value: u32,
    /// TSecr: the value that the sender last took from us.
    pub echo: u32,
}

/// One selective acknowledgment: `start` is the first number held, `end` the first not held.
///
/// RFC 2018 §3. Whether it makes sense is for the connection to judge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SackBlock {
    /// Left edge: the first sequence number of the block.
    pub start: SeqNumber,
    /// Right edge: the number after the last of the block.
    pub end: SeqNumber,
}

/// The blocks of one SACK option, in the order of the wire; four at most fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SackBlocks {
    blocks: [SackBlock; 4],
    count: u8,
}

impl SackBlocks {
    /// How many blocks fit into 40 octets of options.
    pub const MAX: usize = 4;
    /// No block.
    pub const NONE: Self =
        Self { blocks: [SackBlock { start: SeqNumber::new(0), end: SeqNumber::new(0) }; 4], count: 0 };

    /// Adds a block at the end; says whether there was room.
    pub fn push(&mut self, block: SackBlock) -> bool {
        let Some(place) = self.blocks.get_mut(usize::from(self.count)) else { return false };
        *place = block;
        self.count += 1;
        true
    }

    /// The blocks, in the order of the wire.
    #[must_use]
    pub fn as_slice(&self) -> &[SackBlock] {
        &self.blocks[..usize::from(self.count)]
    }

    /// Whether there is no block.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<SackBlock> for SackBlocks {
    /// The first four of the blocks.
    fn from_iter<I: IntoIterator<Item = SackBlock>>(blocks: I) -> Self {
        let mut taken = Self::NONE;
        for block in blocks.into_iter().take(Self::MAX) {
            taken.push(block);
        }
        taken
    }
}

/// How long the sender keeps unacknowledged data before it gives up.
///
/// RFC 5482 §3: fifteen bits and their unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserTimeout {
    /// The number, 0 to 32,767.
    pub amount: u16,
    /// Whether the number counts minutes (the granularity bit) or seconds.
    pub minutes: bool,
}

impl UserTimeout {
    /// The timeout in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        if self.minutes { self.amount as u32 * 60 } else { self.amount as u32 }
    }
}

/// A TCP Fast Open cookie: 4 to 16 octets, or none where the client asks for one.
///
/// RFC 7413 §4.1.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FastOpenCookie {
    octets: [u8; 16],
    length: u8,
}

impl FastOpenCookie {
    /// The request for a cookie: the option without octets.
    pub const REQUEST: Self = Self { octets: [0; 16], length: 0 };

    /// A cookie of these octets: an even number of them, 4 to 16, or none for a request.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        let fits = octets.is_empty() || ((4..=16).contains(&octets.len()) && octets.len().is_multiple_of(2));
        let mut cookie = Self::REQUEST;
        cookie.length = u8::try_from(octets.len()).ok().filter(|_| fits)?;
        cookie.octets[..octets.len()].copy_from_slice(octets);
        Some(cookie)
    }

    /// The cookie's octets; none in a request.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }
}
