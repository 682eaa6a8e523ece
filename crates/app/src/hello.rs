//! HELLO: what both sides agree on before the first message.
//!
//! One side asks ([`Ask`]), the other has something to offer ([`Offer`]), and [`grant`] says what
//! comes of it: [`Terms`], or a [`Refusal`] with its reason. The rules, in the order in which they
//! are applied:
//!
//! | what | rule |
//! | --- | --- |
//! | mode, integrity | the first that is asked for and offered; none: refused, never weakened in silence |
//! | largest message | the smaller of both; below 30 octets it is refused, as the classroom asks |
//! | payload, window | the smaller of both; stop-and-wait has a window of 1 |
//! | group acknowledgements | if both want them and the mode has a window, else individual ones |
//! | negative acknowledgements | if both want them |
//!
//! So whoever offers can only lower what is asked, and [`Ask::allows`] lets the asker check that.
//! The octets of the messages are in `hello/codec.rs`.
//!
//! Left out: keys, names, passwords. They belong to what is spoken afterwards.

use alloc::vec::Vec;
use core::fmt;

mod codec;
#[cfg(test)]
mod tests;

pub use codec::{DecodeError, Fault, Hello, LONGEST, MAGIC, VERSION};
pub(crate) use codec::{seal, unseal};

/// The smallest largest message: 30 octets, which the assignment asks for.
pub const SMALLEST_MAX_MESSAGE: u32 = 30;
/// The largest largest message: 16 MiB.
pub const LARGEST_MAX_MESSAGE: u32 = 1 << 24;
/// The longest payload of one packet: what a UDP datagram over IPv4 carries, less 128 octets for
/// the headers of whatever lies between.
pub const LARGEST_PAYLOAD: u16 = 65_507 - 128;
/// The largest window: half of the 14-bit numbers, which is what Selective Repeat can use.
pub const LARGEST_WINDOW: u16 = 1 << 13;

/// How messages travel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mode {
    /// Over a TCP connection.
    Tcp,
    /// Stop-and-wait.
    StopAndWait,
    /// Go-Back-N.
    GoBackN,
    /// Selective Repeat.
    SelectiveRepeat,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::StopAndWait, Self::GoBackN, Self::SelectiveRepeat];

    /// Its name on the command line, on the screen and in recordings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::StopAndWait => "saw",
            Self::GoBackN => "gbn",
            Self::SelectiveRepeat => "sr",
        }
    }

    /// Whether more than one packet may be unacknowledged.
    #[must_use]
    pub const fn has_window(self) -> bool {
        match self {
            Self::StopAndWait => false,
            Self::Tcp | Self::GoBackN | Self::SelectiveRepeat => true,
        }
    }
}

/// How damage is noticed, or prevented.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Integrity {
    /// Not at all, above what the mode itself does.
    None,
    /// The Internet checksum over each packet. RFC 1071.
    InternetChecksum,
    /// CRC-32 over each packet.
    Crc32,
    /// A cryptographic digest over each message.
    Digest,
    /// Authenticated encryption.
    Aead,
}

impl Integrity {
    /// All of them, the weakest first.
    pub const ALL: [Self; 5] = [Self::None, Self::InternetChecksum, Self::Crc32, Self::Digest, Self::Aead];

    /// Its name on the command line, on the screen and in recordings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::InternetChecksum => "checksum",
            Self::Crc32 => "crc32",
            Self::Digest => "digest",
            Self::Aead => "aead",
        }
    }
}

/// What one acknowledgement is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Acknowledgement {
    /// One packet, or one message.
    #[default]
    Individual,
    /// As many as the window holds, or the rest of a message.
    Group,
}

/// Whether what is missing or damaged is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Negative {
    /// No: a timer alone notices.
    #[default]
    Off,
    /// Yes.
    On,
}

/// What one side would like.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ask {
    /// Modes, the best first; at least one.
    pub modes: Vec<Mode>,
    /// Ways to notice damage, the best first; at least one.
    pub integrities: Vec<Integrity>,
    /// The largest message that it wants to send, in octets.
    pub max_message: u32,
    /// Octets of a message in one packet; at least 1.
    pub payload: u16,
    /// Packets (or messages) that may be unacknowledged; at least 1.
    pub window: u16,
    /// What one acknowledgement is for.
    pub acknowledgement: Acknowledgement,
    /// Whether what is missing is asked for.
    pub negative: Negative,
}

impl Ask {
    /// The usual wishes for a mode: 100 octets a message, 4 a packet, a window of 5, the Internet
    /// checksum, or nothing over TCP, which has one itself.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        let integrity = if mode == Mode::Tcp { Integrity::None } else { Integrity::InternetChecksum };
        Self {
            modes: Vec::from([mode]),
            integrities: Vec::from([integrity]),
            max_message: 100,
            payload: 4,
            window: if mode.has_window() { 5 } else { 1 },
            acknowledgement: Acknowledgement::Individual,
            negative: Negative::Off,
        }
    }

    /// Whether these terms are no more than what was asked: nobody may grant something else.
    #[must_use]
    pub fn allows(&self, terms: &Terms) -> bool {
        self.modes.contains(&terms.mode)
            && self.integrities.contains(&terms.integrity)
            && (SMALLEST_MAX_MESSAGE..=self.max_message).contains(&terms.max_message)
            && (1..=self.payload).contains(&terms.payload)
            && (1..=self.window).contains(&terms.window)
            && (terms.mode.has_window() || terms.window == 1)
            && terms.acknowledgement <= self.acknowledgement
            && terms.negative <= self.negative
    }
}

