//! A file over TLS 1.3 (rustls), as applications without I/O over any connection.
//!
//! The client says from which octet on it wants the file; the server sends from there. A record that
//! does not open ends the connection, as RFC 8446 §5.2 demands: over TCP a wrong tag means an
//! attacker, or damage that no checksum saw, and nobody can know which. What opened before is kept,
//! so that the next connection goes on from there. Nothing is sent again inside of TLS.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use aperto_app::pattern::Pattern;
use aperto_app::{Application, Ending, Tally, Want};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    ServerConfig, ServerConnection, SignatureScheme,
};

use super::dice;
use super::judge::Judge;

/// What is spoken inside.
const ALPN: &[u8] = b"aperto-compare/1";
/// The most octets that wait to be written.
const WAITING: usize = 128 << 10;

/// Both sides' settings: one key, which the client knows beforehand.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Settings {
    /// A key from the dealt randomness.
    pub(super) fn new() -> Result<Self, Error> {
        let provider = dice::provider();
        let key = server_key(&provider)?;
        let public = key.key.public_key().ok_or(Error::General("no public key".into()))?.into_owned();
        let versions = [&rustls::version::TLS13];
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::new(key))));
        server.send_tls13_tickets = 0;
        server.alpn_protocols = vec![ALPN.to_vec()];
        let algorithms = provider.signature_verification_algorithms;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { public, algorithms }))
            .with_no_client_auth();
        client.resumption = rustls::client::Resumption::disabled();
        client.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { client: Arc::new(client), server: Arc::new(server) })
    }
}

/// An Ed25519 key: its signatures need no randomness, and have one length.
fn server_key(provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let mut secret = [0; 32];
    provider.secure_random.fill(&mut secret).map_err(|_| Error::FailedToGetRandomBytes)?;
    // RFC 8410 §7: a private key of Ed25519 as PKCS #8.
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let key = PrivatePkcs8KeyDer::from([head.as_slice(), &secret].concat());
    let key = ring::sign::any_eddsa_type(&key)?;
    let public = key.public_key().ok_or(Error::General("no public key".into()))?;
    // RFC 7250: the key itself stands where a certificate would.
    let bare = CertificateDer::from(public.as_ref().to_vec());
    Ok(CertifiedKey::new(vec![bare], key))
}

/// Knows the server's key.
#[derive(Debug)]
struct Pinned {
    public: SubjectPublicKeyInfoDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if end_entity.as_ref() == self.public.as_ref() {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(message, &self.public, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// Why a connection of TLS ended before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// A record did not open here: `bad_record_mac`.
    BadRecord,
    /// The peer says that a record did not open there.
    BadRecordThere,
    /// Something else was wrong, here or there: damage before the keys were agreed on.
    Handshake,
    /// The connection below ended.
    CutOff,
}

fn trouble(error: &Error) -> Trouble {
    match error {
        Error::DecryptError => Trouble::BadRecord,
        Error::AlertReceived(AlertDescription::BadRecordMac) => Trouble::BadRecordThere,
        _ => Trouble::Handshake,
    }
}

/// What the client and the server do alike.
#[derive(Debug, Default)]
struct Line {
    outbox: Vec<u8>,
    written: usize,
    received: Tally,
    sent: Tally,
    trouble: Option<Trouble>,
    closing: bool,
    aborting: bool,
    closed: bool,
    /// What TLS holds cannot be copied: a clone of an open one gives up.
    is_copy: bool,
    ending: Option<Ending>,
}

impl Line {
    fn wrote(&mut self, octets: usize) {
        let waiting = self.outbox.get(self.written..).unwrap_or_default();
        self.sent.add(waiting.get(..octets.min(waiting.len())).unwrap_or_default());
        self.written += octets;
        if self.written >= self.outbox.len() {
            self.outbox.clear();
            self.written = 0;
        }
    }

    fn waits(&self) -> usize {
        self.outbox.len() - self.written
    }

    fn want(&mut self) -> Option<Want<'_>> {
        if self.closed {
            return None;
        }
        if self.is_copy || self.aborting {
            self.closed = true;
            return Some(Want::Abort);
        }
        if self.written < self.outbox.len() {
            return self.outbox.get(self.written..).map(Want::Write);
        }
        if self.closing {
            self.closed = true;
            return Some(Want::Close);
        }
        None
    }

    /// Something is wrong; what TLS has to say about it (an alert) still goes out.
    fn fails(&mut self, trouble: Trouble) {
        self.trouble = self.trouble.or(Some(trouble));
        self.closing = true;
    }
}

/// The client: reads a file from where it stopped.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) judge: Judge,
    /// Which of the client's connections it is, from 1.
    pub(super) number: u64,
    pub(super) complete_at: Option<Duration>,
    settings: Settings,
    tls: Option<Box<ClientConnection>>,
    line: Line,
}

