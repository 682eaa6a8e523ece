//! Timers, windows and what else the engine notes, in Portuguese.

use alloc::format;
use alloc::string::String;

use aperto_tcp::{Note, Timer, WindowChange};
use aperto_time::Duration;

use crate::context::Context;
use crate::quantity::{bare_milliseconds, bytes, duration, milliseconds};
use crate::text::TimerFacts;
use crate::{Language, Wording};

const PT: Language = Language::Portuguese;

pub(crate) fn timer_row(row: &TimerFacts) -> Wording {
    match row {
        TimerFacts::Retransmission { rto, srtt, rttvar, minimum, attempt, .. } => {
            let waited = milliseconds(PT, *rto);
            match (attempt, srtt) {
                (1, Some(srtt)) => {
                    let (srtt, rttvar) = (bare_milliseconds(PT, *srtt), milliseconds(PT, *rttvar));
                    let minimum = duration(PT, *minimum);
                    Wording::one(format!(
                        "{waited} sem ACK: RTO = máx({minimum}, SRTT {srtt} + 4 × {rttvar})"
                    ))
                    .or(format!("{waited} sem ACK = RTO"))
                }
                (1, None) => Wording::one(format!("{waited} sem ACK: RTO, ainda sem amostra de RTT"))
                    .or(format!("{waited} sem ACK = RTO")),
                (n, _) => Wording::one(format!("mais {waited} sem ACK: {n}º estouro seguido")),
            }
        }
        TimerFacts::Other { timer, after } => other(*timer, *after),
    }
}

pub(crate) fn timer_line(row: &TimerFacts) -> String {
    match row {
        TimerFacts::Retransmission { number: Some(number), rto, .. } => {
            let waited = milliseconds(PT, *rto);
            format!("{waited} sem ACK do {number}")
        }
        TimerFacts::Retransmission { number: None, .. } | TimerFacts::Other { .. } => {
            timer_row(row).full().into()
        }
    }
}

fn other(timer: Timer, after: Duration) -> Wording {
    let waited = milliseconds(PT, after);
    Wording::one(match timer {
        Timer::Retransmission => format!("{waited} sem ACK"),
        Timer::Persist => format!("janela fechada há {waited}: hora de sondar"),
        Timer::Override => format!("{waited} sem encher um segmento: vai o pequeno"),
        Timer::DelayedAck => format!("{waited} sem dados para o ACK ir junto"),
        Timer::KeepAlive => format!("nada chega há {}", duration(PT, after)),
        Timer::User => format!("sem resposta há {}: desiste", duration(PT, after)),
        Timer::TimeWait => format!("passaram-se 2×MSL = {}: a porta está livre", duration(PT, after)),
    })
}

pub(crate) fn note(note: &Note, context: &Context) -> Wording {
    match note {
        Note::State { from, to, cause } => {
            Wording::one(format!("{from} para {to}: {}", super::engine::cause(*cause)))
        }
        Note::Dropped { reason } => Wording::one(super::engine::dropped(reason)),
        Note::TimerStarted { timer, .. } => {
            Wording::one(format!("temporizador ({}) ligado", super::engine::timer(*timer)))
        }
        Note::TimerStopped { timer } => {
            Wording::one(format!("temporizador ({}) desligado", super::engine::timer(*timer)))
        }
        Note::TimerFired { timer, after } => other(*timer, *after),
        Note::RetransmissionTimeout { rto, srtt, rttvar, minimum, attempt, .. } => {
            timer_row(&TimerFacts::Retransmission {
                number: None,
                rto: *rto,
                srtt: *srtt,
                rttvar: *rttvar,
                minimum: *minimum,
                attempt: *attempt,
            })
        }
        Note::RttSample { rtt, srtt, rto, .. } => Wording::one(format!(
            "RTT {}: SRTT {}, RTO {}",
            duration(PT, *rtt),
            duration(PT, *srtt),
            duration(PT, *rto)
        )),
        Note::RttAmbiguous => Wording::one("não serve de amostra de RTT: foi enviado duas vezes (Karn)"),
        Note::CongestionWindow { cwnd, because, .. } => {
            Wording::one(format!("cwnd {cwnd}: {}", window_change(*because)))
        }
        Note::SendWindow { window } => {
            Wording::one(format!("janela do outro lado: {}", bytes(u64::from(*window))))
        }
        Note::DuplicateAck { count, ack } => {
            let ack = context.numbers.own(*ack);
            Wording::one(format!("ACK repetido {count}: pede o byte {ack}"))
        }
        Note::Acknowledged { octets, .. } => Wording::one(if *octets == 1 {
            "1 byte reconhecido".into()
        } else {
            format!("{octets} bytes reconhecidos")
        }),
        Note::Received { octets } => Wording::one(if *octets == 1 {
            "1 byte recebido em ordem".into()
        } else {
            format!("{octets} bytes recebidos em ordem")
        }),
        Note::OutOfOrder { expected, octets, .. } => {
            let expected = context.numbers.other(*expected);
            let n = bytes(u64::from(*octets));
            Wording::one(format!("guarda {n} além de uma lacuna: falta o byte {expected}"))
        }
        Note::SackIgnored { .. } => Wording::one("um bloco SACK que não pode ser verdade foi ignorado"),
        Note::DuplicateSack { .. } => Wording::one("o outro lado recebeu algo duas vezes (D-SACK)"),
        Note::DeliveryTrouble { attempt } => {
            Wording::one(format!("{attempt} estouros seguidos: a aplicação é avisada"))
        }
        Note::SoftError => Wording::one("a rede relatou um erro; a conexão continua"),
        Note::MalformedOption => Wording::one("uma opção malformada foi ignorada"),
        Note::ChallengeWithheld => Wording::one("um ACK de desafio foi contido: acabou de sair outro"),
    }
}

fn window_change(because: WindowChange) -> &'static str {
    match because {
        WindowChange::Initial => "janela inicial",
        WindowChange::SlowStart => "partida lenta",
        WindowChange::CongestionAvoidance => "prevenção de congestionamento",
        WindowChange::FastRetransmit => "reenvio rápido",
        WindowChange::RecoveryEnded => "fim da recuperação",
        WindowChange::Timeout => "estouro: volta a um segmento",
        WindowChange::IdleRestart => "recomeço após ociosidade",
    }
}
