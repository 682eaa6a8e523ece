//! Any of the three protocols behind one name, and both directions in one place.
//!
//! [`Sender`] and [`Receiver`] hold whichever protocol was asked for, so that a driver need not
//! care. [`Endpoint`] is one of each: a host that both speaks and listens.

use aperto_time::{Deadline, Instant};

use crate::packet::Kind;
use crate::reason::{Event, Note, Observe, Outgoing, Timer, Window};
use crate::{Config, ConfigError, Protocol, SendError, Sequence};
use crate::{go_back_n, selective_repeat, stop_and_wait};

/// The same call on whichever protocol it is.
macro_rules! whichever {
    ($self:ident, $machine:ident => $call:expr) => {
        match $self {
            Self::StopAndWait($machine) => $call,
            Self::GoBackN($machine) => $call,
            Self::SelectiveRepeat($machine) => $call,
        }
    };
}

/// The side that has something to say, in any of the three protocols.
#[derive(Clone, Debug)]
pub enum Sender {
    /// Stop-and-wait.
    StopAndWait(stop_and_wait::Sender),
    /// Go-Back-N.
    GoBackN(go_back_n::Sender),
    /// Selective Repeat.
    SelectiveRepeat(selective_repeat::Sender),
}

impl Sender {
    /// A sender with nothing to say yet.
    ///
    /// # Errors
    ///
    /// The protocol cannot work with this configuration.
    pub fn new(protocol: Protocol, config: Config) -> Result<Self, ConfigError> {
        Ok(match protocol {
            Protocol::StopAndWait => Self::StopAndWait(stop_and_wait::Sender::new(config)?),
            Protocol::GoBackN => Self::GoBackN(go_back_n::Sender::new(config)?),
            Protocol::SelectiveRepeat => Self::SelectiveRepeat(selective_repeat::Sender::new(config)?),
        })
    }

    /// Which protocol it is.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::StopAndWait(_) => Protocol::StopAndWait,
            Self::GoBackN(_) => Protocol::GoBackN,
            Self::SelectiveRepeat(_) => Protocol::SelectiveRepeat,
        }
    }

    /// Takes a message to be sent.
    ///
    /// # Errors
    ///
    /// The queue has no room for it, or the sender has given up.
    pub fn send(&mut self, message: &[u8]) -> Result<(), SendError> {
        whichever!(self, sender => sender.send(message))
    }

    /// Octets arrived from the channel.
    pub fn packet_arrives(&mut self, now: Instant, octets: &[u8]) {
        whichever!(self, sender => sender.packet_arrives(now, octets));
    }

    /// Time has passed: what timers have expired is sent again.
    pub fn deadline_passed(&mut self, now: Instant) {
        whichever!(self, sender => sender.deadline_passed(now));
    }

    /// The packet that leaves now, if one may.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Outgoing> {
        whichever!(self, sender => sender.poll_packet(now))
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        whichever!(self, sender => sender.poll_event())
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        whichever!(self, sender => sender.poll_note())
    }

    /// When to call [`deadline_passed`](Self::deadline_passed), and for which timer.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline<Timer>> {
        whichever!(self, sender => sender.poll_deadline())
    }

    /// Whether notes are taken from now on; those not polled are forgotten.
    pub fn observe(&mut self, observe: Observe) {
        whichever!(self, sender => sender.observe(observe));
    }

    /// What it was configured with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        whichever!(self, sender => sender.config())
    }

    /// The window.
    #[must_use]
    pub fn window(&self) -> Window {
        whichever!(self, sender => sender.window())
    }

    /// Packets that the queue still has room for.
    #[must_use]
    pub fn free_packets(&self) -> usize {
        whichever!(self, sender => sender.free_packets())
    }

    /// Packets queued or on their way; none once everything was acknowledged or given up.
    #[must_use]
    pub fn unacknowledged_packets(&self) -> usize {
        whichever!(self, sender => sender.unacknowledged_packets())
    }
}

/// The side that listens, in any of the three protocols.
#[derive(Clone, Debug)]
pub enum Receiver {
    /// Stop-and-wait.
    StopAndWait(stop_and_wait::Receiver),
    /// Go-Back-N.
    GoBackN(go_back_n::Receiver),
    /// Selective Repeat.
    SelectiveRepeat(selective_repeat::Receiver),
}

