//! That none is without words in either language, and that all fit.

use alloc::string::ToString;

use aperto_app::transfer::{Path, Stranger, Trouble};

use super::*;
use crate::program::Fault;
use crate::wording::width;

fn failures() -> Vec<Failure> {
    let path = || Path::new("a").unwrap();
    let mut all = alloc::vec![
        Failure::Version(2),
        Failure::Protocol,
        Failure::SameRole,
        Failure::Manifest(BadManifest::Malformed),
        Failure::Manifest(BadManifest::Count),
        Failure::Manifest(BadManifest::TooLarge { entry: 0 }),
        Failure::Manifest(BadManifest::Collision { entry: 0, path: path(), with: path() }),
        Failure::Exists(path()),
        Failure::NoRoom { needs: 1 << 31, free: 5, floor: 64 << 20 },
        Failure::Busy(path()),
        Failure::Changed(path()),
        Failure::Unreadable(path()),
        Failure::TooSlow,
        Failure::Silent,
        Failure::Broken,
        Failure::Superseded,
        Failure::Cancelled,
    ];
    let strangers =
        [Stranger::Http, Stranger::Tls, Stranger::Ssh, Stranger::Aperto, Stranger::Text, Stranger::Unknown];
    all.extend(strangers.map(Failure::Stranger));
    all.extend(Trouble::ALL.map(|trouble| Failure::Disk(path(), trouble)));
    for why in Refusal::ALL {
        all.push(Failure::Refused(why, Some(path())));
        all.push(Failure::Refused(why, None));
    }
    for why in BadName::ALL {
        all.push(Failure::Manifest(BadManifest::Name { entry: 0, name: "x".into(), why }));
    }
    all
}

fn all() -> Vec<TransferFault> {
    let text = || "x".to_string();
    let remote = SocketAddr::from(([127, 0, 0, 1], 7000));
    let mut all = alloc::vec![
        TransferFault::Name { path: text(), why: BadName::Device },
        TransferFault::Unsendable { path: text(), why: BadManifest::Count },
        TransferFault::Folder { folder: text(), why: FileTrouble::Missing },
        TransferFault::Folder { folder: text(), why: FileTrouble::Other(text()) },
        TransferFault::GaveUp { tries: 20, remote },
    ];
    for why in failures() {
        all.push(TransferFault::Failed { side: Side::Sends, remote, why: why.clone() });
        all.push(TransferFault::Failed { side: Side::Receives, remote, why });
    }
    all
}

#[test]
fn each_fault_of_a_transfer_has_words_in_both_languages_and_they_differ() {
    for fault in all() {
        let (english, portuguese) = (fault.notice(Language::English), fault.notice(Language::Portuguese));
        assert_ne!(english.headline, portuguese.headline, "{fault:?}");
        assert_ne!(english.details, portuguese.details, "{fault:?}");
        assert_eq!(english.details.len(), portuguese.details.len(), "{fault:?}");
        let fault = Fault::Transfer(fault);
        for line in fault.lines(Language::English).iter().chain(&fault.lines(Language::Portuguese)) {
            assert!(width(line) <= 80, "{line}");
        }
    }
}

#[test]
fn what_goes_on_is_said_in_both_languages_within_80_columns() {
    let text = || "uma pasta/um arquivo com um nome bastante comprido.jpg".to_string();
    let label = || "c1 ".to_string();
    let after = Duration::from_secs(3);
    let sayings = [
        TransferSaying::Receiving { folder: text() },
        TransferSaying::Offering { name: text(), files: 3, octets: 1 << 33 },
        TransferSaying::LeftOut { hidden: 1, links: 2, first: text() },
        TransferSaying::Begun { label: label(), side: Side::Sends, name: text(), files: 1, octets: 7 },
        TransferSaying::Resumed { label: label(), path: text(), octets: 5 << 20, of: 20 << 20 },
        TransferSaying::Again { label: label(), path: text(), chunk: 811 },
        TransferSaying::MoreFiles { label: label(), files: 5 },
        TransferSaying::Finished {
            label: label(),
            side: Side::Receives,
            files: 3,
            octets: 9,
            again: 2,
            after,
        },
        TransferSaying::Failed { label: label(), headline: text() },
        TransferSaying::Reconnecting { after, attempt: 2, of: 20 },
        TransferSaying::Kept { side: Side::Sends },
    ];
    for saying in sayings {
        let (english, portuguese) = (saying.lines(Language::English), saying.lines(Language::Portuguese));
        assert_ne!(english, portuguese);
        for line in english.iter().chain(&portuguese) {
            assert!(width(line) <= 80, "{line}");
        }
    }
    let again = TransferSaying::Again { label: String::new(), path: "big.bin".into(), chunk: 811 };
    assert_eq!(again.lines(Language::English), ["chunk 811 of big.bin damaged, asked again"]);
}

#[test]
fn sizes_are_what_file_managers_say() {
    for (octets, expected) in
        [(999, "999 bytes"), (1536, "1.5 KiB"), (20 << 20, "20.0 MiB"), (3 << 30, "3.0 GiB")]
    {
        assert_eq!(size(Language::English, octets), expected);
    }
    assert_eq!(size(Language::Portuguese, 1536), "1,5 KiB");
}
