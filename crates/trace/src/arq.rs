//! Packets of the textbook protocols.

/// A packet of stop-and-wait, Go-Back-N or Selective Repeat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArqPacket {
    /// The place among all DATA packets, from 0; the same in each retransmission.
    pub ordinal: Option<u64>,
    /// The packet that carried this ordinal for the first time, in a retransmission.
    pub of: Option<crate::Number>,
}
