//! Packets of the textbook protocols.
//!
//! `aperto-arq` says what its packets are and why they leave; here they only get a name and the
//! name of the packet that they repeat.

use alloc::boxed::Box;

use aperto_arq::{Checksum, EndOfMessage, Format, Kind, Outgoing, Packet, Reason, Sequence, Space};

use crate::record::Number;

/// A packet of stop-and-wait, Go-Back-N or Selective Repeat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArqPacket {
    /// DATA, ACK, NACK or GROUP ACK.
    pub kind: Kind,
    /// Its number, or the number that it answers.
    pub sequence: Sequence,
    /// The space that the number is counted in.
    pub space: Space,
    /// How damage is noticed.
    pub checksum: Checksum,
    /// Whether a message ends with it.
    pub end: EndOfMessage,
    /// Its place among all DATA packets, from 0, the same in each retransmission.
    pub ordinal: Option<u64>,
    /// Why it left, as the engine said; none where the sender is not ours.
    pub reason: Option<Reason>,
    /// The packet that carried this ordinal for the first time, in a retransmission.
    pub of: Option<Number>,
}

impl ArqPacket {
    /// What the engine says of a packet that leaves.
    #[must_use]
    pub fn leaving(outgoing: &Outgoing) -> Self {
        Self {
            ordinal: outgoing.ordinal,
            reason: Some(outgoing.reason),
            ..Self::new(&outgoing.packet, outgoing.format)
        }
    }

    /// A packet that a stranger sent, read with the space and checksum that it declares itself.
    ///
    /// Gives the packet and how many octets of header it has; none if it is not sound.
    #[must_use]
    pub fn read(datagram: &[u8]) -> Option<(Self, u32)> {
        let (&flags, rest) = datagram.split_first()?;
        let space = Space::from_bits(*rest.first()?)?;
        let checksum = if flags & 0x20 == 0 { Checksum::Internet } else { Checksum::Crc32 };
        let format = Format { space, checksum };
        let packet = Packet::parse(datagram, format).ok()?;
        Some((Self::new(&packet, format), u32::try_from(format.header_octets()).ok()?))
    }

    fn new(packet: &Packet, format: Format) -> Self {
        Self {
            kind: packet.kind,
            sequence: packet.sequence,
            space: format.space,
            checksum: format.checksum,
            end: packet.end,
            ordinal: None,
            reason: None,
            of: None,
        }
    }
}

/// What a departing packet is, boxed for [`Transport`](crate::Transport).
pub(crate) fn boxed(outgoing: &Outgoing) -> Box<ArqPacket> {
    Box::new(ArqPacket::leaving(outgoing))
}

/// Reads a UDP datagram again as a packet of a textbook protocol, if it is one.
pub(crate) fn reread(packet: &mut crate::packet::Packet) {
    use crate::packet::Transport;
    if packet.transport != Transport::Udp {
        return;
    }
    if let Some((arq, header)) = ArqPacket::read(packet.payload()) {
        packet.payload_at += header;
        packet.payload_length = packet.payload_length.saturating_sub(header);
        packet.transport = Transport::Arq(Box::new(arq));
    }
}
