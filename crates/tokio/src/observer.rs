//! Two hooks into the driver: one that sees everything, one that may spoil it.

use aperto_host::{Departure, InterfaceId, Note};
use aperto_time::Instant;

use crate::driver::Counters;
use crate::wire::WireNote;

/// Sees what passes between host and wires: for recordings and for the screen.
///
/// All methods do nothing unless they are written. They are called in the order of events, by the
/// driver, while it holds the stack: they must be quick and must not call the stack's handles.
/// Writing to a slow terminal belongs behind a channel.
pub trait Observer: Send {
    /// A packet leaves the host, before anything happens to it.
    fn departed(&mut self, now: Instant, departure: &Departure, packet: &[u8]) {
        let _ = (now, departure, packet);
    }

    /// A packet reaches the host, after everything that happened to it. The notes that it causes
    /// follow before the next packet.
    fn arrived(&mut self, now: Instant, interface: InterfaceId, packet: &[u8]) {
        let _ = (now, interface, packet);
    }

    /// The host noted something.
    fn noted(&mut self, now: Instant, note: &Note) {
        let _ = (now, note);
    }

    /// A wire noticed something.
    fn wire_noted(&mut self, now: Instant, interface: InterfaceId, note: &WireNote) {
        let _ = (now, interface, note);
    }

    /// The driver ends; nothing follows.
    fn stopped(&mut self, now: Instant, counters: &Counters) {
        let _ = (now, counters);
    }
}

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// From the host to the wire.
    Out,
    /// From the wire to the host.
    In,
}

/// Spoils packets between a host and one wire: loses, delays, doubles, damages them.
///
/// A machine like the others: what passes is an input, what comes of it is polled.
pub trait Impair: Send {
    /// A packet goes its way. `departure` says what the host knows about one of its own.
    fn packet_passes(&mut self, now: Instant, way: Way, departure: Option<&Departure>, packet: &[u8]);

    /// A packet that is due, until there is none.
    fn poll_packet(&mut self, now: Instant) -> Option<(Way, Vec<u8>)>;

    /// When the next packet is due.
    fn poll_deadline(&self) -> Option<Instant>;
}
