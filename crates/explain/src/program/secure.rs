//! What the program says of secrecy: why there is none, whose key it is, what a listener still sees.
//!
//! Keys come as their fingerprints, already written out; nothing here knows TLS.

mod en;
mod pt;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_time::Duration;

use super::{Exit, FileTrouble, Notice};
use crate::Language;

/// Why there is no secrecy, or not any more.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum SecureFault {
    /// The server speaks in plain; perhaps it sent our own ClientHello back.
    PlainServer { remote: SocketAddr, echoed: bool },
    /// We serve, and the client speaks in plain.
    PlainClient { remote: SocketAddr },
    /// We speak in plain, and the server wants TLS.
    SpeaksTls { remote: SocketAddr },
    /// The peer speaks TLS, but no 1.3.
    OldTls { remote: SocketAddr },
    /// No handshake in time.
    NoHandshake { remote: SocketAddr, after: Duration },
    /// The server's key is not the one that was seen first.
    ChangedKey { server: String, file: String, line: usize, known: String, seen: String },
    /// The server's key is not the one in the address.
    WrongPin { server: String, wanted: String, seen: String },
    /// No service in common.
    WrongService { remote: SocketAddr },
    /// We serve, and the client names no service that we have.
    ClientNamesNoService { remote: SocketAddr, service: String },
    /// The stream ended before its end.
    CutOff { remote: SocketAddr, received: u64 },
    /// A record was changed on its way.
    Tampered { remote: SocketAddr, received: u64 },
    /// The peer sent an alert.
    Alert { remote: SocketAddr, alert: String },
    /// The peer broke the rules in another way.
    BrokenRules { remote: SocketAddr, what: String },
    /// Too many handshakes at once.
    Crowded { remote: SocketAddr, most: u64 },
    /// Others can read a file of secrets.
    OpenFile { file: String, mode: u32 },
    /// A file of ours is not what it should be.
    DamagedFile { file: String, line: usize },
    /// A file of ours cannot be read or written.
    BadFile { file: String, why: FileTrouble },
    /// Nobody says where keys belong.
    NoHome,
    /// An address that begins like one of ours and is none.
    BadAddress { value: String },
    /// A pin that is none.
    BadPin { value: String },
    /// Nothing is known of a server that should be forgotten.
    NotKnown { server: String, file: String },
    /// There is no key yet.
    NoKey { file: String },
    /// What the machine says.
    System { what: String },
}

impl SecureFault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::PlainServer { .. }
            | Self::PlainClient { .. }
            | Self::SpeaksTls { .. }
            | Self::OldTls { .. }
            | Self::BrokenRules { .. } => Exit::Foreign,
            Self::NoHandshake { .. } => Exit::TimedOut,
            Self::ChangedKey { .. }
            | Self::WrongPin { .. }
            | Self::WrongService { .. }
            | Self::ClientNamesNoService { .. }
            | Self::Crowded { .. }
            | Self::Alert { .. } => Exit::Refused,
            Self::CutOff { .. } | Self::Tampered { .. } | Self::NotKnown { .. } | Self::NoKey { .. } => {
                Exit::Failed
            }
            Self::OpenFile { .. } | Self::BadFile { .. } | Self::NoHome | Self::System { .. } => {
                Exit::NotHere
            }
            Self::DamagedFile { .. } => Exit::Unreadable,
            Self::BadAddress { .. } | Self::BadPin { .. } => Exit::Usage,
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PlainServer { .. } => "plain-server",
            Self::PlainClient { .. } => "plain-client",
            Self::SpeaksTls { .. } => "speaks-tls",
            Self::OldTls { .. } => "old-tls",
            Self::NoHandshake { .. } => "no-handshake",
            Self::ChangedKey { .. } => "changed-key",
            Self::WrongPin { .. } => "wrong-pin",
            Self::WrongService { .. } => "wrong-service",
            Self::ClientNamesNoService { .. } => "client-names-no-service",
            Self::CutOff { .. } => "cut-off",
            Self::Tampered { .. } => "tampered",
            Self::Alert { .. } => "alert",
            Self::BrokenRules { .. } => "broken-rules",
            Self::Crowded { .. } => "crowded",
            Self::OpenFile { .. } => "open-file",
            Self::DamagedFile { .. } => "damaged-file",
            Self::BadFile { .. } => "bad-file",
            Self::NoHome => "no-home",
            Self::BadAddress { .. } => "bad-secure-address",
            Self::BadPin { .. } => "bad-pin",
            Self::NotKnown { .. } => "not-known",
            Self::NoKey { .. } => "no-key",
            Self::System { .. } => "tls-system",
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        match language {
            Language::English => en::fault(self),
            Language::Portuguese => pt::fault(self),
        }
    }
}

/// Why a key is believed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Believed {
    /// The address named it.
    Pinned,
    /// It was seen before; it stands in this file.
    Known(String),
    /// It is seen for the first time; now it stands in this file.
    FirstSeen(String),
}

/// What the program says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum SecureSaying {
    /// A server will speak TLS: its key, in letters and in words.
    Serving { service: String, fingerprint: String, words: String, made: Option<String> },
    /// What to type in another terminal.
    NextClient { address: String, flags: String },
    /// The key came from another machine.
    OtherMachine { file: String },
    /// The client sends its ClientHello, in plain.
    HelloInPlain,
    /// The server answered, in plain still.
    HelloAnswered,
    /// The handshake is over; from here on all is encrypted.
    Secured { label: String, suite: String, group: String, service: String },
    /// Whose key it is.
    Key { fingerprint: String, words: String, believed: Believed },
    /// What whoever listens still sees.
    Listener,
    /// A client that came got no secure connection.
    NotSecured { label: String, fault: SecureFault },
    /// What came before the stream broke off was kept under this name.
    Partial { label: String, file: String, octets: u64 },
    /// A client speaks TLS to a server in plain.
    LooksLikeTls { label: String },
    /// What a client in plain is told, on the wire.
    PlainHint,
    /// Secrets are written into a file.
    KeyLogOn { file: String },
    /// Secrets are written into the recording.
    KeysInRecording { file: String },
    /// `key show`.
    KeyShown { fingerprint: String, words: String, key: String, certificate: String, openssl: String },
    /// `key new`.
    KeyMade { old: Option<String> },
    /// `key forget`.
    Forgotten { server: String, file: String },
}

impl SecureSaying {
    pub(super) fn lines(&self, language: Language) -> Vec<String> {
        match language {
            Language::English => en::saying(self),
            Language::Portuguese => pt::saying(self),
        }
    }
}

#[cfg(test)]
mod tests;
