//! Words and fixed phrases in Portuguese.

use crate::context::Side;
use crate::text::Word;

pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Client => "cliente",
        Side::Server => "servidor",
    }
}

pub(crate) const fn word(word: Word) -> &'static str {
    match word {
        Word::Client => "cliente",
        Word::Server => "servidor",
        Word::Sender => "remetente",
        Word::Receiver => "destinatário",
        Word::Why => "por quê",
        Word::Channel => "canal",
        Word::Likely => "provável",
        Word::DataSays => "os dados dizem",
        Word::App => "aplicação",
        Word::Finding => "achado",
        Word::Timer => "timer",
        Word::Lost => "PERDIDO",
        Word::Corrupt => "CORROMPIDO",
        Word::Resent => "REENVIO",
        Word::Fast => "RÁPIDO",
        Word::ByTimer => "TIMER",
        Word::DuplicateOf => "CÓPIA DO",
        Word::Duplicate => "DUP",
        Word::OutOfOrder => "FORA DE ORDEM",
        Word::ZeroWindow => "JANELA ZERO",
        Word::Probe => "SONDA",
        Word::Ignored => "IGNORADO",
        Word::IgnoredBecause => "ignorado",
        Word::Delivered => "entregue",
        Word::NotDelivered => "não usado",
        Word::Delivers => "entrega",
        Word::Discards => "descarta",
        Word::Keeps => "guarda",
        Word::FillsHole => "fecha lacuna",
        Word::Truncated => "TRUNCADO",
        Word::TagSent => "[ENVIADO]",
        Word::TagReceived => "[RECEBIDO]",
        Word::TagLost => "[PERDIDO]",
        Word::TagTimer => "[TIMER]",
        Word::TagResent => "[REENVIO]",
        Word::TagDropped => "[DESCARTADO]",
        Word::TagChannel => "[CANAL]",
        Word::TagApp => "[APLICAÇÃO]",
        Word::TagHandshake => "[HANDSHAKE COMPLETO]",
        Word::TagClosed => "[CONEXÃO ENCERRADA]",
        Word::TagEnded => "[CONEXÃO TERMINADA]",
        Word::SimulatedWire => "rede simulada",
        Word::UdpWire => "dentro de UDP",
        Word::TunWire => "pacotes reais (TUN)",
        Word::OsWire => "sockets do sistema",
        Word::CaptureFile => "captura",
        Word::Seed => "semente",
        Word::NothingLost => "sem perdas",
        Word::Relative => "seq relativo",
        Word::Absolute => "seq absoluto",
        Word::Both => "seq absoluto (relativo)",
        Word::Window => "janela",
        Word::Payload => "carga",
        Word::Next => "a seguir",
        Word::Repeat => "repetir",
        Word::Inferred => "motivos deduzidos dos pacotes",
        Word::NoConnection => "sem conexão, por isso sem coluna de estados",
        Word::BecauseYouAsked => "descartado porque você pediu",
    }
}
