//! The comment of a packet in a capture file: state change, reason, rule, in one line.
//!
//! `CLOSED→SYN_SENT | active open (9293 3.5)`: a column of Wireshark has room for that, and a search
//! finds it. Comments are made for whole instants at once, since a reason is told with the facts
//! around it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aperto_tcp::{AckCause, Reason};
use aperto_trace::{ChannelEvent, Fact, FlowId, HostId, Number, Origin, Record, Trace, Transport};

use crate::context::Counting;
use crate::facts::{FlowFacts, beginning};
use crate::ladder::state_name;
use crate::text::{self, ArqContext, Word, rules, word};
use crate::wording::tame;
use crate::{Language, ladder};

/// Where a packet was seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Seen {
    Leaving,
    Arriving,
}

/// At most so many connections are known while a trace goes on; the oldest gives way.
const FLOWS: usize = 4_096;

/// The comments of a trace, whole or while it goes on.
#[derive(Clone, Debug, Default)]
pub struct Comments {
    language: Language,
    flows: BTreeMap<FlowId, FlowFacts>,
    texts: BTreeMap<(Number, Seen), Vec<String>>,
}

impl Comments {
    /// The comments of all packets of a trace.
    #[must_use]
    pub fn of(trace: &Trace, language: Language) -> Self {
        let mut comments = Self::new(language);
        comments.learn(trace, 0);
        comments
    }

    /// Of a trace that goes on: nothing is known yet.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self { language, ..Self::default() }
    }

    /// Takes in the records from a place on, whole instants of them, so that
    /// [`for_record`](Self::for_record) can say something of each.
    pub fn learn(&mut self, trace: &Trace, from: usize) {
        let fresh = trace.records().get(from..).unwrap_or_default();
        self.states(trace, fresh);
        let language = self.language;
        let mut flows = core::mem::take(&mut self.flows);
        for record in fresh {
            let facts = record.flow.and_then(|id| {
                let flow = trace.flow(id)?;
                Some(flows.entry(id).or_insert_with(|| FlowFacts::new(id, beginning(flow))))
            });
            if let Some(facts) = facts {
                facts.learn(record, record.number().and_then(|number| trace.packet(number)));
                self.reason(trace, record, facts, language);
            }
            self.fate(record, language);
        }
        while flows.len() > FLOWS {
            flows.pop_first();
        }
        self.flows = flows;
    }

    /// Forgets the comments, and not the connections: for whoever has written them.
    pub fn forget(&mut self) {
        self.texts.clear();
    }

    /// The comment of the packet that a record shows, if there is something to say.
    #[must_use]
    pub fn for_record(&self, record: &Record) -> Option<String> {
        let seen = match &record.fact {
            Fact::Left(_) => Seen::Leaving,
            Fact::Arrived { copy: 0, .. } => Seen::Arriving,
            _ => return None,
        };
        self.texts.get(&(record.number()?, seen)).map(|parts| tame(&parts.join(" | ")))
    }

    fn add(&mut self, number: Number, seen: Seen, text: String) {
        self.texts.entry((number, seen)).or_default().push(text);
    }

    fn states(&mut self, trace: &Trace, fresh: &[Record]) {
        for record in fresh {
            if let Fact::State { from, to, segment: Some(number), .. } = &record.fact {
                let seen = if sent_by(trace, *number, record.vantage.host_id()) {
                    Seen::Leaving
                } else {
                    Seen::Arriving
                };
                self.add(*number, seen, format!("{}→{}", state_name(*from), state_name(*to)));
            }
        }
    }

    fn reason(&mut self, trace: &Trace, record: &Record, facts: &FlowFacts, language: Language) {
        let Fact::Left(packet) = &record.fact else { return };
        match &packet.transport {
            Transport::Tcp(segment) => {
                let Some(reason) = &segment.reason else { return };
                let mut context = facts.context(packet, record.at, Counting::Absolute);
                if matches!(reason, Reason::Ack(AckCause::FinArrived { half_closed: false })) {
                    context.state = ladder::state_after(trace, record).or(context.state);
                }
                let rule = rules::of(reason, &context).plain();
                let brief = text::brief(language, reason, &context);
                self.add(packet.number, Seen::Leaving, format!("{brief} ({rule})"));
                if let Some(carried) = crate::carried::carried(packet, language) {
                    let carries = word(language, Word::Carries);
                    self.add(packet.number, Seen::Leaving, format!("{carries}: {carried}"));
                }
            }
            Transport::Arq(arq) => {
                let Some(reason) = &arq.reason else { return };
                let protocol = ladder::protocol(trace);
                let context = ArqContext { protocol, ..ArqContext::default() };
                let mut brief = String::from(text::arq_reason(language, reason, &context).full());
                if let Some(protocol) = protocol {
                    brief = format!("{brief} ({})", rules::of_protocol(protocol).plain());
                }
                self.add(packet.number, Seen::Leaving, brief);
            }
            Transport::Udp => {
                if let Some(message) = crate::hello::Message::read(packet) {
                    let fields = message.fields(language);
                    let says = format!("{} {fields}: {}", message.name(), message.why(language).full());
                    self.add(packet.number, Seen::Leaving, says);
                }
            }
            _ => {}
        }
    }

    fn fate(&mut self, record: &Record, language: Language) {
        match &record.fact {
            Fact::Channel { number, copy: 0, what } => {
                let random_delay = matches!(
                    what,
                    ChannelEvent::Queued { .. } | ChannelEvent::Delayed { by: Origin::Random, .. }
                );
                if !random_delay {
                    let says = text::channel(language, what);
                    let text = format!("{}: {}", word(language, Word::Channel), says.full());
                    self.add(*number, Seen::Leaving, text);
                }
            }
            Fact::Dropped { number: Some(number), reason } => {
                let says = text::not_used(language, reason);
                let text = format!("{}: {}", word(language, Word::IgnoredBecause), says.full());
                self.add(*number, Seen::Arriving, text);
            }
            _ => {}
        }
    }
}

