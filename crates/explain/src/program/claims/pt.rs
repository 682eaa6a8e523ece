//! What `check` says of claims, in Portuguese.

use alloc::format;
use alloc::string::{String, ToString};

use aperto_trace::check::{Claim, Evidence, Fault, Side, Verdict, What};

use super::{answered, check, cut, numbers, time};
use crate::Language;

/// What is wrong with a claim.
pub(super) fn fault(fault: &Fault) -> String {
    let found = |found: &Option<String>| match found {
        Some(word) => format!("e não {}", cut(word, 30)),
        None => "e não há nada".into(),
    };
    match fault {
        Fault::UnknownClaim { found } => format!("não há afirmação {}", cut(found, 30)),
        Fault::Expected { words, found: there } => format!("espera-se {}, {}", words.join("|"), found(there)),
        Fault::NotANumber { found: there } => {
            format!("espera-se um número, 1..3 ou <= 2, {}", found(there))
        }
        Fault::NotATime { found: there } => format!("espera-se um tempo como 10ms ou 1.5s, {}", found(there)),
        Fault::NotAText { found: there } => format!("espera-se um texto entre \"aspas\", {}", found(there)),
        Fault::OpenQuote => "falta fechar um \"".into(),
        Fault::EmptyRange { found } => format!("{} não contém nenhum número", cut(found, 30)),
        Fault::TooMuch { found } => format!("{} é uma palavra a mais", cut(found, 30)),
        Fault::TooLong => format!("mais de {} letras", check::MOST_LETTERS),
        Fault::TooMany => format!("mais de {} afirmações", check::MOST_CLAIMS),
        Fault::Nothing => "não há nenhuma afirmação no arquivo".into(),
    }
}

/// What was found.
pub(super) fn evidence(claim: &Claim, verdict: &Verdict) -> String {
    let packets = &verdict.packets;
    match verdict.evidence {
        Evidence::NoStream(all) => format!("não há fluxo {}: existem {all}", claim.stream),
        Evidence::NotTcp => "este fluxo não é TCP".into(),
        Evidence::Nothing => match &claim.what {
            What::Handshake(_) if packets.is_empty() => "nenhum SYN foi visto".into(),
            What::Handshake(_) => format!("{} e não todos os três", numbers(packets, 0)),
            What::ClosedFirst(_) => "nenhum FIN foi visto".into(),
            What::State(..) => "nunca alcançado".into(),
            What::Delivered { .. } => "não está no que chegou".into(),
            _ => "nada foi encontrado".into(),
        },
        Evidence::Packets => numbers(packets, 0),
        Evidence::Answered(took) => answered(Language::Portuguese, packets, took),
        Evidence::Unanswered => format!("{}, nunca respondido", numbers(packets, 0)),
        Evidence::NeverSaid => "aquilo a que responde nunca foi dito".into(),
        Evidence::Closed(_, flags, port) => format!("{} {flags} da porta {port}", numbers(packets, 0)),
        Evidence::CloseSegments(_, _) if verdict.holds => numbers(packets, 0),
        Evidence::CloseSegments(0, _) => "nenhum: não se viu FIN".into(),
        Evidence::CloseSegments(found, shared) => {
            let mut text = format!("foram {found}: {}", numbers(packets, 0));
            if let Some((side, number)) = shared {
                text.push_str(&format!(". O ACK e o FIN do {} dividem o {number}", side_name(side)));
            }
            text
        }
        Evidence::Traffic(own, all) if own == all => format!("{own} de {all} pacotes"),
        Evidence::Traffic(own, all) => {
            format!("{own} de {all} pacotes; outros: {}", numbers(packets, all - own))
        }
        Evidence::Count(0) => "nenhum".into(),
        Evidence::Count(found) if packets.is_empty() => format!("foram {found}"),
        Evidence::Count(found) => format!("foram {found}: {}", numbers(packets, found)),
        Evidence::Port(port) => format!("é {port}"),
        Evidence::Isn(client, server) => {
            let told = |number: Option<u32>| number.map_or("não visto".into(), |number| number.to_string());
            format!("{}, {}", told(client), told(server))
        }
        Evidence::Lasted(lasted) => time(Language::Portuguese, lasted),
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Client => "cliente",
        Side::Server => "servidor",
    }
}
