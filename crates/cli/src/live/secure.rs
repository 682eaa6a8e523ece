//! `--secure` on a real wire: the key, the handshake, and what is said of both.
//!
//! Nothing falls back. A client that gets no TLS 1.3, or not the key that it wants, has sent its
//! hello and nothing else; a server takes no text in plain, and says so to who tries.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aperto_explain::Language;
use aperto_explain::program::Fault;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::secure::{Believed, SecureFault, SecureSaying};
use aperto_secure::identity::{Machine, Origin};
use aperto_secure::known::{Entry, name};
use aperto_secure::rustls::{ClientConfig, KeyLog, NoKeyLog, ServerConfig};
use aperto_secure::secrets::Recorded;
use aperto_secure::tls::{self, KeyCheck};
use aperto_secure::{Address, FileError, Fingerprint, Identity, Known, Secrets, Trouble, alpn};
use aperto_tokio::{Conversation, NotSecured};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

use super::scribe::SharedScribe;
use crate::arguments::read::Service;
use crate::arguments::secure::Secure;
use crate::environment::Environment;
use crate::looks::Looks;
use crate::output::banner;
use crate::record::trouble;

/// How long a client in plain may take to read that it should not be, and how much of it is read.
const HINT_PATIENCE: Duration = Duration::from_secs(1);
const HINT_OCTETS: u64 = 1 << 16;

/// Where keys are: `APERTO_HOME`, or beside the settings.
pub(crate) fn home() -> Result<PathBuf, Fault> {
    if let Some(home) = Environment::variable("APERTO_HOME") {
        return Ok(home.into());
    }
    let folder = crate::settings::home().ok_or(Fault::Secure(SecureFault::NoHome))?;
    Ok(folder.join("aperto"))
}

/// A file as it is shown.
pub(crate) fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// What is the matter with a file of keys, as a fault.
pub(crate) fn file_fault(error: &FileError) -> Fault {
    Fault::Secure(match error {
        FileError::Open { file, mode } => SecureFault::OpenFile { file: shown(file), mode: *mode },
        FileError::Damaged { file, line } => SecureFault::DamagedFile { file: shown(file), line: *line },
        FileError::Io { file, error } => SecureFault::BadFile { file: shown(file), why: trouble(error) },
        other => SecureFault::System { what: other.to_string() },
    })
}

fn system(error: &impl ToString) -> Fault {
    Fault::Secure(SecureFault::System { what: error.to_string() })
}

/// How a service is called in the handshake.
const fn protocol_of(service: &Service) -> &'static str {
    match service {
        Service::Receipt => alpn::RECEIPT,
        Service::Echo => alpn::ECHO,
        Service::Upper => alpn::UPPER,
        Service::Sink | Service::Out(_) => alpn::SINK,
        Service::Chat => alpn::TALK,
        Service::Files => alpn::TRANSFER,
        Service::Text(_) => alpn::TEXT,
    }
}

/// Where the secrets go, if anybody wants them; whoever runs it is told in red.
fn secrets(asked: &Secure, recording: Option<&str>, looks: &Looks) -> Result<Option<Arc<Secrets>>, Fault> {
    if asked.key_log.is_none() && !asked.with_keys {
        return Ok(None);
    }
    let recorded = if asked.with_keys { Recorded::Yes } else { Recorded::No };
    let secrets = Secrets::new(asked.key_log.as_deref().map(Path::new), recorded)
        .map_err(|error| file_fault(&error))?;
    let mut said = Vec::new();
    if let Some(file) = &asked.key_log {
        said.push(SecureSaying::KeyLogOn { file: file.clone() });
    }
    if let (true, Some(file)) = (asked.with_keys, recording) {
        said.push(SecureSaying::KeysInRecording { file: file.into() });
    }
    for saying in said {
        for line in Saying::Secure(saying).lines(looks.language) {
            banner(looks, &line);
        }
    }
    Ok(Some(Arc::new(secrets)))
}

fn key_log(secrets: Option<&Arc<Secrets>>) -> Arc<dyn KeyLog> {
    match secrets {
        Some(secrets) => Arc::<Secrets>::clone(secrets),
        None => Arc::new(NoKeyLog {}),
    }
}

/// What a stream that was secure says went wrong, as a fault.
pub(crate) fn broken(error: &std::io::Error, remote: SocketAddr, received: u64) -> Option<Fault> {
    Some(Fault::Secure(match Trouble::of(error) {
        Trouble::CutOff | Trouble::Reset => SecureFault::CutOff { remote, received },
        Trouble::Below(_) => return None,
        // After a handshake what is no record is a damaged one.
        Trouble::Tampered | Trouble::PlainPeer | Trouble::Echoed => {
            SecureFault::Tampered { remote, received }
        }
        other => of_trouble(other, remote),
    }))
}

