//! One face for two kinds of sockets: our stack's and the operating system's (`--wire os`).
//!
//! A server or client written against [`Listening`], [`Conversation`] and [`Datagrams`] runs over
//! every wire. What only our own stack knows (reasons, states, how it ended) is asked of
//! [`Conversation::ours`].

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock;
use crate::error::{ConnectError, OpenError, Refusal, Transport};
use crate::secure::Secured;
use crate::{TcpListener, TcpStream, UdpSocket};

/// An open TCP connection, ours or the system's.
#[derive(Debug)]
pub enum Conversation {
    /// Of our own stack.
    Aperto(TcpStream),
    /// Of the operating system.
    Os(tokio::net::TcpStream),
    /// Either of them inside TLS.
    Secure(Box<Secured>),
}

impl Conversation {
    /// Opens a connection with the operating system's TCP.
    ///
    /// # Errors
    ///
    /// Refused, timed out, unreachable, or what else the system says.
    pub async fn connect_os(remote: SocketAddr) -> Result<Self, ConnectError> {
        let asked = clock::now();
        match tokio::net::TcpStream::connect(remote).await {
            Ok(stream) => Ok(Self::Os(stream)),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
                    ConnectError::Refused { remote, by: Refusal::System }
                }
                io::ErrorKind::TimedOut => {
                    ConnectError::TimedOut { remote, after: clock::now().since(asked) }
                }
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    ConnectError::Unreachable { remote }
                }
                _ => ConnectError::Open(OpenError::Io(error)),
            }),
        }
    }

    /// The peer's address and port.
    ///
    /// # Errors
    ///
    /// The system has forgotten the connection.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Aperto(stream) => Ok(stream.peer_addr()),
            Self::Os(stream) => stream.peer_addr(),
            Self::Secure(secured) => secured.below().peer_addr(),
        }
    }

    /// Our address and port.
    ///
    /// # Errors
    ///
    /// The system has forgotten the connection.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Aperto(stream) => Ok(stream.local_addr()),
            Self::Os(stream) => stream.local_addr(),
            Self::Secure(secured) => secured.below().local_addr(),
        }
    }

    /// The connection of our own stack, if it is one.
    #[must_use]
    pub fn ours(&self) -> Option<&TcpStream> {
        match self {
            Self::Aperto(stream) => Some(stream),
            Self::Os(_) => None,
            Self::Secure(secured) => secured.below().ours(),
        }
    }

    /// Ends it with a reset. RFC 9293 §3.10.5.
    pub fn abort(self) {
        match self {
            Self::Aperto(stream) => stream.abort(),
            // Closing a socket that lingers for no time at all resets the connection.
            Self::Os(stream) => drop(SockRef::from(&stream).set_linger(Some(Duration::ZERO))),
            Self::Secure(secured) => secured.into_below().abort(),
        }
    }
}

impl From<TcpStream> for Conversation {
    fn from(stream: TcpStream) -> Self {
        Self::Aperto(stream)
    }
}

impl AsyncRead for Conversation {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Aperto(stream) => Pin::new(stream).poll_read(context, into),
            Self::Os(stream) => Pin::new(stream).poll_read(context, into),
            Self::Secure(secured) => secured.stream().poll_read(context, into),
        }
    }
}

impl AsyncWrite for Conversation {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Aperto(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Os(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Secure(secured) => secured.stream().poll_write(context, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Aperto(stream) => Pin::new(stream).poll_flush(context),
            Self::Os(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(secured) => secured.stream().poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Aperto(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Os(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(secured) => secured.stream().poll_shutdown(context),
        }
    }
}

/// A TCP listener, ours or the system's.
#[derive(Debug)]
pub enum Listening {
    /// Of our own stack.
    Aperto(TcpListener),
    /// Of the operating system.
    Os(tokio::net::TcpListener),
}

impl Listening {
    /// Listens with the operating system's TCP. Call it inside a runtime.
    ///
    /// # Errors
    ///
    /// [`OpenError::PortTaken`], [`OpenError::AddressNotOurs`], [`OpenError::NeedsRights`], or what
    /// else the system says.
    pub fn open_os(local: SocketAddr, backlog: u32) -> Result<Self, OpenError> {
        let socket =
            if local.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() }?;
        if local.is_ipv6() {
            SockRef::from(&socket).set_only_v6(true)?;
        }
        // Without it a restart within TIME-WAIT is refused on Unix; on Windows it would share the port.
        if cfg!(unix) {
            socket.set_reuseaddr(true)?;
        }
        let taken = |error| OpenError::from_bind(error, local, Transport::Tcp);
        socket.bind(local).map_err(taken)?;
        Ok(Self::Os(socket.listen(backlog).map_err(taken)?))
    }

    /// The address and port it listens on.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Aperto(listener) => Ok(listener.local_addr()),
            Self::Os(listener) => listener.local_addr(),
        }
    }

    /// Waits for the next connection.
    ///
    /// A system that is out of descriptors is asked again after a pause, and one client's failure
    /// to stay is no failure of ours (RELIABILITY AP-12).
    ///
    /// # Errors
    ///
    /// The stack was stopped, or the system will not accept any more.
    pub async fn accept(&self) -> io::Result<(Conversation, SocketAddr)> {
        let listener = match self {
            Self::Aperto(listener) => {
                let (stream, peer) = listener.accept().await?;
                return Ok((Conversation::Aperto(stream), peer));
            }
            Self::Os(listener) => listener,
        };
        let mut pause = Duration::from_millis(5);
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Ok((Conversation::Os(stream), peer)),
                Err(error) if is_about_the_client(&error) => {}
                Err(error) if pause > Duration::from_secs(5) => return Err(error),
                Err(_) => {
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
            }
        }
    }
}

