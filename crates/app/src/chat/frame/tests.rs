use alloc::vec;

use proptest::prelude::*;

use super::*;

fn read(octets: &[u8], seal: Seal) -> Result<Option<Frame>, Unreadable> {
    Frame::read(octets, seal)
}

fn put(frame: &Frame, seal: Seal) -> Vec<u8> {
    let mut octets = Vec::new();
    frame.put(&mut octets, seal);
    octets
}

/// The octets were put together by hand from the table in the module's text.
#[test]
fn a_message_and_its_acknowledgement_have_the_octets_of_the_table() {
    let say = Frame::Say(Say { id: 258, part: Part::WHOLE, piece: b"oi".to_vec() });
    assert_eq!(put(&say, Seal::None), b"\x03\x00\x00\x0b\0\0\0\0\0\0\x01\x02\x03oi");
    let ack = Frame::Ack { id: 1 };
    assert_eq!(put(&ack, Seal::None), b"\x05\x00\x00\x08\0\0\0\0\0\0\0\x01");
    // With a digest the length counts 16 octets more.
    let sealed = put(&ack, Seal::Digest);
    assert_eq!((sealed.len(), &sealed[..4]), (28, &b"\x05\x00\x00\x18"[..]));
}

/// `printf '\x09\x00\x00\x10' | b3sum` begins with these octets; checked with the reference
/// implementation of BLAKE3.
#[test]
fn the_digest_covers_kind_and_length() {
    let resumed = put(&Frame::Resumed, Seal::Digest);
    let expected = blake3::hash(&[9, 0, 0, 16]);
    assert_eq!(resumed[4..], expected.as_bytes()[..16]);
}

fn names() -> impl Strategy<Value = String> {
    "[a-zé]{0,12}"
}

fn parts() -> impl Strategy<Value = Part> {
    (any::<bool>(), any::<bool>()).prop_map(|(first, last)| Part { first, last })
}

pub(in super::super) fn frames() -> impl Strategy<Value = Frame> {
    let piece = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        (any::<Token>(), any::<u32>(), any::<Token>(), any::<u64>(), names()).prop_map(
            |(token, connection, room, seen, name)| Frame::Join(Join { token, connection, room, seen, name })
        ),
        (any::<Token>(), any::<u64>(), names()).prop_map(|(room, after, name)| Frame::Welcome(Welcome {
            room,
            after,
            name
        })),
        (any::<u64>(), parts(), piece()).prop_map(|(id, part, piece)| Frame::Say(Say { id, part, piece })),
        (any::<u64>(), any::<u64>(), parts(), names(), piece())
            .prop_map(|(seq, own, part, name, piece)| Frame::Said(Said { seq, own, part, name, piece })),
        any::<u64>().prop_map(|id| Frame::Ack { id }),
        any::<u64>().prop_map(|id| Frame::AckUpTo { id }),
        (any::<u64>(), any::<u8>(), any::<u32>())
            .prop_map(|(id, code, number)| Frame::Nack { id, why: refused_of(code, number) }),
        any::<u64>().prop_map(|after| Frame::Damaged { after }),
        Just(Frame::Resumed),
        any::<u64>().prop_map(Frame::Ping),
        any::<u64>().prop_map(Frame::Pong),
        names().prop_map(Frame::Came),
        names().prop_map(Frame::Left),
        any::<u8>().prop_map(|code| Frame::Bye(Bye::of(code))),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(frame in frames()) {
        for seal in [Seal::None, Seal::Digest] {
            prop_assert_eq!(read(&put(&frame, seal), seal), Ok(Some(frame.clone())));
        }
    }

    #[test]
    fn each_flipped_bit_under_a_digest_is_noticed(frame in frames(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut octets = put(&frame, Seal::Digest);
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        prop_assert_eq!(read(&octets, Seal::Digest), Ok(None));
    }

    #[test]
    fn octets_of_strangers_are_read_without_harm(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read(&octets, Seal::None);
        let _ = read(&octets, Seal::Digest);
    }
}

#[test]
fn a_body_that_is_too_short_or_too_long_says_nothing() {
    let whole = put(&Frame::Ack { id: 7 }, Seal::None);
    assert_eq!(read(&whole[..whole.len() - 1], Seal::None), Err(Unreadable { kind: 5 }));
    assert_eq!(read(&[whole, vec![0]].concat(), Seal::None), Err(Unreadable { kind: 5 }));
    assert_eq!(read(&[99, 0, 0, 0], Seal::None), Err(Unreadable { kind: 99 }));
}