impl Receiver {
    /// A receiver that waits for the first packet.
    ///
    /// # Errors
    ///
    /// The protocol cannot work with this configuration.
    pub fn new(protocol: Protocol, config: Config) -> Result<Self, ConfigError> {
        Ok(match protocol {
            Protocol::StopAndWait => Self::StopAndWait(stop_and_wait::Receiver::new(config)?),
            Protocol::GoBackN => Self::GoBackN(go_back_n::Receiver::new(config)?),
            Protocol::SelectiveRepeat => Self::SelectiveRepeat(selective_repeat::Receiver::new(config)?),
        })
    }

    /// Which protocol it is.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::StopAndWait(_) => Protocol::StopAndWait,
            Self::GoBackN(_) => Protocol::GoBackN,
            Self::SelectiveRepeat(_) => Protocol::SelectiveRepeat,
        }
    }

    /// Octets arrived from the channel.
    pub fn packet_arrives(&mut self, now: Instant, octets: &[u8]) {
        whichever!(self, receiver => receiver.packet_arrives(now, octets));
    }

    /// The answer that leaves now, if there is one.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Outgoing> {
        whichever!(self, receiver => receiver.poll_packet(now))
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        whichever!(self, receiver => receiver.poll_event())
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        whichever!(self, receiver => receiver.poll_note())
    }

    /// Whether notes are taken from now on; those not polled are forgotten.
    pub fn observe(&mut self, observe: Observe) {
        whichever!(self, receiver => receiver.observe(observe));
    }

    /// What it was configured with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        whichever!(self, receiver => receiver.config())
    }

    /// The number of the packet that would be delivered next.
    #[must_use]
    pub const fn expected(&self) -> Sequence {
        whichever!(self, receiver => receiver.expected())
    }
}

/// A host that speaks and listens: a sender for one direction and a receiver for the other.
///
/// DATA goes to the receiver, everything else to the sender. A damaged packet goes where its kind,
/// if that is not what was damaged, would have led it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// For what this host says.
    pub sender: Sender,
    /// For what the other host says.
    pub receiver: Receiver,
}

impl Endpoint {
    /// A host that has said and heard nothing yet.
    ///
    /// # Errors
    ///
    /// The protocol cannot work with this configuration.
    pub fn new(protocol: Protocol, config: Config) -> Result<Self, ConfigError> {
        let sender = Sender::new(protocol, config.clone())?;
        let receiver = Receiver::new(protocol, config)?;
        Ok(Self { sender, receiver })
    }

    /// Takes a message to be sent.
    ///
    /// # Errors
    ///
    /// The queue has no room for it, or the sender has given up.
    pub fn send(&mut self, message: &[u8]) -> Result<(), SendError> {
        self.sender.send(message)
    }

    /// Octets arrived from the channel.
    pub fn packet_arrives(&mut self, now: Instant, octets: &[u8]) {
        match Kind::claimed(octets) {
            Some(Kind::Ack | Kind::Nack | Kind::GroupAck) => self.sender.packet_arrives(now, octets),
            Some(Kind::Data) | None => self.receiver.packet_arrives(now, octets),
        }
    }

    /// Time has passed: what timers have expired is sent again.
    pub fn deadline_passed(&mut self, now: Instant) {
        self.sender.deadline_passed(now);
    }

    /// The packet that leaves now, if one may: answers first.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Outgoing> {
        self.receiver.poll_packet(now).or_else(|| self.sender.poll_packet(now))
    }

    /// What the application should hear.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.receiver.poll_event().or_else(|| self.sender.poll_event())
    }

    /// What an observer should see.
    pub fn poll_note(&mut self) -> Option<Note> {
        self.receiver.poll_note().or_else(|| self.sender.poll_note())
    }

    /// When to call [`deadline_passed`](Self::deadline_passed), and for which timer.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Deadline<Timer>> {
        self.sender.poll_deadline()
    }

    /// Whether notes are taken from now on; those not polled are forgotten.
    pub fn observe(&mut self, observe: Observe) {
        self.sender.observe(observe);
        self.receiver.observe(observe);
    }
}
