//! `--chat` over TCP: who one is, what is asked for or offered, and where messages are kept.

use aperto_app::chat::{MOST_MESSAGE, MOST_WINDOW};
use aperto_app::hello::{
    Acknowledgement, Ask, Integrity, LARGEST_PAYLOAD, Mode, Negative, SMALLEST_MAX_MESSAGE,
};
use aperto_explain::program::{Fault, NoEffect};
use aperto_sim::recipe::Protocol;
use clap::{Arg, ArgMatches};

use super::flags::{Say, switch, value};
use super::read::{Live, given, no_effect, number_of};

/// The usual longest message, and the usual payload: a message in one piece.
const USUAL_MESSAGE: u32 = 1_000;
/// The usual window of the course that this chat comes from.
const USUAL_WINDOW: u16 = 5;

/// What was said of a chat.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Chat {
    /// A member's name; nothing where the system's name of the user does.
    pub(crate) name: Option<String>,
    /// Where a server keeps messages.
    pub(crate) journal: Option<String>,
    pub(crate) max: Option<u32>,
    pub(crate) payload: Option<u16>,
    pub(crate) window: Option<u16>,
    pub(crate) acknowledgement: Option<Acknowledgement>,
    pub(crate) integrity: Option<Integrity>,
}

/// What a client can say.
pub(crate) fn client(say: Say) -> Vec<Arg> {
    let heading = heading(say);
    [
        switch(
            "chat",
            say.one(
                "joins a room: each message confirmed, reconnects by itself",
                "entra numa sala: cada mensagem confirmada, reconecta sozinho",
            ),
        ),
        value("name", say.one("NAME", "NOME"), say.one("your name in the room", "seu nome na sala")),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What a server can say besides `--chat` itself.
pub(crate) fn server(say: Say) -> Vec<Arg> {
    let journal = value(
        "journal",
        say.one("FILE", "ARQUIVO"),
        say.one(
            "keeps what was said; a restarted server goes on from it",
            "guarda o que foi dito; reiniciado, o servidor continua dele",
        ),
    );
    vec![journal.help_heading(heading(say))]
}

const fn heading(say: Say) -> &'static str {
    say.one(
        "Chat (also --max, --payload, --window, --ack, --integrity none|digest)",
        "Chat (também --max, --payload, --window, --ack, --integrity none|digest)",
    )
}

/// Whether a chat over TCP is asked for.
pub(crate) fn asked(matches: &ArgMatches, protocol: Protocol) -> bool {
    let is_there = matches.try_contains_id("chat").is_ok_and(|there| there);
    protocol == Protocol::Tcp && is_there && matches.get_flag("chat")
}

/// What was said of it; the window is the chat's then, and no more the connection's.
pub(crate) fn read(matches: &ArgMatches, live: &mut Live) -> Result<Option<Chat>, Fault> {
    if !asked(matches, live.protocol) {
        let others = ["name", "journal"].into_iter();
        let mut typed = others.filter(|flag| matches.try_contains_id(flag).is_ok() && given(matches, flag));
        return match typed.next() {
            Some(flag) => Err(no_effect(flag, NoEffect::Needs("--chat"))),
            None => Ok(None),
        };
    }
    if given(matches, "nack") {
        return Err(no_effect("nack", NoEffect::OnlyTextbook));
    }
    for other in ["file", "eol"] {
        if matches.try_contains_id(other).is_ok() && given(matches, other) {
            return Err(Fault::Conflict { first: "--chat".into(), second: format!("--{other}") });
        }
    }
    live.tcp.window = None;
    let window = number_of(matches, "window", 1, u64::from(MOST_WINDOW))?;
    let most = MOST_MESSAGE as u64;
    let max = number_of(matches, "max", u64::from(SMALLEST_MAX_MESSAGE), most)?;
    let payload = number_of(matches, "payload", 1, most.min(u64::from(LARGEST_PAYLOAD)))?;
    let word = |flag: &str| matches.get_one::<String>(flag).map(String::as_str);
    let text = |flag: &str| {
        matches.try_get_one::<String>(flag).ok().flatten().cloned().filter(|text| !text.trim().is_empty())
    };
    Ok(Some(Chat {
        name: text("name"),
        journal: text("journal"),
        max: max.and_then(|n| u32::try_from(n).ok()),
        payload: payload.and_then(|n| u16::try_from(n).ok()),
        window: window.and_then(|n| u16::try_from(n).ok()),
        acknowledgement: word("ack").map(|word| match word {
            "group" => Acknowledgement::Group,
            _ => Acknowledgement::Individual,
        }),
        integrity: match word("integrity") {
            None => None,
            Some("none") => Some(Integrity::None),
            Some("digest") => Some(Integrity::Digest),
            Some(other) => {
                return Err(Fault::NotAChoice {
                    flag: "--integrity".into(),
                    value: other.into(),
                    choices: vec!["none".into(), "digest".into()],
                    nearest: None,
                });
            }
        },
    }))
}

impl Chat {
    /// What a member asks for.
    pub(crate) fn ask(&self) -> Ask {
        let max_message = self.max.unwrap_or(USUAL_MESSAGE);
        Ask {
            modes: vec![Mode::Tcp],
            integrities: vec![self.integrity.unwrap_or(Integrity::Digest)],
            max_message,
            payload: self.payload.unwrap_or_else(|| u16::try_from(max_message).unwrap_or(u16::MAX)),
            window: self.window.unwrap_or(USUAL_WINDOW),
            acknowledgement: self.acknowledgement.unwrap_or_default(),
            negative: Negative::On,
        }
    }

    /// The name that a member would like: its own, or the system's for the user.
    pub(crate) fn wanted_name(&self) -> String {
        let of_system =
            || ["USER", "USERNAME", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        self.name.clone().or_else(of_system).unwrap_or_default()
    }
}
