//! Finds the departure of a frame that arrives, where nobody says which one it was.
//!
//! Bounded: the last 1,024 packets that have left and not arrived. Of several that look the same the
//! one that left last is taken: the ones before it were probably lost, which is why it was sent.

use alloc::collections::VecDeque;

use crate::dissect::identity;
use crate::packet::Packet;
use crate::record::Number;

/// How many departures are remembered.
const REMEMBERED: usize = 1024;

/// Packets that have left and not arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight(VecDeque<(Number, u64)>);

impl InFlight {
    /// A packet leaves.
    pub(crate) fn left(&mut self, packet: &Packet) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((packet.number, identity(packet)));
    }

    /// It arrives, and somebody knows which it is.
    pub(crate) fn arrived(&mut self, number: Number) {
        self.0.retain(|(left, _)| *left != number);
    }

    /// A packet arrives: which one is it?
    pub(crate) fn take(&mut self, packet: &Packet) -> Option<Number> {
        let wanted = identity(packet);
        let place = self.0.iter().rposition(|(_, left)| *left == wanted)?;
        self.0.remove(place).map(|(number, _)| number)
    }
}
