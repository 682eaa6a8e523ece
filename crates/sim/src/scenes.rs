//! Recipes with a name: `aperto` bare and `aperto demo NAME`.
//!
//! All of them are TCP between 10.0.0.1 and 10.0.0.2 port 7000 (transfers: 5001) over a channel of
//! 20 ms each way, with initial sequence numbers 1234 and 1567 and classroom settings, unless they
//! say otherwise. What one shows is in the text of its function.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use aperto_app::bulk::Plan;
use aperto_app::echo::Voice;
use aperto_app::script::Step;
use aperto_app::text::{self, Dialect, Role};
use aperto_app::{Bulk, Echo, Machine, Pace, Script, TextHandshake};

use crate::channel::picks::{Action, Picks};
use crate::quantity::{Probability, Rate};
use crate::recipe::{Isn, Opening, Protocol, Recipe, SERVER_PORT, Side, Stop, says_and_closes};

/// A scene.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scene {
    /// [`handshake`]
    Handshake,
    /// [`data`]
    Data,
    /// [`loss`]
    Loss,
    /// [`dupack`]
    Dupack,
    /// [`reorder`]
    Reorder,
    /// [`zero_window`]
    ZeroWindow,
    /// [`teardown`]
    Teardown,
    /// [`half_close`]
    HalfClose,
    /// [`simultaneous_open`]
    SimultaneousOpen,
    /// [`refuse`]
    Refuse,
    /// [`reset`]
    Reset,
    /// [`blackhole`]
    Blackhole,
    /// [`syn_retry`]
    SynRetry,
    /// [`nagle`]
    Nagle,
    /// [`time_wait`]
    TimeWait,
    /// [`bulk`]
    Bulk,
    /// [`ports`]
    Ports,
    /// [`told_in_text`]
    TextHandshake,
    /// [`told_in_text`]
    TextThreeWay,
}

impl Scene {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 19] = [
        Self::Handshake,
        Self::Data,
        Self::Loss,
        Self::Dupack,
        Self::Reorder,
        Self::ZeroWindow,
        Self::Teardown,
        Self::HalfClose,
        Self::SimultaneousOpen,
        Self::Refuse,
        Self::Reset,
        Self::Blackhole,
        Self::SynRetry,
        Self::Nagle,
        Self::TimeWait,
        Self::Bulk,
        Self::Ports,
        Self::TextHandshake,
        Self::TextThreeWay,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Data => "data",
            Self::Loss => "loss",
            Self::Dupack => "dupack",
            Self::Reorder => "reorder",
            Self::ZeroWindow => "zero-window",
            Self::Teardown => "teardown",
            Self::HalfClose => "half-close",
            Self::SimultaneousOpen => "simultaneous-open",
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::Blackhole => "blackhole",
            Self::SynRetry => "syn-retry",
            Self::Nagle => "nagle",
            Self::TimeWait => "time-wait",
            Self::Bulk => "bulk",
            Self::Ports => "ports",
            Self::TextHandshake => "text-handshake",
            Self::TextThreeWay => "text-three-way",
        }
    }

    /// The scene with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scene| scene.name() == name)
    }

    /// Its recipe, with the usual sizes.
    #[must_use]
    pub fn recipe(self) -> Recipe {
        match self {
            Self::Handshake => handshake(),
            Self::Data => data(),
            Self::Loss => loss(),
            Self::Dupack => dupack(BULK_OCTETS),
            Self::Reorder => reorder(BULK_OCTETS),
            Self::ZeroWindow => zero_window(),
            Self::Teardown => teardown(),
            Self::HalfClose => half_close(),
            Self::SimultaneousOpen => simultaneous_open(),
            Self::Refuse => refuse(),
            Self::Reset => reset(),
            Self::Blackhole => blackhole(),
            Self::SynRetry => syn_retry(),
            Self::Nagle => nagle(),
            Self::TimeWait => time_wait(),
            Self::Bulk => bulk(BULK_OCTETS),
            Self::Ports => ports(3),
            Self::TextHandshake => told_in_text(Dialect::Handshake),
            Self::TextThreeWay => told_in_text(Dialect::ThreeWay),
        }
    }
}

/// How much a transfer moves where nothing is said: eight full segments.
pub const BULK_OCTETS: u64 = 11_680;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn script(steps: Vec<Step>) -> Machine {
    Machine::Script(Script::new(steps))
}

fn write(text: &str) -> Step {
    Step::Write(text.as_bytes().to_vec())
}

