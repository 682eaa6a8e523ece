//! What is said of handshakes told in text: each message with its arithmetic, and each mistake.
//!
//! A [`Mistake`] is said to two people: to whoever made it, over the wire, and to whoever runs this
//! program, of the other side ([`Whose`]). Each language is an exhaustive `match` in a file of its own.

mod en;
mod pt;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_app::text::{COMPLAINTS, Dialect, Message, Mistake, Role};
use aperto_time::Duration;

use super::{Exit, Notice};
use crate::Language;
use crate::rule::Rule;
use crate::wording::width;

/// How many columns a line takes at most.
const COLUMNS: usize = 80;

/// Whose mistake it is, as the reader sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The reader's own.
    Yours,
    /// The peer's, who is there.
    Theirs(SocketAddr),
}

/// A conversation in text that went wrong.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ToldWrong {
    /// Who spoke.
    pub remote: SocketAddr,
    /// What was wrong.
    pub mistake: Mistake,
}

impl ToldWrong {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self.mistake {
            Mistake::Silent { .. } => Exit::TimedOut,
            _ => Exit::Foreign,
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        let notice = Notice::new(sentence(language, &self.mistake, Whose::Theirs(self.remote)));
        let advice = match language {
            Language::English => en::advice(&self.mistake),
            Language::Portuguese => pt::advice(&self.mistake),
        };
        match (advice, &self.mistake) {
            (Some(text), Mistake::Ack { .. } | Mistake::Seq { .. } | Mistake::TooLarge { .. }) => {
                notice.ruled(text, Rule::tcp("3.4"))
            }
            (Some(text), _) => notice.line(text),
            (None, _) => notice,
        }
    }
}

/// A mistake in one sentence.
#[must_use]
pub fn sentence(language: Language, mistake: &Mistake, whose: Whose) -> String {
    match language {
        Language::English => en::mistake(mistake, whose),
        Language::Portuguese => pt::mistake(mistake, whose),
    }
}

/// The line with which the other side is told its mistake, in English.
#[must_use]
pub fn complaint_in_english(mistake: &Mistake) -> String {
    format!("{}{}", COMPLAINTS[0], sentence(Language::English, mistake, Whose::Yours))
}

/// The line with which the other side is told its mistake, in Portuguese.
#[must_use]
pub fn complaint_in_portuguese(mistake: &Mistake) -> String {
    format!("{}{}", COMPLAINTS[1], sentence(Language::Portuguese, mistake, Whose::Yours))
}

/// What is said while a handshake is told.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Told {
    /// How a person does it by hand, and how long each turn lasts.
    ByHand { at: SocketAddr, dialect: Dialect, first: u32, patience: Duration },
    /// A message went out, or came; `by` is who wrote it. The label ends with a space if there is one.
    Message { label: String, sent: bool, by: Role, text: String, message: Message },
    /// Both sides know that the other one hears them; the numbers that client and server count from.
    Complete { label: String, dialect: Dialect, messages: usize, firsts: [u32; 2] },
    /// Everything was said.
    Over { label: String, messages: usize },
    /// It went wrong; the server goes on with others.
    Wrong { label: String, wrong: ToldWrong },
}

impl Told {
    /// In words.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        match language {
            Language::English => en::told(self),
            Language::Portuguese => pt::told(self),
        }
    }
}

/// A line with a remark at its right, or below it where there is no room.
fn remarked(line: String, remark: &str) -> Vec<String> {
    let column = if width(&line) < 36 { 38 } else { width(&line) + 2 };
    if column + width(remark) <= COLUMNS {
        let blanks = column - width(&line);
        return alloc::vec![format!("{line}{:blanks$}{remark}", "")];
    }
    alloc::vec![line, format!("            {remark}")]
}

/// What is acknowledged is the number before.
const fn before(number: u32) -> u32 {
    number.wrapping_sub(1)
}

#[cfg(test)]
mod tests;
