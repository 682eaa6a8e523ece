//! Both ends through a pipe: crashes, damage, resuming, and peers that lie.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;

use super::disk::Replace;
use super::frame::{Announcement, Frame, PREFACE, Role, emit};
use super::memory::{Crash, MemoryDisk};
use super::rehearsal::{Rehearsal, Shelf};
use super::*;
use crate::pattern::Pattern;
use crate::{Application, Ending};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn octets(seed: u64, length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    Pattern::new(seed).fill(0, &mut octets);
    octets
}

fn path(text: &str) -> Path {
    Path::from_wire(text.as_bytes()).unwrap()
}

fn shelf(files: &[(&str, Option<Vec<u8>>)]) -> Shelf {
    Shelf::new(files.iter().map(|(name, octets)| (path(name), octets.clone())).collect()).unwrap()
}

/// A folder with an empty folder, an empty file, a file of whole chunks and one with a rest.
fn a_folder() -> Shelf {
    shelf(&[
        ("aula", None),
        ("aula/vazia", None),
        ("aula/nada.txt", Some(Vec::new())),
        ("aula/a/b/c/dois.bin", Some(octets(1, 2 * CHUNK))),
        ("aula/fotos/mar.jpg", Some(octets(2, 5 * CHUNK + 17))),
        ("aula/nota.txt", Some(b"ola".to_vec())),
    ])
}

/// What a pipe does to what passes, by its place in the stream.
type Spoil<'a> = &'a mut dyn FnMut(Way, u64, &mut [u8]);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    ToReceiver,
    ToSender,
}

/// Both ends, and what they have said.
struct Pair {
    sender: Rehearsal,
    receiver: Rehearsal,
    now: Duration,
    passed: [u64; 2],
}

fn pair(shelf: &Shelf, disk: MemoryDisk) -> Pair {
    pair_of(shelf, disk, Replace::Never, 0)
}

fn pair_of(shelf: &Shelf, disk: MemoryDisk, replace: Replace, floor: u64) -> Pair {
    let patience = Patience::default();
    Pair {
        sender: Rehearsal::sender(shelf.clone(), patience),
        receiver: Rehearsal::receiver(disk, replace, floor, patience),
        now: Duration::ZERO,
        passed: [0; 2],
    }
}

impl Pair {
    /// Lets them talk until both are over, or nothing more happens.
    fn run(&mut self) {
        self.run_spoilt(&mut |_, _, _| {});
    }

    fn run_spoilt(&mut self, spoil: Spoil<'_>) {
        self.sender.opened(self.now);
        self.receiver.opened(self.now);
        for _ in 0..200_000 {
            let moved = self.pass(Way::ToReceiver, spoil) | self.pass(Way::ToSender, spoil);
            if moved {
                continue;
            }
            let wakes = [self.sender.poll_deadline(), self.receiver.poll_deadline()];
            let Some(at) = wakes.into_iter().flatten().min() else { return };
            self.now = self.now.max(at);
            for end in [&mut self.sender, &mut self.receiver] {
                if end.poll_deadline().is_some_and(|due| due <= self.now) {
                    end.deadline_passed(self.now);
                }
            }
        }
        panic!("it never ends: {:?} {:?}", self.sender.events().last(), self.receiver.events().last());
    }

    fn pass(&mut self, way: Way, spoil: Spoil<'_>) -> bool {
        let now = self.now;
        let (from, to, place) = match way {
            Way::ToReceiver => (&mut self.sender, &mut self.receiver, 0),
            Way::ToSender => (&mut self.receiver, &mut self.sender, 1),
        };
        let room = to.appetite(now);
        match from.poll_want(now) {
            Some(Want::Write(octets)) if room > 0 => {
                let mut piece = octets[..octets.len().min(room).min(1_460)].to_vec();
                spoil(way, self.passed[place], &mut piece);
                self.passed[place] += piece.len() as u64;
                from.wrote(piece.len());
                to.readable(now, &piece);
                true
            }
            Some(Want::Close | Want::Abort) => {
                to.peer_closed(now);
                true
            }
            _ => false,
        }
    }

