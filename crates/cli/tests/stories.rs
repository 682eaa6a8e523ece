//! The stories of the five student projects that this program began from, each played whole.
//!
//! | module | the project |
//! | --- | --- |
//! | [`told_handshake`] | a handshake and a close told step by step in text, with a server for many (port 5000) |
//! | [`chat`] | a chat that `sair` ends (port 5000) |
//! | [`sockets`] | what each call does, three-way handshake with numbers, TCP beside UDP |
//! | [`echo`] | echo servers over TCP and UDP (65432, 65431), states, and Wireshark |
//! | [`three_way`] | the three-way handshake as three messages (port 1337) |
//!
//! Where the other end is a program, it is one of the little ones in `peers`, which know nothing of
//! this program. What is missing on a machine is said by name, as in `real.rs`.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a helper that fails is a test that fails; what was skipped is printed; patience needs a clock"
)]

#[path = "stories/chat.rs"]
mod chat;
#[path = "stories/echo.rs"]
mod echo;
#[path = "stories/sockets.rs"]
mod sockets;
#[path = "real/support.rs"]
#[expect(dead_code, reason = "the other tests of processes need more of it")]
mod support;
#[path = "stories/three_way.rs"]
mod three_way;
#[path = "stories/told_handshake.rs"]
mod told_handshake;

/// The port of the story, or another if somebody has it here.
fn port_of_story(wanted: u16) -> u16 {
    let at = ("127.0.0.1", wanted);
    let free = std::net::TcpListener::bind(at).is_ok() && std::net::UdpSocket::bind(at).is_ok();
    if free { wanted } else { support::free_port() }
}
