//! Errors: what our own caller did that cannot be done.
//!
//! RFC 9293 §3.10 words them as `error: connection does not exist` and the like.

use core::fmt;

use crate::event::End;

/// Why [`Connection::send`](crate::Connection::send) took nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The connection does not exist: it was never opened.
    NotOpen,
    /// The connection is closing: nothing can be sent after CLOSE. RFC 9293 §3.10.2.
    Closing,
    /// The connection has ended.
    Ended(End),
}

/// Why [`Connection::receive`](crate::Connection::receive) gave nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The connection does not exist: it was never opened.
    NotOpen,
    /// Everything that the peer sent before its FIN has been read. RFC 9293 §3.10.3.
    Finished,
    /// The connection has ended, and what had not been read is lost.
    Ended(End),
}

/// Why [`Connection::close`](crate::Connection::close) did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CloseError {
    /// The connection does not exist.
    NotOpen,
    /// It has been closed already. RFC 9293 §3.10.4.
    Closing,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("connection does not exist"),
            Self::Closing => f.write_str("connection closing"),
            Self::Ended(end) => end.fmt(f),
        }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("connection does not exist"),
            Self::Finished => f.write_str("connection closing: the peer has sent everything"),
            Self::Ended(end) => end.fmt(f),
        }
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "connection does not exist",
            Self::Closing => "connection closing",
        })
    }
}

impl core::error::Error for SendError {}
impl core::error::Error for ReceiveError {}
impl core::error::Error for CloseError {}
