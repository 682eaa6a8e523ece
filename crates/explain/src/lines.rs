//! One event a line: for streams, for narrow terminals, for screen readers.
//!
//! [`Lines`] takes records one by one and gives lines back, so that a live connection can be told as it
//! goes on; what belongs to one instant is told when the instant is over. It keeps a bounded part of
//! the past: a server can run it for ever.
//!
//! ```text
//! [SENT]      #1 SYN      seq=1234              CLOSED -> SYN_SENT
//!             why: active open; the client counts from 1234  9293 §3.5
//! ```

mod calls;
mod item;
mod textbook;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::{End, Event, Note, Reason, State, Timer};
use aperto_time::Instant;
use aperto_trace::{
    ChannelEvent, Fact, FlowId, HostId, LossCause, Number, Origin, Packet, Protocol, Record, Trace, Transport,
};

use crate::context::{Counting, Side};
use crate::facts::FlowFacts;
use crate::ladder::{Calls, state_name};
use crate::sockets::Sockets;
use crate::summary::Summary;
use crate::text::{self, Counted, TimerFacts, Told, Word};
use crate::{Language, quantity};

use item::{Item, Kind, Past};

/// How lines are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineView {
    /// The language.
    pub language: Language,
    /// Columns, where a sentence must end.
    pub width: usize,
    /// From which number sequence numbers are counted.
    pub counting: Counting,
    /// Which reasons are told.
    pub reasons: Reasons,
    /// What a line begins with.
    pub labels: Labels,
    /// Whether calls of the application have lines.
    pub calls: Calls,
    /// Whose side is told, where a trace has several; none tells all.
    pub host: Option<HostId>,
}

impl LineView {
    /// The stream of a client on a terminal of 80 columns, with the numbers of the wire.
    #[must_use]
    pub const fn new(language: Language) -> Self {
        Self {
            language,
            width: 80,
            counting: Counting::Absolute,
            reasons: Reasons::Handshake,
            labels: Labels::None,
            calls: Calls::Hidden,
            host: None,
        }
    }
}

/// Which reasons are told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Reasons {
    /// Those of the handshake: what follows can be asked for.
    #[default]
    Handshake,
    /// All.
    All,
    /// None.
    None,
}

/// What a line begins with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Labels {
    /// Nothing: there is one connection, and this is one of its ends.
    #[default]
    None,
    /// The connection: `c1`.
    Connections,
    /// The side: `client`, `server`.
    Sides,
}

/// At most so many flows are remembered; the oldest gives way.
const FLOWS: usize = 1_024;

/// Makes lines of records.
#[derive(Clone, Debug)]
pub struct Lines {
    view: LineView,
    flows: BTreeMap<FlowId, FlowLines>,
    items: Vec<Item>,
    now: Instant,
    /// Where remarks begin; moves to the right when numbers get longer, never back.
    remarks_at: usize,
    open: u64,
    past: Past,
    over: Vec<FlowId>,
    /// Calls whose segments have not left yet.
    waiting: Vec<Item>,
}

#[derive(Clone, Debug)]
struct FlowLines {
    facts: FlowFacts,
    summary: Summary,
    packets: u64,
    announced_open: bool,
    announced_end: bool,
    told_delay: bool,
    sockets: Sockets,
}

