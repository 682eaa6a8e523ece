//! Two hosts, a line between them, and the time; or one host and frames made by hand.

use std::boxed::Box;
use std::collections::VecDeque;
use std::vec::Vec;

use core::net::{IpAddr, SocketAddr};
use std::format;

use aperto_time::{Duration, Instant};
use aperto_wire::{Cidr, MacAddress};

use crate::{About, Config, ConnectionId, Event, Host, Interface, InterfaceId, ListenerId, Note};

pub(super) const LINE: InterfaceId = InterfaceId(0);

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    A,
    B,
}

/// Whether a frame gets through; it may be changed on the way.
pub(super) type Fate = Box<dyn FnMut(Side, &mut Vec<u8>, &About) -> bool>;

pub(super) struct Talk {
    pub(super) now: Instant,
    pub(super) a: Host,
    pub(super) b: Host,
    pub(super) delay: Duration,
    /// What has left, and from whom.
    pub(super) left: Vec<(Side, About)>,
    pub(super) events_a: Vec<Event>,
    pub(super) events_b: Vec<Event>,
    pub(super) fate: Option<Fate>,
    flying: VecDeque<(Instant, Side, Vec<u8>)>,
}

pub(super) fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The addresses of the two: 10.0.0.1 and 10.0.0.2, 2001:db8::1 and 2001:db8::2, fe80::1 and fe80::2.
pub(super) fn addresses(last: u8) -> [Cidr; 3] {
    [format!("10.0.0.{last}/24"), format!("2001:db8::{last}/64"), format!("fe80::{last}/64")]
        .map(|text| cidr(&text))
}

pub(super) fn card(last: u8) -> MacAddress {
    MacAddress([2, 0, 0, 0, 0, last])
}

pub(super) fn config(secret: u8) -> Config {
    Config { secret: [secret; 32], ..Config::default() }
}

/// A host with one interface.
pub(super) fn host(config: Config, interface: Interface) -> Host {
    let mut host = Host::new(config);
    host.add_interface(interface);
    host
}

/// The notes that wait, with the frames that leave thrown away.
pub(super) fn notes(host: &mut Host) -> Vec<Note> {
    core::iter::from_fn(|| host.poll_note()).collect()
}

impl Talk {
    pub(super) fn new() -> Self {
        Self::with(config(1), config(2))
    }

    pub(super) fn with(a: Config, b: Config) -> Self {
        let line = |last| Interface::ip("line", 1500, &addresses(last));
        Self::between(host(a, line(1)), host(b, line(2)))
    }

    pub(super) fn over_ethernet() -> Self {
        let line = |last| Interface::ethernet("eth", card(last), 1500, &addresses(last));
        Self::between(host(config(1), line(1)), host(config(2), line(2)))
    }

    pub(super) fn between(a: Host, b: Host) -> Self {
        Self {
            now: Instant::from_millis(1000),
            a,
            b,
            delay: Duration::from_millis(10),
            left: Vec::new(),
            events_a: Vec::new(),
            events_b: Vec::new(),
            fate: None,
            flying: VecDeque::new(),
        }
    }

    /// Lets everything leave that wants to, and events be told.
    pub(super) fn pump(&mut self) {
        let mut buffer = [0; 65_600];
        for side in [Side::A, Side::B] {
            let (host, events) = match side {
                Side::A => (&mut self.a, &mut self.events_a),
                Side::B => (&mut self.b, &mut self.events_b),
            };
            while let Some(departure) = host.poll_frame(self.now, &mut buffer) {
                let mut frame = buffer[..departure.length].to_vec();
                self.left.push((side, departure.about));
                let passes = match &mut self.fate {
                    Some(fate) => fate(side, &mut frame, &departure.about),
                    None => true,
                };
                if passes {
                    self.flying.push_back((self.now + self.delay, side, frame));
                }
            }
            events.extend(core::iter::from_fn(|| host.poll_event()));
        }
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..1_000_000 {
            self.pump();
            let next = [
                self.flying.front().map(|(at, _, _)| *at),
                self.a.poll_deadline().map(|deadline| deadline.at),
                self.b.poll_deadline().map(|deadline| deadline.at),
            ];
            let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.a.deadline_passed(self.now);
            self.b.deadline_passed(self.now);
            while self.flying.front().is_some_and(|(at, _, _)| *at <= self.now) {
                let (_, from, frame) = self.flying.pop_front().unwrap();
                match from {
                    Side::A => self.b.frame_arrives(self.now, LINE, &frame),
                    Side::B => self.a.frame_arrives(self.now, LINE, &frame),
                }
            }
        }
        panic!("a million steps without an end");
    }

