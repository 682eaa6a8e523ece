//! One message over one channel with one seed, through several protocols: the table of `compare`.
//!
//! Every protocol sends packets of the same payload, no sooner than 1 ms after each other. TCP is
//! given the same pieces by its application, without Nagle's algorithm, which would put them
//! together, and acknowledges every segment as the textbook protocols do. Packets are counted from
//! 0, so `--drop data:2` is the third packet of each.

use alloc::vec::Vec;
use core::time::Duration;

use aperto_app::script::Step;
use aperto_app::{Bulk, Machine, Script, bulk::Plan};
use aperto_arq::{Acknowledgements, Group, NegativeAcknowledgements, Reason as ArqReason};
use aperto_tcp::{Reason, RetransmissionCause};
use aperto_time::Instant;
use aperto_trace::trace::Trace;
use aperto_trace::{Fact, HostId, Packet, Transport};

use crate::channel::picks::{Counting, Picks};
use crate::recipe::{Protocol, Recipe, RecipeError, Side, Stop};
use crate::world::World;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What is sent.
    pub message: Vec<u8>,
    /// Octets of a packet.
    pub payload: u16,
    /// Packets that may be unacknowledged, for those protocols that have a fixed window.
    pub window: u16,
    /// The timer of the textbook protocols.
    pub timer: Duration,
    /// Their longest message; one message is as long as it is.
    pub longest: Option<u32>,
    /// Whether one acknowledgement is for as many packets as the window holds.
    pub group: bool,
    /// Whether what is missing is asked for.
    pub nack: bool,
    /// Seed, channel and picks; the rest of the recipe is not looked at.
    pub channel: Recipe,
}

/// How a protocol got back what was lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Recovery {
    /// Nothing had to be sent again, and everything arrived.
    NotNeeded,
    /// It did not: something is missing.
    None,
    /// A timer resent the one packet that was missing.
    Timer,
    /// A timer resent the whole window.
    TimerWholeWindow,
    /// A NACK asked for it.
    Nack,
    /// Duplicate acknowledgments said so.
    DuplicateAcks,
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which protocol.
    pub protocol: Protocol,
    /// Packets with text that were sent, those sent again included.
    pub sends: u64,
    /// Of these, those sent again.
    pub resends: u64,
    /// Acknowledgments without text.
    pub acks: u64,
    /// Octets that reached the application.
    pub delivered: u64,
    /// Octets that should have.
    pub of: u64,
    /// When all of them had, counted from when the first left; none if not all did.
    pub complete_after: Option<Duration>,
    /// How long opening took before that.
    pub opening: Duration,
    /// How what was lost came back; the first way, if there were several.
    pub recovery: Recovery,
    /// What the application read.
    pub read: Vec<u8>,
}

impl Comparison {
    /// A message with the numbers of the manual: 4 octets a packet, a window of 4, 100 ms.
    #[must_use]
    pub fn new(message: &[u8]) -> Self {
        Self {
            message: message.to_vec(),
            payload: 4,
            window: 4,
            timer: Duration::from_millis(100),
            longest: None,
            group: false,
            nack: false,
            channel: Recipe::new(Protocol::Tcp),
        }
    }

    /// The recipe for one of the protocols.
    #[must_use]
    pub fn recipe(&self, protocol: Protocol) -> Recipe {
        let mut recipe = Recipe::new(protocol);
        recipe.seed = self.channel.seed;
        recipe.isn = self.channel.isn;
        recipe.up = self.channel.up.clone();
        recipe.down = self.channel.down.clone();
        recipe.picks = Picks::new();
        recipe.picks.extend(&self.channel.picks);
        recipe.counting = Some(Counting::FromZero);
        recipe.stop = Stop::Quiet;
        recipe.textbook.payload_octets = self.payload;
        recipe.textbook.timer = self.timer;
        recipe.longest_message = self.longest;
        if self.group && protocol != Protocol::StopAndWait {
            recipe.textbook.acknowledgements = Acknowledgements::Group(Group::Window);
        }
        if self.nack {
            recipe.textbook.negative_acknowledgements = NegativeAcknowledgements::On;
        }
        if protocol != Protocol::StopAndWait && protocol.textbook().is_some() {
            recipe.textbook.window_packets = self.window;
        }
        recipe.message.clone_from(&self.message);
        if protocol == Protocol::Tcp {
            let mut steps = Vec::new();
            for piece in self.message.chunks(usize::from(self.payload.max(1))) {
                steps.push(Step::Write(piece.to_vec()));
                steps.push(Step::Wait(recipe.spacing));
            }
            let config = aperto_tcp::Config {
                nagle: false,
                delayed_ack: Duration::ZERO,
                ..aperto_tcp::Config::classroom()
            };
            let mut client = Side::client().opening(Machine::Script(Script::new(steps)));
            let mut server = Side::server().offering(Machine::Bulk(Bulk::new(Plan::sink(None))));
            client.tcp = config.clone();
            server.tcp = config;
            recipe.clients = alloc::vec![client];
            recipe.server = server;
        }
        recipe
    }

