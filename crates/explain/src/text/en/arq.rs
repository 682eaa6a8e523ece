//! The textbook protocols, in English.

use alloc::format;
use alloc::string::String;

use aperto_arq::reason::{Came, DeliveredFrom, GroupEnd};
use aperto_arq::{Discard, Kind, Note, Protocol, Reason, Timer};
use aperto_time::Duration;

use crate::quantity::{bytes, milliseconds};
use crate::text::ArqContext;
use crate::{Language, Wording};

fn ms(duration: Duration) -> String {
    milliseconds(Language::English, duration)
}

/// The short name of a protocol, as it begins a sentence.
fn name(protocol: Option<Protocol>) -> &'static str {
    match protocol {
        Some(Protocol::StopAndWait) => "stop-and-wait",
        Some(Protocol::GoBackN) => "GBN",
        Some(Protocol::SelectiveRepeat) => "SR",
        None => "it",
    }
}

pub(crate) fn reason(reason: &Reason, context: &ArqContext) -> Wording {
    match reason {
        Reason::FirstTransmission { window } => Wording::one(format!(
            "new, and the window from {} to {} has room for it",
            window.base, window.last
        )),
        Reason::TimerExpired { waited, retry, max_retries } => Wording::one(format!(
            "no ACK for {}: resend only this one ({retry} of {max_retries})",
            ms(*waited)
        ))
        .or(format!("no ACK for {}: resend only this one", ms(*waited))),
        Reason::WentBackOnTimer { base, position, outstanding, .. } => {
            Wording::one(format!("went back to {base}: {position} of {outstanding} that are sent again"))
        }
        Reason::AskedForAgain => Wording::one("a NACK asked for exactly this one"),
        Reason::WentBackOnNack { base, position, outstanding } => {
            Wording::one(format!("NACK {base}: {position} of {outstanding} that are sent again"))
        }
        Reason::Delivered => Wording::one("arrived in order and was delivered"),
        Reason::Buffered { expected } => {
            Wording::one(format!("arrived ahead: kept until {expected} comes, and acknowledged alone"))
        }
        Reason::AlreadyDelivered { .. } => {
            Wording::one("it came again: perhaps the first ACK was lost, so once more")
        }
        Reason::RepeatsLastInOrder { came, .. } => match (came, context.protocol) {
            (Came::Damaged, _) => Wording::one("what came was damaged: repeats the last in order"),
            (Came::OutOfOrder(_) | Came::Duplicate(_), Some(Protocol::GoBackN)) => {
                Wording::one("repeats the last in order: that is all a GBN ACK can say")
            }
            (Came::OutOfOrder(_) | Came::Duplicate(_), _) => Wording::one("repeats the last in order"),
        },
        Reason::GroupComplete { packets, why } => Wording::one(match why {
            GroupEnd::Full => format!("the group of {packets} is complete: one ACK for all"),
            GroupEnd::EndOfMessage => format!("the message ends: one ACK for the last {packets}"),
            GroupEnd::GapFilled => format!("the gap is filled: one ACK for {packets}"),
        }),
        Reason::Missing { got } => Wording::one(format!("{got} came, so this one is missing: asks for it")),
        Reason::Damaged => Wording::one("a packet came damaged, probably this one: asks for it"),
    }
}

pub(crate) fn long(reason: &Reason) -> String {
    match reason {
        Reason::FirstTransmission { window } => format!(
            "This packet is sent for the first time. The window is what may be on its way without an \
             acknowledgment: from {} to {}. When the oldest is acknowledged, the window slides and the next \
             packet may leave.",
            window.base, window.last
        ),
        Reason::TimerExpired { .. } => "Each packet on its way has its own timer. The one of this packet \
            expired without an acknowledgment, so this packet alone is sent again: the others may well have \
            arrived."
            .into(),
        Reason::WentBackOnTimer { outstanding, .. } => format!(
            "Go-Back-N has one timer, for the oldest packet without acknowledgment. When it expires, all \
             {outstanding} packets on their way are sent again, also those that had arrived: the receiver \
             keeps nothing out of order, so it has thrown them away."
        ),
        Reason::AskedForAgain => {
            "The receiver noticed what is missing and asked for it by name (NACK). That is \
            quicker than to wait for the timer."
                .into()
        }
        Reason::WentBackOnNack { .. } => {
            "The receiver named the packet that it misses. Go-Back-N sends it and \
            all that followed it again, because the receiver has kept none of them."
                .into()
        }
        Reason::Delivered => {
            "The packet arrived in order, so its data went to the application at once. The ACK \
            tells the sender its number."
                .into()
        }
        Reason::Buffered { expected } => format!(
            "The packet arrived before packet {expected}, which is still missing. Selective Repeat keeps it and \
             acknowledges it alone; the application gets it when the gap is filled."
        ),
        Reason::AlreadyDelivered { .. } => {
            "The packet had been delivered, and yet it comes again: the sender \
            cannot have heard our ACK. If we stayed silent, it would resend for ever."
                .into()
        }
        Reason::RepeatsLastInOrder { expected, .. } => format!(
            "The receiver expects packet {expected} and got something else. It throws that away and repeats the \
             ACK of the last packet in order. The sender learns that nothing new has arrived in order."
        ),
        Reason::GroupComplete { .. } => "One acknowledgment stands for a whole group of packets. Fewer ACKs \
            travel; in exchange a lost one costs more."
            .into(),
        Reason::Missing { .. } => {
            "A later packet arrived, so on a channel that keeps the order this one is lost. \
            A NACK asks for it without waiting for the sender's timer."
                .into()
        }
        Reason::Damaged => {
            "The checksum does not fit, so nothing in the packet can be believed, not even its \
            number. The receiver asks for the one that it expected."
                .into()
        }
    }
}