/// A server that reads all there is and closes after its peer.
fn sink(expects: Option<u64>) -> Machine {
    Machine::Bulk(Bulk::new(Plan::sink(expects)))
}

/// A server that answers in upper case and closes so long after its peer.
fn upper(close_after: Duration) -> Machine {
    Machine::Echo(Echo::new(Voice::Upper, close_after))
}

fn picks(action: Action, text: &str) -> Picks {
    Picks::parse(action, text).expect("the picks of a scene are well written")
}

fn between(client: Side, server: Side) -> Recipe {
    Recipe { clients: vec![client], server, ..Recipe::new(Protocol::Tcp) }
}

/// The conversation of the bare command: the client says a text, the server answers it in upper
/// case, the client closes when it has the answer, the server 30 ms after it has the FIN.
#[must_use]
pub fn conversation(text: &str) -> Recipe {
    let answer: usize = text.chars().flat_map(char::to_uppercase).map(char::len_utf8).sum();
    let client = Side::client().opening(says_and_closes(text, answer as u64));
    between(client, Side::server().offering(upper(ms(30))))
}

/// `aperto` bare: nine segments in 170 ms.
#[must_use]
pub fn demonstration() -> Recipe {
    conversation("Olá, mundo")
}

/// Three segments and an open connection.
#[must_use]
pub fn handshake() -> Recipe {
    between(Side::client().opening(script(vec![])), Side::server().offering(sink(None)))
}

/// Two texts to somebody who does not answer: the acknowledgments travel alone, and late.
#[must_use]
pub fn data() -> Recipe {
    let steps = vec![write("Olá, mundo"), Step::Wait(ms(300)), write("tudo bem?")];
    between(Side::client().opening(script(steps)), Side::server().offering(sink(None)))
}

/// The first text is lost, and the retransmission timer saves it.
#[must_use]
pub fn loss() -> Recipe {
    Recipe { picks: picks(Action::Drop, "data:1"), ..demonstration() }
}

/// One way, as many octets as said, checked by their pattern. Modern settings: all options.
#[must_use]
pub fn bulk(octets: u64) -> Recipe {
    let seed = 1;
    let mut client = Side::client().opening(Machine::Bulk(Bulk::new(Plan::source(octets, seed))));
    let mut server = Side::server().offering(sink(Some(seed)));
    client.tcp = aperto_tcp::Config::modern();
    server.tcp = aperto_tcp::Config::modern();
    on_bulk_port(between(client, server))
}

/// Where the servers of transfers listen. Wireshark guesses a protocol from the port, and guesses
/// Gryphon of 7000, whose units it would then look for in any octets that are no text; of 5001 it
/// guesses nothing.
pub const BULK_PORT: u16 = 5001;

fn on_bulk_port(mut recipe: Recipe) -> Recipe {
    let openings = recipe.clients.iter_mut().flat_map(|client| &mut client.openings);
    openings.for_each(|opening| opening.remote_port = BULK_PORT);
    recipe.server.services.iter_mut().for_each(|service| service.port = BULK_PORT);
    recipe
}

/// The same with classroom settings, over a line of 12 Mbit/s: a full segment takes 1 ms.
fn plain_bulk(octets: u64) -> Recipe {
    let mut recipe = bulk(octets);
    recipe.clients.iter_mut().for_each(|client| client.tcp = aperto_tcp::Config::classroom());
    recipe.server.tcp = aperto_tcp::Config::classroom();
    recipe.impair(None, |impairments| impairments.rate = Some(Rate::from_kilobits(12_000)));
    recipe
}

/// The third of several segments is lost: three duplicate acknowledgments bring it back at once.
#[must_use]
pub fn dupack(octets: u64) -> Recipe {
    Recipe { picks: picks(Action::Drop, "data:3"), ..plain_bulk(octets) }
}

/// The third of several segments is late by two: duplicate acknowledgments, but too few to mean a
/// loss.
#[must_use]
pub fn reorder(octets: u64) -> Recipe {
    let late = Picks::parse_delays("data:3=2.5ms").expect("the picks of a scene are well written");
    Recipe { picks: late, ..plain_bulk(octets) }
}

/// The server does not read for three seconds: its window closes, is probed, and opens again.
#[must_use]
pub fn zero_window() -> Recipe {
    let mut recipe = plain_bulk(8_760);
    let plan = Plan { read_pace: Pace::From(ms(3_000)), ..Plan::sink(Some(1)) };
    recipe.server = Side::server().offering(Machine::Bulk(Bulk::new(plan)));
    recipe.server.tcp = aperto_tcp::Config { receive_buffer: 4_380, ..aperto_tcp::Config::classroom() };
    on_bulk_port(recipe)
}