fn is_about_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// A UDP socket, ours or the system's.
#[derive(Debug)]
pub enum Datagrams {
    /// Of our own stack.
    Aperto(UdpSocket),
    /// Of the operating system.
    Os(tokio::net::UdpSocket),
}

impl Datagrams {
    /// Binds a UDP socket of the operating system. Call it inside a runtime.
    ///
    /// # Errors
    ///
    /// [`OpenError::PortTaken`], [`OpenError::AddressNotOurs`], [`OpenError::NeedsRights`], or what
    /// else the system says.
    pub fn open_os(local: SocketAddr) -> Result<Self, OpenError> {
        let socket = std::net::UdpSocket::bind(local)
            .map_err(|error| OpenError::from_bind(error, local, Transport::Udp))?;
        socket.set_nonblocking(true)?;
        Ok(Self::Os(tokio::net::UdpSocket::from_std(socket)?))
    }

    /// Binds a UDP socket of the operating system that speaks with one peer only, so that the
    /// system can tell when nobody has the peer's port ([`io::ErrorKind::ConnectionRefused`]).
    ///
    /// # Errors
    ///
    /// As [`open_os`](Self::open_os).
    pub async fn connect_os(peer: SocketAddr) -> Result<Self, OpenError> {
        let any: SocketAddr = if peer.is_ipv4() {
            (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = tokio::net::UdpSocket::bind(any).await?;
        socket.connect(peer).await?;
        Ok(Self::Os(socket))
    }

    /// The address and port it is bound to.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Aperto(socket) => Ok(socket.local_addr()),
            Self::Os(socket) => socket.local_addr(),
        }
    }

    /// Sends one datagram. Nothing says whether it arrives.
    ///
    /// # Errors
    ///
    /// Too large, no way there, or what else is said. Port 0 cannot be sent to
    /// (RELIABILITY UD-3): a server counts that and goes on.
    pub async fn send_to(&self, octets: &[u8], to: SocketAddr) -> io::Result<()> {
        if to.port() == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "nobody has port 0"));
        }
        match self {
            Self::Aperto(socket) => socket.send_to(octets, to),
            Self::Os(socket) if socket.peer_addr().is_ok_and(|peer| peer == to) => {
                socket.send(octets).await.map(drop)
            }
            Self::Os(socket) => socket.send_to(octets, to).await.map(drop),
        }
    }

    /// Waits for one datagram. What does not fit into `into` is lost.
    ///
    /// # Errors
    ///
    /// A peer that was sent to has no such port, or what else is said. A server goes on after it.
    pub async fn recv_from(&self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Self::Aperto(socket) => socket.recv_from(into).await,
            Self::Os(socket) => socket.recv_from(into).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn loopback() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[tokio::test]
    async fn the_systems_sockets_converse_through_the_common_face() {
        let listening = Listening::open_os(loopback(), 8).unwrap();
        let address = listening.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut conversation, peer) = listening.accept().await.unwrap();
            assert_eq!(conversation.peer_addr().unwrap(), peer);
            let mut text = String::new();
            conversation.read_to_string(&mut text).await.unwrap();
            conversation.write_all(text.to_uppercase().as_bytes()).await.unwrap();
            conversation.shutdown().await.unwrap();
        });
        let mut client = Conversation::connect_os(address).await.unwrap();
        assert!(client.ours().is_none());
        client.write_all("olá".as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "OLÁ");
        server.await.unwrap();
    }

    #[tokio::test]
    async fn refused_taken_and_aborted_are_told_apart() {
        let listening = Listening::open_os(loopback(), 8).unwrap();
        let address = listening.local_addr().unwrap();
        let taken = Listening::open_os(address, 8).unwrap_err();
        let OpenError::PortTaken { port, transport: Transport::Tcp, .. } = taken else { panic!("{taken}") };
        assert_eq!(port, address.port());

        let mut client = Conversation::connect_os(address).await.unwrap();
        let (server, _) = listening.accept().await.unwrap();
        server.abort();
        let error = client.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        drop(listening);
        let refused = Conversation::connect_os(address).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Refused { by: Refusal::System, .. }), "{refused}");
    }

    #[tokio::test]
    async fn datagrams_cross_and_a_closed_port_is_told() {
        let server = Datagrams::open_os(loopback()).unwrap();
        let address = server.local_addr().unwrap();
        let client = Datagrams::connect_os(address).await.unwrap();
        client.send_to(b"ping", address).await.unwrap();
        let mut text = [0; 16];
        let (octets, from) = server.recv_from(&mut text).await.unwrap();
        assert_eq!(&text[..octets], b"ping");
        server.send_to(b"pong", from).await.unwrap();
        assert_eq!(client.recv_from(&mut text).await.unwrap().0, 4);
        assert!(server.send_to(b"x", SocketAddr::from(([127, 0, 0, 1], 0))).await.is_err());
        drop(server);
        client.send_to(b"anybody?", address).await.unwrap();
        let patience = Duration::from_secs(5);
        let refused = tokio::time::timeout(patience, client.recv_from(&mut text)).await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
