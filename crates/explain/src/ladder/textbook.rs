//! What a ladder of UDP or of a textbook protocol shows beside the arrows.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_arq::{Discard, Note, Protocol, Reason, Timer, Window};
use aperto_time::{Duration, Instant};
use aperto_trace::{Fact, Record, Trace, Transport};

use crate::text::{ArqContext, Word, word};
use crate::{Language, Wording, text};

/// A window wider than this is written by its ends.
const WRITTEN_OUT: u32 = 5;

/// The protocol that a trace says it speaks.
pub(crate) fn protocol(trace: &Trace) -> Option<Protocol> {
    match trace.header.protocol.as_str() {
        "saw" => Some(Protocol::StopAndWait),
        "gbn" => Some(Protocol::GoBackN),
        "sr" => Some(Protocol::SelectiveRepeat),
        _ => None,
    }
}

/// Its short name, for a title.
pub(super) const fn short_name(protocol: Option<Protocol>) -> &'static str {
    match protocol {
        Some(Protocol::StopAndWait) => "SAW",
        Some(Protocol::GoBackN) => "GBN",
        Some(Protocol::SelectiveRepeat) => "SR",
        None => "ARQ",
    }
}

/// The window as the left column shows it: `[0 1 2 3]`, or `[10..41]`.
pub(super) fn window(window: Window, space_size: u32) -> String {
    let base = u32::from(window.base.value());
    let last = u32::from(window.last.value());
    let size = if last >= base { last - base } else { last + space_size.max(1) - base } + 1;
    if size > WRITTEN_OUT {
        return format!("[{base}..{last}]");
    }
    let numbers: Vec<String> = (0..size).map(|i| ((base + i) % space_size.max(1)).to_string()).collect();
    let list = format!("[{}]", numbers.join(" "));
    if list.len() > 12 { format!("[{base}..{last}]") } else { list }
}

/// How many packets a window holds.
pub(super) fn window_size(window: Window, space_size: u32) -> u32 {
    let (base, last) = (u32::from(window.base.value()), u32::from(window.last.value()));
    if last >= base { last - base + 1 } else { last + space_size - base + 1 }
}

/// What the receiver did with a packet: `delivers 0`, `discards 3`, `keeps 3`.
pub(super) fn doing(language: Language, note: &Note) -> Option<String> {
    let say = |which: Word, sequence| Some(format!("{} {sequence}", word(language, which)));
    match note {
        Note::Delivered { sequence, .. } => say(Word::Delivers, *sequence),
        Note::Buffered { sequence, .. } => say(Word::Keeps, *sequence),
        Note::Discarded(Discard::OutOfOrder { got, .. } | Discard::Duplicate { got, .. })
        | Note::Discarded(Discard::OutsideWindow { got, .. }) => say(Word::Discards, *got),
        Note::Discarded(_) => Some(word(language, Word::Discards).to_string()),
        Note::WindowMoved { .. }
        | Note::MarkedAcknowledged { .. }
        | Note::AcknowledgementIgnored { .. }
        | Note::NackIgnored { .. }
        | Note::NackHeard { .. }
        | Note::TimerStarted { .. }
        | Note::TimerStopped { .. }
        | Note::TimerExpired { .. }
        | Note::GaveUp { .. } => None,
    }
}

/// One packet may release those that waited for it: `delivers 2` and `delivers 5` are `delivers 2-5`.
pub(super) fn range(before: &str, doing: &str, last: aperto_arq::Sequence) -> String {
    let word = doing.split(' ').next().unwrap_or(doing);
    match before.strip_prefix(word).map(str::trim_start) {
        Some(first) => format!("{word} {}-{last}", first.split('-').next().unwrap_or(first)),
        None => doing.to_string(),
    }
}

/// What the row of a timer says; how long it ran is told by the packet that it sends again.
pub(super) fn timer_row(language: Language, records: &[Record], place: usize) -> Option<Wording> {
    let record = records.get(place)?;
    let Fact::ArqNote(note @ Note::TimerExpired { timer, .. }) = &record.fact else { return None };
    let mut context = ArqContext::default();
    let start = records.partition_point(|earlier| earlier.at < record.at);
    let now = records.iter().skip(start).take_while(|now| now.at == record.at);
    for now in now {
        if let Fact::Left(packet) = &now.fact
            && let Transport::Arq(arq) = &packet.transport
        {
            match (arq.reason, timer) {
                (Some(Reason::WentBackOnTimer { waited, outstanding, .. }), Timer::Window { .. }) => {
                    context.waited = Some(waited);
                    context.outstanding = Some(outstanding);
                }
                (Some(Reason::TimerExpired { waited, .. }), Timer::Packet { sequence })
                    if arq.sequence == *sequence =>
                {
                    context.waited = Some(waited);
                }
                _ => continue,
            }
            break;
        }
    }
    Some(text::arq_note(language, note, &context))
}

/// How long the timers of a trace run: from the first that was started.
pub(super) fn timer_length(records: &[Record]) -> Option<Duration> {
    records.iter().find_map(|record| match record.fact {
        Fact::ArqNote(Note::TimerStarted { due, .. }) => Some(due.since(record.at)),
        _ => None,
    })
}

/// When the receiver noted what became of a packet, for the row of its arrival.
pub(super) const fn is_receivers(note: &Note) -> bool {
    matches!(note, Note::Delivered { .. } | Note::Buffered { .. } | Note::Discarded(_))
}

/// When everything was over, counted from the first packet.
pub(super) fn lasted(first: Option<Instant>, records: &[Record]) -> Duration {
    let last = records
        .iter()
        .filter(|record| matches!(record.fact, Fact::Left(_) | Fact::Arrived { .. }))
        .map(|record| record.at)
        .max();
    match (first, last) {
        (Some(first), Some(last)) => last.since(first),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use aperto_arq::Sequence;

    use super::*;

    fn of(base: u16, last: u16) -> Window {
        let number = Sequence::new;
        Window { base: number(base), next: number(base), last: number(last) }
    }

    #[test]
    fn a_window_is_written_out_while_it_is_small() {
        assert_eq!(window(of(0, 3), 16_384), "[0 1 2 3]");
        assert_eq!(window(of(10, 41), 16_384), "[10..41]");
        assert_eq!(window(of(16_382, 1), 16_384), "[16382..1]");
        assert_eq!(window(of(3, 0), 4), "[3 0]");
        assert_eq!(window_size(of(3, 0), 4), 2);
    }

    #[test]
    fn what_one_packet_released_is_one_range() {
        let last = Sequence::new;
        assert_eq!(range("delivers 2", "delivers 3", last(3)), "delivers 2-3");
        assert_eq!(range("delivers 2-3", "delivers 4", last(4)), "delivers 2-4");
        assert_eq!(range("[0 1]", "delivers 4", last(4)), "delivers 4");
    }
}
