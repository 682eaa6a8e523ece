//! Codes of what `aperto-arq` says.

use aperto_arq::packet::{Fault as PacketFault, ParseError};
use aperto_arq::reason::{Came, DeliveredFrom, GroupEnd};
use aperto_arq::{Checksum, Discard, EndOfMessage, Kind, Note, Reason, Sequence, Space, Timer, Window};

use super::{Coded, codes, fields_of_codes};
use crate::json::{Codec, Fault, Field, Fields, Object};

codes!(Reason {
    FirstTransmission { window: "window" } => "first-transmission",
    TimerExpired { waited: "waited_ns", retry: "retry", max_retries: "max_retries" } => "timer-expired",
    WentBackOnTimer {
        base: "base", position: "position", outstanding: "outstanding", waited: "waited_ns",
        retry: "retry", max_retries: "max_retries",
    } => "went-back-on-timer",
    AskedForAgain => "asked-for-again",
    WentBackOnNack { base: "base", position: "position", outstanding: "outstanding" }
        => "went-back-on-nack",
    Delivered => "delivered",
    Buffered { expected: "expected" } => "buffered",
    AlreadyDelivered { expected: "expected" } => "already-delivered",
    RepeatsLastInOrder { expected: "expected", came: "came", repeat: "repeat" }
        => "repeats-last-in-order",
    GroupComplete { packets: "packets", why: "why" } => "group-complete",
    Missing { got: "got" } => "missing",
    Damaged => "damaged",
});

codes!(Kind {
    Data => "data",
    Ack => "ack",
    Nack => "nack",
    GroupAck => "group-ack",
});

codes!(Checksum {
    Internet => "internet",
    Crc32 => "crc-32",
});

codes!(GroupEnd {
    Full => "full",
    EndOfMessage => "end-of-message",
    GapFilled => "gap-filled",
});

codes!(DeliveredFrom {
    Channel => "channel",
    Buffer => "buffer",
});

codes!(Timer {
    Packet { sequence: "sequence" } => "packet",
    Window { base: "base" } => "window",
});

impl Coded for Came {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfOrder(_) => "out-of-order",
            Self::Duplicate(_) => "duplicate",
            Self::Damaged => "damaged",
        }
    }
}

impl Codec for Came {
    fn put(&self, out: &mut Object) {
        if let Self::OutOfOrder(sequence) | Self::Duplicate(sequence) = self {
            out.field("sequence", sequence);
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        Ok(Some(match code {
            "out-of-order" => Self::OutOfOrder(from.get("sequence")?),
            "duplicate" => Self::Duplicate(from.get("sequence")?),
            "damaged" => Self::Damaged,
            _ => return Ok(None),
        }))
    }
}

impl Coded for Note {
    fn code(&self) -> &'static str {
        match self {
            Self::WindowMoved { .. } => "window-moved",
            Self::MarkedAcknowledged { .. } => "marked-acknowledged",
            Self::AcknowledgementIgnored { .. } => "acknowledgement-ignored",
            Self::NackIgnored { .. } => "nack-ignored",
            Self::NackHeard { .. } => "nack-heard",
            Self::TimerStarted { .. } => "timer-started",
            Self::TimerStopped { .. } => "timer-stopped",
            Self::TimerExpired { .. } => "timer-expired",
            Self::GaveUp { .. } => "gave-up",
            Self::Delivered { .. } => "delivered",
            Self::Buffered { .. } => "buffered",
            Self::Discarded(discard) => discard.code(),
        }
    }
}

