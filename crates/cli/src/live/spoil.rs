//! The channel's flags on a real wire: the simulator's channel between our host and the wire.
//!
//! It has its place on our side: what leaves is lost before the wire sees it, what comes is lost
//! before our host does. Numbers are those of the ladder, so `--drop 4` and `/perder` mean what is
//! on the screen. The delay of the real wire comes on top.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aperto_host::{About, Departure};
use aperto_sim::channel::picks::{Action, Pick, Picks, Selector};
use aperto_sim::channel::{
    Channel, Classifier, Counting, Direction, Fate, Framing, Hint, Meta, Settings, Textbook,
};
use aperto_time::Instant;
use aperto_tokio::{Impair, Way};

use super::scribe::SharedScribe;
use super::slash::Spoil;

/// What the prompt asks of the channel, shared with it.
#[derive(Clone, Default)]
pub(crate) struct Wishes(Arc<Mutex<Wished>>);

#[derive(Default)]
struct Wished {
    /// For the next segments that leave, in order.
    next: VecDeque<Spoil>,
    calm: bool,
}

impl Wishes {
    /// The next segments that leave meet with this.
    pub(crate) fn spoil(&self, what: Spoil, how_many: u32) {
        let mut wished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wished.next.extend((0..how_many).map(|_| what));
    }

    /// Nothing happens to anything any more.
    pub(crate) fn calm(&self) {
        let mut wished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wished.next.clear();
        wished.calm = true;
    }

    fn take(&self) -> (Option<Spoil>, bool) {
        let mut wished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (wished.next.pop_front(), std::mem::take(&mut wished.calm))
    }

    fn take_calm(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).calm)
    }
}

/// What is done to packets.
pub(crate) struct Spoiler {
    channel: Channel,
    classifier: Classifier,
    /// Which direction ours is.
    out: Direction,
    wishes: Wishes,
    scribe: Option<SharedScribe>,
}

impl Spoiler {
    pub(crate) fn new(
        settings: Settings,
        out: Direction,
        wishes: Wishes,
        scribe: Option<SharedScribe>,
    ) -> Self {
        Self {
            // Packets of the textbook protocols bear numbers of their own, from 0.
            classifier: Classifier::new(match settings.framing {
                Framing::Textbook => Counting::FromZero,
                Framing::Ip | Framing::Ethernet | Framing::Opaque => Counting::FromOne,
            }),
            channel: Channel::new(settings),
            out,
            wishes,
            scribe,
        }
    }

    fn calm(&mut self) {
        let settings = self.channel.settings_mut();
        settings.up = settings.up.calmed();
        settings.down = settings.down.calmed();
        settings.picks = Picks::new();
    }

    fn wish(&mut self, spoil: Spoil, number: u64) {
        let action = match spoil {
            Spoil::Drop => Action::Drop,
            Spoil::Delay(by) => Action::Delay(by),
            Spoil::Corrupt => Action::Corrupt,
            Spoil::Duplicate => Action::Duplicate,
        };
        let selector = Selector::Number { first: number, last: number };
        self.channel.settings_mut().picks.push(Pick { action, direction: Some(self.out), selector });
    }
}

impl Impair for Spoiler {
    fn packet_passes(&mut self, now: Instant, way: Way, departure: Option<&Departure>, packet: &[u8]) {
        let direction = if way == Way::Out { self.out } else { self.out.reversed() };
        let hint = match departure.map(|departure| &departure.about) {
            Some(About::Tcp { reason, .. }) if is_probe(reason) => Hint::Probe,
            _ => Hint::None,
        };
        let meta = self.classifier.frame_departs(Framing::Ip, direction, packet, hint);
        self.pass(now, way, meta, packet);
    }

    fn poll_packet(&mut self, now: Instant) -> Option<(Way, Vec<u8>)> {
        let delivery = self.channel.poll_delivery(now)?;
        let way = if delivery.direction == self.out { Way::Out } else { Way::In };
        Some((way, delivery.octets))
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.channel.poll_deadline()
    }
}

impl Spoiler {
    /// A packet of a textbook protocol goes its way.
    pub(crate) fn textbook_passes(&mut self, now: Instant, way: Way, what: Textbook, packet: &[u8]) {
        let direction = if way == Way::Out { self.out } else { self.out.reversed() };
        let meta = self.classifier.packet_departs(direction, what);
        self.pass(now, way, meta, packet);
    }

    fn pass(&mut self, now: Instant, way: Way, mut meta: Meta, packet: &[u8]) {
        let direction = if way == Way::Out { self.out } else { self.out.reversed() };
        if let Some(scribe) = &self.scribe {
            meta.number = scribe.lock().number_of_passing(way);
        }
        if way == Way::Out {
            let (wish, calm) = self.wishes.take();
            if calm {
                self.calm();
            }
            if let Some(spoil) = wish {
                self.wish(spoil, meta.number);
            }
        } else if self.wishes.take_calm() {
            self.calm();
        }
        self.channel.frame_arrives(now, direction, &meta, packet);
        while let Some(fact) = self.channel.poll_fact() {
            let Some(scribe) = &self.scribe else { continue };
            match (way, &fact.fate) {
                (Way::Out, fate) => scribe.lock().spoilt(now, meta.number, fate),
                (Way::In, Fate::Lost(_)) => scribe.lock().lost_inward(now, packet, &fact.fate),
                // What still arrives is told when it does.
                (Way::In, _) => {}
            }
        }
    }
}

fn is_probe(reason: &aperto_tcp::Reason) -> bool {
    matches!(reason, aperto_tcp::Reason::WindowProbe { .. } | aperto_tcp::Reason::KeepAlive { .. })
}
