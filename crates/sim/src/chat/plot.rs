//! From a seed to a plan: who comes, what is said, what breaks, when the server is killed.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use aperto_app::hello::{Acknowledgement, Ask, Integrity, Mode, Negative};

use crate::campaign::plot::{impairments, magnitude, picks};
use crate::campaign::{Dimension, Dimensions};
use crate::channel::luck::Stream;
use crate::channel::picks::Picks;
use crate::channel::{Corruption, Direction, Framing, Settings};
use crate::quantity::Probability;

/// How a connection breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// The member's host resets it.
    Reset,
    /// The member's host forgets it, and says nothing.
    Forget,
}

/// A member's part.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub ask: Ask,
    /// When it comes.
    pub comes: Duration,
    /// What it says, and when, in order.
    pub says: Vec<(Duration, String)>,
    /// When its connection breaks, in order.
    pub breaks: Vec<(Duration, Break)>,
    /// When it leaves for good, if it does.
    pub leaves: Option<Duration>,
    /// What is between it and the server.
    pub channel: Settings,
}

/// A time at which the server is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kill {
    /// When.
    pub at: Duration,
    /// How long it is away.
    pub away: Duration,
    /// Whether its host refuses connections meanwhile; else it is silent.
    pub refuses: bool,
    /// How much of what the disk had not confirmed is there afterwards, in thousandths.
    pub keeps: u64,
}

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plot {
    /// The seed.
    pub seed: u64,
    /// What the network does.
    pub dimensions: Dimensions,
    /// The members.
    pub parts: Vec<Part>,
    /// What the operator says.
    pub operator: Vec<(Duration, String)>,
    /// When the server is killed, in order.
    pub kills: Vec<Kill>,
    /// How long the disk takes at most.
    pub disk: Duration,
    /// How long things go wrong.
    pub trouble: Duration,
    /// How long everything may take after that.
    pub patience: Duration,
    /// The size of the send and receive buffers of connections.
    pub buffer: usize,
    /// The largest packet.
    pub mtu: usize,
    /// Whether frames are damaged so that no checksum of the network tells.
    pub repaired: bool,
    /// The largest window that the room grants.
    pub window: u16,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The plan of a seed.
#[must_use]
pub fn plot(seed: u64) -> Plot {
    let dimensions = Dimensions::of(seed);
    let mut draw = Stream::new(seed ^ 0x6368_6174_0000_0000);
    let trouble = ms(magnitude(&mut draw, 500, 60_000));
    let members = draw.between(2, 5);
    let repaired = draw.one_in(6).then(|| Probability::from_millionths(draw.one_of([2_000, 10_000, 50_000])));
    let breaks = draw.one_in(2);
    let parts: Vec<Part> =
        (0..members).map(|place| part(seed, place, dimensions, trouble, repaired, breaks)).collect();
    let operator = (0..draw.between(0, 4))
        .map(|number| (at(&mut draw, trouble), format!("servidor {number}")))
        .collect::<Vec<_>>();
    let kills = if draw.one_in(2) { kills(&mut draw, &parts, trouble) } else { Vec::new() };
    let buffer =
        if dimensions.has(Dimension::Buffers) { draw.one_of([600, 1_460, 4_096, 65_535]) } else { 256 << 10 };
    let mtu = if dimensions.has(Dimension::Mtu) { draw.one_of([576, 1_280, 9_000]) } else { 1_500 };
    Plot {
        seed,
        dimensions,
        parts,
        operator: sorted(operator),
        kills,
        disk: ms(draw.one_of([0, 1, 30, 500, 3_000])),
        trouble,
        patience: Duration::from_secs(900),
        buffer,
        mtu: usize::try_from(mtu).unwrap_or(1_500),
        repaired: repaired.is_some(),
        window: draw.one_of([1, 2, 5, 64]),
    }
}

fn at(draw: &mut Stream, trouble: Duration) -> Duration {
    ms(draw.between(0, u64::try_from(trouble.as_millis()).unwrap_or(u64::MAX)))
}

fn sorted<T>(mut all: Vec<(Duration, T)>) -> Vec<(Duration, T)> {
    all.sort_by_key(|(at, _)| *at);
    all
}

fn kills(draw: &mut Stream, parts: &[Part], trouble: Duration) -> Vec<Kill> {
    let says: Vec<Duration> = parts.iter().flat_map(|part| part.says.iter().map(|(at, _)| *at)).collect();
    // Half of them when something may just be on its way to the disk.
    let soon = |draw: &mut Stream| {
        let place = draw.between(0, (says.len() as u64).saturating_sub(1));
        let said = usize::try_from(place).ok().and_then(|place| says.get(place)).copied();
        let later = ms(magnitude(draw, 1, 1_000));
        said.filter(|_| draw.one_in(2)).map_or_else(|| at(draw, trouble), |at| at + later)
    };
    let mut kills: Vec<Kill> = (0..draw.between(1, 3))
        .map(|_| Kill {
            at: soon(draw),
            away: ms(magnitude(draw, 1, 8_000)),
            refuses: draw.one_in(2),
            keeps: draw.one_of([0, 0, 1_000, draw.clone().between(0, 1_000)]),
        })
        .collect();
    kills.sort_by_key(|kill| kill.at);
    let mut free = Duration::ZERO;
    for kill in &mut kills {
        // Nobody is killed who is not there.
        kill.at = kill.at.max(free + ms(1));
        free = kill.at + kill.away;
    }
    kills
}

fn part(
    seed: u64,
    place: u64,
    dimensions: Dimensions,
    trouble: Duration,
    repaired: Option<Probability>,
    breaks: bool,
) -> Part {
    let mut draw = Stream::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (place + 1) << 48);
    let payload = draw.one_of([4, 100, 1_000, 60_000]);
    let max_message = u32::try_from(magnitude(&mut draw, 30, 60_000)).unwrap_or(30);
    let digest = repaired.is_some() || draw.one_in(2);
    let ask = Ask {
        modes: Vec::from([Mode::Tcp]),
        integrities: Vec::from([if digest { Integrity::Digest } else { Integrity::None }]),
        max_message,
        payload,
        window: draw.one_of([1, 2, 5, 20, 64]),
        acknowledgement: draw.one_of([Acknowledgement::Individual, Acknowledgement::Group]),
        negative: Negative::On,
    };
    let comes = if place == 0 { Duration::ZERO } else { at(&mut draw, trouble / 2) };
    let most = u64::from(max_message).min(u64::from(payload) * 20).min(4_000);
    let says = (0..draw.between(0, 10))
        .map(|number| {
            let mut text = format!("m{place} {number} ");
            let length = magnitude(&mut draw, 12, most.max(12));
            while (text.len() as u64) < length {
                text.push(draw.one_of(['a', 'o', 'x', '.']));
            }
            (comes + at(&mut draw, trouble - comes), text)
        })
        .collect();
    let breaks = (0..if breaks { draw.between(0, 3) } else { 0 })
        .map(|_| (at(&mut draw, trouble), draw.one_of([Break::Reset, Break::Forget])))
        .collect();
    let line_seed = seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let way = |direction| {
        let mut way = impairments(seed, dimensions, direction, trouble);
        if let Some(share) = repaired {
            // What the checksum does not show; the digest does.
            (way.corruption, way.flips, way.checksum) = (share, 1, Corruption::RepairsChecksum);
        } else if way.checksum == Corruption::RepairsChecksum {
            way.corruption = Probability::ZERO;
        }
        // Of several flipped bits one in 65,536 is missed by the Internet checksum; here it must tell.
        way.flips = 1;
        way
    };
    let channel = Settings {
        seed: line_seed,
        framing: Framing::Ip,
        up: way(Direction::Up),
        down: way(Direction::Down),
        picks: if dimensions.has(Dimension::Picks) { picks(line_seed) } else { Picks::new() },
    };
    Part {
        name: format!("m{place}"),
        ask,
        comes,
        says: sorted(says),
        breaks: sorted(breaks),
        leaves: draw.one_in(4).then(|| comes + at(&mut draw, trouble)),
        channel,
    }
}
