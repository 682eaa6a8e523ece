#![no_main]
//! File transfer: frames come out of a stream the same however it is cut, what is emitted is read
//! again, and neither end panics, keeps more than a frame, or writes a file under its name that is not
//! what its manifest says, whatever the other end says.

use std::collections::BTreeMap;
use std::time::Duration;

use aperto_app::transfer::disk::Replace;
use aperto_app::transfer::frame::{Announcement, Decoder, Frame, Incoming, PREFACE, Role, Unreadable, emit};
use aperto_app::transfer::memory::MemoryDisk;
use aperto_app::transfer::rehearsal::{Rehearsal, Shelf};
use aperto_app::transfer::{Kind, Path, Patience, Refusal};
use aperto_app::{Application, Want};
use libfuzzer_sys::fuzz_target;

type Found = Vec<Result<Incoming, Unreadable>>;

/// Everything that comes out of a stream that is cut into pieces of this length.
fn read(octets: &[u8], piece: usize) -> Found {
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    for mut piece in octets.chunks(piece) {
        while !piece.is_empty() {
            let taken = piece.len().min(decoder.room());
            assert!(taken > 0, "a decoder that says nothing takes more");
            decoder.push(&piece[..taken]);
            piece = &piece[taken..];
            while let Some(one) = decoder.poll() {
                let broken = one.is_err();
                // How much was skipped may be told in one piece or in several.
                match (found.last_mut(), &one) {
                    (Some(Ok(Incoming::Skipped(all))), Ok(Incoming::Skipped(more))) => *all += more,
                    _ => found.push(one),
                }
                if broken {
                    return found;
                }
            }
        }
    }
    found
}

/// The octets as somebody's words who knows the frames: no luck would ever find their hashes.
fn speak(mut choices: &[u8]) -> Vec<u8> {
    let mut said = PREFACE.to_vec();
    let mut next = |octets: usize| {
        let (taken, rest) = choices.split_at(octets.min(choices.len()));
        choices = rest;
        taken.to_vec()
    };
    loop {
        let head = next(4);
        let [kind, a, b, c] = head[..] else { return said };
        let (file, place, count) = (u32::from(a % 3), u64::from(b), u16::from(c));
        let place = if b == 0xff { u64::MAX } else { place };
        let frame = match kind % 16 {
            0 => Frame::Hello(Role::Receiver),
            1 => Frame::AskPage { page: place },
            2 => Frame::AskHashes { file, first: place, count },
            3 => Frame::Ask { file, first: place, count },
            4 => Frame::AskAgain { file, chunk: place },
            5 => Frame::Chunk { file, chunk: place, octets: next(usize::from(c)) },
            6 => Frame::Hashes {
                file,
                first: place,
                hashes: vec![*blake3::hash(&next(usize::from(c))).as_bytes()],
            },
            7 => Frame::FileDone { file },
            8 => Frame::Done { octets: place },
            9 => Frame::Bye,
            10 => Frame::Busy,
            11 => Frame::Refuse { why: Refusal::from_code(count), file },
            12 => Frame::Page { page: place, octets: next(usize::from(c)) },
            13 => {
                // Octets that are no frame, or a flipped bit in the last one.
                said.extend(next(usize::from(c)));
                let at = said.len().saturating_sub(1 + usize::from(b));
                said[at] ^= a;
                continue;
            }
            _ => {
                // A manifest whose hash is right, of whatever entries, and its files.
                let contents = next(usize::from(b % 40));
                let mut manifest = vec![1 + a % 2];
                let path = next(usize::from(c % 24));
                manifest.extend(u16::try_from(path.len()).expect("at most 24").to_be_bytes());
                manifest.extend(path);
                manifest.extend((contents.len() as u64).to_be_bytes());
                manifest.extend(blake3::hash(&contents).as_bytes());
                let announcement = Announcement {
                    entries: 1,
                    octets: u32::try_from(manifest.len()).expect("short"),
                    total: contents.len() as u64,
                    digest: *blake3::hash(&manifest).as_bytes(),
                };
                emit(&Frame::Hello(Role::Sender(announcement)), &mut said);
                emit(&Frame::Page { page: 0, octets: manifest }, &mut said);
                Frame::Chunk { file: 0, chunk: 0, octets: contents }
            }
        };
        emit(&frame, &mut said);
    }
}

/// Lets an end hear octets, and swallows what it says.
fn hears(end: &mut Rehearsal, octets: &[u8]) {
    end.opened(Duration::ZERO);
    let mut rest = octets;
    for second in 0..20_000 {
        while let Some(want) = end.poll_want(Duration::ZERO) {
            let Want::Write(said) = want else { return };
            let taken = said.len();
            end.wrote(taken);
        }
        let taken = rest.len().min(end.appetite(Duration::ZERO));
        if rest.is_empty() || taken == 0 {
            end.deadline_passed(Duration::from_secs(second));
            break;
        }
        end.readable(Duration::ZERO, &rest[..taken]);
        rest = &rest[taken..];
    }
    end.peer_closed(Duration::from_secs(1));
}

fuzz_target!(|octets: &[u8]| {
    let greeted = speak(octets);
    let whole = read(&greeted, greeted.len());
    assert_eq!(whole, read(&greeted, 1));
    assert_eq!(whole, read(&greeted, 7));
    let _ = read(octets, 64);
    let _ = read(&[&PREFACE, octets].concat(), 5);
    for one in &whole {
        let Ok(Incoming::Frame(frame)) = one else { continue };
        let mut again = PREFACE.to_vec();
        emit(frame, &mut again);
        assert_eq!(read(&again, again.len()), [Ok(Incoming::Preface), Ok(Incoming::Frame(frame.clone()))]);
    }
    let patience = Patience::default();
    let files = vec![(Path::new("a").expect("a plain name"), Some(vec![7; 70_000]))];
    let shelf = Shelf::new(files).expect("one file");
    hears(&mut Rehearsal::sender(shelf, patience), &greeted);
    let mut receiver = Rehearsal::receiver(MemoryDisk::new(), Replace::Never, 0, patience);
    hears(&mut receiver, &greeted);
    let manifest = receiver.party().manifest().cloned();
    let wanted: BTreeMap<String, Kind> = manifest
        .iter()
        .flat_map(|manifest| manifest.entries())
        .map(|entry| (entry.path.to_string(), entry.kind))
        .collect();
    for (name, octets) in receiver.disk().expect("a receiver's").files() {
        if let Some(Kind::File { size, digest }) = wanted.get(&name) {
            assert_eq!((octets.len() as u64, blake3::hash(&octets).as_bytes()), (*size, digest));
        } else {
            assert!(name.ends_with(".aperto-part"), "{name} is in no manifest");
        }
    }
});
