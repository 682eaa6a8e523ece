//! What the program says of itself, in English.

use alloc::format;
use alloc::string::String;

use super::{
    BadConfig, BadPick, BadQuantity, Fault, FileTrouble, LooksLike, NoEffect, Notice, Quantity, RefusedBy,
    list,
};
use crate::Language;
use crate::quantity::{bytes, duration};
use crate::rule::Rule;

/// The fault in words.
pub(super) fn fault(fault: &Fault) -> Notice {
    usage(fault).or_else(|| network(fault)).unwrap_or_else(|| file(fault))
}

/// Wrong usage; none for any other fault.
fn usage(fault: &Fault) -> Option<Notice> {
    let notice = match fault {
        Fault::UnknownCommand { word, nearest } => {
            with_nearest(Notice::new(format!("there is no command {word}")), nearest.as_deref())
                .line("all commands:  aperto help --all")
        }
        Fault::UnknownFlag { flag, nearest } => {
            with_nearest(Notice::new(format!("there is no flag {flag} here")), nearest.as_deref())
                .line("all flags:  aperto help --all")
        }
        Fault::UnexpectedWord { word } => {
            Notice::new(format!("one word too many: {word}")).line("text with spaces goes into \"quotes\"")
        }
        Fault::MissingValue { flag } => Notice::new(format!("{flag} needs a value")),
        Fault::UnexpectedValue { flag } => Notice::new(format!("{flag} takes no value")),
        Fault::MissingArguments { names, command } => {
            Notice::new(format!("missing: {}", names.join(" "))).line(format!("see  {command} --help"))
        }
        Fault::NotAChoice { flag, value, choices, nearest } => {
            with_nearest(Notice::new(format!("{flag} cannot be {value}")), nearest.as_deref())
                .line(format!("choose {}", list(choices, "or")))
        }
        Fault::Conflict { first, second } => {
            Notice::new(format!("{first} and {second} exclude each other")).line("leave one of them away")
        }
        Fault::Repeated { flag } => Notice::new(format!("{flag} can be given once only")),
        Fault::NoEffect { flag, because } => {
            Notice::new(format!("{flag} would do nothing here")).line(no_effect(*because))
        }
        Fault::BadNumber { flag, value, from, to } => Notice::new(format!("{flag} cannot be {value}"))
            .line(format!("write a number from {from} to {to}")),
        Fault::BadQuantity { flag, value, quantity, why } => bad_quantity(flag, value, *quantity, *why),
        Fault::BadPick { flag, value, why } => bad_pick(flag, value, why),
        Fault::BadAddress { value } => Notice::new(format!("{value} is not an address or a port"))
            .line("examples:  7000   127.0.0.1:7000   [::1]:7000   ports go from 1 to 65535"),
        Fault::NotUnicode { value } => Notice::new(format!("not Unicode text: {value}")),
        Fault::BadIsn { value } => Notice::new(format!("--isn cannot be {value}"))
            .line("write the client's and the server's:  --isn 1234,1567   or:  --isn random"),
        Fault::UnknownFormat { file } => Notice::new(format!("the name {file} does not say which format"))
            .line("end it with .pcapng, .pcap or .aperto; - is stdout, as pcapng"),
        Fault::NeedsLan { address, port } => {
            Notice::new(format!("{address} can be reached by other machines; that needs --lan"))
                .line(format!("write  aperto server {address}:{port} --lan"))
        }
        Fault::BadConfig { file, line, key, why } => {
            let what = match why {
                BadConfig::UnknownKey => format!("{file}, line {line}: there is no setting {key}"),
                BadConfig::BadValue => format!("{file}, line {line}: {key} cannot be that"),
                BadConfig::Syntax => format!("{file}, line {line}: not TOML"),
            };
            Notice::new(what).line("settings: lang, view, seq, time, why, width, color, ascii, pager")
        }
        _ => return None,
    };
    Some(notice)
}

