//! What the program says of a chat: who came, what was agreed, what was confirmed, and why not.
//!
//! Values with their numbers; each language an exhaustive `match` in a file of its own. Names and
//! texts of others are shown as [`visible`] makes them.

mod en;
mod pt;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_app::chat::decoder::Stranger;
use aperto_app::chat::frame::{Bye, Refused};
use aperto_app::chat::text::visible;
use aperto_app::hello::{Ask, Refusal, Terms};
use aperto_time::Duration;

use super::{Exit, Notice};
use crate::Language;
use crate::hello::Message;
use crate::wording::{width, wrap};

/// How many columns a line takes at most.
const COLUMNS: usize = 80;

/// What is said of a chat. A label is that of a connection, and ends with a space; clients have none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum ChatSaying {
    /// Where messages are kept, and how many are there already.
    Journal {
        file: String,
        messages: u64,
        torn: u64,
    },
    /// Messages are kept in memory only.
    NoJournal,
    /// What was asked for, and what was granted.
    Agreed {
        label: String,
        name: String,
        ask: Ask,
        terms: Terms,
        back: bool,
    },
    /// So many messages were said meanwhile, or are said again.
    Missed {
        label: String,
        messages: u64,
    },
    /// A person without a program of ours.
    Person {
        label: String,
        name: String,
    },
    /// Somebody said something.
    Said {
        name: String,
        text: String,
    },
    /// A message of one's own is kept for good.
    Confirmed {
        id: u64,
    },
    /// A message was not taken; the name is empty where it is one's own.
    Refused {
        label: String,
        name: String,
        id: u64,
        why: Refused,
    },
    /// What was typed is no message.
    CannotSay {
        why: CannotSay,
    },
    /// A frame was damaged and is asked for again.
    Damaged {
        label: String,
    },
    /// Somebody came, or left.
    Came {
        name: String,
    },
    Left {
        name: String,
    },
    /// The connection broke; there will be another.
    Broken {
        attempt: u32,
        of: u32,
        after: Duration,
        why: Option<Bye>,
    },
    /// It is in again.
    Back {
        name: String,
        again: u64,
        another_room: bool,
    },
    /// Messages that are not kept any more.
    Forgotten {
        messages: u64,
    },
    /// The room let somebody go.
    LetGo {
        label: String,
        why: Bye,
    },
    /// There was no agreement.
    NotAgreed {
        label: String,
        why: Refusal,
    },
    /// Somebody has the wrong port.
    Stranger {
        label: String,
        what: Stranger,
    },
    /// How a member stands: messages not confirmed, and whether it is in.
    Standing {
        unconfirmed: u64,
        is_in: bool,
    },
    /// How a room stands.
    RoomStands {
        messages: u64,
        members: u64,
    },
}

/// Why something that was typed is no message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CannotSay {
    /// It has more octets than were granted.
    TooLong {
        /// The most.
        most: u32,
    },
    /// Too much waits already.
    TooMuch,
}

/// Why a chat could not begin, or ended badly.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum ChatFault {
    /// There was no agreement.
    NotAgreed { remote: SocketAddr, why: Refusal },
    /// The room granted what was not asked for.
    Unfair { remote: SocketAddr },
    /// The other side speaks something else.
    Stranger { remote: SocketAddr, what: Stranger },
    /// The other side sends back what it gets.
    Echo { remote: SocketAddr },
    /// The other side said nothing.
    Silent { remote: SocketAddr },
    /// Nobody answered any more, however often it was tried.
    GaveUp { remote: SocketAddr, tries: u32, unconfirmed: u64 },
    /// The room let the member go.
    LetGo { remote: SocketAddr, why: Bye },
    /// Not everything was confirmed.
    Unconfirmed { messages: u64 },
    /// Not everything was taken.
    NotTaken { messages: u64 },
    /// A file that is no journal.
    NotAJournal { file: String },
    /// A journal that is damaged.
    JournalDamaged { file: String, at: u64 },
    /// A journal that another server writes.
    JournalInUse { file: String },
}

