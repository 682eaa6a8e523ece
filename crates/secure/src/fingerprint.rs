//! A key's name: the first 130 bits of SHA-256 of its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
//!
//! Written in the base32 of RFC 4648 §6, lower case, without padding, in groups of four letters.
//! The first 60 bits are also six words to read aloud. The words are for two people who compare
//! them now; a program compares all 130 bits.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256};

/// How many letters of five bits.
const LETTERS: usize = 26;
/// RFC 4648 §6, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// How many words, of ten bits each.
const WORDS: usize = 6;

/// The first halves of the words, five bits each. Consonant and vowel: Portuguese and English say
/// them alike.
const FIRST: [&str; 32] = [
    "ba", "be", "bi", "da", "de", "di", "do", "fa", "fi", "la", "le", "li", "lo", "lu", "ma", "me", "mi",
    "mo", "mu", "na", "ne", "ni", "no", "sa", "se", "so", "ta", "ti", "va", "ve", "vi", "vo",
];
/// The second halves. Pairs that mean something rude in either language do not come about.
const SECOND: [&str; 32] = [
    "ba", "be", "bu", "da", "do", "du", "fa", "fe", "la", "le", "li", "lo", "lu", "ma", "mi", "mo", "na",
    "ne", "ni", "no", "nu", "pa", "po", "ra", "re", "ri", "ro", "sa", "so", "va", "vi", "vo",
];

/// A key's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; LETTERS]);

impl Fingerprint {
    /// The name of a public key, given as SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn of_public_key(spki: &[u8]) -> Self {
        let hash = Sha256::digest(spki);
        let mut letters = [0; LETTERS];
        for (place, letter) in letters.iter_mut().enumerate() {
            *letter = five_bits(&hash, place);
        }
        Self(letters)
    }

    /// The name of the key in a certificate.
    ///
    /// # Errors
    ///
    /// The certificate cannot be read.
    pub fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        Ok(Self::of_public_key(&parsed.subject_public_key_info()))
    }

    /// Six words that say its first 60 bits.
    #[must_use]
    pub fn words(&self) -> String {
        let halves = self.0.chunks_exact(2).take(WORDS);
        let words = halves.map(|two| match two {
            [first, second] => format!("{}{}", syllable(&FIRST, *first), syllable(&SECOND, *second)),
            _ => String::new(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn syllable(half: &[&'static str; 32], bits: u8) -> &'static str {
    half.get(usize::from(bits)).copied().unwrap_or_default()
}

/// Five bits of a hash, the highest of the first octet first.
fn five_bits(hash: &[u8], place: usize) -> u8 {
    (0..5).fold(0, |bits, of| {
        let bit = place * 5 + of;
        let octet = hash.get(bit / 8).copied().unwrap_or(0);
        bits << 1 | (octet >> (7 - bit % 8) & 1)
    })
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, bits) in self.0.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            let letter = ALPHABET.get(usize::from(*bits)).copied().unwrap_or(b'?');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text that is no fingerprint: not 26 letters of base32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAFingerprint;

impl fmt::Display for NotAFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 26 letters of base32")
    }
}

impl std::error::Error for NotAFingerprint {}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// Case and hyphens do not matter; a part of a fingerprint is none.
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let mut letters = [0; LETTERS];
        let mut places = letters.iter_mut();
        for letter in text.bytes().filter(|letter| *letter != b'-') {
            let bits = ALPHABET.iter().position(|known| *known == letter.to_ascii_lowercase());
            let bits = bits.and_then(|bits| u8::try_from(bits).ok()).ok_or(NotAFingerprint)?;
            *places.next().ok_or(NotAFingerprint)? = bits;
        }
        if places.next().is_some() { Err(NotAFingerprint) } else { Ok(Self(letters)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// SHA-256("abc") is ba7816bf 8f01cfea 414140de 5dae2223 b0…, FIPS 180-2 appendix B.1; its
    /// base32 by Python: `base64.b32encode(hashlib.sha256(b"abc").digest()).lower()[:26]`.
    #[test]
    fn a_fingerprint_is_the_base32_of_the_first_130_bits() {
        let print = Fingerprint::of_public_key(b"abc");
        assert_eq!(print.to_string(), "xj4b-np4p-ahh6-uqkb-idpf-3lrc-eo");
    }

    #[test]
    fn case_and_hyphens_do_not_matter_and_parts_are_none() {
        let print = Fingerprint::of_public_key(b"abc");
        for text in
            ["xj4b-np4p-ahh6-uqkb-idpf-3lrc-eo", "XJ4BNP4PAHH6UQKBIDPF3LRCEO", "xj4b-np4pahh6uqkbidpf3lrceo-"]
        {
            assert_eq!(text.parse(), Ok(print), "{text}");
        }
        for text in [
            "",
            "xj4b",
            "xj4bnp4pahh6uqkbidpf3lrce",
            "xj4bnp4pahh6uqkbidpf3lrceoo",
            "xj4bnp4pahh6uqkbidpf3lrce1",
            "xj4b np4p ahh6 uqkb idpf 3lrc eo",
            "olá",
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
        assert!("xj4b-np4p-ahh6-uqkb-idpf-3lrc-ep".parse::<Fingerprint>().unwrap() != print);
    }

    #[test]
    fn the_words_are_1024_and_all_different() {
        let words: BTreeSet<String> = FIRST
            .iter()
            .flat_map(|first| SECOND.iter().map(move |second| format!("{first}{second}")))
            .collect();
        assert_eq!(words.len(), 1024);
        assert!(words.iter().all(|word| word.len() == 4 && word.is_ascii()));
    }

    /// ba7816bf8f01cfe… in fives: 10111 01001 11100 00001 01101 01111 11100 01111 00000 00111 00111
    /// 11110, which are 23 9 28 1 13 15 28 15 0 7 7 30.
    #[test]
    fn six_words_say_the_first_60_bits() {
        let print = Fingerprint::of_public_key(b"abc");
        assert_eq!(print.words(), "sale vabe lumo vamo bafe favi");
    }

    #[test]
    fn keys_that_differ_in_any_of_the_130_bits_are_told_apart() {
        let all: BTreeSet<Fingerprint> =
            (0..2_000_u32).map(|number| Fingerprint::of_public_key(&number.to_be_bytes())).collect();
        assert_eq!(all.len(), 2_000);
        let text = "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aa";
        let other = "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-ab";
        assert_ne!(text.parse::<Fingerprint>().unwrap(), other.parse().unwrap());
    }
}
