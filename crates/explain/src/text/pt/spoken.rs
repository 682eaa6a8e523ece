//! A packet read aloud, in Portuguese.

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
    let number = bare_milliseconds(Language::Portuguese, duration);
    if number == "1" { "1 milissegundo".to_string() } else { format!("{number} milissegundos") }
}

fn flags(control: Control) -> String {
    let names = [
        (Control::SYN, "sincroniza"),
        (Control::FIN, "finaliza"),
        (Control::RST, "derruba"),
        (Control::PSH, "empurra"),
        (Control::URG, "urgente"),
        (Control::ACK, "reconhece"),
    ];
    let set: Vec<&str> = names.iter().filter(|(flag, _)| control.has(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { "sem flags".to_string() } else { set.join(" e ") }
}

fn state(state: State) -> String {
    state.name().replace('-', " ")
}

pub(crate) fn sentence(spoken: &Spoken<'_>) -> String {
    let noun = match spoken.noun {
        Noun::Segment => "Segmento",
        Noun::Datagram => "Datagrama",
        Noun::Packet => "Pacote",
    };
    let mut parts = alloc::vec![
        format!("{noun} {}", spoken.number.0),
        format!("do {} para o {}", side(spoken.from), side(spoken.from.other())),
        milliseconds(spoken.at),
    ];
    parts.extend(spoken.control.map(flags));
    parts.extend(spoken.label.clone());
    parts.extend(spoken.seq.map(|seq| format!("sequência {seq}")));
    parts.extend(spoken.ack.map(|ack| format!("reconhece até {ack}")));
    match spoken.octets {
        0 => {}
        1 => parts.push("1 byte".to_string()),
        n => parts.push(format!("{n} bytes")),
    }
    parts.extend(spoken.of.map(|of| format!("reenvio do {}", of.0)));
    parts.extend(spoken.duplicate.map(|count| format!("repetido {count}")));
    parts.extend(spoken.events.iter().filter_map(|event| channel(event)));
    if let Some(reason) = &spoken.ignored {
        parts.push(format!("ignorado, {reason}"));
    }
    for (who, to) in &spoken.states {
        parts.push(format!("{} passa a {}", side(*who), state(*to)));
    }
    parts.join(", ")
}

fn by(origin: &Origin) -> &'static str {
    match origin {
        Origin::Picked { .. } => "porque você pediu",
        Origin::Random => "por sorteio",
    }
}

fn channel(event: &ChannelEvent) -> Option<String> {
    Some(match event {
        ChannelEvent::Lost(cause) => {
            let why = match cause {
                LossCause::Picked { .. } => "porque você pediu",
                LossCause::Random => "por sorteio",
                LossCause::Burst => "em rajada",
                LossCause::QueueFull { .. } => "porque a fila estava cheia",
                LossCause::TooBig { .. } => "porque era grande demais",
                LossCause::LinkDown => "porque o enlace estava desligado",
                LossCause::Unknown => "ninguém diz por quê",
            };
            format!("perdido no canal, {why}")
        }
        ChannelEvent::Damaged { by: origin, .. } => format!("corrompido no canal, {}", by(origin)),
        ChannelEvent::Duplicated { by: origin } => format!("duplicado no canal, {}", by(origin)),
        ChannelEvent::Delayed { by: origin @ Origin::Picked { .. }, extra } => {
            format!("atrasado em mais {}, {}", milliseconds(*extra), by(origin))
        }
        ChannelEvent::Reordered { by: origin, .. } => format!("ultrapassado no caminho, {}", by(origin)),
        ChannelEvent::Delayed { by: Origin::Random, .. } | ChannelEvent::Queued { .. } => return None,
    })
}
