//! A UDP socket of our own stack, as tokio's users know one.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use aperto_host::UdpId;

use crate::clock;
use crate::core::{DatagramState, Hold};
use crate::error::{OpenError, Transport};

/// A UDP socket of our own stack. RFC 768.
pub struct UdpSocket {
    hold: Hold,
    id: UdpId,
    local: SocketAddr,
}

impl UdpSocket {
    pub(crate) fn open(hold: Hold, local: SocketAddr) -> Result<Self, OpenError> {
        let id = {
            let mut core = hold.lock();
            let id = core.host.bind_udp(local);
            let id = id.map_err(|error| OpenError::from_stack(error, local, Transport::Udp))?;
            core.datagrams.insert(id, DatagramState::default());
            id
        };
        Ok(Self { hold, id, local })
    }

    /// The address and port it is bound to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sends one datagram. Nothing says whether it arrives.
    ///
    /// # Errors
    ///
    /// Too large, no way there, or the stack was stopped.
    pub fn send_to(&self, octets: &[u8], to: SocketAddr) -> io::Result<()> {
        let mut core = self.hold.lock();
        if core.stopped {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the stack was stopped"));
        }
        let outcome = core.host.send_to(clock::now(), self.id, octets, to);
        core.wake_driver();
        outcome.map_err(|error| io::Error::other(error.to_string()))
    }

    /// Waits for one datagram. What does not fit into `into` is lost.
    ///
    /// # Errors
    ///
    /// A peer that was sent to has no such port (RFC 1122 §4.1.3.3), or the stack was stopped.
    pub async fn recv_from(&self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        std::future::poll_fn(|context| self.poll_recv_from(context, into)).await
    }

    /// [`recv_from`](Self::recv_from) for those who poll.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut core = self.hold.lock();
        match core.host.receive_from(self.id, into) {
            Ok(Some(received)) => return Poll::Ready(Ok(received)),
            Ok(None) => {}
            Err(error) => return Poll::Ready(Err(io::Error::other(error.to_string()))),
        }
        if core.stopped {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the stack was stopped",
            )));
        }
        let state = core.datagrams.entry(self.id).or_default();
        if let Some(peer) = state.refused_by.take() {
            let text = format!("{peer} has no such port");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, text)));
        }
        state.readers.register(context);
        Poll::Pending
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        let mut core = self.hold.lock();
        core.datagrams.remove(&self.id);
        // There is one as long as this handle is there.
        let _ = core.host.close_udp(self.id);
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket").field("local", &self.local).finish_non_exhaustive()
    }
}
