//! Stop-and-wait, Go-Back-N and Selective Repeat, for readers of Kurose and Ross §3.4.
//!
//! Three textbook answers to one question: how does data arrive whole and in order over a channel
//! that loses, damages, repeats and delays packets? Each protocol is one file with a sender and a
//! receiver, to be read from top to bottom beside the book:
//!
//! | file                    | section | remembers                        | resends                |
//! | ----------------------- | ------- | -------------------------------- | ---------------------- |
//! | [`stop_and_wait`]       | 3.4.1   | one packet                       | that packet            |
//! | [`go_back_n`]           | 3.4.3   | a window, at the sender          | the window from `base` |
//! | [`selective_repeat`]    | 3.4.4   | a window, at both ends           | what is missing        |
//!
//! Beside them: the packets ([`packet`], [`checksum`]), numbers modulo 2^k ([`space`]), what can
//! be set ([`config`]), why a packet was sent and what became of one that came ([`reason`]), any of
//! the three behind one name ([`endpoint`]), and the formulas of §3.4.2 ([`theory`]).
//!
//! Nothing here has a clock or a socket. A driver says what happened (`send`, `packet_arrives`,
//! `deadline_passed`) and then asks what follows, in this order: `poll_packet` until none,
//! `poll_event` for the application, `poll_note` for an observer, `poll_deadline` for when to call
//! again. **A packet leaves at the instant at which it is polled, and its timer starts then**: a
//! driver whose line takes 1 ms for a packet polls once a millisecond, and not four times at once.
//! `tests/conversations/channel.rs` is such a driver, and documents its line.
//!
//! ```
//! use aperto_arq::{Config, Event, Protocol, Reason, Receiver, Sender};
//! use aperto_time::{Duration, Instant};
//!
//! let config = Config { payload_octets: 2, ..Config::new(Protocol::GoBackN) };
//! let mut sender = Sender::new(Protocol::GoBackN, config.clone())?;
//! let mut receiver = Receiver::new(Protocol::GoBackN, config)?;
//!
//! sender.send(b"oi")?;
//! let lost = sender.poll_packet(Instant::ZERO).expect("the window is open");
//! assert!(matches!(lost.reason, Reason::FirstTransmission { .. }));
//!
//! let due = sender.poll_deadline().expect("a packet is on its way").at;
//! assert_eq!(due, Instant::ZERO + Duration::from_millis(100));
//! sender.deadline_passed(due);
//! let again = sender.poll_packet(due).expect("the sender went back");
//! assert!(matches!(again.reason, Reason::WentBackOnTimer { retry: 1, .. }));
//!
//! receiver.packet_arrives(due, &again.octets());
//! assert!(matches!(receiver.poll_event(), Some(Event::Delivered { octets, .. }) if octets == b"oi"));
//! let ack = receiver.poll_packet(due).expect("it acknowledges");
//! sender.packet_arrives(due, &ack.octets());
//! assert_eq!(sender.poll_event(), Some(Event::AllAcknowledged));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Left out: opening and closing a connection (the data starts at the number which both ends were
//! configured with), estimating the timer from round trips (§3.5.3 and `aperto-tcp`), flow and
//! congestion control. Nothing is shared with `aperto-tcp`: neither can break the other.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod checksum;
pub mod config;
pub mod endpoint;
pub mod go_back_n;
pub mod packet;
mod queues;
pub mod reason;
pub mod selective_repeat;
pub mod space;
pub mod stop_and_wait;
pub mod theory;

pub use checksum::Checksum;
pub use config::{Acknowledgements, Config, ConfigError, Group, NegativeAcknowledgements, Protocol};
pub use endpoint::{Endpoint, Receiver, Sender};
pub use packet::{EndOfMessage, Format, Kind, Packet, ParseError};
pub use queues::SendError;
pub use reason::{Discard, Event, Note, Observe, Outgoing, Reason, Timer, Window};
pub use space::{Sequence, Space};
