//! The flags of the textbook protocols: stop-and-wait, Go-Back-N, Selective Repeat.
//!
//! A client asks for these, a server takes no more than these; the window is the `--window` of all
//! protocols. In a simulated run both sides are told the same.

use aperto_app::hello::{
    Acknowledgement, Ask, Integrity, LARGEST_PAYLOAD, LARGEST_WINDOW, Mode, Negative, Offer,
    SMALLEST_MAX_MESSAGE,
};
use aperto_explain::program::{Fault, NoEffect};
use aperto_sim::recipe::Protocol;
use clap::{Arg, ArgMatches};

use super::flags::{Say, choice, switch, value};
use super::read::{given, no_effect, number_of};

/// The largest message that can be agreed on here.
const LARGEST_MESSAGE: u32 = 1 << 16;
/// The payload and window that a server takes where nothing is said.
const USUAL_PAYLOAD: u16 = 1_400;
const USUAL_WINDOW: u16 = 1_024;
/// The flags, in the order of the help.
const FLAGS: [&str; 5] = ["payload", "max", "ack", "nack", "integrity"];

/// What was said of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Modes {
    pub(crate) payload: Option<u16>,
    pub(crate) max: Option<u32>,
    pub(crate) window: Option<u16>,
    pub(crate) acknowledgement: Option<Acknowledgement>,
    pub(crate) negative: bool,
    pub(crate) integrity: Option<Integrity>,
}

/// What client and server can say.
pub(crate) fn live(say: Say) -> Vec<Arg> {
    let mut all = vec![
        value("payload", "N", say.one("bytes in a packet (4)", "bytes por pacote (4)")),
        value(
            "max",
            "N",
            say.one("bytes in a message, 30 or more (100)", "bytes por mensagem, 30 ou mais (100)"),
        ),
    ];
    all.extend(acknowledging(say));
    all.into_iter().map(|arg| arg.help_heading(heading(say))).collect()
}

/// What a simulated run can be told besides its payload.
pub(crate) fn simulated(say: Say) -> Vec<Arg> {
    let mut all = vec![longest(say)];
    all.extend(acknowledging(say));
    let mut all: Vec<Arg> = all.into_iter().map(|arg| arg.help_heading(heading(say))).collect();
    let secure = switch(
        "secure",
        say.one(
            "seal each packet by itself; one that does not open is dropped",
            "sela cada pacote por si; o que não abre é descartado",
        ),
    );
    all.push(secure.help_heading(say.one("Protect", "Proteger")));
    all
}

/// What `bench` can be told of its cells: all but sizes.
pub(crate) fn measured(say: Say) -> Vec<Arg> {
    acknowledging(say)
}

/// What `compare` can be told besides payload and window: its `--integrity` is of another kind.
pub(crate) fn compared(say: Say) -> Vec<Arg> {
    let other = |arg: &Arg| arg.get_id() != "integrity" && arg.get_id() != "secure";
    simulated(say).into_iter().filter(other).collect()
}

/// In a simulated run nobody agrees on it: what is said is cut into messages of at most this.
fn longest(say: Say) -> Arg {
    value("max", "N", say.one("bytes in a message, 30 or more", "bytes por mensagem, 30 ou mais"))
}

const fn heading(say: Say) -> &'static str {
    say.one("Textbook protocols (saw, gbn, sr)", "Protocolos didáticos (saw, gbn, sr)")
}

fn acknowledging(say: Say) -> Vec<Arg> {
    vec![
        choice(
            "ack",
            &["individual", "group"],
            "individual|group",
            say.one(
                "an ACK for each packet, or for a window of them",
                "um ACK por pacote, ou por janela deles",
            ),
        ),
        switch("nack", say.one("ask for what is missing: NACK", "pede o que falta: NACK")),
        choice(
            "integrity",
            &["checksum", "crc32", "none", "digest"],
            "checksum|crc32",
            say.one("how damage is noticed (chat: none|digest)", "como se nota dano (chat: none|digest)"),
        ),
    ]
}

