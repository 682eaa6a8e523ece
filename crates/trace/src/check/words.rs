//! The words of the language of claims, in English and Portuguese.

use alloc::string::String;

/// A word that means something in a claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the table below says which word is which")]
pub enum Word {
    Handshake,
    In,
    Echo,
    Answer,
    With,
    By,
    To,
    Client,
    Server,
    Within,
    Delivered,
    ClosedFirstBy,
    CloseSegments,
    OtherTraffic,
    Not,
    Retransmissions,
    Lost,
    Copies,
    Packets,
    Streams,
    ZeroWindows,
    Resets,
    Count,
    Octets,
    Port,
    ClientPort,
    Isn,
    State,
    Reached,
    Duration,
    Stream,
}

/// Each word: the English one, the Portuguese one, and others that people write.
pub const TABLE: &[(Word, &str, &str, &[&str])] = &[
    (Word::Handshake, "handshake", "aperto-de-mao", &["aperto"]),
    (Word::In, "in", "em", &[]),
    (Word::Echo, "echo", "eco", &[]),
    (Word::Answer, "answer", "resposta", &["responde"]),
    (Word::With, "with", "com", &[]),
    (Word::By, "by", "por", &["pelo", "do", "of"]),
    (Word::To, "to", "a", &["ao"]),
    (Word::Client, "client", "cliente", &[]),
    (Word::Server, "server", "servidor", &[]),
    (Word::Within, "within", "dentro-de", &["em-ate", "ate"]),
    (Word::Delivered, "delivered", "entregue", &[]),
    (Word::ClosedFirstBy, "closed-first-by", "fechou-primeiro", &["fechada-primeiro-por"]),
    (Word::CloseSegments, "close-segments", "segmentos-do-fechamento", &["segmentos-de-fechamento"]),
    (Word::OtherTraffic, "other-traffic", "outro-trafego", &[]),
    (Word::Not, "not", "nao", &["no", "sem"]),
    (Word::Retransmissions, "retransmissions", "reenvios", &["retransmissoes"]),
    (Word::Lost, "lost", "perdidos", &["perdas"]),
    (Word::Copies, "copies", "copias", &[]),
    (Word::Packets, "packets", "pacotes", &[]),
    (Word::Streams, "streams", "fluxos", &["connections", "conexoes"]),
    (Word::ZeroWindows, "zero-windows", "janelas-zero", &["zero-window", "janela-zero", "window-zero"]),
    (Word::Resets, "resets", "reinicios", &["reset"]),
    (Word::Count, "count", "conta", &["contagem"]),
    (Word::Octets, "octets", "octetos", &["bytes"]),
    (Word::Port, "port", "porta", &["server-port", "porta-do-servidor"]),
    (Word::ClientPort, "client-port", "porta-do-cliente", &[]),
    (Word::Isn, "isn", "isn", &[]),
    (Word::State, "state", "estado", &[]),
    (Word::Reached, "reached", "alcancado", &[]),
    (Word::Duration, "duration", "duracao", &[]),
    (Word::Stream, "stream", "fluxo", &["connection", "conexao"]),
];

/// The word that this is, whatever its case and accents.
#[must_use]
pub fn word(text: &str) -> Option<Word> {
    let plain = plain(text);
    let is = |(_, english, portuguese, others): &&(Word, &str, &str, &[&str])| {
        plain == *english || plain == *portuguese || others.contains(&plain.as_str())
    };
    TABLE.iter().find(is).map(|(word, ..)| *word)
}

/// Small letters without accents.
#[must_use]
pub fn plain(text: &str) -> String {
    let bare = |letter: char| match letter {
        'á' | 'à' | 'â' | 'ã' | 'Á' | 'À' | 'Â' | 'Ã' => 'a',
        'é' | 'ê' | 'É' | 'Ê' => 'e',
        'í' | 'Í' => 'i',
        'ó' | 'ô' | 'õ' | 'Ó' | 'Ô' | 'Õ' => 'o',
        'ú' | 'ü' | 'Ú' | 'Ü' => 'u',
        'ç' | 'Ç' => 'c',
        '_' => '-',
        other => other.to_ascii_lowercase(),
    };
    text.chars().map(bare).collect()
}
