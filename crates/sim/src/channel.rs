//! One impaired channel between two ends, as a machine without I/O.
//!
//! Frames go in with [`Channel::frame_arrives`] and come out of [`Channel::poll_delivery`], later,
//! twice, damaged or never; what happened to them comes out of [`Channel::poll_fact`]. The
//! simulator joins hosts with it; a real wire can be impaired by sending its frames through one.
//!
//! What happens to a frame, in this order: the link may be down; the frame may be too long; it may
//! find the queue full; it takes its time on the wire; then it may be lost, so that a lost frame
//! delays the others exactly as if it had arrived; it is delayed, perhaps damaged, perhaps
//! duplicated. Picks decide before luck does. See [`luck`] for why dropping one frame changes
//! nobody else's luck, and [`picks`] for `--drop data:3`.
//!
//! Left out: ECN marks, active queue management, ICMP answers of the path (a frame beyond the MTU
//! disappears: a black hole).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use aperto_time::Instant;

mod burst;
mod classify;
mod damage;
mod impairments;
pub mod luck;
pub mod picks;
#[cfg(test)]
mod tests;

pub use burst::Burst;
use burst::Weather;
pub use classify::{Classifier, Hint, Identity, Kind, Meta, Role, Textbook, Transmission};
pub use damage::Damage;
pub use impairments::{Corruption, Impairments, Outage, Preset};
pub use luck::{Draw, Luck};
pub use picks::{Action, Counting, Pick, PickError, PickFault, Picks, Selector};

/// Which way a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// From client to server.
    Up,
    /// From server to client.
    Down,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    /// Its name on the command line: `up`, `down`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// The way back.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a frame begins with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Framing {
    /// An IP header.
    #[default]
    Ip,
    /// An Ethernet header.
    Ethernet,
    /// An IP header and a UDP header without checksum, then a packet of stop-and-wait, Go-Back-N or
    /// Selective Repeat, which has its own.
    Textbook,
    /// Nobody knows.
    Opaque,
}

/// Whether a link works.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Link {
    /// It works.
    #[default]
    Up,
    /// Everything that is sent is lost.
    Down,
}

/// Everything about a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What luck is made of.
    pub seed: u64,
    /// What frames begin with.
    pub framing: Framing,
    /// From client to server.
    pub up: Impairments,
    /// From server to client.
    pub down: Impairments,
    /// What happens to single frames.
    pub picks: Picks,
}

impl Settings {
    /// A preset without picks.
    #[must_use]
    pub fn new(seed: u64, framing: Framing, preset: Preset) -> Self {
        let (up, down) = preset.impairments();
        Self { seed, framing, up, down, picks: Picks::new() }
    }

    /// The impairments of one direction.
    #[must_use]
    pub const fn direction(&self, direction: Direction) -> &Impairments {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// The impairments of one direction, to be changed.
    pub const fn direction_mut(&mut self, direction: Direction) -> &mut Impairments {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}

/// Who decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Because {
    /// The user picked it.
    Picked(Pick),
    /// Chance.
    Chance,
}

/// Why a frame was lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Loss {
    /// The user picked it.
    Picked(Pick),
    /// Chance.
    Chance,
    /// Chance, in a burst.
    Burst,
    /// The queue was full.
    QueueFull {
        /// How many frames it holds.
        frames: usize,
    },
    /// It was too long.
    TooLong {
        /// Its octets.
        octets: usize,
        /// The most that pass.
        mtu: usize,
    },
    /// The link was down.
    LinkDown,
}

/// What happened to a frame.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// It never arrives.
    Lost(Loss),
    /// Bits of it were flipped.
    Damaged {
        /// How.
        damage: Damage,
        /// Which octets of the frame are different now, from 0.
        octets: Vec<u32>,
        /// Who decided.
        because: Because,
    },
    /// Copies of it arrive too.
    Duplicated {
        /// How many, beside itself.
        copies: u32,
        /// Who decided.
        because: Because,
    },
    /// It arrives later than the others.
    Delayed {
        /// By how much.
        by: Duration,
        /// Who decided.
        because: Because,
    },
}