    /// Runs one of the protocols and measures it.
    ///
    /// # Errors
    ///
    /// The recipe cannot be run, and why.
    pub fn run(&self, protocol: Protocol) -> Result<(Row, World), RecipeError> {
        let mut world = World::new(&self.recipe(protocol))?;
        world.run();
        Ok((measure(protocol, &self.message, world.trace()), world))
    }
}

/// Reads a row off a trace.
fn measure(protocol: Protocol, message: &[u8], trace: &Trace) -> Row {
    let mut row = Row {
        protocol,
        sends: 0,
        resends: 0,
        acks: 0,
        delivered: 0,
        of: message.len() as u64,
        complete_after: None,
        opening: Duration::ZERO,
        recovery: Recovery::NotNeeded,
        read: Vec::new(),
    };
    let mut first_text: Option<Instant> = None;
    for record in trace.records() {
        match &record.fact {
            Fact::Left(packet) => {
                if packet.payload_length > 0 {
                    row.sends += 1;
                    first_text = first_text.or(Some(record.at));
                } else if is_plain_ack(packet) && record.vantage.host_id() == Some(HostId(1)) {
                    row.acks += 1;
                }
                if let Some(recovery) = recovery_of(packet) {
                    row.resends += 1;
                    if row.recovery == Recovery::NotNeeded {
                        row.recovery = recovery;
                    }
                }
            }
            Fact::Delivered { length, octets, .. } if record.vantage.host_id() == Some(HostId(1)) => {
                row.delivered += u64::from(*length);
                row.read.extend_from_slice(octets);
                if row.delivered >= row.of && row.complete_after.is_none() {
                    row.complete_after = first_text.map(|first| record.at.since(first));
                }
            }
            _ => {}
        }
    }
    if row.delivered < row.of {
        row.recovery = Recovery::None;
    }
    row.opening = first_text.map_or(Duration::ZERO, |first| first.since(Instant::ZERO));
    row
}

/// Whether it acknowledges and does nothing else.
pub(crate) fn is_plain_ack(packet: &Packet) -> bool {
    match &packet.transport {
        Transport::Tcp(segment) => {
            let control = segment.header.control;
            control.ack() && !control.syn() && !control.fin() && !control.rst()
        }
        Transport::Arq(_) => true,
        _ => false,
    }
}

/// Why a packet with text was sent again, if it was.
pub(crate) fn recovery_of(packet: &Packet) -> Option<Recovery> {
    match &packet.transport {
        Transport::Tcp(segment) => match segment.reason? {
            Reason::Retransmission { because, octets } if octets > 0 => Some(match because {
                RetransmissionCause::Timeout { .. }
                | RetransmissionCause::AfterTimeout { .. }
                | RetransmissionCause::SynAgain
                | RetransmissionCause::PathTooNarrow { .. } => Recovery::Timer,
                RetransmissionCause::FastRetransmit { .. }
                | RetransmissionCause::SackHole { .. }
                | RetransmissionCause::PartialAck { .. } => Recovery::DuplicateAcks,
            }),
            _ => None,
        },
        Transport::Arq(packet) => match packet.reason? {
            ArqReason::TimerExpired { .. } => Some(Recovery::Timer),
            ArqReason::WentBackOnTimer { .. } => Some(Recovery::TimerWholeWindow),
            ArqReason::AskedForAgain | ArqReason::WentBackOnNack { .. } => Some(Recovery::Nack),
            _ => None,
        },
        _ => None,
    }
}
