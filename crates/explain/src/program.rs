//! What the program says of itself: why it could not do what was asked, and what to type instead.
//!
//! A [`Fault`] is a value with its numbers; [`Fault::notice`] makes sentences of it, in either
//! language: one headline, then why it happened, with the rule where there is one, then what to
//! type. Its [`Exit`] is the code with which the program ends.
//!
//! Left out: what a segment means (`text`), and the help of each flag, which stands beside the flag.

pub mod bench;
pub mod chat;
pub mod claims;
pub mod doctor;
mod en;
pub mod integrity;
pub mod modes;
pub mod ports;
mod pt;
pub mod saying;
pub mod seal;
pub mod secure;
pub mod told;
pub mod tools;
pub mod transfer;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use aperto_time::Duration;

use crate::Language;
use crate::rule::{Citation, Rule};
use crate::wording::{spread, width, wrap};

/// How many columns an error takes at most.
const COLUMNS: usize = 80;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Exit {
    /// It did what was asked; what was sent arrived.
    Done,
    /// It ran, but what was expected did not happen.
    Failed,
    /// It was called wrongly.
    Usage,
    /// The peer refused, or reset.
    Refused,
    /// The peer was silent for too long.
    TimedOut,
    /// It cannot be done here: rights, a taken port, an address of somebody else.
    NotHere,
    /// What it should read is not what it should be.
    Unreadable,
    /// The peer spoke something else.
    Foreign,
    /// The user interrupted it.
    Interrupted,
}

impl Exit {
    /// The code that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::TimedOut => 4,
            Self::NotHere => 5,
            Self::Unreadable => 6,
            Self::Foreign => 7,
            Self::Interrupted => 130,
        }
    }
}

/// What a file is that is not a capture, as far as its beginning tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LooksLike {
    /// Nothing: it is empty.
    Empty,
    /// A zip file, and so also a document of an office program.
    Zip,
    /// A PDF document.
    Pdf,
    /// A picture.
    Picture,
    /// A gzip file.
    Gzip,
    /// A program.
    Program,
    /// Text.
    Text,
    /// None of these.
    Unknown,
}

/// What is the matter with a file.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum FileTrouble {
    /// There is none, or no such folder.
    Missing,
    /// Not allowed.
    Denied,
    /// It is a folder.
    Folder,
    /// It is larger than this many MiB.
    TooLarge(u64),
    /// There is no room left.
    Full,
    /// What the system says.
    Other(String),
}

/// Why a quantity is refused, where a user would not guess it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BadQuantity {
    /// No unit, and more than one would be possible.
    NoUnit,
    /// A unit that is none of ours.
    UnknownUnit,
    /// Not a number at all.
    NotANumber,
    /// Negative.
    Negative,
    /// More digits than can be told apart.
    TooFine,
    /// Larger than it can be.
    TooLarge,
    /// Zero, where zero would never end.
    Zero,
}

/// What kind of quantity was expected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Quantity {
    /// A time.
    Duration,
    /// A speed.
    Rate,
    /// A share.
    Share,
    /// A number of octets.
    Size,
}

/// Why a pick is refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum BadPick {
    /// Neither a number nor a kind.
    UnknownKind,
    /// A number was expected.
    NotANumber,
    /// Segments are counted from one.
    Zero,
    /// `7-5`.
    Backwards,
    /// `--delay data:2` says not how long.
    NoTime,
    /// `--drop data:2=3ms`: a time belongs to `--delay`.
    ATime,
}

/// Why a connection ended before its time, or was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefusedBy {
    /// The peer's TCP answered the SYN with a reset.
    Reset,
    /// The peer's host answered that nobody has the port.
    PortUnreachable,
    /// The operating system said so, and not how it came to know.
    System,
}

