//! One cell of a matrix: a protocol, a window and a channel, measured beside its formula.
//!
//! The sender has so many packets to say and says them as fast as its protocol lets it, one
//! millisecond apart at least. What is measured is read off the facts that every view is made of;
//! nothing is kept of them, so that a cell may be long. What a formula promises is in
//! [`aperto_arq::theory::pace`].

use alloc::vec;
use core::time::Duration;

use aperto_arq::Checksum;
use aperto_arq::theory::pace::{Conditions, Share, time_per_packet};
use aperto_time::Instant;
use aperto_trace::recorder::Limits;
use aperto_trace::{Fact, HostId, Record};

use crate::channel::Impairments;
use crate::compare::{Comparison, is_plain_ack, recovery_of};
use crate::quantity::Probability;
use crate::recipe::{Protocol, Recipe, RecipeError};
use crate::world::{Ended, World};

/// What a cell is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cell {
    /// What is spoken.
    pub protocol: Protocol,
    /// Packets that may be unacknowledged; 1 in stop-and-wait, and TCP and UDP have no such thing.
    pub window: u16,
    /// One way.
    pub delay: Duration,
    /// What is lost, each way.
    pub loss: Probability,
    /// What is held back so that others overtake it, each way.
    pub reordering: Probability,
}

/// What all cells of a matrix have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Load {
    /// Packets to say.
    pub packets: u32,
    /// Octets in each.
    pub payload: u16,
    /// The timer; none for [`usual_timer`].
    pub timer: Option<Duration>,
    /// What one acknowledgement is for.
    pub group: bool,
    /// Whether what is missing is asked for.
    pub nack: bool,
    /// How damage is noticed.
    pub checksum: Checksum,
}

/// What was measured in one run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Measured {
    /// Packets with text that left, those sent again included.
    pub sends: u64,
    /// Of these, those sent again.
    pub resends: u64,
    /// Acknowledgements without text.
    pub acks: u64,
    /// Octets that reached the application.
    pub delivered: u64,
    /// Octets that should have.
    pub of: u64,
    /// Octets of all packets of both directions, IP headers included.
    pub wire_octets: u64,
    /// From when the first packet left until everything was delivered; none if not all was.
    pub complete_after: Option<Duration>,
    /// From when the first packet left until the last was delivered that was.
    pub lasted: Duration,
}

/// The timer where nobody says: a round trip, and 20 ms for who is held back or waits his turn.
#[must_use]
pub fn usual_timer(delay: Duration) -> Duration {
    delay.saturating_mul(2).saturating_add(Duration::from_millis(20))
}

/// Steps between two looks at what was recorded.
const STEPS: u64 = 4_096;

/// Runs a cell once.
///
/// # Errors
///
/// The recipe cannot be run, and why.
pub fn run(cell: &Cell, load: &Load, seed: u64) -> Result<Measured, RecipeError> {
    let recipe = recipe(cell, load, seed);
    let limits = Limits { frame_octets: 0, text_octets: 0, ..Limits::default() };
    let mut world = World::with_limits(&recipe, limits)?;
    let mut measured = Measured { of: recipe.message.len() as u64, ..Measured::default() };
    let mut first = None;
    loop {
        let mut ended = None;
        for _ in 0..STEPS {
            ended = world.step_of_run();
            if ended.is_some() {
                break;
            }
        }
        for record in world.drain() {
            measured.take(&record, &mut first);
        }
        match ended {
            None => {}
            Some(Ended::Quiet | Ended::TimeIsUp | Ended::TooMuch | Ended::Stuck) => return Ok(measured),
        }
    }
}

/// The recipe of a cell.
#[must_use]
pub fn recipe(cell: &Cell, load: &Load, seed: u64) -> Recipe {
    let octets = load.packets as usize * usize::from(load.payload);
    let mut comparison = Comparison::new(&vec![b'x'; octets]);
    comparison.payload = load.payload;
    comparison.window = cell.window;
    comparison.timer = load.timer.unwrap_or_else(|| usual_timer(cell.delay));
    (comparison.group, comparison.nack) = (load.group, load.nack);
    comparison.channel.seed = seed;
    let channel = Impairments {
        loss: cell.loss,
        reordering: cell.reordering,
        // No queue of the channel's drops anything: only luck does.
        queue: usize::MAX,
        ..Impairments::only_delay(cell.delay)
    };
    comparison.channel.up = channel.clone();
    comparison.channel.down = channel;
    let mut recipe = comparison.recipe(cell.protocol);
    let textbook = &mut recipe.textbook;
    // A measurement does not give up.
    textbook.max_retries = u32::MAX;
    textbook.queue_packets = textbook.queue_packets.max(load.packets as usize);
    textbook.checksum = load.checksum;
    recipe
}

impl Measured {
    fn take(&mut self, record: &Record, first: &mut Option<Instant>) {
        match &record.fact {
            Fact::Left(packet) => {
                self.wire_octets += u64::from(packet.frame_length);
                if packet.payload_length > 0 {
                    self.sends += 1;
                    first.get_or_insert(record.at);
                } else if is_plain_ack(packet) {
                    self.acks += 1;
                }
                self.resends += u64::from(recovery_of(packet).is_some());
            }
            Fact::Delivered { length, .. } if record.vantage.host_id() == Some(HostId(1)) => {
                self.delivered += u64::from(*length);
                self.lasted = first.map_or(Duration::ZERO, |first| record.at.since(first));
                if self.delivered >= self.of && self.complete_after.is_none() {
                    self.complete_after = Some(self.lasted);
                }
            }
            _ => {}
        }
    }

    /// Delivered octets of text in a second, in bits; none before anything lasted.
    #[must_use]
    pub fn goodput_bits_per_second(&self) -> Option<u64> {
        bits_per_second(self.delivered, self.lasted)
    }

    /// What of all octets on the wire was no delivered text, in millionths.
    #[must_use]
    pub fn overhead_millionths(&self) -> Option<u64> {
        let extra = self.wire_octets.saturating_sub(self.delivered);
        (u128::from(extra) * 1_000_000)
            .checked_div(u128::from(self.wire_octets))
            .and_then(|n| u64::try_from(n).ok())
    }
}

/// So many octets in such a time.
#[must_use]
pub fn bits_per_second(octets: u64, time: Duration) -> Option<u64> {
    let bits = u128::from(octets) * 8 * 1_000_000_000;
    bits.checked_div(time.as_nanos()).and_then(|rate| u64::try_from(rate).ok())
}

/// What the formula says for a packet of a cell; none for TCP and UDP.
#[must_use]
pub fn theory(cell: &Cell, load: &Load) -> Option<Duration> {
    let protocol = cell.protocol.textbook()?;
    let spacing = Recipe::new(cell.protocol).spacing;
    let share = Share { of: cell.loss.millionths(), all: 1_000_000 };
    let conditions = Conditions {
        window_packets: if cell.protocol == Protocol::StopAndWait { 1 } else { cell.window },
        spacing,
        cycle: cell.delay.saturating_mul(2),
        timer: load.timer.unwrap_or_else(|| usual_timer(cell.delay)),
        lost_packets: share,
        lost_acknowledgements: share,
    };
    time_per_packet(protocol, &conditions)
}