    fn disk(&self) -> MemoryDisk {
        self.receiver.disk().unwrap().clone()
    }

    /// Both know that all is there, and it is.
    #[track_caller]
    fn arrived(&self, shelf: &Shelf) {
        assert_eq!(self.sender.result(), Some(Ok(())), "the sender");
        assert_eq!(self.receiver.result(), Some(Ok(())), "the receiver");
        whole(&self.disk(), shelf);
    }

    #[track_caller]
    fn failed(&self) -> Failure {
        match self.receiver.result() {
            Some(Err(failure)) => failure.clone(),
            other => panic!("the receiver: {other:?}"),
        }
    }

    fn asked_again(&self) -> usize {
        self.receiver.events().iter().filter(|event| matches!(event, Event::Again { .. })).count()
    }
}

fn expected(shelf: &Shelf) -> BTreeMap<String, Vec<u8>> {
    let entries = shelf.manifest().entries().iter().zip(shelf.contents());
    let files = entries.filter(|(entry, _)| entry.size().is_some());
    files.map(|(entry, octets)| (entry.path.to_string(), octets.clone())).collect()
}

#[track_caller]
fn whole(disk: &MemoryDisk, shelf: &Shelf) {
    let found = disk.files();
    let names: Vec<&String> = found.keys().collect();
    assert!(found == expected(shelf), "{names:?}");
}

/// Each final name is absent or whole, and there is no name that was not sent.
#[track_caller]
fn nothing_half_written(disk: &MemoryDisk, shelf: &Shelf, at: &str) {
    let expected = expected(shelf);
    for (name, octets) in disk.files() {
        if name.ends_with(".aperto-part") {
            let (folder, hidden) = name.rsplit_once('/').unwrap_or(("", &name));
            let of = hidden.strip_prefix('.').unwrap().strip_suffix(".aperto-part").unwrap();
            let of = if folder.is_empty() { of.to_string() } else { alloc::format!("{folder}/{of}") };
            assert!(expected.contains_key(&of), "{at}: {name}");
        } else {
            assert!(expected.get(&name) == Some(&octets), "{at}: {name} is not what was sent");
        }
    }
}

#[test]
fn a_folder_arrives_whole_and_both_ends_know() {
    let shelf = a_folder();
    let mut pair = pair(&shelf, MemoryDisk::new());
    pair.run();
    pair.arrived(&shelf);
    assert_eq!(pair.asked_again(), 0);
    // Sent once: the files, with less than a twentieth for frames and hashes.
    let total = shelf.manifest().total();
    assert!(pair.passed[0] < total + total / 20, "{} octets for {total}", pair.passed[0]);
    let done = |events: &[Event]| events.iter().filter(|one| matches!(one, Event::FileDone { .. })).count();
    assert_eq!((done(pair.sender.events()), done(pair.receiver.events())), (4, 4));
}

#[test]
fn what_is_there_already_is_not_sent_again() {
    let shelf = a_folder();
    let mut first = pair(&shelf, MemoryDisk::new());
    first.run();
    let mut again = pair(&shelf, first.disk());
    again.run();
    again.arrived(&shelf);
    assert!(again.passed[0] < 2_000, "{} octets, for a manifest", again.passed[0]);
    let was_there = |event: &&Event| matches!(event, Event::FileDone { was_there: true, .. });
    assert_eq!(again.receiver.events().iter().filter(was_there).count(), 4);
}

