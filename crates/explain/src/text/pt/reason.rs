//! Why a segment leaves: for a row and for a packet comment, in Portuguese.

use alloc::format;
use alloc::string::{String, ToString};

use aperto_tcp::{AckCause, ChallengeCause, DataCause, ResetCause, RetransmissionCause};
use aperto_tcp::{Reason, State};
use aperto_time::Duration;

use super::words::side;
use crate::context::{Context, Counting, Fate, Sample, Side};
use crate::quantity::{self, bytes};
use crate::{Language, Wording};

fn time(duration: Duration) -> String {
    quantity::duration(Language::Portuguese, duration)
}

pub(crate) fn short(reason: &Reason, context: &Context) -> Wording {
    match reason {
        Reason::ActiveOpen => active_open(context),
        Reason::PassiveOpen { irs } => match context.numbers.counting {
            Counting::Relative => Wording::one("aceita; o SYN gasta um número, então espera o 1"),
            Counting::Absolute => {
                let (used, next) = (context.numbers.other(*irs), context.numbers.other(*irs + 1));
                Wording::one(format!("aceita; o SYN gastou o número {used}, então espera o {next}"))
                    .or(format!("aceita; o SYN gastou o {used}: espera o {next}"))
            }
        },
        Reason::SimultaneousOpen { .. } => {
            Wording::one("os dois pediram ao mesmo tempo: o SYN do outro também vale")
        }
        Reason::HandshakeAck { irs } => match context.numbers.counting {
            Counting::Relative => Wording::one("agora cada lado sabe que o outro o ouve"),
            Counting::Absolute => {
                let (used, next) = (context.numbers.other(*irs), context.numbers.other(*irs + 1));
                Wording::one(format!("confirma o SYN do servidor: {used} + 1 = {next}"))
            }
        },
        Reason::Data { octets, because, acknowledges } => data(*octets, because, *acknowledges, context),
        Reason::Fin { octets, peer_closed_first } => fin(*octets, *peer_closed_first, context),
        Reason::Retransmission { because, octets } => retransmission(because, *octets, context),
        Reason::Ack(cause) => ack(cause, context),
        Reason::WindowProbe { attempt, waited, next } => Wording::one(format!(
            "janela fechada há {}: sonda {attempt}; a próxima em {}",
            time(*waited),
            time(*next)
        ))
        .or(format!("janela fechada há {}: sonda {attempt}", time(*waited))),
        Reason::KeepAlive { attempt, idle } => Wording::one(format!(
            "{} sem tráfego: keep-alive {attempt} pergunta se há alguém lá",
            time(*idle)
        ))
        .or(format!("{} sem tráfego: keep-alive {attempt}", time(*idle))),
        Reason::Reset(cause) => reset(cause, context),
    }
}

/// For a packet comment: the arithmetic of the numbers on the wire.
pub(crate) fn brief(reason: &Reason, context: &Context) -> String {
    match reason {
        Reason::ActiveOpen => "abertura ativa".to_string(),
        Reason::PassiveOpen { irs } => format!("aceita; {}+1={}", irs.value(), (*irs + 1).value()),
        Reason::HandshakeAck { irs } => format!("confirma; {}+1={}", irs.value(), (*irs + 1).value()),
        Reason::SimultaneousOpen { .. }
        | Reason::Data { .. }
        | Reason::Fin { .. }
        | Reason::Retransmission { .. }
        | Reason::Ack(_)
        | Reason::WindowProbe { .. }
        | Reason::KeepAlive { .. }
        | Reason::Reset(_) => short(reason, context).full().to_string(),
    }
}

fn active_open(context: &Context) -> Wording {
    match (context.numbers.counting, context.numbers.own) {
        (Counting::Absolute, Some(first)) => {
            Wording::one(format!("abertura ativa; o cliente conta a partir de {}", first.value()))
        }
        _ => Wording::one("abertura ativa: pede conexão e diz onde começa a contar"),
    }
}

