//! What can be set, and what cannot go together.
//!
//! One [`Config`] serves both ends of a connection and all three protocols; [`Config::check`] says
//! what a protocol cannot work with, and why. The bounds on windows are those of Kurose and Ross
//! §3.4.3 and §3.4.4.

use core::fmt;
use core::time::Duration;

use crate::{Checksum, Format, Sequence, Space};

/// The longest payload: a UDP datagram over IPv4 (65 507 octets) less our longest header (10).
pub const MAX_PAYLOAD_OCTETS: u16 = 65_497;

/// Which of the three.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// One packet at a time, Kurose and Ross §3.4.1 (rdt3.0).
    StopAndWait,
    /// A window that is resent from its start, §3.4.3.
    GoBackN,
    /// A window of which only what is missing is resent, §3.4.4.
    SelectiveRepeat,
}

/// When the receiver acknowledges.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Acknowledgements {
    /// Each packet that arrives, as in the book.
    #[default]
    Individual,
    /// Several packets at once; the end of a message always completes a group.
    Group(Group),
}

/// How many packets a group acknowledgement waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Group {
    /// This many, from 1 to the window: a sender with a full window sends nothing that could
    /// complete a larger group.
    Every(u16),
    /// As many as the window holds.
    Window,
}

/// Whether the receiver asks for what is missing instead of leaving it to the sender's timer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum NegativeAcknowledgements {
    /// Only the timer recovers, as in the book's Go-Back-N and Selective Repeat.
    #[default]
    Off,
    /// A NACK, once for each packet that is missing or damaged; if it does not help, the timer will.
    On,
}

/// Everything that both ends are told beforehand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Packets that may be on their way unacknowledged. Stop-and-wait: 1. Go-Back-N: 1 to 2^k - 1.
    /// Selective Repeat: 1 to 2^(k-1). Default 4.
    pub window_packets: u16,
    /// Octets of a message in one packet, 1 to 65 497. Default 4, as in the classroom.
    pub payload_octets: u16,
    /// When the receiver acknowledges. Default: each packet.
    pub acknowledgements: Acknowledgements,
    /// Whether the receiver asks for missing packets. Default: no.
    pub negative_acknowledgements: NegativeAcknowledgements,
    /// How long the sender waits for an acknowledgement; more than nothing. Default 100 ms.
    pub timer: Duration,
    /// How often in a row the timer may resend without an answer before the sender gives up.
    /// Default 15; `u32::MAX` is never.
    pub max_retries: u32,
    /// The sequence numbers. Default 14 bits.
    ///
    /// Any space works while packets stay in order. Where they may overtake each other, so few
    /// numbers must be used up during the longest life of a packet that an old one cannot be
    /// taken for a new one.
    pub space: Space,
    /// The number of the first packet, within the space. Default 0.
    pub first_sequence: Sequence,
    /// How damage is noticed. Default: the Internet checksum.
    pub checksum: Checksum,
    /// Packets that the sender keeps for later, at least 1. Default 65 536.
    pub queue_packets: usize,
    /// Packets that wait for the receiver's application, at least 1; beyond them (and one
    /// window), what arrives is discarded unacknowledged. Default 65 536.
    pub unread_packets: usize,
}

