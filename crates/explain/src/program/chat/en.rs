//! The chat in English.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use aperto_app::chat::decoder::Stranger;
use aperto_app::chat::frame::{Bye, Refused};
use aperto_app::chat::text::visible;

use super::{CannotSay, ChatFault, ChatSaying, asked, granted};
use crate::Language::English;
use crate::hello::refusal;
use crate::program::Notice;
use crate::quantity::duration;

pub(super) fn saying(saying: &ChatSaying) -> Vec<String> {
    let line = match saying {
        ChatSaying::Journal { file, messages, torn } => {
            let torn = if *torn > 0 { " · one that was never whole is cut off" } else { "" };
            format!("journal {file} · {} kept{torn}", count(*messages))
        }
        ChatSaying::NoJournal => {
            "journal none: a restarted server forgets what was said (--journal FILE keeps it)".to_string()
        }
        ChatSaying::Agreed { label, name, ask, terms, back } => {
            let (asked, granted) = (asked(ask, English), granted(terms, English));
            let who = format!("{} is in{}", visible(name), if *back { " again" } else { "" });
            return vec![
                format!("{label}[HELLO]     {who}"),
                format!("            asked   {asked}"),
                format!("            granted {}", if asked == granted { "the same" } else { &granted }),
            ];
        }
        ChatSaying::Missed { label, messages } => {
            format!("{label}[MISSED]    {} said meanwhile; they come now", count(*messages))
        }
        ChatSaying::Person { label, name } => {
            format!("{label}[PERSON]    {} types without a program of ours", visible(name))
        }
        ChatSaying::Said { .. } => String::new(),
        ChatSaying::Confirmed { id } => format!("[ACK]       message {id} is confirmed"),
        ChatSaying::Refused { label, name, id, why } => {
            let which = match (name.as_str(), *id) {
                ("", id) => format!("message {id} is not taken"),
                (name, 0) => format!("a line of {} is not taken", visible(name)),
                (name, id) => format!("message {id} of {} is not taken", visible(name)),
            };
            format!("{label}[NACK]      {which}: {}", refused(*why))
        }
        ChatSaying::CannotSay { why } => match why {
            CannotSay::TooLong { most } => {
                format!("            not sent: a message has at most {most} bytes here (ask with --max)")
            }
            CannotSay::TooMuch => "            not sent: too much waits for its confirmation".to_string(),
        },
        other => connection(other),
    };
    vec![line]
}

/// What becomes of a connection, and how things stand.
fn connection(saying: &ChatSaying) -> String {
    match saying {
        ChatSaying::Damaged { label } => {
            format!("{label}[DAMAGED]   a digest does not fit: asked for it again")
        }
        ChatSaying::Came { name } => format!("            {} came", visible(name)),
        ChatSaying::Left { name } => format!("            {} left", visible(name)),
        ChatSaying::Broken { attempt, of, after, why } => {
            let why = why.map_or_else(|| "the connection broke".to_string(), bye);
            format!("[BROKEN]    {why}; try {attempt} of {of} in {}", duration(English, *after))
        }
        ChatSaying::Back { name, again, another_room } => {
            let again = match again {
                0 => "nothing is missing".to_string(),
                some => format!("{} said again", count(*some)),
            };
            let room = if *another_room { " · the room began anew" } else { "" };
            format!("[BACK]      in again as {} · {again}{room}", visible(name))
        }
        ChatSaying::Forgotten { messages } => {
            format!("[MISSED]    {} are not kept any more", count(*messages))
        }
        ChatSaying::LetGo { label, why } => format!("{label}[LET GO]    {}", bye(*why)),
        ChatSaying::NotAgreed { label, why } => {
            format!("{label}[REFUSED]   {}", refusal(English, *why))
        }
        ChatSaying::Stranger { label, what } => {
            format!("{label}[IGNORED]   somebody {} here; it was told so", wants(*what))
        }
        ChatSaying::Standing { unconfirmed, is_in } => {
            let where_ = if *is_in { "in the room" } else { "not connected" };
            format!("            {where_} · {} not confirmed", count(*unconfirmed))
        }
        ChatSaying::RoomStands { messages, members } => {
            let members = if *members == 1 { "1 member".into() } else { format!("{members} members") };
            format!("            {members} · {} confirmed", count(*messages))
        }
        // The others have their words above.
        _ => String::new(),
    }
}