impl Codec for Note {
    fn put(&self, out: &mut Object) {
        match self {
            Self::WindowMoved { window, by } => {
                out.field("window", window);
                out.field("by", by);
            }
            Self::MarkedAcknowledged { sequence, base }
            | Self::AcknowledgementIgnored { sequence, base }
            | Self::NackIgnored { sequence, base } => {
                out.field("sequence", sequence);
                out.field("base", base);
            }
            Self::NackHeard { sequence } => out.field("sequence", sequence),
            Self::TimerStarted { timer, due } => {
                out.field("timer", timer);
                out.field("due_ns", due);
            }
            Self::TimerStopped { timer } => out.field("timer", timer),
            Self::TimerExpired { timer, retry } => {
                out.field("timer", timer);
                out.field("retry", retry);
            }
            Self::GaveUp { sequence, retries } => {
                out.field("sequence", sequence);
                out.field("retries", retries);
            }
            Self::Delivered { sequence, octets, from } => {
                out.field("sequence", sequence);
                out.field("octets", octets);
                out.field("from", from);
            }
            Self::Buffered { sequence, expected } => {
                out.field("sequence", sequence);
                out.field("expected", expected);
            }
            Self::Discarded(discard) => discard.put(out),
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        if let Some(discard) = Discard::take(code, from)? {
            return Ok(Some(Self::Discarded(discard)));
        }
        let sequence = || from.get("sequence");
        let base = || from.get("base");
        Ok(Some(match code {
            "window-moved" => Self::WindowMoved { window: from.get("window")?, by: from.get("by")? },
            "marked-acknowledged" => Self::MarkedAcknowledged { sequence: sequence()?, base: base()? },
            "acknowledgement-ignored" => {
                Self::AcknowledgementIgnored { sequence: sequence()?, base: base()? }
            }
            "nack-ignored" => Self::NackIgnored { sequence: sequence()?, base: base()? },
            "nack-heard" => Self::NackHeard { sequence: sequence()? },
            "timer-started" => Self::TimerStarted { timer: from.get("timer")?, due: from.get("due_ns")? },
            "timer-stopped" => Self::TimerStopped { timer: from.get("timer")? },
            "timer-expired" => Self::TimerExpired { timer: from.get("timer")?, retry: from.get("retry")? },
            "gave-up" => Self::GaveUp { sequence: sequence()?, retries: from.get("retries")? },
            "delivered" => Self::Delivered {
                sequence: sequence()?,
                octets: from.get("octets")?,
                from: from.get("from")?,
            },
            "buffered" => Self::Buffered { sequence: sequence()?, expected: from.get("expected")? },
            _ => return Ok(None),
        }))
    }
}

impl Coded for Discard {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfOrder { .. } => "discarded-out-of-order",
            Self::Duplicate { .. } => "discarded-duplicate",
            Self::OutsideWindow { .. } => "discarded-outside-window",
            Self::Damaged(_) => "discarded-damaged",
            Self::TooLong { .. } => "discarded-too-long",
            Self::NoRoom { .. } => "discarded-no-room",
            Self::WrongKind(_) => "discarded-wrong-kind",
        }
    }
}

impl Codec for Discard {
    fn put(&self, out: &mut Object) {
        match self {
            Self::OutOfOrder { expected, got }
            | Self::Duplicate { expected, got }
            | Self::OutsideWindow { expected, got } => {
                out.field("expected", expected);
                out.field("got", got);
            }
            Self::Damaged(error) => {
                out.field("at", &error.at);
                out.field("fault", &error.what);
            }
            Self::TooLong { octets, largest } => {
                out.field("octets", octets);
                out.field("largest", largest);
            }
            Self::NoRoom { unread } => out.field("unread", unread),
            Self::WrongKind(kind) => out.field("kind", kind),
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        let expected = || from.get("expected");
        let got = || from.get("got");
        Ok(Some(match code {
            "discarded-out-of-order" => Self::OutOfOrder { expected: expected()?, got: got()? },
            "discarded-duplicate" => Self::Duplicate { expected: expected()?, got: got()? },
            "discarded-outside-window" => Self::OutsideWindow { expected: expected()?, got: got()? },
            "discarded-damaged" => {
                Self::Damaged(ParseError { at: from.get("at")?, what: from.get("fault")? })
            }
            "discarded-too-long" => {
                Self::TooLong { octets: from.get("octets")?, largest: from.get("largest")? }
            }
            "discarded-no-room" => Self::NoRoom { unread: from.get("unread")? },
            "discarded-wrong-kind" => Self::WrongKind(from.get("kind")?),
            _ => return Ok(None),
        }))
    }
}

/// The only enum here that may grow without notice: what has no code yet is `other`.
impl Coded for PacketFault {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too-short",
            Self::Length { .. } => "length",
            Self::Checksum { .. } => "checksum",
            Self::OtherChecksum { .. } => "other-checksum",
            Self::ReservedBits { .. } => "reserved-bits",
            Self::UnknownKind { .. } => "unknown-kind",
            Self::OtherSpace { .. } => "other-space",
            Self::OutsideSpace { .. } => "outside-space",
            Self::AnswerWithPayload => "answer-with-payload",
            _ => "other",
        }
    }
}

