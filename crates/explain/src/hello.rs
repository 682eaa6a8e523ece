//! HELLO and the end of a session, in words: what was asked, what was granted, that it is over.
//!
//! They are read from the octets of a datagram, so that a recording is told as well as a wire.
//!
//! ```text
//! ASK      gbn max=100 len=4 win=5 ack=individual checksum
//! ```

use alloc::format;
use alloc::string::{String, ToString};

use aperto_app::hello::{Acknowledgement, Hello, Integrity, Mode, Negative, Refusal};
use aperto_app::session::Control;
use aperto_seal::Kind as Seal;
use aperto_trace::{Packet, Transport};

use crate::{Language, Wording};

/// A message that opens or ends a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// It is negotiated.
    Hello(Hello),
    /// It ends.
    Control(Control),
    /// It is sealed, or about keys to seal it with.
    Seal(Seal),
}

impl Message {
    /// Reads one from a datagram, if it is one.
    #[must_use]
    pub fn read(packet: &Packet) -> Option<Self> {
        if packet.transport != Transport::Udp {
            return None;
        }
        Self::read_octets(packet.payload())
    }

    /// Reads one from what a datagram carries.
    #[must_use]
    pub fn read_octets(octets: &[u8]) -> Option<Self> {
        let hello = Hello::decode_datagram(octets).map(Self::Hello).ok();
        hello
            .or_else(|| Control::decode_datagram(octets).map(|(_, control)| Self::Control(control)).ok())
            .or_else(|| Seal::of(octets).map(Self::Seal))
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(Hello::Ask { .. }) => "ASK",
            Self::Hello(Hello::Grant { .. }) => "GRANT",
            Self::Hello(Hello::Refuse { .. }) => "REFUSE",
            Self::Control(Control::Fin { .. }) => "FIN",
            Self::Control(Control::FinAck { .. }) => "FIN,ACK",
            Self::Control(Control::Reset) => "RESET",
            Self::Seal(Seal::Hello) => "HELLO",
            Self::Seal(Seal::Answer) => "ANSWER",
            Self::Seal(Seal::Proof) => "PROOF",
            Self::Seal(Seal::Sealed) => "SEALED",
            Self::Seal(Seal::Confirmation) => "READY",
        }
    }

    /// What it says, as fields: `gbn max=100 len=4 win=5 ack=group checksum`.
    #[must_use]
    pub fn fields(&self, language: Language) -> String {
        match self {
            Self::Hello(Hello::Ask { ask, .. }) => {
                let modes = joined(ask.modes.iter().map(|mode| mode.name()));
                let integrities = joined(ask.integrities.iter().map(|integrity| integrity.name()));
                let sizes = (ask.max_message, ask.payload, ask.window);
                fields(&modes, &integrities, sizes, ask.acknowledgement, ask.negative)
            }
            Self::Hello(Hello::Grant { terms, .. }) => {
                let sizes = (terms.max_message, terms.payload, terms.window);
                let (mode, integrity) = (terms.mode.name(), terms.integrity.name());
                fields(mode, integrity, sizes, terms.acknowledgement, terms.negative)
            }
            Self::Hello(Hello::Refuse { why, .. }) => refusal(language, *why),
            Self::Control(Control::Fin { packets } | Control::FinAck { packets }) => match language {
                Language::English => format!("{packets} DATA in all"),
                Language::Portuguese => format!("{packets} DATA ao todo"),
            },
            // The tokens of Noise's pattern XX.
            Self::Seal(Seal::Hello) => "Noise XX: e".to_string(),
            Self::Seal(Seal::Answer) => "Noise XX: e, ee, s, es".to_string(),
            Self::Seal(Seal::Proof) => "Noise XX: s, se".to_string(),
            Self::Seal(Seal::Confirmation) => "len=0".to_string(),
            Self::Seal(Seal::Sealed) => "ChaCha20-Poly1305".to_string(),
            Self::Control(Control::Reset) => String::new(),
        }
    }

    /// Why it is sent.
    #[must_use]
    pub fn why(&self, language: Language) -> Wording {
        let portuguese = language == Language::Portuguese;
        let fixed = |english: &str, other: &str| {
            Wording::one(if portuguese { other.to_string() } else { english.to_string() })
        };
        match self {
            Self::Hello(Hello::Ask { ask, .. }) => {
                let mode = ask.modes.first().copied().map_or("", mode_name);
                let (max, payload, window) = (ask.max_message, ask.payload, ask.window);
                Wording::one(if portuguese {
                    format!("propõe {mode}: mensagens até {max} bytes, {payload} por pacote, janela {window}")
                } else {
                    format!(
                        "proposes {mode}: messages up to {max} bytes, {payload} a packet, window {window}"
                    )
                })
            }
            Self::Hello(Hello::Grant { .. }) => fixed(
                "what both do from now on; the first DATA shows that it arrived",
                "o que os dois farão daqui em diante; o primeiro DATA mostra que chegou",
            ),
            Self::Hello(Hello::Refuse { .. }) => {
                fixed("there is no agreement: nothing is sent", "não há acordo: nada será enviado")
            }
            Self::Control(Control::Fin { .. }) => fixed(
                "all that was said has been acknowledged; nothing more will be",
                "tudo o que foi dito foi confirmado; não há mais nada a dizer",
            ),
            Self::Control(Control::FinAck { .. }) => fixed(
                "this side has said all too; it stays a while in case this is lost",
                "este lado também disse tudo; fica um pouco, caso isto se perca",
            ),
            Self::Control(Control::Reset) => fixed("ends at once", "encerra já"),
            Self::Seal(Seal::Hello) => fixed(
                "a key for this once; it proves nothing yet, so the answer is no longer than it",
                "uma chave só para agora; ainda não prova nada, e a resposta não é mais longa",
            ),
            Self::Seal(Seal::Answer) => fixed(
                "the server's key for this once, and its own key under what both now share",
                "a chave de agora do servidor, e a própria sob o que os dois já compartilham",
            ),
            Self::Seal(Seal::Proof) => fixed(
                "the client's own key, sealed; now both know who the other is",
                "a chave própria do cliente, selada; agora os dois se conhecem",
            ),
            Self::Seal(Seal::Confirmation) => fixed(
                "under the new keys, and empty: they are there",
                "sob as chaves novas, e vazio: elas estão prontas",
            ),
            Self::Seal(Seal::Sealed) => fixed("a packet under the keys", "um pacote sob as chaves"),
        }
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for name in names {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(name);
    }
    out
}

