//! The disk of this machine: hostile names, swapped links, and nothing outside of the root.

use aperto_app::transfer::CHUNK;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aperto_app::pattern::Pattern;
use aperto_app::transfer::disk::Replace;
use aperto_app::transfer::name::check_name;
use aperto_app::transfer::vault::part_name;
use aperto_app::transfer::{Entry, Found, Kind, Manifest, Order, Outcome, Path as Wire, Vault};

use super::*;
use crate::live::shelf::Shelf;

/// A folder that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let place = NEXT.fetch_add(1, Ordering::Relaxed);
        // In memory, where there is such a place: a hundred thousand syncs of a disk take minutes.
        let memory = PathBuf::from("/dev/shm");
        let above = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = above.join(format!("aperto-disk-{}-{place}", std::process::id()));
        fs::create_dir_all(folder.join("root")).unwrap();
        Self(folder)
    }

    fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    fn disk(&self) -> FolderDisk {
        FolderDisk::open(&self.root()).unwrap()
    }

    /// Everything in the folder above the root, but the root.
    fn outside(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != "root")
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn file(path: &str, octets: &[u8]) -> Entry {
    let kind = Kind::File { size: octets.len() as u64, digest: *blake3::hash(octets).as_bytes() };
    Entry { path: Wire::from_wire(path.as_bytes()).unwrap(), kind }
}

fn vault(scratch: &Scratch, entries: Vec<Entry>) -> Vault<FolderDisk> {
    Vault::new(scratch.disk(), Arc::new(Manifest::new(entries).unwrap()), Replace::Never, 0)
}

/// Looks, begins, writes one chunk, finishes.
fn write(vault: &mut Vault<FolderDisk>, octets: &[u8]) -> Vec<Outcome> {
    let chunk = Order::Write { file: 0, chunk: 0, octets: octets.to_vec() };
    let orders = [Order::Look { file: 0 }, Order::Begin { file: 0 }, chunk, Order::Finish { file: 0 }];
    orders.iter().map(|order| vault.perform(order)).collect()
}