/// What the application wrote, with letters and bytes where they differ.
fn wrote(text: &str, octets: u32) -> Wording {
    let letters = text.chars().count();
    let plain = format!("a aplicação escreveu {}", bytes(u64::from(octets)));
    if letters == octets as usize {
        return Wording::one(format!("a aplicação escreveu \"{text}\": {}", bytes(u64::from(octets))))
            .or(plain);
    }
    let letters = if letters == 1 { "1 letra".to_string() } else { format!("{letters} letras") };
    let both = format!("a aplicação escreveu \"{text}\": {letters}, {}", bytes(u64::from(octets)));
    let mut long = text.chars().filter(|letter| letter.len_utf8() > 1);
    match (long.next(), long.next()) {
        (Some(letter), None) => {
            let takes = ["", "", "dois", "três", "quatro"].get(letter.len_utf8()).copied().unwrap_or("mais");
            Wording::one(format!("{both} ({letter} ocupa {takes})")).or(both).or(plain)
        }
        _ => Wording::one(both).or(plain),
    }
}

fn data(octets: u32, because: &DataCause, acknowledges: u32, context: &Context) -> Wording {
    let n = bytes(u64::from(octets));
    match because {
        DataCause::Written if acknowledges > 0 => data_with_ack(&n, context),
        DataCause::Written => match (&context.written, context.initial_window_segments) {
            (_, Some(1)) => Wording::one("dados: a janela inicial permite um segmento"),
            (_, Some(segments)) => {
                Wording::one(format!("dados: a janela inicial permite {segments} segmentos de uma vez"))
            }
            (Some(written), None) => match &written.text {
                Some(text) if context.fate == Fate::Arrives => wrote(text, octets),
                _ if written.octets > u64::from(octets) => Wording::one(format!(
                    "dados: {octets} dos {} que a aplicação escreveu",
                    bytes(written.octets)
                )),
                _ => Wording::one(format!("a aplicação escreveu {n}")),
            },
            (None, None) => Wording::one(format!("a aplicação escreveu {n}")),
        },
        DataCause::CongestionWindowOpened { cwnd } => {
            Wording::one(format!("um ACK abriu espaço: cwnd = {cwnd} bytes; vão mais {octets}"))
        }
        DataCause::WindowOpened { window } => {
            Wording::one(format!("o outro lado tem espaço de novo ({window} bytes): vão {octets}"))
        }
        DataCause::NagleReleased => Wording::one("Nagle o segurou até tudo o que veio antes ser reconhecido"),
        DataCause::Filled => Wording::one(format!("esperou encher um segmento: agora tem {n}")),
        DataCause::OverrideTimeout => {
            Wording::one(format!("{n}: esperou em vão encher um segmento; vai assim"))
                .or(format!("{n}: esperou em vão encher um segmento"))
        }
        DataCause::LimitedTransmit { duplicate_acks } => {
            Wording::one(format!("ACK repetido {duplicate_acks} = um segmento saiu da rede: entra um novo"))
                .or(format!("ACK repetido {duplicate_acks}: entra um segmento novo"))
        }
        DataCause::Recovery { pipe, cwnd } => {
            Wording::one(format!("recuperação: {pipe} bytes na rede, cwnd {cwnd}: cabem novos"))
                .or(format!("recuperação: {pipe} na rede, cwnd {cwnd}"))
        }
    }
}

fn data_with_ack(n: &str, context: &Context) -> Wording {
    let reply = context.sender == Some(Side::Server);
    if context.sample == Sample::Ambiguous {
        return Wording::one(if reply {
            "a resposta traz o ACK; não serve de amostra de RTT (Karn)"
        } else {
            "os dados trazem o ACK; não serve de amostra de RTT (Karn)"
        });
    }
    let next = context.ack.map(|ack| context.numbers.other(ack));
    let tail = match next {
        Some(next) => format!("o ACK de carona: espera o {next}"),
        None => "o ACK de carona".to_string(),
    };
    let plain =
        if reply { format!("a resposta de {n} leva {tail}") } else { format!("os dados ({n}) levam {tail}") };
    match context.written.as_ref().and_then(|written| written.text.as_ref()) {
        Some(text) if reply => Wording::one(format!("a resposta \"{text}\" leva {tail}")).or(plain),
        Some(text) => Wording::one(format!("o texto \"{text}\" leva {tail}")).or(plain),
        None => Wording::one(plain),
    }
    .or(format!("{} {tail}", if reply { "a resposta leva" } else { "os dados levam" }))
}