impl Codec for PacketFault {
    fn put(&self, out: &mut Object) {
        match self {
            Self::TooShort { needs } => out.field("needs", needs),
            Self::Length { says, has } => {
                out.field("says", says);
                out.field("has", has);
            }
            Self::Checksum { says, computed } => {
                out.field("says", says);
                out.field("computed", computed);
            }
            Self::OtherChecksum { declared } => out.field("declared", declared),
            Self::ReservedBits { flags } => out.field("flags", flags),
            Self::UnknownKind { code } => out.field("number", code),
            Self::OtherSpace { bits } => out.field("bits", bits),
            Self::OutsideSpace { sequence } => out.field("sequence", sequence),
            _ => {}
        }
    }

    fn take(code: &str, from: &Fields<'_>) -> Result<Option<Self>, Fault> {
        Ok(Some(match code {
            "too-short" => Self::TooShort { needs: from.get("needs")? },
            "length" => Self::Length { says: from.get("says")?, has: from.get("has")? },
            "checksum" => Self::Checksum { says: from.get("says")?, computed: from.get("computed")? },
            "other-checksum" => Self::OtherChecksum { declared: from.get("declared")? },
            "reserved-bits" => Self::ReservedBits { flags: from.get("flags")? },
            "unknown-kind" => Self::UnknownKind { code: from.get("number")? },
            "other-space" => Self::OtherSpace { bits: from.get("bits")? },
            "outside-space" => Self::OutsideSpace { sequence: from.get("sequence")? },
            "answer-with-payload" => Self::AnswerWithPayload,
            _ => return Ok(None),
        }))
    }
}

impl Field for Sequence {
    fn write(&self, out: &mut alloc::string::String) {
        self.value().write(out);
    }

    fn read(value: &serde_json::Value) -> Option<Self> {
        u16::read(value).map(Self::new)
    }
}

impl Field for Space {
    fn write(&self, out: &mut alloc::string::String) {
        self.bits().write(out);
    }

    fn read(value: &serde_json::Value) -> Option<Self> {
        Self::from_bits(u8::read(value)?)
    }
}

impl Field for Window {
    fn write(&self, out: &mut alloc::string::String) {
        let mut inner = Object::new();
        inner.field("base", &self.base);
        inner.field("next", &self.next);
        inner.field("last", &self.last);
        out.push_str(&inner.finish());
    }

    fn read(value: &serde_json::Value) -> Option<Self> {
        let from = Fields::new(value.as_object()?);
        let part = |key| from.get(key).ok();
        Some(Self { base: part("base")?, next: part("next")?, last: part("last")? })
    }
}

impl Field for EndOfMessage {
    fn write(&self, out: &mut alloc::string::String) {
        (*self == Self::Yes).write(out);
    }

    fn read(value: &serde_json::Value) -> Option<Self> {
        value.as_bool().map(|ends| if ends { Self::Yes } else { Self::No })
    }
}

fields_of_codes!(alone: Kind, Checksum, GroupEnd, DeliveredFrom);
fields_of_codes!(object: Reason, Timer, Came, PacketFault);
