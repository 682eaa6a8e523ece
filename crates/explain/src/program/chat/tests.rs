use alloc::string::ToString;
use alloc::vec;

use aperto_app::hello::{Mode, Negative, Offer, grant};

use super::*;
use crate::program::Fault;
use crate::program::saying::Saying;
use crate::wording::width;

fn sayings() -> Vec<ChatSaying> {
    let label = || "c1 ".to_string();
    let name = || "ana".to_string();
    let ask = Ask { max_message: 5_000, negative: Negative::On, ..Ask::new(Mode::Tcp) };
    let offer = Offer { max_message: 100, ..Offer::new(&Mode::ALL, &aperto_app::hello::Integrity::ALL) };
    let terms = grant(&ask, &offer).unwrap();
    let why = Refused::TooLarge { most: 60_000 };
    let mut all = vec![
        ChatSaying::Journal { file: "j".into(), messages: 1, torn: 0 },
        ChatSaying::Journal { file: "j".into(), messages: 2, torn: 7 },
        ChatSaying::NoJournal,
        ChatSaying::Agreed { label: label(), name: name(), ask, terms, back: true },
        ChatSaying::Missed { label: label(), messages: 3 },
        ChatSaying::Person { label: label(), name: name() },
        ChatSaying::Confirmed { id: 1 },
        ChatSaying::Refused { label: label(), name: name(), id: 0, why },
        ChatSaying::Refused { label: String::new(), name: String::new(), id: 4, why },
        ChatSaying::CannotSay { why: CannotSay::TooLong { most: 1_000 } },
        ChatSaying::CannotSay { why: CannotSay::TooMuch },
        ChatSaying::Damaged { label: label() },
        ChatSaying::Came { name: name() },
        ChatSaying::Left { name: name() },
        ChatSaying::Broken { attempt: 2, of: 20, after: Duration::from_millis(400), why: None },
        ChatSaying::Broken { attempt: 2, of: 20, after: Duration::from_secs(5), why: Some(Bye::TooSlow) },
        ChatSaying::Back { name: name(), again: 2, another_room: true },
        ChatSaying::Forgotten { messages: 2 },
        ChatSaying::NotAgreed { label: label(), why: Refusal::NoCommonIntegrity },
        ChatSaying::Standing { unconfirmed: 2, is_in: false },
        ChatSaying::RoomStands { messages: 2, members: 3 },
    ];
    for why in [Bye::Flood, Bye::Idle, Bye::Unfinished, Bye::Protocol, Bye::Replaced, Bye::Full, Bye::Closing]
    {
        all.push(ChatSaying::LetGo { label: label(), why });
    }
    for what in [Stranger::Http, Stranger::Tls, Stranger::Ssh, Stranger::Unknown] {
        all.push(ChatSaying::Stranger { label: label(), what });
    }
    all
}

#[test]
fn each_saying_has_words_in_both_languages_and_fits() {
    for saying in sayings() {
        let saying = Saying::Chat(saying);
        let (english, portuguese) = (saying.lines(Language::English), saying.lines(Language::Portuguese));
        assert_ne!(english, portuguese);
        for line in english.iter().chain(&portuguese) {
            assert!(!line.trim().is_empty(), "{saying:?}");
            assert!(width(line) <= COLUMNS, "{line}");
        }
    }
}

#[test]
fn what_was_asked_and_what_was_granted_stand_below_each_other() {
    let saying = sayings().into_iter().find(|saying| matches!(saying, ChatSaying::Agreed { .. })).unwrap();
    assert_eq!(
        saying.lines(Language::English),
        [
            "c1 [HELLO]     ana is in again",
            "            asked   tcp max=5000 len=4 win=5 ack=individual nack none",
            "            granted tcp max=100 len=4 win=5 ack=individual nack none",
        ]
    );
}

/// RELIABILITY AP-9.
#[test]
fn what_others_say_cannot_move_the_cursor() {
    let said = ChatSaying::Said { name: "an\x1b[2Ja".into(), text: "oi\r\x1b]0;x\x07\u{202e}".into() };
    for language in [Language::English, Language::Portuguese] {
        assert_eq!(said.lines(language), ["an\\u{1b}[2Ja: oi\\r\\u{1b}]0;x\\u{7}\\u{202e}"]);
    }
    for line in (ChatSaying::Came { name: "\x1b[31m".into() }).lines(Language::English) {
        assert!(!line.contains('\x1b'));
    }
}

#[test]
fn each_fault_has_words_a_code_and_an_exit() {
    let remote = SocketAddr::from(([127, 0, 0, 1], 5000));
    let file = || "sala.journal".to_string();
    let mut all = vec![
        (ChatFault::NotAgreed { remote, why: Refusal::NoCommonIntegrity }, 3),
        (ChatFault::Unfair { remote }, 7),
        (ChatFault::Echo { remote }, 7),
        (ChatFault::Silent { remote }, 4),
        (ChatFault::GaveUp { remote, tries: 20, unconfirmed: 2 }, 4),
        (ChatFault::LetGo { remote, why: Bye::Flood }, 3),
        (ChatFault::Unconfirmed { messages: 1 }, 1),
        (ChatFault::NotTaken { messages: 2 }, 1),
        (ChatFault::NotAJournal { file: file() }, 6),
        (ChatFault::JournalDamaged { file: file(), at: 99 }, 6),
        (ChatFault::JournalInUse { file: file() }, 5),
    ];
    for what in [Stranger::Http, Stranger::Tls, Stranger::Ssh, Stranger::Unknown] {
        all.push((ChatFault::Stranger { remote, what }, 7));
    }
    for (fault, code) in all {
        let fault = Fault::Chat(fault);
        assert_eq!(fault.exit().code(), code, "{fault:?}");
        let (english, portuguese) = (fault.lines(Language::English), fault.lines(Language::Portuguese));
        assert_ne!(english, portuguese);
        for line in english.iter().chain(&portuguese) {
            assert!(width(line) <= COLUMNS, "{line}");
        }
    }
}

#[test]
fn who_has_the_wrong_port_is_told_in_both_languages_in_one_line() {
    let line = wrong_port(Stranger::Tls);
    assert!(line.starts_with("this port speaks aperto chat; you sent TLS / esta porta fala"), "{line}");
    assert_eq!(line.matches('\n').count(), 1);
}
