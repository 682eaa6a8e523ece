//! A conversation inside TLS 1.3, for both kinds of sockets.
//!
//! rustls does the talking (through tokio-rustls), `aperto-secure` decides with whom. Who asked for
//! secrecy gets it or gets nothing: on any trouble the conversation below is closed, and given back
//! only to a server, which may tell a client that spoke in plain. What `write_all` took may still
//! wait inside for room below; `flush` sends it.
//!
//! Left out: renegotiating, resuming, and anything but TLS 1.3: see `aperto_secure::tls`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aperto_secure::guard::{Guard, Peer};
use aperto_secure::rustls::server::Acceptor;
use aperto_secure::rustls::{ClientConfig, ServerConfig};
use aperto_secure::{Trouble, tls};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream};

use crate::Conversation;

/// How long the last words of a handshake that failed may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A conversation inside TLS. It is made by [`Conversation::secured_to_server`] and
/// [`Conversation::secured_for_client`].
#[derive(Debug)]
pub struct Secured(TlsStream<Guarded>);

/// Why there is no secure conversation.
#[derive(Debug)]
pub enum NotSecured {
    /// The handshake was not over in time.
    TimedOut {
        /// For a server: the conversation in plain.
        plain: Option<Conversation>,
    },
    /// Something else.
    Failed {
        /// What.
        trouble: Trouble,
        /// For a server whose client speaks in plain: the conversation in plain.
        plain: Option<Conversation>,
    },
}

/// What two sides agreed upon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreed {
    /// The cipher suite.
    pub suite: String,
    /// The group of the key exchange.
    pub group: String,
    /// The service.
    pub protocol: String,
}

impl Conversation {
    /// Speaks TLS from here on, as a client.
    ///
    /// # Errors
    ///
    /// See [`NotSecured`]. Nothing but the handshake was sent then.
    pub async fn secured_to_server(self, config: Arc<ClientConfig>) -> Result<Self, NotSecured> {
        let guarded = Guarded { below: self, guard: Guard::new(Peer::Server) };
        let connecting = TlsConnector::from(config).connect(tls::server_name(), guarded).into_fallible();
        let connected = match tokio::time::timeout(tls::PATIENCE, connecting).await {
            Err(_) => return Err(NotSecured::TimedOut { plain: None }),
            Ok(Ok(stream)) => Secured(TlsStream::Client(stream)),
            Ok(Err((error, guarded))) => {
                let trouble = guarded.trouble(&error);
                guarded.close().await;
                return Err(NotSecured::Failed { trouble, plain: None });
            }
        };
        if connected.agreed().is_none_or(|agreed| agreed.protocol.is_empty()) {
            let mut connected = connected;
            let _ = tokio::time::timeout(LAST_WORDS, connected.0.shutdown()).await;
            return Err(NotSecured::Failed { trouble: Trouble::NoService, plain: None });
        }
        Ok(Self::Secure(Box::new(connected)))
    }

