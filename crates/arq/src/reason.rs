//! Why a packet was sent, what became of one that came, and what is due when.
//!
//! Plain values with the numbers that led to a decision, set where the decision is taken. The
//! sentences made of them, in two languages, are in `aperto-explain`.
//!
//! All numbers are those on the wire, modulo 2^k. Where a view must tell apart two packets of the
//! same number, there is the `ordinal`: the place of a packet among all that were ever sent,
//! from 0, which never wraps.

use alloc::vec::Vec;
use core::time::Duration;

use aperto_time::Instant;

use crate::{EndOfMessage, Format, Kind, Packet, ParseError, Sequence};

/// A packet that leaves, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// The packet.
    pub packet: Packet,
    /// Its place among all DATA packets, from 0, the same in each retransmission; none for answers.
    pub ordinal: Option<u64>,
    /// Why it leaves now.
    pub reason: Reason,
    /// How its octets look.
    pub format: Format,
}

impl Outgoing {
    /// The octets on the wire.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        self.packet.emit(self.format).expect("the configuration bounds payload and numbers")
    }
}

/// Why a packet leaves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// DATA that has not been sent before; the window allows it.
    FirstTransmission {
        /// The window as it leaves, from `base` to `last`.
        window: Window,
    },
    /// The packet's own timer expired: it alone is sent again (stop-and-wait, Selective Repeat).
    TimerExpired {
        /// How long no acknowledgement came.
        waited: Duration,
        /// The how-manieth time in a row, from 1.
        retry: u32,
        /// The last retry there will be.
        max_retries: u32,
    },
    /// The window's timer expired: everything from `base` is sent again (Go-Back-N).
    WentBackOnTimer {
        /// The oldest packet without acknowledgement.
        base: Sequence,
        /// This packet's place among those sent again, from 1.
        position: u32,
        /// How many are sent again.
        outstanding: u32,
        /// How long `base` had no acknowledgement.
        waited: Duration,
        /// The how-manieth time in a row, from 1.
        retry: u32,
        /// The last retry there will be.
        max_retries: u32,
    },
    /// A NACK asked for exactly this packet (stop-and-wait, Selective Repeat).
    AskedForAgain,
    /// A NACK asked for `base`: it and all that followed are sent again (Go-Back-N).
    WentBackOnNack {
        /// The packet that the NACK named.
        base: Sequence,
        /// This packet's place among those sent again, from 1.
        position: u32,
        /// How many are sent again.
        outstanding: u32,
    },
    /// ACK: the packet of this number arrived, in order, and was delivered.
    Delivered,
    /// ACK (Selective Repeat): the packet of this number arrived ahead of others and is kept.
    Buffered {
        /// The oldest that is missing.
        expected: Sequence,
    },
    /// ACK again, for a packet that came again: the first ACK may have been lost (stop-and-wait,
    /// Selective Repeat).
    AlreadyDelivered {
        /// What would be new.
        expected: Sequence,
    },
    /// ACK again, of the last packet in order, since what came was something else (Go-Back-N; after
    /// damage also stop-and-wait).
    RepeatsLastInOrder {
        /// What would have been in order.
        expected: Sequence,
        /// What came instead.
        came: Came,
        /// How often in a row this ACK has been repeated, from 1.
        repeat: u32,
    },
    /// GROUP ACK: everything up to this number has been delivered.
    GroupComplete {
        /// Packets delivered since the last acknowledgement.
        packets: u32,
        /// Why now.
        why: GroupEnd,
    },
    /// NACK: a later packet came, so the one of this number is missing.
    Missing {
        /// What came.
        got: Sequence,
    },
    /// NACK: a packet came damaged; it was probably the one of this number.
    Damaged,
}

impl Reason {
    /// Whether it is DATA that had been sent before.
    #[must_use]
    pub const fn is_retransmission(&self) -> bool {
        matches!(
            self,
            Self::TimerExpired { .. }
                | Self::WentBackOnTimer { .. }
                | Self::AskedForAgain
                | Self::WentBackOnNack { .. }
        )
    }

    /// Whether it acknowledges what had been acknowledged before.
    #[must_use]
    pub const fn is_duplicate_acknowledgement(&self) -> bool {
        matches!(self, Self::AlreadyDelivered { .. } | Self::RepeatsLastInOrder { .. })
    }
}

/// What came when something else was expected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Came {
    /// A packet further on.
    OutOfOrder(Sequence),
    /// A packet that had been delivered.
    Duplicate(Sequence),
    /// A damaged packet, whose number cannot be trusted.
    Damaged,
}

/// Why a group is acknowledged now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupEnd {
    /// It has as many packets as were agreed on.
    Full,
    /// The message ends here.
    EndOfMessage,
    /// A missing packet came and released those that waited for it (Selective Repeat).
    GapFilled,
}

