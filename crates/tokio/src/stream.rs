//! A TCP connection as tokio's users know one.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aperto_host::CallError;
use aperto_host::ConnectionId;
use aperto_tcp::{CloseError, End, Nagle, ReceiveError, SendError, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock;
use crate::core::{Core, Hold, StreamState};
use crate::error::{ConnectError, Refusal};

/// An open TCP connection of our own stack.
///
/// Reads and writes like tokio's; `shutdown` is CLOSE (a half-close: reading goes on), dropping it
/// releases the connection: what was written is still delivered, unless something arrived that
/// nobody read, in which case the peer is told by a reset. RFC 9293 §3.6.1. Split it with
/// [`tokio::io::split`].
pub struct TcpStream {
    hold: Hold,
    id: ConnectionId,
    local: SocketAddr,
    remote: SocketAddr,
}

impl TcpStream {
    pub(crate) async fn open(
        hold: Hold,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        config: Option<Arc<aperto_tcp::Config>>,
    ) -> Result<Self, ConnectError> {
        let asked = clock::now();
        let stream = {
            let mut core = hold.lock();
            if core.stopped {
                return Err(ConnectError::Ended { remote });
            }
            core.refused_by_system = None;
            let (from, to) = (local.map(|local| core.inner(local)), core.inner(remote));
            let id = match config {
                Some(config) => core.host.connect_with(asked, from, to, config),
                None => core.host.connect(asked, from, to),
            };
            let id = id.map_err(|error| ConnectError::from_stack(error, remote))?;
            core.streams.insert(id, StreamState::default());
            core.wake_driver();
            let endpoints = core.host.endpoints(id);
            let local = endpoints.map(|endpoints| core.outer(endpoints.local)).or(local).unwrap_or(remote);
            drop(core);
            // Dropped before it is open, it is released.
            Self { hold, id, local, remote }
        };
        poll_fn(|context| {
            let mut core = stream.hold.lock();
            let stopped = core.stopped;
            let refused_by_system = core.refused_by_system == Some(remote);
            let Some(state) = core.streams.get_mut(&stream.id) else {
                return Poll::Ready(Err(ConnectError::Ended { remote }));
            };
            if let Some(end) = state.ended {
                let by = if refused_by_system { Refusal::PortUnreachable } else { Refusal::Reset };
                return Poll::Ready(Err(match end {
                    End::Refused => ConnectError::Refused { remote, by },
                    End::Unreachable if refused_by_system => ConnectError::Refused { remote, by },
                    End::Unreachable => ConnectError::Unreachable { remote },
                    End::TimedOut => ConnectError::TimedOut { remote, after: clock::now().since(asked) },
                    End::Reset => ConnectError::Refused { remote, by },
                    End::Closed | End::Aborted => ConnectError::Ended { remote },
                }));
            }
            if state.established {
                return Poll::Ready(Ok(()));
            }
            if stopped {
                return Poll::Ready(Err(ConnectError::Ended { remote }));
            }
            state.watchers.register(context);
            Poll::Pending
        })
        .await?;
        Ok(stream)
    }

    /// A connection that a listener gives out.
    pub(crate) fn accept_parts(core: &mut Core, id: ConnectionId) -> Option<AcceptedParts> {
        let endpoints = core.host.endpoints(id)?;
        core.streams.insert(id, StreamState { established: true, ..StreamState::default() });
        Some(AcceptedParts { id, local: core.outer(endpoints.local), remote: core.outer(endpoints.remote) })
    }

    pub(crate) const fn from_parts(hold: Hold, parts: AcceptedParts) -> Self {
        Self { hold, id: parts.id, local: parts.local, remote: parts.remote }
    }

    /// The peer's address and port.
    #[must_use]
    pub const fn peer_addr(&self) -> SocketAddr {
        self.remote
    }

    /// Our address and port.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The host's number of the connection, as departures and notes name it.
    #[must_use]
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// STATUS. None once the connection is over and forgotten. RFC 9293 §3.10.6.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.hold.lock().host.status(self.id).ok()
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.hold.lock().streams.get(&self.id).and_then(|state| state.ended)
    }

    /// Whether the peer has not answered for a while. RFC 9293 §3.8.3 [SHLD-9].
    #[must_use]
    pub fn in_trouble(&self) -> bool {
        self.hold.lock().streams.get(&self.id).is_some_and(|state| state.trouble)
    }

    /// Turns Nagle's algorithm on or off. RFC 9293 §3.7.4 [MUST-17].
    pub fn set_nagle(&self, nagle: Nagle) {
        let mut core = self.hold.lock();
        // A connection that is over has nothing to set.
        let _ = core.host.set_nagle(clock::now(), self.id, nagle);
        core.wake_driver();
    }

    /// ABORT: throws away what was not sent and tells the peer by a reset. RFC 9293 §3.10.5.
    pub fn abort(&self) {
        self.hold.lock().abort(clock::now(), self.id);
    }

    /// Waits until both sides have closed and everything has arrived, or until it ended otherwise.
    /// TIME-WAIT counts as closed: nothing can happen to the text any more.
    pub async fn closed(&self) -> End {
        poll_fn(|context| {
            let mut core = self.hold.lock();
            let over = core.is_over(self.id);
            let stopped = core.stopped;
            let Some(state) = core.streams.get_mut(&self.id) else { return Poll::Ready(End::Closed) };
            if let Some(end) = state.ended {
                return Poll::Ready(end);
            }
            if over {
                return Poll::Ready(End::Closed);
            }
            if stopped {
                return Poll::Ready(End::Aborted);
            }
            state.watchers.register(context);
            core.closing.insert(self.id);
            Poll::Pending
        })
        .await
    }
}

