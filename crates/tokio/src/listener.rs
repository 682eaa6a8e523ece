//! A TCP listener as tokio's users know one.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use aperto_host::ListenerId;

use crate::core::{Hold, Waiters};
use crate::error::{OpenError, Transport};
use crate::stream::TcpStream;

/// A listener of our own stack. Dropping it ends the listening; connections that were accepted go on.
pub struct TcpListener {
    hold: Hold,
    id: ListenerId,
    local: SocketAddr,
}

impl TcpListener {
    pub(crate) fn open(
        hold: Hold,
        local: SocketAddr,
        backlog: usize,
        config: Option<Arc<aperto_tcp::Config>>,
    ) -> Result<Self, OpenError> {
        let id = {
            let mut core = hold.lock();
            let at = core.inner(local);
            let id = match config {
                Some(config) => core.host.listen_with(at, backlog, config),
                None => core.host.listen(at, backlog),
            };
            let id = id.map_err(|error| OpenError::from_stack(error, local, Transport::Tcp))?;
            core.listeners.insert(id, Waiters::default());
            id
        };
        Ok(Self { hold, id, local })
    }

    /// The address and port it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// The stack was stopped.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        std::future::poll_fn(|context| self.poll_accept(context)).await
    }

    /// [`accept`](Self::accept) for those who poll.
    ///
    /// # Errors
    ///
    /// The stack was stopped.
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let parts = {
            let mut core = self.hold.lock();
            loop {
                match core.host.accept(self.id) {
                    Ok(Some(id)) => {
                        // One that was reset while it waited is forgotten: the next one, then.
                        if let Some(parts) = TcpStream::accept_parts(&mut core, id) {
                            break parts;
                        }
                    }
                    Ok(None) if core.stopped => {
                        let gone = "the stack was stopped";
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, gone)));
                    }
                    Ok(None) => {
                        core.listeners.entry(self.id).or_default().register(context);
                        return Poll::Pending;
                    }
                    Err(_) => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
                }
            }
        };
        let stream = TcpStream::from_parts(self.hold.clone(), parts);
        let peer = stream.peer_addr();
        Poll::Ready(Ok((stream, peer)))
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let mut core = self.hold.lock();
        core.listeners.remove(&self.id);
        // There is one as long as this handle is there.
        let _ = core.host.close_listener(crate::clock::now(), self.id);
        core.wake_driver();
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("local", &self.local).finish_non_exhaustive()
    }
}