pub(crate) fn discard(discard: &Discard, context: &ArqContext) -> Wording {
    match discard {
        Discard::OutOfOrder { expected, got } => Wording::one(format!(
            "{got} arrived, {expected} was expected: {} keeps nothing out of order",
            name(context.protocol)
        ))
        .or(format!("{got} arrived, {expected} was expected: it is not kept")),
        Discard::Duplicate { expected, got } => {
            Wording::one(format!("{got} had arrived before; {expected} would be new"))
        }
        Discard::OutsideWindow { expected, got } => {
            Wording::one(format!("{got} is outside the window, which begins at {expected}"))
        }
        Discard::Damaged(_) => Wording::one("damaged: the checksum does not fit, so nothing in it counts"),
        Discard::TooLong { octets, largest } => {
            Wording::one(format!("{octets} bytes are more than the {largest} agreed on"))
        }
        Discard::NoRoom { unread } => Wording::one(format!("no room: {unread} packets wait for the app")),
        Discard::WrongKind(kind) => Wording::one(match kind {
            Kind::Data => "DATA makes no sense at the sender",
            Kind::Ack => "an ACK makes no sense at the receiver",
            Kind::Nack => "a NACK makes no sense at the receiver",
            Kind::GroupAck => "a GROUP ACK makes no sense at the receiver",
        }),
    }
}

pub(crate) fn note(note: &Note, context: &ArqContext) -> Wording {
    match note {
        Note::WindowMoved { window, .. } => {
            Wording::one(format!("the window slides: from {} to {}", window.base, window.last))
        }
        Note::MarkedAcknowledged { sequence, base } => {
            Wording::one(format!("{sequence} is acknowledged; the window stays, {base} is missing"))
        }
        Note::AcknowledgementIgnored { sequence, .. } => {
            Wording::one(format!("ACK {sequence} says nothing new: ignored"))
        }
        Note::NackIgnored { sequence, .. } => {
            Wording::one(format!("NACK {sequence} has been answered already: ignored"))
        }
        Note::NackHeard { sequence } => Wording::one(format!("NACK {sequence}: it will be sent again")),
        Note::TimerStarted { timer, .. } => Wording::one(format!("timer of {} started", of(*timer))),
        Note::TimerStopped { timer } => Wording::one(format!("timer of {} stopped", of(*timer))),
        Note::TimerExpired { timer, .. } => timer_expired(*timer, context),
        Note::GaveUp { sequence, retries } => {
            Wording::one(format!("{sequence} sent again {retries} times in vain: gives up"))
        }
        Note::Delivered { sequence, octets, from } => {
            let n = bytes(*octets as u64);
            Wording::one(match from {
                DeliveredFrom::Channel => format!("delivers {sequence}: {n}"),
                DeliveredFrom::Buffer => format!("delivers {sequence}, which had waited: {n}"),
            })
        }
        Note::Buffered { sequence, expected } => {
            Wording::one(format!("keeps {sequence} until {expected} comes"))
        }
        Note::Discarded(what) => discard(what, context),
    }
}

fn of(timer: Timer) -> String {
    match timer {
        Timer::Packet { sequence } => format!("packet {sequence}"),
        Timer::Window { base } => format!("the window, from {base}"),
    }
}

fn timer_expired(timer: Timer, context: &ArqContext) -> Wording {
    match timer {
        Timer::Packet { sequence } => match context.waited {
            Some(waited) => {
                Wording::one(format!("{sequence} without ACK for {}: resends only it", ms(waited)))
            }
            None => Wording::one(format!("{sequence} without ACK: resends only it")),
        },
        Timer::Window { base } => match context.waited {
            Some(waited) => Wording::one(format!(
                "base {base} without ACK for {}: goes back to {base}, resends all",
                ms(waited)
            ))
            .or(format!("base {base} without ACK: goes back to it")),
            None => Wording::one(format!("base {base} without ACK: goes back to {base}, resends all")),
        },
    }
}