fn fields(
    mode: &str,
    integrity: &str,
    (max, payload, window): (u32, u16, u16),
    acknowledgement: Acknowledgement,
    negative: Negative,
) -> String {
    let ack = match acknowledgement {
        Acknowledgement::Individual => "individual",
        Acknowledgement::Group => "group",
    };
    let nack = if negative == Negative::On { " nack" } else { "" };
    format!("{mode} max={max} len={payload} win={window} ack={ack}{nack} {integrity}")
}

/// What a mode is called in a sentence.
#[must_use]
pub const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Tcp => "TCP",
        Mode::StopAndWait => "stop-and-wait",
        Mode::GoBackN => "Go-Back-N",
        Mode::SelectiveRepeat => "Selective Repeat",
    }
}

/// What a way to notice damage is called in a sentence.
#[must_use]
pub const fn integrity_name(language: Language, integrity: Integrity) -> &'static str {
    match (language, integrity) {
        (Language::English, Integrity::None) => "nothing",
        (Language::Portuguese, Integrity::None) => "nada",
        (Language::English, Integrity::InternetChecksum) => "the Internet checksum",
        (Language::Portuguese, Integrity::InternetChecksum) => "a soma de verificação da Internet",
        (Language::English, Integrity::Crc32) => "CRC-32",
        (Language::Portuguese, Integrity::Crc32) => "CRC-32",
        (Language::English, Integrity::Digest) => "a digest of each message",
        (Language::Portuguese, Integrity::Digest) => "um resumo criptográfico de cada mensagem",
        (Language::English, Integrity::Aead) => "authenticated encryption",
        (Language::Portuguese, Integrity::Aead) => "cifra autenticada",
    }
}

/// Why there was no agreement, as half a sentence.
#[must_use]
pub fn refusal(language: Language, why: Refusal) -> String {
    match language {
        Language::English => match why {
            Refusal::Version { spoken } => format!("it speaks version {spoken} of the HELLO"),
            Refusal::NoCommonMode => "it does not speak this mode".into(),
            Refusal::NoCommonIntegrity => "it does not check integrity this way".into(),
            Refusal::MessageTooSmall { least } => format!("a largest message below {least} bytes"),
            Refusal::Full => "it has as many clients as it takes".into(),
            Refusal::Closing => "it is closing".into(),
            Refusal::Other(code) => format!("reason {code}, which a later version knows"),
        },
        Language::Portuguese => match why {
            Refusal::Version { spoken } => format!("ele fala a versão {spoken} do HELLO"),
            Refusal::NoCommonMode => "ele não fala este modo".into(),
            Refusal::NoCommonIntegrity => "ele não verifica integridade deste jeito".into(),
            Refusal::MessageTooSmall { least } => format!("mensagem máxima abaixo de {least} bytes"),
            Refusal::Full => "ele já tem tantos clientes quantos aceita".into(),
            Refusal::Closing => "ele está encerrando".into(),
            Refusal::Other(code) => format!("razão {code}, que uma versão posterior conhece"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aperto_app::hello::Ask;

    #[test]
    fn an_ask_is_told_by_its_fields_and_why() {
        let ask = Ask {
            acknowledgement: Acknowledgement::Group,
            negative: Negative::On,
            ..Ask::new(Mode::GoBackN)
        };
        let message = Message::read_octets(&Hello::Ask { session: 1, ask }.encode()).unwrap();
        assert_eq!(message.name(), "ASK");
        assert_eq!(message.fields(Language::English), "gbn max=100 len=4 win=5 ack=group nack checksum");
        assert_eq!(
            message.why(Language::Portuguese).full(),
            "propõe Go-Back-N: mensagens até 100 bytes, 4 por pacote, janela 5"
        );
        let fin = Message::read_octets(&Control::Fin { packets: 8 }.encode(1)).unwrap();
        assert_eq!((fin.name(), fin.fields(Language::Portuguese).as_str()), ("FIN", "8 DATA ao todo"));
        assert_eq!(Message::read_octets(b"APTO"), None);
    }
}