/// RELIABILITY AP-8: at each operation in turn, by a kill and by a loss of power.
#[test]
fn a_crash_at_any_operation_leaves_each_name_absent_or_whole_and_the_next_run_ends_it() {
    let shelf = a_folder();
    let mut sound = pair(&shelf, MemoryDisk::new());
    sound.run();
    let operations = sound.disk().operations();
    assert!(operations > 50);
    let mut crashes = 0;
    for at in 1..=operations {
        for luck in 0..1_000_u64.div_ceil(operations) {
            let mut disk = MemoryDisk::new();
            disk.die_at(Some(at));
            let mut broken = pair(&shelf, disk);
            broken.run();
            assert!(matches!(broken.failed(), Failure::Disk(..)), "at {at}");
            let crash = if luck == 0 { Crash::Kill } else { Crash::PowerLoss };
            let disk = broken.disk().after(crash, at * 31 + luck);
            nothing_half_written(&disk, &shelf, &alloc::format!("operation {at}, luck {luck}"));
            let mut resumed = pair(&shelf, disk);
            resumed.run();
            resumed.arrived(&shelf);
            crashes += 1;
        }
    }
    assert!(crashes >= 1_000, "{crashes} crash points");
}

#[test]
fn a_resumed_file_is_sent_from_where_it_was_and_what_is_unsound_is_sent_again() {
    let shelf = shelf(&[("big", Some(octets(3, 40 * CHUNK)))]);
    let mut disk = MemoryDisk::new();
    // Thirty chunks from last time, of which one has rotted.
    let mut part = octets(3, 30 * CHUNK);
    part[7 * CHUNK + 5] ^= 1;
    disk.put_file(".big.aperto-part", &part);
    let mut pair = pair(&shelf, disk);
    pair.run();
    pair.arrived(&shelf);
    let resumed = Event::Resumed { file: 0, octets: 29 * CHUNK as u64 };
    assert!(pair.receiver.events().contains(&resumed));
    let sent = pair.passed[0];
    assert!((11 * CHUNK as u64..11 * CHUNK as u64 + 4_000).contains(&sent), "{sent}");
}

#[test]
fn what_is_longer_than_the_file_was_another_file() {
    let shelf = shelf(&[("a", Some(octets(3, 70_000)))]);
    let mut disk = MemoryDisk::new();
    disk.put_file(".a.aperto-part", &octets(9, 200_000));
    let mut pair = pair(&shelf, disk);
    pair.run();
    pair.arrived(&shelf);
}

#[test]
fn each_flipped_bit_is_found_and_costs_one_chunk_at_most() {
    let shelf = shelf(&[("a", Some(octets(1, 2 * CHUNK + 100))), ("b", Some(octets(2, 10)))]);
    let mut sound = pair(&shelf, MemoryDisk::new());
    sound.run();
    let (there, back) = (sound.passed[0], sound.passed[1]);
    let mut damaged_chunks = 0;
    // Behind the greeting: what damages that is another protocol, or nobody.
    let greeting = (PREFACE.len() + 64 + 49) as u64;
    let places = (greeting..there).step_by(977).map(|at| (Way::ToReceiver, at));
    let places = places.chain((80..back).map(|at| (Way::ToSender, at)));
    for (way, at) in places {
        let mut flipped = false;
        let mut pair = pair(&shelf, MemoryDisk::new());
        pair.run_spoilt(&mut |passes, from, piece| {
            let end = from + piece.len() as u64;
            if passes == way && !flipped && (from..end).contains(&at) {
                piece[usize::try_from(at - from).unwrap()] ^= 1 << (at % 8);
                flipped = true;
            }
        });
        assert!(flipped);
        pair.arrived(&shelf);
        assert!(pair.asked_again() <= 4, "{way:?} {at}: {}", pair.asked_again());
        damaged_chunks += usize::from(pair.asked_again() == 1);
    }
    assert!(damaged_chunks > 100, "{damaged_chunks}");
}

