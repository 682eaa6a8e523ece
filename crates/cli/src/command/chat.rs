//! `--chat` over TCP: the drivers of the room and of a member, which are machines of `aperto-app`.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `chat/server.rs` | a server's room, its members' connections, its operator |
//! | `chat/journal.rs` | the file that the journal is in |
//! | `chat/client.rs` | a member: the prompt, one connection after the other |

pub(crate) mod client;
pub(crate) mod journal;
pub(crate) mod server;

use std::io;
use std::time::Duration;

use aperto_time::Instant;
use aperto_tokio::clock;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The machines' time.
fn now() -> Duration {
    clock::now().since(Instant::ZERO)
}

/// Waits until a time of the machines; for ever, if there is none.
async fn until(at: Option<Duration>) {
    match at.and_then(|at| tokio::time::Instant::now().checked_add(at.saturating_sub(now()))) {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Octets of luck that nobody can guess.
fn token() -> Result<[u8; 16], aperto_explain::program::Fault> {
    let luck = aperto_tokio::secret()
        .map_err(|error| aperto_explain::program::Fault::System { what: error.to_string() })?;
    Ok(luck.first_chunk().copied().unwrap_or_default())
}

/// What one turn of writing did.
enum Pushed {
    Wrote(usize),
    Flushed,
}

/// Writes a part of what waits; once nothing does, sends what waits below for its record to be full.
/// Whoever stops waiting for it has lost nothing.
async fn push(writer: &mut (impl AsyncWrite + Unpin), pending: &[u8]) -> io::Result<Pushed> {
    if pending.is_empty() {
        return writer.flush().await.map(|()| Pushed::Flushed);
    }
    match writer.write(pending).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        octets => Ok(Pushed::Wrote(octets)),
    }
}
