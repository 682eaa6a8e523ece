//! Secrecy, in English.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::Notice;
use super::super::en::trouble;
use super::{Believed, SecureFault, SecureSaying};
use crate::Language;
use crate::quantity::{bytes, duration};
use crate::rule::Rule;
use crate::wording::wrap;

pub(super) fn fault(fault: &SecureFault) -> Notice {
    handshake(fault).or_else(|| broken(fault)).or_else(|| keys(fault)).unwrap_or_else(|| files(fault))
}

/// Whom we spoke to; none for any other fault.
fn handshake(fault: &SecureFault) -> Option<Notice> {
    let notice = match fault {
        SecureFault::PlainServer { remote, echoed } => {
            let what = if *echoed { "sent our ClientHello back" } else { "answered in plain text" };
            Notice::new(format!("{remote} {what}: it does not speak TLS"))
                .line("you asked for --secure, so nothing of yours was sent, only the hello of TLS")
                .line("start that server with --secure, or this client without it: then anybody on the way reads along")
        }
        SecureFault::PlainClient { remote } => Notice::new(format!("{remote} speaks in plain text"))
            .line("it was told so; this server takes nothing that anybody on the way could read"),
        SecureFault::SpeaksTls { remote } => {
            Notice::new(format!("{remote} wants TLS, and you spoke in plain"))
                .line("say the same with --secure, or use the address aperto://… that the server printed")
        }
        SecureFault::OldTls { remote } => Notice::new(format!("{remote} does not speak TLS 1.3"))
            .ruled(
                "older versions are not spoken here: nobody can talk us down to them",
                Rule::Rfc(8446, "4.2.1"),
            )
            .line("the other program needs TLS 1.3: OpenSSL has it since 1.1.1"),
        SecureFault::NoHandshake { remote, after } => {
            let after = duration(Language::English, *after);
            Notice::new(format!("no TLS handshake with {remote} in {after}"))
                .line("it took the connection and does not answer the hello: does it speak TLS at all?")
        }
        SecureFault::WrongService { remote } => {
            Notice::new(format!("{remote} has another service than you mean"))
                .ruled(
                    "the service is named in the handshake (ALPN), and none was in common",
                    Rule::Rfc(7301, "3.2"),
                )
                .line("openssl s_server needs:  -alpn aperto-echo/1")
        }
        SecureFault::ClientNamesNoService { remote, service } => {
            Notice::new(format!("{remote} does not name the service {service}"))
                .ruled(
                    "without the name (ALPN) another service could answer for this one",
                    Rule::Rfc(7301, "3.2"),
                )
                .line(format!("openssl s_client needs:  -alpn {service}"))
        }
        _ => return None,
    };
    Some(notice)
}

/// What became of a conversation; none for any other fault.
fn broken(fault: &SecureFault) -> Option<Notice> {
    let notice = match fault {
        SecureFault::CutOff { remote, received } => {
            Notice::new(format!("{remote} ended without saying so: cut off after {}", bytes(*received)))
                .ruled(
                    "TLS ends with close_notify; without it what came may not be all",
                    Rule::Rfc(8446, "6.1"),
                )
                .line("the other program broke off, or somebody on the way cut the connection")
        }
        SecureFault::Tampered { remote, received } => {
            Notice::new(format!("a record from {remote} was changed on its way, or forged"))
                .ruled(
                    "its tag does not fit: it was thrown away, and the connection with it",
                    Rule::Rfc(8446, "5.2"),
                )
                .line(format!(
                    "the {} before it are sound; say the rest again on a new connection",
                    bytes(*received)
                ))
        }
        SecureFault::Alert { remote, alert } => {
            Notice::new(format!("{remote} ended the secure connection: {alert}"))
                .ruled("it sent this alert; it found something wrong with our side", Rule::Rfc(8446, "6.2"))
        }
        SecureFault::BrokenRules { remote, what } => {
            Notice::new(format!("{remote} breaks the rules of TLS 1.3")).line(what.clone())
        }
        SecureFault::Crowded { remote, most } => {
            Notice::new(format!("{remote} was turned away: {most} handshakes go on already"))
        }
        _ => return None,
    };
    Some(notice)
}

