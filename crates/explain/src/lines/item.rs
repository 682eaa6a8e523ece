//! A line before it is drawn: what belongs to it may still come.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::Reason;
use aperto_time::Instant;
use aperto_trace::{Flow, FlowId, HostId, Number, Packet, Transport};

use super::{Kept, Labels, LineView, Reasons};
use crate::context::{Counting, label_text, printable};
use crate::sockets::Seen;
use crate::text::{self, Word};
use crate::wording::{cut, pad, spread, tame, width, wrap};
use crate::{Citation, Rule, Wording, ladder};

/// Where remarks begin at first.
pub(super) const REMARKS_FROM: usize = 46;
/// By how much they move when numbers get longer.
const REMARKS_STEP: usize = 5;
/// Packets that are remembered.
const PACKETS: usize = 4_096;
/// A remark is cut here; what an application said can be long.
const LONGEST_REMARK: usize = 60;

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Kind {
    #[default]
    Sent,
    Received,
    Channel,
    Timer,
    State,
    Announcement,
    Call,
}

/// A line to be.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) flow: FlowId,
    pub(super) host: Option<HostId>,
    pub(super) kind: Kind,
    pub(super) tag: Word,
    pub(super) prefix: String,
    pub(super) number: Option<Number>,
    pub(super) flags: String,
    pub(super) numbers: String,
    pub(super) states: Option<(String, String)>,
    pub(super) remarks: Vec<String>,
    /// A last remark that is left out where it does not fit.
    pub(super) if_it_fits: Option<String>,
    pub(super) why: Option<(Wording, Option<Rule>)>,
    /// The whole line after the tag, where it is not about one packet.
    pub(super) says: Option<String>,
    /// Whether the tag is left out.
    pub(super) bare: bool,
    /// A call, and when.
    pub(super) call: Option<(Seen, Instant)>,
}

impl Default for Item {
    fn default() -> Self {
        Self {
            flow: FlowId(0),
            host: None,
            kind: Kind::default(),
            tag: Word::TagSent,
            prefix: String::new(),
            number: None,
            flags: String::new(),
            numbers: String::new(),
            states: None,
            remarks: Vec::new(),
            if_it_fits: None,
            why: None,
            says: None,
            bare: false,
            call: None,
        }
    }
}

impl Item {
    /// Takes over where and what from a frame, and joins the others.
    pub(super) fn copy_into(mut self, frame: Self, items: &mut Vec<Self>) {
        self.flow = frame.flow;
        self.host = frame.host;
        self.kind = frame.kind;
        self.tag = frame.tag;
        self.prefix = frame.prefix;
        items.push(self);
    }

    /// The lines.
    pub(super) fn draw(&self, view: &LineView, remarks_at: &mut usize) -> Vec<String> {
        let mut line = self.prefix.clone();
        let start = width(&line);
        let tag = text::word(view.language, self.tag);
        if let Some(says) = &self.says {
            if self.kind == Kind::State {
                pad(&mut line, start + 12);
            } else if !self.bare {
                line.push_str(tag);
                line.push(' ');
                pad(&mut line, start + 12);
            }
            line.push_str(says);
            return alloc::vec![tame(&line)];
        }
        line.push_str(tag);
        let number = self.number.map(|number| number.to_string()).unwrap_or_default();
        // A server's lines begin with a connection: its numbers get one column less.
        let columns = if view.labels == Labels::Connections { 2 } else { 3 };
        let end = (start + 10).max(width(&line)) + 1 + columns;
        let room = end.saturating_sub(width(&number));
        let column = room.max(width(&line) + 1);
        pad(&mut line, column);
        line.push_str(&number);
        line.push(' ');
        line.push_str(&self.flags);
        let flags_end = start + 10 + 1 + columns + 1 + 8;
        pad(&mut line, flags_end);
        line.push(' ');
        line.push_str(&self.numbers);
        let remark = self.remark();
        if !remark.is_empty() {
            while *remarks_at < width(&line) + 2 && *remarks_at < 200 {
                *remarks_at += REMARKS_STEP;
            }
            pad(&mut line, *remarks_at);
            line.push_str(&remark);
            if let Some(more) = &self.if_it_fits
                && width(&line) + 3 + width(more) <= view.width
            {
                line.push_str(" · ");
                line.push_str(more);
            }
        }
        let mut lines = alloc::vec![line];
        if let Some((says, rule)) = &self.why {
            let mut text = String::new();
            pad(&mut text, start + if view.labels == Labels::Connections { 11 } else { 12 });
            text.push_str(text::word(view.language, Word::Why));
            text.push_str(": ");
            let indent = width(&text);
            let room = view.width.saturating_sub(indent).max(20);
            let mut pieces = match says.that_fits(room) {
                Some(says) => alloc::vec![says.to_string()],
                None => wrap(says.full(), room),
            };
            let last = pieces.pop().unwrap_or_default();
            for piece in pieces {
                text.push_str(&piece);
                lines.push(core::mem::take(&mut text));
                pad(&mut text, indent);
            }
            text.push_str(&last);
            let rule = rule.map(|rule| rule.cite(Citation::Number)).unwrap_or_default();
            lines.extend(spread(&text, &rule, view.width));
        }
        lines.iter().map(|line| tame(line)).collect()
    }

