//! The secrets of connections, for who wants to read a recording of their own.
//!
//! The format is that of the NSS key log, which Wireshark reads: `LABEL RANDOM SECRET` in hexadecimal,
//! one line each. Off unless it is asked for; whoever has these lines reads everything.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::KeyLog;

use crate::files::{self, FileError};

/// Secrets that nobody fetches are not kept beyond this.
const MOST_WAITING: usize = 1 << 20;

/// Where secrets go: into a file, to whoever records, or both.
pub struct Secrets {
    file: Option<Mutex<File>>,
    waiting: Option<Mutex<String>>,
    handshakes: Arc<AtomicUsize>,
}

/// Whether a recording wants the secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl Secrets {
    /// Secrets for a key log, a recording, or both.
    ///
    /// # Errors
    ///
    /// The key log cannot be written, or others could read it.
    pub fn new(key_log: Option<&Path>, recorded: Recorded) -> Result<Self, FileError> {
        let file = match key_log {
            None => None,
            Some(path) => {
                let opened = files::private().append(true).create(true).open(path);
                let opened = opened.map_err(|error| FileError::io(path, error))?;
                files::only_its_owners(path, &opened)?;
                Some(Mutex::new(opened))
            }
        };
        let waiting = (recorded == Recorded::Yes).then(Mutex::default);
        Ok(Self { file, waiting, handshakes: Arc::default() })
    }

    /// The lines that came since the last call, for a recording.
    #[must_use]
    pub fn take(&self) -> String {
        self.waiting.as_ref().map(|waiting| std::mem::take(&mut *locked(waiting))).unwrap_or_default()
    }

    /// A handshake begins whose secrets will be known only when it is over: a recording waits as
    /// long as what this gives is not dropped.
    #[must_use]
    pub fn expect(&self) -> Expected {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
        Expected(Arc::clone(&self.handshakes))
    }

    /// Whether a handshake goes on.
    #[must_use]
    pub fn are_expected(&self) -> bool {
        self.handshakes.load(Ordering::Relaxed) > 0
    }
}

/// See [`Secrets::expect`].
#[derive(Debug)]
pub struct Expected(Arc<AtomicUsize>);

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is behind the lock; a thread that panicked there had written a line or had not.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = format!("{label} ");
        let hexadecimal = |line: &mut String, octets: &[u8]| {
            for octet in octets {
                let _ = write!(line, "{octet:02x}");
            }
        };
        hexadecimal(&mut line, client_random);
        line.push(' ');
        hexadecimal(&mut line, secret);
        line.push('\n');
        if let Some(waiting) = &self.waiting {
            let mut waiting = locked(waiting);
            if waiting.len() + line.len() <= MOST_WAITING {
                waiting.push_str(&line);
            }
        }
        if let Some(file) = &self.file {
            // A key log that cannot be written any more must not end the connection.
            let _ = locked(file).write_all(line.as_bytes());
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("file", &self.file.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::Folder;

    #[test]
    fn a_key_log_has_a_line_for_each_secret_and_one_owner() {
        let folder = Folder::new();
        let file = folder.path().join("keys.log");
        for secret in [0xab, 0xcd] {
            let secrets = Secrets::new(Some(&file), Recorded::No).unwrap();
            secrets.log("CLIENT_TRAFFIC_SECRET_0", &[1, 2], &[secret]);
            assert_eq!(secrets.take(), "");
        }
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "CLIENT_TRAFFIC_SECRET_0 0102 ab\nCLIENT_TRAFFIC_SECRET_0 0102 cd\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
            let refused = Secrets::new(Some(&file), Recorded::No);
            assert!(matches!(refused, Err(FileError::Open { mode: 0o644, .. })), "{refused:?}");
        }
    }

    #[test]
    fn a_recording_gets_each_secret_once_and_knows_when_more_will_come() {
        let secrets = Secrets::new(None, Recorded::Yes).unwrap();
        assert!(!secrets.are_expected());
        let one = secrets.expect();
        let two = secrets.expect();
        drop(one);
        assert!(secrets.are_expected());
        secrets.log("L", &[0], &[1]);
        assert_eq!((secrets.take().as_str(), secrets.take().as_str()), ("L 00 01\n", ""));
        drop(two);
        assert!(!secrets.are_expected());
    }

    #[test]
    fn secrets_that_nobody_fetches_do_not_grow_without_end() {
        let secrets = Secrets::new(None, Recorded::Yes).unwrap();
        for _ in 0..20_000 {
            secrets.log("CLIENT_HANDSHAKE_TRAFFIC_SECRET", &[0; 32], &[0; 32]);
        }
        assert!(secrets.take().len() <= MOST_WAITING);
    }
}
