//! What one direction of a channel does to what passes through it.

use alloc::vec::Vec;
use core::time::Duration;

use aperto_time::Instant;

use super::Burst;
use crate::quantity::{Probability, Rate};

/// Whether a damaged frame can be told by its checksum.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Corruption {
    /// The checksum does not fit: the receiver discards it.
    #[default]
    BreaksChecksum,
    /// The checksum is repaired (`--fix-checksum`): only an application can notice.
    RepairsChecksum,
}

/// A time during which the link is down: what is sent then is lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Outage {
    /// From then on.
    pub from: Instant,
    /// Until just before then.
    pub to: Instant,
}

/// The impairments of one direction. What is not said is perfect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Impairments {
    /// How long a frame takes, once it has been sent.
    pub delay: Duration,
    /// By how much more or less, at most, evenly. Order is kept: a frame waits for the one before.
    pub jitter: Duration,
    /// What is lost, each frame by itself.
    pub loss: Probability,
    /// Losses that come together.
    pub burst: Option<Burst>,
    /// What is delivered more than once.
    pub duplication: Probability,
    /// How many copies come of a duplicated frame, beside itself. At least 1.
    pub copies: u32,
    /// How long after the frame, or the copy before it, a copy arrives.
    pub copy_delay: Duration,
    /// What is held back, so that what was sent later may overtake it.
    pub reordering: Probability,
    /// For how long, at most (from half of it on, evenly).
    pub hold: Duration,
    /// What is damaged.
    pub corruption: Probability,
    /// How many bits are flipped, at most (from 1 on, evenly).
    pub flips: u32,
    /// Whether the checksum tells, also for frames that are picked.
    pub checksum: Corruption,
    /// How fast frames are put on the wire; as fast as they come, if not said.
    pub rate: Option<Rate>,
    /// How many frames wait for the wire at most, where there is a rate; the rest is lost.
    pub queue: usize,
    /// The longest frame, in octets, that passes; longer ones are lost without a word.
    pub mtu: Option<usize>,
    /// When the link is down. In order, not overlapping.
    pub outages: Vec<Outage>,
}

impl Impairments {
    /// How many frames wait where nothing is said: 64.
    pub const QUEUE: usize = 64;

    /// Nothing but a delay.
    #[must_use]
    pub const fn only_delay(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            loss: Probability::ZERO,
            burst: None,
            duplication: Probability::ZERO,
            copies: 1,
            copy_delay: Duration::ZERO,
            reordering: Probability::ZERO,
            hold: Duration::from_millis(10),
            corruption: Probability::ZERO,
            flips: 1,
            checksum: Corruption::BreaksChecksum,
            rate: None,
            queue: Self::QUEUE,
            mtu: None,
            outages: Vec::new(),
        }
    }

    /// The same without anything that loses, damages, repeats or reorders: delay, jitter and rate
    /// stay, the queue grows without loss.
    #[must_use]
    pub fn calmed(&self) -> Self {
        Self { jitter: self.jitter, rate: self.rate, queue: usize::MAX, ..Self::only_delay(self.delay) }
    }
}

impl Default for Impairments {
    /// No impairment and no delay.
    fn default() -> Self {
        Self::only_delay(Duration::ZERO)
    }
}

/// Channels with a name: `--channel wifi`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preset {
    /// 20 ms each way and nothing else: the textbook's channel.
    Perfect,
    /// A cable in the same room: 0.2 ms, 1 Gbit/s, 1,000 frames of queue.
    Lan,
    /// A house with neighbours: 3 ms with 2 ms of jitter, 50 Mbit/s, bursts of 20 ms every 4 s that
    /// lose half, 0.1 % loss, 256 frames of queue.
    Wifi,
    /// A phone: 30 ms with 10 ms of jitter, 8 Mbit/s up and 20 down, 0.2 % loss, 300 frames of queue.
    FourG,
    /// A satellite 35,786 km up (120 ms of light each way up and down, and its ground stations):
    /// 280 ms with 5 ms of jitter, 2 Mbit/s up and 10 down, 0.5 % loss, 500 frames of queue.
    Satellite,
    /// All at once: 150 ms with 50 ms of jitter, 256 kbit/s, 16 frames of queue, 10 % loss, 2 %
    /// duplicated, 10 % held back up to 100 ms, 1 % damaged.
    Awful,
}

impl Preset {
    /// All of them, from good to bad.
    pub const ALL: [Self; 6] =
        [Self::Perfect, Self::Lan, Self::Wifi, Self::FourG, Self::Satellite, Self::Awful];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Perfect => "perfect",
            Self::Lan => "lan",
            Self::Wifi => "wifi",
            Self::FourG => "4g",
            Self::Satellite => "satellite",
            Self::Awful => "awful",
        }
    }

    /// The preset with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// What it does to frames from client to server, and back.
    #[must_use]
    pub fn impairments(self) -> (Impairments, Impairments) {
        let ms = Duration::from_millis;
        let same = |impairments: Impairments| (impairments.clone(), impairments);
        match self {
            Self::Perfect => same(Impairments::only_delay(ms(20))),
            Self::Lan => same(Impairments {
                rate: Some(Rate::from_kilobits(1_000_000)),
                queue: 1_000,
                ..Impairments::only_delay(Duration::from_micros(200))
            }),
            Self::Wifi => same(Impairments {
                jitter: ms(2),
                rate: Some(Rate::from_kilobits(50_000)),
                queue: 256,
                loss: Probability::from_millionths(1_000),
                burst: Some(Burst { calm: ms(4_000), bad: ms(20), loss: Probability::from_percent(50) }),
                ..Impairments::only_delay(ms(3))
            }),
            Self::FourG => {
                let up = Impairments {
                    jitter: ms(10),
                    rate: Some(Rate::from_kilobits(8_000)),
                    queue: 300,
                    loss: Probability::from_millionths(2_000),
                    ..Impairments::only_delay(ms(30))
                };
                let down = Impairments { rate: Some(Rate::from_kilobits(20_000)), ..up.clone() };
                (up, down)
            }
            Self::Satellite => {
                let up = Impairments {
                    jitter: ms(5),
                    rate: Some(Rate::from_kilobits(2_000)),
                    queue: 500,
                    loss: Probability::from_millionths(5_000),
                    ..Impairments::only_delay(ms(280))
                };
                let down = Impairments { rate: Some(Rate::from_kilobits(10_000)), ..up.clone() };
                (up, down)
            }
            Self::Awful => same(Impairments {
                jitter: ms(50),
                rate: Some(Rate::from_kilobits(256)),
                queue: 16,
                loss: Probability::from_percent(10),
                duplication: Probability::from_percent(2),
                reordering: Probability::from_percent(10),
                hold: ms(100),
                corruption: Probability::from_percent(1),
                flips: 3,
                ..Impairments::only_delay(ms(150))
            }),
        }
    }
}
