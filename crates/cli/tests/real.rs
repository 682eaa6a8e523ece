//! The program itself, as processes that talk to each other and to other programs.
//!
//! | module | who talks to whom |
//! | --- | --- |
//! | [`ports`] | the table of a server's connections |
//! | [`processes`] | server and client over the tunnel: files, faults, several clients, a chat |
//! | [`modes`] | stop-and-wait, Go-Back-N and Selective Repeat over UDP |
//! | [`sealed`] | the same, each packet sealed, and somebody between |
//! | [`transfer`] | files and folders: killed, resumed, refused |
//! | [`chat`], [`chat_bad_input`] | a room and its members: the story, a killed server, and who means it harm |
//! | [`os_sockets`] | the system's sockets: `nc` and Python |
//! | [`told`] | handshakes told in text: Python, and a person who types |
//! | [`secure`] | `--secure`: whom one trusts, and what is said where there is no secrecy |
//! | [`secrets`] | `--with-keys`: recordings that tshark decrypts |
//! | [`openssl`], [`secure_tun`] | `--secure` with OpenSSL at the other end |
//! | [`tun`] | the running kernel's TCP, in a network namespace of the test's own |
//! | [`tshark`] | recordings, read by somebody else |
//! | [`interrupt`] | Ctrl-C, and a reader that goes away |
//! | [`check`] | claims about recordings of ours and about captures of others |
//! | [`merge`] | the recordings of two processes as one |
//! | [`replay`] | recordings that are run again, and those that cannot be |
//! | [`states`] | the state diagram of recordings, and the system's own sockets |
//! | [`readme`], [`claims`] | the commands of both READMEs as they stand there, and what else they say |
//! | [`bench`] | a matrix, and who reads its files |
//! | [`doctor`] | what a machine says of itself |
//! | [`bad_input`] | what a user gets wrong |
//!
//! Where a tool or a right is missing, a test says so by name and passes. Unix only: signals,
//! terminals and namespaces are.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a helper that fails is a test that fails; what was measured or skipped is printed; patience needs a clock"
)]

#[path = "real/bad_input.rs"]
mod bad_input;
#[path = "real/bench.rs"]
mod bench;
#[path = "real/chat.rs"]
mod chat;
#[path = "real/chat_bad_input.rs"]
mod chat_bad_input;
#[path = "real/check.rs"]
mod check;
#[path = "real/claims.rs"]
mod claims;
#[path = "real/doctor.rs"]
mod doctor;
#[path = "real/interrupt.rs"]
mod interrupt;
#[path = "real/merge.rs"]
mod merge;
#[path = "real/modes.rs"]
mod modes;
#[path = "real/openssl.rs"]
mod openssl;
#[path = "real/os_sockets.rs"]
mod os_sockets;
#[path = "real/ports.rs"]
mod ports;
#[path = "real/processes.rs"]
mod processes;
#[path = "real/readme.rs"]
mod readme;
#[path = "real/replay.rs"]
mod replay;
#[path = "real/sealed.rs"]
mod sealed;
#[path = "real/secrets.rs"]
mod secrets;
#[path = "real/secure.rs"]
mod secure;
#[cfg(target_os = "linux")]
#[path = "real/secure_tun.rs"]
mod secure_tun;
#[path = "real/states.rs"]
mod states;
#[path = "real/support.rs"]
mod support;
#[path = "real/told.rs"]
mod told;
#[path = "real/transfer.rs"]
mod transfer;
#[path = "real/tshark.rs"]
mod tshark;
#[cfg(target_os = "linux")]
#[path = "real/tun.rs"]
mod tun;