    fn remark(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.states.as_ref().map(|(from, to)| format!("{from} -> {to}")));
        parts.extend(self.remarks.iter().map(|remark| cut(remark, LONGEST_REMARK)));
        parts.join(" · ")
    }
}

/// The row of a timer stands above what it sent at the same instant.
pub(super) fn timers_first(items: &mut Vec<Item>) {
    let mut place = 0;
    while place < items.len() {
        let is_timer = items.get(place).is_some_and(|item| item.kind == Kind::Timer);
        if is_timer
            && let Some(timer) = items.get(place).cloned()
            && let Some(first) = items.iter().take(place).position(|item| {
                item.kind == Kind::Sent && item.flow == timer.flow && item.host == timer.host
            })
        {
            items.remove(place);
            items.insert(first, timer);
        }
        place += 1;
    }
}

/// Whether the reason of a segment is told.
pub(super) const fn tells(reason: &Reason, reasons: Reasons) -> bool {
    match reasons {
        Reasons::All => true,
        Reasons::None => false,
        Reasons::Handshake => matches!(
            reason,
            Reason::ActiveOpen
                | Reason::PassiveOpen { .. }
                | Reason::SimultaneousOpen { .. }
                | Reason::HandshakeAck { .. }
        ),
    }
}

/// Flags, and numbers, of a packet.
pub(super) fn label(packet: &Packet, flow: &Flow, view: &LineView) -> (String, String) {
    match &packet.transport {
        Transport::Tcp(segment) => {
            let header = &segment.header;
            let direction = flow.direction(packet.endpoints);
            let seq = match (view.counting, direction) {
                (Counting::Relative, Some(way)) => flow.relative_seq(way, header.seq),
                _ => None,
            };
            let ack = match (view.counting, direction) {
                (Counting::Relative, Some(way)) => flow.relative_ack(way, header.ack),
                _ => None,
            };
            let mut numbers = format!("seq={}", seq.unwrap_or(header.seq.value()));
            if header.control.ack() {
                numbers.push_str(&format!(" ack={}", ack.unwrap_or(header.ack.value())));
            }
            if packet.payload_length > 0 {
                numbers.push_str(&format!(" len={}", packet.payload_length));
            }
            if let Some(count) = segment.duplicate_ack {
                numbers.push_str(&format!(" {} {count}", text::word(view.language, Word::Duplicate)));
            }
            if let Some(direction) = direction
                && header.control.ack()
                && !header.control.rst()
                && flow.window_octets(direction, header) == 0
            {
                numbers.push(' ');
                numbers.push_str(text::word(view.language, Word::ZeroWindow));
            }
            (ladder::flags(header.control), numbers)
        }
        Transport::Udp => {
            if let Some(message) = crate::hello::Message::read(packet) {
                return (message.name().to_string(), message.fields(view.language));
            }
            // Of what cannot be read less is more.
            let columns = if printable(packet.payload()).is_some() { 24 } else { super::textbook::QUOTED };
            let quoted = label_text(packet.payload(), columns);
            ("UDP".to_string(), format!("len={} \"{quoted}\"", packet.payload_length))
        }
        Transport::Arq(arq) => {
            use aperto_arq::Kind as K;
            let kind = match arq.kind {
                K::Data => "DATA",
                K::Ack => "ACK",
                K::Nack => "NACK",
                K::GroupAck => "GACK",
            };
            (kind.to_string(), super::textbook::numbers(packet, arq, view.labels))
        }
        Transport::Icmp(icmp) => ("ICMP".to_string(), format!("type={} code={}", icmp.kind, icmp.code)),
        Transport::Fragment { offset, .. } => ("FRAGMENT".to_string(), format!("offset={offset}")),
        Transport::Arp => ("ARP".to_string(), String::new()),
        Transport::Other { protocol } => ("IP".to_string(), format!("proto={protocol}")),
    }
}

/// Packets that were seen, the newest of them.
#[derive(Clone, Debug)]
pub(super) struct Past {
    packets: BTreeMap<Number, Kept>,
    known_until: u32,
}

impl Past {
    /// Nothing yet.
    pub(super) const fn new() -> Self {
        Self { packets: BTreeMap::new(), known_until: 0 }
    }

    /// Keeps a packet; tells whether it is seen for the first time.
    pub(super) fn keep(&mut self, packet: &Packet) -> bool {
        let first = packet.number.0 > self.known_until;
        self.known_until = self.known_until.max(packet.number.0);
        if self.packets.len() == PACKETS {
            self.packets.pop_first();
        }
        self.packets.entry(packet.number).or_insert_with(|| Kept::new(packet.clone()));
        first
    }

    /// A packet by its number.
    pub(super) fn packet(&self, number: Number) -> Option<&Kept> {
        self.packets.get(&number)
    }
}