fn fin(octets: u32, peer_closed_first: bool, context: &Context) -> Wording {
    let who = match context.sender {
        Some(sender) => format!("o {}", side(sender)),
        None => "a aplicação".to_string(),
    };
    let wording = if peer_closed_first {
        match context.since_fin {
            Some(since) if !since.is_zero() => {
                Wording::one(format!("{who} fechou {} depois: por isso há dois FINs", time(since)))
            }
            _ => Wording::one(format!("{who} também fechou: cada sentido tem o seu FIN")),
        }
    } else {
        Wording::one(format!("{who} fechou: sem mais bytes; o FIN também gasta um"))
    };
    if octets == 0 {
        return wording;
    }
    let last = if octets == 1 { "o último byte".to_string() } else { format!("os últimos {octets} bytes") };
    Wording::one(format!("{last}, já com o FIN: {who} fechou"))
}

fn retransmission(because: &RetransmissionCause, octets: u32, context: &Context) -> Wording {
    match because {
        // Without text, the congestion window has no say.
        RetransmissionCause::Timeout { rto, next_rto, cwnd, .. } => {
            let backoff = if next_rto > rto {
                format!("RTO dobra p/ {}", time(*next_rto))
            } else {
                format!("RTO fica em {}", time(*next_rto))
            };
            if octets == 0 {
                return Wording::one(format!("estouro do temporizador; {backoff}"));
            }
            let window = match context.mss {
                Some(mss) if *cwnd <= mss => "1 MSS".to_string(),
                _ => cwnd.to_string(),
            };
            Wording::one(format!("estouro do temporizador; {backoff}; cwnd = {window}"))
                .or(format!("estouro; {backoff}; cwnd = {window}"))
        }
        RetransmissionCause::AfterTimeout { cwnd } => {
            Wording::one(format!("perdido no mesmo estouro; partida lenta: cwnd = {cwnd} bytes"))
        }
        RetransmissionCause::FastRetransmit { duplicate_acks, .. } => match duplicate_acks {
            3 => Wording::one("3º ACK repetido: reenvia já o que falta, sem temporizador"),
            0 => Wording::one("o SACK mostra a perda: reenvia já, sem temporizador"),
            n => Wording::one(format!("{n} ACKs repetidos: reenvia já, sem temporizador")),
        },
        RetransmissionCause::SackHole { pipe, cwnd } => {
            Wording::one(format!("próxima lacuna que o SACK mostra; {pipe} na rede, cwnd {cwnd}"))
                .or(format!("próxima lacuna do SACK; {pipe} na rede, cwnd {cwnd}"))
        }
        RetransmissionCause::PartialAck { recover } => {
            let until = context.numbers.own(*recover);
            Wording::one(format!("ACK parcial: o seguinte também se perdeu; recupera até {until}"))
                .or(format!("ACK parcial: recuperação até {until}"))
        }
        RetransmissionCause::SynAgain => {
            Wording::one("o SYN veio outra vez: o nosso SYN,ACK se perdeu; reenvia")
        }
        RetransmissionCause::PathTooNarrow { mss } => {
            Wording::one(format!("um roteador disse que era grande demais: agora até {mss} bytes"))
                .or(format!("grande demais para o caminho: até {mss} bytes"))
        }
    }
}

