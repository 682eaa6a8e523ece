//! A room and members joined by pipes that deliver at once, for tests.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::client::{self, Client};
use super::frame::{Frame, Seal};
use super::room::{self, Keeping, MemberId, Room};
use crate::Want;
use crate::hello::{Ask, Integrity, Mode};

/// The wishes of the tests' members.
pub(super) fn ask(integrity: Integrity) -> Ask {
    Ask {
        integrities: vec![integrity],
        max_message: 1_000,
        payload: 1_000,
        window: 5,
        negative: crate::hello::Negative::On,
        ..Ask::new(Mode::Tcp)
    }
}

/// A member with what it has told.
pub(super) struct Guest {
    pub(super) client: Client,
    pub(super) told: Vec<client::Event>,
    pub(super) line: Option<MemberId>,
    /// Whether it can connect.
    pub(super) reachable: bool,
}

impl Guest {
    /// What it has shown: place, name and text.
    pub(super) fn shown(&self) -> Vec<(u64, String, String)> {
        let shown = self.told.iter().filter_map(|event| match event {
            client::Event::Shown { seq, name, text, .. } => Some((*seq, name.clone(), text.clone())),
            _ => None,
        });
        shown.collect()
    }

    /// The texts that it has shown.
    pub(super) fn texts(&self) -> Vec<String> {
        self.shown().into_iter().map(|(_, _, text)| text).collect()
    }

    /// The ids that were confirmed to it.
    pub(super) fn confirmed(&self) -> Vec<u64> {
        let ids = self.told.iter().filter_map(|event| match event {
            client::Event::Confirmed { id } => Some(*id),
            _ => None,
        });
        ids.collect()
    }
}

/// A room with a disk, and members.
pub(super) struct Hall {
    pub(super) now: Duration,
    pub(super) room: Room,
    pub(super) told: Vec<room::Event>,
    pub(super) guests: Vec<Guest>,
    /// What is on the disk.
    pub(super) disk: Vec<u8>,
    /// Whether the disk takes something.
    pub(super) writes: bool,
    /// What was written to bare connections.
    pub(super) bare: BTreeMap<MemberId, Vec<u8>>,
    /// Connections that the room closed or aborted.
    pub(super) closed: Vec<(MemberId, &'static str)>,
    /// Does something to octets on their way to the room.
    pub(super) spoils_up: Option<fn(&mut [u8])>,
    pub(super) spoils_down: Option<fn(&mut [u8])>,
}

pub(super) fn config(keeping: Keeping) -> room::Config {
    room::Config::new([9; 16], keeping, "server")
}

impl Hall {
    pub(super) fn new(keeping: Keeping) -> Self {
        Self::with(config(keeping))
    }

    pub(super) fn with(config: room::Config) -> Self {
        Self {
            now: Duration::from_secs(100),
            room: Room::new(config),
            told: Vec::new(),
            guests: Vec::new(),
            disk: Vec::new(),
            writes: true,
            bare: BTreeMap::new(),
            closed: Vec::new(),
            spoils_up: None,
            spoils_down: None,
        }
    }

    /// A member comes. Gives its place.
    pub(super) fn comes(&mut self, name: &str, ask: Ask) -> usize {
        let token = [u8::try_from(self.guests.len() + 1).unwrap(); 16];
        let client =
            Client::new(client::Config { token, name: name.to_string(), ask, tries_strangers: false });
        self.guests.push(Guest { client, told: Vec::new(), line: None, reachable: true });
        self.settle();
        self.guests.len() - 1
    }

    pub(super) fn says(&mut self, guest: usize, text: &str) -> u64 {
        let id = self.guests[guest].client.say(self.now, text).unwrap();
        self.settle();
        id
    }

    /// A bare connection sends this.
    pub(super) fn dials(&mut self, octets: &[u8]) -> MemberId {
        let id = self.room.opened(self.now);
        self.room.readable(self.now, id, octets);
        self.settle();
        id
    }

    pub(super) fn sends(&mut self, id: MemberId, octets: &[u8]) {
        self.room.readable(self.now, id, octets);
        self.settle();
    }

    /// What a bare connection has heard, as text.
    pub(super) fn heard(&self, id: MemberId) -> String {
        String::from_utf8_lossy(self.bare.get(&id).map_or(&[], Vec::as_slice)).into_owned()
    }