#[test]
fn a_channel_that_damages_one_segment_in_a_hundred_only_takes_longer() {
    let shelf = a_folder();
    for seed in 1..=20_u64 {
        let mut luck = seed;
        let mut pair = pair(&shelf, MemoryDisk::new());
        pair.run_spoilt(&mut |_, from, piece| {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if from > 200 && (luck >> 33).is_multiple_of(100) {
                let at = usize::try_from(luck >> 40).unwrap() % piece.len();
                piece[at] ^= 0x10;
            }
        });
        pair.arrived(&shelf);
        assert!(pair.asked_again() > 0);
    }
}

#[test]
fn another_file_of_the_name_is_not_touched_unless_the_user_says_so() {
    let shelf = shelf(&[("new", Some(octets(1, 10))), ("a", Some(octets(1, 100)))]);
    let mut disk = MemoryDisk::new();
    disk.put_file("a", b"mine");
    let mut refused = pair(&shelf, disk.clone());
    refused.run();
    assert_eq!(refused.failed(), Failure::Exists(path("a")));
    let told = Failure::Refused(Refusal::Exists, Some(path("a")));
    assert_eq!(refused.sender.result(), Some(Err(&told)));
    assert_eq!(refused.disk().files(), BTreeMap::from([("a".to_string(), b"mine".to_vec())]));
    let mut replaced = pair_of(&shelf, disk, Replace::Files, 0);
    replaced.run();
    replaced.arrived(&shelf);
    for replace in [Replace::Never, Replace::Files] {
        let mut disk = MemoryDisk::new();
        disk.put_link("a");
        let mut linked = pair_of(&shelf, disk, replace, 0);
        linked.run();
        assert_eq!(linked.failed(), Failure::Exists(path("a")));
    }
}

#[test]
fn a_link_in_the_place_of_a_folder_is_not_followed() {
    let shelf = shelf(&[("d/a", Some(octets(1, 100)))]);
    let mut disk = MemoryDisk::new();
    disk.put_link("d");
    let mut pair = pair(&shelf, disk);
    pair.run();
    assert_eq!(pair.failed(), Failure::Disk(path("d/a"), Trouble::NotPlain));
    assert!(pair.disk().files().is_empty());
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let shelf = shelf(&[("a", Some(octets(1, 1_000)))]);
    let mut disk = MemoryDisk::new();
    disk.set_capacity(Some(5_000));
    let mut pair = pair_of(&shelf, disk, Replace::Never, 4_001);
    pair.run();
    assert_eq!(pair.failed(), Failure::NoRoom { needs: 1_000, free: 5_000, floor: 4_001 });
    assert!(pair.disk().files().is_empty());
    assert_eq!(pair.sender.result(), Some(Err(&Failure::Refused(Refusal::NoRoom, None))));
}

#[test]
fn a_disk_that_fills_up_meanwhile_keeps_what_it_has_for_the_next_time() {
    let shelf = shelf(&[("a", Some(octets(1, 10 * CHUNK)))]);
    let mut disk = MemoryDisk::new();
    disk.fail_at(12, Trouble::Full);
    let mut full = pair(&shelf, disk);
    full.run();
    assert_eq!(full.failed(), Failure::Disk(path("a"), Trouble::Full));
    let kept = full.disk().files().remove(".a.aperto-part").map_or(0, |part| part.len());
    assert!(kept >= CHUNK, "{kept}");
    let mut resumed = pair(&shelf, full.disk());
    resumed.run();
    resumed.arrived(&shelf);
    assert!(resumed.passed[0] < shelf.manifest().total());
}