#[test]
fn a_file_is_written_beside_its_name_and_gets_it_when_it_is_whole() {
    let scratch = Scratch::new();
    let mut vault = vault(&scratch, vec![file("a/b/c.txt", b"hello")]);
    let outcomes = write(&mut vault, b"hello");
    let expected = [
        Outcome::Found(Found::Nothing { held: 0 }),
        Outcome::Held(0),
        Outcome::Done,
        Outcome::Verified(true),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(fs::read(scratch.root().join("a/b/c.txt")).unwrap(), b"hello");
    let names: Vec<_> = fs::read_dir(scratch.root().join("a/b")).unwrap().collect();
    assert_eq!(names.len(), 1, "the unfinished one is gone");
    assert_eq!(vault.perform(&Order::Look { file: 0 }), Outcome::Found(Found::Same));
}

#[test]
fn a_wrong_file_keeps_its_unfinished_name_and_another_file_is_not_replaced() {
    let scratch = Scratch::new();
    let mut one = vault(&scratch, vec![file("c.txt", b"hello")]);
    assert_eq!(write(&mut one, b"hellO").pop(), Some(Outcome::Verified(false)));
    assert!(!scratch.root().join("c.txt").exists());
    assert!(scratch.root().join(part_name("c.txt")).exists());
    drop(one);
    let mut late = vault(&scratch, vec![file("c.txt", b"hello")]);
    assert_eq!(late.perform(&Order::Begin { file: 0 }), Outcome::Held(5));
    let chunk = Order::Write { file: 0, chunk: 0, octets: b"hello".to_vec() };
    assert_eq!(late.perform(&chunk), Outcome::Done);
    // Somebody else's file takes the name at the last moment.
    fs::write(scratch.root().join("c.txt"), b"mine").unwrap();
    assert_eq!(late.perform(&Order::Finish { file: 0 }), Outcome::Failed(Trouble::Exists));
    assert_eq!(fs::read(scratch.root().join("c.txt")).unwrap(), b"mine");
}

#[test]
fn two_writers_of_one_file_do_not_mix() {
    let scratch = Scratch::new();
    let mut one = vault(&scratch, vec![file("a", b"hello")]);
    assert_eq!(one.perform(&Order::Begin { file: 0 }), Outcome::Held(0));
    let mut other = vault(&scratch, vec![file("a", b"world")]);
    assert_eq!(other.perform(&Order::Begin { file: 0 }), Outcome::Failed(Trouble::Busy));
    drop(one);
    assert_eq!(other.perform(&Order::Begin { file: 0 }), Outcome::Held(0));
}

#[cfg(unix)]
#[test]
fn links_pipes_and_files_with_a_second_name_are_neither_followed_nor_written() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    let outside = scratch.0.join("outside");
    fs::create_dir(&outside).unwrap();
    let treasure = scratch.0.join("treasure");
    fs::write(&treasure, b"treasure").unwrap();
    let root = scratch.root();
    symlink(&outside, root.join("folder")).unwrap();
    symlink(&treasure, root.join("file")).unwrap();
    symlink(&treasure, root.join(part_name("part"))).unwrap();
    fs::hard_link(&treasure, root.join(part_name("hard"))).unwrap();
    assert!(
        std::process::Command::new("mkfifo").arg(root.join(part_name("pipe"))).status().unwrap().success()
    );
    let not_plain = |outcome: &Outcome| *outcome == Outcome::Failed(Trouble::NotPlain);
    for (path, place) in [("folder/x", 1), ("part", 1), ("hard", 1), ("pipe", 1)] {
        let mut vault = vault(&scratch, vec![file(path, b"evil")]);
        let outcomes = write(&mut vault, b"evil");
        assert!(not_plain(&outcomes[place]), "{path}: {outcomes:?}");
    }
    let mut vault = vault(&scratch, vec![file("file", b"evil")]);
    assert_eq!(vault.perform(&Order::Look { file: 0 }), Outcome::Found(Found::Other));
    assert_eq!(fs::read(&treasure).unwrap(), b"treasure");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

/// Names that somebody might send who wants out, made by luck from the pieces that matter.
fn hostile(luck: &mut u64) -> Vec<u8> {
    const PIECES: [&[u8]; 28] = [
        b"..",
        b".",
        b"/",
        b"\\",
        b"a",
        b"b",
        b"C:",
        b"\0",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"%2e%2e%2f",
        b" ",
        b"CON",
        b"nul.txt",
        b"~",
        b"$HOME",
        b"etc",
        b"passwd",
        b"\n",
        b"\x1b[2J",
        "\u{202e}".as_bytes(),
        b".ssh",
        "é".as_bytes(),
        b"..%c0%af",
        b"....//",
        b"x",
        b"aperto-part",
        b"LPT1",
    ];
    let mut draw = |limit: usize| {
        *luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*luck >> 33).unwrap() % limit
    };
    let pieces = 1 + draw(8);
    let mut name = Vec::new();
    for _ in 0..pieces {
        name.extend_from_slice(PIECES[draw(PIECES.len())]);
    }
    if draw(50) == 0 {
        name = name.repeat(40);
    }
    name
}

/// RELIABILITY G19: what is taken lies below the root, and nothing else is touched.
#[test]
fn a_hundred_thousand_hostile_names_write_nothing_outside_of_the_root() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("treasure"), b"treasure").unwrap();
    let root = fs::canonicalize(scratch.root()).unwrap();
    let mut luck = 7;
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..100_000 {
        let name = hostile(&mut luck);
        let Ok(path) = Wire::from_wire(&name) else {
            refused += 1;
            continue;
        };
        // The rule, in other words than the code's: a name of Rust's own paths, with plain parts only.
        let as_system = Path::new(path.as_str());
        assert!(as_system.components().all(|part| matches!(part, std::path::Component::Normal(_))), "{path}");
        assert!(path.names().all(|name| check_name(name).is_ok() && !name.starts_with('.')));
        let mut vault = vault(&scratch, vec![Entry { path: path.clone(), ..file("x", b"evil") }]);
        let outcomes = write(&mut vault, b"evil");
        let written = root.join(path.as_str());
        match outcomes.last() {
            Some(Outcome::Verified(true)) => {
                assert!(fs::canonicalize(&written).unwrap().starts_with(&root), "{path}");
                taken += 1;
            }
            // A file where a folder should be, from a name before.
            other => assert!(matches!(other, Some(Outcome::Failed(_))), "{path}: {other:?}"),
        }
    }
    assert!(refused > 50_000 && taken > 100, "{refused} refused, {taken} written");
    assert_eq!(scratch.outside(), ["treasure"]);
    assert_eq!(fs::read(scratch.0.join("treasure")).unwrap(), b"treasure");
}

