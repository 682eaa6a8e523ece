//! Which card has an address on an Ethernet link.
//!
//! RFC 826 and RFC 1122 §2.3.2 for IPv4, RFC 4861 §7.2 and §7.3 for IPv6; one cache for both. An
//! address is asked for three times, a second apart; packets for it wait meanwhile, a few of them.
//! A card that was confirmed counts for 30 s; used later, it is asked itself whether it is still
//! there, while packets go on to it, and forgotten if it is silent.
//!
//! The cache is bounded: only what we ask for, or who asks us, gets an entry, and a new one takes the
//! place of the one that was used longest ago. Nothing that was not asked changes an entry's card
//! while it is confirmed by IPv6's rules; ARP has no such rules, and its last word counts.
//!
//! Left out: hints of progress from TCP, which save a few packets (RFC 4861 §7.3.1); duplicate
//! address detection (RFC 4862 §5.4, RFC 5227); proxies.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;

use aperto_time::wheel::Token;
use aperto_time::{Duration, Instant};
use aperto_wire::MacAddress;

use crate::departure::About;
use crate::ids::InterfaceId;
use crate::slab::{Id, Slab};

/// MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT, RFC 4861 §10.
const ATTEMPTS: u32 = 3;
/// RETRANS_TIMER, RFC 4861 §10; RFC 1122 §2.3.2.1 allows one request a second.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// REACHABLE_TIME, RFC 4861 §10.
const REACHABLE: Duration = Duration::from_secs(30);
/// DELAY_FIRST_PROBE_TIME, RFC 4861 §10: how long a card that was only mentioned is used unasked.
const DELAY: Duration = Duration::from_secs(5);
/// How many packets wait for one card; the oldest gives way (RFC 1122 §2.3.2.2).
const MOST_WAITING: usize = 16;

/// A packet that waits for a card.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// The IP packet.
    pub(crate) octets: Vec<u8>,
    pub(crate) about: About,
}

/// Where a neighbor is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Question {
    pub(crate) interface: InterfaceId,
    pub(crate) target: IpAddr,
    /// The card that had the address; all are asked if none had.
    pub(crate) card: Option<MacAddress>,
    pub(crate) attempt: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nobody has answered yet.
    Incomplete { attempt: u32 },
    /// Known, and sure until then.
    Known { card: MacAddress, until: Instant },
    /// Known, and asked whether it is still there.
    Probing { card: MacAddress, attempt: u32 },
}

#[derive(Clone, Debug)]
pub(crate) struct Neighbor {
    interface: InterfaceId,
    address: IpAddr,
    state: State,
    waiting: VecDeque<Waiting>,
    used: Instant,
    pub(crate) timer: Option<Token>,
}

/// How sure a message makes us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// It answers our question.
    Answer,
    /// It says in passing where its sender is.
    Mention,
}

/// Whether an address that is not in the cache gets an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unknown {
    Enter,
    Ignore,
}

/// What a lookup gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lookup {
    Card(MacAddress),
    /// Packets must wait here.
    Unknown(Id),
}

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It is asked again.
    Again(Question),
    /// Nobody answers: these packets will not leave.
    GivenUp(IpAddr, VecDeque<Waiting>),
    /// There is nothing to ask any more.
    Settled,
}

/// The cards that are known, or asked for.
#[derive(Clone, Debug)]
pub(crate) struct Neighbors {
    table: BTreeMap<(InterfaceId, IpAddr), Id>,
    neighbors: Slab<Neighbor>,
    most: usize,
}