fn sent_by(trace: &Trace, number: Number, host: Option<HostId>) -> bool {
    let place = trace.journey(number).and_then(|journey| journey.departure);
    let record = place.and_then(|place| trace.records().get(place));
    record.is_some_and(|record| record.vantage.host_id() == host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story;

    fn comments(trace: &Trace, language: Language) -> Vec<(Number, Option<String>)> {
        let comments = Comments::of(trace, language);
        trace
            .records()
            .iter()
            .filter(|record| matches!(record.fact, Fact::Left(_)))
            .filter_map(|record| Some((record.number()?, comments.for_record(record))))
            .collect()
    }

    /// UX 2.6 (e).
    #[test]
    fn a_comment_has_the_state_change_the_reason_and_the_rule() {
        let trace = story::nine_segments();
        let all = comments(&trace, Language::English);
        assert_eq!(all[0].1.as_deref(), Some("CLOSED→SYN_SENT | active open (9293 3.5)"));
        assert_eq!(all[1].1.as_deref(), Some("accepts; 1234+1=1235 (9293 3.5)"));
        assert_eq!(
            all[8].1.as_deref(),
            Some("last ACK; TIME_WAIT 2×MSL in case this ACK is lost (9293 3.6)")
        );
        let arrivals = Comments::of(&trace, Language::English);
        let first = trace.records().iter().find(|record| matches!(record.fact, Fact::Arrived { .. }));
        assert_eq!(arrivals.for_record(first.unwrap()).as_deref(), Some("LISTEN→SYN_RECEIVED"));
    }

    #[test]
    fn a_lost_packet_says_so_where_it_left() {
        let all = comments(&story::fourth_lost(), Language::Portuguese);
        assert_eq!(
            all[3].1.as_deref(),
            Some(
                "a aplicação escreveu \"Olá, mundo\": 10 letras, 11 bytes (á ocupa dois) (9293 3.8) | canal: \
                 descartado porque você pediu (--drop 4)"
            )
        );
    }
}
