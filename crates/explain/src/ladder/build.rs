//! From the records of a flow to the rows of its ladder.

mod calls;
mod exchange;
mod later;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem::discriminant;

use aperto_tcp::diagram::Cause;
use aperto_tcp::{AckCause, DropReason as TcpDrop, Note, Reason, State, Timer};
use aperto_time::Instant;
use aperto_trace::{
    ChannelEvent, Coded, Direction, DropReason, Fact, Flow, FlowId, Number, Origin, Packet, Protocol, Record,
    Trace, Transport,
};

use super::{
    ArrivalRow, ArrowEnd, Aside, Calls, Drawn, Extent, Kind, Ladder, Made, PacketRow, Row, View, asides,
    fold, frame, label, textbook, times,
};
use crate::context::{Counting, Fate, Sample, Side};
use crate::facts::{Congestion, FlowFacts, beginning, place, sender};
use crate::sockets::Sockets;
use crate::text::{ArqContext, Datagram, TimerFacts, Word, word};
use crate::{Citation, quantity, text};

use later::Later;
pub(crate) use later::state_after;

/// Makes the ladder of a flow; without rows if there is no such flow.
pub(super) fn ladder(trace: &Trace, id: FlowId, view: &View) -> Ladder {
    let Some(flow) = trace.flow(id) else {
        return Ladder {
            kind: Kind::Other,
            header: Vec::new(),
            heads: [String::new(), String::new()],
            rows: Vec::new(),
            footer: Vec::new(),
            times: times::Times::new(view.time, view.language, None, None, 0, &[]),
            citation: Citation::Number,
        };
    };
    let mut builder = Builder::new(trace, flow, view);
    for (place, record) in trace.records().iter().enumerate() {
        if record.flow == Some(id) {
            builder.take(place, record);
        } else if record.flow.is_none() {
            builder.listens(place, record);
        }
    }
    let kind = builder.kind;
    let rows = builder.finish();
    frame::ladder(trace, flow, view, kind, fold::fold(rows, kind, trace, view))
}

struct Builder<'a> {
    trace: &'a Trace,
    flow: &'a Flow,
    view: &'a View,
    kind: Kind,
    later: Later,
    facts: FlowFacts,
    /// Each row with what it is sorted by: the place of its record, times two.
    rows: Vec<(usize, Row)>,
    row_of: BTreeMap<(Number, u32), usize>,
    arrival_row_of: BTreeMap<Number, usize>,
    last_copy: BTreeMap<Number, u32>,
    shown: [label::Shown; 2],
    window_shown: Option<String>,
    /// The first row of each side at this instant, before which its timer stands.
    first_now: [Option<(Instant, usize)>; 2],
    /// Rows whose congestion window is known once the instant is over.
    unsettled: Vec<(usize, Side, Option<u32>)>,
    /// The window stands again beside what a side sends at this instant: a timer fired.
    window_again: Option<(Instant, Side)>,
    now: Instant,
    arq: ArqContext,
    said: BTreeSet<String>,
    missing: Option<Number>,
    sockets: Sockets,
}

impl<'a> Builder<'a> {
    fn new(trace: &'a Trace, flow: &'a Flow, view: &'a View) -> Self {
        let is_textbook = |record: &Record| {
            record.flow == Some(flow.id)
                && record.packet().is_some_and(|packet| matches!(packet.transport, Transport::Arq(_)))
        };
        let kind = match flow.protocol {
            Protocol::Tcp => Kind::Tcp,
            Protocol::Arq => Kind::Textbook,
            Protocol::Udp if trace.records().iter().any(is_textbook) => Kind::Textbook,
            Protocol::Udp => Kind::Udp,
            Protocol::Icmp | Protocol::Arp | Protocol::Other(_) => Kind::Other,
        };
        Self {
            trace,
            flow,
            view,
            kind,
            later: Later::of(trace, flow, view.split),
            facts: FlowFacts::new(flow.id, beginning(flow)),
            rows: Vec::new(),
            row_of: BTreeMap::new(),
            arrival_row_of: BTreeMap::new(),
            last_copy: BTreeMap::new(),
            shown: Default::default(),
            window_shown: None,
            first_now: [None, None],
            unsettled: Vec::new(),
            window_again: None,
            now: Instant::ZERO,
            arq: ArqContext { protocol: textbook::protocol(trace), ..ArqContext::default() },
            said: BTreeSet::new(),
            missing: None,
            sockets: Sockets::default(),
        }
    }

