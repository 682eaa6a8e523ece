//! What all hosts of a world share: the clock, the lines between them, and who writes it all down.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_time::Instant;
use aperto_trace::recorder::{Meaning, Recorder};
use aperto_trace::{ChannelEvent, ChecksumAfter, HostId, LossCause, Number, Origin, Vantage};

use crate::channel::picks::Pick;
use crate::channel::{
    Because, Channel, Classifier, Damage, Delivery, Direction, Fate, Hint, Loss, Meta, Textbook,
};

/// A line between two hosts.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) channel: Channel,
    /// Who is at the client's end, and at the server's.
    pub(super) ends: [End; 2],
}

/// One end of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) host: HostId,
    pub(super) interface: u8,
}

/// The clock, the lines and the recorder.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) now: Instant,
    pub(super) lines: Vec<Line>,
    pub(super) classifier: Classifier,
    pub(super) recorder: Recorder,
}

/// How a frame that leaves is to be classified.
#[derive(Clone, Copy, Debug)]
pub(super) enum Class {
    /// By its octets.
    Frame(Hint),
    /// By what a textbook protocol says.
    Packet(Textbook),
}

impl Stage {
    /// A frame leaves a host: it is written down and sent into the line.
    pub(super) fn depart(&mut self, from: End, frame: &[u8], meaning: Meaning<'_>, class: Class) {
        let vantage = Vantage::Host { host: from.host, interface: from.interface };
        let number = self.recorder.left(self.now, vantage, frame, meaning);
        let found = self.lines.iter_mut().find_map(|line| {
            let place =
                line.ends.iter().position(|end| end.host == from.host && end.interface == from.interface)?;
            Some((line, if place == 0 { Direction::Up } else { Direction::Down }))
        });
        let Some((line, direction)) = found else { return };
        let framing = line.channel.settings().framing;
        let meta: Meta = match class {
            Class::Frame(hint) => self.classifier.frame_departs(framing, direction, frame, hint),
            Class::Packet(packet) => self.classifier.packet_departs(direction, packet),
        };
        debug_assert_eq!(meta.number, u64::from(number.0), "the ladder and the picks count alike");
        line.channel.frame_arrives(self.now, direction, &meta, frame);
        while let Some(fact) = line.channel.poll_fact() {
            record_fate(&mut self.recorder, self.now, number, &fact.fate);
        }
    }

    /// When the next frame arrives anywhere, and on which line.
    pub(super) fn next_delivery(&self) -> Option<(Instant, usize)> {
        let due = |(place, line): (usize, &Line)| line.channel.poll_deadline().map(|at| (at, place));
        self.lines.iter().enumerate().filter_map(due).min()
    }

    /// Takes the next frame off a line, writes its arrival down and says where it arrived.
    pub(super) fn arrive(&mut self, line: usize) -> Option<(End, Delivery)> {
        let line = self.lines.get_mut(line)?;
        let delivery = line.channel.poll_delivery(self.now)?;
        let end = line.ends[if delivery.direction == Direction::Up { 1 } else { 0 }];
        let vantage = Vantage::Host { host: end.host, interface: end.interface };
        let number = Number(u32::try_from(delivery.number).unwrap_or(u32::MAX));
        match delivery.damage {
            None => self.recorder.arrived(self.now, vantage, number, delivery.copy),
            Some(_) => {
                self.recorder.arrived_damaged(self.now, vantage, number, delivery.copy, &delivery.octets);
            }
        }
        Some((end, delivery))
    }
}

/// Writes down what a channel did, in the trace's words.
fn record_fate(recorder: &mut Recorder, now: Instant, number: Number, fate: &Fate) {
    match fate {
        Fate::Lost(loss) => recorder.channel(now, number, 0, ChannelEvent::Lost(cause(loss))),
        Fate::Damaged { damage, octets, because } => {
            let checksum = match damage {
                Damage::Detectable { .. } => ChecksumAfter::Broken,
                Damage::Repaired { .. } => ChecksumAfter::Repaired,
            };
            let event = ChannelEvent::Damaged { by: origin(because), octets: octets.clone(), checksum };
            recorder.channel(now, number, 0, event);
        }
        Fate::Duplicated { copies, because } => {
            for copy in 1..=*copies {
                recorder.channel(now, number, copy, ChannelEvent::Duplicated { by: origin(because) });
            }
        }
        Fate::Delayed { by, because } => {
            let event = ChannelEvent::Delayed { by: origin(because), extra: *by };
            recorder.channel(now, number, 0, event);
        }
    }
}

fn flag(pick: &Pick) -> String {
    format!("{} {pick}", pick.action.flag())
}

fn origin(because: &Because) -> Origin {
    match because {
        Because::Picked(pick) => Origin::Picked { flag: flag(pick).to_string() },
        Because::Chance => Origin::Random,
    }
}

fn cause(loss: &Loss) -> LossCause {
    match loss {
        Loss::Picked(pick) => LossCause::Picked { flag: flag(pick) },
        Loss::Chance => LossCause::Random,
        Loss::Burst => LossCause::Burst,
        Loss::QueueFull { frames } => {
            LossCause::QueueFull { packets: u32::try_from(*frames).unwrap_or(u32::MAX) }
        }
        Loss::TooLong { mtu, .. } => LossCause::TooBig { mtu: u32::try_from(*mtu).unwrap_or(u32::MAX) },
        Loss::LinkDown => LossCause::LinkDown,
    }
}