/// Something that the channel did.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fact {
    /// When the frame left.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
    /// Its number in the ladder.
    pub number: u64,
    /// What happened to it.
    pub fate: Fate,
}

/// A frame that arrives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
    /// Its number in the ladder.
    pub number: u64,
    /// Which copy: 0 is the frame itself.
    pub copy: u32,
    /// What was done to its octets.
    pub damage: Option<Damage>,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// How much went where, in one direction. `offered + copied = delivered + lost + in flight`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// How many frames.
    pub frames: u64,
    /// How many octets in them.
    pub octets: u64,
}

impl Count {
    const fn add(&mut self, octets: usize) {
        self.frames += 1;
        self.octets += octets as u64;
    }
}

/// What one direction of a channel has done so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// What was sent into it.
    pub offered: Count,
    /// What it made itself.
    pub copied: Count,
    /// What came out.
    pub delivered: Count,
    /// What it lost.
    pub lost: Count,
}

/// One direction.
#[derive(Clone, Debug)]
struct Way {
    link: Link,
    weather: Weather,
    /// When the wire is free again.
    free_at: Instant,
    /// When each waiting frame starts on the wire.
    starts: VecDeque<Instant>,
    /// When the last frame that keeps its place arrives.
    last_in_order: Instant,
    in_flight: usize,
    ledger: Ledger,
}

impl Way {
    const fn new() -> Self {
        Self {
            link: Link::Up,
            weather: Weather::new(),
            free_at: Instant::ZERO,
            starts: VecDeque::new(),
            last_in_order: Instant::ZERO,
            in_flight: 0,
            ledger: Ledger {
                offered: Count { frames: 0, octets: 0 },
                copied: Count { frames: 0, octets: 0 },
                delivered: Count { frames: 0, octets: 0 },
                lost: Count { frames: 0, octets: 0 },
            },
        }
    }
}

/// How many frames one direction holds at most, whatever its settings: what is beyond that is lost
/// as if the queue were full.
const IN_FLIGHT: usize = 1 << 17;
/// How many facts are kept for who does not ask for them: the oldest are forgotten.
const FACTS: usize = 1 << 14;

/// A channel with two directions. See the module's text.
#[derive(Clone, Debug)]
pub struct Channel {
    settings: Settings,
    luck: Luck,
    up: Way,
    down: Way,
    /// What is on its way, by arrival and order of entry.
    flying: BTreeMap<(Instant, u64), Delivery>,
    entered: u64,
    facts: VecDeque<Fact>,
}