    fn take(&mut self, at: usize, record: &Record) {
        if record.at > self.now {
            self.settle();
            self.now = record.at;
        }
        let about = record.number().and_then(|number| self.trace.packet(number));
        self.facts.learn(record, about);
        match &record.fact {
            Fact::Left(packet) => self.left(at, record, packet),
            Fact::Arrived { number, copy, packet } => {
                self.arrived(at, record, *number, *copy, packet.as_deref());
            }
            Fact::Channel { number, copy, what: ChannelEvent::Duplicated { .. } } => {
                self.copied(at, record, *number, *copy);
            }
            Fact::Dropped { number: Some(number), reason } => self.dropped(*number, reason),
            Fact::State { from, to, cause, segment: None } => self.moved(at, record, *from, *to, *cause),
            Fact::Note(note) => self.noted(at, record, note),
            Fact::ArqNote(note) => self.textbook_noted(at, record, note),
            Fact::Delivered { .. } if self.kind == Kind::Udp => self.delivered(record),
            _ => {}
        }
        self.calls(at, record, about);
    }

    /// The instant is over: the congestion windows of its rows are known.
    fn settle(&mut self) {
        for (row, side, flight) in core::mem::take(&mut self.unsettled) {
            let congestion = self
                .facts
                .congestion(side)
                .map(|congestion| Congestion { flight: flight.unwrap_or(congestion.flight), ..congestion });
            if let Some((_, Row::Packet(row))) = self.rows.get_mut(row)
                && let Some(aside) = row.asides.first_mut()
            {
                aside.congestion = congestion;
            }
        }
    }

    fn left(&mut self, at: usize, record: &Record, packet: &Packet) {
        let direction = self.direction(record, packet);
        let side = sender(direction);
        let received = self.later.arrival(packet.number);
        let end = self.end(packet, direction);
        let lost = matches!(end, ArrowEnd::Lost(_));
        let mut row = self.packet_row(record, packet, direction, lost);
        row.sent = Some(record.at);
        row.received = received.filter(|_| !lost);
        row.end = end;
        if row.end == ArrowEnd::Corrupt {
            row.label.push(super::Piece::Mark(word(self.view.language, Word::Corrupt).to_string()));
        }
        if let Some(delay) = self.later.delayed.get(&packet.number) {
            let text = format!("+{}", quantity::milliseconds(self.view.language, *delay));
            row.label.push(super::Piece::Mark(text));
        }
        if self.later.split.contains(&packet.number) && received.is_some() && !lost {
            row.drawn = Drawn::Departure;
        }
        if self.first_now[place(side)].is_none_or(|(when, _)| when != record.at) {
            self.first_now[place(side)] = Some((record.at, 2 * at));
        }
        let has_reason = row.asides.first().is_some_and(|aside| aside.about == Word::Why);
        if has_reason && self.view.is_wide() && packet.payload_length > 0 {
            self.unsettled.push((self.rows.len(), side, self.facts.flight(side)));
        }
        if self.window_again == Some((record.at, side)) {
            self.window_again = None;
            row.cells[place(side)] = self.window_shown.clone();
        }
        self.add_channel_asides(packet.number, 0, &mut row.asides);
        self.row_of.insert((packet.number, 0), self.rows.len());
        self.rows.push((2 * at, Row::Packet(row)));
        self.hole_filled(record, packet);
    }

    fn direction(&self, record: &Record, packet: &Packet) -> Direction {
        self.flow.direction(packet.endpoints).unwrap_or_else(|| match self.facts.seen_by(record.vantage) {
            Some(Side::Server) => Direction::Down,
            _ => Direction::Up,
        })
    }

    /// How the arrow ends, from what the channel did to the packet itself.
    fn end(&self, packet: &Packet, _direction: Direction) -> ArrowEnd {
        let mut end = match packet.tcp() {
            Some(segment) if segment.header.control.rst() => ArrowEnd::Resets,
            _ => ArrowEnd::Arrives,
        };
        for event in self.channel_events(packet.number, 0) {
            match event {
                ChannelEvent::Lost(_) => {
                    return ArrowEnd::Lost(word(self.view.language, Word::Lost).to_string());
                }
                ChannelEvent::Damaged { .. } => end = ArrowEnd::Corrupt,
                _ => {}
            }
        }
        end
    }

