//! The words of the diagram, in both languages.

use aperto_tcp::State;
use aperto_tcp::diagram::Cause;

use super::Side;
use crate::Language;

/// What stands beside an arc.
pub(super) const fn label(language: Language, cause: Cause) -> &'static str {
    let english = matches!(language, Language::English);
    match cause {
        Cause::PassiveOpen if english => "passive open",
        Cause::PassiveOpen => "abertura passiva",
        Cause::ActiveOpen if english => "active open",
        Cause::ActiveOpen => "abertura ativa",
        Cause::CloseCalled => "close",
        Cause::SynArrived => "SYN",
        Cause::SynAckArrived => "SYN,ACK",
        Cause::SynAcknowledged if english => "ACK of SYN",
        Cause::SynAcknowledged => "ACK do SYN",
        Cause::FinArrived => "FIN",
        Cause::FinAcknowledged if english => "ACK of FIN",
        Cause::FinAcknowledged => "ACK do FIN",
        Cause::FinArrivedAndOursAcknowledged => "FIN,ACK",
        Cause::FinSent if english => "FIN sent",
        Cause::FinSent => "FIN sai",
        Cause::TimeWaitOver => "2 MSL",
        Cause::BackToListen | Cause::ResetArrived => "RST",
        Cause::AbortCalled => "abort",
        Cause::UserTimeout | Cause::OrphanTimeout => "timeout",
        Cause::Unreachable => "ICMP",
    }
}

/// The letter of a side.
pub(super) const fn letter(_: Language, side: Side) -> &'static str {
    match side {
        Side::Client => "C",
        Side::Server => "S",
    }
}

/// What the marks mean.
pub(super) const fn legend(language: Language) -> [&'static str; 2] {
    match language {
        Language::English => [
            "beside an arrow: what happens (the app calls, or a segment arrives)",
            "walked: a heavy line, 1 2 3 by C, the client; a b c by S, the server",
        ],
        Language::Portuguese => [
            "junto à seta: o que acontece (a aplicação chama, ou um segmento chega)",
            "percorrido: linha grossa, 1 2 3 por C, o cliente; a b c por S, o servidor",
        ],
    }
}

/// A state in a sentence.
pub(super) const fn meaning(language: Language, state: State) -> &'static str {
    match language {
        Language::English => match state {
            State::Closed => "there is no connection: the state before the first and after the last segment",
            State::Listen => "the server waits for a SYN from anybody",
            State::SynSent => "the client has sent its SYN and waits for SYN,ACK",
            State::SynReceived => "the server has answered the SYN and waits for the ACK of its own",
            State::Established => "open: both sides may send data",
            State::FinWait1 => "this side closed first; its FIN is on the way and not acknowledged yet",
            State::FinWait2 => "its FIN is acknowledged; the other side may still send",
            State::CloseWait => "the other side closed; the application here has not yet",
            State::Closing => "both closed at once; the ACK of this side's FIN is missing",
            State::LastAck => "both closed, the other side first; waits for the ACK of its FIN",
            State::TimeWait => {
                "who closed first waits 2 MSL: its last ACK may be lost, old segments may be late"
            }
        },
        Language::Portuguese => match state {
            State::Closed => "não há conexão: o estado antes do primeiro e depois do último segmento",
            State::Listen => "o servidor espera um SYN de qualquer um",
            State::SynSent => "o cliente enviou seu SYN e espera o SYN,ACK",
            State::SynReceived => "o servidor respondeu ao SYN e espera o ACK do seu próprio",
            State::Established => "aberta: os dois lados podem enviar dados",
            State::FinWait1 => "este lado fechou primeiro; seu FIN está a caminho, sem ACK ainda",
            State::FinWait2 => "seu FIN foi reconhecido; o outro lado ainda pode enviar",
            State::CloseWait => "o outro lado fechou; a aplicação daqui ainda não",
            State::Closing => "os dois fecharam ao mesmo tempo; falta o ACK do FIN deste lado",
            State::LastAck => "os dois fecharam, o outro primeiro; espera o ACK do seu FIN",
            State::TimeWait => {
                "quem fechou primeiro espera 2 MSL: o último ACK pode se perder, segmentos velhos podem chegar"
            }
        },
    }
}
