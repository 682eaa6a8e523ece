//! What file transfer says, in English.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use aperto_app::transfer::{BadManifest, BadName, Failure, Path, Refusal, Stranger, Trouble};

use super::{Side, TransferFault, TransferSaying, files, is_about_a_name, size};
use crate::Language;
use crate::program::{FileTrouble, Notice};
use crate::quantity::duration;

const LANGUAGE: Language = Language::English;
const AGAIN: &str = "what came is kept: the same command again goes on from there";

pub(super) fn fault(fault: &TransferFault) -> Notice {
    match fault {
        TransferFault::Name { path, why } => {
            Notice::new(format!("the name {path} cannot be sent: {}", bad(*why)))
                .line("rename it: what is sent must have the same name on Linux, macOS and Windows")
        }
        TransferFault::Unsendable { path, why } => {
            Notice::new(format!("{path} cannot be sent: {}", manifest(why)))
                .line("rename or leave out what is named here, or send a smaller folder")
        }
        TransferFault::Folder { folder, why } => {
            Notice::new(format!("cannot receive into {folder}: {}", trouble_of_file(why)))
                .line(format!("make the folder first:  mkdir {folder}"))
        }
        TransferFault::GaveUp { tries, remote } => {
            Notice::new(format!("the connection to {remote} broke; tried {tries} times in vain")).line(AGAIN)
        }
        TransferFault::Failed { side, remote, why } => failed(*side, &format!("{remote}"), why),
    }
}

fn failed(side: Side, remote: &str, why: &Failure) -> Notice {
    match why {
        Failure::Stranger(who) => {
            let notice = Notice::new(format!("{remote} does not speak file transfer: {}", stranger(*who)))
                .line("a server for files:  aperto server PORT --receive FOLDER");
            match who {
                Stranger::Text | Stranger::Tls => notice.line("is one end --secure? then both must be"),
                Stranger::Http | Stranger::Ssh | Stranger::Aperto | Stranger::Unknown => notice,
            }
        }
        Failure::Version(version) => {
            Notice::new(format!("{remote} speaks file transfer of a version not known here ({version})"))
                .line("use the same aperto at both ends")
        }
        Failure::Protocol => Notice::new(format!("{remote} broke the rules of file transfer"))
            .line("nothing that it sent has been given a name"),
        Failure::SameRole => match side {
            Side::Sends => Notice::new(format!("{remote} sends files, too; nobody receives"))
                .line("start the server with --receive FOLDER, or this client with --fetch FOLDER"),
            Side::Receives => Notice::new(format!("{remote} receives files, too; nobody sends"))
                .line("start the server with --offer PATH, or this client with --send PATH"),
        },
        Failure::Manifest(why) => Notice::new(format!("what {remote} sends is refused: {}", manifest(why)))
            .line("nothing was written"),
        Failure::Exists(path) => {
            Notice::new(format!("{path} exists, and is another file (or folder, or link)"))
                .line("nothing was changed; --overwrite at the receiver replaces files")
        }
        Failure::NoRoom { needs, free, floor } => Notice::new(format!(
            "no room: {} are needed, {} are free, and {} must stay free",
            size(LANGUAGE, *needs),
            size(LANGUAGE, *free),
            size(LANGUAGE, *floor)
        ))
        .line("make room, or allow less to stay free:  --keep-free 0"),
        Failure::Busy(path) => Notice::new(format!("somebody else is writing {path} right now"))
            .line("wait until they are done, then the same command again"),
        Failure::Disk(path, why) => {
            Notice::new(format!("{path} cannot be written: {}", trouble(*why))).line(AGAIN)
        }
        Failure::Changed(path) => {
            Notice::new(format!("{path} changed while it was sent: its hash is another"))
                .line("it was not given its name; the same command again sends it as it is now")
        }
        Failure::Unreadable(path) => Notice::new(format!("{path} cannot be read any more"))
            .line("was it moved or deleted? the same command again goes on with what there is"),
        Failure::TooSlow => {
            Notice::new(format!("{remote} was too slow: a frame did not end, or never came")).line(AGAIN)
        }
        Failure::Silent => Notice::new(format!("{remote} said nothing for too long")).line(AGAIN),
        Failure::Broken => {
            Notice::new(format!("the connection to {remote} ended before the transfer")).line(AGAIN)
        }
        Failure::Refused(why, path) => refused(side, remote, *why, path.as_ref()),
        Failure::Superseded => Notice::new("the same transfer goes on over a newer connection")
            .line("nothing is lost: look at the newer one"),
        Failure::Cancelled => Notice::new("interrupted").line(AGAIN),
    }
}

fn refused(side: Side, remote: &str, why: Refusal, path: Option<&Path>) -> Notice {
    let name = path.map_or_else(|| "it".into(), |path| format!("{path}"));
    let text: String = match why {
        Refusal::Protocol => "this end broke the rules, it says (another version?)".into(),
        Refusal::SameRole => "both ends send, or both receive".into(),
        Refusal::Manifest => "what this end has is too much, or not what was announced".into(),
        Refusal::Name => format!("it does not take the name {name}"),
        Refusal::Collision => format!("{name} is another name in other capitals"),
        Refusal::Exists => format!("{name} exists there, and is another file"),
        Refusal::NoRoom => "there is no room".into(),
        Refusal::Busy => format!("somebody else is writing {name} there"),
        Refusal::Disk => format!("{name} cannot be written there"),
        Refusal::Changed => format!("{name} changed while it was sent"),
        Refusal::Unreadable => format!("{name} cannot be read there any more"),
        Refusal::TooSlow => "this end was too slow".into(),
        Refusal::Superseded => "the same transfer goes on over a newer connection".into(),
        Refusal::Cancelled => "somebody ended it there".into(),
    };
    let next = match (why, side) {
        (Refusal::Exists, Side::Sends) => "start the server with --overwrite, or send another name",
        (Refusal::SameRole, _) => "one end sends (--send, --offer), the other receives (--receive, --fetch)",
        (Refusal::NoRoom, _) => "make room there, or start it with less to keep free:  --keep-free 0",
        (why, _) if is_about_a_name(why) => "rename it, then the same command again",
        _ => AGAIN,
    };
    Notice::new(format!("{remote} refused: {text}")).line(next)
}