/// Why the program could not do what was asked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Fault {
    /// A word where a command should be.
    UnknownCommand { word: String, nearest: Option<String> },
    /// A flag that does not exist, or not here.
    UnknownFlag { flag: String, nearest: Option<String> },
    /// A word too many.
    UnexpectedWord { word: String },
    /// A flag without its value.
    MissingValue { flag: String },
    /// A flag with a value that takes none.
    UnexpectedValue { flag: String },
    /// Something that must be there is not.
    MissingArguments { names: Vec<String>, command: String },
    /// A value that is not one of the possible ones.
    NotAChoice { flag: String, value: String, choices: Vec<String>, nearest: Option<String> },
    /// Two flags that exclude each other.
    Conflict { first: String, second: String },
    /// A flag more often than it may be.
    Repeated { flag: String },
    /// A flag that would do nothing here.
    NoEffect { flag: String, because: NoEffect },
    /// A number that is none, or is out of range.
    BadNumber { flag: String, value: String, from: u64, to: u64 },
    /// A quantity that is none, or means more than one thing.
    BadQuantity { flag: String, value: String, quantity: Quantity, why: BadQuantity },
    /// A pick that is none.
    BadPick { flag: String, value: String, why: BadPick },
    /// An address that is none.
    BadAddress { value: String },
    /// A host name that nobody knows.
    UnknownHost { name: String },
    /// A text that is not Unicode.
    NotUnicode { value: String },
    /// Initial sequence numbers that are none.
    BadIsn { value: String },
    /// A recording whose name does not say its format.
    UnknownFormat { file: String },
    /// A line of a configuration file.
    BadConfig { file: String, line: usize, key: String, why: BadConfig },
    /// Nobody listens there.
    Refused { remote: SocketAddr, by: RefusedBy, same_machine: bool },
    /// The peer reset an open connection.
    ResetByPeer { remote: SocketAddr },
    /// Nobody answered.
    NoAnswer { remote: SocketAddr, after: Duration },
    /// The time that the user gave is over.
    TimeIsUp { after: Duration },
    /// An open connection was silent for too long.
    SilentPeer { remote: SocketAddr },
    /// The network says that there is no way.
    Unreachable { remote: SocketAddr },
    /// Somebody else has the port.
    PortTaken { port: u16, holder: Option<(String, u32)> },
    /// An address of another machine, or of none.
    AddressNotOurs { address: IpAddr },
    /// An address that others can reach needs `--lan`.
    NeedsLan { address: IpAddr, port: u16 },
    /// A TUN device needs rights.
    NeedsTunRights { command: String },
    /// There is no TUN device here.
    NoTunDevice,
    /// A low port needs rights.
    NeedsPortRights { port: u16 },
    /// The kernel would answer for our address.
    KernelOwnsAddress { address: IpAddr, interface: String },
    /// Any other failure of the system.
    System { what: String },
    /// A file that cannot be read at all.
    CannotRead { file: String, why: FileTrouble },
    /// A file that cannot be written.
    CannotWrite { file: String, why: FileTrouble },
    /// A file that is not a capture.
    NotACapture { file: String, looks_like: LooksLike },
    /// A recording that ends in the middle, or is damaged there.
    Broken { file: String, at: u64, packets: u64 },
    /// A recording of a later version, or one that cannot be understood.
    BadRecording { file: String, line: usize, why: String },
    /// What came was nothing of ours.
    ForeignPeer { from: SocketAddr, octets: u64 },
    /// Not everything that was sent arrived.
    NotDelivered { delivered: u64, of: u64 },
    /// A simulated run that does not end.
    Endless { packets: u64 },
    /// A command that works on recordings.
    Tool(tools::ToolFault),
    /// A handshake told in text that went wrong.
    Told(told::ToldWrong),
    /// What sessions of the textbook protocols could not do.
    Mode(modes::ModeFault),
    /// No secrecy, or not any more.
    Secure(secure::SecureFault),
    /// File transfer.
    Transfer(transfer::TransferFault),
    /// No keys for sealed datagrams.
    Seal(seal::SealFault),
    /// What a chat could not do.
    Chat(chat::ChatFault),
}

