//! The server's key and its certificate.
//!
//! ECDSA on P-256, because every TLS speaks it (RFC 8446 §9.1); a certificate that it signs itself,
//! because a name for a key is all that is needed. `server.key` is made once, whole or not at all,
//! for its owner's eyes only; `server.pem` is made of it and may be given to anybody.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use crate::files::{self, Existing, FileError, Secret};
use crate::{Fingerprint, alpn};

/// The name in the certificate, and in the handshake: RFC 6066 §3.
pub const NAME: &str = "aperto";

const KEY_FILE: &str = "server.key";
const CERTIFICATE_FILE: &str = "server.pem";
/// Where the machine is remembered, in the text before the key (RFC 7468 §2 allows such text).
const MACHINE: &str = "machine: ";

/// A key, its certificate, and where they are.
#[derive(Debug)]
pub struct Identity {
    key: PrivateKeyDer<'static>,
    certificate: CertificateDer<'static>,
    fingerprint: Fingerprint,
    folder: PathBuf,
    origin: Origin,
    machine: Machine,
}

/// Where a key comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// It was there.
    Found,
    /// It was made just now.
    Made,
}

/// On which machine a key was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Machine {
    /// On this one, or nobody knows.
    This,
    /// On another: two machines may show the same key. RELIABILITY SC-11.
    Another,
}

impl Identity {
    /// The key in this folder; the first time it is made.
    ///
    /// # Errors
    ///
    /// The folder cannot be written, the key can be read by others, or is none.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        files::make_folder(folder)?;
        let file = folder.join(KEY_FILE);
        match files::read(&file, Secret::Yes) {
            Ok(text) => Self::of(folder, &text, Origin::Found),
            Err(error) if error.is_missing() => Self::make(folder, Existing::Keep),
            Err(error) => Err(error),
        }
    }

    /// The key in this folder, if there is one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn find(folder: &Path) -> Result<Option<Self>, FileError> {
        match files::read(&folder.join(KEY_FILE), Secret::Yes) {
            Ok(text) => Self::of(folder, &text, Origin::Found).map(Some),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A new key; the one before it is kept as `server.key.old`.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn renew(folder: &Path) -> Result<Self, FileError> {
        files::make_folder(folder)?;
        let file = folder.join(KEY_FILE);
        match files::read(&file, Secret::No) {
            Ok(old) => {
                files::write(&folder.join("server.key.old"), &old, Existing::Replace)?;
            }
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
        Self::make(folder, Existing::Replace)
    }

    fn make(folder: &Path, existing: Existing) -> Result<Self, FileError> {
        let file = folder.join(KEY_FILE);
        let failed = |error: rcgen::Error| FileError::io(&file, std::io::Error::other(error.to_string()));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let machine = this_machine().map_or_else(String::new, |machine| format!("{MACHINE}{machine}\n"));
        let pem = key.serialize_pem();
        let text =
            format!("The secret key of this machine's aperto servers. Show it to nobody.\n{machine}{pem}");
        if files::write(&file, &text, existing)? {
            return Self::of(folder, &text, Origin::Made);
        }
        // Another process was faster: its key is the one.
        Self::of(folder, &files::read(&file, Secret::Yes)?, Origin::Found)
    }

    /// Takes a key from its file's text, and the certificate that belongs to it.
    fn of(folder: &Path, text: &str, origin: Origin) -> Result<Self, FileError> {
        let damaged = || FileError::damaged(&folder.join(KEY_FILE), 1);
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| damaged())?;
        let key =
            KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).map_err(|_| damaged())?;
        let public_key = key.subject_public_key_info();
        let made_on = text.lines().find_map(|line| line.strip_prefix(MACHINE));
        let machine = match (made_on, this_machine()) {
            (Some(then), Some(now)) if then.trim() != now => Machine::Another,
            _ => Machine::This,
        };
        let certificate = certificate(folder, &key, &public_key)?;
        Ok(Self {
            key: PrivateKeyDer::Pkcs8(der),
            certificate,
            fingerprint: Fingerprint::of_public_key(&public_key),
            folder: folder.into(),
            origin,
            machine,
        })
    }

    /// What others know it by.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Where it comes from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Where it was made.
    #[must_use]
    pub const fn machine(&self) -> Machine {
        self.machine
    }

    /// The file with the secret key.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.join(KEY_FILE)
    }

    /// The file with the certificate.
    #[must_use]
    pub fn certificate_file(&self) -> PathBuf {
        self.folder.join(CERTIFICATE_FILE)
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The secret key.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// What to type to talk to a server with this key by OpenSSL, which is nobody of ours.
    #[must_use]
    pub fn openssl_line(&self, host: &str, port: u16) -> String {
        let host = if host.contains(':') { format!("[{host}]") } else { host.into() };
        let file = self.certificate_file();
        format!(
            "openssl s_client -connect {host}:{port} -servername {NAME} -alpn {} \
             -verify_return_error -CAfile {}",
            alpn::ECHO,
            file.display()
        )
    }
}

/// The certificate in the folder, or a new one where it is not this key's.
fn certificate(
    folder: &Path,
    key: &KeyPair,
    public_key: &[u8],
) -> Result<CertificateDer<'static>, FileError> {
    let file = folder.join(CERTIFICATE_FILE);
    if let Ok(text) = files::read(&file, Secret::No)
        && let Ok(found) = CertificateDer::from_pem_slice(text.as_bytes())
        && Fingerprint::of_certificate(&found).ok() == Some(Fingerprint::of_public_key(public_key))
    {
        return Ok(found);
    }
    let failed = |error: rcgen::Error| FileError::io(&file, std::io::Error::other(error.to_string()));
    let mut about = CertificateParams::new([NAME.to_owned()]).map_err(failed)?;
    about.distinguished_name.push(DnType::CommonName, NAME);
    about.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // A key is trusted because it is known, not because of a date: these are far away on purpose.
    about.not_before = rcgen::date_time_ymd(2020, 1, 1);
    about.not_after = rcgen::date_time_ymd(2120, 1, 1);
    let made = about.self_signed(key).map_err(failed)?;
    files::write(&file, &made.pem(), Existing::Replace)?;
    Ok(made.der().clone())
}

/// A name for this machine that says nothing about it, where the system has one.
fn this_machine() -> Option<String> {
    let id = std::fs::read_to_string("/etc/machine-id").ok()?;
    let id = id.trim();
    // Nobody else derives the same from it: machine-id(5) asks for that.
    let hash = Sha256::digest(format!("aperto {id}"));
    let short = hash.first_chunk::<8>().copied().map(u64::from_be_bytes)?;
    (!id.is_empty()).then(|| format!("{short:016x}"))
}

#[cfg(test)]
mod tests;