impl Config {
    /// The defaults; the window is 1 for stop-and-wait.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        let window_packets = match protocol {
            Protocol::StopAndWait => 1,
            Protocol::GoBackN | Protocol::SelectiveRepeat => 4,
        };
        Self {
            window_packets,
            payload_octets: 4,
            acknowledgements: Acknowledgements::Individual,
            negative_acknowledgements: NegativeAcknowledgements::Off,
            timer: Duration::from_millis(100),
            max_retries: 15,
            space: Space::BITS_14,
            first_sequence: Sequence::new(0),
            checksum: Checksum::Internet,
            queue_packets: 65_536,
            unread_packets: 65_536,
        }
    }

    /// What the packets look like.
    #[must_use]
    pub const fn format(&self) -> Format {
        Format { space: self.space, checksum: self.checksum }
    }

    /// How many packets complete a group.
    #[must_use]
    pub const fn group_packets(&self) -> u32 {
        match self.acknowledgements {
            Acknowledgements::Individual => 1,
            Acknowledgements::Group(Group::Every(packets)) => packets as u32,
            Acknowledgements::Group(Group::Window) => self.window_packets as u32,
        }
    }

    /// The largest window that a protocol can have in a space.
    ///
    /// Go-Back-N: one less than the numbers there are. With all of them in flight, "everything
    /// arrived, all acknowledgements lost" and "nothing arrived" look the same to the receiver.
    /// Selective Repeat: half of them, since the receiver's window may be a whole window ahead of
    /// the sender's, and no number may lie in both. Kurose and Ross §3.4.4.
    #[must_use]
    pub const fn largest_window(protocol: Protocol, space: Space) -> u32 {
        match protocol {
            Protocol::StopAndWait => 1,
            Protocol::GoBackN => space.size() - 1,
            Protocol::SelectiveRepeat => space.size() / 2,
        }
    }

    /// Whether the protocol can work with this.
    ///
    /// # Errors
    ///
    /// The first thing that it cannot work with.
    pub fn check(&self, protocol: Protocol) -> Result<(), ConfigError> {
        let window = u32::from(self.window_packets);
        let bits = self.space.bits();
        let largest = Self::largest_window(protocol, self.space);
        if window == 0 {
            return Err(ConfigError::NoWindow);
        }
        if window > largest {
            return Err(match protocol {
                Protocol::StopAndWait => ConfigError::StopAndWaitWindow { window },
                Protocol::GoBackN => ConfigError::GoBackNWindow { window, largest, bits },
                Protocol::SelectiveRepeat => ConfigError::SelectiveRepeatWindow { window, largest, bits },
            });
        }
        if !(1..=MAX_PAYLOAD_OCTETS).contains(&self.payload_octets) {
            return Err(ConfigError::Payload { octets: self.payload_octets, largest: MAX_PAYLOAD_OCTETS });
        }
        let group = self.group_packets();
        if !(1..=window).contains(&group) {
            return Err(ConfigError::Group { packets: group, window });
        }
        if self.timer.is_zero() {
            return Err(ConfigError::NoTimer);
        }
        if !self.space.contains(self.first_sequence) {
            return Err(ConfigError::FirstSequence { sequence: self.first_sequence, bits });
        }
        if self.queue_packets == 0 || self.unread_packets == 0 {
            return Err(ConfigError::NoRoom);
        }
        Ok(())
    }
}