/// Why a flag would do nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoEffect {
    /// The operating system's own sockets have no channel of ours.
    NoChannelOfOurs,
    /// Only TCP has it.
    OnlyTcp,
    /// Only a textbook protocol has it.
    OnlyTextbook,
    /// Only this scene has it.
    OnlyScene(&'static str),
    /// Only the tunnel or TUN can record packets.
    NoPackets,
    /// A client sends to one server.
    OnlyServer,
    /// A channel in the real world has its own delay and cannot be faster.
    OnlySimulated,
    /// Only a recording has it.
    OnlyRecorded,
    /// Only the command without a scene has it.
    OnlyBare,
    /// It needs this other flag.
    Needs(&'static str),
}

/// What is wrong in a configuration file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BadConfig {
    /// A key that does not exist.
    UnknownKey,
    /// A value that is none of the possible ones.
    BadValue,
    /// Not TOML.
    Syntax,
}

/// A fault in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What happened.
    pub headline: String,
    /// Why, and what to type; each with the rule behind it, if there is one.
    pub details: Vec<(String, Option<Rule>)>,
}

impl Notice {
    fn new(headline: impl Into<String>) -> Self {
        Self { headline: headline.into(), details: Vec::new() }
    }

    fn line(mut self, text: impl Into<String>) -> Self {
        self.details.push((text.into(), None));
        self
    }

    fn ruled(mut self, text: impl Into<String>, rule: Rule) -> Self {
        self.details.push((text.into(), Some(rule)));
        self
    }
}