impl Neighbors {
    pub(crate) fn new(most: usize) -> Self {
        Self { table: BTreeMap::new(), neighbors: Slab::new(), most: most.max(1) }
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut Neighbor> {
        self.neighbors.get_mut(id)
    }

    /// The card of an address, if it is known, whether sure or not.
    pub(crate) fn card(&self, interface: InterfaceId, address: IpAddr) -> Option<MacAddress> {
        match self.neighbors.get(*self.table.get(&(interface, address))?)?.state {
            State::Incomplete { .. } => None,
            State::Known { card, .. } | State::Probing { card, .. } => Some(card),
        }
    }

    /// The card of an address, and the question to ask now, if one is due.
    pub(crate) fn find(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddr,
    ) -> (Lookup, Option<(Id, Question)>, Option<Token>) {
        let question = |card, attempt| Question { interface, target: address, card, attempt };
        if let Some((id, neighbor)) =
            self.table.get(&(interface, address)).and_then(|id| Some((*id, self.neighbors.get_mut(*id)?)))
        {
            neighbor.used = now;
            return match neighbor.state {
                State::Incomplete { .. } => (Lookup::Unknown(id), None, None),
                State::Known { card, until } if until > now => (Lookup::Card(card), None, None),
                State::Known { card, .. } => {
                    neighbor.state = State::Probing { card, attempt: 1 };
                    (Lookup::Card(card), Some((id, question(Some(card), 1))), None)
                }
                State::Probing { card, .. } => (Lookup::Card(card), None, None),
            };
        }
        let (id, freed) = self.enter(now, interface, address, State::Incomplete { attempt: 1 });
        (Lookup::Unknown(id), Some((id, question(None, 1))), freed)
    }

    /// Has a packet wait for a card; the oldest that waits gives way.
    pub(crate) fn wait(&mut self, id: Id, waiting: Waiting) -> Option<Waiting> {
        let neighbor = self.neighbors.get_mut(id)?;
        let gone = if neighbor.waiting.len() >= MOST_WAITING { neighbor.waiting.pop_front() } else { None };
        neighbor.waiting.push_back(waiting);
        gone
    }

    /// Somebody said which card has an address. Gives what waited for it, and timers to cancel.
    pub(crate) fn learn(
        &mut self,
        now: Instant,
        (interface, address): (InterfaceId, IpAddr),
        card: MacAddress,
        proof: Proof,
        unknown: Unknown,
    ) -> (VecDeque<Waiting>, Option<Token>) {
        let until = match proof {
            Proof::Answer => now + REACHABLE,
            Proof::Mention => now + DELAY,
        };
        let known = State::Known { card, until };
        let entry = self.table.get(&(interface, address)).and_then(|id| self.neighbors.get_mut(*id));
        let Some(neighbor) = entry else {
            let freed = match unknown {
                Unknown::Enter => self.enter(now, interface, address, known).1,
                Unknown::Ignore => None,
            };
            return (VecDeque::new(), freed);
        };
        match (neighbor.state, proof) {
            // The same card, in passing: neither more nor less sure than before.
            (State::Known { card: before, .. } | State::Probing { card: before, .. }, Proof::Mention)
                if before == card =>
            {
                (VecDeque::new(), None)
            }
            _ => {
                neighbor.state = known;
                (core::mem::take(&mut neighbor.waiting), neighbor.timer.take())
            }
        }
    }

    /// A second has passed since the last question.
    pub(crate) fn silence(&mut self, id: Id) -> Silence {
        let Some(neighbor) = self.neighbors.get_mut(id) else { return Silence::Settled };
        neighbor.timer = None;
        let (attempt, card) = match neighbor.state {
            State::Known { .. } => return Silence::Settled,
            State::Incomplete { attempt } => (attempt, None),
            State::Probing { card, attempt } => (attempt, Some(card)),
        };
        let (interface, target) = (neighbor.interface, neighbor.address);
        if attempt < ATTEMPTS {
            let attempt = attempt + 1;
            neighbor.state = match card {
                None => State::Incomplete { attempt },
                Some(card) => State::Probing { card, attempt },
            };
            return Silence::Again(Question { interface, target, card, attempt });
        }
        self.table.remove(&(interface, target));
        let waiting = self.neighbors.remove(id).map(|neighbor| neighbor.waiting).unwrap_or_default();
        Silence::GivenUp(target, waiting)
    }

    /// Makes an entry; where there is no room, instead of the one that was used longest ago, whose
    /// timer is given back. The table is small and new neighbors are rare, so looking at all of them
    /// is bounded.
    fn enter(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddr,
        state: State,
    ) -> (Id, Option<Token>) {
        let mut freed = None;
        if self.neighbors.len() >= self.most
            && let Some((oldest, _)) = self.neighbors.iter().min_by_key(|(_, neighbor)| neighbor.used)
            && let Some(neighbor) = self.neighbors.remove(oldest)
        {
            self.table.remove(&(neighbor.interface, neighbor.address));
            freed = neighbor.timer;
        }
        let neighbor =
            Neighbor { interface, address, state, waiting: VecDeque::new(), used: now, timer: None };
        let id = self.neighbors.insert(neighbor);
        self.table.insert((interface, address), id);
        (id, freed)
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;

    const LINK: InterfaceId = InterfaceId(0);
    const CARD: MacAddress = MacAddress([2, 0, 0, 0, 0, 9]);

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    #[test]
    fn a_neighbor_is_asked_three_times_and_then_given_up() {
        let mut neighbors = Neighbors::new(4);
        let (lookup, question, _) = neighbors.find(Instant::ZERO, LINK, address(9));
        let Lookup::Unknown(id) = lookup else { panic!("nobody has answered") };
        let first = Question { interface: LINK, target: address(9), card: None, attempt: 1 };
        assert_eq!(question, Some((id, first)));
        assert_eq!(neighbors.find(Instant::ZERO, LINK, address(9)).1, None);
        for attempt in 2..=3 {
            let Silence::Again(question) = neighbors.silence(id) else { panic!("asked again") };
            assert_eq!(question, Question { attempt, ..first });
        }
        assert!(matches!(neighbors.silence(id), Silence::GivenUp(..)));
        assert!(matches!(neighbors.silence(id), Silence::Settled));
    }

    #[test]
    fn a_card_is_sure_for_thirty_seconds_and_then_asked_itself() {
        let mut neighbors = Neighbors::new(4);
        neighbors.find(Instant::ZERO, LINK, address(9));
        neighbors.learn(Instant::ZERO, (LINK, address(9)), CARD, Proof::Answer, Unknown::Ignore);
        let later = Instant::from_millis(30_000);
        assert_eq!(neighbors.find(Instant::from_millis(29_999), LINK, address(9)).1, None);
        let (lookup, question, _) = neighbors.find(later, LINK, address(9));
        assert_eq!(lookup, Lookup::Card(CARD));
        assert_eq!(question.map(|(_, question)| question.card), Some(Some(CARD)));
    }

    #[test]
    fn nobody_gets_into_the_cache_by_talking_of_himself() {
        let mut neighbors = Neighbors::new(4);
        neighbors.learn(Instant::ZERO, (LINK, address(9)), CARD, Proof::Answer, Unknown::Ignore);
        assert!(matches!(neighbors.find(Instant::ZERO, LINK, address(9)).0, Lookup::Unknown(_)));
    }

    #[test]
    fn the_cache_is_bounded_and_the_least_used_gives_way() {
        let mut neighbors = Neighbors::new(4);
        for last in 1..=100 {
            let now = Instant::from_millis(last.into());
            neighbors.learn(now, (LINK, address(last)), CARD, Proof::Mention, Unknown::Enter);
        }
        assert_eq!((neighbors.neighbors.len(), neighbors.table.len()), (4, 4));
        assert_eq!(neighbors.find(Instant::ZERO, LINK, address(100)).0, Lookup::Card(CARD));
    }
}
