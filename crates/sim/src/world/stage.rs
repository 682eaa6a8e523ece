//! What all hosts of a world share: the clock, the lines between them, and who writes it all down.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_time::Instant;
use aperto_trace::recorder::{Meaning, Recorder};
use aperto_trace::{ChannelEvent, ChecksumAfter, HostId, LossCause, Number, Origin, Vantage};

use super::sealed::Sealing;
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
    /// What seals its packets, if anything does.
    pub(super) sealing: Option<Sealing>,
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

/// Whether a frame is sealed where its line seals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Travels {
    Sealed,
    /// It is a part of the sealing itself.
    AsItIs,
}

/// What a line brought.
#[derive(Clone, Debug)]
pub(super) enum Arrived {
    /// A frame for a host.
    Frame(End, u64, Vec<u8>),
    /// Nothing that a host sees: it did not open, or belongs to the sealing.
    Nothing(End, u64),
}

impl Stage {
    /// A frame leaves a host: it is written down and sent into the line.
    pub(super) fn depart(&mut self, from: End, frame: &[u8], meaning: Meaning<'_>, class: Class) {
        self.depart_as(Travels::Sealed, from, frame, meaning, class);
    }

    pub(super) fn depart_as(
        &mut self,
        travels: Travels,
        from: End,
        frame: &[u8],
        meaning: Meaning<'_>,
        class: Class,
    ) {
        let vantage = Vantage::Host { host: from.host, interface: from.interface };
        let number = self.recorder.left(self.now, vantage, frame, meaning);
        let found = self.lines.iter_mut().enumerate().find_map(|(number, line)| {
            let place =
                line.ends.iter().position(|end| end.host == from.host && end.interface == from.interface)?;
            Some((number, line, if place == 0 { Direction::Up } else { Direction::Down }))
        });
        let Some((place, line, direction)) = found else { return };
        let framing = line.channel.settings().framing;
        let meta: Meta = match class {
            Class::Frame(hint) => self.classifier.frame_departs(framing, direction, frame, hint),
            Class::Packet(packet) => self.classifier.packet_departs(direction, packet),
        };
        debug_assert_eq!(meta.number, u64::from(number.0), "the ladder and the picks count alike");
        let sealing = line.sealing.as_mut().filter(|_| travels == Travels::Sealed);
        let is_sealed = sealing.is_some();
        let sealed = sealing.map(|sealing| sealing.seal(self.now, direction, frame));
        let Some(travelling) = sealed.as_ref().map_or(Some(frame), Option::as_deref) else { return };
        line.channel.frame_arrives(self.now, direction, &meta, travelling);
        while let Some(fact) = line.channel.poll_fact() {
            record_fate(&mut self.recorder, self.now, number, &fact.fate);
        }
        if is_sealed {
            self.say_handshakes(place);
        }
    }

    /// When the next frame arrives anywhere, and on which line.
    pub(super) fn next_delivery(&self) -> Option<(Instant, usize)> {
        let due = |(place, line): (usize, &Line)| line.channel.poll_deadline().map(|at| (at, place));
        self.lines.iter().enumerate().filter_map(due).min()
    }

    /// Takes the next frame off a line, writes its arrival down and says where it arrived.
    pub(super) fn arrive(&mut self, place: usize) -> Option<Arrived> {
        let line = self.lines.get_mut(place)?;
        let delivery = line.channel.poll_delivery(self.now)?;
        let end = line.ends[if delivery.direction == Direction::Up { 1 } else { 0 }];
        let vantage = Vantage::Host { host: end.host, interface: end.interface };
        let number = Number(u32::try_from(delivery.number).unwrap_or(u32::MAX));
        // Of a sealed packet nobody knows the damaged inside: it opens whole or not at all.
        match delivery.damage.filter(|_| line.sealing.is_none()) {
            None => self.recorder.arrived(self.now, vantage, number, delivery.copy),
            Some(_) => {
                self.recorder.arrived_damaged(self.now, vantage, number, delivery.copy, &delivery.octets);
            }
        }
        let Delivery { number, direction, octets, .. } = delivery;
        Some(match self.unseal(place, direction, end, octets) {
            Some(frame) => Arrived::Frame(end, number, frame),
            None => Arrived::Nothing(end, number),
        })
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