    /// The connection of a member breaks, at both ends.
    pub(super) fn breaks(&mut self, guest: usize) {
        if let Some(id) = self.guests[guest].line.take() {
            self.room.closed(self.now, id);
            self.guests[guest].client.broke(self.now);
        }
        self.settle();
    }

    /// Time passes, deadline by deadline.
    pub(super) fn waits(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let own = self.guests.iter().filter_map(|guest| guest.client.poll_deadline());
            let next = own.chain(self.room.poll_deadline()).min();
            match next.filter(|at| *at <= end) {
                Some(at) => self.now = self.now.max(at),
                None => break,
            }
            self.room.deadline_passed(self.now);
            for guest in &mut self.guests {
                guest.client.deadline_passed(self.now);
            }
            self.settle();
        }
        self.now = end;
    }

    /// The server is killed and starts again from its disk, of which so many octets are left.
    pub(super) fn restarts(&mut self, left: usize) {
        self.disk.truncate(left);
        let (room, end) = Room::replay(config(Keeping::Journal), [self.disk.as_slice()]).unwrap();
        self.disk.truncate(usize::try_from(end.whole).unwrap());
        self.room = room;
        for guest in 0..self.guests.len() {
            if self.guests[guest].line.take().is_some() {
                self.guests[guest].client.broke(self.now);
            }
        }
        self.settle();
    }

    /// Lets everything happen that follows at this instant.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = self.serve();
            for guest in 0..self.guests.len() {
                moved |= self.attend(guest);
            }
            if !moved {
                return;
            }
        }
        panic!("never settles");
    }

    /// The room: its journal, its events, what its connections want.
    fn serve(&mut self) -> bool {
        let mut moved = false;
        if self.writes
            && let Some(batch) = self.room.take_journal()
        {
            self.disk.extend_from_slice(&batch.octets);
            self.room.journaled(self.now, batch.upto);
            moved = true;
        }
        while let Some(event) = self.room.poll_event() {
            self.told.push(event);
        }
        let mut writes: VecDeque<(MemberId, Vec<u8>)> = VecDeque::new();
        while let Some(id) = self.room.poll_ready() {
            while let Some(want) = self.room.poll_want(self.now, id) {
                match want {
                    Want::Write(octets) => {
                        let octets = octets.to_vec();
                        self.room.wrote(id, octets.len());
                        writes.push_back((id, octets));
                    }
                    Want::Close => self.closed.push((id, "closed")),
                    Want::Abort => {
                        self.closed.push((id, "aborted"));
                        self.room.closed(self.now, id);
                    }
                    Want::Release => unreachable!(),
                }
            }
        }
        for (id, mut octets) in writes {
            moved = true;
            match self.guests.iter_mut().find(|guest| guest.line == Some(id)) {
                Some(guest) => {
                    if let Some(spoil) = self.spoils_down {
                        spoil(&mut octets);
                    }
                    guest.client.readable(self.now, &octets);
                }
                None => self.bare.entry(id).or_default().extend(octets),
            }
        }
        moved
    }

    fn attend(&mut self, place: usize) -> bool {
        let guest = &mut self.guests[place];
        let mut moved = false;
        while let Some(want) = guest.client.poll_want(self.now) {
            moved = true;
            match want {
                client::Want::Connect if guest.reachable => {
                    guest.line = Some(self.room.opened(self.now));
                    guest.client.opened(self.now);
                }
                client::Want::Connect => guest.client.broke(self.now),
                client::Want::Write(octets) => {
                    let mut octets = octets.to_vec();
                    guest.client.wrote(octets.len());
                    if let Some(spoil) = self.spoils_up {
                        spoil(&mut octets);
                    }
                    if let Some(id) = guest.line {
                        self.room.readable(self.now, id, &octets);
                    }
                }
                client::Want::Close | client::Want::Abort => {
                    if let Some(id) = guest.line.take() {
                        self.room.peer_closed(self.now, id);
                        self.room.closed(self.now, id);
                        guest.client.broke(self.now);
                    }
                }
            }
        }
        while let Some(event) = guest.client.poll_event() {
            guest.told.push(event);
        }
        moved
    }
}

/// The octets of a frame.
pub(super) fn octets(frame: &Frame, seal: Seal) -> Vec<u8> {
    let mut octets = Vec::new();
    frame.put(&mut octets, seal);
    octets
}
