//! Handshakes told in text, in English.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use aperto_app::text::{AckSlip, Counts, Dialect, Message, Mistake, Role, SeqSlip};

use super::{Told, Whose, before, remarked};
use crate::Language;
use crate::quantity::duration;
use crate::wording::wrap;

pub(super) fn mistake(mistake: &Mistake, whose: Whose) -> String {
    let (who, own) = match whose {
        Whose::Yours => ("you".to_string(), "your"),
        Whose::Theirs(remote) => (remote.to_string(), "its"),
    };
    match mistake {
        Mistake::Ack { got, of, used, right, slip } => {
            let of = counts(*of);
            match slip {
                AckSlip::ForgotPlusOne => {
                    format!("{who} acknowledged {got}; the {of} used that number, so it is {right}")
                }
                AckSlip::OwnNumber => format!(
                    "{who} acknowledged {got}, {own} own count; the other side's {of} used {used}, so it is {right}"
                ),
                AckSlip::OneTooMany => {
                    format!(
                        "{who} acknowledged {got}; a {of} uses one number only: after {used} comes {right}"
                    )
                }
                AckSlip::Other => {
                    format!("{who} acknowledged {got}; the {of} used {used}, so the next is {right}")
                }
            }
        }
        Mistake::Seq { got, used, right, slip } => match slip {
            SeqSlip::ForgotPlusOne => {
                format!("{who} gave the FIN number {got}; the SYN used that number, so it is {right}")
            }
            SeqSlip::OtherSides => format!(
                "{who} gave the FIN number {got}, the other side's count; after {own} SYN, {used}, comes {right}"
            ),
            SeqSlip::Other => {
                format!("{who} gave the FIN number {got}; the SYN used {used}, so the next is {right}")
            }
        },
        Mistake::WrongWord { got, expected } => format!("{who} wrote \"{got}\" where {expected} should be"),
        Mistake::OutOfOrder { got, expected } => {
            format!("{who} wrote \"{got}\" out of order: now it is the turn of {expected}")
        }
        Mistake::NotANumber { got, expected } if got.is_empty() => {
            format!("{who} left out the number of {expected}")
        }
        Mistake::NotANumber { got, expected } => {
            format!("{who} wrote \"{got}\", which is no number, in {expected}")
        }
        Mistake::TooLarge { got } => format!("{who} wrote {got}; the largest number is 4294967295 (32 bits)"),
        Mistake::TooLong { most } => format!("{who} wrote a message of more than {most} bytes"),
        Mistake::ClosedEarly { expected, got } => {
            format!("{who} closed the connection before {expected} was there{}", partly(got))
        }
        Mistake::Silent { after, expected, got } => format!(
            "{who} did not write {expected} within {}{}",
            duration(Language::English, *after),
            partly(got)
        ),
        Mistake::TheyComplain { text } => format!("{who} says: {text}"),
    }
}

fn partly(got: &str) -> String {
    if got.is_empty() { String::new() } else { format!("; only \"{got}\" came") }
}

pub(super) fn advice(mistake: &Mistake) -> Option<&'static str> {
    match mistake {
        Mistake::Ack { .. } | Mistake::Seq { .. } => {
            Some("SYN and FIN use up one number each; an ACK names the next one that is expected")
        }
        Mistake::TooLarge { .. } => Some("sequence numbers have 32 bits and go on at 0 after the largest"),
        Mistake::WrongWord { .. } => Some("does it speak the other one? --text handshake, or three-way"),
        Mistake::Silent { .. } => Some("more time for each message:  --timeout 1m"),
        Mistake::TheyComplain { .. } => Some("is --text the same on both sides?"),
        Mistake::OutOfOrder { .. }
        | Mistake::NotANumber { .. }
        | Mistake::TooLong { .. }
        | Mistake::ClosedEarly { .. } => None,
    }
}

pub(super) fn told(told: &Told) -> Vec<String> {
    match told {
        Told::ByHand { at, dialect, first, patience } => {
            let syn = match dialect {
                Dialect::Handshake => format!("SYN:{first}"),
                Dialect::ThreeWay => format!("SYN/seq={first}"),
            };
            let patience = duration(Language::English, *patience);
            let typed = format!("by hand nc {} {}    and type  {syn}", at.ip(), at.port());
            remarked(typed, &format!("({patience} a message: --timeout)"))
        }
        Told::Message { label, sent, by, text, message } => {
            let tag = if *sent { "[SENT]     " } else { "[RECEIVED] " };
            remarked(format!("{label}{tag}{text}"), &arithmetic(*by, message))
        }
        Told::Complete { label, dialect, messages, firsts: [client, server] } => {
            let mut lines = wrap(
                &format!(
                    "{label}[HANDSHAKE COMPLETE] {messages} messages · client counts from {client}, server from {server}"
                ),
                super::COLUMNS,
            );
            if *dialect == Dialect::ThreeWay {
                lines.push(format!("{label}CONNECTION ESTABLISHED!"));
            }
            lines
        }
        Told::Over { label, messages } => {
            vec![format!("{label}[CONNECTION CLOSED] {messages} messages, every number right")]
        }
        Told::Wrong { label, wrong } => {
            let says = mistake(&wrong.mistake, Whose::Theirs(wrong.remote));
            let tag = match wrong.mistake {
                Mistake::Silent { .. } => "[TIMEOUT]",
                _ => "[WRONG]",
            };
            wrap(&format!("{label}{tag} {says}"), super::COLUMNS)
        }
    }
}

fn arithmetic(by: Role, message: &Message) -> String {
    let who = match by {
        Role::Client => "client",
        Role::Server => "server",
    };
    match message {
        Message::Syn { seq } => format!("the {who} counts from {seq}"),
        Message::SynAck { seq, ack } => format!("{} + 1 = {ack}; {who} counts from {seq}", before(*ack)),
        Message::Ack { ack, of } => {
            let used = before(*ack);
            format!("the {} used {used}: {used} + 1 = {ack}", counts(*of))
        }
        Message::Fin { seq } => format!("no more from the {who}; the FIN takes {seq}"),
    }
}

const fn counts(of: Counts) -> &'static str {
    match of {
        Counts::Syn => "SYN",
        Counts::Fin => "FIN",
    }
}