    fn channel_events(
        &self,
        number: Number,
        of_copy: u32,
    ) -> impl Iterator<Item = &'a ChannelEvent> + use<'a> {
        let trace = self.trace;
        let places = trace.journey(number).map_or(&[][..], |journey| &journey.channel);
        places.iter().filter_map(move |&place| match &trace.records().get(place)?.fact {
            Fact::Channel { copy, what, .. } if *copy == of_copy => Some(what),
            _ => None,
        })
    }

    fn add_channel_asides(&self, number: Number, copy: u32, into: &mut Vec<Aside>) {
        if self.kind != Kind::Tcp {
            return;
        }
        for event in self.channel_events(number, copy) {
            if copy == 0 && matches!(event, ChannelEvent::Duplicated { .. }) {
                continue;
            }
            into.extend(asides::channel(event, self.view));
        }
    }

    /// A row with its label and its reason; the rest is filled in by the caller.
    fn packet_row(
        &mut self,
        record: &Record,
        packet: &Packet,
        direction: Direction,
        lost: bool,
    ) -> PacketRow {
        let mut label = match packet.tcp() {
            Some(segment) => {
                let shown = &mut self.shown[place(sender(direction))];
                label::segment(packet, segment, self.flow, direction, shown, self.view)
            }
            None => label::other(packet, self.view),
        };
        let mut likeness = label::likeness(&label, packet.payload_length);
        let mut cells = [None, None];
        let mut asides = Vec::new();
        match &packet.transport {
            Transport::Tcp(segment) => {
                if let Some(reason) = &segment.reason {
                    let context = self.context(record, packet, reason, lost);
                    likeness.push_str(reason.code());
                    asides.push(asides::why(reason, &context, self.view));
                } else {
                    asides.extend(asides::comment(packet));
                }
                asides.extend(asides::carried(packet, self.view));
            }
            Transport::Arq(arq) => {
                if let Some(reason) = &arq.reason {
                    if let aperto_arq::Reason::FirstTransmission { window } = reason {
                        cells[0] = self.window_cell(textbook::window(*window, arq.space.size()));
                    }
                    likeness.push_str(reason.code());
                    let aside = asides::textbook(reason, &self.arq, self.view);
                    asides.extend(self.once(&format!("{:?}", discriminant(reason)), aside));
                }
                if arq.end == aperto_arq::EndOfMessage::Yes && arq.kind == aperto_arq::Kind::Data {
                    likeness.push_str(" end");
                }
            }
            Transport::Udp if lost => {
                self.missing = Some(packet.number);
                let aside = Some(asides::datagram(Datagram::Lost, self.view));
                asides.extend(self.once("udp lost", aside));
            }
            _ => {}
        }
        label.truncate(16);
        PacketRow {
            number: packet.number,
            made: Made::BySender,
            sent: None,
            received: None,
            direction,
            label,
            end: ArrowEnd::Arrives,
            drawn: Drawn::Whole,
            cells,
            asides,
            likeness,
        }
    }

    /// An aside the first time that its kind is told; later ones only where everything is told.
    fn once(&mut self, kind: &str, aside: Option<Aside>) -> Option<Aside> {
        let aside = aside?;
        let first = self.said.insert(kind.to_string());
        (first || self.view.calls == Calls::Shown).then_some(aside)
    }

    fn context(&self, record: &Record, packet: &Packet, reason: &Reason, lost: bool) -> crate::Context {
        let mut context = self.facts.context(packet, record.at, Counting::Relative);
        if self.view.seq == super::Seq::Absolute {
            context.numbers.counting = Counting::Absolute;
        }
        if lost {
            context.fate = Fate::Lost;
        }
        if self.later.ambiguous.contains(&packet.number) {
            context.sample = Sample::Ambiguous;
        }
        if matches!(reason, Reason::Ack(AckCause::FinArrived { half_closed: false })) {
            context.state = state_after(self.trace, record).or(context.state);
        }
        context
    }

