//! What `check` says of claims, in English.

use alloc::format;
use alloc::string::{String, ToString};

use aperto_trace::check::{Claim, Evidence, Fault, Side, Verdict, What};

use super::{answered, check, cut, numbers, time};
use crate::Language;

/// What is wrong with a claim.
pub(super) fn fault(fault: &Fault) -> String {
    let found = |found: &Option<String>| match found {
        Some(word) => format!("and not {}", cut(word, 30)),
        None => "and nothing is there".into(),
    };
    match fault {
        Fault::UnknownClaim { found } => format!("there is no claim {}", cut(found, 30)),
        Fault::Expected { words, found: there } => {
            format!("{} is expected, {}", words.join("|"), found(there))
        }
        Fault::NotANumber { found: there } => {
            format!("a number, 1..3 or <= 2 is expected, {}", found(there))
        }
        Fault::NotATime { found: there } => {
            format!("a time such as 10ms or 1.5s is expected, {}", found(there))
        }
        Fault::NotAText { found: there } => format!("a text in \"quotes\" is expected, {}", found(there)),
        Fault::OpenQuote => "a \" is not closed".into(),
        Fault::EmptyRange { found } => format!("{} holds no number", cut(found, 30)),
        Fault::TooMuch { found } => format!("{} is one word too many", cut(found, 30)),
        Fault::TooLong => format!("longer than {} letters", check::MOST_LETTERS),
        Fault::TooMany => format!("more than {} claims", check::MOST_CLAIMS),
        Fault::Nothing => "there is no claim in it".into(),
    }
}

/// What was found.
pub(super) fn evidence(claim: &Claim, verdict: &Verdict) -> String {
    let packets = &verdict.packets;
    match verdict.evidence {
        Evidence::NoStream(all) => format!("there is no stream {}: {all} are there", claim.stream),
        Evidence::NotTcp => "this stream is not TCP".into(),
        Evidence::Nothing => match &claim.what {
            What::Handshake(_) if packets.is_empty() => "no SYN was seen".into(),
            What::Handshake(_) => format!("{} and not all three of it", numbers(packets, 0)),
            What::ClosedFirst(_) => "no FIN was seen".into(),
            What::State(..) => "never reached".into(),
            What::Delivered { .. } => "it is not in what arrived".into(),
            _ => "nothing was found".into(),
        },
        Evidence::Packets => numbers(packets, 0),
        Evidence::Answered(took) => answered(Language::English, packets, took),
        Evidence::Unanswered => format!("{}, never answered", numbers(packets, 0)),
        Evidence::NeverSaid => "what it answers was never said".into(),
        Evidence::Closed(_, flags, port) => format!("{} {flags} from port {port}", numbers(packets, 0)),
        Evidence::CloseSegments(_, _) if verdict.holds => numbers(packets, 0),
        Evidence::CloseSegments(0, _) => "found none: no FIN was seen".into(),
        Evidence::CloseSegments(found, shared) => {
            let mut text = format!("found {found}: {}", numbers(packets, 0));
            if let Some((side, number)) = shared {
                text.push_str(&format!(". The {}'s ACK and FIN share {number}", side_name(side)));
            }
            text
        }
        Evidence::Traffic(own, all) if own == all => format!("{own} of {all} packets"),
        Evidence::Traffic(own, all) => {
            format!("{own} of {all} packets; others: {}", numbers(packets, all - own))
        }
        Evidence::Count(0) => "found none".into(),
        Evidence::Count(found) if packets.is_empty() => format!("found {found}"),
        Evidence::Count(found) => format!("found {found}: {}", numbers(packets, found)),
        Evidence::Port(port) => format!("it is {port}"),
        Evidence::Isn(client, server) => {
            let told = |number: Option<u32>| number.map_or("not seen".into(), |number| number.to_string());
            format!("{}, {}", told(client), told(server))
        }
        Evidence::Lasted(lasted) => time(Language::English, lasted),
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}