fn ack(cause: &AckCause, context: &Context) -> Wording {
    let numbers = &context.numbers;
    match cause {
        AckCause::SecondSegment { octets } => {
            Wording::one(format!("ao menos um ACK a cada dois segmentos: {}", bytes(u64::from(*octets))))
        }
        AckCause::Delayed { waited, octets } => {
            let n = bytes(u64::from(*octets));
            Wording::one(format!("ACK atrasado: {} sem dados para ir junto; {n}", time(*waited)))
                .or(format!("ACK atrasado: {}; {n}", time(*waited)))
        }
        AckCause::NotDelayed { octets } => Wording::one(format!(
            "recebeu {}; o ACK atrasado está desligado: responde já",
            bytes(u64::from(*octets))
        ))
        .or(format!("recebeu {}: responde já", bytes(u64::from(*octets)))),
        AckCause::OutOfOrder { expected, .. } => {
            let missing = numbers.other(*expected);
            Wording::one(format!(
                "chegou um segmento além da lacuna: ACK imediato, ainda pede o byte {missing}"
            ))
            .or(format!("chegou além da lacuna: ainda pede o byte {missing}"))
        }
        AckCause::HoleFilled { octets } => {
            Wording::one(format!("lacuna preenchida: um só ACK cobre {}", bytes(u64::from(*octets))))
        }
        AckCause::Duplicate { arrived } => {
            let seq = numbers.other(*arrived);
            Wording::one(format!("seq {seq} veio duas vezes: diz ao outro lado o que já tem"))
        }
        AckCause::Unacceptable { arrived, expected, window } => {
            let (arrived, expected) = (numbers.other(*arrived), numbers.other(*expected));
            Wording::one(format!("seq {arrived} está fora da janela: {window} bytes desde {expected}"))
                .or(format!("seq {arrived} fora de {expected} + {window}"))
        }
        AckCause::OldTimestamp { value, recent } => {
            Wording::one(format!("carimbo de tempo {value} menor que {recent}: cópia antiga"))
        }
        AckCause::AckOfUnsent { ack, next } => {
            let (ack, next) = (numbers.own(*ack), numbers.own(*next));
            Wording::one(format!("reconhece {ack}, mas o próximo a enviar ainda é {next}"))
        }
        AckCause::FinArrived { half_closed: true } => {
            Wording::one("FIN recebido; este lado ainda pode enviar (meio-fechada)")
        }
        AckCause::FinArrived { half_closed: false } => match context.state {
            Some(State::Closing | State::FinWait1) => {
                Wording::one("FIN recebido com o nosso a caminho: os dois fecharam juntos")
            }
            _ => Wording::one("último ACK; TIME_WAIT 2×MSL caso este ACK se perca"),
        },
        AckCause::WindowUpdate { from: 0, to } => {
            Wording::one(format!("a aplicação leu: a janela abre para {}", bytes(u64::from(*to))))
        }
        AckCause::WindowUpdate { from, to } => {
            Wording::one(format!("a aplicação leu: a janela vai de {from} para {}", bytes(u64::from(*to))))
                .or(format!("a aplicação leu: janela de {from} a {to}"))
        }
        AckCause::Challenge(cause) => challenge(cause, context),
        AckCause::ProbeAnswered => Wording::one("responde à sonda: estamos aqui; esta é a nossa janela"),
    }
}

fn challenge(cause: &ChallengeCause, context: &Context) -> Wording {
    let numbers = &context.numbers;
    match cause {
        ChallengeCause::Reset { arrived, expected } => {
            let (arrived, expected) = (numbers.other(*arrived), numbers.other(*expected));
            Wording::one(format!("RST em {arrived}, e não em {expected}: prove que é seu"))
        }
        ChallengeCause::Syn => Wording::one("SYN em uma conexão aberta: prove que é seu"),
        ChallengeCause::OldAck { ack, una } => {
            let (ack, una) = (numbers.own(*ack), numbers.own(*una));
            Wording::one(format!("ack {ack} velho demais (já estamos em {una}): prove que é seu"))
                .or(format!("ack {ack} velho demais: já estamos em {una}"))
        }
    }
}

fn reset(cause: &ResetCause, context: &Context) -> Wording {
    match cause {
        ResetCause::NoConnection => Wording::one("ninguém escuta aqui e não há conexão aberta: RST"),
        ResetCause::UnacceptableAck { ack } => {
            let ack = context.numbers.own(*ack);
            Wording::one(format!("reconhece {ack}, que nunca enviamos: RST"))
        }
        ResetCause::Abort => Wording::one("a aplicação abortou: nada mais é enviado nem recebido"),
        ResetCause::UnreadData { octets: 0 } => Wording::one("a aplicação já saiu e ainda chegam dados: RST"),
        ResetCause::UnreadData { octets } => {
            Wording::one(format!("a aplicação saiu; ninguém vai ler {}: RST", bytes(u64::from(*octets))))
        }
        ResetCause::GaveUp => Wording::one("o outro lado ficou em silêncio tempo demais: desiste"),
    }
}
