use super::*;
use crate::files::tests::Folder;

fn print(of: &str) -> Fingerprint {
    Fingerprint::of_public_key(of.as_bytes())
}

#[test]
fn what_was_seen_is_known_again_by_host_and_port() {
    let folder = Folder::new();
    let known = Known::in_folder(&folder.path().join("not/yet"));
    assert_eq!(known.of("ana.local", 7000).unwrap(), None);
    known.add("ana.local", 7000, print("ana")).unwrap();
    known.add("::1", 7000, print("six")).unwrap();
    let entry = known.of("ANA.local", 7000).unwrap().unwrap();
    assert_eq!((entry.fingerprint, entry.line), (print("ana"), 2));
    assert_eq!(known.of("::1", 7000).unwrap().unwrap().fingerprint, print("six"));
    for (host, port) in [("ana.local", 7001), ("ana", 7000), ("bob.local", 7000)] {
        assert_eq!(known.of(host, port).unwrap(), None, "{host} {port}");
    }
    let text = std::fs::read_to_string(known.file()).unwrap();
    assert!(text.contains(&format!("[::1]:7000 {}\n", print("six"))), "{text}");
}

#[test]
fn forgetting_takes_out_one_server_and_leaves_what_people_wrote() {
    let folder = Folder::new();
    let known = Known::in_folder(folder.path());
    assert!(!known.forget("ana", 7000).unwrap());
    known.add("ana", 7000, print("ana")).unwrap();
    known.add("bob", 7000, print("bob")).unwrap();
    std::fs::write(known.file(), std::fs::read_to_string(known.file()).unwrap() + "# my own note\n").unwrap();
    assert!(known.forget("ana", 7000).unwrap());
    assert!(!known.forget("ana", 7000).unwrap());
    assert_eq!(known.of("ana", 7000).unwrap(), None);
    assert_eq!(known.of("bob", 7000).unwrap().unwrap().fingerprint, print("bob"));
    assert!(std::fs::read_to_string(known.file()).unwrap().contains("# my own note"));
}

#[test]
fn a_damaged_list_is_named_with_its_line_and_believed_in_nothing() {
    let folder = Folder::new();
    let known = Known::in_folder(folder.path());
    known.add("ana", 7000, print("ana")).unwrap();
    let whole = std::fs::read_to_string(known.file()).unwrap();
    for (text, bad) in [
        (format!("{whole}bob:7000 xj4b\n"), 3),
        (format!("{whole}bob:7000\n"), 3),
        (format!("\n\nwhat is this\n{whole}"), 3),
    ] {
        std::fs::write(known.file(), &text).unwrap();
        match known.of("ana", 7000) {
            Err(FileError::Damaged { line, .. }) => assert_eq!(line, bad, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    std::fs::write(known.file(), vec![b'a'; (1 << 20) + 1]).unwrap();
    assert!(known.of("ana", 7000).is_err());
    std::fs::write(known.file(), [0xff, 0xfe, b'\n']).unwrap();
    assert!(known.of("ana", 7000).is_err());
}

#[test]
fn the_first_of_two_lines_for_a_server_counts() {
    let folder = Folder::new();
    let known = Known::in_folder(folder.path());
    known.add("ana", 7000, print("first")).unwrap();
    known.add("ana", 7000, print("second")).unwrap();
    assert_eq!(known.of("ana", 7000).unwrap().unwrap().fingerprint, print("first"));
    assert!(known.forget("ana", 7000).unwrap());
    assert_eq!(known.of("ana", 7000).unwrap(), None);
}
