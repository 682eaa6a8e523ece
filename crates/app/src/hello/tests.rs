use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

fn gbn() -> Ask {
    Ask { negative: Negative::On, acknowledgement: Acknowledgement::Group, ..Ask::new(Mode::GoBackN) }
}

fn everything() -> Offer {
    Offer::new(&Mode::ALL, &Integrity::ALL)
}

/// The octets were put together by hand from the table in `codec.rs`; the CRC-32 is `zlib.crc32`'s.
#[test]
fn an_ask_has_the_octets_of_its_table() {
    let hello = Hello::Ask { session: 0x0102_0304, ask: gbn() };
    let mut expected = Vec::from(*b"APTO\x01\x01\x00\x1a\x01\x02\x03\x04");
    expected.extend_from_slice(b"\x01\x01\x03\x02\x01\x01\x03\x04\x00\x00\x00\x64\x04\x02\x00\x04");
    expected.extend_from_slice(b"\x05\x02\x00\x05\x06\x01\x01\x07\x01\x01");
    expected.extend_from_slice(&0xcd8e_ff9a_u32.to_be_bytes());
    assert_eq!(hello.encode(), expected);
    assert_eq!(Hello::decode(&expected), Ok((hello, expected.len())));
}

#[test]
fn what_is_offered_limits_what_is_asked() {
    let ask = Ask { max_message: 5_000, payload: 64, window: 32, ..gbn() };
    let offer = Offer { max_message: 1_000, payload: 4, window: 5, ..everything() };
    let terms = grant(&ask, &offer).unwrap();
    assert_eq!((terms.max_message, terms.payload, terms.window), (1_000, 4, 5));
    assert_eq!((terms.mode, terms.acknowledgement), (Mode::GoBackN, Acknowledgement::Group));
    let changes: Vec<Change> = terms.changes(&ask).collect();
    assert_eq!(changes, [Change::MaxMessage, Change::Payload, Change::Window]);
    assert!(ask.allows(&terms));

    let granted = grant(&gbn(), &everything()).unwrap();
    assert_eq!(granted.changes(&gbn()).count(), 0, "all that was asked");
}

#[test]
fn the_first_mode_that_both_know_is_taken() {
    let ask = Ask { modes: vec![Mode::SelectiveRepeat, Mode::GoBackN, Mode::StopAndWait], ..gbn() };
    let offer = Offer { modes: vec![Mode::StopAndWait, Mode::GoBackN], ..everything() };
    let terms = grant(&ask, &offer).unwrap();
    assert_eq!(terms.mode, Mode::GoBackN);
    assert_eq!(terms.changes(&ask).collect::<Vec<_>>(), [Change::Mode]);
}

#[test]
fn stop_and_wait_has_a_window_of_one_and_no_groups() {
    let ask = Ask { modes: vec![Mode::StopAndWait], window: 5, ..gbn() };
    let terms = grant(&ask, &everything()).unwrap();
    assert_eq!((terms.window, terms.acknowledgement), (1, Acknowledgement::Individual));
    assert!(ask.allows(&terms));
}

/// The assignment: a largest message of 30 characters or more.
#[test]
fn less_than_thirty_octets_a_message_is_refused() {
    let ask = |max_message| Ask { max_message, ..gbn() };
    assert_eq!(grant(&ask(29), &everything()), Err(Refusal::MessageTooSmall { least: 30 }));
    assert_eq!(grant(&ask(30), &everything()).map(|terms| terms.max_message), Ok(30));
    let small = Offer { max_message: 10, ..everything() };
    assert_eq!(grant(&ask(100), &small), Err(Refusal::MessageTooSmall { least: 30 }));
}

#[test]
fn no_protection_is_ever_left_out_in_silence() {
    let ask = Ask { integrities: vec![Integrity::Aead], ..gbn() };
    let offer = Offer { integrities: vec![Integrity::None, Integrity::Crc32], ..everything() };
    assert_eq!(grant(&ask, &offer), Err(Refusal::NoCommonIntegrity));
    let offer = Offer { modes: vec![Mode::Tcp], ..everything() };
    assert_eq!(grant(&gbn(), &offer), Err(Refusal::NoCommonMode));
}

#[test]
fn a_grant_of_more_than_was_asked_is_not_allowed() {
    let (ask, fair) = (gbn(), grant(&gbn(), &everything()).unwrap());
    assert!(ask.allows(&fair));
    for unfair in [
        Terms { mode: Mode::SelectiveRepeat, ..fair },
        Terms { integrity: Integrity::None, ..fair },
        Terms { max_message: 101, ..fair },
        Terms { max_message: 29, ..fair },
        Terms { payload: 5, ..fair },
        Terms { window: 6, ..fair },
    ] {
        assert!(!ask.allows(&unfair), "{unfair:?}");
    }
    let plain = Ask::new(Mode::GoBackN);
    assert!(!plain.allows(&Terms {
        acknowledgement: Acknowledgement::Group,
        negative: Negative::Off,
        ..fair
    }));
    assert!(!plain.allows(&Terms {
        negative: Negative::On,
        acknowledgement: Acknowledgement::Individual,
        ..fair
    }));
}

