//! The textbook protocols, in Portuguese.

use alloc::format;
use alloc::string::String;

use aperto_arq::reason::{Came, DeliveredFrom, GroupEnd};
use aperto_arq::{Discard, Kind, Note, Protocol, Reason, Timer};
use aperto_time::Duration;

use crate::quantity::{bytes, milliseconds};
use crate::text::ArqContext;
use crate::{Language, Wording};

fn ms(duration: Duration) -> String {
    milliseconds(Language::Portuguese, duration)
}

/// The short name of a protocol, as it begins a sentence.
fn name(protocol: Option<Protocol>) -> &'static str {
    match protocol {
        Some(Protocol::StopAndWait) => "para e espera",
        Some(Protocol::GoBackN) => "GBN",
        Some(Protocol::SelectiveRepeat) => "SR",
        None => "ele",
    }
}

pub(crate) fn reason(reason: &Reason, context: &ArqContext) -> Wording {
    match reason {
        Reason::FirstTransmission { window } => {
            Wording::one(format!("novo, e cabe na janela de {} a {}", window.base, window.last))
        }
        Reason::TimerExpired { waited, retry, max_retries } => {
            Wording::one(format!("sem ACK há {}: reenvia só este ({retry} de {max_retries})", ms(*waited)))
                .or(format!("sem ACK há {}: reenvia só este", ms(*waited)))
        }
        Reason::WentBackOnTimer { base, position, outstanding, .. } => {
            Wording::one(format!("voltou ao {base}: reenvia {position} de {outstanding}"))
        }
        Reason::AskedForAgain => Wording::one("um NACK pediu exatamente este"),
        Reason::WentBackOnNack { base, position, outstanding } => {
            Wording::one(format!("NACK {base}: reenvia {position} de {outstanding}"))
        }
        Reason::Delivered => Wording::one("chegou em ordem e foi entregue"),
        Reason::Buffered { expected } => {
            Wording::one(format!("chegou adiantado: guarda até vir o {expected}; reconhece só ele"))
        }
        Reason::AlreadyDelivered { .. } => {
            Wording::one("veio outra vez: talvez o primeiro ACK se perdeu; reconhece de novo")
        }
        Reason::RepeatsLastInOrder { came, .. } => match (came, context.protocol) {
            (Came::Damaged, _) => Wording::one("o que chegou veio corrompido: repete o último em ordem"),
            (Came::OutOfOrder(_) | Came::Duplicate(_), Some(Protocol::GoBackN)) => {
                Wording::one("repete o último em ordem: é só isso que o ACK do GBN diz")
            }
            (Came::OutOfOrder(_) | Came::Duplicate(_), _) => Wording::one("repete o último em ordem"),
        },
        Reason::GroupComplete { packets, why } => Wording::one(match why {
            GroupEnd::Full => format!("o grupo de {packets} está completo: um só ACK para todos"),
            GroupEnd::EndOfMessage => format!("fim da mensagem: um só ACK para os últimos {packets}"),
            GroupEnd::GapFilled => format!("lacuna preenchida: um só ACK para {packets}"),
        }),
        Reason::Missing { got } => Wording::one(format!("chegou o {got}, então falta este: pede de novo")),
        Reason::Damaged => Wording::one("um pacote veio corrompido, talvez este: pede de novo"),
    }
}

pub(crate) fn long(reason: &Reason) -> String {
    match reason {
        Reason::FirstTransmission { window } => format!(
            "Este pacote é enviado pela primeira vez. A janela é o que pode estar a caminho sem reconhecimento: \
             de {} a {}. Quando o mais antigo é reconhecido, a janela desliza e o próximo pacote pode sair.",
            window.base, window.last
        ),
        Reason::TimerExpired { .. } => "Cada pacote a caminho tem o seu temporizador. O deste estourou sem \
            reconhecimento, então só ele é reenviado: os outros podem muito bem ter chegado."
            .into(),
        Reason::WentBackOnTimer { outstanding, .. } => format!(
            "O Go-Back-N tem um só temporizador, o do pacote mais antigo sem reconhecimento. Quando ele estoura, \
             todos os {outstanding} pacotes a caminho são reenviados, até os que tinham chegado: o destinatário \
             não guarda nada fora de ordem e já os jogou fora."
        ),
        Reason::AskedForAgain => {
            "O destinatário percebeu o que falta e pediu pelo número (NACK). É mais rápido \
            do que esperar o temporizador."
                .into()
        }
        Reason::WentBackOnNack { .. } => {
            "O destinatário disse qual pacote falta. O Go-Back-N reenvia esse e \
            todos os que vieram depois, porque o destinatário não guardou nenhum deles."
                .into()
        }
        Reason::Delivered => "O pacote chegou em ordem, e os dados foram logo para a aplicação. O ACK diz o \
            número dele ao remetente."
            .into(),
        Reason::Buffered { expected } => format!(
            "O pacote chegou antes do {expected}, que ainda falta. A repetição seletiva o guarda e reconhece só \
             ele; a aplicação o recebe quando a lacuna for preenchida."
        ),
        Reason::AlreadyDelivered { .. } => {
            "O pacote já tinha sido entregue e veio outra vez: o remetente não \
            deve ter recebido o nosso ACK. Se ficássemos calados, ele reenviaria para sempre."
                .into()
        }
        Reason::RepeatsLastInOrder { expected, .. } => format!(
            "O destinatário espera o pacote {expected} e recebeu outra coisa. Joga fora o que veio e repete o ACK \
             do último em ordem. O remetente fica sabendo que nada de novo chegou em ordem."
        ),
        Reason::GroupComplete { .. } => {
            "Um só reconhecimento vale para um grupo inteiro de pacotes. Viajam menos \
            ACKs; em troca, a perda de um deles custa mais."
                .into()
        }
        Reason::Missing { .. } => {
            "Chegou um pacote posterior; num canal que mantém a ordem, este se perdeu. O \
            NACK o pede sem esperar o temporizador do remetente."
                .into()
        }
        Reason::Damaged => "A soma de verificação não confere, então nada no pacote merece confiança, nem o \
            número. O destinatário pede o que ele esperava."
            .into(),
    }
}

