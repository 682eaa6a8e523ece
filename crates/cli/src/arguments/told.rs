//! `--text`: a handshake told in text, for server and client.

use std::time::Duration;

use aperto_app::text::{Dialect, PATIENCE};
use aperto_explain::program::{Fault, NoEffect};
use aperto_sim::recipe::Protocol;
use clap::{Arg, ArgMatches};

use super::flags::{self, Say};
use super::read::{Isn, Live, given};

/// The dialects by name.
const DIALECTS: [&str; 2] = ["handshake", "three-way"];

/// A handshake told in text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Telling {
    pub(crate) dialect: Dialect,
    /// What client and server count from, where that is not left to luck.
    fixed: Option<(u32, u32)>,
    /// How long each turn of the other side may take.
    pub(crate) patience: Duration,
}

impl Telling {
    /// What client and server count from.
    pub(crate) fn firsts(&self) -> (u32, u32) {
        self.fixed.unwrap_or_else(|| {
            // Where the system has no luck to give, the usual numbers do.
            let Ok(luck) = aperto_tokio::secret() else { return self.dialect.firsts() };
            let number = |from: usize| {
                let octets = luck.get(from..from + 4).and_then(|octets| octets.try_into().ok());
                u32::from_le_bytes(octets.unwrap_or_default())
            };
            (number(0), number(4))
        })
    }
}

/// The flag.
pub(crate) fn flag(say: Say) -> Arg {
    flags::choice(
        "text",
        &DIALECTS,
        "handshake|three-way",
        say.one(
            "a handshake told in text, as courses have it (ports 5000, 1337)",
            "um handshake contado em texto, como nos cursos (portas 5000, 1337)",
        ),
    )
    .help_heading(say.one("Wire", "Rede"))
}

/// The dialect that was asked for.
pub(crate) fn dialect(matches: &ArgMatches) -> Option<Dialect> {
    match matches.get_one::<String>("text").map(String::as_str) {
        Some("handshake") => Some(Dialect::Handshake),
        Some("three-way") => Some(Dialect::ThreeWay),
        _ => None,
    }
}

/// What was asked for: the numbers and the time are the text's then, and no more the connection's.
pub(crate) fn read(matches: &ArgMatches, live: &mut Live) -> Result<Option<Telling>, Fault> {
    let Some(dialect) = dialect(matches) else { return Ok(None) };
    if live.protocol != Protocol::Tcp {
        return Err(Fault::NoEffect { flag: "--text".into(), because: NoEffect::OnlyTcp });
    }
    let others = ["echo", "upper", "sink", "chat", "out", "message", "file", "eol"];
    let is_there =
        |flag: &&str| matches.try_contains_id(flag).is_ok_and(|there| there) && given(matches, flag);
    if let Some(other) = others.into_iter().find(is_there) {
        let second = if other == "message" { "-m".into() } else { format!("--{other}") };
        return Err(Fault::Conflict { first: "--text".into(), second });
    }
    let fixed = match live.tcp.isn.take() {
        Some(Isn::Fixed(client, server)) => Some((client, server)),
        Some(Isn::Random) => None,
        None => Some(dialect.firsts()),
    };
    let patience = live.timeout.take().unwrap_or(PATIENCE);
    Ok(Some(Telling { dialect, fixed, patience }))
}