/// Whose key it is; none for any other fault.
fn keys(fault: &SecureFault) -> Option<Notice> {
    let notice = match fault {
        SecureFault::ChangedKey { server, file, line, known, seen } => {
            Notice::new(format!("the key of {server} has changed; nothing was sent"))
                .line(format!("known: {known}"))
                .line(format!("shown: {seen}"))
                .line("either the server made a new key, or somebody else answers in its place")
                .line("ask whoever runs it to read you the words of:  aperto key show")
                .line(format!("if it is right:  aperto key forget {server}    (line {line} of {file})"))
        }
        SecureFault::WrongPin { server, wanted, seen } => {
            Notice::new(format!("{server} does not have the key that its address names; nothing was sent"))
                .line(format!("wanted: {wanted}"))
                .line(format!("shown:  {seen}"))
                .line("the address is old or of another server, or somebody else answers in its place")
        }
        SecureFault::BadPin { value } => Notice::new(format!("{value} is not the name of a key"))
            .line("it has 26 letters from a to z and 2 to 7, as in  aperto://192.0.2.7:7000/#k7qf-2m5x-…")
            .line("copy the whole address that the server printed"),
        SecureFault::BadAddress { value } => Notice::new(format!("{value} is not an address of ours"))
            .line("write it as the server printed it:  aperto://192.0.2.7:7000/#k7qf-2m5x-…"),
        SecureFault::NotKnown { server, file } => Notice::new(format!("nothing is known of {server}"))
            .line(format!("the servers that are known stand in {file}, with their ports")),
        SecureFault::NoKey { file } => Notice::new(format!("there is no key yet ({file})"))
            .line("the first  aperto server --secure  makes one, or now:  aperto key new"),
        _ => return None,
    };
    Some(notice)
}

/// Files and the machine.
fn files(fault: &SecureFault) -> Notice {
    match fault {
        SecureFault::OpenFile { file, mode } => {
            Notice::new(format!("others than you can read {file} (mode {mode:o})"))
                .line("a secret that others can read is none")
                .line(format!("close it:  chmod 600 {file}    or make a new key:  aperto key new"))
        }
        SecureFault::DamagedFile { file, line } => {
            Notice::new(format!("{file} is damaged (line {line}); nothing in it is believed"))
                .line("mend the line, or put the file away: it is made again when it is needed")
        }
        SecureFault::BadFile { file, why } => Notice::new(format!("{file}: {}", trouble(why))),
        SecureFault::NoHome => Notice::new("nobody says where your keys belong: HOME is not set")
            .line("name a folder:  APERTO_HOME=./keys aperto server --secure"),
        SecureFault::System { what } => Notice::new(format!("TLS cannot be spoken here: {what}")),
        _ => Notice::new(String::new()),
    }
}