    /// The segment that filled a hole says so on the receiver's side.
    fn hole_filled(&mut self, record: &Record, packet: &Packet) {
        let Some(segment) = packet.tcp() else { return };
        if let Some(Reason::Ack(AckCause::HoleFilled { .. })) = segment.reason
            && let Some(side) = self.facts.seen_by(record.vantage)
            && let Some(number) = self.facts.arrival_at(side, record.at)
        {
            self.set_cell(number, side, word(self.view.language, Word::FillsHole).to_string());
        }
    }

    fn arrived(&mut self, at: usize, record: &Record, number: Number, copy: u32, packet: Option<&Packet>) {
        self.last_copy.insert(number, copy);
        match self.row_of.get(&(number, copy)) {
            Some(&row) => {
                let Some((_, Row::Packet(row))) = self.rows.get(row) else { return };
                if row.drawn == Drawn::Departure && copy == 0 {
                    let direction = row.direction;
                    self.arrival_row_of.insert(number, self.rows.len());
                    let arrival = ArrivalRow { number, at: record.at, direction, cells: [None, None] };
                    self.rows.push((2 * at, Row::Arrival(arrival)));
                }
            }
            None => {
                // Nobody here saw it leave.
                let Some(packet) = packet.or_else(|| self.trace.packet(number)) else { return };
                let direction = self.direction(record, packet);
                let mut row = self.packet_row(record, packet, direction, false);
                row.received = Some(record.at);
                row.end = self.end(packet, direction);
                self.row_of.insert((number, copy), self.rows.len());
                self.rows.push((2 * at, Row::Packet(row)));
            }
        }
    }

    fn copied(&mut self, at: usize, record: &Record, number: Number, copy: u32) {
        let Some(packet) = self.trace.packet(number) else { return };
        let direction = self.direction(record, packet);
        let saved = self.shown;
        let mut row = self.packet_row(record, packet, direction, false);
        self.shown = saved;
        row.made = Made::ByChannel;
        row.sent = Some(record.at);
        row.received = self.later.arrival_of_copy(self.trace, number, copy);
        row.asides.clear();
        let mark = format!("{} {number}", word(self.view.language, Word::DuplicateOf));
        row.label.push(super::Piece::Mark(mark));
        self.add_channel_asides(number, copy, &mut row.asides);
        self.row_of.insert((number, copy), self.rows.len());
        self.rows.push((2 * at, Row::Packet(row)));
    }

    fn dropped(&mut self, number: Number, reason: &DropReason) {
        let copy = self.last_copy.get(&number).copied().unwrap_or(0);
        let Some(&row) = self.row_of.get(&(number, copy)) else { return };
        let Some((_, Row::Packet(row))) = self.rows.get_mut(row) else { return };
        if row.end == ArrowEnd::Corrupt && matches!(reason, DropReason::BadChecksum { .. }) {
            return;
        }
        // The reset that answers it says why.
        if matches!(reason, DropReason::Host { code } if code == "nobody-there") {
            return;
        }
        let in_part = matches!(reason, DropReason::Tcp(TcpDrop::BeyondWindow | TcpDrop::DataInSyn));
        if !in_part {
            row.label.push(super::Piece::Mark(word(self.view.language, Word::Ignored).to_string()));
        }
        row.asides.push(asides::not_used(reason, self.view));
    }

    fn moved(&mut self, at: usize, record: &Record, from: State, to: State, cause: Cause) {
        let opens = (from, to) == (State::Closed, State::Listen);
        if opens || (cause == Cause::TimeWaitOver && self.view.extent != Extent::All) {
            return;
        }
        let Some(side) = self.facts.seen_by(record.vantage) else { return };
        let mut cells = [None, None];
        cells[place(side)] = Some(state_name(to));
        self.rows.push((2 * at, Row::States { at: record.at, cells }));
    }