/// RELIABILITY AP-6: somebody swaps a folder and a file for links all the time.
#[cfg(unix)]
#[test]
fn links_that_are_swapped_in_while_files_arrive_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    let outside = scratch.0.join("outside");
    fs::create_dir(&outside).unwrap();
    let treasure = outside.join("treasure");
    fs::write(&treasure, b"treasure").unwrap();
    let root = scratch.root();
    fs::create_dir(root.join("d")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (stop, root, outside, treasure) =
            (Arc::clone(&stop), root.clone(), outside.clone(), treasure.clone());
        std::thread::spawn(move || {
            let (folder, aside) = (root.join("d"), root.join("aside"));
            let mut swaps = 0_u32;
            while !stop.load(Ordering::Relaxed) || swaps < 100_000 {
                let _ = fs::rename(&folder, &aside);
                let _ = symlink(&outside, &folder);
                let _ = match swaps % 16 {
                    0 => symlink(&treasure, aside.join(part_name("x"))),
                    8 => fs::remove_file(aside.join(part_name("x"))),
                    _ => Ok(()),
                };
                let _ = fs::remove_file(&folder);
                if fs::rename(&aside, &folder).is_err() {
                    // A file arrived into a folder that was made meanwhile.
                    let _ = fs::remove_dir_all(&aside);
                }
                swaps += 1;
                // So that there is a moment in which something can arrive.
                (0..2_000).for_each(|_| std::hint::spin_loop());
            }
            swaps
        })
    };
    let mut arrived = 0;
    for round in 0..3_000_u32 {
        let octets = round.to_be_bytes();
        let mut vault = vault(&scratch, vec![file("d/x", &octets)]);
        let outcomes = write(&mut vault, &octets);
        arrived += u32::from(outcomes.last() == Some(&Outcome::Verified(true)));
        let _ = fs::remove_file(root.join("d").join("x"));
    }
    stop.store(true, Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    assert!(swaps >= 100_000 && arrived > 0, "{swaps} swaps, {arrived} arrived");
    let found: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(found, ["treasure"]);
    assert_eq!(fs::read(&treasure).unwrap(), b"treasure");
}

#[cfg(unix)]
#[test]
fn what_is_sent_is_the_folder_without_links_and_hidden_files() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    let root = scratch.root();
    fs::create_dir_all(root.join("b/empty")).unwrap();
    let mut large = vec![0; CHUNK + 3];
    Pattern::new(5).fill(0, &mut large);
    fs::write(root.join("b/large"), &large).unwrap();
    fs::write(root.join("a"), b"a").unwrap();
    fs::write(root.join(".hidden"), b"h").unwrap();
    symlink("/etc/passwd", root.join("link")).unwrap();
    let mut shelf = Shelf::open(root.to_str().unwrap(), |_| {}).unwrap();
    let paths: Vec<&str> = shelf.manifest().entries().iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["root", "root/a", "root/b", "root/b/empty", "root/b/large"]);
    assert_eq!((shelf.left_out().hidden, shelf.left_out().links), (1, 1));
    let read = Order::Read { file: 4, chunk: 1, octets: 3 };
    assert_eq!(shelf.perform(&read), Outcome::Octets(large[CHUNK..].to_vec()));
    let hashes = vec![*blake3::hash(&large[..CHUNK]).as_bytes(), *blake3::hash(&large[CHUNK..]).as_bytes()];
    assert_eq!(shelf.perform(&Order::Hash { file: 4, first: 0, count: 2 }), Outcome::Hashes(hashes));
    // A link that takes the place of what was there is not read.
    let mut shelf = shelf.again().unwrap();
    fs::remove_file(root.join("a")).unwrap();
    symlink("/etc/passwd", root.join("a")).unwrap();
    assert_eq!(
        shelf.perform(&Order::Read { file: 1, chunk: 0, octets: 1 }),
        Outcome::Failed(Trouble::NotPlain)
    );
}
