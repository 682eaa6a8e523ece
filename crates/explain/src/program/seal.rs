//! What the program says of sealed datagrams: `--secure` with a textbook protocol.
//!
//! Values with their numbers; each language an exhaustive `match`. What does not open is told where it
//! is recorded (`text`), packet by packet; here are the key, the totals, and why there are no keys.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_time::Duration;

use super::{Exit, Notice};
use crate::Language;
use crate::quantity::duration;

/// What the program says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum SealSaying {
    /// A server seals: its key, in letters and in words.
    Serving { fingerprint: String, words: String },
    /// Client and server have keys; from here on every packet is sealed.
    Sealed,
    /// What the seal did, at the end.
    Totals { sealed: u64, opened: u64, damaged_or_forged: u64, copies: u64 },
}

impl SealSaying {
    pub(super) fn lines(&self, language: Language) -> Vec<String> {
        match language {
            Language::English => saying_en(self),
            Language::Portuguese => saying_pt(self),
        }
    }
}

fn saying_en(saying: &SealSaying) -> Vec<String> {
    match saying {
        SealSaying::Serving { fingerprint, words } => vec![
            "secure  each packet sealed by itself (ChaCha20-Poly1305), keys by Noise XX".into(),
            format!("key     {fingerprint}"),
            format!("words   {words}   (60 of its 130 bits, to read aloud)"),
        ],
        SealSaying::Sealed => vec![
            "[seal]      hello, answer, proof: both have keys; every packet is sealed now".into(),
            "[seal]      what does not open is dropped, and the timer sends it again".into(),
        ],
        SealSaying::Totals { sealed, opened, damaged_or_forged, copies } => {
            let mut lines = vec![format!("[seal]      {sealed} packets sealed, {opened} opened")];
            if *damaged_or_forged > 0 {
                let packets = if *damaged_or_forged == 1 { "packet" } else { "packets" };
                lines.push(format!(
                    "[seal]      {damaged_or_forged} damaged or forged {packets} dropped: the tag does not fit"
                ));
            }
            if *copies > 0 {
                lines.push(format!("[seal]      {copies} dropped that came twice or too late"));
            }
            lines
        }
    }
}

fn saying_pt(saying: &SealSaying) -> Vec<String> {
    match saying {
        SealSaying::Serving { fingerprint, words } => vec![
            "seguro  cada pacote selado por si (ChaCha20-Poly1305), chaves por Noise XX".into(),
            format!("chave   {fingerprint}"),
            format!("palavr. {words}   (60 de 130 bits, para ler em voz alta)"),
        ],
        SealSaying::Sealed => vec![
            "[selo]      hello, resposta, prova: os dois têm chaves; agora tudo vai selado".into(),
            "[selo]      o que não abre é descartado, e o timer envia de novo".into(),
        ],
        SealSaying::Totals { sealed, opened, damaged_or_forged, copies } => {
            let mut lines = vec![format!("[selo]      {sealed} pacotes selados, {opened} abertos")];
            match damaged_or_forged {
                0 => {}
                1 => lines
                    .push("[selo]      1 pacote danificado ou forjado descartado: a tag não confere".into()),
                n => lines.push(format!(
                    "[selo]      {n} pacotes danificados ou forjados descartados: a tag não confere"
                )),
            }
            if *copies > 0 {
                lines.push(format!("[selo]      {copies} descartados por virem duas vezes ou tarde demais"));
            }
            lines
        }
    }
}

/// Why there are no keys.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum SealFault {
    /// Nobody answered the handshake.
    NoKeys { remote: SocketAddr, after: Duration },
    /// The peer showed our own key.
    OwnKey { remote: SocketAddr },
    /// The system gives no randomness.
    NoRandomness,
}

impl SealFault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::NoKeys { .. } => Exit::TimedOut,
            Self::OwnKey { .. } => Exit::Refused,
            Self::NoRandomness => Exit::NotHere,
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKeys { .. } => "no-keys",
            Self::OwnKey { .. } => "own-key",
            Self::NoRandomness => "no-randomness",
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        match (language, self) {
            (Language::English, Self::NoKeys { remote, after }) => {
                let after = duration(Language::English, *after);
                Notice::new(format!("no keys with {remote} after {after}; nothing was sent"))
                    .line("nobody answered the handshake of --secure, however often it was repeated")
                    .line("was the server started with the same protocol and --secure?")
            }
            (Language::Portuguese, Self::NoKeys { remote, after }) => {
                let after = duration(Language::Portuguese, *after);
                Notice::new(format!("sem chaves com {remote} após {after}; nada foi enviado"))
                    .line("ninguém respondeu ao handshake de --secure, por mais que se repetisse")
                    .line("o servidor foi iniciado com o mesmo protocolo e com --secure?")
            }
            (Language::English, Self::OwnKey { remote }) => {
                Notice::new(format!("{remote} shows our own key; nothing was sent"))
                    .line("somebody sends back what we say, or the key was copied")
            }
            (Language::Portuguese, Self::OwnKey { remote }) => {
                Notice::new(format!("{remote} mostra a nossa própria chave; nada foi enviado"))
                    .line("alguém devolve o que dizemos, ou a chave foi copiada")
            }
            (Language::English, Self::NoRandomness) => {
                Notice::new("this system gives no randomness, so no keys can be made")
            }
            (Language::Portuguese, Self::NoRandomness) => {
                Notice::new("este sistema não dá números aleatórios, e sem eles não há chaves")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wording::width;

    #[test]
    fn each_line_fits_eighty_columns_and_differs_by_language() {
        let remote = SocketAddr::from(([192, 168, 100, 200], 65_535));
        let after = Duration::from_millis(12_750);
        let fingerprint = "k7qf-2m5x-abcd-efgh-ijkl-mnop-qr".into();
        let words = "momo momo momo momo momo momo".into();
        let sayings = [
            SealSaying::Serving { fingerprint, words },
            SealSaying::Sealed,
            SealSaying::Totals { sealed: 99_999, opened: 99_999, damaged_or_forged: 1, copies: 99_999 },
            SealSaying::Totals { sealed: 1, opened: 1, damaged_or_forged: 99_999, copies: 0 },
        ];
        for saying in sayings {
            let (english, portuguese) = (saying.lines(Language::English), saying.lines(Language::Portuguese));
            assert_ne!(english, portuguese);
            for line in english.iter().chain(&portuguese) {
                assert!(width(line) <= 80, "{line}");
            }
        }
        for fault in
            [SealFault::NoKeys { remote, after }, SealFault::OwnKey { remote }, SealFault::NoRandomness]
        {
            let [english, portuguese] =
                [Language::English, Language::Portuguese].map(|language| fault.notice(language));
            assert_ne!(english.headline, portuguese.headline);
        }
    }
}