/// What was said, where the protocol has it.
pub(crate) fn read(matches: &ArgMatches, protocol: Protocol) -> Result<Modes, Fault> {
    if super::chat::asked(matches, protocol) {
        // They are the chat's there.
        return Ok(Modes::default());
    }
    if protocol.textbook().is_none() {
        let typed =
            FLAGS.into_iter().find(|flag| matches.try_contains_id(flag).is_ok() && given(matches, flag));
        // UDP in the simulator is cut into payloads, too.
        return match typed.filter(|flag| *flag != "payload" || matches.try_contains_id("max").is_ok()) {
            Some(flag) => Err(no_effect(flag, NoEffect::OnlyTextbook)),
            None => Ok(Modes::default()),
        };
    }
    let number = |flag: &str, from: u64, to: u64| match matches.try_contains_id(flag) {
        Ok(_) => number_of(matches, flag, from, to),
        Err(_) => Ok(None),
    };
    let payload = number("payload", 1, u64::from(LARGEST_PAYLOAD))?;
    let max = number("max", u64::from(SMALLEST_MAX_MESSAGE), u64::from(LARGEST_MESSAGE))?;
    let window = number("window", 1, u64::from(LARGEST_WINDOW))?;
    if protocol == Protocol::StopAndWait
        && let Some(window) = window.filter(|window| *window > 1)
    {
        return Err(Fault::BadNumber { flag: "--window".into(), value: window.to_string(), from: 1, to: 1 });
    }
    Ok(Modes {
        payload: payload.and_then(|n| u16::try_from(n).ok()),
        max: max.and_then(|n| u32::try_from(n).ok()),
        window: window.and_then(|n| u16::try_from(n).ok()),
        ..read_acknowledging(matches)?
    })
}

/// The longest message, where it was said.
pub(crate) fn read_longest(matches: &ArgMatches) -> Result<Option<u32>, Fault> {
    let max = number_of(matches, "max", u64::from(SMALLEST_MAX_MESSAGE), u64::from(LARGEST_MESSAGE))?;
    Ok(max.and_then(|n| u32::try_from(n).ok()))
}

/// What was said of acknowledgements and damage.
pub(crate) fn read_acknowledging(matches: &ArgMatches) -> Result<Modes, Fault> {
    let word = |flag: &str| matches.get_one::<String>(flag).map(String::as_str);
    if let Some(value @ ("none" | "digest")) = word("integrity") {
        // Those are for a chat over TCP.
        return Err(Fault::NotAChoice {
            flag: "--integrity".into(),
            value: value.into(),
            choices: vec!["checksum".into(), "crc32".into()],
            nearest: None,
        });
    }
    Ok(Modes {
        acknowledgement: word("ack").map(acknowledgement),
        negative: matches.get_flag("nack"),
        integrity: word("integrity").map(integrity),
        ..Modes::default()
    })
}

/// What `individual` and `group` stand for.
pub(crate) fn acknowledgement(word: &str) -> Acknowledgement {
    if word == "group" { Acknowledgement::Group } else { Acknowledgement::Individual }
}

/// What `checksum` and `crc32` stand for.
pub(crate) fn integrity(word: &str) -> Integrity {
    if word == "crc32" { Integrity::Crc32 } else { Integrity::InternetChecksum }
}

/// The mode that a protocol's name stands for.
pub(crate) const fn mode_of(protocol: Protocol) -> Mode {
    match protocol {
        Protocol::Tcp | Protocol::Udp => Mode::Tcp,
        Protocol::StopAndWait => Mode::StopAndWait,
        Protocol::GoBackN => Mode::GoBackN,
        Protocol::SelectiveRepeat => Mode::SelectiveRepeat,
    }
}

impl Modes {
    /// What a client asks for.
    pub(crate) fn ask(&self, protocol: Protocol) -> Ask {
        let usual = Ask::new(mode_of(protocol));
        Ask {
            max_message: self.max.unwrap_or(usual.max_message),
            payload: self.payload.unwrap_or(usual.payload),
            window: self.window.unwrap_or(usual.window),
            acknowledgement: self.acknowledgement.unwrap_or_default(),
            negative: if self.negative { Negative::On } else { Negative::Off },
            integrities: self.integrity.map_or(usual.integrities, |integrity| vec![integrity]),
            modes: usual.modes,
        }
    }

    /// What a server offers: all that it is not told to limit, in its own mode.
    pub(crate) fn offer(&self, protocol: Protocol) -> Offer {
        let all = [Integrity::InternetChecksum, Integrity::Crc32];
        let mut offer = Offer::new(&[mode_of(protocol)], &all);
        offer.max_message = self.max.unwrap_or(LARGEST_MESSAGE);
        offer.payload = self.payload.unwrap_or(USUAL_PAYLOAD);
        offer.window = self.window.unwrap_or(USUAL_WINDOW);
        if self.acknowledgement == Some(Acknowledgement::Individual) {
            offer.acknowledgement = Acknowledgement::Individual;
        }
        if let Some(integrity) = self.integrity {
            offer.integrities = vec![integrity];
        }
        offer
    }
}
