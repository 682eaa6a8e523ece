//! What is spoken: TLS 1.3 and nothing else.
//!
//! RFC 8446. AES-128-GCM and ChaCha20-Poly1305; X25519, and P-256 for others. No tickets, so no
//! resumption and no early data: nothing can be replayed (RELIABILITY SC-8). TLS 1.2 is not compiled
//! in: there is nothing to fall back to. The server's key is checked by its fingerprint; that the
//! server has the key is checked by rustls, as for any certificate.

use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, KeyLog, ServerConfig, SignatureScheme,
};

use crate::identity::NAME;
use crate::{Fingerprint, Identity};

/// How long a handshake may take. RELIABILITY SC-6.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// How many handshakes a server does at once; each holds 64 KiB at most.
pub const MOST_HANDSHAKES: usize = 256;

/// The fatal alert `no_application_protocol` as a record, for before there are keys. RFC 7301 §3.2.
pub const NO_APPLICATION_PROTOCOL: [u8; 7] = [21, 3, 3, 0, 2, 2, 120];

fn provider() -> Arc<CryptoProvider> {
    use ring::cipher_suite::{TLS13_AES_128_GCM_SHA256, TLS13_CHACHA20_POLY1305_SHA256};
    Arc::new(CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256, TLS13_CHACHA20_POLY1305_SHA256],
        kx_groups: vec![ring::kx_group::X25519, ring::kx_group::SECP256R1],
        ..ring::default_provider()
    })
}

fn named(protocols: &[&str]) -> Vec<Vec<u8>> {
    protocols.iter().map(|name| name.as_bytes().to_vec()).collect()
}

/// How a server speaks: as who, and which service; a service may have several names.
///
/// # Errors
///
/// What rustls says of the key.
pub fn server(
    identity: &Identity,
    protocols: &[&str],
    secrets: Arc<dyn KeyLog>,
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate().clone()], identity.key())?;
    config.alpn_protocols = named(protocols);
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.key_log = secrets;
    Ok(Arc::new(config))
}

/// How a client speaks: which services it means, and which key it believes.
///
/// # Errors
///
/// What rustls says.
pub fn client(
    protocols: &[&str],
    check: &Arc<KeyCheck>,
    secrets: Arc<dyn KeyLog>,
) -> Result<Arc<ClientConfig>, Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<KeyCheck>::clone(check))
        .with_no_client_auth();
    config.alpn_protocols = named(protocols);
    config.resumption = Resumption::disabled();
    config.key_log = secrets;
    Ok(Arc::new(config))
}

/// The name that every client asks for: which machine is meant stays between the addresses.
///
/// # Panics
///
/// Never: the name is one.
#[must_use]
pub fn server_name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a short word is a name")
}

/// Checks a server's key: the one that is wanted, or any the first time.
#[derive(Debug)]
pub struct KeyCheck {
    wanted: Option<Fingerprint>,
    seen: OnceLock<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl KeyCheck {
    /// A check for this key; without one, whichever key is shown.
    #[must_use]
    pub fn new(wanted: Option<Fingerprint>) -> Arc<Self> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Arc::new(Self { wanted, seen: OnceLock::new(), algorithms })
    }

    /// The key that the server showed, if it came so far.
    #[must_use]
    pub fn seen(&self) -> Option<Fingerprint> {
        self.seen.get().copied()
    }

    /// The key that the server showed, where another one was wanted: both, the wanted one first.
    #[must_use]
    pub fn mismatch(&self) -> Option<(Fingerprint, Fingerprint)> {
        let (wanted, seen) = (self.wanted?, self.seen()?);
        (wanted != seen).then_some((wanted, seen))
    }
}

impl ServerCertVerifier for KeyCheck {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of_certificate(certificate)?;
        let seen = *self.seen.get_or_init(|| shown);
        if self.wanted.is_some_and(|wanted| wanted != shown) || seen != shown {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