impl Fault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::UnknownCommand { .. }
            | Self::UnknownFlag { .. }
            | Self::UnexpectedWord { .. }
            | Self::MissingValue { .. }
            | Self::UnexpectedValue { .. }
            | Self::MissingArguments { .. }
            | Self::NotAChoice { .. }
            | Self::Conflict { .. }
            | Self::Repeated { .. }
            | Self::NoEffect { .. }
            | Self::BadNumber { .. }
            | Self::BadQuantity { .. }
            | Self::BadPick { .. }
            | Self::BadAddress { .. }
            | Self::NotUnicode { .. }
            | Self::BadIsn { .. }
            | Self::UnknownFormat { .. }
            | Self::NeedsLan { .. }
            | Self::BadConfig { .. } => Exit::Usage,
            Self::Refused { .. } | Self::ResetByPeer { .. } => Exit::Refused,
            Self::NoAnswer { .. } | Self::TimeIsUp { .. } | Self::SilentPeer { .. } => Exit::TimedOut,
            Self::UnknownHost { .. }
            | Self::Unreachable { .. }
            | Self::PortTaken { .. }
            | Self::AddressNotOurs { .. }
            | Self::NeedsTunRights { .. }
            | Self::NoTunDevice
            | Self::NeedsPortRights { .. }
            | Self::KernelOwnsAddress { .. }
            | Self::System { .. }
            | Self::CannotWrite { .. } => Exit::NotHere,
            Self::CannotRead { .. }
            | Self::NotACapture { .. }
            | Self::Broken { .. }
            | Self::BadRecording { .. } => Exit::Unreadable,
            Self::ForeignPeer { .. } => Exit::Foreign,
            Self::NotDelivered { .. } | Self::Endless { .. } => Exit::Failed,
            Self::Tool(fault) => fault.exit(),
            Self::Told(wrong) => wrong.exit(),
            Self::Mode(fault) => fault.exit(),
            Self::Secure(fault) => fault.exit(),
            Self::Transfer(fault) => fault.exit(),
            Self::Seal(fault) => fault.exit(),
            Self::Chat(fault) => fault.exit(),
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownCommand { .. } => "unknown-command",
            Self::UnknownFlag { .. } => "unknown-flag",
            Self::UnexpectedWord { .. } => "unexpected-word",
            Self::MissingValue { .. } => "missing-value",
            Self::UnexpectedValue { .. } => "unexpected-value",
            Self::MissingArguments { .. } => "missing-arguments",
            Self::NotAChoice { .. } => "not-a-choice",
            Self::Conflict { .. } => "conflict",
            Self::Repeated { .. } => "repeated",
            Self::NoEffect { .. } => "no-effect",
            Self::BadNumber { .. } => "bad-number",
            Self::BadQuantity { .. } => "bad-quantity",
            Self::BadPick { .. } => "bad-pick",
            Self::BadAddress { .. } => "bad-address",
            Self::UnknownHost { .. } => "unknown-host",
            Self::NotUnicode { .. } => "not-unicode",
            Self::BadIsn { .. } => "bad-isn",
            Self::UnknownFormat { .. } => "unknown-format",
            Self::BadConfig { .. } => "bad-config",
            Self::Refused { .. } => "refused",
            Self::ResetByPeer { .. } => "reset",
            Self::NoAnswer { .. } => "no-answer",
            Self::TimeIsUp { .. } => "time-is-up",
            Self::SilentPeer { .. } => "silent-peer",
            Self::Unreachable { .. } => "unreachable",
            Self::PortTaken { .. } => "port-taken",
            Self::AddressNotOurs { .. } => "address-not-ours",
            Self::NeedsLan { .. } => "needs-lan",
            Self::NeedsTunRights { .. } => "needs-tun-rights",
            Self::NoTunDevice => "no-tun-device",
            Self::NeedsPortRights { .. } => "needs-port-rights",
            Self::KernelOwnsAddress { .. } => "kernel-owns-address",
            Self::System { .. } => "system",
            Self::CannotRead { .. } => "cannot-read",
            Self::CannotWrite { .. } => "cannot-write",
            Self::NotACapture { .. } => "not-a-capture",
            Self::Broken { .. } => "broken",
            Self::BadRecording { .. } => "bad-recording",
            Self::ForeignPeer { .. } => "foreign-peer",
            Self::NotDelivered { .. } => "not-delivered",
            Self::Endless { .. } => "endless",
            Self::Tool(fault) => fault.code(),
            Self::Told(wrong) => wrong.mistake.code(),
            Self::Mode(fault) => fault.code(),
            Self::Secure(fault) => fault.code(),
            Self::Transfer(fault) => fault.code(),
            Self::Seal(fault) => fault.code(),
            Self::Chat(fault) => fault.code(),
        }
    }

    /// The fault in words.
    #[must_use]
    pub fn notice(&self, language: Language) -> Notice {
        if let Self::Secure(fault) = self {
            return fault.notice(language);
        }
        if let Self::Tool(fault) = self {
            return fault.notice(language);
        }
        if let Self::Transfer(fault) = self {
            return fault.notice(language);
        }
        if let Self::Told(wrong) = self {
            return wrong.notice(language);
        }
        if let Self::Seal(fault) = self {
            return fault.notice(language);
        }
        if let Self::Chat(fault) = self {
            return fault.notice(language);
        }
        if let Self::Mode(fault) = self {
            return fault.notice(language);
        }
        match language {
            Language::English => en::fault(self),
            Language::Portuguese => pt::fault(self),
        }
    }

    /// The lines that a user sees: `error: ...`, with the exit code at the right.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        let notice = self.notice(language);
        let code = self.exit().code();
        let (word, ending) = match language {
            Language::English => ("error", format!("(exit {code})")),
            Language::Portuguese => ("erro", format!("(saída {code})")),
        };
        let mut lines = wrap(&format!("{word}: {}", notice.headline), COLUMNS);
        let last = lines.pop().unwrap_or_default();
        lines.extend(spread(&last, &ending, COLUMNS));
        for (text, rule) in &notice.details {
            let right = rule.map_or_else(String::new, |rule| rule.cite(Citation::Whole));
            let mut text = wrapped(text);
            let last = text.pop().unwrap_or_default();
            lines.extend(text);
            lines.extend(spread(&last, &right, COLUMNS));
        }
        lines
    }
}

/// A detail in as many lines as it needs; one that fits keeps its spaces.
fn wrapped(text: &str) -> Vec<String> {
    if width(text) + 2 <= COLUMNS {
        return alloc::vec![format!("  {text}")];
    }
    wrap(text, COLUMNS - 2).into_iter().map(|line| format!("  {line}")).collect()
}

/// `a, b or c`.
fn list(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., tail] => format!("{} {last} {tail}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests;
