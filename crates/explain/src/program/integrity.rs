//! What `compare --integrity` says: four layers over one lying channel, and what checksums miss.
//!
//! Values with their numbers; each language an exhaustive `match` in a file of its own.

mod en;
mod pt;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::Duration;

use crate::Language;

/// What protects a file on its way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Layer {
    /// TCP and its checksum, and nothing else.
    None,
    /// A digest for each chunk, judged by the application.
    Digest,
    /// TLS 1.3 over TCP.
    Tls,
    /// Each packet sealed by itself, below TCP.
    Aead,
}

impl Layer {
    /// All of them, from the application that trusts to the seal below TCP.
    pub const ALL: [Self; 4] = [Self::None, Self::Digest, Self::Tls, Self::Aead];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Digest => "digest",
            Self::Tls => "tls",
            Self::Aead => "aead",
        }
    }

    /// The layer with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }
}

/// What is done to a text on its way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// One bit flips.
    OneBit,
    /// Two words of 16 bits change places.
    SwappedWords,
    /// The generator of CRC-32 is added to it.
    Generator,
    /// Somebody changes it, and computes everything again that needs no key.
    Recomputed,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OneBit, Self::SwappedWords, Self::Generator, Self::Recomputed];

    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OneBit => "one-bit",
            Self::SwappedWords => "swapped-words",
            Self::Generator => "crc-generator",
            Self::Recomputed => "recomputed",
        }
    }
}

/// What there is to say.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Integrity {
    /// What was compared, over which channel; the flags are the default ones.
    Compared { octets: u64, layers: usize, rtt: Duration, seed: u64, flags: String, default: bool },
    /// Damage that the checksums see: nothing to be learned from it here.
    NotRepaired,
    /// Plain TCP delivered this.
    Believed { wrong: u64, spots: u64, first: u64 },
    /// Nothing was wrong with what plain TCP delivered.
    BelievedRight,
    /// Chunks were asked for again.
    AskedAgain { times: u64 },
    /// Records did not open, connections ended.
    Reconnected { records: u64, handshakes: u64, cut_off: u64 },
    /// Packets did not open.
    Dropped { packets: u64, handshake_octets: u64 },
    /// The file never became whole.
    Unfinished { layer: Layer, delivered: u64, of: u64, tries: u64 },
    /// What the next table is.
    Checksums { octets: usize },
    /// What it teaches.
    Lesson,
    /// What to type next.
    Next,
}

impl Integrity {
    /// In words.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        match language {
            Language::English => en::lines(self),
            Language::Portuguese => pt::lines(self),
        }
    }
}

/// The heads of the table of layers.
#[must_use]
pub const fn heads(language: Language) -> [&'static str; 8] {
    match language {
        Language::English => {
            ["layer", "damaged", "noticed", "wrong bytes", "reconnects", "extra", "goodput", "of clean"]
        }
        Language::Portuguese => {
            ["camada", "danos", "notados", "bytes errados", "reconexões", "extra", "vazão", "do limpo"]
        }
    }
}

/// The heads of the table of checksums.
#[must_use]
pub const fn checksum_heads(language: Language) -> [&'static str; 5] {
    match language {
        Language::English => ["what happens to the text", "Internet", "CRC-32", "BLAKE3", "AEAD tag"],
        Language::Portuguese => ["o que acontece ao texto", "Internet", "CRC-32", "BLAKE3", "tag AEAD"],
    }
}

/// What is done to the text, in a few words.
#[must_use]
pub const fn change(language: Language, change: Change) -> &'static str {
    match (language, change) {
        (Language::English, Change::OneBit) => "one bit flips",
        (Language::Portuguese, Change::OneBit) => "um bit se inverte",
        (Language::English, Change::SwappedWords) => "two 16-bit words change places",
        (Language::Portuguese, Change::SwappedWords) => "duas palavras de 16 bits trocam",
        (Language::English, Change::Generator) => "the generator of CRC-32 is added",
        (Language::Portuguese, Change::Generator) => "soma-se o gerador do CRC-32",
        (Language::English, Change::Recomputed) => "somebody recomputes what he can",
        (Language::Portuguese, Change::Recomputed) => "alguém recalcula o que consegue",
    }
}

/// Whether it was noticed.
#[must_use]
pub const fn noticed(language: Language, noticed: bool) -> &'static str {
    match (language, noticed) {
        (Language::English, true) => "noticed",
        (Language::English, false) => "MISSED",
        (Language::Portuguese, true) => "notou",
        (Language::Portuguese, false) => "NÃO VIU",
    }
}