pub(super) fn saying(saying: &SecureSaying) -> Vec<String> {
    let line = match saying {
        SecureSaying::Serving { service, fingerprint, words, made } => {
            let mut lines = vec![
                format!("secure  TLS 1.3 only · service {service}"),
                format!("key     {fingerprint}"),
                format!("words   {words}   (60 of its 130 bits, to read aloud)"),
            ];
            if let Some(file) = made {
                lines.push(format!("made    {file}, for this machine, readable by you only"));
            }
            return lines;
        }
        SecureSaying::NextClient { address, flags } => {
            return vec![
                "next    in another terminal; the address names the key: nobody else can answer".into(),
                format!("aperto client {address}{flags}"),
            ];
        }
        SecureSaying::OtherMachine { file } => {
            return vec![
                format!("warning: the key in {file} was made on another machine;"),
                "two servers with one key cannot be told apart. One of its own:  aperto key new".into(),
            ];
        }
        SecureSaying::HelloInPlain => {
            "[TLS]       ClientHello, in plain: version, suites and service can be read".into()
        }
        SecureSaying::HelloAnswered => {
            "[TLS]       ServerHello, in plain; all after it is encrypted, its key as well".into()
        }
        SecureSaying::Secured { label, suite, group, service } => {
            return vec![
                format!("{label}[ENCRYPTED] TLS 1.3 · {group} · {suite}"),
                format!("{label}            service {service} · the text cannot be read on the way"),
            ];
        }
        SecureSaying::Key { fingerprint, words, believed } => return key(fingerprint, words, believed),
        SecureSaying::Listener => {
            "[TLS]       a listener still sees lengths, times, addresses and ports".into()
        }
        SecureSaying::NotSecured { label, fault } => return not_secured(label, fault),
        SecureSaying::Partial { label, file, octets } => {
            format!("{label}{} came before it broke off, kept in {file}", bytes(*octets))
        }
        SecureSaying::LooksLikeTls { label } => {
            return vec![
                format!("{label}[TLS?]      this looks like a ClientHello: the client asked for --secure,"),
                "            and this server speaks in plain. Start it with --secure, too.".into(),
            ];
        }
        SecureSaying::PlainHint => {
            "this port speaks TLS 1.3 only: use aperto client --secure, or openssl s_client".into()
        }
        _ => return own_keys(saying),
    };
    vec![line]
}

/// Of keys that are our own, and of those that are known.
fn own_keys(saying: &SecureSaying) -> Vec<String> {
    match saying {
        SecureSaying::KeyLogOn { file } | SecureSaying::KeysInRecording { file } => vec![
            "[KEYS]      the secrets of this run are written down: whoever has them reads all".into(),
            format!("            {file}"),
        ],
        SecureSaying::KeyShown { fingerprint, words, key, certificate, openssl } => vec![
            format!("key     {fingerprint}"),
            format!("words   {words}   (60 of its 130 bits, to read aloud)"),
            format!("secret  {key}   (yours alone)"),
            format!("public  {certificate}   (give it to whom you like)"),
            "check   with another program; first:  aperto server --secure --echo --wire os".into(),
            openssl.clone(),
        ],
        SecureSaying::KeyMade { old: None } => vec!["a key was made".into()],
        SecureSaying::KeyMade { old: Some(old) } => vec![
            format!("a new key was made; the old one is kept in {old}"),
            "clients that know the old one will stop with exit 3 until they forget it:".into(),
            "aperto key forget HOST:PORT".into(),
        ],
        SecureSaying::Forgotten { server, file } => {
            vec![format!("forgot {server}; the next key that it shows will be believed"), format!("({file})")]
        }
        _ => Vec::new(),
    }
}

fn key(fingerprint: &str, words: &str, believed: &Believed) -> Vec<String> {
    let mut lines = vec![format!("[KEY]       {fingerprint}")];
    match believed {
        Believed::Pinned => lines.push("            the key that the address names".into()),
        Believed::Known(file) => lines.push(format!("            the same as before ({file})")),
        Believed::FirstSeen(file) => {
            lines.push("            seen for the first time, and believed from now on:".into());
            lines.push(format!("            {file}"));
            lines.push("            is it right? have whoever runs the server read its words to you:".into());
            lines.push(format!("            {words}"));
        }
    }
    lines
}

fn not_secured(label: &str, what: &SecureFault) -> Vec<String> {
    let notice = fault(what);
    let tag = match what {
        SecureFault::CutOff { .. } | SecureFault::Tampered { .. } => "[BROKEN OFF]",
        _ => "[NOT SECURED]",
    };
    let mut lines = wrap(&format!("{label}{tag} {}", notice.headline), 80);
    for (text, _) in &notice.details {
        lines.extend(wrap(text, 68).iter().map(|line| format!("            {line}")));
    }
    lines
}
