//! What the program says beside the segments, in English.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::{Ended, Impaired, Saying, Wish};
use crate::Language;
use crate::quantity::{bytes, duration, milliseconds};

pub(super) fn saying(saying: &Saying) -> Vec<String> {
    around(saying).or_else(|| conversation(saying)).unwrap_or_else(|| results(saying))
}

/// Where it waits and who comes.
fn around(saying: &Saying) -> Option<Vec<String>> {
    let line = match saying {
        Saying::Listening { at } => format!("LISTEN  {at} · this machine only (other machines: add --lan)"),
        Saying::ListeningLan { at, addresses } if addresses.is_empty() => {
            format!("LISTEN  {at} · other machines may connect")
        }
        Saying::ListeningLan { at, addresses } => {
            format!("LISTEN  {at} · other machines may connect: {}", addresses.join(", "))
        }
        Saying::ListeningTun { at, device } => {
            return Some(vec![
                format!("LISTEN  {at} · through {device}, any program on this machine"),
                format!("next    in another terminal:  curl http://{at}    or  nc {} {}", at.ip(), at.port()),
            ]);
        }
        Saying::NextClient { host, port, flags } => {
            format!("next    in another terminal:  aperto client {host} {port}{flags}")
        }
        Saying::Opened { label, peer, connections, port } => {
            format!("{label} open with {peer} · {} · the server port stays {port}", count(*connections))
        }
        Saying::Ended { label, how, received, sent, connections } => {
            format!("{label} {} · {received} bytes in, {sent} out · {}", ended(*how), count(*connections))
        }
        Saying::TooMany { peer, limit } => {
            format!("refused {peer}: {limit} at once is the limit (--max-conns)")
        }
        Saying::Foreign { from, octets } => {
            format!("[IGNORED]   {} from {from} that are no segment of ours", bytes(*octets))
        }
        Saying::LikelyOpened => {
            "            likely: SYN; SYN,ACK; ACK (the system does not show them)".into()
        }
        Saying::LikelyClosed => "            likely: FIN,ACK and ACK from each side".into(),
        Saying::OsText { label, sent, octets, text } => {
            let what = if *sent { "[SENT]     " } else { "[RECEIVED] " };
            format!("{label}{what} {}{text}", bytes(*octets))
        }
        Saying::OnlyUnusual => "…  from here only what is unusual (all of it: --view lines)".into(),
        Saying::Interrupted => "interrupted".into(),
        _ => return None,
    };
    Some(vec![line])
}

/// What a client and whoever types is told.
fn conversation(saying: &Saying) -> Option<Vec<String>> {
    let line = match saying {
        Saying::HandshakeComplete { segments, own_port, server_port } => {
            format!(
                "[HANDSHAKE COMPLETE] {segments} segments · your port {own_port} · server port {server_port}"
            )
        }
        Saying::Connected { own_port, server_port } => {
            format!("[CONNECTED] your port {own_port} · server port {server_port}")
        }
        Saying::Type => "Type and press Enter. \"quit\" ends, \"/help\" shows the rest.".into(),
        Saying::ConnectionClosed { segments, lost, resent, sent } => {
            format!(
                "[CONNECTION CLOSED] {segments} segments, {lost} lost, {resent} resent · {sent} bytes sent"
            )
        }
        Saying::Closed { how, received, sent } => {
            format!("[CONNECTION {}] {sent} bytes sent, {received} received", ended(*how).to_uppercase())
        }
        Saying::Keep { client } => {
            let command = if *client { "client" } else { "server" };
            format!("Keep it?   aperto {command} ... -w conversation.pcapng")
        }
        Saying::Receipt { octets } => format!("got {}", bytes(*octets)),
        Saying::Wished { wish, segments } => {
            let which = match segments {
                1 => "the next segment that you send".to_string(),
                several => format!("the next {several} segments that you send"),
            };
            let what = match wish {
                Wish::Lose => "will be dropped by the channel".to_string(),
                Wish::HoldBack(by) => format!("will be {} late", duration(Language::English, *by)),
                Wish::Damage => "will be damaged by the channel".to_string(),
                Wish::Double => "will arrive twice".to_string(),
            };
            format!("            {which} {what}")
        }
        Saying::Calm => "            the channel does nothing to segments any more".into(),
        Saying::NoSuchSegment { number } => {
            format!("            there is no #{number}, or it is too long ago")
        }
        Saying::NotOurs { number } => {
            format!("            #{number} came from the other side; why, only it knows")
        }
        Saying::UnknownSlash { line } => format!("            {line} is no command; /help lists them"),
        Saying::NoChannel => "            with --wire os the channel is not ours".into(),
        Saying::Help => {
            return Some(
                [
                    "            quit            close (also sair, exit, Ctrl-D); \\quit says the word",
                    "            /drop [N]       lose the next segment, or N of them (/perder)",
                    "            /delay 300ms    hold it back (/atrasar)",
                    "            /corrupt, /dup  damage it, double it (/corromper, /duplicar)",
                    "            /normal         leave all alone again",
                    "            /why N          why was #N sent?",
                    "            /state          how is the connection? (/estado)",
                ]
                .map(String::from)
                .to_vec(),
            );
        }
        _ => return None,
    };
    Some(vec![line])
}

