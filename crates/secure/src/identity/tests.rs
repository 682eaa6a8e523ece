use std::collections::BTreeSet;
use std::process::Command;

use super::*;
use crate::files::tests::Folder;

#[cfg(unix)]
fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_made_once_and_found_again() {
    let folder = Folder::new();
    assert!(Identity::find(folder.path()).unwrap().is_none());
    let made = Identity::open(folder.path()).unwrap();
    assert_eq!(made.origin(), Origin::Made);
    let found = Identity::open(folder.path()).unwrap();
    assert_eq!((found.origin(), found.machine()), (Origin::Found, Machine::This));
    assert_eq!(found.fingerprint(), made.fingerprint());
    assert_eq!(found.certificate(), made.certificate());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// RELIABILITY SC-11.
#[cfg(unix)]
#[test]
fn a_key_is_for_its_owner_only_and_another_one_is_refused() {
    let folder = Folder::new();
    let file = Identity::open(folder.path()).unwrap().key_file();
    assert_eq!(mode(&file), 0o600);
    for open in [0o640, 0o604, 0o660, 0o601, 0o644, 0o777] {
        set_mode(&file, open);
        match Identity::open(folder.path()) {
            Err(FileError::Open { mode, .. }) => assert_eq!(mode, open),
            other => panic!("{open:o}: {other:?}"),
        }
    }
    set_mode(&file, 0o400);
    Identity::open(folder.path()).unwrap();
}

#[test]
fn several_first_starts_at_once_make_one_key() {
    let folder = Folder::new();
    let prints: BTreeSet<_> = std::thread::scope(|scope| {
        let open = || Identity::open(folder.path()).unwrap().fingerprint();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(prints.len(), 1);
}

#[test]
fn a_key_that_is_none_is_refused_and_stays() {
    let folder = Folder::new();
    let file = Identity::open(folder.path()).unwrap().key_file();
    let whole = std::fs::read_to_string(&file).unwrap();
    for damaged in ["", "nothing\n", &whole[..whole.len() / 2], &whole.replace("BEGIN", "BEGUN")] {
        std::fs::write(&file, damaged).unwrap();
        let refused = Identity::open(folder.path());
        assert!(matches!(refused, Err(FileError::Damaged { .. })), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), damaged);
    }
}

#[test]
fn a_certificate_that_is_gone_or_of_another_key_is_made_again() {
    let (folder, other) = (Folder::new(), Folder::new());
    let identity = Identity::open(folder.path()).unwrap();
    let foreign = Identity::open(other.path()).unwrap();
    std::fs::copy(foreign.certificate_file(), identity.certificate_file()).unwrap();
    let again = Identity::open(folder.path()).unwrap();
    assert_eq!(Fingerprint::of_certificate(again.certificate()).unwrap(), identity.fingerprint());
    std::fs::remove_file(identity.certificate_file()).unwrap();
    Identity::open(folder.path()).unwrap();
    assert!(identity.certificate_file().exists());
}

#[test]
fn a_new_key_keeps_the_old_one_beside_it() {
    let folder = Folder::new();
    let first = Identity::open(folder.path()).unwrap();
    let old = std::fs::read_to_string(first.key_file()).unwrap();
    let second = Identity::renew(folder.path()).unwrap();
    assert_ne!(first.fingerprint(), second.fingerprint());
    assert_eq!(std::fs::read_to_string(folder.path().join("server.key.old")).unwrap(), old);
    assert_eq!(Identity::open(folder.path()).unwrap().fingerprint(), second.fingerprint());
    #[cfg(unix)]
    assert_eq!(mode(&folder.path().join("server.key.old")), 0o600);
}

#[test]
fn a_key_that_came_from_another_machine_is_noticed() {
    let folder = Folder::new();
    let file = Identity::open(folder.path()).unwrap().key_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let Some(line) = text.lines().find(|line| line.starts_with(MACHINE)) else {
        // No machine-id here: nothing to compare.
        return;
    };
    std::fs::write(&file, text.replace(line, "machine: 0123456789abcdef")).unwrap();
    assert_eq!(Identity::open(folder.path()).unwrap().machine(), Machine::Another);
}

/// Nobody of ours hashes the key as OpenSSL writes it down.
#[test]
fn openssl_finds_the_same_fingerprint() {
    let folder = Folder::new();
    let identity = Identity::open(folder.path()).unwrap();
    let line = "openssl x509 -in \"$0\" -noout -pubkey | openssl pkey -pubin -outform der | sha256sum";
    let mut command = Command::new("sh");
    let output = command.args(["-c", line]).arg(identity.certificate_file()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    if !Command::new("openssl").arg("version").output().is_ok_and(|version| version.status.success()) {
        println!("SKIPPED openssl_finds_the_same_fingerprint: not installed: openssl");
        return;
    }
    let bits: String =
        text.chars().take(33).map(|digit| format!("{:04b}", digit.to_digit(16).expect(&text))).collect();
    let letters: String = bits.as_bytes()[..130]
        .chunks(5)
        .map(|five| {
            let number = five.iter().fold(0, |number, bit| number * 2 + usize::from(bit - b'0'));
            char::from(b"abcdefghijklmnopqrstuvwxyz234567"[number])
        })
        .collect();
    assert_eq!(identity.fingerprint().to_string().replace('-', ""), letters);
}
