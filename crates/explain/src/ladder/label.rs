//! What an arrow says: flags, seq, ack, len, win if it changed, options, then marks; in this order.
//!
//! The names are those of Wireshark, so that eyes can travel.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::{Reason, RetransmissionCause};
use aperto_trace::{Direction, Flow, Packet, Segment, Transport, WindowMark};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header};

use super::{Piece, Seq, View};
use crate::context::label_text;
use crate::text::{Word, word};

/// Columns of a payload that is shown in a label.
const QUOTED_COLUMNS: usize = 16;

/// A window that has changed by so many octets is always shown.
const NOTICEABLE_OCTETS: u32 = 1_460;

/// What was shown before of the same side, so that only what changed is shown again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Shown {
    /// The window, in octets.
    window: Option<u32>,
    /// The acknowledgment number.
    ack: Option<SeqNumber>,
    /// Whether the side has sent an ACK without SYN.
    open: bool,
}

/// The flags, as Wireshark orders them.
pub(crate) fn flags(control: Control) -> String {
    let names = [
        (Control::FIN, "FIN"),
        (Control::SYN, "SYN"),
        (Control::RST, "RST"),
        (Control::PSH, "PSH"),
        (Control::ACK, "ACK"),
        (Control::URG, "URG"),
        (Control::ECE, "ECE"),
        (Control::CWR, "CWR"),
    ];
    let set: Vec<&str> = names.iter().filter(|(flag, _)| control.has(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { "no flags".to_string() } else { set.join(",") }
}

/// The label of a segment.
pub(super) fn segment(
    packet: &Packet,
    segment: &Segment,
    flow: &Flow,
    direction: Direction,
    shown: &mut Shown,
    view: &View,
) -> Vec<Piece> {
    let header = &segment.header;
    let mut pieces = alloc::vec![Piece::Text(flags(header.control))];
    let condensed = view.seq == Seq::Both && shown.open;
    let bare = packet.payload_length == 0 && header.control.sequence_length() == 0;
    if !(condensed && bare) {
        pieces.push(Piece::Text(format!("seq={}", number(header.seq, flow.initial(direction), view.seq))));
    }
    if header.control.ack() {
        if !condensed || bare || shown.ack != Some(header.ack) {
            let initial = flow.initial(direction.reversed());
            pieces.push(Piece::Text(format!("ack={}", number(header.ack, initial, view.seq))));
        }
        shown.ack = Some(header.ack);
        shown.open |= !header.control.syn();
    }
    if packet.payload_length > 0 {
        pieces.push(Piece::Text(format!("len={}", packet.payload_length)));
    }
    if header.control.urg() {
        pieces.push(Piece::Text(format!("urg={}", header.urgent_pointer)));
    }
    let window = window(segment, flow, direction, shown, view);
    pieces.extend(window);
    if view.is_wide() {
        let options = options(header, flow, direction, view.seq);
        if !options.is_empty() {
            pieces.push(Piece::Options(options));
        }
    }
    pieces.extend(marks(segment, flow, direction, view).into_iter().map(Piece::Mark));
    pieces
}

fn number(number: SeqNumber, initial: Option<SeqNumber>, seq: Seq) -> String {
    let absolute = number.value();
    match (seq, initial) {
        (Seq::Absolute, _) | (Seq::Both | Seq::Relative, None) => absolute.to_string(),
        (Seq::Relative, Some(initial)) => number.since(initial).to_string(),
        (Seq::Both, Some(initial)) => format!("{absolute} ({})", number.since(initial)),
    }
}

/// The window, where it is noticeably another than was shown last: by a segment or a tenth of it, or
/// from and to zero. The few octets by which each text makes it smaller until the application has read
/// would only hide the changes that matter.
fn window(
    segment: &Segment,
    flow: &Flow,
    direction: Direction,
    shown: &mut Shown,
    view: &View,
) -> Option<Piece> {
    let header = &segment.header;
    if header.control.rst() || segment.window == WindowMark::Same {
        return None;
    }
    let octets = flow.window_octets(direction, header);
    let field = u32::from(header.window);
    if let Some(before) = shown.window {
        let unit = octets.checked_div(field).unwrap_or(1);
        let noticeable = NOTICEABLE_OCTETS.min(before / 10).max(unit).max(1);
        let to_or_from_zero = (before == 0) != (octets == 0);
        if before.abs_diff(octets) < noticeable && !to_or_from_zero {
            return None;
        }
    }
    shown.window = Some(octets);
    Some(Piece::Text(if view.seq == Seq::Both && octets != field {
        format!("win={field} ({octets})")
    } else {
        format!("win={octets}")
    }))
}

fn options(header: &Header, flow: &Flow, direction: Direction, seq: Seq) -> Vec<String> {
    let options = &header.options;
    let mut out = Vec::new();
    if let Some(mss) = options.mss {
        out.push(format!("mss {mss}"));
    }
    if options.sack_permitted {
        out.push("sackOK".to_string());
    }
    if let Some(scale) = options.window_scale {
        out.push(format!("ws {scale}"));
    }
    // SACK blocks count the other side's octets; in parentheses they would be too wide.
    let initial = flow.initial(direction.reversed());
    let seq = if seq == Seq::Both { Seq::Absolute } else { seq };
    for block in options.sack.as_slice() {
        out.push(format!("sack {}-{}", number(block.start, initial, seq), number(block.end, initial, seq)));
    }
    // On every segment their numbers would be noise; that they are in use is told once.
    if options.timestamps.is_some() && header.control.syn() {
        out.push("ts".to_string());
    }
    if let Some(timeout) = options.user_timeout {
        out.push(format!("uto {} s", timeout.seconds()));
    }
    if options.fast_open.is_some() {
        out.push("tfo".to_string());
    }
    out
}

fn marks(segment: &Segment, flow: &Flow, direction: Direction, view: &View) -> Vec<String> {
    let say = |which| word(view.language, which);
    let mut marks = Vec::new();
    let because = match segment.reason {
        Some(Reason::Retransmission { because, .. }) => Some(because),
        _ => None,
    };
    let is_answer = matches!(segment.reason, Some(Reason::SimultaneousOpen { .. }));
    if let Some(of) = segment.of.filter(|_| !is_answer) {
        marks.push(format!("{}({of})", say(Word::Resent)));
    } else if because.is_some() {
        marks.push(say(Word::Resent).to_string());
    }
    match because {
        Some(
            RetransmissionCause::FastRetransmit { .. }
            | RetransmissionCause::SackHole { .. }
            | RetransmissionCause::PartialAck { .. },
        ) => marks.push(say(Word::Fast).to_string()),
        // The row of the timer stands above it.
        Some(
            RetransmissionCause::Timeout { .. }
            | RetransmissionCause::AfterTimeout { .. }
            | RetransmissionCause::SynAgain
            | RetransmissionCause::PathTooNarrow { .. },
        )
        | None => {}
    }
    if let Some(count) = segment.duplicate_ack {
        marks.push(format!("{} {count}", say(Word::Duplicate)));
    }
    let control = segment.header.control;
    if control.ack() && !control.rst() && flow.window_octets(direction, &segment.header) == 0 {
        marks.push(say(Word::ZeroWindow).to_string());
    }
    match segment.reason {
        Some(Reason::WindowProbe { .. }) => marks.push(say(Word::Probe).to_string()),
        Some(Reason::KeepAlive { .. }) => marks.push("KEEP-ALIVE".to_string()),
        _ => {}
    }
    marks
}

/// The label of a packet that is no segment.
pub(super) fn other(packet: &Packet, view: &View) -> Vec<Piece> {
    let quoted = || label_text(packet.payload(), QUOTED_COLUMNS);
    let text = match &packet.transport {
        Transport::Arq(arq) => {
            use aperto_arq::Kind;
            let name = match arq.kind {
                Kind::Data => "DATA",
                Kind::Ack => "ACK",
                Kind::Nack => "NACK",
                Kind::GroupAck => "GROUP ACK",
            };
            let mut pieces = alloc::vec![Piece::Text(format!("{name} {}", arq.sequence))];
            if arq.kind == Kind::Data {
                pieces.push(Piece::Text(format!("\"{}\"", quoted())));
            }
            if let Some(of) = arq.of {
                pieces.push(Piece::Mark(format!("{}({of})", word(view.language, Word::Resent))));
            }
            if arq.reason.is_some_and(|reason| reason.is_duplicate_acknowledgement()) {
                pieces.push(Piece::Mark(word(view.language, Word::Duplicate).to_string()));
            }
            return pieces;
        }
        Transport::Udp => {
            if let Some(message) = crate::hello::Message::read(packet) {
                let fields = message.fields(view.language);
                return [message.name().to_string(), fields].into_iter().map(Piece::Text).collect();
            }
            let mut pieces = alloc::vec![Piece::Text(format!("UDP len={}", packet.payload_length))];
            if !packet.payload().is_empty() {
                pieces.push(Piece::Text(format!("\"{}\"", quoted())));
            }
            return pieces;
        }
        Transport::Tcp(segment) => flags(segment.header.control),
        Transport::Icmp(icmp) => match icmp.echo {
            Some((_, sequence)) => format!("ICMP echo type={} seq={sequence}", icmp.kind),
            None => format!("ICMP type={} code={}", icmp.kind, icmp.code),
        },
        Transport::Fragment { offset, .. } => {
            format!("fragment offset={offset} len={}", packet.payload_length)
        }
        Transport::Arp => "ARP".to_string(),
        Transport::Other { protocol } => format!("IP proto={protocol} len={}", packet.payload_length),
    };
    alloc::vec![Piece::Text(text)]
}

/// What two labels have in common if they differ in numbers only.
pub(super) fn likeness(pieces: &[Piece], length: u32) -> String {
    let mut out = length.to_string();
    for piece in pieces {
        let text: &str = match piece {
            Piece::Text(text) => text.split('=').next().unwrap_or(text),
            Piece::Options(_) => "<>",
            // After the third, duplicates differ in nothing but their count.
            Piece::Mark(text) => match text.rsplit_once(' ') {
                Some((mark, count)) if count.parse::<u32>().is_ok_and(|count| count > 3) => mark,
                _ => text,
            },
        };
        out.push(' ');
        out.push_str(text);
    }
    out
}
