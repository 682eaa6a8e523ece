//! What the program says beside the segments: where it listens, who came, what can be typed.
//!
//! Values with their numbers; each language an exhaustive `match`.

mod en;
mod pt;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_time::Duration;

use crate::Language;

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ended {
    /// Both sides closed.
    Closed,
    /// The peer reset it.
    Reset,
    /// The peer was silent for too long.
    Silent,
    /// The network said that there is no way.
    Unreachable,
    /// We gave it up.
    Aborted,
}

/// What the channel will do because somebody asked at the prompt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wish {
    /// Lose.
    Lose,
    /// Hold back.
    HoldBack(Duration),
    /// Damage.
    Damage,
    /// Double.
    Double,
}

/// How a protocol got back what was lost, for the table of `compare`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Recovered {
    /// Nothing was lost.
    NotNeeded,
    /// It did not.
    Never,
    /// Its timer resent what was missing.
    Timer,
    /// Its timer resent the one packet that was missing, and it could have resent more.
    TimerOnlyTheLost,
    /// Its timer resent the whole window.
    TimerWholeWindow,
    /// The receiver asked for it.
    Nack,
    /// Duplicate acknowledgments said so.
    DuplicateAcks,
}

/// What the program says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum Saying {
    /// A server waits, for this machine only.
    Listening { at: SocketAddr },
    /// A server waits for other machines, too, which reach it at these addresses.
    ListeningLan { at: SocketAddr, addresses: Vec<String> },
    /// A server waits behind a TUN device.
    ListeningTun { at: SocketAddr, device: String },
    /// What to type in another terminal.
    NextClient { host: String, port: u16, flags: String },
    /// A connection opened.
    Opened { label: String, peer: SocketAddr, connections: u64, port: u16 },
    /// A connection of a server ended.
    Ended { label: String, how: Ended, received: u64, sent: u64, connections: u64 },
    /// The client's handshake is over.
    HandshakeComplete { segments: u64, own_port: u16, server_port: u16 },
    /// The client's connection with the system's sockets is open.
    Connected { own_port: u16, server_port: u16 },
    /// What can be typed.
    Type,
    /// The client's connection is closed.
    ConnectionClosed { segments: u64, lost: u64, resent: u64, sent: u64 },
    /// The same, where nobody counted segments.
    Closed { how: Ended, received: u64, sent: u64 },
    /// How to keep a recording the next time.
    Keep { client: bool },
    /// What a server answers by default.
    Receipt { octets: u64 },
    /// What was read, and its hash.
    Hash { label: String, octets: u64, sha256: String },
    /// A file was written from what was received.
    SavedAs { label: String, file: String, octets: u64, sha256: String },
    /// A file was sent.
    SentFile { file: String, octets: u64, sha256: String },
    /// The next segments meet with this.
    Wished { wish: Wish, segments: u32 },
    /// The channel is perfect again.
    Calm,
    /// There is no segment with this number among those that are kept.
    NoSuchSegment { number: u32 },
    /// A segment that has no reason of ours: the peer sent it.
    NotOurs { number: u32 },
    /// A line that is no command.
    UnknownSlash { line: String },
    /// Whoever types has to say what to answer with: the channel is not ours.
    NoChannel,
    /// The commands.
    Help,
    /// A recording was written.
    Wrote { file: String, sent: u64, arrived: u64, comments: bool },
    /// How to open it.
    OpenWith { file: String },
    /// How to watch live.
    Live,
    /// A datagram that is nothing of ours.
    Foreign { from: SocketAddr, octets: u64 },
    /// One client too many.
    TooMany { peer: SocketAddr, limit: u64 },
    /// Only the unusual is told from here on.
    OnlyUnusual,
    /// The system's sockets: what went over the wire when it opened, likely.
    LikelyOpened,
    /// What went over the wire when it closed, likely.
    LikelyClosed,
    /// Text that arrived or left through the system's sockets.
    OsText { label: String, sent: bool, octets: u64, text: String },
    /// Nobody answered a datagram.
    NoDatagramAnswer { after: Duration },
    /// The user interrupted it.
    Interrupted,
    /// A transfer that is over: what arrived.
    Delivered { octets: u64, whole: bool, segments: u64, lost: u64, resent: u64 },
    /// Of which so many by each means.
    Recovery { by_timer: u64, by_acks: u64, seed: u64 },
    /// The command that would do it again.
    Repeat { command: String },
    /// What was compared, over which channel.
    Compared { octets: u64, packets: u64, rtt: Duration, timer: Duration, lost: Impaired },
    /// What TCP had to do besides, and what it did otherwise.
    TcpBesides { opening: Duration, initial_window: u32, window: u32 },
    /// What came of it through UDP, and where to look.
    UdpRead { text: String },
    /// Where to look.
    Diagrams,
    /// What is said of secrecy.
    Secure(super::secure::SecureSaying),
    /// What Selective Repeat would have done.
    SelectiveRepeatWould { sends: u64, lasted: Duration },
    /// The application called on one of the system's sockets; the label ends with a space if there is one.
    Socket { label: String, call: crate::sockets::SocketCall },
    /// A handshake is told in text.
    Told(super::told::Told),
    /// Of a session of a textbook protocol.
    Mode(super::modes::ModeSaying),
    /// File transfer.
    Transfer(super::transfer::TransferSaying),
    /// Of sealed datagrams.
    Seal(super::seal::SealSaying),
    /// A chat.
    Chat(super::chat::ChatSaying),
}