/// What a protocol cannot work with, and why.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// With a window of 0 nothing may ever be sent.
    NoWindow,
    /// Stop-and-wait has one packet on its way: its window is 1.
    StopAndWaitWindow {
        /// The window asked for.
        window: u32,
    },
    /// Go-Back-N needs one number more than its window, or a whole window sent again looks new.
    GoBackNWindow {
        /// The window asked for.
        window: u32,
        /// The largest that works: 2^k - 1.
        largest: u32,
        /// k.
        bits: u8,
    },
    /// Selective Repeat needs twice as many numbers as its window, or an old packet looks new.
    SelectiveRepeatWindow {
        /// The window asked for.
        window: u32,
        /// The largest that works: 2^(k-1).
        largest: u32,
        /// k.
        bits: u8,
    },
    /// A payload has at least one octet and must fit a datagram.
    Payload {
        /// The payload asked for.
        octets: u16,
        /// The longest.
        largest: u16,
    },
    /// A group larger than the window is never complete: the sender waits for its acknowledgement.
    Group {
        /// The group asked for.
        packets: u32,
        /// The window.
        window: u32,
    },
    /// A timer of nothing resends for ever and before any answer can come.
    NoTimer,
    /// The first number does not exist in the space.
    FirstSequence {
        /// The number.
        sequence: Sequence,
        /// k.
        bits: u8,
    },
    /// The queues must hold at least one packet.
    NoRoom,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWindow => write!(f, "with a window of 0 nothing can be sent"),
            Self::StopAndWaitWindow { window } => {
                write!(f, "stop-and-wait has one packet on its way: its window is 1, not {window}")
            }
            Self::GoBackNWindow { window, largest, bits } => write!(
                f,
                "a Go-Back-N window of {window} is too large for numbers of {bits} bits: above {largest} \
                 (2^{bits} - 1) a window that is sent again cannot be told from a new one"
            ),
            Self::SelectiveRepeatWindow { window, largest, bits } => write!(
                f,
                "a Selective Repeat window of {window} is too large for numbers of {bits} bits: above \
                 {largest} (half of 2^{bits}) an old packet cannot be told from a new one"
            ),
            Self::Payload { octets, largest } => {
                write!(f, "a payload has 1 to {largest} octets, not {octets}")
            }
            Self::Group { packets, window } => write!(
                f,
                "a group of {packets} packets is never complete: the window lets {window} go unacknowledged"
            ),
            Self::NoTimer => write!(f, "the timer must be longer than nothing"),
            Self::FirstSequence { sequence, bits } => {
                write!(f, "number {sequence} does not exist in a space of {bits} bits")
            }
            Self::NoRoom => write!(f, "the queues must hold at least one packet"),
        }
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn check(protocol: Protocol, change: impl FnOnce(&mut Config)) -> Result<(), ConfigError> {
        let mut config = Config::new(protocol);
        change(&mut config);
        config.check(protocol)
    }

    fn space(bits: u8) -> Space {
        Space::from_bits(bits).unwrap()
    }

    #[test]
    fn the_defaults_work_for_each_protocol() {
        for protocol in [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat] {
            assert_eq!(check(protocol, |_| ()), Ok(()));
        }
    }

    /// Kurose and Ross §3.4.4: four numbers (k = 2) and a window of three is the book's dilemma.
    #[test]
    fn selective_repeat_may_use_half_of_the_numbers() {
        let window = |packets| {
            check(Protocol::SelectiveRepeat, |c| {
                c.space = space(2);
                c.window_packets = packets;
            })
        };
        assert_eq!(window(2), Ok(()));
        let refused = ConfigError::SelectiveRepeatWindow { window: 3, largest: 2, bits: 2 };
        assert_eq!(window(3), Err(refused));
        assert!(refused.to_string().contains("an old packet cannot be told from a new one"));
    }

    #[test]
    fn go_back_n_may_use_all_numbers_but_one() {
        let window = |packets| {
            check(Protocol::GoBackN, |c| {
                c.space = space(3);
                c.window_packets = packets;
            })
        };
        assert_eq!(window(7), Ok(()));
        assert_eq!(window(8), Err(ConfigError::GoBackNWindow { window: 8, largest: 7, bits: 3 }));
        assert_eq!(window(0), Err(ConfigError::NoWindow));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        use Protocol::{GoBackN, SelectiveRepeat, StopAndWait};
        assert_eq!(
            check(StopAndWait, |c| c.window_packets = 2),
            Err(ConfigError::StopAndWaitWindow { window: 2 })
        );
        assert_eq!(
            check(GoBackN, |c| c.payload_octets = 0),
            Err(ConfigError::Payload { octets: 0, largest: 65_497 })
        );
        assert!(check(GoBackN, |c| c.payload_octets = 65_497).is_ok());
        assert!(check(GoBackN, |c| c.payload_octets = 65_498).is_err());
        let group = |packets| {
            check(SelectiveRepeat, |c| {
                c.acknowledgements = Acknowledgements::Group(Group::Every(packets));
            })
        };
        assert_eq!(group(4), Ok(()));
        assert_eq!(group(5), Err(ConfigError::Group { packets: 5, window: 4 }));
        assert_eq!(group(0), Err(ConfigError::Group { packets: 0, window: 4 }));
        assert_eq!(check(GoBackN, |c| c.timer = Duration::ZERO), Err(ConfigError::NoTimer));
        assert_eq!(check(GoBackN, |c| c.queue_packets = 0), Err(ConfigError::NoRoom));
        assert_eq!(
            check(StopAndWait, |c| {
                c.space = Space::ALTERNATING_BIT;
                c.first_sequence = Sequence::new(2);
            }),
            Err(ConfigError::FirstSequence { sequence: Sequence::new(2), bits: 1 })
        );
    }
}