/// The sender's window: `base` is the oldest packet without acknowledgement, `next` the next to be
/// sent for the first time, `last` the last that may be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// Where it starts.
    pub base: Sequence,
    /// The next number to be used; one after `last` when the window is full.
    pub next: Sequence,
    /// Where it ends.
    pub last: Sequence,
}

/// Which timer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// One packet's own (stop-and-wait, Selective Repeat).
    Packet {
        /// The packet.
        sequence: Sequence,
    },
    /// The only one of Go-Back-N, for the oldest packet without acknowledgement.
    Window {
        /// That packet.
        base: Sequence,
    },
}

/// What the application hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The receiver has the next octets of the message.
    Delivered {
        /// They, never empty unless the message is.
        octets: Vec<u8>,
        /// Whether the message ends with them.
        end: EndOfMessage,
        /// The number of the packet that brought them.
        sequence: Sequence,
        /// That packet's place among all.
        ordinal: u64,
    },
    /// The sender has nothing left: each packet has been acknowledged.
    AllAcknowledged,
    /// The sender has given up; nothing leaves any more.
    GaveUp {
        /// The packet that was never acknowledged.
        sequence: Sequence,
        /// How often it was sent again.
        retries: u32,
    },
}

/// Whether notes are taken; without an observer they cost one branch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Observe {
    /// Take notes; who asks for them must poll them, for only the newest 4096 are kept.
    Yes,
    /// Take none.
    #[default]
    No,
}

/// What happened inside, for an observer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Note {
    /// Sender: packets were acknowledged and the window moved.
    WindowMoved {
        /// The window now.
        window: Window,
        /// By how many packets.
        by: u32,
    },
    /// Sender, Selective Repeat: a packet was acknowledged while older ones are not; the window
    /// stays.
    MarkedAcknowledged {
        /// The packet.
        sequence: Sequence,
        /// The oldest without acknowledgement.
        base: Sequence,
    },
    /// Sender: an acknowledgement that says nothing new.
    AcknowledgementIgnored {
        /// Its number.
        sequence: Sequence,
        /// The oldest without acknowledgement, or the next to be sent if there is none.
        base: Sequence,
    },
    /// Sender: a NACK for a packet that is not waiting for an acknowledgement, or was already sent
    /// again for a NACK.
    NackIgnored {
        /// Its number.
        sequence: Sequence,
        /// The oldest without acknowledgement, or the next to be sent if there is none.
        base: Sequence,
    },
    /// Sender: a NACK that will be followed.
    NackHeard {
        /// The packet it asks for.
        sequence: Sequence,
    },
    /// Sender: a timer was started, or started again.
    TimerStarted {
        /// Which.
        timer: Timer,
        /// When it will expire.
        due: Instant,
    },
    /// Sender: a timer is no longer needed.
    TimerStopped {
        /// Which.
        timer: Timer,
    },
    /// Sender: a timer expired.
    TimerExpired {
        /// Which.
        timer: Timer,
        /// The how-manieth time in a row, from 1.
        retry: u32,
    },
    /// Sender: too many retries.
    GaveUp {
        /// The packet that was never acknowledged.
        sequence: Sequence,
        /// How often it was sent again.
        retries: u32,
    },
    /// Receiver: a packet's octets went to the application.
    Delivered {
        /// The packet.
        sequence: Sequence,
        /// How many octets.
        octets: usize,
        /// Where they had been.
        from: DeliveredFrom,
    },
    /// Receiver, Selective Repeat: a packet is kept until those before it have come.
    Buffered {
        /// The packet.
        sequence: Sequence,
        /// The oldest that is missing.
        expected: Sequence,
    },
    /// A packet came and was thrown away.
    Discarded(Discard),
}

/// Where delivered octets had been.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveredFrom {
    /// They just arrived.
    Channel,
    /// They had arrived before and waited for an older packet.
    Buffer,
}

/// Why a packet that came was thrown away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Discard {
    /// It came before its turn, and this protocol keeps nothing (stop-and-wait, Go-Back-N).
    OutOfOrder {
        /// Whose turn it is.
        expected: Sequence,
        /// What came.
        got: Sequence,
    },
    /// It had been delivered, or is already kept.
    Duplicate {
        /// What would be new.
        expected: Sequence,
        /// What came.
        got: Sequence,
    },
    /// Its number is neither in the window nor in the one before (Selective Repeat).
    OutsideWindow {
        /// Where the window starts.
        expected: Sequence,
        /// What came.
        got: Sequence,
    },
    /// It is not a sound packet of the agreed format.
    Damaged(ParseError),
    /// Its payload is longer than was agreed.
    TooLong {
        /// How long it is.
        octets: usize,
        /// What was agreed.
        largest: u16,
    },
    /// The application has not read what came before.
    NoRoom {
        /// Packets waiting for it.
        unread: usize,
    },
    /// DATA at a sender, or an answer at a receiver.
    WrongKind(Kind),
}
