//! What the engine's other enums say, in Portuguese.

use aperto_tcp::diagram::Cause;
use aperto_tcp::{DropReason, End, Event, Timer};

pub(crate) fn dropped(reason: &DropReason) -> &'static str {
    match reason {
        DropReason::OutsideWindow => "nenhuma parte dele cai na janela de recepção",
        DropReason::OldData => "tudo o que ele traz já tinha chegado",
        DropReason::OldTimestamp => "o carimbo de tempo é mais antigo que o último",
        DropReason::NoAck => "em conexão aberta, todo segmento precisa do ACK",
        DropReason::AckOfUnsent => "reconhece o que nunca foi enviado",
        DropReason::AckTooOld => "o reconhecimento é velho demais para ser verdade",
        DropReason::InexactReset => "um RST só vale exatamente no próximo byte esperado",
        DropReason::SynOnOpenConnection => "SYN em uma conexão que já está aberta",
        DropReason::UnacceptableAck => "reconhece outra coisa, e não o nosso SYN",
        DropReason::UnprovenReset => "um RST que não reconhece o nosso SYN não prova nada",
        DropReason::ResetInTimeWait => "um RST em TIME_WAIT é ignorado",
        DropReason::NeitherSynNorReset => "nem SYN nem RST, quando se espera um SYN",
        DropReason::SynWithFin => "SYN e FIN juntos não fazem sentido",
        DropReason::NotASyn => "quem escuta espera primeiro um SYN",
        DropReason::DataInSyn => "dados no SYN esperam o fim do aperto de mão",
        DropReason::DataAfterFin => "dados depois do FIN: o outro lado já tinha terminado",
        DropReason::BeyondWindow => "mais do que a janela permite: o resto foi cortado",
        DropReason::TooManyPieces => "lacunas demais: este pedaço não é guardado",
        DropReason::Closed => "não existe essa conexão",
        DropReason::FinMoved => "antes o FIN estava em outro lugar",
    }
}

pub(crate) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::ActiveOpen => "aplicação: abertura ativa",
        Cause::PassiveOpen => "aplicação: abertura passiva",
        Cause::SynArrived => "SYN recebido",
        Cause::SynAckArrived => "SYN,ACK recebido",
        Cause::SynAcknowledged => "o nosso SYN foi reconhecido",
        Cause::CloseCalled => "aplicação: fechar",
        Cause::FinSent => "o nosso FIN saiu",
        Cause::FinArrived => "FIN recebido",
        Cause::FinAcknowledged => "o nosso FIN foi reconhecido",
        Cause::FinArrivedAndOursAcknowledged => "FIN recebido, e o nosso reconhecido com ele",
        Cause::ResetArrived => "RST recebido",
        Cause::AbortCalled => "aplicação: abortar",
        Cause::TimeWaitOver => "passaram-se 2×MSL",
        Cause::UserTimeout => "o outro lado ficou em silêncio tempo demais",
        Cause::OrphanTimeout => "ninguém mais espera pelo resto",
        Cause::Unreachable => "a rede não alcança o outro lado",
        Cause::BackToListen => "RST recebido: volta a escutar",
    }
}

pub(crate) fn timer(timer: Timer) -> &'static str {
    match timer {
        Timer::Retransmission => "reenvio",
        Timer::Persist => "sonda de janela",
        Timer::Override => "segmento pequeno",
        Timer::DelayedAck => "ACK atrasado",
        Timer::KeepAlive => "keep-alive",
        Timer::User => "limite do usuário",
        Timer::TimeWait => "2×MSL",
    }
}

pub(crate) fn end(end: End) -> &'static str {
    match end {
        End::Closed => "conexão encerrada pelos dois lados",
        End::Refused => "conexão recusada",
        End::Reset => "conexão derrubada (RST) pelo outro lado",
        End::TimedOut => "tempo da conexão esgotado",
        End::Unreachable => "destino inalcançável",
        End::Aborted => "conexão abortada",
    }
}

pub(crate) fn event(event: &Event) -> &'static str {
    match event {
        Event::Established => "conexão aberta",
        Event::Readable => "há dados para ler",
        Event::Writable => "há espaço para escrever de novo",
        Event::Urgent => "dados urgentes anunciados",
        Event::PeerClosed => "o outro lado não envia mais",
        Event::DeliveryTrouble => "sem resposta há algum tempo; continua tentando",
        Event::Ended(how) => end(*how),
    }
}