impl Channel {
    /// A channel that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            luck: Luck::new(settings.seed),
            settings,
            up: Way::new(),
            down: Way::new(),
            flying: BTreeMap::new(),
            entered: 0,
            facts: VecDeque::new(),
        }
    }

    /// What it does.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it does, to be changed from now on: what is on its way already is not touched.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Takes one direction up or down, beside the outages in its settings.
    pub const fn set_link(&mut self, direction: Direction, link: Link) {
        self.way_mut(direction).link = link;
    }

    /// What one direction has done so far.
    #[must_use]
    pub const fn ledger(&self, direction: Direction) -> &Ledger {
        match direction {
            Direction::Up => &self.up.ledger,
            Direction::Down => &self.down.ledger,
        }
    }

    /// How much is on its way in one direction, counted frame by frame.
    #[must_use]
    pub fn in_flight(&self, direction: Direction) -> Count {
        let mut count = Count::default();
        self.flying
            .values()
            .filter(|delivery| delivery.direction == direction)
            .for_each(|delivery| count.add(delivery.octets.len()));
        count
    }

    /// The frames that are on their way, in order of arrival.
    pub fn flying(&self) -> impl ExactSizeIterator<Item = &Delivery> {
        self.flying.values()
    }

    const fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// A frame is sent into the channel. Time never runs backwards from call to call.
    pub fn frame_arrives(&mut self, now: Instant, direction: Direction, meta: &Meta, octets: &[u8]) {
        self.way_mut(direction).ledger.offered.add(octets.len());
        let verdict = self.settings.picks.judge(direction, meta);
        let sent_at = match self.enter(now, direction, octets.len()) {
            Ok(sent_at) => sent_at,
            Err(loss) => return self.lose(now, direction, meta, octets.len(), loss),
        };
        let mut at = self.arrival(sent_at, direction, meta.identity);
        if let Some((pick, by)) = verdict.delayed {
            at += by;
            self.note(now, direction, meta, Fate::Delayed { by, because: Because::Picked(pick) });
        }
        if let Some(by) = self.hold(direction, meta.identity) {
            at += by;
            self.note(now, direction, meta, Fate::Delayed { by, because: Because::Chance });
        }
        let picked = verdict.dropped.map(Loss::Picked);
        if let Some(loss) = picked.or_else(|| self.unlucky(sent_at, direction, meta.identity)) {
            return self.lose(now, direction, meta, octets.len(), loss);
        }
        let mut delivery =
            Delivery { at, direction, number: meta.number, copy: 0, damage: None, octets: octets.to_vec() };
        self.corrupt(now, meta, verdict.corrupted, &mut delivery);
        self.deliver(now, meta, verdict.duplicated, delivery);
    }

    /// Puts a frame on the wire and says when its last bit has left.
    fn enter(&mut self, now: Instant, direction: Direction, octets: usize) -> Result<Instant, Loss> {
        let impairments = match direction {
            Direction::Up => &self.settings.up,
            Direction::Down => &self.settings.down,
        };
        let way = match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        };
        let out = |outage: &Outage| outage.from <= now && now < outage.to;
        if way.link == Link::Down || impairments.outages.iter().any(out) {
            return Err(Loss::LinkDown);
        }
        if let Some(mtu) = impairments.mtu.filter(|&mtu| octets > mtu) {
            return Err(Loss::TooLong { octets, mtu });
        }
        if way.in_flight >= IN_FLIGHT {
            return Err(Loss::QueueFull { frames: IN_FLIGHT });
        }
        let Some(rate) = impairments.rate else { return Ok(now) };
        while way.starts.front().is_some_and(|&start| start <= now) {
            way.starts.pop_front();
        }
        if way.starts.len() >= impairments.queue.min(IN_FLIGHT) && way.free_at > now {
            return Err(Loss::QueueFull { frames: impairments.queue });
        }
        let start = way.free_at.max(now);
        if start > now {
            way.starts.push_back(start);
        }
        way.free_at = start + rate.time_of(octets);
        Ok(way.free_at)
    }

    /// When a frame arrives that is neither held back nor lost.
    fn arrival(&mut self, sent_at: Instant, direction: Direction, identity: Identity) -> Instant {
        let impairments = self.settings.direction(direction);
        let (delay, jitter) = (impairments.delay, impairments.jitter);
        let mut at = sent_at + delay;
        if !jitter.is_zero() {
            let span = u64::try_from(jitter.as_nanos() * 2).unwrap_or(u64::MAX);
            let bits = self.luck.bits(direction, Draw::Jitter, identity);
            let offset = Duration::from_nanos(luck::below(bits, span.saturating_add(1)));
            at = (sent_at + delay + offset).max(sent_at + jitter) - jitter;
        }
        let way = self.way_mut(direction);
        way.last_in_order = way.last_in_order.max(at);
        way.last_in_order
    }

    /// For how long a frame is held back, if it is.
    fn hold(&self, direction: Direction, identity: Identity) -> Option<Duration> {
        let impairments = self.settings.direction(direction);
        if !self.luck.happens(impairments.reordering, direction, Draw::Reordering, identity) {
            return None;
        }
        let hold = u64::try_from(impairments.hold.as_nanos()).unwrap_or(u64::MAX);
        let draw = Identity { place: !identity.place, ..identity };
        let bits = self.luck.bits(direction, Draw::Reordering, draw);
        Some(Duration::from_nanos(hold / 2 + luck::below(bits, hold - hold / 2 + 1)))
    }

    fn unlucky(&mut self, sent_at: Instant, direction: Direction, identity: Identity) -> Option<Loss> {
        let impairments = self.settings.direction(direction);
        let (loss, burst) = (impairments.loss, impairments.burst);
        let luck = self.luck;
        if luck.happens(loss, direction, Draw::Loss, identity) {
            return Some(Loss::Chance);
        }
        let burst = burst?;
        let bad = self.way_mut(direction).weather.is_bad(sent_at, &burst, luck, direction);
        (bad && luck.happens(burst.loss, direction, Draw::Burst, identity)).then_some(Loss::Burst)
    }

    fn corrupt(&mut self, now: Instant, meta: &Meta, picked: Option<Pick>, delivery: &mut Delivery) {
        let direction = delivery.direction;
        let impairments = self.settings.direction(direction);
        let by_chance = self.luck.happens(impairments.corruption, direction, Draw::Corruption, meta.identity);
        let because = match picked {
            Some(pick) => Because::Picked(pick),
            None if by_chance => Because::Chance,
            None => return,
        };
        let bits = |ordinal: u32| {
            let identity =
                Identity { flow: meta.identity.flow ^ (u64::from(ordinal) << 32), ..meta.identity };
            self.luck.bits(direction, Draw::Flip, identity)
        };
        let most = u64::from(impairments.flips.clamp(1, 64));
        let flips = 1 + u32::try_from(luck::below(bits(u32::MAX), most)).unwrap_or(0);
        let sound = delivery.octets.clone();
        delivery.damage =
            damage::damage(self.settings.framing, impairments.checksum, flips, &mut delivery.octets, bits);
        if let Some(damage) = delivery.damage {
            let pairs = (0_u32..).zip(sound.iter().zip(&delivery.octets));
            let octets = pairs.filter(|(_, (was, is))| was != is).map(|(place, _)| place).collect();
            self.note(now, direction, meta, Fate::Damaged { damage, octets, because });
        }
    }

    fn deliver(&mut self, now: Instant, meta: &Meta, picked: Option<Pick>, delivery: Delivery) {
        let direction = delivery.direction;
        let impairments = self.settings.direction(direction);
        let by_chance =
            self.luck.happens(impairments.duplication, direction, Draw::Duplication, meta.identity);
        let because = match picked {
            Some(pick) => Some(Because::Picked(pick)),
            None => by_chance.then_some(Because::Chance),
        };
        if let Some(because) = because {
            let copies = impairments.copies.clamp(1, 64);
            let copy_delay = impairments.copy_delay;
            self.note(now, direction, meta, Fate::Duplicated { copies, because });
            let mut copy = delivery.clone();
            self.fly(delivery);
            for ordinal in 1..=copies {
                copy.copy = ordinal;
                copy.at += copy_delay;
                self.way_mut(direction).ledger.copied.add(copy.octets.len());
                self.fly(copy.clone());
            }
        } else {
            self.fly(delivery);
        }
    }

    fn fly(&mut self, delivery: Delivery) {
        self.way_mut(delivery.direction).in_flight += 1;
        let key = (delivery.at, self.entered);
        self.entered += 1;
        self.flying.insert(key, delivery);
    }

    fn lose(&mut self, now: Instant, direction: Direction, meta: &Meta, octets: usize, loss: Loss) {
        self.way_mut(direction).ledger.lost.add(octets);
        self.note(now, direction, meta, Fate::Lost(loss));
    }

    fn note(&mut self, now: Instant, direction: Direction, meta: &Meta, fate: Fate) {
        if self.facts.len() >= FACTS {
            self.facts.pop_front();
        }
        self.facts.push_back(Fact { at: now, direction, number: meta.number, fate });
    }

    /// The next frame that has arrived by now, in order of arrival.
    pub fn poll_delivery(&mut self, now: Instant) -> Option<Delivery> {
        let first = self.flying.first_entry().filter(|entry| entry.key().0 <= now)?;
        let delivery = first.remove();
        let way = self.way_mut(delivery.direction);
        way.in_flight -= 1;
        way.ledger.delivered.add(delivery.octets.len());
        Some(delivery)
    }

    /// What the channel did, in order.
    pub fn poll_fact(&mut self) -> Option<Fact> {
        self.facts.pop_front()
    }

    /// When the next frame arrives.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.flying.first_key_value().map(|(&(at, _), _)| at)
    }
}
