//! In what ways random worlds differ, and which of them a seed draws.

use core::fmt;

use crate::channel::luck::Stream;

/// A dimension in which worlds differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dimension {
    /// Each frame may be lost.
    Loss,
    /// Frames are lost in bursts.
    Bursts,
    /// Frames are duplicated, up to five times, and the copies come late.
    Duplication,
    /// Frames are held back.
    Reordering,
    /// Frames are damaged, and their checksum tells.
    Corruption,
    /// Frames are damaged, and their checksum does not tell.
    Repaired,
    /// Delays from 10 µs to 2 s, different each way.
    Delay,
    /// Delays vary.
    Jitter,
    /// A slow line with a queue.
    Rate,
    /// The link goes down and comes back.
    Outages,
    /// Certain segments are dropped, damaged, doubled or held back.
    Picks,
    /// IPv6.
    Ipv6,
    /// Small and large packets.
    Mtu,
    /// Options of TCP are off on one side or both.
    Options,
    /// Small and large buffers.
    Buffers,
    /// Nagle, delayed acknowledgments, windows, timers.
    Settings,
    /// Initial sequence numbers just before the wrap.
    Wrap,
    /// Slow readers and writers.
    Paces,
    /// Applications that close, abort or vanish at any time.
    Closers,
    /// Several connections.
    Many,
    /// Both sides open at once.
    SimultaneousOpen,
    /// Nobody listens.
    Refused,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Loss,
        Self::Bursts,
        Self::Duplication,
        Self::Reordering,
        Self::Corruption,
        Self::Repaired,
        Self::Delay,
        Self::Jitter,
        Self::Rate,
        Self::Outages,
        Self::Picks,
        Self::Ipv6,
        Self::Mtu,
        Self::Options,
        Self::Buffers,
        Self::Settings,
        Self::Wrap,
        Self::Paces,
        Self::Closers,
        Self::Many,
        Self::SimultaneousOpen,
        Self::Refused,
    ];

    /// Once in how many worlds it exists.
    const fn one_in(self) -> u64 {
        match self {
            Self::Loss | Self::Delay | Self::Options | Self::Buffers | Self::Settings => 2,
            Self::Duplication
            | Self::Reordering
            | Self::Corruption
            | Self::Jitter
            | Self::Rate
            | Self::Picks
            | Self::Paces
            | Self::Closers
            | Self::Many => 3,
            Self::Bursts | Self::Outages | Self::Mtu | Self::Wrap => 4,
            Self::Ipv6 => 5,
            Self::SimultaneousOpen => 20,
            Self::Repaired => 25,
            Self::Refused => 40,
        }
    }
}

/// Some dimensions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dimensions(u32);

impl Dimensions {
    /// Those that a seed draws.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut stream = Stream::new(seed ^ 0x6469_6d65_6e73_696f);
        let mut dimensions = Self(0);
        for dimension in Dimension::ALL {
            if stream.one_in(dimension.one_in()) {
                dimensions.0 |= 1 << dimension as u32;
            }
        }
        dimensions
    }

    /// Whether one is among them.
    #[must_use]
    pub const fn has(self, dimension: Dimension) -> bool {
        self.0 & (1 << dimension as u32) != 0
    }

    /// The same without one.
    #[must_use]
    pub const fn without(self, dimension: Dimension) -> Self {
        Self(self.0 & !(1 << dimension as u32))
    }
}

impl fmt::Display for Dimensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for dimension in Dimension::ALL.into_iter().filter(|dimension| self.has(*dimension)) {
            write!(f, "{}{dimension:?}", if first { "" } else { " " })?;
            first = false;
        }
        if first { f.write_str("plain") } else { Ok(()) }
    }
}