pub(crate) fn discard(discard: &Discard, context: &ArqContext) -> Wording {
    match discard {
        Discard::OutOfOrder { expected, got } => Wording::one(format!(
            "chegou o {got}, esperava o {expected}: {} não guarda fora de ordem",
            name(context.protocol)
        ))
        .or(format!("chegou o {got}, esperava o {expected}: não é guardado")),
        Discard::Duplicate { expected, got } => {
            Wording::one(format!("o {got} já tinha chegado; novo seria o {expected}"))
        }
        Discard::OutsideWindow { expected, got } => {
            Wording::one(format!("o {got} está fora da janela, que começa no {expected}"))
        }
        Discard::Damaged(_) => Wording::one("corrompido: a soma de verificação não confere; nada vale"),
        Discard::TooLong { octets, largest } => {
            Wording::one(format!("{octets} bytes é mais que os {largest} combinados"))
        }
        Discard::NoRoom { unread } => {
            Wording::one(format!("sem espaço: {unread} pacotes esperam pela aplicação"))
        }
        Discard::WrongKind(kind) => Wording::one(match kind {
            Kind::Data => "DATA não faz sentido no remetente",
            Kind::Ack => "ACK não faz sentido no destinatário",
            Kind::Nack => "NACK não faz sentido no destinatário",
            Kind::GroupAck => "GROUP ACK não faz sentido no destinatário",
        }),
    }
}

pub(crate) fn note(note: &Note, context: &ArqContext) -> Wording {
    match note {
        Note::WindowMoved { window, .. } => {
            Wording::one(format!("a janela desliza: de {} a {}", window.base, window.last))
        }
        Note::MarkedAcknowledged { sequence, base } => {
            Wording::one(format!("{sequence} reconhecido; a janela fica parada, falta o {base}"))
        }
        Note::AcknowledgementIgnored { sequence, .. } => {
            Wording::one(format!("ACK {sequence} não diz nada de novo: ignorado"))
        }
        Note::NackIgnored { sequence, .. } => {
            Wording::one(format!("NACK {sequence} já foi atendido: ignorado"))
        }
        Note::NackHeard { sequence } => Wording::one(format!("NACK {sequence}: será reenviado")),
        Note::TimerStarted { timer, .. } => Wording::one(format!("timer {} ligado", of(*timer))),
        Note::TimerStopped { timer } => Wording::one(format!("timer {} desligado", of(*timer))),
        Note::TimerExpired { timer, .. } => timer_expired(*timer, context),
        Note::GaveUp { sequence, retries } => {
            Wording::one(format!("{sequence} reenviado {retries} vezes em vão: desiste"))
        }
        Note::Delivered { sequence, octets, from } => {
            let n = bytes(*octets as u64);
            Wording::one(match from {
                DeliveredFrom::Channel => format!("entrega {sequence}: {n}"),
                DeliveredFrom::Buffer => format!("entrega {sequence}, que esperava: {n}"),
            })
        }
        Note::Buffered { sequence, expected } => {
            Wording::one(format!("guarda {sequence} até vir o {expected}"))
        }
        Note::Discarded(what) => discard(what, context),
    }
}

fn of(timer: Timer) -> String {
    match timer {
        Timer::Packet { sequence } => format!("do pacote {sequence}"),
        Timer::Window { base } => format!("da janela, desde o {base}"),
    }
}

fn timer_expired(timer: Timer, context: &ArqContext) -> Wording {
    match timer {
        Timer::Packet { sequence } => match context.waited {
            Some(waited) => Wording::one(format!("{sequence} sem ACK há {}: reenvia só ele", ms(waited))),
            None => Wording::one(format!("{sequence} sem ACK: reenvia só ele")),
        },
        Timer::Window { base } => match context.waited {
            Some(waited) => Wording::one(format!(
                "base {base} sem ACK há {}: volta ao {base} e reenvia a janela",
                ms(waited)
            ))
            .or(format!("base {base} sem ACK: volta ao {base}")),
            None => Wording::one(format!("base {base} sem ACK: volta ao {base} e reenvia a janela")),
        },
    }
}
