//! What is written is read again, however it is cut; damage costs what it touched, and no more.

use alloc::vec;

use super::*;

fn all() -> Vec<Frame> {
    let announcement = Announcement { entries: 3, octets: 200, total: u64::MAX, digest: [9; 32] };
    vec![
        Frame::Hello(Role::Sender(announcement)),
        Frame::Hello(Role::Receiver),
        Frame::AskPage { page: 2 },
        Frame::Page { page: 2, octets: vec![1, 2, 3] },
        Frame::AskHashes { file: 1, first: 1024, count: 7 },
        Frame::Hashes { file: 1, first: 1024, hashes: vec![[1; 32], [2; 32]] },
        Frame::Ask { file: 4, first: 5, count: 32 },
        Frame::AskAgain { file: 4, chunk: 811 },
        Frame::Chunk { file: 4, chunk: 811, octets: vec![0x61; CHUNK] },
        Frame::FileDone { file: 4 },
        Frame::Done { octets: 1 << 40 },
        Frame::Bye,
        Frame::Busy,
        Frame::Refuse { why: Refusal::Exists, file: 9 },
    ]
}

fn stream(frames: &[Frame]) -> Vec<u8> {
    let mut octets = PREFACE.to_vec();
    frames.iter().for_each(|frame| emit(frame, &mut octets));
    octets
}

/// Everything that comes out of a stream that is cut into pieces of this length.
fn read(octets: &[u8], piece: usize) -> Vec<Result<Incoming, Unreadable>> {
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    for mut piece in octets.chunks(piece) {
        while !piece.is_empty() {
            let taken = piece.len().min(decoder.room());
            decoder.push(&piece[..taken]);
            piece = &piece[taken..];
            while let Some(one) = decoder.poll() {
                let broken = one.is_err();
                found.push(one);
                if broken {
                    return found;
                }
            }
            assert!(decoder.room() > 0, "a decoder that says nothing takes more");
        }
    }
    found
}

#[test]
fn what_is_written_is_read_again_however_it_is_cut() {
    let octets = stream(&all());
    let expected: Vec<_> = [Ok(Incoming::Preface)]
        .into_iter()
        .chain(all().into_iter().map(|one| Ok(Incoming::Frame(one))))
        .collect();
    for piece in [1, 2, 7, 63, 64, 65, 1_460, octets.len()] {
        assert_eq!(read(&octets, piece), expected, "pieces of {piece}");
    }
}

#[test]
fn other_protocols_are_refused_after_eight_octets() {
    for (first, who) in [
        (&b"GET / HTTP/1.1\r\n"[..], Stranger::Http),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", Stranger::Tls),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Stranger::Ssh),
        (b"apertoC1", Stranger::Aperto),
        (b"hello, anybody?", Stranger::Text),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", Stranger::Unknown),
    ] {
        assert_eq!(read(&first[..8], 1), [Err(Unreadable::Stranger(who))]);
        let mut decoder = Decoder::default();
        decoder.push(&first[..7]);
        assert_eq!(decoder.poll(), None);
    }
    let mut decoder = Decoder::default();
    decoder.push(b"HTTP/");
    assert_eq!(decoder.stranger(), Some(Stranger::Http));
}

#[test]
fn one_flipped_bit_costs_the_frame_that_it_is_in_and_no_other() {
    let frames = vec![
        Frame::Chunk { file: 0, chunk: 0, octets: vec![0xaa; 40] },
        Frame::Chunk { file: 0, chunk: 1, octets: vec![0xbb; 40] },
        Frame::Chunk { file: 0, chunk: 2, octets: vec![0xcc; 40] },
    ];
    let sound = stream(&frames);
    // The second frame, header and body.
    let (from, to) = (8 + 104, 8 + 208);
    for bit in from * 8..to * 8 {
        let mut octets = sound.clone();
        octets[bit / 8] ^= 1 << (bit % 8);
        let found = read(&octets, 50);
        let in_header = bit / 8 < from + HEADER;
        let noticed = match &found[2] {
            Ok(Incoming::Damaged(damaged)) => !in_header && damaged.place == 1,
            Ok(Incoming::Skipped(104)) => in_header,
            _ => false,
        };
        assert!(noticed, "bit {bit}: {found:?}");
        assert_eq!(found[1], Ok(Incoming::Frame(frames[0].clone())));
        assert_eq!(found[3], Ok(Incoming::Frame(frames[2].clone())));
    }
}

/// A header as somebody would write it who knows the format and lies.
fn forged(change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut octets = Vec::new();
    emit(&Frame::Bye, &mut octets);
    change(&mut octets);
    let check = blake3::hash(&octets[..56]);
    octets[56..64].copy_from_slice(&check.as_bytes()[..8]);
    [PREFACE.to_vec(), octets].concat()
}

#[test]
fn lies_in_a_sound_header_end_the_stream_before_anything_is_kept() {
    let broken = |octets: &[u8]| read(octets, 64).pop().unwrap();
    assert_eq!(broken(&forged(|head| head[8..12].fill(0xff))), Err(Unreadable::Malformed));
    let one_more = u32::try_from(MAX_BODY + 1).unwrap().to_be_bytes();
    assert_eq!(broken(&forged(|head| head[8..12].copy_from_slice(&one_more))), Err(Unreadable::Malformed));
    assert_eq!(broken(&forged(|head| head[5] = 2)), Err(Unreadable::Version(2)));
    assert_eq!(broken(&forged(|head| head[4] = 99)), Err(Unreadable::Version(1)));
    assert_eq!(broken(&forged(|head| head[4] = 0)), Err(Unreadable::Version(1)));
    // A Hello without its body.
    assert_eq!(broken(&forged(|head| head[4] = 1)), Err(Unreadable::Malformed));
    let noise: Vec<u8> =
        PREFACE.into_iter().chain((0..MAX_SEARCH + 200_000).map(|n| (n % 251) as u8)).collect();
    assert_eq!(broken(&noise), Err(Unreadable::Noise));
}