/// Each kind of trouble at each operation: a named failure, nothing half-written, and a second run
/// that ends it.
#[test]
fn whatever_a_disk_refuses_is_named_and_nothing_is_lost() {
    let shelf = shelf(&[("d/a", Some(octets(1, 3 * CHUNK))), ("b", Some(Vec::new()))]);
    let mut sound = pair(&shelf, MemoryDisk::new());
    sound.run();
    for at in 1..=sound.disk().operations() {
        for trouble in Trouble::ALL {
            let mut disk = MemoryDisk::new();
            disk.fail_at(at, trouble);
            let mut first = pair(&shelf, disk);
            first.run();
            if first.receiver.result() != Some(Ok(())) {
                let named = matches!(
                    first.failed(),
                    Failure::Disk(..) | Failure::Busy(_) | Failure::Exists(_) | Failure::NoRoom { .. }
                );
                assert!(named, "{trouble:?} at {at}");
                assert!(matches!(first.sender.result(), Some(Err(Failure::Refused(..)))));
                nothing_half_written(&first.disk(), &shelf, "after trouble");
            }
            let mut again = pair(&shelf, first.disk());
            again.run();
            again.arrived(&shelf);
        }
    }
}

#[test]
fn a_file_that_somebody_else_writes_is_left_to_them() {
    let shelf = shelf(&[("a", Some(octets(1, 10)))]);
    let mut disk = MemoryDisk::new();
    disk.keep_busy(".a.aperto-part");
    let mut pair = pair(&shelf, disk);
    pair.run();
    assert_eq!(pair.failed(), Failure::Busy(path("a")));
}

/// A sender of the test's own, that may lie: what the receiver says, and why it failed.
struct Liar {
    receiver: Rehearsal,
    now: Duration,
}

impl Liar {
    fn new() -> Self {
        let receiver = Rehearsal::receiver(MemoryDisk::new(), Replace::Never, 0, Patience::default());
        let mut liar = Self { receiver, now: Duration::ZERO };
        liar.receiver.opened(Duration::ZERO);
        liar.says_octets(&PREFACE);
        liar
    }

    fn says_octets(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let room = self.receiver.appetite(self.now).min(octets.len());
            assert!(room > 0, "a receiver that is offered octets takes them in the end");
            self.receiver.readable(self.now, &octets[..room]);
            octets = &octets[room..];
        }
    }

    fn says(&mut self, frame: &Frame) {
        let mut octets = Vec::new();
        emit(frame, &mut octets);
        self.says_octets(&octets);
    }

    /// Announces a manifest truly, and sends it.
    fn offers(&mut self, manifest: &Manifest) {
        self.offers_octets(manifest.octets(), manifest.entries().len(), manifest.total());
    }

    fn offers_octets(&mut self, octets: &[u8], entries: usize, total: u64) {
        let announcement = Announcement {
            entries: u32::try_from(entries).unwrap(),
            octets: u32::try_from(octets.len()).unwrap(),
            total,
            digest: *blake3::hash(octets).as_bytes(),
        };
        self.says(&Frame::Hello(Role::Sender(announcement)));
        for (page, octets) in (0..).zip(octets.chunks(manifest::PAGE)) {
            self.says(&Frame::Page { page, octets: octets.to_vec() });
        }
    }

    fn failure(&self) -> Option<Failure> {
        self.receiver.result()?.err().cloned()
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.receiver.disk().unwrap().files()
    }
}

#[test]
fn a_hostile_name_refuses_the_whole_transfer_with_its_reason() {
    for (name, why) in [
        (&b"../../etc/passwd"[..], BadName::Climbs),
        (b"/etc/passwd", BadName::Empty),
        (b"a\0b", BadName::Unprintable),
        (b"..\xc0\xaf", BadName::NotUnicode),
        (b"nul", BadName::Device),
    ] {
        let mut entry = vec![2];
        entry.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        entry.extend(name);
        entry.extend([0; 40]);
        let mut liar = Liar::new();
        liar.offers_octets(&entry, 1, 0);
        let Some(Failure::Manifest(BadManifest::Name { why: said, .. })) = liar.failure() else {
            panic!("{name:?}: {:?}", liar.failure())
        };
        assert_eq!(said, why);
        assert!(liar.files().is_empty());
    }
}