/// What a listener gives out under the lock.
#[derive(Clone, Copy)]
pub(crate) struct AcceptedParts {
    id: ConnectionId,
    local: SocketAddr,
    remote: SocketAddr,
}

fn failed(end: End) -> io::Error {
    let kind = match end {
        End::Closed => io::ErrorKind::NotConnected,
        End::Refused => io::ErrorKind::ConnectionRefused,
        End::Reset => io::ErrorKind::ConnectionReset,
        End::TimedOut => io::ErrorKind::TimedOut,
        End::Unreachable => io::ErrorKind::HostUnreachable,
        End::Aborted => io::ErrorKind::ConnectionAborted,
    };
    io::Error::new(kind, end.to_string())
}

/// What the host has forgotten we may still know the end of.
fn forgotten(core: &Core, id: ConnectionId) -> io::Error {
    failed(core.streams.get(&id).and_then(|state| state.ended).unwrap_or(End::Closed))
}

fn driver_gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the stack was stopped")
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut core = self.hold.lock();
        match core.host.receive(clock::now(), self.id, into.initialize_unfilled()) {
            Ok(0) if core.stopped => Poll::Ready(Err(driver_gone())),
            Ok(0) => {
                core.streams.entry(self.id).or_default().readers.register(context);
                Poll::Pending
            }
            Ok(octets) => {
                into.advance(octets);
                // Room in the window may be worth a segment.
                core.wake_driver();
                Poll::Ready(Ok(()))
            }
            Err(CallError::Connection(ReceiveError::Finished | ReceiveError::Ended(End::Closed))) => {
                Poll::Ready(Ok(()))
            }
            Err(CallError::Connection(ReceiveError::Ended(end))) => Poll::Ready(Err(failed(end))),
            Err(CallError::NoSuchConnection) => Poll::Ready(Err(forgotten(&core, self.id))),
            Err(_) => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if octets.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut core = self.hold.lock();
        if core.stopped {
            return Poll::Ready(Err(driver_gone()));
        }
        match core.host.send(clock::now(), self.id, octets) {
            Ok(0) => {
                core.streams.entry(self.id).or_default().writers.register(context);
                Poll::Pending
            }
            Ok(taken) => {
                core.wake_driver();
                Poll::Ready(Ok(taken))
            }
            Err(CallError::Connection(SendError::Closing | SendError::Ended(End::Closed))) => {
                Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
            }
            Err(CallError::Connection(SendError::Ended(end))) => Poll::Ready(Err(failed(end))),
            Err(CallError::NoSuchConnection) => Poll::Ready(Err(forgotten(&core, self.id))),
            Err(_) => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Nothing to do: what was written is the connection's, which sends it as it sees fit.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// CLOSE: the FIN follows what was written. Does not wait for it to arrive; `closed` does.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut core = self.hold.lock();
        let outcome = core.host.close(clock::now(), self.id);
        core.wake_driver();
        Poll::Ready(match outcome {
            Ok(()) | Err(CallError::Connection(CloseError::Closing)) => Ok(()),
            Err(_) => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let mut core = self.hold.lock();
        core.streams.remove(&self.id);
        // One that is over has been forgotten already.
        let _ = core.host.release(clock::now(), self.id);
        core.wake_driver();
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