/// What goes wrong in a handshake, as a fault.
fn of_trouble(trouble: Trouble, remote: SocketAddr) -> SecureFault {
    match trouble {
        Trouble::PlainPeer => SecureFault::PlainServer { remote, echoed: false },
        Trouble::Echoed => SecureFault::PlainServer { remote, echoed: true },
        Trouble::OldTls => SecureFault::OldTls { remote },
        Trouble::NoService => SecureFault::WrongService { remote },
        Trouble::CutOff | Trouble::Reset => SecureFault::CutOff { remote, received: 0 },
        Trouble::Tampered => SecureFault::Tampered { remote, received: 0 },
        Trouble::Alert(alert) => SecureFault::Alert { remote, alert },
        Trouble::BrokenRules(what) => SecureFault::BrokenRules { remote, what },
        other => SecureFault::BrokenRules { remote, what: other.to_string() },
    }
}

/// A server's side.
pub(crate) struct ServerSide {
    config: Arc<ServerConfig>,
    identity: Identity,
    protocol: &'static str,
    /// Handshakes that may still begin. RELIABILITY SC-6.
    places: Semaphore,
    language: Language,
    secrets: Option<Arc<Secrets>>,
}

impl ServerSide {
    /// The key of this machine, ready to serve.
    pub(crate) fn prepare(
        asked: &Secure,
        service: &Service,
        recording: Option<&str>,
        looks: &Looks,
    ) -> Result<Self, Fault> {
        let identity = Identity::open(&home()?).map_err(|error| file_fault(&error))?;
        let secrets = secrets(asked, recording, looks)?;
        let protocol = protocol_of(service);
        // In the room of a chat there is a place for programs and for persons.
        let protocols: &[&str] =
            if *service == Service::Chat { &[alpn::CHAT, protocol] } else { &[protocol] };
        let config =
            tls::server(&identity, protocols, key_log(secrets.as_ref())).map_err(|error| system(&error))?;
        let places = Semaphore::new(tls::MOST_HANDSHAKES);
        Ok(Self { config, identity, protocol, places, language: looks.language, secrets })
    }

    /// The recording that wants the secrets has them from here on.
    pub(crate) fn record(&self, scribe: Option<&SharedScribe>) {
        if let (Some(scribe), Some(secrets)) = (scribe, &self.secrets) {
            scribe.lock().record_secrets(Arc::clone(secrets));
        }
    }

    /// What to say where it listens, and what to type next.
    pub(crate) fn greeting(&self, host: &str, port: u16, flags: &str) -> Vec<Saying> {
        let fingerprint = self.identity.fingerprint();
        let made = (self.identity.origin() == Origin::Made).then(|| shown(&self.identity.key_file()));
        let address = Address { host: host.into(), port: Some(port), pin: Some(fingerprint) };
        let mut sayings = vec![SecureSaying::Serving {
            service: self.protocol.into(),
            fingerprint: fingerprint.to_string(),
            words: fingerprint.words(),
            made,
        }];
        if self.identity.machine() == Machine::Another {
            sayings.push(SecureSaying::OtherMachine { file: shown(&self.identity.key_file()) });
        }
        sayings.push(SecureSaying::NextClient { address: address.to_string(), flags: flags.into() });
        sayings.into_iter().map(Saying::Secure).collect()
    }

    /// Does the handshake with a client that came.
    pub(crate) async fn protect(
        &self,
        conversation: Conversation,
        remote: SocketAddr,
    ) -> Result<Conversation, SecureFault> {
        let Ok(_place) = self.places.try_acquire() else {
            conversation.abort();
            return Err(SecureFault::Crowded { remote, most: tls::MOST_HANDSHAKES as u64 });
        };
        let secured = conversation.secured_for_client(Arc::clone(&self.config)).await;
        let (fault, plain) = match secured {
            Ok(secured) => return Ok(secured),
            Err(NotSecured::TimedOut { plain }) => {
                (SecureFault::NoHandshake { remote, after: tls::PATIENCE }, plain)
            }
            Err(NotSecured::Failed { trouble: Trouble::PlainPeer, plain }) => {
                (SecureFault::PlainClient { remote }, plain)
            }
            Err(NotSecured::Failed { trouble: Trouble::NoService, plain }) => {
                (SecureFault::ClientNamesNoService { remote, service: self.protocol.into() }, plain)
            }
            Err(NotSecured::Failed { trouble, plain }) => (of_trouble(trouble, remote), plain),
        };
        if let Some(plain) = plain {
            let hint = Saying::Secure(SecureSaying::PlainHint).text(self.language);
            // A client that does not read it has had its chance.
            let _ = tokio::time::timeout(HINT_PATIENCE, tell_in_plain(plain, &hint)).await;
        }
        Err(fault)
    }
}