#[test]
fn a_chunk_beyond_the_end_or_of_another_length_is_never_written() {
    let entry = Entry { path: path("a"), kind: Kind::File { size: 100, digest: [1; 32] } };
    let manifest = Manifest::new(vec![entry]).unwrap();
    for (chunk, length) in [(1, 100), (u64::MAX, 100), (1 << 47, 100)] {
        let mut liar = Liar::new();
        liar.offers(&manifest);
        liar.says(&Frame::Chunk { file: 0, chunk, octets: vec![1; length] });
        // Nobody asked for it: it is not there.
        assert_eq!(liar.failure(), None);
        assert_eq!(liar.files().values().map(Vec::len).sum::<usize>(), 0);
    }
    for length in [0, 99, 101, CHUNK] {
        let mut liar = Liar::new();
        liar.offers(&manifest);
        liar.says(&Frame::Chunk { file: 0, chunk: 0, octets: vec![1; length] });
        assert_eq!(liar.failure(), Some(Failure::Protocol), "{length}");
        assert_eq!(liar.files().values().map(Vec::len).sum::<usize>(), 0);
    }
}

#[test]
fn a_file_that_is_not_what_its_hash_says_never_gets_its_name() {
    let entry = Entry { path: path("a"), kind: Kind::File { size: 100, digest: [1; 32] } };
    let mut liar = Liar::new();
    liar.offers(&Manifest::new(vec![entry]).unwrap());
    liar.says(&Frame::Chunk { file: 0, chunk: 0, octets: vec![1; 100] });
    // It compares what lies on the disk, once.
    liar.says(&Frame::Hashes { file: 0, first: 0, hashes: vec![*blake3::hash(&[1; 100]).as_bytes()] });
    assert_eq!(liar.failure(), Some(Failure::Changed(path("a"))));
    assert_eq!(liar.files().keys().collect::<Vec<_>>(), [".a.aperto-part"]);
}

#[test]
fn lies_about_the_manifest_are_found_before_memory_is_given_to_them() {
    let announcement = |entries, octets| Announcement { entries, octets, total: 0, digest: [0; 32] };
    for (entries, octets) in [(1, u32::MAX), (u32::MAX, 100), (0, 0), (1, 0)] {
        let mut liar = Liar::new();
        liar.says(&Frame::Hello(Role::Sender(announcement(entries, octets))));
        assert_eq!(liar.failure(), Some(Failure::Manifest(BadManifest::Count)));
    }
    let entry = Entry { path: path("a"), kind: Kind::Folder };
    let manifest = Manifest::new(vec![entry]).unwrap();
    let mut liar = Liar::new();
    liar.offers_octets(manifest.octets(), 1, 7);
    assert_eq!(liar.failure(), Some(Failure::Manifest(BadManifest::Malformed)));
}

#[test]
fn a_sender_that_is_asked_for_what_it_has_not_says_so_and_ends() {
    let shelf = a_folder();
    let last = u32::try_from(shelf.contents().len()).unwrap() - 1;
    for question in [
        Frame::AskPage { page: 1 },
        Frame::AskPage { page: u64::MAX },
        Frame::Ask { file: last, first: 1, count: 1 },
        Frame::Ask { file: last, first: u64::MAX, count: 2 },
        Frame::Ask { file: 0, first: 0, count: 1 },
        Frame::Ask { file: u32::MAX, first: 0, count: 1 },
        Frame::AskAgain { file: last, chunk: 1 },
        Frame::AskHashes { file: last, first: 0, count: 2 },
        Frame::Done { octets: 3 },
        Frame::Hello(Role::Sender(Announcement { entries: 1, octets: 1, total: 1, digest: [0; 32] })),
    ] {
        let mut sender = Rehearsal::sender(shelf.clone(), Patience::default());
        sender.opened(Duration::ZERO);
        let mut octets = PREFACE.to_vec();
        emit(&question, &mut octets);
        sender.readable(Duration::ZERO, &octets);
        let failure = sender.result().unwrap().unwrap_err();
        assert!(matches!(failure, Failure::Protocol | Failure::SameRole), "{question:?}");
    }
}

