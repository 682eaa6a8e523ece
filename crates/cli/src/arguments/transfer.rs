//! Files and folders: the flags of `server` and `client` for them, and what they ask.

use aperto_app::transfer::disk::Replace;
use aperto_app::transfer::vault::FLOOR;
use aperto_explain::program::{Fault, NoEffect};
use aperto_sim::quantity::parse_size;
use aperto_sim::recipe::Protocol;
use clap::{Arg, ArgAction, ArgMatches};

use super::channel::bad_quantity;
use super::flags::Say;
use super::read::{Client, Live, Server, Service, given};

/// What is to be done with files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Transfer {
    /// Send this file or folder.
    Send { path: String },
    /// Write what comes into this folder.
    Receive(Receive),
}

/// How files are received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Receive {
    pub(crate) folder: String,
    pub(crate) replace: Replace,
    /// How many octets must stay free on the disk.
    pub(crate) floor: u64,
}

/// Files, at a server.
#[derive(Debug)]
pub(crate) struct FileServer {
    pub(crate) server: Server,
    pub(crate) transfer: Transfer,
}

/// Files, at a client.
#[derive(Debug)]
pub(crate) struct FileClient {
    pub(crate) client: Client,
    pub(crate) transfer: Transfer,
}

fn heading(say: Say) -> &'static str {
    say.one(
        "Files (verified, resumed by the same command again)",
        "Arquivos (verificados; o mesmo comando de novo continua)",
    )
}

fn value(name: &'static str, shown: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(shown).help(help).action(ArgAction::Set)
}

fn receiver(say: Say) -> [Arg; 2] {
    [
        Arg::new("overwrite").long("overwrite").action(ArgAction::SetTrue).help(say.one(
            "a file of the same name is replaced, once the new one is whole",
            "um arquivo de mesmo nome é substituído, quando o novo estiver inteiro",
        )),
        value(
            "keep-free",
            "64m",
            say.one("how much of the disk must stay free (64m)", "quanto do disco deve ficar livre (64m)"),
        ),
    ]
}

/// Those of a server.
pub(crate) fn server_flags(say: Say) -> Vec<Arg> {
    let folder = say.one("FOLDER", "PASTA");
    let own = [
        value(
            "receive",
            folder,
            say.one(
                "writes the files that clients send into this folder",
                "escreve nesta pasta os arquivos que os clientes enviam",
            ),
        ),
        value(
            "offer",
            say.one("PATH", "CAMINHO"),
            say.one("gives this file or folder to clients", "dá este arquivo ou pasta aos clientes"),
        ),
    ];
    own.into_iter().chain(receiver(say)).map(|arg| arg.help_heading(heading(say))).collect()
}

/// Those of a client.
pub(crate) fn client_flags(say: Say) -> Vec<Arg> {
    let own = [
        value(
            "send",
            say.one("PATH", "CAMINHO"),
            say.one(
                "sends this file or folder to a server with --receive",
                "envia este arquivo ou pasta a um servidor com --receive",
            ),
        ),
        value(
            "fetch",
            say.one("FOLDER", "PASTA"),
            say.one(
                "writes what a server with --offer has into this folder",
                "escreve nesta pasta o que um servidor com --offer tem",
            ),
        ),
    ];
    own.into_iter().chain(receiver(say)).map(|arg| arg.help_heading(heading(say))).collect()
}

/// What was asked of a server, if it is about files.
pub(crate) fn of_server(matches: &ArgMatches) -> Result<Option<Transfer>, Fault> {
    transfer(matches, "offer", "receive", &["echo", "upper", "sink", "chat", "out", "text"])
}

/// What was asked of a client, if it is about files.
pub(crate) fn of_client(matches: &ArgMatches) -> Result<Option<Transfer>, Fault> {
    transfer(matches, "send", "fetch", &["message", "file", "eol", "text"])
}

fn transfer(
    matches: &ArgMatches,
    sends: &'static str,
    receives: &'static str,
    others: &[&str],
) -> Result<Option<Transfer>, Fault> {
    let flag = |name: &str| format!("--{name}");
    let (path, folder) = (matches.get_one::<String>(sends), matches.get_one::<String>(receives));
    let chosen = match (path, folder) {
        (None, None) => {
            let lost = ["overwrite", "keep-free"].into_iter().find(|name| given(matches, name));
            let needs = if receives == "receive" { "--receive" } else { "--fetch" };
            return match lost {
                Some(name) => Err(Fault::NoEffect { flag: flag(name), because: NoEffect::Needs(needs) }),
                None => Ok(None),
            };
        }
        (Some(_), Some(_)) => return Err(Fault::Conflict { first: flag(sends), second: flag(receives) }),
        (Some(_), None) => sends,
        (None, Some(_)) => receives,
    };
    let known = |name: &&&str| matches.try_contains_id(name).unwrap_or(false) && given(matches, name);
    if let Some(other) = others.iter().find(known) {
        return Err(Fault::Conflict { first: flag(chosen), second: flag(other) });
    }
    if let Some(path) = path {
        if let Some(name) = ["overwrite", "keep-free"].into_iter().find(|name| given(matches, name)) {
            let needs = if receives == "receive" { "--receive" } else { "--fetch" };
            return Err(Fault::NoEffect { flag: flag(name), because: NoEffect::Needs(needs) });
        }
        return Ok(Some(Transfer::Send { path: path.clone() }));
    }
    let floor = match matches.get_one::<String>("keep-free") {
        None => FLOOR,
        Some(text) if text == "0" => 0,
        Some(text) => parse_size(text).map_err(|error| bad_quantity("--keep-free", text, error))?,
    };
    let replace = if matches.get_flag("overwrite") { Replace::Files } else { Replace::Never };
    let folder = folder.cloned().unwrap_or_default();
    Ok(Some(Transfer::Receive(Receive { folder, replace, floor })))
}

/// How many clients of a server for files there are at once, where nothing else is said: each may send
/// a list of files of 16 MiB, which is kept while it lasts.
const MOST_CLIENTS: u64 = 64;

/// A server for files.
pub(crate) fn file_server(mut server: Server, transfer: Transfer) -> Result<FileServer, Fault> {
    let flag = if matches!(transfer, Transfer::Send { .. }) { "--offer" } else { "--receive" };
    needs_a_stream(&server.live, flag)?;
    server.service = Service::Files;
    server.max_conns = server.max_conns.or(Some(MOST_CLIENTS));
    Ok(FileServer { server, transfer })
}

/// A client for files.
pub(crate) fn file_client(client: Client, transfer: Transfer) -> Result<FileClient, Fault> {
    let flag = if matches!(transfer, Transfer::Send { .. }) { "--send" } else { "--fetch" };
    needs_a_stream(&client.live, flag)?;
    Ok(FileClient { client, transfer })
}

/// Datagrams have no order, and the textbook protocols carry messages.
fn needs_a_stream(live: &Live, flag: &str) -> Result<(), Fault> {
    if live.protocol == Protocol::Tcp {
        return Ok(());
    }
    Err(Fault::NoEffect { flag: flag.into(), because: NoEffect::OnlyTcp })
}