/// Says one line to a client in plain, and hears it out so that the line is not lost to a reset.
async fn tell_in_plain(mut plain: Conversation, hint: &str) {
    let told = plain.write_all(format!("{hint}\n").as_bytes()).await;
    if told.is_ok() && plain.shutdown().await.is_ok() {
        let mut rest = plain.take(HINT_OCTETS);
        // What it says is nobody's business.
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
}

/// What a client means to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaks {
    /// Whatever the user says, to whichever service takes it.
    Octets,
    /// A handshake told in text.
    Text,
    /// Files.
    Files,
    /// The frames of a chat.
    Chat,
}

impl Speaks {
    const fn protocols(self) -> &'static [&'static str] {
        match self {
            Self::Octets => &alpn::OCTETS,
            Self::Text => &[alpn::TEXT],
            Self::Files => &[alpn::TRANSFER],
            Self::Chat => &[alpn::CHAT],
        }
    }
}

/// A client's side.
pub(crate) struct ClientSide {
    config: Arc<ClientConfig>,
    check: Arc<KeyCheck>,
    known: Known,
    entry: Option<Entry>,
    pinned: bool,
    host: String,
    port: u16,
    secrets: Option<Arc<Secrets>>,
}

impl ClientSide {
    /// What is known of the server, before anything is sent.
    pub(crate) fn prepare(
        asked: &Secure,
        host: &str,
        port: u16,
        speaks: Speaks,
        recording: Option<&str>,
        looks: &Looks,
    ) -> Result<Self, Fault> {
        let known = match asked.pin {
            // An address that names the key needs no list, and so no place for one.
            Some(_) => Known::in_folder(&home().unwrap_or_default()),
            None => Known::in_folder(&home()?),
        };
        let entry = match asked.pin {
            Some(_) => None,
            None => known.of(host, port).map_err(|error| file_fault(&error))?,
        };
        let check = KeyCheck::new(asked.pin.or(entry.map(|entry| entry.fingerprint)));
        let secrets = secrets(asked, recording, looks)?;
        let config = tls::client(speaks.protocols(), &check, key_log(secrets.as_ref()))
            .map_err(|error| system(&error))?;
        let (pinned, host) = (asked.pin.is_some(), host.into());
        Ok(Self { config, check, known, entry, pinned, host, port, secrets })
    }

    /// The recording that wants the secrets has them from here on.
    pub(crate) fn record(&self, scribe: Option<&SharedScribe>) {
        if let (Some(scribe), Some(secrets)) = (scribe, &self.secrets) {
            scribe.lock().record_secrets(Arc::clone(secrets));
        }
    }

    /// Does the handshake. Nothing of the user's has been sent before it is over.
    pub(crate) async fn protect(
        &self,
        conversation: Conversation,
        remote: SocketAddr,
        mut say: impl FnMut(SecureSaying),
    ) -> Result<Conversation, Fault> {
        say(SecureSaying::HelloInPlain);
        // A recording waits for the secrets: a reader needs them before the frames that they open.
        let _expected = self.secrets.as_ref().map(|secrets| secrets.expect());
        let secured = match conversation.secured_to_server(Arc::clone(&self.config)).await {
            Ok(secured) => secured,
            Err(NotSecured::TimedOut { .. }) => {
                return Err(Fault::Secure(SecureFault::NoHandshake { remote, after: tls::PATIENCE }));
            }
            Err(NotSecured::Failed { trouble, .. }) => {
                let mismatch = self.mismatch();
                return Err(Fault::Secure(mismatch.unwrap_or_else(|| of_trouble(trouble, remote))));
            }
        };
        say(SecureSaying::HelloAnswered);
        if let Some(agreed) = secured.agreed() {
            say(SecureSaying::Secured {
                label: String::new(),
                suite: agreed.suite,
                group: agreed.group,
                service: agreed.protocol,
            });
        }
        if let Some(seen) = self.check.seen() {
            let believed = self.believe(seen)?;
            say(SecureSaying::Key { fingerprint: seen.to_string(), words: seen.words(), believed });
        }
        say(SecureSaying::Listener);
        Ok(secured)
    }