/// Octets with a right CRC-32 whatever they say.
fn sealed(version: u8, kind: u8, fields: &[u8]) -> Vec<u8> {
    let mut octets = Vec::from(*b"APTO");
    octets.extend_from_slice(&[version, kind]);
    octets.extend_from_slice(&u16::try_from(fields.len()).unwrap().to_be_bytes());
    octets.extend_from_slice(&[0, 0, 0, 7]);
    octets.extend_from_slice(fields);
    let mut crc = u32::MAX;
    for octet in &octets {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    octets.extend_from_slice(&(!crc).to_be_bytes());
    octets
}

fn fields_of(hello: &Hello) -> Vec<u8> {
    let octets = hello.encode();
    octets[12..octets.len() - 4].to_vec()
}

#[test]
fn a_later_version_may_add_fields_and_modes() {
    let ask = Hello::Ask { session: 7, ask: gbn() };
    let mut fields = fields_of(&ask);
    fields.extend_from_slice(&[200, 3, 1, 2, 3]);
    assert_eq!(Hello::decode_datagram(&sealed(1, 1, &fields)), Ok(ask));
    // An unknown mode in front of the one we know.
    let mut fields = fields_of(&Hello::Ask { session: 7, ask: gbn() });
    fields.splice(1..3, [2, 99, 3]);
    assert_eq!(Hello::decode_datagram(&sealed(1, 1, &fields)), Ok(Hello::Ask { session: 7, ask: gbn() }));
    // Only an unknown one: nothing in common, which is a refusal and no error.
    let mut fields = fields_of(&Hello::Ask { session: 7, ask: gbn() });
    fields[2] = 99;
    let Ok(Hello::Ask { ask, .. }) = Hello::decode_datagram(&sealed(1, 1, &fields)) else {
        panic!("an unknown mode is no error")
    };
    assert_eq!(grant(&ask, &everything()), Err(Refusal::NoCommonMode));
    // An unknown reason is told by its number.
    let refused = Hello::decode_datagram(&sealed(1, 3, &[8, 2, 77, 0]));
    assert_eq!(refused, Ok(Hello::Refuse { session: 7, why: Refusal::Other(77) }));
}

#[test]
fn another_version_is_told_with_its_session_so_that_it_can_be_refused() {
    let error = Hello::decode(&sealed(2, 1, &[1, 2, 3])).unwrap_err();
    assert_eq!(error, DecodeError { at: 4, what: Fault::Version { version: 2, session: 7 } });
    assert!(error.to_string().contains("version 2, 1 is spoken here"));
    let refusal = Hello::Refuse { session: 7, why: Refusal::Version { spoken: VERSION } };
    assert_eq!(Hello::decode_datagram(&refusal.encode()), Ok(refusal));
}

#[test]
fn lengths_that_lie_are_told_where_they_lie() {
    let what = |fields: &[u8]| Hello::decode(&sealed(1, 1, fields)).unwrap_err();
    assert_eq!(what(&[1, 9, 3]), DecodeError { at: 13, what: Fault::FieldLength { field: 1 } });
    assert_eq!(what(&[1]), DecodeError { at: 13, what: Fault::FieldLength { field: 1 } });
    assert_eq!(what(&[1, 1, 3, 1, 1, 3]), DecodeError { at: 15, what: Fault::Repeated { field: 1 } });
    assert_eq!(what(&[1, 0]), DecodeError { at: 14, what: Fault::FieldLength { field: 1 } });
    assert_eq!(what(&[1, 1, 3]), DecodeError { at: 15, what: Fault::Missing { field: 2 } });
    assert_eq!(what(&[1, 2, 3, 3]), DecodeError { at: 15, what: Fault::Value { field: 1 } });
    // All ones in the length: refused before anything is kept for it.
    let mut octets = sealed(1, 1, &[]);
    octets[6..8].copy_from_slice(&[0xff, 0xff]);
    let error = Hello::decode(&octets[..12]).unwrap_err();
    assert_eq!(error, DecodeError { at: 6, what: Fault::TooLong { says: 65_535 } });
    assert_eq!(Hello::decode(b"GET / HTTP/1.1").unwrap_err(), DecodeError { at: 0, what: Fault::Magic });
    assert_eq!(Hello::decode(b"APP").unwrap_err(), DecodeError { at: 2, what: Fault::Magic });
    let mut trailing = Hello::Ask { session: 7, ask: gbn() }.encode();
    let whole = trailing.len();
    trailing.push(0);
    assert_eq!(Hello::decode_datagram(&trailing), Err(DecodeError { at: whole, what: Fault::Trailing }));
}

fn modes() -> impl Strategy<Value = Vec<Mode>> {
    proptest::sample::subsequence(Mode::ALL.to_vec(), 1..=4).prop_shuffle()
}

fn integrities() -> impl Strategy<Value = Vec<Integrity>> {
    proptest::sample::subsequence(Integrity::ALL.to_vec(), 1..=5).prop_shuffle()
}

prop_compose! {
    fn asks()(
        modes in modes(),
        integrities in integrities(),
        max_message in 0..=LARGEST_MAX_MESSAGE,
        payload in 1..=LARGEST_PAYLOAD,
        window in 1..=LARGEST_WINDOW,
        group: bool,
        negative: bool,
    ) -> Ask {
        Ask {
            modes, integrities, max_message, payload, window,
            acknowledgement: if group { Acknowledgement::Group } else { Acknowledgement::Individual },
            negative: if negative { Negative::On } else { Negative::Off },
        }
    }
}

prop_compose! {
    fn offers()(ask in asks()) -> Offer {
        let Ask { modes, integrities, max_message, payload, window, acknowledgement, negative } = ask;
        Offer { modes, integrities, max_message, payload, window, acknowledgement, negative }
    }
}

fn hellos() -> impl Strategy<Value = Hello> {
    let answers =
        (any::<u32>(), asks(), offers()).prop_map(|(session, ask, offer)| match grant(&ask, &offer) {
            Ok(terms) => Hello::Grant { session, terms },
            Err(why) => Hello::Refuse { session, why },
        });
    prop_oneof![(any::<u32>(), asks()).prop_map(|(session, ask)| Hello::Ask { session, ask }), answers]
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_every_cut_waits_for_the_rest(hello in hellos(), more in any::<u8>()) {
        let octets = hello.encode();
        prop_assert!(octets.len() <= LONGEST);
        prop_assert_eq!(Hello::decode_datagram(&octets), Ok(hello.clone()));
        for cut in 0..octets.len() {
            let error = Hello::decode(&octets[..cut]).unwrap_err();
            let Fault::Incomplete { needs } = error.what else { panic!("{cut}: {error}") };
            prop_assert!(needs > cut && needs <= octets.len());
        }
        let mut stream = octets.clone();
        stream.push(more);
        prop_assert_eq!(Hello::decode(&stream), Ok((hello, octets.len())));
    }

    #[test]
    fn every_damage_of_one_octet_is_noticed(hello in hellos(), at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let mut octets = hello.encode();
        let at = at.index(octets.len());
        octets[at] ^= flip;
        prop_assert_ne!(Hello::decode_datagram(&octets).ok(), Some(hello));
    }

    #[test]
    fn octets_of_strangers_are_read_without_harm(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Hello::decode(&octets);
        let mut marked = MAGIC.to_vec();
        marked.extend_from_slice(&octets);
        let _ = Hello::decode(&marked);
    }

    #[test]
    fn sealed_nonsense_is_read_without_harm(kind in 0..5_u8, fields in prop::collection::vec(0..12_u8, 0..60)) {
        if let Ok(hello) = Hello::decode_datagram(&sealed(1, kind, &fields)) {
            prop_assert_eq!(Hello::decode_datagram(&hello.encode()).is_ok(), true);
        }
    }

    /// Nobody can be made to send more than was sent to him.
    #[test]
    fn an_answer_is_never_longer_than_its_ask_and_grants_no_more(ask in asks(), offer in offers(), session: u32) {
        let asked = Hello::Ask { session, ask: ask.clone() }.encode().len();
        let answer = match grant(&ask, &offer) {
            Ok(terms) => {
                prop_assert!(ask.allows(&terms));
                prop_assert!(terms.window <= offer.window && terms.payload <= offer.payload);
                prop_assert!(offer.modes.contains(&terms.mode) && terms.max_message <= offer.max_message);
                Hello::Grant { session, terms }
            }
            Err(why) => Hello::Refuse { session, why },
        };
        prop_assert!(answer.encode().len() <= asked);
        // To ask for what was granted gives the same again.
        if let Hello::Grant { terms, .. } = answer {
            let again = Ask {
                modes: vec![terms.mode],
                integrities: vec![terms.integrity],
                max_message: terms.max_message,
                payload: terms.payload,
                window: terms.window,
                acknowledgement: terms.acknowledgement,
                negative: terms.negative,
            };
            prop_assert_eq!(grant(&again, &offer), Ok(terms));
        }
    }
}
