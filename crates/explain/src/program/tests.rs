//! The errors of the manual, word by word, and that none is without words in either language.

use alloc::string::ToString;

use super::*;
use crate::wording::width;

fn english(fault: &Fault) -> Vec<String> {
    fault.lines(Language::English)
}

fn portuguese(fault: &Fault) -> Vec<String> {
    fault.lines(Language::Portuguese)
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7000))
}

#[test]
fn nobody_listening_is_said_with_the_reason_and_what_to_type() {
    let fault = Fault::Refused { remote: loopback(), by: RefusedBy::Reset, same_machine: true };
    assert_eq!(
        english(&fault),
        [
            "error: connection refused by 127.0.0.1:7000                             (exit 3)",
            "  nothing is listening there: the answer to the SYN was RST      RFC 9293 §3.5.2",
            "  start the server first, in another terminal:   aperto server 7000",
        ]
    );
}

#[test]
fn a_taken_port_names_who_has_it() {
    let fault = Fault::PortTaken { port: 7000, holder: Some(("python3".into(), 4121)) };
    assert_eq!(
        portuguese(&fault),
        [
            "erro: a porta 7000 já está em uso por \"python3\" (pid 4121)             (saída 5)",
            "  use outra:  aperto servidor 7001        ou encerre aquele programa",
        ]
    );
}

#[test]
fn a_document_is_not_a_capture() {
    let fault = Fault::NotACapture { file: "relatorio.docx".into(), looks_like: LooksLike::Zip };
    assert_eq!(
        english(&fault),
        [
            "error: relatorio.docx is not a capture (it starts like a zip file)      (exit 6)",
            "  expected: .pcapng, .pcap or .aperto",
        ]
    );
}

#[test]
fn a_share_without_a_unit_is_asked_back() {
    let fault = Fault::BadQuantity {
        flag: "--loss".into(),
        value: "0.1".into(),
        quantity: Quantity::Share,
        why: BadQuantity::NoUnit,
    };
    assert_eq!(
        english(&fault).first().map(|line| line.trim_end_matches("(exit 2)").trim_end()),
        Some("error: --loss 0.1 has no unit: 10% or 0.1%?")
    );
    for (number, percent) in
        [("0.1", "10%"), ("0.015", "1.5%"), ("5", "500%"), ("0.00", "0%"), ("1.5", "150%"), ("0.5", "50%")]
    {
        assert_eq!(en::as_percent(number), percent);
    }
}

fn all() -> Vec<Fault> {
    let text = || "x".to_string();
    let remote = loopback();
    let address = remote.ip();
    let after = Duration::from_secs(30);
    let mut all = alloc::vec![
        Fault::UnknownCommand { word: text(), nearest: Some(text()) },
        Fault::UnknownFlag { flag: text(), nearest: None },
        Fault::UnexpectedWord { word: text() },
        Fault::MissingValue { flag: text() },
        Fault::UnexpectedValue { flag: text() },
        Fault::MissingArguments { names: alloc::vec![text()], command: text() },
        Fault::NotAChoice {
            flag: text(),
            value: text(),
            choices: alloc::vec![text(), text()],
            nearest: None
        },
        Fault::Conflict { first: text(), second: text() },
        Fault::Repeated { flag: text() },
        Fault::BadNumber { flag: text(), value: text(), from: 1, to: 9 },
        Fault::BadAddress { value: text() },
        Fault::UnknownHost { name: text() },
        Fault::NotUnicode { value: text() },
        Fault::BadIsn { value: text() },
        Fault::UnknownFormat { file: text() },
        Fault::ResetByPeer { remote },
        Fault::NoAnswer { remote, after },
        Fault::TimeIsUp { after },
        Fault::SilentPeer { remote },
        Fault::Unreachable { remote },
        Fault::PortTaken { port: 65535, holder: None },
        Fault::AddressNotOurs { address },
        Fault::NeedsLan { address, port: 7000 },
        Fault::NeedsTunRights { command: text() },
        Fault::NoTunDevice,
        Fault::NeedsPortRights { port: 80 },
        Fault::KernelOwnsAddress { address, interface: text() },
        Fault::System { what: text() },
        Fault::Broken { file: text(), at: 7, packets: 2 },
        Fault::BadRecording { file: text(), line: 3, why: text() },
        Fault::ForeignPeer { from: remote, octets: 3 },
        Fault::NotDelivered { delivered: 1, of: 2 },
        Fault::Endless { packets: 9 },
        Fault::Transfer(transfer::TransferFault::GaveUp { tries: 20, remote }),
        Fault::Tool(tools::ToolFault::ReplayCutOff { file: text(), at: 7, records: 2 }),
    ];
    for why in [
        FileTrouble::Missing,
        FileTrouble::Denied,
        FileTrouble::Folder,
        FileTrouble::TooLarge(7),
        FileTrouble::Full,
    ] {
        all.push(Fault::CannotRead { file: text(), why: why.clone() });
        all.push(Fault::CannotWrite { file: text(), why });
    }
    for by in [RefusedBy::Reset, RefusedBy::PortUnreachable, RefusedBy::System] {
        all.push(Fault::Refused { remote, by, same_machine: by == RefusedBy::System });
    }
    for why in [BadConfig::UnknownKey, BadConfig::BadValue, BadConfig::Syntax] {
        all.push(Fault::BadConfig { file: text(), line: 1, key: text(), why });
    }
    for because in [
        NoEffect::NoChannelOfOurs,
        NoEffect::OnlyTcp,
        NoEffect::OnlyTextbook,
        NoEffect::OnlyScene("bulk"),
        NoEffect::NoPackets,
        NoEffect::OnlyServer,
        NoEffect::OnlySimulated,
        NoEffect::OnlyRecorded,
        NoEffect::OnlyBare,
        NoEffect::Needs("--lan"),
    ] {
        all.push(Fault::NoEffect { flag: text(), because });
    }
    for quantity in [Quantity::Duration, Quantity::Rate, Quantity::Share, Quantity::Size] {
        for why in [BadQuantity::NoUnit, BadQuantity::UnknownUnit, BadQuantity::Zero, BadQuantity::TooFine] {
            all.push(Fault::BadQuantity { flag: text(), value: "7".into(), quantity, why });
        }
    }
    for why in [BadPick::UnknownKind, BadPick::Zero, BadPick::Backwards, BadPick::NoTime, BadPick::ATime] {
        all.push(Fault::BadPick { flag: text(), value: text(), why });
    }
    for looks_like in [LooksLike::Empty, LooksLike::Zip, LooksLike::Unknown] {
        all.push(Fault::NotACapture { file: text(), looks_like });
    }
    all
}

#[test]
fn each_fault_has_words_in_both_languages_and_they_differ() {
    for fault in all() {
        let (english, portuguese) = (fault.notice(Language::English), fault.notice(Language::Portuguese));
        // A fault without words of its own would show its code.
        assert_ne!(english.headline, fault.code());
        assert_ne!(portuguese.headline, fault.code());
        assert_ne!(english, portuguese, "{fault:?}");
        assert_eq!(english.details.len(), portuguese.details.len(), "{fault:?}");
        for line in fault.lines(Language::English).iter().chain(&fault.lines(Language::Portuguese)) {
            assert!(width(line) <= COLUMNS, "{line}");
        }
    }
}

#[test]
fn each_fault_has_a_code_of_its_own() {
    let mut codes: Vec<&str> = all().iter().map(Fault::code).collect();
    codes.sort_unstable();
    codes.dedup();
    // One for each variant.
    assert_eq!(codes.len(), 43);
}