impl Lines {
    /// Without any line yet.
    #[must_use]
    pub const fn new(view: LineView) -> Self {
        Self {
            view,
            flows: BTreeMap::new(),
            items: Vec::new(),
            now: Instant::ZERO,
            remarks_at: item::REMARKS_FROM,
            open: 0,
            past: Past::new(),
            over: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// All lines of a trace.
    #[must_use]
    pub fn of(trace: &Trace, view: &LineView) -> Vec<String> {
        let mut lines = Self::new(view.clone());
        let mut out = Vec::new();
        for record in trace.records() {
            out.extend(lines.push(record));
        }
        out.extend(lines.finish());
        out
    }

    /// Takes a record; gives the lines of the instants before it.
    pub fn push(&mut self, record: &Record) -> Vec<String> {
        let done = if record.at > self.now { self.flush() } else { Vec::new() };
        self.now = record.at;
        let Some(id) = record.flow else {
            self.listens(record);
            return done;
        };
        if let Fact::FlowBegan(began) = &record.fact {
            if self.flows.len() == FLOWS {
                self.flows.pop_first();
            }
            let flow = FlowLines {
                facts: FlowFacts::new(id, *began),
                summary: Summary::default(),
                packets: 0,
                announced_open: false,
                announced_end: false,
                told_delay: false,
                sockets: Sockets::default(),
            };
            self.flows.insert(id, flow);
            return done;
        }
        let Some(flow) = self.flows.get_mut(&id) else { return done };
        let about = record.number().and_then(|number| self.past.packet(number)).cloned();
        flow.facts.learn(record, about.as_deref());
        let of = flow.facts.flow().clone();
        flow.summary.count(record, Some(&of));
        if let Fact::Left(packet) | Fact::Arrived { packet: Some(packet), .. } = &record.fact {
            flow.packets += u64::from(self.past.keep(packet));
        }
        let tells = match (self.view.host, record.vantage.host_id()) {
            (Some(host), Some(seen_by)) => host == seen_by,
            _ => true,
        };
        if tells {
            self.take(record, id, about.as_deref());
            self.called(record, id, about.as_deref());
        }
        done
    }

    /// The lines of the instant that was going on.
    pub fn flush(&mut self) -> Vec<String> {
        self.tell(false)
    }

    /// The last lines: nothing waits any more.
    pub fn finish(&mut self) -> Vec<String> {
        self.tell(true)
    }

    fn tell(&mut self, last: bool) -> Vec<String> {
        let items = core::mem::take(&mut self.items);
        let mut items = self.with_calls(items, self.now, last);
        item::timers_first(&mut items);
        let mut lines = Vec::new();
        let mut announcements = Vec::new();
        for item in &items {
            match item.kind {
                Kind::Announcement => announcements.extend(item.draw(&self.view, &mut self.remarks_at)),
                _ => lines.extend(item.draw(&self.view, &mut self.remarks_at)),
            }
        }
        lines.append(&mut announcements);
        for id in core::mem::take(&mut self.over) {
            self.flows.remove(&id);
        }
        lines
    }

    fn take(&mut self, record: &Record, id: FlowId, about: Option<&Packet>) {
        let host = record.vantage.host_id();
        match &record.fact {
            Fact::Left(packet) => self.sent(record, id, packet),
            Fact::Arrived { number, copy, packet } => {
                if let Some(packet) = packet.as_deref().or(about) {
                    self.received(record, id, packet, *number, *copy);
                }
            }
            Fact::Channel { number, what, .. } => self.channel(id, *number, what, about),
            Fact::Dropped { number: Some(number), reason } => {
                let says = text::not_used(self.view.language, reason).full().to_string();
                if let Some(item) = self.pending(id, *number, host, Kind::Received) {
                    item.tag = Word::TagDropped;
                    item.remarks.push(says);
                }
            }
            Fact::State { from, to, segment, .. } => self.moved(record, id, *from, *to, *segment),
            Fact::Note(note) => self.noted(record, id, note),
            Fact::ArqNote(note @ aperto_arq::Note::TimerExpired { .. }) => {
                let context = text::ArqContext::default();
                let says = text::arq_note(self.view.language, note, &context).full().to_string();
                self.say(id, host, Kind::Timer, Word::TagTimer, says);
            }
            Fact::ArqNote(note) => self.became(record, id, note),
            Fact::Event(Event::Ended(end)) => self.ended(id, host, *end),
            Fact::Event(Event::Established) => self.opened(record, id),
            _ => {}
        }
    }

    /// What a line begins with.
    fn prefix(&self, id: FlowId, host: Option<HostId>) -> String {
        match self.view.labels {
            Labels::None => String::new(),
            Labels::Connections => format!("{id} "),
            Labels::Sides => {
                let side = host.and_then(|host| self.flows.get(&id)?.facts.side_of(host));
                let words = [Word::Client, Word::Server].map(|which| text::word(self.view.language, which));
                let column = words.iter().map(|word| word.len()).max().unwrap_or(0) + 1;
                let word = match side {
                    Some(Side::Client) => words[0],
                    Some(Side::Server) => words[1],
                    None => "",
                };
                format!("{word:<column$}")
            }
        }
    }

    fn item(&self, id: FlowId, host: Option<HostId>, kind: Kind, tag: Word) -> Item {
        Item { flow: id, host, kind, tag, prefix: self.prefix(id, host), ..Item::default() }
    }

    fn say(&mut self, id: FlowId, host: Option<HostId>, kind: Kind, tag: Word, says: String) {
        let mut item = self.item(id, host, kind, tag);
        item.says = Some(says);
        self.items.push(item);
    }

    fn pending(&mut self, id: FlowId, number: Number, host: Option<HostId>, kind: Kind) -> Option<&mut Item> {
        self.items.iter_mut().rev().find(|item| {
            item.flow == id
                && item.number == Some(number)
                && item.kind == kind
                && (host.is_none() || item.host == host)
        })
    }

    fn sent(&mut self, record: &Record, id: FlowId, packet: &Packet) {
        let host = record.vantage.host_id();
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let mut item = Item::default();
        let language = self.view.language;
        let (flags, numbers) = item::label(packet, flow.facts.flow(), &self.view);
        let mut tag = Word::TagSent;
        if let Transport::Tcp(segment) = &packet.transport {
            if let Some(reason) = &segment.reason {
                let context = flow.facts.context(packet, record.at, self.view.counting);
                if let Reason::Ack(aperto_tcp::AckCause::Delayed { waited, .. }) = reason
                    && !flow.told_delay
                {
                    flow.told_delay = true;
                    let waited = quantity::duration(language, *waited);
                    item.remarks.push(text::told(language, &Told::Later(&waited)));
                }
                if item::tells(reason, self.view.reasons) {
                    let rule = text::rules::of(reason, &context);
                    item.why = Some((text::short(language, reason, &context), Some(rule)));
                }
                if let Reason::Retransmission { .. } = reason {
                    tag = Word::TagResent;
                }
            }
            if let Some(of) = segment.of {
                tag = Word::TagResent;
                item.remarks.push(format!("= {of}"));
            } else {
                item.remarks.extend(crate::carried::carried(packet, language));
            }
        } else if let Transport::Arq(arq) = &packet.transport {
            if let Some(of) = arq.of {
                tag = Word::TagResent;
                item.remarks.push(format!("= {of}"));
            }
            if let (Some(reason), Reasons::All) = (&arq.reason, self.view.reasons) {
                let says = text::arq_reason(language, reason, &text::ArqContext::default());
                item.why = Some((says, None));
            }
        } else if let (Some(message), Reasons::All | Reasons::Handshake) =
            (crate::hello::Message::read(packet), self.view.reasons)
        {
            item.why = Some((message.why(language), None));
        }
        item.flags = flags;
        item.numbers = numbers;
        item.number = Some(packet.number);
        item.copy_into(self.item(id, host, Kind::Sent, tag), &mut self.items);
    }

    fn received(&mut self, record: &Record, id: FlowId, packet: &Packet, number: Number, copy: u32) {
        let host = record.vantage.host_id();
        let Some(flow) = self.flows.get(&id) else { return };
        let mut item = Item::default();
        let (flags, numbers) = item::label(packet, flow.facts.flow(), &self.view);
        item.flags = flags;
        item.numbers = numbers;
        item.number = Some(number);
        if copy > 0 {
            let of = text::word(self.view.language, Word::DuplicateOf);
            item.remarks.push(format!("{of} {number}"));
        }
        if copy == 0 {
            item.remarks.extend(crate::carried::carried(packet, self.view.language));
        }
        let is_arq = matches!(packet.transport, Transport::Arq(_));
        if !is_arq
            && crate::hello::Message::read(packet).is_none()
            && let Some(text) = crate::context::printable(packet.payload())
            && copy == 0
            && let Some(direction) = flow.facts.flow().direction(packet.endpoints)
        {
            let who = match crate::facts::sender(direction) {
                Side::Client => Word::Client,
                Side::Server => Word::Server,
            };
            item.remarks.push(format!("{}: {text}", text::word(self.view.language, who)));
        }
        item.copy_into(self.item(id, host, Kind::Received, Word::TagReceived), &mut self.items);
    }

    /// What became of the textbook protocol's packet that came last at this instant.
    fn became(&mut self, record: &Record, id: FlowId, note: &aperto_arq::Note) {
        let host = record.vantage.host_id();
        let last = self
            .items
            .iter_mut()
            .rev()
            .find(|item| item.flow == id && item.kind == Kind::Received && item.host == host);
        let Some(item) = last else { return };
        let about = item.number.and_then(|number| self.past.packet(number));
        let space = about.and_then(|packet| match &packet.transport {
            Transport::Arq(arq) => Some(arq.space),
            _ => None,
        });
        let Some(became) = textbook::became(self.view.language, note, space) else { return };
        if became.dropped {
            item.tag = Word::TagDropped;
        }
        item.remarks.push(became.says);
        item.if_it_fits = became.more;
    }

    fn channel(&mut self, id: FlowId, number: Number, what: &ChannelEvent, about: Option<&Packet>) {
        let language = self.view.language;
        if let ChannelEvent::Lost(cause) = what {
            let says = match cause {
                LossCause::Picked { .. } => text::word(language, Word::BecauseYouAsked).to_string(),
                LossCause::Random
                | LossCause::Burst
                | LossCause::QueueFull { .. }
                | LossCause::TooBig { .. }
                | LossCause::LinkDown
                | LossCause::Unknown => text::channel(language, what).full().to_string(),
            };
            if let Some(item) = self.pending(id, number, None, Kind::Sent) {
                item.tag = Word::TagLost;
                item.remarks.push(says);
                return;
            }
            let (Some(flow), Some(packet)) = (self.flows.get(&id), about) else { return };
            let mut item = Item { number: Some(number), ..Item::default() };
            (item.flags, item.numbers) = item::label(packet, flow.facts.flow(), &self.view);
            item.remarks.push(says);
            item.copy_into(self.item(id, None, Kind::Channel, Word::TagLost), &mut self.items);
            return;
        }
        let luck =
            matches!(what, ChannelEvent::Queued { .. } | ChannelEvent::Delayed { by: Origin::Random, .. });
        if !luck {
            let says = format!("{number} {}", text::channel(language, what).full());
            self.say(id, None, Kind::Channel, Word::TagChannel, says);
        }
    }

    fn moved(&mut self, record: &Record, id: FlowId, from: State, to: State, segment: Option<Number>) {
        let host = record.vantage.host_id();
        let (from, to_name) = (state_name(from), state_name(to));
        let pending = segment.and_then(|number| {
            self.items
                .iter_mut()
                .rev()
                .find(|item| item.flow == id && item.number == Some(number) && item.host == host)
        });
        match pending {
            Some(item) => match &mut item.states {
                Some((_, last)) => *last = to_name,
                none => *none = Some((from, to_name)),
            },
            None if to == State::Listen => {}
            None => self.say(id, host, Kind::State, Word::TagApp, format!("{from} -> {to_name}")),
        }
        if matches!(to, State::TimeWait | State::Closed) {
            self.closed(id, host);
        }
    }

    fn noted(&mut self, record: &Record, id: FlowId, note: &Note) {
        let host = record.vantage.host_id();
        let facts = match note {
            Note::RetransmissionTimeout { una, rto, srtt, rttvar, minimum, attempt } => {
                let number = self.flows.get(&id).and_then(|flow| {
                    let side = flow.facts.side_of(host?)?;
                    flow.facts.carried_before(side, *una, record.at)
                });
                TimerFacts::Retransmission {
                    number,
                    rto: *rto,
                    srtt: *srtt,
                    rttvar: *rttvar,
                    minimum: *minimum,
                    attempt: *attempt,
                }
            }
            Note::TimerFired { timer: timer @ (Timer::Persist | Timer::KeepAlive | Timer::User), after } => {
                TimerFacts::Other { timer: *timer, after: *after }
            }
            _ => return,
        };
        let says = text::timer_line(self.view.language, &facts);
        self.say(id, host, Kind::Timer, Word::TagTimer, says);
    }

    fn opened(&mut self, record: &Record, id: FlowId) {
        let host = record.vantage.host_id();
        let Some(flow) = self.flows.get_mut(&id) else { return };
        if flow.facts.flow().protocol != Protocol::Tcp || core::mem::replace(&mut flow.announced_open, true) {
            return;
        }
        self.open += 1;
        let endpoints = flow.facts.flow().endpoints;
        let (own_port, server_port) = (endpoints.source.port(), endpoints.destination.port());
        let language = self.view.language;
        let mut item = match self.view.labels {
            Labels::Connections => {
                let told = Told::OpenWith {
                    remote: endpoints.source,
                    connections: self.open,
                    own_port: server_port,
                };
                Item { says: Some(text::told(language, &told)), ..Item::default() }
            }
            Labels::None | Labels::Sides => {
                let told = Told::Open { segments: flow.packets, own_port, server_port };
                let head = text::word(language, Word::TagHandshake);
                Item { says: Some(format!("{head} {}", text::told(language, &told))), ..Item::default() }
            }
        };
        item.bare = true;
        item.copy_into(self.item(id, host, Kind::Announcement, Word::TagHandshake), &mut self.items);
    }

    /// Both directions are closed, or nothing is left.
    fn closed(&mut self, id: FlowId, host: Option<HostId>) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        if !flow.announced_open || core::mem::replace(&mut flow.announced_end, true) {
            return;
        }
        self.open = self.open.saturating_sub(1);
        let counts = self.counts(id);
        let head = text::word(self.view.language, Word::TagClosed);
        let item = Item { says: Some(format!("{head} {counts}")), bare: true, ..Item::default() };
        item.copy_into(self.item(id, host, Kind::Announcement, Word::TagClosed), &mut self.items);
    }

    fn ended(&mut self, id: FlowId, host: Option<HostId>, end: End) {
        if self.view.host.is_some() {
            self.over.push(id);
        }
        if end == End::Closed {
            self.closed(id, host);
            return;
        }
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let announced = core::mem::replace(&mut flow.announced_end, true);
        let was_open = flow.announced_open;
        // The announcement of a closed connection at this instant was too early: it ended otherwise.
        self.items.retain(|item| !(item.flow == id && item.tag == Word::TagClosed));
        if was_open && !announced {
            self.open = self.open.saturating_sub(1);
        }
        let language = self.view.language;
        let counts = self.counts(id);
        let says =
            format!("{} {} · {counts}", text::word(language, Word::TagEnded), text::end(language, end));
        let item = Item { says: Some(says), bare: true, ..Item::default() };
        item.copy_into(self.item(id, host, Kind::Announcement, Word::TagEnded), &mut self.items);
    }

    /// `14 segments, 1 lost, 1 resent · 22 bytes sent`.
    fn counts(&self, id: FlowId) -> String {
        let language = self.view.language;
        let Some(flow) = self.flows.get(&id) else { return String::new() };
        let count = |counted: Counted<'_>| text::counted(language, &counted);
        let mut parts = alloc::vec![count(Counted::Segments(flow.packets))];
        if flow.summary.lost > 0 {
            parts.push(count(Counted::Lost(flow.summary.lost)));
        }
        if flow.summary.resent > 0 {
            parts.push(count(Counted::Resent(flow.summary.resent)));
        }
        let sent = match self.view.labels {
            Labels::Connections => flow.summary.sent_down_octets,
            Labels::None | Labels::Sides => flow.summary.sent_octets,
        };
        format!("{} · {}", parts.join(", "), count(Counted::Sent(sent)))
    }
}

/// A packet that is kept for later.
type Kept = Box<Packet>;

#[cfg(test)]
mod tests;