/// What the other side can do, and its limits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Offer {
    /// Modes that it speaks.
    pub modes: Vec<Mode>,
    /// Ways to notice damage that it knows.
    pub integrities: Vec<Integrity>,
    /// The largest message that it takes.
    pub max_message: u32,
    /// The longest payload that it takes.
    pub payload: u16,
    /// The largest window that it keeps.
    pub window: u16,
    /// [`Acknowledgement::Group`] if it can acknowledge groups.
    pub acknowledgement: Acknowledgement,
    /// [`Negative::On`] if it can ask for what is missing.
    pub negative: Negative,
}

impl Offer {
    /// These modes with everything else that there is, and no limit but the largest.
    #[must_use]
    pub fn new(modes: &[Mode], integrities: &[Integrity]) -> Self {
        Self {
            modes: modes.to_vec(),
            integrities: integrities.to_vec(),
            max_message: LARGEST_MAX_MESSAGE,
            payload: LARGEST_PAYLOAD,
            window: LARGEST_WINDOW,
            acknowledgement: Acknowledgement::Group,
            negative: Negative::On,
        }
    }
}

/// What both sides agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Terms {
    /// How messages travel.
    pub mode: Mode,
    /// How damage is noticed.
    pub integrity: Integrity,
    /// The largest message, in octets.
    pub max_message: u32,
    /// Octets of a message in one packet.
    pub payload: u16,
    /// Packets (or messages) that may be unacknowledged.
    pub window: u16,
    /// What one acknowledgement is for.
    pub acknowledgement: Acknowledgement,
    /// Whether what is missing is asked for.
    pub negative: Negative,
}

/// Why there is no agreement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The ask is of a version that is not spoken here; this one is.
    Version {
        /// The version that is spoken.
        spoken: u8,
    },
    /// None of the modes is offered.
    NoCommonMode,
    /// None of the ways to notice damage is offered.
    NoCommonIntegrity,
    /// A largest message below the least that is useful, on one of the sides.
    MessageTooSmall {
        /// The least.
        least: u32,
    },
    /// There are too many already.
    Full,
    /// It is closing and takes nobody.
    Closing,
    /// A reason of a later version.
    Other(u8),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { spoken } => write!(f, "version {spoken} is spoken here"),
            Self::NoCommonMode => f.write_str("no common mode"),
            Self::NoCommonIntegrity => f.write_str("no common way to notice damage"),
            Self::MessageTooSmall { least } => {
                write!(f, "the largest message must be {least} octets or more")
            }
            Self::Full => f.write_str("too many already"),
            Self::Closing => f.write_str("closing"),
            Self::Other(code) => write!(f, "unknown reason {code}"),
        }
    }
}

/// What comes of an ask and an offer; the rules are in the [module's](self) table.
///
/// # Errors
///
/// Why there is no agreement.
pub fn grant(ask: &Ask, offer: &Offer) -> Result<Terms, Refusal> {
    let common_mode = ask.modes.iter().find(|mode| offer.modes.contains(mode));
    let mode = *common_mode.ok_or(Refusal::NoCommonMode)?;
    let common = ask.integrities.iter().find(|integrity| offer.integrities.contains(integrity));
    let integrity = *common.ok_or(Refusal::NoCommonIntegrity)?;
    let max_message = ask.max_message.min(offer.max_message).min(LARGEST_MAX_MESSAGE);
    if max_message < SMALLEST_MAX_MESSAGE {
        return Err(Refusal::MessageTooSmall { least: SMALLEST_MAX_MESSAGE });
    }
    let has_window = mode.has_window();
    Ok(Terms {
        mode,
        integrity,
        max_message,
        payload: ask.payload.min(offer.payload).clamp(1, LARGEST_PAYLOAD),
        window: if has_window { ask.window.min(offer.window).clamp(1, LARGEST_WINDOW) } else { 1 },
        acknowledgement: match ask.acknowledgement.min(offer.acknowledgement) {
            Acknowledgement::Group if has_window => Acknowledgement::Group,
            Acknowledgement::Group | Acknowledgement::Individual => Acknowledgement::Individual,
        },
        negative: ask.negative.min(offer.negative),
    })
}

/// Something that was granted otherwise than it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// Not the first mode that was asked for.
    Mode,
    /// Not the first way to notice damage.
    Integrity,
    /// A smaller largest message.
    MaxMessage,
    /// A shorter payload.
    Payload,
    /// A smaller window.
    Window,
    /// Individual acknowledgements instead of groups.
    Acknowledgement,
    /// No negative acknowledgements.
    Negative,
}

impl Terms {
    /// What is otherwise than it was asked for, for whoever shows it.
    pub fn changes(&self, ask: &Ask) -> impl Iterator<Item = Change> + use<> {
        [
            (ask.modes.first() != Some(&self.mode), Change::Mode),
            (ask.integrities.first() != Some(&self.integrity), Change::Integrity),
            (ask.max_message != self.max_message, Change::MaxMessage),
            (ask.payload != self.payload, Change::Payload),
            (ask.window != self.window, Change::Window),
            (ask.acknowledgement != self.acknowledgement, Change::Acknowledgement),
            (ask.negative != self.negative, Change::Negative),
        ]
        .into_iter()
        .filter_map(|(otherwise, change)| otherwise.then_some(change))
    }
}