/// The network and the machine; none for any other fault.
fn network(fault: &Fault) -> Option<Notice> {
    let notice = match fault {
        Fault::UnknownHost { name } => Notice::new(format!("nobody knows a machine named {name}"))
            .line("write its address:  aperto client 192.168.0.15 7000"),
        Fault::Refused { remote, by, same_machine } => refused(*remote, *by, *same_machine),
        Fault::ResetByPeer { remote } => Notice::new(format!("{remote} reset the connection"))
            .ruled("a RST says: I know of no such connection, or I give it up", Rule::tcp("3.5.2")),
        Fault::NoAnswer { remote, after } => {
            Notice::new(format!("no answer from {remote} after {}", duration(Language::English, *after)))
                .ruled(
                    "the SYN was sent again and again: nothing refused it, it vanished",
                    Rule::tcp("3.8.3"),
                )
                .line("a firewall, a wrong address, or a machine that is off")
        }
        Fault::TimeIsUp { after } => {
            Notice::new(format!("not done after {} (--timeout)", duration(Language::English, *after)))
        }
        Fault::SilentPeer { remote } => Notice::new(format!("{remote} stopped answering"))
            .ruled("what was sent was never acknowledged, however often it was resent", Rule::tcp("3.8.3")),
        Fault::Unreachable { remote } => Notice::new(format!("there is no way to {remote}"))
            .line("the network answered so; is the address right, is the cable in?"),
        Fault::PortTaken { port, holder } => {
            let headline = match holder {
                Some((name, pid)) => format!("port {port} is already in use by \"{name}\" (pid {pid})"),
                None => format!("port {port} is already in use"),
            };
            Notice::new(headline)
                .line(format!("use another:  aperto server {}        or end that program", next_port(*port)))
        }
        Fault::AddressNotOurs { address } => {
            Notice::new(format!("{address} is not an address of this machine"))
                .line("listen on all of them:  aperto server 7000 --lan")
        }
        Fault::NeedsTunRights { command } => Notice::new("making a TUN device needs administrator rights")
            .line(format!("sudo {command}"))
            .line("or without any rights:  --wire udp, between two aperto"),
        Fault::NoTunDevice => Notice::new("this machine has no TUN device")
            .line("Linux:  sudo modprobe tun        or without it:  --wire udp, between two aperto"),
        Fault::NeedsPortRights { port } => {
            Notice::new(format!("listening on port {port} needs administrator rights"))
                .line("ports from 1024 on are free for all:  aperto server 7000")
        }
        Fault::KernelOwnsAddress { address, interface } => {
            Notice::new(format!("the kernel owns {address} already ({interface}) and would answer for it"))
                .line("our TCP needs an address of its own; choose another with --address")
        }
        Fault::System { what } => Notice::new(format!("the system says: {what}")),
        Fault::ForeignPeer { from, octets } => {
            Notice::new(format!("{from} does not speak this: {} that are no segment", bytes(*octets)))
                .line("is it another program? --wire os speaks to any; --wire udp to aperto only")
        }
        _ => return None,
    };
    Some(notice)
}

/// Files and results.
fn file(fault: &Fault) -> Notice {
    match fault {
        Fault::CannotRead { file, why } => Notice::new(format!("cannot read {file}: {}", trouble(why))),
        Fault::CannotWrite { file, why } => Notice::new(format!("cannot write {file}: {}", trouble(why))),
        Fault::NotACapture { file, looks_like } => {
            let headline = match looks_like {
                LooksLike::Empty => format!("{file} is empty"),
                other => format!("{file} is not a capture (it starts like {})", looks(*other)),
            };
            Notice::new(headline).line("expected: .pcapng, .pcap or .aperto")
        }
        Fault::Broken { file, at, packets } => {
            Notice::new(format!("{file} is cut off or damaged at octet {at}"))
                .line(format!("the {packets} packets before that are shown above"))
        }
        Fault::BadRecording { file, line, why } => {
            Notice::new(format!("{file}, line {line}, is not what aperto writes")).line(why.clone())
        }
        Fault::NotDelivered { delivered, of } => {
            Notice::new(format!("{delivered} of {of} bytes were delivered, and the connection says so"))
        }
        Fault::Endless { packets } => {
            Notice::new(format!("stopped after {packets} packets: it does not end"))
                .line("is the channel so bad that nothing gets through?")
        }
        other => Notice::new(other.code()),
    }
}

pub(super) fn trouble(why: &FileTrouble) -> String {
    match why {
        FileTrouble::Missing => "it does not exist".into(),
        FileTrouble::Denied => "not allowed".into(),
        FileTrouble::Folder => "it is a folder".into(),
        FileTrouble::TooLarge(most) => format!("{most} MiB is the most"),
        FileTrouble::Full => "the disk is full".into(),
        FileTrouble::Other(what) => what.clone(),
    }
}

fn with_nearest(notice: Notice, nearest: Option<&str>) -> Notice {
    match nearest {
        Some(word) => notice.line(format!("did you mean  {word}")),
        None => notice,
    }
}

fn refused(remote: core::net::SocketAddr, by: RefusedBy, same_machine: bool) -> Notice {
    let notice = Notice::new(format!("connection refused by {remote}"));
    let notice = match by {
        RefusedBy::Reset => {
            notice.ruled("nothing is listening there: the answer to the SYN was RST", Rule::tcp("3.5.2"))
        }
        RefusedBy::PortUnreachable => notice
            .ruled("nothing is listening there: \"port unreachable\" came back", Rule::Rfc(1122, "4.1.3.1")),
        RefusedBy::System => {
            notice.ruled("nothing is listening there (likely: the answer was RST)", Rule::tcp("3.5.2"))
        }
    };
    let port = remote.port();
    if same_machine {
        notice.line(format!("start the server first, in another terminal:   aperto server {port}"))
    } else {
        notice.line(format!("start the server there first:   aperto server {port} --lan"))
    }
}