impl ChatFault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::NotAgreed { .. } | Self::LetGo { .. } => Exit::Refused,
            Self::Unfair { .. } | Self::Stranger { .. } | Self::Echo { .. } => Exit::Foreign,
            Self::Silent { .. } | Self::GaveUp { .. } => Exit::TimedOut,
            Self::Unconfirmed { .. } | Self::NotTaken { .. } => Exit::Failed,
            Self::NotAJournal { .. } | Self::JournalDamaged { .. } => Exit::Unreadable,
            Self::JournalInUse { .. } => Exit::NotHere,
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAgreed { .. } => "chat-not-agreed",
            Self::Unfair { .. } => "chat-unfair",
            Self::Stranger { .. } => "chat-stranger",
            Self::Echo { .. } => "chat-echo",
            Self::Silent { .. } => "chat-silent",
            Self::GaveUp { .. } => "chat-gave-up",
            Self::LetGo { .. } => "chat-let-go",
            Self::Unconfirmed { .. } => "chat-unconfirmed",
            Self::NotTaken { .. } => "chat-not-taken",
            Self::NotAJournal { .. } => "not-a-journal",
            Self::JournalDamaged { .. } => "journal-damaged",
            Self::JournalInUse { .. } => "journal-in-use",
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        match language {
            Language::English => en::fault(self),
            Language::Portuguese => pt::fault(self),
        }
    }
}

impl ChatSaying {
    /// In words.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        if let Self::Said { name, text } = self {
            return alloc::vec![alloc::format!("{}: {}", visible(name), visible(text))];
        }
        let lines = match language {
            Language::English => en::saying(self),
            Language::Portuguese => pt::saying(self),
        };
        lines.into_iter().flat_map(|line| hung(&line)).collect()
    }
}

/// A line that is too long goes on below itself, under what stands behind its tag.
fn hung(line: &str) -> Vec<String> {
    if width(line) <= COLUMNS {
        return alloc::vec![line.into()];
    }
    // What stands behind the tag goes on below itself.
    let behind = line.find(']').map_or(0, |place| place + 1);
    let rest = line.get(behind..).unwrap_or_default().trim_start();
    let (head, _) = line.split_at(line.len() - rest.len());
    let indent = if head.is_empty() { 12 } else { width(head) };
    let mut lines = Vec::new();
    for (place, piece) in wrap(rest, COLUMNS - indent).into_iter().enumerate() {
        lines.push(match place {
            0 => alloc::format!("{head}{piece}"),
            _ => alloc::format!("{:indent$}{piece}", ""),
        });
    }
    lines
}

/// Why a message was not taken.
#[must_use]
pub fn refused(language: Language, why: Refused) -> String {
    match language {
        Language::English => en::refused(why),
        Language::Portuguese => pt::refused(why),
    }
}

/// The line with which somebody is sent away who wants something else, in both languages: nobody
/// knows which one it reads.
#[must_use]
pub fn wrong_port(what: Stranger) -> String {
    alloc::format!("{} / {}\n", en::wrong_port(what), pt::wrong_port(what))
}

/// A line for a person without a program of ours, whose own line was not taken.
#[must_use]
pub fn not_taken(language: Language, why: Refused) -> String {
    match language {
        Language::English => alloc::format!("(not taken: {})\n", en::refused(why)),
        Language::Portuguese => alloc::format!("(recusada: {})\n", pt::refused(why)),
    }
}

/// What was asked or granted, as fields.
fn fields(hello: aperto_app::hello::Hello, language: Language) -> String {
    Message::Hello(hello).fields(language)
}

fn asked(ask: &Ask, language: Language) -> String {
    fields(aperto_app::hello::Hello::Ask { session: 0, ask: ask.clone() }, language)
}

fn granted(terms: &Terms, language: Language) -> String {
    fields(aperto_app::hello::Hello::Grant { session: 0, terms: *terms }, language)
}

#[cfg(test)]
mod tests;
