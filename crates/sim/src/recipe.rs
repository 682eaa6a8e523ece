//! Everything about a run, as a value: protocol, channel, picks, hosts, applications, seed.
//!
//! One recipe gives one trace, octet for octet, on every machine. A "what if" is the same recipe
//! with one more pick.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use aperto_app::{Machine, Script, script::Step};
use aperto_wire::SeqNumber;

use crate::channel::picks::{Counting, Pick, Picks};
use crate::channel::{Corruption, Direction, Framing, Impairments, Preset, Settings};
use crate::quantity::{AsWritten, Probability};

/// What is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// Stop-and-wait.
    StopAndWait,
    /// Go-Back-N.
    GoBackN,
    /// Selective Repeat.
    SelectiveRepeat,
}

impl Protocol {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 5] =
        [Self::Tcp, Self::Udp, Self::StopAndWait, Self::GoBackN, Self::SelectiveRepeat];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::StopAndWait => "saw",
            Self::GoBackN => "gbn",
            Self::SelectiveRepeat => "sr",
        }
    }

    /// The protocol with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Which textbook protocol it is, if it is one.
    #[must_use]
    pub const fn textbook(self) -> Option<aperto_arq::Protocol> {
        match self {
            Self::Tcp | Self::Udp => None,
            Self::StopAndWait => Some(aperto_arq::Protocol::StopAndWait),
            Self::GoBackN => Some(aperto_arq::Protocol::GoBackN),
            Self::SelectiveRepeat => Some(aperto_arq::Protocol::SelectiveRepeat),
        }
    }
}

/// Initial sequence numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Isn {
    /// These, as on paper: `--isn 1234,1567`.
    Fixed {
        /// Of who opens actively.
        client: SeqNumber,
        /// Of who opens passively.
        server: SeqNumber,
    },
    /// By RFC 6528, from a secret that the seed gives.
    FromSeed,
}

/// Something that a host opens.
#[derive(Clone, Debug)]
pub struct Opening {
    /// When.
    pub at: Duration,
    /// From which port; 0 for one that the host chooses.
    pub local_port: u16,
    /// To which host: its place among the recipe's, the server being the last.
    pub remote_port: u16,
    /// What it does there.
    pub application: Machine,
}

/// Something that a host offers.
#[derive(Clone, Debug)]
pub struct Service {
    /// On which port.
    pub port: u16,
    /// How many connections may wait to be accepted.
    pub backlog: usize,
    /// What it does with each.
    pub application: Machine,
}

/// One host.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// The largest IP packet, in octets.
    pub mtu: usize,
    /// The settings of its connections.
    pub tcp: aperto_tcp::Config,
    /// What it opens, to the other side.
    pub openings: Vec<Opening>,
    /// What it offers.
    pub services: Vec<Service>,
}

/// When a run is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Stop {
    /// When nothing is left to happen but the end of TIME-WAIT.
    #[default]
    Quiet,
    /// When nothing is left to happen at all.
    Empty,
    /// At this time.
    At(Duration),
}

/// Everything about a run.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What luck is drawn from.
    pub seed: u64,
    /// What is spoken.
    pub protocol: Protocol,
    /// What the channel does from client to server.
    pub up: Impairments,
    /// What it does from server to client.
    pub down: Impairments,
    /// What happens to single segments.
    pub picks: Picks,
    /// From which number `data:N` counts, if not as [`Recipe::counting`] would say.
    pub counting: Option<Counting>,
    /// Initial sequence numbers.
    pub isn: Isn,
    /// Who opens. Each has a line of its own to the server.
    pub clients: Vec<Side>,
    /// Who waits.
    pub server: Side,
    /// Textbook protocols: window, payload, timer and the rest. UDP: the payload of a datagram.
    pub textbook: aperto_arq::Config,
    /// Textbook protocols and UDP: what the client says.
    pub message: Vec<u8>,
    /// Textbook protocols: the longest message, in octets; what the client says is cut into such.
    pub longest_message: Option<u32>,
    /// Textbook protocols and UDP: the least time between two packets of one sender.
    pub spacing: Duration,
    /// What protects packets between the hosts and the channel.
    pub sealing: Sealing,
    /// When it is over.
    pub stop: Stop,
}

/// What protects packets below the protocol that sends them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sealing {
    /// Nothing but its own checksum.
    #[default]
    None,
    /// Each packet is sealed by itself (`aperto-seal`): what was damaged or forged is dropped.
    Aead,
}

/// Where everybody's server listens.
pub const SERVER_PORT: u16 = 7000;
/// The first port that a client gets.
pub const CLIENT_PORT: u16 = 49152;

impl Side {
    /// A client at 10.0.0.1 that opens nothing yet.
    #[must_use]
    pub fn client() -> Self {
        Self::new("client", Ipv4Addr::new(10, 0, 0, 1).into())
    }

