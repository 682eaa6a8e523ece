//! Secrecy on the command line: `--secure` and what goes with it, `aperto://` addresses, `aperto key`.

use aperto_explain::program::secure::SecureFault;
use aperto_explain::program::{Fault, NoEffect};
use aperto_secure::address::BadAddress;
use aperto_secure::{Address, Fingerprint};
use aperto_sim::recipe::Protocol;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::flags::Say;
use super::read::{DEFAULT_PORT, WireKind};
use crate::record::{Kind, kind_of};

/// A conversation that is to be secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Secure {
    /// Where to write the secrets, for Wireshark.
    pub(crate) key_log: Option<String>,
    /// The recording has the secrets, too.
    pub(crate) with_keys: bool,
    /// A client: the key that the server must have.
    pub(crate) pin: Option<Fingerprint>,
}

/// What to do with keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    /// Show ours, and how others check it at this server.
    Show { host: String, port: u16 },
    /// Make a new one.
    New,
    /// Say where it is.
    Path,
    /// Forget the key of a server.
    Forget { host: String, port: u16 },
}

/// The flags of client and server.
pub(crate) fn flags(say: Say) -> Vec<Arg> {
    let heading = say.one("Protect", "Proteger");
    let switch = |name: &'static str, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    [
        switch(
            "secure",
            say.one(
                "TLS 1.3 or nothing; saw, gbn, sr: each packet sealed",
                "TLS 1.3 ou nada; saw, gbn, sr: cada pacote selado",
            ),
        ),
        Arg::new("keylog")
            .long("keylog")
            .value_name(say.one("FILE", "ARQUIVO"))
            .action(ArgAction::Set)
            .help(say.one("write the secrets down, for Wireshark", "grava os segredos, para o Wireshark")),
        switch(
            "with-keys",
            say.one(
                "put the secrets into the recording (-w): who has it reads all",
                "põe os segredos na gravação (-w): quem a tiver lê tudo",
            ),
        ),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What was asked of secrecy; `address` if the client was given one that asks for it.
pub(crate) fn read(
    matches: &ArgMatches,
    wire: WireKind,
    protocol: Protocol,
    address: Option<&Address>,
) -> Result<Option<Secure>, Fault> {
    let no_effect = |flag: &str, because| Err(Fault::NoEffect { flag: format!("--{flag}"), because });
    let key_log = matches.get_one::<String>("keylog").cloned();
    let with_keys = matches.get_flag("with-keys");
    if !matches.get_flag("secure") && address.is_none() {
        return match (key_log, with_keys) {
            (Some(_), _) => no_effect("keylog", NoEffect::Needs("--secure")),
            (None, true) => no_effect("with-keys", NoEffect::Needs("--secure")),
            (None, false) => Ok(None),
        };
    }
    if protocol == Protocol::Udp {
        return no_effect("secure", NoEffect::OnlyTcp);
    }
    if protocol.textbook().is_some() {
        // Their packets are sealed one by one, which no other program reads.
        return match (key_log, with_keys) {
            (Some(_), _) => no_effect("keylog", NoEffect::OnlyTcp),
            (None, true) => no_effect("with-keys", NoEffect::OnlyTcp),
            (None, false) => {
                Ok(Some(Secure { pin: address.and_then(|address| address.pin), ..Secure::default() }))
            }
        };
    }
    if with_keys {
        if wire == WireKind::Os {
            return no_effect("with-keys", NoEffect::NoPackets);
        }
        let file = matches.get_one::<String>("write");
        if file.is_none_or(|file| kind_of(file) != Ok(Kind::Pcapng)) {
            return no_effect("with-keys", NoEffect::Needs("-w FILE.pcapng"));
        }
    }
    Ok(Some(Secure { key_log, with_keys, pin: address.and_then(|address| address.pin) }))
}

/// The address of ours that a client was given, if it is one.
pub(crate) fn address(typed: &str) -> Result<Option<Address>, Fault> {
    let fault = match Address::read(typed) {
        Ok(address) => return Ok(Some(address)),
        Err(BadAddress::NoScheme) => return Ok(None),
        Err(BadAddress::NotAPin) => {
            SecureFault::BadPin { value: typed.split_once('#').map_or("", |(_, pin)| pin).into() }
        }
        Err(BadAddress::NotAnAddress) => SecureFault::BadAddress { value: typed.into() },
    };
    Err(Fault::Secure(fault))
}

/// `aperto key`.
pub(crate) fn command(say: Say) -> Command {
    let positional = |name, shown, help| {
        Arg::new(name).value_name(shown).help(help).help_heading(say.one("Arguments", "Argumentos"))
    };
    let what = [("show", "mostrar"), ("new", "nova"), ("path", "caminho"), ("forget", "esquecer")]
        .map(|(name, alias)| PossibleValue::new(name).alias(alias));
    Command::new("key")
        .alias("chave")
        .about(say.one(
            "this machine's key for --secure, and the keys of servers [chave]",
            "a chave desta máquina para --secure, e as dos servidores [chave]",
        ))
        .override_usage(say.one(
            "aperto key show|new|path\n  aperto key forget HOST:PORT",
            "aperto chave mostrar|nova|caminho\n  aperto chave esquecer HOST:PORTA",
        ))
        .arg(
            positional(
                "what",
                say.one("WHAT", "O QUÊ"),
                say.one("show, new, path or forget", "mostrar, nova, caminho ou esquecer"),
            )
            .value_parser(PossibleValuesParser::new(what))
            .hide_possible_values(true),
        )
        .arg(positional(
            "server",
            say.one("HOST:PORT", "HOST:PORTA"),
            say.one("which server (127.0.0.1:7000)", "qual servidor (127.0.0.1:7000)"),
        ))
}

/// What was asked of `key`.
pub(crate) fn read_key(matches: &ArgMatches) -> Result<Key, Fault> {
    let server = matches.get_one::<String>("server").map(String::as_str);
    let what = matches.get_one::<String>("what").map_or("show", String::as_str);
    let named = |server: &str| -> Result<(String, u16), Fault> {
        let whole = if server.contains("://") { server.into() } else { format!("aperto://{server}") };
        let bad = || Fault::BadAddress { value: server.into() };
        let read = address(&whole).map_err(|_| bad())?.ok_or_else(bad)?;
        Ok((read.host, read.port.unwrap_or(DEFAULT_PORT)))
    };
    match (what, server) {
        // Servers of sealed datagrams stand in the list under a name of their own.
        ("forget" | "esquecer", Some(server)) => {
            let (kind, server) = server.strip_prefix("udp/").map_or(("", server), |rest| ("udp/", rest));
            named(server).map(|(host, port)| Key::Forget { host: format!("{kind}{host}"), port })
        }
        ("forget" | "esquecer", None) => {
            Err(Fault::MissingArguments { names: vec!["HOST:PORT".into()], command: "aperto key".into() })
        }
        ("show" | "mostrar", server) => {
            named(server.unwrap_or("127.0.0.1")).map(|(host, port)| Key::Show { host, port })
        }
        (_, Some(word)) => Err(Fault::UnexpectedWord { word: word.into() }),
        ("new" | "nova", None) => Ok(Key::New),
        (_, None) => Ok(Key::Path),
    }
}
