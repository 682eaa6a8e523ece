use super::*;

const SUM: Format = Format { space: Space::BITS_14, checksum: Checksum::Internet };
const CRC: Format = Format { space: Space::BITS_14, checksum: Checksum::Crc32 };

fn data() -> Packet {
    Packet { kind: Kind::Data, sequence: Sequence::new(2), end: EndOfMessage::No, payload: b"te c".to_vec() }
}

/// By hand: 010e + 0002 + 0004 + 7465 + 2063 = 95dc, whose complement is 6a23.
#[test]
fn a_data_packet_on_the_wire() {
    let octets = data().emit(SUM).unwrap();
    assert_eq!(octets, [1, 14, 0, 2, 0, 4, 0x6a, 0x23, b't', b'e', b' ', b'c']);
    assert_eq!(Packet::parse(&octets, SUM), Ok(data()));
    assert_eq!(Packet::parse_alone(&octets), Ok((data(), SUM)));
}

#[test]
fn an_acknowledgement_takes_eight_octets_or_ten() {
    let ack = Packet::answer(Kind::Ack, Sequence::new(16_383));
    // 020e + 3fff + 0000 = 420d, complement bdf2.
    assert_eq!(ack.emit(SUM).unwrap(), [2, 14, 0x3f, 0xff, 0, 0, 0xbd, 0xf2]);
    let octets = ack.emit(CRC).unwrap();
    assert_eq!((octets.len(), octets[0]), (10, 0x22));
    assert_eq!(Packet::parse(&octets, CRC), Ok(ack));
}

#[test]
fn every_single_damaged_bit_is_noticed() {
    for format in [SUM, CRC] {
        let sound = data().emit(format).unwrap();
        for bit in 0..sound.len() * 8 {
            let mut octets = sound.clone();
            octets[bit / 8] ^= 1 << (bit % 8);
            assert!(Packet::parse(&octets, format).is_err(), "bit {bit}, {format:?}");
        }
    }
}

#[test]
fn two_exchanged_words_of_payload_escape_the_sum_only() {
    let exchange = |format| {
        let mut octets = data().emit(format).unwrap();
        let end = octets.len();
        octets[end - 4..].rotate_left(2);
        Packet::parse(&octets, format)
    };
    assert_eq!(exchange(SUM).unwrap().payload, b" cte");
    assert_eq!(exchange(CRC).unwrap_err().at, 6);
}

#[test]
fn errors_say_what_and_at_which_octet() {
    let parse = |octets: &[u8]| Packet::parse(octets, SUM).unwrap_err();
    let what = |at, what| ParseError { at, what };
    let sound = data().emit(SUM).unwrap();
    assert_eq!(parse(&[]), what(0, Fault::TooShort { needs: 8 }));
    assert_eq!(parse(&sound[..7]), what(7, Fault::TooShort { needs: 8 }));
    assert_eq!(parse(&sound[..11]), what(4, Fault::Length { says: 4, has: 3 }));
    let longer = [sound.as_slice(), &[0]].concat();
    assert_eq!(parse(&longer), what(4, Fault::Length { says: 4, has: 5 }));
    let mut damaged = sound.clone();
    damaged[11] ^= 1;
    // 'c' became 'b': the sum is one less, its complement one more.
    assert_eq!(parse(&damaged), what(6, Fault::Checksum { says: 0x6a23, computed: 0x6a24 }));
    // Each of these has a right checksum: what is added above is taken off the sum.
    assert_eq!(parse(&[5, 14, 0, 0, 0, 0, 0xfa, 0xf1]), what(0, Fault::UnknownKind { code: 5 }));
    assert_eq!(parse(&[0x42, 14, 0, 0, 0, 0, 0xbd, 0xf1]), what(0, Fault::ReservedBits { flags: 0x42 }));
    assert_eq!(parse(&[2, 3, 0, 0, 0, 0, 0xfd, 0xfc]), what(1, Fault::OtherSpace { bits: 3 }));
    let outside = Fault::OutsideSpace { sequence: Sequence::new(0x4000) };
    assert_eq!(parse(&[2, 14, 0x40, 0, 0, 0, 0xbd, 0xf1]), what(2, outside));
    assert_eq!(parse(&[2, 14, 0, 0, 0, 1, 0xec, 0xf0, 0x11, 0]), what(4, Fault::Length { says: 1, has: 2 }));
    assert_eq!(parse(&[2, 14, 0, 0, 0, 2, 0xec, 0xef, 0x11, 0]), what(8, Fault::AnswerWithPayload));
    let other = Fault::OtherChecksum { declared: Checksum::Crc32 };
    assert_eq!(parse(&data().emit(CRC).unwrap()), what(0, other));
}

#[test]
fn what_cannot_be_emitted_is_refused() {
    let mut packet = data();
    packet.sequence = Sequence::new(16_384);
    let outside = EmitError::OutsideSpace { sequence: Sequence::new(16_384), bits: 14 };
    assert_eq!(packet.emit(SUM), Err(outside));
    packet = Packet { payload: alloc::vec![0; 65_536], ..data() };
    assert_eq!(packet.emit(SUM), Err(EmitError::PayloadTooLong { octets: 65_536 }));
    packet = Packet { kind: Kind::Ack, ..data() };
    assert_eq!(packet.emit(SUM), Err(EmitError::AnswerWithPayload));
}