    pub(super) fn run_ms(&mut self, milliseconds: u64) {
        self.run(Duration::from_millis(milliseconds));
    }

    /// B listens on port 80 of both versions.
    pub(super) fn listen(&mut self, backlog: usize) -> ListenerId {
        self.b.listen(socket("[::]:80"), backlog).unwrap()
    }

    /// A connects with B and B accepts.
    pub(super) fn connected(&mut self, remote: &str) -> (ConnectionId, ConnectionId) {
        let there = self.b.listeners().next();
        let listener = match there {
            Some((listener, _)) => listener,
            None => self.listen(16),
        };
        let client = self.a.connect(self.now, None, socket(remote)).unwrap();
        self.run_ms(100);
        let server = self.b.accept(listener).unwrap().expect("a connection waits");
        self.run_ms(100);
        (client, server)
    }

    /// Reads what there is, at most so many octets.
    pub(super) fn read(&mut self, side: Side, id: ConnectionId) -> Vec<u8> {
        let mut octets = std::vec![0; 1 << 21];
        let now = self.now;
        let host = self.host(side);
        let count = host.receive(now, id, &mut octets).unwrap_or(0);
        octets.truncate(count);
        octets
    }

    pub(super) fn host(&mut self, side: Side) -> &mut Host {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// How many frames have left that are like this.
    pub(super) fn count(&self, like: impl Fn(Side, &About) -> bool) -> usize {
        self.left.iter().filter(|(side, about)| like(*side, about)).count()
    }
}

/// One host at 10.0.0.1 and 2001:db8::1, and a tester at 10.0.0.2 and 2001:db8::2 who makes frames.
pub(super) struct Tester {
    pub(super) now: Instant,
    pub(super) host: Host,
}

impl Tester {
    pub(super) fn new() -> Self {
        Self::with(config(1))
    }

    pub(super) fn with(config: Config) -> Self {
        let mut host = host(config, Interface::ip("line", 1500, &addresses(1)));
        host.watch(crate::Watch::On);
        Self { now: Instant::from_millis(1000), host }
    }

    /// Sends a frame, and takes what comes back: the frames and what they are.
    pub(super) fn sends(&mut self, frame: &[u8]) -> Vec<(Vec<u8>, About)> {
        self.host.frame_arrives(self.now, LINE, frame);
        self.answers()
    }

    pub(super) fn answers(&mut self) -> Vec<(Vec<u8>, About)> {
        let mut buffer = [0; 65_600];
        let mut answers = Vec::new();
        while let Some(departure) = self.host.poll_frame(self.now, &mut buffer) {
            answers.push((buffer[..departure.length].to_vec(), departure.about));
        }
        answers
    }

    /// Lets time pass, with nobody answering.
    pub(super) fn wait(&mut self, duration: Duration) -> Vec<(Vec<u8>, About)> {
        let end = self.now + duration;
        let mut answers = Vec::new();
        while let Some(deadline) = self.host.poll_deadline().filter(|deadline| deadline.at <= end) {
            self.now = deadline.at;
            self.host.deadline_passed(self.now);
            answers.extend(self.answers());
        }
        self.now = end;
        answers
    }

    /// Why something was dropped since the last look.
    pub(super) fn drops(&mut self) -> Vec<crate::DropReason> {
        let of = |note| match note {
            Note::Dropped { reason, .. } => Some(reason),
            _ => None,
        };
        notes(&mut self.host).into_iter().filter_map(of).collect()
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.host.poll_event()).collect()
    }
}
