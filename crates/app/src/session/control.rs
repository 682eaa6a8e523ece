//! The messages that end a session: FIN, FIN-ACK and RESET, sealed as a HELLO is.
//!
//! The kinds are 4, 5 and 6. FIN and FIN-ACK have one field, type 1: how many DATA packets their
//! sender has sent, each counted once (4 octets), so that the other side can tell whether it has
//! got them all.

use alloc::vec::Vec;

use crate::hello::{DecodeError, Fault, seal, unseal};

/// How a session ends, on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Control {
    /// Everything that was to be said has been acknowledged, and no more will be said.
    Fin {
        /// DATA packets that were sent, each counted once.
        packets: u32,
    },
    /// The same from the other side, and: the FIN arrived.
    FinAck {
        /// DATA packets that were sent, each counted once.
        packets: u32,
    },
    /// It ends at once.
    Reset,
}

const PACKETS: u8 = 1;

impl Control {
    /// The octets on the wire.
    #[must_use]
    pub fn encode(self, session: u32) -> Vec<u8> {
        let (kind, packets) = match self {
            Self::Fin { packets } => (4, Some(packets)),
            Self::FinAck { packets } => (5, Some(packets)),
            Self::Reset => (6, None),
        };
        let mut fields = Vec::new();
        if let Some(packets) = packets {
            fields.extend_from_slice(&[PACKETS, 4]);
            fields.extend_from_slice(&packets.to_be_bytes());
        }
        seal(kind, session, &fields)
    }

    /// Reads one, and the session that it belongs to.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which octet.
    pub fn decode_datagram(octets: &[u8]) -> Result<(u32, Self), DecodeError> {
        let (sealed, whole) = unseal(octets)?;
        if whole < octets.len() {
            return Err(DecodeError { at: whole, what: Fault::Trailing });
        }
        let packets = || match sealed.fields.first_chunk::<6>() {
            Some([PACKETS, 4, packets @ ..]) => Ok(u32::from_be_bytes(*packets)),
            _ => Err(DecodeError { at: 12, what: Fault::Missing { field: PACKETS } }),
        };
        let control = match sealed.kind {
            4 => Self::Fin { packets: packets()? },
            5 => Self::FinAck { packets: packets()? },
            6 => Self::Reset,
            kind => return Err(DecodeError { at: 5, what: Fault::Kind { kind } }),
        };
        Ok((sealed.session, control))
    }
}
