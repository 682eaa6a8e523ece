//! Words and fixed phrases in English.

use crate::context::Side;
use crate::text::Word;

pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

pub(crate) const fn word(word: Word) -> &'static str {
    match word {
        Word::Client => "client",
        Word::Server => "server",
        Word::Sender => "sender",
        Word::Receiver => "receiver",
        Word::Why => "why",
        Word::Channel => "channel",
        Word::Likely => "likely",
        Word::DataSays => "data says",
        Word::App => "app",
        Word::Finding => "finding",
        Word::Timer => "timer",
        Word::Lost => "LOST",
        Word::Corrupt => "CORRUPT",
        Word::Resent => "RTX",
        Word::Fast => "FAST",
        Word::ByTimer => "TIMER",
        Word::DuplicateOf => "DUP OF",
        Word::Duplicate => "DUP",
        Word::OutOfOrder => "OUT OF ORDER",
        Word::ZeroWindow => "ZERO WINDOW",
        Word::Probe => "PROBE",
        Word::Ignored => "IGNORED",
        Word::IgnoredBecause => "ignored",
        Word::Delivered => "delivered",
        Word::NotDelivered => "not used",
        Word::Delivers => "delivers",
        Word::Discards => "discards",
        Word::Keeps => "keeps",
        Word::FillsHole => "fills hole",
        Word::Truncated => "TRUNCATED",
        Word::TagSent => "[SENT]",
        Word::TagReceived => "[RECEIVED]",
        Word::TagLost => "[LOST]",
        Word::TagTimer => "[TIMER]",
        Word::TagResent => "[RESENT]",
        Word::TagDropped => "[DROPPED]",
        Word::TagChannel => "[CHANNEL]",
        Word::TagApp => "[APP]",
        Word::TagHandshake => "[HANDSHAKE COMPLETE]",
        Word::TagClosed => "[CONNECTION CLOSED]",
        Word::TagEnded => "[CONNECTION ENDED]",
        Word::SimulatedWire => "simulated wire",
        Word::UdpWire => "inside UDP",
        Word::TunWire => "real packets (TUN)",
        Word::OsWire => "the system's sockets",
        Word::CaptureFile => "capture",
        Word::Seed => "seed",
        Word::NothingLost => "nothing lost",
        Word::Relative => "seq relative",
        Word::Absolute => "seq absolute",
        Word::Both => "seq absolute (relative)",
        Word::Window => "window",
        Word::Payload => "payload",
        Word::Next => "next",
        Word::Repeat => "repeat",
        Word::Inferred => "reasons are inferred from the packets",
        Word::NoConnection => "no connection, so no state column",
        Word::BecauseYouAsked => "dropped because you asked",
    }
}