#[test]
fn a_flood_of_questions_ends_the_transfer_instead_of_filling_memory() {
    let shelf = a_folder();
    let mut sender = Rehearsal::sender(shelf, Patience::default());
    sender.opened(Duration::ZERO);
    let mut octets = PREFACE.to_vec();
    for _ in 0..1_000 {
        emit(&Frame::Ask { file: 4, first: 0, count: 5 }, &mut octets);
    }
    for piece in octets.chunks(10_000) {
        sender.readable(Duration::ZERO, piece);
    }
    assert_eq!(sender.result(), Some(Err(&Failure::Protocol)));
}

/// RELIABILITY AP-2: greeting 10 s, a frame 30 s.
#[test]
fn whoever_is_too_slow_is_told_and_left() {
    let patience = Patience::default();
    let mut silent = Rehearsal::receiver(MemoryDisk::new(), Replace::Never, 0, patience);
    silent.opened(ms(1_000));
    assert_eq!(silent.poll_deadline(), Some(ms(11_000)));
    silent.deadline_passed(ms(11_000));
    assert_eq!(silent.result(), Some(Err(&Failure::TooSlow)));

    let mut slow = Rehearsal::sender(a_folder(), patience);
    slow.opened(ms(0));
    let mut octets = PREFACE.to_vec();
    emit(&Frame::Hello(Role::Receiver), &mut octets);
    emit(&Frame::AskPage { page: 0 }, &mut octets);
    let begin = octets.len() - 60;
    slow.readable(ms(100), &octets[..begin]);
    for second in 1..30 {
        let at = begin + second;
        slow.deadline_passed(ms(second as u64 * 1_000));
        slow.readable(ms(second as u64 * 1_000), &octets[at..=at]);
    }
    assert_eq!(slow.result(), None);
    slow.deadline_passed(ms(30_100));
    assert_eq!(slow.result(), Some(Err(&Failure::TooSlow)));
}

#[test]
fn a_connection_that_ends_early_is_a_failure_that_may_be_resumed() {
    let shelf = a_folder();
    for cut in [0, 8, 100, 5_000, 200_000] {
        let mut first = pair(&shelf, MemoryDisk::new());
        first.sender.opened(ms(0));
        first.receiver.opened(ms(0));
        let nothing: Spoil<'_> = &mut |_, _, _| {};
        while first.passed[0] < cut {
            first.pass(Way::ToReceiver, nothing);
            first.pass(Way::ToSender, nothing);
        }
        first.receiver.ended(ms(0), Ending::Reset);
        first.sender.ended(ms(0), Ending::Reset);
        assert_eq!(first.failed(), Failure::Broken);
        assert!(first.failed().may_resume());
        let mut again = pair(&shelf, first.disk());
        again.run();
        again.arrived(&shelf);
    }
}

#[test]
fn a_person_who_ends_it_is_heard_at_the_other_end() {
    let shelf = a_folder();
    let mut pair = pair(&shelf, MemoryDisk::new());
    pair.receiver.opened(ms(0));
    pair.receiver.party().cancel(ms(0), Failure::Cancelled);
    pair.run();
    assert_eq!(pair.sender.result(), Some(Err(&Failure::Refused(Refusal::Cancelled, None))));
}

#[test]
fn two_senders_or_two_receivers_say_so() {
    let patience = Patience::default();
    let mut one: Box<Rehearsal> = Box::new(Rehearsal::sender(a_folder(), patience));
    let mut octets = PREFACE.to_vec();
    let announcement = Announcement { entries: 1, octets: 10, total: 1, digest: [0; 32] };
    emit(&Frame::Hello(Role::Sender(announcement)), &mut octets);
    one.opened(ms(0));
    one.readable(ms(0), &octets);
    assert_eq!(one.result(), Some(Err(&Failure::SameRole)));
}