    fn noted(&mut self, at: usize, record: &Record, note: &Note) {
        let side = self.facts.seen_by(record.vantage);
        let facts = match note {
            Note::RetransmissionTimeout { una, rto, srtt, rttvar, minimum, attempt } => {
                TimerFacts::Retransmission {
                    number: side.and_then(|side| self.facts.carried_before(side, *una, record.at)),
                    rto: *rto,
                    srtt: *srtt,
                    rttvar: *rttvar,
                    minimum: *minimum,
                    attempt: *attempt,
                }
            }
            Note::TimerFired { timer, after } => match timer {
                Timer::Persist | Timer::KeepAlive | Timer::User => {
                    TimerFacts::Other { timer: *timer, after: *after }
                }
                Timer::TimeWait if self.view.extent == Extent::All => {
                    TimerFacts::Other { timer: *timer, after: *after }
                }
                Timer::Retransmission | Timer::Override | Timer::DelayedAck | Timer::TimeWait => return,
            },
            Note::OutOfOrder { .. } => {
                if let Some(side) = side
                    && let Some(number) = self.facts.arrival_at(side, record.at)
                {
                    self.set_cell(number, side, word(self.view.language, Word::OutOfOrder).to_string());
                }
                return;
            }
            _ => return,
        };
        let says = text::timer_row(self.view.language, &facts);
        self.timer_row(at, record.at, side, says);
    }

    /// The row of a timer stands above what it sent at the same instant.
    fn timer_row(&mut self, at: usize, when: Instant, side: Option<Side>, says: crate::Wording) {
        let first = side.and_then(|side| self.first_now[place(side)]);
        let key = match first {
            Some((instant, key)) if instant == when => key.saturating_sub(1),
            _ => 2 * at,
        };
        self.rows.push((key, Row::Timer { at: when, side, says }));
    }

    fn delivered(&mut self, record: &Record) {
        let Some(side) = self.facts.seen_by(record.vantage) else { return };
        let Some(number) = self.facts.arrival_at(side, record.at) else { return };
        self.set_cell(number, side, word(self.view.language, Word::Delivered).to_string());
        let Some(missing) = self.missing.filter(|missing| *missing < number) else { return };
        let aside = asides::datagram(Datagram::AfterLoss { missing }, self.view);
        if let Some(aside) = self.once("udp after loss", Some(aside))
            && let Some(row) = self.row_of.get(&(number, 0)).copied()
            && let Some((_, Row::Packet(row))) = self.rows.get_mut(row)
        {
            row.asides.push(aside);
        }
    }

    /// Writes into the column of a side, beside a packet that left it or arrived there.
    fn set_cell(&mut self, number: Number, side: Side, text: String) {
        let copy = self.last_copy.get(&number).copied().unwrap_or(0);
        let Some(&row) = self.row_of.get(&(number, copy)).or_else(|| self.row_of.get(&(number, 0))) else {
            return;
        };
        let arrival = self.arrival_row_of.get(&number).copied();
        if let Some((_, Row::Packet(packet))) = self.rows.get_mut(row)
            && (packet.drawn == Drawn::Whole || sender(packet.direction) == side)
        {
            packet.cells[place(side)] = Some(text);
            return;
        }
        if let Some((_, Row::Arrival(row))) = arrival.and_then(|row| self.rows.get_mut(row)) {
            row.cells[place(side)] = Some(text);
        }
    }

    /// The states, beside the packets that they belong to; then everything in order.
    fn finish(mut self) -> Vec<Row> {
        self.settle();
        let trace = self.trace;
        for record in trace.records() {
            if let Fact::State { to, segment: Some(number), .. } = &record.fact
                && record.flow == Some(self.flow.id)
                && let Some(side) = self.facts.seen_by(record.vantage)
            {
                self.last_copy.remove(number);
                self.set_cell(*number, side, state_name(*to));
            }
        }
        self.rows.sort_by_key(|(key, _)| *key);
        let mut rows: Vec<Row> = self.rows.into_iter().map(|(_, row)| row).collect();
        let cells = [Side::Client, Side::Server].map(|side| self.facts.state_before(side).map(state_name));
        if let Some(at) = rows.iter().find_map(fold::time_of)
            && cells.iter().any(Option::is_some)
        {
            rows.insert(0, Row::States { at, cells });
        }
        rows
    }
}

/// A state as the rows write it: `SYN_SENT`, as the system's own tools do.
pub(crate) fn state_name(state: State) -> String {
    state.name().replace('-', "_")
}

/// What came of an origin: whether somebody asked for it.
pub(super) const fn was_picked(by: &Origin) -> bool {
    matches!(by, Origin::Picked { .. })
}
