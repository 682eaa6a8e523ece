//! What checksums miss, tried out: each case is computed, none is asserted.

use aperto_arq::Checksum;
use aperto_explain::program::integrity::Change;
use aperto_seal::{Config, Event, Identity, Luck, NoRandomness, Peer, Role, Trust};
use aperto_time::Instant;

/// A text, as a teacher would write it on the board; of an even length.
pub(super) const TEXT: &[u8; 64] = b"transfer 100 to Ana, 900 to Bia; signed: the bank of SAO PAULO. ";

/// The generator of CRC-32 (IEEE 802.3), as the coefficients of x^32 to x^0.
const GENERATOR: u64 = 0x1_04c1_1db7;

/// Who noticed a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Noticed {
    pub(super) internet: bool,
    pub(super) crc32: bool,
    pub(super) blake3: bool,
    pub(super) aead: bool,
}

impl Noticed {
    pub(super) const fn all(self) -> [bool; 4] {
        [self.internet, self.crc32, self.blake3, self.aead]
    }
}

/// The text after a change.
fn changed(change: Change) -> Vec<u8> {
    let mut text = TEXT.to_vec();
    match change {
        Change::OneBit => text[10] ^= 1,
        // The words at 8 and 20 are " 1" and " 9": Ana gets 900 and Bia 100.
        Change::SwappedWords => {
            text.swap(8, 20);
            text.swap(9, 21);
        }
        Change::Generator => {
            // CRC-32 takes the bits of an octet from the lowest on.
            for bit in 0..33 {
                if GENERATOR >> (32 - bit) & 1 == 1 {
                    text[8 + bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
        Change::Recomputed => text[9] = b'9',
    }
    text
}

/// Tries a change on all four.
pub(super) fn tried(change: Change) -> Option<Noticed> {
    let text = changed(change);
    if change == Change::Recomputed {
        // Whoever changes the text writes the sums and the digest of the new one beside it: they fit.
        return Some(Noticed { internet: false, crc32: false, blake3: false, aead: forged(&text)? });
    }
    let differs = |checksum: Checksum| checksum.of(&[TEXT]) != checksum.of(&[&text]);
    Some(Noticed {
        internet: differs(Checksum::Internet),
        crc32: differs(Checksum::Crc32),
        blake3: blake3::hash(TEXT) != blake3::hash(&text),
        aead: forged(&text)?,
    })
}

/// Zeros and counting: nothing secret is sealed here.
#[derive(Clone, Debug)]
struct Counting(u8);

impl Luck for Counting {
    fn fill(&mut self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        for octet in octets {
            self.0 = self.0.wrapping_mul(5).wrapping_add(113);
            *octet = self.0;
        }
        Ok(())
    }
}

/// Seals the text, changes the sealed octets by as much as the text was changed, and says whether the
/// other side noticed. A stream cipher lets an attacker do that; only the tag does not follow.
fn forged(text: &[u8]) -> Option<bool> {
    let now = Instant::ZERO;
    let mut luck = Counting(1);
    let mut peer = |role| {
        let identity = Identity::generate(&mut luck).ok()?;
        Some(Peer::new(role, Config::new(identity, Trust::Anyone), luck.clone()))
    };
    let (mut client, mut server) = (peer(Role::Initiator)?, peer(Role::Responder)?);
    client.begin(now);
    server.datagram_arrives(now, &client.poll_datagram()?);
    client.datagram_arrives(now, &server.poll_datagram()?);
    server.datagram_arrives(now, &client.poll_datagram()?);
    client.datagram_arrives(now, &server.poll_datagram()?);
    client.packet_departs(now, TEXT).ok()?;
    let mut sealed = client.poll_datagram()?;
    let body = sealed.len() - TEXT.len() - aperto_seal::TAG;
    for (octet, (was, is)) in sealed.get_mut(body..)?.iter_mut().zip(TEXT.iter().zip(text)) {
        *octet ^= was ^ is;
    }
    while server.poll_event().is_some() {}
    server.datagram_arrives(now, &sealed);
    let refused = matches!(server.poll_event(), Some(Event::Refused(_)));
    Some(refused && server.poll_packet().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stone and Partridge (2000); Koopman's list of what CRCs miss: multiples of the generator.
    #[test]
    fn each_checksum_misses_what_it_must_and_the_tag_nothing() {
        let noticed = |change| tried(change).unwrap().all();
        assert_eq!(noticed(Change::OneBit), [true, true, true, true]);
        assert_eq!(noticed(Change::SwappedWords), [false, true, true, true]);
        assert_eq!(noticed(Change::Generator), [true, false, true, true]);
        assert_eq!(noticed(Change::Recomputed), [false, false, false, true]);
    }

    #[test]
    fn each_change_changes_the_text() {
        for change in Change::ALL {
            assert_ne!(changed(change), TEXT, "{change:?}");
        }
        let swapped = String::from_utf8(changed(Change::SwappedWords)).unwrap();
        assert!(swapped.starts_with("transfer 900 to Ana, 100 to Bia;"), "{swapped}");
    }
}