/// Four segments to close what three opened.
#[must_use]
pub fn teardown() -> Recipe {
    let client = Side::client().opening(script(vec![Step::Wait(ms(60)), Step::Close]));
    between(client, Side::server().offering(upper(ms(30))))
}

/// The client has nothing more to say, the server has: a connection that is open in one direction.
#[must_use]
pub fn half_close() -> Recipe {
    let client = script(vec![write("tell me more"), Step::Close]);
    let server = script(vec![
        Step::UntilPeerClosed,
        Step::Wait(ms(100)),
        write("one"),
        Step::Wait(ms(100)),
        write("two"),
        Step::Wait(ms(100)),
        Step::Close,
    ]);
    between(Side::client().opening(client), Side::server().offering(server))
}

/// Both open at once, from known ports: the SYNs cross, and it is one connection.
#[must_use]
pub fn simultaneous_open() -> Recipe {
    let opening = |application| Opening {
        at: Duration::ZERO,
        local_port: SERVER_PORT,
        remote_port: SERVER_PORT,
        application,
    };
    let (mut client, mut server) = (Side::client(), Side::server());
    client.openings.push(opening(script(vec![Step::Wait(ms(100)), Step::Close])));
    server.openings.push(opening(script(vec![Step::UntilPeerClosed, Step::Close])));
    between(client, server)
}

/// Nobody listens: the answer to a SYN is a reset.
#[must_use]
pub fn refuse() -> Recipe {
    between(Side::client().opening(script(vec![])), Side::server())
}

/// The client gives up in the middle of a conversation.
#[must_use]
pub fn reset() -> Recipe {
    let steps = vec![write("Olá, mundo"), Step::Wait(ms(100)), Step::Abort];
    between(Side::client().opening(script(steps)), Side::server().offering(upper(ms(30))))
}

/// Nothing that the client sends arrives: it asks again and again and then says that it timed out.
#[must_use]
pub fn blackhole() -> Recipe {
    let mut recipe = handshake();
    recipe.up.loss = Probability::ONE;
    recipe
}

/// The first two requests are lost, the third is answered.
#[must_use]
pub fn syn_retry() -> Recipe {
    Recipe { picks: picks(Action::Drop, "1-2"), ..handshake() }
}

/// Six letters, one each 10 ms: the first leaves at once, the others wait for its acknowledgment.
#[must_use]
pub fn nagle() -> Recipe {
    let mut steps = Vec::new();
    for letter in ["a", "p", "e", "r", "t", "o"] {
        steps.push(write(letter));
        steps.push(Step::Wait(ms(10)));
    }
    between(Side::client().opening(script(steps)), Side::server().offering(sink(None)))
}

/// The last acknowledgment of a close is lost: the server asks again, the client is still there to
/// answer, and is gone a minute later.
#[must_use]
pub fn time_wait() -> Recipe {
    Recipe { picks: picks(Action::Drop, "9"), stop: Stop::Empty, ..demonstration() }
}

/// Several connections from one client to one server port, told apart by the client's port.
#[must_use]
pub fn ports(clients: u32) -> Recipe {
    let mut client = Side::client();
    for number in 1..=u64::from(clients) {
        let text = alloc::format!("c{number}");
        let says = says_and_closes(&text, text.len() as u64);
        client = client.opening_at(ms((number - 1) * 10), says);
    }
    between(client, Side::server().offering(upper(ms(30))))
}

/// Two programs tell each other a handshake in text, over the connection that TCP opened before with
/// one of its own: the numbers in the text and those of the segments have nothing to do with each
/// other, and so the latter are no textbook's.
#[must_use]
pub fn told_in_text(dialect: Dialect) -> Recipe {
    let (client, server) = dialect.firsts();
    let side = |role, first| {
        let (patience, words) = (text::PATIENCE, text::bare_words as text::Words);
        Machine::Text(TextHandshake::new(text::Settings { dialect, role, first, patience, words }))
    };
    let mut recipe = between(
        Side::client().opening(side(Role::Client, client)),
        Side::server().offering(side(Role::Server, server)),
    );
    let openings = recipe.clients.iter_mut().flat_map(|client| &mut client.openings);
    openings.for_each(|opening| opening.remote_port = dialect.port());
    recipe.server.services.iter_mut().for_each(|service| service.port = dialect.port());
    Recipe { isn: Isn::FromSeed, ..recipe }
}