    /// Why a key that was shown and proven is believed; one that is seen first is kept.
    ///
    /// The list is asked once more: an earlier connection of ours, or another program, may have
    /// kept a key meanwhile.
    fn believe(&self, seen: Fingerprint) -> Result<Believed, Fault> {
        if self.pinned {
            return Ok(Believed::Pinned);
        }
        let file = shown(self.known.file());
        match self.known.of(&self.host, self.port).map_err(|error| file_fault(&error))? {
            Some(entry) if entry.fingerprint == seen => Ok(Believed::Known(file)),
            Some(entry) => Err(Fault::Secure(self.changed(entry, seen))),
            None => {
                let kept = self.known.add(&self.host, self.port, seen);
                kept.map_err(|error| file_fault(&error))?;
                Ok(Believed::FirstSeen(file))
            }
        }
    }

    fn changed(&self, entry: Entry, seen: Fingerprint) -> SecureFault {
        SecureFault::ChangedKey {
            server: name(&self.host, self.port),
            file: shown(self.known.file()),
            line: entry.line,
            known: entry.fingerprint.to_string(),
            seen: seen.to_string(),
        }
    }

    /// Another key than the wanted one, as a fault.
    fn mismatch(&self) -> Option<SecureFault> {
        let (wanted, seen) = self.check.mismatch()?;
        Some(match self.entry {
            Some(entry) => self.changed(entry, seen),
            None => SecureFault::WrongPin {
                server: name(&self.host, self.port),
                wanted: wanted.to_string(),
                seen: seen.to_string(),
            },
        })
    }
}

/// Whether the first octets that a client in plain gets say that the server wants TLS: an alert, or
/// the hint that our servers give.
pub(crate) fn wants_tls(octets: &[u8]) -> bool {
    let hints = [Language::English, Language::Portuguese]
        .map(|language| Saying::Secure(SecureSaying::PlainHint).text(language));
    let is_hint = hints.iter().any(|hint| octets.strip_suffix(b"\n") == Some(hint.as_bytes()));
    is_hint || matches!(octets, [0x15, 3, _, 0, 2, ..])
}

/// Whether the first octets that a server in plain gets are a ClientHello. RFC 8446 §5.1.
pub(crate) fn is_client_hello(octets: &[u8]) -> bool {
    matches!(octets, [0x16, 3, 1 | 3, _, _, 1, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that connects again, and two clients at once.
    #[test]
    fn a_key_is_kept_once_and_another_one_that_came_meanwhile_is_refused() {
        let folder = std::env::temp_dir().join(format!("aperto-believe-{}", std::process::id()));
        let check = KeyCheck::new(None);
        let side = || ClientSide {
            config: tls::client(&alpn::OCTETS, &check, Arc::new(NoKeyLog {})).unwrap(),
            check: Arc::clone(&check),
            known: Known::in_folder(&folder),
            entry: None,
            pinned: false,
            host: "ana".into(),
            port: 7000,
            secrets: None,
        };
        let print = |of: &[u8]| Fingerprint::of_public_key(of);
        let (first, second) = (side(), side());
        assert!(matches!(first.believe(print(b"one")), Ok(Believed::FirstSeen(_))));
        assert!(matches!(first.believe(print(b"one")), Ok(Believed::Known(_))));
        assert!(matches!(second.believe(print(b"one")), Ok(Believed::Known(_))));
        let other = second.believe(print(b"two"));
        assert!(matches!(other, Err(Fault::Secure(SecureFault::ChangedKey { line: 2, .. }))), "{other:?}");
        let text = std::fs::read_to_string(folder.join("known_servers")).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn who_wants_tls_is_known_by_the_first_octets() {
        assert!(wants_tls(&[0x15, 3, 3, 0, 2, 2, 70]));
        for language in [Language::English, Language::Portuguese] {
            let hint = Saying::Secure(SecureSaying::PlainHint).text(language) + "\n";
            assert!(wants_tls(hint.as_bytes()));
            assert!(!wants_tls(format!("{hint}more").as_bytes()));
        }
        assert!(!wants_tls(b"hello") && !wants_tls(b""));
        assert!(is_client_hello(&[0x16, 3, 1, 2, 0, 1, 0]));
        assert!(!is_client_hello(&[0x16, 3, 1, 2, 0, 2]) && !is_client_hello(b"GET / "));
    }
}