fn count(messages: u64) -> String {
    if messages == 1 { "1 message".into() } else { format!("{messages} messages") }
}

pub(super) fn refused(why: Refused) -> String {
    match why {
        Refused::TooLarge { most } => format!("it is longer than {most} bytes"),
        Refused::TooFast { wait } => {
            format!("too many in a row, 20 a second are allowed; wait {}", duration(English, wait))
        }
        Refused::Empty => "it is empty".into(),
        Refused::NotText => "it is no text".into(),
        Refused::Before => "it was refused before".into(),
        Refused::Other(code) => format!("reason {code}"),
    }
}

fn bye(why: Bye) -> String {
    match why {
        Bye::Leaving => "left".into(),
        Bye::Closing => "the room closes".into(),
        Bye::TooSlow => "too slow: more than 1 MiB behind".into(),
        Bye::Flood => "went on and on after being told to wait".into(),
        Bye::Idle => "5 minutes of silence".into(),
        Bye::Unfinished => "began something and did not end it in time".into(),
        Bye::Protocol => "spoke what the protocol does not allow".into(),
        Bye::Replaced => "came back on another connection".into(),
        Bye::Full => "there are too many already".into(),
        Bye::Other(code) => format!("reason {code}"),
    }
}

const fn wants(what: Stranger) -> &'static str {
    match what {
        Stranger::Http => "speaks HTTP",
        Stranger::Tls => "speaks TLS",
        Stranger::Ssh => "speaks SSH",
        Stranger::Unknown => "sends octets that are no chat",
    }
}

pub(super) const fn wrong_port(what: Stranger) -> &'static str {
    match what {
        Stranger::Http => "this port speaks aperto chat; you sent HTTP",
        Stranger::Tls => "this port speaks aperto chat; you sent TLS",
        Stranger::Ssh => "this port speaks aperto chat; you sent SSH",
        Stranger::Unknown => "this port speaks aperto chat; you sent something else",
    }
}

pub(super) fn fault(fault: &ChatFault) -> Notice {
    match fault {
        ChatFault::NotAgreed { remote, why } => {
            Notice::new(format!("{remote} refuses: {}", refusal(English, *why)))
                .line("ask for something else:  --integrity none|digest   --max 1000")
        }
        ChatFault::Unfair { remote } => Notice::new(format!("{remote} granted what was not asked for"))
            .line("it does not keep to the protocol; nothing was said"),
        ChatFault::Stranger { remote, what } => {
            let what = match what {
                Stranger::Http => "it speaks HTTP",
                Stranger::Tls => "it speaks TLS",
                Stranger::Ssh => "it speaks SSH",
                Stranger::Unknown => "it speaks something else",
            };
            Notice::new(format!("{remote} is no chat: {what}"))
                .line("start one there:  aperto server --chat       or talk without --chat")
        }
        ChatFault::Echo { remote } => Notice::new(format!("{remote} is no chat: it sends back what it gets"))
            .line("start one there:  aperto server --chat       or talk without --chat"),
        ChatFault::Silent { remote } => Notice::new(format!("{remote} did not answer HELLO within 10 s"))
            .line("start a chat there:  aperto server --chat    or talk without --chat"),
        ChatFault::GaveUp { remote, tries, unconfirmed } => {
            Notice::new(format!("{remote} did not come back: {tries} tries"))
                .line(format!("{} not confirmed", count(*unconfirmed)))
        }
        ChatFault::LetGo { remote, why } => Notice::new(format!("{remote} ended the chat: {}", bye(*why)))
            .line("run the command again to come back"),
        ChatFault::Unconfirmed { messages } => Notice::new(format!("{} not confirmed", count(*messages)))
            .line("the room did not answer in time; nobody knows whether it heard them"),
        ChatFault::NotTaken { messages } => Notice::new(format!("{} not taken", count(*messages)))
            .line("the reason stands beside each [NACK]"),
        ChatFault::NotAJournal { file } => Notice::new(format!("{file} is no journal of a chat"))
            .line("name a file that does not exist yet, or one that --journal wrote"),
        ChatFault::JournalDamaged { file, at } => Notice::new(format!("{file} is damaged at byte {at}"))
            .line(format!("to go on without what follows:  truncate -s {at} {file}")),
        ChatFault::JournalInUse { file } => {
            Notice::new(format!("another server writes {file}")).line("end that server, or name another file")
        }
    }
}