fn no_effect(because: NoEffect) -> String {
    match because {
        NoEffect::NoChannelOfOurs => {
            "with --wire os the system's own sockets send; ours is the channel of sim, udp and tun".into()
        }
        NoEffect::OnlyTcp => "only TCP has it".into(),
        NoEffect::OnlyTextbook => "only saw, gbn and sr have it".into(),
        NoEffect::OnlyScene(scene) => format!("only this scene has it:  aperto demo {scene}"),
        NoEffect::NoPackets => {
            "the system's own sockets do not show their packets; use --wire udp or tun".into()
        }
        NoEffect::OnlyServer => "only a server has it".into(),
        NoEffect::OnlyRecorded => "only a recording has it".into(),
        NoEffect::OnlySimulated => "only the simulated wire has it".into(),
        NoEffect::OnlyBare => "only the command without a scene has it:  aperto -m TEXT --proto udp".into(),
        NoEffect::Needs(flag) => format!("it needs {flag}"),
    }
}

fn bad_quantity(flag: &str, value: &str, quantity: Quantity, why: BadQuantity) -> Notice {
    let example = match quantity {
        Quantity::Duration => "20ms, 1.5s or 300us",
        Quantity::Rate => "1mbit, 56kbit or 1.5gbit",
        Quantity::Share => "10% or 0.1%",
        Quantity::Size => "1000, 20k or 1m",
    };
    let number = value.rsplit(':').next().unwrap_or(value);
    match (why, quantity) {
        (BadQuantity::NoUnit, Quantity::Share) => {
            let percent = as_percent(number);
            Notice::new(format!("{flag} {value} has no unit: {percent} or {number}%?"))
                .line(format!("write  {flag} {percent}  or  {flag} {number}%"))
        }
        (BadQuantity::NoUnit, Quantity::Duration) => {
            Notice::new(format!("{flag} {value} has no unit: milliseconds or seconds?"))
                .line(format!("write  {flag} {number}ms  or  {flag} {number}s"))
        }
        (BadQuantity::NoUnit, _) => Notice::new(format!("{flag} {value} has no unit"))
            .line(format!("write for example  {flag} {number}kbit  or  {flag} {number}mbit")),
        (why, _) => {
            let what = match why {
                BadQuantity::NoUnit | BadQuantity::UnknownUnit => "has a unit that is not known",
                BadQuantity::NotANumber => "is not a number with a unit",
                BadQuantity::Negative => "is negative",
                BadQuantity::TooFine => "has too many digits",
                BadQuantity::TooLarge => "is too large",
                BadQuantity::Zero => "would never send anything",
            };
            Notice::new(format!("{flag} {value} {what}")).line(format!("write for example {example}"))
        }
    }
}

fn bad_pick(flag: &str, value: &str, why: &BadPick) -> Notice {
    let what = match why {
        BadPick::UnknownKind => "names no segment",
        BadPick::NotANumber => "has no number where one should be",
        BadPick::Zero => "counts from 0; segments are counted from 1",
        BadPick::Backwards => "runs backwards",
        BadPick::NoTime => "does not say how long",
        BadPick::ATime => "says how long; only --delay can",
    };
    let example = match why {
        BadPick::NoTime => "write for example  --delay data:2=300ms".into(),
        _ => format!("write for example  {flag} 4   {flag} 2,5-7   {flag} data:3   {flag} synack"),
    };
    Notice::new(format!("{flag} {value} {what}")).line(example)
}

fn looks(like: LooksLike) -> &'static str {
    match like {
        LooksLike::Empty => "nothing",
        LooksLike::Zip => "a zip file",
        LooksLike::Pdf => "a PDF",
        LooksLike::Picture => "a picture",
        LooksLike::Gzip => "a gzip file",
        LooksLike::Program => "a program",
        LooksLike::Text => "text",
        LooksLike::Unknown => "nothing known",
    }
}

/// `0.1` as a share: `10%`. What cannot be multiplied exactly stays as it is.
pub(super) fn as_percent(number: &str) -> String {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = String::from(whole);
    let mut shown = decimals.chars();
    digits.push(shown.next().unwrap_or('0'));
    digits.push(shown.next().unwrap_or('0'));
    let rest: String = shown.collect();
    let trimmed = digits.trim_start_matches('0');
    let percent = if trimmed.is_empty() { "0" } else { trimmed };
    if rest.is_empty() { format!("{percent}%") } else { format!("{percent}.{rest}%") }
}

/// A port to try instead.
pub(super) const fn next_port(port: u16) -> u16 {
    if port == u16::MAX { 7000 } else { port + 1 }
}
