//! The name of each service in the handshake: ALPN, RFC 7301.
//!
//! A client that means one service can never be answered by another: without a name in common there
//! is no handshake, and a client or server that says none is refused (RELIABILITY SC-9, the attack
//! is called ALPACA).

/// Sends back what it gets.
pub const ECHO: &str = "aperto-echo/1";
/// Sends it back in capitals.
pub const UPPER: &str = "aperto-upper/1";
/// Takes what comes and says its hash, or writes it down.
pub const SINK: &str = "aperto-sink/1";
/// Says how much it got.
pub const RECEIPT: &str = "aperto-receipt/1";
/// A person types.
pub const TALK: &str = "aperto-talk/1";
/// The chat with frames.
pub const CHAT: &str = "aperto-chat/1";
/// Files.
pub const TRANSFER: &str = "aperto-transfer/1";
/// Handshakes as text.
pub const TEXT: &str = "aperto-text/1";

/// What a client can say that sends octets and shows what comes back.
pub const OCTETS: [&str; 5] = [ECHO, UPPER, SINK, RECEIPT, TALK];
