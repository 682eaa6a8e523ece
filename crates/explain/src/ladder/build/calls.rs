//! The rows of the application's calls, each above the segment that it makes.

use aperto_trace::{Call, Fact, Packet, Record};

use super::{Builder, Calls, Kind, Row};
use crate::context::Side;
use crate::sockets::{self, Effect, Makes, Seen, SocketCall};
use crate::text;

/// So many records after a call are looked at for its segment.
const LOOKED_AT: usize = 4_096;

impl Builder<'_> {
    /// The calls behind a record that has just been learned.
    pub(super) fn calls(&mut self, at: usize, record: &Record, packet: Option<&Packet>) {
        if self.view.calls == Calls::Hidden {
            return;
        }
        match self.kind {
            Kind::Tcp | Kind::Udp => {
                for seen in self.sockets.learn(record, &self.facts, packet) {
                    self.call_row(at, record, seen);
                }
            }
            Kind::Textbook | Kind::Other => {
                let Fact::Call(call) = &record.fact else { return };
                let says = text::call(self.view.language, call);
                let side = self.facts.seen_by(record.vantage);
                self.rows.push((2 * at, Row::Call { at: record.at, side, says }));
            }
        }
    }

    /// A server listens: told with the first connection that comes to it.
    pub(super) fn listens(&mut self, at: usize, record: &Record) {
        let Fact::Call(Call::Listen { local }) = &record.fact else { return };
        let is_this = |flow: &aperto_trace::Flow| {
            flow.server == record.vantage.host_id() && flow.endpoints.destination.port() == local.port()
        };
        let first = self.trace.flows().find(|flow| is_this(flow));
        if self.view.calls == Calls::Hidden || first.is_none_or(|flow| flow.id != self.flow.id) {
            return;
        }
        for seen in sockets::listening(*local) {
            let says = text::socket(self.view.language, seen.call, Effect::Nothing);
            let side = Some(Side::Server);
            self.rows.push((2 * at, Row::Call { at: record.at, side, says }));
        }
    }

    fn call_row(&mut self, at: usize, record: &Record, seen: Seen) {
        let effect = self.effect(at, record, seen);
        let says = text::socket(self.view.language, seen.call, effect);
        let side = self.facts.seen_by(record.vantage);
        self.rows.push((2 * at, Row::Call { at: record.at, side, says }));
    }

    /// Looks for the segments that a call makes among the records that follow it.
    fn effect(&self, at: usize, record: &Record, seen: Seen) -> Effect {
        if let Makes::Known(effect) = seen.makes {
            return effect;
        }
        let records = self.trace.records().get(at..).unwrap_or_default().iter().take(LOOKED_AT);
        let same = |other: &&Record| other.flow == record.flow && other.vantage == record.vantage;
        let mut found = None;
        let mut whole = false;
        for other in records.filter(same) {
            match (&other.fact, found) {
                (Fact::Left(packet), _) if seen.makes.fits(packet, &self.facts) => {
                    let first = found.map_or(packet.number, |(first, _)| first);
                    found = Some((first, packet.number));
                    whole = seen.makes.ends_with(packet, &self.facts);
                    if whole && !matches!(seen.call, SocketCall::Connect(_)) {
                        break;
                    }
                }
                (
                    Fact::State { to: aperto_tcp::State::Established, segment: Some(answer), .. },
                    Some((syn, _)),
                ) if matches!(seen.call, SocketCall::Connect(_)) => {
                    found = Some((syn, *answer));
                    break;
                }
                _ => {}
            }
        }
        match found {
            Some((first, last)) if whole => Effect::Leaves(first, last),
            Some((first, _)) => Effect::Begins(first),
            None => Effect::Later,
        }
    }
}