    /// A server at 10.0.0.2 that offers nothing yet.
    #[must_use]
    pub fn server() -> Self {
        Self::new("server", Ipv4Addr::new(10, 0, 0, 2).into())
    }

    /// A host with classroom settings.
    #[must_use]
    pub fn new(name: &str, address: IpAddr) -> Self {
        Self {
            name: name.to_string(),
            address,
            mtu: 1500,
            tcp: aperto_tcp::Config::classroom(),
            openings: Vec::new(),
            services: Vec::new(),
        }
    }

    /// Opens a connection to the usual port at time zero.
    #[must_use]
    pub fn opening(self, application: Machine) -> Self {
        self.opening_at(Duration::ZERO, application)
    }

    /// Opens a connection to the usual port at this time.
    #[must_use]
    pub fn opening_at(mut self, at: Duration, application: Machine) -> Self {
        self.openings.push(Opening { at, local_port: 0, remote_port: SERVER_PORT, application });
        self
    }

    /// Offers this on the usual port.
    #[must_use]
    pub fn offering(mut self, application: Machine) -> Self {
        self.services.push(Service { port: SERVER_PORT, backlog: 128, application });
        self
    }
}

/// Why a recipe cannot be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecipeError {
    /// The textbook protocol cannot work with its settings.
    Textbook(aperto_arq::ConfigError),
    /// The message is longer than the textbook protocol's queue.
    MessageTooLong,
    /// A pick that can match nothing: segments are counted from 1 here.
    PickCountsFromOne(Pick),
    /// Nobody opens anything.
    NoClient,
    /// More clients than a trace has names for.
    TooManyClients,
    /// Client and server have addresses of different IP versions, or the same.
    Addresses,
    /// A host would not open or listen; the text is the host's.
    Host(String),
}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Textbook(error) => error.fmt(f),
            Self::MessageTooLong => f.write_str("the message is longer than the sender's queue"),
            Self::PickCountsFromOne(pick) => {
                write!(f, "{} {pick}: segments are counted from 1", pick.action.flag())
            }
            Self::NoClient => f.write_str("nobody opens anything"),
            Self::TooManyClients => f.write_str("more than 200 clients"),
            Self::Addresses => f.write_str("client and server need different addresses of one IP version"),
            Self::Host(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for RecipeError {}

impl Recipe {
    /// One client, one server, the perfect channel, and nothing that happens.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        let (up, down) = Preset::Perfect.impairments();
        let mut textbook =
            aperto_arq::Config::new(protocol.textbook().unwrap_or(aperto_arq::Protocol::GoBackN));
        if protocol.textbook().is_none() {
            textbook.window_packets = 1;
        }
        Self {
            seed: 1,
            protocol,
            up,
            down,
            picks: Picks::new(),
            counting: None,
            isn: Isn::Fixed { client: SeqNumber::new(1234), server: SeqNumber::new(1567) },
            clients: alloc::vec![Side::client()],
            server: Side::server(),
            textbook,
            message: Vec::new(),
            longest_message: None,
            spacing: Duration::from_millis(1),
            sealing: Sealing::None,
            stop: Stop::Quiet,
        }
    }

    /// From which number picks of a kind count: TCP segments have no number of their own, so the
    /// first is 1; the packets of the others are numbered from 0.
    #[must_use]
    pub fn counting(&self) -> Counting {
        self.counting.unwrap_or(match self.protocol {
            Protocol::Tcp => Counting::FromOne,
            Protocol::Udp | Protocol::StopAndWait | Protocol::GoBackN | Protocol::SelectiveRepeat => {
                Counting::FromZero
            }
        })
    }

    /// The same, over another channel.
    pub fn set_channel(&mut self, preset: Preset) {
        (self.up, self.down) = preset.impairments();
    }

    /// The impairments of both directions or of one.
    pub fn impair(&mut self, direction: Option<Direction>, mut change: impl FnMut(&mut Impairments)) {
        if direction != Some(Direction::Down) {
            change(&mut self.up);
        }
        if direction != Some(Direction::Up) {
            change(&mut self.down);
        }
    }

    /// What frames begin with.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        let sealed = matches!(self.sealing, Sealing::Aead);
        if self.protocol.textbook().is_some() && !sealed { Framing::Textbook } else { Framing::Ip }
    }

    /// The channel between one of the clients and the server.
    #[must_use]
    pub fn channel(&self, client: usize) -> Settings {
        Settings {
            // Each line has luck of its own.
            seed: self.seed ^ (client as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            framing: self.framing(),
            up: self.up.clone(),
            down: self.down.clone(),
            picks: self.picks.clone(),
        }
    }

    /// Whether it can be run at all.
    ///
    /// # Errors
    ///
    /// The first reason why not.
    pub fn check(&self) -> Result<(), RecipeError> {
        if let Some(protocol) = self.protocol.textbook() {
            self.textbook.check(protocol).map_err(RecipeError::Textbook)?;
        }
        if let Some(pick) = self.picks.matches_nothing(self.counting()) {
            return Err(RecipeError::PickCountsFromOne(pick));
        }
        if self.clients.is_empty() {
            return Err(RecipeError::NoClient);
        }
        if self.clients.len() > 200 {
            return Err(RecipeError::TooManyClients);
        }
        let mut addresses: Vec<IpAddr> = self.clients.iter().map(|side| side.address).collect();
        addresses.push(self.server.address);
        let one_version = addresses.iter().all(|address| address.is_ipv4() == self.server.address.is_ipv4());
        let count = addresses.len();
        addresses.sort_unstable();
        addresses.dedup();
        if !one_version || addresses.len() < count {
            return Err(RecipeError::Addresses);
        }
        Ok(())
    }

    /// What the channel does to packets, as the flags that would ask for it.
    #[must_use]
    pub fn flags(&self) -> String {
        let mut flags = Flags { text: String::new() };
        for (direction, impairments) in [(Direction::Up, &self.up), (Direction::Down, &self.down)] {
            if self.up == self.down {
                if direction == Direction::Up {
                    flags.impairments("", impairments);
                }
            } else {
                flags.impairments(if direction == Direction::Up { "up:" } else { "down:" }, impairments);
            }
        }
        for pick in self.picks.iter() {
            flags.push(&format!("{} {pick}", pick.action.flag()));
        }
        flags.text
    }
}