impl Clone for Reading {
    /// Of one that is not open: one that is not open. See [`aperto_app::Guest`].
    fn clone(&self) -> Self {
        let mut clone = Self::new(self.settings.clone(), self.judge.clone(), self.number);
        clone.line.is_copy = self.tls.is_some();
        clone
    }
}

impl Reading {
    /// Goes on where the judge has got to.
    pub(super) fn new(settings: Settings, judge: Judge, number: u64) -> Self {
        Self { judge, number, complete_at: None, settings, tls: None, line: Line::default() }
    }

    /// The next connection, which goes on where this one stopped.
    pub(super) fn again(&self, number: u64) -> Self {
        Self::new(self.settings.clone(), self.judge.clone(), number)
    }

    /// Why this connection is of no more use, if it is not.
    pub(super) const fn trouble(&self) -> Option<Trouble> {
        self.line.trouble
    }

    fn open(&mut self) -> Result<(), Error> {
        let name = ServerName::try_from("aperto").map_err(|_| Error::General("a name".into()))?;
        let mut tls = ClientConnection::new(self.settings.client.clone(), name)?;
        // Wanted before the keys are there; goes out with them.
        tls.writer().write_all(&self.judge.taken().to_le_bytes()).map_err(|error| general(&error))?;
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    fn read(&mut self, now: Duration, mut octets: &[u8]) -> Result<(), Error> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while !octets.is_empty() {
            tls.read_tls(&mut octets).map_err(|error| general(&error))?;
            let state = tls.process_new_packets();
            // What opened before a record that did not is the file's.
            let mut text = Vec::new();
            let _ = tls.reader().read_to_end(&mut text);
            self.judge.takes(&text);
            if self.judge.has_all() && self.complete_at.is_none() {
                self.complete_at = Some(now);
                tls.send_close_notify();
                self.line.closing = true;
            }
            state?;
        }
        Ok(())
    }

    fn collect(&mut self) {
        let Some(tls) = &mut self.tls else { return };
        while tls.wants_write() && self.line.waits() < WAITING {
            // Writing to memory does not fail.
            let _ = tls.write_tls(&mut self.line.outbox);
        }
    }
}

fn general(error: &std::io::Error) -> Error {
    Error::General(error.to_string())
}

impl Application for Reading {
    fn opened(&mut self, _now: Duration) {
        if let Err(error) = self.open() {
            self.line.fails(trouble(&error));
        }
    }

    fn appetite(&self, _now: Duration) -> usize {
        usize::MAX
    }

    fn readable(&mut self, now: Duration, octets: &[u8]) {
        self.line.received.add(octets);
        if self.line.trouble.is_none()
            && self.complete_at.is_none()
            && let Err(error) = self.read(now, octets)
        {
            self.line.fails(trouble(&error));
        }
    }

    fn peer_closed(&mut self, _now: Duration) {
        if self.complete_at.is_none() {
            self.line.fails(Trouble::CutOff);
        }
        self.line.closing = true;
    }

    fn ended(&mut self, _now: Duration, ending: Ending) {
        if self.complete_at.is_none() {
            self.line.fails(Trouble::CutOff);
        }
        self.line.ending = Some(ending);
        self.line.closed = true;
    }

    fn deadline_passed(&mut self, _now: Duration) {}