const fn bad(why: BadName) -> &'static str {
    match why {
        BadName::Empty => "it is empty, or begins at the root",
        BadName::TooLong => "it is longer than 200 bytes",
        BadName::Climbs => "it leads out of the folder",
        BadName::Hidden => "it begins with a dot",
        BadName::Separator => "it holds / or \\ or :",
        BadName::Unprintable => "it holds a character that does not show",
        BadName::NotUnicode => "it is not Unicode text",
        BadName::Device => "on Windows it is a device",
        BadName::Edge => "it begins with a space, or ends with a space or a dot",
        BadName::TooDeep => "it is more than 16 folders deep",
    }
}

fn manifest(why: &BadManifest) -> String {
    match why {
        BadManifest::Malformed => "its list of files is damaged".into(),
        BadManifest::Count => "nothing, or more than 100,000 files".into(),
        BadManifest::TooLarge { .. } => "larger than any system can hold".into(),
        BadManifest::Name { name, why, .. } => format!("the name \"{name}\": {}", bad(*why)),
        BadManifest::Collision { path, with, .. } => {
            format!("{path} and {with} are one where capitals do not count")
        }
    }
}

const fn stranger(who: Stranger) -> &'static str {
    match who {
        Stranger::Http => "it speaks HTTP",
        Stranger::Tls => "it speaks TLS",
        Stranger::Ssh => "it speaks SSH",
        Stranger::Aperto => "it speaks another protocol of aperto's",
        Stranger::Text => "it speaks text",
        Stranger::Unknown => "what it says is not known here",
    }
}

const fn trouble(why: Trouble) -> &'static str {
    match why {
        Trouble::Missing => "its folder is gone",
        Trouble::Exists => "something has the name already",
        Trouble::NotPlain => "a link, or something that is no file, stands there",
        Trouble::Denied => "not allowed",
        Trouble::Full => "the disk is full",
        Trouble::Busy => "somebody else has it",
        Trouble::TooLarge => "too large for this file system",
        Trouble::ReadOnly => "this file system is read-only",
        Trouble::Other => "the system refused",
    }
}

fn trouble_of_file(why: &FileTrouble) -> String {
    match why {
        FileTrouble::Missing => "there is no such folder".into(),
        FileTrouble::Denied => "not allowed".into(),
        FileTrouble::Folder => "it is a folder".into(),
        FileTrouble::TooLarge(most) => format!("larger than {most} MiB"),
        FileTrouble::Full => "the disk is full".into(),
        FileTrouble::Other(what) => what.clone(),
    }
}

pub(super) fn saying(saying: &TransferSaying) -> Vec<String> {
    let line = match saying {
        TransferSaying::Receiving { folder } => format!("files that come are written into {folder}"),
        TransferSaying::Offering { name, files: count, octets } => {
            format!("offers {name}: {}, {}", files(LANGUAGE, *count), size(LANGUAGE, *octets))
        }
        TransferSaying::LeftOut { hidden, links, first } => {
            format!("left out: {hidden} hidden, {links} links or other things that are no files ({first})")
        }
        TransferSaying::Begun { label, side, name, files: count, octets } => {
            let does = match side {
                Side::Sends => "sends",
                Side::Receives => "receives",
            };
            format!("{label}{does} {name}: {}, {}", files(LANGUAGE, *count), size(LANGUAGE, *octets))
        }
        TransferSaying::Resumed { label, path, octets, of } => format!(
            "{label}{path}: {} of {} were there and are sound; goes on from there",
            size(LANGUAGE, *octets),
            size(LANGUAGE, *of)
        ),
        TransferSaying::Again { label, path, chunk } => {
            format!("{label}chunk {chunk} of {path} damaged, asked again")
        }
        TransferSaying::File { label, side, path, octets, blake3, was_there } => {
            let how = match (side, was_there) {
                (_, true) => "was there",
                (Side::Sends, false) => "sent",
                (Side::Receives, false) => "received",
            };
            return vec![format!("{label}{how} {path}  {octets} bytes"), format!("  blake3 {blake3}")];
        }
        TransferSaying::MoreFiles { label, files: count } => {
            format!("{label}and {} more, all verified", files(LANGUAGE, *count))
        }
        TransferSaying::Finished { label, side, files: count, octets, again, after } => {
            let whole = match side {
                Side::Sends => "arrived whole",
                Side::Receives => "whole, every hash right",
            };
            let again = match again {
                0 => String::new(),
                1 => ", 1 chunk asked again".into(),
                _ => format!(", {again} chunks asked again"),
            };
            let (count, octets) = (files(LANGUAGE, *count), size(LANGUAGE, *octets));
            format!("{label}{count}, {octets}: {whole}{again}, in {}", duration(LANGUAGE, *after))
        }
        TransferSaying::Failed { label, headline } => format!("{label}not finished: {headline}"),
        TransferSaying::Reconnecting { after, attempt, of } => {
            format!("connection broken; attempt {attempt} of {of} in {}", duration(LANGUAGE, *after))
        }
        TransferSaying::Kept { side: Side::Receives } => AGAIN.into(),
        TransferSaying::Kept { side: Side::Sends } => {
            "what arrived is kept there: the same command again goes on from there".into()
        }
    };
    vec![line]
}