/// What the channel of a comparison does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Impaired {
    /// Nothing.
    Nothing,
    /// It loses one packet, counted from 1.
    OnePacket(u64),
    /// What these flags say.
    Flags(String),
}

impl Saying {
    /// In words: one line, or several.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        if let Self::Transfer(saying) = self {
            return saying.lines(language);
        }
        if let Self::Secure(saying) = self {
            return saying.lines(language);
        }
        if let Self::Told(told) = self {
            return told.lines(language);
        }
        if let Self::Seal(saying) = self {
            return saying.lines(language);
        }
        if let Self::Chat(saying) = self {
            return saying.lines(language);
        }
        if let Self::Mode(saying) = self {
            return saying.lines(language);
        }
        if let Self::Socket { label, call } = self {
            return alloc::vec![socket(language, label, *call)];
        }
        match language {
            Language::English => en::saying(self),
            Language::Portuguese => pt::saying(self),
        }
    }

    /// In words, where it is one line.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        self.lines(language).join(" ")
    }
}

/// A call on one of the system's sockets, whose segments nobody here sees.
fn socket(language: Language, label: &str, call: crate::sockets::SocketCall) -> String {
    use crate::sockets::{Effect, SocketCall};
    let effect = match call {
        SocketCall::Socket | SocketCall::Bind(_) | SocketCall::Listen => Effect::Nothing,
        _ => Effect::Likely,
    };
    let mut line = format!("{label}{}", crate::text::word(language, crate::text::Word::TagApp));
    crate::wording::pad(&mut line, crate::wording::width(label) + 12);
    let room = 80_usize.saturating_sub(crate::wording::width(&line));
    line.push_str(&crate::text::socket(language, call, effect).within(room));
    line
}

/// What stands before the place where one types.
#[must_use]
pub const fn prompt(language: Language, server: bool) -> &'static str {
    match (language, server) {
        (Language::English, false) => "you> ",
        (Language::English, true) => "server> ",
        (Language::Portuguese, false) => "voce> ",
        (Language::Portuguese, true) => "servidor> ",
    }
}

/// The heads of the table of `compare`.
#[must_use]
pub const fn comparison_heads(language: Language) -> [&'static str; 7] {
    match language {
        Language::English => {
            ["proto", "sends", "resends", "ACKs", "delivered", "all delivered in", "recovered by"]
        }
        Language::Portuguese => {
            ["proto", "envios", "reenvios", "ACKs", "entregue", "tudo entregue em", "recuperou-se por"]
        }
    }
}

/// `26 of 30`.
#[must_use]
pub fn some_of(language: Language, some: u64, all: u64) -> String {
    match language {
        Language::English => format!("{some} of {all}"),
        Language::Portuguese => format!("{some} de {all}"),
    }
}

/// How a protocol recovered, for the table of `compare`.
#[must_use]
pub const fn recovered(language: Language, how: Recovered) -> &'static str {
    match (language, how) {
        (_, Recovered::NotNeeded) => "--",
        (Language::English, Recovered::Never) => "(does not recover)",
        (Language::Portuguese, Recovered::Never) => "(não se recupera)",
        (_, Recovered::Timer) => "timer",
        (Language::English, Recovered::TimerOnlyTheLost) => "timer: only the lost one",
        (Language::Portuguese, Recovered::TimerOnlyTheLost) => "timer: só o perdido",
        (Language::English, Recovered::TimerWholeWindow) => "timer: the whole window",
        (Language::Portuguese, Recovered::TimerWholeWindow) => "timer: toda a janela",
        (_, Recovered::Nack) => "NACK",
        (Language::English, Recovered::DuplicateAcks) => "3 duplicate ACKs",
        (Language::Portuguese, Recovered::DuplicateAcks) => "3 ACKs repetidos",
    }
}

#[cfg(test)]
mod tests;
