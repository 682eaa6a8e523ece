//! The control bits of a TCP header.

use core::fmt;
use core::ops::{BitOr, BitOrAssign, Sub};

/// The control bits, also called flags.
///
/// RFC 9293 §3.1; CWR and ECE are RFC 3168 §6.1. The four reserved bits and AE are kept out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Control(u8);

impl Control {
    /// No bit at all.
    pub const NONE: Self = Self(0);
    /// No more octets from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);
    /// ECN echo.
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x80);

    /// The bits as they stand in octet 13 of the header.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Reads the bits of octet 13 of the header.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether all bits of `other` are set here.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the SYN bit is set.
    #[must_use]
    pub const fn syn(self) -> bool {
        self.has(Self::SYN)
    }

    /// Whether the ACK bit is set.
    #[must_use]
    pub const fn ack(self) -> bool {
        self.has(Self::ACK)
    }

    /// Whether the FIN bit is set.
    #[must_use]
    pub const fn fin(self) -> bool {
        self.has(Self::FIN)
    }

    /// Whether the RST bit is set.
    #[must_use]
    pub const fn rst(self) -> bool {
        self.has(Self::RST)
    }

    /// Whether the PSH bit is set.
    #[must_use]
    pub const fn psh(self) -> bool {
        self.has(Self::PSH)
    }

    /// Whether the URG bit is set.
    #[must_use]
    pub const fn urg(self) -> bool {
        self.has(Self::URG)
    }

    /// How many sequence numbers the bits use: one for SYN, one for FIN.
    ///
    /// RFC 9293 §3.4.
    #[must_use]
    pub const fn sequence_length(self) -> u32 {
        self.syn() as u32 + self.fin() as u32
    }
}

impl BitOr for Control {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Control {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Sub for Control {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Display for Control {
    /// The names as Wireshark's users write them, the control bits first: `SYN,ACK`, `PSH,ACK`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ORDER: [(Control, &str); 8] = [
            (Control::SYN, "SYN"),
            (Control::FIN, "FIN"),
            (Control::RST, "RST"),
            (Control::PSH, "PSH"),
            (Control::URG, "URG"),
            (Control::ECE, "ECE"),
            (Control::CWR, "CWR"),
            (Control::ACK, "ACK"),
        ];
        let mut first = true;
        for (bit, name) in ORDER {
            if self.has(bit) {
                if !first {
                    f.write_str(",")?;
                }
                f.write_str(name)?;
                first = false;
            }
        }
        if first { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
