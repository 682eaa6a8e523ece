//! The application's calls among the lines: each before the segment that it makes.
//!
//! A segment leaves a moment after the call that makes it, on a real wire in another instant. So a
//! call waits for its segment, a short time at most, and is told before it.

use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::{Duration, Instant};
use aperto_trace::{Call, Fact, FlowId, Packet, Record};

use super::item::{Item, Kind};
use super::{Labels, Lines};
use crate::ladder::Calls;
use crate::sockets::{self, Effect, Makes, Seen};
use crate::text::{self, Word};
use crate::wording::width;

/// How long a call waits for its segment.
const PATIENCE: Duration = Duration::from_millis(20);
/// How many calls wait at most.
const MOST: usize = 64;

impl Lines {
    /// The calls behind a record that has just been learned.
    pub(super) fn called(&mut self, record: &Record, id: FlowId, packet: Option<&Packet>) {
        if self.view.calls == Calls::Hidden {
            return;
        }
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let calls = flow.sockets.learn(record, &flow.facts, packet);
        for seen in calls {
            let mut item = self.item(id, record.vantage.host_id(), Kind::Call, Word::TagApp);
            item.call = Some((seen, record.at));
            self.items.push(item);
        }
    }

    /// A server listens: that belongs to no connection.
    pub(super) fn listens(&mut self, record: &Record) {
        let Fact::Call(Call::Listen { local }) = &record.fact else { return };
        if self.view.calls == Calls::Hidden {
            return;
        }
        for seen in sockets::listening(*local) {
            let id = FlowId(0);
            let mut item = self.item(id, record.vantage.host_id(), Kind::Call, Word::TagApp);
            if self.view.labels == Labels::Sides {
                let column = width(&item.prefix);
                item.prefix = String::from(text::word(self.view.language, Word::Server));
                crate::wording::pad(&mut item.prefix, column);
            }
            item.call = Some((seen, record.at));
            self.items.push(item);
        }
    }

    /// Puts those that waited before all others, and says what each call made; those whose segment has
    /// not left yet wait on, unless it is the end.
    pub(super) fn with_calls(&mut self, items: Vec<Item>, now: Instant, last: bool) -> Vec<Item> {
        let mut all = core::mem::take(&mut self.waiting);
        all.extend(items);
        let effects: Vec<Option<Effect>> = all.iter().map(|item| self.effect(item, &all)).collect();
        let mut told = Vec::new();
        for (mut item, effect) in all.into_iter().zip(effects) {
            let Some((seen, at)) = item.call else {
                told.push(item);
                continue;
            };
            let is_late = now.since(at) > PATIENCE || self.waiting.len() >= MOST;
            match effect {
                Some(Effect::Later) if !last && !is_late => {
                    self.waiting.push(item);
                    continue;
                }
                effect => {
                    let says = text::socket(self.view.language, seen.call, effect.unwrap_or(Effect::Later));
                    let room = self.view.width.saturating_sub(width(&item.prefix) + 12);
                    item.says = Some(says.within(room));
                }
            }
            told.push(item);
        }
        told
    }

    /// What a call has to do with the segments that left meanwhile.
    fn effect(&self, item: &Item, all: &[Item]) -> Option<Effect> {
        let (Seen { makes, .. }, _) = item.call?;
        if let Makes::Known(effect) = makes {
            return Some(effect);
        }
        let facts = &self.flows.get(&item.flow)?.facts;
        let mut first = None;
        for sent in all
            .iter()
            .filter(|other| other.kind == Kind::Sent && other.flow == item.flow && other.host == item.host)
        {
            let Some(packet) = sent.number.and_then(|number| self.past.packet(number)) else { continue };
            if makes.fits(packet, facts) {
                let begins = *first.get_or_insert(packet.number);
                if makes.ends_with(packet, facts) {
                    return Some(Effect::Leaves(begins, packet.number));
                }
            }
        }
        Some(first.map_or(Effect::Later, Effect::Begins))
    }
}
