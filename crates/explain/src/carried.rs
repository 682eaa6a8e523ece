//! What a segment of a chat carries: HELLO and frames, told from its octets alone.
//!
//! ```text
//! ASK tcp max=1000 len=1000 win=5 ack=individual digest · JOIN ana
//! SAY 3 "oi, tudo bem?"
//! ```
//!
//! So a wire and a recording are told alike, and a recording needs no more than its segments. What
//! begins in the middle of a frame, or is secret, is told of as nothing.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aperto_app::chat::annotation::{self, Carried};
use aperto_app::chat::frame::{Bye, Frame, Part};
use aperto_app::chat::text::visible;
use aperto_app::hello::Hello;
use aperto_trace::{Packet, Transport};

use crate::Language;
use crate::context::label_text;
use crate::hello::Message;
use crate::program::chat::refused;

/// How many columns of a text are quoted.
const QUOTED: usize = 30;

/// What a packet carries, if it is a segment of a chat.
#[must_use]
pub fn carried(packet: &Packet, language: Language) -> Option<String> {
    if !matches!(packet.transport, Transport::Tcp(_)) || packet.payload_length == 0 {
        return None;
    }
    let all: Vec<String> =
        annotation::carried(packet.payload(), true).iter().map(|one| told(one, language)).collect();
    (!all.is_empty()).then(|| all.join(" · "))
}

fn told(carried: &Carried, language: Language) -> String {
    let hello = |hello| {
        let message = Message::Hello(hello);
        format!("{} {}", message.name(), message.fields(language))
    };
    match carried {
        Carried::Asks(ask) => hello(Hello::Ask { session: 0, ask: ask.clone() }),
        Carried::Grants(terms) => hello(Hello::Grant { session: 0, terms: *terms }),
        Carried::Refuses(why) => hello(Hello::Refuse { session: 0, why: *why }),
        Carried::Frame(frame) => self::frame(frame, language),
    }
}

fn frame(frame: &Frame, language: Language) -> String {
    match frame {
        Frame::Join(join) => format!("JOIN {}", visible(&join.name)),
        Frame::Welcome(welcome) => format!("WELCOME {}", visible(&welcome.name)),
        Frame::Say(say) => format!("SAY {}{}", say.id, piece(say.part, &say.piece)),
        Frame::Said(said) => {
            format!("SAID {} {}:{}", said.seq, visible(&said.name), piece(said.part, &said.piece))
        }
        Frame::Ack { id } => format!("ACK {id}"),
        Frame::AckUpTo { id } => format!("ACK ..{id}"),
        Frame::Nack { id, why } => format!("NACK {id} ({})", refused(language, *why)),
        Frame::Damaged { .. } => "DAMAGED".into(),
        Frame::Resumed => "RESUMED".into(),
        Frame::Ping(_) => "PING".into(),
        Frame::Pong(_) => "PONG".into(),
        Frame::Came(name) => format!("CAME {}", visible(name)),
        Frame::Left(name) => format!("LEFT {}", visible(name)),
        Frame::Bye(why) => format!("BYE {}", bye(*why)),
    }
}

/// The text of a piece; `…` where others come before it or after it.
fn piece(part: Part, octets: &[u8]) -> String {
    let (before, after) = (if part.first { "" } else { "…" }, if part.last { "" } else { "…" });
    format!(" {before}\"{}\"{after}", label_text(octets, QUOTED))
}

/// A word of the protocol.
const fn bye(why: Bye) -> &'static str {
    match why {
        Bye::Leaving => "leaving",
        Bye::Closing => "closing",
        Bye::TooSlow => "too-slow",
        Bye::Flood => "flood",
        Bye::Idle => "idle",
        Bye::Unfinished => "unfinished",
        Bye::Protocol => "protocol",
        Bye::Replaced => "replaced",
        Bye::Full => "full",
        Bye::Other(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use aperto_app::chat::frame::{Join, Refused, Say, Seal};
    use aperto_app::hello::{Ask, Mode};

    use super::*;

    fn told_of(octets: &[u8]) -> Vec<String> {
        annotation::carried(octets, true).iter().map(|one| told(one, Language::English)).collect()
    }

    #[test]
    fn hello_and_frames_are_told_as_words_of_the_protocol() {
        let mut octets = Hello::Ask { session: 1, ask: Ask::new(Mode::Tcp) }.encode();
        let join = Join { token: [1; 16], connection: 1, room: [0; 16], seen: 0, name: "ana".into() };
        Frame::Join(join).put(&mut octets, Seal::None);
        assert_eq!(told_of(&octets), ["ASK tcp max=100 len=4 win=5 ack=individual none", "JOIN ana"]);
        let mut octets = Vec::new();
        let say = Say { id: 3, part: Part::WHOLE, piece: "oi \x1b[2J".as_bytes().to_vec() };
        Frame::Say(say).put(&mut octets, Seal::Digest);
        Frame::Nack { id: 4, why: Refused::Empty }.put(&mut octets, Seal::Digest);
        assert_eq!(told_of(&octets), ["SAY 3 \"oi \\u{1b}[2J\"", "NACK 4 (it is empty)"]);
    }
}
