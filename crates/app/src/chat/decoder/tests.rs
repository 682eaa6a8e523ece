use proptest::prelude::*;

use super::super::frame::{Part, Say};
use super::*;

/// Everything that comes of these octets, cut at these places.
fn decoded(octets: &[u8], cuts: &[usize], seal: Seal) -> (Vec<Found>, Option<BadFrame>) {
    let mut decoder = Decoder::new(500, seal);
    let (mut found, mut from) = (Vec::new(), 0);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (octets.len() + 1)).collect();
    ends.push(octets.len());
    ends.sort_unstable();
    for end in ends {
        let mut piece = &octets[from..end];
        from = end;
        loop {
            match decoder.take(&mut piece) {
                Ok(Some(one)) => found.push(one),
                Ok(None) => break,
                Err(bad) => return (found, Some(bad)),
            }
        }
        assert!(piece.is_empty());
    }
    (found, None)
}

proptest! {
    /// RELIABILITY AP-1: the decoder gives the same result for every split of the input.
    #[test]
    fn every_split_gives_the_same(
        frames in prop::collection::vec(super::super::frame::tests::frames(), 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        sealed: bool,
    ) {
        let seal = if sealed { Seal::Digest } else { Seal::None };
        let mut octets = Vec::new();
        for frame in &frames {
            frame.put(&mut octets, seal);
        }
        if let Some((at, value)) = damage {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        let whole = decoded(&octets, &[], seal);
        prop_assert_eq!(&decoded(&octets, &cuts, seal), &whole);
        let singly: Vec<usize> = (0..octets.len()).collect();
        prop_assert_eq!(&decoded(&octets, &singly, seal), &whole);
        if damage.is_none() {
            prop_assert_eq!(whole.0, frames.into_iter().map(Found::Frame).collect::<Vec<_>>());
        }
    }
}

/// RELIABILITY AP-1: limit + 1 and all ones are refused from their four octets; what is allowed is
/// not kept room for before it comes.
#[test]
fn a_lying_length_is_refused_before_anything_is_kept_for_it() {
    for (length, refused) in [([0xff, 0xff, 0xff], true), ([0, 0x01, 0xf5], true), ([0, 0x01, 0xf4], false)] {
        let mut decoder = Decoder::new(500, Seal::None);
        let head = [3, length[0], length[1], length[2]];
        let taken = decoder.take(&mut &head[..]);
        assert_eq!(taken.is_err(), refused, "{length:?}");
        assert!(decoder.frame.capacity() < 64);
    }
    // Nothing at all is no frame of any kind with a body.
    let mut decoder = Decoder::new(500, Seal::None);
    assert!(decoder.take(&mut &[3, 0, 0, 0][..]).is_err());
}

#[test]
fn a_decoder_takes_no_more_than_one_frame() {
    let mut octets = Vec::new();
    let say = Frame::Say(Say { id: 1, part: Part::WHOLE, piece: b"a".to_vec() });
    say.put(&mut octets, Seal::None);
    let length = octets.len();
    say.put(&mut octets, Seal::None);
    let mut decoder = Decoder::new(500, Seal::None);
    let mut rest = &octets[..];
    assert_eq!(decoder.take(&mut rest), Ok(Some(Found::Frame(say))));
    assert_eq!(rest.len(), octets.len() - length);
    assert!(!decoder.is_within());
}

/// RELIABILITY AP-10.
#[test]
fn who_has_the_wrong_port_is_known_after_eight_octets() {
    let tls = [0x16, 3, 1, 2, 0, 1, 0, 1];
    for (octets, expected) in [
        (&b"GET / HT"[..], Who::Stranger(Stranger::Http)),
        (b"POST /fo", Who::Stranger(Stranger::Http)),
        (b"OPTIONS ", Who::Stranger(Stranger::Http)),
        (b"PRI * HT", Who::Stranger(Stranger::Http)),
        (&tls, Who::Stranger(Stranger::Tls)),
        (b"SSH-2.0-", Who::Stranger(Stranger::Ssh)),
        (b"\x80\x2e\x01\x03\x01\x00\x15\x00", Who::Stranger(Stranger::Unknown)),
        (b"\0\0\0\0\0\0\0\0", Who::Stranger(Stranger::Unknown)),
        (b"APTO\x01\x01\0\0", Who::Program),
        // A later version is a program, too, and is told so.
        (b"APTO\x09\x01\0\0", Who::Program),
    ] {
        assert_eq!(who(octets), expected, "{octets:?}");
        let earlier = (0..octets.len()).map(|end| who(&octets[..end]));
        assert!(earlier.into_iter().all(|early| early == Who::NotYet || early == expected), "{octets:?}");
    }
}

#[test]
fn who_types_is_a_person_from_the_first_letters_on() {
    for text in ["oi\n", "é\n", "🙂🙂", "APTOS para tudo", "GET me a coffee", "A\n", "AP\n", "\n", "S\r\n"]
    {
        assert_eq!(who(text.as_bytes()), Who::Person, "{text}");
        assert!(is_typed(text.as_bytes()), "{text}");
        for end in 0..text.len() {
            let early = who(&text.as_bytes()[..end]);
            assert!(matches!(early, Who::NotYet | Who::Person), "{text} cut at {end}: {early:?}");
        }
    }
}

#[test]
fn a_beginning_that_goes_no_further_is_a_persons_if_it_is_text() {
    for text in ["A", "AP", "APTO", "GET", "oi", "é"] {
        assert!(is_typed(text.as_bytes()), "{text}");
    }
    for octets in [&b""[..], b"\x16", b"APTO\x01", b"for\0", b"\xc3", b"GET /"] {
        assert!(!is_typed(octets), "{octets:?}");
    }
}

proptest! {
    #[test]
    fn eight_octets_decide(octets in prop::collection::vec(any::<u8>(), 8..16)) {
        prop_assert_ne!(who(&octets), Who::NotYet);
    }
}
