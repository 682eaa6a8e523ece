//! Handshakes told in text, in Portuguese.

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
    let who = match whose {
        Whose::Yours => "você".to_string(),
        Whose::Theirs(remote) => remote.to_string(),
    };
    match mistake {
        Mistake::Ack { got, of, used, right, slip } => {
            let of = counts(*of);
            match slip {
                AckSlip::ForgotPlusOne => {
                    format!("{who} reconheceu {got}; o {of} gastou esse número, então é {right}")
                }
                AckSlip::OwnNumber => format!(
                    "{who} reconheceu {got}, da própria contagem; o {of} do outro lado gastou {used}, então é {right}"
                ),
                AckSlip::OneTooMany => {
                    format!(
                        "{who} reconheceu {got}; um {of} gasta um número só: depois de {used} vem {right}"
                    )
                }
                AckSlip::Other => {
                    format!("{who} reconheceu {got}; o {of} gastou {used}, então o próximo é {right}")
                }
            }
        }
        Mistake::Seq { got, used, right, slip } => match slip {
            SeqSlip::ForgotPlusOne => {
                format!("{who} deu ao FIN o número {got}; o SYN gastou esse número, então é {right}")
            }
            SeqSlip::OtherSides => format!(
                "{who} deu ao FIN o número {got}, da contagem do outro lado; depois do SYN {used} vem {right}"
            ),
            SeqSlip::Other => {
                format!("{who} deu ao FIN o número {got}; o SYN gastou {used}, então o próximo é {right}")
            }
        },
        Mistake::WrongWord { got, expected } => format!("{who} escreveu \"{got}\" no lugar de {expected}"),
        Mistake::OutOfOrder { got, expected } => {
            format!("{who} escreveu \"{got}\" fora de ordem: agora é a vez de {expected}")
        }
        Mistake::NotANumber { got, expected } if got.is_empty() => {
            format!("{who} deixou de fora o número de {expected}")
        }
        Mistake::NotANumber { got, expected } => {
            format!("{who} escreveu \"{got}\", que não é um número, em {expected}")
        }
        Mistake::TooLarge { got } => format!("{who} escreveu {got}; o maior número é 4294967295 (32 bits)"),
        Mistake::TooLong { most } => format!("{who} escreveu uma mensagem de mais de {most} bytes"),
        Mistake::ClosedEarly { expected, got } => {
            format!("{who} fechou a conexão antes de mandar {expected}{}", partly(got))
        }
        Mistake::Silent { after, expected, got } => format!(
            "{who} não escreveu {expected} em {}{}",
            duration(Language::Portuguese, *after),
            partly(got)
        ),
        Mistake::TheyComplain { text } => format!("{who} diz: {text}"),
    }
}

fn partly(got: &str) -> String {
    if got.is_empty() { String::new() } else { format!("; só veio \"{got}\"") }
}

pub(super) fn advice(mistake: &Mistake) -> Option<&'static str> {
    match mistake {
        Mistake::Ack { .. } | Mistake::Seq { .. } => {
            Some("SYN e FIN gastam um número cada; um ACK diz o próximo que se espera")
        }
        Mistake::TooLarge { .. } => Some("números de sequência têm 32 bits; depois do maior vem o 0"),
        Mistake::WrongWord { .. } => Some("será que fala o outro? --text handshake, ou three-way"),
        Mistake::Silent { .. } => Some("mais tempo para cada mensagem:  --timeout 1m"),
        Mistake::TheyComplain { .. } => Some("o --text é o mesmo dos dois lados?"),
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
            let patience = duration(Language::Portuguese, *patience);
            let typed = format!("à mão   nc {} {}    e digite  {syn}", at.ip(), at.port());
            remarked(typed, &format!("({patience} por mensagem: --timeout)"))
        }
        Told::Message { label, sent, by, text, message } => {
            let tag = if *sent { "[ENVIADO]  " } else { "[RECEBIDO] " };
            remarked(format!("{label}{tag}{text}"), &arithmetic(*by, message))
        }
        Told::Complete { label, dialect, messages, firsts: [client, server] } => {
            let mut lines = wrap(
                &format!(
                    "{label}[HANDSHAKE COMPLETO] {messages} mensagens · cliente conta de {client}, servidor de {server}"
                ),
                super::COLUMNS,
            );
            if *dialect == Dialect::ThreeWay {
                lines.push(format!("{label}CONNECTION ESTABLISHED!"));
            }
            lines
        }
        Told::Over { label, messages } => {
            vec![format!("{label}[CONEXÃO ENCERRADA] {messages} mensagens, todos os números certos")]
        }
        Told::Wrong { label, wrong } => {
            let says = mistake(&wrong.mistake, Whose::Theirs(wrong.remote));
            let tag = match wrong.mistake {
                Mistake::Silent { .. } => "[TIMEOUT]",
                _ => "[ERRADO]",
            };
            wrap(&format!("{label}{tag} {says}"), super::COLUMNS)
        }
    }
}

fn arithmetic(by: Role, message: &Message) -> String {
    let who = match by {
        Role::Client => "cliente",
        Role::Server => "servidor",
    };
    match message {
        Message::Syn { seq } => format!("o {who} conta a partir de {seq}"),
        Message::SynAck { seq, ack } => {
            format!("{} + 1 = {ack}; {who} conta de {seq}", before(*ack))
        }
        Message::Ack { ack, of } => {
            let used = before(*ack);
            format!("o {} gastou {used}: {used} + 1 = {ack}", counts(*of))
        }
        Message::Fin { seq } => format!("fim do lado do {who}; o FIN gasta {seq}"),
    }
}

const fn counts(of: Counts) -> &'static str {
    match of {
        Counts::Syn => "SYN",
        Counts::Fin => "FIN",
    }
}