/// Flags, one after the other.
struct Flags {
    text: String,
}

impl Flags {
    fn push(&mut self, flag: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(flag);
    }

    fn impairments(&mut self, direction: &str, impairments: &Impairments) {
        let shares = [
            ("--loss", impairments.loss),
            ("--dup", impairments.duplication),
            ("--reorder", impairments.reordering),
            ("--corrupt", impairments.corruption),
        ];
        if !impairments.jitter.is_zero() {
            self.push(&format!("--jitter {direction}{}", AsWritten(impairments.jitter)));
        }
        for (flag, share) in shares {
            if share != Probability::ZERO {
                self.push(&format!("{flag} {direction}{share}"));
            }
        }
        if impairments.checksum == Corruption::RepairsChecksum {
            self.push("--fix-checksum");
        }
        if let Some(rate) = impairments.rate {
            self.push(&format!("--rate {direction}{rate}"));
            if impairments.queue != Impairments::QUEUE {
                self.push(&format!("--queue {direction}{}", impairments.queue));
            }
        }
    }
}

/// A script that writes one text, waits for as many octets of answer, and closes.
#[must_use]
pub fn says_and_closes(text: &str, answer_octets: u64) -> Machine {
    Machine::Script(Script::new(alloc::vec![
        Step::Write(text.as_bytes().to_vec()),
        Step::UntilReceived(answer_octets),
        Step::Close,
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::picks::Action;

    #[test]
    fn a_recipe_says_its_channel_as_flags() {
        let mut recipe = Recipe::new(Protocol::Tcp);
        assert_eq!(recipe.flags(), "");
        recipe.impair(None, |one| one.loss = Probability::from_percent(10));
        recipe.picks = Picks::parse(Action::Drop, "4,data:3").unwrap();
        recipe.picks.extend(&Picks::parse_delays("fin=300ms").unwrap());
        assert_eq!(recipe.flags(), "--loss 10% --drop 4 --drop data:3 --delay fin=300ms");
        recipe.impair(Some(Direction::Down), |one| one.loss = Probability::ZERO);
        recipe.picks = Picks::new();
        assert_eq!(recipe.flags(), "--loss up:10%");
    }

    #[test]
    fn a_recipe_that_cannot_be_run_says_why() {
        let mut recipe = Recipe::new(Protocol::Tcp);
        assert_eq!(recipe.check(), Ok(()));
        recipe.picks = Picks::parse(Action::Drop, "data:0").unwrap();
        assert!(matches!(recipe.check(), Err(RecipeError::PickCountsFromOne(_))));
        recipe.counting = Some(Counting::FromZero);
        assert_eq!(recipe.check(), Ok(()));
        recipe.server.address = recipe.clients[0].address;
        assert_eq!(recipe.check(), Err(RecipeError::Addresses));
        recipe.clients.clear();
        assert_eq!(recipe.check(), Err(RecipeError::NoClient));
        let mut window = Recipe::new(Protocol::StopAndWait);
        window.textbook.window_packets = 2;
        assert!(matches!(window.check(), Err(RecipeError::Textbook(_))));
    }
}