/// What came of it.
fn results(saying: &Saying) -> Vec<String> {
    let line = match saying {
        Saying::Hash { label, octets, sha256 } => {
            return vec![format!("{label}read {}", bytes(*octets)), format!("sha256 {sha256}")];
        }
        Saying::SavedAs { label, file, octets, sha256 } => {
            return vec![format!("{label}wrote {file} · {}", bytes(*octets)), format!("sha256 {sha256}")];
        }
        Saying::SentFile { file, octets, sha256 } => {
            return vec![format!("sent {file} · {}", bytes(*octets)), format!("sha256 {sha256}")];
        }
        Saying::Wrote { file, sent, arrived, comments } => {
            let comments = if *comments { " · each packet's comment has its reason" } else { "" };
            format!("wrote {file} · {sent} sent, {arrived} arrived{comments}")
        }
        Saying::OpenWith { file } => {
            format!("open    wireshark {file}        add a column with the field frame.comment")
        }
        Saying::Live => "live    aperto server 7000 -w - | wireshark -k -i -".into(),
        Saying::NoDatagramAnswer { after } => format!(
            "no answer after {}; UDP promises none, and does not know if anything arrived   RFC 768",
            duration(Language::English, *after)
        ),
        Saying::Delivered { octets, whole, segments, lost, resent } => {
            let hash = if *whole { "hash equal" } else { "not all of it" };
            format!(
                "{octets} bytes delivered, {hash} · {segments} data segments, {lost} lost, {resent} resent"
            )
        }
        Saying::Recovery { by_timer, by_acks, seed } => {
            format!("{by_timer} by timer (RTO), {by_acks} by three duplicate ACKs · luck: --seed {seed}")
        }
        Saying::Repeat { command } => format!("repeat: {command}"),
        Saying::Compared { octets, packets, rtt, timer, lost } => {
            let lost = match lost {
                Impaired::Nothing => "nothing lost".to_string(),
                Impaired::OnePacket(number) => format!("lost: the {} packet", ordinal(*number)),
                Impaired::Flags(flags) => flags.clone(),
            };
            let (rtt, timer) = (duration(Language::English, *rtt), duration(Language::English, *timer));
            format!("{octets} bytes in {packets} packets · RTT {rtt} · timer {timer} · {lost}")
        }
        Saying::TcpBesides { opening, initial_window, window } => {
            let opening = duration(Language::English, *opening);
            format!("* plus {opening} of opening; initial window of {initial_window} segments, not {window}")
        }
        Saying::UdpRead { text } => format!("UDP read: \"{text}\"       diagrams: --view ladder"),
        Saying::Diagrams => "diagrams: --view ladder".into(),
        Saying::SelectiveRepeatWould { sends, lasted } => {
            format!("SR would do {sends} in {}", milliseconds(Language::English, *lasted))
        }
        _ => String::new(),
    };
    vec![line]
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn count(connections: u64) -> String {
    if connections == 1 { "1 connection".into() } else { format!("{connections} connections") }
}

const fn ended(how: Ended) -> &'static str {
    match how {
        Ended::Closed => "closed",
        Ended::Reset => "reset",
        Ended::Silent => "silent",
        Ended::Unreachable => "unreachable",
        Ended::Aborted => "given up",
    }
}