    fn poll_want(&mut self, _now: Duration) -> Option<Want<'_>> {
        self.collect();
        self.line.want()
    }

    fn wrote(&mut self, octets: usize) {
        self.line.wrote(octets);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        None
    }

    fn received(&self) -> Tally {
        self.line.received
    }

    fn sent(&self) -> Tally {
        self.line.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.line.ending
    }
}

/// The server: sends a file from where it is asked to.
#[derive(Debug)]
pub(super) struct Sending {
    file: Pattern,
    seed: u64,
    octets: u64,
    settings: Settings,
    tls: Option<Box<ServerConnection>>,
    asked: Vec<u8>,
    /// What is sent next, once it has been asked for.
    at: Option<u64>,
    line: Line,
}

impl Clone for Sending {
    /// Of one that is not open: one that is not open. See [`aperto_app::Guest`].
    fn clone(&self) -> Self {
        let mut clone = Self::new(self.settings.clone(), self.seed, self.octets);
        clone.line.is_copy = self.tls.is_some();
        clone
    }
}

impl Sending {
    pub(super) fn new(settings: Settings, seed: u64, octets: u64) -> Self {
        let (file, asked, line) = (Pattern::new(seed), Vec::new(), Line::default());
        Self { file, seed, octets, settings, tls: None, asked, at: None, line }
    }

    fn read(&mut self, mut octets: &[u8]) -> Result<(), Error> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while !octets.is_empty() {
            tls.read_tls(&mut octets).map_err(|error| general(&error))?;
            tls.process_new_packets()?;
            let _ = tls.reader().read_to_end(&mut self.asked);
        }
        if self.at.is_none()
            && let Some(asked) = self.asked.first_chunk()
        {
            self.at = Some(u64::from_le_bytes(*asked).min(self.octets));
        }
        Ok(())
    }

    /// Lets TLS seal as much of the file as may wait.
    fn collect(&mut self) {
        let Some(tls) = &mut self.tls else { return };
        while self.line.waits() < WAITING {
            if tls.wants_write() {
                let _ = tls.write_tls(&mut self.line.outbox);
                continue;
            }
            let Some(at) = self.at.filter(|&at| at < self.octets && self.line.trouble.is_none()) else {
                return;
            };
            // A record carries 16,384 octets at most: RFC 8446 §5.1.
            let mut chunk = vec![0; usize::try_from(self.octets - at).unwrap_or(usize::MAX).min(1 << 14)];
            self.file.fill(at, &mut chunk);
            if tls.writer().write_all(&chunk).is_err() {
                return;
            }
            let next = at + chunk.len() as u64;
            self.at = Some(next);
            if next >= self.octets {
                tls.send_close_notify();
            }
        }
    }
}

impl Application for Sending {
    fn opened(&mut self, _now: Duration) {
        match ServerConnection::new(self.settings.server.clone()) {
            Ok(tls) => self.tls = Some(Box::new(tls)),
            Err(error) => self.line.fails(trouble(&error)),
        }
    }

    fn appetite(&self, _now: Duration) -> usize {
        usize::MAX
    }

    fn readable(&mut self, _now: Duration, octets: &[u8]) {
        self.line.received.add(octets);
        if self.line.trouble.is_none()
            && let Err(error) = self.read(octets)
        {
            // Who says that something is wrong has closed, and wants nothing of what waits.
            self.line.aborting = matches!(error, Error::AlertReceived(_));
            self.line.fails(trouble(&error));
        }
    }

    fn peer_closed(&mut self, _now: Duration) {
        self.line.closing = true;
        self.at = None;
    }

    fn ended(&mut self, _now: Duration, ending: Ending) {
        self.line.ending = Some(ending);
        self.line.closed = true;
        self.tls = None;
    }

    fn deadline_passed(&mut self, _now: Duration) {}

    fn poll_want(&mut self, _now: Duration) -> Option<Want<'_>> {
        if !self.line.closed {
            self.collect();
        }
        self.line.want()
    }

    fn wrote(&mut self, octets: usize) {
        self.line.wrote(octets);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        None
    }

    fn received(&self) -> Tally {
        self.line.received
    }

    fn sent(&self) -> Tally {
        self.line.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.line.ending
    }
}
