//! aperto on real wires: a driver for tokio, the UDP tunnel, TUN, and the system's own sockets.
//!
//! [`Builder`] puts a host and its [`Wire`]s together and gives a [`Stack`], of which listeners,
//! streams and sockets are had as tokio's users know them, and a [`Driver`], which is spawned.
//! [`UdpTunnel`] carries TCP between two programs like this one without rights, [`TunWire`] real
//! IP packets to the kernel and beyond. [`Conversation`] is one face for our connections and the
//! system's, and puts either inside TLS 1.3 ([`Secured`]). An [`Observer`] sees everything that passes; an [`Impair`] may spoil it.
//!
//! ```no_run
//! use aperto_tokio::{Builder, TunnelConfig, UdpTunnel, secret};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = aperto_host::Config { secret: secret()?, ..aperto_host::Config::default() };
//! let wire = UdpTunnel::to("127.0.0.1:7000".parse()?, TunnelConfig::default())?;
//! let (local, remote) = (wire.local_addr(), "127.0.0.1:7000".parse()?);
//! let (stack, driver) = Builder::new(config).wire(Box::new(wire)).spawn();
//! let stream = stack.connect_from(local, remote).await?;
//! drop(stream);
//! stack.settled().await;
//! stack.stop();
//! driver.await?;
//! # Ok(())
//! # }
//! ```
//!
//! Left out: GSO and GRO on TUN (`IFF_VNET_HDR`), several queues, the textbook protocols over UDP.

#![forbid(unsafe_code)]

pub mod clock;

mod conversation;
mod core;
mod datagram;
mod driver;
mod error;
mod holder;
mod listener;
mod observer;
mod secure;
mod stack;
mod stream;
mod tun;
mod udp;
mod wire;

pub use conversation::{Conversation, Datagrams, Listening};
pub use datagram::UdpSocket;
pub use driver::{Counters, Driver, Stopped};
pub use error::{ConnectError, OpenError, Refusal, Right, Transport};
pub use holder::Holder;
pub use listener::TcpListener;
pub use observer::{Impair, Observer, Way};
pub use secure::{Agreed, NotSecured, Secured};
pub use stack::{Builder, Stack, secret};
pub use stream::TcpStream;
pub use tun::{Setup, TunConfig, TunWire};
pub use udp::{TunnelConfig, UdpTunnel};
pub use wire::{NotCarried, NotOurs, Wire, WireNote};
