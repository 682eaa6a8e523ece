//! Secrecy for streams: TLS 1.3 (RFC 8446) through rustls, and who trusts whom without a PKI.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`identity`] | the server's key and certificate, made at first start, readable by its owner only |
//! | [`fingerprint`] | a key's name: 130 bits in base32, and 60 bits of it as six words |
//! | [`address`] | `aperto://HOST:PORT/#pin`: an address that names the key |
//! | [`known`] | the keys that were seen first: trust on first use |
//! | [`tls`] | what is spoken: versions, suites, groups, and the check of the server's key |
//! | [`guard`] | the head of each record, looked at before rustls does |
//! | [`alpn`] | the name of each service, without which no handshake succeeds |
//! | [`secrets`] | the key log, for who wants to read a recording of their own |
//! | [`trouble`] | what went wrong, by name |
//!
//! Nothing here opens a socket: rustls has no I/O, `aperto-tokio` lends it streams.
//!
//! Left out: certificates of authorities, client certificates, resumption, early data, TLS 1.2.

#![forbid(unsafe_code)]

pub mod address;
pub mod alpn;
mod files;
pub mod fingerprint;
pub mod guard;
pub mod identity;
pub mod known;
pub mod secrets;
pub mod tls;
pub mod trouble;

pub use address::Address;
pub use files::FileError;
pub use fingerprint::Fingerprint;
pub use guard::Guard;
pub use identity::Identity;
pub use known::Known;
pub use rustls;
pub use secrets::Secrets;
pub use trouble::Trouble;
