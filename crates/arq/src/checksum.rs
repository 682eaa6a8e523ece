//! Two ways to notice damage: the Internet checksum and CRC-32.
//!
//! Both are computed over the whole packet with zeros where the checksum stands. The Internet
//! checksum (RFC 1071) is a sum, and a sum does not care about order: two 16-bit words that change
//! places go unnoticed. CRC-32 (the one of Ethernet, IEEE 802.3) is the remainder of a division, and
//! notices every burst of up to 32 damaged bits, and that exchange too.
//!
//! Left out: tables. A student's packets are short; one loop a bit is the definition itself.

/// How damage is noticed; both ends must use the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Checksum {
    /// The one's complement of the one's complement sum of 16-bit words, RFC 1071 §1; two octets.
    #[default]
    Internet,
    /// CRC-32 with the polynomial 04C11DB7 of IEEE 802.3, reflected; four octets.
    Crc32,
}

impl Checksum {
    /// How many octets of a packet it takes.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Internet => 2,
            Self::Crc32 => 4,
        }
    }

    /// The checksum of these pieces, as if they stood one after the other.
    ///
    /// All pieces but the last must have an even length, which is what RFC 1071's words want.
    #[must_use]
    pub fn of(self, pieces: &[&[u8]]) -> u32 {
        match self {
            Self::Internet => u32::from(internet(pieces)),
            Self::Crc32 => crc32(pieces),
        }
    }
}

/// RFC 1071 §1: add 16-bit words, add what overflows at the right, complement.
fn internet(pieces: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for piece in pieces {
        for word in piece.chunks(2) {
            let high = word.first().copied().unwrap_or(0);
            let low = word.get(1).copied().unwrap_or(0);
            sum += u32::from(u16::from_be_bytes([high, low]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    // The fold above leaves at most 16 bits.
    !(sum as u16)
}

/// The reflected CRC: least significant bit first, start and end inverted.
fn crc32(pieces: &[&[u8]]) -> u32 {
    /// 04C11DB7 with its bits in reverse.
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut remainder = u32::MAX;
    for octet in pieces.iter().copied().flatten() {
        remainder ^= u32::from(*octet);
        for _ in 0..8 {
            let divisor = if remainder & 1 == 1 { POLYNOMIAL } else { 0 };
            remainder = (remainder >> 1) ^ divisor;
        }
    }
    !remainder
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1071 §3: the octets 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
    #[test]
    fn the_internet_checksum_of_the_rfc_s_example() {
        let octets = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Checksum::Internet.of(&[&octets]), u32::from(!0xddf2_u16));
        assert_eq!(Checksum::Internet.of(&[&octets[..4], &octets[4..]]), u32::from(!0xddf2_u16));
    }

    /// The check value which the catalogues of CRCs print for CRC-32/ISO-HDLC.
    #[test]
    fn the_crc_of_the_digits_one_to_nine() {
        assert_eq!(Checksum::Crc32.of(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(Checksum::Crc32.of(&[b"1234", b"56789"]), 0xcbf4_3926);
    }

    #[test]
    fn two_exchanged_words_escape_the_sum_but_not_the_crc() {
        let (right, exchanged) = (b"abcdefgh", b"abefcdgh");
        assert_eq!(Checksum::Internet.of(&[right]), Checksum::Internet.of(&[exchanged]));
        assert_ne!(Checksum::Crc32.of(&[right]), Checksum::Crc32.of(&[exchanged]));
    }
}