    /// Speaks TLS from here on, as a server.
    ///
    /// # Errors
    ///
    /// See [`NotSecured`].
    pub async fn secured_for_client(self, config: Arc<ServerConfig>) -> Result<Self, NotSecured> {
        let deadline = tokio::time::Instant::now() + tls::PATIENCE;
        let guarded = Guarded { below: self, guard: Guard::new(Peer::Client) };
        let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), guarded);
        let start = match tokio::time::timeout_at(deadline, &mut acceptor).await {
            Err(_) => {
                let plain = acceptor.take_io().map(|guarded| guarded.below);
                return Err(NotSecured::TimedOut { plain });
            }
            Ok(Ok(start)) => start,
            Ok(Err(error)) => {
                let Some(guarded) = acceptor.take_io() else {
                    return Err(NotSecured::Failed { trouble: Trouble::of(&error), plain: None });
                };
                let trouble = guarded.trouble(&error);
                if trouble == Trouble::PlainPeer {
                    return Err(NotSecured::Failed { trouble, plain: Some(guarded.below) });
                }
                guarded.close().await;
                return Err(NotSecured::Failed { trouble, plain: None });
            }
        };
        if start.client_hello().alpn().is_none() {
            let mut guarded = start.io;
            // A client that is gone need not be told.
            let _ = guarded.below.write_all(&tls::NO_APPLICATION_PROTOCOL).await;
            guarded.close().await;
            return Err(NotSecured::Failed { trouble: Trouble::NoService, plain: None });
        }
        let accepting = start.into_stream(config).into_fallible();
        match tokio::time::timeout_at(deadline, accepting).await {
            Err(_) => Err(NotSecured::TimedOut { plain: None }),
            Ok(Ok(stream)) => Ok(Self::Secure(Box::new(Secured(TlsStream::Server(stream))))),
            Ok(Err((error, guarded))) => {
                let trouble = guarded.trouble(&error);
                guarded.close().await;
                Err(NotSecured::Failed { trouble, plain: None })
            }
        }
    }

    /// What was agreed upon, if this is a secure conversation.
    #[must_use]
    pub fn agreed(&self) -> Option<Agreed> {
        match self {
            Self::Secure(secured) => secured.agreed(),
            Self::Aperto(_) | Self::Os(_) => None,
        }
    }
}

impl Secured {
    fn below_guard(&self) -> &Guarded {
        self.0.get_ref().0
    }

    /// The conversation that carries this one.
    pub(crate) fn below(&self) -> &Conversation {
        &self.below_guard().below
    }

    /// The same, without what is around it.
    pub(crate) fn into_below(self) -> Conversation {
        match self.0 {
            TlsStream::Client(stream) => stream.into_inner().0.below,
            TlsStream::Server(stream) => stream.into_inner().0.below,
        }
    }

    fn agreed(&self) -> Option<Agreed> {
        let state = self.0.get_ref().1;
        Some(Agreed {
            suite: state.negotiated_cipher_suite()?.suite().as_str()?.to_owned(),
            group: state.negotiated_key_exchange_group()?.name().as_str()?.to_owned(),
            protocol: String::from_utf8_lossy(state.alpn_protocol().unwrap_or_default()).into_owned(),
        })
    }

    pub(crate) fn stream(&mut self) -> Pin<&mut TlsStream<impl AsyncRead + AsyncWrite + Unpin + use<>>> {
        Pin::new(&mut self.0)
    }
}

/// A conversation whose records' heads are looked at as they come.
#[derive(Debug)]
struct Guarded {
    below: Conversation,
    guard: Guard,
}

impl Guarded {
    /// The name of an error; what the guard found goes before what came of it.
    fn trouble(&self, error: &io::Error) -> Trouble {
        self.guard.trouble().cloned().unwrap_or_else(|| Trouble::of(error))
    }

    /// Lets the last words leave, an alert perhaps, and closes.
    async fn close(mut self) {
        let closing = async {
            let shut = self.below.shutdown().await;
            if let (Ok(()), Some(stream)) = (shut, self.below.ours()) {
                stream.closed().await;
            }
        };
        // Whoever does not let us say it will not hear it.
        let _ = tokio::time::timeout(LAST_WORDS, closing).await;
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        if this.guard.trouble().is_none() {
            std::task::ready!(Pin::new(&mut this.below).poll_read(context, into))?;
            let came = into.filled().get(before..).unwrap_or_default();
            if came.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let passed = this.guard.pass(came);
            into.set_filled(before + passed);
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let what = this.guard.trouble().cloned().unwrap_or(Trouble::Tampered);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, what)))
    }
}

/// How much is put together into one write.
const GATHERED: usize = 1 << 16;

impl AsyncWrite for Guarded {
    /// Several records at once, so that an alert leaves with what waits before it: when a handshake
    /// fails tokio-rustls writes once and no more.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut gathered = Vec::new();
        for piece in pieces {
            let room = GATHERED - gathered.len();
            gathered.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
        }
        self.poll_write(context, &gathered)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().below).poll_write(context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().below).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().below).poll_shutdown(context)
    }
}
