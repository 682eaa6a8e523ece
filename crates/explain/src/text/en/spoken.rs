//! A packet read aloud, in English.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::State;
use aperto_time::Duration;
use aperto_trace::{ChannelEvent, LossCause, Origin};
use aperto_wire::tcp::Control;

use super::words::side;
use crate::Language;
use crate::quantity::bare_milliseconds;
use crate::text::spoken::{Noun, Spoken};

fn milliseconds(duration: Duration) -> String {
    let number = bare_milliseconds(Language::English, duration);
    if number == "1" { "1 millisecond".to_string() } else { format!("{number} milliseconds") }
}

fn flags(control: Control) -> String {
    let names = [
        (Control::SYN, "synchronize"),
        (Control::FIN, "finish"),
        (Control::RST, "reset"),
        (Control::PSH, "push"),
        (Control::URG, "urgent"),
        (Control::ACK, "acknowledge"),
    ];
    let set: Vec<&str> = names.iter().filter(|(flag, _)| control.has(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { "no flags".to_string() } else { set.join(" and ") }
}

fn state(state: State) -> String {
    state.name().replace('-', " ")
}

pub(crate) fn sentence(spoken: &Spoken<'_>) -> String {
    let noun = match spoken.noun {
        Noun::Segment => "Segment",
        Noun::Datagram => "Datagram",
        Noun::Packet => "Packet",
    };
    let mut parts = alloc::vec![
        format!("{noun} {}", spoken.number.0),
        format!("{} to {}", side(spoken.from), side(spoken.from.other())),
        milliseconds(spoken.at),
    ];
    parts.extend(spoken.control.map(flags));
    parts.extend(spoken.label.clone());
    parts.extend(spoken.seq.map(|seq| format!("sequence {seq}")));
    parts.extend(spoken.ack.map(|ack| format!("acknowledges up to {ack}")));
    match spoken.octets {
        0 => {}
        1 => parts.push("1 byte".to_string()),
        n => parts.push(format!("{n} bytes")),
    }
    parts.extend(spoken.of.map(|of| format!("sent again, first as {}", of.0)));
    parts.extend(spoken.duplicate.map(|count| format!("duplicate {count}")));
    parts.extend(spoken.events.iter().filter_map(|event| channel(event)));
    if let Some(reason) = &spoken.ignored {
        parts.push(format!("ignored, {reason}"));
    }
    for (who, to) in &spoken.states {
        parts.push(format!("{} becomes {}", side(*who), state(*to)));
    }
    parts.join(", ")
}

fn by(origin: &Origin) -> &'static str {
    match origin {
        Origin::Picked { .. } => "because you asked",
        Origin::Random => "by chance",
    }
}

fn channel(event: &ChannelEvent) -> Option<String> {
    Some(match event {
        ChannelEvent::Lost(cause) => {
            let why = match cause {
                LossCause::Picked { .. } => "because you asked",
                LossCause::Random => "by chance",
                LossCause::Burst => "in a burst",
                LossCause::QueueFull { .. } => "because the queue was full",
                LossCause::TooBig { .. } => "because it was too large",
                LossCause::LinkDown => "because the link was down",
                LossCause::Unknown => "nobody says why",
            };
            format!("lost in the channel, {why}")
        }
        ChannelEvent::Damaged { by: origin, .. } => format!("damaged in the channel, {}", by(origin)),
        ChannelEvent::Duplicated { by: origin } => format!("duplicated in the channel, {}", by(origin)),
        ChannelEvent::Delayed { by: origin @ Origin::Picked { .. }, extra } => {
            format!("delayed by {} more, {}", milliseconds(*extra), by(origin))
        }
        ChannelEvent::Reordered { by: origin, .. } => format!("overtaken on the way, {}", by(origin)),
        ChannelEvent::Delayed { by: Origin::Random, .. } | ChannelEvent::Queued { .. } => return None,
    })
}
