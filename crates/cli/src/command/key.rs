//! `aperto key`: this machine's key, and the servers whose keys are known.

use aperto_explain::program::saying::Saying;
use aperto_explain::program::secure::{SecureFault, SecureSaying};
use aperto_explain::program::{Exit, Fault};
use aperto_secure::known::name;
use aperto_secure::{Identity, Known};

use crate::arguments::secure::Key;
use crate::live::secure::{file_fault, home, shown};
use crate::looks::Looks;
use crate::output::Output;

/// Does what was asked.
pub(crate) fn run(job: &Key, looks: &Looks) -> Result<Exit, Fault> {
    let home = home()?;
    let found = || Identity::find(&home).map_err(|error| file_fault(&error));
    let missing = || {
        let file = shown(&home.join("server.key"));
        Fault::Secure(SecureFault::NoKey { file })
    };
    match job {
        Key::Show { host, port } => {
            let identity = found()?.ok_or_else(missing)?;
            say(
                &SecureSaying::KeyShown {
                    fingerprint: identity.fingerprint().to_string(),
                    words: identity.fingerprint().words(),
                    key: shown(&identity.key_file()),
                    certificate: shown(&identity.certificate_file()),
                    openssl: identity.openssl_line(host, *port),
                },
                looks,
            );
        }
        Key::Path => {
            let mut output = Output::new(looks);
            output.line(&shown(&found()?.ok_or_else(missing)?.key_file()));
            output.finish();
        }
        Key::New => {
            let had_one = home.join("server.key").exists();
            Identity::renew(&home).map_err(|error| file_fault(&error))?;
            let old = had_one.then(|| shown(&home.join("server.key.old")));
            say(&SecureSaying::KeyMade { old }, looks);
            return run(&Key::Show { host: "127.0.0.1".into(), port: 7000 }, looks);
        }
        Key::Forget { host, port } => {
            let known = Known::in_folder(&home);
            let (server, file) = (name(host, *port), shown(known.file()));
            if !known.forget(host, *port).map_err(|error| file_fault(&error))? {
                return Err(Fault::Secure(SecureFault::NotKnown { server, file }));
            }
            say(&SecureSaying::Forgotten { server, file }, looks);
        }
    }
    Ok(Exit::Done)
}

fn say(saying: &SecureSaying, looks: &Looks) {
    let mut output = Output::new(looks);
    for line in Saying::Secure(saying.clone()).lines(looks.language) {
        output.line(&line);
    }
    output.finish();
}
