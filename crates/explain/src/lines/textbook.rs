//! What a textbook protocol's packet has, and what became of it, beside its line.
//!
//! Number, length, checksum and text stand in the line; whether it was in order and delivered, or
//! where the window is now, in its remarks.

use alloc::format;
use alloc::string::String;

use aperto_arq::{Checksum, Discard, Note, Window};
use aperto_trace::{ArqPacket, Packet};

use super::Labels;
use crate::Language;
use crate::context::label_text;

/// Columns of quoted text.
pub(super) const QUOTED: usize = 12;

/// `2 len=4 sum=6f0e "te c"`, or `2 sum=fdf1` of an answer.
///
/// Where both sides are told there is no room for the checksum.
pub(super) fn numbers(packet: &Packet, arq: &ArqPacket, labels: Labels) -> String {
    let mut out = format!("{}", arq.sequence);
    if arq.kind == aperto_arq::Kind::Data {
        out.push_str(&format!(" len={}", packet.payload_length));
    }
    if labels != Labels::Sides
        && let Some(sum) = checksum(packet, arq)
    {
        out.push_str(&sum);
    }
    if arq.kind == aperto_arq::Kind::Data {
        out.push_str(&format!(" \"{}\"", label_text(packet.payload(), QUOTED)));
    }
    out
}

/// The checksum as it stands in the packet, before its payload.
fn checksum(packet: &Packet, arq: &ArqPacket) -> Option<String> {
    let end = packet.payload_at as usize;
    let octets = packet.frame.get(end.checked_sub(arq.checksum.octets())?..end)?;
    let value = octets.iter().fold(0_u32, |sum, octet| (sum << 8) | u32::from(*octet));
    Some(match arq.checksum {
        Checksum::Internet => format!(" sum={value:04x}"),
        Checksum::Crc32 => format!(" crc={value:08x}"),
    })
}

/// What became of a packet at the side that it came to, and whether it was of any use.
pub(super) struct Became {
    pub(super) says: String,
    /// More, where there is room.
    pub(super) more: Option<String>,
    pub(super) dropped: bool,
}

/// The remark for a note about what has just come; none for notes about something else.
pub(super) fn became(language: Language, note: &Note, space: Option<aperto_arq::Space>) -> Option<Became> {
    let portuguese = language == Language::Portuguese;
    let one = |english: String, other: String| if portuguese { other } else { english };
    let used = |says: String| Some(Became { says, more: None, dropped: false });
    let dropped = |says: String| Some(Became { says, more: None, dropped: true });
    match note {
        Note::Delivered { sequence, from: aperto_arq::reason::DeliveredFrom::Channel, .. } => {
            let next = space.map(|space| space.after(*sequence, 1));
            Some(Became {
                says: one("in order, delivered".into(), "em ordem, entregue".into()),
                more: next.map(|next| one(format!("expects {next}"), format!("espera {next}"))),
                dropped: false,
            })
        }
        Note::Delivered { sequence, from: aperto_arq::reason::DeliveredFrom::Buffer, .. } => {
            used(one(format!("then {sequence}"), format!("depois {sequence}")))
        }
        Note::Buffered { expected, .. } => {
            used(one(format!("kept, {expected} is missing"), format!("guardado, falta {expected}")))
        }
        Note::Discarded(discard) => dropped(match discard {
            Discard::OutOfOrder { expected, .. } => {
                one(format!("not in order, expects {expected}"), format!("fora de ordem, espera {expected}"))
            }
            Discard::Duplicate { .. } => one("again, not delivered".into(), "repetido, não entregue".into()),
            Discard::OutsideWindow { expected, .. } => {
                one(format!("outside the window from {expected}"), format!("fora da janela de {expected}"))
            }
            Discard::Damaged(_) => one("damaged: not delivered".into(), "danificado: não entregue".into()),
            Discard::TooLong { largest, .. } => {
                one(format!("longer than the {largest} agreed"), format!("maior que os {largest} combinados"))
            }
            Discard::NoRoom { .. } => one("no room".into(), "sem espaço".into()),
            Discard::WrongKind(_) => one("not for this side".into(), "não é para este lado".into()),
        }),
        Note::WindowMoved { window, .. } => used(shown(language, *window)),
        Note::MarkedAcknowledged { base, .. } => {
            used(one(format!("window stays: {base} is missing"), format!("janela parada: falta {base}")))
        }
        Note::AcknowledgementIgnored { .. } => used(one("nothing new".into(), "nada de novo".into())),
        Note::NackHeard { .. } => used(one("will be sent again".into(), "será reenviado".into())),
        Note::NackIgnored { .. } => used(one("answered before".into(), "já atendido".into())),
        Note::TimerStarted { .. }
        | Note::TimerStopped { .. }
        | Note::TimerExpired { .. }
        | Note::GaveUp { .. } => None,
    }
}

/// `window 2-6`.
fn shown(language: Language, window: Window) -> String {
    match language {
        Language::English => format!("window {}-{}", window.base, window.last),
        Language::Portuguese => format!("janela {}-{}", window.base, window.last),
    }
}
