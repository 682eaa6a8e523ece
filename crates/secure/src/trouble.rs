//! What went wrong with a secure stream, by name.

use std::fmt;
use std::io;

use rustls::{AlertDescription, ContentType, Error, HandshakeType, InvalidMessage, PeerIncompatible};

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// The peer does not speak TLS: what came is no record.
    PlainPeer,
    /// Our own ClientHello came back: the peer sends back what it gets.
    Echoed,
    /// The peer speaks TLS, but not 1.3.
    OldTls,
    /// No service in common, or none named.
    NoService,
    /// The peer's key is not the one that is wanted.
    WrongKey,
    /// The peer ended the stream without saying so: what came may not be all.
    CutOff,
    /// The connection below was reset.
    Reset,
    /// A record was changed on its way, or forged.
    Tampered,
    /// The peer is not content, and said why.
    Alert(String),
    /// The peer broke the rules of TLS in another way.
    BrokenRules(String),
    /// It has to do with the stream below, not with TLS.
    Below(io::ErrorKind),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    /// The name of what a stream says went wrong.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        if let Some(trouble) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return trouble.clone();
        }
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            return Self::of_tls(error);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutOff,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Reset,
            other => Self::Below(other),
        }
    }

    /// The name of what rustls says went wrong.
    #[must_use]
    pub fn of_tls(error: &Error) -> Self {
        match error {
            Error::InvalidMessage(InvalidMessage::InvalidContentType)
            | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion)
            | Error::InvalidMessage(InvalidMessage::MessageTooLarge)
            | Error::InvalidMessage(InvalidMessage::InvalidEmptyPayload) => Self::PlainPeer,
            Error::InappropriateHandshakeMessage { got_type: HandshakeType::ClientHello, .. } => Self::Echoed,
            Error::InappropriateMessage { got_type: ContentType::ApplicationData, .. } => Self::Tampered,
            Error::DecryptError => Self::Tampered,
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | Error::AlertReceived(AlertDescription::ProtocolVersion) => Self::OldTls,
            Error::NoApplicationProtocol | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                Self::NoService
            }
            Error::InvalidCertificate(_) => Self::WrongKey,
            Error::AlertReceived(AlertDescription::BadRecordMac | AlertDescription::DecryptError) => {
                Self::Tampered
            }
            Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            other => Self::BrokenRules(other.to_string()),
        }
    }
}
