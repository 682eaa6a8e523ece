//! `--secure` with a textbook protocol: whose key it is, on either side.
//!
//! A server's key is made of this machine's key, so that there is one secret to keep; a client has a
//! new key for each run, which tells nobody who it is. Known servers stand in the same list as those
//! of TLS, under `udp/HOST:PORT`: the keys of the two are not the same.

use std::net::SocketAddr;

use aperto_explain::program::Fault;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::seal::{SealFault, SealSaying};
use aperto_explain::program::secure::{Believed, SecureFault, SecureSaying};
use aperto_seal::{Failure, Identity, NoRandomness, PublicKey, Role};
use aperto_secure::{Address, Fingerprint, Known};
use aperto_time::{Duration, Instant};
use sha2::{Digest as _, Sha256};

use crate::arguments::read::{Client, Live};
use crate::live::net::End;
use crate::live::sealed::{Sealing, System, Told};
use crate::live::secure::{file_fault, home, shown};

/// What stands before a key of Curve25519 as SubjectPublicKeyInfo: RFC 8410 §4.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0];

/// The name of a key.
pub(super) fn fingerprint_of(key: PublicKey) -> Fingerprint {
    Fingerprint::of_public_key(&[SPKI.as_slice(), &key.0].concat())
}

fn no_randomness(_: NoRandomness) -> Fault {
    Fault::Seal(SealFault::NoRandomness)
}

/// What seals the packets of this end, and a server's key.
pub(super) fn sealing(live: &Live, end: End) -> Result<(Sealing, Option<Fingerprint>), Fault> {
    let protocol = live.protocol.name();
    if let End::Client { .. } = end {
        let identity = Identity::generate(&mut System).map_err(no_randomness)?;
        return Ok((Sealing::new(Role::Initiator, identity, protocol), None));
    }
    let machine = aperto_secure::Identity::open(&home()?).map_err(|error| file_fault(&error))?;
    let mut hash = Sha256::new();
    hash.update(b"aperto: the key for sealed datagrams");
    hash.update(machine.key().secret_der());
    let identity = Identity::from_private(hash.finalize().into());
    let fingerprint = fingerprint_of(identity.public());
    Ok((Sealing::new(Role::Responder, identity, protocol), Some(fingerprint)))
}

/// What a server says where it listens, and what to type next.
pub(super) fn greeting(key: Fingerprint, host: &str, port: u16, flags: &str) -> [Saying; 2] {
    let address = Address { host: host.into(), port: Some(port), pin: Some(key) };
    [
        Saying::Seal(SealSaying::Serving { fingerprint: key.to_string(), words: key.words() }),
        Saying::Secure(SecureSaying::NextClient { address: address.to_string(), flags: flags.into() }),
    ]
}

/// A client's opinion of the key that the server proved: what to say, or why it ends here.
pub(super) fn judged(job: &Client, key: PublicKey) -> Result<Saying, Fault> {
    let seen = fingerprint_of(key);
    let key = |believed| {
        let (fingerprint, words) = (seen.to_string(), seen.words());
        Ok(Saying::Secure(SecureSaying::Key { fingerprint, words, believed }))
    };
    let name = format!("udp/{}", job.host);
    let server = aperto_secure::known::name(&name, job.port);
    if let Some(wanted) = job.live.secure.as_ref().and_then(|asked| asked.pin) {
        if wanted != seen {
            let server = aperto_secure::known::name(&job.host, job.port);
            let (wanted, seen) = (wanted.to_string(), seen.to_string());
            return Err(Fault::Secure(SecureFault::WrongPin { server, wanted, seen }));
        }
        return key(Believed::Pinned);
    }
    let list = Known::in_folder(&home()?);
    let file = shown(list.file());
    match list.of(&name, job.port).map_err(|error| file_fault(&error))? {
        None => {
            list.add(&name, job.port, seen).map_err(|error| file_fault(&error))?;
            key(Believed::FirstSeen(file))
        }
        Some(entry) if entry.fingerprint == seen => key(Believed::Known(file)),
        Some(entry) => Err(Fault::Secure(SecureFault::ChangedKey {
            server,
            file,
            line: entry.line,
            known: entry.fingerprint.to_string(),
            seen: seen.to_string(),
        })),
    }
}

/// Why there will be no keys, as a fault.
pub(super) const fn failed(failure: Failure, remote: SocketAddr, after: Duration) -> Fault {
    Fault::Seal(match failure {
        Failure::OwnKey => SealFault::OwnKey { remote },
        Failure::NoRandomness => SealFault::NoRandomness,
        _ => SealFault::NoKeys { remote, after },
    })
}

/// What the seal did, if there is one.
pub(super) fn totals(sealing: Option<&Sealing>) -> Option<SealSaying> {
    let counters = sealing?.counters();
    Some(SealSaying::Totals {
        sealed: counters.sealed,
        opened: counters.opened,
        damaged_or_forged: counters.damaged_or_forged,
        copies: counters.replayed,
    })
}

/// A client hears of its server's key, or that there is none.
pub(super) fn heard(
    job: &Client,
    told: Told,
    remote: SocketAddr,
    since: Instant,
    now: Instant,
) -> Result<Saying, Fault> {
    match told {
        Told::Proved(key) => judged(job, key),
        Told::Failed(failure) => Err(failed(failure, remote, now.since(since))),
    }
}
